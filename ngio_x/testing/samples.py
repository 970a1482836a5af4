"""Small arrays and images, the same ones each time: made from a seed, or drawn by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy import ndimage

from ngio_x.arrays.image import as_image, as_labels
from ngio_x.errors import NgioValueError


def noise(
    shape: int | Sequence[int],
    dtype: npt.DTypeLike = "uint16",
    *,
    low: float = 0,
    high: float | None = None,
    seed: int = 0,
) -> npt.NDArray[Any]:
    """Return an array of evenly distributed random numbers.

    >>> noise((2, 3), "uint8", high=10)
    array([[8, 6, 5],
           [2, 3, 0]], dtype=uint8)

    Args:
        shape: Of the array.
        dtype: Of the array; booleans are true as often as not.
        low: The least number.
        high: The number that all are below; by default 1 for floats, and for integers what the dtype ends at.
        seed: Another number makes another array.
    """
    kind, rng = np.dtype(dtype), np.random.default_rng(seed)
    if kind.kind == "b":
        return rng.random(shape) < 0.5
    if kind.kind in "iu" or (high is not None and kind.kind != "c"):
        end = int(np.iinfo(kind).max) + 1 if high is None else int(high)
        wide = np.uint64 if end > np.iinfo(np.int64).max else np.int64
        return rng.integers(int(low), end, shape, dtype=wide).astype(kind)
    values = rng.random(shape) if kind.kind == "f" else rng.random(shape) + 1j * rng.random(shape)
    return values.astype(kind)


def discs(
    shape: Sequence[int] = (96, 128),
    *,
    radius: float = 6,
    spacing: int = 16,
    id_step: int = 1,
    dims: Sequence[str] = ("y", "x"),
) -> xr.DataArray:
    """Return a label image of discs (in 3-D, balls) on a grid, the ids rising by `id_step`, in pixels of 0.5 µm.

    Discs touch where `radius` is half the spacing; where it is larger, they are cut off by each other.
    """
    grid = np.indices(tuple(shape))
    near = (grid % spacing) - (spacing - 1) / 2
    cells = grid // spacing
    counts = [-(-size // spacing) for size in shape]
    ids = np.ravel_multi_index(tuple(cells), counts) + 1
    pixels = np.where((near**2).sum(axis=0) <= radius**2, ids * id_step, 0)
    return as_labels(pixels.astype("uint64" if id_step > 1 else "uint32"), tuple(dims), 0.5, name="discs")


def fluorescence_image(size: int = 1024, count: int | None = None, *, seed: int = 0) -> xr.DataArray:
    """Return an image of cultured cells, as a fluorescence microscope takes it, with the channels DNA and tubulin.

    Nuclei are textured ellipses of different size and brightness; tubulin surrounds them. Both are blurred by a
    point-spread function and carry uneven illumination, shot noise and read noise. Pixels are 0.325 µm wide.

    Args:
        size: Pixels along y and x, at least 64.
        count: Number of nuclei; by default 300 for 1024 × 1024 pixels, and as dense in others.
        seed: Another number makes another image.

    Raises:
        NgioValueError: If the image is too small, for a nucleus or for that many.
    """
    if size < 64:
        raise NgioValueError(f"size must be at least 64 pixels, got {size}")
    count = round(300 * (size / 1024) ** 2) if count is None else count
    rng = np.random.default_rng(seed)
    dna, tubulin = np.zeros((2, size, size))
    places = _spread_places(rng, size, count)
    texture = ndimage.gaussian_filter(rng.standard_normal((size, size)), 2.5)
    texture *= 0.25 / texture.std()
    for y, x in places:
        _add_nucleus(rng, dna, tubulin, y, x)
    dna = ndimage.gaussian_filter(dna * np.clip(1 + texture, 0.3, None), 1.2)
    fibres = np.abs(ndimage.gaussian_filter(rng.standard_normal((size, size)), (0.8, 4)))
    tubulin = ndimage.gaussian_filter(tubulin * (0.4 + fibres / fibres.mean()), 1.0)
    rows, columns = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    light = 1 - 0.25 * (rows**2 + columns**2) / 2
    photons = np.stack([60 + 900 * dna, 90 + 500 * tubulin]) * light
    pixels = rng.poisson(photons) * 4.0 + rng.normal(400, 12, photons.shape)
    return as_image(
        np.clip(np.rint(pixels), 0, 65535).astype(np.uint16),
        dims=("c", "y", "x"),
        pixel_size=0.325,
        channels=("DNA", "tubulin"),
        name="nuclei",
    )


def _spread_places(rng: np.random.Generator, size: int, count: int) -> list[tuple[float, float]]:
    """Return places of nuclei that keep their distance from each other and from the border."""
    places: list[tuple[float, float]] = []
    for _ in range(1000 * count):
        if len(places) == count:
            break
        y, x = rng.uniform(24, size - 24, 2)
        if all((y - other_y) ** 2 + (x - other_x) ** 2 > 27**2 for other_y, other_x in places):
            places.append((y, x))
    else:
        if count:
            raise NgioValueError(f"{count} nuclei do not fit into {size} × {size} pixels: ask for fewer")
    return places


def _add_nucleus(
    rng: np.random.Generator, dna: npt.NDArray[Any], tubulin: npt.NDArray[Any], y: float, x: float
) -> None:
    """Draw a nucleus with its cell."""
    reach = 40
    window = tuple(slice(max(0, int(at) - reach), min(dna.shape[0], int(at) + reach)) for at in (y, x))
    rows, columns = np.mgrid[window]
    angle, long, short = rng.uniform(0, np.pi), rng.uniform(10, 15), rng.uniform(7, 11)
    along = (rows - y) * np.sin(angle) + (columns - x) * np.cos(angle)
    across = (rows - y) * np.cos(angle) - (columns - x) * np.sin(angle)
    radius = np.hypot(along / long, across / short)
    dna[window] = np.maximum(dna[window], rng.uniform(0.5, 1.2) / (1 + np.exp((radius - 1) * 14)))
    shell = np.exp(-(((radius - 1.35) / 0.45) ** 2))
    tubulin[window] = np.maximum(tubulin[window], rng.uniform(0.5, 1.0) * shell)
