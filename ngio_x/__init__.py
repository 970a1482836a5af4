"""Regions and pyramids of labelled microscopy images, as values and pure functions.

    >>> import ngio_x as nx
    >>> roi = nx.Roi.from_values({"y": (0, 10), "x": slice(5, 20)}, name="cell")
    >>> roi["x"].length
    15.0

Names are loaded from their modules on first use, so that importing the package is as quick as importing xarray, whose
arrays and trees get the accessor `.ngio`.
"""

from __future__ import annotations

from importlib import import_module
from threading import RLock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ngio_x import errors as errors
    from ngio_x.arrays.composite import composite as composite
    from ngio_x.arrays.coordinates import from_napari as from_napari
    from ngio_x.arrays.coordinates import from_ngff as from_ngff
    from ngio_x.arrays.coordinates import from_ngio as from_ngio
    from ngio_x.arrays.coordinates import from_spatialdata as from_spatialdata
    from ngio_x.arrays.coordinates import napari_layer as napari_layer
    from ngio_x.arrays.coordinates import napari_shapes as napari_shapes
    from ngio_x.arrays.coordinates import to_napari as to_napari
    from ngio_x.arrays.coordinates import to_ngff as to_ngff
    from ngio_x.arrays.coordinates import to_ngio as to_ngio
    from ngio_x.arrays.coordinates import to_spatialdata as to_spatialdata
    from ngio_x.arrays.crop import crop as crop
    from ngio_x.arrays.crop import window as window
    from ngio_x.arrays.dimensions import channels_of as channels_of
    from ngio_x.arrays.dimensions import dimensions_of as dimensions_of
    from ngio_x.arrays.dimensions import pixel_size_of as pixel_size_of
    from ngio_x.arrays.geojson import from_geojson as from_geojson
    from ngio_x.arrays.geojson import to_geojson as to_geojson
    from ngio_x.arrays.image import as_image as as_image
    from ngio_x.arrays.image import as_labels as as_labels
    from ngio_x.arrays.lattice import Lattice as Lattice
    from ngio_x.arrays.levels import level_for as level_for
    from ngio_x.arrays.levels import map_levels as map_levels
    from ngio_x.arrays.mask import mask as mask
    from ngio_x.arrays.mosaic import mosaic as mosaic
    from ngio_x.arrays.paste import paste as paste
    from ngio_x.arrays.pixel_index import PixelIndex as PixelIndex
    from ngio_x.arrays.roi_dataset import rois_from_dataset as rois_from_dataset
    from ngio_x.arrays.roi_dataset import rois_to_dataset as rois_to_dataset
    from ngio_x.arrays.show import show as show
    from ngio_x.arrays.tiles import tile as tile
    from ngio_x.arrays.zoom import zoom as zoom
    from ngio_x.labels.extents import label_extents as label_extents
    from ngio_x.labels.extents import unique_ids as unique_ids
    from ngio_x.labels.keep import keep_objects as keep_objects
    from ngio_x.labels.map_rois import map_rois as map_rois
    from ngio_x.labels.masking_roi import compute_masking_roi as compute_masking_roi
    from ngio_x.labels.objects import crop_objects as crop_objects
    from ngio_x.labels.objects import stack_objects as stack_objects
    from ngio_x.labels.relabel import relabel_sequential as relabel_sequential
    from ngio_x.metadata.axes import AxesHandler as AxesHandler
    from ngio_x.metadata.axes import AxesSetup as AxesSetup
    from ngio_x.metadata.axes import Axis as Axis
    from ngio_x.metadata.channels import Channel as Channel
    from ngio_x.metadata.dataset import Dataset as Dataset
    from ngio_x.metadata.dimensions import Dimensions as Dimensions
    from ngio_x.metadata.dimensions import check_if_axes_match as check_if_axes_match
    from ngio_x.metadata.dimensions import check_if_dimensions_match as check_if_dimensions_match
    from ngio_x.metadata.dimensions import check_if_rescalable as check_if_rescalable
    from ngio_x.metadata.dimensions import require_axes_match as require_axes_match
    from ngio_x.metadata.dimensions import require_dimensions_match as require_dimensions_match
    from ngio_x.metadata.dimensions import require_rescalable as require_rescalable
    from ngio_x.metadata.pixel_size import PixelSize as PixelSize
    from ngio_x.ngff.label_images import write_labels as write_labels
    from ngio_x.ngff.problems import Problem as Problem
    from ngio_x.ngff.read import open_ome_zarr as open_ome_zarr
    from ngio_x.ngff.region import consolidate_ome_zarr as consolidate_ome_zarr
    from ngio_x.ngff.region import write_region as write_region
    from ngio_x.ngff.tables.rois import list_tables as list_tables
    from ngio_x.ngff.tables.rois import read_rois as read_rois
    from ngio_x.ngff.tables.rois import write_rois as write_rois
    from ngio_x.ngff.upgrade import upgrade_ome_zarr as upgrade_ome_zarr
    from ngio_x.ngff.validate import Report as Report
    from ngio_x.ngff.validate import validate_ome_zarr as validate_ome_zarr
    from ngio_x.ngff.write import derive as derive
    from ngio_x.ngff.write import write_ome_zarr as write_ome_zarr
    from ngio_x.pyramid.builder import ImagePyramidBuilder as ImagePyramidBuilder
    from ngio_x.pyramid.consolidate import consolidate_pyramid as consolidate_pyramid
    from ngio_x.pyramid.consolidate import on_disk_zoom as on_disk_zoom
    from ngio_x.pyramid.consolidate import plan_pyramid as plan_pyramid
    from ngio_x.pyramid.level import ChunksLike as ChunksLike
    from ngio_x.pyramid.level import PyramidLevel as PyramidLevel
    from ngio_x.pyramid.level import ShardsLike as ShardsLike
    from ngio_x.pyramid.plan import PyramidPlan as PyramidPlan
    from ngio_x.resample.kernels import InterpolationOrder as InterpolationOrder
    from ngio_x.resample.zoom import dask_zoom as dask_zoom
    from ngio_x.resample.zoom import numpy_zoom as numpy_zoom
    from ngio_x.roi.corners import bounding_roi as bounding_roi
    from ngio_x.roi.corners import corners as corners
    from ngio_x.roi.drawing import RoiDrawing as RoiDrawing
    from ngio_x.roi.many import assign_tiles as assign_tiles
    from ngio_x.roi.many import containing as containing
    from ngio_x.roi.many import hull as hull
    from ngio_x.roi.many import overlapping as overlapping
    from ngio_x.roi.roi import Roi as Roi
    from ngio_x.roi.roi_slice import RoiSlice as RoiSlice
    from ngio_x.serialization.documents import from_dict as from_dict
    from ngio_x.serialization.documents import from_json as from_json
    from ngio_x.serialization.documents import to_dict as to_dict
    from ngio_x.serialization.documents import to_json as to_json
    from ngio_x.serialization.values import configure_converter as configure_converter
    from ngio_x.serialization.values import make_converter as make_converter
    from ngio_x.view.napari import to_napari_layers as to_napari_layers
    from ngio_x.view.overlays import plot_labels as plot_labels
    from ngio_x.view.overlays import plot_rois as plot_rois
    from ngio_x.view.pictures import plot_image as plot_image
    from ngio_x.view.pictures import plot_levels as plot_levels

