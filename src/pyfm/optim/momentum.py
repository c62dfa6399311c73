"""SGD with momentum: heavy ball, and Nesterov's acceleration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pyfm.optim.base import Optimizer
from pyfm.optim.docs import documented


@documented
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
    {clipping}

    {raises}

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


@documented
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
    {clipping}

    {raises}

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
