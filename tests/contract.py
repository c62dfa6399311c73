"""What the contract tests share: cases from the core's catalog, rows of every kind, tolerances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from reference import Reference, Row

from pyfm import _core

CATALOG = _core.catalog()
MODELS: list[str] = list(CATALOG["models"])
OPTIMIZERS: list[str] = list(CATALOG["optimizers"])
SHRINKING = [name for name in OPTIMIZERS if "l1" in CATALOG["optimizers"][name]]
LOSSES: list[str] = list(CATALOG["losses"])
METRICS: list[str] = list(CATALOG["metrics"])
FACTOR_MODELS = [model for model in MODELS if model != "linear"]

# Around every width of a vector and of a compiled kernel.
N_FACTORS = (1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 32)
N_FIELDS = (1, 2, 3, 4, 5, 39)

# Regularization and rates large enough that a wrong factor shows after one step, an ε so large that
# steps are smooth in the gradient: near 0, where float32 hardly knows its sign, they would not be.
PARAMS: dict[str, float | None] = {
    "learning_rate": 0.1, "momentum": 0.5, "rho": 0.8, "beta": 1.0, "beta1": 0.7, "beta2": 0.9,
    "epsilon": 0.1, "weight_decay": 0.1, "initial_accumulator": 0.5, "l1": 0.0, "l2": 0.05,
    "clip_value": None, "clip_norm": None,
}  # fmt: skip
# What other kernels do: L1 and clipping by value; then also clipping by norm.
PROXIMAL = (("l1", 0.02), ("clip_value", 0.1))
CLIPPED = (*PROXIMAL, ("clip_norm", 0.2))
UNREGULARIZED = (("l1", 0.0), ("l2", 0.0), ("weight_decay", 0.0))

FEATURES_PER_FIELD = 3  # few, so that rows share features and the optimizers' state matters

# float32's unit roundoff.
ROUNDOFF = 2.0**-24


def optimizer(name: str, **changes: float) -> tuple[str, Mapping[str, float]]:
    """The optimizer with its parameters from PARAMS, as _core.Model takes it."""
    params = PARAMS | changes
    chosen = {p: params[p] for p in CATALOG["optimizers"][name]}
    return name, {p: value for p, value in chosen.items() if value is not None}


# --- rows -----------------------------------------------------------------------------------------


def make_row(kind: str, n_fields: int, rng: np.random.Generator) -> Row:
    """A row over FEATURES_PER_FIELD * n_fields features; no feature twice but in "duplicates"."""
    n_features = n_fields * FEATURES_PER_FIELD
    own = [f * FEATURES_PER_FIELD + int(rng.integers(FEATURES_PER_FIELD)) for f in range(n_fields)]
    sizes = rng.uniform(0.5, 2, n_features) * rng.choice([-1, 1], n_features)
    values = [float(x) for x in sizes.astype(np.float32)]
    match kind:
        case "plain":
            return [(f, j, 1.0) for f, j in enumerate(own)]
        case "values":
            return [(f, j, values[f]) for f, j in enumerate(own)]
        case "missing":
            kept = rng.permutation(n_fields)[: max(1, n_fields // 2)]
            return [(int(f), own[f], 1.0) for f in kept]
        case "several":  # any feature in any field, several in some
            size = min(n_features, n_fields + 2)
            features = rng.permutation(n_features)[:size]
            return [(int(rng.integers(n_fields)), int(j), values[j]) for j in features]
        case "zeros":
            return [(f, j, values[f] if f % 2 else 0.0) for f, j in enumerate(own)]
        case "all zero":
            return [(f, j, 0.0) for f, j in enumerate(own)]
        case "empty":
            return []
        case "duplicates":  # within a field
            row = make_row("values", n_fields, rng)
            return [*row, row[0], (row[-1][0], row[-1][1], 0.25), row[0]]
    raise ValueError(kind)


ROW_KINDS = (
    "plain", "values", "missing", "several", "zeros", "all zero", "empty", "duplicates"
)  # fmt: skip

KINDS = ("plain", "values", "missing", "several")  # those that ordinary data consist of


@dataclass(frozen=True, eq=False)  # hashed by identity
class Data:
    rows: Sequence[Row]
    y: Sequence[float]
    weight: Sequence[float] | None
    n_features: int
    n_fields: int

    def core(self, layout: str = "csr") -> _core.Dataset:
        """What is implied is left out, as pyfm.Dataset does. "one_per_field" needs all fields of
        each row in order, with one entry each."""
        entries = [entry for row in self.rows for entry in row]
        values = np.array([x for _, _, x in entries], np.float32)
        indptr = np.cumsum([0, *map(len, self.rows)], dtype=np.int64)
        return _core.Dataset(
            indptr=indptr if layout == "csr" else None,
            features=np.array([j for _, j, _ in entries], np.uint32),
            fields=np.array([f for f, _, _ in entries], np.uint16) if layout == "csr" else None,
            values=None if np.all(values == 1) else values,
            y=np.array(self.y, np.float32),
            weight=None if self.weight is None else np.array(self.weight, np.float32),
            n_rows=len(self.rows),
            n_features=self.n_features,
            n_fields=self.n_fields,
        )


@cache
def make_data(kinds: tuple[str, ...], n_fields: int, seed: int = 0, weighted: bool = False) -> Data:
    """The same object for the same arguments."""
    rng = np.random.default_rng(seed)
    rows = tuple(make_row(kind, n_fields, rng) for kind in kinds)
    y = tuple(float(i % 2) for i in range(len(rows)))
    weight = tuple(float(w) for w in rng.choice([0.5, 1, 2, 3], len(rows))) if weighted else None
    return Data(rows, y, weight, n_fields * FEATURES_PER_FIELD, n_fields)


def id_data(features: NDArray[Any], y: NDArray[Any], n_features: int) -> _core.Dataset:
    """Rows of one feature per field, from an array of shape (n_rows, n_fields)."""
    return _core.Dataset(
        indptr=None,
        features=features.astype(np.uint32).ravel(),
        fields=None,
        values=None,
        y=y.astype(np.float32),
        weight=None,
        n_rows=len(features),
        n_features=n_features,
        n_fields=features.shape[1],
    )


# --- models ---------------------------------------------------------------------------------------

Part = Literal["linear", "factors"]


@dataclass(frozen=True)
class Weights:
    bias: Any
    linear: Any
    factors: Any


PARTS: tuple[Part, ...] = ("linear", "factors")


def table(model: _core.Model, part: Part) -> NDArray[np.float32] | None:
    """A copy of the weights of all features; None where the model has no such part."""
    try:
        return model.weights(part)
    except ValueError:
        return None


def weights(model: _core.Model) -> Weights:
    """A copy of a model's weights."""
    found = (model.bias, table(model, "linear"), table(model, "factors"))
    return Weights(*(None if w is None else w.astype(np.float64) for w in found))


