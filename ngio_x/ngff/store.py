"""Places to read from and write to, and how a new image appears at one all at once."""

from __future__ import annotations

import shutil
import threading
import time
import uuid
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias
from urllib.request import url2pathname

import zarr
from zarr.abc.store import Store
from zarr.core.sync import sync
from zarr.errors import ContainsArrayError, ZarrUserWarning
from zarr.storage import FsspecStore, LocalStore, StorePath, ZipStore

from ngio_x._frozen import named, to_bool
from ngio_x.errors import (
    NgioFileExistsError,
    NgioFileNotFoundError,
    NgioTypeError,
    NgioValidationError,
    NgioValueError,
    warn,
)
from ngio_x.pyramid.places import name_of, overlap

StoreLike: TypeAlias = str | Path | Store | zarr.Group
"""A local path, a URL, a zarr store, or an open group."""

_FILE: Final = "file://"

_ZARR_MARKS = ("zarr.json", ".zgroup", ".zattrs", ".zarray")


def open_group(
    store: StoreLike,
    mode: Literal["r", "r+"] = "r",
    storage_options: Mapping[str, Any] | None = None,
    *,
    argument: str = "store",
) -> zarr.Group:
    """Open the existing group that is the argument of that name.

    What the file system of a URL needs to know goes into `storage_options`.

    Raises:
        NgioFileNotFoundError: If there is none.
        NgioValidationError: If what zarr says of it cannot be read.
        NgioTypeError: If `store` is no place that zarr knows.
        NgioValueError: If there is no such kind of URL, or `storage_options` are not for it.
    """
    if storage_options is not None and not _is_url(store):
        raise NgioValueError(
            f"storage_options are for URLs, such as 's3://bucket/image.zarr', not for {store}: leave them out"
        )
    if isinstance(store, zarr.Group):
        return store
    _require_store_like(store, argument)
    place = _existing(store, mode, storage_options, argument)
    # zarr would look for documents of format 2, too: three more reads.
    known: Literal[3] | None = 3 if isinstance(place, Path) and (place / "zarr.json").exists() else None
    try:
        return zarr.open_group(place, mode=mode, zarr_format=known, use_consolidated=False)
    except (FileNotFoundError, ContainsArrayError):
        raise NgioFileNotFoundError(f"there is no zarr group at {store}{_instead(place)}") from None
    except ZARR_FAULTS as error:
        raise unreadable(str(store), error) from error


def _require_store_like(value: Any, argument: str) -> None:
    if not isinstance(value, (str, Path, Store, zarr.Group)):
        raise NgioTypeError(
            f"{argument} must be a path, a URL, a zarr store or a zarr group, got {type(value).__name__}"
        )


def _instead(place: Path | Store) -> str:
    """Return what there is in place of a group, if that is known."""
    try:
        zarr.open_array(place, mode="r")
    except (FileNotFoundError, *ZARR_FAULTS):
        return ": give the path of one"
    return ", but an array: open the group that it is a level of"


def _existing(
    store: Any, mode: Literal["r", "r+"], storage_options: Mapping[str, Any] | None, argument: str
) -> Path | Store:
    """Return the directory or the store that is to be opened."""
    if isinstance(store, Store):
        return store
    if _is_url(store):
        return _store_at(str(store), storage_options, read_only=mode == "r")
    path = _local(store)
    if not path.exists():
        raise NgioFileNotFoundError(f"{argument} {store} does not exist: check the path")
    if not path.is_file():
        return path
    if not zipfile.is_zipfile(path):
        raise NgioFileNotFoundError(
            f"there is no zarr group at {store}: it is a file, and no zip archive; "
            "ngio-x convert makes an image of a TIFF"
        )
    if mode != "r":
        raise NgioValueError(f"{store} is a zip file, in which nothing can be replaced: unpack it")
    return ZipStore(path, mode="r")


def _store_at(url: str, storage_options: Mapping[str, Any] | None, *, read_only: bool) -> FsspecStore:
    try:
        return FsspecStore.from_url(url, storage_options=dict(storage_options or {}), read_only=read_only)
    except (ValueError, TypeError) as error:
        raise NgioValueError(f"{url} cannot be opened: {error}") from error  # options may hold secrets


