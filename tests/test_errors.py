"""Errors: one tree, each also the builtin it stands in for, all picklable."""

import pickle

import pytest

from ngio_x import errors

EXAMPLES = (
    errors.NgioError("a"),
    errors.NgioValueError("a"),
    errors.NgioTypeError("a"),
    errors.NgioArrayTypeError("a"),
    errors.NgioKeyError("a"),
    errors.NgioFileExistsError("a"),
    errors.NgioFileNotFoundError("a"),
    errors.NgioStorageError("read", "file:///a/0", (slice(0, 8), slice(8, 16)), "OSError: no space"),
    errors.NgioValidationError("$.a: is missing", "$.b: must be > 0, got 0"),
    errors.NgioEmptyRegionError("x", (None, 2.0), (3.0, 4.0), "micrometer"),
    errors.NgioUserWarning("a"),
    errors.NgioRoleWarning("a"),
)


def test_there_is_an_example_of_every_error():
    """The list above is complete."""
    defined = {value for value in vars(errors).values() if isinstance(value, type)}
    assert {type(example) for example in EXAMPLES} == defined


@pytest.mark.parametrize("error", EXAMPLES[:-2], ids=lambda error: type(error).__name__)
def test_every_error_is_an_ngio_error(error):
    """`except NgioError` catches all of them."""
    assert isinstance(error, errors.NgioError)


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [
        (errors.NgioValueError, ValueError),
        (errors.NgioTypeError, TypeError),
        (errors.NgioArrayTypeError, TypeError),
        (errors.NgioArrayTypeError, errors.NgioValueError),
        (errors.NgioKeyError, KeyError),
        (errors.NgioFileExistsError, FileExistsError),
        (errors.NgioStorageError, OSError),
        (errors.NgioFileNotFoundError, FileNotFoundError),
        (errors.NgioValidationError, ValueError),
        (errors.NgioEmptyRegionError, ValueError),
        (errors.NgioUserWarning, UserWarning),
    ],
)
def test_every_error_is_the_builtin_it_stands_in_for(kind, builtin):
    """Code that knows only Python's errors catches them too."""
    assert issubclass(kind, builtin)


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_every_error_pickles(error):
    """Errors travel back from workers with type, message and fields."""
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert vars(copy) == vars(error)


def test_a_key_error_shows_its_message_without_quotes():
    """Python's KeyError shows the repr of its message; ours the message."""
    assert str(errors.NgioKeyError("no axis 'z'")) == "no axis 'z'"


def test_a_validation_error_with_one_problem_is_that_problem():
    """A single fault needs no list."""
    assert str(errors.NgioValidationError("$.a: is missing")) == "$.a: is missing"


def test_a_validation_error_lists_its_problems_one_a_line():
    """Several faults are counted and listed."""
    error = errors.NgioValidationError("$.a: is missing", "$.b: is missing")
    assert error.problems == ("$.a: is missing", "$.b: is missing")
    assert str(error) == "2 problems:\n- $.a: is missing\n- $.b: is missing"


def test_an_empty_region_error_names_axis_interval_extent_and_unit():
    """All that is needed to see why the region missed the array."""
    text = str(errors.NgioEmptyRegionError("x", (None, 2.5), (3.0, 4.0), "micrometer"))
    for part in ("'x'", "unbounded", "2.5", "[3, 4)", "micrometer"):
        assert part in text
