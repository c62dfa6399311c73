"""Metrics agree with scikit-learn's, and refuse what has no value."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import reference_metrics
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve

from pyfm import metrics
from pyfm.metrics.registry import METRICS as REGISTRY

Oracle = Callable[[Any, Any, Any], float]


def of_probabilities(theirs: Callable[..., float]) -> Oracle:
    return lambda y, p, w: theirs(y, p, sample_weight=w)


def of_decisions(theirs: Callable[..., float], **options: Any) -> Oracle:
    return lambda y, p, w: theirs(y, np.array(p) > 0.5, sample_weight=w, **options)


def naive(name: str) -> Oracle:
    """The oracle's own, where scikit-learn has none."""

    def oracle(y: Any, p: Any, w: Any) -> float:
        weight = np.ones(len(y)) if w is None else np.array(w, float)
        return reference_metrics.METRICS[name](np.array(y, float), np.array(p), weight)

    return oracle


METRICS: dict[str, Oracle] = {
    "logloss": of_probabilities(sklearn.metrics.log_loss),
    "normalized_entropy": naive("normalized_entropy"),
    "brier": of_probabilities(sklearn.metrics.brier_score_loss),
    "calibration_ratio": naive("calibration_ratio"),
    "expected_calibration_error": naive("expected_calibration_error"),
    "auc": of_probabilities(sklearn.metrics.roc_auc_score),
    "accuracy": of_decisions(sklearn.metrics.accuracy_score),
    "precision": of_decisions(sklearn.metrics.precision_score, zero_division=0),
    "recall": of_decisions(sklearn.metrics.recall_score, zero_division=0),
    "f1": of_decisions(sklearn.metrics.f1_score, zero_division=0),
    "rmse": of_probabilities(sklearn.metrics.root_mean_squared_error),
    "mae": of_probabilities(sklearn.metrics.mean_absolute_error),
    "r2": of_probabilities(sklearn.metrics.r2_score),
}
OF_NUMBERS = ["rmse", "mae", "r2"]
OF_CLASSES = [name for name in METRICS if name not in OF_NUMBERS]
each_metric = pytest.mark.parametrize("name", METRICS)

# (label, probability with many ties, weight), both labels with weight.
row = st.tuples(st.integers(0, 1), st.integers(1, 9), st.integers(0, 5))
rows = st.lists(row, min_size=2, max_size=40).filter(
    lambda some: len({label for label, _, weight in some if weight}) == 2
)


def test_every_metric_is_compared_and_known_to_training() -> None:
    assert set(METRICS) == set(REGISTRY) == set(metrics.__all__) - {"gauc"}


@each_metric
@given(rows=rows)
def test_equal_to_the_oracle(name: str, rows: list[tuple[int, int, int]]) -> None:
    y, tenths, weight = zip(*rows, strict=True)
    p = [tenth / 10 for tenth in tenths]
    # Sums of at most 40 terms in double precision, in another order; differences of numbers near 1.
    expected = pytest.approx(METRICS[name](y, p, weight), rel=1e-13, abs=1e-15)
    assert getattr(metrics, name)(y, p, sample_weight=weight) == expected
    columns = np.array(y, np.float32), np.array(p), np.array(weight, np.float32)
    assert REGISTRY[name].value(*columns) == expected


@each_metric
def test_no_weights_are_equal_weights(name: str) -> None:
    ours = getattr(metrics, name)
    y, p = [0, 1, 1, 0, 1], [0.2, 0.9, 0.4, 0.4, 0.6]
    assert ours(y, p) == pytest.approx(METRICS[name](y, p, None))
    assert ours(y, p) == pytest.approx(ours(y, p, sample_weight=[2] * 5))
    assert REGISTRY[name].value(np.array(y, np.float32), np.array(p), None) == ours(y, p)


@pytest.mark.parametrize("name", OF_CLASSES)
def test_labels_may_be_minus_one_and_one(name: str) -> None:
    ours = getattr(metrics, name)
    y, p = np.array([0, 1, 1, 0]), [0.2, 0.9, 0.4, 0.4]
    assert ours(2 * y - 1, p) == ours(y == 1, p) == ours(y, p)


def test_a_certain_error_is_not_infinite() -> None:
    assert metrics.logloss([1, 0], [0, 1]) == pytest.approx(-math.log(2.0**-52))
    assert metrics.logloss([1, 0], [1, 0]) < 1e-15


