"""Many pieces of one lattice put together on one canvas."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from itertools import product
from typing import Any, Final, Literal, TypeAlias

import dask.array as da
import numpy as np
import numpy.typing as npt
import xarray as xr
from dask.array.core import normalize_chunks
from dask.base import tokenize
from dask.highlevelgraph import HighLevelGraph

from ngio_x._frozen import named, one_of, shown
from ngio_x.arrays.blocks import Block, ends_of_chunks, parts_in, reading_part
from ngio_x.arrays.image import lattice_of, require_image
from ngio_x.arrays.lattice import Lattice
from ngio_x.arrays.lazy import BLOCK_BYTES
from ngio_x.arrays.mask import fitting
from ngio_x.arrays.paste import Part, fitted
from ngio_x.arrays.pixel_index import PixelIndex
from ngio_x.arrays.roles import LABELS, is_labels, role_of
from ngio_x.errors import NgioEmptyRegionError, NgioTypeError, NgioValueError
from ngio_x.metadata.axes import CANONICAL_ORDER
from ngio_x.resample.evaluate import Window

How: TypeAlias = Literal["last", "first", "max", "min", "mean"]
Chunks: TypeAlias = tuple[tuple[int, ...], ...]


def mosaic(
    images: Iterable[xr.DataArray], like: xr.DataArray | None = None, how: How = "last", *, fill: Any = 0
) -> xr.DataArray:
    """Return one image with the pixels of many pieces of one lattice, such as crops or overlapping fields, in it.

    Pieces are placed by their lattices and channel names. If one of them, or `like`, is lazy, so is the result: each
    chunk is one task, which reads the pieces that it meets. Otherwise the result is computed at once.

    >>> from ngio_x.arrays.image import as_image
    >>> left, right = as_image([[1, 2, 3]], "yx"), as_image([[5, 6]], "yx", origin={"y": 0, "x": 2})
    >>> mosaic([left, right]).values
    array([[1, 2, 5, 6]])
    >>> mosaic([left, right], how="mean").values
    array([[1, 2, 4, 6]])

    Args:
        images: The pieces. A piece is repeated along axes that it lacks; if one position of such an axis was chosen,
            as by `sel(c="DNA")`, it goes there. Axes without lattice or names must be of equal size.
        like: An image whose pixels are those of the result, and whose chunks if it is lazy; what lies outside is
            dropped. By default the result holds all pieces, on the smallest canvas.
        how: What counts where pieces overlap: the `"last"` or the `"first"` of them, or the largest, smallest or mean
            value. The mean of integers is exact, and rounded half away from zero. NaN and the background of labels
            are values like any other; with `"max"` no background covers an object.
        fill: Value of pixels that no piece covers; it must fit the dtype.

    Returns:
        The image. Its dtype is that of the pieces, or holds them all if they differ; name and attributes are those that
        all pieces have in common.

    Warns:
        NgioRoleWarning: If `how="mean"` is asked for of integers of unknown role, which are treated as images.

    Raises:
        NgioEmptyRegionError: If all pieces lie outside of `like`.
        NgioValueError: If pieces do not lie on one lattice, `fill` does not fit, there is no piece, or `how` would
            blend labels or truth values.
        NgioTypeError: If a piece, or `like`, is not a DataArray, or no dtype holds the values of all.
    """
    named("how", one_of("last", "first", "max", "min", "mean"))(how)
    pieces = _pieces(images)
    dtype = _common_dtype(pieces)
    if how == "mean" and (dtype.kind == "b" or _any_labels(pieces)):
        raise NgioValueError("how='mean' would blend labels or truth values: take 'last', 'first', 'max' or 'min'")
    value = fitting(fill, dtype)
    if like is None:
        pieces = _with_chosen(pieces)
        canvas = _hull(pieces, dtype)
    else:
        require_image(like, "like")
        canvas = xr.DataArray(_on_paper(like.shape, dtype), like.coords, like.dims)
        pieces = [_of_known_names(piece, canvas) for piece in _with_chosen([*pieces, canvas])[:-1]]
    parts = _parts(canvas, pieces, "the others" if like is None else "like")
    chunks = None if like is None else like.chunks
    if chunks is None and any(isinstance(part.pixels, da.Array) for part in parts):
        chunks = _chunks(parts, canvas.shape)
    pixels = _in_memory(parts, canvas.shape, value, how) if chunks is None else _lazily(parts, chunks, value, how)
    result = canvas.copy(data=pixels)
    result.attrs = _shared(pieces)
    result.name = pieces[0].name if all(piece.name == pieces[0].name for piece in pieces) else None
    return result


def _pieces(images: Any) -> list[xr.DataArray]:
    if isinstance(images, (xr.DataArray, xr.Dataset, xr.DataTree, str)) or not np.iterable(images):
        raise NgioTypeError(f"images must be several images, got {type(images).__name__}: put them into a list")
    pieces = list(images)
    for index, piece in enumerate(pieces):
        require_image(piece, f"images[{index}]")
    if not pieces:
        raise NgioValueError("images must hold an image at least, got none")
    return pieces


def _any_labels(pieces: Sequence[xr.DataArray]) -> bool:
    """Return whether one of the pieces is labels; warn of the first that does not say what it is, if none is."""
    roles = [role_of(piece) for piece in pieces]
    if LABELS in roles:
        return True
    unknown = [at for at, role in enumerate(roles) if role is None]
    return any(is_labels(pieces[at], f"images[{at}]") for at in unknown[:1])


def _common_dtype(pieces: Sequence[xr.DataArray]) -> np.dtype[Any]:
    kinds = {piece.dtype for piece in pieces}
    try:
        dtype = np.result_type(*kinds)
    except TypeError:
        dtype = np.dtype(object)
    if dtype.kind not in "biufc" or (dtype.kind == "f" and not any(kind.kind == "f" for kind in kinds)):
        raise NgioTypeError(
            f"images must be of dtypes that one of them can hold, got {shown(sorted(map(str, kinds)))}: convert them"
        )
    return dtype


def _shared(pieces: Sequence[xr.DataArray]) -> dict[Any, Any]:
    """Return the attributes that all pieces have in common."""
    first, *others = (piece.attrs for piece in pieces)

    def same(key: Any) -> bool:
        alone = xr.Dataset(attrs={key: first[key]})
        return all(key in each and alone.identical(xr.Dataset(attrs={key: each[key]})) for each in others)

    return {key: value for key, value in first.items() if same(key)}


def _on_paper(shape: tuple[int, ...], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Return an array that takes no memory."""
    return np.broadcast_to(np.zeros((), dtype), shape)


