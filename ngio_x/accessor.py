"""`image.ngio` and `tree.ngio`: the functions of the package as methods of xarray's objects.

Importing ngio_x, or opening something with its engine, registers them. The names behind `nx` are loaded when a method
is called, so that registering needs xarray alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import xarray as xr

import ngio_x as nx

if TYPE_CHECKING:
    from ngio_x.arrays.channels import ChannelsLike
    from ngio_x.arrays.crop import MissingDims
    from ngio_x.arrays.levels import On
    from ngio_x.labels.extents import LabelsLike
    from ngio_x.labels.map_rois import Output
    from ngio_x.metadata.axes import FactorsByAxis, IntegersByAxis
    from ngio_x.metadata.channels import Channel
    from ngio_x.metadata.dimensions import Dimensions
    from ngio_x.metadata.frame import Frame
    from ngio_x.metadata.pixel_size import PixelSize
    from ngio_x.ngff.attributes import Version
    from ngio_x.ngff.draft import ByAxis
    from ngio_x.ngff.store import StoreLike
    from ngio_x.pyramid.progress import Progress
    from ngio_x.resample.kernels import Order
    from ngio_x.roi.roi import Roi, RoiLike
    from ngio_x.roi.rounding import Bounds
    from ngio_x.view.napari import LayerData
    from ngio_x.view.overlays import Axes

Held = TypeVar("Held", xr.DataArray, xr.Dataset, xr.DataTree)
Gridded = TypeVar("Gridded", xr.DataArray, xr.Dataset)
Drawable = TypeVar("Drawable", xr.DataArray, xr.DataTree)


class _Accessor(Generic[Held]):
    """What ngio_x does with whatever holds an image."""

    def __init__(self, held: Held) -> None:
        self._held: Held = held

    @property
    def pixel_size(self) -> PixelSize:
        """The pixel size of the image; see `ngio_x.pixel_size_of`."""
        return nx.pixel_size_of(self._held)

    @property
    def channels(self) -> tuple[Channel, ...]:
        """The channels of the image, with colours and grey levels; see `ngio_x.channels_of`."""
        return nx.channels_of(self._held)

    @property
    def dimensions(self) -> Dimensions:
        """Shape, chunks, axes, pixel size and translation of the image; see `ngio_x.dimensions_of`."""
        return nx.dimensions_of(self._held)

    def crop(self, roi: RoiLike, *, bounds: Bounds = "outer", missing_dims: MissingDims | None = None) -> Held:
        """Return the piece of an image that a region holds; the pixels are not copied.

        See `ngio_x.crop`.
        """
        return nx.crop(self._held, roi, bounds=bounds, missing_dims=missing_dims)

    def zoom(
        self,
        scale: FactorsByAxis | None = None,
        *,
        shape: Sequence[int] | Mapping[str, int] | None = None,
        order: Order | Mapping[str, Order] | None = None,
    ) -> Held:
        """Return the image with more or fewer pixels over the same extent; axes that are not named are left alone.

        See `ngio_x.zoom`.
        """
        return nx.zoom(self._held, scale, shape=shape, order=order)

    def write_ome_zarr(
        self,
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

        See `ngio_x.write_ome_zarr`.
        """
        nx.write_ome_zarr(
            self._held,
            store,
            version=version,
            levels=levels,
            scale_factors=scale_factors,
            frame=frame,
            order=order,
            chunks=chunks,
            shards=shards,
            compressors=compressors,
            labels=labels,
            name=name,
            channels=channels,
            keep_objects=keep_objects,
            overwrite=overwrite,
            progress=progress,
        )


class _OnOneGrid(_Accessor[Gridded]):
    """What needs the pixels of one grid."""

    def window(
        self, roi: RoiLike, bounds: Bounds = "outer", *, missing_dims: MissingDims | None = None
    ) -> dict[str, slice]:
        """Return the array positions that a region holds, one slice for each axis that both have.

        See `ngio_x.window`.
        """
        return nx.window(self._held, roi, bounds, missing_dims=missing_dims)

    def map_rois(
        self,
        func: Callable[[Any], Any],
        rois: Iterable[Roi],
        *,
        output: Output = "image",
        halo: IntegersByAxis = 0,
        bounds: Bounds = "outer",
        masked: bool | xr.DataArray = False,
        dtype: Any = None,
        fill: Any = 0,
    ) -> xr.DataArray | xr.Dataset:
        """Return what a function makes of the pieces of an image that regions hold: an image, labels, or a table.

        See `ngio_x.map_rois`.
        """
        return nx.map_rois(
            self._held, func, rois, output=output, halo=halo, bounds=bounds, masked=masked, dtype=dtype, fill=fill
        )


