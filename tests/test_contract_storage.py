"""Factors of 16 bits: every format, level, model and optimizer; stores round at random, without
bias, and reproducibly."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import contract
import numpy as np
import pytest
from contract import KINDS, Case, Data, make_data, scores, table, train, weights
from numpy.typing import NDArray

from pyfm import _core

DTYPES = ("float16",)
# The distance of neighbours between 1 and 2.
ULP = {"float16": 2.0**-10}

each_dtype = pytest.mark.parametrize("dtype", DTYPES)
each_model = pytest.mark.parametrize("model", contract.FACTOR_MODELS)
each_optimizer = pytest.mark.parametrize("optimizer", contract.OPTIMIZERS)


def every_number(dtype: str) -> NDArray[np.float32]:
    """All finite numbers of a format."""
    bits = np.arange(2**16, dtype=np.uint16)
    numbers = bits.view(np.dtype(dtype)).astype(np.float32)
    return numbers[np.isfinite(numbers)]


def pairs(
    n: int, dtype: str, *, rate: float = 0.25, optimizer: str = "sgd", **params: float
) -> tuple[_core.Model, Data]:
    """FFM of two fields with one factor; row i holds features i and n + i, which no other does:
    its score is the product of two weights, and each weight takes one step."""
    model = _core.Model(
        kind="ffm", loss="squared", n_features=2 * n, n_fields=2, n_factors=1, linear=False,
        normalize=False, init_scale=1.0, dtype=dtype, seed=0, linear_optimizer=None,
        factor_optimizer=(optimizer, {"learning_rate": rate, "l1": 0.0, "l2": 0.0, **params}),
    )  # fmt: skip
    rows = [[(0, i, 1.0), (1, n + i, 1.0)] for i in range(n)]
    return model, Data(rows, [0.0] * n, None, 2 * n, 2)


# --- formats --------------------------------------------------------------------------------------


@each_dtype
def test_every_number_is_held_read_and_stored_exactly(dtype: str, level: str) -> None:
    """Stores of numbers that the format holds never move them, whatever the random bits."""
    numbers = every_number(dtype)
    n = len(numbers)
    model, rows = pairs(n, dtype)
    w = np.zeros((2 * n, 2, 1), np.float32)
    w[:n, 1, 0], w[n:, 0, 0] = numbers, 1
    model.set_weights("factors", w)
    np.testing.assert_array_equal(model.weights("factors"), w)
    data = replace(rows, weight=[0.0] * n).core()
    np.testing.assert_array_equal(scores(model, data), numbers)
    # Squares of the largest overflow, and 0 * infinity is no step of 0.
    small = np.flatnonzero(np.abs(numbers) < 1e18)
    train(model, data.take(small))
    np.testing.assert_array_equal(model.weights("factors"), w)


def test_float16_is_set_to_the_nearest() -> None:
    """As NumPy rounds, but for ties (away from zero), what is too large, and subnormal numbers,
    which are cut to multiples of 2^-24."""
    rng = np.random.default_rng(0)
    x = (rng.choice([-1, 1], 100_000) * 2.0 ** rng.uniform(-13.99, 15.99, 100_000)).astype("f")
    model, _ = pairs(len(x) // 2, "float16")
    w = np.zeros((len(x), 2, 1), np.float32)
    w[:, 0, 0] = x
    model.set_weights("factors", w)
    found = model.weights("factors")[:, 0, 0]
    expected = np.clip(x, -65504, 65504).astype(np.float16).astype(np.float32)
    different = found != expected
    assert np.all(np.abs(found[different] - x[different]) == np.abs(expected - x)[different]), "tie"
    assert np.mean(different) < 1e-3

    edges = {65504.0: 65504, 65519.0: 65504, 65520.0: 65504, 1e9: 65504, -1e9: -65504, 0.0: 0,
             1 + 2**-11: 1 + 2**-10, 1 + 2**-11 - 2**-20: 1, 2**-24: 2**-24, 2.0**-26: 0,
             3.5 * 2**-24: 3 * 2**-24, -2.25 * 2**-24: -2 * 2**-24}  # fmt: skip
    w = np.zeros((len(x), 2, 1), np.float32)
    w[: len(edges), 1, 0] = list(edges)
    model.set_weights("factors", w)
    assert model.weights("factors")[: len(edges), 1, 0].tolist() == list(edges.values())


@each_dtype
@pytest.mark.parametrize("share", [0.02, 0.3, 0.5, 0.9])
def test_steps_smaller_than_an_ulp_are_taken_on_average(
    dtype: str, share: float, level: str
) -> None:
    """Each weight of 1.5 takes one step of `share` of an ulp: it stays or moves by one ulp, and the
    mean over n weights is the step, with a standard error of ulp √(share (1 - share) / n)."""
    n, rate, ulp = 20_000, 0.25, ULP[dtype]
    model, rows = pairs(n, dtype, rate=rate)
    model.set_weights("factors", np.full((2 * n, 2, 1), 1.5, np.float32))
    y = np.float32(1.5 * 1.5 - share * ulp / (rate * 1.5))
    train(model, replace(rows, y=[float(y)] * n).core())
    w = model.weights("factors")
    moved = np.concatenate([1.5 - w[:n, 1, 0], 1.5 - w[n:, 0, 0]]) / ulp
    assert set(np.unique(moved)) == {0, 1}
    step = rate * 1.5 * (1.5 * 1.5 - float(y)) / ulp
    error = np.sqrt(step * (1 - step) / (2 * n))
    assert np.mean(moved) == pytest.approx(step, abs=5 * error)
    # Neighbours in a vector and in the table have independent noise: so do both weights of a row.
    a, b = moved[:n] - step, moved[n:] - step
    assert abs(np.mean(a * b)) < 5 * step * (1 - step) / np.sqrt(n)
    assert abs(np.mean(a[1:] * a[:-1])) < 5 * step * (1 - step) / np.sqrt(n)


@each_dtype
@pytest.mark.parametrize("gradient", [0.02, 0.7, -30.0])
def test_adagrad_goes_as_far_as_it_should(dtype: str, gradient: float, level: str) -> None:
    """On average, within 4·10⁻⁴ of the step, by which the processor's estimate of 1/√G may be
    off."""
    n, rate, ulp = 20_000, 0.25, ULP[dtype]
    model, rows = pairs(n, dtype, rate=rate, optimizer="adagrad", initial_accumulator=1.0)
    model.set_weights("factors", np.full((2 * n, 2, 1), 1.5, np.float32))
    y = np.float32(1.5 * 1.5 - gradient / 1.5)
    train(model, replace(rows, y=[float(y)] * n).core())
    w = model.weights("factors")
    moved = np.concatenate([1.5 - w[:n, 1, 0], 1.5 - w[n:, 0, 0]])
    g = 1.5 * (1.5 * 1.5 - float(y))
    step = rate * g / np.sqrt(1 + g * g)
    assert np.all(np.abs(moved - step) < ulp + 4e-4 * abs(step))
    assert np.mean(moved) == pytest.approx(step, abs=4e-4 * abs(step) + 5 * ulp / np.sqrt(8 * n))


# --- models ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_factors", [1, 4, 5, 8, 11, 16, 32])
@each_dtype
@each_optimizer
@each_model
def test_training_stays_near_the_oracle(
    model: str, optimizer: str, dtype: str, n_factors: int, level: str
) -> None:
    """A store is off by less than an ulp of the number, in both directions alike, the optimizer's
    state by as much in proportion, which moves a step of 0.1 by a tenth of that. After T stores
    that is a random walk of √T ulps at most (weights are below 2, where an ulp is 2 ULP at most);
    5 times that is exceeded by none of some thousands, and the mean is well below it."""
    case = Case(model, optimizer, n_fields=5, n_factors=n_factors, dtype=dtype, normalize=True)
    data = make_data((*contract.ROW_KINDS, "several", "values"), 5)
    core, reference = case.core(), case.reference()
    reference.forget(contract.unmet(case, data))
    train(core, data.core())
    for row, y in zip(data.rows, data.y, strict=True):
        reference.update(row, y)
    steps = max(Counter(j for row in data.rows for _, j, _ in row).values())
    walk = ULP[dtype] * np.sqrt(steps)
    found = weights(core)
    assert np.max(np.abs(found.factors)) < 2
    error = np.abs(found.factors - reference.factors)
    assert np.max(error) < 5 * walk
    assert np.mean(error) < 0.5 * walk
    for name in ("linear", "bias"):
        expected = getattr(reference, name)
        np.testing.assert_allclose(getattr(found, name), expected, atol=walk, err_msg=name)


@each_dtype
@each_optimizer
@each_model
def test_noise_comes_from_the_seed(model: str, optimizer: str, dtype: str, level: str) -> None:
    case = Case(model, optimizer, n_fields=5, dtype=dtype)
    start, data = table(case.started(), "factors"), make_data(KINDS * 3, 5).core()
    assert start is not None

    def trained(seed: int, dtype: str) -> NDArray[np.float32]:
        core = replace(case, seed=seed, dtype=dtype).core()
        core.set_weights("factors", start)
        train(core, data, epochs=2)
        return core.weights("factors")

    np.testing.assert_array_equal(trained(1, dtype), trained(1, dtype))
    assert np.any(trained(1, dtype) != trained(2, dtype))
    np.testing.assert_array_equal(trained(1, "float32"), trained(2, "float32"))


@each_dtype
@each_optimizer
@each_model
def test_initial_weights_are_those_of_float32_rounded(
    model: str, optimizer: str, dtype: str, level: str
) -> None:
    case = Case(model, optimizer, n_fields=5, n_factors=7)
    expected = weights(case.started()).factors
    found = weights(replace(case, dtype=dtype).started()).factors
    np.testing.assert_allclose(found, expected, rtol=ULP[dtype] / 2, atol=2**-24)
    assert np.any(found != expected)


@pytest.mark.parametrize("n_factors", [1, 4, 5, 8, 11, 16])
@each_dtype
@each_optimizer
@each_model
def test_rows_of_other_features_do_not_leak(
    model: str, optimizer: str, dtype: str, n_factors: int, level: str
) -> None:
    """Every second feature's weights are huge and no row of the data holds one."""
    case = Case(model, optimizer, n_fields=5, n_factors=n_factors, dtype=dtype)
    clean, poisoned = case.started(), case.started()
    odd = np.arange(1, 15, 2, dtype=np.uint32)
    poisoned.set_weights("factors", np.full_like(poisoned.weights("factors", odd), 5e4), odd)
    huge = poisoned.weights("factors", odd)
    rows = make_data(contract.ROW_KINDS * 4, 5).rows
    kept = [[entry for entry in row if entry[1] % 2 == 0] for row in rows]
    data = Data(kept, [float(i % 2) for i in range(len(kept))], None, 15, 5).core()
    assert train(clean, data) == train(poisoned, data)
    np.testing.assert_array_equal(scores(clean, data), scores(poisoned, data))
    even = odd[:-1] + 1
    np.testing.assert_array_equal(clean.weights("factors", even), poisoned.weights("factors", even))
    np.testing.assert_array_equal(poisoned.weights("factors", odd), huge)


@each_dtype
@each_optimizer
@each_model
def test_tables_take_half_the_memory(model: str, optimizer: str, dtype: str) -> None:
    case = Case(model, optimizer, n_fields=5, n_factors=7, linear=False)
    full, half = case.started(), replace(case, dtype=dtype).started()
    others = 4 * 15 + 4 * 16  # the map: a row of each feature, a feature of each row
    assert half.nbytes - others == (full.nbytes - others) / 2
    assert half.weight_nbytes == full.weight_nbytes / 2


@each_dtype
@each_optimizer
def test_linear_weights_are_always_float32(dtype: str, optimizer: str) -> None:
    data = make_data(KINDS * 3, 5).core()
    full, half = (Case("linear", optimizer, n_fields=5, dtype=d).core() for d in ("float32", dtype))
    assert train(full, data) == train(half, data)
    np.testing.assert_array_equal(full.weights("linear"), half.weights("linear"))
    assert full.nbytes == half.nbytes