def _with_chosen(pieces: list[xr.DataArray]) -> list[xr.DataArray]:
    """Return pieces with an axis of one pixel where they are positions of it, chosen as by `sel(c="DNA")`.

    An axis is left out if no piece has it, and all of them chose the same position or none.
    """
    for axis in CANONICAL_ORDER:
        chosen = [axis not in piece.dims and axis in piece.coords and not piece.coords[axis].ndim for piece in pieces]
        places = _apart([piece.coords[axis].values for piece, lone in zip(pieces, chosen, strict=True) if lone])
        if places.size and (places.size > 1 or any(axis in piece.dims for piece in pieces)):
            pieces = [_expanded(piece, axis) if lone else piece for piece, lone in zip(pieces, chosen, strict=True)]
    return pieces


def _expanded(piece: xr.DataArray, axis: str) -> xr.DataArray:
    """Return a piece with an axis of one pixel, before those that usually follow it."""
    later = CANONICAL_ORDER[CANONICAL_ORDER.index(axis) :]
    at = next((position for position, dim in enumerate(piece.dims) if dim in later), piece.ndim)
    return piece.expand_dims(axis, at)


def _of_known_names(piece: xr.DataArray, canvas: xr.DataArray) -> xr.DataArray:
    """Return the channels of a piece, or whatever has names, that a canvas has."""
    for dim in piece.dims:
        if dim in canvas.indexes and dim in piece.indexes and lattice_of(canvas, dim) is None:
            known = piece.indexes[dim].isin(canvas.indexes[dim])
            piece = piece if known.all() else piece.isel({dim: np.flatnonzero(known)})
    return piece


def _hull(pieces: Sequence[xr.DataArray], dtype: np.dtype[Any]) -> xr.DataArray:
    """Return the smallest canvas that holds all pieces, on paper."""
    dims = max((piece.dims for piece in pieces), key=len)
    coords, shape = [], []
    for dim in dims:
        along = [(index, piece) for index, piece in enumerate(pieces) if dim in piece.dims]
        coords.append(_axis(along, dim))
        shape.append(coords[-1][dim].size if dim in coords[-1] else along[0][1].sizes[dim])
    canvas = xr.DataArray(_on_paper(tuple(shape), dtype), dims=dims)
    for each in coords:
        canvas = canvas.assign_coords(each)
    return canvas.assign_coords(_common_scalars(pieces))


