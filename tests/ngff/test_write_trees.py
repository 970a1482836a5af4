"""Trees that are written: opened, changed, written, and opened again."""

import json
from concurrent.futures import ThreadPoolExecutor

import attrs
import dask.array as da
import numcodecs
import numpy as np
import pytest
import xarray as xr
import zarr
from numpy.testing import assert_array_equal

import ngio_x as nx
from ngio_x.errors import NgioTypeError, NgioUserWarning, NgioValueError
from ngio_x.testing.samples import noise

SIZE = {"z": 2.0, "y": 0.25, "x": 0.5}
ORIGIN = {"z": 4.0, "y": 100.0, "x": -8.0}
ROI = nx.Roi.from_values({"y": slice(101.3, 106.9), "x": slice(-6.6, 1.2)}, None)
COLORS = {"DAPI": "0000FF", "GFP": "00FF00", "RFP": "FF0000"}


both_versions = pytest.mark.parametrize("version", ["0.4", "0.5"])


def channels():
    return [nx.Channel(label, color, (0, 99), (5, 50)) for label, color in COLORS.items()]


@pytest.fixture
def image():
    pixels = noise((3, 2, 48, 56), high=99)
    return nx.as_image(pixels, "czyx", SIZE, origin=ORIGIN, channels=list(COLORS), name="cells")


@pytest.fixture
def labels(image):
    return nx.as_labels((image[0] > 50).astype("u4") * (image[1] + 1).astype("u4"))


@pytest.fixture
def version():
    """Return the version that is written, where a test does not ask for both."""
    return "0.5"


@pytest.fixture(params=["corner", "center"])
def frame(request):
    return request.param


@pytest.fixture
def path(image, labels, version, tmp_path):
    """Return an image of three levels, with labels."""
    chunks = {"y": 24, "x": 28}
    path = tmp_path / "image.zarr"
    nx.write_ome_zarr(image, path, version=version, levels=3, channels=channels(), chunks=chunks, frame="corner")
    nx.write_labels(labels, path, "nuclei", colors={3: "FF8000"}, chunks=chunks)
    return path


@pytest.fixture
def tree(path):
    return nx.open_ome_zarr(path)


@pytest.fixture
def rewritten(tmp_path, version):
    """Return a function that writes something, and opens it again."""

    def write(given, **options):
        nx.write_ome_zarr(given, tmp_path / "again.zarr", **{"version": version} | options)
        return nx.open_ome_zarr(tmp_path / "again.zarr")

    return write


def arrays_of(tree):
    """Return the arrays of a tree, by the node and the name."""
    return {f"{node.path}/{name}": array for node in tree.subtree for name, array in node.data_vars.items()}


def check_same(found, expected):
    """Nodes, pixels, channel names and lattices are the same."""
    ours, theirs = arrays_of(found), arrays_of(expected)
    assert list(ours) == list(theirs)
    for key, array in ours.items():
        assert_array_equal(array, theirs[key])
        assert array.dtype == theirs[key].dtype
        check_same_places(array, theirs[key])


def check_same_places(array, expected):
    """To a billionth of a pixel; and the names of channels."""
    assert array.dims == expected.dims
    for axis in array.dims:
        if axis == "c":
            assert array["c"].values.tolist() == expected["c"].values.tolist()
            continue
        ours, theirs = array.xindexes[axis].lattice, expected.xindexes[axis].lattice
        assert (ours.size, ours.unit) == (theirs.size, theirs.unit)
        assert ours.spacing == pytest.approx(theirs.spacing, rel=1e-9)
        assert ours.extent == pytest.approx(theirs.extent, rel=1e-12, abs=1e-9)


