"""Blocks of lazy arrays: which ones a window meets, and arrays that get some of their blocks from new tasks."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import accumulate, product
from typing import Any, TypeAlias

import dask.array as da
import numpy as np
import numpy.typing as npt
from dask.highlevelgraph import HighLevelGraph, Layer, MaterializedLayer

from ngio_x.resample.evaluate import Window, gathered, within

Pixels: TypeAlias = npt.NDArray[Any] | da.Array
Block: TypeAlias = tuple[int, ...]
"""The numbers of a block along each axis."""


def ends_of(array: Pixels) -> list[list[int]]:
    """Return where the blocks of a lazy array end along each axis."""
    return ends_of_chunks(array.chunks) if isinstance(array, da.Array) else []


def ends_of_chunks(chunks: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return where blocks of some sizes end along each axis."""
    return [list(accumulate(sizes)) for sizes in chunks]


def blocks_in(ends: Sequence[Sequence[int]], box: Window) -> Iterator[tuple[Block, Window]]:
    """Yield the blocks that a window meets: their numbers, and where they lie."""
    along = [
        [(at, slice(stops[at - 1] if at else 0, stops[at])) for at in _meeting(stops, side)]
        for stops, side in zip(ends, box, strict=True)
    ]
    for block in product(*along):
        yield tuple(at for at, _ in block), tuple(side for _, side in block)


def _meeting(ends: Sequence[int], side: slice) -> range:
    return range(bisect_right(ends, side.start), bisect_left(ends, side.stop) + 1)


def parts_in(ends: Sequence[Sequence[int]], box: Window) -> Iterator[tuple[Block, Window, Window, Window]]:
    """Yield the blocks that a window meets, as `blocks_in`, and their common part: in the block, and in the window."""
    for at, whole in blocks_in(ends, box):
        both = _common_part(box, whole)
        yield at, whole, within(both, whole), within(both, box)


def _common_part(first: Window, second: Window) -> Window:
    """Return the window that lies in both of two that overlap."""
    return tuple(slice(max(a.start, b.start), min(a.stop, b.stop)) for a, b in zip(first, second, strict=True))


def reading(array: Pixels, ends: Sequence[Sequence[int]], box: Window) -> Any:
    """Return a window of an array, as a task if it is lazy; `ends` are its `ends_of`."""
    if not isinstance(array, da.Array):
        return array[box]
    blocks = list(blocks_in(ends, box))
    return (_gathered, [(array.name, *at) for at, _ in blocks], [whole for _, whole in blocks], box)


def reading_part(pixels: Pixels, ends: Sequence[Sequence[int]], box: Window, dtype: np.dtype[Any]) -> Any:
    """Return a window of pixels as `reading` does; an axis of size 1 is repeated by the caller, and is taken whole.

    Pixels in memory are copied, because the caller may change them before the task runs. The copy has that dtype,
    unless they are truth values.
    """
    box = tuple(slice(0, 1) if n == 1 else side for n, side in zip(pixels.shape, box, strict=True))
    if isinstance(pixels, da.Array):
        return reading(pixels, ends, box)
    return pixels[box].astype(bool if pixels.dtype.kind == "b" else dtype)


def _gathered(blocks: Sequence[npt.NDArray[Any]], places: Sequence[Window], box: Window) -> npt.NDArray[Any]:
    return gathered(list(zip(blocks, places, strict=True)), box)


