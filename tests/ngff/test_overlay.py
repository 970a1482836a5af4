"""What a document says besides what is understood of it: taken out, and put back."""

import copy

import pytest

from ngio_x.ngff.overlay import beyond, joined

CASES = [
    ({}, {}, None),
    ({"a": 1}, {"a": 2}, None),
    ({"a": 1, "b": 2}, {"a": 1}, {"b": 2}),
    ({"a": None}, {}, {"a": None}),
    ({"a": {"b": 1, "c": [1]}}, {"a": {"b": 1}}, {"a": {"c": [1]}}),
    ({"a": 3}, {"a": {"b": 1}}, None),
    ([{"name": "y", "c": 1}], [{"name": "y"}], [{"name": "y", "c": 1}]),
    ([{"id": 0, "x": 1}, {"id": 1}], [{"id": 0}, {"id": 1}], [{"id": 0, "x": 1}, {"id": 1}]),
]  # fmt: skip


@pytest.mark.parametrize(("document", "known", "rest"), CASES)
def test_the_rest_is_what_is_not_known(document, known, rest):
    """Keys, not values: what is understood may be written in other words."""
    assert beyond(document, known) == rest


@pytest.mark.parametrize(("document", "known", "rest"), CASES)
def test_the_rest_is_joined_again(document, known, rest):
    """Every key of the document is there, and all that is known is as it was; inputs are left alone."""
    before = copy.deepcopy((known, rest))
    again = known if rest is None else joined(known, rest)
    assert beyond(document, again) is None
    assert beyond(known, again) is None
    assert (known, rest) == before


def test_objects_of_lists_are_known_by_their_names():
    """What was said of an axis stays with it when axes are dropped or moved; new ones get nothing."""
    rest = [{"name": "y", "orientation": "up"}, {"name": "x", "orientation": "left"}]
    assert joined([{"name": "x"}], rest) == [{"name": "x", "orientation": "left"}]
    assert joined([{"name": "x"}, {"name": "y"}, {"name": "z"}], rest) == [
        {"name": "x", "orientation": "left"},
        {"name": "y", "orientation": "up"},
        {"name": "z"},
    ]


def test_objects_without_names_are_known_by_their_places():
    """As there is nothing better."""
    assert joined([{"a": 1}, {"a": 2}], [{"b": 1}, {}]) == [{"a": 1, "b": 1}, {"a": 2}]


def test_what_is_known_wins():
    """A stale word in the rest does not come back."""
    assert joined({"a": 1, "b": [1]}, {"a": 2, "b": 3, "c": 4}) == {"a": 1, "b": [1], "c": 4}


def test_objects_that_share_a_name_keep_their_own_rest():
    """Two channels may be called alike: the first stays the first, and the second the second."""
    known = {"channels": [{"label": "DNA"}, {"label": "x"}, {"label": "DNA"}]}
    for place in (0, 2):
        document = {"channels": [dict(channel) for channel in known["channels"]]}
        document["channels"][place]["note"] = []
        assert joined(known, beyond(document, known)) == document
        moved = joined({"channels": known["channels"][1:]}, beyond(document, known))
        assert moved["channels"][0] == {"label": "x"}
