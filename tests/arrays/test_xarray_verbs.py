"""What an image knows of its pixels after xarray's verbs: the right size, or an error that says what to do."""

import pickle

import numpy as np
import pytest
import xarray as xr

import ngio_x as nx
from ngio_x.arrays.image import lattice_of
from ngio_x.arrays.pixel_index import PixelIndex
from ngio_x.errors import NgioValueError

SPACING, ORIGIN = {"t": 2.0, "y": 0.5, "x": 0.5}, {"t": 1.0, "y": 10.0, "x": -3.0}
IMAGE = nx.as_image(np.arange(288.0).reshape(4, 9, 8), ("t", "y", "x"), SPACING, origin=ORIGIN, name="im")


ROI = nx.Roi.from_values({"y": (12.0, 0.1), "x": (-3.0, 4.0)}, name=None)


def coarsened(image, **windows):
    return image.coarsen(**windows).mean()


def round_trip(image, path):
    image.to_netcdf(path / "a.nc", engine="h5netcdf")
    with xr.open_dataarray(path / "a.nc", engine="h5netcdf") as back:
        return back.load()


def columns(image, positions):
    return xr.concat([image.isel(x=[position]) for position in positions], "x")


# A verb, the axis that it works on, and the extent of the pixels that are left: the size is extent / count.
KNOWN = {
    "coarsen": (lambda a: coarsened(a, x=2), "x", (-3.0, 1.0)),
    "coarsen to one pixel": (lambda a: coarsened(a, x=8), "x", (-3.0, 1.0)),
    "coarsen, then one pixel": (lambda a: coarsened(a, y=3).isel(y=[1]), "y", (11.5, 13.0)),
    "coarsen, then crop": (lambda a: nx.crop(coarsened(a, y=3), ROI), "y", (11.5, 13.0)),
    "coarsen a Dataset": (lambda a: a.to_dataset().coarsen(y=9).mean()["im"], "y", (10.0, 14.5)),
    "coarsen by max": (lambda a: a.coarsen(y=9).max(), "y", (10.0, 14.5)),
    "coarsen without attributes": (lambda a: a.coarsen(y=9).mean(keep_attrs=False), "y", (10.0, 14.5)),
    "coarsen, trimmed": (lambda a: a.coarsen(x=3, boundary="trim").mean(), "x", (-3.0, 0.0)),
    "coarsen, trimmed at the left": (lambda a: a.coarsen(x=3, boundary="trim", side="right").mean(), "x", (-2.0, 1.0)),
    "coarsen, padded": (lambda a: a.coarsen(x=3, boundary="pad").mean(), "x", (-3.0, 1.5)),
    "coarsen, padded at the left": (lambda a: a.coarsen(x=3, boundary="pad", side="right").mean(), "x", (-3.5, 1.0)),
    "coarsen, padded to one": (lambda a: a.coarsen(x=9, boundary="pad", side={"x": "left"}).mean(), "x", (-3.0, 1.5)),
    "coarsen twice": (lambda a: coarsened(coarsened(a, x=2), x=2), "x", (-3.0, 1.0)),
    "coarsen frames": (lambda a: coarsened(a, t=2), "t", (1.0, 9.0)),
    "coarsen to one frame": (lambda a: coarsened(a, t=4), "t", (1.0, 9.0)),
    "coarsen frames, then one": (lambda a: coarsened(a, t=2).isel(t=[1]), "t", (5.0, 9.0)),
    "one pixel": (lambda a: a.isel(x=[3]), "x", (-1.5, -1.0)),
    "sel one pixel": (lambda a: a.sel(x=[-1.4]), "x", (-1.5, -1.0)),
    "where, one pixel left": (lambda a: a.where(a.x > 0.6, drop=True), "x", (0.5, 1.0)),
    "every second": (lambda a: a.isel(x=slice(None, None, 2)), "x", (-3.25, 0.75)),
    "thin to one": (lambda a: a.thin(x=8), "x", (-4.75, -0.75)),
    "rolling windows with a stride": (lambda a: a.rolling(x=2).construct("w", stride=4), "x", (-3.75, 0.25)),
    "concat columns": (lambda a: columns(a, range(8)), "x", (-3.0, 1.0)),
    "concat every second column": (lambda a: columns(a, range(0, 8, 2)), "x", (-3.25, 0.75)),
    "one of every second column": (lambda a: columns(a, range(0, 8, 2)).isel(x=[1]), "x", (-2.25, -1.25)),
    "concat what sel took": (lambda a: xr.concat([a.isel(x=i) for i in (1, 2, 3)], "x"), "x", (-2.5, -1.0)),
    "reversed twice": (lambda a: a[..., ::-1][..., ::-1], "x", (-3.0, 1.0)),
    "sorted": (lambda a: a.sortby("x", ascending=False).sortby("x"), "x", (-3.0, 1.0)),
    "shift": (lambda a: a.shift(x=2), "x", (-3.0, 1.0)),
    "roll": (lambda a: a.roll(x=2), "x", (-3.0, 1.0)),
    "diff": (lambda a: a.isel(x=[0, 1]).diff("x"), "x", (-2.5, -2.0)),
    "interp": (lambda a: a.interp(x=[-2.0, -1.0, 0.0]), "x", (-2.5, 0.5)),
    "arithmetic on labels": (lambda a: a.assign_coords(x=a.x * 2), "x", (-6.0, 2.0)),
    "stack and unstack": (lambda a: a.stack(p=("y", "x")).unstack(), "x", (-3.0, 1.0)),
    "groupby": (lambda a: a.groupby("t").map(lambda frame: frame * 2), "x", (-3.0, 1.0)),
    "rename": (lambda a: a.isel(x=[2]).rename(x="w").rename(w="x"), "x", (-2.0, -1.5)),
    "pickle": (lambda a: pickle.loads(pickle.dumps(a.isel(x=[2]))), "x", (-2.0, -1.5)),
    "new array, one pixel": (
        lambda a: xr.DataArray(a.values[:, :1], {"y": a.y[:1], "x": a.x}, a.dims),
        "y",
        (10.0, 10.5),
    ),
    "drop the index of one": (lambda a: a.isel(x=[2]).drop_indexes("x").set_xindex("x"), "x", (-2.0, -1.5)),
    "drop attributes": (lambda a: a.isel(x=[2]).drop_attrs(), "x", (-2.0, -1.5)),
    "a tree": (lambda a: xr.DataTree(a.to_dataset()).isel(x=[2])["im"], "x", (-2.0, -1.5)),
}
# What leaves one label that cannot tell the size of its pixel.
UNKNOWN = {
    "coarsen with labels of its own": (lambda a: a.coarsen(x=8, coord_func="max").mean(), "x"),
    "arithmetic on one label": (lambda a: a.isel(x=[1]).assign_coords(x=lambda b: b.x / 1000), "x"),
    "arithmetic on one label, turned": (lambda a: a.isel(x=[1]).assign_coords(x=lambda b: 2 - b.x), "x"),
    "arithmetic, then one": (lambda a: a.assign_coords(x=a.x * 2).isel(x=[1]), "x"),
    "arithmetic, then coarsen": (lambda a: coarsened(a.assign_coords(x=a.x / 1000), x=8), "x"),
    "reversed, then one": (lambda a: a[..., ::-1].isel(x=[1]), "x"),
    "reversed, then coarsen": (lambda a: coarsened(a[..., ::-1], x=8), "x"),
    "sel, then a new axis": (lambda a: a.isel(x=1).expand_dims("x"), "x"),
    "sel, concat, then coarsen": (lambda a: coarsened(xr.concat([a.isel(x=i) for i in range(8)], "x"), x=8), "x"),
    "coarsen along one axis, then another": (lambda a: coarsened(coarsened(a, x=8), y=9), "y"),
    "coarsen again": (lambda a: coarsened(coarsened(a, x=2), x=4), "x"),
    "coarsen again and again": (lambda a: coarsened(coarsened(coarsened(a, x=2), x=2), x=2), "x"),
    "coarsen, then arithmetic": (lambda a: coarsened(a, x=8).assign_coords(x=lambda b: b.x / 1000), "x"),
    "interp at one place": (lambda a: a.interp(x=[-2.0]), "x"),
}


