"""Laws of regions on disk: writing a piece is pasting it in memory and writing the whole."""

import itertools

import dask
import xarray as xr
import zarr
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

import ngio_x as nx
from ngio_x.resample.kernels import KERNELS
from ngio_x.testing.strategies import images, windows

dims = st.sampled_from(("yx", "cyx", "zyx", "tczyx"))
dtypes = st.sampled_from(("u1", "i2", "u4", "f4", "f8"))
versions, frames = st.sampled_from(("0.4", "0.5")), st.sampled_from(("corner", "center"))


def pictures(axes, dtype):
    """Labelled images with channel names, of random pixels."""
    size = 16 if len(axes) < 4 else 4
    return images(tuple(axes), max_size=size, dtype=dtype, values="noise", channels=True)


@st.composite
def rewritten(draw, image):
    """A piece of an image with other pixels, its axes in any order, numpy- or dask-backed."""
    piece = image[draw(windows(image.shape))]
    piece = piece.copy(data=(100 - piece.values).astype(image.dtype)).transpose(*draw(st.permutations(image.dims)))
    if "c" in piece.dims and draw(st.booleans()):
        piece = piece.isel(c=draw(st.permutations(range(piece.sizes["c"])))[: draw(st.integers(1, piece.sizes["c"]))])
    return piece if draw(st.booleans()) else piece.chunk(draw(st.integers(1, 9)))


def options_for(draw, image):
    levels = draw(st.integers(1, 3)) if min(image.sizes[axis] for axis in "yx") >= 4 else 1
    most = 4 if len(image.dims) < 4 else 2  # chunks along an axis: files by the hundred take seconds
    chunks = {axis: draw(st.integers(-(-size // most), size + 2)) for axis, size in image.sizes.items()}
    return {"levels": levels, "chunks": chunks}


def levels_of(store, prefix="", name="image"):
    tree = nx.open_ome_zarr(store)[prefix or "/"]
    levels = [tree[level][name].compute() for level in sorted(tree.children) if level.isdigit()]
    windows = [f"window_{end}" for end in ("min", "max", "start", "end")]  # suit the pixels that they had first
    return [level.drop_vars(windows, errors="ignore") for level in levels]


def sharded(draw, store, options):
    """The same image, whose level 0 has shards, if its format has any."""
    group = zarr.open_group(store)
    pixels = group["0"]
    if pixels.metadata.zarr_format == 3 and draw(st.booleans()):
        shards = tuple(chunk * draw(st.integers(1, 3)) for chunk in pixels.chunks)
        values, chunks = pixels[...], pixels.chunks
        group.create_array("0", data=values, chunks=chunks, shards=shards, overwrite=True)
    return store


def require_same(found, expected):
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected, strict=True):
        xr.testing.assert_identical(ours, theirs)


@given(st.data(), dims, dtypes, versions, frames, st.sampled_from((None, *KERNELS)))
def test_writing_a_region_is_pasting_it_and_writing_all(data, axes, dtype, version, frame, order):
    image = data.draw(pictures(axes, dtype))
    options = options_for(data.draw, image) | {"version": version, "frame": frame, "order": order}
    store, whole = zarr.storage.MemoryStore(), zarr.storage.MemoryStore()
    nx.write_ome_zarr(image, store, **options)
    patch = data.draw(rewritten(image))
    before = image.copy(deep=True), patch.copy(deep=True).compute()
    with dask.config.set(scheduler="sync"):
        nx.write_region(patch, sharded(data.draw, store, options))
    nx.write_ome_zarr(nx.paste(image, patch.compute()), whole, **options)
    require_same(levels_of(store), levels_of(whole))
    xr.testing.assert_identical(image, before[0])
    xr.testing.assert_identical(patch.compute(), before[1])


@given(st.data(), versions, st.sampled_from((0.5, 1)), st.booleans(), st.booleans())
def test_writing_a_region_of_labels_is_pasting_it_and_writing_all(data, version, scale, keep_objects, at_once):
    image = data.draw(pictures("yx", "u2"))
    labels = nx.zoom(nx.as_labels(image), scale)
    patch = data.draw(rewritten(labels))
    stores = zarr.storage.MemoryStore(), zarr.storage.MemoryStore()
    for store, pixels in zip(stores, (labels, nx.paste(labels, patch.compute())), strict=True):
        nx.write_ome_zarr(image, store, version=version, levels=2 if min(image.shape) >= 2 else 1)
        nx.write_labels(pixels, store, "cells", chunks={"y": 3, "x": 5}, keep_objects=keep_objects)
    group = zarr.open_group(stores[0])["labels/cells"]
    nx.write_region(patch, group, consolidate=at_once, exclusive=True)
    if not at_once:
        nx.consolidate_ome_zarr(group, [])
    require_same(*(levels_of(store, "labels/cells", "cells") for store in stores))


@given(st.data(), dims, dtypes, versions, st.booleans())
def test_pieces_written_in_any_order_and_consolidated_once_are_the_whole(data, axes, dtype, version, everything):
    image = data.draw(pictures(axes, dtype))
    options = options_for(data.draw, image) | {"version": version}
    store, whole = zarr.storage.MemoryStore(), zarr.storage.MemoryStore()
    nx.write_ome_zarr(image, store, **options)
    final = image.copy(data=(100 - image.values).astype(image.dtype))
    units = zarr.open_group(store)["0"].chunks
    edges = {
        axis: [*range(0, size, unit * data.draw(st.integers(1, 3))), size]
        for (axis, size), unit in zip(image.sizes.items(), units, strict=True)
    }
    tiles = [final]
    for axis, cuts in edges.items():
        tiles = [tile.isel({axis: slice(low, high)}) for tile in tiles for low, high in itertools.pairwise(cuts)]
    for tile in data.draw(st.permutations(tiles)) if len(tiles) < 20 else tiles:
        nx.write_region(tile, store, consolidate=False)
    nx.consolidate_ome_zarr(store, None if everything else [])
    nx.write_ome_zarr(final, whole, **options)
    require_same(levels_of(store), levels_of(whole))


@given(st.data(), dims, st.sampled_from(("outer", "nearest")))
def test_a_region_is_written_where_crop_finds_it(data, axes, bounds):
    image = data.draw(pictures(axes, "i2"))
    store = zarr.storage.MemoryStore()
    nx.write_ome_zarr(image, store, levels=1)
    held = image[data.draw(windows(image.shape))]
    slices = {axis: held.xindexes[axis].lattice.extent for axis in held.dims if axis != "c"}
    roi = nx.Roi.from_values({axis: slice(*extent) for axis, extent in slices.items()}, name=None)
    tree = nx.open_ome_zarr(store)
    patch = nx.crop(tree, roi, bounds=bounds)["0"]["image"].compute()
    nx.write_region(-patch.values, store, roi)
    found = nx.open_ome_zarr(store)
    assert_array_equal(nx.crop(found, roi)["0"]["image"], -patch)
    assert_array_equal(found["0"]["image"], nx.paste(image, -patch))
