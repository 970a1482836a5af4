"""The pieces of an image that hold its objects: one by one, or as one stack of equal windows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import dask.array as da
import numpy as np
import numpy.typing as npt
import xarray as xr

from ngio_x._frozen import evolve, named, shown, to_bool, to_ints
from ngio_x.arrays.image import integers_by_axis, lattice_of, require_image, window_origin, with_lattice
from ngio_x.arrays.lattice import Lattice
from ngio_x.arrays.lazy import require_plain
from ngio_x.arrays.mask import blanked, fitting, on_pixels_of
from ngio_x.arrays.pixel_labels import unit_attribute
from ngio_x.errors import NgioKeyError, NgioValueError
from ngio_x.labels.extents import integer_pixels, summary_of
from ngio_x.labels.summary import Summary
from ngio_x.metadata.axes import IntegersByAxis


def crop_objects(
    image: xr.DataArray,
    labels: xr.DataArray,
    *,
    pad: IntegersByAxis = 0,
    masked: bool = False,
    fill: Any = 0,
    ids: Iterable[int] | None = None,
) -> Iterator[xr.DataArray]:
    """Return the pieces of an image that hold its objects, one by one, by rising id.

    A piece is the box of an object; as a crop it stays on the lattice of the image, and its pixels are neither copied
    nor, in a dask array, computed. Its coordinate `label` is the id.

    Args:
        image: The image.
        labels: Label image on the same lattice, as for `mask`. Objects outside the image have no piece.
        pad: Pixels that are added on either side as far as the image reaches: one number for z, y and x, or by axis.
        masked: Replace what does not belong to the object by `fill`.
        fill: Value of pixels that are blanked out; it must fit the image's dtype.
        ids: The objects that are wanted, in this order. By default all.

    Raises:
        NgioTypeError: If one of the two is not a DataArray, or the labels are not integers.
        NgioValueError: If the lattices or sizes do not fit, `pad` is negative or names an unknown axis, or `fill` does
            not fit the dtype.
        NgioKeyError: If an id of `ids` does not occur.
    """
    aligned, found, columns = _found(image, labels, ids)
    cut = named("masked", to_bool)(masked)
    margins = integers_by_axis(pad, aligned, "pad", 0)
    blank = fitting(fill, image.dtype)

    def piece(column: int) -> xr.DataArray:
        box = {}
        for axis, start, stop in zip(aligned.dims, found.starts[:, column], found.stops[:, column], strict=True):
            margin = margins.get(str(axis), 0)
            box[axis] = slice(max(0, int(start) - margin), min(aligned.sizes[axis], int(stop) + margin))
        held = image.isel(box)
        label = found.ids[column]
        if cut:
            held = blanked(held, aligned.isel(box) == label, blank)
        return held.assign_coords(label=label)

    return map(piece, columns)


def stack_objects(
    image: xr.DataArray,
    labels: xr.DataArray,
    shape: IntegersByAxis,
    *,
    masked: bool = False,
    fill: Any = 0,
    ids: Iterable[int] | None = None,
) -> xr.DataArray:
    """Return windows of one shape around the objects of an image, stacked along `label`, as for machine learning.

    A window is centred on the box of its object. What it holds beyond the image is `fill`; objects that are larger are
    cut. If the image is dask-backed, the stack is lazy, with one chunk an object.

    Args:
        image: The image.
        labels: Label image on the same lattice, as for `mask`.
        shape: Pixels of the windows: one number for z, y and x, or by axis. Other axes are kept whole.
        masked: Replace what does not belong to the object by `fill`.
        fill: Value of pixels that are blanked out, or lie beyond the image; it must fit the image's dtype.
        ids: The objects that are wanted, in this order. By default all.

    Returns:
        Shape (k, …), the axes of the image after `label`. The coordinates `start_y`, … along `label` say where each
        window begins, in positions of the image; before its first pixel they are negative. Where the image has
        coordinates, the windows have its pixel size and count from their own start, and `window_origin_y`, … say where
        that is in the world: `paste(image, stack.sel(label=k))` puts a window back.

    Raises:
        NgioTypeError: As for `crop_objects`.
        NgioValueError: As for `crop_objects`; or if `shape` is not above 0, or names an unknown axis.
        NgioKeyError: If an id of `ids` does not occur.
    """
    aligned, found, columns = _found(image, labels, ids)
    cut = named("masked", to_bool)(masked)
    sizes = integers_by_axis(shape, aligned, "shape", 1)
    if math.prod(sizes.values()) >= 2**48:  # bytes that today's processors can address
        raise NgioValueError(f"shape={shown(shape)} is more than any memory holds: choose a smaller one")
    blank = fitting(fill, image.dtype)
    rows = [index for index, axis in enumerate(aligned.dims) if axis in sizes]
    lengths = np.array([sizes[str(aligned.dims[row])] for row in rows], np.int64).reshape(-1, 1)
    begins = (found.starts[rows] + found.stops[rows] - lengths) // 2
    windows = [
        _window(
            image,
            aligned if cut else None,
            found.ids[column],
            dict(zip(sizes, begins[:, column], strict=True)),
            sizes,
            blank,
        )
        for column in columns
    ]
    whole = (len(windows), *(sizes.get(str(dim), size) for dim, size in image.sizes.items()))
    if image.chunks is not None and windows:
        stack: Any = da.stack(windows)
    else:
        stack = np.stack(windows) if windows else np.empty(whole, image.dtype)
    around = image.coords.to_dataset()
    around = around.drop_vars([name for name, value in around.coords.items() if not {*sizes}.isdisjoint(value.dims)])
    coords: dict[Any, Any] = {"label": found.ids[columns]}
    coords |= {f"start_{axis}": ("label", begins[row, columns]) for row, axis in enumerate(sizes)}
    dims = ("label", *image.dims)
    stacked = xr.DataArray(xr.Variable(dims, stack, image.attrs), around.assign_coords(coords).coords, name=image.name)
    for row, axis in enumerate(sizes):
        stacked = _counting_from_windows(stacked, axis, lattice_of(image, axis), begins[row, columns])
    return stacked


def _counting_from_windows(
    stack: xr.DataArray, axis: str, lattice: Lattice | None, begins: npt.NDArray[np.int64]
) -> xr.DataArray:
    """Return a stack whose pixels count from the start of their window, and say where on a lattice that is."""
    if lattice is None:
        return stack
    unit = unit_attribute(lattice)
    edges = lattice.origin + (lattice.start + begins) * lattice.spacing
    ours = evolve(lattice, origin=0.0, start=0, size=stack.sizes[axis], relative=True)
    return with_lattice(stack, axis, ours).assign_coords({window_origin(axis): ("label", edges, unit)})


def _found(
    image: xr.DataArray, labels: xr.DataArray, ids: Iterable[int] | None
) -> tuple[xr.DataArray, Summary, list[int]]:
    """Return the labels on the image's pixels, their summary, and which of its columns are wanted."""
    require_image(image)
    require_plain(image)
    require_image(labels, "labels")
    if "label" in image.dims:
        raise NgioValueError("the image has an axis 'label' already, along which its objects would lie: rename it")
    aligned = on_pixels_of(image, labels)
    found = summary_of(integer_pixels(aligned)[0], 0)
    if ids is None:
        return aligned, found, list(range(found.ids.size))
    column_of = {label: column for column, label in enumerate(found.ids.tolist())}
    wanted = named("ids", to_ints)(ids.values if isinstance(ids, xr.DataArray) else ids)
    if missing := [label for label in wanted if label not in column_of]:
        raise NgioKeyError(
            f"ids must be of objects in the image, got {missing[0]}: choose from its {found.ids.size}, see unique_ids"
        )
    return aligned, found, [column_of[label] for label in wanted]


def _window(
    image: xr.DataArray,
    labels: xr.DataArray | None,
    label: Any,
    begins: Mapping[str, Any],
    sizes: Mapping[str, int],
    blank: Any,
) -> npt.NDArray[Any] | da.Array:
    """Return the pixels of one window, blank beyond the image and, with labels, where they are others."""
    box, margins = {}, {}
    for axis, size in sizes.items():
        begin, length = int(begins[axis]), image.sizes[axis]
        box[axis] = slice(max(0, begin), min(length, begin + size))
        if begin < 0 or begin + size > length:
            margins[axis] = (max(0, -begin), max(0, begin + size - length))
    piece: Any = image.variable.isel(box)
    if labels is not None:
        piece = piece.where(labels.variable.isel(box) == label, blank).transpose(*piece.dims)
    if piece.chunks is None:
        pixels: npt.NDArray[Any] | da.Array = piece.pad(margins, constant_values=blank).data
        return pixels
    # One chunk: margins would be cut as the piece is, and in a stack each window as all of them are together.
    return piece.chunk(-1).pad(margins, constant_values=blank).chunk(-1).data  # type: ignore[no-any-return]
