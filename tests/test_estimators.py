"""Estimators: what they learn, take and refuse."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from sklearn.exceptions import NotFittedError

import pyfm
from pyfm import Dataset

CLASSIFIERS: list[Any] = [pyfm.LinearClassifier, pyfm.FMClassifier, pyfm.FFMClassifier]
REGRESSORS: list[Any] = [pyfm.LinearRegressor, pyfm.FMRegressor, pyfm.FFMRegressor]
FACTOR_CLASSIFIERS = CLASSIFIERS[1:]

each_classifier = pytest.mark.parametrize("kind", CLASSIFIERS)
each_regressor = pytest.mark.parametrize("kind", REGRESSORS)
each_estimator = pytest.mark.parametrize("kind", CLASSIFIERS + REGRESSORS)

# Two fields of 2 ids, 50 times each pair; a click where they agree.
IDS = np.array([[0, 2], [0, 3], [1, 2], [1, 3]] * 50)
CLICKS = np.array([1, 0, 0, 1] * 50)


def made(kind: Callable[..., Any], **params: Any) -> Any:
    return kind(**({"epochs": 40, "random_state": 0} | params))


# --- learning -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("optimizer", "learning_rate"),
    [
        ("sgd", 0.3),
        ("momentum", 0.03),
        ("nesterov", 0.03),
        ("adagrad", 0.3),
        ("rmsprop", 0.01),
        ("adam", 0.01),
        ("ftrl", 0.3),
    ],
)
@pytest.mark.parametrize("kind", FACTOR_CLASSIFIERS)
def test_interactions_are_learned(kind: Any, optimizer: str, learning_rate: float) -> None:
    params = {"optimizer": optimizer, "learning_rate": learning_rate}
    model = made(kind, **params, init_scale=1).fit(IDS, CLICKS)
    assert model.score(IDS, CLICKS) == 1
    assert model.history_["train_logloss"][-1] < 0.3


def test_interactions_are_beyond_linear_models() -> None:
    model = made(pyfm.LinearClassifier).fit(IDS, CLICKS)
    # Log 2 is the loss of knowing nothing.
    assert pyfm.metrics.logloss(CLICKS, model.predict_proba(IDS)[:, 1]) > math.log(2) - 0.01


@each_regressor
def test_regression(kind: Any) -> None:
    y = np.where(CLICKS, 1.0, -1.0) if kind is not pyfm.LinearRegressor else IDS[:, 0] - 0.5
    model = made(kind, learning_rate=0.3).fit(IDS, y)
    assert model.score(IDS, y) > 0.95
    assert model.history_["train_rmse"][-1] < 0.25


def test_made_rows_are_learned_in_the_order_of_the_models() -> None:
    rows, bayes = pyfm.datasets.make_ctr(
        30_000, n_fields=12, n_features=300, n_factors=4, random_state=0
    )
    train, valid = rows[:25_000], rows[25_000:]
    assert valid.y is not None
    losses = [pyfm.metrics.logloss(valid.y, np.full(len(valid), valid.y.mean()))]
    for kind in CLASSIFIERS:
        model = made(kind, early_stopping=True, learning_rate=0.1).fit(train, eval_set=valid)
        losses.append(pyfm.metrics.logloss(valid.y, model.predict_proba(valid)[:, 1]))
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] > bayes - 0.02


def test_weights_count() -> None:
    """Contradicting labels: the heavier ones win."""
    X, y = np.array([[0], [0]] * 50), np.array([0, 1] * 50)
    for weight, expected in (([3, 1], 0.25), ([1, 3], 0.75)):
        model = made(pyfm.LinearClassifier, learning_rate=0.02, l2=0)
        model.fit(X, y, sample_weight=weight * 50)
        assert model.predict_proba(X)[0, 1] == pytest.approx(expected, abs=0.05)


# --- scores and attributes ------------------------------------------------------------------------


@each_classifier
def test_scores_and_probabilities_fit_together(kind: Any) -> None:
    model = made(kind).fit(IDS, CLICKS)
    score, p = model.decision_function(IDS), model.predict_proba(IDS)
    assert score.dtype == np.float32
    assert p.dtype == np.float64
    assert p.shape == (len(IDS), 2)
    np.testing.assert_allclose(p[:, 1], 1 / (1 + np.exp(-score.astype(np.float64))), rtol=1e-12)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    np.testing.assert_array_equal(model.predict(IDS), (p[:, 1] > 0.5).astype(int))


def test_shapes_of_the_attributes() -> None:
    shapes = {
        kind: [
            None if (value := getattr(model, name, None)) is None else value.shape
            for name in ("intercept_", "coef_", "factors_")
        ]
        for kind in CLASSIFIERS
        for model in [made(kind, epochs=1).fit(IDS, CLICKS)]
    }
    assert shapes == {
        pyfm.LinearClassifier: [(1,), (4,), None],
        pyfm.FMClassifier: [(1,), (4,), (4, 8)],
        pyfm.FFMClassifier: [None, None, (4, 2, 4)],
    }


def test_a_linear_score_is_the_sum_of_its_parts() -> None:
    model = made(pyfm.LinearClassifier).fit(IDS, IDS[:, 0])
    sums = model.coef_[IDS].sum(axis=1) + model.intercept_
    np.testing.assert_allclose(model.decision_function(IDS), sums, rtol=1e-5)


@each_classifier
def test_weights_are_copies(kind: Any) -> None:
    model = made(kind).fit(IDS, CLICKS)
    before = model.decision_function(IDS)
    for name in ("intercept_", "coef_", "factors_"):
        if hasattr(model, name):
            weights = getattr(model, name)
            weights += 1
            assert not np.array_equal(getattr(model, name), weights)
    np.testing.assert_array_equal(model.decision_function(IDS), before)


@pytest.mark.parametrize("kind", [pyfm.FMClassifier, pyfm.FFMClassifier])
def test_features_that_do_not_occur_cost_no_factors(kind: Any) -> None:
    data = Dataset.from_ids(IDS * 10_000_000, CLICKS, n_features=2**26)
    model = made(kind, linear=True, epochs=1).fit(data)
    assert model.n_features_in_ == 2**26
    np.testing.assert_array_equal(model._model.features, [0, 10**7, 2 * 10**7, 3 * 10**7])
    # A number of a row for each feature: 256 MiB. 5 rows of factors and their state: below 2 kB.
    assert model._model.nbytes - 4 * 2**26 < 2000
    np.testing.assert_array_equal(
        model.predict_proba(data), pickle.loads(pickle.dumps(model)).predict_proba(data)
    )


def test_parts_that_a_model_lacks_say_why() -> None:
    with pytest.raises(AttributeError, match="linear=False"):
        _ = made(pyfm.FFMClassifier).fit(IDS, CLICKS).coef_
    with pytest.raises(AttributeError, match="it is linear"):
        _ = made(pyfm.LinearClassifier).fit(IDS, CLICKS).factors_


@each_estimator
def test_before_fit(kind: Any) -> None:
    with pytest.raises(NotFittedError):
        kind().predict(IDS)
    with pytest.raises(NotFittedError):
        _ = kind().coef_
    with pytest.raises(NotFittedError):
        kind().save("never")
    assert not hasattr(kind(), "classes_")


# --- inputs ---------------------------------------------------------------------------------------


@each_classifier
def test_the_same_rows_in_every_form(kind: Any) -> None:
    values = np.zeros((len(IDS), 4), np.float32)
    np.put_along_axis(values, IDS, 1, axis=1)
    fields = [0, 0, 1, 1]
    forms: list[Any] = [values, values.tolist(), scipy.sparse.csr_matrix(values)]
    forms.append(scipy.sparse.coo_array(values))
    expected = made(kind).fit(IDS, CLICKS).predict_proba(IDS)
    data = Dataset.from_ids(IDS, CLICKS)
    np.testing.assert_array_equal(made(kind).fit(data).predict_proba(data), expected)
    for X in forms:
        # fields are given once, and remembered
        p = made(kind).fit(X, CLICKS, fields=fields).predict_proba(X)
        np.testing.assert_allclose(p, expected, rtol=1e-5)


@pytest.mark.parametrize(
    "labels", [(0, 1), (-1, 1), (1, 2), ("no", "yes"), (False, True), (1.0, 2.0)], ids=str
)
def test_any_two_labels(labels: tuple[Any, Any]) -> None:
    y = np.array(labels)[CLICKS]
    model = made(pyfm.FFMClassifier, learning_rate=0.3).fit(IDS, y)
    assert model.classes_.tolist() == sorted(labels)
    assert model.predict(IDS).dtype == y.dtype
    np.testing.assert_array_equal(model.predict(IDS), y)
    assert model.score(IDS, y) == 1


@pytest.mark.parametrize("low", [0, -1])
def test_labels_of_datasets(low: int) -> None:
    y = np.where(CLICKS == 1, 1, low)
    data = Dataset.from_ids(IDS, y)
    model = made(pyfm.FFMClassifier, learning_rate=0.3).fit(data, eval_set=data)
    assert model.classes_.tolist() == [low, 1]
    np.testing.assert_array_equal(model.predict(data), y)
    assert model.score(data) == 1
    expected = made(pyfm.FFMClassifier, learning_rate=0.3).fit(IDS, y).predict_proba(IDS)
    np.testing.assert_array_equal(model.predict_proba(data), expected)


def test_weights_of_a_dataset_count_in_its_score() -> None:
    data = Dataset.from_ids([[0], [1], [1]], [0, 1, 0], sample_weight=[1, 1, 0])
    model = made(pyfm.LinearClassifier).fit(data)
    assert model.score(data) == 1
    assert model.score(data, sample_weight=[1, 1, 1]) == pytest.approx(2 / 3)


@each_classifier
def test_unknown_features_and_fields_are_ignored(kind: Any) -> None:
    model = made(kind, normalize=False).fit(IDS, CLICKS)
    known = Dataset.from_ids([[0, 2]])
    more = Dataset.from_arrays([0, 4], [0, 99, 3_000_000_000, 2], fields=[0, 1, 50, 1])
    np.testing.assert_array_equal(model.predict_proba(more), model.predict_proba(known))
    np.testing.assert_array_equal(
        model.predict_proba(np.array([[0, 99]])),
        model.predict_proba(Dataset.from_arrays([0, 1], [0], n_fields=2)),
    )


def test_integers_are_numbers_where_fit_had_numbers() -> None:
    X = np.array([[0.0, 2.0], [3.0, 0.0]] * 20)
    model = made(pyfm.LinearRegressor, epochs=3).fit(X, X[:, 0])
    np.testing.assert_array_equal(model.predict(X.astype(int)), model.predict(X))


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (IDS.astype(float), "X: expected integer ids"),
        (scipy.sparse.csr_matrix(IDS), "X: expected an array of integer ids"),
        (IDS[:, :1], "X has 1 features, but FMClassifier is expecting 2 features"),
        (IDS[0], "expected a 2-D array"),
    ],
)
def test_rows_of_another_kind_than_in_fit(X: Any, message: str) -> None:
    model = made(pyfm.FMClassifier, epochs=1).fit(IDS, CLICKS)
    with pytest.raises(ValueError, match=message):
        model.predict(X)
