"""Fields: a reader, a code book, and the ids of its codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pyfm.checks import refuse
from pyfm.encode.arrow import arrow
from pyfm.encode.books import Book, Hashing, Range, Vocabulary
from pyfm.encode.dates import Part, check_part, default_parts, parsed, zone_of
from pyfm.encode.ids import Blocks
from pyfm.encode.kinds import (
    PARTS,
    Categorical,
    Cross,
    Date,
    Hashed,
    Kind,
    Multi,
)
from pyfm.encode.learners import (
    BookLearner,
    EdgesLearner,
    FixedLearner,
    Learner,
    NumberLearner,
)
from pyfm.encode.multi import Elements, element_type
from pyfm.encode.numeric_kinds import Buckets, Real
from pyfm.encode.readers import Crossing, Edges, Log2, Number, Plain
from pyfm.encode.tables import Batch
from pyfm.encode.tokens import Column, as_distinct, token_type

Reader = Plain | Log2 | Edges | Number | Elements | Part | Crossing


class Encoded(NamedTuple):
    """The features of some rows in one field: one each, or `lengths` of them."""

    ids: NDArray[np.uint32]
    lengths: NDArray[np.int64] | None
    weights: NDArray[np.float32] | None


@dataclass(frozen=True, eq=False)
class Field:
    """One field, fitted."""

    name: str
    reader: Reader
    book: Book
    blocks: Blocks

    @property
    def columns(self) -> tuple[str, ...]:
        """Those that it is read from; of a cross none, since it is read from other fields."""
        if isinstance(self.reader, Crossing):  # not `is_cross`, which narrows no type
            return ()
        return self.reader.columns if isinstance(self.reader, Elements) else (self.reader.column,)

    @property
    def is_cross(self) -> bool:
        return isinstance(self.reader, Crossing)

    @property
    def may_be_crossed(self) -> bool:
        """Whether each row has one feature that says all of its value."""
        return not isinstance(self.reader, Number | Elements | Crossing)

    def extends(self, earlier: Field) -> bool:
        """Whether the ids of an earlier field mean what they mean there."""
        return (
            self.name == earlier.name
            and self.reader == earlier.reader
            and self.blocks.extends(earlier.blocks)
            and self.book.extends(earlier.book)
        )

    def encode(self, batch: Batch) -> Encoded:
        values = self.reader.read(batch)
        found = as_distinct(values.found)
        # The memo also keeps the values alive, without which others may be at their address.
        known, ids_of_values = batch.memo.get(self.name, (None, None))
        if known is None or not found.has_values_of(known):
            codes = np.append(self.book.codes(found.values), 0)  # missing: the last
            ids_of_values = self.blocks.ids(codes)
            batch.memo[self.name] = found, ids_of_values
        ids: NDArray[np.uint32] = ids_of_values[found.places]
        if values.lengths is None and values.weights is None:
            batch.ids[self.name] = ids
        return Encoded(ids, values.lengths, values.weights)


def column_learners(
    column: str, kind: Kind, types: dict[str, Any], known: dict[str, Field]
) -> dict[str, Learner]:
    """By the name of the field that each learns: more than one of a date."""
    type_ = types[column]  # of a column without a value a type is made up: it is refused later
    if isinstance(kind, Date):
        return _part_learners(column, kind, type_, known)
    if column in known:
        return {column: _goes_on(known[column])}
    if isinstance(kind, Multi):
        if kind.weights is not None and kind.weights not in types:
            refuse(f"column {column!r}: weights", "a column of the table", kind.weights)
        name = element_type(column, type_, kind.separator) or "string"
        elements = Elements(column, name, kind.separator, kind.weights, kind.weight_separator)
        return {column: BookLearner(elements, kind.each, name, None)}
    if isinstance(kind, Real):
        return {column: NumberLearner(column, kind.standardize)}
    if isinstance(kind, Buckets):
        return {column: _bucket_learner(column, kind)}
    name = token_type(column, type_) or "string"
    return {column: BookLearner(Plain(column, name), kind, name, None)}


def _bucket_learner(column: str, kind: Buckets) -> Learner:
    if kind.by == "log2":
        return BookLearner(Log2(column), Categorical(kind.min_count), "int64", None)
    if isinstance(kind.by, str):
        return EdgesLearner(column, kind.by, kind.size)
    return FixedLearner(Edges(column, kind.by), Range(0, len(kind.by)))


def _part_learners(
    column: str, kind: Date, type_: Any, known: dict[str, Field]
) -> dict[str, Learner]:
    pa = arrow()
    if not pa.types.is_null(type_):
        type_ = parsed(Column(column, pa.array([], type_), 0), kind.format).type
    learners: dict[str, Learner] = {}
    for part in kind.parts or default_parts(type_):
        name = f"{column}:{part}"
        if name in known:
            learners[name] = _goes_on(known[name])
            continue
        check_part(column, type_, part)
        reader = Part(column, part, zone_of(type_), kind.format)
        domain = PARTS[part]
        learners[name] = (
            BookLearner(reader, Categorical(), "int64", None)
            if domain is None
            else FixedLearner(reader, Range(*domain))
        )
    return learners


def cross_learner(cross: Cross, fields: Sequence[Field], known: Field | None) -> Learner:
    if known is not None:
        return _goes_on(known)
    single = [field.name for field in fields if field.may_be_crossed]
    for name in cross.columns:
        if name not in single:
            listed = ", ".join(map(repr, single))
            refuse("crosses", f"fields with one feature a row ({listed})", name)
    return BookLearner(Crossing(cross.columns), cross.each, "pair", None)


def _goes_on(field: Field) -> Learner:
    """What is added to a field: vocabularies grow, and everything else stays."""
    reader, book = field.reader, field.book
    if isinstance(book, Vocabulary | Hashing):
        settings: Categorical | Hashed = book.settings
        return BookLearner(reader, settings, book.type, book)
    return FixedLearner(reader, book)
