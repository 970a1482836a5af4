"""Many regions as a Dataset, one row a region, and back."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import xarray as xr

from ngio_x.errors import NgioTypeError, NgioValueError
from ngio_x.roi.columns import RoiColumns, columns_of, integer_type, to_rois
from ngio_x.roi.roi import Roi

_ROW: Final = "roi"
_START, _LENGTH, _STOP = "start_", "length_", "stop_"
_OWN: Final = ("name", "label", "space")
_EXTRA: Final = "extra"
"""Attribute of a variable that says which extra it holds, where its name is taken."""


def rois_to_dataset(rois: Iterable[Roi]) -> xr.Dataset:
    """Return regions as a Dataset along `roi`, from which `rois_from_dataset` makes the same regions.

    >>> ds = rois_to_dataset([Roi.from_values({"y": (0, 2), "x": (5, 3)}, "cell", label=7, area=6.0)])
    >>> ds["length_x"].values, ds["area"].values
    (array([3.]), array([6.]))

    Args:
        rois: Regions, of any mix of axes and spaces.

    Returns:
        A Dataset with the variables `start_y` and `length_y` for each axis `y` that one of the regions has, as floats:
        a start of −∞ is unbounded below, a length of ∞ unbounded above, and NaN a region that lacks the axis; `name`
        and `label`, None for a region without; `space`; and one variable for each extra, NaN for a region that has
        none of it. An extra whose name is taken stands under `extra_<name>`, with its name in the attribute `extra`.

    Raises:
        NgioTypeError: If something else than a region is among them.
    """
    columns = columns_of(rois)
    names, labels, extras = columns.names or (), columns.labels, columns.extras or ()
    data: dict[str, Any] = {}
    for k, axis in enumerate(columns.axes):
        data[f"{_START}{axis}"] = columns.starts[:, k]
        data[f"{_LENGTH}{axis}"] = columns.lengths[:, k]
    data |= {"name": _objects(names), "label": _compact(list(labels or ())), "space": np.array(columns.spaces, "<U5")}
    found = {name: xr.Variable(_ROW, values) for name, values in data.items()}
    for key in dict.fromkeys(key for extra in extras for key in extra):
        variable = key
        while variable in found or variable == _ROW or variable.startswith((_START, _LENGTH, _STOP)):
            variable = f"{_EXTRA}_{variable}"
        values = _compact([extra.get(key, np.nan) for extra in extras])
        whole = any(isinstance(value, (datetime, timedelta)) for value in values)  # xarray would make them numpy's
        found[variable] = xr.Variable(_ROW, values, {} if variable == key else {_EXTRA: key}, fastpath=whole)
    return xr.Dataset(found)


def rois_from_dataset(dataset: xr.Dataset) -> list[Roi]:
    """Return the regions of a Dataset with a row for each, such as that of `rois_to_dataset`.

    >>> ds = xr.Dataset({"start_y": 0.0, "stop_y": 2.0, "start_x": ("roi", [5.0]), "length_x": 3.0})
    >>> rois_from_dataset(ds)[0]["x"].bounds
    (5.0, 8.0)

    Args:
        dataset: Variables `start_<axis>` with `length_<axis>` or `stop_<axis>` for two axes or more, all along one
            dimension, or scalars that hold for every row. `name`, `label` and `space` (world, if missing) are
            optional, and may be coordinates; all other variables are extras, NaN meaning that a region has none. So
            `label_extents(labels).assign(space="pixel")` gives the boxes of objects.

    Raises:
        NgioTypeError: If it is no Dataset.
        NgioValueError: If variables do not fit together, or a region makes no sense; the message says which.
    """
    if not isinstance(dataset, xr.Dataset):
        raise NgioTypeError(f"dataset must be a Dataset, got {type(dataset).__name__}: make one with rois_to_dataset")
    dims = {dim for name in dataset.variables for dim in dataset[name].dims}
    if len(dims) > 1:
        raise NgioValueError(f"the variables must lie along one dimension, got {sorted(map(str, dims))}")
    count = dataset.sizes[next(iter(dims))] if dims else 1
    columns = {str(name): _column(dataset, name, count) for name in dataset.variables}
    attributes = {str(name): variable.attrs for name, variable in dataset.variables.items()}
    axes = [name.removeprefix(_START) for name in columns if name.startswith(_START)]
    if not axes and count:
        raise NgioValueError(f"dataset must have {_START}<axis> for two axes or more, got {list(dataset.variables)}")
    bounds = {name for axis in axes for name in (f"{_START}{axis}", f"{_LENGTH}{axis}", f"{_STOP}{axis}")}
    index = {name for name in dims if name in columns and name not in _OWN}
    extras = [name for name in columns if name not in bounds and name not in _OWN and name not in index]
    keys = [str(attributes[name].get(_EXTRA, name)) for name in extras]
    rows = zip(*(_listed(columns[name]) for name in extras), strict=True) if extras else [()] * count
    described = RoiColumns(
        tuple(axes),
        _stacked([_numbers(columns, f"{_START}{axis}") for axis in axes], count),
        _stacked([_lengths(columns, axis) for axis in axes], count),
        names=_optional(columns, "name"),
        labels=_optional(columns, "label"),
        spaces=columns["space"].tolist() if "space" in columns else "world",
        extras=[{key: value for key, value in zip(keys, row, strict=True) if not _is_nan(value)} for row in rows],
    )
    return to_rois(described)


def _optional(columns: dict[str, npt.NDArray[Any]], name: str) -> list[Any] | None:
    """Return a column as a list, None where it holds NaN, as in data frames; or None if there is no such column."""
    return [None if _is_nan(value) else value for value in _listed(columns[name])] if name in columns else None


def _column(dataset: xr.Dataset, name: Hashable, count: int) -> npt.NDArray[Any]:
    values: npt.NDArray[Any] = dataset[name].values
    return values if values.ndim else np.repeat(values[np.newaxis], count)


def _numbers(columns: dict[str, npt.NDArray[Any]], name: str) -> npt.NDArray[np.float64]:
    if columns[name].dtype.kind not in "iuf":
        raise NgioValueError(f"'{name}' must hold numbers, got {columns[name].dtype}")
    return columns[name].astype(np.float64)


def _lengths(columns: dict[str, npt.NDArray[Any]], axis: str) -> npt.NDArray[np.float64]:
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


def _compact(values: list[Any]) -> npt.NDArray[Any]:
    """Return values as an array of their own type, if they are all of one that numpy has; else of objects."""
    types = {*map(type, values)}
    if types == {int}:
        return np.array(values, integer_type(values) or object)
    return np.array(values) if types in ({bool}, {float}) else _objects(values)


def _objects(values: Iterable[Any]) -> npt.NDArray[Any]:
    """Return values as they are: numpy would take tuples for further dimensions, and cut zeros off texts."""
    items = list(values)
    array = np.empty(len(items), dtype=object)
    for row, item in enumerate(items):
        array[row] = item
    return array


def _listed(values: npt.NDArray[Any]) -> list[Any]:
    """Return values as Python's; times stay numpy's, whose nanoseconds Python lacks."""
    return list(values) if values.dtype.kind in "mM" else values.tolist()


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and value != value  # noqa: PLR0124 — what makes it NaN
