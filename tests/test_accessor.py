"""Functions as methods."""

import importlib
import inspect
import subprocess
import sys
import warnings

import numpy as np
import pytest
import xarray as xr

import ngio_x as nx
from ngio_x import accessor

KINDS = {
    accessor.DataArrayAccessor: (
        "window",
        "crop",
        "tile",
        "zoom",
        "paste",
        "mask",
        "composite",
        "crop_objects",
        "stack_objects",
        "label_extents",
        "compute_masking_roi",
        "keep_objects",
        "map_rois",
        "relabel_sequential",
        "plot",
        "plot_labels",
        "write_ome_zarr",
        "write_labels",
        "write_region",
    ),
    accessor.DatasetAccessor: ("window", "crop", "zoom", "map_rois", "write_ome_zarr"),
    accessor.DataTreeAccessor: (
        "crop",
        "zoom",
        "level_for",
        "map_levels",
        "plot",
        "plot_levels",
        "to_napari_layers",
        "write_ome_zarr",
    ),
}
FUNCTIONS = {"plot": "plot_image"}
"""Methods that are called otherwise than their functions."""
METHODS = [(kind, name) for kind, names in KINDS.items() for name in names]


@pytest.fixture
def image() -> xr.DataArray:
    return nx.as_image(np.arange(64).reshape(8, 8), ("y", "x"), 0.5, name="image")


@pytest.fixture
def tree(image) -> xr.DataTree:
    return xr.DataTree.from_dict({"/0": image.to_dataset(), "/1": nx.zoom(image, 0.5).to_dataset()})


ROI = nx.Roi.from_values({"y": (0, 1), "x": (1, 2)}, None)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_the_methods_are_these(kind):
    """Names are promises."""
    methods = {name for name, _ in inspect.getmembers(kind, inspect.isfunction) if not name.startswith("_")}
    assert methods == set(KINDS[kind])


@pytest.mark.parametrize(("kind", "name"), METHODS)
def test_methods_take_what_functions_take(kind, name):
    """The parameters but what it is a method of, with defaults and types, and the first line of the documentation."""
    method, function = getattr(kind, name), getattr(nx, FUNCTIONS.get(name, name))
    ours, theirs = (list(inspect.signature(one).parameters.values()) for one in (method, function))
    del ours[0], theirs[0]
    assert ours == theirs
    assert method.__doc__.splitlines()[0] == function.__doc__.splitlines()[0]
    assert f"See `ngio_x.{FUNCTIONS.get(name, name)}`." in method.__doc__


def test_methods_of_an_image_are_the_functions(image, tmp_path):
    """Every argument is passed on."""
    labels, inner = nx.as_labels(image), {"bounds": "inner", "missing_dims": "raise"}
    roi = nx.Roi.from_values({"y": (0.1, 1), "x": (1, 2)}, None)
    assert image.ngio.pixel_size == nx.pixel_size_of(image)
    assert image.ngio.dimensions == nx.dimensions_of(image)
    assert image.ngio.channels == nx.channels_of(image)
    assert image.ngio.window(roi, **inner) == nx.window(image, roi, **inner)
    assert image.ngio.crop(roi, **inner).identical(nx.crop(image, roi, **inner))
    assert image.ngio.tile({"y": 5}, 2) == nx.tile(image, {"y": 5}, 2)
    assert image.ngio.zoom(0.5, order="max").identical(nx.zoom(image, 0.5, order="max"))
    mapping = {"output": "labels", "halo": 1, "bounds": "nearest", "dtype": "int64"}
    assert image.ngio.map_rois(np.sign, [roi], **mapping).identical(nx.map_rois(image, np.sign, [roi], **mapping))
    filled = {"output": "image", "fill": 7}
    assert image.ngio.map_rois(np.sign, [roi], **filled).identical(nx.map_rois(image, np.sign, [roi], **filled))
    assert image.ngio.zoom(shape={"x": 3}).identical(nx.zoom(image, shape={"x": 3}))
    assert (
        image.ngio.paste([[1]], nx.Roi.from_values({"y": (1.4, 0.6), "x": (1, 0.5)}, None), bounds="inner")[3, 2] == 1
    )
    assert image.ngio.mask(labels, 5, fill=7).identical(nx.mask(image, labels, 5, fill=7))
    assert image.ngio.composite([0]).identical(nx.composite(image, [0]))
    some = {"masked": True, "fill": 3, "ids": [5, 9]}
    assert [
        p.identical(q)
        for p, q in zip(
            image.ngio.crop_objects(labels, pad=2, **some), nx.crop_objects(image, labels, pad=2, **some), strict=True
        )
    ] == [True] * 2
    assert image.ngio.stack_objects(labels, 3, **some).identical(nx.stack_objects(image, labels, 3, **some))
    flipped = {"axes_order": ("y", "x"), "background": 5}
    assert labels.ngio.label_extents(**flipped).identical(nx.label_extents(labels, **flipped))
    assert labels.ngio.compute_masking_roi(2.0, ("y", "x")) == nx.compute_masking_roi(labels, 2.0, ("y", "x"))
    coarse = nx.zoom(labels, 0.5)
    assert coarse.ngio.keep_objects(labels).identical(nx.keep_objects(coarse, labels))
    found, mapping = labels.ngio.relabel_sequential(offset=8, background=2)
    assert found.identical(nx.relabel_sequential(labels, offset=8, background=2)[0])
    assert (mapping[3], found.values[0, 2]) == (10, 2)
    options = {"version": "0.4", "levels": 2, "frame": "center", "chunks": {"y": 4}, "order": "max"}
    image.ngio.write_ome_zarr(tmp_path / "a.zarr", name="n", scale_factors={"y": 2}, **options)
    image.ngio.write_ome_zarr(tmp_path / "a.zarr", name="n", scale_factors={"y": 2}, overwrite=True, **options)
    nx.write_ome_zarr(image, tmp_path / "b.zarr", name="n", scale_factors={"y": 2}, **options)
    labels.ngio.write_labels(tmp_path / "a.zarr", "seg", chunks={"x": 4}, keep_objects=True)
    nx.write_labels(labels, tmp_path / "b.zarr", "seg", chunks={"x": 4}, keep_objects=True)
    ours, theirs = (nx.open_ome_zarr(tmp_path / f"{name}.zarr") for name in "ab")
    xr.testing.assert_identical(ours, theirs)
    assert ours["1/image"].chunks == theirs["1/image"].chunks


