"""Training as a whole: reproducible on one thread, it learns, it can be stopped and undone."""

from __future__ import annotations

from typing import Any

import contract
import numpy as np
import pytest
from contract import KINDS, Case, Data, assert_same_weights, epochs, make_data, train

from pyfm import _core


@pytest.mark.parametrize("optimizer", contract.OPTIMIZERS)
@pytest.mark.parametrize("model", contract.MODELS)
def test_one_thread_gives_the_same_bits(model: str, optimizer: str, level: str) -> None:
    case, data = Case(model, optimizer, n_fields=5), make_data(KINDS * 50, 5).core()
    a, b = case.core(), case.core()
    assert epochs(a, data, 2) == epochs(b, data, 2)
    assert_same_weights(a, b)


@pytest.mark.parametrize("model", contract.FACTOR_MODELS)
def test_another_seed_gives_another_model(model: str) -> None:
    data = make_data(KINDS * 50, 5).core()
    losses = [epochs(Case(model, n_fields=5, seed=seed).core(), data, 1)[0] for seed in (1, 2)]
    assert losses[0] != losses[1]


def test_every_epoch_shuffles_all_rows_anew() -> None:
    """Squared loss, rate 1, one feature a row: its weight becomes y, whenever its turn comes; the
    bias, in contrast, tells the orders apart."""
    n = 300
    rows = [[(0, j, 1.0)] for j in range(n)]
    data = Data(rows, [float(j) for j in range(n)], None, n, 1).core()
    biases = []
    for epoch, shuffle in ((0, False), (0, True), (0, True), (1, True)):
        model = _core.Model(
            kind="linear",
            loss="squared",
            n_features=n,
            n_fields=1,
            n_factors=0,
            linear=True,
            normalize=False,
            init_scale=1.0,
            dtype="float32",
            seed=3,
            linear_optimizer=("sgd", {"learning_rate": 0.5, "l1": 0.0, "l2": 0.0}),
            factor_optimizer=None,
        )
        model.train_epoch(data, epoch=epoch, shuffle=shuffle, n_threads=1, poll=None)
        assert model.bias is not None
        assert np.all(model.weights("linear")[1:] != 0), "each row takes part"
        biases.append(float(model.bias[0]))
    assert biases[1] == biases[2]
    assert len(set(biases)) == 3


@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize("optimizer", contract.OPTIMIZERS)
@pytest.mark.parametrize("model", contract.MODELS)
def test_the_loss_falls(model: str, optimizer: str, normalize: bool, level: str) -> None:
    rng = np.random.default_rng(0)
    rows = [contract.make_row("values", 5, rng) for _ in range(200)]
    y = [float(sum(j * x for _, j, x in row) > 0) for row in rows]
    params = contract.UNREGULARIZED
    core = Case(model, optimizer, n_fields=5, normalize=normalize, params=params).core()
    losses = epochs(core, Data(rows, y, None, 15, 5).core(), 5)
    assert losses[-1] < 0.9 * losses[0]


def xor_rows() -> Data:
    """y says whether two features agree: no linear model does better than a coin."""
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2, (1000, 2))
    rows = [[(0, int(a), 1.0), (1, 2 + int(b), 1.0)] for a, b in bits]
    return Data(rows, [float(a == b) for a, b in bits], None, 6, 2)


@pytest.mark.parametrize("model", contract.MODELS)
def test_an_interaction_needs_factors(model: str, level: str) -> None:
    core = Case(model, "adagrad", n_fields=2, n_factors=4, params=contract.UNREGULARIZED).core()
    loss = epochs(core, xor_rows().core(), 20)[-1]
    assert (loss > 0.65) if model == "linear" else (loss < 0.1)


@pytest.mark.parametrize("model", contract.MODELS)
def test_rows_of_weight_zero_change_nothing(model: str) -> None:
    case = Case(model, n_fields=5, params=contract.UNREGULARIZED)
    data, rng = make_data(KINDS * 5, 5), np.random.default_rng(0)
    weight = [float(w) for w in rng.integers(0, 2, len(data.rows))]
    kept = [i for i, w in enumerate(weight) if w]
    some, all_rows = case.started(), case.started()
    train(all_rows, Data(data.rows, data.y, weight, 15, 5).core())
    train(some, Data([data.rows[i] for i in kept], [data.y[i] for i in kept], None, 15, 5).core())
    assert_same_weights(some, all_rows)


@pytest.mark.parametrize("optimizer", contract.OPTIMIZERS)
@pytest.mark.parametrize("model", contract.MODELS)
@pytest.mark.parametrize("n_threads", [1, 3])
def test_initial_weights_are_the_same_ahead_of_training_and_during_it(
    model: str, optimizer: str, n_threads: int
) -> None:
    case, data = Case(model, optimizer, n_fields=5), make_data(KINDS * 5, 5).core()
    ahead, during = case.core(), case.core()
    ahead.initialize(data, n_threads=n_threads)
    train(ahead, data)
    train(during, data)
    assert_same_weights(ahead, during)


