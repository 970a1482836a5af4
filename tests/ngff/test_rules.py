"""Each rule of OME-NGFF that documents can break: one broken document a rule."""

import copy

import pytest

from ngio_x.errors import NgioValidationError
from ngio_x.ngff.attributes import examined, read_attributes

IMAGE = {
    "multiscales": [
        {
            "name": "cells",
            "type": "linear",
            "metadata": {},
            "axes": [
                {"name": "c", "type": "channel"},
                {"name": "y", "type": "space", "unit": "micrometer"},
                {"name": "x", "type": "space", "unit": "micrometer"},
            ],
            "datasets": [
                {
                    "path": path,
                    "coordinateTransformations": [
                        {"type": "scale", "scale": [1, size, size]},
                        {"type": "translation", "translation": [0, 0, 0]},
                    ],
                }
                for path, size in (("0", 0.5), ("1", 1.0))
            ],
        }
    ],
    "omero": {
        "channels": [{"label": "a", "color": "00FF00", "window": {"min": 0, "max": 9, "start": 1, "end": 5}}],
    },
    "image-label": {
        "version": "0.5",
        "colors": [{"label-value": 1, "rgba": [1, 2, 3, 4]}],
        "properties": [{"label-value": 1, "class": "nucleus"}],
        "source": {"image": "../../"},
    },
}
PLATE = {
    "plate": {
        "version": "0.5",
        "name": "test",
        "field_count": 2,
        "rows": [{"name": "A"}, {"name": "B"}],
        "columns": [{"name": "1"}],
        "wells": [{"path": "A/1", "rowIndex": 0, "columnIndex": 0}, {"path": "B/1", "rowIndex": 1, "columnIndex": 0}],
        "acquisitions": [{"id": 1, "name": "a", "maximumfieldcount": 2}],
    }
}
WELL = {"well": {"version": "0.5", "images": [{"path": "0", "acquisition": 1}]}}
LABELS = {"labels": ["cells"]}

MISSING = object()


def broken(document, *steps_and_value):
    """Return a 0.5 document with another value at a place; MISSING removes what is there."""
    *steps, last, value = steps_and_value
    document = copy.deepcopy(document)
    owner = document
    for step in steps:
        owner = owner[step]
    if value is MISSING:
        del owner[last]
    else:
        owner[last] = value
    return {"ome": {"version": "0.5", **document}}


M = ("multiscales", 0)
FIRST = (*M, "datasets", 0, "coordinateTransformations")
CHANNEL = ("omero", "channels", 0)


@pytest.mark.parametrize("document", [IMAGE, PLATE, WELL, LABELS], ids=["image", "plate", "well", "labels"])
def test_the_documents_that_are_broken_below_break_no_rule_themselves(document):
    """So that each of them breaks one."""
    assert examined({"ome": {"version": "0.5", **document}}, "here", formally=True).problems == []


