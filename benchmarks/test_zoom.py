"""Zooms of planes and stacks, in every data type of everyday use, against scipy and ngio."""

import numpy as np
import pytest
from ngio.common import numpy_zoom as ngio_zoom
from scipy import ndimage

import ngio_x as nx

ORDERS = {"nearest": 0, "linear": 1, "cubic": 3}


@pytest.fixture
def image(measuring):
    size = 4096 if measuring else 128
    return np.random.default_rng(0).integers(0, 60000, (size, size), dtype=np.uint16)


def zoom_with(peer, order):
    if peer == "ngio_x":
        return lambda image, factor: nx.numpy_zoom(image, (factor,) * image.ndim, order=order)
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


@pytest.mark.parametrize("peer", ["ngio_x", "scipy"])
@pytest.mark.parametrize(("order", "factor"), [("cubic", 0.5), ("linear", 2)])
def test_other_zooms_of_a_plane(benchmark, image, peer, order, factor):
    benchmark.group = f"zoom ×{factor} {order}"
    part = image[: image.shape[0] // 2, : image.shape[1] // 2] if factor > 1 else image
    zoomed = benchmark(zoom_with(peer, order), part, factor)
    assert zoomed.shape == (round(part.shape[0] * factor),) * 2


@pytest.mark.parametrize("peer", ["ngio_x", "scipy"])
def test_zoom_of_a_stack(benchmark, measuring, peer):
    benchmark.group = "zoom ×0.5 linear on all axes, 64×1024×1024"
    shape = (64, 1024, 1024) if measuring else (4, 64, 64)
    stack = np.random.default_rng(0).integers(0, 60000, shape, dtype=np.uint16)
    if peer == "ngio_x":
        zoomed = benchmark(nx.numpy_zoom, stack, (0.5, 0.5, 0.5))
    else:
        zoomed = benchmark(zoom_with(peer, "linear"), stack, 0.5)
    assert zoomed.shape == tuple(size // 2 for size in shape)


@pytest.mark.parametrize("peer", ["ngio_x", "scipy"])
@pytest.mark.parametrize("factor", [0.5, 0.73])
def test_zoom_of_floats(benchmark, image, peer, factor):
    benchmark.group = f"zoom ×{factor} linear, float32"
    floats = image.astype(np.float32)
    assert benchmark(zoom_with(peer, "linear"), floats, factor).dtype == np.float32


@pytest.mark.parametrize("order", ["mean", "mode", "max"])
def test_zoom_by_area(benchmark, image, order):
    benchmark.group = f"zoom ×0.5 {order}"
    ids = (image // 8000).astype(np.uint32) if order == "mode" else image
    assert benchmark(nx.numpy_zoom, ids, (0.5, 0.5), order=order).dtype == ids.dtype
