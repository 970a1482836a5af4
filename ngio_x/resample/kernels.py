"""Which input samples each output sample is made of.

Along one axis of `n` inputs and `m` outputs, output `i` covers `[i, i + 1) * n / m` in input samples; the outermost
samples extend beyond the border. A kernel says, for any run of outputs, which inputs they need and with what weights.
These rows do not depend on how an array is cut into blocks: that is why blocks cannot change a result.

Source: the positions are those of `scipy.ndimage.zoom(..., mode="nearest", grid_mode=True)`.
"""

from __future__ import annotations

from typing import Any, Final, Literal, NamedTuple, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from ngio_x.errors import NgioValueError

InterpolationOrder: TypeAlias = Literal["nearest", "linear", "cubic"]
"""How samples between samples are made."""

Indices = npt.NDArray[np.int64]


class Rows(NamedTuple):
    """The inputs of a run of outputs: two taps each, `weight` is the share of the upper one."""

    lower: Indices
    upper: Indices
    weight: npt.NDArray[np.float64]

    @property
    def support(self) -> slice:
        """The run of inputs that is read."""
        return slice(int(self.lower[0]), int(self.upper[-1]) + 1)


class Kernel(Protocol):
    """Return the rows for the outputs `start … stop - 1` along an axis of `n` inputs and `m` outputs."""

    def __call__(self, n: int, m: int, start: int, stop: int) -> Rows:
        """Return one row an output."""
        ...


def nearest(n: int, m: int, start: int, stop: int) -> Rows:
    """Take the input that holds the output's centre; a centre between two takes the upper one."""
    index = (2 * np.arange(start, stop) + 1) * n // (2 * m)
    return Rows(index, index, np.zeros(stop - start))


def linear(n: int, m: int, start: int, stop: int) -> Rows:
    """Blend the two inputs whose centres lie on either side of the output's centre."""
    place = (2 * np.arange(start, stop) + 1) * n - m  # of the centre, in units of 1 / (2 m) from the first centre
    lower, rest = np.divmod(place, 2 * m)
    upper = np.clip(lower + (rest > 0), 0, n - 1)
    lower = np.clip(lower, 0, n - 1)
    return Rows(lower, upper, np.where(lower == upper, 0.0, rest / (2 * m)))


KERNELS: Final[dict[str, Kernel]] = {"nearest": nearest, "linear": linear}


def kernel_for(order: object, dtype: np.dtype[Any]) -> Kernel:
    """Return the kernel of that name, if it can be used with the data type.

    Raises:
        NgioValueError: If there is no such kernel, or it would have to blend values that cannot be blended.
    """
    kernel = KERNELS.get(order) if isinstance(order, str) else None
    if kernel is None:
        raise NgioValueError(f"order must be one of {', '.join(map(repr, KERNELS))}, got {order!r}")
    if kernel is linear and dtype.kind not in "iufc":
        raise NgioValueError(f"order='linear' cannot blend {dtype} values; use order='nearest'")
    return kernel
