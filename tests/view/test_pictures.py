"""Pictures: what is where on the axes."""

import sys

import dask.array as da
import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr
from matplotlib import pyplot as plt

import ngio_x as nx
from ngio_x.arrays.composite import label_colors
from ngio_x.testing.samples import noise
from ngio_x.view.overlays import outlines


@pytest.fixture(autouse=True)
def _no_windows():
    """Draw into memory, and leave no figure open."""
    with mpl.rc_context({"backend": "agg"}):
        yield
        plt.close("all")


@pytest.fixture
def image():
    pixels = np.arange(2 * 40 * 60, dtype=np.uint16).reshape(2, 40, 60)
    return nx.as_image(pixels, ("c", "y", "x"), {"y": 2, "x": 0.5}, origin={"y": 100, "x": -5}, channels=("A", "B"))


@pytest.fixture
def tree(tmp_path, image):
    labels = nx.as_labels((image.values[0] % 60 > 30).astype(np.uint8), ("y", "x"), like=image.isel(c=0))
    channels = [nx.Channel("A", "FF0000", display=(0, 2000)), nx.Channel("B", "0000FF", display=(3000, 4000))]
    nx.write_ome_zarr(image, tmp_path / "a.zarr", levels=3, labels={"cells": labels}, channels=channels)
    return nx.open_ome_zarr(tmp_path / "a.zarr")


def new_axes(width, height):
    """Axes of so many pixels."""
    figure = plt.figure(figsize=(width / 100, height / 100), dpi=100)
    return figure.add_axes((0, 0, 1, 1))


def boxes_on(ax):
    """The drawn boxes as `((left, right), (top, bottom))`."""
    paths = [path.vertices for path in ax.collections[-1].get_paths()]
    return [((v[:, 0].min(), v[:, 0].max()), (v[:, 1].min(), v[:, 1].max())) for v in paths]


def test_the_axes_show_the_edges_of_pixels(image):
    """In world units, y pointing down, with names, units and equal lengths along both."""
    ax = nx.plot_image(image)
    (drawn,) = ax.images
    assert drawn.get_extent() == [-5, 25, 180, 100]
    assert (ax.get_xlim(), ax.get_ylim()) == ((-5, 25), (180, 100))
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_aspect()) == ("x [µm]", "y [µm]", 1)


def test_units_that_differ_are_put_into_proportion():
    """A micrometer along y is as long as 1000 nanometers along x; what has nothing in common fills the axes."""
    image = nx.as_image(np.zeros((4, 4)), ("y", "x"), 1, units={"y": "micrometer", "x": "nanometer"})
    assert nx.plot_image(image).get_aspect() == 1000
    other = nx.as_image(np.zeros((4, 4)), ("y", "x"), 1, units={"y": "micrometer", "x": None})
    assert nx.plot_image(other).get_aspect() == 1
    assert nx.plot_image(nx.as_image(np.zeros((4, 4)))).get_xlabel() == "x"


def test_channels_add_up_as_light(tree):
    """Each in its colour, between its own grey levels."""
    level = tree["0/image"]
    (drawn,) = nx.plot_image(level, ax=new_axes(600, 400)).images
    red = np.clip(level.values[0] / 2000, 0, 1)
    blue = np.clip((level.values[1] - 3000.0) / 1000, 0, 1)
    assert np.abs(drawn.get_array() - 255 * np.stack([red, 0 * red, blue], axis=-1)).max() <= 0.5001
    assert np.array_equal(drawn.get_array(), nx.composite(level))


def test_a_single_channel_has_a_colour_map(tree):
    """Chosen by name or by `sel`; a `Channel` brings its own colour and grey levels."""
    for ax in (nx.plot_image(tree["0/image"].sel(c="B")), nx.plot_image(tree["0/image"], channels=["B"])):
        (drawn,) = ax.images
        assert drawn.get_clim() == (3000, 4000)
        assert drawn.cmap(1.0) == (0, 0, 1, 1)
    (own,) = nx.plot_image(tree["0/image"], channels=[nx.Channel("A", "00FF00", display=(1, 2))]).images
    assert (own.get_clim(), own.cmap(1.0)) == ((1, 2), (0, 1, 0, 1))
    assert nx.plot_image(tree["0/image"], channels=[1]).images[0].get_clim() == (3000, 4000)
    grey = nx.as_image(np.array([[0.0, np.nan], [5.0, 9.0]]))
    (drawn,) = nx.plot_image(grey).images
    assert drawn.get_clim() == (0, 9)


