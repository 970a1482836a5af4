"""OME-NGFF documents: as values, as the attributes of a group, and broken in a way that has a name."""

from __future__ import annotations

import copy
import itertools
import json
import string
from collections.abc import Callable, Sequence
from typing import Any, Final

from hypothesis import strategies as st

from ngio_x.metadata.axes import AxesHandler, AxesSetup, Axis
from ngio_x.metadata.channels import Channel
from ngio_x.metadata.dataset import Dataset
from ngio_x.ngff.attributes import Version, write_attributes
from ngio_x.ngff.documents import Acquisition, ImageLabel, Multiscales, Plate, PlateWell, Well, WellImage
from ngio_x.testing.strategies.plain import json_values, texts

_NAMES: Final = st.text(string.ascii_letters + string.digits, min_size=1, max_size=4)
_NUMBERS: Final = st.floats(-1e6, 1e6)
_SIZES: Final = st.floats(1e-6, 1e6)


def _unknown() -> st.SearchStrategy[dict[str, Any]]:
    """Draw keys that no version knows, and what stands there."""
    return st.dictionaries(texts().map(lambda text: f"x-{text}"), json_values(), max_size=2)


@st.composite
def _pairs(draw: st.DrawFn) -> tuple[float, float]:
    low, high = sorted((draw(_NUMBERS), draw(_NUMBERS)))
    return low, high


@st.composite
def multiscales(draw: st.DrawFn) -> Multiscales:
    """Draw descriptions of images and label images, with keys that no version knows."""
    dims = draw(st.sampled_from(("yx", "cyx", "tyx", "zyx", "czyx", "tczyx", "qyx")))
    setup = AxesSetup(others=("q",), allow_non_canonical_axes=True) if "q" in dims else AxesSetup()
    units = st.sampled_from(("micrometer", "nanometer", None))
    handler = AxesHandler(tuple(Axis(name, unit=draw(units) if name in "zyx" else None) for name in dims), setup)
    vectors = (st.tuples(*(each,) * len(dims)) for each in (_SIZES, _NUMBERS))
    levels = draw(st.lists(st.tuples(_NAMES, *vectors), min_size=1, max_size=3, unique_by=lambda level: level[0]))
    colors = st.dictionaries(st.integers(0, 99), st.none() | st.tuples(*(st.integers(0, 255),) * 4), max_size=2)
    label = st.builds(
        ImageLabel, st.none() | texts(), colors, st.dictionaries(st.integers(0, 99), _unknown(), max_size=2)
    )
    channels = st.builds(
        Channel, texts().filter(bool), st.sampled_from(("FFFFFF", "00AAFF")), _pairs(), _pairs(), active=st.booleans()
    )
    return Multiscales(
        tuple(Dataset(path, handler, scale, translation) for path, scale, translation in levels),
        name=draw(st.none() | texts()),
        kernel=draw(st.none() | texts()),
        metadata=draw(st.none() | _unknown()),
        channels=tuple(draw(st.lists(channels, max_size=2))),
        label=draw(st.none() | label),
        frame=draw(st.sampled_from(("corner", "center"))),
        level_origin=draw(st.sampled_from(("corner", "center", None))),
        others=draw(_unknown()),
    )


def wells() -> st.SearchStrategy[Well]:
    """Draw descriptions of wells."""
    image = st.builds(WellImage, _NAMES, st.none() | st.integers(0, 3))
    images = st.lists(image, min_size=1, max_size=3, unique_by=lambda each: each.path)
    return st.builds(Well, images, others=_unknown())


@st.composite
def plates(draw: st.DrawFn) -> Plate:
    """Draw descriptions of plates."""
    rows, columns = (draw(st.lists(_NAMES, min_size=1, max_size=3, unique=True)) for _ in "rc")
    places = list(itertools.product(range(len(rows)), range(len(columns))))
    chosen = draw(st.lists(st.sampled_from(places), min_size=1, unique=True))
    counts = st.none() | st.integers(1, 9)
    acquisitions = st.lists(
        st.builds(Acquisition, st.integers(0, 5), st.none() | texts(), counts), max_size=2, unique_by=lambda a: a.id
    )
    return Plate(
        tuple(rows),
        tuple(columns),
        tuple(PlateWell(f"{rows[row]}/{columns[column]}", row, column) for row, column in chosen),
        draw(st.none() | texts()),
        draw(counts),
        tuple(draw(acquisitions)),
        others=draw(_unknown()),
    )


