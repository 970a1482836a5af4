"""Outputs that are weighted sums of their inputs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from ngio_x.resample.axis import Array, Axis
from ngio_x.resample.choose import extremes

_LARGEST_UNIT: Final = 2**12
"""Whole weights that add up to more than this become floats."""
_FEW_TAPS: Final = 8
"""Evenly spaced inputs up to which adding strided views beats a matrix product."""


def sums(values: Array, axes: Sequence[Axis]) -> Array:
    """Return weighted sums along one axis after the other, in the type of the values."""
    dtype = values.dtype
    if dtype.kind == "c":  # as pairs along a last axis, so that an infinite part leaves the other alone
        pairs = np.ascontiguousarray(values)[..., np.newaxis].view(values.real.dtype)
        return np.ascontiguousarray(sums(pairs, axes)).view(dtype)[..., 0]
    sum_type = _sum_type(dtype, axes)
    with np.errstate(over="ignore", invalid="ignore"):  # of the largest numbers, and of infinities of both signs
        for each in axes:
            total = _sum_along(values, each, sum_type)
            if dtype.itemsize >= 8 and sum_type.kind == "f" and each.common.whole and not _halves(total, each):
                # Narrower types are summed in a wider one, whose rounding does not show.
                np.clip(total, extremes(values, [each], np.minimum), extremes(values, [each], np.maximum), out=total)
            values = total
    if sum_type.kind in "iu":
        return _divided(values, math.prod(each.common.unit for each in axes)).astype(dtype)
    if not all(each.common.whole for each in axes) and dtype.kind in "iu":  # splines overshoot; means cannot
        np.clip(values, np.iinfo(dtype).min, np.iinfo(dtype).max, out=values)
    return _rounded(values, dtype)


def _sum_type(dtype: np.dtype[Any], axes: Sequence[Axis]) -> np.dtype[Any]:
    """Return the type that sums are made in: it follows from the data type and the factors, never from a window.

    Integers are summed exactly where weights are small whole numbers, as they are at integer factors.
    """
    if dtype.kind == "f":
        return np.result_type(dtype, np.float64)
    unit = math.prod(each.common.unit for each in axes)
    whole = all(each.common.whole for each in axes)
    bits = 8 * dtype.itemsize + math.ceil(math.log2(unit))
    if whole and unit <= _LARGEST_UNIT and bits < 64:
        return np.dtype(f"{dtype.kind}{4 if bits < 32 else 8}")
    if dtype.itemsize == 8:
        return np.dtype(np.longdouble)  # its 64 bits of mantissa, where the machine has them, hold the integers
    few = sum(each.common.width for each in axes) <= 64  # rounding adds up to less than half a grey level
    return np.dtype(np.float32 if dtype.itemsize <= 2 and few else np.float64)


def _sum_along(values: Array, axis: Axis, dtype: np.dtype[Any]) -> Array:
    """Return the weighted sums along one axis, in the given type.

    Each output adds up its own inputs one after the other, in either way: what is computed beside it does not matter.
    """
    if axis.n % axis.m == 0 and axis.common.width <= _FEW_TAPS:  # equal weights of evenly spaced inputs
        first, *others = (axis.taken(values, tap) for tap in axis.taps)
        total = np.add(first, others[0], dtype=dtype) if others else first.astype(dtype)
        for part in others[1:]:
            total += part
        if dtype.kind == "f":
            total /= axis.common.unit
        return total
    inputs = values.swapaxes(0, axis.axis)
    columns = np.ascontiguousarray(inputs, dtype).reshape(len(inputs), -1)
    outputs: Array = axis.matrix(dtype) @ columns
    return outputs.reshape(-1, *inputs.shape[1:]).swapaxes(0, axis.axis)


def _halves(total: Array, axis: Axis) -> bool:
    """Return whether these are halves of sums of two, whose rounding cannot take them beyond the larger one."""
    return axis.n == 2 * axis.m and bool(np.isfinite(total).all())  # the sum may have been too large for its type


def _divided(totals: Array, unit: int) -> Array:
    """Return integer sums divided by their unit, rounded half away from zero."""
    half, divisor = totals.dtype.type(unit // 2), totals.dtype.type(unit)
    quotient: Array = (np.abs(totals) + half) // divisor
    if totals.dtype.kind == "i":
        sign = totals >> (8 * totals.itemsize - 1)  # 0 or -1: masks are slower where signs alternate
        quotient ^= sign
        quotient -= sign
    return quotient


def _rounded(values: Array, dtype: np.dtype[Any]) -> Array:
    """Return sums in the given type; integers are rounded half away from zero."""
    if dtype.kind not in "iu":
        values += 0  # the sign of a zero would depend on the way it was summed
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
