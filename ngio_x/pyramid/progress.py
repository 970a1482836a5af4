"""How far a long piece of work has come."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Final, TypeAlias

from ngio_x._frozen import shown
from ngio_x.errors import NgioTypeError

Progress: TypeAlias = bool | Callable[[int, int], object]
"""True for a bar on standard error, or a function that is called with the number of write units done and of all."""

_WIDTH: Final = 40


def shower(progress: Progress) -> Callable[[int, int], object]:
    """Return what to call with the number of units done and of all.

    Raises:
        NgioTypeError: If `progress` is neither a boolean nor a function.
    """
    if isinstance(progress, bool):
        return _bar if progress else lambda _done, _total: None
    if not callable(progress):
        raise NgioTypeError(f"progress must be True, False or a function of (done, total), got {shown(progress)}")
    return progress


def counter(progress: Progress, total: int) -> Callable[[int], None]:
    """Return what to call, from any thread, with the number of units that have just been done.

    Raises:
        NgioTypeError: If `progress` is neither a boolean nor a function.
    """
    show, lock, done = shower(progress), threading.Lock(), 0

    def count(units: int) -> None:
        nonlocal done
        with lock:
            done += units
            show(done, total)

    return count


def _bar(done: int, total: int) -> None:
    filled = "#" * (_WIDTH * done // total)
    end = "\n" if done == total else ""
    sys.stderr.write(f"\r[{filled:{_WIDTH}}] {done}/{total} write units{end}")
    sys.stderr.flush()
