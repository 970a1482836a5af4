"""What is wrong with data, as one `path: message` for each fault that cattrs has gathered."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any, get_origin

import attrs
from cattrs.errors import (
    AttributeValidationNote,
    ForbiddenExtraKeysError,
    IterableValidationNote,
    StructureHandlerNotFoundError,
)

from ngio_x._frozen import ItemsError
from ngio_x.errors import NgioError, NgioValidationError


def problems_of(error: BaseException, path: str = "$") -> Iterator[str]:
    """Yield one `path: message` for each fault in an error of a converter."""
    if isinstance(error, NgioValidationError):
        yield from (path + told[1:] if told.startswith("$") else f"{path}: {told}" for told in error.problems)
    elif isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from problems_of(inner, path + _step(inner))
    elif isinstance(error, ItemsError):
        for position, complaint in error.args:
            yield f"{path}[{position}]: {complaint}"
    elif isinstance(error, ForbiddenExtraKeysError):
        names = ", ".join(_names_of(error.cl))
        for key in sorted(error.extra_fields, key=str):
            yield f"{path}.{key}: is not a field of {error.cl.__name__}, which has {names}"
    elif isinstance(error, StructureHandlerNotFoundError):
        kind: Any = error.type_
        hook = f"register a structure hook for {kind} on a converter of your own"
        text = f"quote the whole annotation, not {kind!r} within it"
        yield f"{path}: cannot be built: {text if isinstance(kind, str) else hook}"
    elif isinstance(error, KeyError) and not isinstance(error, NgioError):
        yield f"{path}: is missing" if _is_missing(error) else f"{path}: lacks {error}"
    else:
        yield f"{path}: {error}"


def _step(error: BaseException) -> str:
    """Return the part of the path that a note of cattrs stands for."""
    for note in getattr(error, "__notes__", ()):
        if isinstance(note, AttributeValidationNote):
            return f".{note.name}"
        if isinstance(note, IterableValidationNote):
            return f"[{note.index}]" if isinstance(note.index, int) else f".{note.index}"
    return ""


def _is_missing(error: KeyError) -> bool:
    """Return whether a key is missing of the data, and not something else of a user's hook."""
    return error.args == (_step(error).removeprefix("."),)


def _names_of(cls: Any) -> list[str]:
    owner = get_origin(cls) or cls
    if attrs.has(owner):
        return [each.name for each in attrs.fields(owner)]
    if dataclasses.is_dataclass(owner):
        return [each.name for each in dataclasses.fields(owner)]
    return list(owner.__annotations__)  # of a TypedDict
