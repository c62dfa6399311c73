"""`augmentation=` of the estimators."""

from __future__ import annotations

import json
import pickle
from dataclasses import FrozenInstanceError, asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from augmented import PLAIN, binomial_bound
from contract import Case, make_data
from kinds import ESTIMATORS, small
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

import pyfm
from pyfm import Augmentation, Dataset, _core

# --- estimators -----------------------------------------------------------------------------------

each_estimator = pytest.mark.parametrize("kind", ESTIMATORS)

ROWS, _ = pyfm.datasets.make_ctr(2000, n_fields=6, n_features=300, random_state=0)

TRAIN, VALID = ROWS[:1500], ROWS[1500:]

STRONG = Augmentation(feature_dropout=0.3, bootstrap=True)


def fitted(kind: Any, data: Any = TRAIN, **params: Any) -> Any:
    return small(kind, **({"epochs": 4, "random_state": 0} | params)).fit(data)


@each_estimator
def test_estimators_augment_and_none_does_not(kind: Any) -> None:
    plain, loss = fitted(kind), f"train_{kind._metrics[0]}"
    off = fitted(kind, augmentation=Augmentation())
    np.testing.assert_array_equal(off.predict(VALID), plain.predict(VALID))
    model = fitted(kind, augmentation=STRONG)
    assert model.history_[loss] != plain.history_[loss]
    again = fitted(kind, augmentation=STRONG)
    np.testing.assert_array_equal(again.predict(VALID), model.predict(VALID))
    other = fitted(kind, augmentation=STRONG, random_state=1)
    assert other.history_[loss] != model.history_[loss]


def test_rows_to_validate_on_are_left_alone() -> None:
    model = pyfm.FFMClassifier(
        epochs=3, augmentation=Augmentation(feature_dropout=0.9), random_state=0
    ).fit(TRAIN, eval_set={"valid": VALID, "train rows": TRAIN})
    for name, rows in (("valid", VALID), ("train rows", TRAIN)):
        assert rows.y is not None
        proba = model.predict_proba(rows)[:, 1]
        found = pyfm.metrics.logloss(rows.y, proba)
        assert model.history_[f"{name}_logloss"][-1] == pytest.approx(found, rel=1e-9)


@pytest.mark.parametrize("batch_size", [1, 64])
@each_estimator
def test_two_fits_are_one(kind: Any, batch_size: int) -> None:
    params = {"augmentation": STRONG, "batch_size": batch_size}
    once = fitted(kind, epochs=6, **params)
    twice = fitted(kind, epochs=3, warm_start=True, **params).fit(TRAIN)
    np.testing.assert_array_equal(twice.predict(VALID), once.predict(VALID))


def test_augmentation_may_change_between_fits() -> None:
    """Rows that the sample did not hold get their features' weights when they take part."""
    features = np.arange(600).reshape(-1, 2)
    data = Dataset.from_ids(features, np.arange(300) % 2)
    model = fitted(pyfm.FMClassifier, data, augmentation=STRONG, warm_start=True, epochs=1)
    assert model._model.features.size < 600
    assert (model.factors_ == 0).all(axis=1).any()
    model.set_params(augmentation=None).fit(data)
    assert model._model.features.size == 600


def test_features_outside_the_sample_stay_0() -> None:
    features = np.arange(400).reshape(-1, 1)
    model = fitted(
        pyfm.FMRegressor,
        Dataset.from_ids(features, np.ones(400)),
        augmentation=Augmentation(bootstrap=True),
    )
    share = (model.factors_ != 0).any(axis=1).mean()
    assert share == pytest.approx(0.632, abs=binomial_bound(400, 0.632))


def test_a_refusal_leaves_a_fitted_model_resumable() -> None:
    once = fitted(pyfm.FMClassifier, epochs=2)
    model = fitted(pyfm.FMClassifier, epochs=1, warm_start=True)
    model.set_params(augmentation=Augmentation(value_noise=0.1))
    with pytest.raises(ValueError, match="value_noise"):
        model.fit(TRAIN)
    model.set_params(augmentation=None).fit(TRAIN)
    np.testing.assert_array_equal(model.predict(VALID), once.predict(VALID))


def test_class_weights_sampling_and_smoothing_come_first() -> None:
    model = fitted(
        pyfm.FFMClassifier,
        augmentation=STRONG,
        class_weight="balanced",
        negative_sampling=0.5,
        label_smoothing=0.1,
    )
    assert np.isfinite(model.predict_proba(VALID)).all()


def test_numeric_columns() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(300, 4)), rng.normal(size=300)
    noise = Augmentation(value_noise=0.2)
    model = pyfm.LinearRegressor(augmentation=noise, random_state=0, epochs=3).fit(X, y)
    plain = pyfm.LinearRegressor(random_state=0, epochs=3).fit(X, y)
    assert (model.coef_ != plain.coef_).all()


# --- the parameter --------------------------------------------------------------------------------


def test_equal_frozen_plain() -> None:
    one = Augmentation(unknown=np.array([1, -1], np.int64), numeric_fields=np.array([0], np.uint16))
    two = Augmentation(unknown=[1, -1], numeric_fields=(0,))
    assert one == two
    assert hash(one) == hash(two)
    assert one != Augmentation()
    assert eval(repr(one)) == one
    assert pickle.loads(pickle.dumps(one)) == one
    assert json.loads(json.dumps(asdict(one)))["unknown"] == [1, -1]
    with pytest.raises(FrozenInstanceError):
        one.bootstrap = True  # type: ignore[misc]
    with pytest.raises(TypeError):
        Augmentation(0.1)  # type: ignore[call-arg]


