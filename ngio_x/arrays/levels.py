"""The levels of a pyramid: choose one, or do the same to each."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import xarray as xr

from ngio_x._frozen import named, one_of
from ngio_x.arrays.image import lattice_of
from ngio_x.arrays.roles import is_labels
from ngio_x.arrays.tree import IMAGE, Levels, array_of, home_of, pyramid_of, pyramids_of, require_tree, with_levels
from ngio_x.errors import NgioTypeError, NgioValueError
from ngio_x.metadata.axes import FactorsByAxis
from ngio_x.metadata.pixel_size import PixelSize
from ngio_x.metadata.resolution import choose_level
from ngio_x.metadata.units import conversion

On = Literal["image", "labels", "all"]


def level_for(
    tree: xr.DataTree,
    *,
    pixel_size: FactorsByAxis | PixelSize | None = None,
    max_pixels: int | None = None,
    scale: FactorsByAxis | None = None,
) -> xr.DataTree:
    """Return the node of the level of an image that is as coarse as a criterion allows.

    Args:
        tree: An image, or one of its label images. Give one criterion:
        pixel_size: The coarsest level whose pixels are no larger: one number for y and x, a mapping by axis (in the
            image's units), or a `PixelSize` (in its own), which decides along those of z, y and x that are scaled. If
            all levels have larger pixels, the finest.
        max_pixels: The finest level whose array has no more pixels, channels and frames included.
        scale: The coarsest level that has at least this part of level 0's resolution, from above 0 to 1: one number
            for y and x, or a mapping by axis.

    Raises:
        NgioValueError: If there is not one criterion, it makes no sense, no level has so few pixels, or the tree holds
            several images or none.
        NgioTypeError: If `tree` is not a DataTree.
    """
    require_tree(tree)
    levels = list(pyramid_of(tree).values())
    arrays = [array_of(level) for level in levels]
    lattices = [{str(dim): lattice_of(array, dim) for dim in array.dims} for array in arrays]
    units = {dim: found.unit for dim, found in lattices[0].items() if found is not None}
    spacings = [
        {
            dim: found.spacing * conversion(found.unit, units.get(dim))
            for dim, found in level.items()
            if found is not None
        }
        for level in lattices
    ]
    shapes = [array.shape for array in arrays]
    pixel_size, scale = (_of_lattice(each, arrays[0].dims, spacings[0]) for each in (pixel_size, scale))
    index = choose_level(spacings, shapes, pixel_size=pixel_size, max_pixels=max_pixels, scale=scale, units=units)
    return levels[index]


def _of_lattice(value: Any, dims: Sequence[Hashable], spacings: Mapping[str, float]) -> Any:
    """Return one number an axis as a mapping of the axes that have a pixel size; return anything else as it is."""
    if isinstance(value, (str, Mapping)) or not np.iterable(value) or len(found := list(value)) != len(dims):
        return value
    return {str(dim): item for dim, item in zip(dims, found, strict=True) if dim in spacings}


def map_levels(
    tree: xr.DataTree, function: Callable[..., xr.DataArray], *args: Any, on: On = "image", **kwargs: Any
) -> xr.DataTree:
    """Return the tree with a function applied to the array of every level; the nodes keep names and attributes.

    Args:
        tree: An image, or a tree of several; other arrays than those asked for are kept as they are.
        function: Takes an array and returns one, of any size. It is called once for each level; a dask array is as
            lazy as the function leaves it.
        *args: Passed on to the function, after the array.
        on: Which arrays: those of images, of label images (by place or role), or all.
        **kwargs: Passed on to the function.

    Raises:
        NgioTypeError: If `tree` is not a DataTree, or the function does not return a DataArray.
        NgioValueError: If the tree holds no such array, or the arrays of a level no longer fit together.
    """
    require_tree(tree)
    if not callable(function):
        raise NgioTypeError(f"function must be one from array to array, got {type(function).__name__}")
    levels: dict[str, xr.Dataset] = {}
    found = False
    for pyramid in pyramids_of(tree):
        wanted = _wanted(pyramid, named("on", one_of("image", "labels", "all"))(on))
        for path, node in pyramid.items():
            dataset = node.to_dataset()
            changed = {
                name: _applied(function, array, path, args, kwargs)
                for name, array in dataset.data_vars.items()
                if name in wanted
            }
            levels[path] = _replaced(dataset, changed, path) if changed else dataset
            found |= bool(changed)
    if not found:
        raise NgioValueError(
            f"the tree holds no {on if on != 'all' else 'array'}: choose which arrays are meant with on="
        )
    return with_levels(tree, levels)


def _wanted(pyramid: Levels, on: On) -> set[Hashable]:
    """Return the names of the arrays of a pyramid that are asked for; of each, its finest level says what it is."""
    arrays: dict[Hashable, xr.DataArray] = {}
    for node in reversed(pyramid.values()):
        arrays |= dict(node.data_vars)
    if on == "all":
        return set(arrays)
    if home_of(next(iter(pyramid.values())).path)[1] != IMAGE:
        return set(arrays) if on == "labels" else set()
    return {name for name, array in arrays.items() if is_labels(array, "the array") == (on == "labels")}


def _applied(
    function: Callable[..., Any], array: xr.DataArray, path: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> xr.DataArray:
    try:
        result = function(array, *args, **kwargs)
    except Exception as error:
        error.add_note(f"at level {path!r}")
        raise
    if not isinstance(result, xr.DataArray):
        raise NgioTypeError(f"level {path!r}: the function must return a DataArray, got {type(result).__name__}")
    return result


def _replaced(dataset: xr.Dataset, changed: Mapping[Any, xr.DataArray], path: str) -> xr.Dataset:
    """Return the level with some arrays replaced; the coordinates are those that its arrays bring along."""
    # As datasets, because merging arrays makes their attributes those of the level.
    arrays = [changed.get(name, array).to_dataset(name=name) for name, array in dataset.data_vars.items()]
    try:
        return xr.merge(arrays, join="exact", compat="no_conflicts").assign_attrs(dataset.attrs)
    except ValueError as error:
        raise NgioValueError(f"level {path!r}: its arrays no longer fit together: {error}") from None
