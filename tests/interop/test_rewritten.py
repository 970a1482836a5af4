"""Images that others wrote, opened and written again by ngio_x: their writers see no difference."""

import pytest
import zarr
from numpy.testing import assert_array_equal

import ngio_x as nx

pytestmark = pytest.mark.filterwarnings("ignore:Pyramid consolidation still builds:FutureWarning")


ADDED = ("ngio_x", "active")
"""Keys that ngio_x adds: how translations are meant, and that a channel is shown."""


def without(found, *keys):
    """Return attributes without some keys, at any depth."""
    if isinstance(found, dict):
        return {key: without(value, *keys) for key, value in found.items() if key not in keys}
    return [without(item, *keys) for item in found] if isinstance(found, list) else found


def check_same(before, after):
    """All that a reader sees is the same."""
    assert len(before.levels) == len(after.levels)
    for old, new in zip(before.levels, after.levels, strict=True):
        assert_array_equal(new.pixels, old.pixels)
        assert new.pixels.dtype == old.pixels.dtype
        assert new._replace(pixels=None) == old._replace(pixels=None)
    assert list(after.labels) == list(before.labels)
    for name, label in before.labels.items():
        check_same(label, after.labels[name])
    rest = [seen._replace(levels=None, labels=None, more=without(seen.more, "version")) for seen in (before, after)]
    assert rest[0] == rest[1]


@pytest.fixture(params=["yx", "cyx", "tczyx"])
def axes(request):
    return request.param


@pytest.fixture(params=["0.4", "0.5"])
def again(request, theirs, tmp_path):
    """Return the image as ngio_x writes it again, in either version."""
    nx.write_ome_zarr(nx.open_ome_zarr(theirs), tmp_path / "again.zarr", version=request.param)
    return tmp_path / "again.zarr"


def documents(path, attributes):
    """Return the OME-NGFF attributes of an image, and of its labels, without what says the version."""
    groups = [path, *sorted(item for item in (path / "labels").glob("*") if item.is_dir())]
    found = {group.relative_to(path).as_posix(): attributes(group) for group in groups}
    return {name: without(items.get("ome", items), "version") for name, items in found.items()}


def arrays(path):
    """Return all arrays of a group, by their paths."""
    members = zarr.open_group(path, mode="r", use_consolidated=False).members(max_depth=None)
    return {name: member for name, member in sorted(members) if isinstance(member, zarr.Array)}


def test_its_writer_sees_no_difference(peer, theirs, seen, again, attributes):
    """Pixels, places, names of levels, channels, labels, and all else that the writer can tell of the image."""
    check_same(seen, peer.read(again))
    before, after = documents(theirs, attributes), documents(again, attributes)
    assert without(after, *ADDED) == without(before, *ADDED)


def test_arrays_are_cut_as_before(theirs, again):
    """Chunks of every level, and shards where the version has them; those beyond the image shrink to fit."""
    before, after = arrays(theirs), arrays(again)
    assert list(after) == list(before)
    for old, new in zip(before.values(), after.values(), strict=True):
        assert (new.dtype, new.chunks) == (old.dtype, tuple(map(min, old.chunks, old.shape)))
        if new.metadata.zarr_format == 2 or old.shards is None:
            assert new.shards is None
        elif all(shard <= size for shard, size in zip(old.shards, old.shape, strict=True)):
            assert new.shards == old.shards
