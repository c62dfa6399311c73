"""The optimizers' state: read and written to the bit, whatever the model, optimizer and storage."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import contract
import numpy as np
import pytest
from contract import KINDS, PARTS, Case, epochs, make_data, table, weights

from pyfm import _core

CASES = [
    Case(model, optimizer=optimizer, dtype=dtype, n_factors=5)
    for model in contract.MODELS
    for optimizer in contract.OPTIMIZERS
    for dtype in ("float32", "float16")
    if model != "linear" or dtype == "float32"
]
each_case = pytest.mark.parametrize(
    "case", CASES, ids=lambda case: f"{case.model}-{case.optimizer}-{case.dtype}"
)
DATA = make_data(KINDS * 6, n_fields=3, weighted=True).core()


def parts_of(model: _core.Model) -> list[Any]:
    return [part for part in PARTS if table(model, part) is not None]


def states(model: _core.Model) -> list[Any]:
    features = model.features_by_row
    return [model.state(part, features) for part in parts_of(model)] + [model.bias_state]


def assert_same(a: _core.Model, b: _core.Model) -> None:
    np.testing.assert_equal(vars(weights(a)), vars(weights(b)))
    np.testing.assert_equal(states(a), states(b))
    np.testing.assert_array_equal(a.features_by_row, b.features_by_row)


def rebuilt(case: Case, model: _core.Model) -> _core.Model:
    """A new model with all that training goes on with."""
    made, features = case.core(), model.features_by_row
    made.add_rows(features)
    for part in parts_of(model):
        made.set_weights(part, model.weights(part, features), features)
        made.set_state(part, model.state(part, features), features)
    if made.bias is not None:
        assert model.bias is not None
        assert model.bias_state is not None
        made.bias[...] = model.bias
        made.set_bias_state(model.bias_state)
    made.set_frequencies(model.frequencies)
    return made


@each_case
@pytest.mark.parametrize(("batch_size", "n_threads"), [(1, 1), (3, 2), (0, 4)])
def test_a_rebuilt_model_goes_on_alike(case: Case, batch_size: int, n_threads: int) -> None:
    model = case.core()
    epochs(model, DATA, 3, n_threads, batch_size)
    copy = rebuilt(case, model)
    assert_same(copy, model)
    np.testing.assert_array_equal(copy.frequencies, model.frequencies)
    for one in (model, copy):
        for epoch in (3, 4):
            one.train_epoch(
                DATA, epoch=epoch, shuffle=True, n_threads=1, poll=None, batch_size=batch_size
            )
    assert_same(copy, model)


@each_case
def test_shapes_are_those_of_the_catalog(case: Case) -> None:
    model = case.core()
    assert model.bias_state is None
    epochs(model, DATA, 1)
    slots = contract.CATALOG["slots"][case.optimizer]
    features = model.features_by_row[:2]
    for part in parts_of(model):
        state = model.state(part, features)
        assert state.shape == (2, slots, *model.weights(part).shape[1:])
        assert state.dtype == np.float32
    assert model.bias_state is not None
    assert model.bias_state.shape == (slots,)


@each_case
def test_state_does_not_depend_on_the_level_that_reads_it(case: Case, level: str) -> None:
    model = case.core()
    epochs(model, DATA, 2)
    assert_same(rebuilt(case, model), model)


def test_rows_keep_their_order() -> None:
    model = CASES[0].core()
    order = np.array([5, 2, 7], np.uint32)
    model.add_rows(order)
    np.testing.assert_array_equal(model.features_by_row, order)
    np.testing.assert_array_equal(model.features, np.sort(order))


@pytest.mark.parametrize("again", [[5], [3, 3], [3, 4, 3]])
def test_rows_that_are_there_or_come_twice_are_refused(again: list[int]) -> None:
    model = CASES[0].core()
    model.add_rows(np.array([5, 2], np.uint32))
    with pytest.raises(ValueError, match="features: expected"):
        model.add_rows(np.array(again, np.uint32))
    np.testing.assert_array_equal(model.features_by_row, [5, 2])
    model.add_rows(np.array([3], np.uint32))


def test_what_does_not_fit_is_refused() -> None:
    model = Case("fm", optimizer="adam", n_factors=5).started()
    ids = np.arange(2, dtype=np.uint32)
    with pytest.raises(ValueError, match="features: expected some with rows, found 1"):
        Case("fm").core().state("linear", ids[1:])
    with pytest.raises(ValueError, match="values: expected the state of each feature"):
        model.set_state("factors", np.zeros((2, 2, 5), np.float32), ids)
    with pytest.raises(ValueError, match="values: expected the state of the bias"):
        model.set_bias_state(np.zeros(2, np.float32))
    with pytest.raises(ValueError, match="values: expected a number for each of the first rows"):
        model.set_frequencies(np.zeros(10, np.float32))
    with pytest.raises(ValueError, match=r"features: expected ids in \[0, 9\), found 9"):
        model.state("linear", ids + 8)


@each_case
def test_weights_of_a_snapshot(case: Case) -> None:
    model, snapshot = case.core(), _core.Snapshot()
    epochs(model, DATA, 1)
    before, features = weights(model), model.features
    model.save(snapshot)
    epochs(model, DATA, 1)
    for part in parts_of(model):
        kept = model.weights(part, features, snapshot)
        np.testing.assert_array_equal(kept, getattr(before, part)[features])
    assert before.bias is None or snapshot.bias == before.bias[0]


def test_a_snapshot_of_another_model_is_refused() -> None:
    snapshot, case = _core.Snapshot(), Case("fm", n_factors=4)
    with pytest.raises(ValueError, match="snapshot: expected one of this model"):
        case.started().weights("factors", None, snapshot)
    replace(case, n_factors=9).started().save(snapshot)
    with pytest.raises(ValueError, match="snapshot: expected one of this model"):
        case.started().weights("factors", None, snapshot)
