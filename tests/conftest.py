"""Fixtures of the contract tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pyfm import _core


@pytest.fixture(autouse=True)
def _simd_level_in_force() -> Iterator[None]:
    """Gives every test the level that the environment asked for, whatever the last one set."""
    before = _core.simd()
    yield
    _core.set_simd(before)


@pytest.fixture(params=_core.simd_levels())
def level(request: pytest.FixtureRequest) -> str:
    """Runs the test once on every SIMD level of this processor."""
    _core.set_simd(request.param)
    return str(request.param)
