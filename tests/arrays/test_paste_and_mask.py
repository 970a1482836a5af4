"""Putting pieces back, and blanking out all but one object."""

import numpy as np
import pytest
import xarray as xr

import ngio_x as nx
from ngio_x.errors import NgioEmptyRegionError, NgioTypeError, NgioValueError

ROI = nx.Roi.from_values({"y": (1, 1), "x": (1, 2)}, name=None)


@pytest.fixture(params=["numpy", "dask"])
def image(request) -> xr.DataArray:
    pixels = np.ones((2, 6, 8), "u2")
    pixels.flags.writeable = False
    image = nx.as_image(pixels, ("c", "y", "x"), 0.5, channels=["a", "b"], name="q").assign_attrs(note=1)
    return image if request.param == "numpy" else image.chunk(c=1, x=3)


@pytest.fixture
def patch(image) -> xr.DataArray:
    return xr.full_like(nx.crop(image, ROI).compute(), 7)


@pytest.fixture
def labels() -> xr.DataArray:
    return nx.as_labels((np.arange(48).reshape(6, 8) % 3).astype("u1"), ("y", "x"), 0.5)


@pytest.mark.parametrize(
    ("change", "pixels"),
    [
        (lambda p: p, 16),
        (lambda p: p.T, 16),
        (lambda p: p.chunk(y=1), 16),
        (lambda p: p.isel(c=[1, 0]), 16),
        (lambda p: p.isel(c=[1]), 8),
        (lambda p: p.isel(c=0, drop=True), 16),
        (lambda p: p.astype("u1"), 16),
    ],
)
def test_a_patch_goes_where_its_lattice_says(image, patch, change, pixels):
    """Axes are found by name, channels by theirs; what the patch lacks it is repeated along."""
    result = nx.paste(image, change(patch))
    assert int((result == 7).sum()) == pixels
    xr.testing.assert_identical(result.where(result != 7, 1).astype("u2"), image.astype("u2"))
    assert (result.dtype, type(result.data)) == (image.dtype, type(image.data))


def test_channels_keep_their_values_whatever_their_order(image, patch):
    """Channels of the patch in another order land in their own."""
    patch = patch.copy(data=patch.values * np.array([1, 2], "u2")[:, None, None])
    result = nx.paste(image, patch.isel(c=[1, 0]))
    xr.testing.assert_identical(nx.crop(result, ROI).compute(), patch)


@pytest.mark.parametrize("roi", [None, ROI])
def test_a_chosen_position_is_where_the_patch_goes(image, patch, roi):
    """One channel or plane that was selected goes back into that one; an unknown one has no place."""
    result = nx.paste(image, patch.sel(c="b"), roi)
    assert [int((result == 7)[channel].sum()) for channel in range(2)] == [0, 8]
    line = patch.isel(y=1)
    assert int((nx.paste(image, line) == 7)[:, 3].sum()) == 8
    with pytest.raises(NgioValueError, match="'z' along 'c'"):
        nx.paste(image, patch.isel(c=0).assign_coords(c="z"), roi)


def test_channels_of_equal_names_are_pasted_together(image, patch):
    """Names cannot tell one from another."""
    image, patch = image.assign_coords(c=["a", "a"]), patch.assign_coords(c=["a", "a"])
    assert int((nx.paste(image, patch) == 7).sum()) == 16
    with pytest.raises(NgioValueError, match="axis 'c': names of the image are not unique"):
        nx.paste(image, patch.isel(c=[0]))


def test_plain_arrays_go_where_the_region_says(image):
    """An array without names needs a region of its size."""
    assert int((nx.paste(image, np.full((2, 2, 4), 7, "u2"), ROI) == 7).sum()) == 16
    with pytest.raises(NgioValueError, match="axis 'x': the patch must have the 4 pixels that the region holds"):
        nx.paste(image, np.full((2, 2, 3), 7, "u2"), ROI)
    with pytest.raises(NgioValueError, match=r"patch must be .* with roi=, got ndarray of 1 without roi"):
        nx.paste(image, np.ones(3, "u2"))


