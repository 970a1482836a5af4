"""Change the number of pixels of a labelled image."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import xarray as xr

from ngio_x._frozen import named, positive, shown, to_int, to_positive_float
from ngio_x.arrays.image import lattice_in_hand
from ngio_x.arrays.lazy import require_plain
from ngio_x.arrays.pixel_index import PixelIndex
from ngio_x.arrays.pixel_labels import without_size
from ngio_x.arrays.roles import LABELS, by_place, is_labels, role_of
from ngio_x.arrays.tree import IMAGE, home_of, pyramids_of, with_levels
from ngio_x.errors import NgioTypeError, NgioValueError, warn
from ngio_x.metadata.axes import SPACE, FactorsByAxis, by_axis
from ngio_x.resample.kernels import Kernel, Order, kernel_for
from ngio_x.resample.zoom import dask_zoom, numpy_zoom, require_exact, zoomed_size

Zoomable = TypeVar("Zoomable", bound=xr.DataArray | xr.Dataset | xr.DataTree)


def zoom(
    image: Zoomable,
    scale: FactorsByAxis | None = None,
    *,
    shape: Sequence[int] | Mapping[str, int] | None = None,
    order: Order | Mapping[str, Order] | None = None,
) -> Zoomable:
    """Return the image with more or fewer pixels over the same extent; axes that are not named are left alone.

    Names, attributes and dtypes are kept. Coordinates along a zoomed axis become those of the new pixels; other
    coordinates with a value for each of its pixels are dropped with a warning.

    Args:
        image: A DataArray; a Dataset, each of whose variables is zoomed; or a tree, each of whose levels is.
        scale: Factors (0.5 halves the number of pixels) by axis, one for z, y and x, or one for each axis in their
            order. The new size is `max(1, round(n * factor))`, halves rounded to even.
        shape: New sizes by axis, or one for each axis in their order, instead of `scale`. Not of a tree,
            whose levels differ in size.
        order: A kernel of `numpy_zoom`; for a Dataset or a tree also kernels by variable. Default: nearest for label
            and boolean images, else linear; integers that say neither that they are labels nor an image are treated as
            an image.

    Warns:
        NgioRoleWarning: If `order` is not given, and integers do not say which of the two they are.

    Raises:
        NgioValueError: If neither or both of `scale` and `shape` are given, an axis or variable is unknown, a number
            is not positive, or `order` would blend the ids of a label image.
        NgioTypeError: If `image` is not a DataArray, Dataset or DataTree.
    """
    if isinstance(image, xr.DataTree):
        return _zoomed_tree(image, scale, shape, order)  # type: ignore[return-value]  # of the kind that was given
    if not isinstance(image, (xr.DataArray, xr.Dataset)):
        raise NgioTypeError(
            f"image must be a DataArray, Dataset or DataTree, got {type(image).__name__}: use numpy_zoom, or as_image "
            "first"
        )
    sizes = _new_sizes(image, scale, shape)
    if isinstance(image, xr.DataArray):
        zoomed = _zoomed(image, sizes, kernel_of(image, order))
        return xr.DataArray(zoomed, _coords(image, sizes), name=image.name)  # type: ignore[return-value]  # of the kind that was given
    return _zoomed_dataset(image, sizes, _kernels_of(image, sizes, order))  # type: ignore[return-value]  # of the kind that was given


def _zoomed_dataset(
    dataset: xr.Dataset, sizes: Mapping[Hashable, int], kernels: Mapping[Hashable, Kernel]
) -> xr.Dataset:
    variables = {
        name: _zoomed(array, sizes, kernels[name]) if name in kernels else array.variable
        for name, array in dataset.data_vars.items()
    }
    return xr.Dataset(variables, _coords(dataset, sizes), dataset.attrs)


def _zoomed_tree(tree: xr.DataTree, scale: FactorsByAxis | None, shape: object, order: Any) -> xr.DataTree:
    """Return the tree with each level zoomed, by the kernels that suit the finest of its pyramid."""
    if scale is None or shape is not None:
        raise NgioValueError("scale must be given for a tree, and shape must not: its levels differ in size")
    pyramids = [{path: node.to_dataset() for path, node in levels.items()} for levels in pyramids_of(tree)]
    datasets = [dataset for levels in pyramids for dataset in levels.values()]
    axes = list(dict.fromkeys(str(dim) for dataset in datasets for dim in dataset.dims))
    factors = by_axis(scale, axes, "scale", to_positive_float, alone=SPACE)
    if isinstance(order, Mapping):
        _require_known(order, {name for dataset in datasets for name in dataset.data_vars})
    zoomed: dict[str, xr.Dataset] = {}
    for levels in pyramids:
        kernels: dict[Hashable, Kernel] = {}
        labelled = home_of(tree[next(iter(levels))].path)[1] != IMAGE
        for path, dataset in levels.items():
            present = {axis: factor for axis, factor in factors.items() if axis in dataset.dims}
            sizes = _new_sizes(dataset, present, None)
            new = dataset.drop_vars(list(kernels), errors="ignore")  # a role is asked for, and warned of, once
            own = {name: order.get(name) for name in new.data_vars} if isinstance(order, Mapping) else order
            if labelled:
                new = new.assign({name: by_place(array) for name, array in new.data_vars.items()})
            kernels |= _kernels_of(new, sizes, own)
            zoomed[path] = _zoomed_dataset(dataset, sizes, kernels)
    return with_levels(tree, zoomed)


def _require_known(order: Mapping[Any, Any], variables: Collection[Hashable]) -> None:
    if unknown := [name for name in order if name not in variables]:
        raise NgioValueError(f"order must name variables of {sorted(map(str, variables))}, got {unknown[0]!r}")


def _changed(image: xr.DataArray | xr.Dataset, sizes: Mapping[Hashable, int]) -> list[Hashable]:
    return [dim for dim in image.dims if sizes[dim] != image.sizes[dim]]


def kernel_of(image: xr.DataArray, order: object = None) -> Kernel:
    """Return the kernel to zoom an image with: by default nearest for label and boolean images, linear for others.

    Raises:
        NgioValueError: If `order` is unknown, or would blend what cannot be blended: ids, booleans.
    """
    if order is None:
        order = "nearest" if image.dtype.kind == "b" or is_labels(image) else "linear"
    kernel = kernel_for(order, image.dtype)
    if kernel.blends and role_of(image) == LABELS:
        raise NgioValueError(f"order={order!r} blends the ids of a label image; use 'nearest' or 'mode'")
    return kernel


def _kernels_of(dataset: xr.Dataset, sizes: Mapping[Hashable, int], order: Any) -> dict[Hashable, Kernel]:
    """Return the kernels of the variables that have an axis to zoom, or that `order` names."""
    by_name = isinstance(order, Mapping)
    if by_name:
        _require_known(order, dataset.data_vars)
    kernels, changed = {}, _changed(dataset, sizes)
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
    require_plain(array)
    engine = numpy_zoom if array.chunks is None else dask_zoom
    return xr.Variable(array.dims, engine(array.data, target_shape=target_shape, order=kernel.name), array.attrs)


def _new_sizes(
    image: xr.DataArray | xr.Dataset, scale: FactorsByAxis | None, shape: Sequence[int] | Mapping[str, int] | None
) -> dict[Hashable, int]:
    if (scale is None) == (shape is None):
        raise NgioValueError(f"give either scale or shape, got {'neither' if scale is None else 'both'}")
    sizes, axes = dict(image.sizes), [str(dim) for dim in image.dims]
    if scale is None:
        argument, given = "shape", by_axis(shape, axes, "shape", positive(to_int))
        wanted = given
    else:
        argument, given = "scale", by_axis(scale, axes, "scale", to_positive_float, alone=SPACE)
        wanted = {axis: zoomed_size(sizes[axis], factor) for axis, factor in given.items()}
    for axis, size in wanted.items():
        require = partial(require_exact, (sizes[axis],))
        named(f"{argument}={shown(given[axis])} along '{axis}':", require)((size,))
        sizes[axis] = size
    return sizes


def _coords(image: xr.DataArray | xr.Dataset, sizes: Mapping[Hashable, int]) -> xr.Coordinates:
    """Return the coordinates of the zoomed image; losing more than those along the axes themselves is warned of."""
    changed = _changed(image, sizes)
    lost = [name for name, coord in image.coords.items() if not set(changed).isdisjoint(coord.dims)]
    if others := [name for name in lost if name not in changed]:
        warn(f"coordinates {others} have one value for each pixel along {changed} and are dropped: zoom them yourself")
    coords = image.coords.to_dataset().drop_vars(lost).coords
    for dim in changed:
        lattice = lattice_in_hand(image, dim)
        if lattice is not None:
            created = xr.Coordinates.from_xindex(PixelIndex(lattice.resized(sizes[dim]), dim))
            created[dim].attrs.update(without_size(image[dim].attrs))
            coords = coords.assign(created)
    return coords
