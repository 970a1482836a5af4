"""Tables appear, or replace others, as a whole or not at all: in any store, at any error, next to anything else."""

import json
import os
import shutil
import subprocess
import sys
import threading
import warnings
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import zarr
from zarr.errors import ZarrUserWarning
from zarr.storage import FsspecStore, LocalStore, MemoryStore, WrapperStore

import ngio_x as nx
from ngio_x.errors import NgioFileExistsError, NgioFileNotFoundError, NgioUserWarning, NgioValueError
from ngio_x.pyramid import swap

OLD = [nx.Roi.from_values({"y": (0, 1), "x": (0, 1), "z": (0, 1)}, "old")]
NEW = [nx.Roi.from_values({"y": (0, 2), "x": (0, 2), "z": (0, 1)}, name, note=name) for name in "ab"]
BACKENDS = ["csv", "json", "parquet", "anndata_v1"]


def image_in(store, version="0.5"):
    image = nx.as_image(np.zeros((4, 4), "u1"), ("y", "x"), 1.0)
    nx.write_ome_zarr(image, store, version=version, levels=1)
    return store


def files_in(path):
    return {str(file.relative_to(path)): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}


def in_memory(store):
    return {key: value.to_bytes() for key, value in store._store_dict.items()}


# ---- Stores


def memory_url(path, request):
    fsspec = pytest.importorskip("fsspec")
    folder = "".join(filter(str.isalnum, request.node.name))
    request.addfinalizer(lambda: fsspec.filesystem("memory").rm(f"/{folder}", recursive=True))
    return f"memory://{folder}/a.zarr"


STORES = {
    "path": lambda path, _: path,
    "LocalStore": lambda path, _: LocalStore(path),
    "file URL": lambda path, _: f"file://{path}",
    "group": lambda path, _: zarr.create_group(path),
    "group in a group": lambda path, _: zarr.create_group(path).create_group("B/03/0"),
    "MemoryStore": lambda _path, _: MemoryStore(),
    "wrapped": lambda _path, _: WrapperStore(MemoryStore()),
    "memory URL": memory_url,
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("store", STORES.values(), ids=STORES)
def test_tables_are_written_into_any_store(store, backend, tmp_path, request):
    """And replaced, and read, and listed."""
    place = image_in(store(tmp_path / "a.zarr", request))
    nx.write_rois(place, "other", OLD)
    nx.write_rois(place, "fields", OLD, backend=backend)
    nx.write_rois(place, "fields", NEW, backend=backend, overwrite=True)
    assert nx.read_rois(place, "fields") == NEW
    assert nx.read_rois(place, "other") == OLD
    assert nx.list_tables(place) == ["other", "fields"]


def test_tables_are_read_from_a_zip_file(tmp_path):
    """In which nothing can be replaced."""
    image_in(tmp_path / "a.zarr")
    for backend in BACKENDS:
        nx.write_rois(tmp_path / "a.zarr", backend, NEW, backend=backend)
    shutil.make_archive(str(tmp_path / "a"), "zip", tmp_path / "a.zarr")
    for backend in BACKENDS:
        assert nx.read_rois(tmp_path / "a.zip", backend) == NEW
    with pytest.raises(NgioValueError, match="is a zip file, in which nothing can be replaced"):
        nx.write_rois(tmp_path / "a.zip", "fields", NEW)


def test_a_group_that_is_only_read_is_refused(tmp_path):
    """Before anything is written."""
    group = zarr.open_group(image_in(tmp_path / "a.zarr"), mode="r")
    with pytest.raises(NgioValueError, match="is read-only: open the image for writing"):
        nx.write_rois(group, "fields", NEW)
    assert not (tmp_path / "a.zarr" / "tables").exists()


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_consolidated_metadata_are_renewed(tmp_path, version):
    """Readers that trust them would not see the table."""
    path = image_in(tmp_path / "a.zarr", version)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ZarrUserWarning)
        zarr.consolidate_metadata(path)
    nx.write_rois(path, "fields", OLD, backend="json")
    nx.write_rois(path, "fields", NEW, backend="json", overwrite=True)
    group = zarr.open_consolidated(path)
    assert group["tables"].attrs["tables"] == ["fields"]
    assert group["tables/fields/table"].attrs["FieldIndex"] == ["a", "b"]


