"""The command that writes an image again in another version of OME-NGFF."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from ngio_x.cli.terminal import reaching
from ngio_x.ngff.upgrade import upgrade_ome_zarr


def upgrade(
    image: Annotated[str, typer.Argument(help="An OME-Zarr image, well or plate: a path or a URL.")],
    out: Annotated[str, typer.Argument(help="Where to write it again: a path or a URL.")],
    to: Annotated[str, typer.Option(help="OME-NGFF version: 0.5 or 0.4.")] = "0.5",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace OUT if it is a zarr directory.")] = False,
) -> None:
    """Write an OME-Zarr hierarchy again in another version, with all that lies in it; chunks are copied if possible."""
    with reaching(image), reaching(out):
        upgrade_ome_zarr(
            image,
            out,
            version=to,  # type: ignore[arg-type]  # checked by upgrade_ome_zarr
            overwrite=overwrite,
            progress=sys.stderr.isatty(),
        )
    print(f"wrote {out}: OME-NGFF {to}")
