"""What is drawn over pictures, in world units: regions, outlines of labels, a scale bar."""

from __future__ import annotations

import math
from collections.abc import Iterable
from importlib.util import find_spec
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import xarray as xr

from ngio_x._frozen import at_least, named, shown, to_bool, to_float
from ngio_x.arrays.composite import label_colors
from ngio_x.arrays.image import lattice_of
from ngio_x.arrays.roles import LABELS, require_labels
from ngio_x.arrays.show import extent_of
from ngio_x.arrays.tree import image_of
from ngio_x.errors import NgioTypeError, NgioValueError
from ngio_x.metadata.units import conversion, symbol_of
from ngio_x.roi.boxes import hull_of
from ngio_x.roi.columns import listed
from ngio_x.roi.roi import Roi, RoiLike
from ngio_x.view.plane import Image, plane_of

Axes: TypeAlias = Any
"""Axes of matplotlib, which is an extra."""
_to_width = named("linewidth", at_least(0, to_float))
Outlines: TypeAlias = tuple[npt.NDArray[np.float64], npt.NDArray[Any]]


def require_matplotlib() -> None:
    """Refuse to draw without matplotlib.

    Raises:
        NgioValueError: If it is missing.
    """
    if find_spec("matplotlib") is None:
        raise NgioValueError("pictures need matplotlib: pip install 'ngio-x[plot]'")


def axes_or_new(ax: Axes | None, argument: str = "ax") -> Axes:
    """Return axes to draw on: those that are given, or those of a new figure.

    Raises:
        NgioValueError: If matplotlib is missing.
        NgioTypeError: If what is given are no axes.
    """
    require_matplotlib()
    if ax is not None:
        if not hasattr(ax, "imshow"):
            raise NgioTypeError(f"{argument} must be Axes of matplotlib, got {type(ax).__name__}")
        return ax
    import matplotlib.pyplot as plt  # noqa: PLC0415 — an extra

    return plt.subplots(layout="constrained")[1]


def room_of(ax: Axes) -> tuple[float, float]:
    """Return the pixels of the screen or the file along y and x."""
    box = ax.get_window_extent()
    return max(1.0, box.height), max(1.0, box.width)


def frame(ax: Axes, image: xr.DataArray) -> None:
    """Give axes the extent, the units and the proportions of an image; y points down."""
    ax.set_xlim(*extent_of(image, "x"))
    ax.set_ylim(*extent_of(image, "y")[::-1])
    units = {axis: getattr(lattice_of(image, axis), "unit", None) for axis in ("y", "x")}
    for axis, setter in (("x", ax.set_xlabel), ("y", ax.set_ylabel)):
        setter(f"{axis} [{symbol_of(units[axis])}]" if units[axis] else axis)
    try:
        ax.set_aspect(conversion(units["y"], units["x"]))
    except NgioValueError:  # units that have nothing in common
        ax.set_aspect("auto")


def plot_rois(
    rois: Iterable[Roi],
    ax: Axes | None = None,
    *,
    color: Any = "yellow",
    linewidth: float = 1.0,
    names: bool = False,
) -> Axes:
    """Draw the boxes of regions, in world units, and return the axes.

    Args:
        rois: Regions in world units. Where one has no bound, its box ends with the picture.
        ax: Axes of matplotlib, such as those of `plot_image`; by default those of a new figure that holds the regions.
        color: As in matplotlib.
        linewidth: In points.
        names: Whether names stand at the boxes.

    Raises:
        NgioTypeError: If something else than a region is among them.
        NgioValueError: If one is in pixels, or matplotlib is missing.
    """
    regions, width, named_too = listed(rois), _to_width(linewidth), named("names", to_bool)(names)
    if wrong := [roi for roi in regions if roi.space != "world"]:
        raise NgioValueError(
            f"{wrong[0].get_name()} is in pixels: convert it with to_world, or pass it to plot_image with its image"
        )
    is_new, ax = ax is None, axes_or_new(ax)
    from matplotlib.collections import PolyCollection  # noqa: PLC0415 — an extra
    from matplotlib.colors import is_color_like  # noqa: PLC0415 — an extra

    if not isinstance(color, (str, tuple)) or not is_color_like(color):
        raise NgioValueError(f"color must be one of matplotlib's, such as 'red' or '#ff0000', got {shown(color)}")

    if is_new:
        ax.set(xlim=hull_of(roi.get("x") for roi in regions), ylim=hull_of(roi.get("y") for roi in regions)[::-1])
        ax.set(xlabel="x", ylabel="y", aspect="equal")
    limits = {"x": sorted(ax.get_xlim()), "y": sorted(ax.get_ylim())}
    spans = [{axis: _span(roi, axis, *limits[axis]) for axis in ("y", "x")} for roi in regions]
    corners = [[(x, y) for x, y in zip((*s["x"], *s["x"][::-1]), np.repeat(s["y"], 2), strict=True)] for s in spans]
    style = {"edgecolors": color, "linewidths": width, "facecolors": "none"}
    ax.add_collection(PolyCollection(corners, **style), autolim=False)
    for roi, span in zip(regions, spans, strict=True):
        if named_too:
            ax.text(span["x"][0], span["y"][0], roi.get_name(), color=color, size="small", va="bottom", clip_on=True)
    return ax


