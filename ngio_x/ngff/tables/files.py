"""Regions in files: the columns of a table as CSV, JSON or parquet, or polygons as GeoJSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from ngio_x._frozen import evolve, thaw
from ngio_x.arrays.geojson import from_geojson, to_geojson
from ngio_x.errors import NgioFileNotFoundError, NgioValidationError, NgioValueError
from ngio_x.ngff.tables.backends import (
    Columns,
    columns_of_json,
    columns_of_parquet,
    csv_bytes,
    json_bytes,
    parquet_bytes,
)
from ngio_x.ngff.tables.csv_text import columns_of_csv
from ngio_x.ngff.tables.roi_rows import LABELS, NAMES, Grid, IndexKey, rois_of, rows_of
from ngio_x.roi.roi import Roi, Space

_GEOJSON: Final = ".geojson"
_WRITERS: Final = {".csv": csv_bytes, ".json": json_bytes, ".parquet": parquet_bytes}
_READERS: Final = {
    ".csv": lambda content: columns_of_csv(content.decode("utf-8-sig")),
    ".json": columns_of_json,
    ".parquet": columns_of_parquet,
}
FORMATS: Final = (*_WRITERS, _GEOJSON)
"""The endings of files that hold regions."""


def file_of_rois(rois: Iterable[Roi], ending: str, grid: Grid, key: IndexKey, *, space: Space = "world") -> bytes:
    """Return what a file of regions holds.

    Args:
        rois: Regions of an image. In tables they are in micrometers and seconds from the edge of its level 0, as in the
            tables of the image.
        ending: One of `FORMATS`.
        grid: Level 0 of the image.
        key: The column that names a row: of names, or of labels.
        space: What the positions of GeoJSON count.

    Raises:
        NgioValidationError: If regions do not fit into a table.
        NgioValueError: If regions are unbounded, or what writes the file is not installed.
    """
    if ending == _GEOJSON:
        converted = Roi.to_pixel if space == "pixel" else Roi.to_world
        rois = [converted(roi, grid.spacing, grid.edge) for roi in rois]
        return json.dumps(to_geojson(rois), ensure_ascii=False, allow_nan=False).encode()
    return _WRITERS[ending](rows_of(rois, grid, key))


def rois_in_file(path: Path, grid: Grid, *, space: Space = "world") -> list[Roi]:
    """Return the regions of a file, in the world of an image.

    Values of GeoJSON that a column cannot hold become text.

    Args:
        path: The file, of one of the `FORMATS`.
        grid: Level 0 of the image.
        space: What the positions of GeoJSON count where they do not say so.

    Raises:
        NgioFileNotFoundError: If there is no such file.
        NgioValidationError: If it holds no regions.
        NgioValueError: If it is of another format, or what reads it is not installed.
    """
    ending = path.suffix.lower()
    if ending not in FORMATS:
        raise NgioValueError(f"a file of regions ends in {', '.join(FORMATS)}, got {str(path)!r}")
    if not path.is_file():
        raise NgioFileNotFoundError(f"there is no file {path}")
    content = path.read_bytes()
    try:
        if ending == _GEOJSON:
            return [_flat(roi) for roi in from_geojson(_document(content), space=space)]
        columns: Columns = _READERS[ending](content)
        return rois_of(columns, grid, next((key for key in (NAMES, LABELS) if key in columns), None))
    except NgioValueError as error:
        raise NgioValidationError(f"{path}: {error}") from error
    except (ValueError, OSError) as error:  # what is no parquet file, or no text
        raise NgioValidationError(f"{path} cannot be read: {error}") from error


def _document(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise NgioValueError(f"is no JSON: {error}") from None


def _flat(roi: Roi) -> Roi:
    """Return a region whose extras are text, numbers or booleans."""
    return evolve(
        roi,
        extra={
            name: value if isinstance(value, (str, int, float, bool)) else json.dumps(thaw(value))
            for name, value in roi.extra.items()
            if value is not None
        },
    )
