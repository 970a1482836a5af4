"""An image cut into regions of equal size."""

from __future__ import annotations

import itertools

import xarray as xr

from ngio_x._frozen import shown
from ngio_x.arrays.image import integers_by_axis, lattice_of, require_image
from ngio_x.errors import NgioValueError
from ngio_x.metadata.axes import IntegersByAxis, axis_type_of
from ngio_x.roi.roi import Roi
from ngio_x.roi.roi_slice import RoiSlice


def tile(image: xr.DataArray, size: IntegersByAxis, overlap: IntegersByAxis = 0) -> list[Roi]:
    """Return regions of one size that together cover an image, the last axis running fastest.

    The tiles begin at the image's first pixel, and neighbours share `overlap` pixels; the last one along an axis ends
    where the image does, and may be smaller. Without overlap each pixel lies in one of them, at every level of a
    pyramid if they are cropped with `bounds="nearest"`. `assign_tiles` says which tile an object belongs to.

    >>> from ngio_x.arrays.image import as_image
    >>> import numpy as np
    >>> [roi.name for roi in tile(as_image(np.zeros((4, 10)), "yx", 0.5), {"y": 4, "x": 6})]
    ['y0_x0', 'y0_x1']

    Args:
        image: The labelled image.
        size: Pixels of a tile: one number for z, y and x, by axis, or one for each axis in their order.
        overlap: Pixels that neighbours share, below `size`: one number for z, y and x, or by axis.

    Returns:
        Regions in world units along z, y and x, as far as the image has them, and along what else `size` names; axes
        in space that it does not name are kept whole. Their names count tiles along each axis of `size`.

    Raises:
        NgioTypeError: If `image` is not a DataArray.
        NgioValueError: If a size is below 1, an overlap below 0 or not below its size, or an axis is unknown.
    """
    require_image(image)
    sizes = integers_by_axis(size, image, "size", 1)
    overlaps = integers_by_axis(overlap, [axis for axis in map(str, image.dims) if axis in sizes], "overlap", 0)
    axes = [dim for dim in map(str, image.dims) if dim in sizes or axis_type_of(dim) == "space"]
    if len(axes) < 2:
        raise NgioValueError(f"image must have two axes or more to be cut into tiles, got {image.dims}")
    pieces = [_along(image, axis, sizes.get(axis), overlaps.get(axis, 0)) for axis in axes]
    tiles = []
    for places in itertools.product(*(range(len(along)) for along in pieces)):
        name = "_".join(f"{axis}{place}" for axis, place in zip(axes, places, strict=True) if axis in sizes)
        tiles.append(Roi(name, tuple(along[place] for along, place in zip(pieces, places, strict=True))))
    return tiles


def _along(image: xr.DataArray, axis: str, size: int | None, overlap: int) -> list[RoiSlice]:
    """Return the intervals of the tiles along one axis."""
    length = image.sizes[axis]
    size = max(length, 1) if size is None else size
    if overlap >= size:
        raise NgioValueError(
            f"overlap along '{axis}' must be below the size {shown(size)} of a tile, got {shown(overlap)}"
        )
    lattice = lattice_of(image, axis)
    edge, spacing = (0.0, 1.0) if lattice is None else (lattice.edge, lattice.spacing)
    starts = range(0, max(length - overlap, min(length, 1)), size - overlap)
    return [RoiSlice(axis, edge + at * spacing, (min(at + size, length) - at) * spacing) for at in starts]
