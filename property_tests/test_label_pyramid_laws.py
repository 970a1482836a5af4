"""Laws of coarser label images: no id arises on any way to one, and objects are lost only where there is no room."""

import itertools
from collections import Counter

import dask
import dask.array as da
import numpy as np
import zarr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_array_equal

import ngio_x as nx
from ngio_x.testing.samples import noise
from ngio_x.testing.strategies import chunkings, label_pixels

kernels = st.sampled_from(("nearest", "mode"))


def label_images(min_dims=1, max_dims=3, min_side=1, max_side=9):
    """Few large objects, or many small ones, with ids of any size: also beyond 2**53, where floats skip integers."""
    shapes = hnp.array_shapes(min_dims=min_dims, max_dims=max_dims, min_side=min_side, max_side=max_side)
    return shapes.flatmap(label_pixels)


@st.composite
def with_coarser(draw):
    """A label image, and a coarser one made of it: at any ratio along each axis."""
    labels = draw(label_images())
    shape = tuple(draw(st.integers(1, size)) for size in labels.shape)
    return labels, nx.numpy_zoom(labels, target_shape=shape, order=draw(kernels))


def ids_of(pixels):
    return set(np.asarray(pixels).ravel().tolist()) - {0}


def chunked(draw, pixels):
    return da.from_array(pixels, chunks=draw(chunkings(pixels.shape)))


@given(st.data(), label_images(2, 2, 2, 14), kernels, st.sampled_from((2, 1.5, 3)), st.sampled_from((2, 2.5)))
def test_no_id_arises_on_any_way_to_a_level(data, labels, order, y, x):
    """numpy_zoom, dask_zoom, zoom, write_labels, write_ome_zarr and both consolidations: they make the same levels."""
    factors, named = {"y": y, "x": x}, nx.as_labels(labels, "yx", name="cells")
    lazy = nx.as_labels(chunked(data.draw, labels), "yx", name="cells")
    levels = 3 if min(labels.shape) >= 6 else 2
    options = {"levels": levels, "scale_factors": factors, "chunks": {"y": 3, "x": 4}}
    store, alone = zarr.storage.MemoryStore(), zarr.storage.MemoryStore()
    with dask.config.set(scheduler="sync"):
        nx.write_ome_zarr(nx.as_image(labels, "yx"), store, labels={"here": named, "lazy": lazy}, **options)
        nx.write_labels(lazy, store, "later", order=order)
        nx.write_ome_zarr(lazy, alone, order=order, **options)
        group = zarr.open_group(store)
        for at, name in itertools.product(range(1, levels), ("here", "later")):
            group[f"labels/{name}/{at}"][...] = 99
        nx.consolidate_ome_zarr(group["labels/later"])
        nx.consolidate_pyramid(*_split([group[f"labels/here/{at}"] for at in range(levels)]), order)
        nx.consolidate_ome_zarr(group["labels/lazy"], order=order)
    level = named
    for at in range(1, levels):
        found = [zarr.open_group(alone)[f"{at}"], *(group[f"labels/{name}/{at}"] for name in ("here", "later", "lazy"))]
        shape = found[0].shape
        found += [nx.dask_zoom(chunked(data.draw, level.values), target_shape=shape, order=order).compute()]
        found += [nx.numpy_zoom(level.values, target_shape=shape, order=order)]
        level = nx.zoom(level, shape=dict(zip("yx", shape, strict=True)), order=order)
        assert ids_of(level) <= ids_of(labels)
        for pixels in found:
            assert_array_equal(pixels[...], level)


def _split(arrays):
    return arrays[0], arrays[1:]


