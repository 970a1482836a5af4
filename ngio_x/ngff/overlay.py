"""What a document says besides what is understood of it: taken out on reading, put back on writing."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from typing import Any, Final

_NAMES: Final = ("path", "name", "label", "label-value", "id")
"""Keys by which an object of a list is known again, wherever it stands then."""


def beyond(document: Any, known: Any) -> Any:
    """Return what a document says that `known` does not: keys that it lacks, at any depth; None if there is nothing.

    >>> beyond({"a": 1, "b": [{"name": "y", "c": 2}]}, {"a": 3, "b": [{"name": "y"}]})
    {'b': [{'name': 'y', 'c': 2}]}
    """
    if isinstance(document, Mapping) and isinstance(known, Mapping):
        found = {key: value if key not in known else beyond(value, known[key]) for key, value in document.items()}
        return {key: value for key, value in found.items() if value is not None or key not in known} or None
    if _is_list(document) and _is_list(known) and any(isinstance(item, (Mapping, list, tuple)) for item in document):
        partners = _partners(document, known)
        rests = [None if own is None else beyond(item, own) for item, own in zip(document, partners, strict=True)]
        if any(rest is not None for rest in rests):
            return [_named(item) | (rest or {}) for item, rest in zip(document, rests, strict=True)]
    return None


def joined(known: Any, rest: Any) -> Any:
    """Return what is known together with what else a document said; what is known wins.

    >>> joined({"a": 3, "b": [{"name": "x"}, {"name": "y"}]}, {"b": [{"name": "y", "c": 2}]})
    {'a': 3, 'b': [{'name': 'x'}, {'name': 'y', 'c': 2}]}
    """
    if isinstance(known, Mapping) and isinstance(rest, Mapping):
        return {
            **{key: joined(value, rest[key]) if key in rest else value for key, value in known.items()},
            **{key: value for key, value in rest.items() if key not in known},
        }
    if _is_list(known) and _is_list(rest):
        return [joined(item, other) for item, other in zip(known, _partners(known, rest), strict=True)]
    return known


def _is_list(value: Any) -> bool:
    return isinstance(value, (list, tuple))


def _named(item: Any) -> dict[str, Any]:
    """Return the part of an object by which it is known again."""
    return {key: item[key] for key in _NAMES if key in item} if isinstance(item, Mapping) else {}


def _partners(items: Sequence[Any], others: Sequence[Any]) -> list[Any]:
    """Return for each object of a list that of another list which speaks of the same: by its name, else by place.

    Of several that share a name, the first speaks of the first, and so on.
    """
    named: dict[Any, deque[Any]] = defaultdict(deque)
    for other in others:
        named[_name_of(other)].append(other)
    found = []
    for index, item in enumerate(items):
        name = _name_of(item)
        by_place = others[index] if index < len(others) else None
        renamed = len(items) == len(others) == 1
        nameless = name is None or (by_place is not None and _name_of(by_place) is None)
        found.append(by_place if renamed or nameless else named[name].popleft() if named[name] else None)
    return found


def _name_of(item: Any) -> tuple[str, str | int] | None:
    """Return the first of the keys by which an object is known again, and what it is called by that."""
    if isinstance(item, Mapping):
        for key in _NAMES:
            if isinstance(item.get(key), (str, int)):
                return key, item[key]
    return None
