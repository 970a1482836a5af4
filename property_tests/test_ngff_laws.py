"""Laws of files: reading undoes writing, and pieces stay on their lattice."""

import dask.array as da
import numpy as np
import xarray as xr
import zarr
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

import ngio_x as nx
from ngio_x.testing.strategies import images

dims = st.sampled_from(("yx", "cyx", "tyx", "zyx", "tczyx"))
versions, frames = st.sampled_from(("0.4", "0.5")), st.sampled_from(("corner", "center"))


def written(image, **options):
    store = zarr.storage.MemoryStore()
    nx.write_ome_zarr(image, store, **options)
    return store


@given(st.data(), dims, versions, frames, st.booleans(), st.sampled_from((np.uint8, np.int32, np.float64)))
def test_read_of_write_is_identity(data, dims, version, frame, lazy, dtype):
    image = data.draw(images(tuple(dims), max_size=9, dtype=dtype))
    if "c" in dims:
        names = [data.draw(st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=4).filter(
            lambda name: not name.endswith("\0"))) for _ in range(image.sizes["c"])]  # fmt: skip
        image = nx.as_image(image, channels=names)
    if lazy:
        image = image.copy(data=da.from_array(image.values, chunks=4))
    tree = nx.open_ome_zarr(written(image, version=version, frame=frame, levels=1))
    found = tree["0"]["image"]
    assert tree.name == "image"
    assert found.drop_attrs(deep=False).compute().identical(image.compute())
    for axis in set(dims) - {"c"}:
        ours, theirs = (each.xindexes[axis].lattice for each in (image, found))
        assert (theirs.edge, theirs.spacing, theirs.size, theirs.unit) == (
            ours.edge,
            ours.spacing,
            ours.size,
            ours.unit,
        )


@given(st.data(), frames, versions)
def test_levels_of_a_written_image_tile_its_extent(data, frame, version):
    image = data.draw(images(("z", "y", "x"), max_size=20))
    factors = {"y": 2, "x": 3}
    store = written(image, version=version, frame=frame, levels=1)
    shape = {axis: max(1, image.sizes[axis] // factor) for axis, factor in factors.items()}
    if any(shape[axis] < image.sizes[axis] for axis in factors):
        store = written(image, version=version, frame=frame, levels=2, scale_factors=factors)
    for level in nx.open_ome_zarr(store).children.values():
        for axis in "zyx":
            expected, found = (each.xindexes[axis].lattice.extent for each in (image, level["image"]))
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9 * image.xindexes[axis].lattice.spacing)


@given(st.data(), frames)
def test_pieces_written_and_read_again_align_on_their_lattice(data, frame):
    image = data.draw(images(("y", "x"), max_size=20))
    pieces = []
    for _ in range(2):
        window = {}
        for axis, size in image.sizes.items():
            start = data.draw(st.integers(0, size - 1))
            window[axis] = slice(start, data.draw(st.integers(start + 1, size)))
        piece = image.isel(window)
        found = nx.open_ome_zarr(written(piece, frame=frame))["0"]["image"].compute()
        assert_array_equal(found, piece)
        pieces.append((piece, found))
    for join in ("inner", "outer"):
        for expected, found in zip(
            xr.align(*(piece for piece, _ in pieces), join=join),
            xr.align(*(found for _, found in pieces), join=join),
            strict=True,
        ):
            assert_array_equal(found, expected)
            for axis in "yx":
                assert_array_equal(found[axis], expected[axis])


@given(st.data(), frames, versions)
def test_labels_lie_where_they_were_made(data, frame, version):
    image = data.draw(images(("y", "x"), max_size=16))
    store = written(image, version=version, frame=frame)
    labels = nx.zoom(nx.as_labels(image), {axis: data.draw(st.sampled_from((0.5, 1))) for axis in "yx"})
    nx.write_labels(labels, store, "cells")
    found = nx.open_ome_zarr(store)["labels/cells/0"]["cells"].compute()
    assert_array_equal(found, labels)
    for axis in "yx":
        ours, theirs = (each.xindexes[axis].lattice for each in (labels, found))
        np.testing.assert_allclose(theirs.extent, ours.extent, rtol=0, atol=1e-9 * ours.spacing)
