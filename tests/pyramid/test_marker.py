"""Marks of runs: who left them, what becomes of them, and that they disturb nobody."""

import asyncio
import json
import os
import subprocess
import sys
import warnings

import numpy as np
import pytest
import zarr
from numpy.testing import assert_array_equal
from zarr.storage import LocalStore, MemoryStore, WrapperStore

import ngio_x as nx
from ngio_x._frozen import evolve
from ngio_x.errors import NgioStorageError, NgioUserWarning
from ngio_x.pyramid import marker
from ngio_x.pyramid.layout import layout_of
from ngio_x.pyramid.marker import FOLDER, marks_of, new_mark
from ngio_x.testing.samples import noise

PIXELS = noise((64, 64))
SHAPES = [(32, 32), (16, 16)]
CHANGED = ((1, 9), (40, 62))
"""A box of the source that a run was to finish."""
ELSEWHERE = (slice(50, 51), slice(3, 5))
"""A region that the next run is asked for, which reaches other chunks."""


class InterruptError(Exception):
    """Somebody stops a run."""


def interrupt(*_):
    raise InterruptError


def levels_in(store, prefix="", **options):
    source = zarr.create_array(store, name=f"{prefix}0", data=PIXELS, chunks=(8, 8), **options)
    targets = [
        zarr.create_array(store, name=f"{prefix}{level}", shape=shape, dtype="u2", chunks=(8, 8), **options)
        for level, shape in enumerate(SHAPES, 1)
    ]
    return source, targets


@pytest.fixture
def root(tmp_path):
    return tmp_path / "a.zarr"


@pytest.fixture
def levels(root):
    source, targets = levels_in(LocalStore(root))
    nx.consolidate_pyramid(source, targets, mode="numpy")
    source[1:9, 40:62] = 7
    return source, targets


def expected_levels(source):
    first = nx.numpy_zoom(source[...], target_shape=SHAPES[0])
    return [first, nx.numpy_zoom(first, target_shape=SHAPES[1])]


def is_whole(source, targets):
    return all(np.array_equal(target[...], each) for target, each in zip(targets, expected_levels(source), strict=True))


def leave(root, mark, levels=(1, 2), **changes):
    """Write a mark as a run that was cut off leaves it."""
    for level in levels:
        folder = root / str(level) / FOLDER
        folder.mkdir()
        said = {name: getattr(mark, name) for name in marker._SAID}
        (folder / f"{mark.run}.json").write_text(json.dumps(said | changes))


def mark_of(source, *boxes):
    return new_mark(layout_of(source).name, boxes or (CHANGED,))


def folders(root):
    return list(root.rglob(FOLDER))


@pytest.fixture
def ended():
    """The number of a process that has come to its end, but whose parent has not asked for that: a zombie on Linux."""
    with subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE) as process:
        process.stdout.read()  # ends with the process
        while sys.platform == "linux" and marker._born(process.pid) != "ended":
            pass  # its files are closed before it is a zombie
        yield process.pid


