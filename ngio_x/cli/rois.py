"""Commands for regions: those of the objects of a label image, and the tables of an image."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Annotated

import typer
import xarray as xr
from rich.table import Table

from ngio_x.cli.terminal import printer, reaching
from ngio_x.errors import NgioFileExistsError, NgioValueError
from ngio_x.labels.masking_roi import compute_masking_roi
from ngio_x.ngff.hierarchy import read_image
from ngio_x.ngff.read import open_ome_zarr
from ngio_x.ngff.store import open_group
from ngio_x.ngff.tables.backends import FILES, backend_called
from ngio_x.ngff.tables.roi_rows import LABELS, grid_of, rows_of
from ngio_x.ngff.tables.rois import kind_of, list_tables, write_rois
from ngio_x.roi.roi import Roi

app = typer.Typer(no_args_is_help=True, help="Regions of an OME-Zarr image.")


@app.command()
def extract(
    image: Annotated[str, typer.Argument(help="An OME-Zarr image: a path or a URL.")],
    label: Annotated[str, typer.Argument(help="Name of its label image.")],
    out: Annotated[Path | None, typer.Option(help="File to write: .csv, .json or .parquet.")] = None,
    table: Annotated[str | None, typer.Option(help="Table to write into the image, of type masking_roi_table.")] = None,
    backend: Annotated[str, typer.Option(help="Of the table: csv, json, parquet or anndata_v1.")] = "csv",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file, or the table.")] = False,
) -> None:
    """Write the bounding box of every object of a label image, in the columns of a masking_roi_table."""
    if out is None and table is None:
        raise NgioValueError("say where the regions go: --out FILE, --table NAME, or both")
    if out is not None:
        _require_free(out, overwrite=overwrite)
    kept = backend_called(backend)
    with reaching(image):
        if table is not None and not overwrite and table in list_tables(image):
            raise NgioFileExistsError(f"{image} has a table {table!r} already: to replace it, pass --overwrite")
        rois = compute_masking_roi(_labels_in(image, label))
        if table is not None:
            write_rois(
                image, table, rois, table_type="masking_roi_table", label=label, backend=kept, overwrite=overwrite
            )
            print(f"wrote table {table} of {image}: {_counted(rois)}")
        if out is not None:
            columns = rows_of(rois, grid_of(read_image(open_group(image))), LABELS)
            _write(out, FILES[out.suffix](columns))
            print(f"wrote {out}: {_counted(rois)}")


@app.command(name="list")
def list_(image: Annotated[str, typer.Argument(help="An OME-Zarr image: a path or a URL.")]) -> None:
    """Show the tables of an image, their types, and how they are stored."""
    with reaching(image):
        group = open_group(image)
        kinds = {name: kind_of(group, name) for name in list_tables(group)}
    if not kinds:
        print(f"{image} has no tables")
        return
    shown = Table("table", "type", "backend")
    for name, kind in kinds.items():
        shown.add_row(name, *kind)
    printer().print(shown)


def _labels_in(image: str, label: str) -> xr.DataArray:
    """Return level 0 of a label image."""
    tree = open_ome_zarr(image)
    there = [
        node.path.removeprefix("/labels/").removesuffix("/0")
        for node in tree.subtree
        if node.path.startswith("/labels/") and node.path.endswith("/0")
    ]
    if label not in there:
        names = f"only {', '.join(map(repr, there))}" if there else "nor any other"
        raise NgioValueError(f"{image} has no label image {label!r}, {names}")
    found: xr.DataArray = tree[f"labels/{label}/0"].ds[label.rpartition("/")[2]]
    return found


def _require_free(out: Path, *, overwrite: bool) -> None:
    if out.suffix not in FILES:
        raise NgioValueError(f"--out must end in {', '.join(FILES)}, got {str(out)!r}")
    if not out.parent.is_dir():
        raise NgioValueError(f"{out.parent} is no directory: make it first")
    if out.exists() and not overwrite:
        raise NgioFileExistsError(f"{out} exists: to replace it, pass --overwrite")


def _write(out: Path, content: bytes) -> None:
    """Write a file that is there only when it is complete."""
    draft = out.with_name(f".{out.name}.{uuid.uuid4().hex[:8]}")
    try:
        draft.write_bytes(content)
        draft.replace(out)
    finally:
        draft.unlink(missing_ok=True)


def _counted(rois: list[Roi]) -> str:
    return f"{len(rois)} region{'' if len(rois) == 1 else 's'}"
