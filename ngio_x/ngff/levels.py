"""What OME-NGFF asks of the arrays of an image: whether they fit what its document says."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import zarr

from ngio_x.ngff.documents import Multiscales
from ngio_x.ngff.problems import Problem, Problems, Section


def level_problems(image: Multiscales, arrays: Sequence[zarr.Array[Any]], *, labels: bool = False) -> Problems:
    """Return why an image cannot be read from the arrays of its levels, finest first; `labels` hold integers."""
    names = image.axes_handler.axes_names
    paths = [dataset.path for dataset in image.datasets]
    for index, (path, array) in enumerate(zip(paths, arrays, strict=True)):
        for message, section in _complaints(array, names, labels=labels):
            yield Problem(_place(index), f"the array '{path}' {message}", section)
    if any(array.ndim != len(names) for array in arrays):
        return
    for index, (finer, coarser) in enumerate(itertools.pairwise(arrays)):
        for name, n, m in zip(names, finer.shape, coarser.shape, strict=True):
            if m > n:
                message = (
                    f"the levels must be listed from fine to coarse: along axis '{name}', '{paths[index + 1]}' has {m} "
                    f"pixels after {n} in '{paths[index]}'"
                )
                yield Problem(_place(index + 1), message, "multiscale-md")


def _complaints(array: zarr.Array[Any], names: tuple[str, ...], *, labels: bool) -> Iterator[tuple[str, Section]]:
    given = _dimension_names(array)
    if array.ndim != len(names):
        yield f"has {array.ndim} dimensions, but its metadata names {names}", "multiscale-md"
    elif given is not None and None not in given and given != names:
        yield f"has dimensions {given}, but its metadata names {names}", "axes-md"
    if 0 in array.shape:
        yield f"has no pixels: its shape is {array.shape}", "multiscale-md"
    if not all(array.chunks):
        yield f"has no pixels in a chunk: its chunks are {array.chunks}", "multiscale-md"
    if labels and array.dtype.kind not in "iu":
        yield f"is of a label image, but holds {array.dtype}, no integers", "labels-md"
    elif array.dtype.kind not in "biufc":
        yield f"holds {array.dtype}, no numbers", "multiscale-md"


def level_formalities(
    image: Multiscales, arrays: Sequence[zarr.Array[Any]], parent: Multiscales | None = None
) -> Problems:
    """Return what else the arrays of an image, or of a label image of `parent`, break, and reading can do without."""
    for index, (dataset, array) in enumerate(zip(image.datasets, arrays, strict=True)):
        given = _dimension_names(array)
        if array.metadata.zarr_format == 3 and (given is None or None in given):
            message = f"the array '{dataset.path}' must have dimension_names, those of the axes, got {given}"
            yield Problem(_place(index), message, "axes-md")
    if parent is not None and len(parent.datasets) != len(image.datasets):
        message = f"must have as many levels as the image, {len(parent.datasets)}, got {len(image.datasets)}"
        yield Problem("$.multiscales[0].datasets", message, "labels-md")


def _dimension_names(array: zarr.Array[Any]) -> tuple[str | None, ...] | None:
    names = getattr(array.metadata, "dimension_names", None)
    return None if names is None else tuple(names)


def _place(index: int) -> str:
    return f"$.multiscales[0].datasets[{index}].path"
