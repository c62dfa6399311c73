"""What the tests of encoders share: tables in all their forms, and data sets as lists."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

from pyfm import Dataset

Columns = Mapping[str, Sequence[Any]]

FORMS: dict[str, Callable[[Columns], Any]] = {
    "dict of lists": dict,
    "dict of object arrays": lambda columns: {
        name: objects(values) for name, values in columns.items()
    },
    "pandas": lambda columns: pd.DataFrame({n: objects(v) for n, v in columns.items()}),
    "pandas, typed": lambda columns: pa.table(columns).to_pandas(),
    "pandas, sorted": lambda columns: pa.table(columns).to_pandas().set_axis(
        np.arange(len(next(iter(columns.values()))))[::-1] * 3
    ),
    "polars": lambda columns: pl.DataFrame(columns, strict=False),
    "pyarrow": pa.table,
    "pyarrow, in chunks": lambda columns: pa.concat_tables(
        pa.table(columns).slice(i, 2) for i in range(0, len(next(iter(columns.values()))), 2)
    ),
    "pyarrow, in dictionaries": lambda columns: with_dictionaries(pa.table(columns)),
    "a stream": lambda columns: pa.table(columns).to_reader(max_chunksize=3),
}  # fmt: skip


def objects(values: Sequence[Any]) -> np.ndarray[Any, Any]:
    array = np.empty(len(values), object)
    array[:] = values
    return array


def with_dictionaries(table: pa.Table) -> pa.Table:
    """Strings and integers as dictionaries, with entries that no row has."""
    for i, field in enumerate(table.schema):
        if pa.types.is_string(field.type):
            encoded = pa.concat_arrays([
                pa.array(["not in any row"], field.type), *table.column(i).chunks
            ]).dictionary_encode()[1:]  # fmt: skip
            table = table.set_column(i, field.name, encoded)
    return table


def buffers(data: Dataset) -> dict[str, Any]:
    """All of a data set, comparable."""
    names = ("indptr", "features", "fields", "values", "y", "weight")
    arrays = {name: getattr(data.core, name) for name in names}
    lists = {name: None if a is None else a.tolist() for name, a in arrays.items()}
    return lists | {"sizes": (data.n_rows, data.n_features, data.n_fields)}
