"""DeepFM and Wide & Deep with everything that estimators do."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone

import pyfm
from pyfm.estimators.deep import DeepModel

KINDS = (
    pyfm.DeepFMClassifier, pyfm.WideDeepClassifier, pyfm.DeepFMRegressor, pyfm.WideDeepRegressor
)  # fmt: skip
each_kind = pytest.mark.parametrize("kind", KINDS)
SMALL: dict[str, Any] = {
    "n_factors": 4, "hidden": (12, 6), "batch_size": 64, "epochs": 3, "random_state": 0
}  # fmt: skip


@pytest.fixture(scope="module")
def rows() -> pyfm.Dataset:
    return pyfm.datasets.make_ctr(2000, n_fields=6, n_features=200, random_state=3)[0]


@pytest.fixture(scope="module")
def data(rows: pyfm.Dataset) -> pyfm.Dataset:
    return rows[:1500]


@pytest.fixture(scope="module")
def valid(rows: pyfm.Dataset) -> pyfm.Dataset:
    return rows[1500:]


def weights(model: Any) -> list[np.ndarray]:
    return [model.coef_, model.intercept_, model.factors_, *model.network_.values()]


def same(a: Any, b: Any) -> bool:
    pairs = zip(weights(a), weights(b), strict=True)
    return all(np.array_equal(x, y) for x, y in pairs)


def output(model: Any, X: Any) -> np.ndarray:
    found = model.predict_proba(X)[:, 1] if hasattr(model, "predict_proba") else model.predict(X)
    return np.asarray(found)


@each_kind
def test_it_learns(kind: type[DeepModel], data: pyfm.Dataset) -> None:
    model = kind(**SMALL | {"epochs": 20, "batch_norm": True}).fit(data)
    column = "train_logloss" if "train_logloss" in model.history_ else "train_rmse"
    losses = model.history_[column]
    assert losses[-1] < 0.9 * losses[0]
    assert list(model.network_) == [
        "0.weight", "1.gamma", "1.beta", "2.weight", "3.gamma", "3.beta", "4.weight", "4.bias",
        *(f"{i}.{name}" for i in (1, 3) for name in (
            "population_mean", "population_variance", "moving_mean", "moving_variance", "n_batches"
        )),
    ]  # fmt: skip
    assert model.network_["0.weight"].shape == (24, 12)


@each_kind
def test_threads_and_seeds(kind: type[DeepModel], data: pyfm.Dataset) -> None:
    params = SMALL | {"dropout": 0.2, "batch_norm": True}
    one = kind(**params).fit(data)
    assert same(one, kind(**params, n_jobs=3).fit(data))
    assert not same(one, kind(**params | {"random_state": 1}).fit(data))


@each_kind
@pytest.mark.parametrize("state", [False, True])
def test_files(kind: type[DeepModel], state: bool, data: pyfm.Dataset, tmp_path: Path) -> None:
    model = kind(**SMALL, batch_norm=True, dropout=0.1, residual=True).fit(data)
    model.save(tmp_path / "model", optimizer_state=state)
    loaded = pyfm.load(tmp_path / "model")
    assert loaded.get_params() == model.get_params()
    assert same(model, loaded)
    assert same(model, pickle.loads(pickle.dumps(model)))
    np.testing.assert_array_equal(output(model, data), output(loaded, data))
    if state:
        for of in (model, loaded):
            of.set_params(warm_start=True)
            of.fit(data)
        assert same(model, loaded)


@each_kind
@pytest.mark.parametrize("inference", ["population", "moving_average"])
def test_a_killed_fit_goes_on(
    kind: type[DeepModel], inference: str, data: pyfm.Dataset, valid: pyfm.Dataset, tmp_path: Path
) -> None:
    params = SMALL | {
        "dropout": 0.2, "batch_norm": True, "batch_norm_inference": inference, "epochs": 5,
        "early_stopping": True, "n_iter_no_change": 2,
    }  # fmt: skip
    whole = kind(**params).fit(data, eval_set=valid)
    path = tmp_path / "checkpoint"
    checkpoint = pyfm.callbacks.checkpoint(path)
    kind(**params | {"epochs": 2}).fit(data, eval_set=valid, callbacks=[checkpoint])
    resumed = kind(**params).fit(data, eval_set=valid, resume_from=path)
    assert same(whole, resumed)
    assert whole.best_epoch_ == resumed.best_epoch_


@each_kind
def test_early_stopping_restores_the_best_network(
    kind: type[DeepModel], data: pyfm.Dataset, valid: pyfm.Dataset
) -> None:
    params = SMALL | {"epochs": 30, "batch_norm": True, "hidden": (64, 64), "learning_rate": 0.05}
    model = kind(**params, early_stopping=True, n_iter_no_change=2).fit(data, eval_set=valid)
    assert model.best_epoch_ < len(model.history_["epoch"])
    again = kind(**params | {"epochs": model.best_epoch_}).fit(data)
    assert same(model, again)


@each_kind
def test_warm_starts_are_one_fit(kind: type[DeepModel], data: pyfm.Dataset) -> None:
    params = SMALL | {"batch_norm": True, "dropout": 0.1}
    twice = kind(**params | {"epochs": 2}, warm_start=True).fit(data).fit(data)
    assert same(twice, kind(**params | {"epochs": 4}).fit(data))


@each_kind
@pytest.mark.parametrize("n_jobs", [1, 3])
def test_cuts_of_a_stream_leave_no_trace(
    kind: type[DeepModel], n_jobs: int, data: pyfm.Dataset
) -> None:
    params = SMALL | {"dropout": 0.2, "batch_norm": True, "n_jobs": n_jobs}
    classes = {"classes": [0, 1]} if "Classifier" in kind.__name__ else {}
    whole = kind(**params).partial_fit(data[:640], **classes)
    pieces = kind(**params)
    for begin, end in ((0, 64), (64, 320), (320, 640)):
        pieces.partial_fit(data[begin:end], **classes)
    assert same(whole, pieces)
    name = "progressive_logloss_" if classes else "progressive_rmse_"
    assert getattr(whole, name) == pytest.approx(getattr(pieces, name), rel=1e-5)


def test_progressive_validation_is_predict_then_learn(data: pyfm.Dataset) -> None:
    """With new features in every call; whose rows are predicted without them."""
    model = pyfm.DeepFMClassifier(**SMALL, batch_norm=True)
    total, weight = 0.0, 0
    for begin in range(0, 640, 64):
        rows = data[begin : begin + 64]
        if begin:
            p = model.predict_proba(rows)[:, 1]
            y = np.asarray(rows.y)
            total -= float(np.sum(np.log(np.where(y == 1, p, 1 - p))))
            weight += len(y)
        model.partial_fit(rows, classes=[0, 1])
    logloss = model.history_["progressive_logloss"][1:]
    assert np.mean(logloss) == pytest.approx(total / weight, rel=1e-5)


def test_a_broken_call_leaves_the_stream_as_it_was(data: pyfm.Dataset) -> None:
    model = pyfm.DeepFMRegressor(**SMALL, batch_norm=True, learning_rate=0.01)
    model.partial_fit(data[:200])
    before = weights(model)
    with pytest.raises(ValueError, match="finite"):
        model.set_params(learning_rate=1e20).partial_fit(data[200:328])
    for x, y in zip(before, weights(model), strict=True):
        np.testing.assert_array_equal(x, y)


def test_pretrained_factors(data: pyfm.Dataset) -> None:
    fm = pyfm.FMClassifier(n_factors=4, normalize=False, random_state=1).fit(data)
    params = SMALL | {"epochs": 1}
    frozen = pyfm.DeepFMClassifier(**params, freeze=("factors", "linear"))
    frozen.fit(data, init_from=fm)
    np.testing.assert_array_equal(frozen.factors_, fm.factors_)
    np.testing.assert_array_equal(frozen.coef_, fm.coef_)
    np.testing.assert_array_equal(frozen.intercept_, fm.intercept_)
    tuned = pyfm.DeepFMClassifier(**params).fit(data, init_from=frozen)
    assert not np.array_equal(tuned.factors_, fm.factors_)
    assert tuned.history_["train_logloss"][0] < pyfm.DeepFMClassifier(**params).fit(
        data
    ).history_["train_logloss"][0]  # fmt: skip
    again = pyfm.FMClassifier(n_factors=4, epochs=1).fit(data, init_from=tuned)
    assert again.factors_.shape == tuned.factors_.shape


def test_parts_have_optimizers_of_their_own(data: pyfm.Dataset) -> None:
    own = {"linear": "ftrl", "factors": pyfm.optim.AdaGrad(0.05), "deep": "adam"}
    optimizer: dict[str, Any] = own
    model = pyfm.WideDeepClassifier(**SMALL, optimizer=optimizer).fit(data)
    assert {"learning_rate_linear", "learning_rate_factors", "learning_rate_deep"} <= set(
        model.history_
    )
    frozen = pyfm.WideDeepClassifier(**SMALL, freeze=("linear",)).fit(data)
    assert not frozen.coef_.any()
    assert "learning_rate_deep" in frozen.history_ or "learning_rate" in frozen.history_


def test_a_linear_wide_part_by_ftrl_is_sparse(data: pyfm.Dataset) -> None:
    l1 = pyfm.optim.FTRL(l1=0.1)
    optimizer: dict[str, Any] = {"linear": l1, "factors": "adagrad", "deep": "adagrad"}
    dense = pyfm.WideDeepClassifier(**SMALL).fit(data).coef_
    sparse = pyfm.WideDeepClassifier(**SMALL, optimizer=optimizer).fit(data).coef_
    assert np.count_nonzero(sparse) < 0.8 * np.count_nonzero(dense)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"hidden": (4, 0)}, r"hidden\[1\]: expected an integer in \[1, 65536\], found 0"),
        (
            {"hidden": "400"},
            "hidden: expected a tuple or list of up to 100 widths of layers, found '400'",
        ),
        ({"hidden": (4.5,)}, r"hidden\[0\]: expected an integer"),
        ({"activation": "swish"}, "activation: expected one of 'relu', .*found 'swish'"),
        ({"dropout": 1}, r"dropout: expected a number in \[0, 1\), found 1"),
        ({"dropout": -0.1}, "dropout: expected a finite number >= 0, found -0.1"),
        ({"dropout": float("nan")}, "dropout: expected"),
        ({"batch_norm": 1}, "batch_norm: expected True or False, found 1"),
        ({"batch_norm_inference": "last"}, "batch_norm_inference: expected one of 'population'"),
        ({"batch_norm": True, "batch_size": 1}, "batch_size: expected at least 2 rows with batch"),
        ({"residual": "yes"}, "residual: expected True or False"),
        ({"freeze": ("wide",)}, "freeze: expected a tuple of some of 'linear', 'factors', 'deep'"),
        ({"freeze": ("linear", "factors", "deep")}, "freeze: expected a tuple of some of"),
        ({"freeze": "deep"}, "freeze: expected a tuple"),
        (
            {"freeze": ("deep",), "optimizer": dict.fromkeys(("linear", "factors", "deep"), "sgd")},
            r"optimizer: expected none for 'deep', since freeze=\('deep',\)",
        ),
        ({"optimizer": {"linear": "sgd"}}, "optimizer: expected one for each part that this model"),
        ({"n_factors": 0}, "n_factors: expected an integer in"),
    ],
)
def test_wrong_parameters(params: dict[str, Any], message: str, data: pyfm.Dataset) -> None:
    with pytest.raises(ValueError, match=message):
        pyfm.DeepFMClassifier(**SMALL | params).fit(data)


def test_wrong_sources(data: pyfm.Dataset) -> None:
    deep = pyfm.DeepFMClassifier(**SMALL)
    with pytest.raises(ValueError, match="init_from: expected a fitted estimator of pyfm"):
        deep.fit(data, init_from=pyfm.FMClassifier())
    with pytest.raises(ValueError, match="init_from: expected a fitted estimator of pyfm"):
        deep.fit(data, init_from=data)
    fm = pyfm.FMClassifier(n_factors=5, epochs=1).fit(data)
    with pytest.raises(ValueError, match=r"model of n_factors=4, found .*n_factors=5"):
        deep.fit(data, init_from=fm)
    ffm = pyfm.FFMClassifier(n_factors=4, epochs=1).fit(data)
    with pytest.raises(ValueError, match=r"n_factors=4, found .*n_factors=4 for every field"):
        deep.fit(data, init_from=ffm)
    linear = pyfm.LinearClassifier(epochs=1).fit(data)
    with pytest.raises(ValueError, match=r"found .*of no factors"):
        deep.fit(data, init_from=linear)
    fitted = pyfm.DeepFMClassifier(**SMALL, warm_start=True).fit(data)
    with pytest.raises(ValueError, match="init_from: expected None, since warm_start=True"):
        fitted.fit(data, init_from=fitted)


def test_exploding_losses_are_named(data: pyfm.Dataset) -> None:
    with pytest.raises(ValueError, match="epoch 1"):
        pyfm.DeepFMClassifier(**SMALL, learning_rate=1e15, optimizer="sgd").fit(data)


def test_networks_too_large_for_memory(data: pyfm.Dataset) -> None:
    huge = pyfm.DeepFMClassifier(**SMALL | {"hidden": (2**16, 2**16)})
    with pytest.raises(MemoryError, match=r"network of 2 hidden layers .* GB .* narrower layers"):
        huge.fit(data)
    wide = pyfm.DeepFMClassifier(
        **SMALL | {"hidden": (1,), "n_factors": 1024, "batch_size": "full"}
    )
    rows, _ = pyfm.datasets.make_ctr(10, n_fields=500, n_features=1000, random_state=0)
    many = rows[np.arange(50_000) % 10]  # 200 GB of vectors
    with pytest.raises(MemoryError, match=r"batch of 50000 rows .* GB .* smaller batch_size"):
        wide.fit(many)


def test_scikit_learn(data: pyfm.Dataset) -> None:
    model = pyfm.DeepFMClassifier(**SMALL)
    assert clone(model).get_params() == model.get_params()
    assert repr(model).startswith("DeepFMClassifier(")
