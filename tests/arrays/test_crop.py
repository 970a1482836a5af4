"""From regions to pieces."""

import numpy as np
import pytest
import xarray as xr

import ngio_x as nx
from ngio_x import RoiSlice
from ngio_x.errors import NgioEmptyRegionError, NgioTypeError, NgioUserWarning, NgioValueError


def _roi(space="world", **slices):
    return nx.Roi.from_values(slices, None, space=space)


@pytest.fixture
def image() -> xr.DataArray:
    return nx.as_image(np.arange(64 * 64).reshape(64, 64), ("y", "x"), 0.5, name="image")


@pytest.fixture
def tree(image) -> xr.DataTree:
    levels = [image, nx.zoom(image, 0.5), nx.zoom(image, 0.25)]
    nodes = {f"/{n}": level.to_dataset() for n, level in enumerate(levels)}
    labels = {f"/labels/seg/{n}": nx.as_labels(level, name="seg").to_dataset() for n, level in enumerate(levels)}
    return xr.DataTree.from_dict(nodes | labels, name="tree")


@pytest.mark.parametrize(("bounds", "held"), [("outer", (2, 6)), ("inner", (3, 5)), ("nearest", (3, 6))])
def test_bounds_decide_which_pixels_are_held(image, bounds, held):
    """All touched, those inside, or those whose centre is held."""
    assert nx.window(image, _roi(y=(0, 1), x=slice(1.3, 2.8)), bounds)["x"] == slice(*held)


def test_a_bound_close_to_a_pixel_edge_snaps(image):
    """0.01 of a pixel is rounding in the metadata."""
    assert nx.window(image, _roi(y=(0, 1), x=slice(0.9951, 2.0049)))["x"] == slice(2, 4)


def test_pixel_space_counts_positions_of_the_array_in_hand(image):
    """Pixel regions hold positions, and negative ones lie before the array."""
    piece = nx.crop(image, _roi(y=(10, 20), x=(30, 8)))
    again = nx.crop(piece, _roi("pixel", y=(-3, 5), x=(1, 2)))
    np.testing.assert_array_equal(again, piece[:2, 1:3])


def test_crop_does_not_copy_pixels(image):
    """A piece is a view."""
    assert np.shares_memory(nx.crop(image, _roi(y=(1, 2), x=(1, 2))).values, image.values)


def test_empty_regions_say_where_they_are(image):
    """The error names axis, interval and extent."""
    with pytest.raises(NgioEmptyRegionError, match=r"axis 'x'.*\[50, 51\).*\[0, 32\) micrometer"):
        nx.crop(image, _roi(y=(0, 1), x=(50, 1)))
    with pytest.raises(NgioEmptyRegionError, match="axis 'x'"):
        nx.crop(image, _roi(y=(0, 1), x=(5, 0)))


def test_missing_axes_count_as_one_pixel(image):
    """A yx image takes a region with z = [0, 1), and refuses one elsewhere."""
    assert nx.crop(image, _roi(y=(0, 1), z=(0, 1))).sizes == {"y": 2, "x": 64}
    with pytest.raises(NgioEmptyRegionError, match="axis 'z'"):
        nx.crop(image, _roi(y=(0, 1), z=(5, 1)))
    assert nx.crop(image, _roi(y=(0, 1), z=(5, 1)), missing_dims="ignore").sizes["y"] == 2
    with pytest.raises(NgioValueError, match="axis 'z', which the image lacks"):
        nx.crop(image, _roi(y=(0, 1), z=(0, 1)), missing_dims="raise")


def test_datasets_are_cropped_as_one(image):
    """All variables of a Dataset lie on one lattice."""
    piece = nx.crop(xr.Dataset({"a": image, "b": image.isel(y=0, drop=True)}), _roi(y=(1, 1), x=(2, 3)))
    assert (piece["a"].shape, piece["b"].shape) == ((2, 6), (6,))


def test_channels_are_positions():
    """Along c a region holds positions, whatever the channels are called."""
    image = nx.as_image(np.zeros((3, 4, 4)), ("c", "y", "x"), 0.5, channels=["a", "b", "d"])
    assert nx.crop(image, _roi(c=(1, 2), x=(0, 1))).c.values.tolist() == ["b", "d"]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda a: nx.crop(a, [(0, 1)]),
            NgioTypeError,
            r"roi must be a Roi of ngio_x, or a mapping .* got \[\(0, 1\)\]",
        ),
        (lambda a: nx.crop(a.values, _roi(y=(0, 1), x=(0, 1))), NgioTypeError, "got ndarray: use as_image"),
        (lambda a: nx.crop(a, _roi(y=(0, 1), x=(0, 1)), bounds="all"), NgioValueError, "'outer', 'inner'"),
        (lambda a: nx.crop(a, _roi(y=(0, 1), z=(0, 1)), missing_dims="no"), NgioValueError, "missing_dims"),
        (lambda a: nx.crop(xr.DataTree(), _roi(y=(0, 1), x=(0, 1))), NgioValueError, "no image"),
    ],
)
def test_bad_arguments_are_refused(image, call, error, message):
    """Errors are ngio_x's own and say what was given."""
    with pytest.raises(error, match=message):
        call(image)


