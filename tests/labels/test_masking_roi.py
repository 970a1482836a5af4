import warnings

import dask.array as da
import numpy as np
import pytest

import ngio_x as nx
from ngio_x.errors import NgioTypeError, NgioValueError
from ngio_x.testing.samples import noise

SIZES = {"z": 2.0, "y": 0.25, "x": 0.5}


def blobs(shape=(4, 30, 40), dtype="u4", seed=0):
    """Return scattered, overlapping boxes with ids that skip numbers."""
    image = np.zeros(shape, dtype)
    for number, label in enumerate((9, 3, 120, 7, 8)):
        places = noise(len(shape), "f8", 5 * seed + number)
        corner = [int(place * (size - size // 4)) for place, size in zip(places, shape, strict=True)]
        image[tuple(slice(at, at + max(1, size // 4)) for at, size in zip(corner, shape, strict=True))] = label
    return image


def boxes(rois):
    return [(roi.label, {item.axis_name: item.bounds for item in roi.slices}) for roi in rois]


def test_boxes_are_those_of_skimage():
    """Half-open boxes in pixels, by rising id, are the bounding boxes of `regionprops`."""
    measure = pytest.importorskip("skimage.measure")
    image = blobs()
    rois = nx.compute_masking_roi(image, {}, "zyx")
    assert [roi.label for roi in rois] == sorted(set(image.ravel().tolist()) - {0})
    for roi, prop in zip(rois, measure.regionprops(image), strict=True):
        assert roi.label == prop.label
        low, high = prop.bbox[:3], prop.bbox[3:]
        assert [item.bounds for item in roi.slices] == list(zip(low, high, strict=True))


@pytest.mark.parametrize("lazy", [False, True])
def test_regions_are_those_of_ngio(lazy):
    """Names, labels, space and world intervals are the ones that ngio.common gives."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its dependencies
        ngio = pytest.importorskip("ngio")
        common = pytest.importorskip("ngio.common")
    image = blobs()
    theirs = common.compute_masking_roi(image, ngio.PixelSize(x=0.5, y=0.25, z=2.0), ("z", "y", "x"))
    data = da.from_array(image, chunks=(3, 7, 11)) if lazy else image
    ours = nx.compute_masking_roi(data, nx.PixelSize(x=0.5, y=0.25, z=2.0), ("z", "y", "x"))
    expected = sorted(
        (roi.label, str(roi.name), roi.space, {s.axis_name: (s.start, s.end) for s in roi.slices}) for roi in theirs
    )
    assert [(label, roi.name, roi.space, box) for roi, (label, box) in zip(ours, boxes(ours), strict=True)] == expected


@pytest.mark.parametrize("chunks", [(4, 30, 40), (1, 30, 40), (3, 7, 11), (2, 1, 40)])
def test_blocks_do_not_matter(chunks):
    """Objects that cross chunks get one region."""
    image = blobs()
    assert nx.compute_masking_roi(da.from_array(image, chunks=chunks), SIZES, "zyx") == nx.compute_masking_roi(
        image, SIZES, "zyx"
    )


@pytest.mark.parametrize("lazy", [False, True])
def test_huge_sparse_ids_cost_nothing(lazy):
    """Ids up to 2⁶⁴ − 1 are exact, and memory does not grow with them."""
    image = np.zeros((6, 8), np.uint64)
    image[1:3, 2:4], image[4, 7], image[0, 0] = 2**64 - 1, 2**64 - 2, 2**53 + 1
    rois = nx.compute_masking_roi(da.from_array(image, chunks=2) if lazy else image, {}, "yx")
    assert [roi.label for roi in rois] == [2**53 + 1, 2**64 - 2, 2**64 - 1]
    assert rois[-1].name == str(2**64 - 1)
    assert boxes(rois)[-1][1] == {"y": (1, 3), "x": (2, 4)}


@pytest.mark.parametrize("lazy", [False, True])
def test_negative_ids_are_refused(lazy):
    """The smallest one is named."""
    image = np.array([[0, 1], [-3, -1]])
    with pytest.raises(NgioValueError, match="ids must be ≥ 0, got -3"):
        nx.compute_masking_roi(da.from_array(image, chunks=1) if lazy else image, {}, "yx")


@pytest.mark.parametrize("dtype", ["bool", "u1", "i1", "u2", "i8", ">u4"])
def test_any_integer_or_boolean_type_holds_ids(dtype):
    """True counts as the id 1, whatever the bytes."""
    image = np.zeros((5, 5), dtype)
    image[1:3, 2] = 1
    assert boxes(nx.compute_masking_roi(image, {}, "yx")) == [(1, {"y": (1, 3), "x": (2, 3)})]


def test_an_image_of_background_has_no_regions():
    """Zero is no object."""
    assert nx.compute_masking_roi(np.zeros((4, 4), int), {}, "yx") == []
    assert nx.compute_masking_roi(da.zeros((4, 4), dtype=int, chunks=2), {}, "yx") == []


def test_an_empty_image_has_no_regions():
    """No pixels, no objects; nor do empty blocks between others matter."""
    blocks = da.concatenate([da.from_array(part) for part in (np.eye(2, dtype=int), np.zeros((0, 2), int))])
    assert boxes(nx.compute_masking_roi(blocks, {}, "yx")) == [(1, {"y": (0, 2), "x": (0, 2)})]
    assert nx.compute_masking_roi(np.zeros((0, 4), int), {}, "yx") == []


def test_a_labelled_image_brings_sizes_origin_and_names():
    """Regions lie where the image lies, so that cropping by them returns the objects."""
    pixels = blobs((20, 30))
    image = nx.as_labels(pixels, "yx", {"y": 0.25, "x": 0.5}, origin={"y": -3.0, "x": 100.0})
    rois = nx.compute_masking_roi(image)
    for roi in rois:
        found = np.argwhere(pixels == roi.label)
        low, high = found.min(0), found.max(0) + 1
        np.testing.assert_array_equal(nx.crop(image, roi), pixels[low[0] : high[0], low[1] : high[1]])


def test_a_crop_of_a_labelled_image_keeps_the_world():
    """An object wholly inside a crop has the region that it has in the whole image."""
    pixels = np.zeros((20, 30), int)
    pixels[8:10, 12:15] = 5
    image = nx.as_labels(pixels, "yx", 0.5, origin=7.0)
    assert nx.compute_masking_roi(image[5:, 9:20]) == nx.compute_masking_roi(image)


def test_an_image_without_coordinates_counts_pixels():
    """Dimensions alone are enough."""
    image = nx.as_labels(np.eye(2, dtype=int), "yx").drop_vars(["y", "x"])
    assert boxes(nx.compute_masking_roi(image)) == [(1, {"y": (0, 2), "x": (0, 2)})]


def test_an_explicit_pixel_size_wins():
    """A size given along replaces that of the image."""
    image = nx.as_labels(np.eye(2, dtype=int), "yx", 0.5)
    assert boxes(nx.compute_masking_roi(image, {"y": 3.0, "x": 2.0})) == [(1, {"y": (0, 6), "x": (0, 4)})]


def test_a_mapping_leaves_axes_alone_that_it_does_not_name():
    """They keep the sizes of a labelled array; of a plain one they must be named, unless they are no space or time."""
    (roi,) = nx.compute_masking_roi(nx.as_labels(np.ones((2, 2), "u1"), "yx", 0.5), {"y": 3.0})
    assert [item.length for item in roi.slices] == [6.0, 1.0]
    (roi,) = nx.compute_masking_roi(np.ones((3, 2, 2), "u1"), {"y": 3.0, "x": 2.0}, "cyx")
    assert [item.length for item in roi.slices] == [3.0, 6.0, 4.0]


@pytest.mark.parametrize("ndim", range(2, 7))
def test_two_to_six_dimensions(ndim):
    """A single pixel is a box of one pixel along every axis."""
    image = np.zeros((3, 2, 4, 2, 3, 2)[:ndim], int)
    image[(1,) * ndim] = 4
    axes = "qtczyx"[-ndim:]
    assert boxes(nx.compute_masking_roi(image, {}, axes)) == [(4, dict.fromkeys(axes, (1, 2)))]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((np.zeros((4, 4), int),), NgioValueError, "a plain array needs pixel_size and axes_order"),
        ((np.zeros((4, 4), int), SIZES), NgioValueError, "a plain array needs pixel_size and axes_order"),
        ((np.zeros((4, 4), int), SIZES, "zyx"), NgioValueError, "axes_order must name each axis of segmentation"),
        ((np.zeros(4, int), SIZES, "x"), NgioValueError, "2 to 6 dimensions, got shape \\(\\d,\\)"),
        ((np.zeros((1,) * 7, int), SIZES, "abcdefg"), NgioValueError, "2 to 6 dimensions, got shape \\(1, "),
        ((np.zeros((4, 4)), SIZES, "yx"), NgioTypeError, "segmentation must be integers, got float64: convert with"),
        ((np.zeros((4, 4), int), {"y": 1}, "yx"), NgioValueError, r"no size along 'x', only .'y',.: add one"),
        ((np.zeros((4, 4), int), {"y": 0}, "yx"), NgioValueError, "pixel size along 'y' must be > 0"),
        (
            (np.zeros((4, 4), int), "1", "yx"),
            NgioValueError,
            "pixel_size must be a mapping by axis name, or have one item",
        ),
        ((nx.as_labels(np.zeros((4, 4), int), "yx"), None, "zy"), NgioValueError, "must be the array's"),
    ],
)
def test_bad_input_is_refused(arguments, error, message):
    """The message says what is missing or does not fit."""
    with pytest.raises(error, match=message):
        nx.compute_masking_roi(*arguments)


def test_inputs_are_not_written_to():
    """Read-only pixels pass, and keep their values and attributes."""
    pixels = blobs()
    pixels.flags.writeable = False
    image = nx.as_labels(pixels, "zyx", SIZES).assign_attrs(note=[1])
    before = image.copy(deep=True)
    nx.compute_masking_roi(image)
    assert image.identical(before)
