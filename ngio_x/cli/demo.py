"""The main job from end to end, on an image that looks like the real thing and needs no download."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy import ndimage

from ngio_x._frozen import evolve
from ngio_x.arrays.crop import crop
from ngio_x.arrays.image import as_image, as_labels
from ngio_x.errors import NgioFileExistsError, NgioValueError
from ngio_x.labels.masking_roi import compute_masking_roi
from ngio_x.ngff.label_images import write_labels
from ngio_x.ngff.read import open_ome_zarr
from ngio_x.ngff.write import write_ome_zarr
from ngio_x.pyramid.progress import Progress
from ngio_x.roi.roi import Roi
from ngio_x.view.channels import known_channels
from ngio_x.view.overlays import plot_rois
from ngio_x.view.pictures import plot_image

_SIZE: Final = 1024
_PIXEL_SIZE: Final = 0.325
_NUCLEI: Final = 300
_SMALLEST: Final = 120
"""Pixels below which a segmented object is debris."""
_COLORS: Final = ("FF00FF", "00FF00")
"""Of DNA and tubulin in the picture."""


class Demo(NamedTuple):
    """What the demo wrote."""

    image: Path
    picture: Path
    planted: int
    nuclei: int


def make_demo(directory: Path, *, overwrite: bool = False, progress: Progress = False) -> Demo:
    """Write `demo.zarr`, with nuclei as labels, and `overview.png` into a directory.

    Raises:
        NgioFileExistsError: If one of them is there and `overwrite` is False.
        NgioValueError: If matplotlib is missing.
    """
    if find_spec("matplotlib") is None:
        raise NgioValueError("the demo draws a picture: pip install 'ngio-x[cli,plot]'")
    store, picture = directory / "demo.zarr", directory / "overview.png"
    for path in (store, picture):
        if path.exists() and not overwrite:
            raise NgioFileExistsError(f"{path} exists: pass --overwrite to replace what an earlier demo wrote")
    image, planted = fluorescence_image()
    write_ome_zarr(image, store, name="demo", overwrite=overwrite, progress=progress)
    nuclei = segment(image.sel(c="DNA"))
    write_labels(nuclei, store, "nuclei")
    tree = open_ome_zarr(store)
    rois = compute_masking_roi(tree["labels/nuclei"].children["0"].ds["nuclei"])
    draw_overview(tree, rois, picture)
    return Demo(store, picture, planted, len(rois))


def fluorescence_image(seed: int = 0) -> tuple[xr.DataArray, int]:
    """Return a two-channel image (DNA, tubulin) of a few hundred nuclei, and how many there are.

    Nuclei are textured ellipses of different size and brightness; tubulin surrounds them. Both are blurred by a
    point-spread function and carry uneven illumination, shot noise and read noise.
    """
    rng = np.random.default_rng(seed)
    dna, tubulin = np.zeros((2, _SIZE, _SIZE))
    places = _spread_places(rng)
    texture = ndimage.gaussian_filter(rng.standard_normal((_SIZE, _SIZE)), 2.5)
    texture *= 0.25 / texture.std()
    for y, x in places:
        _add_nucleus(rng, dna, tubulin, y, x)
    dna = ndimage.gaussian_filter(dna * np.clip(1 + texture, 0.3, None), 1.2)
    fibres = np.abs(ndimage.gaussian_filter(rng.standard_normal((_SIZE, _SIZE)), (0.8, 4)))
    tubulin = ndimage.gaussian_filter(tubulin * (0.4 + fibres / fibres.mean()), 1.0)
    rows, columns = np.mgrid[-1 : 1 : _SIZE * 1j, -1 : 1 : _SIZE * 1j]
    light = 1 - 0.25 * (rows**2 + columns**2) / 2
    photons = np.stack([60 + 900 * dna, 90 + 500 * tubulin]) * light
    pixels = rng.poisson(photons) * 4.0 + rng.normal(400, 12, photons.shape)
    image = as_image(
        np.clip(np.rint(pixels), 0, 65535).astype(np.uint16),
        dims=("c", "y", "x"),
        pixel_size=_PIXEL_SIZE,
        channels=("DNA", "tubulin"),
        name="demo",
    )
    return image, len(places)


def _spread_places(rng: np.random.Generator) -> list[tuple[float, float]]:
    """Return places of nuclei that keep their distance from each other and from the border."""
    places: list[tuple[float, float]] = []
    while len(places) < _NUCLEI:
        y, x = rng.uniform(24, _SIZE - 24, 2)
        if all((y - other_y) ** 2 + (x - other_x) ** 2 > 27**2 for other_y, other_x in places):
            places.append((y, x))
    return places


def _add_nucleus(
    rng: np.random.Generator, dna: npt.NDArray[Any], tubulin: npt.NDArray[Any], y: float, x: float
) -> None:
    reach = 40
    window = tuple(slice(max(0, int(at) - reach), min(_SIZE, int(at) + reach)) for at in (y, x))
    rows, columns = np.mgrid[window]
    angle, long, short = rng.uniform(0, np.pi), rng.uniform(10, 15), rng.uniform(7, 11)
    along = (rows - y) * np.sin(angle) + (columns - x) * np.cos(angle)
    across = (rows - y) * np.cos(angle) - (columns - x) * np.sin(angle)
    radius = np.hypot(along / long, across / short)
    dna[window] = np.maximum(dna[window], rng.uniform(0.5, 1.2) / (1 + np.exp((radius - 1) * 14)))
    shell = np.exp(-(((radius - 1.35) / 0.45) ** 2))
    tubulin[window] = np.maximum(tubulin[window], rng.uniform(0.5, 1.0) * shell)


def segment(image: xr.DataArray) -> xr.DataArray:
    """Return a label image of the bright objects: smoothed, thresholded (Otsu), connected, without debris."""
    smooth = ndimage.gaussian_filter(image.values.astype(np.float64), 2)
    ids, count = ndimage.label(smooth > _otsu_threshold(smooth))
    areas = np.bincount(ids.ravel(), minlength=count + 1)
    kept = (areas >= _SMALLEST) & (np.arange(count + 1) > 0)
    new_ids = np.where(kept, np.cumsum(kept), 0)
    return as_labels(new_ids[ids].astype(np.uint32), ("y", "x"), like=image, name="nuclei")


def _otsu_threshold(values: npt.NDArray[np.float64]) -> float:
    """Return the grey level that separates two classes best (Otsu 1979, IEEE Trans. Syst. Man Cybern. 9(1))."""
    counts, edges = np.histogram(values, 256)
    centers = (edges[:-1] + edges[1:]) / 2
    below, above = np.cumsum(counts), np.cumsum(counts[::-1])[::-1]
    mean_below = np.cumsum(counts * centers) / below
    mean_above = (np.cumsum((counts * centers)[::-1]) / above[::-1])[::-1]
    between = below[:-1] * above[1:] * (mean_below[:-1] - mean_above[1:]) ** 2
    return float(centers[between.argmax()])


def draw_overview(tree: xr.DataTree, rois: list[Roi], path: Path) -> None:
    """Draw the image with its regions as boxes, and one region at two levels, with axes in micrometres."""
    from matplotlib.figure import Figure  # noqa: PLC0415 — an extra of its own

    figure = Figure(figsize=(13, 7.4), layout="constrained")
    overview, fine, coarse = figure.subplot_mosaic("AAB;AAC").values()
    image = tree.children["0"].ds["image"]
    channels = [
        evolve(channel, color=color)
        for channel, color in zip(known_channels(image), _COLORS, strict=True)
        if channel is not None
    ]
    chosen = _bright_near_centre(rois, image.sel(c="DNA"))
    plot_image(tree, channels=channels, ax=overview)
    plot_rois(rois, overview, color="white", linewidth=0.5)
    plot_rois([chosen], overview, color="yellow", linewidth=1.8)
    overview.set_title(f"{len(rois)} regions")
    piece = crop(tree, chosen.zoom(1.5))
    for axes, level in ((fine, "0"), (coarse, "2")):
        detail = piece.children[level].ds["image"]
        plot_image(detail, channels=channels, ax=axes)
        size = detail.sizes
        axes.set_title(f"region {chosen.get_name()}, level {level}: {size['y']}×{size['x']} pixels")
    figure.savefig(path, dpi=90)


def _bright_near_centre(rois: list[Roi], dna: xr.DataArray) -> Roi:
    """Return the brightest of the twenty regions around the centre."""
    return max(sorted(rois, key=_distance_to_centre)[:20], key=lambda roi: float(crop(dna, roi).mean()))


def _distance_to_centre(roi: Roi) -> float:
    middle = _SIZE * _PIXEL_SIZE / 2
    spans = (_span(roi, axis) for axis in ("y", "x"))
    return sum(abs(start + length / 2 - middle) for start, length in spans)


def _span(roi: Roi, axis: str) -> tuple[float, float]:
    """Return start and length of a region that has both."""
    return roi[axis].start or 0.0, roi[axis].length or 0.0
