"""Label images: those that are added to an image on disk, and those that are written with it."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any, Final

import xarray as xr

from ngio_x._frozen import named, shown, to_bool
from ngio_x.arrays.dimensions import dimensions_of
from ngio_x.arrays.image import as_labels, lattice_of
from ngio_x.arrays.lazy import is_lazy
from ngio_x.errors import NgioFileExistsError, NgioTypeError, NgioValueError
from ngio_x.metadata.channels import Channel
from ngio_x.metadata.frame import Frame
from ngio_x.ngff.attributes import ZARR_FORMATS, Version, write_attributes
from ngio_x.ngff.documents import ImageLabel, LabelList, Multiscales
from ngio_x.ngff.draft import ByAxis, Draft, Storage, draft_image
from ngio_x.ngff.fill import Report, fill
from ngio_x.ngff.given import Given, as_label_image, given_array
from ngio_x.ngff.hierarchy import Picture, label_paths, read_image
from ngio_x.ngff.problems import to_relative
from ngio_x.ngff.store import StoreLike, new_group, open_group, renew_consolidated
from ngio_x.pyramid.progress import Progress
from ngio_x.pyramid.stamp import changing
from ngio_x.resample.kernels import Order


def write_labels(
    labels: xr.DataArray,
    store: StoreLike,
    name: str,
    *,
    frame: Frame | None = None,
    order: Order | None = None,
    chunks: ByAxis | None = None,
    shards: ByAxis | str | None = None,
    compressors: Any = "auto",
    colors: Mapping[int, str | Sequence[int]] | None = None,
    keep_objects: bool = False,
    overwrite: bool = False,
    progress: Progress = False,
) -> None:
    """Add a label image to an OME-Zarr image, with as many levels as the image has.

    In a local image it appears, or replaces another, only when it is complete.

    Args:
        labels: Integer array with axes among t, z, y, x. Without any coordinates it lies on level 0 of the image.
        store: The image: a path, a URL, a zarr store, or its open group.
        name: Name of the label image, one path segment.
        frame: As for `open_ome_zarr`: the one that the image was opened with. By default what the image says.
        order: `"nearest"` (default) or `"mode"`.
        chunks: Chunk sizes by axis; see `write_ome_zarr`.
        shards: Shard sizes by axis; see `write_ome_zarr`.
        compressors: As in `zarr.create_array`.
        colors: Colours by label: six hexadecimal digits, or three or four numbers from 0 to 255. Labels that are not
            named are for viewers to colour; some then show only those that are.
        keep_objects: Put objects that a coarser level has lost back there, as one pixel each, by the rules of
            `keep_objects`. It is noted in the metadata, so that whatever rebuilds the levels does so, too.
        overwrite: Replace a label image of that name.
        progress: True shows a bar on standard error; a function is called with `(done, total)` write units.

    Raises:
        NgioFileExistsError: If there is one of that name and `overwrite` is False.
        NgioValueError: If the array cannot be a label image, or the name is no single path segment.
        NgioTypeError: If it holds no integers.
    """
    parent = open_group(store, "r+")
    picture = read_image(parent)
    version = _written_version(picture)
    shapes = [array.shape for array in picture.arrays]
    storage = Storage(version, chunks, shards, compressors)
    given = given_array(as_label_image(labels))
    draft = draft_labels(
        given,
        name,
        storage,
        picture.image,
        shapes,
        frame=frame,
        order=order,
        label=_label_of(colors),
        keep_objects=keep_objects,
    )
    overwrite = named("overwrite", to_bool)(overwrite)
    label_paths(parent)  # raises before anything is written
    folder = parent.require_group("labels")
    if name in folder and not overwrite:
        raise NgioFileExistsError(f"{folder.store_path} has labels {name!r} already: pass overwrite=True to replace it")
    place = folder.store_path / name
    replacing = new_group(place, ZARR_FORMATS[version], overwrite=overwrite, lazy=is_lazy(labels))
    with changing(parent.store_path), replacing as inside:
        document = fill(draft, inside, Report(progress, [draft]))
        inside.attrs.put(write_attributes(document, version))
    with _LISTING:
        listed = label_paths(parent)  # again: others may have been added meanwhile
        if name not in listed:
            folder.attrs.update(write_attributes(LabelList((*listed, name)), version))
        renew_consolidated(parent)


_LISTING: Final = threading.Lock()
"""Held while a label image is added to a list of them."""


def for_labels(storage: Storage, given: Given, image: Draft) -> Storage:
    """Return how labels are cut that are written with an image: of its axes, they may lack some."""
    lacking = {*image.builder.axes} - {*given.levels[0].dims}

    def kept(sizes: Any) -> Any:
        return {axis: n for axis, n in sizes.items() if axis not in lacking} if isinstance(sizes, Mapping) else sizes

    return storage._replace(chunks=kept(storage.chunks), shards=kept(storage.shards))


def given_by_name(labels: Mapping[str, Any] | None) -> dict[str, Given]:
    """Return the label images of a mapping, as those of a tree.

    Raises:
        NgioTypeError: If it is no mapping, or one of them holds no integers.
        NgioValueError: If one of them cannot be an OME-NGFF label image.
    """
    if labels is None:
        return {}
    if not isinstance(labels, Mapping):
        raise NgioTypeError(f"labels must be arrays by name, got {type(labels).__name__}")
    return {name: given_array(as_label_image(array)) for name, array in labels.items()}


def draft_labels(
    given: Given,
    name: str,
    storage: Storage,
    image: Multiscales,
    shapes: Sequence[tuple[int, ...]],
    **options: Any,
) -> Draft:
    """Return what a label image will be on disk: it has as many levels as its image (a MUST of OME-NGFF).

    Args:
        given: The label image.
        name: What it is called.
        storage: How it is cut and encoded.
        image: The image that it labels.
        shapes: Of the levels of that.
        options: More for `draft_image`.
    """
    if not isinstance(name, str) or not name.strip(".") or "/" in name or "\\" in name:
        raise NgioValueError(f"the name of a label image must be one path segment, got {shown(name)}")
    named("the name of a label image", to_relative)(name)
    if name in given.levels[0].dims:
        raise NgioValueError(f"labels '{name}' are called as one of their axes is, {given.levels[0].dims}: rename them")
    _require_no_place_lost(given.levels[0], image, shapes[0])
    given = given._replace(levels=tuple(_on_the_grid_of(image, shapes[0], level) for level in given.levels))
    _require_same_units(given.levels[0], image)
    kept = given.paths is not None and len(given.levels) == len(shapes)
    made = None if kept else _label_shapes(given.levels[0], image, shapes)
    return draft_image(given, storage, shapes=made, name=name, parent=image, **options)


def _require_no_place_lost(labels: xr.DataArray, image: Multiscales, shape: tuple[int, ...]) -> None:
    """Refuse labels of one plane or frame that was chosen of several: on disk they would be those of all."""
    for axis, size in zip(image.axes_handler.axes_names, shape, strict=True):
        if axis != "c" and size > 1 and axis not in labels.dims and axis in labels.coords:
            raise NgioValueError(
                f"labels must keep the axis '{axis}' of their image, along which one position was chosen: choose it "
                f"with isel({axis}=[...]); where they hold for all positions, drop_vars('{axis}') says so"
            )


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
