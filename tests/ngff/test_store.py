import numpy as np
import pytest
import xarray as xr
import zarr

import ngio_x as nx
from ngio_x.errors import NgioFileExistsError, NgioFileNotFoundError, NgioTypeError, NgioValueError
from ngio_x.ngff.store import new_group, open_group


def image(value=1, shape=(20, 30)):
    return nx.as_image(np.full(shape, value, "u2"), "yx", 0.5)


def first_pixel(store):
    return int(nx.open_ome_zarr(store)["0"]["image"][0, 0])


class InterruptedWriteError(Exception):
    pass


def interrupt(_done, _total):
    raise InterruptedWriteError


PLACES = {
    "path": lambda folder: folder / "a.zarr",
    "str": lambda folder: str(folder / "a.zarr"),
    "LocalStore": lambda folder: zarr.storage.LocalStore(folder / "a.zarr"),
    "MemoryStore": lambda _folder: zarr.storage.MemoryStore(),
    "local group": lambda folder: zarr.open_group(folder / "root.zarr", mode="w").create_group("a/b"),
    "memory group": lambda _folder: zarr.open_group(zarr.storage.MemoryStore(), mode="w").create_group("a/b"),
}


@pytest.fixture(params=PLACES.values(), ids=PLACES.keys())
def place(request, tmp_path):
    return request.param(tmp_path)


def test_an_image_can_be_written_to_any_place_and_read_from_it(place):
    """Paths, stores and groups, in memory and on disk."""
    nx.write_ome_zarr(image(7), place)
    assert first_pixel(place) == 7


def test_nothing_is_overwritten_unasked(place):
    """The old image stays, and the message says what to pass."""
    nx.write_ome_zarr(image(7), place)
    with pytest.raises(NgioFileExistsError, match="pass overwrite=True"):
        nx.write_ome_zarr(image(8), place)
    assert first_pixel(place) == 7


def test_overwriting_replaces_everything(place):
    """No level of the old image is left beside the new one."""
    nx.write_ome_zarr(image(7), place, levels=3)
    nx.write_ome_zarr(image(8), place, overwrite=True)
    assert first_pixel(place) == 8
    assert list(nx.open_ome_zarr(place).children) == ["0"]


def test_an_interrupted_write_leaves_nothing(place, tmp_path):
    """Neither pixels nor hidden files; the place can be written to afterwards."""
    before = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    with pytest.raises(InterruptedWriteError):
        nx.write_ome_zarr(image(), place, progress=interrupt)
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == before
    nx.write_ome_zarr(image(9), place)
    assert first_pixel(place) == 9


@pytest.mark.parametrize("kind", ["path", "str", "LocalStore", "local group"])
def test_an_interrupted_overwrite_keeps_the_old_image(kind, tmp_path):
    """At local places the new image takes the old one's place at the end only."""
    place = PLACES[kind](tmp_path)
    nx.write_ome_zarr(image(7), place)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InterruptedWriteError):
        nx.write_ome_zarr(image(8), place, overwrite=True, progress=interrupt)
    assert sorted(tmp_path.rglob("*")) == before
    assert first_pixel(place) == 7


@pytest.mark.parametrize("kind", ["path", "str", "LocalStore", "local group"])
def test_an_image_can_be_written_over_the_one_that_it_is_read_from(kind, tmp_path):
    """Lazy pixels are read before the old ones vanish."""
    place = PLACES[kind](tmp_path)
    nx.write_ome_zarr(image(7), place)
    nx.write_ome_zarr(nx.open_ome_zarr(place)["0"]["image"] + np.uint16(1), place, overwrite=True)
    assert first_pixel(place) == 8


