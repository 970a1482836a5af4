"""Strategies draw all kinds of what they promise; that they draw nothing else is a law each, in property_tests."""

import numpy as np
import pytest
from hypothesis import Phase, find, settings

import ngio_x as nx
from ngio_x.ngff.attributes import examined
from ngio_x.testing import strategies
from ngio_x.testing.strategies import BREAKS
from tests.official_schemas import complaints

SCHEMAS = {"image": ("image",), "label image": ("image", "label"), "well": ("well",), "plate": ("plate",)}
FIXED = settings(max_examples=500, phases=[Phase.generate], derandomize=True, database=None, deadline=None)


def errors_of(attributes):
    return [problem for problem in examined(attributes, "here", formally=True).problems if problem.severity == "error"]


def example_of(strategy, condition=lambda _: True):
    """An example that fulfils a condition, the same one each time; hypothesis raises if none turns up."""
    return find(strategy, condition, settings=FIXED)


def can_draw(strategy, condition):
    """Whether an example that fulfils a condition turns up."""
    example_of(strategy, condition)
    return True


# ---- Metadata


def test_axes_are_of_all_kinds():
    """With and without t, c, z, others and units; the names may be given."""
    for name in "tczq":
        assert can_draw(strategies.axes_handlers(others=True), lambda found, name=name: name in found.axes_names)
    assert can_draw(strategies.axes_handlers(), lambda found: found.space_unit is None)
    assert can_draw(strategies.axes_handlers("zyx"), lambda found: found.space_unit == "nanometer")
    assert can_draw(strategies.axes_handlers("zyx"), lambda found: found.axes_names == ("z", "y", "x"))


# ---- Regions


def test_regions_with_overlaps_are_of_all_kinds():
    """None, some that overlap, some that merely touch, equal ones; below zero, too."""
    drawn = strategies.rois_with_overlaps()

    def touch(found):
        rois, pairs = found
        return len(rois) == 2 and not pairs and nx.Roi(None, rois[0].slices)["x"].end == rois[1]["x"].start

    assert can_draw(drawn, lambda found: not found[0])
    assert can_draw(drawn, lambda found: len(found[1]) >= 2)
    assert can_draw(drawn, touch)
    assert can_draw(drawn, lambda found: any(found[0][i].slices == found[0][j].slices for i, j in found[1]))
    assert can_draw(drawn, lambda found: any(roi["x"].start < 0 for roi in found[0]))


def test_tables_are_of_all_kinds():
    """Empty, with labels and without, with extras that some regions lack."""
    assert can_draw(strategies.roi_tables(), lambda rois: not rois)
    assert can_draw(strategies.roi_tables(), lambda rois: rois and rois[0].label is not None)
    assert can_draw(strategies.roi_tables(), lambda rois: len({*(frozenset(roi.extra) for roi in rois)}) > 1)
    assert can_draw(strategies.roi_tables(), lambda rois: len(rois) > 1 and all(roi.extra for roi in rois))
    assert can_draw(
        strategies.roi_tables("tyx"), lambda rois: rois and [item.axis_name for item in rois[0].slices] == [*"tyx"]
    )


# ---- Arrays


def test_ways_to_cut_an_array_are_of_all_kinds():
    """One chunk, single pixels, uneven ones; all of an array, a pixel, nothing."""
    for chunks in ((4,), (1, 3), (1, 1, 1, 1), (2, 1, 1)):
        assert can_draw(strategies.chunkings((4,)), lambda found, chunks=chunks: found == (chunks,))
    for window in (slice(0, 4), slice(3, 4), slice(2, 2)):
        assert can_draw(strategies.windows((4,), min_size=0), lambda found, window=window: found == (window,))


@pytest.mark.parametrize("dtype", ["?", "u1", ">i2", "f2", "f8", "c8"])
def test_pixels_have_shape_and_type_and_floats_may_be_odd(dtype):
    """NaN, infinities, -0 and fractions, or not if they are not wanted."""
    found = strategies.pixels((5, 4), dtype)
    assert can_draw(found, lambda values: values.shape == (5, 4) and values.dtype == dtype)
    if dtype in ("f2", "f8", "c8"):
        assert can_draw(found, lambda values: np.isnan(values).any())
        assert can_draw(found, lambda values: np.isinf(values).any())
        assert can_draw(strategies.pixels((5, 4), dtype, odd=False), lambda values: np.isfinite(values).all())


