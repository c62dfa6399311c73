"""`pyfm.Dataset` from arrays and matrices: what is stored, what is copied, what is refused."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from rows import entries_of

from pyfm.dataset import Dataset

INDPTR = np.array([0, 2, 2, 5], np.int64)
INDICES = np.array([3, 1, 0, 3, 2], np.uint32)
FIELDS = np.array([0, 1, 0, 0, 2], np.uint16)
VALUES = np.array([1, 0.5, -2, 3, 1], np.float32)
Y = np.array([1, 0, 1], np.float32)


def small() -> Dataset:
    return Dataset.from_arrays(INDPTR, INDICES, fields=FIELDS, values=VALUES, y=Y)


def test_from_arrays_borrows() -> None:
    data = small()
    assert data.layout == "csr"
    assert (len(data), data.n_rows, data.n_features, data.n_fields, data.nnz) == (3, 3, 4, 3, 5)
    for mine, theirs in ((INDICES, data.core.features), (VALUES, data.core.values), (Y, data.y)):
        assert theirs is not None
        assert np.shares_memory(mine, theirs)
        assert not theirs.flags.writeable
    assert entries_of(data)[2] == [(0, 0, -2.0), (0, 3, 3.0), (2, 2, 1.0)]
    assert data.nbytes == sum(a.nbytes for a in (INDPTR, INDICES, FIELDS, VALUES, Y))


def test_int32_indices_are_borrowed_too() -> None:
    indices = INDICES.astype(np.int32)
    data = Dataset.from_arrays(INDPTR, indices)
    assert np.shares_memory(indices, data.core.features)


def test_borrowed_arrays_live_as_long_as_a_view() -> None:
    features = Dataset.from_arrays(INDPTR, INDICES.copy()).core.slice(2, 3).features
    assert features.tolist() == [0, 3, 2]


@pytest.mark.parametrize("dtype", [np.int64, np.uint64, np.int16, np.uint8, ">i4", ">u8"])
def test_other_integers_are_converted(dtype: Any) -> None:
    data = Dataset.from_arrays(
        INDPTR.astype(dtype), INDICES.astype(dtype), fields=FIELDS.astype(dtype)
    )
    assert entries_of(data)[0] == [(0, 3, 1.0), (1, 1, 1.0)]


def test_strided_read_only_and_unaligned_arrays() -> None:
    strided = np.repeat(INDICES, 2)[::2]
    read_only = VALUES.copy()
    read_only.flags.writeable = False
    unaligned = np.frombuffer(b"\0" + Y.tobytes(), np.uint8)[1:].view(np.float32)
    data = Dataset.from_arrays(
        INDPTR[::-1].copy()[::-1], strided, fields=FIELDS, values=read_only, y=unaligned
    )
    assert entries_of(data) == entries_of(small())
    assert data.y is not None
    assert data.y.tolist() == Y.tolist()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"indptr": [1, 2, 2, 5]}, "indptr: expected to start at 0, found 1"),
        ({"indptr": [0, 3, 2, 5]}, "indptr: expected non-decreasing offsets, row 1"),
        ({"indptr": [0, 2, 2, 4]}, r"indptr: expected to end at 5 .* found 4"),
        ({"indptr": []}, "indptr: expected at least one offset"),
        ({"indptr": [0, 2, 2, 2.5]}, "indptr: expected an array of integers, found dtype float64"),
        ({"indptr": [[0, 5]]}, "indptr: expected a 1-D array"),
        ({"indices": [3, 1, 0, 3, -2]}, r"indices: expected ids in \[0, 4294967295\], found -2"),
        ({"indices": [3, 1, 0, 3, 1 << 32]}, "indices: .* found 4294967296 at position 4"),
        ({"indices": [3.0, 1, 0, 3, 2]}, "indices: expected an array of integers"),
        ({"indices": ["3", "1", "0", "3", "2"]}, "indices: expected an array of integers"),
        ({"indices": np.array([3, 1, 0, 3, None])}, "indices: expected an array of integers"),
        ({"indices": [True] * 5}, "indices: expected an array of integers"),
        ({"n_features": 3}, r"row 0: expected a feature id in \[0, 3\), found 3"),
        ({"n_features": -1}, "n_features: expected an integer in"),
        ({"n_features": 4.0}, "n_features: expected an integer in"),
        ({"n_features": (1 << 32) + 1}, r"n_features: .*4294967296"),
        ({"fields": [0, 1, 0, 0]}, r"fields: expected length 5"),
        ({"fields": [0, 1, 0, 0, 1 << 16]}, r"fields: expected ids in \[0, 65535\], found 65536"),
        ({"n_fields": 2}, r"row 2: expected a field id in \[0, 2\), found 2"),
        ({"n_fields": (1 << 16) + 1}, r"n_fields: .*65536"),
        ({"values": [1, 2, np.nan, 4, 5]}, "row 2: expected a finite value, found NaN"),
        ({"values": [1, 2, 3, 4, -np.inf]}, "row 2: expected a finite value, found -inf"),
        ({"values": [1, 2, 3, 4, 1e39]}, "row 2: expected a finite value, found inf"),
        ({"values": [1, 2]}, "values: expected length 5"),
        ({"values": ["1"] * 5}, "values: expected an array of numbers"),
        ({"y": [0, 1]}, r"y: expected length 3 \(one per row\), found 2"),
        ({"y": [0, 1, np.nan]}, "row 2: expected a finite y, found NaN"),
        ({"y": [[0], [1], [0]]}, "y: expected a 1-D array"),
        ({"sample_weight": [1, 1]}, "sample_weight: expected length 3"),
        ({"sample_weight": [1, -1, 1]}, "row 1: expected a finite sample_weight >= 0, found -1"),
        ({"sample_weight": [1, 1, np.nan]}, "row 2: expected a finite sample_weight"),
        ({"sample_weight": [1, 1, np.inf]}, "row 2: expected a finite sample_weight"),
    ],
)
def test_wrong_arrays_are_named(change: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {"indptr": INDPTR, "indices": INDICES, "fields": FIELDS, **change}
    with pytest.raises(ValueError, match=message):
        Dataset.from_arrays(**arguments)


def test_no_rows() -> None:
    data = Dataset.from_arrays([0], [])
    assert (len(data), data.nnz, data.n_features) == (0, 0, 0)
    assert len(small()[3:]) == 0
    assert len(small()[[]]) == 0


def test_duplicate_features_and_empty_rows_are_kept() -> None:
    data = Dataset.from_arrays([0, 0, 2], [1, 1])
    assert entries_of(data) == [[], [(0, 1, 1.0), (0, 1, 1.0)]]


@pytest.mark.parametrize("dtype", [np.int32, np.uint32])
def test_from_ids_borrows(dtype: Any) -> None:
    ids = np.array([[0, 2], [1, 3], [0, 3]], dtype)
    data = Dataset.from_ids(ids, Y)
    assert data.layout == "one_per_field"
    assert np.shares_memory(ids, data.core.features)
    assert data.nbytes == ids.nbytes + Y.nbytes
    assert entries_of(data)[1] == [(0, 1, 1.0), (1, 3, 1.0)]


def test_from_ids_converts() -> None:
    ids = np.array([[0, 2], [1, 3], [0, 3]])
    for other in (ids, ids.astype(np.int32, order="F"), ids.astype(np.int8), ids.tolist()):
        assert entries_of(Dataset.from_ids(other)) == entries_of(
            Dataset.from_ids(ids.astype(np.int32))
        )


def test_from_ids_leaves_out_absent_ids() -> None:
    data = Dataset.from_ids([[0, -1, 2], [-1, -1, -1], [0, 1, -1]], n_features=10)
    assert data.layout == "csr"
    assert (data.n_fields, data.n_features) == (3, 10)
    assert entries_of(data) == [[(0, 0, 1.0), (2, 2, 1.0)], [], [(0, 0, 1.0), (1, 1, 1.0)]]


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ([[0, 1], [2, -2]], "ids: expected ids in .* found -2"),
        ([0, 1], r"ids: expected a 2-D array"),
        ([[0.0, 1.0]], "ids: expected an array of integers"),
        ([["a", "b"]], "ids: expected an array of integers"),
        (np.array([[0, 1 << 32]]), "ids: expected ids in .* found 4294967296"),
    ],
)
def test_wrong_ids(ids: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Dataset.from_ids(ids)


def test_from_csr() -> None:
    X = sp.csr_matrix((VALUES, INDICES.astype(np.int32), INDPTR), shape=(3, 6))
    data = Dataset.from_csr(X, Y, fields=[0, 1, 2, 0, 0, 0])
    assert (data.n_features, data.n_fields) == (6, 3)
    assert entries_of(data) == entries_of(small())
    assert np.shares_memory(X.indices, data.core.features)
    assert np.shares_memory(X.data, data.core.values)


@pytest.mark.parametrize("form", ["csc", "coo", "lil", "dok", "bsr"])
def test_from_csr_takes_any_sparse_format(form: str) -> None:
    X = sp.random(20, 9, 0.3, format="csr", random_state=0)
    assert entries_of(Dataset.from_csr(X.asformat(form))) == entries_of(Dataset.from_csr(X))
    assert entries_of(Dataset.from_csr(sp.csr_array(X))) == entries_of(Dataset.from_csr(X))


def test_one_hot_csr_is_one_per_field() -> None:
    X = sp.csr_matrix(np.array([[1, 0, 0, 1], [0, 1, 0, 1], [0, 1, 1, 0]], np.float32))
    data = Dataset.from_csr(X, fields=[0, 0, 1, 1])
    assert data.layout == "one_per_field"
    assert entries_of(data) == entries_of(Dataset.from_ids([[0, 3], [1, 3], [1, 2]]))


def test_from_csr_without_fields_is_all_field_0() -> None:
    data = Dataset.from_csr(sp.csr_matrix(np.eye(3)))
    assert data.n_fields == 1
    assert data.core.fields is None
    assert entries_of(data)[2] == [(0, 2, 1.0)]


def test_wrong_csr() -> None:
    X = sp.csr_matrix(np.eye(3))
    with pytest.raises(
        ValueError, match=r"fields: expected one field id per column \(3\), found 2"
    ):
        Dataset.from_csr(X, fields=[0, 1])
    with pytest.raises(ValueError, match="n_features: expected at least the number of columns"):
        Dataset.from_csr(X, n_features=2)
    with pytest.raises(ValueError, match="X: expected a SciPy sparse matrix"):
        Dataset.from_csr(np.eye(3))
    X.data[1] = np.nan
    with pytest.raises(ValueError, match="row 1: expected a finite value, found NaN"):
        Dataset.from_csr(X)
    with pytest.raises(ValueError, match="X: expected an array of numbers, found dtype complex"):
        Dataset.from_csr(sp.csr_matrix(np.eye(2) * 1j))


LAYOUTS = {
    "csr": small(),
    "field 0": Dataset.from_arrays(INDPTR, INDICES, y=Y, sample_weight=[1, 2, 3]),
    "one_per_field": Dataset.from_ids(np.arange(6).reshape(3, 2), Y, sample_weight=[1, 2, 3]),
    "no targets": Dataset.from_ids([[0, -1], [1, 2], [-1, 0]]),
}


@pytest.mark.parametrize("data", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize(
    "rows",
    [
        slice(None), slice(1, None), slice(1, 2), slice(-2, None), slice(None, None, -1),
        slice(0, 3, 2), slice(2, 1), [2, 0], [0, 0, -1], np.array([True, False, True]),
        np.array([1], np.uint8), [], [False, False, False],
    ],
    ids=str,
)  # fmt: skip
def test_selection_is_numpys(data: Dataset, rows: Any) -> None:
    chosen = np.arange(3)[rows]
    part = data[rows]
    everything = entries_of(data)
    assert entries_of(part) == [everything[i] for i in chosen]
    assert part.nnz == sum(len(everything[i]) for i in chosen)
    assert (part.n_features, part.n_fields) == (data.n_features, data.n_fields)
    for mine, whole in ((part.y, data.y), (part.sample_weight, data.sample_weight)):
        if whole is not None and len(chosen):
            assert mine is not None
            assert mine.tolist() == whole[chosen].tolist()
    assert entries_of(part[::-1]) == entries_of(part)[::-1]


def test_a_slice_shares_memory() -> None:
    data = LAYOUTS["one_per_field"]
    assert np.shares_memory(data[1:].core.features, data.core.features)
    assert not np.shares_memory(data[[1]].core.features, data.core.features)


@pytest.mark.parametrize(
    ("rows", "error", "message"),
    [
        (1, TypeError, r"found a single int; for row i write data\[i:i \+ 1\]"),
        ([3], IndexError, r"expected numbers in \[-3, 3\), found 3"),
        ([-4], IndexError, "found -4"),
        ([True], IndexError, "expected a mask of length 3, found 1"),
        ([[0]], IndexError, "expected a 1-D array"),
        ([0.5], TypeError, "expected integers or booleans, found dtype float64"),
        ("y", TypeError, "found a single str"),
    ],
)
def test_wrong_selections(rows: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        small()[rows]


@pytest.mark.parametrize("data", LAYOUTS.values(), ids=LAYOUTS)
def test_pickle(data: Dataset) -> None:
    copy = pickle.loads(pickle.dumps(data[1:]))
    assert entries_of(copy) == entries_of(data[1:])
    assert repr(copy) == repr(data[1:])


def test_with_targets() -> None:
    data = small().with_targets([0, 0, 1], [1, 0, 2])
    assert data.y is not None
    assert data.sample_weight is not None
    assert data.y.tolist() == [0, 0, 1]
    assert data.sample_weight.tolist() == [1, 0, 2]
    assert np.shares_memory(data.core.features, INDICES)
    assert data.with_targets(None).y is None
    with pytest.raises(ValueError, match="y: expected length 3"):
        data.with_targets([1])


def test_repr() -> None:
    assert repr(small()) == "<Dataset: 3 rows, 4 features, 3 fields, 5 entries (csr, y), 0.0 MiB>"


@pytest.mark.parametrize("wrong", [np.zeros((2, 2), int), [[1, 2]], "train.ffm", None])
def test_a_dataset_is_made_by_its_methods(wrong: Any) -> None:
    with pytest.raises(TypeError, match=r"expected rows from one of Dataset\.from_ids, .* found"):
        Dataset(wrong)
