"""Put a piece back into an image."""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import dask.array as da
import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr
from dask.base import compute, tokenize

from ngio_x._frozen import shown
from ngio_x.arrays.blocks import (
    Block,
    Pixels,
    ends_of,
    made_name,
    parts_in,
    patchwork_of,
    reading_part,
    with_blocks,
)
from ngio_x.arrays.crop import window
from ngio_x.arrays.image import lattice_of, require_image
from ngio_x.arrays.lattice import Lattice
from ngio_x.arrays.lazy import require_plain, streamed
from ngio_x.arrays.mask import placed
from ngio_x.arrays.roles import IMAGE, LABELS, require_labels, role_of
from ngio_x.errors import NgioEmptyRegionError, NgioTypeError, NgioValueError
from ngio_x.metadata.axes import axis_type_of
from ngio_x.resample.evaluate import Window, within
from ngio_x.roi.roi import RoiLike
from ngio_x.roi.rounding import Bounds


def paste(
    image: xr.DataArray, patch: Any, roi: RoiLike | None = None, *, where: Any = None, bounds: Bounds = "outer"
) -> xr.DataArray:
    """Return a copy of `image` with `patch` in it; what the patch's lattice places outside the image is dropped.

    A lazy image gives a lazy result, which costs a task for each chunk that the patch touches: many patches may be
    pasted one after the other.

    Args:
        image: The image; dtype, coordinates, attributes and name of the result are its own.
        patch: A DataArray, whose dimensions are found by name and may be fewer than the image's (it is repeated along
            the others, but for those of which one position was chosen, as by `sel(c="DNA")`: it goes there), or a
            plain array of the image's dimensions together with `roi`.
        roi: Where to put it: it must have the size of `window(image, roi, bounds)`. By default where the patch's own
            lattice and channel names say; axes without either must have the image's size.
        where: Booleans: only pixels where they are true change, such as those of an object, `labels == 5`. A plain
            array of the patch's shape, or a DataArray, whose lattice and channel names place it on the patch (pixels
            that it does not cover do not change), at the one plane or frame that was chosen of it; it is repeated along
            other axes that it lacks, channels among them, and has the patch's size along those without either.
        bounds: As in `window`.

    Raises:
        NgioEmptyRegionError: If the patch lies outside the image.
        NgioValueError: If sizes, lattices or axes do not fit.
        NgioTypeError: If `image` is not a DataArray, the patch's values do not fit its dtype, `where` is not boolean,
            or the image is labels and the patch says that it is an image.
    """
    require_image(image)
    require_plain(image)
    parts = fitted(image, patch, roi, where, bounds)
    if image.chunks is not None:
        pasted: xr.DataArray = image.copy(data=_pasted(image.data, parts))
        return pasted
    pixels = np.array(image.values)
    for (values, mask), part in zip(compute([(part.pixels, part.mask) for part in parts])[0], parts, strict=True):
        _put(pixels[part.window], values, mask)
    return image.copy(data=pixels)


class Part(NamedTuple):
    """Pixels that go into one window of an image."""

    window: Window
    pixels: Pixels
    """Along the image's axes, of the window's size, or of size 1 where they are repeated."""
    mask: Pixels | None
    """Where they go, as the pixels; None for everywhere."""


