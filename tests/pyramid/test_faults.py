"""What goes wrong below a consolidation: stores that fail, chunks that are damaged, full disks, other processes."""

import errno
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor

import dask
import numcodecs
import pytest
import zarr
from numpy.testing import assert_array_equal
from zarr.codecs import BloscCodec
from zarr.core.sync import collect_aiterator
from zarr.storage import FsspecStore, LocalStore, LoggingStore, MemoryStore, ObjectStore, WrapperStore

import ngio_x as nx
from ngio_x.errors import NgioStorageError, NgioValueError
from ngio_x.pyramid.marker import FOLDER, marks_of
from ngio_x.testing.samples import noise

PIXELS = noise((48, 48), low=1)
SHAPES = [(24, 24), (12, 12)]
MODES = ["dask", "numpy"]


class FaultError(Exception):
    """Something that only this file raises."""


class Failing(WrapperStore):
    """A store that raises at one of the calls that read chunks, or change what is there."""

    def __init__(self, store, action="", at=0, error=None):
        super().__init__(store)
        self.action, self.at, self.error, self.calls = action, at, error, []

    def _call(self, action, key):
        if action == self.action and not key.endswith("zarr.json"):
            self.calls.append(key)
            if len(self.calls) == self.at:
                raise self.error or FaultError(key)

    async def get(self, key, prototype, byte_range=None):
        self._call("read", key)
        return await super().get(key, prototype, byte_range)

    async def set(self, key, value):
        self._call("mark" if FOLDER in key else "write", key)
        await super().set(key, value)

    async def delete(self, key):
        self._call("unmark" if FOLDER in key else "write", key)
        await super().delete(key)


def levels_in(store, pixels=PIXELS, **options):
    source = zarr.create_array(store, name="0", data=pixels, chunks=(8, 8), **options)
    targets = [
        zarr.create_array(store, name=f"{number}", shape=shape, dtype="u2", chunks=(8, 8), **options)
        for number, shape in enumerate(SHAPES, 1)
    ]
    return source, targets


def check(source, targets):
    expected = source[...]
    for target, shape in zip(targets, SHAPES, strict=True):
        expected = nx.numpy_zoom(expected, target_shape=shape)
        assert_array_equal(target[...], expected)


def failing_run(action, at, mode):
    """Run on a store that fails; return its error, the progress, and the arrays."""
    store, seen = Failing(MemoryStore()), []
    source, targets = levels_in(store)
    store.action, store.at = action, at
    with pytest.raises(NgioStorageError) as caught:
        nx.consolidate_pyramid(source, targets, mode=mode, progress=lambda *counts: seen.append(counts))
    store.at = 0
    return caught.value, seen, source, targets


def count_calls(action):
    store = Failing(MemoryStore())
    source, targets = levels_in(store)
    store.action = action
    nx.consolidate_pyramid(source, targets, mode="numpy")
    return len(store.calls)


READS, WRITES = count_calls("read"), count_calls("write")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("action", "at"),
    [*(("read", n) for n in range(1, READS + 1)), *(("write", n) for n in range(1, WRITES + 1))],
)
def test_an_error_of_the_store_names_array_and_unit_and_nothing_more_is_done(action, at, mode):
    """At whichever call it comes; progress counts what was written, marks stay, and the next run finishes the work."""
    error, seen, source, targets = failing_run(action, at, mode)
    places = {str(array.store_path): array for array in (source, *targets)}
    assert error.action == action
    assert error.array in places
    assert len(error.window) == 2
    assert all(0 <= part.start < part.stop <= 48 for part in error.window)
    assert str(error) == (
        f"could not {action} [{error.window[0].start}:{error.window[0].stop}, "
        f"{error.window[1].start}:{error.window[1].stop}] of {error.array}: {error.reason}"
    )
    assert error.reason.startswith("FaultError: ")
    done = seen[-1][0] if seen else 0
    assert done < seen[-1][1] if seen else True
    assert done <= sum(target.nchunks_initialized for target in targets)
    assert [len(marks) for marks in marks_of(targets)] == [1, 1]
    nx.consolidate_pyramid(source, targets, mode=mode, regions=[])
    check(source, targets)
    assert marks_of(targets) == [(), ()]


