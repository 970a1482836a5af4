"""Labelled images: give an array a lattice, and read back what it says about its pixels."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import xarray as xr

from ngio_x._frozen import (
    at_least,
    evolve,
    named,
    to_axes,
    to_float,
    to_int,
    to_optional_name,
    to_positive_float,
)
from ngio_x.arrays.channels import with_channels, with_channels_like, without_channels
from ngio_x.arrays.lattice import Lattice, anchor_of, lattice_from_labels
from ngio_x.arrays.pixel_index import PixelIndex, unit_of
from ngio_x.arrays.pixel_labels import told_spacing, without_size
from ngio_x.arrays.roles import IMAGE, LABELS, TO_IDS, role_of, with_role
from ngio_x.errors import NgioTypeError, NgioValueError
from ngio_x.metadata.axes import CANONICAL_ORDER, SPACE, FactorsByAxis, axis_type_of, by_axis, default_unit
from ngio_x.metadata.channels import Channel
from ngio_x.metadata.pixel_size import PixelSize, to_own

UnitsByAxis: TypeAlias = str | Sequence[str | None] | Mapping[str, str | None]
"""Units by axis name, or one an axis in the order of the array's own; a single one is that of z, y and x."""


def as_image(
    data: Any,
    dims: Sequence[str] | None = None,
    pixel_size: FactorsByAxis | PixelSize | None = None,
    *,
    origin: FactorsByAxis | None = None,
    units: UnitsByAxis | None = None,
    channels: Sequence[str | Channel] | None = None,
    name: str | None = None,
    like: xr.DataArray | None = None,
) -> xr.DataArray:
    """Return `data` as a labelled image: pixel coordinates along space and time, channel names along c.

    From now on it says that it is an image, whatever it said before. The pixels are not copied. Evenly spaced
    coordinates that a DataArray already has become a lattice; axes without any count pixels from 0 (spacing 1, no
    unit).

    Args:
        data: A numpy or dask array, anything numpy understands, or a DataArray.
        dims: Names of the dimensions. By default those of the DataArray, else those of `like` if there are as many,
            else the last of t, c, z, y, x.
        pixel_size: Size of a pixel: one number for z, y and x, a mapping by axis, one number for each axis in their
            order (that of c is 1), or a `PixelSize`. It replaces the coordinates that an axis has, its origin included.
        origin: World coordinate of the lower edge of pixel 0, likewise (that of c is 0). Default 0.
        units: Unit, likewise (that of c is None). Default: that of a `PixelSize`, and micrometer and second where a
            pixel size is given as a number.
        channels: One name, or `Channel` with colour and window, for each position along c. Names alone rename the
            channels that there are; see `channels_of`.
        name: Name of the array.
        like: Take the lattices of this array instead, and what it says of channels; where `data` names its own, of
            those that share a name. Along axes with coordinates the labels must lie in pixels of it, one after the
            other; axes without must have its size.

    Raises:
        NgioValueError: If names and shape do not fit, sizes are not positive, or coordinates are not evenly spaced.
        NgioTypeError: If `data` is not an array, or `like` is not a DataArray.
    """
    if like is not None:
        require_image(like, "like")
    image = _with_dims(data, dims, () if like is None else like.dims)
    if like is not None:
        if not (pixel_size is None and origin is None and units is None):
            raise NgioValueError(
                "like= gives the lattice of another array: leave pixel_size, origin and units out, or like"
            )
        lattices = {dim: _lattice_like(image, like, dim) for dim in image.dims}
        image = with_channels_like(image, like)
    else:
        lattices = _chosen_lattices(image, pixel_size, origin, units)
    for dim, lattice in lattices.items():
        if lattice is not None:
            image = with_lattice(image, dim, lattice)
    if channels is not None:
        image = with_channels(image, channels)
    image = image if name is None else image.rename(named("name", to_optional_name)(name))
    return with_role(image, IMAGE)


def with_lattice(image: xr.DataArray, dim: Hashable, lattice: Lattice) -> xr.DataArray:
    """Return the image with a lattice along a dimension; other attributes of its coordinate are kept."""
    created = xr.Coordinates.from_xindex(PixelIndex(lattice, dim))
    if dim in image.coords:
        told = without_size(image[dim].attrs)
        created[dim].attrs.update({key: value for key, value in told.items() if key != "units"})
    replaced = [dim] if lattice.relative else [dim, window_origin(dim)]
    return image.drop_vars(replaced, errors="ignore").assign_coords(created)


