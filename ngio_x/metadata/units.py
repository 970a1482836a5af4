"""The units that OME-NGFF names for space and time axes (UDUNITS-2 spellings; spec section "axes")."""

from __future__ import annotations

from fractions import Fraction
from typing import Final, Literal, TypeAlias

from ngio_x.errors import NgioValueError, warn

AxisType: TypeAlias = Literal["space", "time", "channel"]

_SI_PREFIXES: Final = (
    *(("yocto", -24), ("zepto", -21), ("atto", -18), ("femto", -15), ("pico", -12), ("nano", -9), ("micro", -6)),
    *(("milli", -3), ("centi", -2), ("deci", -1), ("", 0), ("hecto", 2), ("kilo", 3), ("mega", 6), ("giga", 9)),
    *(("tera", 12), ("peta", 15), ("exa", 18), ("zetta", 21), ("yotta", 24)),
)
_METERS: Final = {
    "angstrom": Fraction("1e-10"),
    "inch": Fraction("0.0254"),
    "foot": Fraction("0.3048"),
    "yard": Fraction("0.9144"),
    "mile": Fraction("1609.344"),
    "parsec": Fraction("3.0856775814913673e16"),
    **{f"{prefix}meter": Fraction(10) ** exponent for prefix, exponent in _SI_PREFIXES},
}
_SECONDS: Final = {
    "minute": Fraction(60),
    "hour": Fraction(3600),
    "day": Fraction(86400),
    **{f"{prefix}second": Fraction(10) ** exponent for prefix, exponent in _SI_PREFIXES},
}

SPACE_UNITS: Final = frozenset(_METERS)
TIME_UNITS: Final = frozenset(_SECONDS)

DEFAULT_SPACE_UNIT: Final = "micrometer"
DEFAULT_TIME_UNIT: Final = "second"

SYMBOLS: Final = {
    "Å": "angstrom",
    "pm": "picometer",
    "nm": "nanometer",
    "µm": "micrometer",  # micro sign
    "μm": "micrometer",  # greek mu
    "um": "micrometer",
    "micron": "micrometer",
    "mm": "millimeter",
    "cm": "centimeter",
    "m": "meter",
    "in": "inch",
    "ns": "nanosecond",
    "µs": "microsecond",
    "μs": "microsecond",
    "us": "microsecond",
    "ms": "millisecond",
    "s": "second",
    "sec": "second",
    "min": "minute",
    "h": "hour",
    "d": "day",
}
"""Common abbreviations and the unit that OME-NGFF calls them by."""


def unit_from_symbol(symbol: str) -> str:
    """Return the OME-NGFF name of an abbreviated unit (`"µm"` → `"micrometer"`); other texts come back unchanged."""
    return SYMBOLS.get(symbol, symbol)


def symbol_of(unit: str | None) -> str:
    """Return the symbol of a unit (`"micrometer"` → `"µm"`); others are their own, and None is nothing."""
    return "" if unit is None else next((symbol for symbol, name in SYMBOLS.items() if name == unit), unit)


def conversion(unit: str | None, other: str | None) -> float:
    """Return how many `other` make one `unit`; a unit that is not said is taken to be the same.

    Raises:
        NgioValueError: If the units differ, and are not both lengths or both times that OME-NGFF names.
    """
    if unit is None or other is None or unit == other:
        return 1.0
    ours, theirs = unit_from_symbol(unit), unit_from_symbol(other)
    for sizes in (_METERS, _SECONDS):
        if ours in sizes and theirs in sizes:
            return float(sizes[ours] / sizes[theirs])  # exact before: in floats, 1e-6 / 1e-9 is not 1000
    raise NgioValueError(f"cannot convert {unit!r} to {other!r}: give the size in {other!r}")


def warn_if_unknown_unit(unit: str | None, axis_type: AxisType | None) -> None:
    """Warn when `unit` is not one that OME-NGFF recommends for an axis of this type."""
    known = {"space": SPACE_UNITS, "time": TIME_UNITS}.get(axis_type or "")
    if unit is None or known is None or unit in known:
        return
    hint = f"; did you mean {SYMBOLS[unit]!r}?" if unit in SYMBOLS else ""
    warn(f"unit {unit!r} is not a {axis_type} unit that OME-NGFF names; it is kept as it is{hint}")
