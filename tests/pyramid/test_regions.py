import copy

import numpy as np
import pytest
import zarr
from numpy.testing import assert_array_equal

import ngio_x as nx
from ngio_x.errors import NgioEmptyRegionError, NgioTypeError, NgioValueError
from ngio_x.pyramid.regions import boxes_from

SHAPE, NAMES = (10, 20), ("y", "x")


def roi(space="pixel", name=None, **bounds):
    return nx.Roi.from_values({axis: slice(*each) for axis, each in bounds.items()}, name, space=space)


def boxes(*regions, names=NAMES):
    return boxes_from(regions, SHAPE, names)


@pytest.mark.parametrize(
    "region",
    [
        (slice(2, 5), slice(4, 7)),
        [slice(2, 5), slice(4, 7)],
        (slice(-8, -5), slice(-16, -13)),
        (slice(np.uint8(2), np.int64(5)), slice(np.int16(-16), np.array(7))),
        (slice(2, 5, 1), slice(4, 7, np.int8(1))),
        (..., slice(2, 5), slice(4, 7)),
        (slice(2, 5), ..., slice(4, 7)),
        (slice(2, 5), slice(4, 7), ...),
        ([2, 3, 4], range(4, 7)),
        ([4, 2], np.array([6, -16])),
        {0: slice(2, 5), 1: slice(4, 7)},
        {np.int64(-1): slice(4, 7), -2: slice(2, 5)},
        {"x": slice(4, 7), "y": slice(2, 5)},
        {"y": slice(2, 5), 1: slice(4, 7)},
        roi(y=(2, 5), x=(4, 7)),
        roi(x=(4, 7), y=(2, 5)),
        roi(x=(4.9, 6.1), y=(2.5, 4.02)),
        roi(x=(3.995, 7.005), y=(2.005, 4.995)),
        roi(x=(4, 7), y=(2, 5), z=(0, 1), t=(None, None)),
    ],
    ids=str,
)
def test_each_spelling_is_the_same_box(region):
    """Tuples, lists, mappings by position and name, regions in pixels; of positions, all between first and last."""
    assert boxes(region) == [((2, 5), (4, 7))]


@pytest.mark.parametrize(
    ("region", "box"),
    [
        ((), ((0, 10), (0, 20))),
        ({}, ((0, 10), (0, 20))),
        ((...,), ((0, 10), (0, 20))),
        ((3,), ((3, 4), (0, 20))),
        ((-1, np.int8(-20)), ((9, 10), (0, 1))),
        ((..., 3), ((0, 10), (3, 4))),
        ({"x": -1}, ((0, 10), (19, 20))),
        ((slice(None, -2), slice(-3, None)), ((0, 8), (17, 20))),
        ((slice(0, 10), slice(20)), ((0, 10), (0, 20))),
        (roi(y=(None, None), x=(18, None)), ((0, 10), (18, 20))),
        (roi(y=(-3, 2.5), x=(19.5, 40)), ((0, 3), (19, 20))),
    ],
    ids=str,
)
def test_axes_that_are_not_spoken_of_are_whole_and_ends_are_numpys(region, box):
    """Positions hold one pixel, negative ones count from the end; a Roi partly outside is clipped."""
    assert boxes(region) == [box]


@pytest.mark.parametrize(
    "region", [(slice(2, 5), slice(4, 7)), (3, -2), (slice(None, -2), slice(-3, None)), (slice(7, 2),)]
)
def test_slices_hold_what_numpy_takes(region):
    """Against numpy: the pixels that the same slicing sets."""
    expected, found = np.zeros(SHAPE, bool), np.zeros(SHAPE, bool)
    expected[region] = True
    for box in boxes(region):
        found[tuple(slice(*span) for span in box)] = True
    assert_array_equal(found, expected)


@pytest.mark.parametrize(
    "region",
    [
        (slice(3, 3),),
        (slice(5, 2), slice(None)),
        (slice(10, None),),
        ([], 3),
        (np.array([], int),),
        {"x": slice(0, 0)},
        roi(y=(3, 3), x=(0, 5)),
        roi(y=(0, 5), x=(0, 5), z=(4, 4)),
    ],
    ids=str,
)
def test_empty_regions_are_ignored(region):
    """They are no change; the others count."""
    assert boxes(region) == []
    assert boxes(region, (1, 1)) == [((1, 2), (1, 2))]


