"""Optimizers: how a weight moves along its gradient.

Each is a small immutable object that an estimator takes as ``optimizer=…``; a name (``"sgd"``,
``"adagrad"``, ``"ftrl"``) stands for the object with its defaults. All of them work example by
example and keep their own state for every weight. In the formulas, for one row and one weight
:math:`w`, :math:`g = κ ∂s/∂w`, where :math:`κ` is the derivative of the row's loss by the score
:math:`s`, times the row's weight.

Regularization is lazy: a row moves, and shrinks, only the weights of the features it contains.
The strength of a penalty therefore counts once per occurrence of a feature, as in libffm.

Learning rates may follow a schedule (`pyfm.schedules`) and other parameters a callback
(`pyfm.callbacks.reset_parameter`), except those that are said to be fixed.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import ClassVar

from pyfm.checks import check_choice, check_real, refuse

__all__ = ["SGD", "AdaGrad", "FTRL", "Optimizer"]

# Parameters that may not be 0; all are finite and not negative.
_POSITIVE = {"learning_rate", "beta", "initial_accumulator"}
# What the core computes with in float32 keeps clear of its limits.
SMALLEST, LARGEST = 1e-30, 1e30


def _check(name: str, parameter: str, value: object) -> None:
    positive = parameter in _POSITIVE
    number = check_real(name, value, positive=positive)
    if number > LARGEST or (positive and number < SMALLEST):
        refuse(name, f"a number between {SMALLEST:g} and {LARGEST:g}", value)


@dataclass(frozen=True)
class Optimizer:
    """What the optimizers share; use `SGD`, `AdaGrad` or `FTRL`."""

    name: ClassVar[str]
    # Parameters that may not change while a model is trained.
    fixed: ClassVar[frozenset[str]] = frozenset()
    learning_rate: float = 0.1

    def __post_init__(self) -> None:
        for parameter, value in asdict(self).items():
            _check(f"{type(self).__name__}.{parameter}", parameter, value)

    def core(self) -> tuple[str, dict[str, float]]:
        """Name and parameters as the core takes them."""
        return self.name, {parameter: float(value) for parameter, value in asdict(self).items()}

    def may_become(self, other: object) -> bool:
        """Whether the state that this one keeps for the weights is of use to the other."""
        if not isinstance(other, Optimizer) or type(other) is not type(self):
            return False
        return all(getattr(self, name) == getattr(other, name) for name in self.fixed)


@dataclass(frozen=True)
class SGD(Optimizer):
    r"""Stochastic gradient descent with a constant step.

    .. math:: w \leftarrow w - η\,(g + λ_2 w)

    Parameters
    ----------
    learning_rate : float > 0, default=0.05
        Step :math:`η`.
    l2 : float >= 0, default=0
        L2 penalty :math:`λ_2`.

    Raises
    ------
    ValueError
        If a parameter is out of its range; the message names it.

    Examples
    --------
    >>> from pyfm.optim import SGD
    >>> SGD(learning_rate=0.01)
    SGD(learning_rate=0.01, l2=0.0)
    """

    name: ClassVar[str] = "sgd"
    learning_rate: float = 0.05
    l2: float = 0.0


@dataclass(frozen=True)
class AdaGrad(Optimizer):
    r"""AdaGrad: the step of a weight shrinks as its gradients add up. Rare features learn fast.

    .. math::
        g &\leftarrow g + λ_2 w \\
        G &\leftarrow G + g^2 \\
        w &\leftarrow w - η\, g / \sqrt{G}

    Parameters
    ----------
    learning_rate : float > 0, default=0.1
        Step :math:`η`.
    l2 : float >= 0, default=2e-5
        L2 penalty :math:`λ_2`.
    initial_accumulator : float > 0, default=1
        What :math:`G` starts at. With 1, as in libffm, the first step is at most :math:`η g`.
        Fixed while a model is trained.

    Raises
    ------
    ValueError
        If a parameter is out of its range; the message names it.

    References
    ----------
    Duchi, Hazan, Singer: Adaptive subgradient methods for online learning and stochastic
    optimization. JMLR 12 (2011).

    Examples
    --------
    >>> from pyfm.optim import AdaGrad
    >>> AdaGrad(learning_rate=0.2).l2
    2e-05
    """

    name: ClassVar[str] = "adagrad"
    fixed: ClassVar[frozenset[str]] = frozenset({"initial_accumulator"})
    learning_rate: float = 0.1
    l2: float = 2e-5
    initial_accumulator: float = 1.0


@dataclass(frozen=True)
class FTRL(Optimizer):
    r"""FTRL-proximal: follow the regularized leader, one learning rate per weight, exact zeros.

    .. math::
        σ &= (\sqrt{n + g^2} - \sqrt{n}) / α \\
        z &\leftarrow z + g - σ w, \qquad n \leftarrow n + g^2 \\
        w &\leftarrow 0 \text{ if } |z| ≤ λ_1, \text{ else }
           -\frac{z - \operatorname{sign}(z)\, λ_1}{(β + \sqrt{n}) / α + λ_2}

    Parameters
    ----------
    learning_rate : float > 0, default=0.1
        :math:`α`. Fixed while a model is trained, like β: the weight is a function of z and n, and
        another value would move all weights at once.
    beta : float > 0, default=1
        :math:`β`; steadies the first steps.
    l1 : float >= 0, default=0
        L1 penalty :math:`λ_1`: weights whose evidence stays below it are exactly 0.
    l2 : float >= 0, default=0
        L2 penalty :math:`λ_2`.

    Raises
    ------
    ValueError
        If a parameter is out of its range; the message names it.

    References
    ----------
    McMahan et al.: Ad click prediction: a view from the trenches. KDD 2013.

    Examples
    --------
    >>> from pyfm.optim import FTRL
    >>> FTRL(l1=1.0)
    FTRL(learning_rate=0.1, beta=1.0, l1=1.0, l2=0.0)
    """

    name: ClassVar[str] = "ftrl"
    fixed: ClassVar[frozenset[str]] = frozenset({"learning_rate", "beta"})
    learning_rate: float = 0.1
    beta: float = 1.0
    l1: float = 0.0
    l2: float = 0.0


OPTIMIZERS: dict[str, type[Optimizer]] = {kind.name: kind for kind in (SGD, AdaGrad, FTRL)}


def resolve(optimizer: object, **given: float | None) -> Optimizer:
    """The optimizer that an estimator's parameters describe.

    `given` are the estimator's own learning_rate, l1 and l2; None leaves the optimizer's default.
    """
    changes = {name: value for name, value in given.items() if value is not None}
    if isinstance(optimizer, Optimizer):
        if changes:
            name, value = next(iter(changes.items()))
            raise ValueError(
                f"{name}={value!r} is given together with the optimizer object {optimizer!r}: "
                f"set it on the object, {type(optimizer).__name__}({name}={value!r}, …), "
                f"and leave {name}=None"
            )
        return optimizer
    if not isinstance(optimizer, str):
        names = ", ".join(map(repr, OPTIMIZERS))
        refuse("optimizer", f"one of {names} or an object from pyfm.optim", optimizer)
    kind = OPTIMIZERS[check_choice("optimizer", optimizer, list(OPTIMIZERS))]
    known = {field.name for field in fields(kind)}
    for name, value in changes.items():
        if name not in known:
            raise ValueError(
                f"{name}={value!r}: the optimizer {optimizer!r} has no {name}; "
                f"use optimizer='ftrl', or leave {name}=None"
            )
        _check(name, name, value)
    return kind(**changes)
