"""From the rows of a kernel to the samples of one window."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from ngio_x.resample.kernels import KERNELS, Kernel, Tap, Taps, taps_of, used_taps_of

Array: TypeAlias = npt.NDArray[Any]
Window: TypeAlias = tuple[slice, ...]

_FEW: Final = 27
"""Candidates up to which comparing all pairs beats sorting: three along each of three axes."""

_LARGEST_UNIT: Final = 2**12
"""Whole weights that add up to more than this become floats."""


class _Axis(NamedTuple):
    """What a window is made of along one axis."""

    axis: int
    table: Taps
    used: Callable[[], tuple[Tap, ...]]
    """The taps of kernels that count every input once, however small its weight."""
    offset: int
    """The input at position 0 of the array at hand."""

    def taken(self, values: Array, tap: Tap) -> Array:
        """Return the input that each output takes at a tap: a view where they are evenly spaced."""
        if isinstance(tap.inputs, slice):
            start, stop, step = tap.inputs.start, tap.inputs.stop, tap.inputs.step
            return values[(slice(None),) * self.axis + (slice(start - self.offset, stop - self.offset, step),)]
        return values.take(tap.inputs - self.offset, self.axis)

    def column(self, weights: Array, ndim: int) -> Array:
        """Return weights, one an output or one for all, shaped to be broadcast along the axis."""
        return weights.reshape((-1,) + (1,) * (ndim - 1 - self.axis))


def support_of(kernel: Kernel, shape: Sequence[int], target_shape: Sequence[int], window: Window) -> Window:
    """Return the window of the input that a window of the output is made of."""
    return tuple(kernel.support(n, m, part) for n, m, part in zip(shape, target_shape, window, strict=True))


def zoom_window(
    read: Callable[[Window], Array], shape: Sequence[int], target_shape: Sequence[int], window: Window, kernel: Kernel
) -> Array:
    """Evaluate one window of a zoomed array.

    Args:
        read: Returns a window of the input; what it returns is not written to.
        shape: Shape of the whole input.
        target_shape: Shape of the whole output.
        window: The window of the output, with start and stop on each axis.
        kernel: From `kernel_for`.
    """
    support = support_of(kernel, shape, target_shape, window)
    values = read(support)
    # The order of the axes depends on the whole shapes only: reducing first saves work.
    changed = sorted(
        (axis for axis, (n, m) in enumerate(zip(shape, target_shape, strict=True)) if n != m),
        key=lambda axis: target_shape[axis] / shape[axis],
    )

    def axes_of(kernel: Kernel) -> list[_Axis]:
        return [
            _Axis(axis, taps_of(*table), partial(used_taps_of, *table), support[axis].start)
            for axis in changed
            for table in [(kernel, shape[axis], target_shape[axis], window[axis].start, window[axis].stop)]
        ]

    if not changed:
        return values
    axes = axes_of(kernel)
    match kernel.combine:
        case "sum":
            zoomed = _sums(values, axes)
        case "one":
            zoomed = _ones(values, axes)
        case "max" | "min":
            zoomed = _extremes(values, axes, np.maximum if kernel.combine == "max" else np.minimum)
        case "mode":
            zoomed = _most_common(values, axes, _ones(values, axes_of(KERNELS["nearest"])))
    return zoomed.astype(values.dtype, copy=False)  # in its byte order


def _ones(values: Array, axes: Sequence[_Axis]) -> Array:
    """Return the one input of each output."""
    for each in axes:
        values = each.taken(values, each.table.taps[0])
    return values


def _extremes(values: Array, axes: Sequence[_Axis], choose: np.ufunc) -> Array:
    """Return the largest or smallest input of each output."""
    for each in axes:
        values = _extreme(values, each, choose)
    return values


def _extreme(values: Array, axis: _Axis, choose: np.ufunc) -> Array:
    """Return the largest or smallest input of each output along an axis."""
    first, *others = axis.used()
    chosen = axis.taken(values, first)
    for tap in others:
        chosen = choose(chosen, axis.taken(values, tap))
    return chosen


def _sums(values: Array, axes: Sequence[_Axis]) -> Array:
    """Return weighted sums along one axis after the other, in the type of the values."""
    dtype = values.dtype
    if dtype.kind == "c":  # as pairs along a last axis, so that an infinite part leaves the other alone
        pairs = np.ascontiguousarray(values)[..., np.newaxis].view(values.real.dtype)
        return np.ascontiguousarray(_sums(pairs, axes)).view(dtype)[..., 0]
    sums = _sum_type(dtype, axes)
    with np.errstate(over="ignore", invalid="ignore"):  # of the largest numbers, and of infinities of both signs
        if sums.kind == "f":
            values = values.astype(sums, copy=False)
        for each in axes:
            total = _sum_along(values, each, sums, careful=dtype.kind == "f")
            if sums.kind == "f" and dtype.itemsize >= 8 and each.table.whole:
                # Narrower types are summed in a wider one, whose rounding does not show.
                np.clip(total, _extreme(values, each, np.minimum), _extreme(values, each, np.maximum), out=total)
            values = total
    if sums.kind in "iu":
        return _divided(values, math.prod(each.table.unit for each in axes)).astype(dtype)
    if not all(each.table.whole for each in axes) and dtype.kind in "iu":  # splines overshoot; means cannot
        np.clip(values, np.iinfo(dtype).min, np.iinfo(dtype).max, out=values)
    return _rounded(values, dtype)


def _sum_type(dtype: np.dtype[Any], axes: Sequence[_Axis]) -> np.dtype[Any]:
    """Return the type that sums are made in: it follows from the data type and the factors, never from a window.

    Integers are summed exactly where weights are small whole numbers, as they are at integer factors.
    """
    if dtype.kind == "f":
        return np.result_type(dtype, np.float64)
    unit = math.prod(each.table.unit for each in axes)
    whole = all(each.table.whole for each in axes)
    bits = 8 * dtype.itemsize + math.ceil(math.log2(unit))
    if whole and unit <= _LARGEST_UNIT and bits < 64:
        return np.dtype(f"{dtype.kind}{4 if bits < 32 else 8}")
    if dtype.itemsize == 8:
        return np.dtype(np.longdouble)  # its 64 bits of mantissa, where the machine has them, hold the integers
    few = sum(each.table.width for each in axes) <= 64  # rounding adds up to less than half a grey level
    return np.dtype(np.float32 if dtype.itemsize <= 2 and few else np.float64)


def _sum_along(values: Array, axis: _Axis, sums: np.dtype[Any], *, careful: bool) -> Array:
    """Return the weighted sums along one axis, in the type `sums`.

    With `careful`, samples of weight 0 are left out, so that their NaN or infinity stays where it is.
    """
    parts = _parts(values, axis, sums, careful=careful)
    first, second = next(parts), next(parts, None)
    if second is None:
        return np.array(first, sums)
    total = np.add(first, second, dtype=sums)
    for part in parts:
        np.add(total, part, out=total, dtype=sums)
    return total


def _parts(values: Array, axis: _Axis, sums: np.dtype[Any], *, careful: bool) -> Iterator[Array]:
    """Yield what each tap contributes to the sums."""
    for tap in axis.table.taps:
        part = axis.taken(values, tap)
        weights = tap.weights if sums.kind in "iu" else tap.weights / axis.table.unit
        if weights.size == 1 and weights[0] == 1:
            yield part
            continue
        part = np.multiply(part, axis.column(weights.astype(sums), values.ndim), dtype=sums)
        if careful and not weights.all():
            part[(slice(None),) * axis.axis + (weights == 0,)] = -0.0  # the one number that changes no sum
        yield part


def _divided(sums: Array, unit: int) -> Array:
    """Return integer sums divided by their unit, rounded half away from zero."""
    half, divisor = sums.dtype.type(unit // 2), sums.dtype.type(unit)
    quotient = np.abs(sums)
    quotient += half
    quotient //= divisor
    if sums.dtype.kind == "i":
        np.negative(quotient, out=quotient, where=sums < 0)
    return quotient


def _rounded(values: Array, dtype: np.dtype[Any]) -> Array:
    """Return sums in the given type; integers are rounded half away from zero."""
    if dtype.kind not in "iu":
        with np.errstate(over="ignore"):  # splines overshoot, beyond the largest number too
            return values.astype(dtype, copy=False)
    limits = np.iinfo(dtype)
    if dtype.itemsize < 8:
        values += 0.5 if dtype.kind == "u" else np.copysign(values.dtype.type(0.5), values)
        return values.astype(dtype)
    rounded = np.trunc(values)  # adding 0.5 to an integer of 64 bits would itself round
    rounded += np.where(np.abs(values - rounded) >= 0.5, np.copysign(1.0, values), 0.0)
    low, high = rounded <= values.dtype.type(limits.min), rounded >= values.dtype.type(limits.max)
    result = np.where(low | high, 0, rounded).astype(dtype)
    result[low], result[high] = limits.min, limits.max  # as floats they may be one too many
    return result


def _most_common(values: Array, axes: Sequence[_Axis], centre: Array) -> Array:
    """Return the value that covers the largest part of each output.

    A tie goes to the tied value at the `centre`, which the nearest kernel takes, else to the smallest.
    """
    parts, weights = [], []
    for choice in itertools.product(*(each.table.taps for each in axes)):
        part, weight = values, np.ones((1,) * values.ndim, np.int64)
        for each, tap in zip(axes, choice, strict=True):
            part = each.taken(part, tap)
            weight = weight * each.column(tap.weights, values.ndim)
        parts.append(part)
        weights.append(weight)
    return (_most_common_of_few if len(parts) <= _FEW else _most_common_of_many)(parts, weights, centre)


def _most_common_of_few(parts: list[Array], weights: list[Array], centre: Array) -> Array:
    """Compare every candidate with every other: fast while there are few."""
    total = int(sum(weight.max() for weight in weights))
    scores = [np.broadcast_to(weight, centre.shape).astype(np.min_scalar_type(total)) for weight in weights]
    for i, j in itertools.combinations(range(len(parts)), 2):
        same = parts[i] == parts[j]
        scores[i] += same * weights[j].astype(scores[i].dtype)
        scores[j] += same * weights[i].astype(scores[j].dtype)
    best, score = parts[0].copy(), scores[0]
    for value, candidate in zip(parts[1:], scores[1:], strict=True):
        tied = (value == centre) | ((best != centre) & (value < best))
        better = (candidate > score) | ((candidate == score) & tied)
        np.copyto(best, value, where=better)
        score = np.maximum(score, candidate)
    return best


def _most_common_of_many(parts: list[Array], weights: list[Array], centre: Array) -> Array:
    """Sort the candidates of each output and add up the runs of equal ones."""
    stack = np.stack(parts, axis=-1)
    shares = np.stack([np.broadcast_to(weight, centre.shape) for weight in weights], axis=-1)
    order = np.argsort(stack, axis=-1, kind="stable")
    stack, shares = np.take_along_axis(stack, order, axis=-1), np.take_along_axis(shares, order, axis=-1)
    best, score, run = stack[..., 0].copy(), shares[..., 0].copy(), shares[..., 0]
    for index in range(1, len(parts)):
        value = stack[..., index]
        run = np.where(value == stack[..., index - 1], run, 0) + shares[..., index]
        better = (run > score) | ((run == score) & (value == centre))  # else the first, which is the smallest, stays
        np.copyto(best, value, where=better)
        score = np.maximum(score, run)
    return best
