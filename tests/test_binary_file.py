"""Data files: the same rows back, mapped and read-only; written whole or not at all."""

from __future__ import annotations

import errno
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from rows import entries_of
from safetensors.numpy import load_file

import pyfm
from pyfm import Dataset
from pyfm.dataset.arrays import state
from pyfm.datasets.criteo_encoder import CriteoEncoder
from pyfm.datasets.criteo_text import N_FIELDS

IDS = np.array([[0, 2], [1, 3], [0, 3]], np.uint32)
CSR = Dataset.from_arrays(
    [0, 2, 2, 5], [3, 1, 0, 3, 2], fields=[0, 1, 0, 0, 2], values=[1, 0.5, -2, 3, 1], y=[1, 0, 1]
)
LAYOUTS = {
    "csr": CSR,
    "csr without fields": Dataset.from_arrays([0, 2, 2], [7, 1], y=[1, 0], sample_weight=[0.5, 2]),
    "csr without entries": Dataset.from_arrays([0, 0, 0], [], y=[1, 0]),
    "one_per_field": Dataset.from_ids(IDS, [1, 0, 1], sample_weight=[1, 2, 3]),
    "values": Dataset.from_arrays([0, 1, 2], [0, 1], values=[0.5, -1]),
    "no targets": Dataset.from_ids(IDS, n_features=1 << 32),
    "one row": Dataset.from_ids(IDS[:1], [1]),
    "slice of csr": CSR[1:],
    "slice of one_per_field": Dataset.from_ids(IDS, [1, 0, 1])[1:2],
    "no rows": Dataset.from_arrays([0], []),
    "no rows of csr": CSR[3:],
    "no rows of one_per_field": Dataset.from_ids(IDS, [1, 0, 1])[:0],
    "no fields, but targets": Dataset.from_ids(np.empty((3, 0), int), [1, 0, 1]),
}


def same(a: Dataset, b: Dataset) -> bool:
    """Whether the same is stored, of the same types."""
    mine, theirs = state(a.core), state(b.core)
    return all(
        type(mine[name]) is type(theirs[name])
        and getattr(mine[name], "dtype", None) == getattr(theirs[name], "dtype", None)
        and np.array_equal(mine[name], theirs[name])
        for name in mine
    )


def again(data: Dataset, folder: Path) -> Dataset:
    data.save(folder / "rows")
    return Dataset.open(folder / "rows")


# --- reading back ---------------------------------------------------------------------------------


@pytest.mark.parametrize("verify", [True, False])
@pytest.mark.parametrize("data", LAYOUTS.values(), ids=LAYOUTS)
def test_the_same_comes_back(data: Dataset, verify: bool, tmp_path: Path) -> None:
    data.save(tmp_path / "rows")
    opened = Dataset.open(tmp_path / "rows", verify=verify)
    assert same(opened, data)
    assert entries_of(opened) == entries_of(data)
    assert repr(opened) == repr(data)
    assert opened.encoder is None


