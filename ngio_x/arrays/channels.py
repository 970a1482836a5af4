"""The channels of an image: what is known of them, as coordinates along c, and how they are shown."""

from __future__ import annotations

import itertools
import math
import numbers
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import xarray as xr

from ngio_x._frozen import shown
from ngio_x.errors import NgioKeyError, NgioTypeError, NgioValueError
from ngio_x.metadata.channels import Channel, KnownChannel, colors_of, is_photograph, suited_to

ChannelsLike: TypeAlias = Sequence[str | int | Channel] | Mapping[int, Channel]
"""Names, positions along c, or channels with colours and windows of their own; these by position, too."""
COORDINATES: Final = ("color", "window_min", "window_max", "window_start", "window_end", "active")
"""The coordinates along c that tell of channels, in the words of OME-NGFF: xarray takes them wherever channels go."""
TEXT: Final[Mapping[str, Any]] = {"dtype": object}
"""The encoding of texts: written as texts of any length, zarr knows them in all its formats, and netCDF in its.

Where `chunk` has made dask arrays of them, xarray warns that it loads them; numpy's own type of texts fails there.
"""
_ALPHA: Final = "alpha"
"""What the opacity of a picture is called, which is no light of its own."""


# ---- Coordinates


def names_of(image: xr.DataArray) -> list[str]:
    """Return the names along c, or numbers as text; of an image without c, the one that it was chosen by, else none."""
    if "c" in image.coords:
        return [str(name) for name in np.atleast_1d(image["c"].values)]
    return [str(index) for index in range(image.sizes.get("c", 0))]


def known_channels(image: xr.DataArray) -> list[KnownChannel]:
    """Return what the coordinates of an image say of each of its channels.

    An image without c is one channel; the name of one that nobody named is empty. What is no description of a channel
    is somebody else's coordinate.
    """
    names = names_of(image) or ([] if "c" in image.dims else [""])
    color, low, high, start, end, active = (_column(image, name, len(names)) for name in COORDINATES)
    limits, display = map(_range, low, high), map(_range, start, end)
    facts = zip(names, map(_color, color), limits, display, map(_truth, active), strict=True)
    return list(itertools.starmap(KnownChannel, facts))


def _column(image: xr.DataArray, name: str, count: int) -> list[Any]:
    """Return what a coordinate says of each channel; None where it is silent.

    A scalar was left by `sel`, and speaks of that channel alone: who puts several of them together in the way of
    `coords="minimal"` keeps the scalar of the first. In the way of `coords="different"`, which puts those that differ
    along c, the scalars that stay are those of all.
    """
    coordinate = image.coords.variables.get(name)
    along = any("c" in image.coords.variables[each].dims for each in COORDINATES if each in image.coords)
    if coordinate is not None and "c" in coordinate.dims:  # frames that differ, one after the other: the first counts
        return coordinate.isel(dict.fromkeys(set(coordinate.dims) - {"c"}, 0)).values.tolist()  # type: ignore[no-any-return]
    if coordinate is not None and coordinate.ndim == 0 and (count == 1 or along):
        return [coordinate.values.item()] * count
    return [None] * count


def _color(value: Any) -> str | None:
    try:
        return Channel("any", value).color
    except NgioValueError:
        return None


def _range(low: Any, high: Any) -> tuple[float, ...] | None:
    try:
        return Channel("any", limits=(low, high)).limits
    except NgioValueError:
        return None


def _truth(value: Any) -> bool | None:
    known = isinstance(value, numbers.Real) and not math.isnan(value)  # a gap that xarray filled is NaN
    return bool(value) if known else None


def _told_of(image: xr.DataArray, channels: Sequence[KnownChannel]) -> xr.DataArray:
    """Return an image with what is known of its channels as coordinates: all, for xarray joins what has the same."""
    return without_channels(image).assign_coords(channel_coordinates(channels, "c" if "c" in image.dims else None))


def with_channels(image: xr.DataArray, channels: Sequence[str | Channel]) -> xr.DataArray:
    """Return an image with names along c, and what is known of its channels; names alone rename those that there are.

    Raises:
        NgioTypeError: If `channels` is not a list.
        NgioValueError: If there are not as many as the image has.
    """
    if isinstance(channels, str) or not np.iterable(channels):
        raise NgioTypeError(f"channels must be one name for each position along c, got {shown(channels)}")
    channels = list(channels)
    known = [KnownChannel.from_channel(each if isinstance(each, (str, Channel)) else shown(each)) for each in channels]
    names = [channel.label for channel in known]
    if "c" not in image.dims:
        raise NgioValueError(
            f"channels={shown(channels)} needs a 'c' axis, but the array has {image.dims}: leave it out, or name one"
        )
    if len(names) != image.sizes["c"]:
        raise NgioValueError(f"axis 'c' has {image.sizes['c']} channels, but {len(names)} names were given: {names}")
    named = image.assign_coords(c=("c", np.asarray(names, dtype=object), {}, TEXT))
    return named if all(channel.is_named_only for channel in known) else _told_of(named, known)


def with_channels_like(image: xr.DataArray, like: xr.DataArray) -> xr.DataArray:
    """Return the image with the channel names of another, and with what that knows of channels of its own names."""
    if "c" not in image.dims or "c" not in like.coords:
        return image
    known = known_channels(like)
    if "c" not in image.coords:
        image = with_channels(image, [own.label for own in known])
    if all(own.is_named_only for own in known):
        return image
    own, by_name = known_channels(image), {each.label: each for each in reversed(known)}
    if [each.label for each in own] != [each.label for each in known]:  # where names are equal, they need not be unique
        known = [by_name.get(each.label, each) for each in own]
    return _told_of(image, [theirs if each.is_named_only else each for each, theirs in zip(own, known, strict=True)])


