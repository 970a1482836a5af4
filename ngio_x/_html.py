"""Markup for notebooks and pages: elements, tables, and texts that cannot break out of them.

What is made is well-formed XML without scripts, styles of its own or ids, so that it fits into any page, and it has the
colours of that page, be they dark or light.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

_NO_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML does not have, not even escaped."""


class Html(str):
    """Markup; a text that is none is escaped wherever it is put into some."""

    __slots__ = ()


def element(name: str, *inside: Any, **attributes: Any) -> Html:
    """Return an element; attributes that are None are left out, and `_` in their names stands for `-`.

    >>> element("p", "a < b", element("br"), style=None, stroke_width=2)
    '<p stroke-width="2">a &lt; b<br/></p>'
    """
    given = {key.replace("_", "-"): value for key, value in attributes.items() if value is not None}
    start = name + "".join(f' {key}="{html.escape(_plain(value))}"' for key, value in given.items())
    return Html(f"<{start}>{joined(inside)}</{name}>" if inside else f"<{start}/>")


def joined(parts: Iterable[Any]) -> Html:
    """Return the parts one after the other; those that are no markup are escaped."""
    return Html("".join(part if isinstance(part, Html) else html.escape(_plain(part), quote=False) for part in parts))


def table(header: Sequence[Any], rows: Iterable[Sequence[Any]]) -> Html:
    """Return a table; every row has a cell for each column."""
    left = "text-align: left; white-space: nowrap"
    head = element("tr", *(element("th", cell, style=left) for cell in header))
    body = (element("tr", *(element("td", cell, style=left) for cell in row)) for row in rows)
    return element("table", element("thead", head), element("tbody", *body, ""))


def facts(rows: Iterable[tuple[Any, Any]]) -> Html:
    """Return a table of names and what they stand for; what is None or empty is left out."""
    left = "text-align: left; vertical-align: top"
    kept = [(key, value) for key, value in rows if value is not None and value not in ("", ())]
    cells = (element("tr", element("th", key, style=left), element("td", value, style=left)) for key, value in kept)
    return element("table", element("tbody", *cells, ""))


def titled(title: Any, *parts: Html) -> Html:
    """Return parts below a line in bold."""
    return element("div", element("div", element("strong", title)), *parts)


def page(title: str, *parts: Html) -> str:
    """Return a page that stands alone."""
    style = (
        ":root { color-scheme: light dark } body { font-family: sans-serif; margin: 2em } "
        "table { border-collapse: collapse; margin: 0.5em 0 1em } td, th { padding: 0.2em 1em 0.2em 0 }"
    )
    head = element("head", element("meta", charset="utf-8"), element("title", title), element("style", style))
    return f"<!DOCTYPE html>\n{element('html', head, element('body', *parts, ''), lang='en')}\n"


def swatch(color: str) -> Html:
    """Return a small square of a colour of six hexadecimal digits."""
    style = f"display: inline-block; width: 0.8em; height: 0.8em; border: 1px solid currentColor; background: #{color}"
    return element("span", "", style=style)


def times(numbers: Iterable[int]) -> str:
    """Return numbers as a shape: `512 × 256`."""
    return " × ".join(map(str, numbers))


def bytes_text(count: float) -> str:
    """Return a number of bytes in a unit of thousands that suits it.

    >>> bytes_text(999), bytes_text(33_554_432), bytes_text(2.5e12)
    ('999 B', '33.6 MB', '2.5 TB')
    """
    units = ("B", "kB", "MB", "GB", "TB", "PB", "EB")
    power = min(len(units) - 1, max(0, (len(str(int(count))) - 1) // 3))
    return f"{int(count)} B" if power == 0 else f"{count / 1000**power:.1f} {units[power]}"


def number_text(number: float | None) -> str:
    """Return a number as one reads it, `…` for one that is not there.

    >>> number_text(0.325 * 3), number_text(1_000_000.25), number_text(None)
    ('0.975', '1000000', '…')
    """
    if number is None:
        return "…"
    return f"{number:.0f}" if 1e6 <= abs(number) < 1e12 else f"{number:.6g}"


def _plain(value: Any) -> str:
    return _NO_XML.sub("\ufffd", str(value))
