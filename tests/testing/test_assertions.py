"""Assertions pass where they should, and say where and by how much things differ."""

import subprocess
import sys
from functools import partial

import dask.array as da
import numpy as np
import pytest
import xarray as xr
import zarr
from scipy import ndimage

import ngio_x as nx
from ngio_x.errors import NgioFileNotFoundError, NgioTypeError, NgioValueError
from ngio_x.testing import (
    assert_chunking_independent,
    assert_same_lattice,
    assert_same_pixels,
    assert_valid_ome_zarr,
)
from ngio_x.testing.samples import noise

IMAGE = nx.as_image(noise((2, 6, 8)), "cyx", 0.5, origin={"y": 10.0}, channels=["a", "b"])
BLACK = IMAGE[:, :1, :2] * 0


def message_of(assertion, *args, **options):
    with pytest.raises(AssertionError) as caught:
        assertion(*args, **options)
    return str(caught.value)


# ---- assert_same_lattice


def test_an_image_has_the_lattice_of_itself_and_of_others_with_its_pixels():
    """Other values, types, names and attributes are no difference; nor is a crop of a larger image."""
    assert_same_lattice(IMAGE, IMAGE)
    assert_same_lattice((IMAGE > 3).rename("x").assign_attrs(a=1), IMAGE)
    assert_same_lattice(IMAGE.isel(y=slice(2, 4)), nx.as_image(noise((2, 2, 8)), "cyx", 0.5, origin={"y": 11.0},
                                                              channels=["a", "b"]))  # fmt: skip
    assert_same_lattice(IMAGE.drop_vars(["y", "x"]), IMAGE.drop_vars(["y", "x"]) * 2)


def test_differences_smaller_than_alignment_sees_are_none():
    """A billionth of the spacing, a thousandth of a pixel of the origin, a unit that one does not know."""
    other = nx.as_image(IMAGE.values, "cyx", 0.5 * (1 + 1e-10), origin={"y": 10.0001}, channels=["a", "b"])
    assert_same_lattice(other, IMAGE)
    other.y.attrs.pop("units", None)


def test_every_axis_that_differs_is_named_with_both_numbers():
    """One line each: size, spacing, origin (with the distance in pixels), channel names."""
    other = nx.as_image(noise((2, 7, 8)), "cyx", {"y": 0.5, "x": 0.65}, origin={"y": 8.0}, channels=["a", "z"])
    assert message_of(assert_same_lattice, other, IMAGE).splitlines() == [
        "the lattices differ:",
        "  axis 'c': labels ['a', 'z'], expected ['a', 'b']",
        "  axis 'y': 7 pixels, expected 6",
        "  axis 'y': origin 8.0, expected 10.0 (-4 pixels)",
        "  axis 'x': spacing 0.65, expected 0.5",
    ]


def test_axes_units_and_missing_lattices_are_named():
    """What cannot be compared in numbers."""
    assert "axes: ('x', 'y'), expected ('y', 'x')" in message_of(assert_same_lattice, IMAGE[0].T, IMAGE[0])
    nanometers = nx.as_image(IMAGE.values, "cyx", 0.5, origin={"y": 10.0}, units="nanometer", channels=["a", "b"])
    assert "axis 'y': unit 'nanometer', expected 'micrometer'" in message_of(assert_same_lattice, nanometers, IMAGE)
    bare = IMAGE.drop_vars("x")
    assert "axis 'x': has no lattice, expected a lattice" in message_of(assert_same_lattice, bare, IMAGE)
    assert "axis 'x': has a lattice, expected no lattice" in message_of(assert_same_lattice, IMAGE, bare)


def test_lattices_are_those_of_data_arrays():
    """Anything else is refused, and told what to do."""
    with pytest.raises(NgioTypeError, match=r"(actual|expected) must be a DataArray, got ndarray: label it"):
        assert_same_lattice(IMAGE.values, IMAGE)
    with pytest.raises(NgioTypeError, match="got ndarray"):
        assert_same_lattice(IMAGE, IMAGE.values)


# ---- assert_same_pixels


@pytest.mark.parametrize(
    "values", [noise(5), [1.0, np.nan, -0.0, np.inf], [1 + np.nan * 1j], ["a", "b"], 3, [[]]], ids=str
)
def test_an_array_has_the_pixels_of_its_copy(values):
    """Of any type and container; NaN is like NaN."""
    array = np.array(values)
    assert_same_pixels(array.copy(), array)
    assert_same_pixels(da.from_array(array), array)
    assert_same_pixels(xr.DataArray(array), array)


