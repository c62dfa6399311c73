"""The rows of tables in files, through an encoder, in pieces."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from typing import TYPE_CHECKING, Any

from pyfm.data_stream.pieces import Pieces, Position
from pyfm.data_stream.sources import Source

if TYPE_CHECKING:
    from pyfm.encode import FieldEncoder
    from pyfm.encode.tables import Table


def open_tables(
    source: Source,
    csv_options: Mapping[str, Any] | None,
    on_progress: Callable[[int], object] | None = None,
) -> Table:
    """All files as one table that can be read again.

    While it is read, `on_progress` is told of bytes (of CSV) or rows (of Parquet).

    Raises
    ------
    FormatError
        For damaged files.
    ValueError
        For files whose columns are others than those of the first.
    """
    from pyfm.encode.csv_file import CsvTable
    from pyfm.encode.file_table import Counted, FileTable, FileTables
    from pyfm.encode.parquet import ParquetTable
    from pyfm.encode.tables import open_table

    tables: list[FileTable] = [
        CsvTable(path, csv_options, on_progress)
        if source.format == "csv"
        else Counted(ParquetTable(path), on_progress)
        for path in source.files
    ]
    return open_table(tables[0] if len(tables) == 1 else FileTables(tables, source.files))


def count_rows(source: Source) -> int:
    """Of Parquet files, as their ends say."""
    from pyfm.encode.parquet import ParquetTable

    return sum(ParquetTable(path).n_rows for path in source.files)


def encoded(
    table: Table,
    encoder: FieldEncoder,
    *,
    grows: bool = False,
    start: Position,
) -> Pieces:
    """The rows as the encoder makes them; one that grows learns each piece before."""
    encoder = copy(encoder)
    at = 0
    for piece in table.pieces(_columns(table, encoder, grows)):
        at += piece.n_rows or 0
        if at <= start.at:  # pieces are always the same
            continue
        if grows:
            encoder.partial_fit(piece)
        yield encoder.transform(piece), Position(at=at)


def _columns(table: Table, encoder: FieldEncoder, grows: bool) -> list[str]:
    """Those that have to be read: what is left out of rows need not be."""
    from sklearn.utils.validation import check_is_fitted

    if grows and not encoder.__sklearn_is_fitted__():
        return table.names
    check_is_fitted(encoder)
    encoder._state.check_columns(table)
    wanted = {*encoder._state.columns, encoder.target, encoder.sample_weight}
    return [name for name in table.names if name in wanted]
