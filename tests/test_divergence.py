"""A training that diverges says so, and keeps the last good epoch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pyfm
from pyfm import Dataset, training
from pyfm.callbacks import reset_parameter

X = np.arange(12).reshape(6, 2)
Y = np.array([0.5, -1.0, 0.0, 2.0, 1.0, -0.5])

# Two good epochs, and a third that breaks everything.
explode = reset_parameter(learning_rate=[0.01, 0.01, 1e25, 0.01, 0.01])


def regressor(epochs: int = 5, **params: Any) -> Any:
    return pyfm.LinearRegressor(epochs=epochs, optimizer="sgd", random_state=0, **params)


def diverge(model: Any, **given: Any) -> None:
    with pytest.raises(
        ValueError, match=r"^training diverged in epoch 3, with learning_rate=1e\+25"
    ):
        model.fit(X, Y, callbacks=[explode], **given)


def two_epochs() -> Any:
    rates = reset_parameter(learning_rate=[0.01, 0.01])
    return regressor(2).fit(X, Y, callbacks=[rates])


@pytest.mark.parametrize("eval_set", [None, (X, Y)])
def test_the_last_good_epoch_is_kept(eval_set: Any) -> None:
    model = regressor()
    diverge(model, eval_set=eval_set)
    assert model.n_iter_ == len(model.history_["train_rmse"]) == 2
    np.testing.assert_array_equal(model.coef_, two_epochs().coef_)
    np.testing.assert_array_equal(model.intercept_, two_epochs().intercept_)


def test_early_stopping_keeps_the_best_epoch() -> None:
    model = regressor(early_stopping=True)
    diverge(model, eval_set=(X, Y))
    assert (model.best_epoch_, model.n_iter_) == (2, 2)
    np.testing.assert_array_equal(model.coef_, two_epochs().coef_)


@pytest.mark.parametrize("fitted_before", [False, True])
def test_large_models_of_which_no_copy_is_kept(
    fitted_before: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The estimator stays as it was: its weights are never NaN."""
    monkeypatch.setattr(training, "_CHEAP_SNAPSHOT", 0)
    model = regressor()
    if fitted_before:
        before = model.fit(X, Y).predict(X)
    diverge(model)
    assert hasattr(model, "history_") == fitted_before
    if fitted_before:
        np.testing.assert_array_equal(model.predict(X), before)
        assert model.n_iter_ == 5


@pytest.mark.parametrize("cheap", [0, 2**26])
def test_warm_start_goes_back_to_the_fit_before(
    cheap: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "_CHEAP_SNAPSHOT", cheap)
    model = regressor(2, warm_start=True).fit(X, Y)
    before = model.predict(X)
    rates = reset_parameter(learning_rate=[1e25, 0.1])
    with pytest.raises(ValueError, match="training diverged in epoch 3"):
        model.fit(X, Y, callbacks=[rates])
    np.testing.assert_array_equal(model.predict(X), before)
    assert model.n_iter_ == 2


def test_heavy_classes_are_named() -> None:
    model = pyfm.LinearClassifier(optimizer="sgd", learning_rate=10, class_weight={1: 1e38})
    with pytest.raises(ValueError, match=r"up to 1e\+38 \(sample_weight times class_weight\)"):
        model.fit([[0], [1], [0]] * 9, [1, 1, 0] * 9)


def test_weights_that_break_in_the_last_row() -> None:
    """The losses, each taken before its own step, are all finite."""
    model = pyfm.LinearRegressor(epochs=1, optimizer="sgd", learning_rate=1e30)
    with pytest.raises(ValueError, match=r"in epoch 1, .*: weights are no longer finite"):
        model.fit([[0]], [1e10])
    assert not hasattr(model, "history_")


def test_an_evaluation_that_breaks() -> None:
    model = pyfm.LinearRegressor(epochs=1, optimizer="sgd", learning_rate=0.1)
    far = Dataset.from_arrays([0, 1], [0], values=[3e38], y=[-3e38])
    with pytest.raises(ValueError, match=r"in epoch 1, .*: far_rmse is (inf|nan)"):
        model.fit(Dataset.from_arrays([0, 1], [0], y=[3e8]), eval_set={"far": far})


@pytest.mark.parametrize(
    ("data", "params", "cause"),
    [
        (
            {"values": [-1e30, 1.0]},
            {},
            r"feature values of up to 1e\+30; scale them to about 1, set",
        ),
        ({"y": [1e30, 0.0]}, {}, r"targets of up to 1e\+30; scale them to about 1"),
        ({"values": [1e30, 1], "y": [-20.0, 0]}, {"normalize": True}, "targets of up to 20; scale"),
        (
            {"sample_weight": [1e30, 1.0]},
            {},
            r"weights of rows of up to 1e\+30 \(sample_weight\), which are long steps",
        ),
        ({}, {}, "the learning_rate is too large; use a smaller one, such as 100000"),
    ],
)
def test_the_likely_cause(data: Any, params: Any, cause: str) -> None:
    rows = Dataset.from_arrays([0, 1, 2], [0, 1], **({"y": [1.0, 0.0]} | data))
    model = pyfm.LinearRegressor(epochs=99, optimizer="sgd", learning_rate=1e6, **params)
    with pytest.raises(ValueError, match=f"Likely cause: {cause}"):
        model.fit(rows)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_the_weights_of_classifiers_have_two_factors(method: str) -> None:
    model = pyfm.LinearClassifier(
        optimizer="sgd", learning_rate=10, class_weight={0: 1e38, 1: 1e38}, epochs=9
    )
    with pytest.raises(ValueError, match=r"\(sample_weight times class_weight\), which are long"):
        getattr(model, method)([[0], [1]] * 99, [0, 1] * 99)
