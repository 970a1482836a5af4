"""Users' own classes, containers and converters, to JSON and back."""

import datetime as dt
import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Literal, NamedTuple, TypeVar

import attrs
import cattrs
import numpy as np
import pytest
import xarray as xr
from cattrs.strategies import configure_tagged_union

import ngio_x as nx
from ngio_x.errors import NgioTypeError, NgioValidationError, NgioValueError
from ngio_x.resample.kernels import KERNELS

ROI = nx.Roi.from_values({"y": (0, 2), "x": (1, 2)}, "cell", label=7, seen=["a", "b"])
SLICE = nx.RoiSlice("x", 1, 2)
T = TypeVar("T")


class Phase(enum.Enum):
    """A state of a cell."""

    REST = "rest"
    DIVISION = 2


class Rank(enum.IntEnum):
    """A number with a name."""

    FIRST = 1


@attrs.frozen
class Cell:
    """A user's value with one of ours in it."""

    roi: nx.Roi
    score: float = 0.5


@attrs.frozen
class Track:
    """All kinds of fields that hold values, or stand beside them."""

    name: str
    first: nx.Roi | None = None
    either: nx.RoiSlice | nx.Roi | None = None
    numbers: int | float | str = 0
    cells: list[Cell] = attrs.field(factory=list)
    pair: tuple[nx.RoiSlice, float] | None = None
    by_frame: dict[int, nx.Roi] = attrs.field(factory=dict)
    sizes: Mapping[str, list[nx.PixelSize]] = attrs.field(factory=dict)
    tags: frozenset[str] = frozenset()
    phase: Phase = Phase.REST
    rank: Rank = Rank.FIRST
    mode: Literal["a", "b"] = "a"
    when: dt.datetime | None = None
    place: Path = Path("here")
    more: Any = None


@dataclass(frozen=True)
class Position:
    """A dataclass, which holds itself, too."""

    pixel_size: nx.PixelSize
    axes: nx.AxesHandler
    tracks: tuple[Track, ...] = ()
    children: "list[Position]" = field(default_factory=list)


@attrs.frozen
class Box(Generic[T]):
    """A class that is told what it holds."""

    item: T


@attrs.frozen
class Nucleus(nx.Roi):
    """A region that knows more."""

    area: float = 0.0
    seen_at: dt.date | None = None


@attrs.frozen
class Voxel(nx.PixelSize):
    """A pixel size with a name."""

    name: str = "a"


NUCLEUS = Nucleus("n", ROI.slices, area=3.5, seen_at=dt.date(2020, 1, 2), extra={"colour": "red"})
TRACK = Track(
    "µ",
    ROI,
    ROI,
    2.5,
    [Cell(ROI), Cell(ROI, np.float32(0.25))],
    (SLICE, np.float64(2)),
    {3: ROI, -1: ROI},
    {"fine": [nx.PixelSize(1, 2)]},
    frozenset("ab"),
    Phase.DIVISION,
    Rank.FIRST,
    "b",
    dt.datetime(2020, 1, 2, 3, 4, tzinfo=dt.UTC),
    Path("a/b"),
    [1, {"a": None}],
)
POSITION = Position(nx.PixelSize(1, 1), nx.AxesHandler.from_names("yx"), (TRACK, Track("b", either=SLICE)))


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (Cell(ROI), Cell),
        (TRACK, Track),
        (attrs.evolve(TRACK, either=SLICE, numbers="2.5"), Track),
        (attrs.evolve(TRACK, either=attrs.evolve(ROI, extra={"axis_name": "x", "start": 1})), Track),
        (POSITION, Position),
        (Position(POSITION.pixel_size, POSITION.axes, children=[POSITION, POSITION]), Position),
        (Box(ROI), Box[nx.Roi]),
        (Box([SLICE]), Box[list[nx.RoiSlice]]),
        (NUCLEUS, Nucleus),
        (Voxel(1, 2, name="b"), Voxel),
        ([Cell(ROI), Cell(ROI, 1.0)], list[Cell]),
        ((ROI, 2.0, SLICE), tuple[nx.Roi, float, nx.RoiSlice]),
        ({"a": ROI}, dict[str, nx.Roi]),
        ({0.1: [ROI], 1e300: []}, dict[float, list[nx.Roi]]),
        ({SLICE, nx.RoiSlice("y")}, set[nx.RoiSlice]),
        (None, nx.Roi | None),
        (ROI, nx.Roi | nx.RoiSlice),
        (NUCLEUS, nx.Roi | Nucleus),
        (ROI, Nucleus | nx.Roi),
        ([ROI, SLICE, 3, "a"], list[nx.Roi | nx.RoiSlice | int | str]),
        ([1, 1.0, True], list[float | int | bool]),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, type) else value.__name__,
)
def test_what_is_made_of_values_round_trips(value, kind):
    """As plain data and as JSON; numbers keep their types."""
    for back in (nx.from_dict(nx.to_dict(value), kind), nx.from_json(nx.to_json(value), kind)):
        assert back == value
        assert type(back) is type(value)
        assert repr(back) == repr(value) or "float32" in repr(value) or isinstance(value, set)


