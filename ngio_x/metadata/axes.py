"""What the axes of an image are called on disk, and which of t, c, z, y, x each of them is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias, TypeVar

import numpy as np

from ngio_x._frozen import (
    evolve,
    field,
    frozen,
    instance_of,
    named,
    one_of,
    shown,
    to_bool,
    to_name,
    to_names,
    to_optional_name,
    tuple_of,
)
from ngio_x.errors import NgioValueError
from ngio_x.metadata.units import DEFAULT_SPACE_UNIT, DEFAULT_TIME_UNIT, AxisType, warn_if_unknown_unit

T = TypeVar("T")

CANONICAL_ORDER: Final = ("t", "c", "z", "y", "x")
"""The canonical axes, in the order that OME-NGFF 0.4 and 0.5 ask for."""

SPACE: Final = ("z", "y", "x")
"""The axes that a single size, factor or unit speaks of."""

_TYPES: Final[dict[str, AxisType]] = {"t": "time", "c": "channel", "z": "space", "y": "space", "x": "space"}


def axis_type_of(name: str) -> AxisType | None:
    """Return the type that a canonical axis name implies, or None for any other name."""
    return _TYPES.get(name)


def default_unit(axis_type: AxisType | None) -> str | None:
    """Return the unit that applies where none is given: micrometer, second, or none for channels."""
    return {"space": DEFAULT_SPACE_UNIT, "time": DEFAULT_TIME_UNIT}.get(axis_type or "")


def by_axis(
    value: Any, axes: Sequence[str], argument: str, convert: Callable[[Any], T], *, alone: Sequence[str] = ()
) -> dict[str, T]:
    """Return what an argument says of each axis that it speaks of.

    >>> by_axis((1, 2), ("y", "x"), "halo", int), by_axis({"x": 2}, ("y", "x"), "halo", int)
    ({'y': 1, 'x': 2}, {'x': 2})

    Args:
        value: A mapping by axis name; or a tuple, list or array with one item an axis, in the order of the axes; or
            one value for the axes in `alone`.
        axes: The axes that there are.
        argument: The name of the argument.
        convert: Checks one item.
        alone: The axes that a single value speaks of. With none, there must be a mapping or a tuple.

    Raises:
        NgioValueError: If an axis is unknown, there is not one item an axis, or an item is refused.
    """
    if isinstance(value, Mapping):
        if unknown := [axis for axis in value if axis not in axes]:
            raise NgioValueError(f"{argument} must name axes of {tuple(axes)}, got {unknown[0]!r}")
        items = {axis: value[axis] for axis in axes if axis in value}
    elif isinstance(value, (tuple, list)) or (isinstance(value, np.ndarray) and value.ndim == 1):
        if len(value) != len(axes):
            raise NgioValueError(
                f"{argument} must have one item for each axis of {tuple(axes)}, got {shown(value)}: name the axes that "
                "are meant, in a mapping"
            )
        items = dict(zip(axes, value, strict=True))
    elif alone:
        items = {axis: value for axis in axes if axis in alone}
    else:
        raise NgioValueError(
            f"{argument} must be a mapping by axis name, or have one item for each axis of {tuple(axes)}, got "
            f"{shown(value)}"
        )
    return {axis: named(f"{argument} along '{axis}'", convert)(item) for axis, item in items.items()}


FactorsByAxis: TypeAlias = float | Sequence[float] | Mapping[str, float]
"""Numbers by axis name, or one an axis in the order of the array's own; a single one is that of z, y and x."""
IntegersByAxis: TypeAlias = int | Sequence[int] | Mapping[str, int]
"""Whole numbers by axis name, or one an axis in the order of the array's own; a single one is that of z, y and x."""


@frozen
class Axis:
    """One axis of an image (OME-NGFF section "axes").

    The type of t, c, z, y and x follows from the name where it is not given. A unit that OME-NGFF does not name is
    kept, with a warning.
    """

    name: str = field(to_name)
    """The name on disk."""
    axis_type: AxisType | None = field(one_of(None, "space", "time", "channel"), default=None)
    """`"space"`, `"time"`, `"channel"`, or None when unknown."""
    unit: str | None = field(to_optional_name, default=None)
    """The physical unit, such as `"micrometer"`."""

    def __attrs_post_init__(self) -> None:
        if self.axis_type is None:
            object.__setattr__(self, "axis_type", axis_type_of(self.name))
        warn_if_unknown_unit(self.unit, self.axis_type)


