"""Laws of the labelled zoom: what it does to coordinates, and that its pixels are those of numpy_zoom."""

import numpy as np
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

import ngio_x as nx
from ngio_x.arrays.image import lattice_of
from ngio_x.testing.strategies import images

FACTORS = st.sampled_from((0.25, 0.4, 0.5, 0.75, 1.0, 1.5, 2.0))


@given(images(dtype=np.float64))
def test_zoom_by_one_is_identity(image):
    """A factor of 1 changes nothing at all."""
    xr.testing.assert_identical(nx.zoom(image, 1), image)


@given(images(("c", "y", "x"), max_size=10), FACTORS, FACTORS)
def test_zoom_is_numpy_zoom_with_names(image, y, x):
    """Pixels are those of numpy_zoom; sizes are rounded halves to even; channels are left alone."""
    result = nx.zoom(image, {"y": y, "x": x})
    shape = (image.sizes["c"], *(max(1, round(image.sizes[d] * f)) for d, f in (("y", y), ("x", x))))
    assert result.shape == shape
    np.testing.assert_array_equal(result, nx.numpy_zoom(image.values, target_shape=shape))
    assert result.dtype == image.dtype


@given(images(), FACTORS, FACTORS)
def test_zoom_keeps_the_extent(image, y, x):
    """New pixels span the old extent, and the spacing is extent / size."""
    result = nx.zoom(image, {"y": y, "x": x})
    for dim in "yx":
        before, after = lattice_of(image, dim), lattice_of(result, dim)
        np.testing.assert_allclose(after.extent, before.extent, rtol=1e-12)
        assert after.spacing == before.spacing * (before.size / after.size)


@given(images(), FACTORS, st.integers(1, 5))
def test_zoom_of_dask_is_zoom_of_numpy(image, factor, chunk):
    """Chunks never change a pixel or a label."""
    lazy = nx.zoom(image.chunk(y=chunk, x=chunk), factor)
    xr.testing.assert_identical(lazy.compute(), nx.zoom(image, factor))


@given(images(), FACTORS)
def test_zoom_of_labels_invents_no_id(image, factor):
    """Ids that come out went in."""
    labels = nx.as_labels(image)
    result = nx.zoom(labels, factor)
    assert set(np.unique(result)) <= set(np.unique(labels))
    assert result.attrs == labels.attrs
