"""Every version of OME-NGFF, as it lies on disk."""

import json

import numpy as np
import pytest
import zarr
from numpy.testing import assert_array_equal

import ngio_x as nx
from ngio_x.errors import NgioValidationError

PIXELS = np.arange(1 * 2 * 3 * 8 * 12, dtype="u2").reshape(1, 2, 3, 8, 12)


def put(path, attributes, levels, names, zarr_format):
    """Write an image with zarr alone."""
    group = zarr.open_group(path, mode="w", zarr_format=zarr_format, attributes=attributes)
    for index, level in enumerate(levels):
        array = group.create_array(
            str(index), shape=level.shape, dtype=level.dtype, dimension_names=names if zarr_format == 3 else None
        )
        array[...] = level
    return path


def early(path, version, axes=None, **more):
    """Write an image of version 0.1 to 0.3, with two levels."""
    entry = {"version": version, "datasets": [{"path": "0"}, {"path": "1"}]} | ({} if axes is None else {"axes": axes})
    pixels = PIXELS if axes is None else PIXELS[0, 0]
    return put(path, {"multiscales": [entry], **more}, [pixels, pixels[..., ::2, ::2]], None, 2)


@pytest.mark.parametrize("version", ["0.1", "0.2"])
def test_early_versions_have_five_axes_and_no_sizes(tmp_path, version):
    """Pixels of level 0 are counted."""
    tree = nx.open_ome_zarr(early(tmp_path / "a.zarr", version))
    assert tree.attrs["version"] == version
    assert tree["0"]["image"].dims == ("t", "c", "z", "y", "x")
    assert_array_equal(tree["0"]["image"], PIXELS)
    assert tree["1"]["image"].xindexes["x"].lattice.spacing == 2
    assert tree["1"]["image"].xindexes["x"].lattice.extent == tree["0"]["image"].xindexes["x"].lattice.extent == (0, 12)


def test_version_3_names_its_axes(tmp_path):
    """By strings; a file that does not say its version is known by them."""
    path = early(tmp_path / "a.zarr", "0.3", ["z", "y", "x"])
    tree = nx.open_ome_zarr(path)
    assert (tree.attrs["version"], tree["1"]["image"].sizes) == ("0.3", {"z": 3, "y": 4, "x": 6})
    attributes = json.loads((path / ".zattrs").read_text())
    del attributes["multiscales"][0]["version"]
    (path / ".zattrs").write_text(json.dumps(attributes))
    assert nx.open_ome_zarr(path).attrs["version"] == "0.3"


def test_an_early_image_without_axes_that_has_other_dimensions_is_refused(tmp_path):
    """It does not say enough."""
    path = put(
        tmp_path / "a.zarr", {"multiscales": [{"version": "0.2", "datasets": [{"path": "0"}]}]}, [PIXELS[0]], 0, 2
    )
    with pytest.raises(NgioValidationError, match=r"array '0' has 4 dimensions, but its metadata names \('t', 'c'"):
        nx.open_ome_zarr(path)


def test_wells_of_early_plates_are_placed_by_their_paths(tmp_path):
    """Before 0.4, they had no indices."""
    plate = {"version": "0.1", "rows": [{"name": "A"}, {"name": "B"}], "columns": [{"name": "1"}, {"name": "2"}]}
    plate["wells"] = [{"path": "B/2"}]
    zarr.open_group(tmp_path / "p.zarr", mode="w", zarr_format=2, attributes={"plate": plate})
    well = {"version": "0.1", "images": [{"path": "0"}]}
    zarr.open_group(tmp_path / "p.zarr/B/2", mode="w", zarr_format=2, attributes={"well": well})
    early(tmp_path / "p.zarr/B/2/0", "0.1")
    tree = nx.open_ome_zarr(tmp_path / "p.zarr")
    assert json.loads(tree.attrs["plate"])["wells"] == [{"path": "B/2", "row_index": 1, "column_index": 1}]
    assert_array_equal(tree["B/2/0/0"]["image"], PIXELS)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_an_early_image_is_written_as_a_later_one(tmp_path, version):
    """With the sizes that it is read with."""
    tree = nx.open_ome_zarr(early(tmp_path / "a.zarr", "0.3", ["z", "y", "x"], beside={"a": 1}))
    nx.write_ome_zarr(tree["0"]["image"], tmp_path / "b.zarr", version=version)
    again = nx.open_ome_zarr(tmp_path / "b.zarr")
    assert again.attrs["version"] == version
    assert_array_equal(again["0"]["image"], PIXELS[0, 0])
    assert not nx.validate_ome_zarr(tmp_path / "b.zarr").errors


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_version_4_and_5_are_written_and_read(tmp_path, version):
    """Each in its zarr format."""
    image = nx.as_image(PIXELS[0, 0], "zyx", {"z": 2, "y": 0.5, "x": 0.5}, name="cells")
    nx.write_ome_zarr(image, tmp_path / "a.zarr", version=version)
    assert (tmp_path / "a.zarr" / {"0.4": ".zattrs", "0.5": "zarr.json"}[version]).exists()
    tree = nx.open_ome_zarr(tmp_path / "a.zarr")
    assert (tree.attrs["version"], tree.name) == (version, "cells")
    assert nx.pixel_size_of(tree) == nx.pixel_size_of(image)


