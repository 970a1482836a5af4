"""Laws of pyramids: extents, shapes, and levels made in any order."""

import itertools

import numpy as np
import zarr
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

import ngio_x as nx
from ngio_x.errors import NgioValueError
from ngio_x.metadata.frame import read_edges, written_translation
from ngio_x.testing.strategies import dyadic_numbers

AXES = ("t", "z", "y", "x")
shapes = st.tuples(*[st.integers(1, 200)] * 4)
sizes = st.tuples(*[st.floats(1e-3, 1e3)] * 4)
factors = st.tuples(*[st.sampled_from((1, 1.5, 2, 3, 7 / 3))] * 4)
places = st.tuples(*[dyadic_numbers()] * 4)


@given(shapes, sizes, factors, places, st.integers(1, 4), st.sampled_from(("center", "corner")))
def test_levels_with_precise_scales_share_one_extent(shape, size, factor, place, count, level_origin):
    try:
        builder = nx.ImagePyramidBuilder.from_scaling_factors(
            tuple(map(str, range(count))), factor, shape, size, AXES, place, level_origin=level_origin
        )
    except NgioValueError:  # so many levels do not differ
        return
    levels = builder.levels
    for finer, coarser in itertools.pairwise(levels):
        assert coarser.shape == tuple(max(1, int(n / f)) for n, f in zip(finer.shape, factor, strict=True))
    edges = read_edges([each.translation for each in levels], [each.scale for each in levels], AXES, level_origin)
    for level, edge in zip(levels, edges, strict=True):
        np.testing.assert_allclose(np.multiply(level.shape, level.scale), np.multiply(shape, size), rtol=1e-9)
        np.testing.assert_allclose(edge, place, rtol=1e-9, atol=1e-9 * max(level.scale))


@given(
    st.lists(places, min_size=1, max_size=4),
    st.sampled_from(("corner", "center")),
    st.sampled_from(("center", "corner")),
)
def test_reading_edges_undoes_writing_translations(edges, frame, level_origin):
    scales = [(2.0**level,) * 4 for level in range(len(edges))]
    written = [
        written_translation(edge, scale, scales[0], AXES, level_origin, frame)
        for edge, scale in zip(edges, scales, strict=True)
    ]
    assert read_edges(written, scales, AXES, level_origin, frame) == edges


@given(st.permutations(((11, 15), (6, 15), (6, 7), (2, 3))), st.sampled_from(("dask", "numpy")), st.booleans())
def test_the_order_of_targets_does_not_matter(order, mode, sharded):
    pixels = np.random.default_rng(1).integers(0, 255, (23, 31)).astype("u1")

    def build(shapes, mode, **options):
        group = zarr.open_group(zarr.storage.MemoryStore(), mode="w")
        source = group.create_array("source", data=pixels, chunks=(16, 16))
        targets = {shape: group.create_array(f"{shape}", shape=shape, dtype="u1", **options) for shape in shapes}
        nx.consolidate_pyramid(source, list(targets.values()), mode=mode)
        return {shape: array[...] for shape, array in targets.items()}

    layout = {"chunks": (3, 4), "shards": (6, 8)} if sharded else {"chunks": (5, 9)}
    expected = build(sorted(order, reverse=True), "numpy", chunks=(64, 64))
    for shape, found in build(order, mode, **layout).items():
        assert_array_equal(found, expected[shape])


@given(
    st.tuples(st.integers(1, 300), st.integers(1, 300)),
    st.tuples(st.integers(1, 64), st.integers(1, 64)),
    st.tuples(st.integers(1, 6), st.integers(1, 6)),
)
def test_fitted_shards_are_multiples_of_chunks_within_the_shape(shape, chunks, ratio):
    shards = tuple(chunk * times for chunk, times in zip(chunks, ratio, strict=True))
    level = nx.PyramidLevel("0", shape, (1, 1), (0, 0), chunks, shards)
    for size, chunk, shard, given_shard in zip(shape, level.chunks, level.shards, shards, strict=True):
        assert shard % chunk == 0
        assert chunk <= size
        assert shard <= max(given_shard, chunk)
        assert shard == chunk or shard <= size
        assert given_shard > size or shard == given_shard
        assert given_shard <= size or shard + chunk > size
