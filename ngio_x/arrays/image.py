"""Labelled images: give an array a lattice, and read back what it says about its pixels."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import xarray as xr

from ngio_x._frozen import at_least, evolve, named, positive, shown, to_axes, to_float, to_int, to_optional_name
from ngio_x.arrays.channels import with_channels, with_channels_like, without_channels
from ngio_x.arrays.lattice import Lattice, anchor_of, lattice_from_labels
from ngio_x.arrays.lazy import is_lazy, stored_sizes
from ngio_x.arrays.pixel_index import PixelIndex, unit_of
from ngio_x.arrays.tree import array_of, pyramid_of
from ngio_x.errors import NgioTypeError, NgioValueError
from ngio_x.metadata.axes import CANONICAL_ORDER, AxesHandler, AxesSetup, Axis, axis_type_of, default_unit
from ngio_x.metadata.channels import Channel
from ngio_x.metadata.dataset import Dataset
from ngio_x.metadata.dimensions import Dimensions
from ngio_x.metadata.pixel_size import PixelSize

ROLE: Final = "role"
"""The attribute that says what an array is."""
LABELS: Final = "labels"
"""The role of arrays that hold object ids, which are never blended."""

_SPACE: Final = ("z", "y", "x")

ByAxis = float | Mapping[str, float]


def as_image(
    data: Any,
    dims: Sequence[str] | None = None,
    pixel_size: float | PixelSize | Mapping[str, float] | None = None,
    *,
    origin: ByAxis | None = None,
    units: str | Mapping[str, str] | None = None,
    channels: Sequence[str | Channel] | None = None,
    name: str | None = None,
    like: xr.DataArray | None = None,
) -> xr.DataArray:
    """Return `data` as a labelled image: pixel coordinates along space and time, channel names along c.

    The pixels are not copied. Evenly spaced coordinates that a DataArray already has become a lattice; axes without
    any count pixels from 0 (spacing 1, no unit).

    Args:
        data: A numpy or dask array, anything numpy understands, or a DataArray.
        dims: Names of the dimensions. By default those of the DataArray, else those of `like` if there are as many,
            else the last of t, c, z, y, x.
        pixel_size: Size of a pixel: one number for z, y and x, a mapping by axis, or a `PixelSize`. It replaces the
            coordinates that an axis has, its origin included.
        origin: World coordinate of the lower edge of pixel 0: one number for z, y and x, or a mapping. Default 0.
        units: Unit: one for z, y and x, or a mapping. Default: that of a `PixelSize`, and micrometer and second where
            a pixel size is given as a number.
        channels: One name, or `Channel` with colour and window, for each position along c. Names alone rename the
            channels that there are; see `channels_of`.
        name: Name of the array.
        like: Take the lattices of this array instead, and what it says of channels; where `data` names its own, of
            those that share a name. Axes with coordinates must lie on its lattice, axes without must have its size.

    Raises:
        NgioValueError: If names and shape do not fit, sizes are not positive, or coordinates are not evenly spaced.
        NgioTypeError: If `data` is no array, or `like` no DataArray.
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
            image = _with_lattice(image, dim, lattice)
    if channels is not None:
        image = with_channels(image, channels)
    return image if name is None else image.rename(named("name", to_optional_name)(name))


def _with_lattice(image: xr.DataArray, dim: Hashable, lattice: Lattice) -> xr.DataArray:
    """Return the image with a lattice along a dimension; other attributes of its coordinate are kept."""
    created = xr.Coordinates.from_xindex(PixelIndex(lattice, dim))
    if dim in image.coords:
        told = ("units", "origin", "spacing")
        created[dim].attrs.update({key: value for key, value in image[dim].attrs.items() if key not in told})
    return image.drop_vars([dim], errors="ignore").assign_coords(created)


