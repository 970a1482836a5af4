"""The official JSON schemas of OME-NGFF, and the validator of yaozarrs, accept what ngio_x writes."""

import numpy as np
import pytest
import zarr

import ngio_x as nx
from tests.official_schemas import complaints

VERSIONS = ["0.4", "0.5"]


def test_images_and_labels_are_valid(example, gallery, attributes):
    """Strictly, too: nothing that is recommended is missing."""
    path, version = gallery(example), example.version
    for name in ("image", "strict_image"):
        for group in (path, path / "labels" / "nuclei"):
            assert complaints(version, name, attributes(group)) == []
    for name in ("label", "strict_label"):
        assert complaints(version, name, attributes(path / "labels" / "nuclei")) == []


def test_yaozarrs_finds_no_fault(example, gallery):
    """Neither in the documents nor in the arrays that they speak of; and nothing to advise."""
    yaozarrs = pytest.importorskip("yaozarrs")
    yaozarrs.validate_zarr_store(str(gallery(example)))


@pytest.mark.parametrize("axes", ["yx"])
def test_the_validators_find_faults(example, tmp_path, attributes):
    """A broken document does not pass, so that the tests above mean something."""
    yaozarrs = pytest.importorskip("yaozarrs")
    nx.write_ome_zarr(nx.as_image(np.zeros((8, 8), "u1")), tmp_path / "a.zarr", version=example.version)
    broken = attributes(tmp_path / "a.zarr")
    broken.get("ome", broken)["multiscales"][0].pop("axes")
    zarr.open_group(tmp_path / "a.zarr").attrs.put(broken)
    assert complaints(example.version, "image", broken)
    with pytest.raises(ValueError, match="axes"):
        yaozarrs.validate_zarr_store(str(tmp_path / "a.zarr"))


@pytest.mark.parametrize("version", VERSIONS)
class TestTheLeast:
    """Images of which little is known."""

    @pytest.fixture
    def bare(self, version, tmp_path):
        """Return an image without sizes, names and units, with labels without colours."""
        nx.write_ome_zarr(nx.as_image(np.zeros((1, 2, 8, 8), "u1")), tmp_path / "a.zarr", version=version)
        nx.write_labels(nx.as_labels(np.zeros((2, 8, 8), "u1")), tmp_path / "a.zarr", "cells")
        return tmp_path / "a.zarr"

    def test_the_least_that_can_be_said_is_enough(self, bare, version, attributes):
        """Of what is recommended, labels lack the colours alone, which are left to viewers."""
        for name, group in (("image", bare), ("image", bare / "labels/cells"), ("label", bare / "labels/cells")):
            assert complaints(version, name, attributes(group)) == []
        strict = complaints(version, "strict_label", attributes(bare / "labels/cells"))
        assert strict == ["'colors' is a required property"]

    def test_yaozarrs_has_no_more_to_say(self, bare):
        """No fault, and no advice either."""
        pytest.importorskip("yaozarrs").validate_zarr_store(str(bare))

    def test_derived_images_are_valid(self, bare, version, attributes, tmp_path):
        """Though no pixel has been written yet."""
        yaozarrs = pytest.importorskip("yaozarrs")
        nx.derive(nx.open_ome_zarr(bare), tmp_path / "new.zarr", dtype="f4", version=version, name="new")
        assert complaints(version, "image", attributes(tmp_path / "new.zarr")) == []
        yaozarrs.validate_zarr_store(str(tmp_path / "new.zarr"))
