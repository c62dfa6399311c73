"""More than two classes: a score for each, joined by the softmax loss."""

from __future__ import annotations

import pickle
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from multiclass import IDS, KINDS, LABELS, Y, each_kind, made
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_digits, load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.multiclass import OneVsRestClassifier
from sklearn.preprocessing import KBinsDiscretizer, OneHotEncoder
from sklearn.utils.class_weight import compute_sample_weight

import pyfm
from pyfm import Dataset


def weights(model: Any) -> list[NDArray[Any]]:
    return [getattr(model, w) for w in ("coef_", "intercept_", "factors_") if hasattr(model, w)]


def assert_same_model(a: Any, b: Any) -> None:
    for x, y in zip(weights(a), weights(b), strict=True):
        np.testing.assert_array_equal(x, y)
    np.testing.assert_array_equal(a.predict_proba(IDS), b.predict_proba(IDS))


# --- predictions ----------------------------------------------------------------------------------


@each_kind
def test_scores_probabilities_and_labels(kind: Any) -> None:
    model = made(kind).fit(IDS, LABELS)
    assert model.classes_.tolist() == ["a", "b", "c", "d"]
    scores, probabilities = model.decision_function(IDS), model.predict_proba(IDS)
    assert scores.shape == probabilities.shape == (400, 4)
    assert scores.dtype == np.float32
    assert probabilities.dtype == np.float64
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-14)
    np.testing.assert_allclose(probabilities, softmax(scores.astype(np.float64), axis=1))
    np.testing.assert_array_equal(model.predict(IDS), model.classes_[scores.argmax(axis=1)])
    assert model.score(IDS, LABELS) > 0.6
    shapes = {"coef_": (4, 12), "intercept_": (4,)} if kind is not pyfm.FFMClassifier else {}
    if kind is not pyfm.LinearClassifier:
        shapes["factors_"] = (4, 12, *((3, 4) if kind is pyfm.FFMClassifier else (8,)))
    assert {name: getattr(model, name).shape for name in shapes} == shapes


def test_scores_are_those_of_the_weights() -> None:
    model = made(pyfm.LinearClassifier).fit(IDS, Y)
    expected = model.coef_[:, IDS].sum(axis=2).T + model.intercept_
    np.testing.assert_allclose(model.decision_function(IDS), expected, rtol=1e-5, atol=1e-6)
    model = made(pyfm.FMClassifier).fit(IDS, Y)
    v = model.factors_[:, IDS] / np.sqrt(3)  # of normalized rows
    pairs = ((v.sum(axis=2) ** 2).sum(axis=2) - (v**2).sum(axis=(2, 3))) / 2
    linear = model.coef_[:, IDS].sum(axis=2) / np.sqrt(3)
    expected = (linear + pairs).T + model.intercept_
    np.testing.assert_allclose(model.decision_function(IDS), expected, rtol=1e-4, atol=1e-5)


@each_kind
@pytest.mark.parametrize(
    "labels", [[-7, 3, 5, 1000], [0.5, 1.0, 2.0, 3.0], ["x", "yy", "zzz", ""], [1, 2, 3, 2**40]]
)
def test_labels_of_any_kind(kind: Any, labels: list[Any]) -> None:
    """The same model by other names; in what follows the order of the labels is that of numbers."""
    y = np.sort(np.array(labels, dtype=object if isinstance(labels[0], str) else None))[Y]
    if y.dtype == np.float64 and 0.5 in y:
        with pytest.raises(ValueError, match="Unknown label type"):
            made(kind).fit(IDS, y)
        return
    model = made(kind).fit(IDS, y)
    assert_same_model(model, made(kind).fit(IDS, Y))
    assert (
        model.predict(IDS).tolist()
        == y[[Y.tolist().index(c) for c in made(kind).fit(IDS, Y).predict(IDS)]].tolist()
    )


@each_kind
def test_two_of_three_classes_are_the_logistic_loss(kind: Any) -> None:
    """As ever: one score."""
    binary = Y < 2
    model = made(kind).fit(IDS, binary)
    assert model.decision_function(IDS).shape == (400,)
    assert model._spec.loss == "logistic"
    assert made(kind).fit(IDS, Y)._spec.loss == "softmax"


