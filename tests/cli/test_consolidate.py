"""`ngio-x consolidate` and `ngio-x upgrade`, and what commands share: clusters, quiet, and JSON."""

import json
import socket

import dask
import numpy as np
import pytest
import zarr
from numpy.testing import assert_array_equal

import ngio_x as nx
from ngio_x.cli import options
from ngio_x.testing.samples import noise

PIXELS = noise((64, 80), "u2", high=4000)


@pytest.fixture
def image(tmp_path):
    """An image and labels whose level 0 was changed behind the back of the other levels."""
    path = tmp_path / "a.zarr"
    place = {"dims": "yx", "pixel_size": 0.5, "origin": {"y": 10, "x": 100}}
    labels = nx.as_labels(PIXELS.astype("u4"), **place)
    nx.write_ome_zarr(nx.as_image(PIXELS, **place), path, levels=3, labels={"cells": labels}, chunks={"y": 16, "x": 16})
    for array in ("0", "labels/cells/0"):
        zarr.open_array(path / array)[...] = PIXELS[::-1]
    return path


def levels_of(path):
    return [zarr.open_array(path / level)[...] for level in ("1", "2")]


def rebuilt(order):
    first = nx.numpy_zoom(PIXELS[::-1], target_shape=(32, 40), order=order)
    return [first, nx.numpy_zoom(first, target_shape=(16, 20), order=order)]


def test_all_levels_are_rebuilt(ngio_x_command, image):
    """By the kernel that made them; labels are left alone."""
    before = levels_of(image / "labels" / "cells")
    assert ngio_x_command("consolidate", image) == (0, f"consolidated {image}: all of it\n", "")
    for found, expected in zip(levels_of(image), rebuilt("linear"), strict=True):
        assert_array_equal(found, expected)
    for found, expected in zip(levels_of(image / "labels" / "cells"), before, strict=True):
        assert_array_equal(found, expected)


def test_labels_are_rebuilt_by_name(ngio_x_command, image):
    """And the image is left alone."""
    before = levels_of(image)
    assert ngio_x_command("consolidate", image, "--label", "cells", "--quiet") == (0, "", "")
    for found, expected in zip(levels_of(image / "labels" / "cells"), rebuilt("nearest"), strict=True):
        assert_array_equal(found, expected)
    for found, expected in zip(levels_of(image), before, strict=True):
        assert_array_equal(found, expected)


@pytest.mark.parametrize("region", [["y=18:26,x=108:116"], ["y=16:32,x=16:32", "--pixels"]])
def test_a_region_is_rebuilt(ngio_x_command, image, region):
    """What it reaches of the coarser levels, and not a pixel more."""
    before = levels_of(image)
    code, printed, _ = ngio_x_command("consolidate", image, "--region", *region)
    assert (code, printed) == (0, f"consolidated {image}: 1 region\n")
    for level, (found, expected) in enumerate(zip(levels_of(image), rebuilt("linear"), strict=True)):
        part = slice(8 >> level, 16 >> level)
        assert_array_equal(found[part, part], expected[part, part])
        rest = np.ones(found.shape, bool)
        rest[part, part] = False
        assert_array_equal(found[rest], before[level][rest])


def test_several_regions_and_another_kernel(ngio_x_command, image):
    """Together they are the whole image."""
    halves = ["--region", "y=:26", "--region", "y=26:"]
    code, printed, _ = ngio_x_command("consolidate", image, *halves, "--order", "max", "--json")
    assert code == 0
    assert json.loads(printed) == {"consolidated": str(image), "regions": ["y=:26", "y=26:"]}
    for found, expected in zip(levels_of(image), rebuilt("max"), strict=True):
        assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a.zarr", "--region", "y=900:950"], "holds no pixel along axis 'y'"),
        (["a.zarr", "--region", "z=0:1"], "names axis 'z', but the image has y, x"),
        (["a.zarr", "--region", "18:26"], "has no '='"),
        (["a.zarr", "--label", "nuclei"], "has no label image 'nuclei', only 'cells'"),
        (["a.zarr", "--order", "sharp"], "sharp"),
        (["b.zarr"], "b.zarr does not exist"),
    ],
)
def test_consolidate_fails_with_one_line_and_changes_nothing(ngio_x_command, image, monkeypatch, arguments, message):
    """Exit code 2, and the levels are as they were."""
    monkeypatch.chdir(image.parent)
    before = levels_of(image)
    code, printed, error = ngio_x_command("consolidate", *arguments)
    assert (code, printed) == (2, "")
    assert message in error
    assert error.count("\n") == 1
    for found, expected in zip(levels_of(image), before, strict=True):
        assert_array_equal(found, expected)


# ---- upgrade


