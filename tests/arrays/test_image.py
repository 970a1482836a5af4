"""Labelling arrays, and reading back what labels say."""

import copy

import dask.array as da
import numpy as np
import pytest
import xarray as xr

import ngio_x as nx
from ngio_x.arrays.image import lattice_of
from ngio_x.arrays.roles import role_of
from ngio_x.errors import NgioTypeError, NgioValueError


def _image(**changes):
    options = {"pixel_size": {"t": 2.0, "y": 0.5, "x": 0.25}, "origin": {"x": 3.0}, "name": "im"} | changes
    return nx.as_image(np.arange(60).reshape(3, 4, 5), ("t", "y", "x"), **options)


def _plain(labels, dim="x", **attrs):
    return xr.DataArray(np.zeros((2, len(labels))), dims=("y", dim), coords={dim: (dim, labels, attrs)})


def test_labels_are_centres_along_space_and_starts_along_time():
    """Pixel k covers origin + [k, k + 1) * spacing."""
    image = _image()
    assert image.t.values.tolist() == [0.0, 2.0, 4.0]
    assert image.x.values.tolist() == [3.125, 3.375, 3.625, 3.875, 4.125]


def test_a_number_applies_to_space():
    """A pixel size without axis names is that of z, y and x; other axes count pixels."""
    image = nx.as_image(np.zeros((2, 3, 4)), ("t", "y", "x"), 0.5)
    assert (lattice_of(image, "t").spacing, lattice_of(image, "x").spacing) == (1.0, 0.5)
    assert (image.x.attrs["units"], "units" in image.t.attrs) == ("micrometer", False)


def test_a_pixel_size_brings_its_units():
    """A PixelSize gives sizes and units by axis."""
    image = nx.as_image(np.zeros((2, 3, 4)), ("t", "y", "x"), nx.PixelSize(1, 2, t=3, space_unit="nanometer"))
    assert [lattice_of(image, dim).spacing for dim in "tyx"] == [3, 2, 1]
    assert [image[dim].attrs["units"] for dim in "tyx"] == ["second", "nanometer", "nanometer"]


def test_default_dims_are_the_last_of_tczyx():
    """An array without names gets the last of t, c, z, y, x."""
    assert nx.as_image(np.zeros((2, 3, 4))).dims == ("z", "y", "x")


def test_default_dims_are_those_of_like():
    """An array computed from an image has that image's axes."""
    assert nx.as_labels(np.zeros((3, 4, 5), int), like=_image()).dims == ("t", "y", "x")


@pytest.mark.parametrize("wrap", [np.asarray, lambda a: da.from_array(a, chunks=2)])
def test_pixels_are_not_copied(wrap):
    """The array given is the one inside."""
    pixels = wrap(np.zeros((4, 4)))
    assert nx.as_image(pixels).data is pixels


def test_as_image_again_is_identity():
    """An image is an image."""
    xr.testing.assert_identical(nx.as_image(_image()), _image())


def test_other_attributes_of_a_coordinate_are_kept():
    """A new pixel size replaces origin, spacing and unit, nothing else."""
    image = nx.as_image(_plain([1, 2], units="nm", long_name="width"), pixel_size=0.5)
    assert image.x.attrs == {"units": "micrometer", "long_name": "width"}


def test_channel_names():
    """Channels have names where pixels have labels."""
    image = nx.as_image(np.zeros((2, 3, 4)), ("c", "y", "x"), 0.5, channels=["DAPI", "GFP"])
    assert image.sel(c="GFP").shape == (3, 4)
    assert lattice_of(image, "c") is None


def test_labels_have_their_role():
    """as_labels marks integers as ids, without touching the array it was given."""
    image = _image()
    assert role_of(nx.as_labels(image)) == "labels"
    assert role_of(image) == "image"


def test_like_puts_a_lattice_back():
    """Ordinary coordinates of a piece go back to the place they came from, one pixel included."""
    image = _image()
    for piece in (image.isel(x=slice(1, 4), t=[2]), image.isel(x=[3])):
        plain = piece.assign_coords({dim: piece[dim].values for dim in piece.dims})
        xr.testing.assert_identical(nx.as_image(plain, like=image), piece)


