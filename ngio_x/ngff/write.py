"""Labelled images to OME-Zarr: pixels first, coarser levels from them, metadata last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
import zarr

from ngio_x._frozen import at_least, evolve, named, to_int, to_optional_name
from ngio_x.arrays.image import LABELS, ROLE, dimensions_of, is_labels
from ngio_x.arrays.zoom import kernel_of
from ngio_x.errors import NgioFileExistsError, NgioTypeError, NgioValidationError, NgioValueError
from ngio_x.metadata.axes import CANONICAL_ORDER, AxesHandler
from ngio_x.metadata.channels import Channel, channels_of
from ngio_x.metadata.dataset import Dataset
from ngio_x.metadata.dimensions import Dimensions
from ngio_x.metadata.frame import Frame, written_translation
from ngio_x.ngff.multiscales import (
    ZARR_FORMATS,
    Multiscales,
    Version,
    from_attributes,
    require_image_axes,
    to_attributes,
    unversioned,
    versioned,
)
from ngio_x.ngff.store import StoreLike, new_group, open_group
from ngio_x.pyramid.build import build_pyramid
from ngio_x.pyramid.builder import ImagePyramidBuilder
from ngio_x.pyramid.layout import auto_chunks
from ngio_x.pyramid.progress import Progress
from ngio_x.pyramid.scaling import to_scaling_factor
from ngio_x.resample.kernels import KernelName, Order

_COARSEST = 256
"""Levels are added until the coarsest is at most this many pixels wide and high."""


def write_ome_zarr(
    image: xr.DataArray,
    store: StoreLike,
    *,
    version: Version = "0.5",
    levels: int | None = None,
    scale_factors: Mapping[str, float] | None = None,
    frame: Frame | None = None,
    order: Order | None = None,
    chunks: Mapping[str, int] | None = None,
    name: str | None = None,
    overwrite: bool = False,
    progress: Progress = False,
) -> None:
    """Write a labelled image as a multi-resolution OME-Zarr image.

    At a local path the image appears only when it is complete; elsewhere its metadata is written last.

    Args:
        image: Numpy- or dask-backed, with axes among t, c, z, y, x (any order; y and x are needed). Names along c
            become channel names.
        store: Where to: a path, a URL, a zarr store, or an empty zarr group.
        version: OME-NGFF `"0.4"` (zarr format 2) or `"0.5"` (zarr format 3).
        levels: Number of levels. By default, as many as bring y and x down to 256 pixels.
        scale_factors: Factor from one level to the next, by axis. By default 2 for y and x.
        frame: Which point of pixel 0 the translation of level 0 speaks of: `"corner"` (default) or `"center"`.
        order: A kernel of `numpy_zoom`; by default nearest for label and boolean images, else linear.
        chunks: Chunk sizes by axis; by default 1024 for y and x, 1 for the others.
        name: Name of the image; by default that of the array.
        overwrite: Replace a zarr hierarchy that is there already.
        progress: True shows a bar on standard error; a function is called with `(done, total)` write units.

    Raises:
        NgioFileExistsError: If something is there and `overwrite` is False, or it is no zarr hierarchy.
        NgioValueError: If the image cannot be an OME-NGFF image, or an argument makes no sense.
        NgioTypeError: If `image` is no DataArray of numbers.
    """
    _require_image(image)
    if version not in tuple(ZARR_FORMATS):
        raise NgioValueError(f"version must be one of {', '.join(map(repr, ZARR_FORMATS))}, got {version!r}")
    name = named("name", to_optional_name)(name) or _name_of(image)
    image = image.transpose(*(axis for axis in CANONICAL_ORDER if axis in image.dims))
    kernel, dimensions = kernel_of(image, order).name, dimensions_of(image)
    shapes = _level_shapes(dimensions, levels, scale_factors)
    used_frame: Frame = frame or "corner"
    builder = _builder(dimensions, image.dtype, shapes, dimensions.dataset.scale, chunks, version, used_frame)
    with new_group(store, ZARR_FORMATS[version], overwrite=overwrite, lazy=image.chunks is not None) as group:
        builder.to_zarr(group)
        arrays = _fill(image, group, builder, kernel, progress)
        document = Multiscales(
            version,
            _datasets(builder, dimensions.axes_handler),
            name,
            kernel,
            _channels(image, arrays[-1]),
            is_labels(image),
            used_frame,
        )
        group.attrs.update(to_attributes(document))


def write_labels(
    labels: xr.DataArray,
    store: StoreLike,
    name: str,
    *,
    frame: Frame | None = None,
    chunks: Mapping[str, int] | None = None,
    overwrite: bool = False,
    progress: Progress = False,
) -> None:
    """Add a label image to an OME-Zarr image, with as many levels as the image has.

    In a local image it appears, or replaces another, only when it is complete.

    Args:
        labels: Integer array with axes among t, z, y, x.
        store: The image: a path, a URL, a zarr store, or its open group.
        name: Name of the label image, one path segment.
        frame: As for `open_ome_zarr`: the one that the image was opened with. By default what the image says.
        chunks: Chunk sizes by axis; see `write_ome_zarr`.
        overwrite: Replace a label image of that name.
        progress: True shows a bar on standard error; a function is called with `(done, total)` write units.

    Raises:
        NgioFileExistsError: If there is one of that name and `overwrite` is False.
        NgioValueError: If the array cannot be a label image, or the name is no single path segment.
    """
    _require_image(labels)
    if labels.dtype.kind not in "iu":
        raise NgioTypeError(f"labels are integers, got {labels.dtype}: convert with .astype('uint32')")
    if not isinstance(name, str) or not name.strip(".") or "/" in name or "\\" in name:
        raise NgioValueError(f"the name of a label image is one path segment, got {name!r}")
    require_image_axes([str(dim) for dim in labels.dims], labels=True)
    parent = open_group(store, "r+")
    image = from_attributes(parent.attrs.asdict(), str(parent.store_path))
    labels = labels.transpose(*(axis for axis in CANONICAL_ORDER if axis in labels.dims)).assign_attrs({ROLE: LABELS})
    dimensions = dimensions_of(labels)
    _require_same_units(dimensions, image)
    shapes = _label_shapes(dimensions, image, parent)
    base = dict(zip(image.axes_handler.axes_names, image.datasets[0].scale, strict=True))
    base_scale = [base.get(axis, 1.0) for axis in dimensions.axes]
    used_frame: Frame = frame or image.frame
    builder = _builder(dimensions, labels.dtype, shapes, base_scale, chunks, image.version, used_frame)
    folder = parent.require_group("labels")
    if name in folder and not overwrite:
        raise NgioFileExistsError(f"{folder.store_path} has labels {name!r} already: pass overwrite=True to replace it")
    place, lazy = folder.store_path / name, labels.chunks is not None
    with new_group(place, builder.zarr_format, overwrite=overwrite, lazy=lazy) as group:
        builder.to_zarr(group)
        _fill(labels, group, builder, "nearest", progress)
        datasets = _datasets(builder, dimensions.axes_handler)
        document = Multiscales(image.version, datasets, name, "nearest", is_label=True, frame=used_frame)
        group.attrs.update(to_attributes(document))
    listed = label_names(folder)
    if name not in listed:
        folder.attrs.update(versioned({"labels": [*listed, name]}, image.version))


def label_names(folder: zarr.Group) -> list[str]:
    """Return the label images that a `labels` group lists.

    Raises:
        NgioValidationError: If the list is no list of names.
    """
    document, _ = unversioned(folder.attrs.asdict())
    names = document.get("labels", [])
    if not isinstance(names, list) or not all(isinstance(item, str) for item in names):
        raise NgioValidationError(f"{folder.store_path}: 'labels' must be a list of names, got {names!r}")
    return names


def _require_image(image: Any) -> None:
    if not isinstance(image, xr.DataArray):
        raise NgioTypeError(
            f"expected a DataArray, got {type(image).__name__}: as_image gives an array names and sizes"
        )
    require_image_axes([str(dim) for dim in image.dims])
    if image.dtype.kind not in "iufb":
        raise NgioTypeError(f"OME-NGFF images hold numbers, got {image.dtype}")
    if image.size == 0:
        raise NgioValueError(f"the image has no pixels: its sizes are {dict(image.sizes)}")


def _level_shapes(
    dimensions: Dimensions, levels: int | None, scale_factors: Mapping[str, float] | None
) -> list[tuple[int, ...]]:
    factors = {"y": 2.0, "x": 2.0} if scale_factors is None else _to_factors(scale_factors)
    if unknown := [axis for axis in factors if axis not in dimensions.axes]:
        raise NgioValueError(f"scale_factors names axis {unknown[0]!r}, but the image has {dimensions.axes}")
    if levels is not None:
        levels = named("levels", at_least(1, to_int))(levels)
    shapes = [dimensions.shape]
    while len(shapes) < levels if levels is not None else _is_large(shapes[-1], dimensions):
        following = tuple(
            max(1, int(size // factors.get(axis, 1.0))) for axis, size in zip(dimensions.axes, shapes[-1], strict=True)
        )
        if following == shapes[-1]:
            if levels is None:
                break
            raise NgioValueError(f"levels={levels} are too many: at most {len(shapes)} differ in shape")
        shapes.append(following)
    return shapes


def _to_factors(value: Any) -> dict[str, float]:
    if not isinstance(value, Mapping):
        raise NgioValueError(f"scale_factors must be a mapping by axis name, got {value!r}")
    return {axis: named(f"scale_factors along {axis!r}", to_scaling_factor)(item) for axis, item in value.items()}


def _is_large(shape: tuple[int, ...], dimensions: Dimensions) -> bool:
    return max(shape[dimensions.axes.index("y")], shape[dimensions.axes.index("x")]) > _COARSEST


def _require_same_units(dimensions: Dimensions, image: Multiscales) -> None:
    for axis in dimensions.axes_handler.axes:
        other = image.axes_handler.get_axis(axis.name)
        if other is not None and None not in (axis.unit, other.unit) and axis.unit != other.unit:
            raise NgioValueError(
                f"axis '{axis.name}': the labels are in {axis.unit!r} and the image in {other.unit!r}: "
                "convert the labels"
            )


def _label_shapes(dimensions: Dimensions, image: Multiscales, group: zarr.Group) -> list[tuple[int, ...]]:
    """Return level shapes in proportion to those of the image: OME-NGFF wants as many levels."""
    arrays = [array_at(group, dataset.path) for dataset in image.datasets]
    names = image.axes_handler.axes_names
    ratios = [
        {axis: n / arrays[0].shape[i] for i, (axis, n) in enumerate(zip(names, array.shape, strict=True))}
        for array in arrays
    ]
    return [
        tuple(
            max(1, int(size * ratio.get(axis, 1.0)))
            for axis, size in zip(dimensions.axes, dimensions.shape, strict=True)
        )
        for ratio in ratios
    ]


def _builder(
    dimensions: Dimensions,
    dtype: np.dtype[Any],
    shapes: Sequence[tuple[int, ...]],
    base_scale: Sequence[float],
    chunks: Mapping[str, int] | None,
    version: Version,
    frame: Frame,
) -> ImagePyramidBuilder:
    """Return the pyramid of an image whose first pixel begins at the dataset's translation."""
    names, edge = dimensions.axes, dimensions.dataset.translation
    if unknown := [axis for axis in chunks or {} if axis not in names]:
        raise NgioValueError(f"chunks names axis {unknown[0]!r}, but the image has {names}")
    sizes = dict(zip(names, auto_chunks(names, shapes[0]), strict=True)) | dict(chunks or {})
    builder = ImagePyramidBuilder.from_shapes(
        shapes,
        dimensions.dataset.scale,
        names,
        chunks=tuple(sizes[name] for name in names),
        data_type=dtype.name,
        zarr_format=ZARR_FORMATS[version],
    )
    levels = tuple(
        evolve(level, translation=written_translation(edge, level.scale, base_scale, names, frame=frame))
        for level in builder.levels
    )
    return evolve(builder, levels=levels)


