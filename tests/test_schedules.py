"""Learning-rate schedules: their values, and that the steps follow them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pyfm
from pyfm.callbacks import CallbackEnv, reset_parameter
from pyfm.cli.options import ScheduleName
from pyfm.optim import FTRL, SGD, AdaGrad, Optimizer
from pyfm.schedules import (
    SCHEDULES,
    Constant,
    EpochSchedule,
    Exponential,
    InverseScaling,
    ReduceOnPlateau,
    Schedule,
    Step,
    resolve,
)

X = np.arange(12).reshape(6, 2)
Y = np.array([0.5, -1.0, 0.0, 2.0, 1.0, -0.5])

GAMMAS = st.floats(0.01, 0.99)
BY_EPOCH = (
    st.builds(InverseScaling, st.floats(0.1, 2))
    | st.builds(Exponential, GAMMAS)
    | st.builds(Step, st.integers(1, 9), GAMMAS)
    | st.just(Constant())
)


def fitted(schedule: Any, **params: Any) -> Any:
    defaults: dict[str, Any] = {"epochs": 5, "random_state": 0, "optimizer": SGD(0.2)}
    model = pyfm.LinearRegressor(learning_rate_schedule=schedule, **(defaults | params))
    return model.fit(X, Y)


@given(BY_EPOCH, st.integers(1, 100))
def test_rates_begin_at_the_optimizers_own_and_never_rise(
    schedule: EpochSchedule, epoch: int
) -> None:
    assert schedule.factor(1) == 1
    assert 0 <= schedule.factor(epoch + 1) <= schedule.factor(epoch) <= 1


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("constant", [0.2] * 5),
        ("invscaling", [0.2 / t**0.5 for t in range(1, 6)]),
        ("exponential", [0.2 * 0.9 ** (t - 1) for t in range(1, 6)]),
        ("step", [0.2] * 5),
        (InverseScaling(1), [0.2, 0.1, 0.2 / 3, 0.05, 0.04]),
        (Exponential(gamma=0.5), [0.2, 0.1, 0.05, 0.025, 0.0125]),
        (Step(step_size=2, gamma=0.1), [0.2, 0.2, 0.02, 0.02, 0.002]),
    ],
    ids=str,
)
def test_rates_are_recorded_and_the_steps_follow(schedule: Any, expected: list[float]) -> None:
    model = fitted(schedule)
    assert model.history_["learning_rate"] == pytest.approx(expected, rel=1e-12)
    reset = reset_parameter(learning_rate=model.history_["learning_rate"])
    same = pyfm.LinearRegressor(epochs=5, random_state=0, optimizer=SGD(0.2))
    np.testing.assert_array_equal(model.coef_, same.fit(X, Y, callbacks=[reset]).coef_)
    constant = np.array_equal(model.coef_, fitted("constant").coef_)
    assert constant == (set(expected) == {0.2})


def test_each_part_follows_with_the_rate_of_its_own_optimizer() -> None:
    rows = pyfm.datasets.make_ctr(300, n_fields=3, n_features=30, random_state=0)[0]
    parts = {"linear": SGD(0.4), "factors": AdaGrad(0.2)}
    model = pyfm.FMClassifier(
        optimizer=parts, learning_rate_schedule=Exponential(0.5), epochs=3, random_state=0
    ).fit(rows)
    rates = {part: model.history_[f"learning_rate_{part}"] for part in parts}
    assert rates == {"linear": [0.4, 0.2, 0.1], "factors": [0.2, 0.1, 0.05]}
    assert "learning_rate" not in model.history_
    halved = model.set_params(learning_rate_schedule="constant").fit(
        rows, callbacks=[reset_parameter(learning_rate=[0.4, 0.2, 0.1])]
    )
    assert halved.history_["learning_rate_factors"] == [0.4, 0.2, 0.1]
    same = pyfm.FMClassifier(
        optimizer={"linear": SGD(0.4), "factors": AdaGrad(0.4)},
        learning_rate_schedule=Exponential(0.5), epochs=3, random_state=0,
    ).fit(rows)  # fmt: skip
    np.testing.assert_array_equal(halved.factors_, same.factors_)


def test_a_part_whose_rate_is_fixed_refuses_schedules_and_other_parameters() -> None:
    parts = {"linear": FTRL(), "factors": AdaGrad()}
    rows = pyfm.datasets.make_ctr(100, n_fields=3, n_features=30, random_state=0)[0]
    model = pyfm.FMClassifier(optimizer=parts, learning_rate_schedule="exponential")
    with pytest.raises(ValueError, match=r"learning_rate_schedule: expected 'constant' .*'ftrl'"):
        model.fit(rows)
    model.set_params(learning_rate_schedule="constant")
    with pytest.raises(ValueError, match=r"expected parameters of FTRL among .*'learning_rate'"):
        model.fit(rows, callbacks=[reset_parameter(learning_rate=lambda epoch: 0.1)])


@pytest.mark.parametrize("kind", [pyfm.LinearClassifier, pyfm.FMClassifier, pyfm.FFMClassifier])
def test_all_parts_of_all_models_follow(kind: Any) -> None:
    """With a rate of almost 0 from the second epoch on, the model stays that of the first."""
    rows, _ = pyfm.datasets.make_ctr(500, n_fields=4, n_features=50, random_state=0)
    linear = {} if kind is pyfm.LinearClassifier else {"linear": True}
    schedule = Step(step_size=1, gamma=1e-25)
    model = kind(epochs=3, learning_rate_schedule=schedule, random_state=0, **linear).fit(rows)
    first = kind(epochs=1, random_state=0, **linear).fit(rows)
    for name in ("coef_", "intercept_", "factors_"):
        if hasattr(first, name):
            np.testing.assert_array_equal(getattr(model, name), getattr(first, name))
    third = kind(epochs=3, random_state=0, **linear).fit(rows)
    assert (third.coef_ != first.coef_).any()


def test_rates_stay_within_what_the_core_takes() -> None:
    model = fitted(Exponential(0.01), epochs=30)
    assert model.history_["learning_rate"][-1] == 1e-30


def test_invscaling_converges_where_a_constant_rate_does_not() -> None:
    """One weight, targets 0 and 1: SGD jumps around the mean unless its steps shrink."""
    X, y = np.zeros((200, 1), int), np.array([0.0, 1.0] * 100)

    def distance(schedule: Any) -> float:
        model = pyfm.LinearRegressor(
            optimizer=SGD(0.4), learning_rate_schedule=schedule, epochs=200, random_state=0
        ).fit(X, y)
        return abs(float(model.predict([[0]])[0]) - 0.5)

    assert distance(InverseScaling(1)) < 0.01 < distance("constant")


# --- plateau --------------------------------------------------------------------------------------


def reductions(goodness: list[float], schedule: ReduceOnPlateau) -> list[float]:
    """The factor of each epoch, from the validation values, turned so that more is better."""
    factors, factor, best, waited = [], 1.0, -np.inf, 0
    for value in goodness:
        factors.append(factor)
        if value > best + schedule.tol:
            best, waited = value, 0
        else:
            waited += 1
        if waited == schedule.n_iter_no_change:
            factor, waited = factor * schedule.gamma, 0
    return factors


@pytest.mark.parametrize("metric", ["logloss", "auc", "calibration_ratio"])
@pytest.mark.parametrize(
    "schedule", [ReduceOnPlateau(), ReduceOnPlateau(0.1, 1), ReduceOnPlateau(tol=1e-3)], ids=str
)
def test_plateaus_of_validation(schedule: ReduceOnPlateau, metric: str) -> None:
    rows, _ = pyfm.datasets.make_ctr(3000, n_fields=6, n_features=1000, random_state=0)
    model = pyfm.FMClassifier(
        optimizer=AdaGrad(0.3),
        learning_rate_schedule=schedule,
        normalize=False,
        init_scale=1,
        epochs=12,
        metric=metric,
        random_state=0,
    ).fit(rows[:2000], eval_set=rows[2000:])
    values = np.array(model.history_[f"valid_{metric}"])
    goodness = {"auc": values, "calibration_ratio": -abs(values - 1)}.get(metric, -values)
    factors = reductions(goodness.tolist(), schedule)
    assert factors[-1] < 1
    np.testing.assert_allclose(model.history_["learning_rate"], 0.3 * np.array(factors))


def test_plateaus_of_the_training_loss_without_validation() -> None:
    model = fitted(ReduceOnPlateau(tol=10, n_iter_no_change=1), epochs=4)
    assert model.history_["learning_rate"] == [0.2, 0.2, 0.1, 0.05]


# --- parameters -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        (Exponential, {"gamma": 0}, r"Exponential\.gamma: expected a number between 0 and 1"),
        (Exponential, {"gamma": 1}, r"Exponential\.gamma: expected a number between 0 and 1"),
        (Step, {"gamma": "x"}, r"Step\.gamma: expected a number between 0 and 1"),
        (Step, {"step_size": 0}, r"Step\.step_size: expected an integer >= 1"),
        (InverseScaling, {"power_t": 0}, r"InverseScaling\.power_t: expected a finite number > 0"),
        (ReduceOnPlateau, {"n_iter_no_change": 0}, r"n_iter_no_change: expected an integer >= 1"),
        (ReduceOnPlateau, {"tol": -1}, r"ReduceOnPlateau\.tol: expected a finite number >= 0"),
    ],
)
def test_bad_values_are_named(kind: Any, values: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        kind(**values)


def test_the_shell_knows_them_all() -> None:
    assert [name.value for name in ScheduleName] == list(SCHEDULES)


@pytest.mark.parametrize("name", SCHEDULES)
def test_names_stand_for_defaults(name: str) -> None:
    assert resolve(name) == SCHEDULES[name]()
    assert hash(resolve(name)) == hash(SCHEDULES[name]())


def test_ftrl_takes_none() -> None:
    with pytest.raises(ValueError, match="learning_rate_schedule: expected 'constant' for the opt"):
        fitted("exponential", optimizer="ftrl")
    assert fitted("constant", optimizer="ftrl").history_["learning_rate"] == [0.1] * 5


def test_two_that_set_the_rate() -> None:
    model = pyfm.LinearRegressor(learning_rate_schedule="step")
    with pytest.raises(ValueError, match=r"callbacks: expected no reset_parameter\(learning_rate"):
        model.fit(X, Y, callbacks=[reset_parameter(learning_rate=lambda epoch: 0.1)])
    rates: list[float] = []

    def note(env: CallbackEnv) -> None:
        assert isinstance(env.optimizer, Optimizer)
        rates.append(env.optimizer.learning_rate)

    both = [reset_parameter(l2=lambda epoch: 0.1 * epoch), note]
    model.set_params(learning_rate_schedule=Exponential(0.5), optimizer=SGD(0.2), epochs=3)
    model.fit(X, Y, callbacks=both)
    assert rates == model.history_["learning_rate"] == [0.2, 0.1, 0.05]


@pytest.mark.parametrize("schedule", ["step", Step(2, 0.5), Constant(), ReduceOnPlateau(0.3)])
def test_model_files_keep_the_schedule(schedule: str | Schedule, tmp_path: Path) -> None:
    model = fitted(schedule)
    model.save(tmp_path / "model")
    assert pyfm.load(tmp_path / "model").learning_rate_schedule == schedule


def test_what_a_model_file_does_not_hold(tmp_path: Path) -> None:
    model = fitted("step").set_params(learning_rate_schedule=print)
    with pytest.raises(ValueError, match="the model cannot be saved"):
        model.save(tmp_path / "model")
