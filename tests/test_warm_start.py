"""Going on with a fitted model."""

from __future__ import annotations

import pickle
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pyfm
from pyfm import Dataset, training
from pyfm.callbacks import CallbackEnv
from pyfm.estimators.model_spec import stored_weights
from pyfm.optim import FTRL, OPTIMIZERS, SGD, AdaGrad, Adam
from pyfm.schedules import Exponential

KINDS = [pyfm.LinearClassifier, pyfm.FMClassifier, pyfm.FFMClassifier]


@pytest.fixture(scope="module")
def rows() -> Dataset:
    return pyfm.datasets.make_ctr(2000, n_fields=5, n_features=300, random_state=0)[0]


def warm(kind: Any = pyfm.FMClassifier, **params: Any) -> Any:
    return kind(**({"epochs": 2, "random_state": 0, "warm_start": True} | params))


def assert_same(a: Any, b: Any) -> None:
    for name in ("coef_", "intercept_", "factors_"):
        assert hasattr(a, name) == hasattr(b, name)
        if hasattr(a, name):
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


@pytest.mark.parametrize("optimizer", list(OPTIMIZERS))
@pytest.mark.parametrize("kind", KINDS)
def test_two_fits_are_one_of_as_many_epochs(kind: Any, optimizer: str, rows: Dataset) -> None:
    model = warm(kind, optimizer=optimizer).fit(rows).set_params(epochs=3).fit(rows)
    assert_same(model, kind(epochs=5, optimizer=optimizer, random_state=0).fit(rows))
    assert (model.n_iter_, model.best_epoch_) == (5, 5)
    assert model.history_["epoch"] == [3, 4, 5]


def test_parts_with_optimizers_of_their_own_go_on_too(rows: Dataset) -> None:
    parts = {"linear": FTRL(), "factors": Adam(0.01)}
    model = warm(optimizer=parts).fit(rows).set_params(epochs=3).fit(rows)
    assert_same(model, pyfm.FMClassifier(epochs=5, optimizer=parts, random_state=0).fit(rows))


