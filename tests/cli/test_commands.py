"""The command line, run as a user runs it."""

import os
import signal
import struct
import subprocess
import sys
import time
import zlib

import imageio.v3 as imageio
import numpy as np
import pytest
import tifffile
from PIL import Image
from skimage import data

import ngio_x as nx
from ngio_x.cli import main
from ngio_x.cli.image_files import _known_axes
from ngio_x.testing.samples import noise


def files_in(directory):
    return sorted(path.name for path in directory.iterdir())


@pytest.fixture
def cell_png(tmp_path):
    path = tmp_path / "in" / "cell.png"
    path.parent.mkdir()
    imageio.imwrite(path, data.cell())
    return path


def test_convert_writes_a_real_micrograph_pixel_for_pixel(ngio_x_command, cell_png, tmp_path):
    """`convert` makes the asked number of levels, with the asked pixel size, from the file's own pixels."""
    out = tmp_path / "cell.zarr"
    code, printed, _ = ngio_x_command(
        "convert", cell_png, out, "--pixel-size", "0.65", "--axes", "yx", "--levels", "5", "--version", "0.5"
    )
    tree = nx.open_ome_zarr(out)
    assert code == 0
    assert printed == f"wrote {out}: yx 660×550 pixels, 5 levels\n"
    assert [name for name in tree.children if name.isdigit()] == ["0", "1", "2", "3", "4"]
    assert np.array_equal(tree["0"]["image"].values, data.cell())
    assert nx.pixel_size_of(tree["0"]["image"]) == nx.PixelSize(x=0.65, y=0.65)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_convert_moves_colours_first(ngio_x_command, tmp_path, version):
    """The axes of an RGB image, yxc, are moved to cyx, and the channels are named by their colours."""
    imageio.imwrite(tmp_path / "ihc.png", data.immunohistochemistry())
    out = tmp_path / "ihc.zarr"
    code, _, _ = ngio_x_command("convert", tmp_path / "ihc.png", out, "--axes", "yxc", "--version", version)
    image = nx.open_ome_zarr(out)["0"]["image"]
    assert code == 0
    assert image.dims == ("c", "y", "x")
    assert list(image.c.values) == ["red", "green", "blue"]
    assert np.array_equal(image.values, np.moveaxis(data.immunohistochemistry(), -1, 0))


def test_convert_reads_coins_without_any_option(ngio_x_command, tmp_path):
    """A grey image needs no option; without a pixel size, pixels count from 0 and have no unit."""
    imageio.imwrite(tmp_path / "coins.png", data.coins())
    code, _, _ = ngio_x_command("convert", tmp_path / "coins.png", tmp_path / "coins.zarr")
    image = nx.open_ome_zarr(tmp_path / "coins.zarr")["0"]["image"]
    assert code == 0
    assert np.array_equal(image.values, data.coins())
    assert nx.pixel_size_of(image).space_unit is None


def test_convert_reads_npy_and_sizes_by_axis(ngio_x_command, tmp_path):
    """A .npy stack is zyx by default, and --pixel-size takes one number for each axis."""
    stack = np.arange(3 * 20 * 30, dtype=np.int16).reshape(3, 20, 30)
    np.save(tmp_path / "stack.npy", stack)
    code, _, _ = ngio_x_command(
        "convert", tmp_path / "stack.npy", tmp_path / "stack.zarr", "--pixel-size", "z=2,y=0.5,x=0.25", "--unit",
        "nanometer",
    )  # fmt: skip
    image = nx.open_ome_zarr(tmp_path / "stack.zarr")["0"]["image"]
    assert code == 0
    assert np.array_equal(image.values, stack)
    assert nx.pixel_size_of(image) == nx.PixelSize(x=0.25, y=0.5, z=2, space_unit="nanometer")


