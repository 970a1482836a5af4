"""Pieces written into images on disk, and the levels above them."""

import itertools
import json
import multiprocessing
import pickle
import warnings
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from unittest import mock

import dask
import dask.array as da
import numpy as np
import pytest
import xarray as xr
import zarr
from numpy.testing import assert_array_equal

import ngio_x as nx
from ngio_x.errors import (
    NgioEmptyRegionError,
    NgioFileNotFoundError,
    NgioStorageError,
    NgioTypeError,
    NgioUserWarning,
    NgioValidationError,
    NgioValueError,
)
from ngio_x.pyramid.marker import FOLDER
from ngio_x.testing import samples

SEEDS = itertools.count()
SIZE = {"z": 2.0, "y": 0.5, "x": 0.5}
ROI = nx.Roi.from_values({"y": (10.0, 11.0), "x": (8.5, 20.0)}, name="cell")


def image(dims="czyx", shape=(3, 2, 70, 90), dtype="u2", **options):
    pixels = samples.noise(shape, "u1", next(SEEDS), high=99).astype(dtype)
    sizes = {dim: SIZE[dim] for dim in dims if dim in SIZE}
    names = {"channels": ["DNA", "actin", "tubulin"]} if "c" in dims else {}
    return nx.as_image(pixels, tuple(dims), sizes, **(names | options))


@pytest.fixture
def original():
    return image(origin={"y": 7.0, "x": -3.0})


@pytest.fixture
def path(tmp_path, original):
    return written(original, tmp_path / "a.zarr")


def written(pixels, path, **options):
    chunks = {axis: size for axis, size in {"z": 2, "y": 16, "x": 16}.items() if axis in pixels.dims}
    options = {"chunks": chunks, "levels": 3} | options
    nx.write_ome_zarr(pixels, path, **options)
    return path


def levels_of(path):
    tree = nx.open_ome_zarr(path)
    return [tree[level]["image"].compute() for level in "012"]


def assert_is(path, expected, tmp_path, **options):
    """Every level is that of the expected image, written as a whole; no mark is left."""
    whole = written(expected, tmp_path / "expected.zarr", **options)
    windows = [f"window_{end}" for end in ("min", "max", "start", "end")]  # suit the pixels that it had first
    for found, wanted in zip(levels_of(path), levels_of(whole), strict=True):
        xr.testing.assert_identical(*(level.drop_vars(windows, errors="ignore") for level in (found, wanted)))
    assert list(Path(path).rglob(FOLDER)) == []


def files_of(path):
    return {file.relative_to(path): file.read_bytes() for file in path.rglob("*") if file.is_file()}


def negative(piece):
    return piece.max() - piece


def test_an_edit_of_the_demo_shows_at_every_level(tmp_path):
    """Cut a region out of a tree, change it, write it: a fresh look at each level has it."""
    pixels = samples.nuclei().image
    path = tmp_path / "demo.zarr"
    nx.write_ome_zarr(pixels, path)
    roi = nx.Roi.from_values({"y": (80.0, 100.0), "x": (40.0, 120.0)}, name="edit")
    part = nx.crop(nx.open_ome_zarr(path), roi)
    nx.write_region(xr.zeros_like(part["0"]["image"]), path)
    tree = nx.open_ome_zarr(path)
    for level in tree.children:
        inside = nx.crop(tree, roi)[level]["image"][..., 2:-2, 2:-2]
        assert inside.size
        assert not inside.any()
    expected = nx.paste(pixels, xr.zeros_like(nx.crop(pixels, roi)))
    nx.write_ome_zarr(expected, tmp_path / "expected.zarr")
    for level, node in nx.open_ome_zarr(tmp_path / "expected.zarr").children.items():
        assert_array_equal(tree[level]["image"], node["image"])


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize(
    "change",
    [
        lambda p: p,
        lambda p: p.transpose(),
        lambda p: p.astype("u1"),
        lambda p: p.isel(c=[2, 0]),
        lambda p: p.isel(c=[0, 1, 0], z=[1]),
        lambda p: p.isel(c=1),
        lambda p: p.sel(c="tubulin").isel(z=1),
        lambda p: p.isel(c=1, z=0, drop=True),
    ],
)
def test_a_patch_goes_where_paste_puts_it(tmp_path, path, original, lazy, change):
    """By names of axes and channels, in any order; missing axes are filled along their whole length."""
    patch = change(negative(nx.crop(original, ROI)))
    given = patch.chunk(y=7, x=11) if lazy else patch
    nx.write_region(given, path)
    assert_is(path, nx.paste(original, patch), tmp_path)


