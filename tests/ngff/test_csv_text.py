"""Columns as text: which types come back, and what others write."""

import io

import pytest

from ngio_x.errors import NgioValueError
from ngio_x.ngff.tables.csv_text import columns_of_csv, csv_text

COLUMNS = {
    "text": ["a", "1", "true", "NaN", "", 'say "hi", then\r\nleave', " ", "ü"],
    "integers": [0, -3, 2**64, None, 5, 6, 7, 8],
    "floats": [0.1, 2.0, 1e300, 5e-324, None, -0.0, 3.0, float("inf")],
    "booleans": [True, False, None, True, True, True, False, False],
    "missing": [None, "b", None, "", None, None, None, None],
    "odd, name": [1, 2, 3, 4, 5, 6, 7, 8],
}


def test_columns_come_back_with_their_types():
    """Because all text is quoted, and floats always have a point or an exponent."""
    found = columns_of_csv(csv_text(COLUMNS))
    assert found == COLUMNS
    kinds = {name: [type(value) for value in column] for name, column in COLUMNS.items()}
    assert {name: [type(value) for value in column] for name, column in found.items()} == kinds


def test_pyarrow_reads_the_same():
    """But for digits, which it takes for numbers."""
    arrow = pytest.importorskip("pyarrow.csv")
    columns = {"text": ["a", "b"], "n": [1, 2], "f": [0.1, 2.0], "b": [True, False], "gap": [None, 1.5]}
    assert arrow.read_csv(io.BytesIO(csv_text(columns).encode())).to_pydict() == columns


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
@pytest.mark.parametrize("last", ["", "\n", "\n\n"])
def test_others_write_other_lines(start, end, last):
    """Windows' lines, a byte-order mark, no end of the last line, empty lines."""
    text = f'{start}a,b\n1,"x\ny"\n\n2,"z"{last}'.replace("\n", end)
    assert columns_of_csv(text) == {"a": [1, 2], "b": [f"x{end}y", "z"]}


@pytest.mark.parametrize(
    ("fields", "values"),
    [
        ("1,2,", [1, 2, None]),
        ("1,2.5,NA", [1.0, 2.5, None]),
        ("1e3,-2,nan", [1000.0, -2.0, None]),
        ("True,false,", [True, False, None]),
        ("a,1,NA", ["a", "1", "NA"]),
        ("1_000,2,3", ["1_000", "2", "3"]),
        (" 1,2,3", [" 1", "2", "3"]),
        ("2020-01-01,2020-01-02,", ["2020-01-01", "2020-01-02", None]),
        (",,", [None, None, None]),
        ("a,,NULL", ["a", None, "NULL"]),
        ('5" tube,b,c', ['5" tube', "b", "c"]),
    ],
)
def test_fields_without_quotes_are_what_they_look_like(fields, values):
    """A column has one type; what is empty is missing, and in a column of numbers also NA and the like."""
    first, second, third = fields.split(",")
    assert columns_of_csv(f"a,b\n{first},0\n{second},0\n{third},0\n")["a"] == values


def test_rows_must_fit_the_header():
    """The message says which row does not."""
    with pytest.raises(NgioValueError, match="row 2 has 3 fields where the header has 2"):
        columns_of_csv("a,b\n1,2\n1,2,3\n")
    with pytest.raises(NgioValueError, match="two columns of one name"):
        columns_of_csv("a,a\n1,2\n")


def test_a_table_without_rows_has_columns():
    """Empty ones."""
    assert columns_of_csv(csv_text({"a": [], "b": []})) == {"a": [], "b": []}