class _Drawn(_Accessor[Drawable]):
    """What can be drawn."""

    def plot(
        self,
        roi: RoiLike | None = None,
        *,
        rois: Iterable[Roi] = (),
        labels: xr.DataArray | xr.DataTree | str | None = None,
        channels: ChannelsLike | None = None,
        scale_bar: bool = False,
        ax: Axes | None = None,
    ) -> Axes:
        """Draw a plane of an image in world units, y pointing down, and return the axes.

        See `ngio_x.plot_image`.
        """
        return nx.plot_image(self._held, roi, rois=rois, labels=labels, channels=channels, scale_bar=scale_bar, ax=ax)


class DataArrayAccessor(_OnOneGrid[xr.DataArray], _Drawn[xr.DataArray]):
    """What ngio_x does with a labelled image; each method is the function of its name."""

    def _repr_html_(self) -> str:
        return import_module("ngio_x.view.overview").image_html(self._held)  # type: ignore[no-any-return]

    def tile(self, size: IntegersByAxis, overlap: IntegersByAxis = 0) -> list[Roi]:
        """Return regions of one size that together cover an image, the last axis running fastest.

        See `ngio_x.tile`.
        """
        return nx.tile(self._held, size, overlap)

    def paste(
        self, patch: Any, roi: RoiLike | None = None, *, where: Any = None, bounds: Bounds = "outer"
    ) -> xr.DataArray:
        """Return a copy of `image` with `patch` in it; what the patch's lattice places outside the image is dropped.

        See `ngio_x.paste`.
        """
        return nx.paste(self._held, patch, roi, where=where, bounds=bounds)

    def mask(self, labels: xr.DataArray, label_id: int, *, fill: Any = 0) -> xr.DataArray:
        """Return `image` where `labels` has the id, and `fill` elsewhere.

        See `ngio_x.mask`.
        """
        return nx.mask(self._held, labels, label_id, fill=fill)

    def composite(self, channels: ChannelsLike | None = None) -> xr.DataArray:
        """Return an image as red, green and blue: the light of each channel in its colour, added up.

        See `ngio_x.composite`.
        """
        return nx.composite(self._held, channels)

    def crop_objects(
        self,
        labels: xr.DataArray,
        *,
        pad: IntegersByAxis = 0,
        masked: bool = False,
        fill: Any = 0,
        ids: Iterable[int] | None = None,
    ) -> Iterator[xr.DataArray]:
        """Return the pieces of an image that hold its objects, one by one, by rising id.

        See `ngio_x.crop_objects`.
        """
        return nx.crop_objects(self._held, labels, pad=pad, masked=masked, fill=fill, ids=ids)

    def stack_objects(
        self,
        labels: xr.DataArray,
        shape: IntegersByAxis,
        *,
        masked: bool = False,
        fill: Any = 0,
        ids: Iterable[int] | None = None,
    ) -> xr.DataArray:
        """Return windows of one shape around the objects of an image, stacked along `label`, as for machine learning.

        See `ngio_x.stack_objects`.
        """
        return nx.stack_objects(self._held, labels, shape, masked=masked, fill=fill, ids=ids)

    def label_extents(self, *, axes_order: Sequence[str] | None = None, background: int | None = 0) -> xr.Dataset:
        """Return box, number of pixels and centre of every object of a label image, one row an id.

        See `ngio_x.label_extents`.
        """
        return nx.label_extents(self._held, axes_order=axes_order, background=background)

    def compute_masking_roi(
        self,
        pixel_size: FactorsByAxis | PixelSize | None = None,
        axes_order: Sequence[str] | None = None,
    ) -> list[Roi]:
        """Return the bounding box of every id of a label image, 0 being background.

        See `ngio_x.compute_masking_roi`.
        """
        return nx.compute_masking_roi(self._held, pixel_size, axes_order)

    def keep_objects(self, labels: LabelsLike) -> xr.DataArray:
        """Return a coarser label image in which each object that it has lost is one pixel again.

        See `ngio_x.keep_objects`.
        """
        return nx.keep_objects(self._held, labels)

    def relabel_sequential(self, *, offset: int = 1, background: int = 0) -> tuple[xr.DataArray, dict[int, int]]:
        """Return the label image with ids that follow each other, in their old order, and the new id of each old one.

        See `ngio_x.relabel_sequential`.
        """
        return nx.relabel_sequential(self._held, offset=offset, background=background)

    def plot_labels(self, roi: RoiLike | None = None, *, linewidth: float = 1.0, ax: Axes | None = None) -> Axes:
        """Draw the outlines of the objects of a label image, each in the colour of its id, and return the axes.

        See `ngio_x.plot_labels`.
        """
        return nx.plot_labels(self._held, roi, linewidth=linewidth, ax=ax)

    def write_labels(
        self,
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

        See `ngio_x.write_labels`.
        """
        nx.write_labels(
            self._held,
            store,
            name,
            frame=frame,
            order=order,
            chunks=chunks,
            shards=shards,
            compressors=compressors,
            colors=colors,
            keep_objects=keep_objects,
            overwrite=overwrite,
            progress=progress,
        )

    def write_region(
        self,
        store: StoreLike,
        roi: RoiLike | None = None,
        *,
        where: Any = None,
        consolidate: bool = True,
        exclusive: bool = False,
        frame: Frame | None = None,
    ) -> None:
        """Write pixels into level 0 of an OME-Zarr image, and rebuild what they reach of the coarser levels.

        See `ngio_x.write_region`.
        """
        options: dict[str, Any] = {"consolidate": consolidate, "exclusive": exclusive, "frame": frame}
        nx.write_region(self._held, store, roi, where=where, **options)


class DatasetAccessor(_OnOneGrid[xr.Dataset]):
    """What ngio_x does with arrays on one lattice, such as the node of a level; each method is the function."""


class DataTreeAccessor(_Drawn[xr.DataTree]):
    """What ngio_x does with the tree of an image, or of several; each method is the function of its name."""

    def _repr_html_(self) -> str:
        return import_module("ngio_x.view.overview").tree_html(self._held)  # type: ignore[no-any-return]

    def level_for(
        self,
        *,
        pixel_size: FactorsByAxis | PixelSize | None = None,
        max_pixels: int | None = None,
        scale: FactorsByAxis | None = None,
    ) -> xr.DataTree:
        """Return the node of the level of an image that is as coarse as a criterion allows.

        See `ngio_x.level_for`.
        """
        return nx.level_for(self._held, pixel_size=pixel_size, max_pixels=max_pixels, scale=scale)

    def map_levels(
        self, function: Callable[..., xr.DataArray], *args: Any, on: On = "image", **kwargs: Any
    ) -> xr.DataTree:
        """Return the tree with a function applied to the array of every level; the nodes keep names and attributes.

        See `ngio_x.map_levels`.
        """
        return nx.map_levels(self._held, function, *args, on=on, **kwargs)

    def plot_levels(
        self,
        roi: RoiLike | None = None,
        *,
        rois: Iterable[Roi] = (),
        labels: xr.DataTree | str | None = None,
        channels: ChannelsLike | None = None,
        axes: Sequence[Axes] | None = None,
    ) -> tuple[Axes, ...]:
        """Draw all levels of an image side by side, in world units and with the same grey levels; return their axes.

        See `ngio_x.plot_levels`.
        """
        return nx.plot_levels(self._held, roi, rois=rois, labels=labels, channels=channels, axes=axes)

    def to_napari_layers(self, *, rois: Iterable[Roi] | Mapping[str, Iterable[Roi]] | None = None) -> list[LayerData]:
        """Return an image, its labels and regions as layers of napari, lying over each other in the world of ngio_x.

        See `ngio_x.to_napari_layers`.
        """
        return nx.to_napari_layers(self._held, rois=rois)


def register() -> None:
    """Give xarray's classes the attribute `ngio`; doing so again replaces our own, and only another's is warned of."""
    doors: tuple[tuple[type, type, Callable[[str], Callable[[type], type]]], ...] = (
        (xr.DataArray, DataArrayAccessor, xr.register_dataarray_accessor),
        (xr.Dataset, DatasetAccessor, xr.register_dataset_accessor),
        (xr.DataTree, DataTreeAccessor, xr.register_datatree_accessor),
    )
    for kind, accessor, registrar in doors:
        if getattr(getattr(kind, "ngio", None), "__module__", None) == __name__:
            delattr(kind, "ngio")
        registrar("ngio")(accessor)


register()