@pytest.mark.parametrize("mode", MODES)
def test_the_failed_unit_is_where_the_store_failed(mode):
    """The key of the chunk lies in the window that is named."""
    error, _, _, _ = failing_run("write", 5, mode)
    row, column = (int(part) * 8 for part in error.reason.rsplit("/", 2)[1:])
    assert error.window[0].start <= row < error.window[0].stop
    assert error.window[1].start <= column < error.window[1].stop


@pytest.mark.parametrize("action", ["mark", "unmark"])
@pytest.mark.parametrize("at", [1, 2])
def test_a_mark_that_cannot_be_written_or_removed_is_an_error(action, at):
    """Without marks no pixel is touched, and none is left; what could not be removed is removed by the next run."""
    error, seen, source, targets = failing_run(action, at, "numpy")
    assert (error.action, error.array, error.window) == (action, str(targets[at - 1].store_path), ())
    assert f"could not {action} {error.array}: FaultError" in str(error)
    assert bool(seen) == (action == "unmark")
    if action == "mark":
        assert marks_of(targets) == [(), ()]
        assert [target.nchunks_initialized for target in targets] == [0, 0]
    else:
        check(source, targets)
        nx.consolidate_pyramid(source, targets, regions=[])
        assert marks_of(targets) == [(), ()]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("action", ["mark", "write"])
