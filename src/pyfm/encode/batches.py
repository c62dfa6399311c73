"""The features of a table's rows, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pyfm.checks import refuse
from pyfm.encode.fields import Encoded, Field
from pyfm.encode.kept import KeptRows
from pyfm.encode.tables import Batch, Table


def encoded(
    fields: Sequence[Field], table: Table, others: Sequence[str], kept: KeptRows
) -> Iterator[tuple[Batch, list[Encoded]]]:
    """By field; batches also have the columns `others`.

    What is kept of the rows is not read again: if it is all that is asked for, nothing is.

    Raises
    ------
    ValueError
        For a table that has other rows than those that were kept.
    """
    read = [column for field in fields if field.name not in kept for column in field.columns]
    wanted = list(dict.fromkeys([*read, *others]))
    sizes, n_rows = kept.n_rows, 0
    for number, batch in enumerate(table.batches(wanted) if wanted else kept.batches()):
        n_rows += batch.n_rows
        if sizes and sizes[number : number + 1] != [batch.n_rows]:
            break  # the last one, or more rows than before
        yield batch, [_one(field, batch, number, kept) for field in fields]
    if sizes and n_rows != sum(sizes):
        refuse("X", f"{sum(sizes)} rows, as when it was read before", "another number")


def _one(field: Field, batch: Batch, number: int, kept: KeptRows) -> Encoded:
    if field.name not in kept:
        return field.encode(batch)
    batch.ids[field.name] = ids = kept.ids(field.name, field.blocks, number)
    return Encoded(ids, None, None)
