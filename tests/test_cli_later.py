"""Imports that wait: what a command does not use, it does not load."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import pyfm


def python(code: str, *arguments: str) -> str:
    """What a fresh process prints."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


COMMAND = """
import sys
from pyfm.cli import main

try:
    main()
except SystemExit as end:
    assert not end.code
print(*(name in sys.modules for name in ("sklearn", "pandas.core", "scipy.stats._stats_py")))
"""


def test_commands_load_neither_pandas_nor_statistics(folder: Path) -> None:
    for command in (
        ("train", "--quiet", "--auto-stop", "train.ffm", "model"),
        ("train", "--quiet", "--model", "deepfm", "--hidden", "4", "-t", "1", "train.ffm", "deep"),
        ("predict", "--quiet", "valid.ffm", "model", "clicks"),
        ("info", "model"),
    ):
        assert python(COMMAND, *command).splitlines()[-1] == "True False False", command
    p = pyfm.load("model").predict_proba(pyfm.Dataset.from_libffm("valid.ffm"))[:, 1]
    np.testing.assert_allclose(np.loadtxt("clicks"), p, rtol=1e-8)


@pytest.mark.parametrize(
    ("imports", "result"),
    [
        ("import pandas, scipy.stats", "pandas.Series([1, 2]).sum(), scipy.stats.mode([2]).mode"),
        (
            "import pandas as p; from scipy import stats as s",
            "p.Series([3]).sum(), s.mode([2]).mode",
        ),
        (
            "from pandas import Series; from scipy.stats import mode",
            "Series([3])[0], mode([2]).mode",
        ),
        ("import pandas.core.series as p; import scipy.stats.mstats", "p.Series([3])[0], 2"),
        (
            "import pyarrow, pandas",
            "pyarrow.array([3]).to_pandas()[0], pandas.Series([2])[0]",
        ),
        (
            "from importlib.util import find_spec as f",
            "3, 2 * all(map(f, ['pandas', 'scipy.stats']))",
        ),
        ("import pandas, sklearn.utils as u", "u.column_or_1d(pandas.Series([3]))[0], 2"),
    ],
    ids=["import", "as", "from", "modules within", "pyarrow", "find_spec", "scikit-learn"],
)
def test_who_uses_them_gets_them(imports: str, result: str) -> None:
    start = "from pyfm.cli.later import import_later as later; later('pandas', 'scipy.stats')"
    assert python(f"{start}; {imports}; print({result})") == "3 2\n"


def test_the_module_takes_its_place_for_good() -> None:
    code = """
import sys
from pyfm.cli.later import import_later
import_later("colorsys", "no_such_package", "no_such_package.within", "sys")
assert type(sys.modules["colorsys"]).__name__ == "_Later"
assert "no_such_package" not in sys.modules and "no_such_package.within" not in sys.modules
import colorsys as before
print(before.rgb_to_hsv(0, 0, 1)[2])
import colorsys as after
assert before is not after and type(after) is type(sys) and sys.modules["colorsys"] is after
assert before.rgb_to_hsv is after.rgb_to_hsv
import_later("colorsys")
assert sys.modules["colorsys"] is after
try:
    before.nothing
except AttributeError as error:
    print(error)
"""
    assert python(code) == "1\nmodule 'colorsys' has no attribute 'nothing'\n"


def test_a_library_in_python_is_left_alone() -> None:
    """Only programs decide that, and this one is ours."""
    code = """
import sys
import pyfm.cli, pyfm
pyfm.FFMClassifier
print(any(type(m).__name__ == "_Later" for m in sys.modules.values()))
"""
    assert python(code) == "False\n"