# --- it learns ------------------------------------------------------------------------------------


def test_digits_as_well_as_multinomial_logistic_regression() -> None:
    """Every pixel a field of 17 ids: 1088 features, 10 classes."""
    X, y = load_digits(return_X_y=True)
    ids = X.astype(np.int64) + 17 * np.arange(64)
    train, valid, y_train, y_valid = train_test_split(ids, y, random_state=0, stratify=y)
    encoder = OneHotEncoder(handle_unknown="ignore").fit(train)
    baseline = LogisticRegression(max_iter=2000).fit(encoder.transform(train), y_train)
    rival = baseline.score(encoder.transform(valid), y_valid)
    assert rival > 0.94
    for model in (
        pyfm.LinearClassifier(random_state=0),
        pyfm.FMClassifier(epochs=20, learning_rate=0.3, random_state=0),
    ):
        assert model.fit(train, y_train).score(valid, y_valid) > rival - 0.01


def test_iris_as_well_as_multinomial_logistic_regression() -> None:
    X, y = load_iris(return_X_y=True)
    bins = KBinsDiscretizer(6, encode="ordinal", quantile_method="averaged_inverted_cdf")
    ids = bins.fit_transform(X).astype(np.int64) + 6 * np.arange(4)
    rival = cross_val_score(LogisticRegression(), OneHotEncoder().fit_transform(ids), y, cv=5)
    for kind in KINDS:
        model = made(kind, epochs=30)
        assert cross_val_score(model, ids, y, cv=5).mean() > rival.mean() - 0.02


def test_an_interaction_needs_factors() -> None:
    """The class is the sum of two ids modulo 3: no linear model does much better than a guess."""
    ids = np.random.default_rng(0).integers(0, 3, (600, 2))
    y = ids.sum(axis=1) % 3
    rows = ids + np.array([0, 3])
    for kind in KINDS:
        model = made(kind, epochs=40, **({} if kind is KINDS[0] else {"init_scale": 1}))
        score = model.fit(rows, y).score(rows, y)
        assert score < 0.8 if kind is pyfm.LinearClassifier else score == 1


# --- training -------------------------------------------------------------------------------------


@each_kind
@pytest.mark.parametrize("batch_size", [1, 16])
def test_metrics_of_every_epoch(kind: Any, batch_size: int) -> None:
    metric = ["accuracy", "logloss"]
    model = made(kind, metric=metric, batch_size=batch_size)
    weight = np.random.default_rng(1).uniform(0, 2, 150).astype(np.float32)
    model.fit(IDS[:250], Y[:250], eval_set=(IDS[250:], Y[250:], weight))
    assert len(model.history_["valid_logloss"]) == 5
    p = model.predict_proba(IDS[250:])
    expected = log_loss(Y[250:], p, sample_weight=weight)
    assert model.history_["valid_logloss"][-1] == pytest.approx(expected, rel=1e-6)
    right = np.average(p.argmax(axis=1) == Y[250:], weights=weight)
    assert model.history_["valid_accuracy"][-1] == pytest.approx(right)
    assert model.history_["train_logloss"][-1] < model.history_["train_logloss"][0]


def test_the_first_predictions_are_those_of_equal_scores() -> None:
    """All classes start from the same vectors."""
    model = made(pyfm.FFMClassifier, learning_rate=1e-20, epochs=1).fit(IDS, Y)
    assert model.history_["train_logloss"][0] == pytest.approx(np.log(4), rel=1e-6)


@each_kind
def test_early_stopping_goes_back_to_the_best_epoch(kind: Any) -> None:
    params = {"early_stopping": True, "n_iter_no_change": 2, "learning_rate": 2.0, "epochs": 60}
    model = made(kind, **params).fit(IDS, Y)
    losses = model.history_["valid_logloss"]
    assert len(losses) < 60
    assert model.best_epoch_ == int(np.argmin(losses)) + 1
    stopped = made(kind, **params).fit(IDS[:300], Y[:300], eval_set=(IDS[300:], Y[300:]))
    best = stopped.history_["valid_logloss"][stopped.best_epoch_ - 1]
    found = log_loss(Y[300:], stopped.predict_proba(IDS[300:]))
    assert found == pytest.approx(best, rel=1e-6)


