"""The rows that the benchmarks learn from: Criteo's shape, and variants of it, as libffm text.

Both libraries read the same text. It is written when a variant is first asked for, and so are
libffm's binary files, which it keeps beside the text.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np

import pyfm

N_FIELDS, N_FEATURES = 39, 1_280_000
ABSENT = 0.3  # probability, of each field of the variant "missing"
MULTI_VALUED = 5  # fields of the variant "multi"
MOST_VALUES = 5  # of such a field; 3 on average


class Files(NamedTuple):
    """Training and validation rows as text."""

    train: Path
    valid: Path


class Rows:
    """The rows of one variant: files on first use, data sets read back from them."""

    def __init__(self, make: pyfm.Dataset, n_train: int, folder: Path) -> None:
        self._made, self._n_train, self._folder = make, n_train, folder

    @cached_property
    def files(self) -> Files:
        files = Files(self._folder / "train.txt", self._folder / "valid.txt")
        self._folder.mkdir()
        write_libffm(files.train, self._made[: self._n_train])
        write_libffm(files.valid, self._made[self._n_train :])
        return files

    @cached_property
    def train(self) -> pyfm.Dataset:
        return pyfm.Dataset.from_libffm(self.files.train)

    @cached_property
    def valid(self) -> pyfm.Dataset:
        return pyfm.Dataset.from_libffm(self.files.valid)


class Source:
    """All variants of one drawing of `n_train` + `n_valid` rows."""

    def __init__(self, n_train: int, n_valid: int, seed: int, folder: Path) -> None:
        self.n_train, self._seed, self._folder = n_train, seed, folder
        self._plain, self.bayes_logloss = pyfm.datasets.make_ctr(
            n_train + n_valid, n_fields=N_FIELDS, n_features=N_FEATURES, random_state=seed
        )
        self._rows: dict[str, Rows] = {}

    def __getitem__(self, variant: str) -> Rows:
        """One of "plain", "missing", "multi", "real", and "short": at most 200,000 plain rows."""
        if variant not in self._rows:
            n_train, made = self.n_train, self._plain
            if variant == "short":
                n_short = min(n_train, 200_000)
                made = made[np.r_[:n_short, n_train : len(made)]]
                n_train = n_short
            elif variant != "plain":
                change = {"missing": missing, "multi": multi_valued, "real": real_valued}[variant]
                made = change(made, np.random.default_rng(self._seed))
            self._rows[variant] = Rows(made, n_train, self._folder / variant)
        return self._rows[variant]


def id_matrix(data: pyfm.Dataset) -> np.ndarray:
    """Feature ids of rows with one feature per field, shape (n_rows, n_fields)."""
    return data.core.features.reshape(data.n_rows, data.n_fields)


def missing(data: pyfm.Dataset, rng: np.random.Generator) -> pyfm.Dataset:
    """Each field is absent with probability `ABSENT`; no row is left empty."""
    ids = id_matrix(data).astype(np.int64)
    absent = rng.random(ids.shape) < ABSENT
    absent[:, 0] &= ~absent.all(axis=1)
    return pyfm.Dataset.from_ids(np.where(absent, -1, ids), data.y, n_features=data.n_features)


def multi_valued(data: pyfm.Dataset, rng: np.random.Generator) -> pyfm.Dataset:
    """The largest fields hold 1 to `MOST_VALUES` features: their own, and those of other rows."""
    ids = id_matrix(data)
    n_rows, n_fields = ids.shape
    largest = np.argsort(np.ptp(ids, axis=0))[-MULTI_VALUED:]
    columns, fields = list(ids.T.astype(np.int64)), list(range(n_fields))
    for field in largest.tolist():
        n_values = rng.integers(1, MOST_VALUES + 1, n_rows)
        taken = [columns[field]]
        for place in range(1, MOST_VALUES):
            more = rng.permutation(columns[field])
            # A feature twice in a row would be another question than that of speed.
            again = np.logical_or.reduce([more == earlier for earlier in taken])
            taken.append(np.where(again | (place >= n_values), -1, more))
        columns += taken[1:]
        fields += [field] * (MOST_VALUES - 1)
    order = np.argsort(fields, kind="stable")
    matrix = np.stack(columns, axis=1)[:, order]
    present = matrix >= 0
    return pyfm.Dataset.from_arrays(
        np.concatenate([[0], np.cumsum(present.sum(axis=1))]),
        matrix[present],
        fields=np.broadcast_to(np.array(fields)[order], matrix.shape)[present],
        y=data.y,
        n_features=data.n_features,
    )


def real_valued(data: pyfm.Dataset, rng: np.random.Generator) -> pyfm.Dataset:
    """Every value is drawn around 1."""
    return pyfm.Dataset.from_arrays(
        np.arange(data.n_rows + 1) * data.n_fields,
        data.core.features,
        fields=np.tile(np.arange(data.n_fields), data.n_rows),
        values=np.exp(rng.normal(0, 0.3, data.nnz)).astype(np.float32),
        y=data.y,
        n_features=data.n_features,
    )


def offsets_and_fields(data: pyfm.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Where each row begins and the field of each entry, of rows of one per field as well."""
    offsets, fields = data.core.indptr, data.core.fields
    if offsets is None:
        offsets = np.arange(data.n_rows + 1) * data.n_fields
    if fields is None:
        fields = np.tile(np.arange(data.n_fields), data.n_rows)
    return offsets, fields


def write_libffm(path: Path, data: pyfm.Dataset) -> None:
    """Write labelled rows as libffm text, ``label field:feature:value …``."""
    core = data.core
    assert core.y is not None, "rows without labels"
    offsets, field_of = offsets_and_fields(data)
    with open(path, "w") as file:
        for start in range(0, data.n_rows, 10_000):
            bounds = offsets[start : start + 10_001]
            part = slice(bounds[0], bounds[-1])
            pairs = zip(field_of[part].tolist(), core.features[part].tolist(), strict=True)
            entries = [f"{field}:{feature}:" for field, feature in pairs]
            if core.values is None:
                entries = [f"{entry}1" for entry in entries]
            else:
                values = core.values[part].tolist()
                entries = [f"{e}{v:.6g}" for e, v in zip(entries, values, strict=True)]
            ends = (bounds - bounds[0]).tolist()
            labels = core.y[start : start + 10_000].tolist()
            for i, label in enumerate(labels):
                file.write(f"{int(label)} {' '.join(entries[ends[i] : ends[i + 1]])}\n")
