import warnings

import attrs
import numpy as np
import pytest
import zarr

import ngio_x as nx
from ngio_x.errors import NgioFileExistsError, NgioTypeError, NgioValueError

Builder = nx.ImagePyramidBuilder


def shapes_of(builder):
    return [level.shape for level in builder.levels]


def memory_group(zarr_format=2):
    return zarr.open_group(zarr.storage.MemoryStore(), mode="w", zarr_format=zarr_format)


@pytest.fixture
def peer():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its dependencies
        return pytest.importorskip("ngio.common").ImagePyramidBuilder


@pytest.mark.parametrize("precise", [True, False])
@pytest.mark.parametrize("factors", [(1.0, 2.0, 2.0), (2.0, 3.0, 1.5)])
def test_from_scaling_factors_agrees_with_ngio(peer, factors, precise):
    """With constant translations, every level is the one that ngio.common describes."""
    arguments = {
        "levels_paths": ("0", "1", "2"),
        "scaling_factors": factors,
        "base_shape": (7, 101, 64),
        "base_scale": (1.0, 0.325, 0.25),
        "axes": ("z", "y", "x"),
        "base_translation": (1.0, 2.0, 3.0),
        "chunks": (1, 32, 128),
        "precision_scale": precise,
    }
    ours = Builder.from_scaling_factors(**arguments, level_origin="corner")
    paths = arguments.pop("levels_paths")  # ngio's releases do not agree on this name
    theirs = peer.from_scaling_factors(paths, **arguments)
    for level, expected in zip(ours.levels, theirs.levels, strict=True):
        assert (level.path, level.shape, level.chunks) == (expected.path, expected.shape, expected.chunks)
        assert level.translation == expected.translation
        np.testing.assert_allclose(level.scale, expected.scale, rtol=1e-12)


def test_from_shapes_agrees_with_ngio(peer):
    """Scales that follow from shapes are those of ngio.common."""
    shapes = [(3, 90, 80), (3, 45, 40), (1, 22, 20)]
    theirs = peer.from_shapes(shapes, (1.0, 0.5, 0.25), ("z", "y", "x"))
    ours = Builder.from_shapes(shapes, (1.0, 0.5, 0.25), ("z", "y", "x"), level_origin="corner")
    for level, expected in zip(ours.levels, theirs.levels, strict=True):
        np.testing.assert_allclose(level.scale, expected.scale, rtol=1e-12)
        assert level.translation == expected.translation
    assert (ours.data_type, ours.dimension_separator, ours.zarr_format) == ("uint16", "/", 2)


def test_precise_scales_keep_the_extent():
    """Shape times scale is the same on every level."""
    builder = Builder.from_scaling_factors(("0", "1", "2"), (2, 2), (101, 37), (0.3, 0.7), ("y", "x"))
    extents = [np.multiply(level.shape, level.scale) for level in builder.levels]
    np.testing.assert_allclose(extents, [extents[0]] * 3, rtol=1e-12)


def test_nominal_scales_are_powers_of_the_factor():
    """`precision_scale=False` multiplies by the factors, whatever the rounding of shapes."""
    builder = Builder.from_scaling_factors(
        ("0", "1", "2"), (1, 2, 3), (5, 101, 100), (1, 0.5, 0.25), ("c", "y", "x"), precision_scale=False
    )
    assert [level.scale for level in builder.levels] == [(1, 0.5, 0.25), (1, 1, 0.75), (1, 2, 2.25)]


def test_levels_move_by_half_the_difference_in_pixel_size():
    """By default coarser levels are translated as OME-NGFF 0.6 recommends; time never is."""
    builder = Builder.from_shapes([(4, 8, 8), (2, 4, 4)], (3, 1, 1), ("t", "y", "x"), (7, 10, -10))
    assert [level.translation for level in builder.levels] == [(7, 10, -10), (7, 10.5, -9.5)]


def test_unknown_level_origin_is_refused():
    """The message lists the two that exist."""
    with pytest.raises(NgioValueError, match="level_origin must be one of 'center', 'corner', got 'middle'"):
        Builder.from_shapes([(4, 4)], (1, 1), ("y", "x"), level_origin="middle")


