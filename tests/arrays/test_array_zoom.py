"""Zooming labelled images."""

import numpy as np
import pytest
import xarray as xr

import ngio_x as nx
from ngio_x.errors import NgioTypeError, NgioUserWarning, NgioValueError


@pytest.fixture
def image() -> xr.DataArray:
    image = nx.as_image(np.arange(96, dtype="u2").reshape(2, 6, 8), ("c", "y", "x"), 0.5, channels=["a", "b"], name="q")
    return image.assign_attrs(note=1).assign_coords(x=image.x, y=image.y)


def test_a_number_zooms_space_only(image):
    """Channels and time are left alone."""
    result = nx.zoom(image, 0.5)
    assert result.sizes == {"c": 2, "y": 3, "x": 4}
    assert result.c.values.tolist() == ["a", "b"]
    assert (result.name, result.attrs, result.dtype) == ("q", {"note": 1}, image.dtype)


def test_coordinates_become_those_of_the_new_pixels(image):
    """The first label is the centre of the first new pixel; the unit stays."""
    result = nx.zoom(image, {"x": 0.5})
    assert result.x.values.tolist() == [0.5, 1.5, 2.5, 3.5]
    assert result.x.attrs == {"units": "micrometer", "origin": 0.0, "spacing": 1.0}


def test_shape_instead_of_scale(image):
    """Sizes may be given by axis."""
    assert nx.zoom(image, shape={"y": 5}).sizes == {"c": 2, "y": 5, "x": 8}


def test_labels_are_zoomed_by_nearest(image):
    """A label image has its default kernel, and refuses to be blended."""
    labels = nx.as_labels(image)
    xr.testing.assert_identical(nx.zoom(labels, 0.5), nx.zoom(labels, 0.5, order="nearest"))
    with pytest.raises(NgioValueError, match="blends the ids"):
        nx.zoom(labels, 0.5, order="linear")


def test_coordinates_of_single_pixels_are_dropped_with_a_warning(image):
    """One value a pixel has no meaning after the zoom."""
    with pytest.warns(NgioUserWarning, match=r"\['note'\].*are dropped") as caught:
        result = nx.zoom(image.assign_coords(note=("x", np.arange(8))), 0.5)
    assert "note" not in result.coords
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "either scale or shape"),
        ({"scale": 0.5, "shape": {"x": 3}}, "either scale or shape"),
        ({"scale": {"x": 0}}, "axis 'x': must be > 0, got 0"),
        ({"scale": float("nan")}, "axis 'y': must be a finite number"),
        ({"scale": "a"}, "axis 'y': must be a number"),
        ({"scale": {"q": 1}}, "no axis 'q'"),
        ({"shape": {"x": 1.5}}, "axis 'x': must be an integer"),
        ({"shape": (1, 2, 3)}, "mapping by axis name"),
        ({"scale": 0.5, "order": "best"}, "best"),
    ],
)
def test_bad_sizes_are_refused(image, options, message):
    """The error names the axis and the number."""
    with pytest.raises(NgioValueError, match=message):
        nx.zoom(image, **options)


def test_plain_arrays_are_sent_to_numpy_zoom():
    """zoom needs names."""
    with pytest.raises(NgioTypeError, match="use numpy_zoom"):
        nx.zoom(np.zeros((2, 2)), 0.5)


def test_uneven_coordinates_are_refused(image):
    """A zoom along uneven coordinates has no pixel size to change."""
    with pytest.raises(NgioValueError, match=r"axis 'y'.*not evenly spaced"):
        nx.zoom(image.isel(y=[0, 1, 4]), {"y": 2})


@pytest.mark.parametrize("order", ["mode", "max", "min"])
def test_labels_take_kernels_that_choose(order):
    """Kernels that invent no id are allowed for label images, with numpy's result."""
    ids = np.random.default_rng(0).integers(0, 4, (12, 9)).astype(np.uint32) * 1_000_000_007
    labels = nx.as_labels(ids, ("y", "x"), 0.5)
    zoomed = nx.zoom(labels, {"y": 0.5, "x": 1 / 3}, order=order)
    np.testing.assert_array_equal(zoomed.values, nx.numpy_zoom(ids, target_shape=(6, 3), order=order))
    assert zoomed.attrs == labels.attrs


@pytest.mark.parametrize("order", ["linear", "cubic", "mean", 1])
def test_labels_refuse_kernels_that_blend(order):
    """Ids have no mean."""
    labels = nx.as_labels(np.zeros((4, 4), np.uint8), ("y", "x"), 0.5)
    with pytest.raises(nx.errors.NgioValueError, match="blends the ids of a label image; use 'nearest' or 'mode'"):
        nx.zoom(labels, 0.5, order=order)


def test_order_0_is_nearest():
    """The reference's integers are understood, zero included."""
    image = nx.as_image(np.arange(16.0).reshape(4, 4), ("y", "x"), 0.5)
    assert nx.zoom(image, 0.5, order=0).identical(nx.zoom(image, 0.5, order="nearest"))
