"""Pixels that are not in memory, block by block."""

from __future__ import annotations

from typing import Any, Final

import dask.array as da
import numpy as np
import numpy.typing as npt
import xarray as xr
from dask.array.core import normalize_chunks

BLOCK_BYTES: Final = 16 * 2**20
"""Blocks of whole chunks are made about this large."""


def is_lazy(image: xr.DataArray) -> bool:
    """Return whether pixels are still to be computed, or read."""
    return not image.variable._in_memory  # noqa: SLF001 — `data` would read them


def streamed(image: xr.DataArray) -> npt.NDArray[Any] | da.Array:
    """Return pixels that are in memory, or computed, or read, block by block."""
    if image.chunks is not None or not is_lazy(image):
        return image.data  # type: ignore[no-any-return]
    stored = image.encoding.get("preferred_chunks") or {}
    return image.chunk({dim: stored.get(dim, "auto") for dim in image.dims}).data  # type: ignore[no-any-return]


def blocks_of(array: Any) -> da.Array:
    """Return an array on disk, such as zarr's, as a dask array of blocks that share no chunk (or shard) of it."""
    unit = getattr(array, "shards", None) or array.chunks
    unit_bytes = int(np.prod(unit, dtype=object)) * array.dtype.itemsize
    sizes = normalize_chunks(
        "auto", array.shape, limit=max(BLOCK_BYTES, unit_bytes), dtype=array.dtype, previous_chunks=unit
    )
    return da.from_array(array, chunks=sizes, name=False)  # type: ignore[no-any-return]  # what it holds may change
