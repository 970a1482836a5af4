"""Questions about many regions at once: which overlap, which hold a point, what holds them all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
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
    of two lacks does not keep them apart. Labels do not matter. The regions are sorted into grids and swept along one
    axis: the time is that of sorting them, and of the pairs that are found; how far apart regions lie and how unequal
    their lengths are matters little.

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
    theirs = None if others is None else listed(others, "others")
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
        NgioValueError: If the spaces differ, or a coordinate is not a number.
    """
    if not isinstance(point, Mapping):
        raise NgioTypeError(f"point must be a mapping from axis name to coordinate, got {shown(point)}")
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
        raise NgioValueError("rois must hold at least one region, got none")
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
    ours, theirs = listed(rois), listed(tiles, "tiles")
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
_STEP = 8
"""Cells of one grid are so many times as long as those of the next finer one."""


def _pairs(boxes: _Boxes) -> Iterator[Indices]:
    """Yield pairs of boxes that overlap, each once, in no order.

    Where boxes begin and end is not measured, but counted in boxes that begin before. So neither numbers beyond all
    floats nor places far from all others matter. Grids along up to two axes bring together what lies close by, one for
    each class of lengths; within a cell, boxes are swept along a third axis.
    """
    # What has no length along an axis that all have overlaps nothing.
    solid = np.flatnonzero(((boxes.starts < boxes.stops) | boxes.lacking.any(axis=0)).all(axis=1))
    starts, stops, lacking = boxes.starts[solid], boxes.stops[solid], boxes.lacking[solid]
    if len(starts) < 2:
        return
    begins, ends = _ranks(starts, stops)
    spans = np.maximum(ends - begins, 1)
    sweep, *gridded = np.argsort(spans.mean(axis=0), kind="stable")[:3]  # the shorter boxes are, the fewer meet
    classes, sizes = _classes(spans[:, gridded])
    for k, one in enumerate(classes):
        for other in classes[: k + 1]:
            size = np.maximum(sizes[one[0]], sizes[other[0]])
            filled = [_cells(begins, ends, gridded, sweep, size, members) for members in (one, other)]
            for ours, theirs in [filled, filled[::-1]][: 1 if one is other else 2]:
                for first, second in _swept(ours, theirs):
                    meet = np.maximum(starts[first], starts[second]) < np.minimum(stops[first], stops[second])
                    met = (meet | lacking[first] | lacking[second]).all(axis=1)
                    yield solid[np.stack([first[met], second[met]], axis=1)]


def _ranks(starts: Floats, stops: Floats) -> tuple[Indices, Indices]:
    """Return how many boxes begin before each does, those with the same start in their order, and before each ends."""
    begins, ends = np.empty(starts.shape, np.int64), np.empty(starts.shape, np.int64)
    for axis, (low, high) in enumerate(zip(starts.T, stops.T, strict=True)):
        order = np.argsort(low, kind="stable")
        begins[order, axis] = np.arange(len(order))
        ends[:, axis] = np.searchsorted(low[order], high)
    return begins, ends


def _classes(spans: Indices) -> tuple[list[Indices], Indices]:
    """Return which boxes have about the same lengths, and the lengths of cells of which each lies in three at most.

    Short boxes, up to three times as long as the shortest twentieth, are one class: cells need not be shorter.
    """
    shortest = np.partition(spans, len(spans) // 20, axis=0)[len(spans) // 20]
    sizes = np.maximum(shortest * 3 // 2, _STEP)[np.newaxis].repeat(len(spans), axis=0)
    while (small := 2 * sizes < spans).any():
        sizes[small] *= _STEP
    _, which = np.unique(sizes, axis=0, return_inverse=True)
    which = which.reshape(-1)  # numpy 2.0.0 keeps the axis
    order = np.argsort(which, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(which[order])) + 1), sizes


class _Cells(NamedTuple):
    """Boxes in the cells of a grid, sorted by cell, then by where they begin along the axis of the sweep."""

    boxes: Indices
    keys: Indices
    """The cell and the beginning, as one number."""
    stops: Indices
    """The cell and the end, as such a number."""
    offsets: Indices
    """Shape (n, g): how many cells after the first one of the box along each axis."""


def _cells(begins: Indices, ends: Indices, axes: Sequence[int], sweep: int, size: Indices, members: Indices) -> _Cells:
    boxes, cells = members, np.zeros(len(members), np.int64)
    offsets = np.zeros((len(members), len(axes)), np.int64)
    for k, axis in enumerate(axes):
        first = begins[boxes, axis] // size[k]
        last = (np.maximum(ends[boxes, axis], begins[boxes, axis] + 1) - 1) // size[k]
        spans = last - first + 1
        cells = np.repeat(cells * (len(begins) // size[k] + 1) + first, spans)
        steps = np.arange(len(cells)) - np.repeat(np.cumsum(spans) - spans, spans)
        boxes, offsets = np.repeat(boxes, spans), np.repeat(offsets, spans, axis=0)
        offsets[:, k] = steps
        cells += steps
    cells *= len(begins) + 1
    keys = cells + begins[boxes, sweep]
    order = np.argsort(keys, kind="stable")
    boxes, cells = boxes[order], cells[order]
    return _Cells(boxes, keys[order], cells + ends[boxes, sweep], offsets[order])


def _swept(ours: _Cells, theirs: _Cells) -> Iterator[tuple[Indices, Indices]]:
    """Yield ours and theirs that begin in a cell before ours end there, and not before ours do."""
    begin = np.searchsorted(theirs.keys, ours.keys, side="right")
    counts = np.maximum(np.searchsorted(theirs.keys, ours.stops) - begin, 0)
    for low, high in _batches(counts):
        one = np.repeat(np.arange(low, high), counts[low:high])
        before = np.cumsum(counts[low:high]) - counts[low:high]
        other = np.arange(len(one)) + np.repeat(begin[low:high] - before, counts[low:high])
        # Two boxes may meet in several cells: they are paired in the one where their overlap begins.
        here = (np.minimum(ours.offsets[one], theirs.offsets[other]) == 0).all(axis=1)
        yield ours.boxes[one[here]], theirs.boxes[other[here]]


def _batches(counts: Indices) -> Iterator[tuple[int, int]]:
    """Yield ranges of rows with about as many candidates together as are compared in one go."""
    total = np.cumsum(counts)
    low = 0
    while low < len(counts):
        done = total[low - 1] if low else 0
        high = max(low + 1, int(np.searchsorted(total, done + _CANDIDATES, side="right")))
        yield low, high
        low = high
