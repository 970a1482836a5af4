"""Zoom numpy and dask arrays. Whatever the blocks, the pixels are the same, bit for bit."""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

import dask.array as da
import numpy as np
import numpy.typing as npt
from dask.array.core import normalize_chunks
from dask.base import tokenize
from dask.highlevelgraph import HighLevelGraph

from ngio_x._frozen import named, positive, shown, to_floats, to_ints
from ngio_x.errors import NgioTypeError, NgioValueError
from ngio_x.resample.evaluate import Window, gathered, zoom_window
from ngio_x.resample.kernels import Kernel, Order, kernel_for

_LARGEST_PRODUCT: Final = 2**60
"""Of the sizes of an axis before and after: positions are kept as 64-bit integers, in shares of a sample."""


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
        NgioTypeError: If the array is masked.
        NgioValueError: If shapes, factors or `order` make no sense.
    """
    _refuse_masks(source_array)
    try:
        source = np.asarray(source_array)
    except (TypeError, ValueError) as error:
        raise NgioTypeError(
            f"source_array must be an array of numbers, got {type(source_array).__name__}: {error}"
        ) from None
    shape = _target_shape(source.shape, scale, target_shape)
    kernel = kernel_for(order, source.dtype)
    if shape == source.shape:
        return source.copy()
    whole = tuple(slice(0, size) for size in shape)
    return zoom_window(source.__getitem__, source.dtype, source.shape, shape, whole, kernel)


def dask_zoom(
    source_array: da.Array,
    scale: Sequence[float] | None = None,
    target_shape: Sequence[int] | None = None,
    order: Order = "linear",
    *,
    chunks: Any = None,
) -> da.Array:
    """Zoom a dask array lazily; arguments, errors and pixels are those of `numpy_zoom`.

    There is one task for each block of the output, which gathers the input blocks around it.

    Args:
        source_array: A dask array of known shape.
        scale: As in `numpy_zoom`.
        target_shape: As in `numpy_zoom`.
        order: As in `numpy_zoom`.
        chunks: Of the output, in any form that dask understands. Default: as large as the largest of the input.

    Raises:
        NgioTypeError: If `source_array` is no dask array, or masked.
        NgioValueError: As `numpy_zoom`; or if the shape is unknown, or `chunks` do not fit the output.
    """
    if not isinstance(source_array, da.Array):
        raise NgioTypeError(f"source_array must be a dask array, got {type(source_array).__name__}: use numpy_zoom")
    _refuse_masks(source_array._meta)  # noqa: SLF001 — an empty array like its blocks
    if any(math.isnan(size) for size in source_array.shape):
        raise NgioValueError("the array's shape is unknown: call compute_chunk_sizes() first")
    shape = _target_shape(source_array.shape, scale, target_shape)
    kernel = kernel_for(order, source_array.dtype)
    wanted = _output_chunks(source_array, shape, chunks)
    if shape == source_array.shape:
        return source_array if chunks is None else source_array.rechunk(wanted)
    axes = [
        _pieces(kernel, n, m, inputs, outputs)
        for n, m, inputs, outputs in zip(source_array.shape, shape, source_array.chunks, wanted, strict=True)
    ]
    name = f"zoom-{tokenize(source_array, shape, kernel.name, wanted)}"
    graph: dict[Any, Any] = {}
    for place in itertools.product(*(range(len(pieces)) for pieces in axes)):
        pieces = [along[index] for along, index in zip(axes, place, strict=True)]
        keys = [(source_array.name, *blocks) for blocks in itertools.product(*(piece.blocks for piece in pieces))]
        starts = tuple(piece.starts for piece in pieces)
        window = tuple(piece.outputs for piece in pieces)
        graph[name, *place] = (_zoom_blocks, keys, starts, source_array.shape, shape, window, kernel)
    layers = HighLevelGraph.from_collections(name, graph, dependencies=[source_array])  # type: ignore[list-item]
    sizes = tuple(tuple(piece.outputs.stop - piece.outputs.start for piece in pieces) for pieces in axes)
    zoomed = da.Array(layers, name, sizes, meta=source_array._meta)  # noqa: SLF001 — dask's own way to pass it on
    return zoomed if sizes == wanted else zoomed.rechunk(wanted)


def zoomed_size(size: int, factor: float) -> int:
    """Return the size of an axis after zooming: `max(1, round(size * factor))`, halves to even."""
    if math.isinf(size * factor):
        raise NgioValueError(f"a scale of {factor!r} is too large: choose a smaller one")
    return max(1, round(size * factor))


def _target_shape(
    shape: tuple[int, ...], scale: Sequence[float] | None, target_shape: Sequence[int] | None
) -> tuple[int, ...]:
    """Return the checked shape of the result."""
    if (scale is None) == (target_shape is None):
        raise NgioValueError(f"give either scale or target_shape, got {'neither' if scale is None else 'both'}")
    if 0 in shape:
        raise NgioValueError(f"the array must have samples along each axis to be zoomed, got shape {shape}")
    label, convert = ("scale", to_floats) if target_shape is None else ("target_shape", to_ints)
    given = scale if target_shape is None else target_shape
    numbers = named(label, positive(convert))(given)
    if len(numbers) != len(shape):
        raise NgioValueError(f"{label} must have one number for each axis of the array's shape {shape}, got {numbers}")
    if target_shape is None:
        numbers = tuple(zoomed_size(size, factor) for size, factor in zip(shape, numbers, strict=True))
    named(f"{label}={shown(given)}:", partial(require_exact, shape))(numbers)
    return tuple(numbers)


def require_exact(shape: Sequence[int], target_shape: Sequence[float]) -> None:
    """Raise if positions along an axis would not be exact, because it has too many samples.

    Raises:
        NgioValueError: It names the sizes.
    """
    for n, m in zip(shape, target_shape, strict=True):
        if n != m and n * m >= _LARGEST_PRODUCT:
            raise NgioValueError(
                f"an axis of {n} samples cannot be zoomed to {m:.6g}, positions would not be exact: "
                "choose a smaller size"
            )


def _refuse_masks(array: Any) -> None:
    if isinstance(array, np.ma.MaskedArray):
        raise NgioTypeError(
            "a masked array cannot be zoomed: the mask would be lost; fill it first, with nan if need be"
        )


def _output_chunks(source: da.Array, shape: tuple[int, ...], chunks: Any) -> tuple[tuple[int, ...], ...]:
    """Return the sizes of the output's blocks along each axis."""
    if chunks is None:
        chunks = tuple(map(min, source.chunksize, shape))
    problem: object = "blocks must not be negative, and must add up to the axes"
    try:
        sizes: tuple[tuple[int, ...], ...] = normalize_chunks(chunks, shape, dtype=source.dtype)
    except (TypeError, ValueError, ZeroDivisionError, NotImplementedError) as error:  # as dask says it
        sizes, problem = (), error
    fit = tuple(map(sum, sizes)) == shape and min(map(min, sizes), default=0) >= 0
    if not fit or (isinstance(chunks, Mapping) and not set(chunks) <= set(range(len(shape)))):
        raise NgioValueError(f"chunks={shown(chunks)} must fit the shape {shape}: {problem}")
    return sizes


