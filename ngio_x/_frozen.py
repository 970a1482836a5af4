"""The one way to make a value: a frozen, slotted attrs class, and the converters and validators its fields share."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import Any, TypeVar, dataclass_transform

import attrs
import numpy as np

from ngio_x.errors import NgioValueError

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


def field(convert: Callable[[Any], Any], **options: Any) -> Any:
    """Declare a field whose values pass through `convert`, the one place that normalises and checks them.

    `convert` raises `NgioValueError("must be …")`; the constructor puts the field's name in front of it, and reading
    a document puts the path there instead (the bare function is kept in the field's metadata).
    """
    return attrs.field(metadata={"convert": convert}, **options)


def _named(attribute: attrs.Attribute[Any]) -> attrs.Attribute[Any]:
    """Give the attribute a converter that puts its name in front of what its `convert` complains about."""
    convert, name = attribute.metadata["convert"], attribute.name

    def converter(value: Any) -> Any:
        try:
            return convert(value)
        except NgioValueError as error:
            raise NgioValueError(f"{name} {error}") from None

    return attribute.evolve(converter=converter)


@dataclass_transform(frozen_default=True, field_specifiers=(field, attrs.field))
def frozen(cls: type[T]) -> type[T]:
    """Make `cls` a value: immutable, slotted, compared and hashed by its fields."""
    return attrs.frozen(slots=True, field_transformer=lambda _cls, fields: [_named(each) for each in fields])(cls)


def evolve(value: T, **changes: Any) -> T:
    """Return `value` with some fields changed; everything is validated again."""
    return attrs.evolve(value, **changes)  # type: ignore[misc]  # mypy does not see the attrs class behind `frozen`


def field_names(cls: type) -> tuple[str, ...]:
    """Return the names of the fields of a value class."""
    return tuple(attribute.name for attribute in attrs.fields(cls))


class ReadOnlyMapping(Mapping[K, V]):
    """A mapping that cannot change, hashes when its values do, pickles, and remembers the order of its keys."""

    __slots__ = ("_data",)
    _data: dict[K, V]

    def __init__(self, data: Mapping[K, V] | Iterable[tuple[K, V]] = ()) -> None:
        object.__setattr__(self, "_data", dict(data))

    def __getitem__(self, key: K) -> V:
        return self._data[key]

    def __iter__(self) -> Iterator[K]:
        return iter(self._data)

    def __len__(self) -> int:
        return len(self._data)

    def __hash__(self) -> int:
        return hash(frozenset(self._data.items()))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, ReadOnlyMapping):
            return self._data == other._data
        return self._data == other if isinstance(other, Mapping) else NotImplemented

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is read-only")

    def __reduce__(self) -> tuple[type[ReadOnlyMapping[K, V]], tuple[dict[K, V]]]:
        return type(self), (self._data,)

    def __repr__(self) -> str:
        return repr(self._data)


def freeze(value: Any) -> Any:
    """Turn JSON-like data into its immutable form: mappings read-only, sequences tuples, numpy scalars Python's."""
    if isinstance(value, Mapping):
        return ReadOnlyMapping((key, freeze(item)) for key, item in value.items())
    if isinstance(value, np.ndarray):
        return freeze(value.tolist())
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (list, tuple)):
        return tuple(freeze(item) for item in value)
    return value


def thaw(value: Any) -> Any:
    """Turn frozen data back into plain dicts and lists, as JSON writers want them."""
    if isinstance(value, Mapping):
        return {key: thaw(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [thaw(item) for item in value]
    return value


def to_float(value: Any) -> float:
    """Convert a finite real number to float; anything else is refused."""
    if type(value) is float and math.isfinite(value):  # first, because regions come by the 100 000
        return value
    if type(value) is not float:
        if type(value) is not int and (
            isinstance(value, (bool, np.bool_)) or not isinstance(value, (numbers.Real, np.number))
        ):
            raise NgioValueError(f"must be a number, got {value!r}")
        try:
            value = float(value)
        except OverflowError:
            raise NgioValueError(f"must be a finite number, got {value!r}") from None
    if not math.isfinite(value):
        raise NgioValueError(f"must be a finite number, got {value!r}")
    return value  # type: ignore[no-any-return]


def to_optional_float(value: Any) -> float | None:
    """Convert like `to_float`, and let `None` through."""
    if value is None or (type(value) is float and math.isfinite(value)):
        return value
    return to_float(value)


def to_int(value: Any) -> int:
    """Convert an integer (also numpy's, also a float without fraction) to int; anything else is refused."""
    if type(value) is int:
        return value
    is_number = isinstance(value, (numbers.Real, np.number)) and not isinstance(value, (bool, np.bool_))
    if not is_number or not math.isfinite(value) or int(value) != value:
        raise NgioValueError(f"must be an integer, got {value!r}")
    return int(value)


def _to_tuple(value: Any, convert: Callable[[Any], T]) -> tuple[T, ...]:
    # The first test spares tuples the slow look-ups of abstract base classes: regions come by the 100 000.
    if type(value) is not tuple and (isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable)):
        raise NgioValueError(f"must be a sequence, got {value!r}")
    return tuple(convert(item) for item in value)


def to_floats(value: Any) -> tuple[float, ...]:
    """Convert a sequence of finite numbers to a tuple of floats."""
    return _to_tuple(value, to_float)


def to_ints(value: Any) -> tuple[int, ...]:
    """Convert a sequence of integers to a tuple of ints."""
    return _to_tuple(value, to_int)


def to_names(value: Any) -> tuple[str, ...]:
    """Convert a sequence of names to a tuple of non-empty strings."""
    return _to_tuple(value, to_name)


def to_name(value: Any) -> str:
    """Accept a non-empty string; anything else is refused."""
    if not isinstance(value, str) or not value:
        raise NgioValueError(f"must be a non-empty string, got {value!r}")
    return value


def to_optional_name(value: Any) -> str | None:
    """Accept a string or `None`; the string may be empty."""
    if value is not None and not isinstance(value, str):
        raise NgioValueError(f"must be a string or None, got {value!r}")
    return value


def to_bool(value: Any) -> bool:
    """Accept a boolean; anything else is refused."""
    if not isinstance(value, (bool, np.bool_)):
        raise NgioValueError(f"must be true or false, got {value!r}")
    return bool(value)


def instance_of(cls: type[T]) -> Callable[[Any], T]:
    """Return a converter that lets instances of `cls` through and refuses anything else."""

    def convert(value: Any) -> T:
        if not isinstance(value, cls):
            raise NgioValueError(f"must be a {cls.__name__}, got {value!r}")
        return value

    return convert


def tuple_of(cls: type[T]) -> Callable[[Any], tuple[T, ...]]:
    """Return a converter from a sequence of `cls` to a tuple of them."""
    one = instance_of(cls)
    return lambda value: _to_tuple(value, one)


def positive(convert: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return `convert` followed by a check that the number, or each number of the tuple, is above zero."""

    def checked(value: Any) -> Any:
        value = convert(value)
        if any(number <= 0 for number in (value if isinstance(value, tuple) else (value,))):
            raise NgioValueError(f"must be > 0, got {value!r}")
        return value

    return checked


def one_of(*allowed: Any) -> Callable[[Any], Any]:
    """Return a converter that accepts the listed values only."""

    def checked(value: Any) -> Any:
        for option in allowed:
            if value is option or (type(value) is type(option) and value == option):
                return option
        raise NgioValueError(f"must be one of {', '.join(map(repr, allowed))}, got {value!r}")

    return checked
