"""Commands that make new images and pictures: convert, crop, preview, demo."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
import xarray as xr

from ngio_x.arrays.composite import composite
from ngio_x.arrays.crop import crop as cropped
from ngio_x.arrays.dimensions import dimensions_of
from ngio_x.arrays.levels import level_for
from ngio_x.arrays.tree import array_of, image_of, pyramid_of
from ngio_x.cli import pictures
from ngio_x.cli.demo import make_demo
from ngio_x.cli.image_files import read_image
from ngio_x.cli.looking import shape_text
from ngio_x.cli.options import (
    Channels,
    Image,
    Json,
    Overwrite,
    Pixels,
    PixelSize,
    Quiet,
    Region,
    Scheduler,
    commands,
    computing_on,
    examples,
    sizes_from,
)
from ngio_x.cli.places import chosen_region, drafted, opened, require_free
from ngio_x.cli.terminal import Terminal, counted, reaching
from ngio_x.errors import NgioValueError
from ngio_x.metadata.units import unit_from_symbol
from ngio_x.ngff.attributes import Version
from ngio_x.ngff.read import open_ome_zarr
from ngio_x.ngff.store import open_group, require_apart
from ngio_x.ngff.write import write_ome_zarr
from ngio_x.roi.roi import Roi
from ngio_x.roi.rounding import Bounds

app = commands()


@app.command(
    epilog=examples(
        "convert cell.png cell.zarr --pixel-size 0.65",
        "convert stack.npy stack.zarr --axes zyx --pixel-size z=2,y=0.5,x=0.5 --levels 2 --overwrite",
    )
)
def convert(
    image: Annotated[Path, typer.Argument(help="PNG, JPEG, TIFF, OME-TIFF or .npy file.")],
    out: Annotated[str, typer.Argument(help="The OME-Zarr image to write: a path or a URL.")],
    pixel_size: PixelSize = None,
    unit: Annotated[
        str | None, typer.Option(help="Unit of the pixel size. Default: the file's, or micrometer.")
    ] = None,
    axes: Annotated[str | None, typer.Option(help="Names of the file's axes among t, c, z, y, x, such as yxc.")] = None,
    levels: Annotated[int | None, typer.Option(help="Number of levels. Default: down to 256 pixels.")] = None,
    version: Annotated[str, typer.Option(help="OME-NGFF version: 0.4 or 0.5.")] = "0.5",
    overwrite: Overwrite = False,
    scheduler: Scheduler = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Convert an image file to a multi-resolution OME-Zarr image."""
    terminal = Terminal(json, quiet)
    unit = unit and unit_from_symbol(unit)
    pixels = read_image(image, axes=axes, pixel_size=sizes_from(pixel_size), unit=unit)
    with computing_on(scheduler), reaching(out), terminal.progress(f"Writing {Path(out).name}") as report:
        write_ome_zarr(
            pixels,
            out,
            version=version,  # type: ignore[arg-type]  # checked by write_ome_zarr
            levels=levels,
            overwrite=overwrite,
            progress=report,
        )
        count = len(pyramid_of(open_ome_zarr(out)))
    facts = {"wrote": out, "axes": "".join(map(str, pixels.dims)), "shape": pixels.shape, "levels": count}
    terminal.tell(facts, f"wrote {out}: {shape_text(dimensions_of(pixels))} pixels, {counted(count, 'level')}")


