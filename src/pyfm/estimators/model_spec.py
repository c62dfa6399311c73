"""What a model is made of, and the core's model from it: for training or from stored weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pyfm import _core, blas
from pyfm.estimators.tower import Tower
from pyfm.optim import SGD, Optimizer

Table = Literal["linear", "factors"]
Part = Literal["linear", "factors", "deep"]

DTYPES = ("float32", "float16")  # enum Storage of model/view.h
DEEP_KINDS = ("deepfm", "wide_deep")
# features, bias, linear, factors, those of the network as "deep.<name>"; counted, counts
StoredWeights = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class ModelSpec:
    """The facts that predictions depend on, besides the weights."""

    kind: str  # "linear", "fm", "ffm", "deepfm" or "wide_deep"
    loss: str  # "logistic", "squared" or "softmax"
    n_factors: int  # 0 for "linear"
    linear: bool
    normalize: bool
    init_scale: float
    dtype: str = "float32"  # of the factors in memory
    n_features: int = 0
    n_fields: int = 0
    prior_correction: float = 0.0  # added to all scores of the core's model
    tower: Tower | None = None  # of deep models
    # Of deep models: those that not only the linear terms see, ascending; None: all.
    deep_fields: tuple[int, ...] | None = None
    n_outputs: int = 1  # scores of a row; of "softmax" one for each class, with weights of its own

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of the weights that each feature has, by part, and of the bias."""
        shapes: dict[str, tuple[int, ...]] = {}
        of_feature = (self.n_features, *self.of_output)
        if self.linear:
            shapes = {"bias": (self.n_outputs,), "linear": of_feature}
        if self.kind in ("fm", *DEEP_KINDS):
            shapes["factors"] = (*of_feature, self.n_factors)
        if self.kind == "ffm":
            shapes["factors"] = (*of_feature, self.n_fields, self.n_factors)
        return shapes

    @property
    def of_output(self) -> tuple[int, ...]:
        """The axis of the scores in arrays, where a row has several."""
        return (self.n_outputs,) if self.n_outputs > 1 else ()

    def network_shapes(self) -> tuple[dict[str, tuple[int, ...]], dict[str, tuple[int, ...]]]:
        """Of the weights of the network, and of its statistics."""
        if self.tower is None:
            return {}, {}
        return self.tower.core(self.n_inputs).shapes

    @property
    def input_fields(self) -> Sequence[int]:
        """The fields whose vectors are the input of a network, in their order."""
        return range(self.n_fields) if self.deep_fields is None else self.deep_fields

    @property
    def n_inputs(self) -> int:
        """Numbers that a network is given of each row."""
        return len(self.input_fields) * self.n_factors

    def build(
        self, optimizers: Mapping[str, Optimizer] | None = None, seed: int = 0
    ) -> _core.Model:
        """The core's model; without optimizers one for prediction.

        Optimizers are those of its parts; parts without one are frozen. All weights are 0, but for
        those of a network.

        Raises
        ------
        MemoryError
            If the machine lacks the memory, before any is taken.
        """
        frozen = [part for part in self.parts if optimizers and part not in optimizers]
        core = {part: optimizer.core() for part, optimizer in (optimizers or {}).items()}
        core |= dict.fromkeys(frozen, SGD().core())  # it has no state
        if self.tower:
            blas.load()
        model = _core.Model(
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
            deep_optimizer=core.get("deep"),
            tower=self.tower.core(self.n_inputs) if self.tower else None,
            deep_fields=list(self.deep_fields or ()),
            n_outputs=self.n_outputs,
        )
        for part in frozen:
            model.freeze(part, True)
        return model

    def build_from(
        self,
        stored: StoredWeights,
        optimizers: Mapping[str, Optimizer] | None = None,
        seed: int = 0,
    ) -> _core.Model:
        """A model with these weights (copied); without optimizers one for prediction."""
        model = self.build(optimizers, seed)
        for part in self.tables:
            model.set_weights(part, stored[part], stored["features"])
        weights, statistics = self.network_shapes()
        for name in weights:
            model.set_network_weights(name, stored[f"deep.{name}"])
        for name in statistics:
            model.set_network_statistics(name, stored[f"deep.{name}"])
        if model.bias is not None:
            model.bias[...] = stored["bias"]
        if "counted" in stored:
            model.set_counts(stored["counted"], stored["counts"])
        return model

    @property
    def has_fields(self) -> bool:
        """Whether it makes a difference which field a feature belongs to."""
        return self.kind in ("ffm", *DEEP_KINDS)

    @property
    def parts(self) -> tuple[Part, ...]:
        """What may have an optimizer of its own."""
        deep: tuple[Literal["deep"], ...] = ("deep",) if self.tower else ()
        return (*self.tables, *deep)

    @property
    def tables(self) -> tuple[Table, ...]:
        """The parts that hold weights for each feature."""
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
    weights, statistics = spec.network_shapes()
    stored |= {f"deep.{name}": model.network_weights(name) for name in weights}
    stored |= {f"deep.{name}": model.network_statistics(name) for name in statistics}
    return stored | {part: model.weights(part, features) for part in spec.tables}
