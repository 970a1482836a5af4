"""Fill new groups with what drafts of images say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import zarr

from ngio_x._frozen import evolve
from ngio_x.arrays.lazy import streamed
from ngio_x.metadata.channels import Channel, KnownChannel, suited_channels
from ngio_x.ngff.documents import Multiscales
from ngio_x.ngff.draft import Draft, count_units
from ngio_x.pyramid.build import build_pyramid
from ngio_x.pyramid.keep import keep_on_disk
from ngio_x.pyramid.progress import Progress, shower


class Report:
    """Tells a caller how many write units of several images are done."""

    def __init__(self, progress: Progress, drafts: Sequence[Draft]) -> None:
        self._show, self._done = shower(progress), 0
        self._total = sum(count_units(draft) for draft in drafts)

    def __call__(self, done: int, total: int) -> None:
        """Say that so many units of the present build are done."""
        self._show(self._done + done, self._total)
        if done == total:
            self._done += total


def fill(draft: Draft, group: zarr.Group, report: Progress) -> Multiscales:
    """Write the pixels of a draft into a new group, and return the document that describes them."""
    draft.builder.to_zarr(group)
    arrays: list[zarr.Array[Any]] = [group[level.path] for level in draft.builder.levels]  # type: ignore[misc]
    finest, *others = [streamed(level) for level in draft.pixels]
    build_pyramid(finest, arrays[:1] if others else arrays, draft.kernel, progress=report)
    for level, array in zip(others, arrays[1:], strict=bool(others)):
        build_pyramid(level, [array], draft.kernel, progress=report)
    if draft.image.keeps_objects:
        written = finest if isinstance(finest, np.ndarray) else arrays[0]  # a dask array would be computed again
        keep_on_disk(written, arrays[1:], axes=draft.builder.axes)
    if all(channel.is_complete for channel in draft.channels):
        return evolve(draft.image, channels=described(draft.channels, np.empty((len(draft.channels), 0))))
    at = draft.builder.axes.index("c") if "c" in draft.builder.axes else None
    coarsest = np.asarray(arrays[-1][...])
    pixels = coarsest[np.newaxis] if at is None else np.moveaxis(coarsest, at, 0)
    return evolve(draft.image, channels=described(draft.channels, pixels))


def described(known: Sequence[KnownChannel], pixels: Any) -> tuple[Channel, ...]:
    """Return channels with colours and limits that suit their pixels where nothing is known.

    Args:
        known: What is known of each.
        pixels: Their grey levels, of shape `(channel, …)`.
    """
    suited = suited_channels([channel.label for channel in known], pixels) if known else ()
    return tuple(own.completed(new) for own, new in zip(known, suited, strict=True))
