"""In which colours, and between which grey levels, the channels of an image are shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from ngio_x._frozen import shown
from ngio_x.errors import NgioValueError
from ngio_x.metadata.channels import Channel, channels_of
from ngio_x.ngff.facts import from_facts


def names_of(image: xr.DataArray) -> list[str]:
    """Return the names along c, or numbers as text; of an image without c, the one that it was chosen by, else none."""
    if "c" in image.coords:
        return [str(name) for name in np.atleast_1d(image["c"].values)]
    return [str(index) for index in range(image.sizes.get("c", 0))]


def known_channels(image: xr.DataArray) -> list[Channel | None]:
    """Return what the attributes of an image say of each of its channels, by name; None where they do not.

    Of an image without c and without the name of a channel, it is the only one that the attributes know.
    """
    try:
        known = list(from_facts(image.attrs).get("channels", ()))
    except NgioValueError:  # somebody else's attribute of that name
        known = []
    names = names_of(image)
    if not names:
        return known if len(known) == 1 else [None]
    if [channel.label for channel in known] == names:  # whose names need not be unique
        return known
    by_name = {channel.label: channel for channel in reversed(known)}
    return [by_name.get(name) for name in names]


def chosen_channels(
    image: xr.DataArray, chosen: Iterable[str | Channel] | None
) -> list[tuple[int, str, Channel | None]]:
    """Return position, name, and what is known of each channel that is to be shown.

    Args:
        image: A labelled image.
        chosen: Names, or channels with colours and grey levels of their own. By default all that are active.

    Raises:
        NgioValueError: If one is not among those of the image.
    """
    names, known = names_of(image) or [""], known_channels(image)
    if chosen is None:
        active = [at for at, channel in enumerate(known) if channel is None or channel.active]
        return [(at, names[at], known[at]) for at in active or range(len(known))]
    if isinstance(chosen, (str, bytes)) or not isinstance(chosen, Sequence):
        raise NgioValueError(f"channels must be names, or Channel for each, in a list; got {shown(chosen)}")
    found = list[tuple[int, str, Channel | None]]()
    for item in chosen:
        name = item.label if isinstance(item, Channel) else item
        if not isinstance(name, str):
            raise NgioValueError(f"channels must be names, or Channel for each, got {shown(item)} among them")
        if name not in names and names != [""]:
            raise NgioValueError(f"channels names {shown(name)}, which the image lacks: it has {names}")
        at = names.index(name) if name in names else 0
        found.append((at, names[at], item if isinstance(item, Channel) else known[at]))
    if not found:
        raise NgioValueError(f"channels must be one at least, got none: name some of {names}")
    return found


def with_limits(chosen: Sequence[tuple[int, str, Channel | None]], pixels: Sequence[npt.NDArray[Any]]) -> list[Channel]:
    """Return the channels that are to be shown; those of which nothing is known are made to suit their pixels."""
    suited = channels_of([name or "image" for _, name, _ in chosen], np.stack(pixels))
    return [own if known is None else known for own, (_, _, known) in zip(suited, chosen, strict=True)]


def rgb_of(color: str) -> tuple[float, ...]:
    """Return red, green and blue from 0 to 1 of six hexadecimal digits."""
    return tuple(int(color[at : at + 2], 16) / 255 for at in (0, 2, 4))


def composite(pixels: Sequence[npt.NDArray[Any]], channels: Sequence[Channel]) -> npt.NDArray[np.float32]:
    """Return what channels look like together, as light adds up: shape (y, x, 3), from 0 to 1; NaN is black."""
    total = np.zeros((*pixels[0].shape, 3), np.float32)
    for values, channel in zip(pixels, channels, strict=True):
        low, high = channel.display
        with np.errstate(invalid="ignore", divide="ignore"):
            light = np.clip((values.astype(np.float64) - low) / ((high - low) or 1.0), 0, 1)
        total += np.nan_to_num(light)[..., np.newaxis] * np.asarray(rgb_of(channel.color))
    return np.clip(total, 0, 1)


def label_colors(ids: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return a bright colour for each id, shape (…, 3), from 0 to 1: always the same, and unlike that of the next ids.

    Hues go around the circle by the golden ratio, counted in integers, so that large ids stay distinct.
    """
    turns = (ids.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(32)
    hue = turns.astype(np.float64)[..., np.newaxis] / 2**32
    light: npt.NDArray[np.float64] = np.clip(np.abs((hue + np.array([0, 2, 1]) / 3) % 1 * 6 - 3) - 1, 0, 1)
    return light * 0.8 + 0.2
