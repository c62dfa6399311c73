"""Estimators refuse what cannot be learned from, and say what they expected."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from kinds import CLASSIFIERS, REGRESSORS

import pyfm
from pyfm import Dataset

each_classifier = pytest.mark.parametrize("kind", CLASSIFIERS)
each_regressor = pytest.mark.parametrize("kind", REGRESSORS)

# Two fields of 2 ids, 50 times each pair; a click where they agree.
IDS = np.array([[0, 2], [0, 3], [1, 2], [1, 3]] * 50)
CLICKS = np.array([1, 0, 0, 1] * 50)

BAD_PARAMETERS: list[tuple[str, Any, str]] = [
    ("n_factors", 0, r"an integer in \[1, 1024\]"),
    ("n_factors", 1025, r"an integer in \[1, 1024\]"),
    ("n_factors", 4.0, "an integer"),
    ("n_factors", True, "an integer"),
    ("learning_rate", 0, "a finite number > 0"),
    ("learning_rate", math.nan, "a finite number > 0"),
    ("learning_rate", "fast", "a finite number > 0"),
    ("l2", -1e-9, "a finite number >= 0"),
    ("l2", math.inf, "a finite number >= 0"),
    ("epochs", 0, "an integer >= 1"),
    ("epochs", 2.5, "an integer >= 1"),
    ("normalize", 1, "True or False"),
    ("linear", None, "True or False"),
    ("init_scale", -1, "a finite number >= 0"),
    ("dtype", "float64", "one of 'float32', 'float16'"),
    ("dtype", None, "one of 'float32', 'float16'"),
    ("early_stopping", "yes", "True or False"),
    ("validation_fraction", 0, "a number between 0 and 1"),
    ("validation_fraction", 1.0, "a number between 0 and 1"),
    ("n_iter_no_change", 0, "an integer >= 1"),
    ("tol", -1, "a finite number >= 0"),
    ("metric", "rsme", "one of 'logloss', 'auc', 'accuracy', 'normalized_entropy'"),
    ("metric", "gauc", "one of 'logloss', 'auc', 'accuracy'"),
    ("metric", [], "one or more names, each once"),
    ("metric", ["auc", "auc"], "one or more names, each once"),
    ("class_weight", "even", "a dict from labels to weights, 'balanced' or None"),
    ("negative_sampling", 0.0, "a number between 0 and 1, 0 excluded"),
    ("label_smoothing", 1.0, "a number between 0 and 1, 1 excluded"),
    ("warm_start", 1, "True or False"),
    ("learning_rate_schedule", "cosine", "one of 'constant', 'invscaling', 'exponential', 'step',"),
    ("learning_rate_schedule", None, "one of 'constant', .* or an object of pyfm.schedules"),
    ("learning_rate_schedule", float, "a name or an object .*reset_parameter"),
    ("batch_size", 0, "an integer >= 1, or 'full' for all rows"),
    ("batch_size", -1, "an integer >= 1"),
    ("batch_size", 1.0, "an integer >= 1"),
    ("batch_size", True, "an integer >= 1"),
    ("batch_size", "all", "an integer >= 1, or 'full' for all rows"),
    ("n_jobs", 0, "a number of threads, -1 for all cores, or None for 1"),
    ("n_jobs", 1.5, "an integer"),
    ("n_jobs", 10**6, r"an integer in \[-1024, 1024\]"),
    ("verbose", -1, "an integer >= 0"),
    ("random_state", -1, "an integer in"),
    ("random_state", 2**32, "an integer in"),
    ("random_state", "0", "an integer in"),
    ("optimizer", "lion", "one of 'sgd', 'momentum', 'nesterov', 'adagrad', 'rmsprop', 'adam'"),
    ("optimizer", {"linear": "sgd"}, "one for each part that this model has, {'factors': …}"),
]


@pytest.mark.parametrize(("name", "value", "expected"), BAD_PARAMETERS)
def test_bad_parameters_are_named(name: str, value: Any, expected: str) -> None:
    model = pyfm.FFMClassifier(**{name: value})
    with pytest.raises(ValueError, match=f"^{name}: expected {expected}") as error:
        model.fit(IDS, CLICKS)
    assert repr(value) in str(error.value)
    assert not hasattr(model, "history_")


def test_regressors_know_no_metric_of_classes() -> None:
    with pytest.raises(
        ValueError, match="metric: expected one of 'rmse', 'mae', 'r2', found 'auc'"
    ):
        pyfm.FMRegressor(metric="auc").fit(IDS, CLICKS)


@each_classifier
@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "requires y to be passed"),
        ([1] * 200, r"expected two classes or more, found 1 class: \[1\]"),
        ([0.5, 1.5, 2.5, 3.5] * 50, "Unknown label type"),
        ([0, 1, 0, math.nan] * 50, "NaN"),
        (CLICKS[:-1], "199"),
    ],
)
def test_bad_labels(kind: Any, y: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        kind().fit(IDS, y)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "a Dataset that has targets"),
        ([1, 1, 1], r"expected two classes or more, found 1 class: \[1.0\]"),
        ([0, 1, 1.5], r"y\[2\]: expected labels 0 and 1, or -1 and 1, or more .*, found 1.5"),
        ([0, 3, 3], r"labels 0 and 1, or -1 and 1, or more than two integers, found \[0.0, 3.0\]"),
        ([0.5, 1, 1], r"labels 0 and 1, .*, found \[0.5, 1.0\]"),
    ],
)
def test_bad_labels_of_datasets(y: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pyfm.LinearClassifier().fit(Dataset.from_ids([[0], [1], [2]], y))


@each_regressor
@pytest.mark.parametrize("y", [[math.nan] * 200, [1e39] * 200, ["a"] * 200, CLICKS[:-1], None])
def test_bad_targets(kind: Any, y: Any) -> None:
    with pytest.raises(ValueError, match="y"):
        kind().fit(IDS, y)


@pytest.mark.parametrize("weight", [[-1] * 200, [math.nan] * 200, [0] * 200, [1] * 199])
def test_bad_weights(weight: Any) -> None:
    with pytest.raises(ValueError, match="weight"):
        pyfm.LinearClassifier().fit(IDS, CLICKS, sample_weight=weight)


@pytest.mark.parametrize("eval_set", [IDS, [(IDS, CLICKS)], (IDS, CLICKS, None, 1), (), "valid"])
def test_eval_sets_of_another_form(eval_set: Any) -> None:
    with pytest.raises(ValueError, match="eval_set: expected a Dataset, "):
        pyfm.LinearClassifier().fit(IDS, CLICKS, eval_set=eval_set)


def test_eval_sets_that_do_not_fit() -> None:
    fit = pyfm.LinearClassifier(metric="auc").fit
    with pytest.raises(ValueError, match=r"eval_set: y\[0\]: expected one of the classes 0 and 1"):
        fit(IDS, CLICKS, eval_set=(IDS, CLICKS + 5))
    with pytest.raises(ValueError, match="eval_set: X has 1 features"):
        fit(IDS, CLICKS, eval_set=(IDS[:, :1], CLICKS))
    with pytest.raises(ValueError, match="eval_set: expected rows of both classes"):
        fit(IDS, CLICKS, eval_set=(IDS, np.ones(200, int)))
    with pytest.raises(ValueError, match="eval_set: expected rows of both classes"):
        fit(IDS, CLICKS, eval_set=(IDS, CLICKS, CLICKS))
    with pytest.raises(ValueError, match=r"eval_set\['b'\]: y\[0\]: expected one of the classes"):
        fit(IDS, CLICKS, eval_set={"a": (IDS, CLICKS), "b": (IDS, CLICKS + 5)})
    message = r"eval_set\['a'\]: expected a Dataset, a DataStream, \(X, y\) or"
    with pytest.raises(ValueError, match=message):
        fit(IDS, CLICKS, eval_set={"a": [IDS, CLICKS]})
    with pytest.raises(ValueError, match="eval_set: expected at least one evaluation set"):
        fit(IDS, CLICKS, eval_set={})
    with pytest.raises(ValueError, match=r"eval_set\['a'\]: X: found 0 sample"):
        fit(IDS, CLICKS, eval_set={"a": Dataset.from_ids(IDS, CLICKS)[:0]})


def test_validation_rows_on_which_a_metric_is_not_defined() -> None:
    X, y = np.arange(20)[:, None], np.arange(20.0)
    with pytest.raises(
        ValueError, match="eval_set: expected targets that differ, which metric='r2'"
    ):
        pyfm.LinearRegressor(metric="r2").fit(X, y, eval_set=(X[:2], [3.0, 3.0]))
    model = pyfm.LinearRegressor(metric="r2", early_stopping=True, validation_fraction=0.01)
    with pytest.raises(ValueError, match="validation_fraction: expected targets that differ"):
        model.fit(X, y)
    clicks = pyfm.LinearClassifier(metric=["logloss", "calibration_ratio"])
    with pytest.raises(ValueError, match=r"eval_set\['b'\]: expected rows of the second class"):
        clicks.fit(IDS, CLICKS, eval_set={"a": (IDS, CLICKS), "b": (IDS, 0 * CLICKS)})
    weight = np.zeros(20)
    weight[0] = 1
    stop = pyfm.callbacks.early_stopping()
    with pytest.raises(ValueError, match="validation_fraction: expected at least one row of weigh"):
        pyfm.LinearRegressor(random_state=0).fit(X, y, sample_weight=weight, callbacks=[stop])


@pytest.mark.parametrize("name", ["train", "", 1, None, "a\n"])
def test_names_of_eval_sets(name: Any) -> None:
    with pytest.raises(ValueError, match="eval_set: expected names of evaluation sets") as error:
        pyfm.LinearClassifier().fit(IDS, CLICKS, eval_set={name: (IDS, CLICKS)})
    assert repr(name) in str(error.value)


def test_fields_of_another_length() -> None:
    with pytest.raises(ValueError, match="fields: expected one field id per column"):
        pyfm.FFMClassifier().fit(np.eye(4, dtype=np.float32), [0, 1, 0, 1], fields=[0, 1])


def test_a_model_that_does_not_fit_in_memory() -> None:
    n = 100_000  # each with 2**16 fields x 1024 factors: 256 MB, and as much of optimizer state
    data = Dataset.from_arrays(
        np.arange(n + 1), np.arange(n), fields=[0] * (n - 1) + [2**16 - 1], y=[0, 1] * (n // 2)
    )
    with pytest.raises(MemoryError, match="100000 features x 65536 fields x 1024 factors"):
        pyfm.FFMClassifier(n_factors=1024).fit(data)


def test_a_training_that_diverges() -> None:
    X = np.random.default_rng(0).normal(scale=1e4, size=(100, 3))
    model = pyfm.LinearRegressor(optimizer="sgd", learning_rate=10, random_state=0)
    with pytest.raises(
        ValueError,
        match=r"^training diverged in epoch 1, with learning_rate=10: train_rmse is .* feature "
        r"values of up to [\d.]+; scale them to about 1, set normalize=True, or use a smaller "
        "learning_rate",
    ):
        model.fit(X, X[:, 0])
    assert not hasattr(model, "history_")


@each_classifier
def test_no_rows(kind: type[Any]) -> None:
    empty = Dataset.from_ids(IDS, CLICKS)[:0]
    with pytest.raises(ValueError, match="X: expected at least one row, found 'none'"):
        kind().fit(empty)
