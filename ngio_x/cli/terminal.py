"""What commands print, and how they say what a place failed with."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from ngio_x.errors import NgioError, NgioValueError

_WIDE = 100_000
"""Columns of output that is no terminal: its lines are never wrapped."""


def printer() -> Console:
    """Return what prints tables and texts as they are."""
    return Console(width=None if sys.stdout.isatty() else _WIDE, markup=False, emoji=False, highlight=False)


@contextmanager
def reaching(place: str) -> Iterator[None]:
    """Say in one line what a URL failed with: each kind of remote store has errors of its own."""
    try:
        yield
    except Exception as error:
        if "://" not in place or isinstance(error, NgioError):
            raise
        raise NgioValueError(f"{place} cannot be reached: {error or type(error).__name__}") from error
