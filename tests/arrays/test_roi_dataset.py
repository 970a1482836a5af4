"""Many regions as a Dataset."""

from datetime import UTC, datetime, timedelta

import attrs
import numpy as np
import pandas as pd
import pytest
import xarray as xr

import ngio_x as nx
from ngio_x.errors import NgioTypeError, NgioValueError

ROIS = [
    nx.Roi.from_values({"y": (0, 2), "x": (5, 3)}, "cell", label=2**64 - 1, area=6.0, note="a\0"),
    nx.Roi.from_values({"x": slice(None), "z": (1, None)}, None, label=0, space="pixel", area=1.5, roi=3, start_q=[1]),
    nx.Roi.from_values({"z": 1, "y": slice(-2, -1), "x": (0.1, 0.2)}, "", roi=True, name_={"deep": [None]}),
]


def test_regions_come_back_from_a_dataset():
    """Any mix of axes, open ends, spaces, names, labels and extras, with the types that they had."""
    found = nx.rois_from_dataset(nx.rois_to_dataset(ROIS))
    assert found == ROIS
    assert [[type(value) for value in roi.extra.values()] for roi in found] == [
        [type(value) for value in roi.extra.values()] for roi in ROIS
    ]
    assert [type(roi.label) for roi in found] == [int, int, type(None)]


def test_columns_are_ready_for_analysis():
    """Numbers are numbers, and what a region lacks is NaN."""
    dataset = nx.rois_to_dataset(ROIS)
    assert dict(dataset.sizes) == {"roi": 3}
    np.testing.assert_array_equal(dataset.start_y, [0, np.nan, -2])
    np.testing.assert_array_equal(dataset.start_x, [5, -np.inf, 0.1])
    np.testing.assert_array_equal(dataset.length_z, [np.nan, np.inf, 1])
    np.testing.assert_array_equal(dataset["area"], [6, 1.5, np.nan])
    assert dataset["area"].dtype == float
    assert dataset["extra_start_q"].values[1] == (1,)
    assert dataset.to_dataframe().shape == (3, len(dataset.data_vars))
    counts = nx.rois_to_dataset([nx.Roi.from_values({"y": 0, "x": 0}, None, label=k, n=k) for k in range(3)])
    assert counts["n"].dtype == np.int64
    assert counts["label"].dtype == np.int64


def test_integers_are_integers_up_to_64_bits():
    """Ids beyond 2⁶³ are no floats, so that files take the table; beyond 64 bits they are Python's."""
    rois = [nx.Roi.from_values({"y": 0, "x": 0}, None, label=k, n=-k, m=2**70) for k in (7, 2**63 + 5)]
    dataset = nx.rois_to_dataset(rois)
    assert (dataset["label"].dtype, dataset["n"].dtype, dataset["m"].dtype) == (np.uint64, object, object)
    assert nx.rois_from_dataset(dataset) == rois


def test_rows_can_be_chosen():
    """What xarray selects and sorts are regions still."""
    dataset = nx.rois_to_dataset(ROIS)
    assert nx.rois_from_dataset(dataset.isel(roi=[2, 0])) == [ROIS[2], ROIS[0]]
    assert nx.rois_from_dataset(dataset.isel(roi=1)) == [ROIS[1]]
    assert nx.rois_from_dataset(dataset.isel(roi=slice(0, 0))) == []


def test_no_regions_make_no_rows():
    """And come back as none."""
    assert nx.rois_from_dataset(nx.rois_to_dataset([])) == []
    assert nx.rois_from_dataset(xr.Dataset({"start_y": ("roi", []), "length_y": ("roi", [])})) == []


def test_a_dataset_of_bounds_is_enough():
    """Names, labels and space are optional, stops do for lengths, and scalars hold for all rows."""
    dataset = xr.Dataset({"start_y": 1, "stop_y": 3.0, "start_x": ("cell", [4, 5]), "length_x": ("cell", [1, np.inf])})
    assert nx.rois_from_dataset(dataset.assign(label=("cell", [7.0, np.nan]))) == [
        nx.Roi.from_values({"y": (1, 2), "x": (4, 1)}, None, label=7),
        nx.Roi.from_values({"y": (1, 2), "x": (5, None)}, None),
    ]


def test_extents_of_objects_are_regions():
    """Boxes in array positions, with everything else that is known of an object."""
    pixels = np.zeros((9, 12), "u8")
    pixels[2:5, 3:9], pixels[7, 11] = 2**63 + 5, 3
    rois = nx.rois_from_dataset(nx.label_extents(pixels, axes_order="yx").assign(space="pixel"))
    assert [roi.label for roi in rois] == [3, 2**63 + 5]
    assert [roi.to_slicing_dict() for roi in rois] == [
        {"y": slice(7, 8), "x": slice(11, 12)},
        {"y": slice(2, 5), "x": slice(3, 9)},
    ]
    assert rois[1].extra == {"count": 18, "centroid_y": 3.0, "centroid_x": 5.5, "touches_border": False}


