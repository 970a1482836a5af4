"""The pixels of a picture: one plane, from a level that has about as many as there is room for."""

from __future__ import annotations

import math
from typing import Any, Final

import xarray as xr

from ngio_x.arrays.crop import crop, in_world
from ngio_x.arrays.lazy import is_lazy, require_plain
from ngio_x.arrays.levels import level_for
from ngio_x.arrays.roles import LABELS, Role, role_of, settled, with_role
from ngio_x.arrays.show import extent_of
from ngio_x.arrays.tree import array_of, image_of
from ngio_x.arrays.zoom import zoom
from ngio_x.errors import NgioKeyError, NgioTypeError, NgioValueError
from ngio_x.roi.roi import Roi, RoiLike

Image = xr.DataArray | xr.DataTree
_MOST: Final = 2**26
"""Pixels that are read or computed for a picture, at most."""


def plane_of(image: Image, roi: RoiLike | None, room: tuple[float, float], role: Role | None = None) -> xr.DataArray:
    """Return the pixels that a picture shows, in memory, with axes y and x, and c before them if the image has it.

    Args:
        image: An image; of a tree, the coarsest level whose pixels are no larger than those of the picture.
        roi: What is shown of it.
        room: Pixels of the picture along y and x. An array that has more than twice as many is made smaller.
        role: What the image is, where the caller knows; by default what it says itself.

    Raises:
        NgioValueError: If there is more than one plane, or too much to read.
    """
    if roi is not None:
        image = crop(image, in_world(roi, image_of(image)))
    base = image_of(image)
    require_plain(base)
    _require_plane(base, "labels have" if role == LABELS else "image has")
    size = max(_length(base, axis) / pixels for axis, pixels in zip("yx", room, strict=True))  # of the picture's pixels
    if isinstance(image, xr.DataTree):
        base = array_of(level_for(image, pixel_size={"y": size, "x": size}))
    plane = base.squeeze([dim for dim, size in base.sizes.items() if size == 1 and dim not in ("c", "y", "x")])
    plane = plane.transpose("c", "y", "x", missing_dims="ignore")
    if is_lazy(plane) and plane.size > _MOST:
        raise NgioValueError(
            f"the picture would read {plane.size} pixels: show a region with roi=, or a tree that has coarser levels"
        )
    plane = settled(plane) if role is None else with_role(plane, role)
    fitted = {axis: min(plane.sizes[axis], math.ceil(_length(plane, axis) / size)) for axis in "yx"}
    if any(plane.sizes[axis] > 2 * n for axis, n in fitted.items()):
        keeps_values = plane.dtype.kind == "b" or role_of(plane) == LABELS
        plane = zoom(plane.compute(), shape=fitted, order="nearest" if keeps_values else "mean")
    return plane.compute()


def _require_plane(image: xr.DataArray, subject: str) -> None:
    if missing := [axis for axis in ("y", "x") if axis not in image.dims]:
        raise NgioValueError(f"a picture has axes y and x, but {missing[0]!r} is missing from {image.dims}")
    if image.dtype.kind not in "biuf":
        raise NgioTypeError(f"a picture shows real numbers, got {image.dtype}: take abs(image), or image.real")
    for dim, size in image.sizes.items():
        if dim not in ("c", "y", "x") and size > 1:
            raise NgioValueError(
                f"a picture shows one plane, but the {subject} {size} along '{dim}': pick one with "
                f"isel({dim}={size // 2}) or roi=, or project them with max('{dim}'); of a tree and its labels, with "
                f"map_levels(tree, lambda each: each.max('{dim}'), on='all')"
            )


def _length(image: xr.DataArray, axis: str) -> float:
    low, high = extent_of(image, axis)
    return high - low


def labels_in(image: Image, labels: Any) -> Image:
    """Return label images: those that are given, or those that a tree has under a name.

    Raises:
        NgioKeyError: If the tree has none of that name.
        NgioTypeError: If a name comes with an array.
    """
    if not isinstance(labels, str):
        image_of(labels, "labels")
        return labels  # type: ignore[no-any-return]
    if not isinstance(image, xr.DataTree):
        raise NgioTypeError(f"labels={labels!r} names label images of a tree: pass the tree, or the labels themselves")
    folder = image.children.get("labels")
    names = [] if folder is None else list(folder.children)
    if folder is None or labels not in names:
        raise NgioKeyError(f"labels must be of the tree's {names}, got {labels!r}")
    return folder.children[labels]


def planar(rois: list[Roi], image: xr.DataArray) -> list[Roi]:
    """Return the regions, in world units, that hold the plane of an image along axes of which it is one pixel."""
    placed = [in_world(roi, image) for roi in rois]
    others = [dim for dim, size in image.sizes.items() if dim not in ("y", "x", "c") and size == 1]
    flat = image.isel(dict.fromkeys(others, 0))
    places = {
        str(name): float(coordinate)
        for name, coordinate in flat.coords.items()
        if coordinate.ndim == 0 and coordinate.dtype.kind in "iuf" and name != "c"
    }
    return [roi for roi in placed if all(_holds(roi, axis, at) for axis, at in places.items())]


def _holds(roi: Roi, axis: str, at: float) -> bool:
    start, end = (None, None) if axis not in roi else roi[axis].bounds
    return (start is None or start <= at) and (end is None or at < end)
