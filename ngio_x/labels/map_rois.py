"""A function applied to the pieces of an image that regions hold; what it makes of them becomes one result again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, TypeAlias, overload

import dask.array as da
import numpy as np
import xarray as xr

from ngio_x._frozen import shown
from ngio_x.arrays.crop import window
from ngio_x.arrays.image import integers_by_axis, offset_in
from ngio_x.arrays.lazy import streamed
from ngio_x.arrays.mask import fitting, on_pixels_of
from ngio_x.arrays.roi_dataset import rois_to_dataset
from ngio_x.arrays.roles import LABELS, require_labels, role_attrs, role_of
from ngio_x.errors import NgioEmptyRegionError, NgioTypeError, NgioValueError
from ngio_x.labels.region_graph import Work, pasted, rows
from ngio_x.labels.region_task import Job, Outline, Place
from ngio_x.metadata.axes import IntegersByAxis, axis_type_of
from ngio_x.roi.columns import listed
from ngio_x.roi.roi import Roi
from ngio_x.roi.rounding import Bounds

Pasted: TypeAlias = Literal["image", "labels"] | xr.DataArray
Output: TypeAlias = Pasted | Mapping[str, Any]


@overload
def map_rois(
    image: xr.DataArray | xr.Dataset,
    func: Callable[[Any], Any],
    rois: Iterable[Roi],
    *,
    output: Pasted = ...,
    halo: IntegersByAxis = ...,
    bounds: Bounds = ...,
    masked: bool | xr.DataArray = ...,
    dtype: Any = ...,
    fill: Any = ...,
) -> xr.DataArray: ...
@overload
def map_rois(
    image: xr.DataArray | xr.Dataset,
    func: Callable[[Any], Any],
    rois: Iterable[Roi],
    *,
    output: Mapping[str, Any],
    halo: IntegersByAxis = ...,
    bounds: Bounds = ...,
    masked: bool | xr.DataArray = ...,
    dtype: Any = ...,
    fill: Any = ...,
) -> xr.Dataset: ...
def map_rois(
    image: xr.DataArray | xr.Dataset,
    func: Callable[[Any], Any],
    rois: Iterable[Roi],
    *,
    output: Output = "image",
    halo: IntegersByAxis = 0,
    bounds: Bounds = "outer",
    masked: bool | xr.DataArray = False,
    dtype: Any = None,
    fill: Any = 0,
) -> xr.DataArray | xr.Dataset:
    """Return what a function makes of the pieces of an image that regions hold: an image, labels, or a table.

    The function is called once for each region, with the piece as `crop` gives it, its pixels in memory, and changes
    nothing. Its coordinate `label` is the label of the region, if that has one and nothing else is called so. If
    the image is in memory, the result is computed at once. If it is lazy, so is the result: one dask task a region,
    which reads what that needs and no more.

    >>> from ngio_x.arrays.image import as_image
    >>> from ngio_x.arrays.tiles import tile
    >>> image = as_image(np.arange(6).reshape(1, 6), ("y", "x"))
    >>> map_rois(image, lambda piece: piece - piece.min(), tile(image, 3)).values
    array([[0, 1, 2, 0, 1, 2]])
    >>> map_rois(image, lambda piece: {"mean": piece.mean()}, tile(image, 3), output={"mean": float})["mean"].values
    array([1., 4.])

    Args:
        image: The image, or a Dataset of arrays on one lattice, such as an image with its labels.
        func: A function of a piece, a DataArray (of a Dataset, a Dataset). For an image or labels it returns an array
            of the piece's size along the axes of the result, plain or a DataArray; for a table a mapping with a number
            (or text) for each column. It may run in several threads, or on other machines, at once.
        rois: The regions.
        output: What becomes of it:

            - `"image"`: an image like `image`. Where regions overlap, the last one's pixels count.
            - `"labels"`: a label image, along all axes but channels. Each object gets an id of its own, rising with the
              regions. An object belongs to the region that holds the centre of its box, and is taken over with the
              part that lies in the halo: so objects no wider than the halo are not cut where regions meet. Where
              objects overlap, the last one counts.
            - a DataArray on (some of) the axes of `image`: a copy of it with the results in it, as with `"image"`.
            - a mapping `{column: dtype}`: a table. `str` is text of any length; no value is changed to fit a dtype.
        halo: Pixels by which a piece is larger than its region on either side, as far as the image reaches: one number
            for z, y and x, or by axis. A filter that looks r pixels far needs r. The halo is cut off the result.
        bounds: Which pixels a region holds, as in `window`.
        masked: A label image on the lattice of `image`, of any size: of what the function makes of a region, only the
            pixels that have the id of the region, its `label`, count. So objects are worked on one by one though their
            boxes overlap. With `output="labels"` objects are cut down to these pixels first. True takes the label image
            that the Dataset `image` holds.
        dtype: The dtype of the result, where `output` is `"image"` (by default the image's) or `"labels"` (by default
            uint32, or uint64 where that many ids may not fit).
        fill: Value of the pixels of an image that no region holds, or only masked.

    Returns:
        The image or labels; or the Dataset of `rois_to_dataset` with the columns added, one row a region along `roi`,
        of which `.to_dataframe()` makes a data frame.

    Raises:
        NgioTypeError: If `image`, `rois`, `masked` or `output` is something else; or, when the result is computed, if
            what the function returns does not fit its dtype.
        NgioEmptyRegionError: If a region holds no pixel.
        NgioValueError: If `halo`, `fill`, `masked` or `output` do not fit the image or each other, or a region has no
            label, which `masked` needs; or, when it is computed, if what the function returns does not fit its piece.
            What the function raises carries the region in a note.
    """
    if not callable(func):
        raise NgioTypeError(f"func must be a function of a piece of the image, got {shown(func)}")
    regions, arrays = listed(rois), _arrays_of(image)
    dims = tuple(dict.fromkeys(str(dim) for array in arrays for dim in array.dims))
    places = _places(image, dims, regions, halo, bounds)
    outlines = tuple(Outline(array.name, array.dims, array.attrs) for array in arrays)
    single = isinstance(image, xr.DataArray)
    owners = _owners(image, arrays, masked)
    axes = () if owners is None else tuple(map(str, owners.dims))
    job = Job(func, image.coords.to_dataset().assign_attrs(image.attrs), outlines, single, dims, axes)
    work = Work(job, places, [streamed(array) for array in arrays], None if owners is None else streamed(owners))
    result: xr.DataArray | xr.Dataset
    if isinstance(output, Mapping) and not isinstance(output, xr.Dataset):
        if owners is not None:
            raise NgioValueError(
                "masked says where pixels go, and a table has none: blank the piece within func, as by "
                "piece['image'].where(piece['labels'] == piece.label)"
            )
        result = _table(work, regions, output)
    else:
        result = _like(work, image, output, dtype, fill)
        objects = isinstance(output, str) and output == "labels"
        if owners is not None:
            _require_owned(work, result)
        result = result.copy(data=pasted(work, result.data, tuple(map(str, result.dims)), objects=objects))
    return result if work.lazy else result.compute()


def _arrays_of(image: Any) -> list[xr.DataArray]:
    """Return the arrays that make up an image."""
    if isinstance(image, xr.DataArray):
        return [image]
    if not isinstance(image, xr.Dataset):
        raise NgioTypeError(
            f"image must be a DataArray or a Dataset, got {type(image).__name__}: of a tree, take a level, such as "
            "tree['0'].to_dataset(); label an array with as_image"
        )
    if not image.data_vars:
        raise NgioValueError("image must hold an array, got a Dataset without any")
    return list(image.data_vars.values())


def _places(
    image: xr.DataArray | xr.Dataset, dims: tuple[str, ...], regions: Sequence[Roi], halo: Any, bounds: Bounds
) -> list[Place]:
    """Return where regions lie, and their pieces."""
    margins, sizes = integers_by_axis(halo, dims, "halo", 0), image.sizes
    if empty := [dim for dim in dims if not sizes[dim]]:
        raise NgioValueError(f"image must have pixels along each axis, got none along '{empty[0]}'")
    places: list[Place] = []
    before = 0
    for index, roi in enumerate(regions):
        title = f"region {index}" if roi.name is None else f"region {index} ({roi.name!r})"
        try:
            held = window(image, roi, bounds)
        except NgioEmptyRegionError as error:
            error.add_note(f"in {title}")
            raise
        inner = tuple(held.get(dim, slice(0, sizes[dim])) for dim in dims)
        outer = tuple(
            slice(max(0, side.start - margins.get(dim, 0)), min(sizes[dim], side.stop + margins.get(dim, 0)))
            for dim, side in zip(dims, inner, strict=True)
        )
        places.append(Place(title, roi.label, inner, outer, before))
        before += places[-1].size
    return places


def _owners(
    image: xr.DataArray | xr.Dataset, arrays: Sequence[xr.DataArray], masked: bool | xr.DataArray
) -> xr.DataArray | None:
    """Return the ids of the regions on the pixels of an image, or None if any pixel of a region is its own."""
    if isinstance(masked, (bool, np.bool_)):
        if not masked:
            return None
        masked = _only_labels(arrays)
    if not isinstance(masked, xr.DataArray):
        raise NgioTypeError(
            f"masked must be a label image, True or False, got {shown(masked)}: label an array with as_labels, pass "
            "the array of a Dataset itself"
        )
    require_labels(masked, "masked")
    return on_pixels_of(image, masked.copy(data=streamed(masked, "masked")), "masked")


def _only_labels(arrays: Sequence[xr.DataArray]) -> xr.DataArray:
    """Return the label image among the arrays of an image, which must hold just one."""
    found = [array for array in arrays if role_of(array) == LABELS]
    if len(found) != 1:
        names = [str(array.name) for array in found]
        raise NgioValueError(
            f"masked=True needs an image that holds one label image, got {names or 'none'}: pass the label image "
            "itself, masked=labels, or make it one with as_labels"
        )
    return found[0]


def _require_owned(work: Work, result: xr.DataArray) -> None:
    """Raise if it is not clear which pixels of a result are a region's own."""
    for place in work.places:
        if place.label is None:
            raise NgioValueError(
                f"masked needs the label of each region, and {place.title} has none: take the regions of "
                "compute_masking_roi, or give it one with attrs.evolve(roi, label=...)"
            )
    if apart := [axis for axis in work.job.owners if axis not in result.dims]:
        raise NgioValueError(
            f"masked must have axes of the result's {result.dims}, got '{apart[0]}': choose a position along it"
        )