def _span(roi: Roi, axis: str, low: float, high: float) -> tuple[float, float]:
    start, end = roi[axis].bounds if axis in roi else (None, None)
    return low if start is None else start, high if end is None else end


def plot_labels(labels: Image, roi: RoiLike | None = None, *, linewidth: float = 1.0, ax: Axes | None = None) -> Axes:
    """Draw the outlines of the objects of a label image, each in the colour of its id, and return the axes.

    The lines run along the edges of pixels, in world units; where objects touch, in the colour of the larger id. They
    are open where the image ends.

    Args:
        labels: Label images of one plane; of a tree, the level that suits the picture.
        roi: The piece that is drawn.
        linewidth: In points.
        ax: Axes of matplotlib, such as those of `plot_image`; by default those of a new figure.

    Raises:
        NgioTypeError: If `labels` is no image, or holds no integers.
        NgioValueError: If there are several planes or channels, or matplotlib is missing.
    """
    width = _to_width(linewidth)
    is_new, ax = ax is None, axes_or_new(ax)
    from matplotlib.collections import LineCollection  # noqa: PLC0415 — an extra

    image_of(labels, "labels")
    require_labels(image_of(labels, "labels"))
    plane = plane_of(labels, roi, room_of(ax), LABELS)
    if "c" in plane.dims:
        raise NgioValueError(f"labels have no channels, but these have {plane.sizes['c']}: pick one with isel(c=0)")
    if is_new:
        frame(ax, plane)
    segments, ids = outlines(plane)
    ax.add_collection(LineCollection(list(segments), colors=label_colors(ids), linewidths=width), autolim=False)
    return ax


def outlines(labels: xr.DataArray) -> Outlines:
    """Return lines `(x, y)` where neighbours differ, shape (n, 2, 2), and the larger of the ids beside each."""
    ids = labels.transpose("y", "x").values
    ids = ids.astype(np.uint8) if ids.dtype.kind == "b" else ids
    (top, bottom), (left, right) = extent_of(labels, "y"), extent_of(labels, "x")
    y, x = np.linspace(top, bottom, ids.shape[0] + 1), np.linspace(left, right, ids.shape[1] + 1)
    row, start, stop, below = _runs(ids[:-1], ids[1:])
    along_x = np.stack([np.stack([x[start], y[row + 1]], -1), np.stack([x[stop], y[row + 1]], -1)], 1)
    column, start, stop, beside = _runs(ids[:, :-1].T, ids[:, 1:].T)
    along_y = np.stack([np.stack([x[column + 1], y[start]], -1), np.stack([x[column + 1], y[stop]], -1)], 1)
    return np.concatenate([along_x, along_y]), np.concatenate([below, beside])


def _runs(ids: npt.NDArray[Any], others: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], ...]:
    """Return row, start, stop and larger id of each run along the rows where two arrays differ in the same way."""
    differs, larger = ids != others, np.maximum(ids, others)
    begins, ends = differs.copy(), differs.copy()
    same = (larger[:, 1:] == larger[:, :-1]) & differs[:, 1:] & differs[:, :-1]
    begins[:, 1:] &= ~same
    ends[:, :-1] &= ~same
    row, start = np.nonzero(begins)
    return row, start, np.nonzero(ends)[1] + 1, larger[row, start]


def add_scale_bar(ax: Axes, image: xr.DataArray) -> None:
    """Draw a white bar of a round length, about a quarter of the width, into the lower right corner, edged in black."""
    from matplotlib.patheffects import withStroke  # noqa: PLC0415 — an extra

    (left, right), (top, bottom) = ax.get_xlim(), sorted(ax.get_ylim())
    width, height = right - left, bottom - top
    power = 10.0 ** math.floor(math.log10(width / 4))
    length = max(step * power for step in (1, 2, 5) if step * power <= width / 4)
    end, y = right - width * 0.05, bottom - height * 0.05
    unit = symbol_of(getattr(lattice_of(image, "x"), "unit", None))
    style = {"color": "white", "path_effects": [withStroke(linewidth=5, foreground="black")]}
    ax.plot([end - length, end], [y, y], linewidth=3, solid_capstyle="butt", scalex=False, scaley=False, **style)
    style["path_effects"] = [withStroke(linewidth=2, foreground="black")]
    ax.text(end - length / 2, y - height * 0.015, f"{length:g} {unit}".rstrip(), ha="center", va="bottom", **style)
