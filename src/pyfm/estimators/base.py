"""What all estimators share: fit, scores, fitted attributes, saving. No algorithm."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from pyfm import _core
from pyfm.checks import refuse
from pyfm.dataset import Dataset
from pyfm.estimators.inputs import Inputs
from pyfm.estimators.model_spec import ModelSpec, stored_weights
from pyfm.estimators.settings import Settings, n_threads
from pyfm.estimators.split import split
from pyfm.estimators.targets import Targets
from pyfm.progress import make_progress
from pyfm.training import Training

if TYPE_CHECKING:
    from typing_extensions import Self


class Estimator(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Fits a model of the core to rows. Subclasses say which model and what targets mean."""

    _kind: ClassVar[str]  # of the model: "linear", "fm" or "ffm"
    _loss: ClassVar[str]  # "logistic" or "squared"
    _metrics: ClassVar[tuple[str, ...]]  # for validation; the loss's own comes first

    n_jobs: int | None
    random_state: Any

    history_: dict[str, list[float]]
    best_epoch_: int
    n_iter_: int
    n_features_in_: int
    n_fields_: int
    _spec: ModelSpec
    _model: _core.Model
    _inputs: Inputs
    _targets: Targets

    def fit(
        self,
        X: Any,
        y: Any = None,
        *,
        fields: Any = None,
        sample_weight: Any = None,
        eval_set: Any = None,
    ) -> Self:
        """Trains a new model; an earlier one is replaced when the training ends.

        Parameters
        ----------
        X : Dataset, sparse matrix, or array-like of shape (n_rows, n_columns)
            Rows. Integers are ids (one column per field, one common feature space, -1: absent);
            other numbers and sparse matrices are numeric columns, one feature each.
        y : array-like of shape (n_rows,), optional
            Targets; None with a Dataset, which brings its own.
        fields : array-like of int of shape (n_columns,), optional
            The field of each column of a matrix; None: all columns are in field 0.
        sample_weight : array-like of shape (n_rows,), optional
            Finite weights >= 0, factors of the rows' losses.
        eval_set : Dataset, (X, y) or (X, y, sample_weight), optional
            Rows to validate on after each epoch. With ``early_stopping=True`` they decide when to
            stop, otherwise the results are only recorded in ``history_``. Unknown features are
            ignored.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For parameters out of range, data that cannot be learned from, and a training that
            diverges.
        MemoryError
            If the model does not fit in memory, before it is allocated.
        KeyboardInterrupt
            On Ctrl-C, within a second. The estimator keeps the last finished epoch (with
            `early_stopping` the best one); if there is none it stays as it was. The weights of
            models above 64 MiB, unless stopped early, also hold the updates of the broken epoch:
            no second copy is kept of them.
        """
        settings = self._settings()
        inputs = Inputs.of(X, fields)
        targets = self._learn_targets(X, y)
        train = inputs.load(X, y, sample_weight, targets, fields)
        valid = self._load_eval_set(eval_set, inputs, targets, settings.training.metric)
        random = check_random_state(self.random_state)
        seed, split_seed = (int(random.randint(2**31 - 1)) for _ in range(2))
        if settings.training.early_stopping and valid is None:
            fraction, stratify = settings.validation_fraction, self._loss == "logistic"
            train, valid = split(train, fraction, stratify=stratify, seed=split_seed)
        spec = replace(settings.spec, n_features=train.n_features, n_fields=train.n_fields)
        model = spec.build(settings.optimizers, seed)
        progress = make_progress(settings.verbose, settings.training.epochs, train.n_rows)
        training = Training(model, settings.training, train, valid, progress)
        interrupt = None
        try:
            training.run()
        except KeyboardInterrupt as error:
            if not training.records:
                raise
            interrupt = error
        self._set_fitted(spec, model, inputs, targets, training.history, training.best_epoch)
        if interrupt:
            raise interrupt
        return self

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the fitted model to one file, atomically; `pyfm.load` reads it.

        The file is in the safetensors format: weights, and parameters and history as JSON. It
        holds no optimizer state and no code.

        Parameters
        ----------
        path : str or path-like
            An existing file is replaced when the new one is complete; devices and pipes are
            written to.

        Raises
        ------
        OSError
            If the file cannot be written; an existing one is left as it was.
        ValueError
            If a parameter or class label is of a type that JSON does not hold.
        """
        from pyfm.model_file import save

        save(self, path)

    @property
    def coef_(self) -> NDArray[np.float32]:
        """Linear weights, shape (n_features_in_,): a copy; 0 where training met none."""
        return self._weights("linear", "it was made with linear=False")

    @property
    def intercept_(self) -> NDArray[np.float32]:
        """Bias, shape (1,): a copy."""
        check_is_fitted(self)
        if self._model.bias is None:
            raise AttributeError("this model has no bias: it was made with linear=False")
        return self._model.bias.copy()

    @property
    def factors_(self) -> NDArray[np.float32]:
        """Factors: a copy; 0 of features that training never met.

        Shape (n_features_in_, n_factors) for FM, (n_features_in_, n_fields_, n_factors) for FFM:
        ``factors_[j, f]`` is the vector that feature j uses against features of field f.
        """
        return self._weights("factors", "it is linear")

    def _weights(self, part: Literal["linear", "factors"], reason: str) -> NDArray[np.float32]:
        check_is_fitted(self)
        if part not in self._spec.parts:
            raise AttributeError(f"this model has no {part} weights: {reason}")
        return self._model.weights(part)

    def _settings(self) -> Settings:
        """The parameters, checked."""
        params = self.get_params(deep=False)
        return Settings.of(params, kind=self._kind, loss=self._loss, metrics=self._metrics)

    def _learn_targets(self, X: Any, y: Any) -> Targets:
        raise NotImplementedError

    def _load_eval_set(
        self, eval_set: Any, inputs: Inputs, targets: Targets, metric: str
    ) -> _core.Dataset | None:
        if eval_set is None:
            return None
        parts = (eval_set,) if isinstance(eval_set, Dataset) else eval_set
        if not isinstance(parts, tuple) or len(parts) not in (1, 2, 3):
            refuse("eval_set", "a Dataset, (X, y) or (X, y, sample_weight)", type(parts).__name__)
        X, y, sample_weight = (*parts, None, None)[:3]
        try:
            valid = inputs.load(X, y, sample_weight, targets)
        except ValueError as error:
            raise ValueError(f"eval_set: {error}") from error
        assert valid.y is not None
        if metric == "auc" and valid.y.min() == valid.y.max():
            refuse("eval_set", "rows of both classes, which metric='auc' needs", "one class")
        return valid

    def _set_fitted(
        self,
        spec: ModelSpec,
        model: _core.Model,
        inputs: Inputs,
        targets: Targets,
        history: dict[str, list[float]],
        best_epoch: int,
    ) -> None:
        self._spec, self._model, self._inputs, self._targets = spec, model, inputs, targets
        self.history_ = history
        self.best_epoch_ = best_epoch
        self.n_iter_ = len(history["epoch"])
        self.n_features_in_ = spec.n_features
        self.n_fields_ = spec.n_fields

    def _scores(self, X: Any) -> NDArray[np.float32]:
        rows = self._rows(X)
        return self._model.decision_function(rows, n_threads=n_threads(self.n_jobs))

    def _predictions(self, X: Any) -> NDArray[np.float64]:
        rows = self._rows(X)
        return self._model.predict(rows, n_threads=n_threads(self.n_jobs))

    def _rows(self, X: Any) -> _core.Dataset:
        check_is_fitted(self)
        return self._inputs.rows(X, type(self).__name__)

    def __getstate__(self) -> dict[str, Any]:
        """For pickle and copy: weights instead of the core's model; no optimizer state."""
        state = dict(super().__getstate__())
        if "_model" in state:
            state["_model"] = stored_weights(state["_spec"], state["_model"])
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        if "_model" in state:
            state = state | {"_model": state["_spec"].build_from(state["_model"])}
        super().__setstate__(state)

    @property
    def _needs_fields(self) -> bool:
        """Whether a few dense columns without fields, scikit-learn's usual test, teach little."""
        return self._kind == "ffm"

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
