import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ngio_x.errors import NgioValidationError
from ngio_x.pyramid import swap

NEW = {
    "0/zarr.json": b"new 0",
    "1/zarr.json": b"new 1",
    "lower/zarr.json": b"parent",
    "lower/2/zarr.json": b"new 2",
    "lower/3/zarr.json": b"new 3",
    "half/zarr.json": b"parent",
    "half/4/zarr.json": b"new 4",
}
WHOLES = ["0", "1", "lower/2", "lower/3", "half/4"]


def fill(root):
    """Make a directory with an old array, a file where a level is to be, half a group, and bystanders."""
    (root / "0" / "c").mkdir(parents=True)
    (root / "0" / "zarr.json").write_bytes(b"old 0")
    (root / "0" / "c" / "0").write_bytes(b"old chunk")
    (root / "1").write_bytes(b"a file")
    (root / "half" / "stays").mkdir(parents=True)
    (root / "half" / "note").write_bytes(b"kept")
    (root / "zarr.json").write_bytes(b"group")


def tree_of(root):
    """What is in a directory, byte for byte; links by their target, directories as None."""
    return {
        str(path.relative_to(root)): path.readlink() if path.is_symlink() else path.is_file() and path.read_bytes()
        for path in root.rglob("*")
    }


def leftovers(root):
    return [path.name for path in root.iterdir() if path.name.startswith(".ngio_x")]


@pytest.fixture
def root(tmp_path):
    fill(tmp_path)
    return tmp_path


def fail_at(monkeypatch, count, error, *, after=False):
    """Let the rename of this number fail, before or after it is made."""
    rename, calls = swap._rename, []

    def failing(source, target):
        calls.append((source, target))
        if len(calls) == count and not after:
            raise error
        rename(source, target)
        if len(calls) == count:
            raise error

    monkeypatch.setattr(swap, "_rename", failing)
    return calls


def test_all_that_is_new_takes_its_place(root):
    """Old things at the paths are gone, the rest is as it was, and nothing is left over."""
    swap.swap_in(root, NEW, WHOLES)
    found = {path: content for path, content in tree_of(root).items() if content}
    assert found == {**NEW, "half/note": b"kept", "zarr.json": b"group"}
    assert leftovers(root) == []


def renames_of(monkeypatch, root):
    calls = fail_at(monkeypatch, 0, OSError())
    swap.swap_in(root, NEW, WHOLES)
    return len(calls)


def test_what_is_missing_as_a_whole_moves_as_a_whole(root, monkeypatch):
    """A new folder with two levels is one move: the journal, two swaps, one folder, a document and a level."""
    assert renames_of(monkeypatch, root) == 1 + 2 * 2 + 1 + 2


