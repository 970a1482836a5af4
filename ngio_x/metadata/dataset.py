"""One resolution level as the metadata describes it: its path, axes, scale and translation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import SupportsFloat

from ngio_x._frozen import checked_by, field, frozen, instance_of, to_floats, to_name, to_positive_floats
from ngio_x.errors import NgioValueError
from ngio_x.metadata.axes import AxesHandler
from ngio_x.metadata.pixel_size import PixelSize
from ngio_x.metadata.units import DEFAULT_TIME_UNIT


def _to_translation(value: Iterable[SupportsFloat] | None) -> tuple[float, ...]:
    return () if value is None else to_floats(value)


@frozen
class Dataset:
    """One entry of `multiscales[].datasets` (OME-NGFF section "multiscales"); one scale number an axis.

    A translation of None is read as zeros.
    """

    path: str = field(converter=to_name)
    """Path of the array inside the image group."""
    axes_handler: AxesHandler = field(metadata=checked_by(instance_of(AxesHandler)))
    scale: tuple[float, ...] = field(converter=to_positive_floats)
    """Pixel size along each axis, in the axis' unit."""
    translation: tuple[float, ...] = field(converter=_to_translation, default=())
    """Offset along each axis, in the axis' unit."""

    def __attrs_post_init__(self) -> None:
        names = self.axes_handler.axes_names
        if not self.translation:
            object.__setattr__(self, "translation", (0.0,) * len(names))
        for label, values in (("scale", self.scale), ("translation", self.translation)):
            if len(values) != len(names):
                raise NgioValueError(f"{label} must have one number for each axis of {names}, got {values}")

    @property
    def pixel_size(self) -> PixelSize:
        """The pixel size; z and t that are no axes are 1, in the default units.

        Raises:
            NgioValueError: If there is no y or x axis, or their units differ.
        """
        sizes = {
            name: self.scale[index]
            for name in ("x", "y", "z", "t")
            if (index := self.axes_handler.get_index(name)) is not None
        }
        if not {"y", "x"} <= sizes.keys():
            raise NgioValueError(
                f"an image must have y and x axes to have a pixel size, got {self.axes_handler.axes_names}"
            )
        handler = self.axes_handler
        time_unit = handler.time_unit if "t" in sizes else DEFAULT_TIME_UNIT
        return PixelSize(**sizes, space_unit=handler.space_unit, time_unit=time_unit)