@pytest.mark.parametrize(
    ("actual", "expected", "message"),
    [
        ([1, 2, 3], [1, 5, 4], "2 of 3, the first at (1,): 2, expected 5"),
        ([0.0], [-0.0], "1 of 1, the first at (0,): 0.0, expected -0.0"),
        ([np.nan], [1.0], "1 of 1, the first at (0,): nan, expected 1.0"),
        ([1 + 2j], [1 + 3j], "the first at (0,): (1+2j), expected (1+3j)"),
        (1, 2, "1 of 1, the first there: 1, expected 2"),
        ([1, 2], [[1, 2]], "shape (2,), expected (1, 2)"),
        (np.uint8([1]), np.uint16([1]), "data type uint8, expected uint16"),
        (IMAGE, IMAGE.T, "axes ('c', 'y', 'x'), expected ('x', 'y', 'c')"),
        (BLACK, BLACK + np.uint16([0, 7]), "2 of 4, the first at c=0, y=0, x=1: 0, expected 7"),
    ],
)  # fmt: skip
def test_the_first_pixel_that_differs_is_named_with_both_values(actual, expected, message):
    """And how many differ; signs of zeros, types and shapes count."""
    if isinstance(actual, list):
        actual, expected = np.array(actual), np.array(expected)
    found = message_of(assert_same_pixels, actual, expected)
    assert found.startswith("the pixels differ: ")
    assert message in found


# ---- assert_valid_ome_zarr


@pytest.fixture
def written(tmp_path):
    nx.write_ome_zarr(IMAGE, tmp_path / "a.zarr", levels=2, name="a")
    return tmp_path / "a.zarr"


def test_what_ngio_x_writes_is_valid(written):
    """By path, text, or group; with SHOULDs, too."""
    assert_valid_ome_zarr(written)
    assert_valid_ome_zarr(str(written), strict=True)
    assert_valid_ome_zarr(zarr.open_group(written, mode="r"))


def test_each_problem_of_a_store_has_a_line(written):
    """Errors; and with strict, warnings."""
    group = zarr.open_group(written)
    ome = group.attrs["ome"]
    del ome["multiscales"][0]["name"]
    group.attrs["ome"] = ome
    assert_valid_ome_zarr(written)
    message = message_of(assert_valid_ome_zarr, written, strict=True)
    assert "warning: " in message
    assert "$.ome.multiscales[0].name: should be there" in message
    ome["multiscales"][0]["datasets"][1]["coordinateTransformations"][0]["scale"][1] = 0
    del ome["multiscales"][0]["axes"][0]["name"]
    group.attrs["ome"] = ome
    first, *lines = message_of(assert_valid_ome_zarr, written).splitlines()
    assert first == "no valid OME-Zarr 0.5 image: 2 errors"
    assert [line[:9] for line in lines] == ["  error: "] * 2
    assert "axes[0].name: is missing" in lines[0]
    assert "must be > 0" in lines[1]


def test_a_store_that_is_not_there_is_no_invalid_one(tmp_path):
    """A wrong path is a mistake of the test."""
    with pytest.raises(NgioFileNotFoundError):
        assert_valid_ome_zarr(tmp_path / "nothing.zarr")


# ---- assert_chunking_independent


def smoothed(image):
    """Block by block, with as wide a halo as the filter has."""
    func = partial(ndimage.maximum_filter1d, size=5, axis=0, mode="nearest")
    return image.map_overlap(func, depth={0: 2}, boundary="nearest") if isinstance(image, da.Array) else func(image)


def seamed(image):
    """Block by block, as if there were nothing beyond."""
    if isinstance(image, da.Array):
        return image.map_blocks(ndimage.uniform_filter1d, 5)
    return ndimage.uniform_filter1d(image, 5)


@pytest.mark.parametrize(
    "func",
    [
        lambda image: image + 1,
        lambda image: image.max(),
        lambda image: (image.sum(axis=0), [image * 2, {"a": image.min()}]),
        lambda image: (
            nx.numpy_zoom(image, (0.5, 0.5)) if isinstance(image, np.ndarray) else nx.dask_zoom(image, (0.5, 0.5))
        ),
    ],
    ids=["pixelwise", "number", "nested", "zoom"],
)
def test_functions_that_do_not_depend_on_chunks_pass(func):
    """Whatever they return."""
    assert_chunking_independent(func, noise((13, 9)))


@pytest.mark.parametrize(
    "func",
    [
        lambda image: nx.zoom(image, 0.5),
        lambda image: image.to_dataset(name="a"),
        lambda image: xr.DataTree.from_dict({"/0": image.to_dataset(name="a"), "/1": (image * 2).to_dataset(name="b")}),
    ],
    ids=["array", "dataset", "tree"],
)  # fmt: skip
def test_functions_of_labelled_images_pass(func):
    """Arrays, datasets and trees."""
    assert_chunking_independent(func, IMAGE)


