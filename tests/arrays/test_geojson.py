"""Regions for viewers that read GeoJSON."""

import json

import numpy as np
import pytest
import xarray as xr

import ngio_x as nx
from ngio_x.errors import NgioKeyError, NgioTypeError, NgioValidationError, NgioValueError


def area_of(ring):
    """Return the signed area of a ring: positive against the clock."""
    x, y = np.array(ring).T
    return float((x[:-1] * y[1:] - x[1:] * y[:-1]).sum() / 2)


def test_regions_are_polygons():
    """Closed rings of x and y against the clock, as RFC 7946 wants exteriors."""
    rois = [nx.Roi.from_values({"z": (1, 2), "x": (5, 3), "y": (-2, 4)}, "cell", label=7)]
    (feature,) = nx.to_geojson(rois)["features"]
    (ring,) = feature["geometry"]["coordinates"]
    assert ring[0] == ring[-1]
    assert area_of(ring) == 12
    assert {tuple(position) for position in ring} == {(5, -2), (8, -2), (8, 2), (5, 2)}
    assert feature["id"] == 7
    assert feature["properties"] == {"name": "cell", "label": 7, "space": "world", "z": [1.0, 3.0]}


def test_all_of_it_is_json():
    """Extras of any kind, open ends and ids beyond floats."""
    extra = {"deep": {"a": [1, None]}, "nan": float("nan"), "when": np.datetime64("2026-01-01"), "name2": "b"}
    roi = nx.Roi.from_values({"y": 0, "x": 0, "t": slice(2, None)}, None, label=2**64 - 1, **extra)
    text = json.dumps(nx.to_geojson([roi, nx.Roi.from_values({"y": 0, "x": 0}, "b")]), allow_nan=False)
    first, second = json.loads(text)["features"]
    assert first["id"] == 2**64 - 1
    properties = {"t": [2.0, None], "deep": {"a": [1, None]}, "nan": None, "when": "2026-01-01", "name2": "b"}
    assert properties.items() <= first["properties"].items()
    assert second["id"] == "b"
    assert "id" not in nx.to_geojson([nx.Roi.from_values({"y": 0, "x": 0}, None)])["features"][0]


def test_nothing_is_lost_where_names_are_taken():
    """Axes and extras may be called like each other, or like what a region has anyway."""
    roi = nx.Roi(
        "a", (nx.RoiSlice("x", 0, 1), nx.RoiSlice("y", 0, 1), nx.RoiSlice("name", 2, 3)), extra={"axis_name": 5}
    )
    (feature,) = nx.to_geojson([roi])["features"]
    expected = {"name": "a", "label": None, "space": "world", "axis_name": [2.0, 5.0], "extra_axis_name": 5}
    assert feature["properties"] == expected
    extra = nx.Roi.from_values({"y": 0, "x": 0, "z": 0}, None, z="top")
    assert nx.to_geojson([extra])["features"][0]["properties"]["extra_z"] == "top"


def test_no_regions_are_no_features():
    """An empty collection is valid."""
    assert nx.to_geojson([]) == {"type": "FeatureCollection", "features": []}


def test_what_is_no_rectangle_is_refused():
    """The message names the region."""
    with pytest.raises(NgioValueError, match="cell is unbounded along 'x'"):
        nx.to_geojson([nx.Roi.from_values({"y": 0, "x": slice(None)}, "cell")])
    with pytest.raises(NgioKeyError, match="no axis 'x'"):
        nx.to_geojson([nx.Roi.from_values({"y": 0, "z": 0}, "cell")])
    with pytest.raises(NgioTypeError, match="put a single one into a list"):
        nx.to_geojson(nx.Roi.from_values({"y": 0, "x": 0}, None))


def test_what_to_geojson_writes_is_read_back():
    """Also as text; extras that JSON has words for are kept."""
    rois = [
        nx.Roi.from_values({"z": (1, 2), "x": (5, 3), "y": (-2, 4)}, "cell", label=7, note="a", deep={"b": (1, None)}),
        nx.Roi.from_values({"t": slice(2, None), "y": 0, "x": 0}, None, label=2**64 - 1, space="pixel"),
        nx.Roi.from_values({"y": 0, "x": 0}, None),
    ]
    assert nx.from_geojson(json.loads(json.dumps(nx.to_geojson(rois)))) == rois


def test_polygons_of_any_form_become_their_boxes():
    """Holes and several parts are within them; a third coordinate is passed over."""
    square = lambda low, high: [[low, low, 9], [high, low, 9], [high, high, 9], [low, high, 9], [low, low, 9]]  # noqa: E731
    parts = {"type": "MultiPolygon", "coordinates": [[square(0, 8), square(2, 3)], [square(20, 25)]]}
    feature = {"type": "Feature", "geometry": parts, "properties": {"color": [1, 2], "z": "deep"}, "id": 5}
    (roi,) = nx.from_geojson([feature], space="pixel")
    assert roi == nx.Roi.from_values(
        {"y": slice(0, 25), "x": slice(0, 25)}, None, space="pixel", color=(1, 2), z="deep"
    )


