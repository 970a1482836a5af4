"""Trees of one image and of several: choose a level, change each."""

import copy

import dask
import numpy as np
import pytest
import xarray as xr

import ngio_x as nx
from ngio_x.arrays.tree import home_of
from ngio_x.errors import NgioEmptyRegionError, NgioTypeError, NgioUserWarning, NgioValueError


def _roi(space="world", **slices):
    return nx.Roi.from_values(slices, None, space=space)


def _levels(origin=0.0):
    image = nx.as_image(np.arange(64 * 64).reshape(64, 64), ("y", "x"), 0.5, origin=origin, name="image")
    return [image, nx.zoom(image, 0.5), nx.zoom(image, 0.25)]


def _nodes(prefix="", origin=0.0, finest_label=0):
    """The levels of an image with labels that may lack the finest ones."""
    levels = _levels(origin)
    nodes = {f"{prefix}/": xr.Dataset(attrs={"version": "0.5"})}
    nodes |= {f"{prefix}/{n}": a.to_dataset().assign_attrs(path=f"s{n}") for n, a in enumerate(levels)}
    nodes |= {f"{prefix}/labels/seg": xr.Dataset(attrs={"version": "0.5", "name": "seg"})}
    for n, level in enumerate(levels[finest_label:]):
        nodes[f"{prefix}/labels/seg/{n}"] = nx.as_labels(level, name="seg").to_dataset().assign_attrs(path=f"s{n}")
    return nodes


@pytest.fixture
def tree() -> xr.DataTree:
    return xr.DataTree.from_dict(_nodes(), name="image")


@pytest.fixture
def plate() -> xr.DataTree:
    nodes = {"/": xr.Dataset(attrs={"plate": "p"}), "/B/03": xr.Dataset(attrs={"well": "B03"})}
    nodes |= _nodes("/B/03/0") | _nodes("/B/03/1", 16.0) | _nodes("/C/05/0", 100.0)
    return xr.DataTree.from_dict(nodes, name="plate")


def test_a_level_belongs_to_the_image_it_stands_in():
    """Label images stand in the folder `labels` of their image."""
    assert home_of("/0") == ("/", "")
    assert home_of("/labels/seg/0") == ("/", "seg")
    assert home_of("/B/03/0/2") == ("/B/03/0", "")
    assert home_of("/B/03/0/labels/seg/2") == ("/B/03/0", "seg")


@pytest.mark.parametrize(
    ("criterion", "name"),
    [({"pixel_size": 1}, "1"), ({"max_pixels": 1000}, "2"), ({"scale": 0.5}, "1"), ({"pixel_size": 0.1}, "0")],
)
def test_level_for_returns_the_node_of_a_level(tree, plate, criterion, name):
    """Wherever the image stands, and for label images, too."""
    assert nx.level_for(tree, **criterion) is tree[name]
    assert nx.level_for(plate["C/05/0"], **criterion) is plate[f"C/05/0/{name}"]
    assert nx.level_for(tree["labels/seg"], **criterion) is tree[f"labels/seg/{name}"]
    assert nx.level_for(tree["labels"], **criterion)["seg"].shape == tree[f"{name}"]["image"].shape


def test_level_for_converts_units(tree):
    """A PixelSize speaks in its own unit."""
    assert nx.level_for(tree, pixel_size=nx.PixelSize(1000, 1000, space_unit="nanometer")).name == "1"


def test_level_for_wants_one_image(tree, plate):
    """Of several, one is to be picked; the message says how."""
    with pytest.raises(NgioValueError, match=r"holds 3 images: pick one of them, such as tree\['B/03/0'\]"):
        nx.level_for(plate, scale=0.5)
    with pytest.raises(NgioValueError, match=r"holds 2 images: pick one of them, such as tree\['0'\]"):
        nx.level_for(plate["B/03"], scale=0.5)
    two = xr.DataTree.from_dict({"/labels/a/0": tree["labels/seg/0"], "/labels/b/0": tree["labels/seg/0"]})
    with pytest.raises(NgioValueError, match=r"holds 2 label images: pick one of them, such as tree\['labels/a'\]"):
        nx.level_for(two, scale=0.5)
    with pytest.raises(NgioValueError, match="holds neither image nor label image: open one"):
        nx.level_for(xr.DataTree(), scale=0.5)
    with pytest.raises(NgioTypeError, match="tree must be a DataTree, got DataArray"):
        nx.level_for(tree["0/image"], scale=0.5)


def test_facts_of_a_tree_are_those_of_its_first_level(tree, plate):
    """Pixel size and dimensions, of one image."""
    assert nx.pixel_size_of(tree) == nx.pixel_size_of(tree["0/image"])
    assert nx.dimensions_of(plate["C/05/0"]) == nx.dimensions_of(plate["C/05/0/0/image"])
    with pytest.raises(NgioValueError, match="holds 3 images"):
        nx.pixel_size_of(plate)
    with pytest.raises(NgioTypeError, match="must be a DataArray, Dataset or DataTree, got ndarray"):
        nx.dimensions_of(np.zeros((2, 2)))


