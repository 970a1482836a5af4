"""From the attributes of a group to the document in them, and back, in every version."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any, Final, Literal, NamedTuple

from cattrs import Converter

from ngio_x._frozen import evolve, shown, thaw
from ngio_x.errors import NgioValidationError, NgioValueError
from ngio_x.metadata.frame import Frame
from ngio_x.ngff import v03, v04, v05, v06
from ngio_x.ngff.documents import Document, LabelList, Multiscales, Plate, Well
from ngio_x.ngff.formalities import formalities_of
from ngio_x.ngff.overlay import beyond, joined
from ngio_x.ngff.problems import Problem, require_none
from ngio_x.ngff.rules import problems_of

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
_ROOTED: Final = ("0.1", "0.2", "0.3", "0.4")
"""The versions whose documents stand at the root of the attributes; others have a key of their own."""
_KINDS: Final[dict[str, type[Document]]] = {
    "plate": Plate,  # first: groups of bioformats2raw say other things, too
    "well": Well,
    "multiscales": Multiscales,
    "labels": LabelList,
}

_LISTS: Final = {"multiscales": "datasets", "plate": "wells", "well": "images"}
"""What documents list, by kind."""


class Described(NamedTuple):
    """What the attributes of a group say."""

    version: str
    document: Document


class Examined(NamedTuple):
    """What the attributes of a group say, and which rules they break."""

    version: str | None
    """None if they do not say a version that is read."""
    kind: type[Document] | None
    """None if they describe no image, label list, well or plate."""
    document: Mapping[str, Any]
    """In the words of 0.4 and 0.5."""
    others: Mapping[str, Any]
    """Attributes that are none of OME-NGFF's."""
    problems: list[Problem]


def _converter_for(module: ModuleType) -> Converter:
    converter = Converter()
    module.configure(converter)
    return converter


_CONVERTERS: Final = {module: _converter_for(module) for module in {*_MODULES.values()}}


def examined(attributes: Mapping[str, Any], where: str, *, formally: bool = False) -> Examined:
    """Return what the attributes of a group say, and which rules they break.

    Args:
        attributes: The group's attributes.
        where: The group, for messages.
        formally: Also look at rules that reading can do without.
    """
    if _depth(attributes) > _DEEPEST:
        problem = Problem("", f"its attributes are nested more than {_DEEPEST} deep, which is not read", group=where)
        return Examined(None, None, {}, {}, [problem])
    version = _version_of(attributes)
    if version is None:
        message = f"OME-NGFF version {shown(_said(attributes))} is not read: convert the image to 0.4 or 0.5"
        return Examined(None, None, {}, {}, [Problem("", message, group=where)])
    module = _MODULES[version]
    document, others, refused = module.document_in(attributes)
    kind = next((cls for key, cls in _KINDS.items() if key in document), None)
    if kind is None:
        advice = ": open one of its images" if "bioformats2raw.layout" in document else ""
        message = f"its attributes have none of {', '.join(map(repr, _KINDS))}{advice}"
        problem = Problem("", f"is no OME-Zarr image, label list, well or plate: {message}", group=where)
        return Examined(version, None, document, others, [problem])
    found = [*refused] or [*problems_of(document)]
    if formally:
        found += formalities_of(document, _said(attributes), version)
    found += _own_problems(others) if kind is Multiscales else ()
    return Examined(version, kind, document, others, [placed(problem, where, version) for problem in found])


_DEEPEST: Final = 64
"""How deep attributes may be nested: ten is usual, and Python itself can follow some hundreds."""


def _depth(value: Any) -> int:
    """Return how deep lists and objects are nested; at least when it is too deep."""
    depth, inner = 0, [value]
    while inner and depth <= _DEEPEST:
        depth += 1
        boxes = (item.values() if isinstance(item, Mapping) else item for item in inner)
        inner = [item for box in boxes for item in box if isinstance(item, (Mapping, list, tuple))]
    return depth


def placed(problem: Problem, where: str, version: str) -> Problem:
    """Return a problem of a document with its group, its version, and a path that begins at the group's attributes."""
    path = problem.path
    if problem.section is not None:
        path = f"{_MODULES[version].ROOT}{path.removeprefix('$')}"
    return evolve(problem, group=where, version=version, path=path)


