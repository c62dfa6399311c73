"""The training loop: reproducible, recorded, stopped early, interrupted."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import pyfm
from pyfm import Dataset
from pyfm.training import Training

KINDS = [pyfm.LinearClassifier, pyfm.FMClassifier, pyfm.FFMClassifier]
each_classifier = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(scope="module")
def rows() -> Dataset:
    return pyfm.datasets.make_ctr(6000, n_fields=8, n_features=2000, random_state=0)[0]


@pytest.fixture
def train(rows: Dataset) -> Dataset:
    return rows[:5000]


@pytest.fixture
def valid(rows: Dataset) -> Dataset:
    return rows[5000:]


# Overfits: validation is best after a few of the epochs.
def overfitting(**params: Any) -> Any:
    defaults = {"normalize": False, "init_scale": 1, "epochs": 12, "random_state": 0}
    return pyfm.FMClassifier(**(defaults | params))


def times_left_out(history: dict[str, list[float]]) -> dict[str, list[float]]:
    return {name: column for name, column in history.items() if "second" not in name}


@each_classifier
def test_a_seed_gives_the_same_bits(kind: Any, train: Dataset, valid: Dataset) -> None:
    a, b = (kind(epochs=3, random_state=5).fit(train, eval_set=valid) for _ in range(2))
    assert times_left_out(a.history_) == times_left_out(b.history_)
    np.testing.assert_array_equal(a.decision_function(valid), b.decision_function(valid))
    other = kind(epochs=3, random_state=6).fit(train)
    assert (other.decision_function(valid) != a.decision_function(valid)).any()


def test_no_seed_is_another_seed_each_time(train: Dataset) -> None:
    a, b = (pyfm.FMClassifier(epochs=1).fit(train).factors_ for _ in range(2))
    assert (a != b).any()


def test_a_random_state_moves_on(train: Dataset) -> None:
    state = np.random.RandomState(0)
    model = pyfm.FMClassifier(epochs=1, random_state=state)
    first = model.fit(train).factors_.copy()
    assert (model.fit(train).factors_ != first).any()


@each_classifier
def test_two_threads_learn_as_well(kind: Any, train: Dataset, valid: Dataset) -> None:
    losses = [
        kind(epochs=3, n_jobs=n_jobs, random_state=0).fit(train, eval_set=valid).history_
        for n_jobs in (1, 2, -1)
    ]
    final = [history["valid_logloss"][-1] for history in losses]
    assert final == pytest.approx([final[0]] * 3, abs=0.02)


@each_classifier
@pytest.mark.parametrize("batch_size", [64, "full"])
def test_batches_are_the_same_on_any_number_of_threads(
    kind: Any, batch_size: Any, train: Dataset
) -> None:
    models = [
        kind(epochs=2, batch_size=batch_size, n_jobs=n_jobs, random_state=0).fit(train)
        for n_jobs in (1, 2, 5)
    ]
    losses = [model.history_["train_logloss"] for model in models]
    assert losses[0] == losses[1] == losses[2]
    assert losses[0][1] < losses[0][0]
    expected = models[0].decision_function(train)
    for model in models[1:]:
        np.testing.assert_array_equal(model.decision_function(train), expected)


@each_classifier
def test_a_batch_of_more_rows_than_there_are_is_a_full_one(kind: Any, train: Dataset) -> None:
    sizes = ("full", len(train), 2**70)
    losses = [
        kind(epochs=2, batch_size=size, random_state=0).fit(train).history_["train_logloss"]
        for size in sizes
    ]
    assert losses[0] == losses[1] == losses[2]


# --- history --------------------------------------------------------------------------------------


def test_history_without_validation(train: Dataset) -> None:
    model = pyfm.FMClassifier(epochs=4, random_state=0).fit(train)
    assert list(model.history_) == [
        "epoch", "learning_rate", "train_logloss", "seconds", "rows_per_second"
    ]  # fmt: skip
    assert model.history_["epoch"] == [1, 2, 3, 4]
    assert model.n_iter_ == model.best_epoch_ == 4
    losses = model.history_["train_logloss"]
    assert losses == sorted(losses, reverse=True)
    assert min(model.history_["seconds"]) > 0


def test_history_with_validation(train: Dataset, valid: Dataset) -> None:
    model = pyfm.FMClassifier(epochs=4, metric="auc", random_state=0).fit(train, eval_set=valid)
    assert {"valid_logloss", "valid_auc", "valid_seconds"} < set(model.history_)
    assert {len(column) for column in model.history_.values()} == {4}
    p = model.predict_proba(valid)[:, 1]
    assert valid.y is not None
    assert model.history_["valid_logloss"][-1] == pyfm.metrics.logloss(valid.y, p)
    assert model.history_["valid_auc"][-1] == pyfm.metrics.auc(valid.y, p)
    assert model.best_epoch_ == 1 + int(np.argmax(model.history_["valid_auc"]))


@pytest.mark.parametrize("metric", pyfm.FMClassifier._metrics)
def test_every_metric_of_classes_is_recorded(metric: str, train: Dataset, valid: Dataset) -> None:
    model = pyfm.FMClassifier(epochs=2, metric=metric, random_state=0).fit(train, eval_set=valid)
    assert valid.y is not None
    expected = getattr(pyfm.metrics, metric)(valid.y, model.predict_proba(valid)[:, 1])
    assert model.history_[f"valid_{metric}"][-1] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("metric", pyfm.FMRegressor._metrics)
def test_every_metric_of_numbers_is_recorded(metric: str, train: Dataset, valid: Dataset) -> None:
    model = pyfm.FMRegressor(epochs=2, metric=metric, random_state=0).fit(train, eval_set=valid)
    assert valid.y is not None
    expected = getattr(pyfm.metrics, metric)(valid.y, model.predict(valid))
    assert model.history_[f"valid_{metric}"][-1] == pytest.approx(expected, rel=1e-12)


def test_validation_does_not_change_the_model(train: Dataset, valid: Dataset) -> None:
    a = pyfm.FFMClassifier(epochs=2, random_state=0).fit(train)
    b = pyfm.FFMClassifier(epochs=2, random_state=0).fit(train, eval_set=valid)
    np.testing.assert_array_equal(a.factors_, b.factors_)


def test_weights_of_the_validation_rows(train: Dataset, valid: Dataset) -> None:
    weight = np.random.default_rng(0).integers(0, 3, len(valid)).astype(float)
    model = pyfm.LinearClassifier(epochs=1, random_state=0)
    model.fit(train, eval_set=valid.with_targets(valid.y, weight))
    assert valid.y is not None
    expected = pyfm.metrics.logloss(valid.y, model.predict_proba(valid)[:, 1], sample_weight=weight)
    assert model.history_["valid_logloss"] == [expected]


def test_rmse_is_the_root_of_the_mean_square() -> None:
    """Without a feature, and a rate that leaves the bias where it is: predictions of 0."""
    y = np.array([3.0, 4.0])
    data = Dataset.from_arrays([0, 0, 0], np.array([], np.uint32), y=y, n_features=1)
    model = pyfm.LinearRegressor(epochs=1, optimizer="sgd", learning_rate=1e-12)
    model.fit(data, eval_set=data)
    expected = np.sqrt((y**2).mean())
    assert model.history_["train_rmse"] == pytest.approx([expected], rel=1e-6)
    assert model.history_["valid_rmse"] == pytest.approx([expected], rel=1e-6)


# --- early stopping -------------------------------------------------------------------------------


def test_early_stopping_restores_the_best_epoch(train: Dataset, valid: Dataset) -> None:
    stopped = overfitting(early_stopping=True, n_iter_no_change=2).fit(train, eval_set=valid)
    losses = stopped.history_["valid_logloss"]
    best = stopped.best_epoch_
    assert best == 1 + int(np.argmin(losses))
    assert stopped.n_iter_ == best + 2 < 12
    short = overfitting(epochs=best).fit(train)
    np.testing.assert_array_equal(stopped.decision_function(valid), short.decision_function(valid))
    np.testing.assert_array_equal(stopped.factors_, short.factors_)
    assert valid.y is not None
    loss = pyfm.metrics.logloss(valid.y, stopped.predict_proba(valid)[:, 1])
    assert loss == losses[best - 1]


def test_small_improvements_do_not_count(train: Dataset, valid: Dataset) -> None:
    model = pyfm.LinearClassifier(early_stopping=True, tol=10, random_state=0)
    model.fit(train, eval_set=valid)
    assert (model.best_epoch_, model.n_iter_) == (1, 4)


def test_early_stopping_sets_rows_apart(train: Dataset) -> None:
    a, b = (overfitting(early_stopping=True).fit(train) for _ in range(2))
    assert times_left_out(a.history_) == times_left_out(b.history_)
    assert a.n_iter_ < 12
    rows_per_epoch = np.multiply(a.history_["seconds"], a.history_["rows_per_second"])
    assert train.y is not None
    clicks = train.y.sum()
    expected = 5000 - round(0.1 * clicks) - round(0.1 * (5000 - clicks))
    np.testing.assert_allclose(rows_per_epoch, expected, rtol=1e-9)


def test_each_class_is_set_apart() -> None:
    y = [1] * 2 + [0] * 98
    model = pyfm.LinearClassifier(early_stopping=True, metric="auc", random_state=0)
    assert "valid_auc" in model.fit(np.arange(100)[:, None], y).history_


def test_too_few_rows_to_set_apart() -> None:
    model = pyfm.LinearClassifier(early_stopping=True)
    with pytest.raises(ValueError, match="early_stopping: expected at least 2 rows of each class"):
        model.fit([[0], [1], [2]], [0, 0, 1])


# --- interruption ---------------------------------------------------------------------------------

LONG_FIT = """
import signal, sys, pyfm
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in shells' background jobs
rows, _ = pyfm.datasets.make_ctr(60_000, n_fields=30, n_features=20_000, random_state=0)
model = pyfm.FFMClassifier(epochs=100_000, n_factors=8, random_state=0, verbose=2, n_jobs={n_jobs})
try:
    model.fit(rows)
