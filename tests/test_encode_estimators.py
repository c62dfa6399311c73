"""Estimators take tables: fit, validation, streams, pipelines, files."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from encoding import buffers
from sklearn.base import clone
from sklearn.model_selection import cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline

import pyfm
from pyfm.encode import Buckets, Categorical, Cross, Date, Hashed, Multi
from pyfm.encode.stored import from_parts, to_parts

ALL: list[Any] = [
    pyfm.LinearClassifier, pyfm.FMClassifier, pyfm.FFMClassifier,
    pyfm.LinearRegressor, pyfm.FMRegressor, pyfm.FFMRegressor,
]  # fmt: skip
each_estimator = pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)


def table(n: int = 300, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "site": rng.choice(["a", "b", "c"], n),
            "ad": rng.integers(0, 5, n),
            "price": np.where(rng.random(n) < 0.1, np.nan, rng.lognormal(size=n)),
            "tags": [list("xyz"[: k % 4]) for k in range(n)],
        }
    )


def clicks(frame: pd.DataFrame) -> Any:
    return np.where((frame["site"] == "a") ^ (frame["ad"] % 2 == 0), 1, 0)


FRAME = table()
Y = clicks(FRAME)


@each_estimator
def test_a_table_is_its_encoder_and_rows(kind: Any) -> None:
    model = kind(epochs=2, random_state=0).fit(FRAME, Y)
    encoder = pyfm.FieldEncoder()
    data = encoder.fit_transform(FRAME)
    same = kind(epochs=2, random_state=0).fit(data, Y)
    assert model.history_["train_" + kind._metrics[0]] == same.history_["train_" + kind._metrics[0]]
    for rows in (FRAME, data, pl.from_pandas(FRAME), pa.Table.from_pandas(FRAME).to_reader()):
        assert (model.predict(rows) == same.predict(data)).all()
    assert model.feature_names_in_.tolist() == ["site", "ad", "price", "tags"]
    assert model.n_fields_ == 4
    assert model.n_features_in_ == encoder.n_features_


def test_labels_of_any_kind() -> None:
    names = np.where(Y == 1, "yes", "no")
    for labels in (names, pd.Series(names), pl.Series(names), pa.array(names)):
        model = pyfm.FFMClassifier(epochs=30, random_state=0).fit(FRAME, labels)
        assert model.classes_.tolist() == ["no", "yes"]
        assert model.score(FRAME, labels) > 0.95


@each_estimator
def test_files(kind: Any, tmp_path: Path) -> None:
    model = kind(epochs=2, random_state=0).fit(FRAME, Y)
    path = tmp_path / "model"
    model.save(path)
    loaded = pyfm.load(path)
    new = table(50, seed=1).assign(site="new")
    for rows in (FRAME, new):
        assert (loaded.predict(rows) == model.predict(rows)).all()
    assert loaded.feature_names_in_.tolist() == model.feature_names_in_.tolist()
    with pytest.raises(ValueError, match="column 'ad': expected the columns of fit"):
        loaded.predict(FRAME.drop(columns="ad"))


def test_pickle() -> None:
    model = pyfm.FFMClassifier(epochs=2, random_state=0).fit(FRAME, Y)
    copy = pickle.loads(pickle.dumps(model))
    assert (copy.predict_proba(FRAME) == model.predict_proba(FRAME)).all()


def test_evaluation_sets() -> None:
    train, valid, y, y_valid = train_test_split(FRAME, Y, random_state=0)
    model = pyfm.FFMClassifier(epochs=3, random_state=0)
    model.fit(
        train, y, eval_set={"valid": (valid, y_valid), "again": (pl.from_pandas(valid), y_valid)}
    )
    assert model.history_["valid_logloss"] == model.history_["again_logloss"]
    with pytest.raises(ValueError, match=r"eval_set: column 'ad': expected the columns of fit"):
        model.fit(train, y, eval_set=(valid.drop(columns="ad"), y_valid))


def test_pipelines_and_cross_validation() -> None:
    encoder = pyfm.FieldEncoder({"site": "categorical", "ad": Hashed(8)}, crosses=[("site", "ad")])
    model = make_pipeline(encoder, pyfm.FFMClassifier(epochs=20, random_state=0))
    names = np.where(Y == 1, "yes", "no")
    assert cross_val_score(model, FRAME, names, cv=3).min() > 0.9
    model.set_params(fieldencoder__columns=["site"], fieldencoder__crosses=())
    assert clone(model).fit(FRAME, names).score(FRAME, names) < 0.9
    assert (
        cross_val_score(pyfm.FFMClassifier(epochs=20, random_state=0), FRAME, Y, cv=3).min() > 0.9
    )


def test_targets_in_the_table() -> None:
    frame = FRAME.assign(click=Y, weight=np.arange(len(Y)) % 3)
    encoder = pyfm.FieldEncoder(target="click", sample_weight="weight")
    model = pyfm.FMClassifier(epochs=3, random_state=0).fit(encoder.fit_transform(frame))
    same = pyfm.FMClassifier(epochs=3, random_state=0).fit(
        FRAME, Y, sample_weight=np.arange(len(Y)) % 3
    )
    assert (model.predict(FRAME) == same.predict(FRAME)).all()
    assert (model.predict(frame) == model.predict(FRAME)).all()


def hours() -> list[pd.DataFrame]:
    return [table(100, seed).assign(site=lambda f, s=seed: f["site"] + str(s)) for seed in range(3)]


@each_estimator
def test_streams_of_tables(kind: Any, tmp_path: Path) -> None:
    """Vocabularies grow with the model, as by hand, and through files."""
    model, by_hand, encoder = kind(random_state=0), kind(random_state=0), pyfm.FieldEncoder()
    for hour in hours():
        model.partial_fit(hour, clicks(hour))
        by_hand.partial_fit(encoder.partial_fit(hour).transform(hour), clicks(hour))
        model.save(tmp_path / "model", optimizer_state=True)
        model = pyfm.load(tmp_path / "model")
    for hour in hours():
        assert (model.predict(hour) == by_hand.predict(hour)).all()
    assert model.n_features_in_ == encoder.n_features_
    assert model.partial_fit(hours()[0][:0], []).n_features_in_ == encoder.n_features_
    assert model.partial_fit({name: [] for name in FRAME}, []).n_features_in_ == encoder.n_features_


def test_rare_values_are_counted_through_files(tmp_path: Path) -> None:
    encoder = pyfm.FieldEncoder({"site": Categorical(min_count=150)})
    model = pyfm.FMClassifier(random_state=0).fit(encoder.fit_transform(FRAME), Y)
    known = model.n_features_in_
    assert known == 2
    for state, grows in ((True, True), (False, False)):
        model.save(tmp_path / "model", optimizer_state=state)
        again = pyfm.load(tmp_path / "model").partial_fit(FRAME[:150], Y[:150])
        assert (again.n_features_in_ > known) == grows


def test_failures_leave_the_encoder() -> None:
    model: Any = pyfm.FMClassifier(random_state=0).partial_fit(FRAME, Y)
    before = model.n_features_in_
    new = FRAME.assign(site="new")
    with pytest.raises(ValueError, match="one of the classes"):
        model.partial_fit(new, Y + 5)
    assert (model.n_features_in_, model._inputs.encoder.n_features_) == (before, before)
    with pytest.raises(ValueError, match="column 'price', row 0: expected a finite number"):
        model.partial_fit(new.assign(price=np.inf), Y)
    assert model._inputs.encoder.n_features_ == before


def test_warm_start_keeps_the_encoder() -> None:
    model = pyfm.FFMClassifier(epochs=2, warm_start=True, random_state=0).fit(FRAME, Y)
    n_features = model.n_features_in_
    model.fit(table(100, seed=5).assign(site="new"), Y[:100])
    assert model.n_features_in_ == n_features
    assert model.n_iter_ == 4


def test_resumed_fits(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    whole = pyfm.FFMClassifier(epochs=4, random_state=0).fit(FRAME, Y)
    pyfm.FFMClassifier(epochs=2, random_state=0).fit(
        FRAME, Y, callbacks=[pyfm.callbacks.checkpoint(path)]
    )
    resumed = pyfm.FFMClassifier(epochs=4, random_state=0).fit(FRAME, Y, resume_from=path)
    assert (resumed.predict_proba(FRAME) == whole.predict_proba(FRAME)).all()
    with pytest.raises(ValueError, match=r"X: expected a table, as in .*found 'a matrix of ids"):
        pyfm.FFMClassifier(epochs=4, random_state=0).fit(
            FRAME[["ad"]].to_numpy(), Y, resume_from=path
        )


def test_rows_of_another_encoder() -> None:
    encoder = pyfm.FieldEncoder().fit(FRAME)
    model = pyfm.FMClassifier(random_state=0).fit(encoder.transform(FRAME), Y)
    other = pyfm.FieldEncoder().fit(FRAME[::-1])
    with pytest.raises(ValueError, match="X: expected rows of the encoder that the model has"):
        model.partial_fit(other.transform(FRAME), Y)
    # A data set keeps the encoder that made it, whatever is fitted anew later.
    rows = encoder.transform(FRAME)
    encoder.fit(FRAME[::-1])
    model.partial_fit(rows, Y)
    assert (model.predict(FRAME) == model.predict(rows)).all()


OTHER = pytest.mark.parametrize(
    "other",
    [
        pyfm.FieldEncoder().fit(FRAME[::-1]),
        pyfm.FieldEncoder().fit(FRAME.rename(columns={"ad": "Ad"})),
        pyfm.FieldEncoder({"site": None}).fit(FRAME),
        pyfm.FieldEncoder({"site": Hashed(4)}, remainder="default").fit(FRAME),
        pyfm.FieldEncoder(defaults={"float": "real"}).fit(FRAME),
        pyfm.datasets.CriteoEncoder((np.array([5]),) * 39),
    ],
    ids=["order", "names", "columns", "kinds", "defaults", "Criteo"],
)


@OTHER
@pytest.mark.parametrize("X", [FRAME, pyfm.FieldEncoder().fit_transform(FRAME)], ids=type)
def test_ids_of_another_encoder_mean_something_else(X: Any, other: Any) -> None:
    model = pyfm.FMClassifier(epochs=1, random_state=0).fit(X, Y)
    core = pyfm.FieldEncoder().fit_transform(FRAME).core
    rows = pyfm.Dataset(core, encoder=other).with_targets(Y)
    refused = pytest.raises(ValueError, match=r"X: expected rows of the encoder .* another encoder")
    for call in (model.predict, model.predict_proba, model.decision_function, model.partial_fit):
        with refused:
            call(rows)
    with pytest.raises(ValueError, match=r"eval_set\['v'\]: X: expected rows of the encoder"):
        model.fit(X, Y, eval_set={"v": rows})
    with refused:
        model.set_params(warm_start=True).fit(rows)
    # Who has no encoder answers for the ids.
    assert (model.predict(pyfm.Dataset(core)) == model.predict(FRAME)).all()
    pyfm.FMClassifier(epochs=1).fit(pyfm.Dataset(core), Y).predict(rows)


def test_rows_before_and_after_growth(tmp_path: Path) -> None:
    """Ids that are shared mean the same, whichever of the two encoders has more of them."""
    few, more = hours()[0], pd.concat(hours())
    encoder = pyfm.FieldEncoder().fit(few)
    early = encoder.transform(few)
    late = encoder.partial_fit(more).transform(few)
    early.save(tmp_path / "rows")
    stored = pyfm.Dataset.open(tmp_path / "rows")
    for rows in (early, late):
        model: Any = pyfm.FMClassifier(random_state=0).fit(rows, clicks(few))
        model.save(tmp_path / "model")
        for same in (model, pyfm.load(tmp_path / "model"), pickle.loads(pickle.dumps(model))):
            expected = same.predict(few)
            for given in (early, late, stored, pickle.loads(pickle.dumps(stored))):
                assert (same.predict(given) == expected).all()
    model.partial_fit(stored, clicks(few))  # yesterday's rows do not make it forget
    assert model._inputs.encoder.n_features_ == encoder.n_features_


def test_weights_for_the_ids_of_another_encoder() -> None:
    source = pyfm.FMClassifier(epochs=1).fit(FRAME, Y)
    pyfm.FMClassifier(epochs=1, init_scale=0.1).fit(FRAME, Y, init_from=source)
    with pytest.raises(ValueError, match="init_from: expected a model of the encoder that the mod"):
        pyfm.FMClassifier(epochs=1).fit(FRAME[::-1], Y, init_from=source)


def test_encoders_are_not_compared_at_every_prediction(monkeypatch: pytest.MonkeyPatch) -> None:
    model = pyfm.FMClassifier(epochs=1, random_state=0).fit(FRAME, Y)
    rows = pyfm.FieldEncoder().fit_transform(FRAME)
    model.predict(rows)
    monkeypatch.setattr("pyfm.encode.books.hashes", None)
    model.predict(rows)


def test_refusals() -> None:
    model = pyfm.FMClassifier(epochs=1)
    with pytest.raises(ValueError, match="fields: expected None, since X is a table"):
        model.fit(FRAME, Y, fields=[0, 1, 2, 3])
    with pytest.raises(ValueError, match="y: expected targets, found None"):
        model.fit(FRAME)
    with pytest.raises(ValueError, match="y: expected length 300"):
        model.fit(FRAME, Y[:100])
    with pytest.raises(ValueError, match="column 'd': "):
        model.fit({"d": pa.array([1, 2], pa.duration("s"))}, [0, 1])
    assert not hasattr(model, "feature_names_in_")
    model.fit(FRAME, Y)
    with pytest.raises(ValueError, match="X: expected a table with the columns of fit, or a Data"):
        model.predict([[0, 1, 2, 3]])
    model.fit([[0, 1], [1, 0]], [0, 1])
    assert not hasattr(model, "feature_names_in_")
    of_ids = r"X: expected a matrix of ids with 2 columns, as in fit, found 'a table: "
    for wrong in (FRAME, dict(FRAME), pa.Table.from_pandas(FRAME)):
        with pytest.raises(ValueError, match=of_ids):
            model.predict(wrong)
    assert model.predict(pd.DataFrame([[0, 1]])).shape == (1,)  # nothing but ids
    model.fit(pyfm.Dataset.from_ids([[0, 1], [1, 0]], y=[0, 1]))
    with pytest.raises(ValueError, match="X: expected a Dataset, as in fit, found 'a table: DataF"):
        model.predict(FRAME)
    with pytest.raises(ValueError, match=r"could not convert string to float: .*; strings are f"):
        model.fit(FRAME[["site"]].to_numpy(object), Y)
    with pytest.raises(ValueError, match=r"2-D array .* shape \(2,\).* pandas.DataFrame\(rows\)"):
        model.fit([{"a": 1}, {"a": 2}], [0, 1])


@each_estimator
def test_targets_that_are_no_targets(kind: Any) -> None:
    model, frame = kind(epochs=1), FRAME.assign(click=Y)
    with pytest.raises(ValueError, match=r"y: expected targets, one for each row .* found 'cl"):
        model.fit(frame, "click")
    refused = pytest.raises(ValueError, match=r"y: expected targets that are no feature, .* 'cli")
    rows = pyfm.FieldEncoder().fit_transform(frame)
    for X, y in ((frame, frame["click"]), (pl.from_pandas(frame), pl.Series("click", Y)),
                 (rows, frame["click"])):  # fmt: skip
        for call in (model.fit, model.partial_fit):
            with refused:
                call(X, y)
    model.fit(FRAME, frame["click"])
    model.fit(pyfm.FieldEncoder(target="click").fit_transform(frame), None)


EVERYTHING = {
    "s": ["a", "b", None, "a"],
    "i": [1, 2, 1, None],
    "u": pa.array([2**63, 5, 5, 6], pa.uint64()),
    "b": [True, False, None, True],
    "bytes": [b"x", b"", None, b"\xff"],
    "f": [0.5, 1.5, None, 9.0],
    "r": [0.5, 1.5, None, 9.0],
    "log": [1, 50, 700, None],
    "h": ["p", "q", "r", "p"],
    "tags": ["x:1|y:2", "", None, "y"],
    "at": ["2024-01-01 05", "2024-02-03 06", None, "2023-05-06 07"],
}


def encoder_of_everything() -> pyfm.FieldEncoder:
    kinds: dict[str, Any] = {
        "f": Buckets([1.0, 2.0]),
        "r": "real",
        "log": Buckets("log2", min_count=2),
        "h": Hashed(6, seed=3),
        "s": Categorical(min_count=2),
        "tags": Multi(separator="|", weight_separator=":"),
        "at": Date(["hour", "month", "year"], format="%Y-%m-%d %H"),
    }
    crosses = [Cross(["s", "i", "at:hour"], Categorical()), Cross(["h", "f"], Hashed(5))]
    return pyfm.FieldEncoder(
        kinds, remainder="default", defaults={"integer": "categorical"}, crosses=crosses
    )


def test_files_hold_encoders_of_everything(tmp_path: Path) -> None:
    encoder = encoder_of_everything()
    data = encoder.fit_transform(EVERYTHING)
    model = pyfm.FMClassifier(epochs=2, random_state=0).fit(data, [0, 1, 1, 0])
    for state in (False, True):
        model.save(tmp_path / "model", optimizer_state=state)
        loaded = pyfm.load(tmp_path / "model")
        again = loaded._inputs.encoder
        assert buffers(again.transform(EVERYTHING)) == buffers(data)
        assert again.get_feature_names_out().tolist() == encoder.get_feature_names_out().tolist()
        assert again.collisions_ == encoder.collisions_
        assert again.extends(encoder)
        assert encoder.extends(again)
        assert again._state.settings == encoder._state.settings
        assert buffers(clone(again).fit_transform(EVERYTHING)) == buffers(data)
        assert (loaded.predict_proba(EVERYTHING) == model.predict_proba(EVERYTHING)).all()
        new = {name: values[:2] for name, values in EVERYTHING.items()} | {"i": [77, 78]}
        assert again.partial_fit(new).n_features_ > encoder.n_features_
        assert again.extends(encoder)
        assert not encoder.extends(again)


def test_files_from_before_buckets_had_a_min_count() -> None:
    encoder = pyfm.FieldEncoder({"x": Buckets("log2")}).fit({"x": [1, 5]})
    json, tensors = to_parts(encoder, candidates=True)
    for entry in ("kinds", "columns", "defaults"):
        for _, kind in json[entry]:
            if kind["kind"] == "buckets":
                del kind["min_count"]
    assert from_parts(json, tensors)._state.kinds == encoder._state.kinds
