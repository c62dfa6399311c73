"""What `fit` was given as X, so that later calls read X in the same way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyfm import _core
from pyfm.checks import refuse
from pyfm.dataset import Dataset, as_dataset
from pyfm.estimators.targets import Targets


@dataclass(frozen=True)
class Inputs:
    """The kind of X, and for matrices their columns and the field of each."""

    kind: str  # "dataset", "ids" (integers, one column per field) or "values" (numeric columns)
    n_columns: int | None = None
    fields: NDArray[Any] | None = None

    @classmethod
    def of(cls, X: Any, fields: Any) -> Inputs:
        """Of what `fit` was given; what is wrong with it is found by `load`."""
        if isinstance(X, Dataset):
            return cls("dataset")
        matrix = X if _is_sparse(X) else np.asarray(X)
        return cls(
            kind="values" if _is_sparse(X) or matrix.dtype.kind not in "iu" else "ids",
            n_columns=matrix.shape[1] if len(matrix.shape) == 2 else None,
            fields=None if fields is None else np.asarray(fields),
        )

    def load(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        targets: Targets,
        fields: Any = None,
        *,
        estimator: str = "the model",
        weightless: bool = False,
    ) -> _core.Dataset:
        """Rows with encoded targets, for training or validation.

        Some weight is needed unless they may be `weightless`.
        """
        if isinstance(X, Dataset):
            data = as_dataset(X, y, fields=fields, sample_weight=sample_weight).core
            target = targets.encode(data.y)
            if target is not data.y:
                data = data.with_targets(target, data.weight)
        else:
            X = self._matrix(X, estimator)
            y = targets.encode(y)
            data = as_dataset(X, y, fields=self.fields, sample_weight=sample_weight).core
        if not weightless and data.weight is not None and not data.weight.any():
            refuse("sample_weight", "at least one weight > 0", "only zeros")
        return data

    def rows(self, X: Any, estimator: str) -> _core.Dataset:
        """Rows to predict."""
        if isinstance(X, Dataset):
            return X.core
        return as_dataset(self._matrix(X, estimator), fields=self.fields).core

    def _matrix(self, X: Any, estimator: str) -> Any:
        """X with the columns of `fit`; integers become numeric columns where `fit` had those."""
        if _is_sparse(X):
            if self.kind == "ids":
                refuse("X", "an array of integer ids, as in fit", type(X).__name__)
        else:
            X = np.asarray(X)
            if self.kind == "ids" and X.dtype.kind not in "iu":
                refuse("X", "integer ids with one column per field, as in fit", X.dtype)
            if self.kind == "values" and X.dtype.kind in "iu":
                X = X.astype(np.float32)
        if self.n_columns is not None and X.ndim == 2 and X.shape[1] != self.n_columns:
            # The wording up to the colon is scikit-learn's.
            raise ValueError(
                f"X has {X.shape[1]} features, but {estimator} is expecting {self.n_columns} "
                "features as input: pass a matrix with the columns of fit, or a pyfm.Dataset, "
                "whose unknown features are ignored"
            )
        return X


def _is_sparse(X: Any) -> bool:
    return hasattr(X, "tocsr")
