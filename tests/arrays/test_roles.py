"""What an array is: an image, labels, or neither of them for sure."""

import warnings

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from scipy import ndimage

import ngio_x as nx
from ngio_x.arrays.roles import role_of
from ngio_x.errors import NgioRoleWarning, NgioTypeError
from ngio_x.testing import samples

IMAGE = nx.as_image(samples.noise((64, 64), "uint16") % 4000, "yx", 0.5, name="DNA")
SMOOTH = ndimage.gaussian_filter(samples.noise((64, 64), "float64", seed=1), 2)
LABELS = nx.as_labels(ndimage.label(SMOOTH > 0.5)[0].astype("uint32"), like=IMAGE, name="cells")
MASKED = IMAGE * (LABELS > 0)
KEPT = xr.where(LABELS.isin([3, 5, 9]), 0, LABELS)


def test_a_masked_image_is_no_label_image():
    """Its pixels are averaged, as those of the same image without attributes are; it may say linear."""
    assert role_of(MASKED) is None
    plain = nx.as_image(MASKED.values, "yx", 0.5, name="DNA")
    with pytest.warns(NgioRoleWarning):
        assert nx.zoom(MASKED, 0.5).equals(nx.zoom(plain, 0.5))
    assert nx.zoom(MASKED, 0.5, order="linear").equals(nx.zoom(plain, 0.5))


@pytest.mark.parametrize("make", [lambda: MASKED, lambda: xr.apply_ufunc(ndimage.distance_transform_edt, LABELS)])
def test_what_became_an_image_is_written_as_one(tmp_path, make):
    """It validates, and is no label image."""
    with pytest.warns(NgioRoleWarning):
        nx.write_ome_zarr(make(), tmp_path / "a.zarr", levels=2)
    assert not nx.validate_ome_zarr(tmp_path / "a.zarr").errors
    tree = nx.open_ome_zarr(tmp_path / "a.zarr")
    assert "label" not in tree.attrs
    assert role_of(tree["1"]["image"]) == "image"
    assert nx.map_levels(tree, lambda level: level, on="image")["1"]["image"].shape == (32, 32)


def test_removed_ids_do_not_come_back_in_silence():
    """xarray.where drops attributes: with the role put back, no id is invented; without, a warning says so."""
    assert role_of(KEPT) is None
    with pytest.warns(NgioRoleWarning, match="as_labels"):
        nx.zoom(KEPT, 0.5)
    again = nx.zoom(nx.as_labels(KEPT), 0.5)
    assert not set(np.unique(again)) & {3, 5, 9}
    assert set(np.unique(again)) <= set(np.unique(KEPT))
    assert set(np.unique(nx.zoom(KEPT, 0.5, order="mode"))) <= set(np.unique(KEPT))


def test_labels_that_became_floats_are_not_blended_in_silence():
    """`where` without another value does that: the numbers are ids, though they say so no longer."""
    with pytest.warns(NgioRoleWarning):
        nx.zoom(LABELS.where(LABELS != 3), 0.5)


@pytest.mark.parametrize(
    ("array", "role"),
    [
        (IMAGE, "image"),
        (IMAGE.astype("f4"), "image"),
        (IMAGE + 1, "image"),
        (IMAGE.astype("u1"), None),
        (LABELS, "labels"),
        (LABELS.where(IMAGE > 2000, 0), "labels"),
        (LABELS.astype("u1"), None),
        (LABELS / 2, None),
        (LABELS > 0, None),
        ((IMAGE > 2000) * LABELS.values, None),
        (LABELS.sum("y"), None),
        (LABELS.drop_attrs(), None),
        (LABELS.drop_attrs().assign_attrs(role="nothing"), None),
        (nx.as_image(LABELS), "image"),
        (nx.as_labels(IMAGE), "labels"),
        (nx.as_image(LABELS, like=IMAGE), "image"),
        (nx.as_labels(IMAGE, like=LABELS), "labels"),
    ],
)
def test_a_role_counts_as_long_as_it_is_true(array, role):
    """The dtype that it was given for stands beside it; as_image and as_labels are the user's own word."""
    assert role_of(array) == role


TREE = xr.DataTree.from_dict(
    {"/0": MASKED.to_dataset(name="image"), "/1": MASKED.isel(y=slice(0, 64, 2)).to_dataset(name="image")}
)


def written(path):
    """Return the place of an image on disk."""
    nx.write_ome_zarr(IMAGE, path / "a.zarr")
    return path / "a.zarr"