@pytest.mark.parametrize("error", [OSError("disk"), KeyboardInterrupt()], ids=["OSError", "KeyboardInterrupt"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("count", range(1, 9))
def test_an_error_at_any_rename_leaves_the_directory_as_it_was(root, monkeypatch, count, error, after):
    """Byte for byte, whether the rename itself fails or something does right after it."""
    before = tree_of(root)
    fail_at(monkeypatch, count, error, after=after)
    with pytest.raises(type(error)):
        swap.swap_in(root, NEW, WHOLES)
    assert tree_of(root) == before


@pytest.mark.parametrize("name", ["write_bytes", "mkdir", "unlink"])
def test_an_error_of_any_other_kind_leaves_the_directory_as_it_was(root, monkeypatch, name):
    """A full disk while files are staged, or a journal that cannot be deleted at once."""
    before, failures = tree_of(root), [OSError("disk")]
    original = getattr(Path, name)

    def failing(path, *args, **options):
        if failures and (name != "mkdir" or path.name == "old"):
            raise failures.pop()
        return original(path, *args, **options)

    monkeypatch.setattr(Path, name, failing)
    with pytest.raises(OSError, match="disk"):
        swap.swap_in(root, NEW, WHOLES)
    assert tree_of(root) == before


@pytest.mark.parametrize("count", range(3, 9))
def test_an_undoing_that_fails_can_be_finished_later(root, monkeypatch, count):
    """If moving back fails as well, the journal stays, and recovering undoes the rest."""
    before, rename, calls = tree_of(root), swap._rename, []

    def failing(source, target):
        calls.append(source)
        if len(calls) >= count:
            raise OSError("disk")
        rename(source, target)

    monkeypatch.setattr(swap, "_rename", failing)
    with pytest.raises(OSError, match="disk"):
        swap.swap_in(root, NEW, WHOLES)
    monkeypatch.undo()
    assert swap.is_unfinished(root)
    swap.recover(root)
    assert tree_of(root) == before


def test_links_are_moved_not_followed(root, tmp_path_factory):
    """A level that is a link to another place is replaced, or comes back as the link; that place is left alone."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "chunk").write_bytes(b"far away")
    (root / "5").symlink_to(elsewhere)
    swap.swap_in(root, {"5/zarr.json": b"new"}, ["5"])
    assert not (root / "5").is_symlink()
    assert tree_of(elsewhere) == {"chunk": b"far away"}


def test_links_come_back_after_an_error(root, monkeypatch):
    """Also one that leads nowhere."""
    (root / "5").symlink_to("nowhere")
    before = tree_of(root)
    fail_at(monkeypatch, 3, OSError("disk"))
    with pytest.raises(OSError, match="disk"):
        swap.swap_in(root, {"5/zarr.json": b"new"}, ["5"])
    assert tree_of(root) == before


def test_a_directory_may_be_reached_through_a_link(root, tmp_path_factory):
    """The staging directory is inside it either way."""
    link = tmp_path_factory.mktemp("links") / "group"
    link.symlink_to(root, target_is_directory=True)
    swap.swap_in(link, NEW, WHOLES)
    assert (root / "0" / "zarr.json").read_bytes() == b"new 0"


def test_what_another_process_wrote_in_between_does_not_hinder_undoing(root, monkeypatch):
    """A writer that still holds the old array may make its folder anew while it is away."""
    before, rename, late = tree_of(root), swap._rename, []

    def with_writer(source, target):
        rename(source, target)
        if source == root / "0" and target.name == "0" and not late:
            late.append(source)
            source.mkdir()
            (source / "late chunk").write_bytes(b"late")

    monkeypatch.setattr(swap, "_rename", with_writer)
    with pytest.raises(OSError, match=r"not empty|exists"):
        swap.swap_in(root, NEW, WHOLES)
    assert tree_of(root) == before


def test_stale_staging_directories_are_removed(root):
    """They are what a process leaves that is killed before the journal is there."""
    before = tree_of(root)
    (root / ".ngio_x-staging-0a1b2c3d" / "new" / "0").mkdir(parents=True)
    swap.recover(root)
    assert tree_of(root) == before


@pytest.mark.parametrize(
    "journal",
    [
        "",
        "[]",
        "{}",
        '{"staging": 1, "paths": []}',
        '{"staging": "0", "paths": []}',
        '{"staging": ".ngio_x-staging-lost", "paths": []}',
        '{"staging": ".ngio_x-staging-1", "paths": ["../zarr.json"]}',
        '{"staging": ".ngio_x-staging-1", "paths": ["/etc"]}',
        '{"staging": ".ngio_x-staging-1", "paths": [1]}',
    ],
)
def test_a_damaged_journal_is_refused_and_moves_nothing(root, journal):
    """What it says is not followed out of the directory; the message says what to do."""
    (root / ".ngio_x-staging-1" / "new").mkdir(parents=True)
    (root / swap.JOURNAL).write_text(journal)
    before = tree_of(root)
    with pytest.raises(NgioValidationError, match="is damaged: put back what is under"):
        swap.swap_in(root, NEW, WHOLES)
    assert tree_of(root) == before


def test_the_journal_says_what_it_is(root, monkeypatch):
    """Whoever finds it reads what was going on, and what ends it."""
    journals, rename = [], swap._rename

    def reading(source, target):
        rename(source, target)
        journals.append(json.loads((root / swap.JOURNAL).read_text()))

    monkeypatch.setattr(swap, "_rename", reading)
    swap.swap_in(root, NEW, WHOLES)
    assert len(journals) == 8  # it is there at every move
    assert journals[0]["paths"] == ["0", "1", "lower", "half/4", "half/zarr.json"]
    assert "next ImagePyramidBuilder.to_zarr" in journals[0]["about"]


KILLER = """
import json, os, pathlib, shutil, signal, sys
sys.path.insert(0, sys.argv[1])
import test_swap
from ngio_x.pyramid import swap

work, effects = pathlib.Path(sys.argv[2]), ("os.rename", "os.mkdir", "os.remove", "os.rmdir", "open")

def killed(count, action):  # run in a process that is killed before its effect of this number on files
    child = os.fork()
    if child == 0:
        left = [count]
        def hook(event, arguments):
            if event in effects and not (event == "open" and arguments[1] == "r"):
                left[0] -= 1
                if left[0] < 0:
                    os.kill(os.getpid(), signal.SIGKILL)
        sys.addaudithook(hook)
        action()
        os._exit(0)
    return os.waitpid(child, 0)[1] != 0

def state(root):
    found = {path: content for path, content in test_swap.tree_of(root).items() if ".ngio_x" not in path}
    kind = "old" if found == old else "new" if found == new else "between"
    return kind, swap.is_unfinished(root)

def fresh(name):
    shutil.rmtree(work / name, ignore_errors=True)
    test_swap.fill(work / name)
    return work / name

def swap_in(root):
    swap.swap_in(root, test_swap.NEW, test_swap.WHOLES)

root = fresh("a")
old = test_swap.tree_of(root)
swap_in(root)
new = test_swap.tree_of(root)
runs, count, alive = [], 0, True
while alive:
    root = fresh("a")
    alive = killed(count, lambda: swap_in(root))
    run = {"after": state(root), "again": [], "recovered": None, "left": None}
    steps, cut = 0, run["after"][1]
    while cut:  # the recovering is killed at each of its steps, too, and taken up by another
        copy = work / "b"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(root, copy)
        cut = killed(steps, lambda: swap.recover(copy)) and swap.is_unfinished(copy)
        run["again"].append(state(copy))
        swap.recover(copy)
        run["again"].append((state(copy), test_swap.leftovers(copy)))
        steps += 1
    swap.recover(root)
    run["recovered"], run["left"] = state(root), test_swap.leftovers(root)
    swap_in(root)
    run["finally"] = state(root)
    runs.append(run)
    count += 1
print(json.dumps(runs))
"""


@pytest.fixture(scope="module")
def kills(tmp_path_factory):
    """What is left of a swap that is killed before each of its effects on files, and what becomes of it."""
    if not hasattr(os, "fork"):
        pytest.skip("this system has no fork")
    work = tmp_path_factory.mktemp("kills")
    command = [sys.executable, "-c", KILLER, str(Path(__file__).parent), str(work)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_kill_leaves_the_old_or_the_new_or_a_journal(kills):
    """At whichever step: what is between is never without a journal."""
    states = [tuple(run["after"]) for run in kills]
    assert len(states) > 30
    assert states[0] == ("old", False)
    assert states[-1] == ("new", False)
    assert set(states) == {("old", False), ("old", True), ("between", True), ("new", True), ("new", False)}


def test_a_journal_is_finished_or_undone(kills):
    """Moves that were all made are kept, others undone; nothing is left over."""
    for run in kills:
        expected = "new" if run["after"][0] == "new" else "old"
        assert run["recovered"] == [expected, False]
        assert run["left"] == []


def test_recovering_may_be_killed_at_any_step_and_taken_up_again(kills):
    """In between there is still a journal, and in the end the same state."""
    for run in kills:
        for cut, (after, left) in zip(run["again"][::2], run["again"][1::2], strict=True):
            assert cut[1] or cut[0] == run["recovered"][0]
            assert (after, left) == (run["recovered"], [])
    assert sum(len(run["again"]) for run in kills) > 50


def test_the_next_swap_succeeds_after_any_kill(kills):
    """Whatever was left."""
    assert all(run["finally"] == ["new", False] for run in kills)
