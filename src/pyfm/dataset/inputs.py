"""What estimators accept as X and y, as a Dataset."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from pyfm.dataset import arrays
from pyfm.dataset.dataset import Dataset


def is_table(X: Any) -> bool:
    """Whether X has columns with names, as `pyfm.FieldEncoder` reads them."""
    if hasattr(X, "tocsr"):  # a matrix: one kind of SciPy's is a dict
        return False
    return (
        hasattr(X, "__arrow_c_stream__")
        or hasattr(X, "__arrow_c_array__")
        or isinstance(X, Mapping)
        or (isinstance(X, np.ndarray) and X.dtype.names is not None)
        or (hasattr(X, "get_fragments") and hasattr(X, "to_batches"))  # a pyarrow.dataset
    )


def as_dataset(
    X: Any,
    y: npt.ArrayLike | None = None,
    *,
    fields: npt.ArrayLike | None = None,
    sample_weight: npt.ArrayLike | None = None,
) -> Dataset:
    """Rows in any of the forms that `fit` and `predict` take.

    Parameters
    ----------
    X : Dataset, sparse matrix, or array-like of shape (n_rows, n_columns)
        A Dataset is taken as it is. A SciPy sparse matrix or array of any format goes through
        `Dataset.from_csr`. An array of integers holds ids and goes through `Dataset.from_ids`:
        one column per field, ids in one common feature space, -1 where absent. An array of
        floats or booleans holds numeric columns: column j is feature j with its value, exactly
        like a sparse matrix of the same numbers (zeros are not stored).
    y : array-like of shape (n_rows,), optional
        Targets; of a Dataset they replace its own.
    fields : array-like of shape (n_columns,), optional
        The field of each column of a sparse matrix or of numeric columns. None: all columns are
        in field 0.
    sample_weight : array-like of shape (n_rows,), optional
        Finite weights >= 0; with a Dataset they replace its own.

    Returns
    -------
    Dataset

    Raises
    ------
    ValueError
        For arrays that are not 2-D, have no row or no column, hold NaN, infinities or anything
        but numbers, or for `fields` that X brings itself.

    Examples
    --------
    >>> from pyfm.dataset import as_dataset
    >>> as_dataset([[0, 2], [1, 3]], y=[1, 0]).layout
    'one_per_field'
    """
    data = _as_dataset(X, y, fields, sample_weight)
    if data.n_rows == 0:
        raise ValueError(
            f"X: found 0 sample(s) (shape=(0, {data.n_features})) while a minimum of 1 is required."
        )
    return data


def _as_dataset(
    X: Any,
    y: npt.ArrayLike | None,
    fields: npt.ArrayLike | None,
    sample_weight: npt.ArrayLike | None,
) -> Dataset:
    if isinstance(X, Dataset):
        if fields is not None:
            raise ValueError("fields: expected None, since X is a Dataset and brings its own")
        if y is None and sample_weight is None:
            return X
        weight = X.sample_weight if sample_weight is None else sample_weight
        return X.with_targets(X.y if y is None else y, weight)
    if hasattr(X, "tocsr"):
        _check_columns(X.shape)
        return Dataset.from_csr(X, y, fields=fields, sample_weight=sample_weight)
    array = _matrix(X)
    if array.dtype.kind in "iu":
        if fields is not None:
            raise ValueError(
                "fields: expected None, since X holds integers, that is ids with one column per "
                "field; for numeric columns pass X as floats"
            )
        return Dataset.from_ids(array, y, sample_weight=sample_weight)
    return Dataset(arrays.dense(array, y, fields, sample_weight))


_STRINGS = (
    "strings are for tables, whose columns have names, such as pandas.DataFrame(X, columns=…)"
)


def _matrix(X: Any) -> npt.NDArray[Any]:
    array = np.asarray(X)
    if array.dtype.kind == "O" and array.ndim == 2:
        array = _numbers(array)
    if array.dtype.kind not in "iufbO":
        kind = "Complex data not supported: " if array.dtype.kind == "c" else ""
        advice = f"; {_STRINGS}" if array.dtype.kind in "US" else ""
        raise ValueError(
            f"{kind}X: expected an array of numbers, found dtype {array.dtype}{advice}"
        )
    if array.ndim != 2:
        raise ValueError(
            f"X: expected a 2-D array (n_rows, n_columns), found shape {array.shape}. Reshape your "
            "data with X.reshape(-1, 1) if it has one column, X.reshape(1, -1) if it is one row. "
            "Rows that are dicts make a table: pandas.DataFrame(rows)."
        )
    _check_columns(array.shape)
    return array


def _numbers(array: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Objects as numbers, as scikit-learn takes them."""
    try:
        return array.astype(np.float64)
    except ValueError as error:
        raise ValueError(f"X: expected an array of numbers: {error}; {_STRINGS}") from error


def _check_columns(shape: tuple[int, ...]) -> None:
    if len(shape) == 2 and shape[1] == 0:
        raise ValueError(f"X: found 0 feature(s) (shape={shape}) while a minimum of 1 is required.")
