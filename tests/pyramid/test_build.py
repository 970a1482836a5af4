"""Pyramids that are written from pixels at once."""

import itertools

import dask
import dask.array as da
import numpy as np
import pytest
import zarr
from numpy.testing import assert_array_equal
from zarr.storage import MemoryStore, WrapperStore

import ngio_x as nx
from ngio_x.errors import NgioStorageError, NgioTypeError, NgioValueError
from ngio_x.pyramid import planner
from ngio_x.pyramid.build import build_pyramid, plan_build
from ngio_x.pyramid.layout import Layout
from ngio_x.pyramid.marker import marks_of
from ngio_x.resample.kernels import KERNELS
from ngio_x.testing.samples import noise

PIXELS = noise((48, 61), low=1)
SHAPES = [(48, 61), (24, 30), (12, 15)]
KINDS = {"numpy": lambda: PIXELS, "dask": lambda: da.from_array(PIXELS, (16, 23))}


class FaultError(Exception):
    """Something that only this file raises."""


class Watched(WrapperStore):
    """A store that remembers which chunks are read and written, and fails at one."""

    def __init__(self, store, failing=None):
        super().__init__(store)
        self.failing, self.read, self.written = failing, [], []

    async def get(self, key, prototype, byte_range=None):
        if not key.endswith("zarr.json"):
            self.read.append(key)
        return await super().get(key, prototype, byte_range)

    async def set(self, key, value):
        if key == self.failing:
            raise FaultError(key)
        if not key.endswith("zarr.json"):
            self.written.append(key)
        await super().set(key, value)


def levels_in(store, shapes=SHAPES, chunks=(8, 8), **options):
    return [
        zarr.create_array(store, name=f"{at}", shape=shape, dtype="u2", chunks=chunks, **options)
        for at, shape in enumerate(shapes)
    ]


def check(arrays, pixels=PIXELS, order="linear"):
    for array in arrays:
        pixels = nx.numpy_zoom(pixels, target_shape=array.shape, order=order)
        assert_array_equal(array[...], pixels)


@pytest.fixture
def small_tasks(monkeypatch):
    """As many tasks as a large image would have."""
    for name in ("_READ", "_PIECE", "_AT_ONCE"):
        monkeypatch.setattr(planner, name, 600)


@pytest.mark.usefixtures("small_tasks")
@pytest.mark.parametrize("order", sorted(KERNELS))
@pytest.mark.parametrize("kind", KINDS)
def test_level_0_is_never_read_and_every_unit_is_written_once(kind, order):
    """With kernels that reach far into the next block, too."""
    store = Watched(MemoryStore())
    arrays = levels_in(store)
    build_pyramid(KINDS[kind](), arrays, order)
    assert not [key for key in store.read if key.startswith("0/")]
    assert len(store.written) == len(set(store.written)) == sum(array.nchunks for array in arrays)
    check(arrays, order=order)


@pytest.mark.usefixtures("small_tasks")
def test_each_block_is_computed_once():
    """Also where several tasks need some of its pixels."""
    calls = []

    def block(block_info):
        calls.append(block_info[None]["chunk-location"])
        return PIXELS[tuple(slice(*span) for span in block_info[None]["array-location"])]

    pixels = da.map_blocks(block, chunks=((16,) * 3, (23, 23, 15)), dtype="u2", meta=np.empty((0, 0), "u2"))
    arrays = levels_in(MemoryStore())
    build_pyramid(pixels, arrays, "cubic")
    check(arrays, order="cubic")
    assert sorted(calls) == list(itertools.product(range(3), range(3)))


@pytest.mark.parametrize("shape", [SHAPES[0], (24, 30)])
@pytest.mark.parametrize("kind", KINDS)
def test_levels_of_one_shape_and_a_single_level(kind, shape):
    """Level 0 is the first one given, whatever its peers look like."""
    for shapes in (SHAPES[:1], [SHAPES[0], shape, shape]):
        arrays = levels_in(MemoryStore(), shapes)
        build_pyramid(KINDS[kind](), arrays)
        check(arrays)


@pytest.mark.parametrize("mode", ["dask", "numpy"])
@pytest.mark.parametrize("kind", KINDS)
def test_an_error_of_the_store_names_array_and_window(kind, mode):
    """And is counted as nothing; no mark stays, for the arrays were new."""
    store = Watched(MemoryStore(), failing="0/c/3/2")
    arrays, seen = levels_in(store), []
    with pytest.raises(NgioStorageError, match=r"could not write \[.*\] of .*/0: FaultError: 0/c/3/2") as caught:
        build_pyramid(KINDS[kind](), arrays, mode=mode, progress=lambda *counts: seen.append(counts))
    assert caught.value.window[0].start <= 24 < caught.value.window[0].stop
    assert not seen or seen[-1][0] < seen[-1][1]
    assert marks_of(arrays) == [(), (), ()]


