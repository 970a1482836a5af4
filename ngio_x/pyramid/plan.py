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

import numpy as np

from ngio_x._frozen import checked_by, field, freeze, frozen, shown, to_bool, to_ints, to_positive_ints, tuple_of
from ngio_x._html import bytes_text, table, times, titled
from ngio_x.errors import NgioValueError
from ngio_x.pyramid.boxes import Box, Span, boxes_of, volume, window_of
from ngio_x.pyramid.layout import Layout
from ngio_x.resample.evaluate import Window
from ngio_x.resample.kernels import Kernel

_SCRATCH: Final = 8 * 2**20
"""Bytes of intermediate results that a task needs beside what it holds, at most…"""
_WIDE: Final = 12
"""… unless it has a wide kernel along three axes: then, this many for each pixel that it reads at a time, too."""
_DECODED_AT_ONCE: Final = 10
"""Chunks that zarr decodes at a time (its `async.concurrency`); of a shard, all that are needed."""


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

    kernel: Kernel
    levels: tuple[int, ...] = field(converter=to_ints)
    """Positions in the plan; the first one is read, the others are made."""
    layouts: tuple[Layout, ...] = field(metadata=checked_by(tuple_of(Layout)))
    """Of these levels."""
    cuts: tuple[tuple[tuple[int, ...], ...], ...] = field(converter=freeze)
    """For each level that is made, and each axis: where the part of one task ends and that of the next begins."""
    stride: tuple[int, ...] = field(converter=to_positive_ints)
    """Pixels of the source that are read at a time along each axis, from a chunk's edge on."""

    def __attrs_post_init__(self) -> None:
        if not len(self.levels) == len(self.layouts) == len(self.cuts) + 1 >= 2:
            raise NgioValueError(f"levels {self.levels} need a layout each, and cuts each but for the first")
        counts = {tuple(map(len, axes)) for axes in self.cuts}
        if len(counts) > 1 or any(count < 2 for axis in counts for count in axis):
            raise NgioValueError(f"all levels must have as many cuts along an axis, and at least two: got {counts}")
        for layout, axes in zip(self.layouts[1:], self.cuts, strict=True):
            for cuts, unit, size in zip(axes, layout.unit, layout.shape, strict=True):
                whole = all(cut % unit == 0 or cut == size for cut in cuts[1:-1])
                # Only tasks of the last level make something in any case.
                steps = {high - low for low, high in itertools.pairwise(cuts)}
                in_order = min(steps) > 0 or (min(steps) == 0 and layout is not self.layouts[-1])
                if not (whole and in_order and cuts[0] >= 0 and cuts[-1] <= size):
                    raise NgioValueError(
                        f"tasks would share units of {layout.name}: cuts {shown(cuts)}, units of {unit}"
                    )

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
        return sum(layout.itemsize * volume(layout.rounded_out(box)) for layout, box in pairs)

    @property
    def bytes_read(self) -> int:
        """Bytes of pixels that are decoded; a chunk that is needed twice counts twice."""
        source, last = self.layouts[0], self.layouts[-1]
        total = source.itemsize
        for chunk, size, along in zip(source.chunks, source.shape, _stretches(self), strict=True):
            spans = [read for stretch in along for _, read in stretch.pieces]
            total *= sum(min(high, size) - low for low, high in _rounded(spans, chunk))
        box = self.boxes[-1]  # units that are made in part are read; a pass of several levels makes whole ones
        return total + last.itemsize * (volume(last.rounded_out(box)) - volume(last.rounded_in(box)))

    @property
    def reads(self) -> tuple[int, ...]:
        """Pixels of the source that one task needs along each axis, at most."""
        return tuple(max(s.pieces[-1][1][1] - s.pieces[0][1][0] for s in along) for along in _stretches(self))

    @property
    def bytes_source(self) -> int:
        """Bytes of the source that one task needs, at most."""
        return math.prod(self.reads) * self.layouts[0].itemsize

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
        # Of a chunk there are its encoded and its decoded form.
        steps = [made[0] + self._bytes_of_a_piece + self.bytes_piece + 2 * self._bytes_decoded]
        steps += [finer + coarser for finer, coarser in itertools.pairwise(made)]
        for at, layout in zip(self._made, self.layouts[1:], strict=True):
            spans = [[s.written[at] for s in along] for along in _stretches(self)]
            written = self._largest([_rounded(each, unit) for each, unit in zip(spans, layout.unit, strict=True)])
            # Of a shard there are its old bytes, the new ones chunk by chunk, and these in one piece; of a chunk a
            # copy that has what lies beyond the border, too, what a codec reserves, and what it returns.
            steps.append(made[at] + 3 * written)
        return max(steps) + self._bytes_scratch

    @property
    def _bytes_of_a_piece(self) -> int:
        """Bytes of the first level that are made at a time before they are put into place; none if it is all of it."""
        along = [[made for stretch in each for made, _ in stretch.pieces] for each in _stretches(self)]
        several = any(len(stretch.pieces) > 1 for each in _stretches(self) for stretch in each)
        return self._largest(along) if several else 0

    @property
    def _bytes_scratch(self) -> int:
        """Bytes of intermediate results, at most."""
        zoomed = sum(n != m for n, m in zip(self.layouts[0].shape, self.layouts[1].shape, strict=True))
        if self.kernel.name != "cubic" or zoomed < 3:
            return _SCRATCH
        itemsize = self.layouts[0].itemsize
        return _SCRATCH + self.bytes_piece // itemsize * _WIDE * max(1, itemsize // 8)

    @property
    def _bytes_decoded(self) -> int:
        """Bytes of the chunks that are decoded at a time, at most: whole ones, even if a piece needs little of them."""
        source = self.layouts[0]
        reads = [[read for stretch in each for _, read in stretch.pieces] for each in _stretches(self)]
        touched = self._largest([_rounded(spans, chunk) for spans, chunk in zip(reads, source.chunks, strict=True)])
        at_once = _DECODED_AT_ONCE * math.prod(source.chunks) * source.itemsize
        return touched if source.unit != source.chunks else min(touched, at_once)

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

    layouts: tuple[Layout, ...] = field(metadata=checked_by(tuple_of(Layout)))
    """The source first, then the targets as they were given."""
    kernel: Kernel
    """How pixels are made."""
    passes: tuple[Pass, ...] = field(metadata=checked_by(tuple_of(Pass)))
    """In the order in which they are to be done; neighbours that make the same levels may be done at the same time."""
    partial: bool = field(converter=to_bool, default=False)
    """Whether only some pixels are made, and the rest of their write units kept."""

    def __attrs_post_init__(self) -> None:
        if not self.layouts:
            raise NgioValueError("layouts of a plan begin with that of its source, got none")
        was_read: set[int] = set()
        for each in self.passes:
            if each.layouts != tuple(self.layouts[level] for level in each.levels):
                raise NgioValueError(f"layouts of the plan and of a pass differ: {each.layouts}")
            was_read.add(each.levels[0])
            if not was_read.isdisjoint(each.levels[1:]):
                raise NgioValueError(f"the plan makes {self.layouts[each.levels[1]].name} after it has been read")
        for index, (layout, boxes) in enumerate(zip(self.layouts, self._written, strict=True)):
            if index == 0 and boxes:
                raise NgioValueError(f"the plan writes to its source {layout.name}")
            missing = 0 if self.partial or index == 0 else volume(layout.whole) - sum(map(volume, boxes))
            units = sum(map(layout.count_units, boxes))
            if missing or (len(boxes) > 1 and np.count_nonzero(layout.touched(boxes)) < units):
                raise NgioValueError(f"the plan does not make every pixel of {layout.name} once: {shown(boxes)}")

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
                if layout.name == peer.name and boxes and theirs:
                    both = layout.touched(boxes) & layout.touched(theirs)
                    windows = tuple(window_of(layout.in_pixels(box)) for box in boxes_of(both))
                    shared |= {layout.name: windows} if windows else {}
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

    def _repr_html_(self) -> str:
        summary = str(self).partition("\n")[0]
        levels = [
            (at, each.name, times(each.shape), times(each.chunks), times(each.unit), bytes_text(each.nbytes))
            for at, each in enumerate(self.layouts)
        ]
        header = ("pass", "reads", "makes", "tasks", "units", "read", "written", "held by a task")
        passes = table(header, [_row(at, each) for at, each in enumerate(self.passes, 1)])
        return titled(summary, table(("", "array", "shape", "chunks", "write unit", "bytes"), levels), passes)


def _row(at: int, each: Pass) -> tuple[object, ...]:
    """Return what a table says of a pass; arrays are called by their place in the plan."""
    first, *made = each.levels
    sizes = (bytes_text(size) for size in (each.bytes_read, each.bytes_written, each.bytes_held))
    return (at, first, ", ".join(map(str, made)), math.prod(each.grid), each.unit_count, *sizes)


def _rounded(spans: Sequence[Span], step: int) -> list[Span]:
    """Return spans enlarged to the edges of chunks, also beyond the end of an axis."""
    return [(low // step * step, -(-high // step) * step) for low, high in spans]


def _hull(own: Span, needed: Span) -> Span:
    return needed if own[0] == own[1] else (min(own[0], needed[0]), max(own[1], needed[1]))


def _mega(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
