"""Codecs as values: their configurations, which do not change under a builder, hash, and are the same in JSON.

A codec of zarr is `{"name": …, "configuration": …}`, one of numcodecs `{"id": …, …}`: as metadata on disk have them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any, Final

import numcodecs
from numcodecs.abc import Codec as Numcodec
from zarr.abc.codec import ArrayArrayCodec, ArrayBytesCodec, BytesBytesCodec
from zarr.codecs import ShardingCodec
from zarr.registry import get_codec_class

from ngio_x._frozen import freeze, shown, to_constant
from ngio_x.errors import NgioValueError

_ZARR_CODECS: Final = (ArrayArrayCodec, ArrayBytesCodec, BytesBytesCodec)


def freeze_codecs(value: Any) -> Any:
    """Return arguments of `zarr.create_array` in their immutable form, and codecs in them as configurations.

    Raises:
        NgioValueError: If a codec is not the one that its configuration makes, or something else that can change is
            there.
    """
    return freeze(value, _to_constant_or_configuration)


def require_format(codecs: Any, zarr_format: int, argument: str) -> None:
    """Refuse codecs of the other zarr format: 2 has those of numcodecs, 3 those of zarr.

    Raises:
        NgioValueError: Naming the first that is of the other one.
    """
    known, other = ("id", "name") if zarr_format == 2 else ("name", "id")
    for each in codecs if isinstance(codecs, tuple) else (codecs,):
        if isinstance(each, Mapping) and other in each and known not in each:
            use = "one of numcodecs" if zarr_format == 2 else "one of zarr.codecs"
            raise NgioValueError(
                f"{argument} must be codecs of zarr_format={zarr_format}, got {shown(each)}: use {use}"
            )


def thaw_codecs(value: Any) -> Any:
    """Return codecs as `zarr.create_array` takes them: those of numcodecs made anew, those of zarr as they are.

    Raises:
        NgioValueError: If numcodecs has none of that configuration.
    """
    if isinstance(value, Mapping):
        plain = {key: thaw_codecs(item) for key, item in value.items()}
        return _numcodec(plain) if "id" in plain else plain
    return [thaw_codecs(item) for item in value] if isinstance(value, tuple) else value


def _numcodec(configuration: dict[str, Any]) -> Numcodec:
    try:
        return numcodecs.get_codec(configuration)
    except Exception as error:
        raise NgioValueError(
            f"compressors and filters must be codecs that numcodecs knows, got {shown(configuration)}: it says {error}"
        ) from error


def _to_constant_or_configuration(value: Any) -> Any:
    if isinstance(value, Numcodec):
        return freeze(_numcodec_configuration(value))
    return freeze(_zarr_configuration(value)) if isinstance(value, _ZARR_CODECS) else to_constant(value)


def _numcodec_configuration(codec: Numcodec) -> dict[str, Any]:
    configuration: dict[str, Any] = codec.get_config()
    try:
        if numcodecs.get_codec(configuration) == codec:
            return configuration
    except (KeyError, TypeError, ValueError):
        pass
    raise _not_remade(codec, "numcodecs.register_codec")


def _zarr_configuration(codec: Any) -> dict[str, Any]:
    try:
        known = get_codec_class(codec.to_dict()["name"])
        for configuration in _configurations(codec):
            if _is_made_of(known, configuration, codec):
                return configuration
    except (KeyError, TypeError, ValueError):
        pass
    raise _not_remade(codec, "zarr.registry.register_codec")


def _configurations(codec: Any) -> Iterator[dict[str, Any]]:
    """Yield what may say all of a codec: its configuration, and that without what it takes from the array itself.

    Blosc tells a shuffle and a size of pixels even where it is yet to see the pixels.
    """
    told = codec.to_dict()
    settings = told.get("configuration", {})
    if isinstance(codec, ShardingCodec):
        inner = {key: [_zarr_configuration(each) for each in getattr(codec, key)] for key in ("codecs", "index_codecs")}
        settings = {**settings, **inner}
    yield {**told, "configuration": settings} if settings else told
    for count in (1, 2):
        for left_out in itertools.combinations(settings, count):
            yield {**told, "configuration": {key: settings[key] for key in settings if key not in left_out}}


def _is_made_of(cls: Any, configuration: dict[str, Any], codec: Any) -> bool:
    try:
        return bool(cls.from_dict(configuration) == codec)
    except (KeyError, TypeError, ValueError):  # what was left out has no default
        return False


def _not_remade(codec: Any, register: str) -> NgioValueError:
    return NgioValueError(
        f"must hold codecs that their configuration makes anew, got {shown(codec)}: register its class with {register}"
    )
