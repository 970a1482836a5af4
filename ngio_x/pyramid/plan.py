"""What work makes the levels of a pyramid: a value that can be printed, counted and compared before anything is done.

A plan is a list of *passes*. Tasks of a pass need nothing of each other and share no write unit: each reads a window of
one array, makes a window of a level of it, and of that, while it is in memory, a window of the next level. Where one
task ends and the next begins is a list of cuts along each axis: a plan for a million chunks is a few lists of numbers.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from ngio_x._frozen import field, freeze, frozen, positive, to_ints, tuple_of
from ngio_x.errors import NgioValueError
from ngio_x.pyramid.boxes import Box, Span, aligned, are_apart, common, overlap, volume, window_of
from ngio_x.pyramid.layout import Layout
from ngio_x.resample.evaluate import Window
from ngio_x.resample.kernels import Kernel

_SCRATCH: Final = 4 * 2**20
"""Bytes of intermediate results that a task needs beside what it holds, at most."""


class Part(NamedTuple):
    """The window of a level that a task makes, and what it writes of it, if it does."""

    level: int
    made: Window
    written: Window | None


class Piece(NamedTuple):
    """A window of the first level of a task, and what it is made of."""

    made: Window
    read: Window


class Task(NamedTuple):
    """Make the first level of pieces of the source, and every further level of the one before."""

    source: int
    pieces: tuple[Piece, ...]
    parts: tuple[Part, ...]
    units: int
    """Number of write units that are written."""


class _Stretch(NamedTuple):
    """A task along one axis."""

    made: tuple[Span, ...]
    written: tuple[Span, ...]
    pieces: tuple[tuple[Span, Span], ...]
    """Of the first level, and of the source."""


@frozen
class Pass:
    """Levels that are made together, each of the one before it."""

    kernel: Kernel = field(lambda value: value)
    levels: tuple[int, ...] = field(to_ints)
    """Positions in the plan; the first one is read, the others are made."""
    layouts: tuple[Layout, ...] = field(tuple_of(Layout))
    """Of these levels."""
    cuts: tuple[tuple[tuple[int, ...], ...], ...] = field(freeze)
    """For each level that is made, and each axis: where the part of one task ends and that of the next begins."""
    stride: tuple[int, ...] = field(positive(to_ints))
    """Pixels of the source that are read at a time along each axis, from a chunk's edge on."""

    def __attrs_post_init__(self) -> None:
        for layout, axes in zip(self.layouts[1:], self.cuts, strict=True):
            for cuts, unit, size in zip(axes, layout.unit, layout.shape, strict=True):
                whole = all(cut % unit == 0 or cut == size for cut in cuts[1:-1])
                if not whole or list(cuts) != sorted(cuts) or not 0 <= cuts[0] < cuts[-1] <= size:
                    raise NgioValueError(f"tasks would share units of {layout.name}: cuts {cuts}, units of {unit}")

    @property
    def grid(self) -> tuple[int, ...]:
        """Number of tasks along each axis."""
        return tuple(len(cuts) - 1 for cuts in self.cuts[-1])

    @property
    def boxes(self) -> tuple[Box, ...]:
        """What is written of each level."""
        return tuple(tuple((cuts[0], cuts[-1]) for cuts in axes) for axes in self.cuts)

    @property
    def unit_count(self) -> int:
        """Number of write units that are written."""
        return sum(layout.count_units(box) for layout, box in zip(self.layouts[1:], self.boxes, strict=True))

    @property
    def bytes_written(self) -> int:
        """Bytes of pixels that are encoded: write units are, as a whole."""
        pairs = zip(self.layouts[1:], self.boxes, strict=True)
        return sum(layout.itemsize * volume(layout.touched(box)) for layout, box in pairs)

    @property
    def bytes_read(self) -> int:
        """Bytes of pixels that are decoded; a chunk that is needed twice counts twice."""
        source, last = self.layouts[0], self.layouts[-1]
        total = source.itemsize
        for chunk, size, along in zip(source.chunks, source.shape, _stretches(self), strict=True):
            spans = [read for stretch in along for _, read in stretch.pieces]
            total *= sum(high - low for low, high in (aligned(span, chunk, size) for span in spans))
        box = self.boxes[-1]  # units that are made in part are read; a pass of several levels makes whole ones
        return total + last.itemsize * (volume(last.touched(box)) - volume(last.covered(box)))

    @property
    def bytes_source(self) -> int:
        """Bytes of the source that one task needs, at most."""
        reads = [[(s.pieces[0][1][0], s.pieces[-1][1][1]) for s in along] for along in _stretches(self)]
        return self._largest(reads)

    @property
    def bytes_piece(self) -> int:
        """Bytes of the source that one task reads at a time, at most."""
        return self._largest([[read for s in along for _, read in s.pieces] for along in _stretches(self)])

    @property
    def bytes_made(self) -> tuple[int, ...]:
        """Bytes of each level that one task makes, at most."""
        return tuple(self._largest([[s.made[at] for s in along] for along in _stretches(self)]) for at in self._made)

    @property
    def bytes_held(self) -> int:
        """Bytes that one task holds at a time, at most: pixels, and what is decoded or encoded of them."""
        made = self.bytes_made
        source = self.layouts[0]
        chunk = math.prod(map(min, source.chunks, source.shape)) * source.itemsize
        # Of a chunk there are its encoded and its decoded form.
        steps = [made[0] + self.bytes_piece + 2 * max(self.bytes_piece, chunk)]
        steps += [finer + coarser for finer, coarser in itertools.pairwise(made)]
        for at, layout in zip(self._made, self.layouts[1:], strict=True):
            sizes = zip(_stretches(self), layout.unit, layout.shape, strict=True)
            written = self._largest([[aligned(s.written[at], unit, n) for s in along] for along, unit, n in sizes])
            # Of a shard there are its old bytes, the new ones chunk by chunk, and these in one piece.
            steps.append(made[at] + (2 if layout.unit == layout.chunks else 3) * written)
        return max(steps) + _SCRATCH

    def tasks(self) -> Iterator[Task]:
        """Return the tasks, one at a time."""
        for along in itertools.product(*_stretches(self)):
            parts, units = [], 0
            for at, layout in zip(self._made, self.layouts[1:], strict=True):
                written = tuple(stretch.written[at] for stretch in along)
                made = window_of([stretch.made[at] for stretch in along])
                parts.append(Part(self.levels[at + 1], made, window_of(written) if volume(written) else None))
                units += layout.count_units(written)
            pieces = tuple(
                Piece(window_of([made for made, _ in spans]), window_of([read for _, read in spans]))
                for spans in itertools.product(*(stretch.pieces for stretch in along))
            )
            yield Task(self.levels[0], pieces, tuple(parts), units)

    @property
    def _made(self) -> range:
        return range(len(self.levels) - 1)

    def _largest(self, spans: Sequence[Sequence[Span]]) -> int:
        """Return the bytes of the largest box with one of the spans of each axis."""
        return math.prod(max(high - low for low, high in along) for along in spans) * self.layouts[0].itemsize


