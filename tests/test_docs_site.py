"""The documentation as a site: links and anchors, the list of names, the build, the examples."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from test_docs import PAGES, ROOT

import pyfm

LINK = re.compile(r"\]\(([^)\s]+)\)")
EXAMPLES = sorted((ROOT / "docs" / "examples").glob("*.py"))


def without_code(page: Path) -> str:
    return re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)


def headings(page: Path) -> list[str]:
    lines = re.findall(r"^#+ +(.+)$", without_code(page), re.MULTILINE)
    return [re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", line).replace("`", "") for line in lines]


def github_anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def site_anchor(heading: str) -> str:
    ascii_only = unicodedata.normalize("NFKD", heading).encode("ascii", "ignore").decode()
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", ascii_only).strip().lower())


def links() -> Iterator[Any]:
    for page in PAGES:
        name = page.relative_to(ROOT)
        for target in LINK.findall(without_code(page)):
            if not target.startswith(("http://", "https://")):
                yield pytest.param(page, target, id=f"{name}-{target}")


@pytest.mark.parametrize(("page", "target"), links())
def test_link(page: Path, target: str) -> None:
    path, _, anchor = target.partition("#")
    found = (page.parent / path).resolve() if path else page
    assert found.is_relative_to(ROOT)
    assert found.exists(), f"there is no {path}"
    if anchor:  # where the sources are read, and on the site
        assert anchor in {github_anchor(heading) for heading in headings(found)}
        assert anchor in {site_anchor(heading) for heading in headings(found)}


def documented() -> dict[str, Any]:
    """Names in the pages of the API, and what they stand for."""
    found = {}
    for page in (ROOT / "docs" / "api").glob("*.md"):
        for name in re.findall(r"^(?:::: |## )(pyfm[\w.]*)$", page.read_text(), re.MULTILINE):
            assert name not in found, f"{name} is described twice"
            item: Any = pyfm
            for part in name.split(".")[1:]:
                item = getattr(item, part)
            found[name] = item
    return found


def test_the_api_has_every_public_name() -> None:
    described = list(documented().values())
    missing = []
    for module in (pyfm, *(getattr(pyfm, name) for name in pyfm.__all__)):
        if isinstance(module, ModuleType):
            for name in module.__all__:
                item = getattr(module, name)
                if not isinstance(item, (ModuleType, str)):
                    missing += [] if item in described else [f"{module.__name__}.{name}"]
    assert missing == []


@pytest.mark.skipif(
    not importlib.util.find_spec("mkdocs"), reason="needs mkdocs: pip install '.[docs]'"
)
def test_the_site_builds_without_warnings(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    env = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    page = (tmp_path / "api" / "optim" / "index.html").read_text()
    assert "<math" in page
    assert "math::" not in page
    estimators = (tmp_path / "api" / "estimators" / "index.html").read_text()
    assert 'id="pyfm.FFMClassifier.fit"' in estimators
    assert "{" not in re.sub(
        r"<pre.*?</pre>|<code.*?</code>|<script.*?</script>|<style.*?</style>",
        "",
        estimators,
        flags=re.DOTALL,
    )


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_example(example: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", str(example)],
        cwd=tmp_path, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_the_list_of_examples() -> None:
    page = (ROOT / "docs" / "examples" / "README.md").read_text()
    assert set(re.findall(r"\((\w+\.py)\)", page)) == {path.name for path in EXAMPLES}