def test_what_lies_outside_is_dropped(image, patch):
    """A patch may reach over the edge; one wholly outside is an error."""
    assert int((nx.paste(image.isel(x=slice(0, 4)), patch) == 7).sum()) == 8
    with pytest.raises(NgioEmptyRegionError, match="axis 'x'"):
        nx.paste(image.isel(x=slice(0, 2)), patch)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda p: p.astype(float), NgioTypeError, "float64 do not all fit into uint16"),
        (lambda p: p.astype("i4"), NgioTypeError, "int32 do not all fit into uint16"),
        (lambda p: p.assign_coords(c=["a", "z"]), NgioValueError, "'z' along 'c'"),
        (lambda p: nx.zoom(p, 0.5), NgioValueError, "along 'y': the pixel sizes differ: 0.5 and 1.0"),
        (lambda p: p.expand_dims("t"), NgioValueError, "axes .*of the image's .*, got 't'"),
        (lambda p: p.isel(x=slice(0, 0)), NgioEmptyRegionError, "axis 'x'"),
    ],
)
def test_patches_that_do_not_fit_are_refused(image, patch, change, error, message):
    """The error says which axis or dtype is at odds."""
    with pytest.raises(error, match=message):
        nx.paste(image, change(patch))


def test_mask_keeps_one_object(image, labels):
    """Pixels of the object stay, the rest is fill; labels apply to each channel."""
    result = nx.mask(image, labels, 1, fill=9)
    np.testing.assert_array_equal(result, np.where(labels.values == 1, 1, 9)[None].repeat(2, axis=0))
    assert (result.dtype, result.attrs, result.name, result.dims) == (image.dtype, image.attrs, "q", image.dims)


@pytest.mark.parametrize(("own", "theirs"), [(slice(0, 8), slice(2, 4)), (slice(2, 4), slice(0, 8))])
def test_mask_finds_the_common_pixels(image, labels, own, theirs):
    """Labels may be smaller or larger; what they do not cover is blank."""
    result = nx.mask(image.isel(x=own), labels.isel(x=theirs), 1)
    assert result.sizes == image.isel(x=own).sizes
    assert int(result.sum()) == 2 * int((labels[:, 2:4] == 1).sum())


def test_mask_of_an_absent_id_is_blank(image, labels):
    """An id that is nowhere, or does not fit the dtype, leaves nothing."""
    assert int(nx.mask(image, labels, 300).sum()) == 0


def test_labels_may_be_booleans(image, labels):
    """True is the id 1, as in all functions of labels; the id is named where it is no number."""
    assert nx.mask(image, labels == 1, 1).identical(nx.mask(image, labels, 1))
    with pytest.raises(NgioValueError, match="label_id must be an integer, got '1'"):
        nx.mask(image, labels, "1")


def test_mask_of_a_float_image_takes_nan(image, labels):
    """NaN fits floats, whose dtype is kept."""
    result = nx.mask(image.astype("f4"), labels, 1, fill=np.nan)
    assert result.dtype == np.float32
    assert int(result.isnull().sum()) == 2 * int((labels != 1).sum())


@pytest.mark.parametrize("fill", [-1, 1.5, "a", np.nan, [1, 2], 2**16])
def test_fill_must_fit_the_dtype(image, labels, fill):
    """A fill that the image cannot hold is refused."""
    with pytest.raises(NgioValueError, match="does not fit dtype uint16"):
        nx.mask(image, labels, 1, fill=fill)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda a: a.astype(float), NgioTypeError, "labels must be integers, got"),
        (lambda a: a.values, NgioTypeError, "got ndarray"),
        (
            lambda a: nx.zoom(a, 0.5),
            NgioValueError,
            "the image and the labels do not fit along 'y': the pixel sizes differ: 0.5 and 1.0",
        ),
        (lambda a: a.expand_dims("t"), NgioValueError, "axes .*of the image's .*, got 't'"),
        (lambda a: nx.as_labels(a, units="nanometer"), NgioValueError, "units differ"),
        (nx.as_image, NgioTypeError, "says that it is an image"),
    ],
)
def test_labels_that_do_not_fit_are_refused(image, labels, change, error, message):
    """The error says which axis or dtype is at odds."""
    with pytest.raises(error, match=message):
        nx.mask(image, change(labels), 1)


def test_plain_arrays_are_no_images(patch, labels):
    """paste and mask need names."""
    with pytest.raises(NgioTypeError, match="image must be a DataArray, got ndarray"):
        nx.paste(np.zeros((2, 2)), patch)
    with pytest.raises(NgioTypeError, match="image must be a DataArray, got ndarray"):
        nx.mask(np.zeros((2, 2)), labels, 1)


def test_a_mapping_says_where_a_patch_goes():
    """As the region would that it makes."""
    image = nx.as_image(np.zeros((6, 8), "u2"), "yx", 0.5)
    rows = nx.paste(image, np.ones((2, 8), "u2"), {"y": (1, 1)})
    np.testing.assert_array_equal(rows.sum("x"), [0, 0, 8, 8, 0, 0])
    assert rows.identical(nx.paste(image, np.ones((2, 8), "u2"), nx.Roi.from_values({"y": (1, 1), "x": slice(None)})))