def test_a_seam_is_shown_with_the_chunks_that_make_it():
    """The chunks, the number of pixels, the first of them, both values."""
    ramp = np.arange(8.0) ** 2
    assert_chunking_independent(seamed, ramp, chunks=[8])
    message = message_of(assert_chunking_independent, seamed, ramp, chunks=[8, 4])
    expected, found = ndimage.uniform_filter1d(ramp, 5)[2], ndimage.uniform_filter1d(ramp[:4], 5)[2]
    assert message == (
        f"chunks change the result: with chunks ((4, 4),), pixels differ: 4 of 8, the first at (2,): {found}, "
        f"expected {expected} (as without chunks)"
    )
    assert_chunking_independent(smoothed, noise((12, 7), "f8"))


@pytest.mark.parametrize("shape", [(1,), (2, 3), (40,), (9, 1, 30)], ids=str)
def test_chunks_by_default_find_a_seam(shape):
    """Whichever axis it is along."""
    for axis, size in enumerate(shape):
        counted = partial(np.cumsum, axis=axis, dtype="f8")

        def within_blocks(image, counted=counted):
            return image.map_blocks(counted, dtype="f8") if isinstance(image, da.Array) else counted(image)

        if size == 1:
            assert_chunking_independent(within_blocks, np.ones(shape))
        else:
            message = message_of(assert_chunking_independent, within_blocks, np.ones(shape))
            assert "chunks change the result" in message


def test_lost_coordinates_and_other_kinds_of_results_are_differences():
    """Not pixels alone are compared."""

    def forgetful(image):
        return image if image.chunks is None else image.drop_vars("x")

    def hasty(image):
        return image if image.chunks is None else image.values

    def long(image):
        return [0] if image.chunks is None else [0, 1]

    assert "the coordinates, names or attributes differ" in message_of(assert_chunking_independent, forgetful, IMAGE)
    assert "the result is a ndarray, expected a DataArray" in message_of(assert_chunking_independent, hasty, IMAGE)
    assert "the result has ['[0]', '[1]'], expected ['[0]']" in message_of(assert_chunking_independent, long, IMAGE)


def test_errors_of_the_function_say_for_which_chunks():
    """They are its own, with a note."""

    def picky(image):
        if isinstance(image, da.Array) and image.numblocks[0] > 1:
            raise ValueError("one block, please")
        return image

    with pytest.raises(ValueError, match="one block") as caught:
        assert_chunking_independent(picky, np.ones(4))
    assert caught.value.__notes__ == ["with chunks ((2, 2),); without chunks, nothing was raised"]


def test_functions_that_write_to_their_input_do_not_reach_the_caller():
    """Each gets a copy."""
    pixels = noise((4, 4), "f8")
    before = pixels.copy()

    def rude(image):
        result = image * 2
        if isinstance(image, np.ndarray):
            image[:] = 0
        return result

    assert_chunking_independent(rude, pixels)
    np.testing.assert_array_equal(pixels, before)


def test_arrays_that_have_chunks_already_are_refused():
    """And so is a list of no chunks, which would test nothing."""
    for lazy in (IMAGE.chunk(), da.ones(3), [1, 2]):
        with pytest.raises(NgioTypeError, match="array must be a numpy array or a DataArray in memory"):
            assert_chunking_independent(abs, lazy)
    with pytest.raises(NgioValueError, match="chunks must hold at least one way to cut the array, got none"):
        assert_chunking_independent(abs, np.ones(3), chunks=[])


def test_chunks_of_a_labelled_image_may_be_named():
    """Or given in the order of the axes, or as one number."""
    seen = []
    assert_chunking_independent(
        lambda image: seen.append(image.chunks) or image, IMAGE, chunks=[{"y": 4}, 5, (1, 6, (3, 5))]
    )
    assert seen == [None, ((2,), (4, 2), (8,)), ((2,), (5, 1), (5, 3)), ((1, 1), (6,), (3, 5))]


# ---- Without hypothesis


def test_only_strategies_need_hypothesis():
    """Assertions and samples load without it; strategies say what to install."""
    code = """
import sys
sys.modules["hypothesis"] = None
from ngio_x.testing import assert_same_pixels, samples
try:
    import ngio_x.testing.strategies
except ImportError as error:
    print(error)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "the strategies need hypothesis: pip install 'ngio-x[testing]'\n"
