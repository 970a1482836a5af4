"""Laws of pieces that are written back where they belong, and of pieces put together."""

import numpy as np
import xarray as xr
from hypothesis import assume, given
from hypothesis import strategies as st

import ngio_x as nx
from ngio_x.testing.strategies import chunkings, images, label_images, pixels

HOW = st.sampled_from(("last", "first", "max", "min", "mean"))


@st.composite
def chunked(draw, image):
    """Return an image in memory, or in chunks of any sizes."""
    chunks = dict(zip(image.dims, draw(chunkings(image.shape)), strict=True))
    return image.chunk(chunks) if draw(st.booleans()) else image


@st.composite
def pieces_of(draw, image, count=4):
    """Return pieces of an image, anywhere, with other pixels."""
    found = []
    for _ in range(draw(st.integers(1, count))):
        window = {}
        for dim, size in image.sizes.items():
            low = draw(st.integers(0, size - 1))
            window[dim] = slice(low, draw(st.integers(low + 1, size)))
        piece = image.isel(window)
        found.append(piece.copy(data=draw(pixels(piece.shape, image.dtype, odd=False))))
    return found


@given(st.data(), images(("c", "y", "x"), max_size=8, channels=True))
def test_a_masked_paste_changes_the_pixels_where_the_mask_is_true_and_no_others(data, image):
    """Any mask: of the patch's size, or lying anywhere on its lattice; without channels, or with some of them."""
    (patch,) = data.draw(pieces_of(image, 1))
    (ground,) = data.draw(pieces_of(image, 1))
    where = ground % 2 == 0
    where = where.isel(c=0, drop=True) if data.draw(st.booleans()) else where
    if data.draw(st.booleans()):
        where = xr.DataArray(data.draw(pixels(patch.shape, "u1", odd=False)) % 2 == 0, patch.coords, patch.dims)
    on_image = nx.mosaic([where], image.isel(c=0, drop=True) if "c" not in where.dims else image)
    inside = on_image & nx.mosaic([xr.ones_like(patch, bool)], image)
    expected = xr.where(inside, nx.mosaic([patch], image), image).transpose(*image.dims)
    found = nx.paste(data.draw(chunked(image)), data.draw(chunked(patch)), where=data.draw(chunked(where)))
    np.testing.assert_array_equal(found, expected)
    xr.testing.assert_identical(found.compute(), image.copy(data=expected.values))


@given(st.data(), images())
def test_chained_pastes_into_a_lazy_image_are_those_into_one_in_memory(data, image):
    """Bit for bit, with masks, in any chunks, and where patches are computed from what was pasted before."""
    lazy = image.chunk(dict(zip(image.dims, data.draw(chunkings(image.shape)), strict=True)))
    for patch in data.draw(pieces_of(image, 5)):
        where = data.draw(st.sampled_from([None, patch % 2 == 0]))
        plain, other = patch, data.draw(chunked(patch))
        if data.draw(st.booleans()):
            plain, other = plain + image, other + lazy
        image, lazy = nx.paste(image, plain, where=where), nx.paste(lazy, other, where=where)
        xr.testing.assert_identical(lazy.compute(), image)
    xr.testing.assert_identical(lazy.chunk(-1).compute(), image)


@given(st.data(), label_images())
def test_mapping_the_identity_over_objects_writes_the_image_back(data, labels):
    """Every object by itself, though boxes overlap, whatever the halo and the order: their pixels change, no others."""
    image = nx.as_image(data.draw(pixels(labels.shape, "u2", odd=False)), like=labels, name="image")
    rois = data.draw(st.permutations(nx.compute_masking_roi(labels)))
    assume(rois)
    both = (
        data.draw(chunked(xr.Dataset({"image": image, "labels": labels})["image"])).to_dataset().assign(labels=labels)
    )
    halo = data.draw(st.integers(0, 3))
    blank = xr.zeros_like(image)
    found = nx.map_rois(both, lambda piece: piece["image"], rois, output=blank, masked=True, halo=halo)
    np.testing.assert_array_equal(found, np.where(labels > 0, image, 0))
    again = nx.map_rois(image, lambda piece: piece, rois, output=image, masked=data.draw(chunked(labels)), halo=halo)
    xr.testing.assert_identical(again.compute(), image)


@given(st.data(), images(), HOW)
def test_the_mosaic_of_a_tiling_is_the_image(data, image, how):
    """Whatever the order of the crops, and where they overlap."""
    size = {dim: data.draw(st.integers(1, n + 1)) for dim, n in image.sizes.items()}
    overlap = {dim: data.draw(st.integers(0, n - 1)) for dim, n in size.items()}
    tiles = data.draw(st.permutations(nx.tile(image, size, overlap)))
    crops = [data.draw(chunked(nx.crop(image, roi))) for roi in tiles]
    xr.testing.assert_identical(nx.mosaic(crops, how=how).compute(), image)


@given(st.data(), images(dtype=None), st.sampled_from(("max", "min", "mean")))
def test_the_order_of_pieces_does_not_matter_to_the_largest_the_smallest_and_the_mean(data, image, how):
    """Means of floats may differ in their last digits."""
    pieces = data.draw(pieces_of(image))
    others = data.draw(st.permutations(pieces))
    one, other = nx.mosaic(pieces, image, how), nx.mosaic(others, image, how)
    if image.dtype.kind == "f" and how == "mean":
        np.testing.assert_allclose(one, other, rtol=1e-6)
    else:
        np.testing.assert_array_equal(one, other)


@given(st.data(), images())
def test_the_last_and_the_first_of_pieces_are_pasted_in_turn(data, image):
    """Onto a canvas of the fill."""
    pieces = data.draw(pieces_of(image))
    canvas = xr.zeros_like(image)
    for piece in pieces:
        canvas = nx.paste(canvas, piece)
    xr.testing.assert_equal(nx.mosaic(pieces, image), canvas)
    xr.testing.assert_equal(nx.mosaic(pieces[::-1], image, "first"), canvas)


@given(st.data(), images(dtype=None), HOW)
def test_chunking_never_changes_a_mosaic(data, image, how):
    """Of the pieces and of the canvas."""
    pieces = data.draw(pieces_of(image))
    lazy = [data.draw(chunked(piece)) for piece in pieces]
    xr.testing.assert_identical(nx.mosaic(lazy, how=how).compute(), nx.mosaic(pieces, how=how))
    canvas = data.draw(chunked(image))
    xr.testing.assert_identical(nx.mosaic(lazy, canvas, how).compute(), nx.mosaic(pieces, image, how))
