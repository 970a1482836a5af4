"""Laws of versions: an image in another version is the same image, and chunks are the bytes they were."""

import numpy as np
import zarr
from hypothesis import given
from hypothesis import strategies as st

import ngio_x as nx
from ngio_x.testing.strategies import images

OTHER = {"0.4": "0.5", "0.5": "0.4"}
# That both zarr formats have, by version; LZ4 alone is encoded anew.
COMPRESSORS = {
    "0.4": st.sampled_from((None, "auto", {"id": "zstd", "level": 1}, {"id": "gzip", "level": 1}, {"id": "lz4"})),
    "0.5": st.sampled_from((None, "auto", zarr.codecs.BloscCodec(), zarr.codecs.GzipCodec(level=1))),
}


@st.composite
def written(draw, version):
    """Return a store with an image, and whether its chunks can be copied."""
    dims = draw(st.sampled_from(("yx", "cyx", "tczyx")))
    dtype = draw(st.sampled_from((np.uint8, np.dtype(">u2"), np.int32, np.float64)))
    image = draw(images(tuple(dims), max_size=9, dtype=np.dtype(dtype).newbyteorder("=")))
    image = image.astype(dtype)
    store, compressors = zarr.storage.MemoryStore(), draw(COMPRESSORS[version])
    chunks = {axis: draw(st.integers(1, 5)) for axis in "yx"}
    sharded = version == "0.5" and draw(st.booleans())
    shards = {axis: 2 * size for axis, size in chunks.items()} if sharded else None
    frame = draw(st.sampled_from(("corner", "center")))
    nx.write_ome_zarr(
        image, store, version=version, levels=1, chunks=chunks, shards=shards, compressors=compressors, frame=frame
    )
    return store, compressors != {"id": "lz4"}, sharded


def chunks_of(store):
    """Return the bytes of all chunks, by numbers alone."""
    held = store._store_dict
    names = {name: name.replace("/c/", "/") for name in held if name[-1].isdigit()}
    return {name: held[key].to_bytes() for key, name in names.items()}


@given(st.data(), st.sampled_from(("0.4", "0.5")))
def test_an_image_in_another_version_is_the_same_image(data, version):
    store, copied, sharded = data.draw(written(version))
    before = {name: content.to_bytes() for name, content in store._store_dict.items()}
    new, back = zarr.storage.MemoryStore(), zarr.storage.MemoryStore()
    nx.upgrade_ome_zarr(store, new, version=OTHER[version])
    nx.upgrade_ome_zarr(new, back, version=version)
    assert {name: content.to_bytes() for name, content in store._store_dict.items()} == before
    first = nx.open_ome_zarr(store)
    for other in (new, back):
        tree = nx.open_ome_zarr(other)
        assert nx.validate_ome_zarr(other).errors == ()
        assert (
            tree["0"]["image"]
            .drop_attrs(deep=False)
            .compute()
            .identical(first["0"]["image"].drop_attrs(deep=False).compute())
        )
        assert {**tree.attrs, "version": version} == {**first.attrs, "version": version}
    if copied and not sharded:
        assert chunks_of(store) == chunks_of(new)
    assert chunks_of(new) == chunks_of(back)
