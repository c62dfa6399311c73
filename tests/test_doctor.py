"""`pyfm.doctor`: facts of machines that the tests make up, and the traps among them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from shell import pyfm_process, succeed

import pyfm
from pyfm.diagnosis import Report, machine
from pyfm.diagnosis.facts import Core, Facts, Library, Machine, Package
from pyfm.diagnosis.traps import find_traps

GOMP = Library("openmp", "libgomp", 2, None, None, "/usr/lib/libgomp.so.1")
BLAS = Library("blas", "libscipy_openblas", 2, "0.3.30", "SkylakeX", "/site/scipy.libs/lib.so")

SOUND = Facts(
    core=Core(
        version="1.0",
        folder="/site/pyfm",
        compiler="GCC 12.2.0",
        flags="-O3 -DNDEBUG",
        build_type="Release",
        openmp=201511,
        simd="avx512",
        simd_levels=("portable", "sse2", "avx2", "avx512"),
    ),
    python={"version": "3.11.7", "executable": "/usr/bin/python"},
    packages={"numpy": Package("2.0.0", "1.24", False), "pyarrow": Package(None, "18", True)},
    libraries=(BLAS, GOMP, replace(GOMP, path="/site/scikit_learn.libs/libgomp.so.1")),
    machine=Machine(
        system="Linux",
        libc="glibc 2.36",
        cpu="a processor",
        processors=8,
        allowed_processors=4,
        cpu_quota=4.0,
        memory=2**34,
        available_memory=2**33,
        memory_limit=None,
        huge_pages="madvise",
        open_files=1024,
    ),
    environment={"OMP_PROC_BIND": "false"},
)


def of_core(**changed: Any) -> Facts:
    return replace(SOUND, core=replace(SOUND.core, **changed))


def of_machine(**changed: Any) -> Facts:
    return replace(SOUND, machine=replace(SOUND.machine, **changed))


def of_environment(**variables: str) -> Facts:
    return replace(SOUND, environment=variables)


def with_package(name: str, package: Package) -> Facts:
    return replace(SOUND, packages={**SOUND.packages, name: package})


OLD_BLAS = replace(SOUND, libraries=(replace(BLAS, kernels="Haswell"), GOMP))
WITHOUT_AVX512 = {"simd": "avx2", "simd_levels": ("portable", "sse2", "avx2")}


@pytest.mark.parametrize(
    ("facts", "name", "message"),
    [
        (of_core(simd="sse2"), "simd", "those for sse2, by pyfm.set_simd; this processor runs avx"),
        (of_core(build_type="Debug"), "build", "a Debug build, many times slower"),
        (of_core(openmp=None), "build", "without OpenMP"),
        (of_environment(OPENBLAS_CORETYPE="Haswell"), "blas", "OPENBLAS_CORETYPE=Haswell chooses"),
        (OLD_BLAS, "blas", "its kernels for Haswell, although the processor has AVX-512"),
        (of_environment(OMP_NUM_THREADS="3"), "threads", "OMP_NUM_THREADS=3 does not change"),
        (of_environment(OMP_THREAD_LIMIT="2"), "threads", "no more than these work at once"),
        (of_environment(OMP_PROC_BIND="TRUE"), "threads", "OMP_PROC_BIND=TRUE binds"),
        (of_environment(GOMP_CPU_AFFINITY="0-3"), "threads", "GOMP_CPU_AFFINITY=0-3 binds"),
        (of_machine(cpu_quota=2.5), "threads", "the time of 2.5 processors, and n_jobs=-1 start"),
        (of_machine(cpu_quota=0.5), "threads", "pass n_jobs=1"),
        (replace(SOUND, libraries=(GOMP, replace(GOMP, name="libiomp"))), "openmp",
         "two OpenMP runtimes are loaded, libgomp and libiomp"),
        (of_machine(huge_pages="never"), "huge pages", "transparent huge pages are off"),
        (of_machine(open_files=200), "files", "may open 200 files"),
        (with_package("pyarrow", Package("17.9.1", "18", True)), "packages",
         "pyarrow 17.9.1 is installed, pyarrow>=18 needed: pip install 'pyarrow>=18'"),
        (with_package("numpy", Package(None, "1.24", False)), "packages", "numpy is not installed"),
    ],
)  # fmt: skip
def test_each_trap_is_found_alone(facts: Facts, name: str, message: str) -> None:
    (trap,) = find_traps(facts)
    assert trap.name == name
    assert message in trap.message


@pytest.mark.parametrize(
    "facts",
    [
        SOUND,
        of_machine(cpu_quota=None, huge_pages=None, open_files=None),
        of_machine(huge_pages="always"),
        of_core(build_type="RelWithDebInfo"),
        of_core(compiler=None, flags=None, build_type=None, openmp=None),
        replace(of_core(**WITHOUT_AVX512), libraries=OLD_BLAS.libraries),
        with_package("pyarrow", Package("18.0.0", "18", True)),
        with_package("pyarrow", Package("18.1.dev3+gabc", "18.1.0", True)),
        with_package("lightgbm", Package(None, None, True)),
    ],
)
def test_no_false_alarm(facts: Facts) -> None:
    assert find_traps(facts) == []
    assert str(Report(facts, [])).endswith("known traps: none")


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


CPU = "sys/fs/cgroup/cpu"


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        ({}, None),
        ({"sys/fs/cgroup/cpu.max": "150000 100000\n"}, 1.5),  # as a container sees it
        ({"sys/fs/cgroup/cpu.max": "max 100000\n"}, None),
        # The least of the group and those above it.
        ({"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/cpu.max": "max 100000",
          "sys/fs/cgroup/a/cpu.max": "300000 100000", "sys/fs/cgroup/a/b/cpu.max": "4000 1000"},
         3.0),
        ({f"{CPU}/cpu.cfs_quota_us": "200000\n", f"{CPU}/cpu.cfs_period_us": "100000\n"}, 2.0),
        ({f"{CPU}/cpu.cfs_quota_us": "-1\n", f"{CPU}/cpu.cfs_period_us": "100000\n"}, None),
        ({"proc/self/cgroup": "3:cpu,cpuacct:/job\n2:pids:/x\n0::/\n",
          f"{CPU}/job/cpu.cfs_quota_us": "50000", f"{CPU}/job/cpu.cfs_period_us": "100000"}, 0.5),
    ],
)  # fmt: skip
def test_cpu_quota(files: dict[str, str], quota: float | None, tmp_path: Path) -> None:
    assert machine.cpu_quota(write(tmp_path, files)) == quota


@pytest.mark.parametrize(
    ("files", "limit"),
    [
        ({}, None),
        ({"sys/fs/cgroup/memory.max": "max\n"}, None),
        ({"sys/fs/cgroup/memory.max": "1073741824\n"}, 2**30),
        ({"sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"}, None),
        ({"sys/fs/cgroup/memory/memory.limit_in_bytes": "2147483648\n"}, 2**31),
    ],
)
def test_memory_limit(files: dict[str, str], limit: int | None, tmp_path: Path) -> None:
    assert machine.memory_limit(write(tmp_path, files)) == limit


def test_files_of_the_system(tmp_path: Path) -> None:
    files = {
        "proc/cpuinfo": "processor\t: 0\nmodel name\t: A Processor 9000\nflags\t: x\n",
        "proc/meminfo": "MemTotal:       2048 kB\nMemFree:  5 kB\nMemAvailable:  1024 kB\n",
        "sys/kernel/mm/transparent_hugepage/enabled": "always madvise [never]\n",
    }
    root = write(tmp_path, files)
    assert machine.cpu(root) == "A Processor 9000"
    assert machine.memory(root) == (2 << 20, 1 << 20)
    assert machine.huge_pages(root) == "never"
    nothing = tmp_path / "nothing"
    assert machine.memory(nothing) == (None, None)
    assert machine.huge_pages(nothing) is None


def test_the_report_of_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    report = pyfm.doctor()
    facts = report.facts
    assert facts.core.version == pyfm.__version__
    assert facts.core.simd == pyfm.simd()
    assert facts.machine.allowed_processors <= facts.machine.processors
    assert {"numpy", "scipy", "scikit-learn", "typer"} <= set(facts.packages)
    assert facts.packages["scipy"].needed == "1.10"
    assert facts.packages["pyarrow"] == Package(version("pyarrow"), "18", optional=True)
    assert {"blas", "openmp"} <= {library.api for library in facts.libraries}
    assert facts.environment["OMP_NUM_THREADS"] == "3"
    assert "threads" in {trap.name for trap in report.traps}
    text = str(report)
    for line in ("built by", "SIMD level", "processors", "huge pages", "known traps"):
        assert line in text


def test_in_the_shell() -> None:
    assert succeed("doctor").startswith(f"pyfm {pyfm.__version__}\n")
    found = json.loads(succeed("doctor", "--json"))
    assert set(found) == {"facts", "traps"}
    assert found["facts"]["core"] == json.loads(json.dumps(asdict(pyfm.doctor().facts.core)))


def test_a_level_that_is_not_there_is_a_trap_and_no_error() -> None:
    env = os.environ | {"PYFM_SIMD": "mmx"}
    done = pyfm_process("doctor", env=env)
    assert done.returncode == 0, done.stderr
    assert re.search(
        r"^  simd: PYFM_SIMD: expected one of .* found 'mmx'; until", done.stdout, re.M
    )


def test_a_forced_level_is_named() -> None:
    code = "import pyfm; print(*(t.message for t in pyfm.doctor().traps), sep='\\n')"
    env = os.environ | {"PYFM_SIMD": "portable"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env
    )
    expected = "kernels are those for portable, by PYFM_SIMD; this processor runs"
    assert (expected in done.stdout) == (len(pyfm.simd_levels()) > 1)
