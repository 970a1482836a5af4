"""Laws of users' own classes and containers that hold values, and of all values in them."""

import copy
import dataclasses
import pickle

import attrs
import numcodecs
from hypothesis import given
from hypothesis import strategies as st
from zarr.codecs import BloscCodec, GzipCodec, ZstdCodec

import ngio_x as nx
from ngio_x.errors import NgioValidationError
from ngio_x.testing.strategies import (
    axes_handlers,
    datasets,
    dimensions,
    pixel_sizes,
    pyramid_builders,
    roi_slices,
    rois,
)

TEXTS = st.text(max_size=4)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
LATTICES = st.builds(nx.Lattice, NUMBERS, st.floats(1e-3, 1e3), st.integers(0, 99), st.integers(), st.floats(0, 1))
VALUES = {
    nx.Roi: rois(),
    nx.RoiSlice: roi_slices(),
    nx.PixelSize: pixel_sizes(),
    nx.AxesHandler: axes_handlers(),
    nx.Dataset: datasets(),
    nx.Dimensions: dimensions(),
    nx.Lattice: LATTICES,
    nx.ImagePyramidBuilder: pyramid_builders(),
    nx.Channel: st.builds(nx.Channel, TEXTS.filter(bool)),
}
PLAIN = {str: TEXTS, int: st.integers(), float: NUMBERS, bool: st.booleans()}
LEAVES = st.sampled_from([*VALUES.items(), *PLAIN.items()])
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | NUMBERS | TEXTS,
    lambda items: st.lists(items, max_size=3) | st.dictionaries(TEXTS, items, max_size=3),
    max_leaves=6,
)


def containers(kinds):
    """Types that are made of others, each with what draws it."""
    return (
        kinds.map(lambda of: (list[of[0]], st.lists(of[1], max_size=2)))
        | kinds.map(lambda of: (tuple[of[0], ...], st.lists(of[1], max_size=2).map(tuple)))
        | st.tuples(kinds, kinds).map(lambda of: (tuple[of[0][0], of[1][0]], st.tuples(of[0][1], of[1][1])))
        | kinds.map(lambda of: (dict[str, of[0]], st.dictionaries(TEXTS, of[1], max_size=2)))
        | kinds.map(lambda of: (dict[int, of[0]], st.dictionaries(st.integers(), of[1], max_size=2)))
        | kinds.map(lambda of: (of[0] | None, st.none() | of[1]))
        | st.tuples(LEAVES, LEAVES).map(lambda of: (of[0][0] | of[1][0], of[0][1] | of[1][1]))
    )


KINDS = st.recursive(LEAVES, containers, max_leaves=3)
NAMES = st.lists(
    st.sampled_from(["a", "b", "size", "extra", "name", "slices", "kind"]), min_size=1, max_size=3, unique=True
)


@st.composite
def instances(draw, bases=(object,), names=NAMES):
    """Instances of generated attrs classes and dataclasses, which hold values."""
    fields = {name: draw(KINDS) for name in draw(names)}
    annotations = {name: kind for name, (kind, _) in fields.items()}
    if bases == (object,) and draw(st.booleans()):
        cls = dataclasses.make_dataclass("Generated", annotations.items())
    else:
        own = {name: attrs.field(type=kind, kw_only=True) for name, kind in annotations.items()}
        cls = attrs.make_class("Generated", own, bases=bases, frozen=True)
    base = draw(rois()) if nx.Roi in bases else None
    inherited = {} if base is None else {each.name: getattr(base, each.name) for each in attrs.fields(nx.Roi)}
    return cls(**inherited, **{name: draw(values) for name, (_, values) in fields.items()})


SUBCLASSED = instances(bases=(nx.Roi,), names=st.just(["a", "size"]))


@given(instances() | SUBCLASSED)
def test_generated_classes_round_trip(value):
    """Attrs classes, dataclasses and subclasses of a region, with fields of any kind, and numbers keep their types."""
    back = nx.from_json(nx.to_json(value), type(value))
    assert back == value == nx.from_dict(nx.to_dict(value), type(value))
    assert repr(back) == repr(value)


@given(st.data())
def test_containers_of_anything_round_trip(data):
    kind, values = data.draw(KINDS)
    value = data.draw(values)
    back = nx.from_json(nx.to_json(value), kind)
    assert back == value
    assert repr(back) == repr(value)


@given(instances(), JUNK, st.sampled_from(["a", "b", "size", "bogus"]))
def test_any_document_is_a_generated_class_or_refused_with_paths(value, junk, key):
    for document in (junk, {**nx.to_dict(value), key: junk}):
        before = copy.deepcopy(document)
        try:
            nx.from_dict(document, type(value))
        except NgioValidationError as error:
            assert all(problem.startswith("$") for problem in error.problems)  # noqa: PT017
        assert document == before


@given(st.one_of(*VALUES.values()))
def test_every_value_hashes_as_its_copies_do(value):
    """Those from JSON, from a pickle, and from evolving nothing."""
    for twin in (nx.from_json(nx.to_json(value), type(value)), pickle.loads(pickle.dumps(value)), attrs.evolve(value)):
        assert twin == value
        assert hash(twin) == hash(value)


OF_ZARR = (
    st.builds(ZstdCodec, level=st.integers(-5, 20), checksum=st.booleans())
    | st.builds(GzipCodec, level=st.integers(0, 9))
    | st.builds(
        BloscCodec,
        typesize=st.none() | st.integers(1, 8),
        shuffle=st.none() | st.sampled_from(["shuffle", "noshuffle", "bitshuffle"]),
        clevel=st.integers(0, 9),
    )
)
OF_NUMCODECS = (
    st.builds(numcodecs.Blosc, clevel=st.integers(0, 9), shuffle=st.integers(-1, 2))
    | st.builds(numcodecs.Zstd, st.integers(-5, 20))
    | st.builds(numcodecs.LZ4, st.integers(1, 9))
)


@given(pyramid_builders(), st.lists(OF_ZARR, max_size=2), OF_NUMCODECS)
def test_builders_with_any_codecs_are_values(builder, of_zarr, of_numcodecs):
    """They come back from JSON, and hash."""
    compressors = of_zarr if builder.zarr_format == 3 else of_numcodecs
    value = attrs.evolve(builder, compressors=compressors)
    back = nx.from_json(nx.to_json(value), nx.ImagePyramidBuilder)
    assert back == value == attrs.evolve(builder, compressors=compressors)
    assert hash(back) == hash(value)