def weights_of(w: Weights, output: int, n_outputs: int) -> Weights:
    """Those of one of several scores."""
    if n_outputs == 1:
        return w
    tables = [None if table is None else table[:, output] for table in (w.linear, w.factors)]
    return Weights(None if w.bias is None else w.bias[[output]], *tables)


@dataclass(frozen=True)
class Case:
    """One model, for the core and for the oracle."""

    model: str
    optimizer: str = "sgd"
    n_fields: int = 3
    n_factors: int = 4
    loss: str = "logistic"
    linear: bool = True
    normalize: bool = False
    seed: int = 7
    params: tuple[tuple[str, float], ...] = ()  # other than PARAMS
    dtype: str = "float32"
    init_scale: float | None = None  # None: scores stay within the bend of the sigmoid
    n_outputs: int = 1
    features_per_field: int = FEATURES_PER_FIELD

    @property
    def n_features(self) -> int:
        return self.n_fields * self.features_per_field

    def core(self) -> _core.Model:
        steps = optimizer(self.optimizer, **dict(self.params))
        has_linear = self.linear or self.model == "linear"
        return _core.Model(
            kind=self.model,
            loss=self.loss,
            n_features=self.n_features,
            n_fields=self.n_fields,
            n_factors=0 if self.model == "linear" else self.n_factors,
            linear=has_linear,
            normalize=self.normalize,
            init_scale=min(1.0, 4 / self.n_fields) if self.init_scale is None else self.init_scale,
            dtype=self.dtype,
            seed=self.seed,
            linear_optimizer=steps if has_linear else None,
            factor_optimizer=None if self.model == "linear" else steps,
            n_outputs=self.n_outputs,
        )

    def started(self) -> _core.Model:
        """A model whose features all have rows, with initial weights."""
        model = self.core()
        model.initialize(every_feature(self.n_features, self.n_fields).core(), n_threads=1)
        return model

    def filled(self) -> _core.Model:
        """A model with random weights of mixed signs, for scores."""
        model = self.core()
        rng = np.random.default_rng(self.seed)
        if model.bias is not None:
            model.bias[...] = rng.normal(size=self.n_outputs)
        for part in PARTS:
            if (w := table(model, part)) is not None:
                model.set_weights(part, rng.normal(size=w.shape).astype(np.float32))
        return model

    def reference(self, start: _core.Model | None = None, output: int = 0) -> Reference:
        """Of one of the scores, if there are several."""
        w = weights_of(weights(start or self.started()), output, self.n_outputs)
        steps = optimizer(self.optimizer, **dict(self.params))
        return Reference(
            self.model,
            loss=self.loss if self.n_outputs == 1 else "logistic",  # its slopes are given
            normalize=self.normalize,
            linear=w.linear,
            bias=w.bias,
            factors=w.factors,
            linear_optimizer=steps,
            factor_optimizer=steps,
            n_fields=self.n_fields if self.model == "ffm" else 2**16,
        )


