"""What all estimators share: fit, scores, fitted attributes, saving. No algorithm."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from pyfm import _core
from pyfm.checks import refuse
from pyfm.data_stream import DataStream
from pyfm.data_stream.training import check_batch_size
from pyfm.estimators.eval_sets import check_defined, load_eval_sets
from pyfm.estimators.explaining import Explaining
from pyfm.estimators.fit_callbacks import fit_callbacks, stops_early
from pyfm.estimators.init_from import check_source, start_from
from pyfm.estimators.inputs import Inputs, held
from pyfm.estimators.model_spec import ModelSpec, stored_weights
from pyfm.estimators.multiclass import by_class, check_multiclass
from pyfm.estimators.notebook import Attributes
from pyfm.estimators.opened import OpenStream, opened
from pyfm.estimators.resume import origin_of, read_checkpoint
from pyfm.estimators.rows import load_rows, reweight, set_apart
from pyfm.estimators.settings import Settings
from pyfm.estimators.streams import Stream
from pyfm.estimators.targets import Labels, Targets
from pyfm.estimators.threads import n_threads
from pyfm.estimators.warm_start import (
    check_known_rows,
    check_same_inputs,
    check_same_model,
    model_to_go_on,
)
from pyfm.history import History
from pyfm.optim import Optimizer
from pyfm.prediction import Pieces, predictions, scores
from pyfm.training import Training, TrainingData
from pyfm.training_rows import TrainingRows
from pyfm.warning import NoFeaturesWarning

if TYPE_CHECKING:
    from typing_extensions import Self


class Estimator(Explaining, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Fits a model of the core to rows. Subclasses say which model and what targets mean."""

    _kind: ClassVar[str]  # of the model, as in ModelSpec
    _loss: ClassVar[str]  # "logistic" or "squared"
    _metrics: ClassVar[tuple[str, ...]]  # for validation; the loss's own comes first

    n_jobs: int | None
    warm_start: bool
    min_count: int
    random_state: Any

    history_: History
    best_epoch_: int
    n_iter_: int
    n_features_in_: int
    n_fields_: int
    n_features_seen_: int
    n_features_admitted_: int
    _spec: ModelSpec
    _model: _core.Model
    _inputs: Inputs
    _targets: Targets
    # By part; their state, in _model, belongs to the weights.
    _kept_optimizers: Mapping[str, Optimizer] | None
    _stream: Stream | None  # of partial_fit, since the last fit

    def fit(
        self,
        X: Any,
        y: Any = None,
        *,
        fields: Any = None,
        sample_weight: Any = None,
        eval_set: Any = None,
        callbacks: Any = None,
        init_from: Any = None,
        resume_from: str | os.PathLike[str] | None = None,
    ) -> Self:
        """Trains a new model; an earlier one is replaced when the training ends.

        With ``warm_start=True`` it trains the fitted model for `epochs` more; epochs count on. With
        the same data and parameters, and one thread, two fits of 5 epochs are bit for bit one of
        10. The optimizer's state goes on, too, unless it is of no use: after early stopping went
        back to an earlier epoch, an interruption, a copy or `pyfm.load` of a file that does not
        hold it, or a change of `optimizer`, it starts anew, which takes the memory of a second
        model. The features must be those of the first fit.

        Parameters
        ----------
        X : Dataset, DataStream, table, sparse matrix, or array-like of shape (n_rows, n_columns)
            Rows; those of `Dataset.stream` need not fit into memory. Integers are ids (one column
            per field, one common feature space, -1: absent); other numbers and sparse matrices are
            numeric columns, one feature each. A table (of pandas, polars or pyarrow, a dict of
            columns, a structured array) is encoded by a `pyfm.FieldEncoder` with its defaults,
            which becomes part of the model, as does that of a Dataset which one made: the model
            then predicts tables.
        y : array-like of shape (n_rows,), optional
            Targets; None: those of a Dataset, which others replace.
        fields : array-like of int of shape (n_columns,), optional
            The field of each column of a matrix; None: all columns are in field 0.
        sample_weight : array-like of shape (n_rows,), optional
            Finite weights >= 0, factors of the rows' losses.
        eval_set : Dataset, DataStream, (X, y), (X, y, sample_weight), or a dict of them, optional
            Rows to validate on after each epoch; several sets by name, as in
            ``{"valid": rows, "test": (X, y)}``. With ``early_stopping=True`` the first decides when
            to stop; all are recorded in ``history_``, as ``valid_logloss`` (for a single set,
            too), ``test_logloss`` and so on. Unknown features are ignored.
        callbacks : list of callbacks, optional
            From `pyfm.callbacks`, or functions that are called after each epoch.
        init_from : fitted estimator, optional
            A model whose weights this one begins with, instead of random ones: of the parts that
            both have, linear weights, factors (of the same n_factors; an FM's serve a deep model as
            well), and a network of the same shape, for the same fields. Features that it does not
            know begin as usual. It should have seen its rows with the same `normalize`.
        resume_from : str or path-like, optional
            A file that `pyfm.callbacks.checkpoint` wrote: this fit goes on where that one was, to
            `epochs` in total, and ends with the same weights to the bit, where two fits would (one
            thread, or a `batch_size` above 1). Data and parameters must be the same; `epochs` may
            be more, `n_jobs` and `verbose` may differ. What the estimator was before is replaced.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For parameters out of range, data that cannot be learned from, a checkpoint of another
            fit, and a training that diverges: losses or weights that are no longer finite.
        FormatError
            If `resume_from` is no model file, or damaged; nothing is trained.
        MemoryError
            If the model does not fit in memory, before it is allocated.
        KeyboardInterrupt
            On Ctrl-C, within a second.

        Notes
        -----
        Whatever ends a training early (Ctrl-C, an exception of a callback, a divergence), the
        estimator keeps the last finished epoch, with early stopping the best one; if there is none,
        it stays as it was. No second copy is kept of models above 64 MiB, unless they are stopped
        early: their weights also hold the updates of the broken epoch, and if they are not finite,
        the estimator stays as it was.

        Examples
        --------
        A fit that is killed after its second epoch, and goes on:

        >>> import pathlib, tempfile, pyfm
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "checkpoint.pyfm"
        >>> X, y = [[0, 1], [0, 2], [1, 2]], [1.0, 2.0, 0.5]
        >>> whole = pyfm.LinearRegressor(epochs=5, random_state=0).fit(X, y)
        >>> killed = pyfm.LinearRegressor(epochs=2, random_state=0)
        >>> _ = killed.fit(X, y, callbacks=[pyfm.callbacks.checkpoint(path)])
        >>> resumed = pyfm.LinearRegressor(epochs=5, random_state=0).fit(X, y, resume_from=path)
        >>> bool((resumed.coef_ == whole.coef_).all())
        True
        """
        goes_on = self.warm_start is True and "_inputs" in vars(self)
        with opened(held(X), self._inputs.encoder if goes_on else None) as rows:
            self._fit(rows, y, fields, sample_weight, eval_set, callbacks, init_from, resume_from)
        if self.n_features_seen_ and not self.n_features_admitted_:
            expected = f"min_count={self.min_count}: expected features that occur in so many rows"
            found = "found none: the model has no weights for features, and scores all rows alike"
            warnings.warn(f"{expected}, {found}", NoFeaturesWarning, stacklevel=2)
        return self

    def _fit(
        self,
        X: Any,
        y: Any,
        fields: Any,
        sample_weight: Any,
        eval_set: Any,
        callbacks: Any,
        init_from: Any,
        resume_from: str | os.PathLike[str] | None,
    ) -> None:
        settings = self._settings()
        callbacks = fit_callbacks(settings, callbacks)
        if init_from is not None:
            check_source(init_from, settings.spec)
        if isinstance(X, OpenStream):
            check_batch_size(settings.training.batch_size)
        earlier, resumption, why = None, None, "since warm_start=True"
        if resume_from is not None:
            earlier, resumption = read_checkpoint(resume_from, self, settings, X, fields)
            why = f"since resume_from={resumption.path!r}"
        elif settings.warm_start and "_model" in vars(self):
            earlier = self
        if earlier is not None and init_from is not None:
            refuse("init_from", f"None, {why}", init_from)
        if earlier is not None:
            check_same_model(earlier._spec, earlier._inputs, settings, why)
            check_same_inputs(earlier._inputs, X, fields, why)
        inputs, X = (earlier._inputs, X) if earlier else Inputs.of(X, fields).fitted(X)
        targets = earlier._targets if earlier else self._learn_targets(X, y)
        check_multiclass(targets, settings)
        train = load_rows(X, y, sample_weight, targets, fields, inputs)
        metrics = settings.training.valid_metrics
        valid = load_eval_sets(eval_set, inputs, targets, metrics)
        random = check_random_state(self.random_state)
        seed, *seeds = (int(random.randint(2**31 - 1)) for _ in range(3))
        origin = train.origin(*seeds)
        if earlier and resumption:
            origin = origin_of(resumption, earlier, origin, self.random_state)
        if not valid and stops_early(callbacks):
            fraction, stratify = settings.validation_fraction, self._loss == "logistic"
            train, apart = set_apart(
                train, fraction, targets, stratify=stratify, seed=origin.split_seed
            )
            check_defined("validation_fraction", apart, metrics)
            valid["valid"] = apart
        if isinstance(targets, Labels):
            train = reweight(train, settings.reweighting, targets.classes, origin.sample_seed)
        spec, model = self._start(settings, train, seed, inputs, targets, earlier)
        if init_from is not None:
            inputs.check_encoder("init_from", "a model", init_from._inputs.encoder)
            start_from(init_from, spec, model)
        epochs_before = earlier.n_iter_ if earlier else 0
        if resumption:  # its epochs are those of this fit
            epochs_before -= len(resumption.history["epoch"])

        def end(estimator: Estimator, training: Training) -> Estimator:
            history, best_epoch = training.history, training.best_epoch
            estimator._set_fitted(spec, model, inputs, targets, history, best_epoch)
            return estimator

        def view(training: Training) -> Estimator:
            estimator = type(self)(**self.get_params(deep=False))
            return end(estimator, training) if training.records else estimator

        options, data = settings.training, TrainingData(train, valid, origin)
        training = Training(model, options, data, callbacks, view, epochs_before, resumption)
        try:
            training.run()
        finally:
            if training.is_usable:
                end(self, training)
            if vars(self).get("_model") is model:
                self._kept_optimizers = options.optimizers if training.is_resumable else None

    def save(self, path: str | os.PathLike[str], *, optimizer_state: bool = False) -> None:
        """Writes the fitted model to one file, atomically; `pyfm.load` reads it.

        The file is in the safetensors format: weights, and parameters and history as JSON. It
        holds no code.

        Parameters
        ----------
        path : str or path-like
            An existing file is replaced when the new one is complete; devices and pipes are
            written to.
        optimizer_state : bool, default=False
            Whether the file also holds what the optimizers keep beside each weight, so that the
            loaded model goes on exactly, with ``warm_start=True`` or `partial_fit`. Predictions
            need none of it; the file is 1 (momentum, nesterov, adagrad, rmsprop, ftrl), 2 (ftrl
            with L1) or 3 (adam) times larger by it, and the loaded model takes as much more memory.
            Without it, features whose weights are all 0 are left out, and are new to a model that
            goes on.

        Raises
        ------
        OSError
            If the file cannot be written; an existing one is left as it was.
        ValueError
            If `optimizer_state` is no bool, a parameter was set to something wrong since the fit,
            a parameter or class label is of a type that JSON does not hold, or the state is asked
            for that the model does not have: it was interrupted, loaded without, copied, or early
            stopping went back to an earlier epoch.
        """
        from pyfm.model_file import save

        save(self, path, optimizer_state=optimizer_state)

    @property
    def feature_names_in_(self) -> NDArray[np.object_]:
        """Columns of the tables that `fit` was given; of other rows there is no such attribute."""
        if "_inputs" not in vars(self) or self._inputs.kind != "table":
            raise AttributeError("feature_names_in_ is set by fit with a table")
        assert self._inputs.encoder is not None  # as of all tables
        return self._inputs.encoder.feature_names_in_

    @property
    def coef_(self) -> NDArray[np.float32]:
        """Linear weights, a copy; 0 where training met none.

        Shape (n_features_in_,), of more than two classes (n_classes, n_features_in_).
        """
        return self._weights("linear", "it was made with linear=False")

    @property
    def intercept_(self) -> NDArray[np.float32]:
        """Bias, shape (1,): a copy; corrected for `negative_sampling`, as scores are.

        Of more than two classes shape (n_classes,).
        """
        check_is_fitted(self)
        if self._model.bias is None:
            raise AttributeError("this model has no bias: it was made with linear=False")
        return self._model.bias + np.float32(self._spec.prior_correction)

    @property
    def factors_(self) -> NDArray[np.float32]:
        """Factors: a copy; 0 of features that training never met.

        Shape (n_features_in_, n_factors); for FFM (n_features_in_, n_fields_, n_factors), where
        ``factors_[j, f]`` is the vector that feature j uses against features of field f. Of more
        than two classes there are as many of them, along a first axis.
        """
        return self._weights("factors", "it is linear")

    def _weights(self, part: Literal["linear", "factors"], reason: str) -> NDArray[np.float32]:
        check_is_fitted(self)
        if part not in self._spec.parts:
            raise AttributeError(f"this model has no {part} weights: {reason}")
        return by_class(self._spec, self._model.weights(part))

    def _assign(self, params: dict[str, Any]) -> None:
        """Sets the parameters that `__init__` was given, its locals."""
        for name, value in params.items():
            if name not in ("self", "__class__"):
                setattr(self, name, value)

    def _settings(self) -> Settings:
        """The parameters, checked."""
        params = self.get_params(deep=False)
        return Settings.of(params, kind=self._kind, loss=self._loss, metrics=self._metrics)

    def _learn_targets(self, X: Any, y: Any) -> Targets:
        raise NotImplementedError

    def _stream_targets(self, X: Any, y: Any, classes: Any) -> Targets:
        """As `_learn_targets`, for `partial_fit`."""
        raise NotImplementedError

    def _progressive_loss(self) -> float:
        check_is_fitted(self)
        if self._stream is None:
            raise AttributeError(
                "progressive validation is that of partial_fit, after the last fit"
            )
        return self._stream.loss(self._metrics[0])

    def _start(
        self,
        settings: Settings,
        train: TrainingRows,
        seed: int,
        inputs: Inputs,
        targets: Targets,
        earlier: Estimator | None,
    ) -> tuple[ModelSpec, _core.Model]:
        """The model to train: a new one, or that of an earlier fit."""
        optimizers = settings.training.optimizers
        sizes = train if earlier is None else earlier._spec
        if augmentation := settings.training.augmentation:
            train.check(augmentation, sizes.n_features, sizes.n_fields)
        if earlier is None:
            spec = settings.spec_for(
                train.n_features, train.n_fields, inputs.encoder, targets.n_outputs
            )
            model = spec.build(optimizers, seed)
        else:
            spec, kept = earlier._spec, earlier._kept_optimizers
            check_known_rows(spec, train)
            model = model_to_go_on(spec, earlier._model, kept, optimizers, seed)
        model.min_count = settings.min_count
        return spec, model

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
        self._kept_optimizers = self._stream = None
        self.history_ = History(history, best_epoch if "epoch" in history else 0)
        self.best_epoch_ = best_epoch
        self.n_iter_ = int(history["epoch"][-1]) if "epoch" in history else best_epoch
        self.n_features_in_ = spec.n_features
        self.n_features_admitted_ = model.n_admitted
        self.n_features_seen_ = model.n_admitted + model.n_counted
        self.n_fields_ = spec.n_fields

    def _scores(self, X: Any) -> NDArray[np.float32]:
        rows, correction = self._rows(X), self._spec.prior_correction
        return scores(self._model, rows, correction, n_threads(self.n_jobs))

    def _predictions(self, X: Any) -> NDArray[np.float64]:
        rows, correction = self._rows(X), self._spec.prior_correction
        return predictions(self._model, rows, correction, n_threads(self.n_jobs))

    def _rows(self, X: Any) -> _core.Dataset | Pieces:
        check_is_fitted(self)
        if isinstance(X, DataStream):
            return self._inputs.pieces(X)
        return self._inputs.rows(X, type(self).__name__)

    def __getstate__(self) -> dict[str, Any]:
        """For pickle and copy: weights instead of the core's model; no optimizer state."""
        state = dict(super().__getstate__())
        if "_model" in state:
            state["_model"] = stored_weights(state["_spec"], state["_model"])
            state["_kept_optimizers"] = None
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        if "_model" in state:
            state = state | {"_model": state["_spec"].build_from(state["_model"])}
        super().__setstate__(state)

    def _get_fitted_attr_html(self, doc_link: str = "") -> Any:
        """For scikit-learn's picture of an estimator."""
        return Attributes.of(self).html_of(type(self), doc_link)

    @property
    def _needs_fields(self) -> bool:
        """Whether a few dense columns without fields, scikit-learn's usual test, teach little."""
        return self._kind not in ("linear", "fm")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
