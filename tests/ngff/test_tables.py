"""Regions in the tables of an image: where they lie, what becomes of names, labels and extras, and what is refused."""

import copy
import json
import shutil
import sys

import numpy as np
import pandas as pd
import pytest
import zarr

import ngio_x as nx
from ngio_x.errors import (
    NgioError,
    NgioFileExistsError,
    NgioFileNotFoundError,
    NgioTypeError,
    NgioUserWarning,
    NgioValidationError,
    NgioValueError,
)

BACKENDS = ["csv", "json", "parquet", "anndata_v1"]
VERSIONS = ["0.4", "0.5"]
KEEPING_TYPES = {"text": "a", "digits": "007", "count": 3, "whole": 2.0, "part": 1 / 3, "yes": True}


def image_at(path, dims="yx", *, size=0.5, origin=0.0, unit="micrometer", version="0.5", **options):
    """Write an image with the labels 'nuclei', 8 pixels along each axis."""
    image = nx.as_image(np.zeros([8] * len(dims), "u2"), tuple(dims), size, origin=origin, units=unit)
    nx.write_ome_zarr(image, path, version=version, levels=1, **options)
    labels = nx.as_labels(np.ones([8] * len(dims), "u4"), tuple(dims), like=image)
    nx.write_labels(labels, path, "nuclei", frame=options.get("frame"))
    return path


@pytest.fixture
def path(tmp_path):
    return image_at(tmp_path / "image.zarr")


def roi_of(name="a", label=None, x=0.25, **extra):
    return nx.Roi.from_values({"y": (1.5, 2.0), "x": (x, 0.1)}, name, label, **extra)


def with_z(roi):
    """What a flat region is when it comes back."""
    return roi.update_slice("z", (0.0, 1.0))


def attributes_of(path, name):
    return zarr.open_group(path / "tables" / name, mode="r").attrs.asdict()


# ---- There and back


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("backend", BACKENDS)
def test_regions_come_back(tmp_path, backend, version):
    """With names, extras and their types, in order; a flat image gives them z = [0, 1)."""
    path = image_at(tmp_path / "image.zarr", version=version)
    rois = [roi_of("b", **KEEPING_TYPES), roi_of("a, \"b\"\n'c'", **KEEPING_TYPES), roi_of("007"), roi_of("")]
    nx.write_rois(path, "fields", rois, backend=backend)
    found = nx.read_rois(path, "fields")
    assert found == [with_z(roi) for roi in rois]
    for roi in found[:2]:
        assert {key: type(value) for key, value in roi.extra.items()} == {
            key: type(value) for key, value in KEEPING_TYPES.items()
        }


@pytest.mark.parametrize("backend", BACKENDS)
def test_objects_come_back(path, backend):
    """With their labels, however large; a region without a name is called by its label."""
    rois = [roi_of(None, 7), roi_of("mitosis", 2**64 - 1, tag=None), roi_of("9", 9)]
    nx.write_rois(path, "cells", rois, table_type="masking_roi_table", label="nuclei", backend=backend)
    found = nx.read_rois(path, "cells")
    assert [(roi.name, roi.label) for roi in found] == [("7", 7), ("mitosis", 2**64 - 1), ("9", 9)]
    assert all(roi.extra == {} for roi in found)


@pytest.mark.parametrize("backend", BACKENDS)
def test_no_regions_come_back(path, backend):
    """A table may be empty."""
    nx.write_rois(path, "none", [], backend=backend)
    nx.write_rois(path, "no_objects", [], table_type="masking_roi_table", label="nuclei", backend=backend)
    assert nx.read_rois(path, "none") == nx.read_rois(path, "no_objects") == []


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_some_regions_do_not_say_is_left_out(path, backend):
    """Of every type; NaN says nothing, either."""
    rois = [roi_of("a"), roi_of("b", **KEEPING_TYPES), roi_of("c", part=float("nan"), digits="")]
    nx.write_rois(path, "fields", rois, backend=backend)
    found = nx.read_rois(path, "fields")
    assert [dict(roi.extra) for roi in found] == [{}, KEEPING_TYPES, {"digits": ""}]
    assert [type(value) for value in found[1].extra.values()] == [type(found[1].extra[key]) for key in found[1].extra]
    assert type(found[1].extra["count"]) is int
    assert type(found[1].extra["yes"]) is bool


