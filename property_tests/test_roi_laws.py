"""Laws of intervals and regions: an algebra on bounds, with negatives, zeros and open ends."""

import copy
import math
import pickle

import attrs
import ngio.common
import ngio.ome_zarr_meta
from hypothesis import assume, given
from hypothesis import strategies as st

from ngio_x import Roi, RoiSlice
from ngio_x.roi.rounding import snap_tolerance
from ngio_x.testing.strategies import dyadic_numbers, pixel_sizes, roi_slices, rois

AXES = st.permutations(("z", "y", "x")).flatmap(lambda axes: st.integers(2, 3).map(lambda count: axes[:count]))
REGIONS = AXES.flatmap(rois).map(lambda roi: attrs.evolve(roi, label=None))
SAME_AXES = rois(("y", "x")).map(lambda roi: attrs.evolve(roi, label=None))
WHOLE_INTERVALS = st.tuples(st.integers(1, 40), st.integers(1, 40))
POSITIVE_REGIONS = st.tuples(WHOLE_INTERVALS, WHOLE_INTERVALS).map(
    lambda values: Roi.from_values({"y": values[0], "x": values[1]}, "a")
)
FLOATS = st.floats(-1e6, 1e6)
POWERS = st.sampled_from([0.25, 0.5, 1.0, 2.0, 4.0])


def ends(piece):
    """Lower and upper bound as numbers."""
    low, high = piece.bounds
    return (-math.inf if low is None else low, math.inf if high is None else high)


def bounds(roi):
    """Bounds by axis: what the laws speak of (names and extra depend on the order of operands)."""
    return None if roi is None else {item.axis_name: item.bounds for item in roi.slices}


def within(inner, outer):
    """Whether one region lies in the other, along the axes they share."""
    shared = [item for item in inner.slices if item.axis_name in outer]
    return all(
        ends(outer[item.axis_name])[0] <= ends(item)[0] and ends(item)[1] <= ends(outer[item.axis_name])[1]
        for item in shared
    )


def is_nonempty(roi):
    return all(item.length != 0 for item in roi.slices)


@given(REGIONS, REGIONS)
def test_intersection_is_commutative(a, b):
    assert bounds(a.intersection(b)) == bounds(b.intersection(a))


@given(REGIONS, REGIONS)
def test_union_is_commutative(a, b):
    assert bounds(a.union(b)) == bounds(b.union(a))


@given(SAME_AXES, SAME_AXES, SAME_AXES)
def test_intersection_is_associative_and_none_absorbs(a, b, c):
    left, right = a.intersection(b), b.intersection(c)
    assert bounds(left and left.intersection(c)) == bounds(right and a.intersection(right))


@given(REGIONS, REGIONS, REGIONS)
def test_union_is_associative(a, b, c):
    assert bounds(a.union(b).union(c)) == bounds(a.union(b.union(c)))


@given(REGIONS)
def test_intersection_is_idempotent_for_regions_that_are_not_empty(a):
    assert a.intersection(a) == (a if is_nonempty(a) else None)


@given(REGIONS)
def test_union_is_idempotent(a):
    assert a.union(a) == a


@given(roi_slices(), roi_slices())
def test_intersection_is_none_exactly_when_the_overlap_has_no_length(a, b):
    low, high = max(ends(a)[0], ends(b)[0]), min(ends(a)[1], ends(b)[1])
    overlap = a.intersection(b)
    assert (overlap is None) == (high <= low)
    assert overlap is None or ends(overlap) == (low, high)


@given(REGIONS, REGIONS)
def test_intersection_is_within_both_within_union(a, b):
    union, overlap = a.union(b), a.intersection(b)
    for operand in (a, b):
        assert within(operand, union)
        assert overlap is None or within(overlap, operand)


@given(SAME_AXES, SAME_AXES)
def test_union_absorbs_intersection(a, b):
    overlap = a.intersection(b)
    assert overlap is None or bounds(a.union(overlap)) == bounds(a)
    if is_nonempty(a):
        assert bounds(a.intersection(a.union(b))) == bounds(a)


@given(roi_slices(), roi_slices())
def test_union_is_the_smallest_interval_that_holds_both(a, b):
    assert ends(a.union(b)) == (min(ends(a)[0], ends(b)[0]), max(ends(a)[1], ends(b)[1]))