def test_times_stay_times():
    """Nanoseconds are not turned into numbers."""
    roi = nx.Roi.from_values({"y": 0, "x": 0}, None, when=np.datetime64("2026-01-01T00:00:00.000000001", "ns"))
    assert nx.rois_from_dataset(nx.rois_to_dataset([roi])) == [roi]


@pytest.mark.parametrize("when", [datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1), timedelta(1)], ids=str)  # noqa: DTZ001
def test_python_s_times_stay_python_s(when):
    """Also after rows were chosen."""
    rois = [nx.Roi.from_values({"y": 0, "x": 0}, None, when=when)] * 2
    assert nx.rois_from_dataset(nx.rois_to_dataset(rois).isel(roi=[1])) == rois[:1]


def test_names_of_variables_need_no_text():
    """The columns of some data frames are numbered."""
    (roi,) = nx.rois_from_dataset(xr.Dataset({**BOUNDS, 3: 1.5}))
    assert roi.extra == {"3": 1.5}


BOUNDS = {"start_y": 0.0, "length_y": 1.0, "start_x": 0.0, "length_x": 1.0}


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"start_y": 0.0}, "'start_y' needs either 'length_y' or 'stop_y' beside it, and not both"),
        ({**BOUNDS, "stop_x": 2.0}, "'start_x' needs either 'length_x' or 'stop_x'"),
        ({**BOUNDS, "start_x": "left"}, "'start_x' must hold numbers, got <U4"),
        (
            {**BOUNDS, "start_z": -np.inf, "stop_z": 5.0},
            "region 0: 'stop_z' must be .* ∞ where that is -∞, got 5.0 and",
        ),
        ({**BOUNDS, "start_z": np.nan, "stop_z": 5.0}, "region 0: 'stop_z' must be NaN where 'start_z' is"),
        ({**BOUNDS, "start_z": np.inf, "stop_z": np.inf}, "axis 'z': start and length must both be NaN, or neither"),
        ({"start_y": 0.0, "length_y": 1.0}, "region 0: slices must hold at least two axes"),
        ({**BOUNDS, "length_x": ("roi", [1.0, -1.0]), "name": ("roi", ["a", "b"])}, "region 1 .'b'.: axis 'x': length"),
        ({**BOUNDS, "label": -1}, "region 0: label must be ≥ 0, got -1"),
        ({**BOUNDS, "space": "moon"}, "region 0: space must be one of"),
        ({**BOUNDS, "area": (("q", "r"), np.ones((2, 2)))}, r"along one dimension, got \['q', 'r'\]"),
    ],
)
def test_bad_datasets_are_refused(variables, message):
    """The message names the variable, or the region and the axis."""
    with pytest.raises(NgioValueError, match=message):
        nx.rois_from_dataset(xr.Dataset(variables))


def test_other_things_are_refused():
    """The message says what to do."""
    with pytest.raises(
        NgioTypeError, match="dataset must be a Dataset or a DataFrame, got list: make one with rois_to_dataset"
    ):
        nx.rois_from_dataset(ROIS)
    with pytest.raises(NgioTypeError, match="put a single one into a list"):
        nx.rois_to_dataset(ROIS[0])


def test_inputs_are_not_written_to():
    """The Dataset stays what it is."""
    dataset = nx.rois_to_dataset(ROIS)
    before = dataset.copy(deep=True)
    nx.rois_from_dataset(dataset)
    assert dataset.identical(before)


PLACE = {"y": (0.5, 2), "x": (5, None)}
GAPS = [
    nx.Roi.from_values(PLACE, "1", label=2**64 - 1, whole=True, count=2**62 + 1, note="", area=1.5, why=None),
    nx.Roi.from_values(PLACE, "", start_q=3, extra_area=2, given_note="b"),
    nx.Roi.from_values(PLACE, None, label=0, whole=False, count=None, note="a", area=None, roi=7),
]
"""Names that look like numbers, or are empty; labels that no float holds; and regions that lack what others have."""


def _types(rois):
    return [[type(value) for _, value in sorted(roi.extra.items())] for roi in rois]


@pytest.mark.parametrize("name", ["a.nc", "a.zarr", "a.csv"])
@pytest.mark.parametrize("rows", [[0, 1, 2], [1, 2], [2, 1], [0], [1], [2]], ids=str)
def test_a_table_comes_back_from_a_file(tmp_path, name, rows):
    """None is no empty text, True is no number, and what is missing stays missing; whichever rows were chosen."""
    table, path = nx.rois_to_dataset(GAPS).isel(roi=rows), tmp_path / name
    if name.endswith("nc"):
        pytest.importorskip("netCDF4")
        table.to_netcdf(path)
        back = xr.open_dataset(path).load()
        back.close()
    elif name.endswith("zarr"):
        table.to_zarr(path, consolidated=False)
        back = xr.open_zarr(path, consolidated=False)
    else:
        table.to_dataframe().to_csv(path)
        back = pd.read_csv(path)
    found = nx.rois_from_dataset(back)
    assert found == [GAPS[row] for row in rows]
    assert _types(found) == _types(GAPS[row] for row in rows)
    assert [type(roi.label) for roi in found] == [type(GAPS[row].label) for row in rows]


