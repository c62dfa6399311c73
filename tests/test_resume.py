"""Fits that go on from a checkpoint: the same bits as fits that nothing stopped."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace as replaced
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pyfm
from pyfm import Dataset, FormatError
from pyfm.callbacks import Callback, CallbackEnv, checkpoint, early_stopping, reset_parameter
from pyfm.model_file import layout, load_checkpoint, writer
from pyfm.optim import FTRL, OPTIMIZERS, AdaGrad, Adam
from pyfm.schedules import Exponential, ReduceOnPlateau

KINDS = [pyfm.LinearClassifier, pyfm.FMClassifier, pyfm.FFMClassifier]
EPOCHS = 4


@pytest.fixture(scope="module")
def rows() -> Dataset:
    return pyfm.datasets.make_ctr(300, n_fields=4, n_features=60, random_state=0)[0]


def untimed(history: dict[str, list[float]]) -> dict[str, list[float]]:
    return {name: column for name, column in history.items() if "second" not in name}


def assert_same(a: Any, b: Any) -> None:
    for name in ("coef_", "intercept_", "factors_"):
        assert hasattr(a, name) == hasattr(b, name)
        if hasattr(a, name):
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
    assert untimed(a.history_) == untimed(b.history_)
    assert (a.best_epoch_, a.n_iter_) == (b.best_epoch_, b.n_iter_)


def assert_resumes(
    make: Callable[..., Any],
    folder: Path,
    *given: Any,
    callbacks: Callable[[], list[Any]] = list,
    n_jobs: tuple[int, ...] = (1,),
    **options: Any,
) -> Any:
    """Every checkpoint of a fit, resumed, ends as the fit did, and writes the same checkpoints."""
    whole = make(n_jobs=n_jobs[0])
    save = checkpoint(folder / "{epoch}")
    whole.fit(*given, callbacks=[*callbacks(), save], **options)
    for epoch in whole.history_["epoch"]:
        path = folder / str(epoch)
        assert pyfm.load(path).n_iter_ == epoch
        for threads in n_jobs:
            resumed = make(n_jobs=threads)
            again = checkpoint(folder / "again")
            resumed.fit(*given, callbacks=[*callbacks(), again], resume_from=path, **options)
            assert_same(resumed, whole)
            assert (resumed._kept_optimizers is None) == (whole._kept_optimizers is None)
    if whole.n_iter_ > 1:
        one, other = (load_checkpoint(folder / name) for name in ("again", str(whole.n_iter_)))
        assert_same(one[0], other[0])
    return whole


# --- the same bits --------------------------------------------------------------------------------


MODELS: list[tuple[Any, dict[str, Any]]] = [(pyfm.LinearClassifier, {})] + [
    (kind, {"dtype": dtype, "linear": True, "n_factors": 5})
    for kind in (pyfm.FMClassifier, pyfm.FFMClassifier)
    for dtype in ("float32", "float16")
]


@pytest.mark.parametrize("batch_size", [1, 3, "full"])
@pytest.mark.parametrize("optimizer", list(OPTIMIZERS))
@pytest.mark.parametrize(("kind", "params"), MODELS)
def test_from_every_epoch(
    kind: Any, params: Any, optimizer: str, batch_size: Any, rows: Dataset, tmp_path: Path
) -> None:
    def make(**others: Any) -> Any:
        fixed = {"epochs": 3, "random_state": 0, "optimizer": optimizer, "batch_size": batch_size}
        return kind(**fixed, **params, **others)

    assert_resumes(make, tmp_path, rows, n_jobs=(1,) if batch_size == 1 else (1, 2, 4))


def test_a_warm_start_with_fewer_features(rows: Dataset, tmp_path: Path) -> None:
    """What has to be the same are the rows, not the model that goes on with them."""
    ids, y = np.array([[0, 3], [1, 5], [2, 9]] * 5), [0, 1, 1] * 5
    path = tmp_path / "checkpoint"

    def make(epochs: int) -> Any:
        return pyfm.FFMClassifier(epochs=epochs, warm_start=True, random_state=0)

    few = Dataset.from_ids(ids[:, :1], y)
    whole = make(2).fit(Dataset.from_ids(ids, y)).set_params(epochs=4).fit(few)
    part = make(2).fit(Dataset.from_ids(ids, y)).fit(few, callbacks=[checkpoint(path)])
    assert (part.n_features_in_, part.n_fields_, part.n_iter_) == (10, 2, 4)
    assert_same(make(4).fit(few, resume_from=path), whole)
    with pytest.raises(ValueError, match=r"^X: expected 3 features, as in .*, found 10"):
        make(4).fit(Dataset.from_ids(ids[:, :1], y, n_features=10), resume_from=path)


PLATEAU = ReduceOnPlateau(0.3, n_iter_no_change=1)
OVERFITTING: dict[str, Any] = {"normalize": False, "init_scale": 1.0, "learning_rate": 0.5}
VARIANTS: dict[str, dict[str, Any]] = {
    "parts": {"optimizer": {"linear": FTRL(l1=0.1), "factors": Adam(0.01)}},
    "parts, one without state": {"optimizer": {"linear": "sgd", "factors": "adagrad"}},
    "no linear part": {"linear": False},
    "schedule": {"learning_rate_schedule": Exponential(0.5), "optimizer": "sgd"},
    "plateau": {"learning_rate_schedule": PLATEAU, **OVERFITTING},
    "early stopping": {"early_stopping": True, "n_iter_no_change": 2, "epochs": 20, **OVERFITTING},
    "early stopping of float16": {
        "early_stopping": True, "n_iter_no_change": 3, "epochs": 20, "dtype": "float16",
        "batch_size": 7, **OVERFITTING,
    },
    "early stopping and plateau": {
        "early_stopping": True, "n_iter_no_change": 3, "epochs": 20,
        "learning_rate_schedule": PLATEAU, **OVERFITTING,
    },
    "early stopping at once": {"early_stopping": True, "n_iter_no_change": 1, "tol": 9},
    "negative sampling": {"negative_sampling": 0.4},
    "class weights": {"class_weight": "balanced", "label_smoothing": 0.1},
    "class weights by label": {"class_weight": {1: 3}, "negative_sampling": 0.7},
    "penalties": {"optimizer": AdaGrad(0.2, l1=0.01, clip_value=0.1, clip_norm=1.0)},
    "metrics": {"metric": ["auc", "calibration_ratio"]},
    "augmentation": {"augmentation": pyfm.Augmentation(feature_dropout=0.3, bootstrap=True)},
}  # fmt: skip


@pytest.mark.parametrize("validation", ["none", "one", "two"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_with_all_that_fits_are_told(
    variant: str, validation: str, rows: Dataset, tmp_path: Path
) -> None:
    train, valid, test = rows[:200], rows[200:250], rows[250:]
    sets = {"none": None, "one": valid, "two": {"a": valid, "b": test}}

    def make(**others: Any) -> Any:
        fixed = {"epochs": EPOCHS, "random_state": 3} | VARIANTS[variant] | others
        return pyfm.FMClassifier(**fixed)

    whole = assert_resumes(make, tmp_path, train, eval_set=sets[validation])
    if "early stopping" in variant:
        assert whole.best_epoch_ < whole.n_iter_ < 20


@pytest.mark.parametrize(
    "params", [{}, {"early_stopping": True, "negative_sampling": 0.5}], ids=str
)
def test_a_seed_that_was_drawn(params: dict[str, Any], rows: Dataset, tmp_path: Path) -> None:
    def make(**others: Any) -> Any:
        return pyfm.FFMClassifier(epochs=EPOCHS, **params, **others)

    assert_resumes(make, tmp_path, rows)
    state = np.random.RandomState(5)
    assert_resumes(lambda **others: make(random_state=state, **others), tmp_path, rows)


@pytest.mark.parametrize("kind", [pyfm.LinearRegressor, pyfm.FMRegressor, pyfm.FFMRegressor])
def test_matrices(kind: Any, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 5)).astype(np.float32), rng.normal(size=30)

    def make(**others: Any) -> Any:
        return kind(epochs=3, random_state=0, **others)

    assert_resumes(make, tmp_path, X, y, sample_weight=np.arange(30.0))
    assert_resumes(make, tmp_path, X, y, fields=[0, 0, 1, 1, 2], eval_set=(X, y))
    assert_resumes(make, tmp_path, rng.integers(0, 9, (30, 3)), y)


def test_tables_of_many_pieces(
    rows: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout, "_CHUNK_BYTES", 100)

    def make(**others: Any) -> Any:
        return pyfm.FFMClassifier(linear=True, optimizer="adam", random_state=0, epochs=3, **others)

    assert_resumes(make, tmp_path, rows)


@pytest.mark.parametrize("batch_size", [1, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_on_every_level(
    kind: Any, batch_size: int, rows: Dataset, tmp_path: Path, level: str
) -> None:
    def make(**others: Any) -> Any:
        return kind(epochs=2, random_state=0, batch_size=batch_size, **others)

    assert_resumes(make, tmp_path, rows)


def test_on_another_level(rows: Dataset, tmp_path: Path, level: str) -> None:
    """What is stored does not depend on it; the sums that follow may, in their last digits."""

    def make(epochs: int) -> Any:
        return pyfm.FFMClassifier(optimizer="adam", random_state=0, epochs=epochs)

    path = tmp_path / "checkpoint"
    before = make(2).fit(rows, callbacks=[checkpoint(path)])
    pyfm.set_simd("portable")
    resumed = make(2).fit(rows, resume_from=path)
    assert_same(resumed, before)


def test_several_threads_go_on_with_their_copies_of_frequent_rows(
    rows: Dataset, tmp_path: Path
) -> None:
    """Example by example they do not repeat their bits, but what they know of the rows is kept."""
    model = pyfm.FMClassifier(epochs=3, n_jobs=2, random_state=0)
    path = tmp_path / "checkpoint"
    model.fit(rows, callbacks=[checkpoint(path)])
    model.set_params(epochs=6)
    before = model._model.frequencies
    assert len(before) == len(model._model.features)
    model.fit(rows, resume_from=path)
    np.testing.assert_array_equal(model._model.frequencies, before)
    assert model.history_["epoch"] == [1, 2, 3, 4, 5, 6]
    assert model.history_["train_logloss"][-1] < model.history_["train_logloss"][2]


# --- callbacks ------------------------------------------------------------------------------------


def test_early_stopping_and_resets_as_callbacks(rows: Dataset, tmp_path: Path) -> None:
    train, valid = rows[:200], rows[200:]

    def make(**others: Any) -> Any:
        params = {"metric": ["auc", "logloss"], "random_state": 0, "epochs": 12, **OVERFITTING}
        return pyfm.FMClassifier(**(params | others))

    def callbacks() -> list[Any]:
        rates = [0.5 / (1 + epoch) for epoch in range(12)]
        reset = reset_parameter(learning_rate=rates, l2=lambda epoch: epoch * 1e-4)
        return [early_stopping(2, metric="logloss", data="b"), reset]

    sets = {"a": train, "b": valid}
    whole = assert_resumes(make, tmp_path, train, eval_set=sets, callbacks=callbacks)
    assert whole.best_epoch_ == whole.n_iter_ - 2


class Shrinking(Callback):
    """Its parameters are what it made of them before: those in force are in the checkpoint."""

    def before_epoch(self, env: CallbackEnv) -> Any:
        optimizer: Any = env.optimizer
        return replaced(optimizer, learning_rate=0.7 * optimizer.learning_rate, l2=optimizer.l2 + 1)


def test_parameters_in_force(rows: Dataset, tmp_path: Path) -> None:
    def make(**others: Any) -> Any:
        return pyfm.LinearClassifier(epochs=EPOCHS, optimizer="sgd", random_state=0, **others)

    whole = assert_resumes(make, tmp_path, rows, callbacks=lambda: [Shrinking()])
    assert whole.history_["learning_rate"] == pytest.approx([0.05 * 0.7**n for n in range(1, 5)])


class Seen(Callback):
    """Writes down its calls; remembers a sum."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def before_training(self, env: CallbackEnv) -> None:
        self.calls.append(("before_training", env.epoch, env.n_epochs))

    def replay(self, env: CallbackEnv) -> bool | None:
        self.calls.append(("replay", env.epoch, env.record["epoch"], env.evaluations[0].value))
        return env.epoch == 3

    def before_epoch(self, env: CallbackEnv) -> None:
        self.calls.append(("before_epoch", env.epoch))

    def after_epoch(self, env: CallbackEnv) -> bool | None:
        self.calls.append(("after_epoch", env.epoch))
        return None

    def after_training(self, env: CallbackEnv) -> None:
        self.calls.append(("after_training", env.epoch))


