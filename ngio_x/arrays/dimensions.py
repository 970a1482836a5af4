"""Shape, axes and pixel size of whatever holds an image, as values."""

from __future__ import annotations

import xarray as xr

from ngio_x.arrays.image import lattice_of
from ngio_x.arrays.tree import image_of
from ngio_x.metadata.axes import CANONICAL_ORDER, AxesHandler, AxesSetup, Axis
from ngio_x.metadata.dataset import Dataset
from ngio_x.metadata.dimensions import Dimensions
from ngio_x.metadata.pixel_size import PixelSize


def dimensions_of(image: xr.DataArray | xr.Dataset | xr.DataTree) -> Dimensions:
    """Return shape, chunks, axes, pixel size and translation (the world edge of pixel 0) of an image.

    Of a tree, they are those of level 0; of a Dataset, those of the image in it.

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
    chunks = image.shape if image.chunks is None else tuple(max(sizes) for sizes in image.chunks)
    return Dimensions(image.shape, chunks, dataset)


def pixel_size_of(image: xr.DataArray | xr.Dataset | xr.DataTree) -> PixelSize:
    """Return the pixel size of an image, of a tree that of level 0; z and t are 1 where it lacks them.

    Raises:
        NgioValueError: If it lacks y or x, their units differ, coordinates are not evenly spaced, or a tree or Dataset
            holds several images or none.
        NgioTypeError: If `image` is not a DataArray, Dataset or DataTree.
    """
    return dimensions_of(image).pixel_size
