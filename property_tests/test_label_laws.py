"""Laws of what is said of the objects of a label image, and of their ids."""

import itertools

import dask.array as da
import numpy as np
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import ngio_x as nx
from ngio_x.labels.summary import merged, nothing, summarized
from ngio_x.testing.strategies import chunkings, label_pixels

label_images = hnp.array_shapes(min_dims=1, max_dims=4, max_side=6).flatmap(
    lambda shape: st.sampled_from(("u1", "i4", "u8")).flatmap(lambda dtype: label_pixels(shape, dtype, max_id=127))
)


def equal(one, other):
    return all(np.array_equal(a, b) and a.dtype == b.dtype for a, b in zip(one, other, strict=True))


@st.composite
def parts(draw, pixels):
    """Cut an array at random places along every axis; yield the summaries of the pieces, in random order."""
    cuts = [sorted({0, size, *draw(st.lists(st.integers(0, size), max_size=2))}) for size in pixels.shape]
    spans = [list(itertools.pairwise(cut)) for cut in cuts]
    places = list(np.ndindex(*map(len, spans)))
    corners = [[span[at] for span, at in zip(spans, place, strict=True)] for place in places]
    boxes = draw(st.permutations(corners))
    return [summarized(pixels[tuple(slice(*b) for b in box)], [low for low, _ in box], 0) for box in boxes]


@given(label_images)
def test_extents_are_what_the_positions_of_the_pixels_say(pixels):
    found = nx.label_extents(pixels)
    assert found.label.values.tolist() == sorted(set(pixels.ravel().tolist()) - {0})
    for row in range(found.sizes["label"]):
        extent = found.isel(label=row)
        places = np.argwhere(pixels == extent.label.values)
        assert extent["count"] == len(places)
        low, high = places.min(axis=0), places.max(axis=0)
        for axis in range(pixels.ndim):
            assert (extent[f"start_dim_{axis}"], extent[f"stop_dim_{axis}"]) == (low[axis], high[axis] + 1)
            np.testing.assert_allclose(extent[f"centroid_dim_{axis}"], places[:, axis].mean(), rtol=1e-15)
            assert low[axis] <= extent[f"centroid_dim_{axis}"] <= high[axis]
        ends = [low[axis] == 0 or high[axis] == size - 1 for axis, size in enumerate(pixels.shape) if size > 1]
        assert bool(extent.touches_border) is any(ends)


@given(label_images.filter(lambda pixels: pixels.ndim < 4), st.sampled_from(("t", "c", "q")))
def test_an_object_touches_the_border_when_it_does_in_some_frame(pixels, axis):
    space = tuple("zyx")[-pixels.ndim :]
    frames = [pixels, np.roll(pixels, 1), np.zeros_like(pixels)]
    touching = {
        label
        for frame in frames
        for label, touches in zip(*_borders(nx.label_extents(frame, axes_order=space)), strict=True)
        if touches
    }
    for order in ((axis, *space), (*space, axis)):
        movie = np.stack(frames, axis=order.index(axis))
        labels, touches = _borders(nx.label_extents(movie, axes_order=order))
        assert {label for label, at_border in zip(labels, touches, strict=True) if at_border} == touching


def _borders(extents):
    return extents.label.values.tolist(), extents.touches_border.values.tolist()


@given(st.data(), label_images)
def test_summaries_of_parts_in_any_order_and_grouping_make_that_of_the_whole(data, pixels):
    pieces = data.draw(parts(pixels))
    whole = summarized(pixels, (0,) * pixels.ndim, 0)
    assert equal(merged(pieces), whole)
    at = data.draw(st.integers(1, len(pieces)))
    groups = [merged(group) for group in (pieces[:at], pieces[at:]) if group]
    assert equal(merged(groups), whole)
    assert equal(merged([nothing(pixels.ndim, pixels.dtype), whole]), whole)
    assert equal(merged([whole, nothing(pixels.ndim, pixels.dtype)]), whole)


@given(st.data(), label_images, st.sampled_from((None, 0, 1, 127)))
def test_chunking_never_changes_an_extent(data, pixels, background):
    chunks = data.draw(chunkings(pixels.shape))
    lazy = nx.label_extents(da.from_array(pixels, chunks=chunks), background=background)
    xr.testing.assert_identical(lazy, nx.label_extents(pixels, background=background))


@given(label_images, st.permutations(range(1, 128)))
def test_renaming_ids_renames_rows(pixels, names):
    table = np.array([0, *names])
    renamed = nx.label_extents(table[pixels.astype(int)])
    expected = nx.label_extents(pixels.astype(int))
    expected = expected.assign_coords(label=table[expected.label.values]).sortby("label")
    xr.testing.assert_equal(renamed, expected)


@given(label_images, st.integers(1, 100))
def test_relabelling_keeps_every_object_and_the_order_of_ids(pixels, offset):
    found, mapping = nx.relabel_sequential(pixels, offset=offset)
    old, new = zip(*mapping.items(), strict=True) if mapping else ((), ())
    assert list(old) == sorted(old)
    assert list(new) == list(range(offset, offset + len(old)))
    expected = np.zeros_like(pixels)
    for label, number in mapping.items():
        expected[pixels == label] = number
    np.testing.assert_array_equal(found, expected)
    again, same = nx.relabel_sequential(found, offset=offset)
    np.testing.assert_array_equal(again, found)
    assert same == {number: number for number in new}


@given(st.data(), label_images)
def test_chunking_never_changes_a_new_id(data, pixels):
    chunks = data.draw(chunkings(pixels.shape))
    found, mapping = nx.relabel_sequential(da.from_array(pixels, chunks=chunks))
    expected, same = nx.relabel_sequential(pixels)
    np.testing.assert_array_equal(found, expected)
    assert mapping == same


@given(label_images, st.integers(0, 3))
def test_masked_pieces_put_together_make_the_foreground(pixels, pad):
    labels = nx.as_labels(pixels, list("tzyx"[-pixels.ndim :]), origin=0.0)
    rebuilt = np.zeros_like(pixels)
    for piece in nx.crop_objects(labels, labels, pad=pad, masked=True):
        window = tuple(slice(int(piece[dim][0]), int(piece[dim][-1]) + 1) for dim in piece.dims)
        assert not np.logical_and(rebuilt[window], piece).any()
        rebuilt[window] += piece.values
    np.testing.assert_array_equal(rebuilt, pixels)


@given(st.data(), label_images, st.integers(1, 9), st.booleans())
def test_chunking_never_changes_a_stack(data, pixels, size, masked):
    labels = nx.as_labels(pixels, list("tzyx"[-pixels.ndim :]))
    chunks = data.draw(chunkings(pixels.shape))
    lazy = labels.copy(data=da.from_array(pixels, chunks=chunks))
    expected = nx.stack_objects(labels, labels, size, masked=masked)
    xr.testing.assert_identical(nx.stack_objects(lazy, lazy, size, masked=masked).compute(), expected)
    whole = [dim for dim in labels.dims if labels.sizes[dim] <= size or dim == "t"]
    if masked and len(whole) == labels.ndim:
        counts = nx.label_extents(labels)["count"].values
        np.testing.assert_array_equal((expected != 0).sum(labels.dims), counts)
