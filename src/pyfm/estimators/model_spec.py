"""What a model is made of, and the core's model from it: for training or from stored weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pyfm import _core
from pyfm.optim import Optimizer

Weights = dict[str, NDArray[np.float32]]


@dataclass(frozen=True)
class ModelSpec:
    """The facts that predictions depend on, besides the weights."""

    kind: str  # "linear", "fm" or "ffm"
    loss: str  # "logistic" or "squared"
    n_factors: int  # 0 for "linear"
    linear: bool
    normalize: bool
    init_scale: float
    n_features: int = 0
    n_fields: int = 0

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

    def build(self, optimizer: Optimizer | None = None, seed: int = 0) -> _core.Model:
        """The core's model; without an optimizer one for prediction, all weights 0.

        Raises
        ------
        MemoryError
            If the machine lacks the memory, before any is taken.
        """
        core = None if optimizer is None else optimizer.core()
        return _core.Model(
            kind=self.kind,
            loss=self.loss,
            n_features=self.n_features,
            n_fields=self.n_fields,
            n_factors=self.n_factors,
            linear=self.linear,
            normalize=self.normalize,
            init_scale=self.init_scale,
            seed=seed,
            linear_optimizer=core if self.linear else None,
            factor_optimizer=core if self.kind != "linear" else None,
        )

    def build_from(self, weights: Mapping[str, NDArray[np.float32]]) -> _core.Model:
        """A model for prediction with these weights (copied)."""
        model = self.build()
        for name, target in views(model).items():
            target[...] = weights[name]
        return model


def views(model: _core.Model) -> Weights:
    """The parts that the model has, as writable views: bias, linear, factors."""
    parts = {"bias": model.bias, "linear": model.linear, "factors": model.factors}
    return {name: part for name, part in parts.items() if part is not None}
