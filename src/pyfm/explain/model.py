"""A fitted model as the explanations see it: its weights, and what its features are called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pyfm import _core
from pyfm.estimators.model_spec import DEEP_KINDS, ModelSpec, Table

if TYPE_CHECKING:
    from pyfm.encode import FieldEncoder

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Explained:
    """What is asked of an estimator."""

    spec: ModelSpec
    model: _core.Model
    encoder: FieldEncoder | None
    n_threads: int
    output: int = 0  # which of the scores; of two classes, and of regressors, there is one

    @property
    def has_pairs(self) -> bool:
        """Whether its score has terms of pairs of features."""
        return self.spec.kind in ("fm", "ffm", "deepfm")

    @property
    def is_deep(self) -> bool:
        return self.spec.kind in DEEP_KINDS

    @property
    def intercept(self) -> float:
        """The bias, if there is one, and the correction for negative sampling."""
        bias = 0.0 if self.model.bias is None else float(self.model.bias[self.output])
        return bias + self.spec.prior_correction

    def linear(self, features: Ints) -> Floats:
        """Linear weights of features; 0 where the model has none."""
        if not self.spec.linear:
            return np.zeros(len(features), np.float32)
        return self.weights("linear", features)

    def factors(self, features: Ints) -> Floats:
        """Vectors, (n, n_factors), of FFM (n, n_fields, n_factors); 0 where there are none."""
        return self.weights("factors", features)

    def weights(self, table: Table, features: Ints) -> Floats:
        """What the score reads in a table; 0 where there are none."""
        found = self.model.weights(table, features.astype(np.uint32))
        return found if self.spec.n_outputs == 1 else found[:, self.output]

    @property
    def numbers_per_feature(self) -> int:
        """Of its vectors: what the memory of `factors` is proportional to."""
        per_score = self.spec.n_factors * (self.spec.n_fields if self.spec.kind == "ffm" else 1)
        return max(1, per_score) * self.spec.n_outputs
