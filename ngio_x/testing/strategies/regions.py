"""Strategies for intervals, regions, and lists of regions: any, with known overlaps, and such as tables hold."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, Final

from hypothesis import strategies as st

from ngio_x.roi.roi import Roi, Space
from ngio_x.roi.roi_slice import RoiSlice


def dyadic_numbers(low: float = -64.0, high: float = 64.0) -> st.SearchStrategy[float]:
    """Draw multiples of 1/8 between two bounds."""
    return st.integers(int(low * 8), int(high * 8)).map(lambda eighths: eighths / 8)


spacings: Final = st.sampled_from((0.125, 0.25, 0.5, 1.0, 2.0, 4.0))
"""Powers of two."""


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
    plain = st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3) | dyadic_numbers()
    keys = st.sampled_from(("FieldIndex", "plate_name", "note"))
    extra = draw(st.dictionaries(keys, plain | st.lists(plain, max_size=2), max_size=2))
    return Roi(name, slices, label, space, extra)


_GRID: Final = 6
"""Cells along each axis that regions with known overlaps lie on."""


@st.composite
def rois_with_overlaps(
    draw: st.DrawFn, axes: Sequence[str] = ("y", "x"), *, max_rois: int = 8
) -> tuple[list[Roi], list[tuple[int, int]]]:
    """Draw world regions, and the pairs of positions `(i, j)`, `i < j`, of those that overlap: `(rois, pairs)`.

    The regions are blocks of cells of a grid, and overlap where they have a cell in common: many merely touch, and
    some are equal. All are closed, none is empty; the grid lies anywhere, negative numbers included.
    """
    spacing, origin = ({axis: draw(numbers) for axis in axes} for numbers in (spacings, dyadic_numbers()))
    starts = st.tuples(*[st.integers(0, _GRID - 1)] * len(axes))
    sizes = st.tuples(*[st.integers(1, 3)] * len(axes))
    blocks = draw(st.lists(st.tuples(starts, sizes), max_size=max_rois))
    rois, cells = [], []
    for number, block in enumerate(blocks):
        places = list(zip(*block, strict=True))
        slices = (
            RoiSlice(axis, origin[axis] + start * spacing[axis], size * spacing[axis])
            for axis, (start, size) in zip(axes, places, strict=True)
        )
        rois.append(Roi(f"{number}", tuple(slices)))
        cells.append({*itertools.product(*(range(start, start + size) for start, size in places))})
    pairs = [(i, j) for i, j in itertools.combinations(range(len(rois)), 2) if cells[i] & cells[j]]
    return rois, pairs


texts: Final = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
"""Any text that files can hold."""
values: Final[dict[type, st.SearchStrategy[Any]]] = {
    str: texts,
    int: st.integers(-(2**63), 2**63 - 1),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
}
"""What extras of each type may be."""
_RESERVED: Final = frozenset(("name", "slices", "label", "space", "extra", "FieldIndex", "_index", ".", ".."))
_column_names: Final = st.text(
    st.characters(categories=("L", "N"), include_characters=" _.-"), min_size=1, max_size=4
).filter(lambda name: name not in _RESERVED)


@st.composite
def roi_tables(
    draw: st.DrawFn,
    axes: Sequence[str] = ("z", "y", "x"),
    *,
    names: st.SearchStrategy[str] = texts,
    max_rois: int = 4,
    gaps: bool = True,
) -> list[Roi]:
    """Draw lists of world regions that fit into a ROI table, which `read_rois` gives back equal.

    They are closed, called differently, all have labels (different ones) or none, and extras of the same type under the
    same name.

    Args:
        draw: Given by hypothesis.
        axes: The axes of each region.
        names: What regions are called.
        max_rois: How many at most.
        gaps: Whether some regions may lack an extra that others have.
    """
    count = draw(st.integers(0, max_rois))
    kinds = draw(st.dictionaries(_column_names, st.sampled_from([*values]), max_size=3))
    called = draw(st.lists(names, min_size=count, max_size=count, unique=True))
    ids = draw(st.lists(st.integers(0, 2**63 - 1), min_size=count, max_size=count, unique=True))
    labelled = draw(st.booleans())
    rois = []
    for name, label in zip(called, ids, strict=True):
        slices = tuple(draw(roi_slices(axis, allow_open=False)) for axis in axes)
        extra = {key: draw(values[kind]) for key, kind in kinds.items() if not gaps or draw(st.booleans())}
        rois.append(Roi(name, slices, label if labelled else None, extra=extra))
    return rois
