"""How large a pixel is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ngio_x._frozen import field, field_names, frozen, is_number, named, shown, to_optional_name, to_positive_float
from ngio_x.errors import NgioValueError
from ngio_x.metadata.units import DEFAULT_SPACE_UNIT, DEFAULT_TIME_UNIT, warn_if_unknown_unit


@frozen
class PixelSize:
    """The extent of one pixel along x, y, z (in `space_unit`) and t (in `time_unit`); all positive and finite.

    An image without z or t has the size 1 there; the repr says nothing of z and t where that is so.

    >>> PixelSize(x=0.5, y=0.5)
    PixelSize(x=0.5, y=0.5, space_unit='micrometer')
    """

    x: float = field(converter=to_positive_float)
    y: float = field(converter=to_positive_float)
    z: float = field(converter=to_positive_float, default=1.0)
    t: float = field(converter=to_positive_float, default=1.0)
    space_unit: str | None = field(converter=to_optional_name, default=DEFAULT_SPACE_UNIT)
    time_unit: str | None = field(converter=to_optional_name, default=DEFAULT_TIME_UNIT)

    def __attrs_post_init__(self) -> None:
        warn_if_unknown_unit(self.space_unit, "space")
        warn_if_unknown_unit(self.time_unit, "time")

    def __repr__(self) -> str:
        """Return the call that makes an equal value."""
        timed = (self.t, self.time_unit) != (1.0, DEFAULT_TIME_UNIT)
        tells = {"z": self.z != 1.0, "t": timed, "time_unit": timed}
        fields = (f"{name}={getattr(self, name)!r}" for name in field_names(PixelSize) if tells.get(name, True))
        return f"PixelSize({', '.join(fields)})"

    def as_dict(self) -> dict[str, float]:
        """Return the sizes by axis name, in the order t, z, y, x."""
        return {"t": self.t, "z": self.z, "y": self.y, "x": self.x}

    def get(self, axis: str, default: float | None = None) -> float:
        """Return the size along one axis; `default` answers for axes other than t, z, y, x.

        Raises:
            NgioValueError: If the axis is none of them and there is no default.
        """
        size = self.as_dict().get(axis, default)
        if size is None:
            raise NgioValueError(f"there is no pixel size along {axis!r}: expected one of 't', 'z', 'y', 'x'")
        return size

    def unit(self, axis: str) -> str | None:
        """Return the unit along one axis: the space unit for z, y, x, the time unit for t, else None."""
        return {"t": self.time_unit, "z": self.space_unit, "y": self.space_unit, "x": self.space_unit}.get(axis)

    @property
    def tzyx(self) -> tuple[float, float, float, float]:
        """Sizes along t, z, y, x."""
        return self.t, self.z, self.y, self.x

    @property
    def zyx(self) -> tuple[float, float, float]:
        """Sizes along z, y, x."""
        return self.z, self.y, self.x

    @property
    def yx(self) -> tuple[float, float]:
        """Sizes along y, x."""
        return self.y, self.x

    @property
    def voxel_volume(self) -> float:
        """Volume of a voxel, in the space unit cubed."""
        return self.z * self.y * self.x

    @property
    def xy_plane_area(self) -> float:
        """Area of a pixel in the xy plane, in the space unit squared."""
        return self.y * self.x

    @property
    def time_spacing(self) -> float:
        """Time between frames, in the time unit."""
        return self.t

    def distance(self, other: PixelSize) -> float:
        """Return the Euclidean distance between the z, y, x sizes of two pixel sizes in one unit.

        Raises:
            NgioValueError: If the space units differ.
        """
        if self.space_unit != other.space_unit:
            raise NgioValueError(
                f"cannot compare pixel sizes in {self.space_unit!r} and {other.space_unit!r}: convert one of them first"
            )
        return math.dist(self.zyx, other.zyx)


SpacingLike = float | PixelSize | Mapping[str, float]
"""Pixel sizes by axis name; a single one is that of z, y and x."""


def to_own(pixel_size: Any) -> Any:
    """Return what has the fields of a `PixelSize`, as that of ngio's images, as a `PixelSize`; all else as it is."""
    names = field_names(PixelSize)
    if isinstance(pixel_size, (PixelSize, Mapping)) or not all(hasattr(pixel_size, name) for name in names):
        return pixel_size
    return PixelSize(*(getattr(pixel_size, name) for name in names))


def spacing_along(pixel_size: SpacingLike, axis: str) -> float:
    """Return the spacing along an axis; an axis without one counts pixels, so its spacing is 1."""
    pixel_size = to_own(pixel_size)
    if isinstance(pixel_size, PixelSize):
        return pixel_size.get(axis, default=1.0)
    if isinstance(pixel_size, Mapping):
        size = pixel_size.get(axis, 1.0)
    elif is_number(pixel_size):
        size = pixel_size if axis in ("z", "y", "x") else 1.0
    else:
        raise NgioValueError(
            f"pixel_size must be a number, a PixelSize or a mapping by axis name, got {shown(pixel_size)}"
        )
    return float(named(f"pixel size along {axis!r}", to_positive_float)(size))
