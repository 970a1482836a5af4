"""Kinds of stores that an image is read from, and how often they are asked."""

import functools
import http.server
import pickle
import shutil
import threading
import uuid
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import zarr
from numpy.testing import assert_array_equal
from zarr.storage import FsspecStore, LocalStore, MemoryStore, ObjectStore, WrapperStore, ZipStore

import ngio_x as nx
from ngio_x.errors import NgioFileNotFoundError, NgioTypeError, NgioValueError

PIXELS = np.arange(48 * 64, dtype="u2").reshape(48, 64)
IMAGE = nx.as_image(PIXELS, "yx", 0.5)


@pytest.fixture
def path(tmp_path):
    nx.write_ome_zarr(IMAGE, tmp_path / "a.zarr", levels=3, chunks={"y": 16, "x": 16})
    nx.write_labels(nx.as_labels(IMAGE), tmp_path / "a.zarr", "big")
    return tmp_path / "a.zarr"


def relative(path, monkeypatch):
    monkeypatch.chdir(path.parent)
    return path.name


def at_home(path, monkeypatch):
    monkeypatch.setenv("HOME", str(path.parent))
    monkeypatch.setenv("USERPROFILE", str(path.parent))
    return f"~/{path.name}"


def zipped(path):
    """Return a zip file of what is in a directory, as `zip -r` makes it there."""
    return Path(shutil.make_archive(str(path), "zip", path))


def in_memory(path):
    """Return a store in memory with the same keys."""
    return MemoryStore(
        {
            file.relative_to(path).as_posix(): zarr.core.buffer.cpu.Buffer.from_bytes(file.read_bytes())
            for file in path.rglob("*")
            if file.is_file()
        }
    )


def in_fsspec_memory(path, scheme="memory"):
    fsspec = pytest.importorskip("fsspec")
    place = f"/{uuid.uuid4().hex}"
    fsspec.filesystem("memory").put(str(path), place, recursive=True)
    return f"{scheme}:/{place}"


def in_obstore(path):
    return ObjectStore(pytest.importorskip("obstore.store").LocalStore(path))


def in_icechunk(path):
    """Return what a session of a repository reads, after another has written the image there."""
    icechunk = pytest.importorskip("icechunk")
    repository = icechunk.Repository.create(icechunk.in_memory_storage())
    session = repository.writable_session("main")
    source, target = zarr.open_group(path, mode="r"), zarr.open_group(session.store, mode="w")
    target.attrs.update(source.attrs.asdict())
    for name in ("0", "1", "2"):
        target.create_array(name, data=source[name][...], chunks=(16, 16))
    session.commit("an image")
    return repository.readonly_session("main").store


STORES = {
    "path": lambda path, _: path,
    "str": lambda path, _: str(path),
    "relative path": relative,
    "path at home": at_home,
    "group": lambda path, _: zarr.open_group(path, mode="r"),
    "group in a group": lambda path, _: zarr.open_group(path.parent, mode="a")["a.zarr"],
    "LocalStore": lambda path, _: LocalStore(path),
    "MemoryStore": lambda path, _: in_memory(path),
    "zip file": lambda path, _: zipped(path),
    "zip file by name": lambda path, _: str(zipped(path)),
    "ZipStore": lambda path, _: ZipStore(zipped(path), mode="r"),
    "file URL": lambda path, _: f"file://{path}",
    "memory URL": lambda path, _: in_fsspec_memory(path),
    "FsspecStore": lambda path, _: FsspecStore.from_url(in_fsspec_memory(path)),
    "zip URL": lambda path, _: f"zip://::{zipped(path)}",
    "obstore": lambda path, _: in_obstore(path),
    "icechunk": lambda path, _: in_icechunk(path),
}


@pytest.fixture(params=STORES.values(), ids=STORES)
def store(request, path, monkeypatch):
    if request.node.callspec.id in {"memory URL", "file URL", "FsspecStore", "zip URL"}:
        pytest.importorskip("fsspec")
    return request.param(path, monkeypatch)


