"""The rules of docs/architecture.md that a compiler does not check."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import run

ROOT = Path(__file__).resolve().parent.parent
CPP = ROOT / "src" / "cpp"

# A folder includes only itself and folders before it: the way that an example takes.
FOLDERS = ["base", "simd", "data", "loss", "optim", "model", "nn", "metric", "train", "bind"]

# Folders that have a unit for each SIMD level, and what the units export.
KERNELS = {"nn": "nn_kernels", "train": "kernels"}

SOURCES = sorted(p for p in CPP.rglob("*") if p.suffix in {".h", ".cpp"})
INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
STRING = re.compile(r'"(?:\\.|[^"\\\n])*"')


def folder_of(source: Path) -> str:
    return source.relative_to(CPP).parts[0]


def includes(source: Path) -> Iterator[tuple[str, bool]]:
    """(path, in quotes) of every include."""
    for quoted, system in INCLUDE.findall(source.read_text()):
        yield quoted or system, bool(quoted)


def code_of(source: Path) -> str:
    """The text without comments and strings."""
    return STRING.sub('""', COMMENT.sub("", source.read_text()))


def name_of(source: Path) -> str:
    return str(source.relative_to(ROOT))


each_source = pytest.mark.parametrize("source", SOURCES, ids=name_of)


@each_source
def test_includes_follow_the_data(source: Path) -> None:
    rank = FOLDERS.index(folder_of(source))
    for path, quoted in includes(source):
        if not quoted:
            continue
        assert (CPP / path).is_file(), f'"{path}": includes are relative to src/cpp'
        assert FOLDERS.index(path.split("/")[0]) <= rank, f'"{path}" is of a later folder'


@each_source
def test_each_library_has_its_room(source: Path) -> None:
    code = source.read_text()
    if "#pragma omp" in code or "<omp.h>" in code:
        assert source == CPP / "base" / "parallel.h", "OpenMP belongs to base/parallel.h"
    if folder_of(source) != "bind":
        libraries = [path for path, _ in includes(source)]
        assert not [p for p in libraries if p.startswith("pybind11/") or p == "Python.h"]


@each_source
def test_core_neither_prints_nor_exits(source: Path) -> None:
    forbidden = r"\b(?:abort|exit|_Exit|quick_exit|terminate|f?printf|puts|std::c(?:out|err|log))\b"
    assert not re.findall(forbidden, code_of(source))
    assert not {path for path, _ in includes(source)} & {"iostream", "cassert"}


def test_only_kernel_units_have_instruction_set_flags() -> None:
    cmake = (ROOT / "CMakeLists.txt").read_text()
    for flag in ("-march", "-mcpu", "-mtune", "-ffast-math"):
        assert flag not in cmake
    with_flags = re.findall(r"set\((\w+)[^)]*-m(?:avx|fma|sse)", cmake)
    assert with_flags
    assert all(name.startswith("isa_") for name in with_flags)
    users = re.findall(r"set_source_files_properties\((\S+)", cmake)
    assert users == [f"src/cpp/{folder}/kernels_${{level}}.cpp" for folder in KERNELS]


def test_simd_headers_are_included_by_kernel_units_only() -> None:
    for source in SOURCES:
        vectors = [path for path, _ in includes(source) if path.startswith("simd/vec_")]
        if vectors:
            level = vectors[0].removeprefix("simd/vec_").removesuffix(".h")
            units = [CPP / folder / f"kernels_{level}.cpp" for folder in KERNELS]
            assert source in (*units, CPP / "simd" / f"vec_{level}.h")


def kernel_objects() -> list[Path]:
    """The kernel units of the newest optimized build, wherever pip or CMake left it."""
    builds = [Path(os.environ["PYFM_BUILD_DIR"])] if "PYFM_BUILD_DIR" in os.environ else []
    builds = builds or [cache.parent for cache in ROOT.glob("build/*/CMakeCache.txt")]
    optimized = [
        b for b in builds if "PYFM_SANITIZE:STRING=\n" in (b / "CMakeCache.txt").read_text()
    ]
    objects = [sorted(b.rglob("kernels_*.cpp.o")) for b in optimized]
    return max((o for o in objects if o), key=lambda o: o[0].stat().st_mtime, default=[])


OBJECTS = kernel_objects()


@pytest.mark.skipif(not shutil.which("nm"), reason="needs nm (binutils)")
@pytest.mark.skipif(
    not OBJECTS, reason="no build folder: PYFM_BUILD_DIR names none, build/ has none"
)
@pytest.mark.parametrize("unit", OBJECTS, ids=lambda p: f"{p.parent.name}-{p.name}")
def test_kernel_unit_exports_its_table_and_nothing_else(unit: Path) -> None:
    # An inline function of a header that a kernel unit includes would be a weak symbol, compiled
    # with the unit's instruction set. The linker keeps one of several: maybe this one, for all
    # processors.
    listing = subprocess.run(
        ["nm", "-C", "--defined-only", "--extern-only", unit],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    symbols = [line.split(maxsplit=2)[1:] for line in listing.stdout.splitlines()]
    level = unit.name.removeprefix("kernels_").removesuffix(".cpp.o")
    assert [name for _, name in symbols] == [f"pyfm::{KERNELS[unit.parent.name]}_{level}"]
    assert symbols[0][0] in "DR"


def test_the_runner_knows_the_tools_as_the_package_does() -> None:
    """It installs some before the others, which must not be replaced while they are in use."""
    wanted = (ROOT / "pyproject.toml").read_text()
    for tool in run.CPP_TOOLS:
        assert f'  "{tool}",\n' in wanted, tool
