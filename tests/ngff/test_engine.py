"""The xarray engine "ome-zarr"."""

import json
import os
import pickle
import subprocess
import sys

import dask
import numpy as np
import pytest
import xarray as xr
import zarr
from numpy.testing import assert_array_equal
from zarr.storage import LocalStore, WrapperStore

import ngio_x as nx
from ngio_x.arrays.channels import COORDINATES
from ngio_x.errors import NgioFileNotFoundError, NgioValueError
from ngio_x.ngff.engine import OmeZarrBackend
from ngio_x.testing.samples import noise

ENGINE = "ome-zarr"
PIXELS = noise((2, 96, 128), high=60000)


class Recording(WrapperStore):
    """Remembers which keys are read."""

    def __init__(self, store):
        super().__init__(store)
        self.keys = []

    async def get(self, key, *args, **options):
        self.keys.append(key)
        return await super().get(key, *args, **options)

    @property
    def chunks(self):
        """The keys of chunks, which are forgotten thereby."""
        found = [key for key in self.keys if "/c/" in key]
        self.keys.clear()
        return found


@pytest.fixture
def path(tmp_path):
    image = nx.as_image(PIXELS, "cyx", {"y": 0.5, "x": 0.5}, channels=["a", "b"], name="cells")
    nx.write_ome_zarr(image, tmp_path / "a.zarr", levels=3, chunks={"y": 32, "x": 32})
    labels = nx.as_labels(image[0] // 9999).drop_vars("c")
    nx.write_labels(labels, tmp_path / "a.zarr", "big")
    return tmp_path / "a.zarr"


@pytest.fixture
def store(path):
    return Recording(LocalStore(path, read_only=True))


def run(code, cwd):
    """Run code in a fresh interpreter."""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, cwd=cwd)


def test_a_tree_is_that_of_open_ome_zarr(path):
    """With the same nodes, attributes, coordinates and pixels, though not dask's."""
    tree = xr.open_datatree(path, engine=ENGINE)
    xr.testing.assert_identical(tree, nx.open_ome_zarr(path))
    assert tree["0/image"].chunks is None
    assert isinstance(tree["1/image"].xindexes["y"], nx.PixelIndex)


def test_groups_are_datasets_by_path(path):
    """As xarray's other engines give them."""
    groups = xr.open_groups(path, engine=ENGINE)
    assert list(groups) == [
        "/",
        "/0",
        "/1",
        "/2",
        "/labels",
        "/labels/big",
        "/labels/big/0",
        "/labels/big/1",
        "/labels/big/2",
    ]
    assert groups["/1"].identical(nx.open_ome_zarr(path)["1"].to_dataset())


def test_a_dataset_is_the_finest_level(path):
    """With coordinates on the lattice, and names of channels."""
    dataset = xr.open_dataset(path, engine=ENGINE)
    assert dataset.identical(nx.open_ome_zarr(path)["0"].to_dataset())
    assert dataset["image"].ngio.pixel_size.x == 0.5


@pytest.mark.parametrize(
    ("options", "level"),
    [
        ({"level": 1}, 1),
        ({"level": np.int64(2)}, 2),
        ({"pixel_size": 1.5}, 1),
        ({"pixel_size": 0.1}, 0),
        ({"pixel_size": {"x": 9}}, 2),
        ({"pixel_size": nx.PixelSize(1000, 1000, space_unit="nanometer")}, 1),
    ],
)
def test_an_array_is_the_level_that_is_asked_for(path, options, level):
    """By number, or by the size of pixels."""
    array = xr.open_dataarray(path, engine=ENGINE, **options)
    assert array.identical(nx.open_ome_zarr(path)[f"{level}/image"])


def test_labels_are_opened_by_name(path):
    """A level of them, as of the image."""
    array = xr.open_dataarray(path, engine=ENGINE, labels="big", level=1)
    assert array.identical(nx.open_ome_zarr(path)["labels/big/1/big"])
    assert array.attrs["role"] == "labels"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"level": 3}, "level=3 is not there: the image has 3"),
        ({"level": -1}, "level must be ≥ 0, got -1"),
        ({"level": "0"}, "level must be an integer, got '0'"),
        ({"level": 1, "pixel_size": 1}, "give level= or pixel_size=, not both"),
        ({"pixel_size": {"q": 1}}, "'q'"),
        ({"labels": "small"}, r"there are no labels 'small', but \['big'\]"),
        ({"frame": "left"}, "frame must be one of"),
    ],
)
def test_a_bad_option_is_named(path, options, message):
    """With what there is instead."""
    with pytest.raises(NgioValueError, match=message):
        xr.open_dataset(path, engine=ENGINE, **options)


