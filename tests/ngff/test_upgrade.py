"""OME-Zarr hierarchies in another version: all that was there is there, and chunks are the bytes they were."""

import json
import shutil
import subprocess
import sys
import zipfile
from contextlib import nullcontext

import numpy as np
import pytest
import xarray as xr
import zarr
from numpy.testing import assert_array_equal
from zarr.core.codec_pipeline import BatchedCodecPipeline

import ngio_x as nx
from ngio_x.errors import (
    NgioFileExistsError,
    NgioFileNotFoundError,
    NgioStorageError,
    NgioTypeError,
    NgioValidationError,
    NgioValueError,
)
from ngio_x.testing.samples import noise
from tests.ngff.test_plates import write_plate
from tests.ngff.test_versions import PIXELS, early
from tests.official_schemas import complaints

# Files are no nodes to zarr.
pytestmark = pytest.mark.filterwarnings("ignore:Object at:zarr.errors.ZarrUserWarning")

BACKENDS = ["csv", "json", "parquet", "anndata_v1"]
OTHER = {"0.4": "0.5", "0.5": "0.4"}


def write_image(path, version="0.4", **options):
    """Write an image of two channels and three levels, with labels and two tables."""
    pixels = noise((2, 70, 90), "u2", high=60000)
    units = {"y": "micrometer", "x": "micrometer"}
    image = nx.as_image(pixels, "cyx", 0.25, origin={"x": 3.0}, units=units, channels=["DAPI", "ß"], name="cells")
    storage = {"chunks": {"y": 32, "x": 32}, **options}
    nx.write_ome_zarr(image, path, version=version, levels=3, **storage)
    labels = nx.as_labels(np.arange(70 * 90, dtype="u4").reshape(70, 90) // 1000, "yx", like=image)
    nx.write_labels(labels, path, "nuclei", colors={1: "FF0000"}, **storage)
    rois = nx.compute_masking_roi(nx.open_ome_zarr(path)["labels/nuclei/0"].ds["nuclei"])
    nx.write_rois(path, "nuclei", rois, table_type="masking_roi_table", label="nuclei")
    nx.write_rois(path, "wells", [nx.Roi.from_values({"y": (0, 4), "x": (4, 5)}, "A1")], backend="json")
    return path


def files_of(root):
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def check_same(one, other):
    """Pixels, lattices, names, units and channels of all images are the same; so is what documents say besides."""
    first, second = nx.open_ome_zarr(one), nx.open_ome_zarr(other)
    assert [node.path for node in first.subtree] == [node.path for node in second.subtree]
    for node in first.subtree:
        there = second[node.path]
        assert without_version(node.attrs) == without_version(there.attrs)
        xr.testing.assert_identical(node.to_dataset(inherit=False).drop_attrs(deep=False).compute(),
                                    there.to_dataset(inherit=False).drop_attrs(deep=False).compute())  # fmt: skip


def without_version(attributes):
    return {key: value for key, value in attributes.items() if key != "version"}


def documents_of(path):
    """Return the attributes of all groups and arrays."""
    group = zarr.open_group(path, mode="r", use_consolidated=False)
    return {"": group.attrs.asdict()} | {name: node.attrs.asdict() for name, node in group.members(max_depth=None)}


@pytest.fixture(params=["0.4", "0.5"])
def version(request):
    return request.param


@pytest.fixture(scope="module")
def templates(tmp_path_factory):
    """Images that are written once, by version."""
    return {version: write_image(tmp_path_factory.mktemp("templates") / "image.zarr", version) for version in OTHER}


@pytest.fixture
def image(templates, tmp_path, version):
    return shutil.copytree(templates[version], tmp_path / "image.zarr")


def test_an_image_in_another_version_is_the_same_image(image, version, tmp_path):
    """It is valid, and so is what comes of it on the way back; the source is as it was."""
    before = files_of(image)
    nx.upgrade_ome_zarr(image, tmp_path / "new.zarr", version=OTHER[version])
    nx.upgrade_ome_zarr(tmp_path / "new.zarr", tmp_path / "old.zarr", version=version)
    assert files_of(image) == before
    for name, expected in (("new.zarr", OTHER[version]), ("old.zarr", version)):
        check_same(image, tmp_path / name)
        assert str(nx.validate_ome_zarr(tmp_path / name)) == f"valid OME-Zarr {expected} image"
        for path, schema in (("", "image"), ("labels/nuclei", "label")):
            assert not complaints(expected, schema, documents_of(tmp_path / name)[path])
        assert nx.open_ome_zarr(tmp_path / name).attrs["version"] == expected
    assert documents_of(tmp_path / "old.zarr") == documents_of(image)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["image.zarr", "new.zarr", "old.zarr"]


def test_the_default_is_the_newest_version(templates, tmp_path):
    """That is why it is called an upgrade."""
    nx.upgrade_ome_zarr(templates["0.4"], str(tmp_path / "b.zarr"))
    assert nx.validate_ome_zarr(tmp_path / "b.zarr").version == "0.5"


def test_chunks_are_copied_byte_for_byte_and_none_is_decoded(image, version, tmp_path, monkeypatch):
    """Of images and labels alike, at every level; under the names that the version gives them."""

    def refuse(*_args, **_more):
        raise AssertionError

    with monkeypatch.context() as forbidden:
        forbidden.setattr(BatchedCodecPipeline, "decode_batch", refuse)
        forbidden.setattr(BatchedCodecPipeline, "encode_batch", refuse)
        nx.upgrade_ome_zarr(image, tmp_path / "new.zarr", version=OTHER[version])
    before, after = (
        {
            name.replace("/c/", "/"): content
            for name, content in files_of(path).items()
            if name.rpartition("/")[2].isdigit()
        }
        for path in (image, tmp_path / "new.zarr")
    )
    assert len(before) == 2 * (9 + 4 + 1) + 9 + 4 + 1
    assert before == after
    assert ((tmp_path / "new.zarr/0/c/1/2/2").exists(), (tmp_path / "new.zarr/0/1/2/2").exists()) == (
        version == "0.4",
        version == "0.5",
    )


def test_shards_become_the_chunks_within_them(tmp_path, monkeypatch):
    """As the bytes they are; files are new ones, not links."""
    image = write_image(tmp_path / "a.zarr", "0.5", shards={"y": 64, "x": 64})
    plain = write_image(tmp_path / "b.zarr", "0.5")
    with monkeypatch.context() as forbidden:
        forbidden.delattr(BatchedCodecPipeline, "decode_batch")
        nx.upgrade_ome_zarr(image, tmp_path / "new.zarr", version="0.4")
    nx.upgrade_ome_zarr(plain, tmp_path / "plain.zarr", version="0.4")
    check_same(image, tmp_path / "new.zarr")
    assert files_of(tmp_path / "new.zarr") == files_of(tmp_path / "plain.zarr")
    assert {path.stat().st_nlink for path in (tmp_path / "new.zarr").rglob("*") if path.is_file()} == {1}


def test_what_must_be_is_encoded_anew(tmp_path):
    """LZ4 is no codec of zarr format 3."""
    image = write_image(tmp_path / "a.zarr", compressors={"id": "lz4", "acceleration": 1})
    nx.upgrade_ome_zarr(image, tmp_path / "b.zarr")
    check_same(image, tmp_path / "b.zarr")
    assert "zstd" in (tmp_path / "b.zarr/0/zarr.json").read_text()


@pytest.mark.parametrize("backend", BACKENDS)
def test_tables_go_along(backend, image, version, tmp_path):
    """Of all backends, with all their columns, and in the same list."""
    if backend in ("parquet", "anndata_v1"):
        pytest.importorskip("pyarrow" if backend == "parquet" else "anndata")
    extra = {"well": "A/1", "images": 3, "multiscales": 0.5, "plate": None, "labels": True}
    rois = [
        nx.Roi.from_values({"y": (k, 4), "x": (4, 5)}, f"roi {k}", **(extra if k else {**extra, "plate": "P"}))
        for k in range(3)
    ]
    nx.write_rois(image, "rois", rois, backend=backend)
    nx.upgrade_ome_zarr(image, tmp_path / "new.zarr", version=OTHER[version])
    nx.upgrade_ome_zarr(tmp_path / "new.zarr", tmp_path / "old.zarr", version=version)
    for path in (tmp_path / "new.zarr", tmp_path / "old.zarr"):
        assert nx.list_tables(path) == ["nuclei", "wells", "rois"]
        for name in nx.list_tables(image):
            assert nx.read_rois(path, name) == nx.read_rois(image, name)


@pytest.fixture
def extended(image, version):
    """Return the image with what others have put into it."""
    group = zarr.open_group(image, mode="r+")
    group.attrs.update({"mine": {"a": [1, None]}, "_creator": "me"})
    inner = group.create_group("extra/inner", attributes={"well": [1, 2], "ome-like": {}})
    names = {"dimension_names": ("t", "n")} if version == "0.5" else {"attributes": {"_ARRAY_DIMENSIONS": ["t", "n"]}}
    inner.create_array("numbers", data=np.arange(6.0).reshape(2, 3), **names)
    inner.create_array("texts", data=np.array(["a", "ö"], "T"))
    inner.create_array("none", shape=(0, 2), dtype="i4", chunks=(1, 1), fill_value=-1)
    inner.create_array("one", shape=(), dtype="f4")[...] = 2.5
    (image / "OME").mkdir()
    (image / "OME" / "METADATA.ome.xml").write_bytes(b"<OME/>")
    (image / "notes.txt").write_bytes(b"")
    (image / ".DS_Store").write_bytes(b"junk")
    (image / ".nuclei.new-12345678" / "0").mkdir(parents=True)
    (image / ".nuclei.new-12345678" / "0" / "zarr.json").write_text("{")
    return image


def test_what_others_put_there_goes_along(extended, version, tmp_path):
    """Attributes, groups, arrays and files, in directories with and without metadata; not what is hidden."""
    nx.upgrade_ome_zarr(extended, tmp_path / "new.zarr", version=OTHER[version])
    group = zarr.open_group(tmp_path / "new.zarr", mode="r")
    assert group.attrs["mine"] == {"a": [1, None]}
    assert group["extra/inner"].attrs.asdict() == {"well": [1, 2], "ome-like": {}}
    assert_array_equal(group["extra/inner/numbers"], [[0, 1, 2], [3, 4, 5]])
    assert group["extra/inner/texts"][...].tolist() == ["a", "ö"]
    assert group["extra/inner/none"].shape == (0, 2)
    assert group["extra/inner/none"].fill_value == -1
    assert group["extra/inner/one"][()] == 2.5
    numbers = group["extra/inner/numbers"]
    found = numbers.metadata.dimension_names if version == "0.4" else numbers.attrs["_ARRAY_DIMENSIONS"]
    assert [*found] == ["t", "n"]
    files = files_of(tmp_path / "new.zarr")
    assert (files["OME/METADATA.ome.xml"], files["notes.txt"]) == (b"<OME/>", b"")
    assert not [name for name in files if "DS_Store" in name or "new-" in name]
    nx.upgrade_ome_zarr(tmp_path / "new.zarr", tmp_path / "old.zarr", version=version)
    attributes = {name: without_dimensions(found) for name, found in documents_of(tmp_path / "old.zarr").items()}
    assert attributes == {name: without_dimensions(found) for name, found in documents_of(extended).items()}


def without_dimensions(attributes):
    return {key: value for key, value in attributes.items() if key != "_ARRAY_DIMENSIONS"}


def test_keys_of_others_in_documents_stay(image, version, tmp_path):
    """At any depth, and in words that the specification does not know; a second multiscales, too."""
    group = zarr.open_group(image, mode="r+")
    attributes = group.attrs.asdict()
    document = attributes if version == "0.4" else attributes["ome"]
    document["multiscales"][0] |= {"own": 1, "coordinateTransformations": [{"type": "scale", "scale": [1, 2, 2]}]}
    document["multiscales"][0]["datasets"][1]["own"] = [2]
    document["multiscales"].append({**document["multiscales"][0], "name": "second"})
    document["omero"] |= {"version": version, "rdefs": {"model": "color"}}
    document["omero"]["channels"][0]["wavelength_id"] = "A01"
    group.attrs.put(attributes)
    nx.upgrade_ome_zarr(image, tmp_path / "new.zarr", version=OTHER[version])
    said = zarr.open_group(tmp_path / "new.zarr", mode="r").attrs.asdict()
    said = said["ome"] if version == "0.4" else said
    assert without_version(said["omero"]) == without_version(document["omero"])
    assert said["omero"]["version"] == OTHER[version]
    assert [without_version(entry) for entry in said["multiscales"]] == [
        without_version(entry) for entry in document["multiscales"]
    ]
    assert [entry.get("version") for entry in said["multiscales"]] == [None if version == "0.4" else "0.4"] * 2
    nx.upgrade_ome_zarr(tmp_path / "new.zarr", tmp_path / "old.zarr", version=version)
    assert zarr.open_group(tmp_path / "old.zarr", mode="r").attrs.asdict() == attributes


@pytest.mark.parametrize("root", ["", "B/03", "B/03/1"])
def test_plates_and_wells_go_as_a_whole(root, version, tmp_path):
    """Every well and image; also by themselves."""
    plate = write_plate(tmp_path / "plate.zarr", rows=["B"], version=version)
    labels = nx.as_labels(np.eye(24, 32, dtype="u4"), "yx", 0.5)
    nx.write_labels(labels, plate / "B/03/1", "nuclei")
    nx.upgrade_ome_zarr(plate / root, tmp_path / "new.zarr", version=OTHER[version])
    check_same(plate / root, tmp_path / "new.zarr")
    report = nx.validate_ome_zarr(tmp_path / "new.zarr")
    assert (report.errors, report.version) == ((), OTHER[version])
    for path, attributes in documents_of(tmp_path / "new.zarr").items():
        for schema in {"plate", "well"} & (attributes.get("ome") or attributes).keys():
            assert not complaints(OTHER[version], schema, attributes), path


@pytest.mark.parametrize("target", ["0.4", "0.5"])
@pytest.mark.parametrize("source", ["0.1", "0.2", "0.3"])
def test_early_versions_get_the_sizes_of_their_pixels(source, target, tmp_path):
    """As they are read: pixels of level 0 are counted."""
    path = early(tmp_path / "a.zarr", source, ["z", "y", "x"] if source == "0.3" else None, mine=1)
    nx.upgrade_ome_zarr(path, tmp_path / "b.zarr", version=target)
    check_same(path, tmp_path / "b.zarr")
    assert nx.validate_ome_zarr(tmp_path / "b.zarr").errors == ()
    assert zarr.open_group(tmp_path / "b.zarr", mode="r").attrs["mine"] == 1
    assert_array_equal(nx.open_ome_zarr(tmp_path / "b.zarr")["0"]["image"], PIXELS if source != "0.3" else PIXELS[0, 0])
    key = "0/c/0" if target == "0.5" else "0/0/0"
    assert (tmp_path / "b.zarr" / key).is_dir()  # of 0.4, too, though zarr called chunks 0.0.0 here


def test_consolidated_metadata_are_renewed(image, version, tmp_path):
    """Where there are some, for all that is below; nowhere else."""
    nx.upgrade_ome_zarr(image, tmp_path / "none.zarr", version=OTHER[version])
    with pytest.raises(ValueError, match=r"onsolidated|zmetadata"):
        zarr.open_group(tmp_path / "none.zarr", mode="r", use_consolidated=True)
    with pytest.warns(match="Consolidated metadata") if version == "0.5" else nullcontext():
        zarr.consolidate_metadata(zarr.storage.LocalStore(image))
    nx.upgrade_ome_zarr(image, tmp_path / "new.zarr", version=OTHER[version])
    group = zarr.open_group(tmp_path / "new.zarr", mode="r", use_consolidated=True)
    assert_array_equal(group["labels/nuclei/2"], zarr.open_array(image / "labels/nuclei/2", mode="r"))
    assert (
        group.attrs.asdict() == zarr.open_group(tmp_path / "new.zarr", mode="r", use_consolidated=False).attrs.asdict()
    )


def test_consolidated_metadata_are_renewed_in_a_group_that_is_given(image, version):
    """Which remembers, and writes, its attributes itself."""
    with pytest.warns(match="Consolidated metadata") if version == "0.5" else nullcontext():
        zarr.consolidate_metadata(zarr.storage.LocalStore(image))
    target = zarr.create_group(memory(), path="a", zarr_format=3 if version == "0.4" else 2)
    nx.upgrade_ome_zarr(image, target, version=OTHER[version])
    found = zarr.open_group(target.store_path, mode="r", use_consolidated=True)
    assert found.attrs.asdict() == target.attrs.asdict()
    assert_array_equal(found["labels/nuclei/2"], zarr.open_array(image / "labels/nuclei/2", mode="r"))


def test_missing_chunks_stay_missing(image, version, tmp_path):
    """They are read as what they were read as."""
    (image / ("0/0/1/1" if version == "0.4" else "0/c/0/1/1")).unlink()
    nx.upgrade_ome_zarr(image, tmp_path / "new.zarr", version=OTHER[version])
    check_same(image, tmp_path / "new.zarr")
    assert not (tmp_path / "new.zarr" / ("0/c/0/1/1" if version == "0.4" else "0/0/1/1")).exists()


def memory():
    return zarr.storage.MemoryStore()


def zipped(path):
    with zipfile.ZipFile(path.with_suffix(".zip"), "w") as archive:
        for name, content in files_of(path).items():
            archive.writestr(name, content)
    return path.with_suffix(".zip")


def in_memory_system(path):
    fsspec = pytest.importorskip("fsspec")
    system = fsspec.filesystem("memory")
    system.store.clear()
    for name, content in files_of(path).items():
        system.pipe(f"/{path.parent.name}/image.zarr/{name}", content)
    return f"memory://{path.parent.name}/image.zarr"


def in_memory(path):
    store = memory()
    for name, content in files_of(path).items():
        store._store_dict[name] = zarr.core.buffer.default_buffer_prototype().buffer.from_bytes(content)
    return store


SOURCES = {
    "text": str,
    "group": lambda path: zarr.open_group(path, mode="r"),
    "local store": lambda path: zarr.storage.LocalStore(path, read_only=True),
    "zip": zipped,
    "URL": in_memory_system,
    "memory": in_memory,
}


@pytest.mark.parametrize("kind", SOURCES)
def test_a_source_may_be_anywhere(kind, image, version, tmp_path):
    """Whatever is said of its place, the same files come of it."""
    nx.upgrade_ome_zarr(image, tmp_path / "expected.zarr", version=OTHER[version])
    nx.upgrade_ome_zarr(SOURCES[kind](image), tmp_path / "new.zarr", version=OTHER[version])
    assert files_of(tmp_path / "new.zarr") == files_of(tmp_path / "expected.zarr")


TARGETS = {
    "text": lambda folder, _zarr_format: str(folder / "new.zarr"),
    "local store": lambda folder, _zarr_format: zarr.storage.LocalStore(folder / "new.zarr"),
    "memory": lambda _folder, _zarr_format: memory(),
    "group": lambda folder, zarr_format: zarr.create_group(folder / "g.zarr", path="a/b", zarr_format=zarr_format),
    "memory group": lambda _folder, zarr_format: zarr.create_group(memory(), path="a/b", zarr_format=zarr_format),
}


@pytest.mark.parametrize("kind", TARGETS)
def test_a_target_may_be_anywhere(kind, image, version, tmp_path):
    """And what is there is replaced only if that is asked for."""
    target = TARGETS[kind](tmp_path, 3 if version == "0.4" else 2)
    nx.upgrade_ome_zarr(image, target, version=OTHER[version])
    check_same(image, target)
    other = write_plate(tmp_path / "plate.zarr", ["B"], ["03"], ["0"], version)
    with pytest.raises(NgioFileExistsError, match="overwrite=True"):
        nx.upgrade_ome_zarr(other, target, version=OTHER[version])
    check_same(image, target)
    nx.upgrade_ome_zarr(other, target, version=OTHER[version], overwrite=True)
    check_same(other, target)


def test_a_directory_that_is_no_zarr_is_not_replaced(image, version, tmp_path):
    """Not even if that is asked for."""
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "a.txt").touch()
    with pytest.raises(NgioFileExistsError, match="no zarr directory"):
        nx.upgrade_ome_zarr(image, tmp_path / "papers", version=OTHER[version], overwrite=True)
    assert files_of(tmp_path / "papers") == {"a.txt": b""}


