"""Image files of everyday formats as labelled images."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import imageio.v3 as imageio
import numpy as np
import numpy.typing as npt
import tifffile
import xarray as xr

from ngio_x.arrays.image import as_image
from ngio_x.errors import NgioFileNotFoundError, NgioValueError, warn
from ngio_x.metadata.axes import CANONICAL_ORDER
from ngio_x.metadata.units import unit_from_symbol

_TIFF_AXES = {"T": "t", "C": "c", "S": "c", "Z": "z", "Y": "y", "X": "x"}
_NO_UNITS = ("", "pixel", "reference frame")
"""What ImageJ and OME-XML say where the size of a pixel is not known."""
_RGB = ("red", "green", "blue", "alpha")


class _Contents(NamedTuple):
    """What a file says of itself."""

    pixels: npt.NDArray[Any]
    axes: str | None = None
    """One letter an axis; None where the file does not say."""
    pixel_size: Mapping[str, float] = {}
    units: Mapping[str, str] = {}
    channels: Sequence[str] | None = None


def read_image(
    path: Path,
    *,
    axes: str | None = None,
    pixel_size: float | Mapping[str, float] | None = None,
    unit: str | None = None,
) -> xr.DataArray:
    """Read an image file as a labelled image with its axes in the order t, c, z, y, x.

    Args:
        path: A PNG, JPEG, TIFF or OME-TIFF file (or another that imageio reads), or `.npy`.
        axes: One letter for each axis of the file, such as `"yxc"`. By default what the file says. Files of a format
            that has no axes (PNG, JPEG, .npy) are taken as y, x with colours last, else as the last of t, c, z, y, x;
            a plain TIFF of many pages is refused, for nothing says what its pages are.
        pixel_size: As in `as_image`. By default what the file says.
        unit: Unit of the pixel size. By default what the file says, else micrometer.

    Raises:
        NgioFileNotFoundError: If there is no such file.
        NgioValueError: If it cannot be read, or the axes do not fit its shape.
    """
    if not path.is_file():
        raise NgioFileNotFoundError(f"there is no file {path}")
    try:
        contents = _read(path)
    except (NgioValueError, MemoryError):
        raise
    except Exception as error:  # readers raise all kinds of errors on broken files
        raise NgioValueError(f"{path} cannot be read as an image: {error or type(error).__name__}") from error
    dims = _dims(contents, axes and axes.lower(), path)
    if contents.pixels.dtype.kind not in "iufb" or contents.pixels.size == 0:
        raise NgioValueError(f"{path} holds {contents.pixels.dtype} of shape {contents.pixels.shape}, not grey levels")
    sizes = {axis: size for axis, size in contents.pixel_size.items() if axis in dims}
    image = as_image(
        contents.pixels,
        dims,
        sizes if pixel_size is None else pixel_size,
        units={axis: name for axis, name in contents.units.items() if axis in sizes} if pixel_size is None else None,
        channels=_channels(contents, dims),
        name=re.sub(r"(\.ome\.tiff?|\.[^.]*)$", "", path.name, flags=re.IGNORECASE) or None,
    )
    image = image.transpose(*(axis for axis in CANONICAL_ORDER if axis in dims))
    return image if unit is None else as_image(image, units=unit)


def _read(path: Path) -> _Contents:
    match path.suffix.lower():
        case ".npy":
            return _Contents(np.load(path, mmap_mode="r", allow_pickle=False))
        case ".tif" | ".tiff":
            return _read_tiff(path)
    _require_8_bit_colours(path)
    is_cmyk = imageio.immeta(path, plugin="pillow").get("mode") == "CMYK"
    return _Contents(imageio.imread(path, plugin="pillow", mode="RGB" if is_cmyk else None))


def _require_8_bit_colours(path: Path) -> None:
    """Refuse PNG files whose low bytes would be lost: Pillow reads 16 bits of grey, but 8 bits of each colour.

    The header is fixed (PNG specification, section 11.2.1, IHDR): byte 24 is the bit depth, byte 25 the colour type,
    0 for grey.
    """
    with path.open("rb") as file:
        header = file.read(26)
    if header.startswith(b"\x89PNG") and header[24:25] == b"\x10" and header[25:] != b"\x00":
        raise NgioValueError(f"{path} is a PNG with colours of 16 bits, which would be cut to 8: save it as TIFF")


def _dims(contents: _Contents, axes: str | None, path: Path) -> tuple[str, ...]:
    shape = contents.pixels.shape
    dims = tuple(axes or contents.axes or _guessed_axes(shape))
    if unknown := [axis for axis in dims if axis not in CANONICAL_ORDER]:
        what = f"axis {unknown[0]!r}" if axes else f"unnamed axis of size {shape[dims.index(unknown[0])]}"
        raise NgioValueError(
            f"{path} has an {what}: name its {len(shape)} axes of sizes {shape} among t, c, z, y, x with --axes"
        )
    if len(dims) != len(shape) or len(set(dims)) != len(dims):
        raise NgioValueError(
            f"axes {''.join(dims)!r} do not fit {path}, which has {len(shape)} axes of sizes {shape}: "
            "name each once with --axes"
        )
    return dims


def _guessed_axes(shape: tuple[int, ...]) -> str:
    if len(shape) in (3, 4) and shape[-1] in (2, 3, 4):
        return "tyxc"[4 - len(shape) :]
    return "".join(CANONICAL_ORDER[max(0, len(CANONICAL_ORDER) - len(shape)) :])


def _channels(contents: _Contents, dims: tuple[str, ...]) -> Sequence[str] | None:
    if "c" not in dims:
        return None
    count = contents.pixels.shape[dims.index("c")]
    if contents.channels is not None and len(contents.channels) == count:
        return contents.channels
    colors_last = dims[-1] == "c" and count in (3, 4)
    return _RGB[:count] if colors_last else None


def _read_tiff(path: Path) -> _Contents:
    with tifffile.TiffFile(path) as tiff:
        series = tiff.series[0]
        if len(tiff.series) > 1:
            warn(f"{path} holds {len(tiff.series)} images: only the first is read")
        pixels, axes = _known_axes(series.asarray(), series.axes)
        if tiff.ome_metadata:
            contents = _with_ome(pixels, axes, tifffile.xml2dict(tiff.ome_metadata))
        else:
            facts = tiff.imagej_metadata or {}
            sizes, units = _imagej_sizes(facts, series.keyframe) if tiff.is_imagej else ({}, {})
            contents = _Contents(pixels, axes, sizes, units, facts.get("Labels") if "c" in axes else None)
        samples, photometric = series.keyframe.samplesperpixel, series.keyframe.photometric
    if photometric == tifffile.PHOTOMETRIC.RGB and len(contents.channels or ()) < samples:
        contents = contents._replace(channels=_RGB[:samples])
    return contents


def _known_axes(pixels: npt.NDArray[Any], letters: str) -> tuple[npt.NDArray[Any], str]:
    """Return the pixels with our names of tifffile's axes; axes of size 1 that we have no name for are dropped.

    Channels (C) of colours (S) become one axis of channels, the colours of the first channel first.
    """
    if "C" in letters and "S" in letters:
        pixels = np.moveaxis(pixels, letters.index("S"), letters.replace("S", "").index("C") + 1)
        letters = letters.replace("S", "")
        c = letters.index("C")
        pixels = pixels.reshape(*pixels.shape[:c], -1, *pixels.shape[c + 2 :])
    kept = [i for i, letter in enumerate(letters) if letter in _TIFF_AXES or pixels.shape[i] != 1]
    pixels = pixels.reshape([pixels.shape[i] for i in kept])
    axes = "".join(_TIFF_AXES.get(letters[i], letters[i]) for i in kept)
    return pixels, "yx" if len(axes) == 2 else axes


def _with_ome(pixels: npt.NDArray[Any], axes: str, document: Any) -> _Contents:
    """Add the sizes and channel names of the first image of an OME-XML document (OME schema 2016-06, Pixels)."""
    image = document["OME"]["Image"]
    facts = (image[0] if isinstance(image, (list, tuple)) else image)["Pixels"]
    names = {"x": "PhysicalSizeX", "y": "PhysicalSizeY", "z": "PhysicalSizeZ", "t": "TimeIncrement"}
    units = {
        axis: unit_from_symbol(facts.get(f"{key}Unit") or ("s" if axis == "t" else "µm")) for axis, key in names.items()
    }
    sizes = {
        axis: float(facts[key])
        for axis, key in names.items()
        if float(facts.get(key) or 0) > 0 and units[axis] not in _NO_UNITS
    }
    channels = facts.get("Channel", [])
    channels = channels if isinstance(channels, (list, tuple)) else [channels]
    labels = [str(channel.get("Name") or f"channel_{index}") for index, channel in enumerate(channels)]
    return _Contents(pixels, axes, sizes, units, labels or None)


def _imagej_sizes(facts: Mapping[str, Any], page: Any) -> tuple[dict[str, float], dict[str, str]]:
    """Return the sizes that ImageJ keeps in its description and the resolution tags (pixels per unit)."""
    sizes: dict[str, float] = {}
    units: dict[str, str] = {}
    if float(facts.get("finterval") or 0) > 0:
        sizes["t"], units["t"] = float(facts["finterval"]), unit_from_symbol(str(facts.get("tunit") or "s"))
    unit = unit_from_symbol(str(facts.get("unit") or "").replace("\\u00B5", "µ"))
    if unit in _NO_UNITS:
        return sizes, units
    for axis, tag in (("x", "XResolution"), ("y", "YResolution")):
        if tag in page.tags and page.tags[tag].value[0] > 0:
            pixels, length = page.tags[tag].value
            sizes[axis] = length / pixels
    if float(facts.get("spacing") or 0) > 0:
        sizes["z"] = float(facts["spacing"])
    return sizes, dict.fromkeys(sizes, unit) | units