class TestChangedTrees:
    """What was done to a tree is what is read back."""

    @both_versions
    def test_a_cropped_tree_keeps_its_place(self, tree, rewritten, frame):
        """Levels that begin at different edges do so in the file, in either frame."""
        part = nx.crop(tree, ROI)
        edges = [part[level]["image"].xindexes["y"].lattice.extent[0] for level in "012"]
        assert len(set(edges)) > 1
        found = rewritten(part, frame=frame)
        check_same(found, part)
        assert found.attrs["frame"] == frame

    @both_versions
    def test_a_tree_in_another_version(self, tree, rewritten, version):
        """Nothing but the version is another."""
        other = {"0.4": "0.5", "0.5": "0.4"}[version]
        found = rewritten(tree, version=other)
        check_same(found, tree)
        assert found.attrs == tree.attrs | {"version": other}

    def test_mapped_levels_are_written_as_they_are(self, tree, rewritten):
        """No level is made anew."""
        changed = nx.map_levels(tree, lambda level: nx.as_image((level // 3).astype("u1")))
        found = rewritten(changed)
        check_same(found, changed)

    @pytest.mark.parametrize("kept", ["01", "12", "02", "2"])
    def test_levels_may_be_missing(self, tree, rewritten, kept):
        """The finest, the coarsest, or one between; labels have as many, where they lie on the image."""
        part = tree.filter(lambda node: node.name in kept)
        found = rewritten(part)
        assert [name for name in found.children if name != "labels"] == list("012"[: len(kept)])
        for new, old in enumerate(kept):
            for name in ("image", "nuclei"):
                prefix = "" if name == "image" else "labels/nuclei/"
                array, expected = found[f"{prefix}{new}"][name], part[f"{prefix}{old}"][name]
                assert_array_equal(array, expected)
                check_same_places(array, expected)

    def test_a_tree_of_one_level_keeps_it(self, rewritten, tmp_path):
        """Of an array of that size two more would be made; under the path that the level had, and labels alike."""
        image = nx.as_image(np.arange(4 * 600, dtype="u2").reshape(4, 600), "yx", 0.25)
        nx.write_ome_zarr(image, tmp_path / "one.zarr", levels=1, labels={"nuclei": nx.as_labels(image)})
        opened = nx.open_ome_zarr(tmp_path / "one.zarr")
        opened["0"].attrs["path"] = "s0"
        found = rewritten(opened)
        check_same(found, opened)
        assert found["0"].attrs["path"] == "s0"
        found = rewritten(opened, levels=2, overwrite=True)
        assert list(found["labels/nuclei"].children) == ["0", "1"]

    @both_versions
    def test_a_crop_of_a_pixel_keeps_every_level(self, tree, rewritten):
        """Levels of one shape are no fault: each has pixels of another size."""
        part = nx.crop(tree, nx.Roi.from_values({"y": (104.1, 0.1), "x": (0.2, 0.1)}, None))
        assert {level["image"].shape for level in part.children.values() if level.data_vars} == {(3, 2, 1, 1)}
        check_same(rewritten(part), part)

    @both_versions
    def test_labels_with_fewer_levels_get_as_many_as_the_image(self, tree, rewritten):
        """That is a MUST: the missing ones are made, without blending ids."""
        part = tree.filter(lambda node: node.path != "/labels/nuclei/2")
        found = rewritten(part)
        assert list(found["labels/nuclei"].children) == ["0", "1", "2"]
        assert_array_equal(found["labels/nuclei/0"]["nuclei"], tree["labels/nuclei/0"]["nuclei"])
        check_same_places(found["labels/nuclei/2"]["nuclei"], tree["labels/nuclei/2"]["nuclei"])

    def test_without_labels(self, tree, rewritten):
        """What is taken out of the tree is not written."""
        assert "labels" not in rewritten(tree.drop_nodes("labels")).children

    @both_versions
    @pytest.mark.parametrize("chosen", [[1], [2, 0], 1])
    def test_chosen_channels_keep_their_colours(self, tree, rewritten, chosen):
        """Some of them in any order, or one, whose axis is gone."""
        part = nx.map_levels(tree, lambda level: level.isel(c=chosen))
        found = rewritten(part)
        expected = [channels()[index] for index in np.atleast_1d(chosen)]
        assert list(nx.channels_of(found)) == expected
        check_same(found, part)

    def test_channels_of_one_name_keep_their_colours(self, image, rewritten, tmp_path):
        """A name is no key: files of others repeat them."""
        twins = [nx.Channel("a", "0000FF"), nx.Channel("a", "00FF00"), nx.Channel("b", "FF0000")]
        nx.write_ome_zarr(image, tmp_path / "twins.zarr", channels=twins)
        found = rewritten(nx.open_ome_zarr(tmp_path / "twins.zarr"))
        assert list(nx.channels_of(found)) == twins

    def test_axes_are_put_in_order(self, tree, rewritten):
        """OME-NGFF wants t, c, z, y, x."""
        turned = nx.map_levels(tree, lambda level: level.transpose(*reversed(level.dims)), on="all")
        check_same(rewritten(turned), tree)

    def test_a_field_of_a_well_keeps_its_name(self, tree, tmp_path):
        """It is not called by its place there, cropped or not."""
        named = tree.copy()
        named.name = named.attrs["name"] = "cells"
        well = xr.DataTree.from_dict({"/B/03/0": named})
        roi = nx.Roi.from_values({"y": (102, 5), "x": (0, 5)}, name="corner")
        for index, field in enumerate((well["B/03/0"], nx.crop(well, roi)["B/03/0"])):
            nx.write_ome_zarr(field, tmp_path / f"{index}.zarr")
            assert nx.open_ome_zarr(tmp_path / f"{index}.zarr").attrs["name"] == "cells"

    def test_a_renamed_tree_and_renamed_variables(self, tree, rewritten):
        """The tree's name is the image's; that of a variable is nothing but its own."""
        named = nx.map_levels(tree.drop_nodes("labels"), lambda level: level.rename("other"))
        named.name = "renamed"
        found = rewritten(named)
        assert found.name == "renamed"
        assert_array_equal(found["0"]["image"], tree["0"]["image"])

    @pytest.mark.parametrize("chunks", [None, "auto", {"y": 7}])
    def test_in_memory_and_lazy(self, path, tree, rewritten, chunks):
        """However the pixels are held."""
        opened = nx.open_ome_zarr(path, chunks=chunks)
        check_same(rewritten(opened.load() if chunks is None else opened), tree)

    @pytest.mark.parametrize("options", [{"levels": 2}, {"scale_factors": {"z": 2, "y": 2, "x": 2}, "levels": 2}])
    def test_levels_are_made_anew_if_asked_for(self, tree, image, rewritten, options, tmp_path):
        """As they are of level 0 alone; the labels, too."""
        found = rewritten(tree, **options)
        nx.write_ome_zarr(image, tmp_path / "new.zarr", **options)
        check_same(found.drop_nodes("labels"), nx.open_ome_zarr(tmp_path / "new.zarr"))
        assert list(found["labels/nuclei"].children) == ["0", "1"]
        for axis in "yx":
            labels, under = found["labels/nuclei/1"]["nuclei"], found["1"]["image"]
            assert labels.xindexes[axis].equals(under.xindexes[axis])

    def test_the_tree_is_not_changed(self, tree, rewritten):
        """Neither its arrays nor its attributes."""
        before = tree.copy(deep=True)
        rewritten(tree, name="other", channels=["a", "b", "c"])
        assert tree.identical(before)


class TestArguments:
    """What is given goes before what the tree says."""

    @both_versions
    def test_labels_are_added(self, image, labels, rewritten):
        """By name, with as many levels as the image, in its place."""
        found = rewritten(image, labels={"a": labels, "b": labels[:1]}, levels=2)
        assert list(found["labels"].children) == ["a", "b"]
        assert_array_equal(found["labels/a/0"]["a"], labels)
        assert_array_equal(found["labels/b/0"]["b"], labels[:1])
        assert [len(found[f"labels/{name}"].children) for name in "ab"] == [2, 2]

    def test_labels_that_are_given_replace_those_of_the_tree(self, tree, labels, rewritten):
        """The others stay."""
        found = rewritten(tree, labels={"nuclei": labels * np.uint32(2), "new": labels})
        assert list(found["labels"].children) == ["nuclei", "new"]
        assert_array_equal(found["labels/nuclei/0"]["nuclei"], labels * 2)

    def test_channels_are_names_or_channels(self, image, rewritten):
        """Those that are only named get colours and limits that suit their pixels."""
        given = nx.Channel("x", "123456", (0, 1), (0, 1), active=False)
        found = rewritten(image, channels=["a", given, "c"])
        assert found["0"]["image"]["c"].values.tolist() == ["a", "x", "c"]
        first, second, _ = list(nx.channels_of(found))
        assert second == given
        assert first.limits == (0, 65535)
        assert 0 <= first.display[0] < first.display[1] <= 98

    @pytest.mark.parametrize(
        ("channels", "message"),
        [
            (["a"], "channels must be 3, as the image has, got 1"),
            ("abc", "channels must be one name or Channel for each channel, got 'abc'"),
            ([1, 2, 3], "channels must be a non-empty string, got 1"),
        ],
    )
    def test_wrong_channels_are_refused(self, image, tmp_path, channels, message):
        """The message names both numbers."""
        with pytest.raises(NgioValueError, match=message):
            nx.write_ome_zarr(image, tmp_path / "a.zarr", channels=channels)
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("shards", ["auto", {"y": 32, "x": 32, "c": 3}])
    def test_shards(self, image, labels, rewritten, tmp_path, shards):
        """Multiples of the chunks, for labels as well."""
        found = rewritten(image, labels={"a": labels}, shards=shards, chunks={"y": 16, "x": 16}, version="0.5")
        for name in ("0", "labels/a/0"):
            array = zarr.open_array(tmp_path / "again.zarr" / name)
            assert array.chunks[-2:] == (16, 16)
            assert array.shards is not None
            assert all(size % 16 == 0 and size >= 32 for size in array.shards[-2:])
        check_same_places(found["0"]["image"], image)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"shards": "auto", "version": "0.4"}, "shards='auto' need version='0.5'"),
            ({"shards": {"y": 32}, "version": "0.4"}, "need version='0.5': zarr format 2 has none"),
            ({"shards": {"y": 20}, "chunks": {"y": 16}}, "shards must be a multiple of the chunks"),
            ({"shards": {"q": 20}}, "shards must name axes of .*, got 'q'"),
            ({"shards": 5}, "shards must be a mapping by axis name, or .*, got 5"),
            ({"labels": []}, "labels must be arrays by name, got list"),
        ],
    )
    def test_arguments_that_make_no_sense_are_refused(self, image, tmp_path, options, message):
        """Before anything is written."""
        with pytest.raises((NgioValueError, NgioTypeError), match=message):
            nx.write_ome_zarr(image, tmp_path / "a.zarr", **options)
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        ("version", "compressors", "name"),
        [
            ("0.5", zarr.codecs.GzipCodec(level=1), "Gzip"),
            ("0.5", [zarr.codecs.BloscCodec(cname="lz4")], "Blosc"),
            ("0.4", numcodecs.Zlib(level=1), "Zlib"),
            ("0.5", None, None),
            ("0.4", None, None),
        ],
    )
    def test_compressors(self, image, labels, rewritten, tmp_path, compressors, name):
        """Those of zarr, or none; for labels as well."""
        check_same_places(rewritten(image, compressors=compressors, labels={"a": labels})["0"]["image"], image)
        for array in ("0", "labels/a/0"):
            found = zarr.open_array(tmp_path / "again.zarr" / array).compressors
            assert [type(codec).__name__.removesuffix("Codec") for codec in found] == ([name] if name else [])

    def test_chunks_and_shards_stay_as_on_disk(self, image, tmp_path):
        """Through crops, choices and turns; unless others are given, or the pixels are computed."""

        def written(given, **options):
            nx.write_ome_zarr(given, tmp_path / "b.zarr", overwrite=True, **options)
            array = zarr.open_array(tmp_path / "b.zarr/0")
            return array.chunks, array.shards

        sizes = {"chunks": {"y": 16, "x": 8}, "shards": {"z": 2, "y": 32, "x": 16}}
        nx.write_ome_zarr(image, tmp_path / "a.zarr", levels=2, **sizes)
        tree = nx.open_ome_zarr(tmp_path / "a.zarr")
        kept = ((1, 1, 16, 8), (1, 2, 32, 16))
        assert written(tree) == written(tree["0"]["image"]) == kept
        assert written(nx.crop(tree, nx.Roi.from_values({"y": (100, 10), "x": (-8, 10)}, None))) == kept
        assert written(tree["0"]["image"].transpose("x", "y", "z", "c")) == kept
        assert written(tree["0"]["image"].isel(c=0)) == ((1, 16, 8), (2, 32, 16))
        assert written(tree, version="0.4") == ((1, 1, 16, 8), None)
        assert written(tree, chunks={"y": 12}) == ((1, 1, 12, 8), None)
        assert written(tree, shards={"y": 48}) == ((1, 1, 16, 8), (1, 1, 48, 8))
        assert written(tree["0"]["image"] + 1) == ((1, 1, 48, 56), None)