@pytest.mark.parametrize("base_scale", [(1, 2), [1, 2], (1.0, 2.0), np.array([1.0, 2.0])])
def test_base_scale_is_one_number_an_axis(base_scale):
    """Tuples, lists and arrays, of integers or floats, say the pixel size of level 0."""
    builder = Builder.from_shapes([(4, 4), (2, 2)], base_scale, ("y", "x"))
    assert [level.scale for level in builder.levels] == [(1, 2), (2, 4)]


@pytest.mark.parametrize("base_scale", [[(1, 2), (3, 4)], ([1, 2], [3, 4]), [np.array([1, 2]), (3, 4)]])
def test_base_scale_may_be_one_scale_a_level(base_scale):
    """Sequences of sequences are taken as they are."""
    assert [level.scale for level in Builder.from_shapes([(4, 4), (2, 2)], base_scale, ("y", "x")).levels] == [
        (1, 2),
        (3, 4),
    ]


def test_inputs_are_not_changed():
    """Lists that were passed keep their values."""
    shapes, scale, chunks, options = [[8, 8], [4, 4]], [1, 1], [4, 4], {"fill_value": 3}
    Builder.from_shapes(shapes, scale, ["y", "x"], chunks=chunks, other_array_kwargs=options)
    assert (shapes, scale, chunks, options) == ([[8, 8], [4, 4]], [1, 1], [4, 4], {"fill_value": 3})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"shapes": []}, "shapes must hold at least one shape"),
        ({"shapes": [(4, 4), (4, 4)]}, "has the shape .* before it: ask for fewer levels"),
        ({"shapes": [(4, 4), (2, 5)]}, "along axis 'x', level '1' has 5 pixels after 4"),
        ({"shapes": [(4, 4, 4)]}, "shapes must have one number for each of the 2 axes"),
        ({"shapes": [(4, 4), (2, 2, 2)]}, "shapes must have one number for each of the 2 axes"),
        ({"shapes": [(4, 0)]}, "shapes must be > 0"),
        ({"base_scale": (1,)}, "base_scale must have one number for each"),
        ({"base_scale": (1, 0)}, "base_scale must be > 0"),
        ({"base_scale": [(1, 1), (2, 2), (4, 4)]}, "2 shapes need as many scales and paths, got 3 scales"),
        ({"base_translation": (1,)}, "base_translation must have one number for each"),
        ({"base_translation": (1, float("nan"))}, "must be a finite number"),
        ({"axes": ("y", "y")}, "axes must have unique names"),
        ({"axes": "yx"}, "axes must be a sequence"),
        ({"levels_paths": ("0",)}, "2 shapes need as many scales and paths, got 2 scales, 1 paths"),
        ({"levels_paths": "ab"}, "levels_paths must be a sequence"),
        ({"levels_paths": ("0", "0")}, "levels must have unique paths"),
        ({"levels_paths": ("a", "b//../a")}, "path must be a relative path"),
        ({"levels_paths": ("0/", "0")}, "levels must have unique paths"),
        ({"levels_paths": ("0", "0/1")}, "level '0/1' lies inside level '0'"),
        ({"levels_paths": ("a/b/c", "a")}, "level 'a/b/c' lies inside level 'a'"),
        ({"chunks": (2, 2), "shards": (4, 4)}, r"level '0' has shards=\(4, 4\), which need zarr_format=3"),
        ({"chunks": (2, 2), "shards": (3, 4), "zarr_format": 3}, "a shard of 3 and chunks of 2 along axis 0"),
        ({"shards": (4, 4), "zarr_format": 3}, "need explicit chunks"),
        ({"zarr_format": 4}, "zarr_format must be one of 2, 3, got 4"),
        ({"dimension_separator": "-"}, "dimension_separator must be one of"),
        ({"data_type": "uint17"}, "data_type must be the name of a numpy data type, got 'uint17'"),
        ({"data_type": None}, "data_type must be the name of a numpy data type"),
        ({"data_type": ""}, "data_type must be the name of a numpy data type"),
        ({"other_array_kwargs": [1]}, "other_array_kwargs must be a mapping"),
        ({"other_array_kwargs": {"dtype": "u1", "shape": (1,)}}, "other_array_kwargs must leave dtype, shape to"),
    ],
)
def test_argument_of_from_shapes_is_refused(arguments, message):
    """The message names the argument, and where there is one the axis and both numbers."""
    sensible = {"shapes": [(4, 4), (2, 2)], "base_scale": (1, 1), "axes": ("y", "x")}
    with pytest.raises(NgioValueError, match=message):
        Builder.from_shapes(**sensible | arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scaling_factors": (0.5, 2)}, r"scaling_factors must be ≥ 1 \(2 halves"),
        ({"scaling_factors": (2,)}, "scaling_factors must have one number for each of the 2 axes"),
        ({"scaling_factors": (1, 1)}, "ask for fewer levels or larger factors"),
        ({"levels_paths": tuple("01234")}, "ask for fewer levels"),
        ({"base_shape": (4, 4.5)}, "base_shape must be an integer"),
        ({"base_scale": (1, 1, 1)}, "base_scale must have one number"),
        ({"levels_paths": "01"}, "levels_paths must be a sequence"),
        ({"levels_paths": "auto", "chunks": (1,)}, "chunks must have one number for each axis of shape"),
        ({"scaling_factors": {"y": 2, "q": 2}}, r"scaling_factors names axis 'q', but the axes are \('y', 'x'\)"),
        ({"scaling_factors": {"y": 0.5}}, "scaling_factors along 'y' must be ≥ 1"),
        ({"scaling_factors": {"y": "2"}}, "scaling_factors along 'y' must be a number"),
        ({"axes": ("y",)}, "base_shape must have one number for each of the 1 axes"),
    ],
)
def test_argument_of_from_scaling_factors_is_refused(arguments, message):
    """The message names the argument and what to do."""
    sensible = {
        "levels_paths": ("0", "1"),
        "scaling_factors": (2, 2),
        "base_shape": (4, 4),
        "base_scale": (1, 1),
        "axes": ("y", "x"),
    }
    with pytest.raises(NgioValueError, match=message):
        Builder.from_scaling_factors(**sensible | arguments)


