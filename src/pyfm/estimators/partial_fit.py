"""One call of `partial_fit`."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from pyfm import _core
from pyfm.checks import refuse
from pyfm.data_stream import DataStream
from pyfm.data_stream.background import ahead
from pyfm.data_stream.pieces import ROWS, cut_datasets
from pyfm.data_stream.training import check_batch_size
from pyfm.dataset import Dataset
from pyfm.estimators.base import Estimator
from pyfm.estimators.inputs import Inputs, held
from pyfm.estimators.model_spec import ModelSpec
from pyfm.estimators.multiclass import check_multiclass
from pyfm.estimators.settings import Settings
from pyfm.estimators.streams import Stream, check_settings, extend, learn
from pyfm.estimators.targets import Labels, Targets
from pyfm.estimators.warm_start import check_same_inputs, check_same_model, model_to_go_on

_WHY = "since partial_fit goes on with it"


def partial_fit(
    estimator: Estimator, X: Any, y: Any, fields: Any, sample_weight: Any, classes: Any = None
) -> None:
    """Learns some rows; the estimators document it."""
    settings = estimator._settings()
    check_settings(settings)
    if isinstance(X, DataStream):
        _learn_stream(estimator, X, y, fields, sample_weight, classes, settings)
        return
    X = held(X)
    if _is_empty(X):
        return
    goes_on = "_model" in vars(estimator)
    if goes_on:
        check_same_model(estimator._spec, estimator._inputs, settings, _WHY)
        check_same_inputs(estimator._inputs, X, fields, _WHY)
    inputs = (estimator._inputs if goes_on else Inputs.of(X, fields)).learn_from(X)
    targets = estimator._stream_targets(X, y, classes)
    check_multiclass(targets, settings)
    given = inputs.load(
        X, y, sample_weight, targets, fields, estimator=type(estimator).__name__, weightless=True
    )
    stream = (estimator._stream if goes_on else None) or Stream.start(estimator.random_state)
    sample = rows = given
    if isinstance(targets, Labels):
        sample, rows = settings.reweighting.apply_to_stream(
            given, targets.classes, stream.sample_seed, stream.n_rows
        )
    spec, model = _model(estimator, settings, given, inputs, targets, stream, goes_on)
    try:
        stream, record = learn(model, stream, settings, sample, rows, given.n_rows)
    finally:
        # Also of a model that was too large to be undone.
        spec = replace(spec, n_features=model.n_features)
        if vars(estimator).get("_model") is model:
            if model.n_features > estimator.n_features_in_:  # ids that may not be given again
                estimator._inputs = inputs
            estimator._spec, estimator.n_features_in_ = spec, spec.n_features
    spec = replace(spec, n_fields=max(spec.n_fields, given.n_fields))
    history = estimator.history_ if goes_on else {}
    if record:
        history = extend(history, record)
    n_iter = estimator.n_iter_ if goes_on else 1  # one pass over whatever has come
    estimator._set_fitted(spec, model, inputs, targets, history, n_iter)
    estimator._kept_optimizers, estimator._stream = settings.training.optimizers, stream


def _learn_stream(
    estimator: Estimator,
    stream: DataStream,
    y: Any,
    fields: Any,
    sample_weight: Any,
    classes: Any,
    settings: Settings,
) -> None:
    """A call for each piece; what one learned stays if a later one fails."""
    for name, given in (("y", y), ("sample_weight", sample_weight), ("fields", fields)):
        if given is not None:
            refuse(name, "None, since X is a stream and brings its own", given)
    check_batch_size(settings.training.batch_size)
    known = estimator._inputs.encoder if "_model" in vars(estimator) else None
    size = -(-ROWS // settings.training.batch_size) * settings.training.batch_size
    source = stream.encoded_by(known)
    with contextlib.closing(ahead(lambda: cut_datasets(source.pieces(grows=True), size))) as pieces:
        for data in pieces:
            partial_fit(estimator, data, None, None, None, classes)


def _model(
    estimator: Estimator,
    settings: Settings,
    given: _core.Dataset,
    inputs: Inputs,
    targets: Targets,
    stream: Stream,
    goes_on: bool,
) -> tuple[ModelSpec, _core.Model]:
    """The model to learn with: a new one, or that of the calls before."""
    optimizers = settings.training.optimizers
    if goes_on:
        spec = estimator._spec
        _check_fields(spec, given)
        kept = estimator._kept_optimizers
        model = model_to_go_on(spec, estimator._model, kept, optimizers, stream.seed)
    else:
        spec = settings.spec_for(
            given.n_features, given.n_fields, inputs.encoder, targets.n_outputs
        )
        model = spec.build(optimizers, stream.seed)
    model.min_count = settings.min_count
    return spec, model


def _is_empty(X: Any) -> bool:
    """Whether there are no rows to learn from."""
    if isinstance(X, Dataset):
        return X.n_rows == 0
    if isinstance(X, Mapping):
        return any(len(column) == 0 for column in X.values())
    shape = X.shape if hasattr(X, "shape") else np.shape(X)
    return len(shape) > 0 and shape[0] == 0


def _check_fields(spec: ModelSpec, data: _core.Dataset) -> None:
    """Raises ValueError where the tables of an FFM have no vectors for a field."""
    if spec.has_fields and data.n_fields > spec.n_fields:
        expected = (
            f"at most {spec.n_fields} fields, those of the first rows, since the model has weights "
            "for every field: begin with a Dataset that has all n_fields"
        )
        refuse("X", expected, data.n_fields)
