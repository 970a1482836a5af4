"""The scripts in docs/examples run."""

import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "docs" / "examples"


def test_the_pyramid_on_a_cluster_verifies_itself(tmp_path):
    """At a small size: the edit is rebuilt alone, and all levels equal a full rebuild."""
    pytest.importorskip("distributed")
    command = [sys.executable, str(EXAMPLES / "pyramid_on_a_cluster.py"), "2048"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "All 1 levels are bit-identical with a full rebuild." in done.stdout
    assert "2/2 write units" in done.stderr


def numbers_in(table):
    """The numbers of each row of a table in markdown that has some."""
    rows = [re.findall(r"[+-]?\d+(?:\.\d+)?", line) for line in table.splitlines() if re.match(r"\| \d", line)]
    return [[float(number) for number in row] for row in rows]


def test_the_table_of_label_pyramids_is_what_the_script_prints(capsys):
    """But for a few pixels that another machine may segment otherwise; and the promises that the page makes hold."""
    runpy.run_path(str(EXAMPLES / "label_pyramids.py"), run_name="__main__")
    printed = capsys.readouterr().out
    page = (EXAMPLES.parent / "label-pyramids.md").read_text(encoding="utf-8")
    header = printed.splitlines()[0]
    assert header in page
    expected = numbers_in(page[page.index(header) :])
    assert len(expected) == 5
    for ours, theirs in zip(numbers_in(printed), expected, strict=True):
        assert ours == pytest.approx(theirs, abs=0.21)
    _, *levels = expected
    assert all(abs(nearest) <= 3 for _, nearest, *_ in levels)
    assert levels[2][3] >= -15  # the area with mode, three levels up
    assert levels[3][5] > 100  # with max
    assert {row[at] for row in levels for at in (8, 10)} == {expected[0][1]}  # nuclei that are kept


def test_the_pictures_of_seeing_are_drawn(tmp_path):
    """All that the page shows, and none that is large."""
    runpy.run_path(str(EXAMPLES / "seeing.py"))["draw"](tmp_path)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == sorted(path.name for path in (EXAMPLES.parent / "images").glob("seeing-*.png"))
    assert all(path.stat().st_size < 200_000 for path in tmp_path.iterdir())
