"""The tables of a model as Python sees them: weights are read and set by feature, start from known
values, and nothing that lies beside them in memory gets into the scores."""

from __future__ import annotations

import contract
import numpy as np
import pytest
from contract import KINDS, Case, Data, make_data, scores, table, train, weights

from pyfm import _core


def set_all(model: _core.Model, value: float) -> None:
    for part in contract.PARTS:
        if (w := table(model, part)) is not None:
            model.set_weights(part, np.full_like(w, value))
    if model.bias is not None:
        model.bias[...] = value


@pytest.mark.parametrize("n_factors", contract.N_FACTORS)
@pytest.mark.parametrize("optimizer", contract.OPTIMIZERS)
@pytest.mark.parametrize("model", contract.MODELS)
def test_rows_of_other_features_do_not_leak(
    model: str, optimizer: str, n_factors: int, level: str
) -> None:
    """Every second feature's weights are NaN and no row of the data holds one."""
    case = Case(model, optimizer, n_fields=5, n_factors=n_factors)
    clean, poisoned = case.core(), case.core()
    everything = make_data(("plain",) * 40, 5).core()
    train(clean, everything)
    train(poisoned, everything)
    odd = np.arange(1, 15, 2, dtype=np.uint32)
    for part in contract.PARTS:
        if (w := table(poisoned, part)) is not None:
            poisoned.set_weights(part, np.full_like(w[odd], np.nan), odd)
    kept = [
        [(f, j, x) for f, j, x in row if j % 2 == 0]
        for row in make_data(contract.ROW_KINDS * 4, 5).rows
    ]
    data = Data(kept, [float(i % 2) for i in range(len(kept))], None, 15, 5).core()
    assert train(clean, data) == train(poisoned, data)
    np.testing.assert_array_equal(scores(clean, data), scores(poisoned, data))
    assert np.all(np.isfinite(scores(poisoned, data)))
    for part in contract.PARTS:
        if (w := table(poisoned, part)) is not None:
            assert np.all(np.isnan(w[odd]))
            assert np.all(np.isfinite(w[::2]))


@pytest.mark.parametrize("n_factors", [1, 4, 7, 16])
@pytest.mark.parametrize("model", contract.FACTOR_MODELS)
def test_initial_weights(model: str, n_factors: int) -> None:
    case = Case(model, n_fields=5, n_factors=n_factors)
    w = weights(case.started())
    high = 4 / 5 / np.sqrt(n_factors)
    low = 0 if model == "ffm" else -high
    assert np.all(w.linear == 0)
    assert np.all(w.bias == 0)
    assert np.all((w.factors >= low) & (w.factors < high))
    # The mean of n uniform numbers has a standard deviation of (high - low) / √(12 n).
    deviation = (high - low) / np.sqrt(12 * w.factors.size)
    assert np.mean(w.factors) == pytest.approx((low + high) / 2, abs=4 * deviation)
    assert len(np.unique(w.factors)) == w.factors.size


@pytest.mark.parametrize("model", contract.FACTOR_MODELS)
def test_initial_weights_depend_on_seed_and_feature_alone(model: str) -> None:
    case = Case(model, n_fields=5)
    expected = weights(case.started()).factors
    for level in _core.simd_levels():
        _core.set_simd(level)
        for optimizer in contract.OPTIMIZERS:
            met = [4, 0, 9]
            rows = [[(0, j, 1.0)] for j in met]
            core = Case(model, optimizer, n_fields=5, params=contract.UNREGULARIZED).core()
            train(core, Data(rows, [0.0] * 3, [0.0] * 3, 15, 5).core())
            found = weights(core).factors
            # FTRL's weights come out of its closed form, a few roundings away.
            np.testing.assert_allclose(found[met], expected[met], rtol=1e-6)
            assert np.all(np.delete(found, met, axis=0) == 0)
    other = weights(Case(model, n_fields=5, seed=8).started()).factors
    assert np.all(other != expected)


@pytest.mark.parametrize("n_factors", contract.N_FACTORS)
@pytest.mark.parametrize("model", contract.MODELS)
def test_weights_come_back_as_they_were_set(model: str, n_factors: int) -> None:
    core = Case(model, n_fields=5, n_factors=n_factors).core()
    rng = np.random.default_rng(0)
    for part in contract.PARTS:
        if (w := table(core, part)) is None:
            continue
        assert w.dtype == np.float32
        assert np.all(w == 0), "features without rows"
        expected = rng.normal(size=w.shape).astype(np.float32)
        core.set_weights(part, expected)
        np.testing.assert_array_equal(core.weights(part), expected)
        some = np.array([7, 0, 11, 7], np.uint32)  # in any order, also twice
        np.testing.assert_array_equal(core.weights(part, some), expected[some])
        core.set_weights(part, -expected[some[:3]], some[:3])
        expected[some[:3]] *= -1
        np.testing.assert_array_equal(core.weights(part), expected)
        core.set_weights(part, expected[[1, 2]], np.array([4, 4], np.uint32))
        np.testing.assert_array_equal(core.weights(part)[4], expected[2], "the last one counts")


