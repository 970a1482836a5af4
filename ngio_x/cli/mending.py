"""Commands that put images right: consolidate, upgrade."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ngio_x.arrays.tree import image_of
from ngio_x.cli.options import Image, Json, Overwrite, Pixels, Quiet, Scheduler, commands, computing_on, examples
from ngio_x.cli.places import label_group, opened, region_in
from ngio_x.cli.terminal import Terminal, counted, reaching
from ngio_x.ngff.region import consolidate_ome_zarr
from ngio_x.ngff.upgrade import upgrade_ome_zarr

app = commands()


@app.command(
    epilog=examples(
        "consolidate demo.zarr",
        "consolidate demo.zarr --region y=0:100,x=20:90",
        "consolidate demo.zarr --label nuclei --region y=0:256,x=0:256 --pixels",
    )
)
def consolidate(
    image: Image,
    region: Annotated[
        list[str] | None,
        typer.Option(help="What has changed, such as y=0:100,x=20:90, in units of the image; may be repeated."),
    ] = None,
    pixels: Pixels = False,
    label: Annotated[str | None, typer.Option(help="Of this label image, not of the image itself.")] = None,
    order: Annotated[str | None, typer.Option(help="Kernel. Default: the one that made the levels.")] = None,
    scheduler: Scheduler = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Rebuild the coarser levels of an image from level 0: all of it, or what regions reach."""
    terminal = Terminal(json, quiet)
    with computing_on(scheduler), reaching(image), terminal.progress(f"Rebuilding {Path(image).name}") as report:
        place = image if label is None else label_group(image, label)
        finest = image_of(opened(place))
        regions = [region_in(finest, text, pixels=pixels) for text in region] if region else None
        consolidate_ome_zarr(
            place,
            regions,
            order=order,  # type: ignore[arg-type]  # checked by consolidate_ome_zarr
            progress=report,
        )
    what = "all of it" if regions is None else counted(len(regions), "region")
    terminal.tell({"consolidated": place, "regions": region}, f"consolidated {place}: {what}")


@app.command(epilog=examples("upgrade demo.zarr old.zarr --to 0.4", "upgrade old.zarr new.zarr"))
def upgrade(
    image: Annotated[str, typer.Argument(help="An OME-Zarr image, well or plate: a path or a URL.")],
    out: Annotated[str, typer.Argument(help="What to write: a path or a URL.")],
    to: Annotated[str, typer.Option(help="OME-NGFF version: 0.5 or 0.4.")] = "0.5",
    overwrite: Overwrite = False,
    scheduler: Scheduler = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Write an image, well or plate again in another version of OME-NGFF, with all that lies in it.

    Chunks are copied as the bytes they are, where both versions store them in the same way.
    """
    terminal = Terminal(json, quiet)
    with computing_on(scheduler), reaching(image), terminal.progress(f"Writing {Path(out).name}") as report:
        upgrade_ome_zarr(
            image,
            out,
            version=to,  # type: ignore[arg-type]  # checked by upgrade_ome_zarr
            overwrite=overwrite,
            progress=report,
        )
    terminal.tell({"wrote": out, "version": to}, f"wrote {out}: OME-NGFF {to}")
