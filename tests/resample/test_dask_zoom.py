"""What a zoomed dask array is made of: blocks, tasks, memory, and where they may run."""

import tracemalloc

import dask
import dask.array as da
import numpy as np
import pytest
from distributed import Client, LocalCluster
from numpy.testing import assert_array_equal

import ngio_x as nx
from ngio_x.errors import NgioValueError
from ngio_x.testing.samples import noise

PIXELS = noise((210, 340), high=60000)


@pytest.fixture
def lazy():
    return da.from_array(PIXELS, chunks=(64, 90))


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        (None, ((64, 41), (90, 80))),
        (50, ((50, 50, 5), (50, 50, 50, 20))),
        ((40, -1), ((40, 40, 25), (170,))),
        (((100, 5), (1, 169)), ((100, 5), (1, 169))),
        (-1, ((105,), (170,))),
        ({0: 30, 1: 170}, ((30, 30, 30, 15), (170,))),
        ("auto", ((105,), (170,))),
        ("10 kB", None),
    ],
)
def test_output_chunks_can_be_asked_for(lazy, chunks, expected):
    """In every form that dask takes; by default they are as large as the input's. The pixels do not change."""
    zoomed = nx.dask_zoom(lazy, (0.5, 0.5), order="cubic", chunks=chunks)
    assert expected is None or zoomed.chunks == expected
    assert_array_equal(zoomed.compute(scheduler="sync"), nx.numpy_zoom(PIXELS, (0.5, 0.5), order="cubic"))


def test_chunks_of_an_array_that_does_not_change(lazy):
    """A factor of 1 with chunks is a rechunk."""
    assert nx.dask_zoom(lazy, (1, 1), chunks=100).chunks == ((100, 100, 10), (100, 100, 100, 40))


@pytest.mark.parametrize(
    "chunks",
    [(10, 10, 10), ((100, 100), (170,)), 0, "many", ((106, -1), (170,)), ((np.nan,), (170,)), {5: 1}, {"y": 3}],
)
def test_chunks_that_do_not_fit_are_refused(lazy, chunks):
    """The error shows them and the shape of the output."""
    with pytest.raises(NgioValueError, match=r"chunks=.* must fit the shape \(105, 170\)"):
        nx.dask_zoom(lazy, (0.5, 0.5), chunks=chunks)


@pytest.mark.parametrize("order", ["nearest", "linear", "cubic", "mode"])
def test_worker_processes_give_the_same_pixels(lazy, order):
    """Tasks can be pickled."""
    ids = lazy // 4000
    zoomed = nx.dask_zoom(ids, target_shape=(77, 401), order=order)
    expected = nx.numpy_zoom(PIXELS // 4000, target_shape=(77, 401), order=order)
    with dask.config.set(scheduler="processes", num_workers=2):
        assert_array_equal(zoomed.compute(), expected)


def test_a_cluster_gives_the_same_pixels(lazy):
    """Two workers in processes of their own, as on two machines."""
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0") as cluster,
        Client(cluster) as client,
    ):
        zooms = [nx.dask_zoom(lazy, (0.4, 1.7), order=order, chunks=60) for order in ("linear", "max")]
        for zoomed, order in zip(client.gather(client.compute(zooms)), ("linear", "max"), strict=True):
            assert_array_equal(zoomed, nx.numpy_zoom(PIXELS, (0.4, 1.7), order=order))


def tasks_of(array):
    return set(array.__dask_graph__())


@pytest.mark.parametrize("factor", [0.5, 0.73, 1, 1.5, 1 / 3])
@pytest.mark.parametrize("order", ["nearest", "linear", "cubic"])
def test_there_is_one_task_for_each_output_block(factor, order):
    """Beyond those of the input, whatever the kernel reaches."""
    source = da.zeros((1000, 2000), chunks=100)
    zoomed = nx.dask_zoom(source, (0.5, factor), order=order, chunks=50)
    assert len(tasks_of(zoomed) - tasks_of(source)) == zoomed.npartitions


def test_blocks_that_share_inputs_wait_for_equally_many():
    """Else dask would begin with those that wait for the fewest, all over the image."""
    zoomed = nx.dask_zoom(da.zeros((1600, 999), chunks=(100, 80)), (0.5, 0.73))
    layer = next(layer for name, layer in zoomed.__dask_graph__().layers.items() if name.startswith("zoom-"))
    assert {len(task[1]) for task in layer.values()} == {2 * 3}


def test_thumbnails_are_made_in_pieces():
    """A block of a much smaller image is joined from pieces, each made of a few blocks of the input."""
    source = da.zeros((6400, 6400), chunks=100)
    zoomed = nx.dask_zoom(source, target_shape=(50, 50), order="mean")
    assert zoomed.chunks == ((50,), (50,))
    layer = next(layer for name, layer in zoomed.__dask_graph__().layers.items() if name.startswith("zoom-"))
    assert all(len(task[1]) <= 9 for key, task in layer.items() if key[0].startswith("zoom-"))


@pytest.mark.parametrize(
    ("last", "factor", "order", "most"),
    [(512, 0.5, "linear", 16), (512, 1 / 32, "mean", 16), (511, 0.5, "linear", 48), (512, 0.5, "cubic", 60)],
)
def test_a_streaming_computation_holds_a_few_blocks(last, factor, order, most):
    """Those that are worked on, and what neighbouring blocks share: not the image."""

    def block(block_info=None):
        place = block_info[None]["array-location"]
        return np.full([stop - start for start, stop in place], place[0][0] % 1000, np.uint16)

    chunks = ((512,) * 63 + (last,), (512,) * 3 + (last,))
    source = da.map_blocks(block, chunks=chunks, dtype=np.uint16, meta=np.empty((0, 0), np.uint16))
    zoomed = nx.dask_zoom(source, (factor, factor), order=order)
    ones = tuple((1,) * count for count in zoomed.numblocks)
    sums = zoomed.map_blocks(lambda part: part.sum(keepdims=True), chunks=ones, dtype=np.uint64).sum()
    sums.compute(scheduler="sync")  # what is imported and cached once does not count
    tracemalloc.start()
    sums.compute(scheduler="sync")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < most * 512 * 512 * 2 < source.nbytes / 4


def test_a_zoomed_block_holds_no_more_than_itself(lazy):
    """It is no view that would keep its input in memory."""
    for order in ("nearest", "linear"):
        block = nx.dask_zoom(lazy, (0.5, 0.5), order=order).blocks[0, 0].compute(scheduler="sync")
        assert block.base is None
        assert block.flags.c_contiguous
