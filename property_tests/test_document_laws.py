"""Laws of OME-NGFF documents: reading undoes writing, and no document, however broken, does harm."""

import contextlib
import copy
import json
import math
import tempfile
import warnings
from pathlib import Path

import numpy as np
import zarr
from hypothesis import given
from hypothesis import strategies as st
from zarr.core.buffer import default_buffer_prototype

import ngio_x as nx
from ngio_x.errors import NgioError, NgioUserWarning
from ngio_x.ngff.attributes import read_attributes, write_attributes
from ngio_x.ngff.documents import Multiscales, Plate, PlateWell, Well, WellImage
from ngio_x.testing.strategies import multiscales, plates, wells
from ngio_x.testing.strategies.documents import json_values
from ngio_x.testing.strategies.regions import texts
from tests.official_schemas import complaints

versions = st.sampled_from(("0.4", "0.5"))
documents = multiscales() | wells() | plates()
SCHEMAS = {Multiscales: "image", Well: "well", Plate: "plate"}


def through_json(value):
    return json.loads(json.dumps(value))


@given(documents, versions)
def test_reading_a_document_undoes_writing_it(document, version):
    assert read_attributes(through_json(write_attributes(document, version)), "here").document == document


@given(documents, versions)
def test_written_documents_are_valid_by_the_official_schemas(document, version):
    attributes = through_json(write_attributes(document, version))
    assert complaints(version, SCHEMAS[type(document)], attributes) == []
    if isinstance(document, Multiscales) and document.label is not None:
        assert complaints(version, "label", attributes) == []


def objects_in(value):
    """Every object in a document, at any depth, but those whose keys are free."""
    if isinstance(value, dict):
        yield value
        for key, item in value.items():
            if key not in ("metadata", "ngio_x") and not key.startswith("x-"):
                yield from objects_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from objects_in(item)


@given(st.data(), documents, versions, versions)
def test_unknown_keys_survive_at_any_depth(data, document, version, other):
    """Also the way from one version to another."""
    attributes = through_json(write_attributes(document, version))
    places = [*objects_in(attributes.get("ome", attributes))]
    place = data.draw(st.sampled_from([item for item in places if item.get("type") not in ("scale", "translation")]))
    place["unheard-of"] = data.draw(json_values.filter(lambda value: value is not None))
    once = read_attributes(attributes, "here").document
    again = write_attributes(once, other)
    assert json.dumps(place["unheard-of"]) in json.dumps(through_json(again))
    if other == version or place is not places[0]:  # a key at the root is part of the document in 0.5 only
        assert read_attributes(through_json(again), "here").document == once
    if other == version:
        assert through_json(again) == attributes


# ---- Versions that are only read


def early(attributes, version):
    """Return attributes of 0.4 as one of the versions before has them: without pixel sizes, or places of wells."""
    images = attributes.get("multiscales", ())
    for entry in images:
        for dataset in entry["datasets"]:
            del dataset["coordinateTransformations"]
        axes = [axis["name"] for axis in entry.pop("axes")]
        if version == "0.3":
            entry["axes"] = axes
    for entry in (*images, *(attributes[key] for key in ("plate", "well") if key in attributes)):
        entry["version"] = version
    for well in attributes.get("plate", {}).get("wells", ()):
        del well["rowIndex"], well["columnIndex"]
    return attributes


def latest(attributes):
    """Return attributes of 0.5 in the words of 0.6: each level has a sequence that leads into a system of axes."""
    attributes["ome"]["version"] = "0.6"
    for entry in attributes["ome"].get("multiscales", ()):
        entry["coordinateSystems"] = [{"name": "world", "axes": entry.pop("axes")}]
        for dataset in entry["datasets"]:
            sequence = {"type": "sequence", "transformations": dataset["coordinateTransformations"]}
            lead = {"input": {"path": dataset["path"]}, "output": {"name": "world"}}
            dataset["coordinateTransformations"] = [sequence | lead]
    return attributes


def in_words_of(version, document):
    """Return the attributes of a document in any version that is read."""
    if version == "0.6":
        return latest(through_json(write_attributes(document, "0.5")))
    attributes = through_json(write_attributes(document, max(version, "0.4")))
    return attributes if version >= "0.4" else early(attributes, version)


@given(documents)
def test_version_6_says_the_same_in_other_words(document):
    found = read_attributes(in_words_of("0.6", document), "here")
    assert found.version == "0.6"
    assert found.document == document


@given(multiscales() | plates(), st.sampled_from(("0.1", "0.2", "0.3")))
def test_early_versions_say_all_but_sizes(document, version):
    """Axes before 0.3 are t, c, z, y, x; wells are placed by their paths."""
    found = read_attributes(in_words_of(version, document), "here")
    assert found.version == version
    if isinstance(document, Plate):
        assert found.document == document
        return
    axes = document.axes_handler.axes_names if version == "0.3" else tuple("tczyx")
    assert found.document.axes_handler.axes_names == axes
    assert not found.document.has_sizes
    assert [item.path for item in found.document.datasets] == [item.path for item in document.datasets]
    assert found.document.channels == document.channels


# ---- Broken documents