@given(with_coarser())
def test_an_object_is_lost_only_where_every_pixel_that_holds_some_of_it_is_all_that_is_left_of_another(images):
    """By the definition: each of them shows a lost object of higher rank, or the only pixel of one that was there."""
    labels, coarse = images
    kept = nx.keep_objects(coarse, labels)
    sizes, before, after = (Counter(pixels.ravel().tolist()) for pixels in (labels, coarse, kept))
    assert ids_of(coarse) <= ids_of(kept) <= ids_of(labels)
    shares = Counter()
    for place in np.ndindex(labels.shape):
        centre = zip(place, labels.shape, coarse.shape, strict=True)
        shares[int(labels[place]), tuple((2 * k + 1) * m // (2 * n) for k, n, m in centre)] += 1

    def rank(label):
        return -sizes[label], label

    def is_free_for(label, place):
        """Whether an object could stand there, after those of higher rank have been put back."""
        shown = int(kept[place])
        if shown != coarse[place]:
            return rank(shown) >= rank(label)
        return shown == 0 or after[shown] > 1

    for label in ids_of(labels) - ids_of(coarse):
        places = sorted((-count, place) for (one, place), count in shares.items() if one == label)
        if after[label]:
            (found,) = map(tuple, np.argwhere(kept == label).tolist())
            assert after[label] == 1
            better = places[: [place for _, place in places].index(found)]
        else:
            better = places
        assert not any(is_free_for(label, place) for _, place in better)
    changed = kept != coarse
    assert_array_equal(np.sort(kept[changed]), np.sort(list(ids_of(kept) - ids_of(coarse))))
    assert all(before[int(label)] > after[int(label)] >= 1 for label in coarse[changed] if label)


@given(st.data(), st.integers(1, 3), st.integers(2, 4), kernels)
def test_objects_that_share_no_pixel_are_all_kept(data, ndim, factor, order):
    """Where no coarser pixel holds some of two objects, each level has all of them."""
    cells = data.draw(hnp.arrays(np.uint32, hnp.array_shapes(min_dims=ndim, max_dims=ndim, max_side=5)))
    whole = nx.numpy_zoom(cells, target_shape=tuple(size * factor for size in cells.shape), order="nearest")
    there = noise(whole.shape, "f8", data.draw(st.integers(0, 2**32))) < data.draw(st.sampled_from((0.1, 0.3, 0.8)))
    labels = np.where(there, whole, 0)
    coarse = nx.numpy_zoom(labels, target_shape=cells.shape, order=order)
    assert ids_of(nx.keep_objects(coarse, labels)) == ids_of(labels)


@given(st.data(), with_coarser())
def test_chunking_never_changes_where_an_object_is_kept(data, images):
    labels, coarse = images
    expected = nx.keep_objects(coarse, labels)
    with dask.config.set(scheduler="sync"):
        assert_array_equal(nx.keep_objects(coarse, chunked(data.draw, labels)), expected, strict=True)
        found = nx.keep_objects(chunked(data.draw, coarse), labels)
        assert_array_equal(found, expected, strict=True)


@given(with_coarser())
def test_keeping_objects_that_are_not_lost_changes_nothing(images):
    """Those of an image itself, and those that were kept before; nor does it write to its inputs."""
    labels, coarse = images
    for pixels in images:
        pixels.flags.writeable = False
    assert_array_equal(nx.keep_objects(labels, labels), labels, strict=True)
    kept = nx.keep_objects(coarse, labels)
    assert_array_equal(nx.keep_objects(kept, labels), kept, strict=True)


@given(st.data(), st.sampled_from(("yx", "zyx", "tyx")), kernels, st.booleans(), st.sampled_from(("0.4", "0.5")))
def test_levels_on_disk_keep_the_objects_that_they_keep_in_memory(data, axes, order, lazy, version):
    """Of any chunks and shards, of numpy and dask; along t, each position is an image of its own."""
    labels = data.draw(label_images(len(axes), len(axes), max_side=12 if axes == "yx" else 6))
    image = nx.as_image(np.zeros(labels.shape, "u1"), axes)
    levels = 1 + (min(labels.shape[-2:]) >= 2) + (min(labels.shape[-2:]) >= 4)
    store = zarr.storage.MemoryStore()
    chunks = {axis: data.draw(st.integers(1, 5)) for axis in axes}
    shards = (
        {axis: 2 * size for axis, size in chunks.items()} if version == "0.5" and data.draw(st.booleans()) else None
    )
    given_labels = nx.as_labels(chunked(data.draw, labels) if lazy else labels, axes)
    with dask.config.set(scheduler="sync"):
        nx.write_ome_zarr(image, store, levels=levels, version=version)
        nx.write_labels(given_labels, store, "cells", order=order, chunks=chunks, shards=shards, keep_objects=True)
    level = labels
    for at in range(1, levels):
        found = zarr.open_group(store)[f"labels/cells/{at}"]
        level = nx.numpy_zoom(level, target_shape=found.shape, order=order)
        if axes == "tyx":
            expected = np.stack([nx.keep_objects(*pair) for pair in zip(level, labels, strict=True)])
        else:
            expected = nx.keep_objects(level, labels)
        assert_array_equal(found[...], expected)
