"""Arrays, Datasets and trees, and sizes in the order of their axes."""

import dask.array as da
import numpy as np
import pytest
import xarray as xr

import ngio_x as nx
from ngio_x.arrays.tree import finest_first, images_of
from ngio_x.errors import NgioRoleWarning, NgioTypeError, NgioValueError
from ngio_x.testing import samples

PIXELS = samples.noise((2, 24, 32), "u2") % 1000
IMAGE = nx.as_image(
    PIXELS, "cyx", {"y": 0.5, "x": 0.25}, origin={"y": 3.0, "x": 1.0}, channels=["a", "b"], name="cells"
)
LABELS = nx.as_labels(PIXELS[0] // 200, like=IMAGE.isel(c=0, drop=True), name="nuclei")
DATASET = xr.Dataset({"image": IMAGE, "nuclei": LABELS})
ROI = nx.Roi.from_values({"y": (5, 4), "x": (2, 3)}, "roi")


def assert_same_tree(found, expected):
    """Assert that two trees hold the same pixels, wherever they say so in their attributes."""
    assert found.to_dict().keys() == expected.to_dict().keys()
    for path, dataset in found.to_dict().items():
        assert dataset.equals(expected.to_dict()[path])


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    path = tmp_path_factory.mktemp("containers") / "a.zarr"
    nx.write_ome_zarr(IMAGE, path, levels=3, labels={"nuclei": LABELS})
    return nx.open_ome_zarr(path)


# ---- Levels, in whatever order


def shuffled(tree, order):
    """Return the levels of an image in another order."""
    return xr.DataTree.from_dict({f"/{key}": tree[key].to_dataset() for key in order})


@pytest.mark.parametrize("order", ["210", "120", "02"])
def test_levels_are_finest_first_by_the_size_of_their_pixels(tree, order):
    """Groups of zarr have no order, and nodes of a tree any."""
    turned = shuffled(tree, order)
    assert turned.ngio.pixel_size.x == 0.25
    assert (
        nx.crop(turned, nx.Roi.from_values({"y": (0, 8), "x": (0, 8)}, "a", space="pixel"))["0/image"].sizes["x"] == 8
    )
    assert nx.level_for(turned, pixel_size=0.5).name == "0"
    shown = [level.shape[-1] for level in nx.to_napari_layers(turned)[0][0]]
    assert shown == sorted((32 >> int(n) for n in order), reverse=True)
    assert nx.show([ROI], turned)._repr_html_() == nx.show([ROI], tree)._repr_html_()


def test_twelve_levels_come_in_the_order_of_their_pixels():
    """Text order puts 10 before 2."""
    levels = {f"/{n}": nx.as_image(np.zeros((40, 40)), pixel_size=1.0 + n).to_dataset(name="image") for n in range(12)}
    found = images_of(xr.DataTree.from_dict(dict(sorted(levels.items()))))["/"][""]
    assert list(found) == [str(n) for n in range(12)]


def test_without_coordinates_the_larger_level_is_the_finer():
    """The order of their names decides only where nothing else does."""
    sizes = {"b": 4, "a": 8, "c": 2}
    nodes = {
        f"/{key}": xr.DataArray(np.zeros((n, n)), dims=("y", "x")).to_dataset(name="image") for key, n in sizes.items()
    }
    tree = xr.DataTree.from_dict(nodes)
    assert list(images_of(tree)["/"][""]) == ["a", "b", "c"]
    same = xr.DataTree.from_dict({f"/{key}": nodes["/a"] for key in ("10", "2")})
    assert list(finest_first(dict(same.children.items()))) == ["2", "10"]


@pytest.mark.filterwarnings("ignore:The data type")  # of text, which zarr format 3 does not specify
def test_levels_come_back_from_xarrays_own_files_in_order(tree, tmp_path):
    """Also where a store lists its groups at random."""
    shuffled(tree, "102").to_zarr(tmp_path / "b.zarr", consolidated=False)
    again = xr.open_datatree(tmp_path / "b.zarr", engine="zarr", consolidated=False, chunks={})
    assert again.ngio.pixel_size.x == 0.25
    nx.write_ome_zarr(again, tmp_path / "c.zarr")
    assert [nx.open_ome_zarr(tmp_path / "c.zarr")[key]["image"].shape[-1] for key in "012"] == [32, 16, 8]


def test_labels_before_their_image_are_still_its_labels(tree):
    """What the image loses its labels lose, too."""
    nodes = {path: node.to_dataset() for path, node in tree.subtree_with_keys if node.data_vars}
    turned = xr.DataTree.from_dict({f"/{path}": dataset for path, dataset in reversed(nodes.items())})
    pieces = nx.crop(turned, ROI)
    assert_same_tree(pieces["labels"], nx.crop(tree, ROI)["labels"])


# ---- Containers


def test_zoom_of_a_tree_zooms_each_level(tree):
    """By the kernels of its arrays; labels, which lack the channels, too."""
    found = nx.zoom(tree, 0.5)
    for level in "012":
        assert found[level]["image"].equals(nx.zoom(tree[level]["image"], 0.5))
        path = f"labels/nuclei/{level}"
        assert found[path]["nuclei"].equals(nx.zoom(tree[path]["nuclei"], 0.5))
    assert found.ngio.pixel_size.x == 0.5
    mapped = nx.zoom(tree, {"x": 0.5}, order={"image": "mean"})
    assert mapped["0/image"].equals(nx.zoom(tree["0/image"], {"x": 0.5}, order="mean"))
    assert_same_tree(tree.ngio.zoom((1, 0.5, 0.5)), found)


def test_zoom_of_a_tree_asks_for_a_role_once(tree):
    """Level 0 decides for all."""
    bare = nx.map_levels(tree, lambda level: level.drop_attrs(deep=False))
    with pytest.warns(NgioRoleWarning) as caught:
        nx.zoom(bare, 0.5)
    assert len(caught) == 1


def test_labels_of_a_tree_are_told_by_their_place(tree):
    """Where their role was lost, no id is blended nonetheless."""
    with xr.set_options(keep_attrs=False):
        bare = nx.map_levels(tree, lambda level: level * 1, on="labels")
    found = nx.zoom(bare, 0.4)["labels/nuclei/0/nuclei"]
    assert np.isin(found, tree["labels/nuclei/0/nuclei"]).all()


def test_a_level_is_written_as_an_image_of_its_own(tree, tmp_path):
    """As its variable is."""
    nx.write_ome_zarr(tree["1"], tmp_path / "a.zarr")
    assert nx.open_ome_zarr(tmp_path / "a.zarr")["0/image"].equals(tree["1/image"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shape": {"y": 3}}, "levels differ"),
        ({}, "levels differ"),
        ({"scale": {"q": 2}}, "got 'q'"),
        ({"scale": 0.5, "order": {"other": "mean"}}, "got 'other'"),
        ({"scale": 0.5, "order": "linear"}, "nuclei"),
    ],
)
def test_a_zoom_that_no_tree_can_have_is_refused(tree, options, message):
    """Naming what is wrong."""
    with pytest.raises(NgioValueError, match=message):
        nx.zoom(tree, **options)


def test_pixel_size_and_dimensions_of_a_dataset_are_those_of_its_image():
    """The variable image, the only one, or the only one that is no labels."""
    for dataset in (DATASET, IMAGE.to_dataset(), xr.Dataset({"cells": IMAGE, "nuclei": LABELS})):
        assert nx.pixel_size_of(dataset) == nx.pixel_size_of(IMAGE)
        assert nx.dimensions_of(dataset) == nx.dimensions_of(IMAGE)
    with pytest.raises(NgioValueError, match="pick one"):
        nx.dimensions_of(xr.Dataset({"a": IMAGE, "b": IMAGE}))
    with pytest.raises(NgioValueError, match="one image"):
        nx.dimensions_of(xr.Dataset())


@pytest.mark.parametrize("image", ["image", "cells"])
def test_a_dataset_is_written_with_its_labels(tmp_path, image):
    """As the image and each of its label images are."""
    nx.write_ome_zarr(xr.Dataset({image: IMAGE, "nuclei": LABELS}), tmp_path / "a.zarr", chunks=(1, 16, 16))
    found = nx.open_ome_zarr(tmp_path / "a.zarr")
    nx.write_ome_zarr(IMAGE, tmp_path / "b.zarr", labels={"nuclei": LABELS}, chunks={"y": 16, "x": 16}, name="")
    assert_same_tree(found, nx.open_ome_zarr(tmp_path / "b.zarr"))
    assert not nx.validate_ome_zarr(tmp_path / "a.zarr").errors


@pytest.mark.parametrize("other", [IMAGE + 1, LABELS.drop_attrs(deep=False), LABELS > 2])
def test_a_dataset_that_holds_more_is_not_written_in_part(tmp_path, other):
    """What would be lost is named; as_labels, or a file of its own, is the way out."""
    with pytest.raises(NgioValueError, match="'other' beside 'image'"):
        nx.write_ome_zarr(xr.Dataset({"image": IMAGE, "other": other}), tmp_path / "a.zarr")
    assert list(tmp_path.iterdir()) == []


def test_regions_are_shown_on_any_container(tree):
    """The frame is that of the image."""
    drawings = [nx.show([ROI], each)._repr_html_() for each in (IMAGE, DATASET, tree)]
    assert len(set(drawings)) == 1


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda tree: nx.window(tree, ROI), r"tree\['0/image'\]"),
        (lambda tree: nx.map_rois(tree, lambda piece: piece, [ROI]), "level"),
        (nx.compute_masking_roi, "level"),
        (lambda _: nx.compute_masking_roi(DATASET), "nuclei"),
        (lambda _: nx.label_extents(DATASET), "nuclei"),
        (lambda _: nx.paste(DATASET, IMAGE), "pick one"),
        (lambda tree: nx.mask(tree, LABELS, 1), "pick one"),
        (nx.composite, "pick one"),
        (lambda tree: nx.tile(tree, 8), "pick one"),
        (nx.show, r"show\(rois, image\)"),
        (lambda _: nx.show(IMAGE), r"show\(rois, image\)"),
    ],
)
def test_what_means_one_array_says_which_to_take(tree, call, says):
    """Instead of advice that does not help."""
    with pytest.raises(NgioTypeError, match=says):
        call(tree)


