"""Calls of partial_fit that are refused, and those that fail and are undone."""

from __future__ import annotations

import _thread
import threading
import time
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from streaming import REGRESSORS, X, Y, assert_same, each_model, each_optimizer, learn

import pyfm
from pyfm import Dataset

# --- classes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("y", "classes", "expected"),
    [
        ([0, 0], None, [0, 1]),
        ([1, 1], None, [0, 1]),
        ([-1, -1], None, [-1, 1]),
        ([True, True], None, [False, True]),
        ([0.0, 0.0], None, [0.0, 1.0]),
        ([3, 5], None, [3, 5]),
        (["no", "no"], ["yes", "no"], ["no", "yes"]),
        ([7, 7], [7, 2], [2, 7]),
    ],
)
def test_classes(y: Any, classes: Any, expected: list[Any]) -> None:
    model = pyfm.LinearClassifier().partial_fit([[0], [1]], y, classes=classes)
    assert model.classes_.tolist() == expected
    assert model.predict([[0]])[0] in expected
    model.partial_fit([[0]], [expected[0]]).partial_fit([[0]], [expected[1]], classes=expected)
    assert model.classes_.tolist() == expected


def test_classes_of_a_dataset() -> None:
    ids = [[0], [1]]
    for y, classes, expected in (
        ([0, 0], None, [0, 1]),
        ([-1, -1], None, [-1, 1]),
        ([1, 1], [-1, 1], [-1, 1]),
    ):
        model = pyfm.FMClassifier().partial_fit(Dataset.from_ids(ids, y), classes=classes)
        assert model.classes_.tolist() == expected


BAD_CLASSES: list[tuple[Any, Any, str]] = [
    ([2, 2], None, "classes: expected the labels, since the first rows hold only one, found"),
    (["a", "a"], None, "classes: expected the labels, since the first rows"),
    ([0, 1], [0], r"classes: expected two or more different labels, found \[0\]"),
    ([0, 1], [0, 0], "classes: expected two or more different labels"),
    ([0, 1], 1, "classes: expected two or more different labels, found 1"),
    ([0, 1], "ab", "classes: expected two or more different labels, found 'ab'"),
    ([0, 1], {0, 1}, "classes: expected two or more different labels, found {0, 1}"),
    ([0, 1], [[0, 1]], r"classes: expected two or more different labels, found \[\[0, 1\]\]"),
    ([0, 1], [0, None], r"classes: expected two or more different labels, found \[0, None\]"),
    ([1, 1], [1, np.nan], "classes: expected two or more different labels"),
    ([0, 0], [0, np.inf], "classes: expected two or more different labels"),
    ([0, 1], [1, 2], r"y\[0\]: expected one of the classes 1 and 2, found 0"),
    ([0, 1, 2], [0, 1], r"y\[2\]: expected one of the classes 0 and 1, found 2"),
    ([0, 1, 5], [0, 1, 2], r"y\[2\]: expected one of the 3 classes 0, 1, 2, found 5"),
    (None, None, "y: expected targets, found None"),
]


@pytest.mark.parametrize(("y", "classes", "message"), BAD_CLASSES)
def test_bad_classes(y: Any, classes: Any, message: str) -> None:
    n_rows = 2 if y is None else len(y)
    with pytest.raises(ValueError, match=message):
        pyfm.LinearClassifier().partial_fit([[0]] * n_rows, y, classes=classes)


