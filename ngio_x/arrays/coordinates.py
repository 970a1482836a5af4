"""What other tools mean by a coordinate: one table, and converters for points and regions.

Along an axis, the coordinates of any tool follow from three answers: does it count pixels or units, from the image or
from the zero of the world, and which point of a pixel stands on the mark? A converter maps the edge and the size of
pixel 0 of one convention to those of another. The drawing is in `docs/coordinates.md`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal, TypeVar

import numpy as np
import numpy.typing as npt
import xarray as xr

from ngio_x._frozen import checked_by, evolve, field, frozen, named, one_of, to_axes
from ngio_x.arrays.image import lattice_of, require_image
from ngio_x.arrays.lattice import Lattice, anchor_of
from ngio_x.errors import NgioValueError
from ngio_x.metadata.axes import axis_type_of
from ngio_x.metadata.frame import Frame, to_frame
from ngio_x.roi.columns import listed
from ngio_x.roi.corners import closed_bounds, corners, to_points
from ngio_x.roi.roi import Roi
from ngio_x.roi.roi_slice import RoiSlice

Places = TypeVar("Places", Roi, npt.NDArray[Any])
"""A region, or points of shape (…, d), one column an axis."""


@frozen
class Convention:
    """What a tool means by a coordinate along an axis."""

    unit: Literal["world", "pixel"] = field(metadata=checked_by(one_of("world", "pixel")))
    """What it counts."""
    zero: Literal["world", "image"] = field(metadata=checked_by(one_of("world", "image")))
    """Where it counts from: the world's own zero, or the image's first pixel."""
    point: Literal["edge", "label"] = field(metadata=checked_by(one_of("edge", "label")))
    """Which point of a pixel stands on the mark: its lower edge, or its label (the centre; along time the start)."""

    def first_pixel(self, lattice: Lattice) -> tuple[float, float]:
        """Return the coordinate of the lower edge of the first pixel, and the size of a pixel."""
        size = lattice.spacing if self.unit == "world" else 1.0
        edge = lattice.edge if self.zero == "world" else 0.0
        return (edge - lattice.anchor * size if self.point == "label" else edge), size


WORLD: Final = Convention("world", "world", "edge")
"""Regions and labels of ngio_x; OME-NGFF 0.6 in files of `frame="center"`."""
NGFF: Final = Convention("world", "world", "label")
"""OME-NGFF 0.6, ITK and ngff-zarr, in files of `frame="corner"`."""
NGIO: Final = Convention("world", "image", "edge")
"""ngio's regions and ROI tables."""
NAPARI: Final = Convention("pixel", "image", "label")
"""Data of napari's layers; scipy.ndimage and scikit-image."""
SPATIALDATA: Final = Convention("pixel", "image", "edge")
"""Intrinsic coordinates of spatialdata."""


def to_napari(places: Places, image: xr.DataArray, axes: Sequence[str] | None = None) -> Places:
    """Return world points or a region in the data coordinates of a napari layer that shows the image.

    The pixel at array position i has its centre at i, as it has in scipy.ndimage and scikit-image. A layer of points or
    shapes lies over the image if it has the same `scale`, `translate` and `affine`: those of `napari_layer`, or
    whatever the image's layer was opened with.

    Args:
        places: Points of shape (…, d), or a region; a region in pixel space means array positions.
        image: The labelled image that the layer shows; of a multi-scale layer, level 0.
        axes: The axes of the points' columns; by default the dimensions of the image.

    Returns:
        Points or a region, like what came in. Axes of a region that the image lacks stay as they are.

    Raises:
        NgioTypeError: If the points are not numbers, or `image` is not a DataArray.
        NgioValueError: If axes and columns do not fit, the image lacks an axis, or it is not evenly spaced.
    """
    return _converted(places, image, axes, WORLD, NAPARI)


def from_napari(places: Places, image: xr.DataArray, axes: Sequence[str] | None = None) -> Places:
    """Return the world points or region of data of a napari layer: the way back from `to_napari`.

    Regions are in world space; arguments and errors are those of `to_napari`.
    """
    return _converted(places, image, axes, NAPARI, WORLD)