def fitted(
    image: xr.DataArray, patch: Any, roi: RoiLike | None = None, where: Any = None, bounds: Bounds = "outer"
) -> list[Part]:
    """Return the part of a patch that lies in an image; in several parts, where channels lie apart.

    Args:
        image: The image; its pixels are not read.
        patch: As in `paste`.
        roi: As in `paste`.
        where: As in `paste`.
        bounds: As in `window`.

    Raises:
        NgioEmptyRegionError: As `paste`.
        NgioValueError: As `paste`.
        NgioTypeError: As `paste`.
    """
    if role_of(image) == LABELS and isinstance(patch, xr.DataArray) and role_of(patch) == IMAGE:
        require_labels(patch, "patch")  # which refuses it, but for booleans
    piece = _as_patch(image, patch, roi)
    _require_fitting_dtype(image.dtype, piece.dtype)
    source: dict[Hashable, slice] = {}
    if roi is not None:
        target = _held(image, patch, piece, window(image, roi, bounds))
    else:
        target = {}
        for dim in piece.dims:
            target[dim], source[dim] = _place(image, piece, dim)
    mask = None if where is None else _mask(image, patch, piece, target, where).isel(source, missing_dims="ignore")
    pixels = _full(image, piece.isel(source))
    inside = None if mask is None else _full(image, mask)
    places = [target.get(dim, slice(0, size)) for dim, size in image.sizes.items()]
    parts = []
    for runs in itertools.product(*map(_runs, places)):
        into, taken = zip(*runs, strict=True)
        parts.append(Part(into, _taken(pixels, taken), None if inside is None else _taken(inside, taken)))
    return parts


def _held(image: xr.DataArray, patch: Any, piece: xr.DataArray, held: Mapping[str, slice]) -> dict[Hashable, Any]:
    """Return where a patch goes by axis, given the window that a region holds."""
    target: dict[Hashable, Any] = {dim: held.get(str(dim), slice(0, image.sizes[dim])) for dim in piece.dims}
    for dim in _chosen(image, patch) - set(held):
        target[dim], _ = _place(image, piece, dim)
    for dim, positions in target.items():
        if isinstance(positions, slice) and positions.stop - positions.start != piece.sizes[dim]:
            raise NgioValueError(
                f"axis '{dim}': the patch must have the {positions.stop - positions.start} pixels that the region "
                f"holds, got shape {piece.shape}"
            )
    return target | {dim: positions for dim, positions in held.items() if dim not in piece.dims}


def _full(image: xr.DataArray, piece: xr.DataArray) -> xr.Variable:
    """Return pixels, in memory or dask-backed, with all axes of an image: those that they lacked have size 1."""
    held = xr.Variable(piece.dims, streamed(piece, "patch"))
    full: xr.Variable = held.set_dims(image.dims)  # type: ignore[no-untyped-call]
    return full.transpose(*image.dims)


def _taken(pixels: xr.Variable, taken: Sequence[Any]) -> Pixels:
    """Return some of the pixels along each axis; an axis of size 1 is repeated, and keeps its one pixel."""
    return pixels[tuple(slice(None) if n == 1 else each for n, each in zip(pixels.shape, taken, strict=True))].data  # type: ignore[no-any-return]


def _runs(place: Any) -> Iterator[tuple[slice, Any]]:
    """Yield the runs of neighbours among some positions, and where in the list of positions they are found.

    As in any assignment, the last of equal positions counts.
    """
    if isinstance(place, slice):
        yield place, slice(None)
        return
    positions, last = np.unique(place[::-1], return_index=True)
    cuts = np.flatnonzero(np.diff(positions) != 1) + 1
    for run in np.split(np.arange(positions.size), cuts):
        if run.size:
            yield slice(int(positions[run[0]]), int(positions[run[-1]]) + 1), len(place) - 1 - last[run]


def _as_patch(image: xr.DataArray, patch: Any, roi: RoiLike | None) -> xr.DataArray:
    if isinstance(patch, xr.DataArray):
        piece = patch.expand_dims(sorted(_chosen(image, patch), key=str))
    elif roi is None or _ndim(patch) != image.ndim:
        raise NgioValueError(
            f"patch must be a DataArray, or an array of the image's {image.ndim} dimensions with roi=, got "
            f"{type(patch).__name__} of {_ndim(patch)}{' without roi' if roi is None else ''}: label it with as_image"
        )
    else:
        piece = xr.DataArray(patch, dims=image.dims)
    if unknown := [dim for dim in piece.dims if dim not in image.dims]:
        advice = f"paste one after the other, as by isel({unknown[0]}=0)"
        raise NgioValueError(f"the patch must have axes of the image's {image.dims}, got '{unknown[0]}': {advice}")
    return piece.transpose(*(dim for dim in image.dims if dim in piece.dims))