def test_convert_takes_sizes_and_names_from_ome_tiff(ngio_x_command, tmp_path):
    """Axes, pixel sizes, units and channel names of an OME-TIFF are kept."""
    pixels = np.arange(2 * 3 * 16 * 24, dtype=np.uint16).reshape(2, 3, 16, 24)
    metadata = {
        "axes": "CZYX",
        "PhysicalSizeX": 0.2,
        "PhysicalSizeXUnit": "µm",
        "PhysicalSizeY": 0.3,
        "PhysicalSizeYUnit": "µm",
        "PhysicalSizeZ": 1.5,
        "PhysicalSizeZUnit": "µm",
        "Channel": {"Name": ["DAPI", "GFP"]},
    }
    tifffile.imwrite(tmp_path / "a.ome.tiff", pixels, metadata=metadata)
    code, _, _ = ngio_x_command("convert", tmp_path / "a.ome.tiff", tmp_path / "a.zarr")
    image = nx.open_ome_zarr(tmp_path / "a.zarr")["0"]["image"]
    assert code == 0
    assert image.dims == ("c", "z", "y", "x")
    assert np.array_equal(image.values, pixels)
    assert list(image.c.values) == ["DAPI", "GFP"]
    assert nx.pixel_size_of(image) == nx.PixelSize(x=0.2, y=0.3, z=1.5)


def test_convert_takes_sizes_from_imagej_tiff(ngio_x_command, tmp_path):
    """The resolution tags and the spacing of an ImageJ TIFF are pixel sizes."""
    pixels = np.arange(4 * 16 * 24, dtype=np.uint8).reshape(4, 16, 24)
    tifffile.imwrite(
        tmp_path / "a.tif",
        pixels,
        imagej=True,
        resolution=(4, 2),
        metadata={"axes": "ZYX", "spacing": 3, "unit": "um"},
    )
    code, _, _ = ngio_x_command("convert", tmp_path / "a.tif", tmp_path / "a.zarr")
    image = nx.open_ome_zarr(tmp_path / "a.zarr")["0"]["image"]
    assert code == 0
    assert np.array_equal(image.values, pixels)
    assert nx.pixel_size_of(image) == nx.PixelSize(x=0.25, y=0.5, z=3)


def test_convert_asks_for_axes_that_a_tiff_does_not_name(ngio_x_command, tmp_path):
    """A plain stack of pages says nothing of its first axis: the error names its size and the option."""
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((5, 16, 24), np.uint8), photometric="minisblack")
    code, _, error = ngio_x_command("convert", tmp_path / "a.tif", tmp_path / "a.zarr")
    assert code == 2
    assert "(5, 16, 24)" in error
    assert "--axes" in error
    assert ngio_x_command("convert", tmp_path / "a.tif", tmp_path / "a.zarr", "--axes", "tyx")[0] == 0


def test_convert_refuses_to_overwrite(ngio_x_command, cell_png, tmp_path):
    """Without --overwrite an existing image stays as it is; with it, it is replaced."""
    out = tmp_path / "cell.zarr"
    ngio_x_command("convert", cell_png, out, "--levels", "2")
    code, _, error = ngio_x_command("convert", cell_png, out, "--levels", "3")
    assert code == 2
    assert str(out) in error
    assert "--overwrite" in error
    assert len(nx.open_ome_zarr(out).children) == 2
    assert ngio_x_command("convert", cell_png, out, "--levels", "3", "--overwrite")[0] == 0
    assert len(nx.open_ome_zarr(out).children) == 3


def test_overwrite_spares_what_is_no_zarr(ngio_x_command, cell_png):
    """--overwrite replaces zarr directories only, never the input or a folder of other files."""
    before = cell_png.read_bytes()
    assert ngio_x_command("convert", cell_png, cell_png, "--overwrite")[0] == 2
    assert ngio_x_command("convert", cell_png, cell_png.parent, "--overwrite")[0] == 2
    assert cell_png.read_bytes() == before