def test_a_data_frame_is_a_table():
    """With or without the numbers of its rows, filtered, and with columns that may lack a value."""
    frame = nx.rois_to_dataset(GAPS).to_dataframe()
    assert nx.rois_from_dataset(frame) == GAPS
    assert nx.rois_from_dataset(frame.reset_index()) == GAPS
    assert nx.rois_from_dataset(frame[frame.given_label == 1]) == [GAPS[0], GAPS[2]]
    assert nx.rois_from_dataset(frame.convert_dtypes(convert_integer=False, convert_floating=False)) == GAPS
    bare = pd.DataFrame({**BOUNDS, "label": pd.array([3, None], "Int64"), "name": ["a", None]})
    assert [(roi.name, roi.label) for roi in nx.rois_from_dataset(bare)] == [("a", 3), (None, None)]
    extents = nx.label_extents(np.eye(3, dtype=int), axes_order="yx").to_dataframe()
    assert [roi.label for roi in nx.rois_from_dataset(extents)] == [1]
    with pytest.raises(NgioValueError, match="columns of different names"):
        nx.rois_from_dataset(bare.rename(columns={"label": "name"}))


def test_names_are_text_though_they_look_like_numbers():
    """As data frames and text files have them."""
    names = {1: "1", 2.0: "2", 2.5: "2.5", np.nan: None, None: None, "03": "03"}
    frame = pd.DataFrame({**BOUNDS, "name": list(names)})
    assert [roi.name for roi in nx.rois_from_dataset(frame)] == [*names.values()]
    frame = pd.DataFrame({**BOUNDS, "name": [4, 5]})
    assert [roi.name for roi in nx.rois_from_dataset(frame)] == ["4", "5"]


def test_labels_that_went_through_floats_are_refused():
    """They may be those of other objects."""
    with pytest.raises(NgioValueError, match=r"label must be exact.*UInt64"):
        nx.rois_from_dataset(xr.Dataset({**BOUNDS, "label": ("roi", [2.0**53, np.nan])}))
    (roi, _) = nx.rois_from_dataset(xr.Dataset({**BOUNDS, "label": ("roi", [2.0**53 - 1, np.nan])}))
    assert roi.label == 2**53 - 1


def test_a_value_that_was_put_in_later_counts():
    """Whatever the column beside it says."""
    table = nx.rois_to_dataset(GAPS)
    table["name"][2], table["label"][1] = "new", 5
    assert [(roi.name, roi.label) for roi in nx.rois_from_dataset(table)] == [("1", 2**64 - 1), ("", 5), ("new", 0)]


def test_tables_are_joined():
    """Also where only one of them says what it lacks."""
    tables = [nx.rois_to_dataset(GAPS[:2]), nx.rois_to_dataset(GAPS[1:])]
    joined = xr.concat(tables, "roi", data_vars="all", join="outer")
    assert nx.rois_from_dataset(joined[["start_y", "length_y", "start_x", "length_x", "name", "given_name"]]) == [
        nx.Roi.from_values(PLACE, name) for name in ("1", "", "", None)
    ]


@pytest.mark.parametrize("moment", [np.datetime64("2026-11-30T12:00", "ns"), np.timedelta64(90, "ns")])
def test_a_region_lacks_a_time_that_another_has(moment):
    """What xarray and pandas put among times in its place, NaT, is no extra of its own."""
    rois = [nx.Roi.from_values({"y": 0, "x": 0}, taken=moment), nx.Roi.from_values({"y": 0, "x": 0})]
    table = nx.rois_to_dataset(rois)
    assert nx.rois_from_dataset(table) == nx.rois_from_dataset(table.to_dataframe()) == rois
    assert nx.rois_from_dataset(table.to_dataframe().iloc[1:]) == rois[1:]


@attrs.frozen
class Nucleus(nx.Roi):
    """A user's region, which knows more."""

    area: float = 0.0


def test_what_a_subclass_knows_is_an_extra():
    """As in JSON that is read as the base; in tables and in GeoJSON."""
    nucleus = Nucleus("n", ROIS[0].slices, area=12.5, extra={"note": "a"})
    table = nx.rois_to_dataset([nucleus, ROIS[0]])
    (found, _) = nx.rois_from_dataset(table)
    assert found == nx.from_dict(nx.to_dict(nucleus), nx.Roi)
    assert found.extra == {"area": 12.5, "note": "a"}
    assert nx.to_geojson([nucleus])["features"][0]["properties"]["area"] == 12.5