@pytest.mark.parametrize("option", [{"level": 1}, {"chunk": {}}, {"decode_times": False}])
def test_an_option_that_a_tree_does_not_have_is_refused(path, option):
    """It is not passed over in silence."""
    with pytest.raises(TypeError, match=f"unexpected keyword argument '{next(iter(option))}'"):
        xr.open_datatree(path, engine=ENGINE, **option)


def test_a_missing_place_is_not_found(tmp_path):
    """As by open_ome_zarr."""
    with pytest.raises(NgioFileNotFoundError, match="does not exist"):
        xr.open_datatree(tmp_path / "gone.zarr", engine=ENGINE)


def test_variables_are_dropped(path):
    """One by its name, or several; those that are not there do not matter."""
    dataset = xr.open_dataset(path, engine=ENGINE, drop_variables="color")
    assert {"image", "c", "y", "x"} < {*dataset.variables} < {*xr.open_dataset(path, engine=ENGINE).variables}
    tree = xr.open_datatree(path, engine=ENGINE, drop_variables=["big", "c", *COORDINATES, "none"])
    assert list(tree["labels/big/0"].data_vars) == []
    assert list(tree["0"].variables) == ["image", "y", "x"]


@pytest.mark.parametrize(
    ("chunks", "blocks"),
    [
        ({}, (1, 32, 32)),
        ({"y": 96, "x": 128}, (1, 96, 128)),
        (-1, (2, 96, 128)),
    ],
)
def test_chunks_are_xarrays(path, chunks, blocks):
    """What is not asked for is as in the store."""
    array = xr.open_dataarray(path, engine=ENGINE, chunks=chunks)
    assert array.data.chunksize == blocks
    assert xr.open_datatree(path, engine=ENGINE, chunks=chunks)["0/image"].data.chunksize == blocks
    assert_array_equal(array, PIXELS)