HOSTILE = (
    None, True, False, 0, -1, 1, 0.5, -0.0, math.nan, math.inf, -math.inf, 10**30, -(10**400), 1e308, 5e-324,
    "", ".", "..", "../0", "/abs", "a/../../b", "0\0", "C:\\x", "x" * 5000, "\ud800", "0/0", "labels", "0.6", "9.9",
    [], {}, [[]], [None], [{}], [1, "1"], {"name": "x"}, {"": {}}, {"path": ".."}, [[[[[[]]]]]], ["x"] * 40, [0] * 3,
)  # fmt: skip
hostile = (st.sampled_from(HOSTILE) | json_values).map(copy.deepcopy)


def paths_in(value, path=()):
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from paths_in(item, (*path, key))


@st.composite
def mutated(draw, document):
    """A document in which values at some places are replaced, removed, doubled, or joined by others."""
    document = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from([path for path in paths_in(document) if path] or [None]))
        if path is None:
            return document
        owner = document
        for key in path[:-1]:
            owner = owner[key]
        key, deed = path[-1], draw(st.sampled_from(("replace", "replace", "remove", "insert", "double")))
        if deed == "replace":
            owner[key] = draw(hostile)
        elif deed == "remove":
            del owner[key]
        elif isinstance(owner, list):
            owner.insert(key, draw(hostile) if deed == "insert" else copy.deepcopy(owner[key]))
        else:
            other = draw(
                st.sampled_from(("type", "axes", "path", "version", "labels", "plate", "ome", "source")) | texts
            )
            owner[other] = draw(hostile) if deed == "insert" else copy.deepcopy(owner[key])
    return document


@given(st.data(), documents, st.sampled_from(("0.1", "0.3", "0.4", "0.5", "0.6")))
def test_a_broken_document_is_read_or_refused_with_an_error_of_ours(data, document, version):
    attributes = data.draw(mutated(in_words_of(version, document)))
    if not isinstance(attributes, dict):
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NgioUserWarning)  # of units that nobody knows
        with contextlib.suppress(NgioError):
            write_attributes(read_attributes(attributes, "here").document, "0.5")


class Watched(zarr.storage.MemoryStore):
    """A store that remembers what is read."""

    def __init__(self, contents):
        super().__init__(contents)
        self.keys_read = set()

    async def get(self, key, prototype, byte_range=None):
        self.keys_read.add(key)
        return await super().get(key, prototype, byte_range)

    def with_read_only(self, read_only=False):
        return self


def hierarchy(version):
    """The contents of a store: a plate of one well with one image, which has labels; below `inside`."""
    store = zarr.storage.MemoryStore()
    root = zarr.open_group(store, path="inside", mode="w", zarr_format=2 if version == "0.4" else 3)
    plate = Plate(("A",), ("1",), (PlateWell("A/1", 0, 0),))
    well = root.create_group("A/1", attributes=write_attributes(Well((WellImage("0"),)), version))
    root.attrs.put(write_attributes(plate, version))
    image = nx.as_image(np.zeros((2, 8, 8), "u1"), "cyx", 0.5, channels=["a", "b"])
    group = well.create_group("0")
    nx.write_ome_zarr(image, group, version=version, levels=2, overwrite=True)
    nx.write_labels(nx.as_labels(np.ones((8, 8), "u1"), "yx", 0.5), group, "cells")
    return store._store_dict


WHOLE = {version: hierarchy(version) for version in ("0.4", "0.5")}
PROTOTYPE = default_buffer_prototype()


def metadata_keys(version):
    return sorted(
        key for key in WHOLE[version] if key.rpartition("/")[2] in ("zarr.json", ".zattrs", ".zarray", ".zgroup")
    )


def attempt(act, path, version, key, text):
    """Open or validate a group with other metadata at a key; fail if anything outside of it is read."""
    contents = {**WHOLE[version], key: PROTOTYPE.buffer.from_bytes(text)}
    with tempfile.TemporaryDirectory() as folder:
        for name, value in contents.items():
            file = Path(folder) / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(value.to_bytes())
        with contextlib.suppress(NgioError):
            act(Path(folder) / path)
    store, group = Watched(contents), None
    with contextlib.suppress(Exception):  # zarr's own, of the group that the caller opens
        group = zarr.open_group(store, path=path, mode="r", use_consolidated=False)
    if group is not None:
        with contextlib.suppress(NgioError):
            act(group)
    assert {key for key in store.keys_read if not key.startswith(f"{path}/")} == set()


def lazily(group):
    return nx.open_ome_zarr(group, chunks=None)


acts = st.sampled_from((nx.open_ome_zarr, lazily, nx.validate_ome_zarr))
groups = st.sampled_from(("inside", "inside/A/1/0"))


@given(st.data(), versions, acts, groups)
def test_a_hierarchy_with_broken_metadata_opens_or_is_refused_and_nothing_outside_is_read(data, version, act, path):
    key = data.draw(st.sampled_from(metadata_keys(version)))
    document = json.loads(WHOLE[version][key].to_bytes())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of zarr and dask, about what is broken
        attempt(act, path, version, key, json.dumps(data.draw(mutated(document))).encode())


@given(st.data(), versions, acts, groups)
def test_a_hierarchy_with_damaged_bytes_opens_or_is_refused(data, version, act, path):
    key = data.draw(st.sampled_from(metadata_keys(version)))
    raw = bytearray(WHOLE[version][key].to_bytes())
    start = data.draw(st.integers(0, len(raw) - 1))
    raw[start:] = data.draw(st.binary(max_size=3)) + (raw[start + 1 :] if data.draw(st.booleans()) else b"")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        attempt(act, path, version, key, bytes(raw))