def _axis(along: Sequence[tuple[int, xr.DataArray]], dim: Hashable) -> xr.Coordinates:
    """Return the coordinates of a canvas along an axis of some pieces, each with its number."""
    pieces = [piece for _, piece in along]
    lone = _distance(pieces, dim)
    lattices = [(index, lattice_of(piece, dim, lone=lone)) for index, piece in along]
    found = [(index, lattice) for index, lattice in lattices if lattice is not None]
    if len(found) == len(lattices):
        created = xr.Coordinates.from_xindex(PixelIndex(_joined(found, dim), dim))
        told = created[dim].attrs
        created[dim].attrs.update({key: value for key, value in pieces[0][dim].attrs.items() if key not in told})
        return created
    return _names(pieces, dim) if all(dim in piece.indexes for piece in pieces) else xr.Coordinates()


def _names(pieces: Sequence[xr.DataArray], dim: Hashable) -> xr.Coordinates:
    """Return the names of pieces along an axis, each once, with the coordinates along it that all pieces have."""
    parts, known = [], pieces[0].indexes[dim][:0]
    for piece in pieces:
        new = np.flatnonzero(~piece.indexes[dim].isin(known))
        parts.append(piece.isel({dim: new}))
        known = known.append(parts[-1].indexes[dim])
    variables: dict[Hashable, Any] = {
        name: xr.Variable(dim, np.concatenate([part.coords[name].values for part in parts]), coordinate.attrs)
        for name, coordinate in pieces[0].coords.items()
        if coordinate.dims == (dim,) and all(name in part.coords for part in parts)
    }
    return xr.Coordinates(variables)


def _distance(pieces: Sequence[xr.DataArray], dim: Hashable) -> float | None:
    """Return how far apart the nearest two labels of pieces lie: planes chosen one by one tell their size together."""
    labels = _apart([piece.coords[dim].values for piece in pieces if dim in piece.coords])
    return float(np.diff(labels).min()) if labels.size > 1 and labels.dtype.kind in "iuf" else None


