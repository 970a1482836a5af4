"""How channels are named and shown (OME-NGFF section "omero")."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple, SupportsFloat

import numpy as np
import numpy.typing as npt

from ngio_x._frozen import evolve, field, frozen, shown, to_bool, to_floats, to_name
from ngio_x.errors import NgioValueError

_COLORS: Final = ("00FFFF", "FF00FF", "FFFF00", "00FF00", "FF0000", "0000FF")
_KNOWN_COLORS: Final = {"red": "FF0000", "green": "00FF00", "blue": "0000FF"}


def _to_color(value: str) -> str:
    color = to_name(value).removeprefix("#").upper()
    if len(color) != 6 or any(digit not in "0123456789ABCDEF" for digit in color):
        raise NgioValueError(f"must be six hexadecimal digits, got {shown(value)}")
    return color


def _to_range(value: Iterable[SupportsFloat]) -> tuple[float, ...]:
    bounds = to_floats(value)
    if len(bounds) != 2 or bounds[0] > bounds[1]:
        raise NgioValueError(f"must be two rising numbers, got {bounds}")
    return bounds


@frozen
class Channel:
    """A channel's name and colour, the grey levels it can have, and those to show."""

    label: str = field(converter=to_name)
    color: str = field(converter=_to_color, default="FFFFFF")
    """Six hexadecimal digits, red first."""
    limits: tuple[float, ...] = field(converter=_to_range, default=(0.0, 255.0))
    """The lowest and the highest grey level possible."""
    display: tuple[float, ...] = field(converter=_to_range, default=(0.0, 255.0))
    """The grey levels to show as black and as the full colour."""
    active: bool = field(converter=to_bool, default=True)
    """Whether viewers show it to begin with."""


class KnownChannel(NamedTuple):
    """What is known of a channel; None stands for what nobody knows."""

    label: str
    color: str | None = None
    limits: tuple[float, ...] | None = None
    display: tuple[float, ...] | None = None
    active: bool | None = None

    @classmethod
    def from_channel(cls, channel: Channel | str) -> KnownChannel:
        """Return what a channel, or its name alone, says."""
        if isinstance(channel, str):
            return cls(channel)
        return cls(channel.label, channel.color, channel.limits, channel.display, channel.active)

    @property
    def is_named_only(self) -> bool:
        """Whether nothing but its name is known."""
        return self[1:] == (None,) * 4

    @property
    def is_complete(self) -> bool:
        """Whether its pixels have nothing to add."""
        return None not in (self.color, self.limits, self.display)

    def completed(self, suited: Channel) -> Channel:
        """Return the channel, with what suits its pixels where nothing is known."""
        known: dict[str, Any] = dict(zip(self._fields, self, strict=True))
        return evolve(suited, **{name: value for name, value in known.items() if value is not None})


def suited_channels(labels: Sequence[str], pixels: npt.NDArray[Any]) -> tuple[Channel, ...]:
    """Give each channel a colour, the limits of the data type, and a display range that suits its pixels.

    A photograph is shown as it is.

    Args:
        labels: The names of the channels.
        pixels: One array of grey levels a channel, of shape `(channel, …)`: a coarse level is enough.
    """
    if len(pixels) != len(labels):
        raise NgioValueError(f"channels need one label each, got {len(labels)} labels for {len(pixels)} channels")
    seen = pixels[:, :0] if is_photograph(labels, pixels.dtype) else pixels
    return tuple(map(suited_to, seen, labels, colors_of(labels)))


def colors_of(labels: Sequence[str]) -> tuple[str, ...]:
    """Return a colour for each channel: a single one is white, well-known colours get themselves, others take turns."""
    turns = ("FFFFFF",) if len(labels) == 1 else _COLORS
    return tuple(_KNOWN_COLORS.get(label.lower(), turns[at % len(turns)]) for at, label in enumerate(labels))


def suited_to(pixels: npt.NDArray[Any], label: str, color: str) -> Channel:
    """Return a channel with the limits of the data type, and a display range that suits its pixels; of none, all."""
    finite = pixels[np.isfinite(pixels)] if pixels.dtype.kind in "iuf" else pixels[:0]
    limits = _limits_of(finite, pixels.dtype)
    return Channel(label, color, limits, _range_of(finite, limits))


def is_photograph(labels: Iterable[str], dtype: np.dtype[Any]) -> bool:
    """Return whether channels are red, green and blue in 8 bits: stretched one by one, they would change their hues."""
    return dtype == np.uint8 and _KNOWN_COLORS.keys() <= {label.lower() for label in labels}


def _limits_of(finite: npt.NDArray[Any], dtype: np.dtype[Any]) -> tuple[float, float]:
    """Return all that an integer can be; 0 to 1 for floats, wider where they are not within."""
    if dtype.kind in "iu":
        return float(np.iinfo(dtype).min), float(np.iinfo(dtype).max)
    return (min(0.0, float(finite.min())), max(1.0, float(finite.max()))) if finite.size else (0.0, 1.0)


def _range_of(finite: npt.NDArray[Any], limits: tuple[float, float]) -> tuple[float, float]:
    """Return grey levels that leave out the darkest and the brightest per mille; constant images get the limits."""
    low, high = np.quantile(finite.astype(np.float64), (0.001, 0.999), method="nearest") if finite.size else limits
    return (float(low), float(high)) if low < high else limits
