"""`ngio-x crop` and `ngio-x preview`, run as a user runs them."""

import json

import imageio.v3 as imageio
import numpy as np
import pytest
import tifffile
from numpy.testing import assert_array_equal

import ngio_x as nx
from ngio_x.testing.samples import noise

PIXELS = noise((2, 3, 64, 80), "u2", high=4000)
IDS = np.kron(np.arange(1, 81, dtype="u4").reshape(8, 10), np.ones((8, 8), "u4"))[None].repeat(3, axis=0)
CHANNELS = [nx.Channel("DNA", "FF00FF", display=(0, 4000)), nx.Channel("actin", "00FF00", display=(0, 4000))]


def files_in(directory):
    return sorted(path.name for path in directory.iterdir())


@pytest.fixture
def image(tmp_path):
    """Two channels of three planes, somewhere, with labels, and a table of two regions."""
    place = {"dims": "zyx", "pixel_size": {"z": 2, "y": 0.5, "x": 0.5}, "origin": {"z": 0, "y": 10, "x": 100}}
    pixels = nx.as_image(PIXELS, **{**place, "dims": "czyx"}, channels=["DNA", "actin"])
    labels = {"cells": nx.as_labels(IDS, **place)}
    path = tmp_path / "a.zarr"
    nx.write_ome_zarr(pixels, path, channels=CHANNELS, labels=labels, levels=3)
    rois = [
        nx.Roi.from_values({"z": (2, 2), "y": (14, 8), "x": (104, 4)}, "here", label=7),
        nx.Roi.from_values({"z": (0, 6), "y": (14, 8), "x": (104, 4)}, "deep", label=8),
        nx.Roi.from_values({"y": (900, 8), "x": (104, 4)}, "outside", label=9),
    ]
    nx.write_rois(path, "places", rois)
    return path


def test_an_image_is_cropped_with_its_labels_where_it_lies(ngio_x_command, image, tmp_path):
    """Every level has the pixels and the coordinates that the same region of the source has."""
    out = tmp_path / "b.zarr"
    code, printed, error = ngio_x_command("crop", image, out, "--region", "y=12:20,x=104:108")
    assert (code, printed, error) == (0, f"wrote {out}: czyx 2×3×16×8 pixels\n", "")
    tree, piece = nx.open_ome_zarr(image), nx.open_ome_zarr(out)
    expected = nx.crop(tree, nx.Roi.from_values({"y": slice(12, 20), "x": slice(104, 108)}, None))
    for path in ("0/image", "1/image", "2/image", "labels/cells/0/cells", "labels/cells/2/cells"):
        assert_array_equal(piece[path].values, expected[path].values)
        assert_array_equal(piece[path].x.values, expected[path].x.values)
    assert nx.channels_of(piece) == nx.channels_of(tree)
    assert nx.validate_ome_zarr(out).errors == ()


@pytest.mark.parametrize("where", ["a.zarr", "a.zarr/labels/b.zarr", "link.zarr"])
def test_a_piece_never_replaces_what_it_is_cut_out_of(ngio_x_command, image, tmp_path, where):
    """Not even if that is asked for: all else would be lost."""
    (tmp_path / "link.zarr").symlink_to(image)
    before = {path: path.read_bytes() for path in image.rglob("*") if path.is_file()}
    code, printed, error = ngio_x_command("crop", image, tmp_path / where, "--region", "y=12:20", "--overwrite")
    assert (code, printed) == (2, "")
    assert "overlaps, the source" in error
    assert {path: path.read_bytes() for path in image.rglob("*") if path.is_file()} == before


def test_a_piece_replaces_another_only_if_asked_to(ngio_x_command, image, tmp_path):
    """What is there stays as it is, unless --overwrite is given."""
    out = tmp_path / "piece.zarr"
    assert ngio_x_command("crop", image, out, "--region", "z=2:4")[0] == 0
    before = nx.open_ome_zarr(out)["0"].to_dataset().sizes
    code, _, error = ngio_x_command("crop", image, out, "--region", "z=2:6")
    assert (code, "--overwrite" in error) == (2, True)
    assert nx.open_ome_zarr(out)["0"].to_dataset().sizes == before
    assert ngio_x_command("crop", image, out, "--region", "z=2:6", "--overwrite")[0] == 0
    assert nx.open_ome_zarr(out)["0"].to_dataset().sizes["z"] > before["z"]


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_a_piece_is_of_the_version_of_its_source(ngio_x_command, tmp_path, version):
    """What reads the one reads the other."""
    nx.write_ome_zarr(nx.as_image(PIXELS[0, 0], "yx", 0.5), tmp_path / "a.zarr", version=version, levels=1)
    assert ngio_x_command("crop", tmp_path / "a.zarr", tmp_path / "b.zarr", "--region", "y=1:9")[0] == 0
    assert nx.open_ome_zarr(tmp_path / "b.zarr").attrs["version"] == version


