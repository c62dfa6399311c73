"""What a model refuses, and the words in which it does."""

from __future__ import annotations

from typing import Any

import contract
import numpy as np
import pytest
from contract import Case, Data, make_data, train

from pyfm import _core

SGD = ("sgd", {"learning_rate": 0.1, "l1": 0.0, "l2": 0.0})


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
        "dtype": "float32",
        "seed": 0,
        "linear_optimizer": SGD,
        "factor_optimizer": SGD,
    }
    return _core.Model(**{**arguments, **changes})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"kind": "fwfm"},
            "kind: expected 'linear', 'fm', 'ffm', 'deepfm' or 'wide_deep', found fwfm",
        ),
        ({"loss": "hinge"}, "loss: expected one of 'logistic', 'squared', found 'hinge'"),
        ({"n_features": 0}, "n_features: expected an integer in [1, 4294967296], found 0"),
        ({"n_features": 2**32 + 1}, "n_features: expected an integer in"),
        ({"n_fields": 2**16 + 1}, "n_fields: expected an integer in [1, 65536], found 65537"),
        ({"n_factors": 0}, "n_factors: expected an integer in [1, 1024], found 0"),
        ({"init_scale": np.nan}, "init_scale: expected a finite number >= 0, found nan"),
        (
            {"dtype": "float64"},
            "dtype: expected 'float32' or 'float16', found float64",
        ),
        ({"factor_optimizer": ("lion", {})}, "optimizer: expected one of 'sgd',"),
        (
            {"factor_optimizer": ("sgd", {"learning_rate": 0.0, "l1": 0.0, "l2": 0.0})},
            "sgd.learning_rate: expected a finite number > 0, found 0",
        ),
        (
            {"factor_optimizer": ("sgd", {"learning_rate": 0.1, "l1": 0.0, "l2": -1.0})},
            "sgd.l2: expected a finite number >= 0, found -1",
        ),
        (
            {"factor_optimizer": ("sgd", {"learning_rate": 1e-40, "l1": 0.0, "l2": 0.0})},
            "sgd.learning_rate: expected a number between 1e-30 and 1e30, found 1e-40",
        ),
        (
            {"factor_optimizer": ("sgd", {"learning_rate": 0.1, "l1": 0.0})},
            "sgd.l2: expected a number, found nothing",
        ),
        (
            {
                "factor_optimizer": (
                    "sgd",
                    {"learning_rate": 0.1, "l1": 0.0, "l2": 0.0, "clip_norm": 0.0},
                )
            },
            "sgd.clip_norm: expected a finite number > 0, found 0",
        ),
        (
            {
                "factor_optimizer": (
                    "momentum",
                    {"learning_rate": 0.1, "momentum": 1.0, "l1": 0.0, "l2": 0.0},
                )
            },
            "momentum.momentum: expected a number in [0, 0.999999], found 1",
        ),
        (
            {
                "factor_optimizer": (
                    "sgd",
                    {"learning_rate": 0.1, "l1": 0.0, "l2": 0.0, "beta": 1.0},
                )
            },
            "sgd: expected parameters learning_rate l1 l2, found beta",
        ),
        ({"linear_optimizer": None}, "linear_optimizer: expected an optimizer for every part"),
    ],
)
def test_bad_models(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011 the message is compared below
        model(**changes)
    assert message in str(error.value)


def test_rows_beyond_memory_are_refused_before_they_are_made() -> None:
    """A row of 2**16 fields x 1024 factors takes 256 MB: the features that occur count."""
    core = model(kind="ffm", n_features=10**6, n_fields=2**16, n_factors=1024)
    before = core.nbytes
    n = 10**5
    data = _core.Dataset(
        indptr=None,
        features=np.arange(n, dtype=np.uint32),
        fields=None,
        values=None,
        y=np.zeros(n, np.float32),
        weight=None,
        n_rows=n,
        n_features=n,
        n_fields=1,
    )
    message = r"100000 features x 65536 fields x 1024 factors needs .* GB .* are available"
    with pytest.raises(MemoryError, match=message):
        train(core, data)
    with pytest.raises(MemoryError, match=message):
        core.initialize(data, n_threads=1)
    assert core.nbytes == before
    assert core.features.size == 0
    assert np.all(contract.scores(core, data.slice(0, 3)) == 0)


def test_many_features_of_which_few_occur_are_no_problem() -> None:
    data = make_data(("plain",) * 5, 3)
    core = model(n_features=2**26)
    assert train(core, Data(data.rows, data.y, None, 2**26, 3).core()) > 0
    met = {j for row in data.rows for _, j, _ in row}
    assert set(core.features.tolist()) == met
    # A row number for each feature; for each that occurs its id, a weight, 3 fields x 4 factors
    # in whole cache lines; the row of zeros; the bias.
    assert core.nbytes <= 4 * 2**26 + (len(met) + 1) * (4 + 4 + 64) + 64
    assert core.weight_nbytes == (len(met) + 1) * (4 + 64)


@pytest.mark.parametrize(
    ("part", "shape", "features", "message"),
    [
        ("bias", (9,), None, "part: this model has no 'bias'"),
        ("linear", (8,), None, "values: expected one row of weights for each feature"),
        ("linear", (9, 1), None, "values: expected one row of weights"),
        ("factors", (9, 4), None, "values: expected one row of weights"),
        ("factors", (2, 3, 4), [1], "values: expected one row of weights"),
        ("linear", (2,), [0, 9], r"features: expected ids in \[0, 9\), found 9"),
    ],
)
def test_weights_that_do_not_fit(
    part: Any, shape: tuple[int, ...], features: list[int] | None, message: str
) -> None:
    core = model()
    ids = None if features is None else np.array(features, np.uint32)
    with pytest.raises(ValueError, match=message):
        core.set_weights(part, np.ones(shape, np.float32), ids)
    assert core.features.size == 0
    if not message.startswith("values"):
        with pytest.raises(ValueError, match=message):
            core.weights(part, ids)


def test_parts_that_a_model_lacks() -> None:
    without = model(linear=False, linear_optimizer=None)
    assert without.bias is None
    with pytest.raises(ValueError, match="part: this model has no 'linear'"):
        without.weights("linear")
    with pytest.raises(ValueError, match="part: this model has no 'factors'"):
        model(kind="linear", n_factors=0).weights("factors")


def test_optimizers_that_a_model_was_not_made_with() -> None:
    without = model(linear=False, linear_optimizer=None)
    with pytest.raises(ValueError, match="part: this model has no 'linear'"):
        without.set_optimizer("linear", SGD)
    with pytest.raises(ValueError, match="optimizer: expected that which the model was made with"):
        without.set_optimizer("factors", contract.optimizer("adagrad"))
    with pytest.raises(ValueError, match=r"sgd\.l2: expected a finite number >= 0, found -1"):
        without.set_optimizer("factors", ("sgd", {"learning_rate": 0.1, "l1": 0.0, "l2": -1.0}))
    for_prediction = model(linear_optimizer=None, factor_optimizer=None)
    with pytest.raises(ValueError, match="optimizer: expected that which the model was made with"):
        for_prediction.set_optimizer("factors", SGD)


def test_targets_outside_the_domain_of_the_loss() -> None:
    data = make_data(("plain",) * 3, 3)
    wrong = Data(data.rows, [0.0, 1.0, 2.0], None, 9, 3).core()
    with pytest.raises(ValueError, match=r"y\[2\]: the logistic loss expects \[0, 1\], found 2"):
        train(model(), wrong)
    train(model(loss="squared"), wrong)


def test_rows_without_targets_train_nothing() -> None:
    rows = make_data(("plain",) * 3, 3).core().with_targets(None, None)
    with pytest.raises(ValueError, match="expected targets y, found none"):
        train(model(), rows)
    assert len(contract.scores(model(), rows)) == 3


def test_training_rows_that_do_not_fit_the_model() -> None:
    with pytest.raises(ValueError, match="expected at most 9 features, found 15"):
        train(model(n_fields=5), make_data(("plain",), 5).core())
    with pytest.raises(ValueError, match="expected at most 3 fields, found 5"):
        train(model(n_features=15), make_data(("plain",), 5).core())
    train(model(kind="fm", n_features=15), make_data(("plain",), 5).core())  # it has no fields


@pytest.mark.parametrize("kind", contract.MODELS)
def test_no_rows(kind: str) -> None:
    nothing = make_data((), 3).core()
    core = Case(kind).core()
    assert train(core, nothing) == 0
    assert contract.scores(core, nothing).shape == (0,)
