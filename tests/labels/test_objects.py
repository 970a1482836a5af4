"""Pieces of an image that hold its objects."""

import dask.array as da
import numpy as np
import pytest
import xarray as xr

import ngio_x as nx
from ngio_x.arrays.image import lattice_of
from ngio_x.errors import NgioKeyError, NgioTypeError, NgioValueError

PIXELS = np.zeros((20, 30), np.uint16)
PIXELS[2:5, 3:9], PIXELS[4:8, 6:12], PIXELS[17:, 26:] = 4, 9, 2
LABELS = nx.as_labels(PIXELS, "yx", 0.5, origin=7.0)
IMAGE = nx.as_image(
    np.arange(1200, dtype=np.int32).reshape(2, 20, 30), "cyx", 0.5, origin=7.0, channels=["a", "b"], name="cells"
).assign_attrs(note=[1])


def lazily(array):
    return array.copy(data=da.from_array(array.values, chunks=9))


def test_pieces_are_the_crops_by_the_objects_regions():
    """By rising id, on the image's lattice, with all channels."""
    pieces = list(nx.crop_objects(IMAGE, LABELS))
    assert [piece.label.item() for piece in pieces] == [2, 4, 9]
    for piece, roi in zip(pieces, nx.compute_masking_roi(LABELS), strict=True):
        xr.testing.assert_identical(piece.drop_vars("label"), nx.crop(IMAGE, roi))


def test_a_margin_ends_where_the_image_does():
    """`pad` counts pixels of the axes in space, or of those that are named."""
    shapes = [piece.shape for piece in nx.crop_objects(IMAGE, LABELS, pad=2)]
    assert shapes == [(2, 5, 6), (2, 7, 10), (2, 8, 10)]
    assert [piece.shape for piece in nx.crop_objects(IMAGE, LABELS, pad={"x": 1})][1] == (2, 3, 8)


@pytest.mark.parametrize("lazy", [False, True])
def test_masked_pieces_hold_one_object(lazy):
    """What belongs to others, or to none, is blanked out, as by `mask`."""
    image = lazily(IMAGE) if lazy else IMAGE
    for piece in nx.crop_objects(image, LABELS, pad=3, masked=True, fill=-1):
        expected = nx.mask(IMAGE, LABELS, piece.label.item(), fill=-1)
        xr.testing.assert_identical(piece.drop_vars("label").compute(), xr.align(expected, piece, join="inner")[0])
        assert piece.dtype == IMAGE.dtype
        assert (piece.chunks is not None) is lazy


def test_pieces_of_numpy_are_views():
    """Nothing is copied that is not blanked out."""
    assert all(np.shares_memory(piece.data, IMAGE.data) for piece in nx.crop_objects(IMAGE, LABELS, pad=1))


def test_wanted_objects_come_in_the_order_they_are_asked_for():
    """`ids` picks some, also more than once."""
    assert [int(piece.label) for piece in nx.crop_objects(IMAGE, LABELS, ids=[9, 2, 9])] == [9, 2, 9]
    assert nx.stack_objects(IMAGE, LABELS, 4, ids=np.array([9, 4])).label.values.tolist() == [9, 4]


def test_ids_may_be_those_of_a_table():
    """Such as the coordinate of what is left of `label_extents`."""
    extents = nx.label_extents(LABELS)
    large = extents.where(extents["count"] > 12, drop=True).label
    assert [piece.label.item() for piece in nx.crop_objects(IMAGE, LABELS, ids=large)] == [4, 9]
    assert nx.stack_objects(IMAGE, LABELS, 3, ids=large).label.values.tolist() == [4, 9]