MUST = [
    (IMAGE, ("multiscales", []), "multiscales: must be a list of at least one image, got []", "multiscale-md"),
    (IMAGE, ("multiscales", {"a": 1}), "multiscales: must be a list of at least one image", "multiscale-md"),
    (IMAGE, ("multiscales", ["x"]), "multiscales[0]: must be an object, got 'x'", "multiscale-md"),
    (IMAGE, (*M, "name", 3), "multiscales[0].name: must be a string, got 3", "multiscale-md"),
    (IMAGE, (*M, "type", []), "multiscales[0].type: must be a string, got []", "multiscale-md"),
    (IMAGE, (*M, "metadata", "x"), "multiscales[0].metadata: must be an object, got 'x'", "multiscale-md"),
    (IMAGE, (*M, "axes", MISSING), "multiscales[0].axes: is missing", "axes-md"),
    (IMAGE, (*M, "axes", "cyx"), "multiscales[0].axes: must be a list, got 'cyx'", "axes-md"),
    (IMAGE, (*M, "axes", 0, "c"), "multiscales[0].axes[0]: must be an object, got 'c'", "axes-md"),
    (IMAGE, (*M, "axes", 0, "name", MISSING), "multiscales[0].axes[0].name: is missing", "axes-md"),
    (IMAGE, (*M, "axes", 0, "name", ""), "axes[0].name: must be a non-empty string, got ''", "axes-md"),
    (IMAGE, (*M, "axes", 0, "type", 3), "axes[0].type: must be a string, got 3", "axes-md"),
    (IMAGE, (*M, "axes", 1, "unit", 3), "axes[1].unit: must be a string, got 3", "axes-md"),
    (IMAGE, (*M, "axes", 1, "name", "x"), "axes: must each have another name, got 'x' twice", "axes-md"),
    (IMAGE, (*M, "axes", []), "axes: must be 2 to 5, got 0", "multiscale-md"),
    (IMAGE, (*M, "axes", 1, "type", "color"), "axes: must hold 2 or 3 of type 'space', got 1", "multiscale-md"),
    (
        IMAGE,
        (*M, "axes", [{"name": name} for name in ("a", "b", "y", "x")]),
        "axes: must hold at most one of type 'time' and one channel or other, got ['other', 'other'",
        "multiscale-md",
    ),
    (
        IMAGE,
        (*M, "axes", [{"name": name} for name in "yxc"]),
        "axes: must be in the order time, channel or other, space, got ['space', 'space', 'channel']",
        "multiscale-md",
    ),
    (IMAGE, (*M, "datasets", MISSING), "multiscales[0].datasets: is missing", "multiscale-md"),
    (IMAGE, (*M, "datasets", []), "multiscales[0].datasets: must hold at least one item", "multiscale-md"),
    (IMAGE, (*M, "datasets", 0, "0"), "datasets[0]: must be an object, got '0'", "multiscale-md"),
    (IMAGE, (*M, "datasets", 1, "path", MISSING), "datasets[1].path: is missing", "multiscale-md"),
    (IMAGE, (*M, "datasets", 1, "path", 7), "datasets[1].path: must be a non-empty string, got 7", "multiscale-md"),
    *(
        (
            IMAGE,
            (*M, "datasets", 1, "path", path),
            "datasets[1].path: must be a path inside of the group",
            "multiscale-md",
        )
        for path in ("..", "../0", "/0", ".", "a/../../0", "a//b", "a/", "C:/0", "a\\b", "x" * 300, "a/" * 600 + "a")
    ),
    (IMAGE, (*M, "datasets", 1, "path", "0"), "datasets: must each have another path, got '0' twice", "multiscale-md"),
    (IMAGE, (*FIRST, MISSING), "datasets[0].coordinateTransformations: is missing", "trafo-md"),
    (IMAGE, (*FIRST, {}), "coordinateTransformations: must be a list, got {}", "trafo-md"),
    (IMAGE, (*FIRST, 0, 3), "coordinateTransformations[0]: must be an object, got 3", "trafo-md"),
    (IMAGE, (*FIRST, []), "coordinateTransformations: must be one scale, and after it", "multiscale-md"),
    (IMAGE, (*FIRST, 0, "type", MISSING), "[0].type: must be 'scale' or 'translation', got None", "multiscale-md"),
    (IMAGE, (*FIRST, 0, "type", "affine"), "[0].type: must be 'scale' or 'translation', got 'aff", "multiscale-md"),
    (IMAGE, (*FIRST, 1, {"type": "scale", "scale": [1, 1, 1]}), "got ['scale', 'scale']", "multiscale-md"),
    (IMAGE, (*FIRST, 0, "scale", MISSING), "coordinateTransformations[0].scale: is missing", "trafo-md"),
    (IMAGE, (*FIRST, 0, "scale", [1, 0, 1]), "[0].scale: must be > 0, got 0.0 at position 1", "trafo-md"),
    (IMAGE, (*FIRST, 0, "scale", [1, -1, 1]), "[0].scale: must be > 0, got -1.0 at position 1", "trafo-md"),
    (IMAGE, (*FIRST, 0, "scale", [1, float("nan"), 1]), "must be a finite number, got nan at position 1", "trafo-md"),
    (IMAGE, (*FIRST, 0, "scale", [1, float("inf"), 1]), "must be a finite number, got inf at position 1", "trafo-md"),
    (IMAGE, (*FIRST, 0, "scale", [1, "1", 1]), "must be a number, got '1' at position 1", "trafo-md"),
    (IMAGE, (*FIRST, 0, "scale", [1, 1]), "must have one number for each of the 3 axes, got [1, 1]", "multiscale-md"),
    (IMAGE, (*FIRST, 1, "translation", [0]), "must have one number for each of the 3 axes, got [0]", "multiscale-md"),
    (
        IMAGE,
        (*M, "coordinateTransformations", [{"type": "translation", "translation": [0, 0, 0]}]),
        "multiscales[0].coordinateTransformations: must be one scale",
        "multiscale-md",
    ),
    (IMAGE, ("omero", "x"), "omero: must be an object, got 'x'", "omero-md"),
    (IMAGE, ("omero", "channels", 3), "omero.channels: must be a list, got 3", "omero-md"),
    (IMAGE, (*CHANNEL, "a"), "omero.channels[0]: must be an object, got 'a'", "omero-md"),
    (IMAGE, (*CHANNEL, "label", 3), "omero.channels[0].label: must be a string, got 3", "omero-md"),
    (IMAGE, (*CHANNEL, "color", "red"), "channels[0].color: must be six hexadecimal digits, got 'red'", "omero-md"),
    (IMAGE, (*CHANNEL, "active", 1), "channels[0].active: must be true or false, got 1", "omero-md"),
    (IMAGE, (*CHANNEL, "window", 3), "channels[0].window: must be an object, got 3", "omero-md"),
    (IMAGE, (*CHANNEL, "window", "min", "x"), "channels[0].window.min: must be a number, got 'x'", "omero-md"),
    (IMAGE, (*CHANNEL, "window", "max", -1), "channels[0].window.max: must be ≥ min, got -1 < 0", "omero-md"),
    (LABELS, ("labels", "x"), "labels: must be a list of paths, got 'x'", "labels-md"),
    (LABELS, ("labels", ["a", "../b"]), "labels[1]: must be a path inside of the group", "labels-md"),
    (LABELS, ("labels", ["."]), "labels[0]: must be a path inside of the group", "labels-md"),
    (LABELS, ("labels", ["a", "a"]), "labels: must each be another path, got 'a' twice", "labels-md"),
    (IMAGE, ("image-label", 3), "image-label: must be an object, got 3", "labels-md"),
    (IMAGE, ("image-label", "colors", 3), "image-label.colors: must be a list, got 3", "labels-md"),
    (IMAGE, ("image-label", "colors", 0, {}), "image-label.colors[0].label-value: is missing", "labels-md"),
    (IMAGE, ("image-label", "colors", 0, "label-value", 1.5), "label-value: must be an integer, got 1.5", "labels-md"),
    (IMAGE, ("image-label", "colors", [{"label-value": 1}] * 2), "must each have another label-value", "labels-md"),
    (IMAGE, ("image-label", "colors", 0, "rgba", [1, 2, 3]), "rgba: must be four integers between 0", "labels-md"),
    (IMAGE, ("image-label", "colors", 0, "rgba", [1, 2, 3, 256]), "rgba: must be four integers", "labels-md"),
    (IMAGE, ("image-label", "properties", [{}]), "properties[0].label-value: is missing", "labels-md"),
    (IMAGE, ("image-label", "source", "x"), "image-label.source: must be an object, got 'x'", "labels-md"),
    (IMAGE, ("image-label", "source", "image", 3), "image-label.source.image: must be a string, got 3", "labels-md"),
    (PLATE, ("plate", 3), "plate: must be an object, got 3", "plate-md"),
    (PLATE, ("plate", "name", 3), "plate.name: must be a string, got 3", "plate-md"),
    (PLATE, ("plate", "field_count", 0), "plate.field_count: must be ≥ 1, got 0", "plate-md"),
    (PLATE, ("plate", "rows", MISSING), "plate.rows: is missing", "plate-md"),
    (PLATE, ("plate", "columns", 0, "name", "1_"), "columns[0].name: must hold letters and digits only", "plate-md"),
    (PLATE, ("plate", "rows", 1, "name", "A"), "plate.rows: must each have another name, got 'A' twice", "plate-md"),
    (PLATE, ("plate", "wells", MISSING), "plate.wells: is missing", "plate-md"),
    (PLATE, ("plate", "wells", 0, "path", MISSING), "plate.wells[0].path: is missing", "plate-md"),
    (PLATE, ("plate", "wells", 0, "path", "A/2"), "wells[0].path: must be 'A/1', its row and column", "plate-md"),
    (PLATE, ("plate", "wells", 0, "path", "../A/1"), "wells[0].path: must be a path inside of the group", "plate-md"),
    (PLATE, ("plate", "wells", 0, "rowIndex", MISSING), "wells[0].rowIndex: is missing", "plate-md"),
    (PLATE, ("plate", "wells", 0, "rowIndex", -1), "wells[0].rowIndex: must be ≥ 0, got -1", "plate-md"),
    (PLATE, ("plate", "wells", 0, "columnIndex", 7), "wells[0]: is in row 0, column 7 of 2 × 1", "plate-md"),
    (PLATE, ("plate", "acquisitions", {}), "plate.acquisitions: must be a list, got {}", "plate-md"),
    (PLATE, ("plate", "acquisitions", 0, "id", MISSING), "acquisitions[0].id: is missing", "plate-md"),
    (PLATE, ("plate", "acquisitions", [{"id": 1}] * 2), "must each have another id, got 1 twice", "plate-md"),
    (PLATE, ("plate", "acquisitions", 0, "name", 3), "acquisitions[0].name: must be a string, got 3", "plate-md"),
    (PLATE, ("plate", "acquisitions", 0, "maximumfieldcount", 0), "maximumfieldcount: must be ≥ 1", "plate-md"),
    (WELL, ("well", []), "well: must be an object, got []", "well-md"),
    (WELL, ("well", "images", MISSING), "well.images: is missing", "well-md"),
    (WELL, ("well", "images", 0, "path", MISSING), "well.images[0].path: is missing", "well-md"),
    (WELL, ("well", "images", 0, "path", "../0"), "images[0].path: must be a path inside of the group", "well-md"),
    (WELL, ("well", "images", [{"path": "0"}] * 2), "images: must each have another path, got '0' twice", "well-md"),
    (WELL, ("well", "images", 0, "acquisition", "a"), "images[0].acquisition: must be an integer", "well-md"),
]


