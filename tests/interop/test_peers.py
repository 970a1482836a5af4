"""Images that ngio_x writes, as its peers and the official schemas see them; and an image that ngio wrote."""

import functools
import importlib.metadata
import json
import sys
import warnings
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pytest
import skimage.data
import zarr
from numpy.testing import assert_array_equal

import ngio_x as nx
from ngio_x.cli import main

VERSIONS = ["0.4", "0.5"]
AXES = ["yx", "cyx", "zyx", "tyx", "czyx", "tczyx"]
SHAPE = {"t": 2, "c": 3, "z": 4, "y": 37, "x": 26}
SIZE = {"t": 1.5, "z": 2.0, "y": 0.325, "x": 0.65}


@pytest.fixture(params=VERSIONS)
def version(request):
    return request.param


@pytest.fixture(params=AXES)
def axes(request):
    return request.param


def example(axes):
    """Return an image with these axes."""
    shape = [SHAPE[axis] for axis in axes]
    pixels = np.random.default_rng(1).integers(0, 60000, shape).astype("u2")
    size = {axis: SIZE[axis] for axis in axes if axis != "c"}
    channels = ["DAPI", "green", "ß"] if "c" in axes else None
    return nx.as_image(pixels, tuple(axes), size, channels=channels, name="cells")


@pytest.fixture
def image(axes):
    return example(axes)


@pytest.fixture(scope="module")
def gallery(tmp_path_factory):
    """Return a function that writes an example with three levels and a label image, once, and says where."""

    @functools.cache
    def write(axes, version):
        path, image = tmp_path_factory.mktemp("gallery") / "image.zarr", example(axes)
        nx.write_ome_zarr(image, path, version=version, levels=3)
        flat = image.isel(c=0, drop=True) if "c" in axes else image
        nx.write_labels(nx.as_labels((flat > 30000).astype("u4")), path, "bright")
        return path

    return write


@pytest.fixture
def written(gallery, axes, version):
    return gallery(axes, version)


def level_pixels(path, prefix=""):
    """Return the pixels of each level, as plain zarr reads them."""
    return [zarr.open_array(path / f"{prefix}{level}", mode="r")[...] for level in range(3)]


@pytest.fixture
def ngio():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its dependencies
        return pytest.importorskip("ngio")


@pytest.fixture
def ome_zarr_reader():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its dependencies
        reader, io = pytest.importorskip("ome_zarr.reader"), pytest.importorskip("ome_zarr.io")
    return lambda path: list(reader.Reader(io.parse_url(str(path)))())


