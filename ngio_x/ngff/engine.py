"""The xarray engine `"ome-zarr"`: `xr.open_datatree`, `xr.open_dataset` and `xr.open_dataarray` of OME-Zarr images."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

import xarray as xr
from xarray.backends import BackendEntrypoint

from ngio_x._frozen import at_least, named, to_int
from ngio_x.errors import NgioKeyError, NgioValueError
from ngio_x.metadata.frame import Frame
from ngio_x.metadata.pixel_size import SpacingLike
from ngio_x.metadata.resolution import choose_level
from ngio_x.ngff.hierarchy import Picture, group_in
from ngio_x.ngff.pixels import lazy_pixels
from ngio_x.ngff.read import hierarchy_at, level_dataset, tree_of
from ngio_x.ngff.store import open_group

_MOST_BYTES = 2**24
"""Larger metadata files are not read to guess what they are."""


_WORDS = ("multiscales", "plate", "well", "bioformats2raw.layout")
"""One of these is said of every group that is opened, or refused with advice."""


class OmeZarrBackend(BackendEntrypoint):
    """Opens OME-Zarr images, wells and plates; no pixel is read, and none is kept that xarray does not keep.

    `open_datatree` gives the tree of `open_ome_zarr`, and `open_dataset` and `open_dataarray` one level of an image:
    `level=` counts from the finest, which is the default; `pixel_size=` takes the coarsest level whose pixels are no
    larger, as `level_for` does; `labels=` takes a label image in place of the image. `group=` is the path of a node of
    that tree, such as `"1"`, `"labels/nuclei/0"` or `"B/03/0"`; levels may also be called as they are on disk.
    """

    description: ClassVar[str] = "OME-Zarr images, label images, wells and plates (ngio_x)"
    url: ClassVar[str] = "https://ngff.openmicroscopy.org"
    open_dataset_parameters: ClassVar[tuple[str, ...]] = (
        "filename_or_obj",
        "drop_variables",
        "group",
        "level",
        "pixel_size",
        "labels",
        "frame",
        "storage_options",
    )
    supports_groups: ClassVar[bool] = True

    def open_dataset(
        self,
        filename_or_obj: Any,
        *,
        drop_variables: str | Iterable[str] | None = None,
        group: str | None = None,
        level: int | None = None,
        pixel_size: SpacingLike | None = None,
        labels: str | None = None,
        frame: Frame | None = None,
        storage_options: Mapping[str, Any] | None = None,
    ) -> xr.Dataset:
        """Open one level of an image.

        Raises:
            NgioValueError: If there is no such level, or there are several images.
            NgioKeyError: If there is no such group.
            NgioValidationError: As `open_ome_zarr`.
        """
        above, inside = group_in(open_group(filename_or_obj, storage_options=storage_options), group)
        pictures = hierarchy_at(above, frame).pictures
        if inside:
            picture, found = _inside(pictures, inside)
            if labels is not None or (found is not None and (level, pixel_size) != (None, None)):
                raise NgioValueError(
                    f"group={group!r} says already what to open: leave labels, level and pixel_size out"
                )
        else:
            picture, found = _picture(pictures, labels), None
        index = _level(picture, level, pixel_size) if found is None else found
        dataset = level_dataset(picture, index, lambda array, _: lazy_pixels(array))
        return dataset.drop_vars(_names(drop_variables), errors="ignore")

    def open_datatree(
        self,
        filename_or_obj: Any,
        *,
        drop_variables: str | Iterable[str] | None = None,
        group: str | None = None,
        frame: Frame | None = None,
        images: str = "*",
        storage_options: Mapping[str, Any] | None = None,
    ) -> xr.DataTree:
        """Open an image, a well or a plate, or a node of one by its path; errors as for `open_ome_zarr`."""
        above, inside = group_in(open_group(filename_or_obj, storage_options=storage_options), group)
        hierarchy = hierarchy_at(above, frame, images)
        tree = tree_of(hierarchy, lambda array, _: lazy_pixels(array))
        if inside:
            tree = _node(tree, hierarchy.pictures, inside)
        dropped = _names(drop_variables)
        return tree.map_over_datasets(lambda node: node.drop_vars(dropped, errors="ignore")) if dropped else tree

    def open_groups_as_dict(self, filename_or_obj: Any, **options: Any) -> dict[str, xr.Dataset]:
        """Open all nodes of a tree as datasets by path."""
        tree = self.open_datatree(filename_or_obj, **options)
        return {node.path: node.to_dataset() for node in tree.subtree}

    def guess_can_open(self, filename_or_obj: Any) -> bool:
        """Return whether a local directory holds an OME-Zarr image, well or plate: at most two small files are read."""
        if not isinstance(filename_or_obj, (str, os.PathLike)) or "://" in str(filename_or_obj):
            return False
        with suppress(RuntimeError):  # there is no such home
            filename_or_obj = Path(filename_or_obj).expanduser()
        directory = Path(filename_or_obj)
        return any(_speaks_of_images(directory / name) for name in ("zarr.json", ".zattrs"))


def _speaks_of_images(file: Path) -> bool:
    try:
        if not file.is_file() or file.stat().st_size > _MOST_BYTES:
            return False
        document = json.loads(file.read_bytes())
        attributes = document.get("attributes", {}) if file.name == "zarr.json" else document
        described = attributes.get("ome", attributes)
        return isinstance(described, dict) and not described.keys().isdisjoint(_WORDS)
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return False


def _names(names: str | Iterable[str] | None) -> list[str]:
    return [names] if isinstance(names, str) else list(names or ())


def _node(tree: xr.DataTree, pictures: Sequence[Picture], path: str) -> xr.DataTree:
    """Return a node of an image as a tree of its own."""
    if path not in tree:
        picture, level = _inside(pictures, path)
        path = "/".join(filter(None, (picture.node, "" if level is None else str(level))))
    node: xr.DataTree = tree[path]  # type: ignore[assignment]  # arrays lie deeper
    return xr.DataTree(node.to_dataset(), {name: child.copy() for name, child in node.children.items()})


def _inside(pictures: Sequence[Picture], path: str) -> tuple[Picture, int | None]:
    """Return the image or the labels that a path inside an image means, and which of their levels, if it is one.

    Levels are called by their number, finest first, as in trees, or else as they are on disk.

    Raises:
        NgioKeyError: If there is no such level.
    """
    found: dict[str, tuple[Picture, int | None]] = {}
    for picture in pictures:
        before = f"{picture.node}/".lstrip("/")
        found |= {before + level.path: (picture, at) for at, level in enumerate(picture.image.datasets)}
    for picture in pictures:
        before = f"{picture.node}/".lstrip("/")
        found |= {f"{before}{at}": (picture, at) for at in range(len(picture.arrays))}
        found[picture.node] = picture, None
    if path not in found:
        raise NgioKeyError(f"group must be one of {', '.join(sorted(filter(None, found)))} of the image, got {path!r}")
    return found[path]


def _picture(pictures: list[Picture], labels: str | None) -> Picture:
    images = [picture.node for picture in pictures if picture.labels is None]
    if images != [""]:
        raise NgioValueError(
            f"there are {len(images)} images, such as {images[:3]}: open one by its path, or all with open_datatree"
        )
    wanted = "" if labels is None else f"labels/{labels}"
    found = {picture.node: picture for picture in pictures}
    if wanted not in found:
        raise NgioValueError(
            f"there are no labels {labels!r}, but {[node.removeprefix('labels/') for node in found][1:]}"
        )
    return found[wanted]


def _level(picture: Picture, level: int | None, pixel_size: SpacingLike | None) -> int:
    if pixel_size is None:
        index = named("level", at_least(0, to_int))(0 if level is None else level)
        if index >= len(picture.arrays):
            raise NgioValueError(f"level={index} is not there: the image has {len(picture.arrays)}")
        return int(index)
    if level is not None:
        raise NgioValueError("give level= or pixel_size=, not both")
    axes = picture.image.axes_handler.axes
    return choose_level(
        [
            {axis.name: size for axis, size in zip(axes, dataset.scale, strict=True)}
            for dataset in picture.image.datasets
        ],
        [array.shape for array in picture.arrays],
        pixel_size=pixel_size,
        units={axis.name: axis.unit for axis in axes},
    )
