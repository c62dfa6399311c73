"""DeepFM (Guo et al. 2017)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pyfm.estimators.deep import DeepClassifier, DeepModel
from pyfm.estimators.docs import documented_deep
from pyfm.estimators.regressor import Regressor
from pyfm.optim import Adam, Optimizer

_DEFAULT = Adam()


@documented_deep
class DeepFMClassifier(DeepClassifier):
    r"""DeepFM for clicks: a factorization machine and a network that share their vectors.

    .. math::
        s(x) = b + \sum_j w_j x_j + \sum_{i<j} \langle v_i, v_j \rangle x_i x_j
            + \mathrm{network}(e_1, \ldots, e_F), \qquad
        e_f = \sum_{j \in f} x_j v_j, \qquad P(y = 1) = 1 / (1 + e^{-s(x)})

    The network's input are the vectors of the fields, side by side: every feature needs its field.
    A field without a feature is a vector of zeros.

    {deep}

    References
    ----------
    Guo, Tang, Ye, Li, He: DeepFM: a factorization-machine based neural network for CTR prediction.
    IJCAI 2017.

    Examples
    --------
    Clicks where two ids agree, which no linear model can learn:

    >>> from pyfm import DeepFMClassifier
    >>> rows, clicks = [[0, 2], [0, 3], [1, 2], [1, 3]], [1, 0, 0, 1]
    >>> model = DeepFMClassifier(hidden=(16,), epochs=200, learning_rate=0.01, random_state=0)
    >>> model.fit(rows, clicks).predict(rows).tolist()
    [1, 0, 0, 1]
    """

    _kind: ClassVar[str] = "deepfm"
    _default_optimizer: ClassVar[Optimizer | Mapping[str, Optimizer]] = _DEFAULT


@documented_deep
class DeepFMRegressor(Regressor, DeepModel):
    r"""DeepFM for real targets.

    .. math::
        s(x) = b + \sum_j w_j x_j + \sum_{i<j} \langle v_i, v_j \rangle x_i x_j
            + \mathrm{network}(e_1, \ldots, e_F), \qquad e_f = \sum_{j \in f} x_j v_j

    The loss is :math:`(s - y)^2 / 2`. Large targets or feature values need scaling to about 1.

    {deep}

    References
    ----------
    Guo, Tang, Ye, Li, He: DeepFM: a factorization-machine based neural network for CTR prediction.
    IJCAI 2017.

    Examples
    --------
    >>> from pyfm import DeepFMRegressor
    >>> rows, ratings = [[0, 2], [0, 3], [1, 2], [1, 3]], [1.0, -1.0, -1.0, 1.0]
    >>> model = DeepFMRegressor(hidden=(16,), epochs=300, learning_rate=0.01, random_state=0)
    >>> round(float(model.fit(rows, ratings).predict([[0, 3]])[0]))
    -1
    """

    _kind: ClassVar[str] = "deepfm"
    _default_optimizer: ClassVar[Optimizer | Mapping[str, Optimizer]] = _DEFAULT
