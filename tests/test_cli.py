"""The shell: what it prints, writes and refuses."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import pyfm
from pyfm import Dataset
from pyfm.cli import app, run
from pyfm.cli.options import MetricName
from pyfm.training import Training

RUNNER = CliRunner()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with train.ffm, valid.ffm and their libsvm twins."""
    rows, _ = pyfm.datasets.make_ctr(1200, n_fields=4, n_features=80, random_state=0)
    assert rows.y is not None
    for name, part in (("train", rows[:1000]), ("valid", rows[1000:])):
        ids = part.core.features.reshape(-1, 4).tolist()
        labels = [int(y) for y in part.y] if part.y is not None else []
        for ending, field in (("ffm", "{0}:"), ("svm", "")):
            lines = (
                f"{y} " + " ".join(field.format(f) + f"{j}:1" for f, j in enumerate(row))
                for y, row in zip(labels, ids, strict=True)
            )
            (tmp_path / f"{name}.{ending}").write_text("\n".join(lines) + "\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def succeed(*arguments: str) -> str:
    result = RUNNER.invoke(app, arguments)
    assert result.exit_code == 0, result.output
    return result.output


def pyfm_process(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pyfm", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, **options)


# --- train ----------------------------------------------------------------------------------------


def test_train_prints_a_table_and_a_summary(folder: Path) -> None:
    out = succeed("train", "-t", "3", "-p", "valid.ffm", "train.ffm", "model")
    table, summary = out.split("\n\n")
    heads, *lines = table.splitlines()
    assert heads.split() == ["iter", "tr_logloss", "va_logloss", "tr_time"]
    assert len(lines) == 3
    assert "1,000 rows" in summary
    assert "4 fields" in summary
    assert "model of epoch 3 in model (" in summary
    assert re.search(r"^[\d,]+ rows/s in training$", summary, re.MULTILINE)
    times = r"reading [\d.]+ s, initialization [\d.]+ s, training [\d.]+ s, validation [\d.]+ s"
    assert re.search(times, summary)
    assert re.search(r"^peak memory [\d.]+ (MB|GB)$", summary, re.MULTILINE)


def test_train_is_what_python_does(folder: Path) -> None:
    succeed("train", "--quiet", "-t", "4", "-k", "3", "-r", "0.1", "-l", "1e-4", "train.ffm", "m")
    data = Dataset.from_libffm("train.ffm")
    model = pyfm.FFMClassifier(n_factors=3, learning_rate=0.1, l2=1e-4, epochs=4, random_state=0)
    np.testing.assert_array_equal(pyfm.load("m").factors_, model.fit(data).factors_)


def test_train_defaults_are_those_of_libffm(folder: Path) -> None:
    assert succeed("train", "--quiet", "train.ffm") == ""
    model = pyfm.load("train.ffm.model")
    assert isinstance(model, pyfm.FFMClassifier)
    params = model.get_params()
    assert (params["n_factors"], params["epochs"], params["learning_rate"]) == (4, 15, 0.2)
    assert model._settings().training.optimizers["factors"].core() == (
        "adagrad",
        {"learning_rate": 0.2, "initial_accumulator": 1.0, "l1": 0.0, "l2": 2e-5},
    )
    assert params["normalize"] is True
    assert params["linear"] is False


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("--model linear", {"epochs": 10, "learning_rate": None}),
        ("--model fm --n-factors 5", {"n_factors": 5}),
        ("--model linear --optimizer ftrl --l1 0.5 --l2 1", {"optimizer": "ftrl", "l1": 0.5}),
        ("--learning-rate-schedule step", {"learning_rate_schedule": "step"}),
        ("--optimizer sgd", {"optimizer": "sgd", "learning_rate": None, "epochs": 15}),
        ("--no-norm --linear --init-scale 0.5", {"normalize": False, "linear": True}),
        ("--n-jobs 2 --seed 5", {"n_jobs": 2, "random_state": 5}),
        ("--batch-size 64", {"batch_size": 64}),
        ("--batch-size full", {"batch_size": "full"}),
        ("--min-count 3", {"min_count": 3}),
        ("-s 2 --metric auc -p valid.ffm --early-stopping", {"metric": "auc"}),
        ("--metric calibration_ratio -p valid.ffm", {"metric": "calibration_ratio"}),
        ("--negative-sampling 0.5", {"negative_sampling": 0.5}),
        ("--bootstrap", {"augmentation": pyfm.Augmentation(bootstrap=True)}),
        ("--feature-dropout 0.1", {"augmentation": pyfm.Augmentation(feature_dropout=0.1)}),
        ("--feature-dropout 0", {"augmentation": None}),
        ("--balanced --label-smoothing 0.1", {"class_weight": "balanced", "label_smoothing": 0.1}),
        (
            "--negative-sampling 0.5 --learning-rate-schedule plateau --metric f1 -p valid.ffm",
            {"negative_sampling": 0.5, "learning_rate_schedule": "plateau", "metric": "f1"},
        ),
        ("--format libsvm train.svm", {}),
    ],
)
def test_train_options(options: str, expected: dict[str, Any], folder: Path) -> None:
    words = options.split()
    data = [] if "libsvm" in words else ["train.ffm"]
    succeed("train", "-t" if "epochs" not in expected else "--seed", "2", *words, *data, "model")
    params = pyfm.load("model").get_params()
    assert params | expected == params