@pytest.mark.parametrize(
    "params",
    [
        {"negative_sampling": 0.3},
        {"class_weight": "balanced"},
        {"class_weight": {1: 3}, "negative_sampling": 0.5, "label_smoothing": 0.1},
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", KINDS)
def test_two_fits_learn_the_same_reweighted_rows(kind: Any, params: Any, rows: Dataset) -> None:
    given: Any = {"eval_set": {"a": rows[:500], "b": rows[500:]}}
    model = warm(kind, **params).fit(rows, **given).set_params(epochs=3).fit(rows, **given)
    once = kind(epochs=5, random_state=0, **params).fit(rows, **given)
    assert_same(model, once)
    for name in ("a_logloss", "b_logloss"):
        assert model.history_[name] == once.history_[name][2:]


def test_class_weights_and_smoothing_may_change(rows: Dataset) -> None:
    model = warm().fit(rows)
    before = model.predict_proba(rows)[:, 1].mean()
    model.set_params(class_weight={1: 9}, label_smoothing=0.1).fit(rows)
    assert model.predict_proba(rows)[:, 1].mean() > before


def test_the_first_fit_begins_anew(rows: Dataset) -> None:
    assert_same(warm().fit(rows), pyfm.FMClassifier(epochs=2, random_state=0).fit(rows))


def test_schedules_count_on(rows: Dataset) -> None:
    params: dict[str, Any] = {"optimizer": SGD(0.2), "learning_rate_schedule": Exponential(0.5)}
    model = warm(**params).fit(rows).fit(rows)
    assert_same(model, pyfm.FMClassifier(epochs=4, random_state=0, **params).fit(rows))
    assert model.history_["learning_rate"] == [0.05, 0.025]


def test_callbacks_count_on(rows: Dataset) -> None:
    seen: list[tuple[int, int]] = []

    def note(env: CallbackEnv) -> None:
        seen.append((env.epoch, env.n_epochs))

    reset = pyfm.callbacks.reset_parameter(learning_rate=[0.3, 0.2])
    model = warm().fit(rows).fit(rows, callbacks=[note, reset])
    assert seen == [(3, 4), (4, 4)]
    assert model.history_["learning_rate"] == [0.3, 0.2]


def test_other_parameters_of_the_optimizer_keep_its_state(rows: Dataset) -> None:
    model = warm(optimizer=AdaGrad(0.1)).fit(rows)
    core = model._model
    model.set_params(optimizer=AdaGrad(0.05)).fit(rows)
    assert model._model is core
    reset = pyfm.callbacks.reset_parameter(learning_rate=[0.1, 0.1, 0.05, 0.05])
    same = pyfm.FMClassifier(optimizer=AdaGrad(0.1), epochs=4, random_state=0)
    assert_same(model, same.fit(rows, callbacks=[reset]))


@pytest.mark.parametrize("l1", [(0, 1e-3), (1e-3, 0), (1e-3, 2e-3)])
def test_ftrl_with_another_l1(l1: tuple[float, float], rows: Dataset) -> None:
    """There is no z without L1."""
    before, after = (FTRL(l1=each) for each in l1)
    model = warm(optimizer=before).fit(rows)
    core = model._model
    model.set_params(optimizer=after).fit(rows)
    assert (model._model is core) == before.may_become(after) == all(l1)
    assert model.n_iter_ == 4


@pytest.mark.parametrize("how", ["another kind", "another start", "pickle", "copy", "file"])
@pytest.mark.parametrize("optimizer", ["adagrad", "ftrl"])
def test_the_optimizer_starts_anew_where_its_state_is_of_no_use(
    how: str, optimizer: str, rows: Dataset, tmp_path: Path
) -> None:
    model = warm(optimizer=optimizer).fit(rows)
    if how == "another kind":
        model.set_params(optimizer="sgd")
    elif how == "another start":
        model.set_params(
            optimizer=AdaGrad(initial_accumulator=0.5) if optimizer == "adagrad" else FTRL(0.2)
        )
    elif how == "pickle":
        model = pickle.loads(pickle.dumps(model))
    elif how == "copy":
        model = deepcopy(model)
    else:
        model.save(tmp_path / "model")
        model = pyfm.load(tmp_path / "model")
        assert model.warm_start
    # Seeds of the row order are those of the core's model: that of random_state=0.
    seed = int(np.random.RandomState(0).randint(2**31 - 1))
    expected = model._spec.build_from(
        stored_weights(model._spec, model._model), model._settings().training.optimizers, seed
    )
    for epoch in (2, 3):
        expected.train_epoch(rows.core, epoch=epoch, shuffle=True, n_threads=1, poll=None)
    before = model.decision_function(rows)
    model.fit(rows)
    assert model.n_iter_ == 4
    np.testing.assert_array_equal(
        model.decision_function(rows), expected.decision_function(rows.core, n_threads=1)
    )
    assert (model.decision_function(rows) != before).any()


@pytest.mark.parametrize(("optimizer", "l1"), [("adagrad", 0), ("ftrl", 0), ("ftrl", 1e-3)])
def test_going_on_from_the_best_epoch(optimizer: str, l1: float, rows: Dataset) -> None:
    """Early stopping went back to the best epoch: the weights are its, and not the last one's."""
    train, valid = rows[:1500], rows[1500:]
    params = {"normalize": False, "init_scale": 1, "optimizer": optimizer, "learning_rate": 0.3}
    model = warm(epochs=20, early_stopping=True, n_iter_no_change=2, l1=l1, **params)
    model.fit(train, eval_set=valid)
    assert model.best_epoch_ < model.n_iter_
    assert valid.y is not None
    n_iter, loss = model.n_iter_, pyfm.metrics.logloss(valid.y, model.predict_proba(valid)[:, 1])
    assert loss == min(model.history_["valid_logloss"])
    # A step so small that it changes nothing: what is left are the weights that it began with.
    before = model.predict_proba(valid)
    model.set_params(early_stopping=False, epochs=1, l2=0)
    model.fit(train, sample_weight=np.full(len(train), 1e-30))
    assert model.n_iter_ == n_iter + 1
    np.testing.assert_allclose(model.predict_proba(valid), before, rtol=1e-4)


# --- interruptions --------------------------------------------------------------------------------


def interrupt(env: CallbackEnv) -> None:
    raise KeyboardInterrupt


class InFirstEpoch(pyfm.callbacks.Callback):
    """Interrupts the pass."""

    def after_rows(self, n_rows: int) -> None:
        raise KeyboardInterrupt


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("cheap", [0, 2**26])
def test_interrupted_in_its_first_epoch(
    cheap: int, early_stopping: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The earlier weights come back, whatever the size of the model."""
    monkeypatch.setattr(training, "_CHEAP_SNAPSHOT", cheap)
    rows, _ = pyfm.datasets.make_ctr(30_000, n_fields=30, n_features=5000, random_state=0)
    model = warm(pyfm.FFMClassifier, n_factors=32, epochs=1).fit(rows[:1000])
    earlier = deepcopy(model)
    model.set_params(early_stopping=early_stopping)
    with pytest.raises(KeyboardInterrupt):
        model.fit(rows[:30_000], eval_set=rows[:10], callbacks=[InFirstEpoch()])
    assert_same(model, earlier)
    assert (model.history_, model.n_iter_) == (earlier.history_, 1)
    assert model._kept_optimizers is None


def test_a_failed_check_keeps_the_state(rows: Dataset) -> None:
    model = warm().fit(rows)
    with pytest.raises(ValueError, match=r"early_stopping\.data: expected"):
        model.fit(rows, callbacks=[pyfm.callbacks.early_stopping(data="test")])
    model.fit(rows)
    assert_same(model, pyfm.FMClassifier(epochs=4, random_state=0).fit(rows))


def test_a_failed_check_of_a_copy(rows: Dataset) -> None:
    """It has no optimizer state, before and after."""
    model = deepcopy(warm().fit(rows))
    with pytest.raises(ValueError, match=r"early_stopping\.data: expected"):
        model.fit(rows, callbacks=[pyfm.callbacks.early_stopping(data="test")])
    assert_same(model.fit(rows), deepcopy(warm().fit(rows)).fit(rows))


def test_interrupted_later(rows: Dataset) -> None:
    model = warm().fit(rows)
    with pytest.raises(KeyboardInterrupt):
        model.fit(rows, callbacks=[interrupt])
    assert model.n_iter_ == 3
    assert_same(model, pyfm.FMClassifier(epochs=3, random_state=0).fit(rows))


# --- other rows -----------------------------------------------------------------------------------


def test_rows_of_one_class_and_new_features_of_the_id_space() -> None:
    first = Dataset.from_ids([[0, 5], [1, 6]] * 20, [0, 1] * 20, n_features=10)
    model = warm(pyfm.FMClassifier, epochs=5).fit(first)
    model.fit(Dataset.from_ids([[3, 7]] * 20, [1] * 20, n_features=10))
    assert model.coef_[3] > 0
    assert model.predict_proba(Dataset.from_ids([[3, 7]]))[0, 1] > 0.5
    assert model.classes_.tolist() == [0, 1]


IDS, CLICKS = np.array([[0, 2], [1, 3]] * 20), np.array([0, 1] * 20)


def test_rows_of_one_class_are_sampled_but_not_balanced() -> None:
    model = warm(negative_sampling=0.3).fit(IDS, CLICKS)
    model.fit(IDS, 0 * CLICKS + 1)  # there is nothing to leave out
    model.fit(IDS, 0 * CLICKS)
    with pytest.raises(ValueError, match="a share that keeps some of the 1 negative rows"):
        model.set_params(random_state=1).fit(IDS[:1], CLICKS[:1])
    model.set_params(class_weight="balanced")
    with pytest.raises(ValueError, match="class_weight: expected rows of weight > 0 of all class"):
        model.fit(IDS, 0 * CLICKS + 1)
    assert model.n_iter_ == 6


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_factors": 5}, "n_factors: expected 4, that of the fitted model, since warm_start=Tru"),
        ({"linear": True}, "linear: expected False, that of the fitted model"),
        ({"normalize": False}, "normalize: expected True"),
        ({"init_scale": 0.5}, r"init_scale: expected 1\.0"),
        ({"dtype": "float16"}, "dtype: expected 'float32'"),
        ({"negative_sampling": 0.1}, r"negative_sampling: expected 1\.0, that of .*, found 0\.1$"),
    ],
)
def test_another_model(change: Any, message: str) -> None:
    model = warm(pyfm.FFMClassifier).fit(IDS, CLICKS).set_params(**change)
    before = model.predict_proba(IDS)
    with pytest.raises(ValueError, match=message):
        model.fit(IDS, CLICKS)
    np.testing.assert_array_equal(model.predict_proba(IDS), before)
    model.set_params(warm_start=False).fit(IDS, CLICKS)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            (IDS + 1, CLICKS),
            "X: expected at most 4 features, those of the fitted model, since warm",
        ),
        ((IDS[:, :1], CLICKS), "X has 1 features"),
        ((IDS, CLICKS + 1), r"y\[1\]: expected one of the classes 0 and 1"),
        (
            (Dataset.from_ids([[0, 1, 2]] * 2, [0, 1]),),
            "X: expected at most 2 fields, those of the fitted model",
        ),
    ],
)
def test_rows_of_another_model(rows: Any, message: str) -> None:
    model = warm(pyfm.FFMClassifier).fit(IDS, CLICKS)
    with pytest.raises(ValueError, match=message):
        model.fit(*rows)
    assert model.n_iter_ == 2


def test_fields_of_another_model() -> None:
    X = np.eye(4, dtype=np.float32)
    model = warm(pyfm.FFMClassifier).fit(X, [0, 1, 0, 1], fields=[0, 0, 1, 1])
    model.fit(X, [0, 1, 0, 1]).fit(X, [0, 1, 0, 1], fields=[0, 0, 1, 1])
    assert model.n_iter_ == 6
    with pytest.raises(ValueError, match="fields: expected those of the fitted model, or None"):
        model.fit(X, [0, 1, 0, 1], fields=[0, 1, 1, 1])


def test_model_files_count_on(rows: Dataset, tmp_path: Path) -> None:
    model = warm().fit(rows).fit(rows)
    model.save(tmp_path / "model")
    copy = pyfm.load(tmp_path / "model")
    assert (copy.n_iter_, copy.best_epoch_, copy.history_) == (4, 4, model.history_)
