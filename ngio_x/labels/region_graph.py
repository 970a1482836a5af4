"""The dask graph of `map_rois`: one task a region, and what their results are put together to."""

from __future__ import annotations

import pickle
import uuid
from collections.abc import Callable, Sequence
from typing import Any, Final

import attrs
import dask.array as da
import numpy as np
from dask.base import tokenize
from dask.highlevelgraph import HighLevelGraph

from ngio_x.arrays.blocks import (
    Block,
    Pixels,
    ends_of,
    made_name,
    parts_in,
    patchwork_of,
    reading,
    with_blocks,
)
from ngio_x.labels.region_task import Job, Place, assembled, chosen, image_of, objects_of, row_of, stacked
from ngio_x.resample.evaluate import Window

_ROWS: Final = 1024
"""Rows of a table that are one chunk."""


@attrs.frozen
class Work:
    """What is to be done with which regions of which pixels."""

    job: Job
    places: Sequence[Place]
    sources: Sequence[Pixels]
    """The pixels of the job's arrays."""
    owners: Pixels | None = None
    """The ids of regions, where only pixels that have that of a region are its own."""

    @property
    def lazy(self) -> list[da.Array]:
        """Those of the pixels that are still to be computed."""
        return [array for array in (*self.sources, self.owners) if isinstance(array, da.Array)]

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
        """Return a graph with the task `(name, i)` for region i: `step(job, place, pixels, *more[, owners])`."""
        shared = (f"{name}-job",)  # a node of its own, to which all tasks refer
        graph: dict[Any, Any] = {shared: self.job}
        axes = [tuple(map(str, outline.dims)) for outline in self.job.arrays]
        sources = [*zip(self.sources, axes, strict=True)]
        sources += [] if self.owners is None else [(self.owners, self.job.owners)]
        read = [(array, ends_of(array), along) for array, along in sources]
        for index, place in enumerate(self.places):
            held = [reading(array, ends, chosen(place.outer, self.job.dims, along)) for array, ends, along in read]
            pixels, owners = held[: len(axes)], held[len(axes) :]
            graph[name, index] = (step, shared, place, pixels, *more, *owners)
        return graph

    def chunks_of(self, axes: tuple[str, ...], shape: Sequence[int]) -> tuple[tuple[int, ...], ...]:
        """Return the chunks of a result: along each axis those of the first lazy array, else one."""
        found: dict[str, tuple[int, ...]] = {}
        for outline, pixels in zip(self.job.arrays, self.sources, strict=True):
            if isinstance(pixels, da.Array):
                found = dict(zip(map(str, outline.dims), pixels.chunks, strict=True)) | found
        return tuple(found.get(axis, (size,)) for axis, size in zip(axes, shape, strict=True))


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
    ends = ends_of(ground)
    reaching: dict[Block, list[tuple[int, Window, Window]]] = {}
    for index, place in enumerate(work.places):
        box = chosen(place.outer if objects else place.inner, work.job.dims, axes)
        for at, _, target, source in parts_in(ends, box):
            reaching.setdefault(at, []).append((index, target, source))
    before = patchwork_of(ground)
    for at, found in reaching.items():
        pieces = [(f"{name}-piece", index) for index, _, _ in found]
        parts = [(target, source) for _, target, source in found]
        graph[made_name(name), *at] = (assembled, before.source(at), pieces, parts)
    return with_blocks(ground, name, graph, reaching.keys(), work.lazy)


def rows(work: Work, dtype: np.dtype[Any]) -> da.Array:
    """Return the records that the regions give, shape (k,); `dtype` is structured."""
    name, count = work.name(dtype.descr), len(work.places)
    graph = work.tasks(f"{name}-row", row_of, dtype.names)
    starts = range(0, max(count, 1), _ROWS)
    sizes = tuple(min(start + _ROWS, count) - start for start in starts)
    for block, (start, size) in enumerate(zip(starts, sizes, strict=True)):
        graph[name, block] = (stacked, [(f"{name}-row", index) for index in range(start, start + size)], dtype)
    layers = HighLevelGraph.from_collections(name, graph, dependencies=work.lazy)  # type: ignore[arg-type]
    return da.Array(layers, name, (sizes,), dtype=dtype)
