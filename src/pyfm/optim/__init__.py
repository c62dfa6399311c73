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

from pyfm.optim.adagrad import AdaGrad
from pyfm.optim.adam import Adam
from pyfm.optim.base import SMALLEST as SMALLEST
from pyfm.optim.base import Optimizer
from pyfm.optim.ftrl import FTRL
from pyfm.optim.momentum import Momentum, Nesterov
from pyfm.optim.resolve import OPTIMIZERS as OPTIMIZERS
from pyfm.optim.resolve import resolve as resolve
from pyfm.optim.resolve import resolve_parts as resolve_parts
from pyfm.optim.rmsprop import RMSProp
from pyfm.optim.sgd import SGD

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
