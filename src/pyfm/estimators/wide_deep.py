"""Wide & Deep (Cheng et al. 2016)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pyfm.estimators.deep import DeepClassifier, DeepModel
from pyfm.estimators.docs import documented_deep
from pyfm.estimators.regressor import Regressor
from pyfm.optim import FTRL, AdaGrad, Optimizer

# Gradients are means over a batch: AdaGrad's sums begin at what is small beside their squares.
_DEFAULT = {
    "linear": FTRL(),
    "factors": AdaGrad(learning_rate=0.05, initial_accumulator=1e-6),
    "deep": AdaGrad(learning_rate=0.05, initial_accumulator=1e-6),
}


@documented_deep
class WideDeepClassifier(DeepClassifier):
    r"""Wide & Deep for clicks: a linear model, and a network on vectors of the features.

    .. math::
        s(x) = b + \sum_j w_j x_j + \mathrm{network}(e_1, \ldots, e_F), \qquad
        e_f = \sum_{j \in f} x_j v_j, \qquad P(y = 1) = 1 / (1 + e^{-s(x)})

    Both are trained together, each by its own optimizer: by default the wide part by FTRL, whose
    `l1` makes it sparse, and the rest by AdaGrad. The network's input are the vectors of the
    fields, side by side: every feature needs its field. A field without a feature is a vector of
    zeros.

    {deep}

    References
    ----------
    Cheng et al.: Wide & deep learning for recommender systems. DLRS 2016.

    Examples
    --------
    Clicks where two ids agree, which no linear model can learn:

    >>> from pyfm import WideDeepClassifier
    >>> rows, clicks = [[0, 2], [0, 3], [1, 2], [1, 3]], [1, 0, 0, 1]
    >>> model = WideDeepClassifier(hidden=(16,), epochs=200, learning_rate=0.1, random_state=0)
    >>> model.fit(rows, clicks).predict(rows).tolist()
    [1, 0, 0, 1]
    """

    _kind: ClassVar[str] = "wide_deep"
    _default_optimizer: ClassVar[Optimizer | Mapping[str, Optimizer]] = _DEFAULT


@documented_deep
class WideDeepRegressor(Regressor, DeepModel):
    r"""Wide & Deep for real targets.

    .. math::
        s(x) = b + \sum_j w_j x_j + \mathrm{network}(e_1, \ldots, e_F), \qquad
        e_f = \sum_{j \in f} x_j v_j

    The loss is :math:`(s - y)^2 / 2`. Large targets or feature values need scaling to about 1.

    {deep}

    References
    ----------
    Cheng et al.: Wide & deep learning for recommender systems. DLRS 2016.

    Examples
    --------
    >>> from pyfm import WideDeepRegressor
    >>> rows, ratings = [[0, 2], [0, 3], [1, 2], [1, 3]], [1.0, -1.0, -1.0, 1.0]
    >>> model = WideDeepRegressor(hidden=(16,), epochs=300, learning_rate=0.1, random_state=0)
    >>> round(float(model.fit(rows, ratings).predict([[0, 3]])[0]))
    -1
    """

    _kind: ClassVar[str] = "wide_deep"
    _default_optimizer: ClassVar[Optimizer | Mapping[str, Optimizer]] = _DEFAULT
