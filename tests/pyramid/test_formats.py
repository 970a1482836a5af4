"""Arrays in the other zarr format: the same pixels, and the same bytes where that is said."""

import dask
import numcodecs
import numpy as np
import pytest
import zarr
from numpy.testing import assert_array_equal
from zarr.codecs import BloscCodec, BytesCodec, Crc32cCodec, GzipCodec, TransposeCodec, ZstdCodec
from zarr.core.codec_pipeline import BatchedCodecPipeline
from zarr.storage import MemoryStore

from ngio_x.errors import NgioStorageError, NgioValueError
from ngio_x.pyramid.formats import create_twin, twin_of
from ngio_x.pyramid.transfer import Transfer, transfer
from ngio_x.testing.samples import noise

PIXELS = noise((13, 17), "i8", low=1, high=200)
CHUNKS, SHARDS = (4, 5), (8, 10)

SAME = {
    "raw": (None, ()),
    "blosc lz4": (numcodecs.Blosc(), BloscCodec(cname="lz4", clevel=5, shuffle="shuffle", typesize=2)),
    "blosc zstd": (numcodecs.Blosc("zstd", 3, 2), BloscCodec(cname="zstd", clevel=3, shuffle="bitshuffle", typesize=2)),
    "blosc unshuffled": (numcodecs.Blosc("zlib", 1, 0), BloscCodec(cname="zlib", clevel=1, shuffle="noshuffle")),
    "zstd": (numcodecs.Zstd(3), ZstdCodec(level=3)),
    "zstd checked": (numcodecs.Zstd(1, checksum=True), ZstdCodec(level=1, checksum=True)),
    "gzip": (numcodecs.GZip(4), GzipCodec(level=4)),
}
"""How format 2 and format 3 say the same compression."""


def created(zarr_format, dtype="<u2", *, filled=True, **options):
    """Return an array in memory; its last rows of chunks are missing unless it is filled."""
    group = zarr.create_group(MemoryStore(), zarr_format=zarr_format)
    array = group.create_array("a", shape=PIXELS.shape, chunks=CHUNKS, dtype=dtype, **options)
    rows = len(PIXELS) if filled else 8
    array[:rows] = (PIXELS[:rows] % 2 if dtype == "?" else PIXELS[:rows]).astype(dtype)
    return array


def moved_to(zarr_format, array, **options):
    """Return how an array gets into another format, and what it is there."""
    group = zarr.create_group(MemoryStore(), zarr_format=zarr_format)
    twin = twin_of(array, zarr_format)
    transfer([Transfer(array, create_twin(group, "b", array, twin), twin.way)], **options)
    return twin.way, zarr.open_array(group.store_path / "b", mode="r")


def chunks_of(array):
    """Return the bytes of the objects of an array, by what stands in the name of its chunk."""
    held = array.store_path.store._store_dict
    chunks = {path: value for path, value in held.items() if path.startswith(f"{array.path}/") and path[-1].isdigit()}
    numbers = {path: path.removeprefix(f"{array.path}/").removeprefix("c/").replace(".", "/") for path in chunks}
    return {numbers[path]: value.to_bytes() for path, value in chunks.items()}


@pytest.fixture
def no_codec(monkeypatch):
    """Return a function after which nothing can be decoded or encoded."""

    def refuse(*_args, **_more):
        raise AssertionError

    def forbid():
        monkeypatch.setattr(BatchedCodecPipeline, "decode_batch", refuse)
        monkeypatch.setattr(BatchedCodecPipeline, "encode_batch", refuse)

    yield forbid
    monkeypatch.undo()


@pytest.mark.parametrize("dtype", ["u1", "<u2", ">u2", "<f4", ">f8", "?", "<c8", "<i8"])
@pytest.mark.parametrize("compression", SAME)
def test_chunks_of_format_2_are_the_same_bytes_in_format_3_and_back(compression, dtype, no_codec, monkeypatch):
    """Of every number in either byte order; no codec runs, and missing chunks stay missing."""
    array = created(2, dtype, filled=False, compressors=SAME[compression][0], fill_value=1, attributes={"a": 1})
    no_codec()
    way, new = moved_to(3, array)
    way_back, old = moved_to(2, new)
    monkeypatch.undo()
    assert (way, way_back) == ("copy", "copy")
    assert chunks_of(array) == chunks_of(new) == chunks_of(old)
    assert len(chunks_of(new)) == 8
    assert_array_equal(new, array)
    assert_array_equal(old, array)
    assert (old.dtype, old.metadata.compressor, dict(old.attrs)) == (array.dtype, array.metadata.compressor, {"a": 1})
    assert new.fill_value == old.fill_value == array.fill_value


