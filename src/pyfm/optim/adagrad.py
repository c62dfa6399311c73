"""AdaGrad."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pyfm.optim.base import Optimizer
from pyfm.optim.docs import documented


@documented
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
    {clipping}

    {raises}

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
