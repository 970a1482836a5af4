"""What a lattice coordinate does in xarray's hands."""

import copy
import pickle

import dask.base
import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import xarray as xr

import ngio_x as nx
from ngio_x.arrays.image import lattice_of
from ngio_x.arrays.lattice import Lattice
from ngio_x.arrays.pixel_index import PixelIndex
from ngio_x.errors import NgioKeyError, NgioTypeError, NgioValueError

mpl.use("Agg")


def _image() -> xr.DataArray:
    spacing, origin = {"t": 2.0, "y": 0.5, "x": 0.5}, {"t": 1.0, "y": 10.0, "x": -3.0}
    return nx.as_image(np.arange(192).reshape(4, 6, 8), ("t", "y", "x"), spacing, origin=origin, name="im")


@pytest.fixture(params=["numpy", "dask"])
def image(request) -> xr.DataArray:
    return _image() if request.param == "numpy" else _image().chunk({"t": 1, "y": 2, "x": 3})


def _pandas(image: xr.DataArray) -> xr.DataArray:
    """Return the same array with ordinary coordinates: the oracle."""
    return image.assign_coords({dim: image[dim].values for dim in image.dims})


def _on_lattice(image: xr.DataArray, dim: str = "x") -> bool:
    return isinstance(image.xindexes.get(dim), PixelIndex)


SELECTIONS = {
    "slice": slice(2, 6),
    "negative bounds": slice(-3, -1),
    "step": slice(1, None, 3),
    "negative step": slice(None, None, -1),
    "empty": slice(3, 3),
    "list": [5, 1, 1],
    "negative list": [-1, -3],
    "one": [5],
    "none": [],
    "boolean": np.array([0, 1, 0, 1, 0, 1, 0, 0], bool),
    "boolean uneven": np.array([1, 1, 0, 0, 0, 0, 0, 1], bool),
    "no boolean": np.zeros(8, bool),
    "scalar": 3,
    "vectorised": xr.DataArray([[1, -1]], dims=("p", "q")),
}


@pytest.mark.parametrize("selection", SELECTIONS.values(), ids=SELECTIONS)
def test_isel_agrees_with_a_pandas_index(image, selection):
    """Every kind of position selects the pixels and labels that it selects from ordinary coordinates."""
    xr.testing.assert_equal(image.isel(x=selection), _pandas(image).isel(x=selection))


@pytest.mark.parametrize("selection", ["slice", "negative bounds", "step", "one", "boolean", "empty"])
def test_evenly_rising_selections_stay_on_a_lattice(image, selection):
    """Positions that rise evenly give a lattice again."""
    assert _on_lattice(image.isel(x=SELECTIONS[selection]))


@pytest.mark.parametrize("selection", ["negative step", "list", "boolean uneven"])
def test_other_selections_give_ordinary_coordinates(image, selection):
    """Positions that do not rise evenly give ordinary coordinates."""
    assert not _on_lattice(image.isel(x=SELECTIONS[selection]))


def test_contiguous_isel_moves_integers_only(image):
    """A slice leaves origin and spacing alone."""
    piece = image.isel(x=slice(2, 7)).isel(x=slice(1, 3))
    assert lattice_of(piece, "x") == Lattice(-3.0, 0.5, 2, start=3, unit="micrometer")


@pytest.mark.parametrize("positions", [[8], [-9], np.ones(3, bool)])
def test_positions_outside_are_refused(positions):
    """Positions outside the axis raise an IndexError even where there are no pixels to complain."""
    with pytest.raises(IndexError, match="along 'x'"):
        _image().coords.to_dataset().isel(x=positions)


def test_sel_slices_are_half_open(image):
    """A slice takes the pixels whose centre it holds."""
    assert image.sel(x=slice(-2.75, -1.75)).x.values.tolist() == [-2.75, -2.25]
    assert image.sel(x=slice(-2, 0)).sizes["x"] == 4


def test_sel_slices_of_time_take_the_frames_that_start_inside(image):
    """Along time a label is the start of a frame."""
    assert image.sel(t=slice(1, 5)).t.values.tolist() == [1.0, 3.0]
    assert image.sel(t=slice(1.5, 5.5)).t.values.tolist() == [3.0, 5.0]


