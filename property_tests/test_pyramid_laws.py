"""Laws of pyramids: extents, shapes, layouts, levels made in any order, and all at once."""

import itertools
import math
import tempfile
from pathlib import Path
from unittest import mock

import numpy as np
import zarr
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

import ngio_x as nx
from ngio_x.errors import NgioValueError
from ngio_x.metadata.frame import read_edges, written_translation
from ngio_x.pyramid import swap
from ngio_x.pyramid.layout import auto_chunks, auto_shards
from ngio_x.testing.samples import noise
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
    pixels = noise((23, 31), "u1")

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


@given(shapes, sizes, factors, st.booleans())
def test_shapes_do_not_depend_on_precise_scales(shape, size, factor, isotropic):
    precise, nominal = (
        nx.ImagePyramidBuilder.from_scaling_factors(
            "auto", factor, shape, size, AXES, chunks=(1, 1, 16, 16), precision_scale=each, isotropic=isotropic
        )
        for each in (True, False)
    )
    assert [level.shape for level in precise.levels] == [level.shape for level in nominal.levels]


@given(shapes, factors, st.tuples(*[st.integers(1, 64)] * 4), st.booleans())
def test_factors_by_axis_are_factors_in_order(shape, factor, chunks, isotropic):
    named = {axis: f for axis, f in zip(AXES, factor, strict=True) if f > 1}
    in_order, by_axis = (
        nx.ImagePyramidBuilder.from_scaling_factors(
            "auto", each, shape, (1, 3, 0.5, 0.5), AXES, chunks=chunks, isotropic=isotropic
        )
        for each in (factor, named)
    )
    assert in_order == by_axis


@given(shapes, factors, st.tuples(*[st.integers(1, 64)] * 4), sizes, st.booleans())
def test_automatic_levels_end_where_scaled_axes_fit_into_a_chunk(shape, factor, chunks, size, isotropic):
    def fits(level):
        return all(f == 1 or n <= chunk for n, f, chunk in zip(level.shape, factor, chunks, strict=True))

    builder = nx.ImagePyramidBuilder.from_scaling_factors(
        "auto", factor, shape, size, AXES, chunks=chunks, isotropic=isotropic
    )
    assert [fits(level) for level in builder.levels] == [False] * (len(builder.levels) - 1) + [True]


@given(st.tuples(*[st.sampled_from((0.1, 0.25, 0.3, 1, 2, 5))] * 3), st.sampled_from((1.5, 2, 3)))
def test_isotropic_levels_bring_spacings_together(size, factor):
    builder = nx.ImagePyramidBuilder.from_scaling_factors(
        tuple("012345"), (factor,) * 3, (10**6,) * 3, size, ("z", "y", "x"), precision_scale=False, isotropic=True
    )
    scales = [level.scale for level in builder.levels]
    ratios = [max(scale) / min(scale) for scale in scales]
    for finer, coarser in itertools.pairwise(range(len(scales))):
        assert ratios[coarser] <= max(factor, ratios[finer]) * (1 + 1e-12)
        coarsest = int(np.argmax(scales[finer]))
        if scales[coarser][coarsest] > scales[finer][coarsest]:  # it waits until a step would take others too far
            assert ratios[finer] <= math.sqrt(factor) * (1 + 1e-12)


@given(
    st.permutations("tczyx").flatmap(lambda axes: st.integers(1, 5).map(lambda count: tuple(axes[:count]))),
    st.lists(st.integers(1, 20000), min_size=5, max_size=5),
    st.sampled_from((1, 2, 8, 16)),
)
def test_automatic_shards_are_as_many_whole_chunks_as_fit(axes, numbers, itemsize):
    shape = tuple(numbers[: len(axes)])
    chunks = auto_chunks(axes, shape)
    shards = auto_shards(axes, shape, chunks, itemsize) or chunks
    level = nx.PyramidLevel("0", shape, (1,) * len(axes), (0,) * len(axes), chunks, shards)
    assert (level.chunks, level.shards) == (chunks, shards)  # neither clipped nor refused
    assert shards == chunks or math.prod(shards) * itemsize <= 2**25
    for axis, size, chunk, shard in zip(axes, shape, chunks, shards, strict=True):
        assert shard <= size
        if axis in "yx":
            assert 2 * shard > size or 2 * math.prod(shards) * itemsize > 2**25
        elif {"y", "x"} & set(axes):
            assert shard == chunk == 1


def tree_of(root):
    return {str(path.relative_to(root)): path.is_file() and path.read_bytes() for path in root.rglob("*")}


names = st.sampled_from(("0", "1", "a/0", "a/1", "b/c/0"))


@given(st.sets(names), st.sets(names, min_size=1), st.integers(1, 12), st.booleans())
def test_files_take_their_places_all_or_none(old, new, count, after):
    rename, calls = swap._rename, []

    def failing(source, target):
        calls.append(source)
        if len(calls) == count and not after:
            raise OSError
        rename(source, target)
        if len(calls) == count:
            raise OSError

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for path in old:
            (root / path).mkdir(parents=True)
            (root / path / "chunk").write_bytes(path.encode())
        before, files = tree_of(root), {f"{path}/zarr.json": b"new" for path in sorted(new)}
        with mock.patch.object(swap, "_rename", failing):
            try:
                swap.swap_in(root, files, sorted(new))
            except OSError:
                assert tree_of(root) == before
            else:
                kept = {f"{path}/chunk": path.encode() for path in old - new}
                assert {path: content for path, content in tree_of(root).items() if content} == {**kept, **files}
