"""The rows that a fit learns from, in memory; those of streams are in data_stream/training.py."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, TypedDict

from pyfm import _core
from pyfm.augmentation import Augmentation
from pyfm.progress import Origin

Poll = Callable[[int], object] | None


class Pass(NamedTuple):
    """What one epoch tells."""

    loss: float  # weighted mean, of the model's loss
    seconds: float


class PassOptions(TypedDict):
    """Of one epoch, as the core takes them; epochs count from 0."""

    epoch: int
    n_threads: int
    poll: Poll
    batch_size: int
    augmentation: _core.Augmentation | None


class TrainingRows(Protocol):
    """Rows with targets, whether they are in memory or not."""

    @property
    def n_rows(self) -> int: ...
    @property
    def n_features(self) -> int: ...
    @property
    def n_fields(self) -> int: ...
    @property
    def sample(self) -> _core.Dataset:
        """Some or all rows, to look for what makes a training diverge."""

    def origin(self, split_seed: int, sample_seed: int) -> Origin:
        """Where these rows come from."""

    def initialize(
        self,
        model: _core.Model,
        n_epochs: int,
        n_threads: int,
        augmentation: _core.Augmentation | None,
    ) -> None:
        """Gives rows with initial weights to the features; so many epochs follow."""

    def train_epoch(self, model: _core.Model, options: PassOptions) -> Pass:
        """One pass over the rows, shuffled."""

    def check(self, augmentation: Augmentation, n_features: int, n_fields: int) -> None:
        """Raises ValueError where it does not suit the rows and a model of such sizes."""


@dataclass
class HeldRows:
    """A data set in memory."""

    data: _core.Dataset
    _numbered: _core.NumberedRows | None = field(default=None, init=False, repr=False)
    _numbers_pay: bool = field(default=False, init=False, repr=False)

    @property
    def n_rows(self) -> int:
        return self.data.n_rows

    @property
    def n_features(self) -> int:
        return self.data.n_features

    @property
    def n_fields(self) -> int:
        return self.data.n_fields

    @property
    def sample(self) -> _core.Dataset:
        return self.data

    def origin(self, split_seed: int, sample_seed: int) -> Origin:
        return Origin.of(self.data, split_seed, sample_seed)

    def initialize(
        self,
        model: _core.Model,
        n_epochs: int,
        n_threads: int,
        augmentation: _core.Augmentation | None,
    ) -> None:
        model.initialize(self.data, n_threads=n_threads, augmentation=augmentation)
        self._numbered = None
        self._numbers_pay = n_epochs > 1 and augmentation is None

    def train_epoch(self, model: _core.Model, options: PassOptions) -> Pass:
        start = time.perf_counter()
        if self._numbers_pay:
            self._numbered = model.number_rows(self.data, n_threads=options["n_threads"])
            self._numbers_pay = False
        seconds = time.perf_counter() - start
        stats = model.train_epoch(self.data, shuffle=True, numbered=self._numbered, **options)
        return Pass(stats.loss, seconds + stats.seconds)

    def check(self, augmentation: Augmentation, n_features: int, n_fields: int) -> None:
        augmentation.core().check(self.data, n_features=n_features, n_fields=n_fields)
