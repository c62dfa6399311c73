"""Field-aware factorization machines (Juan et al. 2016)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pyfm.augmentation import Augmentation
from pyfm.estimators.base import Estimator
from pyfm.estimators.classifier import Classifier, ClassWeight
from pyfm.estimators.docs import documented
from pyfm.estimators.regressor import Regressor
from pyfm.optim import Optimizer
from pyfm.schedules import Schedule


class FFMModel(Estimator):
    """Parameters of both FFM estimators."""

    _kind: ClassVar[str] = "ffm"

    def __init__(
        self,
        *,
        n_factors: int = 4,
        learning_rate: float | None = None,
        learning_rate_schedule: str | Schedule = "constant",
        optimizer: str | Optimizer | Mapping[str, str | Optimizer] = "adagrad",
        l1: float | None = None,
        l2: float | None = None,
        epochs: int = 10,
        batch_size: int | str = 1,
        augmentation: Augmentation | None = None,
        min_count: int = 1,
        normalize: bool = True,
        linear: bool = False,
        init_scale: float = 1.0,
        dtype: str = "float32",
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 3,
        tol: float = 0.0,
        metric: str | Sequence[str] | None = None,
        warm_start: bool = False,
        n_jobs: int | None = 1,
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        self.n_factors = n_factors
        self.learning_rate = learning_rate
        self.learning_rate_schedule = learning_rate_schedule
        self.optimizer = optimizer
        self.l1 = l1
        self.l2 = l2
        self.epochs = epochs
        self.batch_size = batch_size
        self.augmentation = augmentation
        self.min_count = min_count
        self.normalize = normalize
        self.linear = linear
        self.init_scale = init_scale
        self.dtype = dtype
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.metric = metric
        self.warm_start = warm_start
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose


@documented
class FFMClassifier(Classifier, FFMModel):
    r"""Field-aware factorization machine for clicks: a vector for each feature and other field.

    .. math::
        s(x) = \sum_{i<j} \langle v_{i, f_j}, v_{j, f_i} \rangle x_i x_j, \qquad
        P(y = 1) = 1 / (1 + e^{-s(x)})

    Feature i meets feature j with the vector that it keeps for j's field :math:`f_j`. The defaults
    are libffm's model; ``linear=True`` adds a bias and linear terms. The vectors take
    4 · n_features · n_fields · n_factors bytes, AdaGrad's state as much again. Of more than two
    classes each has such a score and such vectors, :math:`P(y = c) = e^{s_c} / \sum_k e^{s_k}`.

    Parameters
    ----------
    n_factors : int in [1, 1024], default=4
        Length k of the vectors.
    linear : bool, default=False
        Whether the score has a bias and linear terms.
    init_scale : float >= 0, default=1
        Vectors start uniform on [0, init_scale/√k), linear weights at 0. Features that training
        never meets stay 0.
    normalize : bool, default=True
        Scale each row to unit Euclidean length.
    {dtype}
    {training}

    Attributes
    ----------
    {fitted}
    factors_ : ndarray of float32 of shape (n_features_in_, n_fields_, n_factors)
        ``factors_[j, f]`` is the vector of feature j for partners in field f; a copy.

    References
    ----------
    Juan, Zhuang, Chin, Lin: Field-aware factorization machines for CTR prediction. RecSys 2016.

    Examples
    --------
    Clicks where two ids agree, which no linear model can learn:

    >>> from pyfm import FFMClassifier
    >>> rows, clicks = [[0, 2], [0, 3], [1, 2], [1, 3]], [1, 0, 0, 1]
    >>> model = FFMClassifier(epochs=100, learning_rate=0.2, random_state=0).fit(rows, clicks)
    >>> model.predict(rows).tolist()
    [1, 0, 0, 1]
    """

    def __init__(
        self,
        *,
        n_factors: int = 4,
        learning_rate: float | None = None,
        learning_rate_schedule: str | Schedule = "constant",
        optimizer: str | Optimizer | Mapping[str, str | Optimizer] = "adagrad",
        l1: float | None = None,
        l2: float | None = None,
        epochs: int = 10,
        batch_size: int | str = 1,
        augmentation: Augmentation | None = None,
        min_count: int = 1,
        normalize: bool = True,
        linear: bool = False,
        init_scale: float = 1.0,
        dtype: str = "float32",
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 3,
        tol: float = 0.0,
        metric: str | Sequence[str] | None = None,
        warm_start: bool = False,
        n_jobs: int | None = 1,
        random_state: Any = None,
        verbose: int = 0,
        class_weight: ClassWeight = None,
        negative_sampling: float = 1.0,
        label_smoothing: float = 0.0,
    ) -> None:
        self._assign(locals())


@documented
class FFMRegressor(Regressor, FFMModel):
    r"""Field-aware factorization machine for real targets.

    .. math:: s(x) = \sum_{i<j} \langle v_{i, f_j}, v_{j, f_i} \rangle x_i x_j

    The loss is :math:`(s - y)^2 / 2`. Targets that are not centred need ``linear=True``, which
    adds a bias; large ones need scaling to about 1.

    Parameters
    ----------
    n_factors : int in [1, 1024], default=4
        Length k of the vectors.
    linear : bool, default=False
        Whether the score has a bias and linear terms.
    init_scale : float >= 0, default=1
        Vectors start uniform on [0, init_scale/√k), linear weights at 0. Features that training
        never meets stay 0.
    normalize : bool, default=True
        Scale each row to unit Euclidean length.
    {dtype}
    {training}

    Attributes
    ----------
    {fitted}
    factors_ : ndarray of float32 of shape (n_features_in_, n_fields_, n_factors)
        ``factors_[j, f]`` is the vector of feature j for partners in field f; a copy.

    References
    ----------
    Juan, Zhuang, Chin, Lin: Field-aware factorization machines for CTR prediction. RecSys 2016.

    Examples
    --------
    >>> from pyfm import FFMRegressor
    >>> rows, ratings = [[0, 2], [0, 3], [1, 2], [1, 3]], [1.0, -1.0, -1.0, 1.0]
    >>> model = FFMRegressor(epochs=300, random_state=0).fit(rows, ratings)
    >>> round(float(model.predict([[0, 3]])[0]))
    -1
    """
