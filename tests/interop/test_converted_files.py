"""Real micrographs, converted on the command line, are images to everybody."""

import sys
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pytest
import skimage.data
from numpy.testing import assert_array_equal

from ngio_x.cli import main
from tests.official_schemas import complaints

pytestmark = pytest.mark.filterwarnings("ignore:Pyramid consolidation still builds:FutureWarning")


@pytest.fixture(params=["0.4", "0.5"])
def version(request):
    return request.param


@pytest.fixture(params=["cell.png", "ihc.png", "coins.png"])
def file(request):
    return Path(skimage.data.__file__).parent / request.param


@pytest.fixture
def pixels(file):
    """Return the pixels that the file holds, with colours first."""
    found = imageio.imread(file)
    return np.moveaxis(found, -1, 0) if found.ndim == 3 else found


@pytest.fixture
def converted(file, version, tmp_path, monkeypatch):
    """Return the converted image."""
    options = ["--axes", "yxc"] if file.name == "ihc.png" else []
    arguments = ["convert", str(file), str(tmp_path / "image.zarr"), "--pixel-size", "0.65", "--levels", "3"]
    monkeypatch.setattr(sys, "argv", ["ngio-x", *arguments, "--version", version, *options])
    with pytest.raises(SystemExit) as stop:
        main()
    assert not stop.value.code
    return tmp_path / "image.zarr"


def test_a_peer_reads_the_files_pixels_and_sizes(peer, converted, pixels):
    """Level 0 is the file, pixel for pixel, and all levels cover what it covers."""
    seen = peer.read(converted)
    assert_array_equal(seen.levels[0].pixels, pixels)
    assert len(seen.levels) == 3
    for level in seen.levels:
        for axis, n, m in zip("yx", pixels.shape[-2:], level.pixels.shape[-2:], strict=True):
            assert level.scale[axis] == pytest.approx(0.65 * n / m, rel=1e-12)
            assert level.translation[axis] == pytest.approx((level.scale[axis] - 0.65) / 2, abs=1e-12)
    assert (seen.units["y"], seen.units["x"]) == ("micrometer", "micrometer")


def test_metadata_are_valid(converted, version, attributes):
    """The official schemas accept them."""
    assert complaints(version, "strict_image", attributes(converted)) == []