@pytest.mark.parametrize(
    ("version", "damaged"),
    [("0.4", []), ("0.4", {"zarr_consolidated_format": 1, "metadata": 5}), ("0.5", {"kind": "inline"})],
)
def test_damaged_consolidated_metadata_are_renewed(tmp_path, version, damaged):
    """The table is there by then: what cannot be read cannot be in the way."""
    path = image_in(tmp_path / "a.zarr", version)
    if version == "0.4":
        (path / ".zmetadata").write_text(json.dumps(damaged))
    else:
        document = json.loads((path / "zarr.json").read_text())
        (path / "zarr.json").write_text(json.dumps({**document, "consolidated_metadata": damaged}))
    nx.write_rois(path, "fields", NEW)
    assert zarr.open_consolidated(path)["tables"].attrs["tables"] == ["fields"]


def test_no_metadata_are_consolidated_that_were_not(tmp_path):
    """Only the folder of tables changes."""
    path = image_in(tmp_path / "a.zarr")
    before = files_in(path)
    nx.write_rois(path, "fields", NEW)
    after = files_in(path)
    assert {name: after[name] for name in before} == before
    assert sorted(after.keys() - before.keys()) == [
        "tables/fields/table.csv",
        "tables/fields/zarr.json",
        "tables/zarr.json",
    ]


# ---- Faults


def renames(monkeypatch, action):
    """Count the moves of a swap."""
    rename, calls = swap._rename, []
    with monkeypatch.context() as patch:
        patch.setattr(swap, "_rename", lambda source, target: (calls.append(source), rename(source, target)))
        action()
    return len(calls)


@pytest.mark.parametrize("replaced", [False, True], ids=["first", "replaced"])
@pytest.mark.parametrize("error", [OSError("disk"), KeyboardInterrupt()], ids=["OSError", "KeyboardInterrupt"])
@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_an_error_at_any_move_leaves_the_directory_as_it_was(tmp_path, monkeypatch, replaced, error, count):
    """Byte for byte; a table that is new moves with the list of tables, one that is there stays readable."""
    path = image_in(tmp_path / "a.zarr")
    if replaced:
        nx.write_rois(path, "fields", OLD, backend="anndata_v1")
        nx.write_rois(path, "other", OLD)
    before, rename, calls = files_in(path), swap._rename, []

    def failing(source, target):
        calls.append(source)
        if len(calls) == count:
            raise error
        rename(source, target)

    monkeypatch.setattr(swap, "_rename", failing)
    try:
        nx.write_rois(path, "fields", NEW, overwrite=True)
    except type(error):
        assert files_in(path) == before
        assert (path / "tables").exists() == replaced
        monkeypatch.setattr(swap, "_rename", rename)
        nx.write_rois(path, "fields", NEW, overwrite=True)
    assert nx.read_rois(path, "fields") == NEW
    assert [file for file in files_in(path) if "ngio_x" in file] == []


def test_there_are_moves_to_fail_at(tmp_path, monkeypatch):
    """The journal and three of a table and the list of tables; or out with the old, and in with the new."""
    path = image_in(tmp_path / "a.zarr")
    assert renames(monkeypatch, lambda: nx.write_rois(path, "fields", OLD)) == 3
    assert renames(monkeypatch, lambda: nx.write_rois(path, "fields", NEW, overwrite=True)) == 3
    assert renames(monkeypatch, lambda: nx.write_rois(path, "more", NEW)) == 4


class _Failing(MemoryStore):
    """A store that fails at the write, or deletion, of a number."""

    left = -1

    async def set(self, key, value, byte_range=None):
        self._count()
        await super().set(key, value, byte_range)

    async def delete(self, key):
        self._count()
        await super().delete(key)

    def _count(self):
        self.left -= 1
        if self.left == 0:
            raise OSError("no connection")


@pytest.mark.parametrize("replaced", [False, True], ids=["first", "replaced"])
def test_an_error_at_any_write_leaves_a_store_as_it_was(replaced):
    """Where nothing can be renamed, what was written is undone."""
    failures = 0
    for count in range(1, 40):
        store = image_in(_Failing())
        if replaced:
            nx.write_rois(store, "fields", OLD, backend="anndata_v1")
        before = in_memory(store)
        store.left = count
        try:
            nx.write_rois(store, "fields", NEW, overwrite=True)
        except OSError:
            failures += 1
            assert in_memory(store) == before
            if replaced:
                assert nx.read_rois(store, "fields") == OLD
        else:
            assert nx.read_rois(store, "fields") == NEW
            break
    assert failures >= (10 if replaced else 3)


