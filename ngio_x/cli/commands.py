"""The commands and their options; each calls a function and prints what came of it."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Column, Table

from ngio_x import __version__
from ngio_x.arrays.image import dimensions_of
from ngio_x.cli import rois
from ngio_x.cli.demo import make_demo
from ngio_x.cli.image_files import read_image
from ngio_x.cli.terminal import printer, reaching
from ngio_x.errors import NgioError, NgioUserWarning, NgioValueError
from ngio_x.metadata.dimensions import Dimensions
from ngio_x.metadata.units import unit_from_symbol
from ngio_x.ngff.read import open_ome_zarr
from ngio_x.ngff.validate import validate_ome_zarr
from ngio_x.ngff.write import write_ome_zarr
from ngio_x.view.overview import write_page

app = typer.Typer(
    name="ngio-x",
    help="Regions and pyramids of microscopy images (OME-Zarr).",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(rois.app, name="rois")


def run() -> None:
    """Run the command line with the process' arguments."""
    say_once = cache(_say)
    with warnings.catch_warnings():
        warnings.simplefilter("always", NgioUserWarning)
        warnings.showwarning = lambda message, *_where, **_more: say_once("warning", str(message))
        try:
            app()
        except (NgioError, OSError) as error:
            _say("error", str(error))
            raise SystemExit(2) from None


def _say(kind: str, what: str) -> None:
    """Print one line on standard error."""
    print(f"{kind}: {' '.join(what.split())}", file=sys.stderr)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command()
def convert(
    image: Annotated[Path, typer.Argument(help="PNG, JPEG, TIFF, OME-TIFF or .npy file.")],
    out: Annotated[str, typer.Argument(help="The OME-Zarr image to write: a path or a URL.")],
    pixel_size: Annotated[
        str | None, typer.Option(help="One size for z, y and x, such as 0.65, or z=2,y=0.65,x=0.65.")
    ] = None,
    unit: Annotated[
        str | None, typer.Option(help="Unit of the pixel size. Default: the file's, or micrometer.")
    ] = None,
    axes: Annotated[str | None, typer.Option(help="Names of the file's axes among t, c, z, y, x, such as yxc.")] = None,
    levels: Annotated[int | None, typer.Option(help="Number of levels. Default: down to 256 pixels.")] = None,
    version: Annotated[str, typer.Option(help="OME-NGFF version: 0.4 or 0.5.")] = "0.5",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace OUT if it is a zarr directory.")] = False,
) -> None:
    """Convert an image file to a multi-resolution OME-Zarr image."""
    unit = unit and unit_from_symbol(unit)
    pixels = read_image(image, axes=axes, pixel_size=_sizes(pixel_size), unit=unit)
    with reaching(out), _progress(f"Writing {Path(out).name}") as report:
        write_ome_zarr(
            pixels,
            out,
            version=version,  # type: ignore[arg-type]  # checked by write_ome_zarr
            levels=levels,
            overwrite=overwrite,
            progress=report,
        )
        count = sum(1 for name in open_ome_zarr(out).children if name.isdigit())
    print(f"wrote {out}: {_shape_text(dimensions_of(pixels))} pixels, {count} level{'s' if count > 1 else ''}")


@app.command()
def info(
    image: Annotated[str, typer.Argument(help="An OME-Zarr image: a path or a URL.")],
    html: Annotated[Path | None, typer.Option(help="Write a page with this and more to a new file instead.")] = None,
) -> None:
    """Show axes, levels, shapes, chunks and pixel sizes of an OME-Zarr image."""
    with reaching(image):
        tree = open_ome_zarr(image, chunks=None)
    if html is not None:
        write_page(tree, Path(image).name, html)
        print(f"wrote {html}")
        return
    console = printer()
    axes = dimensions_of(tree.children["0"].ds["image"]).axes_handler.axes
    described = ", ".join(f"{axis.name} ({axis.unit or axis.axis_type})" for axis in axes)
    console.print(f"{tree.attrs.get('name', Path(image).name)}: OME-NGFF {tree.attrs['version']}, axes {described}")
    if channels := tree.attrs.get("channels"):
        console.print(f"channels: {', '.join(channel['label'] for channel in channels)}")
    headers = ("level", "shape", "chunks", "dtype", "pixel size")
    table = Table(*(Column(header, overflow="fold") for header in headers))
    for node in tree.subtree:
        for labelled in node.data_vars.values():
            dimensions = dimensions_of(labelled)
            scale = zip(dimensions.axes, dimensions.dataset.scale, strict=True)
            sizes = ", ".join(f"{axis} {size:.6g}" for axis, size in scale if axis != "c")
            chunks = _times(labelled.encoding["chunks"])
            table.add_row(node.path.lstrip("/"), _times(labelled.shape), chunks, str(labelled.dtype), sizes)
    console.print(table)


@app.command()
def validate(
    hierarchy: Annotated[str, typer.Argument(help="An OME-Zarr image, well or plate: a path or a URL.")],
) -> None:
    """Print all that an OME-Zarr hierarchy breaks of the specification; the exit code is 1 if there are errors."""
    with reaching(hierarchy):
        report = validate_ome_zarr(hierarchy)
    print(report)
    raise typer.Exit(bool(report.errors))


@app.command()
def demo(
    directory: Annotated[Path, typer.Argument(help="Where to write demo.zarr and overview.png.")] = Path(),
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what an earlier demo wrote.")] = False,
) -> None:
    """Make a fluorescence image of nuclei, convert it, segment it, and show its regions in a picture."""
    with _progress("Making the demo") as report:
        made = make_demo(directory, overwrite=overwrite, progress=report)
    print(f"wrote {made.image}: {made.nuclei} nuclei found of {made.planted} planted")
    print(f"wrote {made.picture}")


def _sizes(text: str | None) -> float | dict[str, float] | None:
    """Return the number, or the numbers by axis, that `--pixel-size` means."""
    if text is None:
        return None
    try:
        if "=" not in text:
            return float(text)
        pairs = (item.split("=") for item in text.split(","))
        return {axis.strip(): float(size) for axis, size in pairs}
    except ValueError:
        raise NgioValueError(f"--pixel-size must be a number, or z=2,y=0.65,x=0.65; got {text!r}") from None


@contextmanager
def _progress(title: str) -> Iterator[Callable[[int, int], None]]:
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(title, total=None)

        def report(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield report


def _shape_text(dimensions: Dimensions) -> str:
    return f"{''.join(dimensions.axes)} {_times(dimensions.shape)}"


def _times(numbers: Iterable[int]) -> str:
    return "×".join(map(str, numbers))
