"""What OME-NGFF asks of documents: one check a rule, under the heading of the section that states it.

The documents are those of versions 0.4 and 0.5 (others are first put into their words), without the version and the
place in the attributes, in which they differ. A broken MUST is an error, a broken SHOULD a warning.
"""

from __future__ import annotations

import itertools
import posixpath
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias

from ngio_x._frozen import at_least, field, frozen, one_of, positive, shown, to_float, to_floats, to_int, to_name
from ngio_x.errors import NgioValueError
from ngio_x.metadata.axes import axis_type_of
from ngio_x.metadata.channels import Channel
from ngio_x.metadata.units import SPACE_UNITS, TIME_UNITS

Section: TypeAlias = Literal["axes", "trafo", "multiscale", "omero", "labels", "plate", "well"]


@frozen
class Problem:
    """A rule of the specification that a document breaks."""

    path: str = field(str)
    """Where, such as `$.multiscales[0].axes`."""
    message: str = field(to_name)
    """What is wrong there, and what is found."""
    section: Section = field(str)
    """The section that states the rule; `https://ngff.openmicroscopy.org/0.5/#axes-md` is that of `"axes"`."""
    severity: Literal["error", "warning"] = field(one_of("error", "warning"), default="error")
    """`"error"` where the specification says MUST, `"warning"` where it says SHOULD."""

    def __str__(self) -> str:
        """Return all of it in a line."""
        return f"{self.path}: {self.message} (OME-NGFF, section {self.section!r})"


Problems: TypeAlias = Iterator[Problem]


def should(path: str, message: str, section: Section) -> Problem:
    """Return a problem that is no error."""
    return Problem(path, message, section, "warning")


def problems_of(document: Mapping[str, Any]) -> Problems:
    """Return every rule that a document breaks; one that is no image, label list, well or plate breaks none."""
    if "multiscales" in document:
        yield from _multiscales(document["multiscales"])
        yield from _omero(document.get("omero"))
        yield from _image_label(document)
    if "labels" in document:
        yield from _label_list(document["labels"])
    if "plate" in document:
        yield from _plate(document["plate"], "$.plate")
    if "well" in document:
        yield from _well(document["well"], "$.well")


# ---- Section "multiscales"


def _multiscales(entries: Any) -> Problems:
    path = "$.multiscales"
    if not isinstance(entries, list) or not entries:
        yield Problem(path, f"must be a list of at least one image, got {shown(entries)}", "multiscale")
        return
    entry, path = entries[0], f"{path}[0]"  # the first one is the image, by default
    if not isinstance(entry, Mapping):
        yield Problem(path, f"must be an object, got {shown(entry)}", "multiscale")
        return
    for key, what in (("name", str), ("type", str), ("metadata", Mapping)):
        if key not in entry:
            yield should(f"{path}.{key}", "should be there", "multiscale")
        elif not isinstance(entry[key], what):
            kind = "a string" if what is str else "an object"
            yield Problem(f"{path}.{key}", f"must be {kind}, got {shown(entry[key])}", "multiscale")
    yield from _axes(entry, path)
    axes = entry.get("axes")
    ndim = len(axes) if isinstance(axes, list) else None
    yield from _datasets(entry, path, ndim)
    if "coordinateTransformations" in entry:
        yield from _transformations(entry, path, ndim)


def _datasets(entry: Mapping[str, Any], path: str, ndim: int | None) -> Problems:
    found: list[Problem] = []
    for at, dataset in _objects(entry, "datasets", path, "multiscale", found):
        yield from _relative(dataset, "path", at, "multiscale")
        yield from _transformations(dataset, at, ndim)
    yield from found
    yield from _twice(entry, "datasets", "path", path, "multiscale")


# ---- Section "coordinateTransformations"


