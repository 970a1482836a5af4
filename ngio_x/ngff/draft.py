"""What an image will be on disk: its arrays and its document, made from labelled arrays before anything is written."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, Self, TypeAlias

import numpy as np
import xarray as xr

from ngio_x._frozen import at_least, evolve, named, one_of, shown, to_bool, to_int, to_name, to_optional_name
from ngio_x.arrays.channels import known_channels
from ngio_x.arrays.dimensions import dimensions_of
from ngio_x.arrays.lazy import stored_sizes
from ngio_x.arrays.roles import is_labels
from ngio_x.arrays.zoom import kernel_of
from ngio_x.errors import NgioValueError
from ngio_x.metadata.axes import by_axis
from ngio_x.metadata.channels import Channel, KnownChannel
from ngio_x.metadata.dataset import Dataset
from ngio_x.metadata.dimensions import Dimensions
from ngio_x.metadata.frame import Frame, LevelOrigin, to_frame, written_translation
from ngio_x.ngff.attributes import ZARR_FORMATS, Version
from ngio_x.ngff.documents import ImageLabel, Multiscales
from ngio_x.ngff.facts import from_facts
from ngio_x.ngff.given import Given
from ngio_x.pyramid.builder import ImagePyramidBuilder
from ngio_x.pyramid.layout import auto_chunks, auto_shards
from ngio_x.pyramid.level import PyramidLevel
from ngio_x.pyramid.scaling import to_scaling_factor
from ngio_x.resample.kernels import KernelName, Order

Shape = tuple[int, ...]
ByAxis: TypeAlias = Sequence[int] | Mapping[str, int]
"""Sizes by axis name, or one an axis in the order of the array's own."""

_COARSEST: Final = 256
"""Levels are added until the coarsest is at most this many pixels wide and high."""


class Storage(NamedTuple):
    """How pixels are cut and encoded."""

    version: Version = "0.5"
    chunks: ByAxis | None = None
    shards: ByAxis | str | None = None
    compressors: Any = "auto"

    def named(self, axes: Sequence[str]) -> Self:
        """Return the same with all sizes by name; sizes without names are in the order of these axes."""

        def with_names(argument: str, sizes: Any) -> Any:
            return _by_axis(argument, sizes, axes) if isinstance(sizes, (tuple, list)) else sizes

        return self._replace(chunks=with_names("chunks", self.chunks), shards=with_names("shards", self.shards))


class Draft(NamedTuple):
    """An image that is not on disk yet."""

    builder: ImagePyramidBuilder
    image: Multiscales
    pixels: tuple[xr.DataArray, ...]
    """In the order of the axes on disk: each level, or level 0 alone, of which the others are to be made."""
    kernel: KernelName
    """How they are to be made."""
    channels: tuple[KnownChannel, ...]
    """What is not known of them is still to be found."""