def test_an_id_is_a_name_where_there_is_no_other():
    """As QuPath calls them."""
    (feature,) = nx.to_geojson([nx.Roi.from_values({"y": 0, "x": 0}, None)])["features"]
    assert [roi.name for roi in nx.from_geojson([feature | {"id": "1a"}, feature | {"id": 3}])] == ["1a", None]


POINT = {"type": "Feature", "geometry": {"type": "Point", "coordinates": [1, 2]}}
POLYGON = {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (None, r"\$: must be a GeoJSON Feature, got None"),
        ({"type": "FeatureCollection"}, r"\$.features: must be a list, got None"),
        ({"type": "FeatureCollection", "features": [POLYGON, POINT]}, r"\$.features\[1\]: must have a Polygon or a"),
        ([POLYGON | {"geometry": None}], r"\$\[0\]: must have a Polygon"),
        ([{**POLYGON, "geometry": {"type": "Polygon", "coordinates": [[[0, "a"]]]}}], "must have rings of positions"),
        ([{**POLYGON, "geometry": {"type": "Polygon", "coordinates": 3}}], "must have rings of positions"),
        ([{**POLYGON, "properties": {"label": -1}}], "must be ≥ 0"),
        ([{**POLYGON, "properties": {"space": "moon"}}], "moon"),
        ([{**POLYGON, "properties": [1]}], r"\$\[0\]: properties must be an object"),
    ],
)
def test_what_holds_no_regions_is_refused(document, message):
    """Naming the feature."""
    with pytest.raises(NgioValidationError, match=message):
        nx.from_geojson(document)


def test_all_faulty_features_are_named_at_once():
    """And the document is untouched."""
    document = {"type": "FeatureCollection", "features": [POINT, POLYGON, POINT]}
    before = json.dumps(document)
    with pytest.raises(NgioValidationError) as caught:
        nx.from_geojson(document)
    assert len(caught.value.problems) == 2
    assert json.dumps(document) == before


FINE = nx.as_image(np.zeros((4, 40, 60), "u2"), "zyx", {"z": 2.0, "y": 0.325, "x": 0.325}, origin={"x": 100.0})


@pytest.mark.parametrize(
    "image", [FINE, xr.DataTree.from_dict({"0": FINE.to_dataset(name="image")})], ids=["array", "tree"]
)
def test_positions_count_the_pixels_of_an_image(image):
    """From the corner of its first pixel, as QuPath counts them; they come back in world units."""
    cells = [nx.Roi.from_values({"z": (2, 4), "y": slice(5.85, 6.5), "x": slice(103.25, 106.5)}, "cell", label=7)]
    document = json.loads(json.dumps(nx.to_geojson(cells, image)))
    (feature,) = document["features"]
    assert {tuple(position) for position in feature["geometry"]["coordinates"][0]} == {
        (10, 18), (20, 18), (20, 20), (10, 20)
    }  # fmt: skip
    assert feature["properties"] == {"name": "cell", "label": 7, "space": "pixel", "z": [1.0, 3.0]}
    (back,) = nx.from_geojson(document, image)
    assert (back.space, back.name, back.label) == ("world", "cell", 7)
    assert nx.window(FINE, back) == nx.window(FINE, cells[0])
    (counted,) = nx.from_geojson(document)
    assert nx.window(FINE, counted) == nx.window(FINE, back)


def test_what_qupath_draws_lies_where_it_was_drawn():
    """Its features say nothing of space."""
    ring = [[10, 18], [20, 18], [20, 20], [10, 18]]
    feature = {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}, "properties": None}
    (roi,) = nx.from_geojson(feature, FINE)
    assert nx.window(FINE, roi) == {"y": slice(18, 20), "x": slice(10, 20)}
    assert roi["x"].start == pytest.approx(103.25)
    assert nx.from_geojson(feature, FINE, space="world")[0]["x"].start == 10
    for wrong in (FINE.values, "image"):
        with pytest.raises(NgioTypeError, match="image"):
            nx.from_geojson(feature, wrong)


def test_text_is_to_be_parsed_first():
    text = json.dumps(nx.to_geojson([nx.Roi.from_values({"y": (0, 1), "x": (0, 2)})]))
    with pytest.raises(
        NgioValidationError, match=r"\$: must be parsed GeoJSON, got the text .*: take json.loads of it"
    ):
        nx.from_geojson(text)
