"""The codec pipeline that zarr is configured with."""

import pytest
import zarr
from numpy.testing import assert_array_equal

import ngio_x as nx
from ngio_x.testing.samples import noise

PIXELS = noise((61, 83))


@pytest.mark.parametrize("shards", [None, (20, 30)])
@pytest.mark.parametrize("mode", ["dask", "numpy"])
def test_rust_codecs_give_the_same_pixels(tmp_path, shards, mode):
    """Whole levels and regions, with zarrs: faster is not different."""
    zarrs = pytest.importorskip("zarrs")
    with zarr.config.set({"codec_pipeline.path": "zarrs.ZarrsCodecPipeline"}):
        group = zarr.open_group(tmp_path / "a.zarr", mode="w")
        source = group.create_array("0", shape=PIXELS.shape, chunks=(10, 10), dtype="u2", shards=shards)
        target = group.create_array("1", shape=(30, 41), chunks=(10, 10), dtype="u2", shards=shards)
        assert isinstance(target.async_array.codec_pipeline, zarrs.ZarrsCodecPipeline)
        source[...] = PIXELS
        nx.consolidate_pyramid(source, [target], mode=mode)
        source[5:9, 11:40] = 7
        nx.consolidate_pyramid(source, [target], mode=mode, regions=[(slice(5, 9), slice(11, 40))])
    changed = PIXELS.copy()
    changed[5:9, 11:40] = 7
    found = zarr.open_array(tmp_path / "a.zarr" / "1", mode="r")[...]
    assert_array_equal(found, nx.numpy_zoom(changed, target_shape=(30, 41)))
