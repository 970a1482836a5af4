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
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import zarr
from zarr.core.buffer import default_buffer_prototype
from zarr.core.sync import sync
from zarr.storage import StorePath

from ngio_x._frozen import at_least, checked_by, evolve, field, frozen, to_bool, to_int, to_name, to_optional_name
from ngio_x.errors import NgioStorageError, NgioValueError, warn
from ngio_x.pyramid.boxes import Box, Span
from ngio_x.pyramid.places import directory_of

FOLDER: Final = ".ngio_x-rebuilding"
"""Holds the marks of an array, beside its chunks."""

_SAID: Final = ("host", "pid", "started", "source", "changed", "born", "over")
"""What is written of a mark; the run is its name."""
_TRIES: Final = 20
"""Times that a mark is put into a folder that others remove when they are done."""
_RUNNING: Final[set[str]] = set()
"""Runs of this process."""


def _optional(convert: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else convert(value)


def _to_boxes(value: Any) -> tuple[Box, ...]:
    if not isinstance(value, (list, tuple)):
        raise NgioValueError(f"must be a list of boxes, got {value!r}")
    return tuple(tuple(_to_span(*span) for span in box) for box in value)


def _to_span(low: Any, high: Any) -> Span:
    return to_int(low), to_int(high)


@frozen
class Mark:
    """Who is rebuilding an array, and what of it."""

    run: str = field(converter=to_name)
    host: str | None = field(converter=to_optional_name)
    pid: int | None = field(metadata=checked_by(_optional(at_least(1, to_int))))
    started: str | None = field(converter=to_optional_name)
    source: str | None = field(converter=to_optional_name)
    """The array that it is rebuilt from."""
    changed: tuple[Box, ...] | None = field(metadata=checked_by(_optional(_to_boxes)))
    """Boxes of the source whose change made it necessary; None is everything."""
    born: str | None = field(converter=to_optional_name, default=None)
    """What tells its process from others that have the same number at other times."""
    over: bool = field(converter=to_bool, default=False)
    """Whether the run itself said that it ended without rebuilding all of it."""

    @property
    def is_alive(self) -> bool | None:
        """Whether the run is still going on; None where that cannot be told from here."""
        if self.over:
            return False
        if self.host != socket.gethostname() or self.pid is None:
            return None
        if self.pid == os.getpid():
            return self.run in _RUNNING
        born = _born(self.pid)
        if born is not None and self.born is not None:
            return born == self.born
        return None if sys.platform == "win32" else _exists(self.pid)  # asking there kills


def new_mark(source: str, changed: Sequence[Box] | None) -> Mark:
    """Return the mark of a run of this process."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    boxes = None if changed is None else tuple(changed)
    return Mark(uuid.uuid4().hex, socket.gethostname(), os.getpid(), now, source, boxes, _born(os.getpid()))


@contextmanager
def marked(arrays: Sequence[zarr.Array[Any]], mark: Mark, *, stays: bool = False) -> Iterator[None]:
    """Put a mark at arrays while they are rebuilt; it stays if that is cut off, or is left to another run (`stays`)."""
    _RUNNING.add(mark.run)
    try:
        try:
            _put(arrays, mark)
        except BaseException:
            with suppress(Exception):  # nothing has been changed yet
                remove_marks(arrays, [mark])
            raise
        try:
            yield
            if stays:
                _put(arrays, evolve(mark, over=True))
            else:
                remove_marks(arrays, [mark])
        except BaseException:
            with suppress(Exception):  # so that other processes need not wait for the end of this one
                _put(arrays, evolve(mark, over=True))
            raise
    finally:
        _RUNNING.discard(mark.run)


def _put(arrays: Iterable[zarr.Array[Any]], mark: Mark) -> None:
    text = {name: getattr(mark, name) for name in _SAID}
    content = default_buffer_prototype().buffer.from_bytes(json.dumps(text).encode())
    for array in arrays:
        with _failing_to("mark", array):
            for left in range(_TRIES, 0, -1):
                try:
                    sync(_place(array, mark.run).set(content))
                    break
                except FileNotFoundError:  # another run has just removed the folder
                    if left == 1:
                        raise


def remove_marks(arrays: Iterable[zarr.Array[Any]], marks: Sequence[Mark]) -> None:
    """Remove the marks of runs whose work is done."""
    for array in arrays if marks else ():
        with _failing_to("unmark", array):
            for mark in marks:
                with suppress(FileNotFoundError):
                    sync(_place(array, mark.run).delete())
        directory = directory_of(array.store_path / FOLDER)
        if directory is not None:
            with suppress(OSError):  # others may have marks there, or have removed it
                directory.rmdir()


def marks_of(arrays: Sequence[zarr.Array[Any]]) -> list[tuple[Mark, ...]]:
    """Return the marks that stand at each of some arrays.

    Raises:
        NgioStorageError: If the store does not say.
    """

    async def read() -> list[tuple[Mark, ...]]:
        return await asyncio.gather(*map(_marks, arrays))

    return sync(read())


def seen_marks(arrays: Sequence[zarr.Array[Any]]) -> list[tuple[Mark, ...]]:
    """Return the marks at arrays that are only read: where a store does not say, for one may not list it, none."""
    places = [directory_of(array.store_path / FOLDER) for array in arrays]
    if all(place is not None and not place.exists() for place in places):  # the rule, and quickly seen
        return [()] * len(arrays)
    try:
        return marks_of(arrays)
    except NgioStorageError:
        return [()] * len(arrays)


def warn_if_rebuilding(arrays: Sequence[zarr.Array[Any]]) -> None:
    """Warn of arrays that are being rebuilt, or whose rebuilding was cut off."""
    found = {str(array.store_path): marks for array, marks in zip(arrays, seen_marks(arrays), strict=True) if marks}
    if found:
        first = next(iter(found.values()))[0]
        warn(
            f"{', '.join(found)} {'is' if len(found) == 1 else 'are'} being rebuilt, or the run that did so was cut "
            f"off (host {first.host}, process {first.pid}, since {first.started}) or left it to another: pixels may be "
            "out of date. consolidate_ome_zarr finishes the work"
        )


def _place(array: zarr.Array[Any], run: str) -> StorePath:
    place: StorePath = array.store_path / FOLDER / f"{run}.json"
    return place


@contextmanager
def _failing_to(action: str, array: zarr.Array[Any]) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise NgioStorageError(action, str(array.store_path), (), reason) from error


async def _marks(array: zarr.Array[Any]) -> tuple[Mark, ...]:
    folder = array.store_path / FOLDER
    if not folder.store.supports_listing:
        return ()
    with _failing_to("read the marks of", array):
        # Stores differ in what they put in front of names.
        names = sorted({key.rsplit("/", 1)[-1] async for key in folder.store.list_prefix(f"{folder.path}/")})
        names = [name for name in names if name.endswith(".json")]
        texts = await asyncio.gather(*((folder / name).get() for name in names))
    pairs = zip(names, texts, strict=True)
    return tuple(_parsed(name.removesuffix(".json"), text.to_bytes()) for name, text in pairs if text is not None)


def _parsed(run: str, text: bytes) -> Mark:
    """Return what a mark says; one that makes no sense is of an unknown run that rebuilt everything."""
    try:
        document = json.loads(text)
        return Mark(run, *(document[name] for name in _SAID))
    except (ValueError, KeyError, TypeError, RecursionError):
        return Mark(run, None, None, None, None, None)


def _exists(pid: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # it is somebody else's
        return True
    return True


def _born(pid: int) -> str | None:
    """Return what tells a process from others that have its number at other times, as far as Linux says it."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        facts = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except (OSError, OverflowError):
        return None
    state, start = facts[0], facts[19]  # of a process that has ended, until its parent asks for it, there is a zombie
    return "ended" if state in "ZX" else f"{boot}, {start}"