@given(FLOATS, st.floats(0, 1e6), FLOATS, st.floats(0, 1e6), FLOATS, st.floats(0, 1e6))
def test_the_algebra_holds_for_any_numbers_up_to_rounding(a, la, b, lb, c, lc):
    """1e-9 relative to the largest number involved."""
    one, two, three = RoiSlice("x", a, la), RoiSlice("x", b, lb), RoiSlice("x", c, lc)
    scale = max(1.0, *(abs(bound) for piece in (one, two, three) for bound in piece.bounds))
    for left, right in (
        (one.union(two), two.union(one)),
        (one.union(two).union(three), one.union(two.union(three))),
        (one.intersection(two), two.intersection(one)),
    ):
        assert (left is None) == (right is None)
        if left is not None:
            assert all(abs(p - q) <= 1e-9 * scale for p, q in zip(left.bounds, right.bounds, strict=True))


@given(FLOATS, st.floats(0, 1e6), FLOATS, st.floats(0, 1e6))
def test_an_operand_that_supplies_both_bounds_keeps_its_numbers(a, la, b, lb):
    """So that joining with something larger or smaller never rounds."""
    one, two = RoiSlice("x", a, la), RoiSlice("x", b, lb)
    for result in (one.union(two), one.intersection(two)):
        for operand in (one, two):
            assert result is None or result.bounds != operand.bounds or result in (one, two)


@given(POSITIVE_REGIONS, POSITIVE_REGIONS)
def test_ngio_agrees_on_intersections_above_zero(a, b):
    """Closed intervals that start above 0, where its answers are right."""
    theirs = as_ngio(a).intersection(as_ngio(b))
    assert bounds(a.intersection(b)) == (theirs and their_bounds(theirs))


@given(POSITIVE_REGIONS, pixel_sizes())
def test_ngio_converts_whole_pixels_alike(roi, sizes):
    """There and back."""
    pixel, their_sizes = attrs.evolve(roi, space="pixel"), ngio.ome_zarr_meta.PixelSize(**sizes.as_dict())
    world, their_world = pixel.to_world(sizes), as_ngio(pixel).to_world(their_sizes)
    assert bounds(world) == their_bounds(their_world)
    assert bounds(world.to_pixel(sizes)) == their_bounds(their_world.to_pixel(their_sizes))


@given(POSITIVE_REGIONS, POWERS)
def test_ngio_zooms_regions_above_zero_alike(roi, factor):
    """The clamp at 0 included."""
    assert bounds(roi.zoom(factor)) == their_bounds(as_ngio(roi).zoom(factor))


def as_ngio(roi):
    slices = [
        ngio.common.RoiSlice(axis_name=item.axis_name, start=item.start, length=item.length) for item in roi.slices
    ]
    return ngio.common.Roi(name=roi.name, slices=slices, label=roi.label, space=roi.space)


def their_bounds(roi):
    return {item.axis_name: (item.start, item.end) for item in roi.slices}


@given(rois(("z", "y", "x")), pixel_sizes(), dyadic_numbers())
def test_to_pixel_undoes_to_world(roi, sizes, origin):
    """Exactly for dyadic numbers: they are away from the snap."""
    zero = {"y": origin, "z": -origin}
    pixel = attrs.evolve(roi, space="pixel")
    assert pixel.to_world(sizes, zero).to_pixel(sizes, zero) == pixel


@given(st.integers(-(10**6), 10**6), st.integers(0, 10**6), st.floats(1e-3, 1e3), st.floats(-1e3, 1e3))
def test_whole_pixels_survive_the_way_through_the_world_exactly(start, length, spacing, origin):
    """Whatever the pixel size."""
    piece = RoiSlice("x", start, length)
    assert piece.to_world(spacing, origin).to_pixel(spacing, origin) == piece


@given(FLOATS, st.floats(0, 1e6), st.floats(1e-2, 1e2), FLOATS)
def test_to_world_undoes_to_pixel_up_to_the_snap(start, length, spacing, origin):
    """Each bound moves by at most the snap."""
    piece = RoiSlice("x", start, length)
    back = piece.to_pixel(spacing, origin).to_world(spacing, origin)
    for before, after in zip(piece.bounds, back.bounds, strict=True):
        assert abs(before - after) <= snap_tolerance((before - origin) / spacing) * spacing + 1e-7


