"""Where a tree holds its images: at its root, or deeper down as in wells and plates, each with its label images.

A level is a node that holds pixels, and the levels of one pyramid stand beside each other: those of an image below its
own node, those of its label images below `labels/<name>` there. Groups of zarr have no order, and nodes of a tree may
come in any: which level is the finest, pixels tell.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import PurePosixPath
from typing import Any, Final, TypeAlias

import xarray as xr

from ngio_x.arrays.image import lattice_of
from ngio_x.arrays.roles import LABELS, role_of
from ngio_x.errors import NgioTypeError, NgioValueError
from ngio_x.metadata.units import DEFAULT_SPACE_UNIT, DEFAULT_TIME_UNIT, conversion

IMAGE: Final = ""
"""Stands for the image itself where label images are called by name."""

Levels: TypeAlias = dict[str, xr.DataTree]
"""The levels of one pyramid by path in the tree, finest first."""


def require_tree(value: Any) -> None:
    """Refuse anything but a DataTree.

    Raises:
        NgioTypeError: If `value` is not a DataTree.
    """
    if not isinstance(value, xr.DataTree):
        raise NgioTypeError(f"tree must be a DataTree, got {type(value).__name__}: open one with open_ome_zarr")


def images_of(tree: xr.DataTree) -> dict[str, dict[str, Levels]]:
    """Return the pyramids of every image, the image's own first and then its labels by name.

    Images are called by their place in the whole tree, so that labels without their image are known as labels.
    """
    images: dict[str, dict[str, Levels]] = {}
    for path, node in tree.subtree_with_keys:
        if is_level(node):
            image, labels = home_of(node.path)
            images.setdefault(image, {}).setdefault(labels, {})[path] = node
    return {
        image: {labels: finest_first(pyramids[labels]) for labels in sorted(pyramids, key=IMAGE.__ne__)}
        for image, pyramids in images.items()
    }


def is_level(node: xr.DataTree) -> bool:
    """Return whether a node holds pixels: tables and single values, which users put beside them, lie along no space."""
    return any(not {"z", "y", "x"}.isdisjoint(array.dims) for array in node.data_vars.values())


def pyramids_of(tree: xr.DataTree) -> list[Levels]:
    """Return the pyramids of all images and label images of a tree."""
    return [levels for image in images_of(tree).values() for levels in image.values()]


def finest_first(levels: Levels) -> Levels:
    """Return levels in the order of the size of their pixels; where that is not known or equal, of their number."""
    if len(levels) < 2:
        return levels
    arrays = {path: array_of(node) for path, node in levels.items()}
    sizes = {path: _pixel_volume(array) for path, array in arrays.items()}
    known = None not in sizes.values()

    def rank(path: str) -> tuple[float, int, float]:
        name = PurePosixPath(path).name
        return (sizes[path] or 0.0) if known else 0.0, -arrays[path].size, int(name) if name.isdecimal() else math.inf

    return {path: levels[path] for path in sorted(levels, key=rank)}


def _pixel_volume(array: xr.DataArray) -> float | None:
    """Return what a pixel takes up of space and time; None where no coordinates say."""
    try:
        lattices = [lattice_of(array, dim) for dim in array.dims]
    except NgioValueError:  # uneven or unreadable coordinates: whoever needs them will complain
        return None
    spacings = [lattice.spacing * _in_base_unit(lattice.unit) for lattice in lattices if lattice is not None]
    # Compared as floats that went through files, the same size must be the same.
    return float(f"{math.prod(spacings):.6g}") if spacings else None


def _in_base_unit(unit: str | None) -> float:
    """Return how large a unit is; units that OME-NGFF does not name are taken to be the same on all levels."""
    for base in (DEFAULT_SPACE_UNIT, DEFAULT_TIME_UNIT):
        with suppress(NgioValueError):
            return conversion(unit, base)
    return 1.0


def home_of(path: str) -> tuple[str, str]:
    """Return the image that a level belongs to, and the name of the label image, or `IMAGE`.

    >>> home_of("/B/03/0/1"), home_of("/B/03/0/labels/nuclei/1")
    (('/B/03/0', ''), ('/B/03/0', 'nuclei'))
    """
    pyramid = PurePosixPath(path).parent
    if pyramid.parent.name == "labels":
        return str(pyramid.parent.parent), pyramid.name
    return str(pyramid), IMAGE


def pyramid_of(tree: xr.DataTree) -> Levels:
    """Return the levels of the one image that a tree holds, or of the one label image.

    Raises:
        NgioValueError: If it holds none, or several.
    """
    images = images_of(tree)
    if not images:
        raise NgioValueError(
            "the tree holds neither image nor label image: open one with open_ome_zarr, or put one at '/0/image'"
        )
    pyramids = next(iter(images.values()))
    if len(images) > 1:
        found, what = [next(iter(pyramids.values())) for pyramids in images.values()], "images"
    elif IMAGE in pyramids:
        return pyramids[IMAGE]
    else:
        found, what = list(pyramids.values()), "label images"
    if len(found) > 1:
        first = PurePosixPath(next(iter(found[0]))).parent
        raise NgioValueError(f"the tree holds {len(found)} {what}: pick one of them, such as tree['{first}']")
    return found[0]


def array_of(level: xr.DataTree) -> xr.DataArray:
    """Return the array of a level: `image`, or what it holds instead."""
    arrays = level.data_vars
    return arrays["image"] if "image" in arrays else next(iter(arrays.values()))


def image_of(image: Any, argument: str = "image") -> xr.DataArray:
    """Return the array that an image, a Dataset that holds one, or a tree stands for: of a tree, that of level 0.

    In a Dataset it is the variable `image`, or the only one, or the only one that is no labels.

    Raises:
        NgioTypeError: If `image` is not a DataArray, Dataset or DataTree.
        NgioValueError: If it holds several images or none.
    """
    if isinstance(image, xr.DataTree):
        return array_of(next(iter(pyramid_of(image).values())))
    if isinstance(image, xr.DataArray):
        return image
    if not isinstance(image, xr.Dataset):
        raise NgioTypeError(
            f"{argument} must be a DataArray, Dataset or DataTree, got {type(image).__name__}: label it with as_image"
        )
    arrays = image.data_vars
    if "image" in arrays:
        return arrays["image"]
    found = list(arrays.values())
    others = found if len(found) < 2 else [array for array in found if role_of(array) != LABELS]
    if len(others) != 1:
        raise NgioValueError(f"{argument} must hold one image, got a Dataset of {list(arrays)}: pick one by its name")
    return others[0]


def with_levels(tree: xr.DataTree, levels: Mapping[str, xr.Dataset]) -> xr.DataTree:
    """Return the tree with these levels by path; others are left out, and nodes above that are left without any.

    Coordinates that nodes above share with their levels are expected in the levels: there they can differ.
    """
    before = _above(path for path, node in tree.subtree_with_keys if is_level(node))
    after = {".", *_above(levels)}
    dims = {dim for level in levels.values() for array in level.data_vars.values() for dim in array.dims}
    nodes: dict[str, xr.Dataset] = {}
    for path, node in tree.subtree_with_keys:
        if path in levels:
            nodes[path] = levels[path]
        elif not is_level(node) and (path in after or path not in before):
            dataset = node.to_dataset(inherit=False)
            shared = [name for name, coordinate in dataset.coords.items() if not dims.isdisjoint(coordinate.dims)]
            nodes[path] = dataset.drop_vars(shared) if path in after else dataset
    return xr.DataTree.from_dict(nodes, name=tree.name)


def _above(paths: Iterable[str]) -> set[str]:
    return {str(parent) for path in paths for parent in PurePosixPath(path).parents}