def every_feature(n_features: int, n_fields: int) -> Data:
    """One row for each feature."""
    rows = [[(0, j, 1.0)] for j in range(n_features)]
    return Data(rows, [0.0] * n_features, None, n_features, n_fields)


def unmet(case: Case, data: Data) -> set[int]:
    """Features of the model that no row holds."""
    return set(range(case.n_features)) - {j for row in data.rows for _, j, _ in row}


def train(
    model: _core.Model,
    data: _core.Dataset,
    epochs: int = 1,
    n_threads: int = 1,
    batch_size: int = 1,
) -> float:
    """Epochs in the order of the rows; returns the loss of the last."""
    loss = 0.0
    for epoch in range(epochs):
        stats = model.train_epoch(
            data,
            epoch=epoch,
            shuffle=False,
            n_threads=n_threads,
            poll=None,
            batch_size=batch_size,
        )
        loss = stats.loss
    return loss


def epochs(
    model: _core.Model, data: _core.Dataset, n: int, n_threads: int = 1, batch_size: int = 1
) -> list[float]:
    """Losses of epochs that shuffle the rows."""
    return [
        model.train_epoch(
            data, epoch=i, shuffle=True, n_threads=n_threads, poll=None, batch_size=batch_size
        ).loss
        for i in range(n)
    ]


# --- comparison -----------------------------------------------------------------------------------


def score_tolerance(reference: Reference, row: Row) -> float:
    """A sum of n products in float32 is off by about √n roundoffs of the sum of its terms'
    absolute values; 8 times that is exceeded with probability e^-32 (Higham & Mary 2019)."""
    n = 1 + len(row) * max(1, len(row)) * max(1, reference.factors.shape[-1])
    return float(8 * np.sqrt(n) * ROUNDOFF * (1 + reference.magnitude(row)))


def assert_same_weights(a: _core.Model, b: _core.Model) -> None:
    x, y = weights(a), weights(b)
    for name in ("bias", "linear", "factors"):
        if getattr(x, name) is not None:
            np.testing.assert_array_equal(getattr(x, name), getattr(y, name), err_msg=name)


def assert_weights_close(found: _core.Model, expected: Reference, output: int = 0) -> None:
    """A float32 gradient is good to about 1e-6: rounding, κ from a rounded score, 1/√G by Newton's
    iteration. Steps are at most about the learning rate, 0.1, and there are some tens of them on a
    weight: errors stay near 1e-6, while one missing or wrong step shows at 1e-3."""
    w = weights_of(weights(found), output, found.n_outputs)
    for name in ("bias", "linear"):
        if getattr(expected, name) is not None:
            np.testing.assert_allclose(
                getattr(w, name), getattr(expected, name), rtol=2e-5, atol=1e-5, err_msg=name
            )
    if expected.part:
        np.testing.assert_allclose(
            w.factors, expected.factors, rtol=2e-5, atol=1e-5, err_msg="factors"
        )


def scores(model: _core.Model, data: _core.Dataset) -> NDArray[np.float32]:
    return model.decision_function(data, n_threads=1)
