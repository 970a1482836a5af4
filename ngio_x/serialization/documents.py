"""Values, and all that is made of them, to JSON and back; what cannot be is told with its path."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeVar, overload

from cattrs import Converter
from cattrs.errors import StructureHandlerNotFoundError

from ngio_x._frozen import at_least, named, shown, to_int
from ngio_x.errors import NgioError, NgioTypeError, NgioValidationError, NgioValueError
from ngio_x.serialization.problems import problems_of
from ngio_x.serialization.values import make_converter, require_converter

T = TypeVar("T")

_PLAIN: Final = (str, int, float, bool, type(None))


def to_dict(value: Any, *, converter: Converter | None = None) -> Any:
    """Return a value, or what is made of values, as plain dicts, lists, numbers and strings.

    Lists, mappings, attrs classes and dataclasses may hold values at any depth. Extra fields of a `Roi` stand flat
    beside its own.

    Args:
        value: What to convert.
        converter: One of your own, see `make_converter`.

    Raises:
        NgioTypeError: If an annotation of a class cannot be resolved, or a kernel has no name.

    >>> from ngio_x.roi.roi_slice import RoiSlice
    >>> to_dict(RoiSlice("x", 1, 2))
    {'axis_name': 'x', 'start': 1.0, 'length': 2.0}
    """
    known = _CONVERTER if converter is None else require_converter(converter)
    try:
        return known.unstructure(value)
    except NameError as error:
        raise NgioTypeError(f"value has a class with an annotation that {_UNKNOWN}: {error}") from None


_UNKNOWN: Final = "names nothing: define the class at the top of a module"


@overload
def from_dict(data: Any, cls: type[T], *, converter: Converter | None = None) -> T: ...
@overload
def from_dict(data: Any, cls: Any, *, converter: Converter | None = None) -> Any: ...
def from_dict(data: Any, cls: Any, *, converter: Converter | None = None) -> Any:
    """Build a value from plain data.

    Keys that a class does not know are errors; those of a `Roi` become its `extra`.

    Args:
        data: What `to_dict` returns.
        cls: The class of the value, an attrs class or dataclass that holds values, or a type made of such:
            `list[Roi]`, `dict[str, Roi]`, `Roi | None`.
        converter: One of your own, see `make_converter`.

    Raises:
        NgioValidationError: Naming every fault with its path, such as `$.slices[1].length: must be ≥ 0, got -3`.
        NgioTypeError: If `cls` is not a type that can be built.
    """
    known = _CONVERTER if converter is None else require_converter(converter)
    try:
        build = known.get_structure_hook(cls)
    except NameError as error:
        raise NgioTypeError(f"cls must not have an annotation that {_UNKNOWN}: {error}") from None
    except Exception:  # noqa: BLE001 — what is no type at all makes cattrs raise anything
        raise _no_type(cls) from None
    try:
        return build(data, cls)
    except StructureHandlerNotFoundError:
        raise _no_type(cls) from None
    except Exception as error:  # noqa: BLE001 — a user's class or hook may raise anything
        raise NgioValidationError(*problems_of(error)) from None


def _no_type(cls: Any) -> NgioTypeError:
    return NgioTypeError(
        f"cls must be the class of a value, or a type made of such, got {shown(cls)}: for others, register a structure "
        "hook on a converter of your own, see make_converter"
    )


def to_json(value: Any, *, indent: int | None = None, converter: Converter | None = None) -> str:
    """Return a value, or what is made of values, as a JSON document; see `to_dict`.

    Args:
        value: What to convert.
        indent: Blanks for each level of nesting; by default, all stands in a line.
        converter: One of your own, see `make_converter`.

    Raises:
        NgioValidationError: Naming every NaN, infinity and object that JSON has no form for, with its path.
        NgioValueError: If `indent` is negative, or above 100.
        NgioTypeError: If an annotation of a class cannot be resolved, or a kernel has no name.
    """
    if indent is not None:
        indent = named("indent", at_least(0, to_int))(indent)
        if indent > _INDENT:
            raise NgioValueError(f"indent must be ≤ {_INDENT}, got {shown(indent)}")
    try:
        data = to_dict(value, converter=converter)
        if problems := list(_without_json(data, "$")):
            raise NgioValidationError(*problems)
        return json.dumps(data, indent=indent, allow_nan=False, ensure_ascii=False)
    except RecursionError:
        raise NgioValidationError("$: is nested too deeply") from None
    except NgioError:
        raise
    except ValueError as error:
        raise NgioValidationError(
            f"$: a number of type int must have fewer digits to be JSON: {error}"
        ) from None  # thousands of digits


_INDENT: Final = 100
"""More blanks a level of nesting are a mistake."""


@overload
def from_json(text: str | bytes, cls: type[T], *, converter: Converter | None = None) -> T: ...
@overload
def from_json(text: str | bytes, cls: Any, *, converter: Converter | None = None) -> Any: ...
def from_json(text: str | bytes, cls: Any, *, converter: Converter | None = None) -> Any:
    """Build a value from a JSON document.

    Args:
        text: What `to_json` returns, as a string or as bytes.
        cls: As in `from_dict`.
        converter: As in `from_dict`.

    Raises:
        NgioValidationError: If the text is not JSON, and for every fault as `from_dict`.
        NgioTypeError: If `text` is not a string or bytes, or as `from_dict`.
    """
    if not isinstance(text, (str, bytes, bytearray)):
        raise NgioTypeError(
            f"text must be a JSON document as str or bytes, got {type(text).__name__}: read a file first; from_dict "
            "takes what is parsed"
        )
    try:
        data = json.loads(text)
    except ValueError as error:  # no JSON, no UTF-8, or a number of thousands of digits
        raise NgioValidationError(f"$: must be JSON, got {shown(text)}: {error}") from None
    except RecursionError:
        raise NgioValidationError("$: is nested too deeply") from None
    problems = list(_without_json(data, "$"))  # Python's reader lets NaN and infinities in
    try:
        value = from_dict(data, cls, converter=converter)
    except NgioValidationError as error:
        known = {_path_of(problem) for problem in problems}
        problems += [problem for problem in error.problems if _path_of(problem) not in known]
    if problems:
        raise NgioValidationError(*problems)
    return value


def _path_of(problem: str) -> str:
    return problem.partition(": ")[0]


def _without_json(data: Any, path: str) -> Iterator[str]:
    """Yield one `path: message` for each thing that JSON has no form for."""
    if isinstance(data, Mapping):
        for key, item in data.items():
            if not isinstance(key, str):
                yield f"{path}: JSON keys must be strings, got {shown(key)}"
            yield from _without_json(item, f"{path}.{key}")
    elif isinstance(data, list):
        for index, item in enumerate(data):
            yield from _without_json(item, f"{path}[{index}]")
    elif isinstance(data, float) and not math.isfinite(data):
        yield f"{path}: must be a finite number, got {data}; leave the key out or use null"
    elif not isinstance(data, _PLAIN):
        yield f"{path}: JSON has no form for {shown(data)} of type {type(data).__name__}: convert it first"


_CONVERTER: Final = make_converter()
