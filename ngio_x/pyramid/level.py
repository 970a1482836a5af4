"""One resolution level, as it is to be created on disk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PureWindowsPath
from typing import Final, Literal, TypeAlias

from ngio_x._frozen import field, frozen, to_floats, to_name, to_positive_floats, to_positive_ints
from ngio_x._html import facts, number_text, times, titled
from ngio_x.errors import NgioValueError

ChunksLike: TypeAlias = Sequence[int] | Literal["auto"]
"""Chunk shape, or a sensible one when the array is created."""
ShardsLike: TypeAlias = Sequence[int] | Literal["auto"]
"""Shard shape, or a sensible one when the array is created."""

Sizes: TypeAlias = tuple[int, ...] | Literal["auto"]
"""What is kept of either."""

_RESERVED: Final = frozenset(("zarr.json", ".zarray", ".zgroup", ".zattrs", ".zmetadata"))


def _to_path(value: str) -> str:
    path = to_name(value)
    parts = [part for part in path.split("/") if part]
    # A segment of nothing but dots is no name in zarr; drives and backslashes lead out of the group on Windows.
    if not parts or "\\" in path or PureWindowsPath(path).anchor or any(not part.strip(".") for part in parts):
        raise NgioValueError(f"must be a relative path inside the image group, got {path!r}")
    if taken := [part for part in parts if part in _RESERVED or part.startswith(".ngio_x-") or "\0" in part]:
        raise NgioValueError(f"must not use the name {taken[0]!r}, which files of another kind have, got {path!r}")
    return "/".join(parts)


def _to_shape(value: ChunksLike) -> Sizes:
    return value if isinstance(value, str) and value == "auto" else to_positive_ints(value)


def _to_optional_shape(value: ShardsLike | None) -> Sizes | None:
    return None if value is None else _to_shape(value)


@frozen
class PyramidLevel:
    """Path, shape, scale and translation of a level, and how its array is cut into chunks and shards.

    Chunks are clipped to the shape. Shards larger than the shape shrink to the largest multiple of the chunks within
    it, at least one chunk; shards that are no multiple of the chunks, or come without explicit chunks, are refused.
    """

    path: str = field(converter=_to_path)
    """Where the array stands inside the image group; it may not leave it."""
    shape: tuple[int, ...] = field(converter=to_positive_ints)
    scale: tuple[float, ...] = field(converter=to_positive_floats)
    """Pixel size along each axis."""
    translation: tuple[float, ...] = field(converter=to_floats)
    """World coordinate along each axis, as it is written."""
    chunks: Sizes = field(converter=_to_shape, default="auto")
    shards: Sizes | None = field(converter=_to_optional_shape, default=None)

    def __attrs_post_init__(self) -> None:
        for label in ("scale", "translation", "chunks", "shards"):
            value = getattr(self, label)
            if isinstance(value, tuple) and len(value) != len(self.shape):
                raise NgioValueError(
                    f"level '{self.path}': {label} must have one number for each axis of shape {self.shape}, "
                    f"got {value}"
                )
        if isinstance(self.chunks, tuple):
            clipped = tuple(map(min, self.chunks, self.shape))
            object.__setattr__(self, "shards", self._fitted_shards(self.chunks, clipped))
            object.__setattr__(self, "chunks", clipped)
        elif isinstance(self.shards, tuple):
            raise NgioValueError(f"level '{self.path}': shards={self.shards} need explicit chunks")

    def _repr_html_(self) -> str:
        sizes = [
            (key, value if isinstance(value, str) else value and times(value))
            for key, value in (("chunks", self.chunks), ("shards", self.shards))
        ]
        numbers = [(key, ", ".join(map(number_text, getattr(self, key)))) for key in ("scale", "translation")]
        return titled(f"PyramidLevel {self.path}", facts([("shape", times(self.shape)), *numbers, *sizes]))

    def _fitted_shards(self, chunks: tuple[int, ...], clipped: tuple[int, ...]) -> Sizes | None:
        if not isinstance(self.shards, tuple):
            return self.shards
        fitted: list[int] = []
        for axis, (shard, given, chunk, size) in enumerate(zip(self.shards, chunks, clipped, self.shape, strict=True)):
            if shard % given:
                raise NgioValueError(
                    f"level '{self.path}': shards must be a multiple of the chunks, got a shard of {shard} and chunks "
                    f"of {given} along axis {axis}"
                )
            fitted.append(shard if shard <= size else max(chunk, size // chunk * chunk))
        return tuple(fitted)