@pytest.mark.parametrize(("document", "change", "message", "section"), MUST)
def test_a_broken_must_is_refused_with_its_path_and_section(document, change, message, section):
    """Reading names the group, the place in its attributes, what is wrong, and where the specification says so."""
    with pytest.raises(NgioValidationError) as caught:
        read_attributes(broken(document, *change), "here")
    found = [line for line in caught.value.problems if message in line]
    assert len(found) >= 1, caught.value.problems
    assert found[0].startswith("here: $.ome.")
    assert found[0].endswith(f"(OME-NGFF 0.5, #{section})")


FORMAL = [
    (IMAGE, (*M, "coordinateTransformations", []), "$.ome.multiscales[0].coordinateTransformations: must hold a scale"),
    (IMAGE, ("multiscales", [IMAGE["multiscales"][0], {}]), "$.ome.multiscales[1].axes: is missing"),
    (IMAGE, ("image-label", "version", 3), "$.ome.image-label.version: must be a string, got 3"),
    (IMAGE, ("image-label", "colors", []), "$.ome.image-label.colors: must hold at least one item, got []"),
    (PLATE, ("plate", "version", MISSING), "$.ome.plate.version: is missing"),
    (PLATE, ("plate", "version", 0.5), "$.ome.plate.version: must be a string, got 0.5"),
    (PLATE, ("plate", "wells", []), "$.ome.plate.wells: must hold at least one item, got none"),
    (PLATE, ("plate", "acquisitions", 0, "description", 3), "acquisitions[0].description: must be a string, got 3"),
    (PLATE, ("plate", "acquisitions", 0, "starttime", "now"), "starttime: must be an integer, got 'now'"),
    (WELL, ("well", "images", []), "$.ome.well.images: must hold at least one item, got none"),
    (WELL, ("well", "images", 0, "path", "0_mip"), "images[0].path: must hold letters and digits only, got '0_mip'"),
    (WELL, ("well", "version", 3), "$.ome.well.version: must be a string, got 3"),
]