@pytest.mark.parametrize("lazy", [False, True], ids=["numpy", "dask"])
@pytest.mark.parametrize("verb", KNOWN)
def test_the_size_of_a_pixel_is_extent_by_count(verb, lazy):
    """Whatever xarray did, the pixels cover what they stand for."""
    work, dim, extent = KNOWN[verb]
    result = work(IMAGE.chunk(x=4) if lazy else IMAGE)
    lattice = lattice_of(result, dim)
    assert lattice.extent == extent
    assert nx.pixel_size_of(result).get(dim) == (extent[1] - extent[0]) / result.sizes[dim]
    if result.sizes[dim] == 1 or isinstance(result.xindexes[dim], PixelIndex):
        assert result[dim].attrs.get("spacing", lattice.spacing) == lattice.spacing


@pytest.mark.parametrize("verb", KNOWN)
def test_files_keep_the_size_of_a_pixel(verb, tmp_path):
    """Also that of a lone one, by an attribute."""
    work, dim, extent = KNOWN[verb]
    assert lattice_of(round_trip(work(IMAGE), tmp_path), dim).extent == extent


@pytest.mark.parametrize("verb", UNKNOWN)
def test_a_lone_label_that_cannot_tell_a_size_says_what_to_do(verb):
    """Never a wrong size; what the message says works."""
    work, dim = UNKNOWN[verb]
    result = work(IMAGE)
    with pytest.raises(NgioValueError, match=rf"axis '{dim}' has a single pixel.*as_image\(image, like="):
        nx.pixel_size_of(result)
    label = float(result[dim].values[0])
    parent = nx.as_image(np.zeros(40), (dim,), {dim: 0.5}, origin={dim: label - 4.25})
    assert lattice_of(nx.as_image(result, like=parent), dim).extent == pytest.approx((label - 0.25, label + 0.25))
    mended = nx.as_image(result, pixel_size={dim: 3.0}, origin={dim: label - 1.5})
    assert lattice_of(mended, dim).extent == pytest.approx((label - 1.5, label + 1.5))


