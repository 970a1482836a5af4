"""The command `ngio-x`: its groups of commands, and how it says what went wrong."""

from __future__ import annotations

import sys
import warnings
from functools import cache
from typing import Annotated

import typer

from ngio_x import __version__
from ngio_x.cli import benchmark, looking, making, mending, rois
from ngio_x.cli.options import commands
from ngio_x.errors import NgioError, NgioUserWarning

app = commands("ngio-x", "Regions and pyramids of microscopy images (OME-Zarr).")
for group in (making, looking, mending, benchmark):
    app.add_typer(group.app)
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


@app.callback(
    epilog="Exit codes: 0 done, 1 validate found errors, 2 bad input, 130 interrupted. "
    "More of a command: ngio-x COMMAND --help"
)
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass
