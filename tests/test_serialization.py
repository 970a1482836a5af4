"""Values to JSON and back."""

import json

import attrs
import numpy as np
import pytest
import zarr

import ngio_x as nx
from ngio_x import (
    AxesHandler,
    AxesSetup,
    Axis,
    Dataset,
    Dimensions,
    ImagePyramidBuilder,
    Lattice,
    PixelSize,
    Problem,
    PyramidLevel,
    Report,
    Roi,
    RoiDrawing,
    RoiSlice,
    from_dict,
    from_json,
    plan_pyramid,
    to_dict,
    to_json,
)
from ngio_x.errors import NgioTypeError, NgioValidationError
from ngio_x.metadata.channels import Channel

YX = AxesHandler.from_names("yx")
PROBLEM = Problem("$.ome", "is missing", "axes-md", version="0.5")
PLAN = plan_pyramid(zarr.zeros((64, 90), chunks=(16, 16)), [zarr.zeros((32, 45), chunks=(16, 16))], order="mean")
VALUES = (
    Axis("x", unit="micrometer"),
    AxesSetup(x="X", others=("q",), allow_non_canonical_axes=True),
    AxesHandler.from_names("tczyx"),
    PixelSize(1, 2, 3, 4, None, "minute"),
    Dataset("0", YX, (1, 2), (3, 4)),
    Dimensions((3, 4), (3, 2), Dataset("0", YX, (1, 2))),
    Channel("a", "FF0000", (0, 1), (0, 0.5)),
    RoiSlice("x"),
    RoiSlice("x", -1, 0.5),
    Roi("µm — 細胞", (RoiSlice("x", 1, 2), RoiSlice("y")), 3, "pixel", {"note": [1, {"a": None}], "Ü": True}),
    PyramidLevel("0", (8, 8), (1.0, 1.0), (0.0, 0.0), (4, 4)),
    ImagePyramidBuilder.from_scaling_factors(("0", "1"), (2.0, 2.0), (8, 8), (1.0, 1.0), ("y", "x")),
    Lattice(0.25, 0.5, 64, 3, unit="micrometer"),
    PROBLEM,
    Report("0.5", "image", (PROBLEM,)),
    RoiDrawing((Roi.from_values({"x": 1, "y": 2}, "a"),), ("y", "x"), Roi.from_values({"x": 1, "y": 2}, "b")),
    PLAN,
)
ROI = {"name": "a", "slices": [{"axis_name": "x", "start": 1, "length": 2}, {"axis_name": "y"}]}


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_every_value_round_trips(value):
    """Alone and in lists, as plain data and as JSON."""
    kind = type(value)
    assert from_dict(to_dict(value), kind) == value
    assert from_json(to_json(value), kind) == value
    assert from_dict(to_dict([value, value]), list[kind]) == [value, value]
    assert from_json(to_json([value], indent=2), list[kind]) == [value]
    assert from_json(to_json([]), list[kind]) == []


def test_every_public_value_is_among_these():
    """What is added goes to JSON, too."""
    public = {each for name in nx.__all__ if attrs.has(each := getattr(nx, name))}
    assert public == {type(value) for value in VALUES}


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_equal_values_hash_alike(value):
    """All of them hash, also those that come from JSON."""
    assert hash(from_json(to_json(value), type(value))) == hash(value)
    assert {value: 1}[attrs.evolve(value)] == 1


def test_a_plan_says_its_kernel_by_name():
    """Nothing of a plan is a function or an open file."""
    assert to_dict(PLAN)["kernel"] == "mean"
    assert [each["kernel"] for each in to_dict(PLAN)["passes"]] == ["mean"]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_plain_data_is_plain(value):
    """Dicts, lists, texts, numbers, booleans and None: what JSON gives back."""
    assert json.loads(json.dumps(to_dict(value))) == to_dict(value)


def test_lists_come_back_as_tuples_of_values():
    """A tuple of values can be asked for, too."""
    assert from_dict([ROI], tuple[Roi, ...]) == (from_dict(ROI, Roi),)


def test_extra_stands_flat_beside_the_fields_of_a_region():
    """As pydantic dumps the reference's regions."""
    roi = Roi.from_values({"x": 1, "y": 2}, "a", colour="red")
    assert to_dict(roi)["colour"] == "red"
    assert "extra" not in to_dict(roi)
    assert from_dict({**ROI, "colour": "red"}, Roi).extra == {"colour": "red"}


def test_defaults_may_be_left_out():
    """Only what has no default must be there."""
    assert from_dict(ROI, Roi) == Roi("a", (RoiSlice("x", 1, 2), RoiSlice("y")))


