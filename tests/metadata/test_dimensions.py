"""Shapes with meaning, and whether two of them fit."""

import pickle

import attrs
import ngio.common
import numpy as np
import pytest
from ngio.ome_zarr_meta import ngio_specs

import ngio_x as nx
from ngio_x import AxesHandler, AxesSetup, Axis, Dataset, Dimensions
from ngio_x.errors import NgioValueError


def dimensions(axes, shape, scale=None):
    return Dimensions(shape, shape, Dataset("0", AxesHandler.from_names(axes), scale or (1,) * len(shape)))


def test_everything_is_at_hand():
    """Shape, chunks, axes, pixel size."""
    dataset = Dataset("0", AxesHandler.from_names("yx"), (0.5, 2))
    made = Dimensions(np.array([4, 6]), [2, 3], dataset)
    assert (made.shape, made.chunks, made.axes) == ((4, 6), (2, 3), ("y", "x"))
    assert made.axes_handler is dataset.axes_handler
    assert made.pixel_size == dataset.pixel_size


def test_get_knows_canonical_and_on_disk_names():
    """With a default for axes that are not there."""
    handler = AxesHandler((Axis("time"), Axis("y"), Axis("x")), AxesSetup(t="time"))
    made = Dimensions((2, 3, 4), (2, 3, 4), Dataset("0", handler, (1, 1, 1)))
    assert (made.get("t"), made.get("time"), made.get("x")) == (2, 2, 4)
    assert made.get("z") is None
    assert made.get("z", 1) == 1


@pytest.mark.parametrize(
    ("axes", "shape", "flags"),
    [  # time series, 2-D, 2-D time series, 3-D, 3-D time series, multi-channel
        ("yx", (3, 4), "010000"),
        ("zyx", (1, 3, 4), "010000"),
        ("zyx", (2, 3, 4), "000100"),
        ("tyx", (2, 3, 4), "111000"),
        ("tyx", (1, 3, 4), "010000"),
        ("tzyx", (2, 2, 3, 4), "100110"),
        ("cyx", (1, 3, 4), "010000"),
        ("cyx", (2, 3, 4), "010001"),
        ("tczyx", (2, 2, 2, 3, 4), "100111"),
    ],
)
def test_flags(axes, shape, flags):
    """An axis of size 1 counts as none."""
    made = dimensions(axes, shape)
    found = (
        made.is_time_series,
        made.is_2d,
        made.is_2d_time_series,
        made.is_3d,
        made.is_3d_time_series,
        made.is_multi_channels,
    )
    assert "".join(str(int(flag)) for flag in found) == flags


@pytest.mark.parametrize(
    ("shape", "chunks", "message"),
    [
        ((1, 2, 3), (1, 2), r"shape must have one number for each axis of \('y', 'x'\), got \(1, 2, 3\)"),
        ((1, 2), (1,), r"chunks must have one number for each axis of \('y', 'x'\), got \(1,\)"),
        ((1, -2), (1, 2), "shape must be ≥ 0, got -2 at position 1"),
        ((1, 2.5), (1, 2), r"shape must be an integer, got 2\.5 at position 1"),
        ((1, True), (1, 2), "shape must be an integer, got True at position 1"),
        ((1, 2), "auto", "chunks must be a sequence, got 'auto'"),
        ((1, 2), None, "chunks must be a sequence, got None"),
    ],
)
def test_dimensions_validate(shape, chunks, message):
    """One size and one chunk size an axis."""
    with pytest.raises(NgioValueError, match=f"^{message}"):
        Dimensions(shape, chunks, Dataset("0", AxesHandler.from_names("yx"), (1, 1)))


def test_axes_match_in_any_order_and_without_channels():
    """A label image has no channels."""
    image, labels = dimensions("cyx", (2, 3, 4)), dimensions("xy", (4, 3))
    image.require_axes_match(labels)
    assert image.check_if_axes_match(labels)


@pytest.mark.parametrize(("one", "other", "side"), [("zyx", "yx", "other"), ("yx", "zyx", "reference")])
def test_a_missing_axis_is_named(one, other, side):
    """With the side that lacks it."""
    with pytest.raises(NgioValueError, match=f"axis 'z' is missing from the {side} dimensions"):
        dimensions(one, (2,) * len(one)).require_axes_match(dimensions(other, (2,) * len(other)))


