"""What a caller gives to be written: the levels of an image, and what its attributes say."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from ngio_x.arrays.image import require_image
from ngio_x.arrays.lazy import require_plain
from ngio_x.arrays.roles import IMAGE, LABELS, by_place, require_labels, role_of, settled, with_role
from ngio_x.arrays.tree import array_of, finest_first, image_of, is_level
from ngio_x.errors import NgioTypeError, NgioValueError, warn
from ngio_x.metadata.axes import CANONICAL_ORDER


class Given(NamedTuple):
    """What a caller gave to be written."""

    levels: tuple[xr.DataArray, ...]
    """Finest first; of an array that is no tree one, of which the others are to be made."""
    paths: tuple[str, ...] | None
    """Of a tree: what its levels are called on disk."""
    facts: Mapping[str, Any]
    """Attributes, as reading gives them."""
    axes: tuple[str, ...]
    """In the order of the array that was given; the levels have that of the format."""


def given_image(image: Any, *, asks: bool = True) -> Given:
    """Return the levels of an image, and what its attributes say.

    Args:
        image: A DataArray, a Dataset that holds one image, or a tree of levels.
        asks: Whether integers that do not say that they are an image are warned of.

    Raises:
        NgioTypeError: If it is none of these, or does not hold numbers.
        NgioValueError: If it cannot be an OME-NGFF image.
    """
    image = _held(image)
    if isinstance(image, xr.DataTree):
        given = _given_tree(image)
    else:
        array = image_of(image)
        _require_writable(array)
        if isinstance(image, xr.Dataset):
            _require_all_written(image, array)
        name = array.name if isinstance(array.name, str) and isinstance(image, xr.DataArray) else None
        given = given_array(array, {"name": name})
    finest = given.levels[0]
    role = role_of(settled(finest) if asks else finest) or IMAGE
    return given._replace(levels=tuple(with_role(level, role) for level in given.levels))


def _held(image: Any) -> Any:
    """Return what a level of a tree holds, where it is given by itself."""
    return image.to_dataset() if isinstance(image, xr.DataTree) and is_level(image) else image


def _require_all_written(dataset: xr.Dataset, image: xr.DataArray) -> None:
    """Refuse a Dataset that holds more than an image and its labels: the rest would be lost."""
    others = [name for name, array in dataset.data_vars.items() if name != image.name and role_of(array) != LABELS]
    if others:
        raise NgioValueError(
            f"image must be a Dataset of one image and its labels, but {others[0]!r} beside {image.name!r} does not "
            "say that it is labels: make it labels with as_labels, or write it by itself"
        )


def given_array(array: xr.DataArray, facts: Mapping[str, Any] | None = None) -> Given:
    """Return the one level that an array is."""
    return Given((_ordered(array),), None, facts or {}, tuple(str(dim) for dim in array.dims))


def _given_tree(tree: xr.DataTree) -> Given:
    nodes = finest_first({name: node for name, node in tree.children.items() if is_level(node)})
    if not nodes:
        raise NgioValueError(
            "the tree has no levels '0', '1', … of an image: give one that has; "
            "of a well or a plate, write the images one at a time"
        )
    levels = []
    for name, node in nodes.items():
        if len(node.data_vars) != 1:
            raise NgioValueError(f"level {name!r} of the tree must hold one variable, got {list(node.data_vars)}")
        array = array_of(node)
        _require_writable(array)
        levels.append(_ordered(array))
    _require_one_image(levels)
    paths = tuple(str(node.attrs.get("path", name)) for name, node in nodes.items())
    if len(set(paths)) < len(paths):
        paths = tuple(map(str, range(len(paths))))
    facts = {str(key): value for key, value in tree.attrs.items()}
    if tree.name is not None and tree.is_root:  # a field of a well is called by its path there
        facts["name"] = tree.name
    kept = _falling(levels)
    axes = tuple(str(dim) for dim in array_of(next(iter(nodes.values()))).dims)
    return Given(kept, paths[: len(kept)], facts, axes)


def _require_one_image(levels: Sequence[xr.DataArray]) -> None:
    for number, (finer, coarser) in enumerate(itertools.pairwise(levels), 1):
        if finer.dims != coarser.dims or finer.dtype != coarser.dtype:
            raise NgioValueError(
                f"levels {number - 1} and {number} must have one dtype and the same axes, got {finer.dtype} "
                f"{finer.dims} and {coarser.dtype} {coarser.dims}"
            )
        if any(m > n + 1 for n, m in zip(finer.shape, coarser.shape, strict=True)):
            raise NgioValueError(f"level {number} is larger than the one before: {coarser.shape} after {finer.shape}")


def _falling(levels: Sequence[xr.DataArray]) -> tuple[xr.DataArray, ...]:
    """Return the levels down to the first that has a pixel more than the one before.

    So it is where a region of a pixel or two touches one of the finer level, and two of the coarser one.
    """
    for number, (finer, coarser) in enumerate(itertools.pairwise(levels), 1):
        if any(m > n for n, m in zip(finer.shape, coarser.shape, strict=True)):
            warn(
                f"level {number} and those after it are left out: it has {coarser.shape} pixels where the one before "
                f"has {finer.shape}, and levels must go from fine to coarse"
            )
            return tuple(levels[:number])
    return tuple(levels)


def given_labels(image: Any) -> dict[str, Given]:
    """Return the label images of a tree or a Dataset, by name."""
    image = _held(image)
    if isinstance(image, xr.Dataset):
        arrays = {str(name): array for name, array in image.data_vars.items() if role_of(array) == LABELS}
        own = image_of(image).name
        return {name: given_array(as_label_image(array)) for name, array in arrays.items() if array.name != own}
    if not isinstance(image, xr.DataTree) or "labels" not in image.children:
        return {}
    folder = image.children["labels"]
    found = {
        node.relative_to(folder): _given_tree(node)
        for node in folder.subtree
        if any(is_level(child) for child in node.children.values())
    }
    return {
        name: given._replace(levels=tuple(as_label_image(by_place(level)) for level in given.levels))
        for name, given in found.items()
    }


def require_image_axes(names: Sequence[str], *, labels: bool = False) -> None:
    """Raise unless OME-NGFF allows an image with these axes.

    Raises:
        NgioValueError: Naming the rule that is broken.
    """
    if unknown := [name for name in names if name not in CANONICAL_ORDER]:
        raise NgioValueError(
            f"OME-NGFF images have axes t, c, z, y, x, got '{unknown[0]}' in {tuple(names)}: rename it to one that is "
            f"free, such as image.rename({{'{unknown[0]}': 't'}})"
        )
    if not {"y", "x"} <= set(names):
        raise NgioValueError(f"OME-NGFF images have y and x axes (2 or 3 space axes are a MUST), got {tuple(names)}")
    if labels and "c" in names:
        raise NgioValueError("label images have no channel axis: select one channel")


def require_numbers(dtype: np.dtype[Any]) -> None:
    """Raise unless OME-NGFF allows pixels of a data type.

    Raises:
        NgioTypeError: Naming the data type.
    """
    if dtype.kind not in "iufb":
        raise NgioTypeError(f"OME-NGFF images hold numbers, got {dtype}")


def _require_writable(image: xr.DataArray) -> None:
    require_plain(image)
    require_image_axes([str(dim) for dim in image.dims])
    require_numbers(image.dtype)
    if image.size == 0:
        raise NgioValueError(f"the image has no pixels: its sizes are {dict(image.sizes)}")


def as_label_image(labels: Any) -> xr.DataArray:
    """Return an array of ids, or a mask, as a label image.

    Raises:
        NgioTypeError: If it holds neither integers nor booleans, or says that it is an image.
        NgioValueError: If it cannot be an OME-NGFF label image.
    """
    require_image(labels, "labels")
    require_labels(labels)
    _require_writable(labels)
    require_image_axes([str(dim) for dim in labels.dims], labels=True)
    return with_role(labels.astype(np.uint8) if labels.dtype.kind == "b" else labels, LABELS)


def _ordered(image: xr.DataArray) -> xr.DataArray:
    return image.transpose(*(axis for axis in CANONICAL_ORDER if axis in image.dims))