def test_a_region_says_where_to_put_what_has_no_place(tmp_path, path, original):
    """Of exactly that many pixels; regions may be in pixels of level 0."""
    patch = np.zeros((3, 2, 22, 40), "u2")
    nx.write_region(patch, path, ROI)
    expected = nx.paste(original, patch, ROI)
    pixels = nx.Roi.from_values({"c": (1, 1), "y": (50, 30), "x": (0, 3)}, name=None, space="pixel")
    nx.write_region(xr.DataArray(np.full((2, 20, 3), 7, "u2"), dims=("z", "y", "x")), path, pixels)
    expected = expected.copy()
    expected[1, :, 50:70, 0:3] = 7
    assert_is(path, expected, tmp_path)


def test_what_lies_outside_the_image_is_dropped(tmp_path, path, original):
    """As by paste."""
    patch = image(origin={"y": 7.0 + 0.5 * 60, "x": -3.0 - 0.5 * 80})
    nx.write_region(patch, path)
    assert_is(path, nx.paste(original, patch), tmp_path)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("scale", [1, 0.5, 0.25])
def test_labels_of_any_resolution_are_written_to_their_group(tmp_path, version, scale):
    """Where the tree of the image shows them, and as the group alone is opened; ids are never blended."""
    path = written(image("yx", (80, 96), origin=3.0), tmp_path / "a.zarr", version=version)
    labels = nx.zoom(nx.as_labels(image("yx", (80, 96), origin=3.0)), scale)
    nx.write_labels(labels, path, "nuclei", chunks={"y": 8, "x": 8})
    place = path / "labels" / "nuclei"
    seen = nx.open_ome_zarr(path)["labels/nuclei/0"]["nuclei"]
    xr.testing.assert_identical(nx.open_ome_zarr(place)["0"]["image"].rename("nuclei"), seen)
    patch = xr.full_like(seen.isel(y=slice(3, 11), x=slice(5, 9)).compute(), 200)
    nx.write_region(patch, place)
    expected = nx.paste(labels, patch).values
    for node in nx.open_ome_zarr(path)["labels/nuclei"].children.values():
        assert_array_equal(node["nuclei"], expected)
        assert node["nuclei"].attrs["role"] == "labels"
        expected = nx.numpy_zoom(expected, (0.5, 0.5), order="nearest")
    nx.write_region(xr.zeros_like(patch), zarr.open_group(path)["labels/nuclei"])
    assert not nx.open_ome_zarr(path)["labels/nuclei/0"]["nuclei"][3:11, 5:9].any()


@pytest.mark.parametrize("kind", [None, "gaussian", "mean", "max"])
def test_levels_are_made_with_the_kernel_that_made_them(tmp_path, kind):
    """The metadata names it; of names that are not ngio_x's, linear is meant."""
    pixels = image("yx", (64, 64), "u1")
    order = kind if kind in ("mean", "max") else "linear"
    path = written(pixels, tmp_path / "a.zarr", order=order)
    document = json.loads((path / "zarr.json").read_text())
    entry = document["attributes"]["ome"]["multiscales"][0]
    entry.pop("type")
    if kind is not None:
        entry["type"] = kind
    (path / "zarr.json").write_text(json.dumps(document))
    patch = xr.full_like(pixels[3:24, 5:30], 250)
    nx.write_region(patch, path)
    assert_is(path, nx.paste(pixels, patch), tmp_path, order=order)


@pytest.mark.parametrize("order", [None, "linear"])
def test_labels_are_never_blended(tmp_path, order):
    """Not even if the metadata says that they were."""
    path = written(image("yx", (64, 64)), tmp_path / "a.zarr")
    labels = nx.as_labels(image("yx", (64, 64)))
    nx.write_labels(labels, path, "nuclei")
    place = path / "labels" / "nuclei"
    document = json.loads((place / "zarr.json").read_text())
    document["attributes"]["ome"]["multiscales"][0]["type"] = "linear"
    (place / "zarr.json").write_text(json.dumps(document))
    if order is None:
        nx.consolidate_ome_zarr(place)
        assert_array_equal(zarr.open_array(place / "1"), nx.numpy_zoom(labels.values, (0.5, 0.5), order="nearest"))
    else:
        with pytest.raises(NgioValueError, match="blends the ids"):
            nx.consolidate_ome_zarr(place, order=order)


