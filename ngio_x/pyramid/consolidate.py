"""Fill the levels of a pyramid on disk, each from the next finer one, one write unit at a time."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

import numpy as np
import zarr
from dask.base import compute
from dask.delayed import delayed

from ngio_x.errors import NgioTypeError, NgioValueError
from ngio_x.resample.evaluate import Window, support_of, within, zoom_window
from ngio_x.resample.kernels import Kernel, Order, kernel_for

Mode = Literal["dask", "numpy", "coarsen"]
Progress = Callable[[int], object]
"""Called with the number of write units that have just been written."""


def on_disk_zoom(
    source: zarr.Array[Any],
    target: zarr.Array[Any],
    order: Order = "linear",
    mode: Mode = "dask",
    *,
    progress: Progress | None = None,
) -> None:
    """Zoom one zarr array into another of the same dtype, write unit (shard, else chunk) by write unit.

    Memory holds a few write units and what they are made of, whatever the size of the arrays.

    Args:
        source: Is only read.
        target: Its shape is the target shape.
        order: `"nearest"`, `"linear"`, `"cubic"`, `"mean"`, `"mode"`, `"max"` or `"min"`; see `numpy_zoom`.
        mode: `"dask"` works on the active dask scheduler, `"numpy"` in the calling thread; the pixels are the same.
            `"coarsen"` is `"dask"` with linear replaced by mean, and nearest by mode.
        progress: Called with 1 for every write unit, where tasks run in this process.

    Raises:
        NgioTypeError: If source or target is no zarr array.
        NgioValueError: If they do not fit each other, or an argument is unknown.
    """
    kernel = _checked(source, target, order, mode)
    if mode == "numpy":
        for window in write_units(target):
            _zoom_unit(source, target, window, kernel, progress)
        return
    task = delayed(_zoom_unit, pure=False)
    compute([task(source, target, window, kernel, progress) for window in write_units(target)])


def consolidate_pyramid(
    source: zarr.Array[Any],
    targets: Sequence[zarr.Array[Any]],
    order: Order = "linear",
    mode: Mode = "dask",
    *,
    progress: Progress | None = None,
) -> None:
    """Fill the coarser levels of a pyramid, each from the smallest finer one that is there already.

    Args:
        source: The finest level; it is only read.
        targets: The coarser levels, in any order; none larger than `source`. The list itself is not changed.
        order: As in `on_disk_zoom`.
        mode: As in `on_disk_zoom`.
        progress: As in `on_disk_zoom`.

    Raises:
        NgioTypeError: If something is no zarr array.
        NgioValueError: If an array does not fit, or a target is larger than the source. Nothing is written then.
    """
    arrays = [source, *targets]
    for index, array in enumerate(arrays):
        _require_array(f"target {index - 1}" if index else "source", array)
    edges = consolidation_order([array.shape for array in arrays])
    for finer, coarser in edges:
        _checked(arrays[finer], arrays[coarser], order, mode)
    for finer, coarser in edges:
        on_disk_zoom(arrays[finer], arrays[coarser], order, mode, progress=progress)


def consolidation_order(shapes: Sequence[Sequence[int]]) -> list[tuple[int, int]]:
    """Return `(finer, coarser)` pairs of indices, in the order in which to fill the levels; index 0 is the source.

    Raises:
        NgioValueError: If a level is larger than the source along an axis.
    """
    for index, shape in enumerate(shapes):
        if len(shape) != len(shapes[0]):
            raise NgioValueError(f"target {index - 1} has the shape {tuple(shape)}, the source {tuple(shapes[0])}")
        if any(m > n for n, m in zip(shapes[0], shape, strict=True)):
            raise NgioValueError(
                f"target {index - 1} with shape {tuple(shape)} is larger than the source with shape "
                f"{tuple(shapes[0])}: consolidate from the finest level"
            )
    done, pairs = [0], []
    for index in sorted(range(1, len(shapes)), key=lambda index: -math.prod(shapes[index])):
        holds = [k for k in done if all(m <= n for n, m in zip(shapes[k], shapes[index], strict=True))]
        pairs.append((min(holds, key=lambda k: math.prod(shapes[k])), index))
        done.append(index)
    return pairs


def write_units(array: zarr.Array[Any]) -> Iterator[Window]:
    """Return the windows of an array that are written as a whole: its shards, else its chunks."""
    unit = array.shards or array.chunks
    steps = [range(0, size, length) for size, length in zip(array.shape, unit, strict=True)]
    for corner in itertools.product(*steps):
        yield tuple(
            slice(at, min(at + length, size)) for at, length, size in zip(corner, unit, array.shape, strict=True)
        )


def count_units(array: zarr.Array[Any]) -> int:
    """Return the number of write units of an array."""
    return math.prod(-(-size // unit) for size, unit in zip(array.shape, array.shards or array.chunks, strict=True))


def _checked(source: Any, target: Any, order: object, mode: object) -> Kernel:
    _require_array("source", source)
    _require_array("target", target)
    if mode not in ("dask", "numpy", "coarsen"):
        raise NgioValueError(f"mode must be 'dask', 'numpy' or 'coarsen', got {mode!r}")
    if source.dtype.newbyteorder("=") != target.dtype.newbyteorder("="):
        raise NgioValueError(f"source and target must have one dtype, got {source.dtype} and {target.dtype}")
    if source.ndim != target.ndim:
        raise NgioValueError(f"source and target must have as many axes, got {source.shape} and {target.shape}")
    if 0 in source.shape or 0 in target.shape:
        raise NgioValueError(f"arrays without pixels cannot be zoomed, got {source.shape} and {target.shape}")
    if str(source.store_path) == str(target.store_path):  # one place may be reached through different stores
        raise NgioValueError(f"source and target are the same array: {source.store_path}")
    kernel = kernel_for(order, source.dtype)
    return _coarsening(kernel, source.dtype) if mode == "coarsen" else kernel


def _coarsening(kernel: Kernel, dtype: Any) -> Kernel:
    """Return the kernel that `mode="coarsen"` means: all inputs that an output covers count."""
    if kernel.name == "cubic":
        raise NgioValueError("mode='coarsen' has no cubic: use order='mean', or another mode")
    return kernel_for({"linear": "mean", "nearest": "mode"}.get(kernel.name, kernel.name), dtype)


def _require_array(label: str, array: Any) -> None:
    if not isinstance(array, zarr.Array):
        raise NgioTypeError(f"{label} must be a zarr array, got {type(array).__name__}")


def _zoom_unit(
    source: zarr.Array[Any], target: zarr.Array[Any], window: Window, kernel: Kernel, progress: Progress | None
) -> None:
    support = support_of(kernel, source.shape, target.shape, window)
    values = np.asarray(source[support])  # at once: chunks are read as a whole

    def read(part: Window) -> Any:
        return values[within(part, support)]

    target[window] = zoom_window(read, values.dtype, source.shape, target.shape, window, kernel)
    if progress is not None:
        progress(1)
