"""Stamps tell whether an array on disk may have changed: what was made of it is found again by them, or not."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, TypeAlias

from zarr.storage import StorePath, ZipStore

from ngio_x.pyramid.places import directory_of, unwrapped

Stamp: TypeAlias = tuple[str | int, ...]

_DOCUMENTS: Final = ("zarr.json", ".zarray", ".zgroup")
"""What makes a directory an array or a group of zarr."""


def stamp_of(place: StorePath) -> Stamp | None:
    """Return what is another when an array has been made anew, or ngio_x has written into it; None if nobody can tell.

    Local directories and zip files tell when they were changed. What other programs write into chunks that are there
    already, a directory does not tell: to look at all of them would take as long as to read the pixels.
    """
    directory, store = directory_of(place), unwrapped(place.store)
    if directory is None and not isinstance(store, ZipStore):
        return None
    try:
        if directory is None:
            return (str(store.path), place.path, *_changed(store.path))  # type: ignore[attr-defined]  # a ZipStore
        found = [directory, *(directory / name for name in _DOCUMENTS if (directory / name).exists())]
        return (str(directory.absolute()), *(number for path in found for number in _changed(path)))
    except OSError:  # it has just gone
        return None


def _changed(path: Path) -> tuple[int, int, int]:
    facts = path.stat()
    return facts.st_ino, facts.st_mtime_ns, facts.st_size


@contextmanager
def changing(*places: StorePath) -> Iterator[None]:
    """Change the stamps of places before and after their pixels change, and those of the groups above them.

    xarray knows local files by the time of their root: it must not take what it held of an image for what is there now.
    """
    _touch(*places)
    try:
        yield
    finally:
        _touch(*places)


def _touch(*places: StorePath) -> None:
    directories = filter(None, map(directory_of, places))
    for path in {path for directory in directories for path in _within(directory.absolute())}:
        with suppress(OSError):  # others may own it: then they may set the time of now alone, or not even that
            try:
                facts = path.stat()
                os.utime(path, ns=(facts.st_atime_ns, max(time.time_ns(), facts.st_mtime_ns + 1)))
            except PermissionError:
                os.utime(path)


def _within(directory: Path) -> Iterator[Path]:
    """Yield a directory and those above it, as far as they are of one zarr hierarchy."""
    for path in (directory, *directory.parents):
        if not any((path / name).exists() for name in _DOCUMENTS):
            return
        yield path
