"""Values to JSON and back: one configured cattrs converter. The values themselves know nothing of it."""

from __future__ import annotations

import json
import math
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Literal, TypeVar, Union, get_args, get_origin

import attrs
from cattrs import Converter
from cattrs.cols import list_structure_factory
from cattrs.errors import (
    AttributeValidationNote,
    BaseValidationError,
    ForbiddenExtraKeysError,
    IterableValidationNote,
    StructureHandlerNotFoundError,
)
from cattrs.gen import make_dict_structure_fn, override

from ngio_x._frozen import ItemsError, at_least, field_names, named, shown, thaw, to_int
from ngio_x.errors import NgioError, NgioTypeError, NgioValidationError, NgioValueError
from ngio_x.roi.roi import Roi

T = TypeVar("T")

_PLAIN: Final = (str, int, float, bool, type(None))


def to_dict(value: Any) -> Any:
    """Return a value, or a list of values, as plain dicts, lists, numbers and strings.

    Extra fields of a `Roi` stand flat beside its own.

    >>> from ngio_x.roi.roi_slice import RoiSlice
    >>> to_dict(RoiSlice("x", 1, 2))
    {'axis_name': 'x', 'start': 1.0, 'length': 2.0}
    """
    return _CONVERTER.unstructure(value)


def from_dict(data: Any, cls: type[T]) -> T:
    """Build a value of type `cls` (or `list[cls]`) from plain data.

    Keys that a class does not know are errors; those of a `Roi` become its `extra`.

    Raises:
        NgioValidationError: Naming every fault with its path, such as `$.slices[1].length: must be ≥ 0, got -3`.
        NgioTypeError: If `cls` is no class that can be built.
    """
    try:
        return _CONVERTER.structure(data, cls)
    except (BaseValidationError, NgioError) as error:
        raise NgioValidationError(*_problems(error, "$")) from None
    except (StructureHandlerNotFoundError, TypeError, AttributeError, ValueError):
        raise NgioTypeError(f"cls must be the class of a value, or list[...] of one, got {shown(cls)}") from None


def to_json(value: Any, *, indent: int | None = None) -> str:
    """Return a value, or a list of values, as a JSON document.

    Raises:
        NgioValidationError: Naming every NaN, infinity and object that JSON has no form for, with its path.
        NgioValueError: If `indent` is no small number.
    """
    if indent is not None:
        indent = named("indent", at_least(0, to_int))(indent)
        if indent > _INDENT:
            raise NgioValueError(f"indent must be ≤ {_INDENT}, got {shown(indent)}")
    try:
        data = to_dict(value)
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


def from_json(text: str | bytes, cls: type[T]) -> T:
    """Build a value of type `cls` (or `list[cls]`) from a JSON document; errors as for `from_dict`."""
    if not isinstance(text, (str, bytes, bytearray)):
        raise NgioTypeError(f"text must be a JSON document as str or bytes, got {type(text).__name__}")
    try:
        data = json.loads(text)
    except ValueError as error:  # no JSON, no UTF-8, or a number of thousands of digits
        raise NgioValidationError(f"$: must be JSON, got {shown(text)}: {error}") from None
    except RecursionError:
        raise NgioValidationError("$: is nested too deeply") from None
    problems = list(_without_json(data, "$"))  # Python's reader lets NaN and infinities in
    try:
        value = from_dict(data, cls)
    except NgioValidationError as error:
        known = {_path_of(problem) for problem in problems}
        problems += [problem for problem in error.problems if _path_of(problem) not in known]
    if problems:
        raise NgioValidationError(*problems)
    return value


def _path_of(problem: str) -> str:
    return problem.partition(": ")[0]


def _without_json(data: Any, path: str) -> Iterator[str]:
    """Return one `path: message` for each thing that JSON has no form for."""
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


def _is_plain(kind: Any) -> bool:
    """Whether values of this type are taken as they are, for the field itself to check."""
    if get_origin(kind) in (Union, types.UnionType):
        return all(_is_plain(option) for option in get_args(kind))
    return kind in _PLAIN or kind is Any or get_origin(kind) is Literal or _is_plain_tuple(kind) or _is_mapping(kind)


def _is_tuple(kind: Any) -> bool:
    return get_origin(kind) is tuple


def _is_list_or_tuple(kind: Any) -> bool:
    return get_origin(kind) in (list, tuple)


