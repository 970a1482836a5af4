"""Do what a plan says: tasks read, zoom and write, in the calling thread or on the dask scheduler that is active."""

from __future__ import annotations

import itertools
import queue
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final, TypeAlias

import dask.config
import numpy as np
import numpy.typing as npt
import zarr
from dask.base import compute, get_scheduler
from dask.callbacks import Callback
from dask.delayed import delayed
from dask.multiprocessing import get as get_in_processes
from dask.system import CPU_COUNT
from dask.threaded import get as get_in_threads
from zarr.core.sync import sync

from ngio_x.errors import NgioStorageError, NgioValueError
from ngio_x.pyramid.layout import layout_of
from ngio_x.pyramid.places import is_in_memory, name_of
from ngio_x.pyramid.plan import PyramidPlan, Task
from ngio_x.resample.evaluate import Window, within, zoom_window
from ngio_x.resample.kernels import Kernel

_THREAD_BYTES: Final = 64 * 2**20
"""Bytes that tasks may hold for each thread: where one needs more, fewer run at the same time."""
_BATCH: Final = 4096
"""Tasks that are handed to dask at a time, so that what it knows of them does not grow with the image."""

Source: TypeAlias = zarr.Array[Any] | npt.NDArray[Any]
"""What levels are made of: on disk, or in memory."""
Arrays: TypeAlias = Sequence[Any]
"""One for each layout of a plan: zarr arrays, but that the source may be in memory."""
Computed: TypeAlias = Callable[[Task], Any]
"""Returns the pixels of the first level that a task makes, as a delayed object, where they are computed for it."""
Report: TypeAlias = Callable[[int], object]
"""Called with the number of write units that have just been written."""


def run_here(plan: PyramidPlan, arrays: Arrays, report: Report) -> None:
    """Do the tasks of a plan one after the other."""
    for each in plan.passes:
        for task in each.tasks():
            report(run_task(arrays, plan.kernel, task))


def run_on_dask(plan: PyramidPlan, arrays: Arrays, report: Report, computed: Computed | None = None) -> None:
    """Do the tasks of a plan on the active dask scheduler: those of one pass in any order, pass after pass.

    Args:
        plan: What to do.
        arrays: As in the plan.
        report: Called in the calling thread.
        computed: Where the source is computed block by block: what tasks that begin with it take instead.
    """
    step = delayed(run_task, pure=False, traverse=False)
    opened = delayed(list(arrays), traverse=False)  # one node that all tasks refer to
    for _, passes in itertools.groupby(plan.passes, lambda each: each.levels[1:]):
        together = list(passes)
        held = max(each.bytes_held for each in together)
        taken = computed if together[0].levels[0] == 0 else None
        todo = (task for each in together for task in each.tasks())
        tasks = (step(opened, plan.kernel, task, *([taken(task)] if taken else [])) for task in todo)
        # Tasks may share what they are computed of: that is done once only if dask knows all of them.
        while batch := list(itertools.islice(tasks, None if taken else _BATCH)):
            run_batch(batch, held, report)


def run_batch(batch: Sequence[Any], held: int, report: Report) -> None:
    """Compute delayed objects, which return numbers of write units, on the active dask scheduler.

    Args:
        batch: What to do.
        held: Bytes that each of them holds at a time.
        report: Called in the calling thread.
    """
    client = _client()
    if client is None:
        _compute(batch, held, report)
    else:
        _submit(client, batch, report)


def runs_in_this_process() -> bool:
    """Whether the active dask scheduler runs tasks in this process, where they see what is in its memory."""
    scheduler = get_scheduler()
    if isinstance(scheduler, partial):  # the scheduler that works with an executor
        return isinstance(getattr(scheduler.args[0], "__self__", None), ThreadPoolExecutor)
    return scheduler is not get_in_processes and _client() is None


def scheduler_within_reach(arrays: Iterable[zarr.Array[Any]]) -> dict[str, str]:
    """Return dask settings under which tasks see some arrays: for those in memory, threads of this process."""
    here = not runs_in_this_process() and any(is_in_memory(array.store_path.store) for array in arrays)
    return {"scheduler": "threads"} if here else {}


def _client() -> Any:
    """Return the client of `dask.distributed` that computations go to, if they go to one."""
    owner = getattr(get_scheduler(), "__self__", None)  # computations are a method of it
    return owner if hasattr(owner, "cancel") else None