class Patchwork(Layer):
    """Blocks of an array that are those of another one, but for some that other tasks make.

    Blocks are named, and not made again: so an array that differs in a few of them costs next to nothing, and one that
    differs from it in a few more is a patchwork of the same ground.
    """

    def __init__(self, name: str, numblocks: tuple[int, ...], ground: str, made: Mapping[Block, str]) -> None:
        super().__init__()
        self.name, self.numblocks, self.ground, self.made = name, numblocks, ground, made

    def source(self, at: Block) -> tuple[Any, ...]:
        """Return the key of the task that makes a block."""
        return (self.made.get(at, self.ground), *at)

    @property
    def has_legacy_tasks(self) -> bool:
        """Tasks are plain keys."""
        return True

    def is_materialized(self) -> bool:
        """Nothing is kept for a block."""
        return False

    def get_output_keys(self) -> set[Any]:
        """Return all keys."""
        return set(self)

    def cull(self, keys: set[Any], all_hlg_keys: Collection[Any]) -> tuple[Layer, Mapping[Any, set[Any]]]:  # noqa: ARG002
        """Return a layer with these keys, and what they depend on."""
        sources = {key: self[key] for key in keys if key in self}
        return MaterializedLayer(sources, self.annotations), {key: {source} for key, source in sources.items()}

    def __contains__(self, key: object) -> bool:
        return (
            isinstance(key, tuple)
            and len(key) == len(self.numblocks) + 1
            and key[0] == self.name
            and all(isinstance(k, int) and 0 <= k < n for k, n in zip(key[1:], self.numblocks, strict=True))
        )

    def __getitem__(self, key: Any) -> tuple[Any, ...]:
        if key not in self:
            raise KeyError(key)
        return self.source(key[1:])

    def __iter__(self) -> Iterator[Any]:
        return product([self.name], *map(range, self.numblocks))

    def __len__(self) -> int:
        size = 1
        for n in self.numblocks:
            size *= n
        return size


def patchwork_of(array: da.Array) -> Patchwork:
    """Return an array as a patchwork: the one that it is, or one of its own blocks."""
    layer = array.dask.layers.get(array.name)
    if isinstance(layer, Patchwork):
        return layer
    return Patchwork(array.name, array.numblocks, array.name, {})


def with_blocks(
    ground: da.Array, name: str, tasks: Mapping[Any, Any], made: Collection[Block], sources: Sequence[da.Array]
) -> da.Array:
    """Return a lazy array with some blocks made by new tasks; the others stay the tasks that they were.

    Args:
        ground: The array. If it is a patchwork itself, the result refers to what that was made of.
        name: The name of the result.
        tasks: Tasks with keys `(made_name(name), …)`; the key of a block that is made ends with its numbers.
        made: The numbers of these blocks.
        sources: What the tasks read besides `patchwork_of(ground)`.
    """
    before, inner = patchwork_of(ground), made_name(name)
    layers, dependencies = dict(ground.dask.layers), dict(ground.dask.dependencies)
    if before.ground != ground.name:
        layers.pop(ground.name)
        dependencies.pop(ground.name)
    for source in sources:
        theirs = source.dask if before.ground == ground.name else _lightened(source, before)
        layers |= theirs.layers
        dependencies |= theirs.dependencies
    read = {before.source(at)[0] for at in made}
    layers[inner] = MaterializedLayer(tasks)
    dependencies[inner] = read.union(*(source.__dask_layers__() for source in sources))
    after = {**before.made, **dict.fromkeys(made, inner)}
    layers[name] = Patchwork(name, ground.numblocks, before.ground, after)
    dependencies[name] = {before.ground, *after.values()}
    return da.Array(HighLevelGraph(layers, dependencies), name, ground.chunks, dtype=ground.dtype)


def _lightened(source: da.Array, whole: Patchwork) -> HighLevelGraph:
    """Return the graph of an array, with only those blocks of a patchwork in it that are read.

    A patch is often computed from the array that it goes into. Its graph would keep the names of all blocks of it, and
    so would that of the next one.
    """
    graph: HighLevelGraph = source.dask
    readers = [name for name, read in graph.dependencies.items() if whole.name in read]
    if source.name == whole.name or any(len(graph.layers[name].get_output_keys()) >= len(whole) for name in readers):
        return graph
    used: set[Any] = set()
    for name in readers:
        layer = graph.layers[name]
        _, reads = layer.cull(set(layer.get_output_keys()), whole)
        used.update(key for keys in reads.values() for key in keys if key in whole)
    # A layer of its own: graphs are merged by the names of their layers, and others may read other blocks.
    part = f"{whole.name}-for-{source.name}"
    layers, dependencies = dict(graph.layers), dict(graph.dependencies)
    if whole.name in layers:
        del layers[whole.name], dependencies[whole.name]
    for name in readers:
        dependencies[name] = dependencies[name] - {whole.name} | {part}
    layers[part] = MaterializedLayer({key: whole[key] for key in used})
    dependencies[part] = {whole[key][0] for key in used}
    return HighLevelGraph(layers, dependencies)


def made_name(name: str) -> str:
    """Return the name of the layer that holds the blocks made for an array."""
    return f"{name}-made"
