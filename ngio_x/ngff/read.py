"""OME-Zarr images as trees of labelled arrays."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, Literal

import dask.array as da
import numpy as np
import xarray as xr
import zarr
from dask.array.core import normalize_chunks
from zarr.errors import ContainsArrayError
from zarr.storage import StorePath

from ngio_x._frozen import evolve
from ngio_x.arrays.image import LABELS, ROLE
from ngio_x.arrays.lattice import Lattice, anchor_of
from ngio_x.arrays.pixel_index import PixelIndex
from ngio_x.errors import NgioValidationError, NgioValueError
from ngio_x.metadata.axes import Axis
from ngio_x.metadata.frame import Frame
from ngio_x.ngff.multiscales import Multiscales, from_attributes
from ngio_x.ngff.store import StoreLike, open_group
from ngio_x.ngff.write import array_at, label_names, member
from ngio_x.pyramid.create import warn_if_unfinished
from ngio_x.pyramid.marker import warn_if_rebuilding
from ngio_x.pyramid.places import directory_of

_AUTO_CHUNK_BYTES = 16 * 2**20


def open_ome_zarr(
    store: StoreLike,
    *,
    chunks: Literal["auto"] | Mapping[str, int] = "auto",
    frame: Frame | None = None,
) -> xr.DataTree:
    """Open an OME-Zarr image as a tree of lazy, labelled arrays; no pixel is read.

    Nodes `/0`, `/1`, … (finest first) hold the variable `image`; `/labels/<name>/0`, … the variable `<name>`. The path
    of each array on disk is the node's attribute `path`.

    Args:
        store: A path, a URL, a zarr store, or an open group.
        chunks: Sizes of the dask blocks by axis; `"auto"` takes whole chunks of the store, about 16 MiB together.
        frame: Which point of pixel 0 the translation of level 0 speaks of, `"corner"` or `"center"`. By default what
            the file says, if ngio_x wrote it, else `"corner"`.

    Raises:
        NgioFileNotFoundError: If there is no zarr group.
        NgioValueError: If `chunks` or `frame` make no sense.
        NgioValidationError: If it is no OME-NGFF 0.4 or 0.5 image, or its metadata and arrays do not fit.
    """
    group = open_group(store)
    warn_if_unfinished(group)
    image, parent = described(group, frame)
    nodes: dict[str, xr.Dataset] = {"/": xr.Dataset(attrs=_facts(image))}
    nodes |= _levels(group, image, parent, "/", "image", chunks)
    folder = group.get("labels")
    if isinstance(folder, zarr.Group):
        for name in label_names(folder):
            label_group = member(folder, name)
            if not isinstance(label_group, zarr.Group):
                raise NgioValidationError(f"{folder.store_path} lists the labels {name!r}, but has no such group")
            warn_if_unfinished(label_group)
            labels, _ = described(label_group, frame, image)
            nodes[f"/labels/{name}"] = xr.Dataset(attrs=_facts(labels))
            nodes |= _levels(label_group, labels, image, f"/labels/{name}/", name, chunks)
    return xr.DataTree.from_dict(nodes, name=image.name)


def described(
    group: zarr.Group, frame: Frame | None = None, parent: Multiscales | None = None
) -> tuple[Multiscales, Multiscales]:
    """Return what the attributes of a group say, and the image that its translations are relative to.

    Args:
        group: Of an image, or of a label image.
        frame: The frame that an explicit value asks for. By default what the group says, else what its image does.
        parent: The image that a label image belongs to. By default the one in whose `labels` it stands, if it does; an
            image belongs to itself.

    Raises:
        NgioValidationError: If they describe no image.
    """
    above = _image_above(group) if parent is None else parent
    found = from_attributes(group.attrs.asdict(), str(group.store_path), "corner" if above is None else above.frame)
    image = evolve(found, frame=frame or found.frame, is_label=found.is_label or above is not None)
    return image, image if above is None else above


def _image_above(group: zarr.Group) -> Multiscales | None:
    """Return the image in whose group `labels` a group stands, where there is one that its store leads to."""
    directory = directory_of(group.store_path)
    path = PurePosixPath(group.store_path.path if directory is None else directory.absolute().as_posix())
    if path.parent.name != "labels":
        return None
    above = StorePath(group.store, "/".join(path.parts[:-2])) if directory is None else str(path.parents[1])
    try:
        image = zarr.open_group(above, mode="r")
        return from_attributes(image.attrs.asdict(), str(image.store_path))
    except (OSError, NgioValidationError, ContainsArrayError):
        return None


def _facts(image: Multiscales) -> dict[str, Any]:
    """Return what the metadata says beyond the coordinates, as JSON-able attributes."""
    facts: dict[str, Any] = {"version": image.version}
    if image.name is not None:
        facts["name"] = image.name
    if image.channels:
        facts["channels"] = [
            {
                "label": channel.label,
                "color": channel.color,
                "limits": list(channel.limits),
                "display": list(channel.display),
            }
            for channel in image.channels
        ]
    return facts


def _levels(
    group: zarr.Group,
    image: Multiscales,
    parent: Multiscales,
    prefix: str,
    name: str,
    chunks: Literal["auto"] | Mapping[str, int],
) -> dict[str, xr.Dataset]:
    nodes = {}
    axes, arrays = image.axes_handler.axes, [array_at(group, dataset.path) for dataset in image.datasets]
    require_levels(arrays, image.axes_handler.axes_names)
    warn_if_rebuilding(arrays, stacklevel=3)
    for index, (dataset, edge, array) in enumerate(zip(image.datasets, image.edges(parent), arrays, strict=True)):
        pixels = _dask_array(array, image.axes_handler.axes_names, chunks)
        coords = coords_of(axes, array.shape, dataset.scale, edge, image)
        facts = {ROLE: LABELS} if image.is_label else {}
        labelled = xr.DataArray(pixels, dims=image.axes_handler.axes_names, coords=coords, attrs=facts)
        nodes[f"{prefix}{index}"] = xr.Dataset({name: labelled}, attrs={"path": dataset.path})
    return nodes


def require_levels(arrays: Sequence[zarr.Array[Any]], names: tuple[str, ...]) -> None:
    """Raise unless the arrays have the axes that are named, and go from fine to coarse."""
    for array in arrays:
        if array.ndim != len(names):
            raise NgioValidationError(f"{array.store_path} has {array.ndim} dimensions, but its metadata names {names}")
    for finer, coarser in itertools.pairwise(arrays):
        for name, n, m in zip(names, finer.shape, coarser.shape, strict=True):
            if m > n:
                raise NgioValidationError(
                    f"the levels must be listed from fine to coarse: along axis '{name}', {coarser.store_path} has {m} "
                    f"pixels after {n} in {finer.store_path}"
                )


def coords_of(
    axes: tuple[Axis, ...],
    shape: tuple[int, ...],
    scale: tuple[float, ...],
    edge: tuple[float, ...],
    image: Multiscales,
) -> xr.Coordinates:
    """Return the lattices of a level, and the names of its channels, if there is one for each."""
    coords = xr.Coordinates()
    for axis, size, spacing, origin in zip(axes, shape, scale, edge, strict=True):
        if axis.axis_type != "channel":
            lattice = Lattice(origin, spacing, size, anchor=anchor_of(axis.axis_type), unit=axis.unit)
            coords = coords.assign(xr.Coordinates.from_xindex(PixelIndex(lattice, axis.name)))
        elif len(image.channels) == size:
            labels = np.asarray([channel.label for channel in image.channels], dtype=np.str_)
            coords = coords.assign({axis.name: (axis.name, labels)})
    return coords


def _dask_array(
    array: zarr.Array[Any], names: tuple[str, ...], chunks: Literal["auto"] | Mapping[str, int]
) -> da.Array:
    if chunks == "auto":
        sizes = normalize_chunks(
            "auto",
            array.shape,
            limit=_AUTO_CHUNK_BYTES,
            dtype=array.dtype,
            previous_chunks=array.shards or array.chunks,
        )
    elif isinstance(chunks, Mapping):
        if unknown := [axis for axis in chunks if axis not in names]:
            raise NgioValueError(f"chunks names axis {unknown[0]!r}, but the image has {names}")
        given = tuple(chunks.get(name, size) for name, size in zip(names, array.chunks, strict=True))
        sizes = normalize_chunks(given, array.shape, dtype=array.dtype)
    else:
        raise NgioValueError(f"chunks must be 'auto' or sizes by axis, got {chunks!r}")
    pixels: da.Array = da.from_zarr(array, chunks=sizes)
    return pixels
