"""OME-NGFF 0.4: how documents look in it, for reading and writing.

Source: https://ngff.openmicroscopy.org/0.4/. Documents are read after their rules have been checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, get_args

from cattrs import Converter

from ngio_x._frozen import evolve, thaw
from ngio_x.metadata.axes import CANONICAL_ORDER, AxesHandler, AxesSetup, Axis
from ngio_x.metadata.channels import Channel
from ngio_x.metadata.dataset import Dataset
from ngio_x.metadata.units import AxisType
from ngio_x.ngff.documents import (
    Acquisition,
    ImageLabel,
    LabelList,
    Multiscales,
    Plate,
    PlateWell,
    Well,
    WellImage,
)
from ngio_x.ngff.problems import Problem

Json = Mapping[str, Any]

ROOT = "$"
"""Where a document stands in the attributes of its group."""

_KEYS: Final = ("multiscales", "omero", "image-label", "labels", "plate", "well", "bioformats2raw.layout", "series")
_VERSIONED: Final = ("image-label", "plate", "well")
"""Parts of a document that name the version, in 0.4 and 0.5 alike."""


class Found(NamedTuple):
    """What attributes hold."""

    document: dict[str, Any]
    """In the words of 0.4 and 0.5, without the version."""
    others: dict[str, Any]
    """The attributes that are none of it."""
    problems: tuple[Problem, ...] = ()
    """What cannot be said in these words."""


def document_in(attributes: Json) -> Found:
    """Return the document, and the attributes that are none of it."""
    document = {key: value for key, value in attributes.items() if key in _KEYS}
    return Found(document, {key: value for key, value in attributes.items() if key not in _KEYS})


def attributes_with(document: Json) -> dict[str, Any]:
    """Return the attributes of a group that has a document: each of its parts names its version."""
    found = dated(document, "0.4")
    if "multiscales" in found:
        found["multiscales"] = [{**item, "version": "0.4"} for item in found["multiscales"]]
    return found


def dated(document: Json, version: str) -> dict[str, Any]:
    """Return a document whose parts name the version."""
    return {**document, **{key: {**document[key], "version": version} for key in _VERSIONED if key in document}}


def configure(converter: Converter) -> None:
    """Teach a converter what documents look like."""
    for cls, read in (
        (Multiscales, _multiscales),
        (LabelList, lambda document: LabelList(document["labels"])),
        (Well, lambda document: _well(document["well"])),
        (Plate, lambda document: _plate(document["plate"])),
    ):
        converter.register_structure_hook(cls, lambda document, _, read=read: read(document))
    converter.register_unstructure_hook(Multiscales, _multiscales_document)
    converter.register_unstructure_hook(LabelList, lambda labels: {"labels": list(labels.paths)})
    converter.register_unstructure_hook(Well, lambda well: {"well": _well_entry(well)})
    converter.register_unstructure_hook(Plate, lambda plate: {"plate": _plate_entry(plate)})


# ---- Images: reading


def _multiscales(document: Json) -> Multiscales:
    entry = document["multiscales"][0]
    handler = _handler(entry["axes"])
    levels = tuple(Dataset(item["path"], handler, *_transformation(item)) for item in entry["datasets"])
    if entry.get("coordinateTransformations"):
        whole = Dataset("all levels", handler, *_transformation(entry))
        levels = tuple(_transformed(level, whole) for level in levels)
    channels = (document.get("omero") or {}).get("channels", ())
    return Multiscales(
        levels,
        name=entry.get("name"),
        kernel=entry.get("type"),
        metadata=entry.get("metadata"),
        channels=tuple(_channel(item, index) for index, item in enumerate(channels)),
        label=_image_label(document["image-label"]) if "image-label" in document else None,
    )


def _handler(entries: Sequence[Json]) -> AxesHandler:
    axes = tuple(Axis(item["name"], _known_type(item.get("type")), item.get("unit")) for item in entries)
    others = tuple(axis.name for axis in axes if axis.name not in CANONICAL_ORDER)
    return AxesHandler(axes, AxesSetup(others=others, allow_non_canonical_axes=bool(others)))


def _known_type(kind: Any) -> AxisType | None:
    """Return a type that the specification names; others are allowed, and mean nothing here."""
    return kind if kind in get_args(AxisType) else None


def _transformation(owner: Json) -> tuple[Any, Any]:
    """Return scale and translation, which may be None."""
    found = {item["type"]: item[item["type"]] for item in owner["coordinateTransformations"]}
    return found["scale"], found.get("translation")


def _transformed(level: Dataset, image: Dataset) -> Dataset:
    """Return a level as seen through the transformations of the whole image, which apply after its own."""
    moved = zip(level.translation, image.scale, image.translation, strict=True)
    return evolve(
        level,
        scale=tuple(size * factor for size, factor in zip(level.scale, image.scale, strict=True)),
        translation=tuple(at * factor + shift for at, factor, shift in moved),
    )


def _channel(entry: Json, index: int) -> Channel:
    window = entry.get("window") or {}
    low, high = _or(window.get("min"), 0.0), _or(window.get("max"), 255.0)
    start, end = _or(window.get("start"), low), _or(window.get("end"), high)
    return Channel(
        entry.get("label") or f"channel_{index}",
        entry.get("color") or "FFFFFF",
        (min(low, high), max(low, high)),
        (min(start, end), max(start, end)),
        active=_or(entry.get("active"), True),
    )


def _or(value: Any, default: Any) -> Any:
    return default if value is None else value


def _image_label(entry: Json) -> ImageLabel:
    return ImageLabel(
        source=(entry.get("source") or {}).get("image"),
        colors={int(item["label-value"]): item.get("rgba") for item in entry.get("colors") or ()},
        properties={
            int(item["label-value"]): {key: value for key, value in item.items() if key != "label-value"}
            for item in entry.get("properties") or ()
        },
    )


# ---- Images: writing


def _multiscales_document(image: Multiscales) -> dict[str, Any]:
    entry: dict[str, Any] = {} if image.name is None else {"name": image.name}
    entry |= {
        "axes": [_axis_entry(axis) for axis in image.axes_handler.axes],
        "datasets": [_dataset_entry(dataset) for dataset in image.datasets],
    }
    if image.kernel is not None:
        entry["type"] = image.kernel
    if image.metadata is not None:
        entry["metadata"] = thaw(image.metadata)
    document: dict[str, Any] = {"multiscales": [entry]}
    if image.channels:
        document["omero"] = {"channels": [_channel_entry(channel) for channel in image.channels]}
    if image.label is not None:
        document["image-label"] = dict(_label_items(image.label))
    return document


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
        "active": channel.active,
        "window": {"min": low, "max": high, "start": start, "end": end},
    }


def _label_items(label: ImageLabel) -> Iterator[tuple[str, Any]]:
    if label.source is not None:
        yield "source", {"image": label.source}
    if label.colors:
        yield (
            "colors",
            [
                {"label-value": value} | ({} if rgba is None else {"rgba": list(rgba)})
                for value, rgba in label.colors.items()
            ],
        )
    if label.properties:
        yield "properties", [{"label-value": value, **thaw(items)} for value, items in label.properties.items()]


# ---- Wells and plates


def _well(entry: Json) -> Well:
    return Well(tuple(WellImage(item["path"], item.get("acquisition")) for item in entry["images"]))


def _well_entry(well: Well) -> dict[str, Any]:
    return {
        "images": [_present(path=image.path, acquisition=image.acquisition) for image in well.images],
    }


def _plate(entry: Json) -> Plate:
    return Plate(
        rows=tuple(item["name"] for item in entry["rows"]),
        columns=tuple(item["name"] for item in entry["columns"]),
        wells=tuple(PlateWell(item["path"], item["rowIndex"], item["columnIndex"]) for item in entry["wells"]),
        name=entry.get("name"),
        field_count=entry.get("field_count"),
        acquisitions=tuple(
            Acquisition(item["id"], item.get("name"), item.get("maximumfieldcount"))
            for item in entry.get("acquisitions") or ()
        ),
    )


def _plate_entry(plate: Plate) -> dict[str, Any]:
    return _present(
        name=plate.name,
        rows=[{"name": name} for name in plate.rows],
        columns=[{"name": name} for name in plate.columns],
        wells=[
            {"path": well.path, "rowIndex": well.row_index, "columnIndex": well.column_index} for well in plate.wells
        ],
        field_count=plate.field_count,
        acquisitions=[
            _present(id=item.id, name=item.name, maximumfieldcount=item.maximum_field_count)
            for item in plate.acquisitions
        ]
        or None,
    )


def _present(**items: Any) -> dict[str, Any]:
    """Return the items that are not None."""
    return {key: value for key, value in items.items() if value is not None}
