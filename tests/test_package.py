"""`import pyfm`: light, complete, and helpful when the core is missing."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import pyfm


def python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_import_loads_numpy_and_the_core_only() -> None:
    done = python(
        "import sys, pyfm; from importlib.metadata import packages_distributions as p; "
        "print(*{m.split('.')[0] for m in sys.modules} & set(p()))"
    )
    assert done.returncode == 0, done.stderr
    private = {name for name in done.stdout.split() if name.startswith("_")}  # of site-packages
    assert set(done.stdout.split()) - private <= {"numpy", "pyfm"}


def test_all_names_are_there() -> None:
    assert set(pyfm.__all__) <= set(dir(pyfm))
    for name in pyfm.__all__:
        assert getattr(pyfm, name) is not None
    assert issubclass(pyfm.FormatError, ValueError)


def test_other_names_are_not() -> None:
    with pytest.raises(AttributeError, match="module 'pyfm' has no attribute 'DeepFM'"):
        _ = pyfm.DeepFM  # type: ignore[attr-defined]


def test_a_misspelt_name_is_corrected() -> None:
    done = python("import pyfm; pyfm.FFMClassifer")
    assert "has no attribute 'FFMClassifer'. Did you mean: 'FFMClassifier'?" in done.stderr


def test_build_info() -> None:
    info = pyfm.build_info()
    assert {"compiler", "flags", "simd_levels", "openmp"} <= set(info)
    assert info["simd_levels"] == pyfm.simd_levels()


def test_without_the_core(tmp_path: Path) -> None:
    source = Path(pyfm.__file__).parent
    shutil.copytree(source, tmp_path / "pyfm", ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    done = python(f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import pyfm", "-I", "-S")
    assert done.returncode == 1
    assert "ImportError: pyfm's compiled core cannot be loaded" in done.stderr
    assert "pip install ." in done.stderr
