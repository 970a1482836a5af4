"""One object of an image, the rest blanked out."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import xarray as xr

from ngio_x._frozen import named, shown, to_int
from ngio_x.arrays.image import offset_in, require_image
from ngio_x.arrays.roles import require_labels
from ngio_x.errors import NgioValueError


def mask(image: xr.DataArray, labels: xr.DataArray, label_id: int, *, fill: Any = 0) -> xr.DataArray:
    """Return `image` where `labels` has the id, and `fill` elsewhere.

    Args:
        image: The image.
        labels: Label image on the same lattice. It may lack axes (such as c), and may be larger or smaller: pixels
            that it does not cover get `fill`. If it is boolean, True is the id 1.
        label_id: The id of the object.
        fill: Value of all other pixels; it must fit the image's dtype.

    Raises:
        NgioValueError: If the lattices or sizes do not fit, or `fill` does not fit the dtype.
        NgioTypeError: If one of the two is not a DataArray, or the labels are not integers, or an image.
    """
    require_image(image)
    require_image(labels, "labels")
    require_labels(labels)
    inside = on_pixels_of(image, labels == named("label_id", to_int)(label_id))
    return blanked(image, inside, fitting(fill, image.dtype))


def blanked(image: xr.DataArray, inside: xr.DataArray, fill: Any) -> xr.DataArray:
    """Return `image` where `inside` is true, and `fill`, a scalar of its dtype, elsewhere."""
    return image.where(inside, fill).transpose(*image.dims).assign_attrs(image.attrs)


def on_pixels_of(image: xr.DataArray | xr.Dataset, labels: xr.DataArray, what: str = "the labels") -> xr.DataArray:
    """Return labels on the pixels of an image, without coordinates; 0 or False where they do not cover them.

    Args:
        image: The image.
        labels: The labels.
        what: What they are called in messages.

    Raises:
        NgioValueError: If the labels have an axis that the image lacks, or lattices or sizes do not fit.
    """
    if unknown := [dim for dim in labels.dims if dim not in image.dims]:
        raise NgioValueError(f"axes of {what} must be of the image's {tuple(image.dims)}, got '{unknown[0]}'")
    for dim in labels.dims:
        labels = placed(labels, image, dim, what)
    return labels.drop_vars(labels.coords)


def placed(
    labels: xr.DataArray, image: xr.DataArray | xr.Dataset, dim: Hashable, what: str, ground: str = "the image"
) -> xr.DataArray:
    """Return labels, or a mask, on the pixels of an image along one axis; 0 or False where they do not cover them.

    Args:
        labels: The labels. Their lattice says where they lie, and names along axes that have them.
        image: The image.
        dim: The axis.
        what: What the labels are called in messages.
        ground: What the image is called in messages.

    Raises:
        NgioValueError: If lattices, sizes or names do not fit.
    """
    size, count = image.sizes[dim], labels.sizes[dim]
    offset = offset_in(image, labels, dim, what, ground)
    if offset is None:
        ours, theirs = image.indexes.get(dim), labels.indexes.get(dim)
        if ours is not None and theirs is not None and not ours.equals(theirs) and ours.is_unique and theirs.is_unique:
            return labels.reset_coords(drop=True).reindex({dim: ours}, fill_value=labels.dtype.type(0)).drop_vars([dim])
        if size != count:
            raise NgioValueError(
                f"axis '{dim}': {ground} has {size} pixels, {what} {count}, and no coordinates say how they fit"
            )
        return labels.drop_vars([dim], errors="ignore")
    low, high = max(0, -offset), max(0, -offset, min(count, size - offset))
    if low == high:  # dask pads no empty array
        shape = [size if each == dim else labels.sizes[each] for each in labels.dims]
        nothing = np.broadcast_to(labels.dtype.type(0), shape)
        return xr.DataArray(nothing, labels.coords.to_dataset().drop_dims([dim]).coords, labels.dims)
    before = min(max(0, offset), size)
    after = size - before - (high - low)
    labels = labels.isel({dim: slice(low, high)}).drop_vars([dim])
    if before or after:
        labels = labels.pad({dim: (before, after)}, constant_values=labels.dtype.type(0))
    return labels


def fitting(fill: Any, dtype: np.dtype[Any]) -> Any:
    """Return `fill` as the dtype's scalar.

    Raises:
        NgioValueError: If it does not fit.
    """
    try:
        value = np.asarray(fill)
        if value.dtype.kind == "c" and dtype.kind != "c":
            value = np.asarray(None)  # fits nowhere
        with np.errstate(invalid="ignore", over="ignore"):  # what does not survive the cast is refused below
            value = value.astype(dtype)
        fits = bool(value == fill) or (dtype.kind in "fc" and not np.isfinite(fill)) or dtype.kind == "f"
    except (TypeError, ValueError, OverflowError):
        fits = False
    if not fits or np.ndim(fill):
        raise NgioValueError(
            f"fill={shown(fill)} does not fit dtype {dtype}: choose a value that does, or convert the image"
        )
    return dtype.type(fill)
