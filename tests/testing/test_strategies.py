"""Strategies draw what they promise."""

import subprocess
import sys

import dask.array as da
import numpy as np
import pytest
import xarray as xr
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ngio_x as nx
from ngio_x.errors import NgioValidationError
from ngio_x.ngff.attributes import examined, read_attributes
from ngio_x.testing import strategies
from tests.official_schemas import complaints

VERSIONS = ("0.4", "0.5")
few = settings(max_examples=10, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def is_dyadic(number):
    return number is None or (number * 8).is_integer()


@few
@given(strategies.rois() | strategies.overlapping_rois().map(lambda drawn: drawn[0][0] if drawn[0] else None))
def test_numbers_of_regions_are_dyadic(roi):
    """So that laws about them hold exactly."""
    if roi is not None:
        assert all(is_dyadic(bound) for item in roi.slices for bound in item.bounds)


@few
@given(strategies.overlapping_rois(("z", "y", "x")))
def test_pairs_that_are_said_to_overlap_do(drawn):
    """And no others, by `intersection`."""
    rois, pairs = drawn
    found = {(i, j) for j in range(len(rois)) for i in range(j) if rois[i].intersection(rois[j]) is not None}
    assert found == pairs


@few
@given(strategies.roi_tables())
def test_tables_can_be_written(rois):
    """Names and labels are unique, regions bounded, columns of one type."""
    image, store = nx.as_image(np.zeros((1, 2, 2), "u1"), "zyx"), zarr.storage.MemoryStore()
    nx.write_ome_zarr(image, store, levels=1)
    nx.write_rois(store, "rois", rois, backend="json")
    assert [roi.name for roi in nx.read_rois(store, "rois")] == [roi.name for roi in rois]


@few
@given(strategies.axes_handlers(), strategies.dimensions(), strategies.pixel_sizes())
def test_descriptions_are_valid(handler, dimensions, pixel_size):
    """They are values of their classes, which check themselves, and come back from JSON."""
    for value in (handler, dimensions.dataset, pixel_size):
        assert nx.from_json(nx.to_json(value), type(value)) == value
    assert all(chunk <= size for chunk, size in zip(dimensions.chunks, dimensions.shape, strict=True))


@few
@given(strategies.pyramid_levels(max_size=32))
def test_levels_make_a_pyramid(levels):
    """Which can be written."""
    builder = nx.ImagePyramidBuilder(levels, ("y", "x"), zarr_format=3)
    group = zarr.open_group(zarr.storage.MemoryStore(), mode="w")
    builder.to_zarr(group)
    assert [group[level.path].shape for level in levels] == [level.shape for level in levels]


@pytest.mark.parametrize("kind", ["dense", "sparse", "touching"])
def test_label_images_are_of_the_kind_that_is_asked_for(kind):
    """Dense ids are small, sparse ones are not, and touching objects leave no background."""

    @few
    @given(strategies.label_images(kinds=(kind,)))
    def check(labels):
        assert labels.attrs["role"] == "labels"
        assert labels.dtype.kind in "iu"
        if kind == "touching":
            assert (labels > 0).all()
        if kind != "sparse":
            assert labels.max() <= 60

    check()
    if kind == "sparse":
        seen = []
        given(strategies.label_images(kinds=(kind,), dtypes=("uint64",), min_size=5))(
            lambda ids: seen.append(ids.max())
        )()
        assert max(seen) > 2**40


@few
@given(st.data(), strategies.images(("z", "y", "x"), max_size=6))
def test_chunks_fit_and_change_nothing(data, image):
    """The pixels of a chunked array are those it was made of."""
    chunks = data.draw(strategies.chunkings(image.shape))
    assert tuple(map(sum, chunks)) == image.shape
    found = data.draw(strategies.chunked(image))
    xr.testing.assert_identical(found.compute(), image)
    plain = data.draw(strategies.chunked(image.values))
    assert isinstance(plain, (np.ndarray, da.Array))
    assert np.array_equal(np.asarray(plain), image.values)


@few
@given(strategies.pyramids())
def test_trees_are_images_with_levels(tree):
    """Verbs take them."""
    assert nx.dimensions_of(tree).shape == tree["0"]["image"].shape
    names = [name for name in tree.children if name.isdigit()]
    areas = [tree[name]["image"].size for name in names]
    assert areas == sorted(areas, reverse=True)


@few
@given(st.data(), st.sampled_from(VERSIONS))
def test_valid_attributes_break_no_rule(data, version):
    """As we and the official schemas see it."""
    attributes = data.draw(strategies.ngff_attributes(version))
    assert [str(each) for each in examined(attributes, "here").problems if each.severity == "error"] == []
    document = attributes.get("ome", attributes)
    [schema] = [
        name for key, name in {"multiscales": "image", "well": "well", "plate": "plate"}.items() if key in document
    ]
    assert complaints(version, schema, attributes) == []


@pytest.mark.parametrize("name", sorted(strategies.BREAKS))
def test_each_break_is_one(name):
    """Reading refuses it."""

    @few
    @given(strategies.broken_ngff_attributes(breaks=[name]))
    def check(drawn):
        with pytest.raises(NgioValidationError, match="multiscales"):
            read_attributes(drawn[0], "here")

    check()


def test_without_hypothesis_the_rest_works():
    """Strategies say what to install; assertions and samples do not need it."""
    code = """
import sys
sys.modules["hypothesis"] = None
from importlib import util
find = util.find_spec
util.find_spec = lambda name: None if name == "hypothesis" else find(name)
from ngio_x.testing import assertions, samples
assertions.assert_chunking_independent(lambda array: array + 1, samples.noise((3, 4)))
try:
    from ngio_x.testing import strategies
except ImportError as error:
    print(error)
"""
    found = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "ngio_x.testing.strategies needs hypothesis: pip install 'ngio-x[testing]'"
