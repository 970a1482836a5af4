"""Laws of many regions at once, against what is said of each pair of them."""

import functools
import io
import itertools
import pickle
import tempfile

import numpy as np
import pandas as pd
import pytest
import xarray as xr
import zarr
from hypothesis import given
from hypothesis import strategies as st

import ngio_x as nx
from ngio_x.roi.columns import columns_of, to_rois
from ngio_x.testing.strategies import dyadic_numbers, images, rois

AXES = ("t", "z", "y", "x")
mixed_axes = st.lists(st.sampled_from(AXES), min_size=2, max_size=4, unique=True)
regions = mixed_axes.flatmap(rois)
many = st.lists(regions, max_size=12)
points = st.dictionaries(st.sampled_from(AXES), dyadic_numbers())


def meet(one, other):
    return one.to_world().intersection(other) is not None


def unlabelled(roi):
    return nx.Roi(None, roi.slices, None, roi.space)


@given(st.lists(mixed_axes.flatmap(lambda axes: rois(axes) | rois(axes, space="pixel")), max_size=8))
def test_columns_and_datasets_hold_all_of_every_region(several):
    for copies in (to_rois(columns_of(several)), nx.rois_from_dataset(nx.rois_to_dataset(several))):
        assert copies == several
        assert [repr(sorted(roi.extra.items())) for roi in copies] == [
            repr(sorted(roi.extra.items())) for roi in several
        ]
        assert [hash(roi) for roi in copies] == [hash(roi) for roi in several]
        assert pickle.loads(pickle.dumps(copies)) == several


texts = st.text(st.characters(categories=("L",), max_codepoint=0x2FF), max_size=4).map(lambda text: text and f"a{text}")
"""Texts that are not read as numbers, or as pandas' words for what is missing."""
plain = {
    "note": texts,
    "count": st.integers(-(2**63), 2**63 - 1),
    "big": st.integers(2**63, 2**64 - 1),
    "whole": st.booleans(),
    "area": st.floats(allow_nan=False, allow_infinity=False),
    "roi": texts,
    "start_q": st.booleans(),
    "extra_label": texts,
}


@st.composite
def tabled(draw):
    """Draw regions with extras of one type each, that some lack and that are None for others."""
    found = []
    for _ in range(draw(st.integers(1, 5))):
        roi = draw(mixed_axes.flatmap(lambda axes: rois(axes) | rois(axes, space="pixel")))
        label = draw(st.none() | st.integers(0, 2**64 - 1))
        extra = {key: draw(st.none() | value) for key, value in plain.items() if draw(st.booleans())}
        found.append(nx.Roi(draw(st.none() | texts), roi.slices, label, roi.space, extra))
    return found


def through_netcdf(table):
    with tempfile.TemporaryDirectory() as directory:
        table.to_netcdf(f"{directory}/a.nc", engine="h5netcdf")
        with xr.open_dataset(f"{directory}/a.nc", engine="h5netcdf") as opened:
            return opened.load()


def through_zarr(table):
    store = zarr.storage.MemoryStore()
    table.to_zarr(store, zarr_format=2, consolidated=False)
    return xr.open_zarr(store, consolidated=False)


def through_csv(table):
    text = io.StringIO(table.to_dataframe().to_csv())
    return pd.read_csv(text, float_precision="round_trip")


@pytest.mark.parametrize("way", [through_netcdf, through_zarr, through_csv])
@given(several=tabled(), data=st.data())
def test_a_table_of_regions_survives_any_file_and_any_choice_of_rows(way, several, data):
    rows = data.draw(st.lists(st.sampled_from(range(len(several))), min_size=1, max_size=5))
    found = nx.rois_from_dataset(way(nx.rois_to_dataset(several).isel(roi=rows)))
    assert found == [several[row] for row in rows]
    assert [{key: type(value) for key, value in roi.extra.items()} for roi in found] == [
        {key: type(value) for key, value in several[row].extra.items()} for row in rows
    ]


@given(many)
def test_regions_overlap_exactly_when_their_intersection_is_something(several):
    several = [unlabelled(roi) for roi in several]
    expected = [[i, j] for i, j in itertools.combinations(range(len(several)), 2) if meet(several[i], several[j])]
    assert nx.overlapping(several).tolist() == expected