def test_an_image_becomes_one_of_another_version_and_comes_back(ngio_x_command, image, tmp_path):
    """With its pixels and its labels."""
    old, new = tmp_path / "old.zarr", tmp_path / "new.zarr"
    assert ngio_x_command("upgrade", image, old, "--to", "0.4") == (0, f"wrote {old}: OME-NGFF 0.4\n", "")
    assert json.loads(ngio_x_command("upgrade", old, new, "--json")[1]) == {"wrote": str(new), "version": "0.5"}
    for path, version in ((old, "0.4"), (new, "0.5")):
        tree = nx.open_ome_zarr(path)
        assert tree.attrs["version"] == version
        for array in ("0/image", "2/image", "labels/cells/1/cells"):
            assert_array_equal(tree[array].values, nx.open_ome_zarr(image)[array].values)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a.zarr", "b.zarr", "--to", "0.3"], "version"),
        (["a.zarr", "b.zarr", "--to", "0.5"], "0.5"),
        (["a.zarr", "a.zarr", "--to", "0.4", "--overwrite"], "a.zarr"),
        (["a.zarr", "taken", "--to", "0.4"], "--overwrite"),
        (["none.zarr", "b.zarr"], "none.zarr does not exist"),
    ],
)
def test_upgrade_fails_with_one_line_and_leaves_nothing(ngio_x_command, image, monkeypatch, arguments, message):
    """Exit code 2, and the source is as it was."""
    monkeypatch.chdir(image.parent)
    (image.parent / "taken").mkdir()
    before = levels_of(image)
    code, printed, error = ngio_x_command("upgrade", *arguments)
    assert (code, printed) == (2, "")
    assert message in error
    assert error.count("\n") == 1
    assert sorted(path.name for path in image.parent.iterdir()) == ["a.zarr", "taken"]
    for found, expected in zip(levels_of(image), before, strict=True):
        assert_array_equal(found, expected)


# ---- Clusters


@pytest.fixture(scope="module")
def cluster():
    distributed = pytest.importorskip("distributed")
    choices = {"n_workers": 1, "threads_per_worker": 1, "processes": True, "dashboard_address": ":0", "memory_limit": 0}
    with distributed.LocalCluster(**choices) as made:
        yield made


def test_a_cluster_does_the_work(ngio_x_command, image, cluster, tmp_path, monkeypatch):
    """The same pixels; relative paths are found, and the client is closed afterwards."""
    from distributed import Client  # noqa: PLC0415
    from distributed.client import _get_global_client  # noqa: PLC0415

    seen = []

    class Seen(Client):
        def __init__(self, *args, **options):
            seen.append(self)
            super().__init__(*args, **options)

    monkeypatch.setattr("distributed.Client", Seen)
    monkeypatch.chdir(tmp_path)
    np.save("pixels.npy", PIXELS)
    address = ["--scheduler", cluster.scheduler_address, "--quiet"]
    calls = [
        ["consolidate", "a.zarr"],
        ["convert", "pixels.npy", "b.zarr", "--levels", "2"],
        ["crop", "a.zarr", "c.zarr", "--region", "y=12:20"],
        ["crop", "a.zarr", "c.png", "--region", "y=12:20"],
        ["preview", "a.zarr", "a.png"],
        ["rois", "extract", "a.zarr", "cells", "--out", "a.csv"],
    ]
    for call in calls:
        assert ngio_x_command(*call, *address) == (0, "", "")
    assert [client.status for client in seen] == ["closed"] * 2 * len(calls)  # one looks whether there is a scheduler
    assert _get_global_client() is None
    for found, expected in zip(levels_of(image), rebuilt("linear"), strict=True):
        assert_array_equal(found, expected)
    assert_array_equal(nx.open_ome_zarr("c.zarr")["0/image"].values, PIXELS[::-1][4:20])


def test_a_cluster_that_is_not_there_is_one_clear_line(ngio_x_command, image, tmp_path, monkeypatch):
    """Soon, and before anything is written."""
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr(options, "_ANSWERS_WITHIN", "200ms")
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{nobody.getsockname()[1]}"
        for wrong in (address, "127.0.0.1:1", "strange://a"):
            code, printed, error = ngio_x_command(
                "crop", image, tmp_path / "c.zarr", "--region", "y=12:20", "--scheduler", wrong
            )
            assert (code, printed) == (2, "")
            assert error.startswith(f"error: no dask scheduler answers at {wrong} within 200ms")
            assert error.count("\n") == 1
            assert dask.config.get("scheduler", None) is None
            with pytest.raises(ValueError, match="No client"):
                distributed.default_client()
    assert not (tmp_path / "c.zarr").exists()


