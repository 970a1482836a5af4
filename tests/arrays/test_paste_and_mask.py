"""Putting pieces back, and blanking out all but one object."""

import itertools
import pickle
from unittest import mock

import dask
import dask.array as da
import distributed
import numpy as np
import pytest
import xarray as xr

import ngio_x as nx
from ngio_x.errors import NgioEmptyRegionError, NgioTypeError, NgioValueError
from ngio_x.testing import samples

ROI = nx.Roi.from_values({"y": (1, 1), "x": (1, 2)}, name=None)


@pytest.fixture(params=["numpy", "dask"])
def image(request) -> xr.DataArray:
    pixels = np.ones((2, 6, 8), "u2")
    pixels.flags.writeable = False
    image = nx.as_image(pixels, ("c", "y", "x"), 0.5, channels=["a", "b"], name="q").assign_attrs(note=1)
    return image if request.param == "numpy" else image.chunk(c=1, x=3)


@pytest.fixture
def patch(image) -> xr.DataArray:
    return xr.full_like(nx.crop(image, ROI).compute(), 7)


@pytest.fixture
def labels() -> xr.DataArray:
    return nx.as_labels((np.arange(48).reshape(6, 8) % 3).astype("u1"), ("y", "x"), 0.5)


@pytest.mark.parametrize(
    ("change", "pixels"),
    [
        (lambda p: p, 16),
        (lambda p: p.T, 16),
        (lambda p: p.chunk(y=1), 16),
        (lambda p: p.isel(c=[1, 0]), 16),
        (lambda p: p.isel(c=[1]), 8),
        (lambda p: p.isel(c=0, drop=True), 16),
        (lambda p: p.astype("u1"), 16),
    ],
)
def test_a_patch_goes_where_its_lattice_says(image, patch, change, pixels):
    """Axes are found by name, channels by theirs; what the patch lacks it is repeated along."""
    result = nx.paste(image, change(patch))
    assert int((result == 7).sum()) == pixels
    xr.testing.assert_identical(result.where(result != 7, 1).astype("u2"), image.astype("u2"))
    assert (result.dtype, type(result.data)) == (image.dtype, type(image.data))


def test_channels_keep_their_values_whatever_their_order(image, patch):
    """Channels of the patch in another order land in their own."""
    patch = patch.copy(data=patch.values * np.array([1, 2], "u2")[:, None, None])
    result = nx.paste(image, patch.isel(c=[1, 0]))
    xr.testing.assert_identical(nx.crop(result, ROI).compute(), patch)


@pytest.mark.parametrize("roi", [None, ROI])
def test_a_chosen_position_is_where_the_patch_goes(image, patch, roi):
    """One channel or plane that was selected goes back into that one; an unknown one has no place."""
    result = nx.paste(image, patch.sel(c="b"), roi)
    assert [int((result == 7)[channel].sum()) for channel in range(2)] == [0, 8]
    line = patch.isel(y=1)
    assert int((nx.paste(image, line) == 7)[:, 3].sum()) == 8
    with pytest.raises(NgioValueError, match="'z' along 'c'"):
        nx.paste(image, patch.isel(c=0).assign_coords(c="z"), roi)


@pytest.mark.parametrize("chunks", [None, 1])
def test_several_axes_have_names(chunks):
    """In another order along each of them."""
    image = xr.DataArray(np.zeros((3, 2, 4), int), {"c": ["a", "b", "d"], "w": ["p", "q"]}, ("c", "w", "x"))
    patch = xr.DataArray(np.arange(1, 17).reshape(2, 2, 4), {"c": ["d", "a"], "w": ["q", "p"]}, ("c", "w", "x"))
    result = nx.paste(image if chunks is None else image.chunk(chunks), patch)
    xr.testing.assert_identical(result.sel(c=patch.c, w=patch.w).compute(), patch)
    assert not result.sel(c="b").any()


def test_channels_of_equal_names_are_pasted_together(image, patch):
    """Names cannot tell one from another."""
    image, patch = image.assign_coords(c=["a", "a"]), patch.assign_coords(c=["a", "a"])
    assert int((nx.paste(image, patch) == 7).sum()) == 16
    with pytest.raises(NgioValueError, match="axis 'c': names of the image are not unique"):
        nx.paste(image, patch.isel(c=[0]))


