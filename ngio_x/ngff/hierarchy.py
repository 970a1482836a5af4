"""What lies at a group of a store: an image with its labels, a well, or a plate; documents and arrays, no pixels."""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Any, Literal, NamedTuple, TypeAlias, TypeVar

import zarr
from zarr.core.sync import sync
from zarr.errors import ContainsArrayError, NodeTypeValidationError
from zarr.storage import StorePath

from ngio_x._frozen import evolve
from ngio_x.errors import NgioFileNotFoundError, NgioKeyError, NgioTypeError, NgioValidationError, NgioValueError
from ngio_x.metadata.frame import Frame
from ngio_x.ngff.attributes import Described, placed, read_attributes
from ngio_x.ngff.documents import ImageLabel, LabelList, Multiscales, Plate, Well
from ngio_x.ngff.levels import level_problems
from ngio_x.ngff.problems import require_none
from ngio_x.ngff.store import ZARR_FAULTS, unreadable
from ngio_x.pyramid.places import directory_of, name_of

T = TypeVar("T")
ZarrFormat: TypeAlias = Literal[2, 3]


class Picture(NamedTuple):
    """An image or a label image, with its arrays."""

    node: str
    """Its node in a tree, relative to the root: `""` for the root itself."""
    version: str
    image: Multiscales
    labels: str | None
    """What a label image is called in the image it belongs to; None for images, and for label images by themselves."""
    parent: Multiscales
    """The image that its translations are relative to: the one that it labels, else the image itself."""
    arrays: tuple[zarr.Array[Any], ...]
    """Its levels, finest first."""

    @property
    def edges(self) -> list[tuple[float, ...]]:
        """The world coordinate of the lower edge of the first pixel of every level, one number an axis."""
        return self.image.edges(self.parent)


class Hierarchy(NamedTuple):
    """All that lies at a group: each node of a tree that a document describes."""

    described: dict[str, Described]
    """What the groups above images say, by node."""
    pictures: list[Picture]


def read_hierarchy(group: zarr.Group, frame: Frame | None = None, pattern: str = "*") -> Hierarchy:
    """Read what lies at a group, and check that metadata and arrays fit.

    Args:
        group: An image, a well, or a plate.
        frame: See `open_ome_zarr`.
        pattern: Of a well or a plate: which images to read, as in `fnmatch`, by their path in it.

    Raises:
        NgioValidationError: If they do not, naming group or array.
    """
    found: Hierarchy = sync(_Reader(group, frame, pattern).read())
    return found


def _image_above(place: StorePath) -> Multiscales | None:
    """Return the image in whose group `labels` a group stands, where there is one that its store leads to."""
    directory = directory_of(place)
    path = PurePosixPath(place.path if directory is None else directory.absolute().as_posix())
    if path.parent.name != "labels":
        return None
    above = StorePath(place.store, "/".join(path.parts[:-2])) if directory is None else str(path.parents[1])
    try:
        attributes = zarr.open_group(above, mode="r", use_consolidated=False).attrs.asdict()
        found = read_attributes(attributes, str(above)).document
    except (OSError, ContainsArrayError, *ZARR_FAULTS):
        return None
    return found if isinstance(found, Multiscales) else None


def group_in(group: zarr.Group, path: Any) -> tuple[zarr.Group, str]:
    """Return the last group on the way to a path that is no part of an image, and what of the path is left there.

    Raises:
        NgioTypeError: If the path is not a string.
        NgioKeyError: If there is no such group.
        NgioValidationError: If its zarr metadata cannot be read.
    """
    if not (path is None or isinstance(path, str)):
        raise NgioTypeError(f"group must be the path of a group, got {type(path).__name__}")
    parts = deque((path or "").strip("/").split("/"))
    while any(parts) and "multiscales" not in _said(group.attrs.asdict()):
        name = parts.popleft()
        try:
            below = group[name]
        except KeyError:
            raise NgioKeyError(f"group={path!r} is not there: {name_of(group.store_path)} has no {name!r}") from None
        except ZARR_FAULTS as error:
            raise unreadable(f"{name_of(group.store_path)}/{name}", error) from error
        if not isinstance(below, zarr.Group):
            raise NgioKeyError(f"group={path!r} is not there: {name_of(below.store_path)} is an array")
        group = below
    return group, "/".join(parts)


def read_image(group: zarr.Group, frame: Frame | None = None) -> Picture:
    """Read an image, or a label image by itself, without its labels; errors as for `read_hierarchy`."""
    found: Picture = sync(_Reader(group, frame, "*").read_image())
    return found