@pytest.mark.parametrize("model", contract.MODELS)
def test_weights_are_copies_and_the_bias_is_a_view(model: str) -> None:
    core = Case(model, n_fields=5).filled()
    before = scores(core, make_data(KINDS, 5).core())
    for part in contract.PARTS:
        if (w := table(core, part)) is not None:
            w[...] = 7
            again = table(core, part)
            assert again is not None
            assert not np.any(again == 7)
    np.testing.assert_array_equal(scores(core, make_data(KINDS, 5).core()), before)
    bias = core.bias
    assert bias is not None
    bias[0] += 1
    found = scores(core, make_data(KINDS, 5).core())
    np.testing.assert_allclose(found, before + 1, rtol=1e-5, atol=1e-6)
    del core
    assert np.isfinite(bias[0]), "the view keeps the model alive"


@pytest.mark.parametrize("value", [0.25, 0.0])
@pytest.mark.parametrize("optimizer", contract.OPTIMIZERS)
@pytest.mark.parametrize("model", contract.MODELS)
def test_weights_that_were_set_are_kept_by_training(
    model: str, optimizer: str, value: float
) -> None:
    """As when a saved model is trained further: no row is initialized again, zeros neither."""
    case = Case(model, optimizer, params=contract.UNREGULARIZED)
    core = case.core()
    set_all(core, value)
    nothing = make_data(("plain",) * 6, 3)
    train(core, Data(nothing.rows, nothing.y, [0.0] * 6, case.n_features, 3).core())
    for w in (core.bias, table(core, "linear"), table(core, "factors")):
        if w is not None:
            np.testing.assert_allclose(w, value, rtol=1e-6)


@pytest.mark.parametrize("optimizer", contract.OPTIMIZERS)
@pytest.mark.parametrize("model", contract.MODELS)
def test_weights_that_are_set_start_the_optimizer_anew(model: str, optimizer: str) -> None:
    """What the model learned before leaves no trace, but in the bias."""
    case, data = Case(model, optimizer, n_fields=5), make_data(KINDS * 3, 5).core()
    fresh, used = case.core(), case.started()
    train(used, data)
    start = case.started()
    for core in (fresh, used):
        for part in contract.PARTS:
            if (w := table(start, part)) is not None:
                core.set_weights(part, w)
        assert core.bias is not None
        core.bias[...] = 0
    row = make_data(("values",), 5).core()  # one: the next would see the step of the bias
    assert train(fresh, row) == train(used, row)
    for name in ("linear", "factors"):
        np.testing.assert_array_equal(
            getattr(weights(fresh), name), getattr(weights(used), name), err_msg=name
        )


@pytest.mark.parametrize("model", contract.FACTOR_MODELS)
def test_setting_one_part_leaves_the_other_at_zero(model: str) -> None:
    """A new row is zero but for what was set, also where rows were taken away before."""
    case = Case(model, "adagrad", n_fields=5)
    core, empty = case.core(), _core.Snapshot()
    core.save(empty)
    train(core, make_data(KINDS * 3, 5).core())
    core.restore(empty)
    assert core.features.size == 0
    some = np.array([3, 8], np.uint32)
    core.set_weights("linear", np.ones(2, np.float32), some)
    np.testing.assert_array_equal(core.features, some)
    assert np.all(core.weights("factors") == 0)
    core.set_weights("factors", np.ones_like(core.weights("factors", some)), some + 1)
    assert np.all(core.weights("linear", some) == [1, 1])
    assert np.count_nonzero(core.weights("linear")) == 2


@pytest.mark.parametrize("n_factors", [3, 4, 8, 17])
@pytest.mark.parametrize("model", contract.MODELS)
def test_a_model_may_change_levels(model: str, n_factors: int) -> None:
    """Tables have the same layout on all levels, state of the optimizer included."""
    case, data = Case(model, "adagrad", n_fields=5, n_factors=n_factors), make_data(KINDS, 5)
    stays, moves, rows = case.core(), case.core(), data.core()
    for level in _core.simd_levels():
        _core.set_simd("portable")
        train(stays, rows)
        _core.set_simd(level)
        train(moves, rows)
    expected, found = weights(stays), weights(moves)
    for name in ("bias", "linear", "factors"):
        if getattr(expected, name) is not None:
            np.testing.assert_allclose(
                getattr(found, name), getattr(expected, name), rtol=2e-5, atol=1e-5
            )
