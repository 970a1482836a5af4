"""Descriptions of images: axes, pixel sizes, dimensions, levels."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Final

from hypothesis import strategies as st

from ngio_x.metadata.axes import AxesHandler, Axis
from ngio_x.metadata.dataset import Dataset
from ngio_x.metadata.dimensions import Dimensions
from ngio_x.metadata.pixel_size import PixelSize
from ngio_x.pyramid.level import PyramidLevel

SPACINGS: Final = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0)
"""Powers of two: what is computed with them is exact."""


def pixel_sizes() -> st.SearchStrategy[PixelSize]:
    """Draw pixel sizes that are powers of two."""
    sizes = st.sampled_from(SPACINGS)
    return st.builds(PixelSize, x=sizes, y=sizes, z=sizes, t=sizes)


@st.composite
def axes_handlers(draw: st.DrawFn, names: Sequence[str] | None = None) -> AxesHandler:
    """Draw axes: those named, or y and x with any of t, c, z before them; with units, as OME-NGFF has them, or none."""
    found = tuple(names) if names is not None else (*(name for name in "tcz" if draw(st.booleans())), "y", "x")
    unit = draw(st.sampled_from(("micrometer", "nanometer", None)))
    return AxesHandler(tuple(Axis(name, unit=unit if name in "zyx" else None) for name in found))


@st.composite
def dimensions(draw: st.DrawFn, names: Sequence[str] | None = None, *, max_size: int = 4096) -> Dimensions:
    """Draw dimensions of images, whose sizes and translations are dyadic numbers."""
    handler = draw(axes_handlers(names))
    axes = handler.axes_names
    shape = tuple(draw(st.integers(1, max_size)) for _ in axes)
    chunks = tuple(draw(st.integers(1, size)) for size in shape)
    scale = tuple(1.0 if axis == "c" else draw(st.sampled_from(SPACINGS)) for axis in axes)
    translation = tuple(0.0 if axis == "c" else draw(st.integers(-512, 512)) / 8 for axis in axes)
    return Dimensions(shape, chunks, Dataset("0", handler, scale, translation))


@st.composite
def pyramid_levels(draw: st.DrawFn, names: Sequence[str] = ("y", "x"), *, max_size: int = 256) -> list[PyramidLevel]:
    """Draw the levels of a pyramid, finest first, halved along y and x as often as their size allows, or less."""
    shape = [draw(st.integers(1, max_size)) for _ in names]
    scale = [draw(st.sampled_from(SPACINGS)) for _ in names]
    chunks = tuple(draw(st.integers(1, size)) for size in shape)
    levels = [PyramidLevel("0", tuple(shape), tuple(scale), (0.0,) * len(names), chunks)]
    for number in itertools.count(1):
        if any(shape[at] < 2 for at, name in enumerate(names) if name in "yx") or not draw(st.booleans()):
            return levels
        for at, name in enumerate(names):
            if name in "yx":
                scale[at] *= shape[at] / (shape[at] // 2)
                shape[at] //= 2
        levels.append(PyramidLevel(str(number), tuple(shape), tuple(scale), (0.0,) * len(names), chunks))
    raise AssertionError  # pragma: no cover — the loop ends by returning