def test_a_picture_and_a_plot_show_the_same(image):
    """Colours and grey levels that nobody knows are those of `composite`, of one channel and of several."""
    for channels in (None, ["B"], [1, 0]):
        (drawn,) = nx.plot_image(image, channels=channels).images
        mixed = nx.composite(image, channels)
        if channels == ["B"]:
            drawn = (drawn.cmap(drawn.norm(drawn.get_array()))[..., :3] * 255).round()
            assert np.abs(drawn - mixed.values).max() <= 1  # a colour map has 256 colours
        else:
            assert np.array_equal(drawn.get_array(), mixed)
    assert not nx.plot_image(image[:0]).images[0].get_array().any()


def test_of_channels_with_one_name_each_is_drawn(image):
    """On every level, with its own grey levels; a window without a width is a threshold in plots, too."""
    twins = [nx.Channel("A", "FF0000", display=(9, 9)), nx.Channel("A", "0000FF", display=(0, 4000))]
    same = nx.as_image(image, channels=twins)
    tree = xr.DataTree.from_dict({f"/{k}": same.to_dataset(name="image") for k in range(2)})
    for ax in nx.plot_levels(tree):
        assert np.array_equal(ax.images[0].get_array(), nx.composite(same))
        assert (ax.images[0].get_array().max((0, 1)) > [254, -1, 254]).all()
    (drawn,) = nx.plot_image(same, channels=[0]).images
    assert np.array_equal(drawn.get_array()[..., 0], 255 * (image[0] > 9))


@pytest.mark.parametrize(("size", "shape"), [(120, (40, 60)), (28, (20, 30)), (14, (10, 15))])
def test_of_a_tree_the_level_is_read_that_suits_the_picture(tree, size, shape):
    """The coarsest whose pixels are no larger than those of the picture, over the same extent."""
    flat = nx.map_levels(tree, lambda image: nx.as_image(image.values, image.dims, 0.5 * 60 / image.sizes["x"]))
    (drawn,) = nx.plot_image(flat, ax=new_axes(size, size)).images
    assert drawn.get_array().shape[:2] == shape
    assert drawn.get_extent() == pytest.approx([0, 30, 20, 0])


def test_large_arrays_are_made_smaller_over_the_same_extent():
    """By their mean; labels keep their ids, so that colours stay."""
    image = nx.as_image(np.arange(1000 * 900.0).reshape(1000, 900), ("y", "x"), 0.1)
    (drawn,) = nx.plot_image(image, ax=new_axes(90, 100)).images
    assert drawn.get_extent() == pytest.approx([0, 90, 100, 0])
    assert np.allclose(drawn.get_array(), image.values.reshape(100, 10, 90, 10).mean((1, 3)))
    labels = nx.as_labels(np.repeat([[3], [900]], 500, axis=0) * np.ones((1, 900), int), ("y", "x"), 0.1)
    (drawn,) = nx.plot_image(labels, ax=new_axes(90, 100)).images
    assert np.array_equal(drawn.get_array()[[0, -1], 0], nx.composite(labels)[[0, -1], 0])


def test_lazy_arrays_that_are_too_large_are_refused():
    """Before anything is computed."""
    huge = nx.as_image(da.zeros((10**6, 10**6), chunks=10**4), ("y", "x"), 1.0)
    with pytest.raises(nx.errors.NgioValueError, match="would read 1000000000000 pixels: show a region"):
        nx.plot_image(huge)
    roi = nx.Roi.from_values({"y": (10, 20), "x": (5, 10)}, None)
    assert nx.plot_image(huge, roi).images[0].get_extent() == [5, 15, 30, 10]


def test_regions_are_boxes_in_world_units(image):
    """Those in pixels are positions in the image; where there is no bound, the picture ends."""
    rois = [
        nx.Roi.from_values({"y": (110, 20), "x": (0, 5)}, "a"),
        nx.Roi.from_values({"y": (0, 10), "x": (10, 20)}, "b", space="pixel"),
        nx.Roi.from_values({"y": (150, None), "z": (0, 1)}, "c"),
    ]
    assert boxes_on(nx.plot_image(image, rois=rois)) == [
        ((0, 5), (110, 130)),
        ((0, 10), (100, 120)),
        ((-5, 25), (150, 180)),
    ]


def test_regions_stand_alone_or_with_names():
    """Without an image, the axes hold them all."""
    rois = [
        nx.Roi.from_values({"y": (1, 2), "x": (0, 5)}, "a"),
        nx.Roi.from_values({"y": (5, 1), "x": (3, 6)}, None, 8),
    ]
    ax = nx.plot_rois(rois, names=True, color="red", linewidth=2)
    assert (ax.get_xlim(), ax.get_ylim()) == ((0, 9), (6, 1))
    assert [(text.get_text(), text.get_position()) for text in ax.texts] == [("a", (0, 1)), ("8", (3, 5))]
    assert ax.collections[0].get_linewidth() == [2]


