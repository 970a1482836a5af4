"""What ngio_x and its peers are measured at; peers are imported when they are used, for none of them is needed."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import zarr
from scipy import ndimage

from ngio_x import __version__
from ngio_x.arrays.image import as_image
from ngio_x.cli.measuring import OURS, Work
from ngio_x.labels.extents import label_extents
from ngio_x.labels.masking_roi import compute_masking_roi
from ngio_x.metadata.pixel_size import PixelSize
from ngio_x.ngff.attributes import Version
from ngio_x.ngff.write import write_ome_zarr
from ngio_x.pyramid.builder import ImagePyramidBuilder
from ngio_x.pyramid.consolidate import consolidate_pyramid
from ngio_x.resample.zoom import numpy_zoom
from ngio_x.testing.samples import noise, photons

PEERS: Final = {"scipy": "scipy", "ngio": "'ngio>=1.1,<2'", "ome-zarr": "'ome-zarr>=0.11'"}
"""Packages that are measured beside ngio_x, and what pip is asked for."""
_MODULES: Final = {"scipy": "scipy", "ngio": "ngio", "ome-zarr": "ome_zarr"}
_CHUNK: Final = 1024

Runs = dict[str, Callable[[], Any]]


def installed() -> tuple[dict[str, str], list[str]]:
    """Return the version of each package that is installed, ngio_x first, and the names of those that are not."""
    there, missing = {OURS: __version__}, []
    for name, module in _MODULES.items():
        try:
            if find_spec(module) is None:
                raise PackageNotFoundError  # noqa: TRY301 — metadata may be left behind
            there[name] = version(name)
        except PackageNotFoundError:
            missing.append(name)
    return there, missing


def works(directory: Path, there: Mapping[str, str], *, quick: bool) -> list[Work]:
    """Return what is measured.

    Args:
        directory: To write files to.
        there: The peers that are installed.
        quick: Take images of a sixty-fourth of the pixels.
    """
    small = 8 if quick else 1
    plane, large = 4096 // small, 8192 // small
    stack = (max(8, 64 // small), 1024 // small, 1024 // small)
    chosen = partial(_chosen, there)
    todo = [
        Work(f"numpy_zoom ×½ linear, {plane}² uint16", partial(chosen, _zooms, (plane, plane), plane // 2)),
        Work(
            f"numpy_zoom {plane}²→{round(plane * 0.73)}² linear, uint16",
            partial(chosen, _zooms, (plane, plane), round(plane * 0.73)),
        ),
        Work(f"numpy_zoom ×½ linear, {'×'.join(map(str, stack))} uint16", partial(chosen, _stack_zooms, stack)),
    ]
    for zarr_format in (2, 3):
        title = f"consolidate_pyramid, 4 targets, {large}² uint16, zarr {zarr_format}"
        todo.append(Work(title, partial(chosen, _consolidations, directory, large, zarr_format)))
    for ngff_version in ("0.4", "0.5"):
        title = f"write_ome_zarr, 5 levels, {large}² uint16, OME-NGFF {ngff_version}"
        todo.append(Work(title, partial(chosen, _writings, directory, large, ngff_version)))
    objects = (large // 32) ** 2
    todo.append(Work(f"compute_masking_roi, {large}² uint32, {objects} objects", partial(chosen, _regions, large)))
    todo.append(Work(f"label_extents, {large}² uint32, {objects} objects", partial(chosen, _extents, large)))
    return todo


def _chosen(there: Mapping[str, str], prepare: Callable[..., Runs], *args: Any) -> Runs:
    """Return what those do that are installed, without what peers warn of."""
    runs = prepare(*args)
    return {peer: partial(_silent, run) for peer, run in runs.items() if peer.partition(":")[0] in there}


def _silent(run: Callable[[], Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run()


def _peer(module: str, name: str) -> Any:
    return getattr(import_module(module), name)


# ---- Zooms


def _zooms(shape: tuple[int, int], target: int) -> Runs:
    image, factor = noise(shape, high=60000), target / shape[0]
    return {
        OURS: lambda: numpy_zoom(image, target_shape=(target, target)),
        "scipy": lambda: ndimage.zoom(image, factor, order=1, mode="nearest", grid_mode=True),
        "ngio": lambda: _peer("ngio.common", "numpy_zoom")(image, target_shape=(target, target), order="linear"),
    }


def _stack_zooms(shape: tuple[int, int, int]) -> Runs:
    image = noise(shape, high=60000)
    return {
        OURS: lambda: numpy_zoom(image, (0.5, 0.5, 0.5)),
        "scipy": lambda: ndimage.zoom(image, 0.5, order=1, mode="nearest", grid_mode=True),
    }


# ---- Pyramids


def tiled_noise(size: int) -> npt.NDArray[np.uint16]:
    """Return a square of one tile again and again: noise of that size would take longer than writing it."""
    return np.tile(photons((size // 8, size // 8)), (8, 8))


def _consolidations(directory: Path, size: int, zarr_format: Any) -> Runs:
    chunk = min(_CHUNK, size // 8)
    builder = ImagePyramidBuilder.from_scaling_factors(
        [str(level) for level in range(5)], (2, 2), (size, size), (1.0, 1.0), ("y", "x"), chunks=(chunk, chunk),
        zarr_format=zarr_format,
    )  # fmt: skip
    group = zarr.open_group(directory / f"pyramid{zarr_format}", mode="w", zarr_format=zarr_format)
    builder.to_zarr(group)
    source, *targets = (group[level.path] for level in builder.levels)
    source[...] = tiled_noise(size)  # type: ignore[index]

    def with_ngio(mode: str) -> None:
        _peer("ngio.common", "consolidate_pyramid")(source, list(targets), mode=mode)

    return {
        OURS: lambda: consolidate_pyramid(source, targets),  # type: ignore[arg-type]
        "ngio: dask": lambda: with_ngio("dask"),
        "ngio: coarsen": lambda: with_ngio("coarsen"),
    }


def _writings(directory: Path, size: int, ngff_version: Version) -> Runs:
    pixels, chunk = tiled_noise(size), min(_CHUNK, size // 8)
    path = str(directory / f"image{ngff_version}.zarr")
    return {
        OURS: lambda: write_with_ngio_x(path, pixels, ngff_version, chunk),
        "ngio: auto": lambda: write_with_ngio(path, pixels, ngff_version, chunk, mode="auto"),
        "ngio: dask": lambda: write_with_ngio(path, pixels, ngff_version, chunk, mode="dask"),
        "ome-zarr": lambda: write_with_ome_zarr_py(path, pixels, ngff_version, chunk),
    }


def write_with_ngio_x(path: str, pixels: npt.NDArray[Any], ngff_version: Version, chunk: int = _CHUNK) -> None:
    """Write an image of five levels."""
    chunks = {"y": chunk, "x": chunk}
    write_ome_zarr(
        as_image(pixels, ("y", "x"), 0.5), path, version=ngff_version, levels=5, chunks=chunks, overwrite=True
    )


def write_with_ngio(
    path: str, pixels: npt.NDArray[Any], ngff_version: str, chunk: int = _CHUNK, *, mode: str = "auto"
) -> None:
    """Write the same with ngio."""
    _peer("ngio", "create_ome_zarr_from_array")(
        path, pixels, pixelsize=0.5, axes_names=["y", "x"], levels=5, chunks=(chunk, chunk), ngff_version=ngff_version,
        overwrite=True, consolidation_mode=mode,
    )  # fmt: skip


def write_with_ome_zarr_py(path: str, pixels: npt.NDArray[Any], ngff_version: str, chunk: int = _CHUNK) -> None:
    """Write the same with ome-zarr-py, and with the codec of the others, which for zarr 2 is not its default."""
    shutil.rmtree(path, ignore_errors=True)
    blosc = _peer("numcodecs", "Blosc")
    codec = {"compressors": [blosc("lz4", clevel=5, shuffle=1)]} if ngff_version == "0.4" else {}
    _peer("ome_zarr.writer", "write_image")(
        pixels, path, axes="yx", scale_factors=[2, 4, 8, 16],
        fmt=_peer("ome_zarr.format", "format_from_version")(ngff_version),
        storage_options={"chunks": (chunk, chunk), **codec},
    )  # fmt: skip


# ---- Objects


def discs(size: int) -> npt.NDArray[np.uint32]:
    """Return a label image of discs of 28 pixels, one in each square of 32."""
    y, x = np.mgrid[:32, :32] - 15.5
    disc = (y**2 + x**2 < 14**2).astype(np.uint32)
    count = size // 32
    return np.kron(np.arange(1, count**2 + 1, dtype=np.uint32).reshape(count, count), disc)


def _with_ngio(labels: npt.NDArray[np.uint32]) -> Callable[[], Any]:
    def run() -> None:
        size = _peer("ngio", "PixelSize")(x=0.5, y=0.5, z=1)
        _peer("ngio.common", "compute_masking_roi")(labels, size, ("y", "x"))

    return run


def _regions(size: int) -> Runs:
    labels, pixel = discs(size), PixelSize(x=0.5, y=0.5)
    return {OURS: lambda: compute_masking_roi(labels, pixel, "yx"), "ngio": _with_ngio(labels)}


def _extents(size: int) -> Runs:
    labels = discs(size)
    return {
        OURS: lambda: label_extents(labels, axes_order="yx"),
        "scipy": lambda: ndimage.find_objects(labels),
        "ngio": _with_ngio(labels),
    }
