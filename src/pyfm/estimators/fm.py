"""Factorization machines (Rendle 2010)."""

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


class FMModel(Estimator):
    """Parameters of both FM estimators."""

    _kind: ClassVar[str] = "fm"

    def __init__(
        self,
        *,
        n_factors: int = 8,
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
        linear: bool = True,
        init_scale: float = 0.3,
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
class FMClassifier(Classifier, FMModel):
    r"""Factorization machine for clicks: every pair of features interacts through short vectors.

    .. math::
        s(x) = b + \sum_j w_j x_j + \sum_{i<j} \langle v_i, v_j \rangle x_i x_j, \qquad
        P(y = 1) = 1 / (1 + e^{-s(x)})

    Of more than two classes each has such a score, :math:`P(y = c) = e^{s_c} / \sum_k e^{s_k}`.
    The interactions take time linear in the features of a row times n_factors.

    Parameters
    ----------
    n_factors : int in [1, 1024], default=8
        Length k of the vectors :math:`v_j`.
    linear : bool, default=True
        Whether the score has the bias b and the linear terms.
    init_scale : float >= 0, default=0.3
        Vectors start uniform on ±init_scale/√k, linear weights at 0. Features that training never
        meets stay 0.
    normalize : bool, default=True
        Scale each row to unit Euclidean length: the pairs of long rows would else drown the rest,
        and need a much smaller learning_rate. Numeric columns that mean something by their size
        want False.
    {dtype}
    {training}

    Attributes
    ----------
    {fitted}
    factors_ : ndarray of float32 of shape (n_features_in_, n_factors)
        The vectors; a copy.

    References
    ----------
    Rendle: Factorization machines. ICDM 2010.

    Examples
    --------
    Clicks where two ids agree, which no linear model can learn:

    >>> from pyfm import FMClassifier
    >>> rows, clicks = [[0, 2], [0, 3], [1, 2], [1, 3]], [1, 0, 0, 1]
    >>> model = FMClassifier(epochs=100, init_scale=1, random_state=0).fit(rows, clicks)
    >>> model.predict(rows).tolist()
    [1, 0, 0, 1]
    """

    def __init__(
        self,
        *,
        n_factors: int = 8,
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
        linear: bool = True,
        init_scale: float = 0.3,
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
class FMRegressor(Regressor, FMModel):
    r"""Factorization machine for real targets.

    .. math:: s(x) = b + \sum_j w_j x_j + \sum_{i<j} \langle v_i, v_j \rangle x_i x_j

    The loss is :math:`(s - y)^2 / 2`. Large targets or feature values need scaling to about 1.

    Parameters
    ----------
    n_factors : int in [1, 1024], default=8
        Length k of the vectors :math:`v_j`.
    linear : bool, default=True
        Whether the score has the bias b and the linear terms.
    init_scale : float >= 0, default=0.3
        Vectors start uniform on ±init_scale/√k, linear weights at 0. Features that training never
        meets stay 0.
    normalize : bool, default=True
        Scale each row to unit Euclidean length: the pairs of long rows would else drown the rest,
        and need a much smaller learning_rate. Numeric columns that mean something by their size
        want False.
    {dtype}
    {training}

    Attributes
    ----------
    {fitted}
    factors_ : ndarray of float32 of shape (n_features_in_, n_factors)
        The vectors; a copy.

    References
    ----------
    Rendle: Factorization machines. ICDM 2010.

    Examples
    --------
    >>> from pyfm import FMRegressor
    >>> rows, ratings = [[0, 2], [0, 3], [1, 2], [1, 3]], [1.0, -1.0, -1.0, 1.0]
    >>> model = FMRegressor(epochs=300, init_scale=1, random_state=0).fit(rows, ratings)
    >>> round(float(model.predict([[0, 3]])[0]))
    -1
    """