def test_plain_arrays_go_where_the_region_says(image):
    """An array without names needs a region of its size."""
    assert int((nx.paste(image, np.full((2, 2, 4), 7, "u2"), ROI) == 7).sum()) == 16
    with pytest.raises(NgioValueError, match="axis 'x': the patch must have the 4 pixels that the region holds"):
        nx.paste(image, np.full((2, 2, 3), 7, "u2"), ROI)
    with pytest.raises(NgioValueError, match=r"patch must be .* with roi=, got ndarray of 1 without roi"):
        nx.paste(image, np.ones(3, "u2"))


def test_what_lies_outside_is_dropped(image, patch):
    """A patch may reach over the edge; one wholly outside is an error."""
    assert int((nx.paste(image.isel(x=slice(0, 4)), patch) == 7).sum()) == 8
    with pytest.raises(NgioEmptyRegionError, match="axis 'x'"):
        nx.paste(image.isel(x=slice(0, 2)), patch)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda p: p.astype(float), NgioTypeError, "float64 do not all fit into uint16"),
        (lambda p: p.astype("i4"), NgioTypeError, "int32 do not all fit into uint16"),
        (lambda p: p.assign_coords(c=["a", "z"]), NgioValueError, "'z' along 'c'"),
        (lambda p: nx.zoom(p, 0.5), NgioValueError, "along 'y': the pixel sizes differ: 0.5 and 1.0"),
        (lambda p: p.expand_dims("t"), NgioValueError, "axes .*of the image's .*, got 't'"),
        (lambda p: p.isel(x=slice(0, 0)), NgioEmptyRegionError, "axis 'x'"),
    ],
)
def test_patches_that_do_not_fit_are_refused(image, patch, change, error, message):
    """The error says which axis or dtype is at odds."""
    with pytest.raises(error, match=message):
        nx.paste(image, change(patch))


def test_mask_keeps_one_object(image, labels):
    """Pixels of the object stay, the rest is fill; labels apply to each channel."""
    result = nx.mask(image, labels, 1, fill=9)
    np.testing.assert_array_equal(result, np.where(labels.values == 1, 1, 9)[None].repeat(2, axis=0))
    assert (result.dtype, result.attrs, result.name, result.dims) == (image.dtype, image.attrs, "q", image.dims)


@pytest.mark.parametrize(("own", "theirs"), [(slice(0, 8), slice(2, 4)), (slice(2, 4), slice(0, 8))])
def test_mask_finds_the_common_pixels(image, labels, own, theirs):
    """Labels may be smaller or larger; what they do not cover is blank."""
    result = nx.mask(image.isel(x=own), labels.isel(x=theirs), 1)
    assert result.sizes == image.isel(x=own).sizes
    assert int(result.sum()) == 2 * int((labels[:, 2:4] == 1).sum())


def test_mask_of_an_absent_id_is_blank(image, labels):
    """An id that is nowhere, or does not fit the dtype, leaves nothing."""
    assert int(nx.mask(image, labels, 300).sum()) == 0


def test_labels_may_be_booleans(image, labels):
    """True is the id 1, as in all functions of labels; the id is named where it is no number."""
    assert nx.mask(image, labels == 1, 1).identical(nx.mask(image, labels, 1))
    with pytest.raises(NgioValueError, match="label_id must be an integer, got '1'"):
        nx.mask(image, labels, "1")


def test_mask_of_a_float_image_takes_nan(image, labels):
    """NaN fits floats, whose dtype is kept."""
    result = nx.mask(image.astype("f4"), labels, 1, fill=np.nan)
    assert result.dtype == np.float32
    assert int(result.isnull().sum()) == 2 * int((labels != 1).sum())


@pytest.mark.parametrize("fill", [-1, 1.5, "a", np.nan, [1, 2], 2**16])
def test_fill_must_fit_the_dtype(image, labels, fill):
    """A fill that the image cannot hold is refused."""
    with pytest.raises(NgioValueError, match="does not fit dtype uint16"):
        nx.mask(image, labels, 1, fill=fill)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda a: a.astype(float), NgioTypeError, "labels must be integers, got"),
        (lambda a: a.values, NgioTypeError, "got ndarray"),
        (
            lambda a: nx.zoom(a, 0.5),
            NgioValueError,
            "the image and the labels do not fit along 'y': the pixel sizes differ: 0.5 and 1.0",
        ),
        (lambda a: a.expand_dims("t"), NgioValueError, "axes .*of the image's .*, got 't'"),
        (lambda a: nx.as_labels(a, units="nanometer"), NgioValueError, "units differ"),
        (nx.as_image, NgioTypeError, "says that it is an image"),
    ],
)
def test_labels_that_do_not_fit_are_refused(image, labels, change, error, message):
    """The error says which axis or dtype is at odds."""
    with pytest.raises(error, match=message):
        nx.mask(image, change(labels), 1)