def test_sel_values_take_the_pixel_that_contains_them(image):
    """Scalars and lists need no method."""
    assert float(image.sel(x=-2.51).x) == -2.75
    assert image.sel(x=[-2.5, 0.99]).x.values.tolist() == [-2.25, 0.75]
    assert float(image.sel(t=4.9).t) == 3.0


def test_sel_takes_vectorised_labels(image):
    """A DataArray of labels selects pointwise and gives its dimensions and coordinates to the result."""
    where = xr.DataArray([-2.9, 0.2], dims="p", coords={"p": [7, 8]})
    found = image.sel(x=where)
    assert found.sizes == {"t": 4, "y": 6, "p": 2}
    assert found.x.values.tolist() == [-2.75, 0.25]
    assert found.p.values.tolist() == [7, 8]


@pytest.mark.parametrize("label", [5.0, [-2.0, 1.0], np.nan, "a", xr.DataArray([9.0], dims="p")])
def test_sel_outside_is_a_key_error(image, label):
    """A place without a pixel raises a KeyError that names the axis."""
    with pytest.raises(NgioKeyError, match="'x'"):
        image.sel(x=label)


def test_sel_nearest_takes_the_end_pixels_outside(image):
    """With method="nearest" every finite place has a pixel."""
    assert float(image.sel(x=50, method="nearest").x) == 0.75


@pytest.mark.parametrize("options", [{"method": "ffill"}, {"method": "nearest", "tolerance": 1.0}])
def test_sel_refuses_other_methods_and_tolerances(image, options):
    """There is no filling between pixels."""
    with pytest.raises(NgioValueError, match="'x'"):
        image.sel(x=0.0, **options)


@pytest.mark.parametrize("join", ["inner", "outer", "left", "right"])
@pytest.mark.parametrize("others", [slice(2, 5), slice(0, 3), slice(6, 8), slice(4, 4)])
def test_alignment_agrees_with_a_pandas_index(image, join, others):
    """Pieces of one lattice align as ordinary coordinates with the same labels do."""
    a, b = image.isel(x=slice(1, 6)), image.isel(x=others)
    ours = xr.align(a, b, join=join)
    theirs = xr.align(_pandas(a), _pandas(b), join=join)
    for left, right in zip(ours, theirs, strict=True):
        xr.testing.assert_equal(left, right)
        assert _on_lattice(left)


def test_outer_alignment_is_the_hull(image):
    """The outer join of two pieces holds the pixels between them too."""
    first, _ = xr.align(image.isel(x=slice(0, 2)), image.isel(x=slice(6, 8)), join="outer")
    np.testing.assert_array_equal(first.x, image.x)


def test_exact_and_override_joins(image):
    """Equal lattices align exactly; pieces do not."""
    a, b = xr.align(image, image.copy(), join="exact")
    assert _on_lattice(a)
    assert _on_lattice(xr.align(image, b, join="override")[1])
    with pytest.raises(ValueError, match="join='exact'"):
        xr.align(image, image.isel(x=slice(3)), join="exact")


@pytest.mark.parametrize("join", ["inner", "outer", "left", "right"])
def test_different_lattices_raise(image, join):
    """Arrays of different pixel sizes never align to nothing: an error names the axis and both sizes."""
    with pytest.raises(NgioValueError, match=r"along 'x': the pixel sizes differ: .*0\.5.*"):
        xr.align(image, nx.zoom(image, {"x": 0.5}), join=join)


def test_shifted_lattices_raise_in_arithmetic_and_reindex_like(image):
    """Half a pixel of shift is a different lattice."""
    other = nx.as_image(image.data, image.dims, {"t": 2.0, "y": 0.5, "x": 0.5}, origin={"t": 1, "y": 10, "x": -2.75})
    with pytest.raises(NgioValueError, match=r"cannot align along 'x'.*0\.5 of a pixel"):
        image + other
    with pytest.raises(NgioValueError, match=r"cannot reindex along 'x'.*0\.5 of a pixel"):
        image.reindex_like(other)


def test_reindex_like_fills_what_is_missing(image):
    """A piece grows to its parent's pixels, and back."""
    piece = image.isel(x=slice(2, 4))
    grown = piece.reindex_like(image, fill_value=-1)
    assert grown.sizes == image.sizes
    assert int((grown != -1).sum()) == piece.size
    xr.testing.assert_identical(grown.reindex_like(piece), piece)


def test_equal_pandas_labels_align(image):
    """Ordinary coordinates of exactly equal labels align."""
    xr.testing.assert_equal(image + _pandas(image), image * 2)


