"""New ids in the order of the old ones, against scikit-image."""

import dask.array as da
import numpy as np
import pytest

import ngio_x as nx
from ngio_x.errors import NgioTypeError, NgioValueError


def sparse(dtype="u8"):
    """Return an image of few ids far apart."""
    pixels = np.zeros((9, 14), dtype)
    pixels[1:3, 2:4], pixels[4:, 7], pixels[0, 5:], pixels[7:, :3] = 100, 90, 2, 120
    return pixels


def test_ids_are_those_of_skimage():
    """The same image, and the same way from old to new."""
    segmentation = pytest.importorskip("skimage.segmentation")
    expected, forward, _ = segmentation.relabel_sequential(sparse("i8"), offset=5)
    found, mapping = nx.relabel_sequential(sparse("i8"), offset=5)
    np.testing.assert_array_equal(found, expected)
    assert mapping == {old: forward[old] for old in (2, 90, 100, 120)}


@pytest.mark.parametrize("dtype", ["u1", "i2", ">u4", "u8", "?"])
def test_the_dtype_is_kept(dtype):
    """But for booleans, which become the id 1."""
    found, mapping = nx.relabel_sequential(sparse(dtype))
    assert found.dtype == ("u1" if dtype == "?" else np.dtype(dtype).newbyteorder("="))
    assert list(mapping.values()) == list(range(1, len(mapping) + 1))


def test_dask_and_labelled_arrays_stay_what_they_are():
    """A labelled array keeps its lattice and role, a dask array its chunks, and nothing is computed before its time."""
    expected, mapping = nx.relabel_sequential(sparse())
    lazy = nx.as_labels(da.from_array(sparse(), chunks=4), "yx", 0.5, name="cells")
    found, same = nx.relabel_sequential(lazy)
    assert found.chunks == lazy.chunks
    assert found.attrs == lazy.attrs
    assert found.coords.identical(lazy.coords)
    assert found.name == "cells"
    assert same == mapping
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(nx.relabel_sequential(lazy.data)[0], expected)


def test_a_background_stays():
    """Any id can be it, and is none of the new ones."""
    pixels = np.array([[9, 9, 0], [4, 0, 9]])
    found, mapping = nx.relabel_sequential(pixels, background=9, offset=0)
    assert found.tolist() == [[9, 9, 0], [1, 0, 9]]
    assert mapping == {0: 0, 4: 1}


def test_no_objects_need_no_ids():
    """An image of background comes back as it is."""
    for pixels in (np.zeros((3, 3), "u1"), np.zeros((0, 3), "u1")):
        found, mapping = nx.relabel_sequential(pixels)
        np.testing.assert_array_equal(found, pixels)
        assert mapping == {}


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"labels": np.eye(3)}, NgioTypeError, "must be integers, got float64"),
        (
            {"labels": sparse("u1"), "offset": 253},
            NgioValueError,
            "offset=253 makes ids up to 256, which do not fit uint8: convert with .astype",
        ),
        ({"labels": sparse("u1"), "offset": -1}, NgioValueError, "offset=-1 makes ids up to 2, which do not fit uint8"),
        ({"labels": sparse("i4"), "offset": -1}, NgioValueError, "-1 to 2 hold background=0: choose another"),
        ({"labels": sparse(), "offset": 1.5}, NgioValueError, "offset must be an integer"),
        ({"labels": sparse(), "background": None}, NgioValueError, "background must be an integer, got None"),
    ],
)
def test_bad_input_is_refused(arguments, error, message):
    """The message says what does not fit."""
    with pytest.raises(error, match=message):
        nx.relabel_sequential(**arguments)


def test_inputs_are_not_written_to():
    """Read-only pixels pass; the result shares no memory with them."""
    pixels = sparse()
    pixels.flags.writeable = False
    before = pixels.copy()
    found, _ = nx.relabel_sequential(pixels)
    np.testing.assert_array_equal(pixels, before)
    assert not np.shares_memory(found, pixels)
