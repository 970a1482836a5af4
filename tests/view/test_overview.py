"""Images, trees, plans and levels as notebooks show them."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest
import xarray as xr
import zarr

import ngio_x as nx
from ngio_x.metadata.units import symbol_of


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("overview") / "image.zarr"
    image = nx.as_image(np.zeros((2, 512, 600), np.uint16), ("c", "y", "x"), 0.5, channels=("<DNA>", "B"), name="<b>")
    labels = nx.as_labels(np.ones((512, 600), np.uint8), ("y", "x"), like=image)
    channels = [nx.Channel("<DNA>", "FF00FF", display=(5, 10)), "B"]
    nx.write_ome_zarr(image, path, levels=2, labels={"cells": labels}, channels=channels)
    return path


def cells(value):
    """The rows of all tables."""
    root = ET.fromstring(value._repr_html_())
    assert not list(root.iter("script"))
    return [["".join(cell.itertext()) for cell in row if cell.tag == "td"] for row in root.iter("tr")]


def test_a_tree_shows_levels_labels_axes_and_channels(store):
    """Without a pixel being read."""
    tree = nx.open_ome_zarr(store)
    rows = cells(tree.ngio)
    assert [
        "0",
        "cyx 2 × 512 × 600",
        "2 × 512 × 600",
        "1 × 512 × 600",
        "uint16",
        "1.2 MB",
        "y 0.5 µm, x 0.5 µm",
    ] in rows
    assert ["1", "cyx 2 × 256 × 300", "2 × 256 × 300", "1 × 256 × 300", "uint16", "307.2 kB", "y 1 µm, x 1 µm"] in rows
    assert ["labels/cells/1", "yx 256 × 300", "256 × 300", "256 × 300", "uint8", "76.8 kB", "y 1 µm, x 1 µm"] in rows
    assert ["<DNA>", "", "5 to 10"] in rows
    assert ["x", "space", "600", "600", "0.5 µm", "0 µm", "300 µm"] in rows
    assert ["c", "channel", "2", "2", "", "", ""] in rows
    assert "background: #FF00FF" in tree.ngio._repr_html_()
    assert "&lt;b&gt;, OME-NGFF 0.5" in tree.ngio._repr_html_()


def test_an_image_shows_its_axes_and_channels(store):
    """Also one of which a channel was chosen, or that knows nothing of its channels."""
    image = nx.open_ome_zarr(store)["0/image"]
    assert ["B", "", "0 to 65535"] in cells(image.ngio)
    assert ["<DNA>", "", "5 to 10"] in cells(image.sel(c="<DNA>").ngio)
    assert ["y", "space", "512", "512", "0.5 µm", "0 µm", "256 µm"] in cells(image.sel(c="<DNA>").ngio)
    assert ["1", "", ""] in cells(nx.as_image(np.zeros((2, 3, 3)), ("c", "y", "x")).ngio)
    strange = image.assign_coords(color=("c", ["of another", "program"]))
    assert ["B", "", "0 to 65535"] in cells(strange.ngio)


def test_chunks_are_those_of_dimensions_of(store):
    """What is read at once: blocks of dask, else chunks on disk; those on disk are named so, where they are known."""
    for chunks, expected in (("auto", (2, 512, 600)), ({"y": 100}, (1, 100, 600)), (None, (1, 512, 600))):
        image = nx.open_ome_zarr(store, chunks=chunks)["0/image"]
        assert nx.dimensions_of(image).chunks == expected
        assert [row[3] for row in cells(image.ngio) if row and row[0] in "cyx"] == [*map(str, expected)]
        assert "chunks on disk 1 × 512 × 600" in image.ngio._repr_html_()
        assert "chunks on disk" not in image[0].load().max("y").ngio._repr_html_()
        assert nx.dimensions_of(image.transpose()).chunks == expected[::-1]
        assert nx.dimensions_of(image.isel(c=0, x=slice(9))).chunks == (expected[1], 9)
        assert nx.dimensions_of(image.load()).chunks == image.shape


def test_odd_arrays_and_trees_are_shown_too():
    """A table says what can be said."""
    uneven = xr.DataArray(np.zeros(3), {"x": [0.0, 1.0, 5.0]}, ("x",))
    assert "not evenly spaced" in uneven.ngio._repr_html_()
    assert "no image" in xr.DataTree().ngio._repr_html_()
    many = xr.DataTree.from_dict({f"/{k}/0": xr.Dataset({"image": (("y", "x"), np.zeros((2, 2)))}) for k in range(30)})
    assert "10 more images" in many.ngio._repr_html_()
    assert ["", "x"] not in cells(many.ngio)


def test_plans_levels_and_dimensions_are_tables(store):
    """With the numbers of their properties."""
    group = zarr.open_group(store, mode="r+")
    plan = nx.plan_pyramid(group["0"], [group["1"]])
    (one,) = plan.passes
    rows = cells(plan)
    assert [row[3:5] for row in rows if len(row) == 8] == [[str(plan.task_count), str(one.unit_count)]]
    assert any("512 × 600" in cell for row in rows for cell in row)
    level = nx.PyramidLevel("s<0>", (2, 8), (1, 0.5), (0, 0.25), chunks=(1, 4))
    assert cells(level) == [["2 × 8"], ["1, 0.5"], ["0, 0.25"], ["1 × 4"]]
    assert "PyramidLevel s&lt;0&gt;" in level._repr_html_()
    assert cells(nx.PyramidLevel("0", (2, 8), (1, 1), (0, 0)))[-1] == ["auto"]
    assert len(cells(nx.open_ome_zarr(store).ngio.dimensions)) == 4


def test_units_have_symbols():
    """Those that are common; others stand for themselves."""
    assert [symbol_of(unit) for unit in ("micrometer", "second", "parsec", None)] == ["µm", "s", "parsec", ""]
