"""Callbacks: when they are called, what they see, and what their exceptions leave behind."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pyfm
from pyfm import callbacks
from pyfm.callbacks import Callback, CallbackEnv
from pyfm.optim import SGD, Optimizer

X = np.arange(12).reshape(6, 2)
Y = np.array([0.5, -1.0, 0.0, 2.0, 1.0, -0.5])

Event = tuple[Any, ...]


class Spy(Callback):
    """Writes down every call; at one of them it does something else, too."""

    def __init__(
        self, name: Any, order: Any, events: list[Event], at: Event = (), do: Any = None
    ) -> None:
        self.name, self.order, self._events, self._at, self._do = name, order, events, at, do

    def _seen(self, *event: Any) -> Any:
        self._events.append((*event, self.name))
        return self._do() if event == self._at else None

    def before_training(self, env: CallbackEnv) -> None:
        self._seen("before_training")

    def before_epoch(self, env: CallbackEnv) -> Optimizer | None:
        answer: Optimizer | None = self._seen("before_epoch", env.epoch)
        return answer

    def after_epoch(self, env: CallbackEnv) -> bool | None:
        answer: bool | None = self._seen("after_epoch", env.epoch)
        return answer

    def after_training(self, env: CallbackEnv) -> None:
        self._seen("after_training")


def fitted(callback: Sequence[Any] = (), **params: Any) -> Any:
    defaults: dict[str, Any] = {"epochs": 3, "random_state": 0, "optimizer": "sgd"}
    return pyfm.LinearRegressor(**(defaults | params)).fit(X, Y, callbacks=list(callback))


def calls(names: Sequence[int], epochs: int) -> list[Event]:
    """What callbacks of these names, in their order, are to see."""
    events: list[Event] = [("before_training", name) for name in names]
    for epoch in range(1, epochs + 1):
        events += [(hook, epoch, n) for hook in ("before_epoch", "after_epoch") for n in names]
    return events + [("after_training", name) for name in names]


# --- order ----------------------------------------------------------------------------------------

ORDERS = st.lists(st.integers(-20, 20), min_size=1, max_size=6)


@settings(max_examples=60, deadline=None)
@given(ORDERS, st.integers(1, 4))
def test_callbacks_are_called_by_order_and_then_as_listed(orders: list[int], epochs: int) -> None:
    events: list[Event] = []
    fitted([Spy(i, order, events) for i, order in enumerate(orders)], epochs=epochs)
    names = [i for _, i in sorted(zip(orders, range(len(orders)), strict=True))]
    assert events == calls(names, epochs)


@settings(max_examples=60, deadline=None)
@given(ORDERS, st.data())
def test_one_that_returns_true_ends_the_training_when_all_are_through(
    orders: list[int], data: Any
) -> None:
    events: list[Event] = []
    last, who = data.draw(st.integers(1, 4)), data.draw(st.integers(0, len(orders) - 1))
    spies = [Spy(i, order, events) for i, order in enumerate(orders)]
    spies[who] = Spy(who, orders[who], events, ("after_epoch", last), lambda: True)
    model = fitted(spies, epochs=4)
    names = [i for _, i in sorted(zip(orders, range(len(orders)), strict=True))]
    assert events == calls(names, last)
    assert model.n_iter_ == last
    np.testing.assert_array_equal(model.coef_, fitted(epochs=last).coef_)


def raised() -> None:
    raise RuntimeError("enough")


HOOKS = [("before_training",), ("after_training",)] + [
    (hook, epoch) for hook in ("before_epoch", "after_epoch") for epoch in (1, 2, 3)
]


@settings(max_examples=100, deadline=None)
@given(ORDERS, st.sampled_from(HOOKS), st.data(), st.booleans())
def test_exceptions_leave_the_last_finished_epoch(
    orders: list[int], at: Event, data: Any, fitted_before: bool
) -> None:
    events: list[Event] = []
    who = data.draw(st.integers(0, len(orders) - 1))
    spies = [Spy(i, order, events) for i, order in enumerate(orders)]
    spies[who] = Spy(who, orders[who], events, at, raised)
    model = pyfm.LinearRegressor(epochs=3, random_state=0, optimizer="sgd")
    if fitted_before:
        model.fit(X, Y + 1)
    earlier = deepcopy(model)
    with pytest.raises(RuntimeError, match="enough"):
        model.fit(X, Y, callbacks=spies)

    finished = {"before_training": 0, "after_training": 3}.get(at[0])
    if finished is None:
        finished = at[1] - (at[0] == "before_epoch")
    if finished:
        assert model.n_iter_ == model.best_epoch_ == len(model.history_["epoch"]) == finished
        np.testing.assert_array_equal(model.coef_, fitted(epochs=finished).coef_)
    elif fitted_before:
        np.testing.assert_array_equal(model.coef_, earlier.coef_)
        assert model.history_ == earlier.history_
    else:
        assert not hasattr(model, "history_")
    # Those that were started, and did not fail in it, are ended, whatever the others do.
    names = [i for _, i in sorted(zip(orders, range(len(orders)), strict=True))]
    started = names[: names.index(who)] if at == ("before_training",) else names
    assert [name for hook, *_, name in events if hook == "after_training"] == started


def test_functions_have_their_place_by_an_attribute() -> None:
    seen: list[str] = []

    def late(env: CallbackEnv) -> None:
        seen.append("late")

    def early(env: CallbackEnv) -> None:
        seen.append("early")

    late.order = 1  # type: ignore[attr-defined]
    fitted([late, early], epochs=1)
    assert seen == ["early", "late"]


# --- what they see --------------------------------------------------------------------------------


def test_the_env_is_that_of_the_moment() -> None:
    seen: list[CallbackEnv] = []

    class Keeper(Callback):
        def before_training(self, env: CallbackEnv) -> None:
            seen.append(env)

        def before_epoch(self, env: CallbackEnv) -> Optimizer | None:
            seen.append(env)
            return None

        def after_epoch(self, env: CallbackEnv) -> bool | None:
            seen.append(env)
            return None

        def after_training(self, env: CallbackEnv) -> None:
            seen.append(env)

    model = pyfm.LinearRegressor(epochs=2, optimizer=SGD(0.01))
    model.fit(X, Y, eval_set={"a": (X, Y), "b": (X, Y + 1)}, callbacks=[Keeper()])
    assert [env.epoch for env in seen] == [1, 1, 1, 2, 2, 2]
    assert {(env.n_epochs, env.n_rows, env.optimizer) for env in seen} == {(2, 6, SGD(0.01))}
    records = [dict(env.record) for env in seen]
    entries = [{name: c[i] for name, c in model.history_.items()} for i in (0, 1)]
    assert records == [{}, {}, entries[0], entries[0], entries[1], entries[1]]
    for env, record in zip(seen, records, strict=True):
        columns = [evaluation.column for evaluation in env.evaluations]
        assert columns == ["train_rmse", "a_rmse", "b_rmse"]
        for evaluation in env.evaluations:
            if record:
                assert evaluation.value == -evaluation.goodness == record[evaluation.column]
            else:
                assert math.isnan(evaluation.value)


def test_the_env_is_immutable() -> None:
    def meddle(env: Any) -> None:
        with pytest.raises(dataclasses.FrozenInstanceError):
            env.epoch = 7
        with pytest.raises(TypeError):
            env.record["train_rmse"] = 0.0
        with pytest.raises(dataclasses.FrozenInstanceError):
            env.evaluations[0].value = 0.0
        env.model.history_["train_rmse"][:] = [0.0]
        env.model.set_params(epochs=100)

    model = fitted([meddle])
    assert model.n_iter_ == 3
    assert min(model.history_["train_rmse"]) > 0


def test_the_model_of_the_env_is_that_of_the_epoch() -> None:
    models: list[Any] = []

    class Keeper(Callback):
        def before_epoch(self, env: CallbackEnv) -> Optimizer | None:
            assert hasattr(env.model, "history_") == (env.epoch > 1)
            return None

        def after_epoch(self, env: CallbackEnv) -> bool | None:
            models.append(deepcopy(env.model))
            return None

    model = fitted([Keeper()])
    for epoch, kept in enumerate(models, start=1):
        assert kept.n_iter_ == epoch
        assert kept.history_ == {name: c[:epoch] for name, c in model.history_.items()}
        np.testing.assert_array_equal(kept.predict(X), fitted(epochs=epoch).predict(X))


def test_rows_are_counted_within_an_epoch() -> None:
    counts: list[int] = []

    class Counter(Callback):
        def after_rows(self, n_rows: int) -> None:
            counts.append(n_rows)

    rows, _ = pyfm.datasets.make_ctr(40_000, n_fields=30, n_features=20_000, random_state=0)
    pyfm.FFMClassifier(n_factors=64, epochs=1).fit(rows, callbacks=[Counter()])
    assert counts
    assert counts == sorted(counts)
    assert 0 < counts[0] <= counts[-1] <= 40_000


@pytest.mark.parametrize(
    ("metric", "value", "goodness"),
    [("logloss", 0.25, -0.25), ("auc", 0.75, 0.75), ("r2", -2.0, -2.0)]
    + [("calibration_ratio", ratio, -0.25) for ratio in (0.75, 1.25)],
)
def test_more_goodness_is_better(metric: str, value: float, goodness: float) -> None:
    assert callbacks.Evaluation("valid", metric, value).goodness == goodness
    assert math.isnan(callbacks.Evaluation("valid", metric).goodness)


# --- stopping, recording, showing -----------------------------------------------------------------


@pytest.fixture(scope="module")
def rows() -> pyfm.Dataset:
    return pyfm.datasets.make_ctr(3000, n_fields=6, n_features=1000, random_state=0)[0]


def overfitting(**params: Any) -> Any:
    defaults = {"normalize": False, "init_scale": 1, "epochs": 12, "random_state": 0}
    return pyfm.FMClassifier(**(defaults | params))


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


# --- wrong arguments ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: callbacks.early_stopping(0), "n_iter_no_change: expected an integer >= 1"),
        (lambda: callbacks.early_stopping(tol=-1), "tol: expected a finite number >= 0"),
        (lambda: callbacks.early_stopping(metric=1), "metric: expected a name or None, found 1"),  # type: ignore[arg-type]
        (lambda: callbacks.early_stopping(data=1), "data: expected a name or None, found 1"),  # type: ignore[arg-type]
        (lambda: callbacks.log_evaluation(0), "period: expected an integer >= 1, found 0"),
        (lambda: callbacks.checkpoint("x", 1.5), "period: expected an integer >= 1"),  # type: ignore[arg-type]
        (lambda: callbacks.checkpoint(3), "path: expected a path, found 3"),  # type: ignore[arg-type]
        (lambda: callbacks.record_evaluation([]), "history: expected a dict"),  # type: ignore[arg-type]
        (lambda: callbacks.reset_parameter(), "expected at least one parameter"),
        (lambda: callbacks.reset_parameter(l2=3), "l2: expected a function of the epoch or a v"),  # type: ignore[arg-type]
        (lambda: callbacks.reset_parameter(l2="3"), "l2: expected a function of the epoch"),  # type: ignore[arg-type]
    ],
)
def test_wrong_arguments_are_named(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (3, "callbacks: expected a list of callbacks, found 3"),
        (Callback(), "callbacks: expected a list of callbacks"),
        ([None], r"callbacks\[0\]: expected an object from pyfm.callbacks or a function"),
        ([print, float], r"callbacks\[1\]: expected an object from pyfm.callbacks or a function"),
        ([Callback], r"callbacks\[0\]: expected a call, Callback\(…\)"),
        ([Spy(0, None, [])], r"callbacks\[0\].order: expected an integer, found None"),
        ([callbacks.progress], r"callbacks\[0\]: expected a call, progress\(…\)"),
        ([callbacks.early_stopping(metric="auc")], r"early_stopping\.metric: .*, found 'auc"),
        ([callbacks.early_stopping(data="test")], r"early_stopping\.data: .* 'valid', found"),
        ([callbacks.early_stopping()] * 2, "callbacks: expected early stopping once"),
    ],
)  # fmt: skip
def test_wrong_callbacks_are_named(given: Any, message: str, rows: pyfm.Dataset) -> None:
    model = pyfm.LinearClassifier()
    with pytest.raises(ValueError, match=message):
        model.fit(rows, callbacks=given)
    assert not hasattr(model, "history_")


def test_early_stopping_twice(rows: pyfm.Dataset) -> None:
    with pytest.raises(ValueError, match="early stopping once, by a parameter or a callback"):
        overfitting(early_stopping=True).fit(rows, callbacks=[callbacks.early_stopping()])


@pytest.mark.parametrize("answer", [1, "stop", 0.0, []])
def test_answers_that_are_no_answer(answer: Any) -> None:
    with pytest.raises(TypeError, match=r"expected None, True or False from after_epoch, found"):
        fitted([lambda env: answer])


def test_numpy_answers() -> None:
    assert fitted([lambda env: env.epoch >= np.int64(2)]).n_iter_ == 2
    assert fitted([lambda env: np.bool_(True)]).n_iter_ == 1
