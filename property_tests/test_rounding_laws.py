"""Laws of the one place that turns intervals into pixels."""

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from ngio_x import RoiSlice
from ngio_x.roi.rounding import (
    LARGEST_SNAP,
    SNAP,
    pixel_to_world,
    pixel_window,
    snap,
    snap_to_centre,
    snap_tolerance,
    world_to_pixel,
)

POSITIONS = st.floats(-50, 50, allow_nan=False) | st.integers(-400, 400).map(lambda eighths: eighths / 8)
SPACINGS = st.floats(1e-3, 1e3)
BOUNDS = st.sampled_from(["outer", "inner", "nearest"])


def pixels_of(window):
    return set() if window is None else set(range(window.start, window.stop))


FAR = POSITIONS | st.floats(-1e7, 1e7)


@given(FAR)
def test_snapping_moves_no_position_by_more_than_its_tolerance(position):
    """A hundredth of a pixel, far from the origin 1e-5 of the position, never more than a tenth."""
    assert abs(snap(position) - position) <= snap_tolerance(position) <= LARGEST_SNAP
    assert abs(snap(position) - position) <= max(SNAP, 1e-5 * abs(position))
    assert abs(snap_to_centre(position) - position) <= SNAP


@given(FAR, st.sampled_from([snap, snap_to_centre]))
def test_snapping_is_idempotent(position, to):
    assert to(to(position)) == to(position)


@given(FAR, FAR, st.sampled_from([snap, snap_to_centre]))
def test_snapping_keeps_the_order(one, other, to):
    """Touching regions still touch, and none turns inside out."""
    low, high = sorted((one, other))
    assert to(low) <= to(high)


@given(st.integers(0, 10**5), st.integers(1, 10**4), SPACINGS, st.floats(-5e-6, 5e-6), st.floats(-5e-6, 5e-6))
def test_a_field_whose_ends_are_rounded_holds_its_own_pixels(start, size, spacing, one, other):
    """However far from the origin (within 10 000 pixels of it for the whole of the rounding), whatever the rule."""
    assume(start + size <= 10**4)
    low, high = start * spacing * (1 + one), (start + size) * spacing * (1 + other)
    bounds = [world_to_pixel(bound, spacing) for bound in (low, high)]
    for rule in ("outer", "inner", "nearest"):
        assert pixel_window(*bounds, start + size, rule) == slice(start, start + size)


@given(st.lists(POSITIONS, min_size=2, max_size=8, unique=True).map(sorted), st.integers(0, 40), st.integers(-20, 20))
def test_nearest_windows_of_a_partition_cover_every_pixel_once(cuts, size, first):
    """Touching intervals share no pixel and lose none, wherever they touch."""
    edges = [None, *cuts, None]
    windows = [pixel_window(*pair, size, "nearest", first=first) for pair in pairwise(edges)]
    covered = [pixel for window in windows for pixel in pixels_of(window)]
    assert sorted(covered) == list(range(size))


@given(st.floats(0.05, 3), SPACINGS, st.integers(1, 12), st.floats(-100, 100))
def test_nearest_windows_of_touching_world_intervals_cover_every_pixel_once(length, spacing, count, origin):
    """Fields of view that are no whole number of pixels wide, their ends computed as start + length."""
    start, size, covered = origin, 40, []
    for index in range(count):
        piece = RoiSlice("x", start, length * spacing)
        low, high = (world_to_pixel(bound, spacing, origin) for bound in piece.bounds)
        if index == count - 1:
            high = float(size)
        covered += sorted(pixels_of(pixel_window(low, high, size, "nearest")))
        start = piece.end
    last = world_to_pixel(start, spacing, origin)
    assume(last <= size)
    assert covered == list(range(size))


@given(POSITIONS, POSITIONS, st.integers(1, 60), st.integers(-20, 20))
def test_inner_is_within_nearest_is_within_outer(one, other, size, first):
    low, high = sorted((one, other))
    inner, nearest, outer = (
        pixels_of(pixel_window(low, high, size, bounds, first=first)) for bounds in ("inner", "nearest", "outer")
    )
    assert inner <= nearest <= outer


@given(st.integers(-400, 400), st.integers(-400, 400), st.integers(1, 60))
def test_windows_agree_with_the_definition(one, other, size):
    """Pixel by pixel, on exact fractions away from the snap: touched, inside, centre inside."""
    low, high = (Fraction(bound, 8) for bound in sorted((one, other)))
    assume(low < high)
    definitions = {
        "outer": lambda k: k < high and k + 1 > low,
        "inner": lambda k: k >= low and k + 1 <= high,
        "nearest": lambda k: low <= k + Fraction(1, 2) < high,
    }
    for bounds, holds in definitions.items():
        expected = {k for k in range(size) if holds(k)}
        assert pixels_of(pixel_window(float(low), float(high), size, bounds)) == expected, bounds


@given(POSITIONS, POSITIONS, st.integers(0, 60), BOUNDS, st.integers(-20, 20))
def test_windows_never_leave_the_array_and_are_never_empty(one, other, size, bounds, first):
    window = pixel_window(*sorted((one, other)), size, bounds, first=first)
    assert window is None or 0 <= window.start < window.stop <= size


@given(POSITIONS, POSITIONS, st.integers(1, 40), BOUNDS, st.integers(-20, 20), st.integers(-20, 20))
def test_a_cropped_array_has_the_window_of_the_whole(one, other, size, bounds, first, offset):
    """The first pixel is all that a crop needs to remember."""
    low, high = sorted((one, other))
    assume(low < high)
    whole = pixel_window(low, high, 200, bounds, first=-100)
    part = pixel_window(low, high, size, bounds, first=first)
    held = {pixel - 100 for pixel in pixels_of(whole)} & set(range(first, first + size))
    assert {pixel + first for pixel in pixels_of(part)} == held


@given(st.integers(-(10**6), 10**6), SPACINGS, st.floats(-1e3, 1e3))
def test_world_and_back_is_the_identity_on_integers(pixel, spacing, origin):
    """Exactly, whatever the spacing and the origin."""
    assert world_to_pixel(pixel_to_world(pixel, spacing, origin), spacing, origin) == pixel


@given(POSITIONS, SPACINGS, st.floats(-1e3, 1e3))
def test_world_and_back_is_the_identity_up_to_the_snap(position, spacing, origin):
    back = world_to_pixel(pixel_to_world(position, spacing, origin), spacing, origin)
    assert abs(back - position) <= snap_tolerance(position) + 1e-6


@given(st.lists(POSITIONS, min_size=1, max_size=20))
def test_outer_agrees_with_numpy_away_from_the_snap(positions):
    for position in positions:
        assume(abs(position - round(position)) > SNAP)
        window = pixel_window(position, position + 1, 200, first=-100)
        assert (window.start - 100, window.stop - 100) == (np.floor(position), math.ceil(position + 1))
