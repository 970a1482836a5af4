"""What the metadata of OME-NGFF groups say, whatever the version they are written in.

Source: https://ngff.openmicroscopy.org/0.5/, sections "multiscales", "omero", "labels", "plate" and "well".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from ngio_x._frozen import (
    ReadOnlyMapping,
    checked_by,
    field,
    freeze,
    frozen,
    instance_of,
    one_of,
    shown,
    to_bool,
    to_int,
    to_ints,
    to_name,
    to_names,
    to_natural,
    to_optional_name,
    to_optional_natural,
    tuple_of,
)
from ngio_x.errors import NgioValueError
from ngio_x.metadata.axes import AxesHandler
from ngio_x.metadata.channels import Channel
from ngio_x.metadata.dataset import Dataset
from ngio_x.metadata.frame import Frame, LevelOrigin, read_edges


def _to_mapping(value: Any) -> Mapping[Any, Any]:
    if not isinstance(value, Mapping):
        raise NgioValueError(f"must be a mapping, got {shown(value)}")
    return freeze(value)  # type: ignore[no-any-return]


def _to_optional_mapping(value: Any) -> Mapping[str, Any] | None:
    return None if value is None else _to_mapping(value)


def _to_rgba(value: Any) -> tuple[int, ...] | None:
    numbers = None if value is None else to_ints(value)
    if numbers is not None and not (len(numbers) == 4 and all(0 <= number <= 255 for number in numbers)):
        raise NgioValueError(f"must be red, green, blue and alpha between 0 and 255, got {shown(value)}")
    return numbers


def _to_colors(value: Any) -> Mapping[int, tuple[int, ...] | None]:
    return ReadOnlyMapping((to_int(key), _to_rgba(color)) for key, color in _to_mapping(value).items())


def _to_properties(value: Any) -> Mapping[int, Mapping[str, Any]]:
    return ReadOnlyMapping((to_int(key), _to_mapping(item)) for key, item in _to_mapping(value).items())


@frozen
class ImageLabel:
    """What makes an image a label image (section "labels")."""

    source: str | None = field(converter=to_optional_name, default="../../")
    """Relative path of the image that is labelled."""
    colors: Mapping[int, tuple[int, ...] | None] = field(converter=_to_colors, default=ReadOnlyMapping())
    """Red, green, blue and alpha (0 to 255) by label; None leaves the choice to viewers."""
    properties: Mapping[int, Mapping[str, Any]] = field(converter=_to_properties, default=ReadOnlyMapping())
    """More about objects, by label."""


def _to_optional_label(value: Any) -> ImageLabel | None:
    return None if value is None else instance_of(ImageLabel)(value)


@frozen
class Multiscales:
    """A multi-resolution image, or a label image (section "multiscales")."""

    datasets: tuple[Dataset, ...] = field(metadata=checked_by(tuple_of(Dataset)))
    """The levels, finest first."""
    name: str | None = field(converter=to_optional_name, default=None)
    kernel: str | None = field(converter=to_optional_name, default=None)
    """How each level was made from the one before (the key `type`): `"linear"`, `"nearest"`, …, or another's word."""
    metadata: Mapping[str, Any] | None = field(converter=_to_optional_mapping, default=None)
    """More about how levels were made."""
    channels: tuple[Channel, ...] = field(metadata=checked_by(tuple_of(Channel)), default=())
    label: ImageLabel | None = field(converter=_to_optional_label, default=None)
    """Of label images only."""
    frame: Frame = field(metadata=checked_by(one_of("corner", "center")), default="corner")
    level_origin: LevelOrigin | None = field(metadata=checked_by(one_of("center", "corner", None)), default="center")
    has_sizes: bool = field(converter=to_bool, default=True)
    """Whether it speaks of pixel sizes. Versions before 0.4 do not: then all scales are 1, until shapes are known."""
    rest: Mapping[str, Any] = field(converter=_to_mapping, default=ReadOnlyMapping())
    """What the document says besides, by its own keys."""
    others: Mapping[str, Any] = field(converter=_to_mapping, default=ReadOnlyMapping())
    """Attributes of the group that are none of OME-NGFF's."""

    def __attrs_post_init__(self) -> None:
        if not self.datasets:
            raise NgioValueError("datasets must hold at least one level")

    @property
    def axes_handler(self) -> AxesHandler:
        """The axes, which all levels share."""
        return instance_of(AxesHandler)(self.datasets[0].axes_handler)

    @property
    def keeps_objects(self) -> bool:
        """Whether objects that coarser levels would lose are put back there, as what made them says."""
        call = (self.metadata or {}).get("kwargs")
        return self.label is not None and isinstance(call, Mapping) and call.get("keep_objects") is True

    def edges(self, image: Multiscales | None = None) -> list[tuple[float, ...]]:
        """Return the world coordinate of the lower edge of the first pixel of every level, one number an axis.

        The pixel size that translations are relative to is that of this image, or of the one that it labels.
        """
        names, first = self.axes_handler.axes_names, self.datasets[0]
        base = self if image is None else image
        sizes = dict(zip(base.axes_handler.axes_names, base.datasets[0].scale, strict=True))
        places = dict(zip(base.axes_handler.axes_names, base.datasets[0].translation, strict=True))
        return read_edges(
            [dataset.translation for dataset in self.datasets],
            [dataset.scale for dataset in self.datasets],
            names,
            self.level_origin,
            self.frame,
            [sizes.get(name, size) for name, size in zip(names, first.scale, strict=True)],
            [places.get(name, place) for name, place in zip(names, first.translation, strict=True)],
        )