def test_a_subset_of_pandas_labels_aligns_after_as_image_like(image):
    """xarray refuses a subset of ordinary labels; as_image(like=) puts the lattice back."""
    subset = _pandas(image).isel(x=slice(2, 5))
    with pytest.raises(ValueError, match="conflicting indexes"):
        image + subset
    xr.testing.assert_equal(image + nx.as_image(subset, like=image), image.isel(x=slice(2, 5)) * 2)


ROUNDED = float(np.float32(0.65))


def _rounded_pair() -> tuple[xr.DataArray, xr.DataArray]:
    """Return an image, and labels on its pixels whose size went through float32."""
    image = nx.as_image(np.arange(4000, dtype="u4").reshape(2, 2000), "yx", 0.65, name="im")
    return image, nx.as_labels(image.values % 7, "yx", ROUNDED, name="ids")


@pytest.mark.parametrize(
    "work",
    [
        lambda a, b: xr.align(a, b, join="exact")[1],
        lambda a, b: xr.align(a, b[:, 30:40], join="outer", fill_value=0)[1],
        lambda a, b: b[:, 30:40].reindex_like(a, fill_value=0),
        lambda a, b: xr.Dataset({"a": a, "b": b})["b"],
        lambda a, b: (a * 0 + b).astype(b.dtype),
        lambda a, b: nx.as_labels(b, like=a),
        lambda a, b: nx.paste(a * 0, b[:, 30:40].drop_attrs(deep=False)),
        lambda a, b: xr.concat([a[:, :9], b[:, 9:]], "x"),
    ],
    ids=["exact", "outer", "reindex", "Dataset", "arithmetic", "as_labels", "paste", "concat"],
)
def test_pixel_sizes_that_went_through_float32_are_the_same(work):
    """In either order, with the lattice of the first, and bit for bit what equal sizes give."""
    for image, labels in (_rounded_pair(), _rounded_pair()[::-1]):
        same = labels.assign_coords(image.coords)
        done, expected = work(image, labels), work(image, same)
        np.testing.assert_array_equal(done, expected)
        assert lattice_of(done, "x").offset_of(lattice_of(image, "x")) == 0
        assert all(_on_lattice(done, dim) for dim in "yx")


def test_objects_of_labels_whose_size_went_through_float32():
    """mask and crop_objects take them for the image's."""
    image, labels = _rounded_pair()
    assert int((nx.mask(image, labels, 3) > 0).sum()) == int((labels == 3).sum())
    assert [int(piece.label) for piece in nx.crop_objects(image, labels, ids=[1, 5])] == [1, 5]


def test_what_the_error_of_two_sizes_advises_works():
    """as_image(like=) if they are the same pixels, zoom if they are not."""
    image, labels = _rounded_pair()
    wrong = nx.as_labels(labels.values, "yx", 0.6501)
    with pytest.raises(NgioValueError, match=r"pixel sizes differ.*as_image.*like=.*zoom"):
        image * wrong
    xr.testing.assert_equal(image * nx.as_labels(wrong, like=image), image * nx.as_labels(labels, like=image))
    far = nx.as_labels(labels.values, "yx", 0.7)
    with pytest.raises(NgioValueError, match=r"does not lie on the lattice of like.*drop_vars\('[xy]'\)"):
        nx.as_labels(far, like=image)
    taken = nx.as_labels(far.drop_vars(["y", "x"]), like=image)
    xr.testing.assert_equal(taken, nx.as_labels(labels, like=image))
    double = nx.as_labels(labels.values[:, :1000], "yx", {"y": 0.65, "x": 1.3})
    with pytest.raises(NgioValueError, match="pixel sizes differ"):
        image * double
    assert (image * nx.zoom(double, {"x": 2.0})).shape == image.shape


def test_what_the_error_of_a_shift_advises_works():
    """as_image(like=) puts pixels in their nearest ones; half a pixel has two of them."""
    image = _image()
    for shift, works in ((0.1, True), (0.25, False)):
        other = nx.as_image(
            image.data, image.dims, {"t": 2, "y": 0.5, "x": 0.5}, origin={"t": 1, "y": 10, "x": shift - 3}
        )
        with pytest.raises(NgioValueError, match=r"shifted against each other.*as_image.*like="):
            image + other
        if works:
            assert (image + nx.as_image(other, like=image)).shape == image.shape
        else:
            with pytest.raises(NgioValueError, match="drop_vars"):
                nx.as_image(other, like=image)