@pytest.mark.parametrize("backend", BACKENDS)
def test_whole_and_broken_numbers_are_one_column_of_floats(path, backend):
    """As in Python, they are equal."""
    nx.write_rois(path, "fields", [roi_of("a", n=1), roi_of("b", n=2.5)], backend=backend)
    assert [roi.extra["n"] for roi in nx.read_rois(path, "fields")] == [1.0, 2.5]


def test_other_names_of_backends_are_known(path):
    """Those that ngio has, or had; what is written has the name of today."""
    for old, new in [("anndata", "anndata_v1"), ("experimental_csv_v1", "csv"), ("experimental_json_v1", "json")]:
        nx.write_rois(path, old, [roi_of()], backend=old)
        assert attributes_of(path, old)["backend"] == new
    group = zarr.open_group(path / "tables" / "experimental_csv_v1", mode="r+")
    group.attrs["backend"] = "experimental_csv_v1"
    assert nx.read_rois(path, "experimental_csv_v1") == [with_z(roi_of())]


@pytest.mark.parametrize("version", VERSIONS)
def test_the_attributes_are_those_of_the_specification(tmp_path, version):
    """Also the list of tables."""
    path = image_at(tmp_path / "image.zarr", version=version)
    nx.write_rois(path, "fields", [roi_of()])
    nx.write_rois(path, "any", [roi_of()], table_type="generic_table", backend="json")
    nx.write_rois(
        path, "cells", [roi_of(label=1)], table_type="masking_roi_table", label="nuclei", backend="anndata_v1"
    )
    names = {"index_key": "FieldIndex", "index_type": "str", "table_version": "1"}
    assert attributes_of(path, "fields") == {"type": "roi_table", "backend": "csv", **names}
    assert attributes_of(path, "any") == {"type": "generic_table", "backend": "json", **names}
    assert attributes_of(path, "cells") == {
        "type": "masking_roi_table",
        "backend": "anndata_v1",
        "index_key": "label",
        "index_type": "int",
        "table_version": "1",
        "region": {"path": "../labels/nuclei"},
        "instance_key": "label",
        "encoding-type": "anndata",
        "encoding-version": "0.1.0",
    }
    assert zarr.open_group(path / "tables", mode="r").attrs.asdict() == {"tables": ["fields", "any", "cells"]}
    assert nx.validate_ome_zarr(path).errors == ()


def test_the_files_are_what_other_tools_read(path):
    """Pandas reads csv and parquet, json reads json: columns in the order of the specification, floats as floats."""
    rois = [roi_of("a", 4, whole=2.0, yes=True), roi_of("b", 5, whole=3.0, yes=False)]
    for backend in ("csv", "json", "parquet"):
        nx.write_rois(path, backend, rois, backend=backend)
    expected = pd.DataFrame(
        {"FieldIndex": ["a", "b"], "x_micrometer": 0.25, "y_micrometer": 1.5, "z_micrometer": 0.0}
        | {"len_x_micrometer": 0.1, "len_y_micrometer": 2.0, "len_z_micrometer": 1.0}
        | {"label": [4, 5], "whole": [2.0, 3.0], "yes": [True, False]}
    )
    pd.testing.assert_frame_equal(pd.read_csv(path / "tables/csv/table.csv"), expected)
    pd.testing.assert_frame_equal(pd.read_parquet(path / "tables/parquet/table.parquet"), expected)
    document = json.loads((path / "tables/json/table/zarr.json").read_text())
    assert document["attributes"] == expected.to_dict("list")


# ---- Where they lie