# (class, shares of three classes, weight)
shares = st.tuples(*[st.integers(0, 4)] * 3).filter(any)
row_of_three = st.tuples(st.integers(0, 2), shares, st.integers(0, 5))
rows_of_three = st.lists(row_of_three, min_size=1, max_size=40).filter(
    lambda some: any(weight for _, _, weight in some)
)


@given(rows=rows_of_three)
def test_of_several_classes(rows: list[tuple[int, tuple[int, int, int], int]]) -> None:
    y, parts, w = (np.array(column) for column in zip(*rows, strict=True))
    p = parts / parts.sum(axis=1, keepdims=True)
    likeliest = parts.argmax(axis=1)
    # Sums of at most 40 terms in double precision, in another order; scikit-learn also keeps
    # probabilities below 1 - ε, which differs by ε.
    for weight in (w, None):
        loss = sklearn.metrics.log_loss(y, p, sample_weight=weight, labels=[0, 1, 2])
        right = sklearn.metrics.accuracy_score(y, likeliest, sample_weight=weight)
        for ours, theirs in ((metrics.logloss, loss), (metrics.accuracy, right)):
            expected = pytest.approx(theirs, rel=1e-13, abs=1e-15)
            assert ours(y, p, sample_weight=weight) == expected


@pytest.mark.parametrize("name", ["logloss", "accuracy"])
def test_two_columns_are_the_probability_of_one(name: str) -> None:
    ours = getattr(metrics, name)
    y, p = [0, 1, 1, 0], np.array([0.25, 0.75, 0.5, 0.5])
    assert ours(y, np.column_stack([1 - p, p])) == pytest.approx(ours(y, p), rel=1e-15)