def _dtype(kind: Any, what: str) -> np.dtype[Any]:
    try:
        found: np.dtype[Any] = np.dtype(kind)
    except (TypeError, ValueError, DeprecationWarning):
        raise NgioTypeError(f"{what} must be a dtype such as 'float64', got {shown(kind)}") from None
    # Of text whose length is not said numpy would keep nothing.
    return np.dtype(object) if found.kind in "SU" and not found.itemsize else found


def _table(work: Work, regions: Sequence[Roi], columns: Mapping[str, Any]) -> xr.Dataset:
    """Return the table of the regions with the columns that the function makes."""
    table = rois_to_dataset(regions)
    if odd := [name for name in columns if not isinstance(name, str) or not name]:
        raise NgioTypeError(f"output must name its columns by text, got {shown(odd[0])}")
    if taken := [name for name in columns if name in table.variables]:
        raise NgioValueError(f"output names a column {taken[0]!r}, which the table of regions has already: rename it")
    fields = [(name, _dtype(kind, f"output[{name!r}]")) for name, kind in columns.items()]
    records = rows(work, np.dtype(fields))
    return table.assign({name: ("roi", records[name]) for name, _ in fields})


def _like(work: Work, image: xr.DataArray | xr.Dataset, output: Any, dtype: Any, fill: Any) -> xr.DataArray:
    """Return what the results are put into, dask-backed."""
    if isinstance(output, xr.DataArray):
        return _given(work, image, output)
    axes, coords = work.job.dims, image.coords
    if isinstance(output, str) and output == "image":
        if isinstance(image, xr.Dataset):
            raise NgioValueError("of a Dataset, say which array the result is like: output=dataset['name']")
        kind = image.dtype if dtype is None else _dtype(dtype, "dtype")
        if kind.kind not in "biufc":
            raise NgioTypeError(
                f"dtype must be one of numbers, got {kind}: text goes into a table, output={{column: str}}"
            )
        role = role_of(image)
        attributes = image.attrs if role is None else {**image.attrs, **role_attrs(role, kind)}
        value, name = fitting(fill, kind), image.name
    elif isinstance(output, str) and output == "labels":
        axes = tuple(axis for axis in axes if axis_type_of(axis) != "channel")
        others = [key for key, held in coords.items() if not held.dims or set(held.dims) - set(axes)]
        value, name = _id_dtype(work, dtype).type(0), None
        attributes = role_attrs(LABELS, value.dtype)
        coords = coords.to_dataset().drop_vars(others).coords
    else:
        raise NgioValueError(
            f"output must be 'image', 'labels', a DataArray, or a mapping {{column: dtype}}; got {shown(output)}"
        )
    shape = tuple(image.sizes[axis] for axis in axes)
    pixels = da.full(shape, value, dtype=value.dtype, chunks=work.chunks_of(axes, shape))
    return xr.DataArray(xr.Variable(axes, pixels, attributes), coords, name=name)


