"""From one level of a pyramid to the next: factors, shapes and pixel sizes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from ngio_x._frozen import named, sequence_of, to_float
from ngio_x.errors import NgioValueError
from ngio_x.metadata.axes import axis_type_of

Step: TypeAlias = tuple[tuple[int, ...], tuple[float, ...]]
"""Shape and nominal scale of a level."""


def to_scaling_factor(value: Any) -> float:
    """Accept a factor from one level to the next; anything below 1 is refused."""
    factor = to_float(value)
    if factor < 1:
        raise NgioValueError(f"must be ≥ 1 (2 halves the number of pixels), got {factor}")
    return factor


def to_factors(value: Any, axes: tuple[str, ...]) -> tuple[float, ...]:
    """Accept one factor an axis, or factors by axis name."""
    if not isinstance(value, Mapping):
        return named("scaling_factors", sequence_of(to_scaling_factor))(value)
    if unknown := [axis for axis in value if axis not in axes]:
        raise NgioValueError(f"scaling_factors names axis {unknown[0]!r}, but the axes are {axes}")
    return tuple(named(f"scaling_factors along {axis!r}", to_scaling_factor)(value.get(axis, 1.0)) for axis in axes)


def level_steps(
    shape: tuple[int, ...],
    factors: tuple[float, ...],
    base_scale: tuple[float, ...],
    axes: Sequence[str],
    *,
    isotropic: bool,
) -> Iterator[Step]:
    """Yield shape and nominal scale of each level, without end."""
    times = [0] * len(shape)
    while True:
        scale = tuple(s * math.prod([f] * n) for s, f, n in zip(base_scale, factors, times, strict=True))
        yield shape, scale
        smaller = tuple(max(1, math.floor(n / f)) for n, f in zip(shape, factors, strict=True))
        can_shrink = [m < n for n, m in zip(shape, smaller, strict=True)]
        waiting = _waiting(can_shrink, factors, scale, axes) if isotropic else set()
        shape = tuple(n if axis in waiting else m for axis, n, m in zip(axes, shape, smaller, strict=True))
        times = [n + (axis not in waiting) for axis, n in zip(axes, times, strict=True)]


def _waiting(
    can_shrink: Sequence[bool], factors: Sequence[float], scale: Sequence[float], axes: Sequence[str]
) -> set[str]:
    """Return the space axes that are not scaled yet, because others have finer spacings."""
    space = {axis: position for position, axis in enumerate(axes) if axis_type_of(axis) == "space"}
    coarsest = max((scale[k] for k in space.values()), default=0.0)
    # A step is one too many for an axis if it would then be further from the coarsest one than before, in ratio.
    finer = {axis for axis, k in space.items() if can_shrink[k] and scale[k] * math.sqrt(factors[k]) <= coarsest}
    return set(space) - finer if finer else set()


def levels_down_to(chunk: Any, factors: Sequence[float], steps: Iterator[Step]) -> list[Step]:
    """Return the levels until each axis that is scaled fits into a chunk, or nothing changes any more."""
    pyramid = [next(steps)]
    while any(f > 1 and n > c for n, f, c in zip(pyramid[-1][0], factors, chunk, strict=True)):
        following = next(steps)
        if following[0] == pyramid[-1][0]:
            break
        pyramid.append(following)
    return pyramid
