"""Questions about many regions at once: which overlap, which hold a point, what holds them all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ngio_x._frozen import named, shown, to_float
from ngio_x.errors import NgioTypeError, NgioValueError
from ngio_x.roi.columns import RoiColumns, columns_of, listed, to_rois
from ngio_x.roi.roi import Roi

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


def overlapping(rois: Iterable[Roi], others: Iterable[Roi] | None = None) -> Indices:
    """Return which regions overlap, as pairs of positions in the list: those whose `intersection` is not None.

    Intervals are half-open, so regions that merely touch do not overlap, nor does one without length; an axis that one
    of two lacks does not keep them apart. Labels do not matter. The regions are sorted into a grid and swept along one
    axis: unless sizes are very unequal, the time is that of sorting them, and of the pairs that are found.

    >>> rois = [Roi.from_values({"y": (0, 2), "x": (x, 3)}, None) for x in (0, 2, 5)]
    >>> overlapping(rois).tolist()
    [[0, 1]]

    Args:
        rois: Regions in one space.
        others: Regions to compare them with. By default they are compared with each other, each pair once.

    Returns:
        Shape (k, 2), sorted: positions in `rois`, and in `others`.

    Raises:
        NgioTypeError: If something else than a region is among them.
        NgioValueError: If the spaces differ.
    """
    ours = listed(rois)
    theirs = None if others is None else listed(others)
    boxes = _boxes(_in_one_space(columns_of([*ours, *(theirs or ())])))
    return _overlapping(boxes, None if theirs is None else len(ours))


def _overlapping(boxes: _Boxes, split: int | None) -> Indices:
    """Return the sorted pairs of boxes that overlap; with `split`, of one before and one from there on, counted so."""
    found = [np.zeros((0, 2), np.int64), *_pairs(boxes)]
    one, other = np.concatenate(found).T
    first, second = np.minimum(one, other), np.maximum(one, other)
    if split is not None:
        between = (first < split) & (second >= split)
        first, second = first[between], second[between] - split
    size = len(boxes.starts) + 1
    return np.stack(np.divmod(np.sort(first * size + second), size), axis=1)  # a pair sorts faster as one number


def containing(rois: Iterable[Roi], point: Mapping[str, float]) -> Indices:
    """Return which regions hold a point, as positions in the list.

    Intervals are half-open. An axis that the point or a region lacks is not looked at.

    >>> containing([Roi.from_values({"y": (0, 2), "x": (x, 3)}, None) for x in (0, 2, 5)], {"y": 1, "x": 2.5}).tolist()
    [0, 1]

    Args:
        rois: Regions in one space.
        point: Coordinates by axis, in the regions' space.

    Returns:
        Shape (k,), rising.

    Raises:
        NgioTypeError: If something else than a region is among them, or `point` is no mapping.
        NgioValueError: If the spaces differ, or a coordinate is no number.
    """
    if not isinstance(point, Mapping):
        raise NgioTypeError(f"point is a mapping from axis name to coordinate, got {shown(point)}")
    columns = _in_one_space(columns_of(rois))
    starts, stops, _ = _boxes(columns)
    inside = np.ones(len(starts), bool)
    for axis, value in point.items():
        place = named(f"the point's '{axis}'", to_float)(value)
        if axis in columns.axes:
            k = columns.axes.index(axis)
            inside &= (starts[:, k] <= place) & (place < stops[:, k])
    return np.flatnonzero(inside)


def hull(rois: Iterable[Roi], name: str | None = None) -> Roi:
    """Return the smallest region that holds all others, along each axis that one of them has.

    What is unbounded in one of them is unbounded. An axis that some lack spans those that have it, as in `Roi.union`.

    >>> hull(Roi.from_values({"y": (0, 2), "x": (x, 3)}, None) for x in (0, 2, 5))["x"].bounds
    (0.0, 8.0)

    Args:
        rois: Regions in one space, at least one.
        name: Of the new region.

    Raises:
        NgioTypeError: If something else than a region is among them.
        NgioValueError: If there is none, or the spaces differ.
    """
    regions = listed(rois)
    if not regions:
        raise NgioValueError("a hull needs at least one region, got none")
    columns = _in_one_space(columns_of(regions))
    first, last = np.nanargmin(columns.starts, axis=0), np.nanargmax(columns.stops, axis=0)
    axes = np.arange(len(columns.axes))
    starts, stops = columns.starts[first, axes], columns.stops[last, axes]
    # Where one region has both bounds, its own numbers are kept: end - start may be another one than its length.
    both = np.where(columns.stops[first, axes] == stops, columns.lengths[first, axes], stops - starts)
    lengths = np.where(np.isinf(starts), np.inf, both)
    box = RoiColumns(columns.axes, starts[np.newaxis], lengths[np.newaxis], [name], spaces=regions[0].space)
    return to_rois(box)[0]


def assign_tiles(rois: Iterable[Roi], tiles: Iterable[Roi]) -> Indices:
    """Return for each region the one tile that it belongs to: that which holds most of it, the first of several.

    So objects that lie in the overlap of two tiles are counted once.

    Args:
        rois: Regions, such as those of objects.
        tiles: Regions in the same space, such as those of `tile`.

    Returns:
        Shape (n,): positions in `tiles`, -1 for regions that overlap none.

    Raises:
        NgioTypeError: If something else than a region is among them.
        NgioValueError: If the spaces differ.
    """
    ours, theirs = listed(rois), listed(tiles)
    boxes = _boxes(_in_one_space(columns_of([*ours, *theirs])))
    starts, stops, _ = boxes
    pairs = _overlapping(boxes, len(ours))
    region, tile = pairs[:, 0], pairs[:, 1] + len(ours)
    with np.errstate(over="ignore", invalid="ignore"):
        shared = np.minimum(stops[region], stops[tile]) - np.maximum(starts[region], starts[tile])
        endless = np.isinf(shared).sum(axis=1)
        held = np.fmax(np.where(np.isinf(shared), 1.0, shared).prod(axis=1), 0.0)  # 0 · ∞ is nothing
    assigned = np.full(len(ours), -1)
    if not len(pairs):
        return assigned
    found, first = np.unique(region, return_index=True)
    counts = np.diff([*first, len(region)])
    held[endless < np.repeat(np.maximum.reduceat(endless, first), counts)] = -1.0  # less than what has no end
    most = np.repeat(np.maximum.reduceat(held, first), counts)
    best = held >= most * (1 - _EQUAL)  # halves are equal, whatever their last digits
    found, first = np.unique(region[best], return_index=True)
    assigned[found] = pairs[best][first, 1]
    return assigned


_EQUAL = 1e-9
"""Parts of a region that differ by less, relative to the larger, are equal."""


def _in_one_space(columns: RoiColumns) -> RoiColumns:
    if len(set(columns.spaces)) > 1:
        raise NgioValueError(
            "the regions are some in world units and some in pixels: convert them with to_world or to_pixel"
        )
    return columns


class _Boxes(NamedTuple):
    """Bounds, shape (n, d); an axis that a region lacks does not bound it."""

    starts: Floats
    stops: Floats
    lacking: npt.NDArray[np.bool_]


def _boxes(columns: RoiColumns) -> _Boxes:
    lacking = np.isnan(columns.starts)
    return _Boxes(np.where(lacking, -np.inf, columns.starts), np.where(lacking, np.inf, columns.stops), lacking)


_CANDIDATES = 2**21
"""So many pairs are compared in one go: bounds memory."""


def _pairs(boxes: _Boxes) -> Iterator[Indices]:
    """Yield pairs of boxes that overlap, each once, in no order.

    A grid along up to two axes brings together what lies close by; within a cell, boxes are swept along a third axis.
    """
    # What has no length along an axis that all have overlaps nothing.
    solid = np.flatnonzero(((boxes.starts < boxes.stops) | boxes.lacking.any(axis=0)).all(axis=1))
    starts, stops, lacking = (column[solid] for column in boxes)
    if len(starts) < 2:
        return
    quarters = starts / 4, stops / 4  # whose differences no float is too small for
    sweep, *gridded = _by_selectivity(*quarters)
    places, cells, corners = _cells(*quarters, gridded[:2])
    order = np.argsort(starts[:, sweep], kind="stable")
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    before = np.searchsorted(starts[order, sweep], stops[:, sweep])  # as many boxes start before this one ends
    key = cells * (len(order) + 1)
    sequence = np.argsort(key + rank[places])
    places, key, corners = places[sequence], key[sequence], corners[sequence]
    ends = np.searchsorted(key + rank[places], key + before[places])
    counts = np.maximum(ends - np.arange(1, len(places) + 1), 0)
    for low, high in _batches(counts):
        first = np.repeat(np.arange(low, high), counts[low:high])
        begins = np.cumsum(counts[low:high]) - counts[low:high]
        second = first + 1 + np.arange(len(first)) - np.repeat(begins, counts[low:high])
        # Two boxes may meet in several cells: they are paired in the one where their overlap begins.
        here = (np.minimum(corners[first], corners[second]) == 0).all(axis=1)
        one, other = places[first[here]], places[second[here]]
        meet = np.maximum(starts[one], starts[other]) < np.minimum(stops[one], stops[other])
        met = (meet | lacking[one] | lacking[other]).all(axis=1)
        yield solid[np.stack([one[met], other[met]], axis=1)]


def _by_selectivity(starts: Floats, stops: Floats) -> list[int]:
    """Return the axes, that first along which boxes are shortest beside the extent of all."""
    low, high = _extent(starts, stops)
    lengths = np.minimum(stops, high) - np.maximum(starts, low)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        part = np.where(high > low, lengths.mean(axis=0) / (high - low), 1.0)
    return [int(axis) for axis in np.argsort(part, kind="stable")]


def _extent(starts: Floats, stops: Floats) -> tuple[Floats, Floats]:
    """Return the lowest and the highest finite bound along each axis; 0 where there is none."""
    bounds = np.concatenate([starts, stops])
    some = np.isfinite(bounds)
    low, high = np.where(some, bounds, np.inf).min(axis=0), np.where(some, bounds, -np.inf).max(axis=0)
    return np.where(some.any(axis=0), low, 0.0), np.where(some.any(axis=0), high, 0.0)


def _cells(starts: Floats, stops: Floats, axes: list[int]) -> tuple[Indices, Indices, Indices]:
    """Return which box lies in which cell of a grid, and how many cells along each axis after the box's first one.

    Cells are as long as boxes are on average: so a box lies in two of them on average, be some as long as they may.
    """
    places, cells = np.arange(len(starts)), np.zeros(len(starts), np.int64)
    offsets = np.zeros((len(starts), len(axes)), np.int64)
    for k, axis in enumerate(axes):
        low, high = (bound[axis] for bound in _extent(starts, stops))
        begin, end = np.maximum(starts[:, axis], low), np.minimum(stops[:, axis], high)
        with np.errstate(over="ignore"):  # one cell, if the sum of lengths is beyond all floats
            size = max(float((end - begin).mean()), (high - low) / (len(starts) + 1))
        if not size > 0:
            continue
        first = ((begin - low) / size).astype(np.int64)
        last = np.maximum(((end - low) / size).astype(np.int64), first)
        spans = (last - first + 1)[places]
        cells = np.repeat(cells * (int(last.max()) + 1) + first[places], spans)
        steps = np.arange(len(cells)) - np.repeat(np.cumsum(spans) - spans, spans)
        offsets = np.repeat(offsets, spans, axis=0)
        places, cells, offsets[:, k] = np.repeat(places, spans), cells + steps, steps
    return places, cells, offsets


def _batches(counts: Indices) -> Iterator[tuple[int, int]]:
    """Yield ranges of rows with about as many candidates together as are compared in one go."""
    total = np.cumsum(counts)
    low = 0
    while low < len(counts):
        done = total[low - 1] if low else 0
        high = max(low + 1, int(np.searchsorted(total, done + _CANDIDATES, side="right")))
        yield low, high
        low = high
