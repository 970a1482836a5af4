"""An xarray index over a lattice: coordinates that cost nothing until somebody asks for them, and never drift."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr
from xarray.core.indexing import CoordinateTransformIndexingAdapter, IndexSelResult
from xarray.indexes import CoordinateTransformIndex, Index, PandasIndex

from ngio_x._frozen import instance_of, named, shown, to_name
from ngio_x.arrays.lattice import Lattice, anchor_of, lattice_from_labels
from ngio_x.arrays.pixel_labels import PixelLabels, PixelTransform, same_pixels, told_spacing, unit_attribute
from ngio_x.errors import NgioKeyError, NgioTypeError, NgioValueError
from ngio_x.metadata.axes import axis_type_of
from ngio_x.roi.rounding import snap, snap_to_centre

_POINT_TOLERANCE: Final = 1e-6
"""A point this close below a pixel's edge (in pixels) is on it: coordinates are floats."""


class PixelIndex(CoordinateTransformIndex):
    """Index of one dimension whose pixels lie on a `Lattice`.

    - `isel` by slices and by evenly rising positions keeps a lattice, anything else gives ordinary coordinates.
    - `sel` takes slices (half-open: the pixels whose label lies inside) and scalars or lists (the pixels that contain
      the values; outside is a `KeyError`); `method="nearest"` takes the nearest pixel instead.
    - Alignment and concatenation on one lattice are integer arithmetic; sizes that were rounded count as the same (see
      `Lattice.offset_of`). Different lattices raise in alignment, as do ordinary labels: xarray aligns no two kinds
      of index.

    Build arrays that have it with `as_image`; `Dataset.set_xindex(dim, PixelIndex)` works on evenly spaced labels.
    """

    transform: PixelTransform

    def __init__(self, lattice: Lattice, dim: Hashable, coord_name: Hashable | None = None) -> None:
        named("lattice", instance_of(Lattice))(lattice)
        named("dim", to_name)(dim)
        if not isinstance(coord_name, Hashable):
            raise NgioTypeError(f"coord_name must be a name, got {shown(coord_name)}")
        super().__init__(PixelTransform(lattice, dim, dim if coord_name is None else coord_name))

    @property
    def lattice(self) -> Lattice:
        """Origin, spacing, start and size."""
        return self.transform.lattice

    @property
    def dim(self) -> str:
        """The dimension that is indexed."""
        return str(self.transform.dims[0])

    @property
    def coord_name(self) -> Hashable:
        """The name of the coordinate."""
        return self.transform.coord_names[0]

    def _with(self, lattice: Lattice) -> PixelIndex:
        return PixelIndex(lattice, self.dim, self.coord_name)

    @classmethod
    def from_variables(cls, variables: Mapping[Any, xr.Variable], *, options: Mapping[str, Any]) -> Self:
        """Build an index from ordinary, evenly spaced labels (for `set_xindex`); takes no options."""
        if options:
            raise NgioTypeError(f"PixelIndex takes no options, got {sorted(options)}; use as_image to give sizes")
        if len(variables) != 1:
            raise NgioValueError(f"PixelIndex indexes one coordinate, got {list(variables)}")
        ((name, variable),) = variables.items()
        if variable.ndim != 1 or variable.dtype.kind not in "iuf" or variable.size == 0:
            raise NgioValueError(f"PixelIndex needs numbers along one dimension, coordinate {name!r} is {variable!r}")
        anchor, unit = anchor_of(axis_type_of(str(variable.dims[0]))), unit_of(variable.attrs)
        return cls(
            lattice_from_labels(variable.values, str(name), anchor, told_spacing(variable), unit),
            variable.dims[0],
            name,
        )

    def create_variables(self, variables: Mapping[Any, xr.Variable] | None = None) -> dict[Any, xr.Variable]:
        """Return the lazy coordinate, with its unit in its attributes, and the size of a lone pixel."""
        given = None if variables is None else variables.get(self.coord_name)
        attributes = unit_attribute(self.lattice) | ({} if given is None else given.attrs)
        encoding = None if given is None else given.encoding
        # Made here and not by xarray, which would make a variable to copy from: every copy of an array comes this way.
        lazy = CoordinateTransformIndexingAdapter(self.transform, self.coord_name, self.transform.dims)
        labels = PixelLabels(self.transform.dims, lazy, None, encoding, fastpath=True)
        labels.attrs = attributes
        return {self.coord_name: labels}

    def to_pandas_index(self) -> pd.Index[Any]:
        """Return the labels as a pandas index."""
        return pd.Index(self.lattice.labels(), name=self.coord_name)

    def isel(self, indexers: Mapping[Any, int | slice | npt.NDArray[Any] | xr.Variable]) -> Index | None:
        """Return the index of a selection by position: on a lattice where the positions rise evenly."""
        indexer = indexers[self.dim]
        dim: Hashable = self.dim
        if isinstance(indexer, slice):
            places = range(*indexer.indices(self.lattice.size))
            if places.step > 0:
                return self._with(self.lattice.strided(places.start, len(places), places.step))
            indexer = np.arange(places.start, places.stop, places.step)
        elif isinstance(indexer, xr.Variable):
            if indexer.ndim != 1:
                return None
            dim, indexer = indexer.dims[0], indexer.values
        positions = np.asarray(indexer)
        if positions.ndim != 1:
            return None
        return self._at(self._from_start(positions), dim)

    def _from_start(self, positions: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return positions counted from the start, of a boolean or an integer selection, as numpy reads them."""
        size = self.lattice.size
        if positions.dtype == np.bool_:
            if positions.size != size:
                raise IndexError(f"a boolean selection along '{self.dim}' needs {size} values, got {positions.size}")
            return np.flatnonzero(positions)
        counted = np.where(positions < 0, positions + size, positions)
        outside = (counted < 0) | (counted >= size)
        if outside.any():
            raise IndexError(f"position {positions[outside][0]} lies outside the {size} pixels along '{self.dim}'")
        return counted

    def _at(self, positions: npt.NDArray[Any], dim: Hashable) -> Index:
        """Return the index of the pixels at these positions, which may lie outside the array."""
        steps = np.diff(positions)
        if dim == self.dim and positions.size and (steps.size == 0 or (steps[0] > 0 and (steps == steps[0]).all())):
            step = int(steps[0]) if steps.size else 1
            return self._with(self.lattice.strided(int(positions[0]), positions.size, step))
        labels = self.lattice.labels(positions)
        return PandasIndex(pd.Index(labels, name=self.coord_name), dim, coord_dtype=labels.dtype)

    def sel(self, labels: dict[Any, Any], method: str | None = None, tolerance: object = None) -> IndexSelResult:
        """Select by label: see the class.

        Raises:
            NgioKeyError: If a scalar or list asks for a place outside the pixels; it is a `KeyError`.
            NgioValueError: If `method` is something else than `"nearest"`, or a tolerance is given.
        """
        if method not in (None, "nearest") or tolerance is not None:
            raise NgioValueError(
                f"sel along '{self.dim}' takes method=None (the pixel that contains the value) or 'nearest', and no "
                f"tolerance; got method={method!r}, tolerance={tolerance!r}"
            )
        label = labels[self.coord_name]
        if isinstance(label, slice):
            return IndexSelResult({self.dim: self._sel_slice(label)})
        if isinstance(label, (xr.DataArray, xr.Variable)):
            positions = self._containing(label.values, method)
            found = (
                label.copy(data=positions)
                if isinstance(label, xr.Variable)
                else xr.DataArray(
                    positions, dims=label.dims, coords={k: v for k, v in label.coords.items() if k != self.coord_name}
                )
            )
            return IndexSelResult({self.dim: found})
        positions = self._containing(np.asarray(label), method)
        return IndexSelResult({self.dim: positions if positions.ndim else int(positions)})

    def _sel_slice(self, label: slice) -> slice:
        """Return the array positions whose labels lie in `[start, stop)`; a step counts pixels."""
        size, anchor = self.lattice.size, self.lattice.anchor

        def first_at(bound: Any, default: int) -> int:
            if bound is None:
                return default
            # Rounded on the whole lattice, as a crop is, so that a piece selects the same pixels as its parent.
            place = float(self._positions(np.asarray(bound))) + self.lattice.start
            snapped = snap_to_centre(place) if anchor else snap(place)
            rounded = np.ceil(snapped - anchor) - self.lattice.start
            return int(min(max(rounded, 0), size))

        start, stop = first_at(label.start, 0), first_at(label.stop, size)
        if label.step is not None and (not isinstance(label.step, (int, np.integer)) or label.step <= 0):
            raise NgioValueError(f"the step of a slice along '{self.dim}' counts pixels and must be > 0, got {label}")
        return slice(start, max(start, stop), label.step)

    def _positions(self, values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        if values.dtype.kind not in "iuf" or not np.isfinite(values).all():
            raise NgioKeyError(f"labels along '{self.dim}' are finite numbers, got {values!r}")
        return self.lattice.positions(values)

    def _containing(self, values: npt.NDArray[Any], method: str | None) -> npt.NDArray[np.int64]:
        """Return the array positions of the pixels that contain the values."""
        shift = 0.5 - self.lattice.anchor if method == "nearest" else 0.0
        positions = np.floor(self._positions(values) + shift + _POINT_TOLERANCE).astype(np.int64)
        size = self.lattice.size
        if method == "nearest" and size:
            return np.clip(positions, 0, size - 1)
        outside = (positions < 0) | (positions >= size)
        if outside.any():
            low, high = self.lattice.extent
            raise NgioKeyError(
                f"{np.atleast_1d(values)[np.atleast_1d(outside)][0]:g} lies outside the pixels along '{self.dim}', "
                f"which span [{low:g}, {high:g})"
            )
        return positions

    def equals(self, other: Index, *, exclude: frozenset[Hashable] | None = None) -> bool:  # noqa: ARG002
        """Return whether both hold the same pixels of one lattice."""
        return isinstance(other, PixelIndex) and same_pixels(self.lattice, other.lattice)

    def join(self, other: Self, how: str = "inner") -> Self:
        """Return the common pixels (inner) or the run that holds both (outer); different lattices raise."""
        with _explaining("align", self.dim):
            return self._with(self.lattice.joined(other.lattice, how))  # type: ignore[return-value]

    def reindex_like(
        self, other: Self, method: str | None = None, tolerance: object = None
    ) -> dict[Hashable, npt.NDArray[np.int64]]:
        """Return where the other's pixels stand in this array, -1 where it lacks them; different lattices raise."""
        if method is not None or tolerance is not None:
            raise NgioValueError(f"reindexing pixels along '{self.dim}' is exact: leave method and tolerance out")
        with _explaining("reindex", self.dim):
            offset = self.lattice.offset_of(other.lattice)
        positions = np.arange(offset, offset + other.lattice.size)
        positions[(positions < 0) | (positions >= self.lattice.size)] = -1
        return {self.dim: positions}

    @classmethod
    def concat(  # type: ignore[override]  # xarray takes any index, as it does from isel
        cls, indexes: Sequence[Self], dim: Hashable, positions: Iterable[Iterable[int]] | None = None
    ) -> Index:
        """Return the index of arrays put one after the other: on a lattice where they are neighbours on one."""
        first = indexes[0]
        try:
            starts = [first.lattice.offset_of(index.lattice, "hull") for index in indexes]
        except (NgioValueError, AttributeError):  # not one lattice, or ordinary coordinates among them
            return PandasIndex.concat([_as_pandas(index) for index in indexes], dim, positions)
        stops = [start + index.lattice.size for start, index in zip(starts, indexes, strict=True)]
        if positions is None and starts[1:] == stops[:-1]:
            return first._with(first.lattice.strided(0, stops[-1]))  # noqa: SLF001 — its own class
        places = np.concatenate([np.arange(start, stop) for start, stop in zip(starts, stops, strict=True)])
        if positions is not None:
            order = np.concatenate([np.asarray(list(group), dtype=np.int64) for group in positions])
            places = places[np.argsort(order)]
        return first._at(places, dim)  # noqa: SLF001 — its own class

    def __getitem__(self, indexer: Any) -> Self:
        """Refuse what xarray asks for when `map_blocks` is to change the pixels along the axis."""
        raise NgioTypeError(
            f"map_blocks cannot change the pixels along '{self.dim}': crop or zoom the dask array itself, which is as "
            f"lazy (asked for {indexer!r})"
        )

    def roll(self, shifts: Mapping[Any, int]) -> Index:  # type: ignore[override]  # as for concat
        """Return ordinary coordinates: rolled pixels are no longer in order."""
        size = self.lattice.size
        shift = shifts[self.dim] % size if size else 0
        return self if shift == 0 else self._at(np.roll(np.arange(size), shift), self.dim)

    def rename(self, name_dict: Mapping[Any, Hashable], dims_dict: Mapping[Any, Hashable]) -> Self:
        """Return the index under new names."""
        dim, name = dims_dict.get(self.dim, self.dim), name_dict.get(self.coord_name, self.coord_name)
        if (dim, name) == (self.dim, self.coord_name):
            return self
        return type(self)(self.lattice, dim, name)

    def __dask_tokenize__(self) -> tuple[object, ...]:
        """Identify the index without computing its labels."""
        return (type(self).__name__, repr(self.lattice), self.dim, str(self.coord_name))

    def _repr_inline_(self, max_width: int) -> str:  # noqa: ARG002
        return f"PixelIndex (origin={self.lattice.origin:g}, spacing={self.lattice.spacing:g}, {self._run})"

    def __repr__(self) -> str:
        place = f"origin={self.lattice.origin}, spacing={self.lattice.spacing}, {self._run}"
        # xarray shows this where it refuses to align: all that can be said there of what to do.
        return f"PixelIndex({self.dim!r}, {place}; others align with it after as_image(other, like=image))"

    @property
    def _run(self) -> str:
        return f"pixels={self.lattice.start}:{self.lattice.start + self.lattice.size}"


@contextmanager
def _explaining(verb: str, dim: str) -> Iterator[None]:
    """Put the axis in front of what a lattice complains about."""
    try:
        yield
    except NgioValueError as error:
        raise NgioValueError(f"cannot {verb} along '{dim}': {error}") from None


def _as_pandas(index: PixelIndex) -> PandasIndex:
    return PandasIndex(index.to_pandas_index(), index.dim, coord_dtype=np.dtype(np.float64))


def unit_of(attributes: Mapping[Any, Any]) -> str | None:
    """Return the unit that a coordinate's attributes name, or None."""
    unit = attributes.get("units")
    return unit if isinstance(unit, str) else None
