"""Fits of several epochs look features up once: the model is the same, to the bit."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from shell import program
from sklearn.base import clone

import pyfm
from pyfm import Dataset, _core

N = 400
RNG = np.random.default_rng(0)
Y = RNG.integers(0, 2, N)
IDS = RNG.integers(0, 30, (N, 4)) + 30 * np.arange(4)


def rows_with(kind: str) -> Any:
    if kind == "one per field":
        return Dataset.from_ids(IDS.astype(np.uint32), Y)
    if kind == "selection":
        return rows_with("one per field")[RNG.permutation(N)[: N // 2]]
    dense = np.zeros((N, 120), np.float32)  # a third of the entries missing, values
    np.put_along_axis(dense, IDS, RNG.uniform(0.5, 2, IDS.shape) * (IDS % 3 > 0), axis=1)
    return Dataset.from_csr(sparse.csr_matrix(dense), Y, fields=np.arange(120) // 30)


ESTIMATORS = {
    "linear": pyfm.LinearClassifier(epochs=3, random_state=0),
    "fm": pyfm.FMClassifier(epochs=3, min_count=12, random_state=0),
    "ffm": pyfm.FFMClassifier(epochs=3, linear=True, dtype="float16", random_state=0),
    "batches": pyfm.FMClassifier(epochs=3, batch_size=32, n_jobs=3, random_state=0),
    "deep": pyfm.WideDeepClassifier(epochs=3, hidden=(8,), deep_fields=[1], random_state=0),
}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether numbers were found, at each time when the core was asked for them."""
    number_rows, answers = _core.Model.number_rows, []

    def spy(*arguments: Any, **options: Any) -> Any:
        found = number_rows(*arguments, **options)
        answers.append(found is not None)
        return found

    monkeypatch.setattr(_core.Model, "number_rows", spy)
    return answers


@pytest.mark.parametrize("kind", ["one per field", "selection", "values and gaps"])
@pytest.mark.parametrize("name", ESTIMATORS)
def test_the_same_bits(
    name: str, kind: str, asked: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = rows_with(kind)
    found = clone(ESTIMATORS[name]).fit(rows)
    assert asked == [True]
    monkeypatch.setattr(_core.Model, "number_rows", lambda *_, **__: None)
    expected = clone(ESTIMATORS[name]).fit(rows)
    np.testing.assert_array_equal(found.decision_function(rows), expected.decision_function(rows))
    train = "train_logloss"
    assert found.history_[train] == expected.history_[train]


def test_where_it_does_not_pay(asked: list[bool]) -> None:
    rows = rows_with("one per field")
    pyfm.LinearClassifier(epochs=1).fit(rows)
    augmentation = pyfm.Augmentation(feature_dropout=0.1)
    pyfm.LinearClassifier(epochs=2, augmentation=augmentation).fit(rows)
    model = pyfm.LinearClassifier(epochs=1, warm_start=True).fit(rows).fit(rows)
    assert asked == []
    model.set_params(epochs=2).fit(rows)
    assert asked == [True]
    pyfm.LinearClassifier(epochs=2).fit(rows[np.arange(10)])
    assert asked == [True, False], "of few of the rows that are stored"


def test_rows_of_another_time_are_refused() -> None:
    model = pyfm.LinearClassifier(epochs=2, random_state=0)
    core = model.fit(rows_with("one per field"))._model
    first, second = (rows_with("one per field").core for _ in range(2))
    core.initialize(first, n_threads=1)
    numbered = core.number_rows(first, n_threads=1)
    options: Any = {"epoch": 0, "shuffle": True, "n_threads": 1, "poll": None}
    core.train_epoch(first, numbered=numbered, **options)
    with pytest.raises(ValueError, match="numbered: expected the rows of these data"):
        core.train_epoch(second, numbered=numbered, **options)


# 200,000 rows of 40 entries, whose numbers take 30.5 MiB.
LITTLE_MEMORY = """
import re, resource, sys
import numpy as np
import pyfm
data = pyfm.Dataset.from_ids(np.ones((200_000, 40), np.uint32), np.arange(200_000) % 2)
number_rows = pyfm._core.Model.number_rows
def spy(*arguments, **options):
    found = number_rows(*arguments, **options)
    print(found is not None)
    return found
pyfm._core.Model.number_rows = spy
model = pyfm.LinearRegressor(epochs=2)
model.fit(data[:10])
used = int(re.search(r"VmSize:\\s*(\\d+) kB", open("/proc/self/status").read())[1]) << 10
limit = used + (int(sys.argv[1]) << 20)
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
model.fit(data)
"""


@pytest.mark.parametrize(("mebibytes", "answer"), [(200, "False"), (400, "True")])
@pytest.mark.skipif(sys.platform != "linux", reason="reads the size in /proc")
def test_no_more_than_an_eighth_of_the_memory(mebibytes: int, answer: str) -> None:
    done = subprocess.run(
        program(LITTLE_MEMORY, str(mebibytes)), capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["True", answer]
