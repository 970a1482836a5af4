"""Converters, asked of the tools themselves: where each sees a pixel, a region and an image.

napari and spatialdata are no dependency of the tests; where they are missing, the numbers they gave stand in for them.
"""

import functools
import warnings

import numpy as np
import pytest
import scipy.ndimage
from numpy.testing import assert_allclose, assert_array_equal

import ngio_x as nx

ROI = nx.Roi.from_values({"y": slice(-2.5, -1), "x": slice(7.25, 8)}, "cell")
"""Rows 3 to 5, columns 1 to 3 of the image."""
EDGE, SIZE = {"y": -4.0, "x": 7.0}, {"y": 0.5, "x": 0.25}
PLANE = ("y", "x")


@pytest.fixture
def image():
    return nx.as_image(np.arange(8 * 16, dtype="u2").reshape(8, 16), PLANE, SIZE, origin=EDGE, name="cells")


@pytest.fixture(params=["corner", "center"])
def frame(request):
    return request.param


@pytest.fixture
def path(image, frame, tmp_path):
    """Return where the image is written, with two levels."""
    nx.write_ome_zarr(image, tmp_path / "image.zarr", levels=2, frame=frame)
    return tmp_path / "image.zarr"


@pytest.fixture
def levels(path, frame):
    """Return the two levels as ngio_x opens them."""
    tree = nx.open_ome_zarr(path)
    return [tree[str(level)]["image"] for level in range(2)]


def centres(image):
    """Return the labels of all pixels, shape (y, x, 2)."""
    return np.stack(np.meshgrid(image.y, image.x, indexing="ij"), axis=-1)


def positions(image):
    """Return the array positions of all pixels, shape (y, x, 2)."""
    return np.moveaxis(np.indices(image.shape), 0, -1)


def imported(*names):
    """Return modules, or skip; what their dependencies warn of is not ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [pytest.importorskip(name) for name in names]


def quiet(function):
    """Run a test of a library whose own dependencies warn."""

    @functools.wraps(function)
    def run(*args, **kwargs):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return function(*args, **kwargs)

    return run


class TestArrays:
    """scipy.ndimage counts as napari's data do: whole numbers are centres."""

    def test_scipy_finds_the_pixels_at_their_labels(self, image):
        """Interpolating at the converted labels gives every pixel back, and the mean half way between two."""
        data = nx.to_napari(centres(image), image)
        assert_array_equal(scipy.ndimage.map_coordinates(image.values, np.moveaxis(data, -1, 0), order=1), image)
        edge = nx.to_napari([-2.5, image.x.values[4]], image)
        found = scipy.ndimage.map_coordinates(image.values.astype(float), edge[:, np.newaxis], order=1)
        assert found == image.values[2:4, 4].mean()

    def test_scipy_finds_the_centre_of_mass(self, image):
        """Of one pixel, its label."""
        bright = (image == 53).values
        assert nx.from_napari(scipy.ndimage.center_of_mass(bright), image).tolist() == [image.y[3], image.x[5]]


@pytest.mark.filterwarnings("ignore:Pyramid consolidation still builds:FutureWarning")
class TestNgio:
    """ngio counts from the corner of the image, whatever the file says of its place."""

    @pytest.mark.parametrize("level", ["0", "1"])
    def test_ngio_reads_the_pixels_of_a_region(self, image, path, level):
        """At each level those that ngio_x crops."""
        (ngio,) = imported("ngio")
        there = nx.to_ngio(ROI, image)
        theirs = ngio.Roi.from_values({item.axis_name: (item.start, item.length) for item in there.slices}, "cell")
        found = ngio.open_ome_zarr_container(path).get_image(path=level).get_roi_as_numpy(theirs)
        assert_array_equal(found, nx.crop(nx.open_ome_zarr(path)[level]["image"], ROI))

    def test_ngio_says_where_the_image_lies(self, image, path):
        """Its region of the whole image is the extent."""
        (ngio,) = imported("ngio")
        (whole,) = ngio.open_ome_zarr_container(path).build_image_roi_table().rois()
        ours = nx.Roi.from_values({item.axis_name: (item.start, item.length) for item in whole.slices}, None)
        world = nx.from_ngio(ours, image)
        assert [world[axis].bounds for axis in PLANE] == [image.xindexes[axis].lattice.extent for axis in PLANE]