@pytest.mark.parametrize(("document", "change", "message"), FORMAL)
def test_a_must_that_reading_can_do_without_is_an_error_of_validation_only(document, change, message):
    """Files in the wild break them, and cannot be misunderstood."""
    attributes = broken(document, *change)
    read_attributes(attributes, "here")
    found = examined(attributes, "here", formally=True).problems
    assert [problem.severity for problem in found if message in str(problem)] == ["error"]


SHOULD = [
    *((IMAGE, (*M, key, MISSING), f"multiscales[0].{key}: should be there") for key in ("name", "type", "metadata")),
    (IMAGE, (*M, "axes", 0, "type", MISSING), "axes[0].type: should be there"),
    (IMAGE, (*M, "axes", 0, "type", "angle"), "axes[0].type: should be 'space', 'time' or 'channel', got 'angle'"),
    (IMAGE, (*M, "axes", 1, "unit", MISSING), "axes[1].unit: should be there"),
    (IMAGE, (*M, "axes", 1, "unit", "pixel"), "axes[1].unit: should be a unit that UDUNITS-2 names, got 'pixel'"),
    (
        IMAGE,
        (*M, "axes", [{"name": name} for name in "xyz"]),
        "axes: should have space in the order z, y, x, got ['x', 'y', 'z']",
    ),
    (IMAGE, ("image-label", "colors", MISSING), "image-label.colors: should be there"),
    (IMAGE, ("image-label", "version", MISSING), "image-label.version: should be there"),
    (PLATE, ("plate", "name", MISSING), "plate.name: should be there"),
    (PLATE, ("plate", "field_count", MISSING), "plate.field_count: should be there"),
    (PLATE, ("plate", "rows", [{"name": "A"}, {"name": "B"}, {"name": "a"}]), "differ by more than their case"),
    (PLATE, ("plate", "acquisitions", 0, "name", MISSING), "acquisitions[0].name: should be there"),
    (PLATE, ("plate", "acquisitions", 0, "maximumfieldcount", MISSING), "maximumfieldcount: should be there"),
    (WELL, ("well", "version", MISSING), "well.version: should be there"),
]