@pytest.mark.parametrize("kind", ["MemoryStore", "memory group"])
def test_a_lazy_image_is_not_written_over_a_place_that_is_emptied_first(kind, tmp_path):
    """It might read zeros; computed first, it can be written."""
    place = PLACES[kind](tmp_path)
    nx.write_ome_zarr(image(7), place)
    lazy = nx.open_ome_zarr(place)["0"]["image"]
    with pytest.raises(NgioFileExistsError, match=r"compute\(\) the image first"):
        nx.write_ome_zarr(lazy, place, overwrite=True)
    nx.write_ome_zarr(lazy.compute(), place, overwrite=True)
    assert first_pixel(place) == 7


@pytest.mark.parametrize("kind", ["MemoryStore", "memory group"])
@pytest.mark.parametrize("engine", [False, True])
def test_nor_is_one_that_is_lazy_without_dask(kind, engine, tmp_path):
    """Neither the pixels of an image nor those of labels are known before they are read."""
    place = PLACES[kind](tmp_path)
    nx.write_ome_zarr(image(7), place)
    nx.write_labels(nx.as_labels(image(3)), place, "cells")
    tree = xr.open_datatree(place, engine="ome-zarr") if engine else nx.open_ome_zarr(place, chunks=None)
    with pytest.raises(NgioFileExistsError, match=r"compute\(\) the image first"):
        nx.write_ome_zarr(tree, place, overwrite=True)
    with pytest.raises(NgioFileExistsError, match=r"compute\(\) the image first"):
        nx.write_labels(tree["labels/cells/0/cells"], place, "cells", overwrite=True)
    assert first_pixel(place) == 7
    assert int(nx.open_ome_zarr(place)["labels/cells/0/cells"][0, 0]) == 3
    nx.write_ome_zarr(tree.load(), place, overwrite=True)
    assert first_pixel(place) == 7


@pytest.mark.parametrize(
    "make", [lambda path: path.mkdir() or (path / "notes.txt").write_text("x"), lambda path: path.write_text("x")]
)
def test_what_is_no_zarr_hierarchy_is_never_replaced(make, tmp_path):
    """A folder of other files, or a file, stays, even with overwrite."""
    path = tmp_path / "mine"
    make(path)
    with pytest.raises(NgioFileExistsError, match="is no zarr directory, and is not replaced"):
        nx.write_ome_zarr(image(), path, overwrite=True)
    assert list(tmp_path.iterdir()) == [tmp_path / "mine"]


def test_an_empty_directory_may_be_replaced(tmp_path):
    """With overwrite; there is nothing to lose."""
    nx.write_ome_zarr(image(3), tmp_path, overwrite=True)
    assert first_pixel(tmp_path) == 3


def test_missing_parents_are_made(tmp_path):
    """As `mkdir -p` does."""
    nx.write_ome_zarr(image(3), tmp_path / "a" / "b" / "c.zarr")
    assert first_pixel(tmp_path / "a" / "b" / "c.zarr") == 3


def test_something_that_appears_meanwhile_is_not_replaced(tmp_path):
    """Another writer's result at the same path is found at the end."""
    path = tmp_path / "a.zarr"
    with pytest.raises(NgioFileExistsError), new_group(path, 3, overwrite=False):
        nx.write_ome_zarr(image(5), path)
    assert first_pixel(path) == 5
    assert list(tmp_path.iterdir()) == [tmp_path / "a.zarr"]


def test_a_group_of_another_format_is_refused():
    """OME-NGFF 0.5 needs zarr format 3."""
    group = zarr.open_group(zarr.storage.MemoryStore(), mode="w", zarr_format=2)
    with pytest.raises(NgioValueError, match="zarr format 2, but this version of OME-NGFF needs 3"):
        nx.write_ome_zarr(image(), group)


def test_a_group_with_something_in_it_is_refused(tmp_path):
    """What it holds is named."""
    group = zarr.open_group(tmp_path / "a.zarr", mode="w")
    group.create_group("tables")
    with pytest.raises(NgioFileExistsError, match="tables"):
        nx.write_ome_zarr(image(), group)
    assert list(group) == ["tables"]