@st.composite
def data_sets(draw: st.DrawFn) -> Dataset:
    n_rows = draw(st.integers(0, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    targets = rng.normal(size=n_rows) if draw(st.booleans()) else None
    weights = rng.random(n_rows) if draw(st.booleans()) else None
    n_features = draw(st.sampled_from([1, 100, 1 << 32]))
    if draw(st.booleans()):
        ids = rng.integers(0, n_features, (n_rows, draw(st.integers(1, 20))))
        data = Dataset.from_ids(ids, targets, sample_weight=weights, n_features=n_features)
    else:
        indptr = np.concatenate([[0], np.cumsum(rng.integers(0, 9, n_rows))])
        data = Dataset.from_arrays(
            indptr,
            rng.integers(0, n_features, indptr[-1]),
            fields=rng.integers(0, 1 << 16, indptr[-1]) if draw(st.booleans()) else None,
            values=rng.normal(size=indptr[-1]) if draw(st.booleans()) else None,
            y=targets,
            sample_weight=weights,
            n_features=n_features,
        )
    start = draw(st.integers(0, n_rows))
    return data[start : draw(st.integers(start, n_rows))]


@given(data=data_sets())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_data_set_comes_back(data: Dataset, tmp_path: Path) -> None:
    assert same(again(data, tmp_path), data)


def test_only_the_slice_is_stored(tmp_path: Path) -> None:
    data, _ = pyfm.datasets.make_ctr(5000, random_state=0)
    data.save(tmp_path / "all")
    data[100:110].save(tmp_path / "slice")
    stored = data[100:110].nbytes
    assert stored < (tmp_path / "slice").stat().st_size < stored + 2000
    assert data.nbytes < (tmp_path / "all").stat().st_size < data.nbytes + 2000


def test_sections_are_aligned(tmp_path: Path) -> None:
    core = again(CSR, tmp_path).core
    for array in (core.indptr, core.features, core.fields, core.values, core.y):
        assert array is not None
        assert array.ctypes.data % 64 == 0


def test_safetensors_reads_it(tmp_path: Path) -> None:
    for data in LAYOUTS.values():
        data.save(tmp_path / "rows")
        tensors = load_file(tmp_path / "rows")
        expected = {k: v for k, v in state(data.core).items() if isinstance(v, np.ndarray)}
        assert set(expected) == {name for name in tensors if not name.endswith(".padding")}
        for name, array in expected.items():
            np.testing.assert_array_equal(tensors[name], array)


# --- what an open data set does -------------------------------------------------------------------


def test_the_mapping_lives_as_long_as_it_is_needed(tmp_path: Path) -> None:
    view = again(CSR, tmp_path)[1:][1:].core.features
    os.remove(tmp_path / "rows")
    assert view.tolist() == [0, 3, 2]


def test_views_are_read_only(tmp_path: Path) -> None:
    data = again(LAYOUTS["one_per_field"], tmp_path)
    for view in (data.core.features, data.y, data.sample_weight):
        assert view is not None
        with pytest.raises(ValueError, match="read-only"):
            view[0] = 1
        with pytest.raises(ValueError, match="cannot set WRITEABLE flag to True"):
            view.flags.writeable = True


@pytest.mark.parametrize("data", LAYOUTS.values(), ids=LAYOUTS)
def test_selections_targets_and_pickles(data: Dataset, tmp_path: Path) -> None:
    opened = again(data, tmp_path)
    copy = pickle.loads(pickle.dumps(opened))
    os.remove(tmp_path / "rows")
    assert same(copy, data)
    assert same(opened[1:], data[1:])
    assert same(opened[::-1], data[::-1])
    y = np.arange(len(data))
    assert same(opened.with_targets(y), data.with_targets(y))


def test_training_on_it_is_training_on_the_rows(tmp_path: Path) -> None:
    data, _ = pyfm.datasets.make_ctr(2000, n_fields=4, n_features=60, random_state=0)
    opened = again(data, tmp_path)
    models = [pyfm.FFMClassifier(epochs=2, random_state=0).fit(rows) for rows in (data, opened)]
    np.testing.assert_array_equal(models[0].factors_, models[1].factors_)
    np.testing.assert_array_equal(models[0].predict_proba(opened), models[0].predict_proba(data))


# --- the encoder ----------------------------------------------------------------------------------


def encoder(rng: np.random.Generator) -> CriteoEncoder:
    def tokens(n: int) -> NDArray[np.int64]:
        return np.unique(rng.integers(-(2**63), 2**63 - 1, n, np.int64, endpoint=True))

    return CriteoEncoder(tuple(tokens(n) for n in rng.integers(0, 5, N_FIELDS)))


def test_the_encoder_comes_back(tmp_path: Path) -> None:
    for seed in range(5):
        learned = encoder(np.random.default_rng(seed))
        data = Dataset(CSR.core, encoder=learned)
        found = again(data, tmp_path).encoder
        assert found is not None
        assert found.n_features == learned.n_features
        for mine, theirs in zip(found.tokens, learned.tokens, strict=True):
            np.testing.assert_array_equal(mine, theirs)
        assert pickle.loads(pickle.dumps(found)).n_features == learned.n_features


def test_rows_are_encoded_by_an_encoder_from_a_file(tmp_path: Path) -> None:
    lines = [
        "\t".join([str(i % 2), *[str(i % 5)] * 13, *[f"{i % 7:08x}"] * 26]) for i in range(200)
    ]
    (tmp_path / "train.txt").write_text("\n".join(lines) + "\n")
    data = pyfm.datasets.read_criteo(tmp_path / "train.txt")
    opened = again(data, tmp_path)
    reread = pyfm.datasets.read_criteo(tmp_path / "train.txt", encoder=opened.encoder)
    assert same(reread, data)


def test_encoders_of_other_types_are_not_dropped_silently(tmp_path: Path) -> None:
    class Other(CriteoEncoder):
        pass

    data = Dataset(CSR.core, encoder=Other(()))
    with pytest.raises(ValueError, match=r"encoder: expected a CriteoEncoder.*, found Other"):
        data.save(tmp_path / "rows")
    assert os.listdir(tmp_path) == []


# --- writing --------------------------------------------------------------------------------------


def test_rows_of_nothing_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected rows with something in them, found 3 without"):
        Dataset.from_ids(np.empty((3, 0), int)).save(tmp_path / "rows")
    assert os.listdir(tmp_path) == []


def test_it_may_replace_the_file_that_it_is_mapped_from(tmp_path: Path) -> None:
    opened = again(CSR, tmp_path)
    opened[1:].save(tmp_path / "rows")
    assert same(opened, CSR)
    assert same(Dataset.open(tmp_path / "rows"), CSR[1:])
    assert os.listdir(tmp_path) == ["rows"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the system has no /dev/full")
def test_a_full_device() -> None:
    with pytest.raises(OSError, match="/dev/full") as error:
        CSR.save("/dev/full")
    assert error.value.errno == errno.ENOSPC


def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    # A limit of the size of files stands for the end of the disk, at several points of writing.
    pytest.importorskip("resource", reason="needs limits of resources")
    CSR.save(tmp_path / "rows")
    before = (tmp_path / "rows").read_bytes()
    code = """
import errno, resource, sys
import pyfm
data, _ = pyfm.datasets.make_ctr(2000, random_state=0)
for limit in (0, 10, 1000, 100_000, data.nbytes):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        data.save(sys.argv[1])
    except OSError as error:
        assert (error.errno, error.filename) == (errno.EFBIG, sys.argv[1]), error
    else:
        sys.exit(f"nothing was raised at {limit}")
"""
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "rows"], stderr=subprocess.PIPE, text=True
    )
    assert done.returncode == 0, done.stderr
    assert os.listdir(tmp_path) == ["rows"]
    assert (tmp_path / "rows").read_bytes() == before


def test_where_it_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        CSR.save(tmp_path)
    with pytest.raises(FileNotFoundError) as error:
        CSR.save(tmp_path / "missing" / "rows")
    assert error.value.filename == str(tmp_path / "missing" / "rows")
    assert os.listdir(tmp_path) == []


def test_names_of_any_kind(tmp_path: Path) -> None:
    CSR.save(str(tmp_path / "caf\udce9"))
    assert same(Dataset.open(tmp_path / "caf\udce9"), CSR)
    assert os.listdir(os.fsencode(tmp_path)) == [b"caf\xe9"]
