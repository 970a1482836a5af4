"""The pictures of docs/seeing.md, of the image that `ngio-x demo` makes.

Run it with `python docs/examples/seeing.py [DIRECTORY]`; by default it renews those in docs/images.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from matplotlib.figure import Figure

import ngio_x as nx
from ngio_x.cli.demo import make_demo

IMAGES = Path(__file__).parents[1] / "images"
PIECE = nx.Roi.from_values({"y": (100, 60), "x": (100, 90)}, "piece")


def draw(directory):
    """Write the pictures into a directory."""
    with TemporaryDirectory() as folder:
        store = make_demo(Path(folder)).image
        tree = nx.open_ome_zarr(store)
        rois = nx.compute_masking_roi(tree["labels/nuclei/0/nuclei"])

        figure = Figure(figsize=(6, 4.2), layout="constrained")
        tree.ngio.plot(PIECE, rois=rois, labels="nuclei", scale_bar=True, ax=figure.subplots())
        figure.savefig(directory / "seeing-image.png", dpi=80)

        figure = Figure(figsize=(9, 2.5), layout="constrained")
        tree.ngio.plot_levels(PIECE, axes=figure.subplots(1, 3))
        figure.savefig(directory / "seeing-levels.png", dpi=80)


if __name__ == "__main__":
    draw(Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES)
