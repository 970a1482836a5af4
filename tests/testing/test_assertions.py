"""Assertions pass where they should, and say what differs where not."""

import json

import dask.array as da
import numpy as np
import pytest

import ngio_x as nx
from ngio_x.errors import NgioTypeError
from ngio_x.testing.assertions import assert_chunking_independent, assert_same_lattice, assert_valid_ome_zarr
from ngio_x.testing.samples import discs, fluorescence_image, noise

IMAGE = nx.as_image(noise((20, 30)), "yx", {"y": 0.5, "x": 0.25}, origin={"y": 3.0}, name="image")


def test_the_same_lattice_passes():
    """Pixels, names, chunks and tiny differences do not matter."""
    other = nx.as_image(np.zeros((20, 30)), "yx", {"y": 0.5 * (1 + 1e-12), "x": 0.25}, origin={"y": 3.0}, name="b")
    assert_same_lattice(IMAGE, other.chunk(7))
    assert_same_lattice(IMAGE.to_dataset(), other)


def test_other_lattices_are_named_axis_by_axis():
    """All differences at once."""
    other = nx.as_image(np.zeros((21, 30)), "yx", {"y": 0.5, "x": 1.0}, origin={"y": 3.5}, units="nanometer")
    with pytest.raises(AssertionError) as caught:
        assert_same_lattice(IMAGE, other)
    assert str(caught.value).splitlines()[1:] == [
        "- y: 20 and 21 pixels",
        "- y: pixel 0 begins at 3.0 and 3.5",
        "- y: units micrometer and nanometer",
        "- x: spacings of 0.25 and 1.0",
        "- x: units micrometer and nanometer",
    ]
    with pytest.raises(AssertionError, match=r"axes: \('y', 'x'\) and \('z', 'y', 'x'\)"):
        assert_same_lattice(IMAGE, IMAGE.expand_dims("z"))
    with pytest.raises(AssertionError, match="x: only the left one has coordinates"):
        assert_same_lattice(IMAGE, IMAGE.drop_vars("x"))


def test_valid_files_pass_and_others_are_listed(tmp_path):
    """With the section of the specification."""
    nx.write_ome_zarr(IMAGE, tmp_path / "image.zarr")
    assert_valid_ome_zarr(tmp_path / "image.zarr", strict=True)
    path = tmp_path / "image.zarr" / "zarr.json"
    document = json.loads(path.read_text())
    entry = document["attributes"]["ome"]["multiscales"][0]
    del entry["name"]
    path.write_text(json.dumps(document))
    assert_valid_ome_zarr(tmp_path / "image.zarr")
    with pytest.raises(AssertionError, match="name: should be there"):
        assert_valid_ome_zarr(tmp_path / "image.zarr", strict=True)
    del entry["axes"]
    path.write_text(json.dumps(document))
    with pytest.raises(AssertionError, match=r"(?s)not valid:\n- .*axes: is missing \(OME-NGFF 0.5, #axes-md\)"):
        assert_valid_ome_zarr(tmp_path / "image.zarr")


@pytest.mark.parametrize("array", [IMAGE, IMAGE.values, IMAGE.chunk(4)], ids=["image", "numpy", "lazy"])
def test_functions_that_do_not_see_chunks_pass(array):
    """NaN is the same as NaN."""
    assert_chunking_independent(lambda each: each / each, array * 1.0)
    if not isinstance(array, np.ndarray):
        assert_chunking_independent(lambda each: nx.zoom(each, 0.73), array)


def test_functions_that_see_chunks_are_caught():
    """By the first pixel, the type, the shape; −0 is not 0."""

    def blockwise(array):
        return (
            array.map_blocks(lambda block: block - block.min()) if isinstance(array, da.Array) else array - array.min()
        )

    with pytest.raises(
        AssertionError, match=r"chunks \(\(2, 2, 2\),\) change the result: 4 of 6 .* at \(2,\): 0 in place of 2"
    ):
        assert_chunking_independent(blockwise, np.arange(6))

    def lazily(change):
        return lambda array: change(array) if isinstance(array, da.Array) else array

    for change, message in (
        (lambda array: array.astype("f4"), "dtype float32 in place of float64"),
        (lambda array: array[1:], r"shape \(3,\) in place of \(4,\)"),
        (lambda array: -array, "4 of 4 pixels differ"),
    ):
        with pytest.raises(AssertionError, match=message):
            assert_chunking_independent(lazily(change), np.zeros(4))
    with pytest.raises(NgioTypeError, match="numpy array or a DataArray, got list"):
        assert_chunking_independent(lazily(abs), [1, 2])


def test_samples_are_the_same_each_time():
    """Of the dtype, the range and the size that are asked for."""
    assert np.array_equal(noise((4, 5), seed=3), noise((4, 5), seed=3))
    assert not np.array_equal(noise((4, 5), seed=3), noise((4, 5), seed=4))
    for dtype in ("bool", "int8", "uint64", "float32", "complex64", ">u2"):
        assert noise(9, dtype).dtype == dtype
    assert 5 <= noise(99, low=5, high=7).min() <= noise(99, low=5, high=7).max() == 6
    assert noise(999, "u8").max() > 2**63


def test_discs_are_on_a_grid():
    """Ids rise by a step; those that touch leave no gap between them."""
    labels = discs((32, 48), radius=5, spacing=16, id_step=10**9)
    assert nx.unique_ids(labels).tolist() == [10**9 * k for k in range(1, 7)]
    assert (nx.label_extents(labels)["count"] == 80).all()
    balls = discs((16, 16, 16), radius=7.5, spacing=8, dims=("z", "y", "x"))
    assert (balls > 0).all()
    assert nx.pixel_size_of(labels).x == 0.5


def test_fluorescence_images_have_as_many_nuclei_as_asked_for():
    """Two channels; the number of bright spots is known."""
    image = fluorescence_image(128, 3, seed=2)
    assert image.dims == ("c", "y", "x")
    assert image.shape == (2, 128, 128)
    assert fluorescence_image(128, 0).sel(c="DNA").max() < 1000 < image.sel(c="DNA").max()
    with pytest.raises(ValueError, match="at least 64"):
        fluorescence_image(32)
    with pytest.raises(ValueError, match="400 nuclei do not fit"):
        fluorescence_image(128, 400)
