"""Files of deep models that are damaged or hostile: `FormatError`, and nothing allocated."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from model_files import rewrite

import pyfm
from pyfm import FormatError

IDS = np.array([[0, 2], [0, 3], [1, 2], [1, 3]] * 20)
CLICKS = np.array([1, 0, 0, 1] * 20)
Change = Callable[[dict[str, Any], dict[str, Any]], None]


def write(path: Path) -> None:
    model = pyfm.DeepFMClassifier(n_factors=4, hidden=(6,), batch_norm=True, epochs=2)
    model.set_params(random_state=0).fit(IDS, CLICKS).save(path, optimizer_state=True)


def tower(**entries: Any) -> Change:
    """Changes what the network is made of."""

    def change(header: dict[str, Any], metadata: dict[str, Any]) -> None:
        metadata["spec"]["tower"] |= entries

    return change


def tensor(name: str, **entries: Any) -> Change:
    def change(header: dict[str, Any], metadata: dict[str, Any]) -> None:
        header[name] |= entries

    return change


def rename(old: str, new: str) -> Change:
    def change(header: dict[str, Any], metadata: dict[str, Any]) -> None:
        header[new] = header.pop(old)

    return change


def no_tower(header: dict[str, Any], metadata: dict[str, Any]) -> None:
    metadata["spec"]["tower"] = None


def unknown_entry(header: dict[str, Any], metadata: dict[str, Any]) -> None:
    metadata["spec"]["tower"]["depth"] = 3


def other_parts(header: dict[str, Any], metadata: dict[str, Any]) -> None:
    optimizers = metadata["training"]["optimizers"]
    optimizers["wide"] = optimizers.pop("deep")


DAMAGES: dict[str, tuple[Change, str]] = {
    "no tower": (no_tower, "spec.tower: expected one for deep models only"),
    "an unknown entry": (unknown_entry, "spec.tower: expected the entries"),
    "another width": (tower(hidden=[7]), r"tensor deep.0.weight: expected shape \(8, 7\)"),
    "huge widths": (tower(hidden=[65536] * 100), "tensors: expected"),
    "widths beyond all": (tower(hidden=[2**40]), r"hidden\[0\]: expected an integer in"),
    "too many layers": (tower(hidden=[1] * 101), "hidden: expected"),
    "no widths": (tower(hidden="400"), "hidden: expected"),
    "an activation": (tower(activation="swish"), "activation: expected one of"),
    "a rate": (tower(dropout=1.5), r"dropout: expected a number in \[0, 1\)"),
    "no normalization": (tower(batch_norm=False), "tensors: expected"),
    "another type": (tensor("deep.0.weight", dtype="I32"), "deep.0.weight: expected type F32"),
    "narrow statistics": (
        tensor("deep.1.n_batches", dtype="F32", shape=[2]), "n_batches: expected type F64"
    ),
    "a tensor less": (rename("deep.2.bias", "deep.2.offset"), "tensors: expected"),
    "state of another": (rename("state.deep.2.bias", "state.deep.9.bias"), "tensors: expected"),
    "other parts": (other_parts, "training.optimizers: expected those of"),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged(damage: str, tmp_path: Path) -> None:
    change, message = DAMAGES[damage]
    path = tmp_path / "model"
    write(path)
    rewrite(path, change)
    with pytest.raises(FormatError, match=message) as error:
        pyfm.load(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("0.weight", np.nan, "tensor deep.0.weight: expected finite numbers"),
        ("1.moving_mean", np.inf, "tensor deep.1.moving_mean: expected finite numbers"),
        ("1.population_variance", -1.0, "population_variance: expected numbers >= 0"),
        ("1.n_batches", -1.0, "n_batches: expected numbers >= 0"),
    ],
)
def test_numbers_that_cannot_be(name: str, value: float, message: str, tmp_path: Path) -> None:
    path = tmp_path / "model"
    write(path)
    place: list[int] = []

    def find(header: dict[str, Any], metadata: dict[str, Any]) -> None:
        place.append(header[f"deep.{name}"]["data_offsets"][0])

    rewrite(path, find)
    content = bytearray(path.read_bytes())
    begin = 8 + int.from_bytes(content[:8], "little") + place[0]
    number = np.array(value, "<f8" if name.startswith("1.") else "<f4").tobytes()
    content[begin : begin + len(number)] = number
    path.write_bytes(content)
    with pytest.raises(FormatError, match=message):
        pyfm.load(path)


@given(position=st.integers(0, 10**6), value=st.integers(0, 255))
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_byte_changed(position: int, value: int, tmp_path: Path) -> None:
    """A changed byte is found, or changes what it means, but nothing else is raised."""
    path = tmp_path / "model"
    write(path)
    content = bytearray(path.read_bytes())
    content[position % len(content)] = value
    path.write_bytes(content)
    # A file may be whole and say that `fit` was given another kind of X.
    refusals = f"^({re.escape(str(path))}: |X)"
    try:
        pyfm.load(path).predict_proba(IDS)
    except ValueError as error:
        if not re.match(refusals, str(error)):
            raise
