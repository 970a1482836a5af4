"""Laws of crop."""

import copy
import itertools
import warnings

import numpy as np
import xarray as xr
from hypothesis import assume, given
from hypothesis import strategies as st

import ngio_x as nx
from ngio_x.arrays.image import lattice_of
from ngio_x.errors import NgioEmptyRegionError, NgioUserWarning
from ngio_x.testing.strategies import dyadic_numbers, images, rois, rois_over

BOUNDS = st.sampled_from(("outer", "inner", "nearest"))


def _cropped(image, roi, bounds="outer"):
    """Return the crop, or skip the example where it holds no pixel."""
    try:
        return nx.crop(image, roi, bounds=bounds)
    except NgioEmptyRegionError:
        assume(False)


def _or_none(image, roi, bounds):
    """Return the crop, or None where it holds no pixel."""
    try:
        return None if image is None else nx.crop(image, roi, bounds=bounds)
    except NgioEmptyRegionError:
        return None


@given(images(), rois(), BOUNDS)
def test_crop_is_idempotent(image, roi, bounds):
    """Cropping again by the same world region changes nothing, exactly."""
    piece = _cropped(image, roi, bounds)
    xr.testing.assert_identical(nx.crop(piece, roi, bounds=bounds), piece)


@given(images(), st.data(), BOUNDS)
def test_crop_of_crop_is_crop_of_intersection(image, data, bounds):
    """Cropping by two regions in turn is cropping by their overlap, and holds no pixel exactly when that holds none."""
    first, second = data.draw(rois_over(image)), data.draw(rois_over(image))
    both = first.intersection(second)
    assume(both is not None)
    once, twice = _or_none(image, both, bounds), _or_none(_or_none(image, first, bounds), second, bounds)
    assert (once is None) == (twice is None)
    if once is not None:
        xr.testing.assert_identical(twice, once)


@given(images(), rois(), BOUNDS)
def test_crop_commutes_with_arithmetic(image, roi, bounds):
    """Crop of a sum is the sum of crops, also of a piece and the whole."""
    piece = _cropped(image, roi, bounds)
    xr.testing.assert_equal(nx.crop(image + image * 2, roi, bounds=bounds), piece + piece * 2)
    xr.testing.assert_equal(image + piece, piece * 2)


@given(images(), rois(), BOUNDS)
def test_crop_of_dask_is_crop_of_numpy(image, roi, bounds):
    """A dask image gives the same piece, on the same lattice."""
    piece = _cropped(image, roi, bounds)
    xr.testing.assert_identical(nx.crop(image.chunk(y=2, x=3), roi, bounds=bounds).compute(), piece)


@given(images(), rois(), BOUNDS)
def test_window_agrees_with_the_edges_of_the_pixels(image, roi, bounds):
    """A window holds the pixels that the interval touches, contains, or whose centre it holds, found one by one."""
    piece = _cropped(image, roi, bounds)
    held = nx.window(image, roi, bounds)
    for interval in roi.slices:
        axis = interval.axis_name
        low = -np.inf if interval.start is None else interval.start
        high = np.inf if interval.end is None else interval.end
        centre, half = image[axis].values, lattice_of(image, axis).spacing / 2
        match bounds:
            case "outer":
                holds = (centre + half > low) & (centre - half < high)
            case "inner":
                holds = (centre - half >= low) & (centre + half <= high)
            case "nearest":
                holds = (centre >= low) & (centre < high)
        assert np.arange(image.sizes[axis])[held[axis]].tolist() == np.flatnonzero(holds).tolist()
        assert piece.sizes[axis] == holds.sum()


def _pyramid(image):
    levels = [image]
    for _ in range(2):
        levels.append(nx.zoom(levels[-1], {"y": 0.5, "x": 0.5}))
    return xr.DataTree.from_dict({f"/{n}": level.to_dataset() for n, level in enumerate(levels)})


@given(images(max_size=24), st.lists(dyadic_numbers(-32, 96), max_size=4))
def test_nearest_crops_of_a_partition_cover_every_pixel_once_at_every_level(image, cuts):
    """Regions that touch share no pixel and lose none, in a pyramid and its labels at each level."""
    tree = _pyramid(image)
    labels = {f"/labels/cells/{name}": nx.as_labels(node["image"]).to_dataset() for name, node in tree.children.items()}
    tree = xr.DataTree.from_dict({**{node.path: node.to_dataset() for node in tree.subtree}, **labels})
    edges = [None, *sorted(set(cuts)), None]
    found = {path: np.zeros(node.sizes["x"], int) for path, node in tree.subtree_with_keys if node.data_vars}
    for low, high in itertools.pairwise(edges):
        # A slice without a start begins at 0, so the first one begins far below everything.
        part = nx.RoiSlice("x", -1024.0 if low is None else low)
        if high is not None:
            part = nx.RoiSlice("x", part.start, high - part.start)
        roi = nx.Roi("part", (part, nx.RoiSlice("y")))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NgioUserWarning)
            try:
                piece = nx.crop(tree, roi, bounds="nearest")
            except NgioEmptyRegionError:
                continue
        for path in found.keys() & dict(piece.subtree_with_keys).keys():
            found[path][np.isin(tree[path].x.values, piece[path].x.values)] += 1
    assert len(found) == 6
    assert all((count == 1).all() for count in found.values())


@given(images(), st.data(), BOUNDS)
def test_crop_of_a_tree_is_the_crop_of_each_level(image, data, bounds):
    """Every level is cropped to the same world region; those that hold none of it are left out."""
    tree, roi = _pyramid(image), data.draw(rois_over(image))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NgioUserWarning)
        piece = _cropped(tree, roi, bounds)
    for name, node in tree.children.items():
        expected = _or_none(node["image"], roi, bounds)
        assert (expected is not None) == (name in piece.children)
        if expected is not None:
            xr.testing.assert_identical(piece[name]["image"], expected)


@given(images(("c", "y", "x"), max_size=8), st.data(), BOUNDS)
def test_paste_of_crop_is_identity(image, data, bounds):
    """A piece put back where its lattice says changes nothing, and another value changes its pixels only."""
    roi = data.draw(rois_over(image))
    piece = _cropped(image, roi, bounds)
    xr.testing.assert_identical(nx.paste(image, piece), image)
    marked = nx.paste(image, xr.full_like(piece, 65535))
    assert int((marked == 65535).sum()) == piece.size
    xr.testing.assert_identical(nx.crop(marked, roi, bounds=bounds), xr.full_like(piece, 65535))
    xr.testing.assert_identical(nx.paste(image.chunk(x=3), xr.full_like(piece, 65535)).compute(), marked)


@given(images(), rois(), BOUNDS)
def test_inputs_are_untouched(image, roi, bounds):
    """Read-only pixels pass, and values and attributes are the same before and after."""
    image.attrs["nested"] = {"list": [1]}
    image.values.flags.writeable = False
    before = copy.deepcopy(image)
    piece = _cropped(image, roi, bounds)
    labels = nx.as_labels(image)
    nx.paste(image, piece)
    nx.mask(image, labels, 1)
    nx.zoom(image, 0.5)
    xr.testing.assert_identical(image, before)
    assert image.x.attrs == before.x.attrs
