import json
import shutil

import numpy as np
import pytest
import xarray as xr

import ngio_x as nx
from ngio_x.errors import NgioValidationError, NgioValueError
from ngio_x.testing.samples import noise


def image_pixels():
    return noise((2, 30, 44), high=99)


def image(**options):
    return nx.as_image(image_pixels(), "cyx", {"y": 0.5, "x": 0.25}, channels=["a", "b"], name="cells", **options)


@pytest.fixture
def path(tmp_path):
    nx.write_ome_zarr(image(), tmp_path / "a.zarr", levels=2, chunks={"y": 16, "x": 16})
    nx.write_labels(nx.as_labels(image()[0] // 50, channels=None).drop_vars("c"), tmp_path / "a.zarr", "big")
    return tmp_path / "a.zarr"


def edit(group, change):
    file = group / "zarr.json"
    document = json.loads(file.read_text())
    change(document["attributes"])
    file.write_text(json.dumps(document))


def test_the_tree_has_the_documented_nodes(path):
    """Levels at the root, labels below, each with its path on disk."""
    tree = nx.open_ome_zarr(path)
    assert sorted(node.path for node in tree.subtree) == [
        "/", "/0", "/1", "/labels", "/labels/big", "/labels/big/0", "/labels/big/1",
    ]  # fmt: skip
    assert [tree[node].attrs["path"] for node in ("0", "1", "labels/big/0")] == ["0", "1", "0"]
    assert list(tree["0"].data_vars) == ["image"]
    assert tree.name == "cells"


def test_facts_of_the_metadata_are_attributes(path):
    """Version and name, as plain JSON values; what belongs to channels goes with these."""
    attrs = nx.open_ome_zarr(path).attrs
    assert (attrs["version"], attrs["name"]) == ("0.5", "cells")
    assert "channels" not in attrs
    json.dumps(attrs)


def test_a_name_with_slashes_is_no_name_of_a_node(tmp_path):
    """But it is in the attributes, and written again."""
    image = nx.as_image(np.zeros((8, 8), "u1"), "yx", name="B/03/0")
    nx.write_ome_zarr(image, tmp_path / "a.zarr")
    tree = nx.open_ome_zarr(tmp_path / "a.zarr")
    assert (tree.name, tree.attrs["name"]) == (None, "B/03/0")
    nx.write_ome_zarr(tree, tmp_path / "b.zarr")
    assert xr.open_datatree(tmp_path / "b.zarr", engine="ome-zarr").attrs["name"] == "B/03/0"


def test_no_pixel_is_read(path):
    """Opening works without the chunks, and arrays are lazy."""
    for level in "01":
        shutil.rmtree(path / level / "c")
    assert nx.open_ome_zarr(path)["0"]["image"].chunks is not None


def test_auto_chunks_are_whole_chunks_of_the_store(path):
    """No chunk is read twice."""
    for sizes, chunk in zip(nx.open_ome_zarr(path)["0"]["image"].chunks, (1, 16, 16), strict=True):
        assert all(size % chunk == 0 for size in sizes[:-1])


def test_chunks_may_be_given_by_axis(path):
    """Axes that are not named have the chunks of the store."""
    assert nx.open_ome_zarr(path, chunks={"y": 10})["0"]["image"].chunks == ((1, 1), (10,) * 3, (16, 16, 12))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"chunks": {"q": 1}}, "chunks names axis 'q', but the image has"),
        ({"chunks": "all"}, "chunks must be 'auto', sizes by axis, one for all axes, or None, got 'all'"),
        ({"chunks": {"y": 0}}, "chunks along axis 'y' must be ≥ 1, or -1 for all pixels, got 0"),
        ({"chunks": {"y": -2}}, "chunks along axis 'y' must be ≥ -1, got -2"),
        ({"chunks": {"y": 1.5}}, "chunks along axis 'y' must be an integer, got 1.5"),
        ({"chunks": {"y": "auto"}}, "chunks along axis 'y' must be an integer, got 'auto'"),
        ({"frame": "left"}, "frame must be one of 'corner', 'center', got 'left'"),
    ],
)
def test_bad_option_is_refused(path, options, message):
    """The message names it."""
    with pytest.raises(NgioValueError, match=message):
        nx.open_ome_zarr(path, **options)


def test_an_explicit_frame_wins_over_the_file(path):
    """Taken literally, translations are centres: everything moves down by half a pixel of level 0."""
    plain, literal = nx.open_ome_zarr(path), nx.open_ome_zarr(path, frame="center")
    for node, name in (("0", "image"), ("1", "image"), ("labels/big/1", "big")):
        for axis, half in (("y", 0.25), ("x", 0.125)):
            edges = [tree[node][name].xindexes[axis].lattice.edge for tree in (plain, literal)]
            assert edges[0] - edges[1] == half


def test_labels_without_a_frame_have_that_of_their_image(tmp_path):
    """A label image that another program added is read as its image is."""
    nx.write_ome_zarr(image(), tmp_path / "a.zarr", frame="center")
    nx.write_labels(nx.as_labels(image()[0]).drop_vars("c"), tmp_path / "a.zarr", "big")
    edit(tmp_path / "a.zarr" / "labels" / "big", lambda attributes: attributes.pop("ngio_x"))
    tree = nx.open_ome_zarr(tmp_path / "a.zarr")
    assert tree["labels/big/0"]["big"].xindexes["x"].equals(tree["0"]["image"].xindexes["x"])


