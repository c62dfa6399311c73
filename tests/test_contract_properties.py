"""Any row at all: scores, updates and padding hold for rows that no one thought of."""

from __future__ import annotations

import contract
import numpy as np
import pytest
from contract import Case, Data
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reference import Row

from pyfm import _core

N_FIELDS = 6

values = st.sampled_from([1.0, 1.0, 0.5, -2.0, 0.0, 1e-3, 30.0])


@st.composite
def any_row(draw: st.DrawFn) -> Row:
    """No feature in two fields, see test_a_feature_in_several_fields; repeated within one."""
    entries = draw(st.lists(st.tuples(st.integers(0, 3 * N_FIELDS - 1), values), max_size=12))
    fields = draw(st.lists(st.integers(0, N_FIELDS - 1), min_size=18, max_size=18))
    return [(fields[j], j, x) for j, x in entries]


@pytest.mark.parametrize("model", contract.MODELS)
@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    rows=st.lists(any_row(), min_size=1, max_size=4),
    n_factors=st.sampled_from(contract.N_FACTORS),
    optimizer=st.sampled_from(contract.OPTIMIZERS),
    level=st.sampled_from(_core.simd_levels()),
)
def test_any_rows(model: str, rows: list[Row], n_factors: int, optimizer: str, level: str) -> None:
    _core.set_simd(level)
    # A value of 30 would throw plain SGD about; the length of the row keeps all steps small.
    case = Case(model, optimizer, n_fields=N_FIELDS, n_factors=n_factors, normalize=True)
    data = Data(rows, [float(i % 2) for i in range(len(rows))], None, case.n_features, N_FIELDS)
    start, reference = case.started(), case.reference()
    for row, score in zip(rows, contract.scores(start, data.core()), strict=True):
        tolerance = contract.score_tolerance(reference, row)
        assert score == pytest.approx(reference.score(row), abs=tolerance)

    core = case.core()
    contract.train(core, data.core())
    reference.forget(contract.unmet(case, data))
    for row, y in zip(rows, data.y, strict=True):
        reference.update(row, y)
    contract.assert_weights_close(core, reference)
    assert np.all(np.isfinite(contract.scores(core, data.core())))
