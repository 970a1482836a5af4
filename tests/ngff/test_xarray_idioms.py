"""What users of xarray expect of its engines: groups, asynchronous loading, chunks, and names that are found again."""

import asyncio
import shutil

import dask
import dask.array as da
import numpy as np
import pytest
import xarray as xr
import zarr
from numpy.testing import assert_array_equal
from zarr.storage import MemoryStore

import ngio_x as nx
from ngio_x.testing.samples import noise

ENGINE = "ome-zarr"
PIXELS = noise((2, 40, 48), "u2", high=4000)


def image_of(pixels=PIXELS):
    channels = [nx.Channel("DNA", "FF00FF", display=(0, 4000)), nx.Channel("actin", "00FF00", active=False)]
    return nx.as_image(pixels, "cyx", 0.5, channels=channels, name="cells")


def write_image(path, **options):
    image = image_of()
    labels = {"nuclei": nx.as_labels((image[0] > 2000).astype("u1"))}
    nx.write_ome_zarr(image, path, **{"levels": 2, "labels": labels, "chunks": {"y": 16, "x": 16}} | options)
    return path


@pytest.fixture(params=["0.4", "0.5"])
def path(request, tmp_path):
    return write_image(tmp_path / "a.zarr", version=request.param)


@pytest.fixture
def plate(tmp_path):
    """Of one well with two images."""
    path = tmp_path / "plate.zarr"
    root = zarr.open_group(path, mode="w")
    root.attrs["ome"] = {"version": "0.5", "plate": {
        "columns": [{"name": "03"}], "rows": [{"name": "B"}],
        "wells": [{"path": "B/03", "rowIndex": 0, "columnIndex": 0}],
    }}  # fmt: skip
    well = root.require_group("B/03")
    well.attrs["ome"] = {"version": "0.5", "well": {"images": [{"path": "0"}, {"path": "1"}]}}
    for name in "01":
        write_image(path / "B/03" / name)
    return path


# ---- Groups


@pytest.mark.parametrize("group", ["1", "/1", "labels/nuclei/0", "0/"])
def test_a_group_is_a_node_of_the_tree(path, group):
    """The dataset that it holds."""
    found = xr.open_dataset(path, engine=ENGINE, group=group)
    assert found.identical(xr.open_datatree(path, engine=ENGINE)[group.strip("/")].to_dataset())


@pytest.mark.parametrize("group", ["B/03/0/1", "B/03/1/labels/nuclei/0"])
def test_a_group_of_a_plate_is_a_level(plate, group):
    """Found by its path alone, without the other images."""
    found = xr.open_dataset(plate, engine=ENGINE, group=group)
    assert found.identical(xr.open_datatree(plate, engine=ENGINE)[group].to_dataset())
    image = xr.open_dataarray(plate, engine=ENGINE, group="B/03/1", level=1)
    assert image.identical(nx.open_ome_zarr(plate / "B/03/1")["1/image"])
    labels = xr.open_dataarray(plate, engine=ENGINE, group="B/03/1", labels="nuclei")
    assert labels.name == "nuclei"


@pytest.mark.parametrize("group", ["B/03/0", "B/03", "B/03/1/labels/nuclei", "B/03/1/labels", "B/03/0/1", "/", None])
def test_a_tree_of_a_group_is_the_part_of_the_tree(plate, group):
    """With its nodes, their attributes and arrays."""
    found = xr.open_datatree(plate, engine=ENGINE, group=group)
    whole = xr.open_datatree(plate, engine=ENGINE)
    part = whole[group.strip("/")] if group and group != "/" else whole
    assert found.is_root
    assert [node.relative_to(part) for node in part.subtree] == [node.relative_to(found) for node in found.subtree]
    for ours, theirs in zip(found.subtree, part.subtree, strict=True):
        assert ours.to_dataset().identical(theirs.to_dataset())
    groups = xr.open_groups(plate, engine=ENGINE, group=group)
    assert list(groups) == [node.path for node in found.subtree]


