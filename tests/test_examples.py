"""The scripts in docs/examples run."""

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
