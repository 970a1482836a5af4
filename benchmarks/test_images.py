"""Labelled images: cropping in memory and from disk, writing and opening a pyramid, importing the package."""

import subprocess
import sys
from functools import partial, reduce

import numpy as np
import pytest
import xarray as xr
import zarr
from ngio import open_ome_zarr_container

import ngio_x as nx
from ngio_x.cli.peers import tiled_noise, write_with_ngio, write_with_ngio_x, write_with_ome_zarr_py
from ngio_x.testing.samples import noise, photons


@pytest.fixture
def pixels(measuring):
    size = 4096 if measuring else 300
    return photons((size, size))


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


def with_patches(image, corners):
    for k, (y, x) in enumerate(corners):
        image = nx.paste(image, image[y : y + 40, x : x + 40] * 0 + image.dtype.type(k))
    return image.values


def with_assignments(image, corners):
    pixels = image.data
    for k, (y, x) in enumerate(corners):
        pixels = pixels.copy()
        pixels[y : y + 40, x : x + 40] = image.dtype.type(k)
    return pixels.compute()


@pytest.mark.parametrize("how", [with_patches, with_assignments])
def test_pasting_a_hundred_patches_into_a_lazy_image(benchmark, measuring, how):
    benchmark.group = "pasting 100 patches, one after the other, into a lazy image of 32×32 chunks"
    size, count = (1024, 100) if measuring else (128, 5)
    image = nx.as_image(np.zeros((size, size), "u2"), "yx", 0.5).chunk({"y": 32, "x": 32})
    corners = noise((count, 2), "i8", low=0, high=size - 40)
    found = benchmark.pedantic(how, (image, corners), rounds=3)
    assert (found > 0).any()


@pytest.mark.parametrize("how", ["mosaic", "mosaic of lazy pieces", "combine_first"])
def test_putting_fields_together(benchmark, pixels, how):
    benchmark.group = "putting 16 overlapping fields together"
    image = nx.as_image(pixels, ("y", "x"), 0.5)
    size = pixels.shape[0] // 4
    fields = [nx.crop(image, roi) for roi in nx.tile(image, size + 20, 20)]
    lazy = [field.chunk() for field in fields]
    verbs = {
        "mosaic": lambda: nx.mosaic(fields),
        "mosaic of lazy pieces": lambda: nx.mosaic(lazy).compute(),
        "combine_first": lambda: reduce(lambda one, other: other.combine_first(one), fields),
    }
    found = benchmark.pedantic(verbs[how], rounds=3)
    np.testing.assert_array_equal(found, pixels)


@pytest.fixture
def large(measuring):
    return tiled_noise(8192 if measuring else 304)


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
    if peer == "ome-zarr-py":
        pytest.importorskip("ome_zarr")
    benchmark.group = f"writing an image of five levels, OME-NGFF {version}"
    path = str(tmp_path / "image.zarr")
    benchmark.pedantic(WRITERS[peer], (path, large, version), rounds=3, warmup_rounds=1)
    level_0 = "s0" if peer == "ome-zarr-py" else "0"
    assert np.array_equal(zarr.open_array(f"{path}/{level_0}", mode="r")[...], large)


def open_with_zarr(path):
    """Without which nobody knows what is there."""
    group = zarr.open_group(path, mode="r")
    attributes = group.attrs.asdict()
    (image,) = attributes.get("ome", attributes)["multiscales"]
    return group[image["datasets"][0]["path"]], [group[dataset["path"]] for dataset in image["datasets"][1:]]


OPENERS = {
    "zarr: group, attributes, arrays": lambda path: open_with_zarr(path)[0],
    "open_ome_zarr": lambda path: nx.open_ome_zarr(path)["0/image"],
    "open_ome_zarr(chunks=None)": lambda path: nx.open_ome_zarr(path, chunks=None)["0/image"],
    "open_datatree": lambda path: xr.open_datatree(path, engine="ome-zarr")["0/image"],
    "open_dataarray": lambda path: xr.open_dataarray(path, engine="ome-zarr"),
    "ngio": lambda path: open_ome_zarr_container(path).get_image().get_as_dask(),
}


@pytest.mark.filterwarnings("ignore::Warning")
@pytest.mark.parametrize("opener", OPENERS)
@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_opening_an_image_of_five_levels(benchmark, tmp_path, opener, version):
    benchmark.group = f"opening an image of five levels, OME-NGFF {version}"
    path = tmp_path / "image.zarr"
    nx.write_ome_zarr(nx.as_image(np.zeros((2048, 2048), np.uint16), "yx", 0.5), path, version=version, levels=5)
    assert benchmark(OPENERS[opener], path).shape == (2048, 2048)


def crop_values(image, corners, edge):
    return [
        nx.crop(image, nx.Roi.from_values({"y": (y / 2, edge / 2), "x": (x / 2, edge / 2)}, None)).values
        for y, x in corners
    ]


def slice_values(array, corners, edge):
    return [array[y : y + edge, x : x + edge] for y, x in corners]


@pytest.mark.parametrize("how", ["crop", "zarr slices"])
@pytest.mark.parametrize("chunk", [256, 1024])
def test_cropping_from_disk(benchmark, large, measuring, tmp_path, chunk, how):
    """Regions anywhere; ngio_x makes them of world coordinates, zarr gets the pixels told."""
    benchmark.group = f"loading regions of 256×256 pixels, chunks of {chunk}×{chunk}"
    path, edge, count = tmp_path / "image.zarr", 256 if measuring else 20, 1000 if measuring else 3
    nx.write_ome_zarr(nx.as_image(large, "yx", 0.5), path, levels=1, chunks={"y": chunk, "x": chunk})
    corners = noise((count, 2), "i8", seed=1, low=0, high=len(large) - edge).tolist()
    if how == "crop":
        work = partial(crop_values, xr.open_dataarray(path, engine="ome-zarr"), corners, edge)
    else:
        work = partial(slice_values, zarr.open_array(path / "0", mode="r"), corners, edge)
    pieces = benchmark.pedantic(work, rounds=3, warmup_rounds=1)
    assert all(
        np.array_equal(piece, large[y : y + edge, x : x + edge]) for piece, (y, x) in zip(pieces, corners, strict=True)
    )


@pytest.mark.parametrize("module", ["ngio_x", "xarray", "ngio"])
def test_importing(benchmark, module):
    benchmark.group = "importing, a new process each"
    command = [sys.executable, "-c", f"import {module}"]
    done = benchmark.pedantic(subprocess.run, (command,), {"check": True}, rounds=3)
    assert done.returncode == 0