def test_a_group_may_be_called_as_on_disk(tmp_path):
    """Where that is no number of a level."""
    tree = nx.open_ome_zarr(write_image(tmp_path / "a.zarr"))
    for at in "01":
        tree[at].attrs["path"] = f"s{at}"
    nx.write_ome_zarr(tree, tmp_path / "b.zarr")
    for opened in (xr.open_dataset, xr.open_datatree):
        one, other = (opened(tmp_path / "b.zarr", engine=ENGINE, group=group) for group in ("s1", "1"))
        assert one.identical(other)


@pytest.mark.parametrize("opened", [xr.open_dataset, xr.open_datatree, xr.open_groups])
@pytest.mark.parametrize(
    ("group", "kind"),
    [
        ("7", nx.errors.NgioKeyError),
        ("labels/cells/0", nx.errors.NgioKeyError),
        (1, nx.errors.NgioTypeError),
    ],
)
def test_a_group_that_is_not_there_is_refused(path, opened, group, kind):
    """As a key that is missing."""
    with pytest.raises(kind, match="group"):
        opened(path, engine=ENGINE, group=group)


def test_a_group_that_a_plate_lacks_is_refused(plate):
    """Before any image is read; and a level is said once."""
    for group in ("C", "B/03/7", "B/03/0/9"):
        with pytest.raises(KeyError, match="group"):
            xr.open_datatree(plate, engine=ENGINE, group=group)
    with pytest.raises(nx.errors.NgioValueError, match="leave labels, level and pixel_size out"):
        xr.open_dataset(plate, engine=ENGINE, group="B/03/0/1", level=0)


# ---- Asynchronous loading


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_pixels_load_asynchronously(tmp_path, version):
    """All at once, of pieces and of points, from directories and from memory."""
    store = MemoryStore()
    write_image(store, version=version)
    for place in (write_image(tmp_path / "a.zarr", version=version), store):
        dataset = xr.open_dataset(place, engine=ENGINE)
        points = {"y": xr.DataArray([1, 30], dims="k"), "x": xr.DataArray([2, 3], dims="k")}
        lazy = [dataset, dataset.isel(y=slice(3, 9), x=[5, 1]), dataset.isel(points)]

        async def load(lazy=lazy):
            return await asyncio.gather(*(each.load_async() for each in lazy))

        for found, expected in zip(asyncio.run(load()), lazy, strict=True):
            assert found["image"].variable._in_memory
            assert_array_equal(found["image"], expected["image"].values)
        assert_array_equal(dataset["image"], PIXELS)


# ---- Names


def names_of(path, **options):
    return {
        node.path: array.data.name
        for node in nx.open_ome_zarr(path, **options).subtree
        for array in node.data_vars.values()
    }


@pytest.mark.parametrize("chunks", ["auto", {}, {"y": 8}, 10, -1])
def test_names_of_an_unchanged_image_are_equal(path, chunks):
    """What is made of it, too; they differ from array to array, and with the blocks."""
    first = names_of(path, chunks=chunks)
    assert first == names_of(path, chunks=chunks) == names_of(str(path), chunks=chunks)
    assert len(set(first.values())) == len(first)
    assert not {*first.values()} & {*names_of(path, chunks={"y": 7}).values()}
    made = [nx.zoom(nx.open_ome_zarr(path)["0/image"] * 2, 0.5).data.name for _ in range(2)]
    assert made[0] == made[1]


def test_names_do_not_depend_on_where_a_process_stands(path, monkeypatch):
    """A relative path is the same place."""
    monkeypatch.chdir(path.parent)
    assert names_of("a.zarr") == names_of(path)


