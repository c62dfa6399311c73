"""Metrics agree with scikit-learn's, and refuse what has no value."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st

from pyfm import metrics

METRICS: dict[str, tuple[Callable[..., float], Callable[..., float]]] = {
    "logloss": (metrics.logloss, lambda y, p, w: sklearn.metrics.log_loss(y, p, sample_weight=w)),
    "auc": (metrics.auc, lambda y, p, w: sklearn.metrics.roc_auc_score(y, p, sample_weight=w)),
    "rmse": (
        metrics.rmse,
        lambda y, p, w: sklearn.metrics.root_mean_squared_error(y, p, sample_weight=w),
    ),
    "accuracy": (
        metrics.accuracy,
        lambda y, p, w: sklearn.metrics.accuracy_score(y, np.array(p) > 0.5, sample_weight=w),
    ),
}
each_metric = pytest.mark.parametrize("name", METRICS)

# (label, probability with many ties, weight), both labels with weight.
row = st.tuples(st.integers(0, 1), st.integers(1, 9), st.integers(0, 5))
rows = st.lists(row, min_size=2, max_size=40).filter(
    lambda some: len({label for label, _, weight in some if weight}) == 2
)


@each_metric
@given(rows=rows)
def test_equal_to_scikit_learn(name: str, rows: list[tuple[int, int, int]]) -> None:
    y, tenths, weight = zip(*rows, strict=True)
    ours, theirs = METRICS[name]
    p = [tenth / 10 for tenth in tenths]
    # Sums of at most 40 terms in double precision, in another order.
    expected = pytest.approx(theirs(y, p, weight), rel=1e-13, abs=1e-15)
    assert ours(y, p, sample_weight=weight) == expected


@each_metric
def test_no_weights_are_equal_weights(name: str) -> None:
    ours, theirs = METRICS[name]
    y, p = [0, 1, 1, 0, 1], [0.2, 0.9, 0.4, 0.4, 0.6]
    assert ours(y, p) == pytest.approx(theirs(y, p, None))
    assert ours(y, p) == pytest.approx(ours(y, p, sample_weight=[2] * 5))


@pytest.mark.parametrize("name", ["logloss", "auc", "accuracy"])
def test_labels_may_be_minus_one_and_one(name: str) -> None:
    ours = METRICS[name][0]
    y, p = np.array([0, 1, 1, 0]), [0.2, 0.9, 0.4, 0.4]
    assert ours(2 * y - 1, p) == ours(y == 1, p) == ours(y, p)


def test_a_certain_error_is_not_infinite() -> None:
    assert metrics.logloss([1, 0], [0, 1]) == pytest.approx(-math.log(2.0**-52))
    assert metrics.logloss([1, 0], [1, 0]) < 1e-15


def test_auc_of_scores_beyond_probabilities() -> None:
    assert metrics.auc([0, 1, 1], [-5.0, 3.0, 100.0]) == 1


@each_metric
@pytest.mark.parametrize(
    ("y", "p", "w", "message"),
    [
        ([0, 1], [0.5], None, "y_pred: expected 2 entries, as many as y_true, found 1"),
        ([0, 1], [0.5, 0.5], [1], "sample_weight: expected 2 entries"),
        ([], [], None, "y_true: expected at least one row"),
        ([[0], [1]], [0.5, 0.5], None, "y_true: expected one dimension"),
        (["a", "b"], [0.5, 0.5], None, "y_true: expected numbers"),
        ([0, math.nan], [0.5, 0.5], None, r"y_true\[1\]: expected numbers finite"),
        ([0, 1], [math.nan, 0.5], None, r"y_pred\[0\]: expected numbers finite"),
        ([0, 1], [0.5, 0.5], [1, -1], r"sample_weight\[1\]: expected numbers >= 0, found -1"),
        ([0, 1], [0.5, 0.5], [1, math.inf], r"sample_weight\[1\]"),
        ([0, 1], [0.5, 0.5], [0, 0], "at least one weight > 0"),
    ],
)
def test_wrong_input(name: str, y: Any, p: Any, w: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        METRICS[name][0](y, p, sample_weight=w)


@pytest.mark.parametrize("name", ["logloss", "auc", "accuracy"])
def test_labels_must_be_binary(name: str) -> None:
    with pytest.raises(ValueError, match=r"y_true\[2\]: expected numbers 0 or 1, .* found 2"):
        METRICS[name][0]([0, 1, 2], [0.1, 0.2, 0.3])


@pytest.mark.parametrize("metric", [metrics.logloss, metrics.accuracy])
def test_probabilities_must_be_probabilities(metric: Callable[..., float]) -> None:
    with pytest.raises(ValueError, match=r"y_pred\[1\]: expected numbers in \[0, 1\], found 1.5"):
        metric([0, 1], [0.5, 1.5])


@pytest.mark.parametrize("weight", [None, [1, 0]])
def test_auc_needs_both_classes(weight: Any) -> None:
    y = [1, 1] if weight is None else [1, 0]
    with pytest.raises(ValueError, match="both classes"):
        metrics.auc(y, [0.1, 0.9], sample_weight=weight)
