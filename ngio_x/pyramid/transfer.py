"""Move chunks from arrays into others of the same pixels, without decoding them where that can be."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import dask.config
import numpy as np
import zarr
from dask.delayed import delayed
from zarr.abc.store import RangeByteRequest, SuffixByteRequest
from zarr.codecs import Crc32cCodec, ShardingCodec
from zarr.core.array_spec import ArrayConfig, ArraySpec
from zarr.core.buffer import Buffer, default_buffer_prototype
from zarr.core.sync import sync
from zarr.storage import StorePath

from ngio_x.errors import NgioStorageError
from ngio_x.pyramid.boxes import window_of
from ngio_x.pyramid.execute import read, run_batch, scheduler_within_reach, write
from ngio_x.pyramid.formats import Way, raw_bytes
from ngio_x.pyramid.intact import intact
from ngio_x.pyramid.layout import Layout, layout_of
from ngio_x.pyramid.places import anchored, name_of
from ngio_x.pyramid.progress import Progress, counter
from ngio_x.resample.evaluate import Window

_TASKS: Final = 64
"""Tasks that the units of an array are shared among, at least, so that all threads have some."""
_UNITS: Final = 256
"""Units of a task, at most."""
_BATCH: Final = 4096
"""Tasks that are handed to dask at a time."""
_MISSING: Final = 2**64 - 1
"""Where the index of a shard says that a chunk is, of which there is nothing."""


class Transfer(NamedTuple):
    """An array, and the new one that its chunks go to."""

    source: zarr.Array[Any]
    target: zarr.Array[Any]
    """Its chunks are those of the source, or of the shards of that."""
    way: Way


def transfer(transfers: Sequence[Transfer], progress: Progress = False) -> None:
    """Move all chunks, or shards, on the active dask scheduler; what is missing in a source is missing in its target.

    Args:
        transfers: From where to where.
        progress: Called with the number of chunks, or shards, done and of all.

    Raises:
        NgioStorageError: If one cannot be read, or is known to be cut off, or cannot be written; it names that.
    """
    filled = [each for each in transfers if 0 not in each.source.shape]
    layouts = [layout_of(each.source) for each in filled]
    report = counter(progress, sum(math.prod(layout.grid) for layout in layouts))
    step = delayed(_transfer_units, pure=False, traverse=False)
    tasks: Iterator[tuple[Any, int]] = (
        (step(opened, start, stop), layout.itemsize * math.prod(layout.unit))
        for each, layout in zip(filled, layouts, strict=True)
        for opened in [delayed(_opened(each), traverse=False)]
        for start, stop in _runs(math.prod(layout.grid))
    )
    with dask.config.set(scheduler_within_reach([array for each in filled for array in each[:2]])):
        while batch := list(itertools.islice(tasks, _BATCH)):
            run_batch([task for task, _ in batch], max(2 * held for _, held in batch), report)


def _opened(each: Transfer) -> Transfer:
    return each._replace(source=intact(anchored(each.source)), target=anchored(each.target))


def _runs(count: int) -> Iterator[tuple[int, int]]:
    """Return where runs of units begin and end."""
    length = min(_UNITS, max(1, count // _TASKS))
    for start in range(0, count, length):
        yield start, min(start + length, count)


def _transfer_units(each: Transfer, start: int, stop: int) -> int:
    """Move a run of chunks, or shards; return their number."""
    layout = layout_of(each.source)
    move = {"copy": _copy, "unpack": _unpack, "encode": _encode}[each.way]
    for unit in range(start, stop):
        at = tuple(map(int, np.unravel_index(unit, layout.grid))) if layout.grid else ()
        window = window_of(layout.in_pixels(tuple((index, index + 1) for index in at)))
        move(each, layout, at, window)
    return stop - start


def _encode(each: Transfer, _layout: Layout, _at: tuple[int, ...], window: Window) -> None:
    write(each.target, read(each.source, window), window, window)


def _copy(each: Transfer, _layout: Layout, at: tuple[int, ...], window: Window) -> None:
    try:
        content = sync(_place(each.source, at).get())
        expected = raw_bytes(each.source)
        if content is not None and expected not in (None, len(content)):
            raise ValueError(f"it has {len(content)} bytes, where there should be {expected}")  # noqa: TRY301
    except Exception as error:
        raise _failed("read", each.source, window, error) from error
    if content is not None:
        _put(each.target, at, content, window)


def _unpack(each: Transfer, layout: Layout, at: tuple[int, ...], window: Window) -> None:
    """Write the chunks of a shard one by one, as the bytes they are."""
    place, counts = _place(each.source, at), [n // m for n, m in zip(layout.unit, layout.chunks, strict=True)]
    metadata: Any = each.source.metadata
    try:
        index = _index_of(place, metadata.codecs[0], math.prod(counts))
    except Exception as error:
        raise _failed("read", each.source, window, error) from error
    for inner, (offset, length) in enumerate(index):
        if (offset, length) == (_MISSING, _MISSING):
            continue
        within = np.unravel_index(inner, counts)
        chunk = tuple(k * n + int(m) for k, n, m in zip(at, counts, within, strict=True))
        try:
            content = sync(place.get(byte_range=RangeByteRequest(offset, offset + length)))
        except Exception as error:
            raise _failed("read", each.source, window, error) from error
        if content is not None:
            _put(each.target, chunk, content, window)


def _index_of(place: StorePath, codec: ShardingCodec, count: int) -> list[tuple[int, int]]:
    """Return where in a shard each of its chunks begins, and how many bytes it has; nothing, if there is no shard.

    Raises:
        ValueError: If the index does not have the checksum that it says.
    """
    size = 16 * count + 4
    wanted = SuffixByteRequest(size) if codec.index_location.value == "end" else RangeByteRequest(0, size)
    content = sync(place.get(byte_range=wanted))
    if content is None:
        return []
    if len(content) != size:
        raise ValueError(f"the shard is cut off: {len(content)} bytes, where its index alone has {size}")
    numbers = np.frombuffer(_checked(content).to_bytes(), "<u8").reshape(-1, 2)
    return [(offset, length) for offset, length in numbers.tolist()]


def _checked(content: Buffer) -> Buffer:
    """Return what a checksum stands behind, if it is right."""
    uint8: Any = zarr.dtype.UInt8()
    config = ArrayConfig(order="C", write_empty_chunks=False)
    spec = ArraySpec((len(content),), uint8, 0, config, default_buffer_prototype())
    (checked,) = sync(Crc32cCodec().decode([(content, spec)]))
    return checked  # type: ignore[return-value]  # nothing is missing


def _place(array: zarr.Array[Any], at: tuple[int, ...]) -> StorePath:
    """Return where a chunk, or shard, of an array is stored."""
    place: StorePath = array.store_path / array.metadata.encode_chunk_key(at)
    return place


def _put(array: zarr.Array[Any], at: tuple[int, ...], content: Buffer, window: Window) -> None:
    try:
        sync(_place(array, at).set(content))
    except Exception as error:
        raise _failed("write", array, window, error) from error


def _failed(action: str, array: zarr.Array[Any], window: Window, error: Exception) -> NgioStorageError:
    reason = f"{type(error).__name__}: {error}"
    return NgioStorageError(action, name_of(array.store_path), window, reason)