AXES = [{"name": "y", "type": "space", "unit": "micrometer"}, {"name": "x", "type": "space", "unit": "micrometer"}]
SCALE = {"type": "scale", "scale": [0.5, 0.25]}
SHIFT = {"type": "translation", "translation": [3, 4]}


def sequence(*transformations):
    return {"type": "sequence", "transformations": list(transformations)}


def latest(path, *transformations, version="0.6", **more):
    """Write an image of version 0.6 with one level; transformations lead into the second coordinate system."""
    lead = {"input": {"path": "0"}, "output": {"name": "world"}}
    entry = {
        "coordinateSystems": [{"name": "other", "axes": AXES[::-1]}, {"name": "world", "axes": AXES}],
        "datasets": [{"path": "0", "coordinateTransformations": [{**lead, **item} for item in transformations]}],
    }
    document = {"version": version, "multiscales": [entry | more]}
    return put(path, {"ome": document}, [PIXELS[0, 0, 0]], ["y", "x"], 3)


@pytest.mark.parametrize("version", ["0.6", "0.6rc0"])
@pytest.mark.parametrize(
    ("transformations", "spacing", "edge"),
    [
        ([{"type": "identity"}], (1, 1), (0, 0)),
        ([SCALE], (0.5, 0.25), (0, 0)),
        ([sequence(SCALE, SHIFT)], (0.5, 0.25), (3, 4)),
        ([sequence(SHIFT, SCALE)], (0.5, 0.25), (1.5, 1)),
        ([sequence({"type": "identity"}, SCALE, SCALE)], (0.25, 0.0625), (0, 0)),
        ([sequence(sequence(), SHIFT)], (1, 1), (3, 4)),
    ],
)  # fmt: skip
def test_version_6_reads_scales_translations_and_sequences(tmp_path, version, transformations, spacing, edge):
    """In the system that the levels lead into; transformations from there to others do not matter."""
    path = latest(
        tmp_path / "a.zarr", *transformations, version=version,
        coordinateTransformations=[{"type": "rotation", "input": {"name": "world"}, "output": {"name": "other"}}],
    )  # fmt: skip
    image = nx.open_ome_zarr(path)["0"]["image"]
    assert image.dims == ("y", "x")
    assert tuple(image.xindexes[axis].lattice.spacing for axis in "yx") == spacing
    assert tuple(image.xindexes[axis].lattice.edge for axis in "yx") == edge
    assert_array_equal(image, PIXELS[0, 0, 0])


@pytest.mark.parametrize("kind", ["affine", "rotation", "mapAxis", "byDimension", "displacements", "nonsense", None, 3])
def test_version_6_refuses_other_transformations_by_name(tmp_path, kind):
    """Wherever they stand: alone, or within a sequence."""
    expected = f"is of type {kind!r}, but only identity, scale, translation and sequences of them are read"
    for transformation, place in (
        ({"type": kind}, "coordinateTransformations[0]"),
        (sequence(SCALE, {"type": kind}), "coordinateTransformations[0].transformations[1]"),
    ):  # fmt: skip
        path = latest(tmp_path / "a.zarr", transformation)
        with pytest.raises(NgioValidationError) as caught:
            nx.open_ome_zarr(path)
        assert f"$.ome.multiscales[0].datasets[0].{place}: {expected} (OME-NGFF 0.6, #trafo-md)" in str(caught.value)
        assert expected in str(nx.validate_ome_zarr(path))


@pytest.mark.parametrize(
    ("transformation", "message"),
    [
        ({"type": "scale", "scale": [1]}, r"\[0\].scale: must have one number for each of the 2 axes, got \(1.0,\)"),
        ({"type": "scale", "scale": ["1", 2]}, r"\[0\].scale: must be a number, got '1'"),
        ({"type": "scale"}, r"\[0\].scale: must be a sequence, got None"),
        ({"type": "scale", "scale": [0, 1]}, r"\[0\].scale: must be > 0, got 0.0"),
        (sequence(*[{"type": "scale", "scale": [1e300, 1]}] * 2), "must be a finite number"),
    ],
)  # fmt: skip
def test_faulty_transformations_of_version_6_are_refused(tmp_path, transformation, message):
    """One error names the place."""
    with pytest.raises(NgioValidationError, match=message):
        nx.open_ome_zarr(latest(tmp_path / "a.zarr", transformation))


@pytest.mark.parametrize("version", ["0.7", "1.0", "0.5-dev", 6, None, ""])
def test_unknown_versions_are_refused_by_name(tmp_path, version):
    """Whatever the document says besides; a version of None is none, and the words are those of 0.5."""
    path = latest(tmp_path / "a.zarr", SCALE, version=version)
    message = f"OME-NGFF version {version!r} is not read" if version is not None else r"axes: is missing"
    with pytest.raises(NgioValidationError, match=message):
        nx.open_ome_zarr(path)
