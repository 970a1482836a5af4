"""Write all levels of a pyramid at once, from pixels that are in memory or computed block by block."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import dask.array as da
import dask.config
import numpy as np
import numpy.typing as npt
import zarr
from dask.delayed import delayed

from ngio_x._frozen import evolve
from ngio_x.errors import NgioValueError
from ngio_x.pyramid.consolidate import Mode, checked_kernel, require_within_reach, require_writable
from ngio_x.pyramid.execute import Computed, run_here, run_on_dask, runs_in_this_process
from ngio_x.pyramid.intact import intact
from ngio_x.pyramid.layout import Layout, layout_of
from ngio_x.pyramid.places import anchored
from ngio_x.pyramid.plan import Pass, PyramidPlan, Task
from ngio_x.pyramid.planner import levels_order, plan_whole
from ngio_x.pyramid.progress import Progress, counter
from ngio_x.resample.evaluate import Window, within
from ngio_x.resample.kernels import Kernel, Order


def build_pyramid(
    pixels: npt.ArrayLike | da.Array,
    arrays: Sequence[zarr.Array[Any]],
    order: Order = "linear",
    mode: Mode = "dask",
    *,
    progress: Progress = False,
) -> None:
    """Write pixels to the finest level of a pyramid, and fill the coarser ones.

    The result is that of writing level 0, and then `consolidate_pyramid`. But pixels in memory are not read back. Of a
    dask array each block is computed once, and written; coarser levels are made of it while it is there, unless a unit
    of them needs too many blocks: then they are made of what is on disk.

    Args:
        pixels: Numpy or dask array, with shape and data type of level 0. It is only read. A dask array may be larger
            than memory: what is held of it does not depend on its size.
        arrays: Level 0, and the coarser levels in any order. They are new: a run that is cut off leaves no mark.
        order: As in `on_disk_zoom`.
        mode: As in `on_disk_zoom`. Where the active dask scheduler works in other processes, pixels in memory are
            written by threads of this one.
        progress: As in `consolidate_pyramid`, for the write units of all levels.

    Raises:
        NgioTypeError: If something is not a zarr array.
        NgioValueError: If arrays do not fit each other or the pixels, or cannot be written to.
        NgioStorageError: If pixels cannot be written, or read back; it names array and chunk.
    """
    kernel, lazy = checked_kernel(arrays, order, mode), isinstance(pixels, da.Array)
    source = pixels if isinstance(pixels, da.Array) else np.asarray(pixels)
    _require_same(source, arrays[0])
    require_writable(arrays[0])
    if lazy and mode != "numpy":
        require_within_reach(arrays)
    plan = plan_build([layout_of(array) for array in arrays], kernel, lazy=lazy)
    report, opened = counter(progress, plan.unit_count), [intact(anchored(array)) for array in arrays]
    if isinstance(source, da.Array):
        with dask.config.set({"scheduler": "sync"} if mode == "numpy" else {}):
            # Level 0 stands for the pixels: tasks that begin with them are given what they need.
            run_on_dask(plan, [opened[0], *opened], report, _computed(source, plan.passes[0]))
    elif mode == "numpy":
        run_here(plan, [source, *opened], report)
    else:
        with dask.config.set({} if runs_in_this_process() else {"scheduler": "threads"}):
            run_on_dask(plan, [source, *opened], report)


def plan_build(layouts: Sequence[Layout], kernel: Kernel, *, lazy: bool) -> PyramidPlan:
    """Plan all levels, of pixels that are the first layout of the plan.

    Args:
        layouts: Level 0 first.
        kernel: How pixels are made.
        lazy: Whether pixels are gone once they have been used; else further levels are made of them, too.

    Raises:
        NgioValueError: If a level is larger than level 0, or an axis too long.
    """
    first = layouts[0]
    one = (1,) * len(first.shape)
    pixels = Layout(f"memory, for {first.name}", first.shape, one, one, first.itemsize)
    coarser = [(a + 1 if a or lazy else 0, b + 1) for a, b in levels_order([layout.shape for layout in layouts])]
    plan = plan_whole([pixels, *layouts], kernel, [(0, 1), *coarser])
    return evolve(plan, passes=tuple(_at_once(each) if each.levels[0] == 0 else each for each in plan.passes))


def _at_once(each: Pass) -> Pass:
    """Return a pass that takes its source as a whole: pieces save memory only where they are decoded."""
    return evolve(each, stride=each.layouts[0].shape)


def _require_same(pixels: da.Array | npt.NDArray[Any], array: zarr.Array[Any]) -> None:
    if pixels.shape != array.shape or pixels.dtype.newbyteorder("=") != array.dtype.newbyteorder("="):
        raise NgioValueError(
            f"pixels of shape {pixels.shape} and dtype {pixels.dtype} cannot fill level 0 of shape {array.shape} and "
            f"dtype {array.dtype}"
        )


def _computed(pixels: da.Array, each: Pass) -> Computed:
    """Return what gives each task of a pass its pixels, as a delayed object.

    Tasks that need some pixels in common must not wait for each other's blocks, else all of a row of them would be in
    memory. So blocks end where what a task needs does, and it takes the little that it needs before from copies.
    """
    ends = [set[int]() for _ in pixels.shape]
    for task in each.tasks():
        for along, part in zip(ends, task.parts[0].made, strict=True):
            along.add(part.stop)
    edges = [[0, *sorted(along)] for along in ends]
    blocks = pixels.rechunk(tuple(tuple(np.diff(along).tolist()) for along in edges)).to_delayed()
    copy, join = (delayed(function, pure=False, traverse=False) for function in (_copy, _joined))

    def of(task: Task) -> Any:
        made = task.parts[0].made
        parts = []
        for at, block, held in _touched(edges, made):
            whole = held == block
            parts.append((held, blocks[at] if whole else copy(blocks[at], within(held, block))))
        return parts[0][1] if len(parts) == 1 else join(made, [held for held, _ in parts], [got for _, got in parts])

    return of


def _touched(edges: Sequence[Sequence[int]], window: Window) -> Iterator[tuple[tuple[int, ...], Window, Window]]:
    """Return the position and window of each block that a window touches, and the part of both."""
    along = []
    for cuts, part in zip(edges, window, strict=True):
        first, last = bisect.bisect_right(cuts, part.start) - 1, bisect.bisect_left(cuts, part.stop)
        along.append([(at, slice(cuts[at], cuts[at + 1])) for at in range(first, last)])
    for found in itertools.product(*along):
        block = tuple(whole for _, whole in found)
        held = [slice(max(a.start, b.start), min(a.stop, b.stop)) for a, b in zip(block, window, strict=True)]
        yield tuple(at for at, _ in found), block, tuple(held)


def _copy(block: Any, part: Window) -> npt.NDArray[Any]:
    """Return a part of a block that does not keep the rest in memory."""
    return np.array(np.asarray(block)[part])


def _joined(window: Window, parts: Sequence[Window], values: Sequence[Any]) -> npt.NDArray[Any]:
    """Put parts of a window together."""
    whole = np.empty([part.stop - part.start for part in window], values[0].dtype)
    for part, each in zip(parts, values, strict=True):
        whole[within(part, window)] = each
    return whole
