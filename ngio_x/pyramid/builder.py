"""A pyramid as a value, and the empty arrays that it describes."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal, Self

import numpy as np
import numpy.typing as npt
import zarr

from ngio_x._frozen import (
    ReadOnlyMapping,
    checked_by,
    field,
    frozen,
    named,
    one_of,
    shown,
    thaw,
    to_floats,
    to_name,
    to_names,
    to_positive_floats,
    to_positive_ints,
    tuple_of,
)
from ngio_x.errors import NgioTypeError, NgioValueError
from ngio_x.metadata.frame import LevelOrigin, written_translation
from ngio_x.pyramid.codecs import freeze_codecs, require_format, thaw_codecs
from ngio_x.pyramid.create import create_in, drafted
from ngio_x.pyramid.layout import auto_chunks, auto_shards
from ngio_x.pyramid.level import ChunksLike, PyramidLevel, ShardsLike
from ngio_x.pyramid.scaling import level_steps, levels_down_to, to_factors


def to_dtype_name(value: npt.DTypeLike) -> str:
    """Convert what numpy takes for a data type to its name; anything else is refused."""
    try:
        dtype = np.dtype(to_name(value) if isinstance(value, str) or value is None else value)
    except (TypeError, ValueError):
        raise NgioValueError(f"must be the name of a numpy data type, got {shown(value)}") from None
    return dtype.name if dtype.isbuiltin else dtype.str  # names say nothing of byte order


def _to_levels(value: Iterable[PyramidLevel]) -> tuple[PyramidLevel, ...]:
    return tuple_of(PyramidLevel)(value)


_OWN_ARGUMENTS: Final = frozenset(
    ("name", "shape", "chunks", "shards", "dtype", "compressors", "overwrite", "chunk_key_encoding")
)
"""What the builder itself passes to `zarr.create_array`."""


_CODECS: Final = ("filters", "serializer")
"""Further arguments that are codecs."""


def _to_kwargs(value: Mapping[str, Any]) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise NgioValueError(f"must be a mapping, got {shown(value)}")
    if taken := sorted(_OWN_ARGUMENTS & set(value)):
        raise NgioValueError(f"must leave {', '.join(taken)} to the pyramid's own fields, got {dict(value)!r}")
    return freeze_codecs(value)  # type: ignore[no-any-return]


@frozen
class ImagePyramidBuilder:
    """The arrays of a multi-resolution image, finest first; nothing exists on disk until `to_zarr`."""

    levels: tuple[PyramidLevel, ...] = field(converter=_to_levels)
    axes: tuple[str, ...] = field(converter=to_names)
    """Names of the axes, in array order."""
    data_type: str = field(converter=to_dtype_name, default="uint16")
    dimension_separator: Literal[".", "/"] = field(metadata=checked_by(one_of(".", "/")), default="/")
    compressors: Any = field(converter=freeze_codecs, default="auto")
    """As in `zarr.create_array`; codecs are kept as their configurations."""
    zarr_format: Literal[2, 3] = field(metadata=checked_by(one_of(2, 3)), default=2)
    """What the arrays need: 2 can be had from any group, whose own format they get; 3 needs a group of format 3."""
    other_array_kwargs: Mapping[str, Any] = field(converter=_to_kwargs, default=ReadOnlyMapping())
    """More arguments for `zarr.create_array`; `dimension_names`, which are those of the axes, may be among them."""

    def __attrs_post_init__(self) -> None:
        if not self.levels:
            raise NgioValueError("levels must hold at least one level, got ()")
        if len(set(self.axes)) < len(self.axes):
            raise NgioValueError(f"axes must have unique names, got {self.axes}")
        for argument in ("compressors", *_CODECS):
            codecs = self.compressors if argument == "compressors" else self.other_array_kwargs.get(argument)
            require_format(codecs, self.zarr_format, argument)
        _require_separate([level.path for level in self.levels])
        for level in self.levels:
            self._check_level(level)
        for finer, coarser in zip(self.levels, self.levels[1:], strict=False):
            _require_no_larger(finer, coarser, self.axes)

    def _check_level(self, level: PyramidLevel) -> None:
        if len(level.shape) != len(self.axes):
            raise NgioValueError(
                f"axes must name each dimension of level '{level.path}' of shape {level.shape}, got {self.axes}"
            )
        if self.zarr_format == 2 and isinstance(level.shards, tuple):
            raise NgioValueError(f"level '{level.path}' has shards={level.shards}, which need zarr_format=3")

    @classmethod
    def from_scaling_factors(
        cls,
        levels_paths: Sequence[str] | Literal["auto"],
        scaling_factors: Sequence[float] | Mapping[str, float],
        base_shape: Sequence[int],
        base_scale: Sequence[float],
        axes: Sequence[str],
        base_translation: Sequence[float] | None = None,
        chunks: ChunksLike = "auto",
        shards: ShardsLike | None = None,
        data_type: npt.DTypeLike = "uint16",
        dimension_separator: Literal[".", "/"] = "/",
        compressors: Any = "auto",
        zarr_format: Literal[2, 3] = 2,
        other_array_kwargs: Mapping[str, Any] | None = None,
        precision_scale: bool = True,
        *,
        level_origin: LevelOrigin = "center",
        isotropic: bool = False,
    ) -> Self:
        """Describe a pyramid by the factor from one level to the next (2 halves the number of pixels).

        Each level has `max(1, floor(n / factor))` of the `n` pixels of the one before.

        Args:
            levels_paths: One path a level; `"auto"` adds levels `"0"`, `"1"`, … until each axis that is scaled fits
                into a chunk.
            scaling_factors: One factor an axis, ≥ 1; or factors by axis name, where axes that are not named get 1.
            base_shape: Shape of level 0.
            base_scale: Pixel size of level 0, one number an axis.
            axes: Names of the axes.
            base_translation: World edge of pixel 0 of level 0; zeros by default.
            chunks: Chunk shape of every level, clipped to its shape; `"auto"` means 1024 along y and x, and 1 along
                other axes.
            shards: Shard shape of every level, see `PyramidLevel`; `"auto"` means as many chunks along y and x as make
                32 MiB, and none where the zarr format has no shards.
            data_type: Name of a numpy data type.
            dimension_separator: Between the numbers in the names of chunks.
            compressors: As in `zarr.create_array`.
            zarr_format: What the arrays need, 2 or 3, see the field.
            other_array_kwargs: More arguments for `zarr.create_array`.
            precision_scale: Take pixel sizes from the rounded shapes, so that all levels cover one extent; False
                multiplies them by the nominal factors.
            level_origin: See `from_shapes`.
            isotropic: Scale the space axes with the finer spacing first, until another step would take them further
                from the coarsest one than they are; then all.

        Raises:
            NgioValueError: If numbers do not fit, or a level would not be smaller than the one before.
        """
        names = named("axes", to_names)(axes)
        shape = named("base_shape", to_positive_ints)(base_shape)
        factors = to_factors(scaling_factors, names)
        scale = named("base_scale", to_positive_floats)(base_scale)
        _require_lengths(len(names), base_shape=shape, scaling_factors=factors, base_scale=scale)
        steps = level_steps(shape, factors, scale, names, isotropic=isotropic)
        if isinstance(levels_paths, str) and levels_paths == "auto":
            given = PyramidLevel("0", shape, scale, scale, chunks).chunks
            pyramid = levels_down_to(auto_chunks(names, shape) if given == "auto" else given, factors, steps)
            paths = tuple(map(str, range(len(pyramid))))
        else:
            paths = named("levels_paths", to_names)(levels_paths)
            pyramid = list(itertools.islice(steps, len(paths)))
        shapes = [shape for shape, _ in pyramid]
        scales = _scales_of(shapes, scale) if precision_scale else [scale for _, scale in pyramid]
        return cls.from_shapes(
            shapes,
            scales,
            names,
            base_translation,
            paths,
            chunks,
            shards,
            data_type,
            dimension_separator,
            compressors,
            zarr_format,
            other_array_kwargs,
            level_origin=level_origin,
        )

    @classmethod
    def from_shapes(
        cls,
        shapes: Sequence[Sequence[int]],
        base_scale: Sequence[float] | Sequence[Sequence[float]],
        axes: Sequence[str],
        base_translation: Sequence[float] | None = None,
        levels_paths: Sequence[str] | None = None,
        chunks: ChunksLike = "auto",
        shards: ShardsLike | None = None,
        data_type: npt.DTypeLike = "uint16",
        dimension_separator: Literal[".", "/"] = "/",
        compressors: Any = "auto",
        zarr_format: Literal[2, 3] = 2,
        other_array_kwargs: Mapping[str, Any] | None = None,
        *,
        level_origin: LevelOrigin = "center",
    ) -> Self:
        """Describe a pyramid by the shapes of its levels; other arguments as in `from_scaling_factors`.

        Args:
            shapes: One shape a level, finest first.
            base_scale: Pixel size of level 0 (that of the others follows from the shapes), or a list of one a level.
            axes: Names of the axes.
            base_translation: World edge of pixel 0 of level 0; zeros by default.
            levels_paths: One path a level; `"0"`, `"1"`, … by default.
            chunks: As in `from_scaling_factors`.
            shards: As in `from_scaling_factors`.
            data_type: Name of a numpy data type.
            dimension_separator: Between the numbers in the names of chunks.
            compressors: As in `zarr.create_array`.
            zarr_format: What the arrays need, 2 or 3, see the field.
            other_array_kwargs: More arguments for `zarr.create_array`.
            level_origin: Which point of a pixel the written translations speak of. `"center"`: they move by half the
                difference in pixel size along space axes, as OME-NGFF 0.6 recommends; `"corner"`: they are constant.

        Raises:
            NgioValueError: If numbers do not fit, or a level is not smaller than the one before.
        """
        all_shapes = [named("shapes", to_positive_ints)(shape) for shape in shapes]
        if not all_shapes:
            raise NgioValueError("shapes must hold at least one shape")
        paths = (
            tuple(map(str, range(len(all_shapes))))
            if levels_paths is None
            else named("levels_paths", to_names)(levels_paths)
        )
        names = named("axes", to_names)(axes)
        for shape in all_shapes:
            _require_lengths(len(names), shapes=shape)
        scales = _all_scales(all_shapes, base_scale)
        if len(scales) != len(all_shapes) or len(paths) != len(all_shapes):
            raise NgioValueError(
                f"{len(all_shapes)} shapes need as many scales and paths, got {len(scales)} scales, {len(paths)} paths"
            )
        base = (
            (0.0,) * len(names) if base_translation is None else named("base_translation", to_floats)(base_translation)
        )
        _require_lengths(len(names), base_translation=base)
        translations = [written_translation(base, scale, scales[0], names, level_origin) for scale in scales]
        levels = tuple(
            PyramidLevel(path, shape, scale, translation, chunks, shards)
            for path, shape, scale, translation in zip(paths, all_shapes, scales, translations, strict=True)
        )
        for finer, coarser in itertools.pairwise(levels):
            _require_another_shape(finer, coarser)
        return cls(levels, names, data_type, dimension_separator, compressors, zarr_format, other_array_kwargs or {})

    def to_zarr(self, group: zarr.Group, *, overwrite: bool = True) -> None:
        """Create the empty arrays in a group, all of them or none.

        In a local directory they take their places at once, and an error leaves the group as it was. A process that is
        killed leaves that, or a journal in the group of which `open_ome_zarr` warns: the next `to_zarr` into the group
        finishes or undoes what was begun. In other stores what stands at the paths is deleted first, and metadata is
        written last.

        Args:
            group: Of zarr format 3, or of 2 if the pyramid needs no more; the arrays get the group's format. One
                process at a time may write to it. Its attributes are left alone.
            overwrite: Replace what stands at the paths; False refuses before anything is touched.

        Raises:
            NgioFileExistsError: If something is in the way and `overwrite` is False.
            NgioValueError: If the group has zarr format 2 and the pyramid needs 3, or cannot be written to, zarr
                refuses an argument, or a path leads through an array.
            NgioTypeError: If `group` is not a zarr group.
        """
        if not isinstance(group, zarr.Group):
            raise NgioTypeError(f"to_zarr writes into a zarr.Group, got {type(group).__name__}")
        zarr_format = group.metadata.zarr_format
        if zarr_format < self.zarr_format:
            raise NgioValueError(
                f"the group has zarr format {zarr_format}, and the pyramid zarr_format={self.zarr_format}: "
                "give it a group of format 3"
            )
        arrays = {level.path: self._array_arguments(level, zarr_format) for level in self.levels}
        create_in(group, list(arrays), drafted(zarr_format, arrays), overwrite=overwrite)

    def _array_arguments(self, level: PyramidLevel, zarr_format: Literal[2, 3]) -> dict[str, Any]:
        """Return the arguments with which zarr creates the array of a level in a group of some format."""
        chunks, shards = self._layout(level, zarr_format)
        own: dict[str, Any] = {
            "shape": level.shape,
            "chunks": chunks,
            "shards": shards,
            "dtype": self.data_type,
            "compressors": thaw_codecs(self.compressors),
            "chunk_key_encoding": {
                "name": "v2" if zarr_format == 2 else "default",
                "separator": self.dimension_separator,
            },
        }
        names = {"dimension_names": self.axes} if zarr_format == 3 else {}
        codecs = {key: thaw_codecs(item) for key, item in self.other_array_kwargs.items() if key in _CODECS}
        return {**own, **names, **thaw(self.other_array_kwargs), **codecs}

    def _layout(
        self, level: PyramidLevel, zarr_format: Literal[2, 3]
    ) -> tuple[tuple[int, ...], tuple[int, ...] | None]:
        """Return the chunks and shards of a level in numbers."""
        chunks = auto_chunks(self.axes, level.shape) if level.chunks == "auto" else level.chunks
        if level.shards != "auto":
            return chunks, level.shards
        if zarr_format == 2:
            return chunks, None
        return chunks, auto_shards(self.axes, level.shape, chunks, max(1, np.dtype(self.data_type).itemsize))


def _require_separate(paths: Sequence[str]) -> None:
    """Raise if a path is there twice, or lies inside another: arrays hold no arrays."""
    for path, other in itertools.permutations(paths, 2):
        if path == other:
            raise NgioValueError(f"levels must have unique paths, got {list(paths)}")
        if other.startswith(f"{path}/"):
            raise NgioValueError(f"level '{other}' lies inside level '{path}', and arrays hold no arrays: rename one")


def _require_lengths(ndim: int, **values: tuple[float, ...]) -> None:
    for label, numbers in values.items():
        if len(numbers) != ndim:
            raise NgioValueError(f"{label} must have one number for each of the {ndim} axes, got {numbers}")


def _all_scales(shapes: list[tuple[int, ...]], base_scale: Any) -> list[tuple[float, ...]]:
    """Return one scale a level: given ones, or those that follow from the shapes."""
    if isinstance(base_scale, (list, tuple)) and base_scale and isinstance(base_scale[0], Iterable):
        scales = [named("base_scale", to_positive_floats)(scale) for scale in base_scale]
        for scale in scales:
            _require_lengths(len(shapes[0]), base_scale=scale)
        return scales
    scale = named("base_scale", to_positive_floats)(base_scale)
    _require_lengths(len(shapes[0]), base_scale=scale)
    return _scales_of(shapes, scale)


def _scales_of(shapes: list[tuple[int, ...]], base: tuple[float, ...]) -> list[tuple[float, ...]]:
    """Return the scales with which all levels cover the extent of level 0."""
    return [tuple(s * (n / m) for s, n, m in zip(base, shapes[0], shape, strict=True)) for shape in shapes]


def _require_no_larger(finer: PyramidLevel, coarser: PyramidLevel, axes: tuple[str, ...]) -> None:
    for axis, n, m in zip(axes, finer.shape, coarser.shape, strict=True):
        if m > n:
            raise NgioValueError(
                f"levels must go from fine to coarse: along axis '{axis}', level '{coarser.path}' has {m} pixels after "
                f"{n} in level '{finer.path}'"
            )


def _require_another_shape(finer: PyramidLevel, coarser: PyramidLevel) -> None:
    """Refuse to make a level of the same pixels; cut out of a pyramid, levels may have one shape, such as one pixel."""
    if finer.shape == coarser.shape:
        raise NgioValueError(
            f"level '{coarser.path}' has the shape {coarser.shape} of level '{finer.path}' before it: "
            "ask for fewer levels or larger factors"
        )
