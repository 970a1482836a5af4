"""Write a piece of an image that is on disk, and rebuild what it reaches of the coarser levels."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import dask.array as da
import numpy as np
import numpy.typing as npt
import xarray as xr
import zarr
from dask.array.core import slices_from_chunks
from zarr.storage import StorePath

from ngio_x._frozen import named, to_bool
from ngio_x.arrays.crop import window
from ngio_x.arrays.paste import Part, fitted
from ngio_x.arrays.zoom import kernel_of
from ngio_x.errors import NgioValueError
from ngio_x.metadata.frame import Frame
from ngio_x.ngff.hierarchy import read_image
from ngio_x.ngff.read import level_dataset, variable_of
from ngio_x.ngff.store import StoreLike, open_group
from ngio_x.pyramid.boxes import Box
from ngio_x.pyramid.consolidate import Mode, consolidate_pyramid, plan_pyramid, require_within_reach, require_writable
from ngio_x.pyramid.execute import read, write
from ngio_x.pyramid.intact import intact
from ngio_x.pyramid.keep import keep_on_disk
from ngio_x.pyramid.layout import Layout, layout_of
from ngio_x.pyramid.marker import marked, new_mark
from ngio_x.pyramid.places import anchored, directory_of
from ngio_x.pyramid.progress import Progress
from ngio_x.pyramid.regions import RegionLike
from ngio_x.pyramid.stamp import changing
from ngio_x.pyramid.swap import is_unfinished
from ngio_x.resample.evaluate import Window
from ngio_x.resample.kernels import KernelName, Order
from ngio_x.roi.roi import Roi, RoiLike


def write_region(
    patch: xr.DataArray,
    store: StoreLike,
    roi: RoiLike | None = None,
    *,
    where: Any = None,
    consolidate: bool = True,
    exclusive: bool = False,
    frame: Frame | None = None,
) -> None:
    """Write pixels into level 0 of an OME-Zarr image, and rebuild what they reach of the coarser levels.

    The patch goes where `paste` would put it, under the same rules: axes and channels are found by name, an axis that
    the patch lacks is filled along its whole length, and what its lattice places outside the image is dropped. Each
    write unit (shard, else chunk) is written once, by one writer; a dask-backed patch is computed unit by unit on the
    active dask scheduler. If it is computed from the image that it goes into, each of its pixels may depend on no
    other; else `compute()` it first.

    Marks stand at the coarser levels from before the first write until they are rebuilt; if that is cut off, the next
    consolidation does the work.

    Args:
        patch: A DataArray, numpy- or dask-backed; or a plain array of the image's dimensions together with `roi`.
        store: A path, a URL, a zarr store or an open group: of an image, or of labels (`image.zarr/labels/nuclei`).
        roi: Where to put it: the pixels of level 0 that this region touches, of which there must be as many as the
            patch has. By default where the patch's own lattice says.
        where: Booleans: only pixels where they are true change, as for `paste`; numpy- or dask-backed. Write units
            without any are neither read nor written.
        consolidate: Rebuild the coarser levels. Parallel workers pass False, and one of them calls
            `consolidate_ome_zarr` when all are done; until then the marks stay, and say what is to be rebuilt. Of
            labels written with `keep_objects=True`, that is everything.
        exclusive: With `consolidate=False`, a patch must consist of whole write units of level 0, for two workers that
            share one would undo each other's writes. True says that nobody else writes, and allows any patch.
        frame: As for `open_ome_zarr`: the one that the image was opened with.

    Raises:
        NgioFileNotFoundError: If there is no zarr group.
        NgioEmptyRegionError: If patch or region lie outside the image.
        NgioValueError: If sizes, lattices or axes do not fit, the image cannot be written to or is unfinished, or parts
            of write units are written without consolidation. Nothing is written then, nor after any error above.
        NgioTypeError: If the patch's values do not fit the image's dtype, `where` is not boolean, or the patch says
            that it is an image where labels are written.
        NgioStorageError: If pixels cannot be read or written.
    """
    consolidate, exclusive = named("consolidate", to_bool)(consolidate), named("exclusive", to_bool)(exclusive)
    pyramid = _opened(store, frame)
    source, *targets = pyramid.arrays
    parts = fitted(pyramid.image, patch, roi, where)
    windows = [part.window for part in parts]
    plan_pyramid(source, targets, pyramid.kernel, regions=windows)  # checks all that consolidation needs
    for part in parts:
        _require_reachable(part, source)
        if not (consolidate or exclusive):
            _require_whole_units(part.window, layout_of(source), pyramid.image.dims)
    mark = new_mark(layout_of(source).name, None if pyramid.keeps else [_box_of(each) for each in windows])
    with changing(source.store_path), marked(targets, mark, stays=not consolidate):
        for part in parts:
            _write(part, intact(anchored(source)))
        if consolidate:
            _rebuild(pyramid, windows)


def consolidate_ome_zarr(
    store: StoreLike,
    regions: Iterable[RegionLike] | None = None,
    *,
    order: Order | None = None,
    mode: Mode = "dask",
    frame: Frame | None = None,
    progress: Progress = False,
) -> None:
    """Rebuild the coarser levels of an OME-Zarr image, or of a label image, from level 0.

    Args:
        store: As for `write_region`.
        regions: What has changed of level 0 since the levels were consistent, as for `consolidate_pyramid`; a `Roi` may
            be in world units, too. By default everything is rebuilt. What `write_region(consolidate=False)` wrote on
            this machine counts without being named: an empty list rebuilds just that. Labels that were written with
            `keep_objects=True` are rebuilt as a whole in any case, and keep their objects.
        order: A kernel of `numpy_zoom`. By default the one that the metadata names, if it is one of them and fits, else
            nearest for label and boolean images and linear for others.
        mode: As for `consolidate_pyramid`.
        frame: As for `open_ome_zarr`; it decides where regions in world units lie.
        progress: As for `consolidate_pyramid`.

    Raises:
        NgioFileNotFoundError: If there is no zarr group.
        NgioEmptyRegionError: If a region lies outside the image.
        NgioValueError: If the image cannot be written to, is unfinished or faulty, or an argument makes no sense.
        NgioTypeError: If something is not a region.
        NgioStorageError: If pixels cannot be read or written. Marks stay at the levels then.
    """
    pyramid = _opened(store, frame, order)
    if regions is not None and np.iterable(regions) and not isinstance(regions, (str, bytes, Mapping, Roi)):
        regions = [_in_pixels(region, pyramid.image) for region in regions]
    with changing(pyramid.group):
        _rebuild(pyramid, regions, mode, progress)


class _Pyramid(NamedTuple):
    """An image on disk that may be written to."""

    group: StorePath
    image: xr.DataArray
    """Level 0 on paper: its axes, lattice, channel names, role and dtype. Its pixels are all 0, and take no memory."""
    arrays: list[zarr.Array[Any]]
    kernel: KernelName
    """What its coarser levels are made with."""
    keeps: bool
    """Whether objects that they have lost are put back."""


def _opened(store: StoreLike, frame: Frame | None, order: Order | None = None) -> _Pyramid:
    group = open_group(store, "r+")
    root = directory_of(group.store_path)
    if root is not None and is_unfinished(root):
        raise NgioValueError(
            f"levels of {group.store_path} were being replaced when the writing process was cut off, or are being "
            "replaced now: the next ImagePyramidBuilder.to_zarr into this group finishes or undoes that"
        )
    picture = read_image(group, frame)
    for array in picture.arrays:
        require_writable(array)
    level = level_dataset(picture, 0, lambda array, _: np.broadcast_to(np.zeros((), array.dtype), array.shape))
    image = level[variable_of(picture)]
    kernel = _kernel(image, picture.image.kernel, order)
    return _Pyramid(group.store_path, image, list(picture.arrays), kernel, picture.image.keeps_objects)


def _rebuild(
    pyramid: _Pyramid, regions: Iterable[RegionLike] | None, mode: Mode = "dask", progress: Progress = False
) -> None:
    """Rebuild the coarser levels after a change of some regions.

    Whether an object is lost, and where there is room for it, all of the image decides: then all is rebuilt.
    """
    (source, *targets), kernel, axes = pyramid.arrays, pyramid.kernel, [str(dim) for dim in pyramid.image.dims]
    if not pyramid.keeps:
        consolidate_pyramid(source, targets, kernel, mode, regions, axes=axes, progress=progress)
        return
    plan_pyramid(source, targets, kernel, mode, regions, axes=axes)  # checks the regions
    with marked(targets, new_mark(layout_of(source).name, None)):
        consolidate_pyramid(source, targets, kernel, mode, progress=progress)
        keep_on_disk(source, targets, mode, axes=axes)


def _kernel(image: xr.DataArray, recorded: str | None, order: Order | None) -> KernelName:
    if order is None and recorded is not None:
        with suppress(NgioValueError):  # other software has other names, and may blend labels
            return kernel_of(image, recorded).name
    return kernel_of(image, order).name


def _box_of(part: Window) -> Box:
    return tuple((each.start, each.stop) for each in part)


def _require_reachable(part: Part, source: zarr.Array[Any]) -> None:
    """Raise if the processes that compute a patch would not see the array, but a copy of it."""
    if isinstance(part.pixels, da.Array) or isinstance(part.mask, da.Array):
        require_within_reach([source])


def _require_whole_units(part: Window, layout: Layout, names: Sequence[Any]) -> None:
    """Raise if a window holds a part of a write unit: of others, which write the rest of it, one would be undone."""
    box = _box_of(part)
    whole = layout.rounded_out(box)
    for name, (low, high), (start, stop), unit in zip(names, box, whole, layout.unit, strict=True):
        if (low, high) != (start, stop):
            raise NgioValueError(
                f"axis '{name}': without consolidation, pixels [{low}, {high}) would be written into parts of units of "
                f"{unit} that others may be writing to. Write whole units, such as [{start}, {stop}), or pass "
                "exclusive=True if nobody else writes"
            )


def _write(part: Part, target: zarr.Array[Any]) -> None:
    """Write the pixels of a window, each write unit by one writer."""
    sizes = tuple(_cut(each, unit) for each, unit in zip(part.window, layout_of(target).unit, strict=True))
    lazy = isinstance(part.pixels, da.Array) or isinstance(part.mask, da.Array)
    shape, own = tuple(map(sum, sizes)), da if lazy else np
    values = own.broadcast_to(part.pixels.astype(target.dtype, copy=False), shape)
    mask = None if part.mask is None else own.broadcast_to(part.mask, shape)
    if lazy:
        values = values.rechunk(sizes)
        # A block and its mask travel as one.
        values = values if mask is None else da.ma.masked_array(values, ~mask.rechunk(sizes))
        units: Any = _Units(target)
        da.store(values, units, regions=part.window, lock=False)
        return
    for piece in slices_from_chunks(sizes):
        box = tuple(
            slice(whole.start + each.start, whole.start + each.stop)
            for whole, each in zip(part.window, piece, strict=True)
        )
        _write_unit(target, box, values[piece], None if mask is None else mask[piece])


def _write_unit(target: zarr.Array[Any], box: Window, values: npt.NDArray[Any], mask: npt.NDArray[Any] | None) -> None:
    """Write pixels where a mask is true, or all of them; the others keep what stands there."""
    if mask is not None:
        if not mask.any():
            return
        standing = np.array(read(target, box))
        np.copyto(standing, values, where=mask)
        values = standing
    write(target, values, box, box)


def _cut(part: slice, unit: int) -> tuple[int, ...]:
    """Return the sizes of the pieces into which the borders of write units cut a slice.

    >>> _cut(slice(3, 10), 4)
    (1, 4, 2)
    """
    borders = [part.start, *range((part.start // unit + 1) * unit, part.stop, unit), part.stop]
    return tuple(high - low for low, high in itertools.pairwise(borders))


class _Units:
    """An array as a place that dask stores blocks in."""

    def __init__(self, array: zarr.Array[Any]) -> None:
        self.array, self.shape, self.dtype = array, array.shape, array.dtype

    def __setitem__(self, key: Window, values: Any) -> None:
        mask = ~np.ma.getmaskarray(values) if isinstance(values, np.ma.MaskedArray) else None
        _write_unit(self.array, key, np.asarray(values), mask)


def _in_pixels(region: RegionLike, image: xr.DataArray) -> RegionLike:
    """Return a region in world units as slices by axis name; others as they are."""
    return window(image, region) if isinstance(region, Roi) and region.space == "world" else region
