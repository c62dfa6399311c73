"""What the deep estimators share: the parameters of their networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from pyfm.augmentation import Augmentation
from pyfm.estimators.base import Estimator
from pyfm.estimators.classifier import Classifier, ClassWeight
from pyfm.estimators.settings import Settings
from pyfm.optim import Optimizer
from pyfm.schedules import Schedule

OptimizerArg = str | Optimizer | Mapping[str, str | Optimizer] | None


class DeepModel(Estimator):
    """Parameters of the deep regressors; the classifiers have some more."""

    _default_optimizer: ClassVar[Optimizer | Mapping[str, Optimizer]]

    freeze: Sequence[str]
    optimizer: OptimizerArg

    def __init__(
        self,
        *,
        n_factors: int = 16,
        hidden: Sequence[int] = (400, 400, 400),
        activation: str = "relu",
        batch_norm: bool = False,
        batch_norm_inference: str = "population",
        dropout: float = 0.0,
        residual: bool = False,
        deep_fields: Sequence[int | str] | None = None,
        learning_rate: float | None = None,
        learning_rate_schedule: str | Schedule = "constant",
        optimizer: OptimizerArg = None,
        freeze: Sequence[str] = (),
        l1: float | None = None,
        l2: float | None = None,
        epochs: int = 10,
        batch_size: int | str = 1024,
        augmentation: Augmentation | None = None,
        min_count: int = 1,
        normalize: bool = False,
        linear: bool = True,
        init_scale: float = 0.05,
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
        self._assign(locals())

    @property
    def network_(self) -> dict[str, NDArray[Any]]:
        """Weights and statistics of the network by name, layer by layer: copies."""
        check_is_fitted(self)
        weights, statistics = self._spec.network_shapes()
        found: dict[str, NDArray[Any]] = {
            name: self._model.network_weights(name) for name in weights
        }
        for name in statistics:
            found[name] = self._model.network_statistics(name)
        return found

    def _settings(self) -> Settings:
        params = self.get_params(deep=False)
        if params["optimizer"] is None:
            params |= self._default_settings()
        return Settings.of(params, kind=self._kind, loss=self._loss, metrics=self._metrics)

    def _default_settings(self) -> dict[str, Any]:
        """The default optimizer, with the rates and penalties that were given."""
        names = ("learning_rate", "l1", "l2")
        given = {name: value for name in names if (value := getattr(self, name)) is not None}
        default = self._default_optimizer
        if isinstance(default, Optimizer):
            optimizer: Any = replace(default, **given)
        else:
            optimizer = {
                part: replace(of, **given)
                for part, of in default.items()
                if part not in self.freeze and (part != "linear" or self.linear)
            }
        return {"optimizer": optimizer} | dict.fromkeys(names)


class DeepClassifier(Classifier, DeepModel):
    """Parameters of the deep classifiers."""

    def __init__(
        self,
        *,
        n_factors: int = 16,
        hidden: Sequence[int] = (400, 400, 400),
        activation: str = "relu",
        batch_norm: bool = False,
        batch_norm_inference: str = "population",
        dropout: float = 0.0,
        residual: bool = False,
        deep_fields: Sequence[int | str] | None = None,
        learning_rate: float | None = None,
        learning_rate_schedule: str | Schedule = "constant",
        optimizer: OptimizerArg = None,
        freeze: Sequence[str] = (),
        l1: float | None = None,
        l2: float | None = None,
        epochs: int = 10,
        batch_size: int | str = 1024,
        augmentation: Augmentation | None = None,
        min_count: int = 1,
        normalize: bool = False,
        linear: bool = True,
        init_scale: float = 0.05,
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