def _apart(labels: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """Return the labels of some positions, rising; numbers that differ by no more than rounding are one."""
    found = np.unique(np.concatenate([np.ravel(each) for each in labels])) if labels else np.empty(0)
    if found.dtype.kind != "f" or not found.size:
        return found
    apart: npt.NDArray[np.bool_] = np.diff(found, prepend=-np.inf) > _ROUNDING * np.abs(found).max()
    return found[apart]


_ROUNDING: Final = 1e-9


def _joined(lattices: Sequence[tuple[int, Lattice]], dim: Hashable) -> Lattice:
    """Return the shortest run of pixels that holds those of some pieces, each with its number."""
    (_, whole), *others = lattices
    for index, lattice in others:
        try:
            whole = whole.joined(lattice, "outer")
        except NgioValueError as error:
            raise NgioValueError(f"images[{index}] and those before do not fit along '{dim}': {error}") from None
    return whole


def _common_scalars(pieces: Sequence[xr.DataArray]) -> dict[Hashable, xr.Variable]:
    """Return the scalar coordinates that all pieces have in common."""
    return {
        name: coordinate.variable
        for name, coordinate in pieces[0].coords.items()
        if not coordinate.dims
        and all(name in piece.coords and coordinate.variable.identical(piece.coords[name].variable) for piece in pieces)
    }


def _parts(canvas: xr.DataArray, pieces: Sequence[xr.DataArray], ground: str) -> list[Part]:
    """Return the pixels of all pieces, and where they go; what lies outside of the ground is left out."""
    parts, missed = [], None
    for index, piece in enumerate(pieces):
        try:
            parts += fitted(canvas, piece) if piece.size else []
        except NgioEmptyRegionError as error:
            missed = error
        except NgioValueError as error:
            raise NgioValueError(f"images[{index}] does not fit the pixels of {ground}: {error}") from None
    if canvas.size and not parts:
        raise missed or NgioValueError("images must have a channel that like has, or whatever it has names of")
    return parts


def _chunks(parts: Sequence[Part], shape: tuple[int, ...]) -> Chunks:
    """Return the chunks of a canvas: along each axis as large as those of the first lazy piece that has it."""
    sizes = []
    for axis, size in enumerate(shape):
        found = (
            max(part.pixels.chunks[axis])
            for part in parts
            if isinstance(part.pixels, da.Array) and part.pixels.shape[axis] == _length(part.window[axis])
        )
        sizes.append(next(found, max(size, 1)))
    return normalize_chunks(tuple(sizes), shape)  # type: ignore[no-any-return]


def _length(side: slice) -> int:
    return int(side.stop - side.start)


def _in_memory(parts: Sequence[Part], shape: tuple[int, ...], fill: Any, how: How) -> npt.NDArray[Any]:
    """Return a canvas, made block by block, so that sums take no more memory than pixels."""
    try:
        pixels = np.full(shape, fill)
    except (MemoryError, ValueError):
        raise NgioValueError(
            f"images lie so far apart that the result would have {shape} pixels: pass the canvas as like="
        ) from None
    ends = ends_of_chunks(normalize_chunks("auto", shape, limit=BLOCK_BYTES, dtype=pixels.dtype))
    for box, met in _blocks(parts, ends).values():
        values = [reading_part(parts[index].pixels, [], source, pixels.dtype) for index, _, source in met]
        pixels[box] = _merged(pixels[box].shape, fill, how, [target for _, target, _ in met], values)
    return pixels


def _lazily(parts: Sequence[Part], chunks: Chunks, fill: Any, how: How) -> da.Array:
    """Return a canvas with one task for each chunk."""
    name = f"mosaic-{tokenize(parts, chunks, fill, how)}"
    ends = ends_of_chunks(chunks)
    blocks = _blocks(parts, ends)
    theirs = [ends_of_chunks(part.pixels.chunks) if isinstance(part.pixels, da.Array) else [] for part in parts]
    graph: dict[Any, Any] = {}
    for at in product(*(range(len(each)) for each in chunks)):
        size = [sizes[k] for sizes, k in zip(chunks, at, strict=True)]
        _, met = blocks.get(at, ((), []))
        values = [reading_part(parts[index].pixels, theirs[index], source, fill.dtype) for index, _, source in met]
        graph[name, *at] = (_merged, size, fill, how, [target for _, target, _ in met], values)
    lazy = [part.pixels for part in parts if isinstance(part.pixels, da.Array)]
    layers = HighLevelGraph.from_collections(name, graph, dependencies=lazy)  # type: ignore[arg-type]
    return da.Array(layers, name, chunks, dtype=fill.dtype)


def _blocks(
    parts: Sequence[Part], ends: Sequence[Sequence[int]]
) -> dict[Block, tuple[Window, list[tuple[int, Window, Window]]]]:
    """Return where each block lies that pieces meet, and which pieces these are.

    A piece is told by its number, where in the block it goes, and which part of it that is.
    """
    found: dict[Block, tuple[Window, list[tuple[int, Window, Window]]]] = {}
    for index, part in enumerate(parts):
        for at, box, target, source in parts_in(ends, part.window):
            found.setdefault(at, (box, []))[1].append((index, target, source))
    return found


def _merged(
    shape: Sequence[int], fill: Any, how: How, targets: Sequence[Window], pieces: Sequence[npt.NDArray[Any]]
) -> npt.NDArray[Any]:
    """Return a block with pieces in it."""
    block = np.full(shape, fill)
    placed = [
        (target, np.broadcast_to(piece, block[target].shape)) for target, piece in zip(targets, pieces, strict=True)
    ]
    if how == "mean":
        return _means(block, placed)
    if how in ("last", "first"):
        for target, piece in placed if how == "last" else reversed(placed):
            block[target] = piece
        return block
    extreme = np.maximum if how == "max" else np.minimum
    covered = np.zeros(shape, bool)
    for target, piece in placed:
        block[target] = np.where(covered[target], extreme(block[target], piece), piece)
        covered[target] = True
    return block


def _means(block: npt.NDArray[Any], placed: Sequence[tuple[Window, npt.NDArray[Any]]]) -> npt.NDArray[Any]:
    """Return a block with the means of pieces where they lie.

    Integers are summed as quotients and remainders by the number of pieces, so that no sum is too large for its type.
    """
    dtype = block.dtype
    wide = np.result_type(dtype, np.float64) if dtype.kind in "fc" else np.dtype(f"{dtype.kind}8")
    count = np.zeros(block.shape, wide if dtype.kind in "iu" else np.int64)
    for target, _ in placed:
        count[target] += count.dtype.type(1)
    covered = count > 0
    number = np.maximum(count, 1)
    total, rest = np.zeros(block.shape, wide), np.zeros(block.shape, wide)
    with np.errstate(over="ignore", invalid="ignore"):  # of the largest numbers, and of infinities of both signs
        for target, piece in placed:
            values = piece.astype(wide)
            if dtype.kind in "fc":
                total[target] += values
            else:
                quotient, remainder = np.divmod(values, number[target])
                total[target] += quotient
                rest[target] += remainder
    if dtype.kind in "iu":
        more, rest = np.divmod(rest, number)
        total += more
        # Above the half, or at it and not below zero: away from zero.
        total += ((2 * rest > number) | ((2 * rest == number) & (total >= 0))).astype(wide)
    else:
        total /= number
    np.copyto(block, total, where=covered, casting="same_kind")
    return block
