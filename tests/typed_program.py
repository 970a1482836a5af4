"""A program of a user, with all values: it runs, and `mypy --strict` and pyright find nothing in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import attrs
import cattrs
import numpy as np
import xarray as xr

import ngio_x as nx


@attrs.frozen
class Cell:
    """A value of the user's that holds one of ours."""

    roi: nx.Roi
    score: float = 0.5


@dataclass(frozen=True)
class Field:
    """And a dataclass, with a list of them."""

    name: str
    pixel_size: nx.PixelSize
    cells: list[Cell]
    parent: nx.Roi | None = None


@attrs.frozen
class Nucleus(nx.Roi):
    """A region that knows more."""

    area: float = 0.0


def values() -> list[Any]:
    """Build every value, with lists where tuples are kept, and numpy's numbers where Python's are."""
    axes = nx.AxesHandler([nx.Axis("y", "space", "micrometer"), nx.Axis("x")], nx.AxesSetup(others=[]))
    dataset = nx.Dataset("0", axes, [0.5, np.float32(0.5)], [0, 0])
    dimensions = nx.Dimensions([64, 64], [32, 32], dataset)
    roi = nx.Roi(name="a", slices=[nx.RoiSlice("y", 2, 3), nx.RoiSlice("x", length=np.int64(4))], label=np.uint8(3))
    level = nx.PyramidLevel("0", [64, 64], [0.5, 0.5], [0, 0], chunks=[32, 32], shards=None)
    coarse = nx.PyramidLevel("1", np.array([32, 32]), (1.0, 1.0), (0.25, 0.25), "auto")
    builder = nx.ImagePyramidBuilder([level, coarse], ["y", "x"], np.uint16, other_array_kwargs={"fill_value": 1})
    channel = nx.Channel("DNA", limits=[0, 4095], display=(0, 1000))
    lattice = nx.Lattice(0, 0.5, 64, unit="micrometer")
    problem = nx.Problem("$.ome", "is missing", severity="error")
    report = nx.Report("0.5", "image", (problem,))
    drawing = nx.RoiDrawing([roi], ["y", "x"])
    return [axes, dimensions, roi, builder, channel, lattice, report, drawing, nx.PixelSize(x=1, y=1)]


def changed(roi: nx.Roi) -> Nucleus:
    """Use what attrs has for its classes."""
    twin = attrs.evolve(roi, name="b", slices=list(roi.slices))
    fields: Mapping[str, Any] = attrs.asdict(twin, recurse=False)
    names: list[str] = [each.name for each in attrs.fields(nx.Roi)]
    assert attrs.fields(nx.PixelSize).x.name == "x"
    assert list(fields) == names
    assert attrs.has(nx.Roi)
    width: float | None = twin["x"].length
    moved: nx.RoiSlice = attrs.evolve(twin["x"], start=0, length=width)
    size: float = attrs.evolve(nx.PixelSize(1, 1), z=2).z
    assert size == 2.0
    nucleus = Nucleus(twin.name, [moved, *twin.slices[:1]], twin.label, area=3.5)
    larger: Nucleus = nucleus.zoom(2).union(roi).to_pixel(0.5).to_world(0.5)  # a subclass stays what it is
    common: Nucleus | None = Nucleus.from_values({"y": 0, "x": 0}, "c").update_slice("z", 1).intersection(larger)
    assert common is not None
    return attrs.evolve(nucleus, name=common.name)


def pixels() -> xr.DataTree:
    """Use functions, pipelines and accessors on arrays, datasets and trees."""
    image: xr.DataArray = nx.as_image(np.arange(4096, dtype="uint16").reshape(64, 64), "yx", 0.5, name="DNA")
    roi = nx.Roi.from_values({"y": (np.float32(0), np.int64(16)), "x": slice(8, 24)}, "field")
    piece: xr.DataArray = nx.crop(image, roi)
    pieces: xr.Dataset = nx.crop(image.to_dataset(), roi, bounds="inner")
    half: xr.DataArray = image.pipe(nx.crop, roi).pipe(nx.zoom, {"y": 0.5, "x": 0.5})
    smaller: xr.Dataset = nx.zoom(pieces, 0.5)
    either: xr.DataArray | xr.Dataset = piece if roi.label else pieces
    either = nx.zoom(nx.crop(either, roi), 0.5)
    same: xr.DataArray = image.ngio.crop(roi).ngio.zoom(0.5)
    assert half.equals(same)
    assert smaller.sizes == half.sizes
    spacing: float = nx.pixel_size_of(half).x
    assert spacing == 1.0
    window: dict[str, slice] = nx.window(image, roi)
    assert window["x"] == slice(16, 48)
    back: xr.DataArray = nx.paste(image, piece + 1)
    assert nx.dimensions_of(back).shape == image.shape
    tree = xr.DataTree.from_dict({"/0": image.to_dataset(), "/1": nx.zoom(image, 0.5).to_dataset()})
    cut: xr.DataTree = nx.crop(tree, roi)
    return cut


def round_trips(roi: nx.Roi) -> None:
    """Send values, the user's own included, through JSON."""
    field = Field("1", nx.PixelSize(1, 1), [Cell(roi), Cell(roi, 0.25)])
    again: Field = nx.from_json(nx.to_json(field), Field)
    cells: list[Cell] = nx.from_dict(nx.to_dict(field.cells), list[Cell])
    by_name: dict[str, nx.Roi] = nx.from_dict(nx.to_dict({"a": roi}), dict[str, nx.Roi])
    converter: cattrs.Converter = nx.make_converter()
    assert converter.structure(converter.unstructure(field), Field) == field == again
    assert cells == field.cells
    assert by_name == {"a": roi}


if __name__ == "__main__":
    (region,) = (value for value in values() if isinstance(value, nx.Roi))
    nucleus = changed(region)
    assert nx.from_json(nx.to_json(nucleus), Nucleus) == nucleus
    assert len({hash(value) for value in values()}) == len(values())
    assert pixels()["1/DNA"].shape == (16, 16)
    round_trips(region)