def _ndim(patch: Any) -> int:
    if isinstance(patch, (xr.Dataset, xr.DataTree)):
        require_image(patch, "patch")
    try:
        return np.ndim(patch)
    except (TypeError, ValueError) as error:
        raise NgioTypeError(f"patch must be an array of numbers, got {type(patch).__name__}: {error}") from None


def _chosen(image: xr.DataArray, patch: Any) -> set[Hashable]:
    """Return the axes of an image of which a patch is one position that was chosen, as `sel(c="DNA")` does."""
    if not isinstance(patch, xr.DataArray):
        return set()
    return {dim for dim in image.dims if dim in patch.coords and dim not in patch.dims and patch.coords[dim].ndim == 0}


def _require_fitting_dtype(image: np.dtype[Any], patch: np.dtype[Any]) -> None:
    same_kind_of_float = image.kind == patch.kind and image.kind in "fc"
    if not same_kind_of_float and not np.can_cast(patch, image, "safe"):
        raise NgioTypeError(
            f"the patch's values of {patch} do not all fit into {image}: "
            f"round, clip or convert it with .astype('{image}')"
        )


def _place(image: xr.DataArray, patch: xr.DataArray, dim: Hashable) -> tuple[Any, slice]:
    """Return where along an axis the patch goes in the image, and which part of the patch that is."""
    ours = lattice_of(image, dim)
    theirs = lattice_of(patch, dim, lone=None if ours is None else ours.spacing)
    if ours is not None and theirs is not None:
        return _place_on_lattice(ours, theirs, dim)
    if ours is None and theirs is None and dim in image.indexes and dim in patch.indexes:
        return _place_of_names(image.indexes[dim], patch.indexes[dim], dim), slice(None)
    size = image.sizes[dim]
    if patch.sizes[dim] != size:
        raise NgioValueError(
            f"axis '{dim}': the patch has {patch.sizes[dim]} pixels and no place on the image's {size}; give roi="
        )
    return slice(0, size), slice(None)


def _place_on_lattice(ours: Lattice, theirs: Lattice, dim: Hashable) -> tuple[slice, slice]:
    """Return where the pixels that both have lie in the image and in the patch."""
    try:
        offset = ours.offset_of(theirs)
    except NgioValueError as error:
        raise NgioValueError(f"the patch does not fit the image along '{dim}': {error}") from None
    low, high = max(0, offset), min(ours.size, offset + theirs.size)
    if low >= high:
        raise NgioEmptyRegionError(str(dim), theirs.extent, ours.extent, ours.unit or "world units")
    return slice(low, high), slice(low - offset, high - offset)


def _place_of_names(ours: pd.Index[Any], theirs: pd.Index[Any], dim: Hashable) -> slice | npt.NDArray[np.intp]:
    """Return where in the image the names of the patch stand."""
    if ours.equals(theirs):
        return slice(0, ours.size)
    if not ours.is_unique:
        raise NgioValueError(f"axis '{dim}': names of the image are not unique: give roi=, or a patch with them all")
    positions = ours.get_indexer(theirs)
    if (positions < 0).any():
        unknown = theirs[int((positions < 0).argmax())]
        raise NgioValueError(f"the patch has {unknown!r} along '{dim}', which the image lacks")
    return positions


def _mask(
    image: xr.DataArray, patch: Any, piece: xr.DataArray, target: Mapping[Hashable, Any], where: Any
) -> xr.DataArray:
    """Return a mask on the pixels of a patch, and along axes that the patch lacks on those of the image there."""
    if not isinstance(where, xr.DataArray):
        dims = patch.dims if isinstance(patch, xr.DataArray) else image.dims
        where = _plain_mask(where, dims, tuple(piece.sizes[dim] for dim in dims))
    # A plane or a frame that was chosen is a place; a channel is not, for objects are seen in one and hold for all.
    where = where.expand_dims([dim for dim in _chosen(image, where) if axis_type_of(str(dim)) != "channel"])
    _require_boolean(where, where.dtype)
    if unknown := [dim for dim in where.dims if dim not in image.dims]:
        raise NgioValueError(f"where must have axes of the image's {image.dims}, got '{unknown[0]}'")
    mask: xr.DataArray = where
    chosen = _chosen(image, patch)
    for dim in mask.dims:
        held = target.get(dim, slice(None))
        own = dim in piece.dims and dim not in chosen and (dim in piece.coords or not isinstance(held, slice))
        ground = piece if own else _line(image, dim).isel({dim: held})
        mask = placed(mask, ground, dim, "where", "the patch")
    return mask