@pytest.fixture
def living():
    """The number of another process that goes on."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process.pid
    process.communicate(b"\n")


def test_a_run_leaves_one_small_object_at_each_target_and_removes_it(root, levels):
    """It says who, since when, from what, and what; nothing is at the source, and afterwards nothing at all."""
    source, targets = levels
    seen = []
    nx.consolidate_pyramid(source, targets, progress=lambda *_: seen.append((folders(root), marks_of(targets))))
    places, ((mark,), (other,)) = seen[0]
    assert sorted(places) == [root / "1" / FOLDER, root / "2" / FOLDER]
    assert mark == other
    assert (mark.pid, mark.source, mark.changed) == (os.getpid(), layout_of(source).name, None)
    assert folders(root) == []


def test_an_unfinished_run_is_finished_by_one_that_is_asked_for_something_else(root, levels):
    """Its work is part of what the next run does."""
    source, targets = levels
    with pytest.raises(InterruptError):
        nx.consolidate_pyramid(source, targets, regions=[(slice(1, 9), slice(40, 62))], progress=interrupt)
    assert [mark.changed for (mark,) in marks_of(targets)] == [(CHANGED,)] * 2
    source[ELSEWHERE] = 9
    nx.consolidate_pyramid(source, targets, regions=[ELSEWHERE])
    assert is_whole(source, targets)
    assert folders(root) == []


def test_a_run_that_failed_is_over_for_other_processes_too(root, levels):
    """A notebook in which a run was stopped goes on living, but the run does not."""
    source, targets = levels
    with pytest.raises(InterruptError):
        nx.consolidate_pyramid(source, targets, progress=interrupt)
    code = (
        "import sys, zarr, ngio_x as nx\n"
        "levels = [zarr.open_array(f'{sys.argv[1]}/{level}') for level in range(3)]\n"
        "nx.consolidate_pyramid(levels[0], levels[1:], regions=[], mode='numpy')\n"
    )
    subprocess.run([sys.executable, "-c", code, str(root)], check=True)
    assert is_whole(source, targets)
    assert folders(root) == []


@pytest.mark.parametrize("regions", [None, [ELSEWHERE]], ids=["whole", "regional"])
def test_a_run_of_a_process_that_ended_is_finished(root, levels, ended, regions):
    """Also while it is a zombie, and also if its number is not to be found any more."""
    source, targets = levels
    leave(root, mark_of(source), pid=ended)
    nx.consolidate_pyramid(source, targets, regions=regions)
    assert is_whole(source, targets)
    assert folders(root) == []


@pytest.mark.skipif(marker._born(os.getpid()) is None, reason="the system does not say when processes began")
@pytest.mark.parametrize("regions", [None, [ELSEWHERE]], ids=["whole", "regional"])
def test_the_number_of_a_process_may_be_used_again(root, levels, living, regions):
    """After a restart of the machine, it may be another program that has it."""
    source, targets = levels
    leave(root, mark_of(source), pid=living, born="another boot, 1")
    nx.consolidate_pyramid(source, targets, regions=regions)
    assert is_whole(source, targets)
    assert folders(root) == []


@pytest.mark.parametrize("regions", [None, [ELSEWHERE]], ids=["whole", "regional"])
def test_a_living_run_of_another_process_is_left_alone(root, levels, living, regions):
    """Its mark is neither taken over nor removed."""
    source, targets = levels
    before = [target[...] for target in targets]
    leave(root, mark_of(source), pid=living, born=marker._born(living))
    marks = marks_of(targets)
    nx.consolidate_pyramid(source, targets, regions=regions)
    assert marks_of(targets) == marks
    if regions:
        for target, pixels in zip(targets, before, strict=True):
            assert_array_equal(target[...], pixels)
    assert is_whole(source, targets) == (regions is None)


def test_a_run_elsewhere_is_left_alone_unless_everything_is_rebuilt(root, levels):
    """Whether it goes on cannot be told from here."""
    source, targets = levels
    leave(root, mark_of(source), host="another")
    nx.consolidate_pyramid(source, targets, regions=[ELSEWHERE])
    assert len(folders(root)) == 2
    nx.consolidate_pyramid(source, targets)
    assert is_whole(source, targets)
    assert folders(root) == []


@pytest.mark.parametrize("source_name", [None, "file:///elsewhere/0"])
@pytest.mark.parametrize("boxes", [None, [], [[[0, 65], [0, 1]]], [[[0, 1]]], [[[5, 5], [0, 1]]]], ids=str)
def test_a_run_from_another_array_or_of_boxes_that_make_no_sense_is_done_as_a_whole(root, levels, source_name, boxes):
    """What it was to change is not known then; no boxes at all are no work, if the array is the same."""
    source, targets = levels
    leave(root, mark_of(source), over=True, changed=boxes, source=source_name or layout_of(source).name)
    nx.consolidate_pyramid(source, targets, regions=[])
    assert is_whole(source, targets) == (boxes != [] or source_name is not None)
    assert folders(root) == []


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"[]", b"\xff\xfe", b"null", b"{}", b"[" * 100_000, b'{"host": 1}'],
    ids=["empty", "cut off", "list", "bytes", "null", "no fields", "deep", "no text"],
)
def test_a_damaged_mark_is_of_an_unknown_run(root, levels, text):
    """Readers are warned of it, regional runs leave it, and a run of everything removes it."""
    source, targets = levels
    leave(root, mark_of(source), levels=[1])
    next(root.rglob(f"{FOLDER}/*.json")).write_bytes(text)
    with pytest.warns(NgioUserWarning, match="being rebuilt"):
        marker.warn_if_rebuilding(targets)
    nx.consolidate_pyramid(source, targets, regions=[ELSEWHERE])
    assert len(marks_of(targets)[0]) == 1
    nx.consolidate_pyramid(source, targets)
    assert is_whole(source, targets)
    assert folders(root) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"pid": 0},
        {"pid": -1},
        {"pid": "one"},
        {"changed": "all"},
        {"changed": 3},
        {"changed": [[1, 2]]},
        {"changed": [[["a", "b"], [0, 1]]]},
        {"changed": [[[0, 1, 2], [0, 1]]]},
        {"source": 5},
        {"over": "yes"},
    ],
    ids=str,
)
def test_a_mark_with_a_field_that_makes_no_sense_is_of_an_unknown_run(root, levels, changes):
    """Nothing of it is believed."""
    source, targets = levels
    mark = mark_of(source)
    leave(root, mark, **changes)
    assert marks_of(targets) == [(marker.Mark(mark.run, None, None, None, None, None),)] * 2


def test_a_process_whose_number_is_too_large_is_none(levels):
    """No system call is made to fail by what a file says."""
    mark = evolve(mark_of(levels[0]), pid=10**30)
    assert mark.is_alive is False or sys.platform == "win32"


def test_zooming_into_a_target_ends_what_was_unfinished_there(root, levels):
    """All of it is new."""
    source, targets = levels
    with pytest.raises(InterruptError):
        nx.on_disk_zoom(source, targets[0], progress=interrupt)
    nx.on_disk_zoom(source, targets[0])
    assert folders(root) == []


def test_what_is_made_of_an_unfinished_level_is_not_finished(root, levels):
    """Its mark stays until the level itself is done."""
    source, targets = levels
    leave(root, mark_of(source), over=True)
    nx.on_disk_zoom(*targets)
    nx.consolidate_pyramid(targets[0], targets[1:])
    assert [len(marks) for marks in marks_of(targets)] == [1, 1]
    nx.consolidate_pyramid(source, targets, regions=[])
    assert is_whole(source, targets)
    assert folders(root) == []


class Vanishing(WrapperStore):
    """A local directory in which a run that ends removes the folder of marks at the wrong moment, once."""

    gone = False

    async def set(self, key, value):
        if FOLDER in key and not self.gone:
            self.gone = True
            raise FileNotFoundError(key)
        await super().set(key, value)


def test_a_folder_that_another_run_removes_is_made_again(tmp_path):
    """Two runs may begin and end at one target at the same time."""
    store = Vanishing(LocalStore(tmp_path))
    source, targets = levels_in(store)
    nx.consolidate_pyramid(source, targets)
    assert store.gone
    assert is_whole(source, targets)


class Secretive(WrapperStore):
    """A store that may not be listed, as some that are read by URL."""

    async def list_prefix(self, prefix):
        raise PermissionError(prefix)
        yield


class Unlisted(WrapperStore):
    """A store that cannot be listed, and says so."""

    supports_listing = False

    async def list_prefix(self, prefix):
        raise NotImplementedError(prefix)
        yield


def test_readers_do_not_mind_stores_that_may_not_be_listed(tmp_path):
    """They cannot know of marks there, and the image opens; a run, which has to know, says what is missing."""
    nx.write_ome_zarr(nx.as_image(PIXELS, dims=("y", "x")), tmp_path / "a.zarr", levels=2)
    store = Secretive(LocalStore(tmp_path / "a.zarr"))
    assert_array_equal(nx.open_ome_zarr(store)["0"]["image"], PIXELS)
    source, target = (zarr.open_array(store, path=path) for path in "01")
    with pytest.raises(NgioStorageError, match=r"could not read the marks of .*/1: PermissionError") as caught:
        nx.consolidate_pyramid(source, [target])
    assert (caught.value.action, caught.value.window) == ("read the marks of", ())


def test_stores_that_cannot_be_listed_work():
    """Runs leave and remove their marks there without looking for others."""
    source, targets = levels_in(Unlisted(MemoryStore()))
    nx.consolidate_pyramid(source, targets)
    assert is_whole(source, targets)
    assert marks_of(targets) == [(), ()]


def test_marks_are_found_where_zarr_mixes_up_keys(tmp_path, monkeypatch):
    """It takes a relative root out of the middle of keys as well."""
    monkeypatch.chdir(tmp_path)
    source, targets = levels_in(LocalStore("a"), "ba/")
    with pytest.raises(InterruptError):
        nx.consolidate_pyramid(source, targets, progress=interrupt)
    assert [len(marks) for marks in marks_of(targets)] == [1, 1]
    nx.consolidate_pyramid(source, targets, regions=[])
    assert is_whole(source, targets)
    assert folders(tmp_path) == []


@pytest.mark.parametrize(
    "options", [{"zarr_format": 2}, {"zarr_format": 2, "chunk_key_encoding": {"name": "v2", "separator": "/"}}, {}]
)
def test_zarr_does_not_mind_marks(tmp_path, options):
    """Groups list their arrays, and arrays count their chunks, without a warning."""
    group = zarr.open_group(tmp_path, mode="w", zarr_format=options.get("zarr_format", 3))
    source, targets = levels_in(LocalStore(tmp_path), **options)
    nx.consolidate_pyramid(source, targets)
    leave(tmp_path, mark_of(source))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert sorted(group.array_keys()) == ["0", "1", "2"]
        assert len(group.members(max_depth=None)) == 3
        assert len(list(group.arrays())) == 3
    assert [target.nchunks_initialized for target in targets] == [16, 4]
    assert is_whole(source, targets)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_other_readers_do_not_mind_marks(tmp_path, version):
    """ngio and ome-zarr read an image whose levels are marked, which ngio_x warns of, with one warning."""
    ngio = pytest.importorskip("ngio")
    reader, url = pytest.importorskip("ome_zarr.reader"), pytest.importorskip("ome_zarr.io")
    path = tmp_path / "a.zarr"
    nx.write_ome_zarr(nx.as_image(PIXELS, dims=("y", "x")), path, levels=3, version=version)
    leave(path, mark_of(zarr.open_array(path / "0")))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # theirs are their own
        found = ngio.open_ome_zarr_container(path).get_image(path="1").get_as_numpy()
        others = next(iter(reader.Reader(url.parse_url(path))())).data
    with pytest.warns(NgioUserWarning, match="1, .*2 are being rebuilt, or the run that did so was cut off") as caught:
        tree = nx.open_ome_zarr(path)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert_array_equal(np.squeeze(found), tree["1"]["image"])
    assert_array_equal(np.asarray(others[1]), tree["1"]["image"])


def test_marks_of_many_arrays_are_asked_for_at_once():
    """Opening an image costs one round trip, however many levels it has."""
    waiting, together = [], []

    class Slow(WrapperStore):
        async def list_prefix(self, prefix):
            waiting.append(prefix)
            for _ in range(10):
                await asyncio.sleep(0)
            together.append(len(waiting))
            for key in ():
                yield key

    _, targets = levels_in(Slow(MemoryStore()))
    assert marks_of(targets) == [(), ()]
    assert together == [2, 2]