@pytest.mark.parametrize("frame", [None, "corner", "center"])
@pytest.mark.parametrize("version", VERSIONS)
def test_regions_count_from_the_edge_of_level_0(tmp_path, version, frame):
    """In whichever frame the image was opened: what a table holds is the distance from the first pixel's edge."""
    path = image_at(tmp_path / "image.zarr", "zyx", origin={"z": 3.0, "y": -10.0, "x": 0.75}, version=version)
    tree = nx.open_ome_zarr(path, frame=frame)
    piece = tree["0/image"][2:4, 1:5, 6:8]
    roi = nx.Roi.from_values({"z": (2, 2), "y": (1, 4), "x": (6, 2)}, "a", space="pixel")
    nx.write_rois(path, "fields", [roi], frame=frame)
    (found,) = nx.read_rois(path, "fields", frame=frame)
    assert nx.crop(tree, found)["0/image"].identical(piece)
    table = pd.read_csv(path / "tables/fields/table.csv").iloc[0]
    assert table[1:].tolist() == [3.0, 0.5, 1.0, 1.0, 2.0, 1.0]
    nx.write_rois(path, "fields", [found], frame=frame, overwrite=True)
    assert nx.read_rois(path, "fields", frame=frame) == [found]


def test_the_frame_of_the_file_is_the_default(tmp_path):
    """As for the tree: where ngio_x wrote translations of centres, they are meant."""
    path = image_at(tmp_path / "image.zarr", origin=4.0, frame="center")
    nx.write_rois(path, "fields", [nx.Roi.from_values({"y": (4.5, 1.0), "x": (4.0, 0.5)}, "a")])
    table = pd.read_csv(path / "tables/fields/table.csv").iloc[0]
    assert (table.x_micrometer, table.y_micrometer) == (0.0, 0.5)


@pytest.mark.parametrize(
    ("unit", "factor"), [("nanometer", 1000.0), ("millimeter", 1e-3), ("angstrom", 1e4), ("micrometer", 1.0)]
)
def test_lengths_are_converted(tmp_path, unit, factor):
    """A table holds micrometers whatever the image is in."""
    path = image_at(tmp_path / "image.zarr", "zyx", size=0.5 * factor, unit=unit)
    roi = nx.Roi.from_values(dict.fromkeys("zyx", (1.5 * factor, 2.0 * factor)), "a")
    nx.write_rois(path, "fields", [roi])
    table = pd.read_csv(path / "tables/fields/table.csv").iloc[0]
    assert table[1:].tolist() == [1.5, 1.5, 1.5, 2.0, 2.0, 2.0]
    assert nx.read_rois(path, "fields") == [roi]


def test_times_are_converted(tmp_path):
    """To seconds, from the start of the image; a time axis without a region's interval has no column."""
    image = nx.as_image(
        np.zeros((4, 8, 8), "u1"), ("t", "y", "x"), {"t": 2, "y": 1, "x": 1}, origin={"t": 10}, units={"t": "minute"}
    )
    nx.write_ome_zarr(image, tmp_path / "image.zarr", levels=1)
    roi = nx.Roi.from_values({"t": (12.0, 4.0), "y": (0, 1), "x": (0, 1)}, "a")
    nx.write_rois(tmp_path / "image.zarr", "fields", [roi])
    nx.write_rois(tmp_path / "image.zarr", "always", [roi.remove_slice("t")])
    table = pd.read_csv(tmp_path / "image.zarr/tables/fields/table.csv")
    assert table[["t_second", "len_t_second"]].iloc[0].tolist() == [120.0, 240.0]
    assert list(table.columns[-2:]) == ["t_second", "len_t_second"]
    assert nx.read_rois(tmp_path / "image.zarr", "fields") == [with_z(roi)]
    assert nx.read_rois(tmp_path / "image.zarr", "always") == [with_z(roi.remove_slice("t"))]


