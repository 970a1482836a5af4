"""A walk through the package on a real micrograph, as a user would type it."""

import numpy as np
from skimage import data

import ngio_x as nx


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