def test_what_was_made_a_lattice_again_knows_its_pixels_for_good():
    """`as_image` after a verb that left ordinary labels, while there are two or more of them."""
    again = nx.as_image(coarsened(IMAGE, y=3))
    assert lattice_of(coarsened(again, y=3), "y").extent == (10.0, 14.5)
    assert lattice_of(again.isel(x=[2]), "x").extent == (-2.0, -1.5)
    assert lattice_of(coarsened(nx.as_image(IMAGE[..., ::-1][..., ::-1]), x=8), "x").extent == (-3.0, 1.0)


def test_axes_without_coordinates_count_pixels():
    """Also where a reduction that keeps the axis dropped them."""
    kept = IMAGE.mean("t", keepdims=True)
    assert lattice_of(kept, "t") is None
    assert nx.pixel_size_of(kept).t == 1.0


def test_coarser_frames_start_where_their_first_one_does():
    """As in `zoom`, and not in their middle; who wants the middle says so."""
    np.testing.assert_array_equal(coarsened(IMAGE, t=2).t, nx.zoom(IMAGE, {"t": 0.5}, order="mean").t)
    assert coarsened(IMAGE, t=2).t.values.tolist() == [1.0, 5.0]
    assert IMAGE.coarsen(t=2, coord_func=np.mean).mean().t.values.tolist() == [2.0, 6.0]


