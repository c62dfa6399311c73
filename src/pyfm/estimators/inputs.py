"""What `fit` was given as X, so that later calls read X in the same way."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pyfm import _core
from pyfm.checks import refuse
from pyfm.data_stream import DataStream
from pyfm.data_stream.background import ahead
from pyfm.data_stream.pieces import ROWS, cut
from pyfm.dataset import Dataset, as_dataset, is_table
from pyfm.estimators.opened import OpenStream
from pyfm.estimators.targets import Targets

if TYPE_CHECKING:
    from pyfm.encode import FieldEncoder

# "ids" are integers, one column per field; "values" are numeric columns; "table" has named columns.
KINDS = ("dataset", "ids", "values", "table")


@dataclass(frozen=True)
class Inputs:
    """The kind of X, for matrices their columns and the field of each, for tables the encoder."""

    kind: str  # one of KINDS
    n_columns: int | None = None
    fields: NDArray[Any] | None = None
    encoder: FieldEncoder | None = None  # of Datasets, too, if one made them

    @classmethod
    def of(cls, X: Any, fields: Any) -> Inputs:
        """Of what `fit` was given; what is wrong with it is found by `load`.

        Of a table, the encoder has learned nothing yet: see `learn_from`.
        """
        if isinstance(X, Dataset | OpenStream):
            return cls("dataset", encoder=_field_encoder(X))
        if is_table(X):
            from pyfm.encode import FieldEncoder

            if fields is not None:
                refuse("fields", "None, since X is a table, whose columns are fields", fields)
            return cls("table", encoder=FieldEncoder())
        matrix = X if _is_sparse(X) else np.asarray(X)
        return cls(
            kind="values" if _is_sparse(X) or matrix.dtype.kind not in "iu" else "ids",
            n_columns=matrix.shape[1] if len(matrix.shape) == 2 else None,
            fields=None if fields is None else np.asarray(fields),
        )

    def learn_from(self, X: Any) -> Inputs:
        """With an encoder that has also learned from X, or that of X if it did so before."""
        if self.encoder is None:
            return self
        if is_table(X):
            return replace(self, encoder=copy(self.encoder).partial_fit(X))
        self._check_rows(X)
        given = _field_encoder(X) if isinstance(X, Dataset | OpenStream) else None
        has_grown = given is not None and given.extends(self.encoder)
        return replace(self, encoder=given) if has_grown else self

    def fitted(self, X: Any) -> tuple[Inputs, Any]:
        """As `learn_from` in a first call, and X, or in place of a table the rows made of it."""
        if not is_table(X):
            return self.learn_from(X), X
        encoder = copy(self.encoder)
        assert encoder is not None  # as of all tables
        rows = encoder.fit_transform(X)
        return replace(self, encoder=encoder), rows

    def check_encoder(self, name: str, found: str, encoder: object) -> None:
        """Raises ValueError for an encoder whose ids mean something else than those of the model.

        Who has none answers for the ids: None is accepted, on both sides.
        """
        if encoder is None or self.encoder is None:
            return
        if type(encoder) is type(self.encoder):
            ours, theirs = self.encoder, encoder
            if ours.extends(theirs) or theirs.extends(ours):
                return
        expected = f"{found} of the encoder that the model has, or of one with which it shares ids,"
        refuse(name, f"{expected} since one grew from the other", "those of another encoder")

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
        X = self._encoded(X)
        self._check_apart(y)
        if isinstance(X, Dataset):
            data = as_dataset(X, fields=fields, sample_weight=sample_weight).core
            target = targets.encode(data.y if y is None else y)  # labels of any kind
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
        X = self._encoded(X)
        if isinstance(X, Dataset):
            return X.core
        return as_dataset(self._matrix(X, estimator), fields=self.fields).core

    def pieces(self, stream: DataStream) -> StreamPieces:
        """Rows of a stream to predict; tables are encoded as those of `fit` were."""
        return StreamPieces(stream.encoded_by(self.encoder), self)

    def check_rows(self, X: Any) -> None:
        """Raises ValueError for rows of an encoder whose ids mean something else."""
        self._check_rows(X)

    def _encoded(self, X: Any) -> Any:
        """A table as a Dataset; anything else as it is."""
        self._check_rows(X)
        if self.encoder is None or not is_table(X):
            return X
        return self.encoder.transform(X)

    def _check_rows(self, X: Any) -> None:
        if isinstance(X, Dataset | OpenStream):
            self.check_encoder("X", "rows", X.encoder)

    def _check_apart(self, y: Any) -> None:
        """Raises ValueError for a series of targets whose column is a feature."""
        name = getattr(y, "name", None)
        if self.encoder is None or name not in self.encoder.feature_names_in_.tolist():
            return
        raise ValueError(
            f"y: expected targets that are no feature, found the column {name!r} of X: drop it "
            f"there, or encode X by FieldEncoder(target={name!r})"
        )

    @property
    def described(self) -> str:
        """For messages."""
        of = "" if self.n_columns is None else f" with {self.n_columns} columns"
        names = ("a Dataset", "a matrix of ids", "a matrix of numbers", "a table")
        return dict(zip(KINDS, names, strict=True))[self.kind] + of

    def _matrix(self, X: Any, estimator: str) -> Any:
        """X with the columns of `fit`; integers become numeric columns where `fit` had those."""
        if self.kind == "table":
            refuse("X", "a table with the columns of fit, or a Dataset", type(X).__name__)
        if is_table(X) and np.asarray(X).dtype.kind not in "iufb":
            refuse("X", f"{self.described}, as in fit", f"a table: {type(X).__name__}")
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


@dataclass(frozen=True)
class StreamPieces:
    """Rows of a stream to predict, read while the model works on those before."""

    stream: DataStream
    inputs: Inputs

    def pieces(self) -> Iterator[_core.Dataset]:
        def read() -> Iterator[_core.Dataset]:
            def checked() -> Iterator[_core.Dataset]:
                for data in self.stream.pieces():
                    self.inputs.check_rows(data)
                    yield data.core

            return cut(checked(), ROWS)

        return ahead(read)


def held(X: Any) -> Any:
    """X, or all of a stream, which could not be read twice."""
    is_stream = hasattr(X, "__arrow_c_stream__") and hasattr(X, "read_all")
    return X.read_all() if is_stream else X


def _field_encoder(data: Dataset | OpenStream) -> FieldEncoder | None:
    """The encoder of tables that made the rows."""
    if data.encoder is None:
        return None
    from pyfm.encode import FieldEncoder

    return data.encoder if isinstance(data.encoder, FieldEncoder) else None


def _is_sparse(X: Any) -> bool:
    return hasattr(X, "tocsr")
