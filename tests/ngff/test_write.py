import itertools

import dask.array as da
import numpy as np
import pytest
import xarray as xr
import zarr
from numpy.testing import assert_array_equal

import ngio_x as nx
from ngio_x.errors import NgioFileExistsError, NgioFileNotFoundError, NgioTypeError, NgioValueError
from ngio_x.ngff.pixels import LazyPixels
from ngio_x.testing.samples import noise

SEEDS = itertools.count()


def image(dims="cyx", shape=(2, 37, 41), dtype="u2", **options):
    size = {"t": 2.0, "z": 3.0, "y": 0.3, "x": 0.4}
    pixels = noise(shape[-len(dims) :], "u1", next(SEEDS), high=2 if dtype == "bool" else 99).astype(dtype)
    return nx.as_image(pixels, tuple(dims), {axis: size[axis] for axis in dims if axis != "c"}, **options)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("dtype", ["bool", "u1", "i1", "u2", "i4", "u8", "f2", "f4", "f8", ">u2", ">f4"])
def test_pixels_of_any_type_come_back(tmp_path, version, lazy, dtype):
    """Level 0 holds the pixels, the next one their zoom."""
    original = image("yx", (21, 34), dtype)
    given = original.copy(data=da.from_array(original.values, chunks=(10, 9))) if lazy else original
    nx.write_ome_zarr(given, tmp_path / "a.zarr", version=version, levels=2)
    tree = nx.open_ome_zarr(tmp_path / "a.zarr")
    assert_array_equal(tree["0"]["image"], original)
    assert tree["0"]["image"].dtype == np.dtype(dtype).newbyteorder("=")
    order = "nearest" if dtype == "bool" else "linear"
    expected = nx.numpy_zoom(original.values, target_shape=(10, 17), order=order)
    assert_array_equal(tree["1"]["image"], expected)


def test_default_levels_end_at_256_pixels(tmp_path):
    """Halving stops when both y and x fit; other axes keep their size."""
    nx.write_ome_zarr(image("zyx", (2, 600, 1030)), tmp_path / "a.zarr")
    tree = nx.open_ome_zarr(tmp_path / "a.zarr")
    assert [tree[level]["image"].shape for level in "0123"] == [
        (2, 600, 1030),
        (2, 300, 515),
        (2, 150, 257),
        (2, 75, 128),
    ]


def test_scale_factors_are_by_axis(tmp_path):
    """Any axis may shrink by any factor; the others stay."""
    nx.write_ome_zarr(image("zyx", (8, 30, 30)), tmp_path / "a.zarr", levels=3, scale_factors={"z": 2, "x": 3})
    tree = nx.open_ome_zarr(tmp_path / "a.zarr")
    assert [tree[level]["image"].shape for level in "012"] == [(8, 30, 30), (4, 30, 10), (2, 30, 3)]


def test_axes_are_put_in_order(tmp_path):
    """OME-NGFF wants t, c, z, y, x."""
    original = image("cyx").transpose("y", "x", "c")
    nx.write_ome_zarr(original, tmp_path / "a.zarr")
    found = nx.open_ome_zarr(tmp_path / "a.zarr")["0"]["image"]
    assert found.dims == ("c", "y", "x")
    assert_array_equal(found, original.transpose("c", "y", "x"))


def test_chunks_are_by_axis(tmp_path):
    """Sizes that are not given have their defaults."""
    nx.write_ome_zarr(image(), tmp_path / "a.zarr", chunks={"x": 16, "c": 2})
    assert zarr.open_array(tmp_path / "a.zarr" / "0").chunks == (2, 37, 16)


def test_progress_ends_with_all_units(tmp_path):
    """`done` rises by one to `total`, over all levels."""
    seen = []
    nx.write_ome_zarr(image(), tmp_path / "a.zarr", levels=2, progress=lambda *numbers: seen.append(numbers))
    assert sorted(seen) == [(done, 4) for done in range(1, 5)]


@pytest.mark.parametrize("name", ["given", None])
def test_the_name_is_that_of_the_array_unless_given(tmp_path, name):
    """It becomes the name of the tree."""
    nx.write_ome_zarr(image(name="own"), tmp_path / "a.zarr", name=name)
    assert nx.open_ome_zarr(tmp_path / "a.zarr").name == (name or "own")


