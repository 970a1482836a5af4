import pytest
import zarr

import ngio_x as nx
from ngio_x.errors import NgioTypeError
from ngio_x.pyramid.progress import counter


def test_units_are_added_up():
    """A function hears how many are done, and of how many."""
    seen = []
    count = counter(lambda done, total: seen.append((done, total)), 5)
    for units in (2, 1, 2):
        count(units)
    assert seen == [(2, 5), (3, 5), (5, 5)]


def test_true_is_a_bar_on_standard_error(capsys):
    """It is drawn over itself, and ends with a new line."""
    count = counter(progress=True, total=4)
    count(1)
    count(3)
    out, err = capsys.readouterr()
    first, last = err.split("\r")[1:]
    assert out == ""
    assert first == f"[{'#' * 10}{' ' * 30}] 1/4 write units"
    assert last == f"[{'#' * 40}] 4/4 write units\n"


def test_false_is_silent(capsys):
    """Nothing is written."""
    counter(progress=False, total=4)(4)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("progress", [None, 1, "bar", []])
def test_what_cannot_be_called_is_refused_before_anything_is_written(progress):
    """The message says what is understood."""
    group = zarr.open_group(zarr.storage.MemoryStore(), mode="w")
    source = group.create_array("0", shape=(4,), dtype="u1", chunks=(2,))
    source[...] = 7
    target = group.create_array("1", shape=(2,), dtype="u1", chunks=(1,))
    with pytest.raises(NgioTypeError, match=r"progress must be True, False or a function of \(done, total\), got"):
        nx.consolidate_pyramid(source, [target], progress=progress)
    assert not target[...].any()
