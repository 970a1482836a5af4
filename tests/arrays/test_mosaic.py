"""Many pieces put together."""

import itertools
import pickle

import dask
import dask.array as da
import numpy as np
import pytest
import xarray as xr

import ngio_x as nx
from ngio_x.errors import NgioEmptyRegionError, NgioTypeError, NgioValueError
from ngio_x.testing import samples

PIXELS = (np.arange(2 * 12 * 20) * 7 % 251).astype("u2").reshape(2, 12, 20)
IMAGE = nx.as_image(PIXELS, "cyx", 0.5, origin=3.0, channels=["a", "b"], name="q").assign_attrs(note=[1], more=2)
FIELDS = [IMAGE[:, :7, :12], IMAGE[:, 5:, :9], IMAGE[:, 4:12, 7:], IMAGE[:, :6, 10:]]
"""They overlap, and cover the image."""


def lazily(pieces):
    return [piece.chunk({"y": 3, "x": 4}) for piece in pieces]


def field(value, y=0, x=0, shape=(2, 3), dtype="u2", **options):
    return nx.as_image(np.full(shape, value, dtype), "yx", 0.5, origin={"y": y / 2, "x": x / 2}, **options)


@pytest.mark.parametrize("how", ["last", "first", "max", "min", "mean"])
@pytest.mark.parametrize("lazy", [False, True])
def test_crops_that_cover_an_image_make_it_again(how, lazy):
    """On its lattice, with its channels, name and attributes, of its dtype; lazy if one of them is."""
    for order in ([0, 1, 2, 3], [3, 1, 0, 2]):
        pieces = [FIELDS[k] for k in order]
        found = nx.mosaic(lazily(pieces) if lazy else pieces, how=how)
        assert (found.chunks is not None) == lazy
        xr.testing.assert_identical(found.compute(), IMAGE)
    mixed = nx.mosaic([*lazily(FIELDS[:1]), *FIELDS[1:]], how=how)
    assert mixed.chunks is not None
    xr.testing.assert_identical(mixed.compute(), IMAGE)


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("last", [1, 2, 9, 9, 0]),
        ("first", [1, 1, 2, 9, 0]),
        ("max", [1, 2, 9, 9, 0]),
        ("min", [1, 1, 2, 9, 0]),
        ("mean", [1, 2, 6, 9, 0]),
    ],
)
def test_where_pieces_overlap_one_rule_counts(how, expected):
    """The mean of 1 and 2 is rounded away from zero; nothing covers the last pixel."""
    pieces = [field(1, shape=(1, 2)), field(2, x=1, shape=(1, 2)), field(9, x=2, shape=(1, 2))]
    canvas = nx.as_image(np.zeros((1, 5)), "yx", 0.5)
    assert nx.mosaic(pieces, canvas, how).values.tolist() == [expected]
    assert nx.mosaic(pieces, canvas, how, fill=7).values.tolist() == [[*expected[:-1], 7]]
    assert nx.mosaic(pieces, how=how).values.tolist() == [expected[:-1]]


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i4", "u8", "i8"])
def test_means_of_integers_are_exact(dtype):
    """Of the largest and smallest of each type; halves go away from zero."""
    limits = np.iinfo(dtype)
    for count in (1, 2, 3, 4, 7):
        values = samples.noise((count, 50), dtype, count)
        values[:, 0], values[:, 1], values[0, 2:4], values[1:, 2] = limits.max, limits.min, limits.max, limits.max - 1
        pieces = [nx.as_image(row[None], "yx") for row in values]
        sums = [sum(map(int, column)) for column in values.T]
        expected = [(abs(total) * 2 + count) // (2 * count) * (1 if total >= 0 else -1) for total in sums]
        found = nx.mosaic(pieces, how="mean")
        assert found.dtype == dtype
        assert found.values[0].tolist() == expected


def test_floats_keep_their_dtype_and_nan_is_a_value():
    """What fills gaps is told by fill."""
    pieces = [
        field(np.nan, dtype="f4", shape=(1, 2)),
        field(2, x=1, dtype="f4", shape=(1, 2)),
        field(4, x=4, dtype="f4"),
    ]
    for how, first in (("last", [np.nan, 2, 2, 0]), ("max", [np.nan, np.nan, 2, 0]), ("mean", [np.nan, np.nan, 2, 0])):
        found = nx.mosaic(pieces, how=how)
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found[0, :4], first)
    assert np.isnan(nx.mosaic(pieces, fill=np.nan)[1, 0])


def test_dtypes_that_differ_are_held_by_one():
    """Of integers by an integer type, else refused: no id and no grey level is rounded."""
    assert nx.mosaic([field(1, dtype="u1"), field(2, dtype="u2")]).dtype == np.uint16
    assert nx.mosaic([field(1, dtype="u1"), field(2, dtype="i1")]).dtype == np.int16
    with pytest.raises(NgioTypeError, match=r"dtypes that one of them can hold, got \['int64', 'uint64'\]: convert"):
        nx.mosaic([field(1, dtype="u8"), field(2, dtype="i8")])