def test_unicode_is_written_as_it_is():
    """And read from UTF-8 bytes."""
    roi = Roi.from_values({"x": 1, "y": 2}, "µ細")
    assert "µ細" in to_json(roi)
    assert from_json(to_json(roi).encode(), Roi) == roi


def test_numbers_of_numpy_are_read():
    """Rows of tables hold them."""
    data = {**ROI, "label": np.int64(3), "score": np.float32(0.5)}
    assert from_dict(data, Roi).label == 3
    assert type(from_dict(data, Roi).extra["score"]) is float


def test_all_faults_are_reported_with_their_paths():
    """Fields of nested objects, items of lists, unknown keys."""
    data = {
        "name": 3,
        "slices": [
            {"axis_name": "x", "start": "a", "length": -3},
            {"axis_name": "", "bogus": 1, "other": 2},
            "z",
            {"start": 1},
        ],
        "label": -1,
        "space": "q",
    }
    with pytest.raises(NgioValidationError) as caught:
        from_dict(data, Roi)
    fields = "is not a field of RoiSlice, which has axis_name, start, length"
    assert set(caught.value.problems) == {
        "$.name: must be a string or None, got 3",
        "$.slices[0].start: must be a number, got 'a'",
        "$.slices[0].length: must be ≥ 0, got -3",
        "$.slices[1].axis_name: must be a non-empty string, got ''",
        f"$.slices[1].bogus: {fields}",
        f"$.slices[1].other: {fields}",
        "$.slices[2]: must be an object with the fields of RoiSlice, got 'z'",
        "$.slices[3].axis_name: is missing",
        "$.label: must be ≥ 0, got -1",
        "$.space: must be one of 'world', 'pixel', got 'q'",
    }
    assert str(caught.value).startswith("10 problems:\n- $.name")


def test_faulty_numbers_of_a_list_are_reported_by_position():
    """Each with its own path."""
    data = {"path": "0", "axes_handler": to_dict(YX), "scale": [1, "a"], "translation": [None, float("nan")]}
    with pytest.raises(NgioValidationError) as caught:
        from_dict(data, Dataset)
    assert caught.value.problems == (
        "$.scale[1]: must be a number, got 'a'",
        "$.translation[0]: must be a number, got None",
        "$.translation[1]: must be a finite number, got nan",
    )


def test_faults_of_many_values_are_reported_by_position():
    """Those that are right do not matter."""
    with pytest.raises(NgioValidationError) as caught:
        from_dict(
            [ROI, {**ROI, "label": -1}, 3, {"name": "b", "slices": [{"axis_name": "x", "length": -2}]}], list[Roi]
        )
    assert caught.value.problems == (
        "$[1].label: must be ≥ 0, got -1",
        "$[2]: must be an object with the fields of Roi, got 3",
        "$[3].slices[0].length: must be ≥ 0, got -2",
    )


def test_rules_between_fields_are_reported_at_the_object():
    """Where no single field is at fault."""
    with pytest.raises(NgioValidationError, match=r"^\$\.axes_handler: axis names must be unique, got 'x' twice"):
        from_dict({"path": "0", "axes_handler": {"axes": [{"name": "x"}, {"name": "x"}]}, "scale": [1, 1]}, Dataset)
    with pytest.raises(NgioValidationError, match=r"^\$\.slices: must hold at least two axes"):
        from_dict({"name": "a", "slices": ROI["slices"][:1]}, Roi)


@pytest.mark.parametrize(
    ("data", "kind", "message"),
    [
        ({"name": "a", "slices": "ab"}, Roi, r"\$\.slices: must be a list, got 'ab'"),
        ({"name": "a", "slices": {"x": 1}}, Roi, r"\$\.slices: must be a list, got {'x': 1}"),
        ({"name": "a", "slices": None}, Roi, r"\$\.slices: must be a list, got None"),
        ({"name": "a", "slices": 3}, Roi, r"\$\.slices: must be a list, got 3"),
        ([], Roi, r"\$: must be an object with the fields of Roi, got \[\]"),
        (None, Roi, r"\$: must be an object with the fields of Roi, got None"),
        ("abc", RoiSlice, r"\$: must be an object with the fields of RoiSlice, got 'abc'"),
        ({}, list[Roi], r"\$: must be a list, got {}"),
        (ROI, list[Roi], r"\$: must be a list, got {'name'"),
        ("abc", list[Roi], r"\$: must be a list, got 'abc'"),
        (None, list[Roi], r"\$: must be a list, got None"),
        (3, tuple[Roi, ...], r"\$: must be a list, got 3"),
        ({"shape": 3, "chunks": "12", "dataset": []}, Dimensions, r"\$\.shape: must be a sequence, got 3"),
    ],
)
def test_containers_of_the_wrong_kind_are_refused(data, kind, message):
    """A text or a mapping is no list, though Python iterates over both."""
    with pytest.raises(NgioValidationError, match=message):
        from_dict(data, kind)


