"""Every public function, used as a stranger would: it works, or says which argument is wrong, and what to do."""

import contextlib
import inspect
import itertools
import re
import warnings
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import cattrs
import dask
import dask.array as da
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import xarray as xr
import zarr

import ngio_x as nx
from ngio_x._frozen import shown
from ngio_x.errors import NgioError

PIXELS = np.arange(64, dtype="u2").reshape(8, 8)
IMAGE = nx.as_image(PIXELS, "yx", 0.5, name="image")
LABELS = nx.as_labels(np.kron(np.array([[0, 1], [2, 3]], "u1"), np.ones((4, 4), "u1")), "yx", 0.5, name="nuclei")
TREE = xr.DataTree.from_dict({"/0": IMAGE.to_dataset(), "/1": nx.zoom(IMAGE, 0.5).to_dataset()})
ROI = nx.Roi.from_values({"y": (0, 2), "x": (1, 2)}, "cell", label=7)
AXES = nx.AxesHandler((nx.Axis("y"), nx.Axis("x")))
DATASET = nx.Dataset("0", AXES, (0.5, 0.5))
DIMENSIONS = nx.Dimensions((8, 8), (8, 8), DATASET)
LEVEL = nx.PyramidLevel("0", (8, 8), (1.0, 1.0), (0.0, 0.0))
POINTS = np.array([[1.0, 2.0]])


def arrays(_path):
    """Return source and target of a pyramid, in memory."""
    source = zarr.create_array({}, data=PIXELS, chunks=(4, 4))
    return source, zarr.create_array({}, shape=(4, 4), dtype="u2", chunks=(4, 4))


def written(path):
    """Return the place of an image with labels and a table."""
    place = path / "image.zarr"
    if not place.exists():
        nx.write_ome_zarr(IMAGE, place, levels=2, chunks={"y": 4, "x": 4})
        nx.write_labels(LABELS, place, "nuclei")
        nx.write_rois(place, "rois", [ROI])
    return place


def plan(path):
    source, target = arrays(path)
    return nx.plan_pyramid(source, [target])


def fields_of(value):
    return {name: getattr(value, name) for name in ("layouts", "kernel", "passes", "partial")}


_coordinates = {"places": POINTS, "image": IMAGE, "axes": ("y", "x")}
_pair = {"reference": DIMENSIONS, "other": DIMENSIONS}
_image = {
    "dims": "yx",
    "pixel_size": 0.5,
    "origin": 0.0,
    "units": "micrometer",
    "channels": None,
    "name": "a",
    "like": None,
}
_files = {
    "levels": 1,
    "scale_factors": {"y": 2},
    "frame": "corner",
    "order": "nearest",
    "chunks": {"y": 4},
    "shards": None,
    "compressors": "auto",
}

