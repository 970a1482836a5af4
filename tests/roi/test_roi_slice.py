"""Intervals along one axis."""

import pickle
from fractions import Fraction

import attrs
import numpy as np
import pytest

from ngio_x import RoiSlice
from ngio_x.errors import NgioTypeError, NgioValueError


def test_a_length_without_a_start_begins_at_0():
    """Normalised at construction, so that equal intervals are equal values."""
    assert RoiSlice("x", None, 5) == RoiSlice("x", 0, 5)
    assert RoiSlice.from_value("x", (None, 5)).start == 0.0


def test_without_start_and_length_it_is_unbounded():
    """Both bounds are None."""
    assert RoiSlice("x").bounds == (None, None)


def test_without_length_it_has_no_upper_end():
    """The start stands, the end is None."""
    assert RoiSlice("x", -3).bounds == (-3.0, None)


@pytest.mark.parametrize(
    ("value", "bounds"),
    [
        (3, (3.0, 4.0)),
        (-2.5, (-2.5, -1.5)),
        (np.uint8(3), (3.0, 4.0)),
        (np.float32(0.5), (0.5, 1.5)),
        (Fraction(1, 2), (0.5, 1.5)),
        ((1, 2), (1.0, 3.0)),
        ((-5, 0), (-5.0, -5.0)),
        ((None, 5), (0.0, 5.0)),
        ((2, None), (2.0, None)),
        ((None, None), (None, None)),
        (slice(1, 4), (1.0, 4.0)),
        (slice(1, 4, 1), (1.0, 4.0)),
        (slice(None, 5), (0.0, 5.0)),
        (slice(-5, -1), (-5.0, -1.0)),
        (slice(2, None), (2.0, None)),
        (slice(2, 2), (2.0, 2.0)),
        (slice(None), (None, None)),
        (slice(np.int64(1), np.float32(2)), (1.0, 2.0)),
        (RoiSlice("x", 1, 2), (1.0, 3.0)),
    ],
    ids=repr,
)
def test_from_value_understands(value, bounds):
    """Scalars are one long, tuples are (start, length), slices are (start, stop)."""
    assert RoiSlice.from_value("x", value).bounds == bounds


@pytest.mark.parametrize(
    "value", ["3", None, True, np.True_, [1, 2], {1: 2}, range(3), np.array([1, 2]), 1j, np.timedelta64(1)], ids=repr
)
def test_from_value_refuses_other_types(value):
    """A TypeError, as in the reference, that names axis and type."""
    with pytest.raises(NgioTypeError, match=rf"^axis 'x': must be a number.* got {type(value).__name__}$"):
        RoiSlice.from_value("x", value)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ((1, 2, 3), r"must be \(start, length\), got \(1, 2, 3\)"),
        ((1,), r"must be \(start, length\), got \(1,\)"),
        ((1, -2), "length must be ≥ 0, got -2"),
        (("a", 2), "start must be a number, got 'a'"),
        ((True, 2), "start must be a number, got True"),
        ((1, float("nan")), "length must be a finite number, got nan"),
        (float("inf"), "start must be a finite number, got inf"),
        (10**400, "start must be a finite number, got 1000"),
        ((1e308, 1e308), "end must be finite, got start=1e[+]308 and length=1e[+]308"),
        (slice(1, 5, 2), r"a region has no step, got slice\(1, 5, 2\)"),
        (slice(5, 1), r"the end 1 of slice\(5, 1, None\) lies before its start 5"),
        (slice(None, -3), "the end -3 of .* lies before its start 0"),
        (slice("a", 3), "a bound of .* must be a number, got 'a'"),
        (slice(0, float("inf")), "a bound of .* must be a finite number, got inf"),
        (RoiSlice("y", 1, 2), "the RoiSlice given for it is of axis 'y'"),
    ],
)
def test_from_value_refuses_numbers_that_make_no_interval(value, message):
    """A ValueError that names the axis and the numbers."""
    with pytest.raises(NgioValueError, match=f"^axis 'x': {message}"):
        RoiSlice.from_value("x", value)


@pytest.mark.parametrize("name", ["", None, 3])
def test_the_axis_has_a_name(name):
    """A non-empty text."""
    with pytest.raises(NgioValueError, match="axis_name must be a non-empty string"):
        RoiSlice(name, 1, 2)


def test_it_cannot_be_changed_only_evolved():
    """A changed copy is validated again."""
    piece = RoiSlice("x", 1, 2)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        piece.start = 3
    assert attrs.evolve(piece, start=3).bounds == (3.0, 5.0)
    with pytest.raises(NgioValueError, match="length must be ≥ 0, got -1"):
        attrs.evolve(piece, length=-1)


def test_it_hashes_and_pickles():
    """Equal values have equal hashes, in other processes too."""
    piece = RoiSlice("x", 1, 2)
    assert hash(piece) == hash(RoiSlice("x", 1.0, np.float32(2)))
    assert pickle.loads(pickle.dumps(piece)) == piece


