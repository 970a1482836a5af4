"""Which input samples each output sample is made of.

Along one axis of `n` inputs and `m` outputs, output `i` covers `[i, i + 1) * n / m` in input samples; beyond the
border, the border sample goes on. A kernel says, for any run of outputs, which inputs they are made of and with what
weights. These rows do not depend on how an array is cut into blocks: that is why blocks cannot change a result.

Source: the positions are those of `scipy.ndimage.zoom(..., mode="nearest", grid_mode=True)`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from ngio_x._frozen import frozen, shown
from ngio_x.errors import NgioValueError

InterpolationOrder: TypeAlias = Literal["nearest", "linear", "cubic"]
"""How samples between samples are made."""

KernelName: TypeAlias = Literal["nearest", "linear", "cubic", "mean", "mode", "max", "min"]

Order: TypeAlias = KernelName | Literal[0, 1, 2, 3]
"""What `order=` takes: a kernel by name, or by the degree of its spline."""


class Rows(NamedTuple):
    """What a run of outputs is made of: output `j` of inputs `first[j] + t`, with weights `weights[j, t]`.

    Inputs may lie beyond the border, where they are the border's. Weights are whole shares of `unit`, so that sums of
    integers can be exact; those of a cubic spline are floats, and `unit` is 1. The first weight of a row is never 0.
    """

    first: npt.NDArray[np.int64]
    weights: npt.NDArray[Any]
    unit: int


class Common(NamedTuple):
    """What all rows along an axis have in common: it may be relied on by blocks without looking at each other."""

    width: int
    """The most inputs that an output has."""
    unit: int
    whole: bool
    """Whether weights are whole numbers."""


@lru_cache(maxsize=64)
def common_of(kernel: Kernel, n: int, m: int) -> Common:
    """Return what all rows along an axis of `n` inputs and `m` outputs have in common."""
    row = kernel.rows(n, m, 0, 1)
    return Common(row.weights.shape[1], row.unit, row.weights.dtype.kind == "i")


@lru_cache(maxsize=1024)
def _support(kernel: Kernel, n: int, m: int, start: int, stop: int) -> slice:
    low, last = (int(kernel.rows(n, m, at, at + 1).first[0]) for at in (start, stop - 1))
    high = last + common_of(kernel, n, m).width
    return slice(min(max(low, 0), n - 1), max(min(high, n), 1))


Table: TypeAlias = Callable[[int, int, int, int], Rows]
"""Rows of the outputs `start … stop - 1` along an axis of `n` inputs and `m` outputs."""


def nearest_rows(n: int, m: int, start: int, stop: int) -> Rows:
    """Take the input that holds the output's centre; a centre between two takes the upper one."""
    first = (2 * np.arange(start, stop) + 1) * n // (2 * m)
    return Rows(first, np.ones((first.size, 1), np.int64), 1)


def linear_rows(n: int, m: int, start: int, stop: int) -> Rows:
    """Blend the two inputs whose centres lie on either side of the output's centre."""
    place = (2 * np.arange(start, stop) + 1) * n - m  # of the centre from that of input 0, in units of 1 / (2 m)
    first, rest = np.divmod(place, 2 * m)
    common = math.gcd(2 * n, n - m, 2 * m)
    unit = 2 * m // common
    upper = rest // common
    return Rows(first, np.stack([unit - upper, upper], axis=1)[:, : 2 if unit > 1 else 1], unit)


def area_rows(n: int, m: int, start: int, stop: int) -> Rows:
    """Take every input that the output covers, weighted with the part that it covers."""
    common = math.gcd(n, m)
    length, step = n // common, m // common  # of an output and of an input, in units that measure both
    low = np.arange(start, stop) * length
    first = low // step
    taps = 1 if length == step else (length + step - 2) // step + 1
    edges = (first[:, np.newaxis] + np.arange(taps + 1)) * step - low[:, np.newaxis]
    return Rows(first, np.diff(np.clip(edges, 0, length), axis=1), length)