def test_levels_must_go_from_fine_to_coarse(path):
    """Node 0 is the finest."""
    edit(path, lambda attributes: attributes["ome"]["multiscales"][0]["datasets"].reverse())
    with pytest.raises(NgioValidationError, match=r"from fine to coarse: along axis 'y', .* has 30 pixels after 15"):
        nx.open_ome_zarr(path)


@pytest.mark.parametrize("missing", ["7", "labels", "0/0"])
def test_an_array_that_is_not_there_is_named(path, missing):
    """A path that leads elsewhere, or to a group, is no level."""
    edit(path, lambda attributes: attributes["ome"]["multiscales"][0]["datasets"][1].update(path=missing))
    with pytest.raises(NgioValidationError, match=f"has no array '{missing}', which its metadata names"):
        nx.open_ome_zarr(path)


def test_an_array_of_other_dimensions_is_named(path):
    """Axes and arrays must fit."""

    def change(attributes):
        entry = attributes["ome"]["multiscales"][0]
        entry["axes"].pop(0)
        for dataset in entry["datasets"]:
            for item in dataset["coordinateTransformations"]:
                item[item["type"]].pop(0)

    edit(path, change)
    with pytest.raises(NgioValidationError, match=r"array '0' has 3 dimensions, but its metadata names \('y', 'x'\)"):
        nx.open_ome_zarr(path)


@pytest.mark.parametrize(
    ("listed", "message"),
    [
        (["gone"], "lists the labels 'gone', but has no such group"),
        (["../0"], r"\$\.ome\.labels\[0\]: must be a path inside of the group, such as 'a/b', got '../0'"),
        ("big", r"\$\.ome\.labels: must be a list of paths, got 'big'"),
    ],
)
def test_a_faulty_list_of_labels_is_refused(path, listed, message):
    """One error says what it names."""
    edit(path / "labels", lambda attributes: attributes["ome"].update(labels=listed))
    with pytest.raises(NgioValidationError, match=message):
        nx.open_ome_zarr(path)


def test_channel_names_that_do_not_fit_are_left_out(path):
    """Two channels with one name given are not named."""
    edit(path, lambda attributes: attributes["ome"]["omero"]["channels"].pop())
    assert "c" not in nx.open_ome_zarr(path)["0"]["image"].coords


def test_minus_one_is_all_pixels_along_an_axis(path):
    """As in dask."""
    assert nx.open_ome_zarr(path, chunks={"c": -1, "y": -1})["0"]["image"].chunks == ((2,), (30,), (16, 16, 12))


def absurd(path, shape, chunks):
    """Make level 0 of an image claim a shape."""
    for level in "01":
        file = path / level / "zarr.json"
        document = json.loads(file.read_text())
        document["shape"] = shape
        document["chunk_grid"]["configuration"]["chunk_shape"] = chunks
        document["chunk_key_encoding"] = {"name": "default", "configuration": {"separator": "/"}}
        file.write_text(json.dumps(document))
    shutil.rmtree(path / "labels")


def test_large_chunks_are_one_block_each(path):
    """Half a chunk is not read twice."""
    absurd(path, [2, 20_000, 20_000], [1, 5000, 5000])
    assert nx.open_ome_zarr(path)["0/image"].data.chunksize == (1, 5000, 5000)


@pytest.mark.parametrize("chunks", ["auto", {"y": 1, "x": 1}, {}])
def test_more_blocks_than_anybody_can_compute_are_refused(path, chunks):
    """At once, by a message; without dask such an image opens."""
    absurd(path, [2, 10**12, 10**12], [1, 16, 16])
    with pytest.raises(NgioValueError, match=r"/0 of shape .* has \d+ blocks: pass larger chunks"):
        nx.open_ome_zarr(path, chunks=chunks)
    image = nx.open_ome_zarr(path, chunks=None)["0/image"]
    roi = nx.Roi.from_values({"y": (10**11, 2), "x": (5, 2)}, None)
    assert (nx.crop(image, roi).values == 0).all()


def test_many_small_chunks_make_few_blocks(path):
    """What counts is blocks, not chunks."""
    absurd(path, [2, 60_000, 60_000], [1, 2, 2])
    blocks = nx.open_ome_zarr(path)["0/image"].data
    assert blocks.npartitions < 2000
    assert all(size % 2 == 0 for sizes in blocks.chunks[1:] for size in sizes[:-1])
    with pytest.raises(NgioValueError, match="has 1800000000 blocks"):
        nx.open_ome_zarr(path, chunks={})
    assert nx.open_ome_zarr(path, chunks={"y": 6000, "x": 6000})["0/image"].data.npartitions == 200


def test_a_small_image_is_one_block_that_is_read_in_part(path):
    """dask passes a slice on to the store."""
    image = nx.open_ome_zarr(path)["0/image"]
    assert image.data.npartitions == 1
    for chunk in (path / "0" / "c" / "1").rglob("*/*"):
        chunk.write_bytes(b"not to be decoded")
    piece = (image[0, :16, :16] * 2).compute()
    assert np.array_equal(piece, image_pixels()[0, :16, :16] * 2)


@pytest.mark.parametrize("chunks", ["auto", {"y": 4}, None])
def test_pixels_of_a_relative_path_are_found_from_elsewhere(tmp_path, monkeypatch, chunks):
    """As by the workers of a cluster, which need not stand where the image was opened."""
    monkeypatch.chdir(tmp_path)
    nx.write_ome_zarr(nx.as_image(np.arange(64).reshape(8, 8), "yx"), "a.zarr", levels=1)
    image = nx.open_ome_zarr("a.zarr", chunks=chunks)["0/image"]
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert np.array_equal(image.values, np.arange(64).reshape(8, 8))
