"""OME-Zarr images, wells and plates as trees of labelled arrays."""

from __future__ import annotations

import itertools
import numbers
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
import xarray as xr
import zarr
from xarray.indexes import PandasIndex

from ngio_x._frozen import shown
from ngio_x.arrays.channels import TEXT, channel_coordinates
from ngio_x.arrays.lattice import Lattice, anchor_of
from ngio_x.arrays.pixel_index import PixelIndex
from ngio_x.arrays.roles import IMAGE as IMAGE_ROLE
from ngio_x.arrays.roles import LABELS, role_attrs
from ngio_x.errors import NgioValidationError, NgioValueError
from ngio_x.metadata.channels import KnownChannel
from ngio_x.metadata.frame import Frame, to_frame
from ngio_x.ngff.documents import Multiscales
from ngio_x.ngff.facts import facts_of
from ngio_x.ngff.hierarchy import Hierarchy, Picture, read_hierarchy
from ngio_x.ngff.pixels import ChunksByAxis, dask_pixels, lazy_pixels
from ngio_x.ngff.store import StoreLike, open_group
from ngio_x.pyramid.create import warn_if_unfinished
from ngio_x.pyramid.marker import warn_if_rebuilding

IMAGE = "image"
"""The variable that holds the pixels of an image; those of labels are called as the label image is."""

Pixels: TypeAlias = Callable[[zarr.Array[Any], tuple[str, ...]], Any]
"""Makes the pixels of a variable from an array on disk and the names of its axes."""


def open_ome_zarr(
    store: StoreLike,
    *,
    chunks: ChunksByAxis = "auto",
    frame: Frame | None = None,
    images: str = "*",
    storage_options: Mapping[str, Any] | None = None,
) -> xr.DataTree:
    """Open an OME-Zarr image, well or plate as a tree of lazy, labelled arrays; no pixel is read.

    Nodes `/0`, `/1`, … (finest first) hold the variable `image`; `/labels/<name>/0`, … the variable `<name>`. The path
    of each array on disk is the node's attribute `path`. Images of wells and plates are such trees below `/<image>` and
    `/<row>/<column>/<image>`. What the metadata say besides stands in the attributes of the image's node: `version`,
    `name`, `kernel`, …; of channels, coordinates along c tell: see `channels_of`.

    Args:
        store: A path, also of a zip file, a URL, a zarr store, or an open group.
        chunks: Sizes of the dask blocks: by axis (whole chunks of the store along others, so with `{}` along all), in
            the order of the image's axes, or one for all axes; -1 is all pixels. `"auto"` takes whole chunks of the
            store, about 16 MiB together. None gives arrays that are read when their values are asked for, without dask.
        frame: Which point of pixel 0 the translation of level 0 speaks of, `"corner"` or `"center"`. By default what
            the file says, if ngio_x wrote it, else `"corner"`.
        images: Of a well or a plate: which images to open, by their path, such as `"B/*/0"` (`*` matches anything).
        storage_options: Of a URL: what its file system needs to know, as in `fsspec`.

    Raises:
        NgioFileNotFoundError: If there is no zarr group.
        NgioValueError: If an argument makes no sense.
        NgioValidationError: If it is no OME-NGFF image, well or plate of versions 0.1 to 0.6, or its metadata and
            arrays do not fit; naming every rule of the specification that a document breaks.
    """
    hierarchy = hierarchy_at(store, frame, images, storage_options)
    if chunks is None:
        return tree_of(hierarchy, lambda array, _: lazy_pixels(array))
    sizes = _sizes(chunks, hierarchy.pictures)
    return tree_of(hierarchy, lambda array, names: dask_pixels(array, names, sizes))


def _sizes(chunks: Any, pictures: Sequence[Picture]) -> Literal["auto"] | Mapping[str, int]:
    """Return sizes of blocks by axis, or that they are to be chosen.

    Raises:
        NgioValueError: If they are given otherwise, along an axis that neither images nor labels have, or in the order
            of axes where images differ in these.
    """
    orders = tuple(dict.fromkeys(picture.parent.axes_handler.axes_names for picture in pictures))
    known = tuple(dict.fromkeys(itertools.chain.from_iterable(orders)))
    if isinstance(chunks, str) and chunks == "auto":
        return "auto"
    if not isinstance(chunks, bool) and isinstance(chunks, numbers.Integral):
        return dict.fromkeys(known, int(chunks))
    if isinstance(chunks, (tuple, list)):
        if any(len(order) != len(chunks) for order in orders) or len(orders) > 1:
            axes = " and ".join(map(str, orders))
            raise NgioValueError(
                f"chunks must be one size for each axis of {axes}, got {shown(chunks)}: give them by axis"
            )
        return dict(zip(known, chunks, strict=False))  # of no image, there are no axes
    if not isinstance(chunks, Mapping):
        raise NgioValueError(f"chunks must be 'auto', sizes by axis, one for all axes, or None, got {shown(chunks)}")
    if unknown := [axis for axis in chunks if axis not in known]:
        raise NgioValueError(f"chunks names axis {unknown[0]!r}, but the image has {known}")
    return chunks


def hierarchy_at(
    store: StoreLike, frame: Frame | None, images: str = "*", storage_options: Mapping[str, Any] | None = None
) -> Hierarchy:
    """Return what lies at a store; warn of what is being rebuilt, or was left so."""
    if frame is not None:
        to_frame(frame)
    group = open_group(store, storage_options=storage_options)
    warn_if_unfinished(group.store_path)
    hierarchy = read_hierarchy(group, frame, images)
    for node in (picture.node for picture in hierarchy.pictures if picture.node):
        warn_if_unfinished(group.store_path / node)
    warn_if_rebuilding([array for picture in hierarchy.pictures for array in picture.arrays])
    return hierarchy


