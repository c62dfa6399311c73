"""Oracle of several classes: a model of `reference.py` for each, joined by the softmax loss."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from reference import Array, Reference, Row


def softmax_loss(scores: Array, y: float) -> float:
    return float(np.log(np.sum(np.exp(scores))) - scores[int(y)])


def softmax_slopes(scores: Array, y: float) -> Array:
    """d loss / d score: p_c - [c = y]."""
    slopes: Array = np.exp(scores) / np.sum(np.exp(scores))
    slopes[int(y)] -= 1
    return slopes


class SoftmaxReference:
    """Scores and training of models of one class each; y is the number of the class."""

    def __init__(self, classes: Sequence[Reference]) -> None:
        self.classes = classes

    def scores(self, row: Row) -> Array:
        return np.array([of_class.score(row) for of_class in self.classes])

    def update(self, row: Row, y: float, weight: float = 1.0) -> float:
        """One step along the row's gradient; returns the loss before it."""
        scores = self.scores(row)
        for of_class, slope in zip(self.classes, softmax_slopes(scores, y), strict=True):
            of_class.step(row, weight * float(slope))
        return softmax_loss(scores, y)

    def update_batch(
        self, rows: Sequence[Row], y: Sequence[float], weight: Sequence[float]
    ) -> list[float]:
        """One step along the weighted mean of the rows' gradients; returns the losses before it."""
        scores = [self.scores(row) for row in rows]
        share = 1 / sum(weight) if sum(weight) > 0 else 0.0
        slopes = np.array(
            [w * share * softmax_slopes(s, t) for w, s, t in zip(weight, scores, y, strict=True)]
        )
        for c, of_class in enumerate(self.classes):
            of_class.step_batch(rows, slopes[:, c].tolist())
        return [softmax_loss(s, t) for s, t in zip(scores, y, strict=True)]