def test_factors_may_be_given_by_axis():
    """Axes that are not named are left alone, in whatever order they stand."""
    by_name = Builder.from_scaling_factors(("0", "1"), {"x": 3, "z": 2}, (8, 9, 10), (1, 1, 1), ("z", "y", "x"))
    assert by_name == Builder.from_scaling_factors(("0", "1"), (2, 1, 3), (8, 9, 10), (1, 1, 1), ("z", "y", "x"))
    assert shapes_of(by_name) == [(8, 9, 10), (4, 9, 3)]


@pytest.mark.parametrize(
    ("factors", "shape", "chunks", "expected"),
    [
        ({"y": 2, "x": 2}, (3, 5000, 3000), "auto", [(3, 5000, 3000), (3, 2500, 1500), (3, 1250, 750), (3, 625, 375)]),
        ({"y": 2, "x": 2}, (3, 1024, 1000), "auto", [(3, 1024, 1000)]),
        ({"y": 2}, (3, 1025, 9000), "auto", [(3, 1025, 9000), (3, 512, 9000)]),
        ({"z": 2}, (4, 9000, 9000), "auto", [(4, 9000, 9000), (2, 9000, 9000), (1, 9000, 9000)]),
        ({"y": 2, "x": 2}, (1, 64, 64), (1, 16, 32), [(1, 64, 64), (1, 32, 32), (1, 16, 16)]),
        ({}, (1, 9000, 9000), "auto", [(1, 9000, 9000)]),
        ({"x": 1e300}, (1, 9000, 9000), "auto", [(1, 9000, 9000), (1, 9000, 1)]),
    ],
)
def test_automatic_levels_go_down_to_one_chunk(factors, shape, chunks, expected):
    """Along each axis that is scaled; they are called by their numbers."""
    builder = Builder.from_scaling_factors("auto", factors, shape, (1, 1, 1), ("z", "y", "x"), chunks=chunks)
    assert shapes_of(builder) == expected
    assert [level.path for level in builder.levels] == [str(number) for number in range(len(expected))]


