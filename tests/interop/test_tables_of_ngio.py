"""Tables that versions of ngio wrote, read by ngio_x; and tables that ngio_x wrote, read and written again by ngio."""

import json
import tarfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import ngio_x as nx
from ngio_x.cli.demo import segment
from ngio_x.testing import samples
from tests.interop.conftest import imported, quiet

GOLDEN = Path(__file__).parents[1] / "data" / "tables"
ARCHIVES = sorted(GOLDEN.glob("*.tar.xz"))
BACKENDS = ["csv", "json", "parquet", "anndata_v1"]

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    ngio = imported("ngio")
    ngio_common, ngio_tables = imported("ngio.common"), imported("ngio.tables")


def case_of(archive):
    return archive.name.removesuffix(".tar.xz")


@pytest.fixture(scope="module", params=ARCHIVES, ids=case_of)
def golden(request, tmp_path_factory):
    """An image with tables of one version of ngio in one zarr format, and what that version read of them."""
    folder = tmp_path_factory.mktemp(case_of(request.param))
    with tarfile.open(request.param) as archive:
        archive.extractall(folder, filter="data")
    expected = json.loads((GOLDEN / f"{case_of(request.param)}.json").read_text(encoding="utf-8"))
    return case_of(request.param), folder / "image", expected


def expected_roi(row, *, called_by_column):
    """Return a region as ngio read it. Rows of a table without an index it calls by number, not by their name."""
    extra = {key: value for key, value in row["extra"].items() if value is not None}
    name = extra.pop("FieldIndex") if called_by_column else row["name"]
    return nx.Roi.from_values(
        {axis: tuple(bounds) for axis, bounds in row["slices"].items()}, name, row["label"], **extra
    )


def test_what_versions_of_ngio_wrote_is_read_exactly(golden):
    """Every type and backend: bounds bit for bit, names, labels, extras of each type."""
    case, image, expected = golden
    assert sorted(nx.list_tables(image)) == sorted(expected)
    assert len(expected) >= 4 * 4
    for name, rows in expected.items():
        wanted = [expected_roi(row, called_by_column="FieldIndex" in row["extra"]) for row in rows]
        found = nx.read_rois(image, name)
        if case.startswith("ngio-0.4") and name.endswith("csv"):  # pandas reads 1428.5714285714287 as …429
            assert [roi.update_slice("x", slice(None)) for roi in found] == [
                roi.update_slice("x", slice(None)) for roi in wanted
            ]
            bounds = [np.array([roi["x"].bounds for roi in rois]) for rois in (found, wanted)]
            np.testing.assert_array_max_ulp(*bounds, maxulp=1)
        else:
            assert found == wanted, name
        for ours, theirs in zip(found, wanted, strict=True):
            kinds = [{key: type(value) for key, value in roi.extra.items()} for roi in (ours, theirs)]
            assert kinds[0] == kinds[1], name


def test_golden_tables_have_all_types_and_formats():
    """Three versions, both formats."""
    assert [case_of(archive) for archive in ARCHIVES] == [
        "ngio-0.4.8-zarr2",
        "ngio-0.5.14-zarr2",
        "ngio-0.5.14-zarr3",
        "ngio-1.1.3-zarr2",
        "ngio-1.1.3-zarr3",
    ]


def test_a_table_of_ngio_is_replaced(golden):
    """Nothing of theirs remains, the others stay."""
    _, image, expected = golden
    rois = nx.read_rois(image, "roi_anndata_v1")
    nx.write_rois(image, "roi_anndata_v1", rois, backend="json", overwrite=True)
    assert nx.read_rois(image, "roi_anndata_v1") == rois
    assert sorted(nx.list_tables(image)) == sorted(expected)
    assert not (image / "tables" / "roi_anndata_v1" / "X").exists()


# ---- Written by ngio_x


