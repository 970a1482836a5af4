"""The command line, run as a user runs it."""

import os
import subprocess
import sys

import imageio.v3 as imageio
import numpy as np
import pytest
import tifffile
from skimage import data

import ngio_x as nx
from ngio_x.cli import main


@pytest.fixture
def ngio_x_command(monkeypatch, capsys):
    """Run the command line in this process; return exit code, standard output and standard error."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["ngio-x", *map(str, arguments)])
        monkeypatch.setenv("COLUMNS", "200")
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = stop.code or 0
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


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
    "size of another axis": (["cell.png", "--pixel-size", "z=1"], "axis 'z'"),
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