def test_a_factor_without_end_makes_one_level_of_one_pixel():
    """The nominal scale, which no float holds after some levels, is not asked for."""
    builder = Builder.from_scaling_factors(("0", "1"), (1e300, 1), (100, 100), (1, 1), ("y", "x"))
    assert builder.levels[1].scale == (100, 1)
    with pytest.raises(NgioValueError, match="base_scale must be a finite number"):
        Builder.from_scaling_factors(("0", "1", "2"), (1e300, 2), (100, 100), (1, 1), ("y", "x"), precision_scale=False)


@pytest.mark.parametrize("precise", [True, False])
def test_isotropic_pyramids_scale_the_finer_axes_first(precise):
    """y and x of 0.5 approach z of 2 before z is scaled as well; the next levels stay as they are to each other."""
    builder = Builder.from_scaling_factors(
        ("0", "1", "2", "3", "4"),
        (2, 2, 2),
        (64, 512, 512),
        (2.0, 0.5, 0.5),
        ("z", "y", "x"),
        precision_scale=precise,
        isotropic=True,
    )
    assert shapes_of(builder) == [(64, 512, 512), (64, 256, 256), (64, 128, 128), (32, 64, 64), (16, 32, 32)]
    assert [level.scale for level in builder.levels] == [(2, 0.5, 0.5), (2, 1, 1), (2, 2, 2), (4, 4, 4), (8, 8, 8)]


def test_isotropic_pyramids_come_as_close_as_a_step_allows():
    """3 is closer to 4 than to 2, in ratio, and 2.5 to 2; z waits until then."""
    for spacing, steps in ((3.0, 2), (2.5, 1)):
        builder = Builder.from_scaling_factors(
            ("0", "1", "2", "3"),
            {"z": 2, "y": 2, "x": 2},
            (64, 512, 512),
            (spacing, 1, 1),
            ("z", "y", "x"),
            isotropic=True,
        )
        assert [shape[0] for shape in shapes_of(builder)] == [64] * (steps + 1) + [32, 16][: 3 - steps]


def test_isotropic_pyramids_leave_other_axes_to_their_factors():
    """Time follows its own; an axis with factor 1 is never scaled, but the others approach it; then all go on."""
    builder = Builder.from_scaling_factors(
        ("0", "1", "2"), (2, 1, 2, 2), (8, 9, 64, 32), (1, 2.0, 1.0, 2.0), ("t", "z", "y", "x"), isotropic=True
    )
    assert shapes_of(builder) == [(8, 9, 64, 32), (4, 9, 32, 32), (2, 9, 16, 16)]


def test_isotropic_pyramids_do_not_wait_for_an_axis_of_one_pixel():
    """It cannot be scaled, however fine its spacing is."""
    builder = Builder.from_scaling_factors("auto", (2, 2), (1, 4096), (0.1, 1.0), ("y", "x"), isotropic=True)
    assert shapes_of(builder) == [(1, 4096), (1, 2048), (1, 1024)]


def test_levels_must_have_the_axes_that_are_named():
    """A level of another number of dimensions is refused by the constructor as well."""
    message = r"axes must name each dimension of level '0' of shape \(4, 4\), got \('x',\)"
    with pytest.raises(NgioValueError, match=message):
        Builder((nx.PyramidLevel("0", (4, 4), (1, 1), (0, 0)),), ("x",))


def test_there_is_at_least_one_level():
    """An empty pyramid is none."""
    with pytest.raises(NgioValueError, match="at least one level"):
        Builder((), ("y", "x"))


