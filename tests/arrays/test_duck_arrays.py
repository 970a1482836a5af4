"""Pixels of other libraries, such as those of pint, sparse and cupy."""

import dask.array as da
import numpy as np
import pytest
import xarray as xr

import ngio_x as nx
from ngio_x.errors import NgioTypeError


class Duck:
    """An array as xarray takes it, that numpy cannot convert."""

    def __init__(self, pixels):
        self.pixels = np.asarray(pixels)
        self.shape, self.dtype, self.ndim = self.pixels.shape, self.pixels.dtype, self.pixels.ndim

    def __array__(self, *_, **__):
        """Refuse, as sparse and cupy do."""
        raise TypeError("no implicit conversion")

    def __array_function__(self, function, _, arguments, options):
        """Call a function of numpy."""
        return Duck(function(*(getattr(each, "pixels", each) for each in arguments), **options))

    def __array_ufunc__(self, function, method, *arguments, **options):
        """Call a universal function of numpy."""
        return Duck(getattr(function, method)(*(getattr(each, "pixels", each) for each in arguments), **options))

    def __getitem__(self, key):
        """Return a piece."""
        return Duck(self.pixels[key])


class Convertible(Duck):
    """One that numpy can convert, as xarray converts those of pint, sparse and cupy."""

    def __array__(self, *_, **__):
        """Return numpy's array."""
        return self.pixels


PLAIN = nx.as_image(np.arange(64, dtype="u2").reshape(8, 8), "yx", 0.5, name="image")
IMAGE = PLAIN.copy(data=Duck(PLAIN.values))
LABELS = nx.as_labels(PLAIN)
CALLS = {
    "zoom": lambda _: nx.zoom(IMAGE, 0.5),
    "zoom of a dataset": lambda _: nx.zoom(IMAGE.to_dataset(), 0.5),
    "paste into": lambda _: nx.paste(IMAGE, PLAIN[:2]),
    "paste": lambda _: nx.paste(PLAIN, IMAGE[:2]),
    "mosaic": lambda _: nx.mosaic([PLAIN, IMAGE]),
    "composite": lambda _: nx.composite(IMAGE),
    "plot_image": lambda _: nx.plot_image(IMAGE),
    "compute_masking_roi": lambda _: nx.compute_masking_roi(LABELS.copy(data=Duck(LABELS.values))),
    "crop_objects": lambda _: list(nx.crop_objects(IMAGE, LABELS)),
    "stack_objects": lambda _: nx.stack_objects(IMAGE, LABELS, 2),
    "map_rois": lambda _: nx.map_rois(IMAGE, lambda piece: piece, nx.tile(IMAGE, 4)),
    "to_napari_layers": lambda _: nx.to_napari_layers(xr.DataTree.from_dict({"/0": IMAGE.to_dataset()})),
    "write_ome_zarr": lambda path: nx.write_ome_zarr(IMAGE, path / "a.zarr"),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_pixels_of_other_libraries_are_refused_before_anything_is_lost(tmp_path, call):
    """No unit is dropped in silence, and no error of theirs comes through."""
    with pytest.raises(NgioTypeError, match=r"Duck.*as_numpy"):
        call(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_pixels_of_other_libraries_in_dask_are_refused():
    """They are told by what their blocks are."""
    lazy = da.from_array(PLAIN.values, chunks=4).map_blocks(Duck, meta=Duck(np.empty((0, 0), "u2")))
    with pytest.raises(NgioTypeError, match="Duck"):
        nx.zoom(PLAIN.copy(data=lazy), 0.5)


def test_what_the_error_advises_works():
    """as_numpy makes an image that is like any other."""
    image = PLAIN.copy(data=Convertible(PLAIN.values))
    with pytest.raises(NgioTypeError):
        nx.zoom(image, 0.5)
    assert nx.zoom(image.as_numpy(), 0.5).identical(nx.zoom(PLAIN, 0.5))


def test_what_needs_no_pixels_takes_them():
    """A crop is one of the same kind."""
    assert isinstance(nx.crop(IMAGE, {"y": (0, 2)}).data, Duck)
    assert nx.pixel_size_of(IMAGE) == nx.pixel_size_of(PLAIN)