@frozen
class LabelList:
    """Which label images the `labels` group of an image holds (section "labels")."""

    paths: tuple[str, ...] = field(converter=to_names, default=())


@frozen
class WellImage:
    """A field of view of a well."""

    path: str = field(converter=to_name)
    acquisition: int | None = field(converter=to_optional_natural, default=None)
    """The acquisition of the plate that it belongs to."""


@frozen
class Well:
    """The fields of view of a well (section "well")."""

    images: tuple[WellImage, ...] = field(metadata=checked_by(tuple_of(WellImage)))
    rest: Mapping[str, Any] = field(converter=_to_mapping, default=ReadOnlyMapping())
    """What the document says besides, by its own keys."""
    others: Mapping[str, Any] = field(converter=_to_mapping, default=ReadOnlyMapping())
    """Attributes of the group that are none of OME-NGFF's."""


@frozen
class Acquisition:
    """A run of a microscope over a plate."""

    id: int = field(converter=to_natural)
    name: str | None = field(converter=to_optional_name, default=None)
    maximum_field_count: int | None = field(converter=to_optional_natural, default=None)
    """The largest number of fields of view of a well."""


@frozen
class PlateWell:
    """A well, and where in the plate it is; rows and columns count from 0."""

    path: str = field(converter=to_name)
    row_index: int = field(converter=to_natural)
    column_index: int = field(converter=to_natural)


@frozen
class Plate:
    """A plate of wells in rows and columns (section "plate")."""

    rows: tuple[str, ...] = field(converter=to_names)
    """The names of all rows, whether they hold images or not."""
    columns: tuple[str, ...] = field(converter=to_names)
    wells: tuple[PlateWell, ...] = field(metadata=checked_by(tuple_of(PlateWell)))
    name: str | None = field(converter=to_optional_name, default=None)
    field_count: int | None = field(converter=to_optional_natural, default=None)
    """The largest number of fields of view of a well."""
    acquisitions: tuple[Acquisition, ...] = field(metadata=checked_by(tuple_of(Acquisition)), default=())
    rest: Mapping[str, Any] = field(converter=_to_mapping, default=ReadOnlyMapping())
    """What the document says besides, by its own keys."""
    others: Mapping[str, Any] = field(converter=_to_mapping, default=ReadOnlyMapping())
    """Attributes of the group that are none of OME-NGFF's."""


Document: TypeAlias = Multiscales | LabelList | Well | Plate
"""What a group of an OME-Zarr hierarchy says about itself."""
