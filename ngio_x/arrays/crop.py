"""From a region to array positions, and the piece of an image that it holds."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any, Literal, TypeVar

import xarray as xr

from ngio_x._frozen import named, one_of
from ngio_x.arrays.image import an_array_of, lattice_of
from ngio_x.arrays.tree import IMAGE, Levels, images_of, with_levels
from ngio_x.errors import NgioEmptyRegionError, NgioTypeError, NgioValueError, warn
from ngio_x.metadata.axes import CANONICAL_ORDER, axis_type_of
from ngio_x.roi.roi import Roi, RoiLike, to_roi
from ngio_x.roi.roi_slice import RoiSlice
from ngio_x.roi.rounding import Bounds, pixel_window

MissingDims = Literal["raise", "ignore"]
Croppable = TypeVar("Croppable", bound=xr.DataArray | xr.Dataset | xr.DataTree)


def window(
    image: xr.DataArray | xr.Dataset,
    roi: RoiLike,
    bounds: Bounds = "outer",
    *,
    missing_dims: MissingDims | None = None,
) -> dict[str, slice]:
    """Return the array positions that a region holds, one slice for each axis that both have.

    Args:
        image: A labelled array, or a Dataset of arrays on one lattice.
        roi: A region in world units, or in pixels (positions in this array); or intervals in world units by axis, as
            `Roi.from_values` takes them: `{"y": slice(2.5, 4)}`.
        bounds: Which pixels the region holds: all that it touches (`"outer"`), those inside it (`"inner"`), or those
            whose centre it holds (`"nearest"`).
        missing_dims: An axis that the image lacks counts as one pixel `[0, 1)`: a slice that meets it is ignored, any
            other raises. `"ignore"` accepts and `"raise"` refuses all of them.

    Raises:
        NgioEmptyRegionError: If the region holds no pixel along an axis.
        NgioValueError: If `bounds` is unknown, or coordinates are not evenly spaced.
    """
    region = to_roi(roi)
    _require_pixels(image)
    _require_known(roi, image.dims)
    named("missing_dims", one_of(None, "raise", "ignore"))(missing_dims)
    found: dict[str, slice] = {}
    for interval in region.slices:
        if interval.axis_name not in roi:  # added to a mapping of one axis
            continue
        if interval.axis_name in image.dims:
            found[interval.axis_name] = _axis_window(image, interval, region.space, bounds)
        else:
            _require_met(interval, missing_dims)
    return found


def _require_pixels(image: Any) -> None:
    if not isinstance(image, (xr.DataArray, xr.Dataset)):
        advice = (
            f"pick a level, such as {an_array_of(image)}" if isinstance(image, xr.DataTree) else "use as_image first"
        )
        raise NgioTypeError(f"image must be a DataArray or a Dataset, got {type(image).__name__}: {advice}")


def _require_known(roi: RoiLike, dims: Iterable[Hashable]) -> None:
    """Refuse a mapping with an axis that is no axis of images: a region may be meant for many, a mapping is for one."""
    known = dict.fromkeys((*map(str, dims), *CANONICAL_ORDER))
    if isinstance(roi, Mapping) and (unknown := [axis for axis in roi if axis not in known]):
        raise NgioValueError(f"roi must name axes of the image, {tuple(map(str, dims))}, got {unknown[0]!r}")


def _axis_window(image: xr.DataArray | xr.Dataset, interval: RoiSlice, space: str, bounds: Bounds) -> slice:
    name, size = interval.axis_name, image.sizes[interval.axis_name]
    lattice = None if space == "pixel" else lattice_of(image, name)
    positions = pixel_window(*interval.bounds, size, bounds) if lattice is None else lattice.window(interval, bounds)
    if positions is None:
        extent, unit = (0.0, float(size)), "pixel"
        if lattice is not None:
            extent, unit = lattice.extent, lattice.unit or "world units"
        raise NgioEmptyRegionError(name, interval.bounds, extent, unit)
    return positions


def _require_met(interval: RoiSlice, missing_dims: MissingDims | None) -> None:
    """Accept a slice along an axis that the image lacks if it meets the one pixel that stands for the axis."""
    match missing_dims:
        case "ignore":
            return
        case "raise":
            raise NgioValueError(
                f"the region has axis '{interval.axis_name}', which the image lacks: "
                "leave it out, or pass missing_dims='ignore'"
            )
        case None:
            if pixel_window(*interval.bounds, 1) is None:
                raise NgioEmptyRegionError(interval.axis_name, interval.bounds, (0.0, 1.0), "pixel (missing axis)")


def crop(
    image: Croppable, roi: RoiLike, *, bounds: Bounds = "outer", missing_dims: MissingDims | None = None
) -> Croppable:
    """Return the piece of an image that a region holds; the pixels are not copied.

    A piece stays on the lattice of its parent, so that cropping it by the same world region again changes nothing.
    Along axes that count pixels (channels, arrays without coordinates) a region holds positions of the array in hand.

    Args:
        image: A DataArray, a Dataset, or a DataTree, of which every level is cropped to the same region. It may hold
            several images, as wells and plates do; levels keep their names.
        roi: As in `window`. In pixel space it means positions in the array, in a tree those in level 0 of each image.
        bounds: As in `window`.
        missing_dims: As in `window`.

    Raises:
        NgioEmptyRegionError: If the region holds no pixel. A level of a tree in which it holds none is left out with
            a warning, and so is that level of the image's labels; a tree raises only if no level is left.
        NgioTypeError: If `image` is not a DataArray, Dataset or DataTree, or `roi` is neither a region nor a mapping.
    """
    region = to_roi(roi)
    if isinstance(image, xr.DataTree):
        _require_known(roi, {dim: None for node in image.subtree for dim in node.dims})
        return _crop_tree(image, region, bounds, missing_dims)  # type: ignore[return-value]  # of the kind that was given
    if not isinstance(image, (xr.DataArray, xr.Dataset)):
        raise NgioTypeError(f"image must be a DataArray, Dataset or DataTree, got {type(image).__name__}: use as_image")
    return image.isel(window(image, roi, bounds, missing_dims=missing_dims))  # type: ignore[return-value]  # of the kind that was given


def _crop_tree(tree: xr.DataTree, roi: Roi, bounds: Bounds, missing_dims: MissingDims | None) -> xr.DataTree:
    pieces: dict[str, xr.Dataset] = {}
    empty: dict[str, NgioEmptyRegionError] = {}
    for pyramids in images_of(tree).values():
        held, lost = _crop_image(pyramids, roi, bounds, missing_dims)
        pieces |= held
        empty |= lost
    if not pieces:
        raise next(iter(empty.values()), NgioValueError("the tree holds no image to crop: open one with open_ome_zarr"))
    for what, why in empty.items():
        warn(f"{what} is left out: {why}")
    return with_levels(tree, pieces)


def _crop_image(
    pyramids: dict[str, Levels], roi: Roi, bounds: Bounds, missing_dims: MissingDims | None
) -> tuple[dict[str, xr.Dataset], dict[str, NgioEmptyRegionError]]:
    """Return the pieces of an image and its labels by path, and what is left out for which reason.

    What the image loses its labels lose, too; labels that are coarser, or cover less, take nothing from the image.
    """
    first, *_ = next(iter(pyramids.values())).values()
    world = in_world(roi, first.to_dataset())
    pieces: dict[str, xr.Dataset] = {}
    empty: dict[str, NgioEmptyRegionError] = {}
    gone: set[str | None] = set()
    for name, levels in pyramids.items():
        lost: dict[str, NgioEmptyRegionError] = {}
        for path, node in levels.items():
            if node.name in gone:
                continue
            dataset = node.to_dataset()
            region = world if name == IMAGE else _for_labels(world, dataset)
            try:
                pieces[path] = dataset.isel(window(dataset, region, bounds, missing_dims=missing_dims))
            except NgioEmptyRegionError as error:
                lost[path] = error
        empty |= _described(lost, whole=not pieces.keys() & levels.keys(), what="label image" if name else "image")
        if name == IMAGE:
            gone = {node.name for path, node in levels.items() if path in lost}
            if not pieces:
                break
    return pieces, empty


def _described(lost: dict[str, NgioEmptyRegionError], *, whole: bool, what: str) -> dict[str, NgioEmptyRegionError]:
    """Return the reasons by what is left out: single levels, or a pyramid as a whole."""
    if not whole:
        return {f"level {path!r}": why for path, why in lost.items()}
    return {f"{what} {str(PurePosixPath(path).parent)!r}": why for path, why in list(lost.items())[:1]}


def _for_labels(roi: Roi, labels: xr.Dataset) -> Roi:
    """Return the region over all channels where labels lack them: they hold for each."""
    for item in roi.slices:
        if axis_type_of(item.axis_name) == "channel" and item.axis_name not in labels.dims:
            roi = roi.update_slice(item.axis_name, slice(None))
    return roi


def in_world(roi: RoiLike, image: xr.DataArray | xr.Dataset) -> Roi:
    """Return a region in world units, by the lattice of the given image; along axes that count pixels, in pixels."""
    region = to_roi(roi)
    return region if region.space == "world" else region.to_world(*_frame_of(region, image))


def in_pixels(roi: RoiLike, image: xr.DataArray | xr.Dataset) -> Roi:
    """Return a region in positions of the given image: the way back from `in_world`."""
    region = to_roi(roi)
    return region if region.space == "pixel" else region.to_pixel(*_frame_of(region, image))


def _frame_of(roi: Roi, image: xr.DataArray | xr.Dataset) -> tuple[dict[str, float], dict[str, float]]:
    """Return pixel sizes and world edges of position 0, along the axes of a region that do not count pixels."""
    lattices = {item.axis_name: lattice_of(image, item.axis_name) for item in roi.slices}
    known = {name: lattice for name, lattice in lattices.items() if lattice is not None}
    sizes = {name: lattice.spacing for name, lattice in known.items()}
    return sizes, {name: lattice.edge for name, lattice in known.items()}
