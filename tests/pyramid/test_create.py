import json
import os
import signal
import subprocess
import sys
import warnings

import numpy as np
import pytest
import zarr
from zarr.storage import FsspecStore, LocalStore, LoggingStore, MemoryStore, ZipStore

import ngio_x as nx
from ngio_x.errors import NgioFileExistsError, NgioUserWarning, NgioValueError
from ngio_x.pyramid import create, swap

FORMATS = pytest.mark.parametrize("zarr_format", [2, 3])


def pyramid(zarr_format=3, paths=("0", "1"), **options):
    shapes = [(64 >> level, 64 >> level) for level in range(len(paths))]
    return nx.ImagePyramidBuilder.from_shapes(
        shapes, (1, 1), ("y", "x"), levels_paths=paths, chunks=(16, 16), zarr_format=zarr_format, **options
    )


def old_group(store, zarr_format=3, path=""):
    """A group with attributes, an old array with pixels, a group at a level's path, and something else."""
    group = zarr.open_group(store, path=path, mode="w", zarr_format=zarr_format)
    group.attrs["kept"] = [1, 2]
    group.create_array("0", shape=(8, 8), chunks=(4, 4), dtype="u1")[...] = 7
    group.create_array("1/inner", shape=(4,), dtype="u1")[...] = 7
    group.create_array("labels/cells", shape=(4,), dtype="u1")[...] = 9
    return group


def tree_of(root):
    return {str(path.relative_to(root)): path.is_file() and path.read_bytes() for path in root.rglob("*")}


def require_new(group, paths=("0", "1")):
    """The levels are those of `pyramid`, empty, and all else is as it was in `old_group`."""
    assert sorted(group.keys()) == sorted({*(path.split("/")[0] for path in paths), "labels"})
    for level, path in enumerate(paths):
        assert (group[path].shape, group[path].chunks) == ((64 >> level, 64 >> level), (16, 16))
        assert not group[path][...].any()
    assert group.attrs.asdict() == {"kept": [1, 2]}
    assert (group["labels/cells"][...] == 9).all()


def stores(tmp_path):
    """One store of each kind that can be written to."""
    return {
        "local": LocalStore(tmp_path / "local"),
        "memory": MemoryStore(),
        "logging": LoggingStore(MemoryStore()),
        "fsspec": FsspecStore.from_url(f"memory://{tmp_path.name}"),
    }


@FORMATS
@pytest.mark.parametrize("kind", ["local", "memory", "logging", "fsspec"])
@pytest.mark.parametrize("path", ["", "deep/inside"])
@pytest.mark.filterwarnings("ignore::zarr.errors.ZarrUserWarning")
def test_levels_replace_what_stood_at_their_paths(tmp_path, zarr_format, kind, path):
    """In every kind of store; attributes and other members stay as they are."""
    group = old_group(stores(tmp_path)[kind], zarr_format, path)
    pyramid(zarr_format).to_zarr(group)
    require_new(group)


@FORMATS
@pytest.mark.parametrize("kind", ["local", "memory"])
def test_paths_may_have_folders(tmp_path, zarr_format, kind):
    """Groups on the way are made where they are missing, and left alone where they are."""
    store, paths = stores(tmp_path)[kind], ("a/b/0", "a/1", "labels/2")
    group = old_group(store, zarr_format)
    del group["0"], group["1"]
    group["labels"].attrs["also kept"] = 1
    pyramid(zarr_format, paths).to_zarr(group)
    require_new(group, paths)
    assert isinstance(group["a/b"], zarr.Group)
    assert group["labels"].attrs.asdict() == {"also kept": 1}


@FORMATS
def test_documents_are_those_that_zarr_writes(tmp_path, zarr_format):
    """Byte for byte, whether drafted or created directly."""
    group = zarr.open_group(tmp_path / "ours", mode="w", zarr_format=zarr_format)
    theirs = zarr.open_group(tmp_path / "theirs", mode="w", zarr_format=zarr_format)
    pyramid(zarr_format, ("a/0",), compressors=None).to_zarr(group)
    names = {"dimension_names": ("y", "x")} if zarr_format == 3 else {}
    encoding = {"name": "v2" if zarr_format == 2 else "default", "separator": "/"}
    theirs.create_array(
        "a/0", shape=(64, 64), chunks=(16, 16), dtype="u2", compressors=None, chunk_key_encoding=encoding, **names
    )
    assert tree_of(tmp_path / "ours") == tree_of(tmp_path / "theirs")