class TestFaults:
    """What cannot be written is refused, and leaves nothing."""

    def refuse(self, tree, tmp_path, message, error=NgioValueError):
        before = sorted(tmp_path.iterdir())
        with pytest.raises(error, match=message or None):
            nx.write_ome_zarr(tree, tmp_path / "again.zarr")
        assert sorted(tmp_path.iterdir()) == before

    def test_a_tree_without_levels(self, tmp_path):
        """As of a plate or a well."""
        self.refuse(
            xr.DataTree(),
            tmp_path,
            "has no levels '0', '1', … of an image: give one that has; of a well or a plate, write",
        )

    def test_a_well(self, tree, tmp_path):
        """Its images are written one at a time."""
        self.refuse(xr.DataTree.from_dict({"/B/03/0": tree["0"].dataset}), tmp_path, "write the images one at a time")

    def test_two_variables_in_a_level(self, tree, tmp_path):
        """Nobody could say which."""
        level = tree["1"].to_dataset()
        tree["1"] = xr.DataTree(level.assign(other=level["image"]))
        self.refuse(tree, tmp_path, r"level '1' of the tree must hold one variable, got \['image', 'other'\]")

    def test_levels_that_do_not_fit(self, tree, tmp_path):
        """Of different data types or axes, or of more pixels though these are larger."""
        other = tree.copy()
        other["1"] = xr.DataTree(tree["1"].to_dataset().astype("f4"))
        self.refuse(other, tmp_path, "levels 0 and 1 must have one dtype and the same axes, got uint16")
        other["1"] = xr.DataTree(tree["1"].to_dataset().isel(z=0))
        self.refuse(other, tmp_path, "levels 0 and 1 must have one dtype and the same axes")
        other["1"] = xr.DataTree(nx.as_image(tree["0"]["image"], pixel_size=50).to_dataset(name="image"))
        other["0"] = xr.DataTree(tree["1"].to_dataset())
        self.refuse(other, tmp_path, "level 2 is larger than the one before")

    def test_labels_that_are_none(self, tree, tmp_path):
        """Floating-point numbers, or channels."""
        wrong = tree.copy()
        for level in "012":
            wrong[f"labels/nuclei/{level}"] = xr.DataTree(tree[f"labels/nuclei/{level}"].to_dataset().astype("f4"))
        self.refuse(wrong, tmp_path, "labels must be integers, got float32", NgioTypeError)

    def test_a_failing_graph_leaves_nothing(self, tree, tmp_path):
        """Of the image's or of its labels': the error is raised as it is."""

        def fail(_block):
            raise ZeroDivisionError

        def failing(level):
            return level.copy(data=da.map_blocks(fail, level.data, dtype=level.dtype, meta=level.data._meta))

        for on in ("image", "labels"):
            bad = nx.map_levels(tree, failing, on=on)
            self.refuse(bad, tmp_path, "", ZeroDivisionError)

    @pytest.mark.parametrize("attributes", [{"label": 5}, {"frame": "left"}, {"rest": 5}])
    def test_attributes_that_make_no_sense(self, tree, tmp_path, attributes):
        """The message names them."""
        tree.attrs |= attributes
        self.refuse(tree, tmp_path, *attributes)