def test_plain_arrays_are_no_images(patch, labels):
    """paste and mask need names."""
    with pytest.raises(NgioTypeError, match="image must be a DataArray, got ndarray"):
        nx.paste(np.zeros((2, 2)), patch)
    with pytest.raises(NgioTypeError, match="image must be a DataArray, got ndarray"):
        nx.mask(np.zeros((2, 2)), labels, 1)


def test_a_mapping_says_where_a_patch_goes():
    """As the region would that it makes."""
    image = nx.as_image(np.zeros((6, 8), "u2"), "yx", 0.5)
    rows = nx.paste(image, np.ones((2, 8), "u2"), {"y": (1, 1)})
    np.testing.assert_array_equal(rows.sum("x"), [0, 0, 8, 8, 0, 0])
    assert rows.identical(nx.paste(image, np.ones((2, 8), "u2"), nx.Roi.from_values({"y": (1, 1), "x": slice(None)})))


def ell():
    """An image, and labels of an L-shaped object around another: their boxes overlap."""
    pixels = np.zeros((6, 6), "u4")
    pixels[:, :2] = pixels[4:] = 1
    pixels[1:3, 3:5] = 2
    labels = nx.as_labels(pixels, "yx", 0.5)
    return nx.as_image(np.arange(36, dtype="u2").reshape(6, 6), "yx", 0.5), labels


@pytest.mark.parametrize("chunks", [None, {"y": 2, "x": 4}])
@pytest.mark.parametrize(
    "where",
    [
        lambda m: m,
        lambda m: m.chunk(y=3),
        lambda m: m.T,
        lambda m: m[2:6, 1:],
        lambda m: nx.as_image(np.pad(m.values, 3), "yx", 0.5, origin=-1.5),
        lambda m: m[1:5, :5].values,
        lambda m: m[1:5, :5].chunk().data,
        lambda m: m[1:5, :5].drop_vars(["y", "x"]),
    ],
    ids=["same", "dask", "turned", "elsewhere", "larger", "plain", "plain dask", "no grid"],
)
def test_only_pixels_where_the_mask_is_true_change(chunks, where):
    """A mask of the patch's size, or any that its grid places on the patch; what it does not cover stays."""
    image, labels = ell()
    inside = where(labels == 1)
    patch = image[1:5, :5] + np.uint16(100)
    held = image if chunks is None else image.chunk(chunks)
    result = nx.paste(held, patch, where=inside)
    assert (result.chunks is None) == (chunks is None)
    expected = image.values.copy()
    given = np.zeros((6, 6), bool)
    given[1:5, :5] = (labels == 1).values[1:5, :5]
    if isinstance(inside, xr.DataArray) and inside.shape == (4, 5) and "y" in inside.coords:
        given[:2], given[:, 0] = False, False
    expected[given] += 100
    np.testing.assert_array_equal(result, expected)
    assert held.ngio.paste(patch, where=inside).identical(result)


def test_a_mask_is_for_all_channels_or_names_those_it_is_for(image, patch, labels):
    """Axes that it lacks it is repeated along; a patch of one channel goes there alone; channels are found by name."""
    inside = labels == 1
    count = int(nx.crop(inside, ROI).sum())
    assert int((nx.paste(image, patch, where=inside) == 7).sum()) == 2 * count
    assert [(nx.paste(image, patch.sel(c="b"), where=inside) == 7)[k].sum() for k in (0, 1)] == [0, count]
    assert int((nx.paste(image, patch, where=(image == 1).sel(c="a")) == 7).sum()) == patch.size
    both = inside.expand_dims(c=["b", "a"]) & xr.DataArray([True, False], dims="c")
    for given in (patch, patch.isel(c=0, drop=True), patch.isel(c=[1, 0])):
        found = nx.paste(image, given, where=both)
        assert [int((found == 7)[k].sum()) for k in (0, 1)] == [0, count]
    assert int((nx.paste(image, patch, where=both.isel(c=[1])) == 7).sum()) == 0


def test_a_mask_goes_with_a_region(image, labels):
    """Of a plain patch the region says where it lies; of a patch that is moved its mask moves with it."""
    plain, inside = np.full((2, 2, 4), 7, "u2"), labels == 1
    count = int(nx.crop(inside, ROI).sum())
    assert int((nx.paste(image, plain, ROI, where=inside) == 7).sum()) == 2 * count
    there = nx.Roi.from_values({"y": (0, 1), "x": (0, 2)}, None)
    moved = nx.paste(image, nx.crop(xr.full_like(image, 7), ROI), there, where=inside)
    np.testing.assert_array_equal(nx.crop(moved, there)[0] == 7, nx.crop(inside, ROI))