@pytest.mark.parametrize("mode", ["dask", "numpy"])
def test_an_error_of_the_users_graph_is_that_error(mode):
    """Not one of the store."""

    def block(block_id):
        raise FaultError(block_id)

    pixels = da.map_blocks(block, chunks=((24, 24), (61,)), dtype="u2", meta=np.empty((0, 0), "u2"))
    with pytest.raises(FaultError):
        build_pyramid(pixels, levels_in(MemoryStore()), mode=mode)


def test_blocks_of_another_data_type_count_as_they_are_on_disk():
    """Dask does not check what a function returns; level 1 is made of what level 0 holds."""
    pixels = da.map_blocks(lambda block: block + 0.75, da.from_array(PIXELS, (16, 23)), dtype="u2")
    arrays = levels_in(MemoryStore())
    build_pyramid(pixels, arrays)
    check(arrays)


def test_blocks_of_another_shape_are_refused():
    """Zarr might stretch them."""
    pixels = da.map_blocks(lambda block: block[:1], da.from_array(PIXELS, (48, 61)), dtype="u2", chunks=(48, 61))
    with pytest.raises(NgioValueError, match=r"should have shape \(48, 61\) was computed as \(1, 61\)"):
        build_pyramid(pixels, levels_in(MemoryStore(), SHAPES[:1], (48, 61)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda pixels: pixels[:-1], NgioValueError, r"pixels of shape \(47, 61\) .* cannot fill level 0 of shape"),
        (lambda pixels: pixels.astype("u1"), NgioValueError, "dtype uint8 cannot fill .* dtype uint16"),
    ],
)
def test_pixels_that_do_not_fit_are_refused(kind, change, error, message):
    """Before anything is written."""
    arrays = levels_in(MemoryStore())
    with pytest.raises(error, match=message):
        build_pyramid(change(KINDS[kind]()), arrays)
    assert [array.nchunks_initialized for array in arrays] == [0, 0, 0]


def test_arrays_that_cannot_be_written_are_refused():
    """Level 0 is written, too."""
    store = MemoryStore()
    first, *others = levels_in(store)
    read_only = zarr.open_array(store, path="0", mode="r")
    with pytest.raises(NgioValueError, match="read-only"):
        build_pyramid(PIXELS, [read_only, *others])
    with pytest.raises(NgioValueError, match="larger than the source"):
        build_pyramid(PIXELS[:24, :30], [others[0], first])
    with pytest.raises(NgioTypeError, match="must be a zarr array"):
        build_pyramid(PIXELS, [PIXELS])


@pytest.mark.parametrize("scheduler", ["threads", "sync", "processes"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_scheduler_of_this_machine_writes_the_same(kind, scheduler, tmp_path):
    """Progress counts write units, and nothing that the user's graph computes."""
    arrays, seen = levels_in(tmp_path / "a.zarr"), []
    with dask.config.set(scheduler=scheduler):
        build_pyramid(KINDS[kind](), arrays, progress=lambda *counts: seen.append(counts))
    check(arrays)
    assert seen[-1] == (sum(array.nchunks for array in arrays),) * 2


def test_a_cluster_builds_from_blocks_but_not_into_memory(tmp_path):
    """Pixels that are in this process are written by it, wherever to."""
    distributed = pytest.importorskip("distributed")
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": ":0", "memory_limit": 0}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster):
        arrays, seen = levels_in(tmp_path / "a.zarr"), []
        build_pyramid(KINDS["dask"](), arrays, "cubic", progress=lambda *counts: seen.append(counts))
        check(arrays, order="cubic")
        assert seen[-1] == (sum(array.nchunks for array in arrays),) * 2
        with pytest.raises(NgioValueError, match="in the memory of this process"):
            build_pyramid(KINDS["dask"](), levels_in(MemoryStore()))
        arrays = levels_in(MemoryStore())
        build_pyramid(PIXELS, arrays)
        check(arrays)


@pytest.mark.parametrize("lazy", [True, False])
def test_what_a_task_holds_does_not_depend_on_the_size(lazy):
    """A plan says so, for odd sizes, too: it is within what each thread may hold."""

    def held(size):
        shapes = [(size >> level, size >> level) for level in range(5)]
        layouts = [Layout(f"{at}", shape, (1024,) * 2, (1024,) * 2, 2) for at, shape in enumerate(shapes)]
        plan = plan_build(layouts, KERNELS["linear"], lazy=lazy)
        # Level 0 is read back in no pass.
        assert 1 not in [each.levels[0] for each in plan.passes]
        return plan.bytes_held

    assert max(held(8191), held(65535)) < 64 * 2**20
