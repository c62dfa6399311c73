"""Deep models equal their oracle, and are the same to the bit for any number of threads."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import contract
import numpy as np
import pytest
from contract import Data, make_data, optimizer
from reference_deep import DeepReference, Shape

from pyfm import _core, blas

KINDS: list[str] = list(contract.CATALOG["deep_models"])
MIXED = ("values", "missing", "several", "plain", "several", "missing", "plain")

each_kind = pytest.mark.parametrize("kind", KINDS)
each_optimizer = pytest.mark.parametrize("name", contract.OPTIMIZERS)


@dataclass(frozen=True)
class Case:
    kind: str
    optimizer: str = "sgd"
    shape: Shape = field(default_factory=Shape)
    n_fields: int = 3
    n_factors: int = 2
    loss: str = "logistic"
    params: tuple[tuple[str, float], ...] = ()
    dropout: float = 0.0
    dtype: str = "float32"
    deep_fields: tuple[int, ...] = ()  # none: all

    def tower(self) -> _core.Tower:
        return _core.Tower(
            n_in=(len(self.deep_fields) or self.n_fields) * self.n_factors,
            hidden=self.shape.hidden,
            activation=self.shape.activation,
            batch_norm=self.shape.batch_norm,
            inference="population",
            dropout=self.dropout,
            residual=int(self.shape.residual),
        )

    def core(self) -> _core.Model:
        blas.load()
        steps = optimizer(self.optimizer, **dict(self.params))
        return _core.Model(
            kind=self.kind,
            loss=self.loss,
            n_features=self.n_fields * contract.FEATURES_PER_FIELD,
            n_fields=self.n_fields,
            n_factors=self.n_factors,
            linear=True,
            normalize=False,
            init_scale=1.0,
            dtype=self.dtype,
            seed=7,
            linear_optimizer=steps,
            factor_optimizer=steps,
            deep_optimizer=steps,
            tower=self.tower(),
            deep_fields=self.deep_fields,
        )

    def names(self) -> list[str]:
        return list(self.tower().shapes[0])

    def reference(self, data: Data) -> DeepReference:
        model = self.core()
        model.initialize(data.core(), n_threads=1)
        return DeepReference(
            self.kind,
            self.shape,
            n_fields=self.n_fields,
            linear=model.weights("linear"),
            bias=model.bias,
            factors=model.weights("factors"),
            deep={name: model.network_weights(name) for name in self.names()},
            optimizer=optimizer(self.optimizer, **dict(self.params)),
            loss=self.loss,
            deep_fields=self.deep_fields or None,
        )


def check(case: Case, data: Data, batch_size: int, epochs: int = 2) -> None:
    model, reference = case.core(), case.reference(data)
    with blas.one_thread():
        loss = contract.train(model, data.core(), epochs, batch_size=batch_size)
    bounds = [*range(0, len(data.rows), batch_size), len(data.rows)]
    for _ in range(epochs):
        losses = [
            reference.update_batch(data.rows[begin:end], data.y[begin:end]) * (end - begin)
            for begin, end in pairwise(bounds)
        ]
    assert loss == pytest.approx(sum(losses) / len(data.rows), rel=2e-5)
    found = {"linear": model.weights("linear"), "factors": model.weights("factors")}
    found |= {f"deep.{name}": model.network_weights(name) for name in case.names()}
    for name, w in found.items():
        expected = reference.weights[name]
        np.testing.assert_allclose(w, expected, rtol=5e-5, atol=3e-5, err_msg=name)


@each_kind
@each_optimizer
def test_every_optimizer(kind: str, name: str, level: str) -> None:
    check(Case(kind, name), make_data(MIXED[:6], 3), batch_size=3)


@each_kind
@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize(
    "activation", ["relu", "leaky_relu", "elu", "prelu", "gelu", "sigmoid", "tanh"]
)
def test_every_network(kind: str, batch_norm: bool, residual: bool, activation: str) -> None:
    shape = Shape((4, 4), activation, batch_norm, residual)
    check(Case(kind, "adagrad", shape), make_data(MIXED[:6], 3), batch_size=3)


@each_kind
@pytest.mark.parametrize("n_factors", [1, 4, 5, 17])
def test_every_length_of_vectors(kind: str, n_factors: int, level: str) -> None:
    case = Case(kind, "adagrad", Shape((3,)), n_fields=2, n_factors=n_factors)
    check(case, make_data(("plain", "several", "missing"), 2), batch_size=3, epochs=1)


@each_kind
@pytest.mark.parametrize("params", [contract.PROXIMAL, contract.CLIPPED], ids=["value", "norm"])
def test_l1_and_clipping(kind: str, params: tuple[tuple[str, float], ...]) -> None:
    check(Case(kind, "sgd", params=params), make_data(MIXED[:6], 3), batch_size=3)


@each_kind
def test_regression_without_hidden_layers(kind: str) -> None:
    case = Case(kind, "sgd", Shape(()), loss="squared", params=(("learning_rate", 0.02),))
    check(case, make_data(MIXED[:6], 3), batch_size=3)


def weights_of(case: Case, model: _core.Model) -> list[np.ndarray]:
    tables = [model.weights("linear"), model.weights("factors")]
    return tables + [model.network_weights(name) for name in case.names()]


@each_kind
@pytest.mark.parametrize("n_threads", [2, 3, 4, 8])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("deep_fields", [(), (0, 2, 3)])
def test_threads_make_no_difference(
    kind: str, n_threads: int, dtype: str, deep_fields: tuple[int, ...]
) -> None:
    """Batches of several blocks, a network of several pieces, dropout and normalization."""
    shape = Shape((300, 40), "relu", batch_norm=True)
    case = Case(
        kind, "adam", shape, n_fields=5, n_factors=8, dropout=0.3, dtype=dtype,
        params=(("clip_norm", 0.5),), deep_fields=deep_fields,
    )  # fmt: skip
    data = make_data(MIXED * 90, 5).core()
    one, several = case.core(), case.core()
    with blas.one_thread():
        losses = contract.epochs(one, data, 2, batch_size=250)
        assert contract.epochs(several, data, 2, n_threads=n_threads, batch_size=250) == losses
        for x, y in zip(weights_of(case, one), weights_of(case, several), strict=True):
            np.testing.assert_array_equal(x, y)
        np.testing.assert_array_equal(
            one.predict(data, n_threads=1), several.predict(data, n_threads=n_threads)
        )


@each_kind
@pytest.mark.parametrize("deep_fields", [(), (3,), (0, 1)])
def test_prediction_is_the_score_of_training(kind: str, deep_fields: tuple[int, ...]) -> None:
    """Without dropout and normalization both are the same function."""
    case = Case(kind, "adagrad", n_fields=4, n_factors=5, deep_fields=deep_fields)
    data = make_data(MIXED * 50, 4)
    model = case.core()
    with blas.one_thread():
        contract.train(model, data.core(), 1, batch_size=64)
        reference = case.reference(data)
        for part in ("linear", "factors"):
            reference.weights[part][...] = model.weights(part)
        reference.weights["bias"][...] = model.bias
        for name in case.names():
            reference.weights[f"deep.{name}"][...] = model.network_weights(name)
        scores = model.decision_function(data.core(), n_threads=1)
    np.testing.assert_allclose(scores, reference.scores(data.rows), rtol=1e-4, atol=1e-5)


@each_kind
@pytest.mark.parametrize("part", ["linear", "factors", "deep"])
def test_frozen_parts_stay(kind: str, part: str) -> None:
    case = Case(kind, "adagrad", n_fields=4, n_factors=5)
    data = make_data(MIXED * 10, 4).core()
    model, start = case.core(), case.core()
    start.initialize(data, n_threads=1)
    model.freeze(part, True)
    with blas.one_thread():
        contract.train(model, data, 2, batch_size=16)
    for name, before, after in zip(
        ["linear", "factors", *["deep"] * len(case.names())],
        weights_of(case, start),
        weights_of(case, model),
        strict=True,
    ):
        assert np.array_equal(before, after) == (name == part), name


def test_a_last_row_joins_the_batch_before() -> None:
    """One row has no variance."""
    case = Case("deepfm", "adagrad", Shape((4,), batch_norm=True))
    data = make_data(MIXED[:5], 3).core()
    joined, whole = case.core(), case.core()
    with blas.one_thread():
        contract.train(joined, data, batch_size=4)
        contract.train(whole, data, batch_size=5)
        for x, y in zip(weights_of(case, joined), weights_of(case, whole), strict=True):
            np.testing.assert_array_equal(x, y)
        with pytest.raises(ValueError, match="batch of at least 2 rows"):
            contract.train(case.core(), make_data(MIXED[:1], 3).core(), batch_size=4)
