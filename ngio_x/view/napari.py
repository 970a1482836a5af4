"""Images, labels and regions as layers of napari, which is not needed for it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import xarray as xr

from ngio_x._frozen import shown
from ngio_x.arrays.channels import active_channels, known_channels, names_of
from ngio_x.arrays.coordinates import napari_layer, napari_shapes
from ngio_x.arrays.lazy import streamed
from ngio_x.arrays.roles import is_labels
from ngio_x.arrays.tree import IMAGE, array_of, images_of, pyramid_of, require_tree
from ngio_x.errors import NgioTypeError
from ngio_x.roi.roi import Roi

LayerData: TypeAlias = tuple[Any, dict[str, Any], str]
"""Data, arguments and kind of a layer, as plug-ins of napari return them."""


def to_napari_layers(
    tree: xr.DataTree, *, rois: Iterable[Roi] | Mapping[str, Iterable[Roi]] | None = None
) -> list[LayerData]:
    """Return an image, its labels and regions as layers of napari, lying over each other in the world of ngio_x.

    Each is `(data, arguments, kind)`: what `napari.layers.Layer.create(*…)` and `viewer._add_layer_from_data(*…)` take,
    and a reader of a plug-in returns. No pixel is read.

    - Every channel is an `"image"` layer that adds to the others, with its colour and grey levels where they are known;
      those that `composite` leaves out are hidden.
    - Every label image is a `"labels"` layer.
    - Regions are `"shapes"` layers: see `napari_shapes`; they lie in the plane of y and x.

    Data with several levels are lists of arrays, finest first (`multiscale=True`): dask arrays, unless pixels are in
    memory already.

    Args:
        tree: One image with its labels, or labels alone.
        rois: Regions, or several lists of them by the name of their layer, such as the tables of `read_rois`; in world
            units, or in pixels of level 0.

    Raises:
        NgioTypeError: If `tree` is not a DataTree, or something else than a region is among `rois`.
        NgioKeyError: If a region lacks y or x.
        NgioValueError: If the tree holds several images or none, is not evenly spaced, or a region is unbounded.
    """
    require_tree(tree)
    images = images_of(tree)
    if len(images) != 1:
        pyramid_of(tree)  # says why it is refused
    layers, base, title = list[LayerData](), None, tree.name or tree.attrs.get("name")
    for name, nodes in next(iter(images.values())).items():
        levels = _falling([array_of(node) for node in nodes.values()])
        base = levels[0] if base is None else base
        if name == IMAGE and not is_labels(levels[0]):
            layers += [_channel(levels, at, title) for at in range(_count(levels[0]))]
        else:
            layers.append(_layer(levels, {"name": name or title or "labels"}, "labels"))
    if rois is not None:
        tables = rois if isinstance(rois, Mapping) else {"regions": rois}
        layers += [_shapes(name, regions, base) for name, regions in tables.items()]
    return layers


def _count(image: xr.DataArray) -> int:
    return int(image.sizes.get("c", 1))


def _falling(levels: list[xr.DataArray]) -> list[xr.DataArray]:
    """Return the levels, each smaller than the one before: napari refuses others."""
    kept = levels[:1]
    kept += [level for finer, level in itertools.pairwise(levels) if level.size < finer.size]
    return kept


def _channel(levels: list[xr.DataArray], at: int, title: str | None) -> LayerData:
    """Return a channel of an image; what is not known of it is left to napari."""
    image = levels[0]
    names, channel, is_shown = names_of(image), known_channels(image)[at], at in active_channels(image)
    options: dict[str, Any] = {"name": names[at] if names else title or "image"}
    options |= {} if is_shown else {"visible": False}
    if "c" in image.dims:
        levels = [level.isel(c=at) for level in levels]
        options["blending"] = "additive"
    if channel.color is not None:
        options |= {"colormap": f"#{channel.color.lower()}", "visible": is_shown}
    if channel.display is not None and channel.display[0] < channel.display[1]:
        options["contrast_limits"] = [*channel.display]
    return _layer(levels, options, "image")


def _layer(levels: list[xr.DataArray], options: dict[str, Any], kind: str) -> LayerData:
    data = [streamed(level) for level in levels]
    is_multiscale = len(data) > 1
    placed = {**options, **napari_layer(levels[0]), "multiscale": is_multiscale}
    return (data if is_multiscale else data[0]), placed, kind


def _shapes(name: Any, rois: Any, image: xr.DataArray | None) -> LayerData:
    if not isinstance(name, str):
        raise NgioTypeError(f"rois must be regions, or lists of regions by name, got the name {shown(name)}")
    data, options, kind = napari_shapes(rois, image)  # type: ignore[arg-type]  # a tree with no array was refused
    return data, {**options, "name": name, "face_color": "transparent", "edge_color": "yellow"}, kind
