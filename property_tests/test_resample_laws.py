"""Laws of resampling: chunking never changes a pixel, and its relatives, for every data type."""

import math
from collections import Counter
from fractions import Fraction

import dask.array as da
import numpy as np
import zarr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_array_equal

import ngio_x as nx
from ngio_x.resample.evaluate import zoom_window
from ngio_x.resample.kernels import KERNELS
from ngio_x.testing import assert_same_pixels
from ngio_x.testing.samples import noise
from ngio_x.testing.strategies import chunk_shapes, chunkings, windows

INTEGERS = ("u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", ">u2", ">i8")
FLOATS = ("f2", "f4", "f8", ">f4")
COMPLEX = ("c8", "c16")
orders = st.sampled_from(sorted(KERNELS))
# Cubic splines overshoot; the others stay within their inputs.
bounded_orders = st.sampled_from(sorted(set(KERNELS) - {"cubic"}))
choosing_orders = st.sampled_from(("nearest", "mode", "max", "min"))


def dtypes_for(order):
    """The data types that a kernel takes, but for booleans."""
    return (*INTEGERS, *FLOATS, *(COMPLEX if order in ("nearest", "linear", "cubic", "mean") else ()))


@st.composite
def arrays(draw, dtypes=(*INTEGERS, *FLOATS, *COMPLEX), max_dims=3, max_side=12, **elements):
    dtype = np.dtype(draw(st.sampled_from(dtypes)))
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=max_dims, max_side=max_side))
    return draw(hnp.arrays(dtype, shape, elements=hnp.from_dtype(dtype, **elements)))


def targets(ndim, max_side=20):
    return st.tuples(*[st.integers(1, max_side)] * ndim)


@given(st.data(), orders)
def test_chunking_never_changes_a_pixel(data, order):
    """Nor do the chunks asked for, nor which region is computed; NaN and infinities included."""
    array = data.draw(arrays(dtypes_for(order)))
    target = data.draw(targets(array.ndim))
    whole = nx.numpy_zoom(array, target_shape=target, order=order)
    lazy = da.from_array(array, chunks=data.draw(chunkings(array.shape)))
    asked = data.draw(st.none() | chunk_shapes(target))
    zoomed = nx.dask_zoom(lazy, target_shape=target, order=order, chunks=asked)
    assert_same_pixels(zoomed.compute(scheduler="sync"), whole)
    assert asked is None or zoomed.chunksize == asked

    region = data.draw(windows(target))
    window = zoom_window(array.__getitem__, array.dtype, array.shape, target, region, KERNELS[order])
    assert_same_pixels(window, whole[region])


@given(st.data(), orders)
def test_chunks_on_disk_never_change_a_pixel(data, order):
    array = data.draw(arrays(dtypes_for(order), max_side=6, max_dims=2, allow_nan=False, allow_infinity=False))
    target = data.draw(targets(array.ndim, 9))
    chunks, whole = data.draw(chunk_shapes(array.shape)), nx.numpy_zoom(array, target_shape=target, order=order)
    group = zarr.open_group(zarr.storage.MemoryStore(), mode="w")
    source = group.create_array("source", shape=array.shape, dtype=array.dtype, chunks=chunks)
    source[...] = array
    made = group.create_array("target", shape=target, dtype=array.dtype, chunks=data.draw(chunk_shapes(target)))
    nx.on_disk_zoom(source, made, order, "numpy")
    assert_array_equal(made[...], whole)


@given(st.data(), bounded_orders)
def test_constants_stay_constants(data, order):
    dtype = np.dtype(data.draw(st.sampled_from(dtypes_for(order))))
    value = data.draw(hnp.from_dtype(dtype, allow_nan=False))
    shape = data.draw(hnp.array_shapes(max_dims=4, max_side=9))
    target = data.draw(targets(len(shape), 9))
    array = np.full(shape, value, dtype)
    assert_array_equal(nx.numpy_zoom(array, target_shape=target, order=order), np.full(target, value, dtype))


