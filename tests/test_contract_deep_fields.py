"""Deep models some of whose fields only the linear terms see equal their oracle."""

from __future__ import annotations

import contract
import numpy as np
import pytest
from contract import Data, make_data
from reference_deep import Shape
from test_contract_deep import MIXED, Case, check, each_kind, each_optimizer

from pyfm import blas

# Rows without a deep feature are zeros, where ReLU has no derivative for the oracle to find.
SMOOTH = Shape((5, 3), "gelu")
each_choice = pytest.mark.parametrize("deep_fields", [(0,), (2,), (0, 1), (1, 2)])


@each_kind
@each_optimizer
def test_every_optimizer(kind: str, name: str, level: str) -> None:
    """Rows of "several" hold features in both kinds of fields, even in one batch."""
    check(Case(kind, name, SMOOTH, deep_fields=(0, 2)), make_data(MIXED[:6], 3), batch_size=3)


@each_kind
@each_choice
@pytest.mark.parametrize("params", [(), contract.CLIPPED], ids=["plain", "clipped"])
def test_every_choice(
    kind: str, deep_fields: tuple[int, ...], params: tuple[tuple[str, float], ...]
) -> None:
    shape = Shape((4,), "gelu", batch_norm=True)
    case = Case(kind, "adagrad", shape, params=params, deep_fields=deep_fields)
    check(case, make_data(MIXED[:6], 3), batch_size=3)


def test_rows_without_any_deep_feature() -> None:
    rows = [[(2, 6, 1.0)], [(2, 7, 0.5)], [(0, 1, 1.0), (2, 6, 1.0)], []]
    data = Data(rows, [1.0, 0.0, 1.0, 0.0], None, 9, 3)
    for kind in contract.CATALOG["deep_models"]:
        check(Case(kind, "adagrad", SMOOTH, deep_fields=(0, 1)), data, batch_size=2)


@each_kind
def test_other_features_have_no_vectors(kind: str) -> None:
    """Neither initial ones, nor steps that L2 and Adam would take."""
    case = Case(kind, "adam", n_fields=4, n_factors=5, deep_fields=(0, 3))
    data = make_data(("plain", "values", "missing") * 20, 4).core()
    model = case.core()
    model.initialize(data, n_threads=1)
    start = model.weights("factors")
    with blas.one_thread():
        contract.train(model, data, 2, batch_size=16)
    vectors = model.weights("factors").reshape(4, contract.FEATURES_PER_FIELD, 5)
    assert not vectors[1:3].any()
    assert not model.state("factors", np.arange(3, 9, dtype=np.uint32)).any()
    assert (vectors[[0, 3]] != start.reshape(vectors.shape)[[0, 3]]).all()
    assert model.weights("linear").all()


@each_kind
def test_all_features_in_deep_fields_change_nothing(kind: str) -> None:
    """The model is that of a data set without the fields, which are there and empty."""
    data = make_data(MIXED * 20, 3)
    rows = [[(f + (f > 0), j, x) for f, j, x in row] for row in data.rows]
    spread = Data(rows, data.y, data.weight, data.n_features, 4)
    case = Case(kind, "adagrad", n_factors=5)
    other = Case(kind, "adagrad", n_fields=4, n_factors=5, deep_fields=(0, 2, 3))
    model, twin = case.core(), other.core()
    with blas.one_thread():
        loss = contract.epochs(model, data.core(), 2, batch_size=16)
        assert contract.epochs(twin, spread.core(), 2, batch_size=16) == loss
    for part in ("linear", "factors"):
        n = data.n_features
        np.testing.assert_array_equal(model.weights(part), twin.weights(part)[:n])


@pytest.mark.parametrize("deep_fields", [(1, 0), (1, 1), (0, 3)])
def test_wrong_fields(deep_fields: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="deep_fields: expected ascending fields below 3"):
        Case("deepfm", deep_fields=deep_fields).core()
