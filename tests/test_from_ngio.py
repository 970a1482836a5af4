"""What docs/from-ngio.md says of the names of ngio.common, held against ngio itself."""

import inspect
import re
from pathlib import Path

import ngio.common
import pytest

import ngio_x as nx

PAGE = Path(__file__).parents[1] / "docs" / "from-ngio.md"
ROWS = re.findall(
    r"^\| `([\w.]+)` \| (same[^|]*) \|", PAGE.read_text(encoding="utf-8").split("## Name by name")[1], re.MULTILINE
)
NOT_THERE = {"ConsolidationMode", "RegionsLike", "Roi.anchor"}
RENAMED = {"level_paths": "levels_paths", "reference": "self"}
"""What ngio 1.1 has added and renamed, which the page says, too."""
PYDANTIC = {"model_config", "validate_no_duplicate_axes"}


def names_of_ngio():
    for name in {*ngio.common.__all__} - NOT_THERE:
        yield name
        value = getattr(ngio.common, name)
        if inspect.isclass(value):
            members = {*vars(value), *getattr(value, "model_fields", {})} - PYDANTIC
            yield from {f"{name}.{member}" for member in members if not member.startswith("_")} - NOT_THERE


def found(root, name):
    for part in name.split("."):
        root = getattr(root, part)
    return root


def parameters(function):
    """The defaults of the parameters of a function, by name, without **keywords."""
    all_of_them = inspect.signature(function).parameters.values()
    named = [each for each in all_of_them if each.kind is not inspect.Parameter.VAR_KEYWORD]
    return {RENAMED.get(each.name, each.name): each.default for each in named}


def test_the_table_has_every_name():
    """And no other; each of them once."""
    assert sorted(name for name, _ in ROWS) == sorted(names_of_ngio())


@pytest.mark.parametrize(("name", "said"), ROWS, ids=[name for name, _ in ROWS])
def test_a_name_is_in_ngio_x_with_the_parameters_that_the_table_says(name, said):
    """Those of ngio come first, in its order and with its defaults; what is there besides is named, and optional."""
    value = found(nx, name)
    if not inspect.isroutine(value):
        return
    ours, theirs = parameters(value), parameters(found(ngio.common, name))
    assert list(ours)[: len(theirs)] == list(theirs)
    for key, default in theirs.items():
        assert key == "mode" or default in (inspect.Parameter.empty, ours[key])
    besides = list(ours)[len(theirs) :]
    assert besides == re.findall(r"`(\w+)`", said)
    assert inspect.Parameter.empty not in [ours[key] for key in besides]
