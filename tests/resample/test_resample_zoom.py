import itertools
import tracemalloc
import warnings

import dask
import dask.array as da
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import ndimage

import ngio_x as nx
from ngio_x.resample.evaluate import support_of, zoom_window
from ngio_x.resample.kernels import KERNELS
from ngio_x.testing import samples

INTEGERS = ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8"]
FLOATS = ["f2", "f4", "f8", "g"]
COMPLEX = ["c8", "c16"]
SEEDS = itertools.count()


def noise(shape, dtype):
    """Return values over the whole range of the type, its limits included."""
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return samples.noise(shape, dtype, next(SEEDS))
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        values = samples.noise(shape, dtype, next(SEEDS))
        values.flat[:2] = info.min, info.max
        return values
    return samples.noise(shape, dtype, next(SEEDS), low=-200, high=200)


@pytest.mark.parametrize("dtype", ["bool", *INTEGERS, *FLOATS, *COMPLEX, ">u2", ">i8", ">f4", ">c16"])
def test_dtype_and_byte_order_are_kept(dtype):
    """What goes in comes out in the same type, byte order included."""
    array = noise((6, 7), dtype)
    for order in ("nearest",) if dtype == "bool" else ("nearest", "linear"):
        out = nx.numpy_zoom(array, target_shape=(4, 9), order=order)
        assert out.dtype.str == np.dtype(dtype).str
        lazy = nx.dask_zoom(da.from_array(array, chunks=3), target_shape=(4, 9), order=order)
        assert lazy.dtype.str == lazy.compute().dtype.str == out.dtype.str


@pytest.mark.parametrize("dtype", ["bool", *INTEGERS, *FLOATS, *COMPLEX, ">u4"])
def test_zoom_by_one_is_identity_and_a_copy(dtype):
    """A factor of 1 returns equal pixels in memory of their own."""
    array = noise((5, 6), dtype)
    out = nx.numpy_zoom(array, (1, 1), order="nearest")
    assert_array_equal(out, array)
    assert not np.shares_memory(out, array)


@pytest.mark.parametrize("dtype", ["u8", "i8"])
@pytest.mark.parametrize("target", [3, 5, 10, 13])
def test_constants_next_to_the_limits_of_64_bits_stay_constants(dtype, target):
    """No rounding error shows, however large the number."""
    info = np.iinfo(dtype)
    for value in (info.max, info.max - 1, info.max - 2, info.min, info.min + 1, 2**62 + 1):
        out = nx.numpy_zoom(np.full((7, 5), value, dtype), target_shape=(target, 4))
        assert set(out.ravel().tolist()) == {value}


@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers_do_not_wrap_at_their_limits(dtype):
    """Blends of the smallest and the largest number lie between them."""
    info = np.iinfo(dtype)
    array = np.array([info.min, info.max, info.max, info.min, info.max], dtype)
    out = nx.numpy_zoom(array, target_shape=(17,))
    assert (out[0], out[-1], out.max()) == (info.min, info.max, info.max)
    assert np.all(np.sign(np.diff(out[:5].astype(float))) >= 0)


@pytest.mark.parametrize(("pair", "mean"), [((1, 2), 2), ((-1, -2), -2), ((-1, 2), 1), ((0, -1), -1), ((2, 3), 3)])
@pytest.mark.parametrize("dtype", ["i1", "i2", "i4", "i8"])
def test_halves_round_away_from_zero(pair, mean, dtype):
    """A mean of k + ½ goes to the integer farther from zero, for either sign."""
    assert nx.numpy_zoom(np.array(pair, dtype), (0.5,)).tolist() == [mean]


def test_a_mean_of_large_unsigned_integers_is_exact():
    """The mean of two neighbours beyond 2⁶³ loses no bit."""
    array = np.array([2**64 - 1, 2**64 - 3, 2**63 + 1, 2**63 + 1], np.uint64)
    assert nx.numpy_zoom(array, (0.5,)).tolist() == [2**64 - 2, 2**63 + 1]


