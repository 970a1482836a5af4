"""`ngio-x upgrade`, run as a user runs it."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import ngio_x as nx


@pytest.fixture
def image(tmp_path):
    pixels = np.arange(40 * 50, dtype="u2").reshape(40, 50)
    nx.write_ome_zarr(nx.as_image(pixels, "yx", 0.5), tmp_path / "old.zarr", version="0.4", levels=2)
    return tmp_path / "old.zarr"


def test_upgrade_writes_the_image_in_the_newest_version_and_back(ngio_x_command, image, tmp_path):
    """It says what was written; pixels are the same."""
    new, back = tmp_path / "new.zarr", tmp_path / "back.zarr"
    assert ngio_x_command("upgrade", image, new) == (0, f"wrote {new}: OME-NGFF 0.5\n", "")
    assert ngio_x_command("upgrade", new, back, "--to", "0.4") == (0, f"wrote {back}: OME-NGFF 0.4\n", "")
    for path, version in ((new, "0.5"), (back, "0.4")):
        tree = nx.open_ome_zarr(path)
        assert tree.attrs["version"] == version
        assert_array_equal(tree["1"]["image"], nx.open_ome_zarr(image)["1"]["image"])


def test_upgrade_replaces_only_what_it_is_told_to(ngio_x_command, image, tmp_path):
    """One line says what to do instead; the exit code is 2."""
    new = tmp_path / "new.zarr"
    assert ngio_x_command("upgrade", image, new)[0] == 0
    code, printed, said = ngio_x_command("upgrade", image, new)
    assert (code, printed) == (2, "")
    assert said.startswith("error: ")
    assert "--overwrite" in said
    assert ngio_x_command("upgrade", image, new, "--overwrite")[0] == 0
    code, _, said = ngio_x_command("upgrade", new, tmp_path / "other.zarr", "--to", "0.5")
    assert (code, "is of OME-NGFF 0.5 already" in said) == (2, True)
    code, _, said = ngio_x_command("upgrade", new, tmp_path / "other.zarr", "--to", "1")
    assert (code, "version must be one of" in said) == (2, True)
