"""Assertions about images, with messages that say where and by how much things differ."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import Any, Final

import dask.array as da
import numpy as np
import numpy.typing as npt
import xarray as xr
from dask.base import compute

from ngio_x._frozen import shown
from ngio_x.arrays.image import lattice_of, require_image
from ngio_x.arrays.lattice import DRIFT_TOLERANCE, ORIGIN_TOLERANCE, Lattice
from ngio_x.errors import NgioTypeError, NgioValueError
from ngio_x.ngff.store import StoreLike
from ngio_x.ngff.validate import validate_ome_zarr


def assert_same_lattice(actual: xr.DataArray, expected: xr.DataArray) -> None:
    """Assert that two images have the same pixels in the world: axes, sizes, spacings, origins, units, channel names.

    Pixels may drift apart by less than a hundredth of a pixel and origins differ by a thousandth, as where images are
    aligned. A unit that one of them does not know is no difference. Values are not compared.

    Raises:
        AssertionError: Naming each axis that differs, and how.
        NgioTypeError: If one of them is not a DataArray.
    """
    __tracebackhide__ = True
    for argument, image in (("actual", actual), ("expected", expected)):
        require_image(image, argument)
    if actual.dims != expected.dims:
        raise AssertionError(f"the lattices differ:\n  axes: {actual.dims}, expected {expected.dims}")
    found = [f"  axis {dim!r}: {what}" for dim in actual.dims for what in _differences(actual, expected, dim)]
    if found:
        raise AssertionError("\n".join(["the lattices differ:", *found]))


def _differences(actual: xr.DataArray, expected: xr.DataArray, dim: Hashable) -> Iterator[str]:
    """Return how two images differ along an axis that both have."""
    ours, theirs = lattice_of(actual, dim), lattice_of(expected, dim)
    sizes = actual.sizes[dim], expected.sizes[dim]
    if sizes[0] != sizes[1]:
        yield f"{sizes[0]} pixels, expected {sizes[1]}"
    if ours is None or theirs is None:
        if (ours is None) != (theirs is None):
            yield f"{_has(ours)}, expected {_has(theirs).removeprefix('has ')}"
        elif sizes[0] == sizes[1]:
            yield from _other_labels(actual, expected, dim)
        return
    if None not in (ours.unit, theirs.unit) and ours.unit != theirs.unit:
        yield f"unit {ours.unit!r}, expected {theirs.unit!r}"
    if abs(ours.spacing - theirs.spacing) * theirs.size >= DRIFT_TOLERANCE * theirs.spacing:
        yield f"spacing {ours.spacing!r}, expected {theirs.spacing!r}"
    shift = (ours.edge - theirs.edge) / theirs.spacing
    if abs(shift) > ORIGIN_TOLERANCE:
        yield f"origin {ours.edge!r}, expected {theirs.edge!r} ({shift:+.4g} pixels)"


def _has(lattice: Lattice | None) -> str:
    return "has no lattice" if lattice is None else "has a lattice"


def _other_labels(actual: xr.DataArray, expected: xr.DataArray, dim: Hashable) -> Iterator[str]:
    """Return how coordinates that are no lattice differ, such as names of channels."""
    names = [list(image[dim].values) if dim in image.coords else None for image in (actual, expected)]
    if names[0] != names[1]:
        yield f"labels {shown(names[0])}, expected {shown(names[1])}"


def assert_same_pixels(actual: Any, expected: Any) -> None:
    """Assert that two arrays agree in shape, data type and every bit; one NaN is like another.

    Args:
        actual: A numpy or dask array, a DataArray, or a number.
        expected: Another; of DataArrays, the names of the axes are compared too.

    Raises:
        AssertionError: Saying how many pixels differ, and where the first one is.
    """
    __tracebackhide__ = True
    if difference := _first_difference(actual, expected):
        raise AssertionError(f"the pixels differ: {difference}")


def _first_difference(actual: Any, expected: Any) -> str | None:
    """Return how two arrays differ, or None where they do not."""
    dims = [array.dims if isinstance(array, xr.DataArray) else None for array in (actual, expected)]
    if None not in dims and dims[0] != dims[1]:
        return f"axes {dims[0]}, expected {dims[1]}"
    ours, theirs = np.asarray(actual), np.asarray(expected)
    if ours.shape != theirs.shape:
        return f"shape {ours.shape}, expected {theirs.shape}"
    if ours.dtype != theirs.dtype:
        return f"data type {ours.dtype}, expected {theirs.dtype}"
    differs = _differing(ours, theirs)
    if not differs.any():
        return None
    place = tuple(np.argwhere(differs)[0].tolist())
    names: Any = dims[0] or dims[1]
    at = place if names is None else ", ".join(f"{dim}={k}" for dim, k in zip(names, place, strict=True))
    where = f"at {at}" if place else "there"
    return f"{differs.sum()} of {differs.size}, the first {where}: {ours[place]!s}, expected {theirs[place]!s}"


def _differing(ours: npt.NDArray[Any], theirs: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Return where the bits of two arrays of one shape and type differ; one NaN is like another."""
    if ours.dtype.kind == "c":
        return np.logical_or(_differing(ours.real, theirs.real), _differing(ours.imag, theirs.imag))
    if ours.dtype.kind != "f":
        return np.asarray(ours != theirs)
    same = (ours == theirs) & (np.signbit(ours) == np.signbit(theirs))
    return np.asarray(~(same | (np.isnan(ours) & np.isnan(theirs))))


