"""The one way to make a value: a frozen, slotted attrs class, and the converters and validators its fields share."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, SupportsFloat, SupportsInt, TypeVar

import attrs
import numpy as np
from attrs import evolve as evolve  # noqa: PLC0414 — checkers let others import it
from attrs import field as field  # noqa: PLC0414

from ngio_x.errors import NgioValueError

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
N = TypeVar("N", int, float)


def named(name: str, convert: Callable[[Any], T]) -> Callable[[Any], T]:
    """Return `convert` with `name` in front of what it complains about."""

    def converter(value: Any) -> T:
        try:
            return convert(value)
        except NgioValueError as error:
            raise NgioValueError(f"{name} {error}") from None

    return converter


def checked_by(convert: Callable[[Any], Any]) -> dict[str, Any]:
    """Return the metadata of a field whose argument must be what its annotation says, and passes through `convert`.

    Type checkers take the parameter of `field(converter=...)` for what the constructor accepts, and know of named
    functions only; a converter made by a call, such as `one_of("y", "x")`, is given here, and the annotation counts.
    """
    return {_CONVERT: convert}


_CONVERT: Final = "ngio_x.convert"
"""A key that no class of a user's has in its metadata."""


def _with_named_converter(attribute: attrs.Attribute[Any]) -> attrs.Attribute[Any]:
    convert: Any = attribute.metadata.get(_CONVERT, attribute.converter)
    if convert is None:
        return attribute
    return attribute.evolve(converter=named(attribute.name, convert), metadata={_CONVERT: convert})


if TYPE_CHECKING:  # so that checkers know values for attrs classes: `attrs.evolve`, `attrs.fields`, converters
    from attrs import frozen as frozen  # noqa: PLC0414
else:

    def frozen(cls: type[T]) -> type[T]:
        """Make `cls` a value: immutable, slotted, compared and hashed by its fields.

        A converter raises `NgioValueError("must be …")`; the constructor puts the field's name in front of it, and
        reading a document puts the path there instead (see `converters_of`).
        """
        return attrs.frozen(field_transformer=lambda _cls, fields: list(map(_with_named_converter, fields)))(cls)


def converters_of(cls: type) -> dict[str, Callable[[Any], Any]]:
    """Return what each field of a value passes its argument through, without its name in front of complaints.

    Fields that a user's subclass adds have none here.
    """
    return {each.name: each.metadata[_CONVERT] for each in attrs.fields(cls) if _CONVERT in each.metadata}


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


def to_constant(value: Any) -> Any:
    """Accept what does not change, as far as Python can tell; bytes that can are copied, anything else is refused."""
    if isinstance(value, bytearray):
        return bytes(value)
    try:
        hash(value)
    except Exception:  # noqa: BLE001 — what hashing a stranger raises is its own choice
        raise NgioValueError(
            f"must hold what does not change, such as numbers, texts, times, and lists and mappings of them, got "
            f"{type(value).__name__}: convert it, as with .tolist() or .item()"
        ) from None
    return value


def freeze(value: Any, leaf: Callable[[Any], Any] = to_constant) -> Any:
    """Turn data into its immutable form: mappings read-only, sequences tuples, sets frozen, numpy scalars Python's.

    Args:
        value: The data.
        leaf: What makes an immutable form of anything else, or refuses it.

    Raises:
        NgioValueError: If something has no immutable form, or is nested too deeply.
    """
    try:
        return _frozen(value, leaf)
    except RecursionError:
        raise NgioValueError("must not be nested this deeply") from None


def _frozen(value: Any, leaf: Callable[[Any], Any]) -> Any:
    if type(value) in _CONSTANTS:  # first, because regions come by the 100 000
        return value
    if isinstance(value, Mapping):
        return ReadOnlyMapping((key, _frozen(item, leaf)) for key, item in value.items())
    if value is np.ma.masked:
        return None
    if isinstance(value, np.ndarray):
        return _frozen(list(value) if value.ndim else value[()], leaf)
    if isinstance(value, np.generic):  # times stay numpy's: Python's are coarser, and `item` may make them bare numbers
        return value if value.dtype.kind in "mM" else value.item()
    if isinstance(value, (list, tuple)):
        return tuple(_frozen(item, leaf) for item in value)
    if isinstance(value, (set, frozenset)):
        return frozenset(_frozen(item, leaf) for item in value)
    return leaf(value)