def test_pieces_have_objects_of_their_own():
    """The coordinates of a stack are about its own objects, whatever the image says."""
    (piece,) = nx.crop_objects(IMAGE, LABELS, ids=[4])
    stack = nx.stack_objects(piece.assign_coords(start_y=("c", [0, 0])), LABELS, 3)
    assert stack.label.values.tolist() == [4, 9]
    assert stack.start_y.dims == ("label",)


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_a_stack_holds_windows_around_the_boxes(lazy, masked):
    """Each window is what numpy cuts out of an image that is padded on all sides, the box in its middle."""
    image = lazily(IMAGE) if lazy else IMAGE
    stack = nx.stack_objects(image, LABELS, {"y": 8, "x": 11}, masked=masked, fill=-5)
    assert stack.dims == ("label", "c", "y", "x")
    assert stack.shape == (3, 2, 8, 11)
    assert stack.dtype == IMAGE.dtype
    assert stack.attrs == IMAGE.attrs
    assert stack.name == "cells"
    assert stack.c.values.tolist() == ["a", "b"]
    assert (stack.chunks is not None) is lazy
    margin = 20
    around = ((margin, margin), (margin, margin))
    padded, ids = np.pad(IMAGE.values, ((0, 0), *around), constant_values=-5), np.pad(PIXELS, around)
    for label, window in zip((2, 4, 9), stack, strict=True):
        rows, columns = np.nonzero(ids == label)
        y = (rows.min() + rows.max() + 1 - 8) // 2
        x = (columns.min() + columns.max() + 1 - 11) // 2
        expected = padded[:, y : y + 8, x : x + 11]
        if masked:
            expected = np.where(ids[y : y + 8, x : x + 11] == label, expected, -5)
        np.testing.assert_array_equal(window, expected)
        assert (window.start_y.item() + margin, window.start_x.item() + margin) == (y, x)


@pytest.mark.parametrize("masked", [False, True])
def test_a_lazy_stack_has_one_chunk_an_object(masked):
    """However the chunks of the image cut the windows: else each window would be cut as all of them are together."""
    image = IMAGE.chunk(c=1, y=7, x=4)
    stack = nx.stack_objects(image, LABELS, 30, masked=masked)
    assert stack.chunks == ((1, 1, 1), (2,), (30,), (30,))
    assert stack.equals(nx.stack_objects(IMAGE, LABELS, 30, masked=masked))


def test_axes_without_a_window_are_kept_whole():
    """Labels with a time axis give stacks with one."""
    movie = np.stack([PIXELS, np.roll(PIXELS, 2)])
    labels = nx.as_labels(movie, "tyx")
    stack = nx.stack_objects(nx.as_image(movie, "tyx"), labels, 6)
    assert stack.dims == ("label", "t", "y", "x")
    assert stack.shape == (3, 2, 6, 6)
    assert "start_t" not in stack.coords


def test_labels_of_a_part_of_the_image_do():
    """Objects are found by the lattice; those outside the image have no piece."""
    part = LABELS[1:10, 2:20]
    for cut in (part, LABELS):
        pieces = list(nx.crop_objects(IMAGE[:, :12], cut, masked=True))
        assert [int(piece.label) for piece in pieces] == [4, 9]
        assert [int((piece[0] != 0).sum()) for piece in pieces] == [
            int(np.count_nonzero(label == PIXELS)) for label in (4, 9)
        ]


def test_arrays_without_coordinates_count_pixels():
    """Sizes that agree are enough."""
    image, labels = xr.DataArray(PIXELS, dims=["y", "x"]), nx.as_labels(PIXELS, "yx").drop_vars(["y", "x"])
    assert [int(piece.max()) for piece in nx.crop_objects(image, labels, masked=True)] == [2, 4, 9]


def test_no_objects_make_no_pieces():
    """An image of background gives an empty stack of the right shape."""
    assert list(nx.crop_objects(IMAGE, LABELS * 0)) == []
    for image in (IMAGE, lazily(IMAGE)):
        assert nx.stack_objects(image, LABELS * 0, 5).shape == (0, 2, 5, 5)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"image": IMAGE.values}, NgioTypeError, "must be a DataArray, got ndarray"),
        ({"labels": PIXELS}, NgioTypeError, "must be a DataArray, got ndarray"),
        ({"labels": IMAGE[0].astype(float)}, NgioTypeError, "must be integers, got DataArray of float64"),
        ({"labels": LABELS[::2]}, NgioValueError, "the image and the labels do not fit along 'y'"),
        ({"labels": LABELS.expand_dims("t")}, NgioValueError, "axes of the labels must be of the image's .*, got 't'"),
        ({"pad": -1}, NgioValueError, "pad along 'y' must be ≥ 0, got -1"),
        ({"pad": {"z": 1}}, NgioValueError, "pad must name axes of .*, got 'z'"),
        ({"fill": 0.5}, NgioValueError, "fill=0.5 does not fit dtype int32"),
        ({"ids": [4, 5]}, NgioKeyError, "got 5: choose from its 3"),
        ({"ids": ["4"]}, NgioValueError, "ids must be an integer, got '4'"),
        ({"ids": 4}, NgioValueError, "ids must be a sequence, got 4"),
        ({"image": IMAGE.rename(c="label")}, NgioValueError, "the image has an axis 'label' already"),
    ],
)
def test_bad_input_is_refused_at_once(arguments, error, message):
    """Before the first piece is asked for, the message says what does not fit."""
    with pytest.raises(error, match=message):
        nx.crop_objects(**{"image": IMAGE, "labels": LABELS, **arguments})


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        (0, "shape along 'y' must be ≥ 1, got 0"),
        ({"c": 1}, "shape must name axes of .*, got 'c'"),
        ((5, 5, 5), "shape must have one item for each axis"),
        ("5", "shape along 'y' must be an integer"),
        (2**70, "more than any memory holds: choose a smaller one"),
        ({"y": 2**40, "x": 2**30}, "more than any memory holds"),
    ],
)
def test_bad_shapes_are_refused(shape, message):
    """The message names the axis."""
    with pytest.raises(NgioValueError, match=message):
        nx.stack_objects(IMAGE, LABELS, shape)


