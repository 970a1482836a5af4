"""What OME-NGFF asks of documents, and reading relies on: one check a rule, under the section that states it.

The documents are those of versions 0.4 and 0.5 (others are first put into their words), without the version and the
place in the attributes, in which they differ. A broken MUST is an error, a broken SHOULD a warning.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from ngio_x._frozen import at_least, shown, to_bool, to_float, to_floats, to_int, to_name, to_positive_floats
from ngio_x.errors import NgioValueError
from ngio_x.metadata.axes import axis_type_of
from ngio_x.metadata.channels import Channel
from ngio_x.metadata.units import SPACE_UNITS, TIME_UNITS
from ngio_x.ngff.problems import (
    Problem,
    Problems,
    no_objects,
    objects_of,
    should,
    to_alphanumeric,
    to_object,
    to_relative,
    to_text,
    twice,
    wrong,
    wrong_if_given,
    wrong_or_missing,
)


def problems_of(document: Mapping[str, Any]) -> Problems:
    """Return every rule that a document breaks; one that is no image, label list, well or plate breaks none."""
    if "multiscales" in document:
        yield from _multiscales(document["multiscales"])
        yield from _omero(document)
        yield from _image_label(document)
    if "labels" in document:
        yield from _label_list(document["labels"])
    if "plate" in document:
        yield from _plate(document)
    if "well" in document:
        yield from _well(document)


# ---- Section "multiscales"


def _multiscales(entries: Any) -> Problems:
    path = "$.multiscales"
    if not isinstance(entries, list) or not entries:
        yield Problem(path, f"must be a list of at least one image, got {shown(entries)}", "multiscale-md")
    elif not isinstance(entries[0], Mapping):  # the first one is the image, by default
        yield Problem(f"{path}[0]", f"must be an object, got {shown(entries[0])}", "multiscale-md")
    else:
        yield from multiscale_problems(entries[0], f"{path}[0]")


def multiscale_problems(entry: Mapping[str, Any], path: str) -> Problems:
    """Return every rule that an entry of `multiscales` breaks."""
    for key, check in (("name", to_text), ("type", to_text), ("metadata", to_object)):
        yield from wrong_or_missing(entry, key, check, path, "multiscale-md")
    yield from _axes(entry, path)
    axes = entry.get("axes")
    ndim = len(axes) if isinstance(axes, list) else None
    yield from _datasets(entry, path, ndim)
    if entry.get("coordinateTransformations") not in (None, []):
        yield from _transformations(entry, path, ndim)


def _datasets(entry: Mapping[str, Any], path: str, ndim: int | None) -> Problems:
    yield from no_objects(entry, "datasets", path, "multiscale-md", least=1)
    for at, dataset in objects_of(entry, "datasets", path):
        yield from wrong(dataset, "path", to_relative, at, "multiscale-md")
        yield from _transformations(dataset, at, ndim)
    yield from twice(entry, "datasets", "path", path, "multiscale-md")


# ---- Section "coordinateTransformations"


def _transformations(owner: Mapping[str, Any], path: str, ndim: int | None) -> Problems:
    key = "coordinateTransformations"
    if faults := [*no_objects(owner, key, path, "trafo-md")]:
        yield from faults
        return
    found = objects_of(owner, key, path)
    for at, item in found:
        kind = item.get("type")
        if kind not in ("scale", "translation"):
            yield Problem(f"{at}.type", f"must be 'scale' or 'translation', got {shown(kind)}", "multiscale-md")
            continue
        yield from wrong(item, kind, to_positive_floats if kind == "scale" else to_floats, at, "trafo-md")
        numbers = item.get(kind)
        if ndim is not None and isinstance(numbers, list) and len(numbers) != ndim:
            message = f"must have one number for each of the {ndim} axes, got {shown(numbers)}"
            yield Problem(f"{at}.{kind}", message, "multiscale-md")
    kinds = [item.get("type") for _, item in found]
    if kinds not in (["scale"], ["scale", "translation"]):
        message = f"must be one scale, and after it at most one translation, got {shown(kinds)}"
        yield Problem(f"{path}.{key}", message, "multiscale-md")


# ---- Section "axes"

_UNITS: Final = {"space": SPACE_UNITS, "time": TIME_UNITS}
_RANKS: Final = {"time": 0, "channel": 1, "space": 2}


def _axes(entry: Mapping[str, Any], path: str) -> Problems:
    yield from no_objects(entry, "axes", path, "axes-md")
    found = objects_of(entry, "axes", path)
    for at, axis in found:
        yield from wrong(axis, "name", to_name, at, "axes-md")
        yield from wrong_or_missing(axis, "type", to_text, at, "axes-md")
        kind, unit = _axis_type(axis), axis.get("unit")
        if kind not in _RANKS and isinstance(axis.get("type"), str):
            yield should(f"{at}.type", f"should be 'space', 'time' or 'channel', got {shown(kind)}", "axes-md")
        if kind in _UNITS and unit is None:
            yield should(f"{at}.unit", "should be there", "axes-md")
        yield from wrong_if_given(axis, "unit", to_text, at, "axes-md")
        if kind in _UNITS and isinstance(unit, str) and unit not in _UNITS[kind]:
            yield should(f"{at}.unit", f"should be a unit that UDUNITS-2 names, got {shown(unit)}", "axes-md")
    yield from twice(entry, "axes", "name", path, "axes-md")
    if isinstance(entry.get("axes"), list) and len(found) == len(entry["axes"]):
        yield from _order_of_axes([axis for _, axis in found], f"{path}.axes")


def _order_of_axes(axes: Sequence[Mapping[str, Any]], path: str) -> Problems:
    kinds = [_axis_type(axis) for axis in axes]
    if not 2 <= len(axes) <= 5:
        yield Problem(path, f"must be 2 to 5, got {len(axes)}", "multiscale-md")
    if not 2 <= kinds.count("space") <= 3:
        yield Problem(path, f"must hold 2 or 3 of type 'space', got {kinds.count('space')}", "multiscale-md")
    if kinds.count("time") > 1 or sum(kind not in ("space", "time") for kind in kinds) > 1:
        message = f"must hold at most one of type 'time' and one channel or other, got {shown(kinds)}"
        yield Problem(path, message, "multiscale-md")
    ranks = [_RANKS.get(kind, 1) for kind in kinds]
    if ranks != sorted(ranks):
        message = f"must be in the order time, channel or other, space, got {shown(kinds)}"
        yield Problem(path, message, "multiscale-md")
    names = [name for axis in axes if (name := axis.get("name")) in ("z", "y", "x")]
    if len(names) == len("zyx") and names != ["z", "y", "x"]:
        yield should(path, f"should have space in the order z, y, x, got {names}", "multiscale-md")


def _axis_type(axis: Mapping[str, Any]) -> str:
    """Return the type of an axis, where it lacks one that which its name implies."""
    kind = axis.get("type")
    if isinstance(kind, str):
        return kind
    name = axis.get("name")
    return (axis_type_of(name) if isinstance(name, str) else None) or "other"


# ---- Section "omero" (transitional: only what can be read is asked for)


def _omero(document: Mapping[str, Any]) -> Problems:
    yield from wrong_if_given(document, "omero", to_object, "$", "omero-md")
    omero = document.get("omero")
    if not isinstance(omero, Mapping):
        return
    yield from no_objects(omero, "channels", "$.omero", "omero-md")
    for at, channel in objects_of(omero, "channels", "$.omero"):
        for key, check in (("label", to_text), ("color", _to_color), ("active", to_bool), ("window", to_object)):
            yield from wrong_if_given(channel, key, check, at, "omero-md")
        window = channel.get("window")
        if isinstance(window, Mapping):
            for low, high in (("min", "max"), ("start", "end")):
                yield from _rising(window, low, high, f"{at}.window")


def _rising(window: Mapping[str, Any], low: str, high: str, path: str) -> Problems:
    faults = [fault for key in (low, high) for fault in wrong_if_given(window, key, to_float, path, "omero-md")]
    yield from faults
    if not faults and None not in (window.get(low), window.get(high)) and window[low] > window[high]:
        message = f"must be ≥ {low}, got {shown(window[high])} < {shown(window[low])}"
        yield Problem(f"{path}.{high}", message, "omero-md")


def _to_color(value: Any) -> str:
    try:
        return Channel("a", value).color
    except NgioValueError as error:
        raise NgioValueError(str(error).removeprefix("color ")) from None


# ---- Section "labels"


def _label_list(paths: Any) -> Problems:
    if not isinstance(paths, list):
        yield Problem("$.labels", f"must be a list of paths, got {shown(paths)}", "labels-md")
        return
    by_index = dict(enumerate(paths))
    for index in by_index:
        yield from wrong(by_index, index, to_relative, "$.labels", "labels-md")
    counts = Counter(path for path in paths if isinstance(path, str))
    for again in itertools.islice((path for path, count in counts.items() if count > 1), 3):
        yield Problem("$.labels", f"must each be another path, got {shown(again)} twice", "labels-md")


def _image_label(document: Mapping[str, Any]) -> Problems:
    if "image-label" not in document:
        return
    path, label = "$.image-label", document["image-label"]
    if not isinstance(label, Mapping):
        yield Problem(path, f"must be an object, got {shown(label)}", "labels-md")
        return
    if not label.get("colors"):
        yield should(f"{path}.colors", "should be there", "labels-md")
    for key in ("colors", "properties"):
        if label.get(key) is None:
            continue
        yield from no_objects(label, key, path, "labels-md")
        for at, item in objects_of(label, key, path):
            yield from wrong(item, "label-value", to_int, at, "labels-md")
            if key == "colors":
                yield from wrong_if_given(item, "rgba", _to_rgba, at, "labels-md")
        yield from twice(label, key, "label-value", path, "labels-md")
    yield from wrong_if_given(label, "source", to_object, path, "labels-md")
    if isinstance(label.get("source"), Mapping):
        yield from wrong_if_given(label["source"], "image", to_text, f"{path}.source", "labels-md")


def _to_rgba(value: Any) -> list[int]:
    if not (isinstance(value, list) and len(value) == 4 and all(_is_byte(number) for number in value)):
        raise NgioValueError(f"must be four integers between 0 and 255, got {shown(value)}")
    return value


def _is_byte(number: Any) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and 0 <= number <= 255


# ---- Section "plate"

_to_count: Final = at_least(1, to_int)
_to_index: Final = at_least(0, to_int)


def _plate(document: Mapping[str, Any]) -> Problems:
    path, plate = "$.plate", document["plate"]
    yield from wrong(document, "plate", to_object, "$", "plate-md")
    if not isinstance(plate, Mapping):
        return
    for key, check in (("name", to_text), ("field_count", _to_count)):
        yield from wrong_or_missing(plate, key, check, path, "plate-md")
    for key in ("rows", "columns"):
        yield from no_objects(plate, key, path, "plate-md")
        for at, item in objects_of(plate, key, path):
            yield from wrong(item, "name", to_alphanumeric, at, "plate-md")
        yield from twice(plate, key, "name", path, "plate-md")
    yield from _plate_wells(plate, path)
    if plate.get("acquisitions") is not None:
        yield from _acquisitions(plate, path)


def _plate_wells(plate: Mapping[str, Any], path: str) -> Problems:
    rows, columns = ([item.get("name") for _, item in objects_of(plate, key, path)] for key in ("rows", "columns"))
    yield from no_objects(plate, "wells", path, "plate-md")
    for at, well in objects_of(plate, "wells", path):
        checks = (("path", to_relative), ("rowIndex", _to_index), ("columnIndex", _to_index))
        if faults := [fault for key, check in checks for fault in wrong(well, key, check, at, "plate-md")]:
            yield from faults
            continue
        row, column = int(well["rowIndex"]), int(well["columnIndex"])
        if row >= len(rows) or column >= len(columns):
            message = f"is in row {shown(row)}, column {shown(column)} of {len(rows)} × {len(columns)}"
            yield Problem(at, message, "plate-md")
        elif well["path"] != f"{rows[row]}/{columns[column]}":
            message = (
                f"must be {shown(f'{rows[row]}/{columns[column]}')}, its row and column, got {shown(well['path'])}"
            )
            yield Problem(f"{at}.path", message, "plate-md")
    yield from twice(plate, "wells", "path", path, "plate-md")


def _acquisitions(plate: Mapping[str, Any], path: str) -> Problems:
    yield from no_objects(plate, "acquisitions", path, "plate-md")
    for at, item in objects_of(plate, "acquisitions", path):
        yield from wrong(item, "id", _to_index, at, "plate-md")
        for key, check in (("name", to_text), ("maximumfieldcount", _to_count)):
            yield from wrong_or_missing(item, key, check, at, "plate-md")
    yield from twice(plate, "acquisitions", "id", path, "plate-md")


# ---- Section "well"


def _well(document: Mapping[str, Any]) -> Problems:
    path, well = "$.well", document["well"]
    yield from wrong(document, "well", to_object, "$", "well-md")
    if not isinstance(well, Mapping):
        return
    yield from no_objects(well, "images", path, "well-md")
    for at, image in objects_of(well, "images", path):
        yield from wrong(image, "path", to_relative, at, "well-md")
        yield from wrong_if_given(image, "acquisition", _to_index, at, "well-md")
    yield from twice(well, "images", "path", path, "well-md")