def test_a_subclass_keeps_its_fields_where_its_base_is_declared():
    """Nothing is lost in writing; the reader of a region sees the new fields as extra."""
    data = nx.to_dict(Cell(NUCLEUS))
    assert data["roi"]["area"] == 3.5
    assert nx.from_dict(data, Cell).roi.extra["area"] == 3.5
    assert nx.to_dict(Box(Cell(ROI)))["item"] == nx.to_dict(Cell(ROI))


def test_extra_of_a_subclass_stands_flat_beside_all_fields():
    """As that of a region does."""
    assert nx.to_dict(NUCLEUS)["colour"] == "red"
    assert nx.from_dict(nx.to_dict(NUCLEUS), Nucleus).extra == {"colour": "red"}


def test_an_extra_named_like_a_field_of_a_subclass_is_refused():
    """It could not be told from the field."""
    with pytest.raises(NgioValueError, match="extra must not have the key 'area'"):
        Nucleus("n", ROI.slices, extra={"area": 1})
    assert attrs.evolve(ROI, extra={"area": 1}).extra == {"area": 1}


def test_all_faults_of_users_classes_are_reported_with_their_paths():
    """At any depth, together, each once."""
    data = {
        "first": {"name": 3, "slices": [{"axis_name": "x", "length": -1}, "z"]},
        "either": {"axis_name": 3},
        "numbers": [1],
        "cells": [{"roi": nx.to_dict(ROI), "score": "3"}, {}],
        "pair": [1],
        "by_frame": {"a": 3},
        "sizes": {"fine": [{"x": 0, "y": 1}]},
        "tags": "abc",
        "phase": "q",
        "mode": "z",
        "when": "x",
        "bogus": 1,
    }
    with pytest.raises(NgioValidationError) as caught:
        nx.from_dict(data, Track)
    assert [problem.partition(": ")[0] for problem in caught.value.problems] == [
        "$.name",
        "$.first.name",
        "$.first.slices[0].length",
        "$.first.slices[1]",
        "$.either.axis_name",
        "$.numbers",
        "$.cells[0].score",
        "$.cells[1].roi",
        "$.pair",
        "$.by_frame.a",
        "$.sizes.fine[0].x",
        "$.tags",
        "$.phase",
        "$.mode",
        "$.when",
        "$.bogus",
    ]
    assert "$.name: is missing" in caught.value.problems


@pytest.mark.parametrize(
    ("data", "kind"),
    [("1", int), (1.5, int), ("1.5", float), (True, float), (1, str), (1, bool), ("abc", list[str]), ([], Cell)],
)
def test_nothing_is_turned_into_something_else(data, kind):
    """A text is no number and no list, a number no text, and a list no object."""
    with pytest.raises(NgioValidationError, match=r"^\$: must be"):
        nx.from_dict(data, kind)


def test_errors_of_users_own_checks_are_told_with_their_paths():
    """Whatever they raise."""

    @dataclass
    class Picky:
        roi: nx.Roi

        def __post_init__(self):
            raise KeyError("roi")

    with pytest.raises(NgioValidationError, match=r"^\$\[0\]: lacks 'roi'$"):
        nx.from_dict([{"roi": nx.to_dict(ROI)}], list[Picky])


def test_number_and_text_of_a_key_cannot_both_be_there():
    """One of two regions would be lost."""
    with pytest.raises(NgioValueError, match="cannot both be keys"):
        nx.to_json({1: ROI, "1": ROI})


@pytest.mark.parametrize(
    "value", [np.arange(3), xr.DataArray([1]), xr.Dataset({"a": 1}), object(), NgioValueError("a")]
)
def test_what_has_no_form_in_json_is_refused_with_its_path(value):
    """Arrays, errors and strangers, in a field of a user's class."""
    with pytest.raises(NgioValidationError, match=r"^\$\.item.*: JSON has no form for"):
        nx.to_json(Box(value))


def test_annotations_that_name_nothing_are_told():
    """Of a class that is hidden in a function, where annotations are postponed."""
    space = {}
    exec("import attrs\n@attrs.frozen\nclass Hidden:\n    roi: 'Nowhere'", space)
    for call in (lambda: nx.to_dict(space["Hidden"](ROI)), lambda: nx.from_dict({}, space["Hidden"])):
        with pytest.raises(NgioTypeError, match=r"annotation .*'Nowhere'"):
            call()


def test_a_class_that_is_text_within_an_annotation_is_told():
    """Python resolves annotations that are text as a whole."""

    @dataclass
    class Chain:
        rest: list["Chain"]

    with pytest.raises(NgioValidationError, match=r"^\$\.rest\[0\]: .*quote the whole annotation"):
        nx.from_dict({"rest": [{}]}, Chain)


# ---- Converters of users