@given(st.data())
def test_cubic_keeps_constants(data):
    """Exactly for integers, to 1e-12 for floats."""
    dtype = np.dtype(data.draw(st.sampled_from(("u1", "i2", "u4", "f4", "f8"))))
    value = data.draw(hnp.from_dtype(dtype, allow_nan=False, min_value=0, max_value=200))
    shape = data.draw(hnp.array_shapes(max_dims=3, max_side=9))
    target = data.draw(targets(len(shape), 9))
    out = nx.numpy_zoom(np.full(shape, value, dtype), target_shape=target, order="cubic")
    tolerance = 0 if dtype.kind in "iu" else max(1e-12, float(np.finfo(dtype).eps))
    tiny = 0 if dtype.kind in "iu" else np.finfo(dtype).tiny  # below it, floats lose digits
    np.testing.assert_allclose(out, np.full(target, value, dtype), rtol=tolerance, atol=tiny)


@given(st.data(), bounded_orders)
def test_values_stay_within_min_and_max(data, order):
    array = data.draw(arrays((*INTEGERS, *FLOATS), allow_nan=False))
    out = nx.numpy_zoom(array, target_shape=data.draw(targets(array.ndim)), order=order)
    finite = out[~np.isnan(out)]  # infinities of both signs have no mean
    assert finite.size == 0 or (array.min() <= finite.min() and finite.max() <= array.max())


@given(st.data(), choosing_orders)
def test_nearest_mode_max_and_min_invent_no_value(data, order):
    array = data.draw(arrays((*INTEGERS, *FLOATS, "bool"), max_side=8, allow_nan=False))
    out = nx.numpy_zoom(array, target_shape=data.draw(targets(array.ndim)), order=order)
    assert set(out.ravel().tolist()) <= set(array.ravel().tolist())


@given(st.data(), orders)
def test_zoom_by_one_is_identity(data, order):
    array = data.draw(arrays(dtypes_for(order)))
    assert_array_equal(nx.numpy_zoom(array, (1.0,) * array.ndim, order=order), array, strict=True)
    lazy = da.from_array(array, chunks=2)
    assert nx.dask_zoom(lazy, (1.0,) * array.ndim, order=order) is lazy


@given(st.data(), st.sampled_from(("nearest", "linear", "mean")), st.sampled_from((np.nan, np.inf, -np.inf)))
def test_nan_and_infinities_reach_only_pixels_that_weigh_them(data, order, bad):
    array = data.draw(arrays(("f4", "f8"), allow_nan=False, allow_infinity=False, max_value=1e6, min_value=-1e6))
    target = data.draw(targets(array.ndim))
    place = tuple(data.draw(st.integers(0, size - 1)) for size in array.shape)
    clean = nx.numpy_zoom(array, target_shape=target, order=order)
    # An oracle from the kernel itself: zooming an impulse says which pixels weigh it.
    impulse = np.zeros(array.shape)
    impulse[place] = 1
    weighed = nx.numpy_zoom(impulse, target_shape=target, order=order) != 0
    array[place] = bad
    out = nx.numpy_zoom(array, target_shape=target, order=order)
    assert_array_equal(out[~weighed], clean[~weighed])
    assert_array_equal(out[weighed], np.full(weighed.sum(), bad))


@given(st.data())
def test_linear_commutes_with_mirroring_of_floats(data):
    array = data.draw(arrays(("f8",), max_dims=1, allow_nan=False, max_value=1e9, min_value=-1e9))
    target = data.draw(targets(1))
    there = nx.numpy_zoom(array[::-1], target_shape=target)[::-1]
    scale = max(1.0, float(np.abs(array).max()))
    np.testing.assert_allclose(there, nx.numpy_zoom(array, target_shape=target), rtol=0, atol=1e-14 * scale)


@given(st.data(), orders)
def test_inputs_are_never_written_to(data, order):
    array = data.draw(arrays(dtypes_for(order)))
    before = array.tobytes()
    array.flags.writeable = False
    nx.numpy_zoom(array, target_shape=data.draw(targets(array.ndim)), order=order)
    assert array.tobytes() == before


@given(st.integers(1, 400), st.floats(0.01, 8))
def test_sizes_are_those_of_numpy_rounding(size, factor):
    assert nx.numpy_zoom(np.zeros(size, "u1"), (factor,), order="nearest").size == max(1, int(np.round(size * factor)))


