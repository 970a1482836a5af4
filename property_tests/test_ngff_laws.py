"""Laws of files: reading undoes writing, and pieces stay on their lattice."""

import copy
import itertools
import warnings

import dask.array as da
import numpy as np
import xarray as xr
import zarr
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import ngio_x as nx
from ngio_x.arrays.channels import COORDINATES
from ngio_x.errors import NgioEmptyRegionError, NgioUserWarning
from ngio_x.testing.strategies import images, rois_over, windows
from tests.official_schemas import complaints

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
    plain = found.drop_vars(COORDINATES, errors="ignore")  # colours and windows are chosen
    assert plain.compute().identical(image.compute())
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
            assert_allclose(found, expected, rtol=0, atol=1e-9 * image.xindexes[axis].lattice.spacing)


@given(st.data(), frames)
def test_pieces_written_and_read_again_align_on_their_lattice(data, frame):
    image = data.draw(images(("y", "x"), max_size=20))
    pieces = []
    for _ in range(2):
        piece = image[data.draw(windows(image.shape))]
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
        assert_allclose(theirs.extent, ours.extent, rtol=0, atol=1e-9 * ours.spacing)


# ---- Trees


@st.composite
def trees(draw):
    """An image of one to three levels, at any factors, with labels on each level's grid or half of it; or a crop of it.

    Pixels cannot be written to, and attributes hold other things than numbers.
    """
    axes = draw(dims)
    image = draw(images(tuple(axes), max_size=16 if len(axes) < 4 else 5)).assign_attrs(note=[{"a": 1}])
    channels = [nx.Channel(f"{at}", "00AAFF", (0, 9)) for at in range(image.sizes.get("c", 0))]
    if channels:
        image = nx.as_image(image, channels=channels)
    levels = [nx.as_image(image, units="nanometer")]
    for _ in range(draw(st.integers(0, 2))):
        factors = st.sampled_from((0.3, 0.5, 0.75, 1.0))
        levels.append(nx.zoom(levels[-1], {"y": draw(factors), "x": draw(factors)}))
    grid = draw(st.sampled_from((0.5, 1)))
    nodes = {f"/{n}": level.to_dataset().assign_attrs(path=f"s{n}") for n, level in enumerate(levels)}
    for n, level in enumerate(levels):
        ids = level.isel(c=0, drop=True) if "c" in axes else level
        labels = nx.as_labels(nx.zoom(ids, {"y": grid, "x": grid}), name="cells")
        nodes[f"/labels/cells/{n}"] = labels.drop_attrs(deep=False).assign_attrs(role="labels").to_dataset()
    tree = xr.DataTree.from_dict(nodes, name=draw(st.none() | st.just("a")))
    if draw(st.booleans()):
        tree = cropped(tree, draw(rois_over(image)), draw(st.sampled_from(("outer", "inner", "nearest"))))
        for fine, coarse in itertools.pairwise(levels_of(tree)):  # at uneven factors, one pixel may touch two
            assume(all(m <= n for n, m in zip(fine.shape, coarse.shape, strict=True)))
    for node in tree.subtree:
        for array in node.data_vars.values():
            array.values.flags.writeable = False
    return tree


def cropped(tree, roi, bounds):
    """Return a crop, or skip the example where it holds no pixel."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NgioUserWarning)
        try:
            return nx.crop(tree, roi, bounds=bounds)
        except NgioEmptyRegionError:
            assume(False)


def levels_of(tree, path="/", name="image"):
    """The levels of an image or of labels, finest first, whatever their numbers."""
    nodes = tree[path].children if path == "/" or path.split("/")[0] in tree.children else {}
    return [nodes[number][name] for number in sorted(nodes) if number.isdecimal()]


def require_same(found, expected):
    """Pixels, names, units, and lattices up to a billionth of a pixel."""
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected, strict=True):
        assert (ours.dims, ours.dtype, ours.name) == (theirs.dims, theirs.dtype, theirs.name)
        assert_array_equal(ours, theirs)
        for axis in ours.dims:
            if axis == "c":
                assert ours["c"].values.tolist() == theirs["c"].values.tolist()
                continue
            one, other = (each.xindexes[axis].lattice for each in (ours, theirs))
            assert (one.size, one.unit) == (other.size, other.unit)
            assert_allclose(one.extent, other.extent, rtol=1e-12, atol=1e-9 * other.spacing)


@given(trees(), versions, frames)
def test_read_of_write_of_a_tree_is_identity(tree, version, frame):
    """Whatever the levels, where they begin, and how labels lie; written again in the other version, too."""
    first = nx.open_ome_zarr(written(tree, version=version, frame=frame))
    again = nx.open_ome_zarr(written(first, version={"0.4": "0.5", "0.5": "0.4"}[version]))
    images, labels = levels_of(tree), levels_of(tree, "labels/cells", "cells")
    for found in (first, again):
        require_same(levels_of(found), images)
        if labels:  # of which some levels may have been made anew
            kept = labels if len(labels) == len(images) else labels[:1]
            require_same(levels_of(found, "labels/cells", "cells")[: len(kept)], kept)
    assert (first.name, first.attrs["frame"]) == (tree.name, frame)
    assert again.attrs == first.attrs | {"version": again.attrs["version"]}
    assert nx.channels_of(first) == nx.channels_of(images[0])
    paths = [node.attrs["path"] for name, node in tree.children.items() if name.isdecimal()]
    assert [again[f"{number}"].attrs["path"] for number in range(len(paths))] == paths


@given(trees(), versions, frames)
def test_what_is_written_is_valid(tree, version, frame):
    """By the rules of ngio_x and by the official schemas; and so is an empty image like it."""
    for write in (nx.write_ome_zarr, nx.derive):
        store = zarr.storage.MemoryStore()
        write(tree, store, version=version, frame=frame)
        assert nx.validate_ome_zarr(store).errors == ()
        group = zarr.open_group(store, mode="r")
        assert complaints(version, "image", group.attrs.asdict()) == []
        for _, labels in group["labels"].groups() if "labels" in group else ():
            for schema in ("image", "label"):
                assert complaints(version, schema, labels.attrs.asdict()) == []


@given(trees(), versions)
def test_writing_never_writes_to_its_inputs(tree, version):
    """Trees, arrays, labels, patches and options; attributes are compared at any depth."""
    image, labels = levels_of(tree)[0], levels_of(tree, "labels/cells", "cells")
    options = {"chunks": {"y": 3, "x": 3}, "frame": "center", "version": version}
    before = copy.deepcopy((tree, image, labels, options))
    store = written(tree, **options)
    nx.derive(tree, zarr.storage.MemoryStore(), **options)
    if labels:
        nx.write_labels(labels[0], store, "more", frame="center", colors={1: [1, 2, 3]})
    nx.write_region(image, store)
    nx.write_region(image, store, consolidate=False)
    assert options == before[3]
    for ours, theirs in zip((tree, image, *labels), (*before[:2], *before[2]), strict=True):
        assert ours.identical(theirs)
