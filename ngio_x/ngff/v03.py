"""OME-NGFF 0.1 to 0.3, which are only read: what they say is put into the words of 0.4.

They know no pixel sizes. Version 0.3 names the axes; before, there are always five.

Source: https://ngff.openmicroscopy.org/0.3/, section "multiscales".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cattrs import Converter

from ngio_x._frozen import evolve
from ngio_x.metadata.axes import CANONICAL_ORDER
from ngio_x.ngff import v04
from ngio_x.ngff.documents import Multiscales
from ngio_x.ngff.problems import objects_of

ROOT = v04.ROOT


def configure(converter: Converter) -> None:
    """Teach a converter what documents look like."""
    v04.configure(converter)
    read = converter.get_structure_hook(Multiscales)
    converter.register_structure_hook(Multiscales, lambda document, kind: evolve(read(document, kind), has_sizes=False))


def document_in(attributes: Mapping[str, Any]) -> v04.Found:
    """Return the document in the words of 0.4, and the attributes that are none of it."""
    found = v04.document_in(attributes)
    document = found.document
    if isinstance(entries := document.get("multiscales"), list):
        document["multiscales"] = [_entry(entry) if isinstance(entry, Mapping) else entry for entry in entries]
    if isinstance(document.get("plate"), Mapping):
        document["plate"] = _plate(document["plate"])
    return found


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


def _plate(plate: Mapping[str, Any]) -> dict[str, Any]:
    """Return a plate whose wells say where they are: before 0.4 only their paths do."""
    rows, columns = ([item.get("name") for _, item in objects_of(plate, key, "$.plate")] for key in ("rows", "columns"))
    wells = plate.get("wells")
    placed = [_well(well, rows, columns) for well in wells] if isinstance(wells, list) else wells
    return {**plate, "wells": placed}


def _well(well: Any, rows: Sequence[Any], columns: Sequence[Any]) -> Any:
    path = well.get("path") if isinstance(well, Mapping) else None
    row, _, column = path.partition("/") if isinstance(path, str) else ("", "", "")
    if row not in rows or column not in columns:
        return well  # the rules say what is wrong
    return {"rowIndex": rows.index(row), "columnIndex": columns.index(column), **well}
