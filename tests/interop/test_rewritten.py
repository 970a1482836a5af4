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


@pytest.fixture(params=["yx", "cyx", "czyx", "tczyx"])
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


@pytest.mark.parametrize("axes", ["cyx"])
def test_a_chosen_channel_keeps_all_that_is_said_of_it(peer, theirs, attributes, tmp_path):
    """Words of the writer's own, such as the wavelengths of ngio, too."""
    chosen = nx.map_levels(nx.open_ome_zarr(theirs), lambda level: level.isel(c=[2, 1]))
    nx.write_ome_zarr(chosen, tmp_path / "chosen.zarr")
    before, after = (
        documents(path, attributes)["."]["omero"]["channels"] for path in (theirs, tmp_path / "chosen.zarr")
    )
    assert without(after, *ADDED) == without([before[2], before[1]], *ADDED)
    assert peer.read(tmp_path / "chosen.zarr").channels == ["ß", "green"]


@pytest.mark.parametrize("axes", ["yx"])
def test_a_cropped_tree_is_seen_where_it_is(peer, theirs, seen, tmp_path):
    """Level 1 of a peer's image, cut out at whole pixels of it, has the writer's translation, moved by these pixels."""
    tree = nx.open_ome_zarr(theirs)
    lattice = tree["1"]["image"].xindexes["x"].lattice
    start, stop = lattice.edge + 4 * lattice.spacing, lattice.edge + 8 * lattice.spacing
    height = tree["0"]["image"].xindexes["y"].lattice.extent
    part = nx.crop(tree, nx.Roi.from_values({"x": slice(start, stop), "y": slice(*height)}, None))
    nx.write_ome_zarr(part, tmp_path / "part.zarr")
    found = peer.read(tmp_path / "part.zarr")
    for number, (old, new) in enumerate(zip(seen.levels, found.levels, strict=True)):
        first, last = 8 >> number, 16 >> number
        assert_array_equal(new.pixels, old.pixels[:, first:last])
        assert new.translation["x"] == old.translation["x"] + first * old.scale["x"]
        assert new.translation["y"] == old.translation["y"]
