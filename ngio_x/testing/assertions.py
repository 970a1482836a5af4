"""Assertions about images and files, whose messages say what differs, and where."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

import dask.array as da
import numpy as np
import numpy.typing as npt
import xarray as xr

from ngio_x.arrays.image import lattice_of
from ngio_x.errors import NgioTypeError
from ngio_x.ngff.store import StoreLike
from ngio_x.ngff.validate import validate_ome_zarr

Array = xr.DataArray | npt.NDArray[Any]
Chunks = Sequence[int | tuple[int, ...]]


def assert_same_lattice(left: xr.DataArray | xr.Dataset, right: xr.DataArray | xr.Dataset) -> None:
    """Raise AssertionError unless two images have the same axes, and along each the same pixels of the world.

    Spacings may differ by 1e-9 of themselves, and places by 1e-3 of a pixel, as where images are aligned.

    Raises:
        AssertionError: It names each axis that differs, with both values.
    """
    differences = list(_differences(left, right))
    if differences:
        raise AssertionError(
            "\n".join(["the images lie on different lattices:", *(f"- {each}" for each in differences)])
        )


def _differences(left: xr.DataArray | xr.Dataset, right: xr.DataArray | xr.Dataset) -> Iterator[str]:
    if set(left.dims) != set(right.dims):
        yield f"axes: {tuple(map(str, left.dims))} and {tuple(map(str, right.dims))}"
    for axis in left.dims:
        if axis not in right.dims:
            continue
        if left.sizes[axis] != right.sizes[axis]:
            yield f"{axis}: {left.sizes[axis]} and {right.sizes[axis]} pixels"
        ours, theirs = lattice_of(left, axis), lattice_of(right, axis)
        if ours is None or theirs is None:
            if (ours is None) != (theirs is None):
                yield f"{axis}: only the {'right' if ours is None else 'left'} one has coordinates"
            continue
        if not math.isclose(ours.spacing, theirs.spacing, rel_tol=1e-9):
            yield f"{axis}: spacings of {ours.spacing!r} and {theirs.spacing!r}"
        elif abs(ours.edge - theirs.edge) > 1e-3 * ours.spacing:
            yield f"{axis}: pixel 0 begins at {ours.edge!r} and {theirs.edge!r}"
        if ours.unit != theirs.unit:
            yield f"{axis}: units {ours.unit} and {theirs.unit}"


def assert_valid_ome_zarr(store: StoreLike, *, strict: bool = False) -> None:
    """Raise AssertionError unless an OME-Zarr hierarchy keeps to the specification.

    Args:
        store: As for `validate_ome_zarr`.
        strict: Also fail for what the specification says SHOULD be.

    Raises:
        AssertionError: It lists all problems, with their places and the sections of the specification.
        NgioFileNotFoundError: If there is none.
    """
    report = validate_ome_zarr(store)
    problems = [problem for problem in report.problems if strict or problem.severity == "error"]
    if problems:
        raise AssertionError("\n".join(["the OME-Zarr hierarchy is not valid:", *(f"- {each}" for each in problems)]))


_COARSE: Final = 3
"""Chunks along an axis of the plainest chunking."""


def assert_chunking_independent(
    func: Callable[[Any], Any], array: Array, *, chunkings: Iterable[Chunks] | None = None
) -> None:
    """Raise AssertionError unless a function returns the same for an array in memory and in any chunks, bit for bit.

    >>> assert_chunking_independent(lambda array: array + 1, np.arange(12).reshape(3, 4))
    >>> assert_chunking_independent(lambda array: array.map_blocks(np.sort) if hasattr(array, "map_blocks")
    ...                             else np.sort(array), np.array([3, 1, 2]), chunkings=[(2,)])
    Traceback (most recent call last):
    ...
    AssertionError: chunks ((2, 1),) change the result: 2 of 3 pixels differ, first at (1,): 3 in place of 2

    Args:
        func: A function of an array, which returns an array: numpy's, dask's or a DataArray.
        array: A numpy array, or a DataArray, which is chunked as such.
        chunkings: Chunks, as dask takes them: a size, or sizes, for each axis. By default one chunk, three along each
            axis, chunks of uneven sizes, and (up to 1000 pixels) one for each pixel.

    Raises:
        AssertionError: It names the chunks, and the first pixel that differs, or what else does.
        NgioTypeError: If `array` is neither.
    """
    if not isinstance(array, (np.ndarray, xr.DataArray)):
        raise NgioTypeError(f"array must be a numpy array or a DataArray, got {type(array).__name__}")
    whole = array.compute() if isinstance(array, xr.DataArray) else array
    expected = _pixels(func(whole))
    for chunks in _usual(whole.shape) if chunkings is None else chunkings:
        lazy: Any = da.from_array(np.asarray(whole), chunks=tuple(chunks))
        cut = lazy.chunks
        found = _pixels(func(whole.copy(data=lazy) if isinstance(whole, xr.DataArray) else lazy))
        if difference := _difference(found, expected):
            raise AssertionError(f"chunks {cut} change the result: {difference}")


def _usual(shape: tuple[int, ...]) -> Iterator[Chunks]:
    yield shape
    yield tuple(max(1, -(-size // _COARSE)) for size in shape)
    yield tuple((size // 3, size - size // 3) if size > 2 else (size,) for size in shape)
    if math.prod(shape) <= 1000:
        yield (1,) * len(shape)


def _pixels(result: Any) -> npt.NDArray[Any]:
    return np.asarray(result.values if isinstance(result, xr.DataArray) else result)


def _difference(found: npt.NDArray[Any], expected: npt.NDArray[Any]) -> str:
    if found.dtype != expected.dtype:
        return f"dtype {found.dtype} in place of {expected.dtype}"
    if found.shape != expected.shape:
        return f"shape {found.shape} in place of {expected.shape}"
    differ = found != expected
    if found.dtype.kind == "f":  # 0 and −0 are equal, but not the same; NaN is the same as NaN
        numbers = ~(np.isnan(found) & np.isnan(expected))
        differ = numbers & (differ | (np.signbit(found) != np.signbit(expected)))
    if not differ.any():
        return ""
    place = tuple(int(axis[0]) for axis in np.nonzero(differ)) if differ.ndim else ()
    return (
        f"{differ.sum()} of {differ.size} pixels differ, first at {place}: {found[place].item()!r} in place of "
        f"{expected[place].item()!r}"
    )
