"""Strategies for pyramids: shapes of levels, arrays of levels, trees, and pyramids that are yet to be written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal

import xarray as xr
from hypothesis import strategies as st

from ngio_x.arrays.image import as_labels
from ngio_x.arrays.zoom import zoom
from ngio_x.pyramid.builder import ImagePyramidBuilder
from ngio_x.pyramid.level import PyramidLevel
from ngio_x.testing.strategies.metadata import datasets
from ngio_x.testing.strategies.pixels import chunk_shapes, images

_FACTORS: Final = st.sampled_from((0.3, 0.5, 0.75, 1.0))
_FORMATS: Final[tuple[Literal[2, 3], ...]] = (2, 3)
_SEPARATORS: Final[tuple[Literal[".", "/"], ...]] = (".", "/")
_SIDES: Final = {1: 40, 2: 14, 3: 7}
"""Pixels along an axis, by their number; beyond three axes there are five."""


@st.composite
def level_shapes(
    draw: st.DrawFn, ndim: int | None = None, *, max_size: int | None = None, min_levels: int = 2, max_levels: int = 4
) -> list[tuple[int, ...]]:
    """Draw the shapes of levels, finest first; each is as large as the one before or smaller, axis by axis.

    Args:
        draw: Given by hypothesis.
        ndim: How many axes. Default: one to three.
        max_size: Pixels along an axis of the first level. Default: the fewer, the more axes.
        min_levels: How many shapes at least.
        max_levels: How many shapes at most.
    """
    count = draw(st.integers(1, 3)) if ndim is None else ndim
    side = _SIDES.get(count, 5) if max_size is None else max_size
    shapes = [tuple(draw(st.integers(1, side)) for _ in range(count))]
    for _ in range(draw(st.integers(min_levels - 1, max_levels - 1))):
        shapes.append(tuple(draw(st.just(size) | st.integers(1, size)) for size in shapes[-1]))
    return shapes


@st.composite
def pyramid_builders(draw: st.DrawFn, dims: Sequence[str] | None = None, *, max_size: int = 40) -> ImagePyramidBuilder:
    """Draw pyramids that are yet to be written: of one to four levels, with and without chunks and shards."""
    dataset = draw(datasets(dims))
    zarr_format: Literal[2, 3] = draw(st.sampled_from(_FORMATS))
    shapes = draw(level_shapes(len(dataset.scale), max_size=max_size, min_levels=1))
    levels = []
    for number, shape in enumerate(shapes):
        scale = tuple(size * n / m for size, n, m in zip(dataset.scale, shapes[0], shape, strict=True))
        layout = draw(_layouts(shape, sharded=zarr_format == 3))
        levels.append(PyramidLevel(f"{number}", shape, scale, dataset.translation, **layout))
    return ImagePyramidBuilder(
        tuple(levels),
        dataset.axes_handler.axes_names,
        draw(st.sampled_from(("uint8", "uint16", "float32"))),
        draw(st.sampled_from(_SEPARATORS)),
        zarr_format=zarr_format,
    )


@st.composite
def _layouts(draw: st.DrawFn, shape: Sequence[int], *, sharded: bool) -> dict[str, Any]:
    """Draw chunks, and shards that are multiples of them, or leave both out."""
    if draw(st.booleans()):
        return {}
    chunks = draw(chunk_shapes(shape))
    if not sharded or draw(st.booleans()):
        return {"chunks": chunks}
    return {"chunks": chunks, "shards": tuple(chunk * draw(st.integers(1, 3)) for chunk in chunks)}


@st.composite
def image_levels(
    draw: st.DrawFn,
    dims: Sequence[str] = ("y", "x"),
    *,
    max_size: int = 24,
    dtype: Any = "u2",
    max_levels: int = 4,
    channels: bool = False,
) -> list[xr.DataArray]:
    """Draw the levels of an image, finest first: each zoomed from the one before, by any factors along y and x."""
    levels = [draw(images(dims, max_size=max_size, dtype=dtype, channels=channels))]
    for _ in range(draw(st.integers(0, max_levels - 1))):
        levels.append(zoom(levels[-1], {"y": draw(_FACTORS), "x": draw(_FACTORS)}))
    return levels


@st.composite
def pyramid_trees(
    draw: st.DrawFn,
    dims: Sequence[str] = ("y", "x"),
    *,
    max_size: int = 24,
    dtype: Any = "u2",
    max_levels: int = 4,
    labels: str | None = "labels",
) -> xr.DataTree:
    """Draw trees as `open_ome_zarr` returns them: an image, and under it, mostly, a label image.

    Args:
        draw: Given by hypothesis.
        dims: The axes of the image; labels have no c.
        max_size: Pixels along an axis of level 0.
        dtype: Of the image, and of its labels: integers, if there are labels.
        max_levels: How many levels at most.
        labels: What the label image is called, which may have fewer levels than the image; None for no labels.
    """
    levels = draw(image_levels(dims, max_size=max_size, dtype=dtype, max_levels=max_levels))
    nodes = {f"/{n}": level.to_dataset().assign_attrs(path=f"{n}") for n, level in enumerate(levels)}
    if labels is not None:
        for n, level in enumerate(levels[draw(st.integers(0, len(levels))) :]):
            ids = level.isel(c=0, drop=True) if "c" in level.dims else level
            nodes[f"/labels/{labels}/{n}"] = as_labels(ids, name=labels).to_dataset()
    return xr.DataTree.from_dict(nodes)
