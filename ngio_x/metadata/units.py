"""The units that OME-NGFF names for space and time axes (UDUNITS-2 spellings; spec section "axes")."""

from __future__ import annotations

import warnings
from typing import Final, Literal, TypeAlias

from ngio_x.errors import NgioUserWarning

AxisType: TypeAlias = Literal["space", "time", "channel"]

_SI_PREFIXES: Final = (
    *("yocto", "zepto", "atto", "femto", "pico", "nano", "micro", "milli", "centi", "deci"),
    *("hecto", "kilo", "mega", "giga", "tera", "peta", "exa", "zetta", "yotta"),
)

SPACE_UNITS: Final = frozenset(
    {"meter", "angstrom", "foot", "inch", "mile", "parsec", "yard", *(f"{prefix}meter" for prefix in _SI_PREFIXES)}
)
TIME_UNITS: Final = frozenset({"second", "day", "hour", "minute", *(f"{prefix}second" for prefix in _SI_PREFIXES)})

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


def warn_if_unknown_unit(unit: str | None, axis_type: AxisType | None) -> None:
    """Warn when `unit` is not one that OME-NGFF recommends for an axis of this type."""
    known = {"space": SPACE_UNITS, "time": TIME_UNITS}.get(axis_type or "")
    if unit is None or known is None or unit in known:
        return
    hint = f"; did you mean {SYMBOLS[unit]!r}?" if unit in SYMBOLS else ""
    warnings.warn(
        f"unit {unit!r} is not a {axis_type} unit that OME-NGFF names; it is kept as it is{hint}",
        NgioUserWarning,
        stacklevel=4,
    )