@app.command(
    epilog=examples(
        "crop demo.zarr corner.zarr --region y=0:100,x=20:90",
        "crop demo.zarr corner.png --region y=0:256,x=0:256 --pixels --level 1",
        "crop demo.zarr nucleus.ome.tif --table nuclei --roi 12 --channel DNA",
    )
)
def crop(
    image: Image,
    out: Annotated[str, typer.Argument(help="What to write: .zarr (a path or a URL), .png, .tif or .ome.tif.")],
    region: Region = None,
    pixels: Pixels = False,
    table: Annotated[str | None, typer.Option(help="Table of the image that holds the region.")] = None,
    roi: Annotated[str | None, typer.Option(help="Name, or label, of the region in the table.")] = None,
    bounds: Annotated[
        str, typer.Option(help="Pixels that a region holds: outer (touched), inner or nearest (by their centre).")
    ] = "outer",
    level: Annotated[str | None, typer.Option(help="Of PNG and TIFF: the level to take. Default: 0.")] = None,
    pixel_size: Annotated[
        str | None, typer.Option(help="Of PNG and TIFF: take the coarsest level whose pixels are no larger.")
    ] = None,
    channel: Channels = None,
    contrast: Annotated[
        str | None, typer.Option(help="Of PNG: black and full grey level, such as 100,3000. Default: the image's own.")
    ] = None,
    overwrite: Overwrite = False,
    scheduler: Scheduler = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Write a region of an image, and of its labels, as an OME-Zarr image; or one level of it as PNG or TIFF.

    A PNG has the channels in their colours, 8 bits each. A TIFF has the grey levels, and the size of a pixel.
    """
    terminal = Terminal(json, quiet)
    is_picture = out.lower().endswith((pictures.PNG, *pictures.TIFF))
    if is_picture:
        require_free(Path(out), (pictures.PNG, *pictures.TIFF), overwrite=overwrite)
    elif not out.rstrip("/").endswith(".zarr"):
        raise NgioValueError(f"OUT must end in .zarr, .png, .tif or .ome.tif, got {out!r}")
    elif [level, pixel_size, channel, contrast] != [None] * 4:
        raise NgioValueError(f"--level, --pixel-size, --channel and --contrast are for PNG and TIFF, not for {out}")
    window = pictures.window_from(contrast)
    with computing_on(scheduler), terminal.progress(f"Writing {Path(out).name}") as report:
        with reaching(image):
            tree = opened(image)
            if not is_picture:  # what is cut out must not replace what it is cut out of
                require_apart(open_group(image), out)
            where = chosen_region(image, tree, region, table, roi, pixels=pixels)
            if is_picture:
                piece = cropped(_level_of(tree, level, pixel_size), where, bounds=_bounds(bounds))
            else:
                pieces = cropped(tree, where, bounds=_bounds(bounds))
                piece = image_of(pieces)
        if is_picture:
            _write_picture(piece, Path(out), channel, window)
        else:
            with reaching(out):
                version: Version = "0.4" if tree.attrs.get("version") == "0.4" else "0.5"
                write_ome_zarr(pieces, out, version=version, overwrite=overwrite, progress=report)
    facts = {"wrote": out, "axes": "".join(map(str, piece.dims)), "shape": piece.shape, "region": _facts(where)}
    terminal.tell(facts, f"wrote {out}: {shape_text(dimensions_of(piece))} pixels")


@app.command(
    epilog=examples(
        "preview demo.zarr demo.png",
        "preview demo.zarr DNA.png --channel DNA --size 256 --overwrite",
        "preview demo.zarr/labels/nuclei nuclei.png",
    )
)
def preview(
    image: Image,
    out: Annotated[Path, typer.Argument(help="The PNG file to write.")],
    size: Annotated[int, typer.Option(min=1, help="Pixels of the longer side, at most.")] = 512,
    channel: Channels = None,
    contrast: Annotated[
        str | None, typer.Option(help="Black and full grey level, such as 100,3000. Default: the image's own.")
    ] = None,
    overwrite: Overwrite = False,
    scheduler: Scheduler = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Write a thumbnail: the channels in their colours and contrast limits, and each label in a colour of its own.

    Contrast limits that the image does not say are the 0.1 and the 99.9 percentile of what is shown. Of a stack it is
    the middle plane, and the first frame.
    """
    require_free(out, (pictures.PNG,), overwrite=overwrite)
    window = pictures.window_from(contrast)
    with computing_on(scheduler), reaching(image):
        picture = pictures.thumbnail(pyramid_of(opened(image)), size, channel, window).compute()
    with drafted(out) as draft:
        pictures.write_png(picture, draft)
    height, width = picture.sizes["y"], picture.sizes["x"]
    facts = {"wrote": str(out), "width": width, "height": height}
    Terminal(json, quiet).tell(facts, f"wrote {out}: {width}×{height} pixels")


@app.command(epilog=examples("demo", "demo . --overwrite"))
def demo(
    directory: Annotated[Path, typer.Argument(help="Where to write demo.zarr and overview.png.")] = Path(),
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what an earlier demo wrote.")] = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Make a fluorescence image of nuclei, convert it, segment it, and show its regions in a picture."""
    terminal = Terminal(json, quiet)
    with terminal.progress("Making the demo") as report:
        made = make_demo(directory, overwrite=overwrite, progress=report)
    facts = {"wrote": [str(made.image), str(made.picture)], "nuclei": made.nuclei, "planted": made.planted}
    said = f"wrote {made.image}: {made.nuclei} nuclei found of {made.planted} planted\nwrote {made.picture}"
    terminal.tell(facts, said)


def _bounds(text: str) -> Bounds:
    for known in ("outer", "inner", "nearest"):
        if text == known:
            return known
    raise NgioValueError(f"--bounds must be outer, inner or nearest, got {text!r}")


def _level_of(tree: xr.DataTree, level: str | None, pixel_size: str | None) -> xr.DataArray:
    """Return the level that options choose; by default the finest."""
    if level is not None and pixel_size is not None:
        raise NgioValueError("--level and --pixel-size both choose a level: give one of them")
    if pixel_size is not None:
        return array_of(level_for(tree, pixel_size=sizes_from(pixel_size)))
    levels = {str(node.name or "0"): node for node in pyramid_of(tree).values()}
    if level is not None and level not in levels:
        raise NgioValueError(f"there is no level {level!r}, only {', '.join(levels)}")
    return array_of(levels[level or "0"])


def _write_picture(
    piece: xr.DataArray, out: Path, channel: list[str] | None, window: tuple[float, float] | None
) -> None:
    with drafted(out) as draft:
        if out.name.lower().endswith(pictures.PNG):
            wanted = pictures.channels_and_window(piece, channel, window)
            pictures.write_png(composite(piece, wanted), draft)
        elif window is not None:
            raise NgioValueError("--contrast is for PNG: a TIFF holds the grey levels as they are")
        else:
            pictures.write_tiff(pictures.only_channels(piece, channel), draft, out.name)


def _facts(roi: Roi) -> dict[str, list[float | None]]:
    """Return the intervals of a region, in world units."""
    return {item.axis_name: list(item.bounds) for item in roi.slices}