@pytest.mark.parametrize(
    ("region", "error", "message"),
    [
        ((slice(0, 11),), NgioValueError, r"axis 'y': slice\(0, 11, None\) reaches beyond the 10 pixels"),
        ((slice(-11, None),), NgioValueError, "axis 'y': .* reaches beyond the 10 pixels"),
        ((0, slice(19, 21)), NgioValueError, "axis 'x': .* reaches beyond the 20 pixels"),
        ((10,), NgioValueError, "axis 'y': 10 reaches beyond"),
        ((-11,), NgioValueError, "axis 'y': -11 reaches beyond"),
        ({"x": [0, 20]}, NgioValueError, r"axis 'x': \[0, 20\] reaches beyond"),
        ((slice(3, 3), slice(0, 99)), NgioValueError, "axis 'x': .* reaches beyond"),
        ((slice(0, 4, 2),), NgioValueError, "axis 'y': .* has a step: give the whole slice"),
        ((slice(4, 0, -1),), NgioValueError, "axis 'y': .* has a step"),
        ((slice(0, 4, True),), NgioTypeError, "axis 'y': a step must be an integer, got True"),
        ((1, 2, 3), NgioValueError, "has 3 selections, and the source 2 axes"),
        ((1, 2, 3, ...), NgioValueError, "has 3 selections, and the source 2 axes"),
        ((..., ...), NgioTypeError, "axis 'y': .* must be an integer, got Ellipsis"),
        ((0, True), NgioTypeError, "axis 'x': .* must be an integer, got True"),
        ((np.array([True] * 10),), NgioTypeError, "axis 'y': .* must be an integer, got True"),
        ((slice(0, 2.0),), NgioTypeError, r"axis 'y': a position, or a bound of a slice, must be an integer, got 2\.0"),
        ((1.5,), NgioTypeError, r"axis 'y': .* got 1\.5"),
        (("y",), NgioTypeError, "axis 'y': .* got 'y'"),
        ((None,), NgioTypeError, "axis 'y': .* got None"),
        (([0, [1, 2]],), NgioTypeError, r"axis 'y': .* got \[1, 2\]"),
        ({"z": 0}, NgioValueError, r"names axis 'z', but the axes are \('y', 'x'\)"),
        ({2: 0}, NgioValueError, "speaks of axis 2, but there are 2"),
        ({-3: 0}, NgioValueError, "speaks of axis -3, but there are 2"),
        ({True: 0}, NgioTypeError, "a position of an axis must be an integer, got True"),
        ({0.0: 0}, NgioTypeError, r"a position of an axis must be an integer, got 0\.0"),
        ({"y": 0, -2: 0}, NgioValueError, r"an axis is given twice: \['y', -2\]"),
        ("yx", NgioTypeError, "must be a tuple of slices, a mapping by axis, or a Roi, got 'yx'"),
        (3, NgioTypeError, "must be a tuple of slices, .* got 3"),
        (slice(0, 3), NgioTypeError, r"must be a tuple of slices, .* got slice\(0, 3, None\)"),
        (
            roi("world", "cell", y=(0, 1), x=(0, 1)),
            NgioValueError,
            r"cell is in world units: convert it with Roi.to_pixel",
        ),
    ],
    ids=str,
)
def test_what_is_no_region_is_refused(region, error, message):
    """The message has the number of the region, its axis, and what was wrong; nothing is clipped."""
    with pytest.raises(error, match=f"^region 1: {message}"):
        boxes((0, 0), region)


@pytest.mark.parametrize(
    ("region", "axis"),
    [(roi(y=(0, 5), x=(20, 30)), "x"), (roi(y=(-5, -1), x=(0, 5)), "y"), (roi(y=(0, 5), x=(0, 5), z=(1, 2)), "z")],
    ids=["beyond", "before", "an axis of one pixel"],
)
def test_a_roi_outside_of_the_array_is_refused(region, axis):
    """Along an axis that is not there, the array is one pixel."""
    with pytest.raises(NgioEmptyRegionError, match=rf"axis '{axis}'(.|\n)*It is region 1\.") as caught:
        boxes((0, 0), region)
    assert caught.value.axis == axis


