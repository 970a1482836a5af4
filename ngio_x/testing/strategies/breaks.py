"""Ways to break a rule of OME-NGFF, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from ngio_x.ngff.problems import Section

Kind = Literal["image", "label image", "well", "plate"]
"""What a group is."""
Document: TypeAlias = dict[str, Any]


class Break(NamedTuple):
    """A way to break a document, and what the specification says of it."""

    kind: Kind
    """What the group must be."""
    section: Section
    """The section of the specification whose rule is broken, by its anchor."""
    path: str
    """Where validation reports it, from the document on (in 0.5, that is in `ome`): `$.multiscales[0].axes`, say."""
    change: Callable[[Document], None]
    """Breaks a document, which is changed."""


def _at(document: Document, steps: tuple[str | int, ...]) -> Any:
    owner: Any = document
    for step in steps:
        owner = owner[step]
    return owner


def _put(value: Any, *steps: str | int) -> Callable[[Document], None]:
    """Return what puts a value in a place; a function is given what is there."""

    def change(document: Document) -> None:
        *above, last = steps
        owner = _at(document, tuple(above))
        owner[last] = value(owner[last]) if callable(value) else value

    return change


def _drop(*steps: str | int) -> Callable[[Document], None]:
    """Return what removes the value at a place."""

    def change(document: Document) -> None:
        *above, last = steps
        del _at(document, tuple(above))[last]

    return change


def _channel(color: str, low: int, high: int) -> list[Document]:
    return [{"color": color, "window": {"min": low, "max": high, "start": 0, "end": 1}}]


def _many(axes: list[Document]) -> list[Document]:
    return axes + [{"name": f"s{k}", "type": "space"} for k in range(6 - len(axes))]


def _not_of_space(axes: list[Document]) -> list[Document]:
    return [*({**axis, "type": "other"} for axis in axes[:-1]), axes[-1]]


def _channel_last(axes: list[Document]) -> list[Document]:
    return [*axes[-2:], {"name": "c", "type": "channel"}]


def _same_name(axes: list[Document]) -> list[Document]:
    return [*axes[:-1], {**axes[-1], "name": axes[-2]["name"]}]


def _first_again(items: list[Any]) -> list[Any]:
    return [*items, items[0]]


def _moved(steps: list[Document]) -> list[Document]:
    """Return a translation before the scale."""
    return [{"type": "translation", "translation": [0] * len(steps[0]["scale"])}, *steps]


_Rules: TypeAlias = dict[str, tuple[Section, str, Callable[[Document], None]]]
_ENTRY: Final = ("multiscales", 0)
_LEVEL: Final = (*_ENTRY, "datasets", 0)
_STEPS: Final = (*_LEVEL, "coordinateTransformations")
_IN: Final = "$.multiscales[0]"
_AT: Final = f"{_IN}.datasets[0]"
_IMAGE: Final[_Rules] = {
    "no image": ("multiscale-md", "$.multiscales", _put([], "multiscales")),
    "no axes": ("axes-md", f"{_IN}.axes", _drop(*_ENTRY, "axes")),
    "axis without a name": ("axes-md", f"{_IN}.axes[0].name", _drop(*_ENTRY, "axes", 0, "name")),
    "axis named twice": ("axes-md", f"{_IN}.axes", _put(_same_name, *_ENTRY, "axes")),
    "one axis": ("multiscale-md", f"{_IN}.axes", _put(lambda axes: axes[-1:], *_ENTRY, "axes")),
    "six axes": ("multiscale-md", f"{_IN}.axes", _put(_many, *_ENTRY, "axes")),
    "one axis of space": ("multiscale-md", f"{_IN}.axes", _put(_not_of_space, *_ENTRY, "axes")),
    "channel after space": ("multiscale-md", f"{_IN}.axes", _put(_channel_last, *_ENTRY, "axes")),
    "levels missing": ("multiscale-md", f"{_IN}.datasets", _drop(*_ENTRY, "datasets")),
    "no levels": ("multiscale-md", f"{_IN}.datasets", _put([], *_ENTRY, "datasets")),
    "level twice": ("multiscale-md", f"{_IN}.datasets", _put(_first_again, *_ENTRY, "datasets")),
    "level without a path": ("multiscale-md", f"{_AT}.path", _drop(*_LEVEL, "path")),
    "level outside of the group": ("multiscale-md", f"{_AT}.path", _put("../0", *_LEVEL, "path")),
    "transformations missing": ("trafo-md", f"{_AT}.{_STEPS[-1]}", _drop(*_STEPS)),
    "no scale": ("multiscale-md", f"{_AT}.{_STEPS[-1]}", _put([], *_STEPS)),
    "scale twice": ("multiscale-md", f"{_AT}.{_STEPS[-1]}", _put(_first_again, *_STEPS)),
    "translation before scale": ("multiscale-md", f"{_AT}.{_STEPS[-1]}", _put(_moved, *_STEPS)),
    "unknown transformation": ("multiscale-md", f"{_AT}.{_STEPS[-1]}[0].type", _put("rotation", *_STEPS, 0, "type")),
    "scale of zero": ("trafo-md", f"{_AT}.{_STEPS[-1]}[0].scale", _put(0, *_STEPS, 0, "scale", -1)),
    "scale in words": ("trafo-md", f"{_AT}.{_STEPS[-1]}[0].scale", _put("1", *_STEPS, 0, "scale", -1)),
    "scale without an axis": ("multiscale-md", f"{_AT}.{_STEPS[-1]}[0].scale", _drop(*_STEPS, 0, "scale", -1)),
    "colour in words": ("omero-md", "$.omero.channels[0].color", _put({"channels": _channel("red", 0, 1)}, "omero")),
    "window that falls": (
        "omero-md",
        "$.omero.channels[0].window.max",
        _put({"channels": _channel("FF0000", 1, 0)}, "omero"),
    ),
}
_IDS: Final = ("image-label", "colors")
_LABEL: Final[_Rules] = {
    "colour of no label": ("labels-md", "$.image-label.colors[0].label-value", _put([{"rgba": [0] * 4}], *_IDS)),
    "label coloured twice": ("labels-md", "$.image-label.colors", _put([{"label-value": 1}] * 2, *_IDS)),
    "colour beyond 255": (
        "labels-md",
        "$.image-label.colors[0].rgba",
        _put([{"label-value": 1, "rgba": [0, 0, 0, 256]}], *_IDS),
    ),
    "properties of no label": (
        "labels-md",
        "$.image-label.properties[0].label-value",
        _put([{"class": "nucleus"}], "image-label", "properties"),
    ),
}
_FIELDS: Final = ("well", "images")
_WELL: Final[_Rules] = {
    "images missing": ("well-md", "$.well.images", _drop(*_FIELDS)),
    "no images": ("well-md", "$.well.images", _put([], *_FIELDS)),
    "image twice": ("well-md", "$.well.images", _put(_first_again, *_FIELDS)),
    "image without a path": ("well-md", "$.well.images[0].path", _drop(*_FIELDS, 0, "path")),
    "image outside of the well": ("well-md", "$.well.images[0].path", _put("../0", *_FIELDS, 0, "path")),
    "acquisition in words": ("well-md", "$.well.images[0].acquisition", _put("a", *_FIELDS, 0, "acquisition")),
}
_PLACE: Final = ("plate", "wells", 0)
_RUNS: Final = ("plate", "acquisitions")
_PLATE: Final[_Rules] = {
    "rows missing": ("plate-md", "$.plate.rows", _drop("plate", "rows")),
    "row twice": ("plate-md", "$.plate.rows", _put(_first_again, "plate", "rows")),
    "column with a dash": ("plate-md", "$.plate.columns[0].name", _put("a-1", "plate", "columns", 0, "name")),
    "wells missing": ("plate-md", "$.plate.wells", _drop("plate", "wells")),
    "no wells": ("plate-md", "$.plate.wells", _put([], "plate", "wells")),
    "well in no row": ("plate-md", "$.plate.wells[0]", _put(99, *_PLACE, "rowIndex")),
    "well without a column": ("plate-md", "$.plate.wells[0].columnIndex", _drop(*_PLACE, "columnIndex")),
    "well at another path": ("plate-md", "$.plate.wells[0].path", _put("other/1", *_PLACE, "path")),
    "acquisition twice": ("plate-md", "$.plate.acquisitions", _put([{"id": 1}] * 2, *_RUNS)),
    "acquisition without an id": ("plate-md", "$.plate.acquisitions[0].id", _put([{}], *_RUNS)),
    "no fields of view": ("plate-md", "$.plate.field_count", _put(0, "plate", "field_count")),
}
_RULES: Final[dict[Kind, _Rules]] = {"image": _IMAGE, "label image": _LABEL, "well": _WELL, "plate": _PLATE}

BREAKS: Final[dict[str, Break]] = {
    name: Break(kind, *rule) for kind, rules in _RULES.items() for name, rule in rules.items()
}
"""Ways to break a document, by name; each breaks a MUST of both versions."""
