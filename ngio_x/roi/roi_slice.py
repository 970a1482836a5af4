"""An interval along one axis."""

from __future__ import annotations

import math
from typing import Any, Final, SupportsFloat, TypeAlias

import numpy as np

from ngio_x._frozen import (
    at_least,
    evolve,
    field,
    frozen,
    is_number,
    named,
    shown,
    to_float,
    to_name,
    to_optional_float,
    to_positive_float,
)
from ngio_x.errors import NgioTypeError, NgioValueError
from ngio_x.roi.rounding import pixel_to_world, world_to_pixel

Real: TypeAlias = "float | np.integer[Any] | np.floating[Any]"
"""A number, Python's or numpy's."""

SliceValue: TypeAlias = "Real | tuple[Real | None, Real | None] | slice | RoiSlice"
"""What `RoiSlice.from_value` understands: a scalar (length 1), `(start, length)`, `slice(start, stop)`, a RoiSlice."""


def bound_text(bound: float | None) -> str:
    """Return a bound with the 15 digits that a float is sure to hold: what was typed, without the noise of arithmetic.

    >>> bound_text(0.325 * 18), bound_text(4), bound_text(None)
    ('5.85', '4.0', 'None')
    """
    return repr(None if bound is None else float(f"{bound:.15g}"))


_to_spacing: Final = named("pixel_size", to_positive_float)
_to_origin: Final = named("origin", to_float)
_to_factor: Final = named("zoom_factor", to_positive_float)


def _to_length(value: SupportsFloat | None) -> float | None:
    return _at_least_zero(value)


_at_least_zero: Final = at_least(0, to_optional_float)


