"""All that is wrong with an OME-Zarr hierarchy, at once: documents, and the arrays that they speak of."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from zarr.core.sync import sync
from zarr.storage import StorePath

from ngio_x._frozen import checked_by, field, frozen, to_optional_name, tuple_of
from ngio_x.errors import NgioFileNotFoundError, NgioValidationError
from ngio_x.ngff.attributes import ZARR_FORMATS, Examined, examined, placed, read_attributes
from ngio_x.ngff.documents import Document, LabelList, Multiscales, Plate, Well
from ngio_x.ngff.hierarchy import ZarrFormat, array_at, attributes_at
from ngio_x.ngff.levels import level_formalities, level_problems
from ngio_x.ngff.problems import Problem
from ngio_x.ngff.store import StoreLike, open_group
from ngio_x.pyramid.places import name_of


@frozen
class Report:
    """What is wrong with an OME-Zarr hierarchy; printed, a line for each problem and one for the whole."""

    version: str | None = field(converter=to_optional_name)
    """The version of OME-NGFF, if it is known."""
    kind: str | None = field(converter=to_optional_name)
    """What the group is, if it is known: `"image"`, `"label list"`, `"well"` or `"plate"`."""
    problems: tuple[Problem, ...] = field(metadata=checked_by(tuple_of(Problem)), default=())
    """Errors first."""

    @property
    def errors(self) -> tuple[Problem, ...]:
        """What the specification says MUST be otherwise, or cannot be read at all."""
        return tuple(problem for problem in self.problems if problem.severity == "error")

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What the specification says SHOULD be otherwise."""
        return tuple(problem for problem in self.problems if problem.severity == "warning")

    def __str__(self) -> str:
        """Return a line for each problem, and one for the whole."""
        what = "OME-Zarr" if self.kind is None else f"OME-Zarr {self.version} {self.kind}"
        count = len(self.errors)
        whole = f"valid {what}" if not count else f"no valid {what}: {count} error{'s' if count > 1 else ''}"
        return "\n".join([*(f"{problem.severity}: {problem}" for problem in self.problems), whole])


_NAMES: dict[type[Document] | None, str] = {Multiscales: "image", LabelList: "label list", Well: "well", Plate: "plate"}


def validate_ome_zarr(store: StoreLike, *, storage_options: Mapping[str, Any] | None = None) -> Report:
    """Return all that is wrong with an OME-Zarr image, well or plate, its label images and arrays; no pixel is read.

    Each MUST of the specification that metadata can break is an error, each SHOULD a warning. `open_ome_zarr` is less
    strict: it refuses only what it could misunderstand.

    Args:
        store: A path, a URL, a zarr store, or an open group.
        storage_options: Of a URL: what its file system needs to know, as in `fsspec`.

    Raises:
        NgioFileNotFoundError: If there is no zarr group.
    """
    try:
        group = open_group(store, storage_options=storage_options)
    except NgioValidationError as error:
        return Report(None, None, (Problem("", str(error)),))
    validator = _Validator(group.metadata.zarr_format)
    found = examined(group.attrs.asdict(), name_of(group.store_path), formally=True)
    problems = sync(validator.group(group.store_path, group.attrs.asdict()))
    ranked = sorted(problems, key=lambda problem: problem.severity == "warning")
    return Report(found.version, _NAMES.get(found.kind), tuple(ranked))


