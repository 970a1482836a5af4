"""Zoom numpy and dask arrays. Whatever the blocks, the pixels are the same, bit for bit."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import dask.array as da
import numpy as np
import numpy.typing as npt
from dask.array.core import concatenate3, normalize_chunks
from dask.base import tokenize
from dask.highlevelgraph import HighLevelGraph

from ngio_x._frozen import positive, to_floats, to_ints
from ngio_x.errors import NgioTypeError, NgioValueError
from ngio_x.resample.kernels import InterpolationOrder, Kernel, Rows, kernel_for, nearest

Window = tuple[slice, ...]

_BLOCK_BYTES: Final = 2**18
"""Output bytes that `numpy_zoom` evaluates at a time, so that intermediates stay in the cache."""


def numpy_zoom(
    source_array: npt.NDArray[Any],
    scale: Sequence[float] | None = None,
    target_shape: Sequence[int] | None = None,
    order: InterpolationOrder = "linear",
) -> npt.NDArray[Any]:
    """Zoom an array; exactly one of `scale` and `target_shape` is given, one number an axis.

    The dtype is kept: integers are rounded half away from zero. The border samples extend beyond the border.

    Args:
        source_array: Any array without empty axes.
        scale: Factors, > 0; the new size is `max(1, round(n * factor))`, halves to even.
        target_shape: New sizes, > 0.
        order: `"nearest"` or `"linear"`.

    Raises:
        NgioValueError: If shapes, factors or `order` make no sense.
    """
    source = np.asarray(source_array)
    shape = _target_shape(source.shape, scale, target_shape)
    kernel = kernel_for(order, source.dtype)
    if shape == source.shape:
        return source.copy()
    out = np.empty(shape, source.dtype)
    for window in _blocks(shape, source.dtype.itemsize):
        out[window] = zoom_window(source.__getitem__, source.shape, shape, window, kernel)
    return out


def dask_zoom(
    source_array: da.Array,
    scale: Sequence[float] | None = None,
    target_shape: Sequence[int] | None = None,
    order: InterpolationOrder = "linear",
) -> da.Array:
    """Zoom a dask array lazily; arguments, errors and pixels are those of `numpy_zoom`.

    Each output block gathers the input samples it needs and nothing else; output blocks are about as large as the
    input's.
    """
    if not isinstance(source_array, da.Array):
        raise NgioTypeError(f"dask_zoom takes a dask array, got {type(source_array).__name__}: use numpy_zoom")
    if any(math.isnan(size) for size in source_array.shape):
        raise NgioValueError("the array's shape is unknown: call compute_chunk_sizes() first")
    shape = _target_shape(source_array.shape, scale, target_shape)
    kernel = kernel_for(order, source_array.dtype)
    if shape == source_array.shape:
        return source_array
    chunks = normalize_chunks(tuple(map(min, source_array.chunksize, shape)), shape, dtype=source_array.dtype)
    name = f"zoom-{tokenize(source_array, shape, order)}"
    edges = [np.cumsum((0, *sizes)) for sizes in source_array.chunks]
    graph: dict[Any, Any] = {}
    starts = [np.cumsum((0, *sizes)) for sizes in chunks]
    for block in itertools.product(*(range(len(sizes)) for sizes in chunks)):
        window = tuple(slice(int(s[i]), int(s[i + 1])) for s, i in zip(starts, block, strict=True))
        support = support_of(kernel, source_array.shape, shape, window)
        held = [_overlapped(e, needed) for e, needed in zip(edges, support, strict=True)]
        offsets = tuple(int(e[blocks[0]]) for e, blocks in zip(edges, held, strict=True))
        keys = _nested_keys(source_array.name, held, ())
        graph[name, *block] = (_zoom_blocks, keys, offsets, source_array.shape, shape, window, kernel)
    layers = HighLevelGraph.from_collections(name, graph, dependencies=[source_array])  # type: ignore[list-item]
    return da.Array(layers, name, chunks, meta=source_array._meta)  # noqa: SLF001 — dask's own way to pass it on


def zoomed_size(size: int, factor: float) -> int:
    """Return the size of an axis after zooming: `max(1, round(size * factor))`, halves to even."""
    return max(1, round(size * factor))


def support_of(kernel: Kernel, shape: Sequence[int], target_shape: Sequence[int], window: Window) -> Window:
    """Return the window of the input that a window of the output is made of."""
    return tuple(rows.support for rows in _rows(kernel, shape, target_shape, window))


def zoom_window(
    read: Callable[[Window], npt.NDArray[Any]],
    shape: Sequence[int],
    target_shape: Sequence[int],
    window: Window,
    kernel: Kernel,
) -> npt.NDArray[Any]:
    """Evaluate one window of a zoomed array.

    Args:
        read: Returns a window of the input.
        shape: Shape of the whole input.
        target_shape: Shape of the whole output.
        window: The window of the output, with start and stop on each axis.
        kernel: From `kernel_for`.
    """
    rows = _rows(kernel, shape, target_shape, window)
    support = tuple(each.support for each in rows)
    values = read(support)
    dtype = values.dtype
    changed = [axis for axis in range(len(rows)) if target_shape[axis] != shape[axis]]
    if kernel is not nearest and changed:
        values = _summands(values)
    # The order of the axes depends on the whole shapes only: reducing first saves work.
    for axis in sorted(changed, key=lambda axis: target_shape[axis] / shape[axis]):
        values = _along_axis(values, axis, rows[axis], support[axis].start, bounded=dtype.itemsize >= 8)
    return _rounded(values, dtype)


def _rows(kernel: Kernel, shape: Sequence[int], target_shape: Sequence[int], window: Window) -> list[Rows]:
    return [
        # An axis that does not change is copied, whatever the kernel.
        (nearest if n == m else kernel)(n, m, part.start, part.stop)
        for n, m, part in zip(shape, target_shape, window, strict=True)
    ]


def _along_axis(values: npt.NDArray[Any], axis: int, rows: Rows, offset: int, *, bounded: bool) -> npt.NDArray[Any]:
    """Blend along one axis. An upper sample of weight 0 is not read, so that its NaN or infinity stays where it is.

    Args:
        values: The samples.
        axis: The axis to blend along.
        rows: Which samples each output is made of.
        offset: The sample at position 0 of `values`.
        bounded: Keep rounding errors from leaving the interval between two samples. Types narrower than the one that
            sums are made in need no such care.
    """
    lower = values.take(rows.lower - offset, axis)
    blended = rows.weight > 0
    if not blended.any():
        return lower
    where = (slice(None),) * axis + (slice(None) if blended.all() else blended,)
    weight = rows.weight[blended].reshape((-1,) + (1,) * (values.ndim - 1 - axis)).astype(values.dtype)
    first, second = lower[where], values.take(rows.upper[blended] - offset, axis)
    with np.errstate(over="ignore", invalid="ignore"):  # of the largest numbers, and of infinities of both signs
        between = first * (1 - weight)
        between += second * weight
    if bounded:
        np.clip(between, np.minimum(first, second), np.maximum(first, second), out=between)
    lower[where] = between
    return lower


def _summands(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the values in the type that sums are made in: exact for integers up to 32 bits at factors of 2.

    Complex numbers become pairs along a last axis, so that an infinite part leaves the other alone.
    """
    dtype = values.dtype
    if dtype.kind == "c":
        wide = np.result_type(dtype, np.complex128)
        pairs: npt.NDArray[Any] = values.astype(wide, order="C")[..., np.newaxis].view(np.zeros(0, wide).real.dtype)
        return pairs
    # The 64 bits of mantissa of a long double, where the machine has them, hold integers of 64 bits.
    is_long = dtype.kind in "iu" and dtype.itemsize == 8
    summands: npt.NDArray[Any] = values.astype(np.longdouble if is_long else np.result_type(dtype, np.float64))
    return summands


