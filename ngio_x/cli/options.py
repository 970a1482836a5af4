"""Options that several commands share, and what they mean."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Annotated, Final

import typer

from ngio_x.errors import NgioValueError

Image = Annotated[str, typer.Argument(help="An OME-Zarr image: a path or a URL.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on standard output, and nothing else.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, and no word of what was done.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace what is there under that name.")]
Scheduler = Annotated[
    str | None, typer.Option(metavar="ADDRESS", help="Compute on a dask cluster, such as tcp://host:8786.")
]
Region = Annotated[
    str | None,
    typer.Option(help="Intervals by axis, such as y=0:100,x=20:90, in units of the image; either end may be left out."),
]
Pixels = Annotated[bool, typer.Option("--pixels", help="The region counts pixels of level 0.")]
PixelSize = Annotated[str | None, typer.Option(help="One size for z, y and x, such as 0.65, or z=2,y=0.65,x=0.65.")]
Channels = Annotated[
    list[str] | None, typer.Option("--channel", help="Show this one, by name or position; may be repeated.")
]

_ANSWERS_WITHIN: Final = "5s"


def commands(name: str | None = None, about: str | None = None) -> typer.Typer:
    """Return a group of commands; without a name, they belong to the group that it is added to."""
    return typer.Typer(
        name=name, help=about, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False
    )


def examples(*lines: str) -> str:
    """Return what the help of a command ends with."""
    return "\n".join(["\b", "Examples:", *(f"  ngio-x {line}" for line in lines)])


@contextmanager
def computing_on(address: str | None) -> Iterator[None]:
    """Compute on the dask cluster at an address while the `with` block lasts; without an address, on threads.

    Raises:
        NgioValueError: If no scheduler answers there soon, or `distributed` is not installed.
    """
    if address is None:
        yield
        return
    if find_spec("distributed") is None:
        raise NgioValueError("--scheduler needs distributed: pip install 'ngio-x[distributed]'")
    from distributed import Client  # noqa: PLC0415 — an extra of its own, which takes its time

    try:
        # First one that dask is not told of: a client that finds no scheduler would stay the one that dask waits for.
        Client(address, timeout=_ANSWERS_WITHIN, set_as_default=False).close()  # type: ignore[no-untyped-call]
    except (OSError, ValueError, TypeError, ImportError) as error:  # a time-out is an OSError, too
        raise NgioValueError(
            f"no dask scheduler answers at {address} within {_ANSWERS_WITHIN}: start one with 'dask scheduler', "
            f"and copy the address that it prints ({type(error).__name__})"
        ) from error
    with Client(address, timeout=_ANSWERS_WITHIN):  # type: ignore[no-untyped-call]
        yield


def sizes_from(text: str | None, option: str = "--pixel-size") -> float | dict[str, float] | None:
    """Return the number, or the numbers by axis, that an option means.

    Raises:
        NgioValueError: If it means neither.
    """
    if text is None:
        return None
    try:
        if "=" not in text:
            return float(text)
        pairs = (item.split("=") for item in text.split(","))
        return {axis.strip(): float(size) for axis, size in pairs}
    except ValueError:
        raise NgioValueError(f"{option} must be a number, or z=2,y=0.65,x=0.65; got {text!r}") from None
