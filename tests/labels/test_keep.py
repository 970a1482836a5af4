"""Objects that coarser label images lose are put back."""

import dask
import dask.array as da
import numpy as np
import pytest
import xarray as xr
import zarr
from numpy.testing import assert_array_equal

import ngio_x as nx
from ngio_x.errors import NgioTypeError, NgioValueError


def touching_spheres(radius=4, count=(3, 5, 5), dtype="u4"):
    """A stack of spheres that touch their neighbours, on a grid, and in each corner between four a single pixel."""
    side = 2 * radius
    offsets = np.arange(side) - radius + 0.5
    sphere = sum(np.meshgrid(offsets**2, offsets**2, offsets**2, indexing="ij")) <= radius**2
    labels = np.zeros([n * side for n in count], dtype)
    for number, place in enumerate(np.ndindex(count), 1):
        labels[tuple(slice(at * side, (at + 1) * side) for at in place)][sphere] = number
    debris = labels[radius::side, ::side, ::side]
    debris[...] = 1000 + np.arange(debris.size, dtype=dtype).reshape(debris.shape)
    return labels


@pytest.mark.parametrize("order", ["nearest", "mode"])
@pytest.mark.parametrize("factor", [2, 3, 4, 8])
def test_every_object_of_a_stack_of_touching_spheres_is_kept(order, factor):
    """And single pixels between them, until a level has no pixel that holds them but not others."""
    labels = touching_spheres()
    coarse = nx.numpy_zoom(labels, (1 / factor,) * 3, order=order)
    kept = nx.keep_objects(coarse, labels)
    expected = set(nx.unique_ids(labels).tolist())
    lost = expected - set(nx.unique_ids(kept).tolist())
    if factor < 8:
        assert not lost
    else:  # a sphere to a pixel: there is no room for more
        assert lost
        assert max(kept.shape) == 5
    assert set(nx.unique_ids(kept).tolist()) <= expected


def test_an_object_goes_where_most_of_it_is():
    """Of several such pixels, to the first; and always to one that holds some of it."""
    labels = np.zeros((1, 12), "u1")
    labels[0, 2:5], labels[0, 7:9] = 5, 6  # 5 has two pixels in [0, 4) and one beyond, 6 has one in each
    assert nx.keep_objects(np.zeros((1, 3), "u1"), labels).tolist() == [[5, 6, 0]]


def test_of_two_in_one_pixel_the_larger_is_kept_then_the_lower_id():
    """There is no room for the other."""
    labels = np.array([[7, 0, 9, 9], [0, 3, 0, 8]], "u8")
    assert nx.keep_objects(np.zeros((1, 2), "u8"), labels).tolist() == [[3, 9]]


def test_the_next_best_pixel_is_tried():
    """Where a larger one has taken the best."""
    labels = np.array([[5, 5, 5, 5, 6, 6, 6, 0, 0, 0, 0, 0]], "i4")
    assert nx.keep_objects(np.zeros((1, 2), "i4"), labels).tolist() == [[5, 6]]
    assert nx.keep_objects(np.zeros((1, 2), "i4"), np.where(labels == 5, 0, labels)).tolist() == [[6, 0]]


def test_the_last_pixel_of_another_is_never_taken():
    """Of one that has more, one is."""
    labels = np.array([[1, 2, 1, 1]], "u1")
    assert nx.keep_objects(np.array([[1, 1]], "u1"), labels).tolist() == [[2, 1]]
    assert nx.keep_objects(np.array([[1, 0]], "u1"), labels).tolist() == [[1, 0]]


def test_times_are_images_of_their_own():
    """An object that is seen at one time is kept at another; of an axis with another name, it is there already."""
    pixels = np.zeros((2, 2, 4), "u2")
    pixels[0, :, :2], pixels[1, 0, 0] = 5, 5
    labels = nx.as_labels(pixels, "tyx")
    kept = nx.keep_objects(nx.zoom(labels, 0.5), labels)
    assert kept.values.tolist() == [[[5, 0]], [[5, 0]]]
    stack = nx.as_labels(pixels, "zyx")
    coarse = nx.zoom(stack, {"y": 0.5, "x": 0.5})
    assert_array_equal(nx.keep_objects(coarse, stack), coarse)


@pytest.mark.parametrize("lazy", [False, True])
def test_labelled_arrays_stay_what_they_are(lazy):
    """Axes may come in any order; a dask array is changed when it is asked for, and keeps its chunks."""
    labels = nx.as_labels(touching_spheres(), "zyx", 0.5, origin=3.0, name="spheres")
    coarse = nx.zoom(labels.chunk(5) if lazy else labels, {"z": 0.5, "y": 0.3, "x": 0.5})
    kept = nx.keep_objects(coarse, labels.transpose("x", "z", "y"))
    assert (kept.name, kept.attrs, kept.chunks) == (coarse.name, coarse.attrs, coarse.chunks)
    assert kept.coords.identical(coarse.coords)
    assert_array_equal(kept, nx.keep_objects(coarse.values, labels.values))
    assert not kept.equals(coarse)


