"""Numbers, text, and what JSON can hold."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st


def dyadic_numbers(low: float = -64.0, high: float = 64.0) -> st.SearchStrategy[float]:
    """Draw multiples of 1/8 between two bounds."""
    return st.integers(int(low * 8), int(high * 8)).map(lambda eighths: eighths / 8)


def texts(max_size: int = 5) -> st.SearchStrategy[str]:
    """Draw any text that UTF-8 can hold."""
    return st.text(st.characters(exclude_categories=["Cs"]), max_size=max_size)


def json_values() -> st.SearchStrategy[Any]:
    """Draw what JSON can hold: null, truth, numbers, text, lists and objects."""
    plain = st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-1e6, 1e6) | texts()
    return st.recursive(plain, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts(), inner, max_size=2))