def test_labels_stay_labels_and_are_never_blended():
    """With "max" no background covers an object."""
    left, right = (nx.as_labels(field(0)) for _ in range(2))
    left[0, 2], right[0, 0] = 5, 3
    right = nx.as_labels(right, origin={"y": 0, "x": 1.0})
    found = nx.mosaic([left, right])
    assert found.attrs["role"] == "labels"
    assert found[0].values.tolist() == [0, 0, 3, 0, 0]
    assert nx.mosaic([left, right], how="max")[0].values.tolist() == [0, 0, 5, 0, 0]
    with pytest.raises(NgioValueError, match="how='mean' would blend"):
        nx.mosaic([left, right], how="mean")
    with pytest.raises(NgioValueError, match="how='mean' would blend"):
        nx.mosaic([field(True, dtype=bool)], how="mean")
    assert nx.mosaic([field(True, dtype=bool), field(False, x=1, dtype=bool)], how="max")[0].values.tolist() == [
        *[True] * 3,
        False,
    ]


@pytest.mark.parametrize("lazy", [False, True])
def test_a_canvas_says_which_pixels_the_result_has(lazy):
    """What lies outside is dropped, pieces as a whole, too; its chunks are those of the result."""
    canvas = IMAGE[:, 2:9, 1:8] * 0
    canvas = canvas.chunk(c=1, y=2) if lazy else canvas
    found = nx.mosaic(FIELDS, like=canvas)
    assert found.chunks == canvas.chunks
    xr.testing.assert_identical(found.compute(), IMAGE[:, 2:9, 1:8])
    assert nx.mosaic(FIELDS, IMAGE[:1, 2:9]).identical(nx.mosaic([f[:1] for f in FIELDS], IMAGE[:1, 2:9]))
    with pytest.raises(NgioEmptyRegionError, match="axis 'y'"):
        nx.mosaic(FIELDS, nx.as_image(canvas, origin=90.0))
    with pytest.raises(NgioValueError, match="images must have a channel that like has"):
        nx.mosaic(FIELDS, canvas.assign_coords(c=["x", "y"]))


def test_channels_are_found_by_name():
    """In the order in which they are met; what is told of each goes with it."""
    one = IMAGE.assign_coords(color=("c", ["red", "blue"]))
    parts = [one.isel(c=[1], y=slice(5)), one.isel(y=slice(5, 12)), one.isel(c=[0], y=slice(5))]
    found = nx.mosaic(parts)
    assert found.c.values.tolist() == ["b", "a"]
    assert found.color.values.tolist() == ["blue", "red"]
    np.testing.assert_array_equal(found, PIXELS[::-1])


@pytest.mark.parametrize("dim", ["c", "y"])
def test_chosen_positions_go_to_theirs(dim):
    """Planes and channels that were selected one by one make a stack; of one alone there is no axis."""
    planes = [IMAGE.isel({dim: k}) for k in range(IMAGE.sizes[dim])]
    np.testing.assert_array_equal(nx.mosaic(planes).transpose(*IMAGE.dims), IMAGE)
    xr.testing.assert_identical(nx.mosaic([planes[1], planes[1][..., 3:5]]), planes[1])
    xr.testing.assert_identical(nx.mosaic(planes, like=IMAGE), IMAGE)


def test_names_and_attributes_are_those_that_all_share():
    """An image among labels is no label image."""
    found = nx.mosaic([FIELDS[0], FIELDS[1].rename("p").assign_attrs(more=3, other=4)])
    assert (found.name, found.attrs) == (None, {key: value for key, value in IMAGE.attrs.items() if key != "more"})
    assert "role" not in nx.mosaic([nx.as_labels(field(1)), field(2).drop_attrs()]).attrs
    assert nx.mosaic([field(1).assign_attrs(a=np.arange(3))] * 2).attrs["a"].tolist() == [0, 1, 2]


def test_pieces_may_have_no_coordinates_at_all():
    """Then all have one size."""
    plain = xr.DataArray(PIXELS, dims=("c", "y", "x"))
    xr.testing.assert_identical(nx.mosaic([plain * 0, plain]), plain)
    with pytest.raises(NgioValueError, match="axis 'y'"):
        nx.mosaic([plain, plain[:, 1:]])


