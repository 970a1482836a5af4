"""Images and labels that ngio_x writes, as other readers see them."""

import pytest
from numpy.testing import assert_array_equal

import ngio_x as nx

SIZE = {"t": 1.5, "z": 2.0, "y": 0.25, "x": 0.5}
ORIGIN = {"t": 3.0, "z": -8.0, "y": 100.0, "x": 0.75}
UNITS = {"t": "second", "z": "micrometer", "y": "micrometer", "x": "micrometer"}

pytestmark = pytest.mark.filterwarnings("ignore:Pyramid consolidation still builds:FutureWarning")


def expected_place(axis, size):
    """Return the translation of a level with pixels of some size: as OME-NGFF 0.6 recommends for binning."""
    return ORIGIN.get(axis, 0.0) + (0.0 if axis in "tc" else (size - SIZE[axis]) / 2)


def check_levels(seen, axes, pixels, order):
    """Three levels, each half as wide and high as the one before, lie on one another."""
    assert len(seen.levels) == 3
    whole = dict(zip(axes, pixels.shape, strict=True))
    for number, level in enumerate(seen.levels):
        factor = {axis: 2**number if axis in "yx" else 1 for axis in axes}
        if number:
            pixels = nx.numpy_zoom(pixels, target_shape=[whole[axis] // factor[axis] for axis in axes], order=order)
        assert_array_equal(level.pixels, pixels)
        for axis in axes:
            size = SIZE.get(axis, 1.0) * factor[axis]
            assert level.scale[axis] == size
            assert level.translation[axis] == expected_place(axis, size)


def test_a_peer_sees_what_was_written(peer, example, gallery):
    """Pixels, pixel sizes and translations of every level, units and names; of the image and of its labels."""
    seen = peer.read(gallery(example))
    check_levels(seen, example.axes, example.pixels, "linear")
    assert list(seen.labels) == ["nuclei"]
    labels = seen.labels["nuclei"]
    check_levels(labels, example.spaces, example.ids, "nearest")
    assert (seen.name, labels.name) == ("cells", "nuclei")
    assert seen.units == {axis: UNITS.get(axis) for axis in example.axes}
    assert labels.units == {axis: UNITS.get(axis) for axis in example.spaces}
    check_channels(seen, 3 if "c" in example.axes else 0)


def check_channels(seen, count):
    """Names, colours, grey levels, and which are shown to begin with."""
    assert (seen.channels or []) == ["DAPI", "green", "ß"][:count]
    assert (seen.colors or []) == ["0000FF", "00FF00", "FFFFFF"][:count]
    assert (seen.display or []) == [(100.0, 50000.0)] * count
    assert seen.active is None or seen.active == [True, False, True][:count]


@pytest.mark.parametrize("axes", ["zyx"])
def test_ome_zarr_sees_the_colours_of_labels(example, gallery):
    """Those that were given, from 0 to 1."""
    reader, io = pytest.importorskip("ome_zarr.reader"), pytest.importorskip("ome_zarr.io")
    nodes = reader.Reader(io.parse_url(str(gallery(example))))()
    (colors,) = (node.metadata["color"] for node in nodes if "color" in node.metadata)
    assert colors == {1: [1, 0, 0, 1], 2: [0, 1, 0, 128 / 255]}


def test_ngio_x_reads_what_it_wrote(example, gallery):
    """The same numbers, as ngio_x tells them: edges, not translations."""
    tree = nx.open_ome_zarr(gallery(example))
    for image, axes in ((tree["0"]["image"], example.axes), (tree["labels/nuclei/0"]["nuclei"], example.spaces)):
        for axis in axes.replace("c", ""):
            lattice = image.xindexes[axis].lattice
            assert (lattice.edge, lattice.spacing, lattice.unit) == (ORIGIN[axis], SIZE[axis], UNITS[axis])
    assert_array_equal(tree["0"]["image"], example.pixels)
    assert_array_equal(tree["labels/nuclei/0"]["nuclei"], example.ids)