def as_labels(
    data: Any,
    dims: Sequence[str] | None = None,
    pixel_size: FactorsByAxis | PixelSize | None = None,
    *,
    origin: FactorsByAxis | None = None,
    units: UnitsByAxis | None = None,
    channels: Sequence[str | Channel] | None = None,
    name: str | None = None,
    like: xr.DataArray | None = None,
) -> xr.DataArray:
    """Return `data` as a label image: as `as_image`, but it says that it holds ids, which are never blended.

    Args:
        data: As for `as_image`, integers or booleans. A boolean mask becomes uint8, in which True is the one id 1.
        dims: As for `as_image`.
        pixel_size: As for `as_image`.
        origin: As for `as_image`.
        units: As for `as_image`.
        channels: As for `as_image`.
        name: As for `as_image`.
        like: As for `as_image`.

    Raises:
        NgioValueError: As `as_image`.
        NgioTypeError: If the data are neither integers nor booleans; or as `as_image`.
    """
    image = as_image(data, dims, pixel_size, origin=origin, units=units, channels=channels, name=name, like=like)
    if image.dtype.kind == "b":
        image = image.astype(np.uint8)
    if image.dtype.kind not in "iu":
        raise NgioTypeError(f"data must be integers to be labels, got {image.dtype}: {TO_IDS}")
    return with_role(without_channels(image), LABELS)


def require_image(value: Any, argument: str = "image") -> None:
    """Refuse anything but a DataArray as the argument of that name.

    Raises:
        NgioTypeError: If `value` is not a DataArray.
    """
    if isinstance(value, (xr.Dataset, xr.DataTree)):
        where = f"pick one of its arrays, such as {an_array_of(value, LABELS if argument == 'labels' else IMAGE)}"
        raise NgioTypeError(f"{argument} must be a DataArray, got a {type(value).__name__}: {where}")
    if not isinstance(value, xr.DataArray):
        raise NgioTypeError(f"{argument} must be a DataArray, got {type(value).__name__}: label it with as_image")


def an_array_of(held: xr.Dataset | xr.DataTree, role: str = IMAGE) -> str:
    """Return how to write one of the arrays that a Dataset or a tree holds, one of that role if there is any."""
    nodes = {"": held} if isinstance(held, xr.Dataset) else dict(held.subtree_with_keys)
    arrays = [(path, name, array) for path, node in nodes.items() for name, array in node.data_vars.items()]
    arrays.sort(key=lambda each: role_of(each[2]) != role)
    path, name = arrays[0][:2] if arrays else ("0", "image")
    if isinstance(held, xr.Dataset):
        return f"dataset[{name!r}]"
    return f"tree[{str(name) if path == '.' else f'{path}/{name}'!r}]"


def integers_by_axis(value: Any, axes: xr.DataArray | Sequence[str], what: str, low: int) -> dict[str, int]:
    """Return whole numbers by axis, in the order of the axes; one number stands for z, y and x.

    Args:
        value: A number, or numbers as `by_axis` takes them.
        axes: The axes that there are, or an image that has them.
        what: What the numbers are, for messages.
        low: The least that they may be.

    Raises:
        NgioValueError: If an axis is unknown, or something is not a number, or too low.
    """
    known = [str(dim) for dim in axes.dims] if isinstance(axes, xr.DataArray) else list(axes)
    return by_axis(value, known, what, at_least(low, to_int), alone=SPACE)


def lattice_of(image: xr.DataArray | xr.Dataset, dim: Hashable, *, lone: float | None = None) -> Lattice | None:
    """Return the lattice along a dimension, or None for one that counts pixels: channels, names, no coordinates.

    A lattice is read from its index, never from coordinate values; ordinary coordinates are read as numbers. A window
    of a stack lies where it was cut out.

    Args:
        image: The image.
        dim: One of its dimensions.
        lone: Size of a single pixel that does not tell its own.

    Raises:
        NgioValueError: If ordinary coordinates are not evenly spaced numbers.
    """
    lattice = lattice_in_hand(image, dim, lone=lone)
    if lattice is None or not lattice.relative:
        return lattice
    origin = image.coords.variables.get(window_origin(dim))
    if origin is None or origin.ndim or origin.dtype.kind not in "iuf":  # a stack of several windows
        return lattice
    return evolve(lattice, origin=lattice.origin + float(origin.values), relative=False)


