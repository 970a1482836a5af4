"""Build and consolidate in processes that kill themselves at their n-th change of a directory; run by test_kills.

Children are forked from one process that has all modules and starts no thread. What they find wrong is printed as JSON.
"""

import gc
import importlib
import itertools
import json
import os
import random
import shutil
import signal
import sys
import traceback
import warnings
from contextlib import suppress
from pathlib import Path

import zarr
from zarr.storage import LocalStore, WrapperStore

import ngio_x as nx
from ngio_x.errors import NgioError, NgioUserWarning
from ngio_x.pyramid.marker import marks_of
from ngio_x.testing.samples import noise

SIZE = 60
FIRST, SECOND = (slice(3, 14), slice(40, 59)), (slice(28, 29), slice(2, 30))
"""Regions of the source that change, one after the other; coarse levels have write units that both reach."""


def pixels(*changes):
    values = noise((SIZE, SIZE), seed=99)
    for number, change in enumerate(changes):
        values[change] = noise(values[change].shape, seed=number)
    return values


def count_changes(root, at=None):
    """Count what changes files below a directory from now on; the process is killed right before number `at`.

    Threads ask for a directory until it is there, as often as it happens: only what makes it counts.
    """
    numbers, seen, made = itertools.count(1), [0], {}
    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT

    def is_first(directory):
        request = object()
        return Path(directory).parent.is_dir() and made.setdefault(directory, request) is request

    def hook(event, args):
        if event not in {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir"}:
            return
        if event == "open" and not args[2] & writing:
            return
        if isinstance(args[0], (str, Path)) and str(args[0]).startswith(str(root)):
            if event == "os.mkdir" and not is_first(str(args[0])):
                return
            seen[0] = next(numbers)
            if seen[0] == at:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    return seen


def in_child(function, *args, root=None, at=None):
    """Call a function in a forked process.

    Returns:
        What it returned and how often it changed what is below `root`; None, if it was killed.
    """
    reading, writing = os.pipe()
    if pid := os.fork():
        os.close(writing)
        with os.fdopen(reading) as stream:
            said = stream.read()
        _, status = os.waitpid(pid, 0)
        if os.WIFSIGNALED(status):
            return None
        result, changes = json.loads(said)
        if changes < 0:
            raise RuntimeError(result)
        return result, changes
    try:
        changes = count_changes(root, at) if root else [0]
        answer = [function(*args), changes[0]]
    except BaseException:  # noqa: BLE001 — the parent raises it
        answer = [traceback.format_exc(), -1]
    os.write(writing, json.dumps(answer).encode())
    os._exit(0)


def result_of(function, *args):
    return in_child(function, *args)[0]


def warm_up(root):
    """Import here what the work imports, which each child would do again."""

    def work():
        before = set(sys.modules)
        write_sharded(root / "a.zarr", pixels())
        consolidate(root / "a.zarr", "dask", [FIRST])
        look_at(root / "a.zarr")
        return sorted(sys.modules.keys() - before)

    for name in result_of(work):
        with suppress(ImportError):
            importlib.import_module(name)
    gc.freeze()  # so that children need not copy what they only look at


def levels_of(path):
    group = zarr.open_group(path, mode="r+")
    return [group[str(level)] for level in range(4)]


def files_of(path):
    """All files of an image, byte by byte, without those that zarr had not given their names yet."""
    found = {str(file.relative_to(path)): file for file in path.rglob("*") if file.is_file()}
    return {name: file.read_bytes() for name, file in found.items() if not name.endswith(".partial")}


def write(path, values, in_store=False):
    image = nx.as_image(values, dims=("y", "x"))
    store = WrapperStore(LocalStore(path)) if in_store else path
    nx.write_ome_zarr(image, store, levels=4, chunks={"y": 12, "x": 12}, overwrite=path.exists())


def write_sharded(path, values):
    """Write an image of which one coarse level has shards."""
    write(path, values)
    group = zarr.open_group(path, mode="r+")
    group.create_array("2", shape=group["2"].shape, dtype="u2", chunks=(4, 4), shards=(8, 8), overwrite=True)
    consolidate(path, "numpy", None)


def change(path, values):
    levels_of(path)[0][...] = values


def consolidate(path, mode, regions):
    source, *targets = levels_of(path)
    nx.consolidate_pyramid(source, targets, mode=mode, regions=regions)


def look_at(path):
    """What a reader is told: an error, or whether it is warned; and whether there are marks."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            nx.open_ome_zarr(path)
        except NgioError as error:
            return {"error": type(error).__name__}
    warned = any(isinstance(each.message, NgioUserWarning) for each in caught)
    return {"warned": warned, "marked": any(map(bool, marks_of(levels_of(path))))}


def differences(path, expected, but=()):
    """What keeps an image from being another, byte by byte but for some files, without a mark."""
    found, wanted = ({k: v for k, v in files_of(each).items() if k not in but} for each in (path, expected))
    yield from (f"differs in {name}" for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name))
    if (seen := look_at(path)) != {"warned": False, "marked": False}:
        yield f"is not whole: {seen}"


def kill(path, template, work, args, after, some):
    """Do work from the same start again and again, killed each time elsewhere, and see what comes after that.

    Args:
        path: Of the image, in a directory of its own.
        template: What to start from, or None.
        work: A function of the path and `args`.
        args: The other arguments.
        after: Called in a process of its own when the work was killed; it yields what is wrong.
        some: Number of points at which to kill it, beside the first and last ones.
    """

    def start():
        shutil.rmtree(path.parent, ignore_errors=True)
        path.parent.mkdir()
        if template is not None:
            shutil.copytree(template, path)

    start()
    _, total = in_child(work, path, *args, root=path.parent)
    ends = {1, 2, 3, 4, total - 2, total - 1, total}
    points = sorted(ends | set(random.Random(total).sample(range(1, total + 1), min(some, total))))
    problems, killed = [], 0
    for point in points:
        start()
        killed += in_child(work, path, *args, root=path.parent, at=point) is None
        problems += [f"killed at {point} of {total}: {each}" for each in result_of(lambda: list(after()))]
    return {"points": len(points), "killed": killed, "problems": problems}


def build(root, in_store):
    """Write a new image; then again."""
    path, fresh, args = root / "run" / "a.zarr", root / "fresh.zarr", (pixels(), in_store)
    in_child(write, fresh, *args)

    def after():
        if "error" not in look_at(path):
            yield from differences(path, fresh, but=["zarr.json"])  # zarr writes its attributes one by one
        write(path, *args)
        yield from differences(path, fresh)

    return kill(path, None, write, args, after, 6)


def replace(root):
    """Write an image in place of another: there is the old one, or the new one, or none; then again."""
    path, old, new = root / "run" / "a.zarr", root / "old.zarr", root / "new.zarr"
    in_child(write, old, pixels())
    in_child(write, new, pixels(FIRST))

    def after():
        if path.exists() and files_of(path) not in [files_of(old), files_of(new)]:
            yield "is a mixture"
        write(path, pixels(FIRST))
        yield from differences(path, new)

    return kill(path, old, write, (pixels(FIRST),), after, 3)


def whole(root, mode):
    """Rebuild the levels of an image whose pixels have changed; then again."""
    path, old, new = changed_image(root, FIRST)

    def after():
        seen = look_at(path)
        if seen["warned"] != seen["marked"]:
            yield f"readers are not told of marks: {seen}"
        if not seen["marked"] and files_of(path) not in [files_of(old), files_of(new)]:
            yield "has no mark, but is neither as it was nor as it should be"
        consolidate(path, mode, None)
        yield from differences(path, new)

    return kill(path, old, consolidate, (mode, None), after, 8)


def regional(root, mode):
    """Rebuild what a change reaches; then what another change reaches, and that alone is asked for."""
    path, old, new = changed_image(root, FIRST)
    both = root / "both.zarr"
    in_child(write_sharded, both, pixels(FIRST, SECOND))

    def after():
        files, marked = files_of(path), look_at(path)["marked"]
        never_began = files == files_of(old)
        if not marked and not never_began and files != files_of(new):
            yield "has no mark, but is neither as it was nor as it should be"
        change(path, pixels(FIRST, SECOND))
        consolidate(path, mode, [SECOND, FIRST] if never_began else [SECOND])
        yield from differences(path, both)

    return kill(path, old, consolidate, (mode, [FIRST]), after, 8)


def twice(root):
    """Kill a run that has to finish the work of one that was killed, too; then ask for nothing new."""
    path, old, _ = changed_image(root, FIRST)
    half, both = root / "half.zarr", root / "both.zarr"
    in_child(write_sharded, both, pixels(FIRST, SECOND))
    shutil.copytree(old, half)
    in_child(consolidate, half, "numpy", [FIRST], root=half, at=20)
    in_child(change, half, pixels(FIRST, SECOND))

    def after():
        if len({mark.run for marks in marks_of(levels_of(path)) for mark in marks}) == 2:
            consolidate(path, "numpy", [])
        else:  # the second run had not left all marks yet
            consolidate(path, "numpy", [SECOND])
        yield from differences(path, both)

    return kill(path, half, consolidate, ("numpy", [SECOND]), after, 8)


def changed_image(root, *changes):
    """An image whose pixels have changed but not its levels, and as it should be."""
    old, new = root / "old.zarr", root / "new.zarr"
    in_child(write_sharded, old, pixels())
    in_child(change, old, pixels(*changes))
    in_child(write_sharded, new, pixels(*changes))
    return root / "run" / "a.zarr", old, new


SCENARIOS = {
    "build": lambda root: build(root, in_store=False),
    "build in a store": lambda root: build(root, in_store=True),
    "replace": replace,
    "whole, numpy": lambda root: whole(root, "numpy"),
    "whole, dask": lambda root: whole(root, "dask"),
    "regional, numpy": lambda root: regional(root, "numpy"),
    "regional, dask": lambda root: regional(root, "dask"),
    "regional, twice": twice,
}


def run_all(root):
    warm_up(root)
    found = {}
    for number, (name, scenario) in enumerate(SCENARIOS.items()):
        folder = root / str(number)
        folder.mkdir()
        found[name] = scenario(folder)
    return found


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run_all(Path(sys.argv[1]).resolve())))
