"""The bounding box of every object of a label image, as regions in world units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from ngio_x._frozen import shown, to_float
from ngio_x.arrays.image import lattice_of
from ngio_x.arrays.lattice import Lattice
from ngio_x.errors import NgioValueError
from ngio_x.labels.extents import LabelsLike, integer_pixels, summary_of
from ngio_x.metadata.axes import FactorsByAxis, axis_type_of, by_axis
from ngio_x.metadata.pixel_size import PixelSize, SpacingLike, spacing_along
from ngio_x.roi.columns import RoiColumns, to_rois
from ngio_x.roi.roi import Roi


def compute_masking_roi(
    segmentation: LabelsLike,
    pixel_size: FactorsByAxis | PixelSize | None = None,
    axes_order: Sequence[str] | None = None,
) -> list[Roi]:
    """Return the bounding box of every id of a label image, 0 being background.

    Args:
        segmentation: Integer (or boolean) array of 2 to 6 dimensions: numpy, dask, zarr, or labelled.
        pixel_size: Sizes by axis, or one for each axis in their order; an empty mapping counts pixels. A labelled array
            brings its own, and its place in the world with it; a mapping changes the sizes of the axes that it names.
        axes_order: Names of the axes, such as `"zyx"`. A labelled array brings its own.

    Returns:
        One region an id, in world units, by rising id; name and label are the id.

    Raises:
        NgioValueError: If names or sizes are missing or do not fit, or an id is negative.
        NgioTypeError: If the array does not hold integers.
    """
    labelled = isinstance(segmentation, (xr.DataArray, xr.Dataset, xr.DataTree))
    if not labelled and (pixel_size is None or axes_order is None):
        raise NgioValueError(
            "a segmentation that is a plain array needs pixel_size and axes_order; a labelled one brings its own"
        )
    pixels, axes = integer_pixels(segmentation, axes_order, argument="segmentation")
    if not 2 <= pixels.ndim <= 6:
        raise NgioValueError(f"segmentation must have 2 to 6 dimensions, got shape {pixels.shape}")
    sizes = by_axis(pixel_size, axes, "pixel_size", to_float) if isinstance(pixel_size, Sequence) else pixel_size
    spacings, edges = _grid(segmentation, axes, sizes)
    found = summary_of(pixels, 0)
    if found.ids.size and found.ids[0] < 0:
        raise NgioValueError(f"ids must be ≥ 0, got {found.ids[0]}")
    with np.errstate(over="ignore"):  # what is beyond all floats is refused with the regions
        starts = edges + found.starts.T * spacings
        lengths = (found.stops - found.starts).T * spacings
    if not (np.isfinite(starts).all() and np.isfinite(lengths).all()):
        raise NgioValueError(f"pixel_size must not be so large that boxes have no numbers, got {shown(pixel_size)}")
    return to_rois(RoiColumns(axes, starts, lengths, list(map(str, found.ids.tolist())), found.ids))


def _grid(
    segmentation: Any, axes: tuple[str, ...], pixel_size: SpacingLike | None
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return pixel size and world edge of position 0 along each axis."""
    lattices = [lattice_of(segmentation, axis) if isinstance(segmentation, xr.DataArray) else None for axis in axes]
    edges = [0.0 if lattice is None else lattice.edge for lattice in lattices]
    spacings = [_spacing(axis, lattice, pixel_size) for axis, lattice in zip(axes, lattices, strict=True)]
    return np.array(spacings), np.array(edges)


def _spacing(axis: str, lattice: Lattice | None, pixel_size: SpacingLike | None) -> float:
    """Return the size that is given, else that of the array; only what is no space or time may have none."""
    if pixel_size is not None and (not isinstance(pixel_size, Mapping) or axis in pixel_size):
        return spacing_along(pixel_size, axis)
    if lattice is not None:
        return lattice.spacing
    if pixel_size and axis_type_of(axis) in ("space", "time"):
        raise NgioValueError(f"pixel_size names no size along '{axis}', only {tuple(pixel_size)}: add one")
    return 1.0
