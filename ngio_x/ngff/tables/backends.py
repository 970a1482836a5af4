"""Four ways to store columns in a zarr group, each as ngio 1 does it.

A column is a list of texts, integers, floats or booleans; None is what is missing.
"""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, Final, Literal, NamedTuple, TypeAlias

import numpy as np
import zarr
from zarr.core.buffer import default_buffer_prototype
from zarr.core.sync import sync

from ngio_x._frozen import shown
from ngio_x.errors import NgioValidationError, NgioValueError
from ngio_x.ngff.tables.csv_text import columns_of_csv, csv_text
from ngio_x.roi.columns import integer_type

Columns: TypeAlias = dict[str, list[Any]]
"""Columns of one length, by name; the first is the index."""

TableBackend: TypeAlias = Literal["csv", "json", "parquet", "anndata_v1"]
"""How a table is stored."""


UNNAMED: Final = "_index"
"""What the index is called that has no name; no column of anndata may be called so."""


class Backend(NamedTuple):
    """How columns are written into a new, empty group, and read from it."""

    write: Callable[[zarr.Group, Columns], None]
    read: Callable[[zarr.Group], Columns]


def backend_called(name: Any) -> TableBackend:
    """Return the backend of a name, or of another name that it has, or had.

    Raises:
        NgioValueError: If there is none.
    """
    called = _ALIASES.get(name, name) if isinstance(name, str) else None
    for backend in BACKENDS:
        if backend == called:
            return backend
    raise NgioValueError(f"backend must be one of {', '.join(map(repr, BACKENDS))}, got {shown(name)}")


def _extra(module: str, backend: str) -> Any:
    """Import what an extra installs."""
    try:
        return import_module(module)
    except ImportError as error:
        raise NgioValueError(
            f"tables with backend {backend!r} need {module.partition('.')[0]}: pip install 'ngio-x[tables]'"
        ) from error


def _put(group: zarr.Group, name: str, content: bytes) -> None:
    sync((group.store_path / name).set(default_buffer_prototype().buffer.from_bytes(content)))


def _content(group: zarr.Group, name: str) -> bytes:
    found = sync((group.store_path / name).get(default_buffer_prototype()))
    if found is None:
        raise NgioValidationError(f"has no {name!r}, which its backend says it has")
    return found.to_bytes()


# ---- Text


def csv_bytes(columns: Columns) -> bytes:
    """Return columns as comma-separated text."""
    return csv_text(columns).encode()


def _write_csv(group: zarr.Group, columns: Columns) -> None:
    _put(group, "table.csv", csv_bytes(columns))


def _read_csv(group: zarr.Group) -> Columns:
    return columns_of_csv(_content(group, "table.csv").decode())


def columns_of_json(content: bytes) -> Columns:
    """Return the columns of a JSON object of lists.

    Raises:
        NgioValueError: If it is something else.
    """
    try:
        columns = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise NgioValueError(f"is no JSON: {error}") from None
    if not isinstance(columns, dict) or not all(isinstance(column, list) for column in columns.values()):
        raise NgioValueError(f"must hold a JSON object of lists, one for each column, got {shown(columns)}")
    return columns


def json_bytes(columns: Columns) -> bytes:
    """Return columns as a JSON object of lists."""
    return json.dumps(columns, ensure_ascii=False).encode()


def _write_json(group: zarr.Group, columns: Columns) -> None:
    group.create_group("table", attributes=columns)


def _read_json(group: zarr.Group) -> Columns:
    try:
        table = zarr.open_group(group.store_path / "table", mode="r", use_consolidated=False)
    except FileNotFoundError:
        raise NgioValidationError("has no group 'table', which its backend says it has") from None
    columns: Columns = table.attrs.asdict()  # type: ignore[assignment]  # checked by who reads it
    return columns


# ---- Parquet


def parquet_bytes(columns: Columns) -> bytes:
    """Return columns as a parquet file.

    Raises:
        NgioValueError: If pyarrow is not installed.
    """
    arrow, parquet = _extra("pyarrow", "parquet"), _extra("pyarrow.parquet", "parquet")
    stream = io.BytesIO()
    arrays = {name: arrow.array(column, _arrow_type(arrow, column)) for name, column in columns.items()}
    parquet.write_table(arrow.table(arrays), stream)
    return stream.getvalue()


def _arrow_type(arrow: Any, column: Sequence[Any]) -> Any:
    kinds = {type(value) for value in column} - {type(None)}
    if kinds == {int}:
        return getattr(arrow, integer_type(column) or "int64")()
    return {str: arrow.string(), bool: arrow.bool_()}.get(next(iter(kinds), float), arrow.float64())


def _write_parquet(group: zarr.Group, columns: Columns) -> None:
    _put(group, "table.parquet", parquet_bytes(columns))


def _read_parquet(group: zarr.Group) -> Columns:
    return columns_of_parquet(_content(group, "table.parquet"))


def columns_of_parquet(content: bytes) -> Columns:
    """Return the columns of a parquet file.

    Raises:
        NgioValueError: If pyarrow is not installed.
    """
    parquet = _extra("pyarrow.parquet", "parquet")
    columns: Columns = parquet.ParquetFile(io.BytesIO(content)).read().to_pydict()
    return {name: _as_json(column) for name, column in columns.items()}


