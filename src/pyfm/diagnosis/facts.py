"""The facts: what is installed, how the core was built, what the machine is and allows."""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import pyfm
from pyfm import _core
from pyfm.diagnosis import machine

# What the environment says to threads, to BLAS and to the core.
VARIABLES = re.compile(r"(OMP|GOMP|KMP|OPENBLAS|MKL|BLIS|GOTO|VECLIB|PYFM|LOKY)_\w+")

# Used where they are there.
OPTIONAL = ("pyarrow", "pandas", "polars", "matplotlib", "lightgbm", "torch")


@dataclass(frozen=True)
class Core:
    """The package and its compiled part."""

    version: str
    folder: str
    compiler: str | None
    flags: str | None
    build_type: str | None
    openmp: int | None  # as the compiler's _OPENMP, a date; None: plain threads
    simd: str | None  # the level in use; None: PYFM_SIMD names none that is there
    simd_levels: tuple[str, ...]


@dataclass(frozen=True)
class Package:
    """A Python package."""

    version: str | None  # None: not installed
    needed: str | None  # the least version
    optional: bool


@dataclass(frozen=True)
class Library:
    """A shared library in this process."""

    api: str  # "blas" or "openmp"
    name: str
    threads: int
    version: str | None
    kernels: str | None  # of BLAS: the processor that they were written for
    path: str


@dataclass(frozen=True)
class Machine:
    """What runs all this; sizes in bytes, None where the system does not tell, or has no limit."""

    system: str
    libc: str | None
    cpu: str | None
    processors: int
    allowed_processors: int  # of these this process may use so many
    cpu_quota: float | None  # and of their time so much
    memory: int | None
    available_memory: int | None
    memory_limit: int | None
    huge_pages: str | None
    open_files: int | None


@dataclass(frozen=True)
class Facts:
    """All that a report holds."""

    core: Core
    python: Mapping[str, str]
    packages: Mapping[str, Package]
    libraries: tuple[Library, ...]
    machine: Machine
    environment: Mapping[str, str]


def gather() -> Facts:
    """Those of this process; loads SciPy and scikit-learn, as a fit does."""
    # First: scikit-learn adds variables of its own.
    environment = {k: v for k, v in sorted(os.environ.items()) if VARIABLES.fullmatch(k)}
    return Facts(
        core=_of_core(),
        python=_of_python(),
        packages=_of_packages(),
        libraries=_of_libraries(),
        machine=_of_machine(),
        environment=environment,
    )


def _of_core() -> Core:
    try:
        info = _core.build_info()
    except ValueError:  # PYFM_SIMD names no level, of which traps.py will speak
        info = {}
    return Core(
        version=pyfm.__version__,
        folder=str(Path(pyfm.__file__).parent),
        compiler=info.get("compiler"),
        flags=info.get("flags"),
        build_type=info.get("build_type"),
        openmp=info.get("openmp"),
        simd=info.get("simd"),
        simd_levels=tuple(_core.simd_levels()),
    )


def _of_python() -> dict[str, str]:
    is_free = not getattr(sys, "_is_gil_enabled", lambda: True)()
    return {
        "version": platform.python_version() + (", without the GIL" if is_free else ""),
        "implementation": platform.python_implementation(),
        "executable": sys.executable,
    }


def _of_packages() -> dict[str, Package]:
    packages = {name: Package(_version(name), None, optional=True) for name in OPTIONAL}
    for line in _requirements():
        found = re.match(r"([\w.-]+)(?:>=([\w.]+))?", line)
        if found and (found[1] in OPTIONAL or "extra ==" not in line):
            name, optional = found[1], found[1] in OPTIONAL
            packages[name] = Package(_version(name), found[2], optional)
    return dict(sorted(packages.items(), key=lambda item: (item[1].optional, item[0])))


def _requirements() -> list[str]:
    try:
        return requires("pyfm-ctr") or []
    except PackageNotFoundError:  # a source tree that was not installed
        return []


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _of_libraries() -> tuple[Library, ...]:
    import sklearn  # noqa: F401  # which brings its own OpenMP
    from threadpoolctl import threadpool_info

    from pyfm import blas

    blas.load()
    return tuple(
        Library(
            api=found["user_api"],
            name=found["prefix"],
            threads=found["num_threads"],
            version=found["version"],
            kernels=found.get("architecture"),
            path=found["filepath"],
        )
        for found in threadpool_info()
    )


def _of_machine() -> Machine:
    memory, available = machine.memory()
    return Machine(
        system=platform.platform(),
        libc=" ".join(filter(None, platform.libc_ver())) or None,
        cpu=machine.cpu(),
        processors=os.cpu_count() or 1,
        allowed_processors=machine.processors(),
        cpu_quota=machine.cpu_quota(),
        memory=memory,
        available_memory=available,
        memory_limit=machine.memory_limit(),
        huge_pages=machine.huge_pages(),
        open_files=machine.open_files(),
    )
