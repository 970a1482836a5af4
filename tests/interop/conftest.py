"""Three other readers and writers of OME-Zarr, and what each of them sees of an image."""

import dataclasses
import functools
import importlib
import importlib.metadata
import json
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
import zarr

import ngio_x as nx
from ngio_x.testing.samples import noise

AXES = ["yx", "cyx", "tyx", "czyx", "tczyx"]
STORAGES = ["0.4", "0.5", "0.5 sharded"]
SHAPE = {"t": 2, "c": 3, "z": 2, "y": 32, "x": 24}
SIZE = {"t": 1.5, "z": 2.0, "y": 0.25, "x": 0.5}
ORIGIN = {"t": 3.0, "z": -8.0, "y": 100.0, "x": 0.75}
UNITS = {"t": "second", "z": "micrometer", "y": "micrometer", "x": "micrometer"}
CHANNELS = ["DAPI", "green", "ß"]
COLORS = ["0000FF", "00FF00", "FFFFFF"]
ACTIVE = [True, False, True]
WINDOW = {"min": 0.0, "max": 65535.0, "start": 100.0, "end": 50000.0}
LABEL_COLORS = {1: (255, 0, 0, 255), 2: (0, 255, 0, 128)}
FACTORS = (1, 2, 4)
"""By which y and x shrink from level 0 on."""
CHUNKS, SHARDS = 16, 32
"""Along y and x."""


class Level(NamedTuple):
    """A level of an image, as a reader sees it."""

    path: str | None
    pixels: Any
    scale: dict[str, float]
    translation: dict[str, float]


class Seen(NamedTuple):
    """What a reader sees of an image; None for what it does not speak of."""

    levels: list[Level]
    units: dict[str, str | None]
    channels: list[str] | None
    colors: list[str] | None
    display: list[tuple[float, float]] | None
    """The grey levels to show as black and as the full colour."""
    active: list[bool] | None
    labels: dict[str, "Seen"]
    name: str | None
    more: Any
    """All that it says of the metadata, in its own words."""


class Example(NamedTuple):
    """An image and its labels, to be written by anybody."""

    axes: str
    version: str
    sharded: bool

    @property
    def spaces(self):
        """The axes of labels."""
        return self.axes.replace("c", "")

    @property
    def pixels(self):
        return noise([SHAPE[axis] for axis in self.axes], seed=1, high=60000)

    @property
    def ids(self):
        return noise([SHAPE[axis] for axis in self.spaces], "u4", seed=2, high=3)

    @property
    def zarr_format(self):
        return 2 if self.version == "0.4" else 3

    def chunks(self, axes):
        return tuple(CHUNKS if axis in "yx" else 1 for axis in axes)

    def shards(self, axes):
        return tuple(SHARDS if axis in "yx" else 1 for axis in axes) if self.sharded else None

    def of(self, numbers, axes=None):
        """Return the numbers of the axes that this image has."""
        return {axis: numbers[axis] for axis in axes or self.axes if axis in numbers}


class Peer(NamedTuple):
    """Another reader and writer."""

    name: str
    write: Callable[[Any, Example], None]
    read: Callable[[Any], Seen]


