"""The types of the installed package, in programs of its users: mypy in its strict mode."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import pyfm

EXAMPLES = sorted((Path(__file__).resolve().parent.parent / "docs" / "examples").glob("*.py"))

# Right: every line is a use that people make, and `assert_type` says what comes out.
PROGRAM = """
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from typing_extensions import assert_type

import pyfm
from pyfm import callbacks, encode, metrics, nn, optim, schedules
from pyfm.callbacks import CallbackEnv

assert_type(pyfm.__version__, str)
assert_type(pyfm.simd(), str)
assert_type(pyfm.simd_levels(), list[str])
report = pyfm.doctor()
assert_type(report.facts.core.simd, str | None)
assert_type([trap.message for trap in report.traps], list[str])

data, bayes = pyfm.datasets.make_ctr(100, n_fields=3, n_features=50, random_state=0)
assert_type(data, pyfm.Dataset)
assert_type(bayes, float)
assert_type(data[:10], pyfm.Dataset)
assert_type(data.n_rows, int)
assert_type(data.layout, Literal["one_per_field", "csr"])
assert_type(pyfm.Dataset.from_ids(np.zeros((2, 2), np.int64), y=[0, 1]), pyfm.Dataset)
assert_type(pyfm.Dataset.open("rows.data", verify=False), pyfm.Dataset)
assert_type(pyfm.Dataset.stream("train.ffm"), pyfm.DataStream)

encoder = pyfm.FieldEncoder({"a": encode.Categorical(min_count=2), "b": "hashed"})
assert_type(encoder.fit({"a": ["x"], "b": ["y"]}), pyfm.FieldEncoder)
assert_type(encoder.transform({"a": ["x"], "b": ["y"]}), pyfm.Dataset)
assert_type(encoder.lookup(2).field, str)


def stop(env: CallbackEnv) -> bool:
    return env.record["train_logloss"] < 0.1


model = pyfm.FFMClassifier(
    n_factors=4,
    optimizer={"linear": optim.FTRL(l1=1.0), "factors": "adagrad"},
    linear=True,
    learning_rate_schedule=schedules.Step(step_size=2),
    augmentation=pyfm.Augmentation(feature_dropout=0.1),
    metric=["auc", "logloss"],
    class_weight={0: 1.0, 1: 2.0},
)
fitted = model.fit(data, eval_set={"valid": data}, callbacks=[stop, callbacks.progress()])
assert_type(fitted, pyfm.FFMClassifier)
p = fitted.predict_proba(data)
assert_type(p, NDArray[np.float64])
assert_type(metrics.logloss([0, 1], [0.2, 0.8]), float)
assert_type(fitted.factors_, NDArray[np.float32])
assert_type(fitted.best_epoch_, int)
fitted.save("model.pyfm", optimizer_state=True)
deep = pyfm.DeepFMRegressor(hidden=(64, 32), batch_norm=True, dropout=0.1)
deep.fit(data, init_from=pyfm.load("fm.pyfm"))

out, cache = nn.dense_forward(np.ones((2, 3), np.float32), np.ones((3, 4), np.float32))
assert_type(out, NDArray[np.float32])
layer = nn.Sequential([nn.Dense(3, 4), nn.Dropout(4, 0.5)])
assert_type(layer.predict(np.ones((2, 3), np.float32)), NDArray[np.float32])
"""

# Wrong: each line is refused.
WRONG = {
    'pyfm.FFMClassifier(n_factors="4")': "arg-type",
    "pyfm.FFMClassifier(n_factor=4)": "call-arg",
    "pyfm.optim.AdaGrad(rate=0.1)": "call-arg",
    "pyfm.Dataset.from_ids()": "call-arg",
    "pyfm.set_simd(2)": "arg-type",
    "pyfm.FFM": "attr-defined",
    "pyfm.metrics.auc([0, 1])": "call-arg",
}


def check(folder: Path, *files: Path) -> str:
    """What mypy says of these programs; "" if nothing."""
    settings = folder / "mypy.ini"
    names = ("pandas", "scipy", "sklearn")
    settings.write_text(
        "[mypy]\nstrict = true\n"
        + "".join(f"[mypy-{name}.*]\nignore_missing_imports = true\n" for name in names)
    )
    command = (sys.executable, "-m", "mypy", "--config-file", settings, "--no-error-summary")
    shared = ("--cache-dir", folder.parent / "mypy")  # what the next test imports is checked here
    done = subprocess.run((*command, *shared, *files), cwd=folder, capture_output=True, text=True)
    return done.stdout


def test_a_program(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    assert check(tmp_path, program) == ""


def test_the_examples(tmp_path: Path) -> None:
    assert check(tmp_path, *EXAMPLES) == ""


def test_mistakes(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("\n".join(["import pyfm", *WRONG, ""]))
    found = check(tmp_path, program).splitlines()
    for line, (code, kind) in enumerate(WRONG.items(), start=2):
        of_line = [text for text in found if f"program.py:{line}: error:" in text]
        assert [f"[{kind}]" in text for text in of_line] == [True], (code, of_line)


@pytest.mark.parametrize("name", ["py.typed", "_core.pyi"])
def test_what_type_checkers_look_for(name: str) -> None:
    assert (Path(pyfm.__file__).parent / name).exists()