def to_spatialdata(places: Places, image: xr.DataArray, axes: Sequence[str] | None = None) -> Places:
    """Return world points or a region in spatialdata's intrinsic coordinates: pixel i covers [i, i + 1).

    An element whose transformation is the scale `spacing` followed by the translation `edge` (of the image's lattices)
    has the world of ngio_x as its target coordinate system. `image` is level 0; the rest is as for `to_napari`.
    """
    return _converted(places, image, axes, WORLD, SPATIALDATA)


def from_spatialdata(places: Places, image: xr.DataArray, axes: Sequence[str] | None = None) -> Places:
    """Return the world points or region of intrinsic coordinates: the way back from `to_spatialdata`."""
    return _converted(places, image, axes, SPATIALDATA, WORLD)


def to_ngio(places: Places, image: xr.DataArray, axes: Sequence[str] | None = None) -> Places:
    """Return world points or a region as ngio means them: in units, counted from the corner of the image.

    ngio ignores translations. `image` is any level of the whole image; the rest is as for `to_napari`.
    """
    return _converted(places, image, axes, WORLD, NGIO)


def from_ngio(places: Places, image: xr.DataArray, axes: Sequence[str] | None = None) -> Places:
    """Return the world points or region of what ngio says: the way back from `to_ngio`."""
    return _converted(places, image, axes, NGIO, WORLD)


def to_ngff(
    places: Places, image: xr.DataArray, axes: Sequence[str] | None = None, *, frame: Frame = "corner"
) -> Places:
    """Return where world points or a region lie for readers of pixel centres that open the image's file.

    Such are OME-NGFF 0.6, ITK and ngff-zarr: pixel i has its centre at translation + i·scale. They see a file of
    `frame="corner"` half a pixel of its level 0 below the world of ngio_x, and one of `frame="center"` where ngio_x
    does. `image` is level 0 of its file (for a label image, that of the image it belongs to); the rest is as for
    `to_napari`.
    """
    return _converted(places, image, axes, WORLD, _convention_of(frame))


def from_ngff(
    places: Places, image: xr.DataArray, axes: Sequence[str] | None = None, *, frame: Frame = "corner"
) -> Places:
    """Return the world points or region of what a reader of pixel centres sees: the way back from `to_ngff`."""
    return _converted(places, image, axes, _convention_of(frame), WORLD)


def napari_layer(image: xr.DataArray, axes: Sequence[str] | None = None) -> dict[str, tuple[float, ...]]:
    """Return `scale` and `translate` with which napari's world is the world of ngio_x: `add_image(image, **…)`.

    All levels, pieces and label images of a file then lie over each other, each as a layer of its own.

    Args:
        image: The labelled image.
        axes: The axes of the layer, by default the dimensions of the image; `("y", "x")` for shapes in the plane.

    Raises:
        NgioValueError: If the image lacks an axis, or is not evenly spaced.
    """
    require_image(image)
    lattices = [_lattice(image, axis) for axis in _axes_of(image, axes)]
    return {
        "scale": tuple(lattice.spacing for lattice in lattices),
        "translate": tuple(lattice.edge + lattice.anchor * lattice.spacing for lattice in lattices),
    }


