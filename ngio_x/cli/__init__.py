"""The command line `ngio-x` (extra `cli`; its pictures also need `plot`)."""

from __future__ import annotations

import logging
import signal
import sys
import warnings
from importlib.util import find_spec
from typing import NoReturn


class _Interrupted(BaseException):
    """Ctrl-C: not a KeyboardInterrupt, which the command line's framework has words of its own for."""


def main() -> None:
    """Run the command line; what goes wrong is one line on standard error, and exit code 2, or 130 for Ctrl-C."""
    missing = [name for name in ("typer", "rich", "imageio", "tifffile") if find_spec(name) is None]
    if missing:
        print(f"error: the command line needs {', '.join(missing)}: pip install 'ngio-x[cli,plot]'", file=sys.stderr)
        raise SystemExit(2)
    before = signal.signal(signal.SIGINT, _interrupt)
    try:
        from ngio_x.cli.commands import run  # noqa: PLC0415 — needs what was looked for above

        run()
    except _Interrupted:
        logging.getLogger("asyncio").disabled = True  # of zarr's writes that are dropped, nothing need be said
        warnings.simplefilter("ignore", RuntimeWarning)
        print("interrupted", file=sys.stderr)
        raise SystemExit(130) from None
    finally:
        signal.signal(signal.SIGINT, before)


def _interrupt(*_signal: object) -> NoReturn:
    raise _Interrupted