def test_inputs_are_untouched():
    """Read-only arrays pass; coordinates and attributes of the input stay."""
    plain = _plain([1.0, 2.0, 3.0], long_name="width").assign_attrs(nested={"a": [1]})
    plain.values.flags.writeable = False
    before = copy.deepcopy(plain)
    nx.as_image(plain, pixel_size=0.5, name="new")
    xr.testing.assert_identical(plain, before)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"pixel_size": -1}, NgioValueError, "pixel_size along 'y' must be > 0"),
        ({"pixel_size": {"x": float("nan")}}, NgioValueError, "pixel_size along 'x' must be a finite"),
        ({"pixel_size": {"q": 1}}, NgioValueError, "pixel_size must name axes of .*, got 'q'"),
        ({"pixel_size": (1, 2, 3)}, NgioValueError, "one item for each axis of"),
        ({"origin": float("inf")}, NgioValueError, "origin along '.' must be a finite"),
        ({"units": 3}, NgioValueError, "units along '.' must be a string"),
        ({"dims": ("x",)}, NgioValueError, "each dimension of data of shape \\(.*\\) once"),
        ({"dims": ("x", "x")}, NgioValueError, "dims must name each axis once"),
        ({"channels": ["a"]}, NgioValueError, "needs a 'c' axis"),
        ({"channels": 3}, NgioTypeError, "channels must be one name"),
        ({"like": np.zeros(3)}, NgioTypeError, "like must be a DataArray, got ndarray"),
        ({"like": _image().isel(t=0), "pixel_size": 1}, NgioValueError, "leave pixel_size"),
        ({"like": _image().isel(t=0)}, NgioValueError, "axis 'y' has 2 pixels and no coordinates, where like has 4"),
    ],
)
def test_bad_descriptions_are_refused(options, error, message):
    """The error names the axis and the number."""
    with pytest.raises(error, match=message):
        nx.as_image(np.zeros((2, 3)), **options)


@pytest.mark.parametrize("data", ["abc", None, xr.Dataset({"a": ("x", [1])})])
def test_no_array_of_numbers_is_refused(data):
    """Text and datasets are no images."""
    with pytest.raises(NgioTypeError, match=r"array of numbers|pick one of its arrays"):
        nx.as_image(data)


def test_labels_are_integers():
    """Anything else is no id."""
    with pytest.raises(NgioTypeError, match=r"astype\('uint32'\)"):
        nx.as_labels(np.zeros((2, 2)))


@pytest.mark.parametrize("array", [np.array, lambda pixels: da.from_array(np.array(pixels), chunks=1)])
def test_a_mask_is_labels_of_the_one_id_1(array):
    """Of any kind of array, and it can be written as labels."""
    mask = nx.as_labels(array([[True, False], [True, True]]))
    assert (mask.dtype, role_of(mask)) == (np.uint8, "labels")
    np.testing.assert_array_equal(mask, [[1, 0], [1, 1]])


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.array(["2020-01-01", "2020-01-02"], "M8[ns]"), "has dates"),
        (np.array([1, 2], "m8[ns]"), "has dates"),
        (["a", "b"], "has coordinates of type"),
        (np.array([1j, 2j]), "has coordinates of type complex"),
        ([1, 2, 4], "not evenly spaced"),
    ],
)
def test_coordinates_that_are_no_lattice_are_refused(labels, message):
    """Space and time have evenly spaced numbers, or no coordinates at all."""
    with pytest.raises(NgioValueError, match=message) as caught:
        nx.dimensions_of(_plain(labels))
    assert "'x'" in str(caught.value)


def test_arrays_without_coordinates_count_pixels():
    """No coordinates: pixel 0 covers [0, 1)."""
    plain = xr.DataArray(np.zeros((4, 5)), dims=("y", "x"))
    assert nx.pixel_size_of(plain).x == 1.0
    assert nx.crop(plain, nx.Roi.from_values({"y": (1, 2), "x": (0, 3)}, name=None)).shape == (2, 3)


def test_dimensions_of_reads_everything():
    """Shape, chunks, axes, scale and the world edge of pixel 0."""
    found = nx.dimensions_of(_image().chunk(x=2).isel(x=slice(1, None)))
    assert (found.shape, found.axes) == ((3, 4, 4), ("t", "y", "x"))
    assert found.dataset.scale == (2.0, 0.5, 0.25)
    assert found.dataset.translation == (0.0, 0.0, 3.25)


def test_pixel_size_of_needs_y_and_x():
    """An array without x has no pixel size."""
    with pytest.raises(NgioValueError, match="y and x"):
        nx.pixel_size_of(_image().isel(x=0))
