"""Scores and predictions of a model, with the prior correction that its training calls for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np

from pyfm import _core, blas


class Pieces(Protocol):
    """Rows that are not in memory."""

    def pieces(self) -> Iterator[_core.Dataset]:
        """All of them in their order."""


def scores(
    model: _core.Model, rows: _core.Dataset | Pieces, correction: float, n_threads: int
) -> _core.Floats:
    """Raw scores, shape (n_rows,), of several outputs (n_rows, n_outputs).

    `correction` is added to each.
    """
    if not isinstance(rows, _core.Dataset):
        found = [scores(model, piece, correction, n_threads) for piece in rows.pieces()]
        return np.concatenate([np.empty(_shape(model, 0), np.float32), *found])
    with blas.for_model(model):
        score = model.decision_function(rows, n_threads=n_threads)
    return score + np.float32(correction) if correction else score


def predictions(
    model: _core.Model, rows: _core.Dataset | Pieces, correction: float, n_threads: int
) -> _core.Doubles:
    """On the scale of the targets, shape (n_rows,); a correction is one of log-odds.

    Of several outputs probabilities of the classes, (n_rows, n_outputs).
    """
    if not isinstance(rows, _core.Dataset):
        found = [predictions(model, piece, correction, n_threads) for piece in rows.pieces()]
        return np.concatenate([np.empty(_shape(model, 0), np.float64), *found])
    if not correction:
        with blas.for_model(model):
            return model.predict(rows, n_threads=n_threads)
    return probabilities(scores(model, rows, correction, n_threads))


def probabilities(score: _core.Floats) -> _core.Doubles:
    """Of the log-odds, (n_rows,), or of the scores of several classes, (n_rows, n_classes)."""
    from scipy.special import expit, softmax

    exact = score.astype(np.float64)
    probability: _core.Doubles = expit(exact) if score.ndim == 1 else softmax(exact, axis=1)
    return probability


def _shape(model: _core.Model, n_rows: int) -> tuple[int, ...]:
    return (n_rows, model.n_outputs) if model.n_outputs > 1 else (n_rows,)
