"""A fit that goes on from a checkpoint ends with the same bits as one that was not interrupted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from resuming import EPOCHS, KINDS, OVERFITTING, PLATEAU, assert_resumes, assert_same

import pyfm
from pyfm import Dataset
from pyfm.callbacks import checkpoint
from pyfm.model_file import layout
from pyfm.optim import FTRL, OPTIMIZERS, AdaGrad, Adam
from pyfm.schedules import Exponential


@pytest.fixture(scope="module")
def rows() -> Dataset:
    return pyfm.datasets.make_ctr(300, n_fields=4, n_features=60, random_state=0)[0]


MODELS: list[tuple[Any, dict[str, Any]]] = [(pyfm.LinearClassifier, {})] + [
    (kind, {"dtype": dtype, "linear": True, "n_factors": 5})
    for kind in (pyfm.FMClassifier, pyfm.FFMClassifier)
    for dtype in ("float32", "float16")
]


@pytest.mark.parametrize("batch_size", [1, 3, "full"])
@pytest.mark.parametrize("optimizer", list(OPTIMIZERS))
@pytest.mark.parametrize(("kind", "params"), MODELS)
def test_from_every_epoch(
    kind: Any, params: Any, optimizer: str, batch_size: Any, rows: Dataset, tmp_path: Path
) -> None:
    def make(**others: Any) -> Any:
        fixed = {"epochs": 3, "random_state": 0, "optimizer": optimizer, "batch_size": batch_size}
        return kind(**fixed, **params, **others)

    assert_resumes(make, tmp_path, rows, n_jobs=(1,) if batch_size == 1 else (1, 2, 4))


def test_a_warm_start_with_fewer_features(rows: Dataset, tmp_path: Path) -> None:
    """What has to be the same are the rows, not the model that goes on with them."""
    ids, y = np.array([[0, 3], [1, 5], [2, 9]] * 5), [0, 1, 1] * 5
    path = tmp_path / "checkpoint"

    def make(epochs: int) -> Any:
        return pyfm.FFMClassifier(epochs=epochs, warm_start=True, random_state=0)

    few = Dataset.from_ids(ids[:, :1], y)
    whole = make(2).fit(Dataset.from_ids(ids, y)).set_params(epochs=4).fit(few)
    part = make(2).fit(Dataset.from_ids(ids, y)).fit(few, callbacks=[checkpoint(path)])
    assert (part.n_features_in_, part.n_fields_, part.n_iter_) == (10, 2, 4)
    assert_same(make(4).fit(few, resume_from=path), whole)
    with pytest.raises(ValueError, match=r"^X: expected 3 features, as in .*, found 10"):
        make(4).fit(Dataset.from_ids(ids[:, :1], y, n_features=10), resume_from=path)


VARIANTS: dict[str, dict[str, Any]] = {
    "parts": {"optimizer": {"linear": FTRL(l1=0.1), "factors": Adam(0.01)}},
    "parts, one without state": {"optimizer": {"linear": "sgd", "factors": "adagrad"}},
    "no linear part": {"linear": False},
    "schedule": {"learning_rate_schedule": Exponential(0.5), "optimizer": "sgd"},
    "plateau": {"learning_rate_schedule": PLATEAU, **OVERFITTING},
    "early stopping": {"early_stopping": True, "n_iter_no_change": 2, "epochs": 20, **OVERFITTING},
    "early stopping of float16": {
        "early_stopping": True, "n_iter_no_change": 3, "epochs": 20, "dtype": "float16",
        "batch_size": 7, **OVERFITTING,
    },
    "early stopping and plateau": {
        "early_stopping": True, "n_iter_no_change": 3, "epochs": 20,
        "learning_rate_schedule": PLATEAU, **OVERFITTING,
    },
    "early stopping at once": {"early_stopping": True, "n_iter_no_change": 1, "tol": 9},
    "negative sampling": {"negative_sampling": 0.4},
    "class weights": {"class_weight": "balanced", "label_smoothing": 0.1},
    "class weights by label": {"class_weight": {1: 3}, "negative_sampling": 0.7},
    "penalties": {"optimizer": AdaGrad(0.2, l1=0.01, clip_value=0.1, clip_norm=1.0)},
    "metrics": {"metric": ["auc", "calibration_ratio"]},
    "augmentation": {"augmentation": pyfm.Augmentation(feature_dropout=0.3, bootstrap=True)},
}  # fmt: skip


@pytest.mark.parametrize("validation", ["none", "one", "two"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_with_all_that_fits_are_told(
    variant: str, validation: str, rows: Dataset, tmp_path: Path
) -> None:
    train, valid, test = rows[:200], rows[200:250], rows[250:]
    sets = {"none": None, "one": valid, "two": {"a": valid, "b": test}}

    def make(**others: Any) -> Any:
        fixed = {"epochs": EPOCHS, "random_state": 3} | VARIANTS[variant] | others
        return pyfm.FMClassifier(**fixed)

    whole = assert_resumes(make, tmp_path, train, eval_set=sets[validation])
    if "early stopping" in variant:
        assert whole.best_epoch_ < whole.n_iter_ < 20


@pytest.mark.parametrize(
    "params", [{}, {"early_stopping": True, "negative_sampling": 0.5}], ids=str
)
def test_a_seed_that_was_drawn(params: dict[str, Any], rows: Dataset, tmp_path: Path) -> None:
    def make(**others: Any) -> Any:
        return pyfm.FFMClassifier(epochs=EPOCHS, **params, **others)

    assert_resumes(make, tmp_path, rows)
    state = np.random.RandomState(5)
    assert_resumes(lambda **others: make(random_state=state, **others), tmp_path, rows)


@pytest.mark.parametrize("kind", [pyfm.LinearRegressor, pyfm.FMRegressor, pyfm.FFMRegressor])
def test_matrices(kind: Any, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 5)).astype(np.float32), rng.normal(size=30)

    def make(**others: Any) -> Any:
        return kind(epochs=3, random_state=0, **others)

    assert_resumes(make, tmp_path, X, y, sample_weight=np.arange(30.0))
    assert_resumes(make, tmp_path, X, y, fields=[0, 0, 1, 1, 2], eval_set=(X, y))
    assert_resumes(make, tmp_path, rng.integers(0, 9, (30, 3)), y)


def test_tables_of_many_pieces(
    rows: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout, "_CHUNK_BYTES", 100)

    def make(**others: Any) -> Any:
        return pyfm.FFMClassifier(linear=True, optimizer="adam", random_state=0, epochs=3, **others)

    assert_resumes(make, tmp_path, rows)


@pytest.mark.parametrize("batch_size", [1, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_on_every_level(
    kind: Any, batch_size: int, rows: Dataset, tmp_path: Path, level: str
) -> None:
    def make(**others: Any) -> Any:
        return kind(epochs=2, random_state=0, batch_size=batch_size, **others)

    assert_resumes(make, tmp_path, rows)


def test_on_another_level(rows: Dataset, tmp_path: Path, level: str) -> None:
    """What is stored does not depend on it; the sums that follow may, in their last digits."""

    def make(epochs: int) -> Any:
        return pyfm.FFMClassifier(optimizer="adam", random_state=0, epochs=epochs)

    path = tmp_path / "checkpoint"
    before = make(2).fit(rows, callbacks=[checkpoint(path)])
    pyfm.set_simd("portable")
    resumed = make(2).fit(rows, resume_from=path)
    assert_same(resumed, before)


def test_several_threads_go_on_with_their_copies_of_frequent_rows(
    rows: Dataset, tmp_path: Path
) -> None:
    """Example by example they do not repeat their bits, but what they know of the rows is kept."""
    model = pyfm.FMClassifier(epochs=3, n_jobs=2, random_state=0)
    path = tmp_path / "checkpoint"
    model.fit(rows, callbacks=[checkpoint(path)])
    model.set_params(epochs=6)
    before = model._model.frequencies
    assert len(before) == len(model._model.features)
    model.fit(rows, resume_from=path)
    np.testing.assert_array_equal(model._model.frequencies, before)
    assert model.history_["epoch"] == [1, 2, 3, 4, 5, 6]
    assert model.history_["train_logloss"][-1] < model.history_["train_logloss"][2]
