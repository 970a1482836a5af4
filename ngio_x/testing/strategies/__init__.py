"""Hypothesis strategies for the values, images and documents of ngio_x.

Numbers are dyadic (multiples of 1/8) unless said otherwise, so that laws about them hold exactly and never meet the
edge of a rounding rule.
"""

from importlib.util import find_spec as _find_spec

if _find_spec("hypothesis") is None:
    raise ImportError("ngio_x.testing.strategies needs hypothesis: pip install 'ngio-x[testing]'")

from ngio_x.testing.strategies.documents import (
    BREAKS,
    broken_ngff_attributes,
    multiscales,
    ngff_attributes,
    plates,
    wells,
)
from ngio_x.testing.strategies.images import chunked, chunkings, images, label_images, pixel_arrays, pyramids
from ngio_x.testing.strategies.metadata import axes_handlers, dimensions, pixel_sizes, pyramid_levels
from ngio_x.testing.strategies.plain import dyadic_numbers, json_values, texts
from ngio_x.testing.strategies.regions import (
    overlapping_rois,
    roi_slices,
    roi_tables,
    rois,
    rois_over,
)

__all__ = [
    "BREAKS",
    "axes_handlers",
    "broken_ngff_attributes",
    "chunked",
    "chunkings",
    "dimensions",
    "dyadic_numbers",
    "images",
    "json_values",
    "label_images",
    "multiscales",
    "ngff_attributes",
    "overlapping_rois",
    "pixel_arrays",
    "pixel_sizes",
    "plates",
    "pyramid_levels",
    "pyramids",
    "roi_slices",
    "roi_tables",
    "rois",
    "rois_over",
    "texts",
    "wells",
]
