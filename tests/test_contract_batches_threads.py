"""Batches on any number of threads: the same bits."""

from __future__ import annotations

from dataclasses import replace

import contract
import numpy as np
import pytest
from contract import KINDS, Case, assert_same_weights, epochs, make_data, train

from pyfm import _core

# On any machine: threads need no core of their own. With 20 there are as many shares as can be.
N_THREADS = (2, 3, 8, 20)
FULL = 0

each_model = pytest.mark.parametrize("model", contract.MODELS)
each_optimizer = pytest.mark.parametrize("optimizer", contract.OPTIMIZERS)


def few_frequent(n_rows: int, n_fields: int, per_field: int) -> tuple[np.ndarray, _core.Dataset]:
    """The features of rows with one in each field, few of them frequent, and the rows."""
    rng = np.random.default_rng(0)
    ids = np.minimum(rng.zipf(1.2, (n_rows, n_fields)) - 1, per_field - 1)
    features = ids + np.arange(n_fields) * per_field
    y = rng.integers(0, 2, n_rows)
    return features, contract.id_data(features, y, n_fields * per_field)


@pytest.mark.parametrize("batch_size", [2, 63, 64, 500, 1024, FULL])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
@each_optimizer
@each_model
def test_threads_give_the_same_bits(
    model: str, optimizer: str, dtype: str, batch_size: int
) -> None:
    n_rows = 300 if batch_size < 10 else 2300  # no multiple of any batch or block
    kinds = (*contract.ROW_KINDS, *KINDS) * (n_rows // 12)
    data = make_data(kinds, 5, weighted=True).core()
    case = Case(model, optimizer, n_fields=5, n_factors=6, dtype=dtype, normalize=True)
    one = case.core()
    losses = epochs(one, data, 2, batch_size=batch_size)
    for n_threads in N_THREADS:
        several = case.core()
        assert epochs(several, data, 2, n_threads, batch_size) == losses
        assert_same_weights(one, several)


@each_optimizer
@each_model
def test_threads_clip_by_the_same_norm(model: str, optimizer: str) -> None:
    data = make_data((*contract.ROW_KINDS, *KINDS) * 50, 5, weighted=True).core()
    params = (*contract.PROXIMAL, ("clip_norm", 0.01))
    case = Case(model, optimizer, n_fields=5, n_factors=6, params=params)
    one, free = case.core(), replace(case, params=contract.PROXIMAL).core()
    epochs(one, data, 2, batch_size=150)
    epochs(free, data, 2, batch_size=150)
    assert not np.array_equal(one.weights("linear"), free.weights("linear")), "it clips"
    for n_threads in N_THREADS:
        several = case.core()
        epochs(several, data, 2, n_threads, 150)
        assert_same_weights(one, several)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("n_factors", [4, 8, 16])
@each_model
def test_threads_give_the_same_bits_on_wide_rows(
    model: str, n_factors: int, dtype: str, level: str
) -> None:
    """One feature in each of 39 fields, few of them frequent."""
    n_fields = 39
    _, data = few_frequent(2500, n_fields, 200)
    adagrad = contract.optimizer("adagrad")

    def trained(n_threads: int) -> _core.Model:
        core = _core.Model(
            kind=model, loss="logistic", n_features=data.n_features, n_fields=n_fields,
            n_factors=0 if model == "linear" else n_factors, linear=True, normalize=True,
            init_scale=1.0, dtype=dtype, seed=1, linear_optimizer=adagrad,
            factor_optimizer=None if model == "linear" else adagrad,
        )  # fmt: skip
        epochs(core, data, 1, n_threads, batch_size=1024)
        return core

    one = trained(1)
    for n_threads in N_THREADS:
        assert_same_weights(one, trained(n_threads))


@pytest.mark.parametrize("batch_size", [2, 16, 500, 1024])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
@each_optimizer
@each_model
def test_rows_that_a_batch_touches_once(
    model: str, optimizer: str, dtype: str, batch_size: int
) -> None:
    """They may be stepped before the batch ends, but not where a norm is watched: the same bits."""
    n_fields, per_field = 5, 2000
    features, data = few_frequent(1500, n_fields, per_field)
    once = [np.unique(features[i : i + 1024], return_counts=True)[1] == 1 for i in (0, 1024)]
    assert all(np.count_nonzero(x) > 300 for x in once)
    case = Case(
        model, optimizer, n_fields=n_fields, n_factors=6, dtype=dtype, features_per_field=per_field
    )
    watched = replace(case, params=(*case.params, ("clip_norm", 1e30))).core()
    losses = epochs(watched, data, 2, batch_size=batch_size)
    for n_threads in (1, 3):
        core = case.core()
        assert epochs(core, data, 2, n_threads, batch_size) == losses
        assert_same_weights(watched, core)


@pytest.mark.parametrize("n_threads", [1, 3])
@each_model
def test_noise_comes_from_the_seed(model: str, n_threads: int) -> None:
    if model == "linear":
        return  # always float32
    case = Case(model, "adagrad", n_fields=5, dtype="float16")
    start, data = case.started().weights("factors"), make_data(KINDS * 30, 5).core()

    def trained(seed: int) -> np.ndarray:
        core = replace(case, seed=seed).core()
        core.set_weights("factors", start)
        train(core, data, epochs=2, n_threads=n_threads, batch_size=16)
        return core.weights("factors")

    np.testing.assert_array_equal(trained(1), trained(1))
    assert np.any(trained(1) != trained(2))
