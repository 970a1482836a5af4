"""Arrays that come into being in a group all at once, or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Final, Literal

import zarr
from zarr.core.buffer import Buffer, default_buffer_prototype
from zarr.core.sync import sync
from zarr.storage import LocalStore, MemoryStore, StorePath

from ngio_x._frozen import shown
from ngio_x.errors import NgioFileExistsError, NgioValueError, warn
from ngio_x.pyramid.places import require_replaceable
from ngio_x.pyramid.swap import is_unfinished, recover, swap_in

_DOCUMENTS: Final = ("zarr.json", ".zarray", ".zgroup", ".zattrs")


def drafted(zarr_format: Literal[2, 3], arrays: Mapping[str, Mapping[str, Any]]) -> dict[str, bytes]:
    """Return the metadata documents that zarr writes for arrays in a group, by path: a dry run, in memory.

    Args:
        zarr_format: Of the group.
        arrays: Arguments of `zarr.Group.create_array` by path.

    Raises:
        NgioValueError: If zarr refuses an argument, with what it says.
    """
    documents: dict[str, Buffer] = {}
    group = zarr.create_group(MemoryStore(documents), zarr_format=zarr_format)
    for path, arguments in arrays.items():
        try:
            array = group.create_array(path, **arguments)
        except Exception as error:
            raise NgioValueError(
                f"zarr cannot create level '{path}', it says {type(error).__name__}: {error}; "
                f"correct one of {_told(arguments)}"
            ) from error
        given = arguments.get("fill_value")
        if given is not None and array.dtype.kind in "iub" and array.fill_value != given:
            raise NgioValueError(f"level '{path}' of {array.dtype} cannot hold fill_value={given!r}")
    return {path: document.to_bytes() for path, document in documents.items() if "/" in path}


def _told(arguments: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}={shown(value)}" for key, value in arguments.items() if value is not None)


def create_in(group: zarr.Group, paths: Sequence[str], documents: Mapping[str, bytes], *, overwrite: bool) -> None:
    """Put drafted arrays into a group, in place of what stands at their paths; the group's own document is left alone.

    In a local directory all levels appear at once; elsewhere metadata is written last.

    Raises:
        NgioFileExistsError: If something stands at a path and `overwrite` is False.
        NgioValueError: If the store cannot be written to, or a path leads through an array.
    """
    place = group.store_path
    require_replaceable(place, "it", "create the pyramid in a directory, and copy it")
    root = _directory(place)
    if root is not None:
        recover(root)
    missing = _missing_parents(place, paths, documents)
    if not overwrite and (taken := [path for path in paths if _is_taken(place / path)]):
        raise NgioFileExistsError(f"{taken} exist in {place}: pass overwrite=True to replace them")
    new = {path: text for path, text in documents.items() if path in missing or _within(path, paths)}
    if root is not None:
        swap_in(root, new, paths)
    else:
        _replace(place, new, paths)
    if group.metadata.consolidated_metadata is not None:
        warn(
            f"the consolidated metadata of {place} does not describe the new levels: consolidate again, or open the "
            "group with use_consolidated=False"
        )


def warn_if_unfinished(place: StorePath) -> None:
    """Warn if arrays were being put into a local group when the writing process was cut off."""
    root = _directory(place)
    if root is not None and is_unfinished(root):
        warn(
            f"levels of {place} were being replaced when the writing process was cut off, or are being "
            "replaced now: some may be missing or empty. The next ImagePyramidBuilder.to_zarr into this group "
            "finishes or undoes that"
        )


def _directory(place: StorePath) -> Path | None:
    """Return the directory of a group in a local store; in other stores nothing can be renamed."""
    return place.store.root / place.path if isinstance(place.store, LocalStore) else None


def _missing_parents(place: StorePath, paths: Sequence[str], documents: Mapping[str, bytes]) -> set[str]:
    """Return the paths of the documents of those groups on the way to the arrays that are not there yet."""
    missing: set[str] = set()
    for parent in {str(folder) for path in paths for folder in PurePosixPath(path).parents} - {"."}:
        kind = _kind_of(place / parent)
        if kind == "array" or sync((place / parent).exists()):
            raise NgioValueError(f"levels cannot stand inside '{parent}', which is an array or a file in {place}")
        if kind is None:
            own = {f"{parent}/{name}" for name in _DOCUMENTS} & set(documents)
            missing |= {path for path in own if not sync((place / path).exists())}
    return missing


def _kind_of(place: StorePath) -> Literal["array", "group"] | None:
    """Return what the documents at a place say that it is, in either zarr format."""
    if sync((place / ".zarray").exists()):
        return "array"
    document = sync((place / "zarr.json").get(default_buffer_prototype()))
    if document is not None:
        return "array" if json.loads(document.to_bytes()).get("node_type") == "array" else "group"
    return "group" if sync((place / ".zgroup").exists()) else None


def _is_taken(place: StorePath) -> bool:
    """Whether anything stands at a place: also chunks without metadata, and links that lead nowhere."""
    root = _directory(place)
    if (root is not None and root.is_symlink()) or _kind_of(place) is not None:
        return True
    return sync(place.exists()) or not sync(place.is_empty())


def _within(path: str, folders: Sequence[str]) -> bool:
    return any(path.startswith(f"{folder}/") for folder in folders)


def _replace(place: StorePath, documents: Mapping[str, bytes], paths: Sequence[str]) -> None:
    """Replace arrays where nothing can be renamed: no old chunk ever stands beside new metadata."""
    for path in paths:
        sync(_clear(place / path))
    for path, text in documents.items():
        sync((place / path).set(default_buffer_prototype().buffer.from_bytes(text)))


async def _clear(place: StorePath) -> None:
    """Delete all that stands at a place, metadata first."""
    keys = [key async for key in place.store.list_prefix(f"{place.path}/")]
    for key in keys:
        if PurePosixPath(key).name in _DOCUMENTS:
            await place.store.delete(key)
    await place.delete_dir()
    if await place.exists():
        await place.delete()