REGIONS = {
    "world": (["--region", "z=2:4,y=14:22,x=104:108"], (slice(1, 2), slice(8, 24), slice(8, 16))),
    "pixels": (["--region", "z=1,y=8:24,x=8:16", "--pixels"], (slice(1, 2), slice(8, 24), slice(8, 16))),
    "open ends": (["--region", "z=2:4,y=:22,x=104:"], (slice(1, 2), slice(0, 24), slice(8, 80))),
    "spaces": (["--region", " z = 2:4 , y=14: 22"], (slice(1, 2), slice(8, 24), slice(0, 80))),
    "by name": (["--table", "places", "--roi", "here"], (slice(1, 2), slice(8, 24), slice(8, 16))),
    "by label": (["--table", "places", "--roi", "7"], (slice(1, 2), slice(8, 24), slice(8, 16))),
    "both": (["--table", "places", "--roi", "deep", "--region", "z=0:2,y=:20"],
             (slice(0, 1), slice(8, 20), slice(8, 16))),
    "pixels of a table": (["--table", "places", "--roi", "deep", "--region", "z=0", "--pixels"],
                          (slice(0, 1), slice(8, 24), slice(8, 16))),
    "inner": (["--region", "z=2:4,y=14.1:22.1,x=104.1:108.1", "--bounds", "inner"],
              (slice(1, 2), slice(9, 24), slice(9, 16))),
}  # fmt: skip


@pytest.mark.parametrize(("options", "window"), REGIONS.values(), ids=REGIONS)
def test_regions_by_numbers_and_by_name(ngio_x_command, image, tmp_path, options, window):
    """All ways to say one name the pixels that numpy takes."""
    assert ngio_x_command("crop", image, tmp_path / "b.ome.tif", *options)[0] == 0
    assert_array_equal(tifffile.imread(tmp_path / "b.ome.tif"), PIXELS[(slice(None), *window)].squeeze())


def test_a_channel_is_an_axis_of_positions(ngio_x_command, image, tmp_path):
    """`c=1` is the second, with or without --pixels."""
    assert ngio_x_command("crop", image, tmp_path / "b.ome.tif", "--region", "c=1,z=2:4")[0] == 0
    assert_array_equal(tifffile.imread(tmp_path / "b.ome.tif"), PIXELS[1, 1])


@pytest.mark.parametrize("name", ["b.png", "B.PNG"])
def test_a_png_has_channels_in_their_colours(ngio_x_command, image, tmp_path, name):
    """8 bits, as `composite` makes it."""
    assert ngio_x_command("crop", image, tmp_path / name, "--table", "places", "--roi", "here")[0] == 0
    piece = nx.open_ome_zarr(image)["0/image"].isel(z=1, y=slice(8, 24), x=slice(8, 16))
    assert_array_equal(imageio.imread(tmp_path / name), nx.composite(piece).values)


def test_a_png_of_one_channel_with_another_window(ngio_x_command, image, tmp_path):
    """By name or position."""
    for channel in ("actin", "1"):
        out = tmp_path / f"{channel}.png"
        ngio_x_command("crop", image, out, "--region", "z=2:4", "--channel", channel, "--contrast", "1000,2000")
        green = imageio.imread(out)[..., 1]
        assert np.abs(green - np.clip((PIXELS[1, 1] - 1000.0) / 1000, 0, 1) * 255).max() <= 0.5001


@pytest.mark.parametrize("choice", [["--level", "1"], ["--pixel-size", "1.9"], ["--pixel-size", "y=1,x=1"]])
def test_a_level_is_chosen_by_name_or_by_pixel_size(ngio_x_command, image, tmp_path, choice):
    """With regions in world units, and in pixels of level 0."""
    expected = nx.open_ome_zarr(image)["1/image"].isel(z=1, y=slice(4, 12), x=slice(4, 8)).values
    for region in (["--region", "z=2:4,y=14:22,x=104:108"], ["--region", "z=1,y=8:24,x=8:16", "--pixels"]):
        ngio_x_command("crop", image, tmp_path / "b.ome.tif", *choice, *region, "--overwrite")
        assert_array_equal(tifffile.imread(tmp_path / "b.ome.tif"), expected)


