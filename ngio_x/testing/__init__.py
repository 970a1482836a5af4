"""For users' own tests: samples, assertions, and hypothesis strategies for what ngio_x works on (extra `testing`).

The assertions and `ngio_x.testing.samples` need nothing that ngio_x does not; `ngio_x.testing.strategies` needs
hypothesis.
"""

from ngio_x.testing import samples as samples
from ngio_x.testing.assertions import assert_chunking_independent as assert_chunking_independent
from ngio_x.testing.assertions import assert_same_lattice as assert_same_lattice
from ngio_x.testing.assertions import assert_same_pixels as assert_same_pixels
from ngio_x.testing.assertions import assert_valid_ome_zarr as assert_valid_ome_zarr
