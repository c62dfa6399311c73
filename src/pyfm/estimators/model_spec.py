"""What a model is made of, and the core's model from it: for training or from stored weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pyfm import _core
from pyfm.optim import Optimizer

DTYPES = ("float32", "float16")  # enum Storage of model/view.h
StoredWeights = dict[str, NDArray[Any]]  # features, bias, linear, factors; counted, counts


@dataclass(frozen=True)
class ModelSpec:
    """The facts that predictions depend on, besides the weights."""

    kind: str  # "linear", "fm" or "ffm"
    loss: str  # "logistic" or "squared"
    n_factors: int  # 0 for "linear"
    linear: bool
    normalize: bool
    init_scale: float
    dtype: str = "float32"  # of the factors in memory
    n_features: int = 0
    n_fields: int = 0
    prior_correction: float = 0.0  # added to all scores of the core's model

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of the weights of each part that the model has."""
        shapes: dict[str, tuple[int, ...]] = {}
        if self.linear:
            shapes = {"bias": (1,), "linear": (self.n_features,)}
        if self.kind == "fm":
            shapes["factors"] = (self.n_features, self.n_factors)
        if self.kind == "ffm":
            shapes["factors"] = (self.n_features, self.n_fields, self.n_factors)
        return shapes

    def build(
        self, optimizers: Mapping[str, Optimizer] | None = None, seed: int = 0
    ) -> _core.Model:
        """The core's model; without optimizers (of its parts) one for prediction, all weights 0.

        Raises
        ------
        MemoryError
            If the machine lacks the memory, before any is taken.
        """
        core = {part: optimizer.core() for part, optimizer in (optimizers or {}).items()}
        return _core.Model(
            kind=self.kind,
            loss=self.loss,
            n_features=self.n_features,
            n_fields=self.n_fields,
            n_factors=self.n_factors,
            linear=self.linear,
            normalize=self.normalize,
            init_scale=self.init_scale,
            dtype=self.dtype,
            seed=seed,
            linear_optimizer=core.get("linear"),
            factor_optimizer=core.get("factors"),
        )

    def build_from(
        self,
        stored: StoredWeights,
        optimizers: Mapping[str, Optimizer] | None = None,
        seed: int = 0,
    ) -> _core.Model:
        """A model with these weights (copied); without optimizers one for prediction."""
        model = self.build(optimizers, seed)
        for part in self.parts:
            model.set_weights(part, stored[part], stored["features"])
        if model.bias is not None:
            model.bias[...] = stored["bias"]
        if "counted" in stored:
            model.set_counts(stored["counted"], stored["counts"])
        return model

    @property
    def parts(self) -> tuple[Literal["linear", "factors"], ...]:
        """The tables that the model has."""
        linear: tuple[Literal["linear"], ...] = ("linear",) if self.linear else ()
        factors: tuple[Literal["factors"], ...] = ("factors",) if self.kind != "linear" else ()
        return (*linear, *factors)

    def dtype_of(self, part: str) -> np.dtype[Any]:
        """Of the weights in memory and in files."""
        return np.dtype(self.dtype if part == "factors" else "float32")


def stored_weights(spec: ModelSpec, model: _core.Model) -> StoredWeights:
    """The weights of the features that training met, and which they are.

    Also how often those were counted that are too rare to have any.
    """
    features = model.features
    stored: StoredWeights = {"features": features}
    if model.n_counted:
        stored["counted"], stored["counts"] = model.counts
    if model.bias is not None:
        stored["bias"] = model.bias.copy()
    return stored | {part: model.weights(part, features) for part in spec.parts}
