"""Whatever the catalog lists has an oracle: a new name fails here until reference.py knows it."""

from __future__ import annotations

import contract
import pytest
import reference
import reference_metrics

from pyfm import _core


@pytest.mark.parametrize(
    ("kind", "oracles"),
    [
        ("models", reference.MODELS),
        ("optimizers", reference.OPTIMIZERS),
        ("losses", reference.LOSSES),
        ("metrics", reference_metrics.METRICS),
    ],
)
def test_everything_has_an_oracle(kind: str, oracles: dict[str, object]) -> None:
    missing = set(contract.CATALOG[kind]) - set(oracles)
    assert not missing, f"add an oracle for {missing} to tests/reference*.py"


def test_every_parameter_of_an_optimizer_is_tested() -> None:
    for name in contract.OPTIMIZERS:
        missing = set(contract.CATALOG["optimizers"][name]) - set(contract.PARAMS)
        assert not missing, f"add values for {missing} of {name} to contract.PARAMS"


def test_the_level_can_be_set(level: str) -> None:
    assert _core.simd() == level


def test_an_unknown_level_is_an_error_that_lists_the_levels() -> None:
    with pytest.raises(ValueError, match=r"expected one of .*'portable'.*found 'mmx'"):
        _core.set_simd("mmx")