@lru_cache(maxsize=256)
def _stretches(each: Pass) -> tuple[tuple[_Stretch, ...], ...]:
    """Return for each axis what each task of a pass does along it."""
    return tuple(tuple(_stretch(each, axis, at) for at in range(count)) for axis, count in enumerate(each.grid))


def _stretch(each: Pass, axis: int, at: int) -> _Stretch:
    written = tuple((cuts[axis][at], cuts[axis][at + 1]) for cuts in each.cuts)
    sizes = [layout.shape[axis] for layout in each.layouts]
    made = [written[-1]]
    for own, n, m in zip(written[-2::-1], sizes[-2:0:-1], sizes[:1:-1], strict=True):
        made.append(_hull(own, _support(each.kernel, n, m, made[-1])))
    made.reverse()
    n, m = sizes[:2]
    seams = _seams(each, axis, made[0])
    pieces = tuple((part, _support(each.kernel, n, m, part)) for part in itertools.pairwise(seams))
    return _Stretch(tuple(made), written, pieces)


def _seams(each: Pass, axis: int, made: Span) -> list[int]:
    """Return where a span of the first level is cut, so that each piece is made of about a stride of the source."""
    n, m = (layout.shape[axis] for layout in each.layouts[:2])
    low, high = _support(each.kernel, n, m, made)
    chunk, stride = each.layouts[0].chunks[axis], each.stride[axis]
    edges = range(low // chunk * chunk + stride, high, stride)
    cuts = {-(-edge * m // n) for edge in edges}
    return sorted({*made, *(cut for cut in cuts if made[0] < cut < made[1])})


def _support(kernel: Kernel, n: int, m: int, outputs: Span) -> Span:
    inputs = kernel.support(n, m, slice(*outputs))
    return inputs.start, inputs.stop


@frozen
class PyramidPlan:
    """Which tasks make the levels of a pyramid; `print` shows them.

    Nothing in it refers to open files: it can be compared, hashed, pickled and sent.
    """

    layouts: tuple[Layout, ...] = field(tuple_of(Layout))
    """The source first, then the targets as they were given."""
    kernel: Kernel = field(lambda value: value)
    """How pixels are made."""
    passes: tuple[Pass, ...] = field(tuple_of(Pass))
    """In the order in which they are to be done; neighbours that make the same levels may be done at the same time."""
    partial: bool = field(bool, default=False)
    """Whether only some pixels are made, and the rest of their write units kept."""

    def __attrs_post_init__(self) -> None:
        for layout, boxes in zip(self.layouts, self._written, strict=True):
            missing = 0 if self.partial or layout is self.layouts[0] else volume(layout.whole) - sum(map(volume, boxes))
            if missing or not are_apart([layout.units_of(box) for box in boxes]):
                raise NgioValueError(f"the plan does not write every unit of {layout.name} once: {boxes}")

    @property
    def task_count(self) -> int:
        """Number of tasks."""
        return sum(math.prod(each.grid) for each in self.passes)

    @property
    def unit_count(self) -> int:
        """Number of write units that are written."""
        return sum(each.unit_count for each in self.passes)

    @property
    def bytes_read(self) -> int:
        """Bytes of pixels that are decoded; a chunk that is needed twice counts twice."""
        return sum(each.bytes_read for each in self.passes)

    @property
    def bytes_written(self) -> int:
        """Bytes of pixels that are encoded."""
        return sum(each.bytes_written for each in self.passes)

    @property
    def bytes_held(self) -> int:
        """Bytes that one task holds at a time, at most: peak memory is this times the tasks that run at once."""
        return max((each.bytes_held for each in self.passes), default=0)

    def shared_units(self, other: PyramidPlan) -> dict[str, tuple[Window, ...]]:
        """Return the write units that both plans write, as windows by array: none, if both may run at the same time."""
        shared: dict[str, tuple[Window, ...]] = {}
        for layout, boxes in zip(self.layouts, self._written, strict=True):
            for peer, theirs in zip(other.layouts, other._written, strict=True):
                if layout.name == peer.name:
                    pairs = itertools.product(map(layout.units_of, boxes), map(layout.units_of, theirs))
                    both = [layout.pixels_of(common(a, b)) for a, b in pairs if overlap(a, b)]
                    shared |= {layout.name: tuple(map(window_of, both))} if both else {}
        return shared

    @property
    def _written(self) -> list[list[Box]]:
        """What is written of each array."""
        written: list[list[Box]] = [[] for _ in self.layouts]
        for each in self.passes:
            for level, box in zip(each.levels[1:], each.boxes, strict=True):
                written[level].append(box)
        return written

    def __str__(self) -> str:
        """Return a line for the whole, and one for each pass."""
        work = f"{self.task_count} tasks read {_mega(self.bytes_read)}, write {self.unit_count} units"
        size = f"({_mega(self.bytes_written)}), and hold up to {_mega(self.bytes_held)} each"
        lines = [f"{self.kernel.name}: {work} {size}"]
        for each in self.passes:
            steps = [f"  {math.prod(each.grid)} tasks: {each.layouts[0].name} {each.layouts[0].shape}"]
            for layout, box in zip(each.layouts[1:], each.boxes, strict=True):
                part = "" if box == layout.whole else f"[{', '.join(f'{low}:{high}' for low, high in box)}] of "
                steps.append(f"{layout.name} {part}{layout.shape}, {layout.count_units(box)} units of {layout.unit}")
            lines.append(" → ".join(steps))
        return "\n".join(lines)


def _hull(own: Span, needed: Span) -> Span:
    return needed if own[0] == own[1] else (min(own[0], needed[0]), max(own[1], needed[1]))


def _mega(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
