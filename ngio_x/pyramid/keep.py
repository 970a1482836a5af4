"""Put back objects that the coarser levels of a label image on disk have lost."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import dask.config
import numpy as np
import numpy.typing as npt
import zarr
from dask.delayed import delayed

from ngio_x.arrays.lazy import blocks_of
from ngio_x.labels.extents import summary_of
from ngio_x.labels.keep import Places, lost_places, with_places
from ngio_x.pyramid.boxes import window_of
from ngio_x.pyramid.consolidate import Mode
from ngio_x.pyramid.execute import read, run_batch, scheduler_within_reach, write
from ngio_x.pyramid.intact import intact
from ngio_x.pyramid.layout import layout_of
from ngio_x.pyramid.places import anchored
from ngio_x.resample.evaluate import Window


def keep_on_disk(
    labels: zarr.Array[Any] | npt.NDArray[Any],
    targets: Sequence[zarr.Array[Any]],
    mode: Mode = "dask",
    *,
    axes: Sequence[str],
) -> None:
    """Put back in coarser levels what they have lost of the objects of a label image, as `keep_objects` does.

    Level 0 is read twice, but the second time only where objects were lost; of the targets, all is read, and units into
    which objects are put back are written, each by one writer.

    Args:
        labels: Level 0, or its pixels in memory.
        targets: The coarser levels, complete.
        mode: As in `on_disk_zoom`. Arrays in the memory of this process are worked on by its threads.
        axes: Names of the axes.

    Raises:
        NgioStorageError: If pixels of a target cannot be written.
    """
    within = [array for array in (labels, *targets) if isinstance(array, zarr.Array)]
    scheduler = {"scheduler": "sync"} if mode == "numpy" else scheduler_within_reach(within)
    time = list(axes).index("t") if "t" in axes else None
    with dask.config.set(scheduler):
        fine = labels if isinstance(labels, np.ndarray) else blocks_of(intact(anchored(labels)))
        known = None if time is not None or not targets else summary_of(fine, 0)
        for target in targets:
            opened = intact(anchored(target))
            _paint(opened, lost_places(blocks_of(opened), fine, time, known=known))


def _paint(target: zarr.Array[Any], places: Places) -> None:
    """Write objects into an array, each write unit once."""
    step, opened = delayed(_paint_unit, pure=False, traverse=False), delayed(target, traverse=False)
    held = 2 * math.prod(layout_of(target).unit) * target.dtype.itemsize
    run_batch([step(opened, window, part) for window, part in _by_unit(target, places)], held, lambda _: None)


def _paint_unit(target: zarr.Array[Any], window: Window, places: Places) -> int:
    changed = with_places(read(target, window), [part.start for part in window], places)
    write(target, changed, window, window)
    return 1


def _by_unit(target: zarr.Array[Any], places: Places) -> Iterator[tuple[Window, Places]]:
    """Return the write units that objects belong into, with those that do."""
    layout = layout_of(target)
    units = np.ravel_multi_index(tuple((places.positions // np.array(layout.unit)).T), layout.grid)
    order = np.argsort(units, kind="stable")
    found, first = np.unique(units[order], return_index=True)
    for at, part in zip(found.tolist(), np.split(order, first[1:]), strict=False):  # of none, there is one empty part
        box = layout.in_pixels(tuple((int(k), int(k) + 1) for k in np.unravel_index(at, layout.grid)))
        yield window_of(box), Places(places.ids[part], places.positions[part])