# ---- Sizes in the order of the axes


def test_tuples_are_in_the_order_of_the_arrays_own_axes(tmp_path):
    """Whatever takes a mapping by axis name takes them, too."""
    names = ("y", "x")
    plane = LABELS.values
    assert nx.as_labels(plane, names, (0.5, 0.25)).identical(nx.as_labels(plane, names, {"y": 0.5, "x": 0.25}))
    turned = nx.as_labels(plane.T, ("x", "y"), (0.25, 0.5), origin=(1.0, 3.0), units=("meter", "millimeter"))
    assert (turned.x.attrs["units"], turned.ngio.dimensions.dataset.scale) == ("meter", (0.25, 0.5))
    assert nx.as_image(PIXELS, "cyx", (1, 0.5, 0.25)).identical(nx.as_image(PIXELS, "cyx", {"y": 0.5, "x": 0.25}))
    assert nx.zoom(IMAGE, (1, 0.5, 0.25)).identical(nx.zoom(IMAGE, {"y": 0.5, "x": 0.25}))
    assert nx.zoom(IMAGE, shape=[2, 12, 8]).identical(nx.zoom(IMAGE, shape={"y": 12, "x": 8}))
    assert nx.tile(LABELS, (8, 16), (2, 0)) == nx.tile(LABELS, {"y": 8, "x": 16}, {"y": 2, "x": 0})
    assert nx.stack_objects(IMAGE, LABELS, (5, 7)).sizes["x"] == 7
    assert [piece.shape for piece in nx.crop_objects(IMAGE, LABELS, pad=(1, 1))] == [
        piece.shape for piece in nx.crop_objects(IMAGE, LABELS, pad=1)
    ]
    assert nx.compute_masking_roi(plane, (0.5, 0.25), "yx") == nx.compute_masking_roi(
        plane, {"y": 0.5, "x": 0.25}, "yx"
    )


