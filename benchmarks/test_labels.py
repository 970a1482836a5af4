"""The objects of label images: boxes, sizes and centres, against ngio and scipy."""

import warnings

import dask.array as da
import numpy as np
import pytest
from ngio import PixelSize as NgioPixelSize
from ngio.common import compute_masking_roi as ngio_compute_masking_roi
from scipy import ndimage

import ngio_x as nx
from ngio_x.cli.peers import discs
from ngio_x.testing.samples import noise

NGIO_SIZE = NgioPixelSize(x=0.5, y=0.5, z=1)
SIZE = nx.PixelSize(x=0.5, y=0.5)
REGIONS = {
    "ngio_x label_extents": lambda labels: nx.label_extents(labels, axes_order="yx").sizes["label"],
    "ngio_x compute_masking_roi": lambda labels: len(nx.compute_masking_roi(labels, SIZE, "yx")),
    "ngio compute_masking_roi": lambda labels: len(ngio_compute_masking_roi(labels, NGIO_SIZE, ("y", "x"))),
}
BOXES = {
    "ngio_x label_extents": lambda labels: nx.label_extents(labels, axes_order="zyx").sizes["label"],
    "scipy find_objects": lambda labels: sum(box is not None for box in ndimage.find_objects(labels)),
    "ngio compute_masking_roi": lambda labels: len(ngio_compute_masking_roi(labels, NGIO_SIZE, ("z", "y", "x"))),
}


@pytest.fixture(scope="module")
def cells(request):
    """Discs of 28 pixels, one in each square of 32: 65 536 of them, uint32."""
    return discs(8192 if request.config.getoption("benchmark_enable") else 256)


@pytest.mark.parametrize("chunks", [None, 1024])
@pytest.mark.parametrize("tool", REGIONS)
def test_objects_of_a_plane(benchmark, cells, tool, chunks):
    benchmark.group = f"8192² uint32, 65 536 objects, {'dask, chunks of 1024²' if chunks else 'numpy'}"
    labels = da.from_array(cells, chunks=chunks, name=False) if chunks else cells
    assert benchmark(REGIONS[tool], labels) == cells.max()


@pytest.mark.parametrize("factor", [1, 10**9])
def test_sparse_ids_of_a_plane(benchmark, cells, factor):
    benchmark.group = "label_extents, 8192² uint64, ids up to 65 536 times a factor"
    labels = cells.astype(np.uint64) * np.uint64(factor)
    assert benchmark(nx.label_extents, labels)["label"][-1] == int(cells.max()) * factor


@pytest.fixture(scope="module")
def stack(request):
    """2 000 ellipsoids in a stack of 256 × 1024 × 1024 pixels, uint32."""
    shape, count = ((256, 1024, 1024), 2000) if request.config.getoption("benchmark_enable") else ((40, 60, 70), 3)
    labels = np.zeros(shape, np.uint32)
    z, y, x = np.mgrid[-16:17, -24:25, -24:25]
    ball = (z / 16) ** 2 + (y / 24) ** 2 + (x / 24) ** 2 <= 1
    places = noise((count, 3), "f8") * (np.subtract(shape, ball.shape) + 1)
    for label, corner in enumerate(places.astype(int), 1):
        labels[tuple(slice(at, at + part) for at, part in zip(corner, ball.shape, strict=True))][ball] = label
    return labels


@pytest.mark.parametrize("tool", BOXES)
def test_objects_of_a_stack(benchmark, stack, tool):
    benchmark.group = "256 × 1024 × 1024 uint32, 2 000 objects"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert benchmark(BOXES[tool], stack) == nx.unique_ids(stack).size


def test_new_ids_of_a_plane(benchmark, cells):
    benchmark.group = "relabel_sequential, 8192² uint32, 65 536 objects"
    assert benchmark(nx.relabel_sequential, cells)[1][1] == 1


@pytest.mark.parametrize("masked", [False, True])
def test_a_stack_of_objects(benchmark, cells, masked):
    benchmark.group = "stack_objects, windows of 40²"
    labels = nx.as_labels(cells[:2048, :2048], "yx")
    stack = benchmark(nx.stack_objects, nx.as_image(labels), labels, 40, masked=masked)
    assert stack.shape[1:] == (40, 40)