def _datasets(builder: ImagePyramidBuilder, handler: AxesHandler) -> tuple[Dataset, ...]:
    return tuple(Dataset(level.path, handler, level.scale, level.translation) for level in builder.levels)


def _fill(
    image: xr.DataArray,
    group: zarr.Group,
    builder: ImagePyramidBuilder,
    kernel: KernelName,
    progress: Progress,
) -> list[zarr.Array[Any]]:
    """Write all levels; return the arrays."""
    arrays = [array_at(group, level.path) for level in builder.levels]
    build_pyramid(image.data, arrays, kernel, progress=progress)
    return arrays


def array_at(group: zarr.Group, path: str) -> zarr.Array[Any]:
    """Return the array at a path of a group.

    Raises:
        NgioValidationError: If there is none.
    """
    found = member(group, path)
    if not isinstance(found, zarr.Array):
        raise NgioValidationError(f"{group.store_path} has no array {path!r}, which its metadata names")
    return found


def member(group: zarr.Group, path: str) -> zarr.Array[Any] | zarr.Group | None:
    """Return what stands at a path of a group, if anything does; no path leads out of the group."""
    try:
        return group.get(path)
    except ValueError:  # of paths with "..", and the like
        return None


def _channels(image: xr.DataArray, coarsest: zarr.Array[Any]) -> tuple[Channel, ...]:
    if "c" not in image.dims:
        return ()
    count = image.sizes["c"]
    labels = [str(label) for label in image["c"].values] if "c" in image.coords else []
    named = labels if all(labels) and labels else [f"channel_{index}" for index in range(count)]
    return channels_of(named, np.moveaxis(np.asarray(coarsest[...]), image.dims.index("c"), 0))


def _name_of(image: xr.DataArray) -> str | None:
    return image.name if isinstance(image.name, str) else None
