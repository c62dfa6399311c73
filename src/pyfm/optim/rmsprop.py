"""RMSProp."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pyfm.optim.base import Optimizer
from pyfm.optim.docs import documented


@documented
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
    {clipping}

    {raises}

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
