"""What a converter of cattrs does with everything that is no value of ngio_x, so that no meaning changes in silence.

Left to itself, cattrs makes 1 of `"1"` and of 1.9, reads a text as a list of letters, loses the fields of a subclass
where its base is declared, and tells of a missing key where an object was no object.
"""

from __future__ import annotations

import dataclasses
import itertools
import types
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from enum import Enum
from typing import Any, Final, Literal, TypeVar, Union, get_args, get_origin

import attrs
import numpy as np
from cattrs import Converter
from cattrs.cols import is_namedtuple, namedtuple_unstructure_factory
from cattrs.errors import IterableValidationError, IterableValidationNote
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn

from ngio_x._frozen import freeze, is_number, one_of, shown, to_bool, to_int
from ngio_x.errors import NgioValueError
from ngio_x.serialization.problems import problems_of

T = TypeVar("T")

_LISTS: Final = (list, tuple, set, frozenset)
_MAPPINGS: Final = (dict, Mapping, MutableMapping)
_UNIONS: Final[tuple[Any, ...]] = (Union, types.UnionType)


def be_strict(converter: Converter) -> None:
    """Register what this module is about; hooks that are registered later win."""
    for kind, convert in _SCALARS.items():
        converter.register_structure_hook(kind, _structured_scalar(kind, convert))
    converter.register_structure_hook_factory(_is_literal, _structured_literal)
    converter.register_structure_hook_factory(_has_fields, lambda kind: _structured_class(converter, kind))
    converter.register_structure_hook_factory(_is_list, lambda kind: _structured_list(converter, kind))
    converter.register_structure_hook_factory(_is_mapping, lambda kind: _structured_mapping(converter, kind))
    converter.register_structure_hook_factory(
        lambda kind: get_origin(kind) in _UNIONS and kind not in _unions_of(converter),
        lambda kind: _structured_union(converter, kind),
    )
    converter.register_unstructure_hook(np.generic, freeze)
    converter.register_unstructure_hook_func(lambda kind: kind in (bool, int, float), _python_number)
    converter.register_unstructure_hook_factory(_has_fields, lambda kind: _unstructured_class(converter, kind))
    converter.register_unstructure_hook_factory(_is_list, lambda kind: _unstructured_list(converter, kind))
    converter.register_unstructure_hook_factory(
        is_namedtuple, lambda kind: namedtuple_unstructure_factory(kind, converter, unstructure_to=list)
    )
    converter.register_unstructure_hook_factory(_is_mapping, lambda kind: _unstructured_mapping(converter, kind))


def _unions_of(converter: Converter) -> Mapping[Any, Any]:
    """Return the unions for which a user has registered a hook: cattrs keeps them apart, and would not be asked."""
    unions: Mapping[Any, Any] = getattr(converter, "_union_struct_registry", {})
    return unions


# ---- Plain data that are what they should be


def require_list(data: Any) -> list[Any] | tuple[Any, ...] | set[Any] | frozenset[Any]:
    """Return data that are a list; texts and mappings iterate too, but are refused.

    Raises:
        NgioValueError: If they are something else.
    """
    if not isinstance(data, _LISTS):
        raise NgioValueError(f"must be a list, got {shown(data)}")
    return data


def require_mapping(data: Any, cls: type) -> None:
    """Refuse anything but a mapping as the data of a class.

    Raises:
        NgioValueError: If it is something else.
    """
    if not isinstance(data, Mapping):
        raise NgioValueError(f"must be an object with the fields of {cls.__name__}, got {shown(data)}")


def built_each(parts: Iterable[tuple[Any, Any, Callable[[Any], T]]], kind: Any) -> list[T]:
    """Build each `(step, data, build)`, and tell all that is wrong at once, each with its step.

    Raises:
        IterableValidationError: If one cannot be built.
    """
    built: list[T] = []
    errors: list[Exception] = []
    for step, data, build in parts:
        try:
            built.append(build(data))
        except Exception as error:  # noqa: BLE001 — a user's hook may raise anything
            error.add_note(IterableValidationNote(f"at {step}", step, kind))
            errors.append(error)
    if errors:
        raise IterableValidationError(f"while building {kind}", errors, kind)
    return built


def _as(converter: Converter, kind: Any) -> Callable[[Any], Any]:
    return lambda data: converter.structure(data, kind)


# ---- Numbers, texts, literals


def _to_text(value: Any) -> str:
    if not isinstance(value, str):
        raise NgioValueError(f"must be a string, got {shown(value)}")
    return str(value)


def _to_real(value: Any) -> float:
    if not is_number(value):
        raise NgioValueError(f"must be a number, got {shown(value)}")
    return float(value)


_SCALARS: Final[dict[type, Callable[[Any], Any]]] = {str: _to_text, float: _to_real, int: to_int, bool: to_bool}


def _python_number(value: Any) -> Any:
    return freeze(value) if isinstance(value, np.generic) else value


