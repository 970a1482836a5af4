import pickle

import attrs
import pytest

import ngio_x as nx
from ngio_x.errors import NgioValueError


def level(path="0", shape=(100, 30), chunks="auto", shards=None, scale=(1, 1), translation=(0, 0)):
    return nx.PyramidLevel(path, shape, scale, translation, chunks, shards)


def test_integers_are_accepted_where_floats_are_meant():
    """Scales and translations given as integers become floats."""
    made = level(scale=[1, 2], translation=(0, -3))
    assert (made.scale, made.translation) == ((1.0, 2.0), (0.0, -3.0))


def test_level_is_a_value():
    """Levels are equal, hash and pickle by their fields, and cannot be changed."""
    made = level(chunks=(10, 10), shards=(20, 30))
    assert made == pickle.loads(pickle.dumps(made))
    assert hash(made) == hash(level(chunks=[10, 10], shards=[20, 30]))
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        made.path = "1"


@pytest.mark.parametrize(
    "path", ["..", "../1", "a/../b", "/0", "//0", "a\\b", "\\0", "", ".", "./a", "a/.", "...", "/", "C:/0", "C:0", 0]
)
def test_path_that_is_none_or_leaves_the_group_is_refused(path):
    """A level stands inside its image group, on every system."""
    with pytest.raises(NgioValueError, match=r"path must be a (relative path inside the image group|non-empty string)"):
        level(path)


@pytest.mark.parametrize(
    "path", ["zarr.json", "a/.zarray", ".zgroup", ".ngio_x-staging-0a1b2c3d", "a/.ngio_x-b", "a\0b"]
)
def test_path_with_the_name_of_another_file_is_refused(path):
    """Documents of zarr and the traces of replacing have names of their own; no file has a null in its name."""
    with pytest.raises(NgioValueError, match="path must not use the name"):
        level(path)


@pytest.mark.parametrize(("given", "kept"), [("0", "0"), ("a/b", "a/b"), ("a//b/", "a/b"), ("s0.5", "s0.5")])
def test_path_inside_the_group_is_kept(given, kept):
    """Folders are allowed; slashes too many are not kept."""
    assert level(given).path == kept


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"shape": (0, 3)}, "shape must be > 0"),
        ({"shape": (1.5, 3)}, "shape must be an integer"),
        ({"scale": (0, 1)}, "scale must be > 0"),
        ({"scale": (-1, 1)}, "scale must be > 0"),
        ({"scale": (float("nan"), 1)}, "scale must be a finite number"),
        ({"scale": (float("inf"), 1)}, "scale must be a finite number"),
        ({"scale": (1,)}, r"scale must have one number for each axis of shape .*, got \(1.0,\)"),
        ({"translation": (1, 2, 3)}, "translation must have one number for each axis of shape"),
        ({"translation": (float("nan"), 1)}, "translation must be a finite number"),
        ({"chunks": (1,)}, "chunks must have one number for each axis of shape"),
        ({"chunks": (0, 1)}, "chunks must be > 0"),
        ({"chunks": "Auto"}, "chunks must be a sequence"),
        ({"chunks": (1, 1), "shards": (2, 2, 2)}, "shards must have one number for each axis of shape"),
        ({"shards": (20, 20)}, r"shards=\(20, 20\) need explicit chunks"),
        ({"chunks": (8, 8), "shards": (16, 12)}, "a shard of 12 and chunks of 8 along axis 1"),
        ({"chunks": (64, 64), "shards": (64, 32)}, "a shard of 32 and chunks of 64 along axis 1"),
    ],
)
def test_field_is_refused(fields, message):
    """The message names the field and the numbers."""
    with pytest.raises(NgioValueError, match=message):
        level(**fields)


@pytest.mark.parametrize(
    ("chunks", "shards", "fitted"),
    [
        ((64, 64), None, ((64, 30), None)),
        ((10, 10), (20, 30), ((10, 10), (20, 30))),
        ((64, 64), (128, 128), ((64, 30), (64, 30))),  # at least one chunk
        ((16, 8), (128, 64), ((16, 8), (96, 24))),  # the largest multiple within the shape
        ((10, 10), "auto", ((10, 10), "auto")),
        ("auto", "auto", ("auto", "auto")),
    ],
)
def test_chunks_are_clipped_and_shards_fitted(chunks, shards, fitted):
    """Chunks end with the shape; shards beyond it shrink to the multiple of the chunks that it holds."""
    made = level(chunks=chunks, shards=shards)
    assert (made.chunks, made.shards) == fitted


def test_fitting_again_changes_nothing():
    """A level built from the fields of another is equal to it."""
    made = level(chunks=(64, 64), shards=(128, 128))
    assert attrs.evolve(made) == made


def test_level_round_trips_through_json():
    """`from_dict` undoes `to_dict`."""
    made = level("a/0", chunks=(10, 10), shards=(20, 30), translation=(0.5, -1))
    assert nx.from_dict(nx.to_dict(made), nx.PyramidLevel) == made
    assert nx.from_json(nx.to_json(made), nx.PyramidLevel) == made


def test_faults_of_a_document_are_named_by_path():
    """Reading a faulty level says which fields are wrong."""
    document = nx.to_dict(level()) | {"path": "..", "scale": [0, 1]}
    with pytest.raises(nx.errors.NgioValidationError) as caught:
        nx.from_dict(document, nx.PyramidLevel)
    path, scale = caught.value.problems
    assert path.startswith("$.path")
    assert scale.startswith("$.scale")