def as_labels(
    data: Any,
    dims: Sequence[str] | None = None,
    pixel_size: float | PixelSize | Mapping[str, float] | None = None,
    *,
    origin: ByAxis | None = None,
    units: str | Mapping[str, str] | None = None,
    channels: Sequence[str | Channel] | None = None,
    name: str | None = None,
    like: xr.DataArray | None = None,
) -> xr.DataArray:
    """Return integer `data` as a label image: as `as_image`, and with the role that keeps ids from being blended.

    Raises:
        NgioTypeError: If the data are not integers.
    """
    image = as_image(data, dims, pixel_size, origin=origin, units=units, channels=channels, name=name, like=like)
    if image.dtype.kind not in "iu":
        raise NgioTypeError(f"data must be integers to be labels, got {image.dtype}: convert with .astype('uint32')")
    return without_channels(image).assign_attrs({ROLE: LABELS})


def is_labels(image: xr.DataArray) -> bool:
    """Return whether an array has the role of a label image."""
    return bool(image.attrs.get(ROLE) == LABELS)


def require_image(value: Any, argument: str = "image") -> None:
    """Refuse anything but a DataArray as the argument of that name.

    Raises:
        NgioTypeError: If `value` is none.
    """
    if not isinstance(value, xr.DataArray):
        raise NgioTypeError(f"{argument} must be a DataArray, got {type(value).__name__}: label it with as_image")


def integers_by_axis(value: Any, axes: xr.DataArray | Sequence[str], what: str, low: int) -> dict[str, int]:
    """Return whole numbers by axis, in the order of the axes; one number stands for z, y and x.

    Args:
        value: A number, or numbers by axis.
        axes: The axes that there are, or an image that has them.
        what: What the numbers are, for messages.
        low: The least that they may be.

    Raises:
        NgioValueError: If an axis is unknown, or a number is none, or too low.
    """
    known = [str(dim) for dim in axes.dims] if isinstance(axes, xr.DataArray) else list(axes)
    if not isinstance(value, Mapping):
        value = {axis: value for axis in known if axis_type_of(axis) == "space"}
    if unknown := [axis for axis in value if axis not in known]:
        raise NgioValueError(f"{what} must name axes of {tuple(known)}, got {unknown[0]!r}")
    convert = at_least(low, to_int)
    return {axis: named(f"{what} along '{axis}'", convert)(value[axis]) for axis in known if axis in value}


