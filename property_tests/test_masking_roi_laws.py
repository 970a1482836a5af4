"""Laws of the regions of objects."""

import dask.array as da
import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import ngio_x as nx
from ngio_x.testing.strategies import chunkings, label_pixels

images = hnp.array_shapes(min_dims=2, max_dims=3, max_side=7).flatmap(
    lambda shape: st.sampled_from(("u1", "i4", "u8")).flatmap(lambda dtype: label_pixels(shape, dtype, max_id=127))
)


def pixel_boxes(image):
    return {
        roi.label: tuple(slice(int(item.start), int(item.end)) for item in roi.slices)
        for roi in nx.compute_masking_roi(image, {}, "zyx"[-image.ndim :])
    }


@given(images)
def test_a_region_holds_all_of_its_object_and_touches_it_on_every_side(image):
    found = pixel_boxes(image)
    assert list(found) == sorted(set(image.ravel().tolist()) - {0})
    for label, box in found.items():
        inside = image[box] == label
        assert inside.sum() == (image == label).sum()
        for axis in range(image.ndim):
            assert inside.take(0, axis).any()
            assert inside.take(-1, axis).any()


@given(images, st.data())
def test_chunking_never_changes_a_region(image, data):
    chunks = data.draw(chunkings(image.shape))
    assert pixel_boxes(da.from_array(image, chunks=chunks)) == pixel_boxes(image)


@given(images, st.permutations(range(1, 128)))
def test_renaming_ids_renames_regions(image, names):
    table = np.array([0, *names])
    assert pixel_boxes(table[image.astype(int)]) == {
        int(table[label]): box for label, box in pixel_boxes(image).items()
    }