def window_origin(dim: Hashable) -> str:
    """Return the name of the coordinate that says where a window of a stack begins along a dimension."""
    return f"window_origin_{dim}"


def lattice_in_hand(image: xr.DataArray | xr.Dataset, dim: Hashable, *, lone: float | None = None) -> Lattice | None:
    """Return the lattice as the coordinate has it: that of a window of a stack counts from the window's start.

    Arguments and errors are those of `lattice_of`.
    """
    axis_type = axis_type_of(str(dim))
    coordinate = image.coords.variables.get(dim)  # coords.get would make up a range, and copies
    if coordinate is None or axis_type == "channel" or coordinate.dims != (dim,):
        return None
    index = image.xindexes.get(dim)
    unit = unit_of(coordinate.attrs)
    if isinstance(index, PixelIndex):
        return index.lattice if unit in (None, index.lattice.unit) else evolve(index.lattice, unit=unit)
    if coordinate.dtype.kind in "mM":
        raise NgioValueError(
            f"axis '{dim}' has dates ({coordinate.dtype}) where regions have numbers: "
            "replace them with numbers, such as seconds since the first frame"
        )
    if coordinate.dtype.kind not in "iuf" and axis_type is not None:
        raise NgioValueError(
            f"axis '{dim}' has coordinates of type {coordinate.dtype} where regions have numbers: replace them with "
            "numbers, or drop them to count pixels"
        )
    names = axis_type is None and coordinate.dtype.kind != "f"  # such as ids along `label`: numbers, but no places
    if names or coordinate.size == 0:
        return None
    told = told_spacing(coordinate)
    spacing = lone if told is None else told
    found = lattice_from_labels(coordinate.values, str(dim), anchor_of(axis_type), spacing, unit)
    return evolve(found, relative=True) if window_origin(dim) in image.coords else found


def offset_in(
    image: xr.DataArray | xr.Dataset, other: xr.DataArray, dim: Hashable, what: str, ground: str = "the image"
) -> int | None:
    """Return at which position of an image another array begins along an axis; None if coordinates do not say.

    Args:
        image: The image.
        other: May begin before the image or after its end.
        dim: An axis of both.
        what: What the other is called in messages.
        ground: What the image is called in messages.

    Raises:
        NgioValueError: If the two are not pieces of one lattice.
    """
    ours = lattice_of(image, dim)
    theirs = lattice_of(other, dim, lone=None if ours is None else ours.spacing)
    if ours is None or theirs is None:
        return None
    try:
        return ours.offset_of(theirs)
    except NgioValueError as error:
        raise NgioValueError(f"{ground} and {what} do not fit along '{dim}': {error}") from None


def _with_dims(data: Any, dims: Sequence[str] | None, usual: tuple[Hashable, ...]) -> xr.DataArray:
    names = None if dims is None else named("dims", to_axes)(dims)
    if isinstance(data, xr.DataArray):
        if names is None or names == data.dims:
            return data
        _require_one_name_each(names, data.shape)
        if set(names) & set(data.dims):
            raise NgioValueError(f"dims {names} do not fit the array's {data.dims}: transpose or rename it first")
        return data.rename(dict(zip(data.dims, names, strict=True)))
    if isinstance(data, (xr.Dataset, xr.DataTree)):
        require_image(data, "data")
    array = data if hasattr(data, "shape") and hasattr(data, "dtype") else _as_array(data)
    if names is None and array.ndim == len(usual):
        names = tuple(str(dim) for dim in usual)
    elif names is None:
        if array.ndim > len(CANONICAL_ORDER):
            raise NgioValueError(f"name the dimensions of an array of {array.ndim} with dims=")
        names = CANONICAL_ORDER[len(CANONICAL_ORDER) - array.ndim :]
    _require_one_name_each(names, array.shape)
    return xr.DataArray(array, dims=names)


def _as_array(data: Any) -> Any:
    try:
        array = np.asarray(data)
    except (TypeError, ValueError) as error:
        raise NgioTypeError(f"data must be an array of numbers, got {type(data).__name__}: {error}") from None
    if array.dtype.kind not in "biufc":
        raise NgioTypeError(f"data must be an array of numbers, got {type(data).__name__}: convert it first")
    return array


