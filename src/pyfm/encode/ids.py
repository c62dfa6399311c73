"""From the codes of a field, which count from 0, to feature ids: blocks that are never moved."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyfm.checks import check_int, refuse

MAX_FEATURES = 1 << 32


@dataclass(frozen=True)
class Blocks:
    """Runs of ids, (first, length), in the order of the codes."""

    runs: tuple[tuple[int, int], ...] = ()

    @cached_property
    def size(self) -> int:
        return sum(length for _, length in self.runs)

    def grown(self, name: str, size: int, n_features: int) -> tuple[Blocks, int]:
        """With ids for codes below `size`, the new ones from `n_features` on, and the new end."""
        more = size - self.size
        if more == 0:
            return self, n_features
        end = n_features + more
        if end > MAX_FEATURES:
            raise ValueError(
                f"column {name!r}: expected at most {MAX_FEATURES} features in all, found {end}: "
                "give its kind a min_count or max_size, or fewer n_bits"
            )
        runs = self.runs
        if runs and sum(runs[-1]) == n_features:
            return Blocks((*runs[:-1], (runs[-1][0], runs[-1][1] + more))), end
        return Blocks((*runs, (n_features, more))), end

    def extends(self, earlier: Blocks) -> bool:
        """Whether the codes of earlier blocks have the same ids."""
        if not earlier.runs:
            return True
        (first, length), n = earlier.runs[-1], len(earlier.runs)
        if len(self.runs) < n or self.runs[: n - 1] != earlier.runs[:-1]:
            return False
        return self.runs[n - 1][0] == first and self.runs[n - 1][1] >= length

    @cached_property
    def _starts(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """First code of each run, and what to add to its codes."""
        first = np.array([run[0] for run in self.runs], np.int64)
        lengths = np.array([run[1] for run in self.runs], np.int64)
        codes = np.cumsum(lengths) - lengths
        return codes, first - codes

    def ids(self, codes: NDArray[Any]) -> NDArray[np.uint32]:
        starts, shifts = self._starts
        if len(starts) == 1:
            return np.asarray(codes + shifts[0], np.uint32)
        run = np.searchsorted(starts, codes, side="right") - 1
        return np.asarray(codes + shifts[run], np.uint32)

    def codes(self, ids: NDArray[Any]) -> NDArray[np.int64]:
        """The codes of ids; -1 of those that belong to other fields."""
        ids = ids.astype(np.int64)
        found = np.full(len(ids), -1, np.int64)
        for (first, length), code in zip(self.runs, self._starts[0].tolist(), strict=True):
            inside = (ids >= first) & (ids < first + length)
            found[inside] = ids[inside] - first + code
        return found

    @classmethod
    def from_json(cls, given: Any) -> Blocks:
        if not isinstance(given, list) or not given:
            refuse("blocks", "a list of runs", type(given).__name__)
        for run in given:
            if not isinstance(run, list) or len(run) != 2:
                refuse("blocks", "pairs of first id and length", run)
            check_int("blocks", run[0], 0, MAX_FEATURES)
            check_int("blocks", run[1], 1, MAX_FEATURES - run[0])
        return cls(tuple((first, length) for first, length in given))


def check_disjoint(blocks: list[Blocks], n_features: int) -> None:
    """Raises ValueError unless each id below `n_features` has exactly one field."""
    end = 0
    for first, length in sorted(run for each in blocks for run in each.runs):
        if first != end:
            refuse("blocks", f"a run from id {end} on", first)
        end += length
    if end != n_features:
        refuse("blocks", f"{n_features} ids together", end)
