"""Axes: what they are called on disk, and which of t, c, z, y, x they are."""

import pickle

import attrs
import pytest

from ngio_x import AxesHandler, AxesSetup, Axis
from ngio_x.errors import NgioUserWarning, NgioValueError
from ngio_x.metadata.axes import axis_type_of, default_unit


@pytest.mark.parametrize(
    ("name", "kind"), [("t", "time"), ("c", "channel"), ("z", "space"), ("y", "space"), ("x", "space"), ("q", None)]
)
def test_the_type_follows_from_a_canonical_name(name, kind):
    """Other names have none."""
    assert Axis(name).axis_type == kind == axis_type_of(name)


def test_a_given_type_stands():
    """A name that is not canonical may have any type."""
    assert Axis("q", "space", "micrometer").axis_type == "space"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("",), "name must be a non-empty string"),
        ((3,), "name must be a non-empty string, got 3"),
        (("x", "bogus"), "axis_type must be one of None, 'space', 'time', 'channel', got 'bogus'"),
        (("x", None, 3), "unit must be a string or None, got 3"),
    ],
)
def test_an_axis_validates(arguments, message):
    """The error names the field."""
    with pytest.raises(NgioValueError, match=f"^{message}"):
        Axis(*arguments)


@pytest.mark.parametrize(("axis", "unit"), [("x", "second"), ("t", "micrometer"), ("x", "furlong"), ("x", "")])
def test_unknown_units_are_kept_with_a_warning(axis, unit):
    """Units that OME-NGFF does not name for an axis of that type."""
    with pytest.warns(NgioUserWarning, match=f"unit '{unit}' is not a .* unit that OME-NGFF names"):
        assert Axis(axis, unit=unit).unit == unit


def test_the_warning_for_a_symbol_suggests_the_name():
    """µm is micrometer."""
    with pytest.warns(NgioUserWarning, match="did you mean 'micrometer'"):
        Axis("x", unit="µm")


def test_the_warning_comes_once_and_points_to_the_caller():
    """Where the axis was made, not again where it is used."""
    with pytest.warns(NgioUserWarning) as caught:
        axis = Axis("x", unit="pixel")
    assert [warning.filename for warning in caught] == [__file__]
    assert AxesHandler((axis,)).axes[0] is axis


def test_channels_have_any_unit():
    """OME-NGFF names none for them."""
    assert Axis("c", unit="anything").unit == "anything"


def test_the_default_unit_depends_on_the_type():
    """Micrometer, second, none."""
    assert [default_unit(kind) for kind in ("space", "time", "channel", None)] == ["micrometer", "second", None, None]


def test_setup_maps_both_ways():
    """From canonical to on-disk names and back; other names map to nothing."""
    setup = AxesSetup(x="X", t="time")
    assert setup.canonical_map() == {"t": "time", "c": "c", "z": "z", "y": "y", "x": "X"}
    assert setup.get_on_disk_name("x") == "X"
    assert setup.get_canonical_name("time") == "t"
    assert setup.get_on_disk_name("q") is None
    assert setup.get_canonical_name("x") is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"x": "y"}, "x: the axis cannot be called 'y' on disk: that name is reserved for the y axis"),
        ({"x": "q", "y": "q"}, "names on disk must be unique, got 'q' twice"),
        ({"others": ("q", "q"), "allow_non_canonical_axes": True}, "names on disk must be unique, got 'q' twice"),
        ({"others": ("x",), "allow_non_canonical_axes": True}, "others: the axis cannot be called 'x' on disk"),
        (
            {"x": "X", "others": ("x",), "allow_non_canonical_axes": True},
            "others: the axis cannot be called 'x' on disk",
        ),
        ({"others": ("q",)}, r"others=\('q',\) needs allow_non_canonical_axes=True"),
        ({"others": "q", "allow_non_canonical_axes": True}, "others must be a sequence, got 'q'"),
        ({"x": ""}, "x must be a non-empty string"),
        ({"strict_canonical_order": 1}, "strict_canonical_order must be true or false, got 1"),
        (
            {"allow_non_canonical_axes": True, "strict_canonical_order": True},
            "allow_non_canonical_axes and strict_canonical_order exclude each other",
        ),
    ],
)
def test_a_setup_validates(options, message):
    """The error says which name or option is at fault."""
    with pytest.raises(NgioValueError, match=f"^{message}"):
        AxesSetup(**options)


