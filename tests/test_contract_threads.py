"""Several threads: Hogwild training stays close to one thread, prediction is exactly the same."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import contract
import numpy as np
import pytest
from contract import KINDS, Case, epochs, make_data

from pyfm import _core

N_THREADS = (2, 3, 8)  # on any machine: threads need no core of their own
# Rates at which a gradient of 1 that lasts moves a weight about as far as SGD's and AdaGrad's 0.1.
# At twice that, the copies of these few rows overshoot with SGD as well: 10 to 25 % at 0.2.
GENTLE = dict.fromkeys(("momentum", "nesterov", "rmsprop"), (("learning_rate", 0.05),))


@pytest.mark.parametrize("n_threads", N_THREADS)
@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("optimizer", contract.OPTIMIZERS)
@pytest.mark.parametrize("model", contract.MODELS)
def test_several_threads_reach_nearly_the_same_loss(
    model: str, optimizer: str, dtype: str, n_threads: int
) -> None:
    """2037 rows, no multiple of a block, fight for 15 features, far worse than any real data: every
    row of the tables is hot. Of five runs the median: what threads see of each other is chance, and
    Adam's single runs scatter by 0.9 % about 3 %."""
    data = make_data((*KINDS * 509, "plain"), 5).core()
    case = Case(model, optimizer, n_fields=5, dtype=dtype, params=GENTLE.get(optimizer, ()))
    one = epochs(case.core(), data, 5)[-1]
    several = [epochs(case.core(), data, 5, n_threads=n_threads)[-1] for _ in range(5)]
    assert np.median(several) == pytest.approx(one, rel=0.05)
    assert several == pytest.approx([one] * 5, rel=0.1)


# --- no step is lost ------------------------------------------------------------------------------
#
# A logistic score far below 0 of a row with y = 1 has the slope -1 exactly. SGD of rate 2^-7 adds
# 2^-7 to the bias and to each weight of the row, in float32 without rounding up to 2^17. Factors
# that start at 0 stay there.

RATE, START = 2.0**-7, -30_000.0


def steep(model: str, n_rows: int, n_factors: int = 32) -> tuple[_core.Model, _core.Dataset]:
    """Rows of five of 15 features, all of them frequent."""
    features = np.random.default_rng(0).integers(0, 3, (n_rows, 5)) + np.arange(0, 15, 3)
    data = contract.id_data(features, np.ones(n_rows), 15)
    sgd = (("learning_rate", RATE), ("l2", 0.0))
    core = Case(model, "sgd", n_fields=5, n_factors=n_factors, init_scale=0, params=sgd).core()
    core.initialize(data, n_threads=1)
    return core, data


def start_over(model: _core.Model) -> None:
    model.set_weights("linear", np.zeros(15, np.float32))
    assert model.bias is not None
    model.bias[0] = START


@pytest.mark.parametrize("n_rows", [1, 127, 128, 129, 5000])
@pytest.mark.parametrize("n_threads", N_THREADS)
@pytest.mark.parametrize("model", contract.MODELS)
def test_every_step_counts(model: str, n_threads: int, n_rows: int, level: str) -> None:
    # Rows of the tables that are not hot are shared without locks and may lose steps: the features
    # are hot by 5000 rows, of which the first are trained on.
    core, data = steep(model, 5000)
    start_over(core)
    data = data.slice(0, n_rows)
    epochs(core, data, 2, n_threads=n_threads)
    assert core.bias is not None
    assert core.bias[0] == START + 2 * n_rows * RATE
    expected = 2 * RATE * np.bincount(data.features[: 5 * n_rows], minlength=15)
    np.testing.assert_array_equal(core.weights("linear"), expected)


