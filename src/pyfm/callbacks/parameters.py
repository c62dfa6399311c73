"""Parameters of the optimizer that change from epoch to epoch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from numpy.typing import NDArray

from pyfm.callbacks.base import Callback, CallbackEnv
from pyfm.callbacks.monitor import Monitor, find_evaluation
from pyfm.checks import refuse
from pyfm.optim import SMALLEST, Optimizer
from pyfm.schedules import Constant, EpochSchedule, ReduceOnPlateau, Schedule

# A function of the number of the epoch, or a value for each epoch.
Values = Callable[[int], float] | Sequence[float] | NDArray[Any]

# One for all parts of the model, or one for each.
Optimizers = Optimizer | Mapping[str, Optimizer]

_EARLY = -10  # so that the other callbacks see the parameters of the epoch


def _by_part(optimizers: Optimizers) -> Mapping[str, Optimizer]:
    return {"": optimizers} if isinstance(optimizers, Optimizer) else optimizers


def _each(optimizers: Optimizers, change: Callable[[str, Optimizer], Optimizer]) -> Optimizers:
    """All of them changed; `change` is told the part, "" where one serves all."""
    if isinstance(optimizers, Optimizer):
        return change("", optimizers)
    return {part: change(part, optimizer) for part, optimizer in optimizers.items()}


class Reset(Callback):
    """Parameters by functions or lists of the epoch."""

    order = _EARLY

    def __init__(self, values: dict[str, Values]) -> None:
        self.values = values
        self._first_epoch = 1

    def before_training(self, env: CallbackEnv) -> None:
        self._first_epoch = env.epoch
        n_epochs = env.n_epochs - env.epoch + 1
        for name, values in self.values.items():
            for optimizer in _by_part(env.optimizer).values():
                known = [f.name for f in fields(optimizer) if f.name not in optimizer.fixed]
                if name not in known:
                    expected = f"parameters of {type(optimizer).__name__} among {known}"
                    refuse("reset_parameter", expected, name)
            if not callable(values) and len(values) != n_epochs:
                refuse(name, f"a value for each of {n_epochs} epochs", f"{len(values)} values")

    def before_epoch(self, env: CallbackEnv) -> Optimizers:
        changes: dict[str, Any] = {
            name: values(env.epoch) if callable(values) else values[env.epoch - self._first_epoch]
            for name, values in self.values.items()
        }
        return _each(env.optimizer, lambda _, optimizer: replace(optimizer, **changes))


class Scheduled(Callback):
    """The learning rate as a multiple of the optimizer's own."""

    order = _EARLY

    def __init__(self) -> None:
        self._rates: dict[str, float] = {}  # the optimizers' own

    def before_training(self, env: CallbackEnv) -> None:
        self._rates = {part: of.learning_rate for part, of in _by_part(env.optimizer).items()}

    def before_epoch(self, env: CallbackEnv) -> Optimizers:
        factor = self.factor(env)

        def change(part: str, optimizer: Optimizer) -> Optimizer:
            return replace(optimizer, learning_rate=max(self._rates[part] * factor, SMALLEST))

        return _each(env.optimizer, change)

    def factor(self, env: CallbackEnv) -> float:
        """Of the epoch that begins."""
        raise NotImplementedError


class ByEpoch(Scheduled):
    """By the number of the epoch."""

    def __init__(self, schedule: EpochSchedule) -> None:
        super().__init__()
        self._schedule = schedule

    def factor(self, env: CallbackEnv) -> float:
        return self._schedule.factor(env.epoch)


class OnPlateau(Scheduled):
    """By how validation, or else the training loss, goes."""

    def __init__(self, schedule: ReduceOnPlateau) -> None:
        super().__init__()
        self._schedule = schedule
        self._factor = 1.0
        self._waited = 0
        self._monitor: Monitor | None = None

    def before_training(self, env: CallbackEnv) -> None:
        super().before_training(env)
        self._factor, self._waited = 1.0, 0
        self._monitor = Monitor(find_evaluation(env.evaluations), self._schedule.tol)

    def factor(self, env: CallbackEnv) -> float:
        return self._factor

    def replay(self, env: CallbackEnv) -> bool | None:
        return self.after_epoch(env)

    def after_epoch(self, env: CallbackEnv) -> bool | None:
        assert self._monitor is not None
        self._waited = 0 if self._monitor.improved(env) else self._waited + 1
        if self._waited == self._schedule.n_iter_no_change:
            self._factor, self._waited = self._factor * self._schedule.gamma, 0
        return None


def scheduled(schedule: Schedule) -> list[Callback]:
    """What carries out a schedule."""
    if isinstance(schedule, ReduceOnPlateau):
        return [OnPlateau(schedule)]
    constant = isinstance(schedule, Constant)
    return [ByEpoch(schedule)] if isinstance(schedule, EpochSchedule) and not constant else []


def reset_parameter(**values: Values) -> Callback:
    """Gives parameters of the optimizer a new value before each epoch.

    For the usual learning-rate schedules, the estimators have ``learning_rate_schedule``.

    Parameters
    ----------
    **values : callable or sequence of float
        By the name of the parameter, such as ``learning_rate`` or ``l2``: a function of the number
        of the epoch (from 1), or one value for each epoch. Which parameters may change is said by
        the optimizer; the state that it keeps for the weights stays. Where each part of the model
        has an optimizer of its own, all of them must have the parameter.

    Returns
    -------
    Callback

    Raises
    ------
    ValueError
        If a value is neither a function nor a sequence; from `fit`, before the first epoch, if the
        optimizer has no such parameter or it may not change, or a sequence has not a value for each
        epoch; and before the epoch whose value is out of range.

    Examples
    --------
    >>> import pyfm
    >>> reset = pyfm.callbacks.reset_parameter(
    ...     learning_rate=lambda epoch: 0.2 if epoch < 3 else 0.02, l2=[0.0, 0.0, 1e-5, 1e-5]
    ... )
    >>> model = pyfm.LinearRegressor(epochs=4).fit([[0], [1]], [0.5, -0.5], callbacks=[reset])
    >>> model.history_["learning_rate"]
    [0.2, 0.2, 0.02, 0.02]
    """
    if not values:
        refuse("reset_parameter", "at least one parameter", "none")
    for name, value in values.items():
        if not callable(value) and (isinstance(value, str) or not hasattr(value, "__getitem__")):
            refuse(name, "a function of the epoch or a value for each epoch", value)
    return Reset(values)
