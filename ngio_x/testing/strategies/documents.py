"""Strategies for OME-NGFF metadata: the attributes of groups, valid, and broken in a named way."""

from __future__ import annotations

import itertools
import json
import string
from typing import Any, Final, get_args

from hypothesis import strategies as st

from ngio_x.metadata.axes import AxesHandler, AxesSetup, Axis
from ngio_x.metadata.channels import Channel
from ngio_x.metadata.dataset import Dataset
from ngio_x.ngff.attributes import Version, write_attributes
from ngio_x.ngff.documents import Acquisition, ImageLabel, Multiscales, Plate, PlateWell, Well, WellImage
from ngio_x.testing.strategies.breaks import BREAKS, Kind
from ngio_x.testing.strategies.regions import texts

names: Final = st.text(string.ascii_letters + string.digits, min_size=1, max_size=4)
numbers: Final = st.floats(-1e6, 1e6)
sizes: Final = st.floats(1e-6, 1e6)
_plain: Final = st.none() | st.booleans() | st.integers(-9, 9) | numbers | texts
json_values: Final = st.recursive(
    _plain, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2)
)
unknown: Final = st.dictionaries(texts.map(lambda text: f"x-{text}"), json_values, max_size=2)
"""Keys that no version knows, and what stands there."""


# ---- Documents, as ngio_x holds them


@st.composite
def _rising(draw: st.DrawFn) -> tuple[float, float]:
    low, high = sorted((draw(numbers), draw(numbers)))
    return low, high


_channels: Final = st.builds(
    Channel, texts.filter(bool), st.sampled_from(("FFFFFF", "00AAFF")), _rising(), _rising(), active=st.booleans()
)


@st.composite
def _image_labels(draw: st.DrawFn) -> ImageLabel:
    colors = st.dictionaries(st.integers(0, 99), st.none() | st.tuples(*(st.integers(0, 255),) * 4), max_size=2)
    properties = st.dictionaries(st.integers(0, 99), unknown, max_size=2)
    return ImageLabel(draw(st.none() | texts), draw(colors), draw(properties))


@st.composite
def multiscales(draw: st.DrawFn, label: st.SearchStrategy[ImageLabel | None] | None = None) -> Multiscales:
    """Draw what groups of images say: of one to three levels, with channels, and of label images, if not told."""
    dims = draw(st.sampled_from(("yx", "cyx", "tyx", "zyx", "czyx", "tczyx", "qyx")))
    setup = AxesSetup(others=("q",), allow_non_canonical_axes=True) if "q" in dims else AxesSetup()
    units = st.sampled_from(("micrometer", "nanometer", None))
    handler = AxesHandler(tuple(Axis(name, unit=draw(units) if name in "zyx" else None) for name in dims), setup)
    vectors = (st.tuples(*(each,) * len(dims)) for each in (sizes, numbers))
    levels = draw(st.lists(st.tuples(names, *vectors), min_size=1, max_size=3, unique_by=lambda level: level[0]))
    return Multiscales(
        tuple(Dataset(path, handler, scale, translation) for path, scale, translation in levels),
        name=draw(st.none() | texts),
        kernel=draw(st.none() | texts),
        metadata=draw(st.none() | unknown),
        channels=tuple(draw(st.lists(_channels, max_size=2))),
        label=draw(st.none() | _image_labels() if label is None else label),
        frame=draw(st.sampled_from(("corner", "center"))),
        level_origin=draw(st.sampled_from(("corner", "center", None))),
        others=draw(unknown),
    )


def wells() -> st.SearchStrategy[Well]:
    """Draw what groups of wells say: one to three fields of view."""
    fields = st.builds(WellImage, names, st.none() | st.integers(0, 3))
    return st.builds(Well, st.lists(fields, min_size=1, max_size=3, unique_by=lambda image: image.path), others=unknown)


@st.composite
def plates(draw: st.DrawFn) -> Plate:
    """Draw what groups of plates say: up to three rows and columns, and some of their wells."""
    rows, columns = (draw(st.lists(names, min_size=1, max_size=3, unique=True)) for _ in "rc")
    places = list(itertools.product(range(len(rows)), range(len(columns))))
    chosen = draw(st.lists(st.sampled_from(places), min_size=1, unique=True))
    counts = st.none() | st.integers(1, 9)
    acquisitions = st.lists(
        st.builds(Acquisition, st.integers(0, 5), st.none() | texts, counts), max_size=2, unique_by=lambda a: a.id
    )
    return Plate(
        tuple(rows),
        tuple(columns),
        tuple(PlateWell(f"{rows[row]}/{columns[column]}", row, column) for row, column in chosen),
        draw(st.none() | texts),
        draw(counts),
        tuple(draw(acquisitions)),
        others=draw(unknown),
    )


# ---- Attributes, as they stand in groups

_versions: Final = st.sampled_from(get_args(Version))


def _documents(kind: Kind) -> st.SearchStrategy[Any]:
    match kind:
        case "image":
            return multiscales(st.none())
        case "label image":
            return multiscales(_image_labels())
        case "well":
            return wells()
        case "plate":
            return plates()


@st.composite
def valid_attributes(draw: st.DrawFn, kind: Kind | None = None, version: Version | None = None) -> dict[str, Any]:
    """Draw the attributes of a group that break no MUST of OME-NGFF: JSON, new objects at any depth.

    Args:
        draw: Given by hypothesis.
        kind: What the group is: `"image"`, `"label image"`, `"well"` or `"plate"`. Default: any of them.
        version: `"0.4"` or `"0.5"`. Default: any of them.
    """
    of_kind = _documents(draw(st.sampled_from(get_args(Kind))) if kind is None else kind)
    written = write_attributes(draw(of_kind), draw(_versions) if version is None else version)
    attributes: dict[str, Any] = json.loads(json.dumps(written))
    return attributes


@st.composite
def broken_attributes(
    draw: st.DrawFn, name: str | None = None, version: Version | None = None
) -> tuple[dict[str, Any], str]:
    """Draw the attributes of a group that were valid until a rule was broken, and the name of the break.

    `BREAKS[name]` says which rule that is, and where validation reports it; it may report what follows from it, too.

    Args:
        draw: Given by hypothesis.
        name: Which break. Default: any of `BREAKS`.
        version: `"0.4"` or `"0.5"`. Default: any of them.
    """
    chosen = draw(st.sampled_from([*BREAKS])) if name is None else name
    attributes = draw(valid_attributes(BREAKS[chosen].kind, version))
    BREAKS[chosen].change(attributes.get("ome", attributes))
    return json.loads(json.dumps(attributes)), chosen