class TestNgffZarr:
    """ngff-zarr means centres, as ITK does."""

    def test_ngff_zarr_sees_the_centres_of_every_level(self, image, path, levels, frame):
        """translation + i·scale is where to_ngff says, at both levels, in both frames."""
        (ngff_zarr,) = imported("ngff_zarr")
        for theirs, ours in zip(ngff_zarr.from_ngff_zarr(str(path)).images, levels, strict=True):
            scale, translation = ([numbers[axis] for axis in PLANE] for numbers in (theirs.scale, theirs.translation))
            seen = np.array(translation) + positions(ours) * scale
            assert_allclose(seen, nx.to_ngff(centres(ours), image, frame=frame), rtol=0, atol=1e-12)

    def test_itk_has_its_origin_at_the_first_centre(self, path, levels, frame):
        """ITK counts x first."""
        (ngff_zarr,) = imported("ngff_zarr")
        theirs = ngff_zarr.ngff_image_to_itk_image(ngff_zarr.from_ngff_zarr(str(path)).images[0], wasm=True)
        first = nx.to_ngff(centres(levels[0])[0, 0], levels[0], frame=frame)
        assert list(theirs.origin) == first[::-1].tolist()

    def test_levels_that_ngff_zarr_makes_lie_where_those_of_ngio_x_do(self, image, tmp_path):
        """From an image at the centre of its first pixel, level 1 is at the centre of its own."""
        (ngff_zarr,) = imported("ngff_zarr")
        first = dict(zip(PLANE, nx.napari_layer(image)["translate"], strict=True))
        made = ngff_zarr.to_ngff_image(image.values, dims=PLANE, scale=SIZE, translation=first)
        method = ngff_zarr.Methods.ITKWASM_BIN_SHRINK
        theirs = ngff_zarr.to_multiscales(made, scale_factors=[2], method=method).images[1]
        nx.write_ome_zarr(image, tmp_path / "a.zarr", levels=2)
        ours = nx.napari_layer(nx.open_ome_zarr(tmp_path / "a.zarr")["1"]["image"])
        assert tuple(theirs.translation[axis] for axis in PLANE) == ours["translate"]
        assert tuple(theirs.scale[axis] for axis in PLANE) == ours["scale"]


class TestOmeZarr:
    """ome-zarr hands scale and translation on to viewers, which set the centre of pixel 0 there."""

    def test_ome_zarr_hands_the_centres_on(self, image, path, levels, frame):
        """translation + i·scale is where to_ngff says, at both levels, in both frames."""
        reader, io = imported("ome_zarr.reader", "ome_zarr.io")
        (node,) = reader.Reader(io.parse_url(str(path)))()
        for steps, ours in zip(node.metadata["coordinateTransformations"], levels, strict=True):
            seen = np.array(steps[1]["translation"]) + positions(ours) * steps[0]["scale"]
            assert_allclose(seen, nx.to_ngff(centres(ours), image, frame=frame), rtol=0, atol=1e-12)

    @quiet
    def test_levels_that_ome_zarr_makes_share_one_extent(self, tmp_path):
        """It writes centres, of which the first is at 0; both frames read its levels over each other."""
        zarr, writer = imported("zarr", "ome_zarr.writer")
        group = zarr.open_group(tmp_path / "theirs.zarr", mode="w")
        writer.write_image(np.zeros((64, 96), "u1"), group, axes="yx", scale_factors=[2, 4])
        for frame, edge in (("corner", 0), ("center", -0.5)):
            tree = nx.open_ome_zarr(tmp_path / "theirs.zarr", frame=frame)
            for level in list(tree.children):
                found = tree[level]["image"].xindexes["x"].lattice.extent
                assert found == (edge, edge + 96)


