"""Converters against numbers worked out by hand; `tests/interop/test_coordinates_of_peers.py` asks the tools."""

import inspect

import numpy as np
import pytest
import xarray as xr
from numpy.testing import assert_allclose

import ngio_x as nx
from ngio_x.errors import NgioTypeError, NgioValueError
from ngio_x.testing.samples import noise

DIMS = ("t", "c", "y", "x")
SIZES = {"t": 3.0, "y": 0.5, "x": 0.25}
ORIGIN = {"t": 10.0, "y": -4.0, "x": 7.0}
TO = {"napari": nx.to_napari, "spatialdata": nx.to_spatialdata, "ngio": nx.to_ngio, "ngff": nx.to_ngff}
FROM = {"napari": nx.from_napari, "spatialdata": nx.from_spatialdata, "ngio": nx.from_ngio, "ngff": nx.from_ngff}


@pytest.fixture
def image():
    return nx.as_image(np.zeros((2, 3, 8, 16), "u1"), DIMS, SIZES, origin=ORIGIN, channels=["a", "b", "c"])


@pytest.mark.parametrize(
    ("tool", "expected"),
    [
        ("napari", (1, 2, 3, 5)),
        ("spatialdata", (1, 2, 3.5, 5.5)),
        ("ngio", (3, 2, 1.75, 1.375)),
        ("ngff", (13, 2, -2.5, 8.25)),
    ],
)
def test_the_label_of_a_pixel(image, tool, expected):
    """Frame 1, channel 2, pixel (3, 5): its start along time, its number along c, its centre along y and x."""
    label = [image.t.values[1], 2, image.y.values[3], image.x.values[5]]
    assert TO[tool](label, image).tolist() == list(expected)
    assert FROM[tool](expected, image).tolist() == label


@pytest.mark.parametrize(
    ("tool", "bounds"),
    [("napari", (2.5, 5.5)), ("spatialdata", (3, 6)), ("ngio", (1.5, 3)), ("ngff", (-2.75, -1.25))],
)
def test_a_region_over_whole_pixels(image, tool, bounds):
    """Rows 3, 4 and 5; name, label and extras stay."""
    roi = nx.Roi.from_values({"y": slice(-2.5, -1), "x": slice(7, 8)}, "cell", 4, note="kept")
    there = TO[tool](roi, image)
    assert there["y"].bounds == bounds
    assert (there.name, there.label, there.extra, there.space) == ("cell", 4, roi.extra, "world")
    assert FROM[tool](there, image) == roi


@pytest.mark.parametrize("tool", TO)
def test_a_piece_is_an_image_of_its_own(image, tool):
    """What counts from the image counts from the piece in hand; units from the world's zero do not move."""
    piece = image.isel(y=slice(2, None))
    moved = TO[tool]([[-1.0, 8.0]], image, ("y", "x")) - TO[tool]([[-1.0, 8.0]], piece, ("y", "x"))
    assert moved.tolist() == [[{"napari": 2, "spatialdata": 2, "ngio": 1, "ngff": 0}[tool], 0]]


@pytest.mark.parametrize("tool", TO)
def test_axes_name_the_columns(image, tool):
    """In any order, and any leading shape."""
    points = np.arange(24.0).reshape(3, 4, 2)
    there = TO[tool](points, image, ("y", "x"))
    assert there.shape == points.shape
    assert_allclose(TO[tool](points[..., ::-1], image, ("x", "y"))[..., ::-1], there, rtol=0, atol=0)


@pytest.mark.parametrize("tool", TO)
def test_open_ends_and_axes_that_the_image_lacks_stay(image, tool):
    """A region of ngio has z = [0, 1) beside a plane."""
    roi = nx.Roi.from_values({"z": (0, 1), "c": slice(1, 2), "y": slice(1, None), "x": slice(None)}, None)
    there = TO[tool](roi, image)
    assert (there["z"], there["c"], there["x"]) == (roi["z"], roi["c"], roi["x"])
    assert there["y"].length is None
    assert FROM[tool](there, image) == roi


@pytest.mark.parametrize("tool", TO)
def test_pixel_space_means_positions_in_the_array(image, tool):
    """It is converted like the same region in the world."""
    pixels = nx.Roi.from_values({"y": (3, 2), "x": (0, 16)}, "a", space="pixel")
    world = nx.Roi.from_values({"y": (-2.5, 1), "x": (7, 4)}, "a")
    assert TO[tool](pixels, image) == TO[tool](world, image)
    with pytest.raises(NgioValueError, match="array positions already"):
        FROM[tool](pixels, image)


def test_pixels_without_coordinates_are_counted():
    """An array without sizes has pixels of 1 from 0."""
    plain = xr.DataArray(np.zeros((4, 4)), dims=("y", "x"))
    assert nx.to_napari([(0.5, 2.0)], plain).tolist() == [[0, 1.5]]
    assert nx.to_spatialdata([(0.5, 2.0)], plain).tolist() == [[0.5, 2]]
    assert nx.napari_layer(plain) == {"scale": (1, 1), "translate": (0.5, 0.5)}


def test_files_of_the_centre_frame_say_what_ngio_x_says(image):
    """Readers of centres see their pixels in place."""
    points = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert (nx.to_ngff(points, image, "yx", frame="center") == points).all()
    assert (nx.from_ngff(points, image, "yx", frame="center") == points).all()
    for convert in (nx.to_ngff, nx.from_ngff):
        with pytest.raises(NgioValueError, match="frame must be one of 'corner', 'center', got 'edge'"):
            convert(points, image, "yx", frame="edge")


