"""Questions about many regions at once."""

import tracemalloc

import numpy as np
import pytest

import ngio_x as nx
from ngio_x.errors import NgioTypeError, NgioValueError
from ngio_x.roi import many
from ngio_x.roi.columns import RoiColumns, to_rois


def roi(y, x, name=None, **more):
    return nx.Roi.from_values({"y": y, "x": x}, name, **more)


def grid(side, pitch=10.0, size=12.0, axes=("y", "x")):
    """Return cells on a grid, each of which overlaps its neighbours, diagonal ones included."""
    starts = np.stack(np.meshgrid(*[np.arange(side) * pitch] * len(axes), indexing="ij"), -1).reshape(-1, len(axes))
    return to_rois(RoiColumns(axes, starts, np.full(starts.shape, size)))


@pytest.mark.parametrize("axes", [("y", "x"), ("z", "y", "x")])
def test_neighbours_on_a_grid_overlap(axes):
    """As many pairs as a grid has neighbours, diagonal ones included: half of 3ᵈ - 1 each, but for the rim."""
    side = 12
    pairs = nx.overlapping(grid(side, axes=axes))
    places = np.stack(np.unravel_index(pairs, (side,) * len(axes)))
    assert (np.abs(places[..., 0] - places[..., 1]) <= 1).all()
    assert len(pairs) == ((3 * side - 2) ** len(axes) - side ** len(axes)) // 2
    assert (np.diff(pairs[:, 0]) >= 0).all()
    assert (pairs[:, 0] < pairs[:, 1]).all()


def test_touching_regions_do_not_overlap():
    """Intervals are half-open."""
    assert nx.overlapping(grid(9, size=10.0)).shape == (0, 2)


def test_memory_does_not_grow_with_all_pairs():
    """20 000 regions in one row are compared with those they may meet."""
    starts = np.stack([np.zeros(20_000), np.arange(20_000) * 10.0], axis=1)
    rois = to_rois(RoiColumns(("y", "x"), starts, np.full(starts.shape, 12.0)))
    tracemalloc.start()
    pairs = nx.overlapping(rois)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert pairs.tolist() == [[k, k + 1] for k in range(19_999)]
    assert peak < 60_000_000


def test_a_region_that_holds_all_others_meets_each_once():
    """Be it open, or far longer than all cells."""
    cells = grid(8, size=5.0)
    for whole in (roi(slice(None), slice(None)), roi((-1e9, 2e9), (-1e9, 2e9)), roi(slice(None), (-1, 1e4))):
        assert nx.overlapping([*cells, whole]).tolist() == [[k, 64] for k in range(64)]
        assert nx.overlapping([whole], cells).tolist() == [[0, k] for k in range(64)]


@pytest.mark.parametrize("far", [1.6e308, 1e300, 1e-320])
def test_numbers_may_be_as_large_and_as_small_as_floats_are(far):
    """Their sums, differences and products are beyond all floats, or 0; there is no warning."""
    rois = [
        roi((-far, 1.05 * far), (-far, 1.05 * far)),
        roi((0, far), (0, far)),
        roi((0.6 * far, far / 4), (-far, far)),
    ]
    assert nx.overlapping(rois).tolist() == [[0, 1]]
    assert nx.assign_tiles(rois, rois).tolist()[2] == 2


def test_thousands_of_regions_without_length_are_not_compared():
    """They overlap nothing; but what lacks the axis along which they have no length overlaps them."""
    starts, lengths = np.zeros((100_000, 2)), np.tile([1.0, 0.0], (100_000, 1))
    flat = to_rois(RoiColumns(("y", "x"), starts, lengths))
    assert nx.overlapping(flat).shape == (0, 2)
    other = nx.Roi.from_values({"z": (0, 1), "y": (0, 1)}, None)
    assert nx.overlapping(flat[:3], [other]).tolist() == [[0, 0], [1, 0], [2, 0]]