def test_inputs_are_not_changed(tmp_path):
    """Read-only pixels, attributes and options stay as they are."""
    original = image(channels=["a", "b"]).assign_attrs(note=[1])
    original.values.flags.writeable = False
    before, factors, chunks = original.copy(deep=True), {"y": 2}, {"y": 8}
    nx.write_ome_zarr(original, tmp_path / "a.zarr", levels=2, scale_factors=factors, chunks=chunks)
    assert original.identical(before)
    assert (factors, chunks) == ({"y": 2}, {"y": 8})


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (np.zeros((4, 4)), NgioTypeError, "image must be a DataArray, Dataset or DataTree, got ndarray"),
        (xr.DataArray(np.zeros((4, 4)), dims=("a", "x")), NgioValueError, "have axes t, c, z, y, x, got 'a'"),
        (xr.DataArray(np.zeros((4, 4)), dims=("z", "x")), NgioValueError, "have y and x axes"),
        (xr.DataArray(np.zeros((4, 4), "c8"), dims=("y", "x")), NgioTypeError, "hold numbers, got complex64"),
        (xr.DataArray(np.zeros((4, 4), "U1"), dims=("y", "x")), NgioTypeError, "hold numbers"),
        (xr.DataArray(np.zeros((0, 4)), dims=("y", "x")), NgioValueError, "has no pixels: its sizes are"),
        (xr.DataArray(np.zeros((3, 1)), {"y": [0, 1, 5]}, ("y", "x")), NgioValueError, "not evenly spaced"),
    ],
)
def test_what_cannot_be_an_image_is_refused(tmp_path, given, error, message):
    """Before anything is written."""
    with pytest.raises(error, match=message):
        nx.write_ome_zarr(given, tmp_path / "a.zarr")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"version": "0.6"}, "version must be one of '0.4', '0.5', got '0.6'"),
        ({"version": ["0.4"]}, "version must be one of"),
        ({"levels": 0}, "levels must be ≥ 1, got 0"),
        ({"levels": 1.5}, "levels must be an integer"),
        ({"levels": 20}, "levels must be at most 6, which is how many differ in shape, got 20"),
        ({"levels": 2, "scale_factors": {}}, "levels must be at most 1"),
        ({"scale_factors": 2}, "scale_factors must be a mapping by axis name"),
        ({"scale_factors": {"y": 0.5}}, "scale_factors along 'y' must be ≥ 1 .2 halves"),
        ({"scale_factors": {"y": float("inf")}}, "scale_factors along 'y' must be a finite number"),
        ({"scale_factors": {"q": 2}}, "scale_factors must name axes of .*, got 'q'"),
        ({"chunks": {"q": 2}}, "chunks must name axes of .*, got 'q'"),
        ({"chunks": {"y": 0}}, "chunks along 'y' must be ≥ 1, got 0"),
        ({"frame": "left"}, "frame must be one of 'corner', 'center', got 'left'"),
        ({"order": "quintic"}, "order must be one of"),
        ({"name": 5}, "name must be a string"),
    ],
)
def test_an_option_that_makes_no_sense_is_refused(tmp_path, options, message):
    """The message names it, and nothing is written."""
    with pytest.raises(NgioValueError, match=message):
        nx.write_ome_zarr(image(), tmp_path / "a.zarr", **options)
    assert list(tmp_path.iterdir()) == []


def test_ids_and_booleans_are_not_blended(tmp_path):
    """Linear is refused for both, and nearest the default."""
    labels = nx.as_labels(noise((40, 40), "i8", high=2**31), "yx")
    with pytest.raises(NgioValueError, match="blends the ids of a label image; use 'nearest'"):
        nx.write_ome_zarr(labels, tmp_path / "a.zarr", order="linear")
    with pytest.raises(NgioValueError, match="cannot blend the array's bool values"):
        nx.write_ome_zarr(labels > 3, tmp_path / "a.zarr", order="linear")
    nx.write_ome_zarr(labels, tmp_path / "a.zarr", levels=2)
    assert set(nx.open_ome_zarr(tmp_path / "a.zarr")["1"]["image"].values.ravel()) <= set(labels.values.ravel())