VALID = {
    "AxesHandler": {"axes": (nx.Axis("y"), nx.Axis("x")), "axes_setup": nx.AxesSetup()},
    "AxesSetup": {
        **{axis: axis for axis in "xyzct"},
        "others": (),
        "allow_non_canonical_axes": False,
        "strict_canonical_order": False,
    },
    "Axis": {"name": "y", "axis_type": "space", "unit": "micrometer"},
    "Channel": {"label": "DAPI", "color": "00FF00", "limits": (0, 9), "display": (0, 9), "active": True},
    "Dataset": {"path": "0", "axes_handler": AXES, "scale": (0.5, 0.5), "translation": (0.0, 0.0)},
    "Dimensions": {"shape": (8, 8), "chunks": (8, 8), "dataset": DATASET},
    "ImagePyramidBuilder": {
        "levels": (LEVEL,),
        "axes": ("y", "x"),
        "data_type": "uint16",
        "dimension_separator": "/",
        "compressors": "auto",
        "zarr_format": 2,
        "other_array_kwargs": {},
    },
    "Lattice": {"origin": 0.0, "spacing": 0.5, "size": 8, "start": 0, "anchor": 0.5, "unit": "micrometer"},
    "PixelIndex": {"lattice": nx.Lattice(0.0, 0.5, 8), "dim": "y", "coord_name": "y"},
    "PixelSize": {"x": 1, "y": 1, "z": 1, "t": 1, "space_unit": "micrometer", "time_unit": "second"},
    "Problem": {
        "path": "$",
        "message": "is missing",
        "section": "a",
        "severity": "error",
        "version": "0.5",
        "group": "",
    },
    "PyramidLevel": {
        "path": "0",
        "shape": (8, 8),
        "scale": (1.0, 1.0),
        "translation": (0.0, 0.0),
        "chunks": (4, 4),
        "shards": (8, 8),
    },
    "PyramidPlan": lambda path: fields_of(plan(path)),
    "Report": {"version": "0.5", "kind": "image", "problems": ()},
    "Roi": {"name": "a", "slices": ROI.slices, "label": 1, "space": "world", "extra": {"a": 1}},
    "RoiDrawing": {"rois": (ROI,), "axes": ("y", "x"), "frame": None, "limit": 10},
    "RoiSlice": {"axis_name": "y", "start": 0.0, "length": 1.0},
    "as_image": {"data": PIXELS, **_image},
    "as_labels": {"data": PIXELS, **_image},
    "assign_tiles": {"rois": [ROI], "tiles": [ROI]},
    "bounding_roi": {"points": POINTS, "axes": ("y", "x"), "name": "a", "label": 1},
    "channels_of": {"image": IMAGE},
    "check_if_axes_match": _pair,
    "check_if_dimensions_match": {**_pair, "allow_singleton": False},
    "check_if_rescalable": _pair,
    "compute_masking_roi": {"segmentation": LABELS.values, "pixel_size": {"y": 1.0, "x": 1.0}, "axes_order": "yx"},
    "composite": {"image": IMAGE, "channels": None},
    "configure_converter": lambda _: {"converter": cattrs.Converter()},
    "consolidate_ome_zarr": lambda path: {
        "store": written(path),
        "regions": [{"y": slice(0, 4)}],
        "order": "mean",
        "mode": "numpy",
        "frame": None,
        "progress": False,
    },
    "consolidate_pyramid": lambda path: {
        "source": arrays(path)[0],
        "targets": [arrays(path)[1]],
        "order": "mean",
        "mode": "numpy",
        "regions": [(slice(0, 4), slice(0, 4))],
        "axes": ("y", "x"),
        "progress": False,
    },
    "containing": {"rois": [ROI], "point": {"y": 1.0}},
    "corners": {"roi": ROI, "axes": ("y", "x")},
    "crop": {"image": IMAGE, "roi": ROI, "bounds": "outer", "missing_dims": "raise"},
    "crop_objects": {"image": IMAGE, "labels": LABELS, "pad": 1, "masked": False, "fill": 0, "ids": [1]},
    "dask_zoom": {
        "source_array": da.from_array(PIXELS),
        "scale": None,
        "target_shape": (4, 4),
        "order": "mean",
        "chunks": (4, 4),
    },
    "derive": lambda path: {
        "image": IMAGE,
        "store": path / "derived.zarr",
        "dtype": "u1",
        "version": "0.5",
        **_files,
        "overwrite": True,
    },
    "dimensions_of": {"image": IMAGE},
    "from_dict": {"data": nx.to_dict(ROI), "cls": nx.Roi, "converter": nx.make_converter()},
    "from_geojson": {"document": nx.to_geojson([ROI]), "image": IMAGE, "space": "world"},
    "from_json": {"text": nx.to_json(ROI), "cls": nx.Roi, "converter": nx.make_converter()},
    "from_napari": _coordinates,
    "from_ngff": {**_coordinates, "frame": "corner"},
    "from_ngio": _coordinates,
    "from_spatialdata": _coordinates,
    "hull": {"rois": [ROI], "name": "a"},
    "keep_objects": {"coarse": LABELS[::2, ::2].values, "labels": LABELS.values},
    "label_extents": {"labels": LABELS, "axes_order": ("y", "x"), "background": 0},
    "level_for": {"tree": TREE, "pixel_size": 0.5},
    "list_tables": lambda path: {"store": written(path), "table_type": "roi_table"},
    "make_converter": {},
    "map_levels": {"tree": TREE, "function": nx.zoom, "scale": 0.5, "on": "image"},
    "map_rois": {
        "image": IMAGE,
        "func": np.sign,
        "rois": [ROI],
        "output": "image",
        "halo": 1,
        "bounds": "outer",
        "masked": False,
        "dtype": "i4",
        "fill": 0,
    },
    "mask": {"image": IMAGE, "labels": LABELS, "label_id": 1, "fill": 0},
    "mosaic": {"images": [IMAGE], "like": IMAGE, "how": "last", "fill": 0},
    "napari_layer": {"image": IMAGE, "axes": ("y", "x")},
    "napari_shapes": {"rois": [ROI], "image": IMAGE, "axes": ("y", "x")},
    "numpy_zoom": {"source_array": PIXELS, "scale": (0.5, 0.5), "target_shape": None, "order": "mean"},
    "on_disk_zoom": lambda path: dict(
        zip(("source", "target"), arrays(path), strict=True), order="mean", mode="numpy", progress=False
    ),
    "open_ome_zarr": lambda path: {
        "store": written(path),
        "chunks": "auto",
        "frame": None,
        "images": "*",
        "storage_options": None,
    },
    "overlapping": {"rois": [ROI], "others": [ROI]},
    "paste": {
        "image": IMAGE,
        "patch": np.ones((4, 4), "u2"),
        "roi": ROI,
        "where": np.ones((4, 4), bool),
        "bounds": "outer",
    },
    "pixel_size_of": {"image": IMAGE},
    "plot_image": {
        "image": IMAGE,
        "roi": ROI,
        "rois": [ROI],
        "labels": LABELS,
        "channels": None,
        "scale_bar": True,
        "ax": None,
    },
    "plot_labels": {"labels": LABELS, "roi": ROI, "linewidth": 1.0, "ax": None},
    "plot_levels": {"tree": TREE, "roi": ROI, "rois": [ROI], "labels": None, "channels": None, "axes": None},
    "plot_rois": {"rois": [ROI], "ax": None, "color": "red", "linewidth": 1.0, "names": True},
    "plan_pyramid": lambda path: {
        "source": arrays(path)[0],
        "targets": [arrays(path)[1]],
        "order": "mean",
        "mode": "numpy",
        "regions": None,
        "axes": ("y", "x"),
    },
    "read_rois": lambda path: {"store": written(path), "name": "rois", "frame": None},
    "relabel_sequential": {"labels": LABELS, "offset": 1, "background": 0},
    "require_axes_match": _pair,
    "require_dimensions_match": {**_pair, "allow_singleton": False},
    "require_rescalable": _pair,
    "rois_from_dataset": {"dataset": nx.rois_to_dataset([ROI])},
    "rois_to_dataset": {"rois": [ROI]},
    "show": {"rois": [ROI], "image": IMAGE, "axes": ("y", "x"), "limit": 10},
    "stack_objects": {"image": IMAGE, "labels": LABELS, "shape": 3, "masked": False, "fill": 0, "ids": [1]},
    "tile": {"image": IMAGE, "size": 4, "overlap": 1},
    "to_dict": {"value": ROI, "converter": nx.make_converter()},
    "to_geojson": {"rois": [ROI], "image": IMAGE},
    "to_json": {"value": ROI, "indent": 2, "converter": nx.make_converter()},
    "to_napari": _coordinates,
    "to_napari_layers": {"tree": TREE, "rois": [ROI]},
    "to_ngff": {**_coordinates, "frame": "corner"},
    "to_ngio": _coordinates,
    "to_spatialdata": _coordinates,
    "unique_ids": {"labels": LABELS, "background": 0},
    "upgrade_ome_zarr": lambda path: {
        "source": written(path),
        "target": path / "old.zarr",
        "version": "0.4",
        "overwrite": True,
        "progress": False,
        "storage_options": None,
    },
    "validate_ome_zarr": lambda path: {"store": written(path), "storage_options": None},
    "window": {"image": IMAGE, "roi": ROI, "bounds": "outer", "missing_dims": "raise"},
    "write_labels": lambda path: {
        "labels": LABELS,
        "store": written(path),
        "name": "cells",
        **{key: value for key, value in _files.items() if key not in ("levels", "scale_factors")},
        "colors": {1: "FF0000"},
        "keep_objects": False,
        "overwrite": True,
    },
    "write_ome_zarr": lambda path: {
        "image": IMAGE,
        "store": path / "new.zarr",
        "version": "0.5",
        **_files,
        "overwrite": True,
    },
    "write_region": lambda path: {
        "patch": IMAGE[:4, :4],
        "store": written(path),
        "roi": ROI,
        "where": np.ones((4, 4), bool),
        "consolidate": True,
        "exclusive": False,
        "frame": None,
    },
    "write_rois": lambda path: {
        "store": written(path),
        "name": "more",
        "rois": [ROI],
        "table_type": "roi_table",
        "label": None,
        "backend": "csv",
        "frame": None,
        "overwrite": True,
    },
    "zoom": {"image": IMAGE, "scale": 0.5, "order": "mean"},
}
"""Arguments of a call that works, by function; of those that need files, a function of a directory."""

