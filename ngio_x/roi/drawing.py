"""Many regions as a value that notebooks show."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np

from ngio_x._frozen import at_least, checked_by, field, frozen, instance_of, shown, to_int, to_names, tuple_of
from ngio_x._html import element, titled
from ngio_x.errors import NgioValueError
from ngio_x.roi.boxes import Box, draw_boxes, hull_of
from ngio_x.roi.roi import Roi

DRAWN: Final = 1000
"""Boxes in a drawing: about 150 kB of a page."""


def _to_rois(value: Iterable[Roi]) -> tuple[Roi, ...]:
    return tuple_of(Roi)(value)


def _to_plane(value: Iterable[str]) -> tuple[str, ...]:
    axes = to_names(value)
    if len(axes) != 2 or axes[0] == axes[1]:
        raise NgioValueError(f"must name two axes, the vertical one first, got {shown(value)}")
    return axes


def _to_frame(value: Roi | None) -> Roi | None:
    return None if value is None else instance_of(Roi)(value)


@frozen
class RoiDrawing:
    """Regions, and the plane in which notebooks show their boxes; made by `show`."""

    rois: tuple[Roi, ...] = field(converter=_to_rois)
    axes: tuple[str, ...] = field(converter=_to_plane)
    """The axes of the plane, the vertical one first."""
    frame: Roi | None = field(converter=_to_frame, default=None)
    """What an image holds, which is drawn behind the regions."""
    limit: int = field(metadata=checked_by(at_least(1, to_int)), default=DRAWN)
    """Boxes that are drawn, at most."""

    @property
    def drawn(self) -> tuple[Roi, ...]:
        """The regions that are drawn: all, or as many as there may be, evenly spread over the list."""
        count = len(self.rois)
        if count <= self.limit:
            return self.rois
        return tuple(self.rois[at] for at in np.linspace(0, count - 1, self.limit).astype(int).tolist())

    def __str__(self) -> str:
        """Return how many regions there are, and how many of them are drawn."""
        count, drawn = len(self.rois), len(self.drawn)
        regions = f"{count} region{'' if count == 1 else 's'}"
        return regions if drawn == count else f"{drawn} of {regions}, evenly spread over the list; limit= draws more"

    def _repr_html_(self) -> str:
        if not self.rois:
            return element("div", "no regions")
        framed = self.rois if self.frame is None else (*self.rois, self.frame)
        bounds = [hull_of(roi.get(axis) for roi in framed) for axis in self.axes]
        frame = None if self.frame is None else self._box(self.frame)
        return titled(self, draw_boxes(map(self._box, self.drawn), self.axes, bounds, frame))

    def _box(self, roi: Roi) -> Box:
        vertical, horizontal = self.axes
        return Box(roi.get_name(), roi.get(vertical), roi.get(horizontal))
