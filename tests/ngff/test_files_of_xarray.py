"""What was opened goes into the files that xarray writes, and comes back: pixels, places, channels, roles, facts."""

import json

import numpy as np
import pytest
import xarray as xr
import zarr
from numpy.testing import assert_array_equal

import ngio_x as nx
from ngio_x.testing.samples import noise

CHANNELS = [nx.Channel("DNA", "FF00FF", (0, 4000), (3, 900)), nx.Channel("β-actin", "00FF00", active=False)]
PIXELS = noise((2, 2, 3, 20, 24), "i2", low=0, high=4000)
SIZES = {"t": 2.0, "z": 2.0, "y": 0.5, "x": 0.25}
ROI = nx.Roi.from_values({"y": (9, 4), "x": (2.1, 3), "z": (2, 4)}, "a")
FORMATS = ["netcdf4", "h5netcdf", "scipy", "zarr 2", "zarr 3"]


@pytest.fixture
def path(tmp_path):
    """Of an image with shards, and labels."""
    units = {"t": "second", "z": "nanometer", "y": "micrometer", "x": "micrometer"}
    image = nx.as_image(
        PIXELS, "tczyx", SIZES, origin={"y": 7.0, "t": 4.0}, units=units, channels=CHANNELS, name="cells"
    )
    labels = nx.as_labels(image.isel(c=0, drop=True) // 100, name="nuclei")
    chunks = {"t": 2, "z": 3, "y": 10, "x": 12}
    options = {"chunks": chunks, "shards": {"y": 20, "x": 24}}
    nx.write_ome_zarr(image, tmp_path / "a.zarr", levels=2, labels={"nuclei": labels}, **options)
    return tmp_path / "a.zarr"


def with_own_chunks(image):
    """Blocks that are no chunks of the store need others, in zarr: those of the store are forgotten."""
    plain = image.copy()
    plain.encoding = {}
    return plain


def stored(what, path, kind):
    """What xarray reads of what it has written, its files closed."""
    engine, _, version = kind.partition(" ")
    name = "tree" if isinstance(what, xr.DataTree) else "dataarray"
    if engine == "zarr":
        what.to_zarr(path, zarr_format=int(version), consolidated=False)
        options = {"engine": engine, "consolidated": False}
    else:
        what.to_netcdf(path, engine=engine)
        options = {"engine": engine}
    with getattr(xr, {"tree": "open_datatree"}.get(name, "open_dataarray"))(path, **options) as found:
        return found.load()


def check_same(found, expected):
    assert (found.name, found.dims, found.dtype) == (expected.name, expected.dims, expected.dtype)
    assert_array_equal(found, expected)
    ours, theirs = nx.dimensions_of(found), nx.dimensions_of(expected)
    assert ours.axes_handler == theirs.axes_handler
    np.testing.assert_allclose(ours.dataset.scale, theirs.dataset.scale, rtol=1e-12)
    np.testing.assert_allclose(ours.dataset.translation, theirs.dataset.translation, rtol=1e-12)
    assert nx.channels_of(found) == nx.channels_of(expected)
    assert found.attrs == expected.attrs


MADE = {
    "whole": lambda image: image,
    "piece": lambda image: nx.crop(image, ROI),
    "pixel": lambda image: image.isel(y=[3], z=[1]),
    "frame": lambda image: image.isel(t=1, z=0),
    "projection": lambda image: image.max("z"),
    "coarser": lambda image: nx.zoom(image, {"y": 0.5, "x": 0.5}),
}


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("chunks", ["auto", {"y": 7}, None])
def test_an_image_and_its_labels_come_back(path, tmp_path, kind, chunks):
    """However the pixels are held."""
    tree = nx.open_ome_zarr(path, chunks=chunks)
    for number, name in enumerate(("0/image", "1/image", "labels/nuclei/0/nuclei")):
        shards_in_2 = kind == "zarr 2" and tree[name].encoding["shards"]
        expected = with_own_chunks(tree[name]) if chunks == {"y": 7} or shards_in_2 else tree[name]
        check_same(stored(expected, tmp_path / str(number), kind), tree[name])


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("made", MADE.values(), ids=MADE)
def test_what_was_made_of_an_image_comes_back(path, tmp_path, kind, made):
    """Pieces keep their place, and a channel that was picked its colour."""
    image = made(nx.open_ome_zarr(path)["0/image"])
    for number, expected in enumerate((image, image.sel(c="β-actin"))):
        check_same(stored(with_own_chunks(expected), tmp_path / str(number), kind), expected)


@pytest.mark.parametrize("kind", FORMATS)
def test_what_came_back_is_written_as_ome_zarr(path, tmp_path, kind):
    """As if it had never been elsewhere."""
    image = nx.open_ome_zarr(path)["0/image"]
    nx.write_ome_zarr(stored(with_own_chunks(image), tmp_path / "b", kind), tmp_path / "b.zarr", levels=2)
    check_same(nx.open_ome_zarr(tmp_path / "b.zarr")["0/image"].compute(), image.rename("image").compute())
    assert not nx.validate_ome_zarr(tmp_path / "b.zarr").errors


@pytest.mark.parametrize("kind", ["netcdf4", "h5netcdf", "zarr 3"])
@pytest.mark.parametrize("chunks", ["auto", None])
def test_a_tree_comes_back(path, tmp_path, kind, chunks):
    """With its levels, labels, and all that its documents say; written as OME-Zarr, it is what it was."""
    group = zarr.open_group(path)
    attributes = group.attrs.asdict()
    attributes["ome"]["omero"]["channels"][0]["wavelength_id"] = "A01"
    group.attrs.put({**attributes, "theirs": {"nested": [1, None, {"a": "ß"}]}})
    tree = nx.open_ome_zarr(path, chunks=chunks)
    found = stored(tree, tmp_path / "b", kind)
    for node in tree.subtree:
        again = found[node.path]
        assert again.attrs == node.attrs
        for name, array in node.data_vars.items():
            check_same(again[name], array)
    nx.write_ome_zarr(found, tmp_path / "b.zarr", version="0.4")
    nx.write_ome_zarr(tree, tmp_path / "c.zarr", version="0.4")
    assert zarr.open_group(tmp_path / "b.zarr").attrs.asdict() == zarr.open_group(tmp_path / "c.zarr").attrs.asdict()


def test_attributes_are_texts(path):
    """What has parts is JSON."""
    tree = nx.open_ome_zarr(path)
    assert all(type(value) is str for node in tree.subtree for value in node.attrs.values())
    assert json.loads(tree.attrs["metadata"])["method"] == "ngio_x.consolidate_pyramid"


def test_attributes_may_be_set_as_they_are_or_as_json(path, tmp_path):
    """Both are written."""
    tree = nx.open_ome_zarr(path)
    for number, value in enumerate(({"note": [1]}, json.dumps({"note": [1]}))):
        tree.attrs["metadata"] = value
        nx.write_ome_zarr(tree, tmp_path / f"{number}.zarr")
        assert nx.open_ome_zarr(tmp_path / f"{number}.zarr").attrs["metadata"] == '{"note": [1]}'
    tree.attrs["metadata"] = "not JSON"
    with pytest.raises(nx.errors.NgioValueError, match="metadata"):
        nx.write_ome_zarr(tree, tmp_path / "c.zarr")