PROCESSED = {
    "ordinary labels": _pandas,
    "reversed": lambda a: a[..., ::-1],
    "sortby": lambda a: a.sortby("x", ascending=False),
    "assign_coords": lambda a: a.assign_coords(x=a.x + 0.0),
    "query": lambda a: a.to_dataset().query(x="x > -10")["im"],
    "unstack": lambda a: a.stack(p=("y", "x")).unstack(),  # noqa: PD010, PD013 — xarray's
    "interp_like": lambda a: a.interp_like(_pandas(a)),
}


@pytest.mark.parametrize("process", PROCESSED.values(), ids=PROCESSED)
def test_processed_pieces_align_after_as_image_like(image, process):
    """xarray refuses, in an error that shows the cure; the cure works."""
    piece = process(image.isel(x=slice(2, 6)))
    if not _on_lattice(piece):
        with pytest.raises(xr.AlignmentError, match=r"as_image.*like="):
            image - piece
    mended = nx.as_image(piece.sortby("x"), like=image)
    xr.testing.assert_equal(image - mended, image.isel(x=slice(2, 6)) * 0)


def test_reopened_pieces_align_after_as_image_like(image, tmp_path):
    """Read again by xarray."""
    image.isel(x=slice(2, 6)).compute().to_zarr(tmp_path / "piece.zarr", consolidated=False)
    with xr.open_zarr(tmp_path / "piece.zarr", consolidated=False) as piece:
        with pytest.raises(xr.AlignmentError, match=r"as_image.*like="):
            image - piece["im"]
        xr.testing.assert_equal(image - nx.as_image(piece["im"], like=image), image.isel(x=slice(2, 6)) * 0)


def test_concat_of_neighbours_is_the_whole(image):
    """Neighbours become one lattice again."""
    whole = xr.concat([image.isel(x=slice(0, 3)), image.isel(x=slice(3, 4)), image.isel(x=slice(4, 8))], "x")
    xr.testing.assert_identical(whole, image)
    assert lattice_of(whole, "x") == lattice_of(image, "x")


@pytest.mark.parametrize("order", [(slice(0, 3), slice(4, 8)), (slice(3, 8), slice(0, 3))])
def test_concat_of_others_agrees_with_pandas(image, order):
    """Pieces that are no neighbours give ordinary coordinates."""
    ours = xr.concat([image.isel(x=part) for part in order], "x")
    xr.testing.assert_equal(ours, xr.concat([_pandas(image).isel(x=part) for part in order], "x"))
    assert not _on_lattice(ours)


def test_concat_with_ordinary_coordinates(image):
    """A lattice followed by ordinary coordinates gives ordinary coordinates."""
    rest = image.isel(x=slice(3, 8)).drop_indexes("x").set_xindex("x")
    whole = xr.concat([image.isel(x=slice(0, 3)), rest], "x")
    xr.testing.assert_equal(whole, _pandas(image))


def test_combine_by_coords_of_tiles(image):
    """Tiles find their places, one-pixel tiles included."""
    tiles = [image.isel(x=slice(a, b), y=slice(c, d)) for a, b in ((0, 1), (1, 8)) for c, d in ((0, 3), (3, 6))]
    xr.testing.assert_identical(xr.combine_by_coords(tiles)["im"], image)


def test_roll_agrees_with_pandas(image):
    """Rolled coordinates are ordinary ones."""
    xr.testing.assert_equal(image.roll(x=3, roll_coords=True), _pandas(image).roll(x=3, roll_coords=True))
    assert _on_lattice(image.roll(x=8, roll_coords=True))


def test_renaming_keeps_the_lattice(image):
    """A renamed axis is on the same lattice, and comes back by its old name."""
    renamed = image.rename(x="w")
    assert _on_lattice(renamed, "w")
    xr.testing.assert_identical(renamed.rename(w="x"), image)