def test_a_plane_of_a_stack_has_the_regions_that_hold_it():
    """Whether it was chosen by position, by region, or is the only one."""
    stack = nx.as_image(np.zeros((4, 8, 8)), ("z", "y", "x"), {"z": 2, "y": 1, "x": 1})
    rois = [nx.Roi.from_values({"z": (k * 2, 2), "y": (k, 1), "x": (0, 1)}, str(k)) for k in range(4)]
    plane = nx.Roi.from_values({"z": (4, 1), "y": (0, 8)}, None)
    for ax in (nx.plot_image(stack.isel(z=2), rois=rois), nx.plot_image(stack, plane, rois=rois)):
        assert boxes_on(ax) == [((0, 1), (2, 3))]


def test_outlines_run_along_the_edges_of_pixels():
    """As runs of one id; where objects touch, with the larger id; open where the image ends."""
    ids = np.array([[0, 0, 0, 0], [0, 7, 7, 9], [0, 0, 0, 9]])
    labels = nx.as_labels(ids, ("y", "x"), {"y": 2, "x": 1}, origin={"y": 10})
    segments, owners = outlines(labels)
    found = sorted((*map(tuple, ends), owner) for ends, owner in zip(segments.tolist(), owners.tolist(), strict=True))
    assert found == [
        ((1, 12), (1, 14), 7),
        ((1, 12), (3, 12), 7),
        ((1, 14), (3, 14), 7),
        ((3, 12), (3, 16), 9),
        ((3, 12), (4, 12), 9),
    ]


def test_outlines_have_the_length_of_all_boundaries():
    """On random labels: as many edges as there are neighbours that differ, counted by numpy."""
    ids = noise((30, 20), "i8", 1, high=3)
    segments, _ = outlines(nx.as_labels(ids, ("y", "x")))
    edges = np.count_nonzero(np.diff(ids, axis=0)) + np.count_nonzero(np.diff(ids, axis=1))
    assert np.abs(segments[:, 1] - segments[:, 0]).sum() == edges


def test_labels_of_a_tree_are_outlined_by_name(tree):
    """On the level that suits the picture; or as an array, or alone."""
    for ax in (
        nx.plot_image(tree, labels="cells", ax=new_axes(600, 400)),
        nx.plot_image(tree["0/image"], labels=tree["labels/cells/0/cells"], ax=new_axes(600, 400)),
        nx.plot_labels(tree["labels/cells"], ax=new_axes(600, 400)),
    ):
        (lines,) = (np.array(line) for line in ax.collections[-1].get_segments())
        assert lines.tolist() == [[10.5, 100], [10.5, 180]]
        assert np.allclose(ax.collections[-1].get_colors()[0][:3], label_colors(np.array(1)))
    assert nx.plot_labels(tree["labels/cells"]).get_xlim() == (-5, 25)


def test_levels_stand_side_by_side(tree):
    """With one title each, the same grey levels, boxes, and outlines of their own level."""
    roi = nx.Roi.from_values({"y": (110, 20), "x": (0, 10)}, "a")
    axes = nx.plot_levels(tree, rois=[roi], labels="cells")
    assert [ax.get_title() for ax in axes] == ["level 0: 40 × 60", "level 1: 20 × 30", "level 2: 10 × 15"]
    assert [ax.images[0].get_array().shape for ax in axes] == [(40, 60, 3), (20, 30, 3), (10, 15, 3)]
    assert all(ax.images[0].get_extent() == pytest.approx([-5, 25, 180, 100]) for ax in axes)
    assert all(boxes_on(ax) == [((0, 10), (110, 130))] for ax in axes)
    pieces = tree.ngio.plot_levels(roi, labels="cells", axes=[new_axes(100, 100) for _ in range(3)])
    assert pieces[0].images[0].get_extent() == [0, 10, 130, 110]
    levels = {path: nx.as_image(tree[path]["image"].drop_attrs()).to_dataset(name="image") for path in "012"}
    bare = xr.DataTree.from_dict(levels)
    limits = {ax.images[0].get_clim() for ax in nx.plot_levels(bare, channels=["A"])}
    assert len(limits) == 1


def test_a_scale_bar_has_a_round_length(image):
    """At most a quarter of the width, within the picture."""
    ax = nx.plot_image(image, scale_bar=True)
    (bar,) = ax.lines
    start, end = bar.get_xdata()
    assert end - start == 5
    assert [text.get_text() for text in ax.texts] == ["5 µm"]
    assert (ax.get_xlim(), ax.get_ylim()) == ((-5, 25), (180, 100))