@pytest.mark.parametrize("chunks", [None, {"x": 2}])
def test_a_mask_finds_a_region_of_one_pixel(chunks):
    """A plain patch has no coordinates: its lone pixel is as large as those of the image."""
    ground = nx.as_image(np.arange(35, dtype="u2").reshape(5, 7), "yx", 0.5)
    image = ground if chunks is None else ground.chunk(chunks)
    for x in (2, 3):
        pasted = nx.paste(image, np.zeros((1, 1), "u2"), {"y": (0.5, 0.5), "x": (0.5 * x, 0.5)}, where=ground == 9)
        np.testing.assert_array_equal(pasted, ground.where((ground != 9) | (x != 2), 0))


def test_parts_outside_are_dropped_with_their_mask(image, patch):
    """A mask of the patch's size belongs to its pixels, also to those that do not count."""
    inside = np.arange(8).reshape(2, 4) % 2 == 0
    found = nx.paste(image.isel(x=slice(0, 4)), patch.isel(c=0, drop=True), where=inside)
    assert [tuple(map(int, at)) for at in np.argwhere((found == 7)[0].values)] == [(2, 2), (3, 2)]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda m: m.astype("u1"), NgioTypeError, r"where must be boolean, got uint8: .*labels == 5"),
        (lambda m: m.values.astype(int), NgioTypeError, r"where must be boolean, got int64: .*labels == 5"),
        (lambda m: "all", NgioTypeError, "where must be boolean"),
        (lambda m: True, NgioValueError, r"where must have the patch's shape \(2, 2, 4\), got shape \(\)"),
        (lambda m: m.values, NgioValueError, r"where must have the patch's shape \(2, 2, 4\), got shape \(6, 8\)"),
        (lambda m: nx.as_image(m, "yx", 0.25), NgioValueError, "the patch and where do not fit along 'y': .*sizes"),
        (lambda m: m.drop_vars("y"), NgioValueError, "axis 'y': the patch has 2 pixels, where 6"),
        (lambda m: m.expand_dims("t"), NgioValueError, "where must have axes of the image's .*, got 't'"),
    ],
)
def test_masks_that_do_not_fit_are_refused(image, patch, labels, change, error, message):
    """Ids are not truths, and what has no place on the patch is none of its masks."""
    with pytest.raises(error, match=message):
        nx.paste(image, patch, where=change(labels == 1))


def tasks_of(image):
    return dict(image.data.__dask_graph__())


@pytest.mark.parametrize("kind", ["plain", "lazy", "of the image"])
def test_a_paste_costs_tasks_for_the_chunks_that_it_touches(kind):
    """Not for every chunk each time: after the first, ten tasks a paste are enough."""
    plain = nx.as_image(np.zeros((256, 256), "u2"), "yx")
    image, counts = plain.chunk(y=8, x=8), []
    corners = samples.noise((40, 2), "i8", low=0, high=246)
    for k, (y, x) in enumerate(corners):
        box = {"y": slice(y, y + 8), "x": slice(x, x + 8)}
        patch = plain[box] + np.uint16(k) if kind == "of the image" else xr.full_like(plain[box], k)
        given = {"plain": patch, "lazy": patch.chunk(y=8, x=8), "of the image": image[box] + np.uint16(k)}[kind]
        image, plain = nx.paste(image, given), nx.paste(plain, patch)
        counts.append(len(tasks_of(image)))
    assert np.diff(counts).max() <= (30 if kind == "of the image" else 10)
    assert counts[0] <= 2 * 32 * 32 + 30
    with dask.config.set({"optimization.fuse.active": False}):
        (optimized,) = dask.optimize(image.data)
    assert len(dict(optimized.__dask_graph__())) <= counts[-1] <= 2 * 32 * 32 + 40 * 30
    xr.testing.assert_identical(image.compute(), plain)


