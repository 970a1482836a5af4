"""The class decorator, the converters that fields share, and the read-only mapping."""

import copy
import math
import pickle
from array import array
from fractions import Fraction

import attrs
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from ngio_x._frozen import (
    ItemsError,
    ReadOnlyMapping,
    at_least,
    checked_by,
    converters_of,
    evolve,
    field,
    field_names,
    freeze,
    frozen,
    instance_of,
    one_of,
    positive,
    sequence_of,
    shown,
    thaw,
    to_bool,
    to_float,
    to_floats,
    to_int,
    to_ints,
    to_name,
    to_names,
    to_optional_float,
    to_optional_name,
    tuple_of,
)
from ngio_x.errors import NgioValueError


@frozen
class Point:
    """A value to try things on."""

    x: float = field(converter=to_float)
    tags: tuple[str, ...] = field(converter=to_names, default=())


def test_a_value_cannot_be_changed():
    """Assigning to a field raises, and so does a new attribute."""
    point = Point(1)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        point.x = 2.0
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        point.y = 2.0


def test_the_constructor_names_the_field():
    """A converter's complaint gets the name of the field that it stands for."""
    with pytest.raises(NgioValueError, match=r"^x must be a number, got 'a'$"):
        Point("a")


def test_evolve_converts_and_validates_again():
    """A changed copy passes through the same converters."""
    assert evolve(Point(1), x=2).x == 2.0
    with pytest.raises(NgioValueError, match="x must be a finite number"):
        evolve(Point(1), x=math.nan)
    with pytest.raises(NgioValueError, match="x must be a number"):
        attrs.evolve(Point(1), x=None)


def test_field_names_come_in_order():
    """The names are those of the class body."""
    assert field_names(Point) == ("x", "tags")


@pytest.mark.parametrize(
    "value",
    [2, 2.0, np.float32(2), np.float64(2), np.int8(2), np.uint64(2), Fraction(2)],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize(("convert", "kind"), [(to_float, float), (to_int, int), (to_optional_float, float)])
def test_numbers_of_any_kind_become_python_numbers(convert, kind, value):
    """Python's and numpy's numbers are welcome, whatever their type."""
    assert convert(value) == 2
    assert type(convert(value)) is kind


@pytest.mark.parametrize(
    "value",
    [True, np.True_, "1", None, 1j, np.complex64(1), np.timedelta64(1, "s"), np.datetime64("2020"), np.array(1), [1]],
    ids=repr,
)
@pytest.mark.parametrize("convert", [to_float, to_int])
def test_what_is_no_number_is_refused(convert, value):
    """Booleans, texts, complex numbers, times and arrays are no numbers."""
    with pytest.raises(NgioValueError, match=r"must be (a number|an integer), got"):
        convert(value)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, np.float32("nan"), np.float64("inf"), 10**400])
def test_numbers_that_are_not_finite_are_refused(value):
    """NaN, infinities, and integers beyond all floats."""
    with pytest.raises(NgioValueError, match="must be a finite number, got"):
        to_float(value)


@pytest.mark.parametrize("value", [1.5, math.nan, math.inf, -math.inf, np.float64("nan"), np.float64("inf")])
def test_numbers_that_are_not_whole_are_no_integers(value):
    """Fractions, NaN and infinities have no integer value."""
    with pytest.raises(NgioValueError, match="must be an integer, got"):
        to_int(value)


def test_huge_integers_stay_exact():
    """Integers are not bounded."""
    assert to_int(10**400) == 10**400
    assert to_int(2**53 + 1) == 2**53 + 1


def test_optional_converters_let_none_through():
    """None means that there is nothing."""
    assert to_optional_float(None) is None
    assert to_optional_name(None) is None


@pytest.mark.parametrize("value", ["", None, 1, b"a"])
def test_a_name_is_a_text_that_is_not_empty(value):
    """Anything else is refused."""
    with pytest.raises(NgioValueError, match="must be a non-empty string"):
        to_name(value)


@pytest.mark.parametrize("convert", [to_name, to_optional_name])
def test_texts_of_numpy_become_python_texts(convert):
    """Names out of arrays and tables are ordinary texts afterwards."""
    assert type(convert(np.str_("a"))) is str


@pytest.mark.parametrize("value", [1, 0, None, "true"])
def test_only_booleans_are_true_or_false(value):
    """Numbers and texts are not."""
    assert to_bool(np.True_) is True
    with pytest.raises(NgioValueError, match="must be true or false"):
        to_bool(value)


