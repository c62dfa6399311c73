"""Checkpoints and files with the state of the optimizers, beside warm_start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from resuming import KINDS, assert_same

import pyfm
from pyfm import Dataset
from pyfm.callbacks import checkpoint
from pyfm.optim import FTRL, OPTIMIZERS


@pytest.fixture(scope="module")
def rows() -> Dataset:
    return pyfm.datasets.make_ctr(300, n_fields=4, n_features=60, random_state=0)[0]


@pytest.mark.parametrize("optimizer", list(OPTIMIZERS))
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_with_state_goes_on_exactly(
    kind: Any, optimizer: str, rows: Dataset, tmp_path: Path
) -> None:
    path = tmp_path / "model"
    model = kind(epochs=2, optimizer=optimizer, warm_start=True, random_state=0).fit(rows)
    model.save(path, optimizer_state=True)
    copy = pyfm.load(path)
    np.testing.assert_array_equal(copy.predict_proba(rows), model.predict_proba(rows))
    assert_same(copy.set_params(epochs=3).fit(rows), model.set_params(epochs=3).fit(rows))
    copy.save(path, optimizer_state=True)
    assert_same(pyfm.load(path).fit(rows), model.fit(rows))


def test_a_checkpoint_warms_a_start(rows: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    model = pyfm.FMClassifier(epochs=2, warm_start=True, random_state=0)
    model.fit(rows, callbacks=[checkpoint(path)])
    assert_same(pyfm.load(path).fit(rows), model.fit(rows))


def test_a_warm_fit_is_resumed(rows: Dataset, tmp_path: Path) -> None:
    """Its epochs count on, and `epochs` are its own."""

    def warm() -> Any:
        model = pyfm.FMClassifier(epochs=2, warm_start=True, random_state=0).fit(rows)
        return model.set_params(epochs=3, random_state=1)

    whole = warm().fit(rows, callbacks=[checkpoint(tmp_path / "{epoch}")])
    assert whole.history_["epoch"] == [3, 4, 5]
    for epoch in (3, 4, 5):
        resumed = pyfm.FMClassifier(epochs=3, warm_start=True, random_state=1)
        resumed.fit(rows, resume_from=tmp_path / str(epoch))
        assert_same(resumed, whole)
        assert_same(resumed.fit(rows), pyfm.load(tmp_path / "5").fit(rows))


def test_more_epochs_than_were_planned(rows: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    pyfm.FMClassifier(epochs=2, random_state=0).fit(rows, callbacks=[checkpoint(path)])
    whole = pyfm.FMClassifier(epochs=5, random_state=0).fit(rows)
    assert_same(pyfm.FMClassifier(epochs=5, random_state=0).fit(rows, resume_from=path), whole)


def test_state_that_is_of_no_use_is_not_saved(rows: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "model"
    model = pyfm.FMClassifier(early_stopping=True, n_iter_no_change=1, tol=9, random_state=0)
    model.fit(rows)
    with pytest.raises(ValueError, match="optimizer_state: expected False, since the model has no"):
        model.save(path, optimizer_state=True)
    assert not path.exists()
    model.save(path)
    with pytest.raises(ValueError, match="optimizer_state"):
        pyfm.load(path).save(path, optimizer_state=True)


@pytest.mark.parametrize(
    ("optimizer", "slots"),
    [("sgd", 0), ("adagrad", 1), ("ftrl", 1), (FTRL(l1=1e-9), 2), ("adam", 3)],
)
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_sizes(optimizer: Any, slots: int, dtype: str, rows: Dataset, tmp_path: Path) -> None:
    model = pyfm.FFMClassifier(
        epochs=1, n_factors=32, optimizer=optimizer, dtype=dtype, random_state=0
    ).fit(rows)
    for name, state in (("lean", False), ("whole", True)):
        model.save(tmp_path / name, optimizer_state=state)
    lean, whole = ((tmp_path / name).stat().st_size for name in ("lean", "whole"))
    table = model.factors_[model._model.features].size * np.dtype(dtype).itemsize
    assert slots * table <= whole - lean < slots * table + 2000
    assert pyfm.load(tmp_path / "whole")._model.nbytes == model._model.nbytes
    assert pyfm.load(tmp_path / "lean")._model.nbytes < model._model.nbytes or not slots


def test_the_best_weights_have_no_state_of_their_own(rows: Dataset, tmp_path: Path) -> None:
    params: dict[str, Any] = {"early_stopping": True, "n_iter_no_change": 2, "tol": 9}
    model = pyfm.FFMClassifier(n_factors=32, optimizer="adam", random_state=0, **params)
    model.fit(rows, callbacks=[checkpoint(tmp_path / "{epoch}")])
    first, second = ((tmp_path / name).stat().st_size for name in "12")
    table = 4 * model.factors_[model._model.features].size
    assert table <= second - first < table + 1000
