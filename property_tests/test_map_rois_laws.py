"""Laws of functions that are mapped over regions."""

import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

import ngio_x as nx
from ngio_x.testing.strategies import chunkings, images, pixels, rois_over


@st.composite
def chunked(draw, image):
    """Return an image in memory, or in chunks of any sizes."""
    chunks = dict(zip(image.dims, draw(chunkings(image.shape)), strict=True))
    return image.chunk(chunks) if draw(st.booleans()) else image


@st.composite
def tilings(draw, image, overlap=0):
    return nx.tile(image, {dim: draw(st.integers(1, size + 1)) for dim, size in image.sizes.items()}, overlap)


@given(st.data(), images(), st.integers(0, 3))
def test_a_function_that_looks_as_far_as_the_halo_gives_the_same_in_any_tiles(data, image, reach):
    tiles = data.draw(tilings(image))
    source = data.draw(chunked(image))

    def largest(piece):
        return piece.copy(data=ndimage.maximum_filter(piece.values, 2 * reach + 1))

    found = nx.map_rois(source, largest, tiles, halo=reach)
    xr.testing.assert_identical(found.compute(), largest(image))


@given(st.data(), images())
def test_mapping_the_identity_is_pasting_the_crops_in_turn(data, image):
    rois = data.draw(st.lists(rois_over(image), max_size=4))
    bounds = data.draw(st.sampled_from(("outer", "inner", "nearest")))
    rois = [roi for roi in rois if holds(image, roi, bounds)]
    expected = xr.zeros_like(image)
    for roi in rois:
        expected = nx.paste(expected, nx.crop(image, roi, bounds=bounds))
    halo = data.draw(st.integers(0, 2))
    found = nx.map_rois(data.draw(chunked(image)), lambda piece: piece, rois, bounds=bounds, halo=halo)
    xr.testing.assert_identical(found.compute(), expected)


def holds(image, roi, bounds):
    try:
        nx.window(image, roi, bounds)
    except nx.errors.NgioEmptyRegionError:
        return False
    return True


@given(st.data(), images())
def test_a_table_has_for_each_region_what_its_crop_gives(data, image):
    rois = data.draw(st.lists(rois_over(image), max_size=4))
    columns = {"sum": "int64", "high": "uint16"}

    def facts(piece):
        return {"sum": piece.values.sum(dtype="int64"), "high": piece.max()}

    table = nx.map_rois(data.draw(chunked(image)), facts, rois, output=columns).compute()
    assert nx.rois_from_dataset(table.drop_vars(list(columns))) == rois
    assert table["sum"].values.tolist() == [nx.crop(image, roi).values.sum(dtype="int64") for roi in rois]
    assert table["high"].values.tolist() == [nx.crop(image, roi).values.max() for roi in rois]


@given(st.data(), images())
def test_objects_no_wider_than_the_halo_are_those_of_the_whole_image(data, image):
    inside = image.copy(data=data.draw(pixels(image.shape)) < 30)
    whole, _ = ndimage.label(inside.values)
    boxes = ndimage.find_objects(whole)
    widest = max((side.stop - side.start for box in boxes for side in box), default=0)
    tiles = data.draw(tilings(image))
    found = nx.map_rois(
        data.draw(chunked(inside)),
        lambda piece: ndimage.label(piece.values)[0],
        tiles,
        output="labels",
        halo=widest,
    ).values
    pairs = set(zip(whole.ravel().tolist(), found.ravel().tolist(), strict=True))
    assert len(pairs) == len(set(whole.ravel().tolist())) == len(set(found.ravel().tolist()))
    assert ((found > 0) == inside.values).all()
