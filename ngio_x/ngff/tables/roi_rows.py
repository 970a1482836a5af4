"""Regions as the rows of a table, and back: columns in micrometers and seconds, from the corner of level 0."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import NoneType
from typing import Any, Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from ngio_x._frozen import shown
from ngio_x.errors import NgioValidationError
from ngio_x.metadata.units import DEFAULT_SPACE_UNIT, DEFAULT_TIME_UNIT, conversion
from ngio_x.ngff.hierarchy import Picture
from ngio_x.ngff.tables.backends import Columns
from ngio_x.roi.columns import RoiColumns, columns_of, integer_type, listed, to_rois
from ngio_x.roi.roi import Roi

NAMES: Final = "FieldIndex"
"""The column of names."""
LABELS: Final = "label"
"""The column of the ids of objects."""
IndexKey = Literal["FieldIndex", "label"]

_STARTS: Final = {"x": "x_micrometer", "y": "y_micrometer", "z": "z_micrometer", "t": "t_second"}
_LENGTHS: Final = {axis: f"len_{name}" for axis, name in _STARTS.items()}
_RESERVED: Final = frozenset((NAMES, LABELS, *_STARTS.values(), *_LENGTHS.values()))
_ORDER: Final = (*(names[axis] for names in (_STARTS, _LENGTHS) for axis in "xyz"), _STARTS["t"], _LENGTHS["t"])


class Grid(NamedTuple):
    """Level 0 of the image that regions belong to, along the axes that a table can speak of."""

    spacing: Mapping[str, float]
    edge: Mapping[str, float]
    size: Mapping[str, int]
    factor: Mapping[str, float]
    """How many of the image's units make one of the table's."""


def grid_of(picture: Picture) -> Grid:
    """Return level 0 of an image.

    Raises:
        NgioValidationError: If an axis has a unit that is no length, or no time.
    """
    factors = {}
    for axis in picture.image.axes_handler.axes:
        if axis.name in _STARTS:
            unit = DEFAULT_TIME_UNIT if axis.name == "t" else DEFAULT_SPACE_UNIT
            try:
                factors[axis.name] = conversion(unit, axis.unit)
            except ValueError:
                raise NgioValidationError(
                    f"axis '{axis.name}' of the image is in {axis.unit!r}, and its tables in {unit}s, which cannot be "
                    "converted: correct the unit in the image's metadata"
                ) from None
    places = {name: place for place, name in enumerate(picture.image.axes_handler.axes_names) if name in factors}
    spacing, edge, size = picture.image.datasets[0].scale, picture.edges[0], picture.arrays[0].shape
    return Grid(
        {name: spacing[place] for name, place in places.items()},
        {name: edge[place] for name, place in places.items()},
        {name: size[place] for name, place in places.items()},
        factors,
    )


# ---- Writing


def rows_of(rois: Iterable[Roi], grid: Grid, key: IndexKey) -> Columns:
    """Return regions as columns, the index first.

    Raises:
        NgioValidationError: If some of them do not fit into a table, naming these.
        NgioTypeError: If something else is among them.
    """
    listing = listed(rois)
    regions, called = columns_of(listing), [roi.get_name() for roi in listing]
    names, labels, extras = list(regions.names or ()), list(regions.labels or ()), regions.extras or ()
    problems = [
        *_interval_problems(regions, called),
        *(_name_problems(called) if key == NAMES else ()),
        *_label_problems(labels, called, key),
        *_extra_problems(extras, called),
    ]
    problems += [f"{what} is no Unicode: it holds half a character" for what in _no_unicode(called, extras)]
    if problems:
        raise NgioValidationError(*problems)
    columns: Columns = {NAMES: called} if key == NAMES else {LABELS: labels}
    columns |= _intervals(regions, grid)
    if key == NAMES and any(label is not None for label in labels):
        columns[LABELS] = labels
    if key == LABELS and any(name not in (None, str(label)) for name, label in zip(names, labels, strict=True)):
        columns[NAMES] = called
    return columns | {name: _values(extras, name) for name in _extra_names(extras)}


def _some(rows: Iterable[Any], called: Sequence[str]) -> str:
    """Return the names of the regions in some rows, three of them at most."""
    found = [int(row) for row in rows]
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    return ", ".join(shown(called[row]) for row in found[:3]) + more


def _interval_problems(regions: RoiColumns, called: Sequence[str]) -> Iterator[str]:
    has = ~np.isnan(regions.starts)
    closed = np.isfinite(regions.starts) & np.isfinite(regions.lengths)
    for axis, there, whole in zip(regions.axes, has.T, (~has | closed).T, strict=True):
        if axis not in _STARTS:
            yield (
                f"{_some(np.flatnonzero(there), called)}: a table has no column for axis {axis!r}: "
                f"remove_slice({axis!r}) first"
            )
        elif not whole.all():
            advice = f" or remove_slice({axis!r})" if axis in "zt" else ""
            yield (
                f"{_some(np.flatnonzero(~whole), called)}: open-ended along {axis!r}, which a table cannot say: "
                f"give bounds with update_slice({axis!r}, (start, length)){advice}"
            )
        elif axis == "t" and not there.all():
            yield (
                f"{_some(np.flatnonzero(~there), called)}: without an interval along 't', which others have: "
                "give all of them one, or none"
            )
    for axis in "yx":
        there = has[:, regions.axes.index(axis)] if axis in regions.axes else np.zeros(len(has), bool)
        if not there.all():
            rows = np.flatnonzero(~there)
            yield f"{_some(rows, called)}: without an interval along {axis!r}: add one with update_slice"


def _name_problems(called: Sequence[str]) -> Iterator[str]:
    if twice := [name for name, count in Counter(called).items() if count > 1]:
        some = ", ".join(map(shown, twice[:3])) + (f" and {len(twice) - 3} more" if len(twice) > 3 else "")
        yield f"{some}: more than one region of that name: give each its own"


def _label_problems(labels: Sequence[int | None], called: Sequence[str], key: IndexKey) -> Iterator[str]:
    lacking = [row for row, label in enumerate(labels) if label is None]
    if lacking and (key == LABELS or len(lacking) < len(labels)):
        others = "which each row of a masking table has" if key == LABELS else "which others have"
        yield f"{_some(lacking, called)}: without a label, {others}: give all of them one{', or none' * (key == NAMES)}"
    if twice := {label for label, count in Counter(labels).items() if count > 1} - {None}:
        yield f"label {', '.join(map(str, sorted(twice)[:3]))}: more than one region has it: give each object its own"  # type: ignore[type-var]
    if large := [row for row, label in enumerate(labels) if integer_type([label]) is None]:
        yield f"{_some(large, called)}: the label is too large, an id has 64 bits"


def _extra_names(extras: Sequence[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(itertools.chain.from_iterable(extras)))


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _extra_problems(extras: Sequence[Mapping[str, Any]], called: Sequence[str]) -> Iterator[str]:
    for name in _extra_names(extras):
        if name in _RESERVED:
            yield f"extra {name!r}: is the name of a column that a table has anyway: rename it"
            continue
        first: dict[type, int] = {}
        for row, extra in enumerate(extras):
            if not _is_missing(value := extra.get(name)):
                first.setdefault(type(value), row)
        if not (first.keys() <= {int, float} or first.keys() in ({str}, {bool})):
            found = ", ".join(f"{kind.__name__} ({shown(called[row])})" for kind, row in first.items())
            yield f"extra {name!r}: a column holds text, numbers or booleans, one kind of them, got {found}"
        elif int in first and float not in first and integer_type(_values(extras, name)) is None:
            yield f"extra {name!r}: integers beyond 64 bits: write them as text"


def _no_unicode(called: Sequence[str], extras: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Return which texts cannot be written as UTF-8."""
    texts = {"a name": called} | {f"extra {name!r}": [name, *_values(extras, name)] for name in _extra_names(extras)}
    for what, values in texts.items():
        try:
            "".join([value for value in values if isinstance(value, str)]).encode()
        except UnicodeEncodeError:
            yield what


