"""Functions of this library may be called from several threads at once."""

import gc
import pickle
import subprocess
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import xarray as xr

import ngio_x as nx
from ngio_x._bulk import collector_paused
from ngio_x.ngff.tables.backends import BACKENDS
from tests.test_strangers import VALID, arguments_of, result_of

THREADS = 8


def together(*functions):
    """Call functions at the same time, each in a thread of its own, and return what they return."""
    barrier = threading.Barrier(len(functions))

    def started(function):
        barrier.wait()
        return function()

    with ThreadPoolExecutor(len(functions)) as pool:
        return [future.result() for future in [pool.submit(started, function) for function in functions]]


def same(one, other):
    if isinstance(one, (xr.DataArray, xr.Dataset, xr.DataTree)):
        return one.identical(other)
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return one == other or pickle.dumps(one) == pickle.dumps(other)


@pytest.mark.parametrize("name", [name for name in VALID if not name.startswith("plot_")])  # pyplot is for one thread
def test_results_in_threads_are_those_of_one_call(name, tmp_path):
    """Pure functions share their inputs; those of files work on one of each thread's own."""
    own = callable(VALID[name])
    places = [tmp_path / str(k) for k in range(THREADS if own else 1)]
    for place in places:
        place.mkdir()
    arguments = [arguments_of(name, place) for place in places] * (1 if own else THREADS)
    expected = result_of(name, arguments_of(name, places[0]))
    results = together(*[lambda each=each: result_of(name, dict(each)) for each in arguments])
    if name not in (
        "PyramidPlan",
        "plan_pyramid",
        "validate_ome_zarr",
        "make_converter",
    ):  # which name the place, or are new
        assert all(same(result, expected) for result in results)


def test_names_may_be_used_for_the_first_time_by_many_threads():
    """They are loaded then."""
    code = """
import threading, ngio_x
names = [name for name in ngio_x.__all__ for _ in range(2)]
barrier, found = threading.Barrier(len(names)), []
def load(name):
    barrier.wait()
    found.append(getattr(ngio_x, name) is getattr(ngio_x, name))
threads = [threading.Thread(target=load, args=(name,)) for name in names]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
assert len(found) == len(names) and all(found), len(found)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")


def test_the_collector_runs_again_when_the_last_of_several_threads_needs_no_pause():
    """Whichever began, or ended, first."""
    first, second = collector_paused(), collector_paused()
    assert gc.isenabled()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert not gc.isenabled()
    second.__exit__(None, None, None)
    assert gc.isenabled()


def test_a_collector_that_is_off_stays_off():
    """It is the caller's."""
    gc.disable()
    try:
        with collector_paused(), collector_paused():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_filters_of_warnings_are_those_of_before(tmp_path):
    """Also if tables and labels of images with consolidated metadata are written at once."""
    zarr = pytest.importorskip("zarr")
    places = [tmp_path / f"{k}.zarr" for k in range(4)]
    image = nx.as_image(np.zeros((4, 4), "u1"), "yx", 1.0)
    for place in places:
        nx.write_ome_zarr(image, place, levels=1, version="0.4")
        zarr.consolidate_metadata(place)
    before = list(warnings.filters)
    roi = nx.Roi.from_values({"y": (0, 1), "x": (0, 1)}, "a")
    together(
        *[lambda place=place: nx.write_rois(place, "a", [roi]) for place in places],
        *[lambda place=place: nx.write_labels(nx.as_labels(image), place, "a") for place in places],
    )
    assert warnings.filters == before


def test_the_configuration_of_zarr_is_that_of_before():
    """Also if tables of anndata are written at once."""
    zarr = pytest.importorskip("zarr")
    pytest.importorskip("anndata")
    groups = [zarr.create_group({}) for _ in range(4)]
    columns = {"FieldIndex": [""], "x_micrometer": [0.0]}
    together(*[lambda group=group: BACKENDS["anndata_v1"].write(group, columns) for group in groups])
    assert not zarr.config.get("array.write_empty_chunks")
    assert [group["X"].nchunks_initialized for group in groups] == [1] * 4