@pytest.mark.parametrize("overwrite", [False, True])
def test_target_and_source_may_not_overlap(overwrite, templates, tmp_path, monkeypatch):
    """Neither may be inside the other, by whatever path, or link, or store."""
    image = shutil.copytree(templates["0.4"], tmp_path / "folder.zarr" / "image.zarr")
    (tmp_path / "link").symlink_to(image)
    monkeypatch.chdir(image)
    before = files_of(tmp_path)
    places = [image, image / "new", image / "labels" / "x", tmp_path / "folder.zarr", tmp_path / "link" / "a", "new"]
    places += [".", zarr.storage.LocalStore(image / "a"), f"file://{image}/b"]
    for place in places:
        with pytest.raises(NgioValueError, match="overlaps"):
            nx.upgrade_ome_zarr(image, place, overwrite=overwrite)
    assert files_of(tmp_path) == before
    store = memory()
    nx.upgrade_ome_zarr(image, store)
    group = zarr.open_group(store, mode="r+")
    for place in (store, group, group["labels"], zarr.storage.StorePath(store, "a/b")):
        with pytest.raises(NgioValueError, match="overlaps"):
            nx.upgrade_ome_zarr(store, place, version="0.4", overwrite=overwrite)


def test_what_cannot_be_upgraded_is_refused(templates, tmp_path):
    """With what to do instead; nothing is written."""
    image, new, out = templates["0.4"], templates["0.5"], tmp_path / "out.zarr"
    for path, version in ((image, "0.4"), (new, "0.5")):
        with pytest.raises(NgioValueError, match=f"is of OME-NGFF {version} already: copy it"):
            nx.upgrade_ome_zarr(path, out, version=version)
    with pytest.raises(NgioValueError, match="version must be one of"):
        nx.upgrade_ome_zarr(image, out, version="0.6")
    with pytest.raises(NgioValueError, match="is a label image, whose place is relative to its image"):
        nx.upgrade_ome_zarr(image / "labels" / "nuclei", out)
    with pytest.raises(NgioValidationError, match="list of label images"):
        nx.upgrade_ome_zarr(image / "labels", out)
    with pytest.raises(NgioValidationError, match="no OME-Zarr image"):
        nx.upgrade_ome_zarr(image / "tables", out)
    with pytest.raises(NgioFileNotFoundError, match="an array"):
        nx.upgrade_ome_zarr(image / "0", out)
    with pytest.raises(NgioFileNotFoundError, match="does not exist"):
        nx.upgrade_ome_zarr(tmp_path / "b.zarr", out)
    for source, target in ((5, out), (image, 5)):
        with pytest.raises(NgioTypeError, match="must be a path"):
            nx.upgrade_ome_zarr(source, target)
    with pytest.raises(NgioTypeError, match="progress must be"):
        nx.upgrade_ome_zarr(image, out, progress="yes")
    with pytest.raises(NgioValueError, match="storage_options are for URLs"):
        nx.upgrade_ome_zarr(image, out, storage_options={"anon": True})
    with pytest.raises(NgioValueError, match="the group has zarr format 2"):
        nx.upgrade_ome_zarr(image, zarr.create_group(memory(), zarr_format=2))
    assert not list(tmp_path.iterdir())


