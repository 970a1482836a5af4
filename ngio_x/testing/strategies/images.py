"""Pixels, labelled images, label images, pyramids, and the ways to cut them into chunks."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, Final, TypeVar

import dask.array as da
import numpy as np
import numpy.typing as npt
import xarray as xr
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ngio_x.arrays.image import as_image, as_labels
from ngio_x.arrays.zoom import zoom
from ngio_x.testing.samples import noise
from ngio_x.testing.strategies.metadata import SPACINGS
from ngio_x.testing.strategies.plain import dyadic_numbers

Chunkable = TypeVar("Chunkable", xr.DataArray, npt.NDArray[Any])
_ID_TYPES: Final = ("uint8", "int32", "uint64")


@st.composite
def pixel_arrays(draw: st.DrawFn, shape: Sequence[int], dtype: Any = "uint16", *, odd: bool = True) -> npt.NDArray[Any]:
    """Draw arrays of random numbers from 0 to 99, from a seed: faster than drawing each of them.

    With `odd`, some of the numbers of a floating dtype are NaN, infinite, −0 or a half.
    """
    seed = draw(st.integers(0, 2**32 - 1))
    values = noise(shape, dtype, low=0, high=100, seed=seed)
    if odd and values.dtype.kind == "f":
        where = noise(shape, "float64", seed=seed + 1) < draw(st.sampled_from((0.0, 0.1)))
        strange = np.array([np.nan, np.inf, -np.inf, -0.0, 0.5], values.dtype)
        values[where] = strange[noise(shape, "uint8", high=5, seed=seed + 2)[where]]
    return values


@st.composite
def images(
    draw: st.DrawFn, dims: Sequence[str] = ("y", "x"), *, max_size: int = 24, dtype: Any = np.uint16
) -> xr.DataArray:
    """Draw labelled images whose pixels are all different, on lattices with any dyadic origin."""
    shape = tuple(draw(st.integers(1, max_size)) for _ in dims)
    lattice_dims = [dim for dim in dims if dim != "c"]
    spacing = {dim: draw(st.sampled_from(SPACINGS)) for dim in lattice_dims}
    origin = {dim: draw(dyadic_numbers(-16, 16)) for dim in lattice_dims}
    numbers = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    return as_image(numbers, dims, spacing, origin=origin, name="image")


@st.composite
def label_images(
    draw: st.DrawFn,
    dims: Sequence[str] | None = ("y", "x"),
    *,
    kinds: Sequence[str] = ("dense", "sparse", "touching"),
    dtypes: Sequence[Any] = _ID_TYPES,
    min_size: int = 1,
    max_size: int = 9,
) -> xr.DataArray:
    """Draw label images: few large objects, or many small ones.

    Args:
        draw: Given by hypothesis.
        dims: Names of the axes; None draws one to three of z, y, x.
        kinds: Of them: ids from 1 without large gaps (`"dense"`), ids as large as the dtype allows (`"sparse"`), or
            objects without background between them (`"touching"`).
        dtypes: Of them.
        min_size: Of an axis.
        max_size: Of an axis.
    """
    names = tuple(dims) if dims is not None else ("z", "y", "x")[draw(st.integers(0, 2)) :]
    shape = tuple(draw(st.integers(min_size, max_size)) for _ in names)
    dtype, kind = np.dtype(draw(st.sampled_from(list(dtypes)))), draw(st.sampled_from(list(kinds)))
    lowest = 1 if kind == "touching" else 0
    ranks = draw(hnp.arrays(np.intp, shape, elements=st.integers(lowest, draw(st.sampled_from((2, 9, 60))))))
    ids = np.arange(61, dtype=dtype)
    if kind == "sparse":
        highest = int(np.iinfo(dtype).max)
        found = draw(st.lists(st.integers(1, highest), min_size=60, max_size=60, unique=True))
        ids = np.array([0, *found], dtype)
    spacing = {dim: draw(st.sampled_from(SPACINGS)) for dim in names}
    return as_labels(ids[ranks], names, spacing, name="labels")


@st.composite
def chunkings(draw: st.DrawFn, shape: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    """Draw ways to cut an array into chunks, of even sizes or not, as dask takes them."""
    chunks = []
    for size in shape:
        cuts = sorted({0, size, *draw(st.lists(st.integers(0, size), max_size=4))})
        chunks.append(tuple(high - low for low, high in itertools.pairwise(cuts)) or (0,))
    return tuple(chunks)


@st.composite
def chunked(draw: st.DrawFn, array: Any) -> Any:
    """Draw the array as it is, or as a dask array, a DataArray with one, in any chunks; the pixels are the same."""
    if draw(st.booleans()):
        return array
    chunks = draw(chunkings(array.shape))
    if isinstance(array, xr.DataArray):
        return array.chunk(dict(zip(array.dims, chunks, strict=True)))
    return da.from_array(array, chunks=chunks)


@st.composite
def pyramids(
    draw: st.DrawFn, dims: Sequence[str] = ("y", "x"), *, labels: bool = True, max_size: int = 24
) -> xr.DataTree:
    """Draw trees as `open_ome_zarr` returns them: up to four levels at any factors, and labels that may begin later.

    Labels are called `seg`; the `path` of each node is `s0`, `s1`, ….
    """
    levels = [draw(images(dims, max_size=max_size))]
    for _ in range(draw(st.integers(0, 3))):
        factors = st.sampled_from((0.3, 0.5, 0.75, 1.0))
        levels.append(zoom(levels[-1], {"y": draw(factors), "x": draw(factors)}))
    nodes = {f"/{n}": level.to_dataset().assign_attrs(path=f"s{n}") for n, level in enumerate(levels)}
    if labels:
        for n, level in enumerate(levels[draw(st.integers(0, len(levels))) :]):
            nodes[f"/labels/seg/{n}"] = as_labels(level, name="seg").to_dataset()
    return xr.DataTree.from_dict(nodes)
