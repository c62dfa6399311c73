"""The thread that reads ahead: how it ends, whatever ends the work on what it reads."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from data_streams import DATA, assert_same_model, caches_in, write_ffm

import pyfm
from pyfm import Dataset

READERS = "pyfm-reader"


def readers() -> int:
    """How many are at work; one that was told to stop may need a moment."""
    limit = time.monotonic() + 20
    while time.monotonic() < limit:
        n = sum(thread.name == READERS for thread in threading.enumerate())
        if n == 0:
            return 0
        time.sleep(0.01)
    return n


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Several pieces."""
    path = write_ffm(tmp_path_factory.mktemp("rows") / "rows.ffm")
    path.write_text(path.read_text() * 150)
    return path


@pytest.fixture(scope="module")
def model(path: Path) -> Any:
    return pyfm.FMClassifier(epochs=1, random_state=0).fit(Dataset.stream(path))


def always(call: Callable[[], object]) -> None:
    while True:
        call()


CALLS: dict[str, Callable[[Any, Path], object]] = {
    "fit": lambda model, path: pyfm.FMClassifier(epochs=10_000).fit(
        Dataset.stream(path, window=1000)
    ),
    "partial_fit": lambda model, path: always(
        lambda: pyfm.FMClassifier().partial_fit(Dataset.stream(path))
    ),
    "predict": lambda model, path: always(lambda: model.predict(Dataset.stream(path))),
    "score": lambda model, path: always(lambda: model.score(Dataset.stream(path))),
    "iterate": lambda model, path: always(lambda: list(Dataset.stream(path))),
}


@pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="needs Linux")
@pytest.mark.parametrize("call", CALLS)
def test_ctrl_c(call: str, model: Any, path: Path) -> None:
    n_open = open_files()
    threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        CALLS[call](model, path)
    assert readers() == 0
    assert open_files() <= n_open
    assert len(caches_in(path.parent)) == 1


class Broken(pyfm.callbacks.Callback):
    def after_rows(self, n_rows: int) -> None:
        raise ZeroDivisionError

    def after_epoch(self, env: Any) -> None:
        raise ZeroDivisionError


def test_an_exception_of_a_callback(path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        pyfm.FMClassifier(epochs=20).fit(Dataset.stream(path, window=1000), callbacks=[Broken()])
    assert readers() == 0


def test_generators_that_are_left_half_way(path: Path) -> None:
    n_open = open_files()
    left = [iter(Dataset.stream(path)) for _ in range(3)]
    for generator in left:
        next(generator)
    assert any(thread.name == READERS for thread in threading.enumerate())
    left.clear()
    del generator
    assert readers() == 0
    assert open_files() == n_open
    for data in Dataset.stream(path):
        assert len(data) > 0
        break
    assert len(list(Dataset.stream(path))) > 1


LEFT = """
import sys, pyfm
left = iter(pyfm.Dataset.stream(sys.argv[1]))
next(left)
if sys.argv[2] == "raises":
    for data in pyfm.Dataset.stream(sys.argv[1]):
        raise KeyError("in the loop")
"""


@pytest.mark.parametrize(("how", "code"), [("ends", 0), ("raises", 1)])
def test_python_ends_with_a_generator_half_way(how: str, code: int, path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LEFT, str(path), how],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    assert ("KeyError" in done.stderr) == bool(code)
    assert "terminate" not in done.stderr


def test_forks(model: Any, path: Path) -> None:
    """A child has no thread that reads; it says so, and reads anew."""
    stream = Dataset.stream(path)
    expected = model.predict(stream).sum()
    generator = iter(stream)
    n_first = len(next(generator))
    child = os.fork()
    if child == 0:
        code = 1
        try:
            next(generator)
        except RuntimeError as error:
            generator.close()
            again = sum(len(data) for data in stream) == 150 * len(DATA)
            code = 7 if "forked" in str(error) and again else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert n_first + sum(map(len, generator)) == 150 * len(DATA)
    assert model.predict(stream).sum() == expected


def test_one_stream_for_everything(path: Path) -> None:
    """To learn from, to validate on, and to predict, more than once."""
    stream = Dataset.stream(path, window=50_000)
    data = Dataset.from_libffm(path)
    first = pyfm.FMClassifier(epochs=2, random_state=0).fit(stream, eval_set=stream)
    again = pyfm.FMClassifier(epochs=2, random_state=0).fit(
        stream, eval_set={"a": stream, "b": data}
    )
    assert_same_model(first, again)
    assert again.history_["a_logloss"] == again.history_["b_logloss"]
    assert first.history_["valid_logloss"] == again.history_["a_logloss"]
    expected = first.predict_proba(data)
    for _ in range(3):
        np.testing.assert_array_equal(first.predict_proba(stream), expected)
    threads_found: list[Any] = []
    threads = [
        threading.Thread(target=lambda: threads_found.append(first.predict_proba(stream)))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for found in threads_found:
        np.testing.assert_array_equal(found, expected)
    assert len(threads_found) == 3