def test_the_metrics_are_those_of_classifiers() -> None:
    assert [metric.value for metric in MetricName] == list(pyfm.FFMClassifier._metrics)


def test_auto_stop_keeps_the_best_epoch(folder: Path) -> None:
    options = "-r 0.5 -t 30 --auto-stop --n-iter-no-change 2 -p valid.ffm"
    out = succeed("train", *options.split(), "train.ffm", "model")
    model = pyfm.load("model")
    assert model.n_iter_ == model.best_epoch_ + 2 < 30
    assert f"model of epoch {model.best_epoch_} in" in out


@pytest.mark.parametrize("ending", [".gz", ".xz"])
def test_train_on_compressed_text(ending: str, folder: Path) -> None:
    import gzip
    import lzma

    text = (folder / "train.ffm").read_bytes()
    packed = gzip.compress(text) if ending == ".gz" else lzma.compress(text)
    (folder / f"train.ffm{ending}").write_bytes(packed)
    succeed("train", "--quiet", "-t", "1", f"train.ffm{ending}", "a")
    succeed("train", "--quiet", "-t", "1", "train.ffm", "b")
    np.testing.assert_array_equal(pyfm.load("a").factors_, pyfm.load("b").factors_)


def test_data_files_in_place_of_text(folder: Path) -> None:
    for name in ("train", "valid"):
        Dataset.from_libffm(f"{name}.ffm").save(f"{name}.data")
    outputs = {}
    for ending in ("ffm", "data"):
        train, valid = f"train.{ending}", f"valid.{ending}"
        succeed("train", "--quiet", "-t", "2", "--auto-stop", "-p", valid, train, "model")
        outputs[ending] = succeed("predict", valid, "model", "clicks"), Path("clicks").read_text()
    assert outputs["ffm"] == outputs["data"]


