"""Functions of the pieces of an image."""

import pickle
import threading
from functools import partial

import dask
import dask.array as da
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from distributed import Client, LocalCluster
from scipy import ndimage
from skimage.measure import regionprops_table

import ngio_x as nx
from ngio_x.arrays.roles import role_of
from ngio_x.errors import NgioEmptyRegionError, NgioTypeError, NgioValueError

PIXELS = np.zeros((20, 30), np.uint16)
PIXELS[2:5, 3:9], PIXELS[4:8, 12:18], PIXELS[17:, 26:], PIXELS[9:11, 9:11] = 4, 9, 2, 7
LABELS = nx.as_labels(PIXELS, "yx", 0.5, origin=7.0, name="nuclei")
IMAGE = nx.as_image(
    np.arange(1200, dtype=np.int32).reshape(2, 20, 30) % 199,
    "cyx",
    0.5,
    origin=7.0,
    channels=["a", "b"],
    name="cells",
).assign_attrs(note=[1])
BOTH = xr.Dataset({"cells": IMAGE, "nuclei": LABELS})
TILES = nx.tile(IMAGE, 8)


def lazily(array):
    return array.chunk(7)


def smoothed(piece):
    return piece.copy(data=ndimage.uniform_filter(piece.values, (1, 3, 3)))


def features(piece):
    inside = piece["nuclei"] == piece["label"]
    return {"area": inside.sum(), "mean": piece["cells"].sel(c="b").where(inside).mean()}


def segmented(piece):
    return ndimage.label(piece.values)[0]


@pytest.mark.parametrize("lazy", [False, True])
def test_a_filter_with_a_halo_leaves_no_seams(lazy):
    """The result is that of the whole image, with its name, lattice, attributes and dtype, and lazy as the image."""
    image = lazily(IMAGE) if lazy else IMAGE
    found = nx.map_rois(image, smoothed, TILES, halo=1)
    xr.testing.assert_identical(found.compute(), smoothed(IMAGE))
    assert found.chunks == image.chunks
    assert not nx.map_rois(image, smoothed, TILES).equals(smoothed(IMAGE)), "the halo matters"


def test_the_function_gets_crops_with_a_halo():
    """A piece is the crop, larger by the halo as far as the image reaches, in memory, with the region's label."""
    pieces = []
    roi = nx.Roi.from_values({"y": (9, 2), "x": (7, 3)}, "one", label=5)

    def keep(piece):
        pieces.append(piece)
        return piece

    nx.map_rois(lazily(IMAGE), keep, [roi], halo={"y": 1, "x": 2}).compute()
    [piece] = pieces
    wider = nx.Roi.from_values({"y": (8.5, 3), "x": (7, 4)}, None)
    xr.testing.assert_identical(piece.drop_vars("label"), nx.crop(IMAGE, wider))
    assert piece.label == 5
    assert isinstance(piece.data, np.ndarray)


def test_the_function_may_write_to_its_piece():
    """It is a copy: neither the image nor another region's piece changes."""

    def blank(piece):
        piece[:] = 0
        return piece

    before = IMAGE.copy(deep=True)
    for image in (IMAGE, IMAGE.chunk()):
        assert (nx.map_rois(image, blank, TILES) == 0).all()
        xr.testing.assert_identical(image.compute(), before)


def test_an_image_called_label_stays_the_image():
    """The label of the region does not take its place in the piece."""
    both = BOTH.rename(nuclei="label")
    rois = nx.compute_masking_roi(LABELS)
    table = nx.map_rois(both, lambda piece: {"area": (piece["label"] == 9).sum()}, rois, output={"area": int})
    assert table["area"].values.tolist() == [(nx.crop(LABELS, roi) == 9).sum() for roi in rois]


def test_where_regions_overlap_the_last_one_counts():
    """The order of the regions decides, not that of the workers; what no region holds is `fill`."""
    rois = [
        nx.Roi.from_values({"y": (0, 20), "x": (start, 4)}, None, label=start, space="pixel") for start in (4, 2, 6)
    ]
    image = IMAGE.chunk({"x": 3})
    for _ in range(3):
        found = nx.map_rois(image, lambda piece: np.full(piece.shape, piece.label), rois, fill=-1, dtype="int64")
        assert found[0, 0, :12].values.tolist() == [-1, -1, 2, 2, 2, 2, 6, 6, 6, 6, -1, -1]