def label_paths(group: zarr.Group) -> tuple[str, ...]:
    """Return the paths of the label images that an image lists; errors as for `read_hierarchy`."""
    found: tuple[str, ...] = sync(_Reader(group, None, "*").label_paths())
    return found


class _Reader:
    """Reads the groups and arrays of a hierarchy, those that do not depend on one another at the same time."""

    def __init__(self, group: zarr.Group, frame: Frame | None, pattern: str) -> None:
        self._root, self._format, self._attributes = group.store_path, group.metadata.zarr_format, group.attrs.asdict()
        self._frame, self._pattern, self._above = frame, pattern, _image_above(group.store_path)

    async def read(self) -> Hierarchy:
        await self._require_no_series(name_of(self._root))
        described = self._root_described()
        document = described.document
        if isinstance(document, Multiscales):
            return Hierarchy({}, await self._image(self._root, "", described, self._above))
        if isinstance(document, Well):
            return self._matching(
                await self._well(self._root, "", described), [image.path for image in document.images]
            )
        if isinstance(document, Plate):
            return self._matching(await self._plate(described), [f"{well.path}/0" for well in document.wells])
        raise NgioValidationError(
            f"{name_of(self._root)} is a list of label images: open one of them, or the image above it"
        )

    def _matching(self, found: Hierarchy, paths: Sequence[str]) -> Hierarchy:
        """Refuse a pattern that leaves nothing of some images; a well or plate may have none."""
        if self._pattern != "*" and paths and not found.pictures:
            raise NgioValueError(f"images={self._pattern!r} matches no image: they have paths such as {paths[0]!r}")
        return found

    async def _require_no_series(self, where: str) -> None:
        """Refuse a group of images that are no fields of a plate, as bioformats2raw makes it (section "bf2raw")."""
        if "bioformats2raw.layout" not in _said(self._attributes) or "plate" in _said(self._attributes):
            return
        try:
            paths = _said(await self._attributes_at(self._root / "OME")).get("series")
        except (NgioFileNotFoundError, NgioValidationError):
            paths = None
        listed = paths if isinstance(paths, list) and paths else ["0"]
        count = f"{len(listed)} images" if listed is paths else "images"
        raise NgioValidationError(
            f"{where} is a collection of {count} that belong to no plate: open one of them, such as {where}/{listed[0]}"
        )

    async def read_image(self) -> Picture:
        return await self._picture(self._root, "", self._root_described(), self._above)

    async def label_paths(self) -> tuple[str, ...]:
        return await self._labels(self._root)

    async def _plate(self, described: Described) -> Hierarchy:
        wells = [well.path for well in described.document.wells]  # type: ignore[union-attr]
        found = await _all(self._well_at(path) for path in wells)
        documents = {"": described}
        for well in found:
            documents |= well.described
        return Hierarchy(documents, [picture for well in found for picture in well.pictures])

    async def _well_at(self, path: str) -> Hierarchy:
        place = self._root / path
        described = self._described(await self._attributes_at(place), name_of(place))
        if not isinstance(described.document, Well):
            raise NgioValidationError(f"{name_of(place)} is no well, though its plate lists it as one")
        return await self._well(place, path, described)

    async def _well(self, place: StorePath, node: str, described: Described) -> Hierarchy:
        images = [image.path for image in described.document.images]  # type: ignore[union-attr]
        nodes = {path: f"{node}/{path}".lstrip("/") for path in images}
        wanted = [path for path in images if fnmatchcase(nodes[path], self._pattern)]
        found = await _all(self._image_at(place / path, nodes[path]) for path in wanted)
        return Hierarchy({node: described} if wanted or not node else {}, list(itertools.chain.from_iterable(found)))

    async def _image_at(self, place: StorePath, node: str) -> list[Picture]:
        described = self._described(await self._attributes_at(place), name_of(place))
        if not isinstance(described.document, Multiscales):
            raise NgioValidationError(f"{name_of(place)} is no image, though its well lists it as one")
        return await self._image(place, node, described)

    async def _image(
        self, place: StorePath, node: str, described: Described, above: Multiscales | None = None
    ) -> list[Picture]:
        """Return an image and its labels."""
        reading = asyncio.gather(self._picture(place, node, described, above), self._labels(place))
        first, labels = await reading
        found = await _all(
            self._picture(place / "labels" / path, f"{node}/labels/{path}".lstrip("/"), None, first.image, path)
            for path in labels
        )
        return [first, *found]

    async def _labels(self, place: StorePath) -> tuple[str, ...]:
        """Return the paths of the label images of an image."""
        try:
            attributes = await self._attributes_at(place / "labels")
        except NgioFileNotFoundError:
            return ()
        if not attributes.get("ome", attributes):
            return ()  # a group that was made, and nothing put into it
        document = self._described(attributes, name_of(place / "labels")).document
        if not isinstance(document, LabelList):
            raise NgioValidationError(f"{name_of(place / 'labels')} is no list of label images")
        return document.paths

    async def _picture(
        self,
        place: StorePath,
        node: str,
        described: Described | None,
        parent: Multiscales | None,
        labels: str | None = None,
    ) -> Picture:
        where = name_of(place)
        if described is None:
            try:
                attributes = await self._attributes_at(place)
            except NgioFileNotFoundError:
                above, _, path = where.rpartition("/labels/")
                raise NgioValidationError(f"{above}/labels lists the labels '{path}', but has no such group") from None
            described = self._described(attributes, where, "corner" if parent is None else parent.frame)
        image = described.document
        if not isinstance(image, Multiscales):
            raise NgioValidationError(f"{where} is no image")
        arrays = await _all(self._array(place, dataset.path) for dataset in image.datasets)
        faults = level_problems(image, arrays, labels=parent is not None)
        require_none(placed(fault, where, described.version) for fault in faults)
        if not image.has_sizes:
            image = _sized(image, arrays)
        if parent is not None:
            image = evolve(image, label=image.label or ImageLabel(source=None))
        return Picture(node, described.version, image, labels, parent or image, tuple(arrays))

    def _root_described(self) -> Described:
        default: Frame = "corner" if self._above is None else self._above.frame
        return self._described(self._attributes, name_of(self._root), default)

    def _described(self, attributes: dict[str, Any], where: str, default: Frame = "corner") -> Described:
        """Return what attributes say; `default` is the frame where neither they nor the caller does."""
        described = read_attributes(attributes, where, default)
        if self._frame is None or not isinstance(described.document, Multiscales):
            return described
        return described._replace(document=evolve(described.document, frame=self._frame))

    async def _attributes_at(self, place: StorePath) -> dict[str, Any]:
        return await attributes_at(place, self._format)

    async def _array(self, place: StorePath, path: str) -> zarr.Array[Any]:
        return await array_at(place, path, self._format)


