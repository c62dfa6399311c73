"""The documentation runs: code blocks of the pages, and examples of the docstrings."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest

import pyfm

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "bench" / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

# Shell lines that are not run here, and why.
NOT_RUN = {
    "pip install . && pyfm demo": "the installation under test ran the first half; `pyfm demo` "
    "is run by the tests of the shell",
    "python tests/run.py": "it runs these tests",
    "pip install .": "it made the installation under test",
    "pip install '.[docs]'": "needs the network",
    "mkdocs build": "test_docs_site.py builds the site",
    "pip install -r bench/requirements.txt": "needs the network",
    "python bench/speed.py": "minutes of measuring, and needs the peer",
    "python bench/scaling.py": "minutes of measuring",
    "python bench/bandwidth.py": "minutes of measuring",
    "python bench/figures.py": "needs matplotlib, and what the others measured",
    "python bench/instructions.py --compare": "minutes, and needs valgrind",
}


class Block(NamedTuple):
    language: str
    code: str
    where: str


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text()
    for match in re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        line = text.count("\n", 0, match.start()) + 1
        yield Block(match[1], match[2], f"{page.relative_to(ROOT)}:{line}")


BLOCKS = [block for page in PAGES for block in blocks(page)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with the small files that the pages speak of."""
    rows, _ = pyfm.datasets.make_ctr(400, n_fields=4, n_features=60, random_state=0)
    ids, y = rows.core.features.reshape(-1, 4), rows.core.y
    assert y is not None
    lines = [
        f"{int(label)} " + " ".join(f"{field}:{j}:1" for field, j in enumerate(row)) + "\n"
        for label, row in zip(y.tolist(), ids.tolist(), strict=True)
    ]
    (tmp_path / "train.ffm").write_text("".join(lines[:300]))
    (tmp_path / "valid.ffm").write_text("".join(lines[300:]))
    table = (f"{i % 2},{'abc'[i % 3]}.example,{i % 7}\n" for i in range(90))
    (tmp_path / "clicks.csv").write_text("click,site,ad\n" + "".join(table))
    monkeypatch.chdir(tmp_path)
    return tmp_path


each_page = pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))


@each_page
def test_pages_use_known_languages(page: Path) -> None:
    assert {block.language for block in blocks(page)} <= {"python", "sh", "text"}


@each_page
def test_python_blocks(page: Path, folder: Path) -> None:
    # From top to bottom in one namespace, as a reader would type them.
    names: dict[str, Any] = {"__name__": "docs"}
    level = pyfm.simd()
    try:
        for block in blocks(page):
            if block.language == "python":
                exec(compile(block.code, block.where, "exec"), names)
    finally:
        pyfm.set_simd(level)


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.language == "sh"], ids=lambda b: b.where)
def test_shell_block(block: Block, folder: Path) -> None:
    command = f'pyfm() {{ "{sys.executable}" -c "from pyfm.cli import main; main()" "$@"; }}\n'
    for line in block.code.replace("\\\n", " ").splitlines():
        if line in NOT_RUN:
            continue
        assert line.startswith("pyfm "), f"neither run nor in NOT_RUN: {line}"
        command += line + "\n"
    done = subprocess.run(["sh", "-ec", command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_each_excuse_is_needed() -> None:
    lines = {line for block in BLOCKS if block.language == "sh" for line in block.code.splitlines()}
    assert set(NOT_RUN) <= lines


def modules() -> list[ModuleType]:
    found = pkgutil.walk_packages(pyfm.__path__, "pyfm.")
    names = [module.name for module in found if not module.name.endswith("__main__")]
    return [pyfm, *map(importlib.import_module, names)]


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.__name__)
def test_docstring_examples(module: ModuleType, folder: Path) -> None:
    failed, _ = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    assert failed == 0


def public() -> Iterator[tuple[str, Any]]:
    """Everything that users may name, with the methods of classes."""
    modules = (
        pyfm, pyfm.callbacks, pyfm.datasets, pyfm.encode, pyfm.ensemble, pyfm.explain,
        pyfm.metrics, pyfm.nn, pyfm.optim, pyfm.plot, pyfm.schedules
    )  # fmt: skip
    for module in modules:
        for name in module.__all__:
            item = getattr(module, name)
            if not inspect.isclass(item) and not inspect.isroutine(item):
                continue
            yield f"{module.__name__}.{name}", item
            for member, value in inspect.getmembers(item) if inspect.isclass(item) else ():
                own = getattr(value, "__module__", None) or ""
                if not member.startswith("_") and callable(value) and own.startswith("pyfm"):
                    yield f"{module.__name__}.{name}.{member}", value


@pytest.mark.parametrize(("name", "item"), [pytest.param(*p, id=p[0]) for p in public()])
def test_public_names_are_documented(name: str, item: Any) -> None:
    assert (inspect.getdoc(item) or "").strip(), f"{name} has no docstring"
