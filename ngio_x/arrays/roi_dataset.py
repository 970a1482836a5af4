"""Many regions as a Dataset, one row a region, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from ngio_x._frozen import is_number
from ngio_x.errors import NgioTypeError, NgioValueError
from ngio_x.roi.columns import RoiColumns, columns_of, to_rois
from ngio_x.roi.gaps import ABSENT, Column, from_column, objects, to_column
from ngio_x.roi.roi import Roi

_ROW: Final = "roi"
_START, _LENGTH, _STOP = "start_", "length_", "stop_"
_OWN: Final = ("name", "label", "space")
_GIVEN, _EXTRA = "given_", "extra_"


def rois_to_dataset(rois: Iterable[Roi]) -> xr.Dataset:
    """Return regions as a Dataset along `roi`, from which `rois_from_dataset` makes the same regions.

    It may go through netCDF, zarr or a data frame on the way, where texts, numbers and booleans keep what they are.

    >>> ds = rois_to_dataset([Roi.from_values({"y": (0, 2), "x": (5, 3)}, "cell", label=7, area=6.0)])
    >>> ds["length_x"].values, ds["area"].values
    (array([3.]), array([6.]))

    Args:
        rois: Regions, of any mix of axes and spaces.

    Returns:
        A Dataset with the variables `start_y` and `length_y` for each axis `y` that one of the regions has, as floats:
        a start of −∞ is unbounded below, a length of ∞ unbounded above, and NaN a region that lacks the axis; `name`,
        `label` and `space`; and one variable for each extra. An extra whose name is taken stands under `extra_<name>`.

        What a region lacks is NaN among floats, 0 or False among integers and booleans, and None or NaN among all else.
        Where that does not tell, `given_<variable>` does: 1 for a region that has the value, 0 for one that lacks it, 2
        for an extra that is None.

    Raises:
        NgioTypeError: If something else than a region is among them.
    """
    columns = columns_of(rois)
    names, labels, extras = columns.names or (), columns.labels, columns.extras or ()
    found: dict[str, xr.Variable] = {}
    for k, axis in enumerate(columns.axes):
        found[f"{_START}{axis}"] = xr.Variable(_ROW, columns.starts[:, k])
        found[f"{_LENGTH}{axis}"] = xr.Variable(_ROW, columns.lengths[:, k])
    for name, values in (("name", names), ("label", list(labels or ()))):
        found |= _variables(name, to_column([ABSENT if value is None else value for value in values], blank=None))
    found["space"] = xr.Variable(_ROW, objects(columns.spaces))
    for key in dict.fromkeys(key for extra in extras for key in extra):
        found |= _variables(_variable_of(key), to_column([extra.get(key, ABSENT) for extra in extras]))
    return xr.Dataset(found)


def _variables(name: str, column: Column) -> dict[str, xr.Variable]:
    """Return the variable of a column, and one that says which rows have a value where it does not tell."""
    kinds = {*map(type, column.values)} if column.values.dtype.kind == "O" else set()
    whole = any(issubclass(kind, (datetime, timedelta)) for kind in kinds)  # xarray would make them numpy's
    found = {name: xr.Variable(_ROW, column.values, fastpath=whole)}
    return found if column.given is None else found | {f"{_GIVEN}{name}": xr.Variable(_ROW, column.given)}


def _variable_of(key: str) -> str:
    return f"{_EXTRA}{key}" if _is_taken(key) else key


def _key_of(variable: str) -> str:
    """Return which extra a variable holds: the way back from `_variable_of`."""
    key = variable.removeprefix(_EXTRA)
    return key if key != variable and _is_taken(key) else variable


def _is_taken(key: str) -> bool:
    """Whether a variable of that name would be another one, or be read as another extra."""
    if key == _ROW or key in _OWN or key.startswith((_START, _LENGTH, _STOP, _GIVEN)):
        return True
    return key.startswith(_EXTRA) and _is_taken(key.removeprefix(_EXTRA))


def rois_from_dataset(dataset: xr.Dataset | pd.DataFrame) -> list[Roi]:
    """Return the regions of a table with a row for each, such as that of `rois_to_dataset`.

    >>> ds = xr.Dataset({"start_y": 0.0, "stop_y": 2.0, "start_x": ("roi", [5.0]), "length_x": 3.0})
    >>> rois_from_dataset(ds)[0]["x"].bounds
    (5.0, 8.0)

    Args:
        dataset: Variables `start_<axis>` with `length_<axis>` or `stop_<axis>` for two axes or more, all along one
            dimension, or scalars that hold for every row; or a data frame of such columns. `name`, `label` and `space`
            (world, if missing) are optional, and may be coordinates; `roi` numbers the rows, and counts for nothing;
            all other variables are extras. What a region lacks is NaN, or None among names and labels, or what
            `given_<variable>` says, as `rois_to_dataset` writes it. Names that were read as numbers are text again. So
            `label_extents(labels).assign(space="pixel")` gives the boxes of objects.

    Raises:
        NgioTypeError: If it is neither a Dataset nor a data frame.
        NgioValueError: If variables do not fit together, or a region makes no sense; the message says which.
    """
    table = _table_of(dataset)
    columns, count = table.columns, table.length
    axes = [name.removeprefix(_START) for name in columns if name.startswith(_START)]
    if not axes and count:
        raise NgioValueError(f"dataset must have {_START}<axis> for two axes or more, got {list(columns)}")
    bounds = {name for axis in axes for name in (f"{_START}{axis}", f"{_LENGTH}{axis}", f"{_STOP}{axis}")}
    said = {f"{_GIVEN}{name}" for name in columns}
    extras = [
        name for name in columns if not (name in bounds or name in _OWN or name in said or name in table.numbering)
    ]
    keys = [_key_of(name) for name in extras]
    rows = zip(*(_values(columns, name) for name in extras), strict=True) if extras else [()] * count
    described = RoiColumns(
        tuple(axes),
        _stacked([_numbers(columns, f"{_START}{axis}") for axis in axes], count),
        _stacked([_lengths(columns, axis) for axis in axes], count),
        names=_names(columns),
        labels=_labels(columns),
        spaces=columns["space"].tolist() if "space" in columns else "world",
        extras=[{key: value for key, value in zip(keys, row, strict=True) if value is not ABSENT} for row in rows],
    )
    return to_rois(described)


class _Table(NamedTuple):
    columns: Mapping[str, npt.NDArray[Any]]
    length: int
    """How many rows each column has."""
    numbering: frozenset[str]
    """Columns that only number the rows."""


def _table_of(dataset: Any) -> _Table:
    if isinstance(dataset, pd.DataFrame):
        return _table_of_frame(dataset)
    if not isinstance(dataset, xr.Dataset):
        raise NgioTypeError(
            f"dataset must be a Dataset or a DataFrame, got {type(dataset).__name__}: make one with rois_to_dataset"
        )
    dims = {str(dim) for name in dataset.variables for dim in dataset[name].dims}
    if len(dims) > 1:
        raise NgioValueError(f"the variables must lie along one dimension, got {sorted(dims)}")
    count = next(iter(dataset.sizes.values())) if dims else 1
    columns = {str(name): _plain(dataset[name].values, count) for name in dataset.variables}
    return _Table(columns, count, frozenset({_ROW, *dims} - {*_OWN}))


def _table_of_frame(frame: pd.DataFrame) -> _Table:
    if not frame.columns.is_unique:
        raise NgioValueError(f"dataset must have columns of different names, got {list(frame.columns)}: rename one")
    count = len(frame)
    levels = [(name, frame.index.get_level_values(k)) for k, name in enumerate(frame.index.names) if name is not None]
    columns = {str(name): _plain(values.to_numpy(), count) for name, values in (*levels, *frame.items())}
    return _Table(columns, count, frozenset({_ROW}))


def _plain(values: npt.NDArray[Any], count: int) -> npt.NDArray[Any]:
    """Return the values of a column without what only pandas knows."""
    column = values if values.ndim else np.repeat(values[np.newaxis], count)
    if column.dtype.kind != "O" or not any(value is pd.NA for value in column):
        return column
    return objects(np.nan if value is pd.NA else value for value in column)


def _values(columns: Mapping[str, npt.NDArray[Any]], name: str) -> list[Any]:
    """Return the values of a column, `ABSENT` where a region has none."""
    return from_column(Column(columns[name], columns.get(f"{_GIVEN}{name}")))


def _names(columns: Mapping[str, npt.NDArray[Any]]) -> list[Any] | None:
    """Return the names, None where there is none; numbers, as which text files are read, as their text."""
    if "name" not in columns:
        return None
    return [value if isinstance(value, str) else _name(value) for value in _values(columns, "name")]


def _name(value: Any) -> Any:
    if value is ABSENT or not is_number(value):
        return None if value is ABSENT else value
    whole = int(value) if np.isfinite(value) else None
    return str(value if whole != value else whole)


def _labels(columns: Mapping[str, npt.NDArray[Any]]) -> list[Any] | None:
    """Return the labels, None where there is none."""
    if "label" not in columns:
        return None
    labels = [None if value is ABSENT else value for value in _values(columns, "label")]
    if inexact := [label for label in labels if isinstance(label, float) and label >= _INEXACT]:
        raise NgioValueError(
            f"label must be exact, which floats as large as {inexact[0]!r} are not: convert the column to integers "
            "where it is read, as pandas.read_csv does with dtype={'label': 'UInt64'}"
        )
    return labels


_INEXACT: Final = 2.0**53
"""From here on, floats leave integers out."""


def _numbers(columns: Mapping[str, npt.NDArray[Any]], name: str) -> npt.NDArray[np.float64]:
    values = columns[name]
    if values.dtype.kind == "O" and all(value is None or is_number(value) for value in values):
        return values.astype(np.float64)  # numbers that pandas lets lack a value
    if values.dtype.kind not in "iuf":
        raise NgioValueError(f"'{name}' must hold numbers, got {values.dtype}")
    return values.astype(np.float64)


def _lengths(columns: Mapping[str, npt.NDArray[Any]], axis: str) -> npt.NDArray[np.float64]:
    """Return the lengths along an axis, computed from where intervals stop if that is what is there."""
    length, stop = f"{_LENGTH}{axis}", f"{_STOP}{axis}"
    if (length in columns) is (stop in columns):
        raise NgioValueError(f"'{_START}{axis}' needs either '{length}' or '{stop}' beside it, and not both")
    if length in columns:
        return _numbers(columns, length)
    starts, stops = _numbers(columns, f"{_START}{axis}"), _numbers(columns, stop)
    faulty = (np.isnan(starts) != np.isnan(stops)) | (np.isneginf(starts) & np.isfinite(stops))
    if faulty.any():
        row = int(faulty.argmax())
        raise NgioValueError(
            f"region {row}: '{stop}' must be NaN where '{_START}{axis}' is, and only there, and ∞ where that is -∞, "
            f"got {float(stops[row])!r} and {float(starts[row])!r}"
        )
    with np.errstate(invalid="ignore"):  # ∞ - ∞ is refused with the regions
        return stops - starts


def _stacked(columns: list[npt.NDArray[np.float64]], count: int) -> npt.NDArray[np.float64]:
    return np.stack(columns, axis=1) if columns else np.zeros((count, 0))
