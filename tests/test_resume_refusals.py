"""Checkpoints that a fit cannot go on from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pyfm
from pyfm import Dataset, FormatError
from pyfm.callbacks import checkpoint, early_stopping, reset_parameter


@pytest.fixture(scope="module")
def rows() -> Dataset:
    return pyfm.datasets.make_ctr(300, n_fields=4, n_features=60, random_state=0)[0]


MADE: dict[str, Any] = {"epochs": 3, "random_state": 0}

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "optimizer": (
        {"optimizer": "sgd"}, r"^optimizer: expected AdaGrad\(.*, as in '.*', found SGD\("
    ),
    "rate": ({"learning_rate": 0.2}, r"^optimizer: expected AdaGrad\(learning_rate=0\.1, "),
    "parts": (
        {"optimizer": {"linear": "sgd", "factors": "adagrad"}},
        r"^optimizer: expected AdaGrad.*found \{'linear': SGD",
    ),
    "seed": ({"random_state": 1}, r"^random_state: expected 0, as in '.*', found 1$"),
    "batches": ({"batch_size": 2}, r"^batch_size: expected 1, as in '.*', found 2$"),
    "full batch": ({"batch_size": "full"}, r"^batch_size: expected 1, as .*, found 'full'$"),
    "factors": ({"n_factors": 3}, r"^n_factors: expected 8, that .*, since resume_from='.*found 3"),
    "storage": ({"dtype": "float16"}, "^dtype: expected 'float32', that of the fitted model"),
    "no linear part": ({"linear": False}, "^linear: expected True"),
    "scale": ({"init_scale": 0.1}, r"^init_scale: expected 0\.3"),
    "sampling": ({"negative_sampling": 0.5}, r"^negative_sampling: expected 1\.0, as in"),
    "smoothing": ({"label_smoothing": 0.5}, r"^label_smoothing: expected 0\.0, as in"),
    "class weights": ({"class_weight": "balanced"}, "^class_weight: expected None, as in"),
    "schedule": (
        {"learning_rate_schedule": "step"}, r"^learning_rate_schedule: expected Constant\(\), as"
    ),
    "augmentation": (
        {"augmentation": pyfm.Augmentation(bootstrap=True)}, "^augmentation: expected None, as in"
    ),
    "metric": ({"metric": "auc"}, r"^metric: expected \('logloss',\), as in"),
    "early stopping": ({"early_stopping": True}, "^early_stopping: expected False, as in"),
    "fewer epochs": ({"epochs": 1}, r"^epochs: expected at least 2, those in '.*', found 1$"),
}  # fmt: skip


@pytest.fixture
def path(rows: Dataset, tmp_path: Path) -> Path:
    """Of an FMClassifier after its second epoch."""
    pyfm.FMClassifier(**(MADE | {"epochs": 2})).fit(
        rows, callbacks=[checkpoint(tmp_path / "checkpoint")]
    )
    return tmp_path / "checkpoint"


def refused(model: Any, message: str, *given: Any, error: Any = ValueError, **options: Any) -> None:
    """With nothing trained, and the estimator as it was."""
    epochs: list[int] = []
    before = dict(vars(model))
    options = {"callbacks": [lambda env: epochs.append(env.epoch)]} | options
    with pytest.raises(error, match=message):
        model.fit(*given, **options)
    assert epochs == []
    assert vars(model) == before


@pytest.mark.parametrize("what", REFUSED)
def test_another_fit(what: str, path: Path, rows: Dataset) -> None:
    changes, message = REFUSED[what]
    refused(pyfm.FMClassifier(**(MADE | changes)), message, rows, resume_from=path)


def test_another_class(path: Path, rows: Dataset) -> None:
    message = "^resume_from: expected a checkpoint of the class FFMClassifier, found '.*FMClassifi"
    refused(pyfm.FFMClassifier(**MADE), message, rows, resume_from=path)


def test_other_data(path: Path, rows: Dataset) -> None:
    model = pyfm.FMClassifier(**MADE)
    refused(model, "^X: expected 300 rows, as in '.*', found 299$", rows[:299], resume_from=path)
    ids = rows.core.features.reshape(-1, 4)
    y = rows.y
    larger = Dataset.from_ids(ids, y, n_features=rows.n_features + 1)
    refused(model, f"^X: expected {rows.n_features} features, as in", larger, resume_from=path)
    refused(model, "^X: expected 4 fields", Dataset.from_ids(
        ids[:, :3], y, n_features=rows.n_features), resume_from=path)  # fmt: skip
    absent = ids.astype(np.int64)
    absent[0, 0] = -1
    holes = Dataset.from_ids(absent, y, n_features=rows.n_features)
    refused(model, "^X: expected 1200 features in its rows.*1199", holes, resume_from=path)
    assert y is not None
    other = y.copy()
    other[7] = 1 - other[7]
    same_size = Dataset.from_ids(ids, other, n_features=rows.n_features)
    refused(model, "^X: expected the rows, targets and weights of", same_size, resume_from=path)
    refused(model, "^X: expected a Dataset, as .*'a matrix of ids with 4", ids, y, resume_from=path)
    eval_set = {"eval_set": {"a": rows}}
    refused(
        model, r"^eval_set: expected \['train_logloss'\], as", rows, resume_from=path, **eval_set
    )


@pytest.mark.parametrize("n_iter_no_change", [1, 3])
def test_another_early_stopping_by_callback(
    n_iter_no_change: int, rows: Dataset, tmp_path: Path
) -> None:
    """It would have ended earlier, or would go back to weights that the file does not hold."""
    path = tmp_path / "checkpoint"
    given: dict[str, Any] = {"eval_set": rows}
    bad_rates = reset_parameter(learning_rate=lambda epoch: 0.1 if epoch == 1 else 50)
    model = pyfm.LinearClassifier(**MADE, optimizer="sgd", metric="logloss")
    model.fit(rows, callbacks=[bad_rates, checkpoint(path)], **given)
    assert model.best_epoch_ < model.n_iter_
    again = pyfm.LinearClassifier(**(MADE | {"epochs": 5}), optimizer="sgd", metric="logloss")
    refused(
        again,
        "^callbacks: expected the early stopping of '.*', found 'another or none'",
        rows,
        resume_from=path,
        callbacks=[early_stopping(n_iter_no_change)],
        **given,
    )


def test_files_that_are_no_checkpoints(rows: Dataset, tmp_path: Path) -> None:
    path, message = tmp_path / "model", r"^resume_from: expected a file of pyfm\.callbacks\.checkpo"
    model = pyfm.FMClassifier(**MADE).fit(rows)
    for state in (False, True):
        model.save(path, optimizer_state=state)
        refused(pyfm.FMClassifier(**MADE), message, rows, resume_from=path)
    refused(model, "^resume_from: expected the path of a checkpoint", rows, resume_from=3)
    refused(model, "missing", rows, resume_from=tmp_path / "missing", error=FileNotFoundError)


def test_truncated_anywhere(path: Path, rows: Dataset) -> None:
    content = path.read_bytes()
    model = pyfm.FMClassifier(**MADE)
    for size in range(0, len(content), 97):
        path.write_bytes(content[:size])
        refused(model, "checkpoint: ", rows, resume_from=path, error=FormatError)