NO_FUNCTIONS = {"ChunksLike", "InterpolationOrder", "ShardsLike", "errors"}


def read_only(array):
    array.flags.writeable = False
    return array


HOSTILE = {
    "None": lambda: None,
    "text": lambda: "3",
    "empty text": lambda: "",
    "bytes": lambda: b"yx",
    "negative": lambda: -1,
    "zero": lambda: 0,
    "fraction": lambda: 1.5,
    "tiny": lambda: 5e-324,
    "large": lambda: 1.7e308,
    "NaN": lambda: float("nan"),
    "infinity": lambda: -np.inf,
    "huge": lambda: 2**70,
    "too long to print": lambda: 10**5000,
    "complex": lambda: 1j,
    "bool": lambda: True,
    "date": lambda: np.datetime64("2026-01-01"),
    "pandas NA": lambda: pd.NA,
    "pandas Series": lambda: pd.Series([1.0, np.nan], index=["y", "q"]),
    "numpy float": lambda: np.float32(2),
    "numpy int": lambda: np.int8(-3),
    "numpy text": lambda: np.str_("y"),
    "0-d": lambda: np.array(2),
    "0-d text": lambda: np.array("y"),
    "no list": list,
    "no mapping": dict,
    "None in a list": lambda: [None],
    "nested list": lambda: [[1, 2], [3]],
    "texts": lambda: ["y", "y"],
    "one axis": lambda: ("q",),
    "one and a text": lambda: [1, "x"],
    "NaN twice": lambda: (float("nan"),) * 2,
    "huge twice": lambda: (2**70,) * 2,
    "zero twice": lambda: (0, 0),
    "set": lambda: {1, 2},
    "mapping": lambda: {"q": 1},
    "mapping of text": lambda: {"y": "a"},
    "mapping of NaN": lambda: {"y": float("nan")},
    "mapping of huge": lambda: {"y": 2**70},
    "mapping of numbers": lambda: {1: None},
    "generator": lambda: (k for k in (1, 2)),
    "empty generator": lambda: iter(()),
    "empty array": lambda: np.zeros((0, 2)),
    "flat array": lambda: np.zeros(3, "u1"),
    "read-only array": lambda: read_only(np.ones((8, 8), "u1")),
    "foreign array": lambda: np.ones((8, 8), ">u2"),
    "bool array": lambda: np.ones((8, 8), bool),
    "object array": lambda: np.array([[None, "a"], [1, {}]], dtype=object),
    "text array": lambda: np.array([["a", "b"]]),
    "NaN array": lambda: np.full((8, 8), np.nan),
    "dates": lambda: np.zeros((8, 8), "M8[s]"),
    "masked array": lambda: np.ma.masked_equal(np.ones((8, 8), int), 1),
    "dask array": lambda: da.ones((8, 8), chunks=3),
    "DataArray": lambda: xr.DataArray(3),
    "other axes": lambda: xr.DataArray(np.zeros((2, 2)), dims=("a", "b")),
    "uneven": lambda: xr.DataArray(np.zeros((3, 3)), {"y": [0.0, 1.0, 5.0]}, ("y", "x")),
    "empty image": lambda: nx.as_image(np.zeros((0, 4), "u2"), "yx", 1.0),
    "Dataset": xr.Dataset,
    "DataTree": xr.DataTree,
    "Roi": lambda: nx.Roi.from_values({"y": slice(None), "q": 1e300}, None),
    "pixel Roi": lambda: nx.Roi.from_values({"y": -5, "x": 100}, None, space="pixel"),
    "Rois": lambda: [nx.Roi.from_values({"z": slice(None), "y": 0}, None)] * 2,
    "class": lambda: int,
    "object": object,
    "function": lambda: lambda *_: None,
    "path": lambda: Path("nowhere"),
    "slice": lambda: slice(None, None, 2),
    "ellipsis": lambda: ...,
}
"""What strangers pass, made anew for each call."""
FEW = ("None", "text", "NaN", "too long to print", "pandas NA", "mapping of huge", "bool array", "DataTree", "object")
"""What is passed to functions of files, which take longer: of each kind one."""