def _structured_scalar(cls: type, convert: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    # A subclass, such as an enumeration of integers, comes here too.
    return lambda data, kind: convert(data) if kind is cls else kind(data)


def _is_literal(kind: Any) -> bool:
    return get_origin(kind) is Literal and not any(isinstance(option, Enum) for option in get_args(kind))


def _structured_literal(kind: Any) -> Callable[[Any, Any], Any]:
    convert = one_of(*get_args(kind))
    return lambda data, _: convert(data)


# ---- Classes of users


def _has_fields(kind: Any) -> bool:
    cls = get_origin(kind) or kind
    return isinstance(cls, type) and (attrs.has(cls) or dataclasses.is_dataclass(cls))


def _structured_class(converter: Converter, kind: Any) -> Callable[[Any, Any], Any]:
    build: Callable[[Any, Any], Any] = make_dict_structure_fn(kind, converter)
    cls = get_origin(kind) or kind

    def structure(data: Any, kind: Any) -> Any:
        require_mapping(data, cls)
        return build(data, kind)

    return structure


def _unstructured_class(converter: Converter, kind: Any) -> Callable[[Any], Any]:
    write: Callable[[Any], Any] = make_dict_unstructure_fn(kind, converter)
    cls = get_origin(kind) or kind
    return lambda value: write(value) if type(value) is cls else converter.unstructure(value)  # a subclass has more


# ---- Containers


def _is_list(kind: Any) -> bool:
    return (get_origin(kind) or kind) in _LISTS


def _structured_list(converter: Converter, kind: Any) -> Callable[[Any, Any], Any]:
    make, options = get_origin(kind) or kind, get_args(kind)
    fixed = make is tuple and bool(options) and options[-1] is not Ellipsis
    item = options[0] if options else Any

    def structure(data: Any, _: Any) -> Any:
        items = require_list(data)
        if fixed and len(items) != len(options):
            raise NgioValueError(f"must have {len(options)} items, got {len(items)}")
        kinds = options if fixed else (item,) * len(items)
        parts = zip(range(len(items)), items, (_as(converter, each) for each in kinds), strict=True)
        return make(built_each(parts, kind))

    return structure


def _unstructured_list(converter: Converter, kind: Any) -> Callable[[Any], Any]:
    options = get_args(kind)
    fixed = (get_origin(kind) or kind) is tuple and bool(options) and options[-1] is not Ellipsis
    item = options[0] if options else None

    def unstructure(given: Any) -> Any:
        if not np.iterable(given) or isinstance(given, str):  # no list, whatever the annotation says
            return converter.unstructure(given)
        items = list(given)
        kinds = options if fixed and len(items) == len(options) else itertools.repeat(item)
        return [converter.unstructure(each, kind) for each, kind in zip(items, kinds, strict=False)]

    return unstructure


def _is_mapping(kind: Any) -> bool:
    return (get_origin(kind) or kind) in _MAPPINGS


def _structured_mapping(converter: Converter, kind: Any) -> Callable[[Any, Any], Any]:
    key_kind, item_kind = get_args(kind) or (Any, Any)

    def structure(data: Any, _: Any) -> Any:
        if not isinstance(data, Mapping):
            raise NgioValueError(f"must be an object, got {shown(data)}")
        keys = built_each(((key, _key(key, key_kind), _as(converter, key_kind)) for key in data), kind)
        items = built_each(((key, item, _as(converter, item_kind)) for key, item in data.items()), kind)
        return dict(zip(keys, items, strict=True))

    return structure


def _key(key: Any, kind: Any) -> Any:
    """Return a key that stands in JSON, where all are texts, as the number that it is."""
    try:
        return kind(key) if kind in (int, float) and isinstance(key, str) else key
    except ValueError:
        return key


def _unstructured_mapping(converter: Converter, kind: Any) -> Callable[[Any], Any]:
    key_kind, item_kind = get_args(kind) or (None, None)

    def text(key: Any) -> Any:
        plain = converter.unstructure(key, key_kind)
        if isinstance(plain, (list, dict)):
            raise NgioValueError(f"a key must be a text or a number, got {shown(key)}: make a list of pairs of it")
        return repr(plain) if type(plain) in (int, float) else plain

    def unstructure(mapping: Any) -> Any:
        if not isinstance(mapping, Mapping):
            return converter.unstructure(mapping)
        plain = {text(key): converter.unstructure(item, item_kind) for key, item in mapping.items()}
        if len(plain) < len(mapping):
            raise NgioValueError(f"a number and its text cannot both be keys, got {shown(list(mapping))}: rename one")
        return plain

    return unstructure


# ---- Unions


def _structured_union(converter: Converter, union: Any) -> Callable[[Any, Any], Any]:
    """Return a function that builds the option that gives the data back; subclasses come before their bases."""
    options = [option for option in get_args(union) if option is not type(None)]
    options.sort(key=lambda option: -len(getattr(option, "__mro__", ())))

    def structure(data: Any, _: Any) -> Any:
        if data is None and len(options) < len(get_args(union)):
            return None
        if len(options) == 1:
            return converter.structure(data, options[0])
        built, faults = [], []
        for option in options:
            try:
                value = converter.structure(data, option)
            except Exception as error:  # noqa: BLE001 — a user's hook may raise anything
                faults.append(error)
                continue
            if _same(converter.unstructure(value, option), data):
                return value
            built.append(value)
        if built:
            return built[0]
        raise _closest(faults, data, options)

    return structure


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def _closest(faults: Sequence[Exception], data: Any, options: Sequence[Any]) -> Exception:
    """Return what is wrong with the option that the data come closest to; all are named, if they come close to none."""
    told = [list(problems_of(fault)) for fault in faults]
    strange = [problems[0].startswith("$: ") for problems in told]
    if all(strange):
        return NgioValueError(f"must be one of {', '.join(map(_name_of, options))}, got {shown(data)}")
    return faults[min(range(len(faults)), key=lambda at: (strange[at], len(told[at])))]


def _name_of(kind: Any) -> str:
    return str(kind) if get_args(kind) else getattr(kind, "__name__", str(kind))
