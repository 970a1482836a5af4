"""Pixels that are not in memory, block by block."""

from __future__ import annotations

import math
from typing import Any, Final, Literal

import dask.array as da
import numpy as np
import numpy.typing as npt
import xarray as xr
from dask.array.core import normalize_chunks
from xarray.core import indexing

from ngio_x.errors import NgioTypeError

BLOCK_BYTES: Final = 16 * 2**20
"""Blocks of whole chunks are made about this large."""


def is_lazy(image: xr.DataArray) -> bool:
    """Return whether pixels are still to be computed, or read."""
    return not image.variable._in_memory  # noqa: SLF001 — `data` would read them


def stored_sizes(image: xr.DataArray, what: Literal["chunks", "shards"] = "chunks") -> dict[str, int]:
    """Return the sizes by axis that the encoding of an opened array speaks of; axes may have gone or moved since."""
    names, sizes = tuple(image.encoding.get("preferred_chunks") or ()), image.encoding.get(what)
    if not (isinstance(sizes, tuple) and len(sizes) == len(names)):
        return {}
    return {str(name): size for name, size in zip(names, sizes, strict=True) if isinstance(size, int) and size > 0}


def require_plain(image: xr.DataArray, argument: str = "image") -> None:
    """Refuse pixels that neither numpy nor dask's arrays of numpy hold, such as those of pint, sparse or cupy.

    Computed with, they would lose their unit without a word, or fail with an error of their own library.

    Raises:
        NgioTypeError: Naming their type, and what to do.
    """
    held: Any = image.variable._data  # noqa: SLF001 — `data` would read what is lazy
    block = getattr(held, "_meta", held)
    if not isinstance(block, (np.ndarray, np.generic, indexing.ExplicitlyIndexed)):
        raise NgioTypeError(
            f"{argument} must hold pixels of numpy, or of dask's arrays of these, got {type(block).__module__}."
            f"{type(block).__qualname__}: convert it with .as_numpy(), which drops a unit"
        )


def streamed(image: xr.DataArray, argument: str = "image") -> npt.NDArray[Any] | da.Array:
    """Return pixels that are in memory, or computed, or read, block by block.

    Raises:
        NgioTypeError: If the pixels of the argument of that name are neither numpy's nor dask's.
    """
    require_plain(image, argument)
    if image.chunks is not None or not is_lazy(image):
        return image.data  # type: ignore[no-any-return]
    stored = image.encoding.get("preferred_chunks") or {}
    return image.chunk({dim: stored.get(dim, "auto") for dim in image.dims}).data  # type: ignore[no-any-return]


def blocks_of(array: Any) -> da.Array:
    """Return an array on disk, such as zarr's, as a dask array of blocks that share no chunk (or shard) of it."""
    chunks = whole_chunks(array)
    return da.from_array(array, chunks=chunks, name=False)  # type: ignore[no-any-return]  # what it holds may change


def whole_chunks(array: Any) -> tuple[tuple[int, ...], ...]:
    """Return the sizes of blocks that share no chunk (or shard) of an array on disk; what is small is one block."""
    if math.prod(array.shape) * array.dtype.itemsize <= BLOCK_BYTES:
        return tuple((size,) for size in array.shape)
    unit = unit_of(array)
    limit = max(BLOCK_BYTES, math.prod(unit) * array.dtype.itemsize)
    return normalize_chunks(  # type: ignore[no-any-return]
        "auto", array.shape, limit=limit, dtype=array.dtype, previous_chunks=unit
    )


def unit_of(array: Any) -> tuple[int, ...]:
    """Return the shape of what is read at once of an array on disk: a shard, else a chunk."""
    return getattr(array, "shards", None) or array.chunks  # type: ignore[no-any-return]
