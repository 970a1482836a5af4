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
    nx.write_ome_zarr(nx.as_image(labels.astype("u2")), tmp_path / "a.zarr", levels=2)
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
        (["nuclei", "--out", "folder.csv"], "folder.csv is a directory: name a file in it, such as folder.csv/a.csv"),
        (["nuclei", "--out", "folder"], "folder is a directory"),
        (["nuclei", "--table", "taken"], "has a table 'taken' already: to replace it, pass --overwrite"),
        (["nuclei", "--table", "a/b"], "the name of a table must be one path segment"),
        (["nuclei", "--table", "a", "--backend", "sql"], "backend must be one of 'csv', 'json'"),
        (["cells", "--out", "a.csv"], "has no label image 'cells', only 'nuclei'"),
    ],
)
def test_extract_refuses_what_makes_no_sense(ngio_x_command, image, monkeypatch, options, message):
    """In one line, and nothing is written."""
    monkeypatch.chdir(image.parent)
    (image.parent / "taken.csv").write_text("mine")
    (image.parent / "folder.csv").mkdir()
    (image.parent / "folder").mkdir()
    nx.write_rois(image, "taken", [])
    code, printed, error = ngio_x_command("rois", "extract", image, *options)
    assert (code, printed) == (2, "")
    assert message in error
    assert error.count("\n") == 1
    assert sorted(path.name for path in image.parent.iterdir()) == ["a.zarr", "folder", "folder.csv", "taken.csv"]
    assert nx.list_tables(image) == ["taken"]


def test_list_says_when_there_are_none(ngio_x_command, image):
    """Instead of an empty table."""
    assert ngio_x_command("rois", "list", image) == (0, f"{image} has no tables\n", "")


def test_places_that_are_no_images_are_refused(ngio_x_command, tmp_path):
    """As by the other commands."""
    for command in (("list", tmp_path / "a"), ("extract", tmp_path / "a", "nuclei", "--out", tmp_path / "a.csv")):
        code, _, error = ngio_x_command("rois", *command)
        assert (code, error) == (2, f"error: store {tmp_path / 'a'} does not exist: check the path\n")


def test_extract_takes_large_letters_for_small(ngio_x_command, image):
    """`A.CSV` is a CSV file."""
    for name in ("A.CSV", "a.csv"):
        assert ngio_x_command("rois", "extract", image, "nuclei", "--out", image.parent / name, "-q") == (0, "", "")
    assert (image.parent / "A.CSV").read_bytes() == (image.parent / "a.csv").read_bytes()


def test_extract_writes_polygons_in_the_world_of_the_image(ngio_x_command, image):
    """GeoJSON, in nanometers."""
    out = image.parent / "a.geojson"
    code, printed, _ = ngio_x_command("rois", "extract", image, "nuclei", "--out", out, "--json")
    assert (code, json.loads(printed)) == (0, {"wrote": str(out), "table": None, "regions": 2})
    rois = nx.compute_masking_roi(nx.open_ome_zarr(image)["labels/nuclei/0/nuclei"])
    assert json.loads(out.read_text()) == nx.to_geojson(rois)


REGIONS = [
    nx.Roi.from_values({"y": (2500, 1000), "x": (0, 500)}, "a", label=7, note="first", score=0.5),
    nx.Roi.from_values({"y": (3000, 2000), "x": (500, 1500)}, "b", label=300, note="second", score=1.5),
]


@pytest.mark.parametrize("suffix", [".csv", ".json", ".parquet", ".geojson"])
@pytest.mark.parametrize("masking", [False, True])
def test_export_and_import_bring_a_table_back(ngio_x_command, image, suffix, masking):
    """The same regions, under another name, with all columns."""
    kind = {"table_type": "masking_roi_table", "label": "nuclei"} if masking else {}
    nx.write_rois(image, "first", REGIONS, **kind)
    file = image.parent / f"a{suffix}"
    assert ngio_x_command("rois", "export", image, "first", file) == (0, f"wrote {file}: 2 regions\n", "")
    options = ["--label", "nuclei"] if masking else ["--backend", "parquet"]
    code, printed, _ = ngio_x_command("rois", "import", image, file, "second", *options)
    assert (code, printed) == (0, f"wrote table second of {image}: 2 regions\n")
    assert nx.read_rois(image, "second") == nx.read_rois(image, "first")
    facts = json.loads(ngio_x_command("rois", "list", image, "--json")[1])
    assert facts[0]["type"] == facts[1]["type"] == ("masking_roi_table" if masking else "roi_table")
    assert facts[1]["backend"] == ("csv" if masking else "parquet")


def test_export_writes_columns_that_pandas_reads(ngio_x_command, image):
    """Those of the table itself."""
    nx.write_rois(image, "first", REGIONS)
    ngio_x_command("rois", "export", image, "first", image.parent / "a.csv")
    table = pd.read_csv(image.parent / "a.csv")
    pd.testing.assert_frame_equal(table, pd.read_csv(image / "tables" / "first" / "table.csv"))
    assert table["FieldIndex"].tolist() == ["a", "b"]


