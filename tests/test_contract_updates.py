"""Training equals the oracle over successive rows: every model, optimizer, size and SIMD level."""

from __future__ import annotations

from functools import cache
from typing import Any

import contract
import numpy as np
import pytest
from contract import Case, Data, assert_weights_close, make_data, train
from reference import Reference

from pyfm import _core

# The kinds that differ in the way through the kernels; features recur from row to row.
MIXED = ("values", "missing", "several", "plain", "several", "missing")


@cache
def expectation(case: Case, data: Data) -> tuple[Reference, float]:
    """The oracle after one pass over the rows, and the mean loss. Shared by the SIMD levels."""
    reference = case.reference()
    reference.forget(contract.unmet(case, data))
    weight = data.weight or [1.0] * len(data.rows)
    losses = [
        w * reference.update(row, y, w) for row, y, w in zip(data.rows, data.y, weight, strict=True)
    ]
    return reference, sum(losses) / sum(weight)


def check_training(case: Case, data: Data, layout: str = "csr") -> None:
    model = case.core()
    loss = train(model, data.core(layout))
    expected, expected_loss = expectation(case, data)
    assert loss == pytest.approx(expected_loss, rel=1e-5, abs=1e-6)
    assert_weights_close(model, expected)


@pytest.mark.parametrize("n_factors", contract.N_FACTORS)
@pytest.mark.parametrize("optimizer", contract.OPTIMIZERS)
@pytest.mark.parametrize("model", contract.MODELS)
def test_every_size(model: str, optimizer: str, n_factors: int, level: str) -> None:
    if model == "linear" and n_factors > 1:
        return  # the linear model has no factors
    for n_fields in contract.N_FIELDS:
        case = Case(model, optimizer, n_fields=n_fields, n_factors=n_factors)
        repeats = 3 if n_fields < 10 else 1  # wide rows share features anyway
        check_training(case, make_data(("plain",) * 2 * repeats, n_fields), "one_per_field")
        check_training(case, make_data(MIXED if n_fields < 10 else MIXED[1:3], n_fields))


@pytest.mark.parametrize("kind", contract.ROW_KINDS)
@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize("optimizer", contract.OPTIMIZERS)
@pytest.mark.parametrize("model", contract.MODELS)
def test_every_kind_of_row(
    model: str, optimizer: str, normalize: bool, kind: str, level: str
) -> None:
    case = Case(model, optimizer, n_fields=5, normalize=normalize)
    check_training(case, make_data((kind,) * 6, n_fields=5))


@pytest.mark.parametrize("n_factors", [1, 4, 8, 9, 16])
@pytest.mark.parametrize("equal", [True, False])
@pytest.mark.parametrize("optimizer", ["adagrad", "ftrl", "ftrl_l1", "adam"])
def test_any_number_of_absent_fields(
    optimizer: str, equal: bool, n_factors: int, level: str
) -> None:
    """Tiles are of the fields that are present, and what fills up the last one must not change.
    Every feature recurs, so that a wrong step shows."""
    n_fields, rng = 11, np.random.default_rng(0)
    rows = []
    for size in rng.permutation(n_fields + 1):
        fields = rng.permutation(n_fields)[:size]
        for order in (np.sort(fields), fields):
            values = np.ones(size) if equal else rng.uniform(0.5, 2, size).astype(np.float32)
            rows.append(
                [(int(f), 3 * int(f), float(x)) for f, x in zip(order, values, strict=True)]
            )
    case = Case("ffm", optimizer, n_fields=n_fields, n_factors=n_factors, normalize=True)
    y = [float(i % 2) for i in range(len(rows))]
    check_training(case, Data(rows, y, None, case.n_features, n_fields))


@pytest.mark.parametrize("n_factors", [4, 8])
@pytest.mark.parametrize("sets", ["every", "of_many"])
def test_fields_that_stand_side_by_side(sets: str, n_factors: int, level: str) -> None:
    """Runs of fields are taken together, half runs, too, whatever lies beside them; 64 fields are
    looked at in one piece."""
    if sets == "every":
        n_fields = 8
        chosen = [[f for f in range(n_fields) if i >> f & 1] for i in range(1, 2**n_fields)]
    else:
        n_fields, rng = 131, np.random.default_rng(0)
        chosen = [[*range(58, 70)], [*range(64)], [*range(64, 128)], [*range(128)], [63, 64, 130]]
        chosen += [np.flatnonzero(rng.random(n_fields) < share).tolist() for share in (0.3, 0.7)]
        chosen += [[f for f in range(n_fields) if f % gap] for gap in (3, 4, 5, 6, 8)]
    rows = [[(f, 3 * f, 1.0) for f in fields] for fields in chosen]
    case = Case("ffm", "adagrad", n_fields=n_fields, n_factors=n_factors, normalize=True)
    y = [float(i % 2) for i in range(len(rows))]
    check_training(case, Data(rows, y, None, case.n_features, n_fields))


