"""Channels in their colours, against arithmetic by hand and skimage."""

import pickle

import dask.array as da
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from skimage import exposure

import ngio_x as nx
from ngio_x.arrays.composite import label_colors
from ngio_x.testing.samples import noise

PIXELS = noise((2, 30, 40), "u2", high=4000)
CHANNELS = [nx.Channel("DNA", "FF00FF", display=(100, 3000)), nx.Channel("actin", "00FF00", display=(0, 2000))]


def image_of(pixels=PIXELS, channels=CHANNELS):
    return nx.as_image(pixels, "cyx", 0.5, channels=channels)


def stretched(plane, window):
    return exposure.rescale_intensity(plane.astype(float), window, (0, 255))


def test_each_channel_lights_up_in_its_colour():
    """As skimage stretches its window, and one light is added to the other."""
    picture = nx.composite(image_of())
    magenta, green = stretched(PIXELS[0], (100, 3000)), stretched(PIXELS[1], (0, 2000))
    assert picture.dims == ("y", "x", "rgb")
    assert picture.dtype == np.uint8
    assert_array_equal(picture[..., 0], picture[..., 2])
    assert np.abs(picture.values - np.stack([magenta, green, magenta], -1)).max() <= 0.5001


def test_lights_are_added_up_to_white():
    """Two channels of one colour do not wrap around."""
    channels = [nx.Channel("a", "FF8000", display=(0, 1)), nx.Channel("b", "FF8000", display=(0, 1))]
    assert nx.composite(image_of(np.ones((2, 1, 1), "u1"), channels)).values.tolist() == [[[255, 255, 0]]]


def test_the_lattice_is_kept():
    """A picture lies where its image does."""
    picture = nx.composite(image_of())
    assert nx.dimensions_of(picture.isel(rgb=0, drop=True)) == nx.dimensions_of(image_of().isel(c=0, drop=True))


@pytest.mark.parametrize("chunks", [(1, 7, 11), (2, 30, 40)])
def test_a_lazy_image_makes_a_lazy_picture_of_the_same_pixels(chunks):
    """Whatever its chunks."""
    lazy = image_of(da.from_array(PIXELS, chunks=chunks))
    picture = nx.composite(lazy)
    assert isinstance(picture.data, da.Array)
    assert_array_equal(picture.values, nx.composite(image_of()).values)
    assert_array_equal(pickle.loads(pickle.dumps(picture)).values, picture.values)


def test_channels_are_chosen_by_name_position_or_value():
    """A Channel is shown as it says."""
    image = image_of()
    by_name, by_position = nx.composite(image, ["actin"]), nx.composite(image, [1])
    assert_array_equal(by_name, by_position)
    assert by_name.values[..., ::2].max() == 0
    white = nx.composite(image, [nx.Channel("actin", display=(0, 4000))]).values
    assert np.abs(white[..., 0] - stretched(PIXELS[1], (0, 4000))).max() <= 0.5001
    assert_array_equal(nx.composite(image, {1: nx.Channel("any", display=(0, 4000))}), white)


def test_channels_of_one_name_are_chosen_by_position():
    """Each has its own colour; by name, it would be unclear which is meant."""
    same = [nx.Channel("DNA", "FF0000", display=(0, 1)), nx.Channel("DNA", "0000FF", display=(0, 1))]
    image = image_of(np.ones((2, 1, 1), "u1"), same)
    assert nx.composite(image).values.tolist() == [[[255, 0, 255]]]
    assert nx.composite(image, [1]).values.tolist() == [[[0, 0, 255]]]
    for asked in ("DNA", same[1]):
        with pytest.raises(nx.errors.NgioKeyError, match="several 'DNA', choose by position, one of 0, 1"):
            nx.composite(image, [asked])


def test_an_image_without_channels_is_the_one_that_is_meant():
    """By any Channel, or by position 0; one that `sel` has left also by its name."""
    plane = image_of().isel(c=1, drop=True)
    white = nx.composite(plane, [nx.Channel("GFP", display=(0, 4000))])
    assert np.abs(white.values[..., 0] - stretched(PIXELS[1], (0, 4000))).max() <= 0.5001
    assert_array_equal(nx.composite(plane, [0]), nx.composite(plane))
    known = image_of().sel(c="actin")
    assert_array_equal(nx.composite(known, ["actin"]), nx.composite(image_of(), ["actin"]))


def test_no_channel_is_black():
    """There is no light."""
    empty = nx.as_image(np.zeros((0, 2, 3), "u1"), "cyx")
    assert_array_equal(nx.composite(empty), np.zeros((2, 3, 3)))
    with pytest.raises(nx.errors.NgioKeyError, match="no channel 'DNA', as there is none at all"):
        nx.composite(empty, ["DNA"])


def test_names_may_be_empty():
    """They are names as others."""
    image = nx.as_image(PIXELS, "cyx").assign_coords(c=["", "b"])
    assert_array_equal(nx.composite(image, [""]), nx.composite(image, [0]))


def test_a_channel_keeps_the_colour_of_its_turn():
    """Whether it is shown alone or with others."""
    image = nx.as_image(PIXELS, "cyx")
    assert nx.composite(image, [1]).values[..., 1].max() == 0  # magenta
    assert_array_equal(nx.composite(image, [1]).values[..., 0], nx.composite(image).values[..., 0])


