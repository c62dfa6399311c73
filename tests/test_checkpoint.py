"""Checkpoints: the model of the epoch, whole whenever the process ends."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from shell import program

import pyfm
from pyfm.callbacks import checkpoint

IDS = np.array([[0, 2], [0, 3], [1, 2], [1, 3]] * 20)
CLICKS = np.array([1, 0, 0, 1] * 20)


def fm(epochs: int, **params: Any) -> Any:
    return pyfm.FMClassifier(epochs=epochs, random_state=0, **params)


@pytest.mark.parametrize("period", [1, 2, 3, 7])
def test_files_are_models_of_their_epochs(period: int, tmp_path: Path) -> None:
    fm(6).fit(IDS, CLICKS, callbacks=[checkpoint(str(tmp_path / "{epoch}"), period)])
    expected = [epoch for epoch in range(1, 7) if epoch % period == 0]
    assert sorted(int(name) for name in os.listdir(tmp_path)) == expected
    for epoch in expected:
        copy, model = pyfm.load(tmp_path / str(epoch)), fm(epoch).fit(IDS, CLICKS)
        np.testing.assert_array_equal(copy.predict_proba(IDS), model.predict_proba(IDS))
        assert copy.n_iter_ == copy.best_epoch_ == epoch
        assert copy.get_params() == model.get_params() | {"epochs": 6}


def test_the_newest_replaces_the_one_before(tmp_path: Path) -> None:
    model = fm(3, early_stopping=True, n_iter_no_change=1, tol=9)
    model.fit(IDS, CLICKS, eval_set=(IDS, CLICKS), callbacks=[checkpoint(tmp_path / "model")])
    assert os.listdir(tmp_path) == ["model"]
    copy = pyfm.load(tmp_path / "model")
    assert (copy.n_iter_, copy.best_epoch_) == (2, 1)
    assert copy.history_ == model.history_


def test_where_no_file_can_be(tmp_path: Path) -> None:
    """Said before the first epoch."""
    seen: list[int] = []
    for path in (tmp_path, tmp_path / "missing" / "model"):
        with pytest.raises(OSError, match=r"directory: '.*test_where_no_file_can_be"):
            fm(1).fit(IDS, CLICKS, callbacks=[lambda env: seen.append(env.epoch), checkpoint(path)])
    assert seen == []
    assert os.listdir(tmp_path) == []


# Every epoch writes a file in many pieces.
WRITING = """
import os, signal, pyfm
from pyfm.model_file import layout, writer

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

layout._CHUNK_BYTES = 100
rows, _ = pyfm.datasets.make_ctr(500, n_fields=4, n_features=100, random_state=0)
model = pyfm.FMClassifier(epochs=3, random_state=0)
save = pyfm.callbacks.checkpoint("model")
"""

KILLED_IN_A_WRITE = (
    WRITING
    + """
write = writer._write
pieces = 0

def write_or_die(file, *rest):
    global pieces
    pieces += 1
    if pieces == {at} and epoch == 2:
        file.flush()
        die()
    write(file, *rest)

def begin_file(env):
    global epoch, pieces
    epoch, pieces = env.epoch, 0

writer._write = write_or_die
model.fit(rows, callbacks=[begin_file, save])
"""
)

KILLED_BEFORE_RENAMING = (
    WRITING
    + """
os.replace = die
model.fit(rows, callbacks=[save])
"""
)


def killed(code: str, folder: Path) -> None:
    done = subprocess.run(program(code), cwd=folder, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.mark.parametrize("at", [1, 2, 10])
def test_killed_while_writing_the_second_epoch(at: int, tmp_path: Path) -> None:
    killed(KILLED_IN_A_WRITE.replace("{at}", str(at)), tmp_path)
    assert len(os.listdir(tmp_path)) == 2, "the file of epoch 1, and the broken one beside it"
    assert pyfm.load(tmp_path / "model").n_iter_ == 1


def test_killed_before_the_first_file_takes_its_place(tmp_path: Path) -> None:
    killed(KILLED_BEFORE_RENAMING, tmp_path)
    assert len(os.listdir(tmp_path)) == 1
    assert not (tmp_path / "model").exists()


ENDLESS = """
import pyfm
rows, _ = pyfm.datasets.make_ctr(2000, n_fields=4, n_features=20_000, random_state=0)
model = pyfm.FMClassifier(epochs=100_000, n_factors=64, random_state=0)
model.fit(rows, callbacks=[pyfm.callbacks.checkpoint("model"), lambda env: print(env.epoch)])
"""


@pytest.mark.parametrize("epochs", [1, 4])
def test_killed_at_any_time(epochs: int, tmp_path: Path) -> None:
    with subprocess.Popen(
        program(ENDLESS), cwd=tmp_path, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for _ in range(epochs):
            assert process.stdout.readline()
        process.kill()
        process.wait()
    assert pyfm.load(tmp_path / "model").n_iter_ >= epochs
