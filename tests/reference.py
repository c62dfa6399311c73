"""Slow, obvious twins of everything fast: float64, one loop per sum, straight from the formulas.

A row is a list of entries (field, feature, value). Whatever the core's catalog lists has a twin
under the same name in MODELS, OPTIMIZERS or LOSSES, or in METRICS of reference_metrics.py, and the
contract tests compare them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Row = Sequence[tuple[int, int, float]]
Index = tuple[int, ...]

# --- losses -------------------------------------------------------------------------------------


class Loss(NamedTuple):
    value: Callable[[float, float], float]  # (score, y)
    slope: Callable[[float, float], float]  # d value / d score
    inverse_link: Callable[[float], float]


def sigmoid(score: float) -> float:
    return 1 / (1 + math.exp(-score)) if score >= 0 else math.exp(score) / (1 + math.exp(score))


LOSSES = {
    "logistic": Loss(
        lambda s, y: float(np.logaddexp(0, s)) - y * s, lambda s, y: sigmoid(s) - y, sigmoid
    ),
    "squared": Loss(lambda s, y: (s - y) ** 2 / 2, lambda s, y: s - y, lambda s: s),
}

# --- optimizers: one step of w[at] along the gradient g of the data's loss ------------------------


class Optimizer:
    """`step` clips the gradient, takes the optimizer's own step, `move`, and shrinks the weight:
    the truncated gradient of Langford, Li, Zhang 2009 with an infinite threshold, by l1 times
    `rate`, which is how far a lasting gradient of 1 moves the weight now."""

    def __init__(self, w: Array, params: Mapping[str, float]) -> None:
        self.w = w
        self.p = {"l1": 0.0} | dict(params)
        self.start()

    def start(self) -> None:
        """Sets up the state that stands beside each weight."""

    def step(self, at: Index, g: Any) -> None:
        limit = self.p.get("clip_value")
        self.move(at, g if limit is None else np.clip(g, -limit, limit))
        if self.p["l1"] > 0:
            w = self.w[at]
            self.w[at] = np.sign(w) * np.maximum(0, np.abs(w) - self.p["l1"] * self.rate(at))

    def move(self, at: Index, g: Any) -> None:
        raise NotImplementedError

    def rate(self, at: Index) -> Any:
        return self.p["learning_rate"]


class Sgd(Optimizer):
    def move(self, at: Index, g: Any) -> None:
        self.w[at] -= self.p["learning_rate"] * (g + self.p["l2"] * self.w[at])


class Momentum(Optimizer):
    def start(self) -> None:
        self.v = np.zeros_like(self.w)

    def move(self, at: Index, g: Any) -> None:
        self.v[at] = self.p["momentum"] * self.v[at] + g + self.p["l2"] * self.w[at]
        self.w[at] -= self.p["learning_rate"] * self.v[at]

    def rate(self, at: Index) -> Any:
        return self.p["learning_rate"] / (1 - self.p["momentum"])


class Nesterov(Momentum):
    def move(self, at: Index, g: Any) -> None:
        g = g + self.p["l2"] * self.w[at]
        self.v[at] = self.p["momentum"] * self.v[at] + g
        self.w[at] -= self.p["learning_rate"] * (g + self.p["momentum"] * self.v[at])


class AdaGrad(Optimizer):
    def start(self) -> None:
        self.squares = np.full_like(self.w, self.p["initial_accumulator"])

    def move(self, at: Index, g: Any) -> None:
        g = g + self.p["l2"] * self.w[at]
        self.squares[at] += g**2
        self.w[at] -= self.p["learning_rate"] * g / np.sqrt(self.squares[at])

    def rate(self, at: Index) -> Any:
        return self.p["learning_rate"] / np.sqrt(self.squares[at])


class RmsProp(Optimizer):
    def start(self) -> None:
        self.v = np.zeros_like(self.w)

    def move(self, at: Index, g: Any) -> None:
        g = g + self.p["l2"] * self.w[at]
        self.v[at] = self.p["rho"] * self.v[at] + (1 - self.p["rho"]) * g**2
        self.w[at] -= self.rate(at) * g

    def rate(self, at: Index) -> Any:
        return self.p["learning_rate"] / (np.sqrt(self.v[at]) + self.p["epsilon"])


class Adam(Optimizer):
    """Kingma & Ba 2015, algorithm 1, with the decay of Loshchilov & Hutter 2019. Each weight counts
    its own steps."""

    def start(self) -> None:
        self.m, self.v, self.t = (np.zeros_like(self.w) for _ in range(3))

    def move(self, at: Index, g: Any) -> None:
        p = self.p
        g = g + p["l2"] * self.w[at]
        self.t[at] += 1
        self.m[at] = p["beta1"] * self.m[at] + (1 - p["beta1"]) * g
        self.v[at] = p["beta2"] * self.v[at] + (1 - p["beta2"]) * g**2
        m = self.m[at] / (1 - p["beta1"] ** self.t[at])
        decay = p["learning_rate"] * p["weight_decay"] * self.w[at]
        self.w[at] -= self.rate(at) * m + decay

    def rate(self, at: Index) -> Any:
        v = self.v[at] / (1 - self.p["beta2"] ** self.t[at])
        return self.p["learning_rate"] / (np.sqrt(v) + self.p["epsilon"])


class Ftrl(Optimizer):
    """McMahan et al. 2013, algorithm 1; z starts where the closed form gives the initial weight."""

    def start(self) -> None:
        p = self.p
        curvature = p["beta"] / p["learning_rate"] + p["l2"]
        self.z = -self.w * curvature - np.sign(self.w) * p["l1"]
        self.n = np.zeros_like(self.w)

    def rate(self, at: Index) -> Any:
        return 0.0  # L1 is part of the step

    def move(self, at: Index, g: Any) -> None:
        p, n, w = self.p, self.n[at], self.w[at]
        sigma = (np.sqrt(n + g**2) - np.sqrt(n)) / p["learning_rate"]
        self.z[at] += g - sigma * w
        self.n[at] += g**2
        z = self.z[at]
        curvature = (p["beta"] + np.sqrt(self.n[at])) / p["learning_rate"] + p["l2"]
        self.w[at] = np.where(np.abs(z) <= p["l1"], 0, -(z - np.sign(z) * p["l1"]) / curvature)


OPTIMIZERS: dict[str, type[Optimizer]] = {
    "sgd": Sgd,
    "momentum": Momentum,
    "nesterov": Nesterov,
    "adagrad": AdaGrad,
    "rmsprop": RmsProp,
    "adam": Adam,
    "ftrl": Ftrl,
    "ftrl_l1": Ftrl,  # in the core a kernel of its own
}

# --- the factor part of each model ----------------------------------------------------------------
#
# `score` takes the weights and a row. `gradients` yields (index, d score / d weights[index]) in row
# order; it is a generator so that the second step of a duplicate feature sees its own weight
# after the first step, while the sums over the row stay those from before the row's update.


@dataclass(frozen=True)
class FactorPart:
    shape: Callable[[int, int, int], Index]  # (n_features, n_fields, n_factors)
    score: Callable[[Array, Row], float]
    gradients: Callable[[Array, Row], Iterator[tuple[Index, Any]]]


def fm_score(v: Array, row: Row) -> float:
    total = sum((x * v[j] for _, j, x in row), np.zeros(v.shape[1]))
    squares = sum((x**2 * v[j] ** 2 for _, j, x in row), np.zeros(v.shape[1]))
    return float(np.sum(total**2 - squares)) / 2


def fm_gradients(v: Array, row: Row) -> Iterator[tuple[Index, Any]]:
    total = sum((x * v[j] for _, j, x in row), np.zeros(v.shape[1]))
    for _, j, x in row:
        yield (j,), x * (total - x * v[j])


def ffm_score(w: Array, row: Row) -> float:
    """The sum over all pairs of entries, as libffm writes it."""
    score = 0.0
    for a, (field_a, j_a, x_a) in enumerate(row):
        for field_b, j_b, x_b in row[a + 1 :]:
            score += x_a * x_b * float(w[j_a, field_b] @ w[j_b, field_a])
    return score


def ffm_gradients(w: Array, row: Row) -> Iterator[tuple[Index, Any]]:
    """One gradient per (entry, other field): S[g, f] sums what field g's entries hold for f."""
    entries = Counter(field for field, _, _ in row)
    s = {(g, f): np.zeros(w.shape[2]) for g in entries for f in entries}
    for g, j, x in row:
        for f in entries:
            s[g, f] += x * w[j, f]
    for f, j, x in row:
        for g in sorted(entries):
            if g != f:
                yield (j, g), x * s[g, f]
            elif entries[f] > 1:
                yield (j, f), x * (s[f, f] - x * w[j, f])


