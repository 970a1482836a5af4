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