def test_trees_are_cropped_at_every_level(tree):
    """Image and labels hold the same region at each level."""
    piece = nx.crop(tree, _roi(y=(0, 4), x=(4, 8)))
    for path in ("0", "labels/seg/0"):
        assert piece[path].sizes == {"y": 8, "x": 16}
    assert piece["2"].sizes == {"y": 2, "x": 4}
    assert piece.name == "tree"


def test_pixel_regions_of_a_tree_mean_level_0(tree):
    """Positions are those of the first image."""
    assert nx.crop(tree, _roi("pixel", y=(0, 8), x=(8, 16))).identical(nx.crop(tree, _roi(y=(0, 4), x=(4, 8))))


def test_empty_levels_are_left_out_of_image_and_labels_alike(tree):
    """A level without pixels goes, with a warning that stands at the caller."""
    with pytest.warns(NgioUserWarning, match="level '[12]' is left out") as caught:
        piece = nx.crop(tree, _roi(y=(0.5, 1), x=(0.5, 1)), bounds="inner")
    assert set(piece.children) == {"0", "labels"}
    assert set(piece["labels/seg"].children) == {"0"}
    assert len(caught) == 2
    assert all(warning.filename == __file__ for warning in caught)


def test_a_tree_without_a_level_left_raises(tree):
    """A region outside the image is an error in a tree too."""
    with pytest.raises(NgioEmptyRegionError, match="axis 'y'"):
        nx.crop(tree, _roi(y=(500, 1), x=(0, 1)))


@pytest.mark.parametrize(
    ("interval", "advice"),
    [
        (slice(20, 30), "Choose a region that overlaps the array"),
        (slice(1.05, 1.1), "smaller than a pixel there: bounds='outer' takes"),
        (slice(1, 1), "Give it a length above 0"),
    ],
)
def test_an_empty_region_says_why_it_is_empty(interval, advice):
    """Outside, too small for the rounding rule, or without length."""
    image = nx.as_image(np.zeros((8, 8)), ("y", "x"), 0.5)
    with pytest.raises(NgioEmptyRegionError, match=advice):
        nx.crop(image, nx.Roi.from_values({"y": interval, "x": (0, 4)}, None), bounds="nearest")


MAPPINGS = [{"y": (1, 2)}, {"y": slice(1, 2), "x": 0.5}, {"x": (0, None)}, {"y": RoiSlice("y", 1, 2)}]


@pytest.mark.parametrize("intervals", MAPPINGS, ids=str)
def test_a_mapping_crops_as_the_region_that_it_makes(intervals):
    """Arrays, Datasets, trees and accessors alike; a window speaks of the axes that were named."""
    roi = nx.Roi.from_values({"y": slice(None), "x": slice(None)} | intervals)
    image = nx.as_image(np.arange(80).reshape(8, 10), "yx", 0.5, name="image")
    tree = xr.DataTree.from_dict({"0": image.to_dataset(), "1": nx.zoom(image, 0.5).to_dataset()})
    for data in (image, image.to_dataset(), tree):
        assert nx.crop(data, intervals).identical(nx.crop(data, roi))
        assert data.ngio.crop(intervals).identical(nx.crop(data, roi))
    held = nx.window(image, intervals, missing_dims="raise")
    assert held.keys() == intervals.keys()
    assert held.items() <= nx.window(image, roi).items()


def test_a_mapping_of_an_axis_that_the_image_lacks():
    """It meets the rules of any region; of one axis, nothing else is asked for."""
    line = nx.as_image(np.arange(8), "y", name="line")
    assert nx.crop(line, {"y": (2, 3)}, missing_dims="raise").values.tolist() == [2, 3, 4]
    assert nx.window(line, {"z": 0}) == {}
    with pytest.raises(NgioValueError, match="missing_dims"):
        nx.window(line, {"z": 0}, missing_dims="raise")


def test_a_channel_of_a_tree_is_cropped_by_a_mapping():
    """Its labels hold for each channel."""
    image = nx.as_image(np.zeros((2, 8, 8), "u2"), "cyx", name="image")
    cells = nx.as_labels(np.ones((8, 8), "u4"), "yx", name="cells")
    tree = xr.DataTree.from_dict({"0": image.to_dataset(), "labels/cells/0": cells.to_dataset()})
    piece = nx.crop(tree, {"c": 1})
    assert piece["0"]["image"].sizes == {"c": 1, "y": 8, "x": 8}
    assert piece["labels/cells/0"]["cells"].sizes == {"y": 8, "x": 8}


@pytest.mark.parametrize("verb", [nx.crop, nx.window])
def test_a_mapping_that_names_no_axis_of_images_is_refused(verb):
    """A slip of the pen would give the whole image."""
    image = nx.as_image(np.zeros((4, 6)), pixel_size=0.5)
    with pytest.raises(NgioValueError, match=r"roi must name axes of the image, \('y', 'x'\), got 'Y'"):
        verb(image, {"Y": (0, 1)})
    verb(image, {"z": 0, "y": (0, 1)})  # which an image may lack


def test_a_mapping_that_names_no_axis_of_a_tree_is_refused():
    """Axes that one of its arrays has are known."""
    image = nx.as_image(np.zeros((4, 6)), pixel_size=0.5)
    tree = xr.DataTree.from_dict({"/0": image.to_dataset(name="image")})
    with pytest.raises(NgioValueError, match="'Y'"):
        nx.crop(tree, {"Y": (0, 1)})