@pytest.mark.parametrize(
    ("given", "kept"), [("uint8", "uint8"), ("<f4", "float32"), (np.int16, "int16"), (">u2", ">u2"), ("bool", "bool")]
)
def test_data_type_is_a_name_and_keeps_the_byte_order(given, kept):
    """Native types are called by their name, others by the string that says their byte order."""
    assert Builder.from_shapes([(4, 4)], (1, 1), ("y", "x"), data_type=given).data_type == kept


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize("separator", [".", "/"])
@pytest.mark.parametrize("dtype", ["bool", "int8", "uint16", "float16", "float64", "complex64", ">u2"])
def test_to_zarr_creates_what_is_described(zarr_format, separator, dtype):
    """Shapes, chunks, data type and separator on disk are those of the builder."""
    group = memory_group(zarr_format)
    builder = Builder.from_shapes(
        [(40, 30), (20, 15)],
        (1, 1),
        ("y", "x"),
        chunks=(16, 16),
        data_type=dtype,
        dimension_separator=separator,
        zarr_format=zarr_format,
        levels_paths=("s0", "lower/s1"),
    )
    builder.to_zarr(group)
    for level in builder.levels:
        array = group[level.path]
        assert (array.shape, array.chunks, array.dtype) == (
            level.shape,
            level.chunks,
            np.dtype(dtype).newbyteorder(array.dtype.byteorder),
        )
        metadata = array.metadata
        found = metadata.dimension_separator if zarr_format == 2 else metadata.chunk_key_encoding.separator
        assert found == separator


def test_version_3_arrays_name_their_dimensions_and_take_shards():
    """Axis names are `dimension_names`; shards are those of the level."""
    group = memory_group(3)
    Builder.from_shapes([(64, 64)], (1, 1), ("y", "x"), chunks=(16, 16), shards=(32, 32), zarr_format=3).to_zarr(group)
    assert group["0"].metadata.dimension_names == ("y", "x")
    assert (group["0"].chunks, group["0"].shards) == ((16, 16), (32, 32))


def test_compressors_and_other_arguments_reach_zarr():
    """What `zarr.create_array` takes can be said."""
    group = memory_group(3)
    Builder.from_shapes(
        [(8, 8)],
        (1, 1),
        ("y", "x"),
        compressors=None,
        zarr_format=3,
        other_array_kwargs={"fill_value": 7, "attributes": {"a": [1]}},
    ).to_zarr(group)
    assert (group["0"].compressors, group["0"].fill_value, dict(group["0"].attrs)) == ((), 7, {"a": [1]})
    codec = zarr.codecs.ZstdCodec(level=3)
    Builder.from_shapes([(8, 8)], (1, 1), ("y", "x"), compressors=[codec], zarr_format=3).to_zarr(group)
    assert group["0"].compressors == (codec,)


@pytest.mark.parametrize(
    ("axes", "shape", "dtype", "chunks", "shards"),
    [
        (("y", "x"), (10000, 10000), "uint16", (1024, 1024), (4096, 4096)),
        (("y", "x"), (10000, 10000), "float64", (1024, 1024), (2048, 2048)),
        (("y", "x"), (10000, 10000), "uint8", (1024, 1024), (8192, 4096)),
        (("y", "x"), (1024, 10000), "uint16", (1024, 1024), (1024, 8192)),
        (("y", "x"), (2000, 900), "uint16", (1024, 900), None),
        (("c", "z", "y", "x"), (2, 30, 3000, 2100), "uint16", (1, 1, 1024, 1024), (1, 1, 2048, 2048)),
        (("x", "y", "c"), (3000, 900, 2), "uint16", (1024, 900, 1), (2048, 900, 1)),
        (("c", "x"), (4, 3000), "uint16", (1, 1024), (1, 2048)),
        (("c", "z", "q"), (4, 30, 3000), "uint16", (1, 30, 1024), (1, 30, 2048)),
        (("x",), (2**23,), "uint16", (2**20,), (2**23,)),
        (("t",), (50,), "uint16", (50,), None),
    ],
)
def test_automatic_chunks_and_shards(axes, shape, dtype, chunks, shards):
    """Planes of 1024 pixels, up to 32 MiB of them in a shard; without y and x, along the last two axes."""
    group, ones = memory_group(3), (1,) * len(shape)
    Builder.from_shapes([shape], ones, axes, data_type=dtype, shards="auto", zarr_format=3).to_zarr(group)
    assert (group["0"].chunks, group["0"].shards) == (chunks, shards)


def test_automatic_shards_are_made_of_explicit_chunks():
    """As many as fit, doubled along y and x in turn."""
    builder = Builder.from_shapes(
        [(300, 200), (40, 40)], (1, 1), ("y", "x"), chunks=(64, 64), shards="auto", zarr_format=3
    )
    group = memory_group(3)
    builder.to_zarr(group)
    assert (group["0"].shards, group["1"].shards) == ((256, 128), None)
    assert [level.shards for level in builder.levels] == ["auto", "auto"]


