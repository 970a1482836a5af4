"""The command line as tests run it."""

import sys

import pytest

from ngio_x.cli import main


@pytest.fixture
def ngio_x_command(monkeypatch, capsys):
    """Run the command line in this process; return exit code, standard output and standard error."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["ngio-x", *map(str, arguments)])
        monkeypatch.setenv("COLUMNS", "200")
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = stop.code or 0
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run
