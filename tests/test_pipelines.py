"""Functions as links of chains: by `pipe`, by `functools.partial`, by `toolz.pipe`."""

import inspect
from functools import partial

import numpy as np
import pytest
import toolz
from scipy import ndimage

import ngio_x as nx
from ngio_x.testing import assert_same_lattice, assert_same_pixels

IMAGE = nx.as_image(np.arange(2400, dtype=np.uint16).reshape(2, 30, 40), "cyx", 0.5, channels=["a", "b"], name="image")
LABELS = nx.as_labels(ndimage.label(IMAGE.values[0] % 7 > 2)[0], like=IMAGE.isel(c=0, drop=True), name="labels")
ROI = nx.Roi.from_values({"y": (2, 10), "x": (3, 12)}, None)
FUNCTIONS = [name for name in nx.__all__ if inspect.isfunction(getattr(nx, name))]

LINKS = {
    "crop": {"roi": ROI},
    "zoom": {"scale": {"y": 0.5}},
    "mask": {"labels": LABELS, "label_id": 3},
    "paste": {"patch": nx.crop(IMAGE, ROI) // 2},
    "map_rois": {"func": lambda piece: piece // 2, "rois": [ROI]},
    "as_image": {"pixel_size": 2.0},
    "stack_objects": {"labels": LABELS, "shape": 5},
}
"""Functions from an image to another, and what else they take."""


@pytest.mark.parametrize("name", LINKS)
@pytest.mark.parametrize("lazy", [False, True])
def test_each_verb_is_a_link(name, lazy):
    """The image goes in first, or by its name, all else by keyword: `partial` makes functions of an image."""
    verb, others = getattr(nx, name), LINKS[name]
    image = IMAGE.chunk({"y": 11}) if lazy else IMAGE
    expected = verb(image=image, **others) if "image" in inspect.signature(verb).parameters else verb(image, **others)
    link = partial(verb, **others)
    positional = [others[key] for key in ("func",) if key in others]  # pipe has a parameter of that name itself
    piped = image.pipe(verb, *positional, **{key: value for key, value in others.items() if key != "func"})
    assert piped.identical(expected)
    assert toolz.pipe(image, link).identical(expected)


def test_chains_of_all_kinds_are_the_nested_calls():
    """From an image to a table, lazily, in three spellings."""
    func, columns = (lambda piece: {"mean": piece.mean()}), {"mean": float}
    tiles = nx.tile(nx.crop(IMAGE, ROI), 4)
    image = IMAGE.chunk({"x": 9})
    nested = nx.map_rois(nx.zoom(nx.crop(image, ROI), 0.5), func, tiles, output=columns)
    piped = image.pipe(nx.crop, ROI).pipe(nx.zoom, 0.5).pipe(nx.map_rois, func, tiles, output=columns)
    links = (
        partial(nx.crop, roi=ROI),
        partial(nx.zoom, scale=0.5),
        partial(nx.map_rois, func=func, rois=tiles, output=columns),
    )
    methods = image.ngio.crop(ROI).ngio.zoom(0.5).ngio.map_rois(func, tiles, output=columns)
    assert nested["mean"].chunks is not None
    for chain in (piped, toolz.pipe(image, *links), toolz.compose_left(*links)(image), methods):
        assert chain.identical(nested)


def test_trees_are_piped_too(tmp_path):
    """From a file to another, with the levels of a tree between."""
    chain = (
        nx.open_ome_zarr,
        partial(nx.crop, roi=ROI),
        partial(nx.map_levels, function=np.square),
        partial(nx.write_ome_zarr, store=tmp_path / "squares.zarr"),
    )
    nx.write_ome_zarr(IMAGE, tmp_path / "image.zarr", levels=2)
    assert toolz.pipe(tmp_path / "image.zarr", *chain) is None
    squares = nx.open_ome_zarr(tmp_path / "squares.zarr")
    found, expected = squares["0"]["image"], np.square(nx.crop(IMAGE, ROI))
    assert_same_pixels(found, expected)
    assert_same_lattice(found, expected)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_all_but_the_first_argument_can_be_named(name):
    """So that `partial` can bind them, whatever the order."""
    parameters = inspect.signature(getattr(nx, name)).parameters.values()
    assert not [each.name for each in parameters if each.kind is inspect.Parameter.POSITIONAL_ONLY]