@pytest.mark.parametrize("chunks", [{}, {"y": 32}, {"c": 1}, {"c": 2}, -1])
def test_facts_of_channels_have_the_blocks_of_the_image(path, chunks):
    """Without, `chunksizes` and `map_blocks` refused what had a chunk for each channel."""
    array = xr.open_dataarray(path, engine=ENGINE, chunks=chunks)
    assert array.chunksizes["c"] == array.chunks[0] == array["color"].chunks[0]
    assert (array.map_blocks(lambda block: block // 2).values == PIXELS // 2).all()
    tree = xr.open_datatree(path, engine=ENGINE, group="0", chunks=chunks)
    assert tree.dataset.chunksizes["c"] == array.chunks[0]


def test_auto_chunks_are_multiples_of_those_of_the_store(path):
    """As dask chooses them, for the size that is configured."""
    with dask.config.set({"array.chunk-size": "10 kB"}):
        array = xr.open_dataarray(path, engine=ENGINE, chunks="auto")
    assert len(array.chunks[1]) > 1
    assert all(size % 32 == 0 for sizes in array.chunks[1:] for size in sizes)


def test_preferred_chunks_are_shards(tmp_path):
    """Smaller blocks would read a shard's index again and again."""
    group = zarr.open_group(tmp_path / "a.zarr", mode="w")
    array = nx.as_image(PIXELS[0], "yx", 0.5)
    nx.write_ome_zarr(array, group, levels=1, chunks={"y": 32, "x": 32})
    group.create_array("0", data=PIXELS[0], chunks=(16, 16), shards=(48, 64), overwrite=True)
    opened = xr.open_dataarray(tmp_path / "a.zarr", engine=ENGINE)
    assert opened.encoding["preferred_chunks"] == {"y": 48, "x": 64}
    assert (opened.encoding["chunks"], opened.encoding["shards"]) == ((16, 16), (48, 64))


def test_no_pixel_is_read_before_its_value_is_asked_for(store):
    """Nor by selecting, cropping, transposing, printing; then only its chunks."""
    image = xr.open_dataarray(store, engine=ENGINE)
    piece = nx.crop(image, nx.Roi.from_values({"y": (17, 7), "x": (1, 3)}, None)).sel(c="b").transpose("x", "y")
    repr((image, piece, xr.open_datatree(store, engine=ENGINE)))
    assert store.chunks == []
    assert_array_equal(piece, PIXELS[1, 34:48, 2:8].T)
    assert store.chunks == ["0/c/1/1/0"]


@pytest.mark.parametrize(("cache", "reads"), [(True, 1), (False, 2), (None, 1)])
def test_cache_is_xarrays(store, cache, reads):
    """Values are kept unless told otherwise."""
    piece = xr.open_dataarray(store, engine=ENGINE, cache=cache)[0, :5, :5]
    for _ in range(2):
        assert_array_equal(piece.values, PIXELS[0, :5, :5])
    assert len(store.chunks) == reads


KEYS = {
    "a scalar": (1, 3, 4),
    "negative numbers": (-1, slice(-9, None), -3),
    "a negative step": (slice(None), slice(None, None, -1), slice(90, 3, -7)),
    "a step": (0, slice(1, 90, 5), slice(None, None, 40)),
    "nothing": (slice(0, 0), slice(None), slice(5, 2)),
    "unsorted, repeated places": ([1, 0, 1], [95, 0, 40, 40], slice(3, 5)),
    "no places": (slice(None), [], slice(None)),
    "a mask": (0, PIXELS[0, :, 0] > 30000, slice(None)),
    "numpy numbers": (np.int64(1), np.uint8(7), np.array([3, 4], "i4")),
}


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
@pytest.mark.parametrize("chunks", [None, {}])
def test_selections_are_those_of_numpy(path, key, chunks):
    """Each axis by itself."""
    array = xr.open_dataarray(path, engine=ENGINE, chunks=chunks)[key]
    assert_array_equal(array, xr.DataArray(PIXELS, dims=("c", "y", "x"))[key])


@pytest.mark.parametrize("chunks", [None, {}])
def test_points_are_selected_one_by_one(path, chunks):
    """By arrays that share an axis; also after a crop, and of a selection."""
    array = xr.open_dataarray(path, engine=ENGINE, chunks=chunks)
    y, x = xr.DataArray([5, 90, -1], dims="point"), xr.DataArray([7, 0, 8], dims="point")
    assert_array_equal(array.isel(y=y, x=x), PIXELS[:, [5, 90, -1], [7, 0, 8]])
    assert_array_equal(array[:, 2:, ::-1].isel(c=1, y=abs(y) // 2, x=x), PIXELS[1, 2:, ::-1][[2, 45, 0], [7, 0, 8]])


def test_points_read_only_their_chunks(store):
    """Not the box around them."""
    array = xr.open_dataarray(store, engine=ENGINE)
    points = xr.DataArray([0, 95], dims="point")
    assert_array_equal(array.isel(c=0, y=points, x=points), PIXELS[0, [0, 95], [0, 95]])
    assert sorted(store.chunks) == ["0/c/0/0/0", "0/c/0/2/2"]


def test_lazy_arrays_are_pickled_as_such(path):
    """Another process reads the pixels itself."""
    array = xr.open_dataarray(path, engine=ENGINE)[:, 5:, 7]
    text = pickle.dumps(array)
    assert len(text) < PIXELS.nbytes / 4
    assert_array_equal(pickle.loads(text), PIXELS[:, 5:, 7])
    tree = pickle.loads(pickle.dumps(xr.open_datatree(path, engine=ENGINE)))
    xr.testing.assert_identical(tree, nx.open_ome_zarr(path))


def test_a_dataset_is_closed_as_any_other(path):
    """There is nothing to close, and it does not hurt."""
    with xr.open_dataset(path, engine=ENGINE) as dataset:
        dataset["image"][0, 0, 0].load()
    with xr.open_datatree(path, engine=ENGINE) as tree:
        tree.load()
    assert_array_equal(tree["0/image"], PIXELS)


def test_files_are_put_together(tmp_path):
    """Frames in files of their own, along a new axis, read by dask."""
    paths = [tmp_path / f"{frame}.zarr" for frame in range(3)]
    for frame, path in enumerate(paths):
        nx.write_ome_zarr(nx.as_image(PIXELS[0] + np.uint16(frame), "yx", 0.5), path)
    together = xr.open_mfdataset(paths, engine=ENGINE, combine="nested", concat_dim="t")
    assert together["image"].chunks is not None
    assert_array_equal(together["image"], np.stack([PIXELS[0] + np.uint16(frame) for frame in range(3)]))
    assert isinstance(together.xindexes["y"], nx.PixelIndex)


def test_pieces_are_put_together_on_their_lattice(path):
    """Neighbours of one image, without reading it."""
    array = xr.open_dataarray(path, engine=ENGINE, chunks={})
    whole = xr.concat([array[..., :50], array[..., 50:]], "x")
    assert whole.xindexes["x"].equals(array.xindexes["x"])
    assert_array_equal(whole, PIXELS)


@pytest.mark.parametrize("name", ["path", "str", "relative", "home", "well"])
def test_the_engine_is_found_by_itself(path, name, monkeypatch):
    """Of local OME-Zarr, whatever the name of its directory."""
    monkeypatch.chdir(path.parent)
    monkeypatch.setenv("HOME", str(path.parent))
    monkeypatch.setenv("USERPROFILE", str(path.parent))
    places = {"str": str(path), "relative": "a.zarr", "home": "~/a.zarr", "well": "a.zarr/labels/big"}
    place = places.get(name, path)
    assert xr.backends.plugins.guess_engine(place) == ENGINE


def _hostile(tmp_path):
    directory = tmp_path / "x.zarr"
    directory.mkdir()
    yield from (None, b"", b"PK\x03\x04", 5, 2.5, [], {}, object(), "", ".", "\0", "a" * 5000, tmp_path / "gone")
    yield from ("http://127.0.0.1:9/a.zarr", "s3://bucket/a.zarr", "memory://a", tmp_path)
    texts = [b"", b"\xff\xfe\0", b"[]", b"null", b"5", b'"multiscales"', b'{"attributes": 5}', b"{", b"[" * 100_000]
    texts += [
        b'{"attributes": {"ome": null}}',
        b'{"attributes": {"ome": 7}}',
        b'{"attributes": {"ome": "multiscales"}}',
    ]
    for text in texts:
        (directory / "zarr.json").write_bytes(text)
        yield directory
        (directory / "zarr.json").unlink()
        (directory / ".zattrs").write_bytes(text)
        yield directory
        (directory / ".zattrs").unlink()
    (directory / "zarr.json").mkdir()
    yield directory
    (directory / "zarr.json").rmdir()
    with (directory / "zarr.json").open("wb") as file:  # sparse: it takes no place on disk
        file.truncate(2**40)
    yield directory
    (directory / "zarr.json").unlink()
    (directory / "zarr.json").symlink_to(directory / "zarr.json")
    yield directory
    os.mkfifo(directory / ".zattrs")
    yield directory
    yield directory / ".zattrs"


def test_guessing_never_raises_nor_waits(tmp_path):
    """Strange objects, names and files are none of ours."""
    for place in _hostile(tmp_path):
        assert OmeZarrBackend().guess_can_open(place) is False


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_guessing_without_rights_is_no(path):
    """What cannot be read is none of ours."""
    path.chmod(0)
    try:
        assert OmeZarrBackend().guess_can_open(path) is False
    finally:
        path.chmod(0o700)


def test_guessing_knows_ours(path, tmp_path):
    """Of zarr format 2 and 3, but no other zarr."""
    nx.write_ome_zarr(nx.as_image(PIXELS[0], "yx", 0.5), tmp_path / "b.zarr", version="0.4")
    zarr.open_group(tmp_path / "c.zarr", mode="w").attrs["title"] = "multiscales"
    xr.Dataset({"a": ("x", [1, 2])}).to_zarr(tmp_path / "d.zarr", consolidated=False)
    guesses = [OmeZarrBackend().guess_can_open(tmp_path / f"{name}.zarr") for name in "abcd"]
    assert guesses == [True, True, False, False]
    assert json.loads((tmp_path / "b.zarr" / ".zattrs").read_text())["multiscales"]


def test_the_engine_works_where_nothing_is_imported(path):
    """By its entry point; it brings the accessor along."""
    run(
        "import xarray as xr\n"
        f"tree = xr.open_datatree('a.zarr', engine='{ENGINE}')\n"
        "assert tree.ngio.pixel_size.x == 0.5\n"
        "assert xr.open_dataarray('a.zarr', level=1).ngio.dimensions.get('x') == 64\n",
        path.parent,
    )


def test_guessing_imports_no_more_than_the_engine(tmp_path):
    """Files of others are not opened later because ngio_x is installed: it takes no dask array, no scipy."""
    run(
        "import sys, xarray as xr\n"
        f"assert xr.backends.list_engines()['{ENGINE}'].guess_can_open('b.nc') is False\n"
        "assert 'scipy.ndimage' not in sys.modules\n",
        tmp_path,
    )