MODELS: dict[str, FactorPart | None] = {
    "linear": None,
    "fm": FactorPart(lambda n, _, k: (n, k), fm_score, fm_gradients),
    "ffm": FactorPart(lambda n, fields, k: (n, fields, k), ffm_score, ffm_gradients),
}

# --- which features get weights ------------------------------------------------------------------


def admitted(rows: Iterable[Row], min_count: int) -> set[int]:
    """The features that so many rows hold, however often each."""
    counts = Counter(j for row in rows for j in {j for _, j, _ in row})
    return {j for j, count in counts.items() if count >= min_count}


# --- a whole model --------------------------------------------------------------------------------


class Reference:
    """Score and example-wise training of one model; the weights are public arrays."""

    def __init__(
        self,
        kind: str,
        *,
        loss: str = "logistic",
        normalize: bool = False,
        linear: Any = None,  # (n_features,) or None: neither linear terms nor bias
        factors: Any = None,  # as FactorPart.shape says
        bias: Any = None,  # (1,), zero when it is not given
        linear_optimizer: tuple[str, Mapping[str, float]] | None = None,
        factor_optimizer: tuple[str, Mapping[str, float]] | None = None,
        n_fields: int = 2**16,
    ) -> None:
        self.part, self.loss, self.normalize = MODELS[kind], LOSSES[loss], normalize
        self.linear = None if linear is None else np.array(linear, np.float64)
        self.bias = None if linear is None else np.zeros(1) if bias is None else np.array(bias, "d")
        self.factors = np.array([] if factors is None else factors, np.float64)
        self.n_fields = n_fields
        self.admitted: set[int] | None = None  # None: all features
        table = self.factors if self.linear is None else self.linear
        self.n_features = len(table)
        if linear_optimizer and self.linear is not None and self.bias is not None:
            name, params = linear_optimizer
            self.linear_steps = OPTIMIZERS[name](self.linear, params)
            self.bias_steps = OPTIMIZERS[name](self.bias, unregularized(params))
        if factor_optimizer and self.part:
            name, params = factor_optimizer
            self.factor_steps = OPTIMIZERS[name](self.factors, params)

    def forget(self, features: Iterable[int]) -> None:
        """Features that training has not met: their rows of the table are zero."""
        if self.part:
            for j in features:
                self.factors[j] = 0

    def known(self, row: Row) -> Row:
        """The entries that the model has weights for, scaled by the length of the whole row.
        A stored zero is no entry."""
        length = math.sqrt(sum(x * x for _, _, x in row)) if self.normalize else 1.0
        scale = 1 / length if length > 0 else 1.0
        return [
            (f, j, x * scale)
            for f, j, x in row
            if j < self.n_features and f < self.n_fields and x != 0
            if self.admitted is None or j in self.admitted
        ]

    def score(self, row: Row) -> float:
        row = self.known(row)
        score = 0.0
        if self.linear is not None and self.bias is not None:
            score += float(self.bias[0]) + sum(float(self.linear[j]) * x for _, j, x in row)
        if self.part:
            score += self.part.score(self.factors, row)
        return score

    def magnitude(self, row: Row) -> float:
        """The score's sum with every term's absolute value and the terms that cancel: what the
        rounding errors of a float32 score are proportional to."""
        row = [(f, j, abs(x)) for f, j, x in self.known(row)]
        size = 0.0
        if self.linear is not None and self.bias is not None:
            size += abs(float(self.bias[0])) + sum(
                abs(float(self.linear[j])) * x for _, j, x in row
            )
        if self.part:
            weights = np.abs(self.factors)
            squares = sum(x**2 * float(np.sum(weights[j] ** 2)) for _, j, x in row)
            size += self.part.score(weights, row) + squares
        return size

    def update(self, row: Row, y: float, weight: float = 1.0) -> float:
        """Every parameter that the row touches takes one step; returns the loss before it."""
        score = self.score(row)
        self.step(row, weight * self.loss.slope(score, y))
        return self.loss.value(score, y)

    def step(self, row: Row, slope: float) -> None:
        """The same, for a given d loss / d score."""
        row = self.known(row)
        if self.linear is not None:
            values = (1.0, *(x for _, _, x in row))
            scale = clipped((slope**2 * x**2 for x in values), self.linear_steps.p)
            self.bias_steps.step((0,), scale * slope)
            for _, j, x in row:
                self.linear_steps.step((j,), scale * slope * x)
        if self.part:
            gradients = self.part.gradients(self.factors, row)
            squares = (slope**2 * float(np.sum(g**2)) for _, g in gradients)
            scale = clipped(squares, self.factor_steps.p)
            for at, gradient in self.part.gradients(self.factors, row):
                self.factor_steps.step(at, scale * slope * gradient)

    def update_batch(
        self, rows: Sequence[Row], y: Sequence[float], weight: Sequence[float] | None = None
    ) -> list[float]:
        """One step along the weighted mean of the rows' gradients, of the bias and of every feature
        that the rows hold, with all its weights; returns the losses before it."""
        weight = [1.0] * len(rows) if weight is None else weight
        share = 1 / sum(weight) if sum(weight) > 0 else 0.0
        scores = [self.score(row) for row in rows]
        slopes = [
            w * share * self.loss.slope(s, t) for w, s, t in zip(weight, scores, y, strict=True)
        ]
        self.step_batch(rows, slopes)
        return [self.loss.value(s, t) for s, t in zip(scores, y, strict=True)]

    def step_batch(self, rows: Sequence[Row], slopes: Sequence[float]) -> None:
        """The same, for given d loss / d score, each times the row's share in the batch."""
        known = [self.known(row) for row in rows]
        held = sorted({j for row in known for _, j, _ in row})
        if self.linear is not None:
            linear = np.zeros_like(self.linear)
            for slope, row in zip(slopes, known, strict=True):
                for _, j, x in row:
                    linear[j] += slope * x
            scale = clipped((g**2 for g in (sum(slopes), *linear)), self.linear_steps.p)
            self.bias_steps.step((0,), scale * sum(slopes))
            for j in held:
                self.linear_steps.step((j,), scale * linear[j])
        if self.part:
            factors = np.zeros_like(self.factors)
            for slope, row in zip(slopes, known, strict=True):
                for at, gradient in self.part.gradients(self.factors, row):
                    factors[at] += slope * gradient
            scale = clipped([float(np.sum(factors**2))], self.factor_steps.p)
            for j in held:
                self.factor_steps.step((j,), scale * factors[j])


def clipped(squares: Iterable[float], params: Mapping[str, float]) -> float:
    """The factor that brings the norm of the gradient by a part's weights, whose numbers these are
    the squares of, down to the limit."""
    if "clip_norm" not in params:
        return 1.0
    norm = math.sqrt(sum(squares))
    return params["clip_norm"] / norm if norm > params["clip_norm"] else 1.0


def unregularized(params: Mapping[str, float]) -> dict[str, float]:
    penalties = ("l1", "l2", "weight_decay")
    return {name: 0.0 if name in penalties else value for name, value in params.items()}
