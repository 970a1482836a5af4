"""Channels in their colours, as one picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import xarray as xr

from ngio_x.arrays.channels import ChannelsLike, channels_shown, without_channels
from ngio_x.arrays.image import require_image
from ngio_x.arrays.lazy import require_plain
from ngio_x.arrays.roles import is_labels
from ngio_x.errors import NgioTypeError
from ngio_x.metadata.channels import Channel

RGB: Final = "rgb"
"""The axis of red, green and blue."""


def composite(image: xr.DataArray, channels: ChannelsLike | None = None) -> xr.DataArray:
    """Return an image as red, green and blue: the light of each channel in its colour, added up.

    Colours and windows (the grey levels that are black, and those that are the full colour) are those that the image's
    coordinates tell, as `open_ome_zarr` sets them; see `channels_of`. Where these are silent, windows suit the pixels:
    from the 0.1 to the 99.9 percentile; red, green and blue in 8 bits are shown as they are. Label images get a colour
    for each id, and black where there is none.

    >>> from ngio_x.arrays.image import as_image
    >>> picture = composite(as_image([[[0, 255]], [[255, 0]]], "cyx", channels=["red", "blue"]))
    >>> picture.dims, picture.values.tolist()
    (('y', 'x', 'rgb'), [[[0, 0, 255], [255, 0, 0]]])

    Args:
        image: A labelled array, numpy- or dask-backed; of the latter the picture is lazy, too, but that pixels are read
            for windows that are not known. Without an axis c it is one channel.
        channels: Which channels to show, by name or position along c; a `Channel` is shown in its own colour and
            window, `{position: Channel}` too. By default those that are active, but for one called `alpha`.

    Returns:
        uint8 with the axes of the image but c, and `rgb` of length 3 as the last; coordinates are kept.

    Raises:
        NgioTypeError: If `image` is not a DataArray of real numbers, or `channels` is something else.
        NgioKeyError: If there is no such channel, or there are several of that name.
        NgioValueError: If `channels` is empty.
    """
    require_image(image)
    require_plain(image)
    if image.dtype.kind not in "biuf":
        raise NgioTypeError(f"composite takes an image of real numbers, got {image.dtype}")
    if is_labels(image):
        return _lifted(_colored, image.drop_attrs(deep=False), [])
    known = channels_shown(image, channels)
    plain = without_channels(image).drop_vars("c", errors="ignore").drop_attrs(deep=False)
    taken = plain.isel(c=list(known)) if "c" in plain.dims else plain.expand_dims("c", axis=-1)
    return _lifted(partial(_blended, channels=tuple(known.values())), taken, ["c"])


def _lifted(function: Callable[..., Any], image: xr.DataArray, core: list[str]) -> xr.DataArray:
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


def _blended(pixels: npt.NDArray[Any], channels: Sequence[Channel]) -> npt.NDArray[np.uint8]:
    """Return red, green and blue of channels, which are the last axis of the pixels; NaN is black."""
    light = np.zeros((*pixels.shape[:-1], 3), np.float32)
    for index, channel in enumerate(channels):
        low, high = channel.display
        levels = pixels[..., index].astype(np.float64)
        span = high - low
        part = (levels - low) / span if span > 0 else (levels > low).astype(np.float64)
        part = np.clip(np.nan_to_num(part, nan=0.0), 0, 1).astype(np.float32)
        for place, strength in enumerate(bytes.fromhex(channel.color)):
            if strength:
                light[..., place] += part * np.float32(strength)
    return np.rint(np.minimum(light, 255)).astype(np.uint8)


def _colored(ids: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Return the colour of each id; black for 0."""
    return np.where((ids != 0)[..., np.newaxis], np.rint(255 * label_colors(ids)), 0).astype(np.uint8)


def label_colors(ids: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return a bright colour for each id, shape (…, 3), from 0 to 1: always the same, and unlike that of the next ids.

    Hues go around the circle by the golden ratio, counted in integers, so that large ids stay distinct.
    """
    turns = (ids.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(32)
    hue = turns.astype(np.float64)[..., np.newaxis] / 2**32
    light: npt.NDArray[np.float64] = np.clip(np.abs((hue + np.array([0, 2, 1]) / 3) % 1 * 6 - 3) - 1, 0, 1)
    return light * 0.8 + 0.2
