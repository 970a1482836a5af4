"""Wells, plates and collections of images."""

import json
import shutil

import numpy as np
import pytest
import xarray as xr
import zarr
from numpy.testing import assert_array_equal

import ngio_x as nx
from ngio_x.errors import NgioUserWarning, NgioValidationError, NgioValueError
from ngio_x.ngff.attributes import ZARR_FORMATS, write_attributes
from ngio_x.ngff.documents import Acquisition, Plate, PlateWell, Well, WellImage

ENGINE = "ome-zarr"


def pixels(row, column, field):
    return np.full((24, 32), 100 * row + 10 * column + field, "u2")


def described(path, document, version):
    group = zarr.open_group(path, mode="a", zarr_format=ZARR_FORMATS[version])
    group.attrs.update(write_attributes(document, version))


def write_plate(path, rows=("B", "C"), columns=("03", "04"), fields=("0", "1"), version="0.5"):
    wells = [PlateWell(f"{row}/{column}", i, j) for i, row in enumerate(rows) for j, column in enumerate(columns)]
    runs = (Acquisition(id=0, name="first"),)
    described(path, Plate(rows=rows, columns=columns, wells=wells, name="screen", acquisitions=runs), version)
    for well in wells:
        described(path / well.path, Well(images=[WellImage(field, acquisition=0) for field in fields]), version)
        for number, field in enumerate(fields):
            values = pixels(well.row_index, well.column_index, number)
            nx.write_ome_zarr(
                nx.as_image(values, "yx", 0.5), path / well.path / field, version=version, levels=2, name=field
            )
    return path


@pytest.fixture(params=["0.4", "0.5"])
def version(request):
    return request.param


@pytest.fixture
def plate(tmp_path, version):
    write_plate(tmp_path / "plate.zarr", version=version)
    labels = nx.as_labels(np.eye(24, 32, dtype="u4"), "yx", 0.5)
    nx.write_labels(labels, tmp_path / "plate.zarr" / "B" / "03" / "0", "nuclei")
    return tmp_path / "plate.zarr"


def test_a_plate_is_a_tree_of_wells_and_images(plate, version):
    """By row, column and field; what the documents say is at their nodes."""
    tree = nx.open_ome_zarr(plate)
    assert list(tree.children) == ["B", "C"]
    assert list(tree["B"].children) == ["03", "04"]
    assert list(tree["B/03"].children) == ["0", "1"]
    assert list(tree["B/03/0"].children) == ["0", "1", "labels"]
    assert_array_equal(tree["C/04/1/0/image"], pixels(1, 1, 1))
    assert tree["B/03/0/labels/nuclei/0/nuclei"].attrs["role"] == "labels"
    assert json.loads(tree.attrs["plate"])["columns"] == ["03", "04"]
    assert json.loads(tree.attrs["plate"])["acquisitions"][0]["name"] == "first"
    assert json.loads(tree["B/03"].attrs["well"])["images"][1] == {"path": "1", "acquisition": 0}
    assert tree["B/03/1"].attrs["name"] == "1"
    assert {tree[node].attrs["version"] for node in ("/", "/B/03", "/B/03/0")} == {version}


def test_the_engine_gives_the_same_tree(plate):
    """Read without dask."""
    tree = xr.open_datatree(plate, engine=ENGINE)
    xr.testing.assert_identical(tree, nx.open_ome_zarr(plate))
    assert tree["B/03/0/0/image"].chunks is None
    assert xr.backends.plugins.guess_engine(plate) == ENGINE


def test_a_well_is_a_tree_of_images(plate):
    """By field; so is a single image of it."""
    tree = nx.open_ome_zarr(plate / "C" / "03")
    assert tree.groups == ("/", "/0", "/1", "/0/0", "/0/1", "/1/0", "/1/1")
    assert_array_equal(tree["1/0/image"], pixels(1, 0, 1))
    assert_array_equal(nx.open_ome_zarr(plate / "C" / "03" / "1")["0/image"], pixels(1, 0, 1))


@pytest.mark.parametrize(
    ("pattern", "images"),
    [
        ("B/*/0", ["/B/03/0", "/B/04/0"]),
        ("*/0", ["/B/03/0", "/B/04/0", "/C/03/0", "/C/04/0"]),
        ("C/04/1", ["/C/04/1"]),
        ("[BC]/03/0", ["/B/03/0", "/C/03/0"]),
    ],
)
def test_images_are_chosen_by_a_pattern(plate, pattern, images):
    """Wells without any are left out, and others are not read."""
    shutil.rmtree(plate / "B" / "04" / "1")
    for tree in (nx.open_ome_zarr(plate, images=pattern), xr.open_datatree(plate, engine=ENGINE, images=pattern)):
        levels = [node.path for node in tree.subtree if node.name == "1" and node.data_vars and "image" in node]
        assert levels == [f"{image}/1" for image in images]
        assert all(node.data_vars for node in tree.leaves)


def test_a_pattern_of_nothing_is_an_error(plate):
    """An empty tree would be found out much later."""
    with pytest.raises(NgioValueError, match=r"images='Q/\*' matches no image: they have paths such as 'B/03/0'"):
        nx.open_ome_zarr(plate, images="Q/*")
    with pytest.raises(NgioValueError, match="they have paths such as '0'"):
        nx.open_ome_zarr(plate / "B" / "03", images="B/*")


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("B/04", "there is no zarr group at .*B/04"),
        ("C/03/1", "there is no zarr group at .*C/03/1"),
        ("C/03/1/1", "C/03/1 has no array '1', which its metadata names"),
        ("B/03/0/labels/nuclei", "B/03/0/labels lists the labels 'nuclei', but has no such group"),
    ],
)
def test_what_is_missing_is_named(plate, missing, message):
    """One error, by the first of them."""
    shutil.rmtree(plate / missing)
    shutil.rmtree(plate / "C" / "04", ignore_errors=True)
    with pytest.raises((NgioValidationError, FileNotFoundError), match=message):
        nx.open_ome_zarr(plate)


