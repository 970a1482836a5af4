import numpy as np
import pytest
import zarr
from numpy.testing import assert_array_equal

import ngio_x as nx
from ngio_x.errors import NgioTypeError, NgioValueError
from ngio_x.pyramid.layout import layout_of
from ngio_x.pyramid.planner import levels_order
from ngio_x.testing.samples import noise

PIXELS = noise((37, 53))
MODES = ["dask", "numpy"]


def new_array(store, path, shape, dtype="u2", zarr_format=3, **options):
    options.setdefault("chunks", tuple(min(16, size) for size in shape))
    return zarr.create_array(store, name=path, shape=shape, dtype=dtype, zarr_format=zarr_format, **options)


@pytest.fixture
def store():
    return zarr.storage.MemoryStore()


@pytest.fixture
def source(store):
    array = new_array(store, "0", PIXELS.shape)
    array[...] = PIXELS
    return array


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("order", ["nearest", "linear"])
@pytest.mark.parametrize(
    "options",
    [
        {"zarr_format": 2},
        {"zarr_format": 2, "order": "F"},
        {"zarr_format": 2, "chunk_key_encoding": {"name": "v2", "separator": "/"}},
        {"zarr_format": 2, "dtype": ">u2"},
        {"zarr_format": 3},
        {"zarr_format": 3, "dtype": ">u2"},
        {"zarr_format": 3, "chunk_key_encoding": {"name": "default", "separator": "."}},
        {"zarr_format": 3, "chunks": (5, 7), "shards": (15, 14)},
        {"zarr_format": 3, "chunks": (100, 100)},
    ],
    ids=str,
)
def test_any_layout_gives_the_pixels_of_numpy_zoom(store, options, order, mode):
    """Formats, separators, byte and memory orders, shards: the pixels are those of the arrays in memory."""
    source, target = new_array(store, "a", PIXELS.shape, **options), new_array(store, "b", (17, 20), **options)
    source[...] = PIXELS
    nx.on_disk_zoom(source, target, order, mode)
    assert_array_equal(target[...], nx.numpy_zoom(PIXELS, target_shape=(17, 20), order=order))


@pytest.mark.parametrize("mode", MODES)
def test_arrays_of_two_byte_orders_and_formats_fit(store, mode):
    """A big-endian version 2 array can be zoomed into a native version 3 array on disk."""
    old, new = new_array(store, "a", PIXELS.shape, ">u2", 2, order="F"), new_array(store, "b", (17, 20))
    old[...] = PIXELS
    nx.on_disk_zoom(old, new, mode=mode)
    assert_array_equal(new[...], nx.numpy_zoom(PIXELS, target_shape=(17, 20)))


@pytest.mark.parametrize("mode", MODES)
def test_zoom_may_enlarge_and_may_keep_the_shape(store, source, mode):
    """One array into another of any shape, its own included."""
    for index, shape in enumerate([PIXELS.shape, (60, 53), (1, 1)]):
        target = new_array(store, f"t{index}", shape)
        nx.on_disk_zoom(source, target, mode=mode)
        assert_array_equal(target[...], nx.numpy_zoom(PIXELS, target_shape=shape))


@pytest.mark.parametrize("mode", MODES)
def test_levels_are_made_each_from_the_next_finer_one(store, source, mode):
    """Targets in any order give the chain from fine to coarse, and the list that was passed keeps its items."""
    shapes = {"2": (9, 13), "1": (18, 26), "3": (4, 6)}
    targets = [new_array(store, path, shape) for path, shape in shapes.items()]
    passed = list(targets)
    nx.consolidate_pyramid(source, passed, mode=mode)
    assert passed == targets
    expected = PIXELS
    for path in "123":
        expected = nx.numpy_zoom(expected, target_shape=shapes[path])
        assert_array_equal(zarr.open_array(store, path=path)[...], expected)
    assert_array_equal(source[...], PIXELS)


def test_targets_may_come_from_a_generator(store, source):
    """Any iterable of arrays is read once."""
    targets = [new_array(store, "1", (18, 26))]
    nx.consolidate_pyramid(source, (target for target in targets))
    assert_array_equal(targets[0][...], nx.numpy_zoom(PIXELS, target_shape=(18, 26)))


def test_no_targets_is_no_work(source):
    """A pyramid of one level is complete."""
    nx.consolidate_pyramid(source, [])
    assert_array_equal(source[...], PIXELS)


def test_a_larger_target_is_refused_before_anything_is_written(store, source):
    """Levels that could be made stay as they are when one cannot."""
    small, large = new_array(store, "1", (18, 26)), new_array(store, "2", (20, 54))
    with pytest.raises(NgioValueError, match=r"target 1 with shape \(20, 54\) is larger than the source .*\(37, 53\)"):
        nx.consolidate_pyramid(source, [small, large])
    assert not small[...].any()


