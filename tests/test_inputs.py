"""`as_dataset`: what estimators accept as X."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from pyfm import FMClassifier
from pyfm.dataset import Dataset, as_dataset

X = np.array([[1.0, 0.0, 2.5], [0.0, 0.0, -1.0]])


def entries(data: Dataset) -> tuple[Any, ...]:
    core = data.core
    arrays = (core.indptr, core.features, core.fields, core.values, core.y, core.weight)
    return tuple(None if a is None else a.tolist() for a in arrays)


def test_dense_and_sparse_numbers_are_the_same_rows() -> None:
    dense = as_dataset(X, [1, 0], sample_weight=[1, 2], fields=[0, 1, 1])
    sparse = as_dataset(sp.csr_matrix(X), [1, 0], sample_weight=[1, 2], fields=[0, 1, 1])
    assert entries(dense) == entries(sparse)
    assert dense.n_features == sparse.n_features == 3
    assert entries(as_dataset(X.tolist(), [1, 0])) == entries(as_dataset(sp.coo_matrix(X), [1, 0]))


def test_booleans_and_objects_are_numbers() -> None:
    assert entries(as_dataset(X > 0)) == entries(as_dataset((X > 0).astype(float)))
    assert entries(as_dataset(X.astype(object))) == entries(as_dataset(X))


def test_integers_are_ids() -> None:
    data = as_dataset([[0, 2], [1, 3]], [0, 1])
    assert data.layout == "one_per_field"
    assert as_dataset(np.array([[0, -1]])).nnz == 1


def test_a_dataset_is_taken_as_it_is() -> None:
    data = as_dataset(X, [1, 0])
    assert as_dataset(data) is data
    weighted = as_dataset(data, sample_weight=[3, 4])
    assert entries(weighted)[:5] == entries(data)[:5]
    assert weighted.sample_weight is not None
    assert weighted.sample_weight.tolist() == [3, 4]


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.array([1.0, 2.0]), r"X: expected a 2-D array .* found shape \(2,\). Reshape your data"),
        (np.zeros((1, 1, 1)), "X: expected a 2-D array"),
        (3.0, "X: expected a 2-D array"),
        (np.zeros((2, 0)), r"0 feature\(s\) \(shape=\(2, 0\)\) while a minimum of 1 is required"),
        (sp.csr_matrix((2, 0)), r"0 feature\(s\)"),
        (np.zeros((0, 3)), r"0 sample\(s\) \(shape=\(0, 3\)\) while a minimum of 1 is required"),
        (np.zeros((0, 3), int), r"0 sample\(s\)"),
        (sp.csr_matrix((0, 3)), r"0 sample\(s\)"),
        (np.array([[1, np.nan]]), "row 0: expected a finite value, found NaN"),
        (np.array([[1], [np.inf]]), "row 1: expected a finite value, found inf"),
        (
            np.array([["a"]]),
            "X: expected an array of numbers, found dtype <U1; strings are for tables",
        ),
        (np.array([["a"]], object), "could not convert"),
        (np.array([[1j]]), "Complex data not supported"),
        (np.array([["2020-01-01"]], "datetime64[D]"), "X: expected an array of numbers"),
    ],
)
def test_wrong_x(bad: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        as_dataset(bad)


def test_a_dataset_within_a_tuple() -> None:
    data = Dataset.from_ids([[0, 1], [2, 1]], y=[0, 1])
    with pytest.raises(TypeError, match="by itself, not within a list or tuple"):
        FMClassifier().fit((data, data))


def test_a_dataset_brings_its_own_fields() -> None:
    with pytest.raises(ValueError, match="fields: expected None, since X is a Dataset"):
        as_dataset(as_dataset(X), fields=[0, 1])


def test_targets_and_weights_replace_those_of_a_dataset() -> None:
    data = as_dataset(X, [0, 1], sample_weight=[1, 2])
    for y, weight in (([1, 0], None), (None, [3, 4]), ([1, 0], [3, 4])):
        found = as_dataset(data, y, sample_weight=weight)
        assert found.y is not None
        assert found.sample_weight is not None
        assert found.y.tolist() == (y or [0, 1])
        assert found.sample_weight.tolist() == (weight or [1, 2])
        assert np.shares_memory(found.core.features, data.core.features)
    with pytest.raises(ValueError, match="y: expected length 2"):
        as_dataset(data, [0, 1, 0])


def test_ids_bring_their_fields() -> None:
    with pytest.raises(ValueError, match="fields: expected None, since X holds integers"):
        as_dataset([[0, 1]], fields=[0, 1])


@pytest.mark.parametrize("name", ["y", "sample_weight"])
def test_nothing_is_not_one_for_each_row(name: str) -> None:
    """To the core an array of nothing is none at all."""
    message = rf"^{name}: expected length 2 \(one per row\), found 0"
    given: dict[str, Any] = {"y": [0, 1]} | {name: []}
    for some in ([[0, 2], [1, 3]], X, sp.csr_matrix(X)):
        with pytest.raises(ValueError, match=message):
            as_dataset(some, **given)
    with pytest.raises(ValueError, match=message):
        Dataset.from_arrays([0, 1, 2], [0, 1], **given)
    rows = as_dataset(X, [0, 1])
    with pytest.raises(ValueError, match=message):
        rows.with_targets(**given)
    assert rows[:0].with_targets([], []).y is None


def test_values_of_nothing_are_not_values() -> None:
    with pytest.raises(ValueError, match=r"^values: expected length 2 \(one per index\), found 0"):
        Dataset.from_arrays([0, 1, 2], [0, 1], values=[])
