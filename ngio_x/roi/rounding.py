"""From world to pixels to array positions: the one place that converts, snaps and rounds.

A position counts pixels along an axis: pixel `k` covers `[k, k + 1)`, its centre is `k + 0.5`.
"""

from __future__ import annotations

import math
from typing import Final, Literal, TypeAlias

from ngio_x._frozen import shown
from ngio_x.errors import NgioValueError

Bounds: TypeAlias = Literal["outer", "inner", "nearest"]
"""Which pixels an interval holds: all it touches, those inside it, or those whose centre it holds."""

SNAP: Final = 0.01
"""Positions this close to an integer (in pixels) mean the integer: pixel sizes in the wild are rounded."""
RELATIVE_SNAP: Final = 1e-5
"""Far from the origin, so do positions this close for their distance: the rounding of a pixel size adds up."""
LARGEST_SNAP: Final = 0.1
"""No position moves further."""


def snap_tolerance(position: float) -> float:
    """Return how far from an integer, in pixels, a position may lie that means the integer."""
    return min(max(SNAP, RELATIVE_SNAP * abs(position)), LARGEST_SNAP)


def snap(position: float) -> float:
    """Return the nearest integer if it lies within `snap_tolerance` of `position`, else `position`."""
    return _snapped(position, 0.0, snap_tolerance(position))


def snap_to_centre(position: float) -> float:
    """Return the nearest half-integer if it lies within 0.01 of `position`, else `position`."""
    return _snapped(position, 0.5, SNAP)


def _snapped(position: float, offset: float, tolerance: float) -> float:
    if not math.isfinite(position):
        raise NgioValueError(f"a position in pixels must be finite, got {position}: the pixel size is too small for it")
    grid = round(position - offset) + offset
    return grid if abs(position - grid) <= tolerance else position


def world_to_pixel(world: float, spacing: float, origin: float = 0.0) -> float:
    """Return the position `(world - origin) / spacing`, snapped to the integer that it means."""
    return snap((world - origin) / spacing)


def pixel_to_world(pixel: float, spacing: float, origin: float = 0.0) -> float:
    """Return the world coordinate `origin + pixel * spacing`."""
    return origin + pixel * spacing


def pixel_window(
    start: float | None, stop: float | None, size: int, bounds: Bounds = "outer", *, first: int = 0
) -> slice | None:
    """Return the array positions that a pixel interval holds, clipped to the array, or None where it holds none.

    Args:
        start: Start of the interval in pixels; None is unbounded.
        stop: End of the interval in pixels; None is unbounded.
        size: Number of pixels of the array.
        bounds: `"outer"` takes every pixel that the interval touches, `"inner"` those that lie inside it,
            `"nearest"` those whose centre it holds, so that intervals that touch share no pixel and lose none.
            Bounds near an integer snap to it, as by `snap`; for `"nearest"`, those within 0.01 of a half-integer do.
        first: The pixel that stands at array position 0.

    Raises:
        NgioValueError: If `bounds` is none of the three.
    """
    low = first if start is None else _round(start, bounds, end=False)
    high = first + size if stop is None else _round(stop, bounds, end=True)
    low, high = max(low - first, 0), min(high - first, size)
    empty = start is not None and start == stop  # an interval without length holds nothing, wherever it lies
    return None if empty or low >= high else slice(low, high)


def _round(position: float, bounds: Bounds, *, end: bool) -> int:
    """Return the first pixel of an interval that starts here, or the one past the last of one that ends here."""
    match bounds if isinstance(bounds, str) else None:  # arrays would be compared with each
        case "nearest":
            return math.ceil(snap_to_centre(position) - 0.5)
        case "outer":
            return math.ceil(snap(position)) if end else math.floor(snap(position))
        case "inner":
            return math.floor(snap(position)) if end else math.ceil(snap(position))
    raise NgioValueError(f"bounds must be 'outer', 'inner' or 'nearest', got {shown(bounds)}")
