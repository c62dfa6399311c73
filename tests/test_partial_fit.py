"""Streams: calls of partial_fit, which learn every row once and score it before."""

from __future__ import annotations

import _thread
import pickle
import signal
import threading
import time
from copy import deepcopy
from itertools import pairwise
from pathlib import Path
from typing import Any

import contract
import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

import pyfm
from pyfm import Dataset
from pyfm.estimators import streams
from pyfm.optim import FTRL, AdaGrad

CLASSIFIERS: dict[str, Any] = {
    "linear": pyfm.LinearClassifier, "fm": pyfm.FMClassifier, "ffm": pyfm.FFMClassifier
}  # fmt: skip
REGRESSORS: dict[str, Any] = {
    "linear": pyfm.LinearRegressor, "fm": pyfm.FMRegressor, "ffm": pyfm.FFMRegressor
}  # fmt: skip

each_model = pytest.mark.parametrize("model", contract.MODELS)
each_optimizer = pytest.mark.parametrize("optimizer", contract.OPTIMIZERS)


def id_rows(n_rows: int = 240, n_fields: int = 4, seed: int = 0) -> tuple[Any, Any]:
    """Ids that turn up one after the other: the largest last."""
    rng = np.random.default_rng(seed)
    known = np.linspace(2, 30, n_rows)[:, np.newaxis]
    ids = (rng.random((n_rows, n_fields)) * known).astype(int) * n_fields + np.arange(n_fields)
    return ids, (ids.sum(axis=1) % 3 == 0).astype(int)


X, Y = id_rows()


def assert_same(a: Any, b: Any) -> None:
    """To the bit, optimizer state included: the next rows are learned alike."""
    assert a.n_features_in_ == b.n_features_in_
    for part in a._spec.parts:
        np.testing.assert_array_equal(a._model.weights(part), b._model.weights(part), part)
    np.testing.assert_array_equal(a._model.bias, b._model.bias)
    assert a._stream.n_rows == b._stream.n_rows
    # Sums of float64 in another order.
    assert a._progressive_loss() == pytest.approx(b._progressive_loss(), rel=1e-12)


def learn(model: Any, X: Any, y: Any, ends: Any = (), **given: Any) -> Any:
    for begin, end in pairwise([0, *ends, len(y)]):
        now = {name: value[begin:end] for name, value in given.items()}
        model.partial_fit(X[begin:end], y[begin:end], **now)
    return model


# --- where a stream is cut ------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@each_optimizer
@each_model
def test_cuts_make_no_difference(model: str, optimizer: str, dtype: str, level: str) -> None:
    if model == "linear" and dtype == "float16":
        return  # linear weights are always float32
    params: dict[str, Any] = {"optimizer": optimizer, "random_state": 3}
    if model != "linear":
        params |= {"dtype": dtype, "linear": True}
    whole = learn(CLASSIFIERS[model](**params), X, Y)
    declared = CLASSIFIERS[model](**params)
    for begin, end in pairwise([0, 50, 51, 240]):
        rows = Dataset.from_ids(X[begin:end], Y[begin:end], n_features=whole.n_features_in_)
        declared.partial_fit(rows)
    assert_same(learn(CLASSIFIERS[model](**params), X, Y, [1, 2, 30, 31, 200]), whole)
    assert_same(declared, whole)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@each_optimizer
@each_model
def test_cuts_between_batches_make_no_difference(model: str, optimizer: str, dtype: str) -> None:
    if model == "linear" and dtype == "float16":
        return  # linear weights are always float32
    params: dict[str, Any] = {"optimizer": optimizer, "random_state": 3, "batch_size": 20}
    if model != "linear":
        params |= {"dtype": dtype, "linear": True}
    whole = learn(CLASSIFIERS[model](n_jobs=1, **params), X, Y)
    for n_jobs in (1, 3):
        cut = CLASSIFIERS[model](n_jobs=n_jobs, **params)
        assert_same(learn(cut, X, Y, [20, 40, 200]), whole)


def test_cuts_between_batches_of_many_threads() -> None:
    """Calls long enough that every thread gets some."""
    ids, y = id_rows(3000)
    params: dict[str, Any] = {"batch_size": 100, "random_state": 0}
    whole = learn(pyfm.FFMClassifier(n_jobs=1, **params), ids, y)
    assert_same(learn(pyfm.FFMClassifier(n_jobs=4, **params), ids, y), whole)
    assert_same(learn(pyfm.FFMClassifier(n_jobs=3, **params), ids, y, [700, 2900]), whole)


@each_model
def test_one_call_is_an_epoch_in_order(model: str) -> None:
    found = learn(CLASSIFIERS[model](random_state=0), X, Y)
    seed = found._stream.seed
    core = found._spec.build(found._settings().training.optimizers, seed)
    rows = Dataset.from_ids(X, Y.astype(np.float32)).core
    core.train_epoch(rows, epoch=0, shuffle=False, n_threads=1, poll=None)
    for part in found._spec.parts:
        np.testing.assert_array_equal(found._model.weights(part), core.weights(part))