KILLED = """
import os, sys, ngio_x as nx
from ngio_x.pyramid import swap
rename, calls = swap._rename, []
def killing(source, target):
    calls.append(source)
    if len(calls) == int(sys.argv[2]):
        os._exit(9)
    rename(source, target)
swap._rename = killing
roi = nx.Roi.from_values({"y": (0, 2), "x": (0, 2), "z": (0, 1)}, "new")
nx.write_rois(sys.argv[1], "fields", [roi], overwrite=True)
"""


@pytest.mark.parametrize("count", [2, 3])
def test_a_killed_process_is_undone_by_the_next_write(tmp_path, count):
    """Until then readers are warned, and told what became of a table that is on its way."""
    path = image_in(tmp_path / "a.zarr")
    nx.write_rois(path, "fields", OLD)
    before = files_in(path)
    places = [str(Path(nx.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(places)}
    run = subprocess.run([sys.executable, "-c", KILLED, path, str(count)], env=environment, check=False)
    assert run.returncode == 9
    with pytest.warns(NgioUserWarning, match="a table of .* was being replaced when the writing process was cut off"):
        assert nx.list_tables(path) == ["fields"]
    gone = pytest.raises(NgioFileNotFoundError, match="lists a table 'fields'") if count == 3 else nullcontext()
    with gone, pytest.warns(NgioUserWarning, match="the next write_rois into this image finishes or undoes that"):
        assert nx.read_rois(path, "fields") == OLD
    nx.write_rois(path, "more", NEW)
    assert nx.read_rois(path, "fields") == OLD
    assert {name: content for name, content in files_in(path).items() if name in before} == {
        **before,
        "tables/zarr.json": (path / "tables/zarr.json").read_bytes(),
    }
    assert [file for file in files_in(path) if "ngio_x" in file] == []


def test_threads_write_tables_of_one_image(tmp_path):
    """None is lost from the list."""
    path = image_in(tmp_path / "a.zarr")
    names = [f"t{number}" for number in range(8)]
    threads = [threading.Thread(target=nx.write_rois, args=(path, name, NEW)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(nx.list_tables(path)) == names
    assert all(nx.read_rois(path, name) == NEW for name in names)


def test_what_else_the_folder_says_is_kept(tmp_path):
    """Attributes of others beside the list, and tables of theirs."""
    path = image_in(tmp_path / "a.zarr")
    zarr.open_group(path / "tables", mode="a", attributes={"note": "theirs", "tables": ["x"]})
    nx.write_rois(path, "fields", NEW)
    assert zarr.open_group(path / "tables", mode="r").attrs.asdict() == {"note": "theirs", "tables": ["x", "fields"]}


def test_fsspec_stores_are_left_as_they_were_on_an_error(request, monkeypatch):
    """As in memory."""
    store = FsspecStore.from_url(memory_url(None, request))
    image_in(store)
    nx.write_rois(store, "fields", OLD)
    written = FsspecStore.set

    async def failing(self, key, value, byte_range=None):
        if key.endswith("table.csv") and b"note" in value.to_bytes():
            raise OSError("no connection")
        await written(self, key, value, byte_range)

    monkeypatch.setattr(FsspecStore, "set", failing)
    with pytest.raises(OSError, match="no connection"):
        nx.write_rois(store, "fields", NEW, overwrite=True)
    assert nx.read_rois(store, "fields") == OLD


def test_a_file_in_the_way_of_tables_is_no_raw_error(tmp_path):
    """It is not touched."""
    path = image_in(tmp_path / "a.zarr")
    (path / "tables").write_text("mine")
    with pytest.raises(NgioFileExistsError, match="tables is a file, where the group of tables belongs: move it away"):
        nx.write_rois(path, "t", OLD)
    assert (path / "tables").read_text() == "mine"
    assert nx.list_tables(path) == []


def test_consolidated_metadata_that_cannot_be_renewed_are_a_warning(tmp_path):
    """The table is in place by then; an error would say that nothing was written."""
    path = image_in(tmp_path / "a.zarr", "0.4")
    zarr.consolidate_metadata(path)
    (path / "odd").mkdir()
    (path / "odd/.zgroup").write_text("{]")
    with pytest.warns(NgioUserWarning, match="is in place, but the consolidated metadata of .* could not be renewed"):
        nx.write_rois(path, "t", OLD)
    assert nx.read_rois(path, "t") == OLD
