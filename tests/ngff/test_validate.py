"""All that is wrong with a hierarchy, at once."""

import json
import shutil

import numpy as np
import pytest
import zarr

import ngio_x as nx
from ngio_x.errors import NgioFileNotFoundError
from ngio_x.ngff.attributes import write_attributes
from ngio_x.ngff.documents import Acquisition, Plate, PlateWell, Well, WellImage


@pytest.fixture(params=["0.4", "0.5"])
def version(request):
    return request.param


@pytest.fixture
def path(tmp_path, version):
    """Write a plate of one well with one image, which has labels."""
    root = zarr.open_group(tmp_path / "p.zarr", mode="w", zarr_format=2 if version == "0.4" else 3)
    plate = Plate(("A",), ("1",), (PlateWell("A/1", 0, 0),), "p", 1, (Acquisition(0, "a", 1), Acquisition(1, "b", 1)))
    root.attrs.put(write_attributes(plate, version))
    root.create_group("A/1", attributes=write_attributes(Well((WellImage("0", 0),)), version))
    image = nx.as_image(np.zeros((8, 8), "u1"), "yx", 0.5, units="micrometer", name="n")
    nx.write_ome_zarr(image, tmp_path / "p.zarr/A/1/0", levels=2, version=version)
    nx.write_labels(nx.as_labels(image), tmp_path / "p.zarr/A/1/0", "cells")
    return tmp_path / "p.zarr"


def edit(group, change, file="zarr.json"):
    """Change the document of a group, or the metadata of an array."""
    file = group / file if (group / file).exists() else group / ".zattrs"
    document = json.loads(file.read_text())
    attributes = document.get("attributes", document)
    change(
        attributes.get("ome", attributes)
        if "node_type" not in document or document["node_type"] == "group"
        else document
    )
    file.write_text(json.dumps(document))


def errors(path):
    return [str(problem) for problem in nx.validate_ome_zarr(path).errors]


def test_what_ngio_x_writes_is_valid(path, version):
    """Plate, image and labels alike; colours are left to viewers, which is a warning."""
    for part, kind in (("", "plate"), ("A/1", "well"), ("A/1/0", "image"), ("A/1/0/labels", "label list")):
        report = nx.validate_ome_zarr(path / part)
        assert (report.version, report.kind, report.errors) == (version, kind, ())
        assert str(report).splitlines()[-1] == f"valid OME-Zarr {version} {kind}"
    (warning,) = nx.validate_ome_zarr(path).warnings
    assert str(warning).endswith("image-label.colors: should be there (OME-NGFF " + version + ", #labels-md)")


def test_problems_of_the_whole_hierarchy_are_reported_at_once_errors_first(path):
    """Of documents and of arrays, each with its group."""
    edit(path, lambda document: document["plate"].pop("name"))
    edit(path / "A/1", lambda document: document["well"]["images"][0].update(acquisition=7))
    shutil.rmtree(path / "A/1/0/1")
    edit(path / "A/1/0/labels/cells", lambda document: document["multiscales"][0]["datasets"].pop())
    report = nx.validate_ome_zarr(path)
    assert [problem.group.rpartition("p.zarr")[2] for problem in report.problems] == [
        "/A/1", "", "/A/1/0/labels/cells", "", "/A/1/0/labels/cells",
    ]  # fmt: skip
    assert [problem.severity for problem in report.problems] == ["error"] * 3 + ["warning"] * 2
    first, second, third = map(str, report.errors)
    assert "well.images[0].acquisition: must be one of the plate's, [0, 1], got 7" in first
    assert "A/1/0 has no array '1', which its metadata names" in second
    assert "multiscales[0].datasets: must have as many levels as the image, 2, got 1" in third
    assert str(report).splitlines()[-1] == f"no valid OME-Zarr {report.version} plate: 3 errors"


def test_arrays_that_do_not_fit_are_errors(path):
    """Dimensions, their order from fine to coarse, integers in labels."""
    image = path / "A/1/0"
    edit(image, lambda document: document["multiscales"][0]["datasets"].reverse())
    assert "must be listed from fine to coarse" in "".join(errors(image))
    labels = image / "labels/cells"
    zarr_format = zarr.open_group(labels, mode="r").metadata.zarr_format
    zarr.create_array(labels / "0", shape=(8, 8), dtype="f4", zarr_format=zarr_format, overwrite=True)
    assert "the array '0' is of a label image, but holds float32, no integers" in "".join(errors(image))