def draft_image(
    given: Given,
    storage: Storage,
    *,
    shapes: Sequence[Shape] | None = None,
    levels: int | None = None,
    scale_factors: Sequence[float] | Mapping[str, float] | None = None,
    frame: Frame | None = None,
    order: Order | None = None,
    name: str | None = None,
    channels: Sequence[Any] | None = None,
    parent: Multiscales | None = None,
    label: ImageLabel | None = None,
    keep_objects: bool = False,
) -> Draft:
    """Return what an image will be on disk.

    Args:
        given: The image.
        storage: How it is cut and encoded.
        shapes: Of the levels to make; by default they follow from `levels` and `scale_factors`.
        levels: See `write_ome_zarr`.
        scale_factors: See `write_ome_zarr`.
        frame: See `write_ome_zarr`.
        order: See `write_ome_zarr`.
        name: See `write_ome_zarr`.
        channels: See `write_ome_zarr`.
        parent: Of a label image: the image that it labels.
        label: What makes it a label image.
        keep_objects: See `write_labels`; it has no meaning for images.
    """
    _require_version(storage.version)
    keep_objects = named("keep_objects", to_bool)(keep_objects)
    fields = from_facts(given.facts)
    first, storage = given.levels[0], storage.named(given.axes)
    factors = None
    if scale_factors is not None:
        factors = by_axis(scale_factors, given.axes, "scale_factors", to_scaling_factor)
    kernel, dimensions = kernel_of(first, order).name, dimensions_of(first)
    keeps = given.paths is not None and levels is None and scale_factors is None and shapes is None
    pixels = given.levels if keeps else given.levels[:1]
    described = (
        [dimensions_of(level) for level in given.levels] if keeps else _made(dimensions, shapes, levels, factors)
    )
    used_frame: Frame = (None if frame is None else to_frame(frame)) or fields.get(
        "frame", "corner" if parent is None else parent.frame
    )
    origin: LevelOrigin = fields.get("level_origin", "center") if keeps else "center"
    base = _base_scale(dimensions, parent)
    translations = [
        written_translation(each.dataset.translation, each.dataset.scale, base, each.axes, origin, used_frame)
        for each in described
    ]
    layouts = [_layout(level, like, storage) for level, like in zip(described, itertools.cycle(pixels), strict=False)]
    builder = _builder(described, translations, given.paths if keeps else None, first.dtype, storage, layouts)
    handler = dimensions.axes_handler
    made_by = {"kernel": fields.get("kernel"), "metadata": fields.get("metadata")} if keeps else _record(kernel)
    document = Multiscales(
        tuple(Dataset(level.path, handler, level.scale, level.translation) for level in builder.levels),
        name=named("name", to_optional_name)(name) or fields.get("name"),
        label=label or fields.get("label") or (ImageLabel() if is_labels(first) else None),
        frame=used_frame,
        level_origin=origin,
        rest=fields.get("rest", {}),
        others=fields.get("others", {}),
        **made_by,
    )
    if document.label is not None and (keep_objects or evolve(document, metadata=fields.get("metadata")).keeps_objects):
        document = evolve(document, metadata=_keeping(document.metadata))
    return Draft(builder, document, pixels, kernel, () if document.label is not None else _channels(first, channels))


def _record(kernel: KernelName) -> dict[str, Any]:
    """Return what the metadata says of levels that `consolidate_pyramid` makes."""
    return {"kernel": kernel, "metadata": {"method": "ngio_x.consolidate_pyramid", "kwargs": {"order": kernel}}}