def test_neighbours_of_a_group_are_left_alone(tmp_path):
    """Only the group itself is filled."""
    root = zarr.open_group(tmp_path / "plate.zarr", mode="w")
    root.create_group("B/02").attrs["kept"] = 1
    nx.write_ome_zarr(image(4), root.create_group("B/03"))
    nx.write_ome_zarr(image(5), root["B/03"], overwrite=True)
    assert root["B/02"].attrs["kept"] == 1
    assert first_pixel(tmp_path / "plate.zarr" / "B" / "03") == 5


def test_a_read_only_place_is_refused(tmp_path):
    """Nothing is written behind the back of a store that was opened for reading."""
    nx.write_ome_zarr(image(7), tmp_path / "a.zarr")
    for place in (
        zarr.storage.LocalStore(tmp_path / "a.zarr", read_only=True),
        zarr.open_group(tmp_path / "a.zarr", mode="r"),
    ):
        with pytest.raises(NgioValueError, match="is read-only: open it for writing"):
            nx.write_ome_zarr(image(8), place, overwrite=True)
    assert first_pixel(tmp_path / "a.zarr") == 7


@pytest.mark.parametrize("place", [5, None, ["a"]])
def test_something_that_is_no_place_is_refused(place):
    """For reading and for writing."""
    with pytest.raises(NgioTypeError, match="store must be a path, a URL, a zarr store or a zarr group"):
        nx.open_ome_zarr(place)
    with pytest.raises(NgioTypeError, match="store must be a path, a URL, a zarr store or a zarr group"):
        nx.write_ome_zarr(image(), place)


def test_a_missing_group_is_not_found(tmp_path):
    """Nor is it created."""
    with pytest.raises(NgioFileNotFoundError, match=r"a\.zarr does not exist"):
        open_group(tmp_path / "a.zarr", "r+")
    with pytest.raises(NgioFileNotFoundError, match="there is no zarr group at"):
        open_group(tmp_path)
    with pytest.raises(NgioFileNotFoundError, match="there is no zarr group at"):
        open_group(zarr.storage.MemoryStore())
    assert list(tmp_path.iterdir()) == []


def test_an_array_is_no_group(tmp_path):
    """A path one level too deep is told so."""
    for version in ("0.4", "0.5"):
        nx.write_ome_zarr(image(), tmp_path / version, version=version)
        store = zarr.storage.LocalStore(tmp_path / version / "0")
        for place in (tmp_path / version / "0", store):
            with pytest.raises(NgioFileNotFoundError, match=r"no zarr group at .* but an array: open the group"):
                nx.open_ome_zarr(place)


@pytest.mark.parametrize(
    "act",
    [
        nx.open_ome_zarr,
        lambda path: nx.write_labels(nx.as_labels(image()), path, "cells"),
        lambda path: nx.write_region(image(), path),
        nx.consolidate_ome_zarr,
        nx.validate_ome_zarr,
    ],
)
def test_a_file_is_no_group(tmp_path, act):
    """Whatever is to be done with it."""
    file = tmp_path / "a.tif"
    file.write_text("x")
    with pytest.raises(NgioFileNotFoundError, match=r"there is no zarr group at .*a\.tif: it is a file"):
        act(file)
    assert file.read_text() == "x"


def test_a_file_url_is_a_path(tmp_path):
    """It is written to, labelled, changed and replaced like one."""
    url = (tmp_path / "a b" / "ü.zarr").as_uri()
    nx.write_ome_zarr(image(7), url)
    nx.write_labels(nx.as_labels(image()), url, "cells")
    nx.write_region(image(8), url)
    assert first_pixel(url) == first_pixel(tmp_path / "a b" / "ü.zarr") == 8
    nx.write_ome_zarr(nx.open_ome_zarr(url), url, overwrite=True)
    assert first_pixel(url) == 8
    assert [file.name for file in (tmp_path / "a b").iterdir()] == ["ü.zarr"]
