"""Outputs that are one of their inputs: the one at the centre, the largest, the smallest, the most common."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from ngio_x.resample.kernels import KERNELS, Kernel, Tap, Taps, taps_of, used_taps_of

Array: TypeAlias = npt.NDArray[Any]

_FEW: Final = 27
"""Candidates up to which comparing all pairs beats sorting: three along each of three axes."""


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
    def table(self) -> Taps:
        """What the outputs are made of."""
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


def ones(values: Array, axes: Sequence[Axis]) -> Array:
    """Return the one input of each output."""
    for each in axes:
        values = each.taken(values, each.table.taps[0])
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

    A tie goes to the tied value that the nearest kernel takes, else to the smallest.
    """
    result = ones(values, [each._replace(kernel=KERNELS["nearest"]) for each in axes]).copy()
    parts, weights = [], []
    for choice in itertools.product(*(each.table.taps for each in axes)):
        part, weight = values, np.ones((1,) * values.ndim, np.int64)
        for each, tap in zip(axes, choice, strict=True):
            part = each.taken(part, tap)
            weight = weight * each.column(tap.weights, values.ndim)
        parts.append(part)
        weights.append(weight)
    return (_most_common_of_few if len(parts) <= _FEW else _most_common_of_many)(parts, weights, result)


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