@pytest.mark.parametrize(
    "change",
    [
        lambda a: a.T.T,
        lambda a: a.copy(deep=True),
        copy.copy,
        copy.deepcopy,
        lambda a: pickle.loads(pickle.dumps(a)),
        lambda a: a.chunk(x=1),
        lambda a: a.compute(),
        lambda a: a.load(),
        lambda a: a.to_dataset()["im"],
        lambda a: a.drop_vars("x").assign_coords(a.coords),
        lambda a: a.drop_indexes("x").set_xindex("x", PixelIndex),
        lambda a: a.isel(x=slice(None)),
        lambda a: a.where(a > -1, 0),
        lambda a: xr.apply_ufunc(lambda v: v, a, dask="allowed", keep_attrs=True),
        lambda a: xr.merge([a, a.rename("b")], join="exact", compat="no_conflicts")["im"],
        lambda a: a.sortby("x"),
        lambda a: a.reindex_like(a),
        lambda a: a.groupby("t").map(lambda frame: frame),
    ],
)
def test_what_keeps_the_pixels_keeps_the_lattice(image, change):
    """An operation that leaves the pixels alone gives an identical image on the same lattice."""
    result = change(image)
    xr.testing.assert_identical(result, image)
    assert all(_on_lattice(result, dim) for dim in image.dims)


@pytest.mark.parametrize(
    "work",
    [
        lambda a: a.broadcast_like(a),
        lambda a: a.isel(t=0, drop=True).broadcast_like(a),
        lambda a: a.coarsen(x=2, y=3).mean(),
        lambda a: a.coarsen(x=3, boundary="trim").max(),
        lambda a: a.rolling(x=3, center=True).mean(),
        lambda a: a.pad(x=(1, 2)),
        lambda a: a.shift(x=1),
        lambda a: a.diff("x"),
        lambda a: a.cumsum("x"),
        lambda a: a.stack(p=("y", "x")),  # noqa: PD013 — xarray's
        lambda a: a.groupby("x").mean(),
        lambda a: a.groupby_bins("x", [-3, -1, 1]).mean(),
        lambda a: a.interp(x=[-2.0, -1.2]),
        lambda a: a.where(a.x > 0, drop=True),
        lambda a: a.where(a.x > 0),
        lambda a: a.differentiate("x"),
        lambda a: a.integrate("x"),
        lambda a: a.idxmax("x"),
        lambda a: a.mean("x"),
        lambda a: a.dropna("x"),
        lambda a: a.sortby("x", ascending=False),
        lambda a: a.isel(x=1).expand_dims("x"),
        lambda a: a.thin(x=3),
        lambda a: a.drop_isel(x=[1]),
        lambda a: a.assign_coords(x=a.x * 2),
        lambda a: a.isel(x=slice(0, 4)).combine_first(a.isel(x=slice(2, 8))),
        lambda a: a.reset_index("x"),
        lambda a: xr.concat([a, a], "n"),
    ],
)
def test_xarray_operations_agree_with_a_pandas_index(image, work):
    """Whatever xarray does with ordinary coordinates of the same labels, it does with a lattice."""
    xr.testing.assert_equal(work(image), work(_pandas(image)))


def test_to_dataframe_agrees_with_a_pandas_index(image):
    """A table has the labels in its index."""
    pd.testing.assert_frame_equal(image.to_dataframe(), _pandas(image).to_dataframe())


def test_coarsened_images_are_understood(image):
    """The labels of a coarsened image speak for themselves."""
    assert nx.pixel_size_of(image.coarsen(x=2, y=2).mean()).x == 1.0


def test_map_blocks_of_one_pixel_know_their_place():
    """A one-pixel block, which has no index, still knows its pixel size and takes a world region."""
    single = _image().chunk(t=1, y=1, x=1)

    def work(block):
        assert nx.pixel_size_of(block).x == 0.5
        return nx.crop(block, nx.Roi.from_values({"y": (-100, 200), "x": (-100, 200)}, name=None)) + 1

    xr.testing.assert_equal(single.map_blocks(work, template=single).compute(), _image() + 1)


def test_chunking_leaves_coordinates_alone():
    """The coordinates of a dask image are not dask arrays."""
    assert _image().chunk(x=2).x.chunks is None


def test_tokens_are_deterministic():
    """Equal images have equal dask tokens, different lattices different ones."""
    image = _image()
    assert dask.base.tokenize(image) == dask.base.tokenize(pickle.loads(pickle.dumps(image)))
    assert dask.base.tokenize(image.x) != dask.base.tokenize(image.isel(x=slice(3)).x)


def test_trees_hold_lattices(image):
    """A DataTree keeps lattices, also through map_over_datasets."""
    tree = xr.DataTree.from_dict({"/0": image.to_dataset()})
    assert _on_lattice(tree.map_over_datasets(lambda dataset: dataset * 2)["0"]["im"])


