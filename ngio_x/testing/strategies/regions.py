"""Intervals and regions, one or many.

Numbers are dyadic (multiples of 1/8) unless said otherwise, so that laws about them hold exactly and never meet the
edge of a rounding rule.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, Final

import xarray as xr
from hypothesis import strategies as st

from ngio_x.arrays.image import dimensions_of
from ngio_x.roi.roi import Roi, Space
from ngio_x.roi.roi_slice import RoiSlice
from ngio_x.testing.strategies.plain import dyadic_numbers, texts


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


@st.composite
def overlapping_rois(
    draw: st.DrawFn, axes: Sequence[str] = ("y", "x"), *, max_groups: int = 4
) -> tuple[list[Roi], set[tuple[int, int]]]:
    """Draw regions of which it is known which overlap, and the pairs of their positions, the lower one first.

    Groups of regions that share a point lie apart from each other; groups may touch, which is no overlap.
    """
    groups = []
    for group in range(draw(st.integers(0, max_groups))):
        members: list[Roi] = []
        for _ in range(draw(st.integers(1, 3))):
            # Each group has a slot of 16 along the first axis, whose middle all its members hold.
            first = (16 * group + draw(dyadic_numbers(0, 7.875)), 16 * group + draw(dyadic_numbers(8.125, 16)))
            bounds = [first, *((draw(dyadic_numbers(-9, -0.125)), draw(dyadic_numbers(0.125, 9))) for _ in axes[1:])]
            slices = (RoiSlice(axis, low, high - low) for axis, (low, high) in zip(axes, bounds, strict=True))
            members.append(Roi(f"{group}/{len(members)}", tuple(slices)))
        groups.append(members)
    order = draw(st.permutations([roi for members in groups for roi in members]))
    place = {roi.name: at for at, roi in enumerate(order)}
    within = (itertools.combinations((place[roi.name] for roi in members), 2) for members in groups)
    return list(order), {(min(pair), max(pair)) for pairs in within for pair in pairs}


_VALUES: Final[dict[str, st.SearchStrategy[Any]]] = {
    "text": texts(4),
    "whole": st.integers(-(2**63), 2**63 - 1),
    "number": st.floats(allow_nan=False, allow_infinity=False),
    "truth": st.booleans(),
}
_RESERVED: Final = {"name", "slices", "label", "space", "extra", "FieldIndex", "_index", ".", ".."}
_COLUMN_NAMES: Final = st.text(
    st.characters(categories=["L", "N"], include_characters=" _.-"), min_size=1, max_size=4
).filter(lambda name: name not in _RESERVED)


@st.composite
def roi_tables(
    draw: st.DrawFn,
    axes: Sequence[str] = ("z", "y", "x"),
    *,
    names: st.SearchStrategy[str] | None = None,
    gaps: bool = True,
    max_size: int = 4,
) -> list[Roi]:
    """Draw regions that fit into a table: names of their own, labels for all or none, extras of one type a column.

    Args:
        draw: Given by hypothesis.
        axes: Of the regions, which are bounded along each.
        names: Of the regions; any text by default.
        gaps: Whether regions may lack extras that others have.
        max_size: The most regions.
    """
    count = draw(st.integers(0, max_size))
    kinds = draw(st.dictionaries(_COLUMN_NAMES, st.sampled_from(list(_VALUES)), max_size=3))
    called = draw(st.lists(_VALUES["text"] if names is None else names, min_size=count, max_size=count, unique=True))
    ids = draw(st.lists(st.integers(0, 2**63 - 1), min_size=count, max_size=count, unique=True))
    labelled = draw(st.booleans())
    table = []
    for name, label in zip(called, ids, strict=True):
        slices = tuple(RoiSlice(axis, draw(dyadic_numbers()), draw(dyadic_numbers(0))) for axis in axes)
        extra = {key: draw(_VALUES[kind]) for key, kind in kinds.items() if not gaps or draw(st.booleans())}
        table.append(Roi(name, slices, label if labelled else None, extra=extra))
    return table
