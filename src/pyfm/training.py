"""The training loop: passes over the rows, evaluations, callbacks. No algorithm."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Protocol, cast

from pyfm import _core, blas
from pyfm.augmentation import Augmentation
from pyfm.callbacks.base import Callback, CallbackEnv, Evaluation
from pyfm.callbacks.stopping import BestEpoch, EarlyStopping
from pyfm.checks import refuse
from pyfm.divergence import divergence
from pyfm.metrics.registry import METRICS
from pyfm.optim import Optimizer
from pyfm.prediction import Pieces, predictions
from pyfm.progress import Origin, Progress, Resumption
from pyfm.training_rows import PassOptions, TrainingRows

# An interrupted pass is undone where the copy of the weights that this takes is small (64 MiB).
_CHEAP_SNAPSHOT = 64 * 2**20


@dataclass(frozen=True)
class TrainingOptions:
    """How to train; the estimators' parameters of the same names, checked."""

    loss: str  # the metric that belongs to the model's loss: "logloss" or "rmse"
    metrics: tuple[str, ...]  # the first is what early stopping goes by
    optimizers: Mapping[str, Optimizer]  # of the model's parts that are not frozen
    normalize: bool
    epochs: int
    n_threads: int
    batch_size: int = 1  # 0: all rows
    prior_correction: float = 0.0  # of the scores, see `pyfm.prediction`
    augmentation: Augmentation | None = None

    @property
    def valid_metrics(self) -> tuple[str, ...]:
        """What is computed on each evaluation set after each epoch."""
        return tuple(dict.fromkeys((*self.metrics, self.loss)))


class EvaluationPieces(Pieces, Protocol):
    """Rows with targets that are read in pieces."""

    @property
    def n_rows(self) -> int: ...
    @property
    def y(self) -> _core.Floats | None: ...
    @property
    def weight(self) -> _core.Floats | None: ...


EvaluationRows = _core.Dataset | EvaluationPieces


@dataclass(frozen=True)
class TrainingData:
    """The rows to learn from, and those to evaluate on, by name."""

    train: TrainingRows
    valid: Mapping[str, EvaluationRows]
    origin: Origin