def _plain_mask(where: Any, dims: tuple[Hashable, ...], shape: tuple[int, ...]) -> xr.DataArray:
    try:
        pixels = where if isinstance(where, da.Array) else np.asarray(where)
    except (TypeError, ValueError):  # a Dataset, or lists of several lengths
        pixels = np.asarray(None)
    _require_boolean(where, pixels.dtype)
    if pixels.shape != shape:
        raise NgioValueError(
            f"where must have the patch's shape {shape}, got shape {pixels.shape}: a DataArray is placed by its lattice"
        )
    return xr.DataArray(pixels, dims=dims)


def _require_boolean(where: Any, dtype: np.dtype[Any]) -> None:
    if dtype.kind != "b":
        found = dtype if hasattr(where, "dtype") else shown(where)
        raise NgioTypeError(f"where must be boolean, got {found}: say which pixels are to change, such as labels == 5")


def _line(image: xr.DataArray, dim: Hashable) -> xr.DataArray:
    """Return one axis of an image on paper, which takes no memory."""
    others = [name for name in image.coords if name != dim]
    coords = image.coords.to_dataset().drop_vars(others).coords  # with its index, so that one pixel knows its size
    return xr.DataArray(np.broadcast_to(False, image.sizes[dim]), coords, (dim,))


def _pasted(ground: da.Array, parts: Sequence[Part]) -> da.Array:
    """Return a lazy image with parts of a patch in it: one task for each block that they touch."""
    name = f"paste-{tokenize(ground.name, parts)}"
    tasks: dict[Block, list[Any]] = {}
    whole: dict[Block, Window] = {}
    for part in parts:
        ends, mask_ends = ends_of(part.pixels), [] if part.mask is None else ends_of(part.mask)
        for at, block, target, box in parts_in(ends_of(ground), part.window):
            mask = None if part.mask is None else reading_part(part.mask, mask_ends, box, ground.dtype)
            if not (isinstance(mask, np.ndarray) and not mask.any()):
                pixels = reading_part(part.pixels, ends, box, ground.dtype)
                tasks.setdefault(at, []).append((target, pixels, mask))
                whole[at] = block
    if not tasks:
        return ground
    before = patchwork_of(ground)
    graph = {}
    for at, pieces in tasks.items():
        covers = pieces[0][2] is None and pieces[0][0] == within(whole[at], whole[at])
        before_it: Any = [side.stop for side in pieces[0][0]] if covers else before.source(at)
        graph[made_name(name), *at] = (_block, before_it, ground.dtype, *map(list, zip(*pieces, strict=True)))
    lazy = [each for part in parts for each in (part.pixels, part.mask) if isinstance(each, da.Array)]
    return with_blocks(ground, name, graph, tasks.keys(), lazy)


def _block(
    ground: npt.NDArray[Any] | Sequence[int],
    dtype: np.dtype[Any],
    targets: Sequence[Window],
    pixels: Sequence[npt.NDArray[Any]],
    masks: Sequence[npt.NDArray[Any] | None],
) -> npt.NDArray[Any]:
    """Return a block with pixels in it; `ground` may be its shape alone where they cover all of it."""
    block = np.array(ground) if isinstance(ground, np.ndarray) else np.empty(ground, dtype)
    for target, values, mask in zip(targets, pixels, masks, strict=True):
        _put(block[target], values, mask)
    return block


def _put(place: npt.NDArray[Any], values: npt.NDArray[Any], mask: npt.NDArray[Any] | None) -> None:
    np.copyto(place, values, casting="same_kind", where=True if mask is None else mask)
