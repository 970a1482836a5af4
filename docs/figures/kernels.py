"""The pictures of docs/resampling.md: `python docs/figures/kernels.py`."""

from pathlib import Path

import dask.array as da
import numpy as np
from matplotlib.figure import Figure

import ngio_x as nx

DOCS = Path(__file__).parents[1]
ORDERS = ("nearest", "linear", "cubic", "mean", "mode", "max", "min")


def small_image():
    """Return discs, a thin line, and a slope, of 24 × 24 pixels."""
    y, x = np.mgrid[:24, :24]
    image = 20 + 3 * x
    image[(y - 7) ** 2 + (x - 7) ** 2 < 20] = 220
    image[(y - 16) ** 2 + (x - 15) ** 2 < 9] = 180
    image[np.abs(y + x - 33) < 1] = 250
    return image.astype("uint8")


def draw_kernels():
    """The image, and what each kernel makes of it at 3/8 of the size."""
    image = small_image()
    figure = Figure(figsize=(8, 4.2), layout="constrained")
    shown = {"24 × 24 pixels": image}
    shown |= {f'"{order}"': nx.numpy_zoom(image, (3 / 8, 3 / 8), order=order) for order in ORDERS}
    for axes, (title, pixels) in zip(figure.subplots(2, 4).ravel(), shown.items(), strict=True):
        axes.imshow(pixels, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        axes.set_title(title, fontsize=10)
        axes.set_axis_off()
    return figure


def draw_chunks():
    """A zoom block by block, one that looks at the neighbours, and where they differ from that of the whole."""
    texture = np.random.default_rng(0).integers(-20, 21, (24, 24))
    image = np.clip(small_image().astype(int) + texture, 0, 255).astype("uint8")
    whole = nx.numpy_zoom(image, (1.5, 1.5))
    ours = nx.dask_zoom(da.from_array(image, chunks=8), (1.5, 1.5)).compute()
    cuts = [slice(low, low + 8) for low in range(0, 24, 8)]
    alone = np.block([[nx.numpy_zoom(image[y, x], (1.5, 1.5)) for x in cuts] for y in cuts])
    figure = Figure(figsize=(8, 2.4), layout="constrained")
    for axes, title, pixels, limits in zip(
        figure.subplots(1, 4),
        ("the whole at once", "dask_zoom, 9 chunks", "its difference", "that of each chunk alone"),
        (whole, ours, np.abs(ours.astype(int) - whole), np.abs(alone.astype(int) - whole)),
        (255, 255, 30, 30),
        strict=True,
    ):
        axes.imshow(pixels, cmap="gray" if limits == 255 else "magma", vmin=0, vmax=limits, interpolation="nearest")
        axes.set_title(title, fontsize=9)
        axes.set_axis_off()
    return figure


def main(folder):
    """Put the pictures into a folder."""
    draw_kernels().savefig(folder / "kernels.png", dpi=100)
    draw_chunks().savefig(folder / "chunks.png", dpi=100)


if __name__ == "__main__":
    main(DOCS / "images")
