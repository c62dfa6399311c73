"""Optimizers: how a weight moves along its gradient.

Each is a small immutable object that an estimator takes as ``optimizer=…``; a name (``"sgd"``,
``"momentum"``, ``"nesterov"``, ``"adagrad"``, ``"rmsprop"``, ``"adam"``, ``"ftrl"``) stands for the
object with its defaults, and ``{"linear": …, "factors": …}`` gives each part of a model its own.
All of them work example by example and keep their own state for every weight. In the formulas, for
one row and one weight :math:`w`, :math:`g = κ ∂s/∂w`, where :math:`κ` is the derivative of the
row's loss by the score :math:`s`, times the row's weight.

They are lazy: a row moves only the weights of the features it contains, and their state. Weights
that it does not touch neither shrink nor coast on, and their averages do not fade. The strength of
a penalty therefore counts once per occurrence of a feature, as in libffm (FTRL's counts once in
all). The bias is not penalized.

Learning rates may follow a schedule (`pyfm.schedules`) and other parameters a callback
(`pyfm.callbacks.reset_parameter`), except those that are said to be fixed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import ClassVar

from pyfm.checks import check_choice, check_real, refuse

__all__ = [
    "FTRL",
    "SGD",
    "AdaGrad",
    "Adam",
    "Momentum",
    "Nesterov",
    "Optimizer",
    "RMSProp",
]

# Parameters that may not be 0; all are finite and not negative.
_POSITIVE = {
    "learning_rate", "beta", "epsilon", "initial_accumulator", "clip_value", "clip_norm"
}  # fmt: skip
_BELOW_ONE = {"momentum", "rho", "beta1", "beta2"}
_MAY_BE_NONE = {"clip_value", "clip_norm"}
# What the core computes with in float32 keeps clear of its limits.
SMALLEST, LARGEST, _ALMOST_ONE = 1e-30, 1e30, 0.999999


def _check(name: str, parameter: str, value: object) -> None:
    if value is None and parameter in _MAY_BE_NONE:
        return
    positive = parameter in _POSITIVE
    number = check_real(name, value, positive=positive)
    if parameter in _BELOW_ONE and number > _ALMOST_ONE:
        refuse(name, f"a number in [0, {_ALMOST_ONE}]", value)
    if number > LARGEST or (positive and number < SMALLEST):
        refuse(name, f"a number between {SMALLEST:g} and {LARGEST:g}", value)


@dataclass(frozen=True)
class Optimizer:
    """What the optimizers share; use one of its subclasses."""

    name: ClassVar[str]
    # Parameters that may not change while a model is trained.
    fixed: ClassVar[frozenset[str]] = frozenset()
    learning_rate: float = 0.1

    def __post_init__(self) -> None:
        for parameter, value in asdict(self).items():
            _check(f"{type(self).__name__}.{parameter}", parameter, value)

    def core(self) -> tuple[str, dict[str, float]]:
        """Name and parameters as the core takes them: what is None is left out."""
        given = {name: value for name, value in asdict(self).items() if value is not None}
        return self.name, {name: float(value) for name, value in given.items()}

    def may_become(self, other: object) -> bool:
        """Whether the state that this one keeps for the weights is of use to the other."""
        if not isinstance(other, Optimizer) or type(other) is not type(self):
            return False
        return all(getattr(self, name) == getattr(other, name) for name in self.fixed)


@dataclass(frozen=True)
class SGD(Optimizer):
    r"""Stochastic gradient descent with a constant step.

    .. math:: w \leftarrow w - η\,(g + λ_2 w)

    No state. Weights of features that a row lacks stay as they are.

    Parameters
    ----------
    learning_rate : float > 0, default=0.05
        Step :math:`η`.
    l1 : float >= 0, default=0
        L1 penalty :math:`λ_1`: after its step a weight moves by :math:`λ_1` times :math:`η` towards
        0 and stops there, exactly (truncated gradient).
    l2 : float >= 0, default=0
        L2 penalty :math:`λ_2`.
    clip_value : float > 0, optional
        The gradient g of each weight is cut to ±clip_value, before penalties. None: it is not.
    clip_norm : float > 0, optional
        The gradient of a row by all weights of the part (linear weights and bias, or factors) is
        scaled down to this Euclidean length. None: it is not.

    Raises
    ------
    ValueError
        If a parameter is out of its range; the message names it.

    References
    ----------
    Langford, Li, Zhang: Sparse online learning via truncated gradient. JMLR 10 (2009).

    Examples
    --------
    >>> from pyfm.optim import SGD
    >>> SGD(learning_rate=0.01).l2
    0.0
    """

    name: ClassVar[str] = "sgd"
    learning_rate: float = 0.05
    l1: float = 0.0
    l2: float = 0.0
    clip_value: float | None = None
    clip_norm: float | None = None


@dataclass(frozen=True)
class Momentum(Optimizer):
    r"""Heavy ball: steps along a sum of gradients that forgets.

    .. math:: v \leftarrow μ v + g + λ_2 w, \qquad w \leftarrow w - η v

    A gradient moves its weight by :math:`η / (1 - μ)` times itself in all. Lazy: velocity and
    weight rest between the rows that contain the feature.

    Parameters
    ----------
    learning_rate : float > 0, default=0.005
        Step :math:`η`.
    momentum : float in [0, 1), default=0.9
        Share :math:`μ` of the velocity that a step keeps.
    l1 : float >= 0, default=0
        L1 penalty :math:`λ_1`: after its step a weight moves by :math:`λ_1` times :math:`η / (1 -
        μ)` towards 0 and stops there, exactly (truncated gradient).
    l2 : float >= 0, default=0
        L2 penalty :math:`λ_2`.
    clip_value : float > 0, optional
        The gradient g of each weight is cut to ±clip_value, before penalties. None: it is not.
    clip_norm : float > 0, optional
        The gradient of a row by all weights of the part (linear weights and bias, or factors) is
        scaled down to this Euclidean length. None: it is not.

    Raises
    ------
    ValueError
        If a parameter is out of its range; the message names it.

    References
    ----------
    Polyak: Some methods of speeding up the convergence of iteration methods. USSR Comput. Math.
    Math. Phys. 4 (1964).

    Examples
    --------
    >>> from pyfm.optim import Momentum
    >>> Momentum(0.01).momentum
    0.9
    """

    name: ClassVar[str] = "momentum"
    learning_rate: float = 0.005
    momentum: float = 0.9
    l1: float = 0.0
    l2: float = 0.0
    clip_value: float | None = None
    clip_norm: float | None = None


@dataclass(frozen=True)
class Nesterov(Optimizer):
    r"""Momentum that looks ahead: the step has the velocity of the next one in it.

    .. math::
        g &\leftarrow g + λ_2 w \\
        v &\leftarrow μ v + g \\
        w &\leftarrow w - η\,(g + μ v)

    A gradient moves its weight by :math:`η / (1 - μ)` times itself in all. Lazy: velocity and
    weight rest between the rows that contain the feature.

    Parameters
    ----------
    learning_rate : float > 0, default=0.005
        Step :math:`η`.
    momentum : float in [0, 1), default=0.9
        Share :math:`μ` of the velocity that a step keeps.
    l1 : float >= 0, default=0
        L1 penalty :math:`λ_1`: after its step a weight moves by :math:`λ_1` times :math:`η / (1 -
        μ)` towards 0 and stops there, exactly (truncated gradient).
    l2 : float >= 0, default=0
        L2 penalty :math:`λ_2`.
    clip_value : float > 0, optional
        The gradient g of each weight is cut to ±clip_value, before penalties. None: it is not.
    clip_norm : float > 0, optional
        The gradient of a row by all weights of the part (linear weights and bias, or factors) is
        scaled down to this Euclidean length. None: it is not.

    Raises
    ------
    ValueError
        If a parameter is out of its range; the message names it.

    References
    ----------
    Nesterov: A method of solving a convex programming problem with convergence rate O(1/k²). Soviet
    Math. Dokl. 27 (1983). In the form of Sutskever, Martens, Dahl, Hinton: On the importance of
    initialization and momentum in deep learning. ICML 2013.

    Examples
    --------
    >>> from pyfm.optim import Nesterov
    >>> Nesterov(0.01).momentum
    0.9
    """

    name: ClassVar[str] = "nesterov"
    learning_rate: float = 0.005
    momentum: float = 0.9
    l1: float = 0.0
    l2: float = 0.0
    clip_value: float | None = None
    clip_norm: float | None = None


@dataclass(frozen=True)
class AdaGrad(Optimizer):
    r"""AdaGrad: the step of a weight shrinks as its gradients add up. Rare features learn fast.

    .. math::
        g &\leftarrow g + λ_2 w \\
        G &\leftarrow G + g^2 \\
        w &\leftarrow w - η\, g / \sqrt{G}

    Lazy: :math:`G` and weight rest between the rows that contain the feature.

    Parameters
    ----------
    learning_rate : float > 0, default=0.1
        Step :math:`η`.
    initial_accumulator : float > 0, default=1
        What :math:`G` starts at. With 1, as in libffm, the first step is at most :math:`η g`.
        Fixed while a model is trained.
    l1 : float >= 0, default=0
        L1 penalty :math:`λ_1`: after its step a weight moves by :math:`λ_1` times :math:`η /
        \sqrt{G}` towards 0 and stops there, exactly (truncated gradient).
    l2 : float >= 0, default=2e-5
        L2 penalty :math:`λ_2`.
    clip_value : float > 0, optional
        The gradient g of each weight is cut to ±clip_value, before penalties. None: it is not.
    clip_norm : float > 0, optional
        The gradient of a row by all weights of the part (linear weights and bias, or factors) is
        scaled down to this Euclidean length. None: it is not.

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
    initial_accumulator: float = 1.0
    l1: float = 0.0
    l2: float = 2e-5
    clip_value: float | None = None
    clip_norm: float | None = None


