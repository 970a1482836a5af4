"""Everything that lies below a group of a store: groups, arrays and files, whoever put them there."""

from __future__ import annotations

import asyncio
import itertools
import json
from typing import Any, Final, NamedTuple, TypeAlias

import zarr
from zarr.core.buffer import default_buffer_prototype
from zarr.storage import StorePath

from ngio_x.errors import NgioValidationError, NgioValueError
from ngio_x.ngff.hierarchy import ZarrFormat
from ngio_x.ngff.store import ZARR_FAULTS, unreadable
from ngio_x.pyramid.places import directory_of, name_of
from ngio_x.pyramid.swap import is_unfinished

_DOCUMENTS: Final[dict[int, tuple[str, ...]]] = {2: (".zgroup", ".zarray"), 3: ("zarr.json",)}
"""What makes something a group or an array of a zarr format."""
_AT_ONCE: Final = 32
"""Places that are looked at at the same time."""

Item: TypeAlias = zarr.Group | zarr.Array[Any] | None
"""What lies at a place; None is a file."""


class Node(NamedTuple):
    """Something that lies below a group."""

    path: str
    """Relative to that group: `""` for itself."""
    item: Item
    is_consolidated: bool = False
    """Whether it is a group that holds the metadata of all below it."""


async def nodes_of(group: zarr.Group) -> list[Node]:
    """Return a group and all that lies below it, each before what is inside it; but what is hidden is left out.

    Raises:
        NgioValidationError: If zarr metadata cannot be read, or are of another zarr format.
        NgioValueError: If the store does not tell what it holds, or something was being replaced when a process was cut
            off.
    """
    root = group.store_path
    if not root.store.supports_listing:
        raise NgioValueError(
            f"{name_of(root)} cannot be upgraded: its store does not list what it holds; copy it first"
        )
    walk = _Walk(root, group.metadata.zarr_format)
    found = await walk.node("")
    if len(found) == 1:
        raise NgioValueError(f"{name_of(root)} cannot be upgraded: its store lists nothing there; copy it first")
    return found


class _Walk:
    """Goes through a hierarchy, several places at a time."""

    def __init__(self, root: StorePath, zarr_format: ZarrFormat) -> None:
        self._root, self._format = root, zarr_format
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def node(self, path: str) -> list[Node]:
        """Return what lies at a path, and all below."""
        place = self._root / path if path else self._root
        try:
            async with self._slots:
                item, is_consolidated = await self._item(place)
        except ZARR_FAULTS as error:
            raise unreadable(name_of(place), error) from error
        if isinstance(item, zarr.Array):
            return [Node(path, item)]
        directory = directory_of(place)
        if directory is not None and is_unfinished(directory):
            raise NgioValueError(f"{directory} was being written to when that was cut off, or is: finish that first")
        async with self._slots:
            # Stores differ in what they put around names.
            names = {name.rstrip("/").rpartition("/")[2] async for name in place.store.list_dir(place.path)} - {""}
            own = path.rpartition("/")[2]
            if (
                item is None and names <= {own} and await place.get() is not None
            ):  # some list files as their own content
                return [Node(path, None)]
        seen = [name for name in sorted(names - {*_DOCUMENTS[3]}) if not name.startswith(".")]
        below = await asyncio.gather(*(self.node(f"{path}/{name}".lstrip("/")) for name in seen))
        found = [] if item is None else [Node(path, item, is_consolidated)]
        return [*found, *itertools.chain.from_iterable(below)]

    async def _item(self, place: StorePath) -> tuple[Item, bool]:
        """Return the group or array at a place, and whether it is a group with consolidated metadata."""
        known = _DOCUMENTS[self._format]
        texts = await asyncio.gather(*((place / name).get(default_buffer_prototype()) for name in known))
        if all(text is None for text in texts):
            await self._require_no_other(place)
            return None, False
        *_, last = texts
        document = {} if self._format == 2 or last is None else json.loads(last.to_bytes())
        if (last is not None) if self._format == 2 else document.get("node_type") == "array":
            return zarr.Array(await zarr.AsyncArray.open(place, zarr_format=self._format)), False
        group = await zarr.AsyncGroup.open(place, zarr_format=self._format, use_consolidated=False)
        consolidated = document.get("consolidated_metadata") is not None or await (place / ".zmetadata").exists()
        return zarr.Group(group), consolidated

    async def _require_no_other(self, place: StorePath) -> None:
        others = [name for number, names in _DOCUMENTS.items() if number != self._format for name in names]
        if any(await asyncio.gather(*((place / name).exists() for name in others))):
            raise NgioValidationError(f"{name_of(place)} is not of zarr format {self._format}, as what is above it")