def test_results_can_go_into_another_image():
    """Also into one with fewer axes; what is there elsewhere stays."""
    ground = nx.as_image(np.full((20, 30), -1.0), like=IMAGE.isel(c=0, drop=True), name="ground")
    roi = nx.Roi.from_values({"y": (7, 1), "x": (7, 1.5)}, None)
    for image in (IMAGE, lazily(IMAGE)):
        found = nx.map_rois(image, lambda piece: piece.max("c").astype(float), [roi], output=ground)
        assert found.name == "ground"
        assert (found[:2, :3] == IMAGE.max("c")[:2, :3]).all()
        assert (found.values == -1).sum() == 600 - 6
    assert (ground == -1).all()


@pytest.mark.parametrize("lazy", [False, True])
def test_objects_of_tiles_are_whole_and_have_one_id_each(lazy):
    """Cut by tiles, and seen by several, each belongs to the one that holds its middle."""
    image = lazily(LABELS > 0) if lazy else LABELS > 0
    found = nx.map_rois(image, segmented, nx.tile(image, 5), output="labels", halo=6)
    assert found.dtype == np.uint32
    assert role_of(found) == "labels"
    pairs = set(zip(found.values.ravel().tolist(), PIXELS.ravel().tolist(), strict=True))
    assert len(pairs) == len({new for new, _ in pairs}) == len({old for _, old in pairs}) == 5
    assert found.indexes["y"].equals(LABELS.indexes["y"])


def test_without_a_halo_parts_of_objects_have_ids_of_their_own():
    """No two regions share an id, whatever the function calls its objects."""
    tiles = nx.tile(LABELS, 5)
    found = nx.map_rois(LABELS, lambda piece: (piece > 0) * np.int64(1 << 40), tiles, output="labels")
    seen = [set(np.unique(nx.crop(found, tile)).tolist()) - {0} for tile in tiles]
    assert sum(map(len, seen)) == len(set().union(*seen)) == sum((nx.crop(LABELS, tile) > 0).any() for tile in tiles)
    assert ((found > 0) == (LABELS > 0)).all()


def test_background_of_labels_erases_nothing():
    """Boxes of objects overlap; what lies in one of them without belonging to it stays."""
    rois = [nx.Roi.from_values({"y": (2, 6), "x": (3, 15)}, None, label=k, space="pixel") for k in (4, 9)]
    found = nx.map_rois(LABELS, lambda piece: (piece == piece.label).astype("u1"), rois, output="labels")
    assert ((found > 0) == LABELS.isin([4, 9])).all()


def test_labels_have_no_channels():
    """A function of all channels gives the labels of all of them."""
    found = nx.map_rois(IMAGE, lambda piece: (piece.sel(c="a") > 90).astype(int), TILES, output="labels")
    assert found.dims == ("y", "x")
    assert "c" not in found.coords
    assert ((found > 0) == (IMAGE.sel(c="a") > 90)).all()


@pytest.mark.parametrize("lazy", [False, True])
def test_a_table_of_objects_is_that_of_scikit_image(lazy):
    """Columns stand beside the regions, in their order, and make a data frame."""
    both = lazily(BOTH) if lazy else BOTH
    rois = nx.compute_masking_roi(LABELS)
    table = nx.map_rois(both, features, rois, output={"area": "int64", "mean": float})
    assert (table["area"].chunks is not None) is lazy
    assert nx.rois_from_dataset(table[["start_y", "length_y", "start_x", "length_x", "name", "label", "space"]]) == rois
    theirs = regionprops_table(PIXELS, IMAGE.sel(c="b").values, properties=("label", "area", "mean_intensity"))
    frame = table.to_dataframe()[["label", "area", "mean"]]
    np.testing.assert_allclose(frame.to_numpy(float), pd.DataFrame(theirs).to_numpy(float))


