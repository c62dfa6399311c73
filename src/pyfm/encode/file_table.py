"""Tables in files, which are opened when they are read, as often as they are asked for."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pyfm.checks import refuse
from pyfm.encode.arrow import arrow


class FileTable:
    """Columns of one file or of several, with their types in `schema`."""

    schema: Any  # a pyarrow.Schema

    def batches(self, names: list[str], n_rows: int) -> Iterator[Any]:
        """Record batches of some columns, of about so many rows or fewer."""
        raise NotImplementedError


class FileTables(FileTable):
    """The rows of several tables, one after the other; the first one's columns.

    Types are the first one's, too, unless a later file needs a wider one: numbers that are not
    whole, or values where the first has none.
    """

    def __init__(self, tables: Sequence[FileTable], paths: Sequence[str]) -> None:
        self._tables, self._paths = tables, paths
        self.schema = tables[0].schema
        for table, path in zip(tables, paths, strict=True):
            for name in self.schema.names:
                if name not in table.schema.names:
                    refuse(f"{path}: column {name!r}", f"one, as in {paths[0]}", "none")
            for name in table.schema.names:
                if name not in self.schema.names:
                    refuse(path, f"the columns of {paths[0]}", f"also {name!r}")
        self._widened = _widened([table.schema for table in tables])
        for name, wide in self._widened.items():
            i = self.schema.get_field_index(name)
            self.schema = self.schema.set(i, self.schema.field(i).with_type(wide))

    def batches(self, names: list[str], n_rows: int) -> Iterator[Any]:
        wanted = None
        for table, path in zip(self._tables, self._paths, strict=True):
            for batch in table.batches(names, n_rows):
                wanted = wanted or self._types_of(batch.schema)
                yield batch if batch.schema == wanted else _as(wanted, batch, path, self._paths[0])

    def _types_of(self, first: Any) -> Any:
        """Those of all batches: text, for one, may be a dictionary, which `schema` does not say."""
        for i, name in enumerate(first.names):
            if name in self._widened:
                first = first.set(i, first.field(i).with_type(self._widened[name]))
        return first


def _widened(schemas: Sequence[Any]) -> dict[str, Any]:
    """Types other than the first one's, by column, which hold the values of all files."""
    pa = arrow()
    found = {}
    for field in schemas[0]:
        types = [schema.field(field.name).type for schema in schemas]
        if all(one == types[0] for one in types):
            continue
        parts = [pa.schema([(field.name, one)]) for one in types]
        with contextlib.suppress(pa.lib.ArrowException):  # the batches say where they differ
            wide = pa.unify_schemas(parts, promote_options="permissive").field(0).type
            if wide != types[0]:
                found[field.name] = wide
    return found


class Counted(FileTable):
    """A table that tells of the rows that are read."""

    def __init__(self, table: FileTable, on_rows: Callable[[int], object] | None) -> None:
        self._table, self._on_rows = table, on_rows
        self.schema = table.schema

    def batches(self, names: list[str], n_rows: int) -> Iterator[Any]:
        for batch in self._table.batches(names, n_rows):
            yield batch
            if self._on_rows is not None:
                self._on_rows(batch.num_rows)


def _as(wanted: Any, batch: Any, path: str, first_path: str) -> Any:
    """A batch with the types of the first file, where its own hold the same values."""
    pa = arrow()
    columns = []
    for field in wanted:
        column = batch.column(field.name)
        try:
            columns.append(column.cast(field.type))
        except (pa.lib.ArrowException, ValueError) as error:
            raise ValueError(
                f"{path}: column {field.name!r}: expected {field.type}, as in {first_path}, found "
                f"{column.type}: {error}"
            ) from error
    return pa.record_batch(columns, schema=wanted)
