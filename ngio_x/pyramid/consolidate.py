"""Fill the levels of a pyramid on disk, each from the next finer one, as a plan says."""

from __future__ import annotations

import pickle
from collections.abc import Hashable, Iterable, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
import zarr

from ngio_x._frozen import named, one_of, shown, to_names
from ngio_x.errors import NgioArrayTypeError, NgioTypeError, NgioValueError
from ngio_x.pyramid.boxes import Box
from ngio_x.pyramid.execute import run_here, run_on_dask, runs_in_this_process
from ngio_x.pyramid.intact import intact
from ngio_x.pyramid.layout import layout_of
from ngio_x.pyramid.marker import Mark, marked, marks_of, new_mark, remove_marks, seen_marks
from ngio_x.pyramid.places import anchored, identity_of, is_in_memory
from ngio_x.pyramid.plan import PyramidPlan
from ngio_x.pyramid.planner import levels_order, plan_changes, plan_whole
from ngio_x.pyramid.progress import Progress, counter
from ngio_x.pyramid.regions import RegionLike, boxes_from
from ngio_x.pyramid.stamp import changing
from ngio_x.resample.kernels import Kernel, Order, kernel_for

Mode: TypeAlias = Literal["dask", "numpy", "coarsen"]


def on_disk_zoom(
    source: zarr.Array[Any],
    target: zarr.Array[Any],
    order: Order = "linear",
    mode: Mode = "dask",
    *,
    progress: Progress = False,
) -> None:
    """Zoom one zarr array into another of the same dtype.

    Each write unit (shard, else chunk) of the target is written once, by one writer. Memory holds a few of them and
    what they are made of, whatever the size of the arrays.

    Args:
        source: Is only read.
        target: Its shape is the target shape, which may be larger than that of the source.
        order: `"nearest"`, `"linear"`, `"cubic"`, `"mean"`, `"mode"`, `"max"` or `"min"`; see `numpy_zoom`.
        mode: `"dask"` works on the active dask scheduler, `"numpy"` in the calling thread; the pixels are the same.
            `"coarsen"` is `"dask"` with linear replaced by mean, and nearest by mode; it has no cubic.
        progress: See `consolidate_pyramid`.

    Raises:
        NgioArrayTypeError: If source or target is not a zarr array; it is both a TypeError and a ValueError.
        NgioValueError: If they do not fit each other, the target cannot be written to, or an argument is unknown.
        NgioStorageError: If pixels cannot be read or written. A mark stays at the target then.
    """
    arrays = [source, target]
    kernel = _kernel_for(arrays, order, mode)
    left = _left_undone(arrays, everything=True)
    _run(plan_whole([layout_of(array) for array in arrays], kernel, [(0, 1)]), arrays, mode, progress)
    remove_marks([target], left)


def consolidate_pyramid(
    source: zarr.Array[Any],
    targets: Sequence[zarr.Array[Any]],
    order: Order = "linear",
    mode: Mode = "dask",
    regions: Iterable[RegionLike] | None = None,
    *,
    axes: Sequence[str] | None = None,
    progress: Progress = False,
) -> None:
    """Fill the coarser levels of a pyramid, each from the smallest finer one.

    Where it saves reading, a level is made of blocks of the finer one that are still in memory. While it is rebuilt, a
    mark stands beside the chunks of each target; it stays if the run is cut off. `open_ome_zarr` warns of it. The next
    run does the work of runs that were cut off, too, if they were on this machine; a run without `regions` that of any.

    Args:
        source: The finest level; it is only read.
        targets: The coarser levels, in any order; none larger than `source`. The list itself is not changed.
        order: As in `on_disk_zoom`.
        mode: As in `on_disk_zoom`.
        regions: What has changed of the source since its pyramid was consistent. Only pixels that the change reaches
            are made again, and the result is that of rebuilding all. Each region is a tuple of slices and
            positions as numpy takes them, a mapping of such by position or name of an axis, or a `Roi` in pixels, of
            which every pixel that it touches counts. Empty ones are ignored.
        axes: Names of the axes, for regions by name. By default the `dimension_names` of the source.
        progress: True shows a bar on standard error; a function is called with the number of write units done, and of
            all, in the calling thread.

    Raises:
        NgioTypeError: If something is not a zarr array, or not a region.
        NgioValueError: If arrays do not fit each other, a target is larger than the source or cannot be written to, or
            a region reaches beyond the source. Nothing is written then.
        NgioStorageError: If pixels cannot be read or written: it names array and chunk. Marks stay at the targets then.
    """
    arrays = _together(source, targets)
    kernel = _kernel_for(arrays, order, mode)
    changed = _changed(source, regions, axes)
    left = _left_undone(arrays, everything=changed is None)
    if changed is not None:
        changed += [box for mark in left for box in _boxes_of(mark, source)]
    _run(_planned(arrays, kernel, changed), arrays, mode, progress, changed)
    remove_marks(arrays[1:], left)