def test_columns_may_hold_text_and_any_number_of_rows():
    """Also more rows than are made together, and none at all."""
    rois = [nx.Roi.from_values({"y": (k % 20, 1), "x": (k % 30, 1)}, str(k), space="pixel") for k in range(1500)]
    table = nx.map_rois(
        lazily(IMAGE),
        lambda piece: {"sum": piece.values.sum(), "text": "b" * int(piece.sizes["x"])},
        rois,
        output={"sum": "int64", "text": object},
    ).compute()
    assert table["sum"].values.tolist() == [IMAGE.values[:, k % 20, k % 30].sum() for k in range(1500)]
    assert set(table["text"].values) == {"b"}
    assert nx.map_rois(lazily(IMAGE), lambda piece: {"a": 1}, [], output={"a": int})["a"].values.shape == (0,)
    assert nx.map_rois(IMAGE, lambda piece: {"a": 1}, [], output={"a": int})["a"].values.shape == (0,)
    assert (nx.map_rois(IMAGE, smoothed, []) == 0).all()
    assert (nx.map_rois(LABELS, segmented, [], output="labels") == 0).all()


@pytest.mark.parametrize(
    ("kind", "value", "held"),
    [
        (str, "nucleus", "nucleus"),
        ("U", "nucleus", "nucleus"),
        (bytes, b"dna", b"dna"),
        ("U9", "nucleus", "nucleus"),
        ("uint8", 255, 255),
        ("int8", np.int64(-128), -128),
        ("uint64", 2**64 - 1, 2**64 - 1),
        ("float32", 3, 3.0),
        (object, 1.5, 1.5),
        ("float32", np.inf, np.inf),
        ("float32", 0.1, np.float32(0.1)),
    ],
)
def test_columns_hold_what_the_function_returns(kind, value, held):
    """Text of any length, and numbers of another width."""
    table = nx.map_rois(lazily(IMAGE), lambda piece: {"a": value}, TILES, output={"a": kind}).compute()
    assert table["a"].values.tolist() == [held] * len(TILES)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("U3", "nucleus"),
        ("S2", b"dna"),
        ("uint8", 256),
        ("uint8", -1),
        ("int64", 2**63),
        ("int64", 1.5),
        (int, "7"),
        ("float32", 1e300),
        ("float16", -70000.0),
        ("timedelta64[s]", np.timedelta64(5, "ms")),
        ("datetime64[D]", np.datetime64("2020-01-01T10:00")),
    ],
)
def test_columns_never_change_a_value_to_hold_it(kind, value):
    """Text that would be cut off, and numbers that would wrap around or be rounded."""
    with pytest.raises(NgioTypeError, match="column 'a', whose values do not all fit"):
        nx.map_rois(IMAGE, lambda piece: {"a": value}, TILES, output={"a": kind})


def test_each_region_is_computed_once_and_only_when_it_is_needed():
    """However many blocks its piece reaches; a part of the result asks for what reaches that."""
    calls, lock = [], threading.Lock()

    def counted(piece):
        with lock:
            calls.append(piece.sizes)
        return piece

    found = nx.map_rois(IMAGE.chunk({"y": 3, "x": 4}), counted, TILES, halo=2)
    assert not calls
    found[:, :6, :8].compute()
    assert len(calls) == 1
    found.compute()
    assert len(calls) == 1 + len(TILES)


def test_only_the_blocks_that_pieces_need_are_read():
    """A region in one block reads no other."""
    read, lock = [], threading.Lock()

    def block(block_info=None):
        with lock:
            read.append(block_info[None]["chunk-location"])
        return np.zeros((5, 5))

    image = nx.as_image(da.map_blocks(block, chunks=((5,) * 4, (5,) * 4), dtype=float, meta=np.zeros((0, 0))), "yx")
    roi = nx.Roi.from_values({"y": (0, 4), "x": (6, 3)}, None)
    nx.map_rois(image, lambda piece: {"mean": piece.mean()}, [roi], output={"mean": float}).compute()
    assert read == [(0, 1)]


@pytest.mark.parametrize("scheduler", ["sync", "threads", "processes"])
def test_every_scheduler_gives_the_same(scheduler):
    """Tasks carry all they need."""
    with dask.config.set(scheduler=scheduler):
        found = nx.map_rois(lazily(IMAGE), smoothed, TILES, halo=1).compute()
    xr.testing.assert_identical(found, smoothed(IMAGE))


