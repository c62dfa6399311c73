"""Processes that are killed, in epochs and in writes, and resumed."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from resuming import assert_same
from shell import program

import pyfm
from pyfm import Dataset
from pyfm.callbacks import checkpoint
from pyfm.model_file import load_checkpoint, writer


@pytest.fixture(scope="module")
def rows() -> Dataset:
    return pyfm.datasets.make_ctr(300, n_fields=4, n_features=60, random_state=0)[0]


# Every epoch writes many pieces; `wait` makes room for a signal.
FIT = """
import sys, time, pyfm
from pyfm.model_file import layout, writer

layout._CHUNK_BYTES = 500
rows, _ = pyfm.datasets.make_ctr(400, n_fields=4, n_features=200, random_state=0)
model = pyfm.FMClassifier(
    epochs={epochs}, optimizer="adam", dtype="float16", early_stopping=True, n_iter_no_change=99,
    batch_size={batch_size}, n_jobs={n_jobs},
)

class During(pyfm.callbacks.Callback):
    order = 1  # after the checkpoint

    def before_epoch(self, env):
        print("epoch", env.epoch, flush=True)

    def after_rows(self, n_rows):
        time.sleep({pause})

write = writer._write
def slow_write(*arguments):
    time.sleep({pause})
    write(*arguments)
writer._write = slow_write

import os
resume = "checkpoint" if os.path.exists("checkpoint") else None
model.fit(rows, callbacks=[pyfm.callbacks.checkpoint("checkpoint"), During()], resume_from=resume)
model.save("model")
"""

EPOCHS_OF_FIT = 40  # more than the processes that are killed get through


def script(batch_size: int, n_jobs: int, pause: float) -> str:
    values = {"batch_size": batch_size, "n_jobs": n_jobs, "pause": pause, "epochs": EPOCHS_OF_FIT}
    text = FIT
    for name, value in values.items():
        text = text.replace("{" + name + "}", str(value))
    return text


def run(code: str, folder: Path, kill_after: float | None = None) -> int:
    """The exit code; the process is killed some seconds after its first checkpoint."""
    with subprocess.Popen(program(code), cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        if kill_after is not None:
            for _ in range(2):  # the second epoch begins
                process.stdout.readline()
            time.sleep(kill_after)
            process.kill()
        process.stdout.read()
    return process.returncode


@pytest.mark.parametrize(("batch_size", "n_jobs"), [(1, 1), (16, 3)])
def test_killed_again_and_again(batch_size: int, n_jobs: int, tmp_path: Path) -> None:
    """At random moments, most of them in writes; each process goes on where the last one was, and
    the seed that the first one drew makes an uninterrupted fit out of its first checkpoint."""
    draw = random.Random(batch_size)
    code = script(batch_size, n_jobs, 0.002)
    first = tmp_path / "first"
    for _ in range(4):
        assert run(code, tmp_path, kill_after=draw.uniform(0, 0.25)) == -signal.SIGKILL
        assert load_checkpoint(tmp_path / "checkpoint")[1] is not None
        if not first.exists():
            first.write_bytes((tmp_path / "checkpoint").read_bytes())
    assert run(script(batch_size, n_jobs, 0), tmp_path) == 0
    model = pyfm.load(tmp_path / "model")
    alone = tmp_path / "alone"
    alone.mkdir()
    (alone / "checkpoint").write_bytes(first.read_bytes())
    assert run(script(batch_size, 1, 0), alone) == 0
    assert_same(pyfm.load(alone / "model"), model)
    assert model.n_iter_ == EPOCHS_OF_FIT


KILLED_IN_AN_EPOCH = """
import os, signal, pyfm
rows, _ = pyfm.datasets.make_ctr(2000, n_fields=4, n_features=200, random_state=0)
resume = "checkpoint" if os.path.exists("checkpoint") else None
model = pyfm.FFMClassifier(epochs=6, optimizer="ftrl", batch_size={batch_size}, random_state=0)

if resume is None and {die}:
    epoch_of = pyfm._core.Model.train_epoch

    def die_in_epoch(model, data, *, epoch, **options):
        if epoch == 3:  # half of its rows are learned
            options["numbered"] = None  # of all rows
            epoch_of(model, data.slice(0, 1000), epoch=epoch, **options)
            os.kill(os.getpid(), signal.SIGKILL)
        return epoch_of(model, data, epoch=epoch, **options)

    pyfm._core.Model.train_epoch = die_in_epoch

model.fit(rows, callbacks=[pyfm.callbacks.checkpoint("checkpoint")], resume_from=resume)
model.save("model")
"""


@pytest.mark.parametrize("batch_size", ["1", "32", "'full'"])
def test_killed_in_an_epoch(batch_size: str, tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    whole.mkdir()
    code = KILLED_IN_AN_EPOCH.replace("{batch_size}", batch_size)
    assert run(code.replace("{die}", "False"), whole) == 0
    assert run(code.replace("{die}", "True"), tmp_path) == -signal.SIGKILL
    assert not (tmp_path / "model").exists()
    assert pyfm.load(tmp_path / "checkpoint").n_iter_ == 3
    assert run(code.replace("{die}", "True"), tmp_path) == 0
    assert_same(pyfm.load(tmp_path / "model"), pyfm.load(whole / "model"))


@pytest.mark.parametrize("at", [1, 4, 9])
def test_a_full_disk_leaves_the_checkpoint_before(
    at: int, rows: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, pieces = tmp_path / "checkpoint", 0
    write = writer._write

    def full_disk(*given: Any) -> None:
        nonlocal pieces
        pieces += 1
        if pieces > 10 and (pieces - 1) % 10 + 1 >= at:
            raise OSError(28, "No space left on device")
        write(*given)

    def make() -> Any:
        return pyfm.FMClassifier(epochs=5, optimizer="adam", random_state=0)

    monkeypatch.setattr(writer, "_write", full_disk)
    with pytest.raises(OSError, match="No space left on device"):
        make().fit(rows, callbacks=[checkpoint(path)])
    monkeypatch.undo()
    assert [file.name for file in tmp_path.iterdir()] == ["checkpoint"]
    assert_same(make().fit(rows, resume_from=path), make().fit(rows))