@pytest.mark.parametrize("dtype", ["f8", "g", "c16"])
def test_the_largest_floats_do_not_overflow(dtype):
    """A blend of the largest numbers of a type is no infinity, and warns of none."""
    largest = np.finfo(dtype).max
    assert_array_equal(nx.numpy_zoom(np.full((7, 3), largest, dtype), target_shape=(13, 5)), largest)


def test_nan_reaches_only_the_pixels_that_weigh_it():
    """A NaN beyond the support, or within it at weight zero, leaves a pixel alone."""
    array = np.arange(9.0)
    array[3] = np.nan
    assert_array_equal(nx.numpy_zoom(array, target_shape=(3,)), [1, 4, 7])
    assert_array_equal(np.isnan(nx.numpy_zoom(array, target_shape=(18,))), [i in range(5, 9) for i in range(18)])


def test_infinity_at_weight_zero_does_not_become_nan():
    """Zero times infinity is never computed."""
    array = np.array([0, np.inf, 2, 3, 4, 5.0])
    assert_array_equal(nx.numpy_zoom(array, target_shape=(2,)), [np.inf, 4])
    assert_array_equal(nx.numpy_zoom(array[::-1].copy(), target_shape=(3,)), [4.5, 2.5, np.inf])


def test_infinities_of_both_signs_blend_to_nan_without_a_warning():
    """The result says that there is none; nothing is printed."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_array_equal(nx.numpy_zoom(np.array([np.inf, -np.inf, 1, 2]), (0.5,)), [np.nan, 1.5])


def test_an_infinite_part_leaves_the_other_part_of_a_complex_number_alone():
    """Real and imaginary parts are blended on their own."""
    out = nx.numpy_zoom(np.array([complex(np.inf, 1), complex(np.inf, 3)]), (0.5,))
    assert (out[0].real, out[0].imag) == (np.inf, 2)


@pytest.mark.parametrize("ndim", range(1, 7))
def test_any_number_of_dimensions(ndim):
    """One to six axes, axes and targets of length 1 among them, zoom alike."""
    shape, target = (3, 1, 4, 2, 5, 1)[:ndim], (2, 3, 1, 2, 7, 1)[:ndim]
    array = noise(shape, "u2")
    out = nx.numpy_zoom(array, target_shape=target)
    expected = array
    for axis in range(ndim):  # nearest is separable: an oracle by plain indexing
        index = (2 * np.arange(target[axis]) + 1) * shape[axis] // (2 * target[axis])
        expected = expected.take(index, axis)
    assert out.shape == target
    assert_array_equal(nx.numpy_zoom(array, target_shape=target, order="nearest"), expected)


def test_no_axis_at_all_is_identity():
    """A number without axes stays what it is."""
    assert nx.numpy_zoom(np.array(4.5), ()) == 4.5


@pytest.mark.parametrize("order", ["nearest", "linear"])
def test_memory_layout_does_not_matter(order):
    """Fortran order, strides, flips and read-only memory give the pixels of a plain copy."""
    base = noise((12, 14), "u2")
    layouts = [np.asfortranarray(base), base[::2, 1::3], base[::-1, ::-1], base.T, np.broadcast_to(base[:1], (5, 14))]
    for array in layouts:
        array.flags.writeable = False
        plain = np.array(array, order="C")
        assert_array_equal(
            nx.numpy_zoom(array, target_shape=(5, 9), order=order),
            nx.numpy_zoom(plain, target_shape=(5, 9), order=order),
        )


def test_input_is_not_written_to():
    """The source keeps its values."""
    array = noise((9, 9), "f4")
    before = array.copy()
    nx.numpy_zoom(array, (0.5, 2))
    nx.dask_zoom(da.from_array(array, chunks=4), (0.5, 2)).compute()
    assert_array_equal(array, before)


FACTORS = [2, 3, 5 / 4, 3 / 2, 7 / 3, 1 / 3, 0.37, 1 / 2, 1 / 4, 1 / 5]
SIZES = [(19, 23), (60, 75), (7, 1), (101, 2)]


def scipy_zoom(array, target, order):
    """scipy's answer in floats, which it does not round, at exactly the same ratios."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of axes of length 1
        ratios = [m / n for m, n in zip(target, array.shape, strict=True)]
        return ndimage.zoom(array.astype("f8"), ratios, order=order, mode="nearest", grid_mode=True)


