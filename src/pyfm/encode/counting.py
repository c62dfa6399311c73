"""How often values occur, in the order of their first rows."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pyfm.encode.arrow import arrow
from pyfm.encode.tokens import Distinct, distinct


class Ranked(NamedTuple):
    """The values that rows hold, an Arrow array without nulls, and how many rows hold each."""

    values: Any
    counts: NDArray[np.int64]
    ranks: NDArray[np.intp]  # by place, see Distinct: 1 for the first value, 0 for a missing one


def ranked(found: Distinct) -> Ranked:
    places, values = found.places, found.values
    n_of = np.bincount(places, minlength=len(values))[: len(values)]
    first = np.empty(len(values) + 1, np.int64)
    first[places[::-1]] = np.arange(len(places))[::-1]  # of equal places the last one stays
    used = np.flatnonzero(n_of)
    used = used[np.argsort(first[used])]
    ranks = np.zeros(len(values) + 1, np.intp)
    ranks[used] = np.arange(1, len(used) + 1)
    return Ranked(values.take(arrow().array(used)), n_of[used], ranks)


def counted(found: Any) -> tuple[Any, NDArray[np.int64]]:
    """The values and counts alone, of an Arrow array or of Distinct ones."""
    if not isinstance(found, Distinct):
        if not arrow().types.is_dictionary(found.type):
            groups = found.value_counts()
            values, counts = groups.field("values"), groups.field("counts")
            valid = values.is_valid()
            n_rows: NDArray[np.int64] = counts.filter(valid).to_numpy()
            return values.filter(valid), n_rows
        found = distinct(found)
    return ranked(found)[:2]
