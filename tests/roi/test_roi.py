"""Named regions."""

import itertools
import pickle
import re

import attrs
import numpy as np
import pytest

from ngio_x import PixelSize, Roi, RoiSlice
from ngio_x.errors import NgioError, NgioKeyError, NgioTypeError, NgioValueError
from ngio_x.roi.roi import to_roi

X, Y = RoiSlice("x", 1, 2), RoiSlice("y", 3, 4)


@pytest.fixture
def roi():
    return Roi("cell", (Y, X), 7, "world", {"note": ["a", {"b": 1}], "score": np.float32(0.5)})


def test_from_values_takes_any_slice_value():
    """Scalars, tuples, slices and RoiSlices; further keywords become extra."""
    made = Roi.from_values({"z": 2, "y": (3, 4), "x": X, "t": slice(0, 5)}, "a", 3, "pixel", colour="red")
    assert made.slices == (RoiSlice("z", 2, 1), Y, X, RoiSlice("t", 0, 5))
    assert (made.name, made.label, made.space, made.extra) == ("a", 3, "pixel", {"colour": "red"})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("a", (X,)), "slices must hold at least two axes, got .'x'.: add axis 'y'"),
        (("a", ()), "slices must hold at least two axes, got ..: add axis"),
        (("a", (X, X)), r"slices must have unique axis names, got \['x', 'x'\]"),
        (("a", "xy"), "slices must be a sequence, got 'xy'"),
        (("a", {"x": X, "y": Y}), "slices must be a sequence, got {"),
        (("a", (X, 3)), "slices must be an instance of RoiSlice, got 3 at position 1"),
        (("a", None), "slices must be a sequence, got None"),
        ((3, (X, Y)), "name must be a string or None, got 3"),
        (("a", (X, Y), -1), "label must be ≥ 0, got -1"),
        (("a", (X, Y), 1.5), r"label must be an integer, got 1\.5"),
        (("a", (X, Y), True), "label must be an integer, got True"),
        (("a", (X, Y), float("nan")), "label must be an integer, got nan"),
        (("a", (X, Y), None, "bogus"), "space must be one of 'world', 'pixel', got 'bogus'"),
        (("a", (X, Y), None, None), "space must be one of 'world', 'pixel', got None"),
        (("a", (X, Y), None, "world", None), "extra must be a mapping, got None"),
        (("a", (X, Y), None, "world", {"name": 1}), "extra must not have the key 'name'"),
        (("a", (X, Y), None, "world", {"extra": 1}), "extra must not have the key 'extra'"),
        (("a", (X, Y), None, "world", {1: 1}), "extra must not have the key 1"),
    ],
)
def test_construction_validates(arguments, message):
    """The error names the field and what it got."""
    with pytest.raises(NgioValueError, match=f"^{message}"):
        Roi(*arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (({"x": 1}, "a"), "slices must hold at least two axes, got .'x'.: add axis 'y'"),
        (({"x": 1, "y": (1, -1)}, "a"), "axis 'y': length must be ≥ 0, got -1"),
        (({"x": 1, "y": 1}, "a", -3), "label must be ≥ 0, got -3"),
        (([("x", 1), ("y", 1)], "a"), "slices must be a mapping from axis name to interval"),
        (({"x": 1, "y": RoiSlice("z", 1)}, "a"), "axis 'y': the RoiSlice given for it is of axis 'z'"),
        (({"x": 1, 2: 1}, "a"), "axis 2: axis_name must be a non-empty string, got 2"),
    ],
)
def test_from_values_validates_too(arguments, message):
    """The reference's `from_values` skipped it."""
    with pytest.raises(NgioValueError, match=f"^{message}"):
        Roi.from_values(*arguments)


def test_extra_that_holds_itself_is_refused():
    """Data without end have no frozen form."""
    endless = []
    endless.append(endless)
    with pytest.raises(NgioValueError, match="extra must not be nested this deeply"):
        Roi.from_values({"x": 1, "y": 1}, "a", q=endless)


def test_it_cannot_be_changed(roi):
    """Neither fields, nor slices, nor extra."""
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        roi.name = "other"
    with pytest.raises(TypeError):
        roi.slices[0] = X
    with pytest.raises(TypeError):
        roi.extra["note"] = 1
    assert roi.extra["note"] == ("a", {"b": 1})


