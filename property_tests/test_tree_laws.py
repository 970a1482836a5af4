"""Laws of trees: of one image, and of several with labels."""

import math
import warnings

import pytest
import xarray as xr
from hypothesis import assume, given
from hypothesis import strategies as st

import ngio_x as nx
from ngio_x.arrays.tree import images_of
from ngio_x.errors import NgioEmptyRegionError, NgioUserWarning, NgioValueError
from ngio_x.testing.strategies import pyramid_trees, rois_over

BOUNDS = st.sampled_from(("outer", "inner", "nearest"))


@st.composite
def trees(draw):
    """One image at the root, or some in wells."""
    places = draw(st.sampled_from(([""], ["/B/03/0"], ["/B/03/0", "/B/03/1", "/C/05/0"])))
    nodes = {"/": xr.Dataset(attrs={"name": "a"})}
    for place in places:
        pyramid = draw(pyramid_trees(labels="seg"))
        nodes |= {f"{place}{node.path}": node.to_dataset() for node in pyramid.subtree if node.data_vars}
    return xr.DataTree.from_dict(nodes, name="tree")


def _paths(tree):
    return {path for path, node in tree.subtree_with_keys if node.data_vars}


@given(trees())
def test_map_levels_of_the_identity_is_the_identity(tree):
    """Structure, names and attributes are kept."""
    mapped = nx.map_levels(tree, lambda array: array, on="all")
    xr.testing.assert_identical(mapped, tree)
    assert mapped.name == tree.name


@given(trees(), st.sampled_from((0.5, 2.0)))
def test_map_levels_applies_the_function_to_each_array(tree, factor):
    """Whatever becomes of its size; labels are kept as they are."""
    mapped = nx.map_levels(tree, nx.zoom, factor)
    for path in _paths(tree):
        (name,) = tree[path].data_vars
        array = tree[path][name]
        xr.testing.assert_identical(mapped[path][name], array if "labels" in path else nx.zoom(array, factor))
    assert _paths(mapped) == _paths(tree)


@given(trees(), st.data())
def test_levels_are_told_by_what_they_are(tree, data):
    """In whatever order nodes stand: levels of one shape are told by their names, all others by the size of pixels."""
    nodes = {path: node.to_dataset() for path, node in tree.subtree_with_keys if node.data_vars}
    turned = xr.DataTree.from_dict({path: nodes[path] for path in data.draw(st.permutations(list(nodes)))})
    levels, expected = images_of(turned), images_of(tree)
    assert levels.keys() == expected.keys()
    for image, pyramids in expected.items():
        assert list(levels[image])[0] == list(pyramids)[0]
        assert {name: list(found) for name, found in levels[image].items()} == {
            name: list(found) for name, found in pyramids.items()
        }


@given(trees(), st.data(), BOUNDS)
def test_crop_of_a_tree_is_the_crop_of_each_array(tree, data, bounds):
    """A level is left out where the region holds none of it, or none of the same level of its image."""
    before = tree.copy(deep=True)
    first = next(node for node in tree.subtree if node.data_vars)
    roi = data.draw(rois_over(first["image"]))
    expected = {}
    for path in _paths(tree):
        try:
            expected[path] = nx.crop(tree[path].to_dataset(), roi, bounds=bounds)
        except NgioEmptyRegionError:
            continue
    for path in list(expected):
        image = path.replace("labels/seg/", "")
        if image != path and image not in expected:
            del expected[path]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NgioUserWarning)
        if not expected:
            with pytest.raises(NgioEmptyRegionError):
                nx.crop(tree, roi, bounds=bounds)
            return
        piece = nx.crop(tree, roi, bounds=bounds)
    assert _paths(piece) == set(expected)
    for path, dataset in expected.items():
        xr.testing.assert_identical(piece[path].to_dataset(), dataset)
    assert all(node.data_vars for node in piece.leaves)
    xr.testing.assert_identical(tree, before)


@given(pyramid_trees(), st.sampled_from(("pixel_size", "scale", "max_pixels")), st.floats(0.01, 1), st.data())
def test_level_for_meets_its_criterion_and_the_next_level_does_not(tree, criterion, part, data):
    """By the definition, level by level; the finest answers where all levels have larger pixels."""
    levels = [node["image"] for name, node in tree.children.items() if name != "labels"]
    sizes = [nx.pixel_size_of(level).yx for level in levels]
    if criterion == "max_pixels":
        limit = data.draw(st.integers(1, levels[0].size + 1))
        if levels[-1].size > limit:
            with pytest.raises(NgioValueError, match=f"the coarsest has {levels[-1].size}"):
                nx.level_for(tree, max_pixels=limit)
            return
        index = int(nx.level_for(tree, max_pixels=limit).name)
        assert levels[index].size <= limit
        assert index == 0 or levels[index - 1].size > limit
        return
    if criterion == "scale":
        value, limits = part, [size / part for size in sizes[0]]
    else:
        value = part * 20
        limits = [value, value]
    assume(not any(math.isclose(a, b, rel_tol=1e-8) for size in sizes for a, b in zip(size, limits, strict=True)))
    meets = [all(a <= b for a, b in zip(size, limits, strict=True)) for size in sizes]
    index = int(nx.level_for(tree, **{criterion: value}).name)
    assert meets[index] or (index == 0 and not any(meets))
    assert index == len(levels) - 1 or not meets[index + 1]
