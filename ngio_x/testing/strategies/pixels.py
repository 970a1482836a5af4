"""Strategies for arrays: pixels, labelled images and labels, ways to cut them, and regions of them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import xarray as xr
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ngio_x.arrays.dimensions import dimensions_of
from ngio_x.arrays.image import as_image, as_labels
from ngio_x.roi.roi import Roi
from ngio_x.roi.roi_slice import RoiSlice
from ngio_x.testing.samples import label_discs, noise
from ngio_x.testing.strategies.metadata import dims_of_images
from ngio_x.testing.strategies.regions import dyadic_numbers, spacings

Pixels = npt.NDArray[Any]

_DTYPES: Final = ("u1", "i2", "u2", "i4", "u8", "f4", "f8")
_ID_DTYPES: Final = ("u1", "i4", "u4", "u8")


# ---- Ways to cut an array


@st.composite
def chunkings(draw: st.DrawFn, shape: Sequence[int], *, max_chunks: int = 4) -> tuple[tuple[int, ...], ...]:
    """Draw chunks of any sizes, as dask has them: one tuple of sizes an axis; at most so many along each."""
    chunks = []
    for size in shape:
        cuts = draw(st.lists(st.integers(1, max(1, size - 1)), max_size=max_chunks - 1))
        edges = sorted({0, size, *(cut for cut in cuts if cut < size)})
        chunks.append(tuple(high - low for low, high in itertools.pairwise(edges)) or (0,))
    return tuple(chunks)


def chunk_shapes(shape: Sequence[int], *, beyond: int = 0) -> st.SearchStrategy[tuple[int, ...]]:
    """Draw shapes of chunks, as zarr has them: one size an axis, at most so many pixels beyond the array."""
    return st.tuples(*(st.integers(1, max(1, size) + beyond) for size in shape))


@st.composite
def windows(draw: st.DrawFn, shape: Sequence[int], *, min_size: int = 1) -> tuple[slice, ...]:
    """Draw windows of an array: a slice with start and stop an axis, of at least so many pixels."""
    slices = []
    for size in shape:
        least = min(min_size, size)
        start = draw(st.integers(0, size - least))
        slices.append(slice(start, draw(st.integers(start + least, size))))
    return tuple(slices)


# ---- Pixels


@st.composite
def pixels(draw: st.DrawFn, shape: Sequence[int], dtype: Any = "u2", *, odd: bool = True) -> Pixels:
    """Draw noise between 0 and 100, whatever the data type; of floats, a few pixels are NaN, infinite, -0 or fractions.

    All of it comes of one seed, which is faster to draw than each pixel; it does not shrink.

    Args:
        draw: Given by hypothesis.
        shape: In pixels.
        dtype: Any that holds the numbers.
        odd: Whether there may be such odd pixels.
    """
    wanted, seed = np.dtype(dtype), draw(st.integers(0, 2**32))
    if wanted.kind == "b":
        return noise(shape, wanted, seed)
    values = noise(shape, "u1", seed, high=100).astype(wanted)
    if odd and wanted.kind in "fc" and draw(st.booleans()):
        choices = np.array([np.nan, np.inf, -np.inf, -0.0, 0.5], wanted)
        where = noise(shape, "f8", seed + 1) < 0.1
        values[where] = choices[noise(int(where.sum()), "u1", seed + 2, high=len(choices))]
    return values


LabelKind = Literal["dense", "sparse", "touching"]


@st.composite
def label_pixels(
    draw: st.DrawFn,
    shape: Sequence[int] | None = None,
    dtype: Any = None,
    *,
    kinds: Sequence[LabelKind] = ("dense", "sparse", "touching"),
    max_id: int | None = None,
    max_size: int = 9,
) -> Pixels:
    """Draw the ids of objects, 0 where there is none.

    Args:
        draw: Given by hypothesis.
        shape: In pixels. Default: one to three axes of any sizes.
        dtype: Any integers. Default: any of some.
        kinds: Which kinds there may be. `"dense"`: objects 1 to n, scattered over many pixels each. `"sparse"`: the
            same, with ids far apart, up to the largest that there may be. `"touching"`: compact objects 1 to n, which
            meet, mostly without background.
        max_id: The largest id. Default: the largest of the data type.
        max_size: Pixels along an axis, where no shape is given.
    """
    sizes = draw(hnp.array_shapes(min_dims=1, max_dims=3, max_side=max_size)) if shape is None else tuple(shape)
    wanted = np.dtype(draw(st.sampled_from(_ID_DTYPES)) if dtype is None else dtype)
    largest = int(np.iinfo(wanted).max) if max_id is None else max_id
    kind = draw(st.sampled_from(kinds))
    if kind == "touching":
        count = draw(st.integers(1, min(12, largest, int(np.prod(sizes)))))
        radius = draw(st.sampled_from((2.5, np.inf)))
        return label_discs(sizes, count, radius, wanted, draw(st.integers(0, 2**32)))
    most = min(draw(st.sampled_from((2, 9, 60))), largest)
    ids = draw(hnp.arrays(np.uint8, sizes, elements=st.integers(0, most)))
    if kind == "dense":
        return ids.astype(wanted)
    names = draw(st.lists(st.integers(1, largest), min_size=most, max_size=most, unique=True))
    return np.asarray(np.array([0, *names], wanted)[ids])


# ---- Labelled images


@st.composite
def images(
    draw: st.DrawFn,
    dims: Sequence[str] | None = ("y", "x"),
    *,
    max_size: int = 24,
    dtype: Any = np.uint16,
    values: Literal["distinct", "noise"] = "distinct",
    channels: bool = False,
) -> xr.DataArray:
    """Draw labelled images on lattices with any dyadic origin.

    Args:
        draw: Given by hypothesis.
        dims: Their axes; None draws y and x, and any of t, c and z before them.
        max_size: Pixels along an axis, at most.
        dtype: Their data type; None draws one of integers and floats.
        values: `"distinct"`: all pixels are different (as far as the data type goes), so that a pixel that moves is
            found. `"noise"`: as drawn by `pixels`, without odd ones.
        channels: Whether an axis c has names.
    """
    axes = draw(dims_of_images()) if dims is None else tuple(dims)
    wanted = draw(st.sampled_from(_DTYPES)) if dtype is None else dtype
    shape = tuple(draw(st.integers(1, max_size)) for _ in axes)
    distinct = values == "distinct"
    data = (
        np.arange(np.prod(shape)).reshape(shape).astype(wanted) if distinct else draw(pixels(shape, wanted, odd=False))
    )
    names = [f"{at}" for at in range(shape[axes.index("c")])] if channels and "c" in axes else None
    pixel_size, origin = draw(_places(axes))
    return as_image(data, axes, pixel_size, origin=origin, channels=names, name="image")


@st.composite
def _places(draw: st.DrawFn, dims: Sequence[str]) -> tuple[dict[str, float], dict[str, float]]:
    """Draw pixel sizes and origins."""
    lattice_dims = [dim for dim in dims if dim != "c"]
    spacing = {dim: draw(spacings) for dim in lattice_dims}
    return spacing, {dim: draw(dyadic_numbers(-16, 16)) for dim in lattice_dims}


@st.composite
def label_images(
    draw: st.DrawFn,
    dims: Sequence[str] | None = ("y", "x"),
    *,
    max_size: int = 16,
    dtype: Any = None,
    kinds: Sequence[LabelKind] = ("dense", "sparse", "touching"),
    max_id: int | None = None,
) -> xr.DataArray:
    """Draw label images on lattices with any dyadic origin; the ids are those of `label_pixels`.

    With dims None, the axes are y and x, and any of t and z before them.
    """
    axes = draw(dims_of_images().filter(lambda names: "c" not in names)) if dims is None else tuple(dims)
    shape = tuple(draw(st.integers(1, max_size)) for _ in axes)
    ids = draw(label_pixels(shape, dtype, kinds=kinds, max_id=max_id))
    pixel_size, origin = draw(_places(axes))
    return as_labels(ids, axes, pixel_size, origin=origin, name="labels")


@st.composite
def rois_over(draw: st.DrawFn, image: xr.DataArray, axes: Sequence[str] = ("y", "x")) -> Roi:
    """Draw world regions that overlap an image, their bounds at eighths of its pixels, some of them open above."""
    dimensions = dimensions_of(image)
    slices = []
    for axis, size, spacing, edge in zip(
        dimensions.axes, dimensions.shape, dimensions.dataset.scale, dimensions.dataset.translation or (), strict=True
    ):
        if axis not in axes:
            continue
        start = draw(dyadic_numbers(-2, size - 0.125))
        length = draw(st.none() | dyadic_numbers(max(-start, 0.0) + 0.125, size + 2))
        world = None if length is None else length * spacing
        slices.append(RoiSlice(axis, edge + start * spacing, world))
    return Roi(draw(st.none() | st.text(max_size=5)), tuple(slices))