@pytest.mark.parametrize("compression", SAME)
def test_both_formats_mean_the_same_compression(compression):
    """What zarr itself is told in format 3, and format 2, by hand."""
    old, new = SAME[compression]
    way, found = moved_to(3, created(2, compressors=old))
    assert way == "copy"
    expected = new if isinstance(new, tuple) else (new,)
    said = [{**codec.to_dict()["configuration"], "typesize": 0} for codec in found.compressors]
    assert said == [{**codec.to_dict()["configuration"], "typesize": 0} for codec in expected]
    way, found = moved_to(2, created(3, compressors=new))
    assert way == "copy"
    assert found.metadata.compressor == old
    assert found.metadata.compressor is None or found.metadata.compressor.get_config() == old.get_config()


@pytest.mark.parametrize("dtype", ["u1", "<u2"])
def test_automatic_shuffling_is_what_it_did(dtype):
    """Bits of single bytes, and bytes of more."""
    way, found = moved_to(3, created(2, dtype, compressors=numcodecs.Blosc(shuffle=-1)))
    assert way == "copy"
    assert found.compressors[0].shuffle.value == {"u1": "bitshuffle", "<u2": "shuffle"}[dtype]


@pytest.mark.parametrize(
    "options",
    [
        {"compressors": numcodecs.Zlib(1)},
        {"compressors": numcodecs.LZ4()},
        {"compressors": numcodecs.BZ2()},
        {"filters": [numcodecs.Delta("<u2")]},
        {"order": "F"},
    ],
    ids=["zlib", "lz4", "bz2", "delta", "fortran"],
)
def test_what_format_3_has_no_words_for_is_encoded_anew(options):
    """With codecs that all readers know."""
    way, found = moved_to(3, created(2, filled=False, **options))
    assert way == "encode"
    assert_array_equal(found[:8], PIXELS[:8])
    assert len(chunks_of(found)) == 8
    assert {type(codec) for codec in found.metadata.codecs} == {BytesCodec, ZstdCodec}


@pytest.mark.parametrize(
    "options",
    [{"compressors": [ZstdCodec(), Crc32cCodec()]}, {"filters": [TransposeCodec(order=(1, 0))]}],
    ids=["crc32c", "transpose"],
)
def test_what_format_2_has_no_words_for_is_encoded_anew(options):
    """As zarr does it by default."""
    way, found = moved_to(2, created(3, **options))
    assert way == "encode"
    assert_array_equal(found, PIXELS)


SHARDINGS = {
    "zstd": {"shards": SHARDS},
    "raw": {"shards": (16, 20), "compressors": ()},
    "blosc": {"shards": SHARDS, "compressors": BloscCodec()},
    "index first": {"shards": {"shape": SHARDS, "index_location": "start"}},
    "big-endian": {"shards": SHARDS, "serializer": BytesCodec(endian="big")},
}


@pytest.mark.parametrize("sharding", SHARDINGS)
def test_chunks_in_shards_become_chunks_without_decoding(sharding, no_codec, monkeypatch):
    """Those that zarr writes where there are no shards; missing chunks and shards stay missing."""
    options = SHARDINGS[sharding]
    array = created(3, filled=False, **options)
    unsharded = created(3, filled=False, **{**options, "shards": None})
    no_codec()
    way, found = moved_to(2, array)
    monkeypatch.undo()
    assert way == "unpack"
    assert found.chunks == CHUNKS
    assert_array_equal(found, array)
    assert chunks_of(found) == chunks_of(unsharded)


@pytest.mark.parametrize("scheduler", ["sync", "threads", "processes"])
def test_any_scheduler_moves_chunks(scheduler, tmp_path):
    """Those of stores in memory on threads, where others would not see them."""
    array = created(2)
    with dask.config.set(scheduler=scheduler):
        assert_array_equal(moved_to(3, array)[1], PIXELS)
    group = zarr.create_group(tmp_path / "a.zarr", zarr_format=2)
    twin = twin_of(array, 2)
    local = create_twin(group, "0", array, twin)
    local[...] = PIXELS
    other = zarr.create_group(tmp_path / "b.zarr", zarr_format=3)
    twin = twin_of(local, 3)
    with dask.config.set(scheduler=scheduler):
        transfer([Transfer(local, create_twin(other, "0", local, twin), twin.way)])
    assert_array_equal(zarr.open_array(tmp_path / "b.zarr" / "0"), PIXELS)