def test_automatic_sizes_in_zarr_format_2():
    """There are chunks, but no shards."""
    group = memory_group(2)
    Builder.from_shapes([(3, 3000, 3000)], (1, 1, 1), ("c", "y", "x"), shards="auto").to_zarr(group)
    assert (group["0"].chunks, group["0"].shards) == ((1, 1024, 1024), None)


@pytest.mark.parametrize("names", [["row", "column"], ["row", None], None])
def test_given_dimension_names_go_before_those_of_the_axes(names):
    """Also none at all."""
    group = memory_group(3)
    options = {"dimension_names": names}
    Builder.from_shapes([(8, 8)], (1, 1), ("y", "x"), zarr_format=3, other_array_kwargs=options).to_zarr(group)
    assert group["0"].metadata.dimension_names == (names if names is None else tuple(names))


def test_to_zarr_replaces_arrays_by_default():
    """As in the reference, what stands at the paths makes way."""
    group = memory_group()
    group.create_array("0", shape=(2, 2), dtype="u1")
    Builder.from_shapes([(8, 8)], (1, 1), ("y", "x")).to_zarr(group)
    assert group["0"].shape == (8, 8)


def test_without_overwrite_nothing_is_touched():
    """If one path is taken, no level is created and the array there keeps its pixels."""
    group = memory_group()
    group.create_array("1", shape=(2, 2), dtype="u1")[...] = 5
    with pytest.raises(NgioFileExistsError, match=r"\['1'\] exist .* pass overwrite=True"):
        Builder.from_shapes([(8, 8), (4, 4)], (1, 1), ("y", "x")).to_zarr(group, overwrite=False)
    assert list(group) == ["1"]
    assert (group["1"][...] == 5).all()


def test_a_pyramid_gets_the_format_of_its_group():
    """One that needs no more than format 2 goes into any group: zarr makes groups of format 3 where nothing is said."""
    builder = Builder.from_scaling_factors(("0", "1"), (2, 2), (64, 64), (1.0, 1.0), ("y", "x"))
    for zarr_format in (2, 3):
        group = memory_group(zarr_format)
        builder.to_zarr(group)
        assert {path: array.shape for path, array in group.arrays()} == {"0": (64, 64), "1": (32, 32)}
        assert {array.metadata.zarr_format for _, array in group.arrays()} == {zarr_format}
        again = attrs.evolve(builder, zarr_format=zarr_format)
        again.to_zarr(other := memory_group(zarr_format))
        assert group["1"].metadata == other["1"].metadata


def test_a_pyramid_that_needs_format_3_is_refused_by_a_group_of_format_2():
    """Both numbers are told, and what to do."""
    builder = Builder.from_shapes([(4, 4)], (1, 1), ("y", "x"), zarr_format=3)
    with pytest.raises(NgioValueError, match="zarr format 2, and the pyramid zarr_format=3: give it"):
        builder.to_zarr(memory_group(2))


def test_something_that_is_no_group_is_refused():
    """A path has to be opened first."""
    with pytest.raises(NgioTypeError, match=r"to_zarr writes into a zarr\.Group, got str"):
        Builder.from_shapes([(8, 8)], (1, 1), ("y", "x")).to_zarr("image.zarr")


def test_builder_round_trips_through_json():
    """`from_dict` undoes `to_dict`, levels, codecs' names and options included."""
    builder = Builder.from_scaling_factors(
        ("0", "1"), (1, 2, 2), (3, 90, 70), (1, 0.5, 0.5), ("z", "y", "x"), (0, 1, 2), (1, 32, 32), (3, 64, 64),
        "float32", ".", "auto", 3, {"fill_value": 1.5},
    )  # fmt: skip
    assert nx.from_dict(nx.to_dict(builder), Builder) == builder
    assert nx.from_json(nx.to_json(builder), Builder) == builder
    assert hash(nx.from_json(nx.to_json(builder), Builder)) == hash(builder)