def test_a_region_without_z_holds_all_planes_of_a_stack(tmp_path):
    """Not the first micrometer: that would be another region."""
    path = image_at(tmp_path / "image.zarr", "zyx", origin={"z": 5.0})
    nx.write_rois(path, "fields", [roi_of("flat"), roi_of("thick").update_slice("z", (6.0, 1.0))])
    assert [roi["z"].bounds for roi in nx.read_rois(path, "fields")] == [(5.0, 9.0), (6.0, 7.0)]
    assert pd.read_csv(path / "tables/fields/table.csv").z_micrometer.tolist() == [0.0, 1.0]


def test_pixels_are_those_of_level_0(tmp_path):
    """World and pixel regions may stand side by side."""
    path = image_at(tmp_path / "image.zarr", size=0.25, origin=1.0)
    world = nx.Roi.from_values({"y": (1.5, 0.5), "x": (2.0, 0.25)}, "world")
    pixel = nx.Roi.from_values({"y": (2, 2), "x": (4, 1)}, "pixel", space="pixel")
    nx.write_rois(path, "fields", [world, pixel])
    first, second = nx.read_rois(path, "fields")
    assert set(first.slices) == set(second.slices)


def test_an_image_with_another_unit_is_refused(path):
    """Nothing is written to where it would be wrong."""
    document = json.loads((path / "zarr.json").read_text())
    document["attributes"]["ome"]["multiscales"][0]["axes"][0]["unit"] = "second"
    (path / "zarr.json").write_text(json.dumps(document))
    with (
        pytest.warns(NgioUserWarning),
        pytest.raises(NgioValidationError, match="axis 'y' of the image is in 'second'"),
    ):
        nx.write_rois(path, "fields", [roi_of()])
    assert not (path / "tables").exists()


# ---- Reading what others wrote


def written_csv(path, text, **attributes):
    """Put a csv table as others write it."""
    group = zarr.open_group(path / "tables", mode="a")
    group.attrs["tables"] = ["theirs"]
    table = group.create_group("theirs", overwrite=True)
    table.attrs.update({"backend": "csv", "type": "roi_table", "table_version": "1", **attributes})
    (path / "tables" / "theirs" / "table.csv").write_text(text)


HEADER = "FieldIndex,x_micrometer,y_micrometer,len_x_micrometer,len_y_micrometer"


def test_columns_may_be_missing_where_the_region_needs_none(path):
    """Without z there is none."""
    written_csv(path, f"{HEADER}\na,0,1,2,3\n")
    assert nx.read_rois(path, "theirs") == [nx.Roi.from_values({"y": (1, 3), "x": (0, 2)}, "a")]


def test_a_table_that_names_no_index_has_names_or_numbers(path):
    """Those of the column of names, if there is one."""
    written_csv(path, f"{HEADER}\na,0,1,2,3\n", type="generic_table")
    assert nx.read_rois(path, "theirs")[0].name == "a"
    written_csv(path, f"{HEADER}\n1,0,1,2,3\n2,0,1,2,3\n".replace("FieldIndex", "label"), type="feature_table")
    assert [(roi.name, roi.label) for roi in nx.read_rois(path, "theirs")] == [("0", 1), ("1", 2)]


@pytest.mark.parametrize("extra", [{}, {"index": 7}])
def test_an_index_that_has_no_name_is_no_column(path, extra):
    """The rows of an AnnData have one always: beside a column of names it says nothing."""
    nx.write_rois(path, "theirs", [roi_of("a", **extra)], table_type="generic_table", backend="anndata_v1")
    group = zarr.open_group(path / "tables" / "theirs", mode="r+")
    anndata = pytest.importorskip("anndata")
    obs = anndata.io.read_elem(group["obs"]).reset_index()
    anndata.io.write_elem(group, "obs", obs.set_index(obs.index.astype(str)), dataset_kwargs={"shards": None})
    group.attrs.put({key: value for key, value in group.attrs.items() if key != "index_key"})
    assert nx.read_rois(path, "theirs") == [with_z(roi_of("a", **extra))]


