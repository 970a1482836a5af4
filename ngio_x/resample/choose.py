"""Outputs that are one of their inputs: the one at the centre, the largest, the smallest, the most common."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from ngio_x.resample.axis import Array, Axis
from ngio_x.resample.kernels import KERNELS

_FEW: Final = 27
"""Candidates up to which comparing all pairs beats sorting: three along each of three axes."""


def ones(values: Array, axes: Sequence[Axis]) -> Array:
    """Return the one input of each output."""
    for each in axes:
        values = each.taken(values, each.taps[0])
    return values


def extremes(values: Array, axes: Sequence[Axis], choose: np.ufunc) -> Array:
    """Return the largest or smallest input of each output."""
    for each in axes:
        first, *others = each.used
        chosen = each.taken(values, first)
        for tap in others:
            chosen = choose(chosen, each.taken(values, tap))
        values = chosen
    return values


def most_common(values: Array, axes: Sequence[Axis]) -> Array:
    """Return the value that covers the largest part of each output.

    A tie goes to the tied value that the nearest kernel takes, else to the smallest. NaN is one value, the largest;
    zeros of both signs are one value, 0.
    """
    if values.dtype.kind == "f":
        values = values + 0
    result = ones(values, [each._replace(kernel=KERNELS["nearest"]) for each in axes]).copy()
    parts = [values]
    for each in axes:
        parts = [each.taken(part, tap) for part in parts for tap in each.taps]
    mixed = np.zeros(result.shape, bool)
    for part in parts[1:]:
        mixed |= part != parts[0]
    if not mixed.any():
        return result
    picked = mixed if np.count_nonzero(mixed) < mixed.size / 4 else ...  # picking many costs more than it saves

    total = math.prod(each.common.unit for each in axes)
    share_type = np.min_scalar_type(2 * len(parts) * (total + 1))
    shares = [np.full((1,) * values.ndim, 2 * len(parts), share_type)]
    for each in axes:
        columns = [each.column(tap.weights, values.ndim).astype(share_type) for tap in each.taps]
        shares = [share * column for share in shares for column in columns]
    if picked is not ...:
        shares = [share.ravel() if share.size == 1 else np.broadcast_to(share, mixed.shape)[picked] for share in shares]
    # How many an output may have, not how many this block has: blocks must not decide.
    few = math.prod(each.common.width for each in axes) <= _FEW and values.itemsize <= 8
    result[picked] = (_most_common_of_few if few else _most_common_of_many)(
        np.stack([part[picked] for part in parts]),
        shares,
        result[picked],
    )
    return result


def _most_common_of_few(parts: Array, shares: list[Array], centre: Array) -> Array:
    """Compare every candidate with every other: fast while there are few.

    Args:
        parts: The candidates of each output, one a row.
        shares: What each row counts, in multiples of twice their number.
        centre: What the nearest kernel takes.
    """
    # A key orders candidates by their share, then the centre before others, then by the number of larger candidates:
    # where keys are equal, so are values.
    keys = np.multiply(_same(parts, centre), len(parts), dtype=shares[0].dtype)
    for i, share in enumerate(shares):
        keys[i] += share
    for i, j in itertools.combinations(range(len(parts)), 2):
        same = _same(parts[i], parts[j])
        below = _below(parts[i], parts[j])
        keys[i] += same * shares[j]
        keys[i] += below
        keys[j] += same * shares[i]
        keys[j] += ~(same | below)
    top = keys.max(axis=0)
    # One of equal values, as their bits: choosing by masks is several times slower.
    bits = parts.view(f"u{parts.itemsize}")
    best: Array = np.zeros_like(bits[0])
    for candidate, key in zip(bits, keys, strict=True):
        best |= candidate & np.negative((key == top).astype(bits.dtype))
    chosen: Array = best.view(parts.dtype)
    return chosen


def _most_common_of_many(parts: Array, shares: list[Array], centre: Array) -> Array:
    """Sort the candidates of each output and add up the runs of equal ones; arguments as above."""
    order = np.argsort(parts, axis=0, kind="stable")
    parts = np.take_along_axis(parts, order, axis=0)
    counted = np.take_along_axis(np.stack([np.broadcast_to(share, centre.shape) for share in shares]), order, axis=0)
    best: Array = parts[0].copy()
    score, run = counted[0].copy(), counted[0]
    for value, before, share in zip(parts[1:], parts, counted[1:], strict=False):
        run = np.where(_same(value, before), run, 0) + share
        better = (run > score) | ((run == score) & _same(value, centre))  # else the first, the smallest, stays
        np.copyto(best, value, where=better)
        score = np.maximum(score, run)
    return best


def _same(values: Array, others: Array) -> npt.NDArray[np.bool_]:
    same: npt.NDArray[np.bool_] = np.equal(values, others)
    if values.dtype.kind == "f":
        same |= np.isnan(values) & np.isnan(others)
    return same


def _below(values: Array, others: Array) -> npt.NDArray[np.bool_]:
    below: npt.NDArray[np.bool_] = np.less(values, others)
    if values.dtype.kind == "f":
        below |= np.isnan(others) & ~np.isnan(values)
    return below