@each_kind
def test_weights_of_rows_and_classes(kind: Any) -> None:
    balanced = compute_sample_weight("balanced", Y).astype(np.float32)
    expected = made(kind).fit(IDS, Y, sample_weight=balanced)
    assert_same_model(made(kind, class_weight="balanced").fit(IDS, Y), expected)
    factors = {1: 3.0, 3: 0.0}
    by_hand = np.select([Y == 1, Y == 3], [3.0, 0.0], 1.0)
    expected = made(kind).fit(IDS, Y, sample_weight=by_hand)
    assert_same_model(made(kind, class_weight=factors).fit(IDS, Y), expected)
    assert (expected.predict(IDS) != 3).all()


@each_kind
def test_threads_in_batches_give_the_same_bits(kind: Any) -> None:
    models = [made(kind, batch_size=32, n_jobs=n).fit(IDS, Y) for n in (1, 3)]
    assert_same_model(*models)


@each_kind
def test_two_fits_are_one(kind: Any, tmp_path: Path) -> None:
    once = made(kind, epochs=4).fit(IDS, Y)
    twice = made(kind, epochs=2, warm_start=True).fit(IDS, Y).fit(IDS, Y)
    assert_same_model(once, twice)
    half = made(kind, epochs=2, warm_start=True).fit(IDS, Y)
    half.save(tmp_path / "half", optimizer_state=True)
    assert_same_model(once, pyfm.load(tmp_path / "half").fit(IDS, Y))


@each_kind
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_a_fit_goes_on_from_its_checkpoint(kind: Any, dtype: str, tmp_path: Path) -> None:
    storage = {} if kind is pyfm.LinearClassifier else {"dtype": dtype}
    params = {"early_stopping": True, "n_iter_no_change": 30, **storage}
    valid = (IDS[300:], Y[300:])
    whole = made(kind, **params).fit(IDS, Y, eval_set=valid)
    save = pyfm.callbacks.checkpoint(tmp_path / "checkpoint")
    made(kind, **params | {"epochs": 3}).fit(IDS, Y, eval_set=valid, callbacks=[save])
    resumed = made(kind, **params)
    resumed.fit(IDS, Y, eval_set=valid, resume_from=tmp_path / "checkpoint")
    assert_same_model(whole, resumed)
    assert resumed.history_["valid_logloss"] == whole.history_["valid_logloss"]


@each_kind
def test_initial_weights_of_another_model(kind: Any) -> None:
    source = made(kind).fit(IDS, Y)
    model = made(kind, learning_rate=1e-20, epochs=1).fit(IDS, Y, init_from=source)
    np.testing.assert_allclose(model.predict_proba(IDS), source.predict_proba(IDS), rtol=1e-6)
    with pytest.raises(ValueError, match=r"init_from: expected a model with 4 scores .*, found 1"):
        made(kind).fit(IDS, Y, init_from=made(kind).fit(IDS, Y > 1))
    with pytest.raises(ValueError, match=r"init_from: expected a model with 1 scores .*, found 4"):
        made(kind).fit(IDS, Y > 1, init_from=source)


@each_kind
def test_streams(kind: Any) -> None:
    """Pieces are one stream, and its first rows need not hold all classes."""
    whole, pieces = made(kind), made(kind)
    whole.partial_fit(IDS, Y)
    for begin, end in ((0, 1), (1, 30), (30, 400)):
        pieces.partial_fit(IDS[begin:end], Y[begin:end], classes=[3, 0, 1, 2])
    assert_same_model(whole, pieces)
    assert pieces.classes_.tolist() == [0, 1, 2, 3]
    assert 0 < pieces.progressive_logloss_ < np.log(4)
    assert pieces.progressive_logloss_ == pytest.approx(whole.progressive_logloss_, rel=1e-6)
    balanced = {int(c): float(w) for c, w in zip(range(4), (1, 2, 3, 4), strict=True)}
    weighted = made(kind, class_weight=balanced).partial_fit(IDS, Y)
    expected = made(kind).partial_fit(IDS, Y, sample_weight=Y + 1.0)
    assert_same_model(weighted, expected)


