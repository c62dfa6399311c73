"""Callbacks that change parameters of the optimizers."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import pyfm
from pyfm import callbacks
from pyfm.callbacks import Callback, CallbackEnv
from pyfm.optim import FTRL, SGD, AdaGrad, Adam, Optimizer


def fitted(callback: Sequence[Any] = (), **params: Any) -> Any:
    X, y = np.arange(12).reshape(6, 2), np.array([0.5, -1.0, 0.0, 2.0, 1.0, -0.5])
    defaults: dict[str, Any] = {"epochs": 3, "random_state": 0, "optimizer": "sgd"}
    return pyfm.LinearRegressor(**(defaults | params)).fit(X, y, callbacks=list(callback))


class Change(Callback):
    def __init__(self, change: Callable[[Any], Any]) -> None:
        self._change = change

    def before_epoch(self, env: CallbackEnv) -> Optimizer | None:
        changed: Optimizer | None = self._change(env.optimizer)
        return changed


def test_changes_add_up_and_are_seen_by_later_callbacks() -> None:
    seen: list[Optimizer] = []
    halve = Change(lambda o: dataclasses.replace(o, learning_rate=o.learning_rate / 2))
    look = Change(seen.append)
    model = fitted([halve, look], optimizer=SGD(1.0, l2=0.5))
    assert seen == [SGD(0.5, l2=0.5), SGD(0.25, l2=0.5), SGD(0.125, l2=0.5)]
    assert model.history_["learning_rate"] == [0.5, 0.25, 0.125]
    assert model.optimizer == SGD(1.0, l2=0.5)


@pytest.mark.parametrize("other", [SGD(), {"linear": SGD()}, {"linear": SGD(), "deep": SGD()}])
def test_parts_with_optimizers_of_their_own_take_a_mapping(other: Any) -> None:
    rows = pyfm.datasets.make_ctr(100, n_fields=3, n_features=30, random_state=0)[0]
    model = pyfm.FMClassifier(epochs=2, optimizer={"linear": SGD(), "factors": AdaGrad()})
    changed = {"linear": SGD(0.01), "factors": AdaGrad(0.3)}
    model.fit(rows, callbacks=[Change(lambda _: changed)])
    assert model.history_["learning_rate_linear"] == [0.01, 0.01]
    expected = "before_epoch: expected None, or a mapping with optimizers of linear and factors"
    with pytest.raises(ValueError, match=expected):
        model.fit(rows, callbacks=[Change(lambda _: other)])


@pytest.mark.parametrize(
    ("optimizer", "other"),
    [
        (SGD(), AdaGrad()),
        (SGD(), 0.1),
        (AdaGrad(), AdaGrad(initial_accumulator=2)),
        (FTRL(), FTRL(learning_rate=0.2)),
        (FTRL(), FTRL(l1=0.1)),
        (FTRL(l1=0.1), FTRL()),
        (Adam(), Adam(beta1=0.5)),
        (SGD(), {"linear": SGD()}),
    ],
)
def test_another_optimizer_is_refused(optimizer: Any, other: Any) -> None:
    with pytest.raises(ValueError, match=r"before_epoch: expected None, or the .* unchanged"):
        fitted([Change(lambda _: other)], optimizer=optimizer)


def test_reset_parameter_by_function_and_by_list() -> None:
    rates, l2 = [0.1, 0.05, 0.01], [0.0, 0.1, 0.2]
    seen: list[Any] = []
    by_function = callbacks.reset_parameter(
        learning_rate=lambda epoch: rates[epoch - 1], l2=lambda epoch: l2[epoch - 1]
    )
    by_list = callbacks.reset_parameter(learning_rate=np.array(rates), l2=l2)
    a = fitted([Change(lambda o: seen.append(o)), by_function])
    b = fitted([by_list])
    assert seen == [SGD(rate, l2=penalty) for rate, penalty in zip(rates, l2, strict=True)]
    assert a.history_["learning_rate"] == b.history_["learning_rate"] == rates
    np.testing.assert_array_equal(a.coef_, b.coef_)
    assert (a.coef_ != fitted().coef_).any()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"momentum": [1, 2, 3]}, r"reset_parameter: expected parameters of SGD among \['learning"),
        ({"learning_rate": [0.1, 0.2]}, "learning_rate: expected a value for each of 3 epochs"),
        ({"learning_rate": [0.1, 0.2, -1]}, r"SGD\.learning_rate: expected a finite number > 0"),
        ({"learning_rate": lambda epoch: "fast"}, r"SGD\.learning_rate: .* found 'fast'"),
    ],
)
def test_reset_parameter_refuses(values: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fitted([callbacks.reset_parameter(**values)])


@pytest.mark.parametrize(("optimizer", "name"), [("ftrl", "beta"), ("adagrad", "beta")])
def test_reset_parameter_says_what_may_change(optimizer: str, name: str) -> None:
    with pytest.raises(ValueError, match=f"expected parameters of .* among .*l2.*'{name}'"):
        fitted([callbacks.reset_parameter(**{name: [1.0] * 3})], optimizer=optimizer)
