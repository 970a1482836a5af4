"""Where a tree holds its images: at its root, or deeper down as in wells and plates, each with its label images.

A level is a node that holds arrays, and the levels of one pyramid stand beside each other, finest first: those of an
image below its own node, those of its label images below `labels/<name>` there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any, Final, TypeAlias

import xarray as xr

from ngio_x.errors import NgioTypeError, NgioValueError

IMAGE: Final = ""
"""Stands for the image itself where label images are called by name."""

Levels: TypeAlias = dict[str, xr.DataTree]
"""The levels of one pyramid by path in the tree, finest first."""


def require_tree(value: Any) -> None:
    """Refuse anything but a DataTree.

    Raises:
        NgioTypeError: If `value` is none.
    """
    if not isinstance(value, xr.DataTree):
        raise NgioTypeError(f"tree must be a DataTree, got {type(value).__name__}: open one with open_ome_zarr")


def images_of(tree: xr.DataTree) -> dict[str, dict[str, Levels]]:
    """Return the pyramids of every image, the image's own first and then its labels by name.

    Images are called by their place in the whole tree, so that labels without their image are known as labels.
    """
    images: dict[str, dict[str, Levels]] = {}
    for path, node in tree.subtree_with_keys:
        if node.data_vars:
            image, labels = home_of(node.path)
            images.setdefault(image, {}).setdefault(labels, {})[path] = node
    return images


def home_of(path: str) -> tuple[str, str]:
    """Return the image that a level belongs to, and the name of the label image, or `IMAGE`.

    >>> home_of("/B/03/0/1"), home_of("/B/03/0/labels/nuclei/1")
    (('/B/03/0', ''), ('/B/03/0', 'nuclei'))
    """
    pyramid = PurePosixPath(path).parent
    if pyramid.parent.name == "labels":
        return str(pyramid.parent.parent), pyramid.name
    return str(pyramid), IMAGE


def pyramid_of(tree: xr.DataTree) -> Levels:
    """Return the levels of the one image that a tree holds, or of the one label image.

    Raises:
        NgioValueError: If it holds none, or several.
    """
    images = images_of(tree)
    if not images:
        raise NgioValueError(
            "the tree holds neither image nor label image: open one with open_ome_zarr, or put one at '/0/image'"
        )
    pyramids = next(iter(images.values()))
    if len(images) > 1:
        found, what = [next(iter(pyramids.values())) for pyramids in images.values()], "images"
    elif IMAGE in pyramids:
        return pyramids[IMAGE]
    else:
        found, what = list(pyramids.values()), "label images"
    if len(found) > 1:
        first = PurePosixPath(next(iter(found[0]))).parent
        raise NgioValueError(f"the tree holds {len(found)} {what}: pick one of them, such as tree['{first}']")
    return found[0]


def array_of(level: xr.DataTree) -> xr.DataArray:
    """Return the array of a level: `image`, or what it holds instead."""
    arrays = level.data_vars
    return arrays["image"] if "image" in arrays else next(iter(arrays.values()))


def with_levels(tree: xr.DataTree, levels: Mapping[str, xr.Dataset]) -> xr.DataTree:
    """Return the tree with these levels by path; others are left out, and nodes above that are left without any.

    Coordinates that nodes above share with their levels are expected in the levels: there they can differ.
    """
    before = _above(path for path, node in tree.subtree_with_keys if node.data_vars)
    after = {".", *_above(levels)}
    nodes: dict[str, xr.Dataset] = {}
    for path, node in tree.subtree_with_keys:
        if path in levels:
            nodes[path] = levels[path]
        elif not node.data_vars and (path in after or path not in before):
            dataset = node.to_dataset(inherit=False)
            shared = [name for name, coordinate in dataset.coords.items() if coordinate.ndim] if path in after else []
            nodes[path] = dataset.drop_vars(shared)
    return xr.DataTree.from_dict(nodes, name=tree.name)


def _above(paths: Iterable[str]) -> set[str]:
    return {str(parent) for path in paths for parent in PurePosixPath(path).parents}
