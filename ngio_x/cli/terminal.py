"""What commands print: data and what was done on standard output, all else on standard error."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from ngio_x.errors import NgioError, NgioValueError

_WIDE = 100_000
"""Columns of output that is no terminal: its lines are never wrapped."""


class Terminal(NamedTuple):
    """How a command speaks to its user."""

    json: bool = False
    """Print one JSON document, and nothing else, on standard output."""
    quiet: bool = False
    """Show no progress, and do not say what was done."""

    def show(self, facts: Any, *shown: RenderableType) -> None:
        """Print data that were asked for."""
        if self.json:
            print(json.dumps(_plain(facts), ensure_ascii=False, allow_nan=False, indent=2))
            return
        console = Console(width=None if sys.stdout.isatty() else _WIDE, markup=False, emoji=False, highlight=False)
        for each in shown:
            console.print(each)

    def tell(self, facts: Mapping[str, Any], text: str) -> None:
        """Say what was done."""
        if self.json:
            self.show(facts)
        elif not self.quiet:
            print(text)

    @contextmanager
    def progress(self, title: str) -> Iterator[Callable[[int, int], None]]:
        """Show a bar on standard error, if that is a terminal; yield what to call with what is done, and with all."""
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
        )
        console = Console(stderr=True)
        disabled = self.quiet or not console.is_terminal
        with Progress(*columns, console=console, transient=True, disable=disabled) as bar:
            task = bar.add_task(title, total=None)

            def report(done: int, total: int) -> None:
                bar.update(task, completed=done, total=total)

            yield report


def counted(number: int, noun: str) -> str:
    """Return a number of things, such as `"2 regions"`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


@contextmanager
def reaching(place: str) -> Iterator[None]:
    """Say in one line what a URL failed with: each kind of remote store has errors of its own."""
    try:
        yield
    except Exception as error:
        if "://" not in place or isinstance(error, NgioError):
            raise
        raise NgioValueError(f"{place} cannot be reached: {error or type(error).__name__}") from error


def _plain(value: Any) -> Any:
    """Return data as JSON has them: it lacks NaN and infinities."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
