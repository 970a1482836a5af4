"""What type checkers see of the package: a program of a user is right to them, and its mistakes are seen."""

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROGRAM = ROOT / "tests" / "typed_program.py"
MISTAKES = """
import attrs

import ngio_x as nx

roi = nx.Roi.from_values({"y": 1, "x": 2}, "a")
nx.PixelSize("1", 1)  # wrong
nx.Roi("a", [1, 2])  # wrong
nx.Roi("a", roi.slices, space="image")  # wrong
nx.RoiSlice("x", 1, length=[2])  # wrong
nx.PyramidLevel("0", 4, (1.0,), (0.0,))  # wrong
nx.PyramidLevel("0", [4], (1.0,), (0.0,), chunks="all")  # wrong
nx.AxesHandler(["y", "x"])  # wrong
roi.name = "b"  # wrong
wide: int = roi["x"].length  # wrong
nx.croop  # wrong
back: nx.PixelSize = nx.from_dict({}, nx.Roi)  # wrong
"""
HAS_PYRIGHT = importlib.util.find_spec("pyright") is not None and shutil.which("node") is not None
CHECKERS = {
    "mypy": ("mypy", "--strict", "--no-pretty"),
    "pyright": pytest.param(
        ("pyright",), marks=pytest.mark.skipif(not HAS_PYRIGHT, reason="pyright would download node, which is not here")
    ),
}
checkers = pytest.mark.parametrize("checker", CHECKERS.values(), ids=CHECKERS)


def run(*arguments):
    """Run a module of Python where the package is; its errors, if it fails."""
    command = [sys.executable, "-m", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_program_runs():
    """With Python alone."""
    done = run("tests.typed_program")
    assert done.returncode == 0, done.stderr


@checkers
def test_the_program_is_right_to_a_checker(checker):
    """Strictly, for mypy."""
    done = run(*checker, PROGRAM)
    assert done.returncode == 0, done.stdout


@checkers
def test_mistakes_are_seen_by_a_checker(checker, tmp_path):
    """Each line that is wrong, and no other: values are not just anything."""
    place = tmp_path / "mistakes.py"
    place.write_text(MISTAKES, encoding="utf-8")
    found = {int(line) for line in re.findall(r"mistakes\.py:(\d+).*error", run(*checker, place).stdout)}
    wrong = {at for at, line in enumerate(MISTAKES.splitlines(), 1) if line.endswith("# wrong")}
    assert found == wrong