def test_axes_match_by_what_they_stand_for():
    """Differing names on disk are one axis."""
    handler = AxesHandler((Axis("Y"), Axis("X")), AxesSetup(x="X", y="Y"))
    renamed = Dimensions((3, 4), (3, 4), Dataset("0", handler, (1, 1)))
    renamed.require_dimensions_match(dimensions("yx", (3, 4)))
    assert renamed.check_if_dimensions_match(dimensions("yx", (3, 4)))


def test_sizes_that_differ_are_named():
    """The axis and both sizes."""
    with pytest.raises(NgioValueError, match="along axis 'x': the reference has 5 pixels, the other 4"):
        dimensions("yx", (3, 5)).require_dimensions_match(dimensions("yx", (3, 4)))


def test_channels_are_exempt_from_the_comparison_of_sizes():
    """As in the reference."""
    one, other = dimensions("cyx", (2, 3, 4)), dimensions("cyx", (5, 3, 4))
    one.require_dimensions_match(other)
    assert one.check_if_dimensions_match(other)


def test_a_singleton_matches_on_request():
    """On either side."""
    one, other = dimensions("zyx", (1, 3, 4)), dimensions("zyx", (5, 3, 4))
    one.require_dimensions_match(other, allow_singleton=True)
    other.require_dimensions_match(one, allow_singleton=True)
    assert not one.check_if_dimensions_match(other)


def test_images_that_cannot_be_rescaled_say_why():
    """The axis, both sizes and both pixel sizes."""
    one, other = dimensions("yx", (6, 10), (0.5, 0.5)), dimensions("yx", (3, 4))
    with pytest.raises(NgioValueError, match=r"along axis 'x': 10 pixels of 0\.5 against 4 pixels of 1"):
        one.require_rescalable(other)


@pytest.mark.parametrize("name", ["axes_match", "dimensions_match", "rescalable"])
def test_methods_and_functions_are_one(name):
    """`require_` raises where `check_if_` is False, and both exist as functions too."""
    same, other = dimensions("yx", (3, 4)), dimensions("zyx", (1, 3, 5))
    assert getattr(same, f"check_if_{name}")(same)
    assert getattr(nx, f"check_if_{name}")(same, same)
    assert not getattr(same, f"check_if_{name}")(other)
    assert not getattr(nx, f"check_if_{name}")(same, other)
    for require in (getattr(same, f"require_{name}"), lambda other: getattr(nx, f"require_{name}")(same, other)):
        assert require(same) is None
        with pytest.raises(NgioValueError):
            require(other)


SIZES = [1, 2, 3, 5, 8, 9, 16, 17]
SPACINGS = [0.25, 0.5, 1.0, 0.65, 1.3]


@pytest.mark.parametrize("spacing", SPACINGS)
def test_ngio_finds_the_same_images_rescalable(spacing):
    """For every pair of sizes, up and down."""
    for ours in SIZES:
        for theirs in SIZES:
            one, other = dimensions("yx", (ours, 4), (spacing, 1)), dimensions("yx", (theirs, 4))
            assert one.check_if_rescalable(other) == as_ngio(one).check_if_rescalable(as_ngio(other)), (ours, theirs)


def as_ngio(made):
    axes = [
        ngio_specs.Axis(name=axis.name, axis_type=axis.axis_type, unit=axis.unit) for axis in made.axes_handler.axes
    ]
    dataset = ngio_specs.Dataset(path="0", axes_handler=ngio_specs.AxesHandler(axes), scale=made.dataset.scale)
    return ngio.common.Dimensions(made.shape, made.chunks, dataset)


def test_it_hashes_pickles_and_evolves():
    """A changed copy is validated again."""
    made = dimensions("yx", (3, 4))
    assert pickle.loads(pickle.dumps(made)) == made
    assert hash(made) == hash(dimensions("yx", (3, 4)))
    with pytest.raises(NgioValueError, match="shape must be ≥ 0"):
        attrs.evolve(made, shape=(3, -4))
