"""Images as pictures of matplotlib (extra `plot`), at their place in the world."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import xarray as xr

from ngio_x._frozen import named, to_bool
from ngio_x._html import times
from ngio_x.arrays.channels import ChannelsLike, channels_shown
from ngio_x.arrays.composite import composite
from ngio_x.arrays.crop import crop, in_world
from ngio_x.arrays.roles import IMAGE, LABELS, is_labels, role_of, settled, with_role
from ngio_x.arrays.show import extent_of
from ngio_x.arrays.tree import array_of, image_of, pyramid_of, require_tree
from ngio_x.errors import NgioTypeError, NgioValueError
from ngio_x.roi.columns import listed
from ngio_x.roi.roi import Roi, RoiLike
from ngio_x.view.overlays import (
    Axes,
    add_scale_bar,
    axes_or_new,
    frame,
    plot_labels,
    plot_rois,
    require_matplotlib,
    room_of,
)
from ngio_x.view.plane import Image, labels_in, planar, plane_of


def plot_image(
    image: xr.DataArray | xr.DataTree,
    roi: RoiLike | None = None,
    *,
    rois: Iterable[Roi] = (),
    labels: xr.DataArray | xr.DataTree | str | None = None,
    channels: ChannelsLike | None = None,
    scale_bar: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """Draw a plane of an image in world units, y pointing down, and return the axes.

    The axes show the edges of pixels: pixel k covers `[origin + k·spacing, origin + (k+1)·spacing)`. Several channels
    add up as light does; a single one is drawn with a colour map, so that matplotlib's `colorbar` knows it; of label
    images, each id has a colour.

    Args:
        image: A labelled image, or a tree of levels, of which the one is read that suits the size of the picture.
        roi: The piece that is drawn; by default all of it.
        rois: Regions whose boxes are drawn over it; of an image that is one plane of several, those that hold it.
        labels: A label image whose outlines are drawn, or the name of one in the tree.
        channels: Which channels are drawn, and how, as for `composite`. By default those that are active; where
            nothing is known of them, grey levels that suit the pixels.
        scale_bar: Whether there is a bar of a round length.
        ax: Axes of matplotlib to draw on; by default those of a new figure.

    Raises:
        NgioTypeError: If an argument is of another type.
        NgioKeyError: If the tree has no labels of that name, or there is no such channel.
        NgioValueError: If the image has several planes, a lazy array is too large to be read for a picture, or
            matplotlib is missing.
    """
    regions, base, ax = listed(rois), image_of(image), axes_or_new(ax)
    placed = None if roi is None else in_world(roi, base)
    plane = plane_of(image, placed, room_of(ax))
    _draw(ax, plane, channels)
    frame(ax, plane)
    if labels is not None:
        plot_labels(labels_in(image, labels), placed, ax=ax)
    if regions:
        plot_rois(planar(regions, base if placed is None else crop(base, placed)), ax)
    if named("scale_bar", to_bool)(scale_bar):
        add_scale_bar(ax, plane)
    return ax


def _draw(ax: Axes, plane: xr.DataArray, channels: ChannelsLike | None) -> None:
    from matplotlib.colors import LinearSegmentedColormap  # noqa: PLC0415 — an extra

    options: dict[str, Any] = {
        "extent": (*extent_of(plane, "x"), *extent_of(plane, "y")[::-1]),
        "interpolation": "nearest",
        "aspect": "auto",
    }
    if is_labels(plane):
        if "c" in plane.dims:
            raise NgioValueError(f"labels have no channels, but these have {plane.sizes['c']}: pick one with isel(c=0)")
        ax.imshow(composite(plane), **options)
        return
    shown = channels_shown(plane, channels)
    if len(shown) != 1 or any(channel.display[0] == channel.display[1] for channel in shown.values()):
        ax.imshow(composite(plane, shown or None), **options)  # colours, or a threshold: no colour map
        return
    ((at, channel),) = shown.items()
    (low, high), ramp = channel.display, ["black", f"#{channel.color}"]
    pixels = plane.isel(c=at) if "c" in plane.dims else plane
    ax.imshow(pixels, cmap=LinearSegmentedColormap.from_list(channel.label, ramp), vmin=low, vmax=high, **options)


def plot_levels(
    tree: xr.DataTree,
    roi: RoiLike | None = None,
    *,
    rois: Iterable[Roi] = (),
    labels: xr.DataTree | str | None = None,
    channels: ChannelsLike | None = None,
    axes: Sequence[Axes] | None = None,
) -> tuple[Axes, ...]:
    """Draw all levels of an image side by side, in world units and with the same grey levels; return their axes.

    Args:
        tree: An image, or one of its label images.
        roi: The piece that is drawn; by default all of it.
        rois: Regions whose boxes are drawn.
        labels: Label images whose outlines are drawn, each level on its own; or their name in the tree.
        channels: As for `plot_image`; grey levels that are not known are chosen on the coarsest level.
        axes: Axes of matplotlib to draw on, one a level; by default those of a new figure.

    Raises:
        NgioTypeError: If an argument is of another type.
        NgioKeyError: If the tree has no labels of that name, or there is no such channel.
        NgioValueError: If there are not as many axes as levels, or for a reason that `plot_image` has.
    """
    require_tree(tree)
    regions = listed(rois)
    shown = tree if roi is None else crop(tree, in_world(roi, image_of(tree)))
    nodes = pyramid_of(shown)
    role = role_of(settled(image_of(shown)))
    levels = {node.name or path: with_role(array_of(node), role or IMAGE) for path, node in nodes.items()}
    outlined = [] if labels is None else _levels_of(labels_in(shown, labels), roi, image_of(tree))
    if axes is not None and not isinstance(axes, (list, tuple, np.ndarray)):
        raise NgioTypeError(f"axes must be Axes of matplotlib in a list, got {type(axes).__name__}")
    places = (
        _row_of_axes(next(iter(levels.values())), len(levels)) if axes is None else list(getattr(axes, "flat", axes))
    )
    if len(places) != len(levels):
        raise NgioValueError(f"axes must be {len(levels)}, one a level, got {type(axes).__name__} of {len(places)}")
    places = [axes_or_new(ax, "axes") for ax in places]
    *_, coarsest = levels.values()
    same = channels if role == LABELS else _same_limits(coarsest, channels)
    world = [in_world(each, image_of(tree)) for each in regions]
    for number, (ax, (name, level)) in enumerate(zip(places, levels.items(), strict=True)):
        own = outlined[min(number, len(outlined) - 1)] if outlined else None
        plot_image(level, rois=world, labels=own, channels=same, ax=ax)
        ax.set_title(f"level {name}: {times((level.sizes['y'], level.sizes['x']))}")
    return tuple(places)


def _same_limits(image: xr.DataArray, channels: ChannelsLike | None) -> ChannelsLike:
    plane = plane_of(image, None, (image.sizes.get("y", 1), image.sizes.get("x", 1)))
    return channels_shown(plane, channels)


def _levels_of(labels: Image, roi: RoiLike | None, base: xr.DataArray) -> list[xr.DataArray]:
    piece = labels if roi is None else crop(labels, in_world(roi, base))
    return [array_of(node) for node in pyramid_of(piece).values()] if isinstance(piece, xr.DataTree) else [piece]


def _row_of_axes(image: xr.DataArray, count: int) -> list[Axes]:
    """Return the axes of a new figure, whose proportions suit the image."""
    require_matplotlib()
    import matplotlib.pyplot as plt  # noqa: PLC0415 — an extra

    (low, high), (left, right) = extent_of(image, "y"), extent_of(image, "x")
    ratio = (high - low) / (right - left)
    _, axes = plt.subplots(
        1, count, figsize=(4 * count, 4 * min(max(ratio, 0.3), 2) + 0.5), squeeze=False, layout="constrained"
    )
    return list(axes[0])
