"""Regions as GeoJSON, which QuPath reads (in pixels) and web maps."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np
import xarray as xr

from ngio_x._frozen import is_number, named, one_of, shown
from ngio_x.arrays.crop import in_pixels, in_world
from ngio_x.arrays.tree import image_of
from ngio_x.errors import NgioValidationError, NgioValueError
from ngio_x.roi.columns import extras_of, listed
from ngio_x.roi.corners import corners
from ngio_x.roi.roi import Roi, Space
from ngio_x.roi.roi_slice import RoiSlice

_OTHERS: Final = ("t", "c", "z")
"""Axes whose intervals are read from properties."""


def to_geojson(rois: Iterable[Roi], image: xr.DataArray | xr.Dataset | xr.DataTree | None = None) -> dict[str, Any]:
    """Return regions as a GeoJSON FeatureCollection of polygons in the plane of x and y (RFC 7946, section 3.3).

    QuPath counts pixels: give it `image`. A polygon is the rectangle of a region, as a closed ring against the clock of
    positions `[x, y]`. Its properties are `name`, `label`, `space`, the interval `[start, end]` along each other axis
    (None is unbounded), and the region's extras. An axis or extra whose name is taken stands under `axis_<name>` or
    `extra_<name>`. The label, else the name, is the feature's `id`.

    >>> roi = Roi.from_values({"y": (0, 2), "x": (5, 3)}, "cell", label=7)
    >>> to_geojson([roi])["features"][0]["geometry"]["coordinates"]
    [[[5.0, 0.0], [8.0, 0.0], [8.0, 2.0], [5.0, 2.0], [5.0, 0.0]]]

    Args:
        rois: Regions with bounds along x and y.
        image: The image whose pixels positions count, from the corner of its first pixel; of a tree, level 0. By
            default positions are in the regions' own units.

    Returns:
        What `json.dump` writes; numbers that JSON lacks (NaN, infinities) are None.

    Raises:
        NgioTypeError: If something else than a region is among them, or `image` is not a DataArray, Dataset or
            DataTree.
        NgioKeyError: If a region lacks x or y.
        NgioValueError: If a region is unbounded along x or y; the message names it.
    """
    regions = listed(rois)
    if image is not None:
        base = image_of(image)
        regions = [in_pixels(roi, base) for roi in regions]
    return {"type": "FeatureCollection", "features": [_feature(roi) for roi in regions]}


def _feature(roi: Roi) -> dict[str, Any]:
    ring = corners(roi, ("y", "x"))[:, ::-1].tolist()
    properties: dict[str, Any] = {"name": roi.name, "label": roi.label, "space": roi.space}
    others = {item.axis_name: item.bounds for item in roi.slices if item.axis_name not in ("x", "y")}
    for kind, facts in (("axis", others), ("extra", extras_of(roi))):
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


def from_geojson(
    document: Any, image: xr.DataArray | xr.Dataset | xr.DataTree | None = None, *, space: Space | None = None
) -> list[Roi]:
    """Return the regions of a GeoJSON document, such as `to_geojson` or QuPath makes: the box around each polygon.

    The properties `name`, `label`, `space`, and the intervals along t, c and z, are read as `to_geojson` writes them;
    others become `extra`. A region without a name is called by the feature's `id`, if that is text.

    >>> ring = [[5, 0], [8, 0], [8, 2], [5, 0]]
    >>> feature = {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}, "properties": None}
    >>> from_geojson(feature)[0]["x"].bounds
    (5.0, 8.0)

    Args:
        document: A FeatureCollection, a Feature, or a list of these, as `json.load` returns it.
        image: The image whose pixels QuPath counted; of a tree, level 0. The regions are then in its world.
        space: What positions count where a feature does not say: `"pixel"`, as in QuPath, or `"world"` units. By
            default pixels of `image`, and world units without one.

    Raises:
        NgioValidationError: If it is something else; each feature that is not a region is named.
        NgioTypeError: If `image` is not a DataArray, Dataset or DataTree.
    """
    if isinstance(document, (str, bytes)):
        raise NgioValidationError(f"$: must be parsed GeoJSON, got the text {shown(document)}: take json.loads of it")
    base = None if image is None else image_of(image)
    default: Space = named("space", one_of(None, "world", "pixel"))(space) or ("world" if base is None else "pixel")
    regions, problems = list[Roi](), list[str]()
    for where, feature in _features(document, "$"):
        try:
            regions.append(_region(feature, default))
        except (NgioValueError, TypeError, KeyError) as error:
            problems.append(f"{where}: {error}")
    if problems:
        raise NgioValidationError(*problems)
    return regions if base is None else [in_world(roi, base) for roi in regions]


def _features(document: Any, where: str) -> list[tuple[str, Any]]:
    """Return the features of a document, each with its place in it."""
    if isinstance(document, (list, tuple)):
        return [found for index, item in enumerate(document) for found in _features(item, f"{where}[{index}]")]
    if isinstance(document, Mapping) and document.get("type") == "FeatureCollection":
        features = document.get("features")
        if not isinstance(features, (list, tuple)):
            raise NgioValidationError(f"{where}.features: must be a list, got {shown(features)}")
        return [(f"{where}.features[{index}]", feature) for index, feature in enumerate(features)]
    return [(where, document)]


def _region(feature: Any, space: Space) -> Roi:
    if not isinstance(feature, Mapping) or feature.get("type") != "Feature":
        raise NgioValueError(f"must be a GeoJSON Feature, got {shown(feature)}")
    low, high = _box(feature.get("geometry"))
    properties = feature.get("properties") or {}
    if not isinstance(properties, Mapping):
        raise NgioValueError(f"properties must be an object, got {shown(properties)}")
    facts = dict(properties)
    name, label, known = facts.pop("name", None), facts.pop("label", None), feature.get("id")
    intervals = {axis: facts.pop(axis) for axis in _OTHERS if _is_interval(facts.get(axis))}
    slices = [RoiSlice.from_value(axis, slice(*bounds)) for axis, bounds in intervals.items()]
    slices += [RoiSlice.from_value(axis, slice(float(low[at]), float(high[at]))) for at, axis in ((1, "y"), (0, "x"))]
    if name is None and label is None and isinstance(known, str):
        name = known
    told = facts.pop("space", space)
    return Roi(name, tuple(slices), label, told, facts)


def _box(geometry: Any) -> tuple[Any, Any]:
    """Return the lowest and the highest position of polygons."""
    kind = geometry.get("type") if isinstance(geometry, Mapping) else None
    if not isinstance(geometry, Mapping) or kind not in ("Polygon", "MultiPolygon"):
        raise NgioValueError(f"must have a Polygon or a MultiPolygon as its geometry, got {shown(kind)}")
    coordinates = geometry.get("coordinates")
    try:
        rings = coordinates if kind == "Polygon" else [ring for polygon in coordinates for ring in polygon]  # type: ignore[union-attr]
        positions = np.array([position[:2] for ring in rings for position in ring], dtype=np.float64)  # type: ignore[union-attr]
    except (TypeError, ValueError):
        positions = np.empty((0, 2))
    if positions.ndim != 2 or positions.shape[1:] != (2,) or len(positions) < 3 or not np.isfinite(positions).all():
        raise NgioValueError(f"must have rings of positions [x, y] as its coordinates, got {shown(coordinates)}")
    return positions.min(axis=0), positions.max(axis=0)


def _is_interval(value: Any) -> bool:
    is_pair = isinstance(value, (list, tuple)) and len(value) == 2
    return is_pair and all(bound is None or is_number(bound) for bound in value)
