"""Runs that are interrupted, runs at the same time, and what they show meanwhile."""

import asyncio
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import zarr
from numpy.testing import assert_array_equal
from zarr.storage import LocalStore, WrapperStore

import ngio_x as nx
from ngio_x.pyramid.marker import FOLDER, marks_of
from ngio_x.testing.samples import noise

PIXELS = noise((96, 96), low=1)
MODES = ["dask", "numpy"]
LEFT, RIGHT = (slice(0, 96), slice(0, 32)), (slice(0, 96), slice(64, 96))
"""Regions that reach no common write unit."""


def levels_at(path, mode="r+"):
    return [zarr.open_array(path / str(level), mode=mode) for level in range(3)]


@pytest.fixture
def root(tmp_path):
    path = tmp_path / "a.zarr"
    zarr.create_array(path, name="0", data=PIXELS, chunks=(16, 16))
    for level, size in (("1", 48), ("2", 24)):
        zarr.create_array(path, name=level, shape=(size, size), dtype="u2", chunks=(8, 8))
    return path


def check(root):
    source, *targets = levels_at(root)
    expected = source[...]
    for target in targets:
        expected = nx.numpy_zoom(expected, target_shape=target.shape)
        assert_array_equal(target[...], expected)
    assert list(root.rglob(FOLDER)) == []


