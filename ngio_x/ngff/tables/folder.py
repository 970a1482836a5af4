"""The group `tables` of an image: what it lists, and how a table takes its place in it as a whole, or not at all."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import zarr
from zarr.core.buffer import default_buffer_prototype
from zarr.core.sync import sync
from zarr.storage import MemoryStore, StorePath

from ngio_x._frozen import named, to_bool
from ngio_x.errors import NgioFileExistsError, NgioFileNotFoundError, NgioValidationError, warn
from ngio_x.ngff.store import ZARR_FAULTS, renew_consolidated, unreadable
from ngio_x.pyramid.places import directory_of, require_replaceable
from ngio_x.pyramid.swap import is_unfinished, recover, swap_in

TABLES: Final = "tables"
"""The group, and the attribute of it that lists tables."""

_REPLACING: Final = threading.Lock()
"""Held while a table takes its place."""


def table_names(image: zarr.Group) -> list[str]:
    """Return the names of the tables that an image lists; warn if one of them was being replaced.

    Raises:
        NgioValidationError: If it is not a list of names.
    """
    place = image.store_path / TABLES
    directory = directory_of(place)
    if directory is not None and is_unfinished(directory):
        warn(
            f"a table of {image.store_path} was being replaced when the writing process was cut off, or is being "
            "replaced now: the next write_rois into this image finishes or undoes that"
        )
    return _listed(_attributes_at(place), place)


def table_at(image: zarr.Group, name: str) -> zarr.Group:
    """Return the group of a table.

    Raises:
        NgioFileNotFoundError: If there is none of that name.
        NgioValidationError: If its zarr metadata cannot be read.
    """
    names, place = table_names(image), image.store_path / TABLES / name
    try:
        return zarr.open_group(place, mode="r", use_consolidated=False)
    except FileNotFoundError:
        if name in names:
            raise NgioFileNotFoundError(
                f"{image.store_path} lists a table {name!r}, of which there is nothing: write it, or correct the list"
            ) from None
        there = f"choose from {', '.join(map(repr, names))}" if names else "nor any other: write one with write_rois"
        raise NgioFileNotFoundError(
            f"the group {image.store_path} has no table of the name {name!r}, {there}"
        ) from None
    except ZARR_FAULTS as error:
        raise unreadable(str(place), error) from error


def put_table(image: zarr.Group, name: str, documents: Mapping[str, bytes], *, overwrite: bool) -> None:
    """Put a table, and its name in the list of them, into an image; of one that is there nothing remains.

    In a local directory both are renamed into place, complete, under a journal; elsewhere the list is written last, and
    an error undoes what was written.

    Args:
        image: The group of the image.
        name: Of the table, one path segment.
        documents: What its group holds, by path.
        overwrite: Replace a table of that name.

    Raises:
        NgioFileExistsError: If there is one and `overwrite` is False, or a file in its way.
        NgioValueError: If the store cannot be written to.
        NgioValidationError: If `tables` is not a list of names.
    """
    place = image.store_path / TABLES
    require_replaceable(place, "the image", "copy the image")
    overwrite = named("overwrite", to_bool)(overwrite)
    with _REPLACING:
        directory = directory_of(place)
        if directory is not None and directory.exists():
            if not directory.is_dir():
                raise NgioFileExistsError(f"{directory} is a file, where the group of tables belongs: move it away")
            recover(directory)
        attributes = _attributes_at(place)
        names = _listed(attributes, place)
        taken = not sync((place / name).is_empty()) if directory is None else (directory / name).exists()
        if taken and not overwrite:
            raise NgioFileExistsError(
                f"{image.store_path} has a table {name!r} already: pass overwrite=True to replace it"
            )
        new = {f"{name}/{path}": content for path, content in documents.items()}
        if attributes is None or name not in names:
            new |= _list_documents(image, {**(attributes or {}), TABLES: [*dict.fromkeys([*names, name])]})
        if directory is None:
            _replace(place, name, new)
        else:
            _swap(directory, name, new)
        renew_consolidated(image)


def _attributes_at(place: StorePath) -> dict[str, Any] | None:
    """Return the attributes of the group, None where there is none."""
    try:
        return zarr.open_group(place, mode="r", use_consolidated=False).attrs.asdict()
    except FileNotFoundError:
        return None
    except ZARR_FAULTS as error:
        raise unreadable(str(place), error) from error


def _listed(attributes: Mapping[str, Any] | None, place: StorePath) -> list[str]:
    names = (attributes or {}).get(TABLES, [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise NgioValidationError(f"{place} must list the names of tables in its attribute {TABLES!r}, got {names!r}")
    return names


def _list_documents(image: zarr.Group, attributes: dict[str, Any]) -> dict[str, bytes]:
    """Return the documents of the group `tables`."""
    documents: dict[str, Any] = {}
    zarr.create_group(MemoryStore(documents), zarr_format=image.metadata.zarr_format, attributes=attributes)
    return {path: content.to_bytes() for path, content in documents.items()}


def _swap(directory: Path, name: str, new: Mapping[str, bytes]) -> None:
    is_first = not directory.exists()
    directory.mkdir(exist_ok=True)
    try:
        swap_in(directory, new, [name])
    except BaseException:
        if is_first:
            with suppress(OSError):
                directory.rmdir()
        raise


def _replace(place: StorePath, name: str, new: Mapping[str, bytes]) -> None:
    """Replace a table where nothing can be renamed."""
    old = sync(_contents(place, name, new))
    try:
        sync(_set(place, new))
        sync(_delete(place, old.keys() - new.keys()))
    except BaseException:
        with suppress(Exception):  # the store may be gone; the first error tells more
            sync(_set(place, old))
            sync(_delete(place, new.keys() - old.keys()))
        raise


async def _contents(place: StorePath, name: str, others: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return all that stands below a name, and at some other paths."""
    root = f"{place.path}/"
    below = [key.removeprefix(root) async for key in place.store.list_prefix(f"{root}{name}/")]
    found = {path: await (place / path).get(default_buffer_prototype()) for path in {*below, *others}}
    return {path: content.to_bytes() for path, content in found.items() if content is not None}


async def _set(place: StorePath, contents: Mapping[str, bytes]) -> None:
    for path, content in contents.items():
        await (place / path).set(default_buffer_prototype().buffer.from_bytes(content))


async def _delete(place: StorePath, paths: Any) -> None:
    for path in paths:
        await (place / path).delete()
