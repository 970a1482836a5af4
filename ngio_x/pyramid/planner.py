"""From shapes to a plan: which levels are made together, how write units are grouped, what a change reaches."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from ngio_x._frozen import evolve
from ngio_x.errors import NgioValueError
from ngio_x.pyramid.boxes import Box, boxes_of
from ngio_x.pyramid.layout import Layout
from ngio_x.pyramid.plan import Pass, PyramidPlan
from ngio_x.resample.kernels import Kernel
from ngio_x.resample.zoom import require_exact

_READ: Final = 8 * 2**20
"""Bytes of source that are worth a task: smaller write units are grouped."""
_PIECE: Final = 4 * 2**20
"""Bytes of source that are read at a time, or more…"""
_AT_ONCE: Final = 12 * 2**20
"""… as long as they and what is made of them are not more than this."""
_HELD: Final = 16 * 2**20
"""Bytes of a level that a task may hold to make the next one of it."""
_ENOUGH: Final = 4
"""Tasks that keep a small machine busy: work is not joined into fewer."""
_SAMPLE: Final = 8
"""Tasks along an axis that are looked at to choose a size: a million of them would take a minute."""


def levels_order(shapes: Sequence[Sequence[int]]) -> list[tuple[int, int]]:
    """Return `(finer, coarser)` pairs of positions, in the order in which to make the levels; the first is the source.

    Each level is made of the smallest one that is there and at least as large along every axis.

    Raises:
        NgioValueError: If a level is larger than the source along an axis.
    """
    for index, shape in enumerate(shapes):
        if any(m > n for n, m in zip(shapes[0], shape, strict=True)):
            raise NgioValueError(
                f"target {index - 1} with shape {tuple(shape)} is larger than the source with shape "
                f"{tuple(shapes[0])}: consolidate from the finest level"
            )
    done, pairs = [0], []
    for index in sorted(range(1, len(shapes)), key=lambda index: -math.prod(shapes[index])):
        holds = [k for k in done if all(m <= n for n, m in zip(shapes[k], shapes[index], strict=True))]
        # Of two with as many pixels always the same one, in whichever order they are given.
        pairs.append((min(holds, key=lambda k: (math.prod(shapes[k]), tuple(shapes[k]))), index))
        done.append(index)
    return pairs


def plan_whole(layouts: Sequence[Layout], kernel: Kernel, edges: Sequence[tuple[int, int]]) -> PyramidPlan:
    """Plan all levels; one is made of blocks still in memory where that saves reading them.

    Args:
        layouts: The source first.
        kernel: How pixels are made.
        edges: `(finer, coarser)` positions, in the order in which to make the levels; see `levels_order`.

    Raises:
        NgioValueError: If an axis is so long that positions along it would not be exact.
    """
    passes: list[Pass] = []
    for finer, coarser in edges:
        require_exact(layouts[finer].shape, layouts[coarser].shape)
        alone = _grouped(kernel, layouts, (finer, coarser), layouts[coarser].whole)
        if passes and passes[-1].levels[-1] == finer:
            joined = _grouped(kernel, layouts, (*passes[-1].levels, coarser), layouts[coarser].whole)
            if _saves(joined, passes[-1], alone):
                passes[-1] = joined
                continue
        passes.append(alone)
    return PyramidPlan(tuple(layouts), kernel, tuple(passes))


def plan_changes(
    layouts: Sequence[Layout], kernel: Kernel, edges: Sequence[tuple[int, int]], changed: Sequence[Box]
) -> PyramidPlan:
    """Plan to make the pixels that a change of some boxes of the source reaches, level by level.

    Raises:
        NgioValueError: If an axis is so long that positions along it would not be exact.
    """
    pixels: dict[int, set[Box]] = {0: set(changed)}
    passes: list[Pass] = []
    for finer, coarser in edges:
        source, target = layouts[finer], layouts[coarser]
        require_exact(source.shape, target.shape)
        pixels[coarser] = {
            reached for box in pixels[finer] if (reached := _reached(kernel, source, target, box)) is not None
        }
        passes.extend(_grouped(kernel, layouts, (finer, coarser), box) for box in _apart(target, pixels[coarser]))
    return PyramidPlan(tuple(layouts), kernel, tuple(passes), partial=True)


def _saves(joined: Pass, before: Pass, alone: Pass) -> bool:
    """Whether to make a level together with the ones before it: less is read, and enough tasks are left."""
    enough = math.prod(joined.grid) >= min(_ENOUGH, math.prod(before.grid))
    return enough and max(joined.bytes_made) <= _HELD and joined.bytes_read < before.bytes_read + alone.bytes_read


def _grouped(kernel: Kernel, layouts: Sequence[Layout], levels: tuple[int, ...], box: Box) -> Pass:
    """Return a pass over a box of the last level, in which tasks are as large as is worth their overhead."""
    first, last = layouts[levels[0]], layouts[levels[-1]]
    units = [high - low for low, high in last.in_units(box)]
    changed = [n != m for n, m in zip(first.shape, last.shape, strict=True)]
    group = [1] * len(units)
    while growing := [axis for axis in range(len(units)) if group[axis] < units[axis]]:
        # As square as can be along the axes that are zoomed, and longest along the last, as memory is laid out.
        axis = min(growing, key=lambda axis: (not changed[axis], group[axis], -axis))
        larger = [count * 2 if at == axis else count for at, count in enumerate(group)]
        few = _task_count(units, larger) < min(_ENOUGH, _task_count(units, group))
        sample = _cut(kernel, layouts, levels, _first_tasks(box, last, larger), larger)
        if few or sample.bytes_source > _READ or max(sample.bytes_made) > _HELD:
            break
        group = larger
    return _in_pieces(_cut(kernel, layouts, levels, box, group))


def _task_count(units: Sequence[int], group: Sequence[int]) -> int:
    """Return the number of tasks where each takes a group of the units along each axis."""
    return math.prod(-(-count // each) for count, each in zip(units, group, strict=True))


def _first_tasks(box: Box, layout: Layout, group: Sequence[int]) -> Box:
    """Return the part of a box that a few tasks along each axis make: they tell how large all of them are."""
    return tuple(
        (low, min(low + _SAMPLE * count * unit, high))
        for (low, high), unit, count in zip(box, layout.unit, group, strict=True)
    )


def _cut(kernel: Kernel, layouts: Sequence[Layout], levels: tuple[int, ...], box: Box, group: Sequence[int]) -> Pass:
    """Return a pass whose tasks write so many units of the last level along each axis."""
    chosen = tuple(layouts[level] for level in levels)
    source, last = chosen[0], chosen[-1]
    cuts = tuple(
        (low, *range((low // unit + count) * unit, high, unit * count), high)
        for (low, high), unit, count in zip(box, last.unit, group, strict=True)
    )
    finer = tuple(
        tuple(
            _scaled(along, m, n, unit)
            for along, m, n, unit in zip(cuts, last.shape, layout.shape, layout.unit, strict=True)
        )
        for layout in chosen[1:-1]
    )
    whole = tuple(-(-size // chunk) * chunk for size, chunk in zip(source.shape, source.chunks, strict=True))
    return Pass(kernel, levels, chosen, (*finer, cuts), whole)


def _scaled(cuts: Sequence[int], m: int, n: int, unit: int) -> tuple[int, ...]:
    """Return cuts of an axis of `m` pixels as cuts of a finer one of `n`, moved to the nearest edges of its units."""
    return tuple(n if cut == m else min(round(cut * n / m / unit) * unit, n) for cut in cuts)


def _in_pieces(each: Pass) -> Pass:
    """Return a pass that reads its source in small pieces, but whole chunks."""
    source, made = each.layouts[0], each.bytes_made[0]
    limit = max(_PIECE, _AT_ONCE - made, made // 4)  # beside a large shard, a larger piece makes no difference
    if each.bytes_piece > limit:  # a stride that is longer than any task cuts nothing: halve that without a look
        longest = zip(each.stride, source.chunks, each.reads, strict=True)
        each = evolve(each, stride=[_halved(stride, chunk, read + chunk) for stride, chunk, read in longest])
    while each.bytes_piece > limit:
        chunks = [stride // chunk for stride, chunk in zip(each.stride, source.chunks, strict=True)]
        if max(chunks) == 1:
            break
        axis = chunks.index(max(chunks))
        stride = list(each.stride)
        stride[axis] = _half(stride[axis], source.chunks[axis])
        each = evolve(each, stride=stride)
    return each


def _halved(stride: int, chunk: int, most: int) -> int:
    """Return a stride halved as often as it stays above a number of pixels, which is more than a chunk."""
    while _half(stride, chunk) >= most:
        stride = _half(stride, chunk)
    return stride


def _half(stride: int, chunk: int) -> int:
    """Return half as many whole chunks, rounded up."""
    return -(-stride // (2 * chunk)) * chunk


def _reached(kernel: Kernel, source: Layout, target: Layout, box: Box) -> Box | None:
    """Return the pixels of the target that a change of a box of the source may change."""
    reached = [kernel.reach(n, m, slice(*span)) for n, m, span in zip(source.shape, target.shape, box, strict=True)]
    found = tuple((each.start, each.stop) for each in reached)
    return found if all(low < high for low, high in found) else None


def _apart(layout: Layout, boxes: set[Box]) -> Iterator[Box]:
    """Return boxes that hold some others, and have no write unit in common."""
    if not boxes:
        return
    pixels = np.asarray(sorted(boxes))
    for run in boxes_of(layout.touched(boxes)):
        low, high = np.asarray(layout.in_pixels(run)).T
        inside = pixels[((pixels[:, :, 0] < high) & (low < pixels[:, :, 1])).all(axis=1)]
        first, last = inside[:, :, 0].min(axis=0), inside[:, :, 1].max(axis=0)
        yield tuple(zip(np.maximum(first, low).tolist(), np.minimum(last, high).tolist(), strict=True))