def without_channels(image: xr.DataArray) -> xr.DataArray:
    """Return an image whose coordinates tell nothing of channels but their names."""
    return image.drop_vars([name for name in COORDINATES if name in image.coords])


def channel_coordinates(channels: Sequence[KnownChannel], axis: str | None) -> dict[str, xr.Variable]:
    """Return what is known of channels as coordinates along an axis, of a single one also without."""
    gap = (math.nan, math.nan)
    rows = [(own.color or "", *(own.limits or gap), *(own.display or gap), own.active is not False) for own in channels]
    columns = [*zip(*rows, strict=True)] or [()] * len(COORDINATES)
    types = {"color": np.dtype("U6"), "active": np.dtype(bool)}
    told: dict[str, xr.Variable] = {}
    for name, column in zip(COORDINATES, columns, strict=True):
        values: npt.NDArray[Any] = np.asarray(column, types.get(name, np.dtype(float)))
        told[name] = xr.Variable(axis or (), values if axis else values[0], encoding=TEXT if name == "color" else None)
    return told


# ---- What is shown


def active_channels(image: xr.DataArray) -> list[int]:
    """Return the positions of the channels that are shown unless others are asked for.

    They are those that are not said to be inactive, but for one called `alpha`; if none is left, all.
    """
    known = known_channels(image)
    active = [at for at, channel in enumerate(known) if channel.active is not False] or list(range(len(known)))
    return [at for at in active if known[at].label.lower() != _ALPHA] or list(range(len(known)))


def chosen_channels(image: xr.DataArray, channels: ChannelsLike | None = None) -> dict[int, KnownChannel]:
    """Return what is known of each channel that is asked for, by its position along c; no pixel is read.

    Args:
        image: A labelled image; without an axis c it is one channel.
        channels: Which channels: by name or position, or a `Channel` that replaces what is known of the one of its
            name. Positions may also come with a `Channel` each. By default those that are active.

    Raises:
        NgioTypeError: If `channels` is something else.
        NgioKeyError: If there is no such channel, or there are several of that name.
        NgioValueError: If none is asked for.
    """
    known = known_channels(image)
    if channels is None:
        return {at: known[at] for at in active_channels(image)}
    if isinstance(channels, (str, bytes)) or not isinstance(channels, (Sequence, Mapping)):
        raise NgioTypeError(f"channels must be a list of names, positions or Channel, got {shown(channels)}")
    if not channels:
        raise NgioValueError("channels must be one at least, got none: leave it out to show those that are active")
    if isinstance(channels, Mapping):
        found = {_position(image, key): own for key, own in channels.items()}
        if wrong := [own for own in found.values() if not isinstance(own, Channel)]:
            raise NgioTypeError(f"channels by position must be Channel, got {shown(wrong[0])}")
        return {at: KnownChannel.from_channel(own) for at, own in found.items()}
    asked = [(_position(image, item), item) for item in channels]
    return {at: KnownChannel.from_channel(item) if isinstance(item, Channel) else known[at] for at, item in asked}


def _position(image: xr.DataArray, item: Any) -> int:
    """Return where the channel is that a name, a position or a `Channel` means."""
    if isinstance(item, bool) or not isinstance(item, (str, int, np.integer, Channel)):
        raise NgioTypeError(f"channels must be names, positions or Channel, got {shown(item)} among them")
    names = names_of(image)
    if not names and "c" not in image.dims:
        if isinstance(item, Channel):  # there is just one that it can mean
            return 0
        names = ["0"]
    name = item.label if isinstance(item, Channel) else item
    if isinstance(name, str) and names.count(name) > 1:
        places = ", ".join(str(at) for at, other in enumerate(names) if other == name)
        raise NgioKeyError(f"channels: there are several {name!r}, choose by position, one of {places}")
    at = names.index(name) if isinstance(name, str) and name in names else name
    if isinstance(at, str) or not 0 <= at < len(names):
        some = f"name some of {', '.join(map(repr, names))}" if names else "as there is none at all"
        raise NgioKeyError(f"channels: there is no channel {shown(name)}, {some}")
    return int(at)


def channels_shown(image: xr.DataArray, channels: ChannelsLike | None = None) -> dict[int, Channel]:
    """Return the channels that are asked for, as `chosen_channels`, all with a colour and a window.

    Where nothing is known of one, its colour is that of its turn among all of the image, and its window goes from the
    0.1 to the 99.9 percentile of its pixels, which are read for it. A photograph is shown as it is.
    """
    names = names_of(image) or ["0"]
    colors, photograph = colors_of(names), is_photograph(names, image.dtype)
    found = {}
    for at, own in chosen_channels(image, channels).items():
        pixels = _pixels_of(image, None if photograph or own.display else at)
        found[at] = own._replace(label=own.label or str(at)).completed(suited_to(pixels, str(at), colors[at]))
    return found


def _pixels_of(image: xr.DataArray, at: int | None) -> npt.NDArray[Any]:
    """Return the pixels of the channel at a position; none of None."""
    if at is None:
        return np.empty(0, image.dtype)
    return np.asarray(image.isel(c=at) if "c" in image.dims else image)
