"""From one version of OME-NGFF to another: documents are put into its words, and chunks stay the bytes they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

import zarr
from zarr.core.sync import sync

from ngio_x._frozen import named, one_of
from ngio_x.errors import NgioValueError
from ngio_x.ngff.attributes import ZARR_FORMATS, Version, examined, in_version, write_attributes
from ngio_x.ngff.documents import Multiscales
from ngio_x.ngff.hierarchy import Hierarchy, read_hierarchy, read_image
from ngio_x.ngff.nodes import Node, nodes_of
from ngio_x.ngff.store import StoreLike, consolidate, new_group, open_group, require_apart
from ngio_x.pyramid.formats import create_twin, twin_of
from ngio_x.pyramid.marker import marks_of
from ngio_x.pyramid.places import name_of
from ngio_x.pyramid.progress import Progress
from ngio_x.pyramid.transfer import Transfer, transfer


def upgrade_ome_zarr(
    source: StoreLike,
    target: StoreLike,
    *,
    version: Version = "0.5",
    overwrite: bool = False,
    progress: Progress = False,
    storage_options: Mapping[str, Any] | None = None,
) -> None:
    """Write an OME-Zarr image, well or plate again in another version of OME-NGFF, with all that lies in it.

    Chunks are copied as the bytes they are where both versions store them in the same way: arrays in C order without
    filters, compressed by Blosc, Zstandard, gzip, or not at all; those within shards, too. Others are decoded and
    encoded, one after the other. What else there is goes along: label images, tables, groups, arrays and files of
    others, and every key that ngio_x does not know; but nothing whose name begins with a dot. At a local path the
    target appears only when it is complete; elsewhere its metadata is written last. The source is not changed.

    Args:
        source: An image, a well or a plate of versions 0.1 to 0.5: a path, a URL, a zarr store, or an open group.
        target: Where to: a path, a URL, a zarr store, or an empty zarr group.
        version: OME-NGFF `"0.5"` (zarr format 3) or `"0.4"` (zarr format 2, which has no shards).
        overwrite: Replace a zarr hierarchy that is there already.
        progress: True shows a bar on standard error; a function is called with `(done, total)` chunks, or shards.
        storage_options: Of a URL of the source: what its file system needs to know, as in `fsspec`.

    Raises:
        NgioFileExistsError: If something is there and `overwrite` is False, or it is not a zarr hierarchy.
        NgioFileNotFoundError: If there is no source.
        NgioValidationError: If the source is no OME-NGFF image, well or plate that can be opened.
        NgioValueError: If it is of that version already, or of 0.6; if it is the label image of an image; if levels of
            it are out of date; if target and source overlap; or if an argument makes no sense.
        NgioStorageError: If a chunk cannot be read, or is known to be cut off, or cannot be written.
    """
    named("version", one_of(*ZARR_FORMATS))(version)
    group = open_group(source, storage_options=storage_options, argument="source")
    hierarchy = read_hierarchy(group)
    _require_another(group, hierarchy, version)
    require_apart(group, target)
    _require_up_to_date(hierarchy)
    nodes = sync(nodes_of(group))
    names = _dimension_names(group, hierarchy, nodes)
    with new_group(target, ZARR_FORMATS[version], overwrite=overwrite) as root:
        attributes = {node.path: _attributes(node, version) for node in nodes if isinstance(node.item, zarr.Group)}
        transfers = list(_created(root, group, nodes, attributes, names))
        transfer(transfers, progress)
        root.attrs.put(attributes[""])
        for node in reversed(nodes):
            if node.is_consolidated:
                consolidate(root.store_path / node.path if node.path else root.store_path)
    if isinstance(target, zarr.Group) and nodes[0].is_consolidated:
        consolidate(target.store_path)  # again: its document has been written with its attributes since


def _require_another(group: zarr.Group, hierarchy: Hierarchy, version: Version) -> None:
    """Refuse what is of a version already, or cannot become it."""
    where, first = name_of(group.store_path), next(iter(hierarchy.pictures), None)
    found = hierarchy.described[""].version if "" in hierarchy.described else first.version if first else ""
    if found == version:
        raise NgioValueError(f"{where} is of OME-NGFF {version} already: copy it as it is")
    if found > max(ZARR_FORMATS):
        raise NgioValueError(
            f"{where} is of OME-NGFF {found}, which says what {version} has no words for: write what of it matters "
            "with write_ome_zarr"
        )
    if first is not None and not first.node and first.parent is not first.image:
        raise NgioValueError(f"{where} is a label image, whose place is relative to its image: upgrade that as a whole")


def _require_up_to_date(hierarchy: Hierarchy) -> None:
    """Refuse levels that are being rebuilt, or are to be: what says so would be lost."""
    arrays = [array for picture in hierarchy.pictures for array in picture.arrays]
    if stale := [array for array, marks in zip(arrays, marks_of(arrays), strict=True) if marks]:
        raise NgioValueError(
            f"{name_of(stale[0].store_path)} is out of date, or being rebuilt: consolidate_ome_zarr finishes that"
        )


def _dimension_names(group: zarr.Group, hierarchy: Hierarchy, nodes: Iterable[Node]) -> dict[str, tuple[str, ...]]:
    """Return the names of the axes of the arrays of images, by path.

    Raises:
        NgioValueError: If the store has not told that they are there.
    """
    names = {
        "/".join(filter(None, (picture.node, dataset.path))): picture.image.axes_handler.axes_names
        for picture in hierarchy.pictures
        for dataset in picture.image.datasets
    }
    if missing := names.keys() - {node.path for node in nodes}:
        raise NgioValueError(
            f"{name_of(group.store_path)} cannot be upgraded: its store does not list {min(missing)!r}; copy it first"
        )
    return names


def _attributes(node: Node, version: Version) -> dict[str, Any]:
    """Return the attributes of a group in the words of a version."""
    group: zarr.Group = node.item  # type: ignore[assignment]
    said, where = group.attrs.asdict(), name_of(group.store_path)
    found = examined(said, where)
    if found.kind is Multiscales and found.version is not None and found.version < min(ZARR_FORMATS):
        return write_attributes(read_image(group).image, version)  # pixel sizes are those of the arrays
    return in_version(said, PurePosixPath(node.path).name, version, where)


def _created(
    root: zarr.Group,
    source: zarr.Group,
    nodes: Iterable[Node],
    attributes: Mapping[str, dict[str, Any]],
    names: Mapping[str, tuple[str, ...]],
) -> Iterator[Transfer]:
    """Create all but the pixels; return from where to where these are to be moved."""
    for path, item, _ in nodes:
        if isinstance(item, zarr.Array):
            twin = twin_of(item, root.metadata.zarr_format, names.get(path))
            yield Transfer(item, create_twin(root, path, item, twin), twin.way)
        elif item is None:
            content = sync((source.store_path / path).get())
            if content is not None:
                sync((root.store_path / path).set(content))
        elif path:
            root.create_group(path, attributes=attributes[path])
