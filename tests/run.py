"""Build, check and test everything: `python tests/run.py [--quick] [pytest arguments]`.

Needs Python >= 3.10, pip and a C++20 compiler. Everything else is installed with pip into the
active virtual environment, or into `.venv` beside the sources when none is active. Stops at the
first failure, once what runs beside it has ended; the last line is pytest's summary.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import venv
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "build" / "dist"
# What the C++ tests need of the extra `test`, in the same words: they do not wait for the rest.
CPP_TOOLS = ("cmake>=3.25", "libboost-headers>=1.84", "ninja")


def environment_python() -> Path:
    """The interpreter of the active virtual environment, or of a new one in `.venv`."""
    if sys.prefix != sys.base_prefix:
        return Path(sys.executable)
    home = ROOT / ".venv"
    if not (home / "bin" / "python").exists():
        venv.create(home, with_pip=True)
    return home / "bin" / "python"


def stage(name: str, *command: str | Path, env: dict[str, str]) -> None:
    """Run one command; what it printed is shown only when it fails."""
    print(f"{name} …", flush=True)
    start = time.monotonic()
    done = subprocess.run(
        command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    result = "ok" if done.returncode == 0 else "FAILED"
    print(f"{name}: {result} ({time.monotonic() - start:.0f} s)", flush=True)
    if done.returncode != 0:
        print(done.stdout, f"failed: {' '.join(map(str, command))}", sep="\n")
        sys.exit(1)


def at_once(*works: Callable[[], None]) -> None:
    """Each on a thread, so that none of the processors is idle."""
    with ThreadPoolExecutor(len(works)) as threads:
        for done in [threads.submit(work) for work in works]:
            done.result()


def build_from_archive(python: Path, werror: str, env: dict[str, str]) -> Path:
    """Installs what users get: the wheel that is made of the source archive."""
    pip = (python, "-m", "pip")
    for old in (*DIST.glob("*.tar.gz"), *DIST.glob("*.whl")):
        old.unlink()
    stage("tools", *pip, "install", "-q", "build", *CPP_TOOLS, env=env)
    stage("source archive", python, "-m", "build", "-q", "--sdist", "-o", DIST, env=env)
    (archive,) = DIST.glob("*.tar.gz")
    # Not in pip's scratch folder: a test looks at the kernels' objects.
    place = f"--config-settings=build-dir={ROOT / 'build' / 'archive'}"
    stage("build", *pip, "wheel", "-q", "--no-deps", "-w", DIST, werror, place, archive, env=env)
    (wheel,) = DIST.glob("*.whl")
    again = ("--force-reinstall", "--no-deps")  # the version is that of the wheel before
    stage("install", *pip, "install", "-q", *again, wheel, env=env)
    return wheel


def lint(bin_folder: Path, env: dict[str, str]) -> None:
    """Style, of Python and C++."""
    cpp = [
        path
        for folder in ("src/cpp", "tests/cpp")
        for pattern in ("*.h", "*.cpp")
        for path in sorted((ROOT / folder).rglob(pattern))
    ]
    stage("ruff check", bin_folder / "ruff", "check", ".", env=env)
    stage("ruff format", bin_folder / "ruff", "format", "--check", ".", env=env)
    stage("clang-format", bin_folder / "clang-format", "--dry-run", "-Werror", *cpp, env=env)


def main(arguments: list[str]) -> int:
    python = environment_python()
    quick = "--quick" in arguments
    bin_folder = python.parent
    env = os.environ | {
        "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}",
        "VIRTUAL_ENV": str(bin_folder.parent),  # CMake looks here for the tests' libraries
        "OMP_WAIT_POLICY": "passive",  # threads that wait leave the processors to others
    }
    env.pop("PYTHONPATH", None)  # the installed package is what is tested

    pip = (python, "-m", "pip", "install", "-q")
    werror = "--config-settings=cmake.define.PYFM_WERROR=ON"
    install = partial(stage, "build", *pip, werror, ".[test,docs]", env=env)
    if not quick:
        wheel = build_from_archive(python, werror, env)
        install = partial(stage, "install for tests", *pip, f"{wheel}[test,docs]", env=env)

    def check_package() -> None:
        install()
        lint(bin_folder, env)
        stage("mypy", python, "-m", "mypy", env=env)
        if not quick and sys.platform == "linux":
            stage("wheel", python, ROOT / "tests" / "manylinux.py", DIST, env=env)

    def sanitize(preset: str) -> None:
        # Nice to the other work, which has one process at a time and must not wait for many.
        workflow = ("nice", bin_folder / "cmake", "--workflow", "--preset", preset)
        stage(f"C++ tests, {preset}", *workflow, env=env)

    presets = () if quick else ("asan", "tsan")
    at_once(check_package, *(partial(sanitize, preset) for preset in presets))
    pytest: list[str | Path] = [
        python,
        "-m",
        "pytest",
        "-q",
        "--numprocesses=auto",
        *(a for a in arguments if a != "--quick"),
    ]
    return subprocess.run(pytest, cwd=ROOT, env=env).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
