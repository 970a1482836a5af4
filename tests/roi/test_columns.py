import gc
import pickle

import numpy as np
import pytest

import ngio_x as nx
from ngio_x.errors import NgioTypeError, NgioValueError
from ngio_x.roi.columns import RoiColumns, columns_of, to_rois

ROIS = [
    nx.Roi.from_values({"y": (1, 2), "x": slice(3, None)}, "a", 2**64 - 1),
    nx.Roi.from_values({"z": (0, 1), "x": slice(None), "y": slice(None, 5)}, None, None, "pixel", note=[1, {"k": 2}]),
]


def test_columns_hold_every_bound():
    """Bounds that are not there are infinite, axes that are not there NaN."""
    columns = columns_of(ROIS)
    assert columns.axes == ("y", "x", "z")
    np.testing.assert_array_equal(columns.starts, [[1, 3, np.nan], [0, -np.inf, 0]])
    np.testing.assert_array_equal(columns.lengths, [[2, np.inf, np.nan], [5, np.inf, 1]])
    assert (columns.names, columns.labels, columns.spaces) == (["a", None], [2**64 - 1, None], ["world", "pixel"])
    assert to_rois(columns) == ROIS


def test_no_regions_are_no_columns():
    """And back."""
    assert columns_of([]).starts.shape == (0, 0)
    assert to_rois(columns_of(iter(()))) == []


def test_regions_of_one_set_of_axes_need_bounds_alone():
    """Names, labels and extras are optional; labels may be an array of any integer type."""
    labels = np.array([7, 2**64 - 1], dtype=np.uint64)
    rois = to_rois(RoiColumns(("y", "x"), np.array([[0, 1], [2, 3]]), np.ones((2, 2), "float32"), labels=labels))
    assert rois == [
        nx.Roi.from_values({"y": 0, "x": 1}, None, 7),
        nx.Roi.from_values({"y": 2, "x": 3}, None, 2**64 - 1),
    ]
    (pixel,) = to_rois(RoiColumns(("y", "x"), [[0, 1]], [[1, 1]], ["a"], [3], "pixel", [{"k": [1]}]))
    assert pixel == nx.Roi.from_values({"y": 0, "x": 1}, "a", 3, "pixel", k=(1,))


def test_they_are_what_the_constructor_makes():
    """Types of numbers, hashes and pickles included; they stay immutable."""
    columns = RoiColumns(("y", "x"), np.array([[0, 1]]), np.array([[5, np.inf]]), ["a"], np.array([3], "uint8"))
    made, expected = to_rois(columns)[0], nx.Roi.from_values({"y": (0, 5), "x": slice(1, None)}, "a", 3)
    assert made == expected
    assert hash(made) == hash(expected)
    assert repr(made) == repr(expected)
    assert pickle.loads(pickle.dumps(made)) == expected
    assert type(made.label) is int
    assert {type(bound) for item in made.slices for bound in item.bounds} == {float, type(None)}
    with pytest.raises(AttributeError):
        made.name = "b"


def test_inputs_are_untouched():
    """Read-only arrays pass, and the collector of garbage is as it was."""
    starts, lengths, labels = np.zeros((1, 2)), np.ones((1, 2)), np.array([1])
    for array in (starts, lengths, labels):
        array.flags.writeable = False
    to_rois(RoiColumns(("y", "x"), starts, lengths, labels=labels))
    assert gc.isenabled()
    gc.disable()
    try:
        to_rois(RoiColumns(("y", "x"), starts, lengths, labels=labels))
        assert not gc.isenabled()
    finally:
        gc.enable()


def broken(**changes):
    """Three good regions but for what changes."""
    good = {"axes": ("y", "x"), "starts": np.zeros((3, 2)), "lengths": np.ones((3, 2)), "names": ["a", "b", "c"]}
    return RoiColumns(**good | changes)


def at(row, column, value, fill):
    numbers = np.full((3, 2), float(fill))
    numbers[row, column] = value
    return numbers


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lengths": at(1, 1, -1, 1)}, r"region 1 \('b'\): axis 'x': length must be ≥ 0, got -1.0"),
        (
            {"lengths": at(2, 0, np.nan, 1)},
            r"region 2 \('c'\): axis 'y': start and length .* both be NaN.* 0.0 and nan",
        ),
        ({"starts": at(0, 0, np.inf, 0)}, r"region 0 \('a'\): axis 'y': start must be a finite number.*got inf"),
        ({"starts": at(0, 0, -np.inf, 0)}, r"region 0 \('a'\): axis 'y': length must be inf where there is no start"),
        ({"lengths": at(0, 1, 1.7e308, 1), "starts": at(0, 1, 1.7e308, 0)}, "axis 'x': end must be finite.*1.7e.308"),
        ({"starts": at(1, 0, np.nan, 0), "lengths": at(1, 0, np.nan, 1)}, r"'b'\): slices must hold at least two"),
        ({"labels": [1, -2, 3]}, r"region 1 \('b'\): label must be ≥ 0, got -2"),
        ({"labels": np.array([1, 2.5, 3])}, r"region 1 \('b'\): label must be an integer, got 2.5"),
        ({"names": ["a", 7, "c"]}, r"region 1 \(7\): name must be a string or None, got 7"),
        ({"spaces": ["world", "pixel", "bogus"]}, r"region 2 \('c'\): space must be one of 'world', 'pixel'"),
        ({"spaces": "bogus"}, "space must be one of"),
        ({"extras": [{}, {}, {"label": 1}]}, r"region 2 \('c'\): extra must not have the key 'label'"),
        ({"labels": [1, 2]}, "labels must have one entry for each of the 3 regions, got 2"),
        ({"labels": 5}, "labels must be a sequence, got 5"),
        ({"names": "abc"}, "names must be a sequence"),
        ({"axes": ("y", "y")}, "axes must be unique"),
        ({"axes": ("y", "")}, "axes must be a non-empty string"),
        ({"axes": ("y", "x", "z")}, r"starts must have .* \('y', 'x', 'z'\), got shape \(3, 2\)"),
        ({"lengths": np.ones((2, 2))}, "starts has 3 rows and lengths 2"),
        ({"starts": [["a", "b"]] * 3}, "starts must be an array of numbers"),
        ({"starts": np.zeros((3, 2), bool)}, "starts must be an array of numbers, got bool"),
    ],
)
def test_what_makes_no_region_is_refused(changes, message):
    """With position and name of the region, and the axis."""
    with pytest.raises(NgioValueError, match=message):
        to_rois(broken(**changes))


def test_what_is_no_list_of_regions_is_refused():
    """A single region, something else, and something else in between."""
    with pytest.raises(NgioTypeError, match=r"several regions.*into a list"):
        columns_of(ROIS[0])
    with pytest.raises(NgioTypeError, match="several regions, got 5"):
        columns_of(5)
    with pytest.raises(NgioTypeError, match="got 'a' at position 1"):
        columns_of([ROIS[0], "a"])
