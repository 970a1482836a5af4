"""Change the number of pixels of a labelled image."""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Mapping
from functools import partial
from typing import Any, TypeVar

import xarray as xr

from ngio_x._frozen import named, positive, shown, to_float, to_int
from ngio_x.arrays.image import is_labels, lattice_in_hand
from ngio_x.arrays.pixel_index import PixelIndex
from ngio_x.arrays.pixel_labels import SPACING
from ngio_x.errors import NgioTypeError, NgioUserWarning, NgioValueError
from ngio_x.metadata.axes import axis_type_of
from ngio_x.resample.kernels import Kernel, Order, kernel_for
from ngio_x.resample.zoom import dask_zoom, numpy_zoom, require_exact, zoomed_size

Zoomable = TypeVar("Zoomable", xr.DataArray, xr.Dataset)


def zoom(
    image: Zoomable,
    scale: float | Mapping[str, float] | None = None,
    *,
    shape: Mapping[str, int] | None = None,
    order: Order | Mapping[str, Order] | None = None,
) -> Zoomable:
    """Return the image with more or fewer pixels over the same extent; axes that are not named are left alone.

    Names, attributes and dtypes are kept. Coordinates along a zoomed axis become those of the new pixels; other
    coordinates with a value for each of its pixels are dropped with a warning.

    Args:
        image: A DataArray, or a Dataset, each of whose variables is zoomed.
        scale: Factors by axis (0.5 halves the number of pixels), or one for z, y and x. The new size is
            `max(1, round(n * factor))`, halves rounded to even.
        shape: New sizes by axis, instead of `scale`.
        order: A kernel of `numpy_zoom`; for a Dataset also kernels by variable. Default: nearest for label and boolean
            images, else linear.

    Raises:
        NgioValueError: If neither or both of `scale` and `shape` are given, an axis or variable is unknown, a number
            is not positive, or `order` would blend the ids of a label image.
        NgioTypeError: If `image` is neither DataArray nor Dataset.
    """
    if not isinstance(image, (xr.DataArray, xr.Dataset)):
        raise NgioTypeError(
            f"image must be a DataArray or Dataset, got {type(image).__name__}: use numpy_zoom, or as_image first"
        )
    sizes = _new_sizes(image, scale, shape)
    changed = [dim for dim in image.dims if sizes[dim] != image.sizes[dim]]
    if isinstance(image, xr.DataArray):
        zoomed = _zoomed(image, sizes, kernel_of(image, order))
        return xr.DataArray(zoomed, _coords(image, changed, sizes), name=image.name)
    kernels = _kernels_of(image, changed, order)
    variables = {
        name: _zoomed(array, sizes, kernels[name]) if name in kernels else array.variable
        for name, array in image.data_vars.items()
    }
    return xr.Dataset(variables, _coords(image, changed, sizes), image.attrs)


def kernel_of(image: xr.DataArray, order: object = None) -> Kernel:
    """Return the kernel to zoom an image with: by default nearest for label and boolean images, linear for others.

    Raises:
        NgioValueError: If `order` is unknown, or would blend what cannot be blended: ids, booleans.
    """
    if order is None:
        order = "nearest" if is_labels(image) or image.dtype.kind == "b" else "linear"
    kernel = kernel_for(order, image.dtype)
    if is_labels(image) and kernel.blends:
        raise NgioValueError(f"order={order!r} blends the ids of a label image; use 'nearest' or 'mode'")
    return kernel


def _kernels_of(dataset: xr.Dataset, changed: list[Hashable], order: Any) -> dict[Hashable, Kernel]:
    """Return the kernels of the variables that have an axis to zoom, or that `order` names."""
    by_name = isinstance(order, Mapping)
    if by_name and (unknown := [name for name in order if name not in dataset.data_vars]):
        raise NgioValueError(f"order names {unknown}, but the variables are {list(dataset.data_vars)}")
    kernels = {}
    for name, array in dataset.data_vars.items():
        zoomed = not set(changed).isdisjoint(array.dims)
        if zoomed or (by_name and name in order):  # a wrong name is wrong whether it is used or not
            try:
                kernels[name] = kernel_of(array, order.get(name) if by_name else order)
            except NgioValueError as error:
                raise NgioValueError(f"variable {name!r}: {error}") from None
    return kernels


def _zoomed(array: xr.DataArray, sizes: Mapping[Hashable, int], kernel: Kernel) -> xr.Variable:
    """Return the array with other sizes, without coordinates."""
    target_shape = tuple(sizes[dim] for dim in array.dims)
    engine = numpy_zoom if array.chunks is None else dask_zoom
    return xr.Variable(array.dims, engine(array.data, target_shape=target_shape, order=kernel.name), array.attrs)


def _new_sizes(
    image: xr.DataArray | xr.Dataset, scale: float | Mapping[str, float] | None, shape: Mapping[str, int] | None
) -> dict[Hashable, int]:
    if (scale is None) == (shape is None):
        raise NgioValueError(f"give either scale or shape, got {'neither' if scale is None else 'both'}")
    if scale is not None and not isinstance(scale, Mapping):
        scale = {str(dim): scale for dim in image.dims if axis_type_of(str(dim)) == "space"}
    wanted, argument = (scale, "scale") if shape is None else (shape, "shape")
    if not isinstance(wanted, Mapping):
        raise NgioValueError(f"shape must be a mapping by axis name, got {shown(wanted)}")
    sizes = dict(image.sizes)
    for axis, value in wanted.items():
        if axis not in sizes:
            raise NgioValueError(f"{argument} must name axes of {tuple(image.dims)}, got {axis!r}")
        number = named(f"{argument} along '{axis}'", positive(to_int if scale is None else to_float))(value)
        size = int(number) if scale is None else zoomed_size(sizes[axis], number)
        named(f"{argument}={shown(value)} along '{axis}':", partial(require_exact, (sizes[axis],)))((size,))
        sizes[axis] = size
    return sizes


def _coords(image: xr.DataArray | xr.Dataset, changed: list[Hashable], sizes: Mapping[Hashable, int]) -> xr.Coordinates:
    """Return the coordinates of the zoomed image; losing more than those along the axes themselves is warned of."""
    lost = [name for name, coord in image.coords.items() if not set(changed).isdisjoint(coord.dims)]
    if others := [name for name in lost if name not in changed]:
        warnings.warn(
            f"coordinates {others} have one value for each pixel along {changed} and are dropped: zoom them yourself",
            NgioUserWarning,
            stacklevel=3,
        )
    coords = image.coords.to_dataset().drop_vars(lost).coords
    for dim in changed:
        lattice = lattice_in_hand(image, dim)
        if lattice is not None:
            created = xr.Coordinates.from_xindex(PixelIndex(lattice.resized(sizes[dim]), dim))
            kept = {key: value for key, value in image[dim].attrs.items() if key != SPACING}
            created[dim].attrs.update(kept)
            coords = coords.assign(created)
    return coords
