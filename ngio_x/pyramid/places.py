"""Where arrays are, whichever of the stores that lead there they were opened through."""

from __future__ import annotations

import copy
from collections.abc import Hashable
from pathlib import Path, PurePath, PurePosixPath
from typing import Any

import zarr
from zarr.abc.store import Store
from zarr.storage import FsspecStore, LocalStore, MemoryStore, ObjectStore, StorePath, ZipStore

from ngio_x.errors import NgioValueError


def unwrapped(store: Store) -> Store:
    """Return the store that wrappers lead to."""
    while isinstance(inner := getattr(store, "_store", None), Store):
        store = inner
    return store


def directory_of(place: StorePath) -> Path | None:
    """Return the local directory that a place in a store is, if it is one."""
    store = unwrapped(place.store)
    if isinstance(store, LocalStore):
        return store.root / place.path
    if isinstance(store, FsspecStore):
        system, path = _file_system(store)
        return Path(path) / place.path if {"file", "local"} & _protocols(system) else None
    if isinstance(store, ObjectStore) and type(store.store).__name__ == "LocalStore":
        return Path(store.store.prefix or "/") / place.path
    return None


def require_replaceable(place: StorePath, what: str, instead: str) -> None:
    """Refuse a place where nothing can be replaced.

    Args:
        place: Where.
        what: What must be open for writing, for the message.
        instead: What to do where the store cannot do it.

    Raises:
        NgioValueError: If it is read-only, or its store cannot write, delete and list.
    """
    if place.read_only:
        raise NgioValueError(f"{place} is read-only: open {what} for writing")
    if not (place.store.supports_writes and place.store.supports_deletes and place.store.supports_listing):
        raise NgioValueError(f"{place} is in a {type(place.store).__name__}, where nothing can be replaced: {instead}")


def name_of(place: StorePath) -> str:
    """Return the URL of a place: that of a local directory, however it is reached."""
    directory = directory_of(place)
    return str(place) if directory is None else f"file://{directory.resolve().as_posix()}"


def moved(array: zarr.Array[Any], store: Store) -> zarr.Array[Any]:
    """Return the same array, but in another store."""
    inner = copy.copy(array._async_array)  # noqa: SLF001 — the names of its other fields differ between versions
    object.__setattr__(inner, "store_path", StorePath(store, array.store_path.path))
    return zarr.Array(inner)


def anchored(array: zarr.Array[Any]) -> zarr.Array[Any]:
    """Return an array of a local store with its absolute path: other processes may stand elsewhere."""
    store = array.store_path.store
    if not isinstance(store, LocalStore) or store.root.is_absolute():
        return array
    return moved(array, LocalStore(store.root.absolute(), read_only=store.read_only))


def identity_of(place: StorePath) -> Hashable:
    """Return what is equal for two places if they are known to be one."""
    store = unwrapped(place.store)
    if (directory := directory_of(place)) is not None:
        return str(directory.resolve())
    if isinstance(store, MemoryStore):
        return id(store._store_dict), place.path  # noqa: SLF001 — views of one dictionary share nothing else
    if isinstance(store, FsspecStore):
        system, path = _file_system(store)
        whole = str(PurePosixPath("/", path.strip("/"), place.path))
        return "memory" if _is_memory(system) else system, whole
    if isinstance(store, ZipStore):
        return str(store.path.resolve()), place.path
    return str(store), place.path


def overlap(one: StorePath, other: StorePath) -> bool:
    """Return whether two places are known to be one, or one of them to be inside the other."""
    (where, path), (other_where, other_path) = map(_in_parts, (identity_of(one), identity_of(other)))
    return where == other_where and (path.is_relative_to(other_path) or other_path.is_relative_to(path))


def _in_parts(identity: Hashable) -> tuple[Hashable, PurePath]:
    """Return which store a place is in, None for local directories, and its path there."""
    store, path = identity if isinstance(identity, tuple) else (None, identity)
    return store, PurePath("/", str(path))


def is_in_memory(store: Store) -> bool:
    """Whether what a store holds is known to be in the memory of this process alone."""
    store = unwrapped(store)
    if isinstance(store, FsspecStore):
        return _is_memory(_file_system(store)[0])
    in_memory = isinstance(store, ObjectStore) and type(store.store).__name__ == "MemoryStore"
    return in_memory or isinstance(store, MemoryStore)


def _file_system(store: FsspecStore) -> tuple[Any, str]:
    """Return the file system that wrappers of it lead to, and the root of the store in it."""
    system, path = getattr(store.fs, "sync_fs", store.fs), store.path
    while "dir" in _protocols(system):
        path = f"{system.path or ''}/{path}"
        system = getattr(system.fs, "sync_fs", system.fs)
    return system, path


def _is_memory(system: Any) -> bool:
    return "memory" in _protocols(system)


def _protocols(system: Any) -> set[str]:
    names = getattr(system, "protocol", ())
    return {names} if isinstance(names, str) else set(names)
