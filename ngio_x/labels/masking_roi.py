"""The bounding box of every object of a label image, as regions in world units."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import dask.array as da
import numpy as np
import numpy.typing as npt
import xarray as xr
from dask.base import compute
from dask.delayed import delayed
from scipy import ndimage

from ngio_x.arrays.image import lattice_of
from ngio_x.errors import NgioTypeError, NgioValueError
from ngio_x.metadata.pixel_size import SpacingLike, spacing_along
from ngio_x.roi.roi import Roi
from ngio_x.roi.roi_slice import RoiSlice


class _Boxes(NamedTuple):
    """Half-open boxes in array positions: ids of shape `(k,)`, starts and stops of shape `(k, ndim)`."""

    ids: npt.NDArray[Any]
    starts: npt.NDArray[np.int64]
    stops: npt.NDArray[np.int64]


def compute_masking_roi(
    segmentation: npt.NDArray[Any] | da.Array | xr.DataArray,
    pixel_size: SpacingLike | None = None,
    axes_order: Sequence[str] | None = None,
) -> list[Roi]:
    """Return the bounding box of every id of a label image, 0 being background.

    Args:
        segmentation: Integer (or boolean) array of 2 to 6 dimensions.
        pixel_size: Sizes by axis. A labelled array brings its own, and its place in the world with it.
        axes_order: Names of the axes, such as `"zyx"`. A labelled array brings its own.

    Returns:
        One region an id, in world units, by rising id; name and label are the id.

    Raises:
        NgioValueError: If names or sizes are missing or do not fit, or an id is negative.
        NgioTypeError: If the array does not hold integers.
    """
    if isinstance(segmentation, xr.DataArray):
        dims = tuple(str(dim) for dim in segmentation.dims)
    elif pixel_size is None or axes_order is None:
        raise NgioValueError("a plain array needs pixel_size and axes_order; a labelled one brings its own")
    else:
        dims = ()
    axes = dims if axes_order is None else tuple(axes_order)
    data = segmentation.data if isinstance(segmentation, xr.DataArray) else segmentation
    data = data if isinstance(data, da.Array) else np.asarray(data)
    if dims and set(axes) != set(dims):
        raise NgioValueError(f"axes_order {axes} does not fit the array's {dims}")
    if len(axes) != data.ndim:
        raise NgioValueError(f"axes_order must name each of the {data.ndim} dimensions, got {axes}")
    if not 2 <= data.ndim <= 6:
        raise NgioValueError(f"a segmentation has 2 to 6 dimensions, got {data.ndim}")
    if data.dtype.kind not in "iub":
        raise NgioTypeError(f"a segmentation holds integers, got {data.dtype}: convert with .astype('uint32')")
    axes = dims or axes
    spacings, edges = _grid(segmentation, axes, pixel_size)
    boxes = _boxes(data)
    if boxes.ids.size and boxes.ids[0] < 0:
        raise NgioValueError(f"ids must be ≥ 0, got {boxes.ids[0]}")
    return [
        Roi(str(label), _to_slices(axes, start, stop, spacings, edges), int(label))
        for label, start, stop in zip(boxes.ids.tolist(), boxes.starts.tolist(), boxes.stops.tolist(), strict=True)
    ]


def _grid(segmentation: Any, axes: tuple[str, ...], pixel_size: SpacingLike | None) -> tuple[list[float], list[float]]:
    """Return pixel size and world edge of position 0 along each axis."""
    if not isinstance(segmentation, xr.DataArray):
        return [spacing_along(pixel_size or {}, axis) for axis in axes], [0.0] * len(axes)
    lattices = [lattice_of(segmentation, axis) for axis in axes]
    edges = [0.0 if lattice is None else lattice.edge for lattice in lattices]
    if pixel_size is not None:
        return [spacing_along(pixel_size, axis) for axis in axes], edges
    return [1.0 if lattice is None else lattice.spacing for lattice in lattices], edges


def _to_slices(
    axes: tuple[str, ...], start: list[int], stop: list[int], spacings: list[float], edges: list[float]
) -> tuple[RoiSlice, ...]:
    return tuple(
        RoiSlice(axis, edge + low * spacing, (high - low) * spacing)
        for axis, low, high, spacing, edge in zip(axes, start, stop, spacings, edges, strict=True)
    )


def _boxes(data: npt.NDArray[Any] | da.Array) -> _Boxes:
    if not isinstance(data, da.Array):
        return _boxes_of_block(data, (0,) * data.ndim)
    corners = np.stack(
        np.meshgrid(*(np.cumsum((0, *sizes[:-1])) for sizes in data.chunks), indexing="ij"), axis=-1
    ).reshape(-1, data.ndim)
    blocks = data.to_delayed().ravel()
    tasks = [delayed(_boxes_of_block)(block, tuple(map(int, at))) for block, at in zip(blocks, corners, strict=True)]
    return _merged(compute(*tasks))


def _boxes_of_block(block: npt.NDArray[Any], corner: tuple[int, ...]) -> _Boxes:
    """Return the boxes of one block whose first pixel stands at `corner`."""
    block = np.asarray(block)
    values = block.view(np.uint8) if block.dtype == bool else block
    names, ids = None, values
    if values.size and not 0 <= values.min() <= values.max() <= values.size:
        # Ranks instead of ids: scipy's memory grows with the largest number it finds.
        names, ranks = np.unique(values, return_inverse=True)
        ids = ranks.reshape(values.shape) + 1
    found = [(rank, box) for rank, box in enumerate(_found(ids)) if box is not None]
    ranks = np.array([rank for rank, _ in found], dtype=np.int64)
    starts = np.array([[part.start for part in box] for _, box in found], dtype=np.int64).reshape(-1, values.ndim)
    stops = np.array([[part.stop for part in box] for _, box in found], dtype=np.int64).reshape(-1, values.ndim)
    labels = (ranks + 1).astype(values.dtype) if names is None else names[ranks]
    foreground = labels != 0
    return _Boxes(labels[foreground], starts[foreground] + corner, stops[foreground] + corner)


def _found(ids: npt.NDArray[Any]) -> list[tuple[slice, ...] | None]:
    """Return the box of each number from 1 on, None where it does not occur."""
    if not ids.size:
        return []
    return list(ndimage.find_objects(ids.astype(np.int64 if ids.size >= 2**31 else np.int32, copy=False)))


def _merged(parts: Iterable[_Boxes]) -> _Boxes:
    """Return the boxes of all parts, one an id: the smallest start and the largest stop of each."""
    pieces = list(parts)
    all_ids = np.concatenate([piece.ids for piece in pieces])
    ids, inverse = np.unique(all_ids, return_inverse=True)
    ndim = pieces[0].starts.shape[1]
    starts = np.full((ids.size, ndim), np.iinfo(np.int64).max)
    stops = np.zeros((ids.size, ndim), dtype=np.int64)
    np.minimum.at(starts, inverse, np.concatenate([piece.starts for piece in pieces]))
    np.maximum.at(stops, inverse, np.concatenate([piece.stops for piece in pieces]))
    return _Boxes(ids, starts, stops)