def tiles(pixels, step=32):
    return [
        pixels.isel(y=slice(y, y + step), x=slice(x, x + step))
        for y in range(0, pixels.sizes["y"], step)
        for x in range(0, pixels.sizes["x"], step)
    ]


def test_processes_write_tiles_and_one_of_them_consolidates(tmp_path, path, original):
    """Meanwhile a reader is warned; afterwards it is as if the image had been written as a whole."""
    final = negative(original)
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=spawn) as pool:
        for future in [pool.submit(nx.write_region, tile, str(path), consolidate=False) for tile in tiles(final)]:
            future.result()
        with pytest.warns(NgioUserWarning, match="being rebuilt, .* or left it to another"):
            nx.open_ome_zarr(path)
        pool.submit(nx.consolidate_ome_zarr, str(path)).result()
    assert_is(path, final, tmp_path)


def test_an_empty_list_consolidates_what_workers_left(tmp_path, path, original):
    """They noted what they wrote; no more than that is written again."""
    patch = negative(original.isel(y=slice(16, 48), x=slice(0, 32)))
    nx.write_region(patch, path, consolidate=False)
    untouched = path / "1" / "c" / "0" / "0" / "2" / "2"
    untouched.write_bytes(b"")  # nobody looks at it
    nx.consolidate_ome_zarr(path, [])
    assert untouched.read_bytes() == b""
    untouched.unlink()
    nx.consolidate_ome_zarr(path, [(0, ..., slice(64, 70), slice(64, 90))])
    assert_is(path, nx.paste(original, patch), tmp_path)


@pytest.mark.parametrize("scheduler", ["sync", "threads", "processes"])
def test_lazy_patches_are_computed_on_the_active_scheduler(tmp_path, path, original, scheduler):
    """Never as a whole, and each write unit is written once."""
    patch = negative(original.chunk(y=25, x=33)).isel(y=slice(5, 70))
    with dask.config.set(scheduler=scheduler, num_workers=1):
        nx.write_region(patch, path)
    assert_is(path, nx.paste(original, patch.compute()), tmp_path)


def test_a_patch_may_be_computed_from_the_image_it_goes_into(tmp_path, path, original):
    """Pixel by pixel."""
    lazy = nx.open_ome_zarr(path, chunks={"y": 48, "x": 48})["0"]["image"]
    nx.write_region(lazy.isel(y=slice(3, 60)) + lazy.dtype.type(1), path)
    assert_is(path, nx.paste(original, original.isel(y=slice(3, 60)) + original.dtype.type(1)), tmp_path)


@pytest.mark.parametrize("lazy", [False, True])
def test_each_write_unit_is_written_once(tmp_path, original, lazy):
    """Shards are units."""
    group = zarr.open_group(written(original, tmp_path / "a.zarr"))
    attributes, shape = group.attrs.asdict(), original.shape
    store = zarr.storage.MemoryStore()
    other = zarr.open_group(store, mode="w", attributes=attributes)
    shards = {"0": (1, 2, 32, 32), "1": None, "2": None}
    for name, shard in shards.items():
        size = group[name].shape
        other.create_array(name, shape=size, dtype="u2", chunks=(1, 1, 8, 8), shards=shard)
    patch = original.isel(y=slice(20, 70)).chunk(y=3) if lazy else original.isel(y=slice(20, 70))
    keys = []
    put = zarr.storage.MemoryStore.set

    async def spy(self, key, *args, **options):
        keys.append(key)
        await put(self, key, *args, **options)

    with mock.patch.object(zarr.storage.MemoryStore, "set", spy):
        nx.write_region(patch, store)
    units = [key for key in keys if "/c/" in key]
    assert len(units) == len(set(units))
    assert sum(key.startswith("0/c/") for key in units) == 3 * 1 * 3 * 3
    assert_array_equal(other["0"][:, :, 20:], original.values[:, :, 20:])
    assert shape == other["0"].shape


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"y": slice(16, 40)}, r"axis 'y': .*pixels \[16, 40\) .* parts of units of 16 .* such as \[16, 48\)"),
        ({"x": slice(3, 90)}, r"axis 'x': .*pixels \[3, 90\) .* such as \[0, 90\), or pass exclusive=True"),
    ],
)
def test_workers_write_whole_units_unless_nobody_else_writes(tmp_path, path, original, part, message):
    """The error says which would do."""
    patch = negative(original.isel(part))
    before = files_of(path)
    with pytest.raises(NgioValueError, match=message):
        nx.write_region(patch, path, consolidate=False)
    assert files_of(path) == before
    nx.write_region(patch, path, consolidate=False, exclusive=True)
    nx.consolidate_ome_zarr(path, [])
    assert_is(path, nx.paste(original, patch), tmp_path)


