"""Kinds of stores: pixels are the same in all that can be written to, and one place is known through each."""

import functools
import http.server
import itertools
import threading
import uuid

import pytest
import zarr
from numpy.testing import assert_array_equal
from zarr.storage import FsspecStore, LocalStore, MemoryStore, ObjectStore, WrapperStore, ZipStore

import ngio_x as nx
from ngio_x.errors import NgioUserWarning, NgioValueError
from ngio_x.pyramid.marker import FOLDER, marks_of
from ngio_x.testing.samples import noise

PIXELS = noise((64, 64))
SHAPES = [(32, 32), (16, 16)]


def by_url(url):
    pytest.importorskip("fsspec")
    return FsspecStore.from_url(url, storage_options={"auto_mkdir": True} if url.startswith("file") else None)


def obstore(name, *args, **options):
    return ObjectStore(getattr(pytest.importorskip("obstore.store"), name)(*args, **options))


def in_directory(path, inner):
    """A store in a directory of a view of memory from one of its directories."""
    dirfs = pytest.importorskip("fsspec.implementations.dirfs")
    wrapper = pytest.importorskip("fsspec.implementations.asyn_wrapper")
    system = dirfs.DirFileSystem(path=path, fs=pytest.importorskip("fsspec").filesystem("memory"))
    return FsspecStore(wrapper.AsyncFileSystemWrapper(system, asynchronous=True), path=inner)


LOCAL = {
    "local": LocalStore,
    "wrapped": lambda path: WrapperStore(LocalStore(path)),
    "fsspec": lambda path: by_url(f"file://{path}"),
    "obstore": lambda path: obstore("LocalStore", path, mkdir=True),
}
MEMORY = {
    "memory": MemoryStore,
    "wrapped memory": lambda: WrapperStore(WrapperStore(MemoryStore())),
    "fsspec memory": lambda: by_url(f"memory://{uuid.uuid4().hex}"),
    "fsspec memory from a directory": lambda: in_directory(f"/{uuid.uuid4().hex}", "inner"),
    "obstore memory": lambda: obstore("MemoryStore"),
}


@pytest.fixture(params=[*LOCAL, *MEMORY])
def store(request, tmp_path):
    return LOCAL[request.param](tmp_path) if request.param in LOCAL else MEMORY[request.param]()


def levels_in(store, **options):
    source = zarr.create_array(store, name="0", data=PIXELS, chunks=(16, 16), **options)
    options |= {"chunks": (8, 8), "dtype": "u2"}
    return source, [zarr.create_array(store, name=f"{n}", shape=shape, **options) for n, shape in enumerate(SHAPES, 1)]


def check(source, targets):
    expected = source[...]
    for target, shape in zip(targets, SHAPES, strict=True):
        expected = nx.numpy_zoom(expected, target_shape=shape)
        assert_array_equal(target[...], expected)


def stop(*_):
    raise InterruptedError


@pytest.mark.parametrize("mode", ["dask", "numpy"])
@pytest.mark.parametrize("options", [{}, {"zarr_format": 2}, {"shards": (16, 16)}], ids=["v3", "v2", "shards"])
def test_pixels_are_those_of_numpy_in_every_store(store, tmp_path, options, mode):
    """A whole run that is cut off, one of a region that finishes it, and nothing is left behind."""
    if "shards" in options:
        source, targets = levels_in(store)
        targets[0] = zarr.create_array(store, name="1s", shape=SHAPES[0], dtype="u2", chunks=(4, 4), **options)
    else:
        source, targets = levels_in(store, **options)
    with pytest.raises(InterruptedError):
        nx.consolidate_pyramid(source, targets, mode=mode, progress=stop)
    assert [len(marks) for marks in marks_of(targets)] == [1, 1]
    source[3:5, 60:] = 1
    nx.consolidate_pyramid(source, targets, mode=mode, regions=[(slice(3, 5), slice(60, 64))])
    check(source, targets)
    assert marks_of(targets) == [(), ()]
    assert list(tmp_path.rglob(FOLDER)) == []


@pytest.mark.parametrize("mode", ["dask", "numpy"])
def test_a_zip_file_can_be_read_from(tmp_path, mode):
    """Its levels are made elsewhere."""
    with ZipStore(tmp_path / "a.zip", mode="w") as store:
        zarr.create_array(store, name="0", data=PIXELS, chunks=(16, 16))
    with ZipStore(tmp_path / "a.zip", mode="r") as store:
        _, targets = levels_in(MemoryStore())
        source = zarr.open_array(store, path="0", mode="r")
        nx.consolidate_pyramid(source, targets, mode=mode)
        check(source, targets)