@given(st.floats(-1e3, 1e3), st.floats(0, 1e3), st.floats(1e-2, 1e2))
def test_to_pixel_is_idempotent_through_the_world(start, length, spacing):
    """Once snapped, a region stays where it is."""
    once = RoiSlice("x", start, length).to_pixel(spacing)
    twice = once.to_world(spacing).to_pixel(spacing)
    assert all(
        abs(p - q) <= 1e-6 or abs(p - round(q)) <= snap_tolerance(q) + 1e-4
        for p, q in zip(once.bounds, twice.bounds, strict=True)
    )


@given(REGIONS)
def test_zoom_by_one_is_the_identity(roi):
    assert roi.zoom(1) == roi
    assert roi.zoom() == roi


@given(roi_slices(allow_open=False), POWERS, POWERS)
def test_zoom_of_zoom_is_zoom_by_the_product_away_from_the_clamp(piece, a, b):
    def is_clamped(item, factor):
        return item.start >= 0 and item.start + item.length / 2 < item.length * factor / 2

    assume(not is_clamped(piece, a) and not is_clamped(piece, a * b) and not is_clamped(piece.zoom(a), b))
    assert piece.zoom(a).zoom(b) == piece.zoom(a * b)


@given(roi_slices(allow_open=False), st.floats(0.01, 100))
def test_zoom_keeps_the_centre_away_from_the_clamp(piece, factor):
    zoomed = piece.zoom(factor)
    assert math.isclose(zoomed.length, piece.length * factor)
    assume(piece.start < 0 or zoomed.start > 0)
    assert math.isclose(zoomed.start + zoomed.length / 2, piece.start + piece.length / 2, abs_tol=1e-9)


@given(REGIONS, st.randoms(use_true_random=False))
def test_equal_regions_have_equal_hashes_in_any_order_of_axes(roi, random):
    slices = list(roi.slices)
    random.shuffle(slices)
    twin = attrs.evolve(roi, slices=slices)
    assert twin == roi
    assert hash(twin) == hash(roi)


@given(rois(("z", "y", "x")))
def test_regions_pickle_and_copy(roi):
    for twin in (pickle.loads(pickle.dumps(roi)), copy.deepcopy(roi), copy.copy(roi)):
        assert twin == roi
        assert hash(twin) == hash(roi)
        assert twin.slices == roi.slices


@given(REGIONS, REGIONS, pixel_sizes(), POWERS)
def test_operations_change_no_region(a, b, sizes, factor):
    before = pickle.dumps((a, b))
    a.union(b)
    a.intersection(b)
    a.zoom(factor).to_pixel(sizes).to_world(sizes).to_slicing_dict(sizes)
    a.update_slice("x", 3).update_slice("q", 4).remove_slice("q")
    assert pickle.dumps((a, b)) == before


@given(REGIONS, REGIONS, pixel_sizes())
def test_extra_and_name_survive_every_operation(a, b, sizes):
    results = [
        a.union(b),
        a.zoom(2),
        a.to_pixel(sizes),
        a.update_slice("t", 1),
        a.update_slice("t", 1).remove_slice("t"),
    ]
    if (overlap := a.intersection(b)) is not None:
        results.append(overlap)
    assert all(result.extra == a.extra for result in results)
    assert all(result.name == a.name for result in results[1:5])


@given(
    st.dictionaries(
        st.sampled_from("tczyx"), dyadic_numbers() | st.tuples(dyadic_numbers(), dyadic_numbers(0)), min_size=2
    )
)
def test_values_and_slices_build_the_same_region(values):
    """`from_values` is the constructor with `RoiSlice.from_value` for each axis; the order is that of the mapping."""
    made = Roi.from_values(values, "a")
    assert made == Roi("a", [RoiSlice.from_value(axis, value) for axis, value in values.items()])
    assert [item.axis_name for item in made.slices] == list(values)


@given(rois(("y", "x")), pixel_sizes())
def test_slicing_dict_holds_the_bounds_in_pixels(roi, sizes):
    assert roi.to_slicing_dict(sizes) == {item.axis_name: slice(*item.bounds) for item in roi.to_pixel(sizes).slices}