def test_units_at_the_border_are_whole(path, original):
    """Of the last ones there is no more."""
    nx.write_region(original.isel(y=slice(64, 70), x=slice(80, 90)), path, consolidate=False)


@pytest.mark.parametrize(
    ("patch", "roi", "error", "message"),
    [
        (lambda p: p.astype("f4"), None, NgioTypeError, "float32 do not all fit into uint16"),
        (lambda p: p, ROI, NgioValueError, "axis 'y': the patch must have the 22 pixels that the region holds"),
        (lambda p: p.assign_coords(c=["DNA", "b", "c"]), None, NgioValueError, "'b' along 'c', which the image lacks"),
        (lambda p: nx.zoom(p, 0.5), None, NgioValueError, "along 'z': the pixel sizes differ|along 'y'"),
        (lambda p: p.expand_dims("t"), None, NgioValueError, "must have axes of the image's .*, got 't'"),
        (lambda p: nx.as_image(p, origin=1e6), None, NgioEmptyRegionError, "along axis"),
        (lambda p: p.drop_vars("y"), None, NgioValueError, "axis 'y': the patch has 20 pixels and no place"),
        (lambda p: p.values, None, NgioValueError, "with roi=, got ndarray of 4 without roi"),
        (lambda p: p, nx.Roi.from_values({"y": (900, 9), "x": (0, 5)}, name=None), NgioEmptyRegionError, "axis 'y'"),
        (lambda p: p, "cell", NgioTypeError, "roi must be a Roi"),
    ],
)
def test_patches_that_do_not_fit_leave_the_image_as_it_was(path, original, patch, roi, error, message):
    """As in paste; nothing is written."""
    before = files_of(path)
    with pytest.raises(error, match=message):
        nx.write_region(patch(original.isel(y=slice(5, 25))), path, roi)
    assert files_of(path) == before


def _without_level(path):
    (path / "1" / "zarr.json").unlink()
    return path


def _with_other_dtype(path):
    zarr.create_array(path, name="1", shape=(3, 2, 35, 45), dtype="u1", overwrite=True)
    return path


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda path: path / "bogus", NgioFileNotFoundError, "does not exist"),
        (lambda path: path / "0", NgioFileNotFoundError, "no zarr group"),
        (lambda path: 5, NgioTypeError, "store must be a path"),
        (lambda path: zarr.open_group(path, mode="r"), NgioValueError, "read-only"),
        (_without_level, NgioValidationError, "has no array '1'"),
        (_with_other_dtype, NgioValueError, "must have one dtype"),
        (lambda path: zarr.open_group(path.parent / "b.zarr", mode="w"), NgioValidationError, "no OME-Zarr image"),
    ],
)
def test_images_that_cannot_be_written_to_are_refused(path, original, change, error, message):
    """Before anything is written."""
    place = change(path)
    before = files_of(path)
    for act in (lambda: nx.write_region(original, place), lambda: nx.consolidate_ome_zarr(place)):
        with pytest.raises(error, match=message):
            act()
    assert files_of(path) == before


def test_an_image_that_is_being_replaced_is_refused(path, original):
    """Its levels may be missing."""
    with (
        mock.patch("ngio_x.ngff.region.is_unfinished", return_value=True),
        pytest.raises(NgioValueError, match="were being replaced"),
    ):
        nx.write_region(original, path)


