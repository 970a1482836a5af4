"""Labelled images: cropping in memory, writing a pyramid, importing the package."""

import shutil
import subprocess
import sys
from functools import partial

import numcodecs
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


@pytest.fixture
def large(measuring):
    """A tile again and again: noise of that size would take longer than writing it."""
    tile = np.random.default_rng(0).poisson(100, (1024, 1024) if measuring else (38, 38)).astype(np.uint16)
    return np.tile(tile, (8, 8))


def write_with_ngio_x(path, pixels, version):
    nx.write_ome_zarr(nx.as_image(pixels, ("y", "x"), 0.5), path, version=version, levels=5, overwrite=True)


def write_with_ngio(path, pixels, version, mode):
    create_ome_zarr_from_array(
        path, pixels, pixelsize=0.5, axes_names=["y", "x"], levels=5, chunks=(1024, 1024), ngff_version=version,
        overwrite=True, consolidation_mode=mode,
    )  # fmt: skip


def write_with_ome_zarr_py(path, pixels, version):
    """With the codec of the others, which for zarr 2 is not its default."""
    writer, formats = pytest.importorskip("ome_zarr.writer"), pytest.importorskip("ome_zarr.format")
    shutil.rmtree(path, ignore_errors=True)
    codec = {"compressors": [numcodecs.Blosc("lz4", clevel=5, shuffle=1)]} if version == "0.4" else {}
    writer.write_image(
        pixels, path, axes="yx", scale_factors=[2, 4, 8, 16], fmt=formats.format_from_version(version),
        storage_options={"chunks": (1024, 1024), **codec},
    )  # fmt: skip


WRITERS = {
    "ngio_x": write_with_ngio_x,
    "ngio auto": partial(write_with_ngio, mode="auto"),
    "ngio dask": partial(write_with_ngio, mode="dask"),
    "ome-zarr-py": write_with_ome_zarr_py,
}


@pytest.mark.filterwarnings("ignore::Warning")
@pytest.mark.parametrize("peer", WRITERS)
@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_writing_an_image_of_five_levels(benchmark, large, tmp_path, peer, version):
    benchmark.group = f"writing an image of five levels, OME-NGFF {version}"
    path = str(tmp_path / "image.zarr")
    benchmark.pedantic(WRITERS[peer], (path, large, version), rounds=3, warmup_rounds=1)
    level_0 = "s0" if peer == "ome-zarr-py" else "0"
    assert np.array_equal(zarr.open_array(f"{path}/{level_0}", mode="r")[...], large)


@pytest.mark.parametrize("module", ["ngio_x", "xarray", "ngio"])
def test_importing(benchmark, module):
    benchmark.group = "importing, a new process each"
    command = [sys.executable, "-c", f"import {module}"]
    done = benchmark.pedantic(subprocess.run, (command,), {"check": True}, rounds=3)
    assert done.returncode == 0
