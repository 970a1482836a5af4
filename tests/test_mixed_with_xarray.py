"""Meaning that was lost in the hands of somebody who had not read the documentation."""

import warnings

import numpy as np
import pytest
import xarray as xr

import ngio_x as nx
from ngio_x.errors import NgioRoleWarning


@pytest.fixture
def image() -> xr.DataArray:
    return nx.as_image(np.arange(4096, dtype="uint16").reshape(64, 64), "yx", 0.5, name="image")


@pytest.fixture
def labels(image: xr.DataArray) -> xr.DataArray:
    return nx.as_labels(image // 1000, like=image, name="cells")


def test_names_of_channels_are_written_where_others_have_none(tmp_path):
    image = nx.as_image(np.zeros((2, 8, 8), "uint16"), "cyx", 0.5, channels=["", "DAPI"])
    nx.write_ome_zarr(image, tmp_path / "image.zarr")
    assert nx.open_ome_zarr(tmp_path / "image.zarr")["0/image"].c.values.tolist() == ["channel_0", "DAPI"]


def test_windows_of_channels_that_agree_in_one_bound_survive_concat():
    channels = [nx.Channel("DNA", "FF00FF", (0, 65535), display=(80, 3000)), nx.Channel("actin", "00FF00")]
    image = nx.as_image(np.zeros((2, 8, 8), "uint16"), "cyx", 0.5, channels=channels)
    planes = [image.sel(c=name) for name in ("actin", "DNA")]
    joined = xr.concat(planes, "c", coords="different", compat="equals")
    assert joined.window_min.ndim == 0
    assert nx.channels_of(joined) == nx.channels_of(image)[::-1]


def test_scalars_of_the_first_channel_alone_do_not_speak_of_others():
    channels = [nx.Channel("DNA", "FF00FF"), nx.Channel("actin", "00FF00")]
    image = nx.as_image(np.zeros((2, 8, 8), "uint16"), "cyx", 0.5, channels=channels)
    planes = [image.sel(c=name) for name in ("actin", "DNA")]
    joined = xr.concat(planes, "c", coords="minimal", compat="override")
    assert [channel.color for channel in nx.channels_of(joined)] != ["00FF00", "00FF00"]


def test_the_mean_of_pieces_of_unknown_role_is_warned_of(labels):
    kept = xr.where(labels.isin([2]), 0, labels).drop_attrs()
    with pytest.warns(NgioRoleWarning, match="as_labels") as caught:
        nx.mosaic([kept, kept], how="mean")
    assert len(caught) == 1


def test_the_mean_of_labels_and_pieces_of_unknown_role_is_refused_without_a_warning(labels):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError, match="blend"):
            nx.mosaic([labels.drop_attrs(), labels], how="mean")


@pytest.fixture
def with_table(image: xr.DataArray, labels: xr.DataArray) -> xr.DataTree:
    """A tree beside whose levels stands a table of more rows than level 0 has pixels."""
    table = xr.Dataset({"area": ("label", np.arange(5000.0)), "n": ("label", np.arange(5000))})
    table = table.assign_coords(label=np.arange(5000))
    levels = {f"/{n}": xr.Dataset({"image": nx.zoom(image, 0.5**n)}) for n in range(2)}
    cells = {"/labels/cells/0": xr.Dataset({"cells": labels}), "/labels/cells": table}
    return xr.DataTree.from_dict({**levels, "/table": table, **cells, "/": xr.Dataset({"note": 5})})


def test_tables_in_a_tree_are_no_levels(with_table):
    assert with_table.ngio.pixel_size.x == 0.5
    assert nx.level_for(with_table, scale=0.5).name == "1"


def test_tables_in_a_tree_stay_when_it_is_cropped_and_zoomed(with_table):
    roi = nx.Roi.from_values({"y": (4, 8), "x": (4, 8)}, name="cell", space="pixel")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for tree in (nx.crop(with_table, roi), nx.zoom(with_table, 0.5)):
            assert set(tree.groups) == set(with_table.groups)
            assert tree["table"].to_dataset().identical(with_table["table"].to_dataset())
            assert tree["labels/cells"].to_dataset().identical(with_table["labels/cells"].to_dataset())
            assert tree["note"] == 5
        assert nx.crop(with_table, roi)["0/image"].shape == (8, 8)


def test_images_in_a_tree_with_tables_are_written(with_table, tmp_path):
    nx.write_ome_zarr(with_table, tmp_path / "image.zarr")
    assert set(nx.open_ome_zarr(tmp_path / "image.zarr").groups) >= {"/0", "/1", "/labels/cells/0"}