@pytest.mark.filterwarnings("ignore:.*is no unit of OME-NGFF")
@pytest.mark.parametrize(("document", "change", "message"), SHOULD)
def test_a_broken_should_is_a_warning(document, change, message):
    """It does not keep anybody from reading."""
    found = examined(broken(document, *change), "here", formally=True).problems
    assert [problem.severity for problem in found if message in str(problem)] == ["warning"]


def test_all_problems_are_reported_at_once():
    """Of every section, each with its path."""
    attributes = broken(IMAGE, *M, "axes", 0, "name", 3)
    attributes["ome"]["multiscales"][0]["datasets"][1]["path"] = "../1"
    attributes["ome"]["omero"]["channels"][0]["color"] = "red"
    attributes["ome"]["image-label"]["colors"] = 7
    with pytest.raises(NgioValidationError, match=r"^4 problems:") as caught:
        read_attributes(attributes, "here")
    assert [line.split(": ")[1] for line in caught.value.problems] == [
        "$.ome.multiscales[0].axes[0].name",
        "$.ome.multiscales[0].datasets[1].path",
        "$.ome.omero.channels[0].color",
        "$.ome.image-label.colors",
    ]


def test_paths_of_version_4_begin_at_the_root():
    """There, documents have no key of their own; and the version is a part of each."""
    attributes = broken(IMAGE, *M, "axes", MISSING)["ome"]
    del attributes["version"]
    found = examined(attributes, "here", formally=True).problems
    assert "here: $.multiscales[0].axes: is missing (OME-NGFF 0.4, #axes-md)" in map(str, found)
    assert "here: $.multiscales[0].version: should be there (OME-NGFF 0.4, #multiscale-md)" in map(str, found)


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({}, r"here: is no OME-Zarr image, label list, well or plate: its attributes have none of 'plate', 'well'"),
        ({"ome": {}}, "here: is no OME-Zarr image"),
        ({"ome": "x"}, "here: is no OME-Zarr image"),
        ({"bioformats2raw.layout": 3}, "here: is no OME-Zarr image.*: open one of its images"),
        ({"ome": {"version": "9.9", "multiscales": []}}, "here: OME-NGFF version '9.9' is not read"),
        ({"ome": {"version": 0.5, "multiscales": []}}, "here: OME-NGFF version 0.5 is not read"),
        ({"ome": {"version": "0.4", "multiscales": []}}, "here: OME-NGFF version '0.4' is not read"),
        ({"multiscales": [{"version": "0.5"}]}, "here: OME-NGFF version '0.5' is not read"),
        ({"multiscales": [{"version": ["0.4"]}]}, r"here: OME-NGFF version \['0.4'\] is not read"),
    ],
)
def test_attributes_of_something_else_are_refused(attributes, message):
    """Another version, a version in the wrong place, or no image at all."""
    with pytest.raises(NgioValidationError, match=message):
        read_attributes(attributes, "here")


def test_attributes_nested_too_deep_are_refused():
    """Before Python itself gives up."""
    deep: list = []
    for _ in range(100):
        deep = [deep]
    with pytest.raises(NgioValidationError, match="here: its attributes are nested more than 64 deep"):
        read_attributes({"ome": {**IMAGE}, "more": deep}, "here")


@pytest.mark.parametrize("own", [3, {"frame": "left"}, {"level_origin": "left"}])
def test_unknown_words_in_the_own_key_are_refused(own):
    """Rather than read a lattice wrongly."""
    with pytest.raises(NgioValidationError, match=r"^here: \$\.ngio_x.*: must be .*(3|'left')$"):
        read_attributes({"ome": {"version": "0.5", **IMAGE}, "ngio_x": own}, "here")
