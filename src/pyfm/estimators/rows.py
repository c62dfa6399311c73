"""Rows to learn from, in memory or of a stream: targets encoded, reweighted, some set apart."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyfm import _core
from pyfm.checks import refuse
from pyfm.data_file.blocks import BlockReader
from pyfm.data_stream import DataStream
from pyfm.data_stream.background import ahead
from pyfm.data_stream.pieces import ROWS
from pyfm.data_stream.training import StreamedRows
from pyfm.dataset import Dataset
from pyfm.estimators.inputs import Inputs
from pyfm.estimators.opened import OpenStream
from pyfm.estimators.reweighting import Reweighting, balancing
from pyfm.estimators.split import sample_size, split
from pyfm.estimators.targets import Labels, Targets, check_integers
from pyfm.training import EvaluationRows
from pyfm.training_rows import HeldRows, TrainingRows


def load_rows(
    X: Any, y: Any, sample_weight: Any, targets: Targets, fields: Any, inputs: Inputs
) -> TrainingRows:
    """What `fit` was given, as `Inputs.load` does it."""
    if not isinstance(X, OpenStream):
        return HeldRows(inputs.load(X, y, sample_weight, targets, fields))
    for name, given in (("y", y), ("sample_weight", sample_weight), ("fields", fields)):
        if given is not None:
            refuse(name, "None, since X is a stream and brings its own", given)
    reader = X.reader
    if reader.n_rows == 0:
        refuse("X", "at least one row", "none")
    if reader.has_weight and not any(piece.any() for piece in reader.column("weight", ROWS)):
        refuse("sample_weight", "at least one weight > 0", "only zeros")
    n, stream = reader.n_rows, X.stream
    return StreamedRows(reader, n, _encoding(targets), n, stream.window, stream.shuffle)


def _encoding(targets: Targets) -> Any:
    def prepare(rows: _core.Dataset, first: int) -> _core.Dataset:
        try:
            y = targets.encode(rows.y)
        except ValueError as error:
            raise ValueError(f"rows from {first} on: {error}") from error
        return rows if y is rows.y else rows.with_targets(y, rows.weight)

    return prepare


def set_apart(
    rows: TrainingRows, fraction: float, targets: Targets, *, stratify: bool, seed: int
) -> tuple[TrainingRows, EvaluationRows]:
    """Rows to learn from, and rows to validate on: of a stream, whose rows stay, the last ones."""
    if isinstance(rows, HeldRows):
        train, valid = split(rows.data, fraction, stratify=stratify, seed=seed)
        return HeldRows(train), valid
    assert isinstance(rows, StreamedRows)
    end = rows.end - sample_size(rows.end, fraction)
    return replace(rows, end=end, n_rows=end), StreamedSet.of(rows.reader, targets, end)


def reweight(
    rows: TrainingRows, reweighting: Reweighting, classes: NDArray[Any], seed: int
) -> TrainingRows:
    """Rows with numbers of classes as targets, as `Reweighting.apply` makes them."""
    if isinstance(rows, HeldRows):
        return HeldRows(reweighting.apply(rows.data, classes, seed))
    assert isinstance(rows, StreamedRows)
    if reweighting.class_weight == "balanced":
        factors = balancing(_weight_of_classes(rows, classes))
        reweighting = replace(
            reweighting, class_weight=dict(zip(classes.tolist(), factors, strict=True))
        )
    n_rows = rows.n_rows
    if reweighting.negative_sampling < 1:
        n_rows = n_negative = n_kept = at = 0
        for y in rows.column("y"):
            encoded = (y == classes[1]).astype(np.float32)
            kept = reweighting.keeps(encoded, seed, at)
            n_rows += int(kept.sum())
            n_kept += int((kept & (encoded == 0)).sum())
            n_negative += int((encoded == 0).sum())
            at += len(y)
        reweighting.check_kept(n_negative, n_kept)
    return rows.prepared(
        n_rows, lambda data, at: reweighting.apply_to_piece(data, classes, seed, at)
    )


def _weight_of_classes(rows: StreamedRows, classes: NDArray[Any]) -> list[float]:
    totals = [0.0] * len(classes)
    weights = rows.column("weight")
    for y in rows.column("y"):
        weight = next(weights, np.ones(len(y), np.float32))
        for i in range(len(classes)):
            totals[i] += float(weight[y == classes[i]].sum(dtype=np.float64))
    return totals


@dataclass(frozen=True)
class StreamedSet:
    """Rows of a stream to evaluate on: targets and weights in memory, features read in pieces."""

    reader: BlockReader
    first: int  # of those rows, which reach to the end of the file
    y: _core.Floats
    weight: _core.Floats | None

    @classmethod
    def of(cls, reader: BlockReader, targets: Targets, first: int = 0) -> StreamedSet:
        y = _from(first, reader.column("y", ROWS))
        weight = _from(first, reader.column("weight", ROWS)) if reader.has_weight else None
        return cls(reader, first, targets.encode(y if reader.has_y else None), weight)

    @property
    def n_rows(self) -> int:
        return self.reader.n_rows - self.first

    def pieces(self) -> Iterator[_core.Dataset]:
        def read() -> Iterator[_core.Dataset]:
            self.reader.check_unchanged()
            for start in range(self.first, self.reader.n_rows, ROWS):
                yield self.reader.read(start, min(start + ROWS, self.reader.n_rows))

        return ahead(read)


def _from(first: int, column: Iterator[_core.Floats]) -> _core.Floats:
    """What a column holds from a row on."""
    found, at = [np.empty(0, np.float32)], 0
    for piece in column:
        found.append(piece[max(first - at, 0) :])
        at += len(piece)
    return np.concatenate(found)


def targets_of(X: Any, y: Any, sample_weight: Any) -> tuple[Any, Any]:
    """Targets and weights to score by: those of a Dataset or a stream, where none are given.

    Raises ValueError where there are no targets.
    """
    if isinstance(X, DataStream) and (y is None or sample_weight is None):
        with contextlib.closing(iter(X)) as pieces:
            columns = [(data.y, data.sample_weight) for data in pieces]
        own_y, own_weight = zip(*columns, strict=True)
        if y is None and all(part is not None for part in own_y):
            y = np.concatenate(own_y)
        if sample_weight is None and all(part is not None for part in own_weight):
            sample_weight = np.concatenate(own_weight)
    if isinstance(X, Dataset):
        y = X.y if y is None else y
        sample_weight = X.sample_weight if sample_weight is None else sample_weight
    if y is None:
        refuse("y", "labels or targets, in X or beside it", None)
    return y, sample_weight


def learn_labels(reader: BlockReader) -> Labels:
    """The labels of a data file, as those of a Dataset."""
    found, at = np.empty(0, np.float32), 0
    pieces = reader.column("y", ROWS)
    for y in pieces:
        if (other := ~np.isin(y, found)).any():
            try:
                check_integers(y, at)
            except ValueError:
                for _ in pieces:  # to the end, where a damaged file is found out
                    pass
                raise
            found = np.union1d(found, y[other])
        at += len(y)
    return Labels.of_dataset(found if reader.has_y else None)