@pytest.mark.parametrize("place", ["one far away", "two clusters", "rows beside columns"])
def test_places_and_lengths_of_regions_do_not_make_their_grid_coarse(place, monkeypatch):
    """About as many pairs are compared as overlap, however uneven the regions are."""
    side, count = 100, 10_000
    cells = np.stack(np.meshgrid(*[np.arange(side) * 10.0] * 2, indexing="ij"), -1).reshape(-1, 2)
    lengths = np.full((count, 2), 12.0)
    if place == "one far away":
        cells[-1] = 1e12
    elif place == "two clusters":
        cells[count // 2 :] += 1e12
    else:
        cells = np.stack([np.arange(count) * 10.0, np.zeros(count)], axis=1)
        lengths = np.tile([9.0, 1e6], (count, 1))
        cells[1::2], lengths[1::2] = cells[1::2, ::-1] + [0, 2e6], lengths[1::2, ::-1]
    compared = []
    batches = many._batches
    monkeypatch.setattr(many, "_batches", lambda counts: compared.append(counts.sum()) or batches(counts))
    pairs = nx.overlapping(to_rois(RoiColumns(("y", "x"), cells, lengths)))
    assert sum(compared) < 10 * (len(pairs) + count)
    assert len(pairs) == {"one far away": 39_399, "two clusters": 39_104, "rows beside columns": 0}[place]


def test_few_regions_make_few_pairs():
    """None and one, too."""
    assert nx.overlapping([]).tolist() == []
    assert nx.overlapping([roi(1, 1)]).shape == (0, 2)
    assert nx.overlapping([roi(1, 1)], []).shape == (0, 2)
    assert nx.overlapping([roi(1, 1), roi(1, 1)]).tolist() == [[0, 1]]
    assert nx.overlapping([], [roi(1, 1)]).shape == (0, 2)


def test_labels_and_names_do_not_matter():
    """Regions of different objects overlap like any others."""
    assert nx.overlapping([roi((0, 2), (0, 2), "a", label=1), roi((1, 2), (1, 2), "b", label=2)]).tolist() == [[0, 1]]


def test_points_at_an_edge_belong_to_what_begins_there():
    """Half-open again; axes that are not named do not matter."""
    rois = [roi((0, 10), (0, 10)), roi((10, 10), (0, 10)), roi(slice(5, None), slice(None))]
    assert nx.containing(rois, {"y": 10, "x": 0}).tolist() == [1, 2]
    assert nx.containing(rois, {"y": 3.0}).tolist() == [0]
    assert nx.containing(rois, {}).tolist() == [0, 1, 2]
    assert nx.containing(rois, {"z": 3}).tolist() == [0, 1, 2]
    assert nx.containing([], {"y": 3}).tolist() == []


def test_a_tile_without_end_holds_most_of_a_region_without_end():
    """Be the part that a bounded tile holds as large as it may; what both hold without end, other axes decide."""
    endless = roi((0, None), (0, 10))
    tiles = [roi((0, 1000), (0, 10)), roi((1000, None), (0, 4)), roi((2000, None), (4, 6))]
    assert nx.assign_tiles([endless], tiles).tolist() == [2]


def test_the_hull_keeps_the_numbers_of_its_regions():
    """A region that holds all others is its own hull, to the last digit."""
    whole = roi((0.1, 0.7), (-3, 11.3), "whole")
    assert nx.hull([roi((0.2, 0.2), -1), whole, roi((0.3, 0.4), 2)]).slices == whole.slices
    assert nx.hull([roi((0, 1), (0, 1)), roi((5, 1), slice(2, None))], "both") == roi((0, 6), slice(0, None), "both")
    pixels = [roi(1, 1, space="pixel"), roi(3, 3, space="pixel")]
    assert nx.hull(pixels) == roi((1, 3), (1, 3), space="pixel")


@pytest.mark.parametrize(
    "ask",
    [
        nx.overlapping,
        lambda rois: nx.overlapping(rois[:1], rois[1:]),
        lambda rois: nx.containing(rois, {"y": 1}),
        nx.hull,
        lambda rois: nx.assign_tiles(rois, rois),
    ],
    ids=["overlapping", "overlapping others", "containing", "hull", "assign_tiles"],
)
def test_spaces_do_not_mix_and_inputs_are_regions(ask):
    """World units and pixels are different numbers; messages say what to do."""
    with pytest.raises(NgioValueError, match="some in world units and some in pixels: convert them with to_world"):
        ask([roi(1, 1), roi(1, 1, space="pixel")])
    with pytest.raises(NgioTypeError, match=r"must be regions, got .roi. at position"):
        ask([roi(1, 1), "roi"])
    rois = [roi((0, 2), (0, 2), "a"), roi((1, 2), (1, 2), "b")]
    before = list(rois)
    ask(rois)
    assert rois == before


def test_bad_points_and_empty_lists_are_refused():
    """The message names the axis."""
    with pytest.raises(NgioTypeError, match="point must be a mapping from axis name to coordinate, got"):
        nx.containing([roi(1, 1)], (1, 2))
    with pytest.raises(NgioValueError, match="the point's 'x' must be a number, got '3'"):
        nx.containing([roi(1, 1)], {"x": "3"})
    with pytest.raises(NgioValueError, match="rois must hold at least one region"):
        nx.hull([])