class Training:
    """One fit of `model`.

    An exception leaves the weights of the last finished epoch if they are small, else what the
    broken pass made of them; early stopping brings back the best epoch in any case.
    """

    def __init__(
        self,
        model: _core.Model,
        options: TrainingOptions,
        data: TrainingData,
        callbacks: Sequence[Callback],
        view: Callable[[Training], Any],
        epochs_before: int = 0,
        resumed: Resumption | None = None,
    ) -> None:
        self.records: list[dict[str, float]] = []  # one per finished epoch
        self._model = model
        self._optimizers = dict(options.optimizers)
        self._has_one = len(set(self._optimizers.values())) == 1
        self._options = options
        self._augmentation = options.augmentation.core() if options.augmentation else None
        self._data = data
        self._view = view
        self._resumed = resumed
        self._before = self._epoch = epochs_before
        self._evaluations = _evaluations(options, data)
        self._stopping = next((c for c in callbacks if isinstance(c, EarlyStopping)), None)
        self._best = self._stopping or BestEpoch()
        # The best epoch is known, and its weights are safe, whatever other callbacks do.
        others = [callback for callback in callbacks if callback is not self._best]
        self._callbacks = [self._best, *sorted(others, key=lambda callback: callback.order)]
        self._last: _core.Snapshot | None = None
        self._interrupted = False

    @property
    def history(self) -> dict[str, list[float]]:
        """The records as columns of equal length."""
        names = self.records[0] if self.records else {}
        return {name: [record[name] for record in self.records] for name in names}

    @property
    def best_epoch(self) -> int:
        """Counted from 1; 0 before the first epoch is over."""
        return self._best.best_epoch

    @property
    def is_usable(self) -> bool:
        """Whether the model is that of a finished epoch, or close to it."""
        finished = bool(self.records) and self.best_epoch > 0
        return finished and (not self._interrupted or self._is_finite())

    def _is_finite(self) -> bool:
        return self._model.is_finite(n_threads=self._options.n_threads)

    @property
    def is_resumable(self) -> bool:
        """Whether the optimizer's state belongs to the weights, so that training can go on."""
        return not self._interrupted and not self._goes_back

    @property
    def _goes_back(self) -> bool:
        """Whether early stopping would restore an epoch before the last one."""
        return self._stopping is not None and 0 < self.best_epoch < self._epoch

    @property
    def _progress(self) -> Progress:
        best = self._stopping.snapshot if self._stopping and self._goes_back else None
        return Progress(self._data.origin, dict(self._optimizers), best)

    def run(self) -> None:
        """Trains until the epochs are over or a callback ends it."""
        started: list[Callback] = []
        try:
            for callback in self._callbacks:
                callback.before_training(self._env(self._epoch + 1))
                started.append(callback)
            stopped = self._resumed is not None and self._resume(self._resumed)
            with blas.for_model(self._model):
                self._run(stopped)
        finally:
            with contextlib.ExitStack() as ending:  # all are called, whatever one of them raises
                for callback in reversed(started):
                    ending.callback(callback.after_training, self._env(self._epoch))

    def _resume(self, resumed: Resumption) -> bool:
        """Tells the callbacks of the epochs that are over; whether the last one was the end."""
        expected = [e.column for e in self._evaluations]
        if expected != resumed.evaluations:
            refuse("eval_set", f"{resumed.evaluations}, as in {resumed.path!r}", expected)
        answers: list[bool | None] = []
        for record in resumed.records:
            self.records.append(record)
            self._epoch = int(record["epoch"])
            self._evaluations = tuple(replace(e, value=record[e.column]) for e in self._evaluations)
            env = self._env(self._epoch)
            answers = [callback.replay(env) for callback in self._callbacks]
        best, goes_back = resumed.progress.best, self._goes_back
        if self.best_epoch != resumed.best_epoch or goes_back != (best is not None):
            self.records.clear()  # of no use
            refuse("callbacks", f"the early stopping of {resumed.path!r}", "another or none")
        if self._stopping is not None:
            self._stopping.remember(best, self._env(self._epoch))
        for part, optimizer in resumed.progress.optimizers.items():
            self._optimizers[part] = optimizer
            self._model.set_optimizer(part, optimizer.core())
        return any(answers)

    def _run(self, stopped: bool) -> None:
        if self._epoch:  # the weights of an earlier fit, which the first pass may break
            self._last = self._saved()
        try:
            n_epochs = self._before + self._options.epochs - self._epoch
            self._data.train.initialize(
                self._model, n_epochs, self._options.n_threads, self._augmentation
            )
            while not stopped and self._epoch < self._before + self._options.epochs:
                stopped = self._run_epoch(self._epoch + 1)
        except BaseException:
            self._interrupted = True
            if self._last is not None:
                self._model.restore(self._last)
            raise

    def _run_epoch(self, epoch: int) -> bool:
        """Whether it shall be the last one."""
        for callback in self._callbacks:
            self._set_optimizer(callback.before_epoch(self._env(epoch)))
        record = self._pass(epoch)
        evaluations = self._evaluate(record)
        self._check(evaluations, epoch)
        self._last = self._saved() if self._undoes else None
        self.records.append(record)
        self._evaluations, self._epoch = evaluations, epoch
        env = self._env(epoch)
        answers = [_stops(callback, env) for callback in self._callbacks]  # all are called
        return any(answers)

    def _pass(self, epoch: int) -> dict[str, float]:
        options: PassOptions = {
            "epoch": epoch - 1,
            "n_threads": self._options.n_threads,
            "poll": self._poll(),
            "batch_size": self._options.batch_size,
            "augmentation": self._augmentation,
        }
        stats = self._data.train.train_epoch(self._model, options)
        # The squared loss is (s - y)² / 2.
        loss = math.sqrt(2 * stats.loss) if self._options.loss == "rmse" else stats.loss
        return {
            "epoch": epoch,
            **self._learning_rates(),
            f"train_{self._options.loss}": loss,
            "seconds": stats.seconds,
            "rows_per_second": self._data.train.n_rows / max(stats.seconds, 1e-9),
        }

    def _poll(self) -> Callable[[int], None] | None:
        interested = [c for c in self._callbacks if type(c).after_rows is not Callback.after_rows]
        if not interested:
            return None

        def poll(n_rows: int) -> None:
            for callback in interested:
                callback.after_rows(n_rows)

        return poll

    def _evaluate(self, record: dict[str, float]) -> tuple[Evaluation, ...]:
        """The values of this epoch; they go into its record, too."""
        start = time.perf_counter()
        for name, data in self._data.valid.items():
            assert data.y is not None
            prediction = predictions(
                self._model, data, self._options.prior_correction, self._options.n_threads
            )
            for metric in self._options.valid_metrics:
                value = METRICS[metric](data.y, prediction, data.weight)
                record[f"{name}_{metric}"] = value
        if self._data.valid:
            record["valid_seconds"] = time.perf_counter() - start
        return tuple(replace(e, value=record[e.column]) for e in self._evaluations)

    def _check(self, evaluations: Sequence[Evaluation], epoch: int) -> None:
        broken = [f"{e.column} is {e.value}" for e in evaluations if not math.isfinite(e.value)]
        if not broken and not self._is_finite():
            broken = ["weights are no longer finite"]
        if broken:
            raise divergence(
                broken[0],
                f"epoch {epoch}",
                max(self._learning_rates().values()),
                self._data.train.sample,
                normalize=self._options.normalize,
                has_classes=self._options.loss == "logloss",
            )

    @property
    def _undoes(self) -> bool:
        """Whether each epoch leaves a copy; with early stopping there is that of the best one."""
        return self._stopping is None and self._model.weight_nbytes <= _CHEAP_SNAPSHOT

    def _saved(self) -> _core.Snapshot:
        snapshot = self._last or _core.Snapshot()
        self._model.save(snapshot)
        return snapshot

    @property
    def _optimizer(self) -> Optimizer | Mapping[str, Optimizer]:
        """As callbacks see it: one for all parts, or one for each."""
        if self._has_one:
            return next(iter(self._optimizers.values()))
        return MappingProxyType(dict(self._optimizers))

    def _learning_rates(self) -> dict[str, float]:
        """Columns of the history."""
        if isinstance(one := self._optimizer, Optimizer):
            return {"learning_rate": one.learning_rate}
        return {f"learning_rate_{part}": of.learning_rate for part, of in self._optimizers.items()}

    def _set_optimizer(self, changed: Optimizer | Mapping[str, Optimizer] | None) -> None:
        if changed is None:
            return
        if self._has_one:
            changed = dict.fromkeys(self._optimizers, cast(Optimizer, changed))  # checked below
        elif not isinstance(changed, Mapping) or set(changed) != set(self._optimizers):
            parts = " and ".join(self._optimizers)
            refuse("before_epoch", f"None, or a mapping with optimizers of {parts}", changed)
        for part, before in self._optimizers.items():
            optimizer = changed[part]
            if optimizer == before:
                continue
            if not before.may_become(optimizer):
                expected = f"None, or the {type(before).__name__} of before, {before.stays()}"
                refuse("before_epoch", expected, optimizer)
            self._optimizers[part] = optimizer
            self._model.set_optimizer(part, optimizer.core())

    def _env(self, epoch: int) -> CallbackEnv:
        return CallbackEnv(
            epoch=epoch,
            n_epochs=self._before + self._options.epochs,
            n_rows=self._data.train.n_rows,
            optimizer=self._optimizer,
            evaluations=self._evaluations,
            record=MappingProxyType(self.records[-1] if self.records else {}),
            core_model=self._model,
            make_model=lambda: self._view(self),
            make_progress=lambda: self._progress,
        )


def _evaluations(options: TrainingOptions, data: TrainingData) -> tuple[Evaluation, ...]:
    pairs = [("train", options.loss)]
    pairs += [(name, metric) for name in data.valid for metric in options.valid_metrics]
    return tuple(Evaluation(name, metric) for name, metric in pairs)


def _stops(callback: Callback, env: CallbackEnv) -> bool:
    answer = callback.after_epoch(env)
    if answer is not None and type(answer).__name__ not in ("bool", "bool_"):
        found = f"{answer!r} of {callback!r}"
        raise TypeError(f"callbacks: expected None, True or False from after_epoch, found {found}")
    return bool(answer)
