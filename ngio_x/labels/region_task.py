"""What `map_rois` does with one region: make its piece, call the function, and check what that returns."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import attrs
import numpy as np
import numpy.typing as npt
import xarray as xr

from ngio_x._frozen import shown
from ngio_x.errors import NgioTypeError, NgioValueError
from ngio_x.labels.extents import integer_pixels, summary_of
from ngio_x.labels.relabel import renamed
from ngio_x.resample.evaluate import Window, within

Pixels = npt.NDArray[Any]


@attrs.frozen
class Place:
    """Where a region lies; windows are array positions along all axes of the image."""

    title: str
    """For messages."""
    label: int | None
    inner: Window
    """The pixels that the region holds."""
    outer: Window
    """These, and the halo."""
    before: int
    """Pixels of all pieces before this one: more than they have objects."""

    @property
    def size(self) -> int:
        """Pixels of the piece."""
        return math.prod(side.stop - side.start for side in self.outer)


@attrs.frozen
class Outline:
    """An array of the image, without its pixels."""

    name: Hashable
    dims: tuple[Hashable, ...]
    attributes: Mapping[Hashable, Any]

    def filled(self, pixels: Pixels) -> xr.Variable:
        """Return the array with the pixels of a piece, which are the function's own, even to write to."""
        return xr.Variable(self.dims, pixels if pixels.flags.owndata else pixels.copy(), self.attributes)


@attrs.frozen
class Job:
    """What is the same for all regions."""

    func: Callable[[Any], Any]
    frame: xr.Dataset
    """Coordinates and attributes of the image."""
    arrays: tuple[Outline, ...]
    single: bool
    """Whether the function takes a DataArray: the image is one, and not a Dataset."""
    dims: tuple[str, ...]
    """All axes of the image."""
    owners: tuple[str, ...] = ()
    """Axes of the labels that say which region a pixel belongs to, if it matters."""

    def piece(self, place: Place, pixels: Sequence[Pixels]) -> xr.DataArray | xr.Dataset:
        """Return the piece of the image that the function takes."""
        held = self.frame.isel(dict(zip(self.dims, place.outer, strict=True)), missing_dims="ignore")
        variables = [outline.filled(block) for outline, block in zip(self.arrays, pixels, strict=True)]
        names = [outline.name for outline in self.arrays]
        piece: xr.DataArray | xr.Dataset
        if self.single:
            piece = xr.DataArray(variables[0], held.coords, name=names[0])
        else:
            piece = held.assign(dict(zip(names, variables, strict=True)))
        taken = {*piece.dims, *piece.coords, *(() if self.single else names)}
        if place.label is None or "label" in taken:
            return piece
        return piece.assign_coords(label=place.label)

    def call(self, place: Place, pixels: Sequence[Pixels]) -> Any:
        """Return what the function makes of a piece; what it raises says where."""
        try:
            return self.func(self.piece(place, pixels))
        except Exception as error:
            error.add_note(f"in {place.title}")
            raise


def row_of(job: Job, place: Place, pixels: Sequence[Pixels], columns: tuple[str, ...]) -> tuple[Any, ...]:
    """Return the row of a table that the function makes of a piece.

    Raises:
        NgioTypeError: If it returns no mapping.
        NgioValueError: If columns are missing, or unknown, or hold more than one value.
    """
    found = job.call(place, pixels)
    if not isinstance(found, Mapping):
        raise NgioTypeError(
            f"func must return a mapping {{column: value}} as output has it, for {place.title}, got {shown(found)}"
        )
    if set(found) != set(columns):
        raise NgioValueError(
            f"func must return the columns {list(columns)} of output for {place.title}, got {list(found)}"
        )
    return tuple(_lone(found[name], name, place) for name in columns)


def _lone(value: Any, column: str, place: Place) -> Any:
    if isinstance(value, (str, bytes)):
        return value
    values = np.asarray(value)
    if values.size != 1:
        raise NgioValueError(f"{column!r} of {place.title} must be one value, got an array of shape {values.shape}")
    return values.reshape(())[()]


def stacked(rows: Sequence[tuple[Any, ...]], dtype: np.dtype[Any]) -> Pixels:
    """Return rows as records.

    Raises:
        NgioTypeError: If values do not fit the dtype of their column.
    """
    records = np.empty(len(rows), dtype)
    for index, name in enumerate(dtype.names or ()):
        kind, values = dtype[name], [row[index] for row in rows]
        found = np.array(values, object if kind.hasobject else None)
        if rows and not _fits(found, kind):
            raise NgioTypeError(
                f"func returns {found.dtype} in column {name!r}, whose values do not all fit into the {kind} of output"
            )
        records[name] = found
    return records


def _fits(values: Pixels, kind: np.dtype[Any]) -> bool:
    """Return whether a column of a kind can hold values: no number wraps around, and no text or time is cut off."""
    if kind.kind in "iu" and values.dtype.kind in "iu":
        limits = np.iinfo(kind)
        return bool(limits.min <= int(values.min()) and int(values.max()) <= limits.max)
    if not np.can_cast(values.dtype, kind, "safe" if kind.kind in "SUmM" else "same_kind"):
        return False
    if values.dtype.kind not in "fc" or kind.kind not in "fc":
        return True
    with np.errstate(over="ignore"):
        return bool((np.isfinite(values.astype(kind)) == np.isfinite(values)).all())