def _is_plain_tuple(kind: Any) -> bool:
    return _is_tuple(kind) and all(option is Ellipsis or _is_plain(option) for option in get_args(kind))


def _is_mapping(kind: Any) -> bool:
    return get_origin(kind) is Mapping


def _structured_attrs(converter: Converter, cls: type[Any]) -> Callable[[Any, Any], Any]:
    """Return a function that builds `cls` field by field, so that all faulty fields are reported at once."""
    overrides: dict[str, Any] = {
        attribute.name: override(struct_hook=_structured_field(converter, attribute)) for attribute in attrs.fields(cls)
    }
    build = make_dict_structure_fn(
        cls, converter, _cattrs_forbid_extra_keys=True, _cattrs_detailed_validation=True, **overrides
    )

    def structure(data: Any, kind: Any) -> Any:
        if not isinstance(data, Mapping):
            raise NgioValueError(f"must be an object with the fields of {cls.__name__}, got {shown(data)}")
        return build(_with_flat_extra(data) if cls is Roi else data, kind)

    return structure


def _structured_field(converter: Converter, attribute: attrs.Attribute[Any]) -> Callable[[Any, Any], Any]:
    check = attribute.metadata["convert"]

    def structure(data: Any, kind: Any) -> Any:
        return check(data if _is_plain(kind) else converter.structure(data, kind))

    return structure


def _structured_items(converter: Converter, kind: Any) -> Callable[[Any, Any], Any]:
    """Return a function that builds a list or tuple item by item; texts and mappings iterate too, but are refused."""
    items: Any = types.GenericAlias(list, get_args(kind)[:1])
    build = list_structure_factory(items, converter)

    def structure(data: Any, _kind: Any) -> Any:
        if not isinstance(data, (list, tuple)):
            raise NgioValueError(f"must be a list, got {shown(data)}")
        return get_origin(kind)(build(data, items))

    return structure


def _with_flat_extra(data: Mapping[str, Any]) -> dict[str, Any]:
    """Gather the keys that are no fields of a region under `extra`."""
    names = set(field_names(Roi)) - {"extra"}
    known = {key: item for key, item in data.items() if key in names}
    return known | {"extra": {key: item for key, item in data.items() if key not in names}}


def _problems(error: BaseException, path: str) -> Iterator[str]:
    """Return one `path: message` for each fault that cattrs has gathered."""
    if isinstance(error, NgioValidationError):
        yield from error.problems
    elif isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _problems(inner, path + _step(inner))
    elif isinstance(error, ItemsError):
        for position, complaint in error.args:
            yield f"{path}[{position}]: {complaint}"
    elif isinstance(error, ForbiddenExtraKeysError):
        names = field_names(error.cl)
        for key in sorted(error.extra_fields, key=str):
            yield f"{path}.{key}: is not a field of {error.cl.__name__}, which has {', '.join(names)}"
    elif isinstance(error, KeyError) and not isinstance(error, NgioError):
        yield f"{path}: is missing"
    else:
        yield f"{path}: {error}"


def _step(error: BaseException) -> str:
    """Return the part of the path that a note of cattrs stands for."""
    for note in getattr(error, "__notes__", ()):
        if isinstance(note, AttributeValidationNote):
            return f".{note.name}"
        if isinstance(note, IterableValidationNote):
            return f"[{note.index}]" if isinstance(note.index, int) else f".{note.index}"
    return ""


def _make_converter() -> Converter:
    converter = Converter(detailed_validation=True)
    converter.register_structure_hook_factory(attrs.has, lambda cls: _structured_attrs(converter, cls))
    converter.register_structure_hook_factory(_is_list_or_tuple, lambda kind: _structured_items(converter, kind))
    converter.register_unstructure_hook_func(_is_mapping, thaw)
    converter.register_unstructure_hook_func(_is_tuple, _list_of(converter))
    converter.register_unstructure_hook(
        Roi,
        lambda roi: {
            "name": roi.name,
            "slices": [converter.unstructure(item) for item in roi.slices],
            "label": roi.label,
            "space": roi.space,
            **thaw(roi.extra),
        },
    )
    return converter


def _list_of(converter: Converter) -> Callable[[Any], list[Any]]:
    return lambda items: [converter.unstructure(item) for item in items]


_CONVERTER: Final = _make_converter()
