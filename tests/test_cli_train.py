"""`pyfm train`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from shell import succeed

import pyfm
from pyfm import Dataset
from pyfm.cli import run
from pyfm.cli.options import MetricName

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
    assert re.search("^optimizer state +held$", succeed("info", "checkpoint"), re.MULTILINE)
    assert re.search("^optimizer state +none$", succeed("info", "resumed"), re.MULTILINE)


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
