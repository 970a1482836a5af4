"""Rules of the specification that documents break, and how rules look for such."""

from __future__ import annotations

import itertools
import posixpath
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, Literal, TypeAlias

from ngio_x._frozen import checked_by, field, frozen, one_of, shown, to_name, to_optional_name
from ngio_x.errors import NgioValidationError, NgioValueError

Section: TypeAlias = Literal[
    "on-disk", "metadata", "axes-md", "trafo-md", "multiscale-md", "omero-md", "labels-md", "plate-md", "well-md"
]
"""A section of the specification, by its anchor."""


def _to_text(value: Any) -> str:
    try:
        return str(value)
    except ValueError:  # an integer of thousands of digits
        raise NgioValueError(f"must be text, got {shown(value)}") from None


@frozen
class Problem:
    """A rule of the specification that an OME-Zarr hierarchy breaks."""

    path: str = field(converter=_to_text)
    """Where in the attributes of the group, such as `$.ome.multiscales[0].axes`; empty where it is the group itself."""
    message: str = field(converter=to_name)
    """What is wrong there, and what is found."""
    section: Section | None = field(converter=to_optional_name, default=None)
    """The section that states the rule: `https://ngff.openmicroscopy.org/0.5/#axes-md` is that of `"axes-md"`. None
    where the specification is silent: what is wrong are zarr's metadata, or ngio_x's own."""
    severity: Literal["error", "warning"] = field(metadata=checked_by(one_of("error", "warning")), default="error")
    """`"error"` where the specification says MUST, `"warning"` where it says SHOULD."""
    version: str | None = field(converter=to_optional_name, default=None)
    """The version of the specification; None if it is not known."""
    group: str = field(converter=_to_text, default="")
    """The group, as a URL."""

    def __str__(self) -> str:
        """Return all of it in a line."""
        source = "" if self.section is None else f" (OME-NGFF {self.version}, #{self.section})"
        return f"{': '.join(filter(None, (self.group, self.path, self.message)))}{source}"


Problems: TypeAlias = Iterator[Problem]


def should(path: str, message: str, section: Section) -> Problem:
    """Return a problem that is no error."""
    return Problem(path, message, section, "warning")


def require_none(problems: Iterable[Problem]) -> None:
    """Raise unless there are warnings only.

    Raises:
        NgioValidationError: Naming every problem that is an error.
    """
    if errors := [str(problem) for problem in problems if problem.severity == "error"]:
        raise NgioValidationError(*errors)


# ---- What rules have in common


def objects_of(owner: Mapping[str, Any], key: str, path: str) -> list[tuple[str, Mapping[str, Any]]]:
    """Return the objects of the list at a key, each with its path."""
    items = owner.get(key)
    found = enumerate(items) if isinstance(items, list) else ()
    return [(f"{path}.{key}[{index}]", item) for index, item in found if isinstance(item, Mapping)]


def no_objects(owner: Mapping[str, Any], key: str, path: str, section: Section, least: int = 0) -> Problems:
    """Return why the value at a key is no list of objects, if so."""
    items, at = owner.get(key), f"{path}.{key}"
    if key not in owner:
        yield Problem(at, "is missing", section)
    elif not isinstance(items, list):
        yield Problem(at, f"must be a list, got {shown(items)}", section)
    elif len(items) < least:
        yield Problem(at, "must hold at least one item, got none", section)
    else:
        for index, item in enumerate(items):
            if not isinstance(item, Mapping):
                yield Problem(f"{at}[{index}]", f"must be an object, got {shown(item)}", section)


def wrong(owner: Mapping[Any, Any], key: Any, check: Callable[[Any], Any], path: str, section: Section) -> Problems:
    """Return what a check says of the value at a key, which must be there."""
    at = f"{path}[{key}]" if isinstance(key, int) else f"{path}.{key}"
    if key not in owner:
        yield Problem(at, "is missing", section)
        return
    try:
        check(owner[key])
    except NgioValueError as error:
        yield Problem(at, str(error), section)


def wrong_if_given(
    owner: Mapping[str, Any], key: str, check: Callable[[Any], Any], path: str, section: Section
) -> Problems:
    """Return what a check says of the value at a key, which may be missing or null."""
    if owner.get(key) is not None:
        yield from wrong(owner, key, check, path, section)


def wrong_or_missing(
    owner: Mapping[str, Any], key: str, check: Callable[[Any], Any], path: str, section: Section
) -> Problems:
    """Return what a check says of the value at a key, which should be there."""
    if owner.get(key) is None:
        yield should(f"{path}.{key}", "should be there", section)
    else:
        yield from wrong(owner, key, check, path, section)


def twice(owner: Mapping[str, Any], list_key: str, key: str, path: str, section: Section) -> Problems:
    """Return the values of a key that are not unique within a list of objects; three of them are enough."""
    values = [item.get(key) for _, item in objects_of(owner, list_key, path)]
    counts = Counter(value for value in values if isinstance(value, (str, int)))
    for value in itertools.islice((value for value, count in counts.items() if count > 1), 3):
        yield Problem(f"{path}.{list_key}", f"must each have another {key}, got {shown(value)} twice", section)


def to_object(value: Any) -> Mapping[str, Any]:
    """Accept an object; anything else is refused."""
    if not isinstance(value, Mapping):
        raise NgioValueError(f"must be an object, got {shown(value)}")
    return value


def to_text(value: Any) -> str:
    """Accept a string, even an empty one; anything else is refused."""
    if not isinstance(value, str):
        raise NgioValueError(f"must be a string, got {shown(value)}")
    return value


def to_relative(value: Any) -> str:
    """Accept a path that leads to something inside of its group; anything else is refused."""
    text = to_name(value)
    parts = text.split("/")
    outside = text.startswith("/") or "\\" in text or _DRIVE.match(text) or parts[0] in (".", "..")
    try:
        longest = max(len(part.encode()) for part in parts)
    except UnicodeEncodeError:  # half a character, which JSON can hold and no file system
        longest = _LONGEST_PART + 1
    unnameable = "\0" in text or len(text) > _LONGEST or longest > _LONGEST_PART
    if outside or unnameable or posixpath.normpath(text) != text:
        raise NgioValueError(f"must be a path inside of the group, such as 'a/b', got {shown(value)}")
    return text


_DRIVE: Final = re.compile("[A-Za-z]:")
_LONGEST: Final = 1024
"""In characters, as in object stores."""
_LONGEST_PART: Final = 255
"""In bytes, as in file systems."""


def to_alphanumeric(value: Any) -> str:
    """Accept a string of ASCII letters and digits; anything else is refused."""
    text = to_name(value)
    if not (text.isascii() and text.isalnum()):
        raise NgioValueError(f"must hold letters and digits only, got {shown(value)}")
    return text
