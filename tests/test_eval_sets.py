"""Several evaluation sets by name, and several metrics."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pyfm
from pyfm import Dataset


@pytest.fixture(scope="module")
def rows() -> Dataset:
    return pyfm.datasets.make_ctr(2000, n_fields=5, n_features=300, random_state=0)[0]


def fm(**params: Any) -> Any:
    return pyfm.FMClassifier(**({"epochs": 3, "random_state": 0} | params))


def test_columns_are_named_by_set_and_metric(rows: Dataset) -> None:
    sets = {"now": rows[1000:1500], "later": rows[1500:]}
    model = fm(metric=["auc", "logloss"]).fit(rows[:1000], eval_set=sets)
    assert list(model.history_) == [
        "epoch", "learning_rate", "train_logloss", "seconds", "rows_per_second",
        "now_auc", "now_logloss", "later_auc", "later_logloss", "valid_seconds",
    ]  # fmt: skip
    for name, data in sets.items():
        p = model.predict_proba(data)[:, 1]
        assert data.y is not None
        assert model.history_[f"{name}_auc"][-1] == pyfm.metrics.auc(data.y, p)
        assert model.history_[f"{name}_logloss"][-1] == pyfm.metrics.logloss(data.y, p)


def test_a_single_set_is_called_valid(rows: Dataset) -> None:
    train, valid = rows[:1000], rows[1000:]
    a = fm().fit(train, eval_set=valid).history_
    b = fm().fit(train, eval_set={"valid": valid}).history_
    assert a["valid_logloss"] == b["valid_logloss"]


def test_sets_of_every_form(rows: Dataset) -> None:
    ids = rows.core.features.reshape(-1, 5).astype(int)
    assert rows.y is not None
    weight = np.linspace(0, 1, len(ids))
    sets = {
        "dataset": rows,
        "tuple of a dataset": (rows,),
        "arrays": (ids, rows.y),
        "weighted": (ids, rows.y, weight),
    }
    model = fm().fit(ids, rows.y, eval_set=sets)
    columns = [model.history_[f"{name}_logloss"] for name in sets]
    assert columns[0] == columns[1] == columns[2] != columns[3]
    p = model.predict_proba(ids)[:, 1]
    assert columns[3][-1] == pyfm.metrics.logloss(rows.y, p, sample_weight=weight)


def test_the_first_set_and_the_first_metric_decide(rows: Dataset) -> None:
    train, first, second = rows[:1000], rows[1000:1500], rows[1500:]
    params = {"early_stopping": True, "n_iter_no_change": 2, "epochs": 30, "normalize": False}
    for metrics, sign in ((["auc", "logloss"], -1), (("logloss", "auc"), 1)):
        model = fm(metric=metrics, init_scale=1, **params)
        model.fit(train, eval_set={"first": first, "second": second})
        best = int(np.argmin(sign * np.array(model.history_[f"first_{metrics[0]}"])))
        assert (model.best_epoch_, model.n_iter_) == (best + 1, best + 3)


def test_the_loss_is_always_among_the_metrics(rows: Dataset) -> None:
    model = fm(metric="accuracy").fit(rows, eval_set=rows)
    assert {"valid_accuracy", "valid_logloss"} < set(model.history_)


@pytest.mark.parametrize("metric", ["auc", ["auc"], ["auc", "accuracy"]])
def test_model_files_keep_the_metrics(metric: Any, rows: Dataset, tmp_path: Path) -> None:
    fm(metric=metric).fit(rows, eval_set={"a set": rows}).save(tmp_path / "model")
    copy = pyfm.load(tmp_path / "model")
    assert copy.metric == metric
    assert "a set_auc" in copy.history_


def test_several_sets_need_both_classes_for_auc(rows: Dataset) -> None:
    assert rows.y is not None
    clicks = rows.core.take(np.flatnonzero(rows.y))
    with pytest.raises(ValueError, match=r"eval_set\['b'\]: expected rows of both classes"):
        fm(metric=["logloss", "auc"]).fit(rows, eval_set={"a": rows, "b": Dataset(clicks)})


# --- rows set apart -------------------------------------------------------------------------------


@pytest.mark.parametrize("fraction", [0.1, 0.25, 0.5])
def test_rows_set_apart_are_seeded_and_stratified(fraction: float) -> None:
    from pyfm.estimators.split import split

    rng = np.random.default_rng(0)
    y = (rng.random(1000) < 0.07).astype(np.float32)
    data = Dataset.from_ids(np.arange(1000)[:, None], y).core  # features tell rows apart
    train, valid = split(data, fraction, stratify=True, seed=1)
    assert sorted([*train.features, *valid.features]) == list(range(1000))
    assert valid.y is not None
    for label in (0, 1):
        assert (valid.y == label).sum() == round(fraction * (y == label).sum())
    again, other = (split(data, fraction, stratify=True, seed=s)[1].features for s in (1, 2))
    np.testing.assert_array_equal(again, valid.features)
    assert not np.array_equal(other, valid.features)