def test_what_callbacks_are_told(rows: Dataset, tmp_path: Path) -> None:
    def model(epochs: int) -> Any:
        return pyfm.LinearClassifier(epochs=epochs, random_state=0)

    path, seen, functions = tmp_path / "checkpoint", Seen(), []
    two = model(2).fit(rows, callbacks=[checkpoint(path)])
    model(4).fit(rows, callbacks=[seen, lambda e: functions.append(e.epoch)], resume_from=path)
    losses = two.history_["train_logloss"]
    assert seen.calls == [
        ("before_training", 1, 4),
        ("replay", 1, 1, losses[0]),
        ("replay", 2, 2, losses[1]),
        *[(hook, epoch) for epoch in (3, 4) for hook in ("before_epoch", "after_epoch")],
        ("after_training", 4),
    ]
    assert functions == [3, 4]
    model(3).fit(rows, callbacks=[checkpoint(path)])
    assert model(9).fit(rows, callbacks=[Seen()], resume_from=path).n_iter_ == 3


def test_the_library_s_callbacks_know_the_epochs_before(
    rows: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "checkpoint"
    history: dict[str, list[float]] = {}
    pyfm.LinearClassifier(epochs=2, random_state=0).fit(rows, callbacks=[checkpoint(path)])
    model = pyfm.LinearClassifier(epochs=4, random_state=0, verbose=2)
    callbacks = [pyfm.callbacks.record_evaluation(history), pyfm.callbacks.progress()]
    model.fit(rows, callbacks=callbacks, resume_from=path)
    assert history == model.history_
    out = capsys.readouterr()
    assert [line.split()[0] for line in out.out.splitlines()] == ["iter", "3", "4"]
    assert "epoch 4/4: 100%" in out.err


def test_an_interruption_keeps_the_epochs_of_the_checkpoint(rows: Dataset, tmp_path: Path) -> None:
    class Interrupted(Callback):
        def after_epoch(self, env: CallbackEnv) -> bool | None:
            raise KeyboardInterrupt

        def before_epoch(self, env: CallbackEnv) -> None:
            if env.epoch == 3:
                raise KeyboardInterrupt

    path = tmp_path / "checkpoint"
    two = pyfm.FMClassifier(epochs=2, random_state=0).fit(rows, callbacks=[checkpoint(path)])
    model = pyfm.FMClassifier(epochs=5, random_state=0)
    with pytest.raises(KeyboardInterrupt):
        model.fit(rows, callbacks=[Interrupted()], resume_from=path)
    assert_same(model, two)


# --- beside warm_start ----------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", list(OPTIMIZERS))
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_with_state_goes_on_exactly(
    kind: Any, optimizer: str, rows: Dataset, tmp_path: Path
) -> None:
    path = tmp_path / "model"
    model = kind(epochs=2, optimizer=optimizer, warm_start=True, random_state=0).fit(rows)
    model.save(path, optimizer_state=True)
    copy = pyfm.load(path)
    np.testing.assert_array_equal(copy.predict_proba(rows), model.predict_proba(rows))
    assert_same(copy.set_params(epochs=3).fit(rows), model.set_params(epochs=3).fit(rows))
    copy.save(path, optimizer_state=True)
    assert_same(pyfm.load(path).fit(rows), model.fit(rows))


def test_a_checkpoint_warms_a_start(rows: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    model = pyfm.FMClassifier(epochs=2, warm_start=True, random_state=0)
    model.fit(rows, callbacks=[checkpoint(path)])
    assert_same(pyfm.load(path).fit(rows), model.fit(rows))


def test_a_warm_fit_is_resumed(rows: Dataset, tmp_path: Path) -> None:
    """Its epochs count on, and `epochs` are its own."""

    def warm() -> Any:
        model = pyfm.FMClassifier(epochs=2, warm_start=True, random_state=0).fit(rows)
        return model.set_params(epochs=3, random_state=1)

    whole = warm().fit(rows, callbacks=[checkpoint(tmp_path / "{epoch}")])
    assert whole.history_["epoch"] == [3, 4, 5]
    for epoch in (3, 4, 5):
        resumed = pyfm.FMClassifier(epochs=3, warm_start=True, random_state=1)
        resumed.fit(rows, resume_from=tmp_path / str(epoch))
        assert_same(resumed, whole)
        assert_same(resumed.fit(rows), pyfm.load(tmp_path / "5").fit(rows))


def test_more_epochs_than_were_planned(rows: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    pyfm.FMClassifier(epochs=2, random_state=0).fit(rows, callbacks=[checkpoint(path)])
    whole = pyfm.FMClassifier(epochs=5, random_state=0).fit(rows)
    assert_same(pyfm.FMClassifier(epochs=5, random_state=0).fit(rows, resume_from=path), whole)


def test_state_that_is_of_no_use_is_not_saved(rows: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "model"
    model = pyfm.FMClassifier(early_stopping=True, n_iter_no_change=1, tol=9, random_state=0)
    model.fit(rows)
    with pytest.raises(ValueError, match="optimizer_state: expected False, since the model has no"):
        model.save(path, optimizer_state=True)
    assert not path.exists()
    model.save(path)
    with pytest.raises(ValueError, match="optimizer_state"):
        pyfm.load(path).save(path, optimizer_state=True)


@pytest.mark.parametrize(
    ("optimizer", "slots"), [("sgd", 0), ("adagrad", 1), ("ftrl", 2), ("adam", 3)]
)
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_sizes(optimizer: str, slots: int, dtype: str, rows: Dataset, tmp_path: Path) -> None:
    model = pyfm.FFMClassifier(
        epochs=1, n_factors=32, optimizer=optimizer, dtype=dtype, random_state=0
    ).fit(rows)
    for name, state in (("lean", False), ("whole", True)):
        model.save(tmp_path / name, optimizer_state=state)
    lean, whole = ((tmp_path / name).stat().st_size for name in ("lean", "whole"))
    table = model.factors_[model._model.features].size * np.dtype(dtype).itemsize
    assert slots * table <= whole - lean < slots * table + 2000
    assert pyfm.load(tmp_path / "whole")._model.nbytes == model._model.nbytes
    assert pyfm.load(tmp_path / "lean")._model.nbytes < model._model.nbytes or not slots


def test_the_best_weights_have_no_state_of_their_own(rows: Dataset, tmp_path: Path) -> None:
    params: dict[str, Any] = {"early_stopping": True, "n_iter_no_change": 2, "tol": 9}
    model = pyfm.FFMClassifier(n_factors=32, optimizer="adam", random_state=0, **params)
    model.fit(rows, callbacks=[checkpoint(tmp_path / "{epoch}")])
    first, second = ((tmp_path / name).stat().st_size for name in "12")
    table = 4 * model.factors_[model._model.features].size
    assert table <= second - first < table + 1000


# --- refusals -------------------------------------------------------------------------------------

MADE: dict[str, Any] = {"epochs": 3, "random_state": 0}
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "optimizer": (
        {"optimizer": "sgd"}, r"^optimizer: expected AdaGrad\(.*, as in '.*', found SGD\("
    ),
    "rate": ({"learning_rate": 0.2}, r"^optimizer: expected AdaGrad\(learning_rate=0\.1, "),
    "parts": (
        {"optimizer": {"linear": "sgd", "factors": "adagrad"}},
        r"^optimizer: expected AdaGrad.*found \{'linear': SGD",
    ),
    "seed": ({"random_state": 1}, r"^random_state: expected 0, as in '.*', found 1$"),
    "batches": ({"batch_size": 2}, r"^batch_size: expected 1, as in '.*', found 2$"),
    "full batch": ({"batch_size": "full"}, r"^batch_size: expected 1, as .*, found 'full'$"),
    "factors": ({"n_factors": 3}, r"^n_factors: expected 8, that .*, since resume_from='.*found 3"),
    "storage": ({"dtype": "float16"}, "^dtype: expected 'float32', that of the fitted model"),
    "no linear part": ({"linear": False}, "^linear: expected True"),
    "scale": ({"init_scale": 0.1}, r"^init_scale: expected 0\.3"),
    "sampling": ({"negative_sampling": 0.5}, r"^negative_sampling: expected 1\.0, as in"),
    "smoothing": ({"label_smoothing": 0.5}, r"^label_smoothing: expected 0\.0, as in"),
    "class weights": ({"class_weight": "balanced"}, "^class_weight: expected None, as in"),
    "schedule": (
        {"learning_rate_schedule": "step"}, r"^learning_rate_schedule: expected Constant\(\), as"
    ),
    "augmentation": (
        {"augmentation": pyfm.Augmentation(bootstrap=True)}, "^augmentation: expected None, as in"
    ),
    "metric": ({"metric": "auc"}, r"^metric: expected \('logloss',\), as in"),
    "early stopping": ({"early_stopping": True}, "^early_stopping: expected False, as in"),
    "fewer epochs": ({"epochs": 1}, r"^epochs: expected at least 2, those in '.*', found 1$"),
}  # fmt: skip


@pytest.fixture
def path(rows: Dataset, tmp_path: Path) -> Path:
    """Of an FMClassifier after its second epoch."""
    pyfm.FMClassifier(**(MADE | {"epochs": 2})).fit(
        rows, callbacks=[checkpoint(tmp_path / "checkpoint")]
    )
    return tmp_path / "checkpoint"


def refused(model: Any, message: str, *given: Any, error: Any = ValueError, **options: Any) -> None:
    """With nothing trained, and the estimator as it was."""
    epochs: list[int] = []
    before = dict(vars(model))
    options = {"callbacks": [lambda env: epochs.append(env.epoch)]} | options
    with pytest.raises(error, match=message):
        model.fit(*given, **options)
    assert epochs == []
    assert vars(model) == before


@pytest.mark.parametrize("what", REFUSED)
def test_another_fit(what: str, path: Path, rows: Dataset) -> None:
    changes, message = REFUSED[what]
    refused(pyfm.FMClassifier(**(MADE | changes)), message, rows, resume_from=path)


def test_another_class(path: Path, rows: Dataset) -> None:
    message = "^resume_from: expected a checkpoint of the class FFMClassifier, found '.*FMClassifi"
    refused(pyfm.FFMClassifier(**MADE), message, rows, resume_from=path)


def test_other_data(path: Path, rows: Dataset) -> None:
    model = pyfm.FMClassifier(**MADE)
    refused(model, "^X: expected 300 rows, as in '.*', found 299$", rows[:299], resume_from=path)
    ids = rows.core.features.reshape(-1, 4)
    y = rows.y
    larger = Dataset.from_ids(ids, y, n_features=rows.n_features + 1)
    refused(model, f"^X: expected {rows.n_features} features, as in", larger, resume_from=path)
    refused(model, "^X: expected 4 fields", Dataset.from_ids(
        ids[:, :3], y, n_features=rows.n_features), resume_from=path)  # fmt: skip
    absent = ids.astype(np.int64)
    absent[0, 0] = -1
    holes = Dataset.from_ids(absent, y, n_features=rows.n_features)
    refused(model, "^X: expected 1200 features in its rows.*1199", holes, resume_from=path)
    assert y is not None
    other = y.copy()
    other[7] = 1 - other[7]
    same_size = Dataset.from_ids(ids, other, n_features=rows.n_features)
    refused(model, "^X: expected the rows, targets and weights of", same_size, resume_from=path)
    refused(model, "^X: expected a Dataset, as .*'a matrix of ids with 4", ids, y, resume_from=path)
    eval_set = {"eval_set": {"a": rows}}
    refused(
        model, r"^eval_set: expected \['train_logloss'\], as", rows, resume_from=path, **eval_set
    )


@pytest.mark.parametrize("n_iter_no_change", [1, 3])
def test_another_early_stopping_by_callback(
    n_iter_no_change: int, rows: Dataset, tmp_path: Path
) -> None:
    """It would have ended earlier, or would go back to weights that the file does not hold."""
    path = tmp_path / "checkpoint"
    given: dict[str, Any] = {"eval_set": rows}
    bad_rates = reset_parameter(learning_rate=lambda epoch: 0.1 if epoch == 1 else 50)
    model = pyfm.LinearClassifier(**MADE, optimizer="sgd", metric="logloss")
    model.fit(rows, callbacks=[bad_rates, checkpoint(path)], **given)
    assert model.best_epoch_ < model.n_iter_
    again = pyfm.LinearClassifier(**(MADE | {"epochs": 5}), optimizer="sgd", metric="logloss")
    refused(
        again,
        "^callbacks: expected the early stopping of '.*', found 'another or none'",
        rows,
        resume_from=path,
        callbacks=[early_stopping(n_iter_no_change)],
        **given,
    )


def test_files_that_are_no_checkpoints(rows: Dataset, tmp_path: Path) -> None:
    path, message = tmp_path / "model", r"^resume_from: expected a file of pyfm\.callbacks\.checkpo"
    model = pyfm.FMClassifier(**MADE).fit(rows)
    for state in (False, True):
        model.save(path, optimizer_state=state)
        refused(pyfm.FMClassifier(**MADE), message, rows, resume_from=path)
    refused(model, "^resume_from: expected the path of a checkpoint", rows, resume_from=3)
    refused(model, "missing", rows, resume_from=tmp_path / "missing", error=FileNotFoundError)


def test_truncated_anywhere(path: Path, rows: Dataset) -> None:
    content = path.read_bytes()
    model = pyfm.FMClassifier(**MADE)
    for size in range(0, len(content), 97):
        path.write_bytes(content[:size])
        refused(model, "checkpoint: ", rows, resume_from=path, error=FormatError)


# --- killed ---------------------------------------------------------------------------------------

# Every epoch writes many pieces; `wait` makes room for a signal.
FIT = """
import sys, time, pyfm
from pyfm.model_file import layout, writer

layout._CHUNK_BYTES = 500
rows, _ = pyfm.datasets.make_ctr(400, n_fields=4, n_features=200, random_state=0)
model = pyfm.FMClassifier(
    epochs={epochs}, optimizer="adam", dtype="float16", early_stopping=True, n_iter_no_change=99,
    batch_size={batch_size}, n_jobs={n_jobs},
)

class During(pyfm.callbacks.Callback):
    order = 1  # after the checkpoint

    def before_epoch(self, env):
        print("epoch", env.epoch, flush=True)

    def after_rows(self, n_rows):
        time.sleep({pause})

write = writer._write
def slow_write(*arguments):
    time.sleep({pause})
    write(*arguments)
writer._write = slow_write

import os
resume = "checkpoint" if os.path.exists("checkpoint") else None
model.fit(rows, callbacks=[pyfm.callbacks.checkpoint("checkpoint"), During()], resume_from=resume)
model.save("model")
"""


EPOCHS_OF_FIT = 40  # more than the processes that are killed get through


def script(batch_size: int, n_jobs: int, pause: float) -> str:
    values = {"batch_size": batch_size, "n_jobs": n_jobs, "pause": pause, "epochs": EPOCHS_OF_FIT}
    text = FIT
    for name, value in values.items():
        text = text.replace("{" + name + "}", str(value))
    return text


def run(code: str, folder: Path, kill_after: float | None = None) -> int:
    """The exit code; the process is killed some seconds after its first checkpoint."""
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=folder, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        if kill_after is not None:
            for _ in range(2):  # the second epoch begins
                process.stdout.readline()
            time.sleep(kill_after)
            process.kill()
        process.stdout.read()
    return process.returncode


@pytest.mark.parametrize(("batch_size", "n_jobs"), [(1, 1), (16, 3)])
def test_killed_again_and_again(batch_size: int, n_jobs: int, tmp_path: Path) -> None:
    """At random moments, most of them in writes; each process goes on where the last one was, and
    the seed that the first one drew makes an uninterrupted fit out of its first checkpoint."""
    draw = random.Random(batch_size)
    code = script(batch_size, n_jobs, 0.002)
    first = tmp_path / "first"
    for _ in range(4):
        assert run(code, tmp_path, kill_after=draw.uniform(0, 0.25)) == -signal.SIGKILL
        assert load_checkpoint(tmp_path / "checkpoint")[1] is not None
        if not first.exists():
            first.write_bytes((tmp_path / "checkpoint").read_bytes())
    assert run(script(batch_size, n_jobs, 0), tmp_path) == 0
    model = pyfm.load(tmp_path / "model")
    alone = tmp_path / "alone"
    alone.mkdir()
    (alone / "checkpoint").write_bytes(first.read_bytes())
    assert run(script(batch_size, 1, 0), alone) == 0
    assert_same(pyfm.load(alone / "model"), model)
    assert model.n_iter_ == EPOCHS_OF_FIT


KILLED_IN_AN_EPOCH = """
import os, signal, pyfm
rows, _ = pyfm.datasets.make_ctr(2000, n_fields=4, n_features=200, random_state=0)
resume = "checkpoint" if os.path.exists("checkpoint") else None
model = pyfm.FFMClassifier(epochs=6, optimizer="ftrl", batch_size={batch_size}, random_state=0)

if resume is None and {die}:
    epoch_of = pyfm._core.Model.train_epoch

    def die_in_epoch(model, data, *, epoch, **options):
        if epoch == 3:  # half of its rows are learned
            epoch_of(model, data.slice(0, 1000), epoch=epoch, **options)
            os.kill(os.getpid(), signal.SIGKILL)
        return epoch_of(model, data, epoch=epoch, **options)

    pyfm._core.Model.train_epoch = die_in_epoch

model.fit(rows, callbacks=[pyfm.callbacks.checkpoint("checkpoint")], resume_from=resume)
model.save("model")
"""


@pytest.mark.parametrize("batch_size", ["1", "32", "'full'"])
def test_killed_in_an_epoch(batch_size: str, tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    whole.mkdir()
    code = KILLED_IN_AN_EPOCH.replace("{batch_size}", batch_size)
    assert run(code.replace("{die}", "False"), whole) == 0
    assert run(code.replace("{die}", "True"), tmp_path) == -signal.SIGKILL
    assert not (tmp_path / "model").exists()
    assert pyfm.load(tmp_path / "checkpoint").n_iter_ == 3
    assert run(code.replace("{die}", "True"), tmp_path) == 0
    assert_same(pyfm.load(tmp_path / "model"), pyfm.load(whole / "model"))


@pytest.mark.parametrize("at", [1, 4, 9])
def test_a_full_disk_leaves_the_checkpoint_before(
    at: int, rows: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, pieces = tmp_path / "checkpoint", 0
    write = writer._write

    def full_disk(*given: Any) -> None:
        nonlocal pieces
        pieces += 1
        if pieces > 10 and (pieces - 1) % 10 + 1 >= at:
            raise OSError(28, "No space left on device")
        write(*given)

    def make() -> Any:
        return pyfm.FMClassifier(epochs=5, optimizer="adam", random_state=0)

    monkeypatch.setattr(writer, "_write", full_disk)
    with pytest.raises(OSError, match="No space left on device"):
        make().fit(rows, callbacks=[checkpoint(path)])
    monkeypatch.undo()
    assert [file.name for file in tmp_path.iterdir()] == ["checkpoint"]
    assert_same(make().fit(rows, resume_from=path), make().fit(rows))
