"""Columns as comma-separated text, in the dialect of pyarrow: all text is quoted, so that "1" is no number."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from ngio_x.errors import NgioValueError


def csv_text(columns: Mapping[str, Sequence[Any]]) -> str:
    r"""Return columns as text; what is missing (None) is left empty.

    >>> csv_text({"name": ["a", "1"], "size": [2.0, None]})
    '"name","size"\n"a",2.0\n"1",\n'
    """
    lines = [",".join(map(_quoted, columns))]
    lines += map(",".join, zip(*(map(_written, column) for column in columns.values()), strict=True))
    return "".join([f"{line}\n" for line in lines])


def columns_of_csv(text: str) -> dict[str, list[Any]]:
    r"""Return the columns of a text: quoted fields are text, others what they look like, empty ones None.

    >>> columns_of_csv('name,"size",age\n"1",2.0,\nb,NaN,3\n')
    {'name': ['1', 'b'], 'size': [2.0, None], 'age': [None, 3]}

    Raises:
        NgioValueError: If a row has not as many fields as the header, or two columns have one name.
    """
    found = _FIELD.findall(text.removeprefix("\ufeff").rstrip("\r\n") + "\n")[:-1]
    ends = [place for place, (_, end) in enumerate(found) if end != ","]
    width = ends[0] + 1
    if ends != list(range(width - 1, len(found), width)):
        found, ends = _without_empty_lines(found, ends)
        _require_rows(ends, width)
    fields = [field for field, _ in found]
    names = [_plain(field) for field in fields[:width]]
    if len(set(names)) < width:
        raise NgioValueError(f"has two columns of one name: {names}")
    return {name: _typed(fields[width + place :: width]) for place, name in enumerate(names)}


_FIELD: Final = re.compile(r'("[^"]*(?:""[^"]*)*"|[^,\r\n]*)(,|\r\n|\n|\r|\Z)')
"""A field, quoted or not, and what ends it."""
_MISSING: Final = frozenset(
    ("", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "-NaN", "-nan", "NULL", "null", "None", "1.#QNAN")
)
"""What stands for a number that is not there."""
_BOOLEANS: Final = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_DIGITS: Final = frozenset("0123456789+-")


def _written(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return _quoted(value)
    return repr(value).lower() if isinstance(value, bool) else repr(value)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _plain(field: str) -> str:
    return field[1:-1].replace('""', '"') if _is_quoted(field) else field


def _is_quoted(field: str) -> bool:
    return len(field) > 1 and field[0] == field[-1] == '"'


def _without_empty_lines(
    found: Sequence[tuple[str, str]], ends: Sequence[int]
) -> tuple[list[tuple[str, str]], list[int]]:
    """Return the fields without those that are lines by themselves, and where the lines end now."""
    empty = {end for start, end in itertools.pairwise(ends) if end == start + 1 and not found[end][0]}
    kept = [field for place, field in enumerate(found) if place not in empty]
    return kept, [place for place, (_, end) in enumerate(kept) if end != ","]


def _require_rows(ends: Sequence[int], width: int) -> None:
    for row, (start, end) in enumerate(itertools.pairwise(ends), 1):
        if end - start != width:
            raise NgioValueError(f"row {row} has {end - start} fields where the header has {width}")


def _typed(fields: Sequence[str]) -> list[Any]:
    """Return the values of a column."""
    if any(map(_is_quoted, fields)):
        return [_plain(field) or (None if field == "" else "") for field in fields]
    given = {field for field in fields if field not in _MISSING}
    kind = _kind(given)
    if kind is None:
        return [field or None for field in fields]
    values = {field: kind(field) for field in given}
    return [values.get(field) for field in fields]


def _kind(fields: Iterable[str]) -> Callable[[str], Any] | None:
    """Return what makes values of fields: integers, else floats, else booleans; None where they are text."""
    given = list(fields)
    if given and _BOOLEANS.keys() >= set(given):
        return _BOOLEANS.__getitem__
    letters = set().union(*given)
    if letters & {"_", " "} or not all(map(str.isascii, letters)):  # Python would take more for a number than others
        return None
    for number in (int, float) if letters <= _DIGITS else (float,):
        try:
            list(map(number, given))
        except ValueError:
            continue
        return number
    return None