def test_an_image_opens_from_any_store(store):
    """By the function and by the engine, which reads without dask."""
    tree = nx.open_ome_zarr(store)
    assert_array_equal(tree["0/image"], PIXELS)
    assert tree["2/image"].shape == (12, 16)
    piece = nx.crop(xr.open_dataarray(store, engine="ome-zarr"), nx.Roi.from_values({"y": (2, 4), "x": (1, 3)}, None))
    assert_array_equal(piece, PIXELS[4:12, 2:8])
    assert isinstance(xr.open_datatree(store, engine="ome-zarr", chunks={})["0/image"].xindexes["y"], nx.PixelIndex)


@pytest.mark.parametrize("kind", ["path", "relative path", "group", "zip file", "file URL", "obstore"])
def test_what_is_read_from_files_is_pickled(kind, path, monkeypatch):
    """Workers read the pixels themselves."""
    image = nx.open_ome_zarr(STORES[kind](path, monkeypatch), chunks=None)["0/image"]
    text = pickle.dumps(image)
    assert_array_equal(pickle.loads(text), PIXELS)


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 cut off"])
def test_a_file_that_is_no_zip_is_not_found(tmp_path, content):
    """Whatever it is called."""
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(NgioFileNotFoundError, match="there is no zarr group at"):
        nx.open_ome_zarr(tmp_path / "a.zip")


