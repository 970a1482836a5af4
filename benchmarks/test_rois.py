"""Many regions: making them, beside ngio, and asking them questions."""

import numpy as np
import pytest
from ngio.common import Roi as NgioRoi

import ngio_x as nx
from ngio_x.roi.columns import RoiColumns, to_rois
from ngio_x.testing.samples import noise

PEERS = {"ngio_x": nx.Roi, "ngio": NgioRoi}


@pytest.mark.parametrize("peer", PEERS)
def test_making_regions(benchmark, measuring, peer):
    benchmark.group = "making 100 000 three-axis regions"
    roi_class, count = PEERS[peer], 100_000 if measuring else 100

    def make():
        return [
            roi_class.from_values({"z": (0.0, 1.0), "y": (float(i), 5.0), "x": slice(i, i + 3)}, name=str(i), label=i)
            for i in range(count)
        ]

    assert len(benchmark(make)) == count


@pytest.fixture
def columns(measuring):
    """Cells on a jittered grid, each overlapping about six others."""
    side = 316 if measuring else 8
    places = np.stack(np.meshgrid(*[np.arange(side) * 32.0] * 2, indexing="ij"), axis=-1).reshape(-1, 2)
    starts = places + noise(places.shape, "f8", high=4)
    return RoiColumns(("y", "x"), starts, np.full(starts.shape, 34.0), [str(k) for k in range(len(starts))])


def test_building_regions_of_columns(benchmark, columns):
    benchmark.group = "100 000 two-axis regions, of columns"
    assert len(benchmark(to_rois, columns)) == len(columns.starts)


def test_overlaps(benchmark, columns):
    benchmark.group = "overlapping, 100 000 regions"
    rois = to_rois(columns)
    assert len(benchmark(nx.overlapping, rois)) > len(rois)


def test_tables(benchmark, columns):
    benchmark.group = "rois_to_dataset and back, 100 000 regions"
    rois = to_rois(columns)
    assert benchmark(lambda: nx.rois_from_dataset(nx.rois_to_dataset(rois))) == rois