CHANGES = {
    "write_region": (lambda path: nx.write_region(image_of() * np.uint16(2), path), {"/0", "/1"}),
    "a pixel": (lambda path: nx.write_region(image_of()[:, :1, :1], path), {"/0", "/1"}),
    "without consolidation": (
        lambda path: nx.write_region(image_of()[:, :1, :1], path, consolidate=False, exclusive=True),
        {"/0", "/1"},
    ),
    "consolidation": (nx.consolidate_ome_zarr, {"/1"}),
    "consolidate_pyramid": (
        lambda path: nx.consolidate_pyramid(zarr.open_array(path / "0"), [zarr.open_array(path / "1")]),
        {"/1"},
    ),
    "on_disk_zoom": (
        lambda path: nx.on_disk_zoom(zarr.open_array(path / "0"), zarr.open_array(path / "1")),
        {"/1"},
    ),
    "labels": (
        lambda path: nx.write_labels(nx.as_labels(np.ones((40, 48), "u1"), "yx", 0.5), path, "nuclei", overwrite=True),
        {"/labels/nuclei/0", "/labels/nuclei/1"},
    ),
    "the image": (lambda path: write_image(path, overwrite=True), {"/0", "/1", "/labels/nuclei/0", "/labels/nuclei/1"}),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:.*is being rebuilt")
@pytest.mark.parametrize(("change", "changed"), CHANGES.values(), ids=CHANGES)
def test_what_has_been_written_has_other_names(path, change, changed):
    """Those of the arrays that were written; and xarray sees it, too."""
    before, xarrays = names_of(path), xr.open_dataarray(path, engine=ENGINE, chunks={}).data.name
    change(path)
    after = names_of(path)
    assert changed <= {node for node in before if before[node] != after[node]}
    assert xr.open_dataarray(path, engine=ENGINE, chunks={}).data.name != xarrays
    assert names_of(path) == after


def test_what_is_held_is_not_taken_for_what_was_written(path):
    """One graph may hold both."""
    before = nx.open_ome_zarr(path)["0/image"].persist()
    nx.write_region(image_of() * np.uint16(2), path)
    after = nx.open_ome_zarr(path)["0/image"]
    assert_array_equal(dask.compute(after.data - before.data)[0], PIXELS)


def test_xarrays_names_of_a_plate_change(plate):
    """It looks at the root alone."""
    names = {xr.open_datatree(plate, engine=ENGINE, chunks={})["B/03/0/0/image"].data.name for _ in range(2)}
    nx.write_region(image_of(), plate / "B/03/0")
    names.add(xr.open_datatree(plate, engine=ENGINE, chunks={})["B/03/0/0/image"].data.name)
    assert len(names) == 2


def test_of_stores_that_do_not_tell_of_changes_names_are_never_equal():
    """What is in memory, or far away, may have become another."""
    store = MemoryStore()
    write_image(store)
    assert not {*names_of(store).values()} & {*names_of(store).values()}


def test_names_in_a_zip_file_change_with_it(path, tmp_path):
    """It is one file."""
    shutil.make_archive(str(tmp_path / "a"), "zip", path)
    first = names_of(tmp_path / "a.zip")
    assert first == names_of(tmp_path / "a.zip")
    write_image(path, overwrite=True, compressors=None)
    shutil.make_archive(str(tmp_path / "a"), "zip", path)
    assert not {*first.values()} & {*names_of(tmp_path / "a.zip").values()}


VERBS = {
    "crop": lambda image, _: nx.crop(image, nx.Roi.from_values({"y": (3, 4), "x": (3, 4)}, "a")),
    "zoom": lambda image, _: nx.zoom(image, 0.5),
    "paste": lambda image, _: nx.paste(image, image.isel(y=slice(3, 9)) * 2),
    "a patch in memory": lambda image, _: nx.paste(image, image.isel(y=slice(3, 9)).compute()),
    "mask": lambda image, labels: nx.mask(image, labels, 1),
    "composite": lambda image, _: nx.composite(image),
    "relabel_sequential": lambda _, labels: nx.relabel_sequential(labels)[0],
    "keep_objects": lambda _, labels: nx.keep_objects(nx.zoom(labels, 0.5), labels),
    "as_image": lambda image, _: nx.as_image(image.data, like=image),
}


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
def test_what_verbs_make_has_equal_names(path, verb):
    """Lazily, and of what was opened anew."""
    made = []
    for _ in range(2):
        tree = nx.open_ome_zarr(path)
        made.append(verb(tree["0/image"], tree["labels/nuclei/0/nuclei"]))
    assert isinstance(made[0].data, da.Array)
    assert made[0].data.name == made[1].data.name


def test_map_rois_has_equal_names_for_equal_work(path):
    """Of functions that can be told apart."""
    rois = [nx.Roi.from_values({"y": (0, 4), "x": (0, 4)}, "a")]
    image = nx.open_ome_zarr(path)["0/image"]
    for options in ({}, {"output": {"n": int}}):
        one, other = (nx.map_rois(image, np.negative, rois, **options) for _ in range(2))
        another = nx.map_rois(image, np.abs, rois, **options)
        if not options:
            assert one.data.name == other.data.name != another.data.name
        else:
            assert one["n"].data.name == other["n"].data.name != another["n"].data.name


# ---- Chunks


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        (-1, ((2,), (40,), (48,))),
        (10, ((2,), (10,) * 4, (10, 10, 10, 10, 8))),
        (np.int64(40), ((2,), (40,), (40, 8))),
        ((1, 40, 20), ((1, 1), (40,), (20, 20, 8))),
        ([1, -1, -1], ((1, 1), (40,), (48,))),
        ({}, ((1, 1), (16, 16, 8), (16, 16, 16))),
        ({"c": 2}, ((2,), (16, 16, 8), (16, 16, 16))),
    ],
)
def test_chunks_are_told_as_in_dask(path, chunks, expected):
    """For all axes, in their order, or by axis; labels have those of their image's axes."""
    tree = nx.open_ome_zarr(path, chunks=chunks)
    assert tree["0/image"].chunks == expected
    assert tree["labels/nuclei/0/nuclei"].chunks == expected[1:]
    assert_array_equal(tree["0/image"], PIXELS)
    if isinstance(chunks, dict):
        assert xr.open_dataarray(path, engine=ENGINE, chunks=chunks).chunks == expected


