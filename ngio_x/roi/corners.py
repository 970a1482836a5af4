"""Between regions and points: the corners of a rectangle, and the smallest region around points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ngio_x._frozen import named, shown, to_axes
from ngio_x.errors import NgioTypeError, NgioValueError
from ngio_x.roi.roi import Roi, RoiLike, to_roi

_to_axes: Final = named("axes", to_axes)


def corners(roi: RoiLike, axes: Sequence[str] = ("y", "x")) -> npt.NDArray[np.float64]:
    """Return the corners of a region in the plane of two axes, in order around it: what viewers call a rectangle.

    Corners 0 and 2 are the lower and the upper bounds.

    >>> corners({"y": (0, 2), "x": (5, 3)}).tolist()
    [[0.0, 5.0], [0.0, 8.0], [2.0, 8.0], [2.0, 5.0]]

    Args:
        roi: The region, in whichever coordinates; or intervals by axis.
        axes: The two axes, in the order of the columns.

    Returns:
        Shape (4, 2), in the coordinates of the region.

    Raises:
        NgioTypeError: If `roi` is neither a region nor a mapping.
        NgioValueError: If there are not two axes, or the region is unbounded along one of them.
        NgioKeyError: If the region lacks one of them.
    """
    roi = to_roi(roi)
    names = _to_axes(axes)
    if len(names) != 2:
        raise NgioValueError(f"axes must name the two axes of a rectangle, got {names}")
    first, second = (closed_bounds(roi, axis) for axis in names)
    return np.array([(first[i], second[j]) for i, j in ((0, 0), (0, 1), (1, 1), (1, 0))], dtype=np.float64)


def bounding_roi(
    points: npt.ArrayLike, axes: Sequence[str] = ("y", "x"), name: str | None = None, label: int | None = None
) -> Roi:
    """Return the smallest region around points, such as the corners of a rectangle that somebody drew.

    >>> bounding_roi([(2, 8), (0, 5)])["x"].bounds
    (5.0, 8.0)

    Args:
        points: Shape (…, d), in world units; at least one.
        axes: The d axes, in the order of the columns.
        name: Name of the region.
        label: Id of the object.

    Raises:
        NgioTypeError: If the points are not numbers.
        NgioValueError: If there are none, they are not finite, or their columns do not fit the axes.
    """
    axes = _to_axes(axes)
    places = to_points(points, axes).reshape(-1, len(axes))
    if not len(places):
        raise NgioValueError(f"points must be at least one, got shape {np.shape(points)}")
    if not np.isfinite(places).all():
        raise NgioValueError(f"points must be finite numbers, got {shown(places[~np.isfinite(places)][0].item())}")
    spans = zip(axes, places.min(axis=0).tolist(), places.max(axis=0).tolist(), strict=True)
    return Roi.from_values({axis: slice(low, high) for axis, low, high in spans}, name, label)


def to_points(points: Any, axes: Sequence[str], argument: str = "points") -> npt.NDArray[np.float64]:
    """Return the points of the argument of that name as floats, shape (…, d), one column for each of the d axes.

    Raises:
        NgioTypeError: If they are no numbers.
        NgioValueError: If columns and axes do not fit.
    """
    try:
        array = np.asarray(points)
    except (TypeError, ValueError) as error:
        raise NgioTypeError(f"{argument} must be an array of numbers, got {type(points).__name__}: {error}") from None
    if array.dtype.kind not in "iuf":
        raise NgioTypeError(f"{argument} must be an array of numbers, got {type(points).__name__} of {array.dtype}")
    if array.ndim == 0 or array.shape[-1] != len(axes):
        raise NgioValueError(f"{argument} must have one column for each of axes {tuple(axes)}, got shape {array.shape}")
    return array.astype(np.float64)


def closed_bounds(roi: Roi, axis: str) -> tuple[float, float]:
    """Return the bounds of a region along an axis.

    Raises:
        NgioValueError: If it is unbounded there.
        NgioKeyError: If it lacks the axis.
    """
    start, end = roi[axis].bounds
    if start is None or end is None:
        raise NgioValueError(
            f"region {roi.get_name()} is unbounded along '{axis}', so that it has no corners: give it both bounds"
        )
    return start, end