@pytest.fixture(params=["0.4", "0.5"])
def path(tmp_path, request):
    image = nx.as_image(np.zeros((4, 3, 16, 16), "u2"), tuple("tzyx"), {"t": 2.0, "z": 1.0, "y": 0.5, "x": 0.5})
    nx.write_ome_zarr(image, tmp_path / "a.zarr", version=request.param, levels=1)
    labels = nx.as_labels(np.ones((4, 3, 16, 16), "u4"), like=image, dims=tuple("tzyx"))
    nx.write_labels(labels, tmp_path / "a.zarr", "nuclei")
    return tmp_path / "a.zarr"


def from_ngio(roi):
    """Return a region of ngio as one of ours; what it does not know (None, NaN, NA) is left out."""
    slices = {each.axis_name: (each.start, each.length) for each in roi.slices}
    extra = {
        key: value.item() if hasattr(value, "item") else value
        for key, value in (roi.model_extra or {}).items()
        if not pd.isna(value)
    }
    return nx.Roi.from_values(slices, roi.name, roi.label, **extra)


ROIS = [
    nx.Roi.from_values({"t": (0, 4), "z": (0.5, 2), "y": (1 / 3, 2.5), "x": (0.1, 3)}, name, label, **extra)
    for name, label, extra in [
        ("FOV_1", 4, {"text": 'é, "q"\n\'', "count": 3, "whole": 2.0, "part": 0.1, "yes": True}),
        ("well 2", 2**53 + 1, {"text": "b", "count": -4, "whole": 1.0, "part": 1e-300, "yes": False}),
    ]
]


@quiet
def read_by_ngio(path, name):
    return [from_ngio(roi) for roi in ngio.open_ome_zarr_container(path).get_table(name).rois()]


@pytest.mark.parametrize("backend", BACKENDS)
def test_ngio_reads_places(path, backend):
    """Bounds bit for bit, names, labels, extras; with types."""
    nx.write_rois(path, "fields", ROIS, backend=backend)
    found = read_by_ngio(path, "fields")
    assert found == ROIS == nx.read_rois(path, "fields")
    assert [{key: type(value) for key, value in roi.extra.items()} for roi in found] == [
        {key: type(value) for key, value in roi.extra.items()} for roi in ROIS
    ]
    table = quiet(ngio.open_ome_zarr_container)(path).get_table("fields")
    assert (type(table), table.backend_name) == (ngio_tables.RoiTable, backend)


@pytest.mark.parametrize("backend", BACKENDS)
def test_ngio_reads_objects(path, backend):
    """And which label image they are of."""
    rois = [nx.Roi(str(label), ROIS[0].slices, label, extra={"area": label / 2}) for label in (7, 2, 2**40)]
    nx.write_rois(path, "cells", rois, table_type="masking_roi_table", label="nuclei", backend=backend)
    assert read_by_ngio(path, "cells") == rois == nx.read_rois(path, "cells")
    table = quiet(ngio.open_ome_zarr_container)(path).get_masking_roi_table("cells")
    assert table.reference_label == "nuclei"
    assert from_ngio(table.get_label(2)) == rois[1]


@pytest.mark.parametrize("backend", BACKENDS)
def test_ngio_reads_generic_tables(path, backend):
    """As data frames, and as regions."""
    nx.write_rois(path, "any", ROIS, table_type="generic_table", backend=backend)
    container = quiet(ngio.open_ome_zarr_container)(path)
    assert type(container.get_table("any")) is ngio_tables.GenericTable
    rois = container.get_table_as("any", ngio_tables.GenericRoiTable).rois()
    assert [from_ngio(roi) for roi in rois] == ROIS