def test_nothing_is_left_beside_the_levels(tmp_path):
    """Listing the group gives no warning."""
    group = old_group(tmp_path)
    pyramid().to_zarr(group)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "1", "labels", "zarr.json"]


@FORMATS
@pytest.mark.parametrize("error", [OSError("disk"), KeyboardInterrupt()], ids=["OSError", "KeyboardInterrupt"])
@pytest.mark.parametrize("count", range(7))
def test_an_error_leaves_a_local_group_as_it_was(tmp_path, monkeypatch, zarr_format, error, count):
    """At any rename, byte for byte: the journal, two levels that are swapped, one in a new folder."""
    group = old_group(tmp_path, zarr_format)
    before, rename, calls = tree_of(tmp_path), swap._rename, []

    def failing(source, target):
        calls.append(source)
        if len(calls) == count + 1:
            raise error
        rename(source, target)

    monkeypatch.setattr(swap, "_rename", failing)
    builder = pyramid(zarr_format, ("0", "1", "new/2"))
    if count == 6:
        builder.to_zarr(group)
        assert len(calls) == 6
        return
    with pytest.raises(type(error)):
        builder.to_zarr(group)
    assert tree_of(tmp_path) == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"other_array_kwargs": {"fill_value": "a"}}, "level '0', it says ValueError: invalid literal"),
        ({"other_array_kwargs": {"fill_value": -1}}, "out of bounds for uint16"),
        ({"other_array_kwargs": {"fill_value": 1.5}}, r"level '0' of uint16 cannot hold fill_value=1\.5"),
        ({"other_array_kwargs": {"dimension_names": ["y"]}}, "`dimension_names` and `shape`"),
        ({"other_array_kwargs": {"bogus": 1}}, "unexpected keyword argument 'bogus'"),
        ({"other_array_kwargs": {"attributes": {"a": {1}}}}, "not JSON serializable"),
        ({"compressors": "bogus"}, "Expected a BytesBytesCodec"),
        ({"compressors": {"name": "bogus"}}, "'bogus'"),
        ({"data_type": "O"}, "data type"),
        ({"zarr_format": 2, "compressors": {"id": "bogus"}}, "'bogus'"),
        ({"zarr_format": 2, "other_array_kwargs": {"dimension_names": ["y", "x"]}}, "do not support dimension names"),
        ({"zarr_format": 2, "other_array_kwargs": {"order": "Q"}}, "got Q instead"),
    ],
)
def test_what_zarr_refuses_is_refused_before_anything_is_touched(tmp_path, options, message):
    """The message holds what zarr said; the group is as it was, byte for byte."""
    builder = pyramid(**options)
    group = old_group(tmp_path, builder.zarr_format)
    before = tree_of(tmp_path)
    with pytest.raises(NgioValueError, match=message):
        builder.to_zarr(group)
    assert tree_of(tmp_path) == before


@FORMATS
@pytest.mark.parametrize("kind", ["local", "memory"])
@pytest.mark.parametrize("taken", ["0/c/0/0", "0/0.0", "0", "1/deep/inside", "1/.zarray"])
def test_without_overwrite_anything_at_a_path_is_refused(tmp_path, zarr_format, kind, taken):
    """Also chunks without metadata, or a file."""
    store = stores(tmp_path)[kind]
    group = zarr.open_group(store, mode="w", zarr_format=zarr_format)
    zarr.core.sync.sync(store.set(taken, zarr.core.buffer.cpu.Buffer.from_bytes(b"x")))
    before = tree_of(tmp_path)
    with pytest.raises(NgioFileExistsError, match=rf"\['{taken[0]}'\] exist in .*: pass overwrite=True"):
        pyramid(zarr_format).to_zarr(group, overwrite=False)
    assert tree_of(tmp_path) == before
    pyramid(zarr_format).to_zarr(group, overwrite=True)
    assert list(group["0"].shape) == [64, 64]


