"""Labelled images: cropping in memory, writing a pyramid, importing the package."""

import subprocess
import sys

import numpy as np
import pytest
import zarr
from ngio import create_ome_zarr_from_array

import ngio_x as nx


@pytest.fixture
def pixels(measuring):
    size = 4096 if measuring else 300
    noise = np.random.default_rng(0).poisson(100, (size, size))
    return noise.astype(np.uint16)


@pytest.mark.parametrize("how", ["crop", "isel of the window", "numpy slices"])
def test_cropping(benchmark, pixels, how):
    benchmark.group = "cropping 100×100 pixels, in memory"
    image = nx.as_image(pixels, ("y", "x"), 0.5)
    roi = nx.Roi.from_values({"y": (20.0, 50.0), "x": (30.0, 50.0)}, "cell")
    window = nx.window(image, roi)
    verbs = {
        "crop": lambda: nx.crop(image, roi),
        "isel of the window": lambda: image.isel(window),
        "numpy slices": lambda: pixels[window["y"], window["x"]],
    }
    assert benchmark(verbs[how]).shape == (100, 100)


@pytest.mark.filterwarnings("ignore::Warning:ngio")
@pytest.mark.parametrize("peer", ["ngio_x", "ngio"])
@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_writing_an_image_of_five_levels(benchmark, pixels, tmp_path, peer, version):
    benchmark.group = f"writing an image of five levels, OME-NGFF {version}"
    path = str(tmp_path / "image.zarr")

    def write():
        if peer == "ngio_x":
            nx.write_ome_zarr(nx.as_image(pixels, ("y", "x"), 0.5), path, version=version, levels=5, overwrite=True)
        else:
            create_ome_zarr_from_array(
                path, pixels, pixelsize=0.5, axes_names=["y", "x"], levels=5, chunks=(1024, 1024),
                ngff_version=version, overwrite=True, consolidation_mode="auto",
            )  # fmt: skip

    benchmark.pedantic(write, rounds=3, warmup_rounds=1)
    assert np.array_equal(zarr.open_array(f"{path}/0", mode="r")[...], pixels)


@pytest.mark.parametrize("module", ["ngio_x", "xarray", "ngio"])
def test_importing(benchmark, module):
    benchmark.group = "importing, a new process each"
    command = [sys.executable, "-c", f"import {module}"]
    done = benchmark.pedantic(subprocess.run, (command,), {"check": True}, rounds=3)
    assert done.returncode == 0
