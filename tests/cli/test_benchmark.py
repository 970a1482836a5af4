"""`ngio-x benchmark`, and how it measures; no figure is held to anything."""

import itertools
import json
import tempfile

import pytest

from ngio_x.cli.measuring import Work, measure
from ngio_x.cli.peers import PEERS


def test_the_benchmark_prints_a_row_a_work_and_leaves_nothing(ngio_x_command, tmp_path, monkeypatch):
    """Every peer that is installed has a time in some row."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    code, printed, error = ngio_x_command("benchmark", "--quick", "--rounds", "1", "--json")
    facts = json.loads(printed)
    measured = {peer.partition(":")[0] for result in facts["results"] for peer in result["seconds"]}
    assert (code, error) == (0, "")
    assert (facts["quick"], facts["rounds"]) == (True, 1)
    assert measured == set(facts["versions"])
    assert {*facts["versions"], *facts["missing"]} == {"ngio_x", *PEERS}
    for result in facts["results"]:
        ours = result["seconds"].pop("ngio_x")
        assert result["failed"] == {}
        assert result["ratios"] == {peer: seconds / ours for peer, seconds in result["seconds"].items()}
    assert list(tmp_path.iterdir()) == []


def test_missing_peers_are_named_with_what_installs_them(ngio_x_command, monkeypatch):
    """And ngio_x is measured alone."""
    monkeypatch.setattr("ngio_x.cli.peers.find_spec", lambda name: None)
    monkeypatch.setattr("ngio_x.cli.benchmark.works", lambda *_args, **_options: [Work("sleep", lambda: RUNS)])
    code, printed, _ = ngio_x_command("benchmark", "--quick", "--rounds", "1")
    assert code == 0
    for name, wanted in PEERS.items():
        assert f"{name} is not installed: pip install {wanted}\n" in printed


RUNS = {"ngio_x": lambda: None}


def ticking(done):
    """A clock that goes on by what each run was worth."""
    return lambda: sum(done)


def test_peers_take_turns_in_alternating_order():
    """After each has run once to warm up; the median of their times counts."""
    order, done = [], []
    lasts = {"ngio_x": itertools.cycle([100, 1, 2, 9]), "other": itertools.cycle([100, 6, 4, 5])}

    def runner(peer):
        return lambda: (order.append(peer), done.append(next(lasts[peer])))

    measured = measure(Work("work", lambda: {peer: runner(peer) for peer in lasts}), 3, ticking(done))
    assert order == ["ngio_x", "other", "ngio_x", "other", "other", "ngio_x", "ngio_x", "other"]
    assert measured.seconds == {"ngio_x": 2, "other": 5}
    assert measured.ratios == {"other": 2.5}


def test_a_peer_that_fails_is_said_so():
    """The others are measured; an error of our own is raised."""

    def fails():
        raise RuntimeError("no such thing")

    done = []
    measured = measure(Work("work", lambda: {"ngio_x": lambda: done.append(1), "other": fails}), 1, ticking(done))
    assert measured.failed == {"other": "RuntimeError: no such thing"}
    assert measured.ratios == {}
    with pytest.raises(RuntimeError, match="no such thing"):
        measure(Work("work", lambda: {"ngio_x": fails}), 1, ticking(done))
