"""Rows of the tables are given to features as training meets them: whatever comes first, however
the tables grow, a feature's weights are its own."""

from __future__ import annotations

from dataclasses import replace

import contract
import numpy as np
import pytest
from contract import KINDS, Case, Data, epochs, make_data, scores, table, train, weights
from numpy.typing import NDArray

from pyfm import _core

DTYPES = ("float32", "float16")

each_model = pytest.mark.parametrize("model", contract.MODELS)
each_factor_model = pytest.mark.parametrize("model", contract.FACTOR_MODELS)
each_optimizer = pytest.mark.parametrize("optimizer", contract.OPTIMIZERS)
each_dtype = pytest.mark.parametrize("dtype", DTYPES)


def of_features(features: list[int], n_features: int = 15) -> _core.Dataset:
    """One row for each."""
    rows = [[(0, j, 1.0)] for j in features]
    return Data(rows, [0.0] * len(rows), None, n_features, 5).core()


def ids(*features: int) -> NDArray[np.uint32]:
    return np.array(features, np.uint32)


def test_features_have_rows_once_they_are_met() -> None:
    core = Case("fm", n_fields=5).core()
    assert core.features.size == 0
    core.initialize(of_features([9, 3, 9]), n_threads=1)
    assert core.features.tolist() == [3, 9]
    train(core, of_features([12, 3, 0]))
    assert core.features.tolist() == [0, 3, 9, 12]
    assert core.features.dtype == np.uint32
    core.set_weights("linear", np.ones(2, np.float32), ids(14, 1))
    assert core.features.tolist() == [0, 1, 3, 9, 12, 14]
    scores(core, of_features([5]))
    assert core.features.tolist() == [0, 1, 3, 9, 12, 14], "prediction gives no rows"


@each_dtype
@each_optimizer
@each_factor_model
@pytest.mark.parametrize("n_threads", [1, 3])
def test_initial_weights_do_not_depend_on_when_a_feature_came(
    model: str, optimizer: str, dtype: str, n_threads: int
) -> None:
    """Only on (seed, feature), in whatever order and in however many data sets they are met."""
    case = Case(model, optimizer, n_fields=5, n_factors=5, dtype=dtype)
    expected = table(case.started(), "factors")
    assert expected is not None
    frequent = [11] * 30 + [2] * 20 + list(range(15))  # 11 and 2 get the first rows
    for order in ([list(range(15))], [[4, 11], [0, 4, 14], list(range(15))], [frequent]):
        core = case.core()
        for features in order:
            core.initialize(of_features(features), n_threads=n_threads)
            met = core.features
            np.testing.assert_array_equal(core.weights("factors", met), expected[met])
            unmet = np.setdiff1d(np.arange(15, dtype=np.uint32), met)
            assert np.all(core.weights("factors", unmet) == 0)


@each_dtype
@each_optimizer
@each_model
def test_a_second_data_set_brings_new_features(
    model: str, optimizer: str, dtype: str, level: str
) -> None:
    """What was learned stays, the state of the optimizer included: training on two data sets is
    what the oracle does whose features were all there from the start."""
    case = Case(model, optimizer, n_fields=5, n_factors=5, dtype=dtype)
    rng = np.random.default_rng(0)
    rows = [contract.make_row(kind, 5, rng) for kind in KINDS * 4]
    few = [[entry for entry in row if entry[1] % 2] for row in rows]
    y = [float(i % 2) for i in range(len(rows))]
    first, second = (Data(r, y, None, 15, 5) for r in (few, rows))
    core = case.core()
    train(core, first.core())
    before = weights(core)
    core.initialize(second.core(), n_threads=1)
    after, initial = weights(core), weights(case.started())
    odd = sorted({j for row in few for _, j, _ in row})
    new = sorted({j for row in rows for _, j, _ in row} - set(odd))
    assert new
    for name in ("linear", "factors"):
        if getattr(after, name) is not None:
            np.testing.assert_array_equal(getattr(after, name)[odd], getattr(before, name)[odd])
            np.testing.assert_array_equal(getattr(after, name)[new], getattr(initial, name)[new])
    train(core, second.core())
    if dtype != "float32":
        return
    reference = case.reference()
    reference.forget(contract.unmet(case, second))
    for row, target in zip([*few, *rows], y * 2, strict=True):
        reference.update(row, target)
    contract.assert_weights_close(core, reference)


@each_dtype
@each_optimizer
@each_model
def test_a_snapshot_forgets_what_came_after_it(model: str, optimizer: str, dtype: str) -> None:
    case = Case(model, optimizer, n_fields=5, dtype=dtype)
    core, snapshot = case.core(), _core.Snapshot()
    core.initialize(of_features([1, 7, 12]), n_threads=1)
    train(core, of_features([1, 7]))
    before = weights(core)
    core.save(snapshot)
    train(core, make_data(KINDS * 4, 5).core(), epochs=2)
    assert core.features.size > 3
    grown = core.nbytes
    core.restore(snapshot)
    assert core.features.tolist() == [1, 7, 12]
    assert core.nbytes < grown
    for name in ("bias", "linear", "factors"):
        if getattr(before, name) is not None:
            np.testing.assert_array_equal(getattr(weights(core), name), getattr(before, name))
    # Forgotten features start anew.
    core.initialize(of_features(list(range(15))), n_threads=1)
    initial, again = weights(case.started()), weights(core)
    forgotten = [j for j in range(15) if j not in (1, 7, 12)]
    for name in ("linear", "factors"):
        if getattr(again, name) is not None:
            np.testing.assert_array_equal(
                getattr(again, name)[forgotten], getattr(initial, name)[forgotten]
            )


def relabelled(data: Data, new: NDArray[np.int64]) -> Data:
    return replace(data, rows=[[(f, int(new[j]), x) for f, j, x in row] for row in data.rows])


@each_dtype
@each_optimizer
@each_model
def test_names_of_features_do_not_matter(
    model: str, optimizer: str, dtype: str, level: str
) -> None:
    """Frequent features come first in the tables, others in the order of their ids: a permutation
    of ids changes the order of the rows and nothing else."""
    case = Case(model, optimizer, n_fields=5, n_factors=5, dtype=dtype)
    rng = np.random.default_rng(0)
    start = table(case.started(), "factors")
    data = make_data(contract.ROW_KINDS * 8, 5)
    new = rng.permutation(15)

    def learned(data: Data, ids: NDArray[np.int64], given_first: bool) -> NDArray[np.float32]:
        core = case.core()
        if not given_first:  # rows by frequency
            core.initialize(data.core(), n_threads=1)
        if start is not None:
            core.set_weights("factors", start, ids.astype(np.uint32))
        epochs(core, data.core(), 2)
        return scores(core, data.core())

    expected = learned(data, np.arange(15), given_first=True)
    for first in (False, True):
        np.testing.assert_array_equal(learned(relabelled(data, new), new, first), expected)


@each_model
def test_data_that_are_refused_give_no_rows(model: str) -> None:
    core = Case(model, n_fields=5).core()
    wrong = Data([[(0, 3, 1.0)]], [2.0], None, 15, 5).core()
    with pytest.raises(ValueError, match="the logistic loss expects"):
        train(core, wrong)
    assert core.features.size == 0
