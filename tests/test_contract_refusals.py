"""What a model refuses, and the words in which it does."""

from __future__ import annotations

from typing import Any

import contract
import numpy as np
import pytest
from contract import Case, Data, make_data, train

from pyfm import _core

SGD = ("sgd", {"learning_rate": 0.1, "l2": 0.0})


def model(**changes: Any) -> _core.Model:
    arguments: dict[str, Any] = {
        "kind": "ffm",
        "loss": "logistic",
        "n_features": 9,
        "n_fields": 3,
        "n_factors": 4,
        "linear": True,
        "normalize": False,
        "init_scale": 1.0,
        "seed": 0,
        "linear_optimizer": SGD,
        "factor_optimizer": SGD,
    }
    return _core.Model(**{**arguments, **changes})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "fwfm"}, "kind: expected 'linear', 'fm' or 'ffm', found fwfm"),
        ({"loss": "hinge"}, "loss: expected one of 'logistic', 'squared', found 'hinge'"),
        ({"n_features": 0}, "n_features: expected an integer in [1, 4294967296], found 0"),
        ({"n_features": 2**32 + 1}, "n_features: expected an integer in"),
        ({"n_fields": 2**16 + 1}, "n_fields: expected an integer in [1, 65536], found 65537"),
        ({"n_factors": 0}, "n_factors: expected an integer in [1, 1024], found 0"),
        ({"init_scale": np.nan}, "init_scale: expected a finite number >= 0, found nan"),
        ({"factor_optimizer": ("adam", {})}, "optimizer: expected one of 'sgd',"),
        (
            {"factor_optimizer": ("sgd", {"learning_rate": 0.0, "l2": 0.0})},
            "sgd.learning_rate: expected a finite number > 0, found 0",
        ),
        (
            {"factor_optimizer": ("sgd", {"learning_rate": 0.1, "l2": -1.0})},
            "sgd.l2: expected a finite number >= 0, found -1",
        ),
        (
            {"factor_optimizer": ("sgd", {"learning_rate": 1e-40, "l2": 0.0})},
            "sgd.learning_rate: expected a number between 1e-30 and 1e30, found 1e-40",
        ),
        (
            {"factor_optimizer": ("sgd", {"learning_rate": 0.1})},
            "sgd.l2: expected a number, found nothing",
        ),
        (
            {"factor_optimizer": ("sgd", {"learning_rate": 0.1, "l2": 0.0, "beta": 1.0})},
            "sgd: expected parameters learning_rate l2, found beta",
        ),
        ({"linear_optimizer": None}, "linear_optimizer: expected an optimizer for every part"),
    ],
)
def test_bad_models(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011 the message is compared below
        model(**changes)
    assert message in str(error.value)


def test_a_model_beyond_memory_is_refused_before_it_is_made() -> None:
    message = r"4294967296 features x 65536 fields x 1024 factors needs .* GB .* are available"
    with pytest.raises(MemoryError, match=message):
        model(n_features=2**32, n_fields=2**16, n_factors=1024)


def test_targets_outside_the_domain_of_the_loss() -> None:
    data = make_data(["plain"] * 3, 3)
    wrong = Data(data.rows, [0.0, 1.0, 2.0], None, 9, 3).core()
    with pytest.raises(ValueError, match=r"y\[2\]: the logistic loss expects \{0, 1\}, found 2"):
        train(model(), wrong)
    train(model(loss="squared"), wrong)


def test_rows_without_targets_train_nothing() -> None:
    rows = make_data(["plain"] * 3, 3).core().with_targets(None, None)
    with pytest.raises(ValueError, match="expected targets y, found none"):
        train(model(), rows)
    assert len(contract.scores(model(), rows)) == 3


def test_training_rows_that_do_not_fit_the_model() -> None:
    with pytest.raises(ValueError, match="expected at most 9 features, found 15"):
        train(model(n_fields=5), make_data(["plain"], 5).core())
    with pytest.raises(ValueError, match="expected at most 3 fields, found 5"):
        train(model(n_features=15), make_data(["plain"], 5).core())
    train(model(kind="fm", n_features=15), make_data(["plain"], 5).core())  # it has no fields


@pytest.mark.parametrize("kind", contract.MODELS)
def test_no_rows(kind: str) -> None:
    nothing = make_data([], 3).core()
    core = Case(kind).core()
    assert train(core, nothing) == 0
    assert contract.scores(core, nothing).shape == (0,)