class TestLabels:
    """`write_labels` adds label images."""

    @pytest.fixture(params=["0.4", "0.5"])
    def path(self, request, tmp_path):
        original = image(origin={"y": 5.0, "x": -3.0})
        nx.write_ome_zarr(original, tmp_path / "a.zarr", version=request.param, levels=3)
        return tmp_path / "a.zarr"

    def labels(self, path, threshold=50):
        return nx.as_labels((nx.open_ome_zarr(path)["0"]["image"][0] > threshold).astype("u4"))

    def test_they_lie_on_the_image(self, path):
        """Level by level, labels have the lattice of the image, the role, and their name."""
        labels = self.labels(path)
        nx.write_labels(labels, path, "bright")
        tree = nx.open_ome_zarr(path)
        assert list(tree["labels/bright"].children) == ["0", "1", "2"]
        assert_array_equal(tree["labels/bright/0"]["bright"], labels)
        for level in "012":
            found, under = tree[f"labels/bright/{level}"]["bright"], tree[level]["image"]
            assert found.attrs["role"] == "labels"
            assert found.dtype == "u4"
            for axis in "yx":
                assert found.xindexes[axis].equals(under.xindexes[axis])

    @pytest.mark.parametrize("frame", ["corner", "center"])
    def test_labels_on_a_coarser_grid_keep_their_place(self, tmp_path, frame):
        """Half the pixels, one extent: in either frame the edges come back."""
        fine = image("yx", (40, 60), origin={"y": 5.0, "x": -3.0})
        nx.write_ome_zarr(fine, tmp_path / "a.zarr", levels=2, frame=frame)
        coarse = nx.as_labels(nx.zoom(fine, 0.5))
        nx.write_labels(coarse, tmp_path / "a.zarr", "coarse")
        found = nx.open_ome_zarr(tmp_path / "a.zarr")["labels/coarse/0"]["coarse"]
        for axis in "yx":
            np.testing.assert_allclose(found.xindexes[axis].lattice.extent, coarse.xindexes[axis].lattice.extent)
        assert len(nx.open_ome_zarr(tmp_path / "a.zarr")["labels/coarse"].children) == 2

    def test_an_explicit_frame_wins(self, tmp_path):
        """An image opened with `frame="center"` gets its labels in that frame, and they align."""
        nx.write_ome_zarr(image("yx", (40, 60)), tmp_path / "a.zarr", levels=2)
        opened = nx.open_ome_zarr(tmp_path / "a.zarr", frame="center")["0"]["image"]
        nx.write_labels(nx.as_labels(opened), tmp_path / "a.zarr", "cells", frame="center")
        tree = nx.open_ome_zarr(tmp_path / "a.zarr", frame="center")
        assert tree["labels/cells/0"]["cells"].xindexes["x"].equals(tree["0"]["image"].xindexes["x"])

    def test_others_are_kept(self, path):
        """The list grows, in the order of writing."""
        for name in ("b", "a"):
            nx.write_labels(self.labels(path), path, name)
        assert list(nx.open_ome_zarr(path)["labels"].children) == ["b", "a"]

    def test_labels_can_be_written_over_those_that_they_are_made_from(self, path):
        """Lazy ids are read before the old ones vanish."""
        nx.write_labels(self.labels(path), path, "cells")
        old = nx.open_ome_zarr(path)["labels/cells/0"]["cells"]
        expected = old.values * 2
        nx.write_labels(nx.as_labels(old * np.uint32(2)), path, "cells", overwrite=True)
        assert_array_equal(nx.open_ome_zarr(path)["labels/cells/0"]["cells"], expected)
        assert expected.any()

    def test_an_interrupted_write_leaves_no_labels(self, path):
        """Neither listed nor on disk; labels that were there stay."""

        def interrupt(_done, _total):
            raise KeyboardInterrupt

        nx.write_labels(self.labels(path), path, "old")
        before = nx.open_ome_zarr(path)["labels/old/0"]["old"].values
        for name in ("old", "new"):
            with pytest.raises(KeyboardInterrupt):
                nx.write_labels(self.labels(path, 90), path, name, overwrite=True, progress=interrupt)
        assert list(nx.open_ome_zarr(path)["labels"].children) == ["old"]
        assert not list((path / "labels").glob("*new*"))
        assert_array_equal(nx.open_ome_zarr(path)["labels/old/0"]["old"], before)

    def test_labels_go_into_memory_as_well(self):
        """A store without directories."""
        store = zarr.storage.MemoryStore()
        nx.write_ome_zarr(image(), store)
        nx.write_labels(nx.as_labels(image("yx", (37, 41))), store, "cells")
        assert list(nx.open_ome_zarr(store)["labels"].children) == ["cells"]

    def test_existing_labels_are_not_overwritten_unasked(self, path):
        """The message says what to pass."""
        nx.write_labels(self.labels(path), path, "cells")
        with pytest.raises(NgioFileExistsError, match="has labels 'cells' already: pass overwrite=True"):
            nx.write_labels(self.labels(path), path, "cells")

    @pytest.mark.parametrize("name", ["", "a/b", "a\\b", ".", "..", "...", 5, None])
    def test_a_name_that_is_no_single_segment_is_refused(self, path, name):
        """Labels stay inside their group."""
        with pytest.raises(NgioValueError, match="must be one path segment, got"):
            nx.write_labels(self.labels(path), path, name)

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("A:b", "must be a path inside of the group, such as 'a/b', got 'A:b'"),
            ("a\0", "must be a path inside of the group"),
            ("n" * 300, "must be a path inside of the group"),
            ("y", "called as one of their axes"),
        ],
    )
    def test_a_name_that_could_not_be_opened_is_refused(self, path, name, message):
        """Else the whole image could not be opened any more."""
        with pytest.raises(NgioValueError, match=message):
            nx.write_labels(self.labels(path), path, name)
        with pytest.raises(NgioValueError, match=message):
            nx.write_ome_zarr(image(), path, labels={name: self.labels(path)}, overwrite=True)
        assert "labels" not in nx.open_ome_zarr(path).children

    def test_labels_that_are_written_at_the_same_time_are_all_listed(self, path):
        """The list is read again when the pixels are written."""
        labels = self.labels(path)

        def meanwhile(done, total):
            if done == total:
                nx.write_labels(labels, path, "others")

        nx.write_labels(labels, path, "cells", progress=meanwhile)
        assert sorted(nx.open_ome_zarr(path)["labels"].children) == ["cells", "others"]

    @pytest.mark.parametrize(
        ("labels", "error", "message"),
        [
            (np.zeros((3, 3), int), NgioTypeError, "labels must be a DataArray"),
            (image("yx", (37, 41), "f4"), NgioTypeError, "labels must be integers, got float32: convert with"),
            (image("yx", (37, 41)), NgioTypeError, "an image of uint16 grey levels"),
            (nx.as_labels(image("cyx")), NgioValueError, "no channel axis: select one channel"),
        ],
    )
    def test_what_cannot_be_labels_is_refused(self, path, labels, error, message):
        """Before anything is written."""
        with pytest.raises(error, match=message):
            nx.write_labels(labels, path, "cells")
        assert not (path / "labels").exists()

    def test_there_must_be_an_image(self, tmp_path):
        """Labels belong to one."""
        with pytest.raises(NgioFileNotFoundError):
            nx.write_labels(nx.as_labels(image("yx", (3, 3))), tmp_path / "none.zarr", "cells")