def test_inputs_are_not_written_to():
    """Pixels and attributes stay what they are."""
    before = IMAGE.copy(deep=True), LABELS.copy(deep=True)
    list(nx.crop_objects(IMAGE, LABELS, masked=True))
    nx.stack_objects(IMAGE, LABELS, 5, masked=True)
    assert IMAGE.identical(before[0])
    assert LABELS.identical(before[1])


@pytest.mark.parametrize("lazy", [False, True])
def test_windows_have_the_pixel_size_of_the_image(lazy, tmp_path):
    """In memory and on disk; each counts from its own start, and along other axes as the image does."""
    image = nx.as_image(np.stack([PIXELS, PIXELS]), "tyx", {"t": 3.0, "y": 0.5, "x": 0.25}, units={"x": "nanometer"})
    labels = nx.as_labels(image.values, like=image)
    stack = nx.stack_objects(lazily(image) if lazy else image, labels, {"y": 4, "x": 6})
    assert [lattice_of(stack, dim).spacing for dim in "tyx"] == [3.0, 0.5, 0.25]
    assert lattice_of(stack, "t") == lattice_of(image, "t")
    assert lattice_of(stack, "x").unit == stack.window_origin_x.attrs["units"] == "nanometer"
    assert stack.y.values.tolist() == [0.25, 0.75, 1.25, 1.75]
    stack.rename("windows").to_netcdf(tmp_path / "stack.nc", engine="h5netcdf")
    with xr.open_dataarray(tmp_path / "stack.nc", engine="h5netcdf") as back:
        assert lattice_of(back, "y").spacing == 0.5
        xr.testing.assert_equal(nx.paste(image * 0, back.sel(label=4)), nx.paste(image * 0, stack.sel(label=4)))


def test_a_stack_of_one_pixel_wide_windows_knows_their_size():
    """A lone label cannot tell it, its lattice does."""
    assert nx.pixel_size_of(nx.stack_objects(IMAGE, LABELS, 1)).x == 0.5
    assert nx.pixel_size_of(nx.stack_objects(IMAGE, LABELS, 4).coarsen(y=4, x=4).mean()).x == 2.0


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("shape", [{"y": 8, "x": 11}, 3, 1])
def test_a_window_goes_back_to_where_it_was_cut_out(lazy, shape):
    """What it holds beyond the image is dropped, so that nothing changes; and nowhere else does anything change."""
    image = lazily(IMAGE) if lazy else IMAGE
    stack = nx.stack_objects(image, LABELS, shape, fill=-5)
    back = image
    for label in stack.label.values:
        window = stack.sel(label=label)
        xr.testing.assert_identical(nx.paste(image, window).compute(), IMAGE)
        changed = nx.paste(image, window * 0 - 1) != IMAGE
        rows = {axis: (int(window[f"start_{axis}"]), window.sizes[axis]) for axis in "yx"}
        box = {axis: slice(max(0, start), start + size) for axis, (start, size) in rows.items()}
        assert bool(changed.isel(box).all())
        assert int(changed.sum()) == IMAGE.isel(box).size
        back = nx.paste(back, window + 1)
    assert int((back != IMAGE).isel(c=0).sum()) > 0


