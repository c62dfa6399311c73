"""At home in scikit-learn: its own checks, clone, grid search, pipelines, pickle."""

from __future__ import annotations

import pickle
from typing import Any

import kinds
import numpy as np
import pytest
import scipy.sparse
from sklearn.base import RegressorMixin, clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.utils.estimator_checks import (
    check_estimators_data_not_an_array,
    parametrize_with_checks,
)

import pyfm
from pyfm.estimators.deep import DeepModel
from pyfm.optim import AdaGrad

ESTIMATORS = [kinds.small(kind) for kind in kinds.ESTIMATORS]

each_estimator = pytest.mark.parametrize("model", ESTIMATORS, ids=lambda m: type(m).__name__)


def expected_failures(model: Any) -> dict[str, str]:
    # In full batches the equivalence holds: test_a_weight_is_as_many_rows_in_full_batches.
    reason = "rows are learned one by one: a weight of 2 is one long step, two rows are two steps"
    expected = {
        "check_sample_weight_equivalence_on_dense_data": reason,
        "check_sample_weight_equivalence_on_sparse_data": reason,
    }
    of_tables = "a DataFrame has columns of its own kinds, and is not the matrix of its numbers"
    if isinstance(model, RegressorMixin):
        expected["check_regressor_data_not_an_array"] = of_tables
    elif isinstance(model, pyfm.FFMClassifier):  # the labels of the others agree nonetheless
        expected["check_classifier_data_not_an_array"] = of_tables
    return expected


@parametrize_with_checks(  # type: ignore[untyped-decorator]
    ESTIMATORS, expected_failed_checks=expected_failures
)
def test_checks_of_scikit_learn(estimator: Any, check: Any) -> None:
    check(estimator)


@each_estimator
def test_arrays_of_other_libraries(model: Any) -> None:
    """That part of scikit-learn's data_not_an_array checks which has no DataFrame."""
    X = np.array([[3, 0], [0, 1], [0, 2], [1, 1], [1, 2], [2, 1],
                  [0, 3], [1, 0], [2, 0], [4, 4], [2, 3], [3, 2]])  # fmt: skip
    y = np.array([1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2])
    name, is_regressor = type(model).__name__, isinstance(model, RegressorMixin)
    for rows in (X, X + 0.5):  # ids, and numeric columns
        targets = y + 0.25 * X[:, 0] if is_regressor else y
        check_estimators_data_not_an_array(name, model, rows, targets, "NotAnArray")


@each_estimator
@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adagrad", "ftrl"])
def test_a_weight_is_as_many_rows_in_full_batches(model: Any, optimizer: str) -> None:
    """What scikit-learn's checks of sample_weight ask for.

    Sums of float32 over a few dozen rows, in another order: some 1e-6 of a gradient, in 20 steps.
    """
    rng = np.random.default_rng(0)
    X, y = rng.random((30, 6)), rng.integers(0, 2, 30)
    weight = rng.integers(0, 4, 30)
    params = {"batch_size": "full", "optimizer": optimizer, "epochs": 20, "random_state": 0}
    if isinstance(model, DeepModel):  # of rows, whatever their weight
        params |= {"batch_norm": False, "dropout": 0}
    weighted, repeated = (clone(model).set_params(**params) for _ in range(2))
    fields = [0, 1, 2, 0, 1, 2]
    weighted.fit(X, y, sample_weight=weight, fields=fields)
    repeated.fit(X.repeat(weight, axis=0), y.repeat(weight), fields=fields)
    name = "decision_function" if hasattr(model, "decision_function") else "predict"
    found, expected = getattr(weighted, name)(X), getattr(repeated, name)(X)
    np.testing.assert_allclose(found, expected, rtol=2e-4, atol=2e-5)
    assert np.ptp(expected) > 1e-2


def ids_and_clicks(n_rows: int = 200) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Two fields of 2 ids; a click where they agree."""
    bits = np.random.default_rng(0).integers(0, 2, (n_rows, 2))
    return bits + np.array([0, 2]), (bits[:, 0] == bits[:, 1]).astype(int)


@each_estimator
def test_parameters_round_trip(model: Any) -> None:
    changes = {"epochs": 3, "learning_rate": 0.3, "random_state": 7, "n_jobs": 2}
    changed = clone(model).set_params(**changes)
    params = changed.get_params()
    assert params | changes == params
    assert type(model)(**params).get_params() == params
    assert clone(changed).get_params() == params
    assert "epochs=3" in repr(changed)


def test_clone_keeps_the_optimizer_object_and_drops_the_fit() -> None:
    X, y = ids_and_clicks()
    model = pyfm.FMClassifier(optimizer=AdaGrad(learning_rate=0.3), random_state=0).fit(X, y)
    copy = clone(model)
    assert copy.optimizer == AdaGrad(learning_rate=0.3)
    parts: Any = {"linear": "ftrl", "factors": AdaGrad(learning_rate=0.3)}
    assert clone(pyfm.FMClassifier(optimizer=parts)).optimizer == parts
    assert not hasattr(copy, "history_")
    assert not hasattr(copy, "coef_")


@each_estimator
def test_pickle_predicts_the_same_bits(model: Any) -> None:
    X, y = ids_and_clicks()
    fitted = clone(model).set_params(random_state=0).fit(X, y)
    copy = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(copy.predict(X), fitted.predict(X))
    assert copy.history_ == fitted.history_
    assert copy.get_params() == fitted.get_params()
    copy.fit(X, y)
    np.testing.assert_array_equal(copy.predict(X), fitted.predict(X))


def test_pickle_of_a_new_estimator() -> None:
    model = pickle.loads(pickle.dumps(pyfm.FFMClassifier(epochs=3)))
    assert model.get_params() == pyfm.FFMClassifier(epochs=3).get_params()


def test_grid_search_on_ids() -> None:
    X, y = ids_and_clicks()
    grid = {"n_factors": [2, 4], "epochs": [1, 60]}
    search = GridSearchCV(pyfm.FMClassifier(random_state=0, init_scale=1), grid, cv=3).fit(X, y)
    assert search.best_score_ == 1
    assert len(search.cv_results_["params"]) == 4


def test_cross_validation_on_a_sparse_matrix_in_a_pipeline() -> None:
    X, y = ids_and_clicks()
    model = make_pipeline(
        OneHotEncoder(), pyfm.FMClassifier(epochs=60, init_scale=1, random_state=0)
    )
    scores = cross_val_score(model, X, y, cv=3, scoring="neg_log_loss")
    assert scores.min() > -0.3
    one_hot = OneHotEncoder().fit_transform(X)
    assert scipy.sparse.issparse(one_hot)
    assert cross_val_score(pyfm.LinearClassifier(), one_hot, y, cv=3).max() < 0.7
