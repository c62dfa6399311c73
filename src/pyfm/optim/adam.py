"""Adam and AdamW."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pyfm.optim.base import Optimizer
from pyfm.optim.docs import documented


@documented
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
    {clipping}

    {raises}

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
