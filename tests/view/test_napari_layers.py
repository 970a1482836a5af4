"""Layers of napari, held to what its documentation says of LayerData: data, arguments, kind."""

import dask.array as da
import numpy as np
import pytest
import xarray as xr

import ngio_x as nx
from ngio_x.testing.samples import noise


@pytest.fixture
def tree(tmp_path):
    pixels = noise((2, 64, 48), "u1", high=99)
    image = nx.as_image(pixels, ("c", "y", "x"), {"y": 0.5, "x": 0.25}, origin={"y": 10}, channels=("A", "B"))
    labels = nx.as_labels((pixels[0] > 50).astype(np.uint8), ("y", "x"), like=image.isel(c=0))
    channels = [nx.Channel("A", "FF00FF", display=(3, 50)), nx.Channel("B", "00FF00", display=(4, 4), active=False)]
    nx.write_ome_zarr(image, tmp_path / "a.zarr", levels=3, channels=channels, labels={"cells": labels})
    return nx.open_ome_zarr(tmp_path / "a.zarr")


def test_channels_are_multiscale_image_layers(tree):
    """Lazy, with their names, colours, grey levels and place; the pixels are those of the channel on each level."""
    (data, options, kind), (_, other, _), _ = nx.to_napari_layers(tree)
    assert kind == "image"
    assert all(isinstance(level, da.Array) for level in data)
    for level, node in zip(data, "012", strict=True):
        assert np.array_equal(level.compute(), tree[node]["image"].sel(c="A"))
    assert options == {
        "name": "A",
        "blending": "additive",
        "colormap": "#ff00ff",
        "visible": True,
        "contrast_limits": [3.0, 50.0],
        "scale": (0.5, 0.25),
        "translate": (10.25, 0.125),
        "multiscale": True,
    }
    assert (other["name"], other["visible"], "contrast_limits" in other) == ("B", False, False)


def test_opacity_is_hidden():
    """An RGBA picture is red, green and blue; its alpha is no light of its own, in no picture."""
    image = nx.as_image(np.full((4, 2, 2), 9, "u1"), "cyx", channels=["red", "green", "blue", "alpha"])
    layers = nx.to_napari_layers(xr.DataTree.from_dict({"/0": image.to_dataset(name="image")}))
    assert [options.get("visible", True) for _, options, _ in layers] == [True, True, True, False]


def test_label_images_are_labels_layers(tree):
    """Their place is that of their image."""
    data, options, kind = nx.to_napari_layers(tree)[2]
    assert (kind, len(data), data[0].dtype) == ("labels", 3, np.uint8)
    assert options == {"name": "cells", "scale": (0.5, 0.25), "translate": (10.25, 0.125), "multiscale": True}
    (alone,) = nx.to_napari_layers(tree["labels/cells"])
    assert alone[2] == "labels"


def test_regions_are_shapes_over_the_image(tree):
    """A corner lies at its world coordinates: translate + scale · data."""
    roi = nx.Roi.from_values({"y": (12, 5), "x": (1, 4)}, "a")
    pixel = nx.Roi.from_values({"y": (4, 10), "x": (4, 16)}, "b", space="pixel")
    *_, (data, options, kind) = nx.to_napari_layers(tree, rois=[roi, pixel])
    assert (kind, options["name"], options["features"]["name"]) == ("shapes", "regions", ["a", "b"])
    for corners in data:
        world = np.array(options["translate"]) + np.array(options["scale"]) * corners
        assert world == pytest.approx(nx.corners(roi))
    several = nx.to_napari_layers(tree, rois={"one": [roi], "two": []})
    assert [options["name"] for _, options, _ in several] == ["A", "B", "cells", "one", "two"]


def test_arrays_in_memory_stay_there():
    """One level is no list; without channels, nothing is said of colours; z and t are axes of the layer."""
    image = nx.as_image(np.zeros((2, 3, 8, 8)), ("t", "z", "y", "x"), {"t": 5, "z": 2, "y": 1, "x": 1})
    tree = xr.DataTree.from_dict({"/0": image.to_dataset(name="image"), "/1": image.to_dataset(name="image")})
    ((data, options, kind),) = nx.to_napari_layers(tree)
    assert np.shares_memory(data, image.values)
    assert (options, kind) == (
        {"name": "image", "scale": (5, 2, 1, 1), "translate": (0, 1, 0.5, 0.5), "multiscale": False},
        "image",
    )


def test_a_piece_lies_where_it_was(tree):
    """Cropping moves the translation."""
    piece = nx.crop(tree, nx.Roi.from_values({"y": (12, 4), "x": (2, 4)}, None))
    _, options, _ = nx.to_napari_layers(piece)[0]
    assert options["translate"] == (12.25, 2.125)


def test_what_is_no_single_image_is_refused(tree):
    """Saying what to give instead."""
    with pytest.raises(nx.errors.NgioTypeError, match="must be a DataTree"):
        nx.to_napari_layers(tree["0/image"])
    with pytest.raises(nx.errors.NgioValueError, match="2 images: pick one"):
        nx.to_napari_layers(xr.DataTree.from_dict({"/a": tree, "/b": tree}))
    with pytest.raises(nx.errors.NgioValueError, match="holds neither image nor label image"):
        nx.to_napari_layers(xr.DataTree())
    with pytest.raises(nx.errors.NgioTypeError, match="must be regions"):
        nx.to_napari_layers(tree, rois=["a"])
    with pytest.raises(nx.errors.NgioTypeError, match="by name, got the name 3"):
        nx.to_napari_layers(tree, rois={3: []})
    with pytest.raises(nx.errors.NgioValueError, match="unbounded along 'x'"):
        nx.to_napari_layers(tree, rois=[nx.Roi.from_values({"y": (0, 1), "x": (None, None)}, "a")])