class InterruptError(Exception):
    """Somebody stops a run."""


@pytest.mark.parametrize("consolidate", [True, False])
@pytest.mark.parametrize("step", ["_write", "consolidate_pyramid"])
def test_a_write_that_is_cut_off_is_finished_by_the_next_consolidation(tmp_path, path, original, consolidate, step):
    """Before level 0 is complete, or after: marks have been there before."""
    patch = negative(original.isel(y=slice(16, 48)))
    with mock.patch(f"ngio_x.ngff.region.{step}", side_effect=InterruptError):
        if step == "consolidate_pyramid" and not consolidate:
            nx.write_region(patch, path, consolidate=False)
        else:
            with pytest.raises(InterruptError):
                nx.write_region(patch, path, consolidate=consolidate)
    with pytest.warns(NgioUserWarning, match="consolidate_ome_zarr finishes the work"):
        nx.open_ome_zarr(path)
    zarr.open_array(path / "0", mode="r+")[:, :, 16:48] = patch.values  # as far as it came
    nx.consolidate_ome_zarr(path, [])
    assert_is(path, nx.paste(original, patch), tmp_path)


def test_a_patch_that_fails_leaves_marks(path, original):
    """What had been written of it before is consolidated by the next run."""

    def fail(block):
        raise InterruptError

    patch = original.copy(data=da.from_array(original.values).map_blocks(fail, dtype="u2", meta=np.empty((), "u2")))
    with pytest.raises(InterruptError):
        nx.write_region(patch, path)
    assert list(path.rglob(FOLDER)) != []
    nx.consolidate_ome_zarr(path, [])
    with warnings.catch_warnings():
        nx.open_ome_zarr(path)


def test_a_damaged_unit_is_named(path, original):
    """Of a unit that is written in part, the rest is to be kept."""
    (path / "0" / "c" / "0" / "0" / "0" / "0").write_bytes(b"damaged")
    with pytest.raises(NgioStorageError, match="could not write"):
        nx.write_region(original.isel(y=slice(3, 9)), path)


@pytest.mark.parametrize(
    "region",
    [
        ROI,
        ROI.to_pixel(SIZE, {"y": 7.0, "x": -3.0}),
        {"y": slice(6, 28), "x": slice(23, 63)},
        (..., slice(6, 28), slice(23, 63)),
    ],
    ids=["world", "pixel", "slices", "tuple"],
)
def test_regions_are_spelled_in_any_way(tmp_path, path, original, region):
    """In the world by the lattice of level 0."""
    level0 = zarr.open_array(path / "0", mode="r+")
    level0[..., 6:28, 23:63] = 7
    nx.consolidate_ome_zarr(path, [region])
    expected = original.copy()
    expected[..., 6:28, 23:63] = 7
    assert_is(path, expected, tmp_path)


def test_a_whole_image_is_consolidated_by_its_document(tmp_path, path, original):
    """With progress, in any mode."""
    level0 = zarr.open_array(path / "0", mode="r+")
    level0[...] = negative(original).values
    seen = []
    nx.consolidate_ome_zarr(path, mode="numpy", progress=lambda done, total: seen.append((done, total)))
    assert seen[-1][0] == seen[-1][1]
    assert_is(path, negative(original), tmp_path)


@pytest.mark.parametrize("regions", [ROI, "all", 5, {"y": slice(3)}])
def test_regions_are_a_list(path, regions):
    """One alone is put into it by the caller."""
    with pytest.raises(NgioTypeError, match="regions must be a list"):
        nx.consolidate_ome_zarr(path, regions)


def test_regions_outside_are_refused(path):
    """As everywhere."""
    with pytest.raises(NgioEmptyRegionError, match="axis 'y'"):
        nx.consolidate_ome_zarr(path, [nx.Roi.from_values({"y": (900.0, 1.0), "x": (0.0, 5.0)}, name=None)])
    with pytest.raises(NgioValueError, match="reaches beyond"):
        nx.consolidate_ome_zarr(path, [{"y": slice(60, 99)}])


