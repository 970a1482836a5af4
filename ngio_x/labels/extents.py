"""Where each object of a label image is: its box, its size and its centre, in one pass over the pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import dask.array as da
import numpy as np
import numpy.typing as npt
import xarray as xr
from dask.array.core import slices_from_chunks
from dask.base import optimize, tokenize
from dask.core import flatten
from dask.delayed import Delayed
from dask.highlevelgraph import HighLevelGraph

from ngio_x._frozen import named, shown, to_axes, to_int
from ngio_x.arrays.image import an_array_of
from ngio_x.arrays.lazy import blocks_of, streamed
from ngio_x.arrays.roles import LABELS, TO_IDS, require_labels
from ngio_x.errors import NgioTypeError, NgioValueError
from ngio_x.labels.summary import Summary, merged, nothing, summarized
from ngio_x.metadata.axes import axis_type_of

LabelsLike: TypeAlias = npt.NDArray[Any] | da.Array | xr.DataArray | Any
"""A label image: numpy, dask, an array on disk such as zarr's, or labelled."""

_TOGETHER = 16
"""As many summaries are merged at a time."""

_to_id = named("background", to_int)


def label_extents(
    labels: LabelsLike, *, axes_order: Sequence[str] | None = None, background: int | None = 0
) -> xr.Dataset:
    """Return box, number of pixels and centre of every object of a label image, one row an id.

    One pass over the pixels, whose cost does not depend on how large the ids are, and memory for one row an id. An
    array that is not in memory is read block by block, on the active dask scheduler; how it is chunked does not change
    the result.

    >>> extents = label_extents(np.array([[0, 7, 7], [0, 0, 7]]), axes_order="yx")
    >>> extents.sel(label=7)["stop_x"].item(), extents["count"].values
    (3, array([3]))

    Args:
        labels: Integer (or boolean) array of any number of dimensions: numpy, dask, zarr, or labelled. True counts as
            the id 1.
        axes_order: Names of the axes, such as `"zyx"`. A labelled array brings its own; without any they are `dim_0`,
            `dim_1`, …
        background: The id that is no object; None counts every pixel to one.

    Returns:
        A Dataset along `label`, the ids in rising order, with the variables, all in array positions: `start_y` and
        `stop_y` (the half-open box) and `centroid_y` (the mean of the positions of its pixels, those of pixel centres,
        as `skimage.measure.regionprops` counts them) for each axis `y`; `count`, the number of pixels; and
        `touches_border`, whether the box ends where the array does, along z, y or x if the array has one of them (what
        is there in the first frame is not cut by it), else along any axis; one pixel is no border.

    Raises:
        NgioTypeError: If the array does not hold integers.
        NgioValueError: If it has no dimensions, or unknown sizes; or names do not fit.
    """
    pixels, axes = integer_pixels(labels, axes_order)
    found = summary_of(pixels, background)
    size = np.array(pixels.shape).reshape(-1, 1)
    bordered = (size > 1) & _of_space(axes).reshape(-1, 1)
    at_border = ((found.starts == 0) | (found.stops == size)) & bordered
    columns: dict[str, npt.NDArray[Any]] = {}
    for index, axis in enumerate(axes):
        columns |= {f"start_{axis}": found.starts[index], f"stop_{axis}": found.stops[index]}
    columns["count"] = found.counts
    for index, axis in enumerate(axes):
        columns[f"centroid_{axis}"] = found.sums[index] / found.counts
    columns["touches_border"] = at_border.any(axis=0)
    return xr.Dataset({name: ("label", values) for name, values in columns.items()}, {"label": found.ids})


