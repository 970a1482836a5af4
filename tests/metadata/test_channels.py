import numpy as np
import pytest

from ngio_x.errors import NgioValueError
from ngio_x.metadata.channels import Channel, suited_channels
from ngio_x.testing.samples import noise


def test_defaults_are_white_and_eight_bits():
    """A name is enough."""
    assert Channel("DAPI") == Channel("DAPI", "FFFFFF", (0, 255), (0, 255))


@pytest.mark.parametrize(("given", "kept"), [("#00ff7f", "00FF7F"), ("abcdef", "ABCDEF")])
def test_colours_are_six_capital_digits(given, kept):
    """A hash and small letters are understood."""
    assert Channel("a", given).color == kept


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"label": ""}, "label must be a non-empty string"),
        ({"color": "red"}, "color must be six hexadecimal digits, got 'red'"),
        ({"color": "#1234567"}, "color must be six hexadecimal digits"),
        ({"color": 5}, "color must be"),
        ({"limits": (5, 1)}, "limits must be two rising numbers"),
        ({"limits": (1,)}, "limits must be two rising numbers"),
        ({"display": (0, float("nan"))}, "display must be a finite number"),
    ],
)
def test_field_is_refused(fields, message):
    """The message names the field and the value."""
    with pytest.raises(NgioValueError, match=message):
        Channel(**{"label": "a"} | fields)


def test_a_single_channel_is_white():
    """One channel needs no colour to be told apart, unless it is called after one."""
    assert suited_channels(["green"], np.zeros((1, 4, 4)))[0].color == "00FF00"
    assert suited_channels(["DAPI"], np.zeros((1, 4, 4)))[0].color == "FFFFFF"


def test_channels_get_different_colours():
    """Names of colours are taken at their word, others take turns."""
    found = suited_channels(["red", "a", "Blue", "b"], np.zeros((4, 2, 2)))
    assert [channel.color for channel in found] == ["FF0000", "FF00FF", "0000FF", "00FF00"]


@pytest.mark.parametrize(
    ("dtype", "limits"), [("u1", (0, 255)), ("i2", (-32768, 32767)), ("f4", (0, 1)), ("bool", (0, 1))]
)
def test_limits_are_those_of_the_data_type(dtype, limits):
    """Constant pixels are shown over the whole range."""
    (channel,) = suited_channels(["a"], np.zeros((1, 3, 3), dtype))
    assert channel.limits == channel.display == limits


def test_display_leaves_out_the_extremes():
    """A few hot and dead pixels do not decide what is shown."""
    pixels = np.full((1, 100, 100), 100, "u2")
    pixels[0, :50] = 200
    pixels[0, 0, :3], pixels[0, 0, 3:6] = 65535, 0
    (channel,) = suited_channels(["a"], pixels)
    assert channel.display == (100, 200)


def test_a_photograph_keeps_its_grey_levels():
    """Red, green and blue in 8 bits are not stretched one by one, which would change the hues; other images are."""
    pixels = np.arange(50, 100).reshape(1, 5, 10).repeat(4, axis=0)
    names = ["Red", "green", "blue", "alpha"]
    assert {channel.display for channel in suited_channels(names, pixels.astype("u1"))} == {(0, 255)}
    assert (0, 65535) not in {channel.display for channel in suited_channels(names, pixels.astype("u2"))}
    assert (0, 255) not in {channel.display for channel in suited_channels(names[1:], pixels[1:].astype("u1"))}


def test_nan_and_infinities_do_not_count():
    """The display range comes from finite pixels; if there are none, from the limits."""
    pixels = np.array([[[np.nan, np.inf, 2.0, 3.0]], [[np.nan, np.nan, np.nan, -np.inf]]])
    some, none = suited_channels(["a", "b"], pixels)
    assert 2 <= some.display[0] < some.display[1] <= 3
    assert none.display == (0, 1)


def test_pixels_are_not_changed():
    """Read-only input passes."""
    pixels = np.arange(8.0).reshape(2, 4)
    pixels.flags.writeable = False
    suited_channels(["a", "b"], pixels)
    np.testing.assert_array_equal(pixels, np.arange(8).reshape(2, 4))


@pytest.mark.parametrize("scale", [1e-3, 1.0, 500.0])
@pytest.mark.parametrize("dtype", ["u1", "i2", "f4"])
def test_what_is_shown_lies_within_the_limits(dtype, scale):
    """Whatever the grey levels, floats below 0 and above 1 included."""
    pixels = noise((2, 30, 30), "f8", low=-3 * scale, high=3 * scale).astype(dtype)
    for channel in suited_channels(["a", "b"], pixels):
        assert channel.limits[0] <= channel.display[0] <= channel.display[1] <= channel.limits[1]