def test_inactive_channels_and_alpha_are_left_out():
    """Unless they are asked for."""
    hidden = [CHANNELS[0], nx.Channel("actin", "00FF00", display=(0, 2000), active=False)]
    assert nx.composite(image_of(channels=hidden)).values[..., 1].max() == 0
    assert nx.composite(image_of(channels=hidden), ["actin"]).values[..., 1].max() == 255
    rgba = nx.as_image(np.full((4, 1, 2), [[[0, 9]], [[0, 9]], [[0, 9]], [[255, 255]]], "u1"), "cyx",
                       channels=["red", "green", "blue", "alpha"])  # fmt: skip
    assert nx.composite(rgba).values.tolist() == [[[0, 0, 0], [9, 9, 9]]]  # a photograph, as it is


def test_windows_that_nobody_knows_suit_the_pixels():
    """Of each channel, from the 0.1 to the 99.9 percentile; a grey image is grey."""
    plane = nx.as_image(PIXELS[0], "yx")
    low, high = np.quantile(PIXELS[0], (0.001, 0.999), method="nearest")
    picture = nx.composite(plane).values
    assert np.abs(picture[..., 1] - stretched(PIXELS[0], (low, high))).max() <= 0.5001
    assert_array_equal(picture[..., 0], picture[..., 2])


@pytest.mark.parametrize(
    ("pixels", "expected"),
    [
        (np.array([[np.nan, 0.0, 1.0, np.inf, -np.inf]]), [0, 0, 255, 255, 0]),
        (np.array([[False, True]]), [0, 255]),
        (np.array([[7, 7]], "u1"), [7, 7]),
    ],
    ids=["not finite", "bool", "constant"],
)
def test_strange_pixels(pixels, expected):
    """NaN is black, infinities are the ends, constant images get the limits of their data type."""
    assert nx.composite(nx.as_image(pixels, "yx")).values[0, :, 0].tolist() == expected


def test_a_window_without_a_width_is_a_threshold():
    """Above it all is bright."""
    channels = [nx.Channel("a", display=(5, 5)), nx.Channel("b", "000000")]
    assert nx.composite(image_of(np.array([[[5, 6]], [[1, 1]]]), channels)).values[0, :, 0].tolist() == [0, 255]


def test_a_channel_that_was_picked_keeps_its_colour():
    """With `sel`, and with `isel` on a list."""
    image = image_of()
    assert_array_equal(nx.composite(image.sel(c="actin")), nx.composite(image, ["actin"]))
    assert_array_equal(nx.composite(image.isel(c=[1])), nx.composite(image, ["actin"]))


@pytest.mark.parametrize("dtype", ["u4", "i8", "u8"])
def test_ids_have_colours_of_their_own(dtype):
    """Bright, and the same in every image; 0 is black."""
    ids = nx.as_labels(np.arange(201, dtype=dtype).reshape(3, 67), "yx")
    colors = nx.composite(ids).values.reshape(-1, 3)
    assert colors[0].tolist() == [0, 0, 0]
    assert len(np.unique(colors, axis=0)) > 190
    assert colors[1:].max(axis=1).min() == 255
    assert_array_equal(nx.composite(ids.isel(y=[2])).values.reshape(-1, 3), colors[-67:])


def test_colors_of_ids_are_far_apart():
    """Each id has one, whatever stands beside it; ids that differ by one are unlike; 64 bits count."""
    ids = np.array([1, 2, 3, 2**63 + 1, 2**63 + 2], np.uint64)
    colors = label_colors(ids)
    assert_array_equal(label_colors(ids[::-1])[::-1], colors)
    assert (np.abs(np.diff(colors, axis=0)).max(axis=1) > 0.3).all()
    assert colors.min() >= 0.2
    assert colors.max() <= 1
    assert_array_equal(nx.composite(nx.as_labels(ids[np.newaxis], "yx"))[0], np.rint(255 * colors))


def test_inputs_are_untouched():
    """Read-only pixels pass, and attributes stay."""
    image = image_of()
    image.data.flags.writeable = False
    before = image.copy(deep=True)
    nx.composite(image)
    nx.composite(image.isel(c=0))
    assert image.identical(before)


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: nx.composite(PIXELS), nx.errors.NgioTypeError, "image must be a DataArray, got ndarray"),
        (lambda: nx.composite(nx.as_image(PIXELS.astype(complex))), nx.errors.NgioTypeError, "complex128"),
        (lambda: nx.composite(image_of(), "DNA"), nx.errors.NgioTypeError, "a list of names"),
        (lambda: nx.composite(image_of(), [1.5]), nx.errors.NgioTypeError, "names, positions or Channel, got 1.5"),
        (lambda: nx.composite(image_of(), []), nx.errors.NgioValueError, "got none: leave it out"),
        (lambda: nx.composite(image_of(), ["GFP"]), KeyError, "no channel 'GFP', name some of 'DNA', 'actin'"),
        (lambda: nx.composite(image_of(), [2]), nx.errors.NgioKeyError, "no channel 2"),
        (lambda: nx.composite(image_of(), [-1]), nx.errors.NgioKeyError, "no channel -1"),
        (lambda: nx.composite(image_of(), {1: "DNA"}), nx.errors.NgioTypeError, "position must be Channel, got 'DNA'"),
        (lambda: nx.composite(image_of()[0], ["GFP"]), nx.errors.NgioKeyError, "no channel 'GFP', name some of 'DNA'"),
    ],
)  # fmt: skip
def test_what_makes_no_picture_is_refused(call, kind, message):
    """Naming what is wrong."""
    with pytest.raises(kind, match=message):
        call()
