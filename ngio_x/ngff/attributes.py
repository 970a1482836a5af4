"""From the attributes of a group to the document in them, and back, in every version."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any, Final, Literal, NamedTuple

from cattrs import Converter

from ngio_x._frozen import evolve, shown, thaw
from ngio_x.errors import NgioValidationError, NgioValueError
from ngio_x.metadata.frame import Frame
from ngio_x.ngff import v03, v04, v05, v06
from ngio_x.ngff.documents import Document, LabelList, Multiscales, Plate, Well
from ngio_x.ngff.overlay import beyond, joined
from ngio_x.ngff.rules import Problem, problems_of

Version = Literal["0.4", "0.5"]
"""The versions that are written."""
ZARR_FORMATS: Final[dict[str, Literal[2, 3]]] = {"0.4": 2, "0.5": 3}
"""The zarr format that each of them is stored in."""

OWN_KEY: Final = "ngio_x"
"""The attribute in which ngio_x notes how translations were written."""

_MODULES: Final[dict[str, ModuleType]] = {
    "0.1": v03,
    "0.2": v03,
    "0.3": v03,
    "0.4": v04,
    "0.5": v05,
    "0.6": v06,
    "0.6rc0": v06,
}
_KINDS: Final[dict[str, type[Document]]] = {
    "plate": Plate,  # first: groups of bioformats2raw say other things, too
    "well": Well,
    "multiscales": Multiscales,
    "labels": LabelList,
}


class Described(NamedTuple):
    """What the attributes of a group say."""

    version: str
    document: Document
    problems: tuple[Problem, ...]
    """What the specification advises against."""


def _converter_for(module: ModuleType) -> Converter:
    converter = Converter()
    module.configure(converter)
    return converter


_CONVERTERS: Final = {module: _converter_for(module) for module in {*_MODULES.values()}}


def read_attributes(attributes: Mapping[str, Any], where: str, frame: Frame = "corner") -> Described:
    """Return what the attributes of a group say.

    Args:
        attributes: The group's attributes.
        where: The group, for messages.
        frame: The frame of files that do not say theirs.

    Raises:
        NgioValidationError: If they describe no image, label list, well or plate; naming every rule that they break.
    """
    version = version_of(attributes, where)
    module = _MODULES[version]
    try:
        document, others = module.document_in(attributes)
    except NgioValidationError as error:
        raise NgioValidationError(*(f"{where}: {_placed(line, module)}" for line in error.problems)) from None
    kind = next((cls for key, cls in _KINDS.items() if key in document), None)
    if kind is None:
        raise NgioValidationError(
            f"{where} is no OME-Zarr image, label list, well or plate: its attributes have no "
            f"{', '.join(map(repr, _KINDS))}"
        )
    problems = tuple(problems_of(document))
    wrong = [
        _placed(f"{problem.path}: {problem.message}", module) for problem in problems if problem.severity == "error"
    ]
    sections = [problem.section for problem in problems if problem.severity == "error"]
    complaints = [
        f"{where}: {text} (OME-NGFF {version}, #{section}-md)" for text, section in zip(wrong, sections, strict=True)
    ]
    own = others.pop(OWN_KEY, {}) if kind is Multiscales else {}
    complaints += [f"{where}: {line}" for line in _own_problems(own)]
    if complaints:
        raise NgioValidationError(*complaints)
    try:
        found = _CONVERTERS[module].structure(document, kind)
    except NgioValueError as error:
        raise NgioValidationError(f"{where}: {error}") from None
    return Described(version, _completed(found, document, others, own, frame, module), problems)


def write_attributes(document: Document, version: Version) -> dict[str, Any]:
    """Return the attributes of the group that a document describes."""
    module = _MODULES[version]
    plain = _CONVERTERS[module].unstructure(document)
    if isinstance(document, LabelList):
        return module.attributes_with(plain)  # type: ignore[no-any-return]
    attributes = module.attributes_with(joined(plain, thaw(document.rest)))
    if isinstance(document, Multiscales):
        origin = {} if document.level_origin is None else {"level_origin": document.level_origin}
        attributes[OWN_KEY] = {"frame": document.frame} | origin
    return {**thaw(document.others), **attributes}


def version_of(attributes: Mapping[str, Any], where: str) -> str:
    """Return the version of the document in some attributes; where they do not say, it follows from its words.

    Raises:
        NgioValidationError: If it is none that is read.
    """
    if isinstance(ome := attributes.get("ome"), Mapping):
        version = ome.get("version", "0.5")
    else:
        version = next(filter(None, (_entry_of(attributes, key).get("version") for key in _KINDS)), None)
        axes = _entry_of(attributes, "multiscales").get("axes")
        version = version or ("0.3" if isinstance(axes, list) and axes and isinstance(axes[0], str) else "0.4")
    if not (isinstance(version, str) and version in _MODULES):
        raise NgioValidationError(
            f"{where}: OME-NGFF version {shown(version)} is not read: convert the image to 0.4 or 0.5"
        )
    return version


def _entry_of(attributes: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    entry = attributes.get(key)
    if isinstance(entry, list) and entry:
        entry = entry[0]
    return entry if isinstance(entry, Mapping) else {}


def _placed(text: str, module: ModuleType) -> str:
    """Return a message whose path begins at the group's attributes."""
    return f"{module.ROOT}{text.removeprefix('$')}"


def _own_problems(own: Any) -> list[str]:
    if not isinstance(own, Mapping):
        return [f"$.{OWN_KEY}: must be an object, got {shown(own)}"]
    return [
        f"$.{OWN_KEY}.{key}: must be 'center' or 'corner', got {shown(own[key])}"
        for key in ("frame", "level_origin")
        if key in own and own[key] not in ("center", "corner")
    ]


def _completed(
    found: Document,
    document: Mapping[str, Any],
    others: Mapping[str, Any],
    own: Mapping[str, Any],
    frame: Frame,
    module: ModuleType,
) -> Document:
    """Return a document with what else the attributes say."""
    if isinstance(found, LabelList):
        return found
    written = _CONVERTERS[module].unstructure(found)
    rest = beyond(_without_folded(document), written) or {}
    changes: dict[str, Any] = {"rest": rest, "others": others}
    if isinstance(found, Multiscales):
        changes |= {"frame": own.get("frame", frame), "level_origin": own.get("level_origin")}
    return evolve(found, **changes)


def _without_folded(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a document without what has become part of something else, or is written in any case."""
    plain = {
        key: {name: item for name, item in entry.items() if name != "version"}
        if key in ("well", "plate", "image-label")
        else entry
        for key, entry in document.items()
    }
    if entries := plain.get("multiscales"):
        dropped = ("coordinateTransformations", "version")
        plain["multiscales"] = [{key: value for key, value in entries[0].items() if key not in dropped}]
    return plain