def test_without_overwrite_a_link_that_leads_nowhere_is_refused(tmp_path):
    """It is something that somebody put there."""
    group = zarr.open_group(tmp_path, mode="w")
    (tmp_path / "0").symlink_to("nowhere")
    with pytest.raises(NgioFileExistsError, match="'0'"):
        pyramid().to_zarr(group, overwrite=False)


@FORMATS
def test_without_overwrite_free_paths_are_filled(tmp_path, zarr_format):
    """Empty directories, which zarr leaves where it deletes, are not in the way; nor are neighbours `10` of `1`."""
    group = zarr.open_group(tmp_path, mode="w", zarr_format=zarr_format)
    group.create_array("10", shape=(2,), dtype="u1")
    (tmp_path / "0" / "c").mkdir(parents=True)
    pyramid(zarr_format).to_zarr(group, overwrite=False)
    assert sorted(group.keys()) == ["0", "1", "10"]


def test_neighbours_with_longer_names_are_left_alone():
    """Replacing level `1` does not touch array `10`, also in stores that know nothing of directories."""
    group = zarr.open_group(MemoryStore(), mode="w")
    group.create_array("10", shape=(2,), dtype="u1")[...] = 5
    pyramid().to_zarr(group)
    assert (group["10"][...] == 5).all()


@FORMATS
@pytest.mark.parametrize("kind", ["local", "memory"])
@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("path", ["other/1", "folder/other/deep/1"])
def test_path_through_an_array_is_refused(tmp_path, zarr_format, kind, overwrite, path):
    """Arrays hold no arrays, and an array that was not named is not replaced."""
    group = zarr.open_group(stores(tmp_path)[kind], mode="w", zarr_format=zarr_format)
    parent = path[: path.index("other") + len("other")]
    group.create_array(parent, shape=(4,), dtype="u1")[...] = 3
    before = tree_of(tmp_path)
    with pytest.raises(NgioValueError, match=f"cannot stand inside '{parent}', which is an array"):
        pyramid(zarr_format, ("0", path)).to_zarr(group, overwrite=overwrite)
    assert tree_of(tmp_path) == before
    assert (group[parent][...] == 3).all()


def test_path_through_a_file_is_refused(tmp_path):
    """A file is no folder."""
    group = zarr.open_group(tmp_path, mode="w")
    (tmp_path / "note").write_text("x")
    with pytest.raises(NgioValueError, match="inside 'note', which is an array or a file"):
        pyramid(paths=("note/0",)).to_zarr(group)


def test_read_only_groups_are_refused(tmp_path):
    """Before anything is tried."""
    old_group(tmp_path)
    before = tree_of(tmp_path)
    with pytest.raises(NgioValueError, match="is read-only: open it for writing"):
        pyramid().to_zarr(zarr.open_group(tmp_path, mode="r"))
    assert tree_of(tmp_path) == before


def test_zip_stores_are_refused(tmp_path):
    """Nothing can be replaced in them."""
    with ZipStore(tmp_path / "image.zip", mode="w") as store:
        group = zarr.open_group(store, mode="a")
        with pytest.raises(NgioValueError, match="in a ZipStore, where nothing can be replaced"):
            pyramid().to_zarr(group)
        assert list(group.keys()) == []


@FORMATS
def test_consolidated_metadata_is_not_believed_and_a_warning_says_so(zarr_format):
    """It knows nothing of arrays that came later, nor of the new levels."""
    store = MemoryStore()
    group = zarr.open_group(store, mode="w", zarr_format=zarr_format)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of zarr, that this is no part of its format 3
        zarr.consolidate_metadata(store)
    group.create_array("0", shape=(2,), dtype="u1")
    consolidated = zarr.open_group(store, mode="r+")
    assert "0" not in consolidated
    with pytest.raises(NgioFileExistsError):
        pyramid(zarr_format).to_zarr(consolidated, overwrite=False)
    with pytest.warns(NgioUserWarning, match="consolidated metadata .* does not describe the new levels") as caught:
        pyramid(zarr_format).to_zarr(consolidated)
    assert caught[0].filename == __file__


