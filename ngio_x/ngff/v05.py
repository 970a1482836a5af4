"""OME-NGFF 0.5: documents look as in 0.4, and stand under the key `ome`, beside the version.

Source: https://ngff.openmicroscopy.org/0.5/.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ngio_x.ngff.v04 import Found, configure, dated

__all__ = ["ROOT", "attributes_with", "configure", "document_in"]

ROOT = "$.ome"
"""Where a document stands in the attributes of its group."""


def document_in(attributes: Mapping[str, Any]) -> Found:
    """Return the document, and the attributes that are none of it."""
    document = {key: value for key, value in attributes["ome"].items() if key != "version"}
    return Found(document, {key: value for key, value in attributes.items() if key != "ome"})


def attributes_with(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes of a group that has a document."""
    return {"ome": {"version": "0.5", **dated(document, "0.5")}}
