"""What `--help` promises: examples that run, shell completion, exit codes."""

import os
import re
import shlex
import shutil
import subprocess
import sys

import imageio.v3 as imageio
import numpy as np
import pytest
from skimage import data

import ngio_x as nx

COMMANDS = [
    ("convert",), ("crop",), ("preview",), ("demo",), ("info",), ("validate",), ("consolidate",), ("upgrade",),
    ("benchmark",),
    ("rois", "extract"), ("rois", "list"), ("rois", "export"), ("rois", "import"),
]  # fmt: skip


@pytest.fixture(scope="session")
def prepared(tmp_path_factory):
    """A directory with the files that examples speak of."""
    directory = tmp_path_factory.mktemp("examples")
    run = [sys.executable, "-m", "ngio_x"]
    imageio.imwrite(directory / "cell.png", data.cell())
    np.save(directory / "stack.npy", np.zeros((3, 32, 32), "u2"))
    subprocess.run([*run, "demo", "-q"], cwd=directory, check=True)
    (directory / "overview.png").unlink()
    image = directory / "demo.zarr"
    nuclei = nx.compute_masking_roi(nx.open_ome_zarr(image)["labels/nuclei/0/nuclei"])
    nx.write_rois(image, "nuclei", nuclei, table_type="masking_roi_table", label="nuclei")
    (directory / "boxes.csv").write_text(
        "FieldIndex,x_micrometer,y_micrometer,len_x_micrometer,len_y_micrometer\na,0,0,9,9\n"
    )
    ring = [[0, 0], [9, 0], [9, 9], [0, 0]]
    feature = {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}, "id": "a"}
    (directory / "qupath.geojson").write_text(nx.to_json([feature]))
    return directory


def examples_of(help_text):
    return re.findall(r"^ +ngio-x (.*)$", help_text.partition("Examples:")[2], re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_examples_of_the_help_run(ngio_x_command, prepared, tmp_path, monkeypatch, command):
    """Help ends with examples of the command; each runs, one after the other, beside the demo."""
    code, text, _ = ngio_x_command(*command, "--help")
    lines = examples_of(text)
    assert code == 0
    assert lines
    assert text.rstrip().endswith(lines[-1])
    shutil.copytree(prepared, tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    if command == ("demo",):
        shutil.rmtree("demo.zarr")
    for line in lines:
        words = shlex.split(line)
        assert tuple(words[: len(command)]) == command
        assert ngio_x_command(*words)[::2] == (0, ""), line


def test_every_command_is_listed_here(ngio_x_command):
    """The list above is complete, and the help of all says what exit codes mean."""
    _, text, _ = ngio_x_command("--help")
    _, rois, _ = ngio_x_command("rois", "--help")
    listed = lambda page: re.findall(r"^  (\w+)  ", page.partition("Commands:")[2], re.MULTILINE)  # noqa: E731
    assert {(name,) for name in listed(text)} - {("rois",)} | {("rois", name) for name in listed(rois)} == {*COMMANDS}
    assert "0 done, 1 validate found errors, 2 bad input, 130 interrupted" in " ".join(text.split())


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete_commands(shell):
    """Asked by the shell's own variables, the command answers with those that fit."""
    script = "import sys; sys.argv[0] = 'ngio-x'; from ngio_x.cli import main; main()"
    asked = {"_NGIO_X_COMPLETE": f"complete_{shell}", "COMP_WORDS": "ngio-x con", "COMP_CWORD": "1",
             "_TYPER_COMPLETE_ARGS": "ngio-x con", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", script], env=os.environ | asked, capture_output=True, text=True, check=False
    )
    assert "convert" in done.stdout
    assert "consolidate" in done.stdout
    assert "preview" not in done.stdout


def test_completion_can_be_installed(ngio_x_command):
    """Typer's own two options are there."""
    _, text, _ = ngio_x_command("--help")
    assert "--install-completion" in text
    assert "--show-completion" in text


@pytest.mark.parametrize("arguments", [["nothing"], ["info"], ["info", "--bogus", "a.zarr"], ["crop", "a.zarr"]])
def test_a_faulty_call_says_how_it_is_called(ngio_x_command, arguments):
    """On standard error, with exit code 2."""
    code, printed, error = ngio_x_command(*arguments)
    assert (code, printed) == (2, "")
    assert "Usage: " in error