def plan_pyramid(
    source: zarr.Array[Any],
    targets: Sequence[zarr.Array[Any]],
    order: Order = "linear",
    mode: Mode = "dask",
    regions: Iterable[RegionLike] | None = None,
    *,
    axes: Sequence[str] | None = None,
) -> PyramidPlan:
    """Return what `consolidate_pyramid` would do with these arguments; no pixel is read, and nothing is written.

    What runs that were cut off left undone, and the next run does, is not in it.

    Raises:
        NgioTypeError: As `consolidate_pyramid`.
        NgioValueError: As `consolidate_pyramid`.
    """
    arrays = _together(source, targets)
    kernel = _kernel_for(arrays, order, mode)
    return _planned(arrays, kernel, _changed(source, regions, axes))


def _planned(arrays: Sequence[zarr.Array[Any]], kernel: Kernel, changed: Sequence[Box] | None) -> PyramidPlan:
    layouts = [layout_of(array) for array in arrays]
    edges = levels_order([layout.shape for layout in layouts])
    return plan_whole(layouts, kernel, edges) if changed is None else plan_changes(layouts, kernel, edges, changed)


def _run(
    plan: PyramidPlan,
    arrays: Sequence[zarr.Array[Any]],
    mode: Mode,
    progress: Progress,
    changed: Sequence[Box] | None = None,
) -> None:
    """Do what a plan says, with a mark at the targets meanwhile."""
    report = counter(progress, plan.unit_count)
    if not plan.passes:
        return
    opened = [intact(anchored(array)) for array in arrays]
    written = changing(*(array.store_path for array in arrays[1:]))
    with written, marked(arrays[1:], new_mark(plan.layouts[0].name, changed)):
        (run_here if mode == "numpy" else run_on_dask)(plan, opened, report)


def _changed(
    source: zarr.Array[Any], regions: Iterable[RegionLike] | None, axes: Sequence[str] | None
) -> list[Box] | None:
    """Return the boxes of the source that regions hold, or None for everything."""
    if regions is None:
        return None
    names: Sequence[str | None] | None = getattr(source.metadata, "dimension_names", None)
    if axes is not None:
        names = named("axes", to_names)(axes)
        if len(names) != source.ndim:
            raise NgioValueError(f"axes must name the {source.ndim} axes of the source, got {names}")
    return boxes_from(regions, source.shape, names)


def _left_undone(arrays: Sequence[zarr.Array[Any]], *, everything: bool) -> list[Mark]:
    """Return the marks of runs whose work this run does, too: those that ended, and without regions all but living.

    What is made of a level that such a run has left unfinished is not finished: these marks are not among them.
    """
    source, *targets = arrays
    found = {mark.run: mark for marks in marks_of(targets) for mark in marks}
    for mark in seen_marks([source])[0]:
        found.pop(mark.run, None)
    return [mark for mark in found.values() if mark.is_alive is False or (everything and mark.is_alive is None)]


def _boxes_of(mark: Mark, source: zarr.Array[Any]) -> Sequence[Box]:
    """Return what a run that was cut off was to rebuild; everything, if it was made from another array."""
    layout = layout_of(source)
    if mark.changed is None or mark.source != layout.name:
        return [layout.whole]
    inside = [
        len(box) == source.ndim and all(0 <= low < high <= n for (low, high), n in zip(box, source.shape, strict=True))
        for box in mark.changed
    ]
    return mark.changed if all(inside) else [layout.whole]


def _kernel_for(arrays: Sequence[zarr.Array[Any]], order: object, mode: object) -> Kernel:
    """Return the kernel, after all that can be checked before work begins has been."""
    kernel = checked_kernel(arrays, order, mode)
    if arrays[1:] and mode != "numpy":
        require_within_reach(arrays)
    return kernel