BAD_CALLS = {
    "no such file": (["nothing.png"], "there is no file"),
    "not an image": (["broken.png"], "cannot be read as an image"),
    "truncated": (["truncated.png"], "cannot be read as an image"),
    "pickled npy": (["objects.npy"], "cannot be read as an image"),
    "no grey levels": (["complex.npy"], "complex128"),
    "axes of another number": (["cell.png", "--axes", "zyx"], "'zyx' do not fit"),
    "axes named twice": (["cell.png", "--axes", "yy"], "'yy' do not fit"),
    "unknown axis": (["cell.png", "--axes", "yq"], "'q'"),
    "no x": (["cell.png", "--axes", "zy"], "y and x axes"),
    "too many levels": (["cell.png", "--levels", "50"], "at most 10"),
    "no levels": (["cell.png", "--levels", "0"], "levels must be ≥ 1"),
    "negative size": (["cell.png", "--pixel-size", "-1"], "must be > 0"),
    "no number": (["cell.png", "--pixel-size", "tiny"], "--pixel-size"),
    "size of another axis": (["cell.png", "--pixel-size", "z=1"], "pixel_size must name axes of ('y', 'x'), got 'z'"),
    "unknown version": (["cell.png", "--version", "0.3"], "version must be one of"),
}


@pytest.mark.parametrize(("arguments", "message"), BAD_CALLS.values(), ids=BAD_CALLS)
def test_convert_fails_with_one_line_and_leaves_nothing(
    ngio_x_command, cell_png, tmp_path, monkeypatch, arguments, message
):
    """A bad call prints one clear line, exits with 2, and leaves no file behind."""
    monkeypatch.chdir(cell_png.parent)
    (cell_png.parent / "broken.png").write_bytes(b"hello")
    (cell_png.parent / "truncated.png").write_bytes(cell_png.read_bytes()[:300])
    np.save(cell_png.parent / "objects.npy", np.array([{}, []], dtype=object), allow_pickle=True)
    np.save(cell_png.parent / "complex.npy", np.zeros((4, 4), complex))
    before = files_in(cell_png.parent)
    code, printed, error = ngio_x_command("convert", *arguments[:1], "out.zarr", *arguments[1:])
    assert code == 2
    assert printed == ""
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert message in error
    assert files_in(cell_png.parent) == before


def test_info_shows_axes_levels_shapes_chunks_and_sizes(ngio_x_command, cell_png, tmp_path):
    """`info` prints a table with a row for each level."""
    out = tmp_path / "cell.zarr"
    ngio_x_command("convert", cell_png, out, "--pixel-size", "0.65", "--levels", "3")
    code, printed, _ = ngio_x_command("info", out)
    assert code == 0
    for text in ("OME-NGFF 0.5", "y (micrometer)", "660×550", "330×275", "165×137", "uint8", "0.65", "2.60949"):
        assert text in printed


def test_info_of_something_else_is_one_clear_line(ngio_x_command, cell_png):
    """What is no OME-Zarr image is named, with exit code 2."""
    code, _, error = ngio_x_command("info", cell_png)
    assert code == 2
    assert error.startswith("error: ")
    assert str(cell_png) in error


def test_demo_goes_the_whole_way(ngio_x_command, tmp_path):
    """`demo` writes an image with labels and a picture; its objects are those that were planted, but for a few."""
    code, printed, _ = ngio_x_command("demo", tmp_path)
    tree = nx.open_ome_zarr(tmp_path / "demo.zarr")
    nuclei = tree["labels/nuclei/0"]["nuclei"]
    rois = nx.compute_masking_roi(nuclei)
    picture = imageio.imread(tmp_path / "overview.png")
    assert code == 0
    assert "of 300 planted" in printed
    assert 280 <= len(rois) <= 300
    assert files_in(tmp_path) == ["demo.zarr", "overview.png"]
    assert picture.shape[0] > 500
    assert len(np.unique(picture.reshape(-1, picture.shape[-1]), axis=0)) > 1000
    assert all((nx.crop(nuclei, roi) == roi.label).any() for roi in rois[:10])
    table = tmp_path / "nuclei.csv"
    assert ngio_x_command("rois", "extract", tmp_path / "demo.zarr", "nuclei", "--out", table)[0] == 0
    assert len(table.read_text().splitlines()) == len(rois) + 1
    assert ngio_x_command("demo", tmp_path)[0] == 2
    assert ngio_x_command("demo", tmp_path, "--overwrite")[0] == 0