@pytest.mark.parametrize("backend", BACKENDS)
def test_ngio_reads_empty_tables_and_those_with_gaps(path, backend):
    """Missing text is empty text to it, in csv."""
    nx.write_rois(path, "none", [], backend=backend)
    nx.write_rois(
        path, "gaps", [nx.Roi("a", ROIS[0].slices), nx.Roi("b", ROIS[0].slices, extra=ROIS[0].extra)], backend=backend
    )
    assert read_by_ngio(path, "none") == []
    without, full = read_by_ngio(path, "gaps")
    assert full.extra == ROIS[0].extra
    assert dict(without.extra) in ({}, {"text": ""})


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_ngio_writes_again_is_read(path, backend):
    """Another region in it; our attributes are theirs."""
    nx.write_rois(path, "fields", [nx.Roi(roi.name, roi.slices, roi.label) for roi in ROIS], backend=backend)
    container = quiet(ngio.open_ome_zarr_container)(path)
    table = container.get_roi_table("fields")
    added = ngio_common.Roi.from_values(dict.fromkeys("tzyx", (1.0, 2.5)), name="new", label=1)
    quiet(table.add)(added)
    quiet(table.consolidate)()
    assert [roi.name for roi in nx.read_rois(path, "fields")] == ["FOV_1", "well 2", "new"]
    assert nx.read_rois(path, "fields")[2] == from_ngio(added)


@pytest.mark.parametrize("backend", BACKENDS)
def test_ngio_adds_tables_to_ours(path, backend):
    """And both list all of them."""
    nx.write_rois(path, "ours", ROIS, backend=backend)
    container = quiet(ngio.open_ome_zarr_container)(path)
    roi = ngio_common.Roi.from_values({"z": (0.0, 1.0), "y": (1.0, 2.0), "x": (1 / 3, 2.0)}, name="a")
    quiet(container.add_table)("theirs", ngio_tables.RoiTable(rois=[roi]), backend=backend)
    assert nx.list_tables(path) == ["ours", "theirs"] == quiet(ngio.open_ome_zarr_container)(path).list_tables()
    assert nx.read_rois(path, "theirs") == [from_ngio(roi)]


def test_ngio_reads_the_pixels_that_were_meant(tmp_path):
    """In an image that ngio places at 0, in nanometers: the region of ours, and of its own, hold the same pixels."""
    pixels = samples.noise((32, 32), high=60000)
    image = nx.as_image(pixels, ("y", "x"), 250.0, origin={"y": 5000, "x": -1000}, units="nanometer")
    nx.write_ome_zarr(image, tmp_path / "a.zarr", levels=1)
    roi = nx.Roi.from_values({"y": (6000.0, 1500.0), "x": (-250.0, 2000.0)}, "a")
    nx.write_rois(tmp_path / "a.zarr", "fields", [roi])
    assert np.array_equal(nx.crop(image, roi), pixels[4:10, 3:11])
    (theirs,) = quiet(ngio.open_ome_zarr_container)(tmp_path / "a.zarr").get_roi_table("fields").rois()
    pixel_size = {"x": 0.25, "y": 0.25}  # ngio takes the numbers of the pixel size for micrometers
    window = {each.axis_name: each for each in theirs.slices}
    found = [
        slice(round(window[axis].start / size), round((window[axis].start + window[axis].length) / size))
        for axis, size in (("y", pixel_size["y"]), ("x", pixel_size["x"]))
    ]
    assert np.array_equal(pixels[tuple(found)], pixels[4:10, 3:11])


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_nuclei_of_the_demo_are_the_same_boxes_to_ngio(tmp_path, monkeypatch, backend):
    """Segmented, measured, written, and asked for by ngio."""
    monkeypatch.chdir(tmp_path)
    image = samples.nuclei().image
    nx.write_ome_zarr(image, "demo.zarr", name="demo")
    nuclei = segment(image.sel(c="DNA"))
    nx.write_labels(nuclei, "demo.zarr", "nuclei")
    rois = nx.compute_masking_roi(nuclei)
    nx.write_rois("demo.zarr", "nuclei", rois, table_type="masking_roi_table", label="nuclei", backend=backend)
    table = quiet(ngio.open_ome_zarr_container)("demo.zarr").get_masking_roi_table("nuclei")
    found = [from_ngio(roi).remove_slice("z") for roi in table.rois()]
    assert len(found) > 250
    assert found == rois
