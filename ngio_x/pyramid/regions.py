"""What a caller says has changed, as boxes of pixels."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from ngio_x._frozen import shown
from ngio_x.errors import NgioEmptyRegionError, NgioTypeError, NgioValueError
from ngio_x.pyramid.boxes import Box, Span
from ngio_x.roi.roi import Roi
from ngio_x.roi.rounding import pixel_window

Selection: TypeAlias = slice | int | Sequence[int]
"""What to take along an axis, in numpy's terms; of a list of positions, all from the first to the last."""
RegionLike: TypeAlias = tuple[Selection, ...] | Mapping[int, Selection] | Mapping[str, Selection] | Roi
"""A slicing tuple, slices by position or name of an axis, or a region in pixels."""


def boxes_from(regions: Iterable[RegionLike], shape: Sequence[int], names: Sequence[str | None] | None) -> list[Box]:
    """Return the boxes of pixels of an array that regions hold; those that are empty are left out.

    Args:
        regions: See `RegionLike`. Axes that a region does not speak of are taken as a whole.
        shape: Of the array.
        names: Of its axes, where they are known.

    Raises:
        NgioValueError: If a region reaches beyond the array, has a step, or names an axis that is not there.
        NgioTypeError: If something is not a region.
    """
    if isinstance(regions, (str, bytes, Mapping, Roi)) or not np.iterable(regions):
        raise NgioTypeError(f"regions must be a list of regions, got {shown(regions)}: put it into a list")
    boxes = []
    for number, region in enumerate(regions):
        try:
            box = _box(region, shape, names)
        except (NgioValueError, NgioTypeError) as error:
            if isinstance(error, NgioEmptyRegionError):
                error.add_note(f"It is region {number}.")
                raise
            raise type(error)(f"region {number}: {error}") from None
        if all(low < high for low, high in box):
            boxes.append(box)
    return boxes


def _box(region: RegionLike, shape: Sequence[int], names: Sequence[str | None] | None) -> Box:
    if isinstance(region, Roi):
        return _of_roi(region, shape, names)
    if isinstance(region, Mapping):
        chosen = {_position(key, len(shape), names): selection for key, selection in region.items()}
        if len(chosen) < len(region):
            raise NgioValueError(f"an axis is given twice: {list(region)}")
    elif isinstance(region, (tuple, list)):
        chosen = dict(enumerate(_spelled_out(region, len(shape))))
    else:
        raise NgioTypeError(f"must be a tuple of slices, a mapping by axis, or a Roi, got {shown(region)}")
    return tuple(
        _span(chosen.get(axis, slice(None)), size, (names[axis] if names else None) or axis)
        for axis, size in enumerate(shape)
    )


def _spelled_out(region: Sequence[Any], ndim: int) -> list[Any]:
    """Return a selection for each axis: an ellipsis stands for as many as are missing."""
    items = list(region)
    if sum(item is Ellipsis for item in items) == 1:
        at = next(k for k, item in enumerate(items) if item is Ellipsis)
        items[at : at + 1] = [slice(None)] * (ndim - len(items) + 1)
    if len(items) > ndim:
        raise NgioValueError(f"has {len(items)} selections, and the source {ndim} axes: {shown(region)}")
    return items


def _position(key: Any, ndim: int, names: Sequence[str | None] | None) -> int:
    if isinstance(key, str):
        known = () if names is None else tuple(names)
        if key not in known and not _all_named(names):
            raise NgioValueError(
                f"names axis {key!r}, but the source does not name its axes: pass axes=, or give positions"
            )
        if known.count(key) != 1:
            raise NgioValueError(f"names axis {key!r}, but the axes are {known}")
        return known.index(key)
    position = _index(key, "a position of an axis")
    if not -ndim <= position < ndim:
        raise NgioValueError(f"speaks of axis {position}, but there are {ndim}")
    return position % ndim


def _all_named(names: Sequence[str | None] | None) -> bool:
    """Whether a name that is not among these names no axis; zarr lets some axes be without one."""
    return names is not None and None not in names


def _span(selection: Any, size: int, axis: int | str) -> Span:
    """Return what a selection along an axis holds; nothing is clipped, because what lies outside was not meant."""
    if isinstance(selection, slice):
        if selection.step is not None and _index(selection.step, f"axis {axis!r}: a step") != 1:
            raise NgioValueError(f"axis {axis!r}: {selection} has a step: give the whole slice")
        low, high = (
            default if bound is None else _counted(bound, size, axis)
            for bound, default in ((selection.start, 0), (selection.stop, size))
        )
        if not (0 <= low <= size and 0 <= high <= size):
            raise _beyond(selection, size, axis)
        return low, max(low, high)
    positions = [_counted(item, size, axis) for item in np.atleast_1d(np.asarray(selection, dtype=object)).tolist()]
    if not positions:
        return 0, 0
    if not (min(positions) >= 0 and max(positions) < size):
        raise _beyond(selection, size, axis)
    return min(positions), max(positions) + 1


def _counted(value: Any, size: int, axis: int | str) -> int:
    """Return a position counted from the start: negative ones count from the end."""
    position = _index(value, f"axis {axis!r}: a position, or a bound of a slice,")
    return position + size if position < 0 else position


def _index(value: Any, what: str) -> int:
    if isinstance(value, (bool, np.bool_)):
        raise NgioTypeError(f"{what} must be an integer, got {value!r}")
    try:
        return operator.index(value)
    except TypeError:
        raise NgioTypeError(f"{what} must be an integer, got {shown(value)}") from None


def _beyond(selection: Any, size: int, axis: int | str) -> NgioValueError:
    return NgioValueError(f"axis {axis!r}: {shown(selection)} reaches beyond the {size} pixels of the source")


def _of_roi(roi: Roi, shape: Sequence[int], names: Sequence[str | None] | None) -> Box:
    """Return every pixel that a region touches. What it holds outside of the array does not exist, and is ignored."""
    if roi.space != "pixel":
        raise NgioValueError(f"{roi.get_name()} is in world units: convert it with Roi.to_pixel(pixel_size)")
    box = [(0, size) for size in shape]
    for interval in roi.slices:
        start, stop = interval.bounds
        missing = names is not None and _all_named(names) and interval.axis_name not in names
        at = None if missing else _position(interval.axis_name, len(shape), names)
        size = 1 if at is None else shape[at]  # an axis that the array lacks counts as one pixel
        found = pixel_window(start, stop, size)
        if found is None and not (start is not None and start == stop):
            raise NgioEmptyRegionError(interval.axis_name, interval.bounds, (0.0, float(size)), "pixel")
        span = (0, 0) if found is None else (found.start, found.stop)
        if at is not None:
            box[at] = span
        elif found is None:
            box[0] = span
    return tuple(box)