ZARR_FAULTS = (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError)
"""What zarr raises where its own metadata are truncated, or say what they may not."""


def unreadable(place: str, error: BaseException) -> NgioValidationError:
    """Return the error for zarr metadata that cannot be read."""
    return NgioValidationError(f"the zarr metadata of {place} cannot be read: {type(error).__name__}: {error}")


@contextmanager
def new_group(
    store: StoreLike | StorePath, zarr_format: Literal[2, 3], *, overwrite: bool, lazy: bool = False
) -> Iterator[zarr.Group]:
    """Open a new group to fill. At a local path it appears only when the `with` block ends well; elsewhere it is
    removed when the block fails.

    Args:
        store: Where to; a group that is given must be empty, or is emptied with `overwrite`.
        zarr_format: Of the new group.
        overwrite: Replace a zarr hierarchy that is there.
        lazy: What is going to be written may be computed from what is there: that must not vanish before.

    Raises:
        NgioFileExistsError: If something is there and `overwrite` is False, or it is not a zarr hierarchy, which is
            never replaced.
        NgioValueError: If the store is read-only, or a group has another zarr format.
    """  # noqa: D205 — one sentence
    overwrite = named("overwrite", to_bool)(overwrite)
    place = _place(store)
    if isinstance(store, zarr.Group):
        overwrite = _require_empty(store, zarr_format, overwrite=overwrite)
    if isinstance(place, Path):
        with _staged(place, overwrite=overwrite) as staging:
            filled = zarr.open_group(staging, mode="w-", zarr_format=zarr_format)
            yield filled
    else:
        with _cleared(place, store, zarr_format, overwrite=overwrite, lazy=lazy) as filled:
            yield filled
    if isinstance(store, zarr.Group):
        store.attrs.put(filled.attrs.asdict())  # the caller's group remembers its attributes


def _place(store: Any, argument: str = "store") -> Path | StorePath:
    """Return the local directory, or the path in another kind of store, to write to."""
    if not isinstance(store, StorePath):
        _require_store_like(store, argument)
    if isinstance(store, (str, Path)):
        if Path(store).suffix == ".zip":
            raise NgioValueError(f"{store} would be a directory: write one that is called otherwise, and zip that")
        return StorePath(_store_at(str(store), None, read_only=False)) if _is_url(store) else _local(store)
    if isinstance(store, zarr.Group):
        store = store.store_path
    elif isinstance(store, Store):
        store = StorePath(store)
    if store.read_only:
        raise NgioValueError(f"{store} is read-only: open it for writing")
    if not (store.store.supports_writes and store.store.supports_deletes):
        raise NgioValueError(
            f"nothing can be replaced in a {type(store.store).__name__}: write a directory, and zip or copy that"
        )
    place: StorePath = store
    return place.store.root / place.path if isinstance(place.store, LocalStore) else place


def require_apart(source: zarr.Group, target: Any) -> None:
    """Refuse a place to write to that is the group that is read, inside it, or around it.

    Raises:
        NgioValueError: If it is, or is read-only.
        NgioTypeError: If it is no place that zarr knows.
    """
    place = _place(target, "target")
    there = StorePath(LocalStore(place)) if isinstance(place, Path) else place
    if overlap(source.store_path, there):
        raise NgioValueError(f"{name_of(there)} is, or overlaps, the source {name_of(source.store_path)}: write apart")


def _is_url(store: Any) -> bool:
    """Return whether something is the URL of another place than a local path."""
    return isinstance(store, str) and "://" in store and not store.startswith(_FILE)


def _local(store: str | Path) -> Path:
    """Return a local path, which may begin with `~`, or be given as a URL."""
    if isinstance(store, str) and store.startswith(_FILE):
        return Path(url2pathname(store.removeprefix(_FILE)))
    return Path(store).expanduser()


def _require_empty(group: zarr.Group, zarr_format: int, *, overwrite: bool) -> bool:
    """Raise unless a group may be filled; return True, for it is there and to be replaced."""
    if group.metadata.zarr_format != zarr_format:
        raise NgioValueError(
            f"the group has zarr format {group.metadata.zarr_format}, but this version of OME-NGFF needs {zarr_format}"
        )
    taken = [*group.keys(), *group.attrs]
    if taken and not overwrite:
        raise NgioFileExistsError(f"{group.store_path} holds {taken}: pass overwrite=True to replace it")
    return True


