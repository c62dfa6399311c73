"""The oracles themselves: against finite differences, closed forms and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn.metrics
from reference import LOSSES, MODELS, OPTIMIZERS, Reference, Row
from reference_metrics import METRICS

PARAMS = {
    "learning_rate": 0.1, "l1": 0.05, "l2": 0.01, "beta": 1.0, "initial_accumulator": 1.0,
    "momentum": 0.9, "rho": 0.9, "beta1": 0.9, "beta2": 0.99, "epsilon": 1e-8, "weight_decay": 0.0,
}  # fmt: skip
ROWS: dict[str, Row] = {
    "one per field": [(0, 0, 1.0), (1, 2, 1.0), (2, 4, 1.0)],
    "several per field": [(1, 2, 0.5), (0, 0, -2.0), (1, 3, 1.5), (1, 1, 0.0)],
    "one entry": [(2, 4, 3.0)],
    "empty": [],
}
SLOPE = 1e-5  # step of central differences: error ~ SLOPE², rounding ~ 1e-16 / SLOPE


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())
@pytest.mark.parametrize("kind", [kind for kind, part in MODELS.items() if part])
def test_gradients_are_the_slopes_of_the_score(kind: str, row: Row) -> None:
    part = MODELS[kind]
    assert part
    w = np.random.default_rng(0).normal(size=part.shape(5, 3, 2))
    given = np.zeros_like(w)
    for at, gradient in part.gradients(w, row):
        given[at] += gradient
    slopes = np.zeros_like(w)
    for at in np.ndindex(w.shape):
        there, back = w.copy(), w.copy()
        there[at] += SLOPE
        back[at] -= SLOPE
        slopes[at] = (part.score(there, row) - part.score(back, row)) / (2 * SLOPE)
    np.testing.assert_allclose(given, slopes, atol=1e-8)


def test_ffm_by_hand() -> None:
    part = MODELS["ffm"]
    assert part
    w = np.arange(12, dtype=np.float64).reshape(3, 2, 2)
    row = [(0, 0, 1.0), (1, 1, 2.0), (1, 2, 1.0)]
    pairs = 2 * (w[0, 1] @ w[1, 0]) + w[0, 1] @ w[2, 0] + 2 * (w[1, 1] @ w[2, 1])
    assert part.score(w, row) == pairs


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("y", [0.0, 1.0])
@pytest.mark.parametrize("score", [-30.0, -1.5, 0.0, 0.3, 20.0])
def test_slope_of_the_loss(name: str, y: float, score: float) -> None:
    loss = LOSSES[name]
    slope = (loss.value(score + SLOPE, y) - loss.value(score - SLOPE, y)) / (2 * SLOPE)
    assert loss.slope(score, y) == pytest.approx(slope, abs=1e-8)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_steps_go_downhill_and_use_the_state(name: str) -> None:
    w = np.array([0.3, -0.2, 0.0])
    before = w.copy()
    optimizer = OPTIMIZERS[name](w, {**PARAMS, "l1": 0.0, "l2": 0.0})
    optimizer.step((0,), 0.5)
    optimizer.step((1,), -0.5)
    assert w[0] < before[0]
    assert w[1] > before[1]
    assert w[2] == before[2]


def test_ftrl_starts_at_the_initial_weight() -> None:
    w = np.array([0.3, -0.2, 0.0])
    optimizer = OPTIMIZERS["ftrl"](w, PARAMS)
    for i in range(3):
        optimizer.step((i,), 0.0)
    np.testing.assert_allclose(w, [0.3, -0.2, 0.0], rtol=1e-12)


def test_ftrl_gives_exact_zeros() -> None:
    w = np.zeros(1)
    optimizer = OPTIMIZERS["ftrl"](w, {**PARAMS, "l1": 1.0})
    optimizer.step((0,), 0.6)
    assert w[0] == 0
    optimizer.step((0,), 0.6)
    assert w[0] < 0


def test_the_whole_row_is_normalized_and_unknown_entries_are_ignored() -> None:
    model = Reference("linear", linear=[1.0, 1.0], bias=[5.0], normalize=True)
    assert model.score([(0, 0, 3.0), (0, 7, 4.0)]) == pytest.approx(5 + 3 / 5)
    assert model.score([(0, 0, 0.0)]) == 5
    assert model.score([]) == 5
    ffm = Reference("ffm", factors=np.ones((2, 1, 1)), n_fields=1)
    assert ffm.score([(0, 0, 1.0), (0, 1, 1.0)]) == 1
    assert ffm.score([(0, 0, 1.0), (9, 1, 1.0)]) == 0


def test_metrics_equal_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 50).astype(float)
    p = rng.integers(1, 10, 50) / 10 + 0.01  # many ties
    weight = rng.random(50)
    theirs = {
        "logloss": sklearn.metrics.log_loss,
        "auc": sklearn.metrics.roc_auc_score,
        "rmse": sklearn.metrics.root_mean_squared_error,
    }
    for name, metric in theirs.items():
        expected = metric(y, p, sample_weight=weight)
        assert METRICS[name](y, p, weight) == pytest.approx(expected), name
    expected = sklearn.metrics.accuracy_score(y, p > 0.5, sample_weight=weight)
    assert METRICS["accuracy"](y, p, weight) == pytest.approx(expected)
