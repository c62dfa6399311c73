"""Progressive validation: every row is predicted before it is learned."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import contract
import numpy as np
import pytest
from streaming import CLASSIFIERS, REGRESSORS, X, Y, each_model, learn

import pyfm
from pyfm.estimators import streams


@pytest.mark.parametrize("normalize", [False, True])
@each_model
def test_predict_then_learn(model: str, normalize: bool, level: str) -> None:
    """Row by row, as a user would write it."""
    weight = np.random.default_rng(0).choice([0.5, 1, 2], len(Y))
    found = CLASSIFIERS[model](normalize=normalize, random_state=0)
    whole = learn(deepcopy(found), X, Y, sample_weight=weight)
    predictions = [0.5]
    learn(found, X[:1], Y[:1], sample_weight=weight[:1])
    for i in range(1, len(Y)):
        predictions.append(found.predict_proba(X[i : i + 1])[0, 1])
        found.partial_fit(X[i : i + 1], Y[i : i + 1], sample_weight=weight[i : i + 1])
    expected = pyfm.metrics.logloss(Y, predictions, sample_weight=weight)
    # Scores of rows whose new features are left out are summed in another order.
    assert whole.progressive_logloss_ == pytest.approx(expected, rel=1e-6)
    assert found.progressive_logloss_ == pytest.approx(expected, rel=1e-6)
    assert whole.history_["progressive_logloss"] == [whole.progressive_logloss_]


@pytest.mark.parametrize("kind", contract.ROW_KINDS)
@each_model
def test_predict_then_learn_rows_of_every_kind(model: str, kind: str) -> None:
    data = contract.make_data((kind,) * 12, 5).core()
    parts: dict[str, Any] = {"optimizer": "adagrad", "n_fields": 5}
    whole, single = contract.Case(model, **parts).core(), contract.Case(model, **parts).core()
    found, _ = whole.learn(data, n_threads=1, batch_size=1)
    expected = []
    for i in range(12):
        row = data.slice(i, i + 1)
        expected.append(single.decision_function(row, n_threads=1)[0])
        single.learn(row, n_threads=1, batch_size=1)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@each_model
def test_predict_then_learn_batches(model: str) -> None:
    params: dict[str, Any] = {"batch_size": 30, "learning_rate": 0.5, "random_state": 0}
    whole = learn(CLASSIFIERS[model](**params), X, Y)
    found = learn(CLASSIFIERS[model](**params), X[:30], Y[:30])
    predictions = [0.5] * 30
    for i in range(30, 240, 30):
        batch = slice(i, i + 30)
        predictions += found.predict_proba(X[batch])[:, 1].tolist()
        found.partial_fit(X[batch], Y[batch])
    expected = pyfm.metrics.logloss(Y, predictions)
    assert whole.progressive_logloss_ == pytest.approx(expected, rel=1e-6)


@each_model
def test_predict_then_learn_numbers(model: str) -> None:
    y = X.sum(axis=1) / 100
    whole = learn(REGRESSORS[model](random_state=0), X, y)
    found = learn(REGRESSORS[model](random_state=0), X[:1], y[:1])
    predictions = [0.0]
    for i in range(1, len(y)):
        predictions += found.predict(X[i : i + 1]).tolist()
        found.partial_fit(X[i : i + 1], y[i : i + 1])
    expected = pyfm.metrics.rmse(y, predictions)
    assert whole.progressive_rmse_ == pytest.approx(expected, rel=1e-5)
    assert found.progressive_rmse_ == pytest.approx(expected, rel=1e-5)
    assert not hasattr(whole, "progressive_logloss_")


def test_what_is_learned_otherwise_is_validated_as_it_is() -> None:
    """Smoothing and class weights are for learning; no weights move here."""
    model = pyfm.FMClassifier(
        learning_rate=1e-30, init_scale=0, class_weight={1: 5}, label_smoothing=0.5
    )
    assert learn(model, X, Y).progressive_logloss_ == pytest.approx(np.log(2))


def test_samples_stand_for_all_rows() -> None:
    rows, _ = pyfm.datasets.make_ctr(20_000, n_fields=3, n_features=30, random_state=0)
    losses = []
    for share in (1.0, 0.25):
        model = pyfm.LinearClassifier(negative_sampling=share, random_state=0)
        for begin in range(0, 20_000, 500):
            model.partial_fit(rows[begin : begin + 500])
        losses.append(model.progressive_logloss_)
        assert sum(model.history_["n_rows"]) == 20_000
    # The sample's mean of 20,000 losses that differ by about 0.5 is off by 0.5 √(3 / 20,000).
    assert losses[1] == pytest.approx(losses[0], abs=4 * 0.5 * np.sqrt(3 / 20_000))


def test_rows_that_weigh_nothing_have_no_loss() -> None:
    model = pyfm.LinearClassifier(random_state=0)
    model.partial_fit(X[:5], Y[:5], sample_weight=np.zeros(5))
    assert np.isnan(model.progressive_logloss_)
    assert (model.history_, model.n_iter_) == ({}, 1)
    model.partial_fit(X[5:9], Y[5:9])
    assert model.history_["call"] == [1]
    assert model.progressive_logloss_ == model.history_["progressive_logloss"][0]


def test_histories_hold_the_last_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MOST_RECORDS", 5)
    model = learn(pyfm.LinearClassifier(), X[:20], Y[:20], range(1, 20))
    assert model.history_["call"] == [16, 17, 18, 19, 20]
    assert {len(column) for column in model.history_.values()} == {5}