def _rounded(values: npt.NDArray[Any], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Return the values in the given type; integers are rounded half away from zero."""
    if dtype.kind == "c" and values.dtype.kind == "f":
        values = values.view(np.result_type(values.dtype, np.complex64))[..., 0]
    rounded: npt.NDArray[Any]
    if values.dtype == dtype or dtype.kind not in "iu":
        return values.astype(dtype, copy=False)
    if dtype.itemsize < 8:  # a blend lies between its inputs, so that it fits
        rounded = np.trunc(values + np.copysign(0.5, values))
        return rounded.astype(dtype)
    rounded = np.trunc(values)  # adding 0.5 to an integer of 64 bits would itself round
    rounded += np.where(np.abs(values - rounded) >= 0.5, np.copysign(1.0, values), 0.0)
    largest = np.iinfo(dtype).max
    top = rounded >= values.dtype.type(largest)  # where a long double is a double, that is 2⁶³ or 2⁶⁴: one too many
    result = np.where(top, 0, rounded).astype(dtype)
    result[top] = largest
    return result


def _target_shape(
    shape: tuple[int, ...], scale: Sequence[float] | None, target_shape: Sequence[int] | None
) -> tuple[int, ...]:
    """Return the checked shape of the result."""
    if (scale is None) == (target_shape is None):
        raise NgioValueError("give either scale or target_shape")
    if 0 in shape:
        raise NgioValueError(f"an array of shape {shape} has no samples to zoom")
    label, convert = ("scale", to_floats) if target_shape is None else ("target_shape", to_ints)
    try:
        numbers = positive(convert)(scale if target_shape is None else target_shape)
    except NgioValueError as error:
        raise NgioValueError(f"{label} {error}") from None
    if len(numbers) != len(shape):
        raise NgioValueError(f"{label} must have one number for each of the {len(shape)} axes, got {numbers}")
    if target_shape is not None:
        return tuple(numbers)
    return tuple(zoomed_size(size, factor) for size, factor in zip(shape, numbers, strict=True))


def _blocks(shape: tuple[int, ...], itemsize: int) -> Iterator[Window]:
    """Cut an output into blocks of about `_BLOCK_BYTES`."""
    chunks = normalize_chunks("auto", shape, limit=_BLOCK_BYTES, dtype=np.dtype(f"V{itemsize}"))
    starts = [np.cumsum((0, *sizes)).tolist() for sizes in chunks]
    for corner in itertools.product(*(itertools.pairwise(s) for s in starts)):
        yield tuple(slice(low, high) for low, high in corner)


def _overlapped(edges: npt.NDArray[Any], needed: slice) -> range:
    """Return the blocks, given by their edges, that hold the samples `needed`."""
    first = int(np.searchsorted(edges, needed.start, side="right")) - 1
    last = int(np.searchsorted(edges, needed.stop, side="left"))
    return range(first, last)


def _nested_keys(name: str, held: Sequence[range], prefix: tuple[int, ...]) -> Any:
    """Return the keys of a box of blocks as nested lists, the form that `concatenate3` joins."""
    if not held:
        return (name, *prefix)
    return [_nested_keys(name, held[1:], (*prefix, index)) for index in held[0]]


def _zoom_blocks(
    blocks: Any,
    offsets: tuple[int, ...],
    shape: tuple[int, ...],
    target_shape: tuple[int, ...],
    window: Window,
    kernel: Kernel,
) -> npt.NDArray[Any]:
    """Evaluate an output block from the input blocks around it, the first of which starts at `offsets`."""
    values = concatenate3(blocks)

    def read(support: Window) -> npt.NDArray[Any]:
        local = zip(support, offsets, strict=True)
        return np.asarray(values[tuple(slice(part.start - at, part.stop - at) for part, at in local)])

    return zoom_window(read, shape, target_shape, window, kernel)
