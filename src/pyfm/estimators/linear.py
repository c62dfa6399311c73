"""Linear models: logistic and least-squares regression on sparse rows."""

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


class LinearModel(Estimator):
    """Parameters of both linear estimators."""

    _kind: ClassVar[str] = "linear"

    def __init__(
        self,
        *,
        learning_rate: float | None = None,
        learning_rate_schedule: str | Schedule = "constant",
        optimizer: str | Optimizer | Mapping[str, str | Optimizer] = "adagrad",
        l1: float | None = None,
        l2: float | None = None,
        epochs: int = 10,
        batch_size: int | str = 1,
        augmentation: Augmentation | None = None,
        min_count: int = 1,
        normalize: bool = False,
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
class LinearClassifier(Classifier, LinearModel):
    r"""Logistic regression on sparse rows of many features.

    .. math:: s(x) = b + \sum_j w_j x_j, \qquad P(y = 1) = 1 / (1 + e^{-s(x)})

    Of more than two classes each has such a score, :math:`P(y = c) = e^{s_c} / \sum_k e^{s_k}`.

    Parameters
    ----------
    normalize : bool, default=False
        Scale each row to unit Euclidean length.
    {training}

    Attributes
    ----------
    {fitted}

    Examples
    --------
    >>> from pyfm import LinearClassifier
    >>> rows = [[0, 2], [0, 3], [1, 2], [1, 3]]  # ids of two fields
    >>> model = LinearClassifier(epochs=20, random_state=0).fit(rows, ["no", "no", "yes", "yes"])
    >>> model.predict([[1, 2]]).tolist()
    ['yes']
    """

    def __init__(
        self,
        *,
        learning_rate: float | None = None,
        learning_rate_schedule: str | Schedule = "constant",
        optimizer: str | Optimizer | Mapping[str, str | Optimizer] = "adagrad",
        l1: float | None = None,
        l2: float | None = None,
        epochs: int = 10,
        batch_size: int | str = 1,
        augmentation: Augmentation | None = None,
        min_count: int = 1,
        normalize: bool = False,
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
class LinearRegressor(Regressor, LinearModel):
    r"""Least-squares regression on sparse rows of many features.

    .. math:: s(x) = b + \sum_j w_j x_j

    The loss is :math:`(s - y)^2 / 2`.

    Parameters
    ----------
    normalize : bool, default=False
        Scale each row to unit Euclidean length.
    {training}

    Attributes
    ----------
    {fitted}

    Examples
    --------
    >>> from pyfm import LinearRegressor
    >>> rows = [[0, 2], [0, 3], [1, 2], [1, 3]]  # ids of two fields
    >>> model = LinearRegressor(epochs=300, l2=0, random_state=0).fit(rows, [0.0, 1.0, 2.0, 3.0])
    >>> round(float(model.predict([[1, 3]])[0]), 1)
    3.0
    """