@pytest.mark.parametrize(
    "value", [(1, 2), [1, 2], np.array([1, 2]), range(1, 3), (n for n in (1, 2)), {1: 0, 2: 0}.keys()]
)
def test_sequences_of_any_kind_become_tuples(value):
    """Lists, arrays, ranges, generators and the keys of a mapping."""
    assert to_floats(value) == (1.0, 2.0)


@pytest.mark.parametrize("value", [1, None, "12", b"12", {1: 2}, {1, 2}, np.array(1.0)], ids=repr)
@pytest.mark.parametrize("convert", [to_floats, to_ints, to_names])
def test_what_is_no_sequence_is_refused(convert, value):
    """Texts and mappings iterate, but are no sequences; sets have no order; scalars do not iterate."""
    with pytest.raises(NgioValueError, match="must be a sequence, got"):
        convert(value)


def test_faulty_items_are_all_named_by_position():
    """Each item that is refused is reported."""
    with pytest.raises(ItemsError) as caught:
        to_floats((1, "a", 2, None))
    assert caught.value.args == ((1, "must be a number, got 'a'"), (3, "must be a number, got None"))
    assert str(caught.value) == "must be a number, got 'a' at position 1; must be a number, got None at position 3"
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_positive_speaks_of_one_number_or_of_each():
    """Zero is not positive."""
    assert positive(to_floats)([1, 2]) == (1.0, 2.0)
    with pytest.raises(NgioValueError, match=r"^must be > 0, got 0\.0$"):
        positive(to_float)(0)
    with pytest.raises(NgioValueError, match=r"^must be > 0, got -1 at position 1$"):
        positive(to_ints)((1, -1))


def test_at_least_includes_the_bound():
    """The bound itself passes, and None does where the converter lets it."""
    assert at_least(0, to_optional_float)(0) == 0.0
    assert at_least(0, to_optional_float)(None) is None
    with pytest.raises(NgioValueError, match="must be ≥ 0, got -1"):
        at_least(0, to_int)(-1)


def test_one_of_returns_the_option_itself():
    """Equal values of the same kind stand for the option."""
    assert type(one_of("world", "pixel")(np.str_("world"))) is str


@pytest.mark.parametrize("value", [True, 1.0, "1", 2, None, np.array([1, 2])], ids=repr)
def test_one_of_refuses_anything_else(value):
    """True is not 1, and neither is 1.0."""
    with pytest.raises(NgioValueError, match="must be one of 1, got"):
        one_of(1)(value)


def test_instances_and_tuples_of_them_are_checked():
    """A class lets its instances through."""
    assert instance_of(int)(3) == 3
    assert tuple_of(int)([1, 2]) == (1, 2)
    with pytest.raises(NgioValueError, match="must be an instance of int, got 'a'"):
        instance_of(int)("a")
    with pytest.raises(NgioValueError, match="at position 1"):
        tuple_of(int)([1, "a"])


def test_sequences_nest():
    """A sequence of sequences is a tuple of tuples."""
    assert sequence_of(to_ints)([[1], [2, 3]]) == ((1,), (2, 3))


def test_long_values_are_cut_in_messages():
    """A message stays readable whatever was passed."""
    assert shown("a" * 10_000).endswith("…")
    assert len(shown(list(range(10_000)))) == 100


def test_values_that_cannot_be_shown_are_named_by_type():
    """Integers of thousands of digits have no repr."""
    assert shown(10**5000) == "a value of type int"
    with pytest.raises(NgioValueError, match="must be a finite number"):
        to_float(10**5000)


def test_a_read_only_mapping_is_a_mapping():
    """Looking up, iterating, counting, and showing work as for a dict, order included."""
    mapping = ReadOnlyMapping({"b": 1, "a": 2})
    assert mapping["b"] == 1
    assert list(mapping) == ["b", "a"]
    assert len(mapping) == 2
    assert "c" not in mapping
    assert mapping.get("c", 3) == 3
    assert repr(mapping) == "{'b': 1, 'a': 2}"


def test_a_read_only_mapping_cannot_be_changed():
    """Neither items nor attributes can be set, and the source of its items does not matter any more."""
    source = {"a": 1}
    mapping = ReadOnlyMapping(source)
    source["a"] = 2
    assert mapping == {"a": 1}
    with pytest.raises(TypeError):
        mapping["a"] = 2
    with pytest.raises(TypeError):
        del mapping["a"]
    with pytest.raises(AttributeError, match="read-only"):
        mapping.other = 1


