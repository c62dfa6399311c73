"""scikit-learn's metadata routing: what arrives at `fit`, through whatever wraps the estimator."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.experimental import enable_halving_search_cv
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import get_scorer, log_loss
from sklearn.model_selection import (
    GridSearchCV,
    HalvingRandomSearchCV,
    KFold,
    cross_val_predict,
    cross_validate,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer

import pyfm
from pyfm.estimators.base import Estimator

assert enable_halving_search_cv is not None

N_ROWS = 120
RNG = np.random.default_rng(0)
# The first id of a row is its number, by which the tests know it.
X = np.column_stack([np.arange(N_ROWS), N_ROWS + RNG.integers(0, 5, N_ROWS)])
Y = RNG.integers(0, 2, N_ROWS)
WEIGHT = np.arange(N_ROWS) + 1.0
FORMS = {"ids": X, "Dataset": pyfm.Dataset.from_ids(X, Y)}
each_form = pytest.mark.parametrize("rows", FORMS.values(), ids=FORMS)


class Fit(NamedTuple):
    """What one call of `fit` was given."""

    numbers: np.ndarray[Any, Any]  # of its rows
    sample_weight: Any
    eval_set: Any
    fields: Any


@pytest.fixture
def fits(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Fit]]:
    """Every call from here on, with routing enabled."""
    found: list[Fit] = []
    fit = Estimator._fit

    def recorded(self: Any, rows: Any, *args: Any) -> None:
        is_dataset = isinstance(rows, pyfm.Dataset)
        ids = rows.core.features.reshape(len(rows), -1) if is_dataset else np.asarray(rows)
        _, fields, weight, eval_set, *_ = args
        found.append(Fit(ids[:, 0], weight, eval_set, fields))
        fit(self, rows, *args)

    monkeypatch.setattr(Estimator, "_fit", recorded)
    with sklearn.config_context(enable_metadata_routing=True):
        yield found


def weighted(**params: Any) -> Any:
    model = pyfm.FMClassifier(epochs=1, random_state=0, **params)
    return model.set_fit_request(sample_weight=True).set_score_request(sample_weight=True)


def wrapped() -> dict[str, tuple[Any, list[int]]]:
    """Estimators of estimators, and how many rows each fit within one of theirs should see."""
    half, whole = N_ROWS // 2, N_ROWS
    last = LogisticRegression().set_fit_request(sample_weight=True)
    pair = [("one", weighted()), ("two", weighted(n_factors=2))]
    grid = {"n_factors": [2, 4]}
    return {
        "pipeline": (make_pipeline(FunctionTransformer(), weighted()), [whole]),
        "search": (GridSearchCV(weighted(), grid, cv=2), [half] * 4 + [whole]),
        "search in a pipeline": (
            GridSearchCV(
                make_pipeline(FunctionTransformer(), weighted()),
                {"fmclassifier__n_factors": [2, 4]}, cv=2,
            ),
            [half] * 4 + [whole],
        ),
        "halving": (
            HalvingRandomSearchCV(
                weighted(), grid, cv=2, n_candidates=2, min_resources=N_ROWS, random_state=0
            ),
            [half] * 4 + [whole],
        ),
        "stacked": (
            StackingClassifier(pair, cv=2, final_estimator=last), [whole] * 2 + [half] * 4
        ),
        "voting": (VotingClassifier(pair), [whole] * 2),
        "calibrated": (CalibratedClassifierCV(weighted(), cv=2), [half] * 2),
        "one against the rest": (OneVsRestClassifier(weighted()), [whole]),
    }  # fmt: skip


@each_form
@pytest.mark.parametrize(
    "name",
    [
        "pipeline", "search", "search in a pipeline", "halving", "stacked", "voting", "calibrated",
        "one against the rest",
    ],
)  # fmt: skip
def test_each_row_keeps_its_weight(name: str, rows: Any, fits: list[Fit]) -> None:
    model, sizes = wrapped()[name]
    model.fit(rows, Y, sample_weight=WEIGHT)
    assert [len(one.numbers) for one in fits] == sizes
    for one in fits:
        assert one.sample_weight.tolist() == WEIGHT[one.numbers].tolist()


@each_form
def test_folds_and_scores_are_weighted(rows: Any, fits: list[Fit]) -> None:
    scorer = get_scorer("neg_log_loss").set_score_request(sample_weight=True)
    params = {"sample_weight": WEIGHT}
    folds = KFold(3)
    found = cross_validate(
        weighted(), rows, Y, params=params, cv=folds, scoring=scorer, return_estimator=True
    )
    cross_val_predict(weighted(), rows, Y, params=params, cv=folds)
    assert len(fits) == 6
    for one in fits:
        assert one.sample_weight.tolist() == WEIGHT[one.numbers].tolist()
    for (_, test), model, score in zip(
        folds.split(X), found["estimator"], found["test_score"], strict=True
    ):
        likely = model.predict_proba(rows[test])
        assert score == pytest.approx(
            -log_loss(Y[test], likely, sample_weight=WEIGHT[test]), rel=1e-12
        )


def test_bags_draw_by_weight_and_count(fits: list[Fit]) -> None:
    """Of their own: members get the number of times that each row was drawn."""
    BaggingClassifier(weighted(), 3, random_state=0).fit(X, Y, sample_weight=WEIGHT)
    assert len(fits) == 3
    for one in fits:
        assert one.numbers.tolist() == list(range(N_ROWS))
        assert np.sum(one.sample_weight) == N_ROWS
        assert np.average(np.arange(N_ROWS), weights=one.sample_weight) > N_ROWS / 2


def test_what_nobody_asked_for_is_an_error(fits: list[Fit]) -> None:
    with pytest.raises(UnsetMetadataPassedError, match="sample_weight"):
        GridSearchCV(pyfm.FMClassifier(), {"epochs": [1]}).fit(X, Y, sample_weight=WEIGHT)
    model = pyfm.FMClassifier(epochs=1).set_fit_request(sample_weight=False)
    model.set_score_request(sample_weight=True)
    GridSearchCV(model, {"epochs": [1]}, cv=2).fit(X, Y, sample_weight=WEIGHT)
    assert [one.sample_weight for one in fits] == [None] * 3


@each_form
def test_evaluation_sets_are_whole(rows: Any, fits: list[Fit]) -> None:
    model = pyfm.FMClassifier(epochs=1).set_fit_request(eval_set=True)
    given = {"valid": (X, Y)}  # of as many rows as there are to learn from
    search = GridSearchCV(model, {"n_factors": [2, 4]}, cv=2).fit(rows, Y, eval_set=given)
    assert [one.eval_set["valid"][0].shape for one in fits] == [X.shape] * 5
    assert "valid_logloss" in search.best_estimator_.history_


def test_fields_of_columns(fits: list[Fit]) -> None:
    model = pyfm.FMClassifier(epochs=1).set_fit_request(fields=True)
    cross_validate(model, X + 0.5, Y, params={"fields": [0, 1]}, cv=2)
    assert [one.fields for one in fits] == [[0, 1]] * 2


def test_a_stream_one_against_the_rest() -> None:
    with sklearn.config_context(enable_metadata_routing=True):
        model = pyfm.FMClassifier(random_state=0).set_partial_fit_request(sample_weight=True)
        rest = OneVsRestClassifier(model)
        three = np.arange(N_ROWS) % 3
        rest.partial_fit(X, three, classes=[0, 1, 2], sample_weight=WEIGHT)
    apart = pyfm.FMClassifier(random_state=0)
    apart.partial_fit(X, (three == 1).astype(int), sample_weight=WEIGHT)
    assert (rest.estimators_[1].coef_ == apart.coef_).all()


def test_evaluation_sets_through_an_encoder() -> None:
    site = np.array(list("abcde"))[X[:, 1] - N_ROWS]
    table = pd.DataFrame({"site": site, "click": Y})
    with sklearn.config_context(enable_metadata_routing=True):
        model = pyfm.FMClassifier(epochs=2, random_state=0).set_fit_request(eval_set=True)
        steps = [("encode", pyfm.FieldEncoder(target="click")), ("model", model)]
        pipeline = Pipeline(steps, transform_input=["eval_set"])
        pipeline.fit(table[:80], eval_set=table[80:])
    valid = pipeline[0].transform(table[80:])
    last = pipeline[-1].history_["valid_logloss"][-1]
    assert last == pytest.approx(log_loss(valid.y, pipeline[-1].predict_proba(valid)), rel=1e-6)
