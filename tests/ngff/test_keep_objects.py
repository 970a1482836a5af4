"""Label images on disk whose levels keep their objects."""

import json
from concurrent.futures import ThreadPoolExecutor
from unittest import mock

import dask
import dask.array as da
import numpy as np
import pytest
import zarr
from numpy.testing import assert_array_equal

import ngio_x as nx
from ngio_x.errors import NgioFileExistsError, NgioUserWarning, NgioValueError

SHAPE = (61, 83)
LEVELS = ((30, 41), (15, 20))


def spots():
    """Objects of one pixel, in each pixel of the coarsest level at most one, and one large one."""
    labels = np.zeros(SHAPE, "u8")
    labels[40:, 40:] = 9
    labels[1:38:5, 1:80:7] = 2**60 + np.arange(8 * 12).reshape(8, 12)
    return labels


def named(labels, **options):
    return nx.as_labels(labels, "yx", 0.5, name="cells", **options)


def expected(labels, order="nearest", *, keep=True):
    levels, natural = [labels], labels
    for shape in LEVELS:
        natural = nx.numpy_zoom(natural, target_shape=shape, order=order)
        levels.append(nx.keep_objects(natural, labels) if keep else natural)
    return levels


def assert_levels(store, levels, path="labels/cells", name="cells"):
    nodes = nx.open_ome_zarr(store)[path].children if path else nx.open_ome_zarr(store).children
    found = [node[name] for number, node in nodes.items() if number.isdecimal()]
    assert len(found) == len(levels)
    for ours, theirs in zip(found, levels, strict=True):
        assert_array_equal(ours, theirs)


@pytest.fixture(params=["0.4", "0.5"])
def version(request):
    return request.param


@pytest.fixture
def path(tmp_path, version):
    image = nx.as_image(np.zeros(SHAPE, "u1"), "yx", 0.5)
    nx.write_ome_zarr(image, tmp_path / "a.zarr", levels=3, version=version)
    return tmp_path / "a.zarr"


@pytest.fixture
def kept(path):
    nx.write_labels(named(spots()), path, "cells", chunks={"y": 16, "x": 16}, keep_objects=True)
    return path


def test_every_level_has_all_objects_and_the_metadata_say_why(kept):
    """The call that made them is recorded as the specification recommends."""
    assert_levels(kept, expected(spots()))
    for node in nx.open_ome_zarr(kept)["labels/cells"].children.values():
        assert_array_equal(nx.unique_ids(node["cells"]), nx.unique_ids(spots()))
    attrs = nx.open_ome_zarr(kept)["labels/cells"].attrs
    assert attrs["kernel"] == "nearest"
    call = {"order": "nearest", "keep_objects": True}
    assert json.loads(attrs["metadata"]) == {"method": "ngio_x.write_labels", "kwargs": call}
    assert nx.validate_ome_zarr(kept).errors == ()


def test_objects_are_lost_where_they_are_not_to_be_kept(path):
    """As by default."""
    nx.write_labels(named(spots()), path, "cells")
    assert_levels(path, expected(spots(), keep=False))
    assert json.loads(nx.open_ome_zarr(path)["labels/cells"].attrs["metadata"])["kwargs"] == {"order": "nearest"}


@pytest.mark.parametrize("scheduler", ["threads", "sync", pytest.param(ThreadPoolExecutor(2), id="pool")])
@pytest.mark.parametrize("lazy", [False, True])
def test_the_pixels_are_the_same_on_every_scheduler(path, lazy, scheduler):
    """Of arrays in memory, and of lazy ones, of which each block is computed once."""
    labels = da.from_array(spots(), chunks=20) if lazy else spots()
    with dask.config.set(scheduler=scheduler):
        nx.write_labels(named(labels), path, "cells", order="mode", chunks={"y": 7, "x": 9}, keep_objects=True)
        assert_levels(path, expected(spots(), "mode"))
        group = zarr.open_group(path / "labels" / "cells")
        for level in "12":
            group[level][...] = 0
        nx.consolidate_ome_zarr(group)
    assert_levels(path, expected(spots(), "mode"))


def test_blocks_are_computed_once(path):
    """They may take long, or be random."""
    calls = []

    def count(block):
        calls.append(1)
        return block

    lazy = da.from_array(spots(), chunks=40).map_blocks(count, dtype="u8", meta=np.empty((0, 0), "u8"))
    with dask.config.set(scheduler="sync"):
        nx.write_labels(named(lazy), path, "cells", keep_objects=True)
    assert len(calls) == 6
    assert_levels(path, expected(spots()))


def test_a_cluster_keeps_the_same_objects(tmp_path):
    """On disk its workers do so; in memory, which they do not see, threads of this process."""
    distributed = pytest.importorskip("distributed")
    options = {"n_workers": 1, "threads_per_worker": 1, "dashboard_address": ":0", "memory_limit": 0}
    image = nx.as_image(np.zeros(SHAPE, "u1"), "yx", 0.5)
    lazy = da.from_array(spots(), chunks=40)
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster):
        for store, labels in ((tmp_path / "a.zarr", lazy), (zarr.storage.MemoryStore(), spots())):
            nx.write_ome_zarr(image, store, levels=3, labels={"cells": named(labels)}, keep_objects=True)
            assert_levels(store, expected(spots()))


def test_labels_written_with_their_image_are_kept_alike(tmp_path, version):
    """And an image that is a label image itself."""
    image = nx.as_image(np.zeros(SHAPE, "u1"), "yx", 0.5)
    options = {"levels": 3, "version": version, "keep_objects": True}
    nx.write_ome_zarr(image, tmp_path / "a.zarr", labels={"cells": named(spots())}, **options)
    assert_levels(tmp_path / "a.zarr", expected(spots()))
    assert "keep_objects" not in json.loads(nx.open_ome_zarr(tmp_path / "a.zarr").attrs["metadata"])["kwargs"]
    nx.write_ome_zarr(named(spots()), tmp_path / "b.zarr", **options)
    assert_levels(tmp_path / "b.zarr", expected(spots()), "", "image")