_CONSTANTS: Final = frozenset((str, int, float, bool, bytes, type(None)))


def thaw(value: Any) -> Any:
    """Turn frozen data back into plain dicts and lists, as JSON writers want them."""
    if isinstance(value, Mapping):
        return {key: thaw(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [thaw(item) for item in value]
    return value


def shown(value: Any) -> str:
    """Return the `repr` of a value for an error message, cut to a readable length."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # integers of more than 4300 digits; data that holds itself
        return f"a value of type {type(value).__name__}"
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


_SHOWN: Final = 100


def is_number(value: Any) -> bool:
    """Whether a value is a real number, Python's or numpy's; booleans and time spans are none."""
    if type(value) is int:  # first, because regions come by the 100 000
        return True
    return isinstance(value, numbers.Real) and not isinstance(value, (bool, np.timedelta64))


def to_float(value: SupportsFloat) -> float:
    """Convert a finite real number to float; anything else is refused."""
    if type(value) is float and math.isfinite(value):  # first, because regions come by the 100 000
        return value
    if not is_number(value):
        raise NgioValueError(f"must be a number, got {shown(value)}")
    try:
        number = float(value)
    except OverflowError:  # an integer beyond all floats
        number = math.inf
    if not math.isfinite(number):
        raise NgioValueError(f"must be a finite number, got {shown(value)}")
    return number


def to_optional_float(value: SupportsFloat | None) -> float | None:
    """Convert like `to_float`, and let `None` through."""
    if value is None or (type(value) is float and math.isfinite(value)):
        return value
    return to_float(value)


def to_int(value: SupportsInt) -> int:
    """Convert an integer (also numpy's, also a float without fraction) to int; anything else is refused."""
    if type(value) is int:
        return value
    try:
        whole = int(value) if is_number(value) else None
    except (OverflowError, ValueError):  # infinities, NaN
        whole = None
    if whole is None or whole != value:
        raise NgioValueError(f"must be an integer, got {shown(value)}")
    return whole


class ItemsError(NgioValueError):
    """Items of a sequence are refused: one `(position, what is wrong)` for each."""

    def __str__(self) -> str:
        told = [f"{complaint} at position {position}" for position, complaint in self.args[:_TOLD]]
        return "; ".join([*told, f"and {len(self.args) - _TOLD} more"] if len(self.args) > _TOLD else told)


_TOLD: Final = 3
"""As many complaints about items of a sequence a message tells in full."""


def sequence_of(convert: Callable[[Any], T]) -> Callable[[Any], tuple[T, ...]]:
    """Return a converter from a sequence to a tuple, whose items pass through `convert`."""

    def checked(value: Any) -> tuple[T, ...]:
        # The first test spares tuples the slow look-ups of abstract base classes: regions come by the 100 000.
        if type(value) is not tuple:
            if isinstance(value, (str, bytes, Mapping, set, frozenset)) or not np.iterable(value):
                raise NgioValueError(f"must be a sequence, got {shown(value)}")
            value = tuple(value)
        try:
            return tuple([convert(item) for item in value])
        except NgioValueError:
            raise ItemsError(*_complaints(convert, value)) from None

    return checked


def _complaints(convert: Callable[[Any], Any], items: tuple[Any, ...]) -> Iterator[tuple[int, str]]:
    for position, item in enumerate(items):
        try:
            convert(item)
        except NgioValueError as error:
            yield position, str(error)


def to_name(value: str) -> str:
    """Accept a non-empty string; anything else is refused."""
    if not isinstance(value, str) or not value:
        raise NgioValueError(f"must be a non-empty string, got {shown(value)}")
    return value if type(value) is str else str(value)  # numpy's strings become Python's


def to_floats(value: Iterable[SupportsFloat]) -> tuple[float, ...]:
    """Convert a sequence of finite numbers to a tuple of floats."""
    return _each_float(value)


def to_ints(value: Iterable[SupportsInt]) -> tuple[int, ...]:
    """Convert a sequence of integers to a tuple of ints."""
    return _each_int(value)


def to_names(value: Iterable[str]) -> tuple[str, ...]:
    """Convert a sequence of names to a tuple of non-empty strings."""
    return _each_name(value)


_each_float: Final = sequence_of(to_float)
_each_int: Final = sequence_of(to_int)
_each_name: Final = sequence_of(to_name)


def to_axes(value: Any) -> tuple[str, ...]:
    """Convert names of axes, such as `("y", "x")` or `"yx"`, to a tuple of them; each is named once."""
    names = to_names(tuple(value) if isinstance(value, str) else value)
    if len(set(names)) < len(names):
        raise NgioValueError(f"must name each axis once, got {shown(names)}")
    return names


def to_optional_name(value: str | None) -> str | None:
    """Accept a string or `None`; the string may be empty."""
    if value is not None and not isinstance(value, str):
        raise NgioValueError(f"must be a string or None, got {shown(value)}")
    return None if value is None else str(value)


def to_bool(value: bool | np.bool) -> bool:
    """Accept a boolean; anything else is refused."""
    if not isinstance(value, (bool, np.bool_)):
        raise NgioValueError(f"must be true or false, got {shown(value)}")
    return bool(value)


def instance_of(cls: type[T]) -> Callable[[Any], T]:
    """Return a converter that lets instances of `cls` through and refuses anything else."""

    def convert(value: Any) -> T:
        if not isinstance(value, cls):
            raise NgioValueError(f"must be an instance of {cls.__name__}, got {shown(value)}")
        return value

    return convert


def tuple_of(cls: type[T]) -> Callable[[Any], tuple[T, ...]]:
    """Return a converter from a sequence of `cls` to a tuple of them."""
    return sequence_of(instance_of(cls))


def at_least(low: float, convert: Callable[[Any], T]) -> Callable[[Any], T]:
    """Return `convert` followed by a check that the number is `low` or more; None passes."""

    def checked(value: Any) -> T:
        converted = convert(value)
        number: Any = converted
        if number is not None and number < low:
            raise NgioValueError(f"must be ≥ {low}, got {shown(value)}")
        return converted

    return checked


def positive(convert: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return `convert` followed by a check that the number, or each number of the tuple, is above zero."""

    def checked(value: Any) -> Any:
        value = convert(value)
        return _above_zero_each(value) if isinstance(value, tuple) else _above_zero(value)

    return checked


def _above_zero(number: N) -> N:
    if number <= 0:
        raise NgioValueError(f"must be > 0, got {shown(number)}")
    return number


_above_zero_each: Final[Callable[[Any], tuple[Any, ...]]] = sequence_of(_above_zero)


def to_positive_float(value: SupportsFloat) -> float:
    """Convert a finite number above zero to float."""
    return _above_zero(to_float(value))


def to_positive_floats(value: Iterable[SupportsFloat]) -> tuple[float, ...]:
    """Convert a sequence of finite numbers above zero to a tuple of floats."""
    return _above_zero_each(to_floats(value))


def to_positive_ints(value: Iterable[SupportsInt]) -> tuple[int, ...]:
    """Convert a sequence of integers above zero to a tuple of ints."""
    return _above_zero_each(to_ints(value))


def to_natural(value: SupportsInt) -> int:
    """Convert an integer that is 0 or more to int."""
    return _natural(value)


def to_optional_natural(value: SupportsInt | None) -> int | None:
    """Convert like `to_natural`, and let `None` through."""
    return None if value is None else _natural(value)


_natural: Final = at_least(0, to_int)


def one_of(*allowed: Any) -> Callable[[Any], Any]:
    """Return a converter that accepts the listed values only."""

    def checked(value: Any) -> Any:
        for option in allowed:
            if value is option or (isinstance(value, type(option)) and not isinstance(value, bool) and value == option):
                return option
        raise NgioValueError(f"must be one of {', '.join(map(repr, allowed))}, got {shown(value)}")

    return checked