@dataclass(frozen=True)
class RMSProp(Optimizer):
    r"""RMSProp: steps of about the same length, whatever the size of the gradients of late.

    .. math::
        g &\leftarrow g + λ_2 w \\
        v &\leftarrow ρ v + (1 - ρ)\, g^2 \\
        w &\leftarrow w - η\, g / (\sqrt{v} + ε)

    Lazy: the average :math:`v` is one over the rows that contain the feature. It starts at 0, so
    that the first step is :math:`η / \sqrt{1 - ρ}` long.

    Parameters
    ----------
    learning_rate : float > 0, default=0.001
        Step :math:`η`.
    rho : float in [0, 1), default=0.9
        Share :math:`ρ` of the average that a step keeps.
    epsilon : float > 0, default=1e-8
        :math:`ε`; keeps steps finite where gradients vanish.
    l1 : float >= 0, default=0
        L1 penalty :math:`λ_1`: after its step a weight moves by :math:`λ_1` times :math:`η /
        (\sqrt{v} + ε)` towards 0 and stops there, exactly (truncated gradient).
    l2 : float >= 0, default=0
        L2 penalty :math:`λ_2`.
    clip_value : float > 0, optional
        The gradient g of each weight is cut to ±clip_value, before penalties. None: it is not.
    clip_norm : float > 0, optional
        The gradient of a row by all weights of the part (linear weights and bias, or factors) is
        scaled down to this Euclidean length. None: it is not.

    Raises
    ------
    ValueError
        If a parameter is out of its range; the message names it.

    References
    ----------
    Tieleman, Hinton: Lecture 6.5, RMSProp. Neural Networks for Machine Learning, Coursera (2012).

    Examples
    --------
    >>> from pyfm.optim import RMSProp
    >>> RMSProp(0.01).rho
    0.9
    """

    name: ClassVar[str] = "rmsprop"
    learning_rate: float = 0.001
    rho: float = 0.9
    epsilon: float = 1e-8
    l1: float = 0.0
    l2: float = 0.0
    clip_value: float | None = None
    clip_norm: float | None = None