def test_version_6_is_refused(tmp_path):
    """It says what the others have no words for."""
    image = write_image(tmp_path / "a.zarr", "0.5")
    group = zarr.open_group(image, mode="r+")
    said = group.attrs["ome"]
    (entry,) = said["multiscales"]
    systems = [{"name": "world", "axes": entry.pop("axes")}]
    group.attrs["ome"] = {**said, "version": "0.6", "multiscales": [{**entry, "coordinateSystems": systems}]}
    assert nx.open_ome_zarr(image).attrs["version"] == "0.6"
    with pytest.raises(NgioValueError, match=r"OME-NGFF 0\.6.*write_ome_zarr"):
        nx.upgrade_ome_zarr(image, tmp_path / "b.zarr", version="0.4")


def test_levels_that_are_out_of_date_are_refused(image, version, tmp_path):
    """What says so would be lost; once they are made anew, they go."""
    patch = nx.open_ome_zarr(image)["0"]["image"][:, :32, :32].compute()
    nx.write_region(patch + 1, image, consolidate=False)
    with pytest.raises(NgioValueError, match=r"out of date.*consolidate_ome_zarr"):
        nx.upgrade_ome_zarr(image, tmp_path / "new.zarr", version=OTHER[version])
    nx.consolidate_ome_zarr(image)
    nx.upgrade_ome_zarr(image, tmp_path / "new.zarr", version=OTHER[version])
    check_same(image, tmp_path / "new.zarr")


