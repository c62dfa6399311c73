"""A Parquet file, or a folder of them, read in batches."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from pyfm._core import FormatError
from pyfm.encode.arrow import arrow, is_text
from pyfm.encode.file_table import FileTable

_BUFFER_BYTES = 1 << 20  # of each column
# Read at a time: strings of a dictionary that several batches share are looked up once.
_BATCHES = 4


class ParquetTable(FileTable):
    """Files that are opened when they are read; folders as Spark writes them, partitions too.

    `schema` has the types as they were written; strings are read as dictionaries.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        arrow()  # which says what to install
        import pyarrow.dataset

        os.stat(path)  # an OSError of Python's own, with the name
        with self._reading(path):
            self._dataset = pyarrow.dataset.dataset(path, format="parquet", partitioning="hive")
        if not self._dataset.files:
            raise FormatError(f"{path}: expected Parquet files, found none")
        self.schema = self._dataset.schema
        text = [field.name for field in self.schema if is_text(field.type)]
        # Parquet stores strings as dictionaries, mostly, and it is a waste to take them apart.
        layout = pyarrow.dataset.ParquetFileFormat(dictionary_columns=text)
        with self._reading(path):
            self._dataset = pyarrow.dataset.dataset(path, format=layout, partitioning="hive")

    @property
    def n_rows(self) -> int:
        """As the ends of the files say."""
        with self._reading(self._path):
            return int(self._dataset.count_rows())

    def batches(self, names: list[str], n_rows: int) -> Iterator[Any]:
        from pyarrow.dataset import get_partition_keys

        for fragment in sorted(self._dataset.get_fragments(), key=lambda each: str(each.path)):
            with self._reading(fragment.path):
                fixed = get_partition_keys(fragment.partition_expression)
                in_file = fragment.physical_schema.names
                yield from self._file_batches(fragment.path, in_file, names, n_rows, fixed)

    def _file_batches(
        self, path: str, in_file: list[str], names: list[str], n_rows: int, fixed: dict[str, Any]
    ) -> Iterator[Any]:
        """Those of one file, some columns of which are `fixed` by the names of its folders.

        Not through the dataset, which decodes ahead without end where what is done with the batches
        takes longer.
        """
        from pyarrow.parquet import ParquetFile

        pa = arrow()
        schema = pa.schema([self._dataset.schema.field(name) for name in names])
        text = [f.name for f in self.schema if is_text(f.type) and f.name in in_file]
        with ParquetFile(path, read_dictionary=text, buffer_size=_BUFFER_BYTES) as file:
            held = [name for name in names if name in in_file]
            read = held or in_file[:1]  # which says how many rows there are
            for batch in file.iter_batches(_BATCHES * n_rows, columns=read):
                columns = []
                for field in schema:
                    if field.name in held:
                        column = batch.column(field.name)
                    else:  # null, as datasets have it, where the file has no such column
                        column = pa.array([fixed.get(field.name)]).take(
                            pa.array(np.zeros(batch.num_rows, np.int8))
                        )
                    columns.append(column if column.type == field.type else column.cast(field.type))
                yield pa.record_batch(columns, schema=schema)

    @contextlib.contextmanager
    def _reading(self, path: str) -> Iterator[None]:
        """Errors of what the file holds become FormatErrors with its name."""
        try:
            yield
        except arrow().lib.ArrowException as error:
            raise FormatError(f"{path}: {error}") from error
        except OSError as error:
            if error.errno is not None:
                raise
            raise FormatError(f"{path}: {error}") from error  # which is what Arrow has for damage