def test_a_cluster_gives_the_same(tmp_path):
    """From a file on disk, to labels and a table."""
    BOTH["cells"].ngio.write_ome_zarr(tmp_path / "image.zarr", chunks={"y": 8, "x": 8})
    nx.write_labels(LABELS, tmp_path / "image.zarr", "nuclei")
    tree = nx.open_ome_zarr(tmp_path / "image.zarr")
    image, labels = tree["0"]["image"], tree["labels/nuclei/0"]["nuclei"]
    both = xr.Dataset({"cells": image, "nuclei": labels})
    rois = nx.compute_masking_roi(LABELS)
    with LocalCluster(n_workers=2, processes=False, dashboard_address=":0") as cluster, Client(cluster):
        table = nx.map_rois(both, features, rois, output={"area": int, "mean": float}).compute()
        again = nx.map_rois(image, smoothed, TILES, halo=1).compute()
    assert table["area"].values.tolist() == [(roi.label == PIXELS).sum() for roi in rois]
    assert (again == smoothed(IMAGE)).all()


def test_results_are_written_like_any_lazy_image(tmp_path):
    """Straight to a file, block by block."""
    labels = nx.map_rois(lazily(LABELS > 0), segmented, nx.tile(LABELS, 8), output="labels", halo=6)
    IMAGE.ngio.write_ome_zarr(tmp_path / "image.zarr")
    nx.write_labels(labels, tmp_path / "image.zarr", "found")
    found = nx.open_ome_zarr(tmp_path / "image.zarr")["labels/found/0"]["found"]
    assert ((found > 0) == (LABELS > 0)).all()


def test_it_is_a_link_of_a_chain():
    """By `pipe`, by `partial`, as a method."""
    expected = nx.map_rois(IMAGE, smoothed, TILES, halo=1)
    assert IMAGE.pipe(nx.map_rois, smoothed, TILES, halo=1).identical(expected)
    assert partial(nx.map_rois, func=smoothed, rois=TILES, halo=1)(IMAGE).identical(expected)
    assert IMAGE.ngio.map_rois(smoothed, TILES, halo=1).identical(expected)


def test_what_the_function_raises_says_where():
    """The error is the function's own, with the region in a note."""

    def failing(piece):
        raise ZeroDivisionError("oh")

    with pytest.raises(ZeroDivisionError, match="oh") as caught:
        nx.map_rois(IMAGE, failing, TILES[3:4])
    assert caught.value.__notes__ == ["in region 0 ('y0_x3')"]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"func": 3}, NgioTypeError, "func must be a function of a piece of the image, got 3"),
        ({"image": PIXELS}, NgioTypeError, "image must be a DataArray or a Dataset, got ndarray"),
        ({"image": xr.DataTree()}, NgioTypeError, "of a tree, take a level, such as"),
        ({"image": xr.Dataset()}, NgioValueError, "must hold an array, got a Dataset without any"),
        ({"image": IMAGE[:, :0]}, NgioValueError, "must have pixels along each axis, got none along 'y'"),
        ({"image": BOTH}, NgioValueError, "output=dataset"),
        ({"rois": TILES[0]}, NgioTypeError, "several regions"),
        ({"halo": -1}, NgioValueError, "halo along 'y'"),
        ({"halo": {"z": 1}}, NgioValueError, "halo must name axes of .*, got 'z'"),
        ({"bounds": "near"}, NgioValueError, "bounds"),
        ({"output": "table"}, NgioValueError, "output must be 'image', 'labels'"),
        ({"output": None}, NgioValueError, "output must be 'image', 'labels'"),
        ({"output": {"a": "no type"}}, NgioTypeError, r"output\['a'\] must be a dtype"),
        ({"output": {"name": int}}, NgioValueError, "column 'name'"),
        ({"output": {1: int}}, NgioTypeError, "output must name its columns by text, got 1"),
        ({"output": {"": int}}, NgioTypeError, "output must name its columns by text, got ''"),
        ({"dtype": str}, NgioTypeError, "dtype must be one of numbers, got object"),
        ({"output": BOTH}, NgioValueError, "output must be"),
        ({"output": IMAGE[:, 1:]}, NgioValueError, "19 pixels begin 1 pixels after the image's 20"),
        ({"output": IMAGE.expand_dims("t")}, NgioValueError, "output must have axes of .*, got 't'"),
        ({"dtype": "no type"}, NgioTypeError, "dtype must be a dtype"),
        ({"fill": 0.5}, NgioValueError, "fill"),
        ({"output": "labels", "dtype": "u1"}, NgioValueError, "dtype must hold the ids up to 1200"),
        ({"output": "labels", "dtype": float}, NgioValueError, "dtype must hold the ids"),
    ],
)
def test_bad_arguments_are_refused(arguments, error, message):
    """Each by its name, before anything is computed."""
    given = {"image": IMAGE, "func": smoothed, "rois": TILES} | arguments
    with pytest.raises(error, match=message):
        nx.map_rois(**given)