def test_a_folder_that_is_being_replaced_is_refused(image, version, tmp_path):
    """Nobody knows which tables it will hold."""
    (image / "tables" / ".ngio_x-journal.json").write_text("{}")
    with pytest.raises(NgioValueError, match=r"tables was being written to"):
        nx.upgrade_ome_zarr(image, tmp_path / "new.zarr", version=OTHER[version])


def test_a_group_of_the_other_zarr_format_is_refused(image, version, tmp_path):
    """One hierarchy has one."""
    zarr.create_group(image / "extra", zarr_format=3 if version == "0.4" else 2)
    with pytest.raises(NgioValidationError, match=r"extra is not of zarr format"):
        nx.upgrade_ome_zarr(image, tmp_path / "new.zarr", version=OTHER[version])


def test_metadata_that_cannot_be_read_are_named(image, version, tmp_path):
    """Those of an array that no document names, too."""
    (image / "extra").mkdir()
    (image / "extra" / (".zarray" if version == "0.4" else "zarr.json")).write_text("{")
    with pytest.raises(NgioValidationError, match=r"zarr metadata of file://.*extra cannot be read"):
        nx.upgrade_ome_zarr(image, tmp_path / "new.zarr", version=OTHER[version])
    assert not (tmp_path / "new.zarr").exists()


