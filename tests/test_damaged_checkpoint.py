"""Checkpoints and files with optimizers' state that are damaged or hostile: `FormatError`."""

from __future__ import annotations

import json
import re
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from model_files import rewrite
from test_damaged_model_file import CLICKS, IDS, drop, put, rename, tensor

import pyfm
from pyfm import FormatError

PARAMS: dict[str, Any] = {"random_state": 0, "early_stopping": True, "tol": 9}


def write(path: Path) -> None:
    """Of an FMClassifier with 4 features, 8 factors and linear terms; with the best weights."""
    model = pyfm.FMClassifier(epochs=2, optimizer="adam", **PARAMS)
    model.fit(IDS, CLICKS, callbacks=[pyfm.callbacks.checkpoint(path)])


def add(key: str, value: Any) -> Any:
    return put("training", key, value=value)


def drop_state(header: dict[str, Any], metadata: dict[str, Any]) -> None:
    del metadata["training"]["optimizers"]


DAMAGES: dict[str, tuple[Any, str]] = {
    "no training": (drop("training"), "tensor features: expected increasing ids|tensors: expected"),
    "training of another type": (put("training", value=[]), "metadata: training: expected dict"),
    "no optimizers": (drop_state, "expected an entry 'optimizers'"),
    "optimizers of no part": (add("optimizers", {}), "training.optimizers: expected those of"),
    "optimizer of another part": (
        put("training", "optimizers", "deep", value="adam"), "training.optimizers: expected those"
    ),
    "optimizer in words": (
        put("training", "optimizers", "linear", value="adam"), "expected Optimizer, found 'str'"
    ),
    "unknown optimizer": (
        put("training", "optimizers", "linear", value={"name": "x"}), "optimizer: expected one of"
    ),
    "parts of a part": (
        put("training", "optimizers", "linear", value={"parts": {}}), "expected Optimizer, found"
    ),
    "optimizer out of range": (
        put("training", "optimizers", "linear", "beta1", value=2), "Adam.beta1: expected"
    ),
    "another optimizer": (
        put("training", "optimizers", "linear", value={"name": "ftrl"}),
        r"tensor state\.(bias|linear): expected shape \(1,.* found \(3,",
    ),
    "optimizer without state": (
        put("training", "optimizers", "linear", value={"name": "sgd"}), "tensors: expected"
    ),
    "seed in words": (add("seed", "1"), "seed: expected int"),
    "negative seed": (add("seed", -1), "training.seed: expected an integer in"),
    "huge seed": (add("seed", 2**64), "training.seed: expected an integer in"),
    "origin in words": (add("origin", "1"), "origin: expected dict or NoneType"),
    "origin of less": (add("origin", {"n_rows": 1}), "training.origin: expected the entries"),
    "negative rows": (
        put("training", "origin", "n_rows", value=-1), "training.origin.n_rows: expected an integer"
    ),
    "rows beyond integers": (
        put("training", "origin", "n_rows", value=2**63), "origin.n_rows: expected an integer in"
    ),
    "rows in words": (put("training", "origin", "nnz", value="1"), "origin.nnz: expected"),
    "batches in words": (add("n_batches", "1"), "training.n_batches: expected an integer in"),
    "negative batches": (add("n_batches", -1), "training.n_batches: expected an integer in"),
    "history of a stream": (
        put("history", value={"call": [1, 2]}), "metadata: history: expected the epochs of a fit"
    ),
    "best of no checkpoint": (add("origin", None), "has_best: expected false where there is no"),
    "best in words": (add("has_best", 1), "has_best: expected bool"),
    "no best": (add("has_best", False), "tensors: expected"),
    "missing best": (rename("best.linear", "best.liner"), "tensors: expected"),
    "missing state": (rename("state.linear", "state.liner"), "tensors: expected"),
    "missing frequencies": (rename("frequencies", "frequency"), "tensors: expected"),
    "missing features": (rename("features", "feature"), "tensors: expected features in the order"),
    "state of another type": (tensor("state.linear", dtype="I32"), "state.linear: expected type"),
    "state of another shape": (
        tensor("state.factors", shape=[4, 8, 3]), r"expected shape \(4, 3, 8\), found \(4, 8, 3\)"
    ),
    "best of another shape": (tensor("best.factors", shape=[8, 4]), r"expected shape \(4, 8\)"),
    "frequencies of another shape": (tensor("frequencies", shape=[4, 1]), r"shape \(n,\)"),
    "newer format": (put("format_version", value=2), "expected format version 1, found 2"),
}  # fmt: skip