@dataclass(frozen=True)
class Adam(Optimizer):
    r"""Adam: averages of gradients and of their squares; with `weight_decay` it is AdamW.

    .. math::
        g &\leftarrow g + λ_2 w, \qquad t \leftarrow t + 1 \\
        m &\leftarrow β_1 m + (1 - β_1)\, g, \qquad \hat m = m / (1 - β_1^t) \\
        v &\leftarrow β_2 v + (1 - β_2)\, g^2, \qquad \hat v = v / (1 - β_2^t) \\
        w &\leftarrow w - η\, \hat m / (\sqrt{\hat v} + ε) - η λ w

    Lazy: every weight has a step count :math:`t` of its own and averages over the rows that contain
    its feature, as if there were no others. A weight that each row touches takes the steps of
    ``torch.optim.Adam`` or ``AdamW``. (``torch.optim.SparseAdam`` counts the steps of all rows: the
    first steps of rare features are then :math:`(1 - β_1) / \sqrt{1 - β_2}`, about 3, times as
    long.)

    Parameters
    ----------
    learning_rate : float > 0, default=0.001
        Step :math:`η`.
    beta1, beta2 : float in [0, 1), default=0.9 and 0.999
        Shares :math:`β_1` and :math:`β_2` of the averages that a step keeps. Fixed while a model is
        trained.
    epsilon : float > 0, default=1e-8
        :math:`ε`; keeps steps finite where gradients vanish.
    weight_decay : float >= 0, default=0
        Decoupled decay :math:`λ` of AdamW, which is not divided by :math:`\sqrt{\hat v}`.
    l1 : float >= 0, default=0
        L1 penalty :math:`λ_1`: after its step a weight moves by :math:`λ_1` times :math:`η /
        (\sqrt{\hat v} + ε)` towards 0 and stops there, exactly (truncated gradient).
    l2 : float >= 0, default=0
        L2 penalty :math:`λ_2`.
    clip_value : float > 0, optional
        The gradient g of each weight is cut to ±clip_value, before penalties. None: it is not.
    clip_norm : float > 0, optional
        The gradient of a row by all weights of the part (linear weights and bias, or factors) is
        scaled down to this Euclidean length. None: it is not.

    Raises
    ------
    ValueError
        If a parameter is out of its range; the message names it.

    References
    ----------
    Kingma, Ba: Adam: a method for stochastic optimization. ICLR 2015.
    Loshchilov, Hutter: Decoupled weight decay regularization. ICLR 2019.

    Examples
    --------
    >>> from pyfm.optim import Adam
    >>> Adam(weight_decay=0.01).beta2
    0.999
    """

    name: ClassVar[str] = "adam"
    fixed: ClassVar[frozenset[str]] = frozenset({"beta1", "beta2"})
    learning_rate: float = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.0
    l1: float = 0.0
    l2: float = 0.0
    clip_value: float | None = None
    clip_norm: float | None = None


