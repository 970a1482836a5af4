"""Which level to take, by sizes alone."""

import pytest

from ngio_x.errors import NgioValueError
from ngio_x.metadata.pixel_size import PixelSize
from ngio_x.metadata.resolution import choose_level

SPACINGS = [{"z": 1.0, "y": 0.25 * 2**n, "x": 0.25 * 2**n} for n in range(4)]
SHAPES = [(2, 10, 512 >> n, 512 >> n) for n in range(4)]
MICROMETERS = dict.fromkeys("zyx", "micrometer")


def _chosen(**criterion):
    return choose_level(SPACINGS, SHAPES, units=MICROMETERS, **criterion)


@pytest.mark.parametrize(
    ("pixel_size", "level"),
    [
        (0.1, 0),
        (0.25, 0),
        (0.5 * (1 - 1e-12), 1),
        (0.499, 0),
        (100, 3),
        ({"y": 1}, 2),
        ({"z": 1, "y": 1}, 2),
        ({"z": 0.5, "y": 1}, 0),
        ({"z": 1}, 3),
        (PixelSize(0.6, 1.5), 1),
        (PixelSize(0.6, 0.6, z=0.1, t=0.001), 1),
        (PixelSize(600, 600, space_unit="nanometer"), 1),
        (PixelSize(0.0006, 0.0006, space_unit="millimeter"), 1),
        (PixelSize(0.6, 0.6, space_unit=None), 1),
    ],
)
def test_pixels_are_as_large_as_asked_for_at_most(pixel_size, level):
    """The coarsest such level, else the finest; a PixelSize decides along the axes that are scaled, in its units."""
    assert _chosen(pixel_size=pixel_size) == level


@pytest.mark.parametrize(("max_pixels", "level"), [(10**9, 0), (2 * 10 * 256 * 256, 1), (2 * 10 * 256 * 256 - 1, 2)])
def test_arrays_have_as_many_pixels_as_allowed_at_most(max_pixels, level):
    """The finest such level."""
    assert _chosen(max_pixels=max_pixels) == level


@pytest.mark.parametrize(("scale", "level"), [(1, 0), (0.5, 1), (0.51, 0), (0.3, 1), (0.001, 3), ({"x": 0.25}, 2)])
def test_scales_are_parts_of_the_resolution(scale, level):
    """The coarsest level with at least as much."""
    assert _chosen(scale=scale) == level


@pytest.mark.parametrize(
    ("criterion", "message"),
    [
        ({}, "give one of pixel_size, max_pixels and scale"),
        ({"scale": 1, "max_pixels": 5}, "give one of"),
        ({"scale": 0}, "scale along 'y' must be > 0"),
        ({"scale": 2}, "scale must be at most 1"),
        ({"scale": "half"}, "scale along 'y' must be a number"),
        ({"scale": PixelSize(1, 1)}, "scale along 'y' must be a number"),
        ({"scale": {"c": 0.5}}, "scale must name axes of .*, got 'c'"),
        ({"scale": {}}, "must name axes .*, got {}"),
        ({"pixel_size": -1}, "pixel_size along 'y' must be > 0"),
        ({"pixel_size": {"x": float("nan")}}, "pixel_size along 'x' must be a finite number"),
        ({"pixel_size": "1"}, "pixel_size along 'y' must be a number"),
        ({"pixel_size": PixelSize(1, 1, space_unit="inch")}, "cannot convert 'inch' to 'pixel'"),
        ({"max_pixels": 0}, "max_pixels must be ≥ 1"),
        ({"max_pixels": 1.5}, "max_pixels must be an integer"),
        ({"max_pixels": 9}, "no level has at most 9 pixels: the coarsest has 81920"),
    ],
)
def test_criteria_that_make_no_sense_are_refused(criterion, message):
    """There must be one, and it must be possible."""
    units = dict.fromkeys("zyx", "pixel")
    with pytest.raises(NgioValueError, match=message):
        choose_level(SPACINGS, SHAPES, units=units, **criterion)


def test_sizes_without_spacings_have_pixels_only():
    """Levels without coordinates can be chosen by the number of their pixels."""
    assert choose_level([{}, {}], [(8, 8), (4, 4)], max_pixels=20) == 1
    with pytest.raises(NgioValueError, match=r"must name axes along .*, got 0\.5"):
        choose_level([{}, {}], [(8, 8), (4, 4)], scale=0.5)
