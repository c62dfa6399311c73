"""Errors of the command line: one line, exit code 1 (data) or 2 (usage)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from shell import RUNNER, pyfm_process, succeed

import pyfm
from pyfm.cli import app, run
from pyfm.encode.arrow import arrow
from pyfm.training import Training


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ("train missing.ffm", 1, "missing.ffm: No such file or directory"),
        ("train .", 1, "Is a directory"),
        ("train bad.ffm", 1, "bad.ffm:2:3: "),
        ("train empty.ffm", 1, "empty.ffm:1:1: "),
        ("train one.ffm", 1, "expected two classes or more, found 1 class"),
        ("train -p bad.ffm train.ffm", 1, "bad.ffm:2:3: "),
        ("train --quiet -t 1 train.ffm missing/model", 1, "No such file or directory"),
        ("train -t 1000000 train.ffm missing/model", 1, "missing"),  # before training
        ("train -t 1000000 train.ffm .", 1, ".: Is a directory"),
        ("predict valid.ffm missing", 1, "pyfm: error: missing: No such file or directory"),
        ("predict valid.ffm train.ffm", 1, "train.ffm: expected a safetensors file"),
        ("info train.ffm", 1, "train.ffm: expected a safetensors file"),
        ("info .", 1, "expected a model file, or an ensemble's folder with ensemble.json in it"),
        ("train", 2, "Missing argument"),
        ("train --frobnicate train.ffm", 2, "No such option"),
        ("train -k zero train.ffm", 2, "'--n-factors'"),
        ("train -k 0 train.ffm", 2, "n_factors: expected an integer in [1, 1024], found 0"),
        ("train -t 0 missing.ffm", 2, "epochs: expected an integer >= 1, found 0"),
        ("train -r nan train.ffm", 2, "learning_rate: expected a finite number > 0"),
        ("train -s 0 train.ffm", 2, "n_jobs"),
        ("train --batch-size 0 train.ffm", 2, "batch_size: expected an integer >= 1, or 'full'"),
        ("train --min-count 0 train.ffm", 2, "min_count: expected an integer in [1, 2147483647]"),
        ("train --batch-size all train.ffm", 2, "batch_size: expected an integer >= 1, or 'full'"),
        ("train --seed -1 train.ffm", 2, "random_state"),
        ("train --negative-sampling 0 train.ffm", 2, "negative_sampling: expected a number"),
        ("train --class-weight 1 train.ffm", 2, "--class-weight: expected LABEL=WEIGHT with a la"),
        ("train --class-weight a=1 train.ffm", 2, "as in 1=5, found 'a=1'"),
        ("train --class-weight 1=x train.ffm", 2, "as in 1=5, found '1=x'"),
        ("train --class-weight 1=-2 train.ffm", 2, "class_weight[1]: expected a finite number >="),
        ("train --class-weight 1=nan train.ffm", 2, "class_weight[1]: expected a finite number >="),
        ("train --class-weight 1=2 --class-weight 1=3 train.ffm", 2, "each label once, found '1=3"),
        ("train --class-weight 1=2 --balanced train.ffm", 2, "expected none beside --balanced"),
        ("train --class-weight 7=2 train.ffm", 1, "class_weight: expected weights of the classes"),
        ("train --label-smoothing 1 train.ffm", 2, "label_smoothing: expected a number"),
        ("train --feature-dropout 1 train.ffm", 2, "feature_dropout: expected a number"),
        ("train --feature-dropout nan train.ffm", 2, "feature_dropout: expected a number"),
        ("train --metric gauc train.ffm", 2, "gauc"),
        ("train --model linear -k 4 train.ffm", 2, "--n-factors: a linear model has no such"),
        ("train --model gbdt train.ffm", 2, "gbdt"),
        ("train --optimizer lion train.ffm", 2, "lion"),
        ("predict -s 0 valid.ffm model", 2, "n_jobs"),
        ("demo --rows 10", 2, "10"),
        ("fly", 2, "No such command"),
        ("doctor --fast", 2, "No such option"),
        ("info bad.data", 1, "pyfm: error: bad.data: "),
    ],
)
def test_errors(
    arguments: str, code: int, message: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "bad.ffm").write_text("1 0:1:1\n0 x:1:1\n")
    (folder / "empty.ffm").write_text("")
    (folder / "one.ffm").write_text("1 0:1:1\n1 0:2:1\n")
    (folder / "bad.data").write_bytes(b"\x20" + bytes(7) + b'{"__metadata__":{"pyfm_dataset":')
    assert run(arguments.split()) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("pyfm: error: ")
    assert message in err
    assert err.count("\n") == 1


def test_an_extra_that_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pyfm.FieldEncoder().fit_transform({"site": ["a", "b"]}).save(tmp_path / "rows.data")
    arrow.cache_clear()
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert run(["info", str(tmp_path / "rows.data")]) == 1
    assert "pip install 'pyfm-ctr[arrow]'" in capsys.readouterr().err
    arrow.cache_clear()


def test_the_exit_code_of_the_process(folder: Path) -> None:
    for arguments, code in (("train missing.ffm", 1), ("train -k 0 train.ffm", 2)):
        done = pyfm_process(*arguments.split())
        assert done.returncode == code
        assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_closed_pipe_is_no_traceback(
    unbuffered: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    succeed("train", "--quiet", "train.ffm", "model")
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as closed:
        command = [sys.executable, "-m", "pyfm", "predict", "--quiet", "valid.ffm", "model"]
        done = subprocess.run(
            command, stdout=closed, stderr=subprocess.PIPE, text=True, check=False, timeout=60
        )
    assert done.returncode == 1
    assert done.stderr == ""


def test_ctrl_c_saves_the_last_finished_epoch(folder: Path) -> None:
    script = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from pyfm.cli import main; main(sys.argv[1:])"
    )
    options = ["train", "-t", "10000000", "-k", "64", "train.ffm", "model"]
    with subprocess.Popen(
        [sys.executable, "-u", "-c", script, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        while not process.stdout.readline().startswith("   1"):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "pyfm: error: interrupted\n")
    assert f"model of epoch {pyfm.load('model').n_iter_} in model" in out


def test_a_training_that_diverges_saves_its_last_good_epoch(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check(training: Training, evaluations: Any, epoch: int) -> None:
        if epoch == 3:
            raise ValueError("training diverged in epoch 3")

    monkeypatch.setattr(Training, "_check", check)
    result = RUNNER.invoke(app, ["train", "train.ffm", "model"])
    assert str(result.exception) == "training diverged in epoch 3"
    assert "model of epoch 2 in model" in result.output
    assert pyfm.load("model").n_iter_ == 2


def test_warnings_are_one_line(folder: Path) -> None:
    done = pyfm_process("train", "--quiet", "-t", "1", "--min-count", "9999", "train.ffm", "none")
    assert done.returncode == 0
    assert done.stderr.startswith("pyfm: warning: min_count=9999: expected features that occur in")
    assert done.stderr.count("\n") == 1
