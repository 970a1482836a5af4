"""Files and directories that take their places in a directory all at once.

They are staged in a hidden directory inside it. A journal beside that lists what is going to move; it is there from
before the first move until after the last. An error undoes the moves; a process that is killed leaves the journal, from
which `recover` tells how far it came: what has moved is no longer where it was staged.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from ngio_x.errors import NgioValidationError

JOURNAL: Final = ".ngio_x-journal.json"
STAGING: Final = ".ngio_x-staging-"

_ABOUT: Final = (
    "The paths were being replaced when the writing process was cut off. The next ImagePyramidBuilder.to_zarr into "
    "this group, or write_rois if it holds tables, finishes or undoes that; until then, what was there before is in "
    "the staging directory."
)


def is_unfinished(root: Path) -> bool:
    """Whether a swap in this directory was cut off, or is going on."""
    return (root / JOURNAL).exists()


def swap_in(root: Path, files: Mapping[str, bytes], wholes: Sequence[str]) -> None:
    """Put files into a directory, all of them or none.

    Args:
        root: The directory; one process at a time may do this.
        files: Contents by path below `root`.
        wholes: Paths that are replaced with all that stands there: of their files, only the new ones remain.
    """
    recover(root)
    staging = root / f"{STAGING}{uuid.uuid4().hex[:8]}"
    try:
        paths = _staged(root, staging, files, wholes)
        for index, path in enumerate(paths):
            if os.path.lexists(root / path):
                _rename(root / path, _old(staging, index))
            _rename(_new(staging, path), root / path)
        (root / JOURNAL).unlink()
    except BaseException:
        if is_unfinished(root):
            _undo(root, *_read_journal(root))
            (root / JOURNAL).unlink()
        shutil.rmtree(staging, ignore_errors=True)
        raise
    shutil.rmtree(staging, ignore_errors=True)


def recover(root: Path) -> None:
    """Finish a swap that was cut off after its last move, undo one that was cut off before, and remove what it left.

    Raises:
        NgioValidationError: If there is a journal that makes no sense.
    """
    if is_unfinished(root):
        staging, paths = _read_journal(root)
        if any(os.path.lexists(_new(staging, path)) for path in paths):
            _undo(root, staging, paths)
        (root / JOURNAL).unlink()
    for stale in root.glob(f"{STAGING}*"):
        shutil.rmtree(stale, ignore_errors=True)


def _staged(root: Path, staging: Path, files: Mapping[str, bytes], wholes: Sequence[str]) -> list[str]:
    """Write the files and the journal; return the paths to move."""
    _new(staging, "").mkdir(parents=True)
    _old(staging, "").mkdir()
    for path, content in files.items():
        file = _new(staging, path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    singles = [path for path in files if not any(path.startswith(f"{whole}/") for whole in wholes)]
    paths = list(dict.fromkeys(_outermost_missing(root, path) for path in (*wholes, *singles)))
    draft = staging / "journal.json"
    with draft.open("w", encoding="utf-8") as stream:
        json.dump({"about": _ABOUT, "staging": staging.name, "paths": paths}, stream)
        stream.flush()
        os.fsync(stream.fileno())
    _rename(draft, root / JOURNAL)
    return paths


def _outermost_missing(root: Path, path: str) -> str:
    """Return the path, or the first directory on the way to it that is missing: that moves as a whole."""
    folders = [str(folder) for folder in PurePosixPath(path).parents][-2::-1]
    return next((folder for folder in folders if not os.path.lexists(root / folder)), path)


def _undo(root: Path, staging: Path, paths: Sequence[str]) -> None:
    """Move everything back. Each step shows in what is where, so that this may be cut off, too, and done again."""
    for index, path in reversed(list(enumerate(paths))):
        place, new, old = root / path, _new(staging, path), _old(staging, index)
        if os.path.lexists(place) and not os.path.lexists(new):
            _rename(place, new)
        if os.path.lexists(old):
            if os.path.lexists(place):  # somebody wrote there in the meantime
                _rename(place, _old(staging, f"{index}-{uuid.uuid4().hex}"))
            _rename(old, place)


def _read_journal(root: Path) -> tuple[Path, list[str]]:
    """Return the staging directory and the paths of a journal."""
    try:
        document = json.loads((root / JOURNAL).read_text(encoding="utf-8"))
        staging, paths = document["staging"], document["paths"]
        sound = _are_inside([staging, *paths]) and staging.startswith(STAGING) and (root / staging).is_dir()
    except (ValueError, KeyError, TypeError, AttributeError):
        sound = False
    if not sound:
        raise NgioValidationError(
            f"{root / JOURNAL} is damaged: put back what is under {STAGING}*/old, then delete the journal"
        )
    return root / staging, paths


def _are_inside(paths: Iterable[str]) -> bool:
    return all(path and not PurePosixPath(path).is_absolute() and ".." not in path.split("/") for path in paths)


def _new(staging: Path, path: str) -> Path:
    return staging / "new" / path


def _old(staging: Path, slot: int | str) -> Path:
    return staging / "old" / str(slot)


def _rename(source: Path, target: Path) -> None:
    """Rename onto nothing: what Windows can do as well, also with directories."""
    source.rename(target)
