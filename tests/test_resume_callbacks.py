"""What callbacks know of the epochs that a resumed fit skips."""

from __future__ import annotations

from dataclasses import replace as replaced
from pathlib import Path
from typing import Any

import pytest
from resuming import EPOCHS, OVERFITTING, assert_resumes, assert_same

import pyfm
from pyfm import Dataset
from pyfm.callbacks import Callback, CallbackEnv, checkpoint, early_stopping, reset_parameter


@pytest.fixture(scope="module")
def rows() -> Dataset:
    return pyfm.datasets.make_ctr(300, n_fields=4, n_features=60, random_state=0)[0]


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
