"""Many regions: making them, and finding them in a label image, against ngio."""

import numpy as np
import pytest
from ngio import PixelSize as NgioPixelSize
from ngio.common import Roi as NgioRoi
from ngio.common import compute_masking_roi as ngio_compute_masking_roi

import ngio_x as nx

PEERS = {
    "ngio_x": (nx.Roi, nx.compute_masking_roi, nx.PixelSize(x=0.5, y=0.5)),
    "ngio": (NgioRoi, ngio_compute_masking_roi, NgioPixelSize(x=0.5, y=0.5, z=1)),
}


@pytest.mark.parametrize("peer", PEERS)
def test_making_regions(benchmark, measuring, peer):
    benchmark.group = "making 100 000 three-axis regions"
    roi_class, count = PEERS[peer][0], 100_000 if measuring else 100

    def make():
        return [
            roi_class.from_values({"z": (0.0, 1.0), "y": (float(i), 5.0), "x": slice(i, i + 3)}, name=str(i), label=i)
            for i in range(count)
        ]

    assert len(benchmark(make)) == count


@pytest.fixture
def labels(measuring):
    size, step = (8192, 32) if measuring else (256, 32)
    cells = np.arange(1, (size // step) ** 2 + 1, dtype=np.uint32).reshape(size // step, size // step)
    image = np.repeat(np.repeat(cells, step, 0), step, 1)
    image[::step] = image[:, ::step] = 0
    return image


@pytest.mark.parametrize("peer", PEERS)
def test_regions_of_a_label_image(benchmark, labels, peer):
    benchmark.group = "compute_masking_roi, 65 536 labels"
    _, compute, pixel_size = PEERS[peer]
    rois = benchmark(compute, labels, pixel_size, ("y", "x"))
    assert len(rois) == labels.max()