async def attributes_at(place: StorePath, zarr_format: ZarrFormat) -> dict[str, Any]:
    """Return the attributes of the group at a place.

    Raises:
        NgioFileNotFoundError: If there is none.
        NgioValidationError: If its zarr metadata cannot be read.
    """
    try:
        group = await zarr.AsyncGroup.open(place, zarr_format=zarr_format, use_consolidated=False)
    except FileNotFoundError:
        raise NgioFileNotFoundError(f"there is no zarr group at {name_of(place)}") from None
    except ZARR_FAULTS as error:
        raise unreadable(name_of(place), error) from error
    return dict(group.attrs)


async def array_at(place: StorePath, path: str, zarr_format: ZarrFormat) -> zarr.Array[Any]:
    """Return the array at a path of the group at a place.

    Raises:
        NgioValidationError: If there is none, or its zarr metadata cannot be read.
    """
    try:
        found = await zarr.AsyncArray.open(place / path, zarr_format=zarr_format)
    except (FileNotFoundError, NodeTypeValidationError):
        raise NgioValidationError(f"{name_of(place)} has no array '{path}', which its metadata names") from None
    except ZARR_FAULTS as error:
        raise unreadable(name_of(place / path), error) from error
    return zarr.Array(found)


def _said(attributes: dict[str, Any]) -> Mapping[str, Any]:
    """Return what is said in the words of OME-NGFF, in any version."""
    said = attributes.get("ome", attributes)
    return said if isinstance(said, Mapping) else {}


async def _all(awaitables: Iterable[Awaitable[T]]) -> list[T]:
    """Return all results; of several errors, the first in order is raised, when the others have ended, too."""
    results = await asyncio.gather(*awaitables, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results  # type: ignore[return-value]


def _sized(image: Multiscales, arrays: Sequence[zarr.Array[Any]]) -> Multiscales:
    """Return an image whose pixel sizes count pixels of level 0."""
    first = arrays[0].shape
    datasets = (
        evolve(dataset, scale=[n / m for n, m in zip(first, array.shape, strict=True)])
        for dataset, array in zip(image.datasets, arrays, strict=True)
    )
    return evolve(image, datasets=tuple(datasets))