def test_lists_of_slices_become_tuples():
    """A list that somebody still holds does not reach inside."""
    pieces = [X, Y]
    made = Roi("a", pieces)
    pieces.clear()
    assert made.slices == (X, Y)


def test_inputs_are_untouched():
    """What was passed as slices and extra stays what it was."""
    slices, note = {"x": (1, 2), "y": slice(0, 3)}, ["a", {"b": [1]}]
    Roi.from_values(slices, "a", note=note)
    assert slices == {"x": (1, 2), "y": slice(0, 3)}
    assert note == ["a", {"b": [1]}]


def test_the_order_of_axes_does_not_count():
    """For equality and hash; everything else does."""
    one, other = Roi("a", (X, Y), 1), Roi("a", (Y, X), 1)
    assert one == other
    assert hash(one) == hash(other)
    for change in (
        {"name": "b"},
        {"slices": (X, RoiSlice("y", 3, 5))},
        {"label": 2},
        {"space": "pixel"},
        {"extra": {"q": 1}},
    ):
        assert attrs.evolve(one, **change) != one


def test_it_pickles(roi):
    """With extra, and with an equal hash."""
    twin = pickle.loads(pickle.dumps(roi))
    assert twin == roi
    assert hash(twin) == hash(roi)


@pytest.mark.parametrize(
    ("change", "message"),
    [({"space": "bogus"}, "space"), ({"label": -2}, "label"), ({"slices": (X,)}, "slices"), ({"extra": 3}, "extra")],
)
def test_evolve_validates_again(roi, change, message):
    """A change is as good as a construction."""
    with pytest.raises(NgioValueError, match=f"^{message} must"):
        attrs.evolve(roi, **change)


def test_slices_are_looked_up_by_axis(roi):
    """`get` has a default, `[]` raises a KeyError that lists the axes, `in` answers."""
    assert roi["x"] is X
    assert roi.get("y") is Y
    assert roi.get("z") is None
    assert roi.get("z", X) is X
    assert "x" in roi
    assert "z" not in roi
    with pytest.raises(NgioKeyError, match=r"the region has no axis 'z': use one of \('y', 'x'\)"):
        roi["z"]


@pytest.mark.parametrize(
    ("name", "label", "expected"),
    [("a", 3, "a"), ("", 3, ""), (None, 0, "0"), (None, None, "Roi(y: 3.0->7.0, x: 1.0->3.0, space=world)")],
)
def test_get_name_falls_back_to_label_then_to_the_intervals(name, label, expected):
    """An empty name and a label of 0 count."""
    assert Roi(name, (Y, X), label).get_name() == expected


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [("a", "b", "a:b"), ("a", "a", "a"), ("", "b", ":b"), (None, "b", "b"), ("a", None, "a"), (None, None, None)],
)
def test_names_are_joined(ours, theirs, expected):
    """An empty name is a name."""
    assert Roi(ours, (X, Y)).union(Roi(theirs, (X, Y))).name == expected


@pytest.mark.parametrize(("ours", "theirs", "expected"), [(0, None, 0), (None, 0, 0), (3, 3, 3), (None, None, None)])
def test_labels_are_joined(ours, theirs, expected):
    """A label of 0 is a label."""
    assert Roi("a", (X, Y), ours).intersection(Roi("a", (X, Y), theirs)).label == expected


@pytest.mark.parametrize("verb", ["union", "intersection"])
def test_regions_that_do_not_fit_are_not_combined(verb, roi):
    """Other spaces, other labels, other types."""
    with pytest.raises(NgioValueError, match=f"{verb} needs regions of one label, got 7 and 8"):
        getattr(roi, verb)(attrs.evolve(roi, label=8))
    with pytest.raises(NgioValueError, match=f"{verb} needs regions in one space, got 'world' and 'pixel'"):
        getattr(roi, verb)(attrs.evolve(roi, space="pixel"))
    with pytest.raises(NgioTypeError, match=f"{verb} needs another Roi, got RoiSlice"):
        getattr(roi, verb)(X)