def test_import_of_what_qupath_writes(ngio_x_command, image):
    """Polygons in pixels; what a column cannot hold becomes text."""
    ring = [[2, 1], [8, 1], [5, 4], [2, 1]]
    feature = {
        "type": "Feature", "id": "1a2b", "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": {"objectType": "annotation", "classification": {"name": "Tumor", "color": [200, 0, 0]}},
    }  # fmt: skip
    (image.parent / "q.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    assert ngio_x_command("rois", "import", image, image.parent / "q.geojson", "annotations", "--pixels")[0] == 0
    (roi,) = nx.read_rois(image, "annotations")
    assert roi.name == "1a2b"
    assert nx.window(nx.open_ome_zarr(image)["0/image"], roi) == {"y": slice(1, 4), "x": slice(2, 8)}
    assert json.loads(roi.extra["classification"]) == {"name": "Tumor", "color": [200, 0, 0]}


def test_export_for_qupath_counts_pixels(ngio_x_command, image):
    """Positions are those of level 0, and are read back as the regions that they were."""
    nx.write_rois(image, "first", REGIONS)
    out, level = image.parent / "q.geojson", nx.open_ome_zarr(image)["0/image"]
    assert ngio_x_command("rois", "export", image, "first", out, "--pixels")[0] == 0
    document = json.loads(out.read_text())
    assert document == json.loads(json.dumps(nx.to_geojson(nx.read_rois(image, "first"), level)))
    assert {feature["properties"]["space"] for feature in document["features"]} == {"pixel"}
    assert ngio_x_command("rois", "import", image, out, "second")[0] == 0
    windows = [[nx.window(level, roi) for roi in nx.read_rois(image, name)] for name in ("first", "second")]
    assert windows[0] == windows[1]


def test_list_shows_the_regions_of_a_table(ngio_x_command, image):
    """Their names are what `crop --roi` takes."""
    nx.write_rois(image, "first", REGIONS)
    code, printed, _ = ngio_x_command("rois", "list", image, "--table", "first")
    assert code == 0
    assert all(text in printed for text in ("a", "300", "2500:3500", "500:2000"))
    facts = json.loads(ngio_x_command("rois", "list", image, "--table", "first", "--json")[1])
    assert nx.from_dict(facts, list[nx.Roi]) == nx.read_rois(image, "first")


def test_list_of_nothing_is_an_empty_list(ngio_x_command, image):
    """In JSON."""
    assert json.loads(ngio_x_command("rois", "list", image, "--json")[1]) == []


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["export", "a.zarr", "other", "a.csv"], "has no table of the name 'other', choose from 'first'"),
        (["export", "a.zarr", "first", "a.txt"], "must end in .csv, .json, .parquet, .geojson"),
        (["export", "a.zarr", "first", "taken.csv"], "taken.csv exists"),
        (["export", "b.zarr", "first", "a.csv"], "b.zarr does not exist"),
        (["import", "a.zarr", "none.csv", "second"], "there is no file none.csv"),
        (["import", "a.zarr", "a.zarr", "second"], "a file of regions ends in"),
        (["import", "a.zarr", "taken.csv", "second"], "taken.csv: holds no regions: it has no column x_micrometer"),
        (["import", "a.zarr", "bad.json", "second"], "bad.json: is no JSON"),
        (["import", "a.zarr", "list.json", "second"], "list.json: must hold a JSON object of lists"),
        (["import", "a.zarr", "bad.parquet", "second"], "bad.parquet cannot be read"),
        (["import", "a.zarr", "bad.geojson", "second"], "$.features[0]: must have a Polygon"),
        (["import", "a.zarr", "binary.csv", "second"], "binary.csv"),
        (["import", "a.zarr", "good.csv", "first"], "has a table 'first' already"),
        (["import", "a.zarr", "good.csv", "a/b"], "one path segment"),
        (["import", "a.zarr", "good.csv", "second", "--label", "cells"], "has no label image 'cells'"),
        (["import", "a.zarr", "good.csv", "second", "--label", "nuclei"], "without a label"),
        (["import", "a.zarr", "good.csv", "second", "--backend", "sql"], "backend must be one of"),
        (["list", "a.zarr", "--table", "other"], "has no table of the name 'other'"),
    ],
)
def test_what_cannot_be_exported_or_imported_changes_nothing(ngio_x_command, image, monkeypatch, command, message):
    """One line, and everything is as it was."""
    monkeypatch.chdir(image.parent)
    nx.write_rois(image, "first", REGIONS)
    files = {
        "taken.csv": b"a,b\n1,2\n", "bad.json": b"{", "list.json": b"[1]", "bad.parquet": b"PAR1",
        "binary.csv": b"\xff",
        "bad.geojson": b'{"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": null}]}',
        "good.csv": b"FieldIndex,x_micrometer,y_micrometer,len_x_micrometer,len_y_micrometer\na,0,0,1,1\n",
    }  # fmt: skip
    for name, content in files.items():
        (image.parent / name).write_bytes(content)
    code, printed, error = ngio_x_command("rois", *command)
    assert (code, printed) == (2, "")
    assert message in error
    assert error.count("\n") == 1
    assert {path.name: path.read_bytes() for path in image.parent.iterdir() if path.is_file()} == files
    assert nx.list_tables(image) == ["first"]
