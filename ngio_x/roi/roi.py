"""A named region of an image: one interval an axis."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import Any, Final, Literal, Self, TypeAlias

from ngio_x._frozen import (
    ReadOnlyMapping,
    checked_by,
    evolve,
    field,
    field_names,
    freeze,
    frozen,
    one_of,
    shown,
    to_optional_name,
    to_optional_natural,
    tuple_of,
)
from ngio_x._html import facts, titled
from ngio_x.errors import NgioKeyError, NgioTypeError, NgioValueError
from ngio_x.metadata.pixel_size import SpacingLike, spacing_along
from ngio_x.roi.boxes import Box, draw_boxes, hull_of, interval_text, plane_of
from ngio_x.roi.roi_slice import RoiSlice, SliceValue, bound_text

Space = Literal["world", "pixel"]


def _to_slices(value: Iterable[RoiSlice]) -> tuple[RoiSlice, ...]:
    slices = _to_roi_slices(value)
    if len(slices) < 2:
        raise NgioValueError(too_few([item.axis_name for item in slices]))
    names = [item.axis_name for item in slices]
    if len(set(names)) < len(names):
        raise NgioValueError(f"must have unique axis names, got {names}")
    return slices


_to_roi_slices = tuple_of(RoiSlice)


def too_few(axes: Sequence[str]) -> str:
    """Return what is wrong with a region along fewer than two axes, and how it gets another."""
    other = _another_axis(axes)
    return (
        f"must hold at least two axes, got {list(axes)}: add axis '{other}', unbounded if all of it is meant, as "
        f"RoiSlice('{other}') or {{'{other}': slice(None)}}"
    )


def _another_axis(axes: Container[str]) -> str:
    return "x" if "x" not in axes else "y"


_NO_EXTRA: Final[ReadOnlyMapping[str, Any]] = ReadOnlyMapping()


def _to_extra(value: Mapping[str, Any]) -> ReadOnlyMapping[str, Any]:
    if value is _NO_EXTRA or (type(value) is dict and not value):
        return _NO_EXTRA
    if not isinstance(value, Mapping):
        raise NgioValueError(f"must be a mapping, got {shown(value)}")
    for key in value:
        if not isinstance(key, str) or key in _FIELD_NAMES:
            raise NgioValueError(
                f"must not have the key {key!r}: keys are strings other than {_FIELD_NAMES}, rename it"
            )
    return freeze(value)  # type: ignore[no-any-return]


@frozen
class Roi:
    """A region of interest: a named box, in world units or in pixels.

    Two regions are equal when they are equal in everything but the order of their axes.

    >>> roi = Roi.from_values({"y": (10, 5), "x": slice(2.5, 4)}, name="cell")
    >>> roi["x"].end
    4.0
    """

    name: str | None = field(converter=to_optional_name)
    slices: tuple[RoiSlice, ...] = field(converter=_to_slices, eq=frozenset)
    """One slice an axis, at least two."""
    label: int | None = field(converter=to_optional_natural, default=None)
    """The id of the object in a label image, ≥ 0."""
    space: Space = field(metadata=checked_by(one_of("world", "pixel")), default="world")
    """Whether the slices are in world units or in pixels."""
    extra: Mapping[str, Any] = field(converter=_to_extra, default=_NO_EXTRA)
    """Further columns of a ROI table; lists become tuples, so that the region hashes."""

    def __attrs_post_init__(self) -> None:
        if self.extra and type(self) is not Roi and (taken := self.extra.keys() & set(field_names(type(self)))):
            raise NgioValueError(f"extra must not have the key {min(taken)!r}: {type(self).__name__} has such a field")

    @classmethod
    def from_values(
        cls,
        /,
        slices: Mapping[str, SliceValue],
        name: str | None = None,
        label: int | None = None,
        space: Space = "world",
        **extra: Any,
    ) -> Self:
        """Build a region from `{axis: value}`, each value as in `RoiSlice.from_value`; more keywords become `extra`.

        Raises:
            NgioValueError: If there are fewer than two axes, or a number makes no sense.
            NgioTypeError: If a value is of a type that `RoiSlice.from_value` does not know.
        """
        if not isinstance(slices, Mapping):
            raise NgioValueError(f"slices must be a mapping from axis name to interval, got {shown(slices)}")
        pieces = tuple([RoiSlice.from_value(axis, value) for axis, value in slices.items()])
        return cls(name, pieces, label, space, extra)

    def get(self, axis_name: str, default: RoiSlice | None = None) -> RoiSlice | None:
        """Return the slice along an axis, or `default`."""
        return next((item for item in self.slices if item.axis_name == axis_name), default)

    def __getitem__(self, axis_name: str) -> RoiSlice:
        """Return the slice along an axis; a missing one is an `NgioKeyError`."""
        found = self.get(axis_name)
        if found is None:
            raise NgioKeyError(f"the region has no axis {axis_name!r}: use one of {self._axis_names}")
        return found

    __iter__ = None
    """A single region is no sequence, though it has items: where several are wanted, it is refused as that."""

    def __contains__(self, axis_name: object) -> bool:
        """Return whether there is a slice along an axis."""
        return axis_name in self._axis_names

    @property
    def _axis_names(self) -> tuple[str, ...]:
        return tuple(item.axis_name for item in self.slices)

    def get_name(self) -> str:
        """Return the name, else the label as text, else a description of the intervals."""
        if self.name is not None:
            return self.name
        if self.label is not None:
            return str(self.label)
        spans = [(item.axis_name, *map(bound_text, item.bounds)) for item in self.slices]
        intervals = ", ".join(f"{axis}: {start}->{end}" for axis, start, end in spans)
        return f"Roi({intervals}, space={self.space})"

    def intersection(self, other: Roi) -> Self | None:
        """Return the overlap of two regions, or None where they have none; `extra` is this region's.

        An axis that only one of them has is kept as it is.

        Raises:
            NgioValueError: If the spaces or the labels differ.
        """
        return self._combined(other, "intersection", RoiSlice.intersection)

    def union(self, other: Roi) -> Self:
        """Return the smallest region that contains both along the axes they share; `extra` is this region's.

        An axis that only one of them has is kept as it is.

        Raises:
            NgioValueError: If the spaces or the labels differ.
        """
        combined = self._combined(other, "union", RoiSlice.union)
        if combined is None:  # a union of two slices always exists
            raise NgioValueError(f"{self.get_name()} and {other.get_name()} have no union")
        return combined

    def _combined(self, other: Roi, verb: str, combine: Callable[[RoiSlice, RoiSlice], RoiSlice | None]) -> Self | None:
        if not isinstance(other, Roi):
            raise NgioTypeError(f"{verb} needs another Roi, got {type(other).__name__}")
        if self.space != other.space:
            raise NgioValueError(
                f"{verb} needs regions in one space, got '{self.space}' and '{other.space}': "
                "convert one with to_world or to_pixel"
            )
        slices: list[RoiSlice] = []
        for ours in self.slices:
            theirs = other.get(ours.axis_name)
            piece = ours if theirs is None else combine(ours, theirs)
            if piece is None:
                return None
            slices.append(piece)
        slices += [theirs for theirs in other.slices if self.get(theirs.axis_name) is None]
        return evolve(
            self,
            name=_joined_name(self.name, other.name),
            slices=tuple(slices),
            label=_joined_label(self.label, other.label, verb),
        )

    def zoom(self, zoom_factor: float = 1.0, axes: Iterable[str] = ("x", "y")) -> Self:
        """Scale the lengths along `axes` around their centres; see `RoiSlice.zoom`."""
        chosen = axes if isinstance(axes, str) else frozenset(axes)  # of a text: the names that it contains
        return self._mapped(lambda item: item.zoom(zoom_factor) if item.axis_name in chosen else item)

    def to_world(self, pixel_size: SpacingLike | None = None, origin: Mapping[str, float] | None = None) -> Self:
        """Convert to world units; a region that is in world units already comes back as it is.

        Args:
            pixel_size: Sizes by axis; axes without one count pixels, so theirs is 1.
            origin: World coordinate of the edge of position 0, by axis; 0 where none is given.

        Raises:
            NgioValueError: If the region is in pixels and `pixel_size` is missing.
        """
        if self.space == "world":
            return self
        return evolve(self._converted(RoiSlice.to_world, pixel_size, origin), space="world")

    def to_pixel(self, pixel_size: SpacingLike | None = None, origin: Mapping[str, float] | None = None) -> Self:
        """Convert to pixels; bounds near an integer snap to it. Arguments and errors as for `to_world`."""
        if self.space == "pixel":
            return self
        return evolve(self._converted(RoiSlice.to_pixel, pixel_size, origin), space="pixel")

    def to_slicing_dict(
        self, pixel_size: SpacingLike | None = None, origin: Mapping[str, float] | None = None
    ) -> dict[str, slice]:
        """Return `{axis: slice(start, end)}` in pixels, not rounded; `window` gives integers that index an array."""
        return {item.axis_name: item.to_slice() for item in self.to_pixel(pixel_size, origin).slices}

    def update_slice(self, name: str, new_slice: SliceValue) -> Self:
        """Replace the slice along an axis, or add it."""
        piece = RoiSlice.from_value(name, new_slice)
        if self.get(name) is None:
            return evolve(self, slices=(*self.slices, piece))
        return self._mapped(lambda item: piece if item.axis_name == name else item)

    def remove_slice(self, name: str) -> Self:
        """Remove the slice along an axis.

        Raises:
            NgioValueError: If there is none, or fewer than two axes would be left.
        """
        if self.get(name) is None:
            raise NgioValueError(f"there is no axis {name!r} to remove, only {self._axis_names}")
        return evolve(self, slices=tuple(item for item in self.slices if item.axis_name != name))

    def _repr_html_(self) -> str:
        intervals = [(item.axis_name, interval_text(item)) for item in self.slices]
        extras = [(key, shown(value)) for key, value in self.extra.items()]
        rows = facts([("name", self.name), ("label", self.label), ("space", self.space), *intervals, *extras])
        axes = plane_of(self._axis_names)
        vertical, horizontal = (self[axis] for axis in axes)
        box = Box(self.get_name(), vertical, horizontal)
        return titled("Roi", rows, draw_boxes([box], axes, (hull_of([vertical]), hull_of([horizontal]))))

    def _mapped(self, change: Callable[[RoiSlice], RoiSlice]) -> Self:
        return evolve(self, slices=tuple(_changed(item, change) for item in self.slices))

    def _converted(
        self,
        convert: Callable[[RoiSlice, float, float], RoiSlice],
        pixel_size: SpacingLike | None,
        origin: Mapping[str, float] | None,
    ) -> Self:
        if pixel_size is None:
            raise NgioValueError(f"pixel_size is needed to convert a region in {self.space} space")
        zero = {} if origin is None else origin
        if not isinstance(zero, Mapping):
            raise NgioValueError(f"origin must be a mapping by axis name, got {shown(origin)}")
        return self._mapped(
            lambda item: convert(item, spacing_along(pixel_size, item.axis_name), zero.get(item.axis_name, 0.0))
        )


def _changed(item: RoiSlice, change: Callable[[RoiSlice], RoiSlice]) -> RoiSlice:
    try:
        return change(item)
    except NgioValueError as error:
        raise NgioValueError(f"axis {item.axis_name!r}: {error}") from None


_FIELD_NAMES: Final = field_names(Roi)


def _joined_name(ours: str | None, theirs: str | None) -> str | None:
    if ours is None or theirs is None or ours == theirs:
        return theirs if ours is None else ours
    return f"{ours}:{theirs}"


def _joined_label(ours: int | None, theirs: int | None, verb: str) -> int | None:
    if ours is not None and theirs is not None and ours != theirs:
        raise NgioValueError(
            f"{verb} needs regions of one label, got {ours} and {theirs}: "
            "pass one without label, attrs.evolve(roi, label=None)"
        )
    return theirs if ours is None else ours


RoiLike: TypeAlias = "Roi | Mapping[str, SliceValue]"
"""A region; or intervals in world units by axis, as `Roi.from_values` takes them, one axis being enough."""


def to_roi(roi: object) -> Roi:
    """Return the region that the argument `roi` of a function means, see `RoiLike`.

    A mapping of one axis gets another, unbounded: regions have two.

    >>> to_roi({"y": (0, 10)})["x"].bounds
    (None, None)

    Raises:
        NgioTypeError: If it is neither a region nor a mapping, or an interval is of an unknown type.
        NgioValueError: If the mapping makes no region.
    """
    if isinstance(roi, Roi):
        return roi
    if not isinstance(roi, Mapping):
        # Those of ngio look like ours, and are pydantic's.
        advice = "from_dict(roi.model_dump(), Roi)" if hasattr(roi, "model_dump") else "Roi.from_values"
        raise NgioTypeError(
            f"roi must be a Roi of ngio_x, or a mapping such as {{'y': slice(0, 10)}}, got {shown(roi)}: use {advice}"
        )
    given = {**roi, _another_axis(roi): slice(None)} if len(roi) == 1 else roi
    try:
        return Roi.from_values(given)
    except (NgioValueError, NgioTypeError) as error:
        raise type(error)(f"roi: {error}") from None
