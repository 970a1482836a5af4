"""The drawings of docs/coordinates.md: `python docs/figures/coordinates.py`."""

from itertools import pairwise
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

import ngio_x as nx

DOCS = Path(__file__).parents[1]
BLUE, ORANGE, GREY = "#4878a8", "#e08a3c", "#9a9a9a"


def row(axes, low, edges, *, color, text=None, centers=True, filled=()):
    """Draw pixels as boxes with their numbers, and a dot at each centre."""
    for number, (left, right) in enumerate(pairwise(edges)):
        face = color if number in filled else "none"
        axes.add_patch(Rectangle((left, low), right - left, 0.6, facecolor=face, edgecolor=color, alpha=0.45))
        axes.add_patch(Rectangle((left, low), right - left, 0.6, fill=False, edgecolor=color, linewidth=1.2))
        axes.text((left + right) / 2, low + 0.3, str(number), ha="center", va="center", fontsize=9)
        if centers:
            axes.plot((left + right) / 2, low, "o", color=color, markersize=4, clip_on=False)
    if text:
        axes.text(edges[0] - 0.08, low + 0.3, text, ha="right", va="center", fontsize=9)


def blank(axes, low, high, bottom, top):
    """Leave an axis of micrometers, and nothing else."""
    axes.set(xlim=(low, high), ylim=(bottom, top), yticks=[], xlabel="x [µm]")
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)


def draw_lattice():
    """Two levels on the same edges, a region, and the pixels that it holds."""
    image = nx.as_image(np.zeros((1, 6)), ("y", "x"), 0.5)
    roi = nx.Roi.from_values({"y": (0, 0.5), "x": slice(0.6, 1.9)}, name="region")
    edges = np.arange(7) * 0.5
    figure = Figure(figsize=(8, 4.2), layout="constrained")
    axes = figure.subplots()
    row(axes, 6, edges, color=BLUE, text="level 0")
    row(axes, 5, edges[::2], color=BLUE, text="level 1")
    start, end = roi["x"].bounds
    axes.add_patch(Rectangle((start, 0), end - start, 4.2, color=ORANGE, alpha=0.18, linewidth=0))
    axes.annotate("", (end, 3.9), (start, 3.9), arrowprops={"arrowstyle": "<->", "color": ORANGE, "linewidth": 1.5})
    axes.text(start - 0.02, 3.95, "region [0.6, 1.9)", ha="right", va="center", color=ORANGE, fontsize=9)
    for low, bounds in ((2.6, "outer"), (1.5, "inner"), (0.4, "nearest")):
        held = nx.window(image, roi, bounds)["x"]
        row(axes, low, edges, color=GREY, text=f'"{bounds}"', filled=range(held.start, held.stop), centers=False)
        axes.plot((edges[:-1] + edges[1:]) / 2, np.full(6, low), "o", color=GREY, markersize=3)
    blank(axes, -0.75, 3.1, 0, 6.8)
    axes.set_xticks(edges)
    return figure


def draw_translation():
    """The same levels, and the translation that each frame writes for them."""
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    spacings = (0.5, 1.0, 2.0)
    for axes, frame in ((left, "corner"), (right, "center")):
        for level, spacing in enumerate(spacings):
            low = 2.4 - 1.1 * level
            row(axes, low, np.arange(0, 2 + spacing / 2, spacing), color=BLUE, text=f"level {level}", centers=False)
            written = (spacing - spacings[0]) / 2 if frame == "corner" else spacing / 2
            axes.plot(written, low + 0.68, "v", color=ORANGE, markersize=9)
            axes.text(2.1, low + 0.3, f"{written:g}", va="center", color=ORANGE, fontsize=9)
        axes.set_title(f'translation, frame="{frame}"', fontsize=10)
        blank(axes, -0.7, 2.5, 0, 3.2)
        axes.set_xticks([0, 0.5, 1, 1.5, 2])
    return figure


def draw_tools():
    """What each tool means by the coordinate of one and the same pixel."""
    image = nx.as_image(np.zeros((1, 4)), ("y", "x"), 0.5, origin={"x": 7.0})
    point = np.array([0.25, 8.25])  # the centre of pixel 2, y and x
    figure = Figure(figsize=(8, 3.4), layout="constrained")
    axes = figure.subplots()
    edges = 7 + np.arange(5) * 0.5
    row(axes, 5, edges, color=BLUE)
    axes.plot(point[1], 5.6, "*", color=ORANGE, markersize=14, clip_on=False)
    scales = (
        ("ngio_x, µm", lambda x: x),
        ("ngio, µm", lambda x: nx.to_ngio(x, image, axes="x")),
        ("OME-NGFF, ITK, µm", lambda x: nx.to_ngff(x, image, axes="x")),
        ("spatialdata, pixels", lambda x: nx.to_spatialdata(x, image, axes="x")),
        ("napari, scipy, pixels", lambda x: nx.to_napari(x, image, axes="x")),
    )
    for line, (name, convert) in enumerate(scales):
        low = 4.2 - line
        axes.plot(edges[[0, -1]], [low, low], color=GREY, linewidth=1)
        for place, color in [*((edge, GREY) for edge in edges), (point[1], ORANGE)]:
            value = float(convert(np.array([place]))[0])
            axes.plot(place, low, "|", color=color, markersize=9, markeredgewidth=1.6)
            box = {"facecolor": "white", "edgecolor": "none", "pad": 1}  # over the dotted line
            axes.text(place, low - 0.17, f"{value:g}", ha="center", va="top", fontsize=8, color=color, bbox=box)
        axes.text(6.9, low, name, ha="right", va="center", fontsize=9)
    axes.axvline(point[1], ymax=0.9, color=ORANGE, linewidth=0.8, linestyle=":", zorder=0)
    blank(axes, 6.1, 9.1, -0.5, 5.8)
    axes.set_axis_off()
    return figure


def main(folder):
    """Put the drawings into a folder."""
    draw_lattice().savefig(folder / "lattice.png", dpi=100)
    draw_translation().savefig(folder / "translation.png", dpi=100)
    draw_tools().savefig(folder / "tools.png", dpi=100)


if __name__ == "__main__":
    main(DOCS / "images")