def test_methods_of_a_dataset_are_the_functions(image):
    """As for an array."""
    dataset = xr.Dataset({"a": image, "b": image * 2})
    assert dataset.ngio.window(ROI, "inner") == nx.window(dataset, ROI, "inner")
    assert dataset.ngio.crop(ROI).identical(nx.crop(dataset, ROI))
    mapping = {"output": {"n": int}, "halo": 1}
    count = lambda piece: {"n": piece["a"].size}  # noqa: E731
    assert dataset.ngio.map_rois(count, [ROI], **mapping).identical(nx.map_rois(dataset, count, [ROI], **mapping))
    assert dataset.ngio.zoom(0.5, order={"a": "max"}).identical(nx.zoom(dataset, 0.5, order={"a": "max"}))


def test_methods_of_a_tree_are_the_functions(tree):
    """Facts are those of level 0."""
    assert tree.ngio.pixel_size == nx.pixel_size_of(tree["0/image"])
    assert tree.ngio.dimensions == nx.dimensions_of(tree["0/image"])
    assert tree.ngio.channels == nx.channels_of(tree["0/image"])
    assert tree.ngio.crop(ROI, bounds="nearest").identical(nx.crop(tree, ROI, bounds="nearest"))
    assert tree.ngio.level_for(scale=0.5) is tree["1"]
    assert tree.ngio.level_for(max_pixels=16) is tree["1"]
    assert tree.ngio.level_for(pixel_size=0.5) is tree["0"]
    assert tree.ngio.map_levels(nx.zoom, 0.5, order="max").identical(nx.map_levels(tree, nx.zoom, 0.5, order="max"))
    with pytest.raises(nx.errors.NgioValueError, match="holds no labels"):
        tree.ngio.map_levels(abs, on="labels")


@pytest.mark.parametrize(
    "statement",
    [
        "import xarray, ngio_x",
        "import ngio_x, xarray",
        "import ngio_x.ngff.read, xarray",
        "import ngio_x.accessor, xarray",
    ],
)
def test_importing_the_package_registers_in_any_order(statement):
    """Also where a module of it, such as an engine, is loaded by xarray."""
    code = f"{statement}; [getattr(kind, 'ngio') for kind in (xarray.DataArray, xarray.Dataset, xarray.DataTree)]"
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_registering_again_does_not_warn(image):
    """As notebooks do that reload modules."""
    reloaded = importlib.reload(accessor)
    assert isinstance((image + 0).ngio, reloaded.DataArrayAccessor)
    assert (image + 0).ngio.crop(ROI).identical(nx.crop(image, ROI))


def test_an_attribute_of_another_package_is_not_replaced_silently(monkeypatch):
    """xarray warns of it."""
    monkeypatch.setattr(xr.Dataset, "ngio", property(lambda _: None))
    with pytest.warns(xr.core.extensions.AccessorRegistrationWarning):
        accessor.register()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        accessor.register()
