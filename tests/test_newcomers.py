"""The mistakes that newcomers make most: each gets a message that says what to do instead."""

import re

import numpy as np
import pytest
import xarray as xr
import zarr

import ngio_x as nx

PIXELS = np.arange(64, dtype="u2").reshape(8, 8)
IMAGE = nx.as_image(PIXELS, "yx", 0.5)
LABELS = nx.as_labels(PIXELS // 9, "yx", 0.5)
ROI = nx.Roi.from_values({"y": (0, 2), "x": (1, 2)}, "cell")
PIXEL_NUMBERS = nx.Roi.from_values({"y": (400, 20), "x": (600, 20)}, "cell")


def written(path):
    """Return the place of an image of two levels with a table."""
    place = path / "image.zarr"
    nx.write_ome_zarr(IMAGE, place, levels=2)
    nx.write_rois(place, "cells", [ROI])
    return place


def tiff(path):
    place = path / "image.tif"
    place.write_bytes(b"II*\0")
    return place


def plain_zarr(path):
    zarr.create_group(path / "plain.zarr")
    return path / "plain.zarr"


MISTAKES = {
    "path with a typo": (lambda path: nx.open_ome_zarr(path / "imgae.zarr"), "does not exist: check the path"),
    "path of a level": (lambda path: nx.open_ome_zarr(written(path) / "0"), "an array: open the group"),
    "TIFF": (lambda path: nx.open_ome_zarr(tiff(path)), "it is a file, and no zip archive.*ngio-x convert"),
    "zarr that is no OME-Zarr": (lambda path: nx.open_ome_zarr(plain_zarr(path)), "multiscales|ome"),
    "array in place of a path": (lambda _: nx.open_ome_zarr(PIXELS), "store must be a path, a URL.*got ndarray"),
    "table with a typo": (lambda path: nx.read_rois(written(path), "cell"), "no table .*'cell', choose from 'cells'"),
    "writing twice": (lambda path: nx.write_ome_zarr(IMAGE, written(path)), "overwrite=True"),
    "writing plain pixels": (lambda path: nx.write_ome_zarr(PIXELS, path / "a"), "got ndarray: label .* with as_image"),
    "names for fewer axes": (lambda _: nx.as_image(PIXELS, "zyx"), r"dims must name each .*\(8, 8\) once, got"),
    "an axis twice": (lambda _: nx.as_image(PIXELS, "yy"), "dims must name each axis once, got"),
    "pixel sizes of other axes": (
        lambda _: nx.as_image(PIXELS, "yx", (1.0, 0.5, 0.5)),
        r"pixel_size must have one item for each axis of \('y', 'x'\), got",
    ),
    "pixel size of an axis it lacks": (
        lambda _: nx.as_image(PIXELS, "yx", {"z": 1}),
        r"pixel_size .*\('y', 'x'\).*'z'",
    ),
    "pixel size as text": (lambda _: nx.as_image(PIXELS, "yx", "0.5"), "pixel_size .*must be a number, got '0.5'"),
    "pixel size zero": (lambda _: nx.as_image(PIXELS, "yx", 0), "pixel_size .*must be > 0, got 0"),
    "float labels": (
        lambda _: nx.as_labels(PIXELS / 2, "yx"),
        r"integers.*got float64: convert with .astype\('uint32'",
    ),
    "blended labels": (lambda _: nx.zoom(LABELS, 0.5, order="linear"), "blends the ids .* use 'nearest' or 'mode'"),
    "plain array to crop": (lambda _: nx.crop(PIXELS, ROI), "image must be a DataArray.*got ndarray: use as_image"),
    "numbers for a region": (
        lambda _: nx.crop(IMAGE, (0, 2)),
        r"roi must be a Roi .* or a mapping .* got \(0, 2\): .*",
    ),
    "one axis for a region": (
        lambda _: nx.Roi.from_values({"y": (0, 2)}),
        r"two axes, got \['y'\]: add .*slice\(None\)",
    ),
    "pixel numbers in world units": (
        lambda _: nx.crop(IMAGE, PIXEL_NUMBERS),
        r"spans \[400, 420\) where the array spans \[0, 4\) micrometer.*space='pixel'",
    ),
    "region of one axis": (
        lambda _: nx.Roi.from_values({"y": (0, 2)}, None),
        "slices must hold at least two axes, got",
    ),
    "one region for many": (
        lambda path: nx.write_rois(written(path), "a", ROI),
        "rois must be .*put a single one into a list",
    ),
    "a name twice": (
        lambda path: nx.write_rois(written(path), "a", [ROI, ROI]),
        "'cell': more than one region of that name: give each its own",
    ),
    "Dataset for a tree": (lambda _: nx.level_for(xr.Dataset(), scale=1), "tree must be a DataTree, got Dataset"),
    "array for a tree": (lambda _: nx.to_napari_layers(IMAGE), "tree must be a DataTree, got DataArray"),
    "several levels of zoom at once": (lambda _: nx.zoom(IMAGE), "give either scale or shape, got neither"),
}
"""What is called, and the essential words of the message."""


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_gets_a_message_that_helps(mistake, tmp_path):
    """It names the argument, and what to do."""
    call, words = MISTAKES[mistake]
    with pytest.raises(nx.errors.NgioError) as caught:
        call(tmp_path)
    assert re.search(words, str(caught.value), re.DOTALL), str(caught.value)


@pytest.mark.parametrize(("unit", "meant"), [("um", "micrometer"), ("micron", "micrometer"), ("µm", "micrometer")])
def test_an_abbreviated_unit_is_kept_with_a_hint(unit, meant):
    """OME-NGFF has names for units."""
    with pytest.warns(nx.errors.NgioUserWarning, match=f"did you mean '{meant}'"):
        nx.Axis("y", unit=unit)
