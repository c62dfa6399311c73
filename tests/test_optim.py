"""Optimizers: immutable, checked when they are made, and one with what the core lists."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest

import pyfm
from pyfm import _core
from pyfm.optim import FTRL, OPTIMIZERS, SGD, AdaGrad, Adam, Optimizer, resolve, resolve_parts

KINDS = tuple(OPTIMIZERS.values())
PARAMETERS = [(kind, field.name) for kind in KINDS for field in dataclasses.fields(kind)]
LIMITS = ("clip_value", "clip_norm")
MAY_BE_ZERO = ("l1", "l2", "weight_decay", "momentum", "rho", "beta1", "beta2")
NAMES = "'sgd', 'momentum', 'nesterov', 'adagrad', 'rmsprop', 'adam', 'ftrl'"


def test_they_are_those_of_the_core() -> None:
    known = _core.catalog()["optimizers"]
    assert list(known) == [*OPTIMIZERS, "ftrl_l1"]
    for name, kind in OPTIMIZERS.items():
        with_l1 = "ftrl_l1" if name == "ftrl" else name
        assert sorted(field.name for field in dataclasses.fields(kind)) == sorted(known[with_l1])
    assert {*known["ftrl"], "l1"} == {*known["ftrl_l1"]}


def test_the_core_takes_what_they_say() -> None:
    assert FTRL(0.5).core() == ("ftrl", {"learning_rate": 0.5, "beta": 1.0, "l2": 0.0})
    assert FTRL(0.5, l1=2).core()[0] == "ftrl_l1"
    assert FTRL(0.5, l1=2).core()[1] == FTRL(0.5, l1=2).parameters()
    assert SGD(0.5).core() == ("sgd", {"learning_rate": 0.5, "l1": 0.0, "l2": 0.0})
    assert SGD(clip_norm=2).core()[1]["clip_norm"] == 2.0


@pytest.mark.parametrize("kind", KINDS)
def test_they_are_values(kind: type[Optimizer]) -> None:
    assert kind() == kind()
    assert hash(kind()) == hash(kind())
    with pytest.raises(dataclasses.FrozenInstanceError):
        kind().learning_rate = 1.0  # type: ignore[misc]


@pytest.mark.parametrize(("kind", "name"), PARAMETERS)
@pytest.mark.parametrize("value", [-1, math.nan, math.inf, "0.1", True, None])
def test_bad_values_are_named(kind: type[Optimizer], name: str, value: Any) -> None:
    if value is None and name in LIMITS:
        return  # no limit
    with pytest.raises(
        ValueError, match=rf"{kind.__name__}\.{name}: expected a finite number"
    ) as e:
        kind(**{name: value})
    assert repr(value) in str(e.value)


@pytest.mark.parametrize(("kind", "name"), PARAMETERS)
def test_zero_where_it_makes_sense(kind: type[Optimizer], name: str) -> None:
    if name in MAY_BE_ZERO:
        assert getattr(kind(**{name: 0}), name) == 0
    else:
        with pytest.raises(ValueError, match=f"{name}: expected a finite number > 0"):
            kind(**{name: 0})


@pytest.mark.parametrize(
    ("kind", "name"), [p for p in PARAMETERS if p[1] in ("momentum", "rho", "beta1", "beta2")]
)
@pytest.mark.parametrize("value", [1, 1.5, 1 - 1e-8])
def test_averages_that_never_forget(kind: type[Optimizer], name: str, value: float) -> None:
    with pytest.raises(ValueError, match=rf"{name}: expected a number in \[0, 0.999999\], found"):
        kind(**{name: value})


@pytest.mark.parametrize("value", [1e-31, 1e31])
def test_values_that_float32_hardly_holds(value: float) -> None:
    with pytest.raises(ValueError, match=r"learning_rate: expected a number between 1e-30 and 1e"):
        SGD(learning_rate=value)
    with pytest.raises(ValueError, match=r"^learning_rate: expected a number between"):
        resolve("sgd", learning_rate=value)


def test_names_stand_for_defaults() -> None:
    for name, kind in OPTIMIZERS.items():
        assert resolve(name, learning_rate=None, l1=None, l2=None) == kind()
        found: Any = resolve(name, learning_rate=0.5, l1=1.0, l2=0)
        assert (found.learning_rate, found.l1, found.l2) == (0.5, 1.0, 0)


def test_an_object_has_its_own_parameters() -> None:
    assert resolve(SGD(0.5), learning_rate=None) == SGD(0.5)
    with pytest.raises(ValueError, match=r"l2=0\.1 .* set it on the object, SGD\(l2=0\.1"):
        resolve(SGD(), learning_rate=None, l2=0.1)


@pytest.mark.parametrize("optimizer", ["lion", 3, None, SGD])
def test_unknown_optimizers(optimizer: Any) -> None:
    with pytest.raises(ValueError, match=f"optimizer: expected one of {NAMES}"):
        resolve(optimizer)


# --- an optimizer for each part -------------------------------------------------------------------

PARTS = ("linear", "factors")


def test_one_for_all_or_one_for_each() -> None:
    assert resolve_parts("adam", PARTS) == {"linear": Adam(), "factors": Adam()}
    assert resolve_parts(Adam(0.1), PARTS[:1]) == {"linear": Adam(0.1)}
    found = resolve_parts({"linear": FTRL(l1=1.0), "factors": "sgd"}, PARTS)
    assert found == {"linear": FTRL(l1=1.0), "factors": SGD()}
    found = resolve_parts({"linear": "sgd", "factors": "adam"}, PARTS, learning_rate=0.25)
    assert found == {"linear": SGD(0.25), "factors": Adam(0.25)}


@pytest.mark.parametrize(
    ("optimizer", "message"),
    [
        ({"linear": "sgd"}, "optimizer: expected one for each part that this model has, "),
        ({"linear": "sgd", "factors": "sgd", "deep": "sgd"}, "{'linear': …, 'factors': …}, found"),
        ({}, "optimizer: expected one for each part"),
        ({"linear": "sgd", "factors": "lion"}, "optimizer['factors']: expected one of 'sgd', "),
        ({"linear": None, "factors": "sgd"}, "optimizer['linear']: expected one of 'sgd', "),
    ],
)
def test_wrong_parts(optimizer: Any, message: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011 the message is compared below
        resolve_parts(optimizer, PARTS)
    assert message in str(error.value)


def test_the_parts_of_an_estimator_follow_their_own_optimizers() -> None:
    rng = np.random.default_rng(0)
    rows, y = rng.integers(0, 5, (50, 3)) + [0, 5, 10], rng.integers(0, 2, 50)

    def fitted(optimizer: Any) -> pyfm.FMClassifier:
        return pyfm.FMClassifier(optimizer=optimizer, epochs=1, random_state=0).fit(rows, y)

    sparse = fitted({"linear": FTRL(l1=100.0), "factors": AdaGrad(0.1)})
    assert np.all(sparse.coef_ == 0)
    assert np.all(sparse.factors_ != 0)
    still = fitted({"linear": SGD(0.1), "factors": SGD(1e-30)})
    assert np.all(still.coef_ != 0)
    unmoved = fitted({"linear": FTRL(), "factors": SGD(1e-30)})
    np.testing.assert_array_equal(still.factors_, unmoved.factors_)
