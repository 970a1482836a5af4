"""From the rows of a kernel to the samples of a window."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from ngio_x.resample.axis import Array, Axis
from ngio_x.resample.blend import sums
from ngio_x.resample.choose import extremes, most_common, ones
from ngio_x.resample.kernels import Kernel, common_of

Window: TypeAlias = tuple[slice, ...]

_BLOCK_BYTES: Final = 2**20
"""Bytes that are read at a time, so that intermediates stay in the cache."""
_ROW: Final = 1024
"""Outputs along the last axis that are evaluated at a time, at most; more if there are few rows."""


def support_of(kernel: Kernel, shape: Sequence[int], target_shape: Sequence[int], window: Window) -> Window:
    """Return the window of the input that a window of the output is made of."""
    return tuple(kernel.support(n, m, part) for n, m, part in zip(shape, target_shape, window, strict=True))


def zoom_window(
    read: Callable[[Window], Array],
    dtype: np.dtype[Any],
    shape: Sequence[int],
    target_shape: Sequence[int],
    window: Window,
    kernel: Kernel,
) -> Array:
    """Evaluate one window of a zoomed array, block by block.

    Args:
        read: Returns a window of the input; it is called once for each block, with windows that may overlap, and what
            it returns is not written to.
        dtype: Of the input and the output.
        shape: Shape of the whole input.
        target_shape: Shape of the whole output.
        window: The window of the output, with start and stop on each axis.
        kernel: From `kernel_for`.
    """
    out = np.empty([part.stop - part.start for part in window], dtype)
    sizes = list(zip(shape, target_shape, strict=True))
    # The order of the axes depends on the whole shapes only: reducing first saves work.
    changed = sorted(
        (axis for axis, (n, m) in enumerate(sizes) if n != m), key=lambda axis: target_shape[axis] / shape[axis]
    )
    # Mode holds all candidates of an output at a time, the others little more than the inputs.
    candidates = math.prod(common_of(kernel, *sizes[axis]).width for axis in changed)
    held = candidates if kernel.combine == "mode" else math.prod(max(1.0, n / m) for n, m in sizes)
    for block in _blocks(window, held * dtype.itemsize):
        needed = support_of(kernel, shape, target_shape, block)
        axes = [
            Axis(axis, kernel, *sizes[axis], block[axis].start, block[axis].stop, needed[axis].start)
            for axis in changed
        ]
        out[within(block, window)] = _evaluate(read(needed), axes, kernel)
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


def _blocks(window: Window, bytes_each: float) -> Iterator[Window]:
    """Cut outputs into blocks that fit the cache, with long rows, because that is how memory is laid out."""
    left = max(1, int(_BLOCK_BYTES / bytes_each))
    rows = math.prod(part.stop - part.start for part in window[:-1])
    row = max(_ROW, min(left // rows, 16 * _ROW))
    edges: list[list[int]] = []
    for part in reversed(window):
        size = part.stop - part.start
        longest = min(size, left, left if edges else row)
        step = -(-size // -(-size // longest))  # as even as can be: a narrow rest would cost as much as a block
        left = max(1, left // step)
        edges.append([*range(part.start, part.stop, step), part.stop])
    for corner in itertools.product(*(itertools.pairwise(each) for each in reversed(edges))):
        yield tuple(slice(low, high) for low, high in corner)


def within(part: Window, whole: Window) -> Window:
    """Return a window as positions in an array that holds a larger one."""
    return tuple(slice(a.start - b.start, a.stop - b.start) for a, b in zip(part, whole, strict=True))


def gathered(blocks: Sequence[tuple[npt.NDArray[Any], Window]], window: Window) -> npt.NDArray[Any]:
    """Return the pixels of a window from blocks that cover it, each with its place; a part of one is not copied."""
    pixels = np.empty([side.stop - side.start for side in window], blocks[0][0].dtype)
    for block, place in blocks:
        both = tuple(slice(max(a.start, b.start), min(a.stop, b.stop)) for a, b in zip(window, place, strict=True))
        if both == window:
            return block[within(window, place)]
        if all(side.start < side.stop for side in both):
            pixels[within(both, window)] = block[within(both, place)]
    return pixels