def test_a_region_outside_is_refused_by_name():
    """As by `crop`; a note says which one it is."""
    with pytest.raises(NgioEmptyRegionError, match="axis 'x'") as caught:
        nx.map_rois(IMAGE, smoothed, [*TILES, nx.Roi.from_values({"y": (7, 1), "x": (900, 1)}, "far")])
    assert caught.value.__notes__ == ["in region 12 ('far')"]


@pytest.mark.parametrize(
    ("func", "output", "error", "message"),
    [
        (lambda piece: piece[..., 1:], "image", NgioValueError, r"region 0 \('y0_x0'\); got shape \(2, 8, 7\)"),
        (lambda piece: piece[0], "image", NgioValueError, "must return the axes"),
        (lambda piece: piece.values[0], "image", NgioValueError, "'c': 2, 'y': 8, 'x': 8"),
        (lambda piece: piece / 2, "image", NgioTypeError, "dtype='float64'"),
        (lambda piece: piece[0] / 2, "labels", NgioTypeError, "func must return labels for region 0"),
        (lambda piece: -piece[0], "labels", NgioValueError, "ids above 0"),
        (lambda piece: piece.to_dataset(), "image", NgioTypeError, "must return an array for region 0"),
        (lambda piece: [[1], [2, 3]], "labels", NgioTypeError, "must return an array for region 0"),
        (lambda piece: 3, {"a": int}, NgioTypeError, "must return a mapping"),
        (lambda piece: {"b": 3}, {"a": int}, NgioValueError, r"columns \['a'\] of output for region 0"),
        (lambda piece: {"a": [3, 4]}, {"a": int}, NgioValueError, "must be one value"),
        (
            lambda piece: {"a": 3.5},
            {"a": int},
            NgioTypeError,
            "float64 in column 'a', whose values do not all fit into the int64",
        ),
    ],
)
def test_what_does_not_fit_is_refused(func, output, error, message):
    """What a function returns is checked for each region."""
    with pytest.raises(error, match=message):
        nx.map_rois(IMAGE, func, TILES[:1], output=output)


def test_regions_pickle():
    """What the tasks hold goes to other processes."""
    found = nx.map_rois(lazily(BOTH), features, nx.compute_masking_roi(LABELS), output={"area": int, "mean": float})
    assert pickle.loads(pickle.dumps(found)).identical(found)


def nested_objects():
    """An image, and labels of an L-shaped object around another: their boxes overlap."""
    pixels = np.zeros((12, 12), "u4")
    pixels[:, :3] = pixels[9:] = 1
    pixels[2:7, 5:9] = 2
    pixels[8, 11] = 5
    labels = nx.as_labels(pixels, "yx", 0.5, name="objects")
    image = nx.as_image(np.arange(144, dtype="i4").reshape(12, 12), "yx", 0.5, name="cells").assign_attrs(note=1)
    return image, labels


@pytest.mark.parametrize("chunks", [None, {"y": 5, "x": 4}])
@pytest.mark.parametrize("halo", [0, 3])
def test_an_object_does_not_erase_another_whose_box_it_overlaps(chunks, halo):
    """Of each region only the pixels of its own object are written, whatever the order of the regions."""
    image, labels = nested_objects()
    both = xr.Dataset({"cells": image, "objects": labels})
    both = both if chunks is None else both.chunk(chunks)
    rois = nx.compute_masking_roi(labels)

    def marked(piece):
        return xr.full_like(piece["cells"], -piece.label.item())

    expected = np.where(labels > 0, -labels.astype(int), image)
    for order in (rois, rois[::-1]):
        given = {"output": both["cells"], "halo": halo}
        found = nx.map_rois(both, marked, order, masked=True, **given)
        assert (found.chunks is None) == (chunks is None)
        xr.testing.assert_identical(found.compute(), image.copy(data=expected.astype("i4")))
        for ids in (labels, labels.chunk(y=7), nx.as_labels(np.pad(labels.values, 3), "yx", 0.5, origin=-1.5)):
            assert nx.map_rois(both.drop_vars("objects"), marked, order, masked=ids, **given).compute().equals(found)
    alone = nx.map_rois(both["cells"], lambda piece: piece * 0 - 1, rois, masked=labels, fill=-9, halo=halo)
    np.testing.assert_array_equal(alone, np.where(labels > 0, -1, -9))
    assert alone.attrs == image.attrs