def targets_of(shape, factor):
    return tuple(max(1, round(n * factor)) for n in shape)


@pytest.mark.parametrize("factor", [2, 3, 4, 5])
@pytest.mark.parametrize("dtype", ["u1", "u2", "i4", "f4", "f8"])
def test_linear_downsampling_by_integers_agrees_with_scipy_exactly(factor, dtype):
    """scipy's grid mode gives the same pixels; it truncates integers, so it is asked for floats."""
    array = noise((factor * 8, factor * 6), dtype)
    scipy = ndimage.zoom(array.astype("f8"), 1 / factor, order=1, mode="nearest", grid_mode=True)
    expected = np.copysign(np.floor(np.abs(scipy) + 0.5), scipy) if dtype[0] in "ui" else scipy
    np.testing.assert_allclose(nx.numpy_zoom(array, (1 / factor,) * 2), expected, rtol=3e-7 if dtype == "f4" else 1e-12)


@pytest.mark.parametrize("shape", SIZES)
@pytest.mark.parametrize("factor", FACTORS)
def test_linear_agrees_with_scipy_to_one_grey_level(shape, factor):
    """At any ratio, scipy's positions differ by rounding errors only."""
    target = targets_of(shape, factor)
    for dtype, tolerance in (("u2", 1), ("f4", 1e-4)):
        array = noise(shape, dtype)
        zoomed = nx.numpy_zoom(array, target_shape=target).astype("f8")
        np.testing.assert_allclose(zoomed, scipy_zoom(array, target, 1), rtol=0, atol=tolerance)


@pytest.mark.parametrize("shape", SIZES)
@pytest.mark.parametrize("factor", FACTORS)
def test_nearest_agrees_with_scipy_away_from_ties(shape, factor):
    """Where an output is centred between two inputs scipy's rounding errors decide; the others are the same."""
    array, target = noise(shape, "i4"), targets_of(shape, factor)
    zoomed, scipy = nx.numpy_zoom(array, target_shape=target, order="nearest"), scipy_zoom(array, target, 0)
    clear = [((2 * np.arange(m) + 1) * n % (2 * m)) != 0 for n, m in zip(shape, target, strict=True)]
    assert_array_equal(zoomed[np.ix_(*clear)], scipy[np.ix_(*clear)])


@pytest.mark.parametrize("shape", [(60, 75), (101, 64)])
@pytest.mark.parametrize("factor", FACTORS)
def test_cubic_agrees_with_scipy_away_from_borders(shape, factor):
    """Beyond the border scipy's spline goes on otherwise; its effect fades within the reach of the prefilter."""
    target = targets_of(shape, factor)
    inner = tuple(slice(round(16 * m / n), m - round(16 * m / n)) for n, m in zip(shape, target, strict=True))
    for dtype, tolerance in (("u2", 1), ("f8", 1e-4)):
        array = noise(shape, dtype)
        if dtype == "u2":
            array = array // 4 + 16384  # an overshoot is clipped to the limits of the type
        zoomed, scipy = nx.numpy_zoom(array, target_shape=target, order="cubic"), scipy_zoom(array, target, 3)
        assert zoomed[inner].size > 0
        np.testing.assert_allclose(zoomed[inner].astype("f8"), scipy[inner], rtol=0, atol=tolerance)