def test_module_runs_as_the_command(tmp_path):
    """`python -m ngio_x` is the command, and prints its version."""
    done = subprocess.run(
        [sys.executable, "-m", "ngio_x", "--version"], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert done.stdout.strip() == nx.__version__


def test_missing_extra_is_said_in_one_line(monkeypatch, capsys):
    """Without the packages of the extra, the command says what to install."""
    monkeypatch.setattr("ngio_x.cli.find_spec", lambda name: None)
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 2
    assert "pip install 'ngio-x[cli,plot]'" in capsys.readouterr().err


@pytest.fixture
def converted(ngio_x_command, tmp_path):
    """Convert a file; return level 0 of the image and what was said on standard error."""

    def run(path, *options):
        code, _, error = ngio_x_command("convert", path, tmp_path / "out.zarr", "--overwrite", *options)
        assert code == 0, error
        return nx.open_ome_zarr(tmp_path / "out.zarr")["0"]["image"], error

    return run


def png16(colour_type, samples):
    """Return a PNG of 2×2 pixels with samples of 16 bits: the writers at hand cannot make one."""
    rows = b"".join(b"\0" + np.arange(2 * samples, dtype=">u2").tobytes() for _ in range(2))
    header = struct.pack(">IIBBBBB", 2, 2, 16, colour_type, 0, 0, 0)
    chunks = {b"IHDR": header, b"IDAT": zlib.compress(rows), b"IEND": b""}
    framed = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks.items()
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(framed)


@pytest.mark.parametrize(("colour_type", "samples"), [(2, 3), (6, 4), (4, 2)], ids=["RGB", "RGBA", "grey+alpha"])
def test_convert_refuses_png_colours_of_16_bits(ngio_x_command, tmp_path, colour_type, samples):
    """Their low bytes would be lost: the error says what to do instead."""
    (tmp_path / "a.png").write_bytes(png16(colour_type, samples))
    code, _, error = ngio_x_command("convert", tmp_path / "a.png", tmp_path / "a.zarr")
    assert code == 2
    assert "save it as TIFF" in error
    assert error.count("\n") == 1
    assert files_in(tmp_path) == ["a.png"]


def test_convert_keeps_png_greys_of_16_bits(converted, tmp_path):
    """Grey PNG files keep both bytes of each value."""
    pixels = np.arange(64, dtype=np.uint16).reshape(8, 8) * 1021
    imageio.imwrite(tmp_path / "a.png", pixels)
    image, _ = converted(tmp_path / "a.png")
    assert image.dtype == np.uint16
    assert np.array_equal(image.values, pixels)


def test_convert_reads_colours_of_a_palette_and_of_rgba(converted, tmp_path):
    """The colours of a palette are looked up, and alpha is a channel."""
    pixels = noise((8, 9, 4), "u1")
    imageio.imwrite(tmp_path / "rgba.png", pixels)
    rgba, _ = converted(tmp_path / "rgba.png")
    assert list(rgba.c.values) == ["red", "green", "blue", "alpha"]
    assert np.array_equal(rgba.values, np.moveaxis(pixels, -1, 0))
    flat = np.zeros((8, 9, 3), np.uint8)
    flat[:4], flat[4:] = (200, 10, 30), (0, 90, 250)
    Image.fromarray(flat).quantize(4).save(tmp_path / "palette.png")
    palette, _ = converted(tmp_path / "palette.png")
    assert np.array_equal(palette.values, np.moveaxis(flat, -1, 0))


def test_convert_reads_jpeg(converted, tmp_path):
    """JPEG loses a little of each pixel, and nothing else is lost."""
    imageio.imwrite(tmp_path / "a.jpg", data.immunohistochemistry(), quality=95)
    image, _ = converted(tmp_path / "a.jpg")
    assert image.shape == (3, 512, 512)
    assert np.abs(image.values.astype(int) - np.moveaxis(data.immunohistochemistry(), -1, 0)).mean() < 4


def test_convert_turns_cmyk_into_colours(converted, tmp_path):
    """Cyan ink is no red light: a printer's JPEG becomes red, green and blue."""
    inks = np.zeros((16, 16, 4), np.uint8)
    inks[..., 0] = 255
    Image.fromarray(inks, mode="CMYK").save(tmp_path / "a.jpg", quality=100)
    image, _ = converted(tmp_path / "a.jpg")
    assert list(image.c.values) == ["red", "green", "blue"]
    assert np.allclose(image.values[:, 8, 8], [0, 255, 255], atol=3)


@pytest.mark.parametrize(
    "pixels",
    [np.linspace(-1, 1, 384, dtype=np.float32).reshape(16, 24), np.eye(16, 24, dtype=bool)],
    ids=["float32", "1 bit"],
)
def test_convert_keeps_the_type_of_tiff_pixels(converted, tmp_path, pixels):
    """Numbers of 32 bits and of one bit come back as they are."""
    tifffile.imwrite(tmp_path / "a.tif", pixels)
    image, _ = converted(tmp_path / "a.tif")
    assert image.dtype == pixels.dtype
    assert np.array_equal(image.values, pixels)


def test_convert_reads_ome_tiff_of_five_axes(converted, tmp_path):
    """Any order of t, c, z, y, x is brought into that order, with a size along t."""
    pixels = np.arange(2 * 3 * 4 * 8 * 9, dtype=np.uint16).reshape(2, 3, 4, 8, 9)
    metadata = {"axes": "TZCYX", "TimeIncrement": 5, "TimeIncrementUnit": "min", "PhysicalSizeX": 0.5}
    tifffile.imwrite(tmp_path / "a.ome.tif", pixels, metadata=metadata)
    image, _ = converted(tmp_path / "a.ome.tif")
    assert image.dims == ("t", "c", "z", "y", "x")
    assert np.array_equal(image.values, pixels.swapaxes(1, 2))
    assert list(image.t.values) == [0, 5]
    assert image.t.attrs["units"] == "minute"


def test_convert_ignores_sizes_in_pixels(converted, tmp_path):
    """The OME unit "pixel" means that nobody knows."""
    metadata = {"axes": "YX", "PhysicalSizeX": 1, "PhysicalSizeXUnit": "pixel"}
    tifffile.imwrite(tmp_path / "a.ome.tif", np.zeros((8, 9), np.uint8), metadata=metadata)
    image, error = converted(tmp_path / "a.ome.tif")
    assert error == ""
    assert "units" not in image.x.attrs


@pytest.mark.parametrize(
    ("facts", "unit"), [({"unit": "pixel"}, "second"), ({}, "second"), ({"unit": "um", "tunit": "min"}, "minute")]
)
def test_convert_takes_times_from_imagej_tiff(converted, tmp_path, facts, unit):
    """The frame interval is the size along t, also where nothing is known of the other axes."""
    metadata = {"axes": "TYX", "finterval": 2.5, **facts}
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((3, 8, 9), np.uint8), imagej=True, metadata=metadata)
    image, error = converted(tmp_path / "a.tif")
    assert error == ""
    assert image.t.attrs["units"] == unit
    assert list(image.t.values) == [0, 2.5, 5]


