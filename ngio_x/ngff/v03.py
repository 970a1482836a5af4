"""OME-NGFF 0.1 to 0.3, which are only read: what they say is put into the words of 0.4.

They know no pixel sizes. Version 0.3 names the axes; before, there are always five.

Source: https://ngff.openmicroscopy.org/0.3/, section "multiscales".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cattrs import Converter

from ngio_x._frozen import evolve
from ngio_x.metadata.axes import CANONICAL_ORDER
from ngio_x.ngff import v04
from ngio_x.ngff.documents import Multiscales

ROOT = v04.ROOT


def configure(converter: Converter) -> None:
    """Teach a converter what documents look like."""
    v04.configure(converter)
    read = converter.get_structure_hook(Multiscales)
    converter.register_structure_hook(Multiscales, lambda document, kind: evolve(read(document, kind), has_sizes=False))


def document_in(attributes: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the document in the words of 0.4, and the attributes that are none of it."""
    document, others = v04.document_in(attributes)
    entries = document.get("multiscales")
    if isinstance(entries, list) and entries and isinstance(entries[0], Mapping):
        document["multiscales"] = [_entry(entries[0])]
    return document, others


def _entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    names = entry.get("axes", list(CANONICAL_ORDER))
    datasets = entry.get("datasets")
    if not (isinstance(names, list) and isinstance(datasets, list)):
        return dict(entry)  # the rules say what is wrong
    scale = [{"type": "scale", "scale": [1.0] * len(names)}]
    return {
        **entry,
        "axes": [{"name": name} for name in names],
        "datasets": [
            {**item, "coordinateTransformations": scale} if isinstance(item, Mapping) else item for item in datasets
        ],
    }