def imported(name):
    """Return a module, or skip; what its dependencies warn of is not ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip(name)


def quiet(function):
    """Run a function of a library whose own dependencies warn."""

    @functools.wraps(function)
    def run(*args, **kwargs):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return function(*args, **kwargs)

    return run


# ---- ngio_x


def written_by_ngio_x(path, example):
    """Write an example with ngio_x."""
    image = nx.as_image(
        example.pixels,
        tuple(example.axes),
        example.of(SIZE),
        origin=example.of(ORIGIN),
        units=example.of(UNITS),
        name="cells",
    )
    limits, display = (WINDOW["min"], WINDOW["max"]), (WINDOW["start"], WINDOW["end"])
    channels = [nx.Channel(*items[:2], limits, display, items[2]) for items in zip(CHANNELS, COLORS, ACTIVE)]  # noqa: B905
    options = {"chunks": {"y": CHUNKS, "x": CHUNKS}, "shards": {"y": SHARDS, "x": SHARDS} if example.sharded else None}
    nx.write_ome_zarr(
        image,
        path,
        version=example.version,
        levels=len(FACTORS),
        channels=channels if "c" in example.axes else None,
        **options,
    )
    labels = nx.as_labels(
        example.ids,
        tuple(example.spaces),
        example.of(SIZE, example.spaces),
        origin=example.of(ORIGIN, example.spaces),
        units=example.of(UNITS, example.spaces),
    )
    nx.write_labels(labels, path, "nuclei", colors=LABEL_COLORS, **options)


# ---- ngio


@quiet
def _ngio_writes(path, example):
    ngio = imported("ngio")
    specs = importlib.import_module("ngio.ome_zarr_meta.ngio_specs._channels")
    channels = [
        specs.Channel(
            label=label,
            wavelength_id=f"A0{index}",
            channel_visualisation=specs.ChannelVisualisation(color=color, active=active, **WINDOW),
        )
        for index, (label, color, active) in enumerate(zip(CHANNELS, COLORS, ACTIVE, strict=True))
    ]
    container = ngio.create_ome_zarr_from_array(
        path,
        array=example.pixels,
        pixelsize=(SIZE["y"], SIZE["x"]),
        z_spacing=SIZE["z"],
        time_spacing=SIZE["t"],
        translation=[ORIGIN.get(axis, 0.0) for axis in example.axes],
        scaling_factors=[2.0 if axis in "yx" else 1.0 for axis in example.axes],
        levels=len(FACTORS),
        axes_names=list(example.axes),
        channels_meta=channels if "c" in example.axes else None,
        name="cells",
        ngff_version=example.version,
        chunks=example.chunks(example.axes),
        shards=example.shards(example.axes),
    )
    label = container.derive_label("nuclei")
    label.set_array(example.ids, axes_order=list(example.spaces))
    label.consolidate()


@quiet
def _ngio_reads(path):
    container = imported("ngio").open_ome_zarr_container(path)
    seen = _of_ngio(container.meta, lambda level: container.get_image(path=level))
    return seen._replace(
        labels={
            name: _of_ngio(
                container.get_label(name).meta, lambda level, name=name: container.get_label(name, path=level)
            )
            for name in container.list_labels()
        }
    )


def _of_ngio(meta, level_at):
    axes = [axis.name for axis in meta.axes_handler.axes]
    levels = []
    for dataset in meta.datasets:
        image = level_at(dataset.path)
        scale, translation = (dict(zip(axes, numbers, strict=True)) for numbers in (dataset.scale, dataset.translation))
        pixels = image.get_as_numpy(axes_order=axes)
        assert (image.pixel_size.y, image.pixel_size.x) == (scale["y"], scale["x"])
        levels.append(Level(dataset.path, pixels, scale, translation))
    described = getattr(meta, "channels_meta", None)
    channels = described.channels if described else []
    views = [channel.channel_visualisation for channel in channels]
    return Seen(
        levels,
        {axis.name: axis.unit for axis in meta.axes_handler.axes},
        [channel.label for channel in channels],
        [view.color for view in views],
        [(view.start, view.end) for view in views],
        [view.active for view in views],
        {},
        meta.name,
        [item.model_dump() for item in [*meta.axes_handler.axes, *channels]],
    )


# ---- ome-zarr


@quiet
def _ome_zarr_writes(path, example):
    writer = imported("ome_zarr.writer")
    group = zarr.open_group(path, mode="w", zarr_format=example.zarr_format)
    windows = [
        {"label": label, "color": color, "active": active, "window": WINDOW, "inverted": False}
        for label, color, active in zip(CHANNELS, COLORS, ACTIVE, strict=True)
    ]
    writer.write_image(
        example.pixels,
        group,
        name="cells",
        omero={"channels": windows if "c" in example.axes else windows[:1], "rdefs": {"model": "color"}},
        **_ome_zarr_options(example, example.axes),
    )
    label = {
        "colors": [{"label-value": value, "rgba": list(rgba)} for value, rgba in LABEL_COLORS.items()],
        "properties": [{"label-value": value, "class": "round"} for value in LABEL_COLORS],
        "source": {"image": "../../"},
    }
    writer.write_labels(
        example.ids,
        group,
        name="nuclei",
        scaler=None,
        label_metadata=label,
        **_ome_zarr_options(example, example.spaces),
    )


def _ome_zarr_options(example, axes):
    storage = {"chunks": example.chunks(axes)} | ({"shards": example.shards(axes)} if example.sharded else {})
    return {
        "axes": axes,
        "scale": example.of(SIZE, axes),
        "axes_units": example.of(UNITS, axes),
        "scale_factors": list(FACTORS[1:]),
        "storage_options": storage,
    }


@quiet
def _ome_zarr_reads(path):
    reader, io = imported("ome_zarr.reader"), imported("ome_zarr.io")
    nodes = {node.zarr.subpath("").rstrip("/"): node for node in reader.Reader(io.parse_url(str(path)))() if node.data}
    labels = {name.rpartition("/")[2]: _of_ome_zarr(node) for name, node in nodes.items() if "/labels/" in name}
    (image,) = (node for name, node in nodes.items() if "/labels/" not in name)
    return _of_ome_zarr(image)._replace(labels=labels)


def _of_ome_zarr(node):
    axes = [axis["name"] for axis in node.metadata["axes"]]
    levels = []
    for pixels, steps in zip(node.data, node.metadata["coordinateTransformations"], strict=True):
        found = {step["type"]: dict(zip(axes, step[step["type"]], strict=True)) for step in steps}
        levels.append(Level(None, pixels.compute(), found["scale"], found["translation"]))
    colormap = node.metadata.get("colormap")
    limits, visible = node.metadata.get("contrast_limits"), node.metadata.get("visible")
    return Seen(
        levels,
        {axis["name"]: axis.get("unit") for axis in node.metadata["axes"]},
        node.metadata.get("channel_names"),
        None if colormap is None else [bytes(round(255 * part) for part in end).hex().upper() for _, end in colormap],
        None if limits is None else [tuple(item) for item in limits],
        visible if isinstance(visible, list) else None,
        {},
        node.metadata["name"],
        node.metadata,
    )


# ---- ngff-zarr


@quiet
def _ngff_zarr_writes(path, example):
    ngff_zarr = imported("ngff_zarr")
    image = ngff_zarr.to_ngff_image(
        example.pixels,
        dims=tuple(example.axes),
        scale=example.of(SIZE),
        translation=example.of(ORIGIN),
        name="cells",
        axes_units=example.of(UNITS),
    )
    method = ngff_zarr.Methods.ITKWASM_BIN_SHRINK
    factors = [dict.fromkeys(example.spaces, 1) | {"y": factor, "x": factor} for factor in FACTORS[1:]]
    made = ngff_zarr.to_multiscales(
        image, scale_factors=factors, method=method, chunks={"t": 1, "c": 1, "z": 1, "y": CHUNKS, "x": CHUNKS}
    )
    if "c" in example.axes:
        channels = [
            ngff_zarr.OmeroChannel(color=color, window=ngff_zarr.OmeroWindow(**WINDOW), label=label)
            for label, color in zip(CHANNELS, COLORS, strict=True)
        ]
        made.metadata.omero = ngff_zarr.Omero(channels=channels)
    ngff_zarr.to_ngff_zarr(
        str(path), made, version=example.version, chunks_per_shard=SHARDS // CHUNKS if example.sharded else None
    )


@quiet
def _ngff_zarr_reads(path):
    labels = zarr.open_group(path, mode="r", use_consolidated=False).get("labels")
    attributes = {} if labels is None else labels.attrs.asdict()
    names = attributes.get("ome", attributes).get("labels", [])
    return _of_ngff_zarr(path)._replace(labels={name: _of_ngff_zarr(path / "labels" / name) for name in names})


def _of_ngff_zarr(path):
    found = imported("ngff_zarr").from_ngff_zarr(str(path))
    omero = found.metadata.omero
    channels = [] if omero is None else omero.channels
    return Seen(
        [
            Level(dataset.path, image.data.compute(), image.scale, image.translation)
            for dataset, image in zip(found.metadata.datasets, found.images, strict=True)
        ],
        {axis: unit or None for axis, unit in (found.images[0].axes_units or {}).items()},
        [channel.label for channel in channels],
        [channel.color for channel in channels],
        [(channel.window.start, channel.window.end) for channel in channels],
        None,
        {},
        found.metadata.name,
        dataclasses.asdict(found.metadata),
    )


PEERS = {
    peer.name: peer
    for peer in (
        Peer("ngio", _ngio_writes, _ngio_reads),
        Peer("ome-zarr", _ome_zarr_writes, _ome_zarr_reads),
        Peer("ngff-zarr", _ngff_zarr_writes, _ngff_zarr_reads),
    )
}


# ---- Fixtures


@pytest.fixture(params=PEERS)
def peer(request):
    return PEERS[request.param]


@pytest.fixture(scope="session")
def seen_in_gallery():
    """Return a function that has a peer read an image of the gallery, once."""
    return functools.cache(lambda peer, path: peer.read(path))


@pytest.fixture(params=AXES)
def axes(request):
    return request.param


@pytest.fixture(params=STORAGES)
def example(request, axes):
    version, _, sharded = request.param.partition(" ")
    return Example(axes, version, bool(sharded))


@pytest.fixture(scope="session")
def gallery(tmp_path_factory):
    """Return a function that writes an example, once for each writer, and says where."""

    @functools.cache
    def path_of(example, writer="ngio_x"):
        path = tmp_path_factory.mktemp("gallery") / "image.zarr"
        (written_by_ngio_x if writer == "ngio_x" else PEERS[writer].write)(path, example)
        return path

    return path_of


@pytest.fixture
def theirs(gallery, example, peer):
    """Return the example as a peer writes it."""
    return gallery(example, peer.name)


@pytest.fixture
def seen(seen_in_gallery, peer, theirs):
    """Return what the peer itself sees of that."""
    return seen_in_gallery(peer, theirs)


@pytest.fixture(scope="session")
def attributes():
    """Return a function that reads the attributes of a group as they stand in its file."""

    def read(group):
        v3 = group / "zarr.json"
        return json.loads(v3.read_text())["attributes"] if v3.exists() else json.loads((group / ".zattrs").read_text())

    return read
