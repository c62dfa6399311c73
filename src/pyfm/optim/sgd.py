"""Stochastic gradient descent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pyfm.optim.base import Optimizer
from pyfm.optim.docs import documented


@documented
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
    {clipping}

    {raises}

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