def test_map_levels_changes_images_and_keeps_the_rest(plate):
    """Structure, names, attributes and labels; arguments are passed on."""
    before = copy.deepcopy(plate)
    mapped = nx.map_levels(plate, lambda image, term, factor: image * factor + term, 1, factor=2)
    xr.testing.assert_identical(plate, before)
    assert mapped.name == "plate"
    for path, node in mapped.subtree_with_keys:
        assert node.attrs == plate[path].attrs
        if node.data_vars and "labels" in path:
            xr.testing.assert_identical(node.to_dataset(), plate[path].to_dataset())
        elif node.data_vars:
            np.testing.assert_array_equal(node["image"], plate[path]["image"] * 2 + 1)
    assert [path for path, _ in mapped.subtree_with_keys] == [path for path, _ in plate.subtree_with_keys]


def test_map_levels_on_labels_and_on_all(tree):
    """Labels are known by their place, and without it by their role."""
    mapped = nx.map_levels(tree, lambda labels: labels * 0, on="labels")
    assert not mapped["labels/seg/1/seg"].any()
    assert mapped["1"].identical(tree["1"])
    assert not nx.map_levels(tree["labels/seg"], lambda labels: labels * 0, on="labels")["1/seg"].any()
    assert not nx.map_levels(tree, lambda array: array * 0, on="all")["labels/seg/1/seg"].any()
    assert not nx.map_levels(tree, lambda array: array * 0, on="all")["1/image"].any()
    moved = xr.DataTree.from_dict({"/0": tree["labels/seg/0"].to_dataset()})
    with pytest.raises(NgioValueError, match="holds no image: choose which arrays are meant with on="):
        nx.map_levels(moved, lambda image: image)


def test_map_levels_may_change_sizes_and_names(tree):
    """The array keeps its place, whatever the function calls it."""
    mapped = nx.map_levels(tree, lambda image: nx.zoom(image, 0.5).rename("other"))
    assert [mapped[f"{n}/image"].shape for n in range(3)] == [(32, 32), (16, 16), (8, 8)]
    assert mapped["labels/seg/0/seg"].shape == (64, 64)
    assert set(mapped["0"].data_vars) == {"image"}


def test_map_levels_computes_nothing(tree):
    """Dask arrays stay lazy."""

    def refuse(*_, **__):
        pytest.fail("computed")

    with dask.config.set(scheduler=refuse):
        mapped = nx.map_levels(tree.chunk(), nx.zoom, 0.5)
    np.testing.assert_array_equal(mapped["0/image"], nx.zoom(tree["0/image"], 0.5))


def test_map_levels_and_crop_take_coordinates_that_stand_above(tree):
    """A coordinate that a level inherits is its own in the result, where it may be shorter."""
    image = tree["0/image"]
    above = xr.DataTree.from_dict({"/": xr.Dataset(coords=image.coords), "/0": image.to_dataset()})
    xr.testing.assert_identical(nx.map_levels(above, nx.zoom, 0.5)["0/image"], nx.zoom(image, 0.5))
    roi = _roi(y=(0, 4), x=(4, 8))
    xr.testing.assert_identical(nx.crop(above, roi)["0/image"], nx.crop(image, roi))


def test_map_levels_of_levels_with_several_arrays(tree):
    """Other arrays of a level stay, and must still lie on one lattice."""
    image = tree["0/image"]
    two = xr.DataTree.from_dict({"/0": xr.Dataset({"image": image, "seg": nx.as_labels(image)})})
    mapped = nx.map_levels(two, lambda array: array * 2)
    xr.testing.assert_identical(mapped["0/seg"], two["0/seg"])
    with pytest.raises(NgioValueError, match="level '0': its arrays no longer fit together"):
        nx.map_levels(two, lambda array: array.isel(x=slice(3)))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda t: nx.map_levels(t, np.asarray), NgioTypeError, "level '0': the function must return a DataArray, got"),
        (lambda t: nx.map_levels(t, lambda _: None), NgioTypeError, "level '0'.*got NoneType"),
        (lambda t: nx.map_levels(t, 5), NgioTypeError, "function must be one from array to array, got int"),
        (lambda t: nx.map_levels(t, abs, on="both"), NgioValueError, "on must be one of 'image', 'labels', 'all'"),
        (lambda t: nx.map_levels(t["0/image"], abs), NgioTypeError, "tree must be a DataTree, got DataArray"),
        (lambda _: nx.map_levels(xr.DataTree(), abs, on="all"), NgioValueError, "holds no array"),
        (lambda t: nx.crop(t, 1), NgioTypeError, "roi must be a Roi of ngio_x, or a mapping .* got 1"),
    ],
)
def test_bad_arguments_are_refused(tree, call, error, message):
    """Errors are ngio_x's own, and name the level."""
    with pytest.raises(error, match=message):
        call(tree)


