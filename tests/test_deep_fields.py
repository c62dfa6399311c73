"""`deep_fields` of the deep estimators: fields that only the linear terms see."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.base import clone
from test_deep_estimators import SMALL, each_kind, output, same

import pyfm
from pyfm.estimators.deep import DeepModel

IDS = np.random.default_rng(5).integers(0, 40, (640, 5))  # the same ids in all fields
Y = ((IDS[:, 0] + IDS[:, 3]) % 3 == 0).astype(int)
DEEP: dict[str, Any] = SMALL | {"deep_fields": (3, 0, 1)}


def make_table() -> dict[str, NDArray[Any]]:
    rng = np.random.default_rng(2)
    columns: dict[str, NDArray[Any]] = {
        name: rng.integers(0, 12, 400).astype(str) for name in ("site", "ad", "day")
    }
    return columns | {"click": (columns["site"] == columns["ad"]).astype(int)}


@pytest.fixture
def table() -> dict[str, NDArray[Any]]:
    return make_table()


def encoded(table: dict[str, NDArray[Any]], **params: Any) -> pyfm.Dataset:
    crosses = [("site", "ad"), pyfm.encode.Cross(["ad", "day"], pyfm.encode.Hashed(n_bits=6))]
    params = {"crosses": crosses, "target": "click"} | params
    return pyfm.FieldEncoder(**params).fit_transform(table)


@each_kind
def test_only_these_fields_have_vectors(kind: Any) -> None:
    apart = IDS + 40 * np.arange(5)
    model = kind(**DEEP, batch_norm=True).fit(apart, Y)
    assert model._spec.deep_fields == (0, 1, 3)
    assert model.network_["0.weight"].shape == (3 * 4, 12)
    vectors = model.factors_.reshape(5, 40, 4)
    assert not vectors[[2, 4]].any()
    assert vectors[[0, 1, 3]].any(axis=2).all()
    assert model.coef_.reshape(5, 40)[[2, 4]].any()
    # What a wide feature adds to the score is its linear weight.
    other = apart.copy()
    other[:, 2] = 80 + (other[:, 2] + 1) % 40
    raw = getattr(model, "decision_function", model.predict)
    gained = model.coef_[other[:, 2]] - model.coef_[apart[:, 2]]
    np.testing.assert_allclose(raw(other) - raw(apart), gained, atol=1e-5)


@each_kind
def test_all_fields_are_the_default(kind: type[DeepModel]) -> None:
    assert same(kind(**SMALL).fit(IDS, Y), kind(**SMALL, deep_fields=range_of(5)).fit(IDS, Y))


def range_of(n: int) -> tuple[int, ...]:
    return tuple(reversed(range(n)))


@each_kind
def test_threads(kind: type[DeepModel]) -> None:
    params = DEEP | {"dropout": 0.2, "batch_norm": True}
    assert same(kind(**params).fit(IDS, Y), kind(**params, n_jobs=3).fit(IDS, Y))


@each_kind
@pytest.mark.parametrize("state", [False, True])
def test_files(kind: type[DeepModel], state: bool, tmp_path: Path) -> None:
    chosen = [np.int64(0), 3]  # as NumPy gives them
    model = kind(**DEEP | {"deep_fields": chosen, "warm_start": True}).fit(IDS, Y)
    model.save(tmp_path / "model", optimizer_state=state)
    loaded = pyfm.load(tmp_path / "model")
    assert loaded.get_params()["deep_fields"] == (0, 3)
    assert loaded._spec == model._spec
    for copy in (loaded, pickle.loads(pickle.dumps(model))):
        assert same(model, copy)
        np.testing.assert_array_equal(output(model, IDS), output(copy, IDS))
    if state:
        assert same(model.fit(IDS, Y), loaded.fit(IDS, Y))


def test_features_whose_linear_weights_are_0_are_not_stored(tmp_path: Path) -> None:
    """L1 makes crosses sparse, and nothing else of them is in the file of a model."""
    optimizer: Any = {
        "linear": pyfm.optim.FTRL(l1=0.3), "factors": "adagrad", "deep": "adagrad"
    }  # fmt: skip
    apart = IDS + 40 * np.arange(5)
    model = pyfm.WideDeepClassifier(**DEEP, optimizer=optimizer).fit(apart, Y)
    kept = np.flatnonzero(model.coef_.any() | model.factors_.any(axis=1))
    assert len(kept) > 0
    model.save(tmp_path / "model")
    stored = pyfm.load(tmp_path / "model")._model.features
    has_vector = np.isin(np.arange(200) // 40, (0, 1, 3))
    np.testing.assert_array_equal(stored, np.flatnonzero((model.coef_ != 0) | has_vector))
    assert len(stored) < 200


@each_kind
def test_a_killed_fit_goes_on(kind: type[DeepModel], tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    whole = kind(**DEEP | {"epochs": 4}).fit(IDS, Y)
    kind(**DEEP | {"epochs": 2}).fit(IDS, Y, callbacks=[pyfm.callbacks.checkpoint(path)])
    assert same(whole, kind(**DEEP | {"epochs": 4}).fit(IDS, Y, resume_from=path))
    with pytest.raises(ValueError, match=r"deep_fields: expected \(0, 1, 3\), .* \(0, 1, 2, 3, 4"):
        kind(**SMALL).fit(IDS, Y, resume_from=path)


@each_kind
@pytest.mark.parametrize("n_jobs", [1, 3])
def test_cuts_of_a_stream_leave_no_trace(kind: type[DeepModel], n_jobs: int) -> None:
    """Ids come first in fields without vectors, then in those that have some, and back."""
    params = DEEP | {"deep_fields": (4, 1), "dropout": 0.2, "n_jobs": n_jobs}
    classes = {"classes": [0, 1]} if "Classifier" in kind.__name__ else {}
    ids = IDS.copy()
    ids[:64, 1] = ids[:320, 4] = 0
    whole = kind(**params).partial_fit(ids, Y, **classes)
    pieces = kind(**params)
    for begin, end in ((0, 64), (64, 320), (320, 640)):
        pieces.partial_fit(ids[begin:end], Y[begin:end], **classes)
    assert same(whole, pieces)
    name = "progressive_logloss_" if classes else "progressive_rmse_"
    assert getattr(whole, name) == pytest.approx(getattr(pieces, name), rel=1e-5)
    first = kind(**params).partial_fit(ids[:64], Y[:64], **classes)
    only_wide = np.setdiff1d(ids[:64], ids[:64, [1, 4]])
    assert len(only_wide) > 0
    assert not first.factors_[only_wide].any()
    assert whole.factors_[only_wide].all()


def test_progressive_validation_is_predict_then_learn() -> None:
    model = pyfm.WideDeepClassifier(**DEEP, batch_norm=True)
    call = np.arange(640)[:, None] // 64
    apart = IDS + 1000 * np.arange(5) + 20 * call  # new ids in every call
    expected = []
    for begin in range(0, 640, 64):
        rows, y = apart[begin : begin + 64], Y[begin : begin + 64]
        if begin:
            expected.append(pyfm.metrics.logloss(y, model.predict_proba(rows)[:, 1]))
        model.partial_fit(rows, y, classes=[0, 1])
    assert model.history_["progressive_logloss"][1:] == pytest.approx(expected, rel=1e-5)


def test_a_broken_call_leaves_the_stream_as_it_was() -> None:
    calls = IDS[:64], IDS[64:]
    twin = pyfm.DeepFMRegressor(**DEEP).partial_fit(calls[0], Y[:64])
    model = pyfm.DeepFMRegressor(**DEEP).partial_fit(calls[0], Y[:64])
    with pytest.raises(ValueError, match="finite"):
        model.set_params(optimizer="sgd", learning_rate=1e20).partial_fit(calls[1], Y[64:])
    model.set_params(optimizer=None, learning_rate=None)
    predicted = twin.predict(IDS), model.predict(IDS)
    np.testing.assert_array_equal(*predicted)


@each_kind
def test_warm_starts_are_one_fit(kind: type[DeepModel]) -> None:
    twice = kind(**DEEP | {"epochs": 2}, warm_start=True).fit(IDS, Y).fit(IDS, Y)
    assert same(twice, kind(**DEEP | {"epochs": 4}).fit(IDS, Y))
    with pytest.raises(ValueError, match=r"deep_fields: expected \(0, 1, 3\), .*found \(0, 1, 4\)"):
        twice.set_params(deep_fields=(0, 1, 4)).fit(IDS, Y)


def test_pretrained_parts() -> None:
    """A network is taken from a model whose vectors are those of the same fields."""
    source = pyfm.WideDeepClassifier(**SMALL).fit(IDS[:, :3], Y)
    frozen = SMALL | {"freeze": ("deep",), "epochs": 1}
    taken = pyfm.WideDeepClassifier(**frozen, deep_fields=(0, 1, 2)).fit(IDS, Y, init_from=source)
    for name in ("0.weight", "2.weight"):
        np.testing.assert_array_equal(taken.network_[name], source.network_[name])
    other = pyfm.WideDeepClassifier(**frozen, deep_fields=(0, 1, 3)).fit(IDS, Y, init_from=source)
    assert not np.array_equal(other.network_["0.weight"], source.network_["0.weight"])


@each_kind
def test_what_stands_for_dropped_features_may_have_a_vector(kind: type[DeepModel]) -> None:
    ids = IDS[:, :2] + [0, 40]
    dropout = pyfm.Augmentation(feature_dropout=0.3, unknown=(80, 81), bootstrap=True)
    model = kind(**SMALL, deep_fields=(0,), augmentation=dropout)
    model.fit(pyfm.Dataset.from_ids(ids, Y, n_features=82))
    assert model.factors_[80].all()
    assert not model.factors_[40:80].any()
    assert not model.factors_[81].any()
    assert model.coef_[[80, 81]].all()


# --- tables ---------------------------------------------------------------------------------------


def test_crosses_are_for_the_wide_part_alone(table: dict[str, NDArray[Any]]) -> None:
    """As in the paper; DeepFM, whose paper has none, sees all."""
    data = encoded(table)
    assert isinstance(data.encoder, pyfm.FieldEncoder)
    wide = pyfm.WideDeepClassifier(**SMALL).fit(data)
    assert wide._spec.deep_fields == (0, 1, 2)
    assert wide.network_["0.weight"].shape[0] == 3 * 4
    for other in (
        pyfm.DeepFMClassifier(**SMALL),
        pyfm.WideDeepClassifier(**SMALL, linear=False),
        pyfm.WideDeepClassifier(**SMALL, deep_fields=data.encoder.field_names_),
    ):
        assert other.fit(data).network_["0.weight"].shape[0] == 5 * 4
    plain = encoded(table, crosses=())
    assert pyfm.WideDeepClassifier(**SMALL).fit(plain)._spec.deep_fields is None


def test_crosses_make_the_wide_part_know_pairs(
    table: dict[str, NDArray[Any]], tmp_path: Path
) -> None:
    """A linear model of columns alone cannot know whether two of them agree."""
    data, params = encoded(table), SMALL | {"epochs": 60, "batch_size": 16, "learning_rate": 0.5}
    model = pyfm.WideDeepClassifier(**params, freeze=("factors", "deep"))
    click = table["click"]
    assert pyfm.metrics.auc(click, model.fit(data).predict_proba(data)[:, 1]) > 0.99
    without = pyfm.WideDeepClassifier(**params, freeze=("factors", "deep"))
    plain = encoded(table, crosses=())
    assert pyfm.metrics.auc(click, without.fit(plain).predict_proba(plain)[:, 1]) < 0.9
    model.save(tmp_path / "model")
    columns = {name: column for name, column in table.items() if name != "click"}
    found = pyfm.load(tmp_path / "model").predict_proba(columns)
    np.testing.assert_array_equal(found, model.predict_proba(data))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (("ad", "site"), (0, 1)),
        (["site×ad", "day"], (2, 3)),
        ((0, "day"), (0, 2)),
        (("when", "site"), (0, 3, 4)),
        (("when:hour",), (3,)),
    ],
)
def test_names(given: Any, expected: tuple[int, ...], table: dict[str, NDArray[Any]]) -> None:
    """Of fields, and of columns with several."""
    if "when" in given or "when:hour" in given:
        hours = np.arange(400).astype("datetime64[h]")
        table = table | {"when": hours.astype("datetime64[us]")}
        parts = pyfm.encode.Date(["hour", "weekday"])
        columns = {"site": None, "ad": None, "day": None, "when": parts}
        data = encoded(table, columns=columns, crosses=())
    else:
        data = encoded(table)
    model = pyfm.DeepFMClassifier(**SMALL, deep_fields=given).fit(data)
    assert model._spec.deep_fields == expected
    assert clone(model).deep_fields == given