def test_arrays_on_disk_are_read_block_by_block():
    """And not at all where no lost object is, the second time."""
    pixels = np.zeros((40, 40), "u2")
    pixels[10:30, 10:30], pixels[35, 1] = 3, 4
    group = zarr.open_group(zarr.storage.MemoryStore(), mode="w")
    array = group.create_array("labels", data=pixels, chunks=(10, 10))
    assert_array_equal(nx.keep_objects(pixels[::4, ::4], array), nx.keep_objects(pixels[::4, ::4], pixels))
    seen = []

    def look(block, block_info=None):
        seen.append(tuple(block_info[0]["chunk-location"]))
        return block

    lazy = da.from_array(pixels, chunks=10).map_blocks(look, dtype="u2", meta=np.empty((0, 0), "u2"))
    with dask.config.set(scheduler="sync"):
        nx.keep_objects(pixels[::4, ::4], lazy)
    assert sorted(seen) == sorted([*np.ndindex(4, 4), (3, 0)])


@pytest.mark.parametrize("dtype", ["?", "u1", ">i2", "u8", "i8"])
def test_the_dtype_is_kept(dtype):
    """Ids of any size are copied; those below 0, too."""
    ids = {"?": [1], "u8": [2**64 - 1, 2**64 - 2], "i8": [-(2**62) - 1, -1]}.get(dtype, [1, 2])
    labels = np.zeros((4, 6), dtype)
    labels[0, 0], labels[3, 5] = ids[0], ids[-1]
    kept = nx.keep_objects(labels[1::2, 1:-1:2], labels)
    assert kept.dtype == labels.dtype
    assert {*kept.ravel().tolist()} == {0, *ids}


def test_inputs_are_untouched_and_results_are_new():
    """Also where nothing is lost."""
    labels = touching_spheres()
    coarse = labels[::4, ::4, ::4].copy()
    before = labels.copy(), coarse.copy()
    kept, same = nx.keep_objects(coarse, labels), nx.keep_objects(labels, labels)
    assert not np.shares_memory(same, labels)
    kept[...] = same[...] = 0
    assert_array_equal(labels, before[0])
    assert_array_equal(coarse, before[1])


LABELS = nx.as_labels(np.ones((8, 8), "u1"), "yx", 0.5)


@pytest.mark.parametrize(
    ("coarse", "labels", "error", "message"),
    [
        (np.ones((2, 2)), np.ones((4, 4), "u1"), NgioTypeError, "must be integers, got float64"),
        (np.ones((2, 2), "u1"), np.ones((4, 4)), NgioTypeError, "must be integers, got float64"),
        (np.ones((2, 2), "u1"), np.ones((4, 4), "u2"), NgioTypeError, "one dtype, got uint8 and uint16: convert"),
        (np.ones((2, 2), "u1"), np.ones(4, "u1"), NgioValueError, r"same axes, got shape \(2, 2\) and shape \(4,\)"),
        (np.ones((0, 2), "u1"), np.ones((4, 4), "u1"), NgioValueError, r"must have pixels, got shape \(0, 2\)"),
        (LABELS.rename(y="z"), LABELS, NgioValueError, r"same axes, got \('z', 'x'\) and \('y', 'x'\)"),
        (
            nx.as_labels(LABELS, units="nanometer"),
            LABELS,
            NgioValueError,
            "'y': the units differ: 'nanometer' and 'mic",
        ),
        (nx.zoom(LABELS, 0.5), LABELS[:6], NgioValueError, r"axis 'y': .* extent, got \(0.0, 4.0\) and \(0.0, 3.0\)"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_does_not_fit_is_refused(coarse, labels, error, message):
    """The message says what was wrong."""
    with pytest.raises(error, match=message):
        nx.keep_objects(coarse, labels)


def test_a_level_that_ends_a_little_before_level_0_is_no_other_place():
    """As those of ngio do, whose sizes are odd: less than a pixel is left out."""
    labels = nx.as_labels(np.ones((9, 9), "u1"), "yx", 0.5)
    coarse = nx.as_labels(np.zeros((4, 4), "u1"), "yx", 1.0)
    assert int(nx.keep_objects(coarse, labels).sum()) == 1
    assert isinstance(nx.keep_objects(coarse, labels), xr.DataArray)