def _transformations(owner: Mapping[str, Any], path: str, ndim: int | None) -> Problems:
    found: list[Problem] = []
    kinds: list[Any] = []
    for at, item in _objects(owner, "coordinateTransformations", path, "trafo", found):
        kind = item.get("type")
        kinds.append(kind)
        if kind not in ("scale", "translation"):
            yield Problem(f"{at}.type", f"must be 'scale' or 'translation', got {shown(kind)}", "multiscale")
            continue
        check = positive(to_floats) if kind == "scale" else to_floats
        yield from _checked(item, kind, check, at, "trafo")
        numbers = item.get(kind)
        if ndim is not None and isinstance(numbers, list) and len(numbers) != ndim:
            yield Problem(
                f"{at}.{kind}", f"must have one number for each of the {ndim} axes, got {shown(numbers)}", "multiscale"
            )
    yield from found
    if not found and kinds not in (["scale"], ["scale", "translation"]):
        yield Problem(
            f"{path}.coordinateTransformations",
            f"must be one scale, and after it at most one translation, got {shown(kinds)}",
            "multiscale",
        )


# ---- Section "axes"

_UNITS: Final = {"space": SPACE_UNITS, "time": TIME_UNITS}
_RANKS: Final = {"time": 0, "channel": 1, "space": 2}


def _axes(entry: Mapping[str, Any], path: str) -> Problems:
    found: list[Problem] = []
    for at, axis in _objects(entry, "axes", path, "axes", found):
        yield from _checked(axis, "name", to_name, at, "axes")
        kind, unit = axis.get("type"), axis.get("unit")
        if kind is None:
            yield should(f"{at}.type", "should be there", "axes")
        elif not isinstance(kind, str):
            yield Problem(f"{at}.type", f"must be a string, got {shown(kind)}", "axes")
        if unit is not None and not isinstance(unit, str):
            yield Problem(f"{at}.unit", f"must be a string, got {shown(unit)}", "axes")
        elif (known := _UNITS.get(_axis_type(axis))) is not None and unit not in known:
            yield should(f"{at}.unit", f"should be a unit that UDUNITS-2 names, got {shown(unit)}", "axes")
    yield from found
    axes = entry.get("axes")
    if found or not isinstance(axes, list):
        return
    yield from _twice(entry, "axes", "name", path, "axes")
    kinds = [_axis_type(axis) for axis in axes]
    if not 2 <= len(axes) <= 5:
        yield Problem(f"{path}.axes", f"must be 2 to 5, got {len(axes)}", "multiscale")
    if not 2 <= kinds.count("space") <= 3:
        yield Problem(f"{path}.axes", f"must hold 2 or 3 of type 'space', got {kinds.count('space')}", "multiscale")
    if kinds.count("time") > 1 or sum(kind not in ("space", "time") for kind in kinds) > 1:
        yield Problem(
            f"{path}.axes", f"must hold at most one of type 'time' and one channel or other, got {kinds}", "multiscale"
        )
    ranks = [_RANKS.get(kind, 1) for kind in kinds]
    if ranks != sorted(ranks):
        yield Problem(f"{path}.axes", f"must be in the order time, channel or other, space, got {kinds}", "multiscale")
    names = [axis["name"] for axis in axes if axis.get("name") in ("z", "y", "x")]
    if names != sorted(names, reverse=True):
        yield should(f"{path}.axes", f"should have space in the order z, y, x, got {names}", "multiscale")


def _axis_type(axis: Mapping[str, Any]) -> str:
    """Return the type of an axis, where it lacks one that which its name implies."""
    kind = axis.get("type")
    if isinstance(kind, str):
        return kind
    name = axis.get("name")
    return (axis_type_of(name) if isinstance(name, str) else None) or "other"


# ---- Section "omero" (transitional: only what can be read is asked for)


def _omero(omero: Any) -> Problems:
    if omero is None:
        return
    if not isinstance(omero, Mapping):
        yield Problem("$.omero", f"must be an object, got {shown(omero)}", "omero")
        return
    found: list[Problem] = []
    for at, channel in _objects(omero, "channels", "$.omero", "omero", found):
        for key, check in (("label", _to_text), ("color", _to_color), ("active", _to_flag)):
            if channel.get(key) is not None:
                yield from _checked(channel, key, check, at, "omero")
        window = channel.get("window")
        if window is None:
            continue
        if not isinstance(window, Mapping):
            yield Problem(f"{at}.window", f"must be an object, got {shown(window)}", "omero")
            continue
        for low, high in (("min", "max"), ("start", "end")):
            yield from _rising(window, low, high, f"{at}.window")
    yield from found


