"""Fixtures of several files."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import pyfm
from pyfm import _core

# Tests send Ctrl-C, which jobs in the background of a script are started to ignore.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _simd_level_in_force() -> Iterator[None]:
    """Gives every test the level that the environment asked for, whatever the last one set."""
    before = _core.simd()
    yield
    _core.set_simd(before)


@pytest.fixture(autouse=True)
def _no_figure_left() -> Iterator[None]:
    """Closes what a test drew, examples of the docs included, if one drew at all."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.fixture(params=_core.simd_levels())
def level(request: pytest.FixtureRequest) -> str:
    """Runs the test once on every SIMD level of this processor."""
    _core.set_simd(request.param)
    return str(request.param)


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
