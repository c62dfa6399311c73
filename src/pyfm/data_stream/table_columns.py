"""Rows as columns of a table: what an encoder knows of them, or ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pyfm import _core
from pyfm.dataset.dataset import Dataset

if TYPE_CHECKING:
    from pyfm.encode import FieldEncoder
    from pyfm.encode.multi import Elements

SEPARATOR, WEIGHT_SEPARATOR = "|", ":"  # of several values in one string


class TableForm(NamedTuple):
    """How rows are written."""

    encoder: FieldEncoder | None  # that decodes ids; None: they are written as they are
    has_lists: bool  # where a row has several features of a field; otherwise they are strings


def table_of(rows: _core.Dataset, form: TableForm) -> Any:
    """A pyarrow.Table: a column for each field, targets and weights.

    Raises
    ------
    ValueError
        For ids that the encoder does not know, values that have no place in its columns, and names
        of columns that two of them would have.
    """
    from pyfm.encode.arrow import arrow

    encoder = form.encoder
    columns = _ids(rows, form) if encoder is None else _decoded(rows, form, encoder)
    settings = encoder._fitted().settings if encoder else None
    for role, numbers in (("target", rows.y), ("sample_weight", rows.weight)):
        name = getattr(settings, role, None) or role
        if numbers is None:
            continue
        if name in columns:
            expected = f"column {name!r}: expected no field of that name beside the {role}"
            raise ValueError(f"{expected}, found one: give the {role} another name in the encoder")
        columns[name] = numbers
    return arrow().table(columns)


def _decoded(rows: _core.Dataset, form: TableForm, encoder: FieldEncoder) -> dict[str, Any]:
    table = encoder.inverse_transform(Dataset(rows))
    columns = dict(zip(table.column_names, table.columns, strict=True))
    if not form.has_lists:
        for name, reader in _several(encoder).items():
            columns[name] = _joined(name, columns[name], reader.separator or SEPARATOR)
    return columns


def check_decodable(encoder: FieldEncoder) -> None:
    """Raises ValueError for fields with weights, which decoded columns do not hold."""
    for name, reader in _several(encoder).items():
        if reader.weights is not None or reader.weight_separator is not None:
            raise ValueError(
                f"column {name!r}: expected values without weights, which have no place in a table "
                "of what features stand for, found some with weights: write text or a data file"
            )


def _several(encoder: FieldEncoder) -> dict[str, Elements]:
    """The fields with several features a row, by name."""
    from pyfm.encode.multi import Elements

    fields = encoder._fitted().fields
    return {field.name: field.reader for field in fields if isinstance(field.reader, Elements)}


def _joined(name: str, lists: Any, separator: str) -> Any:
    """Lists of values as strings; a missing one stays so."""
    from pyfm.encode.arrow import arrow

    pa = arrow()
    texts = lists.cast(pa.list_(pa.string()))
    found = pa.compute.match_substring(pa.compute.list_flatten(texts), separator)
    if pa.compute.any(found).as_py():
        expected = f"column {name!r}: expected values without {separator!r}, which separates them"
        raise ValueError(f"{expected}, found some with it: write Parquet, which has lists")
    return pa.compute.binary_join(texts, separator)


def _ids(rows: _core.Dataset, form: TableForm) -> dict[str, Any]:
    """Of one feature per field its id, otherwise all ids of a field, with their values if any."""
    from pyfm.encode.arrow import arrow

    pa = arrow()
    names = [f"field_{number}" for number in range(rows.n_fields)]
    if rows.layout == "one_per_field" and rows.values is None:
        matrix = rows.features.reshape(rows.n_rows, rows.n_fields)
        return {name: matrix[:, number] for number, name in enumerate(names)}
    row_of, field_of = _places(rows)
    columns: dict[str, Any] = {}
    for number, name in enumerate(names):
        chosen = np.flatnonzero(field_of == number)
        counts = np.bincount(row_of[chosen], minlength=rows.n_rows)
        offsets = pa.array(np.concatenate([[0], np.cumsum(counts)]).astype(np.int32))
        entries = {name: pa.array(rows.features[chosen])}
        if rows.values is not None:
            entries[f"{name}_values"] = pa.array(rows.values[chosen])
        if not form.has_lists:
            texts = [array.cast(pa.string()) for array in entries.values()]
            joined = pa.compute.binary_join_element_wise(*texts, WEIGHT_SEPARATOR)
            lists = pa.ListArray.from_arrays(offsets, joined)
            columns[name] = pa.compute.binary_join(lists, SEPARATOR)
            continue
        for title, array in entries.items():
            columns[title] = pa.ListArray.from_arrays(offsets, array)
    return columns


def _places(rows: _core.Dataset) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """The row and the field of each entry."""
    n_rows, n_fields = rows.n_rows, rows.n_fields
    if rows.indptr is None:
        row_of = np.repeat(np.arange(n_rows), n_fields)
        return row_of, np.tile(np.arange(n_fields), n_rows)
    row_of = np.repeat(np.arange(n_rows), np.diff(rows.indptr))
    return row_of, np.zeros(len(row_of), np.int64) if rows.fields is None else rows.fields