def test_progress_counts_chunks_and_shards():
    """Those that are missing, too; arrays without pixels have none."""
    group = zarr.create_group(MemoryStore(), zarr_format=2)
    empty = group.create_array("e", shape=(0, 3), chunks=(1, 1), dtype="u1")
    arrays = [created(2, filled=False), created(3, shards=SHARDS), empty]
    target, seen = zarr.create_group(MemoryStore(), zarr_format=2), []
    twins = [twin_of(array, 2) for array in arrays]
    pairs = enumerate(zip(arrays, twins, strict=True))
    transfer(
        [Transfer(array, create_twin(target, str(at), array, twin), twin.way) for at, (array, twin) in pairs],
        lambda done, total: seen.append((done, total)),
    )
    assert sorted(seen) == seen
    assert seen[-1] == (16 + 4, 16 + 4)
    assert target["2"].shape == (0, 3)


@pytest.mark.parametrize("text", ["<U3", "|S3", "T", "<M8[s]"])
@pytest.mark.filterwarnings("ignore::zarr.errors.UnstableSpecificationWarning")
def test_what_is_no_number_goes_along(text):
    """Texts of fixed and of any length, and dates."""
    values = np.array(["2020", "2021"], "M8[s]") if "M8" in text else np.array(["a", "bcd"], text)
    group = zarr.create_group(MemoryStore(), zarr_format=2)
    array = group.create_array("a", shape=(2,), chunks=(1,), dtype=values.dtype)
    array[...] = values
    _, found = moved_to(3, array)
    assert found[...].tolist() == values.tolist()
    assert moved_to(2, found)[1][...].tolist() == values.tolist()


def test_names_of_dimensions_are_those_that_xarray_knows():
    """In format 2, an attribute."""
    array = created(3, dimension_names=("y", "x"))
    old = moved_to(2, array)[1]
    assert old.attrs["_ARRAY_DIMENSIONS"] == ["y", "x"]
    assert moved_to(3, old)[1].metadata.dimension_names == ("y", "x")
    assert twin_of(array, 2, ("y", "x")).arguments["attributes"] == {}


def test_a_number_that_was_no_fill_value_is_0():
    """Format 2 may have none, and then zarr reads 0."""
    array = created(2, filled=False, fill_value=None)
    assert_array_equal(moved_to(3, array)[1], array)
    assert twin_of(array, 2).arguments["fill_value"] is None


@pytest.mark.parametrize("compressor", [None, numcodecs.Blosc()], ids=["raw", "blosc"])
def test_a_chunk_that_is_known_to_be_cut_off_is_an_error(compressor):
    """It names array and chunk."""
    array = created(2, compressors=compressor)
    held = array.store_path.store._store_dict
    held["a/1.2"] = held["a/1.2"][:20]
    with pytest.raises(NgioStorageError, match=r"could not read \[4:8, 10:15\] of .*20 bytes") as found:
        moved_to(3, array)
    assert found.value.window == (slice(4, 8), slice(10, 15))


def damaged_index(content):
    return content[:-6] + b"\xff" + content[-5:]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda content: content[:30], "cut off"),
        (lambda _content: b"", "cut off"),
        (damaged_index, "checksum"),
        (lambda content: content[-4 * 16 - 4 :], "cut off"),
    ],
    ids=["within the index", "empty", "flipped", "the index alone"],
)
def test_a_damaged_shard_is_an_error(damage, message):
    """Of which chunks could be missed, or others be read."""
    array = created(3, shards=SHARDS)
    held = array.store_path.store._store_dict
    held["a/c/1/0"] = type(held["a/c/1/0"]).from_bytes(damage(held["a/c/1/0"].to_bytes()))
    with pytest.raises(NgioStorageError, match=message) as found:
        moved_to(2, array)
    assert found.value.window == (slice(8, 13), slice(0, 10))


def test_an_array_that_the_other_format_cannot_hold_is_refused():
    """With its name, and what zarr says."""
    array = created(2)
    with pytest.raises(NgioValueError, match="cannot be stored in zarr format 3, zarr says"):
        create_twin(zarr.create_group(MemoryStore(), zarr_format=3), "../b", array, twin_of(array, 3))
