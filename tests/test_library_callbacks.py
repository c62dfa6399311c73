"""The library's own callbacks: stopping, recording, showing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from spying import Spy, X, Y, fitted, overfitting, raised

import pyfm
from pyfm import callbacks


@pytest.fixture(scope="module")
def rows() -> pyfm.Dataset:
    return pyfm.datasets.make_ctr(3000, n_fields=6, n_features=1000, random_state=0)[0]


METRICS = ["logloss", "auc", "accuracy", "calibration_ratio"]


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("data", [None, "b"])
def test_early_stopping_by_any_evaluation(
    metric: str, data: str | None, rows: pyfm.Dataset
) -> None:
    stop = callbacks.early_stopping(2, metric=metric, data=data)
    sets = {"a": rows[2000:2400], "b": rows[2400:]}
    model = overfitting(metric=METRICS, epochs=30)
    model.fit(rows[:2000], eval_set=sets, callbacks=[stop])
    values = np.array(model.history_[f"{data or 'a'}_{metric}"])
    goodness = {"logloss": -values, "calibration_ratio": -abs(values - 1)}.get(metric, values)
    best = int(np.argmax(goodness))
    assert (model.best_epoch_, model.n_iter_) == (best + 1, best + 3)
    short = overfitting(epochs=best + 1).fit(rows[:2000])
    np.testing.assert_array_equal(model.factors_, short.factors_)


def test_the_parameter_is_short_for_the_callback(rows: pyfm.Dataset) -> None:
    train, valid = rows[:2000], rows[2000:]
    a = overfitting(early_stopping=True, n_iter_no_change=2, tol=1e-3, metric="auc")
    b = overfitting(metric="auc")
    a.fit(train, eval_set=valid)
    b.fit(train, eval_set=valid, callbacks=[callbacks.early_stopping(2, tol=1e-3)])
    assert a.history_["valid_auc"] == b.history_["valid_auc"]
    np.testing.assert_array_equal(a.factors_, b.factors_)


def test_the_callback_sets_rows_apart(rows: pyfm.Dataset) -> None:
    model = overfitting().fit(rows, callbacks=[callbacks.early_stopping()])
    assert "valid_logloss" in model.history_


def test_an_exception_after_the_best_epoch_brings_it_back(rows: pyfm.Dataset) -> None:
    train, valid = rows[:2000], rows[2000:]
    best = overfitting(early_stopping=True).fit(train, eval_set=valid).best_epoch_
    model = overfitting(early_stopping=True)
    spy = Spy(0, 0, [], ("after_epoch", best + 1), raised)
    with pytest.raises(RuntimeError, match="enough"):
        model.fit(train, eval_set=valid, callbacks=[spy])
    assert (model.best_epoch_, model.n_iter_) == (best, best + 1)
    np.testing.assert_array_equal(model.factors_, overfitting(epochs=best).fit(train).factors_)


def test_an_exception_in_the_first_epoch_of_early_stopping(rows: pyfm.Dataset) -> None:
    """Its copy is taken before other callbacks are called."""
    model = overfitting(early_stopping=True)
    spy = Spy(0, -99, [], ("after_epoch", 1), raised)
    with pytest.raises(RuntimeError, match="enough"):
        model.fit(rows[:2000], eval_set=rows[2000:], callbacks=[spy])
    assert (model.best_epoch_, model.n_iter_) == (1, 1)


def test_the_history_can_be_followed(rows: pyfm.Dataset) -> None:
    history: dict[str, Any] = {"stale": [1]}
    lengths: list[int] = []
    record = callbacks.record_evaluation(history)
    model = overfitting(epochs=4)
    model.fit(rows, callbacks=[record, lambda env: lengths.append(len(history["epoch"]))])
    assert history == model.history_
    assert lengths == [1, 2, 3, 4]


def test_log_evaluation_prints_what_verbose_prints(capsys: pytest.CaptureFixture[str]) -> None:
    model = pyfm.LinearRegressor(epochs=4, random_state=0)
    model.fit(X, Y, eval_set={"a": (X, Y), "long_name_of_a_set": (X, Y)}, callbacks=[
        callbacks.log_evaluation(2)
    ])  # fmt: skip
    heads, *lines = capsys.readouterr().out.splitlines()
    assert heads.split() == ["iter", "tr_rmse", "a_rmse", "long_name_of_a_set_rmse", "tr_time"]
    assert [line.split()[0] for line in lines] == ["2", "4"]
    assert {len(line) for line in lines} == {len(heads)}
    assert lines[1].split()[2] == f"{model.history_['a_rmse'][-1]:.5f}"
    fitted([callbacks.log_evaluation()])
    printed = capsys.readouterr().out
    fitted(verbose=2)
    shown = [
        [line.split()[:2] for line in t.splitlines()] for t in (printed, capsys.readouterr()[0])
    ]
    assert shown[0] == shown[1]


def test_progress_shows_a_bar_and_closes_it(capfd: pytest.CaptureFixture[str]) -> None:
    fitted([callbacks.progress()], epochs=3)
    assert "epoch 3/3" in capfd.readouterr().err
    with pytest.raises(RuntimeError, match="enough"):
        fitted([callbacks.progress(), Spy(0, 0, [], ("after_epoch", 2), raised)])
    assert capfd.readouterr().err.endswith("\n")


def test_callbacks_serve_several_fits(tmp_path: Path, rows: pyfm.Dataset) -> None:
    history: dict[str, Any] = {}
    given = [
        callbacks.early_stopping(2),
        callbacks.record_evaluation(history),
        callbacks.reset_parameter(learning_rate=lambda epoch: 0.2 / epoch),
        callbacks.checkpoint(tmp_path / "model"),
    ]
    train, valid = rows[:2000], rows[2000:]
    a, b = (overfitting().fit(train, eval_set=valid, callbacks=given) for _ in range(2))
    np.testing.assert_array_equal(a.factors_, b.factors_)
    assert history == b.history_
    assert a.n_iter_ == b.n_iter_