@pytest.mark.filterwarnings("ignore:Pyramid consolidation still builds:FutureWarning")
class TestNgio:
    """ngio opens what ngio_x writes, and the other way round."""

    def test_images_have_the_same_pixels_and_sizes(self, ngio, image, written, axes):
        """Every level, pixel for pixel, with the pixel size of the metadata."""
        container = ngio.open_ome_zarr_container(written)
        tree = nx.open_ome_zarr(written)
        assert container.levels == 3
        for level, pixels in enumerate(level_pixels(written)):
            theirs, ours = container.get_image(path=str(level)), tree[str(level)]["image"]
            assert_array_equal(theirs.get_as_numpy(axes_order=list(axes)).reshape(pixels.shape), pixels)
            size = nx.pixel_size_of(ours)
            assert [theirs.pixel_size.x, theirs.pixel_size.y] == [size.x, size.y]
            assert theirs.pixel_size.space_unit == "micrometer"
            if "z" in axes:
                assert theirs.pixel_size.z == size.z
            if "c" in axes:
                assert theirs.channel_labels == ["DAPI", "green", "ß"]

    def test_label_images_have_the_same_pixels_and_sizes(self, ngio, written, axes):
        """Labels are listed and read, at every level."""
        container = ngio.open_ome_zarr_container(written)
        assert container.list_labels() == ["bright"]
        spatial = [axis for axis in axes if axis != "c"]
        for level, pixels in enumerate(level_pixels(written, "labels/bright/")):
            theirs = container.get_label("bright", path=str(level))
            assert_array_equal(theirs.get_as_numpy(axes_order=spatial).reshape(pixels.shape), pixels)
            image = container.get_image(path=str(level))
            assert (theirs.pixel_size.y, theirs.pixel_size.x) == (image.pixel_size.y, image.pixel_size.x)

    @pytest.mark.parametrize("axes", ["czyx"])
    def test_an_image_that_ngio_wrote_has_its_levels_on_one_extent(self, ngio, axes, version, tmp_path):
        """ngio's constant translations are read as edges: the levels of image and labels begin at one place."""
        path, pixels = tmp_path / "theirs.zarr", np.random.default_rng(0).integers(0, 99, (2, 3, 64, 96)).astype("u2")
        container = ngio.create_ome_zarr_from_array(
            path, array=pixels, pixelsize=0.5, z_spacing=2.0, levels=3, ngff_version=version
        )
        label = container.derive_label("nuclei")
        label.set_array(np.ones(label.shape, label.dtype))
        label.consolidate()
        tree = nx.open_ome_zarr(path)
        assert_array_equal(tree["0"]["image"], pixels)
        for level in range(3):
            for found in (tree[f"{level}"]["image"], tree[f"labels/nuclei/{level}"]["nuclei"]):
                for axis, extent in {"z": (0, 6), "y": (0, 32), "x": (0, 48)}.items():
                    assert found.xindexes[axis].lattice.extent == extent
        assert nx.open_ome_zarr(path, frame="center")["0"]["image"].xindexes["x"].lattice.edge == -0.25


class TestOmeZarr:
    """ome-zarr opens what ngio_x writes."""

    def test_images_and_labels_have_the_same_pixels_and_transformations(self, ome_zarr_reader, written):
        """Every level of the image and of its labels, with scale and translation as written."""
        nodes = {
            str(node.zarr.path if hasattr(node.zarr, "path") else node.zarr): node for node in ome_zarr_reader(written)
        }
        image = next(node for node in nodes.values() if node.metadata.get("name") == "cells")
        labels = next(node for node in nodes.values() if node.metadata.get("name") == "bright")
        for node, prefix in ((image, ""), (labels, "labels/bright/")):
            for theirs, pixels in zip(node.data, level_pixels(written, prefix), strict=True):
                assert_array_equal(theirs.compute(), pixels)
            datasets = document(written / prefix)["multiscales"][0]["datasets"]
            assert node.metadata["coordinateTransformations"] == [
                item["coordinateTransformations"] for item in datasets
            ]

    @pytest.mark.parametrize("axes", ["czyx"])
    def test_channel_names_are_those_of_the_image(self, ome_zarr_reader, written, axes):
        """The omero block is understood."""
        image = next(node for node in ome_zarr_reader(written) if node.metadata.get("name") == "cells")
        assert image.metadata["channel_names"] == ["DAPI", "green", "ß"]


def attributes(group):
    """Return the attributes of a group as they stand in its file."""
    v3 = group / "zarr.json"
    return json.loads(v3.read_text())["attributes"] if v3.exists() else json.loads((group / ".zattrs").read_text())


def document(group):
    found = attributes(group)
    return found.get("ome", found)


def validator_of(version, name):
    """Return a validator for a schema that the ngff-zarr wheel ships, without importing ngff-zarr."""
    jsonschema, referencing = pytest.importorskip("jsonschema"), pytest.importorskip("referencing.jsonschema")
    try:
        distribution = importlib.metadata.distribution("ngff-zarr")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("ngff-zarr is not installed")
    folder = distribution.locate_file(f"ngff_zarr/spec/{version}/schemas")
    schemas = [json.loads(path.read_text()) for path in sorted(folder.glob("*.schema"))]
    dialect = referencing.DRAFT202012
    registry = referencing.EMPTY_REGISTRY.with_resources(
        (schema["$id"], dialect.create_resource(schema)) for schema in schemas if "$id" in schema
    )
    schema = json.loads((folder / f"{name}.schema").read_text())
    return jsonschema.Draft202012Validator(schema, registry=registry)


