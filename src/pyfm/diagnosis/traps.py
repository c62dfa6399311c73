"""Known traps: facts that make pyfm slower, or fail, and that their owner may not know of."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pyfm import _core
from pyfm.diagnosis.facts import Facts

_FEW_FILES = 256

# OpenBLAS's names of kernels that use AVX-512.
_AVX512_KERNELS = {"SkylakeX", "Cooperlake", "SapphireRapids"}


@dataclass(frozen=True)
class Trap:
    """One that is sprung: its name, what was found, and what to do about it."""

    name: str
    message: str


def find_traps(facts: Facts) -> list[Trap]:
    """Those of these facts."""
    return [Trap(name, message) for name, look in _TRAPS.items() for message in look(facts)]


def _simd(facts: Facts) -> Iterator[str]:
    core, best = facts.core, facts.core.simd_levels[-1]
    if core.simd is None:
        try:
            _core.simd()
        except ValueError as error:
            yield f"{error}; until it is unset, nothing is computed"
    elif core.simd != best:
        cause = "PYFM_SIMD" if "PYFM_SIMD" in facts.environment else "pyfm.set_simd"
        yield f"kernels are those for {core.simd}, by {cause}; this processor runs {best}: unset it"


def _build(facts: Facts) -> Iterator[str]:
    core = facts.core
    if core.build_type is not None and core.build_type not in {"Release", "RelWithDebInfo"}:
        yield (
            f"the core is a {core.build_type} build, many times slower: install it with "
            "`pip install .`, whose build type is Release"
        )
    if core.compiler is not None and core.openmp is None:
        yield (
            "the core was built without OpenMP and starts threads anew for each piece of work: "
            "install the compiler's OpenMP (libomp for Clang), and pyfm again"
        )


def _blas(facts: Facts) -> Iterator[str]:
    forced = facts.environment.get("OPENBLAS_CORETYPE")
    if forced:
        yield (
            f"OPENBLAS_CORETYPE={forced} chooses the kernels of matrix products, for deep models: "
            "unset it, and OpenBLAS takes those of this processor"
        )
        return
    of_scipy = [x for x in facts.libraries if x.api == "blas" and x.kernels and "scipy" in x.path]
    for found in of_scipy:
        if "avx512" in facts.core.simd_levels and found.kernels not in _AVX512_KERNELS:
            yield (
                f"{found.path} multiplies matrices by its kernels for {found.kernels}, although "
                "the processor has AVX-512: a newer SciPy may know it"
            )


def _threads(facts: Facts) -> Iterator[str]:
    given, machine = facts.environment, facts.machine
    if "OMP_NUM_THREADS" in given:
        yield (
            f"OMP_NUM_THREADS={given['OMP_NUM_THREADS']} does not change how many threads pyfm "
            "uses: n_jobs does"
        )
    if "OMP_THREAD_LIMIT" in given:
        yield (
            f"OMP_THREAD_LIMIT={given['OMP_THREAD_LIMIT']}: of n_jobs threads, no more than these "
            "work at once; unset it"
        )
    for name in ("OMP_PROC_BIND", "OMP_PLACES", "GOMP_CPU_AFFINITY", "KMP_AFFINITY"):
        if given.get(name, "false").lower() not in {"false", "disabled", "none"}:
            yield (
                f"{name}={given[name]} binds threads to processors: two processes, or two fits at "
                "once, share the same ones and leave others idle; unset it"
            )
    quota = machine.cpu_quota
    if quota is not None and quota < machine.allowed_processors:
        yield (
            f"the control group allows the time of {quota:g} processors, and n_jobs=-1 starts "
            f"{machine.allowed_processors} threads, which are stopped again and again: pass "
            f"n_jobs={max(1, int(quota))}"
        )


def _openmp(facts: Facts) -> Iterator[str]:
    runtimes = {x.name for x in facts.libraries if x.api == "openmp"}
    if len(runtimes) > 1:
        names = " and ".join(sorted(runtimes))
        yield (
            f"two OpenMP runtimes are loaded, {names}: each keeps threads of its own, and some "
            "builds of the second end the process; install all packages from one source (pip's "
            "wheels, or one conda channel)"
        )


def _memory(facts: Facts) -> Iterator[str]:
    if facts.machine.huge_pages == "never":
        yield (
            "transparent huge pages are off, so that large tables are 5 to 15 % slower: "
            "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled, as root"
        )


def _files(facts: Facts) -> Iterator[str]:
    limit = facts.machine.open_files
    if limit is not None and limit < _FEW_FILES:
        yield (
            f"this process may open {limit} files, too few for folders of Parquet and for "
            "processes side by side: ulimit -n 4096"
        )


def _packages(facts: Facts) -> Iterator[str]:
    for name, package in facts.packages.items():
        if package.version is None:
            if not package.optional:
                yield f"{name} is not installed, but needed: pip install '{name}'"
        elif package.needed and _numbers(package.version) < _numbers(package.needed):
            least = f"{name}>={package.needed}"
            yield f"{name} {package.version} is installed, {least} needed: pip install '{least}'"


def _numbers(version: str) -> list[int]:
    found = re.match(r"\d+(\.\d+)*", version)
    numbers = [int(number) for number in found[0].split(".")] if found else []
    while numbers and numbers[-1] == 0:  # 18.0 is 18
        numbers.pop()
    return numbers


_TRAPS: dict[str, Callable[[Facts], Iterator[str]]] = {
    "simd": _simd,
    "build": _build,
    "blas": _blas,
    "threads": _threads,
    "openmp": _openmp,
    "huge pages": _memory,
    "files": _files,
    "packages": _packages,
}