def test_a_zip_of_something_else_is_not_found(tmp_path):
    """It has no group at its root."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr("notes.txt", "x")
    with pytest.raises(NgioFileNotFoundError, match="there is no zarr group at"):
        nx.open_ome_zarr(tmp_path / "a.zip")


def test_nothing_is_written_into_a_zip_file(path, tmp_path):
    """Nothing can be replaced there: neither by name nor as a store, neither images nor labels nor regions."""
    packed = zipped(path)
    with pytest.raises(NgioValueError, match=r"b\.zip would be a directory: write one that is called otherwise"):
        nx.write_ome_zarr(IMAGE, tmp_path / "b.zip")
    with pytest.raises(NgioValueError, match="nothing can be replaced in a ZipStore"):
        nx.write_ome_zarr(IMAGE, ZipStore(tmp_path / "b.zip", mode="w"))
    with pytest.raises(NgioValueError, match="is a zip file, in which nothing can be replaced: unpack it"):
        nx.write_labels(nx.as_labels(IMAGE), packed, "small")
    assert not (tmp_path / "b.zip").exists()


@pytest.mark.parametrize("place", ["path", "group", "LocalStore"])
def test_storage_options_are_for_urls(place, path, monkeypatch):
    """They would be ignored."""
    with pytest.raises(NgioValueError, match="storage_options are for URLs"):
        nx.open_ome_zarr(STORES[place](path, monkeypatch), storage_options={"anon": True})


def test_storage_options_reach_the_file_system(path, monkeypatch):
    """By the function and by the engine."""
    memory = pytest.importorskip("fsspec.implementations.memory")
    seen = []

    class Guarded(memory.MemoryFileSystem):
        protocol = "guarded"
        cachable = False

        def __init__(self, *, key=None, **options):
            seen.append(key)
            super().__init__(**options)

        @classmethod
        def _strip_protocol(cls, path):
            return super()._strip_protocol(path.removeprefix("guarded:/"))

    monkeypatch.setitem(pytest.importorskip("fsspec.registry")._registry, "guarded", Guarded)
    url = in_fsspec_memory(path, "guarded")
    tree = nx.open_ome_zarr(url, storage_options={"key": "secret"})
    assert_array_equal(tree["0/image"], PIXELS)
    xr.open_dataset(url, engine="ome-zarr", storage_options={"key": "other"})
    assert set(seen) >= {"secret", "other"}


def test_errors_do_not_tell_secrets():
    """Options are not part of a message."""
    pytest.importorskip("fsspec")
    for url in ("nowhere://a/b.zarr", "memory://a/b.zarr"):
        with pytest.raises((NgioValueError, NgioFileNotFoundError)) as caught:
            nx.open_ome_zarr(url, storage_options={"password": "secret"})
        assert "secret" not in str(caught.value)


@pytest.mark.parametrize("store", [None, 5, {}, b"a.zarr", ["a.zarr"]])
def test_what_is_no_store_is_refused(store):
    """By type."""
    with pytest.raises(NgioTypeError, match="must be a path, a URL, a zarr store or a zarr group, got"):
        nx.open_ome_zarr(store)


class Files(http.server.SimpleHTTPRequestHandler):
    """Serves files, but lists none, and remembers what was asked for."""

    asked: list[str]

    def do_GET(self):
        self.asked.append(self.path)
        super().do_GET()

    def list_directory(self, path):
        self.send_error(404)

    def log_message(self, *args):
        pass


def test_an_image_opens_from_a_web_server(path):
    """One that lists nothing; pixels are read when they are asked for, and only their chunks."""
    pytest.importorskip("aiohttp")
    asked = []
    handler = functools.partial(type("Handler", (Files,), {"asked": asked}), directory=path.parent)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            url = f"http://127.0.0.1:{server.server_port}/a.zarr"
            image = xr.open_datatree(url, engine="ome-zarr")["0/image"]
            assert not [key for key in asked if "/c/" in key]
            assert_array_equal(image[:10, 20:30], PIXELS[:10, 20:30])
            assert [key for key in asked if "/c/" in key] == ["/a.zarr/0/c/0/1"]
            assert_array_equal(nx.open_ome_zarr(url)["0/image"], PIXELS)
            with pytest.raises(NgioFileNotFoundError, match="there is no zarr group at http"):
                nx.open_ome_zarr(f"{url}/gone")
        finally:
            server.shutdown()
            thread.join()


class Recording(WrapperStore):
    """Remembers which keys are asked for, and which listed."""

    def __init__(self, store):
        super().__init__(store)
        self.read, self.listed = [], []

    async def get(self, key, *args, **options):
        self.read.append(key)
        return await super().get(key, *args, **options)

    def list_prefix(self, prefix):
        self.listed.append(prefix)
        return super().list_prefix(prefix)

    def list_dir(self, prefix):
        self.listed.append(prefix)
        return super().list_dir(prefix)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("local", [True, False])
def test_opening_reads_a_handful_of_documents(tmp_path, version, local):
    """At most two an array and four a group; nothing is read twice, no chunk at all, and local files are not listed."""
    path = tmp_path / "a.zarr"
    nx.write_ome_zarr(IMAGE, path, version=version, levels=5)
    nx.write_labels(nx.as_labels(IMAGE), path, "big")
    store = Recording(LocalStore(path) if local else in_memory(path))
    tree = nx.open_ome_zarr(store)
    arrays = len([node for node in tree.subtree if node.data_vars])
    groups = 3  # image, labels, labels/big
    names = {Path(key).name for key in store.read}
    assert names <= {"zarr.json", ".zarray", ".zattrs", ".zgroup", ".zmetadata"}
    assert len(store.read) == len(set(store.read)) <= 2 * arrays + 4 * groups
    assert len(store.listed) <= (0 if local else arrays)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("stale", [False, True])
def test_consolidated_metadata_are_not_believed(tmp_path, version, stale):
    """ngff-zarr writes them, and programs that add labels later do not know: what stands at the arrays counts."""
    path = tmp_path / "a.zarr"
    nx.write_ome_zarr(IMAGE, path, version=version, levels=3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zarr's, of consolidated metadata in format 3
        zarr.consolidate_metadata(path)
    if stale:
        nx.write_labels(nx.as_labels(IMAGE), path, "big")
    tree = nx.open_ome_zarr(path)
    assert_array_equal(tree["0/image"], PIXELS)
    assert ("/labels/big/0" in tree.groups) is stale