@pytest.mark.parametrize("names", [None, (None, None), ("y", None)])
def test_names_need_axes_that_have_them(names):
    """An array whose axes are not all named does not say which ones it lacks."""
    for region in ({"x": 0}, roi(z=(0, 1), x=(0, 1))):
        with pytest.raises(NgioValueError, match=r"region 0: names axis '[xz]', but the source does not name its axes"):
            boxes(region, names=names)
    assert boxes({1: 3}, names=names) == [((0, 10), (3, 4))]
    with pytest.raises(NgioValueError, match="axis 1: 20 reaches beyond"):
        boxes({1: 20}, names=names)


def test_a_name_of_two_axes_is_refused():
    """Positions tell them apart."""
    with pytest.raises(NgioValueError, match=r"names axis 'x', but the axes are \('x', 'x'\)"):
        boxes({"x": 0}, names=("x", "x"))


@pytest.mark.parametrize("regions", [{"y": 0}, "yx", b"yx", 5, roi(y=(0, 1), x=(0, 1))], ids=str)
def test_one_region_is_not_a_list_of_them(regions):
    """It is to be put into one."""
    with pytest.raises(NgioTypeError, match=r"regions must be a list of regions, got .*: put it into a list"):
        boxes_from(regions, SHAPE, NAMES)


@pytest.fixture
def pyramid():
    group = zarr.open_group(zarr.storage.MemoryStore(), mode="w")
    source = group.create_array("0", shape=SHAPE, dtype="u2", chunks=(5, 5), dimension_names=NAMES)
    source[...] = np.arange(200).reshape(SHAPE)
    return source, [group.create_array("1", shape=(5, 10), dtype="u2", chunks=(2, 2))]


def test_inputs_are_untouched(pyramid):
    """Regions, the list that holds them, and positions in arrays stay as they are."""
    source, targets = pyramid
    positions = np.array([3, -5])
    positions.flags.writeable = False
    regions = [{"y": slice(0, 2), "x": [1, 2]}, (positions, ...), roi(y=(0, 1), x=(0, 1))]
    before = copy.deepcopy(regions)
    nx.consolidate_pyramid(source, targets, mode="numpy", regions=regions)
    assert str(regions) == str(before)


def test_regions_may_come_from_a_generator(pyramid):
    """Any iterable of regions is read once."""
    source, targets = pyramid
    nx.consolidate_pyramid(source, targets, mode="numpy", regions=((slice(k, k + 5),) for k in (0, 5)))
    assert_array_equal(targets[0][...], nx.numpy_zoom(source[...], target_shape=(5, 10)))


def test_axes_take_the_place_of_the_names_on_disk(pyramid):
    """A version 2 array has none, and those of others may not be the ones of the region."""
    source, targets = pyramid
    by_name, by_position = (
        nx.plan_pyramid(source, targets, regions=regions, axes=axes)
        for regions, axes in (([{"b": 3}], ("a", "b")), ([{1: 3}], None))
    )
    assert by_name == by_position
    with pytest.raises(NgioValueError, match=r"region 0: names axis 'y', but the axes are \('a', 'b'\)"):
        nx.plan_pyramid(source, targets, regions=[{"y": 3}], axes=("a", "b"))
    for axes in (("y",), "yx", ("y", "")):
        with pytest.raises(NgioValueError, match="axes must"):
            nx.plan_pyramid(source, targets, regions=[{"y": 3}], axes=axes)


def test_a_wrong_region_is_refused_before_anything_is_written(pyramid):
    """Those before it are not begun."""
    source, targets = pyramid
    with pytest.raises(NgioValueError, match="region 1: axis 'y': 10 reaches beyond"):
        nx.consolidate_pyramid(source, targets, regions=[(0,), (10,)])
    assert not targets[0][...].any()


def test_no_region_is_no_work(pyramid):
    """None is everything, and an empty list is nothing."""
    source, targets = pyramid
    nx.consolidate_pyramid(source, targets, regions=[])
    nx.consolidate_pyramid(source, targets, regions=[(slice(3, 3),)])
    assert not targets[0][...].any()
    assert nx.plan_pyramid(source, targets, regions=[]).task_count == 0
