"""Many regions as columns of numbers: what is checked, computed and stored for all of them at once."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import repeat
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from ngio_x._frozen import ReadOnlyMapping, at_least, named, one_of, shown, to_int, to_optional_name
from ngio_x.errors import NgioTypeError, NgioValueError
from ngio_x.roi.roi import Roi, Space, to_extra
from ngio_x.roi.roi_slice import RoiSlice

Floats = npt.NDArray[np.float64]


class RoiColumns(NamedTuple):
    """n regions along d axes, one row a region. NaN: the region lacks the axis."""

    axes: tuple[str, ...]
    starts: Floats
    """Shape (n, d); −∞ is unbounded below."""
    lengths: Floats
    """Shape (n, d); ∞ is unbounded above."""
    names: Sequence[str | None]
    labels: Sequence[int | None]
    spaces: Sequence[Space]
    extras: Sequence[Mapping[str, Any]]

    @property
    def stops(self) -> Floats:
        """Upper bounds, shape (n, d); ∞ is unbounded."""
        with np.errstate(invalid="ignore"):  # −∞ + ∞
            return np.where(np.isposinf(self.lengths), np.inf, self.starts + self.lengths)


def columns_of(rois: Iterable[Roi]) -> RoiColumns:
    """Return regions as columns; the axes are those of all of them, in the order in which they are met.

    Raises:
        NgioTypeError: If something else than a region is among them.
    """
    regions = list(_regions(rois))
    place: dict[str, int] = {}
    for roi in regions:
        for item in roi.slices:
            place.setdefault(item.axis_name, len(place))
    bounds = np.full((2, len(regions), len(place)), np.nan)
    for row, roi in enumerate(regions):
        for item in roi.slices:
            column = place[item.axis_name]
            bounds[0, row, column] = -np.inf if item.start is None else item.start
            bounds[1, row, column] = np.inf if item.length is None else item.length
    return RoiColumns(
        tuple(place),
        bounds[0],
        bounds[1],
        [roi.name for roi in regions],
        [roi.label for roi in regions],
        [roi.space for roi in regions],
        [roi.extra for roi in regions],
    )


def _regions(rois: Iterable[Roi]) -> Iterable[Roi]:
    if isinstance(rois, (Roi, str, Mapping)) or not isinstance(rois, Iterable):
        raise NgioTypeError(f"expected a list of Roi, got {type(rois).__name__}")
    for position, roi in enumerate(rois):
        if not isinstance(roi, Roi):
            raise NgioTypeError(f"expected a list of Roi, got {type(roi).__name__} at position {position}")
        yield roi


def to_rois(columns: RoiColumns) -> list[Roi]:
    """Return the regions that columns describe; checked as columns, which takes a fraction of the time.

    Raises:
        NgioValueError: If a region makes no sense; the message names its position, its name and the axis.
    """
    _require_sound(columns)
    names, labels, spaces, extras = (_checked(columns, what) for what in ("names", "labels", "spaces", "extras"))
    lacking = np.isnan(columns.starts)
    starts, lengths = columns.starts.astype(object), columns.lengths.astype(object)
    starts[np.isneginf(columns.starts)] = None
    lengths[np.isposinf(columns.lengths)] = None
    with _without_collection():
        axes = [map(_slice, repeat(axis), starts[:, k], lengths[:, k]) for k, axis in enumerate(columns.axes)]
        rows: Iterable[tuple[RoiSlice, ...]] = zip(*axes, strict=True)
        if lacking.any():
            rows = map(_held, rows, lacking)
        return list(map(_roi, names, rows, labels, spaces, extras))


def _held(row: tuple[RoiSlice, ...], lacking: npt.NDArray[np.bool_]) -> tuple[RoiSlice, ...]:
    return tuple(piece for piece, missing in zip(row, lacking, strict=True) if not missing)


def _to_optional_label(value: Any) -> int | None:
    return None if value is None else _to_label(value)


_to_label = at_least(0, to_int)

_CONVERTERS: Final[Mapping[str, tuple[Callable[[Any], Any], Callable[[Any], bool]]]] = {
    "names": (to_optional_name, lambda names: {*map(type, names)} <= {str, type(None)}),
    "labels": (_to_optional_label, lambda labels: {*map(type, labels)} <= {int} and min(labels, default=0) >= 0),
    "spaces": (one_of("world", "pixel"), lambda spaces: {*spaces} <= {"world", "pixel"}),
    "extras": (to_extra, lambda extras: {*map(type, extras)} <= {ReadOnlyMapping}),
}
"""How a value of a column is converted, and whether a column as a whole needs none of it, which is soon seen."""


def _checked(columns: RoiColumns, what: str) -> Sequence[Any]:
    """Return a column of values that are no numbers along axes, each converted.

    Raises:
        NgioValueError: If there are not as many as regions, or one makes no sense.
    """
    values = getattr(columns, what)
    convert, are_sound = _CONVERTERS[what]
    if len(values) != len(columns.starts):
        raise NgioValueError(f"{len(columns.starts)} regions need as many {what}, got {len(values)}")
    try:
        return values if are_sound(values) else [convert(value) for value in values]
    except (NgioValueError, TypeError):  # what does not hash
        return [named(f"{_called(columns, row)}: {what[:-1]}", convert)(value) for row, value in enumerate(values)]


def _require_sound(columns: RoiColumns) -> None:
    """Raise for the first region whose intervals make no sense."""
    starts, lengths = columns.starts, columns.lengths
    lacking = np.isnan(starts)
    with np.errstate(invalid="ignore"):
        faults = {
            "has a length but no start": lacking & ~np.isnan(lengths),
            "has a start but no length": ~lacking & np.isnan(lengths),
            "must not start at infinity": np.isposinf(starts),
            "must have a length ≥ 0": lengths < 0,
            "has a length, but is unbounded below": np.isneginf(starts) & np.isfinite(lengths),
            "must have a finite end": np.isfinite(starts) & np.isfinite(lengths) & ~np.isfinite(starts + lengths),
        }
    for what, faulty in faults.items():
        if faulty.any():
            row, axis = np.argwhere(faulty)[0]
            numbers = f"start={starts[row, axis]:g} and length={lengths[row, axis]:g}"
            raise NgioValueError(f"{_called(columns, row)}: axis {columns.axes[axis]!r} {what}, got {numbers}")
    few = (~lacking).sum(axis=1) < 2
    if few.any():
        row = int(np.flatnonzero(few)[0])
        raise NgioValueError(f"{_called(columns, row)}: must hold at least two axes, got {(~lacking)[row].sum()}")


def _called(columns: RoiColumns, row: Any) -> str:
    return f"region {row} ({shown(columns.names[row])})"


@contextmanager
def _without_collection() -> Iterator[None]:
    """Keep Python from looking for garbage while nothing but new values is made: that would take as long again."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


# Values that have been checked are put where a constructor would put them: it checks each of them again.
_new: Callable[[type[Any]], Any] = object.__new__
_SLICE = [getattr(RoiSlice, name).__set__ for name in ("axis_name", "start", "length")]
_ROI = [getattr(Roi, name).__set__ for name in ("name", "slices", "label", "space", "extra")]


def _slice(axis_name: str, start: float | None, length: float | None) -> RoiSlice:
    """Return a slice of values that are known to be sound."""
    item = _new(RoiSlice)
    set_axis_name, set_start, set_length = _SLICE
    set_axis_name(item, axis_name)
    set_start(item, start)
    set_length(item, length)
    return item  # type: ignore[no-any-return]


def _roi(
    name: str | None, slices: tuple[RoiSlice, ...], label: int | None, space: Space, extra: Mapping[str, Any]
) -> Roi:
    """Return a region of values that are known to be sound."""
    roi = _new(Roi)
    set_name, set_slices, set_label, set_space, set_extra = _ROI
    set_name(roi, name)
    set_slices(roi, slices)
    set_label(roi, label)
    set_space(roi, space)
    set_extra(roi, extra)
    return roi  # type: ignore[no-any-return]
