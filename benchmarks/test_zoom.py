"""Zooms of planes, stacks, labels and lazy arrays, against scipy, ngio and TensorStore, in one process."""

import dask.array as da
import numpy as np
import pytest
from ngio.common import dask_zoom as ngio_dask_zoom
from ngio.common import numpy_zoom as ngio_zoom
from scipy import ndimage, stats

import ngio_x as nx
from ngio_x.testing.samples import noise

DEGREES = {"nearest": 0, "linear": 1, "cubic": 3}


@pytest.fixture
def image(measuring):
    size = 4096 if measuring else 128
    return noise((size, size), high=60000)


@pytest.fixture
def labels(measuring):
    """Discs of 20 pixels on a grid, as a segmentation has them."""
    size = 4096 if measuring else 128
    y, x = np.indices((size, size)) % 32 - 16
    ids = np.indices((size, size)) // 32
    return np.where(y**2 + x**2 < 100, 1 + ids[0] * 1000 + ids[1], 0).astype(np.uint32)


def zoom_with(peer, order):
    if peer == "ngio_x":
        return lambda image, factor: nx.numpy_zoom(image, (factor,) * image.ndim, order=order)
    if peer == "ngio":
        return lambda image, factor: ngio_zoom(image, (factor, factor), order=order)
    return lambda image, factor: ndimage.zoom(image, factor, order=DEGREES[order], mode="nearest", grid_mode=True)


def downsample_with_tensorstore(image, method):
    tensorstore = pytest.importorskip("tensorstore")
    virtual = tensorstore.downsample(tensorstore.array(image), [2] * image.ndim, method=method)
    return lambda: virtual.read().result()


@pytest.mark.parametrize("peer", ["ngio_x", "scipy", "ngio"])
@pytest.mark.parametrize("order", ["nearest", "linear"])
@pytest.mark.parametrize("factor", [0.5, 0.73])
def test_zoom_of_a_plane(benchmark, image, peer, order, factor):
    benchmark.group = f"zoom ×{factor} {order}"
    zoomed = benchmark(zoom_with(peer, order), image, factor)
    assert zoomed.shape == (round(image.shape[0] * factor),) * 2


@pytest.mark.parametrize("peer", ["ngio_x", "scipy"])
@pytest.mark.parametrize(("order", "factor"), [("cubic", 0.5), ("cubic", 0.73), ("linear", 2)])
def test_other_zooms_of_a_plane(benchmark, image, peer, order, factor):
    benchmark.group = f"zoom ×{factor} {order}"
    part = image[: image.shape[0] // 2, : image.shape[1] // 2] if factor > 1 else image
    zoomed = benchmark(zoom_with(peer, order), part, factor)
    assert zoomed.shape == (round(part.shape[0] * factor),) * 2


@pytest.mark.parametrize("peer", ["ngio_x", "scipy"])
def test_zoom_of_a_stack(benchmark, measuring, peer):
    benchmark.group = "zoom ×0.5 linear on all axes, 64×1024×1024"
    shape = (64, 1024, 1024) if measuring else (4, 64, 64)
    stack = noise(shape, high=60000)
    if peer == "ngio_x":
        zoomed = benchmark(nx.numpy_zoom, stack, (0.5, 0.5, 0.5))
    else:
        zoomed = benchmark(zoom_with(peer, "linear"), stack, 0.5)
    assert zoomed.shape == tuple(size // 2 for size in shape)


@pytest.mark.parametrize("peer", ["ngio_x", "scipy"])
@pytest.mark.parametrize(
    ("order", "factor"), [("linear", 0.5), ("linear", 0.73), ("linear", 2), ("nearest", 0.73), ("cubic", 0.5)]
)
def test_zoom_of_floats(benchmark, image, peer, order, factor):
    benchmark.group = f"zoom ×{factor} {order}, float32"
    floats = image.astype(np.float32)
    part = floats[: image.shape[0] // 2, : image.shape[1] // 2] if factor > 1 else floats
    assert benchmark(zoom_with(peer, order), part, factor).dtype == np.float32


@pytest.mark.parametrize("peer", ["ngio_x", "tensorstore"])
@pytest.mark.parametrize("order", ["mean", "max"])
def test_zoom_by_area(benchmark, image, peer, order):
    benchmark.group = f"zoom ×0.5 {order}"
    zoom = lambda: nx.numpy_zoom(image, (0.5, 0.5), order=order)  # noqa: E731
    zoomed = benchmark(zoom if peer == "ngio_x" else downsample_with_tensorstore(image, order))
    assert zoomed.shape == (image.shape[0] // 2,) * 2


def most_common_with_scipy(labels):
    rows, columns = labels.shape
    windows = labels.reshape(rows // 2, 2, columns // 2, 2).swapaxes(1, 2).reshape(rows // 2, columns // 2, 4)
    return lambda: stats.mode(windows, axis=-1).mode


@pytest.mark.parametrize("peer", ["ngio_x", "tensorstore", "scipy.stats.mode"])
@pytest.mark.parametrize("kind", ["labels", "noise"])
def test_mode_of_labels(benchmark, image, labels, kind, peer):
    benchmark.group = f"zoom ×0.5 mode, {kind}"
    ids = labels if kind == "labels" else (image // 8000).astype(np.uint32)
    match peer:
        case "ngio_x":
            zoomed = benchmark(nx.numpy_zoom, ids, (0.5, 0.5), order="mode")
        case "tensorstore":
            zoomed = benchmark(downsample_with_tensorstore(ids, "mode"))
        case _:
            zoomed = benchmark(most_common_with_scipy(ids))
    assert zoomed.shape == (ids.shape[0] // 2,) * 2


@pytest.mark.parametrize("peer", ["ngio_x", "ngio"])
@pytest.mark.parametrize("factor", [0.5, 0.73])
def test_zoom_of_a_dask_array(benchmark, measuring, peer, factor):
    benchmark.group = f"dask_zoom ×{factor} linear, 8192², chunks of 1024²"
    size, chunk = (8192, 1024) if measuring else (128, 32)
    lazy = da.from_array(noise((size, size), high=60000), chunks=chunk)
    zoom = nx.dask_zoom if peer == "ngio_x" else ngio_dask_zoom
    zoomed = benchmark(lambda: zoom(lazy, (factor, factor)).compute())
    assert zoomed.shape == (round(size * factor),) * 2
