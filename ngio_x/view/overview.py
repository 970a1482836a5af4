"""Images and trees as tables: what `tree.ngio` shows in a notebook, and `ngio-x info --html` on a page."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import xarray as xr

from ngio_x._html import Html, bytes_text, element, joined, number_text, page, swatch, table, times, titled
from ngio_x.arrays.channels import known_channels, names_of
from ngio_x.arrays.dimensions import dimensions_of
from ngio_x.arrays.lazy import stored_sizes
from ngio_x.arrays.tree import Levels, array_of, images_of
from ngio_x.errors import NgioError, NgioFileExistsError
from ngio_x.metadata.channels import KnownChannel
from ngio_x.metadata.units import symbol_of

_IMAGES = 20
"""Images of a well or plate in one table; of the others, the number."""


def image_html(image: xr.DataArray) -> Html:
    """Return the axes and the channels of an image as tables; no pixel is read."""
    title = f"{image.name or 'image'}: {image.dtype}, {bytes_text(image.nbytes)}"
    if stored := _on_disk(image):
        title += f", chunks on disk {stored}"
    return titled(title, _axes(image), *_channels(image))


def tree_html(tree: xr.DataTree) -> Html:
    """Return the images of a tree as tables of their levels, with their label images and channels; no pixel is read."""
    images = images_of(tree)
    parts = [_pyramids(where, pyramids) for where, pyramids in list(images.items())[:_IMAGES]]
    if len(images) > _IMAGES:
        parts.append(element("p", f"{len(images) - _IMAGES} more images"))
    facts = [str(tree.name or tree.attrs.get("name") or "image")]
    if "version" in tree.attrs:
        facts.append(f"OME-NGFF {tree.attrs['version']}")
    if len(images) != 1:
        facts.append(f"{len(images)} images" if images else "no image")
    return titled(", ".join(facts), *parts)


def write_page(tree: xr.DataTree, title: str, path: Path) -> None:
    """Write a page that shows the images of a tree, and stands alone.

    Raises:
        NgioFileExistsError: If there is something at the path.
    """
    text = page(title, element("h1", title), tree_html(tree))
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise NgioFileExistsError(f"{path} exists: delete it first, or choose another name") from None


def _pyramids(where: str, pyramids: dict[str, Levels]) -> Html:
    """Return the levels of an image and of its label images, and the channels and axes of level 0."""
    first = array_of(next(iter(next(iter(pyramids.values())).values())))
    header = ("level", "shape", "dask blocks", "chunks on disk", "dtype", "bytes", "pixel size")
    rows = [_level(path, array_of(node)) for levels in pyramids.values() for path, node in levels.items()]
    place = [] if where == "/" else [element("p", where)]
    return joined([*place, table(header, rows), _axes(first), *_channels(first)])


def _level(path: str, image: xr.DataArray) -> list[object]:
    shape = f"{''.join(map(str, image.dims))} {times(image.shape)}"
    blocks = "" if image.chunks is None else times(image.data.chunksize)
    row = [path, shape, blocks, _on_disk(image), image.dtype, bytes_text(image.nbytes)]
    return [*row, _pixel_size(image)]


def _on_disk(image: xr.DataArray) -> str:
    """Return the chunks on disk, where they are known of every axis."""
    stored = stored_sizes(image)
    return times(stored[str(dim)] for dim in image.dims) if stored.keys() >= {*map(str, image.dims)} else ""


def _pixel_size(image: xr.DataArray) -> str:
    try:
        dimensions = dimensions_of(image)
    except NgioError:  # uneven coordinates, or dates
        return ""
    axes = zip(dimensions.axes_handler.axes, dimensions.dataset.scale, strict=True)
    return ", ".join(
        f"{axis.name} {number_text(size)} {symbol_of(axis.unit)}".rstrip()
        for axis, size in axes
        if axis.axis_type != "channel"
    )


def _axes(image: xr.DataArray) -> Html:
    try:
        return Html(dimensions_of(image)._repr_html_())
    except NgioError as error:
        return element("p", f"no pixel sizes: {error}")


def _channels(image: xr.DataArray) -> Iterable[Html]:
    if names_of(image):
        rows = [(own.label, _swatch(own), _window(own)) for own in known_channels(image)]
        yield table(("channel", "colour", "shown"), rows)


def _swatch(channel: KnownChannel) -> Html | str:
    return "" if channel.color is None else swatch(channel.color)


def _window(channel: KnownChannel) -> str:
    return "" if channel.display is None else " to ".join(map(number_text, channel.display))
