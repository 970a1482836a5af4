"""Time some ways of doing one work, side by side."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from statistics import median
from typing import Any, Final, NamedTuple

OURS: Final = "ngio_x"


class Work(NamedTuple):
    """One work, and who does it how; what is needed is made when the work is prepared."""

    name: str
    prepare: Callable[[], Mapping[str, Callable[[], Any]]]
    """Returns what each peer does, ngio_x first."""


class Measured(NamedTuple):
    """How long each peer took, in seconds: medians of some rounds."""

    work: str
    seconds: dict[str, float]
    failed: dict[str, str]
    """What other peers failed with."""

    @property
    def ratios(self) -> dict[str, float]:
        """How many times as fast ngio_x was as each of the others."""
        ours = self.seconds[OURS]
        return {peer: seconds / ours for peer, seconds in self.seconds.items() if peer != OURS}


def measure(work: Work, rounds: int, clock: Callable[[], float] = time.perf_counter) -> Measured:
    """Run each peer once to warm up, then all of them in turn, in alternating order; return the medians."""
    peers, failed = dict(work.prepare()), dict[str, str]()
    for peer, run in list(peers.items()):
        try:
            run()
        except Exception as error:
            if peer == OURS:
                raise
            failed[peer] = f"{type(error).__name__}: {error}"
            del peers[peer]
    times: dict[str, list[float]] = {peer: [] for peer in peers}
    for round_ in range(rounds):
        turn = list(peers) if round_ % 2 == 0 else list(reversed(peers))
        for peer in turn:
            start = clock()
            peers[peer]()
            times[peer].append(clock() - start)
    return Measured(work.name, {peer: median(found) for peer, found in times.items()}, failed)
