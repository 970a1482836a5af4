"""Laws of the strategies that ngio_x ships: whatever is drawn is what was promised."""

import itertools
import json

import numpy as np
import zarr
from hypothesis import given
from hypothesis import strategies as st

import ngio_x as nx
from ngio_x.ngff.attributes import examined, read_attributes
from ngio_x.testing import assert_valid_ome_zarr, strategies
from ngio_x.testing.strategies import BREAKS
from tests.official_schemas import complaints

shapes = st.lists(st.integers(1, 9), min_size=1, max_size=4)
versions = st.sampled_from(("0.4", "0.5"))
SCHEMAS = {"image": ("image",), "label image": ("image", "label"), "well": ("well",), "plate": ("plate",)}


def errors_of(attributes):
    return [problem for problem in examined(attributes, "here", formally=True).problems if problem.severity == "error"]


@given(strategies.axes_handlers(others=True))
def test_drawn_axes_are_those_that_ome_ngff_allows(handler):
    """In its order, each once, with y and x."""
    names = handler.axes_names
    assert names[-2:] == ("y", "x")
    assert sorted(names, key="tcqzyx".index) == list(names)
    assert len({*names}) == len(names)
    assert not {"c", "q"} <= {*names}


@given(strategies.pixel_sizes(), strategies.dimensions())
def test_pixel_sizes_and_dimensions_are_dyadic_and_within_bounds(pixel_size, dimensions):
    """So that laws hold exactly; chunks are within the shape."""
    for size in (*pixel_size.tzyx, *dimensions.dataset.scale):
        assert (size * 8).is_integer()
    assert all(1 <= chunk <= size <= 64 for chunk, size in zip(dimensions.chunks, dimensions.shape, strict=True))
    assert len(dimensions.shape) == len(dimensions.axes)


@given(strategies.rois_with_overlaps(("z", "y", "x")))
def test_known_overlaps_are_those_that_intersections_say(drawn):
    """By Roi.intersection of each pair, and by `overlapping`."""
    rois, pairs = drawn
    nameless = [nx.Roi(None, roi.slices) for roi in rois]
    meets = [(i, j) for i, j in itertools.combinations(range(len(rois)), 2) if nameless[i].intersection(nameless[j])]
    assert pairs == meets == [*map(tuple, nx.overlapping(rois).tolist())]
    assert all(item.start is not None and item.length > 0 for roi in rois for item in roi.slices)


@given(strategies.roi_tables())
def test_drawn_tables_fit_on_disk(rois):
    """They are written as they are, and come back equal."""
    store = zarr.storage.MemoryStore()
    nx.write_ome_zarr(nx.as_image(np.zeros((1, 2, 2), "u1"), "zyx", 1.0), store, levels=1)
    nx.write_rois(store, "table", rois)
    assert nx.read_rois(store, "table") == rois


@given(st.data(), shapes)
def test_ways_to_cut_an_array_fit_it(data, shape):
    """Chunks add up to the array; shapes of chunks and windows lie within it."""
    chunks = data.draw(strategies.chunkings(shape))
    assert [sum(sizes) for sizes in chunks] == shape
    assert all(size >= 1 for sizes in chunks for size in sizes)
    assert all(len(sizes) <= 4 for sizes in chunks)
    assert all(1 <= a <= b for a, b in zip(data.draw(strategies.chunk_shapes(shape)), shape, strict=True))
    assert all(1 <= a <= b + 2 for a, b in zip(data.draw(strategies.chunk_shapes(shape, beyond=2)), shape, strict=True))
    for least in (0, 1):
        window = data.draw(strategies.windows(shape, min_size=least))
        assert all(
            0 <= a.start <= b - least and a.start + least <= a.stop <= b for a, b in zip(window, shape, strict=True)
        )


@given(strategies.pixels((5, 4), "f4", odd=False))
def test_pixels_that_are_not_odd_are_whole_numbers_below_100(values):
    """So that sums are exact in any type."""
    assert ((values >= 0) & (values < 100) & (values == np.rint(values))).all()