def read_attributes(attributes: Mapping[str, Any], where: str, frame: Frame = "corner") -> Described:
    """Return what the attributes of a group say.

    Args:
        attributes: The group's attributes.
        where: The group, for messages.
        frame: The frame of files that do not say theirs.

    Raises:
        NgioValidationError: If they describe no image, label list, well or plate; naming every rule that they break.
    """
    version, kind, document, others, problems = examined(attributes, where)
    require_none(problems)
    if version is None or kind is None:  # never: either is a problem
        raise NgioValidationError(where)
    module = _MODULES[version]
    try:
        found = _CONVERTERS[module].structure(document, kind)
        return Described(version, _completed(found, document, others, frame, module))
    except NgioValueError as error:
        raise NgioValidationError(f"{where}: {error}") from None


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


def in_version(attributes: Mapping[str, Any], name: str, version: Version, where: str) -> dict[str, Any]:
    """Return the attributes of a group with its document in the words of 0.4 or 0.5; all else is as it was.

    Documents of 0.1 to 0.3 say no pixel sizes, and get 1.

    Args:
        attributes: The group's attributes.
        name: What the group is called: lists of label images and of series stand in groups of certain names.
        version: To write.
        where: The group, for messages.

    Raises:
        NgioValidationError: If the document is of a version that is not converted.
    """
    if not _has_document(attributes, name):
        return dict(attributes)
    found = _version_of(attributes)
    if found is None or _MODULES[found] is v06:
        raise NgioValidationError(f"{where}: OME-NGFF version {shown(_said(attributes))} cannot become {version}")
    document, others, _ = _MODULES[found].document_in(attributes)
    if entries := document.get("multiscales"):
        document["multiscales"] = [{key: item for key, item in entry.items() if key != "version"} for entry in entries]
    if isinstance(omero := document.get("omero"), Mapping) and "version" in omero:
        document["omero"] = {**omero, "version": version}
    return {**others, **_MODULES[version].attributes_with(document)}


def _has_document(attributes: Mapping[str, Any], name: str) -> bool:
    """Return whether attributes hold a document of OME-NGFF, and not columns of a table that are called the same."""
    if isinstance(attributes.get("ome"), Mapping):
        return True
    named = {"labels": "labels", "OME": "series"}.get(name)
    objects = any(isinstance(_entry_of(attributes, key).get(item), list) for key, item in _LISTS.items())
    return objects or isinstance(attributes.get(named or ""), list)


def _version_of(attributes: Mapping[str, Any]) -> str | None:
    """Return the version of the document in some attributes, where they do not say by its words; None if unknown."""
    modern = isinstance(attributes.get("ome"), Mapping)
    version = _said(attributes)
    if version is None and modern:
        version = "0.5"
    elif version is None:
        axes = _entry_of(attributes, "multiscales").get("axes")
        version = "0.3" if isinstance(axes, list) and axes and isinstance(axes[0], str) else "0.4"
    known = isinstance(version, str) and version in _MODULES and (version in _ROOTED) != modern
    return version if known else None


def _said(attributes: Mapping[str, Any]) -> Any:
    """Return the version that attributes give."""
    if isinstance(ome := attributes.get("ome"), Mapping):
        return ome.get("version")
    return next((said for key in _KINDS if (said := _entry_of(attributes, key).get("version")) is not None), None)


def _entry_of(attributes: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    entry = attributes.get(key)
    if isinstance(entry, list) and entry:
        entry = entry[0]
    return entry if isinstance(entry, Mapping) else {}


def _own_problems(others: Mapping[str, Any]) -> Iterator[Problem]:
    own = others.get(OWN_KEY, {})
    if not isinstance(own, Mapping):
        yield Problem(f"$.{OWN_KEY}", f"must be an object, got {shown(own)}")
        return
    for key in ("frame", "level_origin"):
        if key in own and own[key] not in ("center", "corner"):
            yield Problem(f"$.{OWN_KEY}.{key}", f"must be 'center' or 'corner', got {shown(own[key])}")


def _completed(
    found: Document,
    document: Mapping[str, Any],
    others: Mapping[str, Any],
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
        own = others.get(OWN_KEY, {})
        changes["others"] = {key: value for key, value in others.items() if key != OWN_KEY}
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