def test_a_missing_extra_says_what_to_install(ngio_x_command, image, monkeypatch):
    """`distributed` is one of its own."""
    monkeypatch.setattr("ngio_x.cli.options.find_spec", lambda name: None)
    code, _, error = ngio_x_command("consolidate", image, "--scheduler", "tcp://127.0.0.1:1")
    assert (code, error) == (2, "error: --scheduler needs distributed: pip install 'ngio-x[distributed]'\n")


# ---- Data as JSON


def test_info_as_json(ngio_x_command, image):
    """All that the table says, and more."""
    nx.write_rois(image, "places", [nx.Roi.from_values({"y": (14, 8), "x": (104, 4)}, "here")])
    code, printed, error = ngio_x_command("info", image, "--json")
    facts = json.loads(printed)
    assert (code, error) == (0, "")
    assert facts["path"] == str(image)
    assert (facts["kind"], facts["version"]) == ("image", "0.5")
    assert facts["axes"] == [{"name": name, "type": "space", "unit": "micrometer"} for name in "yx"]
    assert [level["shape"] for level in facts["levels"]] == [[64, 80], [32, 40], [16, 20]]
    assert facts["levels"][1] == {
        "level": "1", "path": "1", "shape": [32, 40], "chunks": [16, 16], "shards": None, "dtype": "uint16",
        "pixel_size": {"y": 1.0, "x": 1.0},
    }  # fmt: skip
    assert [level["dtype"] for level in facts["labels"]["cells"]] == ["uint32"] * 3
    assert facts["tables"] == [{"name": "places", "type": "roi_table", "backend": "csv"}]
    _, shown, _ = ngio_x_command("info", image)
    assert "labels: cells\ntables: places (roi_table, csv)\n" in shown


def test_info_of_a_table_that_is_gone(ngio_x_command, image):
    """Its name is listed, and nothing is known of it."""
    zarr.open_group(image).require_group("tables").attrs["tables"] = ["lost"]
    assert json.loads(ngio_x_command("info", image, "--json")[1])["tables"] == [
        {"name": "lost", "type": None, "backend": None}
    ]


def test_info_of_a_well_lists_its_images(ngio_x_command, tmp_path):
    """Each with its levels."""
    for field in ("0", "1"):
        nx.write_ome_zarr(nx.as_image(PIXELS, "yx"), tmp_path / "well" / field, levels=2)
    zarr.open_group(tmp_path / "well").attrs["ome"] = {
        "version": "0.5", "well": {"images": [{"path": "0"}, {"path": "1"}]},
    }  # fmt: skip
    facts = json.loads(ngio_x_command("info", tmp_path / "well", "--json")[1])
    assert facts["kind"] == "well"
    assert [(image["path"], len(image["levels"])) for image in facts["images"]] == [("0", 2), ("1", 2)]
    _, shown, _ = ngio_x_command("info", tmp_path / "well")
    assert "OME-NGFF 0.5 well of 2 images" in shown


def test_validate_as_json(ngio_x_command, image):
    """Each problem with the word of the specification; the exit code is that of the text."""
    code, printed, _ = ngio_x_command("validate", image, "--json")
    assert (code, json.loads(printed)["valid"]) == (0, True)
    file = image / "zarr.json"
    document = json.loads(file.read_text())
    document["attributes"]["ome"]["multiscales"][0]["axes"][0].pop("name")
    document["attributes"]["ome"]["multiscales"][0].pop("name", None)
    file.write_text(json.dumps(document))
    code, printed, error = ngio_x_command("validate", image, "--json")
    facts = json.loads(printed)
    assert (code, error, facts["valid"], facts["kind"]) == (1, "", False, "image")
    found = [problem["requirement"] for problem in facts["problems"]]
    assert found.count("MUST") == facts["errors"] > 0
    assert found.count("SHOULD") == facts["warnings"] > 0
    assert {"severity", "group", "path", "message", "section", "version"} <= facts["problems"][0].keys()


def test_convert_as_json(ngio_x_command, tmp_path):
    """What was written."""
    np.save(tmp_path / "a.npy", PIXELS)
    code, printed, _ = ngio_x_command("convert", tmp_path / "a.npy", tmp_path / "a.zarr", "--json", "--quiet")
    assert code == 0
    assert json.loads(printed) == {"wrote": str(tmp_path / "a.zarr"), "axes": "yx", "shape": [64, 80], "levels": 1}


def test_errors_are_no_json(ngio_x_command, tmp_path):
    """Standard output stays empty."""
    for command in (["info"], ["validate"], ["rois", "list"], ["consolidate"]):
        code, printed, error = ngio_x_command(*command, tmp_path / "a.zarr", "--json")
        assert (code, printed, error) == (2, "", f"error: store {tmp_path / 'a.zarr'} does not exist: check the path\n")