def test_methods_are_the_functions(image, tree):
    """`image.ngio.plot` and `tree.ngio.plot` are `plot_image`."""
    roi = nx.Roi.from_values({"y": (110, 20), "x": (0, 10)}, "a")
    for given in (image, tree):
        ax = new_axes(300, 300)
        assert given.ngio.plot(roi, rois=[roi], channels=["A"], scale_bar=True, ax=ax) is ax
        assert ax.images[0].get_extent() == [0, 10, 130, 110]
        assert len(ax.lines) == len(ax.collections) == 1
    ax = new_axes(600, 600)
    tree["labels/cells/0/cells"].ngio.plot_labels(nx.Roi.from_values({"y": (110, 20), "x": (0, 20)}, None), ax=ax)
    assert ax.collections[0].get_segments()[0].tolist() == [[10.5, 110], [10.5, 130]]


def test_pictures_change_nothing(image):
    """Neither pixels nor attributes."""
    before = image.copy(deep=True)
    image.values.flags.writeable = False
    nx.plot_image(image, rois=[nx.Roi.from_values({"y": (110, 20), "x": (0, 10)}, "a")])
    assert image.identical(before)


def test_what_is_no_plane_is_refused_by_name(image, tree):
    """With what to do."""
    stack = nx.as_image(np.zeros((2, 3, 4, 4)), ("t", "z", "y", "x"))
    with pytest.raises(nx.errors.NgioValueError, match=r"has 2 along 't': pick one with isel\(t=1\)"):
        nx.plot_image(stack)
    with pytest.raises(nx.errors.NgioValueError, match="'y' is missing"):
        nx.plot_image(nx.as_image(np.zeros((3, 3)), ("z", "x")))
    with pytest.raises(nx.errors.NgioTypeError, match="real numbers, got complex128"):
        nx.plot_image(nx.as_image(np.zeros((3, 3), complex)))
    with pytest.raises(nx.errors.NgioTypeError, match="must be a DataArray, Dataset or DataTree, got ndarray"):
        nx.plot_image(np.zeros((3, 3)))
    with pytest.raises(nx.errors.NgioKeyError, match="no channel 'Z', name some of 'A', 'B'"):
        nx.plot_image(image, channels=["Z"])
    with pytest.raises(nx.errors.NgioTypeError, match="a list of names, positions or Channel, got 'A'"):
        nx.plot_image(image, channels="A")
    with pytest.raises(nx.errors.NgioValueError, match="channels must be one at least, got none"):
        nx.plot_image(image, channels=[])
    with pytest.raises(nx.errors.NgioTypeError, match="ax must be Axes"):
        nx.plot_image(image, ax=3)
    with pytest.raises(nx.errors.NgioKeyError, match=r"labels must be of the tree's \['cells'\], got 'x'"):
        nx.plot_image(tree, labels="x")
    with pytest.raises(nx.errors.NgioTypeError, match="pass the tree, or the labels"):
        nx.plot_image(image, labels="x")
    with pytest.raises(nx.errors.NgioTypeError, match="labels must be integers"):
        nx.plot_labels(image.isel(c=0) / 2)
    with pytest.raises(nx.errors.NgioValueError, match=r"pick one with isel\(c=0\)"):
        nx.plot_labels(nx.as_labels(image))
    with pytest.raises(nx.errors.NgioValueError, match="axes must be 3, one a level, got list of 0"):
        nx.plot_levels(tree, axes=[])
    with pytest.raises(nx.errors.NgioTypeError, match="tree must be a DataTree"):
        nx.plot_levels(image)
    with pytest.raises(nx.errors.NgioValueError, match="b is in pixels: convert it"):
        nx.plot_rois([nx.Roi.from_values({"y": (0, 1), "x": (0, 1)}, "b", space="pixel")])


def test_without_matplotlib_the_error_says_what_to_install(image, monkeypatch):
    """And the package itself never loads it."""
    monkeypatch.setattr("ngio_x.view.overlays.find_spec", lambda _: None)
    for draw in (lambda: nx.plot_image(image), lambda: nx.plot_rois([]), lambda: nx.plot_labels(image.isel(c=0))):
        with pytest.raises(nx.errors.NgioValueError, match=r"pip install 'ngio-x\[plot\]'"):
            draw()
    assert "matplotlib" in sys.modules  # of this test alone: see test_architecture


def test_the_advice_for_stacks_holds_for_their_labels(tmp_path):
    labels = nx.as_labels(np.ones((3, 8, 8), "uint8"), "zyx", 0.5)
    nx.write_ome_zarr(nx.as_image(labels), tmp_path / "a.zarr", labels={"cells": labels})
    tree = nx.open_ome_zarr(tmp_path / "a.zarr")
    flat = nx.map_levels(tree, lambda each: each.max("z"))
    with pytest.raises(
        nx.errors.NgioValueError, match=r"but the labels have 3 along 'z': .* of a tree and its labels, with .*on='all'"
    ):
        nx.plot_image(flat, labels="cells")
    nx.plot_image(nx.map_levels(tree, lambda each: each.max("z"), on="all"), labels="cells")
