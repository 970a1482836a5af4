"""An image as tiles."""

import numpy as np
import pytest

import ngio_x as nx
from ngio_x.errors import NgioTypeError, NgioValueError

IMAGE = nx.as_image(np.zeros((2, 3, 25, 40)), "czyx", {"z": 2, "y": 0.3, "x": 0.1}, origin={"y": -7, "x": 100})


def windows(image, tiles):
    return [{axis: (part.start, part.stop) for axis, part in nx.window(image, roi).items()} for roi in tiles]


def test_tiles_run_over_the_image():
    """The last axis runs fastest, what is left over makes smaller tiles, and names count."""
    tiles = nx.tile(IMAGE, {"y": 10, "x": 20})
    assert [roi.name for roi in tiles] == ["y0_x0", "y0_x1", "y1_x0", "y1_x1", "y2_x0", "y2_x1"]
    assert windows(IMAGE, tiles) == [
        {"z": (0, 3), "y": y, "x": x} for y in ((0, 10), (10, 20), (20, 25)) for x in ((0, 20), (20, 40))
    ]


def test_neighbours_share_the_overlap():
    """No tile lies wholly in the one before."""
    rows = [window["y"] for window in windows(IMAGE, nx.tile(IMAGE, {"y": 10}, {"y": 4}))]
    assert rows == [(0, 10), (6, 16), (12, 22), (18, 25)]
    rows = [window["y"] for window in windows(IMAGE, nx.tile(IMAGE, {"y": 10}, overlap=5)) if window["x"][0] == 0]
    assert rows == [(0, 10), (5, 15), (10, 20), (15, 25)]


def test_one_number_speaks_of_space():
    """Channels are in all tiles, and an axis that is shorter than a tile is in one."""
    tiles = nx.tile(IMAGE, 20)
    assert windows(IMAGE, tiles)[-1] == {"z": (0, 3), "y": (20, 25), "x": (20, 40)}
    assert tiles[-1].name == "z0_y1_x1"


def test_other_axes_can_be_tiled():
    """Frames by the hundred, say; along time the start of a frame is its label."""
    movie = nx.as_image(np.zeros((7, 4, 4)), "tyx", {"t": 30.0})
    assert windows(movie, nx.tile(movie, {"t": 3}))[1] == {"t": (3, 6), "y": (0, 4), "x": (0, 4)}


def test_an_image_without_coordinates_counts_pixels():
    """Its tiles are array positions."""
    plain = IMAGE.drop_vars(["y", "x", "z"])
    assert windows(plain, nx.tile(plain, 30))[1]["x"] == (30, 40)


def test_no_pixels_make_no_tiles():
    """There is nothing to cover."""
    assert nx.tile(IMAGE[:, :, :0], 10) == []
    assert nx.tile(IMAGE[..., :0], {"y": 10}) == []
    assert len(nx.tile(IMAGE[..., :1], 30, overlap=20)) == 1


def test_objects_in_the_overlap_belong_to_one_tile():
    """Whichever holds most of them; what lies elsewhere belongs to none."""
    tiles = nx.tile(IMAGE, {"y": 25, "x": 20}, {"x": 8})
    rois = [nx.Roi.from_values({"y": (-7, 1), "x": (100 + 0.1 * at, 0.5)}, None) for at in (0, 13, 17, 30, -90)]
    assert [roi.name for roi in tiles] == ["y0_x0", "y0_x1", "y0_x2"]
    assert nx.assign_tiles(rois, tiles).tolist() == [0, 0, 1, 2, -1]


@pytest.mark.parametrize("spacing", [0.1, 0.3, 0.7, 1 / 3])
def test_halves_belong_to_the_first_tile(spacing):
    """Whatever the last digits of an object's two halves."""
    image = nx.as_image(np.zeros((10, 500)), "yx", spacing)
    tiles = nx.tile(image, 10)
    rois = [nx.Roi.from_values({"y": (0, 1), "x": (spacing * at - 0.05, 0.1)}, None) for at in range(10, 500, 10)]
    assert nx.assign_tiles(rois, tiles).tolist() == list(range(49))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": 0}, "size along 'z' must be ≥ 1, got 0"),
        ({"size": 2.5}, "size along 'z' must be an integer"),
        ({"size": {"q": 1}}, "size must name axes of .*, got 'q'"),
        ({"size": 8, "overlap": -1}, "overlap along 'z' must be ≥ 0, got -1"),
        ({"size": 8, "overlap": {"y": 8}}, "overlap along 'y' must be below the size 8 of a tile, got 8"),
        ({"size": {"y": 8}, "overlap": {"x": 2}}, "overlap must name axes of .*, got 'x'"),
    ],
)
def test_bad_sizes_are_refused(arguments, message):
    """The message names the axis and both numbers."""
    with pytest.raises(NgioValueError, match=message):
        nx.tile(IMAGE, **arguments)


def test_plain_arrays_are_refused():
    """They have no axes."""
    with pytest.raises(NgioTypeError, match="image must be a DataArray, got ndarray: label it with as_image"):
        nx.tile(IMAGE.values, 3)
