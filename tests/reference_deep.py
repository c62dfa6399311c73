"""Deep models as plainly as they can be written: float64, row by row, gradients by differences."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from reference import LOSSES, OPTIMIZERS, Optimizer, Row, clipped, fm_score, unregularized

Array = NDArray[np.float64]

ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "relu": lambda z: np.maximum(z, 0),
    "leaky_relu": lambda z: np.where(z > 0, z, 0.01 * z),
    "elu": lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))),
    "gelu": lambda z: z * np.vectorize(lambda t: (1 + math.erf(t / math.sqrt(2))) / 2)(z),
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
}


@dataclass(frozen=True)
class Shape:
    """What the network is made of."""

    hidden: Sequence[int] = (5, 3)
    activation: str = "relu"
    batch_norm: bool = False
    residual: bool = False


def hidden_layer(z: Array, shape: Shape, layer: Mapping[str, Array]) -> Array:
    z = z @ layer["weight"]
    if shape.batch_norm:
        z = (z - z.mean(axis=0)) / np.sqrt(z.var(axis=0) + 1e-5)
        z = layer["gamma"] * z + layer["beta"]
    else:
        z = z + layer["bias"]
    if shape.activation == "prelu":
        return np.asarray(np.where(z > 0, z, layer["alpha"] * z))
    return np.asarray(ACTIVATIONS[shape.activation](z))


def network(x: Array, shape: Shape, weights: Sequence[Array]) -> Array:
    """Scores of a batch; the weights in the order of the layers."""
    left = list(weights)

    def take(names: Sequence[str]) -> dict[str, Array]:
        return {name: left.pop(0) for name in names}

    names = ["weight", "gamma", "beta"] if shape.batch_norm else ["weight", "bias"]
    if shape.activation == "prelu":
        names.append("alpha")
    for width in shape.hidden:
        out = hidden_layer(x, shape, take(names))
        if shape.residual:
            out = out + (x if x.shape[1] == width else x @ take(["weight"])["weight"])
        x = out
    last = take(["weight", "bias"])
    assert not left
    score = (x @ last["weight"] + last["bias"])[:, 0]
    return np.asarray(score)


class DeepReference:
    """The weights are public arrays; `update_batch` takes one step of all of them."""

    def __init__(
        self,
        kind: str,
        shape: Shape,
        *,
        n_fields: int,
        linear: Any,
        bias: Any,
        factors: Any,
        deep: Mapping[str, Any],
        optimizer: tuple[str, Mapping[str, float]],
        loss: str = "logistic",
        deep_fields: Sequence[int] | None = None,
    ) -> None:
        self.kind, self.shape, self.loss = kind, shape, LOSSES[loss]
        # Other fields are for the linear terms alone.
        self.deep_fields = list(range(n_fields) if deep_fields is None else deep_fields)
        name, params = optimizer
        self.weights: dict[str, Array] = {
            "bias": np.array(bias, "d"),
            "linear": np.array(linear, "d"),
            "factors": np.array(factors, "d"),
        } | {f"deep.{of}": np.array(w, "d") for of, w in deep.items()}
        self.steps: dict[str, Optimizer] = {}
        for of, w in self.weights.items():
            shrinks = of in ("linear", "factors") or of.endswith("weight")
            self.steps[of] = OPTIMIZERS[name](w, params if shrinks else unregularized(params))

    def embedding(self, row: Row) -> Array:
        vectors = np.zeros((len(self.deep_fields), self.weights["factors"].shape[1]))
        for field, feature, x in self.deep(row):
            vectors[self.deep_fields.index(field)] += x * self.weights["factors"][feature]
        return vectors.ravel()

    def deep(self, row: Row) -> Row:
        return [entry for entry in row if entry[0] in self.deep_fields]

    def from_tables(self, rows: Sequence[Row]) -> tuple[Array, Array]:
        """The network's input, and all terms of the scores that are not the network's."""
        terms = np.full(len(rows), self.weights["bias"][0])
        for i, row in enumerate(rows):
            terms[i] += sum(x * self.weights["linear"][j] for _, j, x in row)
            if self.kind == "deepfm":
                terms[i] += fm_score(self.weights["factors"], self.deep(row))
        return np.array([self.embedding(row) for row in rows]), terms

    def network_on(self, inputs: Array) -> Array:
        """As in training: batch normalization takes the statistics of these rows."""
        of_network = [w for name, w in self.weights.items() if name.startswith("deep.")]
        return network(inputs, self.shape, of_network)

    def scores(self, rows: Sequence[Row]) -> Array:
        inputs, terms = self.from_tables(rows)
        return np.asarray(self.network_on(inputs) + terms)

    def mean_loss(self, scores: Array, y: Sequence[float]) -> float:
        losses = [self.loss.value(float(s), t) for s, t in zip(scores, y, strict=True)]
        return sum(losses) / len(losses)

    def held(self, of: str, rows: Sequence[Row]) -> Sequence[int]:
        """The rows of a table that matter to these examples; all of any other array."""
        match of:
            case "linear":
                return sorted({j for row in rows for _, j, _ in row})
            case "factors":
                return sorted({j for row in rows for _, j, _ in self.deep(row)})
        return range(len(self.weights[of]))

    def gradient(self, of: str, rows: Sequence[Row], y: Sequence[float]) -> Array:
        """Of the mean loss, by central differences."""
        w, inputs, terms = self.weights[of], *self.from_tables(rows)

        def loss() -> float:
            if of.startswith("deep."):  # the tables stay as they are
                return self.mean_loss(self.network_on(inputs) + terms, y)
            return self.mean_loss(self.scores(rows), y)

        gradient = np.zeros_like(w)
        for row in self.held(of, rows):
            for at in ((row, *rest) for rest in np.ndindex(w.shape[1:])):
                before = w[at]
                w[at] = before + 1e-6
                above = loss()
                w[at] = before - 1e-6
                gradient[at] = (above - loss()) / 2e-6
                w[at] = before
        return gradient

    def update_batch(self, rows: Sequence[Row], y: Sequence[float]) -> float:
        """One step along the mean gradient, of features those that the rows hold; returns the mean
        loss before it."""
        loss = self.mean_loss(self.scores(rows), y)
        gradients = {of: self.gradient(of, rows, y) for of in self.weights}
        for part in (["bias", "linear"], ["factors"], [w for w in self.weights if "deep." in w]):
            squares = (float(np.sum(gradients[of] ** 2)) for of in part)
            scale = clipped(squares, self.steps[part[0]].p)
            for of in part:
                for r in self.held(of, rows):
                    self.steps[of].step((r,), scale * gradients[of][r])
        return loss
