"""Many regions as columns of numbers, and back: what is done with 100 000 of them at once is done by numpy."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any, Final, Literal, NamedTuple, NoReturn

import numpy as np
import numpy.typing as npt

from ngio_x._bulk import collector_paused, unchecked
from ngio_x._frozen import converters_of, field_names, shown, to_names
from ngio_x.errors import NgioTypeError, NgioValueError
from ngio_x.roi.roi import Roi, Space, too_few
from ngio_x.roi.roi_slice import RoiSlice


class RoiColumns(NamedTuple):
    """Regions as columns: row i of each is region i.

    A bound that is not there is a number that no region has: the arithmetic of intervals needs no special cases.
    """

    axes: Sequence[str]
    """The d axes that any of the regions has."""
    starts: npt.NDArray[Any]
    """Shape (n, d): lower bounds; -inf is unbounded, NaN a region that lacks the axis."""
    lengths: npt.NDArray[Any]
    """Shape (n, d): lengths; inf is unbounded above, NaN a region that lacks the axis."""
    names: Sequence[str | None] | None = None
    """One a region, or None if none has a name."""
    labels: Sequence[int | None] | npt.NDArray[Any] | None = None
    """One a region, or None if none has a label."""
    spaces: Sequence[Space] | Space = "world"
    """One a region, or that of all."""
    extras: Sequence[Mapping[str, Any]] | None = None
    """One a region, or None if all are empty."""

    @property
    def stops(self) -> npt.NDArray[np.float64]:
        """Shape (n, d): upper bounds; inf is unbounded, NaN a region that lacks the axis."""
        with np.errstate(invalid="ignore"):  # -inf + inf
            return np.where(np.isposinf(self.lengths), np.inf, self.starts + self.lengths)


def listed(rois: Iterable[Roi], argument: str = "rois") -> list[Roi]:
    """Return the regions of the argument of that name as a list.

    Raises:
        NgioTypeError: If something else is among them.
    """
    if not np.iterable(rois):
        raise NgioTypeError(f"{argument} must be several regions, got {shown(rois)}: put a single one into a list")
    found = list(rois)
    if set(map(type, found)) - {Roi}:
        for position, roi in enumerate(found):
            if not isinstance(roi, Roi):
                raise NgioTypeError(
                    f"{argument} must be regions, got {shown(roi)} at position {position}: build Roi.from_values"
                )
    return found


def columns_of(rois: Iterable[Roi]) -> RoiColumns:
    """Return regions as columns; axes are in the order in which they first appear.

    Raises:
        NgioTypeError: If something else is among the regions.
    """
    regions = listed(rois)
    pieces = [roi.slices for roi in regions]
    slices = list(itertools.chain.from_iterable(pieces))
    names = [item.axis_name for item in slices]
    column_of = {axis: column for column, axis in enumerate(dict.fromkeys(names))}
    rows = np.repeat(np.arange(len(regions)), list(map(len, pieces)))
    columns = np.fromiter(map(column_of.__getitem__, names), np.intp, len(names))
    shape = (len(regions), len(column_of))
    extras = list(map(extras_of, regions))
    return RoiColumns(
        axes=tuple(column_of),
        starts=_spread(map(_START, slices), -np.inf, rows, columns, shape),
        lengths=_spread(map(_LENGTH, slices), np.inf, rows, columns, shape),
        names=list(map(_NAME, regions)),
        labels=list(map(_LABEL, regions)),
        spaces=list(map(_SPACE, regions)),
        extras=extras if any(extras) else None,
    )


def extras_of(roi: Roi) -> Mapping[str, Any]:
    """Return the extras of a region; the fields that a user's subclass adds are among them, as in JSON."""
    if type(roi) is Roi:
        return roi.extra
    return {**roi.extra, **{name: getattr(roi, name) for name in field_names(type(roi)) if name not in _FIELDS}}


def integer_type(integers: Iterable[int | None]) -> Literal["int64", "uint64"] | None:
    """Return the type of 64 bits that holds some integers, signed if it can be; None if they are beyond both.

    >>> integer_type([3, None]), integer_type([2**63]), integer_type([-1, 2**63])
    ('int64', 'uint64', None)
    """
    given = [number for number in integers if number is not None]
    low, high = min(given, default=0), max(given, default=0)
    if low >= -(2**63) and high < 2**63:
        return "int64"
    return "uint64" if low >= 0 and high < 2**64 else None


_FIELDS: Final = frozenset(field_names(Roi))
_NAME, _LABEL, _SPACE = map(attrgetter, ("name", "label", "space"))
_START, _LENGTH = map(attrgetter, ("start", "length"))


def _spread(
    numbers: Iterable[float | None],
    unbounded: float,
    rows: npt.NDArray[np.intp],
    columns: npt.NDArray[np.intp],
    shape: tuple[int, int],
) -> npt.NDArray[np.float64]:
    values = np.array(list(numbers), dtype=np.float64)  # None becomes NaN
    values[np.isnan(values)] = unbounded
    spread = np.full(shape, np.nan)
    spread[rows, columns] = values
    return spread


