"""Processes that are killed while they build or consolidate, and those that come after them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import ngio_x as nx

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")

SCRIPT = Path(__file__).with_name("kill_points.py")
SCENARIOS = [
    "build",
    "build in a store",
    "replace",
    "whole, numpy",
    "whole, dask",
    "regional, numpy",
    "regional, dask",
    "regional, twice",
]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """What one process found that ran all scenarios in children: there is one start of Python for all."""
    path = os.pathsep.join([str(Path(nx.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, str(SCRIPT), str(tmp_path_factory.mktemp("killed"))]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_what_is_killed_anywhere_is_seen_and_finished_by_the_next_run(outcomes, scenario):
    """Between the two, readers refuse a new image and are warned of an old one; then it is that of a fresh build."""
    outcome = outcomes[scenario]
    assert outcome["problems"] == []
    assert outcome["killed"] >= outcome["points"] - 3  # with threads, a run may take fewer steps than the one counted


def test_all_scenarios_are_looked_at(outcomes):
    """The script and this file know the same ones."""
    assert list(outcomes) == SCENARIOS
