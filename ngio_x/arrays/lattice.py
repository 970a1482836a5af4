"""Evenly spaced pixels along one axis, and which of them an array holds."""

from __future__ import annotations

import math
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from ngio_x._frozen import evolve, field, frozen, to_bool, to_float, to_int, to_optional_name, to_positive_float
from ngio_x.errors import NgioValueError
from ngio_x.metadata.units import AxisType
from ngio_x.roi.roi_slice import RoiSlice
from ngio_x.roi.rounding import Bounds, pixel_window, world_to_pixel

DRIFT_TOLERANCE: Final = 0.01
"""Distance, in pixels, that the pixels of two lattices may drift apart over the extent that they share."""
ORIGIN_TOLERANCE: Final = 1e-3
"""Distance to a whole pixel, in pixels, up to which a place lies on the lattice."""

Over: TypeAlias = Literal["shared", "hull"]
"""Where two lattices must agree: over the pixels that both hold, or over the shortest run that holds both."""

_SAME_PIXELS: Final = "if they are the same pixels nonetheless, as_image (or as_labels) with like= says so"


@frozen
class Lattice:
    """The pixels `start … start + size - 1` of an endless row: pixel `k` covers `origin + [k, k + 1) * spacing`.

    Cropping moves the integers and leaves the floats alone, so that nothing drifts.
    """

    origin: float = field(converter=to_float)
    """World coordinate of the lower edge of lattice pixel 0."""
    spacing: float = field(converter=to_positive_float)
    """World size of a pixel."""
    size: int = field(converter=to_int)
    """How many pixels the array holds."""
    start: int = field(converter=to_int, default=0)
    """The lattice pixel at array position 0."""
    anchor: float = field(converter=to_float, default=0.5)
    """Where in a pixel its label lies: 0.5 is the centre (space), 0 the start (time)."""
    unit: str | None = field(converter=to_optional_name, default=None)
    """Unit of origin and spacing."""
    relative: bool = field(converter=to_bool, default=False)
    """Whether places are counted from the start of a window, wherever that lies: see `stack_objects`."""

    @property
    def edge(self) -> float:
        """World coordinate of the lower edge of the first pixel."""
        return self.origin + self.start * self.spacing

    @property
    def extent(self) -> tuple[float, float]:
        """World coordinates of the lower edge of the first pixel and the upper edge of the last."""
        return self.edge, self.origin + (self.start + self.size) * self.spacing

    def labels(self, positions: npt.NDArray[Any] | None = None) -> npt.NDArray[np.float64]:
        """Return the coordinate labels at some array positions, by default at all of them."""
        places = np.arange(self.size) if positions is None else np.asarray(positions)
        return np.asarray(self.origin + (places + (self.start + self.anchor)) * self.spacing, dtype=np.float64)

    def positions(self, world: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Return where world coordinates lie, in pixels from the lower edge of array position 0."""
        return np.asarray((np.asarray(world, dtype=np.float64) - self.origin) / self.spacing - self.start)

    def window(self, interval: RoiSlice, bounds: Bounds = "outer") -> slice | None:
        """Return the array positions that a world interval holds, or None where it holds none."""
        start, stop = (
            None if bound is None else world_to_pixel(bound, self.spacing, self.origin) for bound in interval.bounds
        )
        return pixel_window(start, stop, self.size, bounds, first=self.start)

    def strided(self, start: int, size: int, step: int = 1) -> Lattice:
        """Return the lattice of every `step`-th pixel from array position `start` on; the labels stay.

        A step above 1 widens the pixels around their labels.
        """
        first = self.start + start
        if step == 1:
            return evolve(self, start=first, size=size)
        edge = first + self.anchor - self.anchor * step  # of the first wide pixel, in pixels of this lattice
        return self._regridded(edge, self.spacing * step, size, edge / step)

    def resized(self, size: int) -> Lattice:
        """Return the lattice that covers the same extent with `size` pixels."""
        spacing = self.spacing * (self.size / size)
        return self._regridded(self.start, spacing, size, self.start * size / self.size)

    def _regridded(self, edge: float, spacing: float, size: int, start: float) -> Lattice:
        """Return a lattice of another spacing from `edge` (in pixels); it keeps the origin if `start` is whole."""
        if start == int(start):
            return evolve(self, spacing=spacing, size=size, start=int(start))
        return evolve(self, origin=self.origin + edge * self.spacing, spacing=spacing, size=size, start=0)

    def offset_of(self, other: Lattice, over: Over = "shared") -> int:
        """Return the array position in this lattice of the other's first pixel; it may lie outside.

        Pixel sizes that went through a file may be rounded. What counts is how far the pixels drift apart.

        Args:
            other: Another lattice.
            over: Where they may drift apart by less than 0.01 pixel: over the pixels that both arrays hold (`"shared"`;
                where they share none, the hull), or over the hull of the two, for a result that spans it.

        Raises:
            NgioValueError: If the two are not pieces of one lattice.
        """
        self._require_one_frame(other)
        # All of this is symmetric, so that two arrays are on one lattice in either order.
        stretch = abs(self.spacing - other.spacing) / min(self.spacing, other.spacing)
        shift = (other.origin - self.origin) * 2 / (self.spacing + other.spacing)
        offset = round(shift) + other.start - self.start
        drift = stretch * max(self._reach(other, offset, over), abs(shift))
        if not drift < DRIFT_TOLERANCE:
            raise NgioValueError(
                f"the pixel sizes differ: {self.spacing!r} and {other.spacing!r}, so that the pixels drift "
                f"{drift:.3g} of a pixel apart; {_SAME_PIXELS}, else zoom one of them"
            )
        # The way from one origin to the other has a length in pixels of either size.
        if abs(shift - round(shift)) > ORIGIN_TOLERANCE + stretch * abs(shift) / 2:
            raise NgioValueError(
                f"the pixels are shifted against each other by {shift - math.floor(shift):.4g} of a pixel "
                f"(origins {self.origin!r} and {other.origin!r}); {_SAME_PIXELS}, else resample one of them"
            )
        return offset

    def _reach(self, other: Lattice, offset: int, over: Over) -> int:
        """Return over how many pixels two lattices must agree: at least one."""
        shared = min(self.size, offset + other.size) - max(0, offset)
        if over == "shared" and shared > 0:
            return shared
        return max(1, max(self.size, offset + other.size) - min(0, offset))

    def holding(self, other: Lattice) -> int:
        """Return the array position in this lattice of the pixel that holds the other's first label, and so on.

        The weaker sibling of `offset_of`, for arrays of which somebody says that they have the same pixels.

        Raises:
            NgioValueError: If the labels do not lie in consecutive pixels, or the units differ.
        """
        self._require_one_frame(other)
        first, last = other.start + self.anchor, other.start + other.size - 1 + self.anchor
        places = self.positions(np.array([other.origin + at * other.spacing for at in (first, last)])) - self.anchor
        offset = round(float(places[0]))
        apart = float(np.abs(places - (offset, offset + other.size - 1)).max())
        if apart > 0.5 - ORIGIN_TOLERANCE:  # half a pixel away, two pixels are as near
            raise NgioValueError(
                f"its pixels lie up to {apart:.3g} pixels beside those of like (sizes {other.spacing!r} and "
                f"{self.spacing!r}, first edges {other.edge!r} and {self.edge!r})"
            )
        return offset

    def _require_one_frame(self, other: Lattice) -> None:
        if self.relative != other.relative:
            raise NgioValueError(
                "one of them is a window of a stack, which counts from its own start: "
                "as_image(window, like=image) puts it at its place, if it was taken by sel without drop=True"
            )
        if self.unit is not None and other.unit is not None and self.unit != other.unit:
            raise NgioValueError(f"the units differ: {self.unit!r} and {other.unit!r}; convert one of the arrays")

    def joined(self, other: Lattice, how: str) -> Lattice:
        """Return the pixels that both hold (`"inner"`) or the shortest run that holds both (`"outer"`)."""
        offset = self.offset_of(other, "shared" if how == "inner" else "hull")
        if how == "inner":
            low, high = max(0, offset), min(self.size, offset + other.size)
        else:
            low, high = min(0, offset), max(self.size, offset + other.size)
        return self.strided(low, max(0, high - low))


def anchor_of(axis_type: AxisType | None) -> float:
    """Return where in a pixel its label lies: at the start of a frame, at the centre of everything else."""
    return 0.0 if axis_type == "time" else 0.5


def lattice_from_labels(
    labels: npt.NDArray[Any], axis: str, anchor: float, spacing: object = None, unit: str | None = None
) -> Lattice:
    """Return the lattice that ordinary coordinate labels lie on.

    Args:
        labels: One number a pixel, at least one.
        axis: The name of the axis, for messages.
        anchor: Where in a pixel its label lies.
        spacing: The size of a single pixel, or None where nothing tells it. Two or more labels speak for themselves.
        unit: The unit of the labels.

    Raises:
        NgioValueError: If the labels fall, are unevenly spaced, or a single one comes without a spacing.
    """
    values = np.asarray(labels, dtype=np.float64)
    if not np.isfinite(values).all():
        worst = int(np.flatnonzero(~np.isfinite(values))[0])
        raise NgioValueError(
            f"the array's coordinates along axis '{axis}' must be finite numbers, got {values[worst]} at position "
            f"{worst}: give them anew, with as_image(image, pixel_size={{'{axis}': ...}})"
        )
    if values.size == 1:
        return _single_pixel(float(values[0]), axis, anchor, spacing, unit)
    step = float(values[-1] - values[0]) / (values.size - 1)
    if step <= 0:
        raise NgioValueError(
            f"the array's coordinates along axis '{axis}' must rise, got {values[0]:g} … {values[-1]:g}: "
            "sort or flip the array"
        )
    error = np.abs(values - (values[0] + np.arange(values.size) * step)) / step
    # Labels of a coarse dtype (float32 files) cannot lie closer to the lattice than it resolves.
    resolution = np.finfo(labels.dtype).eps * np.abs(values).max() / step if labels.dtype.kind == "f" else 0.0
    if error.max() > max(ORIGIN_TOLERANCE, min(resolution, 0.1)):
        worst = int(error.argmax())
        raise NgioValueError(
            f"the array's coordinates along axis '{axis}' are not evenly spaced: label {values[worst]:g} at position "
            f"{worst} is {error[worst]:.3g} pixels off. Interpolate to even spacing, or drop the coordinates to count "
            "pixels."
        )
    return Lattice(float(values[0]) - anchor * step, step, values.size, anchor=anchor, unit=unit)


def _single_pixel(label: float, axis: str, anchor: float, spacing: object, unit: str | None) -> Lattice:
    try:
        size = to_positive_float(spacing)  # type: ignore[arg-type]  # whatever an attribute holds
    except NgioValueError:
        raise NgioValueError(
            f"axis '{axis}' has a single pixel, and nothing says how large it is: take its size from the array that it "
            f"was cut from, with as_image(image, like=...), or give size and place with as_image(image, "
            f"pixel_size={{'{axis}': ...}}, origin={{'{axis}': ...}})"
        ) from None
    return Lattice(label - anchor * size, size, 1, anchor=anchor, unit=unit)
