"""Shape, axes, pixel size and channels of whatever holds an image, as values."""

from __future__ import annotations

import numpy as np
import xarray as xr

from ngio_x.arrays.channels import known_channels
from ngio_x.arrays.image import lattice_of
from ngio_x.arrays.lazy import is_lazy, stored_sizes
from ngio_x.arrays.tree import image_of
from ngio_x.errors import NgioValueError
from ngio_x.metadata.axes import CANONICAL_ORDER, AxesHandler, AxesSetup, Axis
from ngio_x.metadata.channels import Channel, colors_of, suited_to
from ngio_x.metadata.dataset import Dataset
from ngio_x.metadata.dimensions import Dimensions
from ngio_x.metadata.pixel_size import PixelSize


def dimensions_of(image: xr.DataArray | xr.Dataset | xr.DataTree) -> Dimensions:
    """Return shape, chunks, axes, pixel size and translation (the world edge of pixel 0) of an image.

    Chunks are what is read or computed at once: blocks of dask, else chunks on disk; in memory, it is all. A tree
    answers for its level 0, a Dataset for the image in it.

    Raises:
        NgioValueError: If coordinates are not evenly spaced, or a tree or Dataset holds several images or none.
        NgioTypeError: If `image` is not a DataArray, Dataset or DataTree.
    """
    image = image_of(image)
    names = tuple(str(dim) for dim in image.dims)
    lattices = [lattice_of(image, dim) for dim in image.dims]
    axes = tuple(
        Axis(name, unit=None if lattice is None else lattice.unit)
        for name, lattice in zip(names, lattices, strict=True)
    )
    others = tuple(name for name in names if name not in CANONICAL_ORDER)
    dataset = Dataset(
        "0",
        AxesHandler(axes, AxesSetup(others=others, allow_non_canonical_axes=bool(others))),
        scale=tuple(1.0 if lattice is None else lattice.spacing for lattice in lattices),
        translation=tuple(0.0 if lattice is None else lattice.edge for lattice in lattices),
    )
    return Dimensions(image.shape, _chunks_of(image), dataset)


def _chunks_of(image: xr.DataArray) -> tuple[int, ...]:
    if image.chunks is not None:
        return tuple(max(sizes) for sizes in image.chunks)
    stored = stored_sizes(image) if is_lazy(image) else {}
    return tuple(min(size, stored.get(str(dim), size)) for dim, size in image.sizes.items())


def pixel_size_of(image: xr.DataArray | xr.Dataset | xr.DataTree) -> PixelSize:
    """Return the pixel size of an image, of a tree that of level 0; z and t are 1 where it lacks them.

    Raises:
        NgioValueError: If it lacks y or x, their units differ, coordinates are not evenly spaced, or a tree or Dataset
            holds several images or none.
        NgioTypeError: If `image` is not a DataArray, Dataset or DataTree.
    """
    image = image_of(image)
    try:
        return dimensions_of(image).pixel_size
    except NgioValueError:
        bare = [axis for axis in ("y", "x") if axis in image.dims and axis not in image.coords]
        if len(bare) != 1 or not {"y", "x"} <= set(image.dims):
            raise
        raise NgioValueError(
            f"axis {bare[0]!r} has no coordinates, so that nothing says how large its pixels are: give their size with "
            f"as_image(image, pixel_size={{{bare[0]!r}: ...}})"
        ) from None


def channels_of(image: xr.DataArray | xr.Dataset | xr.DataTree) -> tuple[Channel, ...]:
    """Return the channels of an image, one for each position along c; no pixel is read.

    They are what the coordinates `c`, `color`, `window_min`, `window_max`, `window_start`, `window_end` and `active`
    say. Where these are silent, colours take turns, and grey levels are all that the data type has.

    >>> from ngio_x.arrays.image import as_image
    >>> image = as_image([[[0]], [[1]]], "cyx", channels=[Channel("DNA", "FF00FF", display=(0, 9)), "actin"])
    >>> [(channel.label, channel.color) for channel in channels_of(image.isel(c=[1, 0]))]
    [('actin', '00FFFF'), ('DNA', 'FF00FF')]

    Args:
        image: A labelled array; without an axis c it is one channel. A tree stands for its level 0, a Dataset
            for the image in it.

    Raises:
        NgioTypeError: If `image` is not a DataArray, Dataset or DataTree.
        NgioValueError: If a tree or Dataset holds several images or none.
    """
    image = image_of(image)
    known = known_channels(image)
    labels = [channel.label or f"channel_{at}" for at, channel in enumerate(known)]
    nothing = np.empty(0, image.dtype)
    suited = (suited_to(nothing, label, color) for label, color in zip(labels, colors_of(labels), strict=True))
    return tuple(own._replace(label=new.label).completed(new) for own, new in zip(known, suited, strict=True))
