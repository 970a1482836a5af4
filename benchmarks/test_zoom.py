"""Halving and uneven zooms of a 2-D image, against scipy and ngio."""

import numpy as np
import pytest
from ngio.common import numpy_zoom as ngio_zoom
from scipy import ndimage

import ngio_x as nx

ORDERS = {"nearest": 0, "linear": 1}


@pytest.fixture
def image(measuring):
    size = 4096 if measuring else 128
    return np.random.default_rng(0).integers(0, 60000, (size, size), dtype=np.uint16)


def zoom_with(peer, order):
    if peer == "ngio_x":
        return lambda image, factor: nx.numpy_zoom(image, (factor, factor), order=order)
    if peer == "ngio":
        return lambda image, factor: ngio_zoom(image, (factor, factor), order=order)
    return lambda image, factor: ndimage.zoom(image, factor, order=ORDERS[order], mode="nearest", grid_mode=True)


@pytest.mark.parametrize("peer", ["ngio_x", "scipy", "ngio"])
@pytest.mark.parametrize("order", ["nearest", "linear"])
@pytest.mark.parametrize("factor", [0.5, 0.73])
def test_zoom_of_a_plane(benchmark, image, peer, order, factor):
    benchmark.group = f"zoom ×{factor} {order}"
    zoomed = benchmark(zoom_with(peer, order), image, factor)
    assert zoomed.shape == (round(image.shape[0] * factor),) * 2
