import numpy as np
import pytest

import ngio_x as nx
from ngio_x.errors import NgioKeyError, NgioTypeError, NgioValueError

ROI = nx.Roi.from_values({"z": slice(0, 1), "y": slice(-1, 2), "x": slice(5, 8)}, "cell", 3)


def test_corners_go_around_from_the_lower_bounds():
    """Clockwise where y points down; 0 and 2 are the bounds."""
    assert nx.corners(ROI).tolist() == [[-1, 5], [-1, 8], [2, 8], [2, 5]]


def test_axes_choose_the_plane_and_its_columns():
    """Any two, in any order."""
    assert nx.corners(ROI, ("x", "z"))[[0, 2]].tolist() == [[5, 0], [8, 1]]


def test_the_region_around_corners_is_the_region():
    """In whatever order they come."""
    assert nx.bounding_roi(nx.corners(ROI)[::-1], name="cell", label=3) == ROI.remove_slice("z")


def test_points_of_any_shape_and_number_are_bounded():
    """A list, whole numbers, several rectangles at once, a single point."""
    assert nx.bounding_roi([(1, 2), (3, 0), (2, 2)])["y"].bounds == (1, 3)
    assert nx.bounding_roi(np.arange(24).reshape(2, 4, 3), "zyx")["x"].bounds == (2, 23)
    assert nx.bounding_roi([1.5, 2.5])["x"].bounds == (2.5, 2.5)


def test_inputs_are_untouched():
    """A read-only array passes."""
    points = np.ones((4, 2))
    points.flags.writeable = False
    nx.bounding_roi(points)
    assert (points == 1).all()


def test_corners_that_do_not_exist_are_refused():
    """More axes than a plane has, an open region, an axis that it lacks."""
    with pytest.raises(NgioValueError, match=r"two axes of a rectangle, got \('z', 'y', 'x'\)"):
        nx.corners(ROI, ("z", "y", "x"))
    with pytest.raises(NgioValueError, match="a is unbounded along 'x'"):
        nx.corners(nx.Roi.from_values({"y": 1, "x": slice(2, None)}, "a"))
    with pytest.raises(NgioKeyError, match="no axis 't'"):
        nx.corners(ROI, ("t", "x"))


@pytest.mark.parametrize(
    ("points", "error", "message"),
    [
        (np.empty((0, 2)), NgioValueError, "points must be at least one, got shape"),
        ([(1, 2, 3)], NgioValueError, r"axes \('y', 'x'\), got shape \(1, 3\)"),
        (5, NgioValueError, r"shape \(\)"),
        ([(1, float("nan"))], NgioValueError, "finite"),
        ([(1, 2), (1,)], NgioTypeError, "points must be an array of numbers"),
        ([("a", "b")], NgioTypeError, "array of numbers, got list of <U1"),
    ],
)
def test_what_is_no_set_of_points_is_refused(points, error, message):
    """With the reason."""
    with pytest.raises(error, match=message):
        nx.bounding_roi(points)


def test_an_axis_named_twice_is_refused():
    """It would win or lose silently."""
    with pytest.raises(NgioValueError, match="once"):
        nx.bounding_roi([(1, 2)], ("x", "x"))
