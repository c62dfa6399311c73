"""Calls of `partial_fit`: progressive validation, their history, and where a stream stands."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from pyfm import _core, blas
from pyfm.checks import refuse
from pyfm.divergence import divergence
from pyfm.estimators.settings import Settings
from pyfm.metrics.registry import METRICS
from pyfm.optim import Optimizer
from pyfm.prediction import probabilities
from pyfm.schedules import Constant

# A history of single rows would outgrow the model: it holds the last calls.
MOST_RECORDS = 10_000


@dataclass(frozen=True)
class Stream:
    """Where a stream stands."""

    seed: int  # of initial values
    sample_seed: int
    n_rows: int = 0  # that were given
    n_calls: int = 0
    total: float = 0.0  # Σ weight × loss, of the progressive validation
    weight: float = 0.0

    @classmethod
    def start(cls, random_state: Any) -> Stream:
        """The seeds are those that `fit` would draw."""
        random = check_random_state(random_state)
        seed, _, sample_seed = (int(random.randint(2**31 - 1)) for _ in range(3))
        return cls(seed, sample_seed)

    def loss(self, metric: str) -> float:
        """The progressive validation of all rows; NaN while they weigh nothing."""
        return _mean(metric, self.total, self.weight)


def check_settings(settings: Settings) -> None:
    """Raises ValueError that names a parameter that means nothing in a stream."""
    if settings.early_stopping:
        refuse(
            "early_stopping",
            "False for partial_fit, which takes each row once: progressive validation shows "
            "whether the model still improves",
            True,
        )
    if not isinstance(settings.schedule, Constant):
        refuse(
            "learning_rate_schedule",
            "'constant' for partial_fit, since a stream has no epochs: set learning_rate between "
            "the calls",
            settings.schedule,
        )
    if settings.training.augmentation is not None:
        refuse(
            "augmentation",
            "None for partial_fit, which takes the rows as they come",
            settings.training.augmentation,
        )
    if settings.reweighting.class_weight == "balanced":
        refuse(
            "class_weight",
            "a dict or None for partial_fit, since the classes of a stream cannot be counted "
            "beforehand",
            "balanced",
        )


def learn(
    model: _core.Model,
    stream: Stream,
    settings: Settings,
    sample: _core.Dataset,
    rows: _core.Dataset,
    n_given: int,
) -> tuple[Stream, dict[str, float] | None]:
    """Learns the `rows` in their order; returns where the stream stands, and a record.

    `sample` are the same rows with the targets and weights that predictions are judged by. There
    is no record of rows that weigh nothing.
    """
    after = replace(stream, n_rows=stream.n_rows + n_given)
    options = settings.training
    with blas.for_model(model):
        scores, stats = model.learn(
            rows, n_threads=options.n_threads, batch_size=options.batch_size
        )
    rates = _learning_rates(options.optimizers)
    if not stats.finite:
        where = (
            f"call {stream.n_calls + 1} of partial_fit (rows {stream.n_rows} to "
            f"{after.n_rows - 1} of the stream)"
        )
        left = (
            "the model is what it was before the call"
            if stats.undone
            else "the model, of which no copy is kept since the call touches too much of it, is "
            "broken"
        )
        raise divergence(
            f"scores or weights are no longer finite, and {left}",
            where,
            max(rates.values()),
            rows,
            normalize=options.normalize,
            has_classes=options.loss == "logloss",
        )
    total, weight = _losses(options.loss, sample, scores, options.prior_correction)
    if weight == 0:
        return after, None
    after = replace(
        after, n_calls=after.n_calls + 1, total=after.total + total, weight=after.weight + weight
    )
    record = {
        "call": after.n_calls,
        "n_rows": n_given,
        **rates,
        f"progressive_{options.loss}": _mean(options.loss, total, weight),
        "seconds": stats.seconds,
        "rows_per_second": rows.n_rows / max(stats.seconds, 1e-9),
    }
    return after, record


def extend(history: dict[str, list[float]], record: dict[str, float]) -> dict[str, list[float]]:
    """The history with one record more; a new one after `fit`, or where columns are others."""
    if list(history) != list(record):
        return {name: [value] for name, value in record.items()}
    for name, value in record.items():
        history[name].append(value)
        del history[name][:-MOST_RECORDS]
    return history


def _losses(
    metric: str, sample: _core.Dataset, scores: _core.Floats, prior_correction: float
) -> tuple[float, float]:
    """Σ weight × loss and Σ weight."""
    weight = sample.n_rows if sample.weight is None else sample.weight.sum(dtype=np.float64)
    if weight == 0:
        return 0.0, 0.0
    assert sample.y is not None
    if metric == "rmse":
        value = METRICS[metric](sample.y, scores.astype(np.float64), sample.weight) ** 2
    else:
        probability = probabilities(scores + np.float32(prior_correction))
        value = METRICS[metric](sample.y, probability, sample.weight)
    return value * float(weight), float(weight)


def _mean(metric: str, total: float, weight: float) -> float:
    if weight == 0:
        return math.nan
    return math.sqrt(total / weight) if metric == "rmse" else total / weight


def _learning_rates(optimizers: Mapping[str, Optimizer]) -> dict[str, float]:
    """Columns of the history, as those of epochs."""
    if len(set(optimizers.values())) == 1:
        return {"learning_rate": next(iter(optimizers.values())).learning_rate}
    return {f"learning_rate_{part}": of.learning_rate for part, of in optimizers.items()}