def test_a_tree_keeps_what_it_is(kept, tmp_path):
    """Written again, its levels are the same; made anew, they keep objects as well; and so does what is derived."""
    tree = nx.open_ome_zarr(kept)
    nx.write_ome_zarr(tree, tmp_path / "b.zarr")
    assert_levels(tmp_path / "b.zarr", expected(spots()))
    assert nx.open_ome_zarr(tmp_path / "b.zarr")["labels/cells"].attrs == tree["labels/cells"].attrs | {
        "version": "0.5"
    }
    nx.write_ome_zarr(tree, tmp_path / "c.zarr", levels=2)
    assert_levels(tmp_path / "c.zarr", expected(spots())[:2])
    nx.derive(tree["labels/cells"], tmp_path / "d.zarr")
    nx.write_region(named(spots()), tmp_path / "d.zarr")
    assert_levels(tmp_path / "d.zarr", expected(spots()), "", "image")


def test_levels_of_a_tree_get_back_what_they_lost_if_that_is_asked_for(path, tmp_path):
    """Their own pixels stay; who made them is still known."""
    nx.write_labels(named(spots()), path, "cells", order="mode")
    nx.write_ome_zarr(nx.open_ome_zarr(path), tmp_path / "b.zarr", keep_objects=True)
    assert_levels(tmp_path / "b.zarr", expected(spots(), "mode"))
    call = {"order": "mode", "keep_objects": True}
    assert json.loads(nx.open_ome_zarr(tmp_path / "b.zarr")["labels/cells"].attrs["metadata"])["kwargs"] == call


def test_an_edit_changes_all_that_it_decides(kept):
    """Here an object becomes visible by itself: the pixel in which it was put back, far away, is what it was before."""
    labels = spots()
    labels[1, 1] = labels[1, 8] = labels[36, 78] = 77  # in pixels that nearest does not take
    with pytest.raises(NgioFileExistsError):
        nx.write_labels(named(labels), kept, "cells")
    nx.write_region(named(labels), kept / "labels" / "cells")
    assert_levels(kept, expected(labels))
    labels[50:60, 60:70] = 77
    nx.write_region(named(labels).isel(y=slice(48, 61), x=slice(48, 80)), kept / "labels" / "cells")
    assert_levels(kept, expected(labels))
    assert expected(labels)[2][0, 0] != 77


def test_pieces_are_consolidated_at_once(kept):
    """What was written is noted; regions are checked, though everything is rebuilt."""
    labels = spots()[::-1]
    store = kept / "labels" / "cells"
    for y in range(0, 61, 16):
        nx.write_region(named(labels.copy()).isel(y=slice(y, y + 16)), store, consolidate=False)
    with pytest.raises(NgioValueError, match="reaches beyond"):
        nx.consolidate_ome_zarr(store, [{"y": slice(0, 99)}])
    nx.consolidate_ome_zarr(store, [])
    assert_levels(kept, expected(labels))


@pytest.mark.parametrize("function", ["consolidate_pyramid", "keep_on_disk"])
def test_work_that_is_cut_off_is_finished_by_the_next_consolidation(kept, function):
    """Before the levels are made again, or before objects are put back."""
    labels = spots()[:, ::-1].copy()
    store = kept / "labels" / "cells"
    with mock.patch(f"ngio_x.ngff.region.{function}", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        nx.write_region(named(labels), store)
    with pytest.warns(NgioUserWarning, match="consolidate_ome_zarr finishes the work"):
        nx.open_ome_zarr(kept)
    nx.consolidate_ome_zarr(store, [])
    assert_levels(kept, expected(labels))


@pytest.mark.parametrize("overwrite", [False, True])
def test_labels_appear_only_when_their_objects_have_been_put_back(path, overwrite):
    """An error leaves what was there."""
    if overwrite:
        nx.write_labels(named(spots() + 1), path, "cells")
    with mock.patch("ngio_x.ngff.fill.keep_on_disk", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        nx.write_labels(named(spots()), path, "cells", keep_objects=True, overwrite=overwrite)
    if overwrite:
        assert_levels(path, expected(spots() + 1, keep=False))
    else:
        assert "labels" not in nx.open_ome_zarr(path).children


def test_an_option_without_labels_is_refused(tmp_path):
    """Integers without the role of labels are an image."""
    image = nx.as_image(spots(), "yx")
    with pytest.raises(NgioValueError, match="is for label images, and there are none: make them with as_labels"):
        nx.write_ome_zarr(image, tmp_path / "a.zarr", keep_objects=True)
    with pytest.raises(NgioValueError, match="keep_objects must be true or false, got 'yes'"):
        nx.write_ome_zarr(named(spots()), tmp_path / "a.zarr", keep_objects="yes")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("metadata", [{"kwargs": [1]}, {"kwargs": {"keep_objects": "true"}}, {"kwargs": None}, {}])
def test_what_others_record_is_no_wish_of_ours(path, metadata):
    """And it stays as it is."""
    nx.write_labels(named(spots()), path, "cells")
    group = zarr.open_group(path / "labels" / "cells")
    attrs = group.attrs.asdict()
    attrs.get("ome", attrs)["multiscales"][0]["metadata"] = metadata
    group.attrs.put(attrs)
    nx.write_region(named(spots()), group)
    assert_levels(path, expected(spots(), keep=False))
