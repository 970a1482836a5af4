"""Strategies for what is known of an image without its pixels: axes, pixel sizes, datasets, dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hypothesis import strategies as st

from ngio_x.metadata.axes import AxesHandler, AxesSetup, Axis
from ngio_x.metadata.dataset import Dataset
from ngio_x.metadata.dimensions import Dimensions
from ngio_x.metadata.pixel_size import PixelSize
from ngio_x.testing.strategies.regions import dyadic_numbers, spacings

_DIMS: Final = ("yx", "zyx", "cyx", "czyx", "tyx", "tzyx", "tcyx", "tczyx")
_UNITS: Final = {"space": ("micrometer", "nanometer", None), "time": ("second", "millisecond", None)}
_OTHER: Final = "q"


def dims_of_images() -> st.SearchStrategy[tuple[str, ...]]:
    """Draw the axes that images have: y and x, and any of t, c and z before them."""
    return st.sampled_from(_DIMS).map(tuple)


@st.composite
def axes_handlers(draw: st.DrawFn, dims: Sequence[str] | None = None, *, others: bool = False) -> AxesHandler:
    """Draw axes in the order that OME-NGFF asks for, with and without units.

    Args:
        draw: Given by hypothesis.
        dims: Their names. Default: y and x, and any of t, c and z before them.
        others: Whether there may also be an axis q, of no type, in the place of c.
    """
    names = tuple(draw(dims_of_images()) if dims is None else dims)
    if others and draw(st.booleans()):
        at = names.index("c") if "c" in names else int("t" in names)
        names = (*names[:at], _OTHER, *(name for name in names[at:] if name != "c"))
    space = draw(st.sampled_from(_UNITS["space"]))  # one unit for all, as a pixel size has
    time = draw(st.sampled_from(_UNITS["time"]))
    axes = tuple(Axis(name, unit=space if name in "zyx" else time if name == "t" else None) for name in names)
    setup = AxesSetup(others=(_OTHER,), allow_non_canonical_axes=True) if _OTHER in names else AxesSetup()
    return AxesHandler(axes, setup)


def pixel_sizes() -> st.SearchStrategy[PixelSize]:
    """Draw pixel sizes that are powers of two, in micrometers and seconds."""
    return st.builds(PixelSize, x=spacings, y=spacings, z=spacings, t=spacings)


@st.composite
def datasets(draw: st.DrawFn, dims: Sequence[str] | None = None) -> Dataset:
    """Draw datasets: spacings that are powers of two, anywhere."""
    handler = draw(axes_handlers(dims))
    scale, translation = (tuple(draw(numbers) for _ in handler.axes_names) for numbers in (spacings, dyadic_numbers()))
    return Dataset(draw(st.sampled_from(("0", "s0", "a/0"))), handler, scale, translation)


@st.composite
def dimensions(draw: st.DrawFn, dims: Sequence[str] | None = None, *, max_size: int = 64) -> Dimensions:
    """Draw dimensions: a shape of at least a pixel, chunks within it, and a dataset."""
    dataset = draw(datasets(dims))
    shape = tuple(draw(st.integers(1, max_size)) for _ in dataset.scale)
    return Dimensions(shape, tuple(draw(st.integers(1, size)) for size in shape), dataset)
