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
    """Origins to 1e-3 of a pixel are the same, and sizes whose pixels drift apart by less than 0.01 over the extent."""
    assert Lattice(0.0, 0.5, 4).offset_of(Lattice(1.0004, 0.5 * (1 + 1e-10), 2)) == 2
    assert Lattice(0.0, 0.65, 2000).offset_of(Lattice(0.0, float(np.float32(0.65)), 2000)) == 0


@pytest.mark.parametrize(("size", "same"), [(90, True), (110, False)])
def test_sizes_are_compared_by_how_far_pixels_drift_apart(size, same):
    """A difference of 1e-4 is 0.009 of a pixel over 90 pixels, and 0.011 over 110."""
    ours, theirs = Lattice(0.0, 1.0, size), Lattice(0.0, 1.0001, size)
    for one, other in ((ours, theirs), (theirs, ours)):
        if same:
            assert one.offset_of(other) == 0
        else:
            with pytest.raises(NgioValueError, match=r"pixel sizes differ: .* 0\.011 of a pixel"):
                one.offset_of(other)


def test_pixels_that_are_shared_count_but_for_a_result_that_spans_both():
    """Ten shared pixels of two long rows agree, but the hull of the two has no one size."""
    ours, theirs = Lattice(0.0, 1.0, 100), Lattice(0.0, 1.0001, 100, start=90)
    assert ours.offset_of(theirs) == 90
    assert ours.joined(theirs, "inner").size == 10
    with pytest.raises(NgioValueError, match="pixel sizes differ"):
        ours.joined(theirs, "outer")


def test_rows_that_share_no_pixel_are_compared_over_their_hull():
    """Neighbours are; rows far apart are only if their sizes agree so far."""
    assert Lattice(0.0, 1.0, 50).offset_of(Lattice(50.0, 1.0001, 40)) == 50
    with pytest.raises(NgioValueError, match="pixel sizes differ"):
        Lattice(0.0, 1.0, 50).offset_of(Lattice(0.0, 1.0001, 40, start=80))


def test_the_way_between_origins_may_be_counted_in_pixels_of_either():
    """A piece that was written with its own place, and a size that went through float32."""
    size = float(np.float32(0.65))
    for edge in (0.65 * 150_000, size * 150_000):
        assert Lattice(0.0, 0.65, 200_000).offset_of(Lattice(edge, size, 100)) == 150_000
        assert Lattice(edge, size, 100).offset_of(Lattice(0.0, 0.65, 200_000)) == -150_000


def test_labels_in_consecutive_pixels_may_be_taken_for_theirs():
    """`holding` is what somebody's word is checked by: each label in its own pixel."""
    lattice = Lattice(0.0, 1.0, 100)
    assert lattice.holding(Lattice(3.3, 1.001, 50)) == 3
    for other in (Lattice(3.5, 1.0, 50), Lattice(0.0, 1.1, 50), Lattice(0.0, 2.0, 2)):
        with pytest.raises(NgioValueError, match="pixels beside those of like"):
            lattice.holding(other)
    with pytest.raises(NgioValueError, match="units differ"):
        Lattice(0.0, 1.0, 1, unit="second").holding(Lattice(0.0, 1.0, 1, unit="minute"))


def test_a_window_that_counts_from_its_start_is_on_no_lattice_but_its_like():
    """Else its pixels would be taken for the first ones of the image."""
    window = Lattice(0.0, 0.5, 4, relative=True)
    assert window.offset_of(Lattice(0.0, 0.5, 2, start=1, relative=True)) == 1
    for one, other in ((window, Lattice(0.0, 0.5, 4)), (Lattice(0.0, 0.5, 4), window)):
        with pytest.raises(NgioValueError, match=r"window of a stack.*as_image\(window, like=image\)"):
            one.offset_of(other)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (Lattice(0.0, 0.51, 4, unit="micrometer"), r"pixel sizes differ: 0\.5 and 0\.51.*as_image.*zoom"),
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
        lattice_from_labels(np.array(labels), "x", 0.5)
    assert "axis 'x'" in str(caught.value)


def test_two_labels_speak_for_themselves():
    """A size left over from another lattice does not count where labels tell."""
    found = lattice_from_labels(np.array([2.0, 3.0]), "x", 0.5, 0.25)
    assert found == Lattice(1.5, 1.0, 2)


def test_a_single_label_needs_a_size():
    """Its place is in the label."""
    assert lattice_from_labels(np.array([2.25]), "x", 0.5, np.float64(0.5)) == Lattice(2.0, 0.5, 1)
    assert lattice_from_labels(np.array([2.25]), "t", 0.0, 0.5) == Lattice(2.25, 0.5, 1, anchor=0.0)


@pytest.mark.parametrize("spacing", [None, -0.5, 0, np.inf, "0.5"])
def test_what_is_no_size_does_not_count(spacing):
    """Whatever stands in the attribute."""
    with pytest.raises(NgioValueError, match="single pixel"):
        lattice_from_labels(np.array([2.25]), "x", 0.5, spacing)


def test_labels_of_a_coarse_dtype_are_understood():
    """float32 labels far from zero are even to what float32 resolves."""
    labels = np.arange(1000, dtype=np.float32) * np.float32(0.1) + np.float32(1e4)
    assert lattice_from_labels(labels, "x", 0.5).spacing == pytest.approx(0.1, rel=1e-3)
