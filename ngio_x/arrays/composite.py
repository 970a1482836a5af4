"""Channels in their colours, as one picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import xarray as xr

from ngio_x._frozen import shown
from ngio_x.arrays.image import is_labels, require_image
from ngio_x.errors import NgioKeyError, NgioTypeError, NgioValueError
from ngio_x.metadata.channels import Channel, channels_of

RGB: Final = "rgb"
"""The axis of red, green and blue."""
_ALPHA: Final = "alpha"
"""What the opacity of a picture is called, which is no light of its own."""
_GOLDEN: Final = (5**0.5 - 1) / 2
"""Part of the colour wheel from one id to the next: neighbours in number differ, and no colour comes again soon."""


def composite(image: xr.DataArray, channels: Sequence[str | int | Channel] | None = None) -> xr.DataArray:
    """Return an image as red, green and blue: each channel's grey levels in its colour, one light added to the other.

    Colours and windows (the grey levels that are black, and those that are the full colour) are those of the image's
    attribute `channels`, as `open_ome_zarr` sets it; of an image that has none, those that suit its pixels: from the
    0.1 to the 99.9 percentile. Label images get a colour for each id, and black where there is none.

    >>> from ngio_x.arrays.image import as_image
    >>> picture = composite(as_image([[[0, 255]], [[255, 0]]], "cyx", channels=["red", "blue"]))
    >>> picture.dims, picture.values.tolist()
    (('y', 'x', 'rgb'), [[[0, 0, 255], [255, 0, 0]]])

    Args:
        image: A labelled array, numpy- or dask-backed; of the latter the picture is lazy, too, but that pixels are read
            for windows that are not known. Without an axis c it is one channel.
        channels: Which channels to show, by name or position along c; a `Channel` is shown in its own colour and
            window. By default those that are active, but for one called `alpha`.

    Returns:
        uint8 with the axes of the image but c, and `rgb` of length 3 as the last; coordinates are kept.

    Raises:
        NgioTypeError: If `image` is no DataArray of real numbers, or `channels` is something else.
        NgioKeyError: If there is no such channel.
    """
    require_image(image)
    if image.dtype.kind not in "biuf":
        raise NgioTypeError(f"composite takes an image of real numbers, got {image.dtype}")
    if is_labels(image):
        return _lifted(_colours_of_ids, image.drop_attrs(deep=False), [])
    known = channels_shown(image, channels)
    plain = image.drop_vars("c", errors="ignore").drop_attrs(deep=False)
    taken = plain.isel(c=list(known)) if "c" in plain.dims else plain.expand_dims("c", axis=-1)
    return _lifted(_Light(tuple(known.values())), taken, ["c"])


def channels_shown(image: xr.DataArray, channels: Sequence[str | int | Channel] | None = None) -> dict[int, Channel]:
    """Return the channels that `composite` shows, by their position along c.

    Raises:
        NgioTypeError: If `channels` is no sequence of names, positions or `Channel`.
        NgioKeyError: If there is no such channel.
        NgioValueError: If none is asked for.
    """
    names = _names(image)
    if channels is None:
        known = {index: _known(image).get(name) for index, name in enumerate(names)}
        active = [index for index, channel in known.items() if channel is None or channel.active]
        wanted = [index for index in active or known if names[index].lower() != _ALPHA] or list(known)
        given: dict[int, Channel | None] = {index: known[index] for index in wanted}
    else:
        given = _asked_for(image, names, channels)
    return {index: channel or _suiting(image, names, index) for index, channel in given.items()}


def _asked_for(
    image: xr.DataArray, names: Sequence[str], channels: Sequence[str | int | Channel]
) -> dict[int, Channel | None]:
    if isinstance(channels, (str, bytes)) or not isinstance(channels, Sequence):
        raise NgioTypeError(f"channels must be a list of names, positions or Channel, got {shown(channels)}")
    if not channels:
        raise NgioValueError("channels must be one at least, got none: leave it out to show those that are active")
    known, given = _known(image), dict[int, Channel | None]()
    for item in channels:
        if isinstance(item, bool) or not isinstance(item, (str, int, np.integer, Channel)):
            raise NgioTypeError(f"channels must be names, positions or Channel, got {shown(item)} among them")
        name = item.label if isinstance(item, Channel) else item
        index = names.index(name) if isinstance(name, str) and name in names else name
        if isinstance(index, str) or not 0 <= index < len(names):
            raise NgioKeyError(f"channels: there is no channel {name!r}, name some of {', '.join(map(repr, names))}")
        given[int(index)] = item if isinstance(item, Channel) else known.get(names[index])
    return given


def _names(image: xr.DataArray) -> list[str]:
    """Return what the channels are called; without names, by their positions."""
    if "c" in image.coords:
        return [str(name) for name in np.atleast_1d(image["c"].values)]
    return [str(index) for index in range(image.sizes.get("c", 1))]


def _known(image: xr.DataArray) -> dict[str, Channel]:
    """Return the channels that the attributes describe; what is no description of one is passed over."""
    described = image.attrs.get("channels")
    known: dict[str, Channel] = {}
    for item in described if isinstance(described, (list, tuple)) else ():
        facts = item if isinstance(item, Mapping) else {}
        try:
            channel = item if isinstance(item, Channel) else Channel(**facts)
        except (TypeError, NgioValueError):
            continue
        known.setdefault(channel.label, channel)
    if "c" not in image.dims and "c" not in image.coords and len(known) == 1:
        return {"0": next(iter(known.values()))}
    return known


def _suiting(image: xr.DataArray, names: Sequence[str], index: int) -> Channel:
    """Return a channel with the colour of its turn, and a window that suits its pixels."""
    pixels = np.asarray(image.isel(c=index) if "c" in image.dims else image)
    nothing = np.zeros((len(names), 0), pixels.dtype)
    color = channels_of(names, nothing)[index].color
    return Channel(names[index], color, display=channels_of(names[index : index + 1], pixels[np.newaxis])[0].display)


def _lifted(function: Any, image: xr.DataArray, core: list[str]) -> xr.DataArray:
    """Return what a function from pixels to colours makes of an image, block by block."""
    picture: xr.DataArray = xr.apply_ufunc(
        function,
        image,
        input_core_dims=[core],
        output_core_dims=[[RGB]],
        dask="parallelized",
        output_dtypes=[np.uint8],
        dask_gufunc_kwargs={"output_sizes": {RGB: 3}, "allow_rechunk": True},
    )
    return picture


class _Light:
    """Mixes channels, which are the last axis; a class, so that it pickles with its channels."""

    def __init__(self, channels: Sequence[Channel]) -> None:
        self._channels = tuple(channels)

    def __call__(self, pixels: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
        light = np.zeros((*pixels.shape[:-1], 3), np.float32)
        for index, channel in enumerate(self._channels):
            low, high = channel.display
            levels = pixels[..., index].astype(np.float64)
            span = high - low
            part = (levels - low) / span if span > 0 else (levels > low).astype(np.float64)
            part = np.clip(np.nan_to_num(part, nan=0.0), 0, 1).astype(np.float32)
            for place in range(3):
                if strength := int(channel.color[2 * place : 2 * place + 2], 16):
                    light[..., place] += part * np.float32(strength)
        return np.rint(np.minimum(light, 255)).astype(np.uint8)


def _colours_of_ids(ids: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Return a colour for each id, always the same, of full brightness; black for 0."""
    hue = np.mod(ids.astype(np.float64) * _GOLDEN, 1.0)[..., np.newaxis] * 6
    wheel = np.clip(np.abs(np.mod(hue + np.array([0.0, 4.0, 2.0]), 6) - 3) - 1, 0, 1)
    colours = np.rint(255 * (0.3 + 0.7 * wheel))
    return np.where((ids != 0)[..., np.newaxis], colours, 0).astype(np.uint8)
