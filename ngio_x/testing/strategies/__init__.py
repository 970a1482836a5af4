"""Hypothesis strategies for what ngio_x works on, from an axis to a document (extra `testing`).

Numbers are dyadic (multiples of 1/8) unless said otherwise, so that laws about them hold exactly and never meet the
edge of a rounding rule.
"""

from __future__ import annotations

from importlib.util import find_spec

if find_spec("hypothesis") is None:
    raise ModuleNotFoundError("the strategies need hypothesis: pip install 'ngio-x[testing]'", name="hypothesis")

from ngio_x.testing.strategies.breaks import BREAKS as BREAKS
from ngio_x.testing.strategies.breaks import Break as Break
from ngio_x.testing.strategies.documents import broken_attributes as broken_attributes
from ngio_x.testing.strategies.documents import multiscales as multiscales
from ngio_x.testing.strategies.documents import plates as plates
from ngio_x.testing.strategies.documents import valid_attributes as valid_attributes
from ngio_x.testing.strategies.documents import wells as wells
from ngio_x.testing.strategies.metadata import axes_handlers as axes_handlers
from ngio_x.testing.strategies.metadata import datasets as datasets
from ngio_x.testing.strategies.metadata import dimensions as dimensions
from ngio_x.testing.strategies.metadata import pixel_sizes as pixel_sizes
from ngio_x.testing.strategies.pixels import chunk_shapes as chunk_shapes
from ngio_x.testing.strategies.pixels import chunkings as chunkings
from ngio_x.testing.strategies.pixels import images as images
from ngio_x.testing.strategies.pixels import label_images as label_images
from ngio_x.testing.strategies.pixels import label_pixels as label_pixels
from ngio_x.testing.strategies.pixels import pixels as pixels
from ngio_x.testing.strategies.pixels import rois_over as rois_over
from ngio_x.testing.strategies.pixels import windows as windows
from ngio_x.testing.strategies.pyramids import image_levels as image_levels
from ngio_x.testing.strategies.pyramids import level_shapes as level_shapes
from ngio_x.testing.strategies.pyramids import pyramid_builders as pyramid_builders
from ngio_x.testing.strategies.pyramids import pyramid_trees as pyramid_trees
from ngio_x.testing.strategies.regions import dyadic_numbers as dyadic_numbers
from ngio_x.testing.strategies.regions import roi_slices as roi_slices
from ngio_x.testing.strategies.regions import roi_tables as roi_tables
from ngio_x.testing.strategies.regions import rois as rois
from ngio_x.testing.strategies.regions import rois_with_overlaps as rois_with_overlaps
