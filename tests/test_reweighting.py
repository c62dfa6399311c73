"""Class weights, negative sampling with its prior correction, label smoothing."""

from __future__ import annotations

import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_sample_weight

import pyfm
from pyfm import Dataset
from pyfm.estimators.reweighting import Reweighting

CLASSIFIERS: list[Any] = [pyfm.LinearClassifier, pyfm.FMClassifier, pyfm.FFMClassifier]
each_classifier = pytest.mark.parametrize("kind", CLASSIFIERS)

RNG = np.random.default_rng(0)
IDS = RNG.integers(0, 4, (400, 2)) + np.array([0, 4])
CLICKS = (RNG.random(400) < np.where(IDS[:, 0] == 0, 0.5, 0.1)).astype(int)
WEIGHT = RNG.integers(1, 4, 400).astype(float)


def made(kind: Any, **params: Any) -> Any:
    return kind(**({"epochs": 3, "random_state": 0} | params))


def rare_clicks(n_rows: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Ids of one field, and clicks at the rates 0.02, 0.04, 0.06 and 0.08."""
    rng = np.random.default_rng(1)
    ids = rng.integers(0, 4, (n_rows, 1))
    return ids, (rng.random(n_rows) < 0.02 * (1 + ids[:, 0])).astype(int)


# --- class_weight ---------------------------------------------------------------------------------


@pytest.mark.parametrize("weight", [None, WEIGHT])
@each_classifier
def test_class_weights_are_sample_weights(kind: Any, weight: Any) -> None:
    factors = np.where(CLICKS, 2.5, 0.5) * (1 if weight is None else weight)
    expected = made(kind).fit(IDS, CLICKS, sample_weight=factors).decision_function(IDS)
    model = made(kind, class_weight={0: 0.5, 1: 2.5}).fit(IDS, CLICKS, sample_weight=weight)
    np.testing.assert_array_equal(model.decision_function(IDS), expected)


@each_classifier
def test_balanced_is_scikit_learns(kind: Any) -> None:
    balance = compute_sample_weight("balanced", CLICKS)
    expected = made(kind).fit(IDS, CLICKS, sample_weight=balance).decision_function(IDS)
    model = made(kind, class_weight="balanced").fit(IDS, CLICKS)
    np.testing.assert_allclose(model.decision_function(IDS), expected, rtol=1e-5, atol=1e-6)


def test_balanced_counts_weights() -> None:
    """Both classes weigh the same in the end, and all rows as much as before."""
    rows = Dataset.from_ids(IDS, CLICKS, sample_weight=WEIGHT).core
    balanced = Reweighting("balanced").apply(rows, np.array([0, 1]), 0)
    assert balanced.weight is not None
    sums = [balanced.weight[label == CLICKS].sum() for label in (0, 1)]
    assert sums == pytest.approx([WEIGHT.sum() / 2] * 2, rel=1e-6)


@pytest.mark.parametrize(
    ("labels", "class_weight"),
    [
        ((-1, 1), {-1: 1, 1: 3}),
        (("no", "yes"), {"yes": 3}),
        ((False, True), {True: 3}),
        ((1.0, 2.0), {2: np.float32(3)}),
        ((0, 1), {np.int64(1): np.int64(3)}),
    ],
    ids=str,
)
def test_class_weights_of_any_labels(labels: Any, class_weight: Any) -> None:
    y = np.array(labels)[CLICKS]
    model = made(pyfm.LinearClassifier, class_weight=class_weight).fit(IDS, y)
    expected = made(pyfm.LinearClassifier).fit(IDS, y, sample_weight=np.where(CLICKS, 3, 1))
    np.testing.assert_array_equal(model.predict_proba(IDS), expected.predict_proba(IDS))


def test_class_weights_of_datasets() -> None:
    data = Dataset.from_ids(IDS, 2 * CLICKS - 1, sample_weight=WEIGHT)
    model = made(pyfm.FFMClassifier, class_weight={1: 3}).fit(data)
    assert data.sample_weight is not None
    heavier = data.with_targets(data.y, data.sample_weight * np.where(CLICKS, 3, 1))
    expected = made(pyfm.FFMClassifier).fit(heavier)
    np.testing.assert_array_equal(model.predict_proba(data), expected.predict_proba(data))


def test_validation_rows_keep_their_weights_and_labels() -> None:
    data = Dataset.from_ids(IDS, CLICKS, sample_weight=WEIGHT)
    params = {"class_weight": {1: 9}, "label_smoothing": 0.2, "negative_sampling": 0.5}
    model = made(pyfm.LinearClassifier, **params).fit(data, eval_set=data)
    p = model.predict_proba(data)[:, 1]
    expected = pyfm.metrics.logloss(CLICKS, p, sample_weight=WEIGHT)
    assert model.history_["valid_logloss"][-1] == expected


@pytest.mark.parametrize(
    ("class_weight", "message"),
    [
        ("Balanced", "class_weight: expected a dict from labels to weights, 'balanced' or None"),
        ([1, 2], "class_weight: expected a dict"),
        ({0: -1}, r"class_weight\[0\]: expected a finite number >= 0, found -1"),
        ({1: math.nan}, r"class_weight\[1\]: expected a finite number >= 0"),
        ({1: "3"}, r"class_weight\[1\]: expected a finite number >= 0"),
        ({2: 1}, r"class_weight: expected weights of the classes \[0, 1\], found 2"),
        ({"1": 1}, r"class_weight: expected weights of the classes \[0, 1\], found '1'"),
        ({0: 0, 1: 0}, "class_weight: expected at least one row that keeps a weight > 0"),
        ({1: 1e39}, "class_weight: expected weights that are finite in float32"),
    ],
)
def test_wrong_class_weights(class_weight: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pyfm.LinearClassifier(class_weight=class_weight).fit(IDS, CLICKS)


def test_one_class_without_weight_cannot_be_balanced() -> None:
    model = pyfm.LinearClassifier(class_weight="balanced")
    with pytest.raises(ValueError, match="class_weight: expected rows of weight > 0 of all"):
        model.fit(IDS, CLICKS, sample_weight=CLICKS)


# --- negative_sampling ----------------------------------------------------------------------------


def test_which_rows_are_kept() -> None:
    ids, clicks = rare_clicks(10_000)
    rows = Dataset.from_ids(np.column_stack([ids, np.arange(10_000)]), clicks).core

    def kept(seed: int) -> Any:
        sample = Reweighting(negative_sampling=0.2).apply(rows, np.array([0, 1]), seed)
        return sample.features.reshape(-1, 2)[:, 1]

    first = kept(0)
    assert (np.diff(first.astype(int)) > 0).all()
    assert clicks[first].sum() == clicks.sum()
    # A binomial's share is within 5 standard deviations with probability 1 - 6e-7.
    negatives = len(clicks) - clicks.sum()
    assert (clicks[first] == 0).sum() / negatives == pytest.approx(
        0.2, abs=5 * math.sqrt(0.2 * 0.8 / negatives)
    )
    np.testing.assert_array_equal(first, kept(0))
    assert not np.array_equal(first, kept(1))


@pytest.mark.parametrize("linear", [True, False])
@each_classifier
def test_predictions_are_corrected_as_he_et_al_do(kind: Any, linear: bool) -> None:
    """q = p / (p + (1 - p) / w), of p as the model of the sample has it."""
    parts = {} if kind is pyfm.LinearClassifier else {"linear": linear}
    w = 0.3
    model = made(kind, negative_sampling=w, **parts).fit(IDS, CLICKS)
    p = model._model.predict(Dataset.from_ids(IDS).core, n_threads=1)
    q = model.predict_proba(IDS)[:, 1]
    # Scores are float32: a roundoff of a score near 4, of which q takes a share q (1 - q).
    np.testing.assert_allclose(q, p / (p + (1 - p) / w), rtol=1e-6)
    score = model.decision_function(IDS)
    assert score.dtype == np.float32
    np.testing.assert_allclose(q, 1 / (1 + np.exp(-score.astype(np.float64))), rtol=1e-12)
    np.testing.assert_array_equal(model.predict(IDS), (q > 0.5).astype(int))
    if hasattr(model, "intercept_") and kind is pyfm.LinearClassifier:
        sums = model.coef_[IDS].sum(axis=1) + model.intercept_
        np.testing.assert_allclose(score, sums, rtol=1e-5, atol=1e-6)


@each_classifier
def test_a_tenth_of_the_negatives_is_enough_to_be_calibrated(kind: Any) -> None:
    ids, clicks = rare_clicks(100_000)
    model = made(kind, negative_sampling=0.1, **({"linear": True} if "FFM" in str(kind) else {}))
    p = model.fit(ids, clicks).predict_proba(np.arange(4)[:, None])[:, 1]
    # Each rate stands on 500 clicks or more: 4.5 % of it are a standard deviation.
    np.testing.assert_allclose(p, [0.02, 0.04, 0.06, 0.08], rtol=0.2)
    everyone = model.predict_proba(ids)[:, 1]
    assert pyfm.metrics.calibration_ratio(clicks, everyone) == pytest.approx(1, abs=0.05)


def test_sampling_does_not_change_what_balanced_means() -> None:
    ids, clicks = rare_clicks(100_000)
    params: dict[str, Any] = {"class_weight": "balanced", "epochs": 5}
    whole = made(pyfm.LinearClassifier, **params).fit(ids, clicks)
    sample = made(pyfm.LinearClassifier, negative_sampling=0.2, **params).fit(ids, clicks)
    probe = np.arange(4)[:, None]
    np.testing.assert_allclose(
        sample.decision_function(probe), whole.decision_function(probe), atol=0.15
    )


def test_all_negatives_are_no_sample() -> None:
    model = made(pyfm.FFMClassifier, negative_sampling=1).fit(IDS, CLICKS)
    expected = made(pyfm.FFMClassifier).fit(IDS, CLICKS)
    np.testing.assert_array_equal(model.predict_proba(IDS), expected.predict_proba(IDS))


def test_a_seed_gives_the_same_sample() -> None:
    a, b = (made(pyfm.FMClassifier, negative_sampling=0.5).fit(IDS, CLICKS) for _ in range(2))
    np.testing.assert_array_equal(a.predict_proba(IDS), b.predict_proba(IDS))


def test_early_stopping_goes_by_calibrated_predictions() -> None:
    ids, clicks = rare_clicks(20_000)
    params: dict[str, Any] = {"early_stopping": True, "epochs": 30, "metric": "calibration_ratio"}
    model = made(pyfm.LinearClassifier, negative_sampling=0.1, **params).fit(ids, clicks)
    best = model.history_["valid_calibration_ratio"][model.best_epoch_ - 1]
    # 100 clicks in the validation rows: 10 % are a standard deviation. Uncorrected, it is near 7.
    assert best == pytest.approx(1, abs=0.4)
    assert abs(best - 1) == min(abs(v - 1) for v in model.history_["valid_calibration_ratio"])


def test_callbacks_see_corrected_predictions(tmp_path: Path) -> None:
    """All evaluation sets, the model of the epoch, and its checkpoint."""
    ids, clicks = rare_clicks(5_000)
    half = len(ids) // 2
    sets = {"a": (ids[:half], clicks[:half]), "b": (ids[half:], clicks[half:])}
    seen: list[int] = []

    def compare(env: pyfm.callbacks.CallbackEnv) -> None:
        assert env.n_rows < half  # of the sample
        saved = pyfm.load(tmp_path / "model")
        for name, (X, y) in sets.items():
            p = env.model.predict_proba(X)[:, 1]
            np.testing.assert_array_equal(saved.predict_proba(X)[:, 1], p)
            for metric in ("calibration_ratio", "logloss"):
                value = getattr(pyfm.metrics, metric)(y, p)
                assert env.record[f"{name}_{metric}"] == pytest.approx(value, rel=1e-12)
        seen.append(env.epoch)

    model = made(pyfm.LinearClassifier, negative_sampling=0.1, metric="calibration_ratio")
    save = pyfm.callbacks.checkpoint(tmp_path / "model")
    model.fit(ids, clicks, eval_set=sets, callbacks=[save, compare])
    assert seen == [1, 2, 3]
    assert model.history_["b_calibration_ratio"][-1] == pytest.approx(1, abs=0.4)


@pytest.mark.parametrize("linear", [True, False])
@pytest.mark.parametrize("kind", CLASSIFIERS[1:])
def test_the_correction_survives(kind: Any, linear: bool, tmp_path: Path) -> None:
    model = made(kind, negative_sampling=0.25, linear=linear).fit(IDS, CLICKS)
    model.save(tmp_path / "model")
    for copy in (pyfm.load(tmp_path / "model"), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(copy.decision_function(IDS), model.decision_function(IDS))
        np.testing.assert_array_equal(copy.predict_proba(IDS), model.predict_proba(IDS))
        assert copy.get_params()["negative_sampling"] == 0.25
        copy.set_params(negative_sampling=1.0)  # of the next fit, not of this model
        np.testing.assert_array_equal(copy.predict_proba(IDS), model.predict_proba(IDS))
        copy.save(tmp_path / "changed")
        again = pyfm.load(tmp_path / "changed")
        np.testing.assert_array_equal(again.predict_proba(IDS), model.predict_proba(IDS))


@pytest.mark.parametrize("rate", [0, -0.1, 1.1, math.nan, "0.1", True, None])
def test_wrong_shares(rate: Any) -> None:
    with pytest.raises(ValueError, match="negative_sampling: expected a number between 0 and 1, 0"):
        pyfm.FFMClassifier(negative_sampling=rate).fit(IDS, CLICKS)


def test_a_share_that_leaves_no_negatives() -> None:
    with pytest.raises(ValueError, match="a share that keeps some of the 2 negative rows"):
        made(pyfm.FFMClassifier, negative_sampling=1e-9).fit(IDS[:4], [0, 0, 1, 1])


# --- label_smoothing ------------------------------------------------------------------------------


def test_smoothed_targets() -> None:
    rows = Dataset.from_ids([[0], [1], [2]], [0, 1, 1], sample_weight=[1, 2, 3]).core
    smoothed = Reweighting(label_smoothing=0.2).apply(rows, np.array([0, 1]), 0)
    assert smoothed.y is not None
    assert smoothed.weight is not None
    np.testing.assert_allclose(smoothed.y, np.array([0.1, 0.9, 0.9]), rtol=1e-6)
    assert smoothed.weight.tolist() == [1, 2, 3]


def test_a_step_goes_to_the_smoothed_target() -> None:
    """From a score of 0: η (y - ½) with y = 1 - s/2 or s/2, while η is so small that ½ stays."""
    rate, s = 1e-4, 0.2
    model = pyfm.LinearClassifier(
        optimizer="sgd", learning_rate=rate, epochs=1, label_smoothing=s, random_state=0
    ).fit([[0], [1]], [0, 1])
    np.testing.assert_allclose(model.coef_ / rate, np.array([-0.4, 0.4]), rtol=1e-3)


def test_probabilities_are_drawn_to_one_half() -> None:
    ids, y = np.zeros((1000, 1), int), np.arange(1000) % 5 == 0
    for s in (0.0, 0.5):
        model = made(pyfm.LinearClassifier, label_smoothing=s, l2=0).fit(ids, y)
        expected = 0.2 * (1 - s) + s / 2
        assert model.predict_proba(ids)[0, 1] == pytest.approx(expected, abs=0.02)


def test_the_training_loss_is_that_of_the_smoothed_labels() -> None:
    """With labels near ½ it ends near their entropy, far above that of the clicks."""
    model = made(pyfm.LinearClassifier, label_smoothing=0.9, epochs=100, learning_rate=0.3)
    history = model.fit(IDS, CLICKS).history_["train_logloss"]
    rate = CLICKS.mean() * 0.1 + 0.45
    entropy = -rate * math.log(rate) - (1 - rate) * math.log1p(-rate)
    assert history[-1] == pytest.approx(entropy, abs=0.005)


@pytest.mark.parametrize("smoothing", [-0.1, 1, 1.5, math.nan, "0.1", False])
def test_wrong_smoothing(smoothing: Any) -> None:
    with pytest.raises(ValueError, match="label_smoothing: expected a number between 0 and 1, 1"):
        pyfm.FMClassifier(label_smoothing=smoothing).fit(IDS, CLICKS)


# --- all of them ----------------------------------------------------------------------------------


def test_regressors_have_none_of_it() -> None:
    for classifier, regressor in zip(
        CLASSIFIERS, [pyfm.LinearRegressor, pyfm.FMRegressor, pyfm.FFMRegressor], strict=True
    ):
        more = classifier().get_params()
        own = {"class_weight", "negative_sampling", "label_smoothing"}
        assert set(more) - set(regressor().get_params()) == own
        assert {name: more[name] for name in own} == {
            "class_weight": None,
            "negative_sampling": 1.0,
            "label_smoothing": 0.0,
        }
        assert regressor().get_params() == {n: v for n, v in more.items() if n not in own}
