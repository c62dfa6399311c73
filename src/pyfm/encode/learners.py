"""What `fit` and `partial_fit` gather of the rows, to make readers and code books of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyfm.encode import sketch
from pyfm.encode.arrow import arrow
from pyfm.encode.books import Book, Hashing, Range, Vocabulary, hash_codes
from pyfm.encode.counting import counted, ranked
from pyfm.encode.hashing import hash_integers
from pyfm.encode.kept import Codes, packed
from pyfm.encode.kinds import Categorical, Hashed
from pyfm.encode.readers import Edges, Number
from pyfm.encode.tables import Batch
from pyfm.encode.tokens import Distinct, arrow_type, as_distinct, hashes, numbers

SAMPLE_SIZE = 1 << 17
_PENDING = 1 << 16  # values that are gathered before they are merged, at least


class BookLearner:
    """Vocabularies and hashes."""

    codes: Codes | None = None  # those of the rows, if they are to be kept

    def __init__(self, reader: Any, settings: Categorical | Hashed, type_: str, known: Any) -> None:
        self.reader, self.n_rows, self.n_present = reader, 0, 0
        if isinstance(settings, Hashed):
            self._of: Any = _HashLearner(settings, type_, known)
        else:
            self._of = _VocabularyLearner(settings, type_, known, getattr(reader, "width", None))

    def add(self, batch: Batch) -> None:
        found = self.reader.read(batch).found
        self.n_rows += batch.n_rows
        self.n_present += _n_present(found)
        self._of.add(found, self.codes)

    def finish(self) -> tuple[Any, Book]:
        return self.reader, self._of.finish(self.codes)


class _HashLearner:
    def __init__(self, settings: Hashed, type_: str, known: Hashing | None) -> None:
        self._settings, self._type = settings, type_
        self._registers = sketch.new_registers() if known is None else known.registers.copy()

    def add(self, found: Any, codes: Codes | None) -> None:
        if codes is None:
            values, _ = counted(found)
            sketch.add(self._registers, hashes(values, self._settings.seed))
            return
        found = as_distinct(found)
        values, _, ranks = ranked(found)
        keys = hashes(values, self._settings.seed)
        sketch.add(self._registers, keys)
        codes.add(np.append(0, hash_codes(keys, self._settings.n_bits))[ranks], found.places)

    def finish(self, codes: Codes | None) -> Hashing:
        return Hashing(self._settings, self._type, self._registers)


class _VocabularyLearner:
    """Counts of values, in the order of their first rows."""

    def __init__(
        self, settings: Categorical, type_: str, known: Vocabulary | None, width: int | None
    ) -> None:
        pa = arrow()
        self._settings, self._type, self._known = settings, type_, known
        self._stored = pa.binary(width) if width else arrow_type(type_)
        nothing = pa.array([], self._stored)
        self._merged = (nothing, np.empty(0, np.int64))
        if known is not None:
            self._merged = (known.candidates, known.counts)
        self._pending: list[tuple[Any, NDArray[np.int64]]] = []
        self._n_pending = 0
        self._pending_rows: list[NDArray[Any]] = []  # by rank

    @property
    def _is_full(self) -> bool:
        limit = self._settings.max_size
        return limit is not None and self._known is not None and self._known.size - 2 >= limit

    def add(self, found: Any, codes: Codes | None) -> None:
        if self._is_full:
            return
        if codes is None:
            values, counts = counted(found)
        else:
            found = as_distinct(found)
            values, counts, ranks = ranked(found)
            self._pending_rows.append(packed(ranks, found.places))
        if values.type != self._stored:
            values = values.cast(self._stored)
        if self._known is not None:
            new = self._known.find(values) < 0
            values, counts = values.filter(arrow().array(new)), counts[new]
        self._pending.append((values, counts))
        self._n_pending += len(values)
        # Each merge at least doubles what it goes through, so that all of them together are linear.
        if self._n_pending > max(_PENDING, len(self._merged[0])):
            self._merge(codes)

    def _merge(self, codes: Codes | None) -> None:
        pa = arrow()
        parts = [self._merged, *self._pending]
        joined = pa.concat_arrays([values for values, _ in parts]).dictionary_encode()
        counts = np.concatenate([counts for _, counts in parts])
        places = joined.indices.to_numpy()
        total = np.bincount(places, counts, len(joined.dictionary))
        if codes is not None:  # merged values keep their places in later merges, being the first
            at = len(self._merged[0])
            for (values, _), ranks in zip(self._pending, self._pending_rows, strict=True):
                codes.add(np.append(0, places[at : at + len(values)] + 1), ranks)
                at += len(values)
        self._merged = (joined.dictionary, total.astype(np.int64))  # exact up to 2**53
        self._pending, self._n_pending, self._pending_rows = [], 0, []

    def finish(self, codes: Codes | None) -> Vocabulary:
        pa = arrow()
        self._merge(codes)
        values, counts = self._merged
        known, settings = self._known, self._settings
        frequent = np.flatnonzero(counts >= settings.min_count)
        is_full = self._is_full
        if settings.max_size is not None:
            room = max(0, settings.max_size - (known.size - 2 if known else 0))
            is_full = len(frequent) >= room
            first = np.argsort(-counts[frequent], kind="stable")[:room]
            frequent = np.sort(frequent[first])
        entries = values.take(pa.array(frequent))
        if known is not None:
            entries = pa.concat_arrays([known.entries, entries]) if len(entries) else known.entries
        if codes is not None:
            codes.code_of = np.ones(1 + len(values), np.int64)  # unknown
            codes.code_of[0] = 0
            codes.code_of[1 + frequent] = np.arange(2, 2 + len(frequent))
        rare = np.flatnonzero(counts < settings.min_count) if not is_full else frequent[:0]
        candidates = values.take(pa.array(rare))
        return Vocabulary(settings, self._type, entries, candidates, counts[rare])


class EdgesLearner:
    """Quantiles of a sample, or extremes: the edges of `Buckets`."""

    def __init__(self, column: str, by: str, n_buckets: int) -> None:
        self._column, self._by, self._n_buckets = column, by, n_buckets
        self.n_rows, self.n_present = 0, 0
        self._sample, self._keys = np.empty(0), np.empty(0, np.uint64)
        self._low, self._high = np.inf, -np.inf

    def add(self, batch: Batch) -> None:
        x = numbers(batch.column(self._column))
        rows = np.arange(self.n_rows, self.n_rows + len(x))
        self.n_rows += len(x)
        present = ~np.isnan(x)
        x, rows = x[present], rows[present]
        self.n_present += len(x)
        if not len(x):
            return
        if self._by == "uniform":
            self._low, self._high = min(self._low, x.min()), max(self._high, x.max())
            return
        # The rows whose numbers have the smallest hashes: the same ones, however they come.
        self._sample = np.concatenate([self._sample, x])
        self._keys = np.concatenate([self._keys, hash_integers(rows)])
        if len(self._sample) > SAMPLE_SIZE:
            kept = np.sort(np.argpartition(self._keys, SAMPLE_SIZE)[:SAMPLE_SIZE])
            self._sample, self._keys = self._sample[kept], self._keys[kept]

    def finish(self) -> tuple[Edges, Range]:
        shares = np.arange(1, self._n_buckets) / self._n_buckets
        if self._by == "uniform":
            edges = self._low * (1 - shares) + self._high * shares
        else:
            edges = np.quantile(self._sample, shares, method="higher")
        edges = np.unique(edges)
        return Edges(self._column, tuple(edges.tolist())), Range(0, len(edges))


class NumberLearner:
    """Mean and standard deviation, batch by batch (Chan, Golub, LeVeque 1979)."""

    def __init__(self, column: str, standardize: bool) -> None:
        self._column, self._standardize = column, standardize
        self.n_rows, self.n_present = 0, 0
        self._mean, self._squares = 0.0, 0.0

    def add(self, batch: Batch) -> None:
        column = batch.column(self._column)
        x = numbers(column)
        self.n_rows += len(x)
        x = x[~np.isnan(x)]
        if not len(x):
            return
        with np.errstate(over="ignore", invalid="ignore"):
            mean = float(np.mean(x))
            squares = float(np.sum(np.square(x - mean)))
            n, both = self.n_present, self.n_present + len(x)
            difference = mean - self._mean
            self._mean += difference * len(x) / both
            self._squares += squares + difference * difference * n * len(x) / both
        self.n_present = both
        if self._standardize and not np.isfinite(self._squares):
            raise ValueError(
                f"column {column.name!r}: expected numbers whose squares are finite, found "
                f"{float(x[np.argmax(np.abs(x))])}"
            )

    def finish(self) -> tuple[Number, Range]:
        mean, scale = 0.0, 1.0
        if self._standardize:
            deviation = (self._squares / self.n_present) ** 0.5
            mean, scale = self._mean, deviation or 1.0
        return Number(self._column, mean, scale), Range(0, 0)


@dataclass
class FixedLearner:
    """Nothing is to be learned, except whether there is anything."""

    reader: Any
    book: Book
    n_rows: int = 0
    n_present: int = 0
    codes: Codes | None = None

    def add(self, batch: Batch) -> None:
        found = self.reader.read(batch).found
        self.n_rows += batch.n_rows
        self.n_present += _n_present(found)
        if self.codes is not None:
            found = as_distinct(found)
            self.codes.add(np.append(self.book.codes(found.values), 0), found.places)

    def finish(self) -> tuple[Any, Book]:
        return self.reader, self.book


def _n_present(found: Any) -> int:
    return found.n_present if isinstance(found, Distinct) else len(found) - found.null_count


Learner = BookLearner | EdgesLearner | NumberLearner | FixedLearner