class TestDerive:
    """`derive` makes an image of the same lattice, to be filled."""

    @pytest.mark.parametrize("dtype", ["complex64", "U5", "datetime64[s]"])
    def test_what_is_no_type_of_numbers_is_refused(self, tmp_path, dtype):
        """Before anything is written: it could not be opened."""
        with pytest.raises(NgioTypeError, match="images hold numbers, got"):
            nx.derive(nx.as_image(np.zeros((8, 8), "u1"), "yx"), tmp_path / "new.zarr", dtype=dtype)
        assert not list(tmp_path.iterdir())

    @both_versions
    @pytest.mark.parametrize("of", ["tree", "array"])
    def test_it_has_the_lattice_and_no_pixels(self, tree, tmp_path, version, of):
        """Of whatever data type, and no labels."""
        like = tree if of == "tree" else tree["0"]["image"]
        nx.derive(like, tmp_path / "new.zarr", dtype="f4", version=version, levels=None if of == "tree" else 3)
        found = nx.open_ome_zarr(tmp_path / "new.zarr")
        assert list(found.children) == ["0", "1", "2"]
        for level in "012":
            array = found[level]["image"]
            assert array.dtype == "f4"
            assert not array.any()
            check_same_places(array, tree[level]["image"])
        assert not [name for name in (tmp_path / "new.zarr/0").rglob("*") if name.is_file() and name.name[0] in "0c"]
        expected = [attrs.evolve(channel, limits=(0, 1), display=(0, 1)) for channel in channels()]
        assert list(nx.channels_of(found)) == expected

    @both_versions
    def test_filled_by_many_workers_it_is_the_whole(self, tree, tmp_path, version):
        """Pieces written at once, consolidated at the end: bit for bit what is written in one go."""
        whole = (tree["0"]["image"] * np.uint16(3)).assign_attrs(tree["0"]["image"].attrs).compute()
        options = {"version": version, "levels": 3, "chunks": {"y": 16, "x": 16}}
        nx.derive(whole, tmp_path / "new.zarr", **options)
        tiles = [whole.isel(y=slice(y, y + 16), c=[c]) for y in range(0, 48, 16) for c in range(3)]
        group = str(tmp_path / "new.zarr")
        with ThreadPoolExecutor(4) as workers:
            list(workers.map(lambda tile: nx.write_region(tile, group, consolidate=False), tiles))
        nx.consolidate_ome_zarr(group)
        nx.write_ome_zarr(whole, tmp_path / "whole.zarr", **options)
        found, expected = nx.open_ome_zarr(group), nx.open_ome_zarr(tmp_path / "whole.zarr")
        check_same(found, expected)
        assert found["0"]["image"].any()