SAID_OTHERWISE = {
    **dict.fromkeys(("image", "source_array", "like", "output"), ("array",)),
    "labels": ("array", "label image"),
    **dict.fromkeys(("roi", "rois", "regions"), ("region",)),
    **dict.fromkeys(("data", "document", "text", "value"), (r"\$",)),  # of a document, as JSONPath calls it
    "levels": ("level",),
    "targets": ("target",),
}
"""What else an argument may be called in a message, where its name is not: one of several, or what it is."""
SECRET = {"storage_options"}
"""Arguments whose values must not be shown."""
EXPECTED = re.compile(
    r"\b(must|needs?|give|pass|use|name (one|some) of|label (it|an array)|choose|convert|zoom|crop|leave|put|open|write"
    r"|correct|check|add|interpolate|is missing)\b",
    re.IGNORECASE,
)
"""What is expected, or what to do."""
NO_MATTER = re.compile(r"\b(needs|without|give (either|one of)|leave (\S+ ){1,4}out|is missing)\b")
"""Of an argument that is one too many, or where one is missing, the value says nothing."""


def arguments_of(name, path):
    arguments = VALID[name]
    return dict(arguments(path) if callable(arguments) else arguments)


def result_of(name, arguments):
    """Return all of what a function returns: iterators are exhausted, what is lazy is computed."""
    function = getattr(nx, name)
    known = inspect.signature(function).parameters
    positional = [
        arguments.pop(key) for key in list(arguments) if known.get(key) and known[key].kind.name == "POSITIONAL_ONLY"
    ]
    result = function(*positional, **arguments)
    return dask.compute(list(result) if isinstance(result, itertools.chain | map) else result)[0]


