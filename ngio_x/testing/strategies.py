"""Hypothesis strategies: intervals, regions, pixel sizes, lattices and labelled images.

Numbers are dyadic (multiples of 1/8) unless said otherwise, so that laws about them hold exactly and never meet the
edge of a rounding rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from hypothesis import strategies as st

from ngio_x.arrays.image import as_image, dimensions_of
from ngio_x.metadata.pixel_size import PixelSize
from ngio_x.roi.roi import Roi, Space
from ngio_x.roi.roi_slice import RoiSlice

_SPACINGS = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0)


def dyadic_numbers(low: float = -64.0, high: float = 64.0) -> st.SearchStrategy[float]:
    """Draw multiples of 1/8 between two bounds."""
    return st.integers(int(low * 8), int(high * 8)).map(lambda eighths: eighths / 8)


@st.composite
def roi_slices(draw: st.DrawFn, axis_name: str = "x", *, allow_open: bool = True, min_length: float = 0.0) -> RoiSlice:
    """Draw intervals along an axis: negative, empty and open ones included."""
    start = draw(dyadic_numbers())
    length = draw(dyadic_numbers(min_length, 64.0))
    if allow_open:
        kind = draw(st.sampled_from(("closed", "closed", "open above", "unbounded")))
        if kind == "unbounded":
            return RoiSlice(axis_name)
        if kind == "open above":
            return RoiSlice(axis_name, start)
    return RoiSlice(axis_name, start, length)


@st.composite
def rois(
    draw: st.DrawFn,
    axes: Sequence[str] = ("y", "x"),
    *,
    space: Space = "world",
    allow_open: bool = True,
    min_length: float = 0.0,
) -> Roi:
    """Draw regions over the given axes, with names, labels and extras of all kinds."""
    slices = tuple(draw(roi_slices(axis, allow_open=allow_open, min_length=min_length)) for axis in axes)
    name = draw(st.none() | st.text(max_size=5))
    label = draw(st.none() | st.integers(0, 3))
    values = st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3) | dyadic_numbers()
    keys = st.sampled_from(("FieldIndex", "plate_name", "note"))
    extra = draw(st.dictionaries(keys, values | st.lists(values, max_size=2), max_size=2))
    return Roi(name, slices, label, space, extra)


def pixel_sizes() -> st.SearchStrategy[PixelSize]:
    """Draw pixel sizes that are powers of two."""
    sizes = st.sampled_from(_SPACINGS)
    return st.builds(PixelSize, x=sizes, y=sizes, z=sizes, t=sizes)


@st.composite
def images(
    draw: st.DrawFn, dims: Sequence[str] = ("y", "x"), *, max_size: int = 24, dtype: Any = np.uint16
) -> xr.DataArray:
    """Draw labelled images whose pixels are all different, on lattices with any dyadic origin."""
    shape = tuple(draw(st.integers(1, max_size)) for _ in dims)
    lattice_dims = [dim for dim in dims if dim != "c"]
    spacing = {dim: draw(st.sampled_from(_SPACINGS)) for dim in lattice_dims}
    origin = {dim: draw(dyadic_numbers(-16, 16)) for dim in lattice_dims}
    pixels = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    return as_image(pixels, dims, spacing, origin=origin, name="image")


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
