"""`ngio-x rois`, run as a user runs it."""

import json

import numpy as np
import pandas as pd
import pytest

import ngio_x as nx

IDS = np.zeros((12, 16), "u4")
IDS[1:4, 2:8], IDS[6:12, 10:11] = 7, 300


@pytest.fixture
def image(tmp_path):
    """An image in nanometers, somewhere, with two objects in the labels 'nuclei'."""
    labels = nx.as_labels(IDS, ("y", "x"), 500.0, origin={"y": 2000.0, "x": -500.0}, units="nanometer")
    nx.write_ome_zarr(labels.astype("u2").drop_attrs(), tmp_path / "a.zarr", levels=2)
    nx.write_labels(labels, tmp_path / "a.zarr", "nuclei")
    return tmp_path / "a.zarr"


COLUMNS = {
    "label": [7, 300],
    "x_micrometer": [1.0, 5.0],
    "y_micrometer": [0.5, 3.0],
    "z_micrometer": [0.0, 0.0],
    "len_x_micrometer": [3.0, 0.5],
    "len_y_micrometer": [1.5, 3.0],
    "len_z_micrometer": [1.0, 1.0],
}
READERS = {
    ".csv": pd.read_csv,
    ".parquet": pd.read_parquet,
    ".json": lambda path: pd.DataFrame(json.loads(path.read_text())),
}


@pytest.mark.parametrize("suffix", READERS)
def test_extract_writes_a_file_with_a_row_an_object(ngio_x_command, image, suffix):
    """In the columns of a table, in micrometers from level 0's edge."""
    out = image.parent / f"nuclei{suffix}"
    assert ngio_x_command("rois", "extract", image, "nuclei", "--out", out) == (0, f"wrote {out}: 2 regions\n", "")
    pd.testing.assert_frame_equal(READERS[suffix](out), pd.DataFrame(COLUMNS))
    assert sorted(path.name for path in image.parent.iterdir()) == ["a.zarr", out.name]
    assert nx.list_tables(image) == []


@pytest.mark.parametrize("backend", ["csv", "json", "parquet", "anndata_v1"])
def test_extract_writes_a_table_into_the_image(ngio_x_command, image, backend):
    """The same regions as in memory."""
    code, printed, _ = ngio_x_command("rois", "extract", image, "nuclei", "--table", "cells", "--backend", backend)
    assert (code, printed) == (0, f"wrote table cells of {image}: 2 regions\n")
    rois = nx.compute_masking_roi(nx.open_ome_zarr(image)["labels/nuclei/0/nuclei"])
    assert [roi.remove_slice("z") for roi in nx.read_rois(image, "cells")] == rois
    code, printed, _ = ngio_x_command("rois", "list", image)
    assert code == 0
    assert [word in printed for word in ("cells", "masking_roi_table", backend)] == [True] * 3


def test_extract_does_both(ngio_x_command, image):
    """A table and a file, and both again with --overwrite only."""
    both = ("rois", "extract", image, "nuclei", "--table", "cells", "--out", image.parent / "a.csv")
    assert ngio_x_command(*both)[0] == 0
    assert ngio_x_command(*both)[0] == 2
    assert ngio_x_command(*both, "--overwrite")[0] == 0


def test_extract_of_another_frame_writes_the_same_table(ngio_x_command, tmp_path):
    """What counts is the edge of the first pixel."""
    for frame in ("corner", "center"):
        labels = nx.as_labels(IDS, ("y", "x"), 0.5, origin=3.0)
        nx.write_ome_zarr(nx.as_image(IDS, ("y", "x"), 0.5, origin=3.0), tmp_path / frame, levels=1, frame=frame)
        nx.write_labels(labels, tmp_path / frame, "nuclei", frame=frame)
        ngio_x_command("rois", "extract", tmp_path / frame, "nuclei", "--out", tmp_path / f"{frame}.csv")
    assert (tmp_path / "corner.csv").read_text() == (tmp_path / "center.csv").read_text()
    assert pd.read_csv(tmp_path / "corner.csv").to_dict("list") == COLUMNS


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["nuclei"], "say where the regions go: --out FILE, --table NAME, or both"),
        (["nuclei", "--out", "a.txt"], "the name of the file must end in .csv, .json, .parquet, .geojson, got 'a.txt'"),
        (["nuclei", "--out", "nowhere/a.csv"], "nowhere is no directory: make it first"),
        (["nuclei", "--out", "taken.csv"], "taken.csv exists: to replace it, pass --overwrite"),
        (["nuclei", "--table", "taken"], "has a table 'taken' already: to replace it, pass --overwrite"),
        (["nuclei", "--table", "a/b"], "the name of a table is one path segment"),
        (["nuclei", "--table", "a", "--backend", "sql"], "the backend of a table is one of 'csv', 'json'"),
        (["cells", "--out", "a.csv"], "has no label image 'cells', only 'nuclei'"),
    ],
)
def test_extract_refuses_what_makes_no_sense(ngio_x_command, image, monkeypatch, options, message):
    """In one line, and nothing is written."""
    monkeypatch.chdir(image.parent)
    (image.parent / "taken.csv").write_text("mine")
    nx.write_rois(image, "taken", [])
    code, printed, error = ngio_x_command("rois", "extract", image, *options)
    assert (code, printed) == (2, "")
    assert message in error
    assert error.count("\n") == 1
    assert sorted(path.name for path in image.parent.iterdir()) == ["a.zarr", "taken.csv"]
    assert nx.list_tables(image) == ["taken"]


def test_list_says_when_there_are_none(ngio_x_command, image):
    """Instead of an empty table."""
    assert ngio_x_command("rois", "list", image) == (0, f"{image} has no tables\n", "")


def test_places_that_are_no_images_are_refused(ngio_x_command, tmp_path):
    """As by the other commands."""
    for command in (("list", tmp_path / "a"), ("extract", tmp_path / "a", "nuclei", "--out", tmp_path / "a.csv")):
        code, _, error = ngio_x_command("rois", *command)
        assert (code, error) == (2, f"error: {tmp_path / 'a'} does not exist\n")
