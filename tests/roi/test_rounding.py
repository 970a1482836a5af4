"""World to pixels to array positions."""

import math

import pytest

from ngio_x.errors import NgioValueError
from ngio_x.roi.roi_slice import RoiSlice
from ngio_x.roi.rounding import pixel_to_world, pixel_window, snap, snap_to_centre, world_to_pixel


@pytest.mark.parametrize(
    ("position", "expected"),
    [(2.0, 2.0), (2.0099, 2.0), (1.9901, 2.0), (2.011, 2.011), (1.98, 1.98), (-0.005, 0.0), (-3.009, -3.0), (0.5, 0.5)],
)
def test_positions_near_an_integer_snap_to_it(position, expected):
    """Within 0.01, on both sides, below 0 too."""
    assert snap(position) == expected


@pytest.mark.parametrize(("position", "expected"), [(2.495, 2.5), (2.505, 2.5), (2.0, 2.0), (-1.495, -1.5)])
def test_positions_near_a_half_integer_snap_to_it_on_request(position, expected):
    """Within 0.01, as for integers."""
    assert snap_to_centre(position) == expected


@pytest.mark.parametrize(
    ("position", "expected"),
    [
        (2160.013, 2160.0),  # the second field of 2160 pixels, its place rounded by 6e-6
        (2159.987, 2160.0),
        (2160.03, 2160.03),
        (1000.0105, 1000.0105),
        (-2160.013, -2160.0),
        (20000.09, 20000.0),
        (1e6 + 0.09, 1e6),
        (1e6 + 0.11, 1e6 + 0.11),
    ],
)
def test_far_from_the_origin_the_distance_counts(position, expected):
    """Within 1e-5 of the position, at most a tenth of a pixel."""
    assert snap(position) == expected


def test_far_centres_snap_as_near_ones_do():
    """Only integers are meant by numbers that were rounded: regions end at edges."""
    assert snap_to_centre(2160.513) == 2160.513
    assert snap_to_centre(2160.505) == 2160.5


def test_rounded_fields_hold_their_own_pixels():
    """Start and end snap each on its own: the second field of 2160 pixels, of a table that rounds to 6 digits."""
    size = 0.1483321
    second = RoiSlice("x", 320.397, 320.397).to_pixel(size)  # 2160 * size is 320.397336
    assert second.bounds == (2160.0, 4320.0)
    assert pixel_window(*second.bounds, 4320) == slice(2160, 4320)


@pytest.mark.parametrize("position", [math.inf, -math.inf, math.nan])
def test_positions_are_finite(position):
    """The error says what the cause may be."""
    with pytest.raises(NgioValueError, match="a position in pixels must be finite"):
        snap(position)


def test_world_and_pixels_share_an_origin():
    """The origin is the world coordinate of position 0."""
    assert world_to_pixel(11.0, 0.5, 10.0) == 2.0
    assert pixel_to_world(2.0, 0.5, 10.0) == 11.0
    assert world_to_pixel(0.3, 0.1) == 3.0


@pytest.mark.parametrize(
    ("start", "stop", "outer", "inner", "nearest"),
    [
        (1.0, 3.0, (1, 3), (1, 3), (1, 3)),
        (1.2, 3.2, (1, 4), (2, 3), (1, 3)),
        (1.6, 3.6, (1, 4), (2, 3), (2, 4)),
        (1.5, 3.5, (1, 4), (2, 3), (1, 3)),
        (1.505, 3.495, (1, 4), (2, 3), (1, 3)),
        (1.005, 2.995, (1, 3), (1, 3), (1, 3)),
        (2.2, 2.4, (2, 3), None, None),
        (2.4, 2.6, (2, 3), None, (2, 3)),
        (-3.5, 2.5, (0, 3), (0, 2), (0, 2)),
        (8.5, 99.0, (8, 10), (9, 10), (8, 10)),
        (None, None, (0, 10), (0, 10), (0, 10)),
        (7.5, None, (7, 10), (8, 10), (7, 10)),
        (-5.0, 0.0, None, None, None),
        (10.0, 12.0, None, None, None),
        (3.0, 3.0, None, None, None),
        (3.5, 3.5, None, None, None),
        (3.0, 3.005, None, None, None),
    ],
)
def test_windows(start, stop, outer, inner, nearest):
    """Outer takes what is touched, inner what is inside, nearest what has its centre in the interval; all clipped."""
    for bounds, expected in (("outer", outer), ("inner", inner), ("nearest", nearest)):
        found = pixel_window(start, stop, 10, bounds)
        assert (found and (found.start, found.stop)) == expected, bounds


def test_the_first_pixel_may_be_any():
    """Array positions are counted from the pixel that stands first."""
    assert pixel_window(5, 8, 10, first=3) == slice(2, 5)
    assert pixel_window(5, 8, 10, first=-3) == slice(8, 10)
    assert pixel_window(None, 8, 10, first=3) == slice(0, 5)


def test_an_array_without_pixels_has_no_window():
    """Whatever is asked for."""
    assert pixel_window(None, None, 0) is None
    assert pixel_window(0, 5, 0) is None


@pytest.mark.parametrize("bounds", ["bogus", None, 1])
def test_unknown_bounds_are_refused(bounds):
    """The error lists the three."""
    with pytest.raises(NgioValueError, match="bounds must be 'outer', 'inner' or 'nearest', got"):
        pixel_window(0, 1, 5, bounds)
