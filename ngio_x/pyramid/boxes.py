"""Boxes of pixels: half-open integer intervals along each axis."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ngio_x.resample.evaluate import Window

Span: TypeAlias = tuple[int, int]
"""Start and stop along an axis."""
Box: TypeAlias = tuple[Span, ...]
"""Start and stop along each axis."""


def volume(box: Box) -> int:
    """Return the number of pixels in a box."""
    return math.prod(high - low for low, high in box)


def common(a: Box, b: Box) -> Box:
    """Return what two boxes have in common; where that is nothing, an axis ends before it starts."""
    return tuple((max(low, other), min(high, end)) for (low, high), (other, end) in zip(a, b, strict=True))


def overlap(a: Box, b: Box) -> bool:
    """Whether two boxes have a pixel in common."""
    return all(low < high for low, high in common(a, b))


def are_apart(boxes: Sequence[Box]) -> bool:
    """Whether no two boxes overlap: together they fill as much as they have."""
    if len(boxes) < 2:
        return True
    ends = np.asarray(boxes)
    corner = ends[:, :, 0].min(axis=0)
    filled = np.zeros(ends[:, :, 1].max(axis=0) - corner, bool)
    for box in ends - corner[:, np.newaxis]:
        filled[window_of(box.tolist())] = True
    return int(filled.sum()) == sum(map(volume, boxes))


def aligned(span: Span, step: int, size: int) -> Span:
    """Return the span of all steps of an axis that a span touches."""
    return span[0] // step * step, min(-(-span[1] // step) * step, size)


def window_of(box: Sequence[Span]) -> Window:
    """Return a box as slices."""
    return tuple(slice(low, high) for low, high in box)


def boxes_of(mask: npt.NDArray[np.bool_]) -> Iterator[Box]:
    """Cut what is true into boxes, which do not overlap."""
    if mask.ndim == 0:
        if mask:
            yield ()
        return
    differs = (mask[1:] != mask[:-1]).any(axis=tuple(range(1, mask.ndim)))
    for low, high in itertools.pairwise([0, *(np.flatnonzero(differs) + 1).tolist(), len(mask)]):
        for rest in boxes_of(mask[low]):
            yield ((low, high), *rest)