def test_data_files_without_targets(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Dataset.from_libffm("valid.ffm").with_targets(None).save("rows")
    succeed("train", "--quiet", "-t", "2", "train.ffm", "model")
    assert succeed("predict", "rows", "model", "clicks") == ""
    assert len(np.loadtxt("clicks")) == 200
    assert run(["train", "rows", "model"]) == 1
    assert "y" in capsys.readouterr().err


def test_damaged_data_files(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Dataset.from_libffm("train.ffm").save("rows")
    content = Path("rows").read_bytes()
    Path("rows").write_bytes(content[:-64])
    assert run(["train", "rows", "model"]) == 1
    message = f"rows: expected {len(content)} bytes, as the header says, found {len(content) - 64}"
    assert capsys.readouterr().err == f"pyfm: error: {message}\n"


# --- checkpoints ----------------------------------------------------------------------------------


def test_resume_is_what_an_uninterrupted_training_is(folder: Path) -> None:
    options = ["--quiet", "-s", "2", "--batch-size", "50", "--optimizer", "adam", "-p", "valid.ffm"]
    succeed("train", *options, "-t", "6", "train.ffm", "whole")
    succeed("train", *options, "-t", "2", "--checkpoint", "checkpoint", "train.ffm", "part")
    resume = ["--checkpoint", "checkpoint", "--resume"]
    succeed("train", *options, "-t", "6", *resume, "train.ffm", "resumed")
    whole, resumed = pyfm.load("whole"), pyfm.load("resumed")
    np.testing.assert_array_equal(resumed.factors_, whole.factors_)
    assert resumed.history_["valid_logloss"] == whole.history_["valid_logloss"]
    assert pyfm.load("checkpoint").n_iter_ == 6
    succeed("train", *options, "-t", "6", *resume, "train.ffm", "resumed")  # it is over
    np.testing.assert_array_equal(pyfm.load("resumed").factors_, whole.factors_)
    assert "optimizer state      held" in succeed("info", "checkpoint")
    assert "optimizer state      none" in succeed("info", "resumed")


def test_what_cannot_be_resumed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train = ["train", "--quiet", "-t", "2", "train.ffm", "model"]

    def fail(code: int, *options: str) -> str:
        assert run([*train, *options]) == code
        return capsys.readouterr().err

    assert "--resume: expected --checkpoint FILE beside it" in fail(2, "--resume")
    missing = fail(1, "--resume", "--checkpoint", "missing")
    assert missing == "pyfm: error: missing: no checkpoint to resume from\n"
    succeed(*train, "--checkpoint", "checkpoint")
    resume = ("--resume", "--checkpoint", "checkpoint")
    assert "random_state: expected 0, as in 'checkpoint', found 1" in fail(
        1, *resume, "--seed", "1"
    )
    assert "optimizer: expected AdaGrad(" in fail(1, *resume, "--optimizer", "adam")
    assert "without" in fail(1, "--resume", "--checkpoint", "model")
    Path("checkpoint").write_bytes(b"")
    assert "checkpoint: expected a safetensors file" in fail(1, *resume)
    assert "missing" in fail(1, "--checkpoint", "missing/checkpoint")


def test_no_file_takes_the_place_of_another(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = Path("train.ffm").read_bytes(), Path("valid.ffm").read_bytes()
    for options in (
        "train.ffm train.ffm",
        "-p valid.ffm train.ffm ./valid.ffm",
        "--checkpoint train.ffm train.ffm",
        "--checkpoint valid.ffm -p valid.ffm train.ffm model",
    ):
        assert run(["train", *options.split()]) == 2
        assert "holds the rows, which it would replace" in capsys.readouterr().err
    assert run(["train", "--checkpoint", "model", "train.ffm", "model"]) == 2
    assert "--checkpoint: expected a file beside MODEL, found model" in capsys.readouterr().err
    assert (Path("train.ffm").read_bytes(), Path("valid.ffm").read_bytes()) == before
    assert not Path("model").exists()


# --- predict, info, demo --------------------------------------------------------------------------


def test_predict_to_a_file(folder: Path) -> None:
    succeed("train", "--quiet", "train.ffm", "model")
    out = succeed("predict", "valid.ffm", "model", "clicks")
    data = Dataset.from_libffm("valid.ffm")
    p = pyfm.load("model").predict_proba(data)[:, 1]
    np.testing.assert_allclose(np.loadtxt("clicks"), p, rtol=1e-8)
    assert data.y is not None
    loss, auc = pyfm.metrics.logloss(data.y, p), pyfm.metrics.auc(data.y, p)
    assert out == f"logloss = {loss:.5f}\nauc = {auc:.5f}\n"
    assert succeed("predict", "--quiet", "-s", "2", "valid.ffm", "model", "clicks") == ""


def test_predict_after_negative_sampling_is_calibrated(folder: Path) -> None:
    succeed("train", "--quiet", "--negative-sampling", "0.2", "train.ffm", "model")
    succeed("predict", "valid.ffm", "model", "clicks")
    data, model = Dataset.from_libffm("valid.ffm"), pyfm.load("model")
    p = np.loadtxt("clicks")
    np.testing.assert_allclose(p, model.predict_proba(data)[:, 1], rtol=1e-8)
    sampled = model._model.predict(data.core, n_threads=1)
    np.testing.assert_allclose(p, sampled / (sampled + (1 - sampled) / 0.2), rtol=1e-6)


def test_predict_to_stdout(folder: Path) -> None:
    succeed("train", "--quiet", "--format", "libsvm", "--model", "fm", "train.svm", "model")
    done = pyfm_process("predict", "--format", "libsvm", "valid.svm", "model")
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 200
    assert done.stderr.startswith("logloss = ")


def test_predict_rows_of_one_class(folder: Path) -> None:
    succeed("train", "--quiet", "train.ffm", "model")
    (folder / "new.ffm").write_text("0 0:1:1\n0 9:9999:1\n")
    assert succeed("predict", "new.ffm", "model", "clicks") == ""
    assert len(np.loadtxt("clicks")) == 2


def test_predict_targets(folder: Path) -> None:
    pyfm.FMRegressor().fit(Dataset.from_libffm("train.ffm")).save("model")
    assert succeed("predict", "valid.ffm", "model", "targets").startswith("rmse = ")


def test_info(folder: Path) -> None:
    succeed("train", "-t", "3", "-p", "valid.ffm", "train.ffm", "model")
    out = succeed("info", "model")
    lines = dict(line.split(maxsplit=1) for line in out.splitlines())
    assert lines["model"] == "FFMClassifier"
    assert lines["fields"] == "4"
    assert lines["trained"].startswith("3 epochs, the best is ")
    assert lines["epochs"] == "3"
    assert lines["learning_rate"] == "0.2"
    best = min(pyfm.load("model").history_["valid_logloss"])
    assert lines["valid_logloss"].startswith(f"{best:.5f} in epoch")


def test_demo_prints_one_table_in_the_order_of_the_models() -> None:
    done = pyfm_process("demo", "--rows", "100000", "--n-jobs", "1", "--seed", "1")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    made, table = done.stdout.split("\n\n")
    assert made.startswith("100,000 rows to learn from, 25,000 to judge by; 39 fields")
    heads, *lines = table.splitlines()
    assert heads.split() == ["log-loss", "AUC", "rows/s", "epochs"]
    losses = {line[:12].strip(): float(line[12:].split()[0]) for line in lines}
    assert list(losses) == ["base rate", "linear", "FM", "FFM", "Bayes bound"]
    assert list(losses.values()) == sorted(losses.values(), reverse=True)


@pytest.mark.parametrize("command", [[], ["train"], ["predict"], ["info"], ["demo"]])
def test_help(command: list[str]) -> None:
    assert "Usage: pyfm" in succeed(*command, "--help")


def test_info_of_streams(tmp_path: Path) -> None:
    model = pyfm.LinearClassifier(random_state=0).partial_fit([[0], [1]], [0, 1])
    model.partial_fit([[0]], [0]).save(tmp_path / "stream")
    out = succeed("info", str(tmp_path / "stream"))
    assert re.search(r"^trained +2 calls of partial_fit, 3 rows$", out, re.MULTILINE)
    assert re.search(r"^progressive_logloss +0\.\d{5} in call 2 of partial_fit$", out, re.MULTILINE)
    nothing = pyfm.LinearClassifier().partial_fit([[0], [1]], [0, 1], sample_weight=[0, 0])
    nothing.save(tmp_path / "nothing")
    assert "0 calls of partial_fit, 2 rows" in succeed("info", str(tmp_path / "nothing"))


def test_class_weights(folder: Path) -> None:
    succeed(
        "train", "-t", "2", "--class-weight", "1=5", "--class-weight=0=.5", "train.ffm", "model"
    )
    model = pyfm.load("model")
    assert model.class_weight == {1: 5.0, 0: 0.5}
    same = pyfm.FFMClassifier(
        class_weight={0: 0.5, 1: 5.0}, epochs=2, learning_rate=0.2, random_state=0
    ).fit(Dataset.from_libffm("train.ffm"))
    np.testing.assert_array_equal(model.factors_, same.factors_)


def test_help_waits_for_no_library() -> None:
    code = "import sys; from pyfm.cli import run; run(['--help']); print('sklearn' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.endswith("False\n")


def test_no_command_is_help_and_version() -> None:
    assert "Usage: pyfm" in succeed()
    assert succeed("--version").startswith(f"pyfm {pyfm.__version__}")


# --- errors: one line, exit code 1 (data) or 2 (usage) --------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ("train missing.ffm", 1, "missing.ffm: No such file or directory"),
        ("train .", 1, "Is a directory"),
        ("train bad.ffm", 1, "bad.ffm:2:3: "),
        ("train empty.ffm", 1, "empty.ffm:1:1: "),
        ("train one.ffm", 1, "expected two classes, found 1 class"),
        ("train -p bad.ffm train.ffm", 1, "bad.ffm:2:3: "),
        ("train --quiet -t 1 train.ffm missing/model", 1, "No such file or directory"),
        ("train -t 1000000 train.ffm missing/model", 1, "missing"),  # before training
        ("train -t 1000000 train.ffm .", 1, ".: Is a directory"),
        ("predict valid.ffm missing", 1, "pyfm: error: missing: No such file or directory"),
        ("predict valid.ffm train.ffm", 1, "train.ffm: expected a safetensors file"),
        ("info train.ffm", 1, "train.ffm: expected a safetensors file"),
        ("info .", 1, "Is a directory"),
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
    ],
)
def test_errors(
    arguments: str, code: int, message: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "bad.ffm").write_text("1 0:1:1\n0 x:1:1\n")
    (folder / "empty.ffm").write_text("")
    (folder / "one.ffm").write_text("1 0:1:1\n1 0:2:1\n")
    assert run(arguments.split()) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("pyfm: error: ")
    assert message in err
    assert err.count("\n") == 1


def test_the_exit_code_of_the_process(folder: Path) -> None:
    for arguments, code in (("train missing.ffm", 1), ("train -k 0 train.ffm", 2)):
        done = pyfm_process(*arguments.split())
        assert done.returncode == code
        assert len(done.stderr.splitlines()) == 1


def test_a_closed_pipe_is_no_traceback(folder: Path) -> None:
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