__version__ = "0.1.0"

_HOMES = {
    "arrays.composite": ("composite",),
    "arrays.coordinates": (
        "from_napari",
        "from_ngff",
        "from_ngio",
        "from_spatialdata",
        "napari_layer",
        "napari_shapes",
        "to_napari",
        "to_ngff",
        "to_ngio",
        "to_spatialdata",
    ),
    "arrays.crop": ("crop", "window"),
    "arrays.dimensions": ("channels_of", "dimensions_of", "pixel_size_of"),
    "arrays.image": ("as_image", "as_labels"),
    "arrays.lattice": ("Lattice",),
    "arrays.levels": ("level_for", "map_levels"),
    "arrays.mask": ("mask",),
    "arrays.mosaic": ("mosaic",),
    "arrays.paste": ("paste",),
    "arrays.pixel_index": ("PixelIndex",),
    "arrays.roi_dataset": ("rois_from_dataset", "rois_to_dataset"),
    "arrays.show": ("show",),
    "arrays.tiles": ("tile",),
    "arrays.zoom": ("zoom",),
    "labels.extents": ("label_extents", "unique_ids"),
    "labels.keep": ("keep_objects",),
    "labels.map_rois": ("map_rois",),
    "labels.masking_roi": ("compute_masking_roi",),
    "labels.objects": ("crop_objects", "stack_objects"),
    "labels.relabel": ("relabel_sequential",),
    "metadata.axes": ("AxesHandler", "AxesSetup", "Axis"),
    "metadata.channels": ("Channel",),
    "metadata.dataset": ("Dataset",),
    "metadata.dimensions": (
        "Dimensions",
        "check_if_axes_match",
        "check_if_dimensions_match",
        "check_if_rescalable",
        "require_axes_match",
        "require_dimensions_match",
        "require_rescalable",
    ),
    "metadata.pixel_size": ("PixelSize",),
    "ngff.label_images": ("write_labels",),
    "ngff.problems": ("Problem",),
    "ngff.read": ("open_ome_zarr",),
    "ngff.region": ("consolidate_ome_zarr", "write_region"),
    "ngff.tables.rois": ("list_tables", "read_rois", "write_rois"),
    "ngff.upgrade": ("upgrade_ome_zarr",),
    "ngff.validate": ("Report", "validate_ome_zarr"),
    "ngff.write": ("derive", "write_ome_zarr"),
    "pyramid.builder": ("ImagePyramidBuilder",),
    "pyramid.consolidate": ("consolidate_pyramid", "on_disk_zoom", "plan_pyramid"),
    "pyramid.level": ("ChunksLike", "PyramidLevel", "ShardsLike"),
    "pyramid.plan": ("PyramidPlan",),
    "resample.kernels": ("InterpolationOrder",),
    "resample.zoom": ("dask_zoom", "numpy_zoom"),
    "roi.corners": ("bounding_roi", "corners"),
    "roi.drawing": ("RoiDrawing",),
    "arrays.geojson": ("from_geojson", "to_geojson"),
    "roi.many": ("assign_tiles", "containing", "hull", "overlapping"),
    "roi.roi": ("Roi",),
    "roi.roi_slice": ("RoiSlice",),
    "serialization.documents": ("from_dict", "from_json", "to_dict", "to_json"),
    "serialization.values": ("configure_converter", "make_converter"),
    "view.napari": ("to_napari_layers",),
    "view.overlays": ("plot_labels", "plot_rois"),
    "view.pictures": ("plot_image", "plot_levels"),
}
_LOADING = RLock()
_MODULE_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = sorted([*_MODULE_OF, "errors"])  # noqa: PLE0605 — a list, made from the table above


if not TYPE_CHECKING:  # checkers know the names above, and no other

    def __getattr__(name: str) -> Any:
        if name == "errors":
            return import_module("ngio_x.errors")
        module = _MODULE_OF.get(name)
        if module is None:
            raise AttributeError(f"module 'ngio_x' has no attribute {name!r}")
        with _LOADING:  # zarr's modules import each other, which threads that load them at once see half of
            value = getattr(import_module(f"ngio_x.{module}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


import_module("ngio_x.accessor")  # last: it reaches the functions through the names above
