"""What trees are given to read, in `fit` and later alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyfm.checks import refuse
from pyfm.dataset import Dataset, as_dataset, is_table
from pyfm.ensemble.columns import check_in_memory
from pyfm.estimators.multiclass import check_two_classes
from pyfm.estimators.targets import Labels


@dataclass(frozen=True)
class TreeInputs:
    """The kind of X: numbers that trees read as they are, rows of features, or tables."""

    n_columns: int | None = None  # of numbers
    encoder: Any = None  # of tables

    @classmethod
    def of(cls, X: Any) -> TreeInputs:
        """Of what `fit` was given."""
        check_in_memory(X)
        if is_table(X):
            from pyfm.encode import FieldEncoder  # which imports pyarrow

            return cls(encoder=FieldEncoder().fit(X))
        if _is_rows(X):
            return cls()
        return cls(n_columns=_numbers(X).shape[1])

    def read(self, X: Any) -> Dataset | NDArray[np.float32]:
        """A matrix of numbers, or a Dataset, whose columns trees take."""
        check_in_memory(X)
        if self.encoder is not None:
            if isinstance(X, Dataset):
                return X
            if not is_table(X):
                refuse("X", "a table with the columns of fit, or a Dataset", type(X).__name__)
            return self.encoder.transform(X)  # type: ignore[no-any-return]
        if self.n_columns is None:
            if not _is_rows(X):
                refuse("X", "a Dataset or ids, as in fit", type(X).__name__)
            return as_dataset(X)
        if _is_rows(X) or is_table(X) or _numbers(X).shape[1] != self.n_columns:
            found = f"{type(X).__name__} of shape {np.shape(X)}"
            refuse("X", f"an array of numbers with {self.n_columns} columns, as in fit", found)
        return _numbers(X)


def base_of(X: Any, read: Dataset | NDArray[np.float32], data: Any) -> Dataset:
    """The rows to append to: `data`, or those of X."""
    if data is None:
        return read if isinstance(read, Dataset) else as_dataset(X)
    if not isinstance(data, Dataset):
        refuse("data", "a Dataset or None", type(data).__name__)
    if len(data) != len(read):
        refuse("data", f"the {len(read)} rows of X", f"{len(data)} rows")
    return data


def labels_of(X: Any, y: Any, base: Dataset) -> NDArray[np.int64]:
    """0 or 1 for each row: of y, or of the Dataset that brings targets."""
    source = X if isinstance(X, Dataset) and X.y is not None else base
    labels = Labels.learn(source, None) if y is None else Labels.learn(None, y)
    check_two_classes(labels, "the fields are buckets of one score")
    found = labels.encode(source.y if y is None else y).astype(np.int64)
    if len(found) != len(base):
        refuse("y", f"length {len(base)}, one for each row", len(found))
    return found


def _is_rows(X: Any) -> bool:
    """Whether X holds features: a Dataset, a sparse matrix, or integers, which are ids."""
    if isinstance(X, Dataset) or hasattr(X, "tocsr"):
        return True
    return not is_table(X) and np.asarray(X).dtype.kind in "iu"


def _numbers(X: Any) -> NDArray[np.float32]:
    matrix = np.asarray(X)
    if matrix.dtype.kind not in "fb" or matrix.ndim != 2:
        found = f"{matrix.dtype} of shape {matrix.shape}"
        refuse("X", "a Dataset, a table, or a 2-D array of numbers or ids", found)
    return matrix.astype(np.float32, copy=False)