@FORMATS
def test_elsewhere_no_old_chunk_ever_stands_beside_new_metadata(monkeypatch, zarr_format):
    """Old documents are deleted first, new ones written last: whenever it is cut off, arrays are whole or not there."""
    store, seen = MemoryStore(), []
    group = old_group(store, zarr_format)

    async def set_noted(self, key, value, *args):
        seen.append(("set", key))
        await original_set(self, key, value, *args)

    async def delete_noted(self, key):
        seen.append(("delete", key))
        await original_delete(self, key)

    original_set, original_delete = MemoryStore.set, MemoryStore.delete
    monkeypatch.setattr(MemoryStore, "set", set_noted)
    monkeypatch.setattr(MemoryStore, "delete", delete_noted)
    documents = create.drafted(zarr_format, {"0": {"shape": (4,), "dtype": "u1"}})
    seen.clear()
    create.create_in(group, ["0"], documents, overwrite=True)
    kinds = [(verb, key.rsplit("/", 1)[-1] in create._DOCUMENTS) for verb, key in seen]
    order = [("delete", True), ("delete", False), ("set", True)]
    assert [kind for index, kind in enumerate(kinds) if kind not in kinds[:index]] == order
    assert not any(key.startswith("1") or "/" not in key for _, key in seen)


KILLER = """
import os, signal, sys
import zarr
from ngio_x.pyramid import swap
from ngio_x import ImagePyramidBuilder
rename, left = swap._rename, [int(sys.argv[2])]
def killing(source, target):
    rename(source, target)
    left[0] -= 1
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
swap._rename = killing
group = zarr.open_group(sys.argv[1], mode="r+")
ImagePyramidBuilder.from_shapes([(32, 32), (16, 16)], (1, 1), ("y", "x"), zarr_format=3).to_zarr(group)
"""


@pytest.fixture
def cut_off(tmp_path):
    """An OME-Zarr image whose level 0 has been moved away by a process that was killed then."""
    if os.name == "nt":
        pytest.skip("this system has no SIGKILL")
    image = nx.as_image(np.full((8, 8), 7, "u1"), ("y", "x"), 1)
    nx.write_ome_zarr(image, tmp_path / "image.zarr")
    nx.write_labels(nx.as_labels(np.ones((8, 8), "u1"), ("y", "x"), 1), tmp_path / "image.zarr", "cells")
    before = tree_of(tmp_path / "image.zarr")
    command = [sys.executable, "-c", KILLER, str(tmp_path / "image.zarr"), "2"]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    return tmp_path / "image.zarr", before


def test_a_killed_to_zarr_is_undone_by_the_next(cut_off):
    """What was moved away comes back first, also if the next call itself refuses."""
    path, before = cut_off
    assert not (path / "0").exists()
    with pytest.raises(NgioFileExistsError, match=r"\['0'\] exist"):
        pyramid(3, ("0", "9")).to_zarr(zarr.open_group(path), overwrite=False)
    assert tree_of(path) == before


def test_a_reader_warns_of_a_killed_to_zarr(cut_off, recwarn):
    """Whatever it finds then; the warning points at the caller, and says what ends it."""
    path, _ = cut_off
    with pytest.raises(nx.errors.NgioValidationError):
        nx.open_ome_zarr(path)
    (warning,) = [each for each in recwarn if each.category is NgioUserWarning]
    assert "The next ImagePyramidBuilder.to_zarr into this group finishes or undoes that" in str(warning.message)
    assert warning.filename == __file__


def test_a_reader_warns_of_a_label_image_that_was_cut_off(tmp_path):
    """The journal is beside the levels, wherever these are."""
    image = nx.as_image(np.ones((8, 8), "u1"), ("y", "x"), 1)
    nx.write_ome_zarr(image, tmp_path / "image.zarr")
    nx.write_labels(nx.as_labels(image.values, ("y", "x"), 1), tmp_path / "image.zarr", "cells")
    (tmp_path / "image.zarr" / "labels" / "cells" / swap.JOURNAL).write_text(json.dumps({}))
    with pytest.warns(NgioUserWarning, match="levels of .*cells were being replaced") as caught:
        nx.open_ome_zarr(tmp_path / "image.zarr")
    assert caught[0].filename == __file__


def test_groups_elsewhere_have_no_journal():
    """Nothing is looked for where nothing can be renamed."""
    create.warn_if_unfinished(zarr.open_group(MemoryStore(), mode="w").store_path)
