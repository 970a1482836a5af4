"""The main job from end to end, on an image that looks like the real thing and needs no download."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy import ndimage

from ngio_x._frozen import evolve
from ngio_x.arrays.crop import crop
from ngio_x.arrays.dimensions import channels_of
from ngio_x.arrays.image import as_labels
from ngio_x.arrays.show import extent_of
from ngio_x.errors import NgioFileExistsError, NgioValueError
from ngio_x.labels.masking_roi import compute_masking_roi
from ngio_x.ngff.label_images import write_labels
from ngio_x.ngff.read import open_ome_zarr
from ngio_x.ngff.write import write_ome_zarr
from ngio_x.pyramid.progress import Progress
from ngio_x.roi.roi import Roi
from ngio_x.testing.samples import nuclei
from ngio_x.view.overlays import plot_rois
from ngio_x.view.pictures import plot_image

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
    sample = nuclei()
    image, planted = sample.image.rename("demo"), int(sample.labels.max())
    write_ome_zarr(image, store, name="demo", overwrite=overwrite, progress=progress)
    write_labels(segment(image.sel(c="DNA")), store, "nuclei")
    tree = open_ome_zarr(store)
    rois = compute_masking_roi(tree["labels/nuclei"].children["0"].ds["nuclei"])
    draw_overview(tree, rois, picture)
    return Demo(store, picture, planted, len(rois))


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
    channels = [evolve(channel, color=color) for channel, color in zip(channels_of(image), _COLORS, strict=True)]
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
    middle = {axis: sum(extent_of(dna, axis)) / 2 for axis in ("y", "x")}

    def distance(roi: Roi) -> float:
        spans = {axis: _span(roi, axis) for axis in middle}
        return sum(abs(start + length / 2 - middle[axis]) for axis, (start, length) in spans.items())

    return max(sorted(rois, key=distance)[:20], key=lambda roi: float(crop(dna, roi).mean()))


def _span(roi: Roi, axis: str) -> tuple[float, float]:
    """Return start and length of a region that has both."""
    return roi[axis].start or 0.0, roi[axis].length or 0.0