def _rising(window: Mapping[str, Any], low: str, high: str, path: str) -> Problems:
    wrong = False
    for key in (low, high):
        if window.get(key) is not None:
            for problem in _checked(window, key, to_float, path, "omero"):
                wrong = True
                yield problem
    if not wrong and None not in (window.get(low), window.get(high)) and window[low] > window[high]:
        yield Problem(f"{path}.{high}", f"must be ≥ {low}, got {window[high]} < {window[low]}", "omero")


def _to_text(value: Any) -> str:
    if not isinstance(value, str):
        raise NgioValueError(f"must be a string, got {shown(value)}")
    return value


def _to_flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise NgioValueError(f"must be true or false, got {shown(value)}")
    return value


def _to_color(value: Any) -> str:
    try:
        return Channel("a", value).color
    except NgioValueError as error:
        raise NgioValueError(str(error).removeprefix("color ")) from None


# ---- Section "labels"


def _label_list(paths: Any) -> Problems:
    if not isinstance(paths, list):
        yield Problem("$.labels", f"must be a list of paths, got {shown(paths)}", "labels")
        return
    for index in range(len(paths)):
        yield from _relative(dict(enumerate(paths)), index, "$.labels", "labels")


def _image_label(document: Mapping[str, Any]) -> Problems:
    if "image-label" not in document:
        return
    path, label = "$.image-label", document["image-label"]
    if not isinstance(label, Mapping):
        yield Problem(path, f"must be an object, got {shown(label)}", "labels")
        return
    if not label.get("colors"):
        yield should(f"{path}.colors", "should be there", "labels")
    for key in ("colors", "properties"):
        if label.get(key) is None:
            continue
        found: list[Problem] = []
        for at, item in _objects(label, key, path, "labels", found):
            yield from _checked(item, "label-value", to_int, at, "labels")
            if key == "colors" and item.get("rgba") is not None:
                yield from _checked(item, "rgba", _to_rgba, at, "labels")
        yield from found
        yield from _twice(label, key, "label-value", path, "labels")
    source = label.get("source")
    if source is not None and not isinstance(source, Mapping):
        yield Problem(f"{path}.source", f"must be an object, got {shown(source)}", "labels")
    elif source and source.get("image") is not None:
        yield from _checked(source, "image", to_name, f"{path}.source", "labels")


def _to_rgba(value: Any) -> list[int]:
    if not (isinstance(value, list) and len(value) == 4 and all(_is_byte(number) for number in value)):
        raise NgioValueError(f"must be four integers between 0 and 255, got {shown(value)}")
    return value


def _is_byte(number: Any) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and 0 <= number <= 255


# ---- Section "plate"

_to_count: Final = at_least(1, to_int)
_to_index: Final = at_least(0, to_int)


def _plate(plate: Any, path: str) -> Problems:
    if not isinstance(plate, Mapping):
        yield Problem(path, f"must be an object, got {shown(plate)}", "plate")
        return
    for key, check in (("name", _to_text), ("field_count", _to_count)):
        if plate.get(key) is None:
            yield should(f"{path}.{key}", "should be there", "plate")
        else:
            yield from _checked(plate, key, check, path, "plate")
    names = {}
    for key in ("rows", "columns"):
        found: list[Problem] = []
        for at, item in _objects(plate, key, path, "plate", found):
            yield from _checked(item, "name", _to_alphanumeric, at, "plate")
        yield from found
        yield from _twice(plate, key, "name", path, "plate")
        items = plate.get(key)
        names[key] = (
            [item.get("name") if isinstance(item, Mapping) else None for item in items or []]
            if isinstance(items, list)
            else []
        )
    yield from _plate_wells(plate, path, names["rows"], names["columns"])
    if plate.get("acquisitions") is not None:
        yield from _acquisitions(plate, path)


def _plate_wells(plate: Mapping[str, Any], path: str, rows: Sequence[Any], columns: Sequence[Any]) -> Problems:
    found: list[Problem] = []
    for at, well in _objects(plate, "wells", path, "plate", found):
        wrong = False
        for key, check in (("path", to_name), ("rowIndex", _to_index), ("columnIndex", _to_index)):
            for problem in _checked(well, key, check, at, "plate"):
                wrong = True
                yield problem
        if wrong:
            continue
        row, column = well["rowIndex"], well["columnIndex"]
        if row >= len(rows) or column >= len(columns):
            yield Problem(at, f"is in row {row}, column {column} of {len(rows)} × {len(columns)}", "plate")
        elif well["path"] != f"{rows[row]}/{columns[column]}":
            yield Problem(
                f"{at}.path", f"must be '{rows[row]}/{columns[column]}', its row and column, got {shown(well['path'])}",
                "plate",
            )  # fmt: skip
    yield from found
    yield from _twice(plate, "wells", "path", path, "plate")


