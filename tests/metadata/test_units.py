"""The unit vocabulary of OME-NGFF."""

import warnings
from typing import get_args

import pytest
from ngio.ome_zarr_meta.ngio_specs import SpaceUnits, TimeUnits

from ngio_x.errors import NgioUserWarning
from ngio_x.metadata.units import SPACE_UNITS, SYMBOLS, TIME_UNITS, unit_from_symbol, warn_if_unknown_unit


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
