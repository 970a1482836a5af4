"""Images that commands work on, regions in them, and files that they write."""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import xarray as xr

from ngio_x.arrays.crop import in_world
from ngio_x.arrays.tree import array_of, image_of, images_of
from ngio_x.errors import NgioFileExistsError, NgioFileNotFoundError, NgioValueError
from ngio_x.ngff.hierarchy import label_paths
from ngio_x.ngff.read import open_ome_zarr
from ngio_x.ngff.store import open_group
from ngio_x.ngff.tables.rois import read_rois
from ngio_x.roi.roi import Roi


def opened(image: str) -> xr.DataTree:
    """Return the tree of one image.

    Raises:
        NgioValueError: If it is a well or a plate.
    """
    tree = open_ome_zarr(image)
    images = images_of(tree)
    if len(images) != 1:
        such = f", such as {image.rstrip('/')}{next(iter(images))}" if images else ""
        raise NgioValueError(f"{image} holds {len(images)} images: name one of them{such}")
    return tree


def label_group(image: str, label: str) -> str:
    """Return the place of a label image.

    Raises:
        NgioValueError: If there is none of that name.
    """
    there = label_paths(open_group(image))
    if label not in there:
        names = f"only {', '.join(map(repr, there))}" if there else "nor any other"
        raise NgioValueError(f"{image} has no label image {label!r}, {names}")
    return f"{image.rstrip('/')}/labels/{label}"


def labels_in(image: str, label: str) -> xr.DataArray:
    """Return level 0 of a label image, at its place in the world of its image.

    Raises:
        NgioValueError: If there is none of that name.
    """
    label_group(image, label)
    (pyramids,) = images_of(opened(image)).values()
    if label not in pyramids:
        raise NgioValueError(f"{image} has no label image {label!r}, only {', '.join(filter(None, pyramids))}")
    return array_of(next(iter(pyramids[label].values())))


# ---- Regions


def region_in(image: xr.DataArray, text: str, *, pixels: bool) -> Roi:
    """Return the region that `--region` means.

    Args:
        image: Level 0 of the image.
        text: Intervals by axis, such as `y=0:100,x=20:`; a number alone is one position of an axis that counts pixels.
        pixels: Whether the numbers count pixels on all axes.

    Raises:
        NgioValueError: If it means none, or names another axis than the image has.
    """
    intervals: dict[str, slice] = {str(dim): slice(None) for dim in image.dims}
    named = set[str]()
    for item in text.split(","):
        axis, equals, bounds = (part.strip() for part in item.partition("="))
        if not equals or axis in named:
            raise _no_region(text, f"{axis!r} is named twice" if axis in named else f"{item.strip()!r} has no '='")
        if axis not in intervals:
            raise NgioValueError(f"--region names axis {axis!r}, but the image has {', '.join(intervals)}")
        named.add(axis)
        intervals[axis] = _interval(text, axis, bounds, is_counted=pixels or axis == "c")
    return Roi.from_values(intervals, None, space="pixel" if pixels else "world")


def _interval(text: str, axis: str, bounds: str, *, is_counted: bool) -> slice:
    start, colon, stop = (part.strip() for part in bounds.partition(":"))
    try:
        low, high = (float(part) if part else None for part in (start, stop))
    except ValueError:
        raise _no_region(text, f"{bounds!r} is no interval") from None
    if any(bound is not None and not math.isfinite(bound) for bound in (low, high)):
        raise _no_region(text, f"{bounds!r} is not finite")
    if not colon:
        if low is None or not is_counted:
            raise _no_region(text, f"axis {axis!r} needs START:STOP (with --pixels, a number is one pixel)")
        return slice(low, low + 1)
    if low is not None and high is not None and low >= high:
        raise _no_region(text, f"{bounds!r} ends before it begins, or holds nothing")
    return slice(low, high)


def _no_region(text: str, why: str) -> NgioValueError:
    return NgioValueError(f"--region must be intervals by axis, such as y=0:100,x=20:90; got {text!r}: {why}")


def chosen_region(
    image: str, tree: xr.DataTree, region: str | None, table: str | None, name: str | None, *, pixels: bool
) -> Roi:
    """Return the region, in world units, that options mean: by numbers, of a table, or what these two share.

    Raises:
        NgioValueError: If they mean none.
        NgioFileNotFoundError: If there is no such table.
    """
    if (table is None) != (name is None):
        raise NgioValueError("a region of a table needs both, --table TABLE and --roi NAME")
    if region is None and table is None:
        raise NgioValueError("say which region: --region y=0:100,x=20:90, or --table TABLE --roi NAME")
    if pixels and region is None:
        raise NgioValueError("--pixels says what --region counts: give that, too")
    finest = image_of(tree)
    numbers = None if region is None else in_world(region_in(finest, region, pixels=pixels), finest)
    if table is None or name is None:
        return numbers  # type: ignore[return-value]  # one of them was given
    found = _called(read_rois(image, table), name, table)
    shared = found if numbers is None else found.intersection(numbers)
    if shared is None:
        raise NgioValueError(f"region {name!r} of table {table!r} and --region {region} have nothing in common")
    return shared


def _called(rois: Sequence[Roi], name: str, table: str) -> Roi:
    """Return the region of a name, else of a label."""
    for names in ([roi.get_name() for roi in rois], [str(roi.label) for roi in rois]):
        if name in names:
            return rois[names.index(name)]
    some = ", ".join(repr(roi.get_name()) for roi in rois[:5]) + (f" and {len(rois) - 5} more" if len(rois) > 5 else "")
    raise NgioValueError(f"table {table!r} has no region {name!r}, only {some or 'none at all'}")


# ---- Files


def require_free(out: Path, endings: Sequence[str], *, overwrite: bool) -> None:
    """Refuse a file that cannot be written, before any work.

    Raises:
        NgioValueError: If it has another ending, or there is no directory to put it in.
        NgioFileExistsError: If it is there and `overwrite` is False, or is a directory.
        NgioFileNotFoundError: If its directory does not exist.
    """
    if out.is_dir():
        raise NgioFileExistsError(f"{out} is a directory: name a file in it, such as {out / ('a' + endings[0])}")
    if not out.name.lower().endswith(tuple(endings)):
        raise NgioValueError(f"the name of the file must end in {', '.join(endings)}, got {str(out)!r}")
    if not out.parent.is_dir():
        raise NgioFileNotFoundError(f"{out.parent} is no directory: make it first")
    if out.exists() and not overwrite:
        raise NgioFileExistsError(f"{out} exists: to replace it, pass --overwrite")


@contextmanager
def drafted(out: Path) -> Iterator[Path]:
    """Yield a hidden path to write to, which becomes the file when it is complete, and vanishes on an error."""
    draft = out.with_name(f".{out.name}.{uuid.uuid4().hex[:8]}")
    try:
        yield draft
        draft.replace(out)
    finally:
        draft.unlink(missing_ok=True)
