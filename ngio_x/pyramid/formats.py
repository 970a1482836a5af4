"""The same array in another zarr format: what is said of it there, and whether its chunks are the same bytes.

Both formats store a chunk as the pixels in C order, in one byte order, compressed; Blosc, Zstandard and gzip have one
form in both. Chunks of all else are encoded anew: what has filters, other compressors or Fortran order in format 2, and
what format 3 alone has.

Sources: https://zarr-specs.readthedocs.io/en/latest/v2/v2.0.html, and the core and codecs of version 3 beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, Literal, NamedTuple, TypeAlias

import numpy as np
import zarr
from zarr.codecs import BloscCodec, BytesCodec, Crc32cCodec, GzipCodec, ShardingCodec, ZstdCodec
from zarr.core.metadata.v2 import ArrayV2Metadata

from ngio_x.errors import NgioValueError
from ngio_x.pyramid.places import name_of

Way: TypeAlias = Literal["copy", "unpack", "encode"]
"""How chunks get into another array: as the bytes they are, as the bytes that a shard holds, or decoded and encoded."""
ZarrFormat: TypeAlias = Literal[2, 3]

_DIMENSIONS: Final = "_ARRAY_DIMENSIONS"
"""The attribute in which xarray names the dimensions of arrays of format 2."""
_SHUFFLES: Final = ("noshuffle", "shuffle", "bitshuffle")
"""Of Blosc, by the numbers that format 2 gives them."""


class Twin(NamedTuple):
    """The same array in another format."""

    arguments: dict[str, Any]
    """Of `zarr.Group.create_array`."""
    way: Way
    """How its chunks get there."""


class _Encoding(NamedTuple):
    """How pixels in C order become the bytes of a chunk, in words that both formats know."""

    big_endian: bool
    compressor: BloscCodec | ZstdCodec | GzipCodec | None
    sharded: bool = False


def twin_of(array: zarr.Array[Any], zarr_format: ZarrFormat, names: tuple[str, ...] | None = None) -> Twin:
    """Return what an array is in a zarr format: 3 of one of format 2, or 2 of either.

    Args:
        array: What is to be stored there, too. Of a sharded one, the chunks within shards become chunks.
        zarr_format: 2 or 3.
        names: Of its dimensions; by default those that the array says.
    """
    kept = array.metadata.fill_value
    shared: dict[str, Any] = {
        "shape": array.shape,
        "chunks": array.chunks,
        "dtype": array.metadata.dtype,
        "attributes": array.attrs.asdict(),
        **({} if kept is None else {"fill_value": kept}),
    }
    if zarr_format == 3:
        return _in_format_3(array, shared, names)
    shared["chunk_key_encoding"] = {"name": "v2", "separator": "/"}
    metadata = array.metadata
    if isinstance(metadata, ArrayV2Metadata):
        stored = {"compressors": metadata.compressor, "filters": metadata.filters, "order": metadata.order}
        return Twin({**shared, **stored, "fill_value": kept}, "copy")
    return _in_format_2(array, shared, names)


def _in_format_3(array: zarr.Array[Any], shared: Mapping[str, Any], names: tuple[str, ...] | None) -> Twin:
    named = {**shared, "dimension_names": names or _said_dimensions(array)}
    encoding = _encoding_in_2(array)
    if encoding is None:
        return Twin({**named, "dtype": _native(shared["dtype"])}, "encode")
    serializer = BytesCodec(endian="big" if encoding.big_endian else "little")
    compressors = () if encoding.compressor is None else (encoding.compressor,)
    stored = {"dtype": _native(shared["dtype"]), "serializer": serializer, "filters": (), "compressors": compressors}
    return Twin(named | stored, "copy")


def _in_format_2(array: zarr.Array[Any], shared: Mapping[str, Any], names: tuple[str, ...] | None) -> Twin:
    metadata: Any = array.metadata
    said = metadata.dimension_names
    told = dict(shared)
    if names is None and said is not None and None not in said:
        told["attributes"] = {_DIMENSIONS: list(said), **shared["attributes"]}
    encoding = _encoding_in_3(array)
    if encoding is None:
        return Twin(told, "encode")
    order = "big" if encoding.big_endian else "little"
    dtype = replace(shared["dtype"], endianness=order) if hasattr(shared["dtype"], "endianness") else shared["dtype"]
    stored = {"dtype": dtype, "filters": None, "compressors": _config_in_2(encoding.compressor)}
    return Twin(told | stored, "unpack" if encoding.sharded else "copy")


def _native(dtype: Any) -> Any:
    """Return a data type of zarr as format 3 has it, where the byte order belongs to the codec."""
    return replace(dtype, endianness="little") if hasattr(dtype, "endianness") else dtype


def _said_dimensions(array: zarr.Array[Any]) -> tuple[str, ...] | None:
    names = array.attrs.asdict().get(_DIMENSIONS)
    fit = isinstance(names, list) and len(names) == array.ndim and all(isinstance(name, str) for name in names)
    return tuple(map(str, names)) if fit else None  # type: ignore[arg-type]


def _encoding_in_2(array: zarr.Array[Any]) -> _Encoding | None:
    """Return how chunks of an array of format 2 are encoded; None if format 3 has no words for it."""
    metadata: Any = array.metadata
    if metadata.filters or (metadata.order == "F" and array.ndim > 1) or array.dtype.kind not in "biufc":
        return None
    big_endian = getattr(metadata.dtype, "endianness", None) == "big"
    if metadata.compressor is None:
        return _Encoding(big_endian, None)
    try:
        return _Encoding(big_endian, _codec_in_3(metadata.compressor.get_config(), array.dtype.itemsize))
    except (KeyError, ValueError, TypeError):
        return None


def _codec_in_3(config: Mapping[str, Any], itemsize: int) -> BloscCodec | ZstdCodec | GzipCodec:
    """Return the codec of format 3 that a compressor of format 2 is.

    Raises:
        KeyError: If there is none.
        ValueError: If it has other settings there.
    """
    if config["id"] == "blosc":
        shuffle = config["shuffle"] if config["shuffle"] in range(3) else 2 if itemsize == 1 else 1  # -1 is automatic
        return BloscCodec(
            typesize=itemsize,
            cname=config["cname"],
            clevel=config["clevel"],
            shuffle=_SHUFFLES[shuffle],
            blocksize=config["blocksize"],
        )
    if config["id"] == "zstd":
        return ZstdCodec(level=config["level"], checksum=bool(config.get("checksum", False)))
    return {"gzip": GzipCodec}[config["id"]](level=config["level"])


def _encoding_in_3(array: zarr.Array[Any]) -> _Encoding | None:
    """Return how chunks of an array of format 3 are encoded; None if format 2 has no words for it."""
    metadata: Any = array.metadata
    codecs = metadata.codecs
    sharded = len(codecs) == 1 and isinstance(codecs[0], ShardingCodec)
    if sharded:
        if not _is_plain_index(codecs[0]):
            return None
        codecs = codecs[0].codecs
    first, *others = codecs
    if not isinstance(first, BytesCodec) or array.dtype.kind not in "biufc" or len(others) > 1:
        return None
    if others and not isinstance(others[0], (BloscCodec, ZstdCodec, GzipCodec)):
        return None
    big_endian = first.endian is not None and first.endian.value == "big"
    return _Encoding(big_endian, others[0] if others else None, sharded)


def _is_plain_index(codec: ShardingCodec) -> bool:
    """Return whether the index of a shard is stored as everybody stores it."""
    codecs = codec.index_codecs
    return len(codecs) == 2 and codecs[0] == BytesCodec(endian="little") and isinstance(codecs[1], Crc32cCodec)


def _config_in_2(codec: BloscCodec | ZstdCodec | GzipCodec | None) -> dict[str, Any] | None:
    """Return a compressor as format 2 says it."""
    if codec is None:
        return None
    if isinstance(codec, BloscCodec):
        shuffle = _SHUFFLES.index(codec.shuffle.value)
        settings: dict[str, Any] = {"cname": codec.cname.value, "clevel": codec.clevel, "shuffle": shuffle}
        return {"id": "blosc", **settings, "blocksize": codec.blocksize}
    if isinstance(codec, ZstdCodec):
        return {"id": "zstd", "level": codec.level, **({"checksum": True} if codec.checksum else {})}
    return {"id": "gzip", "level": codec.level}


def create_twin(group: zarr.Group, path: str, source: zarr.Array[Any], twin: Twin) -> zarr.Array[Any]:
    """Create an array, without chunks, that is what another is in its own format.

    Raises:
        NgioValueError: If zarr has no such array in that format, with what it says.
    """
    try:
        return group.create_array(path, **twin.arguments)
    except Exception as error:
        raise NgioValueError(
            f"{name_of(source.store_path)} of {source.dtype} cannot be stored in zarr format "
            f"{group.metadata.zarr_format}, zarr says {type(error).__name__}: {error}"
        ) from error


def raw_bytes(array: zarr.Array[Any]) -> int | None:
    """Return how many bytes a chunk has on disk, if it is not compressed."""
    if array.shards is not None or array.compressors or array.filters or array.dtype.kind not in "biufc":
        return None
    return int(np.prod(array.chunks, dtype=np.int64)) * array.dtype.itemsize
