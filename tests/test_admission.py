"""Features get weights once enough rows have held them, and are ignored before."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from copy import deepcopy
from itertools import pairwise
from pathlib import Path
from typing import Any

import contract
import numpy as np
import pytest
import scipy.sparse
from contract import KINDS, Case, Data, make_data
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import Reference, Row, admitted
from safetensors import safe_open
from safetensors.numpy import save_file

import pyfm
from pyfm import Dataset, _core

ESTIMATORS = {
    "linear": pyfm.LinearClassifier, "fm": pyfm.FMClassifier, "ffm": pyfm.FFMClassifier
}  # fmt: skip

each_model = pytest.mark.parametrize("model", contract.MODELS)
each_optimizer = pytest.mark.parametrize("optimizer", contract.OPTIMIZERS)

# --- the oracle -----------------------------------------------------------------------------------


def calls_of(data: Data, ends: Sequence[int]) -> list[Data]:
    cuts = [0, *ends, len(data.rows)]
    return [
        Data(data.rows[a:b], data.y[a:b], None, data.n_features, data.n_fields)
        for a, b in pairwise(cuts)
    ]


def learn_reference(
    reference: Reference, calls: Sequence[Data], min_count: int, batch_size: int
) -> list[float]:
    """Scores of all rows, each by what was known before it; features too rare are forgotten."""
    scores: list[float] = []
    before: list[Row] = []
    met: set[int] = set()
    for call in calls:
        before += call.rows
        have_weights = admitted(before, min_count)
        for at in range(0, len(call.rows), batch_size):
            batch = slice(at, at + batch_size)
            reference.admitted = have_weights & met
            scores += [reference.score(row) for row in call.rows[batch]]
            reference.admitted = have_weights
            if batch_size == 1:
                reference.update(call.rows[at], call.y[at])
            else:
                reference.update_batch(call.rows[batch], call.y[batch])
            met |= {j for row in call.rows[batch] for _, j, _ in row}
        met &= have_weights  # a feature is met again where it gets its weights
    reference.forget(set(range(reference.n_features)) - have_weights)
    return scores


def check(case: Case, calls: Sequence[Data], min_count: int, batch_size: int = 1) -> _core.Model:
    model, reference = case.core(), case.reference()
    model.min_count = min_count
    found = [model.learn(call.core(), n_threads=1, batch_size=batch_size)[0] for call in calls]
    expected = learn_reference(reference, calls, min_count, batch_size)
    contract.assert_weights_close(model, reference)
    # Scores of weights that are off by as much as assert_weights_close allows.
    np.testing.assert_allclose(np.concatenate(found), expected, rtol=1e-4, atol=1e-4)
    have_weights = admitted([row for call in calls for row in call.rows], min_count)
    assert set(model.features.tolist()) == have_weights
    assert model.n_admitted == len(have_weights)
    return model


@pytest.mark.parametrize("batch_size", [1, 4])
@pytest.mark.parametrize("min_count", [1, 2, 5])
@each_optimizer
@each_model
def test_streams_learn_what_the_oracle_learns(
    model: str, optimizer: str, min_count: int, batch_size: int
) -> None:
    calls = calls_of(make_data(KINDS * 6, 5, seed=1), [4, 8, 16])
    check(Case(model, optimizer, n_fields=5, normalize=True), calls, min_count, batch_size)


@pytest.mark.parametrize("kind", contract.ROW_KINDS)
@pytest.mark.parametrize("normalize", [False, True])
@each_model
def test_every_kind_of_row(model: str, normalize: bool, kind: str, level: str) -> None:
    calls = calls_of(make_data((kind,) * 12, 5), [1, 5])
    check(Case(model, "adagrad", n_fields=5, normalize=normalize), calls, 3)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    features=st.lists(st.lists(st.integers(0, 17), max_size=5), min_size=1, max_size=20),
    cuts=st.lists(st.integers(1, 20), max_size=3, unique=True),
    min_count=st.integers(1, 4),
    model=st.sampled_from(contract.MODELS),
)
def test_any_stream(features: list[list[int]], cuts: list[int], min_count: int, model: str) -> None:
    """No feature in two fields; repeated within a row."""
    rows = [[(j // 3, j, 1.0) for j in row] for row in features]
    data = Data(rows, [float(i % 2) for i in range(len(rows))], None, 18, 6)
    ends = sorted(cut for cut in cuts if cut < len(rows))
    check(Case(model, "adagrad", n_fields=6, normalize=True), calls_of(data, ends), min_count)


def id_rows(n_rows: int = 400, seed: int = 0) -> tuple[Any, Any]:
    """Ids of two fields, some of them rare."""
    rng = np.random.default_rng(seed)
    ids = rng.geometric(0.1, (n_rows, 2)).clip(max=50) + [0, 60]
    return ids, (ids.sum(axis=1) % 3 == 0).astype(int)


@pytest.mark.parametrize("n_threads", [1, 3])
@each_model
def test_fit_counts_the_whole_data_set(model: str, n_threads: int) -> None:
    """As if the rare ones were not there, but in the length of the row."""
    X, y = id_rows()
    counts = np.bincount(X.ravel(), minlength=120)
    common = counts[X] >= 10
    assert 0 < common.mean() < 1
    params: dict[str, Any] = {"epochs": 3, "normalize": False, "random_state": 0}
    params |= {"batch_size": 20, "n_jobs": n_threads}
    found = ESTIMATORS[model](min_count=10, **params).fit(X, y)
    expected = ESTIMATORS[model](**params).fit(np.where(common, X, -1), y)
    np.testing.assert_allclose(
        found.decision_function(X), expected.decision_function(X), rtol=1e-5, atol=1e-6
    )
    assert found.n_features_seen_ == (counts > 0).sum()
    assert found.n_features_admitted_ == (counts >= 10).sum()
    if model != "ffm":
        np.testing.assert_array_equal(found.coef_[counts[: len(found.coef_)] < 10], 0)


@each_model
def test_the_same_on_any_number_of_threads(model: str) -> None:
    X, y = id_rows(3000)
    models = [
        ESTIMATORS[model](min_count=20, batch_size=64, n_jobs=n_jobs, random_state=0)
        for n_jobs in (1, 2, 5)
    ]
    for one in models:
        one.partial_fit(X[:1600], y[:1600]).partial_fit(X[1600:], y[1600:])
    for one in models[1:]:
        np.testing.assert_array_equal(one.decision_function(X), models[0].decision_function(X))
        assert one.n_features_admitted_ == models[0].n_features_admitted_
        assert one.n_features_seen_ == models[0].n_features_seen_


@each_model
def test_several_threads_without_locks(model: str) -> None:
    X, y = id_rows(3000)
    found = ESTIMATORS[model](min_count=20, n_jobs=3, random_state=0).fit(X, y)
    counts = np.bincount(X.ravel())
    assert found.n_features_admitted_ == (counts >= 20).sum()
    rare = pyfm.Dataset.from_ids(np.flatnonzero((counts > 0) & (counts < 20))[:, np.newaxis])
    np.testing.assert_array_equal(
        found.decision_function(rare), found.decision_function(Dataset.from_ids([[2**20]]))[0]
    )


def test_a_row_counts_once() -> None:
    X = scipy.sparse.csr_matrix(
        ([1.0, 1, 1, 1, 1], [0, 0, 0, 1, 1], [0, 3, 5]), shape=(2, 2), dtype=np.float32
    )
    X.has_canonical_format = True  # keep the duplicates
    model = pyfm.LinearRegressor(min_count=1).fit(X, [0.0, 1.0])
    assert (model.n_features_seen_, model.n_features_admitted_) == (2, 2)
    with pytest.warns(pyfm.NoFeaturesWarning):
        model = pyfm.LinearRegressor(min_count=2).fit(X, [0.0, 1.0])
    assert (model.n_features_seen_, model.n_features_admitted_) == (2, 0)


def test_long_rows_count_once() -> None:
    """They are sorted for it."""
    row = np.repeat(np.arange(100), 3)
    X = Dataset.from_arrays([0, 300, 600, 650], [*row, *row[::-1], *range(50)], y=[0, 1, 0])
    model = pyfm.LinearClassifier(min_count=3).fit(X)
    assert (model.n_features_seen_, model.n_features_admitted_) == (100, 50)


def test_fits_count_anew() -> None:
    X, y = id_rows()
    once = pyfm.FMClassifier(min_count=10, random_state=0, epochs=4).fit(X, y)
    twice = pyfm.FMClassifier(min_count=10, random_state=0, epochs=2, warm_start=True)
    twice.fit(X, y).fit(X, y)
    np.testing.assert_array_equal(once.factors_, twice.factors_)
    assert once.n_features_admitted_ == twice.n_features_admitted_


def test_a_stream_counts_on_after_a_fit() -> None:
    model = pyfm.LinearClassifier(min_count=3, random_state=0).fit(
        [[0], [0], [1], [0]], [1, 1, 0, 1]
    )
    assert (model.n_features_seen_, model.n_features_admitted_) == (2, 1)
    model.partial_fit([[1], [2]], [1, 1])
    assert (model.n_features_seen_, model.n_features_admitted_) == (3, 1)
    assert model.coef_[1] == 0
    model.partial_fit([[1]], [1])
    assert (model.n_features_seen_, model.n_features_admitted_) == (3, 2)
    assert model.coef_[1] > 0


def test_another_min_count_between_the_calls() -> None:
    X, y = [[0], [0], [1], [1], [1], [2]], [1, 1, 0, 0, 0, 1]
    model = pyfm.LinearClassifier(min_count=4).partial_fit(X, y)
    assert model.n_features_admitted_ == 0
    model.set_params(min_count=3).partial_fit([[2]], [1])  # feature 1 has been counted so often
    assert model.n_features_admitted_ == 1
    model.set_params(min_count=2).partial_fit([[2]], [1])  # and so have the others
    assert (model.n_features_seen_, model.n_features_admitted_) == (3, 3)
    model.set_params(min_count=5).partial_fit([[3], [0]], [0, 0])  # what has weights keeps them
    assert (model.n_features_seen_, model.n_features_admitted_) == (4, 3)
    assert model.coef_[2] > 0


def test_no_feature_is_common_enough() -> None:
    X, y = id_rows()
    expected = "min_count=1000: expected features that occur in so many rows, found none"
    for kind in ESTIMATORS.values():
        with pytest.warns(pyfm.NoFeaturesWarning, match=expected) as caught:
            model = kind(min_count=1000, random_state=0).fit(X, y)
        assert [warning.filename for warning in caught] == [__file__]
        assert model.n_features_admitted_ == 0
        assert len(set(model.decision_function(X).tolist())) == 1


def test_rows_without_features_are_no_warning() -> None:
    """No min_count is to blame for it."""
    X = Dataset.from_arrays([0, 0, 0], np.array([], np.uint32), y=[0, 1], n_features=3)
    assert pyfm.LinearClassifier(min_count=2).fit(X).n_features_seen_ == 0


@pytest.mark.parametrize("how", ["pickle", "copy", "file", "another optimizer"])
@each_model
def test_counts_are_kept(model: str, how: str, tmp_path: Path) -> None:
    X, y = id_rows()
    first = ESTIMATORS[model](min_count=10, random_state=0).partial_fit(X[:200], y[:200])
    if how == "pickle":
        copy = pickle.loads(pickle.dumps(first))
    elif how == "copy":
        copy = deepcopy(first)
    elif how == "file":
        first.save(tmp_path / "model")
        copy = pyfm.load(tmp_path / "model")
    else:
        copy = deepcopy(first).set_params(optimizer="sgd")
    for name in ("n_features_seen_", "n_features_admitted_"):
        assert getattr(copy, name) == getattr(first, name)
    for one in (first, copy):
        one.partial_fit(X[200:], y[200:])
        counts = np.bincount(X.ravel())
        assert one.n_features_seen_ == (counts > 0).sum()
        assert one.n_features_admitted_ == (counts >= 10).sum()


@pytest.mark.parametrize(
    ("tensor", "values", "message"),
    [
        ("counted", [3, 3, 4], "tensor counted: expected increasing ids below 5"),
        ("counted", [2, 3, 5], "tensor counted: expected increasing ids below 5"),
        ("counted", [0, 3, 4], "features: expected ids without a row below 5, found 0"),
        ("counts", [1, 1], r"tensor counts: expected shape \(3,\), found \(2,\)"),
        ("counts", [1.0, 1.0, 1.0], "tensor counts: expected type U32, found 'F32'"),
    ],
)
def test_damaged_counts(tensor: str, values: list[float], message: str, tmp_path: Path) -> None:
    ids = [[0]] * 3 + [[1]] * 3 + [[2]] + [[3]] + [[4]]
    pyfm.LinearClassifier(min_count=3).fit(ids, [1, 0, 1] * 3).save(tmp_path / "model")
    with safe_open(tmp_path / "model", framework="numpy") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        metadata = file.metadata()
    tensors[tensor] = np.array(values, np.uint32 if isinstance(values[0], int) else np.float32)
    save_file(tensors, tmp_path / "model", metadata)
    with pytest.raises(pyfm.FormatError, match=message):
        pyfm.load(tmp_path / "model")


def test_a_threshold_that_was_lowered_for_a_call_that_diverged() -> None:
    """What is due since then is admitted by the next call."""
    model = pyfm.LinearRegressor(min_count=5, random_state=0)
    for _ in range(3):
        model.partial_fit([[0, 1]], [1.0])
    model.set_params(min_count=2)
    with pytest.raises(ValueError, match="training diverged"):
        model.partial_fit([[2, 3]], [3e38], sample_weight=[1e30])
    assert (model.n_features_seen_, model.n_features_admitted_) == (2, 0)
    model.partial_fit([[2, 3]], [1.0])
    assert (model.n_features_seen_, model.n_features_admitted_) == (4, 2)


def test_early_stopping_and_callbacks_with_few_features(tmp_path: Path) -> None:
    X, y = id_rows()
    model = pyfm.FFMClassifier(
        min_count=10, early_stopping=True, validation_fraction=0.25, random_state=0
    ).fit(X, y, callbacks=[pyfm.callbacks.checkpoint(tmp_path / "model")])
    assert 0 < model.n_features_admitted_ < model.n_features_seen_
    assert pyfm.load(tmp_path / "model").n_features_admitted_ == model.n_features_admitted_


@pytest.mark.parametrize("min_count", [0, -1, 2.0, "3", None, True, 2**31])
def test_bad_thresholds(min_count: Any) -> None:
    for learn in ("fit", "partial_fit"):
        model = pyfm.LinearClassifier(min_count=min_count)
        with pytest.raises(ValueError, match=r"^min_count: expected an integer in \[1, 2147483647"):
            getattr(model, learn)([[0], [1]], [0, 1])