def test_a_well_where_an_image_should_be_is_named(plate, version):
    """And an image where a well should be."""
    described(plate / "B" / "03", Plate(rows=["A"], columns=["1"], wells=[PlateWell("A/1", 0, 0)]), version)
    with pytest.raises(NgioValidationError, match="B/03 is no well, though its plate lists it as one"):
        nx.open_ome_zarr(plate)


def test_datasets_of_a_plate_are_opened_by_path(plate):
    """The engine says how."""
    with pytest.raises(
        NgioValueError, match=r"there are 8 images, such as \['B/03/0', .*: open one by its path, or all"
    ):
        xr.open_dataset(plate, engine=ENGINE)
    with pytest.raises(NgioValueError, match="there are 2 images"):
        xr.open_dataarray(plate / "B" / "03", engine=ENGINE)
    assert xr.open_dataarray(plate / "B" / "03" / "0", engine=ENGINE, level=1).shape == (12, 16)


def test_verbs_work_on_plates(plate):
    """A crop and a function reach every image; a level is chosen of one."""
    tree = nx.open_ome_zarr(plate)
    pieces = nx.crop(tree, nx.Roi.from_values({"y": (2, 4), "x": (1, 3)}, None))
    assert pieces["C/04/1/1/image"].shape == (4, 3)
    assert pieces["B/03/0/labels/nuclei/0/nuclei"].shape == (8, 6)
    doubled = nx.map_levels(tree, lambda image: image * 2)
    assert_array_equal(doubled["C/04/1/0/image"], 2 * pixels(1, 1, 1))
    assert nx.level_for(tree["B/03/1"], pixel_size=1).name == "1"
    assert nx.level_for(nx.open_ome_zarr(plate, images="B/03/1"), pixel_size=1).path == "/B/03/1/1"


def test_unfinished_work_on_an_image_of_a_plate_is_told(plate):
    """As when the image is opened by itself."""
    mark = plate / "B" / "03" / "0" / "1" / ".ngio_x-rebuilding"
    mark.mkdir()
    (mark / "run.json").write_text("{}")
    with pytest.warns(NgioUserWarning, match="B/03/0/1 is being rebuilt"):
        nx.open_ome_zarr(plate)


@pytest.mark.filterwarnings("ignore::Warning")
def test_plates_of_ngio_open(tmp_path, version):
    """Written by `ngio.create_empty_plate`."""
    ngio = pytest.importorskip("ngio")
    path = tmp_path / "plate.zarr"
    images = [ngio.ImageInWellPath(row="B", column=column, path="0") for column in ("03", "11")]
    plate = ngio.create_empty_plate(path, name="screen", images=images, ngff_version=version)
    for number, image in enumerate(plate.images_paths()):
        ngio.create_ome_zarr_from_array(
            path / image, pixels(1, number, 0), pixelsize=0.5, axes_names=["y", "x"], levels=2, ngff_version=version,
            overwrite=True,
        )  # fmt: skip
    tree = nx.open_ome_zarr(path)
    assert [node.path for node in tree.leaves] == ["/B/03/0/0", "/B/03/0/1", "/B/11/0/0", "/B/11/0/1"]
    assert_array_equal(tree["B/11/0/0/image"], pixels(1, 1, 0))
    assert json.loads(tree.attrs["plate"])["name"] == "screen"
    assert nx.pixel_size_of(tree["B/11/0"]).x == 0.5


@pytest.mark.parametrize(
    ("series", "message"),
    [
        (["s0", "s1"], r"is a collection of 2 images that belong to no plate: open one of them, such as .*a\.zarr/s0"),
        (None, r"is a collection of images that belong to no plate: open one of them, such as .*a\.zarr/0"),
        ("s0", r"such as .*a\.zarr/0"),
    ],
)
@pytest.mark.parametrize("key", [None, "ome"])
def test_collections_of_bioformats2raw_name_an_image(tmp_path, series, message, key):
    """They are no image; the list of series says which there are."""

    def attributes(plain):
        return plain if key is None else {key: {"version": "0.5", **plain}}

    group = zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=2 if key is None else 3)
    group.attrs.update(attributes({"bioformats2raw.layout": 3}))
    if series is not None:
        group.create_group("OME").attrs.update(attributes({"series": series}))
    with pytest.raises(NgioValidationError, match=message):
        nx.open_ome_zarr(tmp_path / "a.zarr")
    with pytest.raises(NgioValidationError, match=message):
        xr.open_datatree(tmp_path / "a.zarr")


def test_a_collection_that_is_a_plate_opens_as_one(plate, version):
    """As bioformats2raw writes plates."""
    group = zarr.open_group(plate, mode="a")
    said = group.attrs.asdict()
    (said if version == "0.4" else said["ome"])["bioformats2raw.layout"] = 3
    group.attrs.put(said)
    assert len(nx.open_ome_zarr(plate)["B/03"].children) == 2


def test_a_plate_reads_no_more_than_its_documents(plate):
    """Without the chunks."""
    for file in plate.rglob("*"):
        if file.is_file() and not file.name.startswith((".z", "zarr.json")):
            file.unlink()
    assert len(nx.open_ome_zarr(plate)["B"].children) == 2