def test_convert_merges_channels_and_colours(converted, tmp_path):
    """Channels of colours are one axis: all colours of the first channel, then those of the second."""
    pixels = noise((2, 8, 9, 3), "u1")
    tifffile.imwrite(tmp_path / "a.ome.tif", pixels, photometric="rgb", metadata={"axes": "CYXS"})
    image, _ = converted(tmp_path / "a.ome.tif")
    assert image.dims == ("c", "y", "x")
    assert np.array_equal(image.values, np.concatenate(np.moveaxis(pixels, -1, 1)))


@pytest.mark.parametrize("shape", [(1, 8, 9, 3), (3, 8, 9, 1)])
def test_known_axes_drops_the_colour_axis_that_says_nothing(shape):
    """One channel of three colours, or three channels of one, are three channels."""
    pixels = np.arange(216).reshape(shape)
    known, axes = _known_axes(pixels, "CYXS")
    assert axes == "cyx"
    assert np.array_equal(known, pixels[0].transpose(2, 0, 1) if shape[0] == 1 else pixels[..., 0])


@pytest.mark.parametrize("name", ["a.tif", "a.ome.tif"])
def test_convert_names_the_colours_of_planes(converted, tmp_path, name):
    """Colours that are stored one after the other are colours too."""
    pixels = np.arange(216, dtype=np.uint8).reshape(3, 8, 9)
    tifffile.imwrite(tmp_path / name, pixels, photometric="rgb", planarconfig="separate")
    image, _ = converted(tmp_path / name)
    assert list(image.c.values) == ["red", "green", "blue"]
    assert np.array_equal(image.values, pixels)


