"""Threads of estimators in joblib's workers: what `n_jobs` means there, how many there are."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import Any

import joblib
import numpy as np
import pytest
import threadpoolctl
from sklearn.model_selection import cross_validate

import pyfm
from pyfm import _core
from pyfm.estimators.threads import n_threads, processors

ROWS, _ = pyfm.datasets.make_ctr(3000, n_fields=5, n_features=200, random_state=0)

needs_tasks = pytest.mark.skipif(
    not os.path.isdir("/proc/self/task"), reason="this system does not show its threads"
)


def threads_used(n_jobs: int | None) -> int:
    """Those that the system sees while a model is fitted, more than before; 1 is the caller's."""
    before = len(os.listdir("/proc/self/task"))
    most = 0

    def count(_: Any) -> None:
        nonlocal most
        most = max(most, len(os.listdir("/proc/self/task")))

    pyfm.FMClassifier(epochs=2, n_jobs=n_jobs, random_state=0).fit(ROWS, callbacks=[count])
    return most - before + 1


def in_a_new_process(program: str, **environment: str) -> str:
    """What it prints, as on a machine of 8 processors."""
    begin = (
        "import joblib\n"
        "joblib.cpu_count = lambda *_, **__: 8\n"
        "from pyfm.estimators.threads import n_threads, processors\n"
    )
    inherited = {k: v for k, v in os.environ.items() if k != "OMP_NUM_THREADS"}
    done = subprocess.run(
        [sys.executable, "-c", begin + program], env=inherited | environment,
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_alone() -> None:
    assert [n_threads(n) for n in (None, 1, 3)] == [1, 1, 3]
    assert processors() == min(joblib.cpu_count(), _core.max_threads())
    assert n_threads(-1) == processors()
    assert n_threads(-processors()) == n_threads(-1000) == 1


def test_the_limit_of_openmp() -> None:
    assert in_a_new_process("print(n_threads(-1))", OMP_NUM_THREADS="5") == "5"
    assert in_a_new_process("print(n_threads(-2), n_threads(6))", OMP_NUM_THREADS="5") == "4 6"
    assert in_a_new_process("print(n_threads(-1))", OMP_NUM_THREADS="64") == "8"
    with threadpoolctl.threadpool_limits(1, user_api="openmp"):
        assert n_threads(-1) == 1


def test_a_context_of_joblib_does_not_change_one_thread() -> None:
    with joblib.parallel_config("threading", n_jobs=4):
        assert n_threads(None) == 1
        assert n_threads(-1) == processors() == min(joblib.cpu_count(), _core.max_threads())


@pytest.mark.parametrize(("backend", "inner", "expected"), [
    ("loky", None, max(joblib.cpu_count() // 2, 1)),
    ("loky", 1, 1),
    ("threading", None, 1),
    ("multiprocessing", None, 1),
])  # fmt: skip
# Python 3.12 warns of any fork beside threads.
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_workers_share_the_processors(backend: str, inner: int | None, expected: int) -> None:
    options = {} if inner is None else {"inner_max_num_threads": inner}
    with joblib.parallel_config(backend, n_jobs=2, **options):
        parallel = joblib.Parallel()
        assert parallel(joblib.delayed(n_threads)(-1) for _ in range(4)) == [expected] * 4
        assert parallel(joblib.delayed(n_threads)(None) for _ in range(4)) == [1] * 4
        assert parallel(joblib.delayed(n_threads)(2) for _ in range(4)) == [2] * 4


def nested(n_jobs: int) -> list[int]:
    tasks = (joblib.delayed(n_threads)(n_jobs) for _ in range(2))
    found: list[int] = joblib.Parallel(n_jobs=2, backend="threading")(tasks)
    return found


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_workers_of_workers(backend: str) -> None:
    tasks = (joblib.delayed(nested)(-1) for _ in range(2))
    assert joblib.Parallel(n_jobs=2, backend=backend)(tasks) == [[1, 1], [1, 1]]


def test_threads_that_are_not_joblibs_are_left_alone() -> None:
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(n_threads(-1)))
    thread.start()
    thread.join()
    assert found == [processors()]


@needs_tasks
@pytest.mark.parametrize("n_jobs", [None, -1, 3])
def test_threads_of_processes(n_jobs: int | None) -> None:
    with joblib.parallel_config("loky", n_jobs=2, inner_max_num_threads=1):
        found = joblib.Parallel()(joblib.delayed(threads_used)(n_jobs) for _ in range(2))
    assert found[0] == (3 if n_jobs == 3 else 1)


@needs_tasks
def test_threads_of_threads() -> None:
    """Two folds at a time, all in this process, whose threads are counted while they run."""
    before = len(os.listdir("/proc/self/task"))
    counts: list[int] = []

    def count(_: Any) -> None:
        counts.append(len(os.listdir("/proc/self/task")))

    model = pyfm.FMClassifier(epochs=3, n_jobs=-1, random_state=0)
    with joblib.parallel_config("threading", n_jobs=2):
        scores = cross_validate(model, ROWS, ROWS.y, cv=4, params={"callbacks": [count]})
    # joblib's two workers, and the three threads of its pool that look after them.
    assert max(counts) - before <= 2 + 3
    again = cross_validate(model.set_params(n_jobs=1), ROWS, ROWS.y, cv=4)
    assert np.array_equal(scores["test_score"], again["test_score"])