def tree_of(hierarchy: Hierarchy, pixels: Pixels) -> xr.DataTree:
    """Return a tree whose arrays hold what `pixels` makes of an array on disk and the names of its axes."""
    nodes: dict[str, xr.Dataset] = {}
    for node, described in hierarchy.described.items():
        nodes[node] = xr.Dataset(attrs=facts_of(described.document, described.version))  # type: ignore[arg-type]
    for picture in hierarchy.pictures:
        nodes[picture.node] = xr.Dataset(attrs=facts_of(picture.image, picture.version))
        for level, edges in enumerate(picture.edges):
            nodes[f"{picture.node}/{level}".lstrip("/")] = _dataset(picture, level, edges, pixels)
    return _planted(nodes)


def _planted(nodes: Mapping[str, xr.Dataset]) -> xr.DataTree:
    """Return the tree of some nodes by path, called as the image at its root is.

    It is that of `DataTree.from_dict`, which copies every node twice more.
    """
    ways = (("", *itertools.accumulate(path.split("/"), "{}/{}".format)) for path in nodes)
    trees = {path: xr.DataTree(nodes.get(path)) for path in dict.fromkeys(itertools.chain.from_iterable(ways))}
    below: dict[str, dict[str, xr.DataTree]] = {}
    for path, tree in trees.items():
        above, _, name = path.rpartition("/")
        if name:
            below.setdefault(above, {})[name] = tree
    for path, children in below.items():  # from the root on, for what is put below a node is compared with all above it
        trees[path].children = children
    called = nodes[""].attrs.get("name") if "" in nodes else None
    trees[""].name = None if called is None or "/" in called else called  # of a node, it would be a path
    return trees[""]


def level_dataset(picture: Picture, level: int, pixels: Pixels) -> xr.Dataset:
    """Return a level of an image, with its coordinates and its path on disk."""
    return _dataset(picture, level, picture.edges[level], pixels)


def _dataset(
    picture: Picture,
    level: int,
    edges: Sequence[float],
    pixels: Pixels,
) -> xr.Dataset:
    image, array = picture.image, picture.arrays[level]
    names = image.axes_handler.axes_names
    name = variable_of(picture)
    attrs: dict[str, Any] = dict(role_attrs(IMAGE_ROLE if image.label is None else LABELS, array.dtype))
    unit = array.shards or array.chunks
    preferred: dict[Any, int] = dict(zip(names, unit, strict=True))
    encoding = {"chunks": array.chunks, "shards": array.shards, "preferred_chunks": preferred}
    variable = xr.Variable(names, pixels(array, names), attrs, encoding)
    # Made of coordinates that are no coordinates any more: xr.Dataset would copy and compare what fits anyhow.
    variables, indexes = _coords(picture, level, edges)
    for key in variables.keys() - indexes.keys():  # facts of channels, in blocks as the image: else map_blocks refuses
        fact = variables[key]
        fact.encoding["preferred_chunks"] = {dim: preferred[dim] for dim in fact.dims}
    dataset = xr.Coordinates({name: variable, **variables}, indexes).to_dataset().reset_coords(name)
    dataset.attrs["path"] = image.datasets[level].path
    return dataset


def variable_of(picture: Picture) -> str:
    """Return the name of the variable that holds the pixels of an image or of labels.

    Raises:
        NgioValidationError: If that is what one of the axes is called.
    """
    name = IMAGE if picture.labels is None else picture.labels.rpartition("/")[2]
    if name not in picture.image.axes_handler.axes_names:
        return name
    if picture.labels is None:
        raise NgioValidationError(f"an axis is called '{IMAGE}', as the pixels are: rename it in the metadata")
    raise NgioValidationError(f"labels '{name}' are called as one of their axes is: open that group by itself")


def _coords(picture: Picture, level: int, edges: Sequence[float]) -> tuple[dict[Any, xr.Variable], dict[Any, xr.Index]]:
    image: Multiscales = picture.image
    variables: dict[Any, xr.Variable] = {}
    indexes: dict[Any, xr.Index] = {}
    shape, scale = picture.arrays[level].shape, image.datasets[level].scale
    for axis, size, spacing, origin in zip(image.axes_handler.axes, shape, scale, edges, strict=True):
        if axis.axis_type != "channel":
            lattice = Lattice(origin, spacing, size, anchor=anchor_of(axis.axis_type), unit=axis.unit)
            index = indexes[axis.name] = PixelIndex(lattice, axis.name)
            variables |= index.create_variables()
        elif len(image.channels) == size:
            labels = np.asarray([channel.label for channel in image.channels], dtype=np.str_)
            names = indexes[axis.name] = PandasIndex(labels, axis.name, coord_dtype=labels.dtype)
            variables |= names.create_variables({axis.name: xr.Variable(axis.name, labels, encoding=TEXT)})
            variables |= _channel_facts(image, axis.name)
    if len(image.channels) == 1 and image.label is None and "c" not in image.axes_handler.axes_names:
        variables |= {"c": xr.Variable((), image.channels[0].label, encoding=TEXT), **_channel_facts(image, None)}
    return variables, indexes


def _channel_facts(image: Multiscales, axis: str | None) -> dict[str, xr.Variable]:
    """Return what an image says of its channels as coordinates along an axis, or of its only one."""
    return channel_coordinates([KnownChannel.from_channel(channel) for channel in image.channels], axis)