def _keeping(metadata: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what the metadata says of levels in which lost objects are put back."""
    call = (metadata or {}).get("kwargs")
    arguments = {**(call if isinstance(call, Mapping) else {}), "keep_objects": True}
    return {**(metadata or {}), "method": "ngio_x.write_labels", "kwargs": arguments}


def _require_version(version: Any) -> None:
    named("version", one_of(*ZARR_FORMATS))(version)


def _base_scale(dimensions: Dimensions, parent: Multiscales | None) -> list[float]:
    """Return the pixel size that translations of coarser levels are relative to: that of the image."""
    if parent is None:
        return list(dimensions.dataset.scale)
    sizes = dict(zip(parent.axes_handler.axes_names, parent.datasets[0].scale, strict=True))
    return [sizes.get(axis, 1.0) for axis in dimensions.axes]


# ---- Levels


def _made(
    dimensions: Dimensions,
    shapes: Sequence[Shape] | None,
    levels: int | None,
    scale_factors: Mapping[str, float] | None,
) -> list[Dimensions]:
    """Return the levels to make: they all begin where level 0 does, and have its extent."""
    if shapes is None:
        shapes = _level_shapes(dimensions, levels, scale_factors)
    return [
        evolve(
            dimensions,
            shape=shape,
            chunks=shape,
            dataset=evolve(
                dimensions.dataset,
                scale=[
                    size if n == m else size * (n / m)
                    for size, n, m in zip(dimensions.dataset.scale, dimensions.shape, shape, strict=True)
                ],
            ),
        )
        for shape in shapes
    ]


def _level_shapes(dimensions: Dimensions, levels: int | None, scale_factors: Mapping[str, float] | None) -> list[Shape]:
    factors = {"y": 2.0, "x": 2.0} if scale_factors is None else scale_factors
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
            raise NgioValueError(
                f"levels must be at most {len(shapes)}, which is how many differ in shape, got {shown(levels)}"
            )
        shapes.append(following)
    return shapes


def _is_large(shape: Shape, dimensions: Dimensions) -> bool:
    return max(shape[dimensions.axes.index("y")], shape[dimensions.axes.index("x")]) > _COARSEST


def _builder(
    levels: Sequence[Dimensions],
    translations: Sequence[tuple[float, ...]],
    paths: Sequence[str] | None,
    dtype: np.dtype[Any],
    storage: Storage,
    layouts: Sequence[tuple[Shape, Shape | None]],
) -> ImagePyramidBuilder:
    found = zip(paths or map(str, range(len(levels))), levels, translations, layouts, strict=True)
    made = tuple(
        PyramidLevel(path, each.shape, each.dataset.scale, translation, *layout)
        for path, each, translation, layout in found
    )
    return ImagePyramidBuilder(
        made,
        levels[0].axes,
        dtype.name,
        compressors=storage.compressors,
        zarr_format=ZARR_FORMATS[storage.version],
    )


def count_units(draft: Draft) -> int:
    """Return the number of write units of all levels."""
    total = 0
    for level in draft.builder.levels:
        unit = level.shards if isinstance(level.shards, tuple) else level.chunks
        total += math.prod(-(-n // size) for n, size in zip(level.shape, unit, strict=True) if isinstance(size, int))
    return total


def _layout(level: Dimensions, like: xr.DataArray, storage: Storage) -> tuple[Shape, Shape | None]:
    """Return chunks and shards of a level: as they are asked for, else as those on disk that `like` was opened from."""
    names, size = level.axes, like.dtype.itemsize
    known = {} if storage.chunks is not None else stored_sizes(like, "shards")
    given = _by_axis("chunks", storage.chunks, names)
    chunks = _sizes(names, auto_chunks(names, level.shape), stored_sizes(like, "chunks"), given)
    if storage.shards is not None and storage.version == "0.4":
        raise NgioValueError(f"shards={shown(storage.shards)} need version='0.5': zarr format 2 has none")
    if isinstance(storage.shards, str) and storage.shards == "auto":
        return chunks, auto_shards(names, level.shape, chunks, size)
    if storage.shards is not None:
        return chunks, _sizes(names, chunks, _by_axis("shards", storage.shards, names))
    return chunks, _sizes(names, chunks, known) if known and storage.version != "0.4" else None


def _sizes(names: tuple[str, ...], default: Shape, *known: Mapping[str, int]) -> Shape:
    """Return one size an axis: that of the last mapping that names it."""
    sizes = dict(zip(names, default, strict=True))
    for each in known:
        sizes |= each
    return tuple(sizes[name] for name in names)


def _by_axis(what: str, sizes: Any, names: Sequence[str]) -> dict[str, int]:
    return {} if sizes is None else by_axis(sizes, names, what, at_least(1, to_int))


# ---- Channels


def _channels(image: xr.DataArray, given: Sequence[Any] | None) -> tuple[KnownChannel, ...]:
    """Return what is known of the channels of an image; an image without c may have none."""
    if given is not None:
        return _given_channels(image, given)
    known = known_channels(image)
    if "c" not in image.dims:
        return tuple(own for own in known if own.label and not own.is_named_only)
    labelled = "c" in image.coords
    return tuple(own if labelled and own.label else own._replace(label=f"channel_{at}") for at, own in enumerate(known))


def _given_channels(image: xr.DataArray, given: Sequence[Any]) -> tuple[KnownChannel, ...]:
    """Return what a caller says of channels; names alone rename those that the image knows."""
    if isinstance(given, (str, Mapping)):
        raise NgioValueError(f"channels must be one name or Channel for each channel, got {shown(given)}")
    channels = [item if isinstance(item, Channel) else named("channels", to_name)(item) for item in given]
    known = known_channels(image)
    if len(channels) != len(known):
        raise NgioValueError(f"channels must be {len(known)}, as the image has, got {len(channels)}")
    return tuple(
        KnownChannel.from_channel(item) if isinstance(item, Channel) else own._replace(label=item)
        for item, own in zip(channels, known, strict=True)
    )
