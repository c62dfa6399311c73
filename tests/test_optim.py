"""Optimizers: immutable, checked when they are made, and one with what the core lists."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest

from pyfm import _core
from pyfm.optim import FTRL, OPTIMIZERS, SGD, AdaGrad, Optimizer, resolve

KINDS = (SGD, AdaGrad, FTRL)
PARAMETERS = [(kind, field.name) for kind in KINDS for field in dataclasses.fields(kind)]


def test_they_are_those_of_the_core() -> None:
    known = _core.catalog()["optimizers"]
    assert {name: sorted(kind().core()[1]) for name, kind in OPTIMIZERS.items()} == {
        name: sorted(parameters) for name, parameters in known.items()
    }


@pytest.mark.parametrize("kind", KINDS)
def test_they_are_values(kind: type[Optimizer]) -> None:
    assert kind() == kind()
    assert hash(kind()) == hash(kind())
    with pytest.raises(dataclasses.FrozenInstanceError):
        kind().learning_rate = 1.0  # type: ignore[misc]


@pytest.mark.parametrize(("kind", "name"), PARAMETERS)
@pytest.mark.parametrize("value", [-1, math.nan, math.inf, "0.1", True, None])
def test_bad_values_are_named(kind: type[Optimizer], name: str, value: Any) -> None:
    with pytest.raises(
        ValueError, match=rf"{kind.__name__}\.{name}: expected a finite number"
    ) as e:
        kind(**{name: value})
    assert repr(value) in str(e.value)


@pytest.mark.parametrize(("kind", "name"), PARAMETERS)
def test_zero_where_it_makes_sense(kind: type[Optimizer], name: str) -> None:
    if name in ("l1", "l2"):
        assert getattr(kind(**{name: 0}), name) == 0
    else:
        with pytest.raises(ValueError, match=f"{name}: expected a finite number > 0"):
            kind(**{name: 0})


@pytest.mark.parametrize("value", [1e-31, 1e31])
def test_values_that_float32_hardly_holds(value: float) -> None:
    with pytest.raises(ValueError, match=r"learning_rate: expected a number between 1e-30 and 1e"):
        SGD(learning_rate=value)
    with pytest.raises(ValueError, match=r"^learning_rate: expected a number between"):
        resolve("sgd", learning_rate=value)


def test_names_stand_for_defaults() -> None:
    for name, kind in OPTIMIZERS.items():
        assert resolve(name, learning_rate=None, l1=None, l2=None) == kind()
    assert resolve("ftrl", learning_rate=0.5, l1=1.0, l2=0) == FTRL(0.5, l1=1.0, l2=0)


def test_an_object_has_its_own_parameters() -> None:
    assert resolve(SGD(0.5), learning_rate=None) == SGD(0.5)
    with pytest.raises(ValueError, match=r"l2=0\.1 .* set it on the object, SGD\(l2=0\.1"):
        resolve(SGD(), learning_rate=None, l2=0.1)


def test_l1_needs_an_optimizer_that_has_it() -> None:
    with pytest.raises(ValueError, match="'adagrad' has no l1; use optimizer='ftrl'"):
        resolve("adagrad", l1=0.1)


@pytest.mark.parametrize("optimizer", ["adam", 3, None, SGD])
def test_unknown_optimizers(optimizer: Any) -> None:
    with pytest.raises(ValueError, match="optimizer: expected one of 'sgd', 'adagrad', 'ftrl'"):
        resolve(optimizer)
