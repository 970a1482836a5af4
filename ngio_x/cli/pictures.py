"""Pieces of images as PNG and TIFF, and thumbnails."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import imageio.v3 as imageio
import numpy as np
import tifffile
import xarray as xr

from ngio_x._frozen import evolve
from ngio_x.arrays.channels import ChannelsLike, channels_shown, chosen_channels, names_of
from ngio_x.arrays.composite import composite
from ngio_x.arrays.dimensions import dimensions_of
from ngio_x.arrays.roles import is_labels
from ngio_x.arrays.tree import Levels, array_of
from ngio_x.arrays.zoom import zoom
from ngio_x.errors import NgioKeyError, NgioValueError
from ngio_x.metadata.units import DEFAULT_SPACE_UNIT, DEFAULT_TIME_UNIT, SYMBOLS, conversion

PNG: Final = ".png"
TIFF: Final = (".tif", ".tiff")
_OME: Final = (".ome.tif", ".ome.tiff")
_IMAGEJ_TYPES: Final = ("uint8", "uint16", "float32")
_OME_TYPES: Final = (
    "uint8", "uint16", "uint32", "int8", "int16", "int32", "float32", "float64",
)  # fmt: skip
_SYMBOL_OF: Final = {name: symbol for symbol, name in reversed(SYMBOLS.items()) if symbol != "micron"}
_NO_SIZE: Final = "pixel"


def channel_names(image: xr.DataArray, asked: Sequence[str] | None) -> list[str | int] | None:
    """Return channels by name; texts that are no names, but numbers, are positions."""
    names = names_of(image)
    return [int(text) if text.isdecimal() and text not in names else text for text in asked] if asked else None


def channels_and_window(
    image: xr.DataArray, asked: Sequence[str] | None, window: tuple[float, float] | None
) -> ChannelsLike | None:
    """Return the channels to show, as `composite` takes them, with a window that replaces their own."""
    channels = channel_names(image, asked)
    if window is None or is_labels(image):
        return channels
    return {at: evolve(channel, display=window) for at, channel in channels_shown(image, channels).items()}


def window_from(text: str | None) -> tuple[float, float] | None:
    """Return the grey levels that `--contrast LOW,HIGH` means.

    Raises:
        NgioValueError: If it means none.
    """
    if text is None:
        return None
    try:
        low, high = map(float, text.split(","))
    except ValueError:
        low, high = np.nan, np.nan
    if not low < high:
        raise NgioValueError(f"--contrast must be two rising grey levels, such as 100,3000; got {text!r}")
    return low, high


# ---- PNG


def write_png(image: xr.DataArray, path: Path) -> None:
    """Write a picture with the axes y, x and rgb; others must have the length 1.

    Raises:
        NgioValueError: If there is more than one plane.
    """
    if several := {str(dim): size for dim, size in image.sizes.items() if dim not in ("y", "x", "rgb") and size > 1}:
        axis, size = next(iter(several.items()))
        raise NgioValueError(
            f"a PNG holds one plane, and the region has {size} along {axis}: choose one, such as "
            f"--region {axis}=START:STOP (with --pixels, {axis}=0), or write a TIFF"
        )
    plane = image.squeeze([dim for dim in image.dims if dim not in ("y", "x", "rgb")]).transpose("y", "x", "rgb")
    path.write_bytes(imageio.imwrite("<bytes>", plane.values, extension=PNG))


def thumbnail(
    levels: Levels,
    size: int,
    channels: Sequence[str] | None = None,
    window: tuple[float, float] | None = None,
) -> xr.DataArray:
    """Return a small picture of an image: of the first frame, and the middle plane of a stack.

    Args:
        levels: Of the image.
        size: Pixels of the longer side; an image that is smaller stays as it is.
        channels: Those to show, by name or position.
        window: Grey levels that are black, and full; by default those that `composite` chooses.
    """
    arrays = [array_of(node) for node in levels.values()]
    large_enough = [array for array in arrays if max(array.sizes["y"], array.sizes["x"]) >= size]
    image = (large_enough or arrays)[-1 if large_enough else 0]
    others = {dim: n // 2 if dim == "z" else 0 for dim, n in image.sizes.items() if dim not in ("y", "x", "c")}
    plane = image.isel(others)
    factor = size / max(plane.sizes["y"], plane.sizes["x"])
    if factor < 1:
        shape = {dim: max(1, round(plane.sizes[dim] * factor)) for dim in ("y", "x")}
        plane = zoom(plane, shape=shape, order=None if is_labels(plane) or plane.dtype.kind == "b" else "mean")
    return composite(plane, channels_and_window(plane, channels, window))


# ---- TIFF


def write_tiff(image: xr.DataArray, path: Path, name: str) -> None:
    """Write an image with its pixel sizes.

    Args:
        image: With axes among t, c, z, y, x.
        path: Where to.
        name: What it will be called: `.ome.tif` is written with OME-XML, others as ImageJ reads and writes them.

    Raises:
        NgioValueError: If the format has no such type of numbers.
    """
    if image.dtype.kind == "b":
        image = image.astype(np.uint8)
    if name.lower().endswith(_OME):
        _require_type(image, _OME_TYPES, "an OME-TIFF")
        axes = [axis for axis in "tczyx" if axis in image.dims]
        pixels = image.transpose(*axes).values
        tifffile.imwrite(path, pixels, ome=True, photometric="minisblack", metadata=_ome_facts(image, axes))
        return
    _require_type(image, _IMAGEJ_TYPES, "a TIFF of ImageJ", "; name the file .ome.tif to keep them")
    axes = [axis for axis in "tzcyx" if axis in image.dims]
    facts, resolution = _imagej_facts(image)
    pixels = image.transpose(*axes).values
    facts["axes"] = "".join(axes).upper()
    tifffile.imwrite(path, pixels, imagej=True, resolution=resolution, metadata=facts)


def _require_type(image: xr.DataArray, known: Sequence[str], what: str, advice: str = "") -> None:
    if image.dtype.name not in known:
        raise NgioValueError(f"{what} holds {', '.join(known)}, and the image {image.dtype}{advice}")


def _ome_facts(image: xr.DataArray, axes: Sequence[str]) -> dict[str, Any]:
    """Return what OME-XML says of an image (OME schema 2016-06, Pixels)."""
    facts: dict[str, Any] = {"axes": "".join(axes).upper()}
    for axis, (size, unit) in _sizes(image).items():
        key = "TimeIncrement" if axis == "t" else f"PhysicalSize{axis.upper()}"
        facts |= {key: size, f"{key}Unit": _SYMBOL_OF.get(unit or "", _NO_SIZE if axis != "t" else "s")}
    if "c" in image.dims and "c" in image.coords:
        facts["Channel"] = {"Name": [str(label) for label in image["c"].values]}
    return facts


def _imagej_facts(image: xr.DataArray) -> tuple[dict[str, Any], tuple[float, float] | None]:
    """Return what ImageJ keeps in a description, and pixels per unit along x and y, in micrometers and seconds."""
    sizes = _sizes(image)
    facts: dict[str, Any] = {}
    if "t" in sizes:
        facts["finterval"] = _converted(*sizes["t"], DEFAULT_TIME_UNIT)
    if any(unit is None for axis, (_, unit) in sizes.items() if axis in "zyx"):
        return facts, None
    lengths = {axis: _converted(*sizes[axis], DEFAULT_SPACE_UNIT) for axis in sizes if axis in "zyx"}
    facts["unit"] = "um"
    if "z" in lengths:
        facts["spacing"] = lengths["z"]
    return facts, (1 / lengths["x"], 1 / lengths["y"])


def _converted(size: float, unit: str | None, target: str) -> float:
    return size * conversion(unit, target)


def _sizes(image: xr.DataArray) -> dict[str, tuple[float, str | None]]:
    """Return size and unit of a pixel along time and space."""
    dimensions = dimensions_of(image)
    facts = zip(dimensions.axes_handler.axes, dimensions.dataset.scale, strict=True)
    return {axis.name: (scale, axis.unit) for axis, scale in facts if axis.name in ("t", "z", "y", "x")}


def only_channels(image: xr.DataArray, asked: Sequence[str] | None) -> xr.DataArray:
    """Return an image with some of its channels.

    Raises:
        NgioKeyError: If there is no such channel.
    """
    wanted = channel_names(image, asked)
    if wanted is None:
        return image
    positions = list(chosen_channels(image, wanted))
    if "c" not in image.dims:
        raise NgioKeyError("the image has no channels: leave --channel out")
    return image.isel(c=positions)
