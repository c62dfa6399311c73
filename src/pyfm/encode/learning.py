"""`fit` and `partial_fit`: one pass over a table, and another where there are crosses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from pyfm.checks import refuse
from pyfm.encode.batches import encoded
from pyfm.encode.fields import Field, column_learners, cross_learner
from pyfm.encode.ids import Blocks
from pyfm.encode.kept import Codes, KeptRows
from pyfm.encode.kinds import Kind
from pyfm.encode.learners import BookLearner, FixedLearner, Learner
from pyfm.encode.multi import Elements
from pyfm.encode.plan import Settings
from pyfm.encode.readers import Number
from pyfm.encode.tables import Table


class State(NamedTuple):
    """What an encoder has learned; immutable."""

    settings: Settings
    kinds: dict[str, Kind]  # by column
    fields: tuple[Field, ...]
    n_features: int

    @property
    def columns(self) -> list[str]:
        """Those that the fields are read from, in their order."""
        return list(dict.fromkeys(name for field in self.fields for name in field.columns))

    def extends(self, earlier: State) -> bool:
        """Whether the ids of an earlier state mean what they mean there."""
        if self is earlier or self.fields == earlier.fields:
            return True
        pairs = zip(self.fields, earlier.fields, strict=False)
        same = len(self.fields) == len(earlier.fields)
        return same and all(now.extends(before) for now, before in pairs)

    def check_columns(self, table: Table) -> None:
        """Raises ValueError unless the table has the columns of `fit`."""
        settings, wanted = self.settings, self.columns
        expected = {*wanted, settings.target, settings.sample_weight}
        extra = [name for name in table.names if name not in expected and settings.takes_all]
        for name in wanted:
            if name not in table.types:
                also = f", but with {extra[0]!r}, which fit did not have" if extra else ""
                raise ValueError(
                    f"column {name!r}: expected the columns of fit, found a table without it{also}"
                )
        if extra:
            listed = ", ".join(map(repr, wanted))
            refuse("X", f"the columns of fit ({listed}) and no others", extra[0])


def learn(
    table: Table,
    y: Any,
    *,
    settings: Settings,
    before: State | None = None,
    kept: KeptRows | None = None,
) -> State:
    """What the rows of a table add to a state, or a new one; of that, the rows may be kept."""
    if before is None:
        kinds = settings.kinds(table.types)
    else:
        kinds = before.kinds
        before.check_columns(table)
        for name, was, now in zip(Settings._fields, before.settings, settings, strict=True):
            if was != now:
                refuse(name, f"{was!r}, as in the first call of partial_fit", now)
    if settings.crosses and not table.can_be_read_again:
        refuse("X", "a table that can be read twice, as crosses ask for", "a stream")
    known = {field.name: field for field in before.fields} if before else {}
    learners = _learners(kinds, table, known)
    columns = _columns(kinds, learners)
    _keep(learners, kept)
    n_rows = 0
    for batch in table.batches(columns):
        for learner in learners.values():
            learner.add(batch)
        n_rows += batch.n_rows
    if y is not None and len(y) != n_rows:
        refuse("y", f"length {n_rows} (one per row)", len(y))
    fields, n_features = _finish(learners, known, before.n_features if before else 0)
    crosses: dict[str, Learner] = {}
    for cross in settings.crosses:
        if cross.name in learners:
            refuse("crosses", "names that no column has", cross.name)
        crosses[cross.name] = cross_learner(cross, fields, known.get(cross.name))
    if crosses:
        crossed = {name for cross in settings.crosses for name in cross.columns}
        of_rows = encoded([f for f in fields if f.name in crossed], table, [], kept or KeptRows())
        _keep(crosses, kept)
        for batch, _ in of_rows:
            for learner in crosses.values():
                learner.add(batch)
        more, n_features = _finish(crosses, known, n_features)
        fields += more
    return State(settings, kinds, tuple(fields), n_features)


def _keep(learners: dict[str, Learner], kept: KeptRows | None) -> None:
    """Lets those learners keep codes that know them: one a row, of a book."""
    if kept is None:
        return
    for name, learner in learners.items():
        if isinstance(learner, BookLearner | FixedLearner) and not isinstance(
            learner.reader, Elements | Number
        ):
            kept.codes[name] = learner.codes = Codes()


def _learners(
    kinds: Mapping[str, Kind], table: Table, known: dict[str, Field]
) -> dict[str, Learner]:
    """By the names of the fields, in their order."""
    learners: dict[str, Learner] = {}
    for column, kind in kinds.items():
        found = column_learners(column, kind, table.types, known)
        for name in found:
            if name in learners or (name in kinds and name != column):
                refuse("columns", "different names of fields", name)
        learners |= found
    if not learners:
        refuse("X", "at least one column", f"{len(table.names)} columns")
    return learners


def _columns(kinds: Mapping[str, Kind], learners: dict[str, Learner]) -> list[str]:
    readers = [getattr(learner, "reader", None) for learner in learners.values()]
    weights = [r.weights for r in readers if isinstance(r, Elements) and r.weights is not None]
    return list(dict.fromkeys([*kinds, *weights]))


def _finish(
    learners: dict[str, Learner], known: dict[str, Field], n_features: int
) -> tuple[list[Field], int]:
    fields = []
    for name, learner in learners.items():
        if not learner.n_present and name not in known:
            expected = f"column {name!r}: expected at least one value that is not missing"
            raise ValueError(f"{expected}, found {learner.n_rows} rows without")
        reader, book = learner.finish()
        field = known[name] if name in known else Field(name, reader, book, Blocks())
        blocks, n_features = field.blocks.grown(name, book.size, n_features)
        fields.append(replace(field, book=book, blocks=blocks))
    return fields, n_features
