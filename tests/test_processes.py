"""Threads, forks and environments around the library."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import pyfm
from pyfm import Dataset

ROWS, _ = pyfm.datasets.make_ctr(4000, n_fields=5, n_features=400, random_state=0)


def simd_in_a_new_process(level: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "import pyfm; print(pyfm.simd())"],
        env=os.environ | {"PYFM_SIMD": level},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("level", pyfm.simd_levels())
def test_the_environment_names_the_level(level: str) -> None:
    assert simd_in_a_new_process(level).stdout == f"{level}\n"


def test_the_best_level_is_the_default() -> None:
    assert simd_in_a_new_process("").stdout == f"{pyfm.simd_levels()[-1]}\n"


def test_an_unknown_level_of_the_environment_is_named() -> None:
    done = simd_in_a_new_process("mmx")
    assert "ValueError: PYFM_SIMD: expected one of 'portable'" in done.stderr
    assert done.stderr.rstrip().endswith("found 'mmx'")


def _fit(n_jobs: int) -> pyfm.FFMClassifier:
    return pyfm.FFMClassifier(epochs=2, n_jobs=n_jobs, random_state=0).fit(ROWS)


def test_all_processors() -> None:
    last = _fit(-1).history_["train_logloss"][-1]
    assert last == pytest.approx(_fit(1).history_["train_logloss"][-1], abs=0.01)


def test_models_are_trained_in_several_threads_of_python() -> None:
    with ThreadPoolExecutor(3) as pool:
        models = list(pool.map(_fit, [1, 1, 1]))
    expected = _fit(1).decision_function(ROWS)
    for model in models:
        assert np.array_equal(model.decision_function(ROWS), expected)


# Python 3.12 warns of any fork beside threads, which is the point of this test.
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_predicts_and_trains() -> None:
    model = _fit(2)  # whose threads the child does not have
    expected = model.decision_function(ROWS)

    def child(results: multiprocessing.Queue[bool]) -> None:
        _fit(2)
        results.put(bool((model.set_params(n_jobs=2).decision_function(ROWS) == expected).all()))

    context = multiprocessing.get_context("fork")
    results = context.Queue()
    process = context.Process(target=child, args=(results,))
    process.start()
    assert results.get(timeout=60)
    process.join(timeout=60)
    assert process.exitcode == 0


def test_a_data_set_of_another_process() -> None:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(len, (Dataset.from_ids([[0, 1], [0, 2]], [0, 1]),)) == 2