def test_labels_in_another_unit_are_refused(tmp_path):
    """The message names the axis and both units, and nothing is written."""
    path = tmp_path / "image.zarr"
    nx.write_ome_zarr(nx.as_image(np.zeros((8, 8), "u1"), pixel_size=0.5), path)
    labels = nx.as_labels(np.ones((8, 8), "u1"), pixel_size=500, units="nanometer")
    with pytest.raises(NgioValueError, match="axis 'y': the labels are in 'nanometer' and the image in 'micrometer'"):
        nx.write_labels(labels, path, "cells")
    assert not (path / "labels" / "cells").exists()


@pytest.mark.parametrize(("order", "name"), [(None, "linear"), (0, "nearest"), ("mean", "mean")])
def test_metadata_say_how_levels_were_made(tmp_path, order, name):
    """The kernel by name, and the call that made them."""
    nx.write_ome_zarr(image("yx", (20, 20)), tmp_path / "a.zarr", version="0.4", levels=2, order=order)
    entry = zarr.open_group(tmp_path / "a.zarr", mode="r").attrs["multiscales"][0]
    assert entry["type"] == name
    assert entry["metadata"] == {"method": "ngio_x.consolidate_pyramid", "kwargs": {"order": name}}


@pytest.mark.filterwarnings("ignore:Consolidated metadata is currently not part:zarr.errors.ZarrUserWarning")
@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_labels_are_seen_by_readers_of_consolidated_metadata(tmp_path, version):
    """What another program wrote about all arrays at once is written anew, if it is there."""
    path = tmp_path / "a.zarr"
    image = nx.as_image(np.arange(64, dtype="u1").reshape(8, 8))
    nx.write_ome_zarr(image, path, version=version)
    nx.write_labels(nx.as_labels(image), path, "first")
    assert zarr.open_group(path).metadata.consolidated_metadata is None
    zarr.consolidate_metadata(path)
    nx.write_labels(nx.as_labels(image), path, "second")
    group = zarr.open_group(path)
    assert group.metadata.consolidated_metadata is not None
    assert group["labels/second/0"].shape == (8, 8)
    assert list(nx.open_ome_zarr(path)["labels"].children) == ["first", "second"]


