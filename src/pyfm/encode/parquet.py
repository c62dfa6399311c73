"""A Parquet file, or a folder of them, read in batches."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any

from pyfm._core import FormatError
from pyfm.encode.arrow import arrow, is_text
from pyfm.encode.file_table import FileTable


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
        for fragment in sorted(self._dataset.get_fragments(), key=lambda each: str(each.path)):
            with self._reading(fragment.path):
                # One file after the other, and little of it ahead: memory holds a few batches.
                yield from fragment.to_batches(
                    schema=self._dataset.schema,
                    columns=names,
                    batch_size=n_rows,
                    batch_readahead=2,
                    fragment_readahead=1,
                )

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
