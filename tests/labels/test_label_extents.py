"""Boxes, sizes and centres of objects, against scikit-image."""

import tracemalloc
from functools import cache

import dask.array as da
import numpy as np
import pytest
import xarray as xr
import zarr
from distributed import Client, LocalCluster

import ngio_x as nx
from ngio_x.cli.demo import segment
from ngio_x.errors import NgioTypeError, NgioValueError
from ngio_x.labels.summary import summarized
from ngio_x.testing import samples

KINDS = {
    "numpy": lambda pixels: pixels,
    "dask": lambda pixels: da.from_array(pixels, chunks=max(7, len(pixels) // 6)),
    "zarr": lambda pixels: zarr.array(pixels, chunks=(max(5, len(pixels) // 5),) * pixels.ndim),
    "sharded zarr": lambda pixels: zarr.create_array(
        {}, data=pixels, chunks=(2,) * pixels.ndim, shards=(4,) * pixels.ndim
    ),
    "labelled": lambda pixels: nx.as_labels(pixels, "tczyx"[-pixels.ndim :]),
    "labelled dask": lambda pixels: nx.as_labels(da.from_array(pixels, chunks=3), "tczyx"[-pixels.ndim :]),
    "list": lambda pixels: pixels.tolist(),
}
"""The kinds of arrays that hold labels."""


def spheres(size=30, radius=5):
    """Return a stack of spheres that touch each other, each with an id of its own, cut off at the border."""
    pixels = np.zeros((size,) * 3, np.uint16)
    grid = np.indices(pixels.shape)
    for label, centre in enumerate(np.ndindex(*(size // (2 * radius) + 1,) * 3), 1):
        distance = sum((axis - 2 * radius * at) ** 2 for axis, at in zip(grid, centre, strict=True))
        pixels[(distance <= radius**2) & (pixels == 0)] = label
    return pixels


def coins():
    """Return the bright spots of coins.png, which is a photograph: many are of a pixel or two."""
    data = pytest.importorskip("skimage.data")
    measure = pytest.importorskip("skimage.measure")
    return measure.label(data.coins() > 120)


@cache
def nuclei():
    """Return the nuclei of the demo."""
    image = samples.nuclei().image
    return segment(image.sel(c="DNA")).values


def axes_of(pixels):
    return "tczyx"[-pixels.ndim :]


@pytest.mark.parametrize("make", [spheres, coins, nuclei], ids=["spheres", "coins", "demo"])
@pytest.mark.parametrize("kind", ["numpy", "dask", "zarr"])
def test_extents_are_those_of_skimage(make, kind):
    """Boxes, areas and centroids are those of `regionprops`, to the last digit that both can have."""
    measure = pytest.importorskip("skimage.measure")
    pixels = make()
    found = nx.label_extents(KINDS[kind](pixels), axes_order=axes_of(pixels))
    props = measure.regionprops(pixels)
    assert found.label.values.tolist() == [prop.label for prop in props]
    assert found["count"].values.tolist() == [int(prop.area) for prop in props]
    boxes = np.array([prop.bbox for prop in props])
    for index, axis in enumerate(axes_of(pixels)):
        np.testing.assert_array_equal(found[f"start_{axis}"], boxes[:, index])
        np.testing.assert_array_equal(found[f"stop_{axis}"], boxes[:, index + pixels.ndim])
        np.testing.assert_allclose(found[f"centroid_{axis}"], [prop.centroid[index] for prop in props], rtol=1e-12)


def test_objects_that_touch_the_border_are_those_that_skimage_clears():
    """`touches_border` says which objects `clear_border` removes."""
    segmentation = pytest.importorskip("skimage.segmentation")
    for pixels in (spheres(), coins()):
        found = nx.label_extents(pixels)
        inside = nx.unique_ids(segmentation.clear_border(pixels))
        np.testing.assert_array_equal(found.label[~found.touches_border], inside)
        assert found.touches_border.any()
        assert inside.size


def test_a_single_plane_is_no_border():
    """Along an axis of one pixel, all objects would touch both ends."""
    pixels = np.zeros((1, 5, 5), int)
    pixels[0, 2, 2], pixels[0, 0, 4] = 1, 2
    assert nx.label_extents(pixels).touches_border.values.tolist() == [False, True]


def _centred():
    """One object in the middle of the plane, there at all four places of the first axis."""
    pixels = np.zeros((4, 8, 8), "u4")
    pixels[:, 3:5, 3:5] = 1
    return pixels


@pytest.mark.parametrize(
    ("order", "touches"), [("tyx", False), ("cyx", False), ("zyx", True), ("qyx", False), (("a", "b", "d"), True)]
)
def test_only_axes_of_space_have_a_border(order, touches):
    """What is there in the first and the last frame is whole; where no axis is of space, all of them count."""
    pixels = _centred()
    assert nx.label_extents(pixels, axes_order=order).touches_border.item() is touches
    named = nx.as_labels(pixels, order)
    assert nx.label_extents(named).touches_border.item() is touches
    assert nx.label_extents(named.chunk()).touches_border.item() is touches


def test_cells_of_the_first_and_last_frame_pass_a_filter_of_the_border():
    """The filter of the page on labels drops those at the border of the plane, and no others."""
    movie = nx.as_labels(_centred(), "tyx")
    movie[0, 0, 0], movie[3, 6, 6] = 2, 3
    extents = nx.label_extents(movie)
    assert extents.where(~extents.touches_border, drop=True).label.values.tolist() == [1, 3]


@pytest.mark.parametrize("kind", KINDS)
def test_all_kinds_of_arrays_give_the_same(kind):
    """Only the pixels matter."""
    pixels = spheres(11)
    expected = nx.label_extents(pixels, axes_order="zyx")
    found = nx.label_extents(KINDS[kind](pixels), axes_order="zyx")
    xr.testing.assert_equal(found, expected)
    assert found["count"].dtype == np.int64


def test_pixels_on_disk_are_read_block_by_block(tmp_path):
    """A label image that was opened without dask is not loaded as a whole; nor is it changed."""
    pixels = spheres(40)
    nx.write_ome_zarr(nx.as_image(pixels, "zyx"), tmp_path / "a.zarr", labels={"cells": nx.as_labels(pixels, "zyx")})
    opened = nx.open_ome_zarr(tmp_path / "a.zarr", chunks=None)["labels/cells/0/cells"]
    xr.testing.assert_equal(nx.label_extents(opened), nx.label_extents(pixels, axes_order="zyx"))
    assert not opened.variable._in_memory


def test_blocks_are_summarized_on_a_cluster():
    """Summaries travel between processes; the label image need not be anywhere as a whole."""
    pixels = spheres(24)
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": ":0"}
    with LocalCluster(**options) as cluster, Client(cluster):
        found = nx.label_extents(da.from_array(pixels, chunks=7))
        renamed, _ = nx.relabel_sequential(da.from_array(pixels, chunks=7), offset=9)
        renamed = renamed.compute()
    xr.testing.assert_identical(found, nx.label_extents(pixels))
    np.testing.assert_array_equal(renamed, nx.relabel_sequential(pixels, offset=9)[0])


def test_axes_name_the_columns():
    """A labelled array brings its axes, a plain one is told them, or numbers them as xarray does."""
    pixels = np.eye(3, dtype=int)
    assert "start_y" in nx.label_extents(nx.as_labels(pixels, "yx"))
    assert "stop_q" in nx.label_extents(pixels, axes_order=("p", "q"))
    assert "centroid_dim_1" in nx.label_extents(pixels)


@pytest.mark.parametrize("ndim", range(1, 7))
def test_one_to_six_dimensions(ndim):
    """A single pixel is a box of one pixel along every axis, its centre where it stands."""
    pixels = np.zeros((3, 2, 4, 2, 3, 2)[:ndim], int)
    place = (1, 0, 3, 1, 2, 0)[:ndim]
    pixels[place] = 4
    found = nx.label_extents(pixels).isel(label=0)
    for axis, at in enumerate(place):
        assert [found[f"{what}_dim_{axis}"].item() for what in ("start", "stop", "centroid")] == [at, at + 1, at]
    assert found["count"].item() == 1


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("dtype", ["?", "u1", "i1", "u2", "i4", "u8", ">u4", ">i8"])
def test_any_integer_or_boolean_type_holds_ids(dtype, lazy):
    """True counts as the id 1, whatever the bytes; ids keep their type, in the machine's byte order."""
    pixels = np.zeros((5, 5), dtype)
    pixels[1:3, 2] = 1
    found = nx.label_extents(da.from_array(pixels, chunks=2) if lazy else pixels, axes_order="yx")
    assert found.label.values.tolist() == [1]
    assert found.label.dtype == ("u1" if dtype == "?" else np.dtype(dtype).newbyteorder("="))
    assert (found.start_y.item(), found.stop_y.item(), found["count"].item()) == (1, 3, 2)


@pytest.mark.parametrize("lazy", [False, True])
def test_huge_sparse_ids_are_exact_and_cost_nothing(lazy):
    """Ids up to 2⁶⁴ − 1 stay apart; memory is that of their number, not of their size."""
    pixels = np.zeros((200, 300), np.uint64)
    pixels[1:3, 2:4], pixels[4, 7], pixels[0, 0] = 2**64 - 1, 2**64 - 2, 2**53 + 1
    labels = da.from_array(pixels, chunks=50) if lazy else pixels
    tracemalloc.start()
    found = nx.unique_ids(labels)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.tolist() == [2**53 + 1, 2**64 - 2, 2**64 - 1]
    assert peak < 5_000_000


def test_memory_is_a_small_part_of_the_block():
    """What is made of a block of touching cells takes less than 30 % of it, the result aside."""
    pixels = np.kron(np.arange(1, 1025, dtype=np.uint32).reshape(32, 32), np.ones((32, 32), np.uint32))
    summarized(pixels[:64], (0, 0), 0)
    tracemalloc.start()
    found = summarized(pixels, (0, 0), 0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 0.3 * pixels.nbytes + sum(column.nbytes for column in found)


@pytest.mark.parametrize("lazy", [False, True])
def test_any_id_can_be_the_background(lazy):
    """Zero is an object then; without a background, all pixels belong to one."""
    pixels = np.array([[-1, -1, 0], [5, 5, 0]])
    labels = da.from_array(pixels, chunks=2) if lazy else pixels
    assert nx.unique_ids(labels).tolist() == [-1, 5]
    assert nx.unique_ids(labels, background=-1).tolist() == [0, 5]
    assert nx.unique_ids(labels, background=None).tolist() == [-1, 0, 5]
    assert nx.unique_ids(pixels.astype("u1")[1:], background=-1).tolist() == [0, 5]
    assert nx.label_extents(labels, background=5)["count"].values.tolist() == [2, 2]


@pytest.mark.parametrize("shape", [(0, 4), (4, 4), (0,)])
@pytest.mark.parametrize("lazy", [False, True])
def test_no_objects_make_no_rows(shape, lazy):
    """An image of background, or without pixels, has a Dataset without rows, but with all columns."""
    pixels = da.zeros(shape, dtype="u2", chunks=2) if lazy else np.zeros(shape, "u2")
    found = nx.label_extents(pixels)
    assert dict(found.sizes) == {"label": 0}
    assert found.label.dtype == "u2"
    assert {"start_dim_0", "stop_dim_0", "count", "centroid_dim_0", "touches_border"} <= {*found.data_vars}


@pytest.mark.parametrize("order", ["C", "F"])
def test_the_layout_in_memory_does_not_matter(order):
    """Views, steps and Fortran's order are read as they are indexed."""
    pixels = np.asarray(spheres(21), order=order)
    for view in (pixels, pixels.T, pixels[::2, :, ::-1]):
        xr.testing.assert_equal(nx.label_extents(view), nx.label_extents(view.copy(order="C")))


def test_pieces_of_one_block_join(monkeypatch):
    """A block is looked at in pieces, which may cut objects and rows anywhere."""
    pixels = spheres(17)
    expected = nx.label_extents(pixels)
    for few in (1, 3, 17, 40, 17 * 17 + 1):
        monkeypatch.setattr("ngio_x.labels.summary._PIECE", (few, few))
        xr.testing.assert_identical(nx.label_extents(pixels), expected)


def test_unique_ids_are_those_of_numpy():
    """Sorted, each once, without the background."""
    pixels = spheres()
    np.testing.assert_array_equal(nx.unique_ids(pixels), np.setdiff1d(pixels, [0]))
    assert nx.unique_ids(pixels).dtype == pixels.dtype


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"labels": np.zeros((4, 4))}, NgioTypeError, r"must be integers, got float64: convert with .astype"),
        ({"labels": da.zeros((4, 4))}, NgioTypeError, "must be integers, got float64"),
        (
            {"labels": np.zeros((2, 2), int), "axes_order": 2},
            NgioValueError,
            "axes_order must be a sequence, got 2",
        ),
        ({"labels": "nuclei"}, NgioTypeError, "must be integers, got str of <U6"),
        (
            {"labels": [[1, 2], [3]]},
            NgioTypeError,
            "an array of integers, got list: setting an array element with a sequence",
        ),
        ({"labels": np.ma.masked_equal([1, 2], 2)}, NgioTypeError, "must not be masked: fill them first"),
        ({"labels": da.ma.masked_equal([1, 2], 2)}, NgioTypeError, "must not be masked: fill them first"),
        ({"labels": np.zeros((), int)}, NgioValueError, "at least one dimension"),
        (
            {"labels": np.zeros((2, 2), int), "axes_order": "zyx"},
            NgioValueError,
            "must name each axis of labels of shape \\(.*\\) once",
        ),
        ({"labels": np.zeros((2, 2), int), "axes_order": "xx"}, NgioValueError, "axes_order must name each axis once"),
        ({"labels": np.zeros((2, 2), int), "background": 0.5}, NgioValueError, "background must be an integer"),
        ({"labels": xr.Dataset()}, NgioTypeError, "one array, got a Dataset: pick"),
        ({"labels": xr.DataTree()}, NgioTypeError, "one array, got a DataTree: pick"),
        (
            {"labels": nx.as_labels(np.eye(2, dtype=int), "yx"), "axes_order": "zy"},
            NgioValueError,
            "must be the array's .*: leave it out",
        ),
    ],
)
def test_bad_input_is_refused(arguments, error, message):
    """The message says what does not fit."""
    with pytest.raises(error, match=message):
        nx.label_extents(**arguments)


def test_unknown_shapes_are_refused():
    """Blocks of unknown size have no positions."""
    pixels = da.from_array(np.arange(6), chunks=3)
    with pytest.raises(NgioValueError, match=r"shape of labels is unknown: call compute_chunk_sizes\(\) first"):
        nx.label_extents(pixels[pixels > 2])


def test_inputs_are_not_written_to():
    """Read-only pixels pass, and keep their values and attributes."""
    pixels = spheres(12)
    pixels.flags.writeable = False
    image = nx.as_labels(pixels, "zyx").assign_attrs(note=[1])
    before = image.copy(deep=True)
    nx.label_extents(image)
    nx.unique_ids(image)
    assert image.identical(before)