def test_labels_are_of_all_kinds():
    """Scattered ids, ids far apart, objects that meet without background between them, and none."""
    sparse = strategies.label_pixels((4, 4), "u8", kinds=("sparse",))
    assert can_draw(sparse, lambda ids: len(np.unique(ids)) > 2 and ids.max() > 2**53)
    dense = strategies.label_pixels((4, 4), "u4", kinds=("dense",))
    assert can_draw(dense, lambda ids: not ids.any())
    assert can_draw(dense, lambda ids: ids.max() > 4)
    touching = strategies.label_pixels((8, 8), "u4", kinds=("touching",))
    assert can_draw(touching, lambda ids: ids.max() > 2 and ids.all())
    assert can_draw(touching, lambda ids: ids.max() > 2 and not ids.all())


def test_images_are_of_all_kinds():
    """Any axes, any types, distinct pixels or noise."""
    for dim in "tcz":
        assert can_draw(strategies.images(None, max_size=2), lambda image, dim=dim: dim in image.dims)
    for kind in "iuf":
        assert can_draw(strategies.images(dtype=None, max_size=2), lambda image, kind=kind: image.dtype.kind == kind)
    assert can_draw(strategies.images(), lambda image: image.size > 9 and len(np.unique(image)) == image.size)
    noisy = strategies.images(values="noise", dtype="u4")
    assert can_draw(noisy, lambda image: image.size > 20 and 1 < len(np.unique(image)) < image.size)


# ---- Pyramids


def test_builders_are_of_all_kinds():
    """Of both formats, with shards, chunks and neither, of one level and several."""
    drawn = strategies.pyramid_builders()
    for condition in (
        lambda builder: builder.zarr_format == 2,
        lambda builder: any(level.shards for level in builder.levels),
        lambda builder: any(level.chunks == "auto" for level in builder.levels),
        lambda builder: len(builder.levels) == 1,
        lambda builder: len(builder.levels) == 3,
    ):
        assert can_draw(drawn, condition)


def test_trees_are_of_all_kinds():
    """Of one level and several, with labels and without."""
    drawn = strategies.pyramid_trees(labels="cells")
    assert can_draw(drawn, lambda tree: [*tree.children] == ["0"])
    assert can_draw(drawn, lambda tree: {"0", "1", "2"} <= {*tree.children})
    assert can_draw(drawn, lambda tree: "/labels/cells/1" in tree.groups)
    assert can_draw(strategies.pyramid_trees(labels=None), lambda tree: "labels" not in tree.children)


# ---- Documents


UNSEEN = {
    "level outside of the group", "level twice", "colour in words", "window that falls", "well in no row",
    "well at another path", "acquisition twice", "channel after space", "scale of zero", "translation before scale",
    "scale without an axis",
}  # fmt: skip
"""Breaks that JSON schemas cannot see, or that the official ones do not look for."""


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("name", BREAKS)
def test_each_break_is_reported_as_what_it_is(name, version):
    """Where and under the section that it says; by the official schemas, too, as far as they can see it."""
    attributes, called = example_of(strategies.broken_attributes(name, version))
    assert called == name
    root = "$.ome" if version == "0.5" else "$"
    found = [(problem.section, problem.path) for problem in errors_of(attributes)]
    assert (BREAKS[name].section, BREAKS[name].path.replace("$", root, 1)) in found
    seen = [fault for schema in SCHEMAS[BREAKS[name].kind] for fault in complaints(version, schema, attributes)]
    assert seen or name in UNSEEN


def test_any_break_may_be_drawn():
    """Of both versions, where neither is given."""
    drawn = strategies.broken_attributes()
    for kind in SCHEMAS:
        assert can_draw(drawn, lambda found, kind=kind: BREAKS[found[1]].kind == kind)
    assert can_draw(drawn, lambda found: "ome" in found[0])
    assert can_draw(drawn, lambda found: "ome" not in found[0])