@pytest.mark.parametrize("name", ["logloss", "accuracy"])
@pytest.mark.parametrize(
    ("y", "p", "message"),
    [
        ([0, 3], [[0.2, 0.3, 0.5]] * 2, r"y_true\[1\]: expected numbers of classes, 0 to 2 .* 3"),
        ([-1, 1], [[0.5, 0.5]] * 2, r"y_true\[0\]: expected numbers of classes, 0 to 1"),
        ([0.5, 1], [[0.5, 0.5]] * 2, r"y_true\[0\]: expected numbers of classes"),
        ([0, 1], [[0.5, 0.5], [-0.5, 1.5]], r"y_pred\[1, 0\]: expected numbers in \[0, 1\]"),
        ([0, 1], [[0.5, 0.5], [0.5, 0.4]], r"sum of y_pred\[1\]: expected numbers that are 1"),
        ([0, 1], [[0.5, 0.5], [0.5, math.nan]], r"y_pred\[1, 1\]: expected numbers finite"),
        ([0, 1], [[1.0], [1.0]], "y_pred: expected a column for each class, found '1 columns'"),
        ([0, 1], [[0.5, 0.5]], "y_pred: expected 2 entries, as many as y_true, found 1"),
        ([0, 1], [[0.5, 0.5], [1.0]], "y_pred: expected numbers, found"),
    ],
)
def test_wrong_columns(name: str, y: Any, p: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        getattr(metrics, name)(y, p)


@pytest.mark.parametrize("name", sorted(set(METRICS) - {"logloss", "accuracy"}))
def test_others_take_one_column(name: str) -> None:
    with pytest.raises(ValueError, match="y_pred: expected one dimension"):
        getattr(metrics, name)([0, 1], [[0.5, 0.5]] * 2)


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
        getattr(metrics, name)(y, p, sample_weight=w)


@pytest.mark.parametrize("name", OF_CLASSES)
def test_labels_must_be_binary(name: str) -> None:
    with pytest.raises(ValueError, match=r"y_true\[2\]: expected numbers 0 or 1, .* found 2"):
        getattr(metrics, name)([0, 1, 2], [0.1, 0.2, 0.3])


@pytest.mark.parametrize("name", [name for name in OF_CLASSES if name != "auc"])
def test_probabilities_must_be_probabilities(name: str) -> None:
    with pytest.raises(ValueError, match=r"y_pred\[1\]: expected numbers in \[0, 1\], found 1.5"):
        getattr(metrics, name)([0, 1], [0.5, 1.5])


@pytest.mark.parametrize("weight", [None, [1, 0]])
@pytest.mark.parametrize(
    ("name", "label", "message"),
    [
        ("auc", 1, "both classes"),
        ("auc", 0, "both classes"),
        ("normalized_entropy", 1, "both classes"),
        ("normalized_entropy", 0, "both classes"),
        ("calibration_ratio", 0, "rows of label 1"),
        ("r2", 0.1, "targets that differ"),
    ],
)
def test_metrics_that_are_not_defined(name: str, label: float, message: str, weight: Any) -> None:
    y = [label, label if weight is None else 1 - label]
    with pytest.raises(ValueError, match=f"y_true: expected {message}"):
        getattr(metrics, name)(y, [0.1, 0.9], sample_weight=weight)
    columns = np.array(y, np.float32), np.array([0.1, 0.9])
    assert math.isnan(REGISTRY[name].value(*columns, weight and np.array(weight, np.float32)))
    assert REGISTRY[name].needs


def test_normalized_entropy_of_the_base_rate_is_1() -> None:
    y = [0, 0, 0, 1]
    assert metrics.normalized_entropy(y, [0.25] * 4) == pytest.approx(1)
    assert metrics.normalized_entropy(y, [0.5] * 4, sample_weight=[1, 1, 1, 3]) == pytest.approx(1)
    assert metrics.normalized_entropy(y, [0, 0, 0, 1]) < 1e-14


def test_calibration_errors_of_scikit_learns_bins() -> None:
    rng = np.random.default_rng(0)
    p = np.append(rng.random(300), [0, 0.2, 1])  # edges of bins, too
    y = rng.random(len(p)) < p**2
    rate, mean = calibration_curve(y, p, n_bins=5)
    sizes = np.histogram(p, [-1, 0.2, 0.4, 0.6, 0.8, 1])[0]
    counted = np.bincount(np.searchsorted(np.linspace(0, 1, 6)[1:-1], p))
    assert sizes.sum() == counted.sum()
    expected = np.average(np.abs(rate - mean), weights=counted)
    found = metrics.expected_calibration_error(y, p, n_bins=5)
    assert found == pytest.approx(expected, rel=1e-12)
    assert found > 0.05
    # ½ is in the lower bin, with ¼: (1 - 0.75) / 2.
    assert metrics.expected_calibration_error([1, 0], [0.5, 0.25], n_bins=2) == 0.125
    assert metrics.expected_calibration_error(y, p, n_bins=1) == pytest.approx(
        abs(y.mean() - p.mean())
    )


@pytest.mark.parametrize("threshold", [0, 0.1, 0.5, 0.7, 1])
@pytest.mark.parametrize("name", ["precision", "recall", "f1"])
def test_thresholds(name: str, threshold: float) -> None:
    rng = np.random.default_rng(0)
    y, p, weight = rng.integers(0, 2, 50), rng.integers(0, 11, 50) / 10, rng.integers(0, 4, 50)
    theirs = getattr(sklearn.metrics, f"{name}_score")
    expected = theirs(y, p > threshold, sample_weight=weight, zero_division=0)
    found = getattr(metrics, name)(y, p, threshold=threshold, sample_weight=weight)
    assert found == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("name", ["precision", "recall", "f1"])
def test_nothing_to_find_is_0(name: str) -> None:
    assert getattr(metrics, name)([0, 0], [0.1, 0.2]) == 0
    assert getattr(metrics, name)([0, 1], [0.1, 0.2]) == 0


@pytest.mark.parametrize("threshold", [-0.1, 1.1, math.nan, "0.5", True, None])
@pytest.mark.parametrize("name", ["precision", "recall", "f1"])
def test_wrong_thresholds(name: str, threshold: Any) -> None:
    with pytest.raises(ValueError, match="threshold: expected a number between 0 and 1, both incl"):
        getattr(metrics, name)([0, 1], [0.1, 0.2], threshold=threshold)


@pytest.mark.parametrize("n_bins", [0, -1, 2.0, True])
def test_wrong_numbers_of_bins(n_bins: Any) -> None:
    with pytest.raises(ValueError, match="n_bins: expected an integer >= 1"):
        metrics.expected_calibration_error([0, 1], [0.1, 0.2], n_bins=n_bins)


def test_what_early_stopping_maximizes() -> None:
    for name, metric in REGISTRY.items():
        if name == "calibration_ratio":
            assert metric.goodness(1) > metric.goodness(1.1) > metric.goodness(0.8)
        else:
            higher = name in ("auc", "accuracy", "precision", "recall", "f1", "r2")
            assert (metric.goodness(0.9) > metric.goodness(0.8)) == higher