def _given(work: Work, image: xr.DataArray | xr.Dataset, output: xr.DataArray) -> xr.DataArray:
    """Return an array on the pixels of the image, dask-backed."""
    for dim in output.dims:
        if dim not in work.job.dims:
            raise NgioValueError(f"output must have axes of the image's {work.job.dims}, got '{dim}'")
        apart = offset_in(image, output, dim, "output") or 0
        if apart or image.sizes[dim] != output.sizes[dim]:
            raise NgioValueError(
                f"output must have the pixels of the image, but along '{dim}' its {output.sizes[dim]} pixels begin "
                f"{apart} pixels after the image's {image.sizes[dim]}: crop one to the other"
            )
    pixels = streamed(output, "output")
    if not isinstance(pixels, da.Array):
        pixels = da.from_array(pixels, work.chunks_of(tuple(map(str, output.dims)), output.shape), name=False)
    return output.copy(data=pixels)


def _id_dtype(work: Work, dtype: Any) -> np.dtype[Any]:
    """Return the dtype of labels, which holds an id for each pixel of all pieces."""
    last = sum(place.size for place in work.places)
    if dtype is None:
        return np.dtype("uint32" if last < 2**32 else "uint64")
    kind = _dtype(dtype, "dtype")
    if kind.kind not in "iu" or last > np.iinfo(kind).max:
        raise NgioValueError(
            f"dtype must hold the ids up to {last}, one a pixel of all pieces, got {kind}: leave it out"
        )
    return kind