def _compute(batch: Sequence[Any], held: int, report: Report) -> None:
    """Compute with a scheduler of this machine."""
    threads = dask.config.get("num_workers", None) or CPU_COUNT
    fewer = max(1, threads * _THREAD_BYTES // held)
    limited = fewer < threads and get_scheduler() in (None, get_in_threads, get_in_processes)

    keys = {each.key for each in batch}

    def finished(key: Any, result: Any, *_state: Any) -> None:
        if key in keys:
            report(result)

    with Callback(posttask=finished):
        compute(*batch, optimize_graph=False, **({"num_workers": fewer} if limited else {}))


def _submit(client: Any, batch: Sequence[Any], report: Report) -> None:
    """Compute with a cluster, and hear of each task as it is done."""
    done: queue.SimpleQueue[Any] = queue.SimpleQueue()
    futures = client.compute(batch)
    try:
        for future in futures:
            future.add_done_callback(done.put)
        for _ in futures:
            report(done.get().result())
    except BaseException:
        client.cancel(futures)
        raise


def run_task(arrays: Arrays, kernel: Kernel, task: Task, computed: Any = None) -> int:
    """Make and write what a task says; return the number of write units that it has written.

    Args:
        arrays: As in the plan.
        kernel: How pixels are made.
        task: What to do.
        computed: The pixels of the first level, if they need not be made.
    """
    first = task.parts[0]
    target = arrays[first.level]
    if computed is None:
        values = _first_level(arrays[task.source], target, kernel, task)
    else:
        values = _required(computed, first.made, target)
    write(target, values, first.made, first.written)
    for finer, coarser in itertools.pairwise(task.parts):
        target = arrays[coarser.level]
        values = _zoom(values, finer.made, arrays[finer.level].shape, target.shape, coarser.made, kernel)
        write(target, values, coarser.made, coarser.written)
    return task.units


def _required(computed: Any, window: Window, target: zarr.Array[Any]) -> npt.NDArray[Any]:
    """Return computed pixels with the data type that they have on disk, after a look at their shape."""
    values, shape = np.asarray(computed, target.dtype), tuple(part.stop - part.start for part in window)
    if values.shape != shape:
        raise NgioValueError(f"a block of the image that should have shape {shape} was computed as {values.shape}")
    return values


def _first_level(source: Source, target: zarr.Array[Any], kernel: Kernel, task: Task) -> npt.NDArray[Any]:
    """Make the first level of a task, of one piece of the source after the other."""
    pieces = (
        (made, _zoom(read(source, inputs), inputs, source.shape, target.shape, made, kernel))
        for made, inputs in task.pieces
    )
    whole = task.parts[0].made
    if len(task.pieces) == 1:
        return next(pieces)[1]
    values = np.empty([part.stop - part.start for part in whole], source.dtype)
    for made, piece in pieces:
        values[within(made, whole)] = piece
    return values


def _zoom(
    values: npt.NDArray[Any],
    held: Window,
    shape: Sequence[int],
    target_shape: Sequence[int],
    window: Window,
    kernel: Kernel,
) -> npt.NDArray[Any]:
    """Zoom what is held of an array to a window of the next level; a level of the same shape is a view of it."""
    if tuple(shape) == tuple(target_shape):
        return values[within(window, held)]
    return zoom_window(lambda part: values[within(part, held)], values.dtype, shape, target_shape, window, kernel)


def read(source: Source, window: Window) -> npt.NDArray[Any]:
    """Read a window of an array; of one in memory it is a view.

    Raises:
        NgioStorageError: If that fails; it names the chunk.
    """
    if isinstance(source, np.ndarray):
        return source[window]
    try:
        return np.asarray(source[window])
    except Exception as error:
        raise NgioStorageError("read", name_of(source.store_path), *_unreadable(source, window, error)) from error


def _unreadable(source: zarr.Array[Any], window: Window, error: Exception) -> tuple[Window, str]:
    """Return the first chunk of a window that cannot be read, and why; the window, if all can now."""
    for chunk in _pieces(source, window, source.chunks):
        try:
            source[chunk]
        except Exception as again:  # noqa: BLE001 — whatever a store or a codec raises
            return chunk, _reason(again)
    return window, _reason(error)


def _pieces(array: zarr.Array[Any], window: Window, sizes: Sequence[int]) -> Iterator[Window]:
    """Return the chunks, or shards, of an array that a window touches."""
    along = [
        [slice(low, min(low + size, n)) for low in range(part.start // size * size, part.stop, size)]
        for part, size, n in zip(window, sizes, array.shape, strict=True)
    ]
    return itertools.product(*along)


def write(target: zarr.Array[Any], values: npt.NDArray[Any], made: Window, written: Window | None) -> None:
    """Write those of the values made for a window of an array that lie in another window, if there is one.

    Raises:
        NgioStorageError: If that fails; it names the window.
    """
    if written is None:
        return
    part = values[within(written, made)]
    try:
        try:
            target[written] = part
        except Exception:
            # zarr reads a shard before it writes a new one in its place: a damaged one must not prevent that.
            if target.shards is None or not _remove_damaged(target, written):
                raise
            target[written] = part
    except Exception as error:
        raise NgioStorageError("write", name_of(target.store_path), written, _reason(error)) from error


def _remove_damaged(target: zarr.Array[Any], window: Window) -> bool:
    """Remove the shards in a window that cannot be read; return whether there were any."""
    found = False
    for shard in _pieces(target, window, layout_of(target).unit):
        if any(part.start < whole.start or part.stop > whole.stop for part, whole in zip(shard, window, strict=True)):
            continue  # some of it is to be kept
        try:
            target[shard]
        except Exception:  # noqa: BLE001 — whatever a store or a codec raises
            at = tuple(part.start // unit for part, unit in zip(shard, layout_of(target).unit, strict=True))
            sync((target.store_path / target.metadata.encode_chunk_key(at)).delete())
            found = True
    return found


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
