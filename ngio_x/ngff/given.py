"""What a caller gives to be written: the levels of an image, and what its attributes say."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from ngio_x.arrays.image import LABELS, ROLE
from ngio_x.errors import NgioTypeError, NgioUserWarning, NgioValueError
from ngio_x.metadata.axes import CANONICAL_ORDER


class Given(NamedTuple):
    """What a caller gave to be written."""

    levels: tuple[xr.DataArray, ...]
    """Finest first; of an array that is no tree one, of which the others are to be made."""
    paths: tuple[str, ...] | None
    """Of a tree: what its levels are called on disk."""
    facts: Mapping[str, Any]
    """Attributes, as reading gives them."""


def given_image(image: Any) -> Given:
    """Return the levels of an image, and what its attributes say.

    Raises:
        NgioTypeError: If it is no DataArray of numbers, nor a tree of such.
        NgioValueError: If it cannot be an OME-NGFF image.
    """
    if isinstance(image, xr.DataTree):
        return _given_tree(image)
    _require_image(image)
    name = image.name if isinstance(image.name, str) else None
    return Given((_ordered(image),), None, {"name": name})


def _given_tree(tree: xr.DataTree) -> Given:
    nodes = sorted((int(name), node) for name, node in tree.children.items() if name.isdecimal() and node.data_vars)
    if not nodes:
        raise NgioValueError(
            "the tree has no levels '0', '1', … of an image: give one that has; "
            "of a well or a plate, write the images one at a time"
        )
    levels = []
    for number, node in nodes:
        arrays = list(node.data_vars.values())
        if len(arrays) != 1:
            raise NgioValueError(f"level {number} of the tree must hold one variable, got {list(node.data_vars)}")
        _require_image(arrays[0])
        levels.append(_ordered(arrays[0]))
    _require_one_image(levels)
    paths = tuple(str(node.attrs.get("path", name)) for name, node in nodes)
    if len(set(paths)) < len(paths):
        paths = tuple(map(str, range(len(paths))))
    facts = {str(key): value for key, value in tree.attrs.items()}
    if tree.name is not None and tree.is_root:  # a field of a well is called by its path there
        facts["name"] = tree.name
    kept = _falling(levels)
    return Given(kept, paths[: len(kept)], facts)


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
            warnings.warn(
                f"level {number} and those after it are left out: it has {coarser.shape} pixels where the one before "
                f"has {finer.shape}, and levels must go from fine to coarse",
                NgioUserWarning,
                stacklevel=4,
            )
            return tuple(levels[:number])
    return tuple(levels)


def given_labels(image: Any) -> dict[str, Given]:
    """Return the label images of a tree, by name."""
    if not isinstance(image, xr.DataTree) or "labels" not in image.children:
        return {}
    folder = image.children["labels"]
    found = {
        node.relative_to(folder): _given_tree(node)
        for node in folder.subtree
        if any(name.isdecimal() and child.data_vars for name, child in node.children.items())
    }
    return {
        name: given._replace(levels=tuple(as_label_image(level) for level in given.levels))
        for name, given in found.items()
    }


def require_image_axes(names: Sequence[str], *, labels: bool = False) -> None:
    """Raise unless OME-NGFF allows an image with these axes.

    Raises:
        NgioValueError: Naming the rule that is broken.
    """
    if unknown := [name for name in names if name not in CANONICAL_ORDER]:
        raise NgioValueError(f"OME-NGFF images have axes t, c, z, y, x, got '{unknown[0]}' in {tuple(names)}")
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


def _require_image(image: Any, argument: str = "image") -> None:
    if not isinstance(image, xr.DataArray):
        raise NgioTypeError(
            f"{argument} must be a DataArray or a DataTree, got {type(image).__name__}: label an array with as_image"
        )
    require_image_axes([str(dim) for dim in image.dims])
    require_numbers(image.dtype)
    if image.size == 0:
        raise NgioValueError(f"the image has no pixels: its sizes are {dict(image.sizes)}")


def as_label_image(labels: Any) -> xr.DataArray:
    """Return an array of ids with the role of labels.

    Raises:
        NgioTypeError: If it holds no integers.
        NgioValueError: If it cannot be an OME-NGFF label image.
    """
    _require_image(labels, "labels")
    if labels.dtype.kind not in "iu":
        raise NgioTypeError(f"labels must be integers, got {labels.dtype}: convert with .astype('uint32')")
    require_image_axes([str(dim) for dim in labels.dims], labels=True)
    with_role: xr.DataArray = labels.assign_attrs({ROLE: LABELS})
    return with_role


def _ordered(image: xr.DataArray) -> xr.DataArray:
    return image.transpose(*(axis for axis in CANONICAL_ORDER if axis in image.dims))