@pytest.mark.parametrize("rows", [1, 3])
def test_blocks_of_one_row_know_its_size(rows):
    """Of an image, and of a coarsened one, whose blocks have ordinary labels."""
    image = IMAGE if rows == 1 else coarsened(IMAGE, y=rows)
    sizes = []

    def seen(block):
        sizes.append(nx.pixel_size_of(block).y)
        return block

    lazy = image.chunk(y=1)
    xr.map_blocks(seen, lazy, template=lazy).compute(scheduler="sync")
    assert sizes == [0.5 * rows] * image.sizes["y"]


@pytest.mark.parametrize("dim", ["t", "y", "x"])
def test_a_plane_that_was_chosen_goes_back_to_its_place(dim):
    """Its one label says where; the image says how large. Also where the plane comes from ordinary labels."""
    plain = IMAGE.assign_coords({name: IMAGE[name].values for name in IMAGE.dims})
    for source in (IMAGE, plain):
        pasted = nx.paste(IMAGE, source.isel({dim: 2}) * -1)
        xr.testing.assert_equal(pasted, IMAGE.where(IMAGE[dim] != IMAGE[dim][2], -IMAGE))


FIELDS = [
    nx.as_image(np.full((10, 10), i, "u2"), "yx", 0.5, origin={"y": 0, "x": 5.0 * i}, name="v") for i in (2, 0, 1)
]
WHOLE = nx.as_image(np.repeat(np.arange(3, dtype="u2"), 10)[np.newaxis].repeat(10, axis=0), "yx", 0.5, name="v")


def neighbours(pixels, step):
    """Return the fields of `WHOLE` of that many pixels, out of order."""
    starts = list(range(0, 30, pixels))
    return [
        nx.as_image(WHOLE.values[:, k : k + pixels], "yx", 0.5, origin={"y": 0, "x": k * 0.5}, name="v")
        for k in starts[step:] + starts[:step]
    ]


@pytest.mark.parametrize("step", [0, 1, 2])
@pytest.mark.parametrize("pixels", [1, 5, 10])
def test_neighbouring_fields_combine_by_their_coordinates(pixels, step):
    """In any order, fields of one pixel included, and the whole is on their lattice."""
    combined = xr.combine_by_coords(neighbours(pixels, step))["v"]
    xr.testing.assert_identical(combined, WHOLE)
    assert lattice_of(combined, "x") == lattice_of(WHOLE, "x")
    grid = [field.isel(y=rows) for field in neighbours(pixels, step) for rows in (slice(4, 10), slice(0, 4))]
    xr.testing.assert_identical(xr.combine_by_coords(grid)["v"], WHOLE)


def test_neighbouring_fields_combine_in_the_other_ways():
    """By their place in a list, one after the other, and merged."""
    ordered = sorted(FIELDS, key=lambda field: float(field.x[0]))
    rows = [[field.isel(y=part) for field in ordered] for part in (slice(0, 3), slice(3, 10))]
    nested = xr.combine_nested(rows, ["y", "x"])
    xr.testing.assert_equal(nested, WHOLE)
    assert lattice_of(nested, "x") == lattice_of(WHOLE, "x")
    xr.testing.assert_identical(xr.concat(ordered, "x", combine_attrs="identical"), WHOLE)
    merged = xr.merge([field.astype(float) for field in FIELDS], join="outer", compat="no_conflicts")["v"]
    xr.testing.assert_equal(merged, WHOLE.astype(float))
    assert lattice_of(merged, "x").offset_of(lattice_of(WHOLE, "x")) == 0


def test_neighbouring_files_open_as_one(tmp_path):
    """`open_mfdataset` gives ordinary labels, which `as_image` puts on their lattice."""
    for number, field in enumerate(FIELDS):
        field.to_netcdf(tmp_path / f"{number}.nc", engine="h5netcdf")
    with xr.open_mfdataset(str(tmp_path / "*.nc"), engine="h5netcdf", combine="by_coords") as opened:
        xr.testing.assert_identical(nx.as_image(opened["v"]).compute(), WHOLE)
