"""Models that learn from streams."""

from __future__ import annotations

import pickle
from copy import deepcopy
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from streaming import CLASSIFIERS, X, Y, assert_same, each_model, each_optimizer, id_rows, learn

import pyfm
from pyfm import Dataset
from pyfm.optim import FTRL, OPTIMIZERS, AdaGrad

# --- where a stream is cut ------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@each_optimizer
@each_model
def test_cuts_make_no_difference(model: str, optimizer: Any, dtype: str, level: str) -> None:
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
def test_cuts_between_batches_make_no_difference(model: str, optimizer: Any, dtype: str) -> None:
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
    optimizer=st.sampled_from([*OPTIMIZERS, FTRL(l1=1e-3)]),
    normalize=st.booleans(),
    sampling=st.sampled_from([1.0, 0.5]),
)
def test_any_stream_may_be_cut_anywhere(
    model: str, batch_size: int, stream: Any, optimizer: Any, normalize: bool, sampling: float
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
