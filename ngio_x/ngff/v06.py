"""OME-NGFF 0.6, which is only read: its words are put into those of 0.5.

Images have named coordinate systems, and each level a transformation into one of them: a scale, an identity, or a
sequence of those and translations. Others (rotations, affine ones, …) have no place in a lattice, and are refused.

Source: https://ngff.openmicroscopy.org/0.6/, sections "coordinateSystems" and "coordinateTransformations".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ngio_x._frozen import shown, to_floats
from ngio_x.errors import NgioValueError
from ngio_x.ngff import v05
from ngio_x.ngff.problems import Problem
from ngio_x.ngff.v04 import Found, configure

__all__ = ["ROOT", "configure", "document_in"]

ROOT = v05.ROOT


def document_in(attributes: Mapping[str, Any]) -> Found:
    """Return the document in the words of 0.5, and each transformation that has no place in a lattice."""
    found = v05.document_in(attributes)
    problems: list[Problem] = []
    entries = found.document.get("multiscales")
    if isinstance(entries, list):
        found.document["multiscales"] = [
            _entry(entry, f"$.multiscales[{index}]", problems) if isinstance(entry, Mapping) else entry
            for index, entry in enumerate(entries)
        ]
    return found._replace(problems=tuple(problems))


def _entry(entry: Mapping[str, Any], path: str, problems: list[Problem]) -> dict[str, Any]:
    # Transformations of the image lead from the system of its levels, in which it is read, to others.
    plain = {
        key: value for key, value in entry.items() if key not in ("coordinateSystems", "coordinateTransformations")
    }
    datasets, system = entry.get("datasets"), _system(entry)
    if system is not None:
        plain["axes"] = system.get("axes")
    axes = plain.get("axes")
    ndim = len(axes) if isinstance(axes, list) else 0
    if isinstance(datasets, list):
        plain["datasets"] = [
            _dataset(item, ndim, f"{path}.datasets[{index}]", problems) for index, item in enumerate(datasets)
        ]
    return plain


def _system(entry: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the coordinate system that the first level leads into; by default the first that is listed."""
    systems = entry.get("coordinateSystems")
    known = [item for item in systems if isinstance(item, Mapping)] if isinstance(systems, list) else []
    name = _output_of(entry.get("datasets"))
    named = [item for item in known if item.get("name") == name]
    return next(iter([*named, *known]), None)


def _output_of(datasets: Any) -> Any:
    try:
        output = datasets[0]["coordinateTransformations"][0]["output"]
        return output["name"] if isinstance(output, Mapping) else output
    except (KeyError, IndexError, TypeError):
        return None


def _dataset(item: Any, ndim: int, path: str, problems: list[Problem]) -> Any:
    """Return an entry of `datasets` with a scale, and a translation if there is one."""
    transformations = item.get("coordinateTransformations") if isinstance(item, Mapping) else None
    if not isinstance(transformations, list):
        return item
    scale, translation = [1.0] * ndim, [0.0] * ndim
    try:
        for index, each in enumerate(transformations):
            scale, translation = _followed(scale, translation, each, f"{path}.coordinateTransformations[{index}]")
    except NgioValueError as error:
        where, message = error.args
        problems.append(Problem(where, message, "trafo-md"))
    return {
        **item,
        "coordinateTransformations": [
            {"type": "scale", "scale": scale},
            {"type": "translation", "translation": translation},
        ],
    }


def _followed(scale: list[float], translation: list[float], each: Any, path: str) -> tuple[list[float], list[float]]:
    """Return scale and translation followed by a transformation.

    Raises:
        NgioValueError: Of the path of what cannot be followed, and why.
    """
    kind = each.get("type") if isinstance(each, Mapping) else None
    if kind == "identity":
        return scale, translation
    if kind == "sequence" and isinstance(each.get("transformations"), list):
        for index, inner in enumerate(each["transformations"]):
            scale, translation = _followed(scale, translation, inner, f"{path}.transformations[{index}]")
        return scale, translation
    if kind in ("scale", "translation"):
        numbers = _numbers(each, kind, len(scale), path)
        if kind == "translation":
            return scale, [at + shift for at, shift in zip(translation, numbers, strict=True)]
        return (
            [size * factor for size, factor in zip(scale, numbers, strict=True)],
            [at * factor for at, factor in zip(translation, numbers, strict=True)],
        )
    raise NgioValueError(
        path, f"is of type {shown(kind)}, but only identity, scale, translation and sequences of them are read"
    )


def _numbers(each: Mapping[str, Any], kind: str, count: int, path: str) -> tuple[float, ...]:
    try:
        given: Any = each.get(kind)
        numbers = to_floats(given)
    except NgioValueError as error:
        raise NgioValueError(f"{path}.{kind}", str(error)) from None
    if len(numbers) != count:
        raise NgioValueError(
            f"{path}.{kind}", f"must have one number for each of the {count} axes, got {shown(numbers)}"
        )
    return numbers