def _require_one_name_each(names: tuple[str, ...], shape: tuple[int, ...]) -> None:
    if len(names) != len(shape):
        raise NgioValueError(f"dims must name each dimension of data of shape {shape} once, got {names}")


def _of_pixels(value: Any, argument: str, dims: tuple[Hashable, ...], convert: Any, *, nothing: Any) -> dict[str, Any]:
    """Return `{axis: value}` for the axes that an argument speaks of; along c, which has positions, it says nothing."""
    if value is None:
        return {}
    found = by_axis(value, [str(dim) for dim in dims], argument, convert, alone=SPACE)
    if "c" in found and (isinstance(value, Mapping) or found["c"] != nothing):
        raise NgioValueError(f"{argument} names the channel axis 'c', which has positions only: leave it out")
    return {axis: item for axis, item in found.items() if axis != "c"}


def _chosen_lattices(
    image: xr.DataArray,
    pixel_size: FactorsByAxis | PixelSize | None,
    origin: FactorsByAxis | None,
    units: UnitsByAxis | None,
) -> dict[Hashable, Lattice | None]:
    dims = image.dims
    pixel_size = to_own(pixel_size)
    if isinstance(pixel_size, PixelSize):
        known = [dim for dim in dims if dim in pixel_size.as_dict()]
        sizes: dict[str, Any] = {str(dim): pixel_size.get(str(dim)) for dim in known}
        unit: dict[str, Any] = {str(dim): pixel_size.unit(str(dim)) for dim in known}
    else:
        sizes = _of_pixels(pixel_size, "pixel_size", dims, to_positive_float, nothing=1.0)
        unit = {dim: default_unit(axis_type_of(dim)) for dim in sizes}
    origins = _of_pixels(origin, "origin", dims, to_float, nothing=0.0)
    unit |= _of_pixels(units, "units", dims, to_optional_name, nothing=None)
    chosen: dict[Hashable, Lattice | None] = {}
    for dim, length in image.sizes.items():
        axis_type = axis_type_of(str(dim))
        # A size replaces the coordinates that were there, so that uneven or unreadable ones do not matter.
        lattice = None if dim in sizes else lattice_in_hand(image, dim)
        wanted = dim in sizes or dim in origins or dim in unit or axis_type in ("space", "time")
        if lattice is None and wanted and axis_type != "channel":
            lattice = Lattice(0.0, 1.0, length, anchor=anchor_of(axis_type))
        if lattice is not None:
            lattice = _evolved(lattice, str(dim), sizes, origins, unit)
        chosen[dim] = lattice
    return chosen


def _evolved(
    lattice: Lattice,
    dim: str,
    sizes: Mapping[str, Any],
    origins: Mapping[str, Any],
    unit: Mapping[str, Any],
) -> Lattice:
    changes: dict[str, Any] = {}
    if dim in sizes:
        changes["spacing"] = sizes[dim]
    if dim in origins:
        changes |= {"origin": origins[dim], "start": 0, "relative": False}
    if dim in unit:
        changes["unit"] = unit[dim]
    try:
        return evolve(lattice, **changes)
    except NgioValueError as error:
        raise NgioValueError(f"axis '{dim}': {error}") from None


def _lattice_like(image: xr.DataArray, like: xr.DataArray, dim: Hashable) -> Lattice | None:
    """Return the lattice of `like` for an axis of `image`, at the place where the image's own labels lie."""
    target = lattice_of(like, dim) if dim in like.dims else None
    if target is None:
        return None
    length = image.sizes[dim]
    coordinate = image.coords.variables.get(dim)  # coords.get would make up a range, and copies
    if coordinate is None:
        if length != target.size:
            raise NgioValueError(
                f"axis '{dim}' has {length} pixels and no coordinates, where like has {target.size}: "
                "crop like to the same region first"
            )
        return target
    if isinstance(image.xindexes.get(dim), PixelIndex) or coordinate.size != 1:
        own = lattice_of(image, dim)
    else:  # a lone label says where it is; like says how large it is
        own = lattice_from_labels(coordinate.values, str(dim), target.anchor, target.spacing, target.unit)
    if own is None:
        return target
    try:
        offset = target.holding(own)
    except NgioValueError as error:
        raise NgioValueError(
            f"axis '{dim}' does not lie on the lattice of like: {error}. Zoom or resample it, or, if it has the same "
            f"pixels nonetheless, drop its own coordinates with drop_vars({str(dim)!r})"
        ) from None
    return target.strided(offset, length)