ASKING = {
    "zoom": lambda _: nx.zoom(MASKED, 0.5),
    "zoom of a dataset": lambda _: nx.zoom(MASKED.to_dataset(name="a"), 0.5),
    "write_ome_zarr": lambda path: nx.write_ome_zarr(MASKED, path / "a.zarr"),
    "write_ome_zarr of a tree": lambda path: nx.write_ome_zarr(TREE, path / "a.zarr"),
    "derive": lambda path: nx.derive(MASKED, path / "a.zarr"),
    "composite": lambda _: nx.composite(MASKED),
    "plot_image": lambda _: nx.plot_image(MASKED),
    "plot_levels": lambda _: nx.plot_levels(TREE),
    "to_napari_layers": lambda _: nx.to_napari_layers(TREE),
    "map_levels": lambda _: nx.map_levels(TREE, lambda level: level),
    "compute_masking_roi": lambda _: nx.compute_masking_roi(KEPT),
    "label_extents": lambda _: nx.label_extents(KEPT),
    "mask": lambda _: nx.mask(IMAGE, KEPT, 1),
    "crop_objects": lambda _: list(nx.crop_objects(IMAGE, KEPT)),
    "relabel_sequential": lambda _: nx.relabel_sequential(KEPT),
    "plot_labels": lambda _: nx.plot_labels(KEPT),
    "write_labels": lambda path: nx.write_labels(KEPT, written(path), "kept"),
    "mosaic": lambda _: nx.mosaic([KEPT, KEPT, MASKED], how="mean"),
}


@pytest.mark.parametrize("call", ASKING.values(), ids=ASKING)
def test_integers_without_a_role_are_warned_of_once(tmp_path, call):
    """In whatever asks, and the warning points here."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call(tmp_path)
    plt.close("all")
    assert [warning.category for warning in caught] == [NgioRoleWarning]
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    "call",
    [nx.compute_masking_roi, nx.label_extents, nx.unique_ids, nx.relabel_sequential, nx.plot_labels],
    ids=lambda call: call.__name__,
)
def test_an_image_is_not_taken_for_labels(call):
    """Grey levels are no objects; as_labels says otherwise."""
    with pytest.raises(NgioTypeError, match="as_labels"):
        call(IMAGE)
    call(nx.as_labels(IMAGE))
    plt.close("all")


@pytest.mark.parametrize(
    ("array", "says"),
    [
        (LABELS * IMAGE.values, "labels"),
        (np.maximum(LABELS, IMAGE), "labels"),
        (xr.where(IMAGE > 9, LABELS, IMAGE), "labels"),
        (xr.concat([LABELS, IMAGE.astype("u4")], "c"), "labels"),
        (xr.concat([nx.as_image(IMAGE.astype("u4")), LABELS], "c"), "image"),
        ((IMAGE > 9) * LABELS.values.astype("u2"), "image"),
        (IMAGE.copy(data=LABELS.values.astype("u2")), "image"),
        (IMAGE.where(IMAGE < 0, LABELS.values.astype("u2")), "image"),
        (LABELS % 3, "labels"),
        (LABELS.diff("x"), "labels"),
        (LABELS.clip(0, 9), "labels"),
    ],
)
def test_what_no_attribute_tells_is_what_the_page_says(array, says):
    """The rows of docs/roles.md: xarray keeps the attributes of one array though the numbers are of another."""
    assert role_of(array) == says


def test_a_mask_is_the_one_object_1(tmp_path):
    """Whatever takes labels takes booleans."""
    mask = IMAGE > 2000
    assert [roi.label for roi in nx.compute_masking_roi(mask)] == [1]
    nx.write_ome_zarr(IMAGE, tmp_path / "a.zarr", labels={"bright": mask})
    assert nx.open_ome_zarr(tmp_path / "a.zarr")["labels/bright/0/bright"].dtype == np.uint8
    assert not nx.validate_ome_zarr(tmp_path / "a.zarr").errors


def test_results_of_map_rois_say_what_they_are():
    """Images of another dtype and labels alike."""
    tiles = nx.tile(IMAGE, 32)
    assert role_of(nx.map_rois(IMAGE, lambda piece: piece.astype("u1"), tiles, dtype="u1")) == "image"
    assert role_of(nx.map_rois(IMAGE, lambda piece: piece > 2000, tiles, output="labels", dtype="u8")) == "labels"


def test_an_empty_image_on_the_pixels_of_labels_is_an_image(tmp_path):
    """Of floats: label images hold integers."""
    nx.derive(LABELS, tmp_path / "a.zarr", dtype="f4")
    assert not nx.validate_ome_zarr(tmp_path / "a.zarr").errors
    assert role_of(nx.open_ome_zarr(tmp_path / "a.zarr")["0/image"]) == "image"