def test_a_napari_layer_has_the_labels_as_its_world(image):
    """translate + scale·i is the label of pixel i; all axes, or some."""
    layer = nx.napari_layer(image)
    assert layer == {"scale": (3, 1, 0.5, 0.25), "translate": (10, 0, -3.75, 7.125)}
    assert nx.napari_layer(image, ("y", "x")) == {name: numbers[2:] for name, numbers in layer.items()}
    points = noise((20, 4), "f8", low=-9, high=9)
    data = nx.to_napari(points, image)
    assert_allclose(layer["translate"] + np.array(layer["scale"]) * data, points, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("convert", [*TO.values(), *FROM.values()], ids=lambda each: each.__name__)
class TestEveryConverter:
    def test_inputs_are_untouched(self, image, convert):
        """Read-only points pass; whole numbers come back as floats."""
        points = np.arange(8).reshape(4, 2)
        points.flags.writeable = False
        there = convert(points, image, ("y", "x"))
        assert there.dtype == np.float64
        assert (points == np.arange(8).reshape(4, 2)).all()

    @pytest.mark.parametrize(
        ("places", "axes", "error", "message"),
        [
            ([(1, 2)], ("y", "q"), NgioValueError, "axes must be of the image's .*, got 'q'"),
            ([(1, 2)], None, NgioValueError, r"axes \('t', 'c', 'y', 'x'\), got shape \(1, 2\)"),
            ([(1, 2)], ("x", "x"), NgioValueError, "once"),
            ([(True, False)], ("y", "x"), NgioTypeError, "numbers, got list of bool"),
            (nx.Roi.from_values({"y": 1, "x": 2}, None), ("y", "x"), NgioValueError, "leave axes out"),
        ],
    )
    def test_what_does_not_fit_is_refused(self, image, convert, places, axes, error, message):
        """Names, columns and numbers."""
        with pytest.raises(error, match=message):
            convert(places, image, axes)

    def test_the_image_is_a_labelled_array(self, convert):
        """Not a bare one."""
        with pytest.raises(NgioTypeError, match="label it with as_image"):
            convert([(1, 2)], np.zeros((2, 2)))

    def test_no_points_are_no_points(self, image, convert):
        """An empty table of detections."""
        assert convert(np.empty((0, 4)), image).shape == (0, 4)

    def test_signatures_are_alike(self, convert):
        """Places, image, axes."""
        assert list(inspect.signature(convert).parameters)[:3] == ["places", "image", "axes"]


def test_a_layer_is_made_of_a_labelled_array():
    """Not a bare one, and of axes that it has."""
    with pytest.raises(NgioTypeError, match="image must be a DataArray"):
        nx.napari_layer(np.zeros((2, 2)))
    with pytest.raises(NgioValueError, match=r"axes must be of the image's .*, got 'z'"):
        nx.napari_layer(nx.as_image(np.zeros((2, 2))), ("z", "x"))


def test_napari_shapes_lie_over_the_image():
    """Rectangles in data coordinates, which the layer's scale and translation take back to the world."""
    image = nx.as_image(np.zeros((3, 20, 30)), "zyx", {"z": 2, "y": 0.5, "x": 0.25}, origin={"y": 10})
    rois = [nx.Roi.from_values({"z": (2, 2), "y": (11, 2), "x": (1, 1)}, "cell", label=7)]
    rois.append(nx.Roi.from_values({"z": (0, 6), "y": (12, 1), "x": (0, 7.5)}, None))
    data, options, kind = nx.napari_shapes(rois, image)
    assert kind == "shapes"
    assert data[0].tolist() == [[1.5, 3.5], [1.5, 7.5], [5.5, 7.5], [5.5, 3.5]]
    world = data[0] * options["scale"] + options["translate"]
    np.testing.assert_array_equal(world, nx.corners(rois[0]))
    assert options["features"]["name"][0] == "cell"
    assert options["features"]["label"] == [7, None]
    assert options["shape_type"] == "rectangle"
    planes = [rectangle[:, 0].tolist() for rectangle in nx.napari_shapes(rois, image, "zyx")[0]]
    assert planes == [[1] * 4, [1] * 4]
    assert nx.napari_shapes([], image)[0] == []


def test_napari_takes_the_shapes():
    """napari itself makes a layer of them."""
    layers = pytest.importorskip("napari.layers")
    image = nx.as_image(np.zeros((20, 30)), "yx", 0.5)
    layer = layers.Layer.create(*nx.napari_shapes([nx.Roi.from_values({"y": (1, 2), "x": (3, 4)}, "cell")], image))
    assert isinstance(layer, layers.Shapes)
    np.testing.assert_array_equal(layer.data_to_world(layer.data[0][0]), [1, 3])


def test_bad_shapes_are_refused():
    """The message names the region, or what is no region."""
    image = nx.as_image(np.zeros((2, 2)), "yx")
    with pytest.raises(NgioValueError, match="cell is unbounded along 'x'"):
        nx.napari_shapes([nx.Roi.from_values({"y": 0, "x": slice(None)}, "cell")], image)
    with pytest.raises(NgioTypeError, match="put a single one into a list"):
        nx.napari_shapes(nx.Roi.from_values({"y": 0, "x": 0}, "cell"), image)
    with pytest.raises(NgioValueError, match=r"axes must name the two axes of a rectangle at least, got .'y',."):
        nx.napari_shapes([nx.Roi.from_values({"y": 0, "x": 0}, "cell")], image, ("y",))
    with pytest.raises(NgioValueError, match=r"axes must name each axis once, got .'x', 'x'."):
        nx.napari_shapes([], image, "xx")