def test_hooks_on_a_converter_of_ones_own_are_respected():
    """Of classes, unions and predicates; the shared one knows nothing of them."""
    converter = nx.make_converter()
    converter.register_unstructure_hook(np.ndarray, lambda pixels: pixels.tolist())
    converter.register_structure_hook(np.ndarray, lambda data, _: np.array(data))
    converter.register_unstructure_hook(nx.PixelSize, lambda size: [size.y, size.x])
    converter.register_structure_hook(nx.PixelSize, lambda data, _: nx.PixelSize(data[1], data[0]))
    value = (np.arange(3), nx.PixelSize(1, 2))
    text = nx.to_json(value, converter=converter)
    assert text == "[[0, 1, 2], [2.0, 1.0]]"
    pixels, size = nx.from_json(text, tuple[np.ndarray, nx.PixelSize], converter=converter)
    assert pixels.tolist() == [0, 1, 2]
    assert size == value[1]
    with pytest.raises(NgioValidationError, match=r"^\$\[0\]: JSON has no form"):
        nx.to_json(value)


def test_a_users_union_hook_is_respected():
    """Tags tell apart what data alone cannot."""
    union = nx.Roi | Nucleus
    converter = nx.make_converter()
    configure_tagged_union(union, converter)
    plain = attrs.evolve(ROI, extra={"area": 1.0})
    data = converter.unstructure(plain, union)
    assert data["_type"] == "Roi"
    assert converter.structure(data, union) == plain


def test_problems_of_ones_own_hooks_have_paths():
    """Also those that are found in a document within a document."""
    converter = nx.make_converter()
    converter.register_structure_hook(Cell, lambda data, _: Cell(nx.from_json(data, nx.Roi)))
    assert nx.from_dict([nx.to_json(ROI)], list[Cell], converter=converter) == [Cell(ROI)]
    with pytest.raises(NgioValidationError) as caught:
        nx.from_dict(["{}"], list[Cell], converter=converter)
    assert caught.value.problems == ("$[0].name: is missing", "$[0].slices: is missing")


@pytest.mark.parametrize("prefix", [{}, {"prefer_attrib_converters": True}, {"omit_if_default": True}])
def test_a_converter_of_cattrs_can_be_taught_our_values(prefix):
    """And keeps its own ways with everything else."""
    converter = cattrs.Converter(**prefix)
    nx.configure_converter(converter)
    for value in (ROI, NUCLEUS, nx.PixelSize(1, 2), nx.AxesHandler.from_names("yx")):
        if value is not NUCLEUS:  # it does not know dates
            assert converter.structure(converter.unstructure(value), type(value)) == value
            assert converter.unstructure(value) == nx.to_dict(value)
    assert converter.structure(converter.unstructure({"a": [Cell(ROI)]}), dict[str, list[Cell]]) == {"a": [Cell(ROI)]}
    assert converter.structure({"roi": nx.to_dict(ROI), "score": "3", "unknown": 1}, Cell) == Cell(ROI, 3.0)
    with pytest.raises(cattrs.ClassValidationError):
        converter.structure({"axis_name": "x", "unknown": 1}, nx.RoiSlice)


def test_converters_share_nothing():
    """Each call makes a new one."""
    assert nx.make_converter() is not nx.make_converter()


def test_kernels_go_by_their_names():
    """In plans, and alone."""
    kernel = KERNELS["linear"]
    assert nx.to_dict(kernel) == "linear"
    assert nx.from_dict("linear", type(kernel)) is kernel
    with pytest.raises(NgioValidationError, match=r"^\$: must be the name of a kernel, one of .* got 'bogus'"):
        nx.from_dict("bogus", type(kernel))
    with pytest.raises(NgioTypeError, match="kernel 'linear' is none of"):
        nx.to_dict(attrs.evolve(kernel, combine="max"))


@pytest.mark.parametrize("call", [nx.configure_converter, lambda converter: nx.to_dict(ROI, converter=converter)])
def test_what_is_no_converter_is_refused(call):
    """An error of ours."""
    with pytest.raises(NgioTypeError, match=r"converter must be a cattrs\.Converter, got 3"):
        call(3)


class Pair(NamedTuple):
    """What many use for a small record."""

    roi: nx.Roi
    count: int


@attrs.frozen
class Pairs:
    """Holds some."""

    pairs: list[Pair]


def test_named_tuples_are_lists_in_json():
    """Wherever they stand; a wrong number of items, or a text for a number, is told."""
    pairs = Pairs([Pair(ROI, 1), Pair(ROI, 2)])
    assert nx.from_json(nx.to_json(pairs), Pairs) == pairs
    assert nx.from_json(nx.to_json(pairs.pairs[0]), Pair) == pairs.pairs[0]
    with pytest.raises(NgioValidationError, match=r"^\$\[1\]: must be an integer, got '1'"):
        nx.from_dict([nx.to_dict(ROI), "1"], Pair)


@pytest.mark.parametrize("key", [(1, 2), ROI])
def test_keys_that_json_cannot_have_are_refused(key):
    """With the way out."""
    with pytest.raises(NgioValueError, match=r"a key must be a text or a number, got .*: make a list of pairs"):
        nx.to_json({key: 1})
