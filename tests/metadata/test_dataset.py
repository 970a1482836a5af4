"""One level as the metadata describes it."""

import pickle

import attrs
import numpy as np
import pytest

from ngio_x import AxesHandler, AxesSetup, Axis, Dataset, PixelSize
from ngio_x.errors import NgioValueError

YX = AxesHandler.from_names("yx")


def test_a_translation_of_none_is_zeros():
    """One an axis."""
    assert Dataset("0", YX, (1, 2)).translation == (0.0, 0.0)
    assert Dataset("0", YX, (1, 2), None) == Dataset("0", YX, [1, 2], np.zeros(2))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("", YX, (1, 2)), "path must be a non-empty string"),
        (("0", ("y", "x"), (1, 2)), "axes_handler must be an instance of AxesHandler"),
        (("0", YX, (1,)), r"scale must have one number for each axis of \('y', 'x'\), got \(1\.0,\)"),
        (("0", YX, (1, 0)), r"scale must be > 0, got 0\.0 at position 1"),
        (("0", YX, 1), "scale must be a sequence, got 1"),
        (("0", YX, "12"), "scale must be a sequence, got '12'"),
        (("0", YX, (1, np.nan)), "scale must be a finite number, got nan at position 1"),
        (("0", YX, (1, 2), (1,)), r"translation must have one number for each axis of \('y', 'x'\), got \(1\.0,\)"),
        (("0", YX, (1, 2), (1, "a")), "translation must be a number, got 'a' at position 1"),
    ],
)
def test_a_dataset_validates(arguments, message):
    """One positive scale number an axis; the error names the field and what it got."""
    with pytest.raises(NgioValueError, match=f"^{message}"):
        Dataset(*arguments)


def test_the_pixel_size_is_read_by_axis_name():
    """Positions never decide; z and t default to 1, units come from the axes."""
    handler = AxesHandler(
        (Axis("X", unit="nanometer"), Axis("c"), Axis("y", unit="nanometer"), Axis("t", unit="minute")),
        AxesSetup(x="X"),
    )
    size = Dataset("0", handler, (2, 3, 4, 5)).pixel_size
    assert size == PixelSize(x=2, y=4, z=1, t=5, space_unit="nanometer", time_unit="minute")


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        ((Axis("t"), Axis("x")), "an image must have y and x axes to have a pixel size, got"),
        ((Axis("y", unit="nanometer"), Axis("x", unit="meter")), "space axes must have one unit"),
    ],
)
def test_there_is_no_pixel_size_without_y_and_x_in_one_unit(axes, message):
    """The error says what is missing or differs."""
    with pytest.raises(NgioValueError, match=message):
        _ = Dataset("0", AxesHandler(axes), (1, 1)).pixel_size


def test_it_hashes_pickles_and_evolves():
    """A changed copy is validated again."""
    dataset = Dataset("0", YX, (1, 2), (3, 4))
    assert pickle.loads(pickle.dumps(dataset)) == dataset
    assert hash(dataset) == hash(Dataset("0", AxesHandler.from_names(["y", "x"]), [1, 2], [3, 4]))
    with pytest.raises(NgioValueError, match="scale must be > 0"):
        attrs.evolve(dataset, scale=(1, -1))
