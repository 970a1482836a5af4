"""From the rows of a kernel to the samples of a window."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeAlias

import numpy as np

from ngio_x.resample.blend import sums
from ngio_x.resample.choose import Array, Axis, extremes, most_common, ones
from ngio_x.resample.kernels import Kernel

Window: TypeAlias = tuple[slice, ...]

_BLOCK_BYTES: Final = 2**20
"""Bytes that are read or written at a time, so that intermediates stay in the cache."""
_ROW: Final = 1024
"""Outputs along the last axis that are evaluated at a time, at most."""


def support_of(kernel: Kernel, shape: Sequence[int], target_shape: Sequence[int], window: Window) -> Window:
    """Return the window of the input that a window of the output is made of."""
    return tuple(kernel.support(n, m, part) for n, m, part in zip(shape, target_shape, window, strict=True))


def zoom_window(
    read: Callable[[Window], Array], shape: Sequence[int], target_shape: Sequence[int], window: Window, kernel: Kernel
) -> Array:
    """Evaluate one window of a zoomed array, block by block.

    Args:
        read: Returns a window of the input; what it returns is not written to.
        shape: Shape of the whole input.
        target_shape: Shape of the whole output.
        window: The window of the output, with start and stop on each axis.
        kernel: From `kernel_for`.
    """
    support = support_of(kernel, shape, target_shape, window)
    values = read(support)
    out = np.empty([part.stop - part.start for part in window], values.dtype)
    # The order of the axes depends on the whole shapes only: reducing first saves work.
    changed = sorted(
        (axis for axis, (n, m) in enumerate(zip(shape, target_shape, strict=True)) if n != m),
        key=lambda axis: target_shape[axis] / shape[axis],
    )
    for block in _blocks(window, values.size / max(out.size, 1), values.itemsize):
        needed = support_of(kernel, shape, target_shape, block)
        axes = [
            Axis(axis, kernel, shape[axis], target_shape[axis], block[axis].start, block[axis].stop, needed[axis].start)
            for axis in changed
        ]
        out[_within(block, window)] = _evaluate(values[_within(needed, support)], axes, kernel)
    return out


def _evaluate(values: Array, axes: Sequence[Axis], kernel: Kernel) -> Array:
    """Return the outputs of a kernel along some axes."""
    if not axes:
        return values
    match kernel.combine:
        case "sum":
            return sums(values, axes)
        case "one":
            return ones(values, axes)
        case "max":
            return extremes(values, axes, np.maximum)
        case "min":
            return extremes(values, axes, np.minimum)
        case "mode":
            return most_common(values, axes)


def _blocks(window: Window, inputs: float, itemsize: int) -> Iterator[Window]:
    """Cut outputs, made of so many inputs each, into blocks with long rows, because that is how memory is laid out."""
    left = max(1, int(_BLOCK_BYTES / itemsize / max(inputs, 1.0)))
    edges = []
    for part in reversed(window):
        size = part.stop - part.start
        longest = min(size, left, left if edges else _ROW)
        step = -(-size // -(-size // longest))  # as even as can be: a narrow rest would cost as much as a block
        left = max(1, left // step)
        edges.append([*range(part.start, part.stop, step), part.stop])
    for corner in itertools.product(*(itertools.pairwise(each) for each in reversed(edges))):
        yield tuple(slice(low, high) for low, high in corner)


def _within(part: Window, whole: Window) -> Window:
    """Return a window as positions in an array that holds a larger one."""
    return tuple(slice(a.start - b.start, a.stop - b.start) for a, b in zip(part, whole, strict=True))
