"""Laws of coordinates: a lattice index against a pandas index of the same labels."""

import itertools
import pickle

import numpy as np
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

import ngio_x as nx
from ngio_x.arrays.image import lattice_of
from ngio_x.arrays.pixel_index import PixelIndex
from ngio_x.testing.strategies import images


def _pandas(image):
    return image.assign_coords({dim: image[dim].values for dim in image.dims})


def _runs(size):
    bounds = st.tuples(st.integers(0, size), st.integers(0, size)).map(sorted)
    return bounds.map(lambda pair: slice(*pair))


@given(images(), st.data())
def test_isel_agrees_with_a_pandas_index(image, data):
    """Slices of any sign and step, lists and booleans select the same pixels and labels."""
    size = image.sizes["x"]
    positions = st.integers(-size, size - 1)
    selection = data.draw(
        st.slices(size)
        | st.lists(positions, max_size=6)
        | st.lists(st.booleans(), min_size=size, max_size=size).map(np.array)
        | positions
    )
    if isinstance(selection, np.ndarray):
        selection = selection.astype(bool)
    xr.testing.assert_equal(image.isel(x=selection), _pandas(image).isel(x=selection))


@given(images(), st.lists(st.tuples(st.integers(0, 6), st.integers(1, 12)), max_size=4))
def test_slices_never_drift(image, cuts):
    """Any number of contiguous selections leaves origin and spacing exactly as they were."""
    piece = image
    for start, length in cuts:
        piece = piece.isel(x=slice(start, start + length))
    before, after = lattice_of(image, "x"), lattice_of(piece, "x")
    assert (after.origin, after.spacing) == (before.origin, before.spacing)
    np.testing.assert_array_equal(piece.x, image.x[after.start : after.start + after.size])


@given(images(), st.data())
def test_inner_alignment_agrees_with_a_pandas_index(image, data):
    """The common pixels of two pieces are those with common labels."""
    first, second = (image.isel(x=data.draw(_runs(image.sizes["x"]))) for _ in range(2))
    ours = xr.align(first, second, join="inner")
    theirs = xr.align(_pandas(first), _pandas(second), join="inner")
    for left, right in zip(ours, theirs, strict=True):
        xr.testing.assert_equal(left, right)
        assert isinstance(left.xindexes["x"], PixelIndex)


@given(images(), st.data())
def test_outer_alignment_is_the_hull(image, data):
    """The outer join is the shortest run that holds both pieces."""
    first, second = (image.isel(x=data.draw(_runs(image.sizes["x"]))) for _ in range(2))
    joined, _ = xr.align(first, second, join="outer", fill_value=0)
    starts = [lattice_of(piece, "x").start for piece in (first, second)]
    stops = [lattice_of(piece, "x").start + piece.sizes["x"] for piece in (first, second)]
    np.testing.assert_array_equal(joined.x, image.x[min(starts) : max(stops)])


@given(images(), st.data())
def test_concat_of_neighbours_agrees_with_a_pandas_index(image, data):
    """Pieces put one after the other are the whole, on its lattice."""
    size = image.sizes["x"]
    cuts = sorted({0, size, *data.draw(st.lists(st.integers(0, size), max_size=4))})
    parts = [image.isel(x=slice(low, high)) for low, high in itertools.pairwise(cuts)]
    whole = xr.concat(parts, "x")
    xr.testing.assert_identical(whole, image)
    assert lattice_of(whole, "x") == lattice_of(image, "x")
    xr.testing.assert_equal(whole, xr.concat([_pandas(part) for part in parts], "x"))


@given(images(), st.floats(0, 1, exclude_max=True), st.floats(0, 1, exclude_max=True))
def test_sel_takes_the_pixel_that_contains_a_value(image, y, x):
    """Any place inside the image has exactly one pixel, whose edges enclose it."""
    lattice = {dim: lattice_of(image, dim) for dim in "yx"}
    place = {dim: lattice[dim].edge + at * image.sizes[dim] * lattice[dim].spacing for dim, at in (("y", y), ("x", x))}
    place = {dim: min(value, float(image[dim][-1]) + lattice[dim].spacing / 4) for dim, value in place.items()}
    found = image.sel(place)
    for dim, value in place.items():
        assert abs(float(found[dim]) - value) <= lattice[dim].spacing * (0.5 + 1e-5)


@given(images())
def test_images_survive_pickle_and_as_image(image):
    """A pickled image, and an image labelled again by its own coordinates, is identical."""
    xr.testing.assert_identical(pickle.loads(pickle.dumps(image)), image)
    xr.testing.assert_identical(nx.as_image(image), image)
    xr.testing.assert_identical(nx.as_image(_pandas(image).reset_coords(drop=True), like=image), image)


@given(images(), st.integers(1, 4))
def test_cells_of_a_level_tile_the_extent(image, levels):
    """Every level of an uncropped pyramid spans the extent of level 0."""
    level = image
    for _ in range(levels):
        level = nx.zoom(level, {"y": 0.5, "x": 0.5})
        for dim in "yx":
            np.testing.assert_allclose(lattice_of(level, dim).extent, lattice_of(image, dim).extent, rtol=1e-12)