def test_an_axis_of_one_region_only_is_kept():
    """By union and intersection alike, as in the reference."""
    flat, deep = Roi("a", (X, Y)), Roi("a", (RoiSlice("z", 0, 1), X, Y))
    assert flat.union(deep)["z"] == flat.intersection(deep)["z"] == RoiSlice("z", 0, 1)
    assert [item.axis_name for item in flat.union(deep).slices] == ["x", "y", "z"]


def test_regions_that_miss_along_one_axis_do_not_intersect():
    """None, though they overlap along the other."""
    assert Roi("a", (X, Y)).intersection(Roi("a", (X, RoiSlice("y", 7, 1)))) is None


def test_extra_survives_every_operation(roi):
    """The extra of the region whose method is called."""
    other = Roi(None, (RoiSlice("y", 4, 9), X, RoiSlice("z", 0, 1)), extra={"note": "theirs"})
    sizes = PixelSize(0.5, 0.5)
    results = [
        roi.union(other),
        roi.intersection(other),
        roi.zoom(2),
        roi.to_pixel(sizes),
        roi.to_pixel(sizes).to_world(sizes),
        roi.update_slice("z", 3),
        roi.update_slice("z", 3).remove_slice("y"),
    ]
    assert all(result.extra == roi.extra for result in results)


def test_zoom_scales_the_axes_asked_for():
    """x and y by default; axes that the region lacks are ignored, as in the reference."""
    made = Roi.from_values({"z": (10, 4), "y": (10, 4), "x": (10, 4)}, "a")
    assert [item.bounds for item in made.zoom(0.5).slices] == [(10.0, 14.0), (11.0, 13.0), (11.0, 13.0)]
    assert made.zoom(0.5, axes=("z", "q"))["z"].bounds == (11.0, 13.0)
    assert made.zoom(0.5, axes=iter("zx"))["x"].bounds == (11.0, 13.0)
    assert made.zoom(0.5, axes="zx") == made.zoom(0.5, axes=("z", "x"))
    assert made.zoom(2, axes=()) == made


def test_conversions_take_sizes_by_axis():
    """A PixelSize or a mapping; an axis without a size counts pixels; origin is per axis."""
    world = Roi.from_values({"c": (1, 2), "y": (10, 4), "x": (10, 4)}, "a")
    pixel = world.to_pixel(PixelSize(x=2, y=0.5), origin={"x": 4})
    assert pixel.space == "pixel"
    assert [item.bounds for item in pixel.slices] == [(1.0, 3.0), (20.0, 28.0), (3.0, 5.0)]
    assert pixel == world.to_pixel({"x": 2, "y": 0.5}, {"x": 4})
    assert pixel.to_world({"x": 2, "y": 0.5}, {"x": 4}) == world


def test_converting_to_the_space_it_is_in_needs_no_size(roi):
    """The region itself comes back."""
    assert roi.to_world() == roi
    pixel = attrs.evolve(roi, space="pixel")
    assert pixel.to_pixel() == pixel
    assert pixel.to_slicing_dict() == {"y": slice(3.0, 7.0), "x": slice(1.0, 3.0)}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "pixel_size is needed to convert a region in world space"),
        (("0.5",), r"pixel_size must be a number, a PixelSize or a mapping by axis name, got .0\.5"),
        (({"x": 0},), r"axis 'x': pixel size along 'x' must be > 0, got 0\.0"),
        (({"x": None},), "axis 'x': pixel size along 'x' must be a number, got None"),
        (({"x": 1}, 3.0), r"origin must be a mapping by axis name, got 3\.0"),
        (({"x": 1}, {"x": "a"}), "axis 'x': origin must be a number, got 'a'"),
        (({"x": 1e-320},), "axis 'x': a position in pixels must be finite"),
    ],
)
@pytest.mark.parametrize("verb", ["to_pixel", "to_slicing_dict"])
def test_conversions_name_what_makes_no_sense(roi, verb, arguments, message):
    """The argument, and the axis where there is one."""
    with pytest.raises(NgioValueError, match=f"{message}"):
        getattr(roi, verb)(*arguments)