def checked_kernel(arrays: Sequence[zarr.Array[Any]], order: object, mode: object) -> Kernel:
    """Return the kernel, after arrays have been found to be those of one pyramid, of which the coarser can be written.

    Raises:
        NgioTypeError: If something is not a zarr array.
        NgioValueError: If arrays do not fit each other or cannot be written to, or an argument is unknown.
    """
    _require_arrays(arrays)
    named("mode", one_of("dask", "numpy", "coarsen"))(mode)
    source, *targets = arrays
    for index, target in enumerate(targets, 1):
        _require_fit(source, _label(index), target)
        require_writable(target)
    _require_apart(arrays)
    kernel = kernel_for(order, source.dtype)
    return _coarsening(kernel, source.dtype) if mode == "coarsen" else kernel


def require_within_reach(arrays: Sequence[zarr.Array[Any]]) -> None:
    """Raise if tasks of the active dask scheduler would not see arrays, but copies of them."""
    if not runs_in_this_process():
        for array in arrays:
            _require_shared(array)


def _together(source: zarr.Array[Any], targets: Any) -> list[zarr.Array[Any]]:
    if isinstance(targets, (zarr.Array, str)) or not np.iterable(targets):
        raise NgioTypeError(f"targets must be several zarr arrays, got {shown(targets)}: put a single one into a list")
    return [source, *targets]


def _require_arrays(arrays: Sequence[Any]) -> None:
    for index, array in enumerate(arrays):
        if not isinstance(array, zarr.Array):
            raise NgioArrayTypeError(f"{_label(index)} must be a zarr array, got {type(array).__name__}")


def _label(index: int) -> str:
    return f"target {index - 1}" if index else "source"


def _require_fit(source: zarr.Array[Any], label: str, target: zarr.Array[Any]) -> None:
    if source.dtype.newbyteorder("=") != target.dtype.newbyteorder("="):
        raise NgioValueError(f"source and {label} must have one dtype, got {source.dtype} and {target.dtype}")
    if source.ndim != target.ndim:
        raise NgioValueError(f"source and {label} must have as many axes, got {source.shape} and {target.shape}")
    if 0 in source.shape or 0 in target.shape:
        raise NgioValueError(f"arrays without pixels cannot be zoomed, got {source.shape} and {target.shape}")


def require_writable(target: zarr.Array[Any]) -> None:
    """Raise if chunks of an array cannot be written, or replaced."""
    store = target.store_path.store
    if target.read_only:
        raise NgioValueError(f"{target.store_path} is read-only: open it with mode='r+'")
    if not (store.supports_writes and store.supports_deletes):
        raise NgioValueError(f"{target.store_path}: a {type(store).__name__} cannot replace chunks; write elsewhere")


def _require_apart(arrays: Sequence[zarr.Array[Any]]) -> None:
    """Raise if two arrays are one: a place may be reached through different stores."""
    seen: dict[Hashable, int] = {}
    for index, array in enumerate(arrays):
        first = seen.setdefault(identity_of(array.store_path), index)
        if first != index:
            raise NgioValueError(f"{_label(first)} and {_label(index)} are the same array: {array.store_path}")


def _require_shared(array: zarr.Array[Any]) -> None:
    """Raise if other processes would not see the array, but a copy of it."""
    if is_in_memory(array.store_path.store):
        raise NgioValueError(
            f"{array.store_path} is in the memory of this process, and the active dask scheduler works in others: use "
            "mode='numpy', or dask.config.set(scheduler='threads')"
        )
    try:
        pickle.dumps(array)
    except Exception as error:
        raise NgioValueError(
            f"{array.store_path} cannot be sent to the processes of the active dask scheduler ({error}): use "
            "mode='numpy', or dask.config.set(scheduler='threads')"
        ) from error


def _coarsening(kernel: Kernel, dtype: Any) -> Kernel:
    """Return the kernel that `mode="coarsen"` means: all inputs that an output covers count."""
    if kernel.name == "cubic":
        raise NgioValueError("mode='coarsen' has no cubic: use order='mean', or another mode")
    return kernel_for({"linear": "mean", "nearest": "mode"}.get(kernel.name, kernel.name), dtype)