def assert_valid_ome_zarr(store: StoreLike, *, strict: bool = False) -> None:
    """Assert that an image, well or plate, with its labels and arrays, breaks no rule of OME-NGFF; no pixel is read.

    Args:
        store: A path, a URL, a zarr store, or an open group.
        strict: Whether also to ask for what the specification says only SHOULD be.

    Raises:
        AssertionError: With a line for each problem.
        NgioFileNotFoundError: If there is no zarr group.
    """
    __tracebackhide__ = True
    report = validate_ome_zarr(store)
    if report.errors or (strict and report.problems):
        shown_problems = report.problems if strict else report.errors
        lines = [f"  {problem.severity}: {problem}" for problem in shown_problems]
        raise AssertionError("\n".join([str(report).splitlines()[-1], *lines]))


_PARTS: Final[tuple[tuple[float, ...], ...]] = ((1,), (1 / 2, 1 / 2), (0, 1 / 3, 2 / 3), (1 / 7,) * 7)
"""Chunks by default: one, two, three that are uneven, and up to seven along each axis, as parts of its size."""


def assert_chunking_independent(
    func: Callable[[Any], Any], array: npt.NDArray[Any] | xr.DataArray, *, chunks: Iterable[Any] | None = None
) -> None:
    """Assert that a function gives the same bits for an array in memory, and for dask arrays of any chunks.

    The function is given a copy each time. What it returns is computed by the scheduler in use: an array, a DataArray,
    a Dataset, a number, or a tuple, list or mapping of such. Coordinates and attributes are compared, too.

    Args:
        func: Takes an array as this one, numpy-backed or dask-backed.
        array: The pixels, in memory.
        chunks: Several ways to cut it, each as for `dask.array.from_array`, or a mapping by axis. Default: one chunk,
            two, three uneven ones and up to seven along each axis.

    Raises:
        AssertionError: Naming the chunks, and the first pixel that differs, with both values.
        NgioTypeError: If `array` is not in memory.
        NgioValueError: If `chunks` holds none.
    """
    __tracebackhide__ = True
    if not isinstance(array, np.ndarray) and not (isinstance(array, xr.DataArray) and array.chunks is None):
        kind = "dask-backed DataArray" if isinstance(array, xr.DataArray) else type(array).__name__
        raise NgioTypeError(
            f"array must be a numpy array or a DataArray in memory, which is cut into chunks here, got a {kind}: "
            "compute it first"
        )
    ways = list(_default_chunks(array) if chunks is None else chunks)
    if not ways:
        raise NgioValueError("chunks must hold at least one way to cut the array, got none")
    expected = _computed(func(array.copy()))
    for way in ways:
        lazy = _chunked(array, way)
        try:
            actual = _computed(func(lazy))
        except Exception as error:
            error.add_note(f"with chunks {lazy.chunks}; without chunks, nothing was raised")
            raise
        if difference := _difference_of(actual, expected):
            raise AssertionError(
                f"chunks change the result: with chunks {lazy.chunks}, {difference} (as without chunks)"
            )


def _default_chunks(array: Any) -> Iterator[tuple[tuple[int, ...], ...]]:
    """Return ways to cut an array: few enough, and of all kinds."""
    for parts in _PARTS:
        yield tuple(_cut(size, parts) for size in array.shape)


def _cut(size: int, parts: Iterable[float]) -> tuple[int, ...]:
    """Return sizes of chunks of at least a pixel, near some parts of an axis."""
    ends = np.cumsum([max(1, round(size * part)) for part in parts]).tolist()
    edges = [0, *(end for end in ends[:-1] if end < size), size]
    return tuple(high - low for low, high in itertools.pairwise(edges))


def _chunked(array: Any, chunks: Any) -> Any:
    if isinstance(array, xr.DataArray):
        return array.copy().chunk(dict(zip(array.dims, chunks, strict=True)) if isinstance(chunks, tuple) else chunks)
    return da.from_array(array.copy(), chunks=chunks)


def _computed(result: Any) -> Any:
    return result.compute() if isinstance(result, xr.DataTree) else compute(result)[0]


def _difference_of(actual: Any, expected: Any) -> str | None:
    """Return how two results differ, or None where they do not."""
    if type(actual) is not type(expected) and {xr.DataArray, xr.Dataset, xr.DataTree} & {type(actual), type(expected)}:
        return f"the result is a {type(actual).__name__}, expected a {type(expected).__name__}"
    ours, theirs = dict(_leaves(actual)), dict(_leaves(expected))
    if [*ours] != [*theirs]:
        return f"the result has {shown([*ours])}, expected {shown([*theirs])}"
    for name, value in ours.items():
        if difference := _first_difference(value, theirs[name]):
            return f"{name or 'pixels'} differ: {difference}"
    if isinstance(actual, (xr.DataArray, xr.Dataset, xr.DataTree)) and not actual.identical(expected):
        return "the coordinates, names or attributes differ, expected those"
    return None


def _leaves(result: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Return the arrays of a result, with their names in it."""
    if isinstance(result, xr.DataTree):
        for path, node in result.subtree_with_keys:
            yield from _leaves(node.to_dataset(inherit=False), f"{name}{path}/")
    elif isinstance(result, (Mapping, tuple, list)):
        items = result.items() if isinstance(result, Mapping) else enumerate(result)
        for key, value in items:
            yield from _leaves(value, f"{name}[{key!r}]")
    else:
        yield name, result
