"""Which level of a pyramid to take, decided by the sizes of its levels alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from ngio_x._frozen import at_least, named, positive, shown, to_float, to_int
from ngio_x.errors import NgioValueError
from ngio_x.metadata.axes import FactorsByAxis, by_axis
from ngio_x.metadata.pixel_size import PixelSize
from ngio_x.metadata.units import conversion

_TOLERANCE: Final = 1e-9
"""Relative difference up to which a pixel is no larger than asked."""
_PLANE: Final = ("y", "x")
"""The axes that a single number speaks of: z and t are often left alone by pyramids."""


def choose_level(
    spacings: Sequence[Mapping[str, float]],
    shapes: Sequence[Sequence[int]],
    *,
    pixel_size: FactorsByAxis | PixelSize | None = None,
    max_pixels: int | None = None,
    scale: FactorsByAxis | None = None,
    units: Mapping[str, str | None] | None = None,
) -> int:
    """Return the index of the level that meets a criterion, of which there must be one.

    Args:
        spacings: For each level, finest first, the size of its pixels by axis.
        shapes: For each level, the shape of its array.
        pixel_size: Take the coarsest level whose pixels are no larger: one number for y and x, a mapping by axis, or a
            `PixelSize`, which decides along those of z, y and x that are scaled. If all are larger, take the finest.
        max_pixels: Take the finest level whose array has no more pixels, channels and frames included.
        scale: Take the coarsest level that has at least this part of the finest one's resolution, from above 0 to 1:
            one number for y and x, or a mapping by axis.
        units: The units of the spacings by axis, to which a `PixelSize` is converted.

    Raises:
        NgioValueError: If there is not one criterion, it makes no sense, or no level has so few pixels.
    """
    if sum(criterion is not None for criterion in (pixel_size, max_pixels, scale)) != 1:
        raise NgioValueError("give one of pixel_size, max_pixels and scale")
    if max_pixels is not None:
        return _finest_of_few_pixels(shapes, named("max_pixels", at_least(1, to_int))(max_pixels))
    if scale is not None:
        parts = _by_axis(scale, "scale", spacings)
        largest = {axis: spacings[0][axis] / _to_part(part) for axis, part in parts.items()}
    elif isinstance(pixel_size, PixelSize):
        largest = _along_scaled_axes(pixel_size, spacings, units or {})
    else:
        largest = _by_axis(pixel_size, "pixel_size", spacings)
    fine = [all(level[axis] <= size * (1 + _TOLERANCE) for axis, size in largest.items()) for level in spacings]
    return max((index for index, is_fine in enumerate(fine) if is_fine), default=0)


def _finest_of_few_pixels(shapes: Sequence[Sequence[int]], limit: int) -> int:
    counts = [math.prod(shape) for shape in shapes]
    for index, count in enumerate(counts):
        if count <= limit:
            return index
    raise NgioValueError(
        f"no level has at most {limit} pixels: the coarsest has {counts[-1]}; crop the image, or make coarser levels"
    )


def _along_scaled_axes(
    pixel_size: PixelSize, spacings: Sequence[Mapping[str, float]], units: Mapping[str, str | None]
) -> dict[str, float]:
    """Return the sizes, in the units of the levels, along the space axes whose spacing is not that of all levels.

    A `PixelSize` cannot leave z out; where no level has other pixels than the finest, there is nothing to choose.
    """
    scaled = [
        axis
        for axis in ("z", "y", "x")
        if all(axis in level for level in spacings) and any(level[axis] != spacings[0][axis] for level in spacings)
    ]
    try:
        return {axis: pixel_size.get(axis) * conversion(pixel_size.unit(axis), units.get(axis)) for axis in scaled}
    except NgioValueError as error:
        raise NgioValueError(f"pixel_size: {error}") from None


def _by_axis(value: Any, what: str, spacings: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return positive numbers by axis, each of which has a pixel size on every level."""
    known = [axis for axis in spacings[0] if all(axis in level for level in spacings)]
    numbers = by_axis(value, known, what, positive(to_float), alone=_PLANE)
    if not numbers:
        raise NgioValueError(
            f"{what} must name axes along which the levels have pixel sizes, {known}, got {shown(value)}"
        )
    return numbers


def _to_part(part: float) -> float:
    if part > 1:
        raise NgioValueError(f"scale must be at most 1, the finest level's own resolution, got {part:g}")
    return part
