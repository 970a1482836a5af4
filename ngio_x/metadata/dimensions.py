"""The shape of an image together with what its axes mean, and whether two images fit each other.

The channel axis is exempt from every comparison: a label image has none.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Final, SupportsInt, overload

from ngio_x._frozen import checked_by, field, frozen, instance_of, named, sequence_of, to_bool, to_natural
from ngio_x._html import number_text, table
from ngio_x.errors import NgioTypeError, NgioValueError
from ngio_x.metadata.axes import AxesHandler, Axis
from ngio_x.metadata.dataset import Dataset
from ngio_x.metadata.pixel_size import PixelSize
from ngio_x.metadata.units import symbol_of

_each_natural: Final = sequence_of(to_natural)


def _to_sizes(value: Iterable[SupportsInt]) -> tuple[int, ...]:
    return _each_natural(value)


@frozen
class Dimensions:
    """Shape and chunks of an array, and the dataset that says what they mean."""

    shape: tuple[int, ...] = field(converter=_to_sizes)
    chunks: tuple[int, ...] = field(converter=_to_sizes)
    dataset: Dataset = field(metadata=checked_by(instance_of(Dataset)))

    def __attrs_post_init__(self) -> None:
        for label, values in (("shape", self.shape), ("chunks", self.chunks)):
            if len(values) != len(self.axes):
                raise NgioValueError(f"{label} must have one number for each axis of {self.axes}, got {values}")

    @property
    def axes_handler(self) -> AxesHandler:
        """The axes and their names."""
        return self.dataset.axes_handler

    @property
    def pixel_size(self) -> PixelSize:
        """The pixel size of the dataset."""
        return self.dataset.pixel_size

    @property
    def axes(self) -> tuple[str, ...]:
        """The names of the axes on disk, in array order."""
        return self.axes_handler.axes_names

    @property
    def is_time_series(self) -> bool:
        """Whether there is more than one frame."""
        return self.get("t", default=1) != 1

    @property
    def is_2d(self) -> bool:
        """Whether there is at most one z plane."""
        return self.get("z", default=1) == 1

    @property
    def is_2d_time_series(self) -> bool:
        """Whether it is 2-D and a time series."""
        return self.is_2d and self.is_time_series

    @property
    def is_3d(self) -> bool:
        """Whether there is more than one z plane."""
        return not self.is_2d

    @property
    def is_3d_time_series(self) -> bool:
        """Whether it is 3-D and a time series."""
        return self.is_3d and self.is_time_series

    @property
    def is_multi_channels(self) -> bool:
        """Whether there is more than one channel."""
        return self.get("c", default=1) != 1

    @overload
    def get(self, axis_name: str, default: None = None) -> int | None: ...
    @overload
    def get(self, axis_name: str, default: int) -> int: ...
    def get(self, axis_name: str, default: int | None = None) -> int | None:
        """Return the size along an axis by its canonical or on-disk name, or `default`."""
        index = self.axes_handler.get_index(axis_name)
        return default if index is None else self.shape[index]

    def require_axes_match(self, other: Dimensions) -> None:
        """Raise unless both have the same axes; see `require_axes_match`."""
        require_axes_match(self, other)

    def check_if_axes_match(self, other: Dimensions) -> bool:
        """Return whether both have the same axes; see `require_axes_match`."""
        return check_if_axes_match(self, other)

    def require_dimensions_match(self, other: Dimensions, allow_singleton: bool = False) -> None:
        """Raise unless both have the same sizes; see `require_dimensions_match`."""
        require_dimensions_match(self, other, allow_singleton)

    def check_if_dimensions_match(self, other: Dimensions, allow_singleton: bool = False) -> bool:
        """Return whether both have the same sizes; see `require_dimensions_match`."""
        return check_if_dimensions_match(self, other, allow_singleton)

    def require_rescalable(self, other: Dimensions) -> None:
        """Raise unless one can be zoomed to the other; see `require_rescalable`."""
        require_rescalable(self, other)

    def check_if_rescalable(self, other: Dimensions) -> bool:
        """Return whether one can be zoomed to the other; see `require_rescalable`."""
        return check_if_rescalable(self, other)

    def _repr_html_(self) -> str:
        header = ("axis", "type", "size", "chunk", "pixel size", "from", "to")
        columns = (self.axes_handler.axes, self.shape, self.chunks, self.dataset.scale, self.dataset.translation)
        return table(header, [_row(*axis) for axis in zip(*columns, strict=True)])


def _row(axis: Axis, size: int, chunk: int, scale: float, edge: float) -> tuple[object, ...]:
    """Return what a table says of an axis; the pixels of channels have no size."""
    known = (axis.name, axis.axis_type or "", size, chunk)
    if axis.axis_type == "channel":
        return (*known, "", "", "")
    return (
        *known,
        *(f"{number_text(each)} {symbol_of(axis.unit)}".rstrip() for each in (scale, edge, edge + size * scale)),
    )


def _canonical_names(dimensions: Dimensions) -> dict[str, Axis]:
    """Return the axes other than channels by canonical name, so that differing names on disk compare equal."""
    handler = dimensions.axes_handler
    return {
        handler.get_canonical_name(axis.name) or axis.name: axis for axis in handler.axes if axis.axis_type != "channel"
    }


def require_axes_match(reference: Dimensions, other: Dimensions) -> None:
    """Raise unless both have the same axes, in any order; the channel axis does not count.

    Raises:
        NgioTypeError: If one of them is something else.
        NgioValueError: Naming the axis that only one of them has.
    """
    for side, given in (("reference", reference), ("other", other)):
        if not isinstance(given, Dimensions):
            raise NgioTypeError(f"{side} must be Dimensions, got {type(given).__name__}: see dimensions_of")
    ours, theirs = _canonical_names(reference), _canonical_names(other)
    for name in (*ours, *theirs):
        if name not in ours or name not in theirs:
            side = "other" if name in ours else "reference"
            raise NgioValueError(
                f"the axes do not match: axis '{name}' is missing from the {side} dimensions "
                f"(reference {reference.axes}, other {other.axes})"
            )


def check_if_axes_match(reference: Dimensions, other: Dimensions) -> bool:
    """Return whether `require_axes_match` would pass."""
    return _passes(require_axes_match, reference, other)


def require_dimensions_match(reference: Dimensions, other: Dimensions, allow_singleton: bool = False) -> None:
    """Raise unless both have the same axes and sizes; the channel axis does not count.

    Args:
        reference: The one to compare against.
        other: The one to compare.
        allow_singleton: Let an axis of size 1 match any size.

    Raises:
        NgioValueError: Naming the axis and both sizes.
    """
    require_axes_match(reference, other)
    allow_singleton = named("allow_singleton", to_bool)(allow_singleton)
    for name in _canonical_names(reference):
        ours, theirs = reference.get(name, default=1), other.get(name, default=1)
        if ours != theirs and not (allow_singleton and 1 in (ours, theirs)):
            raise NgioValueError(
                f"the dimensions do not match along axis '{name}': the reference has {ours} pixels, the other {theirs}"
            )


def check_if_dimensions_match(reference: Dimensions, other: Dimensions, allow_singleton: bool = False) -> bool:
    """Return whether `require_dimensions_match` would pass."""
    return _passes(require_dimensions_match, reference, other, allow_singleton)


def require_rescalable(reference: Dimensions, other: Dimensions) -> None:
    """Raise unless one image is a zoomed version of the other: same axes, and sizes that follow from the pixel sizes.

    Sizes may differ by the rounding of one pixel, up or down; the channel axis does not count.

    Raises:
        NgioValueError: Naming the axis, both sizes and both pixel sizes.
    """
    require_axes_match(reference, other)
    for name in _canonical_names(reference):
        ours, theirs = reference.get(name, default=1), other.get(name, default=1)
        our_size, their_size = reference.pixel_size.get(name, 1.0), other.pixel_size.get(name, 1.0)
        large, small = max(ours, theirs), min(ours, theirs)
        ratio = our_size / their_size if ours >= theirs else their_size / our_size
        if small not in (math.floor(large * ratio), math.ceil(large * ratio), round(large * ratio)):
            raise NgioValueError(
                f"the images cannot be rescaled to each other along axis '{name}': {ours} pixels of {our_size:g} "
                f"against {theirs} pixels of {their_size:g}"
            )


def check_if_rescalable(reference: Dimensions, other: Dimensions) -> bool:
    """Return whether `require_rescalable` would pass."""
    return _passes(require_rescalable, reference, other)


def _passes(require: Any, *args: Any) -> bool:
    try:
        require(*args)
    except NgioValueError:
        return False
    return True