def _of_space(axes: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Return which axes are of space; of names that say nothing, all may be."""
    known = np.array([axis_type_of(axis) == "space" for axis in axes])
    return known if known.any() else np.ones_like(known)


def unique_ids(labels: LabelsLike, *, background: int | None = 0) -> npt.NDArray[Any]:
    """Return the ids that occur in a label image, rising, without the background.

    >>> unique_ids(np.array([[0, 7, 7], [3, 0, 7]]))
    array([3, 7])

    Args:
        labels: As in `label_extents`.
        background: As in `label_extents`.

    Returns:
        Shape (k,), of the array's dtype; of booleans, uint8.

    Raises:
        NgioTypeError: If the array does not hold integers.
        NgioValueError: If it has no dimensions, or unknown sizes.
    """
    return summary_of(integer_pixels(labels)[0], background).ids


def integer_pixels(
    labels: LabelsLike, axes_order: Sequence[str] | None = None, *, argument: str = "labels"
) -> tuple[npt.NDArray[Any] | da.Array, tuple[str, ...]]:
    """Return the pixels of the label image that is the argument of that name, in memory or dask's, and its axes.

    Raises:
        NgioTypeError: If it does not hold integers, or says that it is an image.
        NgioValueError: If it has no dimensions, or unknown sizes; or names do not fit.
    """
    dims = tuple(str(dim) for dim in labels.dims) if isinstance(labels, xr.DataArray) else ()
    pixels = _pixels(labels, argument)
    if isinstance(pixels, np.ma.MaskedArray) or isinstance(getattr(pixels, "_meta", None), np.ma.MaskedArray):
        raise NgioTypeError(
            f"{argument} must not be masked: fill them first, with .filled(0), or da.ma.filled(array, 0)"
        )
    if pixels.dtype.kind not in "iub":
        raise NgioTypeError(f"{argument} must be integers, got {_named(labels, pixels)}: {TO_IDS}")
    if isinstance(labels, xr.DataArray):
        require_labels(labels, argument)
    if not pixels.ndim:
        raise NgioValueError(f"{argument} must have at least one dimension, got the lone number {shown(labels)}")
    if any(math.isnan(size) for size in pixels.shape):
        raise NgioValueError(f"the shape of {argument} is unknown: call compute_chunk_sizes() first")
    usual = dims or tuple(f"dim_{axis}" for axis in range(pixels.ndim))
    axes = usual if axes_order is None else named("axes_order", to_axes)(axes_order)
    if dims and set(axes) != set(dims):
        raise NgioValueError(f"axes_order must be the array's {dims}, got {axes}: leave it out")
    if len(axes) != pixels.ndim:
        raise NgioValueError(f"axes_order must name each axis of {argument} of shape {pixels.shape} once, got {axes}")
    return pixels, dims or axes


def _named(labels: Any, pixels: npt.NDArray[Any] | da.Array) -> str:
    return str(pixels.dtype) if labels is pixels else f"{type(labels).__name__} of {pixels.dtype}"


def _pixels(labels: LabelsLike, argument: str) -> npt.NDArray[Any] | da.Array:
    if isinstance(labels, xr.DataArray):
        return streamed(labels, argument)
    if isinstance(labels, (np.ndarray, da.Array)):
        return labels
    if isinstance(labels, (xr.Dataset, xr.DataTree)):
        where = an_array_of(labels, LABELS)
        raise NgioTypeError(
            f"{argument} must be one array, got a {type(labels).__name__}: pick one of one level, such as {where}"
        )
    if hasattr(labels, "chunks") and hasattr(labels, "dtype"):
        return blocks_of(labels)
    try:
        return np.asarray(labels)
    except (TypeError, ValueError) as error:
        raise NgioTypeError(f"{argument} must be an array of integers, got {type(labels).__name__}: {error}") from None


def summary_of(pixels: npt.NDArray[Any] | da.Array, background: int | None) -> Summary:
    """Return the summary of all pixels; those of a dask array are looked at block by block, and merged in a tree."""
    background = None if background is None else _to_id(background)
    if not isinstance(pixels, da.Array):
        return summarized(pixels, (0,) * pixels.ndim, background)
    (blocks,) = optimize(pixels)
    name = f"label-summary-{tokenize(blocks, background)}"
    places = zip(flatten(blocks.__dask_keys__()), slices_from_chunks(blocks.chunks), strict=True)
    graph: dict[Any, Any] = {
        (name, 0, index): (summarized, key, tuple(part.start for part in box), background)
        for index, (key, box) in enumerate(places)
    }
    if not graph:
        return nothing(pixels.ndim, pixels.dtype)
    keys, depth = list(graph), 0
    while len(keys) > 1:
        depth += 1
        groups = [keys[start : start + _TOGETHER] for start in range(0, len(keys), _TOGETHER)]
        graph |= {(name, depth, index): (merged, group) for index, group in enumerate(groups)}
        keys = [(name, depth, index) for index in range(len(groups))]
    layers = HighLevelGraph.from_collections(name, graph, dependencies=[blocks])
    found: Summary = Delayed(keys[0], layers, layer=name).compute()
    return found
