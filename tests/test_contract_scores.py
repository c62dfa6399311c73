"""Scores equal the oracle's: every model, size, SIMD level and kind of row."""

from __future__ import annotations

import contract
import numpy as np
import pytest
from contract import Case, Data, make_data, scores
from reference import LOSSES


def check_scores(case: Case, data: Data, layout: str = "csr") -> None:
    model = case.filled()
    reference = case.reference(model)
    found = scores(model, data.core(layout))
    assert found.dtype == np.float32
    for row, score in zip(data.rows, found, strict=True):
        tolerance = contract.score_tolerance(reference, row)
        assert score == pytest.approx(reference.score(row), abs=tolerance), (case, layout, row)


@pytest.mark.parametrize("n_factors", contract.N_FACTORS)
@pytest.mark.parametrize("model", contract.MODELS)
def test_every_size(model: str, n_factors: int, level: str) -> None:
    for n_fields in contract.N_FIELDS:
        for normalize in (False, True):
            case = Case(model, n_fields=n_fields, n_factors=n_factors, normalize=normalize)
            check_scores(case, make_data(("plain",) * 2, n_fields), "one_per_field")
            check_scores(case, make_data(("values",) * 2, n_fields), "one_per_field")
            check_scores(case, make_data(("plain", "missing", "several"), n_fields))


@pytest.mark.parametrize("kind", contract.ROW_KINDS)
@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize("linear", [False, True])
@pytest.mark.parametrize("model", contract.MODELS)
def test_every_kind_of_row(
    model: str, linear: bool, normalize: bool, kind: str, level: str
) -> None:
    case = Case(model, n_fields=5, n_factors=4, linear=linear, normalize=normalize)
    check_scores(case, make_data((kind,) * 4, n_fields=5))


@pytest.mark.parametrize("model", contract.MODELS)
def test_a_feature_in_several_fields(model: str, level: str) -> None:
    row = [(0, 4, 1.0), (1, 4, 1.0), (2, 5, 1.0), (3, 4, 1.0), (4, 0, 1.0)]
    data = Data([row], [1.0], None, 15, 5)
    check_scores(Case(model, n_fields=5), data)
    check_scores(Case(model, n_fields=5), data, "one_per_field")


@pytest.mark.parametrize("n_factors", [1, 4, 9])
@pytest.mark.parametrize("model", contract.MODELS)
def test_the_order_of_entries_does_not_matter(model: str, n_factors: int, level: str) -> None:
    case = Case(model, n_fields=5, n_factors=n_factors)
    core, rng = case.filled(), np.random.default_rng(1)
    reference = case.reference(core)
    for kind in contract.ROW_KINDS:
        row = contract.make_row(kind, 5, rng)
        orders = [[row[i] for i in rng.permutation(len(row))] for _ in range(4)]
        found = scores(core, Data(orders, [0.0] * 4, None, 15, 5).core())
        np.testing.assert_allclose(
            found, found[0], rtol=0, atol=contract.score_tolerance(reference, row), err_msg=kind
        )


@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize("model", contract.MODELS)
def test_unknown_features_and_fields_are_ignored(model: str, normalize: bool, level: str) -> None:
    case = Case(model, n_fields=3, normalize=normalize)
    rows = [
        [(0, 1, 1.0), (1, 9, 2.0), (2, 6, 1.0)],
        [(0, 1, 1.0), (1, 4000, -2.0), (7, 5, 1.5), (2, 6, 1.0)],
        [(3, 1, 1.0)],
    ]
    check_scores(case, Data(rows, [0.0] * 3, None, 4001, 8))


@pytest.mark.parametrize("loss", contract.LOSSES)
def test_predictions_are_on_the_scale_of_y(loss: str, level: str) -> None:
    case = Case("fm", loss=loss)
    data = make_data(("values",) * 8, n_fields=3).core()
    model = case.filled()
    found = model.predict(data, n_threads=1)
    assert found.dtype == np.float64
    expected = [LOSSES[loss].inverse_link(float(s)) for s in scores(model, data)]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("score", [-1e4, -80.0, 80.0, 1e4])
def test_probabilities_of_extreme_scores_are_finite(score: float, level: str) -> None:
    case = Case("linear")
    model = case.started()
    assert model.bias is not None
    model.bias[...] = score
    p = model.predict(make_data(("empty",), 3).core(), n_threads=1)
    assert 0 <= p[0] <= 1
    assert (p[0] > 0.5) == (score > 0)


@pytest.mark.parametrize("model", contract.MODELS)
def test_threads_do_not_change_scores(model: str) -> None:
    core = Case(model, n_fields=5).filled()
    data = make_data(contract.ROW_KINDS * 300, n_fields=5).core()
    expected = core.decision_function(data, n_threads=1)
    np.testing.assert_array_equal(core.decision_function(data, n_threads=3), expected)


@pytest.mark.parametrize("value", [3e38, 1e30, 1e-30, 1e-45])
@pytest.mark.parametrize("model", contract.MODELS)
def test_normalized_rows_are_finite_whatever_their_length(
    model: str, value: float, level: str
) -> None:
    core = Case(model, n_fields=3, normalize=True).filled()
    row = [(0, 1, value), (1, 9, value), (2, 6, -value)]
    assert np.all(np.isfinite(scores(core, Data([row], [0.0], None, 15, 3).core())))


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("n_factors", contract.N_FACTORS)
@pytest.mark.parametrize("model", contract.FACTOR_MODELS)
def test_the_same_bits_whatever_the_optimizer(
    model: str, n_factors: int, dtype: str, level: str
) -> None:
    """Kernels that know the size of a block add in the same order as those for all sizes, which
    some optimizers share: a model out of a file predicts what the model that was saved does."""
    data = make_data(contract.ROW_KINDS * 20, 11).core()
    found = {
        optimizer: scores(
            Case(model, optimizer, n_fields=11, n_factors=n_factors, dtype=dtype).filled(), data
        )
        for optimizer in contract.OPTIMIZERS
    }
    for optimizer, values in found.items():
        np.testing.assert_array_equal(values, found["sgd"], err_msg=optimizer)
