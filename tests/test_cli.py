"""`pyfm predict`, `info` and `demo`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from shell import pyfm_process, succeed

import pyfm
from pyfm import Dataset
from pyfm.ensemble import BaggingClassifier


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


def test_more_than_two_classes(folder: Path) -> None:
    for name in ("train", "valid"):
        lines = (folder / f"{name}.ffm").read_text().splitlines()
        labeled = (f"{i % 3 + 4}{line[1:]}\n" for i, line in enumerate(lines))
        (folder / f"{name}3.ffm").write_text("".join(labeled))
    succeed("train", "--quiet", "-p", "valid3.ffm", "--class-weight", "5=2", "train3.ffm", "model")
    out = succeed("predict", "valid3.ffm", "model", "classes")
    data, model = Dataset.from_libffm("valid3.ffm"), pyfm.load("model")
    p = model.predict_proba(data)
    np.testing.assert_allclose(np.loadtxt("classes"), p, rtol=1e-8)
    assert model.classes_.tolist() == [4, 5, 6]
    shown = dict(line.split(maxsplit=1) for line in succeed("info", "model").splitlines())
    assert shown["classes"] == "3: 4, 5, 6"
    loss = -np.log(p[np.arange(200), np.arange(200) % 3]).mean()
    right = (p.argmax(axis=1) == np.arange(200) % 3).mean()
    assert out == f"logloss = {loss:.5f}\naccuracy = {right:.5f}\n"
    assert succeed("predict", "valid.ffm", "model", "classes") == ""  # labels of no class


def test_predict_targets(folder: Path) -> None:
    pyfm.FMRegressor().fit(Dataset.from_libffm("train.ffm")).save("model")
    assert succeed("predict", "valid.ffm", "model", "targets").startswith("rmse = ")


def test_info(folder: Path) -> None:
    succeed("train", "-t", "3", "-p", "valid.ffm", "train.ffm", "model")
    out = succeed("info", "model")
    lines = dict(line.split(maxsplit=1) for line in out.splitlines())
    assert lines["model"] == "FFMClassifier"
    assert lines["classes"] == "2: 0, 1"
    assert lines["fields"] == "4"
    assert lines["trained"].startswith("3 epochs, the best is ")
    assert lines["epochs"] == "3"
    assert lines["learning_rate"] == "0.2"
    best = min(pyfm.load("model").history_["valid_logloss"])
    assert lines["valid_logloss"].startswith(f"{best:.5f} in epoch")


def test_a_folder_of_an_ensemble(folder: Path) -> None:
    rows = Dataset.from_libffm("train.ffm")
    fm = pyfm.FMClassifier(n_factors=2, epochs=1)
    bag = BaggingClassifier(fm, n_estimators=3, random_state=5).fit(rows)
    bag.save("bag")
    out = succeed("info", "bag")
    lines = dict(line.split(maxsplit=1) for line in out.splitlines())
    assert lines["folder"].startswith("bag (")
    assert lines["model"] == "BaggingClassifier of 3 FMClassifier"
    assert lines["classes"] == "2: 0, 1"
    assert lines["features"] == f"{rows.n_features:,}"
    assert lines["n_estimators"] == "3"
    assert lines["estimator__n_factors"] == "2"
    assert lines["random_state"] == "5"
    succeed("predict", "--quiet", "train.ffm", "bag", "out")
    np.testing.assert_allclose(np.loadtxt("out"), bag.predict_proba(rows)[:, 1], rtol=1e-6)


def test_info_of_data_files(folder: Path) -> None:
    succeed("convert", "train.ffm", "train.data")
    lines = dict(line.split(maxsplit=1) for line in succeed("info", "train.data").splitlines())
    data = Dataset.from_libffm("train.ffm")
    assert data.y is not None
    assert lines["file"].startswith("train.data (")
    assert lines["rows"] == "1,000"
    assert lines["features"] == str(data.n_features)
    assert lines["entries"] == "4,000, one per field in each row"
    assert lines["values"] == "all 1"
    assert lines["targets"] == f"stored, of mean {float(data.y.mean()):.5g}"
    assert lines["encoder"] == "none"
    assert "sample weights       none" in succeed("info", "train.data")


def test_info_of_encoded_rows(tmp_path: Path) -> None:
    encoder = pyfm.FieldEncoder(sample_weight="n", remainder="default")
    table = {"site": ["a", "b", "a"], "ids": [[1], [], [1, 2]], "n": [1.0, 2.0, 3.0]}
    encoder.fit_transform(table).save(tmp_path / "rows.data")
    out = succeed("info", str(tmp_path / "rows.data"))
    assert re.search(r"^entries +6$", out, re.MULTILINE)
    assert re.search(r"^targets +none$", out, re.MULTILINE)
    assert re.search(r"^sample weights +stored$", out, re.MULTILINE)
    assert re.search(r"^encoder +FieldEncoder of site, ids$", out, re.MULTILINE)


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


@pytest.mark.parametrize("command", [[], ["train"], ["predict"], ["info"], ["demo"], ["doctor"]])
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


# Otherwise typer asks which shell has started the tests.
NO_DETECTION = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("pyfm tr", "train"),
        ("pyfm train --optimizer ada", "adagrad adam"),
        ("pyfm doctor --js", "--json"),
    ],
)
def test_completion(words: str, expected: str, tmp_path: Path) -> None:
    env = os.environ | NO_DETECTION
    script = pyfm_process("--show-completion", "bash", env=env).stdout
    assert "complete -o default -F _pyfm_completion pyfm" in script
    (tmp_path / "pyfm").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m pyfm "$@"\n')
    (tmp_path / "pyfm").chmod(0o755)
    last = len(words.split()) - 1
    ask = (
        f'COMP_WORDS=({words}); COMP_CWORD={last}; _pyfm_completion pyfm; echo "${{COMPREPLY[*]}}"'
    )
    done = subprocess.run(
        ["bash", "-c", f"{script}\n{ask}"],
        env=env | {"PATH": f"{tmp_path}{os.pathsep}{env['PATH']}"},
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stdout.split() == expected.split()


def test_completion_is_installed_at_home(tmp_path: Path) -> None:
    env = os.environ | NO_DETECTION | {"HOME": str(tmp_path)}
    done = pyfm_process("--install-completion", "bash", env=env)
    assert done.returncode == 0, done.stderr
    assert "bash completion installed" in done.stdout
    assert "_pyfm_completion" in (tmp_path / ".bash_completions" / "pyfm.sh").read_text()


def test_no_command_is_help_and_version() -> None:
    assert "Usage: pyfm" in succeed()
    assert succeed("--version").startswith(f"pyfm {pyfm.__version__}")
