"""What OME-NGFF asks of documents, and reading can do without: only validation looks at it.

Real files break these rules, and are understood all the same: by ngio and ome-zarr, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ngio_x._frozen import at_least, shown, to_int
from ngio_x.ngff.problems import Problem, Problems, objects_of, should, to_alphanumeric, to_text, wrong, wrong_if_given
from ngio_x.ngff.rules import multiscale_problems


def formalities_of(document: Mapping[str, Any], said: Any, version: str) -> Problems:
    """Return every rule of a version that a document breaks, but those of `rules`.

    Args:
        document: In the words of 0.4 and 0.5.
        said: The version that the attributes give for the whole document, where 0.5 wants it; None if they do not.
        version: The version as which the document is read.
    """
    modern = version not in ("0.1", "0.2", "0.3", "0.4")
    if modern and said is None:
        yield Problem("$.version", "is missing", "metadata")
    yield from _multiscales(document, version, modern=modern)
    yield from _image_label(document, modern=modern)
    yield from _plate(document, modern=modern)
    yield from _well(document)


def _multiscales(document: Mapping[str, Any], version: str, *, modern: bool) -> Problems:
    entries = objects_of(document, "multiscales", "$")
    for index, (path, entry) in enumerate(entries):
        if index > 0:  # the first is the image, of which `rules` speak
            yield from multiscale_problems(entry, path)
        if entry.get("coordinateTransformations", ...) in (None, []):
            yield Problem(f"{path}.coordinateTransformations", "must hold a scale, got none", "multiscale-md")
        if modern:
            continue
        if (given := entry.get("version")) is None:
            yield should(f"{path}.version", "should be there", "multiscale-md")
        elif given != version:
            yield Problem(f"{path}.version", f"must be '{version}', got {shown(given)}", "multiscale-md")


def _image_label(document: Mapping[str, Any], *, modern: bool) -> Problems:
    label = document.get("image-label")
    if not isinstance(label, Mapping):
        return
    if label.get("version") is None and modern:
        yield should("$.image-label.version", "should be there", "labels-md")
    yield from wrong_if_given(label, "version", to_text, "$.image-label", "labels-md")
    for key in ("colors", "properties"):
        if key in label and not label[key]:
            yield Problem(f"$.image-label.{key}", f"must hold at least one item, got {shown(label[key])}", "labels-md")


_TIMES: Final = ("starttime", "endtime")


def _plate(document: Mapping[str, Any], *, modern: bool) -> Problems:
    plate, path = document.get("plate"), "$.plate"
    if not isinstance(plate, Mapping):
        return
    if plate.get("version") is None and not modern:
        yield should(f"{path}.version", "should be there", "plate-md")
    elif "version" in plate or modern:
        yield from wrong(plate, "version", to_text, path, "plate-md")
    for key in ("rows", "columns", "wells"):
        yield from _empty(plate, key, path, "plate-md")
    for key in ("rows", "columns"):
        names = [item["name"] for _, item in objects_of(plate, key, path) if isinstance(item.get("name"), str)]
        if len({name.casefold() for name in names}) < len({*names}):
            yield should(f"{path}.{key}", "should have names that differ by more than their case", "plate-md")
    for at, item in objects_of(plate, "acquisitions", path):
        yield from wrong_if_given(item, "description", to_text, at, "plate-md")
        for key in _TIMES if modern else ():
            yield from wrong_if_given(item, key, at_least(0, to_int), at, "plate-md")


def _well(document: Mapping[str, Any]) -> Problems:
    well, path = document.get("well"), "$.well"
    if not isinstance(well, Mapping):
        return
    yield from _empty(well, "images", path, "well-md")
    if well.get("version") is None:
        yield should(f"{path}.version", "should be there", "well-md")
    yield from wrong_if_given(well, "version", to_text, path, "well-md")
    for at, image in objects_of(well, "images", path):
        if isinstance(image.get("path"), str) and image["path"]:
            yield from wrong(image, "path", to_alphanumeric, at, "well-md")


def _empty(owner: Mapping[str, Any], key: str, path: str, section: Any) -> Problems:
    if owner.get(key) == []:
        yield Problem(f"{path}.{key}", "must hold at least one item, got none", section)
