"""The command line: `ngio-x convert`, `ngio-x info`, `ngio-x demo` (extra `cli`; the demo also needs `plot`)."""

from __future__ import annotations

import sys
from importlib.util import find_spec


def main() -> None:
    """Run the command line; what goes wrong is one line on standard error, and exit code 2."""
    missing = [name for name in ("typer", "rich", "imageio", "tifffile") if find_spec(name) is None]
    if missing:
        print(f"error: the command line needs {', '.join(missing)}: pip install 'ngio-x[cli,plot]'", file=sys.stderr)
        raise SystemExit(2)
    from ngio_x.cli.commands import run  # noqa: PLC0415 — needs what was looked for above

    run()
