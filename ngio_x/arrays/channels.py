"""The channels of an image as they are shown: which of them, in which colours, and between which grey levels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import xarray as xr

from ngio_x._frozen import shown
from ngio_x.errors import NgioKeyError, NgioTypeError, NgioValueError
from ngio_x.metadata.channels import Channel, colors_of, is_photograph, suited_to

ChannelsLike: TypeAlias = Sequence[str | int | Channel] | Mapping[int, Channel]
"""Names, positions along c, or channels with colours and windows of their own; these by position, too."""
_ALPHA: Final = "alpha"
"""What the opacity of a picture is called, which is no light of its own."""


def names_of(image: xr.DataArray) -> list[str]:
    """Return the names along c, or numbers as text; of an image without c, the one that it was chosen by, else none."""
    if "c" in image.coords:
        return [str(name) for name in np.atleast_1d(image["c"].values)]
    return [str(index) for index in range(image.sizes.get("c", 0))]


def known_channels(image: xr.DataArray) -> list[Channel | None]:
    """Return what the attributes of an image say of each of its channels, by name; None where they do not.

    Of an image without c and without the name of a channel, it is the only one that the attributes know.
    """
    known, names = list(_described(image.attrs.get("channels"))), names_of(image)
    if not names:
        return [] if "c" in image.dims else [known[0] if len(known) == 1 else None]
    if [channel.label for channel in known] == names:  # whose names need not be unique
        return [*known]
    by_name = {channel.label: channel for channel in reversed(known)}
    return [by_name.get(name) for name in names]


def _described(facts: Any) -> Iterator[Channel]:
    """Yield the channels that an attribute describes; what is no description of one is somebody else's."""
    for item in facts if isinstance(facts, (list, tuple)) else ():
        try:
            yield item if isinstance(item, Channel) else Channel(**item)
        except (TypeError, NgioValueError):
            continue


def active_channels(image: xr.DataArray) -> list[int]:
    """Return the positions of the channels that are shown unless others are asked for.

    They are those that are not said to be inactive, but for one called `alpha`; if none is left, all.
    """
    known = known_channels(image)
    active = [at for at, channel in enumerate(known) if channel is None or channel.active] or list(range(len(known)))
    names = names_of(image) or [""]
    return [at for at in active if names[at].lower() != _ALPHA] or list(range(len(known)))


def chosen_channels(image: xr.DataArray, channels: ChannelsLike | None = None) -> dict[int, Channel | None]:
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
        return {**found}
    asked = [(_position(image, item), item) for item in channels]
    return {at: item if isinstance(item, Channel) else known[at] for at, item in asked}


def _position(image: xr.DataArray, item: Any) -> int:
    """Return where the channel is that a name, a position or a `Channel` means."""
    if isinstance(item, bool) or not isinstance(item, (str, int, np.integer, Channel)):
        raise NgioTypeError(f"channels must be names, positions or Channel, got {shown(item)} among them")
    names = names_of(image)
    if not names and "c" not in image.dims:
        if isinstance(item, Channel):  # there is just one that it can mean
            return 0
        names = [channel.label if channel else "0" for channel in known_channels(image)]
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
    return {
        at: own or suited_to(_pixels_of(image, None if photograph else at), names[at] or str(at), colors[at])
        for at, own in chosen_channels(image, channels).items()
    }


def _pixels_of(image: xr.DataArray, at: int | None) -> npt.NDArray[Any]:
    """Return the pixels of the channel at a position; none of None."""
    if at is None:
        return np.empty(0, image.dtype)
    return np.asarray(image.isel(c=at) if "c" in image.dims else image)