def test_convert_warns_in_one_line_of_images_that_are_left_out(converted, tmp_path):
    """Only the first image of a TIFF is read, and that is said."""
    with tifffile.TiffWriter(tmp_path / "a.tif") as tiff:
        tiff.write(np.zeros((8, 9), np.uint8))
        tiff.write(np.zeros((10, 9), np.uint8))
    image, error = converted(tmp_path / "a.tif")
    assert image.shape == (8, 9)
    assert error == f"warning: {tmp_path / 'a.tif'} holds 2 images: only the first is read\n"


def test_convert_says_how_large_an_unnamed_axis_is(ngio_x_command, tmp_path):
    """The letters that tifffile makes up are not shown."""
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((5, 16, 24), np.uint8), photometric="minisblack")
    _, _, error = ngio_x_command("convert", tmp_path / "a.tif", tmp_path / "a.zarr")
    assert "an unnamed axis of size 5" in error
    assert "Q" not in error.replace(str(tmp_path), "")


def test_convert_understands_large_letters_and_symbols_of_units(converted, cell_png):
    """`--axes XY` and `--unit um` mean what they seem to."""
    image, error = converted(cell_png, "--axes", "XY", "--pixel-size", "0.5", "--unit", "um")
    assert error == ""
    assert nx.pixel_size_of(image) == nx.PixelSize(x=0.5, y=0.5)
    assert np.array_equal(image.values, data.cell().T)


def test_convert_warns_of_a_strange_unit_in_one_line(ngio_x_command, cell_png, tmp_path):
    """What ngio_x warns of is a line for users, without a place in our code."""
    code, _, error = ngio_x_command("convert", cell_png, tmp_path / "a.zarr", "--pixel-size", "1", "--unit", "furlong")
    assert code == 0
    assert error.startswith("warning: unit 'furlong'")
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("file", "name"),
    [("scan_0.65um.v2.tif", "scan_0.65um.v2"), ("a.OME.TIFF", "a"), ("a.ome.tif", "a"), ("a.b.png", "a.b")],
)
def test_image_is_named_after_the_file(ngio_x_command, tmp_path, file, name):
    """Only the suffixes that tell the format are left out of the name."""
    writer = tifffile if file.lower().endswith(("tif", "tiff")) else imageio
    writer.imwrite(tmp_path / file, np.zeros((8, 9), np.uint8))
    ngio_x_command("convert", tmp_path / file, tmp_path / "out.zarr")
    assert nx.open_ome_zarr(tmp_path / "out.zarr").attrs["name"] == name


