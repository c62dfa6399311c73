"""From the columns of a table to the values of a field; fitted, and immutable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pyfm.encode.arrow import arrow
from pyfm.encode.log2 import buckets
from pyfm.encode.tables import Batch
from pyfm.encode.tokens import Distinct, numbers, tokens


class Values(NamedTuple):
    """Of some rows: one each, or `lengths` of them."""

    found: Any  # an Arrow array, null where missing, or Distinct ones
    lengths: NDArray[np.int64] | None = None
    weights: NDArray[np.float32] | None = None  # one for each value; None: all 1


@dataclass(frozen=True)
class Plain:
    """The values of a column as they are."""

    column: str
    type: str

    kind: ClassVar[str] = "plain"

    def read(self, batch: Batch) -> Values:
        return Values(tokens(batch.column(self.column), self.type))


@dataclass(frozen=True)
class Log2:
    """floor(ln(x)²), see `pyfm.encode.Buckets`."""

    column: str

    kind: ClassVar[str] = "log2"

    def read(self, batch: Batch) -> Values:
        return Values(buckets(batch.column(self.column)))

    def label(self, value: Any) -> str:
        bucket = int(value)
        return (
            str(bucket) if abs(bucket) <= 2 else f"{'-' if bucket < 0 else ''}ln²:{abs(bucket) - 2}"
        )


@dataclass(frozen=True)
class Edges:
    """The number of the interval between edges that a value falls into."""

    column: str
    edges: tuple[float, ...]

    kind: ClassVar[str] = "edges"

    def read(self, batch: Batch) -> Values:
        x = numbers(batch.column(self.column))
        n_edges = len(self.edges)
        place = np.searchsorted(np.array(self.edges), x, side="right")
        place[np.isnan(x)] = n_edges + 1
        return Values(Distinct(place, arrow().array(np.arange(n_edges + 1))))

    def label(self, value: Any) -> str:
        ends = [-np.inf, *self.edges, np.inf]
        return f"[{ends[int(value)]:g}, {ends[int(value) + 1]:g})"


@dataclass(frozen=True)
class Number:
    """The number itself, shifted and scaled, as the value of one feature."""

    column: str
    mean: float
    scale: float

    kind: ClassVar[str] = "number"

    def read(self, batch: Batch) -> Values:
        column = batch.column(self.column)
        x = numbers(column)
        missing = np.isnan(x)
        scaled = (x - self.mean) / self.scale
        wrong = np.abs(scaled) > np.finfo(np.float32).max
        if wrong.any():
            row = int(np.argmax(wrong))
            column.fail(row, "a number that float32 holds", float(x[row]))
        scaled[missing] = 1
        found = Distinct(missing.astype(np.int64), arrow().array([0], arrow().int64()))
        return Values(found, weights=scaled.astype(np.float32))

    def label(self, value: Any) -> str:
        return "value"


@dataclass(frozen=True)
class Crossing:
    """The ids of several fields, one after the other, as bytes."""

    fields: tuple[str, ...]

    kind: ClassVar[str] = "cross"

    @property
    def width(self) -> int:
        return 4 * len(self.fields)

    def read(self, batch: Batch) -> Values:
        pa = arrow()
        ids = np.stack([batch.ids[name] for name in self.fields], axis=1).astype("<u4", order="C")
        buffers = [None, pa.py_buffer(ids)]
        return Values(pa.Array.from_buffers(pa.binary(self.width), len(ids), buffers))