@given(st.data(), st.sampled_from(("u1", "i4", "u8", None)))
def test_labels_are_integers_from_0_on(data, dtype):
    """Of the type asked for, and no larger than asked for."""
    ids = data.draw(strategies.label_pixels(dtype=dtype, max_id=data.draw(st.sampled_from((None, 12, 127)))))
    assert ids.dtype.kind in "iu"
    assert dtype is None or ids.dtype == dtype
    assert (ids >= 0).all()
    assert data.draw(strategies.label_pixels((3, 4), max_id=5)).max() <= 5
    assert data.draw(strategies.label_pixels((3, 4), max_id=5)).shape == (3, 4)


@given(strategies.label_pixels(dtype="u4", kinds=("touching",)))
def test_objects_that_touch_are_1_to_n(ids):
    """Each of them is there."""
    assert {*np.unique(ids)} - {0} == {*range(1, int(ids.max()) + 1)}


@given(strategies.images(None, dtype=None, max_size=5, channels=True))
def test_images_have_lattices_along_space_and_time(image):
    """And names along c, if asked for."""
    assert image.dims[-2:] == ("y", "x")
    assert nx.dimensions_of(image).axes == image.dims
    assert all(isinstance(image.xindexes[dim], nx.PixelIndex) for dim in image.dims if dim != "c")
    assert "c" not in image.dims or image["c"].values.tolist() == [f"{k}" for k in range(image.sizes["c"])]


@given(strategies.label_images(None, max_size=5))
def test_label_images_have_the_role_and_no_channels(labels):
    """So that nothing blends them."""
    assert labels.attrs["role"] == "labels"
    assert "c" not in labels.dims
    assert labels.dtype.kind in "iu"


@given(st.data(), strategies.images())
def test_regions_over_an_image_hold_some_of_it(data, image):
    """So that `crop` never finds nothing."""
    assert nx.crop(image, data.draw(strategies.rois_over(image))).size > 0


@given(strategies.level_shapes(max_levels=3))
def test_shapes_of_levels_never_grow(shapes):
    """Along any axis."""
    assert 2 <= len(shapes) <= 3
    assert all(b <= a for fine, coarse in itertools.pairwise(shapes) for a, b in zip(fine, coarse, strict=True))


@given(strategies.pyramid_builders(max_size=12))
def test_builders_make_their_arrays(builder):
    """With the shapes and chunks that they say, and scales that keep the extent."""
    group = zarr.open_group(zarr.storage.MemoryStore(), mode="w", zarr_format=builder.zarr_format)
    builder.to_zarr(group)
    extents = [np.multiply(level.shape, level.scale) for level in builder.levels]
    for level in builder.levels:
        assert group[level.path].shape == level.shape
        assert level.chunks == "auto" or group[level.path].chunks == level.chunks
    np.testing.assert_allclose(extents, extents[:1] * len(extents), rtol=1e-12)


@given(strategies.pyramid_trees(("c", "y", "x"), max_size=12))
def test_trees_are_what_is_opened_and_written(tree):
    """Written, they are valid, and open with the same levels."""
    store = zarr.storage.MemoryStore()
    nx.write_ome_zarr(tree, store)
    assert_valid_ome_zarr(store)
    found = nx.open_ome_zarr(store)
    levels = [name for name in tree.children if name.isdecimal()]
    assert [name for name in found.children if name.isdecimal()] == levels
    assert found["0/image"].sizes == tree["0/image"].sizes
    assert ("labels" in found.children) == ("labels" in tree.children)


@given(st.data(), st.sampled_from([*SCHEMAS]), versions)
def test_valid_attributes_break_no_rule(data, kind, version):
    """Neither ours nor those of the official schemas; they are JSON, and of the kind that was asked for."""
    attributes = data.draw(strategies.valid_attributes(kind, version))
    assert errors_of(attributes) == []
    assert [fault for schema in SCHEMAS[kind] for fault in complaints(version, schema, attributes)] == []
    assert read_attributes(attributes, "here").version == version
    assert json.loads(json.dumps(attributes)) == attributes
    assert (kind == "label image") == ("image-label" in attributes.get("ome", attributes))


@given(st.data(), versions)
def test_broken_attributes_are_reported_as_what_they_are(data, version):
    """Where and under the section that the break says."""
    attributes, name = data.draw(strategies.broken_attributes(version=version))
    root = "$.ome" if version == "0.5" else "$"
    found = [(problem.section, problem.path) for problem in errors_of(attributes)]
    assert (BREAKS[name].section, BREAKS[name].path.replace("$", root, 1)) in found