@given(many, many)
def test_overlaps_between_two_lists_are_those_of_each_pair(ours, theirs):
    ours, theirs = [unlabelled(roi) for roi in ours], [unlabelled(roi) for roi in theirs]
    expected = [[i, j] for i, one in enumerate(ours) for j, other in enumerate(theirs) if meet(one, other)]
    assert nx.overlapping(ours, theirs).tolist() == expected


@given(st.data(), st.lists(rois(min_length=0.125), max_size=12))
def test_the_order_of_regions_does_not_matter(data, several):
    order = data.draw(st.permutations(range(len(several))))
    shuffled = nx.overlapping([several[k] for k in order])
    found = {frozenset((order[i], order[j])) for i, j in shuffled.tolist()}
    assert found == {frozenset(pair) for pair in nx.overlapping(several).tolist()}
    if several:
        ours, theirs = nx.hull([several[k] for k in order]), nx.hull(several)
        assert [item.bounds for item in ours.slices] == [item.bounds for item in theirs.slices]


@given(many, points)
def test_a_point_is_in_a_region_when_it_is_in_each_of_its_intervals(several, point):
    def holds(item):
        low, high = item.bounds
        at = point.get(item.axis_name)
        return at is None or ((low is None or low <= at) and (high is None or at < high))

    expected = [row for row, roi in enumerate(several) if all(map(holds, roi.slices))]
    assert nx.containing(several, point).tolist() == expected


@given(st.lists(regions, min_size=1, max_size=8))
def test_the_hull_is_the_union_of_all(several):
    several = [unlabelled(roi) for roi in several]
    assert nx.hull(several) == functools.reduce(nx.Roi.union, several)


@given(st.lists(rois(min_length=0.125), max_size=10), st.lists(rois(min_length=0.125), max_size=6))
def test_a_region_belongs_to_a_tile_that_holds_no_less_of_it_than_any_other(objects, tiles):
    objects, tiles = [unlabelled(roi) for roi in objects], [unlabelled(roi) for roi in tiles]
    assigned = nx.assign_tiles(objects, tiles)
    assert assigned.shape == (len(objects),)
    for roi, place in zip(objects, assigned.tolist(), strict=True):
        shared = [roi.intersection(tile) for tile in tiles]
        if place == -1:
            assert all(part is None for part in shared)
        else:
            held = [(-1, 0.0) if part is None else area(part) for part in shared]
            assert place == held.index(max(held))


def area(roi):
    """Return along how many axes a region has no end, and its area along the others."""
    lengths = [item.length for item in roi.slices if item.length is not None]
    return len(roi.slices) - len(lengths), float(np.prod(lengths))


@given(images(max_size=40), st.integers(1, 12), st.integers(1, 12), st.sampled_from((1, 2, 3)))
def test_tiles_cover_every_pixel_once_at_every_level(image, high, wide, factor):
    tiles = nx.tile(image, {"y": high, "x": wide})
    for level in (image, nx.zoom(image, 1 / factor)):
        counts = np.zeros(level.shape, int)
        for roi in tiles:
            try:
                window = nx.window(level, roi, "nearest")
            except nx.errors.NgioEmptyRegionError:
                continue  # a tile smaller than a pixel of a coarse level may hold no centre
            counts[tuple(window[dim] for dim in level.dims)] += 1
        assert (counts == 1).all()


@given(images(max_size=40), st.integers(2, 12), st.data())
def test_tiles_that_overlap_share_as_many_pixels_as_they_are_asked_to(image, size, data):
    overlap = data.draw(st.integers(0, size - 1))
    columns = [nx.window(image, roi)["x"] for roi in nx.tile(image, {"x": size}, {"x": overlap})]
    assert [part.start for part in columns] == list(range(0, len(columns) * (size - overlap), size - overlap))
    assert all(part.stop - part.start == size for part in columns[:-1])
    assert all(after.start == before.stop - overlap for before, after in itertools.pairwise(columns))
    assert columns[-1].stop == image.sizes["x"]