def test_other_classes_later() -> None:
    model = pyfm.LinearClassifier().partial_fit([[0], [1]], [0, 1])
    for classes in ([0, 2], 0, [0, None]):
        with pytest.raises(
            ValueError, match=r"classes: expected None or \[0, 1\], those of the fi"
        ):
            model.partial_fit([[0]], [0], classes=classes)
    with pytest.raises(ValueError, match=r"y\[0\]: expected one of the classes 0 and 1, found 2"):
        model.partial_fit([[0]], [2])
    data = Dataset.from_ids([[0], [1]], [0, 1])
    with pytest.raises(ValueError, match="two or more different labels, of a Dataset 0 and 1, or"):
        pyfm.LinearClassifier().partial_fit(data, classes=[1, 2])


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"early_stopping": True}, "early_stopping: expected False for partial_fit"),
        (
            {"learning_rate_schedule": "step"},
            "learning_rate_schedule: expected 'constant' for partial_fit, since a stream has no ep",
        ),
        ({"class_weight": "balanced"}, "class_weight: expected a dict or None for partial_fit"),
        ({"batch_size": 0}, "batch_size: expected"),
        ({"n_jobs": 0}, "n_jobs: expected"),
    ],
)
def test_parameters_that_mean_nothing_in_a_stream(params: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pyfm.FFMClassifier(**params).partial_fit(X, Y)


@pytest.mark.parametrize("name", ["eval_set", "callbacks"])
def test_arguments_of_fit_alone(name: str) -> None:
    with pytest.raises(TypeError, match=name):
        pyfm.FFMClassifier().partial_fit(X, Y, **{name: None})


SPARSE = scipy.sparse.csr_matrix(np.eye(4, dtype=np.float32))

# After a call with X, Y: four columns of ids.
REFUSED: list[tuple[Any, Any, dict[str, Any], str]] = [
    (X[:, :3], Y, {}, "X has 3 features, but FFMClassifier is expecting 4 features as input"),
    (X.astype(float), Y, {}, "X: expected integer ids with one column per field, as in fit"),
    (SPARSE, Y[:4], {}, "X: expected an array of integer ids, as in fit, found 'csr_matrix'"),
    (
        X,
        Y,
        {"fields": [0, 1, 2, 3]},
        "fields: expected those of the fitted model, or None, since p",
    ),
    (X, Y[:-1], {}, "y: expected length 240"),
    (X + 2**32, Y, {}, r"ids: expected|4294967295"),
    (X - 10, Y, {}, "ids: expected|-"),
    (X, Y, {"sample_weight": -np.ones(240)}, "sample_weight >= 0"),
    (
        Dataset.from_ids(np.zeros((2, 5), int), [0, 1]),
        None,
        {},
        r"X: expected at most 4 fields, .* begin with a Dataset that has all n_fields, found 5",
    ),
]


@pytest.mark.parametrize(("rows", "y", "given", "message"), REFUSED)
def test_rows_of_another_form(rows: Any, y: Any, given: Any, message: str) -> None:
    model = learn(pyfm.FFMClassifier(random_state=0), X[:100], Y[:100])
    same = learn(pyfm.FFMClassifier(random_state=0), X[:100], Y[:100])
    with pytest.raises(ValueError, match=message):
        model.partial_fit(rows, y, **given)
    assert_same(learn(model, X[100:], Y[100:]), learn(same, X[100:], Y[100:]))


def test_another_model() -> None:
    model = learn(pyfm.FFMClassifier(), X, Y).set_params(n_factors=7)
    with pytest.raises(
        ValueError, match=r"n_factors: expected 4, .*, since partial_fit goes on with it, found 7"
    ):
        model.partial_fit(X, Y)


def test_fields_come_and_go_where_there_are_no_vectors_for_them() -> None:
    model = pyfm.FMClassifier().partial_fit(Dataset.from_ids([[0, 1], [2, 3]], [0, 1]))
    model.partial_fit(Dataset.from_ids([[0, 1, 5], [2, 3, 4]], [0, 1]))
    assert (model.n_fields_, model.n_features_in_) == (3, 6)
    model.partial_fit(Dataset.from_ids([[0], [2]], [0, 1]))
    assert (model.n_fields_, model.n_features_in_) == (3, 6)


@pytest.mark.parametrize("empty", [X[:0], Dataset.from_ids(X, Y)[:0], SPARSE[:0], []])
def test_no_rows(empty: Any) -> None:
    y = None if isinstance(empty, Dataset) else Y[:0]
    model = pyfm.FFMClassifier()
    assert model.partial_fit(empty, y) is model
    assert not hasattr(model, "history_")
    learn(model, X, Y)
    before, history = model.factors_, deepcopy(model.history_)
    model.partial_fit(empty, y)
    np.testing.assert_array_equal(model.factors_, before)
    assert model.history_ == history


def test_growth_that_does_not_fit_is_refused_before_memory_is_taken() -> None:
    model = pyfm.FFMClassifier(n_factors=64, random_state=0)
    model.partial_fit(Dataset.from_arrays([0, 1], [0], y=[1], n_fields=2**16))
    before = model.predict_proba(Dataset.from_arrays([0, 1], [0]))
    rows = Dataset.from_arrays([0, 100_000], np.arange(100_000), y=[0], n_fields=2**16)
    with pytest.raises(MemoryError, match=r"features x 65536 fields x 64 factors needs"):
        model.partial_fit(rows)
    assert (model.n_features_in_, model.n_features_seen_) == (1, 1)
    np.testing.assert_array_equal(model.predict_proba(Dataset.from_arrays([0, 1], [0])), before)


# --- when something goes wrong --------------------------------------------------------------------


@each_optimizer
@each_model
def test_a_call_that_diverges_is_undone(model: str, optimizer: Any) -> None:
    """To the bit, and with the optimizer's state."""
    y = X.sum(axis=1) / 100
    params: dict[str, Any] = {"optimizer": optimizer, "random_state": 0, "min_count": 2}
    if model != "linear":
        params["linear"] = True
    found = learn(REGRESSORS[model](**params), X[:100], y[:100])
    same = learn(REGRESSORS[model](**params), X[:100], y[:100])
    broken = np.where(np.arange(140) > 20, 3e38, y[100:])
    message = (
        r"^training diverged in call 2 of partial_fit \(rows 100 to 239 of the stream\), with "
        r"learning_rate=.*: scores or weights are no longer finite, and the model is what it was "
        r"before the call\. Likely cause: targets of up to 3e\+38"
    )
    with pytest.raises(ValueError, match=message):
        found.partial_fit(X[100:], broken, sample_weight=np.full(140, 1e30))
    assert_same(found, same)
    assert found.n_features_seen_ == same.n_features_seen_
    assert_same(learn(found, X[100:], y[100:]), learn(same, X[100:], y[100:]))
    assert found.n_features_seen_ == same.n_features_seen_
    assert found.n_features_admitted_ == same.n_features_admitted_


def test_fields_of_a_call_that_diverges_are_not_kept() -> None:
    model = pyfm.FMRegressor(optimizer="sgd").partial_fit(X[:, :2], Y)
    spec = model._spec
    rows = Dataset.from_ids(X, np.full(len(Y), 3e38), sample_weight=np.full(len(Y), 1e30))
    with pytest.raises(ValueError, match="training diverged in call 2"):
        model.partial_fit(rows)
    assert model._spec == spec
    model.partial_fit(Dataset.from_ids(X, Y))
    assert model.n_fields_ == model._spec.n_fields == 4


def test_a_first_call_that_diverges() -> None:
    model = pyfm.LinearRegressor(optimizer="sgd", learning_rate=1e30)
    with pytest.raises(ValueError, match="call 1 of partial_fit"):
        model.partial_fit(X, Y * 1e10)
    assert not hasattr(model, "history_")


def interrupted(work: Callable[[], object], after: float) -> None:
    """Interrupts the work, or the pause after it, that many seconds from now."""

    def run() -> None:
        threading.Timer(after, _thread.interrupt_main).start()
        work()
        time.sleep(60)

    with pytest.raises(KeyboardInterrupt):
        run()


def test_an_interruption_is_undone() -> None:
    ids = np.random.default_rng(0).integers(0, 300, (240_000, 30))
    y = np.arange(240_000) % 2
    params: dict[str, Any] = {"n_factors": 16, "random_state": 0}
    model = learn(pyfm.FFMClassifier(**params), ids[:100], y[:100])
    same = learn(pyfm.FFMClassifier(**params), ids[:100], y[:100])
    interrupted(lambda: model.partial_fit(ids, y), after=0.3)
    if model.history_["call"] == [1]:  # the call was interrupted and not what came after it
        assert_same(model, same)
        assert_same(learn(model, ids[:500], y[:500]), learn(same, ids[:500], y[:500]))


def test_an_interruption_is_heard_before_it_is_too_late() -> None:
    """Rows are learned so fast that nobody asks for signals until they are."""
    ids = np.random.default_rng(0).integers(0, 300, (10_000, 30))
    y = np.arange(10_000) % 2
    data = pyfm.Dataset.from_ids(ids, y, n_features=300)
    model = learn(pyfm.FFMClassifier(n_factors=16, random_state=0), ids[:100], y[:100])
    before, returned = model._model.weights("factors"), []

    def call() -> None:
        returned.append(model._model.learn(data.core, n_threads=1, batch_size=1))

    interrupted(call, after=0.01)
    if not returned:  # before the timer, on a machine so fast
        np.testing.assert_array_equal(model._model.weights("factors"), before)