def _acquisitions(plate: Mapping[str, Any], path: str) -> Problems:
    found: list[Problem] = []
    for at, item in _objects(plate, "acquisitions", path, "plate", found):
        yield from _checked(item, "id", _to_index, at, "plate")
        for key, check in (("name", _to_text), ("maximumfieldcount", _to_count)):
            if item.get(key) is None:
                yield should(f"{at}.{key}", "should be there", "plate")
            else:
                yield from _checked(item, key, check, at, "plate")
    yield from found
    yield from _twice(plate, "acquisitions", "id", path, "plate")


# ---- Section "well"


def _well(well: Any, path: str) -> Problems:
    if not isinstance(well, Mapping):
        yield Problem(path, f"must be an object, got {shown(well)}", "well")
        return
    found: list[Problem] = []
    for at, image in _objects(well, "images", path, "well", found):
        yield from _checked(image, "path", _to_alphanumeric, at, "well")
        if image.get("acquisition") is not None:
            yield from _checked(image, "acquisition", _to_index, at, "well")
    yield from found
    yield from _twice(well, "images", "path", path, "well")


# ---- What rules of several sections have in common


def _objects(
    owner: Mapping[str, Any], key: str, path: str, section: Section, complaints: list[Problem]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Return the objects of the list at a key, each with its path; what is none goes to `complaints`."""
    items = owner.get(key)
    if not isinstance(items, list):
        complaints.append(Problem(f"{path}.{key}", _missing_or(owner, key, "must be a list"), section))
        return
    if not items and key not in ("colors", "properties", "acquisitions", "channels", "coordinateTransformations"):
        complaints.append(Problem(f"{path}.{key}", "must hold at least one item, got none", section))
    for index, item in enumerate(items):
        at = f"{path}.{key}[{index}]"
        if isinstance(item, Mapping):
            yield at, item
        else:
            complaints.append(Problem(at, f"must be an object, got {shown(item)}", section))


def _checked(owner: Mapping[Any, Any], key: Any, check: Callable[[Any], Any], path: str, section: Section) -> Problems:
    """Return what a check says of the value at a key, which must be there."""
    at = f"{path}[{key}]" if isinstance(key, int) else f"{path}.{key}"
    if key not in owner:
        yield Problem(at, "is missing", section)
        return
    try:
        check(owner[key])
    except NgioValueError as error:
        yield Problem(at, str(error), section)


def _missing_or(owner: Mapping[str, Any], key: str, rule: str) -> str:
    return f"{rule}, got {shown(owner[key])}" if key in owner else "is missing"


def _relative(owner: Mapping[Any, Any], key: Any, path: str, section: Section) -> Problems:
    """Return whether a path leads out of the group, or to nothing."""
    yield from _checked(owner, key, _to_relative, path, section)


def _to_relative(value: Any) -> str:
    text = to_name(value)
    if text.startswith("/") or "\\" in text or posixpath.normpath(text) != text or text.split("/")[0] in (".", ".."):
        raise NgioValueError(f"must be a path inside of the group, such as 'a/b', got {shown(value)}")
    return text


def _to_alphanumeric(value: Any) -> str:
    text = to_name(value)
    if not (text.isascii() and text.isalnum()):
        raise NgioValueError(f"must hold letters and digits only, got {shown(value)}")
    return text


def _twice(owner: Mapping[str, Any], list_key: str, key: str, path: str, section: Section) -> Problems:
    """Return the values of a key that are not unique within a list."""
    items = owner.get(list_key)
    values = [item.get(key) for item in items if isinstance(item, Mapping)] if isinstance(items, list) else []
    counts = Counter(value for value in values if isinstance(value, (str, int)))
    for value in itertools.islice((value for value, count in counts.items() if count > 1), 3):
        yield Problem(f"{path}.{list_key}", f"must each have another {key}, got {shown(value)} twice", section)
