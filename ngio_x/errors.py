"""One tree of errors: `except NgioError` catches all of ngio_x, and each error is also the builtin it stands in for."""

from __future__ import annotations

import sys
import warnings


class NgioError(Exception):
    """Root of every error that ngio_x raises on purpose."""


class NgioValueError(NgioError, ValueError):
    """An argument has a value that cannot be used."""


class NgioTypeError(NgioError, TypeError):
    """An argument has a type that cannot be used."""


class NgioArrayTypeError(NgioTypeError, NgioValueError):
    """Something is not a zarr array: a wrong type to Python, and a wrong value to those who come from ngio."""


class NgioKeyError(NgioError, KeyError):
    """A name or a coordinate label was looked up that does not exist."""

    def __str__(self) -> str:
        """Return the message unquoted, unlike `KeyError`."""
        return Exception.__str__(self)


class NgioFileExistsError(NgioError, FileExistsError):
    """The place to write to is taken, and overwriting was not asked for."""


class NgioFileNotFoundError(NgioError, FileNotFoundError):
    """The store, group or array to read does not exist."""


class NgioStorageError(NgioError, OSError):
    """Pixels could not be read from or written to a store.

    Attributes:
        action: `"read"` or `"write"` pixels; `"mark"`, `"unmark"` or `"read the marks of"` what is being rebuilt.
        array: Where the array is.
        window: The chunk, or the write units, that it happened at, as slices; empty, if it was none of them.
        reason: What the store or the codec said.
    """

    action: str
    array: str
    window: tuple[slice, ...]
    reason: str

    def __init__(self, action: str, array: str, window: tuple[slice, ...], reason: str) -> None:
        where = ", ".join(f"{part.start}:{part.stop}" for part in window)
        super().__init__(f"could not {action} {f'[{where}] of ' if window else ''}{array}: {reason}")
        self.action, self.array, self.window, self.reason = action, array, window, reason

    def __reduce__(self) -> tuple[type[NgioStorageError], tuple[str, str, tuple[slice, ...], str]]:
        """Pickle by what it was made of: an OSError remembers other arguments."""
        return type(self), (self.action, self.array, self.window, self.reason)


class NgioValidationError(NgioValueError):
    """A document or a stored description breaks its rules.

    Attributes:
        problems: One `"path: what is wrong"` string per fault: fields in their order, then unknown keys.
    """

    problems: tuple[str, ...]

    def __init__(self, *problems: str) -> None:
        super().__init__(*problems)
        self.problems = problems

    def __str__(self) -> str:
        """Return the problems, one a line."""
        if len(self.problems) == 1:
            return self.problems[0]
        return "\n".join([f"{len(self.problems)} problems:", *(f"- {problem}" for problem in self.problems)])


class NgioEmptyRegionError(NgioValueError):
    """A region holds no pixel of the array.

    Attributes:
        axis: The axis along which nothing is left.
        interval: The region's `(start, end)` along it, in `unit`; `None` is unbounded.
        extent: The array's `(start, end)` along it, in `unit`.
        unit: What the numbers count, such as `"micrometer"` or `"pixel"`.
    """

    axis: str
    interval: tuple[float | None, float | None]
    extent: tuple[float, float]
    unit: str

    def __init__(
        self,
        axis: str,
        interval: tuple[float | None, float | None],
        extent: tuple[float, float],
        unit: str = "world units",
    ) -> None:
        super().__init__(axis, interval, extent, unit)
        self.axis, self.interval, self.extent, self.unit = axis, interval, extent, unit

    def __str__(self) -> str:
        """Return axis, interval and extent in a sentence."""
        low, high = ("unbounded" if bound is None else f"{bound:g}" for bound in self.interval)
        return (
            f"The region holds no pixel along axis '{self.axis}': it spans [{low}, {high}) where the array spans "
            f"[{self.extent[0]:g}, {self.extent[1]:g}) {self.unit}. {self._advice}"
        )

    @property
    def _advice(self) -> str:
        (start, end), (low, high) = self.interval, self.extent
        if start is not None and start == end:
            return "Give it a length above 0."
        if (start is None or start < high) and (end is None or end > low):
            return "It is smaller than a pixel there: bounds='outer' takes the pixels that it touches."
        hint = "" if self.unit.startswith("pixel") else " If its numbers count pixels, give it space='pixel'."
        return f"Choose a region that overlaps the array.{hint}"


class NgioUserWarning(UserWarning):
    """Something was accepted, but is probably not what was meant."""


class NgioRoleWarning(NgioUserWarning):
    """Integers were treated as an image or as labels though the array does not say which of the two it is."""


def warn(message: str, category: type[NgioUserWarning] = NgioUserWarning) -> None:
    """Warn of something, at the line outside this package that led to it."""
    frame, level = sys._getframe(1), 2  # noqa: SLF001 — the documented way to count frames
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == __package__:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)
