"""What a document says beyond pixels and coordinates, as attributes of a tree, read back on writing.

They are texts, for no format that xarray writes can hold more than texts and numbers: what has parts is JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from ngio_x._frozen import shown, thaw
from ngio_x.errors import NgioValueError
from ngio_x.ngff.documents import ImageLabel, Multiscales, Plate, Well
from ngio_x.serialization.documents import to_dict


def facts_of(document: Multiscales | Well | Plate, version: str) -> dict[str, Any]:
    """Return the attributes of the node that a document describes; what it does not say is left out."""
    facts: dict[str, Any] = {"version": version}
    if isinstance(document, Multiscales):
        facts |= {
            "name": document.name,
            "kernel": document.kernel,
            "metadata": document.metadata,
            "label": _label_facts(document.label),
            "frame": document.frame,
            "level_origin": _level_origin(document),
        }
    else:
        plain = to_dict(document)
        facts[type(document).__name__.lower()] = {
            key: value for key, value in plain.items() if key not in ("rest", "others") and value not in (None, [])
        }
    facts |= {"rest": document.rest, "others": document.others}
    said = {key: thaw(value) for key, value in facts.items()}
    return {
        key: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for key, value in said.items()
        if value not in (None, [], {})
    }


def from_facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of `Multiscales` that some attributes speak of; others are no concern of the document.

    Raises:
        NgioValueError: Naming the attribute that is faulty.
    """
    found = {key: _parsed(key, facts[key]) for key in _FIELDS if facts.get(key) is not None}
    if "label" in found:
        found["label"] = _label(found["label"])
    return found


def _parsed(key: str, value: Any) -> Any:
    """Return what an attribute says, which is JSON where it has parts; who set it himself may have left it as it is."""
    if key not in _JSON or not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise NgioValueError(f"attribute {key!r} must be JSON, got {shown(value)}") from None


_JSON: Final = ("metadata", "label", "rest", "others")
"""Those that have parts."""
_FIELDS: Final = ("name", "kernel", "metadata", "label", "frame", "level_origin", "rest", "others")
"""Those fields of `Multiscales` that are attributes of a tree."""


def _label_facts(label: ImageLabel | None) -> dict[str, Any] | None:
    """Return a label image's facts: as keys JSON has strings only, so that labels stand beside what belongs to them."""
    if label is None:
        return None
    facts = {
        "source": label.source,
        "colors": [[value, thaw(rgba)] for value, rgba in label.colors.items()],
        "properties": [[value, thaw(items)] for value, items in label.properties.items()],
    }
    return {key: value for key, value in facts.items() if value}


def _label(value: Any) -> ImageLabel:
    try:
        return ImageLabel(value.get("source"), dict(value.get("colors", ())), dict(value.get("properties", ())))
    except (TypeError, ValueError, AttributeError) as error:
        raise NgioValueError(
            f"attribute 'label' does not describe a label image, got {shown(value)}: {error}"
        ) from None


def _level_origin(image: Multiscales) -> str:
    """Return how translations of coarser levels are related to level 0; where the document is silent, as they look."""
    if image.level_origin is not None:
        return image.level_origin
    first, *others = image.datasets
    moved = any(at != first.translation[axis] for level in others for axis, at in enumerate(level.translation))
    return "corner" if others and not moved else "center"