@pytest.mark.parametrize(
    ("shape", "dtype", "message"),
    [
        ((18, 26), "u1", "source and target 1 must have one dtype, got uint16 and uint8"),
        ((18, 26), "i2", "source and target 1 must have one dtype"),
        ((18,), "u2", r"source and target 1 must have as many axes, got \(37, 53\) and \(18,\)"),
    ],
)
def test_a_target_that_does_not_fit_is_refused_before_anything_is_written(store, source, shape, dtype, message):
    """Data types and numbers of axes are compared first."""
    good, bad = new_array(store, "1", (19, 27)), new_array(store, "2", shape, dtype)
    with pytest.raises(NgioValueError, match=message):
        nx.consolidate_pyramid(source, [good, bad])
    assert not good[...].any()


def test_on_disk_zoom_compares_numbers_of_axes(store, source):
    """The two shapes are named."""
    with pytest.raises(NgioValueError, match=r"as many axes, got \(37, 53\) and \(4,\)"):
        nx.on_disk_zoom(source, new_array(store, "1", (4,)))


def test_an_array_is_not_zoomed_into_itself(tmp_path):
    """One place is recognised, even through another store and handle."""
    group = zarr.open_group(tmp_path / "a.zarr", mode="w")
    first = group.create_array("sub/0", shape=(8, 8), dtype="u2")
    again = zarr.open_array(tmp_path / "a.zarr" / "sub" / "0")
    for other in (first, again):
        with pytest.raises(NgioValueError, match="source and target 0 are the same array"):
            nx.on_disk_zoom(first, other)
        with pytest.raises(NgioValueError, match="source and target 0 are the same array"):
            nx.consolidate_pyramid(first, [other])


def test_a_target_given_twice_is_refused(store, source):
    """Two writers would meet in one array."""
    target = new_array(store, "1", (18, 26))
    with pytest.raises(NgioValueError, match="the same array"):
        nx.consolidate_pyramid(source, [target, target])


@pytest.mark.parametrize("mode", ["coarse", None, 1])
def test_unknown_mode_is_refused(store, source, mode):
    """The message lists those that exist."""
    with pytest.raises(NgioValueError, match="mode must be one of 'dask', 'numpy', 'coarsen', got"):
        nx.on_disk_zoom(source, new_array(store, "1", (4, 4)), mode=mode)


@pytest.mark.parametrize("order", ["quintic", 5, None])
def test_unknown_order_is_refused_before_anything_is_written(store, source, order):
    """As in memory."""
    with pytest.raises(NgioValueError, match="order must be one of"):
        nx.consolidate_pyramid(source, [new_array(store, "1", (4, 4))], order)


@pytest.mark.parametrize(
    ("order", "kernel"), [("linear", "mean"), ("nearest", "mode"), ("mean", "mean"), ("max", "max"), ("min", "min")]
)
def test_coarsen_counts_all_inputs_that_an_output_covers(store, source, order, kernel):
    """Linear becomes the mean and nearest the mode, at any ratio; the others are themselves."""
    target = new_array(store, "1", (5, 3))
    nx.on_disk_zoom(source, target, order, mode="coarsen")
    np.testing.assert_array_equal(target[...], nx.numpy_zoom(PIXELS, target_shape=(5, 3), order=kernel))


def test_coarsen_has_no_cubic(store, source):
    """A spline through all inputs is no average of those that an output covers."""
    with pytest.raises(NgioValueError, match="mode='coarsen' has no cubic"):
        nx.on_disk_zoom(source, new_array(store, "1", (4, 4)), "cubic", mode="coarsen")


def test_things_that_are_no_zarr_arrays_are_refused(source):
    """The message says which and of what type."""
    with pytest.raises(NgioTypeError, match="source must be a zarr array, got ndarray"):
        nx.on_disk_zoom(PIXELS, source)
    with pytest.raises(NgioTypeError, match="target 0 must be a zarr array, got str"):
        nx.on_disk_zoom(source, "1")
    with pytest.raises(NgioTypeError, match="target 0 must be a zarr array, got str"):
        nx.consolidate_pyramid(source, ["1"])
    with pytest.raises(NgioTypeError, match="source must be a zarr array, got str"):
        nx.consolidate_pyramid("0", [])


def test_arrays_without_pixels_are_refused(store, source):
    """Both shapes are named."""
    with pytest.raises(NgioValueError, match=r"got \(37, 53\) and \(0, 3\)"):
        nx.on_disk_zoom(source, new_array(store, "1", (0, 3), chunks=(1, 1)))


@pytest.mark.parametrize("mode", MODES)
def test_progress_counts_every_write_unit(store, source, mode):
    """Shards are counted where there are any."""
    target, seen = new_array(store, "1", (20, 30), chunks=(5, 5), shards=(10, 10)), []
    nx.on_disk_zoom(source, target, mode=mode, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (6, 6)
    assert seen == sorted(set(seen))


def test_write_units_tile_the_array(store):
    """Every pixel lies in exactly one unit."""
    array, seen = new_array(store, "1", (23, 17), chunks=(4, 3), shards=(8, 6)), np.zeros((23, 17), int)
    for window in layout_of(array).units():
        seen[window] += 1
    assert (seen == 1).all()


def test_each_level_comes_from_the_smallest_finer_one():
    """Levels that shrink along different axes come from whichever holds them."""
    assert levels_order([(8, 8), (2, 2), (4, 4)]) == [(0, 2), (2, 1)]
    assert levels_order([(8, 8), (2, 8), (8, 2), (1, 4)]) == [(0, 1), (0, 2), (1, 3)]