def test_a_zip_file_is_not_written_to(tmp_path):
    """Chunks in it cannot be replaced, and this is said before anything is done."""
    with ZipStore(tmp_path / "a.zip", mode="w") as store:
        source, targets = levels_in(store)
        before = store._zf.namelist()
        with pytest.raises(NgioValueError, match="a ZipStore cannot replace chunks; write elsewhere"):
            nx.consolidate_pyramid(source, targets)
        assert store._zf.namelist() == before


@pytest.mark.parametrize(("first", "second"), list(itertools.product(LOCAL, repeat=2)))
def test_one_directory_is_known_through_every_store(tmp_path, first, second):
    """Also under another root, and through a link: it is no target for itself, and plans know of each other."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real", target_is_directory=True)
    zarr.create_array(LocalStore(tmp_path / "source"), data=PIXELS, chunks=(16, 16))
    one = zarr.create_array(LOCAL[first](tmp_path), name="real/0", shape=(64, 64), dtype="u2", chunks=(16, 16))
    other = zarr.open_array(LOCAL[second](tmp_path / "link"), path="0", mode="r+")
    with pytest.raises(NgioValueError, match="source and target 0 are the same array"):
        nx.on_disk_zoom(one, other)
    source = zarr.open_array(tmp_path / "source", mode="r")
    plans = [nx.plan_pyramid(source, [target]) for target in (one, other)]
    assert list(plans[0].shared_units(plans[1]).values()) == [((slice(0, 64), slice(0, 64)),)]


def test_one_path_in_two_memories_is_two_places(store):
    """Stores are not taken for one because they look alike."""
    source, _ = levels_in(store)
    for make in MEMORY.values():
        target = zarr.create_array(make(), name="0", shape=(64, 64), dtype="u2", chunks=(8, 8))
        nx.on_disk_zoom(source, target)
        assert_array_equal(target[...], PIXELS)


@pytest.mark.parametrize("kind", ["wrapped memory", "fsspec memory", "obstore memory"])
def test_one_memory_is_known_through_wrappers(kind):
    """Handles of one store lead to one place."""
    store = MEMORY[kind]()
    source, _ = levels_in(store)
    with pytest.raises(NgioValueError, match="the same array"):
        nx.on_disk_zoom(source, zarr.open_array(WrapperStore(store), path="0", mode="r+"))


def test_memory_is_known_through_roots():
    """The memory file system of fsspec is one, whatever directory a store begins at."""
    name = uuid.uuid4().hex
    source, _ = levels_in(by_url(f"memory://{name}/a"))
    others = [(by_url(f"memory://{name}"), "a/0"), (in_directory(f"/{name}", "a"), "0")]
    for store, path in others:
        with pytest.raises(NgioValueError, match="the same array"):
            nx.on_disk_zoom(source, zarr.open_array(store, path=path, mode="r+"))


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A web server of files that shows no directories."""

    forbidden = 404

    def list_directory(self, path):
        self.send_error(self.forbidden)

    def log_message(self, *args):
        pass


@pytest.fixture(params=[404, 403])
def server(request, tmp_path):
    """The address of a server of a directory; what is not there is missing, or forbidden, as some say."""
    handler = type("Handler", (Quiet,), {"forbidden": request.param})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(handler, directory=tmp_path)) as made:
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{made.server_port}"
        made.shutdown()
        thread.join()


def test_images_on_web_servers_open(server, tmp_path):
    """Marks cannot be looked for where nothing is listed; that is no reason not to read."""
    pytest.importorskip("aiohttp")
    pytest.importorskip("fsspec")
    nx.write_ome_zarr(nx.as_image(PIXELS, dims=("y", "x")), tmp_path / "a.zarr", levels=2)
    (tmp_path / "a.zarr" / "1" / FOLDER).mkdir()
    (tmp_path / "a.zarr" / "1" / FOLDER / "run.json").write_text("{}")
    tree = nx.open_ome_zarr(f"{server}/a.zarr")
    assert_array_equal(tree["0"]["image"], PIXELS)
    with pytest.warns(NgioUserWarning, match="being rebuilt"):
        nx.open_ome_zarr(tmp_path / "a.zarr")