def plain_labels(pixels, dims):
    """Ids that have a role, and no coordinates."""
    return nx.as_labels(pixels, dims).drop_vars(dims)


def test_labels_without_coordinates_lie_on_their_image(tmp_path):
    """Plain ids of the image's size have its pixel size and origin; of another size, nobody knows where they are."""
    image = nx.as_image(np.ones((2, 8, 6), "u1"), "cyx", 0.5, origin={"y": 10.0, "x": -3.0})
    nx.write_ome_zarr(image, tmp_path / "a.zarr", labels={"first": plain_labels(np.ones((8, 6), "u2"), ("y", "x"))})
    nx.write_labels(plain_labels(np.ones((6, 8), "u2"), ("x", "y")), tmp_path / "a.zarr", "second")
    tree = nx.open_ome_zarr(tmp_path / "a.zarr")
    for name in ("first", "second"):
        for axis in "yx":
            ours, theirs = (each.xindexes[axis].lattice for each in (image, tree[f"labels/{name}/0"][name]))
            assert ours == theirs
    with pytest.raises(NgioValueError, match="must have the size of their image, 8 along 'y', got 4: place them with"):
        nx.write_labels(plain_labels(np.ones((4, 6), "u2"), ("y", "x")), tmp_path / "a.zarr", "third")


def test_lazy_arrays_without_dask_are_written_block_by_block(tmp_path, monkeypatch):
    """No level is read as a whole."""
    nx.write_ome_zarr(
        nx.as_image(np.arange(4096, dtype="u2").reshape(64, 64)), tmp_path / "a.zarr", chunks={"y": 16, "x": 16}
    )
    read, largest = LazyPixels.__getitem__, []

    def watched(self, key):
        found = read(self, key)
        largest.append(found.size)
        return found

    tree = nx.open_ome_zarr(tmp_path / "a.zarr", chunks=None)
    monkeypatch.setattr(LazyPixels, "__getitem__", watched)
    nx.write_ome_zarr(tree, tmp_path / "b.zarr")
    assert max(largest) == 256
    assert nx.open_ome_zarr(tmp_path / "b.zarr")["0"]["image"].equals(tree["0"]["image"])


def test_labels_of_a_chosen_plane_do_not_become_those_of_all(tmp_path):
    """The place that was chosen is kept, or its loss is said."""
    stack = nx.as_image(np.ones((4, 8, 6), "u1"), "zyx", (2.0, 0.5, 0.5))
    nx.write_ome_zarr(stack, tmp_path / "a.zarr")
    labels = nx.as_labels(stack)
    with pytest.raises(NgioValueError, match=r"isel\(z=\[...\]\)"):
        nx.write_labels(labels.isel(z=2), tmp_path / "a.zarr", "plane")
    nx.write_labels(labels.isel(z=[2]), tmp_path / "a.zarr", "plane")
    part = nx.crop(nx.open_ome_zarr(tmp_path / "a.zarr"), {"z": (4, 2)})
    assert part["labels/plane/0/plane"].sizes == {"z": 1, "y": 8, "x": 6}
    nx.write_labels(labels.isel(z=2).drop_vars("z"), tmp_path / "a.zarr", "all")
    nx.write_labels(labels.max("z"), tmp_path / "a.zarr", "projected")
    assert set(nx.open_ome_zarr(tmp_path / "a.zarr")["labels"].children) == {"plane", "all", "projected"}
