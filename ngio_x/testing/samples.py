"""Small images from a seed: the same pixels each time, on every machine, without a download."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy import ndimage, spatial

from ngio_x._frozen import at_least, named, sequence_of, to_float, to_int
from ngio_x.arrays.image import as_image, as_labels
from ngio_x.errors import NgioValueError

Pixels = npt.NDArray[Any]

_PIXEL_SIZE: Final = 0.325
"""In micrometers: a 20× objective on a common camera."""
_MARGIN: Final = 24
"""Pixels between the border and the centre of a nucleus."""
_APART: Final = 27
"""Pixels between the centres of nuclei."""
_FULL: Final = 0.45
"""Part of the area that discs thrown at random fill before throwing on becomes slow; they never fill 0.55."""


def noise(
    shape: int | Sequence[int],
    dtype: Any = "uint16",
    seed: int = 0,
    *,
    low: float | None = None,
    high: float | None = None,
) -> Pixels:
    """Return pixels that are independent of one another, evenly distributed over `[low, high)`.

    Args:
        shape: In pixels.
        dtype: Any of numpy's booleans, integers, floats and complex numbers (both parts of which are noise).
        seed: Another seed, other pixels.
        low: The least value. Default: the least of an integer type, else 0.
        high: The first value that is too large. Default: one above the largest of an integer type, else 1.

    Raises:
        NgioValueError: If the type is of another kind, or there is nothing between `low` and `high`.

    Examples:
        >>> noise((2, 3), "uint8", high=10).tolist()
        [[3, 5, 7], [8, 8, 9]]
    """
    sizes, wanted, rng = _to_sizes(shape), np.dtype(dtype), _generator(seed)
    if wanted.kind not in "biufc":
        raise NgioValueError(f"dtype must be boolean, integer, float or complex, got {wanted}")
    limits = np.iinfo(wanted) if wanted.kind in "iu" else None
    bottom = (0 if limits is None else int(limits.min)) if low is None else low
    top = (1 if limits is None else int(limits.max) + 1) if high is None else high
    if not bottom < top:
        raise NgioValueError(f"high must be above low={bottom}, got {top}")
    if limits is not None:
        if bottom < limits.min or top > int(limits.max) + 1:
            raise NgioValueError(f"low and high must be within {wanted}, got {bottom} and {top}")
        return rng.integers(math.ceil(bottom), math.ceil(top), sizes, wanted.newbyteorder("=")).astype(wanted)
    if wanted.kind == "b":
        return rng.integers(0, 2, sizes).astype(wanted)
    values = rng.uniform(bottom, top, sizes)
    return (values if wanted.kind == "f" else values + 1j * rng.uniform(bottom, top, sizes)).astype(wanted)


def photons(shape: int | Sequence[int], mean: float = 100.0, dtype: Any = "uint16", seed: int = 0) -> Pixels:
    """Return what a camera counts under even light: Poisson noise around a mean, which compresses as real images do.

    Examples:
        >>> photons((2, 3)).tolist()
        [[104, 75, 103], [101, 110, 112]]
    """
    return _generator(seed).poisson(named("mean", at_least(0, to_float))(mean), _to_sizes(shape)).astype(dtype)


def label_discs(
    shape: int | Sequence[int] = (64, 64), count: int = 12, radius: float = 6.0, dtype: Any = "uint32", seed: int = 0
) -> Pixels:
    """Return objects 1 to `count` on a background of 0: discs (2-D), balls (3-D), and what they leave of one another.

    Each is there, at least with the pixel at its centre. Where two would overlap, each pixel belongs to the nearer
    centre: objects touch, and are cut off at borders. A radius beyond the image leaves no background.

    Raises:
        NgioValueError: If there are fewer pixels than objects, the type cannot number them, or the radius is negative.

    Examples:
        >>> label_discs((5, 9), count=3, radius=1.5)
        array([[0, 0, 0, 0, 0, 0, 0, 0, 0],
               [0, 0, 0, 0, 2, 2, 2, 0, 0],
               [1, 1, 1, 0, 2, 2, 2, 0, 0],
               [1, 1, 1, 0, 2, 2, 2, 0, 0],
               [3, 1, 1, 0, 0, 0, 0, 0, 0]], dtype=uint32)
    """
    sizes, wanted = _to_sizes(shape), np.dtype(dtype)
    number = named("count", at_least(0, to_int))(count)
    if wanted.kind not in "iu" or number > np.iinfo(wanted).max:
        raise NgioValueError(f"dtype must be integers up to {number}, the number of objects, got {wanted}")
    if number > math.prod(sizes):
        raise NgioValueError(f"count must be at most the {math.prod(sizes)} pixels of shape {sizes}, got {number}")
    if not radius >= 0:  # NaN, too
        raise NgioValueError(f"radius must be ≥ 0, got {radius}")
    if number == 0:
        return np.zeros(sizes, wanted)
    chosen = _generator(seed).choice(math.prod(sizes), number, replace=False)
    centres = np.stack(np.unravel_index(chosen, sizes), axis=-1)
    distance, nearest = spatial.cKDTree(centres).query(np.indices(sizes).reshape(len(sizes), -1).T)
    return np.where(distance <= radius, nearest + 1, 0).reshape(sizes).astype(wanted)


class Nuclei(NamedTuple):
    """An image, and which of its pixels are what."""

    image: xr.DataArray
    """DNA and tubulin, as a microscope shows them: uint16, axes c, y and x, in micrometers."""
    labels: xr.DataArray
    """The nuclei that are shown, 1 to n, on the same pixels: what a segmentation should find."""


def nuclei(shape: Sequence[int] = (1024, 1024), count: int = 300, seed: int = 0) -> Nuclei:
    """Return a two-channel image (DNA, tubulin) of nuclei, and the nuclei as labels.

    Nuclei are textured ellipses of different size and brightness; tubulin surrounds them. Both are blurred by a
    point-spread function and carry uneven illumination, shot noise and read noise.

    Args:
        shape: Rows and columns, at least 64 of each.
        count: How many nuclei; so many that there is room for them.
        seed: Another seed, other nuclei.

    Raises:
        NgioValueError: If the shape is too small, or there are too many.

    Examples:
        >>> sample = nuclei((128, 128), count=5)
        >>> sample.image.dims, sample.image.c.values.tolist()
        (('c', 'y', 'x'), ['DNA', 'tubulin'])
        >>> int(sample.labels.max())
        5
    """
    sizes = _to_sizes(shape)
    if len(sizes) != 2 or min(sizes) < 64:
        raise NgioValueError(f"shape must be rows and columns, at least 64 of each, got {sizes}")
    rng = _generator(seed)
    dna, tubulin, ids = np.zeros(sizes), np.zeros(sizes), np.zeros(sizes, np.uint32)
    places = _spread_places(rng, sizes, count)
    texture = ndimage.gaussian_filter(rng.standard_normal(sizes), 2.5)
    texture *= 0.25 / texture.std()
    for number, place in enumerate(places, 1):
        _add_nucleus(rng, dna, tubulin, ids, number, place)
    dna = ndimage.gaussian_filter(dna * np.clip(1 + texture, 0.3, None), 1.2)
    fibres = np.abs(ndimage.gaussian_filter(rng.standard_normal(sizes), (0.8, 4)))
    tubulin = ndimage.gaussian_filter(tubulin * (0.4 + fibres / fibres.mean()), 1.0)
    image = as_image(
        _camera(rng, np.stack([60 + 900 * dna, 90 + 500 * tubulin])),
        dims=("c", "y", "x"),
        pixel_size=_PIXEL_SIZE,
        channels=("DNA", "tubulin"),
        name="nuclei",
    )
    return Nuclei(image, as_labels(ids, ("y", "x"), like=image, name="nuclei"))


def _camera(rng: np.random.Generator, photons: Pixels) -> Pixels:
    """Return what a camera makes of light that falls off towards the corners."""
    height, width = photons.shape[1:]
    rows, columns = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    lit = photons * (1 - 0.25 * (rows**2 + columns**2) / 2)
    pixels = rng.poisson(lit) * 4.0 + rng.normal(400, 12, lit.shape)
    return np.asarray(np.clip(np.rint(pixels), 0, 65535).astype(np.uint16))


def _spread_places(rng: np.random.Generator, shape: Sequence[int], count: int) -> list[tuple[float, float]]:
    """Return places of nuclei that keep their distance from each other and from the border."""
    number, room = named("count", at_least(0, to_int))(count), [size - 2 * _MARGIN for size in shape]
    most = max(1, int(_FULL * math.prod(room) / (math.pi * (_APART / 2) ** 2)))
    if number > most:
        raise NgioValueError(f"count must be at most {most}, for which shape {tuple(shape)} has room, got {number}")
    places: list[tuple[float, float]] = []
    while len(places) < number:
        y, x = rng.uniform(_MARGIN, [size - _MARGIN for size in shape])
        if all((y - other_y) ** 2 + (x - other_x) ** 2 > _APART**2 for other_y, other_x in places):
            places.append((y, x))
    return places


def _add_nucleus(
    rng: np.random.Generator, dna: Pixels, tubulin: Pixels, ids: Pixels, number: int, place: tuple[float, float]
) -> None:
    (y, x), reach = place, 40
    window = tuple(
        slice(max(0, int(at) - reach), min(size, int(at) + reach)) for at, size in zip(place, dna.shape, strict=True)
    )
    rows, columns = np.mgrid[window]
    angle, long, short = rng.uniform(0, np.pi), rng.uniform(10, 15), rng.uniform(7, 11)
    along = (rows - y) * np.sin(angle) + (columns - x) * np.cos(angle)
    across = (rows - y) * np.cos(angle) - (columns - x) * np.sin(angle)
    radius = np.hypot(along / long, across / short)
    dna[window] = np.maximum(dna[window], rng.uniform(0.5, 1.2) / (1 + np.exp((radius - 1) * 14)))
    ids[window][(radius < 1) & (ids[window] == 0)] = number
    shell = np.exp(-(((radius - 1.35) / 0.45) ** 2))
    tubulin[window] = np.maximum(tubulin[window], rng.uniform(0.5, 1.0) * shell)


def _generator(seed: int) -> np.random.Generator:
    return np.random.default_rng(named("seed", at_least(0, to_int))(seed))


def _to_sizes(shape: int | Sequence[int]) -> tuple[int, ...]:
    return named("shape", sequence_of(at_least(0, to_int)))((shape,) if isinstance(shape, int) else shape)