@pytest.mark.parametrize("name", ["b.ome.tif", "b.OME.TIFF", "b.tif", "b.tiff"])
def test_a_tiff_has_all_planes_and_knows_their_size(ngio_x_command, image, tmp_path, name):
    """Our own `convert` reads both kinds back; so does tifffile."""
    assert ngio_x_command("crop", image, tmp_path / name, "--region", "y=14:22,x=104:120")[0] == 0
    with tifffile.TiffFile(tmp_path / name) as tiff:
        assert (tiff.is_ome, tiff.is_imagej) == ("ome" in name.lower(), "ome" not in name.lower())
    assert ngio_x_command("convert", tmp_path / name, tmp_path / "back.zarr")[0] == 0
    back = nx.open_ome_zarr(tmp_path / "back.zarr")["0/image"]
    assert_array_equal(back.values, PIXELS[:, :, 8:24, 8:40])
    assert nx.pixel_size_of(back) == nx.PixelSize(x=0.5, y=0.5, z=2)
    assert ("DNA" in map(str, back.c.values)) == ("ome" in name.lower())


def test_a_tiff_of_some_channels(ngio_x_command, image, tmp_path):
    """In the order in which they are asked for."""
    ngio_x_command("crop", image, tmp_path / "b.ome.tif", "--region", "z=0:2", "--channel", "actin", "--channel", "DNA")
    assert_array_equal(tifffile.imread(tmp_path / "b.ome.tif"), PIXELS[::-1, 0])


def test_labels_by_themselves_are_cropped_too(ngio_x_command, image, tmp_path):
    """As TIFF with their ids, as PNG in colours."""
    labels = image / "labels" / "cells"
    assert ngio_x_command("crop", labels, tmp_path / "b.ome.tif", "--region", "z=0,y=8:24", "--pixels")[0] == 0
    assert_array_equal(tifffile.imread(tmp_path / "b.ome.tif"), IDS[0, 8:24])
    assert ngio_x_command("crop", labels, tmp_path / "b.png", "--region", "z=0,y=8:24", "--pixels")[0] == 0
    assert_array_equal(imageio.imread(tmp_path / "b.png"), nx.composite(nx.as_labels(IDS[0, 8:24], "yx")).values)


def test_crop_says_what_it_did_as_json(ngio_x_command, image, tmp_path):
    """On standard output, alone."""
    out = tmp_path / "b.zarr"
    code, printed, error = ngio_x_command("crop", image, out, "--region", "y=12:20,x=104:", "--json")
    assert (code, error) == (0, "")
    region = {"c": [None, None], "z": [None, None], "y": [12.0, 20.0], "x": [104.0, None]}
    assert json.loads(printed) == {"wrote": str(out), "axes": "czyx", "shape": [2, 3, 16, 72], "region": region}


def test_crop_to_a_url(ngio_x_command, image, tmp_path):
    """A URL is handed on as it is."""
    url = f"memory://{tmp_path.name}/b.zarr"
    assert ngio_x_command("crop", image, url, "--region", "y=12:20", "--quiet") == (0, "", "")
    assert nx.open_ome_zarr(url)["0/image"].shape == (2, 3, 16, 80)