def test_chunks_of_all_kinds_give_the_pixels_of_numpy():
    """Four kernels, four sizes, four chunkings, one of them a column for each block."""
    x = samples.noise((517, 389), high=60000)
    for order in ("nearest", "linear", "cubic", "mean"):
        for shape in ((258, 194), (300, 301), (1034, 778), (1, 1)):
            whole = nx.numpy_zoom(x, target_shape=shape, order=order)
            for chunks in ((64, 64), (517, 3), (100, 389), (70, 130)):
                lazy = nx.dask_zoom(da.from_array(x, chunks=chunks), target_shape=shape, order=order)
                assert lazy.shape == shape
                assert_array_equal(lazy.compute(), whole)


def test_extra_memory_is_a_small_part_of_input_and_output():
    """Work is done in blocks of the size of the cache."""
    array = noise((4096, 4096), "u2")
    for order, target in itertools.product(KERNELS, ((2048, 2048), (2990, 2990))):
        pixels = array if order != "mode" else np.arange(2**24, dtype="u2").reshape(4096, 4096) // 4
        nx.numpy_zoom(pixels[:64, :64], (0.5, 0.5), order=order)  # what is imported once does not count
        tracemalloc.start()
        out = nx.numpy_zoom(pixels, target_shape=target, order=order)
        extra = tracemalloc.get_traced_memory()[1] - out.nbytes
        tracemalloc.stop()
        assert extra < 0.25 * (array.nbytes + out.nbytes), (order, target, extra)


@pytest.mark.parametrize("values", [np.array(["a", "b"]), np.array([1, None], object), np.arange(2).astype("M8[s]")])
def test_nearest_copies_values_of_any_kind(values):
    """Strings, objects and dates can be picked, though not blended."""
    assert_array_equal(nx.numpy_zoom(values, (2,), order="nearest"), np.repeat(values, 2))


@pytest.mark.parametrize("order", KERNELS)
@pytest.mark.parametrize("dtype", ["u2", "f4"])
def test_blocks_that_numpy_zoom_works_in_do_not_show(order, dtype):
    """An array of many blocks gives the pixels of small windows, each evaluated by itself."""
    array = (noise((700, 2600), "u2") // 5000).astype(dtype)
    target = (433, 2301)
    whole = nx.numpy_zoom(array, target_shape=target, order=order)
    edges = [[0, 1, 100, 137, 433], [0, 3, 767, 1024, 1151, 2048, 2300, 2301]]
    for corner in itertools.product(*map(itertools.pairwise, edges)):
        window = tuple(slice(*side) for side in corner)
        part = zoom_window(array.__getitem__, array.dtype, array.shape, target, window, KERNELS[order])
        assert_array_equal(part, whole[window], strict=True)


def test_support_names_the_inputs_of_a_window():
    """Changing any pixel outside the support changes no pixel of the window."""
    array, window = noise((40, 40), "f8"), (slice(3, 7), slice(0, 2))
    support = support_of(KERNELS["linear"], array.shape, (17, 90), window)
    other = np.full_like(array, np.nan)
    other[support] = array[support]
    assert_array_equal(
        nx.numpy_zoom(other, target_shape=(17, 90))[window], nx.numpy_zoom(array, target_shape=(17, 90))[window]
    )


@pytest.mark.parametrize("zoom", [nx.numpy_zoom, lambda a, *args, **kw: nx.dask_zoom(da.from_array(a), *args, **kw)])
class TestBadInput:
    """Both functions refuse the same arguments with the same words, before any work."""

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({}, "give either scale or target_shape"),
            ({"scale": (1, 1), "target_shape": (4, 4)}, "give either scale or target_shape"),
            ({"scale": (1,)}, "scale must have one number for each axis of"),
            ({"scale": 2}, "scale must be a sequence, got 2"),
            ({"scale": (0, 1)}, "scale must be > 0"),
            ({"scale": (-1, 1)}, "scale must be > 0"),
            ({"scale": (np.nan, 1)}, "scale must be a finite number"),
            ({"scale": (np.inf, 1)}, "scale must be a finite number"),
            ({"scale": ("2", 1)}, "scale must be a number"),
            ({"target_shape": (2.5, 1)}, "target_shape must be an integer"),
            ({"target_shape": (0, 1)}, "target_shape must be > 0"),
            ({"target_shape": (10**19, 1)}, r"an axis of 4 samples cannot be zoomed to 1e\+19"),
            ({"scale": (1e300, 1)}, r"an axis of 4 samples cannot be zoomed to 4e\+300"),
            ({"target_shape": (1, 2, 3)}, "target_shape must have one number for each axis of"),
            ({"scale": (2, 2), "order": "quintic"}, "order must be one of 'nearest', 'linear', .*, got 'quintic'"),
        ],
    )
    def test_argument_is_refused(self, zoom, arguments, message):
        """The message names the argument and what was wrong with it."""
        with pytest.raises(nx.errors.NgioValueError, match=message):
            zoom(np.zeros((4, 4), "u2"), **arguments)

    def test_array_without_pixels_is_refused(self, zoom):
        """There is nothing to extend from an empty axis."""
        with pytest.raises(
            nx.errors.NgioValueError, match=r"must have samples along each axis to be zoomed, got shape \(0, 3\)"
        ):
            zoom(np.zeros((0, 3)), (2, 2))

    def test_boolean_images_are_not_blended(self, zoom):
        """Linear refuses them and says what works."""
        with pytest.raises(nx.errors.NgioValueError, match="use order='nearest'"):
            zoom(np.zeros((3, 3), bool), (2, 2))


