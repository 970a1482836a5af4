"""Regions as GeoJSON, which viewers such as QuPath and web maps read."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from ngio_x.roi.columns import listed
from ngio_x.roi.corners import corners
from ngio_x.roi.roi import Roi


def to_geojson(rois: Iterable[Roi]) -> dict[str, Any]:
    """Return regions as a GeoJSON FeatureCollection of polygons in the plane of x and y (RFC 7946, section 3.3).

    A polygon is the rectangle of a region, in the region's units, as a closed ring against the clock of positions
    `[x, y]`. Its properties are `name`, `label`, `space`, the interval `[start, end]` along each other axis (None is
    unbounded), and the region's extras. An axis or extra whose name is taken stands under `axis_<name>` or
    `extra_<name>`. The label, else the name, is the feature's `id`.

    >>> roi = Roi.from_values({"y": (0, 2), "x": (5, 3)}, "cell", label=7)
    >>> to_geojson([roi])["features"][0]["geometry"]["coordinates"]
    [[[5.0, 0.0], [8.0, 0.0], [8.0, 2.0], [5.0, 2.0], [5.0, 0.0]]]

    Args:
        rois: Regions with bounds along x and y.

    Returns:
        What `json.dump` writes; numbers that JSON lacks (NaN, infinities) are None.

    Raises:
        NgioTypeError: If something else than a region is among them.
        NgioKeyError: If a region lacks x or y.
        NgioValueError: If a region is unbounded along x or y; the message names it.
    """
    return {"type": "FeatureCollection", "features": [_feature(roi) for roi in listed(rois)]}


def _feature(roi: Roi) -> dict[str, Any]:
    ring = corners(roi, ("y", "x"))[:, ::-1].tolist()
    properties: dict[str, Any] = {"name": roi.name, "label": roi.label, "space": roi.space}
    others = {item.axis_name: item.bounds for item in roi.slices if item.axis_name not in ("x", "y")}
    for kind, facts in (("axis", others), ("extra", roi.extra)):
        for key, value in facts.items():
            properties[_free(key, kind, properties)] = _plain(value)
    feature: dict[str, Any] = {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [[*ring, ring[0]]]},
        "properties": properties,
    }
    known = roi.name if roi.label is None else roi.label
    return feature if known is None else {"id": known, **feature}


def _free(key: str, kind: str, taken: Mapping[str, Any]) -> str:
    while key in taken:
        key = f"{kind}_{key}"
    return key


def _plain(value: Any) -> Any:
    """Return a value as JSON has it; what it has no word for becomes text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, (str, int)) else str(value)