WRONG = {
    "no region": (["b.zarr"], "say which region"),
    "no number": (["b.zarr", "--region", "y=a:b"], "'a:b' is no interval"),
    "no interval": (["b.zarr", "--region", "y"], "'y' has no '='"),
    "empty": (["b.zarr", "--region", ""], "has no '='"),
    "backwards": (["b.zarr", "--region", "y=9:3"], "ends before it begins"),
    "nothing": (["b.zarr", "--region", "y=9:9"], "holds nothing"),
    "infinite": (["b.zarr", "--region", "y=0:inf"], "not finite"),
    "twice": (["b.zarr", "--region", "y=0:1,y=1:2"], "named twice"),
    "a position in the world": (["b.zarr", "--region", "z=1"], "needs START:STOP"),
    "unknown axis": (["b.zarr", "--region", "w=0:9"], "names axis 'w', but the image has c, z, y, x"),
    "outside": (["b.zarr", "--region", "y=900:950"], "holds no pixel along axis 'y'"),
    "outside, in pixels": (["b.png", "--region", "y=900:950", "--pixels"], "holds no pixel along axis 'y'"),
    "pixels of nothing": (["b.zarr", "--table", "places", "--roi", "here", "--pixels"], "--pixels says"),
    "unknown table": (
        ["b.zarr", "--table", "other", "--roi", "here"],
        "no table of the name 'other', choose from 'places'",
    ),
    "unknown region": (["b.zarr", "--table", "places", "--roi", "there"], "no region 'there', only 'here', 'deep'"),
    "table alone": (["b.zarr", "--table", "places"], "needs both"),
    "roi alone": (["b.zarr", "--roi", "here"], "needs both"),
    "nothing in common": (["b.zarr", "--table", "places", "--roi", "here", "--region", "y=90:99"], "nothing in common"),
    "region outside": (["b.zarr", "--table", "places", "--roi", "outside"], "holds no pixel along axis 'y'"),
    "unknown ending": (["b.jpg", "--region", "y=1:9"], "must end in .zarr, .png, .tif"),
    "level of a zarr": (["b.zarr", "--region", "y=1:9", "--level", "1"], "are for PNG and TIFF"),
    "unknown level": (["b.png", "--region", "y=1:9", "--level", "9"], "no level '9', only 0, 1, 2"),
    "two levels": (["b.png", "--region", "z=2:4", "--level", "1", "--pixel-size", "1"], "give one of them"),
    "size that is none": (["b.png", "--region", "z=2:4", "--pixel-size", "small"], "--pixel-size must be"),
    "unknown channel": (
        ["b.png", "--region", "z=2:4", "--channel", "GFP"],
        "no channel 'GFP', name some of 'DNA', 'actin'",
    ),
    "unknown channel of a TIFF": (["b.tif", "--region", "z=2:4", "--channel", "7"], "no channel 7"),
    "window that is none": (["b.png", "--region", "z=2:4", "--contrast", "9,3"], "two rising grey levels"),
    "window of a TIFF": (["b.tif", "--region", "z=2:4", "--contrast", "3,9"], "--contrast is for PNG"),
    "unknown bounds": (["b.zarr", "--region", "y=12:20", "--bounds", "odd"], "outer, inner or nearest"),
    "several planes": (["b.png", "--region", "y=12:20"], "a PNG holds one plane, and the region has 3 along z"),
    "taken": (["taken.png", "--region", "z=2:4"], "taken.png exists: to replace it, pass --overwrite"),
    "the source": (["a.zarr", "--region", "z=2:4"], "overlaps, the source"),
    "a directory": (["folder.png", "--region", "z=2:4"], "folder.png is a directory"),
    "no directory": (["nowhere/b.png", "--region", "z=2:4"], "nowhere is no directory: make it first"),
}


@pytest.mark.parametrize(("arguments", "message"), WRONG.values(), ids=WRONG)
def test_crop_fails_with_one_line_and_leaves_nothing(ngio_x_command, image, monkeypatch, arguments, message):
    """Exit code 2, and every file is as it was."""
    monkeypatch.chdir(image.parent)
    (image.parent / "taken.png").write_text("mine")
    (image.parent / "folder.png").mkdir()
    code, printed, error = ngio_x_command("crop", "a.zarr", *arguments)
    assert (code, printed) == (2, "")
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert message in error
    assert files_in(image.parent) == ["a.zarr", "folder.png", "taken.png"]
    assert (image.parent / "taken.png").read_text() == "mine"
    assert nx.open_ome_zarr("a.zarr")["0/image"].shape == PIXELS.shape


@pytest.mark.parametrize("ending", [".tif", ".ome.tif"])
def test_numbers_that_a_tiff_lacks_are_refused(ngio_x_command, tmp_path, ending):
    """ImageJ has fewer types than OME; neither has 64 bits of integers."""
    nx.write_ome_zarr(nx.as_image(np.zeros((8, 8), "i8"), "yx"), tmp_path / "a.zarr", levels=1)
    code, _, error = ngio_x_command("crop", tmp_path / "a.zarr", tmp_path / f"b{ending}", "--region", "y=0:4")
    assert code == 2
    assert "and the image int64" in error
    assert (".ome.tif" in error.partition("int64")[2]) == (ending == ".tif")
    assert files_in(tmp_path) == ["a.zarr"]


