"""Regions in the tables of an OME-Zarr image."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Literal, TypeAlias

import zarr
from zarr.storage import MemoryStore

from ngio_x._frozen import named, one_of, shown, to_name
from ngio_x.errors import NgioValidationError, NgioValueError
from ngio_x.metadata.frame import Frame, to_frame
from ngio_x.ngff.hierarchy import label_paths, read_image
from ngio_x.ngff.problems import to_relative
from ngio_x.ngff.store import StoreLike, open_group
from ngio_x.ngff.tables.backends import BACKENDS, UNNAMED, Columns, TableBackend, backend_called
from ngio_x.ngff.tables.folder import put_table, table_at, table_names
from ngio_x.ngff.tables.roi_rows import LABELS, NAMES, IndexKey, grid_of, rois_of, rows_of
from ngio_x.roi.roi import Roi

TableType: TypeAlias = Literal["roi_table", "masking_roi_table", "generic_table"]
"""What a table is for: places in an image, the objects of a label image, or anything."""

_VERSION: Final = "1"
_TYPES: Final = ("roi_table", "masking_roi_table", "generic_table")
_OLDEST: Final = "anndata_v1"
"""The backend of tables from before there were others."""


def read_rois(store: StoreLike, name: str, *, frame: Frame | None = None) -> list[Roi]:
    """Return the regions of a table of an OME-Zarr image, in the world of the image.

    Any table with the columns of regions can be read, whatever its type. Lengths are converted from micrometers and
    seconds to the units of the image, and begin at the edge of its level 0. Columns that are not known become `extra`;
    a missing value (also NaN) is left out of it.

    Args:
        store: The image: a path, a URL, a zarr store, or its open group.
        name: Name of the table.
        frame: As for `open_ome_zarr`: regions fit the tree that was opened with the same.

    Raises:
        NgioFileNotFoundError: If there is no image, or no such table.
        NgioValidationError: If the table, or the image, cannot be read, or the table holds no regions.
        NgioValueError: If an argument makes no sense, or what the table is stored with is not installed.
    """
    if frame is not None:
        to_frame(frame)
    image = open_group(store)
    table = table_at(image, _table_name(name))
    grid = grid_of(read_image(image, frame))
    attributes = table.attrs.asdict()
    try:
        return rois_of(_columns(table, attributes), grid, _index_key(attributes))
    except NgioValueError as error:
        raise NgioValidationError(f"table {name!r} of {image.store_path}: {error}") from error


def write_rois(
    store: StoreLike,
    name: str,
    rois: Iterable[Roi],
    *,
    table_type: TableType = "roi_table",
    label: str | None = None,
    backend: TableBackend = "csv",
    frame: Frame | None = None,
    overwrite: bool = False,
) -> None:
    """Write regions into a table of an OME-Zarr image, which ngio and Fractal read.

    Lengths are converted to micrometers and seconds, and counted from the edge of level 0. A region without z is
    written with all planes of the image; of an image without z, as the interval from 0 to 1. In a local image the table
    appears, or replaces another, only when it is complete; one process at a time may write tables of an image.

    Args:
        store: The image: a path, a URL, a zarr store, or its open group.
        name: Name of the table, one path segment.
        rois: Regions along t, z, y and x, in world units or in pixels of level 0. Their `extra` become columns, each of
            which holds text, numbers or booleans.
        table_type: `"roi_table"` and `"generic_table"` have a row for each name, `"masking_roi_table"` for each object.
        label: The label image that holds the objects of a masking table.
        backend: `"csv"` or `"json"`, or `"parquet"` or `"anndata_v1"`, which need `ngio-x[tables]`.
        frame: As for `open_ome_zarr`: the one that the image was opened with. By default what the image says.
        overwrite: Replace a table of that name.

    Raises:
        NgioFileExistsError: If there is one of that name and `overwrite` is False.
        NgioFileNotFoundError: If there is no image.
        NgioValidationError: If regions do not fit into a table: open ends, names or labels that are missing or not
            unique, axes and extras without a column. It names every one of these.
        NgioValueError: If an argument makes no sense, or what the backend needs is not installed.
        NgioTypeError: If `rois` holds anything but regions.
    """
    named("table_type", one_of(*_TYPES))(table_type)
    if frame is not None:
        to_frame(frame)
    _table_name(name)
    kept = backend_called(backend)
    image = open_group(store, "r+")
    picture = read_image(image, frame)
    attributes = _attributes(image, table_type, label, kept)
    columns = rows_of(rois, grid_of(picture), attributes["index_key"])
    put_table(image, name, _documents(image, columns, attributes, kept), overwrite=overwrite)


def list_tables(store: StoreLike, *, table_type: str | None = None) -> list[str]:
    """Return the names of the tables of an OME-Zarr image, in the order in which it lists them.

    Args:
        store: The image: a path, a URL, a zarr store, or its open group.
        table_type: Only those of this type, such as `"masking_roi_table"`; by default all.

    Raises:
        NgioFileNotFoundError: If there is no zarr group, or one of the listed tables is gone whose type is asked for.
        NgioValidationError: If their metadata cannot be read.
    """
    image = open_group(store)
    names = table_names(image)
    if table_type is not None:
        table_type = named("table_type", to_name)(table_type)
    return names if table_type is None else [name for name in names if kind_of(image, name)[0] == table_type]


def kind_of(image: zarr.Group, name: str) -> tuple[str, str]:
    """Return type and backend of a table."""
    attributes = table_at(image, name).attrs
    return str(attributes.get("type", "generic_table")), str(attributes.get("backend", _OLDEST))


def _table_name(name: object) -> str:
    if not isinstance(name, str) or name.startswith(".") or "/" in name or "\\" in name or name == "zarr.json":
        raise NgioValueError(f"the name of a table must be one path segment that begins with no dot, got {shown(name)}")
    return named("the name of a table", to_relative)(name)


# ---- Attributes


def _attributes(image: zarr.Group, table_type: TableType, label: str | None, backend: TableBackend) -> dict[str, Any]:
    """Return the attributes of a table, in the order in which ngio writes them."""
    is_masking = table_type == "masking_roi_table"
    key: IndexKey = LABELS if is_masking else NAMES
    attributes: dict[str, Any] = {
        "backend": backend,
        "index_key": key,
        "index_type": "int" if is_masking else "str",
        "table_version": _VERSION,
        "type": table_type,
    }
    if not is_masking:
        if label is not None:
            raise NgioValueError(
                f"label={shown(label)} is for masking tables: pass table_type='masking_roi_table', or leave it out"
            )
        return attributes
    if label is None:
        raise NgioValueError("a masking table needs label=, the name of the label image that holds its objects")
    if label not in (there := label_paths(image)):
        raise NgioValueError(f"{image.store_path} has no label image {shown(label)}, only {there}: write_labels first")
    return {**attributes, "region": {"path": f"../labels/{label}"}, "instance_key": key}


def _index_key(attributes: dict[str, Any]) -> str | None:
    """Return the column of names, or of labels; None if it is not said."""
    defaults = {"roi_table": NAMES, "masking_roi_table": attributes.get("instance_key", LABELS)}
    key = attributes.get("index_key") or defaults.get(attributes.get("type", ""))
    return None if key is None else str(key)


# ---- Contents


def _documents(
    image: zarr.Group, columns: Columns, attributes: dict[str, Any], backend: TableBackend
) -> dict[str, bytes]:
    """Return all that the group of a table holds, by path."""
    stored: dict[str, Any] = {}
    group = zarr.create_group(MemoryStore(stored), zarr_format=image.metadata.zarr_format)
    BACKENDS[backend].write(group, columns)
    group.attrs.put({**group.attrs.asdict(), **attributes})
    return {path: content.to_bytes() for path, content in stored.items()}


def _columns(table: zarr.Group, attributes: dict[str, Any]) -> Columns:
    """Return the columns of a table, among them its index.

    Raises:
        NgioValueError: If they cannot be read.
    """
    if str(version := attributes.get("table_version", _VERSION)) != _VERSION:
        raise NgioValidationError(f"has version {shown(version)} of the specification, only {_VERSION!r} is read")
    backend = backend_called(attributes.get("backend", _OLDEST))
    try:
        columns = BACKENDS[backend].read(table)
    except (NgioValueError, MemoryError):
        raise
    except Exception as error:  # readers raise all kinds of errors on damaged contents
        raise NgioValidationError(f"cannot be read: {type(error).__name__}: {error}") from error
    if wrong := [name for name, column in columns.items() if not isinstance(column, list)]:
        raise NgioValidationError(f"column {wrong[0]!r} must be a list, got {shown(columns[wrong[0]])}")
    if (key := _index_key(attributes) or NAMES) not in columns and (unnamed := columns.keys() & _UNNAMED):
        columns[key] = columns.pop(min(unnamed))
    if backend == "anndata_v1":
        columns.pop(UNNAMED, None)  # numbers of rows that a column names
    return columns


_UNNAMED: Final = frozenset(("index", UNNAMED, "__index_level_0__"))
"""What backends call an index that has no name."""
