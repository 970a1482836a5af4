"""Places to read from and write to, and how a new image appears at one all at once."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypeAlias

import zarr
from zarr.abc.store import Store

from ngio_x.errors import NgioFileExistsError, NgioFileNotFoundError, NgioTypeError

StoreLike: TypeAlias = str | Path | Store | zarr.Group
"""A local path, a URL, a zarr store, or an open group."""

_ZARR_MARKS = ("zarr.json", ".zgroup", ".zattrs", ".zarray")


def open_group(store: StoreLike, mode: Literal["r", "r+"] = "r") -> zarr.Group:
    """Open an existing group.

    Raises:
        NgioFileNotFoundError: If there is none.
        NgioTypeError: If `store` is no place that zarr knows.
    """
    if isinstance(store, zarr.Group):
        return store
    if not isinstance(store, (str, Path, Store)):
        raise NgioTypeError(f"expected a path, a URL, a zarr store or a zarr group, got {type(store).__name__}")
    if (path := _local_path(store)) is not None and not path.exists():
        raise NgioFileNotFoundError(f"{path} does not exist")
    try:
        return zarr.open_group(store, mode=mode)
    except FileNotFoundError:
        raise NgioFileNotFoundError(f"there is no zarr group at {store}") from None


@contextmanager
def new_group(store: StoreLike, zarr_format: Literal[2, 3], *, overwrite: bool) -> Iterator[zarr.Group]:
    """Open a new group to fill; at a local path it appears only when the `with` block ends well.

    Raises:
        NgioFileExistsError: If something is there and `overwrite` is False, or it is no zarr hierarchy, which is never
            replaced.
    """
    path = None if isinstance(store, zarr.Group) else _local_path(store)
    if path is not None:
        with _staged(path, overwrite=overwrite) as staging:
            yield zarr.open_group(staging, mode="w-", zarr_format=zarr_format)
        return
    if isinstance(store, zarr.Group):
        yield _emptied(store, zarr_format, overwrite=overwrite)
        return
    try:
        group = zarr.open_group(store, mode="w" if overwrite else "w-", zarr_format=zarr_format)
    except FileExistsError:
        raise NgioFileExistsError(f"{store} holds data already: pass overwrite=True to replace it") from None
    yield group


def _local_path(store: Any) -> Path | None:
    if isinstance(store, Path):
        return store
    return Path(store) if isinstance(store, str) and "://" not in store else None


def _emptied(group: zarr.Group, zarr_format: int, *, overwrite: bool) -> zarr.Group:
    if group.metadata.zarr_format != zarr_format:
        raise NgioTypeError(
            f"the group has zarr format {group.metadata.zarr_format}, but this version of OME-NGFF needs {zarr_format}"
        )
    taken = [*group.keys(), *group.attrs]
    if taken and not overwrite:
        raise NgioFileExistsError(f"{group.store_path} holds {taken}: pass overwrite=True to replace it")
    group.attrs.clear()
    for name in list(group.keys()):
        del group[name]
    return group


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
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)


def _require_replaceable(path: Path, *, overwrite: bool) -> None:
    if not path.exists() and not path.is_symlink():
        return
    if not overwrite:
        raise NgioFileExistsError(f"{path} exists: pass overwrite=True to replace it")
    if not path.is_dir() or not (any((path / mark).exists() for mark in _ZARR_MARKS) or not any(path.iterdir())):
        raise NgioFileExistsError(f"{path} is no zarr directory, and is not replaced: remove it yourself first")
