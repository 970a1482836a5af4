"""Hostile and damaged files: one clear error each, no partial tree, no hang, nothing read outside of the group."""

import json

import numpy as np
import pytest
import zarr

import ngio_x as nx
from ngio_x.errors import NgioFileNotFoundError, NgioValidationError, NgioValueError


@pytest.fixture(params=["0.4", "0.5"])
def version(request):
    return request.param


@pytest.fixture
def path(tmp_path, version):
    image = nx.as_image(np.zeros((8, 8), "u1"), "yx", 0.5)
    nx.write_ome_zarr(image, tmp_path / "a.zarr", levels=2, version=version)
    nx.write_labels(nx.as_labels(image), tmp_path / "a.zarr", "cells")
    return tmp_path / "a.zarr"


def file_of(group, *, of_array=False):
    """Return the file that holds the attributes of a group, or the shape of an array."""
    modern = group / "zarr.json"
    return modern if modern.exists() else group / (".zarray" if of_array else ".zattrs")


def edit(file, change):
    document = json.loads(file.read_text())
    change(document)
    file.write_text(json.dumps(document))


def ome(document):
    document = document.get("attributes", document)
    return document.get("ome", document)


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "not json", "\x00\x01", '{"a": 1}}', "[" * 5000])
@pytest.mark.parametrize("where", ["", "labels", "labels/cells"])
def test_metadata_of_a_group_that_are_no_json_object_are_refused(path, where, text):
    """Truncated, empty, or something else."""
    file_of(path / where).write_text(text)
    with pytest.raises((NgioValidationError, NgioFileNotFoundError)):
        nx.open_ome_zarr(path)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "3", "not json", '{"a": 1}}'])
@pytest.mark.parametrize("where", ["0", "1", "labels/cells/1"])
def test_metadata_of_an_array_that_are_no_json_object_are_refused(path, where, text):
    """The array is named."""
    file_of(path / where, of_array=True).write_text(text)
    with pytest.raises(NgioValidationError, match=f"a.zarr/{where} cannot be read|has no array '{where[-1]}'"):
        nx.open_ome_zarr(path)


@pytest.mark.parametrize("dtype", ["U4", "S4", "M8[s]", [("a", "u1")]])
def test_levels_that_hold_no_numbers_are_refused(tmp_path, dtype):
    """Strings, times and records are no grey levels."""
    nx.write_ome_zarr(nx.as_image(np.zeros((8, 8), "u1")), tmp_path / "a.zarr", levels=1, version="0.4")
    zarr.create_array(tmp_path / "a.zarr/0", shape=(8, 8), dtype=np.dtype(dtype), zarr_format=2, overwrite=True)
    with pytest.raises(NgioValidationError, match=r"datasets\[0\].path: the array '0' holds .*, no numbers"):
        nx.open_ome_zarr(tmp_path / "a.zarr")


def test_labels_that_hold_no_integers_are_refused(path, version):
    """The label image is named."""
    zarr.create_array(
        path / "labels/cells/0", shape=(8, 8), dtype="f4", zarr_format=2 if version == "0.4" else 3, overwrite=True
    )
    with pytest.raises(NgioValidationError, match=r"labels/cells: .* is of a label image, but holds float32"):
        nx.open_ome_zarr(path)


def absurd(shape, chunk):
    """Return a change of the metadata of an array."""

    def change(document):
        document["shape"] = shape
        if "chunks" in document:
            document["chunks"] = chunk
        else:
            document["chunk_grid"]["configuration"]["chunk_shape"] = chunk

    return change


@pytest.mark.parametrize("chunk", [[1, 1], [10**6, 10**6], [10**12, 1]])
def test_an_absurd_shape_is_refused_with_dask_and_lazy_without(path, chunk):
    """There is no graph for 10²⁴ pixels, but the rest of the description is at hand."""
    edit(file_of(path / "0", of_array=True), absurd([10**12, 10**12], chunk))
    with pytest.raises(NgioValueError, match=r"has \d+ blocks: pass larger chunks"):
        nx.open_ome_zarr(path)
    assert nx.open_ome_zarr(path, chunks=None)["0"]["image"].shape == (10**12, 10**12)


