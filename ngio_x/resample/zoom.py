"""Zoom numpy and dask arrays. Whatever the blocks, the pixels are the same, bit for bit."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import dask.array as da
import numpy as np
import numpy.typing as npt
from dask.array.core import concatenate3, normalize_chunks
from dask.base import tokenize
from dask.highlevelgraph import HighLevelGraph

from ngio_x._frozen import named, positive, to_floats, to_ints
from ngio_x.errors import NgioTypeError, NgioValueError
from ngio_x.resample.evaluate import Window, support_of, zoom_window
from ngio_x.resample.kernels import Kernel, Order, kernel_for


def numpy_zoom(
    source_array: npt.NDArray[Any],
    scale: Sequence[float] | None = None,
    target_shape: Sequence[int] | None = None,
    order: Order = "linear",
) -> npt.NDArray[Any]:
    """Zoom an array; exactly one of `scale` and `target_shape` is given, one number an axis.

    The dtype is kept: integers are rounded half away from zero. The border samples extend beyond the border.

    Args:
        source_array: Any array without empty axes.
        scale: Factors, > 0; the new size is `max(1, round(n * factor))`, halves to even.
        target_shape: New sizes, > 0.
        order: How outputs are made of inputs: `"nearest"` takes the one at the output's centre, `"linear"` blends the
            two around it, `"cubic"` evaluates the cubic spline through them; of all inputs that an output covers,
            `"mean"` is the area-weighted mean, `"mode"` the value of the largest area, `"max"` and `"min"` the
            extremes. 0, 1 and 3 (or 2) mean nearest, linear and cubic. Only nearest, mode, max and min take booleans,
            and only the others and nearest complex numbers.

    Raises:
        NgioValueError: If shapes, factors or `order` make no sense.
    """
    source = np.asarray(source_array)
    shape = _target_shape(source.shape, scale, target_shape)
    kernel = kernel_for(order, source.dtype)
    if shape == source.shape:
        return source.copy()
    whole = tuple(slice(0, size) for size in shape)
    return zoom_window(source.__getitem__, source.shape, shape, whole, kernel)


def dask_zoom(
    source_array: da.Array,
    scale: Sequence[float] | None = None,
    target_shape: Sequence[int] | None = None,
    order: Order = "linear",
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


def _target_shape(
    shape: tuple[int, ...], scale: Sequence[float] | None, target_shape: Sequence[int] | None
) -> tuple[int, ...]:
    """Return the checked shape of the result."""
    if (scale is None) == (target_shape is None):
        raise NgioValueError("give either scale or target_shape")
    if 0 in shape:
        raise NgioValueError(f"an array of shape {shape} has no samples to zoom")
    label, convert = ("scale", to_floats) if target_shape is None else ("target_shape", to_ints)
    numbers = named(label, positive(convert))(scale if target_shape is None else target_shape)
    if len(numbers) != len(shape):
        raise NgioValueError(f"{label} must have one number for each of the {len(shape)} axes, got {numbers}")
    if target_shape is not None:
        return tuple(numbers)
    return tuple(zoomed_size(size, factor) for size, factor in zip(shape, numbers, strict=True))


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
