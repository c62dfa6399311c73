"""Convex problems: every optimizer ends near the optimum that mathematics gives.

All features are in all rows, so that a penalty, which counts once per occurrence, is that of the
mean loss. FTRL's counts once in all: next to many passes it is nothing, and FTRL goes to the
optimum without.

With a constant rate η a stochastic method ends in a cloud around the optimum; its loss there is
above the least by a share that is proportional to η.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression, Ridge

from pyfm import LinearClassifier, LinearRegressor
from pyfm.optim import OPTIMIZERS, Optimizer

N, D, EPOCHS = 400, 6, 150

SETTINGS: dict[str, dict[str, float]] = {
    "sgd": {"learning_rate": 1e-3},
    "momentum": {"learning_rate": 1e-4, "momentum": 0.9},
    "nesterov": {"learning_rate": 1e-4, "momentum": 0.9},
    "adagrad": {"learning_rate": 0.1},
    # A short memory of squares would know the gradient that it divides.
    "rmsprop": {"learning_rate": 5e-4, "rho": 0.999},
    "adam": {"learning_rate": 5e-4},
    "ftrl": {"learning_rate": 0.1},
}

each_optimizer = pytest.mark.parametrize("name", list(OPTIMIZERS))


def optimizer(name: str, **penalties: float) -> Optimizer:
    return OPTIMIZERS[name](**({"l2": 0.0} | SETTINGS[name] | penalties))


def problem() -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Rows, and noisy targets of which two features know nothing."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N, D)).astype(np.float32)
    X[:, -2:] *= 0.02
    return X, X[:, : D - 2] @ [1.0, -0.5, 0.25, 0.0] + 0.3 + 0.5 * rng.normal(size=N)


@each_optimizer
def test_ridge_regression(name: str) -> None:
    l2 = 0.1 if name != "ftrl" else 0.0
    X, y = problem()

    def loss(w: NDArray[Any], b: float) -> float:
        return float(np.mean((X @ w + b - y) ** 2) / 2 + l2 / 2 * np.sum(w**2))

    model = LinearRegressor(optimizer=optimizer(name, l2=l2), epochs=EPOCHS, random_state=0)
    model.fit(X, y)
    best = Ridge(alpha=N * l2).fit(X, y)
    assert loss(model.coef_, model.intercept_[0]) < 1.005 * loss(best.coef_, best.intercept_)
    np.testing.assert_allclose(model.coef_[:4], best.coef_[:4], atol=0.05)


def logistic_loss(p: NDArray[Any], X: NDArray[Any], clicks: NDArray[Any]) -> float:
    """p: weights and bias."""
    score = X @ p[:-1] + p[-1]
    return float(np.mean(np.logaddexp(0, score) - clicks * score))


@each_optimizer
def test_logistic_regression(name: str) -> None:
    l2 = 0.02 if name != "ftrl" else 0.0
    X, y = problem()
    clicks = (y > 0).astype(int)

    def loss(p: NDArray[Any]) -> float:
        return logistic_loss(p, X, clicks) + l2 / 2 * float(np.sum(p[:-1] ** 2))

    model = LinearClassifier(optimizer=optimizer(name, l2=l2), epochs=EPOCHS, random_state=0)
    model.fit(X, clicks)
    best = minimize(loss, np.zeros(D + 1)).x
    assert loss(np.append(model.coef_, model.intercept_)) < 1.005 * loss(best)
    np.testing.assert_allclose(model.coef_[:4], best[:4], rtol=0.05, atol=0.05)


@pytest.mark.parametrize("name", [name for name in OPTIMIZERS if name != "ftrl"])
def test_l1_finds_the_sparse_optimum(name: str) -> None:
    """A weight whose gradient never exceeds λ₁ in any row is exactly 0 all the time."""
    l1 = 0.1
    X, y = problem()
    clicks = (y > 0).astype(int)

    def loss(p: NDArray[Any]) -> float:
        return logistic_loss(p, X, clicks) + l1 * float(np.sum(np.abs(p[:-1])))

    model = LinearClassifier(optimizer=optimizer(name, l1=l1), epochs=EPOCHS, random_state=0)
    model.fit(X, clicks)
    # An intercept that liblinear hardly penalizes.
    best = LogisticRegression(
        l1_ratio=1.0,
        solver="liblinear",
        C=1 / (N * l1),
        intercept_scaling=100,
        max_iter=10_000,
        random_state=0,
    ).fit(X, clicks)
    least = loss(np.append(best.coef_[0], best.intercept_))
    assert loss(np.append(model.coef_, model.intercept_)) < 1.01 * least
    assert np.all(best.coef_[0, -2:] == 0)
    assert np.all(model.coef_[-2:] == 0)
    assert np.all(model.coef_[:2] != 0)