def test_missing_groups_are_errors(path):
    """A well of the plate, an image of the well, a label image."""
    shutil.rmtree(path / "A/1/0/labels/cells")
    assert "there is no zarr group at " in "".join(errors(path))
    shutil.rmtree(path / "A")
    (only,) = errors(path)
    assert only.endswith("p.zarr/A/1")


def test_groups_of_another_kind_are_errors(path):
    """A well that is an image."""
    shutil.move(path / "A/1/0", path / "0")
    shutil.rmtree(path / "A/1")
    shutil.move(path / "0", path / "A/1")
    (only,) = errors(path)
    assert only.endswith("A/1: is no well, though it is listed as one")


def test_acquisitions_must_be_named_where_there_are_several(path):
    """And there are two."""
    edit(path / "A/1", lambda document: document["well"]["images"][0].pop("acquisition"))
    (only,) = errors(path)
    assert "well.images[0].acquisition: is missing, but the plate has 2 acquisitions" in only


def test_names_of_dimensions_are_required_in_version_5(tmp_path):
    """And are those of the axes."""
    nx.write_ome_zarr(nx.as_image(np.zeros((8, 8), "u1")), tmp_path / "a.zarr", levels=1)
    edit(tmp_path / "a.zarr/0", lambda array: array.pop("dimension_names"))
    (only,) = errors(tmp_path / "a.zarr")
    assert "must have dimension_names, those of the axes, got None (OME-NGFF 0.5, #axes-md)" in only
    assert nx.open_ome_zarr(tmp_path / "a.zarr")["0"]["image"].dims == ("y", "x")
    edit(tmp_path / "a.zarr/0", lambda array: array.update(dimension_names=["x", "y"]))
    (only,) = errors(tmp_path / "a.zarr")
    assert "has dimensions ('x', 'y'), but its metadata names ('y', 'x')" in only


def test_versions_that_differ_and_the_wrong_zarr_format_are_errors(tmp_path):
    """Both are read all the same."""
    image = nx.as_image(np.zeros((8, 8), "u1"), name="n")
    nx.write_ome_zarr(image, tmp_path / "a.zarr", levels=1)
    nx.write_labels(nx.as_labels(image), tmp_path / "a.zarr", "cells")
    edit(tmp_path / "a.zarr/labels", lambda document: document.pop("version"))
    (only,) = errors(tmp_path / "a.zarr")
    assert only.endswith("a.zarr/labels: $.ome.version: is missing (OME-NGFF 0.5, #metadata)")
    file = tmp_path / "a.zarr/zarr.json"
    document = json.loads(file.read_text())
    attributes = document["attributes"]
    entry = attributes.pop("ome")["multiscales"][0] | {"version": "0.4"}
    file.write_text(json.dumps(document | {"attributes": attributes | {"multiscales": [entry]}}))
    found = "\n".join(errors(tmp_path / "a.zarr"))
    assert "a.zarr: must be stored in zarr format 2, is in 3 (OME-NGFF 0.4, #on-disk)" in found
    assert "cells: is of version 0.5 in a hierarchy of version 0.4" in found
    assert "cells" in nx.open_ome_zarr(tmp_path / "a.zarr")["labels"].children


def test_labels_should_say_that_they_are(tmp_path):
    """From version 0.5 on."""
    image = nx.as_image(np.zeros((8, 8), "u1"), name="n")
    nx.write_ome_zarr(image, tmp_path / "a.zarr")
    nx.write_labels(nx.as_labels(image), tmp_path / "a.zarr", "cells")
    edit(tmp_path / "a.zarr/labels/cells", lambda document: document.pop("image-label"))
    report = nx.validate_ome_zarr(tmp_path / "a.zarr")
    assert "$.ome.image-label: should be there (OME-NGFF 0.5, #labels-md)" in "".join(map(str, report.warnings))


def test_only_a_missing_group_raises(tmp_path):
    """Whatever else is wrong is reported."""
    with pytest.raises(NgioFileNotFoundError, match="does not exist"):
        nx.validate_ome_zarr(tmp_path / "a.zarr")
    group = zarr.open_group(tmp_path / "a.zarr", mode="w")
    assert str(nx.validate_ome_zarr(group)).splitlines()[-1] == "no valid OME-Zarr: 1 error"
    (tmp_path / "a.zarr/zarr.json").write_text("{")
    assert "cannot be read" in str(nx.validate_ome_zarr(tmp_path / "a.zarr"))
    (tmp_path / "a.zarr/zarr.json").unlink()
    with pytest.raises(NgioFileNotFoundError, match="there is no zarr group"):
        nx.validate_ome_zarr(tmp_path / "a.zarr")