@pytest.mark.parametrize("model", contract.MODELS)
def test_a_snapshot_brings_the_weights_back(model: str) -> None:
    case, data = Case(model, "adagrad", n_fields=5), make_data(KINDS * 5, 5).core()
    first = make_data(KINDS[:1], 5).core()  # the rest of the features is met after the snapshot
    core, same = case.core(), case.core()
    train(core, first)
    train(same, first)
    snapshot = _core.Snapshot()
    core.save(snapshot)
    train(core, data)
    core.restore(snapshot)
    np.testing.assert_array_equal(contract.scores(core, data), contract.scores(same, data))
    assert_same_weights(core, same)


def set_optimizer(core: _core.Model, model: str, optimizer: tuple[str, Any]) -> None:
    core.set_optimizer("linear", optimizer)
    if model != "linear":
        core.set_optimizer("factors", optimizer)


@pytest.mark.parametrize("optimizer", contract.OPTIMIZERS)
@pytest.mark.parametrize("model", contract.MODELS)
def test_other_parameters_of_the_optimizer(model: str, optimizer: str, level: str) -> None:
    """Set before the training, they are as good as those that the model was made with; set later,
    the optimizer's state stays."""
    data = make_data(KINDS * 5, 5).core()
    for name in contract.CATALOG["optimizers"][optimizer]:
        made = Case(model, optimizer, n_fields=5, params=((name, 0.03),)).core()
        later = Case(model, optimizer, n_fields=5).core()
        set_optimizer(later, model, contract.optimizer(optimizer, **{name: 0.03}))
        assert epochs(made, data, 2) == epochs(later, data, 2)
        assert_same_weights(made, later)
        set_optimizer(later, model, contract.optimizer(optimizer, **{name: 0.03}))
        assert epochs(made, data, 2) == epochs(later, data, 2)
        assert_same_weights(made, later)
        set_optimizer(later, model, contract.optimizer(optimizer))
        changed = epochs(made, data, 2) != epochs(later, data, 2)
        assert changed == (name != "initial_accumulator")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("model", contract.MODELS)
def test_weights_that_are_not_finite_are_found(model: str, value: float) -> None:
    n_factors = 0 if model == "linear" else 3
    parts: list[contract.Part] = ["linear", "factors"] if n_factors else ["linear"]
    for part in parts:
        for position in (0, -1):
            core = Case(model, "ftrl", n_factors=3).started()
            assert core.is_finite(n_threads=1)
            weights = core.weights(part)
            weights.reshape(-1)[position] = value
            core.set_weights(part, weights)
            assert not core.is_finite(n_threads=2)
    core = Case(model, "ftrl", n_factors=3).started()
    assert core.bias is not None
    core.bias[0] = value
    assert not core.is_finite(n_threads=2)


def test_nan_of_16_bits_is_found() -> None:
    core = Case("ffm", dtype="float16").started()
    weights = core.weights("factors")
    weights[-1, -1, -1] = 65504
    core.set_weights("factors", weights)
    assert core.is_finite(n_threads=1)
    weights[-1, -1, -1] = np.nan
    core.set_weights("factors", weights)
    assert not core.is_finite(n_threads=1)


def test_an_exception_of_the_callback_ends_the_epoch_and_leaves_the_model_usable() -> None:
    n = 300_000
    features = np.random.default_rng(0).integers(0, 15, (n, 5))
    data = contract.id_data(features, np.zeros(n), 15)
    # Many factors: an epoch takes longer than the time between calls.
    core = Case("ffm", n_fields=5, n_factors=1024).core()
    seen: list[Any] = []

    def stop(rows: int) -> None:
        seen.append(rows)
        raise RuntimeError("enough")

    def train_for_ever() -> None:  # one epoch may end before the first call
        while True:
            core.train_epoch(data, epoch=0, shuffle=False, n_threads=2, poll=stop)

    with pytest.raises(RuntimeError, match="enough"):
        train_for_ever()
    assert len(seen) == 1
    assert 0 < seen[0] <= n
    assert np.all(np.isfinite(core.decision_function(data.slice(0, 10), n_threads=1)))


def test_a_model_for_prediction_cannot_be_trained() -> None:
    core = _core.Model(
        kind="fm",
        loss="logistic",
        n_features=15,
        n_fields=5,
        n_factors=4,
        linear=True,
        normalize=False,
        init_scale=1.0,
        dtype="float32",
        seed=0,
        linear_optimizer=None,
        factor_optimizer=None,
    )
    core.set_weights("factors", np.ones((15, 4), np.float32))
    assert core.nbytes < Case("fm", "adagrad", n_fields=5).started().nbytes
    with pytest.raises(ValueError, match="made for prediction"):
        train(core, make_data(KINDS, 5).core())