def test_no_chunks_are_those_of_the_store_shards_included(tmp_path):
    """As xarray means `{}`: no shard is opened twice."""
    write_image(tmp_path / "a.zarr", shards={"y": 32, "x": 48}, labels={})
    for opened in (nx.open_ome_zarr(tmp_path / "a.zarr", chunks={})["0/image"],
                   xr.open_dataarray(tmp_path / "a.zarr", engine=ENGINE, chunks={})):  # fmt: skip
        assert opened.chunks == ((1, 1), (32, 8), (48,))


@pytest.mark.parametrize(
    "chunks", [True, 0, -2, 1.5, "all", (1, 2), (1, 2, 3, 4), {"q": 1}, (1, 0, 1), [[1], [1], [1]]]
)
def test_chunks_that_mean_nothing_are_refused(path, chunks):
    """Naming them."""
    with pytest.raises(nx.errors.NgioValueError, match="chunks"):
        nx.open_ome_zarr(path, chunks=chunks)


def test_chunks_in_order_need_images_of_one_order(plate):
    """Else they are told by axis."""
    assert nx.open_ome_zarr(plate, chunks=(1, 40, 24))["B/03/0/0/image"].chunks == ((1, 1), (40,), (24, 24))
    nx.write_ome_zarr(image_of()[0], plate / "B/03/1", overwrite=True)
    with pytest.raises(nx.errors.NgioValueError, match="give them by axis"):
        nx.open_ome_zarr(plate, chunks=(1, 40, 24))
    assert isinstance(nx.open_ome_zarr(plate, chunks=24)["B/03/1/0/image"].data, da.Array)