def lattice_of(image: xr.DataArray | xr.Dataset, dim: Hashable) -> Lattice | None:
    """Return the lattice along a dimension, or None for one that counts pixels: channels, names, no coordinates.

    A lattice is read from its index, never from coordinate values; ordinary coordinates are read as numbers.

    Raises:
        NgioValueError: If ordinary coordinates are not evenly spaced numbers.
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
    if coordinate.dtype.kind not in "iuf" or coordinate.size == 0:
        return None
    return lattice_from_labels(coordinate.values, str(dim), anchor_of(axis_type), coordinate.attrs, unit)


def offset_in(image: xr.DataArray | xr.Dataset, other: xr.DataArray, dim: Hashable, what: str) -> int | None:
    """Return at which position of an image another array begins along an axis; None if coordinates do not say.

    Args:
        image: The image.
        other: May begin before the image or after its end.
        dim: An axis of both.
        what: What the other is called in messages.

    Raises:
        NgioValueError: If the two are not pieces of one lattice.
    """
    ours, theirs = lattice_of(image, dim), lattice_of(other, dim)
    if ours is None or theirs is None:
        return None
    try:
        return ours.offset_of(theirs)
    except NgioValueError as error:
        raise NgioValueError(f"the image and {what} do not fit along '{dim}': {error}") from None


def dimensions_of(image: xr.DataArray | xr.DataTree) -> Dimensions:
    """Return shape, chunks, axes, pixel size and translation (the world edge of pixel 0) of an image.

    Chunks are what is read or computed at once: blocks of dask, else chunks on disk; in memory, it is all. Of a tree,
    they are those of level 0.

    Raises:
        NgioValueError: If coordinates are not evenly spaced, or a tree holds several images or none.
        NgioTypeError: If `image` is neither DataArray nor DataTree.
    """
    if isinstance(image, xr.DataTree):
        image = array_of(next(iter(pyramid_of(image).values())))
    require_image(image)
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


def pixel_size_of(image: xr.DataArray | xr.DataTree) -> PixelSize:
    """Return the pixel size of an image, of a tree that of level 0; z and t are 1 where it lacks them.

    Raises:
        NgioValueError: If it lacks y or x, their units differ, coordinates are not evenly spaced, or a tree holds
            several images or none.
        NgioTypeError: If `image` is neither DataArray nor DataTree.
    """
    return dimensions_of(image).pixel_size


def _with_dims(data: Any, dims: Sequence[str] | None, usual: tuple[Hashable, ...]) -> xr.DataArray:
    names = None if dims is None else named("dims", to_axes)(dims)
    if isinstance(data, xr.DataArray):
        if names is None or names == data.dims:
            return data
        _require_one_name_each(names, data.shape)
        if set(names) & set(data.dims):
            raise NgioValueError(f"dims {names} do not fit the array's {data.dims}: transpose or rename it first")
        return data.rename(dict(zip(data.dims, names, strict=True)))
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


def _by_axis(value: Any, what: str, dims: tuple[Hashable, ...]) -> dict[Hashable, Any]:
    """Return `{axis: value}` for the axes that `value` speaks of: a single one speaks of z, y and x."""
    if value is None:
        return {}
    if isinstance(value, (list, tuple)) or (isinstance(value, np.ndarray) and value.ndim):
        raise NgioValueError(f"{what} must be one for z, y and x, or a mapping by axis name, got {shown(value)}")
    if not isinstance(value, Mapping):
        return {dim: value for dim in dims if dim in _SPACE}
    if unknown := [axis for axis in value if axis not in dims]:
        raise NgioValueError(f"{what} must name axes of {dims}, got {unknown[0]!r}")
    if "c" in value:
        raise NgioValueError(f"{what} names the channel axis 'c', which has positions only")
    return dict(value)


def _chosen_lattices(
    image: xr.DataArray,
    pixel_size: float | PixelSize | Mapping[str, float] | None,
    origin: ByAxis | None,
    units: str | Mapping[str, str] | None,
) -> dict[Hashable, Lattice | None]:
    dims = image.dims
    if isinstance(pixel_size, PixelSize):
        known = [dim for dim in dims if dim in pixel_size.as_dict()]
        sizes: dict[Hashable, Any] = {dim: pixel_size.get(str(dim)) for dim in known}
        unit: dict[Hashable, Any] = {dim: pixel_size.unit(str(dim)) for dim in known}
    else:
        sizes = _by_axis(pixel_size, "pixel_size", dims)
        unit = {dim: default_unit(axis_type_of(str(dim))) for dim in sizes}
    origins = _by_axis(origin, "origin", dims)
    unit |= _by_axis(units, "units", dims)
    chosen: dict[Hashable, Lattice | None] = {}
    for dim, length in image.sizes.items():
        axis_type = axis_type_of(str(dim))
        # A size replaces the coordinates that were there, so that uneven or unreadable ones do not matter.
        lattice = None if dim in sizes else lattice_of(image, dim)
        wanted = dim in sizes or dim in origins or dim in unit or axis_type in ("space", "time")
        if lattice is None and wanted and axis_type != "channel":
            lattice = Lattice(0.0, 1.0, length, anchor=anchor_of(axis_type))
        if lattice is not None:
            lattice = _evolved(lattice, dim, sizes, origins, unit)
        chosen[dim] = lattice
    return chosen


def _evolved(
    lattice: Lattice,
    dim: Hashable,
    sizes: Mapping[Hashable, Any],
    origins: Mapping[Hashable, Any],
    unit: Mapping[Hashable, Any],
) -> Lattice:
    changes: dict[str, Any] = {}
    if dim in sizes:
        changes["spacing"] = named(f"pixel_size along '{dim}'", positive(to_float))(sizes[dim])
    if dim in origins:
        changes |= {"origin": named(f"origin along '{dim}'", to_float)(origins[dim]), "start": 0}
    if dim in unit:
        changes["unit"] = named(f"units along '{dim}'", to_optional_name)(unit[dim])
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
        facts = {"origin": target.origin, "spacing": target.spacing}
        own = lattice_from_labels(coordinate.values, str(dim), target.anchor, facts, target.unit)
    if own is None:
        return target
    try:
        offset = target.offset_of(own)
    except NgioValueError as error:
        raise NgioValueError(f"axis '{dim}' does not lie on the lattice of like: {error}") from None
    return target.strided(offset, length)
