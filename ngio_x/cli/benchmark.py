"""The command that measures ngio_x against the peers that are installed."""

from __future__ import annotations

import platform
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from ngio_x.cli.measuring import OURS, Measured, measure
from ngio_x.cli.options import Json, Quiet, commands, examples
from ngio_x.cli.peers import PEERS, installed, works
from ngio_x.cli.terminal import Terminal, counted

app = commands()


@app.command(epilog=examples("benchmark --quick --rounds 1"))
def benchmark(
    quick: Annotated[bool, typer.Option("--quick", help="Small images: seconds, and ratios that say less.")] = False,
    rounds: Annotated[int, typer.Option(min=1, help="How often each is run; the median counts.")] = 3,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Measure ngio_x against ngio, scipy and ome-zarr, where they are installed, in this process, and print the times.

    Each peer runs once to warm up, and then they take turns, in alternating order. Files are written to a temporary
    directory, which is removed.
    """
    terminal = Terminal(json, quiet)
    there, missing = installed()
    found: list[Measured] = []
    with tempfile.TemporaryDirectory(prefix="ngio-x-benchmark-") as directory, terminal.progress("Measuring") as report:
        todo = works(Path(directory), there, quick=quick)
        for done, work in enumerate(todo):
            report(done, len(todo))
            found.append(measure(work, rounds))
        report(len(todo), len(todo))
    facts = {
        "machine": {"processor": platform.machine(), "python": platform.python_version()},
        "quick": quick,
        "rounds": rounds,
        "versions": there,
        "missing": missing,
        "results": [_facts(each) for each in found],
    }
    advice = [f"{name} is not installed: pip install {PEERS[name]}" for name in missing]
    versions = ", ".join(f"{name} {version}" for name, version in there.items())
    terminal.show(facts, _shown(found), f"medians of {counted(rounds, 'run')}: {versions}", *advice)


def _facts(measured: Measured) -> dict[str, Any]:
    return {
        "work": measured.work,
        "seconds": measured.seconds,
        "ratios": measured.ratios,
        "failed": measured.failed,
    }


def _shown(found: list[Measured]) -> Table:
    shown = Table("work", "ngio_x", "peers", "times as fast")
    for each in found:
        peers = [f"{peer} {_time(each.seconds[peer])}" for peer in each.ratios]
        peers += [f"{peer} failed: {why}" for peer, why in each.failed.items()]
        shown.add_row(
            each.work,
            _time(each.seconds[OURS]),
            ", ".join(peers),
            ", ".join(f"{ratio:.1f}" for ratio in each.ratios.values()),
        )
    return shown


def _time(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.3g} ms"
