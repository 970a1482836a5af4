"""What one pass over a block of a label image tells of each of its objects: box, number and sum of positions.

Summaries are a commutative monoid: `merged` joins those of the parts of an image, in any order and any grouping, to
that of the whole, and `nothing` changes none. All of it is integers, so that chunking cannot change a digit.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]


class Summary(NamedTuple):
    """One column an id, ids rising; one row an axis. Positions are those of the array, boxes half-open."""

    ids: npt.NDArray[Any]
    """Shape (k,), of the array's dtype."""
    counts: Integers
    """Numbers of pixels, shape (k,)."""
    starts: Integers
    """Shape (d, k)."""
    stops: Integers
    """Shape (d, k)."""
    sums: Integers
    """Of the positions of all pixels along each axis, shape (d, k)."""


def nothing(ndim: int, dtype: npt.DTypeLike) -> Summary:
    """Return the summary of no pixels."""
    flat = np.zeros((ndim, 0), np.int64)
    return Summary(np.zeros(0, dtype), np.zeros(0, np.int64), flat, flat, flat)


def summarized(block: npt.ArrayLike, corner: Sequence[int], background: int | None) -> Summary:
    """Return the summary of a block whose first pixel stands at `corner`; the background is no object."""
    pixels = with_integers(np.asarray(block))
    parts = (_of_piece(pixels[box], box, background) for box in pieces(pixels))
    found = merged([nothing(pixels.ndim, pixels.dtype), *parts])
    place = np.asarray(corner, np.int64).reshape(-1, 1)
    return Summary(
        found.ids, found.counts, found.starts + place, found.stops + place, found.sums + place * found.counts
    )


def merged(summaries: Iterable[Summary]) -> Summary:
    """Return the summary of several parts of an image together; there is at least one."""
    parts = list(summaries)
    found = [part for part in parts if part.ids.size]
    if len(found) < 2:
        return found[0] if found else parts[0]
    ids = np.concatenate([part.ids for part in found])
    order, first = _grouped(ids)

    def joined(combine: np.ufunc, column: str) -> Integers:
        values = np.concatenate([getattr(part, column) for part in found], axis=-1)
        return combine.reduceat(values[..., order], first, axis=-1)

    return Summary(
        ids[order[first]],
        joined(np.add, "counts"),
        joined(np.minimum, "starts"),
        joined(np.maximum, "stops"),
        joined(np.add, "sums"),
    )


def with_integers(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return ids as integers of the machine's byte order; true counts as 1. What is so already is not copied."""
    if pixels.dtype == bool:
        return pixels.view(np.uint8)
    return pixels.astype(pixels.dtype.newbyteorder("="), copy=False)


def runs(flat: npt.NDArray[Any], row: int) -> tuple[Integers, npt.NDArray[Any]]:
    """Return the bounds of the runs of equal values in a flat array, shape (n + 1,), and their values, shape (n,).

    The array consists of rows of equal length, and a run ends where its row does.
    """
    begins = np.empty(flat.size + 1, bool)
    begins[-1] = True
    np.not_equal(flat[1:], flat[:-1], out=begins[1:-1])
    begins[:-1:row] = True
    bounds = np.flatnonzero(begins)
    return bounds, flat[bounds[:-1]]


_PIECE = (2**16, 2**19)
"""Fewest and most pixels that are looked at in one go: numpy's overhead, and the processor's cache."""


def pieces(pixels: npt.NDArray[Any]) -> Iterator[tuple[slice, ...]]:
    """Yield boxes that tile the block, so small that what is made of one is a small part of the block."""
    few, many = _PIECE
    left = min(max(pixels.nbytes // 16, few), many)
    steps: list[int] = []
    for size in reversed(pixels.shape):
        steps.insert(0, max(1, min(size, left)))
        left //= steps[0]
    along = [range(0, size, step) for size, step in zip(pixels.shape, steps, strict=True)]
    for start in itertools.product(*along):
        yield tuple(
            slice(low, min(low + step, size)) for low, step, size in zip(start, steps, pixels.shape, strict=True)
        )


def _of_piece(piece: npt.NDArray[Any], box: Sequence[slice], background: int | None) -> Summary:
    """Return the summary of one piece: runs along the last axis that has more than a pixel, put together by id."""
    if not piece.size:
        return nothing(piece.ndim, piece.dtype)
    last = max((axis for axis, size in enumerate(piece.shape) if size > 1), default=0)
    length = math.prod(piece.shape[last:])
    bounds, ids = runs(np.ascontiguousarray(piece).reshape(-1), length)
    kept = slice(None) if background is None else np.flatnonzero(ids != background)
    ids, begins, sizes = ids[kept], bounds[:-1][kept], np.diff(bounds)[kept]
    if not ids.size:
        return nothing(piece.ndim, piece.dtype)
    order, first = _grouped(ids)
    begins, sizes = begins[order], sizes[order]
    starts, stops, sums = np.zeros((3, piece.ndim, first.size), np.int64)
    counts = np.add.reduceat(sizes, first)
    rows = begins // length
    columns = begins - rows * length
    for axis in range(last, -1, -1):
        if axis < last:
            rows, columns = np.divmod(rows, piece.shape[axis])
        ahead = sizes if axis == last else 1
        starts[axis] = np.minimum.reduceat(columns, first)
        stops[axis] = np.maximum.reduceat(columns + ahead, first)
        sums[axis] = np.add.reduceat(sizes * (2 * columns + ahead - 1) // 2, first)
    stops[last + 1 :] = 1
    place = np.array([[part.start] for part in box], np.int64)
    return Summary(ids[order[first]], counts, starts + place, stops + place, sums + place * counts)


def _grouped(ids: npt.NDArray[Any]) -> tuple[Integers, Integers]:
    """Return the order that sorts ids, which are not none, and where each begins in it."""
    order = np.argsort(ids, kind="stable")
    ranked = ids[order]
    return order, np.flatnonzero(np.concatenate([[True], ranked[1:] != ranked[:-1]]))
