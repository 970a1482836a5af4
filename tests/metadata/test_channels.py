"""Names, colours and grey levels of channels."""

import numpy as np
import pytest

from ngio_x.errors import NgioValueError
from ngio_x.metadata.channels import Channel, channels_of


@pytest.mark.parametrize("color", ["ff00aa", "#ff00aa", "FF00AA"])
def test_colours_are_six_capital_digits(color):
    """With or without a leading hash."""
    assert Channel("a", color).color == "FF00AA"


@pytest.mark.parametrize("color", ["", "red", "#FF00A", "##FF00AA", "FF00AAFF", None, 3])
def test_other_colours_are_refused(color):
    """The error shows what was passed."""
    with pytest.raises(NgioValueError, match="^color must be"):
        Channel("a", color)


@pytest.mark.parametrize("limits", [(1,), (1, 2, 3), (3, 1), 5, (0, float("nan")), "ab"])
@pytest.mark.parametrize("field", ["limits", "display"])
def test_ranges_are_two_rising_numbers(field, limits):
    """The error names the field."""
    with pytest.raises(NgioValueError, match=f"^{field} must be"):
        Channel("a", **{field: limits})


def test_one_channel_is_white_and_several_differ():
    """Well-known colours get themselves."""
    pixels = np.zeros((3, 2, 2), np.uint8)
    assert channels_of(("a",), pixels[:1])[0].color == "FFFFFF"
    assert [channel.color for channel in channels_of(("a", "Green", "b"), pixels)] == ["00FFFF", "00FF00", "FFFF00"]


@pytest.mark.parametrize(
    ("dtype", "limits"), [("uint8", (0, 255)), ("int16", (-32768, 32767)), ("float32", (0, 1)), ("bool", (0, 1))]
)
def test_limits_follow_from_the_data_type(dtype, limits):
    """Constant images are shown over all of them."""
    (channel,) = channels_of(("a",), np.zeros((1, 2, 2), dtype))
    assert channel.limits == channel.display == limits


def test_the_display_range_leaves_out_the_extremes():
    """A single hot pixel does not decide; a grey level that exists does."""
    pixels = np.tile(np.arange(100, 200), 100).reshape(1, 100, 100).astype(np.uint16)
    pixels[0, 0, 0], pixels[0, 0, 1] = 0, 65535
    assert channels_of(("a",), pixels)[0].display == (100.0, 199.0)


@pytest.mark.parametrize("fill", [np.nan, np.inf])
def test_pixels_that_are_not_finite_do_not_count(fill):
    """Nor does an image without pixels."""
    pixels = np.full((1, 2, 2), fill)
    assert channels_of(("a",), pixels)[0].display == (0.0, 1.0)
    assert channels_of(("a",), pixels[:, :0])[0].display == (0.0, 1.0)


def test_huge_grey_levels_do_not_overflow():
    """Their difference is beyond all floats."""
    assert channels_of(("a",), np.array([[-1e308, 1e308]]))[0].display == (-1e308, 1e308)


def test_channels_need_one_label_each():
    """The error names both numbers."""
    with pytest.raises(NgioValueError, match="got 1 labels for 2 channels"):
        channels_of(("a",), np.zeros((2, 3, 3)))


def test_pixels_are_untouched():
    """They may be read-only."""
    pixels = np.arange(8.0).reshape(2, 2, 2)
    pixels.flags.writeable = False
    channels_of(("a", "b"), pixels)