def test_pixels_that_are_not_there_are_read_from_an_absurd_shape(path):
    """A chunk at a time."""
    edit(file_of(path / "0", of_array=True), absurd([10**12, 10**12], [1, 1]))
    assert nx.open_ome_zarr(path, chunks=None)["0"]["image"][5:7, -2:].values.tolist() == [[0, 0], [0, 0]]


def test_many_small_chunks_are_read_in_blocks_of_many(path):
    """A million times a million pixels in tiny chunks is an image like others."""
    edit(file_of(path / "0", of_array=True), absurd([10**6, 10**6], [16, 16]))
    assert max(nx.open_ome_zarr(path)["0"]["image"].data.numblocks) < 1000


def test_chunks_without_pixels_are_refused(path):
    """Zarr itself takes false for a size of 0."""
    edit(file_of(path / "0", of_array=True), absurd([8, 8], [False, 8]))
    with pytest.raises(NgioValidationError, match=r"has no pixels in a chunk|cannot be read"):
        nx.open_ome_zarr(path)


@pytest.mark.parametrize("shape", [[0, 8], [8, 0]])
def test_an_array_without_pixels_is_refused(path, shape):
    """The array and its shape are named."""
    edit(file_of(path / "0", of_array=True), lambda document: document.update(shape=shape))
    with pytest.raises(NgioValidationError, match=r"the array '0' has no pixels: its shape is"):
        nx.open_ome_zarr(path)


@pytest.mark.parametrize("name", [".", "./cells", "cells/.", "..", "../labels/cells", "/cells", "cells/../cells", ""])
def test_label_lists_lead_nowhere_but_down(path, name):
    """The list itself, its parents, and absolute paths are no label images."""
    edit(file_of(path / "labels"), lambda document: ome(document).update(labels=[name]))
    with pytest.raises(NgioValidationError, match=r"labels\[0\]: must be a (path inside of the group|non-empty)"):
        nx.open_ome_zarr(path)


def test_labels_that_list_themselves_are_read_once(path):
    """Label images have no label images: what stands below one is left alone."""
    (path / "labels/cells/labels").symlink_to(path / "labels", target_is_directory=True)
    tree = nx.open_ome_zarr(path)
    assert [node.path for node in tree.subtree if "labels" in node.path] == [
        "/labels", "/labels/cells", "/labels/cells/0", "/labels/cells/1",
    ]  # fmt: skip
    assert not nx.validate_ome_zarr(path).errors


def test_a_directory_that_leads_back_to_its_parent_does_not_loop(path):
    """An image that lists itself as its label image is read as such, once."""
    (path / "labels/loop").symlink_to(path, target_is_directory=True)
    edit(file_of(path / "labels"), lambda document: ome(document).update(labels=["loop"]))
    assert list(nx.open_ome_zarr(path)["labels"].children) == ["loop"]


def test_a_thousand_labels_that_do_not_exist_are_one_error(path):
    """The first is named, soon."""
    edit(file_of(path / "labels"), lambda document: ome(document).update(labels=[f"l{i}" for i in range(1000)]))
    with pytest.raises(NgioValidationError, match="lists the labels 'l0', but has no such group"):
        nx.open_ome_zarr(path)


def test_a_level_may_not_be_a_file_of_zarr(path):
    """A path through a file leads nowhere."""
    name = "zarr.json/0" if (path / "zarr.json").exists() else ".zattrs/0"
    edit(file_of(path), lambda document: ome(document)["multiscales"][0]["datasets"][1].update(path=name))
    with pytest.raises(NgioValidationError, match="has no array"):
        nx.open_ome_zarr(path)


@pytest.mark.parametrize("name", ["0\0", "\ud800", "é" * 255, "\t", "c", "?", "con"])
def test_paths_that_file_systems_cannot_hold_are_refused(path, name):
    """As any other array that is not there."""
    edit(file_of(path), lambda document: ome(document)["multiscales"][0]["datasets"][1].update(path=name))
    with pytest.raises(NgioValidationError, match=r"has no array|must be a path inside of the group"):
        nx.open_ome_zarr(path)
