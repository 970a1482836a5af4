"""The pixels of a zarr array on disk as xarray and dask hold them: read when they are asked for."""

from __future__ import annotations

import asyncio
import math
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

import dask.array as da
import numpy as np
import numpy.typing as npt
import zarr
from dask.array.core import getter, normalize_chunks
from dask.base import tokenize
from xarray.backends import BackendArray
from xarray.core import indexing

from ngio_x._frozen import at_least, named, to_int
from ngio_x.arrays.lazy import BLOCK_BYTES, unit_of, whole_chunks
from ngio_x.errors import NgioValueError
from ngio_x.pyramid.places import anchored
from ngio_x.pyramid.stamp import stamp_of

_MOST_BLOCKS = 2**24
"""More blocks than this are a mistake of the metadata, or would take longer to list than anybody waits."""

ChunksByAxis: TypeAlias = Literal["auto"] | int | Sequence[int] | Mapping[str, int] | None
"""Sizes of dask blocks: by axis, in the order of the image's axes, or one for all; -1 is all pixels of an axis."""


class LazyPixels(BackendArray):
    """A zarr array that xarray indexes without reading it."""

    __slots__ = ("array", "dtype", "shape")

    def __init__(self, array: zarr.Array[Any]) -> None:
        self.array, self.shape, self.dtype = array, array.shape, _native(array.dtype)

    def __getitem__(self, key: indexing.ExplicitIndexer) -> npt.NDArray[Any]:
        if isinstance(key, indexing.VectorizedIndexer):
            get, support = self._points, indexing.IndexingSupport.VECTORIZED
        else:
            get, support = self._boxes, indexing.IndexingSupport.OUTER
        return np.asarray(indexing.explicit_indexing_adapter(key, self.shape, support, get))

    async def async_getitem(self, key: indexing.ExplicitIndexer) -> npt.NDArray[Any]:
        """Read in a thread: so it does not matter in which event loop the store was opened."""
        return await asyncio.to_thread(self.__getitem__, key)

    def _points(self, key: tuple[Any, ...]) -> Any:
        return self.array.vindex[key]

    def _boxes(self, key: tuple[Any, ...]) -> Any:
        return self.array[key] if all(isinstance(part, (int, slice)) for part in key) else self.array.oindex[key]


def lazy_pixels(array: zarr.Array[Any]) -> indexing.LazilyIndexedArray:
    """Return the pixels of an array as xarray indexes them lazily, without dask."""
    return indexing.LazilyIndexedArray(LazyPixels(anchored(array)))


def dask_pixels(array: zarr.Array[Any], names: Sequence[str], chunks: Literal["auto"] | Mapping[str, int]) -> da.Array:
    """Return the pixels of an array as a dask array.

    Args:
        array: What is read.
        names: Of its axes.
        chunks: Sizes of the blocks by axis, -1 for all pixels along it, and whole chunks of the store (or whole shards)
            along axes that are not named; `"auto"` takes as many of these as are about 16 MiB together.

    Raises:
        NgioValueError: If `chunks` make no sense, or there would be more blocks than anybody can compute.
    """
    if isinstance(chunks, str) and chunks == "auto":
        unit = unit_of(array)
        together = max(1, BLOCK_BYTES // (math.prod(unit) * array.dtype.itemsize))
        _require_countable(array, -(-_count(array.shape, unit) // together))
        sizes = whole_chunks(array)
    else:
        sizes = normalize_chunks(_by_axis(array, names, chunks), array.shape)
    array = anchored(array)  # workers that stand elsewhere would find no chunk there, and read zeros
    name, meta = _name_of(array, sizes), np.empty((0,) * array.ndim, _native(array.dtype))
    if math.prod(map(len, sizes)) > 1:
        return da.Array(da.from_array(array, chunks=sizes, name=name).dask, name, sizes, meta=meta)
    # What from_array makes, too, but it is four times as slow, and most levels are one block.
    whole = (slice(None),) * array.ndim
    graph = {f"original-{name}": array, (name, *(0,) * array.ndim): (getter, f"original-{name}", whole)}
    return da.Array(graph, name, sizes, meta=meta)


def _native(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return a data type that says "native" where zarr says "little" and means the same: netCDF4 warns of that."""
    return dtype.newbyteorder("=") if dtype.isnative else dtype


def _name_of(array: zarr.Array[Any], sizes: Any) -> str:
    """Return a name that is equal for equal blocks of an unchanged array, so that what a cluster holds is found again.

    What it holds must not be taken for what has been written since: where nobody can tell, the name is never equal.
    """
    stamp = stamp_of(array.store_path)
    token = uuid.uuid4().hex if stamp is None else tokenize(stamp, array.shape, array.dtype.str, sizes)
    return f"ome-zarr-{token}"


def _by_axis(array: zarr.Array[Any], names: Sequence[str], chunks: Mapping[str, int]) -> tuple[int, ...]:
    """Return the sizes of blocks that are asked for; along axes that are not named, those of the store.

    Axes that the array lacks do not matter: labels may lack some of their image.
    """
    sizes = []
    for name, size, stored in zip(names, array.shape, unit_of(array), strict=True):
        given = named(f"chunks along axis '{name}'", at_least(-1, to_int))(chunks.get(name, stored))
        if given == 0:
            raise NgioValueError(f"chunks along axis '{name}' must be ≥ 1, or -1 for all pixels, got 0")
        sizes.append(size if given == -1 else min(given, max(size, 1)))
    _require_countable(array, _count(array.shape, sizes))
    return tuple(sizes)


def _count(shape: Sequence[int], sizes: Sequence[int]) -> int:
    return math.prod(-(-n // size) for n, size in zip(shape, sizes, strict=True))


def _require_countable(array: zarr.Array[Any], blocks: int) -> None:
    if blocks > _MOST_BLOCKS:
        raise NgioValueError(
            f"{array.store_path} of shape {array.shape} has {blocks} blocks: pass larger chunks={{...}}, or "
            "chunks=None to read it without dask"
        )
