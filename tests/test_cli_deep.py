"""`pyfm train`, `predict` and `info` with deep models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from shell import succeed

import pyfm
from pyfm import Dataset
from pyfm.cli import run
from pyfm.cli.options import ActivationName, InferenceName
from pyfm.estimators.tower import ACTIVATIONS, INFERENCES

SMALL = ["--hidden", "8,4", "-k", "3", "--batch-size", "64"]
each_model = pytest.mark.parametrize(
    ("name", "kind"),
    [("deepfm", pyfm.DeepFMClassifier), ("wide-deep", pyfm.WideDeepClassifier)],
)


def weights(path: str) -> list[np.ndarray]:
    model = pyfm.load(path)
    return [model.coef_, model.intercept_, model.factors_, *model.network_.values()]


def same(a: str, b: str) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(weights(a), weights(b), strict=True))


@each_model
def test_train_is_what_python_does(name: str, kind: Any, folder: Path) -> None:
    succeed("train", "--quiet", "--model", name, "-t", "3", *SMALL, "train.ffm", "model")
    model = kind(n_factors=3, hidden=(8, 4), batch_size=64, epochs=3, random_state=0)
    model.fit(Dataset.from_libffm("train.ffm")).save("twin")
    assert type(pyfm.load("model")) is kind
    assert same("model", "twin")


@each_model
def test_the_defaults_are_the_estimators_own(name: str, kind: Any, folder: Path) -> None:
    succeed("train", "--quiet", "--model", name, "--hidden", "4", "train.ffm", "model")
    own = {"hidden": (4,), "random_state": 0, "metric": "logloss"}
    assert pyfm.load("model").get_params() == kind(**own).get_params()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("--hidden 6", {"hidden": (6,)}),
        ("--activation gelu", {"activation": "gelu"}),
        ("--batch-norm", {"batch_norm": True, "batch_norm_inference": "population"}),
        (
            "--batch-norm --batch-norm-inference moving_average",
            {"batch_norm": True, "batch_norm_inference": "moving_average"},
        ),
        ("--dropout 0.25", {"dropout": 0.25}),
        ("--residual", {"residual": True}),
        ("--batch-size full", {"batch_size": "full"}),
        ("--deep-fields 2,0", {"deep_fields": (2, 0)}),
        ("--optimizer sgd -r 0.05 --l2 1e-5", {"optimizer": "sgd", "l2": 1e-5}),
        ("-r 0.01", {"optimizer": None, "learning_rate": 0.01}),
        ("--normalize --init-scale 0.1 --min-count 2", {"normalize": True, "init_scale": 0.1}),
        ("--no-linear", {"linear": False}),
        ("--negative-sampling 0.5 --label-smoothing 0.1", {"negative_sampling": 0.5}),
        ("--feature-dropout 0.1", {"augmentation": pyfm.Augmentation(feature_dropout=0.1)}),
        ("-s 2 --seed 3", {"n_jobs": 2, "random_state": 3}),
    ],
)
def test_options(options: str, expected: dict[str, Any], folder: Path) -> None:
    common = ["--quiet", "-t", "1", "--model", "deepfm", *SMALL]
    succeed("train", *common, *options.split(), "train.ffm", "model")
    params = pyfm.load("model").get_params()
    assert params | expected == params


@each_model
def test_validation_stops_early_and_keeps_the_best(name: str, kind: Any, folder: Path) -> None:
    options = ["--model", name, *SMALL, "-r", "0.3", "-t", "60", "--batch-norm", "--metric", "auc"]
    stops = ["--auto-stop", "--n-iter-no-change", "2", "-p", "valid.ffm"]
    out = succeed("train", *options, *stops, "train.ffm", "model")
    heads, *lines = out.split("\n\n")[0].splitlines()
    assert heads.split() == ["iter", "tr_logloss", "va_auc", "va_logloss", "tr_time"]
    model = pyfm.load("model")
    best = int(np.argmax(model.history_["valid_auc"])) + 1
    assert (model.best_epoch_, len(lines)) == (best, best + 2)
    assert f"model of epoch {best} in model" in out
    printed = succeed("predict", "valid.ffm", "model", "clicks")
    data = Dataset.from_libffm("valid.ffm")
    assert data.y is not None
    p = model.predict_proba(data)[:, 1]
    np.testing.assert_allclose(np.loadtxt("clicks"), p, rtol=1e-8)
    assert f"auc = {pyfm.metrics.auc(data.y, p):.5f}" in printed
    assert f"{model.history_['valid_auc'][best - 1]:.5f}" in succeed("info", "model")


@each_model
def test_resume(name: str, kind: Any, folder: Path) -> None:
    options = ["--quiet", "--model", name, *SMALL, "--dropout", "0.2", "-p", "valid.ffm"]
    succeed("train", *options, "-t", "5", "train.ffm", "whole")
    succeed("train", *options, "-t", "2", "--checkpoint", "run", "train.ffm", "part")
    resume = ["--checkpoint", "run", "--resume", "-s", "2"]
    succeed("train", *options, "-t", "5", *resume, "train.ffm", "resumed")
    assert same("whole", "resumed")
    assert run(["train", *options, "--hidden", "8,5", *resume, "train.ffm", "other"]) == 1


@each_model
def test_info(name: str, kind: Any, folder: Path) -> None:
    options = ["--quiet", "-t", "2", "--model", name, *SMALL, "--deep-fields", "0,1,3"]
    succeed("train", *options, "train.ffm", "model")
    lines = dict(line.split(maxsplit=1) for line in succeed("info", "model").splitlines())
    assert lines["model"] == kind.__name__
    assert lines["fields"] == "4, of which 1 for the linear terms alone"
    assert lines["hidden"] == "(8, 4)"
    assert lines["deep_fields"] == "(0, 1, 3)"
    assert not any(line.startswith("learning_rate_linear") for line in lines)
    assert "network_" not in json.dumps(lines)


def test_data_files_with_an_encoder_have_names(folder: Path) -> None:
    table = {"site": list("abab" * 20), "ad": list("xxyy" * 20), "click": [1, 0, 0, 1] * 20}
    encoder = pyfm.FieldEncoder(crosses=[("site", "ad")], target="click")
    encoder.fit_transform(table).save("rows.pyfm")
    options = ["--quiet", "--model", "wide-deep", *SMALL, "--format", "libsvm"]
    succeed("train", *options, "rows.pyfm", "model")
    assert pyfm.load("model")._spec.deep_fields == (0, 1)
    succeed("train", *options, "--deep-fields", "ad", "rows.pyfm", "model")
    assert pyfm.load("model")._spec.deep_fields == (1,)


def test_the_choices_are_those_of_the_estimators() -> None:
    assert [name.value for name in ActivationName] == list(ACTIVATIONS)
    assert [name.value for name in InferenceName] == list(INFERENCES)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ("--model linear --hidden 4", 2, "--hidden: a linear model has no such parameter"),
        ("--hidden 4", 2, "--hidden: a ffm model has no such parameter"),
        ("--model fm --activation relu", 2, "--activation: a fm model has no such parameter"),
        ("--batch-norm", 2, "--batch-norm: a ffm model has no such parameter"),
        ("--model linear --batch-norm-inference population", 2, "--batch-norm-inference: a linear"),
        ("--model linear --dropout 0", 2, "--dropout: a linear model has no such parameter"),
        ("--model fm --residual", 2, "--residual: a fm model has no such parameter"),
        ("--model ffm --deep-fields 0", 2, "--deep-fields: a ffm model has no such parameter"),
        ("--model deepfm --hidden 400,abc", 2, "as in 400,400, found '400,abc'"),
        ("--model deepfm --hidden=", 2, "as in 400,400, found ''"),
        ("--model deepfm --hidden 400,", 2, "as in 400,400, found '400,'"),
        ("--model deepfm --hidden 4.5", 2, "as in 400,400, found '4.5'"),
        ("--model deepfm --hidden 4,0", 2, "hidden[1]: expected an integer in [1, 65536], found 0"),
        ("--model deepfm --hidden -4", 2, "hidden[0]: expected an integer in [1, 65536], found -4"),
        ("--model deepfm --activation swish", 2, "swish"),
        ("--model deepfm --batch-norm-inference last", 2, "last"),
        ("--model deepfm --dropout 1", 2, "dropout: expected a number in [0, 1), found 1.0"),
        ("--model deepfm --dropout nan", 2, "dropout: expected a finite number"),
        ("--model deepfm --batch-norm --batch-size 1", 2, "batch_size: expected at least 2 rows"),
        ("--model deepfm --batch-size 0", 2, "batch_size: expected an integer >= 1"),
        ("--model deepfm --deep-fields=", 2, "as in 0,1,4, found ''"),
        ("--model deepfm --deep-fields 0,,1", 2, "as in 0,1,4, found '0,,1'"),
        ("--model deepfm --deep-fields 0,0", 1, "deep_fields: expected each field once"),
        (
            "--model deepfm --deep-fields 4",
            1,
            "expected fields of the 4 that X has, from 0 on",
        ),
        ("--model deepfm --deep-fields site", 1, "deep_fields: expected numbers of fields"),
        ("--model deepfm --no-linear --deep-fields 0", 2, "None with linear=False"),
        (
            "--model wide-deep --learning-rate-schedule step",
            2,
            "'constant' for the optimizer",
        ),
        ("--model deepfm --format libsvm", 2, "--format: expected text with fields, libffm's, or"),
        ("--model deepfm -p no-fields.ffm", 1, "no-fields.ffm:1:"),
        ("--model wide_deep", 2, "wide_deep"),
    ],
)
def test_errors(
    arguments: str, code: int, message: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "no-fields.ffm").write_text("1 3:1 7:1\n0 4:1 7:1\n")
    assert run(["train", *arguments.split(), "train.ffm", "model"]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("pyfm: error: ")
    assert message in err
    assert err.count("\n") == 1
    assert not Path("model").exists()
