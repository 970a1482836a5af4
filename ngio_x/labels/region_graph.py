"""The dask graph of `map_rois`: one task a region, and what their results are put together to."""

from __future__ import annotations

import pickle
import uuid
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, product
from typing import Any, Final, TypeAlias

import attrs
import dask.array as da
import numpy as np
import numpy.typing as npt
from dask.base import tokenize
from dask.highlevelgraph import HighLevelGraph

from ngio_x.labels.region_task import Job, Place, assembled, chosen, image_of, objects_of, row_of, stacked
from ngio_x.resample.evaluate import Window, gathered, within

Pixels: TypeAlias = npt.NDArray[Any] | da.Array

_ROWS: Final = 1024
"""Rows of a table that are one chunk."""


@attrs.frozen
class Work:
    """What is to be done with which regions of which pixels."""

    job: Job
    places: Sequence[Place]
    sources: Sequence[Pixels]
    """The pixels of the job's arrays."""

    def name(self, *more: Any) -> str:
        """Return a name that is equal for equal work on equal pixels: what a cluster holds of it is found again.

        Pixels in memory may be changed in place, and to look at them takes long: with these it is never equal.
        """
        lazy = [array.name for array in self.sources if isinstance(array, da.Array)]
        if len(lazy) < len(self.sources):
            return f"map-rois-{uuid.uuid4().hex}"
        job = attrs.asdict(self.job, recurse=False)
        job["arrays"] = [attrs.astuple(each, recurse=False) for each in self.job.arrays]
        return f"map-rois-{tokenize(job, pickle.dumps(list(self.places)), lazy, more)}"

    def tasks(self, name: str, step: Callable[..., Any], *more: Any) -> dict[Any, Any]:
        """Return a graph with the task `(name, i)` for region i: `step(job, place, pixels, *more)`."""
        shared = (f"{name}-job",)  # a node of its own, to which all tasks refer
        graph: dict[Any, Any] = {shared: self.job}
        ends = [_ends(array) for array in self.sources]
        for index, place in enumerate(self.places):
            pixels = [
                _read(array, stops, chosen(place.outer, self.job.dims, map(str, outline.dims)))
                for array, stops, outline in zip(self.sources, ends, self.job.arrays, strict=True)
            ]
            graph[name, index] = (step, shared, place, pixels, *more)
        return graph

    def chunks_of(self, axes: tuple[str, ...], shape: Sequence[int]) -> tuple[tuple[int, ...], ...]:
        """Return the chunks of a result: along each axis those of the first lazy array, else one."""
        found: dict[str, tuple[int, ...]] = {}
        for outline, pixels in zip(self.job.arrays, self.sources, strict=True):
            if isinstance(pixels, da.Array):
                found = dict(zip(map(str, outline.dims), pixels.chunks, strict=True)) | found
        return tuple(found.get(axis, (size,)) for axis, size in zip(axes, shape, strict=True))

    def layers(self, name: str, graph: dict[Any, Any], *more: da.Array) -> HighLevelGraph:
        """Return a graph together with those of the arrays that it reads."""
        lazy = [array for array in (*self.sources, *more) if isinstance(array, da.Array)]
        return HighLevelGraph.from_collections(name, graph, dependencies=lazy)  # type: ignore[arg-type]


def pasted(work: Work, ground: da.Array, axes: tuple[str, ...], *, objects: bool) -> da.Array:
    """Return pixels with the results of regions in them, the last one on top; one task makes a block of them.

    Args:
        work: The regions.
        ground: The pixels before.
        axes: Its axes.
        objects: Whether results are labels, of which those of the halo count, too, and 0 covers nothing.
    """
    name = work.name(ground.name, axes, objects)
    graph = work.tasks(f"{name}-piece", objects_of if objects else image_of, axes, ground.dtype)
    ends = _ends(ground)
    reaching: dict[tuple[int, ...], list[tuple[int, Window, Window]]] = {}
    for index, place in enumerate(work.places):
        box = chosen(place.outer if objects else place.inner, work.job.dims, axes)
        for at, whole in _blocks(ends, box):
            both = tuple(slice(max(a.start, b.start), min(a.stop, b.stop)) for a, b in zip(box, whole, strict=True))
            reaching.setdefault(at, []).append((index, within(both, whole), within(both, box)))
    for at in product(*map(range, ground.numblocks)):
        found = reaching.get(at, [])
        pieces = [(f"{name}-piece", index) for index, _, _ in found]
        parts = [(target, source) for _, target, source in found]
        graph[name, *at] = (assembled, (ground.name, *at), pieces, parts, objects)
    return da.Array(work.layers(name, graph, ground), name, ground.chunks, dtype=ground.dtype)


def rows(work: Work, dtype: np.dtype[Any]) -> da.Array:
    """Return the records that the regions give, shape (k,); `dtype` is structured."""
    name, count = work.name(dtype.descr), len(work.places)
    graph = work.tasks(f"{name}-row", row_of, dtype.names)
    starts = range(0, max(count, 1), _ROWS)
    sizes = tuple(min(start + _ROWS, count) - start for start in starts)
    for block, (start, size) in enumerate(zip(starts, sizes, strict=True)):
        graph[name, block] = (stacked, [(f"{name}-row", index) for index in range(start, start + size)], dtype)
    return da.Array(work.layers(name, graph), name, (sizes,), dtype=dtype)


def _read(array: Pixels, ends: Sequence[Sequence[int]], box: Window) -> Any:
    """Return a window of an array, as a task if it is lazy."""
    if not isinstance(array, da.Array):
        return array[box]
    blocks = list(_blocks(ends, box))
    return (_gathered, [(array.name, *at) for at, _ in blocks], [whole for _, whole in blocks], box)


def _gathered(blocks: Sequence[npt.NDArray[Any]], places: Sequence[Window], box: Window) -> npt.NDArray[Any]:
    return gathered(list(zip(blocks, places, strict=True)), box)


def _ends(array: Pixels) -> list[list[int]]:
    """Return where the blocks of a lazy array end along each axis."""
    return [list(accumulate(sizes)) for sizes in array.chunks] if isinstance(array, da.Array) else []


def _blocks(ends: Sequence[Sequence[int]], box: Window) -> Iterator[tuple[tuple[int, ...], Window]]:
    """Yield the blocks that a window meets: their numbers, and where they lie."""
    along = [
        [(at, slice(stops[at - 1] if at else 0, stops[at])) for at in _meeting(stops, side)]
        for stops, side in zip(ends, box, strict=True)
    ]
    for block in product(*along):
        yield tuple(at for at, _ in block), tuple(side for _, side in block)


def _meeting(ends: Sequence[int], side: slice) -> range:
    return range(bisect_right(ends, side.start), bisect_left(ends, side.stop) + 1)
