"""Laws of the converters between the world of ngio_x and the coordinates of other tools."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import ngio_x as nx
from ngio_x.testing.strategies import dyadic_numbers, images, rois

DIMS = ("t", "c", "y", "x")
WAYS = st.sampled_from(
    [
        (nx.to_napari, nx.from_napari),
        (nx.to_spatialdata, nx.from_spatialdata),
        (nx.to_ngio, nx.from_ngio),
        (nx.to_ngff, nx.from_ngff),
    ]
)


def _points(numbers, columns=4):
    return st.lists(st.tuples(*[numbers] * columns), max_size=5).map(lambda rows: np.array(rows).reshape(-1, columns))


@st.composite
def _pieces(draw, image):
    """Draw a piece of an image, of at least one pixel an axis."""
    starts = {dim: draw(st.integers(0, size - 1)) for dim, size in image.sizes.items()}
    return image.isel({dim: slice(start, None) for dim, start in starts.items()})


@st.composite
def _any_images(draw):
    """Draw images with any spacings and origins."""
    sizes = {dim: draw(st.floats(1e-3, 1e3)) for dim in "tyx"}
    origin = {dim: draw(st.floats(-1e4, 1e4)) for dim in "tyx"}
    return nx.as_image(np.zeros((2, 3, 4, 5), "u1"), DIMS, sizes, origin=origin)


@given(images(DIMS, max_size=4).flatmap(_pieces), WAYS, _points(dyadic_numbers()))
def test_points_come_back_from_every_tool(image, ways, points):
    """Exactly where numbers are dyadic."""
    to, back = ways
    assert_array_equal(back(to(points, image), image), points)
    assert_array_equal(to(back(points, image), image), points)


@given(_any_images().flatmap(_pieces), WAYS, _points(st.floats(-1e4, 1e4)))
def test_any_points_come_back_from_every_tool(image, ways, points):
    """To 1e-9 of the largest number involved."""
    to, back = ways
    largest = max(1e4, np.abs(points).max(initial=0.0))
    assert_allclose(back(to(points, image), image), points, rtol=0, atol=1e-9 * largest)


@given(images(DIMS, max_size=4).flatmap(_pieces), WAYS, rois(DIMS))
def test_regions_come_back_from_every_tool(image, ways, roi):
    """Open ends and all that is no number included."""
    to, back = ways
    assert back(to(roi, image), image) == roi
    assert to(back(roi, image), image) == roi


@given(images(DIMS, max_size=4), WAYS, rois(DIMS, allow_open=False))
def test_bounds_of_a_region_convert_as_points_do(image, ways, roi):
    """The region there has the bounds there."""
    for convert in ways:
        there = convert(roi, image)
        for side in (0, 1):
            bounds = [roi[axis].bounds[side] for axis in DIMS]
            assert convert(bounds, image).tolist() == [there[axis].bounds[side] for axis in DIMS]


@given(images(DIMS, max_size=4).flatmap(_pieces), _points(dyadic_numbers()))
def test_pieces_in_napari_lie_over_their_image(piece, points):
    """A world point is where it is, whichever piece the layer shows; channels count from the piece's first."""
    layer = nx.napari_layer(piece)
    world = layer["translate"] + np.array(layer["scale"]) * nx.to_napari(points, piece)
    assert_array_equal(world, points)


@given(images(max_size=6).flatmap(_pieces))
def test_napari_finds_every_pixel_at_its_label(image):
    """Data coordinates of labels are array positions."""
    labels = np.stack(np.meshgrid(image.y, image.x, indexing="ij"), axis=-1)
    assert_array_equal(nx.to_napari(labels, image), np.moveaxis(np.indices(image.shape), 0, -1))


@given(rois(allow_open=False))
def test_the_region_around_corners_is_the_region(roi):
    """Along its two axes."""
    around = nx.bounding_roi(nx.corners(roi), name=roi.name, label=roi.label)
    assert around.slices == roi.slices
