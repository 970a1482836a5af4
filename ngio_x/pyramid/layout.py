"""Sizes of chunks and shards where none are given: decided by the names of axes, never by their places."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

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