@pytest.mark.parametrize("n_threads", N_THREADS)
def test_an_epoch_that_is_interrupted_keeps_the_steps_so_far(n_threads: int) -> None:
    """All that the threads learned is merged: the bias and the weights tell of the same rows."""
    # Many factors: an epoch takes longer than the time between calls.
    core, data = steep("ffm", 600_000, n_factors=1024)

    def stop(rows: int) -> None:
        raise RuntimeError("enough")

    def train_for_ever() -> None:  # one epoch may end before the first call
        while True:
            start_over(core)
            core.train_epoch(data, epoch=0, shuffle=True, n_threads=n_threads, poll=stop)

    with pytest.raises(RuntimeError, match="enough"):
        train_for_ever()
    assert core.bias is not None
    rows = (float(core.bias[0]) - START) / RATE
    assert 0 < rows <= data.n_rows
    assert core.weights("linear").sum(dtype=np.float64) == 5 * rows * RATE


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("n_threads", N_THREADS)
@pytest.mark.parametrize("model", contract.MODELS)
def test_merged_weights_of_ftrl_are_those_of_its_state(
    model: str, n_threads: int, dtype: str, level: str
) -> None:
    """With L1, a step of gradient 0 computes the weight from z and n anew. In 16 bits both may be
    off by a unit in the last place, of 2^-10 in proportion, and the new weight is rounded as well;
    n counts by half of that."""
    data = make_data((*KINDS * 100, "plain"), 5)
    core = Case(model, "ftrl_l1", n_fields=5, dtype=dtype, params=(("l2", 0.0),)).core()
    epochs(core, data.core(), 3, n_threads=n_threads)
    before = contract.weights(core)
    epochs(core, replace(data, weight=[0.0] * len(data.rows)).core(), 1)
    after = contract.weights(core)
    ulp = {"float32": 1e-6, "float16": 2.0**-10}[dtype]
    np.testing.assert_allclose(after.linear, before.linear, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(after.bias, before.bias, rtol=1e-5, atol=1e-6)
    if before.factors is not None and dtype == "float32":
        np.testing.assert_allclose(after.factors, before.factors, rtol=1e-5, atol=1e-6)
    elif before.factors is not None:
        np.testing.assert_allclose(after.factors, before.factors, rtol=4 * ulp, atol=4 * ulp)


@pytest.mark.parametrize("n_threads", N_THREADS)
@pytest.mark.parametrize("optimizer", contract.SHRINKING)
@pytest.mark.parametrize("model", contract.MODELS)
def test_l1_leaves_exact_zeros_on_several_threads(
    model: str, optimizer: str, n_threads: int
) -> None:
    core = Case(model, optimizer, n_fields=5, params=(("l1", 1e4),)).core()
    epochs(core, make_data(KINDS * 500, 5).core(), 2, n_threads=n_threads)
    found = contract.weights(core)
    assert np.all(found.linear == 0)
    assert np.all(np.isfinite(found.bias))
    assert found.bias[0] != 0


# --- whole models ---------------------------------------------------------------------------------


def test_threads_that_start_together_find_whole_rows() -> None:
    """Features are met for the first time by several threads at once; a row that one of them is
    still filling must not be used by another. NaNs arose in a third of such runs."""
    rng, n_rows, n_fields, per_field = np.random.default_rng(0), 2000, 39, 1000
    ids = np.minimum(rng.zipf(1.2, (n_rows, n_fields)) - 1, per_field - 1)
    features = ids + np.arange(n_fields) * per_field
    data = contract.id_data(features, rng.integers(0, 2, n_rows), n_fields * per_field)
    adagrad = ("adagrad", {"learning_rate": 0.2, "l1": 0.0, "l2": 0.0, "initial_accumulator": 1.0})
    for seed in range(20):
        model = _core.Model(
            kind="ffm",
            loss="logistic",
            n_features=data.n_features,
            n_fields=n_fields,
            n_factors=4,
            linear=True,
            normalize=True,
            init_scale=1.0,
            dtype="float32",
            seed=seed,
            linear_optimizer=adagrad,
            factor_optimizer=adagrad,
        )
        assert np.isfinite(epochs(model, data, 1, n_threads=2 + seed % 3)[0])


def test_one_model_serves_several_threads() -> None:
    case, data = Case("ffm", n_fields=5), make_data(KINDS * 100, 5).core()
    core = case.filled()
    expected = core.decision_function(data, n_threads=1)
    with ThreadPoolExecutor(4) as pool:
        found = pool.map(lambda _: core.decision_function(data, n_threads=2), range(8))
    for scores in found:
        np.testing.assert_array_equal(scores, expected)
