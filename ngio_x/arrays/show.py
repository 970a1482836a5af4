"""Regions as a drawing for notebooks, in the frame of an image."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import xarray as xr

from ngio_x._frozen import named, to_axes
from ngio_x.arrays.crop import in_world
from ngio_x.arrays.image import lattice_of
from ngio_x.arrays.tree import image_of
from ngio_x.errors import NgioTypeError, NgioValueError
from ngio_x.roi.boxes import plane_of
from ngio_x.roi.columns import listed
from ngio_x.roi.drawing import DRAWN, RoiDrawing
from ngio_x.roi.roi import Roi


def show(
    rois: Iterable[Roi],
    image: xr.DataArray | xr.Dataset | xr.DataTree | None = None,
    *,
    axes: Sequence[str] | None = None,
    limit: int = DRAWN,
) -> RoiDrawing:
    """Return regions as a value that notebooks show as a drawing of boxes, with their names as tooltips.

    Args:
        rois: Regions, all in world units, or all in pixels.
        image: Is drawn as a frame; of a tree, level 0 is, of a Dataset, the image in it. Regions in pixels are
            positions in it.
        axes: The axes of the drawn plane, the vertical one first. By default y and x, without these the last two that
            the regions have.
        limit: How many boxes are drawn, at most; of more, some that are evenly spread over the list.

    Raises:
        NgioTypeError: If something else than a region is among them, or `image` is not a DataArray, Dataset or
            DataTree.
        NgioValueError: If regions are in different spaces, or regions and image lack the axes.
    """
    if isinstance(rois, (xr.DataArray, xr.Dataset, xr.DataTree)):
        raise NgioTypeError(
            f"rois must be regions, got a {type(rois).__name__}: it comes second, show(rois, image); its pixels are "
            "drawn by plot_image"
        )
    regions = listed(rois)
    if image is not None:
        image = image_of(image)
        regions = [in_world(roi, image) for roi in regions]
    if len({roi.space for roi in regions}) > 1:
        raise NgioValueError("regions in world units and in pixels have no place in common: pass the image, too")
    if axes is not None and len(axes := named("axes", to_axes)(axes)) != 2:
        raise NgioValueError(f"axes must name two axes, the vertical one first, got {axes}")
    known = list(dict.fromkeys(item.axis_name for roi in regions for item in roi.slices))
    plane = (plane_of(known) if known else ("y", "x")) if axes is None else axes
    return RoiDrawing(tuple(regions), plane, None if image is None else _frame(image, plane), limit)


def extent_of(image: xr.DataArray, axis: str) -> tuple[float, float]:
    """Return the world edges of an image along an axis; without coordinates, pixels are counted."""
    lattice = lattice_of(image, axis)
    return (0.0, float(image.sizes[axis])) if lattice is None else lattice.extent


def _frame(image: xr.DataArray, plane: Sequence[str]) -> Roi:
    if missing := [axis for axis in plane if axis not in image.dims]:
        raise NgioValueError(f"axes must be of the image's {image.dims} to be drawn, got {missing[0]!r}: choose others")
    return Roi.from_values({axis: slice(*extent_of(image, axis)) for axis in plane}, "image")
