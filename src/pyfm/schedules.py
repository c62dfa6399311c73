"""Learning-rate schedules: factors of the optimizer's learning rate, epoch by epoch.

Each is a small immutable object that an estimator takes as ``learning_rate_schedule=…``; a name
(``"constant"``, ``"invscaling"``, ``"exponential"``, ``"step"``, ``"plateau"``) stands for the
object with its defaults. In the formulas η is the optimizer's own learning rate and t the number of
the epoch, from 1. For functions of the epoch there is the callback
`pyfm.callbacks.reset_parameter`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import ClassVar

from pyfm.checks import check_choice, check_fraction, check_int, check_real, refuse

__all__ = ["Constant", "InverseScaling", "Exponential", "Step", "ReduceOnPlateau", "Schedule"]

_CHECKS: dict[str, Callable[[str, object], object]] = {
    "power_t": lambda name, value: check_real(name, value, positive=True),
    "gamma": check_fraction,
    "step_size": lambda name, value: check_int(name, value, 1),
    "n_iter_no_change": lambda name, value: check_int(name, value, 1),
    "tol": check_real,
}


@dataclass(frozen=True)
class Schedule:
    """What the schedules share; use one of the others."""

    name: ClassVar[str]

    def __post_init__(self) -> None:
        for parameter, value in asdict(self).items():
            _CHECKS[parameter](f"{type(self).__name__}.{parameter}", value)


@dataclass(frozen=True)
class EpochSchedule(Schedule):
    """Base of the schedules that depend on the number of the epoch alone."""

    def factor(self, epoch: int) -> float:
        """What the learning rate is multiplied by in an epoch, from 1."""
        return 1.0


@dataclass(frozen=True)
class Constant(EpochSchedule):
    r"""The optimizer's learning rate, :math:`η`, in every epoch.

    Examples
    --------
    >>> from pyfm.schedules import Constant
    >>> [Constant().factor(epoch) for epoch in (1, 2, 3)]
    [1.0, 1.0, 1.0]
    """

    name: ClassVar[str] = "constant"


@dataclass(frozen=True)
class InverseScaling(EpochSchedule):
    r""":math:`η / t^p`, as in scikit-learn.

    With SGD and p above ½ (and at most 1) the steps are those of Robbins and Monro: they add up to
    infinity, their squares do not, and on convex losses the weights converge.

    Parameters
    ----------
    power_t : float > 0, default=0.5
        Exponent p.

    Raises
    ------
    ValueError
        If the parameter is out of its range; the message names it.

    References
    ----------
    Robbins, Monro: A stochastic approximation method. Annals of Mathematical Statistics 22 (1951).

    Examples
    --------
    >>> from pyfm.schedules import InverseScaling
    >>> [InverseScaling(power_t=1).factor(epoch) for epoch in (1, 2, 4)]
    [1.0, 0.5, 0.25]
    """

    name: ClassVar[str] = "invscaling"
    power_t: float = 0.5

    def factor(self, epoch: int) -> float:
        """What the learning rate is multiplied by in an epoch, from 1."""
        return float(epoch ** -float(self.power_t))


@dataclass(frozen=True)
class Exponential(EpochSchedule):
    r""":math:`η γ^{t - 1}`.

    Parameters
    ----------
    gamma : float between 0 and 1, default=0.9
        Factor γ after each epoch.

    Raises
    ------
    ValueError
        If the parameter is out of its range; the message names it.

    Examples
    --------
    >>> from pyfm.schedules import Exponential
    >>> [Exponential(gamma=0.5).factor(epoch) for epoch in (1, 2, 3)]
    [1.0, 0.5, 0.25]
    """

    name: ClassVar[str] = "exponential"
    gamma: float = 0.9

    def factor(self, epoch: int) -> float:
        """What the learning rate is multiplied by in an epoch, from 1."""
        return float(self.gamma) ** (epoch - 1)


@dataclass(frozen=True)
class Step(EpochSchedule):
    r""":math:`η γ^{\lfloor (t - 1) / s \rfloor}`.

    Parameters
    ----------
    step_size : int >= 1, default=5
        Epochs s between two reductions.
    gamma : float between 0 and 1, default=0.5
        Factor γ of each.

    Raises
    ------
    ValueError
        If a parameter is out of its range; the message names it.

    Examples
    --------
    >>> from pyfm.schedules import Step
    >>> [Step(step_size=2, gamma=0.5).factor(epoch) for epoch in (1, 2, 3, 4, 5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """

    name: ClassVar[str] = "step"
    step_size: int = 5
    gamma: float = 0.5

    def factor(self, epoch: int) -> float:
        """What the learning rate is multiplied by in an epoch, from 1."""
        return float(self.gamma) ** ((epoch - 1) // self.step_size)


@dataclass(frozen=True)
class ReduceOnPlateau(Schedule):
    """The learning rate is multiplied by γ whenever validation has not improved for some epochs.

    It goes by the estimator's first metric on the first evaluation set; without one, by the
    training loss. With early stopping, let it be the less patient of the two.

    Parameters
    ----------
    gamma : float between 0 and 1, default=0.5
        Factor γ of each reduction.
    n_iter_no_change : int >= 1, default=2
        Epochs without improvement, since the last reduction or improvement, after which it comes.
    tol : float >= 0, default=0
        Only what improves the metric by more than this is an improvement.

    Raises
    ------
    ValueError
        If a parameter is out of its range; the message names it.

    Examples
    --------
    >>> from pyfm import FMClassifier
    >>> from pyfm.schedules import ReduceOnPlateau
    >>> model = FMClassifier(learning_rate_schedule=ReduceOnPlateau(gamma=0.2))
    """

    name: ClassVar[str] = "plateau"
    gamma: float = 0.5
    n_iter_no_change: int = 2
    tol: float = 0.0


SCHEDULES: dict[str, type[Schedule]] = {
    kind.name: kind for kind in (Constant, InverseScaling, Exponential, Step, ReduceOnPlateau)
}


def resolve(schedule: object) -> Schedule:
    """The schedule that ``learning_rate_schedule`` describes."""
    if isinstance(schedule, Schedule):
        return schedule
    if callable(schedule):
        refuse(
            "learning_rate_schedule",
            "a name or an object of pyfm.schedules (for functions of the epoch there is "
            "fit(…, callbacks=[pyfm.callbacks.reset_parameter(learning_rate=…)]))",
            schedule,
        )
    if not isinstance(schedule, str):
        names = ", ".join(map(repr, SCHEDULES))
        refuse("learning_rate_schedule", f"one of {names} or an object of pyfm.schedules", schedule)
    return SCHEDULES[check_choice("learning_rate_schedule", schedule, list(SCHEDULES))]()