def to_rois(columns: RoiColumns) -> list[Roi]:
    """Return the regions of columns: the same that the constructor makes one by one, checked all at once.

    >>> to_rois(RoiColumns(("y", "x"), [[0, 5]], [[10, np.inf]], ["cell"], [3]))[0]["x"]
    RoiSlice(axis_name='x', start=5.0, length=None)

    Raises:
        NgioValueError: If a value makes no region; the message says which one, by position, name and axis.
    """
    axes = _checked_axes(columns.axes)
    starts, lengths = _numbers(columns.starts, "starts", axes), _numbers(columns.lengths, "lengths", axes)
    if starts.shape != lengths.shape:
        raise NgioValueError(f"starts has {len(starts)} rows and lengths {len(lengths)}: they need one a region each")
    _require_intervals(columns, axes, starts, lengths)
    spaces = [columns.spaces] * len(starts) if isinstance(columns.spaces, str) else columns.spaces
    with collector_paused():
        return unchecked(
            Roi,
            len(starts),
            _checked(columns, "name", columns.names),
            _slices(axes, starts, lengths),
            _checked(columns, "label", _plain(columns.labels)),
            _checked(columns, "space", spaces),
            _checked(columns, "extra", columns.extras, missing={}),
        )


def _checked_axes(axes: Any) -> tuple[str, ...]:
    try:
        names = to_names(axes)
    except NgioValueError as error:
        raise NgioValueError(f"axes {error}") from None
    if len(set(names)) < len(names):
        raise NgioValueError(f"axes must be unique, got {names}")
    return names


def _numbers(values: Any, what: str, axes: tuple[str, ...]) -> npt.NDArray[np.float64]:
    try:
        array = np.asarray(values)
        numbers = array.astype(np.float64, copy=False)
    except (TypeError, ValueError) as error:
        raise NgioValueError(f"{what} must be an array of numbers: {error}") from None
    if array.dtype.kind not in "iuf":
        raise NgioValueError(f"{what} must be an array of numbers, got {array.dtype}")
    if numbers.ndim != 2 or numbers.shape[1] != len(axes):
        raise NgioValueError(f"{what} must have a row a region and a column an axis {axes}, got shape {numbers.shape}")
    return numbers


def _require_intervals(
    columns: RoiColumns, axes: tuple[str, ...], starts: npt.NDArray[np.float64], lengths: npt.NDArray[np.float64]
) -> None:
    """Hold every pair of start and length to the rules of `RoiSlice`, and each region to two axes."""
    lacking = np.isnan(starts)
    with np.errstate(over="ignore", invalid="ignore"):
        ends = starts + lengths
    rules: tuple[tuple[npt.NDArray[np.bool_], str], ...] = (
        (lacking != np.isnan(lengths), "start and length must both be NaN, or neither, got {start!r} and {length!r}"),
        (starts == np.inf, "start must be a finite number, or -inf for none, got {start!r}"),
        (lengths < 0, "length must be ≥ 0, got {length!r}"),
        ((starts == -np.inf) & (lengths < np.inf), "length must be inf where there is no start, got {length!r}"),
        (np.isfinite(lengths) & (ends == np.inf), "end must be finite, got start={start!r} and length={length!r}"),
    )
    for broken, rule in rules:
        if broken.any():
            row, column = map(int, np.argwhere(broken)[0])
            what = rule.format(start=float(starts[row, column]), length=float(lengths[row, column]))
            _refuse(columns, row, f"axis {axes[column]!r}: {what}")
    few = np.count_nonzero(~lacking, axis=1) < 2
    if few.any():
        row = int(few.argmax())
        own = [axis for axis, lacks in zip(axes, lacking[row], strict=True) if not lacks]
        _refuse(columns, row, f"slices {too_few(own)}")


def _refuse(columns: RoiColumns, row: int, what: str) -> NoReturn:
    name = None if columns.names is None else columns.names[row]
    raise NgioValueError(f"region {row}{'' if name is None else f' ({shown(name)})'}: {what}")


def _slices(
    axes: tuple[str, ...], starts: npt.NDArray[np.float64], lengths: npt.NDArray[np.float64]
) -> list[tuple[RoiSlice, ...]]:
    if not len(starts):
        return []
    by_axis: list[list[RoiSlice | None]] = []
    for axis, start, length in zip(axes, starts.T, lengths.T, strict=True):
        has = np.flatnonzero(~np.isnan(start))
        items = unchecked(RoiSlice, len(has), itertools.repeat(axis), _or_none(start[has]), _or_none(length[has]))
        column: list[RoiSlice | None] = [None] * len(starts)
        if len(has) == len(starts):
            column[:] = items
        else:
            for row, item in zip(has.tolist(), items, strict=True):
                column[row] = item
        by_axis.append(column)
    rows = zip(*by_axis, strict=True)
    if np.isnan(starts).any():
        return [tuple([item for item in row if item is not None]) for row in rows]
    return list(rows)


def _or_none(bounds: npt.NDArray[np.float64]) -> list[float | None]:
    """Return bounds as Python's floats, None for those that are not there."""
    values: list[float] = bounds.tolist()
    return [None if abs(value) == math.inf else value for value in values]


def _plain(labels: Any) -> Any:
    """Return an array of labels as Python's numbers, which do not end at 2⁶³."""
    return labels.tolist() if isinstance(labels, np.ndarray) else labels


_CONVERT: Final = converters_of(Roi)


def _checked(columns: RoiColumns, field: str, values: Any, missing: Any = None) -> list[Any]:
    """Return the values of a field, one a region, converted as the constructor of `Roi` does it."""
    convert, count = _CONVERT[field], len(columns.starts)
    if values is None:
        return [convert(missing)] * count
    if isinstance(values, (str, bytes, Mapping)) or not np.iterable(values):
        raise NgioValueError(f"{field}s must be a sequence, got {shown(values)}")
    items = list(values)
    if len(items) != count:
        raise NgioValueError(f"{field}s must have one entry for each of the {count} regions, got {len(items)}")
    try:
        return [convert(item) for item in items]
    except NgioValueError:
        for row, item in enumerate(items):
            try:
                convert(item)
            except NgioValueError as error:
                _refuse(columns, row, f"{field} {error}")
        raise