def test_errors_of_the_function_are_told_the_level(tree):
    """The function's own error, with a note."""
    with pytest.raises(ZeroDivisionError) as caught:
        nx.map_levels(tree, lambda _: 1 / 0)
    assert caught.value.__notes__ == ["at level '0'"]


def test_images_that_a_region_misses_are_left_out(plate):
    """With a warning each, and the wells and rows that are left without images; other images stay."""
    before = copy.deepcopy(plate)
    with pytest.warns(NgioUserWarning, match="image 'C/05/0' is left out") as caught:
        piece = nx.crop(plate, _roi(y=(20, 4), x=(20, 4)))
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert set(piece.children) == {"B"}
    assert piece.attrs == {"plate": "p"}
    assert piece["B/03"].attrs == {"well": "B03"}
    for image in ("B/03/0", "B/03/1"):
        expected = nx.crop(plate[image], _roi(y=(20, 4), x=(20, 4)))
        assert expected.name == plate[image].name
        assert piece[image].attrs == plate[image].attrs
        assert piece[f"{image}/1"].attrs == {"path": "s1"}
        xr.testing.assert_identical(piece[image].copy(inherit=False), expected)
    xr.testing.assert_identical(plate, before)
    with pytest.raises(NgioEmptyRegionError, match="axis 'y'"):
        nx.crop(plate, _roi(y=(500, 4), x=(20, 4)))


def test_levels_that_one_image_loses_others_keep(plate):
    """And its labels lose them, too."""
    with pytest.warns(NgioUserWarning, match="level '1/2' is left out") as caught:
        narrow = nx.crop(plate["B/03"], _roi(y=(0.5, 17), x=(15, 3)), bounds="inner")
    assert len(caught) == 1
    assert set(narrow["0"].children) == {"0", "1", "2", "labels"}
    assert set(narrow["1"].children) == {"0", "1", "labels"}
    assert set(narrow["1/labels/seg"].children) == {"0", "1"}


def test_pixel_regions_mean_level_0_of_each_image(plate):
    """Wherever the images lie in the world."""
    piece = nx.crop(plate, _roi("pixel", y=(0, 8), x=(8, 16)))
    for image in ("B/03/0", "B/03/1", "C/05/0"):
        xr.testing.assert_identical(piece[f"{image}/0/image"], plate[f"{image}/0/image"][:8, 8:24])
        xr.testing.assert_identical(piece[f"{image}/labels/seg/1/seg"], plate[f"{image}/labels/seg/1/seg"][:4, 4:12])


def test_coarse_labels_take_no_level_from_the_image():
    """Labels made on level 1 are cropped to the same region, and lose alone what holds none of it."""
    tree = xr.DataTree.from_dict(_nodes(finest_label=1))
    piece = nx.crop(tree, _roi("pixel", y=(0, 16), x=(8, 16)))
    assert piece["labels/seg/0/seg"].equals(piece["1/image"])
    with pytest.warns(NgioUserWarning) as caught:
        piece = nx.crop(tree, _roi(y=(0.5, 0.5), x=(0.5, 0.5)), bounds="inner")
    told = [str(warning.message).partition(" is left out")[0] for warning in caught]
    assert told == ["level '1'", "level '2'", "label image 'labels/seg'"]
    assert list(piece.children) == ["0"]


def test_levels_keep_their_names_when_finer_ones_are_lost():
    """A thin region may hold the centre of a coarse pixel, and of no finer one."""
    tree = xr.DataTree.from_dict(_nodes())
    with pytest.warns(NgioUserWarning, match="level '[02]' is left out"):
        piece = nx.crop(tree, _roi(y=(0.48, 0.04), x=(0, 8)), bounds="nearest")
    assert set(piece.children) == {"1", "labels"}
    assert piece["1"].attrs == {"path": "s1"}
    assert nx.pixel_size_of(piece).yx == (1.0, 1.0)


def test_labels_hold_for_every_channel():
    """A region of one channel crops labels, which have none, all the same."""
    image = nx.as_image(np.zeros((3, 8, 8)), ("c", "y", "x"), 0.5, name="image")
    labels = nx.as_labels(np.ones((8, 8), int), ("y", "x"), 0.5, name="seg")
    tree = xr.DataTree.from_dict({"/0": image.to_dataset(), "/labels/seg/0": labels.to_dataset()})
    piece = nx.crop(tree, _roi(c=(2, 1), x=(1, 2)))
    assert piece["0/image"].shape == (1, 8, 4)
    assert piece["labels/seg/0/seg"].shape == (8, 4)
