"""A run of outputs along an axis, in the forms in which arrays are evaluated: taps, and a matrix."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from ngio_x.resample.kernels import Common, Kernel, common_of

Array: TypeAlias = npt.NDArray[Any]


class Tap(NamedTuple):
    """One input of each output of a run."""

    inputs: slice | npt.NDArray[np.int64]
    """Where they stand along the axis: a slice where they are evenly spaced."""
    weights: npt.NDArray[Any]
    """One an output, or a single one for all."""


class Axis(NamedTuple):
    """A run of outputs along one axis, and the array at hand to make them of."""

    axis: int
    kernel: Kernel
    n: int
    """Size of the whole axis before zooming."""
    m: int
    """Its size after."""
    start: int
    stop: int
    offset: int
    """The input at position 0 of the array at hand."""

    @property
    def common(self) -> Common:
        """What all rows along the axis have in common."""
        return common_of(self.kernel, self.n, self.m)

    @property
    def taps(self) -> tuple[Tap, ...]:
        """The inputs of each output."""
        return taps_of(self.kernel, self.n, self.m, self.start, self.stop)

    @property
    def used(self) -> tuple[Tap, ...]:
        """The taps of kernels that count every input once, however small its weight."""
        return used_taps_of(self.kernel, self.n, self.m, self.start, self.stop)

    def taken(self, values: Array, tap: Tap) -> Array:
        """Return the input that each output takes at a tap: a view where they are evenly spaced."""
        if isinstance(tap.inputs, slice):
            start, stop, step = tap.inputs.start, tap.inputs.stop, tap.inputs.step
            return values[(slice(None),) * self.axis + (slice(start - self.offset, stop - self.offset, step),)]
        return values.take(tap.inputs - self.offset, self.axis)

    def column(self, weights: Array, ndim: int) -> Array:
        """Return weights, one an output or one for all, shaped to be broadcast along the axis."""
        return weights.reshape((-1,) + (1,) * (ndim - 1 - self.axis))

    def matrix(self, dtype: np.dtype[Any]) -> csr_array:
        """Return what the outputs are made of as a matrix; it takes the run of inputs that the outputs need."""
        return matrix_of(self.kernel, self.n, self.m, self.start, self.stop, dtype)


def _tap(inputs: npt.NDArray[np.int64], weights: npt.NDArray[Any]) -> Tap:
    uniform = weights[:1] if (weights == weights[0]).all() else weights
    step = int(inputs[1] - inputs[0]) if inputs.size > 1 else 1
    if step > 0 and (np.diff(inputs) == step).all():
        return Tap(slice(int(inputs[0]), int(inputs[-1]) + 1, step), uniform)
    return Tap(inputs, uniform)


@lru_cache(maxsize=64)  # the blocks of an array share the tables of their axes
def taps_of(kernel: Kernel, n: int, m: int, start: int, stop: int) -> tuple[Tap, ...]:
    """Return the taps that some output of the run `start … stop - 1` uses, along an axis of `n` inputs and `m` outputs.

    Inputs beyond the border are those at the border.
    """
    first, weights, _ = kernel.rows(n, m, start, stop)
    return tuple(
        _tap(_within(first + tap, n), weights[:, tap]) for tap in range(weights.shape[1]) if weights[:, tap].any()
    )


@lru_cache(maxsize=64)
def used_taps_of(kernel: Kernel, n: int, m: int, start: int, stop: int) -> tuple[Tap, ...]:
    """Return the taps of a run of outputs, where those that have fewer inputs take their last one again."""
    rows = kernel.rows(n, m, start, stop)
    last = np.count_nonzero(rows.weights, axis=1) - 1
    steps = (np.minimum(tap, last) for tap in range(int(last.max()) + 1))
    return tuple(_tap(_within(rows.first + step, n), rows.weights[:, 0]) for step in steps)


@lru_cache(maxsize=32)
def matrix_of(kernel: Kernel, n: int, m: int, start: int, stop: int, dtype: np.dtype[Any]) -> csr_array:
    """Return the rows of a run of outputs as a matrix, whose product with the inputs of the support is the outputs.

    Weights of 0 are not in it; weights are whole for integer types, and parts of 1 for others.
    """
    first, weights, unit = kernel.rows(n, m, start, stop)
    support = kernel.support(n, m, slice(start, stop))
    inputs = _within(first[:, np.newaxis] + np.arange(weights.shape[1]), n) - support.start
    used = weights != 0
    if dtype.kind == "f":
        whole = weights.dtype.kind == "i"
        weights = weights.astype(np.result_type(dtype, np.float64))
        weights /= unit if whole else weights.sum(axis=1, keepdims=True)  # to the last bit of a wider type too
    ends = np.append(0, np.cumsum(np.count_nonzero(used, axis=1)))
    entries = (weights[used].astype(dtype), inputs[used].astype(np.int32), ends)
    return csr_array(entries, shape=(stop - start, support.stop - support.start))


def _within(inputs: npt.NDArray[np.int64], n: int) -> npt.NDArray[np.int64]:
    """Return the inputs with those beyond the border moved to it."""
    return inputs if inputs.min() >= 0 and inputs.max() < n else np.minimum(np.maximum(inputs, 0), n - 1)