def _values(extras: Sequence[Mapping[str, Any]], name: str) -> list[Any]:
    values = [None if _is_missing(value := extra.get(name)) else value for extra in extras]
    kinds = {type(value) for value in values}
    return [None if value is None else float(value) for value in values] if {int, float} <= kinds else values


def _intervals(regions: RoiColumns, grid: Grid) -> Columns:
    count = len(regions.starts)
    in_pixels = np.array([space == "pixel" for space in regions.spaces], dtype=bool)
    found = {}
    for axis in _STARTS:
        spacing, edge = grid.spacing.get(axis, 1.0), grid.edge.get(axis, 0.0)
        if axis in regions.axes:
            column = regions.axes.index(axis)
            start, length = regions.starts[:, column].copy(), regions.lengths[:, column].copy()
            start[in_pixels] = start[in_pixels] * spacing + edge
            length[in_pixels] *= spacing
        elif axis == "t":
            continue
        else:
            start, length = np.full((2, count), np.nan)
        if axis == "z":  # a region without z holds all planes of a stack, and the one plane of a flat image
            whole = grid.size.get(axis, 1) * spacing
            start, length = np.where(np.isnan(start), edge, start), np.where(np.isnan(length), whole, length)
        factor = grid.factor.get(axis, 1.0)
        found[_STARTS[axis]] = ((start - edge) / factor).tolist()
        found[_LENGTHS[axis]] = (length / factor).tolist()
    return {name: found[name] for name in _ORDER if name in found}


