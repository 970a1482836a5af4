"""What docs/from-ngio.md says of the behaviour of ngio and of ngio_x, row by row, on the ngio that is installed."""

import inspect
import json
import operator
import re
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import attrs
import dask.array as da
import ngio
import ngio.common
import ngio.utils
import numpy as np
import pydantic
import pytest
import zarr
from ngio.ome_zarr_meta import ngio_specs
from ngio.tables import RoiTable
from scipy import ndimage
from zarr.core.buffer import default_buffer_prototype
from zarr.core.sync import sync
from zarr.storage import MemoryStore, WrapperStore

import ngio_x as nx
from ngio_x.errors import NgioEmptyRegionError, NgioError, NgioValueError
from ngio_x.testing.samples import noise

PAGE = Path(__file__).parents[1] / "docs" / "from-ngio.md"
ROWS = re.findall(r"^\| (.+?) \| ((?:\d+\.\d+(?:, )?)+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
INSTALLED = ".".join(version("ngio").split(".")[:2])


class Sides(NamedTuple):
    """Whether ngio and ngio_x behave as a row says."""

    theirs: Callable[[], bool]
    ours: Callable[[], bool]


def raises(error, function, *args, **kwargs):
    try:
        function(*args, **kwargs)
    except error:
        return True
    return False


def quietly(side):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return side()


def behaves(side):
    """Return whether something is as it is said to be; an error of any kind says that it is not."""
    try:
        return bool(quietly(side))
    except Exception:  # noqa: BLE001 — whatever another version of ngio raises
        return False


PLACE = {"y": (0, 10), "x": slice(5, 20)}
THEIRS = ngio.common.Roi.from_values(PLACE, "a", FieldIndex="1")
OURS = nx.Roi.from_values(PLACE, "a", FieldIndex="1")


def piece(start=None, length=None, axis="x"):
    return ngio.common.RoiSlice(axis_name=axis, start=start, length=length)


def bounds(interval):
    return interval.start, interval.length


VALUES = {
    "classes": Sides(
        lambda: all(issubclass(cls, pydantic.BaseModel) for cls in (type(THEIRS), ngio.PixelSize)),
        lambda: all(attrs.has(cls) for cls in (nx.Roi, nx.PixelSize, nx.Dimensions)),
    ),
    "a changed copy": Sides(
        lambda: THEIRS.model_copy(update={"label": -1}).label == -1,
        lambda: attrs.evolve(OURS, name="b").name == "b" and raises(NgioValueError, attrs.evolve, OURS, label=-1),
    ),
    "to JSON": Sides(
        lambda: json.loads(THEIRS.model_dump_json())["FieldIndex"] == THEIRS.model_dump()["FieldIndex"] == "1",
        lambda: json.loads(nx.to_json(OURS)) == nx.to_dict(OURS) and nx.to_dict(OURS)["FieldIndex"] == "1",
    ),
    "from JSON": Sides(
        lambda: type(THEIRS).model_validate(THEIRS.model_dump()) == THEIRS,
        lambda: nx.from_dict(nx.to_dict(OURS), nx.Roi) == nx.from_json(nx.to_json(OURS), nx.Roi) == OURS,
    ),
    "pydantic's own": Sides(
        lambda: hasattr(THEIRS, "model_config") and hasattr(THEIRS, "validate_no_duplicate_axes"),
        lambda: not hasattr(OURS, "model_config") and not hasattr(OURS, "validate_no_duplicate_axes"),
    ),
    "frozen": Sides(
        lambda: setattr(piece(), "start", 3.0) is None,
        lambda: raises(AttributeError, setattr, OURS, "name", "b"),
    ),
    "hashes": Sides(
        lambda: raises(TypeError, hash, THEIRS) and raises(TypeError, hash, piece()),
        lambda: hash(OURS) == hash(nx.from_dict(nx.to_dict(OURS), nx.Roi)),
    ),
    "slices": Sides(lambda: isinstance(THEIRS.slices, list), lambda: isinstance(OURS.slices, tuple)),
    "levels": Sides(
        lambda: isinstance(builder(ngio).levels, list) and setattr(builder(ngio).levels[0], "path", "b") is None,
        lambda: (
            isinstance(builder(nx).levels, tuple)
            and raises(AttributeError, setattr, builder(nx).levels[0], "path", "b")
        ),
    ),
    "what is a number": Sides(
        lambda: (
            (piece("1").start, piece(True).start) == (1, 1)
            and np.isnan(piece(np.nan).start)
            and [ngio.common.Roi(name=None, slices=THEIRS.slices, label=label).label for label in ("3", True)] == [3, 1]
        ),
        lambda: (
            all(raises(NgioValueError, nx.RoiSlice, "x", wrong) for wrong in ("1", True, np.nan))
            and all(raises(NgioValueError, nx.Roi, None, OURS.slices, label) for label in ("3", True))
            and nx.RoiSlice("x", np.float32(0.5)).start == nx.Roi(None, OURS.slices, np.uint8(1)).label / 2
        ),
    ),
    "errors": Sides(
        lambda: raises(ngio.utils.NgioValueError, ngio.common.numpy_zoom, np.ones((4, 4))),
        lambda: (
            raises(nx.errors.NgioValueError, nx.numpy_zoom, np.ones((4, 4)))
            and raises(ValueError, nx.numpy_zoom, np.ones((4, 4)))
        ),
    ),
    "pixel size in the plane": Sides(
        lambda: raises(ValueError, ngio.PixelSize, x=1, y=1), lambda: nx.PixelSize(x=1, y=1).z == 1
    ),
    "lengths of chunks": Sides(
        lambda: ngio.common.Dimensions((4, 4), (4,), their_dataset()),
        lambda: raises(NgioValueError, nx.Dimensions, (4, 4), (4,), nx.dimensions_of(nx.as_image(PIXELS)).dataset),
    ),
}


def their_dataset():
    axes = ngio_specs.AxesHandler(axes=[ngio_specs.Axis(name="y"), ngio_specs.Axis(name="x")])
    return ngio_specs.Dataset(path="0", axes_handler=axes, scale=[1.0, 1.0])


def joined(module, verb):
    """Return start and length of what an open interval has with one below 0, and one that ends at 0 with another."""
    new = module.RoiSlice
    made = [new(axis_name="x"), new(axis_name="x", start=-3, length=5), new(axis_name="x", start=-5, length=5)]
    return [bounds(getattr(made[at], verb)(made[1])) for at in (0, 2)]


def is_found_in_the_world():
    """Return whether what is found in a piece is where it is in the whole."""
    labels = nx.as_labels(np.pad(np.ones((2, 2), int), 3), "yx", 0.5)
    return nx.compute_masking_roi(nx.crop(labels, {"y": (1, 3), "x": (1, 3)})) == nx.compute_masking_roi(labels)


REGIONS = {
    "extra fields": Sides(
        lambda: THEIRS.FieldIndex == "1",
        lambda: OURS.extra["FieldIndex"] == "1" and raises(TypeError, operator.setitem, OURS.extra, "FieldIndex", "2"),
    ),
    "extra fields of a new region": Sides(
        lambda: ngio.common.Roi(name="a", slices=THEIRS.slices, FieldIndex="1") == THEIRS,
        lambda: (
            nx.Roi("a", OURS.slices, extra={"FieldIndex": "1"}) == OURS
            and raises(TypeError, nx.Roi, name="a", slices=OURS.slices, FieldIndex="1")
        ),
    ),
    "`from_values`": Sides(
        lambda: ngio.common.Roi.from_values({"x": 1}, None, label=-1).label == -1,
        lambda: raises(NgioValueError, nx.Roi.from_values, PLACE, None, label=-1),
    ),
    "`remove_slice`": Sides(
        lambda: len(THEIRS.remove_slice("x").slices) == 1, lambda: raises(NgioValueError, OURS.remove_slice, "x")
    ),
    "`update_slice` by a slice of another axis": Sides(
        lambda: [item.axis_name for item in THEIRS.update_slice("x", piece(axis="z")).slices] == ["y", "z"],
        lambda: raises(NgioValueError, OURS.update_slice, "x", nx.RoiSlice("z")),
    ),
    "equality": Sides(
        lambda: ngio.common.Roi(name="a", slices=THEIRS.slices[::-1], FieldIndex="1") != THEIRS,
        lambda: attrs.evolve(OURS, slices=OURS.slices[::-1]) == OURS,
    ),
    "three numbers for a slice": Sides(
        lambda: bounds(ngio.common.RoiSlice.from_value("x", (1, 2, 3))) == (1, 2),
        lambda: raises(NgioValueError, nx.RoiSlice.from_value, "x", (1, 2, 3)),
    ),
    "length without start": Sides(
        lambda: piece(None, 5).to_slice() == ngio.common.RoiSlice.from_value("x", (None, 5)).to_slice() == slice(None),
        lambda: nx.RoiSlice("x", None, 5) == nx.RoiSlice.from_value("x", (None, 5)) == nx.RoiSlice("x", 0, 5),
    ),
    "end without start": Sides(
        lambda: ngio.common.RoiSlice.from_value("x", slice(None, 5)).to_slice() == slice(None),
        lambda: nx.RoiSlice.from_value("x", slice(None, 5)) == nx.RoiSlice("x", 0, 5),
    ),
    "steps": Sides(
        lambda: bounds(ngio.common.RoiSlice.from_value("x", slice(0, 6, 2))) == (0, 6),
        lambda: raises(NgioValueError, nx.RoiSlice.from_value, "x", slice(0, 6, 2)),
    ),
    "open ends": Sides(
        lambda: joined(ngio.common, "intersection")[0] == (0, 2) and joined(ngio.common, "union")[0] == (-3, None),
        lambda: joined(nx, "intersection")[0] == (-3, 5) and joined(nx, "union")[0] == (None, None),
    ),
    "ends at 0": Sides(
        lambda: joined(ngio.common, "intersection")[1] == (-3, 5) and joined(ngio.common, "union")[1] == (-5, None),
        lambda: joined(nx, "intersection")[1] == (-3, 3) and joined(nx, "union")[1] == (-5, 7),
    ),
    "snapping": Sides(
        lambda: bounds(piece(0.5, 9.995).to_pixel(1.0)) == (0.5, 10),
        lambda: (
            nx.RoiSlice("x", 0.5, 9.995).to_pixel(1.0).end == 10.495
            and nx.RoiSlice("x", 0.5, 9.495).to_pixel(1.0).end == 10
        ),
    ),
    "`zoom` below 0": Sides(
        lambda: bounds(piece(-4, 2).zoom(2)) == (0, 4),
        lambda: bounds(nx.RoiSlice("x", -4, 2).zoom(2)) == (-5, 4) and nx.RoiSlice("x", 0.5, 4).zoom(2).start == 0,
    ),
    "`Roi.anchor`": Sides(lambda: hasattr(THEIRS, "anchor"), is_found_in_the_world),
    "regions outside": Sides(
        lambda: their_image().get_roi(ngio.common.Roi.from_values({"y": (9, 2), "x": (9, 2)}, "a")).size == 0,
        lambda: raises(NgioEmptyRegionError, nx.crop, nx.as_image(PIXELS, pixel_size=0.5), {"y": (9, 2), "x": (9, 2)}),
    ),
    "reprs": Sides(
        lambda: repr(piece(1, 1)) == "x: 1.0->2.0",
        lambda: (
            eval(repr(nx.RoiSlice("x", 1, 1)), vars(nx)) == nx.RoiSlice("x", 1, 1)
            and attrs.evolve(OURS, name=None).get_name() == ngio.common.Roi.from_values(PLACE, None).get_name()
        ),
    ),
}


def their_image():
    store = MemoryStore()
    made = ngio.create_empty_ome_zarr(store, shape=(8, 8), pixelsize=0.5, levels=1, axes_names=("y", "x"))
    return made.get_image()


PIXELS = noise((16, 16), low=10, high=200)


def zoomed(module, pixels, *args, **kwargs):
    return module.numpy_zoom(pixels, *args, **kwargs)


def like_numpy(module):
    """Return whether dask gives numpy's pixels, for factors and blocks that do not fit each other."""
    pixels = noise((37, 53), "u1")
    found = module.dask_zoom(da.from_array(pixels, chunks=10), target_shape=(18, 26)).compute()
    return np.array_equal(found, module.numpy_zoom(pixels, target_shape=(18, 26)))


def like_scipy(module, order, mode):
    """Return whether cubic is scipy's spline of some order, away from borders."""
    smooth = ndimage.gaussian_filter(noise((32, 32), "f8"), 1)
    expected = ndimage.zoom(smooth, 2, order=order, mode=mode, grid_mode=True)
    found = module.numpy_zoom(smooth, (2, 2), order="cubic")
    return np.allclose(found[16:-16, 16:-16], expected[16:-16, 16:-16], atol=1e-6)


def new_array(pixels=None, shape=None, **options):
    array = zarr.create_array(MemoryStore(), shape=shape or np.shape(pixels), dtype="u2", **options)
    if pixels is not None:
        array[...] = np.asarray(pixels)
    return array


def coarsened(module, pixels, shape, order="linear"):
    target = new_array(shape=shape)
    module.on_disk_zoom(new_array(pixels), target, order=order, mode="coarsen")
    return target[...].tolist()


SEVEN = np.arange(49).reshape(7, 7)
ZOOMING = {
    "dask": Sides(lambda: not like_numpy(ngio.common), lambda: like_numpy(nx)),
    "borders": Sides(
        lambda: zoomed(ngio.common, np.full((4, 4), 100, "u1"), (2, 2)).min() < 100,
        lambda: zoomed(nx, np.full((4, 4), 100, "u1"), (2, 2)).min() == 100,
    ),
    "axes of length 1": Sides(
        lambda: (
            zoomed(ngio.common, np.ones((1, 4, 4)), (2, 1, 1)).shape == (1, 4, 4)
            and raises(IndexError, zoomed, ngio.common, np.ones(4), (2,))
        ),
        lambda: (
            zoomed(nx, np.ones((1, 4, 4)), (2, 1, 1)).shape == (2, 4, 4) and zoomed(nx, np.ones(4), (2,)).shape == (8,)
        ),
    ),
    "cubic": Sides(
        lambda: like_scipy(ngio.common, 2, "grid-constant"),
        lambda: like_scipy(nx, 3, "nearest") and not like_scipy(nx, 2, "nearest"),
    ),
    "booleans": Sides(
        lambda: zoomed(ngio.common, np.ones((4, 4), bool), (0.5, 0.5)).all(),
        lambda: (
            raises(NgioError, zoomed, nx, np.ones((4, 4), bool), (0.5, 0.5))
            and zoomed(nx, np.ones((4, 4), bool), (0.5, 0.5), order="nearest").all()
        ),
    ),
    "`coarsen` of images": Sides(
        lambda: coarsened(ngio.common, [[0, 1], [1, 1]], (1, 1)) == [[0]],
        lambda: coarsened(nx, [[0, 1], [1, 1]], (1, 1)) == [[1]],
    ),
    "`coarsen` of labels": Sides(
        lambda: coarsened(ngio.common, [[0, 0], [0, 9]], (1, 1), "nearest") == [[9]],
        lambda: coarsened(nx, [[0, 0], [0, 9]], (1, 1), "nearest") == [[0]],
    ),
    "`order` with `coarsen`": Sides(
        lambda: (
            coarsened(ngio.common, [[0, 0], [0, 9]], (1, 1), "nearest") == [[2]]
            and coarsened(ngio.common, [[0, 0], [0, 9]], (1, 1), "cubic") == [[2]]
        ),
        lambda: (
            raises(NgioError, coarsened, nx, [[0, 0], [0, 9]], (1, 1), "cubic")
            and coarsened(nx, [[0, 9], [9, 9]], (1, 1), "nearest") == [[9]]
        ),
    ),
    "ratios of `coarsen`": Sides(
        lambda: coarsened(ngio.common, SEVEN, (3, 3)) == SEVEN[:6, :6].reshape(3, 2, 3, 2).mean(axis=(1, 3)).tolist(),
        lambda: (
            abs(np.mean(coarsened(nx, SEVEN, (3, 3))) - SEVEN.mean()) < 0.5
            and np.shape(coarsened(nx, np.ones((5, 5)), (3, 3))) == (3, 3)
        ),
    ),
}


def builder(module, shape=(8, 8), **options):
    module = module.common if module is ngio else module
    halves = tuple(size // 2 for size in shape)
    return module.ImagePyramidBuilder.from_shapes(
        [shape, halves], (1.0,) * len(shape), tuple("zyx")[-len(shape) :], **options
    )


def group(zarr_format=2):
    return zarr.open_group(MemoryStore(), mode="w", zarr_format=zarr_format)


def created(module, format_of_group=2, **options):
    place = group(format_of_group)
    builder(module, **options).to_zarr(place)
    return place


def left_behind(module):
    """Return what a creation leaves where the second level would lie inside an array."""
    place = group()
    place.create_array("old", shape=(2,), dtype="u1")
    first, second = builder(module).levels
    fields = {name: getattr(second, name) for name in ("shape", "scale", "translation")}
    levels = [first, type(second)(path="old/1", **fields)]
    assert raises(ValueError, type(builder(module))(levels=levels, axes=("y", "x")).to_zarr, place)
    return {*place} - {"old"}


def consolidated(module, targets, source=None, **options):
    module.consolidate_pyramid(new_array(PIXELS, chunks=(4, 4)) if source is None else source, targets, **options)
    return targets


def partly(module, region, shape=(8, 8)):
    """Return what is left of a target that says 7 everywhere, when a region was rebuilt."""
    target = new_array(np.full(shape, 7), chunks=(2, 2))
    consolidated(module, [target], regions=[region])
    return target[...]


class Watched(WrapperStore):
    """A store that remembers which keys were read."""

    read = None

    async def get(self, key, *args, **kwargs):
        """Remember the key."""
        self.read = {*(self.read or ()), key}
        return await super().get(key, *args, **kwargs)


def reads_level_1(module):
    store = Watched(MemoryStore())
    place = zarr.open_group(store, mode="w", zarr_format=3)
    source, *targets = (
        place.create_array(f"{k}", shape=(16 >> k,) * 2, chunks=(8 >> k,) * 2, dtype="u2") for k in range(3)
    )
    source[...] = PIXELS
    store.read = set()
    module.consolidate_pyramid(source, targets)
    return any(key.startswith("1/c/") for key in store.read)


def trace_of_an_interruption(module):
    """Return what lies beside the chunks of a target that could not be built, for a chunk of the source is broken."""
    store = MemoryStore()
    place = zarr.open_group(store, mode="w", zarr_format=3)
    source, target = (place.create_array(f"{k}", shape=(16 >> k,) * 2, chunks=(8, 8), dtype="u2") for k in range(2))
    source[...] = PIXELS
    sync(store.set("0/c/1/1", default_buffer_prototype().buffer.from_bytes(b"broken")))
    assert raises(Exception, module.consolidate_pyramid, source, [target])
    return {key for key in keys_of(store) if key.startswith("1/") and not key.startswith(("1/c/", "1/zarr.json"))}


def keys_of(store):
    async def listed():
        return [key async for key in store.list()]

    return sync(listed())


CORNER = (slice(0, 2), slice(0, 2))
PYRAMIDS = {
    "translations": Sides(
        lambda: [level.translation for level in builder(ngio).levels] == [(0, 0), (0, 0)],
        lambda: (
            [level.translation for level in builder(nx).levels] == [(0, 0), (0.5, 0.5)]
            and {level.translation for level in builder(nx, level_origin="corner").levels} == {(0, 0)}
        ),
    ),
    "scaling factors": Sides(
        lambda: raises(Exception, by_factors, ngio.common) and by_factors(ngio.common, (2, 2)),
        lambda: by_factors(nx) == by_factors(nx, (2, 2)),
    ),
    "automatic chunks": Sides(
        lambda: created(ngio, shape=(4, 2048, 2048))["0"].chunks != (1, 1024, 1024),
        lambda: created(nx, shape=(4, 2048, 2048))["0"].chunks == (1, 1024, 1024),
    ),
    "uneven shards": Sides(
        lambda: builder(ngio, (100, 100), chunks=(10, 10), shards=(25, 25), zarr_format=3).levels[0].shards == (20, 20),
        lambda: raises(NgioValueError, builder, nx, (100, 100), chunks=(10, 10), shards=(25, 25), zarr_format=3),
    ),
    "creation": Sides(
        lambda: left_behind(ngio) == {"0"},
        lambda: left_behind(nx) == set() and raises(FileExistsError, builder(nx).to_zarr, created(nx), overwrite=False),
    ),
    "groups of zarr format 3": Sides(
        lambda: (
            created(ngio, 3)["0"].metadata.zarr_format == 3
            and created(ngio, 3)["0"].metadata.chunk_key_encoding.name == "v2"
        ),
        lambda: (
            created(nx, 3)["0"].metadata == created(nx, 3, zarr_format=3)["0"].metadata
            and created(nx, 3)["0"].metadata.dimension_names == ("y", "x")
            and raises(NgioValueError, created, nx, 2, zarr_format=3)
        ),
    ),
    "targets": Sides(
        lambda: consolidated(ngio.common, [new_array(shape=(8, 8))]) == [],
        lambda: len(consolidated(nx, [new_array(shape=(8, 8))])) == 1,
    ),
    "larger targets": Sides(
        lambda: consolidated(ngio.common, large := [new_array(shape=(32, 32))]) is large,
        lambda: raises(NgioValueError, consolidated, nx, [new_array(shape=(32, 32))]),
    ),
    "numpy integers in `regions`": Sides(
        lambda: raises(ValueError, partly, ngio.common, (np.int64(0), slice(None))),
        lambda: np.any(partly(nx, (np.int64(0), slice(None)))[0] != 7),
    ),
    "positions from the end in `regions`": Sides(
        lambda: np.all(partly(ngio.common, ([-1], slice(None))) == 7),
        lambda: np.any(partly(nx, ([-1], slice(None)))[-1] != 7),
    ),
    "reach of `regions`": Sides(
        lambda: partly(ngio.common, CORNER, (6, 6))[-1, -1] != 7,
        lambda: partly(nx, CORNER, (6, 6))[0, 0] != 7 and partly(nx, CORNER, (6, 6))[-1, -1] == 7,
    ),
    "reading back": Sides(lambda: reads_level_1(ngio.common), lambda: not reads_level_1(nx)),
    "interruption": Sides(lambda: not trace_of_an_interruption(ngio.common), lambda: trace_of_an_interruption(nx)),
    "`mode`": Sides(
        lambda: consolidated(ngio.common, [new_array(shape=(8, 8))], mode="auto"),
        lambda: (
            consolidated(nx, [new_array(shape=(8, 8))], mode="dask")
            and raises(NgioValueError, consolidated, nx, [new_array(shape=(8, 8))], mode="auto")
        ),
    ),
    "`level_paths`": Sides(
        lambda: builder(ngio, level_paths=("a", "b")).levels[1].path == "b",
        lambda: builder(nx, levels_paths=("a", "b")).levels[1].path == "b",
    ),
    "`reference`": Sides(
        lambda: "reference" in inspect.signature(ngio.common.Dimensions.require_axes_match).parameters,
        lambda: (
            nx.dimensions_of(nx.as_image(PIXELS)).check_if_axes_match(nx.dimensions_of(nx.as_image(PIXELS)))
            and nx.check_if_axes_match(*[nx.dimensions_of(nx.as_image(PIXELS))] * 2)
        ),
    ),
    "annotations": Sides(
        lambda: {"ConsolidationMode", "RegionsLike"} <= {*ngio.common.__all__},
        lambda: not hasattr(nx, "ConsolidationMode") and not hasattr(nx, "RegionsLike"),
    ),
}


def by_factors(module, factors=None):
    factors = {"y": 2, "x": 2} if factors is None else factors
    return module.ImagePyramidBuilder.from_scaling_factors(("0", "1"), factors, (8, 8), (1.0, 1.0), ("y", "x"))


def ids(module, labels, axes="yx"):
    size = module.PixelSize(x=1, y=1, z=1)
    module = module.common if module is ngio else module
    return [roi.label for roi in module.compute_masking_roi(labels, size, axes)]


HUGE = np.array([[0, 2**63 + 5]], "u8")
DEEP = np.ones((1, 1, 2, 1, 2, 2), int)
TURNED = da.from_array(np.array([[2, 2, 0, 0], [0, 0, 1, 1]]), chunks=(2, 2))
OPEN = {"x": slice(None), "y": (2, None), "z": slice(0, 1)}
OBJECTS = {
    "ids": Sides(lambda: raises((OverflowError, MemoryError), ids, ngio, HUGE), lambda: ids(nx, HUGE) == [2**63 + 5]),
    "dimensions of labels": Sides(
        lambda: ids(ngio, DEEP[0, 0], "tzyx") == [1] and raises(ValueError, ids, ngio, DEEP[0], "ctzyx"),
        lambda: ids(nx, DEEP, "actzyx") == [1],
    ),
    "order of regions": Sides(lambda: ids(ngio, TURNED) == [2, 1], lambda: ids(nx, TURNED) == [1, 2]),
    "open ends in tables": Sides(
        lambda: RoiTable(rois=[ngio.common.Roi.from_values(OPEN, "a")]).dataframe.iloc[0]["len_x_micrometer"] == 1,
        lambda: raises(NgioValueError, nx.write_rois, our_image(), "rois", [nx.Roi.from_values(OPEN, "a")]),
    ),
}


def our_image():
    store = MemoryStore()
    nx.write_ome_zarr(nx.as_image(PIXELS, "yx", 0.5), store)
    return store


CHECKS = VALUES | REGIONS | ZOOMING | PYRAMIDS | OBJECTS


def test_every_row_has_a_check_and_every_check_a_row():
    """Each of them once."""
    assert sorted(what for what, _ in ROWS) == sorted(CHECKS)


@pytest.mark.parametrize("what", CHECKS)
def test_ngio_x_behaves_as_the_row_says(what):
    """Whatever ngio is installed."""
    assert CHECKS[what].ours()


@pytest.mark.parametrize(("what", "versions"), ROWS, ids=[what for what, _ in ROWS])
def test_ngio_behaves_as_the_row_says_in_the_versions_that_it_names(what, versions):
    """And in no other that the page speaks of."""
    if INSTALLED not in {each for _, named in ROWS for each in named.split(", ")}:
        pytest.skip(f"the page does not speak of ngio {INSTALLED}")
    if INSTALLED in versions.split(", "):
        assert quietly(CHECKS[what].theirs)
    else:
        assert not behaves(CHECKS[what].theirs)


def test_a_pixel_size_of_ngio_is_understood():
    """Scripts of which only the import has changed take the size from an image of ngio's."""
    size = ngio.PixelSize(x=0.5, y=0.25, z=2.0)
    roi = nx.Roi.from_values({"y": (1, 2), "x": (1, 2), "z": (0, 4)})
    assert roi.to_pixel(size) == roi.to_pixel(nx.PixelSize(x=0.5, y=0.25, z=2.0))
    assert nx.pixel_size_of(nx.as_image(np.zeros((2, 2, 2)), "zyx", size)).zyx == size.zyx
    labels = np.ones((1, 2, 2), "u1")
    assert nx.compute_masking_roi(labels, size, "zyx")[0]["z"].length == 2.0
