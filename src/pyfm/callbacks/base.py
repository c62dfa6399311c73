"""What a callback is, and what it is told."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pyfm import _core
from pyfm.metrics.registry import METRICS
from pyfm.optim import Optimizer
from pyfm.progress import Progress


@dataclass(frozen=True)
class Evaluation:
    """A metric on one set of rows.

    Attributes
    ----------
    data : str
        "train" (the rows of the epoch, each taken just before its own update), "valid", or the name
        in ``eval_set``.
    metric : str
        Its name.
    value : float
        Of the last finished epoch; NaN before there is one.
    """

    data: str
    metric: str
    value: float = math.nan

    @property
    def goodness(self) -> float:
        """The greater, the better: the value; -value of losses; -|value - 1| of calibration."""
        return METRICS[self.metric].goodness(self.value)

    @property
    def column(self) -> str:
        """Its name in the history, as in "valid_logloss"."""
        return f"{self.data}_{self.metric}"


@dataclass(frozen=True)
class CallbackEnv:
    """What a callback sees of a training: immutable, and right for the moment of the call.

    Attributes
    ----------
    epoch : int
        The epoch that begins or has just ended, from 1 (``warm_start`` counts on).
    n_epochs : int
        The last epoch, unless something stops the training earlier.
    n_rows : int
        Rows of an epoch.
    optimizer : Optimizer, or mapping from "linear" and "factors" to them
        With the parameters of this epoch.
    evaluations : tuple of Evaluation
        First that of the training rows, then those of each evaluation set. The first of the first
        evaluation set is what early stopping goes by if it is not told otherwise.
    record : mapping of str to float
        The entry of the history of the last finished epoch, read-only; empty before there is one.
    """

    epoch: int
    n_epochs: int
    n_rows: int
    optimizer: Optimizer | Mapping[str, Optimizer]
    evaluations: tuple[Evaluation, ...]
    record: Mapping[str, float]
    # For this library's own callbacks.
    core_model: _core.Model = field(repr=False)
    make_model: Callable[[], Any] = field(repr=False)
    make_progress: Callable[[], Progress] = field(repr=False)

    @property
    def model(self) -> Any:
        """The estimator as it would be if the training ended now: to predict with, or to save.

        It is a new object at each access, not the one that `fit` was called of; before the first
        epoch is over it is not fitted. It shares the weights of the training and follows them, so
        do not keep it: save it, or copy it with `copy.deepcopy`.
        """
        return self.make_model()


class Callback:
    """Base of callbacks with more to do than a function after each epoch.

    Override what is needed. An object may serve several fits, one after the other; what it
    remembers starts anew in `before_training`.

    Attributes
    ----------
    order : int, default=0
        Callbacks of lower order are called first.

    Examples
    --------
    Warm up the learning rate, and stop after ten minutes:

    >>> import time
    >>> from dataclasses import replace
    >>> import pyfm
    >>> class WarmUp(pyfm.callbacks.Callback):
    ...     def before_training(self, env):
    ...         self.rate, self.start = env.optimizer.learning_rate, time.monotonic()
    ...     def before_epoch(self, env):
    ...         return replace(env.optimizer, learning_rate=self.rate * min(1, env.epoch / 3))
    ...     def after_epoch(self, env):
    ...         return time.monotonic() - self.start > 600
    >>> model = pyfm.LinearClassifier(learning_rate=0.3, epochs=4)
    >>> _ = model.fit([[0, 2], [1, 2]] * 4, [0, 1] * 4, callbacks=[WarmUp()])
    >>> [round(rate, 3) for rate in model.history_["learning_rate"]]
    [0.1, 0.2, 0.3, 0.3]
    """

    order: int = 0

    def before_training(self, env: CallbackEnv) -> None:
        """Called once, before the first epoch: the place to check parameters."""

    def replay(self, env: CallbackEnv) -> bool | None:
        """Called after `before_training` for each epoch that ``fit(…, resume_from=…)`` skips.

        The place to bring back what the callback remembers of them. ``env.evaluations`` and
        ``env.record`` are those of the epoch, ``env.optimizer`` and ``env.model`` are not.

        Returns
        -------
        bool or None
            What `after_epoch` said: True, of the last of them, ends the training.
        """
        return None

    def before_epoch(self, env: CallbackEnv) -> Optimizer | Mapping[str, Optimizer] | None:
        """Called before each epoch.

        Returns
        -------
        Optimizer or None
            Other parameters from this epoch on: ``dataclasses.replace(env.optimizer, …)``. The
            state that the optimizer keeps for the weights stays. None changes nothing.
        """
        return None

    def after_rows(self, n_rows: int) -> None:
        """Called about ten times a second during an epoch, with the rows done in it."""

    def after_epoch(self, env: CallbackEnv) -> bool | None:
        """Called after each epoch; True ends the training, when the other callbacks are through."""
        return None

    def after_training(self, env: CallbackEnv) -> None:
        """Called once after the last epoch, also after an exception, to give back what is held."""


class FunctionCallback(Callback):
    """A plain function, called after each epoch."""

    def __init__(self, function: Callable[[CallbackEnv], bool | None]) -> None:
        self.function = function
        self.order = getattr(function, "order", 0)

    def after_epoch(self, env: CallbackEnv) -> bool | None:
        return self.function(env)