def test_a_full_disk_is_called_that(action, mode):
    """Where marks are written, and where pixels are."""
    store = Failing(MemoryStore(), error=OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    source, targets = levels_in(store)
    store.action, store.at = action, 2
    with pytest.raises(OSError, match=rf"could not {action} .*memory:.*: OSError: .* {os.strerror(errno.ENOSPC)}$"):
        nx.consolidate_pyramid(source, targets, mode=mode)


def damaged_files(root):
    """The files of the chunks of an array, the last one first."""
    names = {"zarr.json", ".zarray", ".zattrs"}
    return sorted((file for file in root.rglob("*") if file.is_file() and file.name not in names), reverse=True)


def cut(content):
    return content[: len(content) // 2]


def empty(content):
    return b""


def garbage(content):
    return noise(len(content), "u1", seed=1).tobytes()


def flipped(content):
    """The second half is of something else: an index at the end, and the chunks before it."""
    return cut(content) + garbage(content)[len(content) // 2 :]


LAYOUTS = {
    "v2 blosc": {"zarr_format": 2, "chunks": (16, 16), "compressors": numcodecs.Blosc()},
    "v3 blosc": {"chunks": (16, 16), "compressors": BloscCodec()},
    "v2 zstd": {"zarr_format": 2, "chunks": (16, 16), "compressors": numcodecs.Zstd()},
    "v3 zstd": {"chunks": (16, 16)},
    "shard": {"chunks": (8, 8), "shards": (16, 16)},
    "shard of bytes": {"chunks": (8, 8), "shards": (16, 16), "compressors": None},
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("damage", [cut, empty, garbage], ids=lambda each: each.__name__)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_damaged_chunk_of_the_source_is_named(tmp_path, layout, damage, mode):
    """Also where zarr or its codecs would read something from it."""
    group = zarr.open_group(tmp_path, mode="w", zarr_format=LAYOUTS[layout].get("zarr_format", 3))
    options = {key: value for key, value in LAYOUTS[layout].items() if key != "zarr_format"}
    source = group.create_array("0", data=PIXELS, **options)
    target = group.create_array("1", shape=(24, 24), dtype="u2", chunks=(24, 24))
    file, *_ = damaged_files(tmp_path / "0")
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(NgioStorageError) as caught:
        nx.on_disk_zoom(source, target, mode=mode)
    error = caught.value
    assert (error.action, error.array) == ("read", str(source.store_path))
    assert all(32 <= part.start < part.stop <= 48 for part in error.window)
    assert [part.stop - part.start for part in error.window] == list(source.chunks)


def test_a_damaged_chunk_within_a_shard_is_named(tmp_path):
    """The shard can be read but for one of its chunks."""
    group = zarr.open_group(tmp_path, mode="w")
    source = group.create_array("0", data=PIXELS, chunks=(8, 8), shards=(48, 48))
    target = group.create_array("1", shape=(24, 24), dtype="u2", chunks=(24, 24))
    file, *_ = damaged_files(tmp_path / "0")
    content = bytearray(file.read_bytes())
    content[:40] = bytes(40)  # chunks are in Morton order
    file.write_bytes(content)
    with pytest.raises(NgioStorageError) as caught:
        nx.on_disk_zoom(source, target)
    assert caught.value.window == (slice(0, 8), slice(0, 8))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("damage", [cut, empty, garbage, flipped], ids=lambda each: each.__name__)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_damaged_chunks_of_a_target_are_replaced(tmp_path, layout, damage, mode):
    """All of it, at edges, too: the shape of the target is no multiple of its chunks."""
    group = zarr.open_group(tmp_path, mode="w", zarr_format=LAYOUTS[layout].get("zarr_format", 3))
    options = {key: value for key, value in LAYOUTS[layout].items() if key != "zarr_format"}
    source = group.create_array("0", data=PIXELS, chunks=(16, 16))
    target = group.create_array("1", shape=(21, 37), dtype="u2", **options)
    nx.on_disk_zoom(source, target, mode=mode)
    for file in damaged_files(tmp_path / "1"):
        file.write_bytes(damage(file.read_bytes()))
    nx.on_disk_zoom(source, target, mode=mode)
    assert_array_equal(target[...], nx.numpy_zoom(PIXELS, target_shape=(21, 37)))


@pytest.mark.parametrize("layout", ["v2 blosc", "v3 zstd", "shard"])
def test_a_damaged_chunk_of_which_something_is_to_be_kept_is_named_and_stays(tmp_path, layout):
    """After an edit, the pixels that it does not reach are those on disk; building all of the level mends it."""
    group = zarr.open_group(tmp_path, mode="w", zarr_format=LAYOUTS[layout].get("zarr_format", 3))
    options = {key: value for key, value in LAYOUTS[layout].items() if key != "zarr_format"}
    source = group.create_array("0", data=PIXELS, chunks=(16, 16))
    target = group.create_array("1", shape=(24, 24), dtype="u2", **options)
    nx.consolidate_pyramid(source, [target])
    files = damaged_files(tmp_path / "1")
    for file in files:
        file.write_bytes(b"garbage")
    with pytest.raises(NgioStorageError, match=r"could not write \[1:2, 1:2\] of .*/1: "):
        nx.consolidate_pyramid(source, [target], regions=[(slice(2, 4), slice(2, 4))])
    assert {file.read_bytes() for file in files} == {b"garbage"}
    nx.consolidate_pyramid(source, [target])
    assert_array_equal(target[...], nx.numpy_zoom(PIXELS, target_shape=(24, 24)))


def test_a_shard_that_is_sound_is_not_removed_because_it_cannot_be_written():
    """A store that refuses to write keeps what it has."""
    store = Failing(MemoryStore())
    source, target = (zarr.create_array(store, name=n, data=PIXELS, chunks=(8, 8), shards=(16, 16)) for n in "01")
    source[...] = 1
    store.action, store.at = "write", 1
    with pytest.raises(NgioStorageError, match="FaultError"):
        nx.on_disk_zoom(source, target, mode="numpy")
    low, left = (16 * int(part) for part in store.calls[0].rsplit("/", 2)[1:])
    shard = slice(low, low + 16), slice(left, left + 16)
    assert_array_equal(target[shard], PIXELS[shard])


def test_a_damaged_level_in_between_is_made_anew(tmp_path):
    """It is written before it is read."""
    source, targets = levels_in(LocalStore(tmp_path))
    nx.consolidate_pyramid(source, targets)
    for file in damaged_files(tmp_path / "1"):
        file.write_bytes(b"garbage")
    with pytest.raises(NgioStorageError, match=r"could not read .*/1: ") as caught:
        nx.on_disk_zoom(*targets)
    assert caught.value.array == str(targets[0].store_path)
    nx.consolidate_pyramid(source, targets)
    check(source, targets)


@pytest.mark.parametrize("mode", MODES)
def test_a_target_that_is_read_only_is_refused_before_work(tmp_path, mode):
    """One handle of several is enough; the others stay as they are."""
    source, targets = levels_in(LocalStore(tmp_path))
    for bad in (
        zarr.open_array(tmp_path / "2", mode="r"),
        zarr.open_array(LocalStore(tmp_path, read_only=True), path="2"),
    ):
        with pytest.raises(NgioValueError, match="/2 is read-only: open it with mode='r\\+'"):
            nx.consolidate_pyramid(source, [targets[0], bad], mode=mode)
    assert targets[0].nchunks_initialized == 0
    assert list(tmp_path.rglob(FOLDER)) == []


def memories():
    """Stores in the memory of this process, one after the other."""
    yield MemoryStore()
    yield WrapperStore(LoggingStore(MemoryStore()))
    pytest.importorskip("fsspec").filesystem("memory").store.clear()
    yield FsspecStore.from_url("memory://faults")
    try:
        from obstore.store import MemoryStore as Memory  # noqa: PLC0415 — it may be missing
    except ImportError:
        return
    yield ObjectStore(Memory())


def check_refused_before_work(store):
    source, targets = levels_in(store)
    before = sorted(collect_aiterator(store.list()))
    message = "is in the memory of this process, and the active dask scheduler works in others: use mode='numpy', or"
    with pytest.raises(NgioValueError, match=message):
        nx.consolidate_pyramid(source, targets)
    assert sorted(collect_aiterator(store.list())) == before
    nx.consolidate_pyramid(source, targets, mode="numpy")
    check(source, targets)


class Unpicklable(WrapperStore):
    """A store that cannot be sent to other processes."""

    def __reduce__(self):
        message = "has a lock"
        raise TypeError(message)


def check_elsewhere(root):
    """The active scheduler works in other processes: errors come from there, and memory cannot be seen there."""
    levels_in(LocalStore(root))
    source, *targets = (zarr.open_array(root / str(level)) for level in range(3))
    chunk = root / "0" / "c" / "3" / "4"
    whole, seen = chunk.read_bytes(), []
    chunk.write_bytes(cut(whole))
    with pytest.raises(NgioStorageError, match=r"could not read \[24:32, 32:40\] of .*/0: ") as caught:
        nx.consolidate_pyramid(source, targets, progress=lambda *counts: seen.append(counts))
    error = caught.value
    assert (error.action, error.array, error.window) == ("read", str(source.store_path), (slice(24, 32), slice(32, 40)))
    assert error.reason in str(error)
    assert all(done < total for done, total in seen)
    assert [len(marks) for marks in marks_of(targets)] == [1, 1]
    chunk.write_bytes(whole)
    nx.consolidate_pyramid(source, targets, regions=[])
    check(source, targets)
    for store in memories():
        check_refused_before_work(store)
    locked = [zarr.open_array(Unpicklable(LocalStore(root)), path=path) for path in "01"]
    with pytest.raises(NgioValueError, match=r"cannot be sent to the processes .* \(has a lock\): use mode='numpy'"):
        nx.on_disk_zoom(*locked)
    assert marks_of(targets) == [(), ()]


def test_errors_come_back_from_a_cluster(tmp_path):
    """With their fields; and what its workers cannot see is refused before work."""
    distributed = pytest.importorskip("distributed")
    options = {"n_workers": 1, "threads_per_worker": 2, "processes": True, "dashboard_address": ":0", "memory_limit": 0}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster):
        check_elsewhere(tmp_path)


@pytest.mark.parametrize("kind", ["processes", "executor"])
def test_errors_come_back_from_processes(tmp_path, kind):
    """With the scheduler of dask that starts them, and with a pool of them."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        scheduler = {"scheduler": pool} if kind == "executor" else {"scheduler": kind, "num_workers": 1}
        with dask.config.set(scheduler):
            check_elsewhere(tmp_path)
