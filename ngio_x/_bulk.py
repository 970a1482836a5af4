"""Values by the 100 000."""

from __future__ import annotations

import gc
import itertools
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from ngio_x._frozen import field_names

T = TypeVar("T")


def unchecked(cls: type[T], count: int, *columns: Iterable[Any]) -> list[T]:
    """Return `count` values of a class made of columns that were checked as a whole: one a field, in their order.

    Nothing is converted or validated here.
    """
    values = list(map(object.__new__, itertools.repeat(cls, count)))
    for name, column in zip(field_names(cls), columns, strict=True):
        deque(map(getattr(cls, name).__set__, values, column), maxlen=0)  # a loop that runs in C
    return values


@contextmanager
def collector_paused() -> Iterator[None]:
    """Make values by the 100 000 in half the time: they form no cycles, which Python would look for again and again.

    The collector is that of all threads: of those that pause it at once, the last one lets it go on.
    """
    with _PAUSING:
        _WAS_COLLECTING.append(gc.isenabled())
        gc.disable()
    try:
        yield
    finally:
        with _PAUSING:
            if _WAS_COLLECTING.pop():  # that of the first is the last to be taken
                gc.enable()


_PAUSING: Final = threading.Lock()
_WAS_COLLECTING: Final[list[bool]] = []
"""One for each pause."""
