"""Codecs in a builder: values like all else, whatever the codec's own class lets happen to it."""

from array import array
from dataclasses import dataclass

import numcodecs
import numpy as np
import pytest
import zarr
from numcodecs.abc import Codec
from zarr.abc.codec import BytesBytesCodec
from zarr.codecs import BloscCodec, BytesCodec, GzipCodec, ShardingCodec, TransposeCodec, ZstdCodec

import ngio_x as nx
from ngio_x.errors import NgioValueError


def pyramid(zarr_format, **arguments):
    return nx.ImagePyramidBuilder.from_scaling_factors(
        ["0", "1"], [2, 2], [64, 64], [1, 1], ["y", "x"], zarr_format=zarr_format, **arguments
    )


CODECS = {
    "none": (3, {"compressors": None}),
    "zarr": (3, {"compressors": [ZstdCodec(level=3)]}),
    "zarr, two": (3, {"compressors": (GzipCodec(level=1), ZstdCodec())}),
    "zarr, tuned to the array": (3, {"compressors": BloscCodec(clevel=1)}),
    "zarr, half tuned": (3, {"compressors": BloscCodec(typesize=1)}),
    "zarr, configuration": (3, {"compressors": [{"name": "zstd", "configuration": {"level": 1}}]}),
    "zarr, filters": (3, {"filters": [TransposeCodec(order=(1, 0))], "serializer": BytesCodec(endian="big")}),
    "zarr, nested": (
        3,
        {
            "serializer": ShardingCodec(chunk_shape=(16, 16), codecs=[BytesCodec(), BloscCodec(cname="lz4")]),
            "compressors": None,
        },
    ),
    "numcodecs": (2, {"compressors": numcodecs.Blosc(clevel=1)}),
    "numcodecs, in a list": (2, {"compressors": [numcodecs.Zstd(3)]}),
    "numcodecs, configuration": (2, {"compressors": {"id": "blosc", "clevel": 3}}),
    "numcodecs, filters": (2, {"filters": [numcodecs.Delta("u2"), numcodecs.Shuffle(2)], "compressors": None}),
}


def built(zarr_format, arguments):
    """Return the builder of some arguments, two thirds of which are not its own."""
    own = {key: value for key, value in arguments.items() if key == "compressors"}
    others = {key: value for key, value in arguments.items() if key != "compressors"}
    return pyramid(zarr_format, other_array_kwargs=others, **own)


@pytest.mark.parametrize("name", CODECS)
def test_a_builder_with_codecs_is_a_value(name):
    """It hashes, equals another with equal codecs, and comes back from JSON."""
    one, other = built(*CODECS[name]), built(*CODECS[name])
    back = nx.from_json(nx.to_json(one), nx.ImagePyramidBuilder)
    assert one == other == back
    assert hash(one) == hash(other) == hash(back)
    assert nx.from_dict(nx.to_dict(one), nx.ImagePyramidBuilder) == one


@pytest.mark.parametrize("name", CODECS)
def test_arrays_have_the_codecs_that_zarr_itself_makes(name):
    """Also after JSON; what a codec takes from the array, it still takes from there."""
    zarr_format, arguments = CODECS[name]
    back = nx.from_json(nx.to_json(built(zarr_format, arguments)), nx.ImagePyramidBuilder)
    group = zarr.create_group({}, zarr_format=zarr_format)
    back.to_zarr(group)
    shape = {"shape": (64, 64), "chunks": (64, 64), "dtype": "uint16"}
    expected = zarr.create_array({}, **shape, zarr_format=zarr_format, **arguments)
    for attribute in ("compressors", "filters", *(("serializer",) if zarr_format == 3 else ())):
        assert getattr(group["0"], attribute) == getattr(expected, attribute)
    group["0"][...] = pixels = np.arange(4096, dtype="u2").reshape(64, 64)
    assert (group["0"][...] == pixels).all()


def test_a_codec_that_changes_does_not_change_the_builder():
    """It holds what the codec was."""
    codec = numcodecs.Blosc(clevel=1)
    builder = pyramid(2, compressors=codec)
    before = hash(builder)
    codec.clevel = 9
    assert hash(builder) == before
    assert builder == pyramid(2, compressors=numcodecs.Blosc(clevel=1)) != pyramid(2, compressors=codec)


def test_attributes_are_no_codecs():
    """Though they may have an id or a name."""
    attributes = {"id": "blosc", "name": "zstd"}
    group = zarr.create_group({}, zarr_format=3)
    pyramid(3, other_array_kwargs={"attributes": attributes}).to_zarr(group)
    assert group["0"].attrs.asdict() == attributes


class Unknown(Codec):
    """A codec that numcodecs does not know."""

    codec_id = "unknown"

    def encode(self, buf):
        return buf

    def decode(self, buf, out=None):
        return buf


@dataclass(frozen=True)
class Unregistered(BytesBytesCodec):
    """A codec that zarr does not know."""

    def to_dict(self):
        return {"name": "unregistered"}

    def compute_encoded_size(self, input_byte_length, _chunk_spec):
        return input_byte_length


@pytest.mark.parametrize("codec", [Unknown(), Unregistered()], ids=["numcodecs", "zarr"])
def test_a_codec_that_its_configuration_cannot_make_is_refused_by_name(codec):
    """No file could be opened again, either."""
    for arguments in ({"compressors": [codec]}, {"filters": [codec]}):
        with pytest.raises(NgioValueError, match=r"must hold codecs .* got .*(Unknown|Unregistered).*register"):
            built(3, arguments)


@pytest.mark.parametrize(
    ("zarr_format", "arguments"),
    [
        (2, {"compressors": ZstdCodec()}),
        (2, {"compressors": [{"name": "zstd"}]}),
        (2, {"filters": [TransposeCodec(order=(1, 0))]}),
        (3, {"compressors": numcodecs.Zstd()}),
        (3, {"compressors": [{"id": "zstd"}]}),
        (3, {"filters": (numcodecs.Delta("u2"),)}),
    ],
)
def test_codecs_of_the_other_format_are_refused(zarr_format, arguments):
    """With the argument, the codec and where to take one from."""
    with pytest.raises(
        NgioValueError, match=r"^(compressors|filters) must be codecs of zarr_format=\d, got .*: use one of"
    ):
        built(zarr_format, arguments)


def test_what_can_change_is_refused():
    """Also beside codecs."""
    with pytest.raises(NgioValueError, match=r"^other_array_kwargs must hold what does not change, .* got array:"):
        pyramid(3, other_array_kwargs={"attributes": {"a": array("d")}})