class TestColors:
    """Colours of labels."""

    @pytest.mark.parametrize("color", ["FF8000", "#ff8000", (255, 128, 0), [255, 128, 0, 255]])
    def test_any_way_to_say_a_colour(self, image, labels, tmp_path, version, color):
        """As red, green, blue and alpha in the file."""
        nx.write_ome_zarr(image, tmp_path / "a.zarr", version=version)
        nx.write_labels(labels, tmp_path / "a.zarr", "cells", colors={7: color})
        facts = json.loads(nx.open_ome_zarr(tmp_path / "a.zarr")["labels/cells"].attrs["label"])
        assert facts["colors"] == [[7, [255, 128, 0, 255]]]

    @pytest.mark.parametrize("colors", [["FF8000"], {7: "orange"}, {7: (1, 2)}, {7: (0, 0, 256)}, {"a": "FF8000"}])
    def test_what_is_no_colour_is_refused(self, image, labels, tmp_path, colors):
        """Before anything is written."""
        nx.write_ome_zarr(image, tmp_path / "a.zarr")
        with pytest.raises(NgioValueError, match="colo"):
            nx.write_labels(labels, tmp_path / "a.zarr", "cells", colors=colors)
        assert not (tmp_path / "a.zarr/labels/cells").exists()

    def test_they_go_with_the_tree(self, tree, rewritten):
        """Where it is written again."""
        assert json.loads(rewritten(tree)["labels/nuclei"].attrs["label"])["colors"] == [[3, [255, 128, 0, 255]]]


def test_a_level_with_a_pixel_more_than_the_one_before_is_left_out(tmp_path):
    """A region of a pixel may touch one of the finer level and two of the coarser one, where factors are uneven."""
    pixels = np.arange(144, dtype="u2").reshape(12, 12)
    nx.write_ome_zarr(nx.as_image(pixels), tmp_path / "a.zarr", levels=2, scale_factors={"y": 1.5, "x": 1.5})
    part = nx.crop(nx.open_ome_zarr(tmp_path / "a.zarr"), nx.Roi.from_values({"y": (4, 1), "x": (0, 3)}, None))
    assert [part[level]["image"].shape for level in "01"] == [(1, 3), (2, 2)]
    with pytest.warns(NgioUserWarning, match=r"level 1 and those after it are left out: it has \(2, 2\) pixels"):
        nx.write_ome_zarr(part, tmp_path / "part.zarr")
    again = nx.open_ome_zarr(tmp_path / "part.zarr")
    assert list(again.children) == ["0"]
    assert np.array_equal(again["0"]["image"], pixels[4:5, :3])