@dataclass(frozen=True)
class FTRL(Optimizer):
    r"""FTRL-proximal: follow the regularized leader, one learning rate per weight, exact zeros.

    .. math::
        σ &= (\sqrt{n + g^2} - \sqrt{n}) / α \\
        z &\leftarrow z + g - σ w, \qquad n \leftarrow n + g^2 \\
        w &\leftarrow 0 \text{ if } |z| ≤ λ_1, \text{ else }
           -\frac{z - \operatorname{sign}(z)\, λ_1}{(β + \sqrt{n}) / α + λ_2}

    Lazy: z, n and weight rest between the rows that contain the feature. The penalties are part of
    the closed form: they do not count once per occurrence.

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
    clip_value : float > 0, optional
        The gradient g of each weight is cut to ±clip_value, before penalties. None: it is not.
    clip_norm : float > 0, optional
        The gradient of a row by all weights of the part (linear weights and bias, or factors) is
        scaled down to this Euclidean length. None: it is not.

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
    >>> FTRL(l1=1.0).beta
    1.0
    """

    name: ClassVar[str] = "ftrl"
    fixed: ClassVar[frozenset[str]] = frozenset({"learning_rate", "beta"})
    learning_rate: float = 0.1
    beta: float = 1.0
    l1: float = 0.0
    l2: float = 0.0
    clip_value: float | None = None
    clip_norm: float | None = None


OPTIMIZERS: dict[str, type[Optimizer]] = {
    kind.name: kind for kind in (SGD, Momentum, Nesterov, AdaGrad, RMSProp, Adam, FTRL)
}


def resolve(optimizer: object, parameter: str = "optimizer", /, **given: float | None) -> Optimizer:
    """The optimizer that an estimator's parameters describe.

    `parameter` is what the user calls `optimizer`. `given` are the estimator's own learning_rate,
    l1 and l2; None leaves the optimizer's default.
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
        refuse(parameter, f"one of {names} or an object from pyfm.optim", optimizer)
    kind = OPTIMIZERS[check_choice(parameter, optimizer, list(OPTIMIZERS))]
    for name, value in changes.items():
        _check(name, name, value)
    return kind(**changes)


def resolve_parts(
    optimizer: object, parts: Sequence[str], **given: float | None
) -> dict[str, Optimizer]:
    """The optimizer of each part that a model has: one for all, or a mapping from parts."""
    if not isinstance(optimizer, Mapping):
        return dict.fromkeys(parts, resolve(optimizer, **given))
    if set(optimizer) != set(parts):
        expected = "{" + ", ".join(f"{part!r}: …" for part in parts) + "}"
        refuse("optimizer", f"one for each part that this model has, {expected}", optimizer)
    return {part: resolve(optimizer[part], f"optimizer[{part!r}]", **given) for part in parts}