@each_estimator
def test_clone_and_parameters(kind: Any) -> None:
    model = kind(augmentation=STRONG)
    assert clone(model).augmentation == STRONG
    assert clone(fitted(kind, augmentation=STRONG)).get_params()["augmentation"] == STRONG
    assert "feature_dropout=0.3" in repr(model)
    assert kind().get_params()["augmentation"] is None


def test_grid_search() -> None:
    ids, y = ROWS.core.features.reshape(ROWS.n_rows, -1).astype(np.int64), ROWS.y
    grid = {"augmentation": [None, Augmentation(feature_dropout=0.1), STRONG]}
    model = pyfm.FMClassifier(epochs=2, random_state=0)
    search = GridSearchCV(model, grid, cv=3, scoring="neg_log_loss").fit(ids, y)
    assert len(set(search.cv_results_["mean_test_score"])) == 3


@pytest.mark.parametrize(
    "augmentation",
    [None, Augmentation(), STRONG, Augmentation(feature_dropout=0.2, unknown=[0, 1, 2, 3, -1, 5])],
)
def test_model_files_keep_it(augmentation: Augmentation | None, tmp_path: Path) -> None:
    model = fitted(pyfm.FFMClassifier, augmentation=augmentation)
    model.save(tmp_path / "model")
    copy = pyfm.load(tmp_path / "model")
    assert copy.augmentation == augmentation
    np.testing.assert_array_equal(copy.predict_proba(VALID), model.predict_proba(VALID))
    np.testing.assert_array_equal(copy.fit(TRAIN).predict(VALID), model.predict(VALID))
    pickled = pickle.loads(pickle.dumps(model))
    assert pickled.augmentation == augmentation


# --- refusals -------------------------------------------------------------------------------------

NAN, INF = float("nan"), float("inf")

OUT_OF_RANGE = [
    *(("feature_dropout", p, r"between 0 and 1, 1 excluded") for p in (1, -0.1, NAN, 2, "x", None)),
    *(("value_noise", s, r"a finite number >= 0") for s in (-0.1, NAN, INF, "x", None, 10**400)),
    ("value_noise", 1e31, r"a number <= 1e\+30"),
    *(("bootstrap", b, "True or False") for b in (2, None, "yes")),
    *(
        ("unknown", u, r"one or more integers in \[-1, 4294967296\)")
        for u in ([-2], [2**32], [2**70], [1.5], [True], [[1]], [[1], [1, 2]], [], "1", 3, [None])
    ),
    *(
        ("numeric_fields", f, r"one or more integers in \[0, 65536\)")
        for f in ([-1], [2**16], [0.5], [[0]], [], 0, np.array(0))
    ),
]


@pytest.mark.parametrize(("name", "value", "expected"), OUT_OF_RANGE)
def test_parameters_out_of_range(name: str, value: Any, expected: str) -> None:
    with pytest.raises(ValueError, match=rf"Augmentation\.{name}: expected .*{expected}.*, found "):
        Augmentation(**{name: value})


@pytest.mark.parametrize("value", [0.1, "dropout", {"feature_dropout": 0.1}, Augmentation, True])
@each_estimator
def test_other_types(kind: Any, value: Any) -> None:
    with pytest.raises(ValueError, match=r"augmentation: expected a pyfm\.Augmentation or None"):
        kind(augmentation=value).fit(TRAIN)


UNFIT = [
    (Augmentation(unknown=[0] * 5), r"unknown: expected a feature for each of the 6 .*, found 5"),
    (Augmentation(unknown=[0] * 7), r"unknown: expected a feature for each of the 6 .*, found 7"),
    (
        Augmentation(unknown=[0, 0, 0, TRAIN.n_features, 0, 0]),
        rf"unknown\[3\]: expected a feature in \[0, {TRAIN.n_features}\), or -1 .*, found",
    ),
    (Augmentation(numeric_fields=[1, 6]), r"numeric_fields: expected fields in \[0, 6\), found 6"),
    (Augmentation(value_noise=0.1), r"value_noise: expected 0 for rows of features without val"),
]


@pytest.mark.parametrize(("augmentation", "message"), UNFIT)
@each_estimator
def test_what_does_not_suit_the_rows(kind: Any, augmentation: Augmentation, message: str) -> None:
    model = kind(augmentation=augmentation)
    with pytest.raises(ValueError, match=rf"Augmentation\.{message}"):
        model.fit(TRAIN)
    assert not hasattr(model, "history_")


def test_the_core_checks_for_itself() -> None:
    model, data = Case("ffm", n_fields=5).core(), make_data(PLAIN, 5).core()
    good = {
        "feature_dropout": 0.1,
        "unknown": [],
        "value_noise": 0.0,
        "numeric_fields": [],
        "bootstrap": False,
    }
    for name, value in (
        ("feature_dropout", 1.0),
        ("feature_dropout", NAN),
        ("value_noise", -1.0),
        ("value_noise", INF),
        ("unknown", [15] * 5),
        ("unknown", [0]),
        ("numeric_fields", [5]),
    ):
        bad = _core.Augmentation(**(good | {name: value}))  # type: ignore[arg-type]
        for train_or_start in (
            lambda bad=bad: model.initialize(data, n_threads=1, augmentation=bad),
            lambda bad=bad: model.train_epoch(
                data, epoch=0, shuffle=True, n_threads=1, poll=None, augmentation=bad
            ),
        ):
            with pytest.raises(ValueError, match=rf"Augmentation\.{name}.*: expected"):
                train_or_start()