def test_equal_read_only_mappings_have_equal_hashes():
    """The order of keys does not count."""
    one, other = ReadOnlyMapping({"a": 1, "b": 2}), ReadOnlyMapping({"b": 2, "a": 1})
    assert one == other == {"a": 1, "b": 2}
    assert hash(one) == hash(other)
    assert one != ReadOnlyMapping({"a": 1})
    assert one != [("a", 1), ("b", 2)]


def test_a_read_only_mapping_pickles_and_copies():
    """Copies are equal, and keep the order."""
    mapping = ReadOnlyMapping({"b": ReadOnlyMapping({"c": (1,)}), "a": None})
    for twin in (pickle.loads(pickle.dumps(mapping)), copy.copy(mapping), copy.deepcopy(mapping)):
        assert twin == mapping
        assert list(twin) == ["b", "a"]


def test_freeze_makes_data_hashable():
    """Containers at any depth become immutable; numpy's scalars and arrays become Python's."""
    data = {"a": [1, {"b": [2]}], "c": {3}, "d": np.arange(2), "e": np.float32(0.5), "f": np.array(7)}
    frozen_data = freeze(data)
    assert frozen_data == {"a": (1, {"b": (2,)}), "c": frozenset({3}), "d": (0, 1), "e": 0.5, "f": 7}
    assert isinstance(hash(frozen_data), int)
    assert type(frozen_data["e"]) is float
    assert [type(item) for item in frozen_data["d"]] == [int, int]


def test_freeze_keeps_times():
    """A time to the nanosecond has no Python type; it does not become a bare number."""
    moment = np.datetime64("2020-01-01T00:00:00.123456789")
    assert freeze(moment) == moment
    assert freeze(np.array([moment])) == (moment,)


def test_freeze_leaves_its_input_alone():
    """The data that was passed is neither changed nor shared."""
    data = {"a": [1, {"b": [2]}]}
    frozen_data = freeze(data)
    assert data == {"a": [1, {"b": [2]}]}
    data["a"].append(3)
    assert frozen_data == {"a": (1, {"b": (2,)})}


@pytest.mark.parametrize(
    "value",
    [pd.Series([1]), pd.DataFrame({"a": [1]}), xr.DataArray([1]), xr.Dataset({"a": 1}), array("d", [1])],
    ids=lambda value: type(value).__name__,
)
def test_what_can_change_is_refused_by_its_type(value):
    """At any depth: a value that holds it would neither hash nor stay what it is."""
    for data in (value, [value], {"a": [1, {"b": value}]}):
        with pytest.raises(NgioValueError, match=r"^must hold what does not change, .* got \w+: convert"):
            freeze(data)


def test_bytes_that_can_change_are_copied():
    """As arrays are."""
    data = bytearray(b"ab")
    frozen_data = freeze({"a": data})
    data[0] = 0
    assert frozen_data == {"a": b"ab"}
    assert isinstance(hash(frozen_data), int)


def test_data_that_hold_themselves_are_refused():
    """Instead of an error of Python's stack."""
    data = []
    data.append(data)
    with pytest.raises(NgioValueError, match="must not be nested this deeply"):
        freeze(data)


def test_anything_else_can_be_given_a_form():
    """As codecs are given that of their configuration."""
    assert freeze([1, {"a": array("d", [1])}], list) == (1, {"a": [1.0]})


def test_a_field_may_tell_checkers_its_annotation_alone():
    """Where a converter is made by a call; a field without any takes what it gets."""

    @frozen
    class Choice:
        way: str = field(metadata=checked_by(one_of("up", "down")))
        more: object = None

    assert Choice("up", 3) == Choice("up", more=3)
    assert list(converters_of(Choice)) == ["way"]
    with pytest.raises(NgioValueError, match=r"^way must be one of 'up', 'down', got 'left'"):
        Choice("left")


def test_a_subclass_is_a_value_with_more_fields():
    """Its own are its business, and do not pass for checked ones."""

    @attrs.frozen
    class Named(Point):
        name: str = attrs.field(default="a", metadata={"convert": "no converter"})

    assert Named(1, name="b") != Named(1)
    assert len({Named(1), Named(1.0), Named(2)}) == 2
    assert list(converters_of(Named)) == ["x", "tags"]
    with pytest.raises(NgioValueError, match=r"^x must be a number"):
        Named("a")


def test_thaw_undoes_freeze():
    """Plain dicts and lists come back."""
    data = {"a": [1, {"b": [2]}], "c": None}
    assert thaw(freeze(data)) == data
    assert type(thaw(freeze(data))["a"]) is list