@pytest.mark.parametrize("verb", ["window", "composite", "mask"])
def test_the_array_that_an_error_names_is_there(verb, image, labels):
    tree = xr.DataTree.from_dict({"/s0": xr.Dataset({"DNA": image})})
    dataset = xr.Dataset({"cells": labels, "DNA": image})
    calls = {
        "window": lambda held: nx.window(held, {"y": (0, 2), "x": (0, 2)}),
        "composite": nx.composite,
        "mask": lambda held: nx.mask(held, labels, 1),
    }
    with pytest.raises(TypeError, match="'s0/DNA'"):
        calls[verb](tree)
    with pytest.raises(TypeError, match="'DNA'"):
        calls[verb](tree["s0"])
    if verb != "window":
        with pytest.raises(TypeError, match=r"dataset\['DNA'\]"):
            calls[verb](dataset)
    with pytest.raises(TypeError, match=r"dataset\['cells'\]"):
        nx.mask(image, dataset, 1)


def test_an_image_in_the_place_of_regions_is_told_where_it_belongs(image):
    with pytest.raises(TypeError, match=r"show\(rois, image\)"):
        nx.show(xr.Dataset({"image": image}))


def test_an_image_is_not_pasted_into_labels(image, labels, tmp_path):
    with pytest.raises(TypeError, match=r"patch must hold ids.*as_labels"):
        nx.paste(labels, image.isel(x=slice(9)))
    nx.write_ome_zarr(image, tmp_path / "image.zarr", labels={"cells": labels})
    with pytest.raises(TypeError, match=r"patch must hold ids.*as_labels"):
        nx.write_region(image.isel(x=slice(9)), tmp_path / "image.zarr/labels/cells")
    assert nx.open_ome_zarr(tmp_path / "image.zarr")["labels/cells/0/cells"].equals(labels)
    assert nx.paste(labels, nx.as_labels(image.isel(x=slice(9))))[0, 8] == 8
    assert nx.paste(labels, image.isel(x=slice(9)) > 3)[0, 8] == 1


def test_an_attribute_of_somebody_else_is_no_role(image):
    with pytest.warns(NgioRoleWarning):
        nx.zoom(image.assign_attrs(role=np.array([1, 2])), 0.5)


def test_levels_are_chosen_by_numbers_in_the_order_of_the_axes(tmp_path):
    nx.write_ome_zarr(nx.as_image(np.zeros((2, 64, 64), "uint8"), "cyx", 0.5), tmp_path / "image.zarr", levels=3)
    tree = nx.open_ome_zarr(tmp_path / "image.zarr")
    assert nx.level_for(tree, scale=(1, 0.5, 0.5)).name == "1"
    assert nx.level_for(tree, scale=(0.25, 0.5)).name == "1"
    assert nx.level_for(tree, pixel_size=(1, 2.0, 2.0)).name == "2"


def test_levels_in_different_units_are_ordered_by_what_they_are():
    fine = nx.as_image(np.zeros((8, 8), "uint8"), "yx", 500, units="nanometer")
    coarse = nx.as_image(np.zeros((4, 4), "uint8"), "yx", 1.0, units="micrometer")
    tree = xr.DataTree.from_dict({"/b": xr.Dataset({"image": coarse}), "/a": xr.Dataset({"image": fine})})
    assert nx.dimensions_of(tree).shape == (8, 8)
    assert nx.level_for(tree, scale=0.5).name == "b"
    assert nx.level_for(tree, pixel_size=nx.PixelSize(1.0, 1.0)).name == "b"


def test_the_size_of_an_axis_without_coordinates_is_asked_for_by_what_helps(image):
    profile = image.mean("x", keepdims=True)
    with pytest.raises(ValueError, match=r"axis 'x' has no coordinates.*pixel_size=\{'x': ...\}"):
        nx.pixel_size_of(profile)
    assert nx.pixel_size_of(nx.as_image(profile, pixel_size={"x": 32})) == nx.PixelSize(x=32, y=0.5)


def test_ids_that_where_made_floats_come_back_by_what_the_error_says(labels):
    floats = labels.where(labels != 2)
    for refuses in (nx.as_labels, nx.label_extents, lambda ids: nx.mask(labels, ids, 1)):
        with pytest.raises(TypeError, match=r"\.astype\('uint32'\).*\.fillna\(0\)"):
            refuses(floats)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert nx.as_labels(floats.fillna(0).astype("uint32")).equals(labels.where(labels != 2, 0))