def test_axes_are_found_by_canonical_and_on_disk_name():
    """Index and axis; None where there is none."""
    handler = AxesHandler((Axis("time"), Axis("Y"), Axis("x")), AxesSetup(y="Y", t="time"))
    assert handler.axes_names == ("time", "Y", "x")
    assert [handler.get_index(name) for name in ("t", "time", "y", "Y", "x", "z", "")] == [0, 0, 1, 1, 2, None, None]
    assert handler.get_axis("y").name == "Y"
    assert handler.get_axis("z") is None
    assert handler.has_axis("t")
    assert not handler.has_axis("z")
    assert handler.get_canonical_name("time") == "t"


def test_axes_get_the_type_of_the_axis_they_stand_for():
    """A custom name says nothing by itself."""
    handler = AxesHandler((Axis("time"), Axis("Y"), Axis("x")), AxesSetup(y="Y", t="time"))
    assert [axis.axis_type for axis in handler.axes] == ["time", "space", "space"]


@pytest.mark.parametrize(
    ("axes", "setup", "message"),
    [
        ((Axis("x"), Axis("x")), AxesSetup(), r"axis names must be unique, got 'x' twice in \('x', 'x'\)"),
        ((Axis("x"), Axis("q")), AxesSetup(), "unknown axis 'q': expected one of .*'x'.* Map it .* with AxesSetup"),
        ((Axis("x"),), AxesSetup(x="X"), "unknown axis 'x'"),
        ((Axis("x"), "y"), AxesSetup(), "axes must be an instance of Axis, got 'y' at position 1"),
        ("xy", AxesSetup(), "axes must be a sequence, got 'xy'"),
        ((Axis("x"),), None, "axes_setup must be an instance of AxesSetup, got None"),
        (
            (Axis("x"), Axis("y")),
            AxesSetup(strict_canonical_order=True),
            r"axes must be in the canonical order \('y', 'x'\), got \('x', 'y'\)",
        ),
    ],
)
def test_a_handler_validates(axes, setup, message):
    """Unique known names, in order where that is asked for."""
    with pytest.raises(NgioValueError, match=f"^{message}"):
        AxesHandler(axes, setup)


def test_other_axes_are_allowed_where_they_are_listed():
    """They are found by their own name and have no type."""
    setup = AxesSetup(others=("q",), allow_non_canonical_axes=True)
    handler = AxesHandler((Axis("q"), Axis("y"), Axis("x")), setup)
    assert handler.get_index("q") == 0
    assert handler.get_canonical_name("q") is None


def test_from_names_gives_units_by_type():
    """Names that are not canonical are allowed."""
    handler = AxesHandler.from_names(("t", "q", "x"), space_unit="nanometer", time_unit=None)
    assert [(axis.name, axis.axis_type, axis.unit) for axis in handler.axes] == [
        ("t", "time", None),
        ("q", None, None),
        ("x", "space", "nanometer"),
    ]


def test_units_are_those_of_the_axes():
    """Space of y and x, time of t."""
    handler = AxesHandler.from_names("tyx", "nanometer", "minute")
    assert (handler.space_unit, handler.time_unit) == ("nanometer", "minute")
    assert AxesHandler.from_names("yx").time_unit is None


def test_a_z_axis_without_unit_takes_that_of_y_and_x():
    """A single plane often has none."""
    axes = (Axis("z"), Axis("y", unit="micrometer"), Axis("x", unit="micrometer"))
    assert AxesHandler(axes).space_unit == "micrometer"


@pytest.mark.parametrize(
    ("units", "message"),
    [
        ({"y": "nanometer", "x": "micrometer"}, "got y='nanometer' and x='micrometer'"),
        ({"y": None, "x": "micrometer"}, "got y=None and x='micrometer'"),
        ({"z": "nanometer", "y": "micrometer", "x": "micrometer"}, "got z='nanometer' and x='micrometer'"),
        ({"x": "micrometer"}, r"the space unit is that of the y and x axes, but the axes are \('x',\)"),
    ],
)
def test_space_axes_share_one_unit(units, message):
    """A pixel size in mixed units would be wrong along one of them."""
    handler = AxesHandler(tuple(Axis(name, unit=unit) for name, unit in units.items()))
    with pytest.raises(NgioValueError, match=message):
        _ = handler.space_unit


@pytest.mark.parametrize("value", [Axis("x"), AxesSetup(x="X"), AxesHandler.from_names("tczyx")], ids=repr)
def test_axes_hash_pickle_and_evolve(value):
    """They are values."""
    assert pickle.loads(pickle.dumps(value)) == value
    assert hash(pickle.loads(pickle.dumps(value))) == hash(value)
    assert attrs.evolve(value) == value
