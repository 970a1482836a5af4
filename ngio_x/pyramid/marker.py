"""Marks on disk that say that a run is rebuilding an array.

A run puts one small object under each array that it writes, and removes it when all is written. If the run is cut off,
the mark stays: readers warn of it, and the next run does its work again.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import uuid
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any, Final

import zarr
from zarr.core.buffer import default_buffer_prototype
from zarr.core.sync import sync
from zarr.storage import LocalStore, StorePath

from ngio_x._frozen import field, freeze, frozen, to_name, to_optional_name
from ngio_x.errors import NgioStorageError, NgioUserWarning
from ngio_x.pyramid.boxes import Box

FOLDER: Final = ".ngio_x-rebuilding"
"""Holds the marks of an array, beside its chunks."""

_SAID: Final = ("host", "pid", "started", "source", "changed")
"""What is written of a mark; the run is its name."""
_RUNNING: Final[set[str]] = set()
"""Runs of this process."""


@frozen
class Mark:
    """Who is rebuilding an array, and what of it."""

    run: str = field(to_name)
    host: str | None = field(to_optional_name)
    pid: int | None = field(lambda value: value if isinstance(value, int) else None)
    started: str | None = field(to_optional_name)
    source: str | None = field(to_optional_name)
    """The array that it is rebuilt from."""
    changed: tuple[Box, ...] | None = field(freeze)
    """Boxes of the source whose change made it necessary; None is everything."""

    @property
    def is_alive(self) -> bool | None:
        """Whether the run is still going on; None where that cannot be told from here."""
        if self.run in _RUNNING:
            return True
        if self.host != socket.gethostname() or self.pid is None or sys.platform == "win32":  # asking there kills
            return None
        if self.pid == os.getpid():
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except OSError:  # it is somebody else's
            return True
        return True


def new_mark(source: str, changed: Sequence[Box] | None) -> Mark:
    """Return the mark of a run of this process."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    boxes = None if changed is None else tuple(changed)
    return Mark(uuid.uuid4().hex, socket.gethostname(), os.getpid(), now, source, boxes)


@contextmanager
def marked(arrays: Sequence[zarr.Array[Any]], mark: Mark) -> Iterator[None]:
    """Leave a mark at arrays while they are rebuilt, and for good if that is cut off."""
    text = {name: getattr(mark, name) for name in _SAID}
    content = default_buffer_prototype().buffer.from_bytes(json.dumps(text).encode())
    _RUNNING.add(mark.run)
    try:
        for array in arrays:
            try:
                sync(_place(array, mark.run).set(content))
            except Exception as error:
                reason = f"{type(error).__name__}: {error}"
                raise NgioStorageError("mark", str(array.store_path), (), reason) from error
        yield
        remove_marks(arrays, [mark])
    finally:
        _RUNNING.discard(mark.run)


def remove_marks(arrays: Iterable[zarr.Array[Any]], marks: Sequence[Mark]) -> None:
    """Remove the marks of runs whose work is done."""
    for array in arrays:
        store, folder = array.store_path.store, (array.store_path / FOLDER).path
        for mark in marks:
            with suppress(FileNotFoundError):
                sync(_place(array, mark.run).delete())
        if isinstance(store, LocalStore):
            with suppress(OSError):  # others may have marks there, or have removed it
                (store.root / folder).rmdir()


def marks_of(arrays: Sequence[zarr.Array[Any]]) -> list[tuple[Mark, ...]]:
    """Return the marks that stand at each of some arrays."""

    async def read() -> list[tuple[Mark, ...]]:
        return await asyncio.gather(*(_marks(array.store_path / FOLDER) for array in arrays))

    return sync(read())


def warn_if_rebuilding(arrays: Sequence[zarr.Array[Any]], *, stacklevel: int = 2) -> None:
    """Warn of arrays that are being rebuilt, or whose rebuilding was cut off."""
    found = {str(array.store_path): marks for array, marks in zip(arrays, marks_of(arrays), strict=True) if marks}
    if found:
        first = next(iter(found.values()))[0]
        warnings.warn(
            f"{', '.join(found)} {'is' if len(found) == 1 else 'are'} being rebuilt, or the run that did so was cut "
            f"off (host {first.host}, process {first.pid}, since {first.started}): pixels may be out of date. "
            "consolidate_pyramid finishes the work",
            NgioUserWarning,
            stacklevel=stacklevel + 1,
        )


def _place(array: zarr.Array[Any], run: str) -> StorePath:
    place: StorePath = array.store_path / FOLDER / f"{run}.json"
    return place


async def _marks(folder: StorePath) -> tuple[Mark, ...]:
    if not folder.store.supports_listing:
        return ()
    keys = [key async for key in folder.store.list_prefix(f"{folder.path}/") if key.endswith(".json")]
    texts = [await folder.store.get(key, default_buffer_prototype()) for key in sorted(keys)]
    pairs = zip(sorted(keys), texts, strict=True)
    return tuple(_parsed(key, text.to_bytes()) for key, text in pairs if text is not None)


def _parsed(key: str, text: bytes) -> Mark:
    """Return what a mark says; one that makes no sense is of an unknown run that rebuilt everything."""
    run = key.rsplit("/", 1)[-1].removesuffix(".json")
    try:
        document = json.loads(text)
        return Mark(run, *(document[name] for name in _SAID))
    except (ValueError, KeyError, TypeError):
        return Mark(run, None, None, None, None, None)
