"""Rows of several data sets as one: which buffers they need, and what stands there if implied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyfm import _core
from pyfm.checks import refuse


@dataclass(frozen=True)
class Form:
    """What is stored of some rows; the rest is implied (see data/dataset.h)."""

    n_per_row: int | None  # one feature for each of so many fields; None: rows have offsets
    has_fields: bool
    has_values: bool
    has_y: bool
    has_weight: bool

    @classmethod
    def of(cls, rows: _core.Dataset) -> Form:
        return cls(
            n_per_row=rows.n_fields if rows.indptr is None else None,
            has_fields=rows.fields is not None,
            has_values=rows.values is not None,
            has_y=rows.y is not None,
            has_weight=rows.weight is not None,
        )

    def with_rows_of(self, other: Form) -> Form:
        """The form of these rows and others.

        Raises
        ------
        ValueError
            Where only some of the rows have targets.
        """
        if self.has_y != other.has_y:
            names = "rows without targets", "rows with targets"
            refuse("rows", f"{names[self.has_y]}, as before", names[other.has_y])
        fits = self.n_per_row == other.n_per_row
        # Rows with offsets and without fields are all in field 0, the others are not.
        spelled = not fits or self.has_fields or other.has_fields
        both = self.n_per_row is None and other.n_per_row is None
        return replace(
            self,
            n_per_row=self.n_per_row if fits else None,
            has_fields=self.has_fields or other.has_fields if both else spelled,
            has_values=self.has_values or other.has_values,
            has_weight=self.has_weight or other.has_weight,
        )


def indptr(rows: _core.Dataset) -> NDArray[np.int64]:
    """Offsets of the rows and of their end, spelled out."""
    if rows.indptr is not None:
        return rows.indptr
    return np.arange(rows.n_rows + 1, dtype=np.int64) * rows.n_fields


def fields(rows: _core.Dataset) -> NDArray[np.uint16]:
    if rows.fields is not None:
        return rows.fields
    if rows.indptr is None:
        return np.tile(np.arange(rows.n_fields, dtype=np.uint16), rows.n_rows)
    return np.zeros(rows.nnz, np.uint16)


def ones(given: NDArray[np.float32] | None, n: int) -> NDArray[np.float32]:
    return np.ones(n, np.float32) if given is None else given


def buffers(rows: _core.Dataset, form: Form) -> dict[str, NDArray[Any]]:
    """What `form` stores of the rows, without the offsets."""
    found: dict[str, NDArray[Any]] = {"features": rows.features}
    if form.has_fields:
        found["fields"] = fields(rows)
    if form.has_values:
        found["values"] = ones(rows.values, rows.nnz)
    if form.has_y:
        assert rows.y is not None
        found["y"] = rows.y
    if form.has_weight:
        found["weight"] = ones(rows.weight, rows.n_rows)
    return found


def join(parts: Sequence[_core.Dataset]) -> _core.Dataset:
    """The rows of all parts, one after the other: a copy, unless there is but one."""
    if len(parts) == 1:
        return parts[0]
    form = Form.of(parts[0])
    for part in parts[1:]:
        form = form.with_rows_of(Form.of(part))
    columns = [buffers(part, form) for part in parts]
    joined: dict[str, Any] = dict.fromkeys(("fields", "values", "y", "weight"))
    joined |= {name: np.concatenate([c[name] for c in columns]) for name in columns[0]}
    return _core.Dataset(
        indptr=None if form.n_per_row is not None else _joined_indptr(parts),
        n_rows=sum(part.n_rows for part in parts),
        n_features=max(part.n_features for part in parts),
        n_fields=max(part.n_fields for part in parts),
        **joined,
    )


def _joined_indptr(parts: Sequence[_core.Dataset]) -> NDArray[np.int64]:
    pieces, end = [np.zeros(1, np.int64)], 0
    for part in parts:
        pieces.append(indptr(part)[1:] + end)
        end += part.nnz
    return np.concatenate(pieces)