def test_each_chunk_is_one_task_that_reads_what_it_needs():
    """Not one for every piece and chunk; pieces are read block by block, and once."""
    calls = []

    def counted(block, block_info=None):
        calls.append(block_info[0]["chunk-location"])
        return block

    grid = [(y, x) for y in range(0, 200, 20) for x in range(0, 200, 20)]
    tiles = [field(k, y, x, (24, 24)) for k, (y, x) in enumerate(grid)]
    lazy = [tile.copy(data=tile.chunk(12).data.map_blocks(counted, dtype="u2")) for tile in tiles]
    found = nx.mosaic(lazy)
    pieces = sum(len(dict(tile.data.dask)) for tile in lazy)
    assert found.chunks[0][0] == 12
    assert len(dict(found.data.dask)) == pieces + found.data.npartitions
    with dask.config.set(scheduler="sync"):
        part = found[:12, :12].compute()
    assert len(calls) == 1
    assert (part == 0).all()
    xr.testing.assert_identical(found.compute(), nx.mosaic(tiles))
    with dask.config.set(scheduler="processes"):
        xr.testing.assert_identical(
            pickle.loads(pickle.dumps(nx.mosaic(lazily(tiles[:3])))).compute(), nx.mosaic(tiles[:3])
        )


def test_equal_mosaics_have_equal_names_and_inputs_are_copied():
    """A piece in memory may change before the result is computed."""
    pieces = [field(1), field(2, x=2).chunk()]
    same = nx.mosaic(pieces)
    assert nx.mosaic(pieces).data.name == same.data.name != nx.mosaic(pieces, how="max").data.name
    pieces[0][:] = 9
    assert same[0].values.tolist() == [1, 1, 2, 2, 2]


@pytest.mark.parametrize(
    ("images", "options", "error", "message"),
    [
        (IMAGE, {}, NgioTypeError, "images must be several images, got DataArray: put them into a list"),
        ([], {}, NgioValueError, "got none"),
        ([IMAGE, PIXELS], {}, NgioTypeError, r"images\[1\] must be a DataArray, got ndarray"),
        (FIELDS, {"how": "median"}, NgioValueError, "how must be"),
        (FIELDS, {"fill": -1}, NgioValueError, "fill=-1 does not fit dtype uint16"),
        (FIELDS, {"like": PIXELS}, NgioTypeError, "like must be a DataArray"),
        (
            [field(1), nx.zoom(field(1, shape=(4, 4)), 0.5)],
            {},
            NgioValueError,
            "along 'y': .*sizes differ",
        ),
        ([field(1), field(1, y=0.3)], {}, NgioValueError, r"images\[1\] .* along 'y': .*shifted .* of a pixel"),
        ([IMAGE, IMAGE.isel(c=[0]).drop_vars("c")], {}, NgioValueError, "axis 'c'"),
        ([IMAGE, field(1).expand_dims(w=2)], {}, NgioValueError, "got 'w'"),
        ([xr.DataArray(np.array(["a"]), dims="x")], {}, NgioTypeError, "dtypes"),
    ],
)
def test_pieces_that_do_not_fit_are_refused(images, options, error, message):
    """The error says which one, and what is at odds."""
    with pytest.raises(error, match=message):
        nx.mosaic(images, **options)


def test_pieces_off_the_canvas_are_refused_by_number():
    """The lattice says why."""
    with pytest.raises(
        NgioValueError, match=r"images\[1\] does not fit .* of like: .* along 'y': the pixels are shifted"
    ):
        nx.mosaic([field(1), field(1, y=0.3)], like=field(0, shape=(9, 9)))


def test_what_xarray_makes_of_overlapping_crops_is_not_the_image():
    """The reason for this function: doubled pixels, or another dtype."""
    left, right = IMAGE[..., :12], IMAGE[..., 8:]
    assert xr.concat([left, right], "x").sizes["x"] == 24
    assert left.combine_first(right).dtype == np.float64 or left.combine_first(right).dtype == np.float32
    xr.testing.assert_identical(nx.mosaic([left, right]), IMAGE)
    for order in itertools.permutations([left, right]):
        assert isinstance(nx.mosaic([piece.chunk() for piece in order]).data, da.Array)


def test_planes_that_differ_by_rounding_are_one():
    """As those of a piece that was written to a file and read again: its labels are computed from its own edge."""
    stack = nx.as_image(np.arange(12, dtype="u1").reshape(3, 2, 2), "zyx", {"z": 0.1, "y": 0.5, "x": 0.5})
    first, again, second = stack.isel(z=0), stack.isel(z=0), stack.isel(z=1)
    again = again.assign_coords(z=np.nextafter(again.z.values, 1))
    assert nx.mosaic([first, again]).equals(nx.mosaic([first, first]).drop_vars("z"))
    assert nx.mosaic([first, again, second]).equals(nx.mosaic([first, second]))


def test_pieces_that_lie_too_far_apart_are_refused():
    """The canvas is named, and how to choose a smaller one."""
    with pytest.raises(NgioValueError, match="like="):
        nx.mosaic([field(1), field(2, y=10**9, x=10**9)])
