"""How arrays are cut into chunks and shards."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import zarr

from ngio_x._frozen import field, frozen, to_name, to_positive_ints
from ngio_x.pyramid.boxes import Box, volume, window_of
from ngio_x.pyramid.places import name_of
from ngio_x.resample.evaluate import Window

_PLANE: Final = ("y", "x")
_CHUNK: Final = 1024
"""Pixels along the axes of the plane; other axes are cut into single pixels, as they are looked at."""
_LINE: Final = 2**20
"""Pixels of a chunk where there is one axis alone."""
_SHARD_BYTES: Final = 32 * 2**20
"""Of a shard before compression: what a writer holds in memory."""


def auto_chunks(axes: Sequence[str], shape: Sequence[int]) -> tuple[int, ...]:
    """Return a chunk shape: up to 1024 along y and x (without them: along the last two axes), 1 along the others.

    >>> auto_chunks(("c", "z", "y", "x"), (3, 40, 2000, 900))
    (1, 1, 1024, 900)
    """
    if len(axes) == 1:
        return (min(_LINE, shape[0]),)
    plane = _plane(axes)
    return tuple(min(_CHUNK, size) if axis in plane else 1 for axis, size in enumerate(shape))


def auto_shards(
    axes: Sequence[str], shape: Sequence[int], chunks: Sequence[int], itemsize: int
) -> tuple[int, ...] | None:
    """Return the chunks doubled along y and x (without them: the last two axes) in turn, while they stay within the
    shape and 32 MiB; None if not even two chunks do.

    >>> auto_shards(("y", "x"), (10000, 10000), (1024, 1024), itemsize=2)
    (4096, 4096)
    """  # noqa: D205 — one sentence
    shards, plane = list(chunks), _plane(axes)
    while True:
        nbytes = math.prod(shards) * itemsize
        growing = [axis for axis in plane if 2 * shards[axis] <= shape[axis] and 2 * nbytes <= _SHARD_BYTES]
        if not growing:
            return tuple(shards) if tuple(shards) != tuple(chunks) else None
        shards[min(growing, key=lambda axis: shards[axis] // chunks[axis])] *= 2


def _plane(axes: Sequence[str]) -> list[int]:
    """Return the positions of y and x, or of the last two axes."""
    named = [position for position, axis in enumerate(axes) if axis in _PLANE]
    return named or list(range(len(axes)))[-2:]


@frozen
class Layout:
    """What an array on disk looks like: its shape, and the pieces in which it is read and written."""

    name: str = field(converter=to_name)
    """Where the array is."""
    shape: tuple[int, ...] = field(converter=to_positive_ints)
    chunks: tuple[int, ...] = field(converter=to_positive_ints)
    """What is decoded as a whole."""
    unit: tuple[int, ...] = field(converter=to_positive_ints)
    """What is written as a whole, by one writer: a shard, else a chunk."""
    itemsize: int = field(converter=int)
    """Bytes of a pixel."""

    @property
    def grid(self) -> tuple[int, ...]:
        """Number of write units along each axis."""
        return tuple(-(-size // unit) for size, unit in zip(self.shape, self.unit, strict=True))

    @property
    def whole(self) -> Box:
        """The box of all pixels."""
        return tuple((0, size) for size in self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of all pixels."""
        return math.prod(self.shape) * self.itemsize

    def units(self) -> Iterator[Window]:
        """Return the windows of all write units."""
        for corner in itertools.product(*map(range, self.grid)):
            yield window_of(self.in_pixels(tuple((at, at + 1) for at in corner)))

    def in_units(self, box: Box) -> Box:
        """Return a box of the write units that a box of pixels touches."""
        return tuple((low // unit, -(-high // unit)) for (low, high), unit in zip(box, self.unit, strict=True))

    def in_pixels(self, box: Box) -> Box:
        """Return the box of pixels that a box of write units holds."""
        sizes = zip(box, self.unit, self.shape, strict=True)
        return tuple((low * unit, min(high * unit, size)) for (low, high), unit, size in sizes)

    def rounded_out(self, box: Box) -> Box:
        """Return the box of all pixels of the write units that a box touches."""
        return self.in_pixels(self.in_units(box))

    def rounded_in(self, box: Box) -> Box:
        """Return the box of the write units that lie inside a box as a whole, which may be empty."""
        sizes = zip(box, self.unit, self.shape, strict=True)
        ends = ((-(-low // unit) * unit, high if high == n else high // unit * unit) for (low, high), unit, n in sizes)
        return tuple((low, max(low, high)) for low, high in ends)

    def touched(self, boxes: Iterable[Box]) -> npt.NDArray[np.bool_]:
        """Return which write units some boxes of pixels touch, on the grid of all."""
        mask = np.zeros(self.grid, bool)
        for box in boxes:
            mask[window_of(self.in_units(box))] = True
        return mask

    def count_units(self, box: Box) -> int:
        """Return the number of write units that a box touches."""
        return volume(self.in_units(box)) if volume(box) else 0


def layout_of(array: zarr.Array[Any]) -> Layout:
    """Return what an array on disk looks like."""
    name, unit = name_of(array.store_path), array.shards or array.chunks
    return Layout(name, array.shape, array.chunks, unit, array.dtype.itemsize)
