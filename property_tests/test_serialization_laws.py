"""Laws of values and documents."""

import copy
import json

from hypothesis import given
from hypothesis import strategies as st

from ngio_x import AxesHandler, Dataset, Roi, RoiSlice, from_dict, from_json, to_dict, to_json
from ngio_x.errors import NgioValidationError
from ngio_x.testing.strategies import pixel_sizes, roi_slices, rois

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda items: st.lists(items, max_size=3) | st.dictionaries(st.text(max_size=5), items, max_size=3),
    max_leaves=8,
)
FIELDS = ("name", "slices", "label", "space", "extra")
EXTRA = st.dictionaries(st.text(max_size=5).filter(lambda key: key not in FIELDS), JSON, max_size=3)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
POSITIVE = st.floats(1e-300, 1e300)


@st.composite
def regions(draw):
    """Regions with any finite numbers, names, labels and extra."""
    lengths = st.none() | st.floats(0, 1e300)
    starts = st.none() | st.floats(-1e300, 1e300)
    slices = [RoiSlice(axis, draw(starts), draw(lengths)) for axis in draw(st.sampled_from(("yx", "xzy", "tczyx")))]
    return Roi(
        draw(st.none() | st.text()),
        slices,
        draw(st.none() | st.integers(0)),
        draw(st.sampled_from(("world", "pixel"))),
        draw(EXTRA),
    )


@st.composite
def datasets(draw):
    names = draw(st.lists(st.sampled_from("tczyx"), min_size=1, unique=True))
    numbers = st.lists(FINITE, min_size=len(names), max_size=len(names))
    scale = draw(st.lists(POSITIVE, min_size=len(names), max_size=len(names)))
    return Dataset(draw(st.text(min_size=1)), AxesHandler.from_names(names), scale, draw(st.none() | numbers))


VALUES = regions() | rois() | roi_slices() | pixel_sizes() | datasets()


@given(VALUES)
def test_from_dict_undoes_to_dict(value):
    assert from_dict(to_dict(value), type(value)) == value


@given(VALUES)
def test_from_json_undoes_to_json(value):
    """Floats included, bit for bit."""
    assert from_json(to_json(value), type(value)) == value


@given(st.lists(regions(), max_size=4))
def test_lists_round_trip(values):
    assert from_json(to_json(values), list[Roi]) == values
    assert from_dict(to_dict(values), list[Roi]) == values


@given(VALUES)
def test_to_dict_is_what_json_gives_back(value):
    assert json.loads(to_json(value)) == to_dict(value)


@given(regions())
def test_the_order_of_axes_and_of_extra_survives(roi):
    back = from_json(to_json(roi), Roi)
    assert back.slices == roi.slices
    assert list(back.extra) == list(roi.extra)


def problems_of(read, data, kind):
    """What is wrong with a document; errors that are not ours pass."""
    try:
        read(data, kind)
    except NgioValidationError as error:
        return error.problems
    return ()


@given(JSON, st.sampled_from([Roi, RoiSlice, Dataset, list[Roi], tuple[RoiSlice, ...]]))
def test_any_document_is_read_or_refused_with_an_error_of_ours(data, kind):
    before = copy.deepcopy(data)
    assert all(problem.startswith("$") for problem in problems_of(from_dict, data, kind))
    assert data == before


@given(regions(), st.sampled_from(FIELDS[:4]), JSON)
def test_a_region_with_any_field_replaced_is_read_or_refused_at_that_field(roi, field, junk):
    data = {**to_dict(roi), field: junk}
    assert all(problem.startswith(f"$.{field}") for problem in problems_of(from_dict, data, Roi))


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused_with_an_error_of_ours(text):
    assert problems_of(from_json, text, Roi)


@given(st.lists(st.sampled_from(["start", "length", "axis_name", "bogus"]), max_size=4, unique=True), st.integers(0, 3))
def test_every_fault_is_reported_once(faulty, position):
    """As many problems as faults, each with its own path."""
    wrong = {"start": "a", "length": -1, "axis_name": "", "bogus": 1}
    slices = [{"axis_name": axis, "start": 0, "length": 1} for axis in "tzyx"]
    slices[position] |= {key: wrong[key] for key in faulty}
    problems = problems_of(from_dict, {"name": "a", "slices": slices}, Roi)
    paths = sorted(problem.partition(": ")[0] for problem in problems)
    assert paths == sorted(f"$.slices[{position}].{key}" for key in faulty)