def test_a_table_before_backends_is_anndata(path):
    """As fractal-tasks-core wrote them: no index_key either, and X of float32."""
    anndata = pytest.importorskip("anndata.io")
    table = zarr.open_group(path / "tables" / "old", mode="w")
    table.attrs.update({"type": "roi_table", "table_version": "1", "encoding-type": "anndata"})
    columns = [f"{prefix}{axis}_micrometer" for prefix in ("", "len_") for axis in "xyz"]
    anndata.write_elem(table, "X", np.arange(6, dtype="f4")[np.newaxis] / 3, dataset_kwargs={"shards": None})
    for name, index in (("obs", pd.Index(["FOV_1"], name="FieldIndex")), ("var", pd.Index(columns))):
        anndata.write_elem(table, name, pd.DataFrame(index=index), dataset_kwargs={"shards": None})
    (roi,) = nx.read_rois(path, "old")
    assert (roi.name, roi["z"].start, roi["x"].length) == ("FOV_1", np.float32(2 / 3), 1.0)


@pytest.mark.parametrize(
    ("text", "attributes", "message"),
    [
        (
            "FieldIndex,area\na,3\n",
            {},
            "holds no regions: it has no column x_micrometer, y_micrometer, len_x_micrometer",
        ),
        (f"{HEADER}\na,zero,1,2,3\n", {}, "column 'x_micrometer' must hold numbers, got 'zero'"),
        (f"{HEADER}\na,0,1,2,3\nb,0,,2,3\n", {}, "column 'y_micrometer' has no number in row 1"),
        (f"{HEADER}\na,0,1,2,-3\n", {}, "region 0 ('a'): axis 'y': length must be ≥ 0, got -3.0"),
        (f"{HEADER}\na,0,1,2\n", {}, "row 1 has 4 fields where the header has 5"),
        (f"{HEADER},label\na,0,1,2,3,1.5\n", {}, "column 'label' must hold integers, got 1.5"),
        (f"{HEADER},label\na,0,1,2,3,x\n", {}, "column 'label' must hold integers, got 'x'"),
        (f"{HEADER},label\na,0,1,2,3,-4\n", {}, "label must be ≥ 0, got -4"),
        (f"{HEADER},name\na,0,1,2,3,b\n", {}, "'space', 'extra'), rename it"),
        (f"{HEADER}\na,0,1,2,3\n", {"index_key": "ROI"}, "it has no column ROI"),
        (f"{HEADER}\na,0,1,2,3\n", {"table_version": "2"}, "has version '2' of the specification, only '1' is read"),
        (f"{HEADER}\na,0,1,2,3\n", {"backend": "sql"}, "backend must be one of 'csv', 'json', 'parquet'"),
        (f"{HEADER}\na,0,1,2,3\n", {"backend": "parquet"}, "has no 'table.parquet', which its backend says it has"),
        (f"{HEADER}\na,0,1,2,3\n", {"backend": "json"}, "has no group 'table', which its backend says it has"),
        (f"{HEADER}\na,0,1,2,3\n", {"backend": "anndata_v1"}, "cannot be read: KeyError"),
    ],
)
def test_a_table_that_holds_no_regions_is_refused(path, text, attributes, message):
    """The message names the table, and what is wrong with it."""
    written_csv(path, text, **attributes)
    with pytest.raises(NgioValidationError, match=r"^table 'theirs' of ") as error:
        nx.read_rois(path, "theirs")
    assert message in str(error.value)


@pytest.mark.parametrize("chunk", ["X/c/0/0", "obs/FieldIndex/c/0"])
def test_missing_chunks_of_anndata_are_refused(path, chunk):
    """Zarr would read zeros, and regions would lie at the corner, or have no name."""
    nx.write_rois(path, "t", [roi_of("a", area=0.0, count=0), roi_of("b", area=0.0, count=0)], backend="anndata_v1")
    before = nx.read_rois(path, "t")
    (path / "tables/t/obs/count/c/0").unlink(missing_ok=True)  # zeros may be missing by right
    assert nx.read_rois(path, "t") == before
    (path / "tables/t" / chunk).unlink()
    with pytest.raises(NgioValidationError, match=f"'{chunk.split('/c/', maxsplit=1)[0].split('/')[-1]}' lacks 1 of 1"):
        nx.read_rois(path, "t")


