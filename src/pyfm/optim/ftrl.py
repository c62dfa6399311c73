"""FTRL-proximal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pyfm.optim.base import Optimizer
from pyfm.optim.docs import documented


@documented
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
        L1 penalty :math:`λ_1`: weights whose evidence stays below it are exactly 0. Without it z
        is known from weight and n and takes no memory. Therefore a model that was begun without it
        starts anew from its weights if it gets one, and the other way round; between positive
        numbers it may change.
    l2 : float >= 0, default=0
        L2 penalty :math:`λ_2`.
    {clipping}

    {raises}

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

    def core(self) -> tuple[str, dict[str, float]]:
        """Name and parameters as the core takes them, which has z for L1 alone."""
        given = self.parameters()
        if self.l1 > 0:
            return f"{self.name}_l1", given
        del given["l1"]
        return self.name, given

    def stays(self) -> str:
        """What another must have in common with it, in words."""
        return f"{super().stays()}, l1 {'above 0' if self.l1 > 0 else '0'} as before"

    def may_become(self, other: object) -> bool:
        """Whether the state that this one keeps for the weights is of use to the other."""
        same = isinstance(other, FTRL) and (self.l1 > 0) == (other.l1 > 0)
        return same and super().may_become(other)