def test_to_slice_is_made_of_the_bounds():
    """Python's slice, not rounded."""
    assert RoiSlice("x", 0.5, 2).to_slice() == slice(0.5, 2.5)
    assert RoiSlice("x").to_slice() == slice(None, None)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [  # the answers that the reference gives wrongly
        ((-5, 5), (2, 2), None),
        ((-10, 4), (None, None), (-10.0, -6.0)),
        ((-10, 4), (-8, None), (-8.0, -6.0)),
        ((0, 5), (-5, 5), None),
        ((-3, 3), (-1, 4), (-1.0, 0.0)),
        ((None, None), (None, None), (None, None)),
        ((3, None), (5, None), (5.0, None)),
        ((3, 0), (3, 0), None),
        ((0, 5), (5, 5), None),
    ],
)
def test_intersection(one, other, expected):
    """Negative, empty and open intervals included; None where the overlap has no length."""
    result = RoiSlice.from_value("x", one).intersection(RoiSlice.from_value("x", other))
    assert (result and result.bounds) == expected


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((-5, 5), (-10, 4), (-10.0, 0.0)),
        ((0, 5), (8, 2), (0.0, 10.0)),
        ((-10, None), (2, 3), (-10.0, None)),
        ((None, None), (2, 3), (None, None)),
        ((5, 0), (0, 1), (0.0, 5.0)),
    ],
)
def test_union(one, other, expected):
    """The smallest interval that contains both."""
    assert RoiSlice.from_value("x", one).union(RoiSlice.from_value("x", other)).bounds == expected


def test_an_operand_that_has_both_bounds_is_returned():
    """Its own numbers are reused, so that no rounding creeps in."""
    inner, outer = RoiSlice("x", 0.1, 0.2), RoiSlice("x", 0.0, 1.0)
    assert inner.intersection(outer) is inner
    assert inner.union(outer) is outer


@pytest.mark.parametrize("verb", ["union", "intersection"])
def test_only_slices_of_one_axis_combine(verb):
    """The error names both axes, or the type."""
    with pytest.raises(NgioValueError, match=f"{verb} needs slices of one axis, got 'x' and 'y'"):
        getattr(RoiSlice("x", 0, 1), verb)(RoiSlice("y", 0, 1))
    with pytest.raises(NgioTypeError, match=f"{verb} needs another RoiSlice, got int"):
        getattr(RoiSlice("x", 0, 1), verb)(3)


def test_to_world_scales_and_shifts():
    """Origin is the world coordinate of position 0."""
    assert RoiSlice("x", 2, 4).to_world(0.5, origin=10).bounds == (11.0, 13.0)
    assert RoiSlice("x", -2).to_world(0.5).bounds == (-1.0, None)
    assert RoiSlice("x").to_world(0.5, 3).bounds == (None, None)


def test_to_pixel_snaps_each_bound_on_its_own():
    """Within 0.01 of an integer; the true end counts, not the length."""
    assert RoiSlice("x", 1.005, 1.0).to_pixel(1.0).bounds == (1.0, 2.0)
    assert RoiSlice("x", 0.5, 6.4995).to_pixel(1.0).bounds == (0.5, 7.0)
    assert RoiSlice("x", 0.98, 1.0).to_pixel(1.0).bounds == (0.98, 1.98)
    assert RoiSlice("x", 11.0, 2.0).to_pixel(0.5, origin=10).bounds == (2.0, 6.0)


@pytest.mark.parametrize("verb", ["to_world", "to_pixel"])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0,), "pixel_size must be > 0, got 0"),
        ((-1,), "pixel_size must be > 0, got -1"),
        ((True,), "pixel_size must be a number, got True"),
        ((float("nan"),), "pixel_size must be a finite number, got nan"),
        ((1, "a"), "origin must be a number, got 'a'"),
        ((1, float("inf")), "origin must be a finite number, got inf"),
    ],
)
def test_conversions_name_the_argument_that_makes_no_sense(verb, arguments, message):
    """Pixel sizes are positive, origins finite."""
    with pytest.raises(NgioValueError, match=f"^{message}"):
        getattr(RoiSlice("x"), verb)(*arguments)


def test_zoom_keeps_the_centre():
    """Of intervals that start below 0 too."""
    assert RoiSlice("x", 10, 4).zoom(2).bounds == (8.0, 16.0)
    assert RoiSlice("x", -20, 10).zoom(0.5).bounds == (-17.5, -12.5)
    assert RoiSlice("x", -1, 4).zoom(2).bounds == (-3.0, 5.0)


def test_zoom_does_not_move_a_start_below_0():
    """Where it starts at or above 0, the reference's clamp applies; the length stands."""
    assert RoiSlice("x", 0, 10).zoom(2).bounds == (0.0, 20.0)


def test_zoom_leaves_open_intervals_alone():
    """They have no centre; the factor is checked all the same."""
    assert RoiSlice("x", 3).zoom(2) == RoiSlice("x", 3)
    with pytest.raises(NgioValueError, match="zoom_factor must be > 0, got -1"):
        RoiSlice("x", 3).zoom(-1)


@pytest.mark.parametrize("factor", [0, -1, "2", None, True, float("nan"), float("inf")], ids=repr)
def test_zoom_factors_are_positive_numbers(factor):
    """The error names the argument."""
    with pytest.raises(NgioValueError, match=r"^zoom_factor must be "):
        RoiSlice("x", 0, 1).zoom(factor)


def test_a_repr_shows_what_was_typed():
    """The noise of arithmetic is left out; the number itself is kept."""
    piece = RoiSlice("x", 0.325 * 18, 0.1 * 3)
    assert repr(piece) == "RoiSlice(axis_name='x', start=5.85, length=0.3)"
    assert (piece.start, piece.length) == (5.8500000000000005, 0.30000000000000004)
    assert repr(RoiSlice("t", 1764530035.1234)) == "RoiSlice(axis_name='t', start=1764530035.1234, length=None)"
