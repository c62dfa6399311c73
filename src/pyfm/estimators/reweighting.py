"""What classifiers do to their training rows before they learn them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyfm import _core
from pyfm.checks import check_fraction, check_real, refuse


@dataclass(frozen=True)
class Reweighting:
    """The classifiers' parameters of the same names, checked; the defaults leave rows alone."""

    class_weight: Mapping[Any, float] | str | None = None
    negative_sampling: float = 1.0
    label_smoothing: float = 0.0

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Reweighting:
        """Raises ValueError that names the parameter."""
        return cls(
            class_weight=_check_class_weight(params["class_weight"]),
            negative_sampling=check_fraction(
                "negative_sampling", params["negative_sampling"], one=True
            ),
            label_smoothing=check_fraction("label_smoothing", params["label_smoothing"], zero=True),
        )

    @property
    def prior_correction(self) -> float:
        """What sampling makes of the log-odds of a click, undone: He et al. 2014, section 6.3.

        Of the negatives a share r is kept, so a model of what is left gives odds p / (1 - p) that
        are 1/r times too high. Their q = p / (p + (1 - p) / r) has the odds r p / (1 - p), that is
        log-odds that differ by log r, whatever the row.
        """
        return math.log(self.negative_sampling)

    def apply(
        self, rows: _core.Dataset, classes: NDArray[Any], seed: int, *, weightless: bool = False
    ) -> _core.Dataset:
        """Rows with classes as targets, reweighted, sampled, smoothed; in the order of the data.

        Class weights come first, so that what "balanced" balances are the rows before sampling,
        whose prior the correction restores: sampling changes the cost and not the meaning.
        """
        if self.class_weight is not None:
            rows = rows.with_targets(rows.y, self._weights(rows, classes, weightless))
        if self.negative_sampling < 1:
            rows = rows.take(self._sample(rows, seed))
        if self.label_smoothing:
            assert rows.y is not None
            smooth = np.float32(self.label_smoothing)
            rows = rows.with_targets(rows.y * (1 - smooth) + smooth / 2, rows.weight)
        return rows

    def apply_to_piece(
        self, rows: _core.Dataset, classes: NDArray[Any], seed: int, n_before: int
    ) -> _core.Dataset:
        """What `apply` makes of rows that `n_before` others come before; "balanced" is resolved."""
        if self.class_weight is not None:
            rows = rows.with_targets(rows.y, self._weights(rows, classes, weightless=True))
        assert rows.y is not None
        if self.negative_sampling < 1:
            rows = rows.take(np.flatnonzero(self.keeps(rows.y, seed, n_before)))
        return replace(self, class_weight=None, negative_sampling=1.0).apply(rows, classes, seed)

    def keeps(self, y: _core.Floats, seed: int, n_before: int) -> NDArray[np.bool_]:
        """Which rows of targets 0 and 1 the sample holds: the positive, and some others."""
        generator = np.random.PCG64(seed)
        generator.advance(n_before)
        chosen = np.random.Generator(generator).random(len(y)) < self.negative_sampling
        return np.asarray(chosen | (y == 1))

    def apply_to_stream(
        self, rows: _core.Dataset, classes: NDArray[Any], seed: int, n_before: int
    ) -> tuple[_core.Dataset, _core.Dataset]:
        """Of rows that `n_before` others came before: the sample, and what is learned of it.

        Each row is sampled by a number of its own, so that it does not matter in which pieces rows
        arrive. In the sample, negative rows weigh as much as those that are left out.
        """
        if self.negative_sampling < 1:
            assert rows.y is not None
            rows = rows.take(np.flatnonzero(self.keeps(rows.y, seed, n_before)))
        if rows.n_rows == 0:
            return rows, rows
        sample = rows
        if self.negative_sampling < 1:
            assert rows.y is not None
            weight = np.where(rows.y == 0, 1 / self.negative_sampling, 1).astype(np.float32)
            weight *= 1 if rows.weight is None else rows.weight
            sample = rows.with_targets(rows.y, weight)
        others = replace(self, negative_sampling=1.0)
        return sample, others.apply(rows, classes, seed, weightless=True)

    def _weights(
        self, rows: _core.Dataset, classes: NDArray[Any], weightless: bool
    ) -> _core.Floats:
        assert rows.y is not None
        given = np.ones(rows.n_rows, np.float32) if rows.weight is None else rows.weight
        number = rows.y.astype(np.intp)
        if isinstance(self.class_weight, Mapping):
            factors = _of_classes(self.class_weight, classes)
        else:
            factors = balancing(
                [float(given[number == c].sum(dtype=np.float64)) for c in range(len(classes))]
            )
        with np.errstate(over="ignore"):
            weights: _core.Floats = (given * np.array(factors)[number]).astype(np.float32)
        if not np.isfinite(weights).all():
            refuse("class_weight", "weights that are finite in float32", self.class_weight)
        if not weightless and not weights.any():
            refuse("class_weight", "at least one row that keeps a weight > 0", self.class_weight)
        return weights

    def _sample(self, rows: _core.Dataset, seed: int) -> NDArray[np.int64]:
        """The positive rows, and of the negative ones a share."""
        assert rows.y is not None
        kept, negative = self.keeps(rows.y, seed, 0), rows.y == 0
        self.check_kept(int(negative.sum()), int((kept & negative).sum()))
        return np.flatnonzero(kept)

    def check_kept(self, n_negative: int, n_kept: int) -> None:
        """Raises ValueError where nothing is left of negative rows; with warm_start may be none."""
        if n_negative and not n_kept:
            refuse(
                "negative_sampling",
                f"a share that keeps some of the {n_negative} negative rows",
                self.negative_sampling,
            )


def balancing(totals: list[float]) -> list[float]:
    """The factors by which classes of these weights weigh the same."""
    if not all(totals):
        refuse("class_weight", "rows of weight > 0 of all classes to balance", totals)
    return [sum(totals) / (len(totals) * total) for total in totals]


def _check_class_weight(given: object) -> Mapping[Any, float] | str | None:
    if given is None or (isinstance(given, str) and given == "balanced"):
        return given
    if not isinstance(given, Mapping):
        refuse("class_weight", "a dict from labels to weights, 'balanced' or None", given)
    for label, weight in given.items():
        check_real(f"class_weight[{label!r}]", weight)
    return given


def _of_classes(given: Mapping[Any, float], classes: NDArray[Any]) -> list[float]:
    """Of the classes; 1 for one that is not named."""
    labels = classes.tolist()
    unknown = [label for label in given if label not in labels]
    if unknown:
        refuse("class_weight", f"weights of the classes {labels}", unknown[0])
    return [float(given.get(label, 1)) for label in labels]
