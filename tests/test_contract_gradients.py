"""The step that SGD takes is the slope of the loss, by finite differences of the oracle's loss."""

from __future__ import annotations

import contract
import numpy as np
import pytest
from contract import Case, Data
from reference import LOSSES

RATE = 0.5
STEP = 1e-5  # of the central differences: their error is ~ STEP², their rounding ~ 1e-16 / STEP


@pytest.mark.parametrize("y", [1.0, 0.3])  # a label, and a smoothed one
@pytest.mark.parametrize("kind", ["plain", "values", "missing", "several"])
@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize("loss", contract.LOSSES)
@pytest.mark.parametrize("model", contract.MODELS)
def test_sgd_follows_the_slope(
    model: str, loss: str, normalize: bool, kind: str, y: float, level: str
) -> None:
    case = Case(
        model,
        "sgd",
        n_factors=3,
        loss=loss,
        normalize=normalize,
        params=(("learning_rate", RATE), ("l2", 0.0)),
    )
    row, weight = contract.make_row(kind, 3, np.random.default_rng(5)), 1.5
    data = Data([row], [y], [weight], case.n_features, 3)
    before, reference = contract.weights(case.started()), case.reference()

    core = case.core()
    contract.train(core, data.core())
    after = contract.weights(core)
    met = sorted({j for _, j, _ in row})

    def loss_at() -> float:
        return weight * LOSSES[loss].value(reference.score(row), y)

    tables = (
        (reference.bias, "bias"),
        (reference.linear, "linear"),
        (reference.factors, "factors"),
    )
    for table, name in tables:
        if table is None or getattr(before, name) is None:
            continue
        for at in np.ndindex(table.shape):
            if name != "bias" and at[0] not in met:
                continue
            start = table[at]
            table[at] = start + STEP
            there = loss_at()
            table[at] = start - STEP
            slope = (there - loss_at()) / (2 * STEP)
            table[at] = start
            taken = (getattr(before, name)[at] - getattr(after, name)[at]) / RATE
            # float32 weights near 1 and steps of RATE times the slope.
            assert taken == pytest.approx(slope, rel=1e-5, abs=2e-6), (name, at)