def test_masked_arrays_are_refused():
    """What is masked would be blended in, and the mask lost."""
    masked = np.ma.masked_array([999.0, 1, 2, 3], [1, 0, 0, 0])
    for zoom, array in ((nx.numpy_zoom, masked), (nx.dask_zoom, da.from_array(masked, chunks=2))):
        with pytest.raises(nx.errors.NgioTypeError, match="the mask would be lost"):
            zoom(array, (0.5,))


def test_axes_that_are_too_long_for_exact_positions_are_refused():
    """Rather than read from the wrong place."""
    lazy = da.zeros(3 * 10**9, chunks=10**8)
    with pytest.raises(nx.errors.NgioValueError, match="positions would not be exact"):
        nx.dask_zoom(lazy, target_shape=(3 * 10**9 - 1,))
    assert nx.dask_zoom(lazy, target_shape=(3 * 10**7,)).shape == (3 * 10**7,)


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "g", ">f8"])
@pytest.mark.parametrize("order", ["linear", "mean", "cubic", "mode"])
def test_the_sign_of_a_zero_does_not_depend_on_chunks(order, dtype):
    """A zero that is summed or counted has none."""
    for shape, target in (((2,), (4,)), ((77,), (25,)), ((8,), (4,)), ((12,), (4,))):
        array = np.where(samples.noise(shape, "?", seed=1), 0.0, -0.0).astype(dtype)
        array[shape[0] // 2] = 1
        lazy = nx.dask_zoom(da.from_array(array, chunks=1), target_shape=target, order=order, chunks=1)
        whole = nx.numpy_zoom(array, target_shape=target, order=order)
        assert_array_equal(np.signbit(lazy.compute(scheduler="sync")), np.signbit(whole))
        assert order == "cubic" or not np.signbit(whole).any()  # splines overshoot: what is negative may round to 0


@pytest.mark.skipif(np.finfo(np.longdouble).nmant < 63, reason="long double is a double here")
@pytest.mark.parametrize("value", [2**53 + 1, 2**56 + 12345])
def test_splines_keep_constants_beyond_the_doubles(value):
    """Weights add up to 1 in the type that sums are made in."""
    constant = np.full(6, value, "i8")
    assert_array_equal(nx.numpy_zoom(constant, target_shape=(5,), order="cubic"), constant[:5])


def test_dask_zoom_wants_a_dask_array():
    """A numpy array is refused, and its own function named."""
    with pytest.raises(nx.errors.NgioTypeError, match="use numpy_zoom"):
        nx.dask_zoom(np.zeros((3, 3)), (2, 2))


def test_dask_zoom_refuses_unknown_shapes():
    """An array that does not know its shape cannot be planned."""
    array = da.arange(10, chunks=5)
    with pytest.raises(nx.errors.NgioValueError, match="compute_chunk_sizes"):
        nx.dask_zoom(array[array > 3], (2,))


def test_dask_zoom_is_lazy():
    """Nothing is computed before it is asked for."""

    def boom(block):
        raise AssertionError("computed")

    lazy = da.zeros((8, 8), chunks=4).map_blocks(boom, meta=np.zeros((0, 0)))
    assert nx.dask_zoom(lazy, (0.5, 2)).shape == (4, 16)


@pytest.mark.parametrize("target", [(7, 40), (33, 3), (1, 1), (20, 20)])
def test_declared_chunks_are_the_chunks_that_come(target):
    """Every block has the shape that the array says."""
    zoomed = nx.dask_zoom(da.zeros((20, 20), chunks=((3, 9, 8), (20,))), target_shape=target)
    for index in np.ndindex(zoomed.numblocks):
        declared = tuple(sizes[i] for sizes, i in zip(zoomed.chunks, index, strict=True))
        assert zoomed.blocks[index].compute().shape == declared


def test_a_block_asks_for_the_input_blocks_that_it_needs():
    """One output block of a wide array depends on its neighbourhood, not on the whole."""
    touched = []

    def note(block, block_info=None):
        touched.append(block_info[0]["chunk-location"])
        return block

    source = da.zeros((1, 1000), chunks=(1, 100)).map_blocks(note, meta=np.zeros((0, 0)))
    nx.dask_zoom(source, target_shape=(1, 500)).blocks[0, 0].compute(scheduler="sync")
    assert set(touched) == {(0, 0), (0, 1)}


def test_empty_blocks_between_others_are_fine():
    """Zero-length chunks, as filters leave them, hold nothing."""
    parts = [da.arange(3, chunks=3), da.zeros(0, chunks=1, dtype=int), da.arange(4, chunks=2)]
    array = da.concatenate(parts)
    assert_array_equal(nx.dask_zoom(array, (1.5,)), nx.numpy_zoom(array.compute(), (1.5,)))


@pytest.mark.parametrize("scheduler", ["sync", "threads"])
def test_the_scheduler_does_not_matter(scheduler):
    """Threads give the pixels of numpy."""
    array = noise((21, 34), "u2")
    lazy = nx.dask_zoom(da.from_array(array, chunks=(10, 9)), target_shape=(13, 55))
    with dask.config.set(scheduler=scheduler):
        assert_array_equal(lazy.compute(), nx.numpy_zoom(array, target_shape=(13, 55)))


def test_equal_zooms_have_equal_names():
    """The name of a graph depends on what it computes, so that dask can share it."""
    array = da.zeros((8, 8), chunks=4)
    assert nx.dask_zoom(array, (2, 2)).name == nx.dask_zoom(array, (2, 2)).name
    assert nx.dask_zoom(array, (2, 2)).name != nx.dask_zoom(array, (2, 2), order="nearest").name


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "c8"])
def test_splines_may_overshoot_the_largest_number(dtype):
    """It becomes infinite without a warning."""
    largest = np.finfo(dtype).max
    array = np.array([0, largest, largest, 0], dtype)
    zoomed = nx.numpy_zoom(array, target_shape=(9,), order="cubic")
    assert np.isinf(zoomed.real).any()
    assert not np.isnan(zoomed.real).any()