@st.composite
def ngff_attributes(draw: st.DrawFn, version: Version | None = None) -> dict[str, Any]:
    """Draw valid attributes of a group: those of an image, a label image, a well or a plate, as JSON gives them.

    Args:
        draw: Given by hypothesis.
        version: `"0.4"` or `"0.5"`; by default one of the two.
    """
    document = draw(multiscales() | wells() | plates())
    written = write_attributes(document, draw(st.sampled_from(("0.4", "0.5"))) if version is None else version)
    attributes: dict[str, Any] = json.loads(json.dumps(written))
    return attributes


def _remove(*places: Any) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        owner, last = _owner(document, places)
        del owner[last]

    return change


def _put(value: Any, *places: Any) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        owner, last = _owner(document, places)
        owner[last] = copy.deepcopy(value)

    return change


def _owner(document: dict[str, Any], places: tuple[Any, ...]) -> tuple[Any, Any]:
    owner: Any = document
    for place in places[:-1]:
        owner = owner[place]
    return owner, places[-1]


def _axes_twice(document: dict[str, Any]) -> None:
    axes = document["multiscales"][0]["axes"]
    axes[-1]["name"] = axes[-2]["name"]


def _space_first(document: dict[str, Any]) -> None:
    document["multiscales"][0]["axes"].reverse()
    document["multiscales"][0]["axes"].append({"name": "t", "type": "time"})


def _scale_too_long(document: dict[str, Any]) -> None:
    document["multiscales"][0]["datasets"][0]["coordinateTransformations"][0]["scale"].append(1.0)


def _path_twice(document: dict[str, Any]) -> None:
    datasets = document["multiscales"][0]["datasets"]
    datasets.append(copy.deepcopy(datasets[0]))


_IMAGE: Final = ("multiscales", 0)
_LEVEL: Final = (*_IMAGE, "datasets", 0)
BREAKS: Final[dict[str, Callable[[dict[str, Any]], None]]] = {
    "no image": _put([], "multiscales"),
    "image is no object": _put("image", *_IMAGE),
    "no axes": _remove(*_IMAGE, "axes"),
    "axis without a name": _remove(*_IMAGE, "axes", 0, "name"),
    "two axes of one name": _axes_twice,
    "axes out of order": _space_first,
    "no levels": _put([], *_IMAGE, "datasets"),
    "level without a path": _remove(*_LEVEL, "path"),
    "level outside of the group": _put("../0", *_LEVEL, "path"),
    "two levels at one path": _path_twice,
    "level without transformations": _remove(*_LEVEL, "coordinateTransformations"),
    "transformation of an unknown type": _put("affine", *_LEVEL, "coordinateTransformations", 0, "type"),
    "scale of text": _put(["a", "b"], *_LEVEL, "coordinateTransformations", 0, "scale"),
    "scale for too many axes": _scale_too_long,
}
"""What breaks a MUST of the specification (0.4 and 0.5), by name: functions that change the description of an image."""


@st.composite
def broken_ngff_attributes(
    draw: st.DrawFn, version: Version | None = None, *, breaks: Sequence[str] | None = None
) -> tuple[dict[str, Any], str]:
    """Draw the attributes of an image that break a rule of the specification, and the name of the break in `BREAKS`.

    Args:
        draw: Given by hypothesis.
        version: `"0.4"` or `"0.5"`; by default one of the two.
        breaks: Names to draw from; by default all of `BREAKS`.
    """
    written = write_attributes(
        draw(multiscales()), draw(st.sampled_from(("0.4", "0.5"))) if version is None else version
    )
    attributes: dict[str, Any] = json.loads(json.dumps(written))
    name = draw(st.sampled_from(sorted(BREAKS) if breaks is None else list(breaks)))
    BREAKS[name](attributes.get("ome", attributes))
    return attributes, name
