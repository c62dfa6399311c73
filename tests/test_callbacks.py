"""Callbacks: their order, what they see, and what is refused."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spying import Event, Spy, X, Y, fitted, overfitting, raised

import pyfm
from pyfm import callbacks
from pyfm.callbacks import Callback, CallbackEnv
from pyfm.optim import SGD, Optimizer

# --- stopping, recording, showing -----------------------------------------------------------------


@pytest.fixture(scope="module")
def rows() -> pyfm.Dataset:
    return pyfm.datasets.make_ctr(3000, n_fields=6, n_features=1000, random_state=0)[0]


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
