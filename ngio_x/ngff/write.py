"""Labelled arrays as OME-Zarr images."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from ngio_x._frozen import evolve, named
from ngio_x.arrays.lazy import is_lazy
from ngio_x.errors import NgioValueError
from ngio_x.metadata.channels import Channel
from ngio_x.metadata.frame import Frame
from ngio_x.ngff.attributes import ZARR_FORMATS, Version, write_attributes
from ngio_x.ngff.documents import LabelList
from ngio_x.ngff.draft import ByAxis, Storage, draft_image
from ngio_x.ngff.fill import Report, described, fill
from ngio_x.ngff.given import given_image, given_labels, require_numbers
from ngio_x.ngff.label_images import draft_labels, for_labels, given_by_name
from ngio_x.ngff.store import StoreLike, new_group
from ngio_x.pyramid.builder import to_dtype_name
from ngio_x.pyramid.progress import Progress
from ngio_x.resample.kernels import Order


def write_ome_zarr(
    image: xr.DataArray | xr.Dataset | xr.DataTree,
    store: StoreLike,
    *,
    version: Version = "0.5",
    levels: int | None = None,
    scale_factors: Sequence[float] | Mapping[str, float] | None = None,
    frame: Frame | None = None,
    order: Order | None = None,
    chunks: ByAxis | None = None,
    shards: ByAxis | str | None = None,
    compressors: Any = "auto",
    labels: Mapping[str, xr.DataArray] | None = None,
    name: str | None = None,
    channels: Sequence[str | Channel] | None = None,
    keep_objects: bool = False,
    overwrite: bool = False,
    progress: Progress = False,
) -> None:
    """Write a labelled image as a multi-resolution OME-Zarr image.

    At a local path the image appears only when it is complete; elsewhere its metadata is written last.

    Args:
        image: An array (numpy or dask, larger than memory if need be) with axes among t, c, z, y, x, in any order; y
            and x are needed. Or a Dataset of one image and its labels, which are written, too. Or a tree as
            `open_ome_zarr` gives it, cropped or otherwise changed, with its labels and what its attributes say.
        store: Where to: a path, a URL, a zarr store, or an empty zarr group.
        version: OME-NGFF `"0.4"` (zarr format 2) or `"0.5"` (zarr format 3).
        levels: Number of levels. By default a tree keeps its own, and of an array as many are made as bring y and x
            down to 256 pixels.
        scale_factors: Factor from one level to the next, by axis, or one for each axis in their order. By default 2 for
            y and x.
        frame: Which point of pixel 0 the translation of level 0 speaks of: `"corner"` or `"center"`. By default as in
            the file that a tree comes from, else `"corner"`.
        order: A kernel of `numpy_zoom`; by default nearest for label and boolean images, else linear.
        chunks: Chunk sizes by axis, or one for each axis in their order. By default those on disk of what was opened
            and not computed since, else 1024 for y and x, 1 for the others.
        shards: Shard sizes likewise, multiples of the chunks; `"auto"` makes shards of about 32 MiB. Version 0.5 only.
            By default those on disk, as for chunks, where these are not given; else none.
        compressors: As in `zarr.create_array`.
        labels: Label images to add, by name; see `write_labels`.
        name: Name of the image; by default that of the array or tree.
        channels: One name, or `Channel` with colour and limits, for each channel. By default the names along c. Colours
            and limits are those that the array's coordinates tell (see `channels_of`), or that suit the pixels.
        keep_objects: Of all label images among these: put objects back that a coarser level has lost; see
            `write_labels`. Labels of a tree that were written so stay so without being asked for.
        overwrite: Replace a zarr hierarchy that is there already.
        progress: True shows a bar on standard error; a function is called with `(done, total)` write units.

    Raises:
        NgioFileExistsError: If something is there and `overwrite` is False, or it is not a zarr hierarchy.
        NgioValueError: If the image cannot be an OME-NGFF image, or an argument makes no sense.
        NgioTypeError: If `image` is not a DataArray of numbers, nor a Dataset or tree of such.
    """
    whole = given_image(image, asks=order is None)
    storage = Storage(version, chunks, shards, compressors).named(whole.axes)
    draft = draft_image(
        whole,
        storage,
        levels=levels,
        scale_factors=scale_factors,
        frame=frame,
        order=order,
        name=name,
        channels=channels,
        keep_objects=keep_objects,
    )
    shapes = [level.shape for level in draft.builder.levels]
    added = {
        key: draft_labels(
            given, key, for_labels(storage, given, draft), draft.image, shapes, frame=frame, keep_objects=keep_objects
        )
        for key, given in {**given_labels(image), **given_by_name(labels)}.items()
    }
    drafts = [draft, *added.values()]
    if keep_objects and all(each.image.label is None for each in drafts):
        raise NgioValueError("keep_objects=True is for label images, and there are none: make them with as_labels")
    report = Report(progress, drafts)
    lazy = any(is_lazy(level) for each in drafts for level in each.pixels)
    with new_group(store, ZARR_FORMATS[version], overwrite=overwrite, lazy=lazy) as group:
        document = fill(draft, group, report)
        if added:
            folder = group.create_group("labels")
            for key, each in added.items():
                inside = folder.create_group(key)
                inside.attrs.put(write_attributes(fill(each, inside, report), version))
            folder.attrs.put(write_attributes(LabelList(tuple(added)), version))
        group.attrs.put(write_attributes(document, version))


def derive(
    image: xr.DataArray | xr.DataTree,
    store: StoreLike,
    *,
    dtype: Any = None,
    version: Version = "0.5",
    levels: int | None = None,
    scale_factors: Sequence[float] | Mapping[str, float] | None = None,
    frame: Frame | None = None,
    order: Order | None = None,
    chunks: ByAxis | None = None,
    shards: ByAxis | str | None = None,
    compressors: Any = "auto",
    name: str | None = None,
    channels: Sequence[str | Channel] | None = None,
    overwrite: bool = False,
) -> None:
    """Make an empty OME-Zarr image on the lattice of another, for results of processing; no pixel is written.

    Its pixels are 0 until `write_region` writes them. Arguments that are not named here are those of `write_ome_zarr`.

    Args:
        image: An array, or a tree, whose levels (but not its labels) the new image has.
        store: Where to.
        dtype: Of the new image; by default that of `image`.
        version: See `write_ome_zarr`.
        levels: See `write_ome_zarr`.
        scale_factors: See `write_ome_zarr`.
        frame: See `write_ome_zarr`.
        order: How the levels are to be made of level 0, once it has pixels.
        chunks: See `write_ome_zarr`.
        shards: See `write_ome_zarr`.
        compressors: See `write_ome_zarr`.
        name: See `write_ome_zarr`.
        channels: See `write_ome_zarr`. Where they are not given, and `dtype` is another, limits are those of that.
        overwrite: See `write_ome_zarr`.

    Raises:
        NgioFileExistsError: As `write_ome_zarr`.
        NgioValueError: As `write_ome_zarr`.
        NgioTypeError: As `write_ome_zarr`.
    """
    draft = draft_image(
        given_image(image, asks=order is None),
        Storage(version, chunks, shards, compressors),
        levels=levels,
        scale_factors=scale_factors,
        frame=frame,
        order=order,
        name=name,
        channels=channels,
    )
    builder = draft.builder if dtype is None else evolve(draft.builder, data_type=named("dtype", to_dtype_name)(dtype))
    require_numbers(np.dtype(builder.data_type))
    with new_group(store, builder.zarr_format, overwrite=overwrite) as group:
        builder.to_zarr(group)
        known = draft.channels
        if builder.data_type != draft.builder.data_type:
            asked = itertools.repeat(None) if channels is None else channels
            known = tuple(
                own if isinstance(item, Channel) else own._replace(limits=None, display=None)
                for own, item in zip(known, asked, strict=False)
            )
        nothing = np.zeros((len(known), 0), builder.data_type)
        document = evolve(draft.image, channels=described(known, nothing))
        if np.dtype(builder.data_type).kind not in "iu":
            document = evolve(document, label=None)  # label images hold integers
        group.attrs.put(write_attributes(document, version))