def test_an_extra_named_like_a_field_is_refused():
    """It could not be told from the field."""
    with pytest.raises(NgioValidationError, match=r"\$\.extra: must not have the key 'extra'"):
        from_dict({**ROI, "extra": {"a": 1}}, Roi)


@pytest.mark.parametrize("kind", ["Roi", object])
def test_what_is_no_class_of_a_value_cannot_be_built(kind):
    """A TypeError."""
    with pytest.raises(NgioTypeError, match="cls must be the class of a value"):
        from_dict(ROI, kind)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), np.float32("-inf")])
def test_numbers_that_are_not_finite_do_not_reach_json(value):
    """Each is reported with its path."""
    roi = Roi.from_values({"x": 1, "y": 2}, "a", score=value, more=[1, {"deep": value}])
    with pytest.raises(NgioValidationError) as caught:
        to_json(roi)
    assert [problem.partition(": ")[0] for problem in caught.value.problems] == ["$.score", "$.more[1].deep"]


@pytest.mark.parametrize(
    "value", [{1: 2}, {1, 2}, b"a", 1j, np.datetime64("2020"), RoiSlice("x", 1)], ids=lambda value: type(value).__name__
)
def test_what_json_has_no_form_for_is_refused_with_its_path(value):
    """Instead of being turned into some text."""
    with pytest.raises(NgioValidationError, match=r"^\$\.q: JSON "):
        to_json(Roi.from_values({"x": 1, "y": 2}, "a", q=value))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_are_not_finite_are_not_read(number):
    """In fields and in extra, together with every other fault, each once."""
    text = f'{{"name": "a", "slices": [{{"axis_name": "x", "start": {number}, "length": -1}}], "q": [{number}]}}'
    with pytest.raises(NgioValidationError) as caught:
        from_json(text, Roi)
    paths = [problem.partition(": ")[0] for problem in caught.value.problems]
    assert sorted(paths) == ["$.q[0]", "$.slices[0].length", "$.slices[0].start"]


@pytest.mark.parametrize(
    "text", ["", "{", "{'a': 1}", b"\xff", '{"axis_name": "x"} x', '{"axis_name": "x", "start": 1' + "0" * 5000 + "}"]
)
def test_what_is_no_json_is_refused(text):
    """An error of ours, with what Python's reader says."""
    with pytest.raises(NgioValidationError, match=r"^\$: must be JSON, got "):
        from_json(text, RoiSlice)


@pytest.mark.parametrize("text", [None, 3, {"axis_name": "x"}])
def test_json_is_text(text):
    """Data go through `from_dict`."""
    with pytest.raises(NgioTypeError, match=r"text must be a JSON document as str or bytes, got .*: read a file first"):
        from_json(text, RoiSlice)


def test_endless_nesting_is_refused():
    """Instead of an error of Python's stack."""
    with pytest.raises(NgioValidationError, match="nested"):
        from_json("[" * 100_000, RoiSlice)
    deep = []
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(NgioValidationError, match=r"^\$\.extra: must not be nested this deeply"):
        from_dict({**ROI, "q": deep}, Roi)
    with pytest.raises(NgioValidationError, match="nested too deeply"):
        to_json(deep)


def test_nesting_of_some_depth_is_fine():
    """Real extra data are never this deep."""
    deep = []
    for _ in range(50):
        deep = [deep]
    roi = Roi.from_values({"x": 1, "y": 2}, "a", q=deep)
    assert from_json(to_json(roi), Roi) == roi


def test_inputs_are_untouched():
    """Neither the data read nor the value written change, and they share nothing."""
    data = {**ROI, "q": [1, {"a": [2]}]}
    before = json.dumps(data)
    roi = from_dict(data, Roi)
    to_dict(roi)["q"].append(3)
    assert json.dumps(data) == before
    data["q"].append(4)
    assert roi.extra["q"] == (1, {"a": (2,)})


def test_long_values_are_cut_in_messages():
    """A whole document does not belong into an error."""
    with pytest.raises(NgioValidationError) as caught:
        from_dict(list(range(100_000)), Roi)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("cls", [object, "Roi", np.ndarray])
def test_what_is_no_class_of_a_value_is_refused(cls):
    """The message says what to give."""
    with pytest.raises(NgioTypeError, match="must be the class of a value"):
        from_dict({}, cls)
