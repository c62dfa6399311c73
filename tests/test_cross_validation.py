"""scikit-learn's folds, searches and curves on a `Dataset`, each of whose folds is a selection."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from selections import LAYOUTS, N_ROWS, own_rows, rows_in
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.experimental import enable_halving_search_cv
from sklearn.metrics import log_loss
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    HalvingRandomSearchCV,
    KFold,
    StratifiedGroupKFold,
    StratifiedKFold,
    TimeSeriesSplit,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
    train_test_split,
)

import pyfm
from pyfm import Dataset

assert enable_halving_search_cv is not None

GROUPS = np.arange(N_ROWS) // 12 % 7
SPLITTERS: dict[str, Any] = {
    "plain": KFold(3, shuffle=True, random_state=0),
    "stratified": StratifiedKFold(3),
    "grouped": GroupKFold(3),
    "stratified and grouped": StratifiedGroupKFold(3),
    "ordered in time": TimeSeriesSplit(3, gap=5),
}
each_splitter = pytest.mark.parametrize("splitter", SPLITTERS.values(), ids=SPLITTERS)
MODEL = pyfm.FMClassifier(epochs=2, random_state=0)


def groups_for(splitter: Any) -> Any:
    """Others warn that they ignore them."""
    return GROUPS if "Group" in type(splitter).__name__ else None


def folds(splitter: Any, data: Dataset) -> Iterator[tuple[Dataset, Dataset, Any]]:
    """Training and test rows as copies, and the numbers of the latter."""
    for train, test in splitter.split(np.empty((len(data), 1)), data.y, groups_for(splitter)):
        yield own_rows(data[train]), own_rows(data[test]), test


@each_splitter
@pytest.mark.parametrize("layout", LAYOUTS)
def test_scores_are_those_of_copies(layout: str, splitter: Any) -> None:
    data = rows_in(layout)
    groups = groups_for(splitter)
    scores = cross_val_score(
        MODEL, data, data.y, groups=groups, cv=splitter, scoring="neg_log_loss"
    )
    expected = [
        -log_loss(test.y, MODEL.fit(train).predict_proba(test))
        for train, test, _ in folds(splitter, data)
    ]
    assert scores.tolist() == expected


@each_splitter
def test_regressors(splitter: Any) -> None:
    data = rows_in("values", weights=True)
    model = pyfm.FMRegressor(epochs=2, random_state=0)
    target = np.zeros(N_ROWS, int)  # some for stratified folds: targets of regressors are none
    split = list(splitter.split(data, target, groups_for(splitter)))
    found = cross_validate(model, data, data.y, cv=split, return_train_score=True)
    for i, (train, test) in enumerate(split):
        model.fit(own_rows(data[train]))
        assert found["test_score"][i] == model.score(own_rows(data[test]))
        assert found["train_score"][i] == model.score(own_rows(data[train]))


@pytest.mark.parametrize("splitter", [KFold(3), GroupKFold(3), TimeSeriesSplit(3)])
def test_targets_may_be_those_of_the_data(splitter: Any) -> None:
    """Where neither the folds nor the scorer ask for them."""
    data = rows_in("gaps", weights=True)
    groups = groups_for(splitter)
    scores = [cross_val_score(MODEL, data, y, groups=groups, cv=splitter) for y in (None, data.y)]
    assert scores[0].tolist() == scores[1].tolist()


def test_predictions_out_of_fold() -> None:
    data = rows_in("one_per_field")
    found = cross_val_predict(MODEL, data, data.y, cv=StratifiedKFold(4), method="predict_proba")
    for train, test, rows in folds(StratifiedKFold(4), data):
        assert (found[rows] == MODEL.fit(train).predict_proba(test)).all()


class Watching(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Writes down what it is given."""

    seen: list[Any]

    def fit(self, X: Any, y: Any, **_: Any) -> Watching:
        self.classes_ = np.unique(y)
        self.seen = [(X, y)]
        return self

    def predict(self, X: Any) -> Any:
        self.seen.append((X, None))
        return np.zeros(len(X))