def fails(path: Path, message: str, *, resumes_only: bool = False) -> None:
    if not resumes_only:
        with pytest.raises(FormatError, match=message):
            pyfm.load(path)
    model = pyfm.FMClassifier(epochs=2, optimizer="adam", **PARAMS)
    with pytest.raises(FormatError, match=message) as error:
        model.fit(IDS, CLICKS, resume_from=path)
    assert str(path) in str(error.value)
    assert not hasattr(model, "history_")


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged(damage: str, tmp_path: Path) -> None:
    change, message = DAMAGES[damage]
    path = tmp_path / "model"
    write(path)
    rewrite(path, change)
    fails(path, message)


def replace(path: Path, name: str, values: Any) -> None:
    """Writes other bytes into the beginning of a tensor."""
    content = bytearray(path.read_bytes())
    (size,) = struct.unpack("<Q", content[:8])
    begin = 8 + size + json.loads(content[8 : 8 + size])[name]["data_offsets"][0]
    data = np.asarray(values).tobytes()
    content[begin : begin + len(data)] = data
    path.write_bytes(content)


@pytest.mark.parametrize("features", [[1, 1, 2, 3], [0, 1, 2, 4], [2**32 - 1, 0, 1, 2]])
def test_features_that_are_none_or_come_twice(features: list[int], tmp_path: Path) -> None:
    path = tmp_path / "model"
    write(path)
    replace(path, "features", np.array(features, "<u4"))
    fails(path, "tensor features: expected different ids below 4")


@pytest.mark.parametrize("name", ["state.bias", "state.linear", "state.factors", "frequencies"])
def test_state_that_is_no_number(name: str, tmp_path: Path) -> None:
    path = tmp_path / "model"
    write(path)
    replace(path, name, np.array([np.nan], "<f4"))
    fails(path, f"tensor {name}: expected numbers, found 'NaN'")


@pytest.mark.parametrize("name", ["best.bias", "best.linear", "best.factors"])
def test_best_weights_that_are_no_numbers(name: str, tmp_path: Path) -> None:
    path = tmp_path / "model"
    write(path)
    replace(path, name, np.array([np.inf], "<f4"))
    pyfm.load(path)  # it has no use for them
    fails(path, f"tensor {name}: expected finite weights", resumes_only=True)


def test_truncated_anywhere(tmp_path: Path) -> None:
    path = tmp_path / "model"
    write(path)
    content = path.read_bytes()
    for size in range(0, len(content), 53):
        path.write_bytes(content[:size])
        with pytest.raises(FormatError, match="model: "):
            pyfm.load(path)


@given(position=st.integers(0, 10**6), value=st.integers(0, 255))
@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_byte_changed(position: int, value: int, tmp_path: Path) -> None:
    """A changed byte is found, or changes what it means: the training goes on or refuses."""
    path, good = tmp_path / "model", tmp_path / "good"
    if not good.exists():
        write(good)
    content = bytearray(good.read_bytes())
    content[position % len(content)] = value
    path.write_bytes(content)
    model = pyfm.FMClassifier(epochs=3, optimizer="adam", **PARAMS)
    refusals = f"({re.escape(str(path))}|^X|training diverged|diverge)"
    try:
        model.fit(IDS, CLICKS, resume_from=path)
    except ValueError as error:
        if not re.search(refusals, str(error)):
            raise
