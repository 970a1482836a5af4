"""What an OME-NGFF image says about itself, and how versions 0.4 and 0.5 write it down.

Source: https://ngff.openmicroscopy.org/0.4/ and /0.5/, sections "axes", "multiscales", "omero" and "labels".
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal, TypeVar, get_args

from ngio_x._frozen import evolve, field, frozen, instance_of, one_of, thaw, to_bool, to_optional_name, tuple_of
from ngio_x.errors import NgioValidationError, NgioValueError
from ngio_x.metadata.axes import CANONICAL_ORDER, AxesHandler, AxesSetup, Axis
from ngio_x.metadata.channels import Channel
from ngio_x.metadata.dataset import Dataset
from ngio_x.metadata.frame import Frame, LevelOrigin, read_edges

T = TypeVar("T")

Version = Literal["0.4", "0.5"]
ZARR_FORMATS: Final[dict[str, Literal[2, 3]]] = {"0.4": 2, "0.5": 3}
"""The zarr format that each version is stored in."""

OWN_KEY: Final = "ngio_x"
"""The attribute in which ngio_x notes how translations were written."""


@frozen
class Multiscales:
    """A multi-resolution image as its metadata describes it, whatever the version."""

    version: Version = field(one_of("0.4", "0.5"))
    datasets: tuple[Dataset, ...] = field(tuple_of(Dataset))
    """The levels, finest first."""
    name: str | None = field(to_optional_name, default=None)
    kernel: str | None = field(to_optional_name, default=None)
    """How each level was made from the one before: `"linear"` or `"nearest"`."""
    channels: tuple[Channel, ...] = field(tuple_of(Channel), default=())
    is_label: bool = field(to_bool, default=False)
    frame: Frame = field(one_of("corner", "center"), default="corner")
    level_origin: LevelOrigin | None = field(one_of("center", "corner", None), default="center")

    def __attrs_post_init__(self) -> None:
        if not self.datasets:
            raise NgioValueError("datasets must hold at least one level")

    @property
    def axes_handler(self) -> AxesHandler:
        """The axes, which all levels share."""
        return instance_of(AxesHandler)(self.datasets[0].axes_handler)

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


def to_attributes(image: Multiscales) -> dict[str, Any]:
    """Return the attributes of the group that holds the image."""
    entry: dict[str, Any] = {
        "name": image.name or "image",
        "axes": [_axis_entry(axis) for axis in image.axes_handler.axes],
        "datasets": [_dataset_entry(dataset) for dataset in image.datasets],
    }
    if image.kernel is not None:
        call = {"method": "ngio_x.consolidate_pyramid", "kwargs": {"order": image.kernel}}
        entry |= {"type": image.kernel, "metadata": call}
    document: dict[str, Any] = {"multiscales": [entry]}
    if image.channels:
        document["omero"] = {"channels": [_channel_entry(channel) for channel in image.channels]}
    if image.is_label:
        document["image-label"] = {"source": {"image": "../../"}}
    own = {"frame": image.frame} | ({} if image.level_origin is None else {"level_origin": image.level_origin})
    return versioned(document, image.version) | {OWN_KEY: own}


def versioned(document: Mapping[str, Any], version: Version) -> dict[str, Any]:
    """Return a document as group attributes: at the root in 0.4, under `ome` in 0.5; each names its version."""
    if version == "0.5":
        return {"ome": {"version": version, **document}}
    dated = dict(document)
    for key in ("multiscales", "image-label"):
        if isinstance(entry := dated.get(key), list):
            dated[key] = [{**item, "version": version} for item in entry]
        elif entry is not None:
            dated[key] = {**entry, "version": version}
    return dated


def unversioned(attributes: Mapping[str, Any]) -> tuple[dict[str, Any], Version]:
    """Return the document and its version from the attributes of a group.

    Raises:
        NgioValidationError: If it is of a version that is not read.
    """
    ome = attributes.get("ome")
    if isinstance(ome, Mapping):
        return dict(ome), _known_version(ome.get("version", "0.5"))
    entries = attributes.get("multiscales")
    first = entries[0] if isinstance(entries, list) and entries else {}
    return dict(attributes), _known_version(first.get("version", "0.4") if isinstance(first, Mapping) else "0.4")


def _known_version(version: Any) -> Version:
    for known in get_args(Version):
        if version == known:
            return known  # type: ignore[no-any-return]
    raise NgioValidationError(f"OME-NGFF version {version!r} is not read; convert the image to 0.4 or 0.5")


def from_attributes(attributes: Mapping[str, Any], where: str, frame: Frame = "corner") -> Multiscales:
    """Return what the attributes of a group say.

    Args:
        attributes: The group's attributes.
        where: The group, for messages.
        frame: The frame of files that do not say theirs.

    Raises:
        NgioValidationError: If they describe no image, naming what is wrong.
    """
    document, version = unversioned(attributes)
    entries = document.get("multiscales")
    if not isinstance(entries, (list, tuple)) or not entries:
        raise NgioValidationError(f"{where} is no OME-Zarr image: its attributes have no 'multiscales'")
    own = attributes.get(OWN_KEY)
    own = own if isinstance(own, Mapping) else {}
    omero = document.get("omero")
    try:
        return _each(
            {"multiscales": entries[:1]},
            "multiscales",
            lambda entry: Multiscales(
                version=version,
                datasets=_datasets_from(entry),
                name=entry.get("name"),
                kernel=entry.get("type"),
                channels=_channels_from(omero),
                is_label="image-label" in document,
                frame=own.get("frame", frame),
                level_origin=own.get("level_origin"),
            ),
        )[0]
    except NgioValueError as error:
        raise NgioValidationError(f"{where} has faulty OME-NGFF metadata: {error}") from None


def require_image_axes(names: Sequence[str], *, labels: bool = False) -> None:
    """Raise unless OME-NGFF allows an image with these axes.

    Raises:
        NgioValueError: Naming the rule that is broken.
    """
    if unknown := [name for name in names if name not in CANONICAL_ORDER]:
        raise NgioValueError(f"OME-NGFF images have axes t, c, z, y, x, got '{unknown[0]}' in {tuple(names)}")
    if not {"y", "x"} <= set(names):
        raise NgioValueError(f"OME-NGFF images have y and x axes (2 or 3 space axes are a MUST), got {tuple(names)}")
    if labels and "c" in names:
        raise NgioValueError("label images have no channel axis: select one channel")


def _axis_entry(axis: Axis) -> dict[str, str]:
    entry = {"name": axis.name}
    if axis.axis_type is not None:
        entry["type"] = axis.axis_type
    return entry | ({} if axis.unit is None else {"unit": axis.unit})


def _dataset_entry(dataset: Dataset) -> dict[str, Any]:
    return {
        "path": dataset.path,
        "coordinateTransformations": [
            {"type": "scale", "scale": list(dataset.scale)},
            {"type": "translation", "translation": list(dataset.translation)},
        ],
    }


def _channel_entry(channel: Channel) -> dict[str, Any]:
    (low, high), (start, end) = channel.limits, channel.display
    return {
        "label": channel.label,
        "color": channel.color,
        "active": True,
        "window": {"min": low, "max": high, "start": start, "end": end},
    }


def _each(owner: Mapping[str, Any], key: str, read: Callable[[Mapping[str, Any]], T]) -> tuple[T, ...]:
    """Return what `read` makes of each object of the list at `key`; errors name the object."""
    if key not in owner:
        raise NgioValueError(f"{key} is missing")
    entries = owner[key]
    if not isinstance(entries, (list, tuple)):
        raise NgioValueError(f"{key} must be a list, got {entries!r}")
    found = []
    for index, entry in enumerate(entries):
        if not isinstance(entry, Mapping):
            raise NgioValueError(f"{key}[{index}] must be an object, got {entry!r}")
        try:
            found.append(read(entry))
        except KeyError as error:
            raise NgioValueError(f"{key}[{index}]: {error} is missing") from None
        except NgioValueError as error:
            raise NgioValueError(f"{key}[{index}]: {error}") from None
    return tuple(found)


def _axes_from(entry: Mapping[str, Any]) -> AxesHandler:
    axes = _each(entry, "axes", lambda item: Axis(item["name"], item.get("type"), item.get("unit")))
    others = tuple(axis.name for axis in axes if axis.name not in CANONICAL_ORDER)
    return AxesHandler(axes, AxesSetup(others=others, allow_non_canonical_axes=bool(others)))


def _datasets_from(entry: Mapping[str, Any]) -> tuple[Dataset, ...]:
    handler = _axes_from(entry)
    levels = _each(entry, "datasets", lambda item: Dataset(item["path"], handler, *_transform_from(item)))
    if not entry.get("coordinateTransformations"):
        return levels
    image = Dataset("all levels", handler, *_transform_from(entry))
    return tuple(_transformed(level, image) for level in levels)


def _transform_from(owner: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return scale and translation, which may be None."""
    found = dict(
        _each(owner, "coordinateTransformations", lambda item: (str(item["type"]), item.get(str(item["type"]))))
    )
    if unknown := sorted(set(found) - {"scale", "translation"}):
        raise NgioValueError(f"coordinate transformation {unknown[0]!r} is not read")
    if "scale" not in found:
        raise NgioValueError("coordinateTransformations have no scale")
    return found["scale"], found.get("translation")


def _transformed(level: Dataset, image: Dataset) -> Dataset:
    """Return a level as seen through the transformations of the whole image, which apply after its own."""
    moved = zip(level.translation, image.scale, image.translation, strict=True)
    return evolve(
        level,
        scale=tuple(size * factor for size, factor in zip(level.scale, image.scale, strict=True)),
        translation=tuple(at * factor + shift for at, factor, shift in moved),
    )


def _channels_from(omero: Any) -> tuple[Channel, ...]:
    if omero is None:
        return ()
    if not isinstance(omero, Mapping):
        raise NgioValueError(f"omero must be an object, got {omero!r}")
    numbers = itertools.count()
    return _each({"channels": []} | thaw(omero), "channels", lambda item: _channel_from(item, next(numbers)))


def _channel_from(entry: Mapping[str, Any], index: int) -> Channel:
    window = entry.get("window") or {}
    if not isinstance(window, Mapping):
        raise NgioValueError(f"window must be an object, got {window!r}")
    low, high = window.get("min", 0.0), window.get("max", 255.0)
    return Channel(
        entry.get("label") or f"channel_{index}",
        entry.get("color") or "FFFFFF",
        (low, high),
        (window.get("start", low), window.get("end", high)),
    )
