"""Labelled arrays as OME-Zarr images."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import xarray as xr
import zarr

from ngio_x._frozen import evolve, named, shown
from ngio_x.arrays.image import as_labels, dimensions_of, lattice_of
from ngio_x.errors import NgioFileExistsError, NgioTypeError, NgioValueError
from ngio_x.metadata.channels import Channel, channels_of
from ngio_x.metadata.frame import Frame
from ngio_x.ngff.attributes import ZARR_FORMATS, Version, write_attributes
from ngio_x.ngff.documents import ImageLabel, LabelList, Multiscales
from ngio_x.ngff.draft import ByAxis, Draft, Storage, count_units, draft_image
from ngio_x.ngff.given import Given, as_label_image, given_image, given_labels, require_numbers
from ngio_x.ngff.hierarchy import Picture, label_paths, read_image
from ngio_x.ngff.problems import to_relative
from ngio_x.ngff.store import StoreLike, new_group, open_group, renew_consolidated
from ngio_x.pyramid.build import build_pyramid
from ngio_x.pyramid.progress import Progress, shower
from ngio_x.resample.kernels import Order


def write_ome_zarr(
    image: xr.DataArray | xr.DataTree,
    store: StoreLike,
    *,
    version: Version = "0.5",
    levels: int | None = None,
    scale_factors: Mapping[str, float] | None = None,
    frame: Frame | None = None,
    order: Order | None = None,
    chunks: ByAxis | None = None,
    shards: ByAxis | str | None = None,
    compressors: Any = "auto",
    labels: Mapping[str, xr.DataArray] | None = None,
    name: str | None = None,
    channels: Sequence[str | Channel] | None = None,
    overwrite: bool = False,
    progress: Progress = False,
) -> None:
    """Write a labelled image as a multi-resolution OME-Zarr image.

    At a local path the image appears only when it is complete; elsewhere its metadata is written last.

    Args:
        image: An array (numpy or dask, larger than memory if need be) with axes among t, c, z, y, x, in any order; y
            and x are needed. Or a tree as `open_ome_zarr` gives it, cropped or otherwise changed; its labels are
            written, too, and what its attributes say.
        store: Where to: a path, a URL, a zarr store, or an empty zarr group.
        version: OME-NGFF `"0.4"` (zarr format 2) or `"0.5"` (zarr format 3).
        levels: Number of levels. By default a tree keeps its own, and of an array as many are made as bring y and x
            down to 256 pixels.
        scale_factors: Factor from one level to the next, by axis. By default 2 for y and x.
        frame: Which point of pixel 0 the translation of level 0 speaks of: `"corner"` or `"center"`. By default as in
            the file that a tree comes from, else `"corner"`.
        order: A kernel of `numpy_zoom`; by default nearest for label and boolean images, else linear.
        chunks: Chunk sizes by axis. By default those on disk of what was opened and not computed since, else 1024 for y
            and x, 1 for the others.
        shards: Shard sizes by axis, multiples of the chunks; `"auto"` makes shards of about 32 MiB. Version 0.5 only.
            By default those on disk, as for chunks, where these are not given; else none.
        compressors: As in `zarr.create_array`.
        labels: Label images to add, by name; see `write_labels`.
        name: Name of the image; by default that of the array or tree.
        channels: One name, or `Channel` with colour and limits, for each channel. By default the names along c, with
            colours and limits that the array's attributes know or that suit the pixels.
        overwrite: Replace a zarr hierarchy that is there already.
        progress: True shows a bar on standard error; a function is called with `(done, total)` write units.

    Raises:
        NgioFileExistsError: If something is there and `overwrite` is False, or it is no zarr hierarchy.
        NgioValueError: If the image cannot be an OME-NGFF image, or an argument makes no sense.
        NgioTypeError: If `image` is no DataArray of numbers, nor a tree of such.
    """
    storage = Storage(version, chunks, shards, compressors)
    draft = draft_image(
        given_image(image),
        storage,
        levels=levels,
        scale_factors=scale_factors,
        frame=frame,
        order=order,
        name=name,
        channels=channels,
    )
    shapes = [level.shape for level in draft.builder.levels]
    added = {
        key: _draft_labels(given, key, _for_labels(storage, given, draft), draft.image, shapes, frame)
        for key, given in {**given_labels(image), **_given_by_name(labels)}.items()
    }
    drafts = [draft, *added.values()]
    report = _Report(progress, drafts)
    lazy = any(_is_lazy(level) for each in drafts for level in each.pixels)
    with new_group(store, ZARR_FORMATS[version], overwrite=overwrite, lazy=lazy) as group:
        document = _fill(draft, group, report)
        if added:
            folder = group.create_group("labels")
            for key, each in added.items():
                inside = folder.create_group(key)
                inside.attrs.put(write_attributes(_fill(each, inside, report), version))
            folder.attrs.put(write_attributes(LabelList(tuple(added)), version))
        group.attrs.put(write_attributes(document, version))


def write_labels(
    labels: xr.DataArray,
    group: StoreLike,
    name: str,
    *,
    frame: Frame | None = None,
    order: Order | None = None,
    chunks: ByAxis | None = None,
    shards: ByAxis | str | None = None,
    compressors: Any = "auto",
    colors: Mapping[int, str | Sequence[int]] | None = None,
    overwrite: bool = False,
    progress: Progress = False,
) -> None:
    """Add a label image to an OME-Zarr image, with as many levels as the image has.

    In a local image it appears, or replaces another, only when it is complete.

    Args:
        labels: Integer array with axes among t, z, y, x. Without any coordinates it lies on level 0 of the image.
        group: The image: a path, a URL, a zarr store, or its open group.
        name: Name of the label image, one path segment.
        frame: As for `open_ome_zarr`: the one that the image was opened with. By default what the image says.
        order: `"nearest"` (default) or `"mode"`.
        chunks: Chunk sizes by axis; see `write_ome_zarr`.
        shards: Shard sizes by axis; see `write_ome_zarr`.
        compressors: As in `zarr.create_array`.
        colors: Colours by label: six hexadecimal digits, or three or four numbers from 0 to 255. Labels that are not
            named are for viewers to colour; some then show only those that are.
        overwrite: Replace a label image of that name.
        progress: True shows a bar on standard error; a function is called with `(done, total)` write units.

    Raises:
        NgioFileExistsError: If there is one of that name and `overwrite` is False.
        NgioValueError: If the array cannot be a label image, or the name is no single path segment.
        NgioTypeError: If it holds no integers.
    """
    parent = open_group(group, "r+")
    picture = read_image(parent)
    version = _written_version(picture)
    shapes = [array.shape for array in picture.arrays]
    storage = Storage(version, chunks, shards, compressors)
    given = Given((as_label_image(labels),), None, {})
    draft = _draft_labels(given, name, storage, picture.image, shapes, frame, order, _label_of(colors))
    label_paths(parent)  # raises before anything is written
    folder = parent.require_group("labels")
    if name in folder and not overwrite:
        raise NgioFileExistsError(f"{folder.store_path} has labels {name!r} already: pass overwrite=True to replace it")
    place = folder.store_path / name
    with new_group(place, ZARR_FORMATS[version], overwrite=overwrite, lazy=_is_lazy(labels)) as inside:
        document = _fill(draft, inside, _Report(progress, [draft]))
        inside.attrs.put(write_attributes(document, version))
    with _LISTING:
        listed = label_paths(parent)  # again: others may have been added meanwhile
        if name not in listed:
            folder.attrs.update(write_attributes(LabelList((*listed, name)), version))
        renew_consolidated(parent)


def derive(
    image: xr.DataArray | xr.DataTree,
    store: StoreLike,
    *,
    dtype: Any = None,
    version: Version = "0.5",
    levels: int | None = None,
    scale_factors: Mapping[str, float] | None = None,
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
        given_image(image),
        Storage(version, chunks, shards, compressors),
        levels=levels,
        scale_factors=scale_factors,
        frame=frame,
        order=order,
        name=name,
        channels=channels,
    )
    builder = draft.builder if dtype is None else evolve(draft.builder, data_type=dtype)
    require_numbers(np.dtype(builder.data_type))
    with new_group(store, builder.zarr_format, overwrite=overwrite) as group:
        builder.to_zarr(group)
        nothing = np.zeros((len(draft.channels), 0), builder.data_type)
        found = _seen(draft.channels, nothing)
        if channels is None and builder.data_type != draft.builder.data_type:
            found = _limited(found, nothing)
        document = evolve(draft.image, channels=found)
        group.attrs.put(write_attributes(document, version))


# ---- Labels

_LISTING: Final = threading.Lock()
"""Held while a label image is added to a list of them."""


def _for_labels(storage: Storage, given: Given, image: Draft) -> Storage:
    """Return how labels are cut that are written with an image: of its axes, they may lack some."""
    lacking = {*image.builder.axes} - {*given.levels[0].dims}

    def kept(sizes: Any) -> Any:
        return {axis: n for axis, n in sizes.items() if axis not in lacking} if isinstance(sizes, Mapping) else sizes

    return storage._replace(chunks=kept(storage.chunks), shards=kept(storage.shards))


def _given_by_name(labels: Mapping[str, Any] | None) -> dict[str, Given]:
    if labels is None:
        return {}
    if not isinstance(labels, Mapping):
        raise NgioTypeError(f"labels must be arrays by name, got {type(labels).__name__}")
    return {name: Given((as_label_image(array),), None, {}) for name, array in labels.items()}


def _draft_labels(
    given: Given,
    name: str,
    storage: Storage,
    image: Multiscales,
    shapes: Sequence[tuple[int, ...]],
    frame: Frame | None,
    order: Order | None = None,
    label: ImageLabel | None = None,
) -> Draft:
    """Return what a label image will be on disk: it has as many levels as its image (a MUST of OME-NGFF)."""
    if not isinstance(name, str) or not name.strip(".") or "/" in name or "\\" in name:
        raise NgioValueError(f"the name of a label image is one path segment, got {name!r}")
    named("the name of a label image", to_relative)(name)
    if name in given.levels[0].dims:
        raise NgioValueError(f"labels '{name}' are called as one of their axes is, {given.levels[0].dims}: rename them")
    given = given._replace(levels=tuple(_on_the_grid_of(image, shapes[0], level) for level in given.levels))
    _require_same_units(given.levels[0], image)
    kept = given.paths is not None and len(given.levels) == len(shapes)
    made = None if kept else _label_shapes(given.levels[0], image, shapes)
    return draft_image(given, storage, shapes=made, frame=frame, order=order, name=name, parent=image, label=label)


def _on_the_grid_of(image: Multiscales, shape: tuple[int, ...], labels: xr.DataArray) -> xr.DataArray:
    """Return labels that have no coordinates at all with those of their image's level 0, of which they have the size.

    Raises:
        NgioValueError: If they have another size: nobody knows where they lie then.
    """
    names, dims = image.axes_handler.axes_names, [str(dim) for dim in labels.dims]
    if any(lattice_of(labels, dim) is not None for dim in dims):
        return labels
    grid = zip(names, shape, image.datasets[0].scale, image.edges()[0], image.axes_handler.axes, strict=True)
    known = {name: (size, spacing, edge, axis.unit) for name, size, spacing, edge, axis in grid if name in dims}
    if wrong := [name for name, (size, *_) in known.items() if size != labels.sizes[name]]:
        raise NgioValueError(
            f"labels without coordinates must have the size of their image, {known[wrong[0]][0]} along '{wrong[0]}', "
            f"got {labels.sizes[wrong[0]]}: place them with as_labels(…, pixel_size=…, origin=…)"
        )
    return as_labels(
        labels,
        pixel_size={name: spacing for name, (_, spacing, _, _) in known.items()},
        origin={name: edge for name, (_, _, edge, _) in known.items()},
        units={name: unit for name, (*_, unit) in known.items() if unit is not None},
    )


def _require_same_units(labels: xr.DataArray, image: Multiscales) -> None:
    from_labels = dimensions_of(labels)
    for axis in from_labels.axes_handler.axes:
        other = image.axes_handler.get_axis(axis.name)
        if other is not None and None not in (axis.unit, other.unit) and axis.unit != other.unit:
            raise NgioValueError(
                f"axis '{axis.name}': the labels are in {axis.unit!r} and the image in {other.unit!r}: "
                "convert the labels"
            )


def _label_shapes(labels: xr.DataArray, image: Multiscales, shapes: Sequence[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """Return level shapes in proportion to those of the image."""
    names = image.axes_handler.axes_names
    ratios = [{axis: n / base for axis, n, base in zip(names, shape, shapes[0], strict=True)} for shape in shapes]
    sizes = [(str(axis), size) for axis, size in labels.sizes.items()]
    return [tuple(max(1, int(size * ratio.get(axis, 1.0))) for axis, size in sizes) for ratio in ratios]


def _label_of(colors: Mapping[int, str | Sequence[int]] | None) -> ImageLabel:
    if colors is None:
        return ImageLabel()
    if not isinstance(colors, Mapping):
        raise NgioValueError(f"colors must be colours by label, got {shown(colors)}")
    return ImageLabel(colors={value: _rgba(color) for value, color in colors.items()})


def _rgba(color: Any) -> Any:
    """Return red, green, blue and alpha of a colour; what is none is refused where it is put."""
    if isinstance(color, str):
        digits = Channel("a", color).color
        return (*(int(digits[k : k + 2], 16) for k in (0, 2, 4)), 255)
    return (*color, 255) if isinstance(color, (list, tuple)) and len(color) == 3 else color


def _written_version(picture: Picture) -> Version:
    for version in ZARR_FORMATS:
        if picture.version == version:
            return version  # type: ignore[return-value]
    raise NgioValueError(
        f"{picture.arrays[0].store_path} is of an image of OME-NGFF {picture.version}, which is only read: "
        "write it anew with write_ome_zarr"
    )


# ---- Pixels


def _is_lazy(image: xr.DataArray) -> bool:
    """Return whether pixels are still to be computed, or read."""
    return not image.variable._in_memory  # noqa: SLF001 — `data` would read them


def _streamed(image: xr.DataArray) -> Any:
    """Return pixels that are in memory, or computed, or read, block by block."""
    if image.chunks is not None or not _is_lazy(image):
        return image.data
    stored = image.encoding.get("preferred_chunks") or {}
    return image.chunk({dim: stored.get(dim, "auto") for dim in image.dims}).data


class _Report:
    """Tells a caller how many write units of several images are done."""

    def __init__(self, progress: Progress, drafts: Sequence[Draft]) -> None:
        self._show, self._done = shower(progress), 0
        self._total = sum(count_units(draft) for draft in drafts)

    def __call__(self, done: int, total: int) -> None:
        """Say that so many units of the present build are done."""
        self._show(self._done + done, self._total)
        if done == total:
            self._done += total


def _fill(draft: Draft, group: zarr.Group, report: Progress) -> Multiscales:
    """Write the pixels of a draft into a new group, and return the document that describes them."""
    draft.builder.to_zarr(group)
    arrays: list[zarr.Array[Any]] = [group[level.path] for level in draft.builder.levels]  # type: ignore[misc]
    if len(draft.pixels) == 1:
        build_pyramid(_streamed(draft.pixels[0]), arrays, draft.kernel, progress=report)
    else:
        for level, array in zip(draft.pixels, arrays, strict=True):
            build_pyramid(_streamed(level), [array], draft.kernel, progress=report)
    if all(isinstance(channel, Channel) for channel in draft.channels):
        return evolve(draft.image, channels=draft.channels)
    at = draft.builder.axes.index("c") if "c" in draft.builder.axes else None
    coarsest = np.asarray(arrays[-1][...])
    pixels = coarsest[np.newaxis] if at is None else np.moveaxis(coarsest, at, 0)
    return evolve(draft.image, channels=_seen(draft.channels, pixels))


def _seen(channels: Sequence[Channel | str], pixels: Any) -> tuple[Channel, ...]:
    """Return channels of which some are only named, with colours and limits that suit their pixels."""
    if not channels:
        return ()
    names = [channel.label if isinstance(channel, Channel) else channel for channel in channels]
    found = channels_of(names, pixels)
    return tuple(own if isinstance(own, Channel) else new for own, new in zip(channels, found, strict=True))


def _limited(channels: Sequence[Channel], pixels: Any) -> tuple[Channel, ...]:
    """Return channels with limits that suit other pixels."""
    found = channels_of([channel.label for channel in channels], pixels)
    pairs = zip(channels, found, strict=True)
    return tuple(evolve(own, limits=new.limits, display=new.display) for own, new in pairs)