class _Validator:
    """Looks at the groups and arrays of a hierarchy, those that do not depend on one another at the same time."""

    def __init__(self, zarr_format: ZarrFormat) -> None:
        self._format = zarr_format
        self._version: str | None = None  # that of the group at the top

    async def group(self, place: StorePath, attributes: Mapping[str, Any]) -> list[Problem]:
        """Return the problems of a group and of all below it."""
        document, problems = self._document(place, attributes)
        if isinstance(document, Multiscales):
            return problems + await self._image(place, document)
        if isinstance(document, Well):
            return problems + await self._well(place, document)
        if isinstance(document, Plate):
            return problems + await self._plate(place, document)
        return problems

    def _document(
        self, place: StorePath, attributes: Mapping[str, Any], kind: type[Document] | None = None
    ) -> tuple[Document | None, list[Problem]]:
        """Return what a group says, None if that cannot be read; and what is wrong with it."""
        where = name_of(place)
        found = examined(attributes, where, formally=True)
        problems = [*found.problems, *self._disagreements(found, where)]
        if kind is not None and found.kind not in (kind, None):
            return None, [*problems, Problem("", f"is no {_NAMES[kind]}, though it is listed as one", group=where)]
        try:
            return read_attributes(attributes, where).document, problems
        except NgioValidationError as error:
            known = any(problem.severity == "error" for problem in found.problems)
            return None, problems if known else [*problems, Problem("", str(error))]

    def _disagreements(self, found: Examined, where: str) -> Iterator[Problem]:
        """Return whether a group is of another version than that at the top, or than its zarr format."""
        version = found.version
        if version is None or found.kind is None:
            return
        self._version = self._version or version
        if version != self._version:
            message = f"is of version {version} in a hierarchy of version {self._version}"
            yield Problem("", message, "metadata", version=version, group=where)
        wanted = ZARR_FORMATS.get(version, 2 if version < "0.4" else 3)
        if self._format != wanted:
            message = f"must be stored in zarr format {wanted}, is in {self._format}"
            yield Problem("", message, "on-disk", version=version, group=where)

    async def _listed(
        self, place: StorePath, kind: type[Document], *, required: bool = True
    ) -> tuple[Document | None, list[Problem], dict[str, Any]]:
        """Return what a group says that must be of a kind, what is wrong with it, and its attributes."""
        try:
            attributes = await attributes_at(place, self._format)
        except NgioFileNotFoundError as error:
            return None, [Problem("", str(error))] if required else [], {}
        except NgioValidationError as error:
            return None, [Problem("", str(error))], {}
        return *self._document(place, attributes, kind), attributes

    async def _image(self, place: StorePath, image: Multiscales) -> list[Problem]:
        """Return the problems of the arrays and the labels of an image."""
        levels, labels = await asyncio.gather(self._levels(place, image), self._labels(place, image))
        return levels + labels

    async def _levels(self, place: StorePath, image: Multiscales, parent: Multiscales | None = None) -> list[Problem]:
        opening = [array_at(place, dataset.path, self._format) for dataset in image.datasets]
        arrays = await asyncio.gather(*opening, return_exceptions=True)
        faults: list[Problem] = []
        for array in arrays:
            if isinstance(array, NgioValidationError):
                faults.append(Problem("", str(array)))
            elif isinstance(array, BaseException):
                raise array
        if faults:
            return faults
        known: list[Any] = [*arrays]
        found = [
            *level_problems(image, known, labels=parent is not None or image.label is not None),
            *level_formalities(image, known, parent),
        ]
        return [placed(problem, name_of(place), self._version or "0.5") for problem in found]

    async def _labels(self, place: StorePath, image: Multiscales) -> list[Problem]:
        listed, problems, attributes = await self._listed(place / "labels", LabelList, required=False)
        if not attributes.get("ome", attributes):
            return []  # a group that was made, and nothing put into it
        if not isinstance(listed, LabelList):
            return problems
        return problems + await _joined(self._label(place / "labels", path, image) for path in listed.paths)

    async def _label(self, labels: StorePath, path: str, image: Multiscales) -> list[Problem]:
        place, where = labels / path, name_of(labels / path)
        label, problems, _ = await self._listed(place, Multiscales)
        if not isinstance(label, Multiscales):
            return problems
        if label.label is None and self._version not in ("0.1", "0.2", "0.3", "0.4"):
            missing = Problem("$.image-label", "should be there", "labels-md", "warning")
            problems.append(placed(missing, where, self._version or "0.5"))
        return problems + await self._levels(place, label, image)

    async def _well(self, place: StorePath, well: Well) -> list[Problem]:
        return await _joined(self._member(place / image.path, Multiscales) for image in well.images)

    async def _plate(self, place: StorePath, plate: Plate) -> list[Problem]:
        acquisitions = {acquisition.id for acquisition in plate.acquisitions}
        return await _joined(self._member(place / well.path, Well, acquisitions) for well in plate.wells)

    async def _member(self, place: StorePath, kind: type[Document], acquisitions: Iterable[int] = ()) -> list[Problem]:
        """Return the problems of a well of a plate, or of an image of a well."""
        document, problems, _ = await self._listed(place, kind)
        if isinstance(document, Multiscales):
            return problems + await self._image(place, document)
        if isinstance(document, Well):
            faults = _acquisition_problems(document, {*acquisitions})
            problems += [placed(fault, name_of(place), self._version or "0.5") for fault in faults]
            return problems + await self._well(place, document)
        return problems


def _acquisition_problems(well: Well, known: set[int]) -> Iterator[Problem]:
    """Return the images of a well whose acquisition the plate does not know, or has to."""
    for index, image in enumerate(well.images):
        path = f"$.well.images[{index}].acquisition"
        if image.acquisition is None and len(known) > 1:
            yield Problem(path, f"is missing, but the plate has {len(known)} acquisitions", "well-md")
        elif image.acquisition is not None and image.acquisition not in known:
            yield Problem(path, f"must be one of the plate's, {sorted(known)}, got {image.acquisition}", "well-md")


async def _joined(awaitables: Iterable[Any]) -> list[Problem]:
    return [problem for problems in await asyncio.gather(*awaitables) for problem in problems]