def test_a_window_lies_in_its_place_for_all_that_asks_where():
    """Regions, masks, numbers on paper; and for a larger or a smaller image than the one that it was cut from."""
    window = nx.stack_objects(IMAGE, LABELS, {"y": 6, "x": 8}).sel(label=4)
    edges = [lattice_of(window, axis).edge for axis in "yx"]
    assert edges == [7 + 0.5 * int(window[f"start_{axis}"]) for axis in "yx"]
    assert list(nx.dimensions_of(window).dataset.translation[1:]) == edges
    (roi,) = [roi for roi in nx.compute_masking_roi(LABELS) if roi.label == 4]
    xr.testing.assert_equal(
        nx.crop(window, roi).drop_vars(["y", "x"]).reset_coords(drop=True),
        nx.crop(IMAGE, roi).drop_vars(["y", "x"]).reset_coords(drop=True),
    )
    assert int((nx.mask(window, LABELS, 4, fill=-1) != -1).isel(c=0).sum()) == int((PIXELS == 4).sum())
    part = IMAGE[:, 1:9, 2:20]
    xr.testing.assert_identical(nx.paste(part, window), part)
    halved = nx.zoom(window, {"y": 0.5, "x": 0.5})
    assert [lattice_of(halved, axis).extent for axis in "yx"] == [lattice_of(window, axis).extent for axis in "yx"]
    assert lattice_of(window[:, 2:], "y").edge == edges[0] + 1.0


def test_windows_do_not_align_with_the_image_by_mistake():
    """They count from their own start: arithmetic is refused with a cure, which works; windows align with windows."""
    stack = nx.stack_objects(IMAGE, LABELS, {"y": 6, "x": 8})
    window = stack.sel(label=4)
    with pytest.raises(NgioValueError, match=r"window of a stack.*as_image\(window, like=image\)"):
        window - IMAGE
    placed = nx.as_image(window, like=IMAGE)
    difference = placed - IMAGE
    assert difference.shape == placed.shape
    assert int(abs(difference).max()) == 0
    assert "window_origin_y" not in placed.coords
    with pytest.raises(NgioValueError, match="sel without drop=True"):
        nx.as_image(stack.sel(label=4, drop=True), like=IMAGE)
    xr.testing.assert_identical(nx.paste(IMAGE, placed), IMAGE)
    assert (stack.sel(label=4, drop=True) - stack.sel(label=9, drop=True)).sizes == {"c": 2, "y": 6, "x": 8}


def test_a_window_that_is_given_another_place_keeps_it():
    """`as_image` with a size or an origin has the last word."""
    window = nx.stack_objects(IMAGE, LABELS, 4).sel(label=4)
    assert lattice_of(nx.as_image(window, origin={"y": 1.0}), "y").edge == 1.0
    assert lattice_of(nx.as_image(window, pixel_size={"y": 2.0}), "y").extent == (0.0, 8.0)
    assert lattice_of(nx.as_image(window), "y") == lattice_of(window, "y")


def test_windows_of_a_window_lie_in_the_same_world():
    """A piece with objects of its own may be a window itself."""
    window = nx.stack_objects(IMAGE, LABELS, {"y": 10, "x": 12}).sel(label=4)
    inner = nx.stack_objects(window, LABELS, 3).sel(label=4)
    xr.testing.assert_identical(nx.paste(IMAGE, inner), IMAGE)


def test_ids_along_a_stack_are_names_and_no_places():
    """Whichever they are: a stack may be labelled again, and written to by its ids."""
    stack = nx.stack_objects(IMAGE, LABELS, 4)
    assert lattice_of(stack, "label") is None
    xr.testing.assert_identical(nx.as_image(stack), stack)
    xr.testing.assert_identical(nx.paste(stack * 0, stack.sel(label=[9, 2])).sel(label=9), stack.sel(label=9))


def test_stacks_of_images_without_coordinates_count_pixels():
    """There is no world to place them in."""
    stack = nx.stack_objects(xr.DataArray(PIXELS, dims=["y", "x"]), nx.as_labels(PIXELS, "yx").drop_vars(["y", "x"]), 4)
    assert "window_origin_y" not in stack.coords
    assert lattice_of(stack, "y") is None
