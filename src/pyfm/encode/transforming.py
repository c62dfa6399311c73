"""`transform`: the rows of a table as features, batch by batch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pyfm import _core
from pyfm.encode.assembly import Assembly
from pyfm.encode.batches import encoded
from pyfm.encode.kept import KeptRows
from pyfm.encode.learning import State
from pyfm.encode.multi import Elements
from pyfm.encode.readers import Number
from pyfm.encode.tables import Batch, Table
from pyfm.encode.tokens import numbers


def encode(state: State, table: Table, kept: KeptRows | None = None) -> _core.Dataset:
    """All rows, with targets and weights where the table has them.

    What was kept of the rows when the state learned from them is let go on the way.
    """
    state.check_columns(table)
    settings = state.settings
    names = [settings.target, settings.sample_weight]
    y, weight = (_Floats(name if name in table.types else None) for name in names)
    readers = [field.reader for field in state.fields]
    kept = KeptRows() if kept is None else kept
    assembly = Assembly(
        len(readers),
        sum(kept.n_rows) or table.n_rows,
        is_compressed=any(isinstance(reader, Elements) for reader in readers),
        has_values=any(isinstance(reader, Number) for reader in readers),
    )
    others = [floats.name for floats in (y, weight) if floats.name is not None]
    n_rows = 0
    for number, (batch, features) in enumerate(encoded(state.fields, table, others, kept)):
        assembly.add(features, batch.n_rows)
        kept.release(number)
        y.add(batch)
        weight.add(batch)
        n_rows += batch.n_rows
    return assembly.finish(n_rows, state.n_features, y.joined(), weight.joined())


class _Floats:
    """A column of targets or weights."""

    def __init__(self, name: str | None) -> None:
        self.name = name
        self._parts: list[NDArray[np.float32]] = []

    def add(self, batch: Batch) -> None:
        if self.name is None:
            return
        column = batch.column(self.name)
        found = numbers(column)
        wrong = ~(np.abs(found) <= np.finfo(np.float32).max)
        if wrong.any():
            row = int(np.argmax(wrong))
            column.fail(row, "a number that float32 holds", found[row])
        self._parts.append(found.astype(np.float32))

    def joined(self) -> NDArray[np.float32] | None:
        return np.concatenate(self._parts) if self._parts else None
