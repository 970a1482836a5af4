"""Pyramids on disk: what it costs to fill the coarser levels, beside ngio and beside the codecs alone."""

import itertools
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import zarr
from ngio.common import consolidate_pyramid as ngio_consolidate
from numpy.testing import assert_array_equal

import ngio_x as nx
from ngio_x.testing.samples import photons

CASES = {
    "8192² uint16, zarr 2, blosc": {"shape": (8192, 8192), "chunks": (1024, 1024), "zarr_format": 2},
    "8192² uint16, zarr 3, zstd": {"shape": (8192, 8192), "chunks": (1024, 1024), "zarr_format": 3},
    "8192² uint16, shards of 4×4 chunks": {
        "shape": (8192, 8192), "chunks": (1024, 1024), "shards": (4096, 4096), "zarr_format": 3,
    },
    "128×2048×2048 uint16, zarr 2": {"shape": (128, 2048, 2048), "chunks": (16, 512, 512), "zarr_format": 2},
    "128×2048×2048 uint16, zarr 3": {"shape": (128, 2048, 2048), "chunks": (16, 512, 512), "zarr_format": 3},
    "8191² uint16, zarr 2, blosc": {"shape": (8191, 8191), "chunks": (1024, 1024), "zarr_format": 2},
}  # fmt: skip
BARE = "decode level 0, encode the rest"
PEERS = ["ngio_x dask", "ngio_x numpy", "ngio dask", "ngio coarsen", BARE]
THREADS = 2


@pytest.fixture(params=CASES)
def pyramid(request, measuring, tmp_path, codecs):
    """Level 0 of noise, and empty coarser levels, opened with the codecs that are measured."""
    layout = dict(CASES[request.param])
    if not measuring:  # the same shapes, small
        layout |= {
            key: tuple(n // 32 + n % 2 for n in layout[key]) for key in ("shape", "chunks", "shards") if key in layout
        }
        layout["chunks"] = tuple(max(1, n - n % 2) for n in layout["chunks"])
    shape = layout.pop("shape")
    names = ("z", "y", "x")[-len(shape) :]
    builder = nx.ImagePyramidBuilder.from_scaling_factors(
        [str(k) for k in range(5)], (2,) * len(shape), shape, (1.0,) * len(shape), names, **layout
    )  # fmt: skip
    group = zarr.open_group(tmp_path / "image.zarr", mode="w", zarr_format=layout["zarr_format"])
    builder.to_zarr(group)
    arrays = [group[level.path] for level in builder.levels]
    tile = photons([min(n, 1024) for n in shape[-2:]])
    times = [-(-n // k) for n, k in zip(shape[-2:], tile.shape, strict=True)]
    plane = np.tile(tile, times)[: shape[-2], : shape[-1]]
    arrays[0][...] = np.broadcast_to(plane, shape)
    return request.param, arrays


@pytest.fixture(params=["default codecs", "zarrs"])
def codecs(request):
    """The codec pipelines that zarr can be configured with."""
    if request.param == "default codecs":
        yield request.param
        return
    pytest.importorskip("zarrs")
    with zarr.config.set({"codec_pipeline.path": "zarrs.ZarrsCodecPipeline"}):
        yield request.param


def bare(arrays, pixels):
    """Decode level 0 and encode the others, one chunk or shard at a time on as many threads."""

    def windows(array, unit):
        grid = itertools.product(*(range(0, n, k) for n, k in zip(array.shape, unit, strict=True)))
        return [tuple(slice(a, a + k) for a, k in zip(corner, unit, strict=True)) for corner in grid]

    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(lambda window: arrays[0][window], windows(arrays[0], arrays[0].chunks)))
        for array, values in zip(arrays[1:], pixels, strict=True):
            unit = array.shards or array.chunks
            list(
                threads.map(lambda w, array=array, values=values: array.__setitem__(w, values[w]), windows(array, unit))
            )


@pytest.mark.filterwarnings("ignore::Warning")
@pytest.mark.parametrize("peer", PEERS)
def test_consolidating(benchmark, pyramid, codecs, peer):
    case, arrays = pyramid
    if codecs == "zarrs" and arrays[0].metadata.zarr_format == 2:
        pytest.skip("zarrs leaves zarr 2 to zarr")
    benchmark.group = f"consolidating {case}, {codecs}"
    source, *targets = arrays
    nx.consolidate_pyramid(source, targets)
    pixels = [array[...] for array in targets]
    who, _, mode = peer.partition(" ")

    def run():
        if peer == BARE:
            bare(arrays, pixels)
        elif who == "ngio":
            ngio_consolidate(source, targets, mode=mode)
        else:
            nx.consolidate_pyramid(source, targets, mode=mode)

    benchmark.pedantic(run, rounds=3, warmup_rounds=1)
    if who == "ngio_x":
        for array, expected in zip(targets, pixels, strict=True):
            assert_array_equal(array[...], expected)


@pytest.mark.parametrize("how", ["all", "1 %"])
@pytest.mark.parametrize("size", [8192, 32768])
def test_after_an_edit(benchmark, measuring, tmp_path, size, how):
    size = size if measuring else size // 64
    benchmark.group = f"after an edit of 1 % of {size}²"
    chunk = min(1024, size // 8)
    builder = nx.ImagePyramidBuilder.from_scaling_factors(
        [str(k) for k in range(5)], (2, 2), (size, size), (1.0, 1.0), ("y", "x"), chunks=(chunk, chunk)
    )
    group = zarr.open_group(tmp_path / "image.zarr", mode="w", zarr_format=2)
    builder.to_zarr(group)
    source, *targets = (group[level.path] for level in builder.levels)
    tile = photons((chunk, size))
    for row in range(0, size, chunk):
        source[row : row + chunk] = tile
    nx.consolidate_pyramid(source, targets)
    edge = slice(size // 3, size // 3 + size // 10)
    regions = None if how == "all" else [(edge, edge)]
    benchmark.pedantic(lambda: nx.consolidate_pyramid(source, targets, regions=regions), rounds=5, warmup_rounds=1)
    written = nx.plan_pyramid(source, targets, regions=regions).unit_count
    assert written < nx.plan_pyramid(source, targets).unit_count or how == "all"


def test_planning_a_hundred_gigabytes(benchmark):
    benchmark.group = "planning 100 GB in 10⁶ chunks"
    group = zarr.open_group(zarr.storage.MemoryStore(), mode="w", zarr_format=2)
    builder = nx.ImagePyramidBuilder.from_scaling_factors(
        [str(k) for k in range(8)], (2, 2), (223_606, 223_606), (1.0, 1.0), ("y", "x"), chunks=(224, 224)
    )
    builder.to_zarr(group)
    source, *targets = (group[level.path] for level in builder.levels)
    plan = benchmark.pedantic(nx.plan_pyramid, (source, targets), rounds=3)
    assert plan.task_count < 5000 < 10**6 < source.nchunks + plan.unit_count