@frozen
class AxesSetup:
    """How the canonical axes are called on disk, and how strict to be about it."""

    x: str = field(to_name, default="x")
    y: str = field(to_name, default="y")
    z: str = field(to_name, default="z")
    c: str = field(to_name, default="c")
    t: str = field(to_name, default="t")
    others: tuple[str, ...] = field(to_names, default=())
    """Names of further axes, which are none of the five."""
    allow_non_canonical_axes: bool = field(to_bool, default=False)
    strict_canonical_order: bool = field(to_bool, default=False)
    """Ask for the order t, c, z, y, x."""

    def __attrs_post_init__(self) -> None:
        mapping = self.canonical_map()
        for role, on_disk in [*mapping.items(), *(("others", name) for name in self.others)]:
            if on_disk != role and on_disk in mapping:
                raise NgioValueError(
                    f"{role}: the axis cannot be called {on_disk!r} on disk: that name is reserved for the "
                    f"{on_disk} axis. Choose another name."
                )
        names = [*mapping.values(), *self.others]
        if duplicates := sorted({name for name in names if names.count(name) > 1}):
            raise NgioValueError(f"names on disk must be unique, got {duplicates[0]!r} twice")
        if self.others and not self.allow_non_canonical_axes:
            raise NgioValueError(
                f"others={self.others!r} needs allow_non_canonical_axes=True: they are none of t, c, z, y, x"
            )
        if self.allow_non_canonical_axes and self.strict_canonical_order:
            raise NgioValueError(
                "allow_non_canonical_axes and strict_canonical_order exclude each other: "
                "other axes have no place in the canonical order. Set one of them to False."
            )

    def canonical_map(self) -> dict[str, str]:
        """Return the name on disk of each canonical axis."""
        return {"t": self.t, "c": self.c, "z": self.z, "y": self.y, "x": self.x}

    def get_on_disk_name(self, canonical_name: str) -> str | None:
        """Return what a canonical axis is called on disk, or None for a name that is not canonical."""
        return self.canonical_map().get(canonical_name)

    def get_canonical_name(self, on_disk_name: str) -> str | None:
        """Return which canonical axis a name on disk stands for, or None."""
        inverse = {on_disk: canonical for canonical, on_disk in self.canonical_map().items()}
        return inverse.get(on_disk_name)


def _typed(axis: Axis, setup: AxesSetup) -> Axis:
    """Return the axis with the type of the canonical one that it stands for; an axis that has it stays what it is."""
    canonical = setup.get_canonical_name(axis.name)
    if canonical is None or axis.axis_type == axis_type_of(canonical):
        return axis
    return evolve(axis, axis_type=axis_type_of(canonical))


@frozen
class AxesHandler:
    """The axes of an image in array order, found by canonical or on-disk name.

    Axes that stand for a canonical one get its type; unit-less space and time axes keep having no unit.
    """

    axes: tuple[Axis, ...] = field(tuple_of(Axis))
    axes_setup: AxesSetup = field(instance_of(AxesSetup), default=AxesSetup())

    def __attrs_post_init__(self) -> None:
        names, setup = self.axes_names, self.axes_setup
        if duplicates := sorted({name for name in names if names.count(name) > 1}):
            raise NgioValueError(f"axis names must be unique, got {duplicates[0]!r} twice in {names}")
        known = (*setup.canonical_map().values(), *setup.others)
        for name in names:
            if name not in known:
                raise NgioValueError(
                    f"unknown axis {name!r}: expected one of {known}. Map it to t, c, z, y or x with AxesSetup, "
                    "or list it in AxesSetup(others=..., allow_non_canonical_axes=True)."
                )
        expected = tuple(on_disk for on_disk in setup.canonical_map().values() if on_disk in names)
        if setup.strict_canonical_order and names != expected:
            raise NgioValueError(f"axes must be in the canonical order {expected}, got {names}")
        object.__setattr__(self, "axes", tuple(_typed(axis, setup) for axis in self.axes))

    @classmethod
    def from_names(
        cls,
        names: Sequence[str],
        space_unit: str | None = DEFAULT_SPACE_UNIT,
        time_unit: str | None = DEFAULT_TIME_UNIT,
    ) -> AxesHandler:
        """Build axes from names; names that are none of t, c, z, y, x are allowed and have no type.

        >>> AxesHandler.from_names(("c", "y", "x")).get_axis("y")
        Axis(name='y', axis_type='space', unit='micrometer')
        """
        units = {"space": space_unit, "time": time_unit}
        axes = tuple(Axis(name, unit=units.get(axis_type_of(name) or "")) for name in names)
        others = tuple(name for name in names if name not in CANONICAL_ORDER)
        return cls(axes, AxesSetup(others=others, allow_non_canonical_axes=bool(others)))

    @property
    def axes_names(self) -> tuple[str, ...]:
        """The names on disk, in array order."""
        return tuple(axis.name for axis in self.axes)

    @property
    def space_unit(self) -> str | None:
        """The unit that y and x share, and z where it has one.

        Raises:
            NgioValueError: If y or x is missing, or the units differ.
        """
        z, y, x = self.get_axis("z"), self.get_axis("y"), self.get_axis("x")
        if y is None or x is None:
            raise NgioValueError(f"the space unit is that of the y and x axes, but the axes are {self.axes_names}")
        for axis in (z, y):
            if axis is not None and axis.unit != x.unit and (axis is y or axis.unit is not None):
                raise NgioValueError(
                    f"space axes must have one unit, got {axis.name}={axis.unit!r} and {x.name}={x.unit!r}: "
                    "convert the scale of one of them"
                )
        return x.unit

    @property
    def time_unit(self) -> str | None:
        """The unit of the time axis, or None where there is none."""
        axis = self.get_axis("t")
        return None if axis is None else axis.unit

    def get_index(self, name: str) -> int | None:
        """Return the position of an axis by its canonical or on-disk name, or None."""
        names = self.axes_names
        for candidate in (name, self.axes_setup.get_on_disk_name(name)):
            if candidate in names:
                return names.index(candidate)
        return None

    def get_axis(self, name: str) -> Axis | None:
        """Return an axis by its canonical or on-disk name, or None."""
        index = self.get_index(name)
        return None if index is None else self.axes[index]

    def has_axis(self, name: str) -> bool:
        """Return whether there is such an axis, by canonical or on-disk name."""
        return self.get_index(name) is not None

    def get_canonical_name(self, name: str) -> str | None:
        """Return which of t, c, z, y, x an on-disk name stands for, or None."""
        return self.axes_setup.get_canonical_name(name)
