"""The dask schedulers that consolidation runs on."""

from concurrent.futures import ThreadPoolExecutor

import dask
import pytest
import zarr
from numpy.testing import assert_array_equal

import ngio_x as nx
from ngio_x.testing.samples import noise

PIXELS = noise((37, 53))


def pyramid(path, **options):
    """Level 0 with pixels, and two empty levels."""
    group = zarr.open_group(path, mode="w")
    source = group.create_array("0", data=PIXELS, chunks=(16, 16))
    shapes = {"1": (18, 26), "2": (9, 13)}
    return source, [group.create_array(name, shape=shape, dtype="u2", chunks=(8, 8)) for name, shape in shapes.items()]


def expected():
    first = nx.numpy_zoom(PIXELS, target_shape=(18, 26))
    return [first, nx.numpy_zoom(first, target_shape=(9, 13))]


@pytest.fixture(scope="module")
def cluster():
    distributed = pytest.importorskip("distributed")
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": ":0", "memory_limit": 0}
    with distributed.LocalCluster(**options) as made:
        yield made


@pytest.fixture
def client(cluster):
    distributed = pytest.importorskip("distributed")
    with distributed.Client(cluster) as made:
        yield made


def test_a_cluster_writes_the_same_pixels_and_reports_progress(client, tmp_path):
    """Every write unit is counted, in the calling thread."""
    source, targets = pyramid(tmp_path / "a.zarr")
    seen = []
    nx.consolidate_pyramid(source, targets, progress=lambda done, total: seen.append((done, total)))
    for target, pixels in zip(targets, expected(), strict=True):
        assert_array_equal(target[...], pixels)
    total = nx.plan_pyramid(source, targets).unit_count
    assert seen[-1] == (total, total)
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})


def test_workers_find_arrays_whose_path_is_relative(client, tmp_path, monkeypatch):
    """They need not stand in the directory of the caller."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    source, targets = pyramid("a.zarr")
    nx.consolidate_pyramid(source, targets)
    assert_array_equal(targets[-1][...], expected()[-1])


@pytest.mark.parametrize(
    "scheduler", ["threads", "synchronous", "processes", pytest.param(ThreadPoolExecutor(2), id="executor")]
)
def test_every_scheduler_of_this_machine_writes_the_same_pixels(scheduler, tmp_path):
    """Whichever dask is configured with."""
    source, targets = pyramid(tmp_path / "a.zarr")
    seen = []
    with dask.config.set(scheduler=scheduler):
        nx.consolidate_pyramid(source, targets, progress=lambda done, _: seen.append(done))
    assert_array_equal(targets[-1][...], expected()[-1])
    assert seen[-1] == nx.plan_pyramid(source, targets).unit_count


@pytest.mark.parametrize(("held", "workers"), [(1, None), (100, 6), (10**9, 1)])
def test_fewer_tasks_run_at_once_where_one_holds_much(tmp_path, monkeypatch, held, workers):
    """Eight threads of 80 bytes run as many tasks as fit into 640, at least one."""
    asked = []

    def spy(*tasks, **options):
        asked.append(options.get("num_workers"))
        return dask.compute(*tasks, **options)

    monkeypatch.setattr("ngio_x.pyramid.execute.compute", spy)
    monkeypatch.setattr("ngio_x.pyramid.execute._THREAD_BYTES", 80)
    monkeypatch.setattr("ngio_x.pyramid.plan.Pass.bytes_held", held)
    source, targets = pyramid(tmp_path / "a.zarr")
    with dask.config.set(num_workers=8):
        nx.consolidate_pyramid(source, targets)
    assert set(asked) == {workers}
    assert_array_equal(targets[-1][...], expected()[-1])