def test_convert_makes_missing_parents_but_not_below_a_file(ngio_x_command, cell_png, tmp_path):
    """A missing folder is made; a file on the way is named in one line."""
    assert ngio_x_command("convert", cell_png, tmp_path / "a" / "b" / "out.zarr")[0] == 0
    code, _, error = ngio_x_command("convert", cell_png, cell_png / "out.zarr")
    assert code == 2
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert str(cell_png) in error


def test_convert_writes_to_a_url(ngio_x_command, cell_png, tmp_path, monkeypatch):
    """A URL is handed on as it is, and no local directory takes its name."""
    monkeypatch.chdir(tmp_path)
    url = f"memory://{tmp_path.name}/cell.zarr"
    code, printed, _ = ngio_x_command("convert", cell_png, url)
    assert code == 0
    assert printed.startswith(f"wrote {url}: ")
    assert files_in(tmp_path) == ["in"]
    code, printed, _ = ngio_x_command("info", url)
    assert code == 0
    assert "660×550" in printed


@pytest.mark.parametrize("url", ["nowhere://bucket/x.zarr", "http://127.0.0.1:9/x.zarr"])
def test_url_that_cannot_be_reached_is_one_clear_line(ngio_x_command, cell_png, tmp_path, monkeypatch, url):
    """Neither a scheme that nobody knows nor a server that is not there leaves anything behind."""
    monkeypatch.chdir(tmp_path)
    for arguments in (["convert", cell_png, url], ["info", url]):
        code, printed, error = ngio_x_command(*arguments)
        assert code == 2
        assert printed == ""
        assert error.startswith((f"error: {url} cannot be reached: ", f"error: {url} cannot be opened: "))
        assert error.count("\n") == 1
    assert files_in(tmp_path) == ["in"]


def test_info_prints_names_as_they_are(ngio_x_command, tmp_path):
    """Names in brackets or colons are names, not orders to the printer."""
    image = nx.as_image(np.zeros((2, 8, 9), np.uint8), "cyx", channels=["[red]DAPI", "[/b]"], name="img [raw] :smile:")
    nx.write_ome_zarr(image, tmp_path / "a.zarr")
    nx.write_labels(nx.as_labels(np.ones((8, 9), np.uint8), "yx"), tmp_path / "a.zarr", "[b]nuclei [x]")
    code, printed, _ = ngio_x_command("info", tmp_path / "a.zarr")
    assert code == 0
    for text in ("img [raw] :smile:", "[red]DAPI, [/b]", "labels/[b]nuclei [x]/0"):
        assert text in printed


