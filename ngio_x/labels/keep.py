"""Objects that a coarser label image has lost: where each of them is put back, as one pixel."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeVar

import dask.array as da
import numpy as np
import numpy.typing as npt
import xarray as xr
from dask.array.core import slices_from_chunks
from dask.base import compute, optimize
from dask.delayed import delayed

from ngio_x.arrays.image import lattice_of
from ngio_x.arrays.roles import LABELS, with_role
from ngio_x.errors import NgioTypeError, NgioValueError
from ngio_x.labels.extents import LabelsLike, integer_pixels, summary_of
from ngio_x.labels.summary import Integers, Summary, pieces, runs, with_integers

Labels = TypeVar("Labels", npt.NDArray[Any], da.Array, xr.DataArray)
Pixels = npt.NDArray[Any] | da.Array


class Places(NamedTuple):
    """Where objects are put back."""

    ids: npt.NDArray[Any]
    """Shape (k,)."""
    positions: Integers
    """Positions in the coarser array, shape (k, d)."""


def keep_objects(coarse: Labels, labels: LabelsLike) -> Labels:
    """Return a coarser label image in which each object that it has lost is one pixel again.

    An object is put back at the pixel that holds the centres of most of its pixels, of several such at the first. If
    that one is taken, the next best is tried. Taken is what an object that was put back before stands in: larger ones
    come first, then lower ids; and the last pixel of any object. So an object stays lost only where every pixel that
    holds some of it is all that is left of another one.

    No id is invented, chunking does not change a pixel, and where nothing is lost, nothing changes. What lies along `t`
    are images of their own: an object is kept at each time that it is seen at. Of arrays that are not in memory objects
    are looked up now, block by block; pixels are changed when they are asked for.

    >>> labels = np.array([[0, 0, 5, 5], [0, 7, 5, 5]])
    >>> keep_objects(labels[::2, ::2], labels)
    array([[7, 5]])

    Args:
        coarse: Integer (or boolean) array, such as `zoom` makes of `labels`: numpy, dask, or labelled.
        labels: What it was made of: numpy, dask, zarr, or labelled, with the same axes and the same extent. 0 is
            background.

    Returns:
        A new array of the kind of `coarse`.

    Raises:
        NgioTypeError: If one of them does not hold integers, or they are not of one dtype.
        NgioValueError: If axes or extents differ, or an array has no pixels.
    """
    if isinstance(coarse, xr.DataArray) and isinstance(labels, xr.DataArray):
        _require_same_place(coarse, labels)
        labels = labels.transpose(*coarse.dims)
    time = coarse.dims.index("t") if isinstance(coarse, xr.DataArray) and "t" in coarse.dims else None
    target, source = integer_pixels(coarse, argument="coarse")[0], integer_pixels(labels)[0]
    _require_fit(target, source)
    places = lost_places(target, source, time)
    if isinstance(target, da.Array):
        paint = partial(_with_objects, places=places)
        kept: Any = da.map_blocks(paint, target, dtype=target.dtype, meta=target._meta)  # noqa: SLF001 — as its blocks
    else:
        kept = with_places(target, (0,) * target.ndim, places)
    return with_role(coarse.copy(data=kept), LABELS) if isinstance(coarse, xr.DataArray) else kept  # type: ignore[no-any-return]


def _require_same_place(coarse: xr.DataArray, labels: xr.DataArray) -> None:
    if set(coarse.dims) != set(labels.dims):
        raise NgioValueError(f"coarse and labels must have the same axes, got {coarse.dims} and {labels.dims}")
    for dim in coarse.dims:
        ours, theirs = lattice_of(coarse, dim), lattice_of(labels, dim)
        if ours is None or theirs is None:
            continue
        if ours.unit is not None and theirs.unit is not None and ours.unit != theirs.unit:
            raise NgioValueError(
                f"axis '{dim}': the units differ: {ours.unit!r} and {theirs.unit!r}; convert one of them"
            )
        if any(abs(a - b) >= ours.spacing for a, b in zip(ours.extent, theirs.extent, strict=True)):
            raise NgioValueError(
                f"axis '{dim}': coarse and labels must have the same extent, got {ours.extent} and "
                f"{theirs.extent}: crop them"
            )


def _require_fit(coarse: Pixels, labels: Pixels) -> None:
    if coarse.ndim != labels.ndim:
        raise NgioValueError(
            f"coarse and labels must have the same axes, got shape {coarse.shape} and shape {labels.shape}"
        )
    if 0 in coarse.shape or 0 in labels.shape:
        raise NgioValueError(f"coarse and labels must have pixels, got shape {coarse.shape} and shape {labels.shape}")
    if coarse.dtype.newbyteorder("=") != labels.dtype.newbyteorder("="):
        raise NgioTypeError(
            f"coarse and labels must have one dtype, got {coarse.dtype} and {labels.dtype}: convert one"
        )


def with_places(block: npt.NDArray[Any], corner: Sequence[int], places: Places) -> npt.NDArray[Any]:
    """Return a copy of a block that begins at `corner`, with the objects put back that belong into it."""
    changed = np.array(block)
    at = places.positions - np.asarray(corner)
    inside = ((at >= 0) & (at < block.shape)).all(axis=1)
    changed[tuple(at[inside].T)] = places.ids[inside]
    return changed


def _with_objects(block: npt.NDArray[Any], places: Places, block_info: Any = None) -> npt.NDArray[Any]:
    return with_places(block, [low for low, _ in block_info[0]["array-location"]], places)


def lost_places(coarse: Pixels, labels: Pixels, time: int | None = None, *, known: Summary | None = None) -> Places:
    """Return where to put back the objects of `labels` that `coarse` has lost.

    Args:
        coarse: The coarser pixels.
        labels: The finer ones.
        time: The axis along which each position is an image of its own, if it has as many in both.
        known: The summary of `labels`, if it is known and `time` is not given.
    """
    if time is not None and coarse.shape[time] == labels.shape[time]:
        found = []
        for index in range(coarse.shape[time]):
            at = (slice(None),) * time + (index,)
            ids, positions = _lost_places(coarse[at], labels[at], summary_of(labels[at], 0))
            found.append(Places(ids, np.insert(positions, time, index, axis=1)))
        return Places(*(np.concatenate(column) for column in zip(*found, strict=True)))
    return _lost_places(coarse, labels, summary_of(labels, 0) if known is None else known)


def _lost_places(coarse: Pixels, labels: Pixels, fine: Summary) -> Places:
    seen = summary_of(coarse, 0)
    lost = np.flatnonzero(~np.isin(fine.ids, seen.ids))
    missing = Summary(fine.ids[lost], fine.counts[lost], *(column[:, lost] for column in fine[2:]))
    shares = _shares_of(labels, missing, coarse.shape)
    unique, inverse = np.unique(shares.places, return_inverse=True)
    positions = np.stack(np.unravel_index(unique, coarse.shape), axis=1)
    shown = _taken(coarse, positions)[inverse]
    chosen = _chosen(shares, missing.counts, shown, seen)
    objects = np.array(sorted(chosen), np.intp)
    places = np.array([chosen[one] for one in objects.tolist()], np.int64)
    return Places(missing.ids[objects], positions[np.searchsorted(unique, places)])


def _taken(pixels: Pixels, positions: Integers) -> npt.NDArray[Any]:
    """Return the pixels at some positions."""
    if not len(positions):
        return np.empty(0, pixels.dtype)
    at = tuple(positions.T)
    return pixels.vindex[at].compute() if isinstance(pixels, da.Array) else pixels[at]  # type: ignore[no-any-return]


def _chosen(shares: _Shares, sizes: Integers, shown: npt.NDArray[Any], seen: Summary) -> dict[int, int]:
    """Return the place of each object that can be put back.

    Args:
        shares: The places that hold some of each object.
        sizes: Numbers of pixels of the objects.
        shown: The id that each of the shares' places shows.
        seen: The objects that the coarser image has.
    """
    order = np.lexsort((shares.places, -shares.counts, shares.objects, -sizes[shares.objects]))
    hosts = np.where(shown[order] == 0, -1, np.searchsorted(seen.ids, shown[order]))
    left = dict(enumerate(seen.counts.tolist()))
    chosen: dict[int, int] = {}
    taken: set[int] = set()
    for one, place, host in zip(
        shares.objects[order].tolist(), shares.places[order].tolist(), hosts.tolist(), strict=True
    ):
        if one not in chosen and place not in taken and (host < 0 or left[host] > 1):
            chosen[one] = place
            taken.add(place)
            if host >= 0:
                left[host] -= 1
    return chosen


# ---- How much of each object a coarser pixel holds


class _Shares(NamedTuple):
    """One row for each coarser pixel and object of which it holds some; rows are sorted by object, then by place."""

    objects: Integers
    """Which of the lost ones."""
    places: Integers
    """Position in the flattened coarser array."""
    counts: Integers
    """How many pixels of the object have their centre in it."""


def _shares_of(labels: Pixels, lost: Summary, shape: Sequence[int]) -> _Shares:
    """Return the shares of lost objects; of a dask array, only blocks that their boxes touch are computed."""
    if not lost.ids.size:
        return _summed([])
    count = partial(_shares_in, whole=labels.shape, shape=tuple(shape))
    if not isinstance(labels, da.Array):
        return _summed(
            count(labels[box], [part.start for part in box], lost.ids) for box in pieces(labels) if _touches(lost, box)
        )
    (blocks,) = optimize(labels)
    task, ids = delayed(count, pure=False), delayed(lost.ids, traverse=False)  # one node that all tasks refer to
    boxes = zip(blocks.to_delayed().ravel(), slices_from_chunks(blocks.chunks), strict=True)
    return _summed(
        compute(*(task(block, [part.start for part in box], ids) for block, box in boxes if _touches(lost, box)))
    )


def _touches(lost: Summary, box: Sequence[slice]) -> bool:
    """Whether a box holds something of the box of some object."""
    touched = np.ones(lost.ids.size, bool)
    for part, starts, stops in zip(box, lost.starts, lost.stops, strict=True):
        touched &= (starts < part.stop) & (stops > part.start)
    return bool(touched.any())


def _shares_in(
    block: npt.NDArray[Any], corner: Sequence[int], lost: npt.NDArray[Any], whole: Sequence[int], shape: Sequence[int]
) -> _Shares:
    """Return the shares of lost ids, which rise, in a block of an array of shape `whole`, in one of shape `shape`.

    Runs of equal ids along the last axis are cut where a coarser pixel ends: centres from `_edge(p)` on are in pixel p.
    """
    pixels = with_integers(np.asarray(block))
    bounds, ids = runs(np.ascontiguousarray(pixels).reshape(-1), pixels.shape[-1])
    objects = np.searchsorted(lost, ids).clip(max=lost.size - 1)
    hit = np.flatnonzero(lost[objects] == ids)
    objects, sizes = objects[hit], np.diff(bounds)[hit]
    *rows, starts = (at + low for at, low in zip(np.unravel_index(bounds[hit], pixels.shape), corner, strict=True))
    stops, n, m = starts + sizes, whole[-1], shape[-1]
    first, last = _holder(starts, n, m), _holder(stops - 1, n, m)
    count = last - first + 1
    run = np.repeat(np.arange(hit.size), count)
    column = np.arange(run.size) - np.repeat(np.cumsum(count) - count - first, count)
    held = np.minimum(stops[run], _edge(column + 1, n, m)) - np.maximum(starts[run], _edge(column, n, m))
    row = np.zeros(hit.size, np.int64)
    for at, before, after in zip(rows, whole, shape, strict=False):
        row = row * after + _holder(at, before, after)
    found = held > 0  # where an axis has more coarser pixels, some hold no centre
    return _summed([_Shares(objects[run[found]], row[run[found]] * m + column[found], held[found])])


def _holder(position: Integers, n: int, m: int) -> Integers:
    """Return which of `m` pixels over the extent of `n` hold the centres of some of those."""
    return (2 * position + 1) * m // (2 * n)


def _edge(holder: Integers, n: int, m: int) -> Integers:
    """Return the first of `n` pixels whose centre is in one of `m` pixels over their extent, or in a later one."""
    return -((m - 2 * n * holder) // (2 * m))


def _summed(parts: Iterable[_Shares]) -> _Shares:
    """Return the shares of several parts of an image together."""
    none = np.zeros(0, np.int64)
    objects, places, counts = (np.concatenate(column) for column in zip(_Shares(none, none, none), *parts, strict=True))
    if not objects.size:
        return _Shares(objects, places, counts)
    order = np.lexsort((places, objects))
    objects, places = objects[order], places[order]
    first = np.flatnonzero(np.append(True, (objects[1:] != objects[:-1]) | (places[1:] != places[:-1])))
    return _Shares(objects[first], places[first], np.add.reduceat(counts[order], first))
