"""The pixels of a zarr array on disk as xarray and dask hold them: read when they are asked for."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

import dask.array as da
import numpy as np
import numpy.typing as npt
import zarr
from dask.array.core import normalize_chunks
from xarray.backends import BackendArray
from xarray.core import indexing

from ngio_x._frozen import shown
from ngio_x.errors import NgioValueError

_AUTO_CHUNK_BYTES = 16 * 2**20
_MOST_BLOCKS = 2**24
"""More blocks than this are a mistake of the metadata, or would take longer to list than anybody waits."""

ChunksByAxis: TypeAlias = Literal["auto"] | Mapping[str, int] | None


class LazyPixels(BackendArray):
    """A zarr array that xarray indexes without reading it."""

    __slots__ = ("array", "dtype", "shape")

    def __init__(self, array: zarr.Array[Any]) -> None:
        self.array, self.shape, self.dtype = array, array.shape, array.dtype

    def __getitem__(self, key: indexing.ExplicitIndexer) -> npt.NDArray[Any]:
        if isinstance(key, indexing.VectorizedIndexer):
            get, support = self._points, indexing.IndexingSupport.VECTORIZED
        else:
            get, support = self._boxes, indexing.IndexingSupport.OUTER
        return np.asarray(indexing.explicit_indexing_adapter(key, self.shape, support, get))

    def _points(self, key: tuple[Any, ...]) -> Any:
        return self.array.vindex[key]

    def _boxes(self, key: tuple[Any, ...]) -> Any:
        return self.array[key] if all(isinstance(part, (int, slice)) for part in key) else self.array.oindex[key]


def lazy_pixels(array: zarr.Array[Any]) -> indexing.LazilyIndexedArray:
    """Return the pixels of an array as xarray indexes them lazily, without dask."""
    return indexing.LazilyIndexedArray(LazyPixels(array))


def dask_pixels(array: zarr.Array[Any], names: Sequence[str], chunks: Literal["auto"] | Mapping[str, int]) -> da.Array:
    """Return the pixels of an array as a dask array.

    Args:
        array: What is read.
        names: Of its axes.
        chunks: Sizes of the blocks by axis; `"auto"` takes whole chunks of the store, about 16 MiB together.

    Raises:
        NgioValueError: If `chunks` make no sense, or there would be more blocks than anybody can compute.
    """
    if chunks == "auto":
        given: Any = "auto"
        stored = array.shards or array.chunks
    elif isinstance(chunks, Mapping):
        if unknown := [axis for axis in chunks if axis not in names]:
            raise NgioValueError(f"chunks names axis {unknown[0]!r}, but the image has {tuple(names)}")
        if wrong := [axis for axis, size in chunks.items() if not _is_block_size(size)]:
            size = shown(chunks[wrong[0]])
            raise NgioValueError(
                f"chunks of axis {wrong[0]!r} must be an integer above 0, or -1 for all of it, got {size}"
            )
        stored = None
        given = tuple(chunks.get(name, size) for name, size in zip(names, array.chunks, strict=True))
    else:
        raise NgioValueError(f"chunks must be 'auto', sizes by axis, or None, got {chunks!r}")
    _require_countable(array, given)
    sizes = normalize_chunks(given, array.shape, limit=_AUTO_CHUNK_BYTES, dtype=array.dtype, previous_chunks=stored)
    # A name of its own: what a cluster holds of an array must not be taken for what has been written since.
    meta = np.empty((0,) * array.ndim, array.dtype)
    pixels: da.Array = da.from_array(array, chunks=sizes, name=False, meta=meta)
    return pixels


def _is_block_size(size: Any) -> bool:
    return isinstance(size, int) and not isinstance(size, bool) and (size > 0 or size == -1)


def _require_countable(array: zarr.Array[Any], sizes: Literal["auto"] | Sequence[int]) -> None:
    if sizes == "auto":
        count = array.nbytes // _AUTO_CHUNK_BYTES
    else:
        count = math.prod(1 if size == -1 else -(-n // size) for n, size in zip(array.shape, sizes, strict=True))
    if count > _MOST_BLOCKS:
        raise NgioValueError(
            f"{array.store_path} of shape {array.shape} has {count} blocks: pass larger chunks={{...}}, or chunks=None "
            "to read it without dask"
        )