def faces_of(value):
    """Return what a message may tell of a hostile value: itself, its type, size or axes, or those of its items."""
    faces = {shown(value), type(value).__name__, str(getattr(value, "dtype", shown(value)))}
    if isinstance(value, str | Path):
        return faces | {repr(str(value)), str(value), "shape ()"}
    if isinstance(value, int | float | np.number):
        with contextlib.suppress(ValueError, OverflowError):  # infinities, and what no float holds
            faces |= {shown(int(value)), shown(float(value)), f"{float(value):g}"}
    if isinstance(value, nx.Roi | xr.DataArray):  # an axis that it has, or lacks
        faces |= {"'y'", "'x'", *(f"'{item.axis_name}'" for item in getattr(value, "slices", ()))}
        faces |= {f"'{dim}'" for dim in getattr(value, "dims", ())}
    if isinstance(value, np.ma.MaskedArray):
        faces.add("masked")
    if isinstance(value, np.ndarray):
        faces.add(shown(value.tolist()))
    if isinstance(value, xr.DataArray):
        faces |= {str(value.dims), *faces_of(value.values)}
    if np.iterable(value) and not isinstance(value, da.Array):  # a number of which says so, too
        items = list(value)
        faces |= {shown(items), shown(tuple(items)), f"shape ({len(items)},)"}
        faces |= {face for item in items for face in faces_of(item)} if items else {"none", "no", "neither", "0"}
        if all(isinstance(item, int | float | np.number) for item in items):
            faces.add(shown(tuple(map(float, items))))
        if isinstance(value, Mapping):
            faces |= {shown(dict(value))} | {face for item in value.values() for face in faces_of(item)}
    return faces | {f"shape {np.shape(value)}" if isinstance(value, np.ndarray | da.Array) else "shape ()"}


