"""Chunks that were cut off are errors, also where zarr reads something from them."""

from __future__ import annotations

from typing import Any, Final, TypeVar

import zarr
from zarr.abc.store import ByteRequest, RangeByteRequest, Store
from zarr.core.buffer import Buffer, BufferPrototype
from zarr.storage import WrapperStore

from ngio_x.pyramid.places import moved

S = TypeVar("S", bound=Store)

_BLOSC_HEADER: Final = 16
"""Bytes of it; the last four say how many there are of the whole."""


class _IntactStore(WrapperStore[S]):
    """Another store, of which objects that are shorter than they should be cannot be read."""

    def __init__(self, store: S, *, blosc: bool = False) -> None:
        super().__init__(store)
        self.blosc = blosc  # objects begin with the header of Blosc, which says how long they are

    def __str__(self) -> str:
        return str(self._store)

    async def get(self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None) -> Buffer | None:
        value = await self._store.get(key, prototype, byte_range)
        if value is not None:
            found = len(value)
            expected = byte_range.end - byte_range.start if isinstance(byte_range, RangeByteRequest) else 1
            if self.blosc and byte_range is None and found >= _BLOSC_HEADER:
                expected = int.from_bytes(value[_BLOSC_HEADER - 4 : _BLOSC_HEADER].to_bytes(), "little")
            if found < expected:
                raise ValueError(f"{key} is cut off: {found} bytes, where there should be at least {expected}")
        return value


def intact(array: zarr.Array[Any]) -> zarr.Array[Any]:
    """Return the same array, of which chunks that were cut off cannot be read.

    zarr takes an empty shard for one that is missing, and Blosc reads beyond the end of what it is given.
    """
    if "BatchedCodecPipeline" not in zarr.config.get("codec_pipeline.path"):
        return array  # others know stores by their type, and read from these without Python
    return moved(array, _IntactStore(array.store_path.store, blosc=_ends_in_blosc(array)))


def _ends_in_blosc(array: zarr.Array[Any]) -> bool:
    """Whether Blosc has the last word in what is stored as one object."""
    if array.shards is not None or not array.compressors:
        return False
    last = array.compressors[-1]
    return "blosc" in (getattr(last, "codec_id", None) or type(last).__name__).lower()