class Made(NamedTuple):
    """What a function has made of a piece, and which of these pixels count."""

    pixels: Pixels
    inside: Pixels | None
    """Where they go into the result; None for everywhere."""


def image_of(
    job: Job,
    place: Place,
    pixels: Sequence[Pixels],
    axes: tuple[str, ...],
    dtype: np.dtype[Any],
    owners: Pixels | None = None,
) -> Made:
    """Return what the function makes of a piece, without the halo, along the given axes.

    Raises:
        NgioTypeError: If its values do not fit the dtype.
        NgioValueError: If its axes or sizes do not fit.
    """
    found = _along(job.call(place, pixels), job, place, axes)
    same_kind = found.dtype.kind == dtype.kind and dtype.kind in "fc"
    if not same_kind and not np.can_cast(found.dtype, dtype, "safe"):
        raise NgioTypeError(
            f"func returns {found.dtype} for {place.title}, whose values do not all fit into {dtype}: convert them, "
            f"or ask for another result with dtype='{found.dtype}'"
        )
    inner = within(chosen(place.inner, job.dims, axes), chosen(place.outer, job.dims, axes))
    own = _own(job, place, owners, axes)
    return Made(found[inner].astype(dtype), None if own is None else own[inner])


def _own(job: Job, place: Place, owners: Pixels | None, axes: tuple[str, ...]) -> Pixels | None:
    """Return which pixels of a piece along the given axes have the id of its region."""
    if owners is None:
        return None
    lifted = owners[tuple(slice(None) if axis in job.owners else None for axis in axes)]
    shape = [side.stop - side.start for side in chosen(place.outer, job.dims, axes)]
    return np.broadcast_to(lifted == place.label, shape)


def objects_of(
    job: Job,
    place: Place,
    pixels: Sequence[Pixels],
    axes: tuple[str, ...],
    dtype: np.dtype[Any],
    owners: Pixels | None = None,
) -> Made:
    """Return the objects of a piece that belong to its region, the halo included, with ids of their own.

    Raises:
        NgioTypeError: If the function returns no integers.
        NgioValueError: If its axes or sizes do not fit, or an id is negative.
    """
    ids = _along(job.call(place, pixels), job, place, axes)
    try:
        ids = np.asarray(integer_pixels(ids)[0])
    except NgioTypeError as error:
        raise NgioTypeError(f"func must return labels for {place.title}: {error}") from None
    own_pixels = _own(job, place, owners, axes)
    if own_pixels is not None:
        ids = np.where(own_pixels, ids, ids.dtype.type(0))
    found = summary_of(ids, 0)
    if len(found.ids) and found.ids[0] < 0:
        raise NgioValueError(f"func must return ids above 0 for {place.title}, got {found.ids[0]}")
    inner, outer = chosen(place.inner, job.dims, axes), chosen(place.outer, job.dims, axes)
    corner = np.array([side.start for side in outer]).reshape(-1, 1)
    # Where an object is must not depend on the piece: the middle pixel of its box, in positions of the image.
    middles = corner + (found.starts + found.stops - 1) // 2
    low, high = (np.array([getattr(side, end) for side in inner]).reshape(-1, 1) for end in ("start", "stop"))
    own = ((low <= middles) & (middles < high)).all(axis=0)
    new = np.where(own, np.cumsum(own) + place.before, 0).astype(dtype)
    objects = renamed(ids, found.ids, new)
    return Made(objects, objects != 0)


def _along(found: Any, job: Job, place: Place, axes: tuple[str, ...]) -> Pixels:
    """Return pixels in the order of the axes, which have the size of the piece."""
    sizes = tuple(side.stop - side.start for side in chosen(place.outer, job.dims, axes))
    if isinstance(found, xr.DataArray):
        if set(found.dims) != set(axes):
            raise NgioValueError(f"func must return the axes {axes} of output for {place.title}, got {found.dims}")
        found = found.transpose(*axes).values
    try:
        pixels = np.asarray(found)
    except (TypeError, ValueError) as error:  # a Dataset, or lists of several lengths
        raise NgioTypeError(f"func must return an array for {place.title}, got {shown(found)}: {error}") from None
    if pixels.shape != sizes:
        raise NgioValueError(
            f"func must return an array of {dict(zip(axes, sizes, strict=True))} pixels, as its piece has, for "
            f"{place.title}; got shape {pixels.shape}"
        )
    return pixels


def chosen(sides: Window, dims: tuple[str, ...], axes: Iterable[str]) -> Window:
    """Return the sides of a window along all dims that lie along some axes."""
    return tuple(sides[dims.index(axis)] for axis in axes)


def assembled(ground: Pixels, pieces: Sequence[Made], parts: Sequence[tuple[Window, Window]]) -> Pixels:
    """Return a block with pieces in it, the last one on top.

    Args:
        ground: The block before; it is not changed.
        pieces: The pieces.
        parts: For each, where in the block, and which part of it.
    """
    block = np.array(ground)
    for piece, (target, source) in zip(pieces, parts, strict=True):
        np.copyto(block[target], piece.pixels[source], where=True if piece.inside is None else piece.inside[source])
    return block