def test_damaged_contents_are_refused(path):
    """Whatever the backend makes of them."""
    for backend, file in [("parquet", "table.parquet"), ("csv", "table.csv"), ("json", "table/zarr.json")]:
        nx.write_rois(path, backend, [roi_of()], backend=backend)
        (path / "tables" / backend / file).write_bytes(b"\xff\xfe not this")
        with pytest.raises(NgioValidationError, match=f"table '{backend}' of .* cannot be read"):
            nx.read_rois(path, backend)
    for place in ("X/c/0/0", "obs/FieldIndex/c/0", "obs/FieldIndex/zarr.json"):
        nx.write_rois(path, "anndata", [roi_of()], backend="anndata_v1", overwrite=True)
        (path / "tables/anndata" / place).write_bytes(b"not this")
        with pytest.raises(NgioValidationError, match=r"table 'anndata' of .* cannot be read"):
            nx.read_rois(path, "anndata")
    nx.write_rois(path, "lists", [roi_of()], backend="json")
    zarr.open_group(path / "tables/lists/table", mode="r+").attrs["x_micrometer"] = 3
    with pytest.raises(NgioValidationError, match="column 'x_micrometer' must be a list, got 3"):
        nx.read_rois(path, "lists")
    zarr.open_group(path / "tables/lists/table", mode="r+").attrs["x_micrometer"] = [3, 4]
    with pytest.raises(NgioValidationError, match=r"columns of different lengths: \[1, 2\]"):
        nx.read_rois(path, "lists")


# ---- What is refused on writing


@pytest.mark.parametrize(
    ("rois", "message"),
    [
        (
            [roi_of().update_slice("x", slice(1, None))],
            "'a': open-ended along 'x', which a table cannot say: give bounds",
        ),
        ([roi_of().update_slice("z", slice(None))], "'a': open-ended along 'z', .* or remove_slice\\('z'\\)"),
        ([roi_of().update_slice("c", 0)], "'a': a table has no column for axis 'c': remove_slice\\('c'\\) first"),
        ([nx.Roi.from_values({"z": (0, 1), "x": (0, 1)}, "a")], "'a': without an interval along 'y'"),
        ([roi_of(), roi_of("b").update_slice("t", (0, 1))], "'a': without an interval along 't', which others have"),
        ([roi_of(), roi_of("b"), roi_of()], "'a': more than one region of that name"),
        ([roi_of(), roi_of("b", 4)], "'a': without a label, which others have: give all of them one, or none"),
        ([roi_of(label=3), roi_of("b", 3)], "label 3: more than one region has it: give each object its own"),
        ([roi_of(label=2**64)], "'a': the label is too large"),
        ([roi_of(n=1), roi_of("b", n="x")], r"extra 'n': a column holds .* got int \('a'\), str \('b'\)"),
        (
            [roi_of(n=[1, 2])],
            r"extra 'n': a column holds text, numbers or booleans, one kind of them, got tuple \('a'\)",
        ),
        ([roi_of(n=True), roi_of("b", n=1)], r"extra 'n': .* got bool \('a'\), int \('b'\)"),
        ([roi_of(n=2**64)], "extra 'n': integers beyond 64 bits"),
        ([roi_of(n=2**63), roi_of("b", n=-1)], "extra 'n': integers beyond 64 bits"),
        ([roi_of(x_micrometer=3)], "extra 'x_micrometer': is the name of a column that a table has anyway"),
        ([roi_of(FieldIndex="b")], "extra 'FieldIndex': is the name of a column"),
        ([roi_of(half="\ud800")], "extra .half. is no Unicode"),
        ([roi_of("\ud800")], "a name is no Unicode"),
    ],
)
def test_regions_that_do_not_fit_are_refused_by_name(path, rois, message):
    """Nothing is written; the message says what to do."""
    with pytest.raises(NgioValidationError, match=message):
        nx.write_rois(path, "fields", rois)
    assert not (path / "tables").exists()