def test_folds_are_selections() -> None:
    data = rows_in("values", weights=True)
    assert data.y is not None
    assert data.sample_weight is not None
    split = list(StratifiedKFold(3).split(data, data.y))
    found = cross_validate(Watching(), data, data.y, cv=split, return_estimator=True)
    for (train, test), estimator in zip(split, found["estimator"], strict=True):
        (X, y), (tested, _) = estimator.seen
        for rows, numbers in ((X, train), (tested, test)):
            assert rows.core.is_selection
            assert rows.nbytes == len(numbers) * 16 + rows.nnz * 10
            assert (rows.y == data.y[numbers]).all()
            assert (rows.sample_weight == data.sample_weight[numbers]).all()
        assert (y == X.y).all()
    left, right = train_test_split(data, stratify=data.y, random_state=0)
    assert left.core.is_selection
    assert len(left) + len(right) == N_ROWS


def test_searches() -> None:
    data = rows_in("gaps")
    grid = {"epochs": [1, 4], "n_factors": [2, 4]}
    search = GridSearchCV(MODEL, grid, cv=KFold(3)).fit(data)
    again = GridSearchCV(MODEL, grid, cv=KFold(3)).fit(own_rows(data), data.y)
    assert (
        search.cv_results_["mean_test_score"].tolist()
        == again.cv_results_["mean_test_score"].tolist()
    )
    assert (search.predict(data) == search.best_estimator_.predict(data)).all()
    for resource in ("n_samples", "epochs"):
        params = {"n_factors": [2, 4, 8], "learning_rate": [0.05, 0.1, 0.2]}
        limits = {"min_resources": 60} if resource == "n_samples" else {"max_resources": 9}
        halving = HalvingRandomSearchCV(
            MODEL, params, resource=resource, n_candidates=6, cv=StratifiedKFold(2),
            scoring="neg_log_loss", random_state=0, **limits,
        ).fit(data, data.y)  # fmt: skip
        assert halving.n_iterations_ > 1
        assert set(halving.best_params_) >= set(params)


def test_learning_curve() -> None:
    data = rows_in("one_per_field")
    sizes, _, scores = learning_curve(MODEL, data, data.y, train_sizes=[0.5, 1.0], cv=KFold(3))
    assert sizes.tolist() == [80, 160]
    for i, (train, test) in enumerate(KFold(3).split(data)):
        for j, size in enumerate(sizes):
            model = MODEL.fit(own_rows(data[train[:size]]))
            assert scores[j, i] == model.score(own_rows(data[test]))


def files_of(data: Dataset) -> list[str]:
    """Those that the arrays are mapped from, here in a worker."""
    arrays = [data.core.features, data.core.y]
    addresses = [array.__array_interface__["data"][0] for array in arrays if array is not None]
    maps = [line.split() for line in Path("/proc/self/maps").read_text().splitlines()]
    found = []
    for address in addresses:
        for entry in maps:
            start, stop = (int(end, 16) for end in entry[0].split("-"))
            if start <= address < stop:
                found.append(" ".join(entry[5:]))
    return found


@pytest.mark.skipif(not os.path.exists("/proc/self/maps"), reason="this system has no such file")
def test_processes_share_the_rows() -> None:
    """joblib writes arrays of some size to a file once, which all workers map."""
    data = rows_in("one_per_field")
    with joblib.Parallel(n_jobs=2, max_nbytes=100) as parallel:
        answers = [parallel(joblib.delayed(files_of)(data) for _ in range(6)) for _ in range(2)]
    answers = answers[0] + answers[1]
    assert all(files == answers[0] for files in answers)
    assert len(set(answers[0])) == 2
    assert all("joblib" in name for name in answers[0])


def test_folds_in_processes_and_threads() -> None:
    data = rows_in("gaps", weights=True)
    expected = cross_val_score(MODEL, data, data.y, cv=3, scoring="roc_auc").tolist()
    for backend in ("loky", "threading"):
        with joblib.parallel_config(backend, n_jobs=2):
            found = cross_val_score(MODEL, data, data.y, cv=3, scoring="roc_auc")
        assert found.tolist() == expected