def test_plots(image):
    """Pictures stand at their place, with units on the axes."""
    plt = pytest.importorskip("matplotlib.pyplot")
    picture = image[0].plot.imshow()
    assert picture.get_extent() == [-3.0, 1.0, 13.0, 10.0]
    assert picture.axes.get_xlabel() == "x [micrometer]"
    plt.figure()
    image[0, 0].plot()
    plt.close("all")


@pytest.mark.parametrize("engine", ["zarr", "h5netcdf", "netcdf4"])
@pytest.mark.parametrize("piece", [{}, {"t": slice(1, 2), "y": slice(2, 3), "x": slice(3, 4)}])
def test_files_keep_the_lattice(image, tmp_path, engine, piece):
    """An array written by xarray and read again is on the same lattice; seconds stay numbers."""
    part, path = image.isel(piece), tmp_path / "array"
    if engine == "zarr":
        part.to_zarr(path, consolidated=False)
    else:
        part.to_netcdf(path, engine=engine)
    with xr.open_dataset(path, engine=engine, **({"consolidated": False} if engine == "zarr" else {})) as back:
        assert back.t.dtype == np.float64
        read = nx.as_image(back["im"])
        assert all(lattice_of(read, dim).offset_of(lattice_of(part, dim)) == 0 for dim in part.dims)
        xr.testing.assert_equal(xr.align(image, read)[0], part)
        xr.testing.assert_identical(nx.as_image(back["im"], like=image), part)


def test_channel_names_are_written_without_warnings(tmp_path):
    """Channel names have a type that zarr stores without a warning."""
    image = nx.as_image(np.zeros((2, 3, 4)), ("c", "y", "x"), 0.5, channels=["DAPI", "GFP"], name="im")
    image.to_zarr(tmp_path / "a.zarr", consolidated=False)
    with xr.open_zarr(tmp_path / "a.zarr", consolidated=False) as back:
        assert back.c.values.tolist() == ["DAPI", "GFP"]


def _roi(x):
    return nx.Roi.from_values({"y": (0, 0.1), "x": x}, name=None)


@pytest.mark.parametrize(
    "work",
    [
        lambda a: nx.as_image(a.data, a.dims, 0.1),
        lambda a: nx.as_image(a.data, like=a),
        lambda a: nx.crop(a, _roi((100.0, 50.0))),
        lambda a: a.isel(x=slice(1, None)),
        lambda a: a.sel(x=slice(10, None)),
        lambda a: a.sel(x=10.0),
        lambda a: a.copy(deep=True),
        lambda a: pickle.loads(pickle.dumps(a.coords.to_dataset())),
        repr,
        lambda a: a.coords.to_dataset()._repr_html_(),
        lambda a: a.chunk(x=10**6),
        lambda a: a + a.copy(),
        lambda a: xr.align(a, a.copy(deep=True), join="exact"),
        lambda a: xr.concat([a.isel(x=slice(10**6)), a.isel(x=slice(10**6, None))], "x"),
        lambda a: xr.concat([a, a], "n"),
        lambda a: a.coords.identical(a.copy(deep=True).coords),
        lambda a: dask.base.tokenize(a.x),
        nx.dimensions_of,
        lambda a: a.compute(),
    ],
)
def test_labels_of_large_images_are_not_computed(monkeypatch, work):
    """Ten million coordinates cost nothing until somebody asks for them."""
    image = nx.as_image(np.broadcast_to(np.uint8(0), (1, 10**7)), ("y", "x"), 0.1, name="im")
    labels = Lattice.labels

    def few(self, positions=None):
        assert (self.size if positions is None else np.size(positions)) < 100
        return labels(self, positions)

    monkeypatch.setattr(Lattice, "labels", few)
    work(image)


def test_map_blocks_that_changes_the_pixels_of_an_axis_is_refused_by_name():
    """xarray cannot say what lattice the template has; the message names the axis and what to do."""
    image = nx.as_image(np.zeros((8, 8)), ("y", "x"), 0.5).chunk(x=4)
    with pytest.raises(NgioTypeError, match="map_blocks cannot change the pixels along 'y': crop or zoom the dask"):
        image.map_blocks(lambda block: block.isel(y=slice(0, 2)), template=image.isel(y=slice(0, 2)))