# ---- Reading


def rois_of(columns: Mapping[str, Sequence[Any]], grid: Grid, key: str | None) -> list[Roi]:
    """Return the regions of a table.

    Args:
        columns: Its columns, by name.
        grid: Level 0 of its image.
        key: The column of names, or of labels, that its attributes name. Where they name none, rows are called by
            their number, unless there is a column of names.

    Raises:
        NgioValidationError: If it has not the columns of regions, or one of them holds something else.
        NgioValueError: If a row makes no region.
    """
    needed = [*(names[axis] for names in (_STARTS, _LENGTHS) for axis in "xy")]
    needed += [] if key is None else [key]
    if lacking := [name for name in needed if name not in columns]:
        raise NgioValidationError(f"holds no regions: it has no column {', '.join(lacking)}, only {shown([*columns])}")
    if len(lengths := {len(column) for column in columns.values()}) > 1:
        raise NgioValidationError(f"has columns of different lengths: {sorted(lengths)}")
    axes = [axis for axis in "tzyx" if _STARTS[axis] in columns and _LENGTHS[axis] in columns]
    bounds = {names[axis]: _bounds(columns, names[axis], axis) for names in (_STARTS, _LENGTHS) for axis in axes}
    factors = {axis: grid.factor.get(axis, 1.0) for axis in axes}
    starts = np.stack([bounds[_STARTS[axis]] * factors[axis] + grid.edge.get(axis, 0.0) for axis in axes], axis=1)
    spans = np.stack([bounds[_LENGTHS[axis]] * factors[axis] for axis in axes], axis=1)
    labels = None if LABELS not in columns else [_label(value) for value in columns[LABELS]]
    names = _row_names(columns, key, labels)
    beside = {
        name: column
        for name, column in columns.items()
        if name not in {*bounds, LABELS, key or NAMES, *((NAMES,) if key == LABELS else ())}
    }
    return to_rois(RoiColumns(axes, starts, spans, names, labels, "world", _extras(beside)))


def _row_names(columns: Mapping[str, Sequence[Any]], key: str | None, labels: Sequence[int | None] | None) -> list[str]:
    """Return what each row is called; where only labels are there, by its label, else by its number."""
    if key in (None, LABELS):
        key = NAMES if NAMES in columns else key
    if key == LABELS:
        return list(map(str, labels or ()))
    return list(map(str, range(len(columns[_STARTS["x"]])) if key is None else columns[key]))


def _bounds(columns: Mapping[str, Sequence[Any]], name: str, axis: str) -> npt.NDArray[np.float64]:
    """Return a column of numbers; NaN is what is missing, which only z and t may be."""
    for value in columns[name]:
        if type(value) not in (float, int, NoneType):
            raise NgioValidationError(f"column {name!r} must hold numbers, got {shown(value)}")
    numbers = np.array(columns[name], dtype=np.float64)
    if axis in "xy" and np.isnan(numbers).any():
        raise NgioValidationError(f"column {name!r} has no number in row {int(np.isnan(numbers).argmax())}")
    return numbers


def _label(value: Any) -> int | None:
    """Return an id, also where it is stored as text, or as a float."""
    if _is_missing(value):
        return None
    try:
        if (number := int(value)) == (value if isinstance(value, float) else number):
            return number
    except (TypeError, ValueError, OverflowError):
        pass
    raise NgioValidationError(f"column {LABELS!r} must hold integers, got {shown(value)}")


def _extras(columns: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]] | None:
    """Return what further columns say of each region; what is missing is left out."""
    if not columns:
        return None
    rows = zip(*columns.values(), strict=True)
    return [{name: value for name, value in zip(columns, row, strict=True) if not _is_missing(value)} for row in rows]
