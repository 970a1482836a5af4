"""Edges and translations: the two ways in which files and ngio_x say where an image begins.

ngio_x thinks of the lower *edge* of an image's first pixel. Files hold *translations*, and differ in what they mean:

- `frame="corner"` (the default): the translation of level 0 is its edge, so that with a translation of 0 a region means
  what it means to ngio. Coarser levels are shifted by half the difference in pixel size (`level_origin="center"`, the
  recommendation of OME-NGFF 0.6 for binning), or not at all (`level_origin="corner"`, as ngio writes them).
- `frame="center"`: every translation is the centre of the level's first pixel, as OME-NGFF 0.6 says literally
  (section "coordinate convention").

Time axes are exempt: a frame's label is its start, so that edge and translation are one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from ngio_x._frozen import named, one_of
from ngio_x.metadata.axes import axis_type_of

Frame = Literal["corner", "center"]
"""Which point of pixel 0 the translation of level 0 speaks of."""
to_frame: Final = named("frame", one_of("corner", "center"))
"""Accept a frame; anything else is refused."""
LevelOrigin = Literal["center", "corner"]
"""Which point of a pixel the translations of coarser levels have in common with level 0."""


def written_translation(
    edge: Sequence[float],
    scale: Sequence[float],
    base_scale: Sequence[float],
    axes: Sequence[str],
    level_origin: LevelOrigin = "center",
    frame: Frame = "corner",
) -> tuple[float, ...]:
    """Return the translation to write for a level, one number an axis.

    Args:
        edge: World coordinate of the lower edge of the level's first pixel.
        scale: Pixel size of the level.
        base_scale: Pixel size of level 0.
        axes: Names of the axes.
        level_origin: See the module; it has no meaning where `frame` is `"center"`.
        frame: See the module.
    """
    _require_known(frame, level_origin)

    def shift(size: float, base: float, axis: str) -> float:
        if axis_type_of(axis) == "time":
            return 0.0
        if frame == "center":
            return size / 2 if axis_type_of(axis) != "channel" else 0.0
        return (size - base) / 2 if level_origin == "center" else 0.0

    return tuple(
        at + shift(size, base, axis) for at, size, base, axis in zip(edge, scale, base_scale, axes, strict=True)
    )


def read_edges(
    translations: Sequence[Sequence[float]],
    scales: Sequence[Sequence[float]],
    axes: Sequence[str],
    level_origin: LevelOrigin | None = None,
    frame: Frame = "corner",
    base_scale: Sequence[float] | None = None,
    base_translation: Sequence[float] | None = None,
) -> list[tuple[float, ...]]:
    """Return the lower edge of the first pixel of every level: the way back from `written_translation`.

    Args:
        translations: One translation a level, one number an axis.
        scales: One pixel size a level.
        axes: Names of the axes.
        level_origin: How coarser levels were shifted. Where nothing says so (None), translations that are equal along
            an axis though the pixel sizes differ are taken as edges, as ngio writes them.
        frame: See the module.
        base_scale: Pixel size of level 0, by default the first of `scales`; a label image has that of its image.
        base_translation: Translation of level 0, likewise.
    """
    _require_known(frame, level_origin or "center")
    base = scales[0] if base_scale is None else base_scale
    base_at = translations[0] if base_translation is None else base_translation
    if level_origin is None:
        columns = (zip(*translations, strict=True), zip(*scales, strict=True), base_at)
        constant = [_is_constant(*numbers) for numbers in zip(*columns, strict=True)]
    else:
        constant = [level_origin == "corner"] * len(axes)
    edges = []
    for translation, scale in zip(translations, scales, strict=True):
        zeros = (0.0,) * len(axes)
        shift = written_translation(zeros, scale, base, axes, "center", frame)
        edges.append(
            tuple(
                at if frame == "corner" and same else at - moved
                for at, same, moved in zip(translation, constant, shift, strict=True)
            )
        )
    return edges


def _is_constant(translations: Sequence[float], scales: Sequence[float], base_translation: float) -> bool:
    """Return whether translations stay where they are; pixels of one size show it only beside those of level 0."""
    beside = () if len(set(scales)) > 1 else (base_translation,)
    return len({*translations, *beside}) == 1


def _require_known(frame: str, level_origin: str) -> None:
    to_frame(frame)
    named("level_origin", one_of("center", "corner"))(level_origin)