def _as_json(column: list[Any]) -> list[Any]:
    """Return a column whose dates and the like are text."""
    if {type(value) for value in column} <= {str, int, float, bool, list, dict, type(None)}:
        return column
    return [value if value is None else str(value) for value in column]


# ---- AnnData: https://anndata.readthedocs.io/en/stable/fileformat-prose.html

_CONFIGURING: Final = threading.Lock()
"""Held while zarr's configuration, which threads share, is another."""
_EMPTY: Final = ("layers", "obsm", "obsp", "uns", "varm", "varp")


def _write_anndata(group: zarr.Group, columns: Columns) -> None:
    """Write floats as the matrix X and the rest beside it, as ngio does; booleans, which it takes for floats, too."""
    io, pandas = _extra("anndata.io", "anndata_v1"), _extra("pandas", "anndata_v1")
    names = list(columns)
    index = pandas.Index(list(map(str, columns[names[0]])), dtype=object, name=names[0])
    series = {name: _series(pandas, columns[name]) for name in names[1:]}
    floats = [name for name in names[1:] if series[name].dtype == np.float64]
    beside = {name: column for name, column in series.items() if name not in floats}
    if unfit := [name for name in beside if "/" in name or name in ("", ".", "..", UNNAMED, names[0])]:
        raise NgioValueError(f"column {unfit[0]!r} cannot be called so in an anndata table: take another backend")
    matrix = np.array([series[name] for name in floats], dtype=np.float64).reshape(len(floats), len(index)).T
    plain = {} if group.metadata.zarr_format == 2 else {"shards": None}  # or anndata warns that it will shard
    group.attrs.update({"encoding-type": "anndata", "encoding-version": "0.1.0"})
    with _CONFIGURING, zarr.config.set({"array.write_empty_chunks": True}):  # or what is lost would look like zeros
        io.write_elem(group, "X", np.ascontiguousarray(matrix), dataset_kwargs=plain)
        io.write_elem(group, "obs", pandas.DataFrame(beside, index=index), dataset_kwargs=plain)
    io.write_elem(group, "var", pandas.DataFrame(index=pandas.Index(floats, dtype=object)), dataset_kwargs=plain)
    for name in _EMPTY:
        io.write_elem(group, name, {})


def _series(pandas: Any, column: Sequence[Any]) -> Any:
    """Return a column as what anndata has an encoding for."""
    missing = None in column
    kinds = {type(value) for value in column} - {type(None)}
    if kinds == {str}:
        return pandas.Categorical(column) if missing else np.array(column, dtype=object)
    if kinds == {bool}:
        return pandas.array(column, dtype="boolean" if missing else "bool")
    if kinds == {int}:
        kind = integer_type(column) or "int64"
        return pandas.array(column, dtype={"int64": "Int64", "uint64": "UInt64"}[kind] if missing else kind)
    return np.array(column, dtype=np.float64)  # None becomes NaN


def _read_anndata(group: zarr.Group) -> Columns:
    io = _extra("anndata.io", "anndata_v1")
    for name in ("obs", "X"):
        _require_chunks(group.get(name))
    obs = io.read_elem(group["obs"])
    columns = {str(obs.index.name or UNNAMED): obs.index.tolist()}
    columns |= {str(name): _values(obs[name]) for name in obs}
    if "X" in group and "var" in group:
        matrix = io.read_elem(group["X"])
        matrix = matrix.toarray() if hasattr(matrix, "toarray") else np.asarray(matrix)
        names = map(str, io.read_elem(group["var"]).index)
        columns |= {name: number.tolist() for name, number in zip(names, matrix.T, strict=True)}
    return columns


def _require_chunks(element: zarr.Array[Any] | zarr.Group | None) -> None:
    """Refuse rows that are gone: zarr reads zeros there, and regions without name or length.

    Of other columns a chunk of zeros may be missing by right.
    """
    if isinstance(element, zarr.Group):
        element = element.get(str(element.attrs.get("_index", UNNAMED)))
    if not isinstance(element, zarr.Array) or (element.ndim > 1 and element.chunks[1] < element.shape[1]):
        return
    if missing := element.nchunks - element.nchunks_initialized:
        raise NgioValidationError(
            f"{element.basename!r} lacks {missing} of {element.nchunks} chunks, and regions in them: restore the file, "
            "or write the table anew"
        )


def _values(series: Any) -> list[Any]:
    """Return the values of a column of pandas, None for what is missing."""
    values: list[Any] = series.astype(object).where(series.notna(), None).tolist()
    return values


BACKENDS: Final[Mapping[TableBackend, Backend]] = {
    "csv": Backend(_write_csv, _read_csv),
    "json": Backend(_write_json, _read_json),
    "parquet": Backend(_write_parquet, _read_parquet),
    "anndata_v1": Backend(_write_anndata, _read_anndata),
}
_ALIASES: Final[Mapping[str, TableBackend]] = {
    "anndata": "anndata_v1",
    "experimental_csv_v1": "csv",
    "experimental_json_v1": "json",
    "experimental_parquet_v1": "parquet",
}
