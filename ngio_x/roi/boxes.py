"""Boxes as a drawing: what notebooks show of regions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from ngio_x._html import Html, element, number_text
from ngio_x.metadata.axes import CANONICAL_ORDER
from ngio_x.roi.roi_slice import RoiSlice

_WIDTH, _HEIGHT, _LEAST = 360.0, 240.0, 12.0
"""Of the plane in a drawing, in pixels of the page: at most, and of a side that to scale would be shorter."""
_LEFT, _TOP, _RIGHT, _BOTTOM = 72.0, 12.0, 24.0, 24.0
"""Room for numbers around the plane."""
_DOT: Final = 1.5
"""Pixels of the page that the side of a box has at least, so that it can be seen and pointed at."""


class Box(NamedTuple):
    """A box in a plane; along an axis that it lacks, it has no bounds."""

    name: str
    vertical: RoiSlice | None
    horizontal: RoiSlice | None

    @property
    def known(self) -> tuple[RoiSlice, ...]:
        """The intervals that it has."""
        return tuple(item for item in (self.vertical, self.horizontal) if item is not None)

    @property
    def is_closed(self) -> bool:
        """Whether it has all four bounds."""
        return len([item for item in self.known if item.length is not None]) == 2


class _Side(NamedTuple):
    """An axis of the plane."""

    axis: str
    low: float
    high: float
    pixels: float
    """Its length on the page."""

    def places(self, interval: RoiSlice | None) -> tuple[float, float]:
        """Return where an interval begins and ends within the plane, in pixels of the page from its lower end."""
        start, end = (None, None) if interval is None else interval.bounds
        return self._place(self.low if start is None else start), self._place(self.high if end is None else end)

    def _place(self, bound: float) -> float:
        part = (bound / 2 - self.low / 2) / (self.high / 2 - self.low / 2)  # halves: their difference is finite
        return min(max(part, 0.0), 1.0) * self.pixels


def plane_of(axes: Iterable[str]) -> tuple[str, str]:
    """Return the last two of two or more axes in the order of images: y and x, wherever there are both.

    >>> plane_of(["x", "y", "z"])
    ('y', 'x')
    """
    order = {axis: place for place, axis in enumerate(CANONICAL_ORDER)}
    *_, vertical, horizontal = sorted(dict.fromkeys(axes), key=lambda axis: order.get(axis, -1))
    return vertical, horizontal


def hull_of(slices: Iterable[RoiSlice | None]) -> tuple[float, float]:
    """Return what holds all bounds of some intervals: something above 0, even if they have none, or one alone.

    >>> hull_of([RoiSlice("x", 2, 3), RoiSlice("x", 4)])
    (2.0, 5.0)
    """
    bounds = [bound for item in slices if item is not None for bound in item.bounds if bound is not None]
    low, high = (min(bounds), max(bounds)) if bounds else (0.0, 1.0)
    return (low, high) if low < high else (low, max(low + 1, math.nextafter(low, math.inf)))


def interval_text(interval: RoiSlice) -> str:
    """Return an interval as one reads it; an end that is open is `…`.

    >>> interval_text(RoiSlice("x", 2, 3)), interval_text(RoiSlice("x", 2))
    ('[2, 5), length 3', '[2, …)')
    """
    if interval.start is None:
        return "all"
    length = "" if interval.length is None else f", length {number_text(interval.length)}"
    return f"[{number_text(interval.start)}, {number_text(interval.end)}){length}"


def draw_boxes(
    boxes: Iterable[Box],
    axes: Sequence[str],
    bounds: Sequence[tuple[float, float]],
    frame: Box | None = None,
) -> Html:
    """Return a drawing (SVG) of boxes, each with its name as a tooltip; the vertical axis points down.

    The plane is to scale, unless that would make a side too short to see. What has no bound reaches the edge of the
    plane, and is dashed.

    Args:
        boxes: What to draw.
        axes: Of the plane, the vertical one first.
        bounds: Of the plane, along each: a lower and a higher one.
        frame: What is drawn pale, behind the boxes; by default the plane.
    """
    spans = [high / 2 - low / 2 for low, high in bounds]
    scale = min(_HEIGHT / spans[0], _WIDTH / spans[1])
    down, right = (
        _Side(axis, low, high, max(_LEAST, span * scale))
        for axis, (low, high), span in zip(axes, bounds, spans, strict=True)
    )
    pale = _mark(frame or Box("", None, None), down, right, fill="none", stroke_opacity=0.4)
    marks = [_mark(box, down, right, stroke_dasharray=None if box.is_closed else "4 3") for box in boxes]
    return element(
        "svg",
        element("g", pale, *marks, fill="currentColor", fill_opacity=0.12, stroke="currentColor", stroke_width=0.8),
        element("g", *_texts(down, right), fill="currentColor", font_size=11, font_family="sans-serif"),
        xmlns="http://www.w3.org/2000/svg",
        width=_px(_LEFT + _breadth(right) + _RIGHT),
        height=_px(_TOP + down.pixels + _BOTTOM),
    )


def _mark(box: Box, down: _Side, right: _Side, **style: Any) -> Html:
    top, bottom = down.places(box.vertical)
    left, end = right.places(box.horizontal)
    where = ", ".join(f"{item.axis_name} {interval_text(item)}" for item in box.known)
    return element(
        "rect",
        *([element("title", ": ".join(filter(None, (box.name, where))))] if where else ()),
        x=_px(_LEFT + left),
        y=_px(_TOP + top),
        width=_px(max(end - left, _DOT)),
        height=_px(max(bottom - top, _DOT)),
        **style,
    )


def _texts(down: _Side, right: _Side) -> Iterator[Html]:
    """Return the names of the axes, and the bounds of the plane along each."""
    bottom, middle = _TOP + down.pixels, _TOP + down.pixels / 2 + 4
    if down.pixels > 40:
        yield _text(_LEFT - 6, _TOP + 9, number_text(down.low), "end")
        yield _text(_LEFT - 6, middle, down.axis, "end")
        yield _text(_LEFT - 6, bottom, number_text(down.high), "end")
    else:
        yield _text(_LEFT - 6, middle, f"{down.axis} {number_text(down.low)}…{number_text(down.high)}", "end")
    yield _text(_LEFT, bottom + 16, number_text(right.low), "start")
    yield _text(_LEFT + _breadth(right) / 2, bottom + 16, right.axis, "middle")
    yield _text(_LEFT + _breadth(right), bottom + 16, number_text(right.high), "end")


def _breadth(right: _Side) -> float:
    """Return the room for the numbers below the plane, which a narrow one has beyond its right end."""
    return max(right.pixels, 120.0)


def _text(x: float, y: float, text: str, anchor: str) -> Html:
    return element("text", text, x=_px(x), y=_px(y), text_anchor=anchor)


def _px(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")
