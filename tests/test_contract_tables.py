"""What lies around the weights in memory stays out of the scores: padding, other rows, other
features; and the weights' initial values."""

from __future__ import annotations

import contract
import numpy as np
import pytest
from contract import KINDS, Case, Data, make_data, scores, train
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from pyfm import _core


def padding(model: _core.Model) -> NDArray[np.float32]:
    """The floats between the factors of a vector and the next multiple of 4, where every SIMD
    level's narrowest vector ends."""
    view = model.factors
    assert view is not None
    k = view.shape[-1]
    whole = as_strided(view, (*view.shape[:-1], -(-k // 4) * 4), view.strides)
    return np.asarray(whole[..., k:])


@pytest.mark.parametrize("n_factors", contract.N_FACTORS)
@pytest.mark.parametrize("optimizer", contract.OPTIMIZERS)
@pytest.mark.parametrize("model", contract.FACTOR_MODELS)
def test_padding_stays_zero(model: str, optimizer: str, n_factors: int, level: str) -> None:
    core = Case(model, optimizer, n_fields=5, n_factors=n_factors).core()
    train(core, make_data(contract.ROW_KINDS * 4, 5).core(), epochs=2)
    assert np.all(padding(core) == 0)


@pytest.mark.parametrize("n_factors", contract.N_FACTORS)
@pytest.mark.parametrize("optimizer", contract.OPTIMIZERS)
@pytest.mark.parametrize("model", contract.MODELS)
def test_rows_of_other_features_do_not_leak(
    model: str, optimizer: str, n_factors: int, level: str
) -> None:
    """Every second feature's weights are NaN and no row of the data holds one."""
    case = Case(model, optimizer, n_fields=5, n_factors=n_factors)
    clean, poisoned = case.core(), case.core()
    everything = make_data(["plain"] * 40, 5).core()
    train(clean, everything)
    train(poisoned, everything)
    for view in (poisoned.linear, poisoned.factors):
        if view is not None:
            view[1::2] = np.nan
    kept = [
        [(f, j, x) for f, j, x in row if j % 2 == 0]
        for row in make_data(contract.ROW_KINDS * 4, 5).rows
    ]
    data = Data(kept, [float(i % 2) for i in range(len(kept))], None, 15, 5).core()
    assert train(clean, data) == train(poisoned, data)
    np.testing.assert_array_equal(scores(clean, data), scores(poisoned, data))
    assert np.all(np.isfinite(scores(poisoned, data)))
    for view in (poisoned.linear, poisoned.factors):
        if view is not None:
            assert np.all(np.isnan(view[1::2]))
            assert np.all(np.isfinite(view[::2]))


@pytest.mark.parametrize("n_factors", [1, 4, 7, 16])
@pytest.mark.parametrize("model", contract.FACTOR_MODELS)
def test_initial_weights(model: str, n_factors: int) -> None:
    case = Case(model, n_fields=5, n_factors=n_factors)
    w = contract.weights(case.started())
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
    expected = contract.weights(case.started()).factors
    for level in _core.simd_levels():
        _core.set_simd(level)
        for optimizer in contract.OPTIMIZERS:
            met = [4, 0, 9]
            rows = [[(0, j, 1.0)] for j in met]
            core = Case(model, optimizer, n_fields=5, params=(("l2", 0.0), ("l1", 0.0))).core()
            train(core, Data(rows, [0.0] * 3, [0.0] * 3, 15, 5).core())
            found = contract.weights(core).factors
            # FTRL's weights come out of its closed form, a few roundings away.
            np.testing.assert_allclose(found[met], expected[met], rtol=1e-6)
            assert np.all(np.delete(found, met, axis=0) == 0)
    other = contract.weights(Case(model, n_fields=5, seed=8).started()).factors
    assert np.all(other != expected)


@pytest.mark.parametrize("model", contract.MODELS)
def test_views_are_writable_and_keep_the_model_alive(model: str) -> None:
    core = Case(model, n_fields=5).started()
    view = core.linear
    assert view is not None
    view[...] = np.arange(15)
    again = core.linear
    assert again is not None
    np.testing.assert_array_equal(again, np.arange(15))
    del core, again
    assert view[14] == 14


@pytest.mark.parametrize("optimizer", contract.OPTIMIZERS)
@pytest.mark.parametrize("model", contract.MODELS)
def test_weights_that_were_set_are_kept_by_training(model: str, optimizer: str) -> None:
    """As when a saved model is trained further: no row is initialized again."""
    case = Case(model, optimizer, params=(("l1", 0.0), ("l2", 0.0)))
    core = case.core()
    for view in (core.bias, core.linear, core.factors):
        if view is not None:
            view[...] = 0.25
    nothing = make_data(["plain"] * 6, 3)
    train(core, Data(nothing.rows, nothing.y, [0.0] * 6, case.n_features, 3).core())
    for view in (core.bias, core.linear, core.factors):
        if view is not None:
            np.testing.assert_allclose(view, 0.25, rtol=1e-6)


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
    expected, found = contract.weights(stays), contract.weights(moves)
    for name in ("bias", "linear", "factors"):
        if getattr(expected, name) is not None:
            np.testing.assert_allclose(
                getattr(found, name), getattr(expected, name), rtol=2e-5, atol=1e-5
            )