_POLE: Final = math.sqrt(3) - 2
_REACH: Final = 13
"""Samples to either side that the prefilter reads: the first one left out weighs 1e-8."""
_PREFILTER: Final = _POLE ** np.abs(np.arange(-_REACH, _REACH + 1))


def cubic_rows(n: int, m: int, start: int, stop: int) -> Rows:
    """Evaluate the cubic spline through the inputs at the output's centre.

    The spline's coefficients are a recursive filter of all inputs, whose answer to an impulse falls off as
    `(√3 - 2) ** |k|` (Unser 1999, IEEE Signal Processing Magazine 16(6)); cut off, it is a local one.
    """
    place = (2 * np.arange(start, stop) + 1) * n - m
    whole, rest = np.divmod(place, 2 * m)
    u = rest[:, np.newaxis] / (2 * m)
    pieces = ((1 - u) ** 3, 4 - 6 * u**2 + 3 * u**3, 1 + 3 * u + 3 * u**2 - 3 * u**3, u**3)
    weights = np.zeros((whole.size, 2 * _REACH + 4))
    for shift, piece in enumerate(pieces):
        weights[:, shift : shift + 2 * _REACH + 1] += piece * _PREFILTER
    return Rows(whole - 1 - _REACH, weights / weights.sum(axis=1, keepdims=True), 1)


@frozen
class Kernel:
    """A way to make output samples of input samples."""

    name: KernelName
    """What `order=` and the metadata of an OME-NGFF image call it."""
    rows: Table
    combine: Literal["sum", "one", "max", "min", "mode"] = "sum"
    """How the samples of a row become one."""

    @property
    def blends(self) -> bool:
        """Whether outputs may have values that no input has."""
        return self.combine == "sum"

    def support(self, n: int, m: int, outputs: slice) -> slice:
        """Return the run of inputs that a run of outputs is made of."""
        return outputs if n == m else _support(self, n, m, outputs.start, outputs.stop)

    def reach(self, n: int, m: int, inputs: slice) -> slice:
        """Return the run of outputs that a change in a run of inputs may touch."""
        if n == m:
            return inputs
        taps = common_of(self, n, m).width
        margin = -(-(taps + 1) * m // n) + 1
        low, high = max(0, inputs.start * m // n - margin), min(m, -(-inputs.stop * m // n) + margin)
        rows = self.rows(n, m, low, high)
        touched = np.zeros(high - low, bool)
        for tap in range(taps):
            at = np.clip(rows.first + tap, 0, n - 1)
            touched |= (at >= inputs.start) & (at < inputs.stop) & (rows.weights[:, tap] != 0)
        hit = np.flatnonzero(touched)
        return slice(low + int(hit[0]), low + int(hit[-1]) + 1) if hit.size else slice(0, 0)


KERNELS: Final[dict[str, Kernel]] = {
    kernel.name: kernel
    for kernel in (
        Kernel("nearest", nearest_rows, "one"),
        Kernel("linear", linear_rows),
        Kernel("cubic", cubic_rows),
        Kernel("mean", area_rows),
        Kernel("mode", area_rows, "mode"),
        Kernel("max", area_rows, "max"),
        Kernel("min", area_rows, "min"),
    )
}
_DEGREES: Final = {0: "nearest", 1: "linear", 2: "cubic", 3: "cubic"}


def kernel_for(order: object, dtype: np.dtype[Any]) -> Kernel:
    """Return the kernel of that name or degree, if it can be used with the data type.

    Raises:
        NgioValueError: If there is no such kernel, or it cannot be applied to such values.
    """
    name = _DEGREES.get(order) if type(order) is int else order
    kernel = KERNELS.get(name) if isinstance(name, str) else None
    if kernel is None:
        raise NgioValueError(f"order must be one of {', '.join(map(repr, KERNELS))}, got {shown(order)}")
    if kernel.combine != "one" and dtype.kind not in ("iufc" if kernel.blends else "biuf"):
        verb = "blend" if kernel.blends else "compare"
        raise NgioValueError(f"order={kernel.name!r} cannot {verb} the array's {dtype} values; use order='nearest'")
    return kernel