def test_progressive_loss_is_that_of_each_row_before_it_was_learned() -> None:
    model = made(pyfm.FMClassifier).partial_fit(IDS[:50], Y[:50], classes=range(4))
    before, known = deepcopy(model), model.progressive_logloss_
    model.partial_fit(IDS[50:51], Y[50:51])
    loss = -np.log(before.predict_proba(IDS[50:51])[0, Y[50]])
    assert model.progressive_logloss_ == pytest.approx((50 * known + loss) / 51, rel=1e-5)


# --- data -----------------------------------------------------------------------------------------


def text_of(ids: NDArray[Any], y: NDArray[Any]) -> str:
    rows = (" ".join(f"{f}:{j}:1" for f, j in enumerate(row)) for row in ids.tolist())
    return "".join(f"{label} {row}\n" for label, row in zip(y.tolist(), rows, strict=True))


@each_kind
def test_datasets_text_and_streams_have_their_labels(kind: Any, tmp_path: Path) -> None:
    labels = np.array([1, 2, 7, 30])[Y]
    expected = made(kind, metric="accuracy").fit(IDS, labels)
    (tmp_path / "rows.ffm").write_text(text_of(IDS, labels))
    Dataset.from_ids(IDS, labels).save(tmp_path / "rows")
    for data in (
        Dataset.from_ids(IDS, labels),
        Dataset.from_libffm(tmp_path / "rows.ffm"),
        Dataset.open(tmp_path / "rows"),
    ):
        model = made(kind, metric="accuracy").fit(data, eval_set=data)
        assert model.classes_.tolist() == [1, 2, 7, 30]
        assert_same_model_on(data, model, expected)
        assert model.score(data) == model.history_["valid_accuracy"][-1]
    stream = Dataset.stream(tmp_path / "rows", shuffle=False)
    streamed = made(kind, class_weight="balanced").fit(stream, eval_set=stream)
    assert streamed.classes_.tolist() == [1, 2, 7, 30]
    assert streamed.predict_proba(stream).shape == (400, 4)
    np.testing.assert_array_equal(streamed.predict(stream), streamed.predict(data))


def assert_same_model_on(data: Dataset, a: Any, b: Any) -> None:
    np.testing.assert_array_equal(a.predict_proba(data), b.predict_proba(IDS))


def test_tables() -> None:
    table = {"a": IDS[:, 0].astype(str), "b": IDS[:, 1].astype(str)}
    model = made(pyfm.FMClassifier, epochs=20).fit(table, LABELS)
    assert model.score(table, LABELS) > 0.7
    assert model.predict_proba({"a": ["x"], "b": ["y"]}).shape == (1, 4)


# --- scikit-learn ---------------------------------------------------------------------------------


def test_at_home_in_scikit_learn() -> None:
    model = made(pyfm.FMClassifier)
    search = GridSearchCV(model, {"epochs": [1, 8]}, cv=3, scoring="neg_log_loss").fit(IDS, Y)
    assert search.best_params_ == {"epochs": 8}
    rest = OneVsRestClassifier(model).fit(IDS, Y)
    assert rest.score(IDS, Y) > 0.6
    calibrated = CalibratedClassifierCV(model, cv=3).fit(IDS, Y)
    assert calibrated.predict_proba(IDS).shape == (400, 4)


# --- files ----------------------------------------------------------------------------------------


@each_kind
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_files_pickles_and_copies(kind: Any, dtype: str, tmp_path: Path) -> None:
    storage = {} if kind is pyfm.LinearClassifier else {"dtype": dtype, "linear": True}
    for y in (Y, LABELS):
        model = made(kind, **storage).fit(IDS, y)
        model.save(tmp_path / "model")
        loaded = pyfm.load(tmp_path / "model")
        for copy in (loaded, pickle.loads(pickle.dumps(model)), deepcopy(model)):
            assert_same_model(copy, model)
            np.testing.assert_array_equal(copy.predict(IDS), model.predict(IDS))
            assert copy.classes_.dtype == model.classes_.dtype
        assert loaded.history_ == model.history_
        wide = made(kind, **storage).fit(Dataset.from_ids(IDS, Y, n_features=1000))
        wide.save(tmp_path / "wide")  # only the rows of features with weights
        assert_same_model(pyfm.load(tmp_path / "wide"), wide)
