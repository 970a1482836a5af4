"""Laws of channels: what is known of them goes with them, through chains of xarray's verbs and through files."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import ngio_x as nx

CHANNELS = [
    nx.Channel("DNA", "FF00FF", (0, 65535), (80, 120)),
    nx.Channel("actin", "00FF00", (0, 4000), (0, 9)),
    nx.Channel("tubulin", "0000FF", (-5, 5), (1, 1), active=False),
    nx.Channel("β", "123456", (0, 1e9), (0.5, 0.75)),
]


def bare(channel):
    """What goes with a channel whatever it is called."""
    return channel.color, channel.limits, channel.display, channel.active


def known_by_pixels(image):
    """What is told of each channel, by the grey level that only its pixels have."""
    levels = np.atleast_1d(image.transpose("c", ...)[..., 0, 0].values)
    return {int(level): bare(channel) for level, channel in zip(levels, nx.channels_of(image), strict=True)}


def image_of(channels):
    levels = [CHANNELS.index(channel) for channel in channels]
    pixels = np.broadcast_to(np.array(levels, "u2")[:, None, None], (len(levels), 3, 4))
    return nx.as_image(pixels, "cyx", 0.5, channels=channels)


@st.composite
def verbs(draw):
    """A verb of xarray that leaves grey levels as they are, and the channels in some order."""
    return draw(
        st.sampled_from(
            [
                lambda image: image.isel(c=slice(None, None, -1)),
                lambda image: image.isel(c=[*range(image.sizes["c"])][: max(1, image.sizes["c"] - 1)]),
                lambda image: image.sel(c=[*image.c.values[::-1]]),
                lambda image: image.assign_coords(c=[f"{name}'" for name in image.c.values]),
                lambda image: image.rename("other"),
                lambda image: image + 0,
                lambda image: image.where(image >= 0, 0),
                lambda image: image.astype("f8").astype("u2"),
                lambda image: image.chunk(c=1),
                lambda image: image.transpose("x", ...),
                lambda image: image.sortby("c"),
                lambda image: image.to_dataset(name="v")["v"],
                lambda image: xr.concat([image.isel(c=[at]) for at in range(image.sizes["c"])], "c"),
                lambda image: image.groupby("c").map(lambda each: each),
                lambda image: image.drop_attrs(deep=False),
                nx.as_image,
                lambda image: nx.crop(image, nx.Roi.from_values({"y": (0, 1), "x": (0, 1)}, "a")),
                lambda image: nx.zoom(image, {"y": 2, "x": 2}, order="nearest"),
                lambda image: nx.paste(image, image.isel(c=0)),
                lambda image: image.isel(c=0).expand_dims("c"),
            ]
        )
    )


channels = st.lists(st.sampled_from(CHANNELS), unique=True, min_size=1)


@given(channels, st.lists(verbs(), max_size=6))
def test_channels_keep_what_is_known_of_them(given_channels, chain):
    """Whatever verbs come between, and in which order: whose pixels they are, his are colour and grey levels."""
    image = image_of(given_channels)
    for verb in chain:
        image = verb(image)
    for level, told in known_by_pixels(image).items():
        assert told == bare(CHANNELS[level])


@pytest.mark.filterwarnings("ignore:variable .* has data in the form of a dask array with dtype=object")
@settings(max_examples=15)
@given(channels, st.lists(verbs(), max_size=3), st.sampled_from(("0.4", "0.5", "netcdf4", "h5netcdf")))
def test_files_keep_what_is_known_of_channels(given_channels, chain, kind):
    """Those of OME-Zarr, and of xarray."""
    image = image_of(given_channels)
    for verb in chain:
        image = verb(image)
    expected = known_by_pixels(image)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a"
        if kind in ("0.4", "0.5"):
            nx.write_ome_zarr(image, path, version=kind, levels=1)
            found = nx.open_ome_zarr(path)["0/image"].load()
        else:
            image.to_netcdf(path, engine=kind)
            with xr.open_dataarray(path, engine=kind) as opened:
                found = opened.load()
        assert known_by_pixels(found) == expected
        assert [each.label for each in nx.channels_of(found)] == [each.label for each in nx.channels_of(image)]