def test_a_tiff_without_a_pixel_size(ngio_x_command, tmp_path):
    """Pixels that have no unit have none in the file."""
    nx.write_ome_zarr(nx.as_image(np.eye(8, dtype=bool), "yx"), tmp_path / "a.zarr", levels=1)
    for ending in (".tif", ".ome.tif"):
        assert ngio_x_command("crop", tmp_path / "a.zarr", tmp_path / f"b{ending}", "--region", "y=0:4")[0] == 0
        assert_array_equal(tifffile.imread(tmp_path / f"b{ending}"), np.eye(8)[:4])
        assert ngio_x_command("convert", tmp_path / f"b{ending}", tmp_path / "c.zarr", "--overwrite")[0] == 0
        assert nx.pixel_size_of(nx.open_ome_zarr(tmp_path / "c.zarr")["0/image"]).space_unit is None


def test_a_plate_asks_for_one_of_its_images(ngio_x_command, tmp_path):
    """The message names one that can be copied."""
    import zarr  # noqa: PLC0415

    for field in ("0", "1"):
        nx.write_ome_zarr(nx.as_image(PIXELS[0, 0], "yx"), tmp_path / "well" / field, levels=1)
    zarr.open_group(tmp_path / "well").attrs["ome"] = {
        "version": "0.5", "well": {"images": [{"path": "0"}, {"path": "1"}]},
    }  # fmt: skip
    for command in (["crop", tmp_path / "b.png", "--region", "y=0:4"], ["preview", tmp_path / "b.png"]):
        code, _, error = ngio_x_command(command[0], tmp_path / "well", *command[1:])
        assert code == 2
        assert f"holds 2 images: name one of them, such as {tmp_path / 'well' / '0'}" in error


# ---- preview


def test_a_preview_is_of_the_level_that_suits(ngio_x_command, image, tmp_path):
    """The middle plane, no larger than asked for, as `composite` makes it; small images are not enlarged."""
    tree = nx.open_ome_zarr(image)
    for size, level in (("40", "1"), ("500", "0")):
        out = tmp_path / f"{size}.png"
        code, printed, _ = ngio_x_command("preview", image, out, "--size", size)
        expected = nx.composite(tree[f"{level}/image"].isel(z=1)).values
        assert (code, printed) == (0, f"wrote {out}: {expected.shape[1]}×{expected.shape[0]} pixels\n")
        assert_array_equal(imageio.imread(out), expected)
    ngio_x_command("preview", image, tmp_path / "30.png", "--size", "30")
    plane = nx.zoom(tree["1/image"].isel(z=1), shape={"y": 24, "x": 30}, order="mean")
    assert_array_equal(imageio.imread(tmp_path / "30.png"), nx.composite(plane).values)


def test_a_preview_of_channels_and_of_labels(ngio_x_command, image, tmp_path):
    """One channel in its colour; ids in theirs, whatever window is asked for."""
    ngio_x_command("preview", image, tmp_path / "b.png", "--channel", "DNA")
    assert imageio.imread(tmp_path / "b.png")[..., 1].max() == 0
    ngio_x_command("preview", image / "labels" / "cells", tmp_path / "c.png", "--size", "20", "--contrast", "0,9")
    ids = nx.open_ome_zarr(image)["labels/cells/2/cells"].isel(z=1)
    assert_array_equal(imageio.imread(tmp_path / "c.png"), nx.composite(ids).values)


def test_a_preview_of_an_image_that_says_nothing_of_its_channels(ngio_x_command, tmp_path):
    """Percentiles of what is shown."""
    nx.write_ome_zarr(nx.as_image(PIXELS[0, 0], "yx"), tmp_path / "a.zarr", levels=1)
    file = tmp_path / "a.zarr" / "zarr.json"
    document = json.loads(file.read_text())
    document["attributes"]["ome"].pop("omero", None)
    file.write_text(json.dumps(document))
    assert ngio_x_command("preview", tmp_path / "a.zarr", tmp_path / "b.png", "--json")[0] == 0
    assert_array_equal(imageio.imread(tmp_path / "b.png"), nx.composite(nx.as_image(PIXELS[0, 0], "yx")).values)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["b.jpg"], "must end in .png"),
        (["taken.png"], "pass --overwrite"),
        (["b.png", "--channel", "GFP"], "no channel 'GFP'"),
        (["b.png", "--contrast", "1"], "two rising grey levels"),
        (["b.png", "--size", "0"], "--size"),
    ],
)
def test_preview_fails_and_leaves_nothing(ngio_x_command, image, monkeypatch, arguments, message):
    """As `crop` does."""
    monkeypatch.chdir(image.parent)
    (image.parent / "taken.png").write_text("mine")
    code, printed, error = ngio_x_command("preview", "a.zarr", *arguments)
    assert (code, printed) == (2, "")
    assert message in error
    assert files_in(image.parent) == ["a.zarr", "taken.png"]