@pytest.mark.parametrize("lazy", [False, True])
def test_a_label_image_masks_itself(lazy):
    """Each object is made smaller where it lies; pixels that it gives up keep the fill."""
    _, labels = nested_objects()
    source = labels.chunk(5) if lazy else labels
    found = nx.map_rois(source, lambda piece: piece * (piece == 2), nx.compute_masking_roi(labels), masked=True)
    np.testing.assert_array_equal(found, np.where(labels == 2, 2, 0))


def test_masked_results_hold_for_all_channels_and_lack_axes_as_outputs_do():
    """Labels that lack channels mask each of them; so does an output that lacks them."""
    both = BOTH.isel(c=[0, 1])
    rois = nx.compute_masking_roi(LABELS)
    found = nx.map_rois(both, lambda piece: piece["cells"] * 0 - 1, rois, output=both["cells"], masked=True)
    np.testing.assert_array_equal(found, np.where(LABELS > 0, -1, IMAGE))
    ground = IMAGE.isel(c=0, drop=True)
    lowest = nx.map_rois(both, lambda piece: piece["cells"].min("c") - 1, rois, output=ground, masked=True)
    np.testing.assert_array_equal(lowest, np.where(LABELS > 0, IMAGE.min("c") - 1, ground))


@pytest.mark.parametrize("halo", [0, 2])
def test_objects_in_objects_stay_within_their_own(halo):
    """Labels found in a region count where its object is: of what lies in a neighbour, or beside, nothing is kept."""
    image, labels = nested_objects()
    both = xr.Dataset({"cells": image, "objects": labels})
    found = nx.map_rois(
        both,
        lambda piece: 1 + (piece["cells"] % 2),
        nx.compute_masking_roi(labels),
        output="labels",
        masked=True,
        halo=halo,
    )
    assert ((found > 0) == (labels > 0)).all()
    pairs = set(zip(labels.values.ravel(), image.values.ravel() % 2, found.values.ravel(), strict=True))
    assert len({pair for pair in pairs if pair[0]}) == len(np.unique(found)) - 1 == 5


def test_masks_go_to_other_processes():
    """With what the tasks hold."""
    image, labels = nested_objects()
    both = xr.Dataset({"cells": image, "objects": labels}).chunk(5)
    lazy = nx.map_rois(both, first_negated, nx.compute_masking_roi(labels), output=both["cells"], masked=True)
    with dask.config.set(scheduler="processes"):
        found = pickle.loads(pickle.dumps(lazy)).compute()
    np.testing.assert_array_equal(found, np.where(labels > 0, -image, image))


def first_negated(piece):
    return -piece["cells"]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"masked": True}, NgioValueError, r"masked=True needs .* one label image, got none: pass .* masked=labels"),
        ({"image": BOTH.assign(more=LABELS), "masked": True}, NgioValueError, r"got \['nuclei', 'more'\]"),
        ({"masked": "nuclei"}, NgioTypeError, "masked must be a label image, True or False, got .nuclei."),
        ({"masked": LABELS.values}, NgioTypeError, "label an array with as_labels"),
        ({"masked": IMAGE / 2}, NgioTypeError, "masked must be integers, got float64"),
        ({"masked": nx.zoom(LABELS, 0.5)}, NgioValueError, "the image and masked do not fit along 'y'"),
        ({"masked": LABELS, "rois": TILES}, NgioValueError, r"needs the label .* region 0 \('y0_x0'\) has none"),
        ({"masked": LABELS, "output": {"a": int}}, NgioValueError, "a table has none: blank the piece"),
        ({"masked": LABELS.expand_dims(c=["a", "b"]), "output": "labels"}, NgioValueError, r"\('y', 'x'\), got 'c'"),
    ],
)
def test_masks_that_make_no_sense_are_refused(arguments, error, message):
    """Each with what to do."""
    given = {"image": IMAGE, "func": smoothed, "rois": nx.compute_masking_roi(LABELS)} | arguments
    with pytest.raises(error, match=message):
        nx.map_rois(**given)