def test_the_frame_is_that_of_opening(tmp_path, path, original):
    """A patch of a tree that was opened in a frame goes back to where it came from."""
    piece = nx.open_ome_zarr(path, frame="center")["0"]["image"].isel(y=slice(3, 9)).compute()
    with pytest.raises(NgioValueError, match="shifted"):
        nx.write_region(piece, path)
    nx.write_region(negative(piece), path, frame="center")
    assert_is(path, nx.paste(original, negative(original.isel(y=slice(3, 9)))), tmp_path)


@pytest.mark.parametrize("lazy", [False, True])
def test_inputs_are_untouched(path, original, lazy):
    """A patch that is read-only passes."""
    original.values.flags.writeable = False
    patch = (original.chunk(y=9) if lazy else original).assign_attrs(note=[1])
    before = pickle.dumps(patch.compute())
    nx.write_region(patch.isel(y=slice(5, 9)), path)
    assert pickle.dumps(patch.compute()) == before


def test_what_other_processes_cannot_see_is_refused(original):
    """Of an image in memory, each would write to its own copy."""
    store = zarr.storage.MemoryStore()
    nx.write_ome_zarr(original, store, levels=1)
    with (
        dask.config.set(scheduler="processes"),
        pytest.raises(NgioValueError, match="in the memory of this process"),
    ):
        nx.write_region(original.chunk(y=9), store)
    nx.write_region(negative(original), store, consolidate=False)
    assert_array_equal(nx.open_ome_zarr(store)["0"]["image"], negative(original))


@pytest.mark.parametrize("lazy", ["", "patch", "mask", "both"])
@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_only_pixels_where_the_mask_is_true_are_written(tmp_path, original, version, lazy):
    """As by paste; the mask may lack axes, be larger than the patch or smaller, and be lazy."""
    path = written(original, tmp_path / "a.zarr", version=version)
    inside = (original > 30).isel(c=0, drop=True).isel(y=slice(4, 60), x=slice(20, 90))
    patch = negative(nx.crop(original, ROI))
    expected = nx.paste(original, patch, where=inside)
    given = patch.chunk(y=7, x=11) if lazy in ("patch", "both") else patch
    nx.write_region(given, path, where=inside.chunk(y=9) if lazy in ("mask", "both") else inside)
    assert_is(path, expected, tmp_path, version=version)


@pytest.mark.parametrize("lazy", [False, True])
def test_units_without_a_true_pixel_are_neither_read_nor_written(path, original, lazy):
    """Nor is what a damaged neighbour holds looked at."""
    before = files_of(path)
    inside = xr.zeros_like(original, bool)
    inside[:, :, :10, :10] = True
    patch = negative(original.chunk(y=20) if lazy else original)
    nx.write_region(patch, path, where=inside, consolidate=False)
    after = files_of(path)
    changed = {str(file) for file in before if before[file] != after[file]}
    assert changed == {f"0/c/{c}/0/0/0" for c in range(3)}
    nx.consolidate_ome_zarr(path, [])


def test_objects_of_a_label_image_are_written_without_their_neighbours(tmp_path):
    """A corrected outline, where the boxes of objects overlap."""
    path = written(image("yx", (40, 40)), tmp_path / "a.zarr")
    pixels = np.zeros((40, 40), "u4")
    pixels[2:30, 2:6] = pixels[26:30, 2:30] = 1
    pixels[5:20, 10:25] = 2
    labels = nx.as_labels(pixels, "yx", 0.5)
    nx.write_labels(labels, path, "nuclei")
    place = path / "labels" / "nuclei"
    box = nx.compute_masking_roi(labels)[0]
    nx.write_region(xr.full_like(nx.crop(labels, box), 7), place, where=labels == 1)
    found = nx.open_ome_zarr(path)["labels/nuclei/0"]["nuclei"]
    assert_array_equal(found, np.where(pixels == 1, 7, pixels))


@pytest.mark.parametrize(
    ("where", "error", "message"),
    [
        (lambda p: p, NgioTypeError, "where must be boolean, got uint16"),
        (lambda p: (p > 1).values[..., 1:], NgioValueError, "where must have the patch's shape"),
    ],
)
def test_masks_that_do_not_fit_leave_the_image_as_it_was(path, original, where, error, message):
    """As in paste; nothing is written."""
    before = files_of(path)
    with pytest.raises(error, match=message):
        nx.write_region(original, path, where=where(original))
    assert files_of(path) == before