def test_objects_without_their_own_label_are_refused(path):
    """A masking table has a row an object."""
    options = {"table_type": "masking_roi_table", "label": "nuclei"}
    with pytest.raises(NgioValidationError, match="'a': without a label, which each row of a masking table has"):
        nx.write_rois(path, "cells", [roi_of()], **options)
    with pytest.raises(NgioValidationError, match="label 3: more than one region has it: give each object its own"):
        nx.write_rois(path, "cells", [roi_of("a", 3), roi_of("b", 3)], **options)
    nx.write_rois(path, "cells", [roi_of("a", 3), roi_of("a", 4)], **options)
    assert [roi.name for roi in nx.read_rois(path, "cells")] == ["a", "a"]


def test_all_that_does_not_fit_is_said_at_once(path):
    """And of many regions, three."""
    rois = [roi_of(str(k)).update_slice("y", slice(None)).update_slice("c", 0) for k in range(5)]
    with pytest.raises(NgioValidationError) as error:
        nx.write_rois(path, "fields", [*rois, roi_of("a", odd=b"x"), roi_of("a")])
    assert len(error.value.problems) == 4
    assert "'0', '1', '2' and 2 more: open-ended along 'y'" in str(error.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"table_type": "feature_table"}, "table_type must be one of"),
        ({"backend": "sql"}, "backend must be one of"),
        ({"backend": None}, "backend must be one of"),
        ({"frame": "middle"}, "frame must be"),
        ({"label": "nuclei"}, "is for masking tables: pass table_type='masking_roi_table'"),
        ({"table_type": "masking_roi_table"}, "a masking table needs label="),
        ({"table_type": "masking_roi_table", "label": "cells"}, r"has no label image 'cells', only \('nuclei',\)"),
        ({"name": "a/b"}, "one path segment"),
        ({"name": "../a"}, "one path segment"),
        ({"name": ".zattrs"}, "one path segment"),
        ({"name": "zarr.json"}, "one path segment"),
        ({"name": ""}, "the name of a table"),
        ({"name": 3}, "one path segment"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(path, options, message):
    """Before anything is written."""
    name = options.pop("name", "fields")
    with pytest.raises(NgioValueError, match=message):
        nx.write_rois(path, name, [roi_of(label=1)], **options)
    assert not (path / "tables").exists()


@pytest.mark.parametrize("name", ["a/b", "", "_index"])
def test_anndata_refuses_names_that_it_has_no_place_for(path, name):
    """Other backends have none to refuse."""
    with pytest.raises(NgioValueError, match="cannot be called so in an anndata table: take another backend"):
        nx.write_rois(path, "fields", [roi_of(**{name: "x"})], backend="anndata_v1")
    for backend in ("csv", "json", "parquet"):
        nx.write_rois(path, backend, [roi_of(**{name: "x"})], backend=backend)
        assert nx.read_rois(path, backend)[0].extra == {name: "x"}


def test_other_things_than_regions_are_refused(path):
    """Also a region by itself."""
    for rois in (roi_of(), [roi_of(), "b"], 3, None):
        with pytest.raises(NgioTypeError, match=r"must be (several )?regions"):
            nx.write_rois(path, "fields", rois)


@pytest.mark.parametrize(("backend", "module"), [("parquet", "pyarrow"), ("anndata_v1", "anndata")])
def test_what_is_not_installed_is_named(path, monkeypatch, backend, module):
    """With the extra that installs it; what needs it is loaded on use only."""
    nx.write_rois(path, "fields", [roi_of()], backend=backend)
    for name in [name for name in sys.modules if name.partition(".")[0] == module]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    for attempt in (
        lambda: nx.write_rois(path, "b", [roi_of()], backend=backend),
        lambda: nx.read_rois(path, "fields"),
    ):
        with pytest.raises(NgioValueError, match=rf"need {module}: pip install 'ngio-x\[tables\]'"):
            attempt()
    assert nx.list_tables(path) == ["fields"]


def test_inputs_are_untouched(path):
    """Regions, their extras and their list are as before."""
    rois = [roi_of("a", 1, note="x", n=1), roi_of("b", 2, n=0.5)]
    before = copy.deepcopy(rois)
    nx.write_rois(path, "fields", rois)
    assert rois == before
    assert [type(roi.extra["n"]) for roi in rois] == [int, float]


def test_an_iterator_will_do(path):
    """It is consumed once."""
    nx.write_rois(path, "fields", (roi_of(name) for name in "ab"))
    assert [roi.name for roi in nx.read_rois(path, "fields")] == ["a", "b"]


# ---- Lists


def test_tables_are_listed(path):
    """In order, or only those of a type; those of others, too."""
    assert nx.list_tables(path) == []
    nx.write_rois(path, "b", [roi_of()])
    nx.write_rois(path, "a", [roi_of(label=1)], table_type="masking_roi_table", label="nuclei")
    group = zarr.open_group(path / "tables", mode="r+")
    group.create_group("measured", attributes={"type": "feature_table", "backend": "csv"})
    group.attrs["tables"] = ["b", "a", "measured"]
    assert nx.list_tables(path) == ["b", "a", "measured"]
    assert nx.list_tables(path, table_type="masking_roi_table") == ["a"]
    assert nx.list_tables(path, table_type="feature_table") == ["measured"]
    nx.write_rois(path, "c", [roi_of()])
    assert nx.list_tables(path) == ["b", "a", "measured", "c"]


def test_a_list_that_is_none_is_refused(path):
    """Instead of being written over."""
    zarr.open_group(path / "tables", mode="a").attrs["tables"] = {"a": 1}
    for attempt in (lambda: nx.list_tables(path), lambda: nx.write_rois(path, "a", [roi_of()])):
        with pytest.raises(NgioValidationError, match="must list the names of tables"):
            attempt()


def test_a_table_that_is_not_there_is_named_with_those_that_are(path):
    """None, or some."""
    with pytest.raises(NgioFileNotFoundError, match="has no table of the name 'a', nor any other"):
        nx.read_rois(path, "a")
    nx.write_rois(path, "b", [roi_of()])
    with pytest.raises(NgioFileNotFoundError, match="has no table of the name 'a', choose from 'b'"):
        nx.read_rois(path, "a")
    with pytest.raises(NgioFileNotFoundError):
        nx.list_tables(path / "elsewhere")
    shutil.rmtree(path / "tables/b")
    with pytest.raises(NgioFileNotFoundError, match="lists a table 'b', of which there is nothing"):
        nx.read_rois(path, "b")


def test_a_table_is_replaced_only_when_asked(path):
    """Then nothing of the old one remains, be it of another backend."""
    nx.write_rois(path, "a", [roi_of("old")], backend="anndata_v1")
    with pytest.raises(NgioFileExistsError, match="has a table 'a' already: pass overwrite=True to replace it"):
        nx.write_rois(path, "a", [roi_of("new")])
    assert nx.read_rois(path, "a")[0].name == "old"
    nx.write_rois(path, "a", [roi_of("new")], overwrite=True)
    assert nx.read_rois(path, "a")[0].name == "new"
    assert sorted(file.name for file in (path / "tables" / "a").iterdir()) == ["table.csv", "zarr.json"]
    assert nx.list_tables(path) == ["a"]


def test_no_image_no_table(tmp_path):
    """A well, a plate or something else has no level 0 that regions count from."""
    group = zarr.create_group(tmp_path / "a.zarr")
    for attempt in (lambda: nx.write_rois(group, "a", [roi_of()]), lambda: nx.read_rois(group, "a")):
        with pytest.raises(NgioError):
            attempt()
