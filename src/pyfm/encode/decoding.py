"""From feature ids back to values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pyfm.checks import check_int
from pyfm.dataset import Dataset
from pyfm.encode.arrow import arrow
from pyfm.encode.books import MISSING, UNKNOWN, Hashing, Vocabulary
from pyfm.encode.fields import Field
from pyfm.encode.multi import Elements
from pyfm.encode.readers import Crossing, Edges, Log2, Number


class Feature(NamedTuple):
    """What a feature id stands for."""

    field: str
    value: Any
    is_missing: bool = False
    is_unknown: bool = False

    def __str__(self) -> str:
        return f"{self.field}={self._text}" if self.value != _NUMBER else self.field

    @property
    def _text(self) -> str:
        if self.is_missing or self.is_unknown:
            return MISSING if self.is_missing else UNKNOWN
        if isinstance(self.value, tuple):
            return f"({', '.join(feature._text for feature in self.value)})"
        return str(self.value)


_NUMBER = "value"  # of the feature that holds a real number


def features_of(fields: Sequence[Field], field: Field, codes: NDArray[np.int64]) -> list[Feature]:
    """What some codes of a field stand for."""
    found = []
    for code, value in zip(codes.tolist(), field.book.values(codes), strict=True):
        if code == 0:
            found.append(Feature(field.name, None, is_missing=True))
        elif code == 1 and isinstance(field.book, Vocabulary):
            found.append(Feature(field.name, None, is_unknown=True))
        elif isinstance(field.reader, Crossing) and isinstance(value, bytes):
            found.append(Feature(field.name, _pair(fields, field.reader, value)))
        elif isinstance(field.reader, Edges | Log2 | Number):
            found.append(Feature(field.name, field.reader.label(value)))
        else:
            found.append(Feature(field.name, value))
    return found


def _pair(fields: Sequence[Field], reader: Crossing, key: bytes) -> tuple[Feature, ...]:
    by_name = {field.name: field for field in fields}
    found = []
    for name, feature in zip(reader.fields, np.frombuffer(key, "<u4"), strict=True):
        codes = by_name[name].blocks.codes(np.array([feature]))
        found += features_of(fields, by_name[name], codes)
    return tuple(found)


def feature_of(fields: Sequence[Field], n_features: int, feature_id: Any) -> Feature:
    wanted = np.array([check_int("feature_id", feature_id, 0, n_features - 1)])
    for field in fields:
        codes = field.blocks.codes(wanted)
        if codes[0] >= 0:
            return features_of(fields, field, codes)[0]
    raise AssertionError("each id below n_features has a field")


def feature_names(fields: Sequence[Field], n_features: int) -> NDArray[np.object_]:
    names = np.empty(n_features, object)
    for field in fields:
        codes = np.arange(field.book.size)
        names[field.blocks.ids(codes)] = [str(f) for f in features_of(fields, field, codes)]
    return names


def table_of(fields: Sequence[Field], data: Dataset) -> Any:
    """The rows of a data set as a table."""
    pa = arrow()
    columns = {}
    core = data.core.packed()
    of_entry = core.fields
    for place, field in enumerate(fields):
        if isinstance(field.reader, Crossing):
            continue
        if of_entry is None:
            entries: Any = slice(place, None, len(fields))
            rows = np.arange(data.n_rows)
        else:
            entries = np.flatnonzero(of_entry == place)
            assert core.indptr is not None  # where fields are stored
            rows = np.searchsorted(core.indptr, entries, side="right") - 1
            if not isinstance(field.reader, Elements):
                _check_single(field, rows, data.n_rows)
        codes = field.blocks.codes(core.features[entries])
        if (codes < 0).any():
            raise ValueError(
                f"data, row {rows[np.argmax(codes < 0)]}: expected features of the field "
                f"{field.name!r}, found others"
            )
        if isinstance(field.reader, Number):
            numbers = np.ones(len(codes)) if core.values is None else core.values[entries]
            x = numbers.astype(np.float64) * field.reader.scale + field.reader.mean
            columns[field.name] = pa.array(x, mask=codes == 0)
        else:
            columns[field.name] = _column(field, codes, rows, data.n_rows)
    return pa.table(columns)


def _check_single(field: Field, rows: NDArray[np.int64], n_rows: int) -> None:
    """Raises ValueError unless each row has one feature of the field."""
    counts = np.bincount(rows, minlength=n_rows)
    if (counts != 1).any():
        row = int(np.argmax(counts != 1))
        raise ValueError(
            f"data, row {row}: expected one feature of the field {field.name!r}, found "
            f"{counts[row]}"
        )


def _column(field: Field, codes: NDArray[np.int64], rows: NDArray[np.int64], n_rows: int) -> Any:
    pa = arrow()
    book = field.book
    if isinstance(book, Vocabulary) and not isinstance(field.reader, Log2):
        values = book.entries.take(pa.array(np.maximum(codes - 2, 0), mask=codes < 2))
        values = values.cast(pa.bool_()) if book.type == "bool" else values
    else:
        kinds, places = np.unique(codes, return_inverse=True)
        found = [
            None if value in (None, UNKNOWN) else _plain(field, value)
            for value in book.values(kinds)
        ]
        is_text = isinstance(field.reader, Edges | Log2) or isinstance(book, Hashing)
        values = pa.array(found, pa.string() if is_text else pa.int64()).take(pa.array(places))
    if not isinstance(field.reader, Elements):
        return values
    missing = np.zeros(n_rows, bool)
    is_missing = codes == 0
    missing[rows[is_missing]] = True
    counts = np.bincount(rows[~is_missing], minlength=n_rows)
    offsets = np.concatenate([[0], np.cumsum(counts)])
    mask = np.append(missing & (counts == 0), False)
    kept = values.filter(pa.array(~is_missing))
    return pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32), mask=mask), kept)


def _plain(field: Field, value: Any) -> Any:
    return field.reader.label(value) if isinstance(field.reader, Edges | Log2) else value
