"""A wheel for other machines: `python tests/manylinux.py FOLDER`, of the newest wheel in FOLDER.

Repairs it as a manylinux wheel, installs that into an environment of its own, and runs smoke.py
there. Linux only; needs auditwheel and patchelf.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

TESTS = Path(__file__).resolve().parent


def newest(folder: Path) -> Path:
    """The newest wheel there."""
    return max(folder.glob("*.whl"), key=lambda path: path.stat().st_mtime)


def repair(wheel: Path, folder: Path) -> Path:
    """The manylinux wheel of it, with libgomp inside."""
    command = [sys.executable, "-m", "auditwheel", "repair", "-w", str(folder), str(wheel)]
    subprocess.run(command, check=True)
    return newest(folder)


def check_content(wheel: Path) -> None:
    """The package, its licence and one library; nothing of the tests, and no kernels twice."""
    names = [name for name in zipfile.ZipFile(wheel).namelist() if not name.endswith("/")]
    assert "manylinux" in wheel.name, wheel.name
    assert {name.split("/")[0].split("-")[0] for name in names} <= {
        "pyfm", "pyfm_ctr", "pyfm_ctr.libs"
    }, names  # fmt: skip
    assert len([name for name in names if name.startswith("pyfm/") and ".so" in name]) == 1
    bundled = [name for name in names if name.startswith("pyfm_ctr.libs/")]
    assert [name.startswith("pyfm_ctr.libs/libgomp") for name in bundled] == [True], bundled
    assert any(name.endswith("LICENSE") for name in names), names


def main(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        wheel = repair(newest(folder), home)
        check_content(wheel)
        venv.create(home / "environment", with_pip=True)
        python = home / "environment" / "bin" / "python"
        pip = (python, "-m", "pip", "install", "-q", "--disable-pip-version-check")
        subprocess.run((*pip, "--no-compile", wheel), check=True)  # most of it is never imported
        subprocess.run([python, "-I", TESTS / "smoke.py"], cwd=home, check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