@st.composite
def any_stream(draw: st.DrawFn) -> tuple[Any, Any, list[int]]:
    """Rows of numeric columns, stored differently wherever they are cut: what a piece lacks (other
    values than 1, absent fields) is not stored."""
    n_rows = draw(st.integers(2, 12))
    cells = st.sampled_from([0.0, 1.0, 1.0, 1.0, -0.5, 2.0])
    rows = draw(st.lists(st.lists(cells, min_size=5, max_size=5), min_size=n_rows, max_size=n_rows))
    cuts = draw(st.lists(st.integers(1, n_rows - 1), max_size=4, unique=True))
    return np.array(rows), np.arange(n_rows) % 2, sorted(cuts)


@pytest.mark.parametrize("batch_size", [1, 2])
@each_model
@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    stream=any_stream(),
    optimizer=st.sampled_from(contract.OPTIMIZERS),
    normalize=st.booleans(),
    sampling=st.sampled_from([1.0, 0.5]),
)
def test_any_stream_may_be_cut_anywhere(
    model: str, batch_size: int, stream: Any, optimizer: str, normalize: bool, sampling: float
) -> None:
    rows, y, cuts = stream
    if batch_size > 1:
        cuts, sampling = [cut for cut in cuts if cut % batch_size == 0], 1.0
    fields = np.arange(5)
    models = []
    uncut: list[int] = []
    for ends in (uncut, cuts):
        one = CLASSIFIERS[model](
            optimizer=optimizer, normalize=normalize, negative_sampling=sampling,
            batch_size=batch_size, class_weight={1: 3}, label_smoothing=0.1, random_state=0,
        )  # fmt: skip
        for begin, end in pairwise([0, *ends, len(y)]):
            one.partial_fit(rows[begin:end], y[begin:end], fields=fields, classes=[0, 1])
        models.append(one)
    if "_model" in vars(models[0]):
        assert_same(*models)


@pytest.mark.parametrize("n_jobs", [1, 4])
@each_model
def test_a_stream_is_learned(model: str, n_jobs: int) -> None:
    rows, best = pyfm.datasets.make_ctr(8000, n_fields=4, n_features=100, random_state=0)
    found = CLASSIFIERS[model](learning_rate=0.2, n_jobs=n_jobs, random_state=0)
    for begin in range(0, 8000, 1000):
        found.partial_fit(rows[begin : begin + 1000])
    losses = found.history_["progressive_logloss"]
    assert best < losses[-1] < losses[0]
    assert found.progressive_logloss_ == pytest.approx(np.mean(losses))
    assert found.history_["call"] == list(range(1, 9))
    assert found.history_["n_rows"] == [1000] * 8


# --- progressive validation -----------------------------------------------------------------------


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


# --- beside fit -----------------------------------------------------------------------------------


@each_model
def test_a_call_goes_on_after_fit(model: str) -> None:
    """With the optimizer's state; as the epoch that fit would have gone on with, but in order."""
    params: dict[str, Any] = {"epochs": 2, "random_state": 0}
    found = CLASSIFIERS[model](**params).fit(X, Y)
    same = CLASSIFIERS[model](**params).fit(X, Y)
    rows = Dataset.from_ids(X, Y.astype(np.float32)).core
    same._model.train_epoch(rows, epoch=0, shuffle=False, n_threads=1, poll=None)
    found.partial_fit(X, Y)
    for part in found._spec.parts:
        np.testing.assert_array_equal(found._model.weights(part), same._model.weights(part))
    assert (found.n_iter_, next(iter(found.history_))) == (2, "call")


def test_fit_begins_anew() -> None:
    model = learn(pyfm.FMClassifier(epochs=2, random_state=0), X, Y).fit(X, Y)
    fresh = pyfm.FMClassifier(epochs=2, random_state=0).fit(X, Y)
    np.testing.assert_array_equal(model.factors_, fresh.factors_)
    assert (model.history_["epoch"], model.n_iter_) == ([1, 2], 2)
    with pytest.raises(AttributeError, match="progressive validation is that of partial_fit"):
        _ = model.progressive_logloss_


def test_fit_goes_on_with_a_warm_start() -> None:
    model = learn(pyfm.FMClassifier(epochs=2, random_state=0, warm_start=True), X, Y)
    before = model.history_["progressive_logloss"][0]
    model.fit(X, Y)
    assert model.history_["epoch"] == [2, 3]
    assert model.history_["train_logloss"][0] < before