class TestSchemas:
    """The official JSON schemas of OME-NGFF accept what ngio_x writes."""

    @pytest.mark.parametrize("name", ["image", "strict_image"])
    def test_attributes_of_images_are_valid(self, written, version, name):
        """Image and label image alike."""
        validator = validator_of(version, name)
        for group in (written, written / "labels" / "bright"):
            assert [error.message for error in validator.iter_errors(attributes(group))] == []

    def test_attributes_of_label_images_are_valid(self, written, version):
        """The `image-label` block; of what is recommended, only colours are left to viewers."""
        found = attributes(written / "labels" / "bright")
        assert [error.message for error in validator_of(version, "label").iter_errors(found)] == []
        strict = [error.message for error in validator_of(version, "strict_label").iter_errors(found)]
        assert strict == ["'colors' is a required property"]

    @pytest.mark.parametrize("axes", ["yx"])
    def test_the_validators_find_faults(self, written, version, axes):
        """A broken document does not pass, so that the tests above mean something."""
        broken = attributes(written)
        (broken["ome"] if version == "0.5" else broken)["multiscales"][0].pop("axes")
        assert list(validator_of(version, "image").iter_errors(broken))

    @pytest.mark.parametrize("axes", ["czyx"])
    def test_an_image_without_sizes_names_and_units_is_valid(self, tmp_path, version, axes):
        """The least that can be said is enough."""
        nx.write_ome_zarr(nx.as_image(np.zeros((1, 2, 8, 8), "u1")), tmp_path / "a.zarr", version=version)
        assert [e.message for e in validator_of(version, "image").iter_errors(attributes(tmp_path / "a.zarr"))] == []


@pytest.mark.filterwarnings("ignore:Pyramid consolidation still builds:FutureWarning")
class TestConvertedFiles:
    """Real micrographs, converted on the command line, are images to everybody."""

    @pytest.fixture(params=["cell.png", "ihc.png", "coins.png"])
    def converted(self, request, version, tmp_path, monkeypatch):
        """Return the converted image and the pixels that the file holds, with colours first."""
        path = Path(skimage.data.__file__).parent / request.param
        out = tmp_path / "image.zarr"
        options = ["--axes", "yxc"] if request.param == "ihc.png" else []
        arguments = ["convert", str(path), str(out), "--pixel-size", "0.65", "--levels", "3", "--version", version]
        monkeypatch.setattr(sys, "argv", ["ngio-x", *arguments, *options])
        with pytest.raises(SystemExit) as stop:
            main()
        assert not stop.value.code
        pixels = imageio.imread(path)
        return out, np.moveaxis(pixels, -1, 0) if pixels.ndim == 3 else pixels

    def test_ngio_reads_the_files_pixels_and_sizes(self, ngio, converted):
        """Level 0 is the file, pixel for pixel, and all levels have the sizes of the metadata."""
        path, pixels = converted
        container, tree = ngio.open_ome_zarr_container(path), nx.open_ome_zarr(path)
        assert_array_equal(container.get_image(path="0").get_as_numpy().reshape(pixels.shape), pixels)
        for level in ("0", "1", "2"):
            theirs, ours = container.get_image(path=level).pixel_size, nx.pixel_size_of(tree[level]["image"])
            assert (theirs.y, theirs.x) == (ours.y, ours.x)
        assert theirs.space_unit == "micrometer"

    def test_ome_zarr_reads_the_files_pixels_and_scales(self, ome_zarr_reader, converted):
        """Level 0 is the file, pixel for pixel, and all levels have the transformations of the metadata."""
        path, pixels = converted
        (node,) = ome_zarr_reader(path)
        assert_array_equal(node.data[0].compute(), pixels)
        datasets = document(path)["multiscales"][0]["datasets"]
        assert node.metadata["coordinateTransformations"] == [item["coordinateTransformations"] for item in datasets]

    def test_metadata_are_valid(self, converted, version):
        """The official schemas accept them."""
        found = attributes(converted[0])
        assert [error.message for error in validator_of(version, "strict_image").iter_errors(found)] == []
