"""Put a piece back into an image."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import xarray as xr

from ngio_x.arrays.crop import window
from ngio_x.arrays.image import lattice_of, require_image
from ngio_x.errors import NgioEmptyRegionError, NgioTypeError, NgioValueError
from ngio_x.roi.roi import RoiLike
from ngio_x.roi.rounding import Bounds


def paste(image: xr.DataArray, patch: Any, roi: RoiLike | None = None, *, bounds: Bounds = "outer") -> xr.DataArray:
    """Return a copy of `image` with `patch` in it; what the patch's lattice places outside the image is dropped.

    Args:
        image: The image; dtype, coordinates, attributes and name of the result are its own.
        patch: A DataArray, whose dimensions are found by name and may be fewer than the image's (it is repeated along
            the others, but for those of which one position was chosen, as by `sel(c="DNA")`: it goes there), or a
            plain array of the image's dimensions together with `roi`.
        roi: Where to put it: it must have the size of `window(image, roi, bounds)`. By default where the patch's own
            lattice and channel names say; axes without either must have the image's size.
        bounds: As in `window`.

    Raises:
        NgioEmptyRegionError: If the patch lies outside the image.
        NgioValueError: If sizes, lattices or axes do not fit.
        NgioTypeError: If `image` is no DataArray, or the patch's values do not fit its dtype.
    """
    require_image(image)
    return _assigned(image, *fitted(image, patch, roi, bounds))


def fitted(
    image: xr.DataArray, patch: Any, roi: RoiLike | None = None, bounds: Bounds = "outer"
) -> tuple[xr.DataArray, dict[Hashable, Any]]:
    """Return the part of a patch that lies in an image, and where that goes.

    Args:
        image: The image; its pixels are not read.
        patch: As in `paste`.
        roi: As in `paste`.
        bounds: As in `window`.

    Returns:
        The part, its axes in the image's order, and by axis a slice of array positions, or an array of them where they
        were found by name. An axis that neither has is taken as a whole.

    Raises:
        NgioEmptyRegionError: As `paste`.
        NgioValueError: As `paste`.
        NgioTypeError: As `paste`.
    """
    piece = _as_patch(image, patch, roi)
    _require_fitting_dtype(image.dtype, piece.dtype)
    if roi is not None:
        held = window(image, roi, bounds)
        target: dict[Hashable, Any] = {dim: held.get(str(dim), slice(0, image.sizes[dim])) for dim in piece.dims}
        for dim in _chosen(image, patch) - set(held):
            target[dim], _ = _place(image, piece, dim)
        for dim, positions in target.items():
            if isinstance(positions, slice) and positions.stop - positions.start != piece.sizes[dim]:
                raise NgioValueError(
                    f"axis '{dim}': the patch must have the {positions.stop - positions.start} pixels that the region "
                    f"holds, got shape {piece.shape}"
                )
        target |= {dim: positions for dim, positions in held.items() if dim not in piece.dims}
    else:
        target, source = {}, {}
        for dim in piece.dims:
            target[dim], source[dim] = _place(image, piece, dim)
        piece = piece.isel(source)
    return piece, target


def _as_patch(image: xr.DataArray, patch: Any, roi: RoiLike | None) -> xr.DataArray:
    if isinstance(patch, xr.DataArray):
        piece = patch.expand_dims(sorted(_chosen(image, patch), key=str))
    elif roi is None or _ndim(patch) != image.ndim:
        raise NgioValueError(
            f"patch must be a DataArray, or an array of the image's {image.ndim} dimensions with roi=, got "
            f"{type(patch).__name__} of {_ndim(patch)}{' without roi' if roi is None else ''}: label it with as_image"
        )
    else:
        piece = xr.DataArray(patch, dims=image.dims)
    if unknown := [dim for dim in piece.dims if dim not in image.dims]:
        raise NgioValueError(f"the patch must have axes of the image's {image.dims}, got '{unknown[0]}'")
    return piece.transpose(*(dim for dim in image.dims if dim in piece.dims))


def _ndim(patch: Any) -> int:
    try:
        return np.ndim(patch)
    except (TypeError, ValueError) as error:
        raise NgioTypeError(f"patch must be an array of numbers, got {type(patch).__name__}: {error}") from None


def _chosen(image: xr.DataArray, patch: Any) -> set[Hashable]:
    """Return the axes of an image of which a patch is one position that was chosen, as `sel(c="DNA")` does."""
    if not isinstance(patch, xr.DataArray):
        return set()
    return {dim for dim in image.dims if dim in patch.coords and dim not in patch.dims and patch.coords[dim].ndim == 0}


def _require_fitting_dtype(image: np.dtype[Any], patch: np.dtype[Any]) -> None:
    same_kind_of_float = image.kind == patch.kind and image.kind in "fc"
    if not same_kind_of_float and not np.can_cast(patch, image, "safe"):
        raise NgioTypeError(
            f"the patch's values of {patch} do not all fit into {image}: "
            f"round, clip or convert it with .astype('{image}')"
        )


def _place(image: xr.DataArray, patch: xr.DataArray, dim: Hashable) -> tuple[Any, slice]:
    """Return where along an axis the patch goes in the image, and which part of the patch that is."""
    ours = lattice_of(image, dim)
    theirs = lattice_of(patch, dim, lone=None if ours is None else ours.spacing)
    size = image.sizes[dim]
    if ours is not None and theirs is not None:
        try:
            offset = ours.offset_of(theirs)
        except NgioValueError as error:
            raise NgioValueError(f"the patch does not fit the image along '{dim}': {error}") from None
        low, high = max(0, offset), min(size, offset + theirs.size)
        if low >= high:
            raise NgioEmptyRegionError(str(dim), theirs.extent, ours.extent, ours.unit or "world units")
        return slice(low, high), slice(low - offset, high - offset)
    if ours is None and theirs is None and dim in image.indexes and dim in patch.indexes:
        if image.indexes[dim].equals(patch.indexes[dim]):
            return slice(0, size), slice(None)
        if not image.indexes[dim].is_unique:
            raise NgioValueError(
                f"axis '{dim}': names of the image are not unique: give roi=, or a patch with them all"
            )
        positions = image.indexes[dim].get_indexer(patch.indexes[dim])
        if (positions < 0).any():
            unknown = patch.indexes[dim][int((positions < 0).argmax())]
            raise NgioValueError(f"the patch has {unknown!r} along '{dim}', which the image lacks")
        return positions, slice(None)
    if patch.sizes[dim] != size:
        raise NgioValueError(
            f"axis '{dim}': the patch has {patch.sizes[dim]} pixels and no place on the image's {size}; give roi="
        )
    return slice(0, size), slice(None)


def _assigned(image: xr.DataArray, patch: xr.DataArray, target: dict[Hashable, Any]) -> xr.DataArray:
    data = image.data.copy() if image.chunks is not None else np.array(image.values)
    values = patch.data if image.chunks is not None else np.asarray(patch.values)
    # Absent axes are kept with length 1, so that the patch repeats along them.
    shape = tuple(patch.sizes.get(dim, 1) for dim in image.dims)
    values = values.reshape(shape).astype(image.dtype)
    places = [target.get(dim, slice(None)) for dim in image.dims]
    for position, place in enumerate(places):
        if isinstance(place, np.ndarray):  # names out of order: one position after the other
            for i, where in enumerate(place):
                key = (*places[:position], slice(int(where), int(where) + 1), *places[position + 1 :])
                part = (slice(None),) * position + (slice(i, i + 1),)
                data[key] = values[part]
            break
    else:
        data[tuple(places)] = values
    pasted: xr.DataArray = image.copy(data=data)
    return pasted