def test_other_learning_rates_between_the_calls() -> None:
    model = learn(pyfm.LinearClassifier(optimizer="sgd", learning_rate=0.1), X, Y)
    before = model.coef_
    model.set_params(learning_rate=1e-12).partial_fit(X[:9], Y[:9])
    np.testing.assert_allclose(model.coef_, before, atol=1e-9)
    assert model.history_["learning_rate"] == [0.1, 1e-12]


def test_an_optimizer_for_each_part() -> None:
    parts: dict[str, Any] = {"linear": FTRL(0.2), "factors": AdaGrad(0.3)}
    params: dict[str, Any] = {"optimizer": parts, "random_state": 0}
    whole = learn(pyfm.FMClassifier(**params), X, Y)
    assert_same(learn(pyfm.FMClassifier(**params), X, Y, [10, 100]), whole)
    assert whole.history_["learning_rate_linear"] == [0.2]
    assert whole.history_["learning_rate_factors"] == [0.3]


def test_another_optimizer_starts_anew() -> None:
    model = learn(pyfm.FMClassifier(random_state=0), X, Y)
    model.set_params(optimizer="adam").partial_fit(X, Y)
    assert model.history_["call"] == [1, 2]
    model.set_params(optimizer={"linear": "ftrl", "factors": "adam"}).partial_fit(X, Y)
    assert list(model.history_)[:3] == ["call", "n_rows", "learning_rate_linear"]
    assert model.history_["call"] == [3]


@pytest.mark.parametrize("how", ["pickle", "copy", "file"])
@each_model
def test_copies_go_on(model: str, how: str, tmp_path: Path) -> None:
    """With SGD, which has no state."""
    params: dict[str, Any] = {"optimizer": "sgd", "negative_sampling": 0.7, "random_state": 0}
    whole = learn(CLASSIFIERS[model](**params), X, Y)
    first = learn(CLASSIFIERS[model](**params), X[:100], Y[:100])
    if how == "file":
        first.save(tmp_path / "model")
        copy = pyfm.load(tmp_path / "model")
        assert (copy.n_iter_, copy.best_epoch_) == (1, 1)
    else:
        copy = deepcopy(first) if how == "copy" else pickle.loads(pickle.dumps(first))
    assert copy.progressive_logloss_ == first.progressive_logloss_
    assert copy.history_ == first.history_
    assert_same(learn(copy, X[100:], Y[100:]), whole)


def test_files_of_rows_that_weighed_nothing(tmp_path: Path) -> None:
    model = pyfm.LinearClassifier().partial_fit(X[:5], Y[:5], sample_weight=np.zeros(5))
    model.save(tmp_path / "model")
    copy = pyfm.load(tmp_path / "model")
    assert copy.history_ == {}
    assert np.isnan(copy.progressive_logloss_)


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
    ([2, 2], None, "classes: expected the two labels, since the first rows hold only one, found"),
    (["a", "a"], None, "classes: expected the two labels, since the first rows"),
    ([0, 1], [0], r"classes: expected two different labels, found \[0\]"),
    ([0, 1], [0, 1, 2], "classes: expected two different labels"),
    ([0, 1], 1, "classes: expected two different labels, found 1"),
    ([0, 1], "ab", "classes: expected two different labels, found 'ab'"),
    ([0, 1], {0, 1}, "classes: expected two different labels, found {0, 1}"),
    ([0, 1], [[0, 1]], r"classes: expected two different labels, found \[\[0, 1\]\]"),
    ([0, 1], [0, None], r"classes: expected two different labels, found \[0, None\]"),
    ([1, 1], [1, np.nan], "classes: expected two different labels"),
    ([0, 0], [0, np.inf], "classes: expected two different labels"),
    ([0, 1], [1, 2], r"y\[0\]: expected one of the classes 1 and 2, found 0"),
    ([0, 1, 2], None, "y: expected two classes, found 3 classes"),
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
    with pytest.raises(ValueError, match="two different labels, of a Dataset 0 and 1, or -1 and 1"):
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
def test_a_call_that_diverges_is_undone(model: str, optimizer: str) -> None:
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


def test_an_interruption_is_undone() -> None:
    ids = np.random.default_rng(0).integers(0, 300, (60_000, 30))
    y = np.arange(60_000) % 2
    params: dict[str, Any] = {"n_factors": 16, "random_state": 0}
    model = learn(pyfm.FFMClassifier(**params), ids[:100], y[:100])
    same = learn(pyfm.FFMClassifier(**params), ids[:100], y[:100])

    def interrupt() -> None:
        threading.Timer(0.3, _thread.interrupt_main).start()
        while True:  # one call may end before
            model.partial_fit(ids, y)
            time.sleep(1)

    # Programs that a shell starts in the background ignore it: the loop would not end.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            interrupt()
    finally:
        signal.signal(signal.SIGINT, before)
    if model.history_["call"] == [1]:  # the call was interrupted and not what came after it
        assert_same(model, same)
        assert_same(learn(model, ids[:500], y[:500]), learn(same, ids[:500], y[:500]))
