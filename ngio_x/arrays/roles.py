"""What an array is, an image or labels, as far as it says so and that is still true.

The role stands in the attribute `role`, and beside it, in `role_dtype`, the dtype that the array had when it was given.
xarray's verbs keep both where they keep attributes, and drop them where two arrays of different roles meet; what turns
ids into other numbers mostly changes the dtype. So a role counts only while the dtype is the one beside it.
"""

from __future__ import annotations

from typing import Any, Final, Literal, TypeAlias

import numpy as np
import xarray as xr

from ngio_x.arrays.lazy import require_plain
from ngio_x.errors import NgioRoleWarning, NgioTypeError, warn

Role: TypeAlias = Literal["image", "labels"]

IMAGE: Final = "image"
"""The role of arrays that hold grey levels."""
LABELS: Final = "labels"
"""The role of arrays that hold object ids, which are never blended."""
TO_IDS: Final = "convert with .astype('uint32'), and before that, where there are NaN (as of where), .fillna(0)"
"""What to do with ids that are no integers, for messages; what integer a NaN becomes is left to the machine."""
_ROLES: Final[tuple[Role, ...]] = (IMAGE, LABELS)
_ROLE: Final = "role"
_DTYPE: Final = "role_dtype"


def role_attrs(role: Role, dtype: np.dtype[Any]) -> dict[str, str]:
    """Return the attributes by which an array of a dtype says what it is."""
    return {_ROLE: role, _DTYPE: dtype.name}


def with_role(image: xr.DataArray, role: Role) -> xr.DataArray:
    """Return the array, which says from now on what it is."""
    return image.assign_attrs(role_attrs(role, image.dtype))


def role_of(image: xr.DataArray) -> Role | None:
    """Return what an array is; None where it does not say so, or no longer truly.

    Labels are integers. Integers have the dtype that they had when they were given their role; of other numbers, which
    cannot be taken for ids, it does not matter.
    """
    role, dtype = _told(image), image.attrs.get(_DTYPE)
    if image.dtype.kind in "iu":
        return role if dtype in (None, image.dtype.name) else None
    return IMAGE if role == IMAGE else None


def _told(image: xr.DataArray) -> Role | None:
    """Return what the attribute says, true or not; None where it is missing, or somebody else's."""
    found = image.attrs.get(_ROLE)
    return next((role for role in _ROLES if isinstance(found, str) and found == role), None)


def is_labels(image: xr.DataArray, argument: str = "image") -> bool:
    """Return whether an array is to be treated as labels; what could be either is treated as an image, with a warning.

    Warns:
        NgioRoleWarning: If the array holds integers and its role is unknown, or floats that were labels before.
    """
    role = role_of(image)
    if role is None and _may_hold_ids(image):
        warn(
            f"{_called(image, argument)} is treated as an image, though {_why_unknown(image)}: say what it is with "
            "as_image(...) or as_labels(...), or, where a kernel is chosen, with order=",
            NgioRoleWarning,
        )
    return role == LABELS


def _may_hold_ids(image: xr.DataArray) -> bool:
    """Return whether numbers without a role may be ids: integers, and labels that `where` has made floats."""
    return image.dtype.kind in "iu" or (image.dtype.kind == "f" and _told(image) == LABELS)


def settled(image: xr.DataArray) -> xr.DataArray:
    """Return the array with a role that is known, so that it is asked, and warned of, once.

    Warns:
        NgioRoleWarning: As `is_labels`.
    """
    return with_role(image, LABELS if is_labels(image) else IMAGE)


def by_place(array: xr.DataArray) -> xr.DataArray:
    """Return an array that stands among label images as labels, where it does not say itself what it is."""
    return with_role(array, LABELS) if array.dtype.kind in "iu" and role_of(array) is None else array


def require_labels(labels: xr.DataArray, argument: str = "labels") -> None:
    """Refuse an array that holds no ids, or says that it is an image. Booleans are labels with the one id 1.

    Warns:
        NgioRoleWarning: If the array holds integers and its role is unknown.

    Raises:
        NgioTypeError: If it is not made of integers or booleans, or is an image.
    """
    if labels.dtype.kind not in "iub":
        raise NgioTypeError(f"{argument} must be integers, got {labels.dtype}: {TO_IDS}")
    require_plain(labels, argument)
    if labels.dtype.kind == "b":
        return
    role = role_of(labels)
    if role == IMAGE:
        raise NgioTypeError(
            f"{argument} must hold ids, but {_called(labels, 'the array')} says that it is an image of {labels.dtype} "
            "grey levels: if they are ids, say so with as_labels(...)"
        )
    if role is None:
        warn(
            f"{_called(labels, argument)} is taken for labels, though {_why_unknown(labels)}: say that it is with "
            "as_labels(...)",
            NgioRoleWarning,
        )


def _called(image: xr.DataArray, argument: str) -> str:
    return argument if image.name is None else f"{argument} {image.name!r}"


def _why_unknown(image: xr.DataArray) -> str:
    """Return what is missing, or no longer true."""
    role = _told(image)
    if role is not None:
        return f"it holds {image.dtype}, and its role, {role}, was given to {image.attrs.get(_DTYPE)}"
    return (
        f"it does not say whether its {image.dtype} numbers are grey levels or ids (xarray drops the attribute 'role' "
        "where it drops attributes, and where images and labels meet)"
    )