def start(code, *args, **options):
    """Start a Python process that has the modules, and `levels`."""
    path = os.pathsep.join([str(Path(nx.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    opening = (
        "import os, signal, sys, zarr, ngio_x as nx\n"
        "source, *targets = [zarr.open_array(f'{sys.argv[1]}/{level}', mode='r+') for level in range(3)]\n"
    )
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    environment = {**os.environ, "PYTHONPATH": path}
    return subprocess.Popen(
        [sys.executable, "-c", opening + code, *map(str, args)], env=environment, text=True, **pipes, **options
    )


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("at", [1, 2, "last"])
def test_an_interrupt_stops_the_run_and_leaves_its_mark(root, mode, at):
    """Nothing more is reported, and a run that is asked for nothing finishes the work."""
    source, *targets = levels_at(root)
    with zarr.config.set({"async.concurrency": 1}):
        seen = []

        def interrupted(done, total):
            seen.append(done)
            if done == total or len(seen) == at:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            nx.consolidate_pyramid(source, targets, mode=mode, progress=interrupted)
    assert at == "last" or len(seen) == at
    assert [len(marks) for marks in marks_of(targets)] == [1, 1]
    nx.consolidate_pyramid(source, targets, mode=mode, regions=[])
    check(root)


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("mode", MODES)
def test_control_c_stops_a_process_within_a_unit(root, mode):
    """The signal comes while the second unit is made: at most those that had begun are finished."""
    code = f"""
import dask
from ngio_x.pyramid import execute, planner

planner._READ = 1  # tasks of single units
done, run_task = [], execute.run_task

def stopping(*args):
    done.append(args)
    if len(done) == 2:
        os.kill(os.getpid(), signal.SIGINT)
    return run_task(*args)

execute.run_task = stopping
try:
    with dask.config.set(num_workers=2):
        nx.consolidate_pyramid(source, targets, mode={mode!r})
except KeyboardInterrupt:
    print(len(done), nx.plan_pyramid(source, targets).task_count)
"""
    process = start(code, root)
    out, err = process.communicate()
    assert (process.returncode, err) == (0, "")
    _, *targets = levels_at(root)
    assert [len(marks) for marks in marks_of(targets)] == [1, 1]
    begun, total = map(int, out.split())
    assert 2 <= begun <= 5 < total
    nx.consolidate_pyramid(*split(root), regions=[])
    check(root)


def split(root):
    source, *targets = levels_at(root)
    return source, targets


@pytest.mark.parametrize("mode", MODES)
def test_nothing_is_printed_unless_asked_for(root, mode, capfd):
    """Neither by a run nor by one that finishes another."""
    source, targets = split(root)
    nx.consolidate_pyramid(source, targets, mode=mode)
    nx.consolidate_pyramid(source, targets, mode=mode, regions=[LEFT])
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("mode", MODES)
def test_a_bar_is_shown_on_standard_error(root, mode, capsys):
    """It ends full, and with the line."""
    source, targets = split(root)
    nx.consolidate_pyramid(source, targets, mode=mode, progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.endswith(f"[{'#' * 40}] 45/45 write units\n")
    assert err.count("\n") == 1


def test_two_processes_rebuild_regions_that_share_no_unit_at_the_same_time(root):
    """Each waits in its first unit for the other to be there, too; marks of both stand then, and none stays."""
    source, targets = split(root)
    nx.consolidate_pyramid(source, targets)
    source[LEFT], source[RIGHT] = 1, 2
    plans = [nx.plan_pyramid(source, targets, regions=[region]) for region in (LEFT, RIGHT)]
    assert plans[0].shared_units(plans[1]) == {}
    code = """
def wait(done, total):
    if not seen:
        seen.append(done)
        print("there", flush=True)
        input()

seen = []
nx.consolidate_pyramid(source, targets, regions=[(slice(0, 96), slice(*map(int, sys.argv[2:])))], progress=wait)
"""
    processes = [start(code, root, region[1].start, region[1].stop) for region in (LEFT, RIGHT)]
    for process in processes:
        assert process.stdout.readline() == "there\n"
    marks = marks_of(targets)
    assert [len(each) for each in marks] == [2, 2]
    nx.consolidate_pyramid(source, targets, regions=[])  # a third one leaves both alone
    assert marks_of(targets) == marks
    processes[0].communicate("\n")
    assert [[mark.pid for mark in each] for each in marks_of(targets)] == [[processes[1].pid]] * 2
    processes[1].communicate("\n")
    assert [process.returncode for process in processes] == [0, 0]
    check(root)


def test_plans_say_which_units_they_share(root):
    """The level that both reach, and where; of what only one reaches, nothing."""
    source, targets = split(root)
    first, second = (
        nx.plan_pyramid(source, targets, regions=[region]) for region in (LEFT, (slice(0, 9), slice(20, 70)))
    )
    shared = first.shared_units(second)
    assert shared == second.shared_units(first)
    assert sorted(name.rsplit("/", 1)[1] for name in shared) == ["1", "2"]
    for windows in shared.values():
        for window in windows:
            assert all(part.start % 8 == 0 and part.stop % 8 == 0 for part in window)
    whole = nx.plan_pyramid(source, targets)
    assert set(whole.shared_units(first)) == {layout.name for layout in whole.layouts[1:]}
    assert whole.shared_units(nx.plan_pyramid(source, targets, regions=[])) == {}


class Held(WrapperStore):
    """A store in which the first chunk that is written waits until it may be."""

    def __init__(self, store):
        super().__init__(store)
        self.began, self.go = threading.Event(), threading.Event()

    async def set(self, key, value):
        if FOLDER not in key and not self.began.is_set():
            self.began.set()
            await asyncio.to_thread(self.go.wait)
        await super().set(key, value)


def test_two_threads_of_one_process_leave_each_other_alone(root):
    """A run of everything does not take over one that goes on in another thread."""
    store = Held(LocalStore(root))
    held = [zarr.open_array(store, path=str(level), mode="r+") for level in range(3)]
    thread = threading.Thread(target=nx.consolidate_pyramid, args=(held[0], held[1:]), kwargs={"mode": "numpy"})
    thread.start()
    store.began.wait()
    source, targets = split(root)
    marks = marks_of(targets)
    nx.consolidate_pyramid(source, targets, mode="numpy")
    assert marks_of(targets) == marks
    assert [len(each) for each in marks] == [1, 1]
    store.go.set()
    thread.join()
    check(root)
