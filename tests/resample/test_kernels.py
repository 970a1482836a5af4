import numpy as np
import pytest

import ngio_x as nx
from ngio_x.resample.kernels import KERNELS, kernel_for, linear, nearest


def test_nearest_takes_the_upper_input_at_a_tie():
    """An output centred on the border of two inputs takes the upper one, by integer arithmetic."""
    assert nearest(8, 4, 0, 4).lower.tolist() == [1, 3, 5, 7]


def test_linear_at_one_half_blends_pairs_equally():
    """Halving makes each output the mean of two neighbours."""
    rows = linear(8, 4, 0, 4)
    assert (rows.lower.tolist(), rows.upper.tolist()) == ([0, 2, 4, 6], [1, 3, 5, 7])
    assert rows.weight.tolist() == [0.5] * 4


def test_linear_at_one_third_reads_only_the_middle_input():
    """An output centred on an input has that input as its only support."""
    rows = linear(9, 3, 0, 3)
    assert rows.lower.tolist() == rows.upper.tolist() == [1, 4, 7]
    assert rows.weight.tolist() == [0.0] * 3


def test_linear_extends_the_border_sample():
    """Outputs centred beyond the first or last input centre take that input alone."""
    rows = linear(2, 8, 0, 8)
    assert rows.weight[[0, 1, -2, -1]].tolist() == [0.0] * 4
    assert rows.lower[[0, -1]].tolist() == [0, 1]


@pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS.keys())
def test_rows_do_not_depend_on_where_a_run_starts(kernel):
    """The rows of a run of outputs are those of the whole axis."""
    whole, part = kernel(37, 23, 0, 23), kernel(37, 23, 5, 17)
    for all_rows, some in zip(whole, part, strict=True):
        np.testing.assert_array_equal(all_rows[5:17], some)


@pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS.keys())
def test_support_is_the_run_of_inputs_that_is_read(kernel):
    """The support begins at the first tap and ends after the last."""
    rows = kernel(37, 23, 5, 17)
    assert rows.support == slice(rows.lower.min(), rows.upper.max() + 1)


@pytest.mark.parametrize("order", ["cubic", "Linear", "", 0, 1, None, ["linear"]])
def test_unknown_order_is_refused_with_the_known_ones(order):
    """An order that does not exist is refused by a message that lists those that do."""
    with pytest.raises(nx.errors.NgioValueError, match=r"order must be one of 'nearest', 'linear', got"):
        kernel_for(order, np.dtype("u1"))


@pytest.mark.parametrize("dtype", ["bool", "U3", "M8[s]", "O"])
def test_linear_refuses_values_that_cannot_be_blended(dtype):
    """Booleans, strings and dates have no weighted mean."""
    with pytest.raises(nx.errors.NgioValueError, match=r"cannot blend .*; use order='nearest'"):
        kernel_for("linear", np.dtype(dtype))
