"""The optimizers against those of PyTorch: the float64 oracles, and the core's float32 steps, of a
weight that every row touches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from reference import OPTIMIZERS

from pyfm import _core

torch = pytest.importorskip("torch", reason="PyTorch is a peer to compare with, no dependency")

STEPS = 300
RATE, L2 = 0.01, 0.02

# (optimizer, its own parameters, PyTorch's)
PAIRS: list[tuple[str, dict[str, float], Callable[[Any], Any]]] = [
    ("sgd", {}, lambda w: torch.optim.SGD([w], RATE, weight_decay=L2)),
    (
        "momentum",
        {"momentum": 0.9},
        lambda w: torch.optim.SGD([w], RATE, momentum=0.9, weight_decay=L2),
    ),
    (
        "nesterov",
        {"momentum": 0.9},
        lambda w: torch.optim.SGD([w], RATE, momentum=0.9, nesterov=True, weight_decay=L2),
    ),
    (
        "adagrad",
        {"initial_accumulator": 0.5},
        lambda w: torch.optim.Adagrad(
            [w], RATE, weight_decay=L2, initial_accumulator_value=0.5, eps=0
        ),
    ),
    (
        "rmsprop",
        {"rho": 0.9, "epsilon": 1e-8},
        lambda w: torch.optim.RMSprop([w], RATE, alpha=0.9, eps=1e-8, weight_decay=L2),
    ),
    (
        "adam",
        {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 0.0},
        lambda w: torch.optim.Adam([w], RATE, weight_decay=L2),
    ),
    (
        "adam",
        {"beta1": 0.8, "beta2": 0.99, "epsilon": 1e-3, "weight_decay": 0.3, "l2": 0.0},
        lambda w: torch.optim.AdamW([w], RATE, betas=(0.8, 0.99), eps=1e-3, weight_decay=0.3),
    ),
]
each_pair = pytest.mark.parametrize(
    ("name", "own", "peer"), PAIRS, ids=[f"{name}-{len(own)}" for name, own, _ in PAIRS]
)


def params(own: Mapping[str, float]) -> dict[str, float]:
    return {"learning_rate": RATE, "l1": 0.0, "l2": L2} | dict(own)


def gradients(n: int) -> NDArray[np.float64]:
    """Of all sizes, with means and without."""
    rng = np.random.default_rng(0)
    sizes = 10.0 ** rng.uniform(-3, 1, n)
    return sizes * (rng.normal(size=(STEPS, n)) + rng.uniform(-1, 1, n))


@each_pair
def test_the_oracle_takes_the_same_steps(
    name: str, own: dict[str, float], peer: Callable[[Any], Any]
) -> None:
    n = 50
    w = np.linspace(-1, 1, n)
    theirs = torch.tensor(w, dtype=torch.float64, requires_grad=True)
    ours, steps = OPTIMIZERS[name](w, params(own)), peer(theirs)
    for g in gradients(n):
        ours.step((), g)
        theirs.grad = torch.tensor(g)
        steps.step()
        np.testing.assert_allclose(w, theirs.detach().numpy(), rtol=1e-10, atol=1e-12)


@each_pair
def test_the_core_takes_the_same_steps(
    name: str, own: dict[str, float], peer: Callable[[Any], Any], level: str
) -> None:
    """Least squares on one feature per epoch and row: all weights of the row take a step. The
    gradients depend on the weights, and are given to PyTorch as the core computes them."""
    n, rng = 5, np.random.default_rng(0)
    model = _core.Model(
        kind="linear", loss="squared", n_features=n, n_fields=1, n_factors=0, linear=True,
        normalize=False, init_scale=1.0, dtype="float32", seed=0,
        linear_optimizer=(name, params(own)), factor_optimizer=None,
    )  # fmt: skip
    x = (rng.uniform(0.5, 2, (STEPS, n)) * rng.choice([-1, 1], (STEPS, n))).astype(np.float32)
    y = rng.normal(size=STEPS).astype(np.float32)
    w = torch.zeros(n, dtype=torch.float64, requires_grad=True)
    steps = peer(w)
    for i in range(STEPS):
        before = model.weights("linear").astype(np.float64)
        assert model.bias is not None
        slope = float(model.bias[0]) + before @ x[i] - float(y[i])
        model.train_epoch(row(x[i], y[i]), epoch=0, shuffle=False, n_threads=1, poll=None)
        w.grad = torch.tensor(slope * x[i].astype(np.float64))
        with torch.no_grad():  # steps are compared, not sums of them
            w[:] = torch.tensor(before)
        steps.step()
        after = model.weights("linear").astype(np.float64)
        np.testing.assert_allclose(after, w.detach().numpy(), rtol=1e-6, atol=1e-6)


def row(x: NDArray[np.float32], y: np.float32) -> _core.Dataset:
    n = len(x)
    return _core.Dataset(
        indptr=np.array([0, n]), features=np.arange(n, dtype=np.uint32),
        fields=np.zeros(n, np.uint16), values=x, y=np.array([y]), weight=None,
        n_rows=1, n_features=n, n_fields=1,
    )  # fmt: skip
