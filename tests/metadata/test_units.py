"""The unit vocabulary of OME-NGFF."""

import warnings
from typing import get_args

import pytest
from ngio.ome_zarr_meta.ngio_specs import SpaceUnits, TimeUnits

from ngio_x.errors import NgioUserWarning, NgioValueError
from ngio_x.metadata.units import (
    SPACE_UNITS,
    SYMBOLS,
    TIME_UNITS,
    conversion,
    unit_from_symbol,
    warn_if_unknown_unit,
)


def test_the_vocabulary_is_that_of_ngio():
    """26 names for space, 23 for time (OME-NGFF 0.4 and 0.5, section "axes")."""
    assert set(get_args(SpaceUnits)) == SPACE_UNITS
    assert set(get_args(TimeUnits)) == TIME_UNITS
    assert (len(SPACE_UNITS), len(TIME_UNITS)) == (26, 23)


def test_every_symbol_stands_for_a_known_unit():
    """Both micro sign and Greek mu are understood."""
    assert set(SYMBOLS.values()) <= SPACE_UNITS | TIME_UNITS
    assert unit_from_symbol("µm") == unit_from_symbol("μm") == "micrometer"
    assert unit_from_symbol("furlong") == "furlong"


@pytest.mark.parametrize(
    ("unit", "kind"),
    [("micrometer", "space"), ("second", "time"), ("bogus", "channel"), ("bogus", None), (None, "space")],
)
def test_known_units_and_axes_without_units_are_quiet(unit, kind):
    """Only space and time have a vocabulary."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warn_if_unknown_unit(unit, kind)
    assert caught == []


def test_a_unit_of_the_other_kind_is_unknown():
    """Seconds do not measure space."""
    with pytest.warns(NgioUserWarning, match="'second' is not a space unit"):
        warn_if_unknown_unit("second", "space")


@pytest.mark.parametrize(
    ("unit", "other", "factor"),
    [
        ("micrometer", "nanometer", 1e3),
        ("nm", "micrometer", 1e-3),
        ("inch", "millimeter", 25.4),
        ("hour", "minute", 60),
        ("pixel", "pixel", 1),
        (None, "micrometer", 1),
        ("second", None, 1),
    ],
)
def test_units_convert(unit, other, factor):
    """By abbreviations, too; a unit that is not said is the same."""
    assert conversion(unit, other) == pytest.approx(factor, rel=1e-15)


def test_powers_of_ten_are_exact():
    """In floats, 1e-6 / 1e-9 is 999.9999999999999."""
    assert conversion("micrometer", "nanometer") == 1000.0
    assert conversion("nanometer", "micrometer") == 0.001
    assert conversion("millimeter", "micrometer") == 1000.0
    assert conversion("second", "yoctosecond") == 1e24


@pytest.mark.parametrize(("unit", "other"), [("second", "meter"), ("pixel", "meter"), ("a", "b")])
def test_units_of_another_kind_do_not_convert(unit, other):
    """Nor those that OME-NGFF does not name."""
    with pytest.raises(NgioValueError, match=f"cannot convert '{unit}' to '{other}': give the size in '{other}'"):
        conversion(unit, other)
