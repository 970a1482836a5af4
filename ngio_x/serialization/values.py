"""What a converter of cattrs has to know about the values of ngio_x, and about subclasses of them."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from typing import Any, Final, Union, get_args, get_origin

import attrs
from cattrs import Converter
from cattrs.gen import make_dict_structure_fn, override
from cattrs.preconf.json import make_converter as make_json_converter

from ngio_x._frozen import ReadOnlyMapping, converters_of, shown, thaw
from ngio_x.errors import NgioTypeError, NgioValueError
from ngio_x.resample.kernels import KERNELS, Kernel
from ngio_x.roi.roi import Roi
from ngio_x.serialization.strict import be_strict, built_each, require_list, require_mapping


def make_converter() -> Converter:
    """Return a new cattrs converter that knows every value of ngio_x; hooks that are registered on it win.

    It makes JSON's kinds of data, and is strict: texts are no numbers, unknown keys are faults, and of the options of a
    union the one is built that gives the data back. Times, sets, paths and enumerations are stored as cattrs'
    `preconf.json` stores them. Give it to `to_json` and `from_json`, which tell all problems with their paths.

    >>> from ngio_x import RoiSlice
    >>> converter = make_converter()
    >>> converter.unstructure({"a": RoiSlice("x", 1, 2)})
    {'a': {'axis_name': 'x', 'start': 1.0, 'length': 2.0}}
    >>> converter.structure({"a": {"axis_name": "x", "start": 1}}, dict[str, RoiSlice])
    {'a': RoiSlice(axis_name='x', start=1.0, length=None)}
    """
    converter: Converter = make_json_converter(forbid_extra_keys=True)
    be_strict(converter)
    configure_converter(converter)
    return converter


def configure_converter(converter: Converter) -> None:
    """Teach a converter of cattrs the values of ngio_x and subclasses of them; nothing else that it does changes.

    Extra fields of a `Roi` stand flat beside its own; kernels go by their names. Hooks that are registered later win.

    >>> import cattrs
    >>> from ngio_x import PixelSize
    >>> converter = cattrs.Converter()
    >>> configure_converter(converter)
    >>> converter.structure({"x": 1, "y": 2}, PixelSize).zyx
    (1.0, 2.0, 1.0)

    Args:
        converter: Any converter of cattrs; it is changed in place.

    Raises:
        NgioTypeError: If `converter` is not a converter of cattrs.
    """
    require_converter(converter)
    converter.register_structure_hook_factory(_is_value, lambda cls: _structured(converter, cls))
    converter.register_unstructure_hook_factory(_is_value, lambda cls: _unstructured(converter, cls))
    converter.register_unstructure_hook(ReadOnlyMapping, thaw)
    converter.register_structure_hook(Kernel, lambda data, _: _kernel(data))
    converter.register_unstructure_hook(Kernel, _kernel_name)


def require_converter(converter: object) -> Converter:
    """Return a converter of cattrs.

    Raises:
        NgioTypeError: If it is something else.
    """
    if not isinstance(converter, Converter):
        raise NgioTypeError(
            f"converter must be a cattrs.Converter, got {shown(converter)}: make one, see make_converter"
        )
    return converter


def _is_value(kind: Any) -> bool:
    return isinstance(kind, type) and attrs.has(kind) and bool(converters_of(kind))


# ---- From plain data


def _structured(converter: Converter, cls: type[Any]) -> Callable[[Any, Any], Any]:
    """Return a function that builds a value; fields that a user's subclass adds are the converter's own business."""
    attrs.resolve_types(cls)
    checks, fields = converters_of(cls), attrs.fields_dict(cls)
    overrides: dict[str, Any] = {
        name: override(struct_hook=_structured_field(_builder_of(converter, fields[name].type), check))
        for name, check in checks.items()
    }
    build: Callable[[Any, Any], Any] = make_dict_structure_fn(
        cls, converter, _cattrs_forbid_extra_keys=True, _cattrs_detailed_validation=True, **overrides
    )

    def structure(data: Any, kind: Any) -> Any:
        require_mapping(data, cls)
        return build(_with_extra_apart(data, cls) if issubclass(cls, Roi) else data, kind)

    return structure


def _structured_field(build: Callable[[Any], Any] | None, check: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda data, _: check(data if build is None else build(data))


def _builder_of(converter: Converter, kind: Any) -> Callable[[Any], Any] | None:
    """Return what makes of plain data what a field's own converter takes; None, if that takes plain data."""
    origin, options = get_origin(kind), get_args(kind)
    if isinstance(kind, type) and attrs.has(kind):
        return lambda data: converter.structure(data, kind)
    builders = [build for option in options if (build := _builder_of(converter, option)) is not None]
    if not builders:
        return None
    if origin in (Union, types.UnionType):
        return lambda data: None if data is None else builders[0](data)
    return lambda data: built_each(((at, item, builders[0]) for at, item in enumerate(require_list(data))), kind)


def _with_extra_apart(data: Mapping[str, Any], cls: type[Roi]) -> dict[str, Any]:
    """Gather the keys that are no fields of a region under `extra`."""
    names = set(attrs.fields_dict(cls)) - {"extra"}
    known = {key: item for key, item in data.items() if key in names}
    return known | {"extra": {key: item for key, item in data.items() if key not in names}}


def _kernel(data: Any) -> Kernel:
    kernel = KERNELS.get(data) if isinstance(data, str) else None
    if kernel is None:
        raise NgioValueError(f"must be the name of a kernel, one of {', '.join(map(repr, KERNELS))}, got {shown(data)}")
    return kernel


# ---- To plain data


def _unstructured(converter: Converter, cls: type[Any]) -> Callable[[Any], Any]:
    """Return a function that makes plain data of a value; of a subclass too, where its base was asked for."""
    attrs.resolve_types(cls)
    ours = converters_of(cls)
    theirs = [each for each in attrs.fields(cls) if each.name not in ours and each.init]

    def unstructure(value: Any) -> Any:
        if type(value) is not cls:
            return converter.unstructure(value)
        plain = {name: _plain(converter, getattr(value, name)) for name in ours}
        plain |= {each.name: converter.unstructure(getattr(value, each.name), each.type) for each in theirs}
        return plain | plain.pop("extra") if issubclass(cls, Roi) else plain

    return unstructure


_PLAIN: Final = frozenset((str, int, float, bool, type(None)))


def _plain(converter: Converter, item: Any) -> Any:
    if type(item) in _PLAIN:  # most of them: the converter would look for a hook first
        return item
    if isinstance(item, tuple):
        return [_plain(converter, each) for each in item]
    return thaw(item) if isinstance(item, Mapping) else converter.unstructure(item)


def _kernel_name(kernel: Kernel) -> str:
    if KERNELS.get(kernel.name) != kernel:
        raise NgioTypeError(f"kernel {kernel.name!r} is none of {', '.join(map(repr, KERNELS))}: only these have names")
    return kernel.name