class _Piece(NamedTuple):
    """A run of outputs along an axis, and the blocks that hold the inputs it is made of."""

    outputs: slice
    blocks: range
    starts: tuple[int, ...]
    """Where each block begins."""


def _pieces(kernel: Kernel, n: int, m: int, inputs: tuple[int, ...], outputs: tuple[int, ...]) -> list[_Piece]:
    """Cut the outputs along an axis, which come in blocks, into pieces made of about two input blocks at most.

    A block of a much smaller output would need far more inputs at a time than fit in memory.
    """
    most = max(1, 2 * max(inputs) * m // n)
    edges = [0]
    for size in outputs:
        count = -(-size // most)
        edges += [edges[-1] + size * (k + 1) // count for k in range(count)]
    starts = np.cumsum((0, *inputs)).tolist()
    runs, held = [slice(start, stop) for start, stop in itertools.pairwise(edges)], []
    for run in runs:
        needed = kernel.support(n, m, run)
        held.append(range(bisect.bisect_right(starts, needed.start) - 1, bisect.bisect_left(starts, needed.stop)))
    if any(one.stop > other.start for one, other in itertools.pairwise(held)):
        # Where blocks are shared, as many for each piece, needed or not: dask begins with the tasks that wait for the
        # fewest others, all over the image, and would keep a large part of it in memory for the rest.
        most = max(map(len, held))
        held = [range(first, first + most) for first in (min(blocks.start, len(inputs) - most) for blocks in held)]
    return [
        _Piece(run, blocks, tuple(starts[block] for block in blocks)) for run, blocks in zip(runs, held, strict=True)
    ]


def _zoom_blocks(
    blocks: Sequence[npt.NDArray[Any]],
    starts: tuple[tuple[int, ...], ...],
    shape: tuple[int, ...],
    target_shape: tuple[int, ...],
    window: Window,
    kernel: Kernel,
) -> npt.NDArray[Any]:
    """Evaluate a piece of the output from blocks of the input, which begin at `starts` along each axis."""
    held = [
        (block, tuple(slice(at, at + size) for at, size in zip(corner, block.shape, strict=True)))
        for block, corner in zip(blocks, itertools.product(*starts), strict=True)
    ]

    def read(needed: Window) -> npt.NDArray[Any]:
        return gathered(held, needed)

    return zoom_window(read, blocks[0].dtype, shape, target_shape, window, kernel)
