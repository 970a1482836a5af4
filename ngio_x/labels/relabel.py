"""New ids for the objects of a label image."""

from __future__ import annotations

from functools import partial
from typing import Any, TypeVar

import dask.array as da
import numpy as np
import numpy.typing as npt
import xarray as xr

from ngio_x._frozen import named, shown, to_int
from ngio_x.arrays.roles import LABELS, with_role
from ngio_x.errors import NgioValueError
from ngio_x.labels.extents import integer_pixels, summary_of
from ngio_x.labels.summary import runs, with_integers

Labels = TypeVar("Labels", npt.NDArray[Any], da.Array, xr.DataArray)

_to_offset = named("offset", to_int)
_to_background = named("background", to_int)


def relabel_sequential(labels: Labels, *, offset: int = 1, background: int = 0) -> tuple[Labels, dict[int, int]]:
    """Return the label image with ids that follow each other, in their old order, and the new id of each old one.

    The ids of an array that is not in memory are looked up now; its pixels are renamed when they are asked for.

    >>> relabel_sequential(np.array([[0, 70, 70], [30, 0, 70]]))
    (array([[0, 2, 2],
           [1, 0, 2]]), {30: 1, 70: 2})

    Args:
        labels: Integer (or boolean) array of any number of dimensions: numpy, dask, or labelled.
        offset: The first new id.
        background: The id that is no object, and stays as it is.

    Returns:
        A new array of the same kind and dtype (booleans become uint8), and a dict from old to new id.

    Raises:
        NgioTypeError: If the array does not hold integers.
        NgioValueError: If the new ids do not fit the dtype, or the background would be among them.
    """
    pixels, _ = integer_pixels(labels)
    background = _to_background(background)
    first, old = _to_offset(offset), summary_of(pixels, background).ids
    last = first + len(old) - 1
    limits = np.iinfo(old.dtype)
    if len(old) and not limits.min <= first <= last <= limits.max:
        raise NgioValueError(
            f"offset={shown(first)} makes ids up to {shown(last)}, which do not fit {old.dtype}: "
            "convert with .astype('uint64')"
        )
    if first <= background <= last:
        raise NgioValueError(f"the new ids {first} to {last} hold background={background}: choose another offset")
    new = np.arange(len(old)).astype(old.dtype) + old.dtype.type(first if len(old) else 0)
    rename = partial(renamed, old=old, new=new, background=background)
    fresh: Any = da.map_blocks(rename, pixels, dtype=old.dtype) if isinstance(pixels, da.Array) else rename(pixels)
    mapping = dict(zip(old.tolist(), range(first, last + 1), strict=True))
    return (with_role(labels.copy(data=fresh), LABELS) if isinstance(labels, xr.DataArray) else fresh), mapping


def renamed(
    block: npt.NDArray[Any], old: npt.NDArray[Any], new: npt.NDArray[Any], background: int = 0
) -> npt.NDArray[Any]:
    """Return a block, in the dtype of `new`, in which the k-th of the old ids, which rise, is the k-th new one."""
    pixels = with_integers(block)
    if not pixels.size:
        return pixels.astype(new.dtype)
    bounds, ids = runs(np.ascontiguousarray(pixels).reshape(-1), pixels.size)
    objects = ids != background
    fresh = ids.astype(new.dtype)
    fresh[objects] = new[np.searchsorted(old, ids[objects])]
    return np.repeat(fresh, np.diff(bounds)).reshape(pixels.shape)