def test_what_was_pasted_before_stays_what_it_was():
    """Branches of a chain share their past, are computed together, and no buffer of a patch is kept."""
    image, buffer = nx.as_image(np.zeros((8, 8), "u2"), "yx").chunk(y=2, x=2), np.ones((3, 3), "u2")
    rois = [nx.Roi.from_values({"y": (k, 3), "x": (k, 3)}, None) for k in range(3)]
    first = nx.paste(image, buffer, rois[0])
    buffer[:] = 2
    second, other = nx.paste(first, buffer, rois[1]), nx.paste(first, buffer, rois[2])
    buffer[:] = 3
    again = nx.paste(second, nx.crop(first, rois[0]) + nx.crop(second, rois[0]), rois[2])
    for found, sums in zip(dask.compute(image, first, second, other, again), (0, 9, 23, 26, 37), strict=True):
        assert int(found.sum()) == sums
    whole = np.zeros((8, 8), "u2")
    whole[:3, :3] = 1
    both = whole.copy()
    both[1:4, 1:4] = 2
    both[2:5, 2:5] = whole[:3, :3] + both[:3, :3]
    np.testing.assert_array_equal(again, both)


def test_equal_pastes_have_equal_names():
    """So that what is cached or persisted is found again."""
    image = nx.as_image(da.zeros((8, 8), chunks=4, dtype="u2"), "yx")
    one, same, other = (nx.paste(image, np.full((1, 2), k, "u2"), ROI) for k in (1, 1, 2))
    assert one.data.name == same.data.name != other.data.name


def test_chains_of_pastes_survive_what_dask_does_with_graphs(tmp_path):
    """Persisting, pickling, culling, fusing or not, drawing, other processes, a cluster."""
    image = nx.as_image(da.arange(64, chunks=5, dtype="u2").reshape(8, 8).rechunk(3), "yx")
    plain, rois = image.compute(), [nx.Roi.from_values({"y": (k, 3), "x": (2, 3)}, None) for k in (0, 2, 4)]
    for roi in rois:
        inside = nx.crop(plain, roi) % 2 == 0
        image, plain = (nx.paste(a, nx.crop(a, roi) + a.dtype.type(9), where=inside) for a in (image, plain))
    assert (image.persist() == plain).all()
    xr.testing.assert_identical(nx.paste(image.persist(), plain[:2] * 0).compute(), nx.paste(plain, plain[:2] * 0))
    xr.testing.assert_identical(pickle.loads(pickle.dumps(image)).compute(), plain)
    xr.testing.assert_identical(image[4:, 3:].compute(), plain[4:, 3:])
    assert isinstance(image.data.dask._repr_html_(), str)
    assert set(tasks_of(image)) >= set(map(tuple, itertools.chain(*image.data.__dask_keys__())))
    for settings in ({"optimization.fuse.active": False}, {"scheduler": "sync"}, {"scheduler": "processes"}):
        with dask.config.set(settings):
            xr.testing.assert_identical((image + 0).compute(), plain)
    options = {"n_workers": 1, "processes": False, "dashboard_address": ":0"}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
        xr.testing.assert_identical(image.compute(), plain)
        kept = client.persist(image)
        xr.testing.assert_identical(nx.paste(kept, plain[:2] * 0).compute(), nx.paste(plain, plain[:2] * 0))


def test_patches_on_disk_stay_there(tmp_path, image):
    """A patch that is read only when needed is not read before; of one of the chunks nothing is."""
    nx.write_ome_zarr(image.astype("u2"), tmp_path / "a.zarr", levels=1)
    patch = nx.open_ome_zarr(tmp_path / "a.zarr", chunks=None)["0"]["image"]
    with mock.patch("zarr.Array.__getitem__", side_effect=AssertionError):
        result = nx.paste(image.chunk() * 0, patch.isel(x=slice(2, 5)))
    assert int(result.sum()) == 2 * 6 * 3


@pytest.mark.parametrize("lazy", [False, True])
def test_a_mask_that_lies_elsewhere_changes_nothing(image, patch, labels, lazy):
    """As labels that lie elsewhere mask all."""
    inside = nx.as_image(labels == 1, origin=90.0)
    inside = inside.chunk() if lazy else inside
    assert nx.paste(image, patch, where=inside).identical(image)
    assert not nx.mask(image, inside, 1).any()


@pytest.mark.parametrize("lazy", [False, True])
def test_a_mask_of_a_chosen_plane_is_for_that_plane(lazy):
    """As a patch is that was chosen: other planes do not change."""
    volume = nx.as_image(np.zeros((3, 4, 4), "u2"), "zyx", 0.5)
    held = volume.chunk(z=1) if lazy else volume
    found = nx.paste(held, volume + np.uint16(1), where=(volume == 0).isel(z=2))
    assert found.sum(["y", "x"]).values.tolist() == [0, 0, 16]
    flat = nx.paste(held, volume.isel(z=1) + np.uint16(1), where=(volume == 0).isel(z=2))
    assert int(flat.sum()) == 0
