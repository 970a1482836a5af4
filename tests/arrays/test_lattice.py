"""Evenly spaced pixels along one axis."""

import numpy as np
import pytest

from ngio_x.arrays.lattice import Lattice, lattice_from_labels
from ngio_x.errors import NgioValueError
from ngio_x.roi.roi_slice import RoiSlice


def test_labels_are_centres_in_space_and_starts_in_time():
    """The anchor says where in its pixel a label lies."""
    assert Lattice(1.0, 2.0, 3).labels().tolist() == [2.0, 4.0, 6.0]
    assert Lattice(1.0, 2.0, 3, anchor=0.0).labels().tolist() == [1.0, 3.0, 5.0]


def test_extent_spans_the_edges():
    """The extent goes from the lower edge of the first pixel to the upper edge of the last."""
    assert Lattice(1.0, 2.0, 3, start=2).extent == (5.0, 11.0)


@pytest.mark.parametrize("anchor", [0.0, 0.5])
def test_strided_keeps_labels(anchor):
    """Every n-th pixel keeps its label; the pixels grow around it."""
    lattice = Lattice(1.0, 2.0, 9, start=3, anchor=anchor)
    np.testing.assert_array_equal(lattice.strided(1, 3, 3).labels(), lattice.labels()[1::3])


def test_resized_keeps_the_extent():
    """Other pixels, same extent."""
    lattice = Lattice(1.0, 2.0, 9, start=3)
    assert lattice.resized(3).extent == lattice.extent
    assert lattice.resized(3).spacing == 6.0


def test_the_same_lattice_tolerates_what_files_round():
    """Spacings to 1e-9 relative and origins to 1e-3 of a pixel are the same."""
    assert Lattice(0.0, 0.5, 4).offset_of(Lattice(1.0004, 0.5 * (1 + 1e-10), 2)) == 2


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (Lattice(0.0, 0.5001, 4, unit="micrometer"), r"pixel sizes differ: 0\.5 and 0\.5001"),
        (Lattice(0.1, 0.5, 4, unit="micrometer"), r"shifted against each other by 0\.2 of a pixel.*resample"),
        (Lattice(0.0, 0.5, 4, unit="nanometer"), r"units differ: 'micrometer' and 'nanometer'"),
    ],
)
def test_different_lattices_say_how_they_differ(other, message):
    """The error holds both numbers and what to do."""
    with pytest.raises(NgioValueError, match=message):
        Lattice(0.0, 0.5, 4, unit="micrometer").offset_of(other)


@pytest.mark.parametrize(("how", "start", "size"), [("inner", 4, 2), ("outer", 2, 6)], ids=["intersection", "hull"])
def test_joined_is_integer_arithmetic(how, start, size):
    """Inner is the intersection and outer the hull, on our floats."""
    ours, theirs = Lattice(0.1, 0.3, 4, start=2), Lattice(0.1, 0.3, 4, start=4)
    assert ours.joined(theirs, how) == Lattice(0.1, 0.3, size, start=start)


def test_windows_are_rounded_on_the_whole_lattice():
    """A piece holds the pixels of a region that its parent holds."""
    whole = Lattice(0.1, 0.3, 50)
    interval = RoiSlice("x", 3.333, 4.0)
    held = whole.window(interval)
    assert whole.strided(7, 20).window(interval) == slice(held.start - 7, min(held.stop - 7, 20))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([1.0, 2.0, 4.0], "not evenly spaced: label 2 at position 1"),
        ([3.0, 2.0, 1.0], "must rise, got 3 … 1: sort or flip"),
        ([1.0, 1.0], "must rise"),
        ([1.0, np.nan], "finite numbers"),
        ([1.0, np.inf], "finite numbers"),
        ([1.0], r"single pixel.*pixel_size=\{'x': \.\.\.\}"),
    ],
)
def test_labels_on_no_lattice_are_refused(labels, message):
    """The error names the axis and what is wrong."""
    with pytest.raises(NgioValueError, match=message) as caught:
        lattice_from_labels(np.array(labels), "x", 0.5, {})
    assert "axis 'x'" in str(caught.value)


def test_two_labels_speak_for_themselves():
    """Attributes left over from another lattice do not count where labels tell."""
    found = lattice_from_labels(np.array([2.0, 3.0]), "x", 0.5, {"origin": 0.0, "spacing": 0.25})
    assert found == Lattice(1.5, 1.0, 2)


def test_a_single_label_on_the_lattice_of_its_attributes():
    """Origin and spacing tell the size of a lone pixel whose label lies on that lattice."""
    found = lattice_from_labels(np.array([2.25]), "x", 0.5, {"origin": 0.0, "spacing": np.float64(0.5)})
    assert found == Lattice(0.0, 0.5, 1, start=4)


@pytest.mark.parametrize(
    "attributes",
    [
        {"origin": 0.0, "spacing": 0.4},
        {"origin": 0.0, "spacing": -0.5},
        {"origin": 0.0, "spacing": 0},
        {"origin": 0.0, "spacing": 1e-320},
        {"origin": "0", "spacing": "0.5"},
        {"spacing": 0.5},
    ],
)
def test_a_single_label_off_the_lattice_of_its_attributes(attributes):
    """Attributes that do not describe the lone label do not count."""
    with pytest.raises(NgioValueError, match="single pixel"):
        lattice_from_labels(np.array([2.25]), "x", 0.5, attributes)


def test_labels_of_a_coarse_dtype_are_understood():
    """float32 labels far from zero are even to what float32 resolves."""
    labels = np.arange(1000, dtype=np.float32) * np.float32(0.1) + np.float32(1e4)
    assert lattice_from_labels(labels, "x", 0.5, {}).spacing == pytest.approx(0.1, rel=1e-3)