@pytest.mark.parametrize("loss", contract.LOSSES)
@pytest.mark.parametrize("linear", [False, True])
@pytest.mark.parametrize("optimizer", contract.OPTIMIZERS)
@pytest.mark.parametrize("model", contract.MODELS)
def test_losses_weights_and_linear_terms(
    model: str, optimizer: str, linear: bool, loss: str, level: str
) -> None:
    case = Case(model, optimizer, n_fields=4, loss=loss, linear=linear, normalize=True)
    check_training(case, make_data(MIXED, 4, weighted=True))


@pytest.mark.parametrize("optimizer", contract.OPTIMIZERS)
@pytest.mark.parametrize("model", contract.MODELS)
def test_without_regularization(model: str, optimizer: str, level: str) -> None:
    case = Case(model, optimizer, params=contract.UNREGULARIZED)
    check_training(case, make_data(MIXED, 3))


@pytest.mark.parametrize("params", [contract.PROXIMAL, contract.CLIPPED], ids=["value", "norm"])
@pytest.mark.parametrize("n_factors", [1, 4, 5, 8, 16, 32])
@pytest.mark.parametrize("optimizer", contract.OPTIMIZERS)
@pytest.mark.parametrize("model", contract.MODELS)
def test_l1_and_clipping(
    model: str, optimizer: str, n_factors: int, params: Any, level: str
) -> None:
    if model == "linear" and n_factors > 1:
        return
    for n_fields in (1, 4, 5):
        case = Case(model, optimizer, n_fields=n_fields, n_factors=n_factors, params=params)
        check_training(case, make_data(("plain",) * 4, n_fields), "one_per_field")
        check_training(case, make_data(MIXED, n_fields))


@pytest.mark.parametrize("optimizer", [o for o in contract.SHRINKING if o != "ftrl_l1"])
@pytest.mark.parametrize("model", contract.MODELS)
def test_l1_leaves_exact_zeros(model: str, optimizer: str, level: str) -> None:
    case = Case(model, optimizer, params=(("l1", 50.0),))
    core = case.core()
    train(core, make_data(MIXED * 2, 3).core())
    found = contract.weights(core)
    assert np.all(found.linear == 0)
    assert found.bias[0] != 0, "the bias is not regularized"
    if found.factors is not None:  # those that no row touched keep their initial values
        assert np.any(found.factors == 0)
        if model == "fm":
            assert np.all(found.factors == 0)


def test_ftrl_leaves_exact_zeros(level: str) -> None:
    case = Case("fm", "ftrl_l1", params=(("l1", 5.0),))
    model = case.core()
    train(model, make_data(MIXED, 3).core())
    found = contract.weights(model)
    assert np.all(found.linear == 0)
    assert found.bias[0] != 0, "the bias is not regularized"


@pytest.mark.parametrize("optimizer", contract.OPTIMIZERS)
@pytest.mark.parametrize("model", contract.MODELS)
def test_a_feature_in_several_fields(model: str, optimizer: str, level: str) -> None:
    """In FFM, its fields update the same weights in place, as in libffm's loop: how far one sees
    another's step depends on the SIMD level. Nothing breaks, and the loss falls."""
    row = [(0, 4, 1.0), (1, 4, 1.0), (2, 5, 1.0), (3, 4, 1.0), (4, 0, 1.0)]
    data = Data([row] * 2, [1.0, 1.0], None, 15, 5)
    case = Case(model, optimizer, n_fields=5)
    for layout in ("csr", "one_per_field"):
        if model == "ffm":
            core = case.core()
            first, last = train(core, data.core(layout)), train(core, data.core(layout))
            assert 0 < last < first
        else:
            check_training(case, data, layout)


@pytest.mark.parametrize("kind", ["plain", "values"])
@pytest.mark.parametrize("model", contract.MODELS)
def test_layouts_give_the_same_model(model: str, kind: str, level: str) -> None:
    data, case = make_data((kind,) * 8, n_fields=5), Case(model, "adagrad", n_fields=5)
    found = []
    for layout in ("csr", "one_per_field"):
        rows, core = data.core(layout), case.core()
        assert rows.layout == layout
        train(core, rows)
        found.append(contract.weights(core))
    for name in ("bias", "linear", "factors"):
        np.testing.assert_array_equal(getattr(found[0], name), getattr(found[1], name))


@pytest.mark.parametrize("optimizer", contract.OPTIMIZERS)
@pytest.mark.parametrize("model", contract.MODELS)
def test_levels_agree(model: str, optimizer: str) -> None:
    """The same tolerance as against the oracle: each level is within half of it."""
    data = make_data(MIXED * 4, n_fields=7).core()
    found = []
    for level in _core.simd_levels():
        _core.set_simd(level)
        core = Case(model, optimizer, n_fields=7, n_factors=5, normalize=True).core()
        found.append((train(core, data), contract.weights(core)))
    for loss, w in found[1:]:
        assert loss == pytest.approx(found[0][0], rel=1e-5)
        for name in ("bias", "linear", "factors"):
            if (expected := getattr(found[0][1], name)) is not None:
                np.testing.assert_allclose(getattr(w, name), expected, rtol=2e-5, atol=1e-5)