def test_info_loses_nothing_in_narrow_output(tmp_path):
    """Whatever the width of the terminal, piped lines are whole."""
    name = "a_very_long_name_of_a_label_image_that_does_not_fit_in_eighty_columns_by_any_means"
    nx.write_ome_zarr(nx.as_image(np.zeros((8, 9), np.uint8), pixel_size=0.123456), tmp_path / "a.zarr")
    nx.write_labels(nx.as_labels(np.ones((8, 9), np.uint8), "yx"), tmp_path / "a.zarr", name)
    done = subprocess.run(
        [sys.executable, "-m", "ngio_x", "info", tmp_path / "a.zarr"],
        capture_output=True, check=True, env=os.environ | {"COLUMNS": "30", "PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip
    printed = done.stdout.decode()
    assert f"labels/{name}/0" in printed
    assert "y 0.123456, x 0.123456" in printed
    assert "…" not in printed


def test_info_shows_real_images(ngio_x_command, tmp_path):
    """A colour image has channels, a grey one has none."""
    for name, pixels in (("ihc", data.immunohistochemistry()), ("coins", data.coins())):
        imageio.imwrite(tmp_path / f"{name}.png", pixels)
        ngio_x_command("convert", tmp_path / f"{name}.png", tmp_path / f"{name}.zarr")
    _, ihc, _ = ngio_x_command("info", tmp_path / "ihc.zarr")
    _, coins, _ = ngio_x_command("info", tmp_path / "coins.zarr")
    assert all(text in ihc for text in ("ihc: OME-NGFF 0.5", "channels: red, green, blue", "3×512×512", "3×256×256"))
    assert all(text in coins for text in ("coins: OME-NGFF 0.5", "303×384", "151×192", "uint8"))
    assert "channels" not in coins


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT for a single process")
def test_interrupted_convert_leaves_nothing(tmp_path):
    """Ctrl-C while pixels are written: one line, exit code 130, and neither OUT nor a part of it."""
    source, out = tmp_path / "big.npy", tmp_path / "out" / "big.zarr"
    out.parent.mkdir()
    for megabytes in (64, 256, 1024):
        np.save(source, np.zeros((megabytes, 1024, 1024), np.uint8))
        command = [sys.executable, "-m", "ngio_x", "convert", source, out, "--overwrite"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            while process.poll() is None and not any(name.startswith(".") for name in files_in(out.parent)):
                time.sleep(0.005)
            process.send_signal(signal.SIGINT)
            _, error = process.communicate(timeout=60)
        if process.returncode != 0:
            break
    assert process.returncode == 130
    assert error == "interrupted\n"
    assert [name for name in files_in(out.parent) if name.startswith(".")] == []


def test_interrupt_while_importing_is_one_line(monkeypatch, capsys):
    """Ctrl-C may come before the command line is there."""

    class Interrupting:
        def find_spec(self, name, path=None, target=None):
            if name == "ngio_x.cli.commands":
                signal.raise_signal(signal.SIGINT)

    monkeypatch.delitem(sys.modules, "ngio_x.cli.commands", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Interrupting(), *sys.meta_path])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 130
    assert capsys.readouterr().err == "interrupted\n"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_validate_says_what_is_wrong_or_that_nothing_is(ngio_x_command, tmp_path):
    """Problems are printed one a line, errors first; with errors the exit code is 1."""
    path = tmp_path / "a.zarr"
    nx.write_ome_zarr(nx.as_image(np.zeros((8, 8), "u1"), "yx", 0.5, units="micrometer", name="n"), path, levels=1)
    assert ngio_x_command("validate", path) == (0, "valid OME-Zarr 0.5 image\n", "")
    file = path / "zarr.json"
    file.write_text(file.read_text().replace('"scale": [', '"scale": [0, ').replace('"name": "n"', '"alias": "n"'))
    code, printed, _ = ngio_x_command("validate", path)
    lines = printed.splitlines()
    assert code == 1
    assert [line.split(":")[0] for line in lines] == [*["error"] * (len(lines) - 2), "warning", lines[-1].split(":")[0]]
    assert lines[-1].startswith("no valid OME-Zarr 0.5 image: ")


def test_validate_of_nothing_is_an_error(ngio_x_command, tmp_path):
    """There is nothing to look at."""
    code, _, complaint = ngio_x_command("validate", tmp_path / "a.zarr")
    assert code == 2
    assert "does not exist" in complaint


def test_info_writes_a_page(ngio_x_command, cell_png, tmp_path):
    """`--html` writes the tables to a new file, and spares one that is there."""
    out, html = tmp_path / "cell.zarr", tmp_path / "cell.html"
    ngio_x_command("convert", cell_png, out, "--levels", "2")
    code, printed, _ = ngio_x_command("info", out, "--html", html)
    assert code == 0
    assert printed == ngio_x_command("info", out)[1]
    page = html.read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert "yx 660 × 550" in page
    code, _, error = ngio_x_command("info", out, "--html", html)
    assert code == 2
    assert f"{html} exists" in error
