import numpy as np
import pytest

import ngio_x as nx
from ngio_x.resample.axis import matrix_of, taps_of
from ngio_x.resample.kernels import KERNELS, area_rows, common_of, kernel_for, linear_rows, nearest_rows


def test_nearest_takes_the_upper_input_at_a_tie():
    """An output centred on the border of two inputs takes the upper one, by integer arithmetic."""
    assert nearest_rows(8, 4, 0, 4).first.tolist() == [1, 3, 5, 7]


def test_linear_at_one_half_blends_pairs_equally():
    """Halving makes each output the mean of two neighbours."""
    rows = linear_rows(8, 4, 0, 4)
    assert rows.first.tolist() == [0, 2, 4, 6]
    assert (rows.weights.tolist(), rows.unit) == ([[1, 1]] * 4, 2)


def test_linear_at_one_third_reads_only_the_middle_input():
    """An output centred on an input has that input as its only support."""
    rows = linear_rows(9, 3, 0, 3)
    assert rows.first.tolist() == [1, 4, 7]
    assert (rows.weights.tolist(), rows.unit) == ([[1]] * 3, 1)


def test_area_weights_are_the_parts_that_an_output_covers():
    """Two outputs of three inputs share the middle one."""
    rows = area_rows(3, 2, 0, 2)
    assert rows.first.tolist() == [0, 1]
    assert (rows.weights.tolist(), rows.unit) == ([[2, 1], [1, 2]], 3)


def test_border_samples_go_on():
    """Inputs beyond the border are those at the border."""
    taps = taps_of(KERNELS["linear"], 2, 8, 0, 8)
    assert [tap.inputs.tolist()[0] for tap in taps] == [0, 0]
    assert [tap.inputs.tolist()[-1] for tap in taps] == [1, 1]


@pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS.keys())
@pytest.mark.parametrize("m", [23, 37, 61])
def test_rows_do_not_depend_on_where_a_run_starts(kernel, m):
    """The rows of a run of outputs are those of the whole axis."""
    whole, part = kernel.rows(37, m, 0, m), kernel.rows(37, m, 5, 17)
    np.testing.assert_array_equal(whole.first[5:17], part.first)
    np.testing.assert_array_equal(whole.weights[5:17], part.weights)
    assert whole.unit == part.unit


@pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS.keys())
@pytest.mark.parametrize("m", [3, 23, 37, 61])
def test_what_chooses_the_type_of_sums_does_not_depend_on_the_run(kernel, m):
    """Width, unit and wholeness are those of the axis: no block is summed in another type than its neighbour."""
    for start in range(m):
        rows = kernel.rows(97, m, start, start + 1)
        assert common_of(kernel, 97, m) == (rows.weights.shape[1], rows.unit, rows.weights.dtype.kind == "i")


@pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS.keys())
@pytest.mark.parametrize("dtype", ["i4", "f4", "f8", "g"])
def test_the_matrix_of_a_run_holds_its_rows(kernel, dtype):
    """Whole weights for integers, parts of 1 for floats; inputs beyond the border count at the border."""
    rows, support = kernel.rows(37, 61, 5, 30), kernel.support(37, 61, slice(5, 30))
    expected = np.zeros((25, 37))
    for j, at in np.ndindex(rows.weights.shape):
        expected[j, min(max(rows.first[j] + at, 0), 36)] += rows.weights[j, at] / (1 if dtype == "i4" else rows.unit)
    matrix = matrix_of(kernel, 37, 61, 5, 30, np.dtype(dtype))
    assert matrix.dtype == dtype
    if kernel.name == "cubic" and dtype == "i4":
        return  # its weights are no whole numbers
    np.testing.assert_allclose(matrix.toarray().astype(float), expected[:, support], atol=1e-7)
    assert (matrix.data != 0).all()


@pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS.keys())
@pytest.mark.parametrize("m", [1, 23, 61, 74])
def test_weights_of_a_row_add_up_to_the_unit(kernel, m):
    """A constant stays what it is, and the first input of a row always counts."""
    rows = kernel.rows(37, m, 0, m)
    np.testing.assert_allclose(rows.weights.sum(axis=1), rows.unit, rtol=1e-15)
    assert (rows.weights[:, 0] != 0).all()


@pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS.keys())
def test_support_is_the_run_of_inputs_that_is_read(kernel):
    """The support begins at the first input of the first output and ends with the last of the last, at the border."""
    rows = kernel.rows(37, 23, 5, 17)
    low, high = rows.first[0], rows.first[-1] + rows.weights.shape[1]
    assert kernel.support(37, 23, slice(5, 17)) == slice(max(0, low), min(37, high))
    assert kernel.support(37, 37, slice(5, 17)) == slice(5, 17)


@pytest.mark.parametrize(("degree", "name"), [(0, "nearest"), (1, "linear"), (2, "cubic"), (3, "cubic")])
def test_degrees_of_splines_are_names_of_kernels(degree, name):
    """The reference's integers are understood."""
    assert kernel_for(degree, np.dtype("u1")).name == name


@pytest.mark.parametrize("order", ["quintic", "Linear", "", 4, -1, True, None, ["linear"]])
def test_unknown_order_is_refused_with_the_known_ones(order):
    """An order that does not exist is refused by a message that lists those that do."""
    with pytest.raises(nx.errors.NgioValueError, match=r"order must be one of 'nearest', 'linear', 'cubic', .*, got"):
        kernel_for(order, np.dtype("u1"))


@pytest.mark.parametrize("dtype", ["bool", "U3", "M8[s]", "O"])
def test_linear_refuses_values_that_cannot_be_blended(dtype):
    """Booleans, strings and dates have no weighted mean."""
    with pytest.raises(nx.errors.NgioValueError, match=r"cannot blend .*; use order='nearest'"):
        kernel_for("linear", np.dtype(dtype))


@pytest.mark.parametrize("order", ["mode", "max", "min"])
def test_complex_numbers_have_no_order(order):
    """What compares values refuses complex ones."""
    with pytest.raises(nx.errors.NgioValueError, match=r"cannot compare the array's complex64"):
        kernel_for(order, np.dtype("c8"))