class TestNapari:
    """napari sets the centre of array position i at data coordinate i."""

    @quiet
    def test_the_world_of_a_layer_is_that_of_ngio_x(self, image):
        """Pixels, extent and the way back, with the scale and translate of napari_layer."""
        (layers,) = imported("napari.layers")
        layer = layers.Image(image.values, **nx.napari_layer(image))
        for place, label in zip(positions(image).reshape(-1, 2), centres(image).reshape(-1, 2), strict=True):
            assert_allclose(layer.data_to_world(place), label, rtol=0, atol=1e-12)
            assert_allclose(layer.world_to_data(label), nx.to_napari(label, image), rtol=0, atol=1e-12)
        extents = [image.xindexes[axis].lattice.extent for axis in PLANE]
        assert_allclose(layer._extent_world_augmented.T, extents, rtol=0, atol=1e-12)

    @quiet
    def test_a_rectangle_covers_the_pixels_of_the_region(self, image):
        """The mask that napari makes of it is the window, and its place in the world is the region."""
        (layers,) = imported("napari.layers")
        rectangle = nx.corners(nx.to_napari(ROI, image))
        layer = layers.Shapes([rectangle], shape_type="rectangle", **nx.napari_layer(image))
        expected = np.zeros(image.shape, bool)
        expected[tuple(nx.window(image, ROI).values())] = True
        assert_array_equal(layer.to_masks(image.shape)[0], expected)
        assert_allclose(layer.extent.world, nx.corners(ROI)[[0, 2]], rtol=0, atol=1e-12)
        assert nx.from_napari(nx.bounding_roi(layer.data[0], name="cell"), image) == ROI

    @quiet
    def test_points_lie_over_the_layer_of_the_plugin(self, image, path):
        """With its layer's transforms, points are on the pixels, whatever the plugin makes of the translation."""
        layers, plugin = imported("napari.layers", "napari_ome_zarr")
        ((data, options, _),) = plugin.napari_get_reader(str(path))(str(path))
        transform = {key: options[key] for key in ("scale", "translate", "affine") if key in options}
        layer = layers.Image(data, multiscale=True, **transform)
        labels, places = centres(image).reshape(-1, 2), positions(image).reshape(-1, 2)
        points = layers.Points(nx.to_napari(labels, image), **transform)
        for point, place in zip(points.data, places, strict=True):
            assert_allclose(points.data_to_world(point), layer.data_to_world(place), rtol=0, atol=1e-12)
        assert layer.scale.tolist() == [SIZE["y"], SIZE["x"]]

    def test_what_napari_said(self, image):
        """The numbers of napari 0.9.2."""
        # layer = napari.layers.Image(np.zeros((8, 16)), scale=(0.5, 0.25), translate=(-3.75, 7.125))
        # layer.data_to_world((3, 5)), layer.world_to_data((-2.25, 8.375)), layer._extent_world_augmented
        world, data, extent = (-2.25, 8.375), (3, 5), [(-4, 7), (0, 11)]
        assert nx.napari_layer(image) == {"scale": (0.5, 0.25), "translate": (-3.75, 7.125)}
        assert nx.to_napari(world, image).tolist() == list(data)
        assert nx.from_napari([(-0.5, -0.5), (7.5, 15.5)], image).tolist() == [list(corner) for corner in extent]


class TestSpatialdata:
    """In spatialdata's intrinsic coordinates, pixel i covers [i, i + 1)."""

    @pytest.fixture
    def to_world(self):
        """Return the transformation from intrinsic coordinates to the world of ngio_x."""
        (transformations,) = imported("spatialdata.transformations")
        steps = transformations.Scale(list(SIZE.values()), PLANE), transformations.Translation([*EDGE.values()], PLANE)
        return transformations.Sequence(list(steps))

    @quiet
    def test_pixels_lie_where_their_labels_are(self, image, to_world):
        """The coordinates of pixels and the centroid of one are those of to_spatialdata, and of the world."""
        spatialdata, models, transformations = imported(
            "spatialdata", "spatialdata.models", "spatialdata.transformations"
        )
        label = [image.y.values[3], image.x.values[5]]
        element = models.Labels2DModel.parse((image == 53).values.astype("u4"), dims=PLANE)
        transformations.set_transformation(element, to_world, "world")
        assert [element.y[3], element.x[5]] == nx.to_spatialdata(label, image).tolist()
        for system, place in {"global": nx.to_spatialdata(label, image), "world": label}.items():
            found = spatialdata.get_centroids(element, system).compute()[list(PLANE)].loc[1]
            assert_allclose(found, place, rtol=0, atol=1e-12)

    @quiet
    def test_a_box_holds_the_pixels_of_the_region(self, image, to_world):
        """Asked in intrinsic coordinates and in the world; the extent is that of the lattice."""
        spatialdata, models = imported("spatialdata", "spatialdata.models")
        transforms = {"world": to_world}
        element = models.Image2DModel.parse(image.values[np.newaxis], dims=("c", *PLANE), transformations=transforms)
        extent = spatialdata.get_extent(element, "world")
        assert extent == {axis: image.xindexes[axis].lattice.extent for axis in PLANE}
        intrinsic = models.Image2DModel.parse(image.values[np.newaxis], dims=("c", *PLANE))
        for asked, roi, system in ((element, ROI, "world"), (intrinsic, nx.to_spatialdata(ROI, image), "global")):
            low, _, high, _ = nx.corners(roi)
            bounds = {"min_coordinate": low, "max_coordinate": high, "target_coordinate_system": system}
            found = spatialdata.bounding_box_query(asked, axes=PLANE, **bounds)
            assert_array_equal(found.values[0], nx.crop(image, ROI))

    def test_what_spatialdata_said(self, image):
        """The numbers of spatialdata 0.7.0."""
        # labels = Labels2DModel.parse(pixels, dims=("y", "x"))  # of which pixel (3, 5) alone is 1
        # get_centroids(labels, "global").compute(), get_extent(labels, "global")
        centroid, extent = (3.5, 5.5), {"y": slice(0, 8), "x": slice(0, 16)}
        assert nx.from_spatialdata(centroid, image).tolist() == [image.y[3], image.x[5]]
        world = nx.from_spatialdata(nx.Roi.from_values(extent, None), image)
        assert [world[axis].bounds for axis in PLANE] == [image.xindexes[axis].lattice.extent for axis in PLANE]
