"""Commands for regions: those of the objects of a label image, and the tables of an image."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.table import Table

from ngio_x.cli.looking import table_facts
from ngio_x.cli.options import Image, Json, Overwrite, Quiet, Scheduler, commands, computing_on, examples
from ngio_x.cli.places import drafted, labels_in, require_free
from ngio_x.cli.terminal import Terminal, counted, reaching
from ngio_x.errors import NgioFileExistsError, NgioValueError
from ngio_x.labels.masking_roi import compute_masking_roi
from ngio_x.ngff.hierarchy import read_image
from ngio_x.ngff.store import open_group
from ngio_x.ngff.tables.backends import TableBackend, backend_called
from ngio_x.ngff.tables.files import FORMATS, file_of_rois, rois_in_file
from ngio_x.ngff.tables.roi_rows import LABELS, NAMES, Grid, IndexKey, grid_of
from ngio_x.ngff.tables.rois import kind_of, list_tables, read_rois, write_rois
from ngio_x.roi.roi import Roi, Space
from ngio_x.serialization.documents import to_dict

app = commands(about="Regions of an OME-Zarr image.")

TableName = Annotated[str, typer.Argument(help="Name of the table.")]
Backend = Annotated[str, typer.Option(help="Of the table: csv, json, parquet or anndata_v1.")]

_MASKING: Final = "masking_roi_table"


@app.command(
    epilog=examples(
        "rois extract demo.zarr nuclei --out nuclei.csv",
        "rois extract demo.zarr nuclei --table objects",
    )
)
def extract(
    image: Image,
    label: Annotated[str, typer.Argument(help="Name of its label image.")],
    out: Annotated[Path | None, typer.Option(help="File to write: .csv, .json, .parquet or .geojson.")] = None,
    table: Annotated[str | None, typer.Option(help="Table to write into the image, of type masking_roi_table.")] = None,
    backend: Backend = "csv",
    overwrite: Overwrite = False,
    scheduler: Scheduler = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Write the bounding box of every object of a label image, in the columns of a masking_roi_table.

    Columns are in micrometers from the corner of the image, positions in GeoJSON in units of the image.
    """
    if out is None and table is None:
        raise NgioValueError("say where the regions go: --out FILE, --table NAME, or both")
    if out is not None:
        require_free(out, FORMATS, overwrite=overwrite)
    kept = backend_called(backend)
    terminal = Terminal(json, quiet)
    with computing_on(scheduler), reaching(image), terminal.progress(f"Looking at {label}"):
        if table is not None:
            _require_no_table(image, table, overwrite=overwrite)
        rois = compute_masking_roi(labels_in(image, label))
        if table is not None:
            write_rois(image, table, rois, table_type=_MASKING, label=label, backend=kept, overwrite=overwrite)
        if out is not None:
            _put(out, rois, _grid(image), LABELS)
    said = [] if table is None else [f"wrote table {table} of {image}: {counted(len(rois), 'region')}"]
    said += [] if out is None else [f"wrote {out}: {counted(len(rois), 'region')}"]
    facts = {"wrote": None if out is None else str(out), "table": table, "regions": len(rois)}
    terminal.tell(facts, "\n".join(said))


@app.command(name="list", epilog=examples("rois list demo.zarr", "rois list demo.zarr --table nuclei --json"))
def list_(
    image: Image,
    table: Annotated[str | None, typer.Option(help="Show the regions of this table.")] = None,
    json: Json = False,
) -> None:
    """Show the tables of an image, their types, and how they are stored; or the regions of one of them."""
    terminal = Terminal(json)
    with reaching(image):
        group = open_group(image)
        if table is not None:
            rois = read_rois(group, table)
            terminal.show(to_dict(rois), _regions_shown(rois))
            return
        tables = list(table_facts(group))
    shown = Table("table", "type", "backend")
    for each in tables:
        shown.add_row(*(str(value) for value in each.values()))
    terminal.show(tables, shown if tables else f"{image} has no tables")


Pixels = Annotated[bool, typer.Option("--pixels", help="Positions in GeoJSON count pixels, as QuPath's do.")]


@app.command(
    epilog=examples("rois export demo.zarr nuclei cells.geojson --pixels", "rois export demo.zarr nuclei cells.csv")
)
def export(
    image: Image,
    table: TableName,
    out: Annotated[Path, typer.Argument(help="File to write: .csv, .json, .parquet or .geojson.")],
    pixels: Pixels = False,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Write the regions of a table to a file.

    Columns are in micrometers from the corner of the image, positions in GeoJSON in units of the image.
    """
    require_free(out, FORMATS, overwrite=overwrite)
    with reaching(image):
        group = open_group(image)
        rois = read_rois(group, table)
        key: IndexKey = LABELS if kind_of(group, table)[0] == _MASKING else NAMES
        _put(out, rois, _grid(image), key, space=_space(pixels=pixels))
    facts = {"wrote": str(out), "regions": len(rois)}
    Terminal(json, quiet).tell(facts, f"wrote {out}: {counted(len(rois), 'region')}")


@app.command(
    name="import",
    epilog=examples(
        "rois import demo.zarr boxes.csv boxes",
        "rois import demo.zarr qupath.geojson annotations --pixels",
    ),
)
def import_(
    image: Image,
    file: Annotated[Path, typer.Argument(help="A .csv, .json, .parquet or .geojson file.")],
    table: TableName,
    label: Annotated[
        str | None, typer.Option(help="Label image whose objects these are: makes a masking_roi_table.")
    ] = None,
    pixels: Pixels = False,
    backend: Backend = "csv",
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Write the regions of a file into a table of an image.

    Columns are those of a roi_table, such as `rois export` writes them: x_micrometer, len_x_micrometer, … from the
    corner of the image. Of GeoJSON it is the box around each polygon, in units of the image.
    """
    kept: TableBackend = backend_called(backend)
    with reaching(image):
        _require_no_table(image, table, overwrite=overwrite)
        rois = rois_in_file(file, _grid(image), space=_space(pixels=pixels))
        write_rois(
            image,
            table,
            rois,
            table_type="roi_table" if label is None else _MASKING,
            label=label,
            backend=kept,
            overwrite=overwrite,
        )
    facts = {"table": table, "image": image, "regions": len(rois)}
    Terminal(json, quiet).tell(facts, f"wrote table {table} of {image}: {counted(len(rois), 'region')}")


def _grid(image: str) -> Grid:
    return grid_of(read_image(open_group(image)))


def _require_no_table(image: str, table: str, *, overwrite: bool) -> None:
    if not overwrite and table in list_tables(image):
        raise NgioFileExistsError(f"{image} has a table {table!r} already: to replace it, pass --overwrite")


def _space(*, pixels: bool) -> Space:
    return "pixel" if pixels else "world"


def _put(out: Path, rois: Sequence[Roi], grid: Grid, key: IndexKey, *, space: Space = "world") -> None:
    content = file_of_rois(rois, out.suffix.lower(), grid, key, space=space)
    with drafted(out) as draft:
        draft.write_bytes(content)


def _regions_shown(rois: Iterable[Roi]) -> Table:
    listed = list(rois)
    axes = [axis for axis in "tzyx" if any(axis in roi for roi in listed)]
    shown = Table("name", "label", *axes)
    for roi in listed:
        bounds = [roi[axis].bounds if axis in roi else ("", "") for axis in axes]
        intervals = [":".join("" if bound in (None, "") else f"{bound:.6g}" for bound in pair) for pair in bounds]
        shown.add_row(roi.get_name(), "" if roi.label is None else str(roi.label), *intervals)
    return shown
