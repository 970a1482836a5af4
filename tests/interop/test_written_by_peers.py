"""Images and labels that others write, as ngio_x opens them."""

import pytest
from numpy.testing import assert_array_equal

import ngio_x as nx

pytestmark = pytest.mark.filterwarnings("ignore:Pyramid consolidation still builds:FutureWarning")


def edge_of(peer, axis, translation, scale, base):
    """Return where a level begins. ngio's translations are edges, those of the others move with the pixel size."""
    return translation if peer == "ngio" or axis in "tc" else translation - (scale - base) / 2


def check(peer, tree, variable, seen):
    """ngio_x finds what the writer finds in its own file."""
    assert [name for name in tree.children if name != "labels"] == [str(k) for k in range(len(seen.levels))]
    base = seen.levels[0].scale
    for number, level in enumerate(seen.levels):
        node = tree[str(number)]
        image = node[variable]
        assert level.path in (None, node.attrs["path"])
        assert_array_equal(image, level.pixels)
        for axis, unit in seen.units.items():
            if axis == "c":
                continue
            lattice = image.xindexes[axis].lattice
            assert (lattice.spacing, lattice.unit) == (level.scale[axis], unit)
            assert lattice.edge == edge_of(peer, axis, level.translation[axis], level.scale[axis], base[axis])
            assert lattice.extent == tree["0"][variable].xindexes[axis].lattice.extent


def test_ngio_x_sees_what_the_writer_sees(peer, example, theirs, seen):
    """Pixels of every level, pixel sizes, places and units, of the image and of its labels."""
    tree = nx.open_ome_zarr(theirs)
    assert tree.name == "cells"
    assert "".join(map(str, tree["0"]["image"].dims)) == example.axes
    check(peer.name, tree, "image", seen)
    assert_array_equal(tree["0"]["image"], example.pixels)
    assert list(tree["labels"].children if "labels" in tree else ()) == list(seen.labels)
    for name, label in seen.labels.items():
        check(peer.name, tree[f"labels/{name}"], name, label)
        assert_array_equal(tree[f"labels/{name}/0"][name], example.ids)
        assert tree[f"labels/{name}/0"][name].attrs["role"] == "labels"


@pytest.mark.parametrize("axes", ["cyx", "tczyx"])
def test_ngio_x_sees_the_channels(theirs, seen):
    """Names, colours, limits and visibility."""
    image = nx.open_ome_zarr(theirs)["0"]["image"]
    assert image["c"].values.tolist() == seen.channels == ["DAPI", "green", "ß"]
    channels = nx.channels_of(image)
    assert [channel.color for channel in channels] == seen.colors == ["0000FF", "00FF00", "FFFFFF"]
    assert [channel.display for channel in channels] == seen.display
    assert {channel.limits for channel in channels} == {(0.0, 65535.0)}
    assert seen.active in (None, [channel.active for channel in channels])


@pytest.mark.parametrize("axes", ["zyx"])
@pytest.mark.parametrize("frame", ["corner", "center"])
def test_labels_lie_on_the_image_in_both_frames(theirs, frame):
    """Pixel by pixel, at every level."""
    tree = nx.open_ome_zarr(theirs, frame=frame)
    for name in tree["labels"].children if "labels" in tree else ():
        for level in "012":
            for axis in "zyx":
                labels, image = tree[f"labels/{name}/{level}"][name], tree[level]["image"]
                assert labels.xindexes[axis].equals(image.xindexes[axis])


@pytest.mark.parametrize("axes", ["yx"])
def test_frames_differ_by_half_a_pixel(peer, theirs, seen):
    """Where a translation is a centre, the image begins half a pixel before it."""
    for level in "012":
        tree = nx.open_ome_zarr(theirs, frame="center")
        lattice = tree[level]["image"].xindexes["x"].lattice
        place = seen.levels[int(level)]
        assert lattice.edge == place.translation["x"] - place.scale["x"] / 2