class Unlisted(zarr.storage.WrapperStore):
    """A store that lists nothing."""

    async def list_dir(self, _prefix):
        for name in ():
            yield name


class Unlistable(zarr.storage.WrapperStore):
    """A store that says that it cannot list."""

    @property
    def supports_listing(self):
        return False


@pytest.mark.parametrize("store", [Unlisted, Unlistable])
def test_a_store_that_does_not_list_is_refused(store, image, version, tmp_path):
    """Tables and more would be left behind."""
    with pytest.raises(NgioValueError, match="copy it first"):
        nx.upgrade_ome_zarr(store(zarr.storage.LocalStore(image)), tmp_path / "new.zarr", version=OTHER[version])


def test_an_error_leaves_nothing(templates, image, version, tmp_path):
    """Also none that is found halfway, as that a chunk was cut off; what was to be replaced stays."""
    chunk = image / ("0/1/1/1" if version == "0.4" else "0/c/1/1/1")
    if version == "0.4":
        chunk.write_bytes(chunk.read_bytes()[:-1])
    else:
        chunk.write_bytes(b"")
    with pytest.raises(NgioStorageError, match=r"could not read \[1:2, 32:64, 32:64\] of .*cut off"):
        nx.upgrade_ome_zarr(image, tmp_path / "new.zarr", version=OTHER[version])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["image.zarr"]
    kept = shutil.copytree(templates[version], tmp_path / "kept.zarr")
    before = files_of(kept)
    with pytest.raises(NgioStorageError, match="cut off"):
        nx.upgrade_ome_zarr(image, kept, version=OTHER[version], overwrite=True)
    assert files_of(kept) == before
    store = memory()
    with pytest.raises(NgioStorageError, match="cut off"):
        nx.upgrade_ome_zarr(image, store, version=OTHER[version])
    assert not store._store_dict


