"""Commands that look at what is there: info, validate."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
import xarray as xr
import zarr
from rich.table import Column, Table

from ngio_x.arrays.channels import known_channels
from ngio_x.arrays.dimensions import dimensions_of
from ngio_x.arrays.tree import IMAGE, Levels, array_of, images_of
from ngio_x.cli.options import Image, Json, commands, examples
from ngio_x.cli.terminal import Terminal, reaching
from ngio_x.errors import NgioError
from ngio_x.metadata.channels import KnownChannel
from ngio_x.metadata.dimensions import Dimensions
from ngio_x.ngff.problems import Problem
from ngio_x.ngff.read import open_ome_zarr
from ngio_x.ngff.store import open_group
from ngio_x.ngff.tables.rois import kind_of, list_tables
from ngio_x.ngff.validate import validate_ome_zarr
from ngio_x.serialization.documents import to_dict
from ngio_x.view.overview import write_page

app = commands()


@app.command(epilog=examples("info demo.zarr", "info demo.zarr --json", "info demo.zarr --html demo.html"))
def info(
    image: Image,
    html: Annotated[Path | None, typer.Option(help="Also write a page with this and more, to a new file.")] = None,
    json: Json = False,
) -> None:
    """Show axes, channels, levels, labels and tables of an OME-Zarr image; of wells and plates, those of each image."""
    with reaching(image):
        tree = open_ome_zarr(image, chunks=None)
        facts = _facts(tree, open_group(image), image)
    if html is not None:
        write_page(tree, Path(image).name, html)
    Terminal(json).show(facts, *_shown(facts))


@app.command(epilog=examples("validate demo.zarr", "validate demo.zarr --json"))
def validate(
    hierarchy: Annotated[str, typer.Argument(help="An OME-Zarr image, well or plate: a path or a URL.")],
    json: Json = False,
) -> None:
    """Print all that an OME-Zarr hierarchy breaks of the specification; the exit code is 1 if there are errors.

    An error is what the specification says MUST be otherwise, a warning what it says SHOULD.
    """
    with reaching(hierarchy):
        report = validate_ome_zarr(hierarchy)
    facts = {
        "valid": not report.errors,
        "version": report.version,
        "kind": report.kind,
        "errors": len(report.errors),
        "warnings": len(report.warnings),
        "problems": [{**to_dict(problem), "requirement": _requirement(problem)} for problem in report.problems],
    }
    Terminal(json).show(facts, str(report))
    raise typer.Exit(bool(report.errors))


def _requirement(problem: Problem) -> str | None:
    """Return the word of the specification that a problem breaks; None for what it is silent about."""
    if problem.severity == "warning":
        return "SHOULD"
    return None if problem.section is None else "MUST"


# ---- What is there, as JSON has it


def _facts(tree: xr.DataTree, group: zarr.Group, place: str) -> dict[str, Any]:
    kind = next((kind for kind in ("plate", "well") if kind in tree.attrs), "image")
    facts = {"path": place, "kind": kind, "version": tree.attrs.get("version")}
    images = [_image_facts(tree, group, path.strip("/"), pyramids) for path, pyramids in images_of(tree).items()]
    if kind == "image" and len(images) == 1:
        return facts | {key: value for key, value in images[0].items() if key != "path"}
    return facts | {"images": images}


def _image_facts(tree: xr.DataTree, group: zarr.Group, path: str, pyramids: dict[str, Levels]) -> dict[str, Any]:
    node = tree[path] if path else tree
    levels = next(iter(pyramids.values()))
    finest = array_of(next(iter(levels.values())))
    axes = dimensions_of(finest).axes_handler.axes
    return {
        "path": path,
        "name": node.attrs.get("name"),
        "axes": [{"name": axis.name, "type": axis.axis_type, "unit": axis.unit} for axis in axes],
        "channels": [_channel_facts(channel) for channel in known_channels(finest) if not channel.is_named_only],
        "levels": [_level_facts(level) for level in levels.values()],
        "labels": {
            name: [_level_facts(level) for level in found.values()] for name, found in pyramids.items() if name != IMAGE
        },
        "tables": list(table_facts(group[path] if path else group)),
    }


def _channel_facts(channel: KnownChannel) -> dict[str, Any]:
    return {"label": channel.label, "color": channel.color, "display": channel.display}


def _level_facts(level: xr.DataTree) -> dict[str, Any]:
    array = array_of(level)
    dimensions = dimensions_of(array)
    scale = zip(dimensions.axes, dimensions.dataset.scale, strict=True)
    return {
        "level": level.name,
        "path": level.attrs.get("path"),
        "shape": array.shape,
        "chunks": array.encoding["chunks"],
        "shards": array.encoding["shards"],
        "dtype": str(array.dtype),
        "pixel_size": {axis: size for axis, size in scale if axis != "c"},
    }


def table_facts(group: Any) -> Iterator[dict[str, Any]]:
    """Return name, type and backend of each table of an image; of one that cannot be read, None."""
    for name in list_tables(group):
        try:
            kind, backend = kind_of(group, name)
        except NgioError:
            yield {"name": name, "type": None, "backend": None}
        else:
            yield {"name": name, "type": kind, "backend": backend}


# ---- The same for eyes


def _shown(facts: dict[str, Any]) -> Iterator[str | Table]:
    if "images" not in facts:
        yield from _image_shown(facts, facts["name"] or Path(facts["path"]).name, facts["version"])
        return
    yield f"{facts['path']}: OME-NGFF {facts['version']} {facts['kind']} of {len(facts['images'])} images"
    for image in facts["images"]:
        yield from _image_shown(image, image["path"], facts["version"])


def _image_shown(facts: dict[str, Any], name: str, version: str) -> Iterator[str | Table]:
    axes = ", ".join(f"{axis['name']} ({axis['unit'] or axis['type']})" for axis in facts["axes"])
    yield f"{name}: OME-NGFF {version}, axes {axes}"
    if facts["channels"]:
        yield f"channels: {', '.join(channel['label'] for channel in facts['channels'])}"
    if facts["labels"]:
        yield f"labels: {', '.join(facts['labels'])}"
    if facts["tables"]:
        kinds = (f"{table['name']} ({table['type']}, {table['backend']})" for table in facts["tables"])
        yield f"tables: {', '.join(kinds)}"
    headers = ("level", "shape", "chunks", "dtype", "pixel size")
    table = Table(*(Column(header, overflow="fold") for header in headers))
    for prefix, levels in {
        "": facts["levels"],
        **{f"labels/{key}/": each for key, each in facts["labels"].items()},
    }.items():
        for level in levels:
            sizes = ", ".join(f"{axis} {size:.6g}" for axis, size in level["pixel_size"].items())
            table.add_row(
                f"{prefix}{level['level']}", _times(level["shape"]), _times(level["chunks"]), level["dtype"], sizes
            )
    yield table


def shape_text(dimensions: Dimensions) -> str:
    """Return axes and sizes, such as `"yx 660×550"`."""
    return f"{''.join(dimensions.axes)} {_times(dimensions.shape)}"


def _times(numbers: Iterable[int]) -> str:
    return "×".join(map(str, numbers))
