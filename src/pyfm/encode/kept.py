"""Codes of rows that `fit` keeps, so that `fit_transform` looks no value up twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyfm.encode.ids import Blocks
from pyfm.encode.tables import Batch


def packed(of_place: NDArray[Any], places: NDArray[Any]) -> NDArray[Any]:
    """The number of each row by its place, in the smallest type that holds them."""
    narrow = of_place.astype(np.min_scalar_type(int(of_place.max())))
    found: NDArray[Any] = narrow[places]
    return found


@dataclass
class Codes:
    """Of one field, batch by batch, in the smallest type that holds them: 1, 2 or 4 bytes a row.

    What is kept are numbers of values, and `code_of` has their codes once these are known; where it
    is None, they are the codes.
    """

    batches: list[NDArray[Any]] = field(default_factory=list)
    code_of: NDArray[np.int64] | None = None

    def add(self, of_place: NDArray[Any], places: NDArray[Any]) -> None:
        """Rows by places, the numbers of whose values are given."""
        self.batches.append(packed(of_place, places))


class KeptRows:
    """The codes of fields by name, and what remains to be known of them, their ids."""

    def __init__(self) -> None:
        self.codes: dict[str, Codes] = {}
        self._ids: dict[str, NDArray[np.uint32]] = {}

    def __contains__(self, name: str) -> bool:
        return name in self.codes

    @property
    def n_rows(self) -> list[int]:
        """Of each batch."""
        return [len(batch) for codes in [*self.codes.values()][:1] for batch in codes.batches]

    def batches(self) -> Iterator[Batch]:
        """The batches without any columns."""
        first_row = 0
        for n_rows in self.n_rows:
            yield Batch({}, first_row, n_rows, {})
            first_row += n_rows

    def ids(self, name: str, blocks: Blocks, batch: int) -> NDArray[np.uint32]:
        codes = self.codes[name]
        kept = codes.batches[batch]
        if codes.code_of is None:
            return blocks.ids(kept)
        if name not in self._ids:
            self._ids[name] = blocks.ids(codes.code_of)
        ids: NDArray[np.uint32] = self._ids[name][kept]
        return ids

    def release(self, batch: int) -> None:
        """Lets go of what is not asked for any more."""
        for codes in self.codes.values():
            codes.batches[batch] = codes.batches[batch][:0].copy()