def napari_shapes(
    rois: Iterable[Roi], image: xr.DataArray, axes: Sequence[str] = ("y", "x")
) -> tuple[list[npt.NDArray[np.float64]], dict[str, Any], Literal["shapes"]]:
    """Return world regions as data of a napari Shapes layer: rectangles that lie over the image.

    `viewer._add_layer_from_data(*…)` and `napari.layers.Layer.create(*…)` take the three as they are; a plug-in
    returns them.

    Args:
        rois: Regions with bounds along the axes.
        image: The labelled image, whose lattice the layer shares: `scale` and `translate` are those of `napari_layer`.
        axes: Rectangles lie in the plane of the last two; along axes before those, such as z, they lie in the plane
            that holds the middle of their region.

    Returns:
        One array of shape (4, d) a region, in data coordinates; the arguments of the layer, with names and labels as
        `features`; and the kind of the layer.

    Raises:
        NgioTypeError: If something else than a region is among them, or `image` is not a DataArray.
        NgioKeyError: If a region lacks one of the axes.
        NgioValueError: If a region is unbounded along one of them, or the image lacks one.
    """
    axes = named("axes", to_axes)(axes)
    if len(axes) < 2:
        raise NgioValueError(f"axes must name the two axes of a rectangle at least, got {axes}")
    regions = listed(rois)
    options: dict[str, Any] = {**napari_layer(image, axes), "shape_type": "rectangle"}
    options["features"] = {"name": [roi.get_name() for roi in regions], "label": [roi.label for roi in regions]}
    return [_rectangle(to_napari(roi, image), axes) for roi in regions], options, "shapes"


def _rectangle(roi: Roi, axes: Sequence[str]) -> npt.NDArray[np.float64]:
    *planes, first, second = axes
    points = np.empty((4, len(axes)))
    points[:, -2:] = corners(roi, (first, second))
    for column, axis in enumerate(planes):
        points[:, column] = math.floor(sum(closed_bounds(roi, axis)) / 2 + 0.5)  # pixel k covers [k - 0.5, k + 0.5)
    return points


def _converted(
    places: Places, image: xr.DataArray, axes: Sequence[str] | None, source: Convention, target: Convention
) -> Places:
    require_image(image)
    if isinstance(places, Roi):
        if axes is not None:
            raise NgioValueError("places is a region, which names its axes itself: leave axes out")
        return _converted_roi(places, image, source, target)
    names = _axes_of(image, axes)
    points = to_points(places, names, "places")
    for column, axis in enumerate(names):
        at, to, ratio = _affine(_lattice(image, axis), source, target)
        points[..., column] = to + (points[..., column] - at) * ratio
    return points


def _converted_roi(roi: Roi, image: xr.DataArray, source: Convention, target: Convention) -> Roi:
    if roi.space == "pixel":
        if source is not WORLD:
            raise NgioValueError("a region in pixel space means array positions already: to_world gives its world")
        source = SPATIALDATA  # array positions, counted from the lower edge of the first pixel

    def convert(interval: RoiSlice) -> RoiSlice:
        if interval.axis_name not in image.dims or interval.start is None:
            return interval
        at, to, ratio = _affine(_lattice(image, interval.axis_name), source, target)
        length = None if interval.length is None else interval.length * ratio
        return evolve(interval, start=to + (interval.start - at) * ratio, length=length)

    return evolve(roi, slices=tuple(convert(interval) for interval in roi.slices), space="world")


def _affine(lattice: Lattice, source: Convention, target: Convention) -> tuple[float, float, float]:
    """Return the edge of the first pixel in source and target, and the ratio of their pixel sizes."""
    (at, size), (to, new_size) = source.first_pixel(lattice), target.first_pixel(lattice)
    return at, to, new_size / size


def _axes_of(image: xr.DataArray, axes: Sequence[str] | None) -> tuple[str, ...]:
    """Return the axes of the columns, which the image must have."""
    dims = tuple(str(dim) for dim in image.dims)
    names = dims if axes is None else named("axes", to_axes)(axes)
    if missing := [name for name in names if name not in dims]:
        raise NgioValueError(f"axes must be of the image's {dims}, got {missing[0]!r}")
    return names


def _lattice(image: xr.DataArray, axis: str) -> Lattice:
    """Return the lattice along an axis; without one pixels are counted, and channels have no centre."""
    axis_type = axis_type_of(axis)
    anchor = 0.0 if axis_type == "channel" else anchor_of(axis_type)
    return lattice_of(image, axis) or Lattice(0.0, 1.0, image.sizes[axis], anchor=anchor)


def _convention_of(frame: Frame) -> Convention:
    return NGFF if to_frame(frame) == "corner" else WORLD