def test_update_slice_replaces_or_adds(roi):
    """In place where the axis exists, else at the end; validated like a construction."""
    assert roi.update_slice("y", 5).slices == (RoiSlice("y", 5, 1), X)
    assert roi.update_slice("z", (0, 2)).slices == (Y, X, RoiSlice("z", 0, 2))
    with pytest.raises(NgioValueError, match="axis 'x': length must be ≥ 0, got -1"):
        roi.update_slice("x", (1, -1))
    with pytest.raises(NgioTypeError, match="axis 'x': must be a number"):
        roi.update_slice("x", "a")


def test_remove_slice_leaves_at_least_two(roi):
    """A region has two axes or more."""
    assert roi.update_slice("z", 1).remove_slice("y").slices == (X, RoiSlice("z", 1, 1))
    with pytest.raises(NgioValueError, match=r"there is no axis 'q' to remove, only \('y', 'x'\)"):
        roi.remove_slice("q")
    with pytest.raises(NgioValueError, match=r"slices must hold at least two axes, got \['y'\]: add axis 'x'"):
        roi.remove_slice("x")


def test_operations_leave_the_region_as_it_was(roi):
    """Every method returns another value."""
    before = pickle.dumps(roi)
    sizes = PixelSize(0.5, 0.5)
    for act in (
        lambda: roi.union(roi),
        lambda: roi.intersection(roi),
        lambda: roi.zoom(3),
        lambda: roi.to_pixel(sizes),
        lambda: roi.update_slice("x", 9),
        lambda: roi.update_slice("z", 9).remove_slice("x"),
    ):
        act()
    assert pickle.dumps(roi) == before


def test_any_order_of_axes_gives_one_hash():
    """Sets of regions know them again."""
    pieces = (X, Y, RoiSlice("z", 0, 1))
    assert len({Roi("a", order) for order in itertools.permutations(pieces)}) == 1


def test_a_region_needs_no_name():
    """It is the second argument, as in ngio, and may be left out."""
    assert Roi.from_values({"y": 0, "x": 0}) == Roi.from_values({"y": 0, "x": 0}, None)
    assert Roi.from_values({"y": 0, "x": 0}, "a", 3).name == "a"


@pytest.mark.parametrize(("axis", "other"), [("y", "x"), ("x", "y"), ("z", "x")])
def test_a_region_along_one_axis_is_told_which_to_add(axis, other):
    """The message has the cure for the constructor and for mappings, and the cure works."""
    cure = f"{{'{other}': slice(None)}}"
    for make in (lambda: Roi.from_values({axis: 0}), lambda: Roi(None, [RoiSlice(axis)])):
        with pytest.raises(NgioValueError, match=re.escape(cure)):
            make()
    assert Roi.from_values({axis: 0, other: slice(None)})[other].bounds == (None, None)


def test_regions_of_two_labels_are_told_how_to_be_compared():
    """One of them without label can be."""
    one, two = (Roi.from_values({"y": (k, 5), "x": (0, 5)}, label=k) for k in (1, 2))
    for verb in (one.intersection, one.union):
        with pytest.raises(NgioValueError, match=r"attrs\.evolve\(roi, label=None\)"):
            verb(two)
        assert verb(attrs.evolve(two, label=None)).label == 1


def test_a_mapping_is_as_good_as_a_region():
    """In world units; one axis is enough."""
    roi = Roi.from_values({"y": (0, 10), "x": slice(2, 3)})
    assert to_roi(roi) is roi
    assert to_roi({"y": (0, 10), "x": slice(2, 3)}) == roi
    for axis in "xyzq":
        (added,) = (item for item in to_roi({axis: 0}).slices if item.axis_name != axis)
        assert added.bounds == (None, None)


@pytest.mark.parametrize("wrong", [{"y": "top"}, 3, [("y", (0, 1))], "yx", None, {}, {"y": (5, -1)}, {3: (0, 1)}])
def test_what_is_no_region_is_refused_by_name(wrong):
    """Whatever it is."""
    with pytest.raises(NgioError, match="roi"):
        to_roi(wrong)


def test_an_extra_may_have_any_name_but_those_of_the_fields():
    roi = Roi.from_values({"y": 0, "x": 0}, cls="nucleus", self=1)
    assert roi.extra == {"cls": "nucleus", "self": 1}