except KeyboardInterrupt:
    pass
else:
    sys.exit("not interrupted")
same = pyfm.FFMClassifier(epochs=model.n_iter_, n_factors=8, random_state=0).fit(rows)
equal = (same.decision_function(rows) == model.decision_function(rows)).all()
print("finished", model.n_iter_, model.best_epoch_, len(model.history_["seconds"]), equal)
"""


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_ctrl_c_keeps_the_last_finished_epoch(n_jobs: int) -> None:
    with subprocess.Popen(
        [sys.executable, "-u", "-c", LONG_FIT.format(n_jobs=n_jobs)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        while not process.stdout.readline().startswith("   1"):  # the line of epoch 1
            assert process.poll() is None, process.stderr.read()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    word, n_iter, best, entries, equal = out.splitlines()[-1].split()
    assert word == "finished"
    assert int(n_iter) == int(best) == int(entries) >= 1
    if n_jobs == 1:
        assert equal == "True"


class InterruptAt:
    """Stands for Ctrl-C in the middle of an epoch."""

    def __init__(self, epoch: int) -> None:
        self._epoch = epoch
        self._train_epoch = Training._pass

    def __call__(self, training: Training, epoch: int) -> dict[str, float]:
        record = self._train_epoch(training, epoch)
        if epoch == self._epoch:
            raise KeyboardInterrupt
        return record


def test_interrupted_after_two_epochs(train: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    model = overfitting()
    with monkeypatch.context() as patched:
        interrupt = InterruptAt(3)
        patched.setattr(Training, "_pass", lambda *args: interrupt(*args))
        with pytest.raises(KeyboardInterrupt):
            model.fit(train)
    assert model.n_iter_ == 2
    np.testing.assert_array_equal(model.factors_, overfitting(epochs=2).fit(train).factors_)


def test_interrupted_in_the_first_epoch(train: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    model = overfitting()
    interrupt = InterruptAt(1)
    monkeypatch.setattr(Training, "_pass", lambda *args: interrupt(*args))
    with pytest.raises(KeyboardInterrupt):
        model.fit(train)
    assert not hasattr(model, "history_")


def test_early_stopping_interrupted(
    train: Dataset, valid: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    params = {"early_stopping": True, "n_iter_no_change": 5}
    best = overfitting(**params).fit(train, eval_set=valid).best_epoch_
    model = overfitting(**params)
    with monkeypatch.context() as patched:
        interrupt = InterruptAt(best + 2)
        patched.setattr(Training, "_pass", lambda *args: interrupt(*args))
        with pytest.raises(KeyboardInterrupt):
            model.fit(train, eval_set=valid)
    assert (model.best_epoch_, model.n_iter_) == (best, best + 1)
    np.testing.assert_array_equal(model.factors_, overfitting(epochs=best).fit(train).factors_)


def test_a_failed_fit_leaves_the_earlier_one(train: Dataset) -> None:
    model = pyfm.LinearClassifier(random_state=0).fit(train)
    before = model.decision_function(train)
    with pytest.raises(ValueError, match="epochs"):
        model.set_params(epochs=0).fit(train)
    np.testing.assert_array_equal(model.decision_function(train), before)


# --- what is shown --------------------------------------------------------------------------------


def test_silent(train: Dataset, capfd: pytest.CaptureFixture[str]) -> None:
    pyfm.FMClassifier(epochs=2).fit(train)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("verbose", [1, True])
def test_bar(
    verbose: int, train: Dataset, valid: Dataset, capfd: pytest.CaptureFixture[str]
) -> None:
    model = pyfm.FMClassifier(epochs=3, verbose=verbose).fit(train, eval_set=valid)
    out, err = capfd.readouterr()
    assert out == ""
    assert "epoch 3/3" in err
    assert "100%" in err
    assert f"valid_logloss={model.history_['valid_logloss'][-1]:.5f}" in err
    assert "rows/s" in err


def test_table(train: Dataset, valid: Dataset, capfd: pytest.CaptureFixture[str]) -> None:
    model = pyfm.FMClassifier(epochs=3, verbose=2).fit(train, eval_set=valid)
    out, err = capfd.readouterr()
    assert err == ""
    heads, *lines = out.splitlines()
    assert heads.split() == ["iter", "tr_logloss", "va_logloss", "tr_time"]
    assert [line.split()[0] for line in lines] == ["1", "2", "3"]
    assert lines[-1].split()[2] == f"{model.history_['valid_logloss'][-1]:.5f}"
