"""The training loop: passes over the rows, validation, early stopping, a history. No algorithm."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from pyfm import _core
from pyfm.metrics.registry import METRICS
from pyfm.prediction import predictions
from pyfm.progress import Progress

# An interrupted pass is undone where the copy of the weights that this takes is small (64 MiB).
_CHEAP_SNAPSHOT = 64 * 2**20


@dataclass(frozen=True)
class TrainingOptions:
    """How to train; the estimators' parameters of the same names, checked."""

    loss: str  # the metric that belongs to the model's loss: "logloss" or "rmse"
    metric: str
    epochs: int
    n_threads: int
    early_stopping: bool
    n_iter_no_change: int
    tol: float
    prior_correction: float = 0.0  # of the scores, see `pyfm.prediction`

    @property
    def valid_metrics(self) -> tuple[str, ...]:
        """What is computed on the validation set after each epoch."""
        return tuple(dict.fromkeys((self.loss, self.metric)))


class Training:
    """One fit of `model` on `train`.

    Early stopping takes a copy of the weights at each new best epoch and restores the best one at
    the end. An exception leaves the best epoch's weights likewise; without early stopping, those
    of the last finished epoch if the weights are small, else what the broken pass made of them.
    """

    def __init__(
        self,
        model: _core.Model,
        options: TrainingOptions,
        train: _core.Dataset,
        valid: _core.Dataset | None,
        progress: Progress,
    ) -> None:
        self.model = model
        self.options = options
        self.records: list[dict[str, float]] = []  # one per finished epoch
        self.best_epoch = 0  # counted from 1
        self._train = train
        self._valid = valid
        self._progress = progress
        self._best_value = math.nan
        self._best: _core.Snapshot | None = None
        self._last: _core.Snapshot | None = None

    @property
    def history(self) -> dict[str, list[float]]:
        """The records as columns of equal length."""
        names = self.records[0] if self.records else {}
        return {name: [record[name] for record in self.records] for name in names}

    def run(self) -> None:
        """Trains until the epochs are over or validation no longer improves."""
        try:
            with self._progress:
                self.model.initialize(self._train, n_threads=self.options.n_threads)
                while len(self.records) < self.options.epochs and not self._exhausted():
                    self._epoch()
        except BaseException:
            self._restore(self._best or self._last)
            raise
        self._restore(self._best)

    def _exhausted(self) -> bool:
        patience = self.options.n_iter_no_change
        return self.options.early_stopping and len(self.records) - self.best_epoch >= patience

    def _epoch(self) -> None:
        record = self._pass()
        if self._valid is not None:
            record |= self._validate(self._valid)
        self.records.append(record)
        improved = self._improved(record)
        if improved:
            self.best_epoch = len(self.records)
        self._keep(improved)
        self._progress.end_epoch(record)

    def _pass(self) -> dict[str, float]:
        epoch = len(self.records)
        self._progress.start_epoch(epoch + 1)
        stats = self.model.train_epoch(
            self._train,
            epoch=epoch,
            shuffle=True,
            n_threads=self.options.n_threads,
            poll=self._progress.rows,
        )
        if not math.isfinite(stats.loss):
            raise ValueError(
                f"training diverged: the loss of epoch {epoch + 1} is {stats.loss}; use a smaller "
                "learning_rate, normalize=True, or scale the feature values (and, in "
                "regression, the targets) to about 1"
            )
        return {
            "epoch": epoch + 1,
            f"train_{self.options.loss}": self._mean_loss(stats.loss),
            "seconds": stats.seconds,
            "rows_per_second": self._train.n_rows / max(stats.seconds, 1e-9),
        }

    def _mean_loss(self, loss: float) -> float:
        # The squared loss is (s - y)² / 2.
        return math.sqrt(2 * loss) if self.options.loss == "rmse" else loss

    def _validate(self, valid: _core.Dataset) -> dict[str, float]:
        assert valid.y is not None
        start = time.perf_counter()
        prediction = predictions(
            self.model, valid, self.options.prior_correction, self.options.n_threads
        )
        values = {
            f"valid_{name}": METRICS[name].value(valid.y, prediction, valid.weight)
            for name in self.options.valid_metrics
        }
        return values | {"valid_seconds": time.perf_counter() - start}

    def _improved(self, record: dict[str, float]) -> bool:
        if self._valid is None:
            return True
        metric = METRICS[self.options.metric]
        value = metric.goodness(record[f"valid_{metric.name}"])
        if self.best_epoch and not value > self._best_value + self.options.tol:
            return False
        self._best_value = value
        return True

    def _keep(self, improved: bool) -> None:
        if self.options.early_stopping:
            if improved:
                self._best = self._saved(self._best)
        elif self.model.weight_nbytes <= _CHEAP_SNAPSHOT:
            self._last = self._saved(self._last)

    def _saved(self, snapshot: _core.Snapshot | None) -> _core.Snapshot:
        snapshot = snapshot or _core.Snapshot()
        self.model.save(snapshot)
        return snapshot

    def _restore(self, snapshot: _core.Snapshot | None) -> None:
        if snapshot is not None:
            self.model.restore(snapshot)