@frozen
class RoiSlice:
    """The half-open interval `[start, start + length)` along one axis, in world units or pixels.

    Without start and length it is unbounded; without length it has no upper end. A length without a start begins at 0.
    The repr shows 15 digits; the numbers themselves are kept as they are.

    >>> RoiSlice("x", 2, 3).intersection(RoiSlice("x", 4))
    RoiSlice(axis_name='x', start=4.0, length=1.0)
    """

    axis_name: str = field(converter=to_name)
    start: float | None = field(converter=to_optional_float, default=None, repr=bound_text)
    """Lower bound, included; None is unbounded."""
    length: float | None = field(converter=_to_length, default=None, repr=bound_text)
    """Length, ≥ 0; None is unbounded above."""

    def __attrs_post_init__(self) -> None:
        start, length = self.start, self.length
        if length is not None:
            if start is None:
                object.__setattr__(self, "start", 0.0)
            elif not math.isfinite(start + length):
                raise NgioValueError(f"end must be finite, got start={start!r} and length={length!r}")

    @classmethod
    def from_value(cls, axis_name: str, value: SliceValue) -> RoiSlice:
        """Build a slice from a scalar (length 1), `(start, length)`, `slice(start, stop)` or another RoiSlice.

        Raises:
            NgioTypeError: If `value` is of another type; it is a `TypeError`.
            NgioValueError: If the numbers make no interval, the slice has a step, or the RoiSlice another axis.
        """
        try:
            if isinstance(value, RoiSlice):
                return _of_axis(axis_name, value)
            start, length = _start_and_length(value)
            return cls(axis_name, start, length)
        except NgioValueError as error:
            raise NgioValueError(f"axis {axis_name!r}: {error}") from None
        except NgioTypeError as error:
            raise NgioTypeError(f"axis {axis_name!r}: {error}") from None

    @property
    def end(self) -> float | None:
        """The upper bound, excluded; None is unbounded."""
        return None if self.start is None or self.length is None else self.start + self.length

    @property
    def bounds(self) -> tuple[float | None, float | None]:
        """Lower and upper bound; None is unbounded."""
        return self.start, self.end

    def to_slice(self) -> slice:
        """Return `slice(start, end)`."""
        return slice(*self.bounds)

    def union(self, other: RoiSlice) -> RoiSlice:
        """Return the smallest interval that contains both.

        Raises:
            NgioValueError: If the axes differ.
        """
        self._require_same_axis(other, "union")
        start = None if self.start is None or other.start is None else min(self.start, other.start)
        end = None if self.end is None or other.end is None else max(self.end, other.end)
        return self._between(start, end, other)

    def intersection(self, other: RoiSlice) -> RoiSlice | None:
        """Return the overlap of both, or None where it has no length.

        Raises:
            NgioValueError: If the axes differ.
        """
        self._require_same_axis(other, "intersection")
        start = max((bound for bound in (self.start, other.start) if bound is not None), default=None)
        end = min((bound for bound in (self.end, other.end) if bound is not None), default=None)
        if start is not None and end is not None and end <= start:
            return None
        return self._between(start, end, other)

    def to_world(self, pixel_size: float, origin: float = 0.0) -> RoiSlice:
        """Convert positions in pixels to world units; `origin` is the world coordinate of position 0."""
        spacing, zero = _to_spacing(pixel_size), _to_origin(origin)
        start = None if self.start is None else pixel_to_world(self.start, spacing, zero)
        return evolve(self, start=start, length=None if self.length is None else self.length * spacing)

    def to_pixel(self, pixel_size: float, origin: float = 0.0) -> RoiSlice:
        """Convert world units to positions in pixels; bounds near an integer snap to it."""
        spacing, zero = _to_spacing(pixel_size), _to_origin(origin)
        start = None if self.start is None else world_to_pixel(self.start, spacing, zero)
        end = None if self.end is None else world_to_pixel(self.end, spacing, zero)
        return evolve(self, start=start, length=None if start is None or end is None else end - start)

    def zoom(self, zoom_factor: float = 1.0) -> RoiSlice:
        """Scale the length around the centre; an interval that starts at or above 0 is not moved below 0.

        Raises:
            NgioValueError: If the factor is not above 0.
        """
        factor = _to_factor(zoom_factor)
        if self.start is None or self.length is None:
            return self
        length = self.length * factor
        start = self.start - (length - self.length) / 2
        return evolve(self, start=max(start, 0.0) if self.start >= 0 else start, length=length)

    def _require_same_axis(self, other: RoiSlice, verb: str) -> None:
        if not isinstance(other, RoiSlice):
            raise NgioTypeError(f"{verb} needs another RoiSlice, got {type(other).__name__}")
        if self.axis_name != other.axis_name:
            raise NgioValueError(f"{verb} needs slices of one axis, got '{self.axis_name}' and '{other.axis_name}'")

    def _between(self, start: float | None, end: float | None, other: RoiSlice) -> RoiSlice:
        """Return the interval with these bounds; an operand that already has both is returned, its numbers intact."""
        for operand in (self, other):
            if operand.bounds == (start, end):
                return operand
        return evolve(self, start=start, length=None if start is None or end is None else end - start)


def _of_axis(axis_name: str, value: RoiSlice) -> RoiSlice:
    if value.axis_name != axis_name:
        raise NgioValueError(f"the RoiSlice given for it is of axis {value.axis_name!r}")
    return value


def _start_and_length(value: Real | tuple[Real | None, Real | None] | slice) -> tuple[Real | None, Real | None]:
    if isinstance(value, tuple):
        if len(value) != 2:
            raise NgioValueError(f"must be (start, length), got {shown(value)}")
        return value
    if isinstance(value, slice):
        return _start_and_length_of_slice(value)
    if not is_number(value):
        raise NgioTypeError(f"must be a number, (start, length), a slice or a RoiSlice, got {type(value).__name__}")
    return value, 1.0


def _start_and_length_of_slice(value: slice) -> tuple[float | None, float | None]:
    if value.step not in (None, 1):
        raise NgioValueError(f"a region has no step, got {shown(value)}")
    try:
        start, stop = to_optional_float(value.start), to_optional_float(value.stop)
    except NgioValueError as error:
        raise NgioValueError(f"a bound of {shown(value)} {error}") from None
    if stop is None:
        return start, None
    begin = 0.0 if start is None else start
    if stop < begin:
        raise NgioValueError(f"the end {stop:g} of {shown(value)} lies before its start {begin:g}")
    return begin, stop - begin
