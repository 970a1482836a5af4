"""Zooming labelled images."""

import numpy as np
import pytest
import xarray as xr

import ngio_x as nx
from ngio_x.errors import NgioTypeError, NgioUserWarning, NgioValueError
from ngio_x.testing.samples import noise


@pytest.fixture
def image() -> xr.DataArray:
    image = nx.as_image(np.arange(96, dtype="u2").reshape(2, 6, 8), ("c", "y", "x"), 0.5, channels=["a", "b"], name="q")
    return image.assign_attrs(note=1).assign_coords(x=image.x, y=image.y)


def test_a_number_zooms_space_only(image):
    """Channels and time are left alone."""
    result = nx.zoom(image, 0.5)
    assert result.sizes == {"c": 2, "y": 3, "x": 4}
    assert result.c.values.tolist() == ["a", "b"]
    assert (result.name, result.attrs, result.dtype) == ("q", image.attrs, image.dtype)


def test_coordinates_become_those_of_the_new_pixels(image):
    """The first label is the centre of the first new pixel; the unit stays."""
    result = nx.zoom(image, {"x": 0.5})
    assert result.x.values.tolist() == [0.5, 1.5, 2.5, 3.5]
    assert result.x.attrs == {"units": "micrometer"}
    assert nx.zoom(image, shape={"x": 1}).x.attrs == {
        "units": "micrometer",
        "spacing": 4.0,
        "phase": 0.5,
    }  # a lone label cannot tell


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
        ({"scale": {"x": 0}}, "scale along 'x' must be > 0, got 0"),
        ({"scale": float("nan")}, "scale along 'y' must be a finite number"),
        ({"scale": "a"}, "scale along 'y' must be a number"),
        ({"scale": {"q": 1}}, "must name axes of .*, got 'q'"),
        ({"shape": {"x": 1.5}}, "shape along 'x' must be an integer"),
        ({"shape": (1, 2)}, "one item for each axis of"),
        ({"shape": 5}, "mapping by axis name"),
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
    ids = noise((12, 9), "u4", high=4) * 1_000_000_007
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


@pytest.fixture
def dataset(image) -> xr.Dataset:
    mask = nx.as_labels((image.isel(c=0, drop=True) // 16).astype("u4")).rename("mask")
    return xr.Dataset({"image": image, "mask": mask, "quality": ("c", [0.5, 0.7])}, attrs={"plate": "A"})


def test_every_variable_of_a_dataset_is_zoomed_by_its_own_kernel(dataset):
    """Images are blended, labels picked, what has no zoomed axis is left alone; attributes and order are kept."""
    result = nx.zoom(dataset, 0.5)
    assert list(result) == ["image", "mask", "quality"]
    xr.testing.assert_identical(result["image"], nx.zoom(dataset["image"], 0.5))
    xr.testing.assert_identical(result["mask"], nx.zoom(dataset["mask"], 0.5))
    xr.testing.assert_identical(result["quality"], dataset["quality"])
    assert result.attrs == {"plate": "A"}
    assert isinstance(result.xindexes["x"], nx.PixelIndex)


def test_order_by_variable(dataset):
    """A mapping names kernels by variable; the others keep their default."""
    result = nx.zoom(dataset, {"y": 0.5}, order={"image": "nearest", "mask": "max"})
    xr.testing.assert_identical(result["image"], nx.zoom(dataset["image"], {"y": 0.5}, order="nearest"))
    xr.testing.assert_identical(result["mask"], nx.zoom(dataset["mask"], {"y": 0.5}, order="max"))
    result = nx.zoom(dataset, shape={"x": 3}, order={"image": "mean"})
    xr.testing.assert_identical(result["mask"], nx.zoom(dataset["mask"], shape={"x": 3}))


@pytest.mark.parametrize(
    ("order", "message"),
    [
        ("linear", r"variable 'mask': order='linear' blends the ids"),
        ({"masks": "max"}, r"order must name variables of \['image', 'mask', 'quality'\], got 'masks'"),
        ({"image": "best"}, r"variable 'image': order must be one of"),
        ({"quality": "best"}, r"variable 'quality': order must be one of"),
    ],
)
def test_a_kernel_that_does_not_fit_a_variable_is_refused_by_its_name(dataset, order, message):
    """One variable in error, and nothing is returned."""
    with pytest.raises(NgioValueError, match=message):
        nx.zoom(dataset, 0.5, order=order)


def test_an_array_has_one_kernel(image):
    """Kernels by variable are for datasets."""
    with pytest.raises(NgioValueError, match="order must be one of"):
        nx.zoom(image, 0.5, order={"q": "linear"})


def test_coordinates_of_a_dataset_are_dropped_with_one_warning(dataset):
    """However many variables have them."""
    with pytest.warns(NgioUserWarning, match=r"\['note'\].*are dropped") as caught:
        nx.zoom(dataset.assign_coords(note=("x", np.arange(8))), 0.5)
    assert len(caught) == 1
    assert caught[0].filename == __file__


def test_a_dataset_of_dask_arrays_stays_lazy(dataset):
    """The pixels are those of numpy."""
    lazy = nx.zoom(dataset.chunk(y=3, x=3), 0.5)
    assert lazy["image"].chunks is not None
    xr.testing.assert_identical(lazy.compute(), nx.zoom(dataset, 0.5))


@pytest.mark.parametrize(
    ("cut", "origin", "start"),
    [(slice(2, 6), 10.0, 1), (slice(4, 8), 10.0, 2), (slice(1, 5), 10.5, 0)],
)
def test_a_window_keeps_the_origin_if_its_edges_fall_on_the_new_lattice(cut, origin, start):
    """Pieces of one image, zoomed by themselves, are pieces of the zoomed image; others are anchored at their edge."""
    image = nx.as_image(np.arange(16.0), ("x",), 0.5, origin={"x": 10.0})
    index = nx.zoom(image.isel(x=cut), 0.5).xindexes["x"]
    assert (index.lattice.origin, index.lattice.start) == (origin, start)
    if start:
        whole = nx.zoom(image, 0.5, order="mean")
        piece = nx.zoom(image.isel(x=cut), 0.5, order="mean")
        xr.testing.assert_identical(whole - piece, piece - piece)


def test_names_of_channels_and_single_numbers_are_kept(image):
    """Coordinates that have no zoomed axis stay what they are."""
    image = image.assign_coords(wavelength=("c", [488, 561]), t=3.5)
    result = nx.zoom(image, 0.5)
    assert result["wavelength"].values.tolist() == [488, 561]
    assert float(result["t"]) == 3.5