@cache
def sign_of(what):
    """Return how a hostile value is shown, and what matches whatever a message may tell of it."""
    faces = "|".join(map(re.escape, faces_of(HOSTILE[what]())))  # not as a part of a word or a number
    return shown(HOSTILE[what]()), re.compile(rf"(?<![\w.])({faces})(?!\w)")


def faults_of(message, argument, what):
    """Return what a message lacks: the argument's name, what to do, or the value that is wrong."""
    itself, told = sign_of(what)
    said = message.replace(itself, "…")  # what the value says does not count
    names = (argument, argument.replace("_", " "), *SAID_OTHERWISE.get(argument, ()))
    faults = []
    if not re.search(rf"(?<!\w)({'|'.join(names)})(?!\w)", said, re.IGNORECASE):
        faults.append("no name")
    if not EXPECTED.search(said):
        faults.append("no remedy")
    if argument in SECRET or NO_MATTER.search(said):
        return faults
    return faults if told.search(message) else [*faults, "no value"]


def test_every_public_function_is_in_the_table():
    """With all of its arguments: a stranger may use any."""
    assert set(VALID) | NO_FUNCTIONS == set(nx.__all__)


@pytest.fixture(autouse=True)
def _no_windows(monkeypatch):
    """Pictures are drawn without a screen, and closed."""
    monkeypatch.setenv("MPLBACKEND", "agg")
    yield
    plt.close("all")


@pytest.mark.parametrize("name", VALID)
def test_valid_calls_work(name, tmp_path):
    """Or what follows would show nothing."""
    result_of(name, arguments_of(name, tmp_path))


@pytest.mark.parametrize("name", VALID)
def test_bad_arguments_get_an_error_of_this_library(name, tmp_path, monkeypatch):
    """Each argument in turn is each of the hostile values: the call works, or raises an NgioError.

    That names the argument, tells what was given, and says what is expected or what to do.
    """
    monkeypatch.chdir(tmp_path)
    raw, poor = [], []
    for argument in arguments_of(name, tmp_path):
        for what in FEW if callable(VALID[name]) else HOSTILE:
            if argument in ("func", "function", "progress") and what in ("class", "function"):
                continue  # errors of a function that is passed are its own
            if (argument, what) == ("cls", "class"):
                continue  # an integer can be built: it is the data that are none
            arguments = arguments_of(name, tmp_path) | {argument: HOSTILE[what]()}
            plt.close("all")
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("error")
                    warnings.simplefilter("ignore", nx.errors.NgioUserWarning)
                    result_of(name, arguments)
            except NgioError as error:
                if faults := faults_of(str(error), argument, what):
                    poor.append(f"{argument}={what}: {', '.join(faults)}: {str(error)[:150]}")
            except Exception as error:  # noqa: BLE001 — all others are to be found
                raw.append(f"{argument}={what}: {type(error).__name__}: {str(error)[:150]}")
    assert not raw, "\n".join([f"{len(raw)} raw errors", *raw])
    assert not poor, "\n".join([f"{len(poor)} poor messages", *poor])


@pytest.mark.parametrize("held", [xr.Dataset, xr.DataTree])
def test_what_holds_images_is_no_image(held):
    """xarray's own advice, `to_dataarray()`, makes an axis of the names."""
    image = nx.as_image(np.zeros((4, 4)), "yx", 0.5)
    several = (
        xr.Dataset({"a": image}) if held is xr.Dataset else xr.DataTree.from_dict({"/0": xr.Dataset({"a": image})})
    )
    for refused in (nx.as_image, lambda patch: nx.paste(image, patch)):
        with pytest.raises(
            nx.errors.NgioTypeError, match=r"must be a DataArray, got a .*: pick one of its arrays, such as .*a'\]"
        ):
            refused(several)


def test_windows_of_a_stack_are_pasted_one_by_one():
    labels = nx.as_labels(np.eye(4, dtype="uint8") * np.arange(1, 5, dtype="uint8"), "yx", 0.5)
    stack = nx.stack_objects(labels, labels, 2)
    with pytest.raises(
        nx.errors.NgioValueError, match=r"got 'label': paste one after the other, as by isel\(label=0\)"
    ):
        nx.paste(labels, stack)
    assert nx.paste(labels, stack.isel(label=0)).equals(labels)