@pytest.mark.parametrize("order", [("c", "y", "x"), ("x", "y", "c")])
def test_chunks_and_factors_of_files_are_in_the_order_of_the_given_axes(tmp_path, order):
    """Which need not be that of the format; labels take what is theirs."""
    image = IMAGE.transpose(*order)
    by_name = {"c": 2, "y": 8, "x": 16}
    nx.write_ome_zarr(
        image,
        tmp_path / "a.zarr",
        chunks=tuple(by_name[axis] for axis in order),
        shards=[2 * by_name[axis] if axis != "c" else 2 for axis in order],
        scale_factors=[{"c": 1, "y": 2, "x": 4}[axis] for axis in order],
        levels=2,
        labels={"nuclei": LABELS},
    )
    tree = nx.open_ome_zarr(tmp_path / "a.zarr")
    assert tree["0/image"].encoding["chunks"] == (2, 8, 16)
    assert tree["0/image"].encoding["shards"] == (2, 16, 32)
    assert tree["1/image"].shape == (2, 12, 8)
    assert tree["labels/nuclei/0/nuclei"].encoding["chunks"] == (8, 16)


@pytest.mark.parametrize(
    "call",
    [
        lambda: nx.as_image(PIXELS, "cyx", (0.5, 0.25)),
        lambda: nx.as_image(PIXELS, "cyx", (2, 0.5, 0.25)),
        lambda: nx.zoom(IMAGE, (0.5, 0.5)),
        lambda: nx.tile(IMAGE, (8, 8)),
        lambda: nx.compute_masking_roi(LABELS.values, (0.5,), "yx"),
    ],
)
def test_a_tuple_that_does_not_fit_is_refused(call):
    """One number an axis is wanted, and channels have no size."""
    with pytest.raises(NgioValueError, match=r"axes|axis"):
        call()


def test_lazy_arrays_stay_lazy_in_trees(tree):
    """Zooming a tree reads no pixel."""
    assert isinstance(nx.zoom(tree, 0.5)["0/image"].data, da.Array)