@given(st.data())
def test_max_and_min_are_those_of_the_inputs_that_an_output_covers(data):
    """Against numpy, on the definition: every input that an output overlaps."""
    array = data.draw(arrays(("u2", "i4"), max_dims=1))
    (m,), n = data.draw(targets(1)), array.size
    for order, choose in (("max", max), ("min", min)):
        out = nx.numpy_zoom(array, target_shape=(m,), order=order)
        assert out.tolist() == [choose(array[i * n // m : -(-(i + 1) * n // m)].tolist()) for i in range(m)]


@given(st.data())
def test_mean_is_the_area_weighted_mean(data):
    """Against exact fractions, rounded half away from zero."""
    array = data.draw(arrays(("u1", "i2", "u2"), max_dims=1))
    (m,), n = data.draw(targets(1)), array.size
    out = nx.numpy_zoom(array, target_shape=(m,), order="mean")
    for i, value in enumerate(out.tolist()):
        covered = [max(0, min((k + 1) * m, (i + 1) * n) - max(k * m, i * n)) for k in range(n)]
        exact = Fraction(sum(w * int(v) for w, v in zip(covered, array, strict=True)), n)
        assert value == math.floor(abs(exact) + Fraction(1, 2)) * (1 if exact >= 0 else -1)


@given(st.data())
def test_mode_covers_the_largest_area(data):
    """Against exact overlaps: no value covers more, and a tie goes to nearest's choice, else to the smallest."""
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=2, max_side=9))
    array = data.draw(hnp.arrays(np.uint8, shape, elements=st.integers(0, 3)))
    target = data.draw(targets(array.ndim, 12))
    out = nx.numpy_zoom(array, target_shape=target, order="mode")
    centre = nx.numpy_zoom(array, target_shape=target, order="nearest")
    for place in np.ndindex(*target):
        area = Counter()
        for index, value in np.ndenumerate(array):
            sides = zip(index, place, shape, target, strict=True)
            area[int(value)] += math.prod(
                max(0, min((k + 1) * m, (i + 1) * n) - max(k * m, i * n)) for k, i, n, m in sides
            )
        best = [value for value, size in area.items() if size == max(area.values())]
        assert out[place] == (centre[place] if centre[place] in best else min(best))


@given(st.data(), st.sampled_from(("linear", "mean")))
def test_the_mean_of_an_integer_image_moves_by_half_a_grey_level_at_most(data, order):
    """For a level of half the size along each axis: what is rounded is spread evenly over the image."""
    dtype = np.dtype(data.draw(st.sampled_from(("u1", "i1", "u2", "i2", "u4", "i4"))))
    shape = tuple(2 * size for size in data.draw(hnp.array_shapes(max_dims=3, max_side=6)))
    array = data.draw(hnp.arrays(dtype, shape))
    level = nx.numpy_zoom(array, (0.5,) * array.ndim, order=order)
    # In whole numbers: level pixels hold 2**ndim pixels each.
    drift = Fraction(sum(level.ravel().tolist()), level.size) - Fraction(sum(array.ravel().tolist()), array.size)
    assert abs(drift) <= Fraction(1, 2)


@given(st.integers(0, 2**32), st.sampled_from(("u1", "u2", "i2")), st.sampled_from(("linear", "mean")))
def test_the_mean_of_noise_moves_by_an_eighth_of_a_grey_level_at_most(seed, dtype, order):
    """For a level of half the size along both axes, but for the error of the sample."""
    info = np.iinfo(dtype)
    array = noise((256, 256), dtype, seed, low=info.min // 2, high=info.max // 2)
    level = nx.numpy_zoom(array, (0.5, 0.5), order=order)
    error = 6 * 0.5 / math.sqrt(level.size)  # six deviations of a number that is at most ½
    assert abs(level.mean() - array.mean()) <= 1 / 8 + error


@given(st.data(), orders)
def test_a_change_reaches_no_output_beyond_its_reach(data, order):
    n, m = data.draw(st.integers(1, 40)), data.draw(st.integers(1, 40))
    start = data.draw(st.integers(0, n - 1))
    changed = slice(start, data.draw(st.integers(start + 1, n)))
    array = data.draw(hnp.arrays(np.uint16, n))
    other = array.copy()
    other[changed] = data.draw(hnp.arrays(np.uint16, changed.stop - changed.start))
    before, after = (nx.numpy_zoom(each, target_shape=(m,), order=order) for each in (array, other))
    differs = np.flatnonzero(before != after)
    reach = KERNELS[order].reach(n, m, changed)
    assert all(reach.start <= place < reach.stop for place in differs)