@contextmanager
def _cleared(
    place: StorePath, store: Any, zarr_format: Literal[2, 3], *, overwrite: bool, lazy: bool
) -> Iterator[zarr.Group]:
    """Yield a new group in a store without directories to rename; on an error it is emptied again."""
    taken = len(store) if isinstance(store, zarr.Group) else not sync(place.is_empty())
    if taken and not overwrite:
        raise NgioFileExistsError(f"{place} holds data already: pass overwrite=True to replace it")
    if taken and lazy:
        raise NgioFileExistsError(
            f"{place} would be emptied before the lazy image, which may be read from it: compute() the image first, "
            "or write it to another place"
        )
    try:
        yield zarr.open_group(place, mode="w", zarr_format=zarr_format)
    except BaseException:
        _discard(lambda: sync(place.delete_dir()), lambda: sync(place.is_empty()))
        if isinstance(store, zarr.Group):
            zarr.open_group(place, mode="w", zarr_format=zarr_format)
        raise


@contextmanager
def _staged(path: Path, *, overwrite: bool) -> Iterator[Path]:
    """Yield a hidden directory beside `path`, which takes its place at the end, or vanishes on an error."""
    path = path.absolute()
    _require_replaceable(path, overwrite=overwrite)
    path.parent.mkdir(parents=True, exist_ok=True)
    mark = uuid.uuid4().hex[:8]
    staging, old = (path.with_name(f".{path.name}.{kind}-{mark}") for kind in ("new", "old"))
    try:
        yield staging
        _require_replaceable(path, overwrite=overwrite)
        if path.exists():
            path.rename(old)
        try:
            staging.rename(path)
        except BaseException:
            if old.exists():
                old.rename(path)
            raise
    except BaseException:
        _discard(lambda: shutil.rmtree(staging, ignore_errors=True), lambda: not staging.exists())
        raise
    shutil.rmtree(old, ignore_errors=True)


def _discard(remove: Callable[[], object], is_gone: Callable[[], bool]) -> None:
    """Remove something for good: threads that an error or an interrupt has cut off may still be writing into it."""
    quiet = 3 if is_gone() else 0
    for _ in range(100):
        if quiet == 3:  # tenths of a second in which nothing came back
            return
        remove()
        time.sleep(0.1)
        quiet = quiet + 1 if is_gone() else 0


def _require_replaceable(path: Path, *, overwrite: bool) -> None:
    if not path.exists() and not path.is_symlink():
        return
    if not overwrite:
        raise NgioFileExistsError(f"{path} exists: to replace it, pass overwrite=True (--overwrite)")
    if not path.is_dir() or not (any((path / mark).exists() for mark in _ZARR_MARKS) or not any(path.iterdir())):
        raise NgioFileExistsError(f"{path} is no zarr directory, and is not replaced: remove it yourself first")


def renew_consolidated(group: zarr.Group) -> None:
    """Renew the consolidated metadata of a group that has them: readers that trust them would not see what is new."""
    place = group.store_path
    try:
        zarr.open_group(place, mode="r", use_consolidated=True)
    except ValueError:  # there are none
        return
    except ZARR_FAULTS:  # there are, and they cannot be read
        pass
    try:
        consolidate(place)
    except (*ZARR_FAULTS, OSError) as error:
        warn(
            f"what was to be written is in place, but the consolidated metadata of {place} could not be renewed "
            f"({type(error).__name__}: {error}): mend what cannot be read, then call zarr.consolidate_metadata"
        )


def consolidate(place: StorePath) -> None:
    """Give a group the metadata of all that is below it."""
    with _FILTERING, warnings.catch_warnings():
        warnings.simplefilter("ignore", ZarrUserWarning)  # they are no part of zarr format 3: its writers know that
        zarr.consolidate_metadata(place.store, path=place.path)


_FILTERING: Final = threading.Lock()
"""Held while the filters of warnings, which threads share, are others."""
