"""Tables of any kind as batches of Arrow columns."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyfm.checks import refuse
from pyfm.dataset import is_table
from pyfm.encode.arrow import arrow
from pyfm.encode.file_table import FileTable
from pyfm.encode.parquet import ParquetTable
from pyfm.encode.python_columns import array_of, explain
from pyfm.encode.tokens import Column

BATCH_ROWS = 1 << 16


@dataclass
class Batch:
    """Some rows of a table, and the ids of the fields that were encoded so far.

    All batches of a pass share the memo of their fields.
    """

    arrays: dict[str, Any]
    first_row: int
    n_rows: int
    memo: dict[str, Any]
    ids: dict[str, NDArray[np.uint32]] = field(default_factory=dict)

    def column(self, name: str) -> Column:
        return Column(name, self.arrays[name], self.first_row)


class Table:
    """Columns, read in batches of the same number of rows, however they lie in memory."""

    def __init__(
        self,
        source: Any,
        schema: Any,
        n_rows: int | None,
        *,
        again: bool = True,
        first_row: int = 0,
    ) -> None:
        self._source, self._schema = source, schema
        self._first_row = first_row  # of a larger table, whose piece this is
        plain = map(_without_views, schema.types)
        self.types = dict(zip(schema.names, plain, strict=True))
        if len(self.types) < len(schema.names):
            twice = next(name for name in schema.names if schema.names.count(name) > 1)
            refuse("columns", "different names", f"{twice} twice")
        for name in _index_columns(schema):
            self.types.pop(name, None)
        self.n_rows = n_rows  # None: not known before it is read
        self.can_be_read_again = again

    @property
    def names(self) -> list[str]:
        return list(self.types)

    def batches(self, names: list[str]) -> Iterator[Batch]:
        """Of some columns."""
        n_rows, memo = self._first_row, dict[str, Any]()
        for piece in self._pieces(names):
            arrays = {name: _whole(piece.column(name)) for name in names}
            yield Batch(arrays, n_rows, piece.num_rows, memo)
            n_rows += piece.num_rows

    def pieces(self, names: list[str]) -> Iterator[Table]:
        """Some columns, a batch at a time, as tables of the same types."""
        pa = arrow()
        n_rows = self._first_row
        schema = pa.schema([self._schema.field(name) for name in names])
        for piece in self._pieces(names):
            yield Table(piece, schema, piece.num_rows, first_row=n_rows)
            n_rows += piece.num_rows

    def _pieces(self, names: list[str]) -> Iterator[Any]:
        pa = arrow()
        if isinstance(self._source, pa.Table):
            chosen = self._source.select(names)
            for start in range(0, chosen.num_rows, BATCH_ROWS):
                yield chosen.slice(start, BATCH_ROWS)
            return
        held: list[Any] = []
        n_held = 0
        for batch in self._record_batches(names):
            while batch.num_rows:
                held.append(batch.slice(0, BATCH_ROWS - n_held))
                n_held += held[-1].num_rows
                batch = batch.slice(held[-1].num_rows)
                if n_held == BATCH_ROWS:
                    yield pa.Table.from_batches(held)
                    held, n_held = [], 0
        if held:
            yield pa.Table.from_batches(held)

    def _record_batches(self, names: list[str]) -> Iterator[Any]:
        if isinstance(self._source, FileTable):
            yield from self._source.batches(names, BATCH_ROWS)
        elif hasattr(self._source, "to_batches"):  # a pyarrow.dataset.Dataset
            yield from self._source.to_batches(columns=names, batch_size=BATCH_ROWS)
        else:
            for batch in self._source:
                yield batch.select(names)


def open_table(X: Any, *, again: bool = False) -> Table:
    """The columns of X; those of a stream are held in memory if they are needed `again`.

    Raises
    ------
    ValueError
        For anything that is no table, columns that Arrow has no type for, names that occur twice.
    """
    pa = arrow()
    if isinstance(X, Table):
        return X
    if isinstance(X, FileTable):
        return Table(X, X.schema, None)
    if isinstance(X, str | os.PathLike):
        source = ParquetTable(os.fspath(X))
        return Table(source, source.schema, None)
    if _is_arrow_dataset(X):
        return Table(X, X.schema, None)
    if isinstance(X, pa.RecordBatchReader):
        if again:
            X = X.read_all()
        else:
            return Table(X, X.schema, None, again=False)
    table = _in_memory(X)
    return Table(table, table.schema, table.num_rows)


def _in_memory(X: Any) -> Any:
    pa = arrow()
    if isinstance(X, pa.Table):
        return X
    if isinstance(X, np.ndarray) and X.dtype.names is not None:
        X = {name: X[name] for name in X.dtype.names}
    if isinstance(X, Mapping):
        columns = {_name(name): array_of(name, values) for name, values in X.items()}
        for name, column in columns.items():
            first = next(iter(columns))
            if len(column) != len(columns[first]):
                expected = f"{len(columns[first])} rows, as of {first!r}"
                refuse(f"column {name!r}", expected, len(column))
        return pa.table(columns)
    if not is_table(X):
        raise ValueError(
            "X: expected a table of pandas, polars or pyarrow, a dict of arrays, a structured "
            f"array, or the path of Parquet files, found {type(X).__name__}"
        )
    names = [str(name) for name in getattr(X, "columns", [])]
    if len(set(names)) < len(names):
        refuse("columns", "different names", f"{max(names, key=names.count)} twice")
    try:
        return pa.table(X)
    except (pa.lib.ArrowException, TypeError, ValueError) as error:
        explain(X, error)


def _name(name: Any) -> str:
    if not isinstance(name, str):
        refuse("columns", "names that are strings", name)
    return name


def _is_arrow_dataset(X: Any) -> bool:
    return hasattr(X, "get_fragments") and hasattr(X, "to_batches")


def _whole(column: Any) -> Any:
    """The column of some rows in one piece, without views of strings, for which kernels lack."""
    pa = arrow()
    wanted = _without_views(column.type)
    chunks = [chunk if chunk.type == wanted else _cast(chunk, wanted) for chunk in column.chunks]
    if len(chunks) == 1:
        return chunks[0]
    return pa.concat_arrays(pa.chunked_array(chunks, wanted).unify_dictionaries().chunks)


@functools.cache
def _simple_types() -> set[int]:
    """Most of the columns that there are: to ask for each type takes time, of single rows."""
    pa = arrow()
    return {type_.id for type_ in (pa.string(), pa.int64(), pa.float64(), pa.int32(), pa.bool_())}


def _without_views(type_: Any) -> Any:
    if type_.id in _simple_types():
        return type_
    pa = arrow()
    types = pa.types
    if types.is_string_view(type_) or types.is_binary_view(type_):
        return pa.large_string() if types.is_string_view(type_) else pa.large_binary()
    if types.is_dictionary(type_):
        return pa.dictionary(type_.index_type, _without_views(type_.value_type), type_.ordered)
    if types.is_list(type_):
        return pa.list_(_without_views(type_.value_type))
    if types.is_large_list(type_):
        return pa.large_list(_without_views(type_.value_type))
    return type_


def _cast(array: Any, wanted: Any) -> Any:
    pa = arrow()
    if pa.types.is_dictionary(array.type):
        values = array.dictionary.cast(wanted.value_type)
        return pa.DictionaryArray.from_arrays(array.indices, values)
    return array.cast(wanted)


def _index_columns(schema: Any) -> list[str]:
    """The columns that pandas makes of an index: rows in another order are not other rows."""
    text = (schema.metadata or {}).get(b"pandas")
    if text is None:
        return []
    try:
        index = json.loads(text)["index_columns"]
    except (ValueError, KeyError, TypeError):
        return []
    return [name for name in index if isinstance(name, str)]
