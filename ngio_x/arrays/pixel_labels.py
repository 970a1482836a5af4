"""The labels of a lattice's pixels: they cost nothing until somebody asks for them, and tell what they know."""

from __future__ import annotations

import numbers
from collections.abc import Hashable, Mapping
from typing import Any, Final, Self, TypeVar

import numpy as np
import xarray as xr
from xarray.core.indexing import CoordinateTransformIndexingAdapter
from xarray.indexes import CoordinateTransform

from ngio_x.arrays.lattice import Lattice
from ngio_x.errors import NgioValueError

SPACING: Final = "spacing"
"""The attribute of a coordinate that tells the size of a lone pixel: see `PixelLabels`."""
PHASE: Final = "phase"
"""The attribute beside it that tells where labels lie in pixels of that size: a label elsewhere is another's."""
_PHASE_TOLERANCE: Final = 0.01
"""Distance, in pixels, within which two phases are one."""

Labels = TypeVar("Labels", bound=xr.Variable)


class PixelTransform(CoordinateTransform):
    """Array positions to labels and back, as xarray's lazy coordinates ask for it."""

    def __init__(self, lattice: Lattice, dim: Hashable, coord_name: Hashable) -> None:
        super().__init__([coord_name], {str(dim): lattice.size}, dtype=np.dtype(np.float64))
        self.lattice = lattice

    def forward(self, dim_positions: dict[str, Any]) -> dict[Hashable, Any]:
        """Return the labels at array positions."""
        return {self.coord_names[0]: self.lattice.labels(dim_positions[self.dims[0]])}

    def reverse(self, coord_labels: dict[Hashable, Any]) -> dict[str, Any]:
        """Return the array positions, as floats, at which labels lie."""
        positions = self.lattice.positions(coord_labels[self.coord_names[0]])
        return {self.dims[0]: positions - self.lattice.anchor}

    def equals(self, other: CoordinateTransform, exclude: frozenset[Hashable] | None = None) -> bool:  # noqa: ARG002
        """Return whether both give the labels of the same pixels."""
        return isinstance(other, PixelTransform) and same_pixels(self.lattice, other.lattice)


