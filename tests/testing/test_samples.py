"""Samples are the same each time, look as promised, and say what is wrong with what they are asked for."""

import numpy as np
import pytest
from scipy import ndimage, stats

import ngio_x as nx
from ngio_x.cli.demo import segment
from ngio_x.errors import NgioValueError
from ngio_x.testing.samples import label_discs, noise, nuclei, photons

SMALL = nuclei((192, 256), 20, seed=3)


@pytest.mark.parametrize(
    "sample",
    [
        lambda seed: noise((9, 9), seed=seed),
        lambda seed: noise(99, "c8", seed),
        lambda seed: photons((9, 9), seed=seed),
        lambda seed: label_discs(seed=seed),
        lambda seed: nuclei((64, 64), 1, seed).image.values,
    ],
    ids=["noise", "complex", "photons", "discs", "nuclei"],
)
def test_a_seed_says_it_all(sample):
    """The same one, the same pixels; another, others."""
    np.testing.assert_array_equal(sample(1), sample(1))
    assert (sample(1) != sample(2)).any()
    with pytest.raises(NgioValueError, match="seed must be"):
        sample(-1)


@pytest.mark.parametrize("dtype", ["?", "u1", "i1", "<u2", ">i2", "u4", "i8", "u8", "f2", "f4", "f8", "c8", "c16"])
def test_noise_is_evenly_distributed_over_all_of_its_type(dtype):
    """Integers over all that they hold, floats over [0, 1); by the test of Kolmogorov and Smirnov."""
    values = noise((100, 100), dtype)
    assert (values.shape, values.dtype) == ((100, 100), np.dtype(dtype))
    if values.dtype.kind == "b":
        assert 0.45 < values.mean() < 0.55
        return
    low, high = 0.0, 1.0
    if values.dtype.kind in "iu":
        low, high = float(np.iinfo(dtype).min), float(np.iinfo(dtype).max) + 1
    for part in (values.real, values.imag) if values.dtype.kind == "c" else (values,):
        parts = (part.astype("f8").ravel() + (values.dtype.kind in "iu") / 2 - low) / (high - low)
        assert stats.kstest(parts, "uniform").statistic < 0.02


def test_noise_keeps_its_bounds():
    """The lower one is reached, the upper one is not."""
    assert {*noise(999, "i2", low=-2, high=3).tolist()} == {-2, -1, 0, 1, 2}
    values = noise(999, "f4", low=-2, high=3)
    assert -2 <= values.min() < -1.9
    assert 2.9 < values.max() < 3
    assert noise(5, "u8", low=2**64 - 1).tolist() == [2**64 - 1] * 5


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: noise(3, "U1"), "dtype must be boolean, integer, float or complex, got <U1"),
        (lambda: noise(3, "u1", low=5, high=5), "high must be above low=5, got 5"),
        (lambda: noise(3, "u1", high=257), "low and high must be within uint8, got 0 and 257"),
        (lambda: noise((3, -1)), "shape must be ≥ 0, got -1 at position 1"),
        (lambda: photons(3, -1), "mean must be ≥ 0, got -1"),
        (lambda: label_discs((2, 2), 5), r"count must be at most the 4 pixels of shape \(2, 2\), got 5"),
        (lambda: label_discs(count=300, dtype="u1"), "dtype must be integers up to 300, .* got uint8"),
        (lambda: label_discs(dtype="f4"), "dtype must be integers up to 12, the number of objects, got float32"),
        (lambda: label_discs(radius=-1), "radius must be ≥ 0, got -1"),
        (lambda: nuclei((64, 63)), r"shape must be rows and columns, at least 64 of each, got \(64, 63\)"),
        (lambda: nuclei((100, 100, 100)), "shape must be rows and columns"),
        (lambda: nuclei((100, 100), 300), r"count must be at most 2, for which shape \(100, 100\) has room, got 300"),
    ],
)
def test_what_cannot_be_made_is_refused(call, message):
    """With the argument, and what it may be."""
    with pytest.raises(NgioValueError, match=message):
        call()


def test_photons_have_mean_and_variance_of_a_poisson_distribution():
    """Both are what was asked for."""
    counts = photons((200, 200), 30.0)
    assert counts.dtype == np.uint16
    assert abs(counts.mean() - 30) < 0.2
    assert abs(counts.var() - 30) < 1
    assert photons((2, 2), dtype="f4").dtype == np.float32


@pytest.mark.parametrize(("shape", "radius"), [((50,), 3), ((40, 50), 5), ((12, 14, 16), 4)], ids=str)
def test_discs_are_where_the_distance_to_a_centre_says(shape, radius):
    """All objects are there; none reaches further than its radius, and all of the rest is background."""
    ids = label_discs(shape, 6, radius, "u2", seed=4)
    assert ids.dtype == np.uint16
    assert {*np.unique(ids)} == {0, *range(1, 7)}
    for label in range(1, 7):
        places = np.argwhere(ids == label)
        assert np.linalg.norm(places - places.mean(axis=0), axis=1).max() <= 2 * radius
    reached = label_discs(shape, 6, radius + 1, "u2", seed=4)
    np.testing.assert_array_equal(reached[ids > 0], ids[ids > 0])
    assert not np.array_equal(reached, ids)


def test_discs_of_any_radius_leave_no_background():
    """They meet half-way; none is lost, not even at one a pixel."""
    assert label_discs((20, 30), 9, np.inf).all()
    assert np.unique(label_discs((4, 4), 16)).tolist() == list(range(1, 17))
    assert not label_discs((4, 4), 0).any()


def test_nuclei_are_found_where_they_are():
    """A plain segmentation of the image finds the labels, but for two that touch: the same pixels."""
    found = segment(SMALL.image.sel(c="DNA"))
    assert int(found.max()) == 19
    both = (found.values > 0) & (SMALL.labels.values > 0)
    assert both.sum() > 0.8 * max((found.values > 0).sum(), (SMALL.labels.values > 0).sum())
    assert {*np.unique(SMALL.labels)} == set(range(21))


def test_nuclei_have_the_pixels_of_a_microscope():
    """In micrometers, with named channels; the labels lie on the image."""
    image, labels = SMALL
    assert (image.dims, image.shape, image.dtype) == (("c", "y", "x"), (2, 192, 256), np.dtype("u2"))
    assert nx.pixel_size_of(image).yx == (0.325, 0.325)
    assert image["c"].values.tolist() == ["DNA", "tubulin"]
    assert labels.attrs["role"] == "labels"
    assert image.y.equals(labels.y)
    assert ndimage.mean(image.sel(c="DNA").values, labels.values > 0, 1) > 2 * np.median(image.sel(c="DNA"))
