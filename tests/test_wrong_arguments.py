"""What people pass by mistake to ensembles, explanations and pictures: a sentence for each."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import pyfm
from pyfm.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    FieldColumns,
    GBDTFeatures,
    StackingClassifier,
    average_probabilities,
)

ROWS, _ = pyfm.datasets.make_ctr(60, n_fields=3, n_features=12, random_state=0)
BARE = ROWS.with_targets(None)
MEMBERS = [("linear", pyfm.LinearClassifier(epochs=1))]
TABLE = pd.DataFrame({"site": list("abab") * 25, "ad": list("xxyy") * 25})


def stream() -> Any:
    return pyfm.Dataset.stream(__file__, format="libffm")


def model() -> Any:
    return pyfm.FMClassifier(epochs=1).fit(ROWS)


NUMBERS = "expected an array of numbers, found"
CALLS: dict[str, tuple[Any, str]] = {
    "columns of a stream": (
        lambda: FieldColumns().fit(stream()),
        "X: expected rows in memory, such as a piece of a stream",
    ),
    "columns of a stream, later": (
        lambda: FieldColumns().fit(ROWS).transform(stream()),
        "X: expected rows in memory, such as a piece of a stream",
    ),
    "trees of a stream": (
        lambda: GBDTFeatures().fit(stream()),
        "X: expected rows in memory, such as a piece of a stream",
    ),
    "folds of three": (
        lambda: StackingClassifier(MEMBERS, cv=[([0], [1], [2])]).fit(ROWS),
        "cv: expected pairs of rows to learn and rows to predict",
    ),
    "score of a bag without labels": (
        lambda: BaggingClassifier(pyfm.FMClassifier(), n_estimators=1).fit(ROWS).score(BARE),
        "y: expected labels or targets, in X or beside it, found None",
    ),
    "score of regressors without targets": (
        lambda: BaggingRegressor(pyfm.FMRegressor(), n_estimators=1).fit(ROWS).score(BARE),
        "y: expected labels or targets, in X or beside it, found None",
    ),
    "score without labels": (
        lambda: model().score(BARE),
        "y: expected labels or targets, in X or beside it, found None",
    ),
    "probabilities as text": (
        lambda: average_probabilities("ab"),
        "those of each model, in a list",
    ),
    "no probabilities": (
        lambda: average_probabilities(None),  # type: ignore[arg-type]
        "probabilities: expected those of each model, in a list, found None",
    ),
    "words": (lambda: average_probabilities([["a"]]), rf"probabilities\[0\]: {NUMBERS}"),
    "ragged": (
        lambda: average_probabilities([[0.1], [[0.1, 0.2], [0.3]]]),
        rf"probabilities\[1\]: {NUMBERS}",
    ),
    "probabilities of no rows": (
        lambda: average_probabilities([0.1, 0.2]),
        r"probabilities\[0\]: expected 1-D or 2-D, found",
    ),
    "weights as words": (lambda: average_probabilities([[0.1]], weights=["a"]), NUMBERS),
    "ragged features": (
        lambda: model().feature_weights([[1], [1, 2]]),
        "features: expected ids in one dimension",
    ),
    "weights of a class": (
        lambda: pyfm.plot.weight_histogram(pyfm.FMClassifier),
        "model: expected a fitted model of pyfm, found 'FMClassifier'",
    ),
    "fields of a class": (
        lambda: pyfm.plot.field_interactions(pyfm.FMClassifier),
        "model: expected a fitted model of pyfm, found 'FMClassifier'",
    ),
    "norms of a class": (
        lambda: pyfm.plot.factor_norms(pyfm.FMClassifier),
        "model: expected a fitted model of pyfm, found 'FMClassifier'",
    ),
    "axes by number": (
        lambda: pyfm.plot.roc_curve([0, 1], [0.1, 0.2], ax=3),  # type: ignore[arg-type]
        r"ax: expected matplotlib\.axes\.Axes, such as plt\.gca\(\), or None, found 3",
    ),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_sentence_says_what_is_wrong(call: str) -> None:
    wrong, message = CALLS[call]
    with pytest.raises(ValueError, match=message):
        wrong()
    assert not plt.get_fignums()


def test_tables_in_errors_take_one_line() -> None:
    with pytest.raises(ValueError, match="n: expected an integer >= 1, found site ad") as error:
        model().top_interactions(TABLE)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 400


def test_long_values_in_errors_are_cut() -> None:
    with pytest.raises(ValueError, match=r"…$") as error:
        pyfm.FMClassifier(epochs=1, optimizer="x" * 10_000).fit(ROWS)
    assert len(str(error.value)) < 600


@pytest.mark.parametrize("average", ["probability", "logit"])
def test_bags_of_three_classes(average: str) -> None:
    labels = np.array(["cat", "dog", "eel"])[np.arange(100) % 3]
    fm = pyfm.FMClassifier(epochs=2)
    bag = BaggingClassifier(fm, n_estimators=4, average=average, oob_score=True, random_state=0)
    bag.fit(TABLE, labels)
    assert bag.classes_.tolist() == ["cat", "dog", "eel"]
    members = [member.predict_proba(TABLE) for member in bag.estimators_]
    expected = average_probabilities(members, average=average)
    assert (bag.predict_proba(TABLE) == expected).all()
    assert bag.oob_prediction_.shape == (100, 3)
    known = ~np.isnan(bag.oob_prediction_[:, 0])
    of_label = bag.oob_prediction_[known, (np.arange(100) % 3)[known]]
    assert bag.oob_logloss_ == pytest.approx(-np.log(of_label).mean())
