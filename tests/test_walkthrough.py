"""Walks through the package, as a user would type them."""

import numpy as np
import xarray as xr
from skimage import data

import ngio_x as nx
from ngio_x.cli.demo import make_demo


def test_regions_of_a_real_micrograph():
    """Crop by world coordinates, select by label, zoom, serialize, and crop an axis of ten million pixels."""
    img = nx.as_image(data.cell(), dims=("y", "x"), pixel_size=0.5, units="micrometer", name="phase")
    roi = nx.Roi.from_values({"y": (50.0, 100.0), "x": slice(20.25, 90.25)}, name="cell")
    a = nx.crop(img, roi)
    assert a.sizes == {"y": 200, "x": 141}
    assert nx.crop(a, roi).identical(a)
    assert img.sel(y=slice(50, 150), x=slice(20, 90)).sizes == {"y": 200, "x": 140}
    own = nx.crop(img, roi, bounds="nearest")  # 140 pixels: those whose centre it holds
    b = nx.zoom(own, {"y": 0.5, "x": 0.5})
    assert b.sizes == {"y": 100, "x": 70}
    assert nx.pixel_size_of(b).x == 1.0
    assert float(b.x[0]) == 20.5
    assert nx.from_json(nx.to_json(roi), nx.Roi) == roi
    big = nx.as_image(np.broadcast_to(np.uint8(0), (3, 10**7)), dims=("c", "x"), pixel_size=0.1)
    assert nx.crop(big, nx.Roi.from_values({"c": (0, 1), "x": (100.0, 50.0)}, name=None)).sizes["x"] == 500


def test_a_region_of_the_demo_goes_into_a_file_of_its_own_and_back(tmp_path, monkeypatch):
    """Open with the engine, crop every level, write the piece, and write into the image on disk."""
    make_demo(tmp_path)
    monkeypatch.chdir(tmp_path)
    tree = xr.open_datatree("demo.zarr", engine="ome-zarr")
    roi = nx.Roi.from_values({"y": (10.0, 40.0), "x": (20.0, 40.0)}, name="fov")
    part = nx.crop(tree, roi)
    for level in (part["0"]["image"], part["1"]["image"]):
        size = level.ngio.pixel_size.y
        assert abs(float(level.y[0]) - size / 2 - 10.0) < size
    nx.write_ome_zarr(part, "part.zarr")
    again = nx.open_ome_zarr("part.zarr")
    xr.testing.assert_allclose(again["0"]["image"], part["0"]["image"])
    assert np.array_equal(again["0"]["image"], part["0"]["image"])
    assert (again["0"]["image"] == tree["0"]["image"]).all()
    nx.write_region(xr.zeros_like(part["0"]["image"]), "demo.zarr")
    inner = nx.Roi.from_values({"y": slice(12.0, 48.0), "x": slice(22.0, 58.0)}, name=None)
    after = nx.open_ome_zarr("demo.zarr")
    for level in (after[name]["image"] for name in after.children if name.isdecimal()):
        assert level.any()
        assert not nx.crop(level, inner, bounds="inner").any()
