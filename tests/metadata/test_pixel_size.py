"""How large a pixel is."""

import pickle

import attrs
import numpy as np
import pytest

from ngio_x import PixelSize
from ngio_x.errors import NgioUserWarning, NgioValueError
from ngio_x.metadata.pixel_size import spacing_along

SIZE = PixelSize(x=1, y=2, z=3, t=4)


def test_sizes_by_axis_and_in_tuples():
    """Every view of the reference."""
    assert SIZE.as_dict() == {"t": 4.0, "z": 3.0, "y": 2.0, "x": 1.0}
    assert (SIZE.tzyx, SIZE.zyx, SIZE.yx) == ((4, 3, 2, 1), (3, 2, 1), (2, 1))
    assert (SIZE.voxel_volume, SIZE.xy_plane_area, SIZE.time_spacing) == (6.0, 2.0, 4.0)


def test_get_has_a_default_for_other_axes_only():
    """The size of a known axis wins."""
    assert SIZE.get("x", 9.0) == 1.0
    assert SIZE.get("c", 9.0) == 9.0
    assert SIZE.get("c", 0.0) == 0.0
    with pytest.raises(NgioValueError, match="there is no pixel size along 'c': expected one of 't', 'z', 'y', 'x'"):
        SIZE.get("c")


def test_units_by_axis():
    """Space for z, y, x; time for t; none for others."""
    size = PixelSize(1, 1, space_unit="nanometer", time_unit="minute")
    assert [size.unit(axis) for axis in "tczyx"] == ["minute", None, "nanometer", "nanometer", "nanometer"]


@pytest.mark.parametrize("axis", ["x", "y", "z", "t"])
@pytest.mark.parametrize("size", [0, -1, np.nan, np.inf, "1", None, True, 10**400], ids=str)
def test_sizes_are_positive_and_finite(axis, size):
    """The error names the axis."""
    with pytest.raises(NgioValueError, match=rf"^{axis} must be "):
        PixelSize(**{"x": 1, "y": 1, axis: size})


def test_unknown_units_are_kept_with_a_warning():
    """As for axes."""
    with pytest.warns(NgioUserWarning, match="did you mean 'micrometer'"):
        assert PixelSize(1, 1, space_unit="um").space_unit == "um"


def test_distance_is_euclidean_in_space():
    """Time does not take part."""
    assert SIZE.distance(PixelSize(x=4, y=6, z=3)) == 5.0


def test_sizes_in_different_units_have_no_distance():
    """The error names both units."""
    with pytest.raises(NgioValueError, match="'micrometer' and 'nanometer': convert one of them first"):
        SIZE.distance(PixelSize(1, 1, space_unit="nanometer"))


def test_it_hashes_pickles_and_evolves():
    """A changed copy is validated again."""
    assert pickle.loads(pickle.dumps(SIZE)) == SIZE
    assert hash(PixelSize(np.float32(1), 2, 3, 4)) == hash(SIZE)
    with pytest.raises(NgioValueError, match="x must be > 0"):
        attrs.evolve(SIZE, x=-1)


@pytest.mark.parametrize(
    ("sizes", "expected"), [(SIZE, 2.0), ({"y": 5}, 5.0), ({"y": np.float32(0.5)}, 0.5), ({}, 1.0)]
)
def test_spacing_along_reads_sizes_and_mappings(sizes, expected):
    """An axis without a size counts pixels."""
    assert spacing_along(sizes, "y") == expected
    assert spacing_along(sizes, "c") == 1.0


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ("0.5", r"pixel_size must be a number, a PixelSize or a mapping by axis name, got .0\.5"),
        ((1, 1), "pixel_size must be a number, a PixelSize or a mapping"),
        ({"y": 0}, r"pixel size along 'y' must be > 0, got 0\.0"),
        ({"y": "1"}, "pixel size along 'y' must be a number, got '1'"),
    ],
)
def test_spacing_along_refuses_the_rest(sizes, message):
    """The error names the axis."""
    with pytest.raises(NgioValueError, match=f"^{message}"):
        spacing_along(sizes, "y")


def test_a_single_pixel_size_is_that_of_z_y_and_x():
    """Time and channels count pixels."""
    assert [spacing_along(0.5, axis) for axis in "tczyx"] == [1, 1, 0.5, 0.5, 0.5]
    with pytest.raises(NgioValueError, match="pixel size along 'x' must be > 0, got -1"):
        spacing_along(-1, "x")


@pytest.mark.parametrize(
    ("size", "absent"),
    [
        (PixelSize(x=0.5, y=0.25), {"z", "t", "time_unit"}),
        (PixelSize(x=0.5, y=0.25, z=2, space_unit="nanometer"), {"t", "time_unit"}),
        (PixelSize(x=0.5, y=0.25, t=3), {"z"}),
        (PixelSize(x=0.5, y=0.25, z=2, t=3, time_unit="minute"), set()),
    ],
)
def test_the_repr_says_nothing_of_axes_that_an_image_may_lack(size, absent):
    """And makes an equal value."""
    names = {"x", "y", "z", "t", "space_unit", "time_unit"}
    assert {name for name in names if f" {name}=" in f" {repr(size).replace('(', ' ')}"} == names - absent
    assert eval(repr(size), {"PixelSize": PixelSize}) == size
