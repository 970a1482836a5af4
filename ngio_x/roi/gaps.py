"""Columns of a table whose rows may lack a value: arrays that files can hold, and from which the same values come."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from ngio_x.roi.columns import integer_type


class _Absent:
    """The type of `ABSENT`, which is only ever compared by identity."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = _Absent()
"""Stands in a list of values for a row that has none."""

LACKS, HAS, IS_NONE = 0, 1, 2
"""What `given` says of a row: it has no value; it has the one in the column; it has None."""

_ARRAYS: Final[dict[Any, Any]] = {"int64": 0, "uint64": 0, bool: False, float: np.nan}
"""Types of arrays, and what stands in them where there is no value: the type stays what it is, in files, too."""


class Column(NamedTuple):
    """Values of one type where they have one, and what files cannot tell by them."""

    values: npt.NDArray[Any]
    given: npt.NDArray[np.int8] | None = None
    """`LACKS`, `HAS` or `IS_NONE` for each row; None where the values alone tell."""


def to_column(values: Sequence[Any], blank: Any = np.nan) -> Column:
    """Return values as a column.

    Numbers and booleans get an array of their type; texts and all else one of objects, as do integers of more than 64
    bits and values of several types, which few files can hold.

    >>> to_column([3, ABSENT])
    Column(values=array([3, 0]), given=array([1, 0], dtype=int8))

    Args:
        values: One a row; `ABSENT` for a row without, None for None.
        blank: What stands among objects where there is no value.
    """
    found = [value for value in values if value is not None and value is not ABSENT]
    kinds = {*map(type, found)}
    kind = kinds.pop() if len(kinds) == 1 else None
    dtype: Any = integer_type(found) if kind is int else kind
    if dtype not in _ARRAYS:
        array = objects(blank if value is ABSENT else value for value in values)
    elif len(found) == len(values):
        array = np.array(found, dtype)
    else:
        array = np.array([_ARRAYS[dtype] if value is ABSENT or value is None else value for value in values], dtype)
    if dtype is str:  # an empty text and none at all look alike in files
        needed = len(found) < len(values) or "" in found
    elif array.dtype.kind in "iub":
        needed = len(found) < len(values)
    else:
        needed = any(value is None for value in values)
    return Column(array, _given(values) if needed else None)


def _given(values: Sequence[Any]) -> npt.NDArray[np.int8]:
    return np.array([LACKS if value is ABSENT else IS_NONE if value is None else HAS for value in values], np.int8)


def from_column(column: Column) -> list[Any]:
    """Return the values of a column as Python's, `ABSENT` for rows without: the way back from `to_column`.

    A value that is neither missing nor a filler counts, whatever `given` says: somebody has put it there since. Times
    stay numpy's, whose nanoseconds Python lacks.
    """
    kind = column.values.dtype.kind
    values = list(column.values) if kind in "mM" else column.values.tolist()
    if column.given is not None:
        return [_told(value, code) for value, code in zip(values, column.given.tolist(), strict=True)]
    if kind in "iub" or (kind == "f" and not np.isnan(column.values).any()):
        return values
    return [ABSENT if _is_nan(value) else value for value in values]


def _told(value: Any, code: Any) -> Any:
    missing = value is None or _is_nan(value)
    if code in (LACKS, IS_NONE) and (missing or (isinstance(value, (str, int)) and not value)):
        return ABSENT if code == LACKS else None
    if not missing:
        return value
    return "" if code == HAS else ABSENT  # to pandas, what it reads of an empty text is missing


def objects(values: Iterable[Any]) -> npt.NDArray[Any]:
    """Return values as they are: numpy would take tuples for further dimensions, and cut zeros off texts."""
    items = list(values)
    array = np.empty(len(items), dtype=object)
    for row, item in enumerate(items):
        array[row] = item
    return array


def _is_nan(value: Any) -> bool:
    """Whether a value is NaN, or the NaT that xarray and pandas put among times."""
    kinds = (float, np.datetime64, np.timedelta64, datetime)
    return isinstance(value, kinds) and bool(value != value)  # noqa: PLR0124 — what makes it NaN