class PixelLabels(xr.Variable):
    """The coordinate of a lattice: while its labels are lazy, nothing but a wish to see them computes them.

    Two or more labels tell the size of a pixel by their distance. A lone one has it in its attribute `spacing`, for
    what drops the index (`map_blocks`, a file); so have the labels that `coarsen` makes, of which one may be left. No
    others have it, nothing that is computed from labels has it, and it says nothing of a place: neighbours agree. What
    xarray computes from ordinary labels keeps it, but mostly moves them within such pixels, which `phase` tells.
    """

    __slots__ = ()

    @property
    def _lattice(self) -> Lattice | None:
        """The lattice whose labels these are, or None once they are computed."""
        data: Any = self._data
        transform = getattr(data, "_transform", None) if isinstance(data, CoordinateTransformIndexingAdapter) else None
        return transform.lattice if isinstance(transform, PixelTransform) else None

    @property
    def attrs(self) -> dict[Any, Any]:
        """Attributes; whatever is put here, the size of a pixel is what the lattice says."""
        return super().attrs

    @attrs.setter
    def attrs(self, value: Mapping[Any, Any]) -> None:
        lattice = self._lattice
        if lattice is None:
            self._attrs = dict(value)
        else:
            self._attrs = _with_size(value, lattice if lattice.size == 1 else None)

    def chunk(self, *args: Any, **kwargs: Any) -> Self:
        """Stay as they are: chunking an image chunks its pixels."""
        return super().chunk(*args, **kwargs) if self._lattice is None else self.copy(deep=False)

    def load(self, **kwargs: Any) -> Self:
        """Stay as they are: loading an image loads its pixels."""
        return super().load(**kwargs) if self._lattice is None else self

    async def load_async(self, **kwargs: Any) -> Self:
        """Stay as they are: see `load`."""
        return await super().load_async(**kwargs) if self._lattice is None else self

    def __getitem__(self, key: Any) -> Self:
        """Select labels: a lone one gets its size, and loses it with its axis."""
        found = super().__getitem__(key)
        if found.ndim == 0:
            return _sized(found, None)
        if found.size == 1 and self._lattice is not None:
            return _sized(found, self._lattice)
        return found

    def coarsen(
        self,
        windows: Mapping[Any, int],
        func: Any,
        boundary: Any = "exact",
        side: Any = "left",
        keep_attrs: bool | None = None,
        **kwargs: Any,
    ) -> Any:
        """Return the labels of the coarser lattice, by xarray's default `coord_func`; another computes its own.

        Along time they are the starts of the longer frames, as everywhere on a lattice.
        """
        coarse: Any = super().coarsen(windows, func, boundary, side, keep_attrs, **kwargs)  # type: ignore[no-untyped-call]
        lattice, dim = self._lattice, self.dims[0] if self.dims else None
        if dim not in windows:
            return coarse
        if lattice is None or func != "mean" or coarse.size == 0:
            return _sized(coarse, None)
        covered = coarse.size * windows[dim]
        from_left = (side[dim] if isinstance(side, Mapping) else side) == "left"
        whole = lattice.strided(0 if from_left else lattice.size - covered, covered)
        coarser = whole.resized(coarse.size)
        labels = type(self)(coarse.dims, coarser.labels(), unit_attribute(coarser) | coarse.attrs)
        return _sized(labels, coarser)

    def _binary_op(self, *args: Any, **kwargs: Any) -> Any:
        # Twice a label is no label of the same pixel; xarray keeps the attributes of its operands.
        result: Any = super()._binary_op(*args, **kwargs)  # type: ignore[no-untyped-call]
        return result if result is NotImplemented else _sized(result, None)

    def equals(self, other: Any, *args: Any, **kwargs: Any) -> bool:
        """Compare lattices before labels: what aligns is equal, though its size went through a file and was rounded."""
        theirs = other._lattice if isinstance(other, PixelLabels) else None  # noqa: SLF001 — its own class
        ours = self._lattice
        if ours is not None and theirs is not None and self.dims == other.dims and same_pixels(ours, theirs):
            return True
        return bool(super().equals(other, *args, **kwargs))  # type: ignore[no-untyped-call]

    def __dask_tokenize__(self) -> object:
        if self._lattice is None:
            return super().__dask_tokenize__()
        return (type(self).__name__, self.dims, repr(self._lattice), repr(sorted(self.attrs.items(), key=repr)))


def _sized(labels: Labels, lattice: Lattice | None) -> Labels:
    """Return labels with the size of the pixels of a lattice among their attributes, or without it."""
    labels.attrs = _with_size(labels.attrs, lattice)
    return labels


def told_spacing(coordinate: xr.Variable) -> object:
    """Return the size of a lone pixel as its attributes tell; None where they do not, or where it is another's."""
    if coordinate.size != 1:
        return None
    spacing, phase = coordinate.attrs.get(SPACING), coordinate.attrs.get(PHASE)
    if not (isinstance(phase, numbers.Real) and isinstance(spacing, numbers.Real) and spacing):
        return spacing
    apart = (float(coordinate.values.item()) / float(spacing) - float(phase)) % 1.0
    return spacing if min(apart, 1.0 - apart) < _PHASE_TOLERANCE else None


def without_size(attributes: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return the attributes that do not tell the size of a pixel."""
    return {key: value for key, value in attributes.items() if key not in (SPACING, PHASE)}


def unit_attribute(lattice: Lattice) -> dict[Any, Any]:
    """Return the attributes that tell the unit of a lattice, if it has one."""
    return {} if lattice.unit is None else {"units": lattice.unit}


def _with_size(attributes: Mapping[Any, Any], lattice: Lattice | None) -> dict[Any, Any]:
    kept = without_size(attributes)
    if lattice is None:
        return kept
    # Rounded, so that neighbours on one lattice tell the same.
    phase = round((lattice.origin / lattice.spacing + lattice.anchor) % 1.0, 3) % 1.0
    return kept | {SPACING: lattice.spacing, PHASE: phase}


def same_pixels(ours: Lattice, theirs: Lattice) -> bool:
    """Return whether two arrays hold the same pixels of one lattice."""
    try:
        return ours.size == theirs.size and ours.anchor == theirs.anchor and ours.offset_of(theirs) == 0
    except NgioValueError:
        return False