def test_a_killed_run_leaves_nothing_under_the_targets_name(image, version, tmp_path):
    """What it has written so far is in a hidden directory; the next run does not mind."""
    script = (
        "import os, sys, ngio_x as nx\n"
        "kill = lambda done, total: os._exit(9) if done > total // 2 else None\n"
        "nx.upgrade_ome_zarr(sys.argv[1], sys.argv[2], version=sys.argv[3], progress=kill)\n"
    )
    target = tmp_path / "new.zarr"
    arguments = [sys.executable, "-c", script, str(image), str(target), OTHER[version]]
    assert subprocess.run(arguments, check=False).returncode == 9
    assert not target.exists()
    assert [path.name[0] for path in tmp_path.iterdir() if path != image] == ["."]
    nx.upgrade_ome_zarr(image, target, version=OTHER[version])
    check_same(image, target)


def test_progress_counts_to_the_end(image, version, tmp_path, capsys):
    """Chunks of all images, labels and tables; as a bar, too."""
    seen = []
    progress = lambda done, total: seen.append((done, total))  # noqa: E731 — short
    nx.upgrade_ome_zarr(image, tmp_path / "new.zarr", version=OTHER[version], progress=progress)
    assert sorted(seen) == seen
    assert seen[-1] == (42, 42)
    nx.upgrade_ome_zarr(image, tmp_path / "bar.zarr", version=OTHER[version], progress=True)
    assert "42/42" in capsys.readouterr().err


def test_files_of_json_stay_json(image, version, tmp_path):
    """No metadata of the old format is left in the new one."""
    nx.upgrade_ome_zarr(image, tmp_path / "new.zarr", version=OTHER[version])
    names = {name.rpartition("/")[2] for name in files_of(tmp_path / "new.zarr")}
    metadata = {name for name in names if name.startswith(".z") or name == "zarr.json"}
    assert metadata == ({"zarr.json"} if version == "0.4" else {".zgroup", ".zarray", ".zattrs"})
    if version == "0.4":
        said = json.loads((tmp_path / "new.zarr/0/zarr.json").read_text())
        assert said["dimension_names"] == ["c", "y", "x"]
        assert said["chunk_key_encoding"]["name"] == "default"
